//! One direction of a relay between its two legs: first the gate, then the delay of `--latency` and
//! `--throttle`.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::gate::Gate;
use crate::config::rule::Pacing;
use crate::engine::connection::Connection;
use crate::engine::outbox::Producer;
use crate::engine::runtime::Runtime;
use crate::event::Event;
use crate::net::link::HIGH_WATER;
use crate::net::random;

/// The shortest time between two pieces of throttled data.
const TICK: Duration = Duration::from_millis(10);

/// One direction. Without a gate and a pace, bytes go directly from leg to leg.
#[derive(Default)]
pub struct Passage {
    /// The gate, if interventions are possible.
    pub gate: Option<Box<Gate>>,
    pace: Option<Box<Pace>>,
    ended: bool,
    /// A fault stops reading from the sender.
    pub unread: bool,
}

/// The deliberate delays.
struct Pace {
    pacing: Pacing,
    /// The waiting data, each piece with its time.
    waiting: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// When the rate allows more data.
    free: Instant,
}

impl Passage {
    /// Delays data from now on.
    pub fn pace(&mut self, pacing: Pacing, now: Instant) {
        let (waiting, bytes) = (VecDeque::new(), 0);
        self.pace =
            pacing.takes_time().then(|| Box::new(Pace { pacing, waiting, bytes, free: now }));
    }

    /// Limits the direction to this many bytes per second from now on.
    pub fn slow_down(&mut self, rate: f64, now: Instant) {
        match &mut self.pace {
            Some(pace) => pace.pacing.rate = Some(rate),
            None => self.pace(Pacing::of_rate(rate), now),
        }
    }

    /// Forwards the received data of one leg, as far as the other leg has room, and then the end of
    /// its stream.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn pass(
        &mut self,
        from: &mut Connection,
        to: &mut Connection,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        if self.gate.is_none() && self.pace.is_none() {
            from.relay_to(to, now);
            return Ok(());
        }
        let lost = from.is_lost();
        // The action on a message is reported after the message.
        let decoded = from.is_decoded() || self.gate.is_none() || lost;
        if self.unread && !lost {
            if !from.is_read_closed() {
                return Ok(());
            }
            // The end must be handled, or the connection would stay open forever.
            drop(from.take_received());
        }
        if !from.received_bytes().is_empty() && decoded && (self.has_room() || lost) {
            let received = from.take_received();
            match &mut self.gate {
                Some(gate) => gate.take(&received, runtime, now)?,
                None => self.wait(received, now),
            }
        }
        if let Some(gate) = &mut self.gate {
            gate.go_wrong(to.received().messages, to.active(), runtime, now)?;
            let over = from.received_bytes().is_empty() && (from.has_peer_ended() || lost);
            match over && !std::mem::replace(&mut self.ended, over) {
                true => {
                    gate.finish(runtime, now)?;
                    if lost && gate.waits() {
                        let text = "held messages are discarded: the connection has ended";
                        runtime.report(from.id(), &Event::Note(text))?;
                    }
                }
                false => gate.advance(runtime, now)?,
            }
            if lost
                || self.pace.is_some() && self.has_room_to_wait()
                || to.has_room(Producer::Message)
            {
                let out = self.gate.as_mut().map(|gate| gate.take_out());
                self.wait_or_send(out.unwrap_or_default(), to, now);
            }
        }
        if let Some(pace) = &mut self.pace
            && to.has_room(Producer::Message)
        {
            let due = pace.due(now, lost);
            if !due.is_empty() {
                to.sender(now).bytes(&due);
            }
        }
        let empty = from.received_bytes().is_empty()
            && self.gate.as_ref().is_none_or(|gate| gate.is_empty())
            && self.pace.as_ref().is_none_or(|pace| pace.waiting.is_empty());
        let keeps = self.gate.as_ref().is_some_and(|gate| gate.keeps_transport());
        match self.gate.as_ref().and_then(|gate| gate.end()) {
            Some(true) => to.sender(now).abort(),
            Some(false) if to.is_half_closed() => {}
            Some(false) => to.sender(now).half_close(),
            None if empty && (!keeps || to.has_peer_ended()) || lost => from.relay_to(to, now),
            None => {}
        }
        Ok(())
    }

    fn wait_or_send(&mut self, out: Vec<u8>, to: &mut Connection, now: Instant) {
        if out.is_empty() {
        } else if self.pace.is_some() {
            self.wait(out, now);
        } else {
            to.sender(now).bytes(&out);
        }
    }

    fn wait(&mut self, bytes: Vec<u8>, now: Instant) {
        let Some(pace) = &mut self.pace else { return };
        // Earlier data must leave earlier.
        let last = pace.waiting.back().map(|(at, _)| *at);
        let at = (now + pace.pacing.delay(random::nonce())).max(last.unwrap_or(now));
        pace.bytes += bytes.len();
        pace.waiting.push_back((at, bytes));
    }

    fn has_room(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.has_room()) && self.has_room_to_wait()
    }

    fn has_room_to_wait(&self) -> bool {
        self.pace.as_ref().is_none_or(|pace| pace.bytes < HIGH_WATER)
    }

    /// The number of waiting bytes.
    pub fn held(&self) -> usize {
        let gate = self.gate.as_ref().map_or(0, |gate| gate.held());
        gate + self.pace.as_ref().map_or(0, |pace| pace.bytes)
    }

    /// Whether data can go to the other leg now.
    pub fn can_move(&self, from: &Connection, to: &Connection) -> bool {
        let room = match self.pace {
            Some(_) => self.has_room_to_wait(),
            None => to.has_room(Producer::Message),
        };
        let received = !from.received_bytes().is_empty() && from.is_decoded() && self.has_room();
        let comes = (!self.unread || from.is_read_closed())
            && received
            && (self.gate.is_some() || self.pace.is_some());
        comes || room && self.gate.as_ref().is_some_and(|gate| gate.can_move())
    }

    /// When waiting data is due, if the other leg has room for it.
    pub fn deadline(&self, to: &Connection) -> Option<Instant> {
        if !to.has_room(Producer::Message) {
            return None;
        }
        let gate = self.gate.as_ref().and_then(|gate| {
            [gate.deadline(), gate.silence_ends(to.active())].into_iter().flatten().min()
        });
        let pace = self.pace.as_ref().and_then(|pace| {
            let (at, _) = pace.waiting.front()?;
            Some((*at).max(pace.free))
        });
        [gate, pace].into_iter().flatten().min()
    }
}

impl Pace {
    /// Takes the data that may leave now; all data if the connection is lost.
    fn due(&mut self, now: Instant, lost: bool) -> Vec<u8> {
        let mut due = Vec::new();
        while let Some((at, bytes)) = self.waiting.front_mut()
            && (lost || *at <= now && self.free <= now)
        {
            let most = match self.pacing.rate {
                Some(rate) if !lost => {
                    let most = (rate * TICK.as_secs_f64()).ceil().max(1.0) as usize;
                    let most = most.min(bytes.len());
                    // Missed intervals are not made up for, except one.
                    let from = self.free.max(now.checked_sub(TICK).unwrap_or(now));
                    self.free = from + Duration::from_secs_f64(most as f64 / rate);
                    most
                }
                _ => bytes.len(),
            };
            due.extend(bytes.drain(..most));
            self.bytes -= most;
            if bytes.is_empty() {
                self.waiting.pop_front();
            }
        }
        due
    }
}
