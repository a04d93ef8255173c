//! What all clients of a server share: printers, stdout, buffers, and what they have for each other.

use std::io;
use std::time::Instant;

use crate::behaviour::greeting::Greeting;
use crate::config::ListenConfig;
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Ending, Event};
use crate::net::child::Dying;
use crate::net::link::{Buffers, HIGH_WATER};
use crate::net::tls::TlsServer;
use crate::output::payload::PayloadSink;
use crate::script::runner::{ExpectQueue, Notifier};
use crate::wire::Data;

/// What all clients share.
pub struct Shared {
    /// What was asked for.
    pub config: ListenConfig,
    /// Poll, stdout, signals, printers.
    pub runtime: Runtime,
    /// Lent to whoever has its turn.
    pub buffers: Buffers,
    /// The acceptor, if TLS is spoken.
    pub tls: Option<TlsServer>,
    /// What each client is sent first.
    pub greeting: Option<Greeting>,
    /// How many clients there may be at once.
    pub most_clients: usize,
    /// Writes messages to stdout.
    pub delivery: PayloadSink,
    /// Messages of the client that has its turn, for the others.
    pub outbox: Outbox,
    /// Processes of clients that have left.
    pub dying: Vec<Dying>,
    /// Messages received in all.
    pub messages: u64,
    /// Messages for `/expect`, where lines are carried out.
    pub ear: Option<ExpectQueue>,
    /// Talks to whoever runs the server.
    pub notifier: Notifier,
    /// Where it listens.
    pub urls: Vec<String>,
    /// Sessions that have opened or ended: who is there has changed when this has.
    pub membership_epoch: u64,
    /// The session that ended last.
    pub ended: Option<Ending>,
}

impl Shared {
    /// Tells the printers; true if nobody looks, so that a line is still to be said.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn tell(&mut self, conn: ConnId, event: &Event<'_>) -> io::Result<()> {
        self.runtime.reporter.emit_for(conn, event, &mut self.runtime.stdout)
    }

    /// Tells something of a connection that is no event of the protocol, to whoever listens.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn note(&mut self, conn: ConnId, text: &str) -> io::Result<()> {
        self.tell(conn, &Event::Note(text))?;
        self.say(conn, text);
        Ok(())
    }

    /// Whether events are told.
    pub fn looks(&self) -> bool {
        self.runtime.reporter.looks_at_frames()
    }

    /// Says a line about a client, where no transcript tells it.
    pub fn say(&self, conn: ConnId, text: &str) {
        if !self.runtime.reporter.has_transcript() && self.runtime.reporter.prints_warnings() {
            self.notifier.of(conn.0, text);
        }
    }

    /// Whether more can be written for all, and to stdout.
    pub fn has_room(&self) -> bool {
        !self.runtime.is_output_full() && !self.outbox.is_full()
    }

    /// Urges on the processes of clients that have left; gives when to look again.
    pub fn tend_the_dying(&mut self, now: Instant) -> Option<Instant> {
        self.dying.retain_mut(|dying| !dying.look(now));
        self.dying.iter().map(Dying::deadline).min()
    }
}

/// Messages handed on at once: small ones, to a thousand clients, would take a second.
const POSTS: usize = 1024;

/// Messages on their way from one client to the others.
#[derive(Default)]
pub struct Outbox {
    posts: Vec<(Data, usize)>,
    bytes: Vec<u8>,
}

impl Outbox {
    /// Puts a message in.
    pub fn post(&mut self, opcode: Data, content: &[u8]) {
        self.bytes.extend_from_slice(content);
        self.posts.push((opcode, self.bytes.len()));
    }

    /// Whether the others should have these before there are more.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= HIGH_WATER || self.posts.len() >= POSTS
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// The messages in their order.
    pub fn messages(&self) -> impl Iterator<Item = (Data, &[u8])> {
        let starts = std::iter::once(0).chain(self.posts.iter().map(|(_, end)| *end));
        self.posts
            .iter()
            .zip(starts)
            .map(|((opcode, end), start)| (*opcode, &self.bytes[start..*end]))
    }

    /// Empties it; one large message must not hold its memory for ever.
    pub fn clear(&mut self) {
        self.posts.clear();
        self.bytes.clear();
        self.bytes.shrink_to(2 * HIGH_WATER);
    }
}
