//! Where lines are carried out: on the one connection of a client, or on those of a server.
//!
//! The runner knows numbers of connections and what each can do; how they are kept, and what
//! else happens to them, is the mode's affair.

use std::time::{Duration, Instant};

use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::script::runner::expect_queue::ExpectQueue;
use crate::script::runner::send::Sender;
use crate::session::Endpoint;
use crate::session::endpoint::AutoPong;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// The connections that lines can be carried out on.
pub trait Connections {
    /// Whose side it is.
    fn role(&self) -> Role;

    /// Printers, stdout, the poll.
    fn runtime(&mut self) -> &mut Runtime;

    /// The printers, to ask them.
    fn reporter(&self) -> &Reporter;

    /// Who of those meant is there.
    fn present(&self, target: &ClientSet) -> Vec<ConnId>;

    /// Whether more may be sent to those meant: the fastest sets the pace. Nobody needs no room.
    fn has_room(&self, target: &ClientSet) -> bool;

    /// Whether somebody of those meant is there, or may still come.
    fn may_connect(&self, target: &ClientSet) -> bool;

    /// Sends on one of them, if it is open.
    fn sender(&mut self, id: ConnId) -> Option<Sender<'_>>;

    /// The protocol of one of them, to ask it.
    fn endpoint(&self, id: ConnId) -> Option<&Endpoint>;

    /// Hands over the messages that have come, where they are kept outside the runner.
    fn collect_messages(&mut self, _: &mut ExpectQueue) {}

    /// Connections that are still to come begin so.
    fn set_defaults(&mut self, _: &Settings) {}

    /// The clients of a server, those included that are coming or leaving.
    fn clients(&self, _: Instant) -> Vec<ClientFacts> {
        Vec::new()
    }

    /// Where a server listens.
    fn urls(&self) -> &[String] {
        &[]
    }
}

/// What is told of a server's client in a list.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Its number.
    pub id: ConnId,
    /// Address, path, user agent, what was agreed; harmless for a terminal.
    pub about: String,
    /// How far it is.
    pub state: &'static str,
    /// How long it has been open, and how long it has been silent; once it is open.
    pub times: Option<(Duration, Duration)>,
}

/// What is changed on every connection that is opened.
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
