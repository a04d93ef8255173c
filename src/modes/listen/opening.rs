//! From a connection to an open one: TLS, the request's head, the answer.
//!
//! Whatever a client sends instead of a handshake is recognised, named, and answered in its own
//! language where that can be done.

use std::io;
use std::time::Instant;

use crate::behaviour::faults::{FaultInjector, Instead};
use crate::config::ListenBehaviour;
use crate::event::{ConnId, Direction, Event, Observed, TimeoutKind};
use crate::modes::listen::client::{Client, Stage, canonical};
use crate::modes::listen::session::Session;
use crate::modes::listen::shared::Shared;
use crate::modes::listen::sniff;
use crate::net::child::Child;
use crate::net::link::{Fill, LinkError};
use crate::net::tls::TlsError;
use crate::ui::sanitize::escaped;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::admission::path;
use crate::wire::handshake::rules::{Context, check};
use crate::wire::handshake::server::{Accepted, Refusal, respond};
use crate::wire::head::{Head, HeadKind};

/// Bytes of a path or user agent that are told in a line.
const TOLD: usize = 120;

/// What became of a request.
enum Asked {
    /// The head is not complete.
    Waiting,
    /// It was answered with a 101.
    Accepted(Agreed, Box<str>, Variables),
    /// It was refused.
    Refused(Refusal),
    /// It is answered wrongly, on purpose.
    Wronged(Instead),
    /// It is no request of HTTP/1.1.
    Foreign(sniff::Answer),
}

/// What the process of `--exec` is told in its environment.
struct Variables {
    path: String,
    subprotocol: String,
}

impl Client {
    /// Takes the TLS handshake as far as it goes.
    pub(crate) fn secure(&mut self, shared: &mut Shared, now: Instant) -> io::Result<()> {
        let Stage::Securing { until } = self.stage else { return Ok(()) };
        match self.link.handshake() {
            Ok(true) => {
                if let Some(facts) = self.link.tls().and_then(|tls| tls.facts()).cloned() {
                    shared.tell(self.id, &Event::Tls(&facts))?;
                }
                self.stage = Stage::Asking { until };
                Ok(())
            }
            Ok(false) if until <= now => {
                self.refuse(None, TimeoutKind::Handshake.what(), shared, now)
            }
            Ok(false) => Ok(()),
            Err(LinkError::Tls(TlsError::PlainHttpRequest)) => {
                self.link.give_up_tls();
                let answer = sniff::http_instead_of_tls();
                self.refuse_foreign(&answer, shared, now)
            }
            Err(error) => self.refuse(None, &error.to_string(), shared, now),
        }
    }

    /// Reads the request's head, and answers it once it is complete.
    pub(crate) fn read_request(
        &mut self,
        shared: &mut Shared,
        late: bool,
        now: Instant,
    ) -> io::Result<()> {
        let Stage::Asking { until } = self.stage else { return Ok(()) };
        match self.link.fill() {
            Ok(Fill::Data) => {}
            Ok(Fill::Blocked) if until <= now => {
                let answer = sniff::too_slow();
                return self.refuse_foreign(&answer, shared, now);
            }
            Ok(Fill::Blocked) => return Ok(()),
            Ok(Fill::End { .. }) => {
                let came = self.inbound.partial_head().map_or(0, |head| head.raw().len());
                let why = match came {
                    0 => "it closed the connection without a word".to_owned(),
                    n => format!("it closed the connection after {n} bytes of its request"),
                };
                return self.refuse(None, &why, shared, now);
            }
            Err(error) => return self.refuse(None, &error.to_string(), shared, now),
        }
        match self.ask(shared)? {
            Asked::Waiting if until <= now => {
                let answer = sniff::too_slow();
                self.refuse_foreign(&answer, shared, now)
            }
            Asked::Waiting => Ok(()),
            Asked::Foreign(answer) => self.refuse_foreign(&answer, shared, now),
            Asked::Wronged(instead) => self.refuse_on_purpose(&instead, shared, now),
            Asked::Refused(refusal) => self.refuse_with(&refusal, shared, now),
            Asked::Accepted(agreed, about, variables) => {
                self.open(agreed, about, &variables, shared, late, now)
            }
        }
    }

    /// Takes what came; what follows the head stays for the session.
    fn ask(&mut self, shared: &mut Shared) -> io::Result<Asked> {
        let Self { id, link, inbound, address, injector, .. } = self;
        let who = address.map(|address| canonical(address).to_string());
        let (mut input, tx) = link.split();
        let before = inbound.partial_head().map_or(0, |head| head.raw().len());
        let came = before + input.rest().len();
        let asked = match inbound.next(&mut input) {
            Some(Observed::Head(head)) => match sniff::http2(head) {
                Some(answer) => Asked::Foreign(answer),
                None => {
                    let early = came.saturating_sub(head.raw().len()) as u64;
                    let config = &shared.config.server;
                    let answer = match injector {
                        Some(injector) => respond(head, &injector.config(config)),
                        None => respond(head, config),
                    };
                    shared.tell(*id, &Event::Head(Direction::ToServer, head))?;
                    match answer.map(|accepted| spoilt(accepted, head, injector.as_deref())) {
                        Ok(Err(instead)) => Asked::Wronged(instead),
                        Ok(Ok((accepted, told))) => {
                            told.iter().try_for_each(|text| shared.note(*id, text))?;
                            tx.extend_from_slice(&accepted.response);
                            let about = about(who.as_deref(), head, &accepted.agreed);
                            let variables = Variables::new(head, &accepted.agreed);
                            tell_answer(*id, head, &accepted.response, early, shared)?;
                            Asked::Accepted(accepted.agreed, about, variables)
                        }
                        Err(refusal) => {
                            tell_answer(*id, head, &refusal.response, early, shared)?;
                            Asked::Refused(refusal)
                        }
                    }
                }
            },
            Some(Observed::HeadError(error)) => Asked::Foreign(sniff::too_large(error)),
            _ => Asked::Waiting,
        };
        let at = input.consumed();
        link.consumed(at);
        if matches!(asked, Asked::Waiting)
            && let Some(parser) = inbound.partial_head()
            && parser.not_http()
        {
            return Ok(Asked::Foreign(sniff::not_http(parser.raw())));
        }
        Ok(asked)
    }

    /// Goes on with frames.
    fn open(
        &mut self,
        agreed: Agreed,
        about: Box<str>,
        variables: &Variables,
        shared: &mut Shared,
        late: bool,
        now: Instant,
    ) -> io::Result<()> {
        self.inbound.expect_frames(agreed.deflate.as_ref());
        shared.tell(self.id, &Event::Open(&agreed))?;
        shared.say(self.id, &format!("joined: {about}"));
        self.about = about;
        shared.membership_epoch += 1;
        let mut session = Session::new(self.id, &agreed, &self.link, shared, late, now);
        if let Some(injector) = self.injector.take() {
            session.spoil(injector, &agreed, &self.link, now);
        }
        if let ListenBehaviour::Exec { command, .. } = &shared.config.answer {
            match self.spawn(command, variables, shared) {
                Ok(child) => session.attach(child, &shared.config.answer, shared.config.binary),
                Err(error) => {
                    let fault = format!("--exec: {error}");
                    session.fail(&fault, &mut self.link, &shared.notifier, now);
                }
            }
        }
        self.stage = Stage::Open(Box::new(session));
        Ok(())
    }

    fn spawn(&self, command: &str, variables: &Variables, shared: &Shared) -> io::Result<Child> {
        let (conn, peer) = (self.id.0.to_string(), self.peer_name(shared));
        let variables = [
            ("WSCOPE_CONN", conn.as_str()),
            ("WSCOPE_PEER", &peer),
            ("WSCOPE_PATH", &variables.path),
            ("WSCOPE_SUBPROTOCOL", &variables.subprotocol),
        ];
        Child::spawn(command, &variables, shared.runtime.reactor.registry(), self.child_tokens)
    }
}

impl Variables {
    fn new(request: &Head, agreed: &Agreed) -> Self {
        Self {
            path: String::from_utf8_lossy(path(request)).into_owned(),
            subprotocol: agreed.subprotocol.clone().unwrap_or_default(),
        }
    }
}

/// A 101 with its faults and what is to be told of them, or what is sent in its place.
fn spoilt(
    mut accepted: Accepted,
    request: &Head,
    injector: Option<&FaultInjector>,
) -> Result<(Accepted, Vec<String>), Instead> {
    let told = match injector {
        Some(injector) => injector.answer(request, &mut accepted)?,
        None => Vec::new(),
    };
    Ok((accepted, told))
}

/// Tells what was found in a request, and the answer to it: its head, and its body if it is no 101.
fn tell_answer(
    conn: ConnId,
    request: &Head,
    answer: &[u8],
    early_bytes: u64,
    shared: &mut Shared,
) -> io::Result<()> {
    if !shared.looks() {
        return Ok(());
    }
    let response = Head::parse(HeadKind::Response, answer);
    let context = Context { early_bytes, ..Context::new(request, Some(&response)) };
    shared.tell(conn, &Event::Judged(&check(&context)))?;
    tell_response(conn, answer, shared)
}

/// Tells an answer: its head, and its body.
pub(crate) fn tell_response(conn: ConnId, bytes: &[u8], shared: &mut Shared) -> io::Result<()> {
    let head = Head::parse(HeadKind::Response, bytes);
    let body = &bytes[head.raw().len()..];
    shared.tell(conn, &Event::Head(Direction::ToClient, &head))?;
    match body.is_empty() {
        true => Ok(()),
        false => shared.tell(conn, &Event::Body(body)),
    }
}

/// As in `127.0.0.1:50000 /chat, "curl/8.5", subprotocol chat, permessage-deflate`.
fn about(who: Option<&str>, request: &Head, agreed: &Agreed) -> Box<str> {
    let told = |bytes: &[u8]| match bytes.get(..TOLD) {
        Some(start) => format!("{}…", escaped(start)),
        None => escaped(bytes),
    };
    let target = request.request_line().map_or(&b"/"[..], |line| line.target);
    let mut text = format!("{} {}", who.unwrap_or("a local client"), told(target));
    if let Some(agent) = request.get("User-Agent") {
        text += &format!(", \"{}\"", told(agent));
    }
    if let Some(subprotocol) = &agreed.subprotocol {
        text += &format!(", subprotocol {subprotocol}");
    }
    for extension in &agreed.extensions {
        text += &format!(", {extension}");
    }
    text.into()
}
