//! What all clients of a server share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use super::client_script::ClientScript;
use super::upstream::Upstreams;
use crate::behaviour::broadcast::Posts;
use crate::behaviour::greeting::Greeting;
use crate::behaviour::mock::MockScript;
use crate::behaviour::stop::StopCondition;
use crate::config::ListenConfig;
use crate::engine::memory::Budget;
use crate::event::{ConnId, Ending};
use crate::net::child::Dying;
use crate::net::tls::TlsServer;
use crate::output::notifier::Notifier;
use crate::output::payload::PayloadSink;
use crate::script::runner::{Inbox, Source};
use crate::ui::number::grouped;

/// What all clients share.
pub struct ListenShared {
    /// What was requested.
    pub config: ListenConfig,
    /// The acceptor, if TLS is used.
    pub tls: Option<TlsServer>,
    /// What each client is sent first.
    pub greeting: Option<Greeting>,
    /// How many clients there may be at once.
    pub most_clients: usize,
    /// How messages are written to stdout.
    pub sink: PayloadSink,
    /// stdout holds half a message: never, where several clients share it.
    pub half_written: Rc<Cell<bool>>,
    /// Messages of the client that has its turn, for the others.
    pub posts: Rc<RefCell<Posts>>,
    /// The message of `--reply`.
    pub reply: Option<Rc<[u8]>>,
    /// The recorded server of `--replay`.
    pub mock: Option<Rc<MockScript>>,
    /// The server that answers what it does not have.
    pub upstreams: Option<Upstreams>,
    /// The bounds on what waits in memory, and on what of it waits to be sent.
    pub memory: Rc<Budget>,
    pub backlog: Rc<Budget>,
    /// Processes of clients that have left.
    pub dying: Vec<(ConnId, Dying)>,
    /// `--exit-after`.
    pub stop: Option<Rc<RefCell<StopCondition>>>,
    /// Messages for `/expect`, where lines are carried out.
    pub received: Option<Rc<Inbox>>,
    /// `--each`: the script that each client gets, and those under way.
    pub script: Option<Source>,
    pub scripts: Vec<ClientScript>,
    /// Grows when a connection opens or ends.
    pub membership_epoch: u64,
    /// The connection that ended last.
    pub ended: Option<Ending>,
}

impl ListenShared {
    /// What a server begins with.
    pub fn new(
        config: ListenConfig,
        tls: Option<TlsServer>,
        greeting: Option<Greeting>,
        most_clients: usize,
        received: Option<Rc<Inbox>>,
        script: Option<Source>,
    ) -> Self {
        let memory = Budget::new(config.max_memory);
        let backlog = Budget::part_of(&memory, config.max_backlog);
        let upstreams = config.upstream.clone();
        let upstreams =
            upstreams.map(|open| Upstreams::new(open, &config.traffic.display, &memory));
        Self {
            sink: PayloadSink::new(config.traffic.output, config.traffic.display.terminal.stdout),
            half_written: Rc::default(),
            posts: Posts::new(Rc::clone(&backlog)),
            reply: None,
            mock: None,
            upstreams,
            memory,
            backlog,
            dying: Vec::new(),
            stop: StopCondition::new(config.exit_after, None),
            received,
            script,
            scripts: Vec::new(),
            membership_epoch: 0,
            ended: None,
            config,
            tls,
            greeting,
            most_clients,
        }
    }

    /// Urges on the processes of clients that have left.
    pub(super) fn reap(&mut self, notifier: &Notifier, now: Instant) {
        self.dying.retain_mut(|(id, dying)| {
            let gone = dying.look(now);
            if gone && dying.unread() > 0 {
                let bytes = grouped(dying.unread() as u64);
                notifier.of(id.0, &format!("the command did not read {bytes} bytes of its input"));
            }
            !gone
        });
    }
}
