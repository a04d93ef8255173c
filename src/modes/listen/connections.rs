//! The clients of a server as the connections of a script runner.

use std::sync::Arc;
use std::time::Instant;

use super::client::Client;
use super::hub::Hub;
use crate::engine::connection::Connection;
use crate::engine::crowd::Member as _;
use crate::engine::outbox::{Producer, Sender};
use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::script::runner::{ClientFacts, Connections, Settings};
use crate::session::Endpoint;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

/// A server's clients.
pub struct AllClients<'a> {
    /// The clients.
    pub hub: &'a mut Hub,
    /// The sinks, stdout and the poll.
    pub runtime: &'a mut Runtime,
}

impl AllClients<'_> {
    fn connection(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.hub.client_mut(id)?.connection_mut()
    }
}

impl Connections for AllClients<'_> {
    fn role(&self) -> Role {
        Role::Server
    }

    fn runtime(&mut self) -> &mut Runtime {
        self.runtime
    }

    fn reporter(&self) -> &Reporter {
        &self.runtime.reporter
    }

    fn present(&self, target: &ClientSet) -> Vec<ConnId> {
        let open = |id: &ConnId| self.hub.client(*id).is_some_and(Client::is_open);
        match target {
            ClientSet::All => {
                let open = self.hub.clients().filter(|client| client.is_open());
                open.map(Client::id).collect()
            }
            ClientSet::Only(ids) => ids.iter().copied().filter(open).collect(),
            ClientSet::Every(_) | ClientSet::Last(_) => Vec::new(),
        }
    }

    fn has_room(&self, target: &ClientSet, producer: Producer) -> bool {
        let mut nobody = true;
        for client in self.hub.clients() {
            if target.includes(client.id()) && client.is_open() {
                if client.connection().is_some_and(|c| c.has_room(producer)) {
                    return true;
                }
                nobody = false;
            }
        }
        nobody
    }

    fn may_connect(&self, target: &ClientSet) -> bool {
        match target {
            ClientSet::All => true,
            ClientSet::Only(ids) => {
                ids.iter().any(|id| id.0 > self.hub.connections() || self.hub.client(*id).is_some())
            }
            ClientSet::Every(_) | ClientSet::Last(_) => false,
        }
    }

    fn sender(&mut self, id: ConnId, now: Instant) -> Option<Sender<'_>> {
        self.connection(id).map(|connection| connection.sender(now))
    }

    fn endpoint_mut(&mut self, id: ConnId) -> Option<&mut Endpoint> {
        self.connection(id)?.endpoint_mut()
    }

    fn endpoint(&self, id: ConnId) -> Option<&Endpoint> {
        self.hub.client(id)?.connection()?.endpoint()
    }

    fn set_defaults(&mut self, settings: &Settings) {
        let endpoint = Arc::make_mut(&mut self.hub.shared.config.endpoint);
        endpoint.auto_pong = settings.auto_pong.unwrap_or(endpoint.auto_pong);
        endpoint.auto_close = settings.auto_close;
        endpoint.compress = settings.compress;
    }

    fn clients(&self, now: Instant) -> Vec<ClientFacts> {
        let facts = |client: &Client| ClientFacts {
            id: client.id(),
            about: client.about(),
            state: client.state(),
            times: client.connection().and_then(|connection| {
                let idle = now.saturating_duration_since(connection.active());
                Some((connection.endpoint()?.age(now), idle))
            }),
        };
        let mut all: Vec<ClientFacts> = self.hub.clients().map(facts).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    fn urls(&self) -> &[String] {
        &self.hub.urls
    }
}
