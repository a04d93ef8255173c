//! The one connection of a client as the connections of a script runner.

use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::net::link::HIGH_WATER;
use crate::output::reporter::Reporter;
use crate::script::runner::{Connections, Sender};
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// A connection whose number nobody needs.
const ALONE: ConnId = ConnId(1);

/// The client's connection, if there is one.
pub struct SingleConnection<'a> {
    runtime: &'a mut Runtime,
    line: Option<Sender<'a>>,
}

impl<'a> SingleConnection<'a> {
    /// With the way to the peer, or without.
    pub fn new(runtime: &'a mut Runtime, line: Option<Sender<'a>>) -> Self {
        Self { runtime, line }
    }
}

impl Connections for SingleConnection<'_> {
    fn role(&self) -> Role {
        Role::Client
    }

    fn runtime(&mut self) -> &mut Runtime {
        self.runtime
    }

    fn reporter(&self) -> &Reporter {
        &self.runtime.reporter
    }

    fn present(&self, _: &ClientSet) -> Vec<ConnId> {
        self.line.iter().map(|_| ALONE).collect()
    }

    /// Not while much waits to be sent, nor once it is over, for the lines that follow may open
    /// another connection.
    fn has_room(&self, _: &ClientSet) -> bool {
        self.line.as_ref().is_none_or(|Sender { endpoint, link }| {
            endpoint.state() != State::Closed
                && link.tx.len() < HIGH_WATER
                && link.pending() < HIGH_WATER
        })
    }

    fn may_connect(&self, _: &ClientSet) -> bool {
        self.line.is_some()
    }

    fn sender(&mut self, _: ConnId) -> Option<Sender<'_>> {
        self.line.as_mut().map(|Sender { endpoint, link }| Sender { endpoint, link })
    }

    fn endpoint(&self, _: ConnId) -> Option<&Endpoint> {
        self.line.as_ref().map(|line| &*line.endpoint)
    }
}
