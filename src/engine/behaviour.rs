//! The interface between a connection and what it does: a [`Behaviour`] gets what the peer sends,
//! and can send.
//!
//! Each behaviour says what it needs: runs of small messages, whole messages, or pieces as they
//! arrive. The connection takes the cheapest way that serves all.

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

/// Bytes of content after which a turn should end, however few they are when compressed.
pub const TURN_CONTENT: usize = 1024 * 1024;

/// What a behaviour has at hand when it is called.
pub struct Context<'a> {
    /// The connection.
    pub conn: ConnId,
    /// Sends to the peer.
    pub sender: Sender<'a>,
    /// The writer of stdout.
    pub stdout: &'a mut Stdout,
    /// Set it, and what the peer sends from now on reaches no behaviour.
    pub ignore_rest: &'a mut bool,
}

/// What a connection does with what it sees.
///
/// Every method has a default that does nothing.
pub trait Behaviour {
    /// Whether messages are wanted in pieces, through [`Behaviour::on_event`], where they do not
    /// lie whole in the receive buffer. Otherwise [`Behaviour::on_message`] gets them assembled.
    fn streams(&self) -> bool {
        false
    }

    /// Whether [`Behaviour::take_run`] is used.
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

    /// Takes an event after the peer's Close, including the Close. Nothing acts on these.
    fn on_late(&mut self, _event: &FrameEvent<'_>) {}

    /// The peer answered our ping, after this time.
    fn on_round_trip(&mut self, _time: Duration, _cx: &mut Context<'_>) {}

    /// Whether the peer should not be read now, because what it sends would have to wait here.
    fn is_full(&self, _stdout: &Stdout) -> bool {
        false
    }

    /// Something to be noted about the connection, once.
    fn take_note(&mut self) -> Option<String> {
        None
    }

    /// Bytes that wait in memory here.
    fn held(&self) -> usize {
        0
    }

    /// Sends what the behaviour has to send by itself; called once in each turn. `pending` bytes
    /// wait in the send buffer.
    ///
    /// # Errors
    ///
    /// This side failed, in a sentence: the connection is closed with 1011.
    fn on_turn(&mut self, _pending: usize, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Whether [`Behaviour::on_turn`] would do something at once; `pending` as there.
    fn is_ready(&self, _outbox: &Outbox, _pending: usize) -> bool {
        false
    }

    /// When [`Behaviour::on_turn`] is to be called at the latest, while the connection is open.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Notes that the poll reports that a pipe of the behaviour's process is ready.
    fn pipe_ready(&mut self, _pipe: Pipe) {}

    /// The connection has ended: gives back a process whose end is to be awaited.
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
    /// Does what is due after `messages` of the peer, the last byte of which arrived at
    /// `last_received`. Returns what is to be reported.
    fn act(
        &mut self,
        messages: u64,
        last_received: Instant,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
        now: Instant,
    ) -> Vec<String>;

    /// Takes away what must not be sent.
    fn trim(&mut self, tx: &mut Vec<u8>);

    /// Limits what can be sent and received from now on.
    fn pace(&mut self, link: &mut Link, now: Instant);

    /// Notes what has been sent; ends the connection where the stream stops.
    fn after_flush(&mut self, link: &mut Link, endpoint: &mut Endpoint, now: Instant);

    /// Whether the peer is read now.
    fn may_read(&self, link: &Link) -> bool;

    /// Notes that so many bytes were received.
    fn has_read(&mut self, n: usize, now: Instant);

    /// Whether the transport stays open although the closing handshake is done.
    fn keeps_transport(&self) -> bool;

    /// Whether the end that it made is one in order, with FIN.
    fn ends_in_order(&self) -> bool;

    /// When something is due.
    fn deadline(&self, last_received: Instant) -> Option<Instant>;
}
