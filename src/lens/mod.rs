//! Lenses: what the messages of a session mean in the protocol that they carry.
//!
//! A [`Lens`] gets whole messages and returns what they say, beside the frames and never instead of
//! them. It knows no socket, alters no byte, and is total: any bytes give a meaning or none, in
//! bounded time and memory. [`PROTOCOLS`] registers them all; a [`Conversation`] chooses one by
//! [`Evidence`], pairs requests with answers and counts heartbeats. `docs/lenses.md` shows how one
//! is added.

use crate::event::Direction;

mod conversation;
mod decoded;
mod evidence;
mod kept;
mod pairs;
pub mod payload;
mod protocol;
mod speech;
mod text;
mod value;

pub use conversation::{Conversation, LARGEST};
pub use decoded::{Answered, Complaint, Decoded, Pairing};
pub use evidence::{Evidence, Facts};
pub use pairs::Unanswered;
pub use protocol::PROTOCOLS;
pub use speech::{Arguments, Beat, Command, Outgoing, SpeechError};
pub use value::Value;

/// A data message as a lens gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who sent it.
    pub direction: Direction,
    /// Text rather than binary.
    pub text: bool,
    /// The whole content, inflated.
    pub content: &'a [u8],
    /// When it was complete, in microseconds since the Unix epoch.
    pub micros: i64,
}

impl<'a> Message<'a> {
    /// Whether the client sent it.
    pub fn from_client(&self) -> bool {
        self.direction == Direction::ToServer
    }

    /// The content of a text message.
    pub fn as_text(&self) -> Option<&'a str> {
        self.text.then(|| std::str::from_utf8(self.content).ok()).flatten()
    }

    /// The content of a text message that is one JSON value.
    pub fn as_json(&self) -> Option<Value> {
        payload::json::read(self.as_text()?)
    }
}

/// Reads, and speaks, one protocol on one connection.
pub trait Lens: Send {
    /// What a message says: any number of packets, as some protocols put several into a message or
    /// one into several messages. `None` if it is no message of this protocol; the state is then as
    /// it was.
    fn read(&mut self, message: &Message<'_>) -> Option<Vec<Decoded>>;

    /// What has to come next for the conversation to go on.
    fn expects(&self) -> Option<Expectation> {
        None
    }

    /// What is known of the conversation: names and texts.
    fn state(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// What a client has to send regularly.
    fn beat(&self) -> Option<Beat> {
        None
    }

    /// The messages that carry out one of the protocol's commands.
    fn speak(
        &mut self,
        _command: &str,
        _arguments: &Arguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        Err(SpeechError::Mute)
    }

    /// The conversation in the protocol that this one carries.
    fn inner(&mut self) -> Option<&mut Conversation> {
        None
    }

    /// A message of the inner protocol, packed for this one.
    fn wrap(&self, message: Outgoing) -> Outgoing {
        message
    }
}

/// A message without which the conversation does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The direction of the message.
    pub direction: Direction,
    /// The message, as in `connection_init`.
    pub message: &'static str,
    /// What happens if it does not come, and when if that is known.
    pub otherwise: String,
}

impl Expectation {
    /// The server waits for a message of the client.
    fn of_client(message: &'static str, otherwise: impl Into<String>) -> Self {
        Self { direction: Direction::ToServer, message, otherwise: otherwise.into() }
    }

    /// The client waits for a message of the server.
    fn of_server(message: &'static str, otherwise: impl Into<String>) -> Self {
        Self { direction: Direction::ToClient, message, otherwise: otherwise.into() }
    }
}

/// A row of the table of protocols.
#[derive(Debug)]
pub struct Protocol {
    /// Its name for options and commands, as in `stomp`.
    pub name: &'static str,
    /// The word that begins its commands, as in `sio`.
    pub word: &'static str,
    /// Its name for people, as in `STOMP 1.0–1.2`.
    pub title: &'static str,
    /// Subprotocols that name it, in lower case.
    pub subprotocols: &'static [&'static str],
    /// Whether the path and query of a request are typical of it.
    pub url: fn(&str) -> bool,
    /// Whether a message is typical of the beginning of a conversation; rather too strict than too
    /// lax.
    pub beginning: fn(&Message<'_>) -> bool,
    /// Makes a lens for a new connection.
    pub lens: fn(&Facts) -> Box<dyn Lens>,
    /// What a client can say in it.
    pub commands: &'static [Command],
}

impl Protocol {
    /// The protocol of a name or word.
    pub fn find(name: &str) -> Option<&'static Self> {
        PROTOCOLS.into_iter().find(|protocol| [protocol.name, protocol.word].contains(&name))
    }
}

/// For protocols whose URLs are like any other.
fn no_url(_: &str) -> bool {
    false
}
