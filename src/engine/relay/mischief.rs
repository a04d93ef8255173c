//! The faults of one direction of a relay: `--fault`.
//!
//! The bytes come from [`crate::wire::fault`]. Faults that omit an answer remove it here: the pongs
//! and the Close of the other end.

use std::time::{Duration, Instant};

use crate::session::Endpoint;
use crate::wire::Control;
use crate::wire::fault::{BehaviourFault, Fault, FaultValue, FrameFault, When};
use crate::wire::mask::MaskKey;

/// The faults of a direction.
#[derive(Debug, Default)]
pub struct Mischief {
    /// Faults that are not due yet.
    waiting: Vec<Fault>,
    /// Control frames that are not forwarded.
    dropped: Vec<Control>,
    /// The number of forwarded bytes.
    passed: u64,
    /// The position where the stream ends, and whether with a reset.
    cut: Option<(u64, bool)>,
    /// The stream has ended in this way.
    end: Option<bool>,
    /// Nothing is forwarded any more.
    mute: bool,
    /// The end of the stream is not forwarded.
    keeps: bool,
    /// The stream ends after the receiver has been silent for this time.
    idle: Option<Duration>,
    slow: Vec<Slow>,
}

/// How a direction becomes slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// Forwards one byte in each interval.
    Drip(Duration),
    /// Reads the receiver's data at this many bytes per second.
    Reader(u64),
    /// Never reads the receiver's data.
    NeverRead,
}

impl Mischief {
    /// Prepares faults.
    pub fn new(waiting: Vec<Fault>) -> Self {
        Self { waiting, ..Self::default() }
    }

    /// Takes the faults that are due after this many messages of the receiver.
    pub fn due(&mut self, messages: u64) -> Vec<Fault> {
        let due = |fault: &mut Fault| match fault.when {
            When::Open => true,
            When::Message(number) => number <= messages,
        };
        self.waiting.extract_if(.., due).collect()
    }

    /// Starts a fault that is more than frames between other frames. `pending` bytes are waiting.
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

    /// Takes the slowdowns.
    pub fn take_slow(&mut self) -> Vec<Slow> {
        std::mem::take(&mut self.slow)
    }

    /// Whether a control frame is not forwarded.
    pub fn drops(&self, control: Control) -> bool {
        self.dropped.contains(&control)
    }

    /// Ends the stream of a receiver that was silent for too long; returns whether it ends now.
    pub fn looks_at_silence(&mut self, heard: Instant, now: Instant) -> bool {
        let over = self.idle.take_if(|idle| heard + *idle <= now).is_some();
        if over {
            self.cut = Some((self.passed, false));
        }
        over
    }

    /// When [`Self::looks_at_silence`] ends the stream.
    pub fn deadline(&self, heard: Instant) -> Option<Instant> {
        self.idle.map(|idle| heard + idle)
    }

    /// Removes data that must not be forwarded.
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

    /// How the stream has ended: with a reset (true) or in order.
    pub fn end(&self) -> Option<bool> {
        self.end
    }

    /// Whether the end of the stream is held back.
    pub fn keeps_transport(&self) -> bool {
        self.keeps
    }
}

/// The mask key of a frame, if the role requires one, unless the fault is the missing mask.
pub fn mask(kind: FrameFault, endpoint: &mut Endpoint) -> Option<MaskKey> {
    let key = endpoint.key()?;
    match kind {
        FrameFault::Unmasked => None,
        // Bytes of one frame are read as part of another frame, so the key must not change them.
        FrameFault::LengthTooLong | FrameFault::LengthTooShort => Some([0; 4]),
        _ => Some(key),
    }
}
