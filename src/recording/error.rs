//! Why a recording can't be read.

use std::io;

/// Why a recording can't be read, and where.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what it should be; in words, the place first.
    #[error("{0}")]
    Malformed(String),
}

impl RecordingError {
    /// Something is wrong with it.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }
}
