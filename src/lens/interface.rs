//! The interface of a protocol, and its row in the table.

use std::fmt;

use super::decoded::Decoded;
use super::facts::LensFacts;
use super::message::LensMessage;
use super::speech::{Beat, Outgoing, SpeechArguments, SpeechCommand, SpeechError};
use crate::event::Direction;

/// Reads, and writes, one protocol on one connection.
pub trait Lens: Send {
    /// What a message says: any number of packets, as some protocols put several into a message or
    /// one into several messages. `None` if it is not a message of this protocol; the state is then as
    /// it was.
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>>;

    /// The meaning of a message of `len` bytes that is longer than a lens reads; only its beginning
    /// is there. `None` if nothing is known but its length; the rest of it is unknown from then on.
    /// For a conversation that is read from the middle, it represents everything before.
    fn pass_over(&mut self, _beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        None
    }

    /// What has to come next for the conversation to continue.
    fn expects(&self) -> Option<AwaitedMessage> {
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
        _arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        Err(SpeechError::Mute)
    }

    /// The conversation in the protocol that this one carries.
    fn inner(&mut self) -> Option<&mut dyn Carried> {
        None
    }

    /// A message of the inner protocol, packed for this one.
    fn wrap(&self, message: Outgoing) -> Outgoing {
        message
    }
}

/// A conversation inside another one, as who carries it sees it.
pub trait Carried {
    /// What has to come next for the conversation to continue.
    fn expects(&mut self) -> Option<AwaitedMessage>;

    /// What a client has to send regularly.
    fn beat(&mut self) -> Option<Beat>;

    /// The messages that carry out a line such as `subscribe /topic/a` of a protocol, by its name
    /// or word: that of the conversation, or that inside it.
    fn speak(&mut self, protocol: &str, line: &str) -> Result<Vec<Outgoing>, SpeechError>;

    /// Whether it is in a protocol, by its name or word, or may turn out to be.
    fn may_speak(&self, protocol: &str) -> bool;

    /// The protocols, the outer one first.
    fn spoken(&mut self) -> Vec<&'static Protocol>;

    /// What the lenses know, the outer one first: names and texts.
    fn known(&mut self) -> Vec<(&'static str, String)>;
}

/// A message without which the conversation does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedMessage {
    /// The direction of the message.
    pub direction: Direction,
    /// The message, as in `connection_init`.
    pub message: &'static str,
    /// What happens if it does not come, and when if that is known.
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

/// As in `the server waits for CONNECT; it closes the connection after 5 s`.
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
    /// Its name for people, as in `STOMP 1.0–1.2`.
    pub title: &'static str,
    /// Subprotocols that name it, in lower case.
    pub subprotocols: &'static [&'static str],
    /// Whether the path and query of a request are typical of it.
    pub url: fn(&str) -> bool,
    /// Whether a message is typical of the beginning of a conversation; rather too strict than too
    /// lax. Where packets span messages it may be several that arrived in a row.
    pub beginning: fn(&LensMessage<'_>) -> bool,
    /// Whether a message is evidence only together with URL or subprotocol: any message may begin
    /// like this.
    pub begins_like_others: bool,
    /// Makes a lens for a new connection.
    pub lens: fn(&LensFacts) -> Box<dyn Lens>,
    /// What a client can say in it.
    pub commands: &'static [SpeechCommand],
}
