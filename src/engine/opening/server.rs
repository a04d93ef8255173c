//! From an accepted socket to an open connection: TLS, the request's head, the answer.
//!
//! A state machine like the client's. If a client sends another protocol instead of a handshake,
//! the opening recognises the protocol, reports it and, if possible, answers in it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::diagnostics::{Diagnostic, Facts, Wish, classify, sniff};
use crate::engine::connection::Outputs;
use crate::event::{ConnId, Direction, Event, Observed, TimeoutKind};
use crate::net::facts::tls_fault;
use crate::net::link::{Buffers, Fill, Link, SocketLink};
use crate::net::tls::TlsError;
use crate::net::transport::TransportError;
use crate::session::{Limits, Observer};
use crate::ui::number;
use crate::ui::redact::REDACTED;
use crate::ui::sanitize::escaped;
use crate::wire::Role;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::admission::path;
use crate::wire::handshake::rules::{HandshakeContext, check};
use crate::wire::handshake::server::{Accepted, Refusal};
use crate::wire::head::{Head, HeadError, HeadKind};
use crate::wire::socks;

/// How many bytes of a path or user agent a line shows.
const SHOWN: usize = 120;

/// For longer answers of a fault, the report has only the name.
const REPORTED: usize = 16 * 1024;

/// How a request is answered.
pub enum HandshakeAnswer {
    /// With a 101, and with these notes.
    Accept(Accepted, Vec<String>),
    /// With another status.
    Refuse(Refusal),
    /// With an answer that breaks a rule on purpose.
    Wrong(Wrong),
    /// Not here: the request is forwarded to another server.
    Elsewhere,
}

/// The bytes that a fault sends instead of a 101.
pub struct Wrong {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their description, in a sentence.
    pub why: String,
    /// What happens after them.
    pub then: Then,
}

/// What happens after an answer that opens no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The stream ends in order.
    End,
    /// The connection is dropped.
    Drop,
    /// The connection is reset.
    Reset,
    /// Nothing, until the client ends the connection.
    Nothing,
}

/// This many bytes are enough to recognise every known protocol.
const NAMING: usize = 64;

/// How long to wait for more bytes of an unknown protocol, after each byte.
const NAMING_TIMEOUT: Duration = Duration::from_millis(500);

/// The progress of an opening.
pub enum OpeningProgress {
    /// It must wait.
    Pending,
    /// The 101 is in the send buffer.
    Accepted(AcceptedRequest),
    /// Another server must answer this request.
    Asked(Head),
    /// The first byte is that of SOCKS5; nothing has been consumed.
    Socks,
    /// No connection will be opened; an answer is in the send buffer if `answered`.
    Refused {
        /// The reason, in a sentence.
        why: String,
        /// The answer, if there is one.
        answer: Option<Vec<u8>>,
        /// The TLS handshake was required, but not completed.
        securing: bool,
        /// What happens next.
        then: Then,
    },
}

/// The facts about an accepted client.
pub struct AcceptedRequest {
    /// The agreement of the handshake.
    pub agreed: Agreed,
    /// A line that describes the client, safe for a terminal.
    pub about: Box<str>,
    /// The requested path.
    pub path: String,
    /// What the client wanted but did not get, if a sink needs it.
    pub wish: Option<Box<Wish>>,
}

/// An opening on the server's side.
pub struct ServerOpening {
    id: ConnId,
    address: Option<SocketAddr>,
    /// The transport.
    pub link: SocketLink,
    /// The observer of the client's direction.
    pub inbound: Observer,
    securing: bool,
    /// The deadline for the whole opening.
    until: Instant,
    /// The deadline for recognising another protocol; then it is answered without a name.
    unnamed_until: Option<Instant>,
    /// If the client exceeds the limit: who has the limit, and its value.
    excess_of: Option<(&'static str, usize)>,
    /// The client uses a forward proxy.
    of_proxy: bool,
}

impl ServerOpening {
    /// Takes over an accepted socket.
    pub fn new(
        id: ConnId,
        address: Option<SocketAddr>,
        link: SocketLink,
        limits: Limits,
        timeout: Duration,
        now: Instant,
    ) -> Self {
        Self {
            id,
            address,
            securing: link.tls().is_some(),
            link,
            inbound: Observer::before_handshake(Direction::ToServer, limits),
            until: now + timeout,
            unnamed_until: None,
            excess_of: None,
            of_proxy: false,
        }
    }

    /// For a client of a forward proxy: it may use SOCKS5, and its credentials for the proxy are
    /// not reported.
    pub fn of_proxy(self) -> Self {
        Self { of_proxy: true, ..self }
    }

    /// For a client whose TLS handshake is complete, or that uses no TLS.
    pub fn in_the_open(self) -> Self {
        Self { securing: false, ..self }
    }

    /// Answers that `whom` (a server or a proxy) already has `most` clients.
    pub fn turn_away(&mut self, whom: &'static str, most: usize) {
        self.excess_of = Some((whom, most));
    }

    /// Explains a TLS handshake that failed after the client began it. `intercepted`: a proxy made
    /// the certificate.
    pub fn explain_tls(&mut self, intercepted: bool) -> Vec<Diagnostic> {
        let Err(TransportError::Tls(error)) = self.link.handshake() else { return Vec::new() };
        // A client that has sent nothing has not seen the certificate.
        if matches!(error, TlsError::ClosedDuringHandshake { answered: false }) {
            return Vec::new();
        }
        let mut facts = Facts::new(Role::Server);
        facts.tls.fault = tls_fault(&error);
        facts.tls.intercepted = intercepted;
        classify(&facts)
    }

    /// Whether the TLS handshake is incomplete.
    pub fn is_securing(&self) -> bool {
        self.securing
    }

    /// When the next action is due.
    pub fn deadline(&self) -> Instant {
        self.unnamed_until.unwrap_or(self.until).min(self.until)
    }

    /// Whether a turn could do something without an event.
    pub fn wants_turn(&self) -> bool {
        self.link.may_fill()
    }

    /// Returns the transport and the observer, for the connection.
    pub fn into_parts(self) -> (Link, Observer) {
        (self.link.opened(), self.inbound)
    }

    /// Like [`Self::into_parts`], with the socket.
    pub fn into_socket(self) -> (SocketLink, Observer) {
        (self.link, self.inbound)
    }

    /// Continues as far as possible without waiting, with lent buffers. `respond` answers the
    /// request.
    pub fn advance(
        &mut self,
        respond: &mut dyn FnMut(&Head) -> HandshakeAnswer,
        buffers: &mut Buffers,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<OpeningProgress> {
        self.link.lend(buffers);
        let progress = self.step(respond, outputs, now);
        let early = matches!(
            progress,
            Ok(OpeningProgress::Accepted(_) | OpeningProgress::Asked(_) | OpeningProgress::Socks)
        );
        self.link.take_back(buffers, early);
        progress
    }

    fn step(
        &mut self,
        respond: &mut dyn FnMut(&Head) -> HandshakeAnswer,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<OpeningProgress> {
        if self.securing {
            match self.link.handshake() {
                Ok(true) => {
                    self.securing = false;
                    if let Some(facts) = self.link.tls().and_then(|tls| tls.facts()).cloned() {
                        outputs.report(self.id, &Event::Tls(&facts))?;
                    }
                }
                Ok(false) if self.until <= now => {
                    return Ok(self.dropped(TimeoutKind::Handshake.what().to_owned()));
                }
                Ok(false) => return Ok(OpeningProgress::Pending),
                Err(TransportError::Tls(TlsError::PlainHttpRequest)) => {
                    self.link.give_up_tls();
                    return self.refuse_foreign(http_instead_of_tls(), outputs);
                }
                Err(error) => return Ok(self.dropped(error.to_string())),
            }
        }
        if let Some((whom, most)) = self.excess_of {
            return self.refuse_foreign(turned_away(whom, most), outputs);
        }
        match self.link.fill() {
            Ok(Fill::Data) => {}
            Ok(Fill::Blocked) if self.deadline() <= now => {
                let answer = self.foreign().unwrap_or_else(too_slow);
                return self.refuse_foreign(answer, outputs);
            }
            Ok(Fill::Blocked) => return Ok(OpeningProgress::Pending),
            Ok(Fill::End { .. }) => {
                let came = self.inbound.partial_head().map_or(0, |head| head.raw().len());
                return Ok(self.dropped(match (came, self.foreign()) {
                    (0, _) => "it closed the connection without sending a byte, as a health check or a port scan does".to_owned(),
                    (_, Some(answer)) => answer.why,
                    (n, None) => format!("it closed the connection after {n} bytes of its request"),
                }));
            }
            Err(error) => return Ok(self.dropped(error.to_string())),
        }
        match self.take_request(respond, outputs, now)? {
            OpeningProgress::Pending if self.deadline() <= now => {
                let answer = self.foreign().unwrap_or_else(too_slow);
                self.refuse_foreign(answer, outputs)
            }
            progress => Ok(progress),
        }
    }

    /// The answer to another protocol, if the received bytes can't begin a request.
    fn foreign(&self) -> Option<ForeignAnswer> {
        let parser = self.inbound.partial_head()?;
        let came = parser.raw();
        let foreign = parser.not_http() || is_foreign(came) || sniff::client(came).is_some();
        foreign.then(|| not_http(came, self.of_proxy))
    }

    /// Takes the received bytes; the bytes after the head stay for the connection.
    fn take_request(
        &mut self,
        respond: &mut dyn FnMut(&Head) -> HandshakeAnswer,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<OpeningProgress> {
        let (mut input, _) = self.link.split();
        let before = self.inbound.partial_head().map_or(0, |head| head.raw().len());
        let came = before + input.rest().len();
        if self.of_proxy && before == 0 && input.rest().first() == Some(&socks::VERSION) {
            return Ok(OpeningProgress::Socks);
        }
        let found = match self.inbound.next(&mut input) {
            Some(Observed::Head(head)) => Some(Ok(head.clone())),
            Some(Observed::HeadError(error)) => Some(Err(too_large(error))),
            _ => None,
        };
        let at = input.consumed();
        self.link.consumed(at);
        let head = match found {
            Some(Ok(head)) => head,
            Some(Err(answer)) => return self.refuse_foreign(answer, outputs),
            None => {
                return match self.inbound.partial_head() {
                    Some(parser) if parser.not_http() || is_named_line(parser.raw()) => {
                        let answer = not_http(parser.raw(), self.of_proxy);
                        if answer.named || parser.raw().len() >= NAMING {
                            return self.refuse_foreign(answer, outputs);
                        }
                        self.unnamed_until = Some(now + NAMING_TIMEOUT);
                        Ok(OpeningProgress::Pending)
                    }
                    _ => Ok(OpeningProgress::Pending),
                };
            }
        };
        if let Some(answer) = foreign_head(&head, self.of_proxy) {
            return self.refuse_foreign(answer, outputs);
        }
        let early = came.saturating_sub(head.raw().len()) as u64;
        let veiled = self.of_proxy.then(|| head.veiled("Proxy-Authorization", REDACTED)).flatten();
        let shown = veiled.as_ref().unwrap_or(&head);
        outputs.report(self.id, &Event::Head(Direction::ToServer, shown))?;
        match respond(&head) {
            HandshakeAnswer::Accept(accepted, notes) => {
                for note in &notes {
                    outputs.note(self.id, note)?;
                }
                self.link.tx.extend_from_slice(&accepted.response);
                self.report_answer(&head, &accepted.response, early, outputs)?;
                self.inbound.expect_frames(accepted.agreed.deflate.as_ref());
                outputs.report(self.id, &Event::Open(&accepted.agreed))?;
                let about = self.about(&head, &accepted.agreed);
                let path = String::from_utf8_lossy(path(&head)).into_owned();
                let agreed = accepted.agreed;
                let wish = Wish::of(&head, agreed.subprotocol.as_deref());
                Ok(OpeningProgress::Accepted(AcceptedRequest {
                    agreed,
                    about,
                    path,
                    wish: wish.map(Box::new),
                }))
            }
            HandshakeAnswer::Elsewhere => Ok(OpeningProgress::Asked(head)),
            HandshakeAnswer::Refuse(refusal) => {
                self.report_answer(&head, &refusal.response, early, outputs)?;
                let rule = refusal.rule.map(|rule| format!(" ({})", rule.id)).unwrap_or_default();
                let why = format!("answered {}: {}{rule}", refusal.status, refusal.reason);
                Ok(self.answered(refusal.response, why, Then::End))
            }
            HandshakeAnswer::Wrong(Wrong { bytes, why, then }) => {
                if outputs.looks() && bytes.starts_with(b"HTTP/") && bytes.len() <= REPORTED {
                    report_response(self.id, &bytes, outputs)?;
                }
                Ok(self.answered(bytes, why, then))
            }
        }
    }

    /// Drops the connection without an answer.
    fn dropped(&self, why: String) -> OpeningProgress {
        OpeningProgress::Refused { why, answer: None, securing: self.securing, then: Then::Drop }
    }

    fn answered(&mut self, bytes: Vec<u8>, why: String, then: Then) -> OpeningProgress {
        self.link.tx.extend_from_slice(&bytes);
        // An answer with a deliberate error explains nothing.
        let answer = (then == Then::End).then_some(bytes);
        OpeningProgress::Refused { why, answer, securing: self.securing, then }
    }

    fn refuse_foreign(
        &mut self,
        answer: ForeignAnswer,
        outputs: &mut Outputs<'_>,
    ) -> io::Result<OpeningProgress> {
        if outputs.looks() && answer.bytes.starts_with(b"HTTP/") {
            report_response(self.id, &answer.bytes, outputs)?;
        }
        Ok(self.answered(answer.bytes, answer.why, Then::End))
    }

    /// Reports the broken rules of a request and the answer to it: the head, and the body if the
    /// status is not 101.
    fn report_answer(
        &self,
        request: &Head,
        answer: &[u8],
        early_bytes: u64,
        outputs: &mut Outputs<'_>,
    ) -> io::Result<()> {
        if !outputs.looks() {
            return Ok(());
        }
        let response = Head::parse(HeadKind::Response, answer);
        let context =
            HandshakeContext { early_bytes, ..HandshakeContext::new(request, Some(&response)) };
        outputs.report(self.id, &Event::Judged(&check(&context)))?;
        report_response(self.id, answer, outputs)
    }

    /// Describes the client: `127.0.0.1:50000 /chat, "curl/8.5", subprotocol chat,
    /// permessage-deflate`.
    fn about(&self, request: &Head, agreed: &Agreed) -> Box<str> {
        let shown = |bytes: &[u8]| match bytes.get(..SHOWN) {
            Some(start) => format!("{}…", escaped(start)),
            None => escaped(bytes),
        };
        let target = request.request_line().map_or(&b"/"[..], |line| line.target);
        let mut text = format!("{} {}", peer_name(self.address), shown(target));
        if let Some(agent) = request.get("User-Agent") {
            text += &format!(", \"{}\"", shown(agent));
        }
        if let Some(subprotocol) = &agreed.subprotocol {
            text += &format!(", subprotocol {subprotocol}");
        }
        for extension in &agreed.extensions {
            text += &format!(", {extension}");
        }
        text.into()
    }
}

/// Reports an answer: its head, and its body.
///
/// # Errors
///
/// An output failed.
pub fn report_response(id: ConnId, bytes: &[u8], outputs: &mut Outputs<'_>) -> io::Result<()> {
    let head = Head::parse(HeadKind::Response, bytes);
    let body = &bytes[head.raw().len()..];
    outputs.report(id, &Event::Head(Direction::ToClient, &head))?;
    match body.is_empty() {
        true => Ok(()),
        false => outputs.report(id, &Event::Body(body)),
    }
}

/// A client's address; a client of a Unix socket has none.
pub fn peer_name(address: Option<SocketAddr>) -> String {
    match address {
        Some(address) => canonical(address).to_string(),
        None => "a local client".to_owned(),
    }
}

/// Converts an IPv4 address that an IPv6 socket has accepted back to IPv4.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// How many bytes of another protocol's greeting are quoted.
const QUOTED: usize = 32;

/// An answer for a connection that can't become a WebSocket.
pub struct ForeignAnswer {
    /// The bytes to send before the end.
    pub bytes: Vec<u8>,
    /// A sentence about the received bytes.
    pub why: String,
    /// Whether the sentence names the protocol.
    pub named: bool,
}

/// Recognises data that is not a request's head; `of_proxy` if the receiver is a proxy, which
/// accepts SOCKS5 and HTTP.
pub fn not_http(first: &[u8], of_proxy: bool) -> ForeignAnswer {
    let quote = escaped(&first[..first.len().min(QUOTED)]);
    // A record of type handshake in any version of SSL 3 or TLS (RFC 8446 §5.1).
    if first.starts_with(&[22, 3]) {
        return plain("the client speaks TLS on a plain port; use ws:// instead of wss://", 400);
    }
    // An SSL 2 ClientHello of old clients: a length with its top bit, the type, the version.
    if matches!(first, [0x80..=0xff, _, 1, 0, 2, ..] | [0x80..=0xff, _, 1, 3, 0..=4, ..]) {
        return plain("the client speaks SSL 2 on a plain port", 400);
    }
    if sniff::is_proxy_protocol(first) {
        let why = "the request begins with the PROXY protocol; switch it off at the balancer (haproxy: no \
                   send-proxy and no send-proxy-v2)";
        return plain(why, 400);
    }
    let refused = |bytes: &[u8], why: &str| ForeignAnswer {
        bytes: bytes.to_vec(),
        why: why.into(),
        named: true,
    };
    match first {
        // "Request rejected" (91), from the description of SOCKS4.
        [4, 1 | 2, ..] => refused(
            &[0, 91, 0, 0, 0, 0, 0, 0],
            match of_proxy {
                true => {
                    "the client speaks SOCKS4; use SOCKS5 or HTTP (curl: --socks5-hostname or --proxy)"
                }
                false => {
                    "the client speaks SOCKS4; `wscope proxy PORT` without --to takes SOCKS5 and HTTP \
                     instead (curl: --socks5-hostname or --proxy)"
                }
            },
        ),
        // No acceptable methods (RFC 1928 §3).
        [5, count, methods @ ..] if *count > 0 && methods.len() == usize::from(*count) => refused(
            &[socks::VERSION, socks::method::REFUSED],
            "the client speaks SOCKS5, as to a proxy; `wscope proxy PORT` without --to is one",
        ),
        _ => match sniff::client(first) {
            Some(protocol) => plain(&format!("the client speaks {protocol}, not HTTP"), 400),
            None => ForeignAnswer {
                named: false,
                ..plain(&format!("the request is not HTTP: \"{quote}\""), 400)
            },
        },
    }
}

/// Recognises data that looks like a head but is not an HTTP/1 request.
fn foreign_head(head: &Head, of_proxy: bool) -> Option<ForeignAnswer> {
    let foreign = || is_foreign(head.raw()).then(|| not_http(head.raw(), of_proxy));
    http2(head).or_else(foreign)
}

/// Recognises the preface of HTTP/2, which looks like a head (RFC 9113 §3.4).
pub fn http2(head: &Head) -> Option<ForeignAnswer> {
    /// HTTP_1_1_REQUIRED: "The endpoint requires that HTTP/1.1 be used instead of HTTP/2" (§7).
    const HTTP_1_1_REQUIRED: u8 = 0xd;
    if !head.raw().starts_with(b"PRI * HTTP/2.0\r\n") {
        return None;
    }
    let why = "the client speaks HTTP/2; a WebSocket handshake here needs HTTP/1.1";
    // "The server connection preface consists of a potentially empty SETTINGS frame" (§3.4), then
    // GOAWAY for stream 0 (§6.8): no stream was processed, the error, the reason as debug data.
    let mut bytes = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(&[0, 0, 8 + why.len() as u8, 7, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, HTTP_1_1_REQUIRED]);
    bytes.extend_from_slice(why.as_bytes());
    Some(ForeignAnswer { bytes, why: why.to_owned(), named: true })
}

/// Whether the first line is complete and can't begin a request (RFC 9112 §3).
pub fn is_foreign(first: &[u8]) -> bool {
    // "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line"
    // (RFC 9112 §2.2).
    let first = first.trim_ascii_start();
    let Some(end) = memchr::memchr(b'\n', first) else { return false };
    let line = first[..end].trim_ascii_end();
    // A request line that breaks the grammar is still HTTP.
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    memchr::memmem::find(line, b" HTTP/").is_none() && !target.starts_with(b"/")
}

/// Whether the first line is complete, begins no request, and names a protocol.
fn is_named_line(first: &[u8]) -> bool {
    is_foreign(first) && sniff::client(first).is_some()
}

/// The answer to a head beyond the limits.
pub fn too_large(error: &HeadError) -> ForeignAnswer {
    plain(&error.to_string(), 431)
}

/// The answer to an incomplete head.
pub fn too_slow() -> ForeignAnswer {
    plain("no complete request within the handshake timeout", 408)
}

/// The answer to a client beyond `--max-clients`.
pub fn turned_away(whom: &str, most: usize) -> ForeignAnswer {
    let clients = number::counted(most as u64, "client");
    let why = format!("this {whom} already has {clients}, its maximum");
    let refusal = Refusal::new(503, &[("Retry-After", "1")], why);
    ForeignAnswer { bytes: refusal.response, why: refusal.reason, named: true }
}

/// The answer to plain HTTP on a TLS port.
pub fn http_instead_of_tls() -> ForeignAnswer {
    plain("the client speaks plain HTTP on a TLS port; use wss:// instead of ws://", 400)
}

fn plain(why: &str, status: u16) -> ForeignAnswer {
    let refusal = Refusal::new(status, &[], why);
    ForeignAnswer { bytes: refusal.response, why: refusal.reason, named: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    #[test]
    fn foreign_greetings_have_names() {
        for (first, name) in [
            (&b"\x16\x03\x01\x02\x00\x01"[..], "speaks TLS"),
            (b"\x80\x2e\x01\x03\x01", "speaks SSL 2"),
            (b"\x04\x01\x1f\x90\x7f\x00\x00\x01\x00", "speaks SOCKS4"),
            (b"\x05\x02\x00\x02", "speaks SOCKS5"),
            (b"\x05\x02\x00", "not HTTP"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", "begins with the PROXY protocol"),
            (
                b"PROXY TCP4 10.0.0.1 10.0.0.2 4444 80\r\nGET / HTTP/1.1\r\n\r\n",
                "begins with the PROXY",
            ),
            (b"\x00\x01\xff", "not HTTP: \"\\0"),
            (b"{\"hello\":1}", "not HTTP"),
            (b"\0\0\0\x08\x04\xd2\x16\x2f", "speaks PostgreSQL"),
        ] {
            let answer = not_http(first, false);
            assert!(answer.why.contains(name), "{}", answer.why);
            let in_its_words = match first[0] {
                4 => answer.bytes == [0, 91, 0, 0, 0, 0, 0, 0],
                5 if answer.why.contains("SOCKS5") => answer.bytes == [5, 0xff],
                _ => answer.bytes.starts_with(b"HTTP/1.1 400 "),
            };
            assert!(in_its_words, "{}", answer.why);
        }
    }

    #[test]
    fn a_first_line_that_begins_no_request_is_foreign() {
        for text in ["SSH-2.0-OpenSSH_9.2p1\r\n", "EHLO me\r\n", "CONNECT\nhost:/\n\n\0"] {
            assert!(is_foreign(text.as_bytes()), "{text:?}");
        }
        for text in [
            "",
            "GET",
            "GET / HTTP/1.1\r\n",
            "GET /\r\n",
            "\r\nGET / HTTP/1.1\r\n",
            "GET /a b HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "SSH-2.0",
        ] {
            assert!(!is_foreign(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn the_preface_of_http2_is_answered_in_http2() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let answer = http2(&Head::parse(HeadKind::Request, preface)).expect("recognised");
        let (settings, goaway) = answer.bytes.split_at(9);
        assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        assert_eq!(goaway.len(), 9 + usize::from(goaway[2]));
        assert_eq!((goaway[3], goaway[16]), (7, 0xd));
        let other = Head::parse(HeadKind::Request, b"PRI * HTTP/1.1\r\n\r\n");
        assert!(http2(&other).is_none());
    }
}
