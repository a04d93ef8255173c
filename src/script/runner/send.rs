//! Sends what commands ask for: from a command to bytes on the wire, legal or not.

use std::borrow::Cow;
use std::time::Instant;

use crate::net::link::Link;
use crate::script::command::illegal::breaches;
use crate::script::command::{Command, FrameSpec, MaskChoice, Payload};
use crate::script::runner::file::{PIPE_PATIENCE, read_whole};
use crate::session::Endpoint;
use crate::session::endpoint::SendError;
use crate::wire::utf8::is_utf8;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, OpCode, ViolationKind};

/// One open connection, to send on it.
pub struct Sender<'a> {
    /// The protocol.
    pub endpoint: &'a mut Endpoint,
    /// The transport.
    pub link: &'a mut Link,
}

impl Sender<'_> {
    /// Resets the connection, once what was sent before has been handed to the system as far as it
    /// takes it.
    pub(crate) fn abort(&mut self) {
        // A connection that fails here ends either way.
        let _ = self.link.flush();
        self.link.abort();
        self.endpoint.drop_connection();
    }

    /// Ends our side of the stream.
    ///
    /// # Errors
    ///
    /// The system refuses; in words.
    pub(crate) fn half_close(&mut self) -> Result<(), String> {
        self.link.half_close().map_err(|error| error.to_string())
    }
}

/// The payload of a command, empty where it has none; a file is read now.
///
/// # Errors
///
/// The file can't be read; in words.
pub fn content(command: &Command) -> Result<Cow<'_, [u8]>, String> {
    command.payload().map_or(Ok(Cow::Borrowed(&[])), read)
}

/// The bytes of a payload.
///
/// # Errors
///
/// Its file can't be read; in words.
pub(crate) fn read(payload: &Payload) -> Result<Cow<'_, [u8]>, String> {
    match payload {
        Payload::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        Payload::File(path) => {
            let instead = "/file sends files of any size";
            read_whole(path, Some(PIPE_PATIENCE), instead).map(Cow::Owned)
        }
    }
}

/// Sends what a command asks for, with the [`content`] of its payload. Returns what is worth
/// noting: the rule it breaks. A command that sends no bytes at
/// once does nothing.
///
/// # Errors
///
/// [`SendError`]
pub fn send(
    command: &Command,
    content: &[u8],
    endpoint: &mut Endpoint,
    now: Instant,
    out: &mut Vec<u8>,
) -> Result<Option<String>, SendError> {
    let peer = &mut Outgoing { endpoint, now, out };
    match command {
        Command::Text(_) => peer.message(Data::Text, content, true),
        Command::Binary(_) => peer.message(Data::Binary, content, true),
        Command::Unfinished { opcode, .. } => peer.message(*opcode, content, false),
        Command::Ping(_) => peer.control(Control::Ping, content),
        Command::Pong(_) => peer.control(Control::Pong, content),
        Command::Close { code, reason } => peer.close(*code, reason),
        Command::Frame(spec) => Ok(peer.frame(spec, content)),
        Command::Bytes(_) => {
            peer.out.extend_from_slice(content);
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// What is sent on one connection, and how: each method returns the rule that was broken, if one
/// was.
struct Outgoing<'a> {
    endpoint: &'a mut Endpoint,
    now: Instant,
    out: &'a mut Vec<u8>,
}

type Sent = Result<Option<String>, SendError>;

impl Outgoing<'_> {
    fn message(&mut self, opcode: Data, content: &[u8], last: bool) -> Sent {
        self.endpoint.send_fragment(opcode, content, last, self.out)?;
        // Where a message goes on, a character may be cut in two.
        Ok(bad_text(opcode, content).filter(|_| last))
    }

    fn control(&mut self, opcode: Control, content: &[u8]) -> Sent {
        let sent = match opcode {
            Control::Ping => self.endpoint.send_ping(content, self.now, self.out),
            _ => self.endpoint.send_pong(content, self.out),
        };
        match sent {
            // It is sent all the same: the user wants to see what the peer makes of it.
            Err(SendError::ControlTooLong(_)) => Ok(self.usual(OpCode::Control(opcode), content)),
            other => other.map(|()| None),
        }
    }

    fn close(&mut self, code: Option<u16>, reason: &[u8]) -> Sent {
        if let Ok(reason) = std::str::from_utf8(reason) {
            match self.endpoint.close(code, reason, self.now, self.out) {
                Err(SendError::CloseCode(_) | SendError::ReasonTooLong(_)) => {}
                other => return other.map(|()| None),
            }
        }
        let mut body = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
        body.extend_from_slice(reason);
        Ok(self.usual(OpCode::Control(Control::Close), &body))
    }

    /// A frame of the usual form, whatever is in it.
    fn usual(&mut self, opcode: OpCode, content: &[u8]) -> Option<String> {
        let mask = self.endpoint.key();
        self.raw(&RawFrame { opcode, mask, payload: content.to_vec(), ..RawFrame::default() })
    }

    fn frame(&mut self, spec: &FrameSpec, content: &[u8]) -> Option<String> {
        let FrameSpec { opcode, fin, rsv: [rsv1, rsv2, rsv3], mask, form, announced, .. } = *spec;
        let mask = match mask {
            MaskChoice::Role => self.endpoint.key(),
            MaskChoice::On => Some(self.endpoint.fresh_key()),
            MaskChoice::Off => None,
            MaskChoice::Key(key) => Some(key),
        };
        let payload = content.to_vec();
        self.raw(&RawFrame { fin, rsv1, rsv2, rsv3, opcode, mask, form, announced, payload })
    }

    fn raw(&mut self, frame: &RawFrame) -> Option<String> {
        let broken = breaches(frame, self.endpoint.situation());
        self.endpoint.send_raw(frame, self.now, self.out);
        broken
    }
}

/// The rule that a whole message breaks if it is sent as text but is not UTF-8.
pub(crate) fn bad_text(opcode: Data, content: &[u8]) -> Option<String> {
    if opcode != Data::Text || is_utf8(content) {
        return None;
    }
    let rule = ViolationKind::InvalidUtf8.rule();
    Some(format!("{} {}: {}", rule.code, rule.section, rule.explanation))
}
