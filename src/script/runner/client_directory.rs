//! The clients that a server's line can name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::ConnId;

/// A server's clients for completion: their numbers and descriptions. The event loop writes it, the
/// thread of the editor reads it.
#[derive(Clone, Debug, Default)]
pub struct ClientDirectory(Arc<Mutex<Vec<(u64, String)>>>);

impl ClientDirectory {
    /// Replaces them.
    pub fn set(&self, clients: Vec<(u64, String)>) {
        *self.lock() = clients;
    }

    /// The number of clients.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether this client is connected.
    pub fn has(&self, id: ConnId) -> bool {
        self.lock().iter().any(|(other, _)| *other == id.pair().0)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<(u64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
