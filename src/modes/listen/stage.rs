//! The clients of a server as the connections of a script runner.

use std::time::Instant;

use crate::engine::runtime::Runtime;
use crate::event::ConnId;
use crate::modes::listen::client::Stage as Progress;
use crate::modes::listen::hub::Hub;
use crate::net::link::HIGH_WATER;
use crate::output::reporter::Reporter;
use crate::script::runner::{ClientFacts, Connections, ExpectQueue, Sender, Settings};
use crate::session::Endpoint;
use crate::ui::filter::ClientSet;
use crate::wire::Role;

impl Connections for Hub {
    fn role(&self) -> Role {
        Role::Server
    }

    fn runtime(&mut self) -> &mut Runtime {
        &mut self.shared.runtime
    }

    fn reporter(&self) -> &Reporter {
        &self.shared.runtime.reporter
    }

    fn present(&self, target: &ClientSet) -> Vec<ConnId> {
        let open = |id: &ConnId| self.client(*id).is_some_and(|client| client.is_open());
        match target {
            ClientSet::All => {
                let open = self.clients().filter(|client| client.is_open());
                open.map(|client| client.id()).collect()
            }
            ClientSet::Only(ids) => ids.iter().copied().filter(open).collect(),
        }
    }

    fn has_room(&self, target: &ClientSet) -> bool {
        let mut nobody = true;
        for client in self.clients() {
            if target.includes(client.id()) && client.is_open() {
                if client.link.pending() < HIGH_WATER {
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
                ids.iter().any(|id| id.0 > self.connections() || self.client(*id).is_some())
            }
        }
    }

    fn sender(&mut self, id: ConnId) -> Option<Sender<'_>> {
        let (session, link) = self.client_mut(id)?.open_mut()?;
        session.shed(link, Instant::now());
        Some(Sender { endpoint: &mut session.endpoint, link })
    }

    fn endpoint(&self, id: ConnId) -> Option<&Endpoint> {
        self.client(id)?.session().map(|session| &session.endpoint)
    }

    fn collect_messages(&mut self, backlog: &mut ExpectQueue) {
        if let Some(ear) = &mut self.shared.ear {
            backlog.append(ear);
        }
    }

    fn set_defaults(&mut self, settings: &Settings) {
        let endpoint = &mut self.shared.config.endpoint;
        endpoint.auto_pong = settings.auto_pong.unwrap_or(endpoint.auto_pong);
        endpoint.auto_close = settings.auto_close;
        endpoint.compress = settings.compress;
    }

    fn clients(&self, now: Instant) -> Vec<ClientFacts> {
        let mut all: Vec<ClientFacts> = Hub::clients(self)
            .map(|client| {
                let state = match &client.stage {
                    Progress::Securing { .. } => "in the TLS handshake",
                    Progress::Asking { .. } => "in the opening handshake",
                    Progress::Open(session) if session.is_open() => "open",
                    Progress::Open(_) => "closing",
                    Progress::Leaving { .. } | Progress::Gone => "leaving",
                };
                let about = match client.about() {
                    "" => client.peer_name(&self.shared),
                    about => about.to_owned(),
                };
                let times = client.session().map(|session| {
                    let idle = now.saturating_duration_since(session.heard());
                    (session.endpoint.age(now), idle)
                });
                ClientFacts { id: client.id(), about, state, times }
            })
            .collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    fn urls(&self) -> &[String] {
        &self.shared.urls
    }
}
