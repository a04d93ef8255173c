//! The endpoint: client or server, after the handshake.
//!
//! Fed with the events of an [`Observer`](super::Observer) and with what its owner wants to send,
//! it appends bytes to send and names its next deadline. It answers pings, completes closing
//! handshakes, fails the connection when the peer breaks a rule, watches its timers, and tells at
//! the end who ended the connection and how.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::keys::{MaskKeys, RandomSource};
use crate::event::{Cause, Ending, FrameEvent, Side, TimeoutKind, Totals};
use crate::wire::close::{self, CloseBody, MAX_REASON_LEN};
use crate::wire::deflate::codec::Deflater;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::mask::MaskKey;
use crate::wire::writer::{self, RawFrame};
use crate::wire::{CloseCode, Control, Data, OpCode, Role, Violation, ViolationKind};

/// How long a failed connection, or one whose closing handshake is done, is given to end in
/// order. Longer waits help nobody: all that could be said has been said.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Pings remembered for their round trip; older ones are forgotten.
const PINGS_REMEMBERED: usize = 1024;

/// What an endpoint is and how it behaves.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Client or server.
    pub role: Role,
    /// Report violations, but go on as long as frame boundaries can be found.
    pub lenient: bool,
    /// Answer pings. Withholding pongs is for tests of the peer.
    pub auto_pong: bool,
    /// How long to wait for the answer to our Close.
    pub close_timeout: Duration,
    /// Send a ping this often.
    pub ping_interval: Option<Duration>,
    /// After a ping, how long to wait for any byte.
    pub pong_timeout: Duration,
    /// The compression that was agreed.
    pub deflate: Option<DeflateParams>,
}

impl EndpointConfig {
    /// The defaults for a role: strict, pongs sent, five seconds for a Close, no pings of its own.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            lenient: false,
            auto_pong: true,
            close_timeout: Duration::from_secs(5),
            ping_interval: None,
            pong_timeout: Duration::from_secs(20),
            deflate: None,
        }
    }
}

/// The state of the connection after the handshake, RFC 6455 §4.1 and §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Data may be sent.
    Open,
    /// "_The WebSocket Closing Handshake is Started_" (§7.1.3), or the connection has been failed:
    /// nothing more may be sent, and the end is awaited.
    Closing,
    /// Over: the transport can be dropped.
    Closed,
}

/// Why something can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// "An endpoint MUST NOT send … any more data frames after sending a Close frame" (§5.5.1).
    #[error("the connection is closing, nothing more can be sent")]
    NotOpen,
    /// The code is one of those never sent.
    #[error(
        "close code {0} must not be sent (RFC 6455 §7.4); use 1000 to 1003, 1007 to 1014 or 3000 to 4999"
    )]
    CloseCode(u16),
    /// The reason does not fit.
    #[error("a close reason has at most {MAX_REASON_LEN} bytes, this one has {0}")]
    ReasonTooLong(usize),
    /// The payload does not fit.
    #[error("a control frame has at most 125 bytes of payload, this one has {0}")]
    ControlTooLong(usize),
}

/// The active side of one connection.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    state: State,
    opened: Instant,
    keys: MaskKeys,
    deflater: Option<Deflater>,
    compressed: Vec<u8>,
    /// Inside a fragmented message of ours.
    fragmenting: bool,
    sent: Option<CloseBody>,
    received: Option<CloseBody>,
    end: Option<(Side, Cause)>,
    close_deadline: Option<Instant>,
    next_ping: Option<Instant>,
    pong_deadline: Option<Instant>,
    pings: VecDeque<(Vec<u8>, Instant)>,
    pings_sent: u64,
}

impl Endpoint {
    /// Opens at `now`, with a strong source of random bytes for the mask keys of a client.
    pub fn new(config: EndpointConfig, random: RandomSource, now: Instant) -> Self {
        let deflater = config.deflate.as_ref().and_then(|params| {
            let role = config.role;
            Deflater::new(params.window_bits(role), params.no_context_takeover(role))
        });
        Self {
            state: State::Open,
            opened: now,
            keys: MaskKeys::new(random),
            deflater,
            compressed: Vec::new(),
            fragmenting: false,
            sent: None,
            received: None,
            end: None,
            close_deadline: None,
            next_ping: config.ping_interval.map(|interval| now + interval),
            pong_deadline: None,
            pings: VecDeque::new(),
            pings_sent: 0,
            config,
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether data may be sent.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether what the peer sends is still to be acted on: not after its Close, nor after the
    /// connection has been failed.
    pub fn is_receiving(&self) -> bool {
        self.received.is_none() && self.end.is_none()
    }

    /// Reacts to an event of the peer's direction. Gives the round trip when a ping is answered.
    pub fn receive(
        &mut self,
        event: &FrameEvent<'_>,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Option<Duration> {
        // "An endpoint MUST NOT continue to attempt to process data (including a responding Close
        // frame) from the remote endpoint after being instructed to _Fail the WebSocket
        // Connection_" (§7.1.7).
        if !self.is_receiving() {
            return None;
        }
        match event {
            FrameEvent::Violation(violation) => self.judge(violation, now, out),
            FrameEvent::Control { opcode: OpCode::Control(control), payload } => match control {
                Control::Ping => self.answer_ping(payload, out),
                Control::Pong => return self.take_pong(payload, now),
                Control::Close => self.take_close(payload, now, out),
                Control::Reserved(_) => {}
            },
            _ => {}
        }
        None
    }

    /// Starts the wait for the answer to our Close anew: what was sent before it is still leaving,
    /// or what was received is still waiting to be taken here.
    pub fn keep_waiting(&mut self, now: Instant) {
        if self.state != State::Closing {
            return;
        }
        let answered = self.received.is_some() || self.end.is_some();
        let patience = self.config.close_timeout;
        self.close_deadline =
            Some(now + if answered { LAST_WORDS.min(patience) } else { patience });
    }

    /// Notes that bytes arrived: any byte counts as life.
    pub fn touch(&mut self) {
        self.pong_deadline = None;
    }

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

    /// Sends the next fragment of a message; `opcode` counts with the first one.
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
        let opcode = OpCode::Data(if first { opcode } else { Data::Continue });
        let key = self.key();
        match &mut self.deflater {
            None => writer::write_frame(opcode, last, false, key, payload, out),
            Some(deflater) => {
                self.compressed.clear();
                deflater.deflate(payload, last, &mut self.compressed);
                // "set the RSV1 bit of … only the first fragment" (RFC 7692 §7.2.1, §6.1).
                writer::write_frame(opcode, last, first, key, &self.compressed, out);
            }
        }
        Ok(())
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

    /// Sends a pong nobody asked for (§5.5.3).
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
        self.must_be_open()?;
        if let Some(code) = code.filter(|code| !close::may_be_sent(*code)) {
            return Err(SendError::CloseCode(code));
        }
        if reason.len() > MAX_REASON_LEN {
            return Err(SendError::ReasonTooLong(reason.len()));
        }
        let reason = if code.is_some() { reason.as_bytes().to_vec() } else { Vec::new() };
        self.write_close(CloseBody { code, reason }, out);
        self.close_deadline = Some(now + self.config.close_timeout);
        Ok(())
    }

    /// Sends a frame made by hand, legal or not. A Close counts as ours, a ping is remembered.
    pub fn send_raw(&mut self, frame: &RawFrame, now: Instant, out: &mut Vec<u8>) {
        frame.write(out);
        match frame.opcode {
            OpCode::Control(Control::Close) if self.sent.is_none() => {
                self.sent = Some(CloseBody::parse(&frame.payload));
                self.close_deadline = Some(now + self.config.close_timeout);
                self.next_ping = None;
                if self.state == State::Open {
                    self.state = State::Closing;
                }
            }
            OpCode::Control(Control::Ping) => self.remember_ping(&frame.payload, now),
            _ => {}
        }
    }

    /// A mask key for a frame of ours, where the role demands one.
    pub fn key(&mut self) -> Option<MaskKey> {
        match self.config.role {
            Role::Client => Some(self.keys.next_key()),
            Role::Server => None,
        }
    }

    /// Ends at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        self.end(Side::Us, Cause::Dropped);
    }

    /// Fails the connection because a deadline outside this endpoint passed.
    pub fn time_out(&mut self, kind: TimeoutKind, now: Instant, out: &mut Vec<u8>) {
        if self.state == State::Closed {
            return;
        }
        self.fail(CloseCode::Away, kind.what(), Cause::Timeout(kind), now, out);
    }

    /// Tells that the stream ended; `how` says in words how it broke, or is `None` for a regular
    /// end of stream.
    pub fn end_of_stream(&mut self, how: Option<String>) {
        if self.state == State::Closed {
            return;
        }
        // Once both Close frames have crossed, the way TCP ends does not matter (§7.1.4).
        let by = if how.is_some() { Side::Network } else { Side::Peer };
        let text = how.unwrap_or_else(|| "end of stream".to_owned());
        self.end(by, Cause::Lost(text));
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.close_deadline.is_some_and(|at| at <= now) {
            self.end(Side::Us, Cause::Timeout(TimeoutKind::Close));
        }
        if self.pong_deadline.is_some_and(|at| at <= now) {
            self.time_out(TimeoutKind::Pong, now, out);
        }
        if let (Some(interval), Some(at)) = (self.config.ping_interval, self.next_ping)
            && at <= now
        {
            self.next_ping = self.is_open().then_some(now + interval);
            self.pings_sent += 1;
            let payload = format!("wscope {}", self.pings_sent);
            if self.send_ping(payload.as_bytes(), now, out).is_ok() {
                self.pong_deadline.get_or_insert(now + self.config.pong_timeout);
            }
        }
    }

    /// When [`Endpoint::tick`] has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        [self.close_deadline, self.next_ping, self.pong_deadline].into_iter().flatten().min()
    }

    /// Whether the transport can be dropped once all output is written: the connection is over,
    /// or a server has nothing left to wait for ("the server MUST close the underlying TCP
    /// connection immediately", §7.1.1).
    pub fn is_done(&self) -> bool {
        let handshake_done = self.sent.is_some() && self.received.is_some();
        self.state == State::Closed || (handshake_done && self.config.role == Role::Server)
    }

    /// The Close frame sent, if any.
    pub fn sent_close(&self) -> Option<&CloseBody> {
        self.sent.as_ref()
    }

    /// The Close frame received, if any.
    pub fn received_close(&self) -> Option<&CloseBody> {
        self.received.as_ref()
    }

    /// Tells how it ended; `out` and `in` are the totals of the observers.
    pub fn ending(&self, now: Instant, out: Totals, r#in: Totals) -> Ending {
        let (by, cause) = self.end.clone().unwrap_or((Side::Us, Cause::Dropped));
        Ending {
            by,
            cause,
            sent: self.sent.clone(),
            received: self.received.clone(),
            duration: now.saturating_duration_since(self.opened),
            out,
            r#in,
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

    fn write_control(&mut self, control: Control, payload: &[u8], out: &mut Vec<u8>) {
        let key = self.key();
        writer::write_frame(OpCode::Control(control), true, false, key, payload, out);
    }

    fn write_close(&mut self, body: CloseBody, out: &mut Vec<u8>) {
        self.write_control(Control::Close, &body.to_payload(), out);
        self.sent = Some(body);
        self.state = State::Closing;
        self.next_ping = None;
    }

    /// "an endpoint MUST send a Pong frame in response, unless it already received a Close frame"
    /// and with "identical Application data" (§5.5.2, §5.5.3). Every ping gets its own pong.
    fn answer_ping(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if self.config.auto_pong && self.is_open() {
            self.write_control(Control::Pong, payload, out);
        }
    }

    fn remember_ping(&mut self, payload: &[u8], now: Instant) {
        if self.pings.len() == PINGS_REMEMBERED {
            self.pings.pop_front();
        }
        self.pings.push_back((payload.to_vec(), now));
    }

    /// A pong answers the ping with its payload; "an endpoint MAY elect to send a Pong frame for
    /// only the most recently processed Ping frame" (§5.5.3), so earlier ones are answered too.
    fn take_pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let at = self.pings.iter().position(|(sent, _)| sent == payload)?;
        let (_, sent_at) = self.pings.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(sent_at))
    }

    /// "If an endpoint receives a Close frame and did not previously send a Close frame, the
    /// endpoint MUST send a Close frame in response … typically echos the status code" (§5.5.1).
    fn take_close(&mut self, payload: &[u8], now: Instant, out: &mut Vec<u8>) {
        let body = CloseBody::parse(payload);
        let by = if self.sent.is_some() { Side::Us } else { Side::Peer };
        if self.sent.is_none() {
            let code = body.code.map(|code| match close::may_be_sent(code) {
                true => code,
                false => CloseCode::Protocol.into(),
            });
            self.write_close(CloseBody { code, reason: Vec::new() }, out);
        }
        self.received = Some(body);
        self.finish(by, Cause::Closed);
        self.close_deadline = Some(now + LAST_WORDS.min(self.config.close_timeout));
    }

    fn judge(&mut self, violation: &Violation, now: Instant, out: &mut Vec<u8>) {
        let Some(code) = violation.kind.rule().close else { return };
        let fatal = code == CloseCode::Size || violation.kind == ViolationKind::LengthTopBit;
        if self.config.lenient && !fatal {
            return;
        }
        let reason = violation.kind.rule().explanation;
        self.fail(code, reason, Cause::Violation(violation.clone()), now, out);
    }

    /// _Fail the WebSocket Connection_ (§7.1.7): a Close frame with the code, then the end.
    fn fail(
        &mut self,
        code: CloseCode,
        reason: &str,
        cause: Cause,
        now: Instant,
        out: &mut Vec<u8>,
    ) {
        if self.sent.is_none() {
            let reason = close::fit_reason(reason).as_bytes().to_vec();
            self.write_close(CloseBody { code: Some(code.into()), reason }, out);
        }
        self.finish(Side::Us, cause);
        self.pong_deadline = None;
        self.close_deadline = Some(now + LAST_WORDS.min(self.config.close_timeout));
    }

    /// Nothing more can happen.
    fn end(&mut self, by: Side, cause: Cause) {
        self.finish(by, cause);
        self.state = State::Closed;
        self.close_deadline = None;
    }

    /// The first cause stays; what comes later follows from it.
    fn finish(&mut self, by: Side, cause: Cause) {
        self.end.get_or_insert((by, cause));
        self.next_ping = None;
        self.pong_deadline = None;
    }
}
