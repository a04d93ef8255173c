//! The faults of one direction of a relay: `--fault`.
//!
//! The bytes come from [`crate::wire::fault`]. Faults that omit an answer remove it here: the pongs
//! and the Close of the other end.

use std::time::{Duration, Instant};

use crate::session::Endpoint;
use crate::wire::Control;
use crate::wire::fault::{BehaviourFault, Fault, FaultValue, FrameFault, When};
use crate::wire::mask::MaskKey;

/// What goes wrong in a direction.
#[derive(Debug, Default)]
pub struct Mischief {
    /// Those whose moment is to come.
    waiting: Vec<Fault>,
    /// Control frames that do not pass.
    dropped: Vec<Control>,
    /// Bytes that have passed.
    passed: u64,
    /// The stream stops there; whether with a reset.
    cut: Option<(u64, bool)>,
    /// It has stopped so.
    end: Option<bool>,
    /// Nothing passes any more.
    mute: bool,
    /// The end of the stream does not pass.
    keeps: bool,
    /// The stream ends when the receiver was silent for so long.
    idle: Option<Duration>,
    slow: Vec<Slow>,
}

/// How a direction becomes slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It passes a byte at each interval.
    Drip(Duration),
    /// What its receiver sends is read at so many bytes a second.
    Reader(u64),
    /// What its receiver sends is never read.
    NeverRead,
}

impl Mischief {
    /// Prepares faults.
    pub fn new(waiting: Vec<Fault>) -> Self {
        Self { waiting, ..Self::default() }
    }

    /// Takes the faults that are due after so many messages of the receiver.
    pub fn due(&mut self, messages: u64) -> Vec<Fault> {
        let due = |fault: &mut Fault| match fault.when {
            When::Open => true,
            When::Message(number) => number <= messages,
        };
        self.waiting.extract_if(.., due).collect()
    }

    /// Does what is more than frames between those that pass. `pending` bytes are on their way.
    pub fn behave(&mut self, behaviour: BehaviourFault, fault: &Fault, pending: usize) {
        let here = self.passed + pending as u64;
        let place = match fault.value {
            FaultValue::Number(at) => at,
            _ => here,
        };
        match behaviour {
            BehaviourFault::Rst => self.cut = Some((place, true)),
            BehaviourFault::Fin => self.cut = Some((place, false)),
            BehaviourFault::Drip => self.slow.push(Slow::Drip(fault.time())),
            BehaviourFault::SlowReader => self.slow.push(Slow::Reader(fault.number())),
            BehaviourFault::NeverRead => self.slow.push(Slow::NeverRead),
            BehaviourFault::NoPong => self.dropped.push(Control::Pong),
            BehaviourFault::NoCloseAnswer => self.dropped.push(Control::Close),
            BehaviourFault::KeepTcp => self.keeps = true,
            BehaviourFault::Silence => (self.mute, self.keeps) = (true, true),
            BehaviourFault::IdleEnd => self.idle = Some(fault.time()),
        }
    }

    /// Takes how it becomes slow.
    pub fn take_slow(&mut self) -> Vec<Slow> {
        std::mem::take(&mut self.slow)
    }

    /// Whether a control frame does not pass.
    pub fn drops(&self, control: Control) -> bool {
        self.dropped.contains(&control)
    }

    /// Ends the stream of a receiver that was silent for too long; returns whether that is now.
    pub fn looks_at_silence(&mut self, heard: Instant, now: Instant) -> bool {
        let over = self.idle.take_if(|idle| heard + *idle <= now).is_some();
        if over {
            self.cut = Some((self.passed, false));
        }
        over
    }

    /// When that is.
    pub fn deadline(&self, heard: Instant) -> Option<Instant> {
        self.idle.map(|idle| heard + idle)
    }

    /// Takes away what must not pass.
    pub fn trim(&mut self, out: &mut Vec<u8>) {
        if self.mute {
            out.clear();
        }
        if let Some((at, reset)) = self.cut {
            let room = at.saturating_sub(self.passed);
            if out.len() as u64 >= room {
                out.truncate(room as usize);
                (self.mute, self.end) = (true, Some(reset));
            }
        }
        self.passed += out.len() as u64;
    }

    /// How the stream has stopped: with a reset, or in order.
    pub fn end(&self) -> Option<bool> {
        self.end
    }

    /// Whether the end of the stream is held back.
    pub fn keeps_transport(&self) -> bool {
        self.keeps
    }
}

/// The mask key of a frame, where the role demands one and the fault is not its absence.
pub fn mask(kind: FrameFault, endpoint: &mut Endpoint) -> Option<MaskKey> {
    let key = endpoint.key()?;
    match kind {
        FrameFault::Unmasked => None,
        // What belongs to one frame is read as part of another, so it travels as it is.
        FrameFault::LengthTooLong | FrameFault::LengthTooShort => Some([0; 4]),
        _ => Some(key),
    }
}
