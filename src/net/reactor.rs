//! The one readiness loop: a poll with the tokens of this program.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Registry, Token, Waker};

/// The socket of a client's connection.
pub const SOCKET: Token = Token(0);
/// Standard input.
pub const STDIN: Token = Token(1);
/// Standard output.
pub const STDOUT: Token = Token(2);
/// Another thread has something.
pub const WAKER: Token = Token(3);
/// A signal arrived.
pub const SIGNAL: Token = Token(4);
/// Standard error.
pub const STDERR: Token = Token(7);

/// The poll, its events and the waker of other threads.
pub struct Reactor {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
}

impl Reactor {
    /// Opens a poll.
    ///
    /// # Errors
    ///
    /// The system has no descriptors left.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(Self { poll, events: Events::with_capacity(64), waker })
    }

    /// Where sources are registered.
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// What other threads wake the loop with.
    pub fn waker(&self) -> &Arc<Waker> {
        &self.waker
    }

    /// Waits for events until `deadline`, or only looks if it has passed; without one, forever.
    ///
    /// # Errors
    ///
    /// The poll failed. A signal is not a failure: there are just no events.
    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<&Events> {
        poll(&mut self.poll, &mut self.events, deadline)?;
        Ok(&self.events)
    }

    /// As [`Reactor::wait`], with a place for the events of the caller's own: for many sources at
    /// once, or a caller that owns the reactor and what its events are for.
    ///
    /// # Errors
    ///
    /// The poll failed.
    pub fn wait_for(&mut self, events: &mut Events, deadline: Option<Instant>) -> io::Result<()> {
        poll(&mut self.poll, events, deadline)
    }
}

fn poll(poll: &mut Poll, events: &mut Events, deadline: Option<Instant>) -> io::Result<()> {
    let timeout = deadline.map(|at| round_up(at.saturating_duration_since(Instant::now())));
    match poll.poll(events, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
        other => other?,
    }
    Ok(())
}

/// epoll counts in milliseconds: rounded down, the last one would be spent spinning.
fn round_up(timeout: Duration) -> Duration {
    let millis = timeout.as_micros().div_ceil(1000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
