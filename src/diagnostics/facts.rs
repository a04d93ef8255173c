//! The facts of an attempt to open a WebSocket: the input of the classification.
//!
//! All fields are optional, so that a caller with only some of the facts can use the
//! classification. The caller adds facts without judging them; [`classify`](super::classify())
//! judges. Times are durations, because there is no clock here.

use std::net::SocketAddr;
use std::time::Duration;

use crate::diagnostics::wish::Wish;
use crate::event::{Cause, CertificateFacts, Ending, Lost, MessageInfo, TimeoutKind};
use crate::session::endpoint::PingFacts;
use crate::wire::close::CloseBody;
use crate::wire::handshake::rules::Report;
use crate::wire::head::Head;
use crate::wire::{FrameHeader, Role, Violation, ViolationKind};

/// All known facts about one connection, or about the attempt to open one.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The role of this side.
    pub role: Role,
    /// Whether to judge as a browser does. Browsers fail in some cases that the RFC allows.
    pub as_browser: bool,
    /// The URL as typed. User and password are included, but never shown.
    pub url: Option<&'a str>,
    /// Why the name has no address.
    pub lookup: Option<LookupFault>,
    /// The attempts to connect, in order.
    pub dials: &'a [Dial],
    /// Whether an option of the run led to another address than the URL.
    pub redirected: bool,
    /// The forward proxy, if one was used.
    pub proxy: Option<ProxyFacts<'a>>,
    /// The facts about TLS.
    pub tls: TlsAttempt<'a>,
    /// The first bytes of the answer to a plain request, if they are not an HTTP head.
    pub first_bytes: &'a [u8],
    /// How the wait for the response ended, if no response arrived.
    pub unanswered: Option<Unanswered>,
    /// Whether the received part of such a response ends at the end of a line.
    pub ends_line: bool,
    /// The request as it was sent or received.
    pub request: Option<&'a Head>,
    /// The final response as it was received or sent.
    pub response: Option<&'a Head>,
    /// The beginning of the response's body.
    pub body: &'a [u8],
    /// The time from the request to the head of the response.
    pub response_after: Option<Duration>,
    /// The URLs in the chain of redirects; the first one is that of the first request.
    pub hops: &'a [String],
    /// The results of other connections that differed in one thing.
    pub trials: &'a [Trial],
    /// The wish of a client of `listen`, as far as it was not fulfilled.
    pub wish: Option<&'a Wish>,
    /// The verdicts on the handshake.
    pub report: Option<&'a Report>,
    /// The peer's stream of frames.
    pub stream: StreamFacts<'a>,
    /// The rules of frames that the peer broke, in order.
    pub violations: &'a [Violation],
    /// The frame of the first violation.
    pub frame: Option<FrameContext<'a>>,
    /// Our pings.
    pub pings: PingFacts,
    /// Close frames.
    pub close: CloseFacts<'a>,
    /// How the stream ended.
    pub end: Option<End>,
    /// How long stdout was blocked shortly before the end. Meanwhile, nothing was received.
    pub stalled: Option<Duration>,
    /// Other connections of this run.
    pub others: Others<'a>,
}

impl Facts<'_> {
    /// Whether the peer ended the session by a Close with a code that must not be sent.
    pub(super) fn is_closed_illegally(&self) -> bool {
        let first = self.violations.first();
        first.is_some_and(|first| first.kind == ViolationKind::IllegalCloseCode)
    }

    /// No facts.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            as_browser: false,
            url: None,
            lookup: None,
            dials: &[],
            redirected: false,
            proxy: None,
            tls: TlsAttempt::default(),
            first_bytes: &[],
            unanswered: None,
            ends_line: false,
            request: None,
            response: None,
            body: &[],
            response_after: None,
            hops: &[],
            trials: &[],
            wish: None,
            report: None,
            stream: StreamFacts::default(),
            violations: &[],
            frame: None,
            pings: PingFacts::default(),
            close: CloseFacts::default(),
            end: None,
            stalled: None,
            others: Others::default(),
        }
    }

    /// The result of the connection that differed in this.
    pub fn trial(&self, variation: Variation) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.variation == variation)
    }

    /// The status of the response.
    pub fn status(&self) -> Option<u16> {
        self.response.and_then(Head::status_line).map(|line| line.code)
    }

    /// Whether the handshake was completed: a 101 was received, without a fatal error.
    pub fn is_open(&self) -> bool {
        let switched = self.response.and_then(Head::status_line).is_some_and(|l| l.code == 101);
        switched && self.report.is_none_or(|report| report.fatal().next().is_none())
    }
}

impl<'a> CloseFacts<'a> {
    /// The Close frames of an ending.
    pub fn of(ending: &'a Ending) -> Self {
        let first = ending.by == crate::event::Side::Peer;
        let by_peer = first && ending.received.is_some();
        Self {
            received: ending.received.as_ref(),
            sent: ending.sent.as_ref(),
            by_peer,
            ..Self::default()
        }
    }
}

/// Why a name has no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFault {
    /// There is no such name, or no address for it.
    NotFound,
    /// The name has addresses, but only of a family that the run excludes.
    OtherFamily,
    /// The name server gave no answer.
    Unanswered,
}

/// One attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dial {
    /// The address.
    pub address: SocketAddr,
    /// How it ended.
    pub outcome: DialOutcome,
    /// The time that it took.
    pub elapsed: Duration,
}

/// For example `127.0.0.1:80: connection refused`.
impl std::fmt::Display for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let elapsed = self.elapsed.as_secs_f64();
        write!(f, "{}: ", self.address)?;
        match self.outcome {
            DialOutcome::Connected => f.write_str("connected"),
            DialOutcome::Refused => f.write_str("connection refused"),
            DialOutcome::Reset => f.write_str("connection reset"),
            DialOutcome::Silent => write!(f, "no answer within {elapsed:.1} s"),
            DialOutcome::Unreachable => f.write_str("unreachable"),
            DialOutcome::NearEnd => f.write_str("not tried"),
        }
    }
}

/// How an attempt to connect ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialOutcome {
    /// It succeeded.
    Connected,
    /// ECONNREFUSED.
    Refused,
    /// It was reset as soon as it opened.
    Reset,
    /// There was no answer in time.
    Silent,
    /// EHOSTUNREACH, ENETUNREACH, or another refusal of the system.
    Unreachable,
    /// The local address or interface can't be used, so nothing was sent.
    NearEnd,
}

/// The forward proxy.
#[derive(Clone, Copy, Debug)]
pub struct ProxyFacts<'a> {
    /// Its address without credentials.
    pub address: &'a str,
    /// The environment variable with its address; `None` if an option gave the address.
    pub variable: Option<&'a str>,
    /// Its answer to CONNECT.
    pub answer: Option<&'a Head>,
    /// Why it did not connect to the server, if no HTTP answer shows the reason.
    pub fault: Option<ProxyFault>,
}

/// Why a proxy did not connect to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It refused.
    Refused,
    /// Its rules forbid the request.
    Forbidden,
    /// It could not reach the server.
    Unreached,
    /// The proxy can't be found or reached.
    Away,
    /// It received the request and did not answer.
    Silent,
    /// It ended the connection at the greeting of SOCKS.
    Greeting {
        /// Whether the greeting offered credentials.
        credentials: bool,
    },
    /// It took part in SOCKS, and ended the connection when it was told the target.
    Dropped,
    /// It did not answer TLS.
    Tls,
    /// It does not speak the protocol of the request.
    Foreign,
    /// It requires a user and password, or other ones.
    Unauthorized,
}

/// The facts about TLS.
#[derive(Clone, Copy, Debug, Default)]
pub struct TlsAttempt<'a> {
    /// Why it failed, if it did.
    pub fault: Option<TlsFault<'a>>,
    /// The protocol that ALPN agreed on.
    pub alpn: Option<&'a str>,
    /// The peer's certificate.
    pub certificate: Option<&'a CertificateFacts>,
    /// When the opening began, by the clock of this machine: RFC 3339 in UTC. At that time, the
    /// certificate was checked, and the request was made.
    pub now: Option<&'a str>,
    /// The certificates that the peer sent in addition to its own.
    pub chain: &'a [CertificateFacts],
    /// The name that the certificate must contain.
    pub name: Option<&'a str>,
    /// The versions of TLS that an option of this run allows, in words.
    pub own_versions: Option<&'a str>,
    /// Whether the library of this machine may lack TLS 1.3.
    pub may_lack_13: bool,
    /// Whether this run has its own root certificates.
    pub own_roots: bool,
    /// Whether the user gave this run a certificate.
    pub own_certificate: bool,
    /// The certificate that the user gave, if the library can show it.
    pub shown: Option<&'a CertificateFacts>,
    /// The name that an option of this run sends instead of the host's, in words.
    pub own_name: Option<&'a str>,
    /// The protocols that an option of this run offers instead of http/1.1, in words.
    pub own_alpn: Option<&'a str>,
    /// Whether the server requested a client certificate, and continued without one.
    pub asked: bool,
    /// Whether an open connection ended without close_notify.
    pub truncated: bool,
    /// Whether a proxy made the certificate for a client, to decrypt TLS.
    pub intercepted: bool,
}

/// Why TLS failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault<'a> {
    /// The first bytes are not a TLS record.
    NotTls(&'a [u8]),
    /// The stream ended before a ServerHello.
    Closed,
    /// Nothing arrived until the timeout.
    Silent,
    /// The certificate has expired, or is not valid yet.
    Dates {
        /// Whether it is not valid yet.
        early: bool,
    },
    /// The certificate is for other names.
    Name,
    /// The issuer is not trusted.
    Issuer {
        /// Whether the certificate is its own issuer.
        is_own: bool,
    },
    /// The certificate is refused for another reason: the words of the TLS library.
    Certificate(&'a str),
    /// The peer sent this alert.
    Alert(u8),
    /// The peer requested a client certificate, and then refused the connection.
    CertificateWanted,
    /// A client sent plain HTTP to our TLS port.
    PlainRequest,
}

/// How the wait for a response ended without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// How the wait ended.
    pub how: StreamEnd,
    /// The time since the request.
    pub after: Duration,
    /// The number of received bytes of a response.
    pub received: usize,
}

/// How a stream of bytes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// In order: FIN, or close_notify.
    Fin,
    /// Reset.
    Reset,
    /// It has not ended before the timeout.
    Timeout,
}

/// Another connection to the same server with one difference, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The difference.
    pub variation: Variation,
    /// The address or the value of the difference, if the variation does not show it.
    pub what: String,
    /// Its result.
    pub outcome: TrialOutcome,
}

/// The difference of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// A plain GET, without the upgrade.
    NoUpgrade,
    /// The server's own Origin.
    OwnOrigin,
    /// No Origin.
    NoOrigin,
    /// No subprotocol.
    NoSubprotocol,
    /// Only this subprotocol; without a name, several usual ones.
    Subprotocol,
    /// The target of the redirect, at the same server.
    Redirected,
    /// The same request, but no message was sent.
    Again,
    /// The same request, and a ping, but no message was sent.
    Pinged,
    /// No difference, or the same difference as in an earlier trial. The result is still another
    /// one.
    Unchanged,
    /// The Host of the URL.
    OwnHost,
    /// The Host `localhost`, without secrets.
    NearHost,
    /// A path that no server has.
    OtherPath,
    /// The same path without its query.
    NoQuery,
    /// TLS instead of plain text, or the reverse.
    OtherScheme,
    /// TLS with HTTP/2 as the only offered protocol.
    OnlyHttp2,
    /// The preface of HTTP/2 without TLS.
    Preface,
    /// TLS without the name of the server.
    NoName,
    /// The loopback address of the other family.
    OtherFamily,
}

/// The result of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialOutcome {
    /// A WebSocket opened.
    Opened,
    /// A WebSocket opened and stayed open, although the session before it had ended.
    Stayed,
    /// A WebSocket opened and ended at once, too; in words.
    Ended(String),
    /// An HTTP status, for example `426 Upgrade Required, Server: nginx`, and the beginning of the
    /// body.
    Status {
        /// The number.
        code: u16,
        /// The status line in words.
        text: String,
        /// The beginning of the body.
        body: Vec<u8>,
    },
    /// TLS without a response, in words.
    Tls(String),
    /// The connection failed; in words.
    Unreached(String),
    /// The answer was not HTTP, or was missing; in words.
    Nothing(String),
    /// There was no answer before the timeout; in words.
    Silence(String),
}

/// The beginning of the result of a trial that ends when TLS has agreed.
pub const AGREED: &str = "TLS agrees";

impl Trial {
    /// The difference in words, for example `with Origin: https://a.example`.
    pub fn label(&self) -> String {
        let what = &self.what;
        match self.variation {
            Variation::NoUpgrade => "a plain GET without Upgrade".to_owned(),
            Variation::OwnOrigin => format!("with Origin: {what}"),
            Variation::NoOrigin => "without an Origin".to_owned(),
            Variation::NoSubprotocol => "without a subprotocol".to_owned(),
            Variation::Subprotocol if what.is_empty() => "with the usual subprotocols".to_owned(),
            Variation::Subprotocol => format!("with the subprotocol {what}"),
            Variation::Again => "once more, without a message".to_owned(),
            Variation::Pinged => "once more, with a ping".to_owned(),
            Variation::Unchanged if what.is_empty() => "the same request once more".to_owned(),
            Variation::Unchanged => format!("{what} once more"),
            Variation::NearHost => format!("with Host: {what}, without credentials"),
            Variation::OwnHost => format!("with Host: {what}"),
            Variation::Redirected => format!("at the path of its Location, {what}"),
            Variation::OtherPath => format!("at the path {what}"),
            Variation::NoQuery => "without the query".to_owned(),
            Variation::OtherScheme => format!("with {what}"),
            Variation::OtherFamily => format!("at {what}"),
            Variation::OnlyHttp2 => "with TLS that offers h2 only".to_owned(),
            Variation::Preface => "with the preface of HTTP/2".to_owned(),
            Variation::NoName => "with TLS without a name".to_owned(),
        }
    }

    /// Whether the address refused the connection.
    pub fn is_refused(&self) -> bool {
        matches!(&self.outcome, TrialOutcome::Unreached(text) if text.contains("connection refused"))
    }

    /// Whether a proxy answered that it can't reach the server behind it (RFC 9110 §15.6.3 to
    /// §15.6.5).
    pub fn is_gateway_error(&self) -> bool {
        matches!(self.status(), Some(502..=504))
    }

    /// The service that sent a greeting instead of HTTP, and a hint for the user.
    pub(super) fn greeting(&self) -> Option<(&'static str, &'static str)> {
        let TrialOutcome::Nothing(text) = &self.outcome else { return None };
        let (_, greeting) = text.split_once("is not HTTP: ")?;
        super::sniff::banner(greeting.as_bytes())
    }

    /// The status; 101 if a WebSocket opened.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            TrialOutcome::Opened | TrialOutcome::Stayed | TrialOutcome::Ended(_) => Some(101),
            TrialOutcome::Status { code, .. } => Some(*code),
            TrialOutcome::Unreached(_)
            | TrialOutcome::Tls(_)
            | TrialOutcome::Nothing(_)
            | TrialOutcome::Silence(_) => None,
        }
    }

    /// The beginning of the body, if the result is a status.
    pub fn body(&self) -> Option<&[u8]> {
        match &self.outcome {
            TrialOutcome::Status { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Whether TLS agreed.
    pub(super) fn agrees(&self) -> bool {
        let agreed = matches!(&self.outcome, TrialOutcome::Tls(text) if text.starts_with(AGREED));
        agreed || self.status().is_some()
    }

    /// Whether the server speaks the tried protocol. A TLS server may answer plain HTTP, but only
    /// to report the error.
    pub fn is_spoken(&self) -> bool {
        let refuses = self.body().is_some_and(super::said::wants_tls);
        (self.status().is_some() && !refuses) || matches!(self.outcome, TrialOutcome::Tls(_))
    }
}

/// For example `a plain GET without Upgrade: 404 Not Found`.
impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.label())?;
        match (&self.outcome, self.variation) {
            (TrialOutcome::Opened, _) => f.write_str(": a WebSocket opens"),
            (TrialOutcome::Stayed, _) => f.write_str(": it stays open"),
            (TrialOutcome::Ended(text), _) => write!(f, ": {text}"),
            (
                TrialOutcome::Status { text, .. }
                | TrialOutcome::Tls(text)
                | TrialOutcome::Unreached(text)
                | TrialOutcome::Nothing(text)
                | TrialOutcome::Silence(text),
                _,
            ) => write!(f, ": {text}"),
        }
    }
}

/// The peer's bytes after the handshake.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamFacts<'a> {
    /// Its first bytes; a few hundred are enough.
    pub first: &'a [u8],
    /// The number of bytes that arrived in the same segment as the 101.
    pub early: usize,
    /// The number of received frames.
    pub frames: u64,
    /// The first received data message, and the beginning of its content.
    pub message: Option<(MessageInfo, &'a [u8])>,
    /// The first data message that we sent.
    pub sent: Option<(MessageInfo, &'a [u8])>,
    /// The number of content bytes of our last data message that were sent.
    pub last_sent_len: u64,
    /// The second received data message.
    pub second: Option<&'a [u8]>,
    /// Whether one of these two messages was complete and compressed, although the peer had agreed
    /// to compress each message independently.
    pub compressed_alone: bool,
    /// The number of received data messages.
    pub messages: u64,
    /// The message whose last frame had not ended at the end of the stream.
    pub unfinished: Option<MessageInfo>,
    /// The last received data message.
    pub heard: Option<LastHeard<'a>>,
    /// The first and the last messages of both directions, in their order.
    pub kept: &'a [CrossedMessage<'a>],
    /// Whether these are all messages.
    pub kept_all: bool,
    /// Whether each message of ours and the message right after it are among them.
    pub kept_next: bool,
    /// The messages for which an `/expect` waited: the beginning of each, or the text of the lens
    /// for it.
    pub expected: &'a [Vec<u8>],
    /// The time from our last message to the peer's last byte or the end; zero if it is unknown.
    pub ours_quiet: Duration,
    /// Whether the last received frame is the first ping, which was answered.
    pub ended_on_ping: bool,
    /// The time from our ping to the loss of the connection or to the peer's Close, if the ping was
    /// the last traffic before it, and the peer had answered none before.
    pub after_ping: Option<Duration>,
    /// Whether the last traffic was a message of ours, just before the end.
    pub ended_on_ours: bool,
    /// The number of bytes that were not yet sent at the end.
    pub unsent: u64,
    /// Whether our last message was compressed and fragmented, with a control frame between the
    /// fragments.
    pub ping_inside_compressed: bool,
    /// The rule that a frame of this side broke, if one did.
    pub illegal_sent: Option<&'static str>,
    /// Whether this side sent raw bytes, in which the frames are unknown.
    pub bytes_sent: bool,
    /// The number of successive frames with the same mask key, and the key.
    pub equal_masks: Option<(u64, [u8; 4])>,
}

/// The beginning of a message.
#[derive(Clone, Copy, Debug)]
pub struct CrossedMessage<'a> {
    /// This side sent it.
    pub ours: bool,
    /// It is text, not binary.
    pub text: bool,
    /// Its content.
    pub content: &'a [u8],
    /// The time from it to the end; zero for a message of this side.
    pub quiet: Duration,
}

/// The most bytes of a kept message. A longer message was cut.
pub const HEARD_MOST: usize = 320;

/// No usual limit on the size of messages is lower than this number of bytes.
pub const SIZEABLE: u64 = 1000;

/// The last received data message.
#[derive(Clone, Copy, Debug)]
pub struct LastHeard<'a> {
    /// The beginning of its content.
    pub content: &'a [u8],
    /// The beginning of the message before it, if that came shortly before.
    pub before: &'a [u8],
    /// The time from this message to the end.
    pub quiet: Duration,
    /// Whether this side sent a message after it.
    pub answered: bool,
}

/// The frame that broke a rule.
#[derive(Clone, Copy, Debug)]
pub struct FrameContext<'a> {
    /// Its header.
    pub header: FrameHeader,
    /// The time from the 101 to its arrival.
    pub after: Duration,
    /// The bytes of the stream around the header, as they were sent; a few dozen are enough.
    pub around: &'a [u8],
    /// The position of the first of these bytes in the stream.
    pub around_at: u64,
}

impl FrameContext<'_> {
    /// The bytes around the header, with the payload of its frame unmasked.
    pub(super) fn unmasked(&self) -> Vec<u8> {
        let mut bytes = self.around.to_vec();
        self.header.mask_payload(&mut bytes, self.around_at, u64::MAX);
        bytes
    }
}

/// Close frames, or a close code that an API reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloseFacts<'a> {
    /// The received Close.
    pub received: Option<&'a CloseBody>,
    /// The sent Close.
    pub sent: Option<&'a CloseBody>,
    /// Whether the peer sent its Close first.
    pub by_peer: bool,
    /// A code that is never sent, but that APIs report: 1005, 1006 or 1015.
    pub label: Option<u16>,
}

/// How the connection ended, with the times at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The kind of the end.
    pub how: EndKind,
    /// The time since the 101.
    pub lifetime: Duration,
    /// The time since the last byte in either direction.
    pub idle: Duration,
    /// The time since the last data message in either direction.
    pub idle_data: Duration,
    /// The length of the silence before the last bytes of the peer.
    pub quiet: Duration,
    /// The length of the longest silence before that one.
    pub longest_quiet: Duration,
    /// The time from the 101 to the last bytes of the peer.
    pub last: Duration,
    /// The number of received bytes of an incomplete frame.
    pub partial: u64,
}

impl End {
    /// Whether there was no traffic for so long that a timer may have ended the connection.
    pub fn is_silent(&self) -> bool {
        self.idle >= SILENCE
    }
}

/// No idle timeout is shorter than this.
pub const SILENCE: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// The closing handshake was completed, or we ended it.
    Closed,
    /// FIN without Close.
    Fin,
    /// Reset.
    Reset,
    /// The peer did not answer our Close.
    CloseTimeout,
    /// Nothing was received after a ping.
    NoPong,
    /// TCP gave up: our data was not acknowledged.
    Dead,
    /// This side failed it because of a violation.
    Failed,
}

impl From<&Cause> for EndKind {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Violation(_) => Self::Failed,
            Cause::Timeout(TimeoutKind::Close) => Self::CloseTimeout,
            Cause::Timeout(TimeoutKind::Pong) => Self::NoPong,
            Cause::Lost(Lost::TimedOut) => Self::Dead,
            Cause::Lost(Lost::EndOfStream | Lost::InsideFrame { .. } | Lost::TruncatedTls) => {
                Self::Fin
            }
            Cause::Lost(Lost::Reset | Lost::BrokenPipe | Lost::Other(_)) => Self::Reset,
            Cause::Closed | Cause::Timeout(_) | Cause::Dropped | Cause::Relay { .. } => {
                Self::Closed
            }
        }
    }
}

/// Other connections of the same run, or of earlier ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Others<'a> {
    /// The lifetimes of earlier connections to the same URL that ended in the same way.
    pub lifetimes: &'a [Duration],
}
