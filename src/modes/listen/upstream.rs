//! `--on-unmatched pass`: the connection of one client of a mock to the server that answers what the
//! recording does not have.
//!
//! It has no sink: the transcript shows its messages on the client's connection.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::rc::Rc;
use std::time::Instant;

use crate::behaviour::mock::{MockPassage, PassedOn};
use crate::cli::OutputFormat;
use crate::client::one_line;
use crate::config::{Display, OpenConfig};
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::memory::Budget;
use crate::engine::opening::{ClientOpening, Opening as _};
use crate::engine::runtime::Runtime;
use crate::engine::slots::Slot;
use crate::output::reporter::Reporter;
use crate::session::EndpointConfig;
use crate::ui::ending::describe;
use crate::wire::close::may_be_sent;
use crate::wire::{CloseCode, Role};

/// The slot of the connection for the client in slot 0; the others follow it.
const FIRST: Slot = usize::MAX / 8;

/// The data that all these connections share.
pub struct Upstreams {
    config: OpenConfig,
    /// A reporter that shows nothing.
    silent: Reporter,
    memory: Rc<Budget>,
}

impl Upstreams {
    /// For connections to this server.
    pub fn new(config: OpenConfig, display: &Display, memory: &Rc<Budget>) -> Self {
        let display = Display { verbose: 0, quiet: true, ..*display };
        let silent = Reporter::new(OutputFormat::None, &display);
        Self { config, silent, memory: Rc::clone(memory) }
    }
}

/// The slot of the client, if this is the slot of such a connection.
pub fn client_of(slot: Slot) -> Option<Slot> {
    slot.checked_sub(FIRST)
}

/// One client's connection.
pub struct Upstream {
    slot: Slot,
    /// The subprotocol of the client.
    subprotocol: Option<String>,
    passage: Rc<RefCell<MockPassage>>,
    stage: UpstreamStage,
}

enum UpstreamStage {
    /// There is no message to forward yet.
    Idle,
    Opening(Box<ClientOpening>),
    Open(Box<Connection>),
    Over,
}

/// How the client must be closed if no server answers it.
pub type UpstreamEnd = (CloseCode, String);

impl Upstream {
    /// The connection for a client. It opens when there is a message to forward.
    pub fn new(client: Slot, subprotocol: Option<&str>) -> Self {
        Self {
            slot: FIRST + client,
            subprotocol: subprotocol.map(str::to_owned),
            passage: Rc::default(),
            stage: UpstreamStage::Idle,
        }
    }

    /// The messages that are being forwarded.
    pub fn passage(&self) -> &Rc<RefCell<MockPassage>> {
        &self.passage
    }

    /// Notes a report of the poll about the socket.
    pub fn ready(&mut self, event: &mio::event::Event) {
        match &mut self.stage {
            UpstreamStage::Opening(opening) => opening.ready(event),
            UpstreamStage::Open(connection) => connection.ready(event),
            UpstreamStage::Idle | UpstreamStage::Over => {}
        }
    }

    /// Whether a lookup in a thread may have ended.
    pub fn is_opening(&self) -> bool {
        matches!(self.stage, UpstreamStage::Opening(_))
    }

    /// Continues as far as possible. After the server has gone, returns how the client must be
    /// closed.
    ///
    /// # Errors
    ///
    /// This side failed.
    pub fn turn(
        &mut self,
        shared: &mut Upstreams,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<UpstreamEnd>> {
        mem::swap(&mut shared.silent, &mut runtime.reporter);
        let end = self.advance(shared, runtime, now);
        mem::swap(&mut shared.silent, &mut runtime.reporter);
        end
    }

    fn advance(
        &mut self,
        shared: &Upstreams,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<UpstreamEnd>> {
        if matches!(self.stage, UpstreamStage::Idle) && self.passage.borrow().asks() {
            let mut config = shared.config.clone();
            config.subprotocols.extend(self.subprotocol.take());
            let opening = ClientOpening::new(&config, self.slot, None, runtime, now).beside();
            self.stage = UpstreamStage::Opening(Box::new(opening));
        }
        if let UpstreamStage::Opening(opening) = &mut self.stage {
            match opening.advance(runtime, now) {
                Ok(None) => return Ok(None),
                Ok(Some(opened)) => {
                    let endpoint = EndpointConfig::new(Role::Client).into();
                    let (limits, agreed) = (shared.config.limits, &opened.report.agreed);
                    let setup = ConnectionSetup {
                        limits,
                        ..ConnectionSetup::new(opened.conn, agreed, Some(&endpoint), &shared.memory)
                    };
                    let mut connection = Connection::new(opened.link, opened.inbound, &setup, now);
                    connection.add(PassedOn(Rc::clone(&self.passage)));
                    self.stage = UpstreamStage::Open(Box::new(connection));
                }
                Err(error) => {
                    self.stage = UpstreamStage::Over;
                    let text = error.to_string();
                    return Ok(Some((CloseCode::Error, one_line(&text).to_owned())));
                }
            }
        }
        let UpstreamStage::Open(connection) = &mut self.stage else { return Ok(None) };
        runtime.give_turn(connection, now)?;
        if !connection.is_over() {
            return Ok(None);
        }
        connection.shut_down();
        let ending = connection.ending(now);
        self.stage = UpstreamStage::Over;
        let close = ending.received.as_ref().filter(|close| close.code.is_some_and(may_be_sent));
        Ok(Some(match close.and_then(|close| Some((close.code?, &close.reason))) {
            Some((code, reason)) => (code.into(), String::from_utf8_lossy(reason).into_owned()),
            None => (CloseCode::Error, describe(&ending)),
        }))
    }

    /// Handles the end of the client.
    pub fn leave(&mut self, runtime: &mut Runtime, shared: &mut Upstreams, now: Instant) {
        if let UpstreamStage::Open(connection) = &mut self.stage {
            let _ = connection.sender(now).close(Some(CloseCode::Normal.into()), "");
            // The answer has no receiver any more.
            let _ = self.turn(shared, runtime, now);
            if let UpstreamStage::Open(connection) = &mut self.stage {
                connection.shut_down();
            }
        }
        self.stage = UpstreamStage::Over;
    }

    /// Whether another turn could do something without an event.
    pub fn wants_turn(&self, runtime: &Runtime) -> bool {
        match &self.stage {
            UpstreamStage::Idle => self.passage.borrow().asks(),
            UpstreamStage::Opening(opening) => opening.wants_turn(),
            UpstreamStage::Open(connection) => {
                connection.wants_turn(&runtime.stdout, &runtime.reporter)
            }
            UpstreamStage::Over => false,
        }
    }

    /// When the next action is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            UpstreamStage::Opening(opening) => opening.deadline(),
            UpstreamStage::Open(connection) => connection.deadline(),
            UpstreamStage::Idle | UpstreamStage::Over => None,
        }
    }
}
