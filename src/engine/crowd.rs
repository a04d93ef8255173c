//! The connections of a server, whatever it does with them: they come, have their turns, leave.

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

/// A round ends after that: signals, timers and events wait for its end.
const ROUND: Duration = Duration::from_millis(20);

/// Turns after which the clock is looked at.
const TURNS: usize = 8;

/// Clients that are answered that there are too many, at once; more are dropped without an answer.
const TURNED_AWAY: usize = 64;

/// One of them.
pub trait Member {
    /// Its number.
    fn id(&self) -> ConnId;

    /// When something is due.
    fn deadline(&self) -> Option<Instant>;

    /// Whether another turn would do something, without an event.
    fn wants_turn(&self, runtime: &Runtime) -> bool;

    /// Whether it waits for an output or for others, which its own events do not report.
    fn is_stalled(&self, runtime: &Runtime) -> bool;

    /// Whether it can be dropped.
    fn is_gone(&self) -> bool;
}

/// Somebody who has come.
pub struct Arrival {
    /// The number of the connection.
    pub id: ConnId,
    /// The address; none on a Unix socket.
    pub address: Option<SocketAddr>,
    /// Where it will be.
    pub slot: Slot,
    /// The accepted socket.
    pub link: SocketLink,
    /// How many there may be, if they are there.
    pub excess: Option<usize>,
}

/// All of them, and those who wait to come.
pub struct Crowd<M> {
    members: Slots<M>,
    acceptor: ConnectionAcceptor,
    accepted: u64,
    /// Members that wait for an output, or for others.
    stalled: BTreeSet<Slot>,
    /// Turns of this round that are left, and that were taken.
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
    /// Begins without members.
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

    /// One of them, by its number.
    pub fn member(&self, id: ConnId) -> Option<&M> {
        self.members.iter().find(|member| member.id() == id)
    }

    /// One of them, by its number. It gets a turn, so that what is done to it takes effect.
    pub fn member_mut(&mut self, id: ConnId) -> Option<&mut M> {
        let slot = self.members.find(|member| member.id() == id)?;
        self.members.enqueue(slot);
        self.members.get_mut(slot)
    }

    /// Notes that somebody may wait.
    pub fn set_ready(&mut self) {
        self.acceptor.set_ready();
    }

    /// Accepts nobody any more.
    pub fn stop_accepting(&mut self) {
        self.acceptor.stop();
    }

    /// Takes those who wait, some in a round. `most` may be there at once; a few more are let in to be
    /// answered so. `socket` is the token of a slot's socket.
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
                // The system has no memory for one more, or not for this user.
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
            // Its request may be there already.
            self.members.enqueue(slot);
        }
        Ok(())
    }

    /// Gives a turn to those for whom it is time.
    pub fn begin_round(&mut self, runtime: &Runtime, now: Instant) {
        self.members.expire(now);
        if !runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|slot| self.members.enqueue(slot));
        }
        self.turns = (self.members.waiting(), 0);
    }

    /// Whose turn it is in the round that began then, if it is not over.
    pub fn next_turn(&mut self, began: Instant) -> Option<Slot> {
        let (left, taken) = &mut self.turns;
        let is_late = *taken > 0 && taken.is_multiple_of(TURNS) && began.elapsed() >= ROUND;
        if *left == 0 || is_late {
            return None;
        }
        (*left, *taken) = (*left - 1, *taken + 1);
        self.members.dequeue()
    }

    /// After a turn: whether there is another, or none any more. `again` if it is sure that there is.
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

    /// Whether there is something to do at once.
    pub fn is_busy(&self, runtime: &Runtime) -> bool {
        let resumes = !self.stalled.is_empty() && !runtime.is_output_full();
        resumes || self.members.waiting() > 0 || self.acceptor.is_ready()
    }

    /// When something is due, of them and of those who wait.
    pub fn due(&mut self) -> Option<Instant> {
        self.members.deadline().into_iter().chain(self.acceptor.deadline()).min()
    }
}
