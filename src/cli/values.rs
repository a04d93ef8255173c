//! Values of options: times, sizes, window bits.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::ui::terminal::FULL_WIDTH;

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For this time.
    For(Duration),
    /// Until the peer closes.
    Forever,
}

/// Times are written as at the prompt.
pub(super) use crate::ui::notation::duration;

/// A time, or `forever`; a negative number means the same.
pub(super) fn wait(text: &str) -> Result<Wait, String> {
    if text == "forever" || text.parse::<f64>().is_ok_and(|seconds| seconds < 0.0) {
        return Ok(Wait::Forever);
    }
    duration(text).map(Wait::For).map_err(|error| format!("{error}, or forever"))
}

/// `65536`, `64k`, `1.5M`, `1GiB`: bytes, units of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let help = || format!("{text:?} is not a size; write bytes, or 64K, 16M, 1G, 1T");
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(help()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(1 << shift).ok_or_else(help);
    }
    let number: f64 = number.parse().map_err(|_| help())?;
    let bytes = number * (1u64 << shift) as f64;
    if (0.0..9.0e18).contains(&bytes) { Ok(bytes as u64) } else { Err(help()) }
}

/// Bytes per second: at least one.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    match size(text.strip_suffix("/s").unwrap_or(text))? {
        0 => Err("nothing would pass".to_owned()),
        rate => Ok(rate),
    }
}

/// A whole number in this range.
pub(super) fn number<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let (start, end) = (*range.start(), *range.end());
            let to = if end < MANY { format!(" to {end}") } else { " on".to_owned() };
            let example = 3.clamp(start, end);
            format!("{text:?} is not a whole number from {start}{to}; write {example}, for example")
        })
    }
}

/// No user would reach a greater limit.
const MANY: u64 = 1 << 31;

/// A number of columns, or `full`.
pub(super) fn width(text: &str) -> Result<usize, String> {
    match text.parse() {
        _ if text == "full" => Ok(FULL_WIDTH),
        Ok(columns @ 1..) => Ok(columns),
        _ => Err(format!("{text:?} is not a width; write a number of columns, or full")),
    }
}

/// A memory limit in the notation of [`size`]; at least 1.
pub(super) fn memory(text: &str) -> Result<usize, String> {
    match size(text)? {
        0 => Err("a limit of 0 would allow nothing; write 256M, for example".to_owned()),
        bytes => Ok(usize::try_from(bytes).unwrap_or(usize::MAX)),
    }
}

/// Permissions in the notation of `chmod`: `600`, `0660`.
pub(super) fn file_mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| {
        format!("{text:?} is not a mode; write three octal digits, as in 600 or 666")
    })
}

/// A window size of permessage-deflate, RFC 7692 §7.1.2.
pub(super) fn bits(text: &str) -> Result<u8, String> {
    text.parse().ok().filter(|bits| (8..=15).contains(bits)).ok_or_else(|| {
        format!("{text:?} is not a window size; write a number of bits from 8 to 15")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_time_or_forever() {
        assert_eq!([wait("forever"), wait("-1")], [Ok(Wait::Forever), Ok(Wait::Forever)]);
        assert_eq!(wait("0.5"), Ok(Wait::For(Duration::from_millis(500))));
        assert!(wait("ever").is_err_and(|error| error.ends_with("or forever")));
    }

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(size("65536"), Ok(65536));
        assert_eq!(size("64k"), Ok(65536));
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("1.5M"), Ok(1_572_864));
        assert_eq!(size("1T"), Ok(1 << 40));
        for wrong in ["", "k", "-1", "1x", "99999999999T", "nan"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_width_is_a_number_or_full() {
        assert_eq!([width("100"), width("full")], [Ok(100), Ok(FULL_WIDTH)]);
        assert!(["", "0", "-1", "wide"].iter().all(|text| width(text).is_err()));
    }

    #[test]
    fn a_bound_for_memory_is_not_0() {
        assert_eq!(memory("256M"), Ok(256 << 20));
        assert!(memory("0").is_err() && memory("x").is_err());
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(file_mode("600"), Ok(0o600));
        assert_eq!(file_mode("0777"), Ok(0o777));
        for wrong in ["", "8", "1000", "rw-", "-1"] {
            assert!(file_mode(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn window_bits_are_8_to_15() {
        assert_eq!(bits("8"), Ok(8));
        assert_eq!(bits("15"), Ok(15));
        assert!(bits("7").is_err() && bits("16").is_err() && bits("x").is_err());
    }
}
