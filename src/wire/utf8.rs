//! UTF-8 validation of arriving data, RFC 6455 §8.1 and RFC 3629: across frames, inside characters.
//! It fails at the first byte that no valid text can contain at this position.
//!
//! Works only on bytes. `simdutf8` checks whole pieces. A small automaton checks a character that
//! is split between pieces, and finds the invalid byte.

/// Validates one text given in pieces.
#[derive(Clone, Debug, Default)]
pub struct Utf8Validator {
    partial: Partial,
    offset: u64,
}

/// The first invalid byte, or the end of a text that is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Utf8Error {
    /// An invalid byte.
    #[error("byte {byte:#04x} at offset {offset} is not UTF-8 ({why})")]
    Impossible {
        /// Bytes of the text before it.
        offset: u64,
        /// The byte.
        byte: u8,
        /// What is wrong with it, in plain words.
        why: &'static str,
    },
    /// The text ends inside a character.
    #[error("the text ends inside a character that begins at offset {offset}")]
    Truncated {
        /// The offset of the incomplete character.
        offset: u64,
    },
}

/// A partly received character: the automaton of the Encoding Standard.
#[derive(Clone, Copy, Debug)]
struct Partial {
    needed: u8,
    seen: u8,
    lower: u8,
    upper: u8,
    lead: u8,
}

impl Default for Partial {
    fn default() -> Self {
        Self { needed: 0, seen: 0, lower: 0x80, upper: 0xbf, lead: 0 }
    }
}

impl Partial {
    /// Takes one byte; returns the reason if it is invalid here.
    fn push(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.needed == self.seen {
            *self = Self { lead: byte, ..Self::default() };
            match byte {
                0x00..=0x7f => {}
                0xc2..=0xdf => self.needed = 1,
                0xe0..=0xef => {
                    self.needed = 2;
                    match byte {
                        0xe0 => self.lower = 0xa0,
                        0xed => self.upper = 0x9f,
                        _ => {}
                    }
                }
                0xf0..=0xf4 => {
                    self.needed = 3;
                    match byte {
                        0xf0 => self.lower = 0x90,
                        0xf4 => self.upper = 0x8f,
                        _ => {}
                    }
                }
                0x80..=0xbf => return Err("a continuation byte without a lead byte"),
                0xc0 | 0xc1 => return Err("an overlong form"),
                0xf5..=0xff => return Err("no character begins with it"),
            }
            return Ok(());
        }
        if !(self.lower..=self.upper).contains(&byte) {
            return Err(match (self.seen, self.lead, byte) {
                (0, 0xe0 | 0xf0, 0x80..=0xbf) => "an overlong form",
                (0, 0xed, 0x80..=0xbf) => "a surrogate half",
                (0, 0xf4, 0x80..=0xbf) => "a character above U+10FFFF",
                _ => "a continuation byte had to come",
            });
        }
        (self.lower, self.upper) = (0x80, 0xbf);
        self.seen += 1;
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.seen < self.needed
    }
}

impl Utf8Validator {
    /// Takes the next piece. After an error, its offset minus the [`Utf8Validator::offset`] before
    /// the call is the number of valid bytes in `piece`.
    ///
    /// # Errors
    ///
    /// The first byte that can't continue the text. The validator must not be used afterwards.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Utf8Error> {
        let mut rest = piece;
        while self.partial.is_open() && !rest.is_empty() {
            self.push_byte(rest[0])?;
            rest = &rest[1..];
        }
        let cut = rest.len() - cut_character(rest);
        let (whole, tail) = rest.split_at(cut);
        if is_utf8(whole) {
            self.offset += whole.len() as u64;
        } else {
            whole.iter().try_for_each(|byte| self.push_byte(*byte))?;
        }
        tail.iter().try_for_each(|byte| self.push_byte(*byte))
    }

    /// Ends the text.
    ///
    /// # Errors
    ///
    /// [`Utf8Error::Truncated`] if it ends inside a character. Either way the validator is ready
    /// for the next text.
    pub fn finish(&mut self) -> Result<(), Utf8Error> {
        let ended = std::mem::take(self);
        if ended.partial.is_open() {
            let begun = u64::from(ended.partial.seen) + 1;
            return Err(Utf8Error::Truncated { offset: ended.offset - begun });
        }
        Ok(())
    }

    /// Bytes accepted since the text began.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn push_byte(&mut self, byte: u8) -> Result<(), Utf8Error> {
        self.partial.push(byte).map_err(|why| Utf8Error::Impossible {
            offset: self.offset,
            byte,
            why,
        })?;
        self.offset += 1;
        Ok(())
    }
}

/// Whether all of `bytes` are UTF-8. For short ASCII texts, the most frequent messages, it avoids
/// the cost of selecting vector code.
pub fn is_utf8(bytes: &[u8]) -> bool {
    if bytes.len() < 64 && bytes.is_ascii() {
        return true;
    }
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// How many bytes at the end may be the beginning of an incomplete character.
fn cut_character(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        let len = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        return if back + 1 < len { back + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> Result<(), Utf8Error> {
        let mut validator = Utf8Validator::default();
        validator.push(bytes)?;
        validator.finish()
    }

    fn byte_by_byte(bytes: &[u8]) -> Result<(), Utf8Error> {
        let mut validator = Utf8Validator::default();
        bytes.chunks(1).try_for_each(|byte| validator.push(byte))?;
        validator.finish()
    }

    #[track_caller]
    fn impossible_at(bytes: &[u8], at: u64, why: &str) {
        for error in [whole(bytes), byte_by_byte(bytes)] {
            match error {
                Err(Utf8Error::Impossible { offset, why: reason, .. }) => {
                    assert_eq!((offset, reason), (at, why))
                }
                other => panic!("{bytes:x?} gave {other:?}"),
            }
        }
    }

    #[test]
    fn names_the_first_impossible_byte() {
        impossible_at(b"abc\xff", 3, "no character begins with it");
        impossible_at(b"\x80", 0, "a continuation byte without a lead byte");
        impossible_at(b"\xc0\xaf", 0, "an overlong form");
        impossible_at(b"\xe0\x80\x80", 1, "an overlong form");
        impossible_at(b"\xf0\x8f\xbf\xbf", 1, "an overlong form");
        impossible_at(b"\xed\xa0\x80", 1, "a surrogate half");
        impossible_at(b"\xf4\x90\x80\x80", 1, "a character above U+10FFFF");
        impossible_at(
            "κόσμε".as_bytes().iter().chain(b"\xe2a").copied().collect::<Vec<_>>().as_slice(),
            11,
            "a continuation byte had to come",
        );
    }

    #[test]
    fn a_character_may_be_cut_by_pieces_but_not_by_the_end() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.push(b"a\xe2\x82"), Ok(()));
        assert_eq!(validator.push(b"\xac"), Ok(()));
        assert_eq!(validator.finish(), Ok(()));
        assert_eq!(validator.push(b"a\xe2\x82"), Ok(()));
        assert_eq!(validator.finish(), Err(Utf8Error::Truncated { offset: 1 }));
        assert_eq!(validator.push(b"ok"), Ok(()), "ready for the next text");
    }

    proptest! {
        #[test]
        fn agrees_with_std_however_it_is_cut(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let cut = cut.min(bytes.len());
            let mut validator = Utf8Validator::default();
            let ours = validator.push(&bytes[..cut]).and_then(|()| validator.push(&bytes[cut..])).and_then(|()| validator.finish());
            prop_assert_eq!(ours.is_ok(), std::str::from_utf8(&bytes).is_ok());
            prop_assert_eq!(ours, byte_by_byte(&bytes));
        }

        #[test]
        fn accepts_every_text_however_it_is_cut(text in ".{0,80}", cut in 0usize..300) {
            let cut = cut.min(text.len());
            let mut validator = Utf8Validator::default();
            prop_assert_eq!(validator.push(&text.as_bytes()[..cut]), Ok(()));
            prop_assert_eq!(validator.push(&text.as_bytes()[cut..]), Ok(()));
            prop_assert_eq!(validator.finish(), Ok(()));
        }
    }
}
