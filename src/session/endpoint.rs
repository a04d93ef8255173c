//! The endpoint: client or server, after the handshake.
//!
//! It gets the events of an [`Observer`](super::Observer) and the requests of its owner, appends
//! bytes to send, and returns its next deadline. It answers pings, completes closing handshakes,
//! and fails the connection if the peer breaks a rule. It watches its timers, and finally reports
//! who ended the connection and how.

mod keepalive;
mod pings;
mod sending;
mod sent;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pings::Pings;
use sent::Sent;

use super::keys::{MaskKeys, RandomSource};
use crate::event::{Cause, Ending, FrameEvent, Lost, Side, TimeoutKind, Totals};
use crate::wire::close::{self, CloseBody};
use crate::wire::deflate::codec::Deflater;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::{CloseCode, Control, OpCode, Role, Violation, ViolationKind};
pub use pings::{PONGS_WAITING, PingFacts, PongMismatch};
pub use sending::SendError;

/// How long the transport may take to end in order after a failed connection or a closing
/// handshake. A longer wait is useless, because no data can arrive any more.
const TRANSPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// A reader that accepts data more often than this is slow, but has not stopped.
const STALL: Duration = Duration::from_secs(1);

/// The state of the connection after the handshake, RFC 6455 §4.1 and §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Data may be sent. Also after the peer's Close, as long as it is not answered:
    /// [`Endpoint::set_auto_close`].
    Open,
    /// "_The WebSocket Closing Handshake is Started_" (§7.1.3), or the connection has been failed:
    /// nothing more may be sent, and the endpoint waits for the end.
    Closing,
    /// The connection has ended: the transport can be dropped.
    Closed,
}

/// The active side of one connection.
#[derive(Debug)]
pub struct Endpoint {
    /// The connections of a server share it, until one of them changes it.
    config: Arc<EndpointConfig>,
    state: State,
    opened: Instant,
    keys: MaskKeys,
    /// Present if compression was agreed with a window that zlib supports.
    compressor: Option<Box<Compressor>>,
    /// Whether our fragmented message is incomplete.
    fragmenting: bool,
    /// The last sent data frame, whether made by hand or not, left its message open.
    left_open: bool,
    /// Close frames and the end; `None` before the first of them.
    closing: Option<Box<Closing>>,
    /// Waiting pings and pongs, and their counts; `None` before the first of them.
    pings: Option<Box<Pings>>,
    /// The number of messages sent completely.
    messages_sent: u64,
    /// The beginnings of the first and the last sent message; `None` before the first one.
    sent: Option<Box<Sent>>,
    /// Whether they are kept.
    keeps_sent: bool,
    /// A control frame was sent between the fragments of the last message, which is compressed.
    mixed: bool,
    /// The rule that the first illegal frame made by hand broke.
    illegal: Option<ViolationKind>,
    /// Raw bytes were sent.
    bytes: bool,
}

/// Close frames, and how the connection ended.
#[derive(Debug, Default)]
struct Closing {
    sent: Option<CloseBody>,
    /// The size of frames made after `sent`, in bytes.
    after_sent: usize,
    received: Option<CloseBody>,
    end: Option<(Side, Cause)>,
    deadline: Option<Instant>,
    stall: Option<ReaderStall>,
}

/// A reader on our side accepts nothing.
#[derive(Debug)]
struct ReaderStall {
    since: Instant,
    /// The time until which it has moved the deadline.
    counted: Instant,
}

/// Compresses sent messages.
#[derive(Debug)]
struct Compressor {
    deflater: Deflater,
    /// The last begun message is compressed.
    compressing: bool,
}

impl Endpoint {
    /// Opens at `now`; `random` is a strong source of random bytes for a client's mask keys.
    pub fn new(config: impl Into<Arc<EndpointConfig>>, random: RandomSource, now: Instant) -> Self {
        let config = config.into();
        let deflater = config.deflate.as_ref().and_then(|params| {
            let role = config.role;
            Deflater::new(params.window_bits(role), params.no_context_takeover(role))
        });
        let pings = config.ping_interval.map(|interval| Box::new(Pings::begin(now + interval)));
        Self {
            state: State::Open,
            opened: now,
            keys: MaskKeys::new(random),
            compressor: deflater
                .map(|deflater| Box::new(Compressor { deflater, compressing: false })),
            fragmenting: false,
            left_open: false,
            closing: None,
            pings,
            messages_sent: 0,
            sent: None,
            keeps_sent: false,
            mixed: false,
            illegal: None,
            bytes: false,
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

    /// Whether the endpoint reacts to the peer's data: not after its Close, and not after the
    /// connection has been failed.
    pub fn is_receiving(&self) -> bool {
        self.closing.as_ref().is_none_or(|c| c.received.is_none() && c.end.is_none())
    }

    /// Handles an event of the peer's direction. Returns the round trip of an answered ping.
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
            // Data that is not a frame came instead of the answer to our Close, so there is no
            // answer.
            FrameEvent::Violation(violation)
                if violation.kind == ViolationKind::FrameAfterClose
                    && self.sent_close().is_some() =>
            {
                self.finish(Side::Peer, Cause::Lost(Lost::EndOfStream));
            }
            FrameEvent::Violation(violation) => self.judge(violation, now, out),
            FrameEvent::Control { opcode: OpCode::Control(control), payload } => match control {
                Control::Ping => self.answer_ping(payload, now, out),
                Control::Pong => return self.take_pong(payload, now),
                Control::Close => self.take_close(payload, now, out),
                Control::Reserved(_) => {}
            },
            _ => {}
        }
        None
    }

    /// Notes that some of the `waiting` bytes have left. If our Close was among them, the wait for
    /// its answer starts again. Pongs after the Close do not extend the wait.
    pub fn note_sent(&mut self, waiting: usize, now: Instant) {
        if waiting > self.sent_after_close() {
            self.wait_anew(now);
        }
    }

    /// Notes whether received data waits for a reader on our side, which is not silence of the
    /// peer, and whether the reader has accepted some data since the last call. While it accepts
    /// nothing, the wait for the answer to our Close does not count. A peer that keeps sending does
    /// not extend the wait.
    pub fn note_stall(&mut self, stalls: bool, flows: bool, now: Instant) {
        if stalls {
            self.touch();
        }
        let Some(closing) = &mut self.closing else { return };
        if let (Some(stall), Some(deadline)) = (&mut closing.stall, &mut closing.deadline)
            && now.saturating_duration_since(stall.since) >= STALL
        {
            *deadline += now.saturating_duration_since(stall.counted);
            stall.counted = now;
        }
        let stall = closing.stall.take().filter(|_| !flows);
        closing.stall = stalls.then(|| stall.unwrap_or(ReaderStall { since: now, counted: now }));
    }

    /// The number of bytes that were made after our Close: pongs, which do not count as lost when
    /// the peer has gone.
    pub fn sent_after_close(&self) -> usize {
        self.closing.as_ref().map_or(0, |closing| closing.after_sent)
    }

    /// Starts the wait for the answer to our Close again.
    fn wait_anew(&mut self, now: Instant) {
        if self.state != State::Closing {
            return;
        }
        let closing = self.closing.get_or_insert_default();
        let answered = closing.received.is_some() || closing.end.is_some();
        let timeout = self.config.close_timeout;
        closing.stall = closing.stall.take().map(|stall| ReaderStall { counted: now, ..stall });
        closing.deadline =
            Some(now + if answered { self.config.transport_timeout.min(timeout) } else { timeout });
    }

    /// Notes that bytes arrived: any byte shows that the peer is alive.
    pub fn touch(&mut self) {
        if let Some(pings) = &mut self.pings {
            pings.pong_deadline = None;
        }
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        self.end(Side::Us, Cause::Dropped);
    }

    /// Fails the connection because a deadline outside this endpoint has passed.
    pub fn time_out(&mut self, kind: TimeoutKind, now: Instant, out: &mut Vec<u8>) {
        if self.state == State::Closed {
            return;
        }
        self.fail(CloseCode::Away, kind.what(), Cause::Timeout(kind), now, out);
    }

    /// Takes the end of the peer's stream.
    pub fn end_of_stream(&mut self, how: Lost) {
        if self.state == State::Closed {
            return;
        }
        // After both Close frames, it does not matter how TCP ends (§7.1.4).
        self.end(how.by(), Cause::Lost(how));
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.close_deadline().is_some_and(|at| at <= now) {
            self.end(Side::Us, Cause::Timeout(TimeoutKind::Close));
        }
        self.tick_pings(now, out);
    }

    /// The time of the next [`Endpoint::tick`].
    pub fn deadline(&self) -> Option<Instant> {
        let pings = self.pings.as_ref().and_then(|pings| pings.deadline());
        self.close_deadline().into_iter().chain(pings).min()
    }

    /// Whether the transport can be dropped after all output is written: the connection has ended,
    /// or a server has nothing more to wait for. After both Close frames "the server MUST close the
    /// underlying TCP connection immediately" (§5.5.1), and an endpoint that fails a connection
    /// sends "a Close frame … before proceeding to _Close the WebSocket Connection_" (§7.1.7).
    pub fn is_done(&self) -> bool {
        let ended = self.closing.as_ref().is_some_and(|c| c.end.is_some() && c.sent.is_some());
        self.state == State::Closed
            || (ended && self.config.role == Role::Server && !self.config.keeps_transport)
    }

    /// The Close frame sent, if any.
    pub fn sent_close(&self) -> Option<&CloseBody> {
        self.closing.as_ref()?.sent.as_ref()
    }

    /// The Close frame received, if any.
    pub fn received_close(&self) -> Option<&CloseBody> {
        self.closing.as_ref()?.received.as_ref()
    }

    /// How the connection ended; `out` and `in` are the totals of the observers.
    pub fn ending(&self, now: Instant, out: Totals, r#in: Totals) -> Ending {
        let end = self.closing.as_ref().and_then(|closing| closing.end.clone());
        let (by, cause) = end.unwrap_or((Side::Us, Cause::Dropped));
        Ending {
            role: Some(self.config.role),
            by,
            cause,
            sent: self.sent_close().cloned(),
            received: self.received_close().cloned(),
            duration: now.saturating_duration_since(self.opened),
            out,
            r#in,
        }
    }

    /// "If an endpoint receives a Close frame and did not previously send a Close frame, the
    /// endpoint MUST send a Close frame in response … typically echos the status code" (§5.5.1).
    fn take_close(&mut self, payload: &[u8], now: Instant, out: &mut Vec<u8>) {
        let body = CloseBody::parse(payload);
        let code = body.code.map(|code| match close::may_be_sent(code) {
            true => code,
            false => CloseCode::Protocol.into(),
        });
        let closing = self.closing.get_or_insert_default();
        closing.received = Some(body);
        if closing.sent.is_some() {
            self.finish(Side::Us, Cause::Closed);
            self.wait_anew(now);
        } else if self.config.auto_close {
            self.write_close(CloseBody { code, reason: Vec::new() }, now, out);
        } else {
            // The endpoint ignores all later data, so a pong could not prove that the peer is
            // alive.
            self.stop_pings();
        }
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
        // Before the Close, because our Close completes the closing handshake if the peer's Close
        // has come.
        self.finish(Side::Us, cause);
        if self.sent_close().is_none() {
            let reason = close::fit_reason(reason).as_bytes().to_vec();
            self.write_close(CloseBody { code: Some(code.into()), reason }, now, out);
        }
        self.wait_anew(now);
    }

    /// Ends the connection: nothing more can happen.
    fn end(&mut self, by: Side, cause: Cause) {
        self.finish(by, cause);
        self.state = State::Closed;
        self.closing.get_or_insert_default().deadline = None;
    }

    /// Keeps the first cause, because later ones are its consequences.
    fn finish(&mut self, by: Side, cause: Cause) {
        self.closing.get_or_insert_default().end.get_or_insert((by, cause));
        self.stop_pings();
        self.forget_pongs();
    }

    fn close_deadline(&self) -> Option<Instant> {
        self.closing.as_ref()?.deadline
    }
}

/// The settings of an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Client or server.
    pub role: Role,
    /// Report violations, but continue as long as frame boundaries can be found.
    pub lenient: bool,
    /// A server leaves it to the client to end TCP, for up to `transport_timeout`.
    pub keeps_transport: bool,
    /// How long the transport may take to end in order after the closing handshake.
    pub transport_timeout: Duration,
    /// How pings are answered. Tests of the peer may withhold pongs.
    pub auto_pong: AutoPong,
    /// Whether a Close is answered. Tests of the peer may withhold the answer.
    pub auto_close: bool,
    /// How long to wait for the answer to our Close.
    pub close_timeout: Duration,
    /// Send a ping this often.
    pub ping_interval: Option<Duration>,
    /// How long to wait for any byte after a ping.
    pub pong_timeout: Duration,
    /// The longest time without traffic in either direction; `None`: no limit.
    pub idle_timeout: Option<Duration>,
    /// Whether messages are compressed, if compression was agreed.
    pub compress: bool,
    /// The agreed compression.
    pub deflate: Option<DeflateParams>,
}

impl EndpointConfig {
    /// The defaults of a role: strict, answers pings, five seconds for a Close, sends no pings.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            lenient: false,
            keeps_transport: false,
            transport_timeout: TRANSPORT_TIMEOUT,
            auto_pong: AutoPong::On,
            auto_close: true,
            close_timeout: Duration::from_secs(5),
            ping_interval: None,
            pong_timeout: Duration::from_secs(20),
            idle_timeout: None,
            compress: true,
            deflate: None,
        }
    }
}

/// How pings are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoPong {
    /// At once.
    #[default]
    On,
    /// Never.
    Off,
    /// After this time.
    Delay(Duration),
}

impl Endpoint {
    /// Client or server.
    pub fn role(&self) -> Role {
        self.config.role
    }

    /// The agreed compression.
    pub fn deflate(&self) -> Option<&DeflateParams> {
        self.config.deflate.as_ref()
    }

    /// The longest time without traffic in either direction. The connection measures it.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.config.idle_timeout
    }

    /// When the connection opened.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// How long the connection has been open at `now`.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opened)
    }

    /// How pings are answered.
    pub fn auto_pong(&self) -> AutoPong {
        self.config.auto_pong
    }

    /// Sets how pings are answered from now on. Waiting pongs keep their time, but
    /// [`AutoPong::Off`] drops them.
    pub fn set_auto_pong(&mut self, mode: AutoPong) {
        if mode == AutoPong::Off {
            self.forget_pongs();
        }
        Arc::make_mut(&mut self.config).auto_pong = mode;
    }

    /// Whether a Close is answered.
    pub fn auto_close(&self) -> bool {
        self.config.auto_close
    }

    /// Ends the transport as soon as a server may: see [`EndpointConfig::keeps_transport`].
    pub fn end_transport(&mut self) {
        Arc::make_mut(&mut self.config).keeps_transport = false;
    }

    /// Sets whether a future Close of the peer will be answered.
    ///
    /// Without the answer this departs from "an endpoint … MUST send a Close frame in response"
    /// (RFC 6455 §5.5.1): the state stays [`State::Open`], data and control frames can still be
    /// sent, the endpoint ignores all later data, and no deadline runs. The Close stays unanswered
    /// until, for example, [`Endpoint::close`] completes the closing handshake; turning this on
    /// again does not answer it.
    pub fn set_auto_close(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).auto_close = on;
    }

    /// Whether messages are compressed; `None` if permessage-deflate was not agreed. Always false
    /// if the agreed window has 8 bits, because zlib does not support it.
    pub fn compresses(&self) -> Option<bool> {
        let agreed = self.config.deflate.is_some();
        agreed.then_some(self.config.compress && self.compressor.is_some())
    }

    /// Sets whether messages are compressed from the next one on, if compression was agreed. Each
    /// message may be compressed or not: RSV1 "indicates whether a message is compressed or not"
    /// (RFC 7692 §6).
    pub fn set_compress(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).compress = on;
    }

    /// Whether the last message is compressed, and a control frame was sent between its fragments.
    pub fn mixes_control_into_compressed(&self) -> bool {
        self.mixed
    }

    /// Whether raw bytes were sent, whose frames are unknown.
    pub fn has_sent_bytes(&self) -> bool {
        self.bytes
    }

    /// The rule that the first illegal frame made by hand broke.
    pub fn illegal_sent(&self) -> Option<ViolationKind> {
        self.illegal
    }

    /// Whether our fragmented message lacks its last frame: then the next data continues it.
    pub fn is_fragmenting(&self) -> bool {
        self.fragmenting
    }
}
