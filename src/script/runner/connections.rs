//! The interface of a runner to the connections: the one of a client, or those of a server.
//!
//! A runner uses their numbers to send on them; the modes own the connections.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::config::rule::Rules;
use crate::engine::outbox::{Producer, Sender};
use crate::engine::relay::Release;
use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::session::Endpoint;
use crate::session::endpoint::AutoPong;
use crate::ui::filter::ClientSet;
use crate::wire::Role;
use crate::wire::close::CloseBody;

/// The connections on which a runner carries out lines.
pub trait Connections {
    /// The side of this program.
    fn role(&self) -> Role;

    /// The printers, stdout and the poll.
    fn runtime(&mut self) -> &mut Runtime;

    /// The printers, to read their state.
    fn reporter(&self) -> &Reporter;

    /// The open connections of `target`.
    fn present(&self, target: &ClientSet) -> Vec<ConnId>;

    /// Whether a connection of `target` has room for more data: the fastest one decides. If none is
    /// open, there is room.
    fn has_room(&self, target: &ClientSet, producer: Producer) -> bool;

    /// Whether a connection of `target` is open, or may still open.
    fn may_connect(&self, target: &ClientSet) -> bool;

    /// The sender of a connection, if it is open.
    fn sender(&mut self, id: ConnId, now: Instant) -> Option<Sender<'_>>;

    /// The endpoint of a connection, to change its settings.
    fn endpoint_mut(&mut self, id: ConnId) -> Option<&mut Endpoint>;

    /// The endpoint of a connection, to read its state.
    fn endpoint(&self, id: ConnId) -> Option<&Endpoint>;

    /// Sets the endpoints of future connections.
    fn set_defaults(&mut self, _: &Settings) {}

    /// The clients of a server, including those that are connecting or closing.
    fn clients(&self, _: Instant) -> Vec<ClientFacts> {
        Vec::new()
    }

    /// Whether the connections are relayed: then a line that sends names a direction.
    fn relays(&self) -> bool {
        self.rules().is_some()
    }

    /// The rules for passing messages, if connections are relayed.
    fn rules(&self) -> Option<Rc<RefCell<Rules>>> {
        None
    }

    /// The first held message, and its connection.
    fn held(&self, _: &ClientSet) -> Option<(ConnId, Vec<u8>)> {
        None
    }

    /// Releases the first held message of a direction. Returns whether there was one.
    fn release(&mut self, _: ConnId, _: Release) -> bool {
        false
    }

    /// Sends a Close to both ends of a relayed connection. Returns whether that was possible.
    fn close_both(&mut self, _: ConnId, _: &CloseBody, _: Instant) -> bool {
        false
    }

    /// The URLs of a server.
    fn urls(&self) -> &[String] {
        &[]
    }
}

/// A server's client, for a list.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Its number.
    pub id: ConnId,
    /// Address, path, user agent, and the agreed subprotocol and extensions; safe for a terminal.
    pub about: String,
    /// The state of its connection.
    pub state: &'static str,
    /// How long the connection has been open, and how long it has been silent; `None` before it is
    /// open.
    pub times: Option<(Duration, Duration)>,
}

/// The settings of every new connection.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How pings are answered; `None` keeps the setting of the command line.
    pub auto_pong: Option<AutoPong>,
    /// Whether wscope answers a Close.
    pub auto_close: bool,
    /// Whether wscope compresses messages, if both sides agreed to compression.
    pub compress: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { auto_pong: None, auto_close: true, compress: true }
    }
}
