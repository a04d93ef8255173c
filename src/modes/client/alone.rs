//! The one connection of a client as a stage for lines.

use crate::event::ConnId;
use crate::modes::client::desk::Desk;
use crate::modes::conductor::{Line, Stage};
use crate::modes::report::Reporter;
use crate::net::link::HIGH_WATER;
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::command::Target;
use crate::wire::Role;

/// A connection whose number nobody needs.
const ALONE: ConnId = ConnId(1);

/// The client's connection, if there is one.
pub struct Alone<'a> {
    desk: &'a mut Desk,
    line: Option<Line<'a>>,
}

impl<'a> Alone<'a> {
    /// With the way to the peer, or without.
    pub fn new(desk: &'a mut Desk, line: Option<Line<'a>>) -> Self {
        Self { desk, line }
    }
}

impl Stage for Alone<'_> {
    fn role(&self) -> Role {
        Role::Client
    }

    fn desk(&mut self) -> &mut Desk {
        self.desk
    }

    fn reporter(&self) -> &Reporter {
        &self.desk.reporter
    }

    fn present(&self, _: &Target) -> Vec<ConnId> {
        self.line.iter().map(|_| ALONE).collect()
    }

    /// Not while much waits to be sent, nor once it is over, for the lines that follow may open
    /// another connection.
    fn has_room(&self, _: &Target) -> bool {
        self.line.as_ref().is_none_or(|Line { endpoint, link }| {
            endpoint.state() != State::Closed
                && link.tx.len() < HIGH_WATER
                && link.pending() < HIGH_WATER
        })
    }

    fn may_come(&self, _: &Target) -> bool {
        self.line.is_some()
    }

    fn line(&mut self, _: ConnId) -> Option<Line<'_>> {
        self.line.as_mut().map(|Line { endpoint, link }| Line { endpoint, link })
    }

    fn endpoint(&self, _: ConnId) -> Option<&Endpoint> {
        self.line.as_ref().map(|line| &*line.endpoint)
    }
}
