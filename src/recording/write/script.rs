//! A wscope script for `--script`: the client's data, each message after as many messages of the
//! server as in the recording.

use std::fmt::Write as _;

use super::base64;
use crate::recording::{ActKind, Piece, RecordedMessage, ReplayPlan};
use crate::ui::sanitize::escaped;
use crate::wire::close::CloseBody;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, LengthForm, OpCode};

/// How many bytes of a server's message a comment shows.
const SHOWN: usize = 60;

/// The code of a Close without a code (RFC 6455 §7.1.5).
const NO_CODE: u16 = 1005;

/// The script of the client of a connection.
pub fn script(url: &str, plan: &ReplayPlan) -> String {
    let mut out = format!("/# {}\n", escaped(url.as_bytes()));
    let mut came = 0;
    for step in &plan.steps {
        expect(&plan.awaited[came..step.after], &mut out);
        came = step.after;
        let line = match &step.what {
            ActKind::Piece(piece) if is_whole(piece) => message(piece),
            ActKind::Piece(piece) => fragment(piece),
            ActKind::Frame(raw) => frame(raw),
            ActKind::Bytes(bytes) => format!("/bytes base64:{}", base64(bytes)),
        };
        let _ = writeln!(out, "{line}");
    }
    expect(&plan.awaited[came..], &mut out);
    match plan.close.as_ref().filter(|_| !plan.closes()) {
        Some(close) => {
            let code = close.code.unwrap_or(NO_CODE);
            let _ = writeln!(out, "/expect-close {code} 10s");
        }
        None if plan.closes() => {}
        None => out.push_str("/close\n"),
    }
    out
}

fn expect(messages: &[RecordedMessage], out: &mut String) {
    for RecordedMessage { content, .. } in messages {
        let start = &content[..content.len().min(SHOWN)];
        let _ = writeln!(out, "/# < {}\n/expect /(?s).*/ 10s", escaped(start));
    }
}

/// Whether it is a whole message. After a frame that breaks a rule, it may be a continuation.
fn is_whole(piece: &Piece) -> bool {
    piece.first && piece.last && piece.opcode != Data::Continue
}

fn message(piece: &Piece) -> String {
    let text = (piece.opcode == Data::Text).then(|| std::str::from_utf8(&piece.content).ok());
    match text {
        // A plain line, unless it could be read as something else.
        Some(Some(line))
            if line.starts_with(|c: char| c.is_alphanumeric() || "{[\"<".contains(c))
                && !line.contains(|c: char| c.is_control()) =>
        {
            line.replace("${", "$${")
        }
        Some(_) => format!("/text base64:{}", base64(&piece.content)),
        None => format!("/binary base64:{}", base64(&piece.content)),
    }
}

/// A part of a message; not compressed, because a script writes frames literally.
fn fragment(piece: &Piece) -> String {
    let name = match piece.opcode {
        Data::Continue => "continuation",
        _ if !piece.first => "continuation",
        Data::Text => "text",
        _ => "binary",
    };
    let fin = if piece.last { "" } else { " fin=off" };
    format!("/frame {name}{fin}{}", payload("-- ", &piece.content))
}

fn frame(raw: &RawFrame) -> String {
    let (opcode, content) = (raw.opcode, raw.payload.clone());
    let usual = RawFrame { opcode, mask: raw.mask, payload: content, ..RawFrame::default() };
    let is_usual = raw.mask.is_some() && *raw == usual;
    match raw.opcode {
        OpCode::Control(Control::Ping) if is_usual => format!("/ping{}", payload("", &raw.payload)),
        OpCode::Control(Control::Pong) if is_usual => format!("/pong{}", payload("", &raw.payload)),
        OpCode::Control(Control::Close) if is_usual => close(&raw.payload),
        _ => {
            let mut line = format!("/frame {}", u8::from(raw.opcode));
            if raw.mask.is_none() {
                line.push_str(" mask=off");
            }
            if !raw.fin {
                line.push_str(" fin=off");
            }
            for (name, is) in [("rsv1", raw.rsv1), ("rsv2", raw.rsv2), ("rsv3", raw.rsv3)] {
                if is {
                    let _ = write!(line, " {name}=on");
                }
            }
            if let Some(form) = raw.form {
                let bits = match form {
                    LengthForm::Bits7 => 7,
                    LengthForm::Bits16 => 16,
                    LengthForm::Bits64 => 64,
                };
                let _ = write!(line, " form={bits}");
            }
            if let Some(length) = raw.announced {
                let _ = write!(line, " length={length}");
            }
            line + &payload("-- ", &raw.payload)
        }
    }
}

fn close(bytes: &[u8]) -> String {
    let body = CloseBody::parse(bytes);
    match (body.code, std::str::from_utf8(&body.reason)) {
        (Some(code), Ok("")) => format!("/close {code}"),
        (Some(code), Ok(reason)) => format!("/close {code} {}", text(reason)),
        (None, _) if bytes.is_empty() => "/frame close".to_owned(),
        _ => format!("/frame close{}", payload("-- ", bytes)),
    }
}

/// The payload of a command, after a space; `before` precedes an unescaped payload.
fn payload(before: &str, bytes: &[u8]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,_".contains(c);
    match std::str::from_utf8(bytes) {
        Ok("") => String::new(),
        Ok(text) if text.trim() == text && text.chars().all(is_plain) => format!(" {before}{text}"),
        _ => format!(" base64:{}", base64(bytes)),
    }
}

/// A text with the escapes of commands.
fn text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace("${", "$${")
}
