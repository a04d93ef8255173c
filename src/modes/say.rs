//! What is said on stderr beside the transcript: one line, `wscope: …`.

use std::fmt::Display;
use std::io::Write;

/// Says an error. A closed stderr is no further error.
pub fn error(text: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "wscope: {text}");
}

/// Says something worth knowing.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "wscope: note: {text}");
}
