//! The clients that a server's line can name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::ConnId;

/// A server's clients for completion: their numbers and descriptions. Written by the loop, read by
/// the thread of the editor.
#[derive(Clone, Debug, Default)]
pub struct ClientDirectory(Arc<Mutex<Vec<(u64, String)>>>);

impl ClientDirectory {
    /// Replaces them.
    pub fn set(&self, clients: Vec<(u64, String)>) {
        *self.lock() = clients;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether one is there.
    pub fn has(&self, id: ConnId) -> bool {
        self.lock().iter().any(|(other, _)| *other == id.pair().0)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<(u64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
