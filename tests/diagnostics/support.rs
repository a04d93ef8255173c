//! Facts from bytes: the parser reads the heads, the observer reads the frames.

use std::time::Duration;

use wscope::diagnostics::Facts;
use wscope::diagnostics::facts::{End, EndKind, FrameContext, StreamFacts};
use wscope::event::{Direction, FrameEvent, MessageInfo, Observed};
use wscope::session::{Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::rules::{HandshakeContext, Report, check};
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::{Data, FrameHeader, OpCode, Role, Violation};

/// A valid request; its key is that of RFC 6455 §1.3.
pub const REQUEST: &str = "GET /chat?token=secret HTTP/1.1\r\nHost: api.example\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n";

/// The headers of a 101 for that key.
pub const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

pub const URL: &str = "ws://api.example/chat?token=secret";

/// A captured handshake.
pub struct Pair {
    pub request: Head,
    pub response: Head,
    pub report: Report,
    pub body: Vec<u8>,
}

impl Pair {
    /// A valid request with additional headers, and this response.
    pub fn new(more: &str, response: &str) -> Self {
        Self::of(&format!("{REQUEST}{more}\r\n"), response)
    }

    /// A request and a response from all their bytes.
    pub fn of(request: &str, response: &str) -> Self {
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
        let request = Head::parse(HeadKind::Request, request.as_bytes());
        let response = Head::parse(HeadKind::Response, format!("{head}\r\n\r\n").as_bytes());
        let report = check(&HandshakeContext::new(&request, Some(&response)));
        Self { request, response, report, body: body.as_bytes().to_vec() }
    }

    /// A valid request and a valid 101, with additional headers.
    pub fn open(asked: &str, answered: &str) -> Self {
        Self::new(asked, &format!("{SWITCH}{answered}\r\n"))
    }

    /// The facts that a client then knows.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            url: Some(URL),
            request: Some(&self.request),
            response: Some(&self.response),
            report: Some(&self.report),
            body: &self.body,
            ..Facts::new(Role::Client)
        }
    }
}

/// The results of an observer for some bytes.
pub struct Seen {
    pub violations: Vec<Violation>,
    bytes: Vec<u8>,
    headers: Vec<FrameHeader>,
}

impl Seen {
    /// Reads a server's stream.
    pub fn from_server(bytes: &[u8]) -> Self {
        Self::new(Direction::ToClient, None, Limits::default(), bytes)
    }

    pub fn new(
        direction: Direction,
        deflate: Option<&DeflateParams>,
        limits: Limits,
        bytes: &[u8],
    ) -> Self {
        let mut observer = Observer::of_frames(direction, deflate, limits);
        let (mut violations, mut headers) = (Vec::new(), Vec::new());
        let mut piece = bytes.to_vec();
        let mut input = Input::new(&mut piece);
        while let Some(observed) = observer.next(&mut input) {
            match observed {
                Observed::Frame(FrameEvent::Start { header, .. }) => headers.push(*header),
                Observed::Frame(FrameEvent::Violation(found)) => violations.push(found.clone()),
                _ => {}
            }
        }
        violations.extend(observer.finish());
        Self { violations, bytes: bytes.to_vec(), headers }
    }

    /// The facts of a handshake and these violations.
    pub fn facts<'a>(&'a self, pair: &'a Pair) -> Facts<'a> {
        let guilty = self.violations.first().map_or(0, |violation| violation.frame);
        let header = self.headers.get((guilty as usize).wrapping_sub(1));
        let after = Duration::from_millis(3204);
        let frame = header.map(|header| FrameContext {
            header: *header,
            after,
            around: &self.bytes,
            around_at: 0,
        });
        Facts { violations: &self.violations, frame, ..pair.facts() }
    }
}

/// A message of one frame.
pub fn message(opcode: Data, content: &[u8]) -> (MessageInfo, &[u8]) {
    let len = content.len() as u64;
    let info = MessageInfo {
        number: 1,
        opcode: OpCode::Data(opcode),
        frames: 1,
        first_frame: 1,
        compressed: false,
        wire_len: len,
        len,
    };
    (info, content)
}

/// A stream with this first text message.
pub fn stream_of(content: &[u8]) -> StreamFacts<'_> {
    StreamFacts { frames: 1, message: Some(message(Data::Text, content)), ..StreamFacts::default() }
}

/// An end after this time without traffic.
pub fn end(how: EndKind, seconds: f64) -> End {
    let time = Duration::from_secs_f64(seconds);
    End {
        how,
        lifetime: time + Duration::from_millis(1500),
        idle: time,
        idle_data: time,
        quiet: Duration::ZERO,
        longest_quiet: Duration::ZERO,
        last: Duration::ZERO,
        partial: 0,
    }
}
