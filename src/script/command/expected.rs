//! What `/expect` waits for: matching content, or a field that a lens has read.

use std::fmt;

use crate::lens::{Decoded, PROTOCOLS};
use crate::ui::pattern::Pattern;

/// What a message must match.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Content that matches.
    Content(Pattern),
    /// A field of its meaning.
    Field(FieldTest),
    /// A field of its meaning; another expectation may match the same message.
    Answer(FieldTest),
}

impl Expected {
    /// The name of the expectation, for errors.
    pub fn name(&self) -> String {
        match self {
            Self::Answer(test) => format!("the answer {test}"),
            expected => format!("/expect {expected}"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(pattern) => pattern.fmt(f),
            Self::Field(test) | Self::Answer(test) => test.fmt(f),
        }
    }
}

/// `stomp.command=MESSAGE`: a field of a packet, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTest {
    /// The protocol's name or word.
    protocol: &'static str,
    /// The field, with dots into it; `kind` is the kind of the packet.
    field: String,
    value: String,
}

impl FieldTest {
    /// Reads a word; `None` if it is not such a test.
    pub fn of(word: &str) -> Option<Self> {
        let (path, value) = word.split_once('=')?;
        let names = PROTOCOLS.iter().flat_map(|protocol| [protocol.name, protocol.word]);
        let behind = |name: &'static str| {
            let field = path.strip_prefix(name)?.strip_prefix('.')?;
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
            (!field.is_empty() && field.chars().all(plain)).then_some((name, field))
        };
        let (protocol, field) = names.filter_map(behind).next()?;
        Some(Self { protocol, field: field.to_owned(), value: value.to_owned() })
    }

    /// Whether a packet passes.
    pub fn passes(&self, packet: &Decoded) -> bool {
        let of_name = |name: &str| {
            let protocol = PROTOCOLS.iter().find(|protocol| protocol.name == name);
            protocol.is_some_and(|protocol| [protocol.name, protocol.word].contains(&self.protocol))
        };
        let value = packet.find(&self.field).map(|value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        });
        let kind = || (self.field == "kind").then(|| packet.kind.clone());
        of_name(packet.protocol) && value.or_else(kind).is_some_and(|value| value == self.value)
    }
}

impl fmt::Display for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}={}", self.protocol, self.field, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_a_protocol_and_a_field() {
        for word in ["stomp.headers.message-id=1", "socket.io.kind=EVENT", "rpc.id=3", "sio.ack="] {
            assert_eq!(FieldTest::of(word).map(|test| test.to_string()).as_deref(), Some(word));
        }
        for word in
            ["stomp.=1", "price.low=1", "stomp.command", "stompx.a=1", "rpc.(id|x)=1", "a=b"]
        {
            assert_eq!(FieldTest::of(word), None, "{word}");
        }
    }
}
