//! Hex as people paste it: digits in any grouping, and the dumps of `xxd`, `hexdump -C` and
//! Wireshark.
//!
//! Reads line by line, so a dump may have any length. Other characters are an error with line and
//! column. Only the offsets and the text column of a dump are skipped.

use crate::ui::hex::{self, HexFault};

/// Why a line is not hex.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// A character that is not a hex digit.
    #[error(
        "line {line}, column {column}: {found:?} is not a hex digit; to read raw bytes, use --raw"
    )]
    NotHex {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The character.
        found: char,
    },
    /// A group with half a byte.
    #[error("line {line}, column {column}: an odd number of hex digits")]
    HalfByte {
        /// From 1.
        line: usize,
        /// Where the group begins, from 1.
        column: usize,
    },
    /// An endless line.
    #[error(
        "line {line}: longer than {} MiB; break it into lines, or use --raw for raw bytes",
        most >> 20
    )]
    TooLong {
        /// From 1.
        line: usize,
        /// The limit in bytes.
        most: u64,
    },
    /// A `*` without a line to repeat, or with an offset that is not ahead.
    #[error("line {line}: the repetition marked * can't be filled in; use hexdump -v or xxd")]
    Repetition {
        /// From 1.
        line: usize,
    },
}

/// The most bytes that a `*` may stand for: a hostile dump must not fill the memory.
const MAX_REPEATED: u64 = 1 << 24;

/// Converts lines to bytes.
#[derive(Debug, Default)]
pub struct HexReader {
    line: usize,
    layout: Option<HexLayout>,
    /// The number of bytes of the dump so far.
    offset: u64,
    last_row: Vec<u8>,
    repeating: bool,
}

/// The layout of the input; the first line decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HexLayout {
    /// Digits, spaces, `0x`, commas.
    Plain,
    /// `00000000: 8185 37fa  text`
    Xxd,
    /// `00000000  81 85 37 fa  |text|`, or Wireshark's without the bars.
    Canonical,
}

impl HexReader {
    /// The next line is longer than `most` bytes.
    pub fn too_long(&self, most: u64) -> HexError {
        HexError::TooLong { line: self.line + 1, most }
    }

    /// Takes one line, with or without its line end, and appends its bytes to `out`.
    ///
    /// # Errors
    ///
    /// The line is not hex.
    pub fn line(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), HexError> {
        self.line += 1;
        let line = line.trim_end();
        if line.trim_start().is_empty() || line.trim_start().starts_with('#') {
            return Ok(());
        }
        let layout = *self.layout.get_or_insert_with(|| HexLayout::of(line));
        let start = out.len();
        match layout {
            HexLayout::Plain => self.digits(line, 0, out)?,
            HexLayout::Xxd => {
                let at = line.find(':').map_or(0, |at| at + 1);
                let indent = line[at..].len() - line[at..].trim_start().len();
                let row = &line[at + indent..];
                // Two spaces end the digits; the text column follows.
                let row = &row[..row.find("  ").unwrap_or(row.len())];
                self.digits(row, at + indent, out)?;
            }
            HexLayout::Canonical => return self.canonical(line, out),
        }
        self.offset += (out.len() - start) as u64;
        Ok(())
    }

    fn canonical(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), HexError> {
        if line.trim() == "*" {
            self.repeating = true;
            return Ok(());
        }
        let (offset, row) = line.split_once("  ").unwrap_or((line, ""));
        if self.repeating {
            self.repeating = false;
            self.repeat_to(offset, out)?;
        }
        let row = &row[..row.find('|').unwrap_or(row.len())];
        let row = match row.find("   ") {
            // Wireshark writes three spaces before the text; hexdump writes two between its halves.
            Some(at) if !line.ends_with('|') => &row[..at],
            _ => row,
        };
        let start = out.len();
        self.digits(row, offset.len() + 2, out)?;
        self.offset += (out.len() - start) as u64;
        self.last_row.clear();
        self.last_row.extend_from_slice(&out[start..]);
        Ok(())
    }

    /// Adds the rows that `hexdump` leaves out because they equal the last row.
    fn repeat_to(&mut self, offset: &str, out: &mut Vec<u8>) -> Result<(), HexError> {
        let error = HexError::Repetition { line: self.line };
        let Ok(to) = u64::from_str_radix(offset.trim(), 16) else { return Err(error) };
        let Some(missing) = to.checked_sub(self.offset) else { return Err(error) };
        if self.last_row.is_empty() || missing > MAX_REPEATED {
            return Err(error);
        }
        let filling = self.last_row.iter().copied().cycle().take(missing as usize);
        out.extend(filling);
        self.offset = to;
        Ok(())
    }

    /// Parses groups of digits; `column` is the position of `text` in its line.
    fn digits(&self, text: &str, column: usize, out: &mut Vec<u8>) -> Result<(), HexError> {
        let line = self.line;
        hex::append(text, out).map_err(|fault| {
            let column = column + text[..fault.at()].chars().count() + 1;
            match fault {
                HexFault::NotHex { found, .. } => HexError::NotHex { line, column, found },
                HexFault::HalfByte { .. } => HexError::HalfByte { line, column },
            }
        })
    }
}

impl HexLayout {
    fn of(line: &str) -> Self {
        let digits = line.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(line.len());
        let after = &line[digits..];
        match digits {
            4.. if after.starts_with(':') => Self::Xxd,
            // Two spaces after four or more digits do not occur in plain hex.
            4.. if after.starts_with("  ") => Self::Canonical,
            _ => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

    fn read(text: &str) -> Result<Vec<u8>, HexError> {
        let mut reader = HexReader::default();
        let mut out = Vec::new();
        for line in text.lines() {
            reader.line(line, &mut out)?;
        }
        Ok(out)
    }

    #[test]
    fn reads_digits_however_they_are_grouped() {
        for text in [
            "81 85 37 fa 21 3d 7f 9f 4d 51 58",
            "818537fa213d7f9f4d5158",
            "8185 37FA 213d\n7f9f 4d51 58\n",
            "0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58",
            "0x818537fa213d7f9f4d5158",
            "81:85:37:fa:21:3d:7f:9f:4d:51:58",
            r"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            "# the RFC's masked Hello\n81 85 37 fa 21 3d\n\n  7f 9f 4d 51 58  ",
        ] {
            assert_eq!(read(text).as_deref(), Ok(HELLO), "{text}");
        }
    }

    #[test]
    fn reads_xxd() {
        let dump = "00000000: 8185 37fa 213d 7f9f 4d51 58              ..7.!=..MQX";
        assert_eq!(read(dump).as_deref(), Ok(HELLO));
        let ones = "00000000: 81 85 37 fa 21 3d 7f 9f 4d 51 58  ..7.!=..MQX";
        assert_eq!(read(ones).as_deref(), Ok(HELLO));
    }

    #[test]
    fn reads_hexdump_canonical() {
        let dump =
            "00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58                 |..7.!=..MQX|\n0000000b\n";
        assert_eq!(read(dump).as_deref(), Ok(HELLO));
    }

    #[test]
    fn reads_wireshark() {
        let dump = "0000   81 85 37 fa 21 3d 7f 9f 4d 51 58   ..7.!=..MQX";
        assert_eq!(read(dump).as_deref(), Ok(HELLO));
    }

    #[test]
    fn fills_in_what_hexdump_squeezes() {
        let row = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|";
        let dump = format!(
            "00000000  {row}\n*\n00000040  82 00                                             |..|\n00000042\n"
        );
        let bytes = read(&dump).expect("a dump");
        assert_eq!(bytes.len(), 0x42);
        assert_eq!(&bytes[0x40..], b"\x82\0");
        assert_eq!(read("*"), Err(HexError::NotHex { line: 1, column: 1, found: '*' }));
        let endless = format!("00000000  {row}\n*\nffffffffffff\n");
        assert_eq!(read(&endless), Err(HexError::Repetition { line: 3 }));
    }

    #[test]
    fn reports_where_it_is_not_hex() {
        assert_eq!(read("81 8g"), Err(HexError::NotHex { line: 1, column: 5, found: 'g' }));
        assert_eq!(read("81\n8 1"), Err(HexError::HalfByte { line: 2, column: 1 }));
        assert_eq!(read("hello"), Err(HexError::NotHex { line: 1, column: 1, found: 'h' }));
        assert_eq!(read("é"), Err(HexError::NotHex { line: 1, column: 1, found: 'é' }));
    }
}
