//! The facts about a connection before its first message, for a lens.

use std::sync::Arc;

use super::payload::schema::Schema;

/// The facts before the first message.
#[derive(Clone, Debug, Default)]
pub struct LensFacts {
    /// The subprotocol that was agreed.
    pub subprotocol: Option<String>,
    /// Host and port of the request.
    pub host: String,
    /// Path and query of the request.
    pub url: String,
    /// Whether earlier messages were not read.
    pub is_midway: bool,
    /// The schema of payloads that need one.
    pub schema: Option<Arc<Schema>>,
}
