//! One client of a server, from its connection to the last byte.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Token;
use mio::event::Event as Readiness;

use crate::behaviour::faults::FaultInjector;
use crate::event::{ConnId, Direction, Event};
use crate::modes::listen::explain;
use crate::modes::listen::opening::tell_response;
use crate::modes::listen::session::Session;
use crate::modes::listen::shared::Shared;
use crate::modes::listen::sniff;
use crate::net::link::{Fill, Link};
use crate::session::Observer;
use crate::session::endpoint::{SendError, State};
use crate::ui::ending;
use crate::wire::Data;
use crate::wire::handshake::server::Refusal;

/// After our last byte, how long to wait for the client's end of stream. A close before it would
/// become a reset if something of the client's is still on its way, and destroy what we said.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One client.
pub struct Client {
    pub(crate) id: ConnId,
    /// Its address; none on a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) link: Link,
    pub(crate) inbound: Observer,
    pub(crate) stage: Stage,
    /// Those of its process.
    pub(crate) child_tokens: [Token; 2],
    /// There were too many clients before it.
    excess: bool,
    /// Who it is, in a line, once it is known.
    pub(crate) about: Box<str>,
    /// It waits for its turn already.
    pub(crate) queued: bool,
    /// What goes wrong with it on purpose, until it is open.
    pub(crate) injector: Option<Box<FaultInjector>>,
    /// The earliest timer set for it.
    pub(crate) armed: Option<Instant>,
}

/// How far a client is.
pub enum Stage {
    /// The TLS handshake.
    Securing {
        /// Its end, and that of the request.
        until: Instant,
    },
    /// The request's head is awaited.
    Asking {
        /// The end of that.
        until: Instant,
    },
    /// The connection is open.
    Open(Box<Session>),
    /// All is said; the client's end is awaited.
    Leaving {
        /// The end of that.
        until: Instant,
    },
    /// It can be dropped.
    Gone,
}

impl Client {
    /// Takes over a connection, which waits for its first turn.
    pub fn new(
        id: ConnId,
        address: Option<SocketAddr>,
        link: Link,
        child_tokens: [Token; 2],
        excess: bool,
        shared: &Shared,
        now: Instant,
    ) -> Self {
        let until = now + shared.config.handshake_timeout;
        let stage = match link.tls() {
            Some(_) => Stage::Securing { until },
            None => Stage::Asking { until },
        };
        let inbound = Observer::before_handshake(Direction::ToServer, shared.config.limits);
        Self {
            id,
            address,
            link,
            inbound,
            stage,
            child_tokens,
            excess,
            about: Box::default(),
            queued: false,
            injector: FaultInjector::of(shared.config.faults.of(id.0)),
            armed: None,
        }
    }

    /// Its number.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Who it is: address, path, user agent, what was agreed. Safe for a terminal.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The open connection, if it is open.
    pub fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }

    /// The open connection and its link: whoever sends, appends to the link's buffer.
    pub fn open_mut(&mut self) -> Option<(&mut Session, &mut Link)> {
        match &mut self.stage {
            Stage::Open(session) => Some((session, &mut self.link)),
            _ => None,
        }
    }

    /// Whether messages can be sent to it.
    pub fn is_open(&self) -> bool {
        self.session().is_some_and(Session::is_open)
    }

    /// Sends a message, or a piece of one that goes to all.
    pub fn send(&mut self, opcode: Data, piece: &[u8], last: bool, now: Instant) {
        if let Some((session, link)) = self.open_mut() {
            session.send(link, opcode, piece, last, now);
        }
    }

    /// Closes the connection; one that is not open yet is dropped.
    ///
    /// # Errors
    ///
    /// The code may not be sent, the reason is too long, or it is closing already.
    pub fn close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        now: Instant,
    ) -> Result<(), SendError> {
        match &mut self.stage {
            Stage::Open(session) => session.endpoint.close(code, reason, now, &mut self.link.tx),
            Stage::Leaving { .. } | Stage::Gone => Err(SendError::NotOpen),
            Stage::Securing { .. } | Stage::Asking { .. } => {
                self.stage = Stage::Gone;
                Ok(())
            }
        }
    }

    /// Ends at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        match &mut self.stage {
            Stage::Open(session) => session.endpoint.drop_connection(),
            _ => self.stage = Stage::Gone,
        }
    }

    /// Whether it can be dropped.
    pub fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Notes what the poll says of its socket.
    pub fn ready(&mut self, event: &Readiness) {
        self.link.ready(event);
    }

    /// Takes a turn: reads once, answers, does what is due.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed; the connection's own troubles end the connection.
    pub fn turn(&mut self, shared: &mut Shared, late: bool, now: Instant) -> io::Result<()> {
        self.link.lend(&mut shared.buffers);
        let unfinished = self.advance(shared, late, now);
        self.link.take_back(&mut shared.buffers, matches!(unfinished, Ok(true)));
        unfinished.map(drop)
    }

    fn advance(&mut self, shared: &mut Shared, late: bool, now: Instant) -> io::Result<bool> {
        if matches!(self.stage, Stage::Securing { .. }) {
            self.secure(shared, now)?;
        }
        if self.excess && matches!(self.stage, Stage::Asking { .. }) {
            let answer = sniff::turned_away(shared.most_clients);
            self.refuse_foreign(&answer, shared, now)?;
        }
        if matches!(self.stage, Stage::Asking { .. }) {
            self.read_request(shared, late, now)?;
        }
        let mut unfinished = false;
        if let Stage::Open(session) = &mut self.stage {
            unfinished = session.turn(&mut self.link, &mut self.inbound, shared, now)?;
            if session.is_over(&self.link) {
                self.end(shared, now)?;
                unfinished = false;
            }
        }
        if let Stage::Leaving { until } = self.stage {
            self.wait_for_the_end(until, now);
        }
        Ok(unfinished)
    }

    /// Whether another turn would do something, without an event.
    pub fn wants_turn(&self, shared: &Shared) -> bool {
        match &self.stage {
            Stage::Open(session) => session.wants_turn(&self.link, shared),
            Stage::Gone => false,
            _ => self.link.may_fill(),
        }
    }

    /// Whether it waits for stdout, of which its own events tell nothing.
    pub fn waits_for_stdout(&self, shared: &Shared) -> bool {
        self.session().is_some_and(|session| session.waits_for_stdout(&self.link, shared))
    }

    /// When something is due.
    pub fn deadline(&self, shared: &Shared) -> Option<Instant> {
        match &self.stage {
            Stage::Securing { until } | Stage::Asking { until } | Stage::Leaving { until } => {
                Some(*until)
            }
            Stage::Open(session) => session.deadline(shared),
            Stage::Gone => None,
        }
    }

    /// Tells the end of an open connection, and begins to leave.
    fn end(&mut self, shared: &mut Shared, now: Instant) -> io::Result<()> {
        let Stage::Open(session) = &mut self.stage else { return Ok(()) };
        if let Some(child) = session.take_child() {
            shared.dying.push(child.end(now));
        }
        let ending = session.ending(now);
        // A connection that was lost, or given up, has nobody to wait for.
        let dropped = session.endpoint.state() == State::Closed && !session.ends_in_order();
        shared.tell(self.id, &Event::End(&ending))?;
        let idle = now.saturating_duration_since(session.heard());
        explain::ended(self.id, &ending, idle, shared)?;
        shared.say(self.id, &format!("left: {}", ending::describe(&ending)));
        shared.ended = Some(ending);
        shared.membership_epoch += 1;
        match dropped {
            true => self.stage = Stage::Gone,
            false => self.leave(now),
        }
        Ok(())
    }

    /// Sends what was said, then FIN; and waits for the client's.
    pub(crate) fn leave(&mut self, now: Instant) {
        self.stage = match self.link.half_close() {
            Ok(()) => Stage::Leaving { until: now + LAST_WORDS },
            Err(_) => Stage::Gone,
        };
    }

    fn wait_for_the_end(&mut self, until: Instant, now: Instant) {
        let flushed = self.link.flush();
        // What still comes is for nobody.
        let (input, _) = self.link.split();
        let at = input.consumed() + input.rest().len();
        self.link.consumed(at);
        let filled = self.link.fill();
        let (input, _) = self.link.split();
        let at = input.consumed() + input.rest().len();
        self.link.consumed(at);
        if flushed.is_err() || until <= now || !matches!(filled, Ok(Fill::Data | Fill::Blocked)) {
            self.stage = Stage::Gone;
        }
    }

    /// Ends a connection that never was open, with an answer, which has been told, or without.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub(crate) fn refuse(
        &mut self,
        answer: Option<&[u8]>,
        why: &str,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<()> {
        if let Some(bytes) = answer {
            self.link.tx.extend_from_slice(bytes);
        }
        shared.tell(self.id, &Event::Failed(why))?;
        let securing = matches!(self.stage, Stage::Securing { .. });
        explain::refused(self.id, &self.inbound, answer, securing, shared)?;
        let who = self.peer_name(shared);
        shared.say(self.id, &format!("{who} was not let in: {why}"));
        match answer {
            Some(_) => self.leave(now),
            None => self.stage = Stage::Gone,
        }
        Ok(())
    }

    /// The same with a refusal of the handshake.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub(crate) fn refuse_with(
        &mut self,
        refusal: &Refusal,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<()> {
        let rule = refusal.rule.map(|rule| format!(" ({})", rule.id)).unwrap_or_default();
        let why = format!("answered {}: {}{rule}", refusal.status, refusal.reason);
        self.refuse(Some(&refusal.response), &why, shared, now)
    }

    /// The same with an answer to what is no handshake.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub(crate) fn refuse_foreign(
        &mut self,
        answer: &sniff::Answer,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<()> {
        if shared.looks() && answer.bytes.starts_with(b"HTTP/") {
            tell_response(self.id, &answer.bytes, shared)?;
        }
        self.refuse(Some(&answer.bytes), &answer.why, shared, now)
    }

    /// Its address; a client of a Unix socket has none.
    pub(crate) fn peer_name(&self, shared: &Shared) -> String {
        match (self.address, &shared.config.address) {
            (Some(address), _) => canonical(address).to_string(),
            (None, _) => "a local client".to_owned(),
        }
    }
}

/// IPv4 as such, where a socket of IPv6 took it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
