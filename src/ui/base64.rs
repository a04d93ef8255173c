//! Base64 as people write it (RFC 4648 §4), with errors that name the character.

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Why a text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Base64Fault {
    /// A character that has no meaning there.
    #[error("{found:?} at character {} is not base64", .nth + 1)]
    NotBase64 {
        /// Its byte offset in the text.
        at: usize,
        /// Its number, from 0.
        nth: usize,
        /// The character.
        found: char,
    },
    /// The last group is not whole.
    #[error("the last group has {len} of 4 characters; pad it with =")]
    Incomplete {
        /// The length of the text in bytes.
        at: usize,
        /// Characters of the last group.
        len: usize,
    },
    /// The last character has superfluous bits.
    #[error("{found:?} at character {} has superfluous bits", .nth + 1)]
    SurplusBits {
        /// Its byte offset in the text.
        at: usize,
        /// Its number, from 0.
        nth: usize,
        /// The character.
        found: char,
    },
}

impl Base64Fault {
    /// The byte offset of the fault in the text.
    pub fn at(self) -> usize {
        let (Self::NotBase64 { at, .. }
        | Self::Incomplete { at, .. }
        | Self::SurplusBits { at, .. }) = self;
        at
    }
}

/// The bytes that `text` encodes.
///
/// # Errors
///
/// [`Base64Fault`]
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Fault> {
    BASE64_STANDARD.decode(text).map_err(|error| {
        // The offset may lie inside a character: what is not base64 need not be ASCII.
        let place = |offset: usize| {
            let at = text.floor_char_boundary(offset);
            let found = text[at..].chars().next().unwrap_or_default();
            (at, text[..at].chars().count(), found)
        };
        match error {
            DecodeError::InvalidByte(offset, _) => {
                let (at, nth, found) = place(offset);
                Base64Fault::NotBase64 { at, nth, found }
            }
            DecodeError::InvalidLastSymbol { offset, .. } => {
                let (at, nth, found) = place(offset);
                Base64Fault::SurplusBits { at, nth, found }
            }
            _ => {
                let digits = text.trim_end_matches('=').len();
                Base64Fault::Incomplete { at: text.len(), len: digits % 4 }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_character_and_its_place() {
        for (text, at, said) in [
            ("AA!A", 2, "'!' at character 3 is not base64"),
            ("éAAA", 0, "'é' at character 1 is not base64"),
            ("AA\u{1b}A", 2, "'\\u{1b}' at character 3 is not base64"),
            ("A=BC", 1, "'=' at character 2 is not base64"),
            ("AAA", 3, "the last group has 3 of 4 characters; pad it with ="),
            ("AB==", 1, "'B' at character 2 has superfluous bits"),
        ] {
            let fault = decode(text).expect_err(text);
            assert_eq!((fault.at(), &*fault.to_string()), (at, said), "{text}");
        }
        assert_eq!(decode("AAH+/w==").as_deref(), Ok(&b"\x00\x01\xfe\xff"[..]));
    }
}
