//! From a URL to an open connection: name, TCP, TLS, request, response, verdict.

use std::fmt::Write as _;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::desk::Desk;
use super::failure::{OpenError, Pair};
use crate::config::OpenConfig;
use crate::event::{Direction, Event, Observed, Phases, TimeoutKind};
use crate::net::dial::{self, Outcome as Dialling};
use crate::net::link::{Fill, Link};
use crate::net::random;
use crate::net::reactor::{SIGNAL, SOCKET, STDOUT};
use crate::net::resolve::{self};
use crate::net::tls::TlsClient;
use crate::session::Observer;
use crate::ui::sanitize;
use crate::wire::handshake::headers::HeaderError;
use crate::wire::handshake::request::RequestSpec;
use crate::wire::handshake::rules::{self, Context, Report, Sni, UrlFacts};
use crate::wire::head::{Head, HeadKind};

/// How much of a refusal's body is read and shown.
const MAX_BODY: usize = 64 * 1024;

/// Interim responses before the final one. No server has a use for more, and an endless series of
/// them is an attack.
const MAX_INTERIM: usize = 16;

/// What was waited for in vain.
const NO_ANSWER: &str = "the server did not answer the handshake";
const HALF_ANSWER: &str = "the server began its response and did not end it";

/// How long to wait for more of a body that does not say how long it is.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

/// An open connection.
pub struct Opened {
    /// The socket.
    pub link: Link,
    /// Of the server's direction, at its first frame.
    pub inbound: Observer,
    /// The request as it was sent.
    pub request: Head,
    /// The response as it came.
    pub response: Head,
    /// Every rule's verdict, and what was agreed.
    pub report: Report,
}

/// Opens a connection; the deadline of the whole run, if any, cuts every phase short.
///
/// # Errors
///
/// Whatever stands between a URL and an open connection.
pub fn open(
    config: &OpenConfig,
    desk: &mut Desk,
    max_time: Option<Instant>,
) -> Result<Opened, OpenError> {
    desk.trace.begin(config);
    let request = request(config)?;
    let mut phases = Phases::default();
    for note in &config.target.notes {
        desk.tell(&Event::Note(note))?;
    }
    let started = Instant::now();
    let within = |patience| Deadline::within(patience, max_time);
    let deadline = within(config.connect_timeout).at;
    let tls = config.target.secure.then(|| TlsClient::new(&config.tls())).transpose()?;

    let target = &config.target;
    let (host, port, family) = (target.host.clone(), target.port, config.family);
    let addresses = apart(desk, move || resolve::resolve(&host, port, family, deadline))??;
    phases.resolve = started.elapsed();
    desk.tell(&Event::Resolved { host: &target.host, addresses: &addresses })?;
    let dialled = Instant::now();
    let dialed = apart(desk, move || dial::dial(&addresses, deadline))?;
    let attempts = match &dialed {
        Ok(dialed) => &dialed.attempts,
        Err(error) => &error.attempts,
    };
    desk.trace.dialled(attempts);
    for attempt in attempts {
        let error = match &attempt.outcome {
            Dialling::Connected => continue,
            Dialling::Failed(error) => crate::net::link::plain_io(error),
            Dialling::Unanswered => "no answer".to_owned(),
        };
        desk.tell(&Event::AddressFailed { address: attempt.addr, error: &error })?;
    }
    let dialed = dialed?;
    phases.connect = dialled.elapsed();

    let pipe = tls.map(|tls| tls.start(&target.host)).transpose()?;
    let secured = Instant::now();
    let mut link = Link::new(dialed.stream, pipe, desk.reactor.registry(), SOCKET)?;
    let (local, peer) = link.addresses().map_err(OpenError::Io)?;
    desk.tell(&Event::Connected { local, peer })?;
    let clock = within(config.handshake_timeout);
    desk.signals.listen(desk.reactor.registry())?;
    if target.secure {
        while !link.handshake()? {
            clock.wait(desk, &mut link, "the TLS handshake was not completed")?;
        }
        phases.tls = Some(secured.elapsed());
        if let Some(facts) = link.tls().and_then(|tls| tls.facts()).cloned() {
            desk.tell(&Event::Tls(&facts))?;
        }
    }

    let asked = Instant::now();
    link.tx.extend_from_slice(request.raw());
    desk.tell(&Event::Head(Direction::ToServer, &request))?;
    let mut inbound = Observer::before_handshake(Direction::ToClient, config.limits);
    let mut interim = 0;
    let response = loop {
        let response = read_head(&mut link, &mut inbound, desk, &clock)?;
        desk.tell(&Event::Head(Direction::ToClient, &response))?;
        // "a client MUST be able to parse one or more 1xx responses received prior to a final
        // response" (RFC 9110 §15.2); 101 is final here.
        match response.status_line().map(|line| line.code) {
            Some(100 | 102..=199) => {
                interim += 1;
                if interim > MAX_INTERIM {
                    return Err(OpenError::OnlyInterim(interim));
                }
                inbound = Observer::before_handshake(Direction::ToClient, config.limits);
            }
            _ => break response,
        }
    };
    phases.upgrade = asked.elapsed();
    desk.tell(&Event::Timing(&phases))?;

    let report = judge(config, &request, &response);
    desk.tell(&Event::Judged(&report))?;
    let Some(status) = response.status_line() else {
        return Err(OpenError::NotHttp(first_bytes(response.raw()).to_vec()));
    };
    if status.code != 101 {
        let status = format!("{} {}", status.code, sanitize::escaped(status.reason));
        inbound.expect_body();
        let body = read_body(&mut link, &mut inbound, desk, &clock, &response);
        let shown = desk.reporter.looks_at_frames() || !desk.reporter.may_warn();
        let body = if shown { String::new() } else { quote(&response, &body) };
        let pair = Box::new(Pair { request, response, report });
        return Err(OpenError::Refused { status: status.trim_end().to_owned(), body, pair });
    }
    let broken: Vec<String> = report
        .fatal()
        .map(|verdict| {
            let text = sanitize::escaped(verdict.text.as_bytes());
            format!("{text} ({})", verdict.rule.id)
        })
        .collect();
    if !broken.is_empty() {
        let list = broken.join("; ");
        let pair = Box::new(Pair { request, response, report });
        return Err(OpenError::BadHandshake { list, pair });
    }
    inbound.expect_frames(report.agreed.deflate.as_ref());
    desk.tell(&Event::Open(&report.agreed))?;
    Ok(Opened { link, inbound, request, response, report })
}

/// Does what blocks. Before the first connection a signal ends the program by itself; later
/// signals are listened to, so the call has a thread of its own and is left behind at a signal.
fn apart<T: Send + 'static>(
    desk: &mut Desk,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    if !desk.signals.are_taken() {
        return Ok(call());
    }
    let (sender, result) = mpsc::sync_channel(1);
    let waker = Arc::clone(desk.reactor.waker());
    thread::spawn(move || {
        // Nobody waits any more after a signal.
        if sender.send(call()).is_ok() {
            let _ = waker.wake();
        }
    });
    loop {
        match result.try_recv() {
            Ok(value) => return Ok(value),
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => {
                return Err(OpenError::Local(std::io::Error::other(
                    "the connecting thread failed",
                )));
            }
        }
        for event in desk.reactor.wait(None)? {
            match event.token() {
                STDOUT => desk.stdout.set_ready(event.is_write_closed()),
                SIGNAL => desk.signals.set_ready(),
                _ => {}
            }
        }
        if let Some(signal) = desk.take_signal() {
            return Err(OpenError::Signal(signal));
        }
    }
}

/// The request's head, exactly as it will be sent.
fn request(config: &OpenConfig) -> Result<Head, HeaderError> {
    let target = &config.target;
    let spec = RequestSpec {
        subprotocols: config.subprotocols.clone(),
        origin: config.origin.clone(),
        deflate: config.deflate,
        user_agent: Some(concat!("wscope/", env!("CARGO_PKG_VERSION")).to_owned()),
        headers: config.headers.clone(),
        ..RequestSpec::new(&target.host_header, &target.resource_name, random::nonce())
    };
    Ok(Head::parse(HeadKind::Request, &spec.encode()?))
}

/// Judges the pair by every rule.
fn judge(config: &OpenConfig, request: &Head, response: &Head) -> Report {
    let target = &config.target;
    let host = target.host_header.strip_suffix(&format!(":{}", target.port));
    let is_address = target.host.parse::<std::net::IpAddr>().is_ok();
    let context = Context {
        url: Some(UrlFacts {
            secure: target.secure,
            host: host.unwrap_or(&target.host_header),
            port: target.port,
            resource: &target.resource_name,
            fragment: None,
            loopback: target.is_loopback(),
        }),
        // "Literal IPv4 and IPv6 addresses are not permitted" in SNI (RFC 6066 §3).
        sni: match (target.secure, is_address) {
            (true, false) => Sni::Sent(&target.host),
            _ => Sni::Unseen,
        },
        ..Context::new(request, Some(response))
    };
    rules::check(&context)
}

fn read_head(
    link: &mut Link,
    inbound: &mut Observer,
    desk: &mut Desk,
    clock: &Deadline,
) -> Result<Head, OpenError> {
    let mut received = 0;
    loop {
        link.flush()?;
        let (mut input, _) = link.split();
        let found = match inbound.next(&mut input) {
            Some(Observed::Head(head)) => Some(Ok(head.clone())),
            Some(Observed::HeadError(error)) => Some(Err(OpenError::Head(*error))),
            _ => None,
        };
        let at = input.consumed();
        link.consumed(at);
        if let Some(found) = found {
            return found;
        }
        if let Some(parser) = inbound.partial_head() {
            received = parser.raw().len();
            desk.trace.received(received);
            if parser.not_http() {
                return Err(OpenError::NotHttp(first_bytes(parser.raw()).to_vec()));
            }
        }
        match link.fill()? {
            Fill::Data => {
                // A server that never stops sending must not keep time and signals from counting.
                clock.look(Instant::now(), NO_ANSWER, desk, link)?;
            }
            Fill::End { .. } => {
                return Err(OpenError::Closed { received });
            }
            Fill::Blocked if received > 0 => clock.wait(desk, link, HALF_ANSWER)?,
            Fill::Blocked => clock.wait(desk, link, NO_ANSWER)?,
        }
    }
}

/// The body of a refusal: by its length, to the end of the stream, or as far as patience goes.
fn read_body(
    link: &mut Link,
    inbound: &mut Observer,
    desk: &mut Desk,
    clock: &Deadline,
    response: &Head,
) -> Vec<u8> {
    let announced = response
        .get("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    // The last chunk says that no more comes (RFC 9112 §7.1); who keeps the connection would be
    // waited for in vain.
    let chunked = response.has_token("Transfer-Encoding", "chunked");
    let enough = announced.unwrap_or(MAX_BODY).min(MAX_BODY);
    let patience = clock.at.min(Instant::now() + BODY_PATIENCE);
    let clock = Deadline { at: patience, ..*clock };
    let mut body = Vec::new();
    while body.len() < enough {
        let (mut input, _) = link.split();
        while let Some(Observed::Body(bytes)) = inbound.next(&mut input) {
            body.extend_from_slice(&bytes[..bytes.len().min(enough - body.len())]);
        }
        let at = input.consumed();
        link.consumed(at);
        if body.len() >= enough || (chunked && body.ends_with(b"0\r\n\r\n")) {
            break;
        }
        match link.fill() {
            Ok(Fill::Data) => {}
            Ok(Fill::Blocked) if clock.wait(desk, link, "the body did not come").is_ok() => {}
            _ => break,
        }
    }
    if !body.is_empty() {
        // A failing stderr must not hide the refusal itself.
        let _ = desk.tell(&Event::Body(&body)).and_then(|()| desk.tell_rest());
    }
    body
}

/// Head and body of a refusal, escaped and indented for stderr.
fn quote(response: &Head, body: &[u8]) -> String {
    let mut text = String::new();
    let head = response.raw().trim_ascii_end();
    let lines =
        head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines {
        let _ = write!(text, "\n< {}", sanitize::escaped(line));
    }
    if !body.is_empty() {
        let _ = write!(text, "\n<");
        for line in body.trim_ascii_end().split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let _ = write!(text, "\n< {}", sanitize::escaped(line));
        }
    }
    text
}

fn first_bytes(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(64)]
}

/// A moment, and the time that was given up to it.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    given: Duration,
    /// It is that of `--max-time`.
    is_last: bool,
}

impl Deadline {
    /// From now on, or the end of the whole run if that comes first.
    fn within(given: Duration, max_time: Option<Instant>) -> Self {
        let now = Instant::now();
        match max_time {
            Some(at) if at < now + given => {
                Self { at, given: at.saturating_duration_since(now), is_last: true }
            }
            _ => Self { at: now + given, given, is_last: false },
        }
    }

    /// Waits until the socket has something, the time is up or a signal comes.
    fn wait(&self, desk: &mut Desk, link: &mut Link, what: &'static str) -> Result<(), OpenError> {
        desk.stdout.flush()?;
        while !self.look(self.at, what, desk, link)? {}
        Ok(())
    }

    /// Looks for events until a moment; gives whether the socket has one.
    fn look(
        &self,
        until: Instant,
        what: &'static str,
        desk: &mut Desk,
        link: &mut Link,
    ) -> Result<bool, OpenError> {
        let mut ready = false;
        for event in desk.reactor.wait(Some(until))? {
            match event.token() {
                SOCKET => {
                    link.ready(event);
                    ready = true;
                }
                STDOUT => desk.stdout.set_ready(event.is_write_closed()),
                SIGNAL => desk.signals.set_ready(),
                _ => {}
            }
        }
        if let Some(signal) = desk.take_signal() {
            return Err(OpenError::Signal(signal));
        }
        if Instant::now() < self.at {
            return Ok(ready);
        }
        let what = if self.is_last { TimeoutKind::MaxTime.what() } else { what };
        Err(OpenError::TimedOut { seconds: self.given.as_secs_f64(), what })
    }
}
