//! The events that all layers above `wire` share: what happened, when, on which connection.
//!
//! Producers (observers, the network, the modes) make [`Event`]s; printers, recordings and the
//! active endpoint read them. Nothing here knows how an event is printed. Events borrow their data:
//! reading one costs no copy.

use std::net::SocketAddr;
use std::time::Duration;

use crate::wire::close::CloseBody;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadError};
use crate::wire::{FrameHeader, OpCode, Role, Violation};

/// The way bytes travel. Absolute, so that a proxy and a file mean the same as a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Direction {
    /// The direction of what an end of the connection sends.
    pub fn sent_by(role: Role) -> Self {
        match role {
            Role::Client => Self::ToServer,
            Role::Server => Self::ToClient,
        }
    }

    /// The end that sends.
    pub fn sender(self) -> Role {
        match self {
            Self::ToServer => Role::Client,
            Self::ToClient => Role::Server,
        }
    }

    /// As it is typed after the number of a connection.
    pub fn sign(self) -> &'static str {
        match self {
            Self::ToServer => ">",
            Self::ToClient => "<",
        }
    }

    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// Counts connections of one run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

impl ConnId {
    /// What travels to the server on a relayed connection has the connection's number with this bit.
    const TO_SERVER: u64 = 1 << 62;
    /// What travels to its client has this one.
    const TO_CLIENT: u64 = 1 << 63;

    /// One direction of a relayed connection.
    pub fn towards(self, direction: Direction) -> Self {
        Self(match direction {
            Direction::ToServer => self.pair().0 | Self::TO_SERVER,
            Direction::ToClient => self.pair().0 | Self::TO_CLIENT,
        })
    }

    /// The direction, if it is one.
    pub fn direction(self) -> Option<Direction> {
        match (self.0 & Self::TO_SERVER, self.0 & Self::TO_CLIENT) {
            (0, 0) => None,
            (_, 0) => Some(Direction::ToServer),
            _ => Some(Direction::ToClient),
        }
    }

    /// The connection, whatever the direction.
    pub fn pair(self) -> Self {
        Self(self.0 & !(Self::TO_SERVER | Self::TO_CLIENT))
    }
}

/// As it is typed: `3`, or `3>` and `3<` for one direction.
impl std::fmt::Display for ConnId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = self.direction().map_or("", Direction::sign);
        write!(f, "{}{sign}", self.pair().0)
    }
}

/// When and where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Microseconds since the Unix epoch.
    pub micros: i64,
    /// The connection.
    pub conn: ConnId,
}

/// Everything that can be reported of a connection.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A name became addresses, in the order they will be tried.
    Resolved {
        /// The requested name.
        host: &'a str,
        /// What it resolved to.
        addresses: &'a [SocketAddr],
    },
    /// One address did not answer; others may.
    AddressFailed {
        /// The address.
        address: SocketAddr,
        /// Why, in the words of the system.
        error: &'a str,
    },
    /// The socket is connected: to the server, or to the proxy before it.
    Connected {
        /// Our end: an address, or a word for a Unix socket's end.
        local: &'a str,
        /// Theirs: an address, or the path of a Unix socket.
        peer: &'a str,
    },
    /// A server listens; of no connection, so [`Stamp::conn`] is 0.
    Listening {
        /// Where clients connect to, as in `ws://127.0.0.1:9001/`.
        url: &'a str,
    },
    /// A client has connected to us.
    Accepted {
        /// Our end: an address, or the path of a Unix socket.
        local: &'a str,
        /// Theirs.
        peer: &'a str,
    },
    /// TLS is up.
    Tls(&'a TlsFacts),
    /// The head of a request or a response, by direction.
    Head(Direction, &'a Head),
    /// Bytes of the body of a response that is not a 101.
    Body(&'a [u8]),
    /// How long the phases of the opening took.
    Timing(&'a Phases),
    /// The handshake was judged: every rule with its verdict.
    Judged(&'a Report),
    /// The connection is open for frames.
    Open(&'a Agreed),
    /// Something in a direction's stream of frames.
    Frame(Direction, FrameEvent<'a>),
    /// Something in the frames that a relay put into a direction's stream itself.
    Made(Made, Direction, FrameEvent<'a>),
    /// A relay did something to a message or control frame that passes.
    Intervened(&'a Intervened),
    /// The peer answered our ping.
    RoundTrip(Duration),
    /// The endpoint itself made our next frame in this direction: a pong, a Close that answers one,
    /// a Close that fails the connection, a keepalive ping.
    Automatic(Direction),
    /// The command that served the connection has ended, and so the connection is closed.
    CommandEnded(CommandEnd),
    /// Something worth saying that is not an event of the protocol.
    Note(&'a str),
    /// The connection is over before it was open for frames; why, in a sentence.
    Failed(&'a str),
    /// The connection is over, and was one of ordinary HTTP that was relayed; a sentence.
    Passed(&'a str),
    /// The connection is over.
    End(&'a Ending),
}

/// The note before the head of a request as a relay forwards it: the client's stream continues
/// after the previous one.
pub const PASSED_ON: &str = "the request is passed on as:";

/// Why a relay put a frame into a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A line of the prompt or of a script, or a fault, made it.
    Injected,
    /// It replaces a received frame.
    Edited,
    /// It is the copy of a received frame.
    Copied,
}

impl Made {
    /// The one with a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Injected, Self::Edited, Self::Copied].into_iter().find(|made| made.name() == name)
    }

    /// Its name, for people and machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Edited => "edited",
            Self::Copied => "copied",
        }
    }
}

/// What a relay did to a message or control frame that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervened {
    /// Which way it travels.
    pub direction: Direction,
    /// Text, binary, or the control frame's.
    pub opcode: OpCode,
    /// Number of its frame, the first of a message, in its direction.
    pub frame: u64,
    /// The rule that made it; none for a line of the prompt.
    pub rule: Option<u64>,
    /// What was done.
    pub what: Intervention,
}

/// What can be done to a message that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervention {
    /// It is not passed on.
    Dropped,
    /// It waits so long.
    Delayed(Duration),
    /// It waits until it is let go.
    Held,
    /// It was let go.
    Released,
    /// Another one is forwarded instead.
    Edited,
    /// It is passed on twice.
    Copied,
    /// Both ends get a Close with this code instead.
    Closed(u16),
}

impl Intervention {
    /// What became of the message, for the line of its frame; `None` if it continued as received.
    pub fn fate(self) -> Option<&'static str> {
        match self {
            Self::Dropped | Self::Closed(_) => Some("dropped"),
            Self::Delayed(_) => Some("delayed"),
            Self::Held => Some("held"),
            Self::Edited => Some("replaced"),
            Self::Released | Self::Copied => None,
        }
    }

    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Delayed(_) => "delayed",
            Self::Held => "held",
            Self::Released => "released",
            Self::Edited => "edited",
            Self::Copied => "copied",
            Self::Closed(_) => "closed",
        }
    }
}

/// What an observer sees in the bytes of one direction, in order.
///
/// A frame is [`Start`](Self::Start), any number of [`Payload`](Self::Payload) and
/// [`Data`](Self::Data) pieces, [`Control`](Self::Control) if it is one, then [`End`](Self::End);
/// [`Message`](Self::Message) follows the last frame of a message. A [`Violation`](Self::Violation)
/// comes as soon as it can be known, inside its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameEvent<'a> {
    /// A frame header.
    Start {
        /// Number of the frame in its direction, from 1.
        number: u64,
        /// The header.
        header: &'a FrameHeader,
    },
    /// Payload as it travelled, unmasked; still compressed if the message is.
    Payload(&'a [u8]),
    /// The content of a data message: inflated, if it was compressed.
    Data(&'a [u8]),
    /// A control frame of legal length, whole.
    Control {
        /// Close, ping, pong or a reserved one.
        opcode: OpCode,
        /// At most 125 bytes.
        payload: &'a [u8],
    },
    /// The frame's last byte has been reported.
    End {
        /// Number of the frame in its direction.
        number: u64,
        /// The header.
        header: &'a FrameHeader,
    },
    /// A message is complete.
    Message(&'a MessageInfo),
    /// The sender broke a rule.
    Violation(&'a Violation),
    /// Bytes after the frame boundary was lost.
    Undecodable(&'a [u8]),
}

/// A data message, once complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo {
    /// Number of the message in its direction, from 1.
    pub number: u64,
    /// Text or binary.
    pub opcode: OpCode,
    /// The number of its frames.
    pub frames: u64,
    /// Number of its first frame in its direction.
    pub first_frame: u64,
    /// Whether it travelled compressed.
    pub compressed: bool,
    /// Payload bytes on the wire.
    pub wire_len: u64,
    /// Bytes of content.
    pub len: u64,
}

/// How long each phase of opening a connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Name resolution.
    pub resolve: Duration,
    /// TCP, or the Unix socket.
    pub connect: Duration,
    /// The way through the proxy, if there is one.
    pub proxy: Option<Duration>,
    /// TLS, if any.
    pub tls: Option<Duration>,
    /// From the request to the end of the response's head.
    pub upgrade: Duration,
}

/// What was agreed under TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// Which end this is agreed with: a proxy talks TLS with both.
    pub peer: Option<Role>,
    /// Protocol version, as in `TLS 1.3`, if the ServerHello was seen.
    pub version: Option<String>,
    /// Cipher suite by its registered name.
    pub cipher: Option<String>,
    /// The protocol agreed by ALPN.
    pub alpn: Option<String>,
    /// The peer's own certificate.
    pub certificate: Option<CertificateFacts>,
    /// The certificates it sent along with its own, in their order, where the library shows them.
    pub chain: Vec<CertificateFacts>,
    /// Whether the chain and the name were verified (not with `--insecure`).
    pub verified: bool,
    /// What verification would have refused, where `--insecure` switched it off.
    pub problem: Option<String>,
}

/// The contents of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject's name in RFC 4514 form, such as `CN=example.com,O=Example`.
    pub subject: String,
    /// The issuer's name in the same form.
    pub issuer: String,
    /// The subject alternative names (RFC 5280 §4.2.1.6) in their order: DNS names and IP
    /// addresses bare, others with a prefix (`URI:`, `email:`).
    pub names: Vec<String>,
    /// Start of validity, RFC 3339 in UTC.
    pub not_before: String,
    /// End of validity, RFC 3339 in UTC.
    pub not_after: String,
    /// The serial number's octets in lower-case hex.
    pub serial: String,
    /// Whether it says where its issuer's certificate is to be had (RFC 5280 §4.2.2.1).
    pub names_issuer: bool,
}

/// How the command that served a connection ended.
///
/// Displayed in the words of a transcript, as in `the command ended with status 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandEnd {
    /// By itself, with this exit status.
    #[error("the command ended with status {0}")]
    Status(i32),
    /// By a signal of this number.
    #[error("the command was ended by signal {0}")]
    Signal(i32),
}

/// Which end of the connection, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This program.
    Us,
    /// The other end.
    Peer,
    /// Neither: the network or the system.
    Network,
    /// An end of a connection that is relayed here, by the role it has.
    End(Role),
}

/// One of our deadlines that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// No connection within `--connect-timeout`.
    Connect,
    /// No complete handshake within `--handshake-timeout`.
    Handshake,
    /// No answer to our Close within `--close-timeout`.
    Close,
    /// Nothing received after a ping within `--pong-timeout`.
    Pong,
    /// Nothing received within `--idle-timeout`.
    Idle,
    /// `--max-time` is over.
    MaxTime,
}

impl TimeoutKind {
    /// What was waited for, in plain words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Connect => "no connection within the connect timeout",
            Self::Handshake => "no complete handshake within the handshake timeout",
            Self::Close => "the peer did not answer our Close frame within the close timeout",
            Self::Pong => "nothing received after a ping within the pong timeout",
            Self::Idle => "nothing received within the idle timeout",
            Self::MaxTime => "--max-time has passed",
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The closing handshake was completed.
    Closed,
    /// The peer broke the protocol, and the connection was failed (RFC 6455 §7.1.7).
    Violation(Violation),
    /// One of our deadlines passed.
    Timeout(TimeoutKind),
    /// The stream ended, or broke, before the closing handshake was completed: 1006.
    Lost(Lost),
    /// A relay closed both directions.
    Relay {
        /// The rule that made it; none for a line of the prompt.
        rule: Option<u64>,
        /// What both ends were sent.
        close: CloseBody,
    },
    /// We ended it on purpose without a closing handshake.
    Dropped,
}

/// How a stream ended, or broke, before the closing handshake was completed.
///
/// Displayed in the words of a transcript, as in `end of stream` or `connection reset by peer`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The peer ended its stream at a frame boundary: FIN, or close_notify under TLS.
    #[error("end of stream")]
    EndOfStream,
    /// The peer ended its stream inside a frame.
    #[error("end of stream inside frame #{frame}: {missing}")]
    InsideFrame {
        /// Number of the frame in its direction, from 1.
        frame: u64,
        /// Which of its bytes were received, as in `2 of 5 payload bytes came`.
        missing: String,
    },
    /// The peer's stream ended without the alert that announces its end (RFC 8446 §6.1), so bytes
    /// may be missing.
    #[error("TLS ended without close_notify")]
    TruncatedTls,
    /// The peer, or something on the way, reset the connection: ECONNRESET.
    #[error("connection reset by peer")]
    Reset,
    /// The peer no longer reads: EPIPE.
    #[error("broken pipe")]
    BrokenPipe,
    /// What was sent stayed unacknowledged: ETIMEDOUT.
    #[error("connection timed out")]
    TimedOut,
    /// TLS failed, or the system reports another error; the text is theirs.
    #[error("{0}")]
    Other(String),
}

impl Lost {
    /// An end of the peer's stream; `truncated` if TLS did not announce it, `write_error` if a
    /// write failed before. A reset that a write has met is reported to no read any more.
    pub fn at_end(truncated: bool, write_error: Option<Self>) -> Self {
        match write_error {
            Some(Self::Reset) => Self::Reset,
            _ if truncated => Self::TruncatedTls,
            _ => Self::EndOfStream,
        }
    }

    /// The same loss where the stream was cut inside a frame, as `cut` says: only an end in order
    /// is explained by it.
    pub fn inside(self, cut: &Violation) -> Self {
        match self {
            Self::EndOfStream => {
                Self::InsideFrame { frame: cut.frame, missing: cut.detail.clone() }
            }
            other => other,
        }
    }

    /// Who ended the stream.
    pub fn by(&self) -> Side {
        match self {
            Self::EndOfStream => Side::Peer,
            _ => Side::Network,
        }
    }
}

/// The end of a connection: who ended it, how, with which Close frames, after how long, and what
/// had crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The role of this side; none where a connection is relayed here: `sent` and `out` are the
    /// client's then, `received` and `in` the server's.
    pub role: Option<Role>,
    /// Who ended it.
    pub by: Side,
    /// How.
    pub cause: Cause,
    /// The Close frame we sent.
    pub sent: Option<CloseBody>,
    /// The Close frame we received.
    pub received: Option<CloseBody>,
    /// From the 101 to the end.
    pub duration: Duration,
    /// What went out.
    pub out: Totals,
    /// What was received.
    pub r#in: Totals,
}

impl Ending {
    /// Whether the peer ended the stream in order after our Close, without its own Close. All data
    /// had been sent by then.
    pub fn is_unanswered_close(&self) -> bool {
        let in_order = matches!(self.cause, Cause::Lost(Lost::EndOfStream | Lost::TruncatedTls));
        in_order && self.sent.is_some() && self.received.is_none()
    }
}

/// Counts of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames of every kind.
    pub frames: u64,
    /// Complete data messages.
    pub messages: u64,
    /// Bytes of message content, inflated.
    pub bytes: u64,
    /// Bytes of the stream after the handshake, headers included.
    pub wire_bytes: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.frames += more.frames;
        self.messages += more.messages;
        self.bytes += more.bytes;
        self.wire_bytes += more.wire_bytes;
    }
}

/// What an observer of one direction reports.
#[derive(Clone, Debug)]
pub enum Observed<'a> {
    /// The head is complete. No further event follows until the owner decides what comes after it.
    Head(&'a Head),
    /// The bytes are not a head, or the head is too large; the error contains the part that was
    /// read.
    HeadError(&'a HeadError),
    /// Bytes of a body.
    Body(&'a [u8]),
    /// Something in the stream of frames.
    Frame(FrameEvent<'a>),
    /// A whole message at once: see [`WholeMessage::try_events`].
    Whole(WholeMessage<'a>),
}

/// A message in one frame, uncompressed and without fault: five events in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeMessage<'a> {
    /// The frame's header.
    pub header: &'a FrameHeader,
    /// The content, which is the payload.
    pub content: &'a [u8],
    /// Number of the frame in its direction, from 1.
    pub frame: u64,
    /// Number of the message in its direction, from 1.
    pub number: u64,
}

impl WholeMessage<'_> {
    /// Returns the events that it replaces, in order, until `take` fails.
    ///
    /// # Errors
    ///
    /// The error of `take`.
    pub fn try_events<E>(
        &self,
        mut take: impl FnMut(FrameEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { header, content, frame, number } = *self;
        let info = MessageInfo {
            number,
            opcode: header.opcode,
            frames: 1,
            first_frame: frame,
            compressed: false,
            wire_len: header.len,
            len: header.len,
        };
        take(FrameEvent::Start { number: frame, header })?;
        if !content.is_empty() {
            take(FrameEvent::Payload(content))?;
            take(FrameEvent::Data(content))?;
        }
        take(FrameEvent::End { number: frame, header })?;
        take(FrameEvent::Message(&info))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ViolationKind;

    #[test]
    fn a_cut_inside_a_frame_explains_an_end_in_order_only() {
        let kind = ViolationKind::CutInsideFrame;
        let detail = "2 of 5 payload bytes came".to_owned();
        let cut = Violation { kind, frame: 3, offset: 9, detail };
        let inside = Lost::EndOfStream.inside(&cut);
        let text = "end of stream inside frame #3: 2 of 5 payload bytes came";
        assert_eq!((inside.to_string().as_str(), inside.by()), (text, Side::Network));
        for other in [Lost::Reset, Lost::TruncatedTls, Lost::Other("x".into())] {
            assert_eq!(other.clone().inside(&cut), other);
        }
    }

    #[test]
    fn a_reset_that_a_write_met_is_no_end_in_order() {
        assert_eq!(Lost::at_end(false, Some(Lost::Reset)), Lost::Reset);
        // The peer ended its stream first, and no longer took what was sent after that.
        assert_eq!(Lost::at_end(false, Some(Lost::BrokenPipe)), Lost::EndOfStream);
        assert_eq!(Lost::at_end(true, None), Lost::TruncatedTls);
        assert_eq!(Lost::at_end(false, None).by(), Side::Peer);
    }
}
