//! Answers pings that follow queued data, before that data can be passed on.
//!
//! "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response … It SHOULD
//! respond with Pong frame as soon as is practical" (RFC 6455 §5.5.2). A separate decoder reads the
//! received data that is not yet consumed. It only sends the answer; all other processing happens
//! later, when the frame's turn comes.

use std::time::{Duration, Instant};

use crate::event::FrameEvent;
use crate::session::{Endpoint, Observer};
use crate::wire::decoder::{Decoder, DecoderStep, Input};
use crate::wire::{Control, OpCode};

/// How many received bytes may wait.
pub const MOST: usize = 1024 * 1024;

/// How many bytes are copied at once.
const PIECE: usize = 16 * 1024;

/// How many pings are answered ahead. Each answer also needs memory and is shown.
const ANSWERS: u32 = 4096;

/// How long data waits before more is received. Most readers are only a moment late, and data that
/// is received ahead is copied two more times.
pub const DELAY: Duration = Duration::from_millis(250);

/// Searches waiting data for pings. See the [module](self).
#[derive(Debug)]
pub struct ReadAhead {
    /// Since when data waits.
    since: Instant,
    begun: bool,
    /// `None` if no more pings are answered ahead: after a Close or a broken rule.
    decoder: Option<Decoder>,
    /// The received part of a ping's payload.
    payload: Option<Vec<u8>>,
    /// The number of answered pings whose turn has not come.
    answered: u32,
}

impl ReadAhead {
    /// Data waits from now on.
    pub fn new(now: Instant) -> Self {
        Self { since: now, begun: false, decoder: None, payload: None, answered: 0 }
    }

    /// When it is time to begin; `None` once it has begun.
    pub fn due(&self) -> Option<Instant> {
        (!self.begun).then(|| self.since + DELAY)
    }

    /// Begins after the bytes that an observer has consumed.
    pub fn begin(
        &mut self,
        inbound: &Observer,
        endpoint: &mut Endpoint,
        now: Instant,
        tx: &mut Vec<u8>,
    ) {
        (self.begun, self.decoder) = (true, inbound.decoder());
        // If the observer has begun a ping but not reported it, this ping must be the first one
        // that is answered here.
        self.payload = inbound.unreported_ping().map(<[u8]>::to_vec);
        if self.decoder.as_ref().is_some_and(|decoder| decoder.open_frame().is_none()) {
            self.answer(endpoint, now, tx);
        }
    }

    /// Answers a ping that is complete.
    fn answer(&mut self, endpoint: &mut Endpoint, now: Instant, tx: &mut Vec<u8>) {
        if let Some(payload) = self.payload.take() {
            let opcode = OpCode::Control(Control::Ping);
            endpoint.receive(&FrameEvent::Control { opcode, payload: &payload }, now, tx);
            self.answered += 1;
        }
    }

    /// Takes the next bytes, and answers the pings in them.
    pub fn take(&mut self, bytes: &[u8], endpoint: &mut Endpoint, now: Instant, tx: &mut Vec<u8>) {
        // Decoding unmasks in place, so it needs a copy: a piece at a time.
        let mut copy = Vec::with_capacity(bytes.len().min(PIECE));
        for piece in bytes.chunks(PIECE) {
            copy.clear();
            copy.extend_from_slice(piece);
            self.decode(&mut copy, endpoint, now, tx);
        }
    }

    fn decode(
        &mut self,
        bytes: &mut [u8],
        endpoint: &mut Endpoint,
        now: Instant,
        tx: &mut Vec<u8>,
    ) {
        let mut input = Input::new(bytes);
        while let Some(decoder) = &mut self.decoder
            && let Some(step) = decoder.step(&mut input)
            && let Some(header) = decoder.header()
        {
            let is_ping = header.opcode == OpCode::Control(Control::Ping);
            match step {
                DecoderStep::Header => {
                    let legal = header.fin && !(header.rsv1 || header.rsv2 || header.rsv3);
                    let ends = match header.opcode {
                        OpCode::Control(Control::Ping | Control::Pong) => {
                            !legal || header.len > 125 || self.answered == ANSWERS
                        }
                        OpCode::Control(_) => true,
                        OpCode::Data(_) => false,
                    };
                    if ends {
                        self.decoder = None;
                        return;
                    }
                    self.payload = is_ping.then(Vec::new);
                }
                DecoderStep::Payload(n) => {
                    if let Some(payload) = &mut self.payload {
                        payload.extend_from_slice(input.taken(n));
                    }
                }
                DecoderStep::End => self.answer(endpoint, now, tx),
                DecoderStep::Undecodable(_) => return,
            }
        }
    }

    /// Whether this event is a ping that was answered ahead. If so, the next one's turn comes.
    pub fn has_answered(&mut self, event: &FrameEvent<'_>) -> bool {
        let ping = OpCode::Control(Control::Ping);
        let is_ping = matches!(event, FrameEvent::Control { opcode, .. } if *opcode == ping);
        let answered = is_ping && self.answered > 0;
        self.answered -= u32::from(answered);
        answered
    }
}
