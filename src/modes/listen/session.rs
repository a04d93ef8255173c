//! An open connection of a server: frames in, answers out, until it ends.
//!
//! Takes its turn with others: each turn reads once, so that a client that never stops sending
//! costs the others one buffer's worth. It is read only while there is room for what comes of it.

use std::io;
use std::time::Instant;

use crate::behaviour::faults::FaultInjector;
use crate::behaviour::greeting::Sending;
use crate::behaviour::input::MessageSplitter;
use crate::behaviour::reply::{Answerer, Ways};
use crate::cli::InputFormat;
use crate::config::Answer;
use crate::engine::outbound::OutboundObserver;
use crate::event::{
    ConnId, Direction, Ending, Event, FrameEvent, Lost, Observed, Stamp, TimeoutKind,
};
use crate::modes::listen::shared::Shared;
use crate::net::child::{Child, ChildRead};
use crate::net::link::{Fill, HIGH_WATER, Link};
use crate::net::random;
use crate::script::runner::Notifier;
use crate::session::counters::Counters;
use crate::session::endpoint::State;
use crate::session::{Endpoint, EndpointConfig, Observer};
use crate::wire::handshake::Agreed;
use crate::wire::{CloseCode, Data};

/// Above so many bytes that wait for a client, it can't keep up with what all are sent: it is
/// closed rather than left out, or kept for ever.
const LAG: usize = 64 * 1024 * 1024;

/// An open connection.
pub struct Session {
    conn: ConnId,
    /// The active side.
    pub endpoint: Endpoint,
    received: Counters,
    watch: Option<Box<OutboundObserver>>,
    answerer: Answerer,
    sending: Option<Box<Sending>>,
    process: Option<Box<Process>>,
    injector: Option<Box<FaultInjector>>,
    heard: Instant,
    /// The observer may have more events in the bytes at hand.
    more: bool,
    /// It came while a message to all was under way, which it can't be sent the rest of.
    late: bool,
    write_error: Option<Lost>,
}

/// The process of `--exec`, and what makes messages of its lines.
struct Process {
    child: Child,
    feeder: MessageSplitter,
}

impl Session {
    /// Begins with the first frame, behind the 101 in `link`. `late` if a message to all is under
    /// way.
    pub fn new(
        conn: ConnId,
        agreed: &Agreed,
        link: &Link,
        shared: &Shared,
        late: bool,
        now: Instant,
    ) -> Self {
        let config = &shared.config;
        let deflate = agreed.deflate;
        let endpoint = EndpointConfig { deflate, ..config.endpoint.clone() };
        let watch = || {
            let direction = Direction::ToClient;
            let mut watch = OutboundObserver::of(conn, direction, deflate.as_ref(), config.limits);
            watch.sent(link.tx.len());
            watch
        };
        Self {
            conn,
            endpoint: Endpoint::new(endpoint, random::system(), now),
            received: Counters::default(),
            watch: shared.looks().then(|| Box::new(watch())),
            answerer: Answerer::new(config, shared.delivery.delivers() || shared.ear.is_some()),
            sending: shared.greeting.as_ref().map(|greeting| Box::new(greeting.begin())),
            process: None,
            injector: None,
            heard: now,
            // Frames that came in the same segment as the request.
            more: true,
            late,
            write_error: None,
        }
    }

    /// Takes over the process of `--exec`.
    pub fn attach(&mut self, child: Child, answer: &Answer, binary: bool) {
        let raw = matches!(answer, Answer::Exec { raw: true, .. });
        let format = if raw { InputFormat::Chunks } else { InputFormat::Lines };
        self.process =
            Some(Box::new(Process { child, feeder: MessageSplitter::new(format, binary) }));
    }

    /// Takes over what goes wrong on purpose; the 101 in `link` has not been sent.
    pub fn spoil(
        &mut self,
        mut injector: Box<FaultInjector>,
        agreed: &Agreed,
        link: &Link,
        now: Instant,
    ) {
        injector.begin(agreed, link.tx.len(), now);
        self.injector = Some(injector);
    }

    /// Whether a connection that is dropped on purpose ends with FIN.
    pub fn ends_in_order(&self) -> bool {
        self.injector.as_ref().is_some_and(|injector| injector.ends_in_order())
    }

    /// The process of `--exec`.
    pub fn child(&mut self) -> Option<&mut Child> {
        self.process.as_mut().map(|process| &mut process.child)
    }

    /// Gives the process away, at the end.
    pub fn take_child(&mut self) -> Option<Child> {
        self.process.take().map(|process| process.child)
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.endpoint.is_open() && self.write_error.is_none()
    }

    /// Sends a piece of a message that goes to all, and closes a client that can't keep up.
    pub fn send(&mut self, link: &mut Link, opcode: Data, piece: &[u8], last: bool, now: Instant) {
        if self.late {
            self.late = !last;
            return;
        }
        if !self.is_open() {
            return;
        }
        // It is open.
        let _ = self.endpoint.send_fragment(opcode, piece, last, &mut link.tx);
        self.shed(link, now);
    }

    /// Closes a client that can't keep up.
    pub fn shed(&mut self, link: &mut Link, now: Instant) {
        if link.pending() > LAG {
            let reason = "too slow: 64 MiB wait to be read";
            let _ = self.endpoint.close(Some(CloseCode::Again.into()), reason, now, &mut link.tx);
        }
    }

    /// Takes a turn; true if the observer stopped on the way, and needs the same bytes again.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn turn(
        &mut self,
        link: &mut Link,
        inbound: &mut Observer,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<bool> {
        self.go_wrong(link, shared, now)?;
        if self.more && self.may_read(link) {
            self.take_events(link, inbound, shared, now)?;
        }
        if !self.more && self.has_room(link, shared) {
            match link.fill() {
                Ok(Fill::Data) => {
                    self.heard = now;
                    if let Some(injector) = &mut self.injector {
                        injector.has_read(link.split().0.rest().len(), now);
                    }
                    self.endpoint.touch();
                    self.take_events(link, inbound, shared, now)?;
                }
                Ok(Fill::Blocked) => {
                    if let Some(error) = self.write_error.take() {
                        self.end_of_stream(error, inbound, shared)?;
                    }
                }
                Ok(Fill::End { truncated }) => {
                    let how = Lost::at_end(truncated, self.write_error.take());
                    self.end_of_stream(how, inbound, shared)?;
                }
                Err(error) => self.end_of_stream(error.into(), inbound, shared)?,
            }
        }
        self.send_first(link, &shared.notifier, now);
        self.take_process(link, &shared.notifier, now);
        self.tick(link, shared, now);
        self.go_wrong(link, shared, now)?;
        self.flush(link, shared, now)?;
        if let Some(injector) = &mut self.injector {
            injector.after_flush(link, &mut self.endpoint, now);
        }
        Ok(self.more)
    }

    /// Whether another turn would do something, without an event.
    pub fn wants_turn(&self, link: &Link, shared: &Shared) -> bool {
        let input = self.more || link.may_fill() || self.write_error.is_some();
        let room = link.pending() < HIGH_WATER;
        let output = room
            && (self.sending.is_some()
                || self.process.as_ref().is_some_and(|process| process.child.may_read()));
        self.is_over(link) || (input && self.has_room(link, shared)) || output
    }

    /// Whether it waits for stdout.
    pub fn waits_for_stdout(&self, link: &Link, shared: &Shared) -> bool {
        (self.more || link.may_fill()) && !shared.has_room()
    }

    /// When something is due.
    pub fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let idle = shared.config.idle_timeout.map(|time| self.heard + time);
        let idle = idle.filter(|_| self.endpoint.state() == State::Open);
        let injector = self.injector.as_ref().and_then(|injector| injector.deadline(self.heard));
        let endpoint = self.endpoint.deadline().filter(|_| !self.keeps_tcp());
        [endpoint, idle, injector].into_iter().flatten().min()
    }

    /// Whether it has ended: the transport can be dropped, or half closed if it still stands.
    pub fn is_over(&self, link: &Link) -> bool {
        let done = self.endpoint.is_done() && link.pending() == 0 && !self.keeps_tcp();
        done || self.endpoint.state() == State::Closed
    }

    /// Tells how it ended.
    pub fn ending(&self, now: Instant) -> Ending {
        let sent = self.watch.as_ref().map(|watch| watch.totals()).unwrap_or_default();
        self.endpoint.ending(now, sent, self.received.totals())
    }

    fn has_room(&self, link: &Link, shared: &Shared) -> bool {
        let full = self.process.as_ref().is_some_and(|process| process.child.is_full());
        let answers = link.pending() < HIGH_WATER || self.write_error.is_some();
        answers && !full && self.may_read(link) && shared.has_room()
    }

    /// Whether the client is read now: not if that is left undone on purpose.
    fn may_read(&self, link: &Link) -> bool {
        self.injector.as_ref().is_none_or(|injector| injector.may_read(link))
    }

    /// Whether TCP is kept on purpose after the closing handshake.
    fn keeps_tcp(&self) -> bool {
        let closing = self.endpoint.state() == State::Closing;
        closing && self.injector.as_ref().is_some_and(|injector| injector.keeps_tcp())
    }

    /// Does what is to go wrong now.
    fn go_wrong(&mut self, link: &mut Link, shared: &mut Shared, now: Instant) -> io::Result<()> {
        let Some(injector) = &mut self.injector else { return Ok(()) };
        let messages = self.received.totals().messages;
        let told = injector.act(messages, self.heard, &mut self.endpoint, &mut link.tx, now);
        injector.pace(link, now);
        told.iter().try_for_each(|text| shared.note(self.conn, text))
    }

    fn take_events(
        &mut self,
        link: &mut Link,
        inbound: &mut Observer,
        shared: &mut Shared,
        now: Instant,
    ) -> io::Result<()> {
        let most = match self.write_error {
            // What is made is for nobody, but it is made.
            Some(_) => HIGH_WATER,
            None => HIGH_WATER.saturating_sub(link.pending()),
        };
        let Self { endpoint, received, watch, answerer, process, injector, heard, .. } = self;
        let looking = watch.is_some();
        let conn = self.conn;
        // The clock costs as much as a small message.
        let stamp = match looking {
            true => shared.runtime.reporter.stamp_of(self.conn),
            false => Stamp { micros: 0, conn: self.conn },
        };
        // A run takes what is there, and may end behind the message that was the last to count.
        let counts = shared.config.exit_after.is_some() || injector.is_some();
        let runs = !looking && process.is_none() && !counts;
        let (mut input, tx) = link.split();
        let before = tx.len();
        self.more = loop {
            let child = process.as_mut().map(|process| &mut process.child);
            let full = child.as_ref().is_some_and(|child| child.is_full());
            if !shared.has_room() || tx.len() - before >= most || full {
                break true;
            }
            if runs && endpoint.is_receiving() {
                let run = answerer.take_run(inbound, &mut input, HIGH_WATER, endpoint, tx);
                received.count_run(run);
                shared.messages += run.messages;
            }
            let Some(observed) = inbound.next_or_whole(&mut input) else { break false };
            match observed {
                Observed::Whole(message) => {
                    received.count_whole(&message);
                    if endpoint.is_receiving() {
                        answerer.take_whole(
                            &message,
                            Ways { conn, endpoint, tx, child },
                            shared,
                        )?;
                    }
                    if looking {
                        let runtime = &mut shared.runtime;
                        message.try_events(|event| {
                            let event = Event::Frame(Direction::ToServer, event);
                            runtime.reporter.event(&stamp, &event, &mut runtime.stdout)
                        })?;
                    }
                }
                Observed::Frame(event) => {
                    received.count(&event);
                    let round_trip = endpoint.receive(&event, now, tx);
                    // A violation that fails the connection has ended the receiving by now.
                    if endpoint.is_receiving() {
                        answerer.take(&event, Ways { conn, endpoint, tx, child }, shared)?;
                    }
                    if looking {
                        let runtime = &mut shared.runtime;
                        if let Some(time) = round_trip {
                            let event = Event::RoundTrip(time);
                            runtime.reporter.event(&stamp, &event, &mut runtime.stdout)?;
                        }
                        let between =
                            matches!(event, FrameEvent::End { .. } | FrameEvent::Message(_));
                        let event = Event::Frame(Direction::ToServer, event);
                        runtime.reporter.event(&stamp, &event, &mut runtime.stdout)?;
                        if !between {
                            continue;
                        }
                    }
                }
                Observed::Head(_) | Observed::HeadError(_) | Observed::Body(_) => {}
            }
            if let Some(injector) = injector {
                injector.trim(tx);
                if let Some(watch) = watch.as_mut() {
                    watch.look(tx, &mut shared.runtime.reporter, &mut shared.runtime.stdout)?;
                }
                let messages = received.totals().messages;
                for text in injector.act(messages, *heard, endpoint, tx, now) {
                    shared.note(self.conn, &text)?;
                }
            }
            // What we sent in answer is shown after what it answers.
            if let Some(watch) = watch.as_mut() {
                watch.look(tx, &mut shared.runtime.reporter, &mut shared.runtime.stdout)?;
            }
        };
        let at = input.consumed();
        link.consumed(at);
        if self.more && !shared.has_room() {
            // The reader of stdout is slow, or others are: that is no silence of this client.
            self.heard = now;
            self.endpoint.note_stall(now);
        }
        Ok(())
    }

    fn end_of_stream(
        &mut self,
        how: Lost,
        inbound: &mut Observer,
        shared: &mut Shared,
    ) -> io::Result<()> {
        let Some(violation) = inbound.finish() else {
            self.endpoint.end_of_stream(how);
            return Ok(());
        };
        let event = FrameEvent::Violation(&violation);
        shared.tell(self.conn, &Event::Frame(Direction::ToServer, event))?;
        self.endpoint.end_of_stream(how.inside(&violation));
        Ok(())
    }

    /// Goes on with what each client is sent first.
    fn send_first(&mut self, link: &mut Link, notifier: &Notifier, now: Instant) {
        let Some(sending) = &mut self.sending else { return };
        if !self.endpoint.is_open() || link.pending() >= HIGH_WATER {
            self.sending = self.sending.take().filter(|_| self.endpoint.is_open());
            return;
        }
        match sending.go_on(&mut self.endpoint, now, &mut link.tx) {
            Ok(false) => {}
            Ok(true) => self.sending = None,
            Err(error) => {
                self.sending = None;
                self.fail(&format!("--send: {error}"), link, notifier, now);
            }
        }
    }

    /// Takes what the client's process says, and gives it what it has not yet taken.
    fn take_process(&mut self, link: &mut Link, notifier: &Notifier, now: Instant) {
        let Some(process) = &mut self.process else { return };
        let Process { child, feeder } = &mut **process;
        child.flush();
        let mut fault = None;
        while self.endpoint.is_open() && link.tx.len() < HIGH_WATER && child.may_read() {
            let fed = match child.read(feeder.space()) {
                Ok(ChildRead::Data(n)) => feeder.filled(n, &mut self.endpoint, now, &mut link.tx),
                Ok(ChildRead::Blocked) => break,
                Ok(ChildRead::End) => {
                    let fed = feeder.finish(&mut self.endpoint, now, &mut link.tx);
                    if fed.is_ok() {
                        let code = Some(CloseCode::Normal.into());
                        let _ = self.endpoint.close(code, "", now, &mut link.tx);
                    }
                    fed
                }
                Err(error) => {
                    fault = Some(error.to_string());
                    break;
                }
            };
            if let Err(error) = fed {
                fault = Some(error.to_string());
                break;
            }
        }
        if let Some(fault) = fault {
            self.fail(&format!("--exec: {fault}"), link, notifier, now);
        }
    }

    /// Closes because of a fault on this side.
    pub fn fail(&mut self, fault: &str, link: &mut Link, notifier: &Notifier, now: Instant) {
        notifier.of(self.conn.0, fault);
        let reason = crate::wire::close::fit_reason(fault);
        let _ = self.endpoint.close(Some(CloseCode::Error.into()), reason, now, &mut link.tx);
    }

    fn tick(&mut self, link: &mut Link, shared: &Shared, now: Instant) {
        let idle = shared.config.idle_timeout.is_some_and(|time| self.heard + time <= now);
        if idle && self.endpoint.is_open() {
            self.endpoint.time_out(TimeoutKind::Idle, now, &mut link.tx);
        }
        if !self.keeps_tcp() {
            self.endpoint.tick(now, &mut link.tx);
        }
    }

    /// Shows and sends what has been made.
    fn flush(&mut self, link: &mut Link, shared: &mut Shared, now: Instant) -> io::Result<()> {
        if self.write_error.is_some() && link.tx.len() > HIGH_WATER {
            // A client that has gone may have left megabytes behind, and each byte its answer.
            link.drop_unsent();
            self.watch.iter_mut().for_each(|watch| watch.sent(0));
        }
        let Some(before @ 1..) = Some(link.pending()).filter(|_| self.write_error.is_none()) else {
            return Ok(());
        };
        if let Some(watch) = &mut self.watch {
            watch.look(&link.tx, &mut shared.runtime.reporter, &mut shared.runtime.stdout)?;
        }
        if let Err(error) = link.flush() {
            // What the client sent before it went away is still to be read.
            self.write_error = Some(error.into());
        }
        if let Some(watch) = &mut self.watch {
            watch.sent(link.tx.len());
        }
        if link.pending() < before {
            // It reads: that is life too.
            self.heard = now;
            self.endpoint.note_sent(before, now);
        }
        Ok(())
    }

    /// When something came, or was read by the client.
    pub fn heard(&self) -> Instant {
        self.heard
    }
}
