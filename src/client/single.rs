//! The client's only connection (or none), for a script runner.

use std::time::Instant;

use crate::engine::connection::Connection;
use crate::engine::outbox::{Producer, Sender};
use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::script::runner::Connections;
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// The number of a connection without its own number.
const ONLY: ConnId = ConnId(1);

/// The client's connection, if there is one.
pub struct SingleConnection<'a> {
    /// The sinks, stdout and the poll.
    pub runtime: &'a mut Runtime,
    /// The connection.
    pub connection: Option<&'a mut Connection>,
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
        self.connection.iter().map(|_| ONLY).collect()
    }

    /// Without a connection, lines must wait, because later lines may open another one.
    fn has_room(&self, _: &ClientSet, producer: Producer) -> bool {
        self.connection.as_ref().is_none_or(|connection| {
            connection.state() != State::Closed && connection.has_room(producer)
        })
    }

    fn may_connect(&self, _: &ClientSet) -> bool {
        self.connection.is_some()
    }

    fn sender(&mut self, _: ConnId, now: Instant) -> Option<Sender<'_>> {
        self.connection.as_mut().map(|connection| connection.sender(now))
    }

    fn endpoint_mut(&mut self, _: ConnId) -> Option<&mut Endpoint> {
        self.connection.as_mut()?.endpoint_mut()
    }

    fn endpoint(&self, _: ConnId) -> Option<&Endpoint> {
        self.connection.as_ref()?.endpoint()
    }
}
