//! From a URL to an open connection: name, socket, proxy, TLS, request, response; after a redirect,
//! the same steps again.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use std::{io, mem};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::Deadline;
use super::response::{self, RefusalBody};
use crate::config::OpenConfig;
use crate::diagnostics::facts::ProxyFault;
use crate::engine::open_error::{HandshakePair, OpenError};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task, run};
use crate::engine::slots::{Slot, SlotPart, token};
use crate::event::{ConnId, Direction, Event, Observed, Phases};
use crate::net::dial::{Attempt, AttemptOutcome, DialError, Dialed};
use crate::net::link::{Fill, Link, SocketLink};
use crate::net::plain_io::plain_io;
use crate::net::proxy::tunnel::{self, TunnelError};
use crate::net::proxy::{Destination, Dialogue, ProxyError};
use crate::net::random;
use crate::net::redirect::{RedirectError, Trail, is_redirect};
use crate::net::resolve::ResolveError;
use crate::net::route::{Hop, ProxyRequestError, Route, UnixSocketError, connect_unix};
use crate::net::stream::Stream;
use crate::net::target::Target;
use crate::net::tls::{TlsClient, TlsPipe};
use crate::session::Observer;
use crate::ui::sanitize;
use crate::wire::coding;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::digest::Challenge;
use crate::wire::handshake::headers::{HeaderEdit, HeaderError};
use crate::wire::handshake::request::RequestSpec;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadKind};

/// The largest number of interim responses before the final one. No server needs more; an endless
/// series is an attack.
const MAX_INTERIM: usize = 16;

/// How long to wait for more of a body without a length.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of reads without a pause, because a server may never stop sending.
const READS: usize = 4;

/// An open connection, before its first frame.
pub struct Opened {
    /// Its number.
    pub conn: ConnId,
    /// The transport.
    pub link: Link,
    /// The observer of the server's direction, at its first frame.
    pub inbound: Observer,
    /// The request as it was sent.
    pub request: Head,
    /// The response as received.
    pub response: Head,
    /// The verdicts on all rules, and the agreement.
    pub report: Report,
    /// The evidence of the opening.
    pub evidence: OpeningEvidence,
}

/// A way to an open connection: one opening, or several tries.
pub trait Opening {
    /// Advances as far as possible without waiting. `None` if it must wait.
    ///
    /// # Errors
    ///
    /// The error of any step from the URL to the open connection.
    fn advance(
        &mut self,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<Option<Box<Opened>>, OpenError>;

    /// When it must act without an event.
    fn deadline(&self) -> Option<Instant>;

    /// Notes a report of the poll about the socket.
    fn ready(&mut self, event: &mio::event::Event);

    /// Whether there may be received data that it has not examined.
    fn wants_turn(&self) -> bool;

    /// Its evidence, for diagnostics.
    fn evidence(&mut self) -> &mut OpeningEvidence;
}

/// The state of an opening.
enum OpeningState {
    /// The next step opens a URL.
    Begin,
    /// Waits for the name lookup.
    Resolving(Receiver<Result<Vec<SocketAddr>, ResolveError>>),
    /// Connects to a single address.
    Connecting { link: Box<SocketLink>, address: SocketAddr },
    /// Connects to several addresses in separate threads; the first one wins.
    Racing(Receiver<Result<Dialed, DialError>>),
    /// Connects to a Unix socket.
    ConnectingUnix(Receiver<Result<Stream, UnixSocketError>>),
    /// TLS handshake with the proxy.
    SecuringProxy(Box<SocketLink>),
    /// Looks up the server's name for the proxy.
    Asking(Box<SocketLink>, Receiver<Result<Option<Dialogue>, ProxyRequestError>>),
    /// Asks the proxy for a connection to the server.
    Talking(Box<SocketLink>, Box<Dialogue>),
    /// Waits for the body of a proxy's refusal.
    ProxyRefused { link: Box<SocketLink>, inbound: Observer, body: RefusalBody, error: ProxyError },
    /// TLS handshake with the server.
    Securing(Box<SocketLink>),
    /// Sends the request, and waits for the response.
    Answering { link: Box<SocketLink>, inbound: Observer, interim: usize },
    /// Waits for the body of a refusal.
    Refused {
        link: Box<SocketLink>,
        inbound: Observer,
        body: RefusalBody,
        pair: Box<HandshakePair>,
        until: Deadline,
    },
    /// It has returned its result.
    Over,
}

/// One opening. See the [module](self).
pub struct ClientOpening {
    config: OpenConfig,
    max_time: Option<Instant>,
    /// Its tokens belong to this slot.
    slot: Slot,
    conn: ConnId,
    trail: Trail,
    state: OpeningState,
    /// The current deadline, and the awaited event for the error.
    clock: Option<(Deadline, &'static str)>,
    route: Option<Route>,
    tls: Option<TlsClient>,
    /// A TLS client that many connections with the same options share.
    shared_tls: Option<TlsClient>,
    proxy_tls: Option<TlsPipe>,
    request: Option<Head>,
    phases: Phases,
    phase_began: Instant,
    /// Its evidence.
    evidence: OpeningEvidence,
    /// The answer to a Digest challenge, for the next request.
    digest: Option<HeaderEdit>,
    /// Whether it has answered a challenge.
    answered_digest: bool,
    /// Whether this opening sets the facts of the run, for `--write-out`.
    records: bool,
    /// It ends with a transport on which the caller sends the request.
    is_way: bool,
    /// The exact request to send, with the bytes that follow in the same segment.
    given: Option<Vec<u8>>,
    /// The second request on the same connection, after the first one has been refused.
    behind: Option<Vec<u8>>,
    /// If the request is sent one byte at a time: the pause between two bytes, and when the next
    /// byte is due.
    trickle: Option<(Duration, Instant)>,
    /// The addresses on which this program listens; it does not connect to them.
    own: Rc<[SocketAddr]>,
}

/// The result of a step.
enum OpeningStep {
    /// Continue at once.
    Go,
    /// Wait for an event.
    Wait,
    /// The connection is open.
    Open(Box<Opened>),
    /// The transport to the server is ready for a request.
    Way(Box<SocketLink>),
}

/// How many bytes of a compressed body are decoded for stderr.
const BODY_SHOWN: usize = 64 * 1024;

impl ClientOpening {
    /// Creates an opening that has not begun. Its events have the reporter's current connection
    /// number.
    pub fn new(
        config: &OpenConfig,
        slot: Slot,
        max_time: Option<Instant>,
        runtime: &Runtime,
        now: Instant,
    ) -> Self {
        Self {
            config: config.clone(),
            max_time,
            slot,
            conn: runtime.reporter.connection(),
            trail: Trail::new(config.target.clone()),
            state: OpeningState::Begin,
            clock: None,
            route: None,
            tls: None,
            shared_tls: None,
            proxy_tls: None,
            request: None,
            phases: Phases::default(),
            phase_began: now,
            evidence: OpeningEvidence::of(&config.transport.tls),
            digest: None,
            answered_digest: false,
            records: true,
            is_way: false,
            given: None,
            behind: None,
            trickle: None,
            own: Rc::default(),
        }
    }

    /// Sends exactly these bytes as the request. After a refusal, it makes no further request, and
    /// reads only the part of the body that arrived with the head.
    pub fn asking(mut self, request: Vec<u8>) -> Self {
        self.given = Some(request);
        self
    }

    /// Sends these bytes as a second request, on the same connection, after the first one has been
    /// refused.
    pub fn then(mut self, request: Option<Vec<u8>>) -> Self {
        self.behind = request;
        self
    }

    /// Sends the request one byte at a time, with this pause between two bytes.
    pub fn trickling(mut self, pause: Option<Duration>, now: Instant) -> Self {
        self.trickle = pause.map(|pause| (pause, now));
        self
    }

    /// Makes this an additional connection, which does not change the facts of the run.
    pub fn beside(mut self) -> Self {
        self.records = false;
        self
    }

    /// Uses a TLS client that was set up with the same options. Setting up a new one takes as long
    /// as the rest of an opening to a near server.
    pub fn sharing(mut self, tls: Option<&TlsClient>) -> Self {
        self.shared_tls = tls.cloned();
        self
    }

    /// Creates an opening that ends before the request: it connects through the proxy and with TLS,
    /// and the caller then sends its own request. See [`ClientOpening::advance_way`].
    pub fn way(
        config: &OpenConfig,
        slot: Slot,
        conn: ConnId,
        runtime: &Runtime,
        now: Instant,
    ) -> Self {
        let opening = Self::new(config, slot, None, runtime, now).beside();
        Self { conn, is_way: true, ..opening }
    }

    /// Refuses to connect to these addresses, on which this program listens.
    pub fn avoiding(self, own: &Rc<[SocketAddr]>) -> Self {
        Self { own: Rc::clone(own), ..self }
    }

    /// Advances as far as possible without waiting. `None` if it must wait.
    ///
    /// # Errors
    ///
    /// The error of any step from the URL to a server that is ready for a request.
    pub fn advance_way(
        &mut self,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<Option<Box<SocketLink>>, OpenError> {
        Ok(match self.go_on(runtime, now)? {
            OpeningStep::Way(link) => Some(link),
            _ => None,
        })
    }

    /// Starts TLS with `host` on a finished transport; continue with
    /// [`ClientOpening::advance_way`].
    ///
    /// # Errors
    ///
    /// The TLS library refuses, or a file can't be used.
    pub fn secure_way(
        &mut self,
        link: Box<SocketLink>,
        host: &str,
        now: Instant,
    ) -> Result<(), OpenError> {
        let Target { port, host_header, .. } = self.trail.current();
        let secure = Target {
            secure: true,
            host: host.to_owned(),
            host_header: match self.trail.current().host == host {
                true => host_header.clone(),
                false => Destination::new(host, *port).to_string(),
            },
            ..self.trail.current().clone()
        };
        self.evidence.secures(&secure);
        self.expect(self.config.handshake_timeout, "the TLS handshake was not completed", now);
        let mut link = link;
        link.start_tls(TlsClient::new(&self.config.transport.tls)?.start(host)?);
        self.phase_began = now;
        self.state = OpeningState::Securing(link);
        Ok(())
    }

    fn step(&mut self, runtime: &mut Runtime, now: Instant) -> Result<OpeningStep, OpenError> {
        match mem::replace(&mut self.state, OpeningState::Over) {
            OpeningState::Begin => self.begin(runtime, now),
            OpeningState::Resolving(result) => match received(&result)? {
                Some(addresses) => {
                    let addresses = addresses.map_err(|error| self.not_found(error))?;
                    self.resolved(&addresses, runtime, now)
                }
                None => self.wait(OpeningState::Resolving(result)),
            },
            OpeningState::Connecting { link, address } => match link.socket().connected() {
                None => self.wait(OpeningState::Connecting { link, address }),
                Some(Ok(())) => {
                    let outcome = AttemptOutcome::Connected;
                    self.evidence.dialled(&[self.attempt(address, outcome)]);
                    self.reached(link, runtime, now)
                }
                Some(Err(error)) => Err(self.not_connected(address, error, runtime, now)?),
            },
            OpeningState::Racing(result) => match received(&result)? {
                Some(dialed) => {
                    let stream = self.dialled(dialed, runtime)?;
                    self.take_stream(stream, runtime, now)
                }
                None => self.wait(OpeningState::Racing(result)),
            },
            OpeningState::ConnectingUnix(result) => match received(&result)? {
                Some(stream) => self.take_stream(stream?, runtime, now),
                None => self.wait(OpeningState::ConnectingUnix(result)),
            },
            OpeningState::SecuringProxy(mut link) => {
                match link.handshake().map_err(OpenError::of_proxy)? {
                    true => self.ask_proxy(link, runtime, now),
                    false => self.wait(OpeningState::SecuringProxy(link)),
                }
            }
            OpeningState::Asking(link, result) => match received(&result)? {
                Some(dialogue) => self.talk(link, dialogue?, runtime),
                None => self.wait(OpeningState::Asking(link, result)),
            },
            OpeningState::Talking(mut link, mut dialogue) => {
                let talked = tunnel::advance(&mut link, &mut dialogue);
                if !matches!(talked, Ok(false))
                    && let Some(response) = dialogue.response()
                {
                    // The answer of a proxy is shown even if the proxy refuses.
                    self.emit(&Event::Head(Direction::ToClient, response), runtime)?;
                }
                if let Err(TunnelError::Proxy(error @ ProxyError::Refused { .. })) = talked {
                    return self.read_proxy(link, error, now);
                }
                match talked? {
                    true => self.let_through(link, runtime),
                    false => self.wait(OpeningState::Talking(link, dialogue)),
                }
            }
            OpeningState::ProxyRefused { mut link, mut inbound, mut body, error } => {
                match self.read_body(&mut link, &mut inbound, &mut body) {
                    true => Err(self.proxy_refused(&body, error, runtime)),
                    false => self.wait(OpeningState::ProxyRefused { link, inbound, body, error }),
                }
            }
            OpeningState::Securing(mut link) => {
                let done = link.handshake();
                if !matches!(done, Ok(false))
                    && let Some(tls) = link.tls()
                {
                    self.evidence.saw_tls(tls);
                }
                match done? {
                    true => {
                        self.phases.tls = Some(self.phase_began.elapsed());
                        if let Some(facts) = link.tls().and_then(|tls| tls.facts()).cloned() {
                            if self.records {
                                runtime.record.secured(&facts);
                            }
                            self.emit(&Event::Tls(&facts), runtime)?;
                        }
                        self.ask(link, runtime)
                    }
                    false => self.wait(OpeningState::Securing(link)),
                }
            }
            OpeningState::Answering { link, inbound, interim } => {
                self.read_response(link, inbound, interim, runtime, now)
            }
            OpeningState::Refused { mut link, mut inbound, mut body, pair, until } => {
                let is_read = self.read_body(&mut link, &mut inbound, &mut body);
                if is_read && let Some(next) = self.behind.take() {
                    if !body.is_complete() {
                        return Err(OpenError::Closed { received: 0 });
                    }
                    link.tx.extend_from_slice(&next);
                    self.request = Some(pair.request);
                    let what = "the server did not answer the second request";
                    self.expect(self.config.handshake_timeout, what, now);
                    let inbound =
                        Observer::before_handshake(Direction::ToClient, self.config.limits);
                    return self.go(OpeningState::Answering { link, inbound, interim: 0 });
                }
                if is_read {
                    return Err(self.refused(&body, pair, runtime));
                }
                self.wait(OpeningState::Refused { link, inbound, body, pair, until })
            }
            OpeningState::Over => Ok(OpeningStep::Wait),
        }
    }

    /// Takes steps until one of them must wait or returns a result.
    fn go_on(&mut self, runtime: &mut Runtime, now: Instant) -> Result<OpeningStep, OpenError> {
        loop {
            match self.step(runtime, now)? {
                OpeningStep::Go => {}
                step @ (OpeningStep::Open(_) | OpeningStep::Way(_)) => return Ok(step),
                OpeningStep::Wait => match self.clock {
                    Some((deadline, what)) if deadline.at <= now => {
                        match mem::replace(&mut self.state, OpeningState::Over) {
                            // The received part of the body is shown.
                            OpeningState::Refused { body, pair, .. } => {
                                return Err(self.refused(&body, pair, runtime));
                            }
                            OpeningState::ProxyRefused { body, error, .. } => {
                                return Err(self.proxy_refused(&body, error, runtime));
                            }
                            OpeningState::Connecting { address, .. } => {
                                return Err(self.not_connected(
                                    address,
                                    io::ErrorKind::TimedOut.into(),
                                    runtime,
                                    now,
                                )?);
                            }
                            _ => return Err(deadline.passed(what)),
                        }
                    }
                    _ => return Ok(OpeningStep::Wait),
                },
            }
        }
    }

    fn wait(&mut self, state: OpeningState) -> Result<OpeningStep, OpenError> {
        self.state = state;
        Ok(OpeningStep::Wait)
    }

    fn go(&mut self, state: OpeningState) -> Result<OpeningStep, OpenError> {
        self.state = state;
        Ok(OpeningStep::Go)
    }

    fn emit(&mut self, event: &Event<'_>, runtime: &mut Runtime) -> io::Result<()> {
        self.evidence.take(event);
        runtime.report(self.conn, event)
    }

    /// Waits for an event, at most for this time from now.
    fn expect(&mut self, given: Duration, what: &'static str, now: Instant) {
        self.clock = Some((Deadline::within(given, self.max_time, now), what));
    }

    /// Changes the awaited event, but keeps the deadline.
    fn expect_next(&mut self, what: &'static str) {
        if let Some((_, waits_for)) = &mut self.clock {
            *waits_for = what;
        }
    }

    /// Prepares the request, chooses the route, and looks up the first hop.
    fn begin(&mut self, runtime: &mut Runtime, now: Instant) -> Result<OpeningStep, OpenError> {
        let target = self.trail.current().clone();
        if self.trail.hops() == 0 && !self.answered_digest {
            for note in &self.config.target.notes.clone() {
                self.emit(&Event::Note(note), runtime)?;
            }
        }
        self.evidence.begin(&target);
        if self.records {
            runtime.record.begin(&target, self.trail.hops());
        }
        if !self.is_way {
            let jar = runtime.record.cookies_for(&target).filter(|_| self.config.keeps_cookies);
            let mut config = self.config.clone();
            config.headers.extend(self.digest.take());
            self.request = Some(match &self.given {
                Some(bytes) => Head::parse(HeadKind::Request, bytes),
                None => request(&config, &target, jar.as_deref())?,
            });
        }
        self.phases = Phases::default();
        let way = self.config.transport.clone();
        let route = way.route(&target)?;
        self.evidence.goes_by(&route);
        for note in route.notes() {
            self.emit(&Event::Note(&note), runtime)?;
        }
        // Unusable files are reported before the first connection.
        self.tls = match &self.shared_tls {
            _ if !target.secure => None,
            Some(client) => Some(client.clone()),
            None => Some(TlsClient::new(&way.tls)?),
        };
        self.evidence.shown = self.tls.as_ref().and_then(|tls| tls.shown().cloned());
        self.proxy_tls = match route.secure_proxy() {
            Some(proxy) => {
                let client = TlsClient::new(&way.proxy_tls()).map_err(OpenError::ProxyTls)?;
                Some(client.start(&proxy.host).map_err(OpenError::ProxyTls)?)
            }
            None => None,
        };
        let hop = route.hop.clone();
        self.route = Some(route);
        self.phase_began = Instant::now();
        match hop {
            Hop::Unix(path) => {
                let what = "the server behind the Unix socket did not accept the connection";
                self.expect(self.config.connect_timeout, what, now);
                let result = runtime.call(move || connect_unix(&path))?;
                self.go(OpeningState::ConnectingUnix(result))
            }
            Hop::Tcp(host) => {
                self.expect(self.config.connect_timeout, "the name lookup did not finish", now);
                self.resolve(host, runtime, now)
            }
        }
    }

    fn resolve(
        &mut self,
        host: Destination,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        // The lookup ends by itself, with its own error.
        let deadline = self.clock.take().map_or(now, |(deadline, _)| deadline.at);
        let way = self.config.transport.clone();
        let is_address = host.host.parse::<std::net::IpAddr>().is_ok();
        let is_given = way.overrides.addresses(&host).is_some();
        if is_given {
            self.evidence.is_given_addresses();
        }
        if is_address || is_given {
            let addresses = way.addresses(&host, deadline);
            let addresses = addresses.map_err(|error| self.on_the_way(error.into()))?;
            return self.resolved(&addresses, runtime, now);
        }
        let result = runtime.call(move || way.addresses(&host, deadline))?;
        self.go(OpeningState::Resolving(result))
    }

    /// The error of a lookup. The name server is not to blame if `--max-time` ended the wait.
    fn not_found(&self, error: ResolveError) -> OpenError {
        let began = self.phase_began;
        let deadline = Deadline::within(self.config.connect_timeout, self.max_time, began);
        match error {
            ResolveError::TimedOut { .. } if deadline.is_last() => deadline.passed(""),
            error => self.on_the_way(error.into()),
        }
    }

    /// Connects to one of the addresses.
    fn resolved(
        &mut self,
        addresses: &[SocketAddr],
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        self.phases.resolve = self.phase_began.elapsed();
        if self.records {
            runtime.record.resolved();
        }
        if let Some(Route { hop: Hop::Tcp(host), .. }) = self.route.clone() {
            self.evidence.looked_up(&host);
            self.emit(&Event::Resolved { host: &host.host, addresses }, runtime)?;
        }
        let elsewhere: Vec<SocketAddr> =
            addresses.iter().copied().filter(|address| !self.leads_back(*address)).collect();
        if let ([], [first, ..]) = (&elsewhere[..], addresses) {
            return Err(OpenError::Loop(first.to_string()));
        }
        let addresses = &elsewhere[..];
        let used = self.phases.resolve;
        let left = self.config.connect_timeout.saturating_sub(used);
        self.phase_began = Instant::now();
        self.expect(left, "no address answered", now);
        match *addresses {
            [address] if self.config.transport.source.is_any() => {
                let link = mio::net::TcpStream::connect(address).and_then(|stream| {
                    let stream = Stream::Tcp(stream);
                    let socket = token(self.slot, SlotPart::Socket);
                    SocketLink::over(stream, self.proxy_tls.take(), runtime.registry(), socket)
                });
                match link {
                    Ok(link) => self.go(OpeningState::Connecting { link: Box::new(link), address }),
                    Err(error) => Err(self.not_connected(address, error, runtime, now)?),
                }
            }
            _ => {
                let (way, addresses) = (self.config.transport.clone(), addresses.to_vec());
                let deadline = self.clock.take().map_or(now, |(deadline, _)| deadline.at);
                let result = runtime.call(move || way.dial(&addresses, deadline))?;
                self.go(OpeningState::Racing(result))
            }
        }
    }

    /// Whether this program listens on the address.
    fn leads_back(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.own.iter().any(|own| {
            let bound = own.ip().to_canonical();
            own.port() == address.port()
                && (bound == ip
                    || bound.is_unspecified() && ip.is_loopback()
                    || ip.is_unspecified() && (bound.is_unspecified() || bound.is_loopback()))
        })
    }

    fn attempt(&self, addr: SocketAddr, outcome: AttemptOutcome) -> Attempt {
        let elapsed = self.phase_began.elapsed();
        Attempt { addr, started: Duration::ZERO, elapsed, outcome }
    }

    /// The error of a single address to which no connection is possible.
    fn not_connected(
        &mut self,
        address: SocketAddr,
        error: io::Error,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpenError, OpenError> {
        let timed_out = error.kind() == io::ErrorKind::TimedOut
            && self.clock.is_some_and(|(deadline, _)| deadline.at <= now);
        let attempts = vec![self.attempt(address, AttemptOutcome::Failed(error))];
        match self.dialled(Err(DialError { attempts, timed_out }), runtime) {
            Err(error) => Ok(error),
            Ok(_) => Err(OpenError::Local(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Reports the attempts, and uses the stream of the first successful one.
    fn dialled(
        &mut self,
        dialed: Result<Dialed, DialError>,
        runtime: &mut Runtime,
    ) -> Result<Stream, OpenError> {
        let attempts = match &dialed {
            Ok(dialed) => &dialed.attempts,
            Err(error) => &error.attempts,
        };
        self.evidence.dialled(attempts);
        for attempt in attempts {
            let error = match &attempt.outcome {
                AttemptOutcome::Connected => continue,
                AttemptOutcome::Failed(error) => plain_io(error),
                AttemptOutcome::Unanswered => "no answer".to_owned(),
            };
            let event = Event::AddressFailed { address: attempt.addr, error: &error };
            self.emit(&event, runtime)?;
        }
        let stream = dialed.map_err(|error| self.on_the_way(error.into()))?.stream;
        stream.set_nonblocking(true).map_err(OpenError::Io)?;
        Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
    }

    fn take_stream(
        &mut self,
        stream: Stream,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        let socket = token(self.slot, SlotPart::Socket);
        let link = SocketLink::over(stream, self.proxy_tls.take(), runtime.registry(), socket);
        self.reached(Box::new(link.map_err(OpenError::Io)?), runtime, now)
    }

    /// Continues after the first hop is connected.
    fn reached(
        &mut self,
        link: Box<SocketLink>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        self.phases.connect = self.phase_began.elapsed();
        if self.records {
            runtime.record.connected();
        }
        let path = match &self.route {
            Some(Route { hop: Hop::Unix(path), .. }) => Some(path.display().to_string()),
            _ => None,
        };
        let (local, peer) = match path {
            Some(path) => ("a Unix socket".to_owned(), path),
            None => {
                let (local, peer) = link.socket().addresses().map_err(OpenError::Io)?;
                // If this program listens on all addresses, that includes this address.
                let everywhere = |own: &SocketAddr| {
                    own.port() == peer.port() && own.ip().to_canonical().is_unspecified()
                };
                if local.ip() == peer.ip() && self.own.iter().any(everywhere) {
                    return Err(OpenError::Loop(peer.to_string()));
                }
                if self.records {
                    runtime.record.ends(local, peer);
                }
                (local.to_string(), peer.to_string())
            }
        };
        self.emit(&Event::Connected { local: &local, peer: &peer }, runtime)?;
        runtime.listen_to_signals()?;
        self.phase_began = Instant::now();
        let what = "the TLS handshake with the proxy was not completed";
        self.expect(self.config.handshake_timeout, what, now);
        let Some(route) = self.route.as_ref().filter(|route| route.proxy.is_some()) else {
            return self.secure(link, runtime);
        };
        if route.secure_proxy().is_some() {
            self.evidence.asks_proxy(ProxyFault::Tls);
        }
        self.go(OpeningState::SecuringProxy(link))
    }

    /// Starts the dialogue with the proxy.
    fn ask_proxy(
        &mut self,
        link: Box<SocketLink>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        if let Some(facts) = link.tls().and_then(|tls| tls.facts()).cloned() {
            self.emit(&Event::Tls(&facts), runtime)?;
        }
        self.expect_next("the proxy did not open the tunnel");
        let (way, route) = (self.config.transport.clone(), self.route.clone());
        let deadline = self.clock.map_or(now, |(deadline, _)| deadline.at);
        let Some(route) = route else { return self.secure(link, runtime) };
        let result = runtime.call(move || way.dialogue(&route, deadline))?;
        self.go(OpeningState::Asking(link, result))
    }

    fn talk(
        &mut self,
        link: Box<SocketLink>,
        dialogue: Option<Dialogue>,
        runtime: &mut Runtime,
    ) -> Result<OpeningStep, OpenError> {
        let Some(dialogue) = dialogue else { return self.secure(link, runtime) };
        if let Some(request) = dialogue.request() {
            self.emit(&Event::Head(Direction::ToServer, request), runtime)?;
        }
        self.evidence.asks_proxy(ProxyFault::Silent);
        self.go(OpeningState::Talking(link, Box::new(dialogue)))
    }

    /// Reads the body of a proxy's refusal, which gives the reason. The observer still has the
    /// head.
    fn read_proxy(
        &mut self,
        mut link: Box<SocketLink>,
        error: ProxyError,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        let Some(head) = error.head() else { return Err(error.into()) };
        let body = RefusalBody::of(head);
        let mut inbound = Observer::before_handshake(Direction::ToClient, self.config.limits);
        let (mut input, _) = link.split();
        let _ = inbound.next(&mut input);
        let at = input.consumed();
        link.consumed(at);
        inbound.expect_body();
        let until = Deadline::within(BODY_TIMEOUT, self.deadline(), now);
        self.clock = Some((until, "the body did not arrive"));
        self.go(OpeningState::ProxyRefused { link, inbound, body, error })
    }

    fn proxy_refused(
        &mut self,
        body: &RefusalBody,
        error: ProxyError,
        runtime: &mut Runtime,
    ) -> OpenError {
        let body = &*body.content();
        if !body.is_empty() {
            // A failed output must not hide the refusal.
            let _ = self.emit(&Event::Body(body), runtime);
        }
        error.into()
    }

    /// Continues after the proxy has connected to the server.
    fn let_through(
        &mut self,
        link: Box<SocketLink>,
        runtime: &mut Runtime,
    ) -> Result<OpeningStep, OpenError> {
        self.phases.proxy = Some(self.phase_began.elapsed());
        if self.records {
            runtime.record.let_through();
        }
        self.evidence.let_through();
        self.secure(link, runtime)
    }

    fn secure(
        &mut self,
        mut link: Box<SocketLink>,
        runtime: &mut Runtime,
    ) -> Result<OpeningStep, OpenError> {
        self.phase_began = Instant::now();
        let Some(tls) = self.tls.take() else { return self.ask(link, runtime) };
        self.expect_next("the TLS handshake was not completed");
        link.start_tls(tls.start(&self.trail.current().host)?);
        self.go(OpeningState::Securing(link))
    }

    /// Sends the request.
    fn ask(
        &mut self,
        mut link: Box<SocketLink>,
        runtime: &mut Runtime,
    ) -> Result<OpeningStep, OpenError> {
        if self.is_way {
            return Ok(OpeningStep::Way(link));
        }
        self.phase_began = Instant::now();
        if let Some(request) = self.request.clone() {
            match self.trickle {
                // `trickle_on` sends it.
                Some(_) => {}
                None => link.tx.extend_from_slice(self.given.as_deref().unwrap_or(request.raw())),
            }
            self.emit(&Event::Head(Direction::ToServer, &request), runtime)?;
        }
        self.expect_next("the server did not answer the handshake");
        let inbound = Observer::before_handshake(Direction::ToClient, self.config.limits);
        self.go(OpeningState::Answering { link, inbound, interim: 0 })
    }

    fn read_response(
        &mut self,
        mut link: Box<SocketLink>,
        mut inbound: Observer,
        interim: usize,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        let mut received = 0;
        self.trickle_on(&mut link, now);
        for _ in 0..READS {
            let sent = link.flush();
            let (mut input, _) = link.split();
            let found = match inbound.next(&mut input) {
                Some(Observed::Head(head)) => Some(Ok(head.clone())),
                Some(Observed::HeadError(error)) => Some(Err(OpenError::Head(*error))),
                _ => None,
            };
            let at = input.consumed();
            link.consumed(at);
            if let Some(found) = found {
                return self.answered(link, inbound, interim, found?, runtime, now);
            }
            if let Some(parser) = inbound.partial_head() {
                received = parser.raw().len();
                self.evidence.received(parser.raw());
                if parser.not_http() {
                    return Err(OpenError::NotHttp(response::first_bytes(parser.raw())));
                }
                if received > 0 {
                    self.expect_next("the server did not complete its response");
                }
            }
            // The data that the peer sent before it closed the connection gives the reason.
            let filled = link.fill()?;
            match (filled, sent) {
                (Fill::Data, _) => {}
                (_, Err(error)) => return Err(error.into()),
                (Fill::End { .. }, _) => return Err(OpenError::Closed { received }),
                (Fill::Blocked, _) => break,
            }
        }
        self.wait(OpeningState::Answering { link, inbound, interim })
    }

    /// Sends the next byte of a slow request, if it is due.
    fn trickle_on(&mut self, link: &mut SocketLink, now: Instant) {
        let Some((pause, due)) = self.trickle.filter(|(_, due)| *due <= now) else { return };
        let Some(rest) = &mut self.given else { return };
        if !rest.is_empty() {
            link.tx.push(rest.remove(0));
        }
        self.trickle = (!rest.is_empty()).then(|| (pause, due.max(now) + pause));
    }

    /// Handles the complete head of a response.
    fn answered(
        &mut self,
        mut link: Box<SocketLink>,
        mut inbound: Observer,
        interim: usize,
        response: Head,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<OpeningStep, OpenError> {
        self.emit(&Event::Head(Direction::ToClient, &response), runtime)?;
        // "a client MUST be able to parse one or more 1xx responses received prior to a final
        // response" (RFC 9110 §15.2); 101 is final here.
        if let Some(100 | 102..=199) = response.status_line().map(|line| line.code) {
            if interim >= MAX_INTERIM {
                return Err(OpenError::OnlyInterim(interim + 1));
            }
            let inbound = Observer::before_handshake(Direction::ToClient, self.config.limits);
            return self.go(OpeningState::Answering { link, inbound, interim: interim + 1 });
        }
        self.phases.upgrade = self.phase_began.elapsed();
        let phases = self.phases;
        self.emit(&Event::Timing(&phases), runtime)?;
        let target = self.trail.current().clone();
        if self.records {
            runtime.record.answered(&response);
        }
        if self.config.keeps_cookies && runtime.record.keep_cookies(&target, &response) {
            self.trail.cookies_changed();
        }
        let Some(request) = self.request.take() else { return Ok(OpeningStep::Wait) };
        let report = response::judge(&self.config, &target, &request, &response);
        self.emit(&Event::Judged(&report), runtime)?;
        let Some(status) = response.status_line() else {
            return Err(OpenError::NotHttp(response::first_bytes(response.raw())));
        };
        if status.code != 101 {
            if self.config.redirects.is_some() && is_redirect(status.code) {
                let pair = Box::new(HandshakePair { request, response, report });
                return self.follow(pair, runtime);
            }
            if status.code == 401
                && self.given.is_none()
                && self.answers_digest(&request, &response, runtime)?
            {
                return self.go(OpeningState::Begin);
            }
            inbound.expect_body();
            let body = RefusalBody::of(&response);
            let pair = Box::new(HandshakePair { request, response, report });
            // The time limit of the handshake may end earlier.
            let alone = self.given.is_some() && self.behind.is_none();
            let wait = if alone { Duration::ZERO } else { BODY_TIMEOUT };
            let until = Deadline::within(wait, self.deadline(), now);
            self.clock = Some((until, "the body did not arrive"));
            return self.go(OpeningState::Refused { link, inbound, body, pair, until });
        }
        let list = response::fatal(&report);
        if !list.is_empty() {
            self.evidence.followed_by(link.split().0.rest());
            let pair = Box::new(HandshakePair { request, response, report });
            return Err(OpenError::BadHandshake { list, pair });
        }
        inbound.expect_frames(report.agreed.deflate.as_ref());
        if self.records {
            runtime.record.agreed(&report.agreed);
        }
        self.emit(&Event::Open(&report.agreed), runtime)?;
        // An additional connection gives no notes about the connection that the user wanted.
        if self.records
            && let Some(text) = self.not_agreed(&report.agreed)
        {
            runtime.report(self.conn, &Event::Note(&text))?;
            if !runtime.reporter.prints_notes() {
                runtime.notifier.note(&text);
            }
        }
        let (conn, evidence) = (self.conn, mem::take(&mut self.evidence));
        let link = link.opened();
        let opened = Opened { conn, link, inbound, request, response, report, evidence };
        Ok(OpeningStep::Open(Box::new(opened)))
    }

    /// Reports that the server accepted none of the subprotocols, which is legal: "If the server
    /// does not agree to any of the client's requested subprotocols, … the only acceptable value is
    /// null" (RFC 6455 §4.2.2).
    fn not_agreed(&self, agreed: &Agreed) -> Option<String> {
        let offered = &self.config.subprotocols;
        (agreed.subprotocol.is_none() && !offered.is_empty()).then(|| {
            format!(
                "the server agreed to none of the offered subprotocols ({}); a browser would close \
                 the connection",
                offered.join(", ")
            )
        })
    }

    /// Answers a Digest challenge after user and password were sent as Basic. It answers once;
    /// after another challenge, the credentials are wrong.
    fn answers_digest(
        &mut self,
        request: &Head,
        response: &Head,
        runtime: &mut Runtime,
    ) -> Result<bool, OpenError> {
        let by_hand = self
            .config
            .headers
            .iter()
            .any(|edit| edit.name().eq_ignore_ascii_case("authorization"));
        if by_hand || self.answered_digest {
            return Ok(false);
        }
        let nonce = BASE64_STANDARD.encode(random::nonce());
        let answer = Challenge::of(response).and_then(|found| found.answer_basic(request, &nonce));
        let Some(answer) = answer else { return Ok(false) };
        self.digest = Some(HeaderEdit::send("Authorization", &answer)?);
        self.answered_digest = true;
        let note = "the server requires Digest authorization: sending the request again (RFC 7616)";
        self.emit(&Event::Note(note), runtime)?;
        runtime.reporter.next_connection();
        self.conn = runtime.reporter.connection();
        Ok(true)
    }

    /// Follows a redirect, and reports it.
    fn follow(
        &mut self,
        pair: Box<HandshakePair>,
        runtime: &mut Runtime,
    ) -> Result<OpeningStep, OpenError> {
        let status = pair.response.status_line().map_or(0, |line| line.code);
        let locations: Vec<String> = pair
            .response
            .headers()
            .filter(|field| field.name.eq_ignore_ascii_case(b"location"))
            .map(|field| String::from_utf8_lossy(field.value).into_owned())
            .collect();
        let locations: Vec<&str> = locations.iter().map(String::as_str).collect();
        let options = self.config.redirects.unwrap_or_default();
        let hop = match self.trail.follow(status, &locations, options) {
            Ok(hop) => hop,
            Err(error) => {
                if let RedirectError::Loop { to } | RedirectError::TooMany { to, .. } = &error {
                    self.evidence.hops.push(to.clone());
                }
                return Err(OpenError::Redirect { error, pair });
            }
        };
        let text = format!("redirect {}: {status} to {}", self.trail.hops(), hop.target);
        let notes: Vec<String> = hop.notes.iter().chain(&hop.target.notes).cloned().collect();
        for note in std::iter::once(&text).chain(&notes) {
            self.evidence.take(&Event::Note(note));
            runtime.note(note)?;
        }
        runtime.reporter.next_connection();
        self.conn = runtime.reporter.connection();
        self.go(OpeningState::Begin)
    }

    /// Reads the available part of a refusal's body; true if it is complete.
    fn read_body(
        &mut self,
        link: &mut SocketLink,
        inbound: &mut Observer,
        body: &mut RefusalBody,
    ) -> bool {
        for _ in 0..READS {
            let (mut input, _) = link.split();
            while let Some(Observed::Body(bytes)) = inbound.next(&mut input) {
                body.push(bytes);
            }
            let at = input.consumed();
            link.consumed(at);
            if body.is_complete() {
                return true;
            }
            match link.fill() {
                Ok(Fill::Data) => {}
                Ok(Fill::Blocked) => return false,
                Ok(Fill::End { .. }) | Err(_) => return true,
            }
        }
        false
    }

    /// The error for a status other than 101.
    fn refused(
        &mut self,
        body: &RefusalBody,
        pair: Box<HandshakePair>,
        runtime: &mut Runtime,
    ) -> OpenError {
        let body = &*body.content();
        if !body.is_empty() {
            // A failed output must not hide the refusal.
            let _ = self.emit(&Event::Body(body), runtime);
        }
        let status = pair.response.status_line();
        let status = status
            .map(|line| format!("{} {}", line.code, sanitize::escaped(line.reason)))
            .unwrap_or_default();
        let reporter = &runtime.reporter;
        let shown = reporter.prints_notes() || !reporter.prints_warnings();
        let redactor = reporter.redactor();
        let body = match shown {
            true => String::new(),
            false => {
                let encoding = pair.response.get("Content-Encoding").unwrap_or_default();
                let text = coding::decoded(encoding, body, BODY_SHOWN);
                response::quote(&redactor.head(&pair.response), &redactor.bytes(&text))
            }
        };
        OpenError::Refused { status: status.trim_end().to_owned(), body, pair }
    }

    /// An error on the way to a proxy counts as the proxy's failure, not as the server's.
    fn on_the_way(&self, error: OpenError) -> OpenError {
        let proxy = self.route.as_ref().and_then(|route| route.proxy.as_ref());
        match (proxy, error) {
            (Some(proxy), error @ (OpenError::Resolve { .. } | OpenError::Dial(_))) => {
                OpenError::ProxyAway { proxy: proxy.to_string(), error: Box::new(error) }
            }
            (_, error) => error,
        }
    }
}

impl Opening for ClientOpening {
    fn advance(
        &mut self,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<Option<Box<Opened>>, OpenError> {
        let advanced = self.go_on(runtime, now);
        if advanced.is_err() {
            self.evidence.failed();
        }
        Ok(match advanced? {
            OpeningStep::Open(opened) => Some(opened),
            _ => None,
        })
    }

    fn deadline(&self) -> Option<Instant> {
        // A slow request is sent only when the server is ready for it.
        let asks = matches!(self.state, OpeningState::Answering { .. });
        let trickle = self.trickle.filter(|_| asks).map(|(_, due)| due);
        self.clock.map(|(deadline, _)| deadline.at).into_iter().chain(trickle).min()
    }

    fn ready(&mut self, event: &mio::event::Event) {
        match &mut self.state {
            OpeningState::Connecting { link, .. }
            | OpeningState::SecuringProxy(link)
            | OpeningState::Asking(link, _)
            | OpeningState::Talking(link, _)
            | OpeningState::ProxyRefused { link, .. }
            | OpeningState::Securing(link)
            | OpeningState::Answering { link, .. }
            | OpeningState::Refused { link, .. } => link.ready(event),
            OpeningState::Begin
            | OpeningState::Resolving(_)
            | OpeningState::Racing(_)
            | OpeningState::ConnectingUnix(_)
            | OpeningState::Over => {}
        }
    }

    fn wants_turn(&self) -> bool {
        match &self.state {
            OpeningState::Begin => true,
            OpeningState::Answering { link, .. }
            | OpeningState::ProxyRefused { link, .. }
            | OpeningState::Refused { link, .. } => link.may_fill(),
            _ => false,
        }
    }

    fn evidence(&mut self) -> &mut OpeningEvidence {
        &mut self.evidence
    }
}

/// The result of a thread; `None` if it is not ready.
fn received<T>(result: &Receiver<T>) -> Result<Option<T>, OpenError> {
    match result.try_recv() {
        Ok(value) => Ok(Some(value)),
        Err(TryRecvError::Empty) => Ok(None),
        Err(TryRecvError::Disconnected) => {
            Err(OpenError::Local(io::Error::other("the connecting thread failed")))
        }
    }
}

/// The request's head, exactly as it will be sent.
///
/// # Errors
///
/// A part of the request can't be sent.
pub fn request(
    config: &OpenConfig,
    target: &Target,
    from_jar: Option<&str>,
) -> Result<Head, HeaderError> {
    let spec = RequestSpec {
        subprotocols: config.subprotocols.clone(),
        origin: config.origin.clone(),
        deflate: config.deflate,
        user_agent: Some(concat!("wscope/", env!("CARGO_PKG_VERSION")).to_owned()),
        headers: config.edits(target, from_jar)?,
        order: config.header_order.clone(),
        ..RequestSpec::new(&target.host_header, &target.resource_name, random::nonce())
    };
    Ok(Head::parse(HeadKind::Request, &spec.encode()?))
}

/// Runs a single opening to its end.
///
/// # Errors
///
/// The error of the opening; a signal counts as one.
pub fn open(opening: &mut dyn Opening, runtime: &mut Runtime) -> Result<Box<Opened>, OpenError> {
    let mut task = Alone { opening, result: None };
    run(&mut task, runtime)?;
    task.result.unwrap_or_else(|| Err(io::Error::other("the opening did not end").into()))
}

/// A single opening.
struct Alone<'a> {
    opening: &'a mut dyn Opening,
    result: Option<Result<Box<Opened>, OpenError>>,
}

impl Task for Alone<'_> {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.result = match runtime.take_signal() {
            Some(signal) => Some(Err(OpenError::Signal(signal))),
            None => self.opening.advance(runtime, now).transpose(),
        };
        Ok(())
    }

    fn next(&mut self, _: &Runtime, _: Instant) -> NextRound {
        match self.result {
            Some(_) => NextRound::Done,
            None if self.opening.wants_turn() => NextRound::Now,
            None => NextRound::Wait(self.opening.deadline()),
        }
    }

    fn ready(&mut self, ready: Ready<'_>) {
        if let Ready::Socket(_, event) = ready {
            self.opening.ready(event);
        }
    }
}
