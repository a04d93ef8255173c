//! The system's errors as sentences of this program.

use std::io;

/// The system's words without the number Rust adds, lower case as all of our messages.
pub fn plain_io(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
