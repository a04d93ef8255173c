//! The data that an endpoint sends: messages, fragments, control frames, and frames made by hand.

use std::time::Instant;

use super::sent::{self, Sent};
use super::{Endpoint, State};
use crate::event::{Cause, Direction, Side};
use crate::session::framing::{Situation, content_faults, judge};
use crate::wire::ViolationKind;
use crate::wire::close::{self, CloseBody, MAX_REASON_LEN};
use crate::wire::mask::MaskKey;
use crate::wire::writer::{self, RawFrame};
use crate::wire::{Control, Data, FrameHeader, OpCode, Role};

/// Why something can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// "An endpoint MUST NOT send … any more data frames after sending a Close frame" (§5.5.1).
    #[error("the connection is closing, nothing more can be sent")]
    NotOpen,
    /// A code that must never be sent.
    #[error(
        "close code {0} must not be sent (RFC 6455 §7.4); use 1000 to 1003, 1007 to 1014 or 3000 to 4999"
    )]
    CloseCode(u16),
    /// The reason is too long.
    #[error("a close reason has at most {MAX_REASON_LEN} bytes, this one has {0}")]
    ReasonTooLong(usize),
    /// The payload is too long.
    #[error("a control frame has at most 125 bytes of payload, this one has {0}")]
    ControlTooLong(usize),
}

impl Endpoint {
    /// Sends a whole message.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] once a Close has been sent or received.
    pub fn send_message(
        &mut self,
        opcode: Data,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.send_fragment(opcode, payload, true, out)
    }

    /// Sends the next fragment of a message; the first fragment decides the `opcode`.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] once a Close has been sent or received.
    pub fn send_fragment(
        &mut self,
        opcode: Data,
        payload: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.must_be_open()?;
        let first = !self.fragmenting;
        self.fragmenting = !last;
        self.left_open = !last;
        if first {
            self.mixed = false;
            // All fragments of a message are compressed, or none (RFC 7692 §6.1).
            self.compressor.iter_mut().for_each(|c| c.compressing = self.config.compress);
        }
        self.messages_sent += u64::from(last);
        if self.keeps_sent {
            self.sent.get_or_insert_default().take(opcode, payload, first);
        }
        let opcode = OpCode::Data(if first { opcode } else { Data::Continue });
        let key = self.key();
        match self.compressor.as_mut().filter(|compressor| compressor.compressing) {
            None => writer::write_frame(opcode, last, false, key, payload, out),
            Some(compressor) => {
                let mut compressed = Vec::new();
                compressor.deflater.deflate(payload, last, &mut compressed);
                // "set the RSV1 bit of … only the first fragment" (RFC 7692 §7.2.1, §6.1).
                writer::write_frame(opcode, last, first, key, &compressed, out);
            }
        }
        Ok(())
    }

    /// The memory that compression keeps between messages, in bytes.
    pub fn held(&self) -> usize {
        self.compressor.as_ref().map_or(0, |compressor| compressor.deflater.held())
    }

    /// The number of messages sent completely, including those in frames made by hand.
    pub fn messages_sent(&self) -> u64 {
        self.messages_sent
    }

    /// Sets whether the beginnings of sent messages are kept, for diagnostics.
    pub fn keep_sent(&mut self, on: bool) {
        self.keeps_sent = on;
    }

    /// Whether the beginnings of sent messages are kept.
    pub fn keeps_sent(&self) -> bool {
        self.keeps_sent
    }

    /// The beginnings of the first sent messages, at most [`Self::MOST_KEPT`] with the last one;
    /// empty if they are not kept.
    pub fn kept_sent(&self) -> impl Iterator<Item = (Data, &[u8])> {
        self.sent.as_deref().into_iter().flat_map(Sent::all)
    }

    /// How many sent messages are kept.
    pub const MOST_KEPT: usize = sent::MOST;

    /// Bytes of content of the last message, as far as it was sent; 0 if it is not kept.
    pub fn last_sent_len(&self) -> u64 {
        self.sent.as_deref().map_or(0, |sent| sent.last_len())
    }

    /// Sends a ping and remembers it for its round trip.
    ///
    /// # Errors
    ///
    /// The connection is not open, or the payload exceeds 125 bytes.
    pub fn send_ping(
        &mut self,
        payload: &[u8],
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.send_control(Control::Ping, payload, out)?;
        self.remember_ping(payload, now);
        Ok(())
    }

    /// Sends an unsolicited pong (§5.5.3).
    ///
    /// # Errors
    ///
    /// The connection is not open, or the payload exceeds 125 bytes.
    pub fn send_pong(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_control(Control::Pong, payload, out)
    }

    /// Starts the closing handshake.
    ///
    /// # Errors
    ///
    /// The connection is not open, the code may not be sent, or the reason is too long.
    pub fn close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.check_close(code, reason)?;
        let reason = if code.is_some() { reason.as_bytes().to_vec() } else { Vec::new() };
        self.write_close(CloseBody { code, reason }, now, out);
        Ok(())
    }

    /// Checks that [`Endpoint::close`] would send a Close.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::close`].
    pub fn check_close(&self, code: Option<u16>, reason: &str) -> Result<(), SendError> {
        self.must_be_open()?;
        if let Some(code) = code.filter(|code| !close::may_be_sent(*code)) {
            return Err(SendError::CloseCode(code));
        }
        if reason.len() > MAX_REASON_LEN {
            return Err(SendError::ReasonTooLong(reason.len()));
        }
        Ok(())
    }

    /// Sends a frame made by hand, legal or not. A Close counts as ours, a ping is remembered.
    pub fn send_raw(&mut self, frame: &RawFrame, now: Instant, out: &mut Vec<u8>) {
        let before = out.len();
        frame.write(out);
        self.judge_own(&out[before..], frame);
        self.note_made(out.len() - before);
        match frame.opcode {
            OpCode::Control(Control::Close) if self.sent_close().is_none() => {
                self.note_close(CloseBody::parse(&frame.payload), now);
            }
            OpCode::Control(Control::Ping) => self.remember_ping(&frame.payload, now),
            OpCode::Data(Data::Text | Data::Binary | Data::Continue) => {
                self.left_open = !frame.fin;
                self.messages_sent += u64::from(frame.fin);
            }
            _ => {}
        }
    }

    /// Notes that raw bytes are sent, and the rule that a frame at their beginning breaks.
    pub fn note_bytes(&mut self, bytes: &[u8]) {
        self.bytes = true;
        self.judge_header(bytes, None);
    }

    /// Notes the rule that a frame made by hand breaks, if any.
    fn judge_own(&mut self, bytes: &[u8], frame: &RawFrame) {
        let faults = content_faults(frame, self.situation());
        self.judge_header(bytes, faults.into_iter().next().map(|(kind, _)| kind));
    }

    fn judge_header(&mut self, bytes: &[u8], mut found: Option<ViolationKind>) {
        let Ok(header) = FrameHeader::parse(bytes, 0) else { return };
        let situation = self.situation();
        judge(&header, situation, |kind, _| {
            found.get_or_insert(kind);
        });
        self.illegal = self.illegal.or(found);
    }

    /// The facts that decide whether the next frame would be legal.
    pub fn situation(&self) -> Situation {
        Situation {
            direction: Direction::sent_by(self.config.role),
            compression: self.config.deflate.is_some(),
            message_open: self.left_open,
            closed: self.sent_close().is_some(),
        }
    }

    /// A new mask key, for any role.
    pub fn fresh_key(&mut self) -> MaskKey {
        self.keys.next_key()
    }

    /// A mask key for our frame, if the role requires one.
    pub fn key(&mut self) -> Option<MaskKey> {
        match self.config.role {
            Role::Client => Some(self.keys.next_key()),
            Role::Server => None,
        }
    }

    fn must_be_open(&self) -> Result<(), SendError> {
        if self.is_open() { Ok(()) } else { Err(SendError::NotOpen) }
    }

    fn send_control(
        &mut self,
        control: Control,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.must_be_open()?;
        if payload.len() > 125 {
            return Err(SendError::ControlTooLong(payload.len()));
        }
        self.write_control(control, payload, out);
        Ok(())
    }

    pub(super) fn write_control(&mut self, control: Control, payload: &[u8], out: &mut Vec<u8>) {
        let compressing = self.compressor.as_ref().is_some_and(|compressor| compressor.compressing);
        self.mixed |= self.fragmenting && compressing;
        let (key, before) = (self.key(), out.len());
        writer::write_frame(OpCode::Control(control), true, false, key, payload, out);
        self.note_made(out.len() - before);
    }

    pub(super) fn write_close(&mut self, body: CloseBody, now: Instant, out: &mut Vec<u8>) {
        self.write_control(Control::Close, &body.to_payload(), out);
        self.note_close(body, now);
    }

    /// Counts the bytes of a frame made after our Close.
    fn note_made(&mut self, bytes: usize) {
        if let Some(closing) = self.closing.as_mut().filter(|closing| closing.sent.is_some()) {
            closing.after_sent += bytes;
        }
    }

    /// Notes our Close: from now on, the endpoint only waits for the end.
    fn note_close(&mut self, body: CloseBody, now: Instant) {
        let closing = self.closing.get_or_insert_default();
        closing.sent = Some(body);
        let answers = closing.received.is_some();
        self.stop_pings();
        if self.state == State::Open {
            self.state = State::Closing;
        }
        if answers {
            self.finish(Side::Peer, Cause::Closed);
        }
        self.wait_anew(now);
    }
}
