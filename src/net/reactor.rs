//! The only readiness loop: a poll with the tokens of this program.

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
/// Another thread has a result.
pub const WAKER: Token = Token(3);
/// A signal arrived.
pub const SIGNAL: Token = Token(4);
/// Standard error.
pub const STDERR: Token = Token(7);

/// The poll, and the waker for other threads.
pub struct Reactor {
    poll: Poll,
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
        Ok(Self { poll, waker })
    }

    /// The registry of event sources.
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// The waker with which other threads wake the loop.
    pub fn waker(&self) -> &Arc<Waker> {
        &self.waker
    }

    /// Waits for events until `deadline`. Without a deadline, waits forever; after the deadline,
    /// only checks for events.
    ///
    /// # Errors
    ///
    /// The poll failed. A signal is not a failure; it ends the wait without events.
    pub fn wait(&mut self, events: &mut Events, deadline: Option<Instant>) -> io::Result<()> {
        let timeout = deadline.map(|at| round_up(at.saturating_duration_since(Instant::now())));
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            other => other?,
        }
        Ok(())
    }
}

/// epoll counts in milliseconds. If the time were rounded down, the loop would spin during the last
/// millisecond.
fn round_up(timeout: Duration) -> Duration {
    let millis = timeout.as_micros().div_ceil(1000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
