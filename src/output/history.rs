//! What a session remembers of its connections: of a client's only one, or of each of a server's.
//!
//! One limit applies to all clients together, because a server may have any number of clients.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use crate::diagnostics::Diagnostic;
use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::net::stdio::Stdout;
use crate::output::connection_history::ConnectionHistory;
use crate::output::frame_store::FrameStore;
use crate::output::sink::Sink;
use crate::ui::HumanOptions;
use crate::ui::meaning::Meaning;
use crate::wire::Role;

/// How many ended connections are remembered.
const ENDED: usize = 32;

/// The limit for all remembered last messages, in bytes.
const LAST_IN_ALL: usize = 64 * 1024 * 1024;

/// The limit for the last message of each client of a server, in bytes.
const LAST_OF_MANY: usize = 1024 * 1024;

/// The key of a client's connection; the next connection replaces it.
const ONLY: ConnId = ConnId(1);

/// The remembered facts of the connections of a run.
pub struct History {
    role: Option<Role>,
    /// The frames of all connections.
    pub frames: FrameStore,
    connections: BTreeMap<ConnId, ConnectionHistory>,
    /// Ended connections, the oldest first.
    ended: VecDeque<ConnId>,
    /// Connections with a last message, the latest at the end.
    received: VecDeque<ConnId>,
    /// The number of bytes of the last messages.
    bytes: usize,
}

impl History {
    /// An empty history that keeps frames in `bound` bytes; `options`: how they look.
    pub fn new(role: Option<Role>, options: HumanOptions, bound: usize) -> Self {
        Self {
            role,
            frames: FrameStore::new(options, bound),
            connections: BTreeMap::new(),
            ended: VecDeque::new(),
            received: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The remembered facts of a connection.
    pub fn of(&self, id: ConnId) -> Option<&ConnectionHistory> {
        self.connections.get(&self.key(id))
    }

    /// The connection that sent the last message, or else the one that opened last.
    pub fn last_received(&self) -> Option<ConnId> {
        let received = self.received.back().copied();
        received.or_else(|| self.connections.last_key_value().map(|(id, _)| *id))
    }

    /// Takes one event.
    fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        if matches!(event, Event::Listening { .. }) {
            return;
        }
        self.frames.take(at, event);
        let id = self.key(at.conn);
        let most = if self.role == Some(Role::Client) { LAST_IN_ALL } else { LAST_OF_MANY };
        let sent = Direction::sent_by(self.role.unwrap_or(Role::Client));
        let history =
            self.connections.entry(id).or_insert_with(|| ConnectionHistory::new(sent, most));
        if self.role == Some(Role::Client) {
            return history.take(at, event);
        }
        let before = history.last_len();
        history.take(at, event);
        self.bytes = self.bytes + history.last_len() - before;
        match event {
            // A relay receives in both directions.
            Event::Frame(direction, FrameEvent::Message(_))
                if self.role.is_none() || *direction == Direction::ToServer =>
            {
                if self.received.back() != Some(&id) {
                    self.received.retain(|other| *other != id);
                    self.received.push_back(id);
                }
                self.forget_messages();
            }
            Event::End(_) | Event::Failed(_) | Event::Passed(_) => {
                self.ended.push_back(id);
                if self.ended.len() > ENDED {
                    self.ended.pop_front().into_iter().for_each(|id| self.forget(id));
                }
            }
            _ => {}
        }
    }

    fn key(&self, id: ConnId) -> ConnId {
        if self.role == Some(Role::Client) { ONLY } else { id }
    }

    /// Drops the oldest last messages if they take too much memory.
    fn forget_messages(&mut self) {
        while self.bytes > LAST_IN_ALL && self.received.len() > 1 {
            let Some(id) = self.received.pop_front() else { return };
            if let Some(history) = self.connections.get_mut(&id) {
                self.bytes -= history.last_len();
                history.last = None;
            }
        }
    }

    fn forget(&mut self, id: ConnId) {
        if let Some(history) = self.connections.remove(&id) {
            self.bytes -= history.last_len();
        }
        self.received.retain(|other| *other != id);
    }
}

impl Sink for History {
    fn event(&mut self, at: &Stamp, event: &Event<'_>, _: &mut Stdout) -> io::Result<()> {
        self.take(at, event);
        Ok(())
    }

    fn meaning(&mut self, at: &Stamp, meaning: &Meaning, _: &mut Stdout) -> io::Result<()> {
        self.frames.mean(at.conn, meaning);
        Ok(())
    }

    fn diagnostics(&mut self, _: &Stamp, _: &[Diagnostic], _: &mut Stdout) -> io::Result<()> {
        Ok(())
    }
}
