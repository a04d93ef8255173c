//! A short test session: a ping, an idle time, a close.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::diagnostics::Diagnostic;
use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::memory::Budget;
use crate::engine::open_error::OpenError;
use crate::engine::opening::Opened;
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task, run};
use crate::event::Ending;
use crate::net::signals::Signal;
use crate::session::EndpointConfig;
use crate::session::endpoint::PongMismatch;
use crate::wire::Role;

/// The limit for queued data; the session sends and keeps little.
const MEMORY: usize = 1024 * 1024;

/// A test session.
pub struct TrialTalk {
    connection: Connection,
    /// The evidence of its opening.
    pub evidence: OpeningEvidence,
    /// The round trip of the last answered ping.
    round_trip: Rc<Cell<Option<Duration>>>,
}

/// Notes the time of each answered ping.
struct LastRoundTrip(Rc<Cell<Option<Duration>>>);

impl Behaviour for LastRoundTrip {
    fn streams(&self) -> bool {
        true
    }

    fn on_round_trip(&mut self, time: Duration, _: &mut Context<'_>) {
        self.0.set(Some(time));
    }
}

impl TrialTalk {
    /// Takes over an open connection.
    pub fn new(opened: Opened) -> Self {
        let memory = Budget::new(MEMORY);
        let endpoint = EndpointConfig::new(Role::Client).into();
        let agreed = &opened.report.agreed;
        let setup = ConnectionSetup {
            evidence: true,
            ..ConnectionSetup::new(opened.conn, agreed, Some(&endpoint), &memory)
        };
        let mut connection = Connection::new(opened.link, opened.inbound, &setup, Instant::now());
        let round_trip = Rc::default();
        connection.add(LastRoundTrip(Rc::clone(&round_trip)));
        Self { connection, evidence: opened.evidence, round_trip }
    }

    /// Sends a ping and waits for its pong, until the time limit or the end of the connection.
    pub fn ping(
        &mut self,
        timeout: Duration,
        runtime: &mut Runtime,
    ) -> Result<Option<Duration>, OpenError> {
        let now = Instant::now();
        self.round_trip.set(None);
        // If sending fails, the connection has ended, which is reported.
        let _ = self.connection.sender(now).ping(b"wscope doctor");
        self.run(now + timeout, true, runtime)?;
        Ok(self.round_trip.get())
    }

    /// How the last pong differed from the ping, if it did.
    pub fn mismatch(&self) -> Option<PongMismatch> {
        self.connection.endpoint()?.ping_facts(Instant::now()).mismatched
    }

    /// Stays silent for this time, except for required answers; returns whether the connection is
    /// still open.
    pub fn idle(&mut self, time: Duration, runtime: &mut Runtime) -> Result<bool, OpenError> {
        self.run(Instant::now() + time, false, runtime)?;
        Ok(self.is_open())
    }

    /// Closes, and waits for the peer's end.
    pub fn close(&mut self, timeout: Duration, runtime: &mut Runtime) -> Result<(), OpenError> {
        let now = Instant::now();
        // If it is already closing, no Close is needed.
        let _ = self.connection.sender(now).close(Some(1000), "");
        self.run(now + timeout, false, runtime)?;
        self.connection.shut_down();
        Ok(())
    }

    /// Whether the session can continue.
    pub fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        self.connection.ending(Instant::now())
    }

    /// The duration, without the wait for the end of TCP.
    pub fn lasted(&self) -> Duration {
        self.connection.lasted(&self.ending())
    }

    /// The time from the peer's last message to its Close; `None` without a message.
    pub fn silence_before_close(&self) -> Option<Duration> {
        self.connection.silence_before_close()
    }

    /// Whether a ping still waits for its pong.
    pub fn waits_for_pong(&self) -> bool {
        let pings = self.connection.endpoint().map(|one| one.ping_facts(Instant::now()));
        pings.is_some_and(|pings| pings.waiting.is_some())
    }

    /// The time from our ping to the peer's end of the session, if nothing else crossed between
    /// them; `now` is the time of the end.
    pub fn after_ping(&self, ending: &Ending, now: Instant) -> Option<Duration> {
        self.connection.after_ping(ending, now)
    }

    /// Explains how it ended; `now` is the time of the end.
    pub fn explain(&self, ending: &Ending, now: Instant) -> Vec<Diagnostic> {
        self.connection.explain(self.evidence.facts(), ending, now)
    }

    fn run(
        &mut self,
        until: Instant,
        for_pong: bool,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        let mut watch = WatchTask { talk: self, until, for_pong, signal: None };
        run(&mut watch, runtime)?;
        watch.signal.map_or(Ok(()), |signal| Err(OpenError::Signal(signal)))
    }
}

/// Runs the session until a deadline, its end, or (if awaited) a pong.
struct WatchTask<'a> {
    talk: &'a mut TrialTalk,
    until: Instant,
    for_pong: bool,
    signal: Option<Signal>,
}

impl Task for WatchTask<'_> {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.signal = runtime.take_signal();
        runtime.give_turn(&mut self.talk.connection, now)
    }

    fn next(&mut self, runtime: &Runtime, now: Instant) -> NextRound {
        let connection = &self.talk.connection;
        let pong = self.talk.round_trip.get().is_some() || self.talk.mismatch().is_some();
        let answered = self.for_pong && pong;
        let over = connection.is_over() || self.signal.is_some();
        if over || answered || now >= self.until {
            NextRound::Done
        } else if connection.wants_turn(&runtime.stdout, &runtime.reporter) {
            NextRound::Now
        } else {
            NextRound::Wait(connection.deadline().into_iter().chain([self.until]).min())
        }
    }

    fn ready(&mut self, ready: Ready<'_>) {
        if let Ready::Socket(_, event) = ready {
            self.talk.connection.ready(event);
        }
    }
}
