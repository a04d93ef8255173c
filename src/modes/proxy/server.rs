//! A proxy as a task of the event loop: takes connections, gives them their turns, knows when to end.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pair::{Pair, Shared};
use crate::cli::OutputFormat;
use crate::config::ProxyConfig;
use crate::engine::acceptor::{ACCEPTS, Acceptor};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::opening::server::{canonical, peer_name};
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::engine::slots::{Slot, SlotPart, Slots, token};
use crate::event::{ConnId, Event};
use crate::net::link::SocketLink;
use crate::net::listener::{Listeners, descriptors_left};
use crate::net::plain_io::plain_io;
use crate::net::stream::Stream;
use crate::net::tls::TlsServer;
use crate::wire::Role;

/// A round ends after that: signals, timers and events wait for its end.
const ROUND: Duration = Duration::from_millis(20);

/// Turns after which the clock is looked at.
const TURNS: usize = 8;

/// Clients that are answered that there are too many, at once; more are dropped without an answer.
const TURNED_AWAY: usize = 64;

/// A connection with a smaller backlog is not reset for lack of memory.
const SMALL: usize = 64 * 1024;

/// A proxy.
pub struct Server {
    shared: Shared,
    tls: Option<TlsServer>,
    acceptor: Acceptor,
    pairs: Slots<Pair>,
    most: usize,
    connections: u64,
    /// Connections that wait for an output.
    stalled: BTreeSet<Slot>,
    max_time: Option<Instant>,
    exit: Option<Exit>,
}

impl Server {
    /// Begins to listen.
    pub fn new(config: ProxyConfig, tls: Option<TlsServer>, listeners: Listeners) -> Self {
        // Each connection has two sockets.
        let possible = usize::try_from(descriptors_left() / 2).unwrap_or(usize::MAX).max(1);
        Self {
            most: config.max_clients.unwrap_or(possible),
            max_time: config.max_time.map(|time| Instant::now() + time),
            shared: Shared { memory: Budget::new(config.max_memory), config },
            tls,
            acceptor: Acceptor::new(listeners),
            pairs: Slots::default(),
            connections: 0,
            stalled: BTreeSet::new(),
            exit: None,
        }
    }

    /// The status to end with.
    pub fn exit(&self) -> Exit {
        self.exit.unwrap_or(Exit::Failure)
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
        address: Option<SocketAddr>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        if self.pairs.len() >= self.most.saturating_add(TURNED_AWAY) {
            return Ok(());
        }
        self.connections += 1;
        let id = ConnId(self.connections);
        let excess = (self.pairs.len() >= self.most).then_some(self.most);
        if runtime.reporter.looks_at_frames() {
            let local = stream.addresses().map(|(local, _)| canonical(local).to_string());
            let (local, peer) = (local.unwrap_or_default(), peer_name(address));
            runtime.report(id, &Event::Accepted { local: &local, peer: &peer })?;
        }
        let pipe = match self.tls.as_ref().map(|tls| tls.accept()).transpose() {
            Ok(pipe) => pipe,
            Err(error) => return runtime.report(id, &Event::Failed(&error.to_string())),
        };
        let [client, server] = tokens_of(self.pairs.next_slot());
        let socket = token(client, SlotPart::Socket);
        let link = match SocketLink::without_buffer(stream, pipe, runtime.registry(), socket) {
            Ok(link) => link,
            // The system has no memory for one more, or not for this user.
            Err(error) => return runtime.report(id, &Event::Failed(&plain_io(&error))),
        };
        let pair = Pair::new(id, address, server, link, &self.shared, excess, now);
        let deadline = pair.deadline();
        let slot = self.pairs.insert(pair);
        self.pairs.arm(slot, deadline);
        // Its request may be there already.
        self.pairs.enqueue(slot);
        Ok(())
    }

    fn turn(&mut self, slot: Slot, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Some(pair) = self.pairs.get_mut(slot) else { return Ok(()) };
        pair.turn(&self.shared, runtime, now)?;
        let (again, stalled) = (pair.wants_turn(runtime), pair.is_stalled(runtime));
        let (gone, deadline) = (pair.is_gone(), pair.deadline());
        if gone {
            self.pairs.remove(slot);
        } else if again {
            self.pairs.enqueue(slot);
        } else if stalled {
            self.stalled.insert(slot);
        }
        self.pairs.arm(slot, deadline);
        Ok(())
    }

    /// Resets the connection with the slowest end, while too much waits.
    fn shed(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        while self.shared.memory.is_exceeded() {
            let slowest = self.pairs.iter().map(Pair::backlog).max().unwrap_or_default();
            if slowest <= SMALL {
                break;
            }
            let Some(slot) = self.pairs.find(|pair| pair.backlog() == slowest) else { break };
            let Some(pair) = self.pairs.get_mut(slot) else { break };
            let limit = self.shared.memory.limit() >> 20;
            let text = format!("reset: too slow, more than {limit} MiB are queued");
            runtime.report(pair.id(), &Event::Note(&text))?;
            runtime.remark(pair.id(), &text);
            pair.drop_connection();
            self.turn(slot, runtime, Instant::now())?;
        }
        Ok(())
    }

    fn end(&mut self, exit: Exit) {
        self.exit = Some(exit);
        self.acceptor.stop();
        self.pairs.each(|pair| {
            pair.drop_connection();
            true
        });
    }
}

/// A connection has two slots of tokens: the client's leg and the server's.
fn tokens_of(slot: Slot) -> [Slot; 2] {
    [slot * 2, slot * 2 + 1]
}

impl Task for Server {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.accept(runtime, now)?;
        self.pairs.expire(now);
        if !runtime.is_output_full() {
            let stalled = std::mem::take(&mut self.stalled);
            stalled.into_iter().for_each(|slot| self.pairs.enqueue(slot));
        }
        for turn in 1..=self.pairs.waiting() {
            let Some(slot) = self.pairs.dequeue() else { break };
            self.turn(slot, runtime, now)?;
            if turn % TURNS == 0 && now.elapsed() >= ROUND {
                break;
            }
        }
        self.shed(runtime)?;
        if let Some(signal) = runtime.signals.take() {
            self.end(signal.into());
        } else if self.exit.is_none() && self.max_time.is_some_and(|at| at <= now) {
            self.end(Exit::Timeout);
        } else if self.exit.is_none()
            && self.shared.config.output != OutputFormat::None
            && runtime.stdout.is_closed()
        {
            self.end(Exit::Success);
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let unread = self.shared.config.output != OutputFormat::None && runtime.stdout.is_closed();
        if self.exit.is_some() && self.pairs.is_empty() {
            return NextRound::Done;
        }
        if self.pairs.waiting() > 0 || self.acceptor.is_ready() || unread && self.exit.is_none() {
            return NextRound::Now;
        }
        let due = [self.pairs.deadline(), self.acceptor.deadline(), self.max_time];
        NextRound::Wait(due.into_iter().flatten().min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        match ready {
            Ready::Listener => self.acceptor.set_ready(),
            Ready::Socket(token_slot, event) => {
                let (slot, role) = match token_slot % 2 {
                    0 => (token_slot / 2, Role::Client),
                    _ => (token_slot / 2, Role::Server),
                };
                if let Some(pair) = self.pairs.get_mut(slot) {
                    pair.ready(role, event);
                    self.pairs.enqueue(slot);
                }
            }
            // A thread has looked a name up, or dialled.
            Ready::Input { .. } => {
                self.pairs.each(|pair| pair.is_reaching());
            }
            Ready::Pipe(..) => {}
        }
    }
}
