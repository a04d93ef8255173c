//! Wrong usage, and the checks of values that several modes take.

use crate::cli::LimitOptions;
use crate::session::Limits;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::head::is_token;

/// Wrong usage, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub(super) String);

impl UsageError {
    /// With this sentence.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

/// Headers as `-H` takes them.
pub(super) fn header_edits(texts: &[String]) -> Result<Vec<HeaderEdit>, UsageError> {
    let parse = |text: &String| text.parse().map_err(|error| UsageError(format!("-H: {error}")));
    texts.iter().map(parse).collect()
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

/// The limits as the session takes them.
pub fn limits(options: &LimitOptions) -> Limits {
    Limits { message: options.max_message, inflated: options.max_inflated, ..Limits::default() }
}
