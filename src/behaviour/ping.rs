//! `wscope ping`: sends pings, or messages that the peer echoes, at an interval, and reports the
//! result of each.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::config::PingPlan;
use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::outbox::Producer;
use crate::event::{FrameEvent, Stamp};
use crate::net::clock::wall_micros;
use crate::net::stdio::Stdout;
use crate::ui::JsonPrinter;
use crate::ui::ping::{PingEvent, PingRoundTrips};
use crate::wire::{CloseCode, Control, Data, OpCode};

/// The maximum number of unanswered pings, including lost ones.
const WAITING: usize = 1024;

/// The results of the pings of a run. It outlives the connection.
pub struct PingLog {
    /// The numbers.
    pub trips: PingRoundTrips,
    /// Frames and messages of the peer that answer no ping.
    pub others: u64,
    /// The printer of each result, if results are printed.
    pub printer: Option<PingPrinter>,
}

/// How results are printed.
pub enum PingPrinter {
    /// As a line that names the host.
    Text {
        /// The host, safe for a terminal.
        host: String,
        /// Messages are sent instead of pings.
        echo: bool,
    },
    /// As an object.
    Json(JsonPrinter),
}

impl PingLog {
    /// A log without results.
    pub fn new(printer: Option<PingPrinter>) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { trips: PingRoundTrips::default(), others: 0, printer }))
    }

    fn take(&mut self, event: &PingEvent, cx: &mut Context<'_>) {
        self.trips.take(event);
        match &mut self.printer {
            None => {}
            Some(PingPrinter::Text { host, echo }) => {
                let line = event.line(host, *echo);
                cx.stdout.buffer().extend_from_slice(line.as_bytes());
                cx.stdout.buffer().push(b'\n');
            }
            Some(PingPrinter::Json(printer)) => {
                let stamp = Stamp { micros: wall_micros(), conn: cx.conn };
                printer.ping(&stamp, event, cx.stdout.buffer());
            }
        }
    }
}

/// Sends the planned pings. Closes when all have been answered or given up.
pub struct Pinger {
    plan: PingPlan,
    log: Rc<RefCell<PingLog>>,
    /// When the next one is due.
    next: Instant,
    /// When it ends in any case.
    until: Option<Instant>,
    sent: u64,
    /// The oldest first.
    waiting: VecDeque<Probe>,
}

/// A ping without an answer.
struct Probe {
    seq: u64,
    payload: Vec<u8>,
    sent_at: Instant,
    /// It counts as lost, which has been printed.
    is_lost: bool,
}

impl Pinger {
    /// For a connection that is open now.
    pub fn new(
        plan: PingPlan,
        log: &Rc<RefCell<PingLog>>,
        until: Option<Instant>,
        now: Instant,
    ) -> Self {
        let (log, waiting) = (Rc::clone(log), VecDeque::new());
        Self { plan, log, next: now + plan.first, until, sent: 0, waiting }
    }

    fn has_more(&self) -> bool {
        self.plan.count.is_none_or(|count| self.sent < count)
    }

    fn send(&mut self, now: Instant, cx: &mut Context<'_>) {
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        let seq = self.sent + 1;
        let payload = payload(seq, self.plan.size);
        let sent = match self.plan.echo {
            true => cx.sender.message(Data::Text, &payload),
            false => cx.sender.ping(&payload),
        };
        if sent.is_ok() {
            self.sent = seq;
            self.log.borrow_mut().trips.sent = seq;
            self.waiting.push_back(Probe { seq, payload, sent_at: now, is_lost: false });
        }
    }

    /// Takes a possible answer to the oldest ping with this payload.
    fn answered(&mut self, payload: &[u8], cx: &mut Context<'_>) {
        let now = cx.sender.now;
        let mut log = self.log.borrow_mut();
        let bytes = payload.len();
        let Some(at) = self.waiting.iter().position(|probe| probe.payload == payload) else {
            log.others += 1;
            // A message that is not an echo belongs to the application.
            if !self.plan.echo {
                log.take(&PingEvent::Stray { bytes }, cx);
            }
            return;
        };
        let Some(Probe { seq, sent_at, is_lost, .. }) = self.waiting.remove(at) else { return };
        let time = now.saturating_duration_since(sent_at);
        let event = match is_lost {
            false => PingEvent::Answered { seq, bytes, time },
            true => PingEvent::Late { seq, bytes, time },
        };
        log.take(&event, cx);
    }

    /// Counts pings as lost whose time limit has passed.
    fn give_up(&mut self, now: Instant, cx: &mut Context<'_>) {
        let after = self.plan.timeout;
        for probe in &mut self.waiting {
            if probe.sent_at + after > now {
                break;
            }
            if !std::mem::replace(&mut probe.is_lost, true) {
                self.log.borrow_mut().take(&PingEvent::Lost { seq: probe.seq, after }, cx);
            }
        }
    }

    fn first_waiting(&self) -> Option<&Probe> {
        self.waiting.iter().find(|probe| !probe.is_lost)
    }
}

impl Behaviour for Pinger {
    /// An echo is compared as a whole.
    fn streams(&self) -> bool {
        !self.plan.echo
    }

    fn on_message(&mut self, _: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        match self.plan.echo {
            true => self.answered(content, cx),
            false => self.log.borrow_mut().others += 1,
        }
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        match event {
            FrameEvent::Control { opcode: OpCode::Control(Control::Pong), payload } => {
                self.answered(payload, cx)
            }
            FrameEvent::Control { opcode: OpCode::Control(Control::Ping), .. }
            | FrameEvent::Message(_) => self.log.borrow_mut().others += 1,
            _ => {}
        }
        Ok(())
    }

    /// A slow reader of stdout slows everything down; nothing is dropped.
    fn is_full(&self, stdout: &Stdout) -> bool {
        stdout.is_full()
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let now = cx.sender.now;
        if !cx.sender.is_open() {
            return Ok(());
        }
        self.give_up(now, cx);
        let all = !self.has_more() && self.first_waiting().is_none();
        if all || cx.stdout.is_closed() || self.until.is_some_and(|at| at <= now) {
            // The connection is open.
            let _ = cx.sender.close(Some(CloseCode::Normal.into()), "");
            return Ok(());
        }
        if self.has_more() && self.next <= now {
            // If the peer or the reader of stdout is slow, this ping is skipped.
            let crowded = self.waiting.len() == WAITING && !self.waiting[0].is_lost;
            if !crowded
                && !cx.stdout.is_full()
                && cx.sender.outbox.has_room(Producer::Hand, pending)
            {
                self.send(now, cx);
            }
            // After a pause of the system, missed pings are not made up for.
            let interval = self.plan.interval;
            self.next = (self.next + interval).max(now + interval / 2);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        let next = self.has_more().then_some(self.next);
        let lost = self.first_waiting().map(|probe| probe.sent_at + self.plan.timeout);
        [next, lost, self.until].into_iter().flatten().min()
    }
}

/// The number in decimal, with this many digits.
fn payload(seq: u64, size: usize) -> Vec<u8> {
    let text = format!("{seq:0size$}").into_bytes();
    text[text.len() - size..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_as_long_as_asked_and_ends_with_the_number() {
        assert_eq!(payload(7, 4), b"0007");
        assert_eq!(payload(12_345, 3), b"345");
        assert_eq!(payload(1, 0), b"");
        assert_eq!(payload(u64::MAX, 125).len(), 125);
    }
}
