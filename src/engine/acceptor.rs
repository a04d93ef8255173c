//! Accepts connections, one after the other, while the system has descriptors.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::stream::Stream;
use crate::output::notifier::Notifier;

/// The most connections accepted in a round, so that a flood of them does not delay the open
/// connections.
pub const ACCEPTS: usize = 64;

/// How long to wait after the system had no free descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// The listening sockets, and the state of accepting.
pub struct ConnectionAcceptor {
    listeners: Option<Listeners>,
    /// A client may be waiting.
    ready: bool,
    /// The system had no free descriptor: accept nothing before this time.
    paused_until: Option<Instant>,
    /// The lack of descriptors has been reported.
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

    /// Stops accepting clients.
    pub fn stop(&mut self) {
        self.listeners = None;
    }

    /// Whether a client may be accepted now.
    pub fn is_ready(&self) -> bool {
        self.ready && self.paused_until.is_none() && self.listeners.is_some()
    }

    /// When to try again after a lack of descriptors.
    pub fn deadline(&self) -> Option<Instant> {
        self.paused_until.filter(|_| self.listeners.is_some())
    }

    /// The file of the listening Unix socket.
    pub fn path(&self) -> String {
        let path = self.listeners.as_ref().and_then(Listeners::path);
        path.map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Accepts the next waiting client.
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
                // The system keeps waiting clients in its queue until descriptors are free again.
                if !std::mem::replace(&mut self.short, true) {
                    notifier.note(&format!("can't accept a client: {}", plain_io(&error)));
                }
                self.paused_until = Some(now + ACCEPT_PAUSE);
                None
            }
        }
    }
}
