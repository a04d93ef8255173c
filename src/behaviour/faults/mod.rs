//! `--fault`: which rule this side breaks on one connection, and when.
//!
//! The bytes come from [`crate::wire::fault`]; this file inserts them between the bytes of a normal
//! session, or removes bytes. A session calls only [`FaultInjector::act`] before bytes are shown
//! and sent, and [`FaultInjector::pace`] and [`FaultInjector::after_flush`] around sending.

mod list;
mod opening;
mod pace;

use std::time::{Duration, Instant};

use crate::behaviour::faults::pace::{FaultPace, ReadPace};
use crate::engine::behaviour::Interference;
use crate::engine::relay::mask;
use crate::net::link::Link;
use crate::session::Endpoint;
use crate::session::endpoint::{AutoPong, State};
use crate::wire::fault::{
    BehaviourFault, Fault, FaultKind, FaultPiece, FaultValue, FrameFault, PaceFault, When, pieces,
};
use crate::wire::handshake::Agreed;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, OpCode};

pub use list::list;

/// The faults of one connection.
pub struct FaultInjector {
    /// Faults that are not due yet.
    waiting: Vec<Fault>,
    /// The agreement, once the connection is open.
    agreed: Agreed,
    /// The number of bytes of our stream so far.
    made: u64,
    /// How many bytes of the buffer it includes.
    seen: usize,
    /// The position where the stream ends, even if more data is produced.
    cut: Option<(u64, Cut)>,
    sending: FaultPace,
    reading: ReadPace,
    keeps_tcp: bool,
    idle: Option<Duration>,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// With its end.
    Fin,
    /// With a reset.
    Rst,
    /// With silence.
    Mute,
}

impl FaultInjector {
    /// Prepares the faults of a connection; `None` if there are none.
    pub fn of(faults: Vec<Fault>) -> Option<Box<Self>> {
        let keeps_tcp = faults
            .iter()
            .any(|fault| fault.info.kind == FaultKind::Behaviour(BehaviourFault::KeepTcp));
        let injector = Self {
            waiting: faults,
            agreed: Agreed::default(),
            made: 0,
            seen: 0,
            cut: None,
            sending: FaultPace::default(),
            reading: ReadPace::default(),
            keeps_tcp,
            idle: None,
        };
        (!injector.waiting.is_empty()).then(|| Box::new(injector))
    }

    /// The connection is open. The buffer begins with `head` bytes of a 101, of which none has been
    /// sent.
    pub fn begin(&mut self, agreed: &Agreed, head: usize, now: Instant) {
        self.agreed = agreed.clone();
        (self.made, self.seen) = (head as u64, head);
        for fault in &self.waiting {
            let FaultKind::Pace(kind) = fault.info.kind else { continue };
            match kind {
                PaceFault::Delay => self.sending.hold(0, now + fault.time()),
                PaceFault::Pause => self.sending.hold(self.made / 2, now + fault.time()),
                PaceFault::Bytewise => self.sending.drip(fault.time(), Some(self.made), now),
            }
        }
        let of_handshake = |kind| matches!(kind, FaultKind::Frames(_) | FaultKind::Behaviour(_));
        self.waiting.retain(|fault| of_handshake(fault.info.kind));
    }

    fn fire(
        &mut self,
        fault: &Fault,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) -> String {
        match fault.info.kind {
            FaultKind::Frames(kind) => {
                match pieces(fault, self.agreed.deflate.as_ref(), endpoint.role()) {
                    Ok(pieces) => {
                        for mut piece in pieces {
                            if let FaultPiece::Frame(frame) = &mut piece {
                                frame.mask = frame.mask.or_else(|| mask(kind, endpoint));
                            }
                            self.send(&piece, endpoint, tx, now);
                        }
                        if kind == FrameFault::DeflateBomb {
                            // Our own compression does not know how this changed the peer's window.
                            endpoint.set_compress(false);
                        }
                    }
                    Err(error) => {
                        return format!("fault {}: not sent: {error}", fault.info.name);
                    }
                }
            }
            FaultKind::Behaviour(behaviour) => self.behaviour(behaviour, fault, endpoint, tx, now),
            FaultKind::Head(_) | FaultKind::Answer(_) | FaultKind::Pace(_) => {}
        }
        fault.to_string()
    }

    fn send(
        &mut self,
        piece: &FaultPiece,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) {
        match piece {
            FaultPiece::Frame(frame) => endpoint.send_raw(frame, now, tx),
            FaultPiece::Bytes(bytes) => tx.extend_from_slice(bytes),
            FaultPiece::End => {
                self.trim(tx);
                self.cut_here(Cut::Fin);
            }
        }
    }

    fn behaviour(
        &mut self,
        behaviour: BehaviourFault,
        fault: &Fault,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) {
        match behaviour {
            BehaviourFault::Rst => self.cut_at(&fault.value, Cut::Rst),
            BehaviourFault::Fin => self.cut_at(&fault.value, Cut::Fin),
            BehaviourFault::IdleEnd => self.idle = Some(fault.time()),
            BehaviourFault::Drip => self.sending.drip(fault.time(), None, now),
            BehaviourFault::SlowReader => self.reading = ReadPace::slow(fault.number()),
            BehaviourFault::NeverRead => self.reading = ReadPace::Never,
            BehaviourFault::NoPong => endpoint.set_auto_pong(AutoPong::Off),
            BehaviourFault::NoCloseAnswer => endpoint.set_auto_close(false),
            BehaviourFault::KeepTcp => {
                let opcode = OpCode::Control(Control::Close);
                let payload = 1000_u16.to_be_bytes().to_vec();
                if endpoint.is_open() {
                    endpoint.send_raw(
                        &RawFrame { opcode, payload, ..RawFrame::default() },
                        now,
                        tx,
                    );
                }
            }
            BehaviourFault::Silence => {
                endpoint.set_auto_pong(AutoPong::Off);
                endpoint.set_auto_close(false);
                self.cut_here(Cut::Mute);
            }
        }
    }

    fn cut_at(&mut self, place: &FaultValue, cut: Cut) {
        match place {
            FaultValue::Number(at) => self.cut = Some((*at, cut)),
            _ => self.cut_here(cut),
        }
    }

    fn cut_here(&mut self, cut: Cut) {
        self.cut.get_or_insert((self.made, cut));
    }
}

impl Interference for FaultInjector {
    fn act(
        &mut self,
        messages: u64,
        last_received: Instant,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) -> Vec<String> {
        self.reading.tick(now);
        self.trim(tx);
        let mut reports = Vec::new();
        let due = |fault: &mut Fault| match fault.when {
            When::Open => true,
            When::Message(number) => number <= messages,
        };
        for fault in self.waiting.extract_if(.., due).collect::<Vec<_>>() {
            reports.push(self.fire(&fault, endpoint, tx, now));
            self.trim(tx);
        }
        if self.idle.is_some_and(|idle| last_received + idle <= now) && endpoint.is_open() {
            self.idle = None;
            self.cut_here(Cut::Fin);
            reports.push("the peer was silent, so its connection ends".to_owned());
        }
        reports
    }

    fn trim(&mut self, tx: &mut Vec<u8>) {
        let added = tx.len().saturating_sub(self.seen) as u64;
        let room = self.cut.map_or(added, |(at, _)| at.saturating_sub(self.made).min(added));
        tx.truncate(tx.len() - (added - room) as usize);
        self.made += room;
        self.seen = tx.len();
    }

    fn pace(&mut self, link: &mut Link, now: Instant) {
        let flushed = self.made.saturating_sub(link.pending() as u64);
        let send = self.sending.allowed(flushed, now);
        link.limit(send, self.reading.most_at_once());
    }

    fn after_flush(&mut self, link: &mut Link, endpoint: &mut Endpoint, now: Instant) {
        self.seen = link.tx.len();
        let flushed = self.made.saturating_sub(link.pending() as u64);
        self.sending.flushed(flushed, link.pending() > 0, now);
        let Some((at, cut)) = self.cut else { return };
        if self.made < at || link.pending() > 0 || endpoint.state() == State::Closed {
            return;
        }
        match cut {
            Cut::Mute => {}
            Cut::Fin => endpoint.drop_connection(),
            Cut::Rst => {
                link.abort();
                endpoint.drop_connection();
            }
        }
    }

    fn may_read(&self, link: &Link) -> bool {
        // The end must be handled, or the connection would stay open forever.
        self.reading.may_read() || link.is_read_closed()
    }

    fn has_read(&mut self, n: usize, now: Instant) {
        self.reading.has_read(n, now);
    }

    fn keeps_transport(&self) -> bool {
        self.keeps_tcp
    }

    fn ends_in_order(&self) -> bool {
        matches!(self.cut, Some((_, Cut::Fin)))
    }

    fn deadline(&self, last_received: Instant) -> Option<Instant> {
        let idle = self.idle.map(|idle| last_received + idle);
        [idle, self.sending.deadline(), self.reading.deadline()].into_iter().flatten().min()
    }
}
