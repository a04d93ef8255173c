//! Carries out commands that send: from a command to bytes on the wire, legal or not.

use std::borrow::Cow;

use crate::engine::outbox::{Producer, Sender};
use crate::lens::Outgoing;
use crate::script::command::illegal::breaches;
use crate::script::command::{Command, FrameSpec, MaskChoice, Payload};
use crate::script::runner::file::{PIPE_TIMEOUT, read_whole};
use crate::session::endpoint::SendError;
use crate::wire::utf8::is_utf8;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, OpCode, ViolationKind};

/// The payload of a command, empty if it has none. Reads the file of a payload.
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
            read_whole(path, Some(PIPE_TIMEOUT), instead).map(Cow::Owned)
        }
    }
}

/// Carries out a command that sends, with the [`content`] of its payload. Returns a note if it
/// breaks a rule. Does nothing for other commands.
pub fn send(command: &Command, content: &[u8], sender: &mut Sender<'_>) -> SendResult {
    match command {
        Command::Text(_) => message(Data::Text, content, true, sender),
        Command::Binary(_) => message(Data::Binary, content, true, sender),
        Command::Unfinished { opcode, .. } => message(*opcode, content, false, sender),
        Command::Ping(_) => control(Control::Ping, content, sender),
        Command::Pong(_) => control(Control::Pong, content, sender),
        Command::Close { code, reason } => close(*code, reason, sender),
        Command::Frame(spec) => Ok(frame(spec, content, sender)),
        Command::Bytes(_) => {
            sender.bytes(content);
            Ok(None)
        }
        Command::Abort => {
            sender.abort();
            Ok(None)
        }
        Command::HalfClose => {
            sender.half_close();
            Ok(Some("sent the end of our stream; still receiving".to_owned()))
        }
        _ => Ok(None),
    }
}

/// Sends a message that a lens has made.
pub(crate) fn outgoing(message: &Outgoing, sender: &mut Sender<'_>) -> Result<(), SendError> {
    let opcode = if message.text { Data::Text } else { Data::Binary };
    sender.fragment(Producer::Hand, opcode, &message.content, true)
}

/// A note if the sent data breaks a rule.
type SendResult = Result<Option<String>, SendError>;

fn message(opcode: Data, content: &[u8], last: bool, sender: &mut Sender<'_>) -> SendResult {
    sender.fragment(Producer::Hand, opcode, content, last)?;
    // In an unfinished message, a character may continue in the next fragment.
    Ok(bad_text(opcode, content).filter(|_| last))
}

fn control(opcode: Control, content: &[u8], sender: &mut Sender<'_>) -> SendResult {
    let sent = match opcode {
        Control::Ping => sender.ping(content),
        _ => sender.pong(content),
    };
    match sent {
        // It is sent anyway, because the user wants to see how the peer reacts.
        Err(SendError::ControlTooLong(_)) => Ok(usual(OpCode::Control(opcode), content, sender)),
        other => other.map(|()| None),
    }
}

fn close(code: Option<u16>, reason: &[u8], sender: &mut Sender<'_>) -> SendResult {
    if let Ok(reason) = std::str::from_utf8(reason) {
        match sender.close(code, reason) {
            Err(SendError::CloseCode(_) | SendError::ReasonTooLong(_)) => {}
            other => return other.map(|()| None),
        }
    }
    let mut body = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
    body.extend_from_slice(reason);
    Ok(usual(OpCode::Control(Control::Close), &body, sender))
}

/// A frame of the usual form, with any payload.
fn usual(opcode: OpCode, content: &[u8], sender: &mut Sender<'_>) -> Option<String> {
    let mask = sender.endpoint.as_mut().and_then(|endpoint| endpoint.key());
    raw(&RawFrame { opcode, mask, payload: content.to_vec(), ..RawFrame::default() }, sender)
}

fn frame(spec: &FrameSpec, content: &[u8], sender: &mut Sender<'_>) -> Option<String> {
    let FrameSpec { opcode, fin, rsv: [rsv1, rsv2, rsv3], mask, form, announced, .. } = *spec;
    let mask = match mask {
        MaskChoice::Role => sender.endpoint.as_mut().and_then(|endpoint| endpoint.key()),
        MaskChoice::On => sender.endpoint.as_mut().map(|endpoint| endpoint.fresh_key()),
        MaskChoice::Off => None,
        MaskChoice::Key(key) => Some(key),
    };
    let payload = content.to_vec();
    raw(&RawFrame { fin, rsv1, rsv2, rsv3, opcode, mask, form, announced, payload }, sender)
}

fn raw(frame: &RawFrame, sender: &mut Sender<'_>) -> Option<String> {
    let situation = sender.endpoint.as_ref().map(|endpoint| endpoint.situation());
    let broken = situation.and_then(|situation| breaches(frame, situation));
    sender.raw(frame);
    broken
}

/// The rule that a whole message breaks if it is sent as text but is not UTF-8.
pub(crate) fn bad_text(opcode: Data, content: &[u8]) -> Option<String> {
    if opcode != Data::Text || is_utf8(content) {
        return None;
    }
    let rule = ViolationKind::InvalidUtf8.rule();
    Some(format!("{} {}: {}", rule.code, rule.section, rule.explanation))
}
