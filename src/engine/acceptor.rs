//! Accepts connections, one after the other, while the system has descriptors.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::stream::Stream;
use crate::output::notifier::Notifier;

/// Connections accepted in a round, so that a flood of them leaves the others their turns.
pub const ACCEPTS: usize = 64;

/// After the system had no descriptor to spare, when to try again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What listens, and what is known of those who wait there.
pub struct ConnectionAcceptor {
    listeners: Option<Listeners>,
    /// Somebody may wait to be accepted.
    ready: bool,
    /// The system had no descriptors: not before this.
    paused_until: Option<Instant>,
    /// That has been reported.
    short: bool,
}

impl ConnectionAcceptor {
    /// Begins to accept.
    pub fn new(listeners: Listeners) -> Self {
        Self { listeners: Some(listeners), ready: true, paused_until: None, short: false }
    }

    /// Notes that a client may wait.
    pub fn set_ready(&mut self) {
        self.ready = true;
    }

    /// Accepts no more clients.
    pub fn stop(&mut self) {
        self.listeners = None;
    }

    /// Whether a client may be accepted at once.
    pub fn is_ready(&self) -> bool {
        self.ready && self.paused_until.is_none() && self.listeners.is_some()
    }

    /// When to try again.
    pub fn deadline(&self) -> Option<Instant> {
        self.paused_until.filter(|_| self.listeners.is_some())
    }

    /// The file of the Unix socket that listens.
    pub fn path(&self) -> String {
        let path = self.listeners.as_ref().and_then(Listeners::path);
        path.map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// The next who waits.
    pub fn accept(
        &mut self,
        notifier: &Notifier,
        now: Instant,
    ) -> Option<(Stream, Option<SocketAddr>)> {
        self.paused_until = self.paused_until.filter(|at| *at > now);
        if !self.is_ready() {
            return None;
        }
        let accepted: io::Result<_> = self.listeners.as_mut()?.accept();
        match accepted {
            Ok(Some(accepted)) => {
                self.short = false;
                Some(accepted)
            }
            Ok(None) => {
                self.ready = false;
                None
            }
            Err(error) => {
                // Those who wait are kept by the system; they get their turn when others leave.
                if !std::mem::replace(&mut self.short, true) {
                    notifier.note(&format!("can't accept a client: {}", plain_io(&error)));
                }
                self.paused_until = Some(now + ACCEPT_PAUSE);
                None
            }
        }
    }
}
