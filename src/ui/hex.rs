//! Hex as people write it: digits in pairs, in any grouping.
//!
//! It reads only digits, not the other parts of a dump (offsets, a column of text).

/// Why a text is not hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexFault {
    /// A character that is not a hex digit and does not separate bytes.
    #[error("{found:?} is not a hex digit")]
    NotHex {
        /// Its byte offset in the text.
        at: usize,
        /// The character.
        found: char,
    },
    /// A group with half a byte.
    #[error("an odd number of digits")]
    HalfByte {
        /// The byte offset of the group in the text.
        at: usize,
    },
}

impl HexFault {
    /// The byte offset of the fault in the text.
    pub fn at(self) -> usize {
        match self {
            Self::NotHex { at, .. } | Self::HalfByte { at } => at,
        }
    }
}

/// Appends the bytes that `text` encodes to `out`.
///
/// Groups of digits may be separated by white space, `,`, `;` and `:`, and begin with `0x` or `\x`.
///
/// # Errors
///
/// [`HexFault`]; the groups before it have been appended.
pub fn append(text: &str, out: &mut Vec<u8>) -> Result<(), HexFault> {
    let at = |from: &str| text.len() - from.len();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(separates);
        for prefix in ["0x", "0X", "\\x"] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest);
        }
        let len = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (group, after) = rest.split_at(len);
        match after.chars().next() {
            Some(found) if len == 0 || !(separates(found) || found == '\\') => {
                return Err(HexFault::NotHex { at: at(after), found });
            }
            None if len == 0 => return Ok(()),
            _ => {}
        }
        if len % 2 == 1 {
            return Err(HexFault::HalfByte { at: at(rest) });
        }
        out.extend(group.as_bytes().chunks_exact(2).map(|p| digit(p[0]) << 4 | digit(p[1])));
        rest = after;
    }
}

/// The bytes that `text` encodes; see [`append`].
pub fn unhex(text: &str) -> Result<Vec<u8>, HexFault> {
    let mut out = Vec::with_capacity(text.len() / 2);
    append(text, &mut out)?;
    Ok(out)
}

fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | ':')
}

/// The value of a valid digit.
fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digits_in_pairs_however_they_are_grouped() {
        for text in
            ["81 85 37", "818537", "0x81, 0x85, 0x37", "81:85:37", "8185\n37 ", r"\x81\x85\x37"]
        {
            assert_eq!(unhex(text).as_deref(), Ok(&b"\x81\x85\x37"[..]), "{text}");
        }
        assert_eq!(unhex("").as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn reports_where_it_is_not_hex() {
        assert_eq!(unhex("81 8g"), Err(HexFault::NotHex { at: 4, found: 'g' }));
        assert_eq!(unhex("81 855"), Err(HexFault::HalfByte { at: 3 }));
        assert_eq!(unhex("é"), Err(HexFault::NotHex { at: 0, found: 'é' }));
        assert_eq!(unhex("0x"), Ok(Vec::new()));
    }
}
