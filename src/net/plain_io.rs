//! Converts errors of the system to wscope's sentences.

use std::io;
use std::path::Path;

/// The system's text without the number that Rust adds, in lower case like all our messages.
pub fn plain_io(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Why a file that the user named can't be opened. If the name is a URL, suggests what the user
/// probably meant.
pub fn cannot_open(path: &Path, error: &io::Error) -> String {
    let name = path.to_string_lossy();
    match name.contains("://") {
        true => format!("can't open {name}: a file is expected here, not a URL"),
        false => format!("can't open {name}: {}", plain_io(error)),
    }
}
