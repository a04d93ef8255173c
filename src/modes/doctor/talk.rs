//! A short session for an examination: a ping, a silence, a close.

use std::time::{Duration, Instant};

use crate::diagnostics::Diagnostic;
use crate::engine::open_error::OpenError;
use crate::engine::opening::Opened;
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::engine::session_evidence::SessionEvidence;
use crate::event::{Ending, Lost, Observed, Totals};
use crate::net::link::{Fill, Link};
use crate::net::random;
use crate::net::reactor::{SIGNAL, SOCKET};
use crate::session::counters::Counters;
use crate::session::endpoint::State;
use crate::session::{Endpoint, EndpointConfig, Observer};
use crate::wire::Role;

/// A session under examination.
pub struct Talk {
    link: Link,
    inbound: Observer,
    endpoint: Endpoint,
    witness: SessionEvidence,
    received: Counters,
    /// The round trip of the ping answered last.
    round_trip: Option<Duration>,
    /// Frames may be waiting behind the 101.
    more: bool,
}

impl Talk {
    /// Takes over an open connection.
    pub fn new(mut opened: Opened) -> Self {
        let now = Instant::now();
        let deflate = opened.report.agreed.deflate;
        let config = EndpointConfig { deflate, ..EndpointConfig::new(Role::Client) };
        Self {
            witness: SessionEvidence::new(Role::Client, opened.link.split().0.rest(), now),
            endpoint: Endpoint::new(config, random::system(), now),
            link: opened.link,
            inbound: opened.inbound,
            received: Counters::default(),
            round_trip: None,
            more: true,
        }
    }

    /// Sends a ping and waits for its pong, until the time is up or the connection over.
    ///
    /// # Errors
    ///
    /// A signal came, or the poll failed.
    pub fn ping(
        &mut self,
        patience: Duration,
        runtime: &mut Runtime,
    ) -> Result<Option<Duration>, OpenError> {
        let now = Instant::now();
        self.round_trip = None;
        // Where it can't be sent the connection is over, and that is told.
        let _ = self.endpoint.send_ping(b"wscope doctor", now, &mut self.link.tx);
        self.run(now + patience, runtime, |talk| talk.round_trip.is_some())?;
        Ok(self.round_trip)
    }

    /// Is silent for a time, but for what the peer asks; whether the connection is still open.
    ///
    /// # Errors
    ///
    /// A signal came, or the poll failed.
    pub fn idle(&mut self, time: Duration, runtime: &mut Runtime) -> Result<bool, OpenError> {
        self.run(Instant::now() + time, runtime, |_| false)?;
        Ok(self.is_open())
    }

    /// Closes, and waits for the peer's end.
    ///
    /// # Errors
    ///
    /// A signal came, or the poll failed.
    pub fn close(&mut self, runtime: &mut Runtime) -> Result<(), OpenError> {
        let now = Instant::now();
        // It may be closing already, which is as good.
        let _ = self.endpoint.close(Some(1000), "", now, &mut self.link.tx);
        let patience = EndpointConfig::new(Role::Client).close_timeout;
        self.run(now + patience, runtime, |_| false)?;
        self.link.shutdown();
        Ok(())
    }

    /// Whether it can be talked on.
    pub fn is_open(&self) -> bool {
        self.endpoint.is_open()
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        self.endpoint.ending(Instant::now(), Totals::default(), self.received.totals())
    }

    /// Explains how it ended.
    pub fn explain(&self, trace: &OpeningEvidence, ending: &Ending) -> Vec<Diagnostic> {
        self.witness.explain(trace.facts(), &self.endpoint, &self.inbound, ending, Instant::now())
    }

    fn run(
        &mut self,
        until: Instant,
        runtime: &mut Runtime,
        done: impl Fn(&Self) -> bool,
    ) -> Result<(), OpenError> {
        loop {
            let now = Instant::now();
            self.receive(now);
            self.endpoint.tick(now, &mut self.link.tx);
            if self.link.pending() > 0 && self.link.flush().is_ok() {
                self.witness.sent(now);
            }
            if let Some(signal) = runtime.take_signal() {
                return Err(OpenError::Signal(signal));
            }
            let over = self.endpoint.state() == State::Closed;
            if over || now >= until || done(self) {
                return Ok(());
            }
            let soon = (self.more || self.link.may_fill()).then_some(now);
            let deadline =
                soon.or_else(|| self.endpoint.deadline().into_iter().chain([until]).min());
            for event in runtime.reactor.wait(deadline)? {
                match event.token() {
                    SOCKET => self.link.ready(event),
                    SIGNAL => runtime.signals.set_ready(),
                    _ => {}
                }
            }
        }
    }

    fn receive(&mut self, now: Instant) {
        if !self.more {
            match self.link.fill() {
                Ok(Fill::Data) => {
                    self.witness.received(self.link.split().0.rest(), now);
                    self.endpoint.touch();
                }
                Ok(Fill::Blocked) => return,
                Ok(Fill::End { truncated }) => {
                    return self.endpoint.end_of_stream(Lost::at_end(truncated, None));
                }
                Err(error) => return self.endpoint.end_of_stream(error.into()),
            }
        }
        self.more = false;
        let (mut input, tx) = self.link.split();
        while let Some(observed) = self.inbound.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            self.received.count(&event);
            self.witness.take(&event);
            let round_trip = self.endpoint.receive(&event, now, tx);
            self.round_trip = round_trip.or(self.round_trip);
        }
        self.witness.look_around(&input, self.inbound.offset(), now);
        let at = input.consumed();
        self.link.consumed(at);
    }
}
