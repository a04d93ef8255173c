//! The connections of a server, of any kind: accepts them, gives them turns, and removes them.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use mio::Token;

use super::acceptor::{ACCEPTS, ConnectionAcceptor};
use super::opening::server::{canonical, peer_name};
use super::runtime::Runtime;
use super::slots::{Slot, Slots};
use crate::event::{ConnId, Event};
use crate::net::link::SocketLink;
use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::tls::TlsServer;

/// A round ends after this time. Signals, timers and events wait for its end.
const ROUND: Duration = Duration::from_millis(20);

/// The number of turns between two checks of the clock.
const TURNS: usize = 8;

/// At most this many clients beyond the limit get an answer at the same time; the others are
/// dropped without an answer.
const TURNED_AWAY: usize = 64;

/// A member of a crowd.
pub trait Member {
    /// The number of the connection.
    fn id(&self) -> ConnId;

    /// When the next action is due.
    fn deadline(&self) -> Option<Instant>;

    /// Whether another turn could do something without an event.
    fn wants_turn(&self, runtime: &Runtime) -> bool;

    /// Whether it waits for an output or for other members, which its own events do not report.
    fn is_stalled(&self, runtime: &Runtime) -> bool;

    /// Whether it can be removed.
    fn is_gone(&self) -> bool;
}

/// An accepted connection.
pub struct Arrival {
    /// The number of the connection.
    pub id: ConnId,
    /// The address of the client; `None` on a Unix socket.
    pub address: Option<SocketAddr>,
    /// Its slot.
    pub slot: Slot,
    /// The accepted socket.
    pub link: SocketLink,
    /// The limit for the number of members, if it has been reached.
    pub excess: Option<usize>,
}

/// All members, and the listening sockets.
pub struct Crowd<M> {
    members: Slots<M>,
    acceptor: ConnectionAcceptor,
    accepted: u64,
    /// Members that wait for an output or for other members.
    stalled: BTreeSet<Slot>,
    /// The number of turns left in this round, and the number taken.
    turns: (usize, usize),
}

impl<M> Deref for Crowd<M> {
    type Target = Slots<M>;

    fn deref(&self) -> &Slots<M> {
        &self.members
    }
}

impl<M> DerefMut for Crowd<M> {
    fn deref_mut(&mut self) -> &mut Slots<M> {
        &mut self.members
    }
}

impl<M: Member> Crowd<M> {
    /// A crowd without members.
    pub fn new(listeners: Listeners) -> Self {
        Self {
            members: Slots::default(),
            acceptor: ConnectionAcceptor::new(listeners),
            accepted: 0,
            stalled: BTreeSet::new(),
            turns: (0, 0),
        }
    }

    /// The number of the connection accepted last; 0 before the first.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// The member with this number.
    pub fn member(&self, id: ConnId) -> Option<&M> {
        self.members.iter().find(|member| member.id() == id)
    }

    /// The member with this number. It gets a turn, so that changes take effect.
    pub fn member_mut(&mut self, id: ConnId) -> Option<&mut M> {
        let slot = self.members.find(|member| member.id() == id)?;
        self.members.enqueue(slot);
        self.members.get_mut(slot)
    }

    /// Notes that a client may be waiting.
    pub fn set_ready(&mut self) {
        self.acceptor.set_ready();
    }

    /// Stops accepting clients.
    pub fn stop_accepting(&mut self) {
        self.acceptor.stop();
    }

    /// Accepts waiting clients, a limited number in each round. There may be `most` members at the
    /// same time; a few more are accepted to get an answer that says so. `socket` is the token of a
    /// slot's socket.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn accept(
        &mut self,
        (tls, most): (Option<&TlsServer>, usize),
        socket: impl Fn(Slot) -> Token,
        runtime: &mut Runtime,
        now: Instant,
        mut member: impl FnMut(Arrival) -> M,
    ) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            let Some((stream, address)) = self.acceptor.accept(&runtime.notifier, now) else {
                break;
            };
            if self.members.len() >= most.saturating_add(TURNED_AWAY) {
                continue;
            }
            self.accepted += 1;
            let id = ConnId(self.accepted);
            if runtime.reporter.looks_at_frames() {
                let local = match stream.addresses() {
                    Ok((local, _)) => canonical(local).to_string(),
                    Err(_) => self.acceptor.path(),
                };
                let peer = peer_name(address);
                runtime.report(id, &Event::Accepted { local: &local, peer: &peer })?;
            }
            let pipe = match tls.map(TlsServer::accept).transpose() {
                Ok(pipe) => pipe,
                Err(error) => {
                    runtime.report(id, &Event::Failed(&error.to_string()))?;
                    continue;
                }
            };
            let (slot, registry) = (self.members.next_slot(), runtime.registry());
            let link = match SocketLink::without_buffer(stream, pipe, registry, socket(slot)) {
                Ok(link) => link,
                // The system has no memory for another connection, or not for this user.
                Err(error) => {
                    runtime.report(id, &Event::Failed(&plain_io(&error)))?;
                    continue;
                }
            };
            let excess = (self.members.len() >= most).then_some(most);
            let member = member(Arrival { id, address, slot, link, excess });
            let deadline = member.deadline();
            let slot = self.members.insert(member);
            self.members.arm(slot, deadline);
            // Its request may already have arrived.
            self.members.enqueue(slot);
        }
        Ok(())
    }

    /// Gives a turn to all members with an expired timer.
    pub fn begin_round(&mut self, runtime: &Runtime, now: Instant) {
        self.members.expire(now);
        if !runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|slot| self.members.enqueue(slot));
        }
        self.turns = (self.members.waiting(), 0);
    }

    /// The next member in the round that began at `began`; `None` if the round is over.
    pub fn next_turn(&mut self, began: Instant) -> Option<Slot> {
        let (left, taken) = &mut self.turns;
        let is_late = *taken > 0 && taken.is_multiple_of(TURNS) && began.elapsed() >= ROUND;
        if *left == 0 || is_late {
            return None;
        }
        (*left, *taken) = (*left - 1, *taken + 1);
        self.members.dequeue()
    }

    /// After a turn: queues the member again, or removes it. `again` if it certainly needs another
    /// turn.
    pub fn end_turn(&mut self, slot: Slot, again: bool, runtime: &Runtime) {
        let Some(member) = self.members.get_mut(slot) else { return };
        let deadline = member.deadline();
        if member.is_gone() {
            self.members.remove(slot);
        } else if again || member.wants_turn(runtime) {
            self.members.enqueue(slot);
        } else if member.is_stalled(runtime) {
            self.stalled.insert(slot);
        }
        self.members.arm(slot, deadline);
    }

    /// Whether something can be done now.
    pub fn is_busy(&self, runtime: &Runtime) -> bool {
        let resumes = !self.stalled.is_empty() && !runtime.is_output_full();
        resumes || self.members.waiting() > 0 || self.acceptor.is_ready()
    }

    /// When the next action of a member or of accepting is due.
    pub fn due(&mut self) -> Option<Instant> {
        self.members.deadline().into_iter().chain(self.acceptor.deadline()).min()
    }
}
