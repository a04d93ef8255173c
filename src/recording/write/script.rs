//! A script of the program itself, for `--script`: what the client sent, each message after as many of the
//! server's as had come.

use std::fmt::Write as _;

use super::base64;
use crate::event::Direction;
use crate::recording::session::{Session, SessionMessage};
use crate::ui::sanitize::escaped;

/// Bytes of a message of the server that are shown in a comment.
const SHOWN: usize = 60;

/// The script of a connection.
pub fn script(session: &Session) -> String {
    let mut out = format!("/# {}\n", escaped(session.url().as_bytes()));
    for message in &session.messages {
        match message.direction {
            Direction::ToServer => line(message, &mut out),
            Direction::ToClient => {
                let start = &message.content[..message.content.len().min(SHOWN)];
                let _ = writeln!(out, "/# < {}\n/expect /(?s).*/ 10s", escaped(start));
            }
        }
    }
    match session.close.as_ref().map(|close| (close.code, &close.reason)) {
        Some((Some(code), reason)) if !reason.is_empty() => {
            let _ = writeln!(out, "/close {code} {}", text(&String::from_utf8_lossy(reason)));
        }
        Some((Some(code), _)) => {
            let _ = writeln!(out, "/close {code}");
        }
        _ => out.push_str("/close\n"),
    }
    out
}

fn line(message: &SessionMessage, out: &mut String) {
    match message.as_text() {
        // A line as it is: what may be taken for something else goes another way.
        Some(line)
            if line.starts_with(|c: char| c.is_alphanumeric() || "{[\"<".contains(c))
                && !line.contains(|c: char| c.is_control()) =>
        {
            let _ = writeln!(out, "{}", line.replace("${", "$${"));
        }
        Some(_) => {
            let _ = writeln!(out, "/text base64:{}", base64(&message.content));
        }
        None => {
            let name = if message.text { "text" } else { "binary" };
            let _ = writeln!(out, "/{name} base64:{}", base64(&message.content));
        }
    }
}

/// A text with the escapes of the commands.
fn text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace("${", "$${")
}
