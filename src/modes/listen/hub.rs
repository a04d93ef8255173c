//! The clients of a server and what happens among them: who comes, whose turn it is, who is sent
//! what, who leaves.
//!
//! [`Hub::round`] does a bounded amount of work and never waits; the loop around it does that, and
//! may serve stdin, a prompt or whatever else beside it.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::{Registry, Token};

use crate::event::{ConnId, Event};
use crate::modes::listen::client::Client;
use crate::modes::listen::clients::{Clients, Place, Source, token, whose};
use crate::modes::listen::shared::Shared;
use crate::net::link::{HIGH_WATER, Link, plain_io};
use crate::net::listener::Listeners;
use crate::net::stream::Stream;
use crate::session::endpoint::SendError;
use crate::wire::{CloseCode, Data};

/// The tokens of what listens.
pub const LISTEN: [Token; 2] = [Token(5), Token(6)];

/// Connections accepted in a round, so that a flood of them leaves the others their turns.
const ACCEPTS: usize = 64;

/// Clients that are told that there are too many, at once; more are dropped without a word.
const TURNED_AWAY: usize = 64;

/// Processes of clients that have left which are never too many.
const FEW: usize = 64;

/// After the system had no descriptor to spare, when to try again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// A server's clients.
pub struct Hub {
    /// What all share.
    pub shared: Shared,
    clients: Clients,
    listeners: Option<Listeners>,
    /// Somebody may wait to be accepted.
    knocked: bool,
    /// The system had no descriptors: not before this.
    accept_at: Option<Instant>,
    /// That has been said.
    short: bool,
    connections: u64,
    /// Who waits for stdout.
    stalled: BTreeSet<Place>,
    /// A message to all has begun and not ended.
    fragmenting: bool,
    /// Sessions opened so far.
    opened: u64,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Everybody.
    All,
    /// One connection.
    One(ConnId),
    /// Everybody but one.
    Others(ConnId),
}

impl Hub {
    /// Begins without clients.
    pub fn new(shared: Shared, listeners: Listeners) -> Self {
        Self {
            shared,
            clients: Clients::default(),
            listeners: Some(listeners),
            knocked: true,
            accept_at: None,
            short: false,
            connections: 0,
            stalled: BTreeSet::new(),
            fragmenting: false,
            opened: 0,
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
        let place = self.clients.find(id)?;
        self.clients.enqueue(place);
        self.clients.get_mut(place)
    }

    /// Whether there are none, those included who are leaving.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Sessions opened so far.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether somebody is there for a message to all, and has room for it. The fastest sets the
    /// pace: who can't keep up with it is closed in the end, see [`Client::send`].
    pub fn has_audience(&self) -> bool {
        self.clients.iter().any(|client| client.is_open() && client.link.pending() < HIGH_WATER)
    }

    /// Sends a piece of a message; `last` ends it. Gives how many it was sent to.
    pub fn send(
        &mut self,
        to: Recipient,
        opcode: Data,
        piece: &[u8],
        last: bool,
        now: Instant,
    ) -> usize {
        if to == Recipient::All {
            self.fragmenting = !last;
        }
        self.clients.each(|client| {
            let is_meant = match to {
                Recipient::All => true,
                Recipient::One(id) => client.id() == id,
                Recipient::Others(id) => client.id() != id,
            };
            let sends = is_meant && client.is_open();
            if sends {
                client.send(opcode, piece, last, now);
            }
            sends
        })
    }

    /// Closes a connection.
    ///
    /// # Errors
    ///
    /// There is none of this number any more, or the code can't be sent.
    pub fn kick(
        &mut self,
        id: ConnId,
        code: Option<u16>,
        reason: &str,
        now: Instant,
    ) -> Result<(), SendError> {
        self.client_mut(id).ok_or(SendError::NotOpen)?.close(code, reason, now)
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
        self.shared.dying.iter_mut().for_each(|dying| dying.kill(now));
    }

    /// Accepts nobody any more.
    pub fn stop_accepting(&mut self) {
        self.listeners = None;
    }

    /// Notes what the poll says, if it is about the hub.
    pub fn ready(&mut self, event: &Readiness) {
        if LISTEN.contains(&event.token()) {
            self.knocked = true;
            return;
        }
        let Some((place, source)) = whose(event.token()) else { return };
        let Some(client) = self.clients.get_mut(place) else { return };
        match (source, client.open_mut().and_then(|(session, _)| session.child())) {
            (Source::Socket, _) => client.ready(event),
            (Source::ChildStdin, Some(child)) => child.set_writable(),
            (Source::ChildStdout, Some(child)) => child.set_readable(),
            (_, None) => {}
        }
        self.clients.enqueue(place);
    }

    /// Does what can be done now, once for each client that has something to do.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn round(&mut self, now: Instant) -> io::Result<()> {
        self.accept(now)?;
        self.clients.ring(now);
        if !self.shared.runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|place| self.clients.enqueue(place));
        }
        for _ in 0..self.clients.waiting() {
            let Some(place) = self.clients.dequeue() else { break };
            self.turn(place, now)?;
        }
        self.shared.tend_the_dying(now);
        Ok(())
    }

    /// Whether another round would do something at once.
    pub fn is_busy(&self) -> bool {
        let accepts = self.knocked && self.accept_at.is_none() && self.listeners.is_some();
        self.clients.waiting() > 0 || accepts
    }

    /// When a round is due.
    pub fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let dying = self.shared.tend_the_dying(now);
        let accept = self.accept_at.filter(|_| self.listeners.is_some());
        [self.clients.deadline(), accept, dying].into_iter().flatten().min()
    }

    fn turn(&mut self, place: Place, now: Instant) -> io::Result<()> {
        let Self { shared, clients, fragmenting, .. } = self;
        let Some(client) = clients.get_mut(place) else { return Ok(()) };
        let was_open = client.session().is_some();
        client.turn(shared, *fragmenting, now)?;
        self.opened += u64::from(!was_open && client.session().is_some());
        let (id, gone, deadline) = (client.id(), client.is_gone(), client.deadline(shared));
        let posted = !shared.outbox.is_empty();
        if posted {
            self.distribute(id, now);
        }
        let Self { shared, clients, .. } = self;
        let Some(client) = clients.get_mut(place) else { return Ok(()) };
        if gone {
            clients.remove(place);
        } else if posted || client.wants_turn(shared) {
            clients.enqueue(place);
        } else if client.waits_for_stdout(shared) {
            self.stalled.insert(place);
        }
        self.clients.arm(place, deadline);
        Ok(())
    }

    /// Hands the messages of one client to all others.
    fn distribute(&mut self, from: ConnId, now: Instant) {
        let outbox = std::mem::take(&mut self.shared.outbox);
        for (opcode, content) in outbox.messages() {
            self.send(Recipient::Others(from), opcode, content, true, now);
        }
        self.shared.outbox = outbox;
        self.shared.outbox.clear();
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        if self.accept_at.is_some_and(|at| at <= now) {
            self.accept_at = None;
        }
        for _ in 0..ACCEPTS {
            if !self.knocked || self.accept_at.is_some() {
                break;
            }
            let Some(listeners) = &mut self.listeners else { break };
            match listeners.accept() {
                Ok(None) => self.knocked = false,
                Ok(Some((stream, address))) => {
                    self.short = false;
                    self.join(stream, address, now)?;
                }
                Err(error) => {
                    // Those who wait are kept by the system; they get their turn when others leave.
                    if !std::mem::replace(&mut self.short, true) {
                        let text = format!("can't accept a client: {}", plain_io(&error));
                        self.shared.notifier.note(&text);
                    }
                    self.accept_at = Some(now + ACCEPT_PAUSE);
                }
            }
        }
        Ok(())
    }

    fn join(
        &mut self,
        stream: Stream,
        address: Option<std::net::SocketAddr>,
        now: Instant,
    ) -> io::Result<()> {
        let most = self.shared.most_clients;
        // Processes that have still to end are too many as well: whoever comes and goes quickly
        // would start them without limit.
        let excess = self.clients.len() >= most || self.shared.dying.len() >= most.max(FEW);
        if self.clients.len() >= most.saturating_add(TURNED_AWAY) {
            return Ok(());
        }
        self.connections += 1;
        let id = ConnId(self.connections);
        if self.shared.looks() {
            let local = match (stream.addresses(), self.listening_path()) {
                (Ok((local, _)), _) => crate::modes::listen::client::canonical(local).to_string(),
                (Err(_), path) => path,
            };
            let peer =
                address.map(|address| crate::modes::listen::client::canonical(address).to_string());
            let peer = peer.as_deref().unwrap_or("a local client");
            self.shared.tell(id, &Event::Accepted { local: &local, peer })?;
        }
        let pipe = match self.shared.tls.as_ref().map(|tls| tls.accept()).transpose() {
            Ok(pipe) => pipe,
            Err(error) => return self.shared.tell(id, &Event::Failed(&error.to_string())),
        };
        let place = self.clients.next_place();
        let tokens = [Source::ChildStdin, Source::ChildStdout].map(|source| token(place, source));
        let registry: &Registry = self.shared.runtime.reactor.registry();
        let link = Link::without_buffer(stream, pipe, registry, token(place, Source::Socket));
        let link = match link {
            Ok(link) => link,
            // The system has no memory for one more, or not for this user.
            Err(error) => return self.shared.tell(id, &Event::Failed(&plain_io(&error))),
        };
        let client = Client::new(id, address, link, tokens, excess, &self.shared, now);
        let deadline = client.deadline(&self.shared);
        let place = self.clients.insert(client);
        self.clients.arm(place, deadline);
        // Its request may be there already.
        self.clients.enqueue(place);
        Ok(())
    }

    fn listening_path(&self) -> String {
        let path = self.listeners.as_ref().and_then(Listeners::path);
        path.map(|path| path.display().to_string()).unwrap_or_default()
    }
}
