//! Why a recording can't be read.

use std::io;

/// Why a recording can't be read, and where.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its content is invalid; the text begins with the position.
    #[error("{0}")]
    Malformed(String),
}

/// What reading a recording returns.
pub(super) type Result<T> = std::result::Result<T, RecordingError>;

impl RecordingError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }
}
