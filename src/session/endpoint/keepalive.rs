//! Pings and pongs, RFC 6455 §5.5.2 and §5.5.3: when a pong is due, and how long the peer's pongs
//! took.

use std::time::{Duration, Instant};

use super::pings::{PingFacts, PongMismatch};
use super::{AutoPong, Endpoint, State};
use crate::event::TimeoutKind;
use crate::wire::Control;

/// How many pings are remembered for their round trip.
const PINGS_REMEMBERED: usize = 1024;

impl Endpoint {
    /// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it
    /// already received a Close frame" and with "identical Application data" (§5.5.2, §5.5.3).
    /// Every ping gets its own pong, even after our own Close, which forbids only "any more data
    /// frames" (§5.5.1).
    pub(super) fn answer_ping(&mut self, payload: &[u8], now: Instant, out: &mut Vec<u8>) {
        match self.config.auto_pong {
            AutoPong::On => self.write_control(Control::Pong, payload, out),
            AutoPong::Off => self.pings.get_or_insert_default().ignored += 1,
            AutoPong::Delay(delay) => {
                self.pings.get_or_insert_default().wait(payload, now, delay);
                self.send_pongs_due(now, out);
            }
        }
    }

    /// Does what is due at `now`: sends waiting pongs and the next ping, and fails the connection
    /// with a silent peer.
    pub(super) fn tick_pings(&mut self, now: Instant, out: &mut Vec<u8>) {
        let Some(pings) = &self.pings else { return };
        if pings.pong_deadline.is_some_and(|at| at <= now) {
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

    /// Sends the delayed pongs whose time has arrived.
    fn send_pongs_due(&mut self, now: Instant, out: &mut Vec<u8>) {
        while let Some(payload) = self.pings.as_mut().and_then(|pings| pings.pong_due(now)) {
            self.write_control(Control::Pong, &payload, out);
        }
    }

    /// Stops sending pings automatically.
    pub(super) fn stop_pings(&mut self) {
        if let Some(pings) = &mut self.pings {
            (pings.next, pings.pong_deadline) = (None, None);
        }
    }

    /// Drops waiting pongs.
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
    /// only the most recently processed Ping frame" (§5.5.3), so the pong also answers earlier
    /// pings.
    pub(super) fn take_pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let pings = self.pings.get_or_insert_default();
        let Some(at) = pings.unanswered.iter().position(|(sent, _)| sent == payload) else {
            pings.unsolicited += 1;
            // An empty pong may be a heartbeat, unrelated to the ping.
            if let Some((ping, _)) = pings.unanswered.front().filter(|_| !payload.is_empty()) {
                let is_start = ping.starts_with(payload);
                let (ping, pong) = (ping.len(), payload.len());
                pings.mismatched = Some(PongMismatch { ping, pong, is_start });
            }
            return None;
        };
        pings.answered += at as u64 + 1;
        let (_, sent_at) = pings.unanswered.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(sent_at))
    }

    /// The results of our pings. The reader of the stream sets [`PingFacts::data_since`].
    pub fn ping_facts(&self, now: Instant) -> PingFacts {
        let Some(pings) = &self.pings else { return PingFacts::default() };
        let oldest = pings.unanswered.front();
        PingFacts {
            answered: pings.answered,
            ignored: pings.ignored + pings.waiting() as u64,
            unsolicited: pings.unsolicited,
            mismatched: pings.mismatched,
            waiting: oldest.map(|(_, at)| now.saturating_duration_since(*at)),
            unanswered: pings.unanswered.len(),
            data_since: false,
        }
    }
}
