//! Writes numbers as text directly into a buffer.
//!
//! A transcript of a million frames contains ten million numbers. To format each with `core::fmt`
//! would take more time than decoding the frames.

/// All numbers of two digits, one after the other.
const PAIRS: &[u8; 200] = b"\
00010203040506070809101112131415161718192021222324252627282930313233343536373839\
40414243444546474849505152535455565758596061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `n` in decimal.
#[inline]
pub fn decimal(n: u64, out: &mut Vec<u8>) {
    // Most numbers of a transcript have one digit.
    if n < 10 {
        return out.push(b'0' + n as u8);
    }
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// How many digits [`decimal`] writes for `n`, 1 to 20.
pub fn decimal_len(n: u64) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// `n` with commas between groups of three digits, as in `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes for users: exact below 1 KiB, then with one decimal, as in `12.3 MiB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    // A value that would be rounded to 1024.0 is 1.0 of the next unit.
    while size >= 1023.95 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", units[unit])
}

/// The last two digits of `n`.
#[inline]
pub(super) fn pair(n: usize) -> [u8; 2] {
    let at = n % 100 * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// The last three digits of `n`.
#[inline]
pub(super) fn triple(n: usize) -> [u8; 3] {
    let [b, c] = pair(n);
    [b'0' + (n / 100 % 10) as u8, b, c]
}

/// The two hexadecimal digits of a byte, lower case.
#[inline]
pub(super) fn hex_pair(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]
}

/// Appends bytes in hexadecimal, without spaces.
#[inline]
pub fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.extend_from_slice(&hex_pair(byte));
    }
}

/// Appends bytes in hexadecimal with a space between them.
pub fn hex_spaced(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, &byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&hex_pair(byte));
    }
}

/// Appends `n` in hexadecimal, without leading zeros.
pub fn hex_number(n: u32, out: &mut Vec<u8>) {
    let first = (n.max(1).ilog2() / 4) as i32;
    for digit in (0..=first).rev() {
        out.push(HEX[(n >> (digit * 4) & 0xf) as usize]);
    }
}

/// Appends `n` spaces.
#[inline]
pub fn spaces(n: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + n, b' ');
}

/// A number of things, as in `1 frame` or `2 frames`.
pub fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        let mut n = 1u64;
        for _ in 0..64 {
            for n in [n - 1, n, n + 1, n / 30 * 10, u64::MAX - n] {
                assert_eq!(text(|out| decimal(n, out)), n.to_string());
                assert_eq!(decimal_len(n), n.to_string().len());
            }
            n = n.wrapping_mul(2).max(1);
        }
        for n in 0..1000 {
            assert_eq!(text(|out| decimal(n, out)), n.to_string());
            assert_eq!(triple(n as usize), format!("{n:03}").as_bytes());
        }
    }

    #[test]
    fn groups_have_three_digits() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn sizes_have_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12_897_485, "12.3 MiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn hexadecimals() {
        assert_eq!(text(|out| hex(&[0, 0x1f, 0xff], out)), "001fff");
        assert_eq!(text(|out| hex_spaced(&[0xde, 0xad], out)), "de ad");
        for n in [0, 1, 0xf, 0x10, 0x85, 0x202e, 0xe0001, u32::MAX] {
            assert_eq!(text(|out| hex_number(n, out)), format!("{n:x}"));
        }
        assert_eq!(text(|out| spaces(3, out)), "   ");
    }
}
