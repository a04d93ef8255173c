//! The orderly end of a transport: our side has ended, and waits for the peer's end.
//!
//! If wscope closed the socket earlier, data of the peer that is still on its way would cause a
//! reset, and the reset would destroy the data that wscope sent last.

use std::time::{Duration, Instant};

use crate::net::link::{Buffers, Fill, Link};

/// How long to wait for the peer's end.
pub const LAST_WORDS: Duration = Duration::from_secs(1);

/// A transport whose end is awaited.
pub struct Lingering {
    link: Link,
    until: Instant,
}

impl Lingering {
    /// Sends the waiting data, then ends our side. `None` if the peer has already gone.
    pub fn begin(mut link: Link, now: Instant) -> Option<Self> {
        link.half_close().ok()?;
        Some(Self { link, until: now + LAST_WORDS })
    }

    /// Keeps our side open, and waits at most `timeout` for the peer.
    pub fn silent(mut link: Link, timeout: Duration, now: Instant) -> Option<Self> {
        link.flush().ok()?;
        Some(Self { link, until: now + timeout })
    }

    /// Takes a turn with lent buffers; true if the transport can be dropped.
    pub fn turn(&mut self, buffers: &mut Buffers, now: Instant) -> bool {
        self.link.lend(buffers);
        let flushed = self.link.flush();
        self.skip();
        let filled = self.link.fill();
        self.skip();
        self.link.take_back(buffers, false);
        flushed.is_err() || self.until <= now || !matches!(filled, Ok(Fill::Data | Fill::Blocked))
    }

    /// Discards data that still arrives.
    fn skip(&mut self) {
        let (input, _) = self.link.split();
        let at = input.consumed() + input.rest().len();
        self.link.consumed(at);
    }

    /// When the wait ends.
    pub fn deadline(&self) -> Instant {
        self.until
    }

    /// Whether a turn could do something without an event.
    pub fn wants_turn(&self) -> bool {
        self.link.may_fill()
    }

    /// Notes what the poll reports of the socket.
    pub fn ready(&mut self, event: &mio::event::Event) {
        self.link.ready(event);
    }
}
