//! The interface of a runner to the connections: the one of a client, or those of a server.
//!
//! It has their numbers, and can send on each; the modes own them.

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

/// The connections that lines can be carried out on.
pub trait Connections {
    /// The side of this program.
    fn role(&self) -> Role;

    /// Printers, stdout, the poll.
    fn runtime(&mut self) -> &mut Runtime;

    /// The printers, to read their state.
    fn reporter(&self) -> &Reporter;

    /// Those of `target` that are open.
    fn present(&self, target: &ClientSet) -> Vec<ConnId>;

    /// Whether one of `target` has room for more: the fastest sets the pace. Where none is open, there
    /// is room.
    fn has_room(&self, target: &ClientSet, producer: Producer) -> bool;

    /// Whether one of `target` is connected, or may still connect.
    fn may_connect(&self, target: &ClientSet) -> bool;

    /// Sends on one of them, if it is open.
    fn sender(&mut self, id: ConnId, now: Instant) -> Option<Sender<'_>>;

    /// The endpoint of one of them, to change how it behaves.
    fn endpoint_mut(&mut self, id: ConnId) -> Option<&mut Endpoint>;

    /// The endpoint of one of them, to read its state.
    fn endpoint(&self, id: ConnId) -> Option<&Endpoint>;

    /// Sets the endpoints of connections still to come.
    fn set_defaults(&mut self, _: &Settings) {}

    /// The clients of a server, those included that are coming or leaving.
    fn clients(&self, _: Instant) -> Vec<ClientFacts> {
        Vec::new()
    }

    /// Whether they are relayed: a line that sends names a direction then.
    fn relays(&self) -> bool {
        self.rules().is_some()
    }

    /// What is done to messages that pass, where connections are relayed.
    fn rules(&self) -> Option<Rc<RefCell<Rules>>> {
        None
    }

    /// The first message that is held, and where.
    fn held(&self, _: &ClientSet) -> Option<(ConnId, Vec<u8>)> {
        None
    }

    /// Lets the first message go that is held in a direction. Returns whether there was one.
    fn release(&mut self, _: ConnId, _: Release) -> bool {
        false
    }

    /// Sends both ends of a relayed connection a Close. Returns whether that was possible.
    fn close_both(&mut self, _: ConnId, _: &CloseBody, _: Instant) -> bool {
        false
    }

    /// Where a server listens.
    fn urls(&self) -> &[String] {
        &[]
    }
}

/// A server's client in a list.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Its number.
    pub id: ConnId,
    /// Address, path, user agent, what was agreed; harmless for a terminal.
    pub about: String,
    /// The state of its connection.
    pub state: &'static str,
    /// How long it has been open, and how long it has been silent; once it is open.
    pub times: Option<(Duration, Duration)>,
}

/// Settings of every connection that is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How pings are answered; `None` leaves it as the command line has it.
    pub auto_pong: Option<AutoPong>,
    /// Whether a Close is answered.
    pub auto_close: bool,
    /// Whether messages are compressed, where that was agreed.
    pub compress: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { auto_pong: None, auto_close: true, compress: true }
    }
}
