//! Unanswered pings, delayed pongs, and their counts.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pongs that wait for their time. With 125 bytes each they take no more than 128 KiB, however
/// fast a peer pings and however long the delay is.
pub const PONGS_WAITING: usize = 1024;

/// A delay beyond what a clock can count to is as good as this one.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Our pings and their results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PingFacts {
    /// Answered.
    pub answered: u64,
    /// Pings of the peer that were not answered, on purpose.
    pub ignored: u64,
    /// Unsolicited pongs.
    pub unsolicited: u64,
    /// The last pong that arrived while a ping waited, with another payload than any ping's.
    pub mismatched: Option<PongMismatch>,
    /// The age of the oldest one that was not answered.
    pub waiting: Option<Duration>,
    /// Whether other bytes arrived since.
    pub data_since: bool,
}

/// A pong that does not have the "identical Application data" of the ping that waits (§5.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PongMismatch {
    /// Bytes of the ping's payload.
    pub ping: usize,
    /// Bytes of the pong's.
    pub pong: usize,
    /// Whether the pong's are the beginning of the ping's.
    pub is_start: bool,
}

/// Pings, and pongs that wait.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// When the next ping of the endpoint itself is due.
    pub(super) next: Option<Instant>,
    /// Until when something must come after such a ping.
    pub(super) pong_deadline: Option<Instant>,
    /// Pings that were not answered, the earliest first.
    pub(super) unanswered: VecDeque<(Vec<u8>, Instant)>,
    /// Pongs that wait, the earliest first.
    pub(super) pongs: VecDeque<(Instant, Vec<u8>)>,
    /// Pings of the endpoint itself.
    pub(super) sent: u64,
    /// Pings of the peer that get no pong.
    pub(super) ignored: u64,
    pub(super) answered: u64,
    pub(super) unsolicited: u64,
    pub(super) mismatched: Option<PongMismatch>,
}

impl Pings {
    /// Sends the first ping of the endpoint itself at `first`.
    pub(super) fn begin(first: Instant) -> Self {
        Self { next: Some(first), ..Self::default() }
    }

    /// Puts a pong in line.
    pub(super) fn wait(&mut self, payload: &[u8], now: Instant, delay: Duration) {
        let due = now.checked_add(delay).unwrap_or_else(|| now + NEVER);
        // Behind all that are due by then: the delay may have been longer before.
        let at = self.pongs.partition_point(|(other, _)| *other <= due);
        self.pongs.insert(at, (due, payload.to_vec()));
    }

    /// Takes the next one that is due, or that makes room for the others.
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

    /// How many pongs wait for their time.
    pub(super) fn waiting(&self) -> usize {
        self.pongs.len()
    }
}
