//! An open connection of any mode: bytes in, events to all readers, bytes out, one ending.
//!
//! It takes turns with other connections. A turn reads once, so a peer that never stops sending
//! delays the other connections by only one buffer. The connection reads only while there is room
//! for the data. Nothing here waits.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::behaviour::{Behaviour, Context, Interference, Pipe, TURN_CONTENT};
use super::memory::{Budget, Share};
use super::outbox::{OutboundObserver, Outbox, Producer, Sender};
use super::party::{Leg, Party};
use super::read_ahead::{self, ReadAhead};
use super::session_evidence::SessionEvidence;
use super::talk::Talk;
use crate::diagnostics::{Diagnostic, Facts};
use crate::event::{
    Cause, ConnId, Direction, Ending, Event, FrameEvent, Lost, Observed, Side, Stamp, TimeoutKind,
    Totals,
};
use crate::net::child::Dying;
use crate::net::link::{Buffers, Fill, HIGH_WATER, Link};
use crate::net::random;
use crate::net::stdio::Stdout;
use crate::net::transport::TransportError;
use crate::output::notifier::Notifier;
use crate::output::reporter::Reporter;
use crate::session::counters::Counters;
use crate::session::endpoint::State;
use crate::session::{Assembler, Endpoint, EndpointConfig, Limits, Observer};
use crate::ui::number;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::handshake::Agreed;
use crate::wire::{CloseCode, Data, OpCode, Role, close};

/// The outputs of connections: their events and their payload.
pub struct Outputs<'a> {
    /// The writer of stdout.
    pub stdout: &'a mut Stdout,
    /// The sinks of events.
    pub reporter: &'a mut Reporter,
    /// Prints remarks that no sink shows.
    pub notifier: &'a Notifier,
}

/// The initial settings of a connection.
pub struct ConnectionSetup<'a> {
    /// Its number.
    pub id: ConnId,
    /// The agreement of the opening handshake.
    pub agreed: &'a Agreed,
    /// The settings of the endpoint, without compression, which comes from `agreed`. Without an
    /// endpoint, the connection is a leg of a relay: see [`Connection::relay_to`].
    pub endpoint: Option<&'a Arc<EndpointConfig>>,
    /// The limits for data from the peer.
    pub limits: Limits,
    /// Whether sent data is decoded, for a sink or for the totals.
    pub observed: bool,
    /// Whether the connection collects evidence for diagnostics.
    pub evidence: bool,
    /// The limit for queued data in memory.
    pub memory: &'a Rc<Budget>,
    /// The limit for data that waits to be sent. If it is exceeded, the owner of the connection
    /// closes the slowest one.
    pub backlog: &'a Rc<Budget>,
}

impl<'a> ConnectionSetup<'a> {
    /// The usual settings: the default limits, one limit for all queued data, nothing that watches
    /// the connection.
    pub fn new(
        id: ConnId,
        agreed: &'a Agreed,
        endpoint: Option<&'a Arc<EndpointConfig>>,
        memory: &'a Rc<Budget>,
    ) -> Self {
        let (limits, observed, evidence) = (Limits::default(), false, false);
        Self { id, agreed, endpoint, limits, observed, evidence, memory, backlog: memory }
    }
}

/// An open connection.
pub struct Connection {
    id: ConnId,
    link: Link,
    inbound: Observer,
    party: Party,
    outbox: Outbox,
    received: Counters,
    /// Nearly always one; a single one needs no separate memory.
    behaviours: SmallVec<[Box<dyn Behaviour>; 1]>,
    injector: Option<Box<dyn Interference>>,
    /// The evidence of an endpoint begins with the first byte after the handshake, because an idle
    /// connection must use little memory.
    evidence: Option<Box<SessionEvidence>>,
    /// Collects a message that arrives in pieces, if a behaviour needs it whole.
    assembler: Option<Box<Assembler>>,
    /// This connection's share of the queued data.
    share: Share,
    unsent: Share,
    /// When the last byte was received, and when the last byte was received or sent.
    last_received: Instant,
    active: Instant,
    /// `None` before the first message of either side.
    talk: Option<Box<Talk>>,
    /// Answers pings that follow data for which a reader on our side is not ready.
    ahead: Option<Box<ReadAhead>>,
    /// The observer may have more events in the received bytes.
    more: bool,
    /// The next data belongs to a data frame, as far as is known.
    in_data: bool,
    /// No later data of the peer reaches a behaviour.
    ignore_rest: bool,
    /// The number of bytes to send that receiving has produced, such as pongs. Sent bytes are
    /// subtracted from these first, so that other producers that fill the send buffer do not stop
    /// reading from the peer.
    answers: u32,
    /// Since when wscope has not read from the peer, because the peer does not read the answers.
    unread: Option<Box<Unread>>,
    write_error: Option<Box<Lost>>,
    /// Something has been sent since the last turn.
    touched: bool,
}

impl Connection {
    /// Takes over a transport after the opening handshake. Frames may already have arrived; the end
    /// of our handshake may still be in the send buffer.
    pub fn new(
        mut link: Link,
        inbound: Observer,
        setup: &ConnectionSetup<'_>,
        now: Instant,
    ) -> Self {
        let ConnectionSetup { id, agreed, limits, .. } = *setup;
        let deflate = agreed.deflate;
        let sent = inbound.direction().opposite();
        let observer =
            setup.observed.then(|| OutboundObserver::new(sent, deflate.as_ref(), limits));
        let mut outbox = Outbox::new(observer);
        outbox.skip_handshake(link.tx.len());
        let (input, _) = link.split();
        let early = setup.evidence && (setup.endpoint.is_none() || !input.rest().is_empty());
        let evidence =
            early.then(|| Box::new(SessionEvidence::new(sent.sender(), input.rest(), now)));
        let party = match setup.endpoint {
            None => Party::Leg(Box::new(Leg::new(input.rest(), now))),
            Some(config) => {
                let config = match config.deflate == deflate {
                    true => Arc::clone(config),
                    false => Arc::new(EndpointConfig { deflate, ..(**config).clone() }),
                };
                let mut endpoint = Endpoint::new(config, random::system(), now);
                endpoint.keep_sent(setup.evidence);
                Party::Endpoint(endpoint)
            }
        };
        Self {
            id,
            link,
            inbound,
            party,
            outbox,
            received: Counters::default(),
            behaviours: SmallVec::new(),
            injector: None,
            evidence,
            assembler: None,
            share: Share::of(setup.memory),
            unsent: Share::of(setup.backlog),
            last_received: now,
            active: now,
            talk: None,
            ahead: None,
            // Frames may have arrived in the same segment as the handshake.
            more: true,
            in_data: false,
            ignore_rest: false,
            answers: 0,
            unread: None,
            write_error: None,
            touched: false,
        }
    }

    /// The evidence, if it is collected.
    #[inline]
    fn gather(&mut self) -> Option<&mut SessionEvidence> {
        if self.evidence.is_none() && self.endpoint().is_some_and(Endpoint::keeps_sent) {
            self.evidence = self.no_evidence().map(Box::new);
        }
        self.evidence.as_deref_mut()
    }

    /// The evidence of an endpoint that has sent and received nothing, if evidence is collected.
    #[cold]
    fn no_evidence(&self) -> Option<SessionEvidence> {
        let endpoint = self.endpoint().filter(|endpoint| endpoint.keeps_sent())?;
        Some(SessionEvidence::new(self.sent_direction().sender(), &[], endpoint.opened()))
    }

    /// Adds a behaviour.
    pub fn add(&mut self, behaviour: impl Behaviour + 'static) {
        if !behaviour.streams() {
            self.assembler.get_or_insert_with(|| Box::new(Assembler::new(usize::MAX)));
        }
        self.behaviours.push(Box::new(behaviour));
    }

    /// Adds an interference, which starts now.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn interfere(
        &mut self,
        injector: Box<dyn Interference>,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<()> {
        self.injector = Some(injector);
        self.go_wrong(outputs, now)
    }

    /// The number of the connection.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// The endpoint, to read its state; `None` on a leg of a relay.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.party.endpoint()
    }

    /// The endpoint, to change its settings.
    pub fn endpoint_mut(&mut self) -> Option<&mut Endpoint> {
        self.party.endpoint_mut()
    }

    /// The state of the connection.
    pub fn state(&self) -> State {
        self.party.state()
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        self.party.drop_connection();
    }

    /// Fails the connection because a deadline of its owner has passed.
    pub fn time_out(&mut self, kind: TimeoutKind, now: Instant) {
        self.touched = true;
        match &mut self.party {
            Party::Endpoint(endpoint) => {
                let before = self.link.tx.len();
                endpoint.time_out(kind, now, &mut self.link.tx);
                self.outbox.note_automatic(before, &self.link.tx);
            }
            Party::Leg(leg) => leg.lose(Side::Us, Cause::Timeout(kind)),
        }
    }

    /// Begins to decode frames on a leg of a relay that has forwarded only heads so far.
    pub fn expect_frames(&mut self, deflate: Option<DeflateParams>, evidence: bool, now: Instant) {
        self.inbound.expect_frames(deflate.as_ref());
        let role = self.sent_direction().sender();
        let (input, _) = self.link.split();
        self.evidence = evidence.then(|| Box::new(SessionEvidence::new(role, input.rest(), now)));
        if let Some(leg) = self.party.leg_mut() {
            leg.open(deflate, now);
        }
        self.touched = true;
    }

    /// On a leg of a relay, treats the data after a head as its body, or as unknown data.
    pub fn expect_body(&mut self, shown: bool) {
        self.inbound.expect_body();
        if let Some(leg) = self.party.leg_mut() {
            leg.shows_body = shown;
        }
        self.touched = true;
    }

    /// On a leg of a relay, expects another head.
    pub fn expect_head(&mut self, limits: Limits) {
        self.inbound.expect_head(limits);
        self.touched = true;
    }

    /// The number of received bytes that wait to be decoded.
    pub fn undecoded(&mut self) -> usize {
        self.link.split().0.rest().len()
    }

    /// The number of bytes that wait to be sent, or for the other leg of a relay.
    pub fn waiting(&self) -> usize {
        self.backlog() + self.party.leg().map_or(0, |leg| leg.received.len())
    }

    /// The observer of the peer's stream.
    pub fn inbound(&self) -> &Observer {
        &self.inbound
    }

    /// Whether the peer's stream has ended, on a leg of a relay.
    pub fn has_peer_ended(&self) -> bool {
        self.party.leg().is_some_and(Leg::has_ended)
    }

    /// Passes the received data of this leg to the other leg of a relay, as far as there is room.
    /// Then passes the end of the stream: a FIN or a reset. Call it after each turn of either leg.
    pub fn relay_to(&mut self, other: &mut Self, now: Instant) {
        let Some(leg) = self.party.leg_mut() else { return };
        // A large piece waits until it can be moved without copying.
        let may_go = leg.received.len() <= COPIED || other.link.tx.is_empty() || !other.is_open();
        let room = may_go && other.has_room(Producer::Message);
        if !leg.received.is_empty() && (leg.is_lost() || room) {
            other.sender(now).take_bytes(&mut leg.received);
            leg.taken();
        }
        if !leg.received.is_empty() || other.outbox.has_end() {
            return;
        }
        if leg.is_lost() {
            other.sender(now).abort();
        } else if leg.has_ended() {
            other.sender(now).half_close();
        }
    }

    /// The received data of a leg of a relay that has not been passed to the other leg.
    pub fn received_bytes(&self) -> &[u8] {
        self.party.leg().map_or(&[], |leg| &leg.received)
    }

    /// Takes [`Self::received_bytes`].
    pub fn take_received(&mut self) -> Vec<u8> {
        self.party.leg_mut().map(|leg| std::mem::take(&mut leg.received)).unwrap_or_default()
    }

    /// Puts back data that can't be passed yet.
    pub fn put_back(&mut self, received: Vec<u8>) {
        if let Some(leg) = self.party.leg_mut() {
            leg.received = received;
        }
    }

    /// Whether both streams of a leg of a relay were lost at the same time.
    pub fn is_lost(&self) -> bool {
        self.party.leg().is_some_and(Leg::is_lost)
    }

    /// Whether the poll has reported the end of the peer's stream.
    pub fn is_read_closed(&self) -> bool {
        self.link.is_read_closed()
    }

    /// Whether all received data has been decoded and reported.
    pub fn is_decoded(&self) -> bool {
        !self.more
    }

    /// Sends to the peer. Give the connection a turn afterwards.
    pub fn sender(&mut self, now: Instant) -> Sender<'_> {
        self.touched = true;
        let Self { party, outbox, link, .. } = self;
        Sender { endpoint: party.endpoint_mut(), outbox, tx: &mut link.tx, now }
    }

    /// The direction of sent data.
    pub fn sent_direction(&self) -> Direction {
        self.inbound.direction().opposite()
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.party.is_open() && self.write_error.is_none()
    }

    /// Whether our side of the stream was ended on purpose.
    pub fn is_half_closed(&self) -> bool {
        self.outbox.has_end()
    }

    /// Whether nothing can be sent any more, because the transport failed.
    pub fn is_broken(&self) -> bool {
        self.write_error.is_some()
    }

    /// Whether a producer should produce more. On a closing connection there is room: the data is
    /// refused, and the producer learns why.
    pub fn has_room(&self, producer: Producer) -> bool {
        !self.party.is_open()
            || self.write_error.is_none() && self.outbox.has_room(producer, self.link.pending())
    }

    /// The number of bytes that wait to be sent, encoded or not.
    pub fn backlog(&self) -> usize {
        self.link.pending() + self.outbox.queued()
    }

    /// Whether only answers to the peer's data wait to be sent, such as pongs.
    pub fn has_sent_its_own(&self) -> bool {
        self.backlog() <= self.answers as usize
    }

    /// The number of messages sent completely.
    pub fn messages_sent(&self) -> u64 {
        self.party.messages_sent()
    }

    /// The times of its messages.
    pub fn talk(&self) -> Talk {
        self.talk.as_deref().copied().unwrap_or_else(|| Talk::new(self.party.opened()))
    }

    /// When a byte was last received from the peer or sent to it.
    pub fn active(&self) -> Instant {
        self.active
    }

    /// When the first frame was received, if evidence is collected.
    pub fn first_frame(&self) -> Option<Instant> {
        self.evidence.as_ref()?.first_frame()
    }

    /// The totals of received data.
    pub fn received(&self) -> Totals {
        self.received.totals()
    }

    /// Whether received bytes wait to be decoded and may be decoded.
    pub fn has_input(&self) -> bool {
        self.more && self.may_read()
    }

    /// Whether the peer's stream ended inside a message that behaviours were receiving.
    pub fn cut_inside_message(&self) -> bool {
        self.inbound.inside_message() && !self.ignore_rest
    }

    /// The number of our bytes that were never sent, without the answer to the peer's Close, which
    /// is not needed once the peer has gone.
    pub fn unsent(&self) -> usize {
        /// The size of header, mask key, and TLS record overhead.
        const AROUND: usize = 6 + 64;
        let pending = self.backlog() + self.outbox.lost();
        let close = self.endpoint().and_then(Endpoint::sent_close);
        let answer = close.map_or(0, |body| body.to_payload().len() + AROUND);
        // Pongs after the peer's Close do not count as lost either.
        let answer = answer + self.endpoint().map_or(0, Endpoint::sent_after_close);
        if pending > answer { pending } else { 0 }
    }

    /// Notes a report of the poll about the socket.
    pub fn ready(&mut self, event: &mio::event::Event) {
        self.link.ready(event);
        self.warm_up();
    }

    /// Loads the memory that the next turn needs. The reports of a poll are noted one after another,
    /// so the processor waits for the memory of many connections at the same time.
    fn warm_up(&self) {
        let (outbox, link) = (self.outbox.queued(), self.link.tx.len());
        let times = (self.last_received, self.active, self.party.opened());
        let shares = (self.share.held(), self.unsent.held(), self.id);
        let talk = self.talk.as_ref().map(|talk| talk.heard);
        std::hint::black_box((outbox, link, times, shares, talk, self.more));
    }

    /// Notes that a pipe of the connection's process is ready.
    pub fn pipe_ready(&mut self, pipe: Pipe) {
        self.behaviours.iter_mut().for_each(|behaviour| behaviour.pipe_ready(pipe));
    }

    /// Takes a turn with lent buffers.
    ///
    /// # Errors
    ///
    /// An output failed. Errors of the connection itself only end the connection.
    pub fn turn(
        &mut self,
        buffers: &mut Buffers,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<()> {
        self.link.lend(buffers);
        self.party.leg_mut().into_iter().for_each(|leg| buffers.lend(&mut leg.received));
        let result = self.advance(buffers, outputs, now);
        self.link.take_back(buffers, self.more && !self.is_over());
        self.party.leg_mut().into_iter().for_each(|leg| buffers.take_back(&mut leg.received));
        result
    }

    fn advance(
        &mut self,
        buffers: &mut Buffers,
        outputs: &mut Outputs<'_>,
        now: Instant,
    ) -> io::Result<()> {
        if self.injector.is_some() {
            self.go_wrong(outputs, now)?;
        }
        let sent = self.party.messages_sent();
        if sent > 0 {
            begun(&mut self.talk, &self.party).sent(sent);
        }
        let taken = self.inbound.offset();
        if self.more && self.may_read() {
            self.take_events(outputs, now)?;
            // The buffer that was kept for this turn has no room for more.
            self.link.lend(buffers);
        }
        if !self.more && self.may_read() && self.has_answer_room() {
            self.ahead.take_if(|_| !self.link.has_ahead());
            self.fill(outputs, now)?;
        }
        // If nothing waits on this side, any delay is the peer's.
        let blocked = self.more && self.is_blocked(outputs);
        if let Some(evidence) = &mut self.evidence {
            evidence.stalls(blocked && outputs.stdout.is_full(), now);
        }
        let flows = self.inbound.offset() > taken;
        if let Some(endpoint) = self.party.endpoint_mut() {
            endpoint.note_stall(blocked, flows, now);
        }
        if self.more {
            self.wait_for_outputs(blocked, now);
        }
        self.let_behaviours_send(outputs, now)?;
        if self.outbox.has_queue() {
            let pending = self.link.pending();
            self.sender(now).move_queued(pending);
        }
        self.tick(now);
        if self.injector.is_some() {
            self.go_wrong(outputs, now)?;
        }
        self.flush(outputs, now)?;
        self.touched = false;
        if let (Some(injector), Some(endpoint)) = (&mut self.injector, self.party.endpoint_mut()) {
            injector.after_flush(&mut self.link, endpoint, now);
        }
        self.account(now);
        if self.has_answer_room() || !self.is_open() {
            self.unread.take_if(|unread| !unread.said);
            return Ok(());
        }
        self.look_after_answers(outputs, now)
    }

    /// Reports a peer that has sent for a while without reading the answers, so that wscope no
    /// longer reads from it.
    #[cold]
    fn look_after_answers(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        let unread =
            self.unread.get_or_insert_with(|| Box::new(Unread { since: now, said: false }));
        if unread.said || now < unread.since + UNREAD_FOR {
            return Ok(());
        }
        unread.said = true;
        let waiting = number::grouped(u64::from(self.answers));
        let text = format!(
            "the peer sends but reads nothing: {waiting} bytes of pongs and other answers wait; wscope \
             reads again when the peer does"
        );
        match self.endpoint().map(Endpoint::role) {
            Some(Role::Client) if !outputs.reporter.has_transcript() => {
                outputs.notifier.note(&text)
            }
            Some(Role::Client) => {}
            _ => outputs.remark(self.id(), &text),
        }
        outputs.report(self.id(), &Event::Note(&text))
    }

    /// Whether another turn would do something, without an event.
    pub fn wants_turn(&self, stdout: &Stdout, reporter: &Reporter) -> bool {
        let pending = self.link.pending();
        let reads = match self.more {
            true => {
                !self.inbound.is_undecided()
                    && (!is_blocked(&self.behaviours, stdout, reporter)
                        || self.may_read_ahead() && self.reads_ahead())
            }
            false => self.link.may_fill() || self.write_error.is_some(),
        };
        self.is_over()
            || self.touched
            || reads && self.may_read() && self.has_answer_room()
            || pending > 0 && self.write_error.is_none() && self.link.may_flush()
            || self.outbox.can_move(pending)
            // On a closing connection, behaviours produce nothing any more.
            || self.is_open()
                && self.behaviours.iter().any(|behaviour| behaviour.is_ready(&self.outbox, pending))
    }

    /// Whether it waits for an output; no event reports when the output is ready.
    pub fn waits_for_outputs(&self, stdout: &Stdout, reporter: &Reporter) -> bool {
        self.more && is_blocked(&self.behaviours, stdout, reporter)
    }

    /// When the next action is due.
    pub fn deadline(&self) -> Option<Instant> {
        let mut first = None;
        let mut add = |at: Instant| first = Some(first.map_or(at, |first: Instant| first.min(at)));
        if let Some(endpoint) = self.endpoint() {
            if let Some(time) = endpoint.idle_timeout().filter(|_| endpoint.is_open()) {
                add(self.active + time);
            }
            if let Some(at) = endpoint.deadline().filter(|_| !self.keeps_transport()) {
                add(at);
            }
        }
        if let Some(at) = self.injector.as_ref().and_then(|one| one.deadline(self.last_received)) {
            add(at);
        }
        for behaviour in &self.behaviours {
            if let Some(at) = behaviour.deadline().filter(|_| self.is_open()) {
                add(at);
            }
        }
        if let Some(at) = self.ahead.as_ref().filter(|_| self.more).and_then(|ahead| ahead.due()) {
            add(at);
        }
        if let Some(unread) = self.unread.as_ref().filter(|one| !one.said && self.is_open()) {
            add(unread.since + UNREAD_FOR);
        }
        first
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        let done = match &self.party {
            Party::Endpoint(endpoint) => endpoint.is_done() && !self.keeps_transport(),
            Party::Leg(leg) => {
                leg.has_ended() && leg.received.is_empty() && !self.more && self.link.has_ended()
            }
        };
        done && self.link.pending() == 0 || self.state() == State::Closed
    }

    /// Describes the end of the connection.
    pub fn ending(&self, now: Instant) -> Ending {
        self.party.ending(now, self.outbox.totals(), self.received.totals())
    }

    /// Explains the end of the connection, if evidence is collected: see
    /// [`SessionEvidence::explain`].
    pub fn explain(
        &self,
        mut opening: Facts<'_>,
        ending: &Ending,
        now: Instant,
    ) -> Vec<Diagnostic> {
        let unused = self.evidence.is_none().then(|| self.no_evidence()).flatten();
        let evidence = self.evidence.as_deref().or(unused.as_ref());
        let Some(evidence) = evidence else { return Vec::new() };
        opening.stream.ended_on_ours = self.talk().awaits_answer();
        opening.stream.unsent = (self.outbox.held() + self.link.tx.len()) as u64;
        let deflate = match &self.party {
            Party::Endpoint(endpoint) => endpoint.deflate(),
            Party::Leg(leg) => leg.deflate.as_ref(),
        };
        evidence.explain(opening, self.endpoint(), deflate, &self.inbound, ending, now)
    }

    /// The time from the opening to the peer's Close, if evidence is collected, or to an end
    /// without a Close. The end of TCP may come long after a Close.
    pub fn lasted(&self, ending: &Ending) -> Duration {
        let closed = self.evidence.as_ref().filter(|_| ending.received.is_some());
        closed.map_or(ending.duration, |evidence| evidence.until_last())
    }

    /// The time from the peer's last message to its Close; `None` without a message or without
    /// evidence.
    pub fn silence_before_close(&self) -> Option<Duration> {
        self.evidence.as_ref().and_then(|evidence| evidence.since_message())
    }

    /// The time from our ping to the peer's end of the session, if evidence is collected: see
    /// [`SessionEvidence::after_ping`].
    pub fn after_ping(&self, ending: &Ending, now: Instant) -> Option<Duration> {
        let after = |evidence: &SessionEvidence| evidence.after_ping(self.endpoint(), ending, now);
        self.evidence.as_deref().and_then(after)
    }

    /// Whether the peer broke a rule of frames, if evidence is collected.
    pub fn is_peer_to_blame(&self) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| evidence.has_breach())
    }

    /// Updates the amounts of queued data after something was dropped between turns.
    pub fn settle(&mut self) {
        self.unsent.set(self.outbox.held() + self.link.tx.len());
    }

    /// Returns the transport, and whether its end must be awaited: not if the connection was lost
    /// or abandoned.
    pub fn into_link(self) -> (Link, bool) {
        let in_order = self.injector.as_ref().is_some_and(|injector| injector.ends_in_order());
        let lost = self.state() == State::Closed && !in_order;
        (self.link, !lost)
    }

    /// Ends the processes of behaviours; returns those whose end must be awaited.
    pub fn end_behaviours(&mut self, now: Instant) -> Vec<Dying> {
        self.behaviours.iter_mut().filter_map(|behaviour| behaviour.ended(now)).collect()
    }

    /// Ends our side of the transport.
    pub fn shut_down(&mut self) {
        self.link.shutdown();
    }

    /// Closes the connection because of a fault on this side.
    pub fn fail(&mut self, fault: &str, now: Instant) {
        let reason = close::fit_reason(fault);
        // If it is already closing, no Close is needed.
        let _ = self.sender(now).close(Some(CloseCode::Error.into()), reason);
    }

    /// Whether the connection may read from the peer now: not if a fault forbids it.
    fn may_read(&self) -> bool {
        let leg_may = |leg: &Leg| leg.received.is_empty() && !leg.has_ended();
        self.party.leg().is_none_or(|leg| self.more || leg_may(leg))
            && self.injector.as_ref().is_none_or(|injector| injector.may_read(&self.link))
    }

    /// Whether a fault keeps the transport open after the closing handshake.
    fn keeps_transport(&self) -> bool {
        let closing = self.state() == State::Closing;
        closing && self.injector.as_ref().is_some_and(|injector| injector.keeps_transport())
    }

    /// Whether there is room for answers. Data of other producers does not count: wscope must read
    /// from a peer that writes before it reads, and must receive its Close and its pongs.
    fn has_answer_room(&self) -> bool {
        (self.answers as usize) < HIGH_WATER || self.write_error.is_some()
    }

    /// Whether the next data frame would have to wait for an output or a behaviour.
    fn is_blocked(&self, outputs: &Outputs<'_>) -> bool {
        is_blocked(&self.behaviours, outputs.stdout, outputs.reporter)
    }

    fn fill(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        match self.link.fill() {
            Ok(Fill::Data) => {
                (self.last_received, self.active) = (now, now);
                let received = self.link.split().0.rest().len();
                if let Some(injector) = &mut self.injector {
                    injector.has_read(received, now);
                }
                self.gather();
                if let Some(evidence) = &mut self.evidence {
                    evidence.received(self.link.split().0.rest(), now);
                }
                match &mut self.party {
                    Party::Endpoint(endpoint) => endpoint.touch(),
                    // Before decoding, which unmasks the bytes in place.
                    Party::Leg(leg) => leg.received.extend(self.link.split().0.rest()),
                }
                self.take_events(outputs, now)
            }
            Ok(Fill::Blocked) => match self.write_error.take() {
                Some(error) => self.lose(*error, outputs),
                None => Ok(()),
            },
            Ok(Fill::End { truncated }) => self.end_inbound(truncated, outputs),
            Err(error) => self.lose(error.into(), outputs),
        }
    }

    /// Takes the end of the peer's stream; `truncated` if bytes may be missing.
    #[cold]
    fn end_inbound(&mut self, truncated: bool, outputs: &mut Outputs<'_>) -> io::Result<()> {
        let error = self.write_error.take().map(|error| *error);
        let broken = error.is_some();
        let how = self.finish_inbound(Lost::at_end(truncated, error), outputs)?;
        match broken {
            true => self.party.lose(how),
            false => self.party.end_of_stream(how),
        }
        Ok(())
    }

    /// Whether the connection can search the waiting data for pings. A server does not do this,
    /// because it has too many clients. If the transcript shows frames, the pong appears when it is
    /// sent, before its ping, which is decoded later.
    fn may_read_ahead(&self) -> bool {
        let client = self.party.endpoint().is_some_and(|one| one.role() == Role::Client);
        client && self.write_error.is_none()
    }

    /// Whether the search for pings has begun, and may receive more data.
    fn reads_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.due().is_none())
            && self.link.may_read_ahead(read_ahead::MOST)
    }

    /// Answers pings after data that has waited for some time for a slow reader on our side.
    #[cold]
    fn read_ahead(&mut self, now: Instant) {
        let Self { link, inbound, party, ahead, answers, .. } = self;
        let Some(endpoint) = party.endpoint_mut() else { return };
        let before = link.tx.len();
        let ahead = ahead.get_or_insert_with(|| Box::new(ReadAhead::new(now)));
        if let Some(due) = ahead.due() {
            if now < due {
                return;
            }
            let (input, tx) = link.split();
            ahead.begin(inbound, endpoint, now, tx);
            ahead.take(input.rest(), endpoint, now, tx);
        }
        if link.may_read_ahead(read_ahead::MOST) {
            // The answers use the same link.
            let mut tx = std::mem::take(&mut link.tx);
            match link.read_ahead(read_ahead::MOST) {
                Ok(bytes) => ahead.take(bytes, endpoint, now, &mut tx),
                Err(error) => endpoint.end_of_stream(error.into()),
            }
            link.tx = tx;
        }
        *answers = answers.saturating_add((link.tx.len() - before) as u32);
    }

    /// Notes that received data waits for a slow reader on our side, so that this time does not
    /// count as silence of the peer.
    #[inline(never)]
    fn wait_for_outputs(&mut self, blocked: bool, now: Instant) {
        if blocked && self.may_read_ahead() && self.has_answer_room() {
            self.read_ahead(now);
        } else {
            // A search that has not begun has no deadline.
            self.ahead.take_if(|ahead| ahead.due().is_some());
        }
        if !blocked {
            return;
        }
        self.last_received = now;
        begun(&mut self.talk, &self.party).heard = now;
        // If the peer has gone, there is nothing to wait for.
        if self.link.is_read_closed()
            && let Some(error) = self.link.failure()
        {
            self.party.lose(TransportError::Io(error).into());
        }
    }

    fn take_events(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        let conn = self.id;
        let received = self.inbound.direction();
        if self.endpoint().is_some_and(|endpoint| endpoint.sent_close().is_some()) {
            self.inbound.await_close();
        }
        let Self {
            link,
            inbound,
            party,
            outbox,
            received: counters,
            behaviours,
            injector,
            evidence,
            assembler,
            share,
            last_received,
            talk,
            ahead,
            ignore_rest,
            in_data,
            ..
        } = self;
        let most = match self.write_error {
            // The produced data has no receiver, but it is produced.
            Some(_) => HIGH_WATER,
            None => HIGH_WATER.saturating_sub(self.answers as usize),
        };
        let looking = outputs.reporter.looks_at_frames();
        // Reading the clock costs as much as a small message.
        let stamp = match looking {
            true => outputs.reporter.stamp_of(conn),
            false => Stamp { micros: 0, conn },
        };
        let runs = !looking
            && injector.is_none()
            && !evidence.as_ref().is_some_and(|evidence| evidence.wants_each())
            && match behaviours.as_slice() {
                [] => true,
                [one] => one.takes_runs(),
                _ => false,
            };
        let (mut input, tx) = link.split();
        let before = tx.len() + outbox.queued();
        let mut content = 0;
        self.more = loop {
            // A message waits for a slow reader. Control frames before the message do not wait, as
            // long as there is room to show them.
            *in_data = inbound.is_before_data(&input).unwrap_or(*in_data);
            if (*in_data || looking && outputs.stdout.room() == 0)
                && is_blocked(behaviours, outputs.stdout, outputs.reporter)
                || (tx.len() + outbox.queued()).saturating_sub(before) >= most
                || content >= TURN_CONTENT
            {
                break true;
            }
            let Outputs { stdout, reporter, notifier } = outputs;
            if runs && party.is_receiving() && !*ignore_rest {
                let sender = Sender { endpoint: party.endpoint_mut(), outbox, tx, now };
                let mut cx = Context { conn, sender, stdout, ignore_rest };
                let run = match behaviours.first_mut() {
                    Some(one) => one.take_run(inbound, &mut input, HIGH_WATER, &mut cx),
                    None => inbound.skip_run(&mut input, HIGH_WATER),
                };
                counters.count_run(run);
                if run.messages > 0
                    && let Some(evidence) = evidence
                    && let Some(last) = inbound.last_of_run(&input)
                {
                    evidence.run(&run, &last, input.whole());
                }
                // After a run, no event of its bytes waits.
                if run.messages > 0 && input.is_empty() {
                    break false;
                }
            }
            let Some(observed) = inbound.next_or_whole(&mut input) else {
                break inbound.is_undecided() && !input.is_empty();
            };
            match observed {
                Observed::Whole(message) => {
                    counters.count_whole(&message);
                    if let Some(evidence) = evidence {
                        evidence.frame(message.header);
                        evidence.message(message.header.opcode, message.content, 0);
                    }
                    if party.is_receiving() && !*ignore_rest {
                        let opcode = data_opcode(message.header.opcode);
                        let sender = Sender { endpoint: party.endpoint_mut(), outbox, tx, now };
                        let mut cx = Context { conn, sender, stdout, ignore_rest };
                        for behaviour in behaviours.iter_mut() {
                            behaviour.on_message(opcode, message.content, &mut cx)?;
                        }
                    }
                    if looking {
                        message.try_events(|event| {
                            reporter.event(&stamp, &Event::Frame(received, event), stdout)
                        })?;
                    }
                }
                Observed::Frame(event) => {
                    counters.count(&event);
                    if let FrameEvent::Data(bytes) = &event {
                        content += bytes.len();
                    }
                    if let Some(evidence) = evidence {
                        evidence.take(&event);
                    }
                    if let Some(leg) = party.leg_mut() {
                        leg.take(&event);
                    }
                    let answered = ahead.as_mut().is_some_and(|ahead| ahead.has_answered(&event));
                    let endpoint = party.endpoint_mut().filter(|_| !answered);
                    let before = tx.len();
                    let round_trip = endpoint.and_then(|one| one.receive(&event, now, tx));
                    outbox.note_automatic(before, tx);
                    // A violation that fails the connection has already ended receiving.
                    if party.is_receiving() && !*ignore_rest {
                        let sender = Sender { endpoint: party.endpoint_mut(), outbox, tx, now };
                        let mut cx = Context { conn, sender, stdout, ignore_rest };
                        for behaviour in behaviours.iter_mut() {
                            if let Some(time) = round_trip {
                                behaviour.on_round_trip(time, &mut cx);
                            }
                            if behaviour.streams() {
                                behaviour.on_event(&event, &mut cx)?;
                            }
                        }
                        if let Some(assembler) = assembler {
                            let whole = behaviours.iter_mut().filter(|one| !one.streams());
                            let handed = assembler.take(&event, |message| {
                                for one in whole {
                                    one.on_message(message.opcode, message.content(), &mut cx)?;
                                }
                                io::Result::Ok(())
                            });
                            handed.unwrap_or(Ok(()))?;
                            share.set(assembler.held());
                            if assembler.held() > SMALL && share.gives_way() {
                                // An incomplete message is useless.
                                assembler.clear();
                                share.set(0);
                                *cx.ignore_rest = true;
                                let sender = &mut cx.sender;
                                sender.close_now(Some(CloseCode::Size.into()), TOO_MUCH);
                            }
                        }
                    } else if party.endpoint().is_some_and(|one| one.received_close().is_some()) {
                        behaviours.iter_mut().for_each(|one| one.on_late(&event));
                    }
                    if looking {
                        if let Some(time) = round_trip {
                            reporter.event(&stamp, &Event::RoundTrip(time), stdout)?;
                        }
                        // An answer is shown after the frame that it answers.
                        let between =
                            matches!(event, FrameEvent::End { .. } | FrameEvent::Message(_));
                        reporter.event(&stamp, &Event::Frame(received, event), stdout)?;
                        if !between {
                            continue;
                        }
                    }
                }
                Observed::Head(head) => {
                    reporter.event(&stamp, &Event::Head(received, head), stdout)?;
                    continue;
                }
                Observed::Body(bytes) => {
                    if party.leg().is_some_and(|leg| leg.shows_body) {
                        reporter.event(&stamp, &Event::Body(bytes), stdout)?;
                    }
                    continue;
                }
                Observed::HeadError(_) => continue,
            }
            if let (Some(injector), Some(endpoint)) = (&mut *injector, party.endpoint_mut()) {
                injector.trim(tx);
                outbox.observe(conn, tx, reporter, stdout)?;
                let messages = counters.totals().messages;
                for text in injector.act(messages, *last_received, endpoint, tx, now) {
                    reporter.event(&stamp, &Event::Note(&text), stdout)?;
                    notifier.remark(reporter, conn, &text);
                }
            }
            outbox.observe(conn, tx, reporter, stdout)?;
        };
        let made = (tx.len() + outbox.queued()).saturating_sub(before);
        self.answers = self.answers.saturating_add(u32::try_from(made).unwrap_or(u32::MAX));
        let totals = counters.totals();
        if totals.messages + totals.bytes > 0 {
            begun(talk, party).received(totals, now);
        }
        if let Some(evidence) = evidence {
            evidence.look_around(&input, inbound.offset(), now);
            evidence.counted(counters.totals(), party.messages_sent(), now);
        }
        let at = input.consumed();
        link.consumed(at);
        Ok(())
    }

    #[cold]
    fn lose(&mut self, how: Lost, outputs: &mut Outputs<'_>) -> io::Result<()> {
        let how = self.finish_inbound(how, outputs)?;
        self.party.lose(how);
        Ok(())
    }

    /// Reports the incomplete frame or message at the end of the peer's stream.
    fn finish_inbound(&mut self, how: Lost, outputs: &mut Outputs<'_>) -> io::Result<Lost> {
        let Some(violation) = self.inbound.finish() else { return Ok(how) };
        let event = FrameEvent::Violation(&violation);
        if let Some(evidence) = &mut self.evidence {
            evidence.take(&event);
        }
        outputs.report(self.id, &Event::Frame(self.inbound.direction(), event))?;
        Ok(how.inside(&violation))
    }

    /// Why the transport has ended, if it has. All data of the peer has been read.
    #[cold]
    fn why_gone(&mut self) -> Option<Lost> {
        let error = self.write_error.take().map(|error| *error);
        error.or_else(|| self.link.failure().map(|error| TransportError::Io(error).into()))
    }

    fn let_behaviours_send(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        let pending = self.link.pending();
        let Self { id, party, outbox, link, behaviours, ignore_rest, .. } = self;
        let mut fault = None;
        for behaviour in behaviours.iter_mut() {
            let endpoint = party.endpoint_mut();
            let sender = Sender { endpoint, outbox, tx: &mut link.tx, now };
            let mut cx = Context { conn: *id, sender, stdout: outputs.stdout, ignore_rest };
            if let Err(error) = behaviour.on_turn(pending, &mut cx) {
                fault.get_or_insert(error);
            }
            if let Some(note) = behaviour.take_note() {
                outputs.note(*id, &note)?;
            }
        }
        if let Some(fault) = fault {
            self.give_up(&fault, outputs, now);
        }
        Ok(())
    }

    /// Ends the connection because a behaviour failed.
    #[cold]
    fn give_up(&mut self, fault: &str, outputs: &Outputs<'_>, now: Instant) {
        outputs.notifier.of(self.id.0, fault);
        self.fail(fault, now);
    }

    /// Does what the faults require now.
    #[cold]
    fn go_wrong(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        let (Some(injector), Some(endpoint)) = (&mut self.injector, self.party.endpoint_mut())
        else {
            return Ok(());
        };
        let messages = self.received.totals().messages;
        let done = injector.act(messages, self.last_received, endpoint, &mut self.link.tx, now);
        injector.pace(&mut self.link, now);
        done.iter().try_for_each(|text| outputs.note(self.id, text))
    }

    fn tick(&mut self, now: Instant) {
        let keeps_transport = self.keeps_transport();
        let Some(endpoint) = self.party.endpoint_mut() else { return };
        let before = self.link.tx.len();
        let idle = endpoint.idle_timeout().is_some_and(|time| self.active + time <= now);
        if idle && endpoint.is_open() {
            endpoint.time_out(TimeoutKind::Idle, now, &mut self.link.tx);
        }
        if !keeps_transport {
            endpoint.tick(now, &mut self.link.tx);
        }
        self.outbox.note_automatic(before, &self.link.tx);
    }

    /// Reports and sends the produced data.
    fn flush(&mut self, outputs: &mut Outputs<'_>, now: Instant) -> io::Result<()> {
        if self.write_error.is_some() {
            if self.link.tx.len() > HIGH_WATER {
                // A peer that has gone may have left megabytes of data, each byte with an answer.
                self.outbox.clear(&mut self.link);
            }
            return Ok(());
        }
        let Self { id, outbox, link, .. } = self;
        let before = link.pending();
        outbox.report(*id, link, outputs.stdout, outputs.reporter)?;
        let sent = outbox.send(link);
        let pending = link.pending();
        let backlog = pending + outbox.queued();
        if self.outbox.has_aborted() {
            self.party.drop_connection();
        }
        if self.outbox.has_end()
            && let Some(evidence) = self.gather()
        {
            evidence.half_closed();
        }
        if let Err(error) = sent {
            self.note_write_error(error);
        }
        // After the peer's stream has ended, the other leg of a relay continues.
        if self.party.leg().is_some_and(Leg::has_ended)
            && let Some(how) = self.why_gone()
        {
            self.party.lose(how);
        }
        if pending < before {
            // The peer reads, so it is alive.
            self.active = now;
            let left = u32::try_from(before - pending).unwrap_or(u32::MAX);
            self.answers = self.answers.saturating_sub(left);
            let sent = self.party.messages_sent();
            if let Some(endpoint) = self.party.endpoint_mut() {
                endpoint.note_sent(before, now);
            }
            if sent > 0 {
                begun(&mut self.talk, &self.party).left(sent, backlog == 0, now);
            }
            let received = self.received.totals();
            if self.outbox.note_left(before - pending)
                && let Some(evidence) = self.gather()
            {
                evidence.sent(now);
                evidence.counted(received, sent, now);
            }
        }
        // The waiting data may be answers; not all of it must leave before wscope reads from the
        // peer again.
        self.answers = self.answers.min(u32::try_from(backlog).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Notes that nothing can be sent any more. The data that the peer sent before it left must
    /// still be read.
    #[cold]
    fn note_write_error(&mut self, error: TransportError) {
        self.write_error = Some(Box::new(error.into()));
    }

    /// Reports its amount of queued data, and ends the connection if the sum exceeds the limit.
    fn account(&mut self, now: Instant) {
        self.settle();
        let behaviours: usize = self.behaviours.iter().map(|behaviour| behaviour.held()).sum();
        let behaviours = behaviours + self.party.leg().map_or(0, |leg| leg.received.len());
        let held = self.assembler.as_ref().map_or(0, |assembler| assembler.held()) + behaviours;
        // Compression windows last as long as the connection. So no connection is closed because of
        // its windows alone.
        let windows = self.inbound.held()
            + self.outbox.observer_held()
            + self.endpoint().map_or(0, Endpoint::held);
        self.share.set(held + windows);
        if held > SMALL && self.share.gives_way() && self.endpoint().is_some_and(Endpoint::is_open)
        {
            self.give_way(behaviours, now);
        }
    }

    /// Ends the connection because too much data is queued; the behaviours still hold some of it.
    #[cold]
    fn give_way(&mut self, behaviours: usize, now: Instant) {
        self.assembler = None;
        self.share.set(behaviours);
        self.ignore_rest = true;
        self.sender(now).close_now(Some(CloseCode::Size.into()), TOO_MUCH);
    }
}

/// Creates the times of messages with the first message, because most clients of a server never
/// send one.
fn begun<'t>(talk: &'t mut Option<Box<Talk>>, party: &Party) -> &'t mut Talk {
    #[cold]
    fn begin(party: &Party) -> Box<Talk> {
        Box::new(Talk::new(party.opened()))
    }
    talk.get_or_insert_with(|| begin(party))
}

/// A peer that does not read the answers.
struct Unread {
    since: Instant,
    /// Whether this was reported; it is reported once.
    said: bool,
}

/// A peer that has sent, but has not read for this time, is not just slow.
const UNREAD_FOR: Duration = Duration::from_secs(3);

/// A connection with at most this much queued data is not closed, even if the sum exceeds the
/// limit.
const SMALL: usize = 16 * 1024;

/// A relay copies at most this many bytes behind data that waits to be sent.
const COPIED: usize = 16 * 1024;

/// The reason in the Close after the memory limit was exceeded.
const TOO_MUCH: &str = "too much data is queued here";

impl Outputs<'_> {
    /// Reports an event that happens now.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn report(&mut self, conn: ConnId, event: &Event<'_>) -> io::Result<()> {
        self.reporter.emit_for(conn, event, self.stdout)
    }

    /// Reports a note about a connection.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn note(&mut self, conn: ConnId, text: &str) -> io::Result<()> {
        self.report(conn, &Event::Note(text))?;
        self.remark(conn, text);
        Ok(())
    }

    /// Whether a sink reads events.
    pub fn looks(&self) -> bool {
        self.reporter.looks_at_frames()
    }

    /// Prints a line about a connection, if no transcript shows it.
    pub fn remark(&self, conn: ConnId, text: &str) {
        self.notifier.remark(self.reporter, conn, text);
    }
}

/// Whether a data frame would have to wait.
fn is_blocked(behaviours: &[Box<dyn Behaviour>], stdout: &Stdout, reporter: &Reporter) -> bool {
    ((stdout.is_full() || reporter.is_full()) && reporter.looks_at_frames())
        || behaviours.iter().any(|behaviour| behaviour.is_full(stdout))
}

fn data_opcode(opcode: OpCode) -> Data {
    match opcode {
        OpCode::Data(opcode) => opcode,
        OpCode::Control(_) => Data::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_takes_little_memory() {
        // The allocator adds 8 bytes and rounds up to 16.
        assert!(size_of::<Connection>() <= 504, "{}", size_of::<Connection>());
    }
}
