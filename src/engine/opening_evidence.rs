//! The facts of an opening, for the diagnostics: the attempts, the answers, and the times.
//!
//! A sink that reads the events of the opening, like the printers do. It does not judge them. The
//! facts after the handshake are in
//! [`SessionEvidence`](crate::engine::session_evidence::SessionEvidence).

use std::time::{Duration, Instant};

use crate::diagnostics::facts::{
    Dial, DialOutcome, ProxyFacts, ProxyFault, StreamEnd, TlsFault, Trial, Unanswered,
};
use crate::diagnostics::{self, Diagnostic, Facts, classify};
use crate::engine::open_error::OpenError;
use crate::event::{CertificateFacts, Direction, Event, Phases, TlsFacts};
use crate::net::clock::wall_micros;
use crate::net::dial::Attempt;
use crate::net::facts::{proxy_fault, tls_fault};
use crate::net::overrides::Resolve;
use crate::net::proxy::Destination;
use crate::net::proxy::choice::ProxyReason;
use crate::net::route::Route;
use crate::net::target::Target;
use crate::net::tls::may_lack_13;
use crate::net::tls::options::{ServerName, TlsOptions};
use crate::net::tls::{TlsError, TlsPipe};
use crate::ui::clock::UtcClock;
use crate::wire::handshake::rules::Report;
use crate::wire::head::Head;
use crate::wire::{Role, coding};

/// How many bytes of a refusal's body are examined.
const BODY: usize = 8 * 1024;

/// The evidence of one opening.
#[derive(Clone, Debug, Default)]
pub struct OpeningEvidence {
    /// The URL without user and password.
    url: String,
    secure: bool,
    /// When the opening began, RFC 3339.
    now: String,
    /// The requested URLs, in order; more than one after redirects.
    pub hops: Vec<String>,
    /// The proxy without credentials, and the variable that set it.
    proxy: Option<(String, Option<&'static str>)>,
    /// The name that was looked up.
    looked_up: Option<Destination>,
    dials: Vec<Dial>,
    is_connected: bool,
    /// An option of the run leads to another address than that of the URL.
    is_redirected: bool,
    tls: Option<TlsFacts>,
    request: Option<Head>,
    asked: Option<Instant>,
    /// The number of bytes of an incomplete head.
    received: usize,
    /// They end at the end of a line.
    ends_line: bool,
    response: Option<Head>,
    response_after: Option<Duration>,
    body: Vec<u8>,
    /// The first bytes behind the head of a 101 that breaks a rule.
    behind: Vec<u8>,
    report: Option<Report>,
    phases: Phases,
    /// The results of other connections, each with one difference.
    pub trials: Vec<Trial>,
    /// Whether the user gave roots or a client certificate.
    own: OwnTls,
    /// The certificates that the server sent, its own first, even if wscope refused them.
    pub certificates: Vec<CertificateFacts>,
    /// The server requested a client certificate.
    asked_certificate: bool,
    /// The client certificate of this run, if the library makes it available.
    pub shown: Option<CertificateFacts>,
    /// The time from the request to the end of a failed attempt.
    failed_after: Option<Duration>,
    /// If wscope waits for an answer of the proxy: the fault that its silence means.
    asks_proxy: Option<ProxyFault>,
    /// How long earlier connections of the run lasted before they were lost in the same way.
    pub lifetimes: Vec<Duration>,
}

/// The TLS options of the user.
#[derive(Clone, Debug, Default)]
struct OwnTls {
    roots: bool,
    certificate: bool,
    versions: Option<String>,
    name: Option<String>,
    alpn: Option<String>,
}

impl OpeningEvidence {
    /// The evidence of an opening that has not begun.
    pub fn of(options: &TlsOptions) -> Self {
        let own = OwnTls {
            roots: options.has_own_roots(),
            certificate: options.identity.is_some(),
            versions: options.range(),
            name: match &options.server_name {
                ServerName::Host => None,
                ServerName::Other(name) => Some(format!("--sni sends the name {name}")),
                ServerName::Unsent => Some("--no-sni sends no name".to_owned()),
            },
            alpn: (!options.alpn.iter().any(|name| name == "http/1.1"))
                .then(|| format!("--alpn offers {}", options.alpn.join(", "))),
        };
        Self { own, ..Self::default() }
    }

    /// Begins the evidence of another opening. Keeps only the lifetimes of earlier connections and
    /// the redirects.
    pub fn begin(&mut self, target: &Target) {
        let Target { secure, host_header, resource_name, .. } = target;
        let scheme = if *secure { "wss" } else { "ws" };
        let url = format!("{scheme}://{host_header}{resource_name}");
        let same = url == self.url;
        let lifetimes = if same { std::mem::take(&mut self.lifetimes) } else { Vec::new() };
        let mut hops = std::mem::take(&mut self.hops);
        if hops.last() != Some(&url) {
            hops.push(url.clone());
        }
        let mut now = Vec::new();
        UtcClock::default().write(wall_micros(), &mut now);
        let now = String::from_utf8_lossy(&now).into_owned();
        let own = std::mem::take(&mut self.own);
        *self = Self { url, secure: *secure, now, lifetimes, hops, own, ..Self::default() };
    }

    /// Notes that the connected peer uses TLS.
    pub fn secures(&mut self, target: &Target) {
        (self.url, self.secure) = (format!("wss://{}/", target.host_header), true);
    }

    /// Notes the name whose addresses are tried now.
    pub fn looked_up(&mut self, host: &Destination) {
        self.looked_up = Some(host.clone());
    }

    /// The address of the first hop that accepted the connection, as the address of its name.
    pub fn reached(&self) -> Option<Resolve> {
        let dial = self.dials.iter().find(|dial| dial.outcome == DialOutcome::Connected)?;
        Some(Resolve::of(self.looked_up.as_ref()?, dial.address.ip()))
    }

    /// Notes the results of the attempts to connect.
    pub fn dialled(&mut self, attempts: &[Attempt]) {
        self.dials = attempts.iter().map(Dial::from).collect();
    }

    /// Notes the proxy of the route, if there is one.
    pub fn goes_by(&mut self, route: &Route) {
        let variable = match route.reason {
            ProxyReason::Variable(name) => Some(name),
            _ => None,
        };
        self.is_redirected = route.redirected;
        self.proxy = route.proxy.as_ref().map(|proxy| (proxy.to_string(), variable));
    }

    /// Notes that the user gave the addresses of the host.
    pub fn is_given_addresses(&mut self) {
        self.is_redirected = true;
    }

    /// Whether the route has a proxy.
    pub fn goes_by_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Drops the dialogue with a proxy that has connected to the server: later events belong to the
    /// server.
    pub fn let_through(&mut self) {
        (self.request, self.response, self.asked, self.received) = (None, None, None, 0);
        self.asks_proxy = None;
    }

    /// Notes that wscope waits for an answer of a proxy, and which fault its silence means.
    pub fn asks_proxy(&mut self, silence: ProxyFault) {
        self.asks_proxy = Some(silence);
    }

    /// Notes that the attempt has failed now; later attempts have their own times.
    pub fn failed(&mut self) {
        self.failed_after = self.asked.map(|at| at.elapsed());
        let encoding = self.response.as_ref().and_then(|head| head.get("Content-Encoding"));
        if let Some(encoding) = encoding {
            self.body = coding::decoded(encoding, &self.body, BODY);
        }
        if let Some(kind) = self.response.as_ref().and_then(|head| head.get("Content-Type")) {
            self.body = coding::as_utf8(kind, std::mem::take(&mut self.body));
        }
    }

    /// The time from the request to the end of a failed attempt.
    pub fn failed_after(&self) -> Option<Duration> {
        self.failed_after
    }

    /// The beginning of the body of a refusal.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Notes the bytes that arrived behind the head of a 101 that breaks a rule.
    pub fn followed_by(&mut self, bytes: &[u8]) {
        self.behind = bytes[..bytes.len().min(BODY)].to_vec();
    }

    /// Notes the bytes of an incomplete head that have arrived.
    pub fn received(&mut self, bytes: &[u8]) {
        (self.received, self.ends_line) = (bytes.len(), bytes.ends_with(b"\n"));
    }

    /// Takes an event of the opening.
    pub fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Connected { .. } => self.is_connected = true,
            Event::Tls(facts) => self.tls = Some((*facts).clone()),
            Event::Head(Direction::ToServer, head) => {
                self.request = Some((*head).clone());
                self.asked = Some(Instant::now());
            }
            Event::Head(Direction::ToClient, head) => {
                self.response = Some((*head).clone());
                self.response_after = self.asked.map(|at| at.elapsed());
            }
            Event::Body(bytes) => {
                self.body.extend_from_slice(&bytes[..bytes.len().min(BODY)]);
            }
            Event::Timing(phases) => self.phases = **phases,
            Event::Judged(report) => self.report = Some((*report).clone()),
            _ => {}
        }
    }

    /// Notes what TLS with the server has shown so far, whether it succeeded or not.
    pub fn saw_tls(&mut self, tls: &TlsPipe) {
        self.certificates = tls.certificates().to_vec();
        self.asked_certificate = tls.wants_certificate();
    }

    /// The attempts to connect.
    pub fn dials(&self) -> &[Dial] {
        &self.dials
    }

    /// A header of the request, if it was sent.
    pub fn sent(&self, name: &'static str) -> Option<&[u8]> {
        self.request.as_ref()?.get(name)
    }

    /// Whether a proxy was asked for a connection, and has not opened it.
    pub fn awaits_proxy(&self) -> bool {
        self.asks_proxy.is_some()
    }

    /// Whether the answer says that the port uses TLS.
    pub fn wants_tls(&self) -> bool {
        diagnostics::wants_tls(&self.body)
    }

    /// Whether the request was sent.
    pub fn was_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether TCP was connected.
    pub fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// The verdicts on the handshake, if a response has arrived.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// The response, if one arrived.
    pub fn response(&self) -> Option<&Head> {
        self.response.as_ref()
    }

    /// The agreement of TLS.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// How long each phase took.
    pub fn phases(&self) -> &Phases {
        &self.phases
    }

    /// The facts of the opening alone.
    pub fn facts(&self) -> Facts<'_> {
        let mut facts = Facts::new(Role::Client);
        facts.url = Some(&self.url);
        facts.hops = &self.hops;
        facts.dials = &self.dials;
        facts.redirected = self.is_redirected;
        facts.proxy = self.proxy.as_ref().map(|(address, variable)| ProxyFacts {
            address,
            variable: *variable,
            answer: None,
            fault: None,
        });
        facts.request = self.request.as_ref();
        facts.response = self.response.as_ref();
        facts.response_after = self.response_after;
        facts.body = &self.body;
        facts.report = self.report.as_ref();
        facts.ends_line = self.ends_line;
        facts.stream.first = &self.behind;
        facts.trials = &self.trials;
        facts.others.lifetimes = &self.lifetimes;
        facts.tls.alpn = self.tls.as_ref().and_then(|tls| tls.alpn.as_deref());
        if let Some((certificate, chain)) = self.certificates.split_first() {
            (facts.tls.certificate, facts.tls.chain) = (Some(certificate), chain);
        }
        (facts.tls.own_roots, facts.tls.own_certificate) = (self.own.roots, self.own.certificate);
        (facts.tls.asked, facts.tls.own_versions) =
            (self.asked_certificate, self.own.versions.as_deref());
        facts.tls.may_lack_13 = may_lack_13();
        facts.tls.own_name = self.own.name.as_deref();
        facts.tls.own_alpn = self.own.alpn.as_deref();
        facts.tls.shown = self.shown.as_ref();
        facts.tls.now = Some(&self.now);
        facts
    }

    /// Explains why no connection opened.
    pub fn explain(&self, error: &OpenError) -> Vec<Diagnostic> {
        let mut facts = self.facts();
        let dials = facts.dials;
        match error {
            OpenError::ProxyAway { .. } => {
                // The addresses belong to the proxy.
                facts.dials = &[];
                facts.proxy.iter_mut().for_each(|proxy| proxy.fault = Some(ProxyFault::Away));
            }
            OpenError::Closed { .. } | OpenError::Io(_) | OpenError::TimedOut { .. }
                if self.asks_proxy.is_some() =>
            {
                (facts.request, facts.response) = (None, None);
                facts.proxy.iter_mut().for_each(|proxy| proxy.fault = self.asks_proxy);
            }
            OpenError::ProxyTls(TlsError::PlainHttp | TlsError::NotTls { .. }) => {
                facts.proxy.iter_mut().for_each(|proxy| proxy.fault = Some(ProxyFault::Foreign));
            }
            OpenError::ProxyTls(TlsError::ClosedDuringHandshake { answered: false }) => {
                facts.proxy.iter_mut().for_each(|proxy| proxy.fault = Some(ProxyFault::Tls));
            }
            OpenError::Resolve { error } => facts.lookup = Some(error.into()),
            OpenError::Tls(error) | OpenError::ProxyTls(error) => {
                facts.tls.fault = tls_fault(error);
                if let TlsError::Certificate { host, .. } = error {
                    facts.tls.name = Some(host);
                }
            }
            OpenError::Proxy(error) => {
                // The heads belong to the proxy.
                (facts.request, facts.response) = (None, None);
                if let Some(proxy) = &mut facts.proxy {
                    proxy.answer = error.head();
                    proxy.fault = proxy_fault(error);
                }
            }
            OpenError::NotHttp(bytes) => facts.first_bytes = bytes,
            OpenError::Closed { .. } => facts.unanswered = self.unanswered(StreamEnd::Fin),
            OpenError::Io(_) | OpenError::TimedOut { .. } => {
                let silent = matches!(error, OpenError::TimedOut { .. });
                let how = if silent { StreamEnd::Timeout } else { StreamEnd::Reset };
                facts.unanswered = self.unanswered(how);
                if self.asked.is_none() && self.is_connected && self.secure {
                    let fault = if silent { TlsFault::Silent } else { TlsFault::Closed };
                    facts.tls.fault = Some(fault);
                }
            }
            OpenError::Refused { .. }
            | OpenError::BadHandshake { .. }
            | OpenError::Redirect { .. }
            | OpenError::Dial(_) => {}
            // Errors of this side explain themselves.
            _ => return Vec::new(),
        }
        let mut found = classify(&facts);
        if let Some(verdict) = found.first_mut() {
            match error {
                // The error knows the exact answer; a cause that a fact supports has its own cure.
                OpenError::Proxy(error) => {
                    let exact = match verdict.is_supported() {
                        true => verdict.help.replace(verdict.entry.help, error.help()),
                        false => error.help().to_owned(),
                    };
                    verdict.help = exact.into();
                }
                OpenError::ProxyTls(_) if verdict.entry.code == "W112" => {
                    verdict.help = "write `http://` instead of `https://` for the proxy".into();
                }
                OpenError::ProxyAway { error, .. } => {
                    verdict.notes.push(error.to_string());
                    verdict.notes.extend(dials.iter().map(ToString::to_string));
                }
                _ => {}
            }
        }
        found
    }

    fn unanswered(&self, how: StreamEnd) -> Option<Unanswered> {
        let after = self.failed_after.or_else(|| Some(self.asked?.elapsed()))?;
        Some(Unanswered { how, after, received: self.received })
    }
}
