//! A message as a lens gets it.

use super::payload::json;
use super::value::Value;
use crate::event::Direction;

/// Bytes of a message that a lens reads; a longer one is named, not decoded.
pub const LARGEST: usize = 1 << 20;

/// What is said of a longer one.
pub(super) const TOO_LARGE: &str = "more than a lens reads";

/// A data message as a lens gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LensMessage<'a> {
    /// Who sent it.
    pub direction: Direction,
    /// Text rather than binary.
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

    /// The characters of a text of which only the beginning is there: the last one may be cut.
    pub(super) fn beginning(&self) -> &'a str {
        match std::str::from_utf8(self.content) {
            _ if !self.text => "",
            Ok(text) => text,
            Err(cut) => std::str::from_utf8(&self.content[..cut.valid_up_to()]).unwrap_or_default(),
        }
    }

    /// The content of a text message that is one JSON value.
    pub fn as_json(&self) -> Option<Value> {
        json::read(self.as_text()?)
    }
}
