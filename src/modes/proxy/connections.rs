//! The directions of relayed connections as the connections of a script runner.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use super::pair::{ProxyPair, ProxyShared};
use crate::config::rule::Rules;
use crate::engine::crowd::{Crowd, Member as _};
use crate::engine::outbox::{Producer, Sender};
use crate::engine::relay::Release;
use crate::engine::runtime::Runtime;
use crate::event::{ConnId, Direction};
use crate::output::reporter::Reporter;
use crate::script::runner::{ClientFacts, Connections};
use crate::session::Endpoint;
use crate::ui::filter::ClientSet;
use crate::wire::Role;
use crate::wire::close::CloseBody;

/// The connections of a proxy.
pub struct ProxyPairs {
    /// The data that all connections share.
    pub shared: ProxyShared,
    /// All connections.
    pub all: Crowd<ProxyPair>,
    /// The URLs of the proxy.
    pub urls: Vec<String>,
}

/// All connections, each with two directions.
pub struct AllPairs<'a> {
    /// The connections.
    pub pairs: &'a mut ProxyPairs,
    /// The sinks, stdout and the poll.
    pub runtime: &'a mut Runtime,
}

impl AllPairs<'_> {
    /// The connection with this number, or with the number of one of its directions.
    fn pair(&self, id: ConnId) -> Option<&ProxyPair> {
        self.pairs.all.member(id.pair())
    }

    /// Like [`Self::pair`], to change it: it gets a turn.
    fn pair_mut(&mut self, id: ConnId) -> Option<&mut ProxyPair> {
        self.pairs.all.member_mut(id.pair())
    }

    /// The open connections, in the order of their numbers.
    fn open(&self) -> Vec<ConnId> {
        let open = self.pairs.all.iter().filter(|pair| pair.is_open());
        let mut open: Vec<ConnId> = open.map(ProxyPair::id).collect();
        open.sort_unstable();
        open
    }
}

impl Connections for AllPairs<'_> {
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
        let open = self.open();
        match target {
            ClientSet::All => open,
            ClientSet::Only(ids) => {
                ids.iter().copied().filter(|id| open.contains(&id.pair())).collect()
            }
            ClientSet::Every(direction) => {
                open.into_iter().map(|id| id.towards(*direction)).collect()
            }
            ClientSet::Last(direction) => {
                open.last().map(|id| id.towards(*direction)).into_iter().collect()
            }
        }
    }

    fn has_room(&self, target: &ClientSet, producer: Producer) -> bool {
        let present = self.present(target);
        let has_room = |id: &ConnId| {
            let gate = id.direction().and_then(|direction| self.pair(*id)?.gate(direction));
            gate.is_none_or(|gate| gate.has_room_for(producer))
        };
        present.is_empty() || present.iter().any(has_room)
    }

    fn may_connect(&self, target: &ClientSet) -> bool {
        match target {
            ClientSet::Only(ids) => ids
                .iter()
                .any(|id| id.pair().0 > self.pairs.all.accepted() || self.pair(*id).is_some()),
            _ => true,
        }
    }

    fn sender(&mut self, id: ConnId, now: Instant) -> Option<Sender<'_>> {
        let direction = id.direction()?;
        Some(self.pair_mut(id)?.gate_mut(direction)?.sender(now))
    }

    fn endpoint_mut(&mut self, _: ConnId) -> Option<&mut Endpoint> {
        None
    }

    fn endpoint(&self, id: ConnId) -> Option<&Endpoint> {
        let direction = id.direction()?;
        self.pair(id)?.gate(direction).map(|gate| gate.endpoint())
    }

    fn clients(&self, _: Instant) -> Vec<ClientFacts> {
        let facts = |pair: &ProxyPair| ClientFacts {
            id: pair.id(),
            about: self.runtime.reporter.redactor().text(&pair.about()).into_owned(),
            state: pair.state(),
            times: None,
        };
        let mut all: Vec<ClientFacts> = self.pairs.all.iter().map(facts).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    fn rules(&self) -> Option<Rc<RefCell<Rules>>> {
        self.pairs.shared.intervening.rules.clone()
    }

    fn held(&self, target: &ClientSet) -> Option<(ConnId, Vec<u8>)> {
        let directions = [Direction::ToServer, Direction::ToClient];
        let ids = self.open().into_iter().flat_map(|id| directions.map(|to| id.towards(to)));
        ids.filter(|id| target.includes(*id)).find_map(|id| {
            let gate = self.pair(id)?.gate(id.direction()?)?;
            Some((id, gate.first_held()?.to_vec()))
        })
    }

    fn release(&mut self, id: ConnId, how: Release) -> bool {
        let Some(direction) = id.direction() else { return false };
        let Some(pair) = self.pairs.all.member_mut(id.pair()) else { return false };
        let Some(gate) = pair.gate_mut(direction) else { return false };
        // If an output failed, the next round ends the run.
        gate.release(how, self.runtime).unwrap_or(false)
    }

    fn close_both(&mut self, id: ConnId, body: &CloseBody, now: Instant) -> bool {
        let Some(pair) = self.pairs.all.member_mut(id.pair()) else { return false };
        // If an output failed, the next round ends the run.
        pair.close(body, self.runtime, now).unwrap_or(false)
    }

    fn urls(&self) -> &[String] {
        &self.pairs.urls
    }
}
