//! The events that all layers above `wire` share: what happened, when, on which connection.
//!
//! Producers (observers, the network, the modes) make [`Event`]s; printers, recordings and the
//! active endpoint read them. This file does not know how events are printed. Events borrow their
//! data, so reading an event needs no copy.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::close::CloseBody;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadError};
use crate::wire::{FrameHeader, OpCode, Role, Violation};

/// The direction of bytes. It does not depend on the role of wscope, so it means the same in a
/// client, a proxy and a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Direction {
    /// The direction of data from this end.
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

    /// The sign typed after the number of a connection.
    pub fn sign(self) -> &'static str {
        match self {
            Self::ToServer => ">",
            Self::ToClient => "<",
        }
    }

    /// The opposite direction.
    pub fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// The number of a connection in a run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

impl ConnId {
    /// On a relayed connection, data to the server has the connection's number with this bit.
    const TO_SERVER: u64 = 1 << 62;
    /// On a relayed connection, data to the client has the connection's number with this bit.
    const TO_CLIENT: u64 = 1 << 63;

    /// One direction of a relayed connection.
    pub fn towards(self, direction: Direction) -> Self {
        Self(match direction {
            Direction::ToServer => self.pair().0 | Self::TO_SERVER,
            Direction::ToClient => self.pair().0 | Self::TO_CLIENT,
        })
    }

    /// The direction, if this names one.
    pub fn direction(self) -> Option<Direction> {
        match (self.0 & Self::TO_SERVER, self.0 & Self::TO_CLIENT) {
            (0, 0) => None,
            (_, 0) => Some(Direction::ToServer),
            _ => Some(Direction::ToClient),
        }
    }

    /// The connection, without a direction.
    pub fn pair(self) -> Self {
        Self(self.0 & !(Self::TO_SERVER | Self::TO_CLIENT))
    }
}

/// The notation of the prompt: `3`, or `3>` and `3<` for one direction.
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

/// All events of a connection.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A name was resolved to addresses, in the order in which they are tried.
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
        /// The error of the system.
        error: &'a str,
    },
    /// The socket is connected: to the server, or to the proxy before it.
    Connected {
        /// The local end: an address, or a text for a Unix socket.
        local: &'a str,
        /// The peer's end: an address, or the path of a Unix socket.
        peer: &'a str,
    },
    /// A server listens. It belongs to no connection, so [`Stamp::conn`] is 0.
    Listening {
        /// The URL for clients, as in `ws://127.0.0.1:9001/`.
        url: &'a str,
    },
    /// A client has connected to us.
    Accepted {
        /// The local end: an address, or the path of a Unix socket.
        local: &'a str,
        /// The client's end.
        peer: &'a str,
    },
    /// TLS is established.
    Tls(&'a TlsFacts),
    /// The head of a request or a response, by direction.
    Head(Direction, &'a Head),
    /// Bytes of the body of a response that is not a 101.
    Body(&'a [u8]),
    /// How long the phases of the opening took.
    Timing(&'a Phases),
    /// The handshake was judged, with a verdict for every rule.
    Judged(&'a Report),
    /// The connection is open for frames.
    Open(&'a Agreed),
    /// An event in a direction's stream of frames.
    Frame(Direction, FrameEvent<'a>),
    /// An event in the frames that a relay itself has put into a direction's stream.
    Made(Made, Direction, FrameEvent<'a>),
    /// A relay intervened in a message or control frame.
    Intervened(&'a Intervened),
    /// The peer answered our ping.
    RoundTrip(Duration),
    /// The endpoint itself made our next frame in this direction: a pong, an answer to a Close, a
    /// Close that fails the connection, or a keepalive ping.
    Automatic(Direction),
    /// The command that served the connection has ended, so the connection is closed.
    CommandEnded(CommandEnd),
    /// A note that is not an event of the protocol.
    Note(&'a str),
    /// The connection ended before it was open for frames; a sentence says why.
    Failed(&'a str),
    /// A relayed connection of ordinary HTTP has ended; a sentence describes it.
    Passed(&'a str),
    /// The connection has ended.
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
    /// The value with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Injected, Self::Edited, Self::Copied].into_iter().find(|made| made.name() == name)
    }

    /// The name, for transcripts and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Edited => "edited",
            Self::Copied => "copied",
        }
    }
}

/// An intervention of a relay in a message or control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervened {
    /// The direction of the message.
    pub direction: Direction,
    /// Text, binary, or the control frame's.
    pub opcode: OpCode,
    /// Number of its frame, the first of a message, in its direction.
    pub frame: u64,
    /// The rule that caused it; `None` for a line of the prompt.
    pub rule: Option<u64>,
    /// The intervention.
    pub what: Intervention,
}

/// What a relay can do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervention {
    /// It is not forwarded.
    Dropped,
    /// It waits for this time.
    Delayed(Duration),
    /// It waits until it is released.
    Held,
    /// It was released.
    Released,
    /// Another one is forwarded instead.
    Edited,
    /// It is forwarded twice.
    Copied,
    /// Both ends get a Close with this code instead.
    Closed(u16),
}

impl Intervention {
    /// The word for the line of the frame; `None` if the frame was forwarded unchanged.
    pub fn fate(self) -> Option<&'static str> {
        match self {
            Self::Dropped | Self::Closed(_) => Some("dropped"),
            Self::Delayed(_) => Some("delayed"),
            Self::Held => Some("held"),
            Self::Edited => Some("replaced"),
            Self::Released | Self::Copied => None,
        }
    }

    /// The name in JSON.
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

/// The events that an observer finds in the bytes of one direction, in order.
///
/// A frame is [`Start`](Self::Start), any number of [`Payload`](Self::Payload) and
/// [`Data`](Self::Data) pieces, [`Control`](Self::Control) if it is one, then [`End`](Self::End);
/// [`Message`](Self::Message) follows the last frame of a message. A [`Violation`](Self::Violation)
/// comes as soon as it is certain, inside its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameEvent<'a> {
    /// A frame header.
    Start {
        /// Number of the frame in its direction, from 1.
        number: u64,
        /// The header.
        header: &'a FrameHeader,
    },
    /// Payload from the wire, unmasked; still compressed if the message is compressed.
    Payload(&'a [u8]),
    /// The content of a data message: inflated, if it was compressed.
    Data(&'a [u8]),
    /// A whole control frame of legal length.
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
    /// Whether it was compressed on the wire.
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
    /// The connection through the proxy, if there is one.
    pub proxy: Option<Duration>,
    /// TLS, if any.
    pub tls: Option<Duration>,
    /// From the request to the end of the response's head.
    pub upgrade: Duration,
}

/// The result of a TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsFacts {
    /// The end with which TLS was agreed: a proxy uses TLS with both.
    #[serde(skip)]
    pub peer: Option<Role>,
    /// Protocol version, as in `TLS 1.3`, if the ServerHello was seen.
    pub version: Option<String>,
    /// Cipher suite by its registered name.
    pub cipher: Option<String>,
    /// The protocol agreed by ALPN.
    pub alpn: Option<String>,
    /// Whether the chain and the name were verified (not with `--insecure`).
    pub verified: bool,
    /// The error that verification would have reported, if `--insecure` switched it off.
    pub problem: Option<String>,
    /// The peer's own certificate.
    pub certificate: Option<CertificateFacts>,
    /// The other certificates that it sent, in their order, if the library shows them.
    pub chain: Vec<CertificateFacts>,
}

/// The contents of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Whether it says where the issuer's certificate can be downloaded (RFC 5280 §4.2.2.1).
    #[serde(skip)]
    pub names_issuer: bool,
}

/// How the command that served a connection ended.
///
/// Its text is that of a transcript, as in `the command ended with status 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandEnd {
    /// It exited with this status.
    #[error("the command ended with status {0}")]
    Status(i32),
    /// A signal with this number ended it.
    #[error("the command was ended by signal {0}")]
    Signal(i32),
}

/// An end of the connection, from wscope's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This program.
    Us,
    /// The other end.
    Peer,
    /// Neither: the network or the system.
    Network,
    /// An end of a relayed connection, by its role.
    End(Role),
}

/// The deadline of wscope that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// `--max-time` has passed.
    MaxTime,
}

impl TimeoutKind {
    /// The awaited event, in plain words.
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
    /// The stream ended or failed before the closing handshake was complete: 1006.
    Lost(Lost),
    /// A relay closed both directions.
    Relay {
        /// The rule that caused it; `None` for a line of the prompt.
        rule: Option<u64>,
        /// The Close that both ends got.
        close: CloseBody,
    },
    /// wscope ended it on purpose, without a closing handshake.
    Dropped,
}

/// How a stream ended or failed before the closing handshake was complete.
///
/// Its text is that of a transcript, as in `end of stream` or `connection reset by peer`.
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
        /// The received bytes of the frame, as in `2 of 5 payload bytes came`.
        missing: String,
    },
    /// The peer's stream ended without the alert that announces its end (RFC 8446 §6.1), so bytes
    /// may be missing.
    #[error("TLS ended without close_notify")]
    TruncatedTls,
    /// The peer, or a device between, reset the connection: ECONNRESET.
    #[error("connection reset by peer")]
    Reset,
    /// The peer no longer reads: EPIPE.
    #[error("broken pipe")]
    BrokenPipe,
    /// Sent data was not acknowledged: ETIMEDOUT.
    #[error("connection timed out")]
    TimedOut,
    /// TLS failed, or the system reported another error; the text is theirs.
    #[error("{0}")]
    Other(String),
}

impl Lost {
    /// The end of the peer's stream. `truncated`: TLS did not announce it. `write_error`: a write
    /// failed before. If a write has met a reset, no read reports it.
    pub fn at_end(truncated: bool, write_error: Option<Self>) -> Self {
        match write_error {
            Some(Self::Reset) => Self::Reset,
            _ if truncated => Self::TruncatedTls,
            _ => Self::EndOfStream,
        }
    }

    /// The same loss inside a frame; `cut` describes the frame. Only an end in order becomes an end
    /// inside a frame.
    pub fn inside(self, cut: &Violation) -> Self {
        match self {
            Self::EndOfStream => {
                Self::InsideFrame { frame: cut.frame, missing: cut.detail.clone() }
            }
            other => other,
        }
    }

    /// The side that ended the stream.
    pub fn by(&self) -> Side {
        match self {
            Self::EndOfStream => Side::Peer,
            _ => Side::Network,
        }
    }
}

/// The end of a connection: who ended it and how, the Close frames, the duration, and the totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The role of this side; `None` for a relayed connection. Then `sent` and `out` are the
    /// client's, and `received` and `in` the server's.
    pub role: Option<Role>,
    /// The side that ended it.
    pub by: Side,
    /// How it ended.
    pub cause: Cause,
    /// The Close frame we sent.
    pub sent: Option<CloseBody>,
    /// The Close frame we received.
    pub received: Option<CloseBody>,
    /// The time from the 101 to the end.
    pub duration: Duration,
    /// The totals of sent data.
    pub out: Totals,
    /// The totals of received data.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

/// A report of an observer of one direction.
#[derive(Clone, Debug)]
pub enum Observed<'a> {
    /// The head is complete. No event follows until the owner decides how to read the next bytes.
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

/// An uncompressed message in one legal frame: one event instead of five.
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
        // The peer ended its stream first, and did not accept data sent after that.
        assert_eq!(Lost::at_end(false, Some(Lost::BrokenPipe)), Lost::EndOfStream);
        assert_eq!(Lost::at_end(true, None), Lost::TruncatedTls);
        assert_eq!(Lost::at_end(false, None).by(), Side::Peer);
    }
}
