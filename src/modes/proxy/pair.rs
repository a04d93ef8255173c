//! One connection on its two legs, from the client's socket to the last byte.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use crate::config::ProxyConfig;
use crate::engine::lingering::Lingering;
use crate::engine::memory::Budget;
use crate::engine::open_error::OpenError;
use crate::engine::opening::server::{
    HandshakeAnswer, OpeningProgress, ServerOpening, Then, peer_name, report_response,
};
use crate::engine::opening::{ClientOpening, Opening as _};
use crate::engine::relay::{
    Answer, Gate, Intervening, Relay, RelayClose, RelaySetup, asks_for_websocket,
};
use crate::engine::runtime::Runtime;
use crate::engine::slots::Slot;
use crate::event::{ConnId, Direction, Event};
use crate::net::link::{Link, SocketLink};
use crate::script::runner::{Expect, Received};
use crate::session::{Limits, Observer};
use crate::ui::sanitize::escaped;
use crate::ui::{ending, number};
use crate::wire::Role;
use crate::wire::close::CloseBody;
use crate::wire::handshake::server::Refusal;
use crate::wire::head::Head;

/// What all pairs share.
pub struct Shared {
    /// What was asked for.
    pub config: ProxyConfig,
    /// The bound on what waits in memory.
    pub memory: Rc<Budget>,
    /// Who may intervene.
    pub intervening: Intervening,
    /// Messages for `/expect`, where lines are carried out.
    pub received: Option<Rc<Received>>,
}

/// One connection.
pub struct Pair {
    id: ConnId,
    /// The client's; none on a Unix socket.
    address: Option<SocketAddr>,
    /// The slot of the tokens of the server's leg.
    server_slot: Slot,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// The client's TLS and request.
    Asking(Box<ServerOpening>),
    /// The way to the server, while the client waits.
    Reaching(Box<Reaching>),
    /// Bytes pass.
    Relaying(Box<Relay>),
    /// The client has had its last word; its end is awaited.
    Leaving(Box<Lingering>),
    /// It can be dropped.
    Gone,
}

/// A client with its request, and the way to the server.
struct Reaching {
    client: (Link, Observer),
    request: Head,
    way: ClientOpening,
}

impl Pair {
    /// Takes over an accepted socket, which waits for its first turn.
    pub fn new(
        id: ConnId,
        address: Option<SocketAddr>,
        server_slot: Slot,
        link: SocketLink,
        shared: &Shared,
        most: Option<usize>,
        now: Instant,
    ) -> Self {
        let timeout = shared.config.open.handshake_timeout;
        let mut opening = ServerOpening::new(id, address, link, Limits::default(), timeout, now);
        if let Some(most) = most {
            opening.turn_away(most);
        }
        Self { id, address, server_slot, stage: Stage::Asking(Box::new(opening)) }
    }

    /// Its number.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Whether it can be dropped.
    pub fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Whether frames pass.
    pub fn is_open(&self) -> bool {
        matches!(&self.stage, Stage::Relaying(relay) if *relay.answer() == Answer::Switched)
    }

    /// Where somebody may intervene in a direction.
    pub fn gate(&self, direction: Direction) -> Option<&Gate> {
        match &self.stage {
            Stage::Relaying(relay) => relay.gate(direction),
            _ => None,
        }
    }

    /// The same, to do so.
    pub fn gate_mut(&mut self, direction: Direction) -> Option<&mut Gate> {
        match &mut self.stage {
            Stage::Relaying(relay) => relay.gate_mut(direction),
            _ => None,
        }
    }

    /// Closes both directions, once frames pass. Returns whether neither was closed before.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn close(
        &mut self,
        body: &CloseBody,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<bool> {
        let Stage::Relaying(relay) = &mut self.stage else { return Ok(false) };
        let gates = [Direction::ToServer, Direction::ToClient].map(|way| relay.gate(way));
        if gates.into_iter().any(|gate| gate.is_none_or(|gate| !gate.endpoint().is_open())) {
            return Ok(false);
        }
        let close = RelayClose { rule: None, body: body.clone() };
        relay.close(close, runtime, now).map(|()| true)
    }

    /// Who it is: the client's address, and what it asks for. Safe for a terminal.
    pub fn about(&self) -> String {
        let peer = peer_name(self.address);
        match &self.stage {
            Stage::Relaying(relay) => {
                let line = relay.request().request_line();
                let target = escaped(line.map_or(&b"/"[..], |line| line.target));
                format!("{peer} {target}")
            }
            _ => peer,
        }
    }

    /// How far it is, in words.
    pub fn state(&self) -> &'static str {
        match &self.stage {
            Stage::Asking(_) => "in the opening handshake",
            Stage::Reaching(_) => "connecting to the server",
            Stage::Relaying(relay) => match relay.answer() {
                Answer::Switched => "open",
                Answer::Awaited => "waiting for the server's response",
                _ => "passing a response",
            },
            Stage::Leaving(_) | Stage::Gone => "leaving",
        }
    }

    /// Bytes that wait for one of the ends to take them.
    pub fn backlog(&self) -> usize {
        match &self.stage {
            Stage::Relaying(relay) => relay.backlog(),
            _ => 0,
        }
    }

    /// Ends both legs at once.
    pub fn drop_connection(&mut self) {
        match &mut self.stage {
            Stage::Relaying(relay) => relay.drop_connection(),
            _ => self.stage = Stage::Gone,
        }
    }

    /// Notes what the poll reports of a leg.
    pub fn ready(&mut self, role: Role, event: &mio::event::Event) {
        match (&mut self.stage, role) {
            (Stage::Asking(opening), Role::Client) => opening.link.ready(event),
            (Stage::Reaching(reaching), Role::Client) => reaching.client.0.ready(event),
            (Stage::Reaching(reaching), Role::Server) => reaching.way.ready(event),
            (Stage::Relaying(relay), role) => relay.leg_mut(role).ready(event),
            (Stage::Leaving(lingering), Role::Client) => lingering.ready(event),
            _ => {}
        }
    }

    /// Whether another turn would do something, without an event.
    pub fn wants_turn(&self, runtime: &Runtime) -> bool {
        match &self.stage {
            Stage::Asking(opening) => opening.wants_turn(),
            Stage::Reaching(reaching) => reaching.way.wants_turn(),
            Stage::Relaying(relay) => relay.wants_turn(runtime),
            Stage::Leaving(lingering) => lingering.wants_turn(),
            Stage::Gone => false,
        }
    }

    /// Whether a thread looks a name up or dials, which no event of a socket reports.
    pub fn is_reaching(&self) -> bool {
        matches!(self.stage, Stage::Reaching(_))
    }

    /// Whether it waits for an output.
    pub fn is_stalled(&self, runtime: &Runtime) -> bool {
        matches!(&self.stage, Stage::Relaying(relay) if relay.waits_for_outputs(runtime))
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Asking(opening) => Some(opening.deadline()),
            Stage::Reaching(reaching) => reaching.way.deadline(),
            Stage::Leaving(lingering) => Some(lingering.deadline()),
            Stage::Relaying(relay) => relay.deadline(),
            Stage::Gone => None,
        }
    }

    /// Takes a turn.
    ///
    /// # Errors
    ///
    /// An output failed; the connection's own troubles end the connection.
    pub fn turn(&mut self, shared: &Shared, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Asking(opening) => self.ask(opening, shared, runtime, now)?,
            other => other,
        };
        self.stage = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Reaching(reaching) => self.reach(reaching, shared, runtime, now)?,
            other => other,
        };
        self.stage = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Relaying(relay) => self.relay(relay, shared, runtime, now)?,
            Stage::Leaving(mut lingering) => match lingering.turn(&mut runtime.buffers, now) {
                true => Stage::Gone,
                false => Stage::Leaving(lingering),
            },
            other => other,
        };
        Ok(())
    }

    /// Takes the client's request as far as it has come.
    fn ask(
        &mut self,
        mut opening: Box<ServerOpening>,
        shared: &Shared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        let (mut outputs, buffers) = runtime.outputs_and_buffers();
        let mut elsewhere = |_: &Head| HandshakeAnswer::Elsewhere;
        match opening.advance(&mut elsewhere, buffers, &mut outputs, now)? {
            OpeningProgress::Asked(request) => {
                let rules = shared.intervening.rules.as_ref();
                let rejected = rules.and_then(|rules| rules.borrow().reject(request.raw()));
                if let Some((rule, status)) = rejected {
                    let why = format!("rule {rule} rejects this request");
                    let link = opening.into_parts().0;
                    return self.answer(link, status, &why, runtime, now);
                }
                let config = &shared.config.open;
                let way = ClientOpening::way(config, self.server_slot, self.id, runtime, now);
                let client = opening.into_parts();
                Ok(Stage::Reaching(Box::new(Reaching { client, request, way })))
            }
            OpeningProgress::Refused { why, then, .. } => {
                outputs.report(self.id, &Event::Failed(&why))?;
                let who = peer_name(self.address);
                runtime.remark(self.id, &format!("{who} was not accepted: {why}"));
                Ok(match then {
                    Then::End => leaving(opening.into_parts().0, now),
                    Then::Drop | Then::Reset | Then::Nothing => Stage::Gone,
                })
            }
            OpeningProgress::Pending | OpeningProgress::Accepted(_) => Ok(Stage::Asking(opening)),
        }
    }

    /// Goes on with the way to the server, and passes the request on at its end.
    fn reach(
        &mut self,
        mut reaching: Box<Reaching>,
        shared: &Shared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        let server = match reaching.way.advance_way(runtime, now) {
            Ok(Some(link)) => link,
            Ok(None) => return Ok(Stage::Reaching(reaching)),
            Err(OpenError::Local(error)) => return Err(error),
            Err(error) => {
                let link = reaching.client.0;
                return self.unreachable(link, &error, &mut reaching.way, runtime, now);
            }
        };
        let Reaching { client, request, mut way } = *reaching;
        let last = !asks_for_websocket(&request);
        let request = match shared.config.forwarding.apply(&request, last) {
            Some(changed) => {
                runtime.report(self.id, &Event::Note("the request is passed on as:"))?;
                runtime.report(self.id, &Event::Head(Direction::ToServer, &changed))?;
                changed
            }
            None => request,
        };
        let evidence = std::mem::take(way.evidence());
        let (id, memory) = (self.id, &shared.memory);
        let mut intervening = shared.intervening.clone();
        let faults = &shared.config.faults;
        intervening.faults = [Role::Client, Role::Server]
            .map(|role| faults[Direction::sent_by(role) as usize].of(id.0, role));
        let setup = RelaySetup { id, client, server, request, evidence, memory, intervening };
        let mut relay = Box::new(Relay::new(setup, now));
        if let Some(received) = &shared.received {
            for role in [Role::Client, Role::Server] {
                let expect = Expect::new(received).towards(Direction::sent_by(role));
                relay.leg_mut(role).add(expect);
            }
        }
        Ok(Stage::Relaying(relay))
    }

    /// The server can't be asked: the client gets a 502, and the diagnosis is that of a client.
    fn unreachable(
        &self,
        link: Link,
        error: &OpenError,
        way: &mut ClientOpening,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        let found = way.evidence().explain(error);
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default();
        let stage = self.bad_gateway(link, why, runtime, now)?;
        runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)?;
        Ok(stage)
    }

    /// "a server, while acting as a gateway or proxy, received an invalid response from an inbound
    /// server it accessed" (RFC 9110 §15.6.3), or none.
    fn bad_gateway(
        &self,
        link: Link,
        why: &str,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        self.answer(link, 502, why, runtime, now)
    }

    /// Answers the client's request here.
    fn answer(
        &self,
        mut link: Link,
        status: u16,
        why: &str,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        let refusal = Refusal::new(status, &[], format!("wscope proxy: {why}"));
        report_response(self.id, &refusal.response, &mut runtime.outputs_and_buffers().0)?;
        runtime.report(self.id, &Event::Failed(&format!("answered {status}: {why}")))?;
        runtime.remark(self.id, &format!("{} got {status}: {why}", peer_name(self.address)));
        link.tx.extend_from_slice(&refusal.response);
        Ok(leaving(link, now))
    }

    /// Passes on what can be passed on now.
    fn relay(
        &mut self,
        mut relay: Box<Relay>,
        shared: &Shared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Stage> {
        let awaited = *relay.answer() == Answer::Awaited;
        relay.turn(runtime, now)?;
        if *relay.answer() == Answer::Missing {
            let (why, found) = match relay.has_client_left() {
                true => ("the client ended its stream before a response came", Vec::new()),
                false => {
                    let mut found = relay.evidence().explain(&OpenError::Closed { received: 0 });
                    found.truncate(1);
                    ("the server closed the connection without a response", found)
                }
            };
            let stage = self.bad_gateway(relay.into_client(), why, runtime, now)?;
            runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)?;
            return Ok(stage);
        }
        if awaited && *relay.answer() == Answer::Switched {
            let target = relay.request().request_line().map_or(&b"/"[..], |line| line.target);
            let text = format!("{} {}: open", peer_name(self.address), escaped(target));
            runtime.remark(self.id, &text);
        }
        if !relay.is_over() {
            return Ok(Stage::Relaying(relay));
        }
        self.end(&relay, shared, runtime, now)?;
        Ok(Stage::Gone)
    }

    /// Reports the end.
    fn end(
        &self,
        relay: &Relay,
        shared: &Shared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let upgrade = asks_for_websocket(relay.request());
        let status = match relay.answer() {
            Answer::Switched => {
                let ending = relay.ending(now);
                if let Some(received) = &shared.received {
                    let code = ending::seen_code(&ending);
                    received.queue.borrow_mut().push_end(self.id, code);
                }
                runtime.remark(self.id, &ending::describe(&ending));
                if let Some(text) = relay.who_broke_it(&ending) {
                    runtime.report(self.id, &Event::Note(&text))?;
                    runtime.remark(self.id, &text);
                }
                runtime.report(self.id, &Event::End(&ending))?;
                for role in [Role::Client, Role::Server] {
                    let found = relay.explain(role, &ending, now);
                    runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)?;
                }
                return Ok(());
            }
            Answer::Status(status) => format!("the server answered {}", escaped(status.as_bytes())),
            Answer::Unreadable => "the server's response was not HTTP".to_owned(),
            Answer::Awaited | Answer::Missing => {
                "the connection ended before a response".to_owned()
            }
        };
        let bytes = relay.leg(Role::Server).inbound().offset();
        let text = format!("{status}; {} in all", number::counted(bytes, "byte"));
        if !upgrade {
            return runtime.report(self.id, &Event::Passed(&text));
        }
        runtime.report(self.id, &Event::Failed(&text))?;
        runtime.remark(self.id, &text);
        let found = relay.explain_refusal();
        runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)
    }
}

/// Sends what waits and ends our side.
fn leaving(link: Link, now: Instant) -> Stage {
    let lingering = Lingering::begin(link, now);
    lingering.map_or(Stage::Gone, |lingering| Stage::Leaving(Box::new(lingering)))
}
