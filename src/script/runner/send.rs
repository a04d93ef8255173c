//! Commands that send: from what was asked to bytes on the wire, legal or not.

use std::borrow::Cow;

use crate::engine::outbox::{Producer, Sender};
use crate::net::plain_io::plain_io;
use crate::script::command::illegal::breaches;
use crate::script::command::{Command, Cut, FragmentSpec, FrameSpec, MaskChoice, Payload};
use crate::session::Endpoint;
use crate::session::endpoint::SendError;
use crate::ui::sanitize::escaped;
use crate::wire::utf8::is_utf8;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, OpCode, ViolationKind};

/// The bytes of a payload.
///
/// # Errors
///
/// Its file can't be read; in words.
pub fn payload(payload: &Payload) -> Result<Cow<'_, [u8]>, String> {
    match payload {
        Payload::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        Payload::File(path) => {
            std::fs::read(crate::config::expand_home(path)).map(Cow::Owned).map_err(|error| {
                let name = escaped(path.as_os_str().as_encoded_bytes());
                format!("{name}: {}", plain_io(&error))
            })
        }
    }
}

/// Sends what a command asks for. Gives what is worth saying about it: the rule it breaks.
///
/// # Errors
///
/// It can't be sent; in words.
pub fn send(command: &Command, sender: &mut Sender<'_>) -> Result<Option<String>, String> {
    match command {
        Command::Text(text) => message(Data::Text, &payload(text)?, sender),
        Command::Binary(bytes) => message(Data::Binary, &payload(bytes)?, sender),
        Command::Ping(bytes) => control(Control::Ping, &payload(bytes)?, sender),
        Command::Pong(bytes) => control(Control::Pong, &payload(bytes)?, sender),
        Command::Close { code, reason } => close(*code, reason, sender),
        Command::Frame(spec) => frame(spec, sender),
        Command::Fragment(spec) => fragments(spec, sender),
        Command::Bytes(bytes) => {
            sender.bytes(&payload(bytes)?);
            Ok(None)
        }
        Command::Abort => {
            sender.abort();
            Ok(None)
        }
        Command::HalfClose => {
            sender.half_close();
            Ok(Some("our side of the stream has ended; receiving goes on".to_owned()))
        }
        // What needs no connection has been done elsewhere.
        _ => Ok(None),
    }
}

fn plain(error: SendError) -> String {
    error.to_string()
}

/// The rules that a frame breaks if it is sent next, if it breaks any.
fn breach(frame: &RawFrame, endpoint: &Endpoint) -> Option<String> {
    breaches(frame, endpoint.situation())
}

fn message(
    opcode: Data,
    content: &[u8],
    sender: &mut Sender<'_>,
) -> Result<Option<String>, String> {
    let said = bad_text(opcode, content);
    sender.message(opcode, content).map_err(plain)?;
    Ok(said)
}

/// What is wrong with a text message, if it is one and something is.
fn bad_text(opcode: Data, content: &[u8]) -> Option<String> {
    if opcode != Data::Text || is_utf8(content) {
        return None;
    }
    let rule = ViolationKind::InvalidUtf8.rule();
    Some(format!("{} {}: {}", rule.code, rule.section, rule.explanation))
}

fn control(
    opcode: Control,
    bytes: &[u8],
    sender: &mut Sender<'_>,
) -> Result<Option<String>, String> {
    let sent = match opcode {
        Control::Ping => sender.ping(bytes),
        _ => sender.pong(bytes),
    };
    match sent {
        // Who types it wants to see what the peer makes of it.
        Err(SendError::ControlTooLong(_)) => Ok(raw(OpCode::Control(opcode), bytes, sender)),
        other => other.map(|()| None).map_err(plain),
    }
}

fn close(
    code: Option<u16>,
    reason: &[u8],
    sender: &mut Sender<'_>,
) -> Result<Option<String>, String> {
    if let Ok(reason) = std::str::from_utf8(reason) {
        match sender.close(code, reason) {
            Err(SendError::CloseCode(_) | SendError::ReasonTooLong(_)) => {}
            other => return other.map(|()| None).map_err(plain),
        }
    }
    let mut body = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
    body.extend_from_slice(reason);
    Ok(raw(OpCode::Control(Control::Close), &body, sender))
}

/// A frame of the usual form, whatever is in it.
fn raw(opcode: OpCode, bytes: &[u8], sender: &mut Sender<'_>) -> Option<String> {
    let mask = sender.endpoint.key();
    let frame = RawFrame { opcode, mask, payload: bytes.to_vec(), ..RawFrame::default() };
    let said = breach(&frame, sender.endpoint);
    sender.raw(&frame);
    said
}

fn frame(spec: &FrameSpec, sender: &mut Sender<'_>) -> Result<Option<String>, String> {
    let FrameSpec { opcode, fin, rsv: [rsv1, rsv2, rsv3], mask, form, announced, .. } = *spec;
    let payload = payload(&spec.payload)?.into_owned();
    let mask = match mask {
        MaskChoice::Role => sender.endpoint.key(),
        MaskChoice::On => Some(sender.endpoint.fresh_key()),
        MaskChoice::Off => None,
        MaskChoice::Key(key) => Some(key),
    };
    let frame = RawFrame { fin, rsv1, rsv2, rsv3, opcode, mask, form, announced, payload };
    let said = breach(&frame, sender.endpoint);
    sender.raw(&frame);
    Ok(said)
}

fn fragments(spec: &FragmentSpec, sender: &mut Sender<'_>) -> Result<Option<String>, String> {
    let content = payload(&spec.message)?;
    let opcode = if spec.binary { Data::Binary } else { Data::Text };
    let said = bad_text(opcode, &content);
    let pieces = cut(&content, &spec.cut)?;
    let count = pieces.len();
    for (at, piece) in pieces.into_iter().enumerate() {
        sender.fragment(Producer::Hand, opcode, piece, at + 1 == count).map_err(plain)?;
        // "Control frames … MAY be injected in the middle of a fragmented message" (RFC 6455 §5.4).
        if spec.ping && at + 1 < count {
            let payload = format!("between fragments {} and {}", at + 1, at + 2);
            sender.ping(payload.as_bytes()).map_err(plain)?;
        }
    }
    Ok(said)
}

/// Cuts a message; what is left beyond the given sizes makes a last piece.
fn cut<'a>(content: &'a [u8], cut: &Cut) -> Result<Vec<&'a [u8]>, String> {
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
                    format!(
                        "/fragment: the message has {} bytes, the sizes add up to {}",
                        content.len(),
                        sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size))
                    )
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
            Ok::<_, String>(
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
        assert_eq!(error, "/fragment: the message has 2 bytes, the sizes add up to 3");
    }
}
