//! Usage errors, and checks of values that several modes share.

use crate::cli::LimitOptions;
use crate::net::files;
use crate::session::Limits;
use crate::ui::terminal::Terminal;
use crate::wire::handshake::headers::{HeaderEdit, HeaderError};
use crate::wire::head::is_token;

/// A usage error, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub(super) String);

impl UsageError {
    /// An error with this sentence.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

/// Refuses to write raw bytes to a terminal without `--force`, because they can change its display
/// and its behaviour.
pub fn check_raw(raw: bool, force: bool, terminal: Terminal) -> Result<(), UsageError> {
    match raw && !force && terminal.stdout {
        false => Ok(()),
        true => Err(UsageError::new(
            "--output raw could send control characters of the peer to the terminal; use --output \
             lines, which escapes them, or add --force"
                .to_owned(),
        )),
    }
}

/// Headers in the notation of `-H`: one header, or the headers of a file (`@FILE`); `@-` is stdin.
pub(super) fn header_edits(texts: &[String]) -> Result<Vec<HeaderEdit>, UsageError> {
    let mut edits = Vec::new();
    for text in texts {
        match text.strip_prefix('@') {
            None => edits.push(text.parse().map_err(|error| UsageError(format!("-H: {error}")))?),
            Some(name) => {
                let read = files::read_text(name).map_err(|error| error.to_string());
                let read = read.and_then(|lines| header_lines(name, &lines));
                edits.extend(read.map_err(|error| UsageError(format!("-H @{error}")))?);
            }
        }
    }
    Ok(edits)
}

/// The headers of a file, one on each line.
///
/// # Errors
///
/// The first invalid line; without its text, which may be a secret.
pub fn header_lines(name: &str, text: &str) -> Result<Vec<HeaderEdit>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let edit = |(at, line): (usize, &str)| {
        line.parse().map_err(|error| {
            let why = match error {
                HeaderError::MissingColon { .. } => "no colon; write NAME: VALUE".to_owned(),
                error => error.to_string(),
            };
            format!("{name}: line {}: {why}", at + 1)
        })
    };
    lines.map(edit).collect()
}

/// "elements … MUST be non-empty strings with characters in the range U+0021 to U+007E not
/// including separator characters" (RFC 6455 §4.1).
pub(super) fn check_subprotocols(names: &[String]) -> Result<(), UsageError> {
    match names.iter().find(|name| !is_token(name.as_bytes())) {
        None => Ok(()),
        Some(name) => Err(UsageError(format!(
            "-s: {name:?} can't be a subprotocol: a name has only letters, digits and !#$%&'*+-.^_`|~; give -s once for each"
        ))),
    }
}

/// The limits in the form that a session needs.
pub fn limits(options: &LimitOptions) -> Limits {
    Limits { message: options.max_message, inflated: options.max_inflated, ..Limits::default() }
}
