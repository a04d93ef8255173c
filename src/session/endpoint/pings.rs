//! Pings and pongs, RFC 6455 §5.5.2 and §5.5.3: which answer is owed to the peer and when, and
//! how long the peer took for its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{AutoPong, Endpoint};
use crate::wire::Control;

/// Pings remembered for their round trip; older ones are forgotten.
const PINGS_REMEMBERED: usize = 1024;

/// Pongs that wait for their time. With 125 bytes each they take no more than 128 KiB, however
/// fast a peer pings and however long the delay is.
pub const PONGS_WAITING: usize = 1024;

/// A delay beyond what a clock can count to is as good as this one.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Pings of ours and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PingFacts {
    /// Answered.
    pub answered: u64,
    /// Pongs that no ping asked for.
    pub unsolicited: u64,
    /// The age of the oldest one that was not answered.
    pub waiting: Option<Duration>,
    /// Whether other bytes came since.
    pub data_since: bool,
}

/// Pongs that wait, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Pongs(VecDeque<(Instant, Vec<u8>)>);

impl Pongs {
    /// Puts one in line.
    fn wait(&mut self, payload: &[u8], now: Instant, delay: Duration) {
        let due = now.checked_add(delay).unwrap_or_else(|| now + NEVER);
        // Behind all that are due by then: the delay may have been longer before.
        let at = self.0.partition_point(|(other, _)| *other <= due);
        self.0.insert(at, (due, payload.to_vec()));
    }

    /// Takes the next one that is due, or that makes room for the others.
    ///
    /// "an endpoint MUST send a Pong frame in response" (§5.5.2) to every ping, so one that can't
    /// be held is sent early, not forgotten.
    fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        let full = self.0.len() > PONGS_WAITING;
        let (_, payload) = self.0.pop_front_if(|(due, _)| full || *due <= now)?;
        Some(payload)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Endpoint {
    /// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it
    /// already received a Close frame" and with "identical Application data" (§5.5.2, §5.5.3). Every
    /// ping gets its own pong, also after our own Close: what that forbids is "any more data frames"
    /// (§5.5.1).
    pub(super) fn answer_ping(&mut self, payload: &[u8], now: Instant, out: &mut Vec<u8>) {
        match self.config.auto_pong {
            AutoPong::On => self.write_control(Control::Pong, payload, out),
            AutoPong::Off => {}
            AutoPong::Delay(delay) => {
                self.pongs.wait(payload, now, delay);
                self.send_pongs_due(now, out);
            }
        }
    }

    /// Sends the delayed pongs whose time has come.
    pub(super) fn send_pongs_due(&mut self, now: Instant, out: &mut Vec<u8>) {
        while let Some(payload) = self.pongs.next(now) {
            self.write_control(Control::Pong, &payload, out);
        }
    }

    pub(super) fn remember_ping(&mut self, payload: &[u8], now: Instant) {
        if self.pings.len() == PINGS_REMEMBERED {
            self.pings.pop_front();
        }
        self.pings.push_back((payload.to_vec(), now));
    }

    /// A pong answers the ping with its payload; "an endpoint MAY elect to send a Pong frame for
    /// only the most recently processed Ping frame" (§5.5.3), so earlier ones are answered too.
    pub(super) fn take_pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let Some(at) = self.pings.iter().position(|(sent, _)| sent == payload) else {
            self.pongs_unsolicited += 1;
            return None;
        };
        self.pings_answered += at as u64 + 1;
        let (_, sent_at) = self.pings.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(sent_at))
    }

    /// What became of our pings. [`PingFacts::data_since`] is left to whoever reads the stream.
    pub fn ping_facts(&self, now: Instant) -> PingFacts {
        PingFacts {
            answered: self.pings_answered,
            unsolicited: self.pongs_unsolicited,
            waiting: self.pings.front().map(|(_, at)| now.saturating_duration_since(*at)),
            data_since: false,
        }
    }
}
