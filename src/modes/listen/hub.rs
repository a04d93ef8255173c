//! The clients of a server: new clients, their turns, the messages to them, and clients that leave.
//!
//! [`Hub::round`] does a bounded amount of work and never waits.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use super::client::Client;
use super::shared::Shared;
use super::upstream;
use crate::behaviour::splitter::Outlet;
use crate::engine::acceptor::{ACCEPTS, Acceptor};
use crate::engine::opening::server::{canonical, peer_name};
use crate::engine::outbox::Producer;
use crate::engine::runtime::{Ready, Runtime};
use crate::engine::slots::{Slot, SlotPart, Slots, token};
use crate::event::{ConnId, Event};
use crate::net::link::SocketLink;
use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::stream::Stream;
use crate::output::stderr;
use crate::script::json::{self, CommandError};
use crate::session::endpoint::SendError;
use crate::wire::{CloseCode, Data};

/// A round ends after that: signals, timers and events wait for its end.
const ROUND: Duration = Duration::from_millis(20);

/// Turns between two looks at the clock.
const TURNS: usize = 8;

/// Clients that are answered that there are too many, at once; more are dropped without an answer.
const TURNED_AWAY: usize = 64;

/// Processes of clients that have left which are never too many.
const FEW: usize = 64;

/// A client with a smaller backlog is not closed for lack of memory.
const SMALL: usize = 64 * 1024;

/// A server's clients.
pub struct Hub {
    /// What all share.
    pub shared: Shared,
    clients: Slots<Client>,
    acceptor: Acceptor,
    connections: u64,
    /// Clients that wait for an output, or for the others to take their messages.
    stalled: BTreeSet<Slot>,
    /// A message of stdin to all has begun and not ended.
    amid_message: bool,
    /// Connections opened so far.
    opened: u64,
    /// Where it listens.
    pub urls: Vec<String>,
}

impl Hub {
    /// Begins without clients.
    pub fn new(shared: Shared, listeners: Listeners, urls: Vec<String>) -> Self {
        Self {
            shared,
            clients: Slots::default(),
            acceptor: Acceptor::new(listeners),
            connections: 0,
            stalled: BTreeSet::new(),
            amid_message: false,
            opened: 0,
            urls,
        }
    }

    /// The clients there are.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter()
    }

    /// One of them, by its number.
    pub fn client(&self, id: ConnId) -> Option<&Client> {
        self.clients.iter().find(|client| client.id() == id)
    }

    /// The number of the connection accepted last; 0 before the first.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// One of them, by its number. It gets a turn, so that what is done to it takes effect.
    pub fn client_mut(&mut self, id: ConnId) -> Option<&mut Client> {
        let slot = self.clients.find(|client| client.id() == id)?;
        self.clients.enqueue(slot);
        self.clients.get_mut(slot)
    }

    /// Whether there are none, those included who are leaving, nor a process of theirs.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.shared.dying.is_empty()
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether there is a client with room for a message to all. The fastest client sets the pace:
    /// the data of the others is queued, up to a limit.
    pub fn has_audience(&self, producer: Producer) -> bool {
        self.clients.iter().any(|client| {
            client.is_open() && client.connection().is_some_and(|c| c.has_room(producer))
        })
    }

    /// Stops accepting, and closes every connection.
    pub fn close_all(&mut self, code: CloseCode, now: Instant) {
        self.stop_accepting();
        self.clients.each(|client| {
            // It may be closing already, which is as good.
            let _ = client.close(Some(code.into()), "", now);
            true
        });
    }

    /// Ends every connection at once, and every process.
    pub fn drop_all(&mut self, now: Instant) {
        self.stop_accepting();
        self.clients.each(|client| {
            client.drop_connection();
            true
        });
        self.shared.dying.iter_mut().for_each(|(_, dying)| dying.kill(now));
    }

    /// Accepts no more clients.
    pub fn stop_accepting(&mut self) {
        self.acceptor.stop();
    }

    /// Notes that something is ready.
    pub fn ready(&mut self, ready: &Ready<'_>) {
        let (slot, part, event) = match *ready {
            Ready::Listener => return self.acceptor.set_ready(),
            Ready::Socket(slot, event) => match upstream::client_of(slot) {
                None => (slot, SlotPart::Socket, Some(event)),
                Some(slot) => {
                    if let Some(client) = self.clients.get_mut(slot) {
                        client.upstream_ready(event);
                        self.clients.enqueue(slot);
                    }
                    return;
                }
            },
            Ready::Pipe(slot, pipe) => (slot, SlotPart::Pipe(pipe), None),
            Ready::Input { .. } => {
                if self.shared.upstreams.is_some() {
                    self.clients.each(|client| client.awaits_thread());
                }
                return;
            }
        };
        if let Some(client) = self.clients.get_mut(slot) {
            client.ready(part, event);
            self.clients.enqueue(slot);
        }
    }

    /// Does what can be done now, once for each client that has something to do.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.accept(runtime, now)?;
        self.clients.expire(now);
        if !runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|slot| self.clients.enqueue(slot));
        }
        for turn in 1..=self.clients.waiting() {
            let Some(slot) = self.clients.dequeue() else { break };
            self.turn(slot, runtime, now)?;
            if turn % TURNS == 0 && now.elapsed() >= ROUND {
                break;
            }
        }
        self.shed(now);
        self.shared.reap(&runtime.notifier, now);
        Ok(())
    }

    /// Whether another round would do something at once.
    pub fn is_busy(&self, runtime: &Runtime) -> bool {
        // Outputs may have taken all since: a file does at once, and no event reports that.
        let resumes = !self.stalled.is_empty() && !runtime.is_output_full();
        resumes || self.clients.waiting() > 0 || self.acceptor.is_ready()
    }

    /// When a round is due.
    pub fn deadline(&mut self) -> Option<Instant> {
        let dying = self.shared.dying.iter().map(|(_, dying)| dying.deadline()).min();
        [self.clients.deadline(), self.acceptor.deadline(), dying].into_iter().flatten().min()
    }

    fn turn(&mut self, slot: Slot, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Self { shared, clients, amid_message, .. } = self;
        let Some(client) = clients.get_mut(slot) else { return Ok(()) };
        let was_open = client.connection().is_some();
        client.turn(shared, runtime, *amid_message, now)?;
        self.opened += u64::from(!was_open && client.connection().is_some());
        let (id, gone, deadline) = (client.id(), client.is_gone(), client.deadline());
        let (again, stalled) = (client.wants_turn(runtime), client.is_stalled(runtime));
        let posted = !self.shared.posts.borrow().is_empty();
        if posted {
            self.distribute(id, now);
        }
        if gone {
            self.clients.remove(slot);
        } else if posted || again {
            self.clients.enqueue(slot);
        } else if stalled {
            self.stalled.insert(slot);
        }
        self.clients.arm(slot, deadline);
        Ok(())
    }

    /// Hands the messages of one client to all others.
    fn distribute(&mut self, from: ConnId, now: Instant) {
        for message in self.shared.posts.borrow_mut().take() {
            self.clients.each(|client| {
                let meant = client.id() != from && client.is_open();
                let connection = client.connection_mut().filter(|_| meant);
                // It is open.
                connection.is_some_and(|c| c.sender(now).shared(&message).is_ok())
            });
        }
    }

    /// Closes the client that is slowest to take what it is sent, while too much waits.
    fn shed(&mut self, now: Instant) {
        while self.shared.backlog.gives_way() {
            let backlog = |client: &Client| match client.connection() {
                Some(connection) if connection.is_open() => connection.backlog(),
                _ => 0,
            };
            let slowest = self.clients.iter().max_by_key(|client| backlog(client));
            let Some(id) = slowest.filter(|c| backlog(c) > SMALL).map(Client::id) else { return };
            let limit = self.shared.backlog.limit() >> 20;
            let reason = format!("too slow: more than {limit} MiB are queued");
            let Some(connection) = self.client_mut(id).and_then(Client::connection_mut) else {
                return;
            };
            connection.sender(now).close_now(Some(CloseCode::Again.into()), &reason);
            connection.settle();
        }
    }

    fn accept(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            let Some((stream, address)) = self.acceptor.accept(&runtime.notifier, now) else {
                break;
            };
            self.join(stream, address, runtime, now)?;
        }
        Ok(())
    }

    fn join(
        &mut self,
        stream: Stream,
        address: Option<std::net::SocketAddr>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let most = self.shared.most_clients;
        // Processes that have still to end are too many as well: clients that come and go quickly
        // would start them without limit.
        let excess = self.clients.len() >= most || self.shared.dying.len() >= most.max(FEW);
        if self.clients.len() >= most.saturating_add(TURNED_AWAY) {
            return Ok(());
        }
        self.connections += 1;
        let id = ConnId(self.connections);
        if runtime.reporter.looks_at_frames() {
            let local = match (stream.addresses(), self.acceptor.path()) {
                (Ok((local, _)), _) => canonical(local).to_string(),
                (Err(_), path) => path,
            };
            let peer = peer_name(address);
            runtime.report(id, &Event::Accepted { local: &local, peer: &peer })?;
        }
        let pipe = match self.shared.tls.as_ref().map(|tls| tls.accept()).transpose() {
            Ok(pipe) => pipe,
            Err(error) => return runtime.report(id, &Event::Failed(&error.to_string())),
        };
        let slot = self.clients.next_slot();
        let socket = token(slot, SlotPart::Socket);
        let link = match SocketLink::without_buffer(stream, pipe, runtime.registry(), socket) {
            Ok(link) => link,
            // The system has no memory for one more, or not for this user.
            Err(error) => return runtime.report(id, &Event::Failed(&plain_io(&error))),
        };
        let client = Client::new(id, address, slot, link, &self.shared, excess, now);
        let deadline = client.deadline();
        let slot = self.clients.insert(client);
        self.clients.arm(slot, deadline);
        // Its request may be there already.
        self.clients.enqueue(slot);
        Ok(())
    }
}

/// All clients as the outlet of stdin: each message goes to everybody, a JSON command to one or to
/// all.
pub struct Everybody<'h> {
    /// The clients.
    pub hub: &'h mut Hub,
    /// The time.
    pub now: Instant,
}

impl Outlet for Everybody<'_> {
    fn send(&mut self, opcode: Data, piece: &[u8], last: bool) -> Result<(), SendError> {
        let now = self.now;
        self.hub.amid_message = !last;
        self.hub.clients.each(|client| {
            let takes = client.takes_piece(last);
            let connection = client.connection_mut().filter(|_| takes);
            // It is open.
            connection.is_some_and(|connection| {
                connection.sender(now).fragment(Producer::Input, opcode, piece, last).is_ok()
            })
        });
        Ok(())
    }

    fn command(&mut self, line: &[u8]) -> Result<(), String> {
        let (conn, command) = json::parse(line).map_err(|error| error.to_string())?;
        let ids: Vec<ConnId> = match conn {
            Some(id) => vec![id],
            None => self.hub.clients().filter(|client| client.is_open()).map(|c| c.id()).collect(),
        };
        for id in ids {
            let connection = self.hub.client_mut(id).and_then(Client::connection_mut);
            let Some(connection) = connection else {
                // It may just have left.
                stderr::note(&format!("no connection {}: nothing was sent", id.0));
                continue;
            };
            match json::send_to(&command, &mut connection.sender(self.now)) {
                Ok(()) => {}
                Err(CommandError::Send(SendError::NotOpen)) => {
                    stderr::note(&format!("connection {} is closing: nothing was sent", id.0));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    fn is_mid_message(&self) -> bool {
        let fragmenting = |client: &Client| {
            let endpoint = client.connection().and_then(|connection| connection.endpoint());
            client.is_open() && endpoint.is_some_and(|endpoint| endpoint.is_fragmenting())
        };
        self.hub.clients().any(fragmenting)
    }
}
