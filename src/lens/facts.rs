//! What a lens knows about a connection before the first message.

use std::sync::Arc;

use super::payload::schema::Schema;

/// What is known before the first message.
#[derive(Clone, Debug, Default)]
pub struct LensFacts {
    /// The subprotocol that was agreed.
    pub subprotocol: Option<String>,
    /// Host and port of the request.
    pub host: String,
    /// Path and query of the request.
    pub url: String,
    /// Whether messages passed before the first that is read.
    pub is_midway: bool,
    /// The schema of payloads that need one.
    pub schema: Option<Arc<Schema>>,
}
