//! What is said on stderr beside the transcript: one line, `wscope: …`.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use crate::ui::sanitize::escaped;

/// Writes all of a text to stderr, and waits for room where stderr was inherited non-blocking.
///
/// # Errors
///
/// stderr failed, or its reader is gone.
pub fn write(mut text: &[u8]) -> std::io::Result<()> {
    let mut stderr = std::io::stderr().lock();
    while !text.is_empty() {
        match stderr.write(text) {
            Ok(n) => text = &text[n..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                crate::net::stdio::wait_for_stderr()?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Says an error. A closed stderr is no further error.
pub fn error(text: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "wscope: {}", clean(&text.to_string()));
}

/// Says something worth knowing.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "wscope: note: {}", clean(text));
}

/// Says something about one of many connections.
pub fn of(conn: u64, text: &str) {
    line(&format!("wscope: [{conn}] {text}"));
}

/// Says a line as it is, without the program's name before it: scripts wait for it.
pub fn line(text: &str) {
    // In one piece; a closed stderr is no further error.
    let _ = write((clean(text) + "\n").as_bytes());
}

/// Texts quote what was typed and what came from elsewhere: no control character of it gets
/// through but the line ends of our own.
fn clean(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| escaped(line.as_bytes())).collect();
    lines.join("\n")
}
