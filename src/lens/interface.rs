//! The interface of a protocol, and its row in the table.

use std::fmt;

use super::decoded::Decoded;
use super::facts::LensFacts;
use super::message::LensMessage;
use super::speech::{Beat, Outgoing, SpeechArguments, SpeechCommand, SpeechError};
use crate::event::Direction;

/// Reads and writes one protocol on one connection.
pub trait Lens: Send {
    /// The meaning of a message: any number of packets, because some protocols put several packets
    /// into a message, or one packet into several messages. `None` if the message does not belong
    /// to the protocol; then the state does not change.
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>>;

    /// The meaning of a message of `len` bytes that is too long for a lens; it gets only the
    /// beginning. `None` if only the length is known. From then on, the lens does not know what the
    /// rest contained. If a conversation is read from the middle, such a call stands for everything
    /// before.
    fn pass_over(&mut self, _beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        None
    }

    /// The message that must come next for the conversation to continue.
    fn expects(&self) -> Option<AwaitedMessage> {
        None
    }

    /// The state of the conversation: names and texts.
    fn state(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The message that a client must send regularly.
    fn beat(&self) -> Option<Beat> {
        None
    }

    /// The messages that carry out a command of the protocol.
    fn speak(
        &mut self,
        _command: &str,
        _arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        Err(SpeechError::Mute)
    }

    /// The conversation in the protocol that this one carries.
    fn inner(&mut self) -> Option<&mut dyn Carried> {
        None
    }

    /// Packs a message of the inner protocol into this one.
    fn wrap(&self, message: Outgoing) -> Outgoing {
        message
    }
}

/// A conversation inside another one, as the outer one uses it.
pub trait Carried {
    /// The message that must come next for the conversation to continue.
    fn expects(&mut self) -> Option<AwaitedMessage>;

    /// The message that a client must send regularly.
    fn beat(&mut self) -> Option<Beat>;

    /// The messages that carry out a line such as `subscribe /topic/a` of a protocol, by its name
    /// or word: of this conversation, or of the one inside it.
    fn speak(&mut self, protocol: &str, line: &str) -> Result<Vec<Outgoing>, SpeechError>;

    /// Whether it uses this protocol, by its name or word, or may turn out to use it.
    fn may_speak(&self, protocol: &str) -> bool;

    /// The protocols, the outer one first.
    fn spoken(&mut self) -> Vec<&'static Protocol>;

    /// The state of the lenses, the outer one first: names and texts.
    fn known(&mut self) -> Vec<(&'static str, String)>;
}

/// A message without which the conversation does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedMessage {
    /// The direction of the message.
    pub direction: Direction,
    /// The name of the message, as in `connection_init`.
    pub message: &'static str,
    /// What happens without the message, and when, if that is known.
    pub otherwise: String,
}

impl AwaitedMessage {
    /// The server waits for a message of the client.
    pub(super) fn of_client(message: &'static str, otherwise: impl Into<String>) -> Self {
        Self { direction: Direction::ToServer, message, otherwise: otherwise.into() }
    }

    /// The client waits for a message of the server.
    pub(super) fn of_server(message: &'static str, otherwise: impl Into<String>) -> Self {
        Self { direction: Direction::ToClient, message, otherwise: otherwise.into() }
    }
}

/// For example `the server waits for CONNECT; it closes the connection after 5 s`.
impl fmt::Display for AwaitedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, message, otherwise } = self;
        let who = if *direction == Direction::ToServer { "server" } else { "client" };
        write!(f, "the {who} waits for {message}; {otherwise}")
    }
}

/// A row of the table of protocols.
#[derive(Debug)]
pub struct Protocol {
    /// Its name for options and commands, as in `stomp`.
    pub name: &'static str,
    /// The word that begins its commands, as in `sio`.
    pub word: &'static str,
    /// Its name in texts, as in `STOMP 1.0–1.2`.
    pub title: &'static str,
    /// Subprotocols that name it, in lower case.
    pub subprotocols: &'static [&'static str],
    /// Whether the path and query of a request are typical of the protocol.
    pub url: fn(&str) -> bool,
    /// Whether a message is typical of the beginning of a conversation; it should be too strict
    /// rather than too lax. If packets span messages, it may get several messages that arrived in a
    /// row.
    pub beginning: fn(&LensMessage<'_>) -> bool,
    /// Whether a message is evidence only together with the URL or the subprotocol, because
    /// messages of other protocols begin in the same way.
    pub begins_like_others: bool,
    /// Creates a lens for a new connection.
    pub lens: fn(&LensFacts) -> Box<dyn Lens>,
    /// The commands of a client.
    pub commands: &'static [SpeechCommand],
}
