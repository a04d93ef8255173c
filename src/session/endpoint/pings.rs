//! Unanswered pings, delayed pongs, and their counts.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many pongs may wait. With 125 bytes each, they take at most 128 KiB, even if the peer sends
/// many pings and the delay is long.
pub const PONGS_WAITING: usize = 1024;

/// Longer delays are cut to this one, because a clock may not be able to count further.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Our pings and their results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PingFacts {
    /// The number of answered pings.
    pub answered: u64,
    /// The number of the peer's pings that were left unanswered on purpose.
    pub ignored: u64,
    /// Unsolicited pongs.
    pub unsolicited: u64,
    /// The last pong that arrived while a ping was unanswered, but with another payload.
    pub mismatched: Option<PongMismatch>,
    /// The age of the oldest unanswered ping.
    pub waiting: Option<Duration>,
    /// The number of unanswered pings.
    pub unanswered: usize,
    /// Whether other bytes have arrived since the oldest unanswered ping.
    pub data_since: bool,
}

/// A pong without the "identical Application data" of the unanswered ping (§5.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PongMismatch {
    /// The size of the ping's payload in bytes.
    pub ping: usize,
    /// The size of the pong's payload in bytes.
    pub pong: usize,
    /// Whether the pong's payload is the beginning of the ping's payload.
    pub is_start: bool,
}

/// Pings, and waiting pongs.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// When the next automatic ping is due.
    pub(super) next: Option<Instant>,
    /// The deadline for any data after an automatic ping.
    pub(super) pong_deadline: Option<Instant>,
    /// Unanswered pings, the oldest first.
    pub(super) unanswered: VecDeque<(Vec<u8>, Instant)>,
    /// Waiting pongs, the earliest first.
    pub(super) pongs: VecDeque<(Instant, Vec<u8>)>,
    /// The number of automatic pings.
    pub(super) sent: u64,
    /// The number of the peer's pings that get no pong.
    pub(super) ignored: u64,
    pub(super) answered: u64,
    pub(super) unsolicited: u64,
    pub(super) mismatched: Option<PongMismatch>,
}

impl Pings {
    /// Sends the first automatic ping at `first`.
    pub(super) fn begin(first: Instant) -> Self {
        Self { next: Some(first), ..Self::default() }
    }

    /// Queues a pong.
    pub(super) fn wait(&mut self, payload: &[u8], now: Instant, delay: Duration) {
        let due = now.checked_add(delay).unwrap_or_else(|| now + NEVER);
        // After all pongs that are due until then: the delay may have been longer before.
        let at = self.pongs.partition_point(|(other, _)| *other <= due);
        self.pongs.insert(at, (due, payload.to_vec()));
    }

    /// Takes the next pong that is due, or that must be sent early to make room.
    ///
    /// "an endpoint MUST send a Pong frame in response" (§5.5.2) to every ping, so one that can't
    /// be held is sent early, not forgotten.
    pub(super) fn pong_due(&mut self, now: Instant) -> Option<Vec<u8>> {
        let full = self.pongs.len() > PONGS_WAITING;
        let (_, payload) = self.pongs.pop_front_if(|(due, _)| full || *due <= now)?;
        Some(payload)
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let pong = self.pongs.front().map(|(due, _)| *due);
        [self.next, self.pong_deadline, pong].into_iter().flatten().min()
    }

    /// The number of waiting pongs.
    pub(super) fn waiting(&self) -> usize {
        self.pongs.len()
    }
}
