//! The interface between a connection and what it does: a [`Behaviour`] gets what the peer sends,
//! and can send.
//!
//! Each behaviour says what it needs: runs of small messages, whole messages, or pieces as they
//! arrive. The connection uses the cheapest way that satisfies all behaviours.

use std::io;
use std::time::{Duration, Instant};

use super::outbox::{Outbox, Sender};
use crate::event::{ConnId, FrameEvent};
use crate::net::child::Dying;
use crate::net::link::Link;
use crate::net::stdio::Stdout;
use crate::session::observer::Run;
use crate::session::{Endpoint, Observer};
use crate::wire::Data;
use crate::wire::decoder::Input;

/// The amount of content after which a turn should end, even if it is little when compressed.
pub const TURN_CONTENT: usize = 1024 * 1024;

/// The objects that a behaviour can use when it is called.
pub struct Context<'a> {
    /// The connection.
    pub conn: ConnId,
    /// Sends to the peer.
    pub sender: Sender<'a>,
    /// The writer of stdout.
    pub stdout: &'a mut Stdout,
    /// If set, no later data of the peer reaches a behaviour.
    pub ignore_rest: &'a mut bool,
}

/// What a connection does with received data.
///
/// Every method has a default that does nothing.
pub trait Behaviour {
    /// Whether the behaviour wants a message in pieces, through [`Behaviour::on_event`], if the
    /// message does not lie whole in the receive buffer. Otherwise, [`Behaviour::on_message`] gets
    /// it assembled.
    fn streams(&self) -> bool {
        false
    }

    /// Whether the connection may call [`Behaviour::take_run`].
    fn takes_runs(&self) -> bool {
        false
    }

    /// Takes a run of small messages without their events, at most `most` bytes of the stream.
    fn take_run(
        &mut self,
        _inbound: &mut Observer,
        _input: &mut Input<'_>,
        _most: usize,
        _cx: &mut Context<'_>,
    ) -> Run {
        Run::default()
    }

    /// Takes a whole message.
    fn on_message(
        &mut self,
        _opcode: Data,
        _content: &[u8],
        _cx: &mut Context<'_>,
    ) -> io::Result<()> {
        Ok(())
    }

    /// Takes an event of a message in pieces, if the behaviour streams.
    fn on_event(&mut self, _event: &FrameEvent<'_>, _cx: &mut Context<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Takes an event after the peer's Close, including the Close. Nothing reacts to these events.
    fn on_late(&mut self, _event: &FrameEvent<'_>) {}

    /// Takes the time between our ping and its pong.
    fn on_round_trip(&mut self, _time: Duration, _cx: &mut Context<'_>) {}

    /// Whether to stop reading from the peer, because the data would have to wait in this
    /// behaviour.
    fn is_full(&self, _stdout: &Stdout) -> bool {
        false
    }

    /// A note about the connection; returns it once.
    fn take_note(&mut self) -> Option<String> {
        None
    }

    /// The number of bytes that wait in this behaviour's memory.
    fn held(&self) -> usize {
        0
    }

    /// Sends the behaviour's own data; called once in each turn. `pending` bytes wait in the send
    /// buffer.
    ///
    /// # Errors
    ///
    /// A failure of this side, as a sentence. The connection is closed with 1011.
    fn on_turn(&mut self, _pending: usize, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Whether [`Behaviour::on_turn`] could do something now; `pending` as there.
    fn is_ready(&self, _outbox: &Outbox, _pending: usize) -> bool {
        false
    }

    /// The latest time for the next [`Behaviour::on_turn`], while the connection is open.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Notes that the poll reports that a pipe of the behaviour's process is ready.
    fn pipe_ready(&mut self, _pipe: Pipe) {}

    /// The connection has ended. Returns a process whose end must be awaited.
    fn ended(&mut self, _now: Instant) -> Option<Dying> {
        None
    }
}

/// A pipe to the process of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// Its standard input.
    Stdin,
    /// Its standard output.
    Stdout,
}

/// Breaks rules on purpose: it adds bytes to the sent ones, removes bytes, and slows the transport
/// down.
pub trait Interference {
    /// Does what is due after `messages` of the peer, of which the last byte arrived at
    /// `last_received`. Returns the lines to report.
    fn act(
        &mut self,
        messages: u64,
        last_received: Instant,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) -> Vec<String>;

    /// Removes bytes that must not be sent.
    fn trim(&mut self, tx: &mut Vec<u8>);

    /// Limits sending and receiving from now on.
    fn pace(&mut self, link: &mut Link, now: Instant);

    /// Notes the sent bytes, and ends the connection at the end of the stream that the fault
    /// demands.
    fn after_flush(&mut self, link: &mut Link, endpoint: &mut Endpoint, now: Instant);

    /// Whether the connection may read from the peer now.
    fn may_read(&self, link: &Link) -> bool;

    /// Notes the number of received bytes.
    fn has_read(&mut self, n: usize, now: Instant);

    /// Whether the transport stays open after the closing handshake.
    fn keeps_transport(&self) -> bool;

    /// Whether the fault ended the stream in order, with FIN.
    fn ends_in_order(&self) -> bool;

    /// When the next action is due.
    fn deadline(&self, last_received: Instant) -> Option<Instant>;
}
