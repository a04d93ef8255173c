//! The data that all clients of a server share.

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

/// The data that all clients share.
pub struct ListenShared {
    /// The configuration.
    pub config: ListenConfig,
    /// The acceptor, if TLS is used.
    pub tls: Option<TlsServer>,
    /// The first messages to each client.
    pub greeting: Option<Greeting>,
    /// The largest number of clients at the same time.
    pub most_clients: usize,
    /// How messages are written to stdout.
    pub sink: PayloadSink,
    /// stdout contains an incomplete message; this is only possible if clients can't mix there.
    pub half_written: Rc<Cell<bool>>,
    /// The messages of the current client, for the other clients.
    pub posts: Rc<RefCell<Posts>>,
    /// The message of `--reply`.
    pub reply: Option<Rc<[u8]>>,
    /// The recorded server of `--replay`.
    pub mock: Option<Rc<MockScript>>,
    /// The server that answers messages that the recording does not have.
    pub upstreams: Option<Upstreams>,
    /// The limits for queued data in memory, and for the part that waits to be sent.
    pub memory: Rc<Budget>,
    pub backlog: Rc<Budget>,
    /// Processes of clients that have left.
    pub dying: Vec<(ConnId, Dying)>,
    /// `--exit-after`.
    pub stop: Option<Rc<RefCell<StopCondition>>>,
    /// The messages for `/expect`, if lines are run.
    pub received: Option<Rc<Inbox>>,
    /// `--each`: the script of each client, and the running scripts.
    pub script: Option<Source>,
    pub scripts: Vec<ClientScript>,
    /// Increases when a connection opens or ends.
    pub membership_epoch: u64,
    /// The connection that ended last.
    pub ended: Option<Ending>,
}

impl ListenShared {
    /// The initial state of a server.
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

    /// Sends the next signals to processes of clients that have left.
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
