//! The clients of a server: new clients, their turns, the messages to them, and clients that leave.
//!
//! [`Hub::round`] does a bounded amount of work and never waits.

use std::io;
use std::time::Instant;

use super::client::Client;
use super::shared::ListenShared;
use super::upstream;
use crate::behaviour::splitter::Outlet;
use crate::engine::crowd::{Crowd, Member as _};
use crate::engine::outbox::Producer;
use crate::engine::runtime::{Ready, Runtime};
use crate::engine::slots::{Slot, SlotPart, token};
use crate::event::ConnId;
use crate::net::listener::Listeners;
use crate::output::stderr;
use crate::script::json::{self, CommandError};
use crate::session::endpoint::SendError;
use crate::wire::{CloseCode, Data};

/// This many processes of clients that have left are never too many.
const FEW: usize = 64;

/// A client with a smaller backlog is not closed because of the memory limit.
const SMALL: usize = 64 * 1024;

/// A server's clients.
pub struct Hub {
    /// The data that all clients share.
    pub shared: ListenShared,
    clients: Crowd<Client>,
    /// A message from stdin to all clients is incomplete.
    amid_message: bool,
    /// The number of connections opened so far.
    opened: u64,
    /// The URLs of the server.
    pub urls: Vec<String>,
}

impl Hub {
    /// A hub without clients.
    pub fn new(shared: ListenShared, listeners: Listeners, urls: Vec<String>) -> Self {
        Self { shared, clients: Crowd::new(listeners), amid_message: false, opened: 0, urls }
    }

    /// The current clients.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter()
    }

    /// The client with this number.
    pub fn client(&self, id: ConnId) -> Option<&Client> {
        self.clients.member(id)
    }

    /// The number of the connection accepted last; 0 before the first.
    pub fn connections(&self) -> u64 {
        self.clients.accepted()
    }

    /// The client with this number. It gets a turn, so that changes take effect.
    pub fn client_mut(&mut self, id: ConnId) -> Option<&mut Client> {
        self.clients.member_mut(id)
    }

    /// Whether there are no clients, including closing ones, and no processes of clients.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.shared.dying.is_empty()
    }

    /// The number of connections opened so far.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether a client has room for a message to all. The fastest client decides: data for the
    /// others is queued, up to a limit.
    pub fn has_audience(&self, producer: Producer) -> bool {
        self.clients.iter().any(|client| {
            client.is_open() && client.connection().is_some_and(|c| c.has_room(producer))
        })
    }

    /// Stops accepting, and closes every connection.
    pub fn close_all(&mut self, code: CloseCode, now: Instant) {
        self.stop_accepting();
        self.clients.each(|client| {
            // If it is already closing, no Close is needed.
            let _ = client.close(Some(code.into()), "", now);
            true
        });
    }

    /// Ends all connections and processes at once.
    pub fn drop_all(&mut self, now: Instant) {
        self.stop_accepting();
        self.clients.each(|client| {
            client.drop_connection();
            true
        });
        self.shared.dying.iter_mut().for_each(|(_, dying)| dying.kill(now));
    }

    /// Stops accepting clients.
    pub fn stop_accepting(&mut self) {
        self.clients.stop_accepting();
    }

    /// Notes that something is ready.
    pub fn ready(&mut self, ready: &Ready<'_>) {
        let (slot, part, event) = match *ready {
            Ready::Listener => return self.clients.set_ready(),
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

    /// Gives a turn to each client that can continue.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.accept(runtime, now)?;
        self.clients.begin_round(runtime, now);
        while let Some(slot) = self.clients.next_turn(now) {
            self.turn(slot, runtime, now)?;
        }
        self.shed(now);
        self.shared.reap(&runtime.notifier, now);
        Ok(())
    }

    /// Whether another round could do something now.
    pub fn is_busy(&self, runtime: &Runtime) -> bool {
        // The outputs may have accepted all data since then; a file does so at once, and no event
        // reports it.
        self.clients.is_busy(runtime)
    }

    /// When the next round is due.
    pub fn deadline(&mut self) -> Option<Instant> {
        let dying = self.shared.dying.iter().map(|(_, dying)| dying.deadline()).min();
        self.clients.due().into_iter().chain(dying).min()
    }

    fn turn(&mut self, slot: Slot, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Self { shared, clients, amid_message, .. } = self;
        let Some(client) = clients.get_mut(slot) else { return Ok(()) };
        let was_open = client.connection().is_some();
        client.turn(shared, runtime, *amid_message, now)?;
        self.opened += u64::from(!was_open && client.connection().is_some());
        let id = client.id();
        let posted = !self.shared.posts.borrow().is_empty();
        if posted {
            self.distribute(id, now);
        }
        self.clients.end_turn(slot, posted, runtime);
        Ok(())
    }

    /// Passes the messages of one client to all others.
    fn distribute(&mut self, from: ConnId, now: Instant) {
        for message in self.shared.posts.borrow_mut().take() {
            self.clients.each(|client| {
                let meant = client.id() != from && client.is_open();
                let connection = client.connection_mut().filter(|_| meant);
                // The connection is open.
                connection.is_some_and(|c| c.sender(now).shared(&message).is_ok())
            });
        }
    }

    /// Closes the slowest client, as long as too much data waits.
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
        let Self { shared, clients, .. } = self;
        let most = shared.most_clients;
        // Ending processes count as too many, too: clients that connect and disconnect quickly
        // would start them without limit.
        let crowded = (shared.dying.len() >= most.max(FEW)).then_some(most);
        let socket = |slot| token(slot, SlotPart::Socket);
        clients.accept((shared.tls.as_ref(), most), socket, runtime, now, |mut arrival| {
            arrival.excess = arrival.excess.or(crowded);
            Client::new(arrival, shared, now)
        })
    }
}

/// All clients as the target of stdin: each message goes to all, a JSON command to one client or to
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
            // The connection is open.
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
