//! One client of a server, from its accepted socket to the last byte.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::client_script::ClientScript;
use super::explain;
use super::shared::ListenShared;
use super::upstream::Upstream;
use crate::behaviour::broadcast::Broadcast;
use crate::behaviour::echo::Echo;
use crate::behaviour::exec::Exec;
use crate::behaviour::faults::FaultInjector;
use crate::behaviour::mock::Mock;
use crate::behaviour::payload::PayloadWriter;
use crate::behaviour::reply::Reply;
use crate::behaviour::stop::Stop;
use crate::config::ListenBehaviour;
use crate::diagnostics::Wish;
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::crowd::{Arrival, Member};
use crate::engine::lingering::Lingering;
use crate::engine::opening::server::{
    AcceptedRequest, HandshakeAnswer, OpeningProgress, ServerOpening, Then, peer_name,
};
use crate::engine::runtime::Runtime;
use crate::engine::slots::{Slot, SlotPart, token};
use crate::event::{ConnId, Event};
use crate::net::child::{Child, Dying};
use crate::net::link::Link;
use crate::script::runner::{Expect, ScriptSetup};
use crate::session::Observer;
use crate::session::endpoint::SendError;
use crate::ui::ending;
use crate::wire::close::fit_reason;
use crate::wire::handshake::server::respond;
use crate::wire::head::Head;
use crate::wire::{Data, Role};

/// How long a client stays connected if a fault sends no answer.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(3600);

/// One client.
pub struct Client {
    id: ConnId,
    /// Its address; `None` on a Unix socket.
    address: Option<SocketAddr>,
    slot: Slot,
    stage: ClientStage,
    /// A line that describes it, once known.
    about: Box<str>,
    /// Its faults, until the connection is open.
    injector: Option<Box<FaultInjector>>,
    /// It connected in the middle of a message to all clients, so it can't get the rest of that
    /// message.
    late: bool,
    /// What it wanted but did not get.
    wish: Option<Box<Wish>>,
    /// The server that answers messages that the recording does not have.
    upstream: Option<Box<Upstream>>,
}

/// The state of a client.
enum ClientStage {
    /// The opening handshake.
    Opening(Box<ServerOpening>),
    /// The connection is open.
    Open(Box<Connection>),
    /// Everything has been sent; waits for the client's end.
    Leaving(Box<Lingering>),
    /// It can be dropped.
    Gone,
}

impl Member for Client {
    fn id(&self) -> ConnId {
        self.id
    }

    fn is_gone(&self) -> bool {
        matches!(self.stage, ClientStage::Gone)
    }

    fn wants_turn(&self, runtime: &Runtime) -> bool {
        match &self.stage {
            ClientStage::Opening(opening) => opening.wants_turn(),
            ClientStage::Open(connection) => {
                connection.wants_turn(&runtime.stdout, &runtime.reporter)
                    || self.upstream.as_ref().is_some_and(|upstream| upstream.wants_turn(runtime))
            }
            ClientStage::Leaving(lingering) => lingering.wants_turn(),
            ClientStage::Gone => false,
        }
    }

    fn is_stalled(&self, runtime: &Runtime) -> bool {
        self.connection().is_some_and(|connection| {
            connection.waits_for_outputs(&runtime.stdout, &runtime.reporter)
        })
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            ClientStage::Opening(opening) => Some(opening.deadline()),
            ClientStage::Open(connection) => match &self.upstream {
                None => connection.deadline(),
                Some(upstream) => {
                    connection.deadline().into_iter().chain(upstream.deadline()).min()
                }
            },
            ClientStage::Leaving(lingering) => Some(lingering.deadline()),
            ClientStage::Gone => None,
        }
    }
}

impl Client {
    /// Takes over an accepted socket, which waits for its first turn.
    pub fn new(arrival: Arrival, shared: &ListenShared, now: Instant) -> Self {
        let Arrival { id, address, slot, link, excess } = arrival;
        let config = &shared.config;
        let (limits, timeout) = (config.limits, config.handshake_timeout);
        let mut opening = ServerOpening::new(id, address, link, limits, timeout, now);
        if let Some(most) = excess {
            opening.turn_away("server", most);
        }
        Self {
            id,
            address,
            slot,
            stage: ClientStage::Opening(Box::new(opening)),
            about: Box::default(),
            injector: FaultInjector::of(config.faults.of(id.0, Role::Server)),
            late: false,
            wish: None,
            upstream: None,
        }
    }

    /// Describes it: address, path, user agent, what was agreed. Safe for a terminal.
    pub fn about(&self) -> String {
        match &*self.about {
            "" => peer_name(self.address),
            about => about.to_owned(),
        }
    }

    /// Its state, in words.
    pub fn state(&self) -> &'static str {
        match &self.stage {
            ClientStage::Opening(opening) if opening.is_securing() => "in the TLS handshake",
            ClientStage::Opening(_) => "in the opening handshake",
            ClientStage::Open(connection) if connection.is_open() => "open",
            ClientStage::Open(_) => "closing",
            ClientStage::Leaving(_) | ClientStage::Gone => "leaving",
        }
    }

    /// Its connection, if it is open.
    pub fn connection(&self) -> Option<&Connection> {
        match &self.stage {
            ClientStage::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Its connection, if it is open, to send or to change something.
    pub fn connection_mut(&mut self) -> Option<&mut Connection> {
        match &mut self.stage {
            ClientStage::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Whether messages can be sent to it.
    pub fn is_open(&self) -> bool {
        self.connection().is_some_and(Connection::is_open)
    }

    /// Whether it gets this piece of a message to all clients: not the rest of a message whose
    /// beginning it missed.
    pub fn takes_piece(&mut self, last: bool) -> bool {
        let late = self.late;
        self.late &= !last;
        !late && self.is_open()
    }

    /// Closes the connection; drops it if it is not open yet.
    ///
    /// # Errors
    ///
    /// The code may not be sent, the reason is too long, or it is closing already.
    pub fn close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        now: Instant,
    ) -> Result<(), SendError> {
        match &mut self.stage {
            ClientStage::Open(connection) => connection.sender(now).close(code, reason),
            ClientStage::Leaving(_) | ClientStage::Gone => Err(SendError::NotOpen),
            ClientStage::Opening(_) => {
                self.stage = ClientStage::Gone;
                Ok(())
            }
        }
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        match &mut self.stage {
            ClientStage::Open(connection) => connection.drop_connection(),
            _ => self.stage = ClientStage::Gone,
        }
    }

    /// Notes a report of the poll about a part of it.
    pub fn ready(&mut self, part: SlotPart, event: Option<&mio::event::Event>) {
        match (&mut self.stage, part, event) {
            (ClientStage::Opening(opening), SlotPart::Socket, Some(event)) => {
                opening.link.ready(event)
            }
            (ClientStage::Open(connection), SlotPart::Socket, Some(event)) => {
                connection.ready(event)
            }
            (ClientStage::Leaving(lingering), SlotPart::Socket, Some(event)) => {
                lingering.ready(event)
            }
            (ClientStage::Open(connection), SlotPart::Pipe(pipe), _) => connection.pipe_ready(pipe),
            _ => {}
        }
    }

    /// Takes a turn. `amid_message`: a message to all clients is incomplete.
    ///
    /// # Errors
    ///
    /// An output failed. Errors of the connection itself only end the connection.
    pub fn turn(
        &mut self,
        shared: &mut ListenShared,
        runtime: &mut Runtime,
        amid_message: bool,
        now: Instant,
    ) -> io::Result<()> {
        if matches!(self.stage, ClientStage::Opening(_)) {
            self.advance(shared, runtime, amid_message, now)?;
        }
        if let ClientStage::Open(connection) = &mut self.stage {
            runtime.give_turn(connection, now)?;
            if let (Some(upstream), Some(upstreams)) = (&mut self.upstream, &mut shared.upstreams)
                && let Some((code, why)) = upstream.turn(upstreams, runtime, now)?
            {
                runtime.remark(self.id, &format!("--to: {why}"));
                // If it is already closing, no Close is needed.
                let _ = connection.sender(now).close(Some(code.into()), fit_reason(&why));
            }
            if connection.is_over() {
                self.end(shared, runtime, now)?;
            }
        }
        if let ClientStage::Leaving(lingering) = &mut self.stage
            && lingering.turn(&mut runtime.buffers, now)
        {
            self.stage = ClientStage::Gone;
        }
        Ok(())
    }

    /// Notes a report of the poll about its connection to the server that answers for a recording.
    pub fn upstream_ready(&mut self, event: &mio::event::Event) {
        self.upstream.iter_mut().for_each(|upstream| upstream.ready(event));
    }

    /// Whether another thread may have a result for it.
    pub fn awaits_thread(&self) -> bool {
        self.upstream.as_ref().is_some_and(|upstream| upstream.is_opening())
    }

    /// Continues the opening handshake as far as possible.
    #[inline(never)]
    fn advance(
        &mut self,
        shared: &mut ListenShared,
        runtime: &mut Runtime,
        amid_message: bool,
        now: Instant,
    ) -> io::Result<()> {
        let ClientStage::Opening(mut opening) =
            std::mem::replace(&mut self.stage, ClientStage::Gone)
        else {
            return Ok(());
        };
        let (injector, server) = (&self.injector, &shared.config.server);
        let mut respond = |head: &Head| answer(head, server, injector.as_deref());
        let (mut outputs, buffers) = runtime.outputs_and_buffers();
        match opening.advance(&mut respond, buffers, &mut outputs, now)? {
            // This server answers every request itself.
            OpeningProgress::Pending | OpeningProgress::Asked(_) | OpeningProgress::Socks => {
                self.stage = ClientStage::Opening(opening);
                Ok(())
            }
            OpeningProgress::Accepted(request) => {
                let (link, inbound) = opening.into_parts();
                self.late = amid_message;
                self.open(link, inbound, request, shared, runtime, now)
            }
            OpeningProgress::Refused { why, answer, securing, then } => {
                outputs.report(self.id, &Event::Failed(&why))?;
                let who = peer_name(self.address);
                runtime.remark(self.id, &format!("{who} was not accepted: {why}"));
                explain::refused(self.id, &mut opening, answer.as_deref(), securing, runtime)?;
                let (mut link, _) = opening.into_parts();
                let leaving = match then {
                    Then::End => Lingering::begin(link, now),
                    Then::Nothing => Lingering::silent(link, SILENCE_TIMEOUT, now),
                    Then::Drop => None,
                    Then::Reset => {
                        // Whatever the result, nothing more is sent.
                        let _ = link.flush();
                        link.abort();
                        None
                    }
                };
                self.stage = leaving.map_or(ClientStage::Gone, |lingering| {
                    ClientStage::Leaving(Box::new(lingering))
                });
                Ok(())
            }
        }
    }

    /// Continues with frames.
    fn open(
        &mut self,
        link: Link,
        inbound: Observer,
        request: AcceptedRequest,
        shared: &mut ListenShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let AcceptedRequest { agreed, about, path, wish } = request;
        self.wish = wish;
        runtime.remark(self.id, &format!("joined: {about}"));
        // Completion and /clients show this text without a sink, so it is redacted here.
        self.about = runtime.reporter.redactor().text(&about).into();
        shared.membership_epoch += 1;
        let config = &shared.config;
        let looks = runtime.reporter.looks_at_frames();
        let setup = ConnectionSetup {
            limits: config.limits,
            observed: looks,
            // A client that leaves without a Close, or without what it waited for, is explained.
            evidence: looks || runtime.reporter.prints_warnings(),
            backlog: &shared.backlog,
            ..ConnectionSetup::new(self.id, &agreed, Some(&config.endpoint), &shared.memory)
        };
        let head = link.tx.len();
        let mut connection = Box::new(Connection::new(link, inbound, &setup, now));
        if let Some(mut injector) = self.injector.take() {
            injector.begin(&agreed, head, now);
            connection.interfere(injector, &mut runtime.outputs_and_buffers().0, now)?;
        }
        if let Some(received) = &shared.received {
            connection.add(Expect::new(received));
        }
        let setup = ScriptSetup::of(&config.traffic, None, "");
        if let (Some(script), Some(setup)) = (&shared.script, setup) {
            let runner = setup.runner_of_client(script.clone(), self.id);
            connection.add(Expect::new(runner.received()));
            shared.scripts.push(ClientScript::new(self.id, runner));
        }
        if let Some(payload) = PayloadWriter::new(shared.sink, Role::Server, &shared.half_written) {
            connection.add(payload);
        }
        match &config.answer {
            ListenBehaviour::Nothing => {}
            ListenBehaviour::Echo => connection.add(Echo::default()),
            ListenBehaviour::Replay(_) => {
                let upstream = |_: &_| Upstream::new(self.slot, agreed.subprotocol.as_deref());
                self.upstream = shared.upstreams.as_ref().map(upstream).map(Box::new);
                let passage = self.upstream.as_ref().map(|upstream| upstream.passage());
                if let Some(script) = &shared.mock {
                    connection.add(Mock::new(script, passage));
                }
            }
            ListenBehaviour::Broadcast => connection.add(Broadcast::new(&shared.posts)),
            ListenBehaviour::Reply(text) => connection.add(Reply {
                opcode: if config.traffic.binary { Data::Binary } else { Data::Text },
                content: Rc::clone(shared.reply.get_or_insert_with(|| text.as_bytes().into())),
            }),
            ListenBehaviour::Exec { command, raw } => {
                let subprotocol = agreed.subprotocol.as_deref().unwrap_or_default();
                match self.spawn(command, &path, subprotocol, runtime) {
                    Ok(child) => connection.add(Exec::new(child, *raw, config.traffic.binary)),
                    Err(error) => {
                        let fault = format!("--exec: {error}");
                        runtime.notifier.of(self.id.0, &fault);
                        connection.fail(&fault, now);
                    }
                }
            }
        }
        if let Some(stop) = &shared.stop {
            connection.add(Stop::new(stop));
        }
        if let Some(greeting) = &shared.greeting {
            connection.add(greeting.begin());
        }
        self.stage = ClientStage::Open(connection);
        Ok(())
    }

    fn spawn(
        &self,
        command: &str,
        path: &str,
        subprotocol: &str,
        runtime: &Runtime,
    ) -> io::Result<Child> {
        use crate::engine::behaviour::Pipe;
        let (conn, peer) = (self.id.0.to_string(), peer_name(self.address));
        let variables = [
            ("WSCOPE_CONN", conn.as_str()),
            ("WSCOPE_PEER", &peer),
            ("WSCOPE_PATH", path),
            ("WSCOPE_SUBPROTOCOL", subprotocol),
        ];
        let tokens = [Pipe::Stdin, Pipe::Stdout].map(|pipe| token(self.slot, SlotPart::Pipe(pipe)));
        Child::spawn(command, &variables, runtime.registry(), tokens)
    }

    /// Reports the end of an open connection, and begins to end the transport.
    #[cold]
    fn end(
        &mut self,
        shared: &mut ListenShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let ClientStage::Open(mut connection) =
            std::mem::replace(&mut self.stage, ClientStage::Gone)
        else {
            return Ok(());
        };
        let id = self.id;
        if let (Some(mut upstream), Some(upstreams)) = (self.upstream.take(), &mut shared.upstreams)
        {
            upstream.leave(runtime, upstreams, now);
        }
        let dying = connection.end_behaviours(now);
        let command = dying.iter().find_map(Dying::ended);
        shared.dying.extend(dying.into_iter().map(|dying| (id, dying)));
        if let Some(end) = command {
            runtime.report(id, &Event::CommandEnded(end))?;
        }
        let ending = connection.ending(now);
        runtime.report(self.id, &Event::End(&ending))?;
        let command = command.map(|end| format!("; {end}")).unwrap_or_default();
        runtime.remark(self.id, &format!("left: {}{command}", ending::describe(&ending)));
        explain::ended(&connection, &ending, self.wish.as_deref(), runtime, now)?;
        let script = shared.scripts.iter().find(|script| script.id == id);
        let received = shared.received.as_ref();
        if let Some(received) = script.map(|script| script.runner.received()).or(received) {
            received.queue.borrow_mut().push_end(id, ending::seen_code(&ending));
        }
        shared.ended = Some(ending);
        shared.membership_epoch += 1;
        let (link, in_order) = connection.into_link();
        if in_order && let Some(lingering) = Lingering::begin(link, now) {
            self.stage = ClientStage::Leaving(Box::new(lingering));
        }
        Ok(())
    }
}

/// Answers a request, according to the configuration and the faults.
fn answer(
    head: &Head,
    server: &crate::wire::handshake::server::ServerConfig,
    injector: Option<&FaultInjector>,
) -> HandshakeAnswer {
    let answered = match injector {
        Some(injector) => respond(head, &injector.config(server)),
        None => respond(head, server),
    };
    match (answered, injector) {
        (Err(refusal), _) => HandshakeAnswer::Refuse(refusal),
        (Ok(accepted), None) => HandshakeAnswer::Accept(accepted, Vec::new()),
        (Ok(mut accepted), Some(injector)) => match injector.answer(head, &mut accepted) {
            Ok(notes) => HandshakeAnswer::Accept(accepted, notes),
            Err(wrong) => HandshakeAnswer::Wrong(wrong),
        },
    }
}
