//! Sends what commands ask for: from a command to bytes on the wire, legal or not.

use std::borrow::Cow;
use std::time::Instant;

use crate::net::link::Link;
use crate::script::command::illegal::breaches;
use crate::script::command::{Command, Cut, FragmentSpec, FrameSpec, MaskChoice, Payload};
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

/// Why a command was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendFailure {
    /// The endpoint refuses it.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// A message can't be cut as `/fragment` asks.
    #[error("/fragment: the message has {len} bytes, the sizes add up to {sum}")]
    Cut {
        /// Bytes of the message.
        len: usize,
        /// Bytes of the fragments.
        sum: usize,
    },
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
/// noting: the rule it breaks. A command that sends no bytes does nothing.
///
/// # Errors
///
/// [`SendFailure`]
pub fn send(
    command: &Command,
    content: &[u8],
    endpoint: &mut Endpoint,
    now: Instant,
    out: &mut Vec<u8>,
) -> Result<Option<String>, SendFailure> {
    let peer = &mut Outgoing { endpoint, now, out };
    match command {
        Command::Text(_) => peer.message(Data::Text, content, true),
        Command::Binary(_) => peer.message(Data::Binary, content, true),
        Command::Unfinished { opcode, .. } => peer.message(*opcode, content, false),
        Command::Ping(_) => peer.control(Control::Ping, content),
        Command::Pong(_) => peer.control(Control::Pong, content),
        Command::Close { code, reason } => peer.close(*code, reason),
        Command::Frame(spec) => Ok(peer.frame(spec, content)),
        Command::Fragment(spec) => peer.fragments(spec, content),
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

type Sent = Result<Option<String>, SendFailure>;

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
            other => Ok(other.map(|()| None)?),
        }
    }

    fn close(&mut self, code: Option<u16>, reason: &[u8]) -> Sent {
        if let Ok(reason) = std::str::from_utf8(reason) {
            match self.endpoint.close(code, reason, self.now, self.out) {
                Err(SendError::CloseCode(_) | SendError::ReasonTooLong(_)) => {}
                other => return Ok(other.map(|()| None)?),
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

    fn fragments(&mut self, spec: &FragmentSpec, content: &[u8]) -> Sent {
        let opcode = if spec.binary { Data::Binary } else { Data::Text };
        let pieces = cut(content, &spec.cut)?;
        let count = pieces.len();
        for (at, piece) in pieces.into_iter().enumerate() {
            self.endpoint.send_fragment(opcode, piece, at + 1 == count, self.out)?;
            // "Control frames … MAY be injected in the middle of a fragmented message"
            // (RFC 6455 §5.4).
            if spec.ping && at + 1 < count {
                let payload = format!("between fragments {} and {}", at + 1, at + 2);
                self.endpoint.send_ping(payload.as_bytes(), self.now, self.out)?;
            }
        }
        Ok(bad_text(opcode, content))
    }
}

/// The rule that a whole message breaks if it is sent as text but is not UTF-8.
fn bad_text(opcode: Data, content: &[u8]) -> Option<String> {
    if opcode != Data::Text || is_utf8(content) {
        return None;
    }
    let rule = ViolationKind::InvalidUtf8.rule();
    Some(format!("{} {}: {}", rule.code, rule.section, rule.explanation))
}

/// Cuts a message; what is left beyond the given sizes makes a last piece.
fn cut<'a>(content: &'a [u8], cut: &Cut) -> Result<Vec<&'a [u8]>, SendFailure> {
    let mut rest = content;
    let mut pieces = Vec::new();
    match cut {
        Cut::Count(count) => {
            for left in (1..=*count).rev() {
                let (piece, more) = rest.split_at(rest.len() / left);
                pieces.push(piece);
                rest = more;
            }
        }
        Cut::Sizes(sizes) => {
            for size in sizes {
                let (piece, more) = rest.split_at_checked(*size).ok_or_else(|| {
                    let sum = sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size));
                    SendFailure::Cut { len: content.len(), sum }
                })?;
                pieces.push(piece);
                rest = more;
            }
            if !rest.is_empty() || pieces.is_empty() {
                pieces.push(rest);
            }
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_into_as_many_pieces_as_asked_for() {
        let cut = |content: &str, how| {
            let pieces = cut(content.as_bytes(), &how)?;
            Ok::<_, SendFailure>(
                pieces.iter().map(|p| String::from_utf8_lossy(p).into_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(cut("Hello", Cut::Count(2)).expect("pieces"), ["He", "llo"]);
        assert_eq!(cut("Hello", Cut::Count(5)).expect("pieces"), ["H", "e", "l", "l", "o"]);
        assert_eq!(cut("Hi", Cut::Count(3)).expect("pieces"), ["", "H", "i"]);
        assert_eq!(cut("Hello", Cut::Sizes(vec![1, 0, 2])).expect("pieces"), ["H", "", "el", "lo"]);
        assert_eq!(cut("Hello", Cut::Sizes(vec![2, 3])).expect("pieces"), ["He", "llo"]);
        assert_eq!(cut("", Cut::Sizes(vec![])).expect("pieces"), [""]);
        let error = cut("Hi", Cut::Sizes(vec![1, 2])).expect_err("too long");
        assert_eq!(error.to_string(), "/fragment: the message has 2 bytes, the sizes add up to 3");
    }
}
