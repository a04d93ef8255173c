//! The script of one client of a server.

use std::time::Instant;

use crate::event::ConnId;
use crate::script::runner::ScriptRunner;

/// The script of one client.
pub struct ClientScript {
    /// The client.
    pub id: ConnId,
    /// Runs its lines.
    pub runner: ScriptRunner,
    /// When the last line ended.
    pub ended: Option<Instant>,
}

impl ClientScript {
    /// A script at its first line.
    pub fn new(id: ConnId, runner: ScriptRunner) -> Self {
        Self { id, runner, ended: None }
    }
}
