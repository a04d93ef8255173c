//! A message for a lens.

use super::payload::json;
use super::value::Value;
use crate::event::Direction;

/// The largest message that a lens reads, in bytes; a longer one is named, but not decoded.
pub const LARGEST: usize = 1 << 20;

/// The text about a longer one.
pub(super) const TOO_LARGE: &str = "too large for a lens";

/// A data message for a lens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LensMessage<'a> {
    /// Its direction.
    pub direction: Direction,
    /// Whether it is text (not binary).
    pub text: bool,
    /// The whole content, inflated.
    pub content: &'a [u8],
    /// When it was complete, in microseconds since the Unix epoch.
    pub micros: i64,
}

impl<'a> LensMessage<'a> {
    /// Whether the client sent it.
    pub fn from_client(&self) -> bool {
        self.direction == Direction::ToServer
    }

    /// The content of a text message.
    pub fn as_text(&self) -> Option<&'a str> {
        self.text.then(|| std::str::from_utf8(self.content).ok()).flatten()
    }

    /// The characters of a text whose content is only the beginning: the last character may be
    /// incomplete.
    pub(super) fn beginning(&self) -> &'a str {
        match std::str::from_utf8(self.content) {
            _ if !self.text => "",
            Ok(text) => text,
            Err(cut) => std::str::from_utf8(&self.content[..cut.valid_up_to()]).unwrap_or_default(),
        }
    }

    /// The content of a text message that is a single JSON value.
    pub fn as_json(&self) -> Option<Value> {
        json::read(self.as_text()?)
    }
}
