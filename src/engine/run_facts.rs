//! The results of a run: cookies, and the facts that `--write-out` and `--timing` print.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::event::{Ending, TlsFacts};
use crate::net::clock::wall_micros;
use crate::net::target::Target;
use crate::ui::waterfall;
use crate::ui::write_out::WriteOutFacts;
use crate::wire::cookie::{Cookie, CookieScope, Jar};
use crate::wire::handshake::Agreed;
use crate::wire::head::Head;

/// The known facts of a run.
pub struct RunRecord {
    /// The cookies of files and responses.
    pub jar: Jar,
    /// What `--write-out` prints.
    pub facts: WriteOutFacts,
    /// The cookies before the first request.
    first_jar: Option<Jar>,
    started: Instant,
    /// When the last try began, in time since the start.
    last: Duration,
}

impl Default for RunRecord {
    /// The run begins now.
    fn default() -> Self {
        let (jar, facts) = (Jar::default(), WriteOutFacts::default());
        Self { jar, facts, first_jar: None, started: Instant::now(), last: Duration::ZERO }
    }
}

/// Now, in seconds since the Unix epoch.
pub fn wall_seconds() -> i64 {
    wall_micros().div_euclid(1_000_000)
}

fn cookie_scope(target: &Target) -> CookieScope<'_> {
    let path = target.resource_name.split('?').next().unwrap_or_default();
    CookieScope { host: &target.host, path, secure: target.secure }
}

impl RunRecord {
    /// A connection is about to be opened. Resets the facts of the previous connection.
    pub fn begin(&mut self, target: &Target, redirects: usize) {
        self.first_jar.get_or_insert_with(|| self.jar.clone());
        let before = std::mem::take(&mut self.facts);
        self.last = self.started.elapsed();
        self.facts = WriteOutFacts {
            url: target.to_string(),
            scheme: target.scheme(),
            num_redirects: redirects.try_into().unwrap_or(u32::MAX),
            num_retries: before.num_retries,
            sent: before.sent,
            received: before.received,
            time_first_frame: before.time_first_frame,
            ..WriteOutFacts::default()
        };
    }

    fn now(&self) -> Option<Duration> {
        Some(self.started.elapsed())
    }

    /// The name is resolved.
    pub fn resolved(&mut self) {
        self.facts.time_namelookup = self.now();
    }

    /// The socket is connected.
    pub fn connected(&mut self) {
        self.facts.time_connect = self.now();
    }

    /// Notes the addresses of both ends of the socket.
    pub fn ends(&mut self, local: SocketAddr, peer: SocketAddr) {
        self.facts.local_ip = Some(local.ip().to_string());
        self.facts.local_port = Some(local.port());
        self.facts.remote_ip = Some(peer.ip().to_string());
        self.facts.remote_port = Some(peer.port());
    }

    /// The proxy has connected to the server.
    pub fn let_through(&mut self) {
        self.facts.time_proxy = self.now();
    }

    /// TLS with the server is established.
    pub fn secured(&mut self, facts: &TlsFacts) {
        self.facts.time_appconnect = self.now();
        self.facts.tls_version.clone_from(&facts.version);
        self.facts.ssl_verify_result = Some(u8::from(!facts.verified));
    }

    /// The response's head is complete.
    pub fn answered(&mut self, response: &Head) {
        self.facts.time_upgrade = self.now();
        let line = response.status_line();
        self.facts.http_code = line.as_ref().map(|line| line.code);
        self.facts.http_version = line.map(|line| {
            let version = line.version.to_string();
            version.strip_prefix("HTTP/").unwrap_or(&version).to_owned()
        });
    }

    /// The connection is open.
    pub fn agreed(&mut self, agreed: &Agreed) {
        self.facts.subprotocol.clone_from(&agreed.subprotocol);
        let extensions: Vec<String> = agreed.extensions.iter().map(ToString::to_string).collect();
        self.facts.extensions = Some(extensions.join(", ")).filter(|list| !list.is_empty());
    }

    /// Another try follows.
    pub fn again(&mut self) {
        self.facts.num_retries = self.facts.num_retries.saturating_add(1);
    }

    /// The connection is over.
    pub fn ended(&mut self, ending: &Ending, first_frame: Option<Instant>) {
        let facts = &mut self.facts;
        let first = first_frame.map(|at| at.saturating_duration_since(self.started));
        facts.time_first_frame = facts.time_first_frame.or(first);
        facts.sent += ending.out;
        facts.received += ending.r#in;
        if let Some(close) = ending.received.as_ref().or(ending.sent.as_ref()) {
            facts.close_code = close.code;
            facts.close_reason = String::from_utf8_lossy(&close.reason).into_owned();
        }
    }

    /// The requested run is over; later connections only explain its result.
    pub fn stop_clock(&mut self) {
        self.facts.time_total = self.now();
    }

    /// The run is over.
    pub fn finish(&mut self, exitcode: u8) {
        self.facts.time_total = self.facts.time_total.or(self.now());
        self.facts.exitcode = exitcode;
    }

    /// The phases of the last try as bars.
    pub fn waterfall(&self, width: usize) -> String {
        let mut facts = self.facts.clone();
        for time in [
            &mut facts.time_namelookup,
            &mut facts.time_connect,
            &mut facts.time_proxy,
            &mut facts.time_appconnect,
            &mut facts.time_upgrade,
            &mut facts.time_first_frame,
        ] {
            *time = time.and_then(|time| time.checked_sub(self.last));
        }
        waterfall::draw(&facts.phases(), width)
    }

    /// Restores the cookies of the first request; returns the current ones, to be put back later.
    pub fn swap_jar(&mut self) -> Jar {
        let first = self.first_jar.clone().unwrap_or_else(|| self.jar.clone());
        std::mem::replace(&mut self.jar, first)
    }

    /// The cookies that go to a URL.
    pub fn cookies_for(&self, target: &Target) -> Option<String> {
        self.jar.header(cookie_scope(target), wall_seconds())
    }

    /// Stores the cookies of a response; returns whether there are any. Cookies that must be
    /// ignored count, too.
    pub fn keep_cookies(&mut self, target: &Target, response: &Head) -> bool {
        let now = wall_seconds();
        let mut any = false;
        for field in response.headers() {
            if !field.name.eq_ignore_ascii_case(b"set-cookie") {
                continue;
            }
            let text = String::from_utf8_lossy(field.value);
            if let Ok(cookie) = Cookie::parse(&text, cookie_scope(target), now) {
                self.jar.put(cookie, now);
                any = true;
            }
        }
        any
    }
}
