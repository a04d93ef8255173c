//! Joins two connections: it forwards the data of each peer to the other, byte for byte, and also
//! the ends of the streams.
//!
//! Each leg keeps what it has received until the other has room for it; each direction is decoded
//! once, from a copy of what was received. The request's head has already been read; the response's
//! head is decoded as it passes, and decides whether frames follow.

mod gate;
mod mischief;
mod passage;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Instant;

pub use gate::{Gate, RelayClose, Release};
use mischief::Slow;
pub use mischief::mask;
use passage::Passage;

use super::connection::{Connection, ConnectionSetup};
use super::memory::{Budget, Share};
use super::opening_evidence::OpeningEvidence;
use super::runtime::Runtime;
use crate::config::rule::{Pacing, Rules};
use crate::diagnostics::{Diagnostic, Facts, Severity, classify};
use crate::event::{Cause, ConnId, Direction, Ending, Event, Lost, Made, Side};
use crate::net::link::Link;
use crate::session::{Limits, Observer};
use crate::wire::Role;
use crate::wire::close::CloseBody;
use crate::wire::fault::{Fault, FaultKind, with_fault};
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::{HandshakeContext, check};
use crate::wire::head::{BodyFraming, Head};
use crate::wire::violation::Violation;

/// The initial settings of a relay.
pub struct RelaySetup<'a> {
    /// The number of the connection.
    pub id: ConnId,
    /// The client, with the observer that has read the head of its request.
    pub client: (Link, Observer),
    /// The transport to the server.
    pub server: Link,
    /// The request as it is forwarded.
    pub request: Head,
    /// The evidence of the connection to the server.
    pub evidence: OpeningEvidence,
    /// The limit for queued data in memory.
    pub memory: &'a Rc<Budget>,
    /// The interventions.
    pub intervening: Intervening,
}

/// Rules, delays and faults.
#[derive(Clone, Default)]
pub struct Intervening {
    /// The rules for messages, if there are any.
    pub rules: Option<Rc<RefCell<Rules>>>,
    /// The delays of data to the server and to the client.
    pub pacing: [Pacing; 2],
    /// The faults towards the server, and towards the client.
    pub faults: [Vec<Fault>; 2],
}

impl Intervening {
    fn is_any(&self) -> bool {
        self.rules.is_some() || self.pacing.iter().any(Pacing::takes_time)
    }
}

/// What is known of the server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamAnswer {
    /// It has not arrived.
    Awaited,
    /// Frames follow it.
    Switched,
    /// A body follows it. The text is the status line without its version.
    Status(String),
    /// It is not HTTP; the received bytes are forwarded anyway.
    Unreadable,
    /// The server's stream ended before the first byte.
    Missing,
    /// There is no answer: bytes are forwarded undecoded.
    Blind,
}

/// Two legs. See the [module](self).
pub struct Relay {
    id: ConnId,
    client: Connection,
    server: Connection,
    request: Head,
    /// The exchange of an ordinary request; it is the only one on its connection.
    exchange: Option<Exchange>,
    answer: UpstreamAnswer,
    evidence: OpeningEvidence,
    /// Which end sent the first Close, ended its stream first, and broke a rule first.
    first_close: Option<Role>,
    first_end: Option<Role>,
    first_breach: Option<Role>,
    dropped: bool,
    intervening: Intervening,
    /// The direction to the server, and the direction to the client.
    passages: [Passage; 2],
    share: Share,
    /// Why this side closed both directions, if it did.
    closed: Option<RelayClose>,
}

/// An ordinary request and its response.
struct Exchange {
    body: BodyFraming,
    /// The bytes of the body that wait for the server's leg.
    waiting: usize,
    /// More data followed the body.
    more: bool,
}

impl Exchange {
    /// Returns `None` if the data after the request may be something other than a body.
    fn of(request: &Head) -> Option<Self> {
        let is_tunnel = request.request_line().is_none_or(|line| line.method == b"CONNECT");
        let is_ordinary = !is_tunnel && request.get("Upgrade").is_none();
        is_ordinary.then(|| Self { body: BodyFraming::of(request), waiting: 0, more: false })
    }

    /// Keeps only the client's data that belongs to the request. Returns whether more data has
    /// arrived for the first time. The server is asked to close its connection after its response,
    /// and does not answer a second request. The client repeats such a request on another
    /// connection (RFC 9112 §9.3.2).
    fn end(&mut self, client: &mut Connection) -> bool {
        let mut received = client.take_received();
        let new = received.get(self.waiting..).unwrap_or_default();
        let own = self.waiting + self.body.take(new, |_| ());
        let more = own < received.len();
        received.truncate(own);
        self.waiting = own;
        client.put_back(received);
        more && !std::mem::replace(&mut self.more, more)
    }
}

/// Whether a request asks for a WebSocket.
pub fn asks_for_websocket(request: &Head) -> bool {
    request.has_token("Upgrade", "websocket")
}

/// Whether a request announces a body (RFC 9112 §6).
fn has_body(request: &Head) -> bool {
    let announced = |value: &[u8]| value.trim_ascii() != b"0";
    request.get("Content-Length").is_some_and(announced)
        || request.get("Transfer-Encoding").is_some()
}

impl Relay {
    /// Forwards the request.
    pub fn new(setup: RelaySetup<'_>, now: Instant) -> Self {
        let RelaySetup { id, client: (link, inbound), server, request, evidence, memory, .. } =
            setup;
        let intervening = setup.intervening;
        let agreed = Agreed::default();
        let setup = ConnectionSetup::new(id, &agreed, None, memory);
        let mut client = Connection::new(link, inbound, &setup, now);
        let answers = Observer::before_handshake(Direction::ToClient, setup.limits);
        let mut server = Connection::new(server, answers, &setup, now);
        server.sender(now).bytes(request.raw());
        if !asks_for_websocket(&request) || has_body(&request) {
            client.expect_body(false);
        }
        let exchange = Exchange::of(&request);
        Self {
            id,
            client,
            server,
            request,
            exchange,
            answer: UpstreamAnswer::Awaited,
            evidence,
            first_close: None,
            first_end: None,
            first_breach: None,
            dropped: false,
            intervening,
            passages: Default::default(),
            share: Share::of(memory),
            closed: None,
        }
    }

    /// Forwards all bytes undecoded. The request is empty.
    pub fn blind(setup: RelaySetup<'_>, now: Instant) -> Self {
        let mut relay = Self::new(setup, now);
        relay.answer = UpstreamAnswer::Blind;
        relay.client.expect_body(false);
        relay.server.expect_body(false);
        relay
    }

    /// The gate of a direction, once frames are forwarded.
    pub fn gate(&self, direction: Direction) -> Option<&Gate> {
        self.passages[direction as usize].gate.as_deref()
    }

    /// The gate of a direction, to change it. Give the relay a turn afterwards.
    pub fn gate_mut(&mut self, direction: Direction) -> Option<&mut Gate> {
        self.passages[direction as usize].gate.as_deref_mut()
    }

    /// When delayed data is due.
    pub fn deadline(&self) -> Option<Instant> {
        let Self { passages: [to_server, to_client], server, client, .. } = self;
        let due = [to_server.deadline(server), to_client.deadline(client)];
        due.into_iter().flatten().min()
    }

    /// The leg to an end.
    pub fn leg(&self, role: Role) -> &Connection {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    /// The leg to an end, to note reports of the poll.
    pub fn leg_mut(&mut self, role: Role) -> &mut Connection {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// What is known of the server's answer.
    pub fn answer(&self) -> &UpstreamAnswer {
        &self.answer
    }

    /// The request as it was forwarded.
    pub fn request(&self) -> &Head {
        &self.request
    }

    /// Whether the client ended its stream first.
    pub fn has_client_left(&self) -> bool {
        self.first_end == Some(Role::Client)
    }

    /// The evidence of the opening.
    pub fn evidence(&self) -> &OpeningEvidence {
        &self.evidence
    }

    /// The client's transport, for a last answer.
    pub fn into_client(self) -> Link {
        self.client.into_link().0
    }

    /// Gives each leg a turn, and forwards its data.
    ///
    /// # Errors
    ///
    /// An output failed. Errors of the connections only end the connections.
    pub fn turn(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.pass(runtime, now)?;
        // The server's data leaves in the client's second turn.
        for role in [Role::Client, Role::Server, Role::Client] {
            let leg = self.leg_mut(role);
            if leg.is_over() || !leg.wants_turn(&runtime.stdout, &runtime.reporter) {
                continue;
            }
            runtime.give_turn(leg, now)?;
            let awaited = self.answer == UpstreamAnswer::Awaited;
            self.look_at_answer(runtime, now)?;
            if awaited && self.answer == UpstreamAnswer::Switched {
                // Data that came with the head is reported before it is forwarded. Otherwise the
                // answer might be reported first.
                for early in [&mut self.client, &mut self.server] {
                    if early.has_input() {
                        runtime.give_turn(early, now)?;
                    }
                }
            }
            self.note_firsts(role, now);
            if self.answer == UpstreamAnswer::Missing {
                return Ok(());
            }
            self.pass(runtime, now)?;
        }
        Ok(())
    }

    /// Forwards the received data in both directions.
    fn pass(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        // With interventions, early frames wait for the answer.
        let waits = self.answer == UpstreamAnswer::Awaited && self.intervening.is_any();
        let [request, answer] = [
            waits && asks_for_websocket(&self.request) && !has_body(&self.request),
            waits && self.server.undecoded() > 0,
        ];
        let Self { client, server, passages: [to_server, to_client], .. } = self;
        if let Some(exchange) = &mut self.exchange
            && exchange.end(client)
        {
            let text = "what the client sent after its first request is not forwarded: the server \
                 closes this connection after its response";
            runtime.report(self.id, &Event::Note(text))?;
        }
        if !request || client.is_lost() {
            to_server.pass(client, server, runtime, now)?;
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.waiting = client.received_bytes().len();
        }
        if !answer || server.is_lost() {
            to_client.pass(server, client, runtime, now)?;
        }
        for (at, direction) in [Direction::ToServer, Direction::ToClient].into_iter().enumerate() {
            let gate = self.passages[at].gate.as_mut();
            for slow in gate.map(|gate| gate.take_slow()).unwrap_or_default() {
                let back = &mut self.passages[direction.opposite() as usize];
                match slow {
                    Slow::Reader(rate) => back.slow_down(rate.max(1) as f64, now),
                    Slow::NeverRead => back.unread = true,
                    Slow::Drip(interval) => {
                        let rate = 1.0 / interval.as_secs_f64().max(0.001);
                        self.passages[at].slow_down(rate, now);
                    }
                }
            }
        }
        let close = |passage: &mut Passage| passage.gate.as_mut()?.take_close();
        if let Some(close) = self.passages.iter_mut().find_map(close) {
            self.close(close, runtime, now)?;
            return self.pass(runtime, now);
        }
        self.share.set(self.passages.iter().map(Passage::held).sum());
        Ok(())
    }

    /// Whether another turn could do something without an event.
    pub fn wants_turn(&self, runtime: &Runtime) -> bool {
        let wants =
            |leg: &Connection| !leg.is_over() && leg.wants_turn(&runtime.stdout, &runtime.reporter);
        let [to_server, to_client] = &self.passages;
        self.is_over()
            || wants(&self.client)
            || wants(&self.server)
            || to_server.can_move(&self.client, &self.server)
            || to_client.can_move(&self.server, &self.client)
    }

    /// Whether it waits for an output.
    pub fn waits_for_outputs(&self, runtime: &Runtime) -> bool {
        let waits = |leg: &Connection| leg.waits_for_outputs(&runtime.stdout, &runtime.reporter);
        waits(&self.client) || waits(&self.server)
    }

    /// Whether both legs have ended.
    pub fn is_over(&self) -> bool {
        self.client.is_over() && self.server.is_over()
    }

    /// The number of bytes that wait for one of the ends.
    pub fn backlog(&self) -> usize {
        self.client.waiting() + self.server.waiting() + self.share.held()
    }

    /// Ends both connections at once.
    pub fn drop_connection(&mut self) {
        self.dropped = true;
        self.client.drop_connection();
        self.server.drop_connection();
    }

    /// Sends both ends a Close instead of all later data, once frames are forwarded.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn close(
        &mut self,
        close: RelayClose,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        for gate in self.passages.iter_mut().filter_map(|passage| passage.gate.as_mut()) {
            gate.shut(&close, runtime, now)?;
        }
        self.closed.get_or_insert(close);
        Ok(())
    }

    fn look_at_answer(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        if self.answer != UpstreamAnswer::Awaited {
            return Ok(());
        }
        let inbound = self.server.inbound();
        if let Some(head) = inbound.head().cloned() {
            return self.answered(&head, runtime, now);
        }
        let foreign = inbound.partial_head().is_some_and(|head| head.not_http());
        let ended = self.server.has_peer_ended();
        if ended && inbound.offset() == 0 && inbound.head_error().is_none() {
            self.answer = UpstreamAnswer::Missing;
        } else if ended || foreign || inbound.head_error().is_some() {
            let why = match inbound.head_error() {
                Some(error) => error.to_string(),
                None if foreign => "it is not HTTP".to_owned(),
                None => "it was not complete".to_owned(),
            };
            self.answer = UpstreamAnswer::Unreadable;
            self.client.expect_body(false);
            self.server.expect_body(true);
            let text = format!("the server's response is forwarded, but not decoded: {why}");
            runtime.report(self.id, &Event::Note(&text))?;
        }
        Ok(())
    }

    /// Handles the complete head of a response.
    fn answered(&mut self, head: &Head, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let upgrade = asks_for_websocket(&self.request);
        self.evidence.take(&Event::Head(Direction::ToServer, &self.request));
        self.evidence.take(&Event::Head(Direction::ToClient, head));
        match head.status_line().map(|line| line.code) {
            // "a client MUST be able to parse one or more 1xx responses received prior to a final
            // response" (RFC 9110 §15.2); 101 is final here.
            Some(100 | 102..=199) => self.server.expect_head(Limits::default()),
            Some(101) if upgrade => {
                let early_bytes = self.client.undecoded() as u64;
                let context = HandshakeContext {
                    early_bytes,
                    ..HandshakeContext::new(&self.request, Some(head))
                };
                let report = check(&context);
                self.evidence.take(&Event::Judged(&report));
                runtime.report(self.id, &Event::Judged(&report))?;
                runtime.report(self.id, &Event::Open(&report.agreed))?;
                let looks = runtime.reporter.looks_at_frames();
                for leg in [&mut self.client, &mut self.server] {
                    leg.expect_frames(report.agreed.deflate, looks, now);
                }
                if self.intervening.is_any() {
                    // The head is forwarded unchanged.
                    let mut received = self.server.take_received();
                    let frames = received.len().saturating_sub(self.server.undecoded());
                    self.server.put_back(received.split_off(frames));
                    let faults = &mut self.intervening.faults[Direction::ToClient as usize];
                    let of_head = |fault: &mut Fault| matches!(fault.info.kind, FaultKind::Head(_));
                    for fault in faults.extract_if(.., of_head) {
                        received = with_fault(&fault, &self.request, &received);
                        runtime.report(self.id, &Event::Note(&fault.to_string()))?;
                        runtime.remark(self.id, &fault.to_string());
                    }
                    self.client.sender(now).bytes(&received);
                }
                for direction in [Direction::ToServer, Direction::ToClient] {
                    let passage = &mut self.passages[direction as usize];
                    passage.pace(self.intervening.pacing[direction as usize], now);
                    let rules = self.intervening.rules.as_ref().map(Rc::clone);
                    let agreed = &report.agreed;
                    let faults = std::mem::take(&mut self.intervening.faults[direction as usize]);
                    let gate = rules
                        .map(|rules| Gate::new(self.id, direction, agreed, rules, faults, now));
                    passage.gate = gate.map(Box::new);
                }
                self.answer = UpstreamAnswer::Switched;
            }
            code => {
                let line = head.raw().split(|byte| *byte == b'\r' || *byte == b'\n').next();
                let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
                let status = line.split_once(' ').map(|(_, rest)| rest.to_owned());
                self.answer = UpstreamAnswer::Status(status.unwrap_or(line));
                self.client.expect_body(false);
                if upgrade {
                    let report = check(&HandshakeContext::new(&self.request, Some(head)));
                    self.evidence.take(&Event::Judged(&report));
                    runtime.report(self.id, &Event::Judged(&report))?;
                }
                // After a 101 for another protocol, or a page, wscope does not decode the bytes.
                self.server.expect_body(upgrade && code != Some(101));
            }
        }
        Ok(())
    }

    fn note_firsts(&mut self, role: Role, now: Instant) {
        let leg = self.leg(role);
        let (closed, ended) = (leg.ending(now).received.is_some(), leg.has_peer_ended());
        // A violation after a violation of this side is a consequence of it.
        let broke = leg.is_peer_to_blame() && self.own_breach().is_none();
        for (is, first) in [
            (closed, &mut self.first_close),
            (ended, &mut self.first_end),
            (broke, &mut self.first_breach),
        ] {
            if is {
                first.get_or_insert(role);
            }
        }
    }

    /// Describes the end: `out` is the client's side, `in` the server's.
    pub fn ending(&self, now: Instant) -> Ending {
        let (client, server) = (self.client.ending(now), self.server.ending(now));
        let both = client.received.is_some() && server.received.is_some();
        let first = self.first_end.unwrap_or(Role::Server);
        let (by, cause) = match (self.dropped, &self.closed, both) {
            (true, ..) => (Side::Us, Cause::Dropped),
            (_, Some(RelayClose { rule, body }), _) => {
                (Side::Us, Cause::Relay { rule: *rule, close: body.clone() })
            }
            (.., true) => (Side::End(self.first_close.unwrap_or(first)), Cause::Closed),
            _ if first == Role::Client => (Side::End(first), client.cause),
            _ => (Side::End(first), server.cause),
        };
        Ending {
            role: None,
            by,
            cause,
            sent: client.received,
            received: server.received,
            duration: server.duration,
            out: client.r#in,
            r#in: server.r#in,
        }
    }

    /// Explains the data of an end and the end of its stream, as its peer would see them; only
    /// faults.
    pub fn explain(&self, role: Role, ending: &Ending, now: Instant) -> Vec<Diagnostic> {
        let leg = self.leg(role);
        let own = leg.ending(now);
        let (sent, received) = match role {
            Role::Client => (&ending.received, &ending.sent),
            Role::Server => (&ending.sent, &ending.received),
        };
        let (by, cause) = match &ending.cause {
            Cause::Closed if ending.by == Side::End(role) => (Side::Peer, Cause::Closed),
            Cause::Closed | Cause::Relay { .. } => (Side::Us, Cause::Closed),
            _ if ending.by == Side::End(role) => (own.by, own.cause.clone()),
            _ => (Side::Us, Cause::Dropped),
        };
        let ending = Ending { by, cause, sent: sent.clone(), received: received.clone(), ..own };
        let facts = match role {
            Role::Client => Facts::new(Role::Server),
            Role::Server => self.evidence.facts(),
        };
        let mut found = leg.explain(facts, &ending, now);
        found.retain(|found| found.severity != Severity::Note);
        if let Some((_, broken)) = self.own_breach_towards(role) {
            // The Close answers a violation of this side, or repeats the Close of this side.
            let ours = ["W702", "W707", "W709", broken.kind.rule().code];
            found.retain(|found| !ours.contains(&found.entry.code));
        }
        for found in &mut found {
            found.notes.insert(0, format!("this is about what the {} sent", name(role)));
        }
        found
    }

    /// Explains a response that opened no WebSocket; only faults.
    pub fn explain_refusal(&self) -> Vec<Diagnostic> {
        let mut found = classify(&self.evidence.facts());
        found.retain(|found| found.severity != Severity::Note);
        found
    }

    /// The first rule that a frame made by this side broke, and the receiver of the frame.
    fn own_breach(&self) -> Option<(Role, &(Made, Violation))> {
        let towards = |role| Some((role, self.own_breach_towards(role)?));
        towards(Role::Server).or_else(|| towards(Role::Client))
    }

    fn own_breach_towards(&self, role: Role) -> Option<&(Made, Violation)> {
        self.gate(Direction::sent_by(role).opposite())?.breach()
    }

    /// How this side broke the connection on purpose before an end left.
    fn own_end(&self, first: Role, ending: &Ending) -> Option<String> {
        let direction = Direction::sent_by(first);
        if self.gate(direction.opposite()).is_some_and(|gate| gate.end().is_some()) {
            let name = name(first);
            return Some(format!(
                "this proxy broke the connection: it ended the stream to the {name}"
            ));
        }
        [direction, direction.opposite()].into_iter().find_map(|direction| {
            let sender = direction.sender();
            let sent = close_of(sender, ending).is_some();
            // After a Close has passed a gate, the gate makes no more frames.
            let kept = self.gate(direction).is_some_and(|gate| gate.endpoint().is_open());
            (sent && kept).then(|| {
                let (name, closed) = (name(sender), "the connection broke: the Close of the");
                format!("{closed} {name} was kept back here, so nobody could answer it")
            })
        })
    }

    /// A sentence that names the side that broke the connection, if one did.
    pub fn who_broke_it(&self, ending: &Ending) -> Option<String> {
        let other = |role: Role| if role == Role::Client { Role::Server } else { Role::Client };
        let before = match self.evidence.goes_by_proxy() {
            true => ", or the proxy before it",
            false => "",
        };
        if let Some(role) = self.first_breach {
            let before = if role == Role::Server { before } else { "" };
            let (name, other) = (name(role), other(role));
            let theirs = match self.leg(other).is_peer_to_blame() {
                true => format!("before the {} did, too", self::name(other)),
                false => format!("the {}'s do not", self::name(other)),
            };
            return Some(format!(
                "the {name} broke the connection{before}: its frames break a rule; {theirs}"
            ));
        }
        if let Some((to, (made, broken))) = self.own_breach() {
            let answer = match close_of(to, ending).map(|close| close.code) {
                Some(Some(code)) => format!("; the {} answered with {code}", name(to)),
                Some(None) => format!("; the {} answered with a Close", name(to)),
                None => String::new(),
            };
            return Some(format!(
                "wscope's frame #{} to the {} ({}) breaks {}{answer}",
                broken.frame,
                name(to),
                made.name(),
                broken.kind.rule().code,
            ));
        }
        let (Side::End(role), Cause::Lost(how)) = (ending.by, &ending.cause) else { return None };
        if let Some(text) = self.own_end(role, ending) {
            return Some(text);
        }
        // An end that has sent its Close may leave.
        if close_of(role, ending).is_some() && *how == Lost::EndOfStream {
            return None;
        }
        let name = name(role);
        Some(match how {
            Lost::EndOfStream => {
                format!("the {name} broke the connection: it ended its stream without a Close")
            }
            Lost::InsideFrame { .. } => {
                format!("the {name} broke the connection: it ended its stream inside a frame")
            }
            _ => format!("the {name}, or a device between it and this proxy, broke the connection"),
        })
    }
}

/// The Close that an end sent.
fn close_of(role: Role, ending: &Ending) -> Option<&CloseBody> {
    match role {
        Role::Client => ending.sent.as_ref(),
        Role::Server => ending.received.as_ref(),
    }
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}
