//! Pings and pongs, RFC 6455 §5.5.2 and §5.5.3: which pong is due when, and how long the
//! peer took for its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{AutoPong, Endpoint, State};
use crate::event::TimeoutKind;
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

/// Pings, and pongs that wait.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// When the next ping of the endpoint itself is due.
    next: Option<Instant>,
    /// Until when something must come after such a ping.
    pub(super) pong_deadline: Option<Instant>,
    /// Pings that were not answered, the earliest first.
    unanswered: VecDeque<(Vec<u8>, Instant)>,
    /// Pongs that wait, the earliest first.
    pongs: VecDeque<(Instant, Vec<u8>)>,
    /// Pings of the endpoint itself.
    sent: u64,
    answered: u64,
    unsolicited: u64,
}

impl Pings {
    /// Sends the first ping of the endpoint itself at `first`.
    pub(super) fn begin(first: Instant) -> Self {
        Self { next: Some(first), ..Self::default() }
    }

    /// Puts a pong in line.
    fn wait(&mut self, payload: &[u8], now: Instant, delay: Duration) {
        let due = now.checked_add(delay).unwrap_or_else(|| now + NEVER);
        // Behind all that are due by then: the delay may have been longer before.
        let at = self.pongs.partition_point(|(other, _)| *other <= due);
        self.pongs.insert(at, (due, payload.to_vec()));
    }

    /// Takes the next one that is due, or that makes room for the others.
    ///
    /// "an endpoint MUST send a Pong frame in response" (§5.5.2) to every ping, so one that can't
    /// be held is sent early, not forgotten.
    fn pong_due(&mut self, now: Instant) -> Option<Vec<u8>> {
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
                self.pings.get_or_insert_default().wait(payload, now, delay);
                self.send_pongs_due(now, out);
            }
        }
    }

    /// Does what is due at `now`: pongs that waited, the next ping, and the end of a silent peer.
    pub(super) fn tick_pings(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.pings.as_ref().is_some_and(|p| p.pong_deadline.is_some_and(|at| at <= now)) {
            self.time_out(TimeoutKind::Pong, now, out);
        }
        self.send_pongs_due(now, out);
        let (Some(interval), Some(pings)) = (self.config.ping_interval, &mut self.pings) else {
            return;
        };
        if pings.next.is_none_or(|at| at > now) {
            return;
        }
        pings.next = (self.state == State::Open).then_some(now + interval);
        pings.sent += 1;
        let payload = format!("wscope {}", pings.sent);
        if self.send_ping(payload.as_bytes(), now, out).is_ok() {
            let pings = self.pings.get_or_insert_default();
            pings.pong_deadline.get_or_insert(now + self.config.pong_timeout);
        }
    }

    /// Sends the delayed pongs whose time has come.
    fn send_pongs_due(&mut self, now: Instant, out: &mut Vec<u8>) {
        while let Some(payload) = self.pings.as_mut().and_then(|pings| pings.pong_due(now)) {
            self.write_control(Control::Pong, &payload, out);
        }
    }

    /// Sends no more pings by itself.
    pub(super) fn stop_pings(&mut self) {
        if let Some(pings) = &mut self.pings {
            (pings.next, pings.pong_deadline) = (None, None);
        }
    }

    /// Forgets the pongs that wait.
    pub(super) fn forget_pongs(&mut self) {
        self.pings.iter_mut().for_each(|pings| pings.pongs.clear());
    }

    pub(super) fn remember_ping(&mut self, payload: &[u8], now: Instant) {
        let unanswered = &mut self.pings.get_or_insert_default().unanswered;
        if unanswered.len() == PINGS_REMEMBERED {
            unanswered.pop_front();
        }
        unanswered.push_back((payload.to_vec(), now));
    }

    /// A pong answers the ping with its payload; "an endpoint MAY elect to send a Pong frame for
    /// only the most recently processed Ping frame" (§5.5.3), so earlier ones are answered too.
    pub(super) fn take_pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let pings = self.pings.get_or_insert_default();
        let Some(at) = pings.unanswered.iter().position(|(sent, _)| sent == payload) else {
            pings.unsolicited += 1;
            return None;
        };
        pings.answered += at as u64 + 1;
        let (_, sent_at) = pings.unanswered.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(sent_at))
    }

    /// What became of our pings. [`PingFacts::data_since`] is left to the reader of the stream.
    pub fn ping_facts(&self, now: Instant) -> PingFacts {
        let Some(pings) = &self.pings else { return PingFacts::default() };
        let oldest = pings.unanswered.front();
        PingFacts {
            answered: pings.answered,
            unsolicited: pings.unsolicited,
            waiting: oldest.map(|(_, at)| now.saturating_duration_since(*at)),
            data_since: false,
        }
    }
}
