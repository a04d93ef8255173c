//! One connection on its two legs, from the client's socket to the last byte.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use super::socks::{Socks, SocksProgress, reply_of};
use super::tunnel::{Tunnel, TunnelContent};
use super::wanted::{Wanted, server};
use crate::config::{ForwardConfig, OpenConfig, ProxyConfig};
use crate::engine::crowd::{Arrival, Member};
use crate::engine::lingering::Lingering;
use crate::engine::memory::Budget;
use crate::engine::open_error::OpenError;
use crate::engine::opening::server::{
    HandshakeAnswer, OpeningProgress, ServerOpening, Then, peer_name, report_response,
};
use crate::engine::opening::{ClientOpening, Opening as _};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::relay::{
    Gate, Intervening, Relay, RelayClose, RelaySetup, UpstreamAnswer, asks_for_websocket,
};
use crate::engine::runtime::Runtime;
use crate::engine::slots::Slot;
use crate::event::{ConnId, Direction, Event, PASSED_ON};
use crate::net::authority::Authority;
use crate::net::link::{Link, SocketLink};
use crate::net::proxy::Destination;
use crate::net::target::Target;
use crate::script::runner::{Expect, Inbox};
use crate::session::{Limits, Observer};
use crate::ui::sanitize::escaped;
use crate::ui::{ending, number};
use crate::wire::Role;
use crate::wire::close::CloseBody;
use crate::wire::handshake::server::Refusal;
use crate::wire::head::{Forwarding, Head, HeadKind};
use crate::wire::socks::{self, SocksReply};

/// The answer that begins a tunnel.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// The data that all connections share.
pub struct ProxyShared {
    /// The configuration.
    pub config: ProxyConfig,
    /// The limit for queued data in memory.
    pub memory: Rc<Budget>,
    /// The interventions.
    pub intervening: Intervening,
    /// The messages for `/expect`, if lines are run.
    pub received: Option<Rc<Inbox>>,
    /// The addresses on which this proxy listens.
    pub own: Rc<[SocketAddr]>,
    /// Issues the certificates of the servers whose TLS is decrypted.
    pub authority: Option<RefCell<Authority>>,
}

/// One connection.
pub struct ProxyPair {
    id: ConnId,
    /// The client's address; `None` on a Unix socket.
    address: Option<SocketAddr>,
    /// The slot of the tokens of the server's leg.
    server_slot: Slot,
    /// The server that the client has named, if clients name servers.
    to: Option<Box<str>>,
    /// The description of data that is forwarded undecoded.
    unseen: &'static str,
    stage: PairStage,
}

/// The state of a connection.
enum PairStage {
    /// Reads the client's TLS and request.
    Asking(Box<Asking>),
    /// The client names the server with SOCKS.
    Socks(Box<Socks>),
    /// Connects to the server, while the client waits.
    Reaching(Box<Reaching>),
    /// The tunnel is open, and its content is unknown.
    Tunnel(Box<Tunnel>),
    /// Bytes are forwarded.
    Relaying(Box<Relay>),
    /// The client has got the last data; waits for the client's end.
    Leaving(Box<Lingering>),
    /// It can be dropped.
    Gone,
}

/// A client that has not sent its request yet, perhaps inside a tunnel.
struct Asking {
    opening: ServerOpening,
    inside: Option<DecryptedTunnel>,
}

/// A tunnel whose server is connected and waits for the request.
struct DecryptedTunnel {
    way: ClientOpening,
    server: Box<SocketLink>,
    /// The host of the TLS connection, if TLS is used.
    tls: Option<String>,
}

/// A client, and the opening to its server.
struct Reaching {
    client: Waiting,
    way: ClientOpening,
}

/// A client that waits for the connection to the server.
enum Waiting {
    /// With a request to forward.
    Request { link: Link, inbound: Observer, request: Head, forwarding: Forwarding },
    /// For a tunnel.
    Tunnel { link: SocketLink, destination: Destination, asked: AskedBy },
}

/// How a client has requested a tunnel, and how it gets the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedBy {
    /// CONNECT of HTTP.
    Connect,
    /// SOCKS5.
    Socks,
    /// The client has not requested a tunnel: the system redirected its connection.
    Redirection,
}

impl Member for ProxyPair {
    fn id(&self) -> ConnId {
        self.id
    }

    fn is_gone(&self) -> bool {
        matches!(self.stage, PairStage::Gone)
    }

    fn wants_turn(&self, runtime: &Runtime) -> bool {
        match &self.stage {
            PairStage::Asking(asking) => asking.opening.wants_turn(),
            PairStage::Socks(socks) => socks.wants_turn(),
            PairStage::Tunnel(tunnel) => tunnel.wants_turn(),
            PairStage::Reaching(reaching) => reaching.way.wants_turn(),
            PairStage::Relaying(relay) => relay.wants_turn(runtime),
            PairStage::Leaving(lingering) => lingering.wants_turn(),
            PairStage::Gone => false,
        }
    }

    fn is_stalled(&self, runtime: &Runtime) -> bool {
        matches!(&self.stage, PairStage::Relaying(relay) if relay.waits_for_outputs(runtime))
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            PairStage::Asking(asking) => Some(asking.opening.deadline()),
            PairStage::Socks(socks) => Some(socks.until),
            PairStage::Tunnel(tunnel) => Some(tunnel.until),
            PairStage::Reaching(reaching) => reaching.way.deadline(),
            PairStage::Leaving(lingering) => Some(lingering.deadline()),
            PairStage::Relaying(relay) => relay.deadline(),
            PairStage::Gone => None,
        }
    }
}

impl ProxyPair {
    /// Takes over an accepted socket, which waits for its first turn.
    pub fn new(arrival: Arrival, server_slot: Slot, shared: &ProxyShared, now: Instant) -> Self {
        let Arrival { id, address, link, excess, .. } = arrival;
        let timeout = shared.config.open.handshake_timeout;
        let mut opening = ServerOpening::new(id, address, link, Limits::default(), timeout, now);
        if let Some(most) = excess {
            opening.turn_away("proxy", most);
        }
        if shared.config.forward.is_some() {
            opening = opening.of_proxy();
        }
        let stage = PairStage::Asking(Box::new(Asking { opening, inside: None }));
        Self { id, address, server_slot, to: None, unseen: "", stage }
    }

    /// Whether frames are forwarded.
    pub fn is_open(&self) -> bool {
        matches!(&self.stage, PairStage::Relaying(relay) if *relay.answer() == UpstreamAnswer::Switched)
    }

    /// The gate of a direction.
    pub fn gate(&self, direction: Direction) -> Option<&Gate> {
        match &self.stage {
            PairStage::Relaying(relay) => relay.gate(direction),
            _ => None,
        }
    }

    /// The gate of a direction, to change it.
    pub fn gate_mut(&mut self, direction: Direction) -> Option<&mut Gate> {
        match &mut self.stage {
            PairStage::Relaying(relay) => relay.gate_mut(direction),
            _ => None,
        }
    }

    /// Closes both directions, if frames are forwarded. Returns whether both were open.
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
        let PairStage::Relaying(relay) = &mut self.stage else { return Ok(false) };
        let gates = [Direction::ToServer, Direction::ToClient].map(|way| relay.gate(way));
        if gates.into_iter().any(|gate| gate.is_none_or(|gate| !gate.endpoint().is_open())) {
            return Ok(false);
        }
        let close = RelayClose { rule: None, body: body.clone() };
        relay.close(close, runtime, now).map(|()| true)
    }

    /// Describes it: the client's address, and its request. Safe for a terminal.
    pub fn about(&self) -> String {
        let peer = match &self.to {
            Some(to) => format!("{} {to}", peer_name(self.address)),
            None => peer_name(self.address),
        };
        match &self.stage {
            PairStage::Relaying(relay) if *relay.answer() != UpstreamAnswer::Blind => {
                let line = relay.request().request_line();
                let target = escaped(line.map_or(&b"/"[..], |line| line.target));
                format!("{peer} {target}")
            }
            _ => peer,
        }
    }

    /// Its state, in words.
    pub fn state(&self) -> &'static str {
        match &self.stage {
            PairStage::Asking(_) | PairStage::Socks(_) => "in the opening handshake",
            PairStage::Tunnel(_) => "a tunnel, waiting for its first bytes",
            PairStage::Reaching(_) => "connecting to the server",
            PairStage::Relaying(relay) => match relay.answer() {
                UpstreamAnswer::Switched => "open",
                UpstreamAnswer::Blind => "a tunnel",
                UpstreamAnswer::Awaited => "waiting for the server's response",
                _ => "passing a response",
            },
            PairStage::Leaving(_) | PairStage::Gone => "leaving",
        }
    }

    /// The number of bytes that wait for one of the ends.
    pub fn backlog(&self) -> usize {
        match &self.stage {
            PairStage::Relaying(relay) => relay.backlog(),
            _ => 0,
        }
    }

    /// Ends both legs at once.
    pub fn drop_connection(&mut self) {
        match &mut self.stage {
            PairStage::Relaying(relay) => relay.drop_connection(),
            _ => self.stage = PairStage::Gone,
        }
    }

    /// Notes a report of the poll about a leg.
    pub fn ready(&mut self, role: Role, event: &mio::event::Event) {
        match (&mut self.stage, role) {
            (PairStage::Asking(asking), Role::Client) => asking.opening.link.ready(event),
            (PairStage::Asking(asking), Role::Server) => {
                asking.inside.iter_mut().for_each(|inside| inside.server.ready(event));
            }
            (PairStage::Socks(socks), Role::Client) => socks.link.ready(event),
            (PairStage::Tunnel(tunnel), Role::Client) => tunnel.client.ready(event),
            (PairStage::Tunnel(tunnel), Role::Server) => tunnel.server.ready(event),
            (PairStage::Reaching(reaching), Role::Client) => match &mut reaching.client {
                Waiting::Request { link, .. } => link.ready(event),
                Waiting::Tunnel { link, .. } => link.ready(event),
            },
            (PairStage::Reaching(reaching), Role::Server) => reaching.way.ready(event),
            (PairStage::Relaying(relay), role) => relay.leg_mut(role).ready(event),
            (PairStage::Leaving(lingering), Role::Client) => lingering.ready(event),
            _ => {}
        }
    }

    /// Whether a thread looks up a name or connects; no event of a socket reports its result.
    pub fn is_reaching(&self) -> bool {
        matches!(self.stage, PairStage::Reaching(_))
    }

    /// Takes a turn.
    ///
    /// # Errors
    ///
    /// An output failed. Errors of the connection itself only end the connection.
    pub fn turn(
        &mut self,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let mut again = true;
        while std::mem::take(&mut again) {
            self.stage = match std::mem::replace(&mut self.stage, PairStage::Gone) {
                PairStage::Asking(asking) => self.ask(asking, shared, runtime, now)?,
                other => other,
            };
            self.stage = match std::mem::replace(&mut self.stage, PairStage::Gone) {
                PairStage::Socks(socks) => self.ask_by_socks(socks, shared, runtime, now)?,
                other => other,
            };
            self.stage = match std::mem::replace(&mut self.stage, PairStage::Gone) {
                PairStage::Reaching(reaching) => self.reach(reaching, shared, runtime, now)?,
                other => other,
            };
            self.stage = match std::mem::replace(&mut self.stage, PairStage::Gone) {
                PairStage::Tunnel(tunnel) => {
                    let next = self.look_into(tunnel, shared, runtime, now)?;
                    // The received data may already contain a whole request.
                    again = matches!(next, PairStage::Asking(_));
                    next
                }
                other => other,
            };
        }
        self.stage = match std::mem::replace(&mut self.stage, PairStage::Gone) {
            PairStage::Relaying(relay) => self.relay(relay, shared, runtime, now)?,
            PairStage::Leaving(mut lingering) => match lingering.turn(&mut runtime.buffers, now) {
                true => PairStage::Gone,
                false => PairStage::Leaving(lingering),
            },
            other => other,
        };
        Ok(())
    }

    /// Reads the client's request as far as it has arrived.
    fn ask(
        &mut self,
        mut asking: Box<Asking>,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let forward = shared.config.forward.as_ref();
        if asking.inside.is_none() && forward.is_some_and(|forward| forward.transparent) {
            return self.redirected(asking.opening.into_socket().0, shared, runtime, now);
        }
        let (mut outputs, buffers) = runtime.outputs_and_buffers();
        let mut elsewhere = |_: &Head| HandshakeAnswer::Elsewhere;
        match asking.opening.advance(&mut elsewhere, buffers, &mut outputs, now)? {
            OpeningProgress::Asked(request) => {
                let rules = shared.intervening.rules.as_ref();
                let rejected = rules.and_then(|rules| rules.borrow().reject(request.raw()));
                if let Some((rule, status)) = rejected {
                    let why = format!("rule {rule} rejects this request");
                    let link = asking.opening.into_parts().0;
                    return self.answer(link, status, &why, runtime, now);
                }
                let Asking { opening, inside } = *asking;
                match (inside, &shared.config.forward) {
                    (Some(inside), _) => {
                        self.asked_inside(opening, inside, request, shared, runtime, now)
                    }
                    (None, Some(forward)) => {
                        self.asked_proxy(opening, request, forward, shared, runtime, now)
                    }
                    (None, None) => {
                        let target = shared.config.open.target.clone();
                        let forwarding = shared.config.forwarding.clone();
                        let (link, inbound) = opening.into_parts();
                        let client = Waiting::Request { link, inbound, request, forwarding };
                        Ok(self.reaching(client, target, shared, runtime, now))
                    }
                }
            }
            OpeningProgress::Socks => {
                let until = asking.opening.deadline();
                let link = asking.opening.into_socket().0;
                Ok(PairStage::Socks(Box::new(Socks::new(link, until))))
            }
            OpeningProgress::Refused { why, then, securing, .. } => {
                let begun = asking
                    .opening
                    .inbound
                    .partial_head()
                    .is_some_and(|head| !head.raw().is_empty());
                if asking.inside.is_some() && !securing && !begun {
                    // Browsers open tunnels that they then do not use.
                    runtime
                        .report(self.id, &Event::Passed(&format!("no request arrived: {why}")))?;
                    let mut link = asking.opening.into_parts().0;
                    link.drop_unsent();
                    return Ok(leaving(link, now));
                }
                let found = match asking.inside.is_some() && securing {
                    true => asking.opening.explain_tls(true),
                    false => Vec::new(),
                };
                self.failed(&why, runtime)?;
                runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)?;
                for found in &found {
                    runtime.remark(self.id, &format!("{}; {}", found.title, found.help));
                }
                Ok(match then {
                    Then::End => leaving(asking.opening.into_parts().0, now),
                    Then::Drop | Then::Reset | Then::Nothing => PairStage::Gone,
                })
            }
            OpeningProgress::Pending | OpeningProgress::Accepted(_) => {
                Ok(PairStage::Asking(asking))
            }
        }
    }

    /// Reports that the tunnel was not used.
    fn failed(&self, why: &str, runtime: &mut Runtime) -> io::Result<()> {
        runtime.report(self.id, &Event::Failed(why))?;
        let who = peer_name(self.address);
        runtime.remark(self.id, &format!("{who} was not accepted: {why}"));
        Ok(())
    }

    /// Begins to connect to a server.
    fn reaching(
        &self,
        client: Waiting,
        target: Target,
        shared: &ProxyShared,
        runtime: &Runtime,
        now: Instant,
    ) -> PairStage {
        let config = OpenConfig { target, ..shared.config.open.clone() };
        let way = ClientOpening::way(&config, self.server_slot, self.id, runtime, now);
        let way = way.avoiding(&shared.own);
        PairStage::Reaching(Box::new(Reaching { client, way }))
    }

    /// Handles a complete request to the proxy.
    fn asked_proxy(
        &mut self,
        opening: ServerOpening,
        request: Head,
        forward: &ForwardConfig,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let (client, target) = match Wanted::of(&request, forward) {
            Wanted::Nothing(refusal) => {
                let link = opening.into_parts().0;
                return self.refuse(link, &refusal, runtime, now);
            }
            Wanted::Request(target, forwarding) => {
                let (link, inbound) = opening.into_parts();
                (Waiting::Request { link, inbound, request, forwarding }, target)
            }
            Wanted::Tunnel(target) => {
                let (link, destination) = (opening.into_socket().0, destination(&target));
                (Waiting::Tunnel { link, destination, asked: AskedBy::Connect }, target)
            }
        };
        self.to = Some(destination(&target).to_string().into());
        Ok(self.reaching(client, target, shared, runtime, now))
    }

    /// Begins to connect to the original server of a redirected connection.
    fn redirected(
        &mut self,
        link: SocketLink,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let wanted = link.socket().original_destination().ok();
        let found = wanted.filter(|address| !shared.own.contains(address));
        let Some((address, target)) = found.and_then(|address| {
            Some((address, server(&address.ip().to_string(), address.port())?))
        }) else {
            self.failed("the firewall did not redirect it here (--transparent)", runtime)?;
            return Ok(PairStage::Gone);
        };
        runtime.report(self.id, &Event::Note(&format!("the client connected to {address}")))?;
        let destination = destination(&target);
        self.to = Some(destination.to_string().into());
        let client = Waiting::Tunnel { link, destination, asked: AskedBy::Redirection };
        Ok(self.reaching(client, target, shared, runtime, now))
    }

    /// Reads the received part of the SOCKS request.
    fn ask_by_socks(
        &mut self,
        mut socks: Box<Socks>,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let Some(forward) = &shared.config.forward else { return Ok(PairStage::Gone) };
        match socks.turn(forward, now) {
            SocksProgress::Pending => Ok(PairStage::Socks(socks)),
            SocksProgress::Failed(why) => {
                self.failed(&why, runtime)?;
                Ok(leaving(socks.link.opened(), now))
            }
            SocksProgress::Asked(target) => {
                let destination = destination(&target);
                let text = format!("the client asks for {destination} by SOCKS5");
                runtime.report(self.id, &Event::Note(&text))?;
                self.to = Some(destination.to_string().into());
                let client =
                    Waiting::Tunnel { link: socks.link, destination, asked: AskedBy::Socks };
                Ok(self.reaching(client, target, shared, runtime, now))
            }
        }
    }

    /// Continues to connect to the server; at the end, answers the client or forwards its request.
    fn reach(
        &mut self,
        mut reaching: Box<Reaching>,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let mut server = match reaching.way.advance_way(runtime, now) {
            Ok(Some(link)) => link,
            Ok(None) => return Ok(PairStage::Reaching(reaching)),
            Err(OpenError::Local(error)) => return Err(error),
            Err(error) => return self.unreachable(*reaching, &error, runtime, now),
        };
        let Reaching { client, mut way } = *reaching;
        let (mut link, destination, asked) = match client {
            Waiting::Request { link, inbound, request, forwarding } => {
                let evidence = std::mem::take(way.evidence());
                let server = server.opened();
                let client = (link, inbound);
                return self.pass_on(
                    client,
                    request,
                    &forwarding,
                    (server, evidence),
                    shared,
                    runtime,
                );
            }
            Waiting::Tunnel { link, destination, asked } => (link, destination, asked),
        };
        match asked {
            AskedBy::Connect => {
                report_response(self.id, ESTABLISHED, &mut runtime.outputs_and_buffers().0)?;
                link.tx.extend_from_slice(ESTABLISHED);
            }
            AskedBy::Socks => {
                let bound = server.socket().addresses().ok().map(|(local, _)| local);
                link.tx.extend(socks::reply(SocksReply::Succeeded, bound));
            }
            AskedBy::Redirection => {}
        }
        // While both wait, neither needs a buffer.
        server.take_back(&mut runtime.buffers, false);
        let until = now + shared.config.open.handshake_timeout;
        Ok(PairStage::Tunnel(Box::new(Tunnel { client: link, way, server, destination, until })))
    }

    /// Examines the first bytes of a tunnel, and continues accordingly.
    fn look_into(
        &mut self,
        mut tunnel: Box<Tunnel>,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let Some(forward) = &shared.config.forward else { return Ok(PairStage::Gone) };
        let carried = tunnel.turn(forward, now);
        let tls = match carried {
            TunnelContent::Unknown => return Ok(PairStage::Tunnel(tunnel)),
            TunnelContent::Nothing(why) => {
                runtime.report(self.id, &Event::Passed(&why))?;
                return Ok(PairStage::Gone);
            }
            TunnelContent::Bytes(what) => {
                return self.pass_blindly(*tunnel, what, shared, runtime, now);
            }
            TunnelContent::Http => None,
            TunnelContent::Tls(host) => Some(host),
        };
        let Tunnel { mut client, way, server, .. } = *tunnel;
        if let (Some(host), Some(authority)) = (&tls, &shared.authority) {
            let begun = authority.borrow_mut().server(host).and_then(|server| server.accept());
            match begun {
                Ok(pipe) => client.start_tls(pipe),
                Err(error) => {
                    self.failed(&error.to_string(), runtime)?;
                    return Ok(PairStage::Gone);
                }
            }
        }
        let timeout = shared.config.open.handshake_timeout;
        let limits = Limits::default();
        let opening = ServerOpening::new(self.id, self.address, client, limits, timeout, now);
        let opening = if tls.is_some() { opening } else { opening.in_the_open() };
        let inside = Some(DecryptedTunnel { way, server, tls });
        Ok(PairStage::Asking(Box::new(Asking { opening, inside })))
    }

    /// Forwards the content of a tunnel without decoding it.
    fn pass_blindly(
        &mut self,
        tunnel: Tunnel,
        what: &'static str,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let Tunnel { client, mut way, server, .. } = tunnel;
        self.unseen = what;
        runtime.report(self.id, &Event::Note(what))?;
        let text = format!("{}: {what}", self.about());
        runtime.remark(self.id, &text);
        let inbound = Observer::before_handshake(Direction::ToServer, Limits::default());
        let relay = Relay::blind(
            RelaySetup {
                id: self.id,
                client: (client.opened(), inbound),
                server: server.opened(),
                request: Head::parse(HeadKind::Request, b""),
                evidence: std::mem::take(way.evidence()),
                memory: &shared.memory,
                intervening: Intervening::default(),
            },
            now,
        );
        Ok(PairStage::Relaying(Box::new(relay)))
    }

    /// Handles a complete request inside a tunnel: connects to the server with TLS, or forwards the
    /// request.
    fn asked_inside(
        &mut self,
        opening: ServerOpening,
        inside: DecryptedTunnel,
        request: Head,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let DecryptedTunnel { mut way, server, tls } = inside;
        let (link, inbound) = opening.into_parts();
        let forwarding = Forwarding::default();
        let Some(host) = tls else {
            let evidence = std::mem::take(way.evidence());
            let (client, server) = ((link, inbound), (server.opened(), evidence));
            return self.pass_on(client, request, &forwarding, server, shared, runtime);
        };
        let begun = way.secure_way(server, &host, now);
        let client = Waiting::Request { link, inbound, request, forwarding };
        let reaching = Reaching { client, way };
        match begun {
            Ok(()) => Ok(PairStage::Reaching(Box::new(reaching))),
            Err(error) => self.unreachable(reaching, &error, runtime, now),
        }
    }

    /// Forwards a request to the connected server.
    fn pass_on(
        &mut self,
        client: (Link, Observer),
        request: Head,
        forwarding: &Forwarding,
        (server, evidence): (Link, OpeningEvidence),
        shared: &ProxyShared,
        runtime: &mut Runtime,
    ) -> io::Result<PairStage> {
        let now = Instant::now();
        let last = !asks_for_websocket(&request);
        let request = match forwarding.apply(&request, last) {
            Some(changed) => {
                runtime.report(self.id, &Event::Note(PASSED_ON))?;
                runtime.report(self.id, &Event::Head(Direction::ToServer, &changed))?;
                changed
            }
            None => request,
        };
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
        Ok(PairStage::Relaying(relay))
    }

    /// Handles a server that can't be reached: the client gets an error, and the diagnosis is that
    /// of a client.
    fn unreachable(
        &self,
        reaching: Reaching,
        error: &OpenError,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let Reaching { client, mut way } = reaching;
        let found = way.evidence().explain(error);
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default();
        let stage = match client {
            Waiting::Tunnel { mut link, asked: AskedBy::Socks, .. } => {
                let reply = reply_of(error);
                let text = format!("answered {} by SOCKS5: {why}", reply as u8);
                runtime.report(self.id, &Event::Failed(&text))?;
                let who = peer_name(self.address);
                runtime.remark(self.id, &format!("{who} got {} by SOCKS5: {why}", reply as u8));
                link.tx.extend(socks::reply(reply, None));
                leaving(link.opened(), now)
            }
            Waiting::Tunnel { asked: AskedBy::Redirection, .. } => {
                runtime.report(self.id, &Event::Failed(why))?;
                runtime
                    .remark(self.id, &format!("{} got no server: {why}", peer_name(self.address)));
                PairStage::Gone
            }
            Waiting::Tunnel { link, .. } => {
                self.answer(link.opened(), error.gateway_status(), why, runtime, now)?
            }
            Waiting::Request { link, .. } => {
                self.answer(link, error.gateway_status(), why, runtime, now)?
            }
        };
        runtime.reporter.diagnose_for(self.id, &found, &mut runtime.stdout)?;
        Ok(stage)
    }

    /// "a server, while acting as a gateway or proxy, received an invalid response from an inbound
    /// server it accessed" (RFC 9110 §15.6.3), or no response.
    fn bad_gateway(
        &self,
        link: Link,
        why: &str,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        self.answer(link, 502, why, runtime, now)
    }

    /// Answers the client's request without a server.
    fn answer(
        &self,
        link: Link,
        status: u16,
        why: &str,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let mut refusal = Refusal::new(status, &[], format!("wscope proxy: {why}"));
        refusal.reason = why.to_owned();
        self.refuse(link, &refusal, runtime, now)
    }

    fn refuse(
        &self,
        mut link: Link,
        refusal: &Refusal,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let Refusal { status, response, reason, .. } = refusal;
        let why = reason.lines().next().unwrap_or_default();
        report_response(self.id, response, &mut runtime.outputs_and_buffers().0)?;
        runtime.report(self.id, &Event::Failed(&format!("answered {status}: {why}")))?;
        runtime.remark(self.id, &format!("{} got {status}: {why}", peer_name(self.address)));
        link.tx.extend_from_slice(response);
        Ok(leaving(link, now))
    }

    /// Forwards as much data as possible.
    fn relay(
        &mut self,
        mut relay: Box<Relay>,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<PairStage> {
        let awaited = *relay.answer() == UpstreamAnswer::Awaited;
        relay.turn(runtime, now)?;
        if *relay.answer() == UpstreamAnswer::Missing {
            let (why, found) = match relay.has_client_left() {
                true => ("the client ended its stream before a response arrived", Vec::new()),
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
        if awaited && *relay.answer() == UpstreamAnswer::Switched {
            let target = relay.request().request_line().map_or(&b"/"[..], |line| line.target);
            let text = format!("{} {}: open", peer_name(self.address), escaped(target));
            runtime.remark(self.id, &text);
        }
        if !relay.is_over() {
            return Ok(PairStage::Relaying(relay));
        }
        self.end(&relay, shared, runtime, now)?;
        Ok(PairStage::Gone)
    }

    /// Reports the end.
    fn end(
        &self,
        relay: &Relay,
        shared: &ProxyShared,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let upgrade = asks_for_websocket(relay.request());
        let status = match relay.answer() {
            UpstreamAnswer::Switched => {
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
            UpstreamAnswer::Blind => {
                let came = |role| number::counted(relay.leg(role).inbound().offset(), "byte");
                let to = self.to.as_deref().unwrap_or_default();
                let text = format!(
                    "{}: {} to {to}, {} back",
                    self.unseen,
                    came(Role::Client),
                    came(Role::Server)
                );
                runtime.remark(self.id, &text);
                return runtime.report(self.id, &Event::Passed(&text));
            }
            UpstreamAnswer::Status(status) => {
                format!("the server answered {}", escaped(status.as_bytes()))
            }
            UpstreamAnswer::Unreadable => "the server's response was not HTTP".to_owned(),
            UpstreamAnswer::Awaited | UpstreamAnswer::Missing => {
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

/// The destination that a target names.
fn destination(target: &Target) -> Destination {
    Destination::new(target.host.as_str(), target.port)
}

/// Sends the waiting data, and ends our side.
fn leaving(link: Link, now: Instant) -> PairStage {
    let lingering = Lingering::begin(link, now);
    lingering.map_or(PairStage::Gone, |lingering| PairStage::Leaving(Box::new(lingering)))
}
