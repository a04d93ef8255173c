//! The connections of a replay, in sequence or in parallel, in one event loop.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::report::ReplayReport;
use crate::behaviour::replay::{Replay, ReplayLog, ReplayScript};
use crate::client::{lead, one_line, refused};
use crate::config::ClientConfig;
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opened, Opening as _};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::event::{Cause, ConnId, Ending, Event, TimeoutKind};
use crate::net::signals::Signal;
use crate::net::tls::TlsClient;
use crate::output::reporter::EndSeverity;
use crate::recording::Compare;
use crate::ui::ending::summarize;
use crate::wire::CloseCode;

/// How many connections are opened at the same time: each one may look up a name in a separate
/// thread.
const OPENING: usize = 64;

/// How long to wait for the answers to our Closes after a signal.
const LEAVING: Duration = Duration::from_secs(1);

/// All connections.
pub(super) struct Load<'a> {
    config: &'a ClientConfig,
    script: Rc<ReplayScript>,
    report: ReplayReport,
    parallel: usize,
    /// The number of connections that have not begun.
    left: u64,
    running: Vec<Option<RunningReplay>>,
    memory: Rc<Budget>,
    /// The TLS client, set up once for several connections.
    tls: Option<TlsClient>,
    /// When the run ends.
    until: Option<Instant>,
    began: Instant,
    /// The signal that ended the run early, and when the remaining connections are dropped.
    signal: Option<Signal>,
    leave_by: Option<Instant>,
    /// The status of the first connection that did not go as planned.
    failure: Option<Exit>,
    /// The number of connections that opened.
    opened: u64,
    uncaptured: Option<String>,
    /// A connection has ended in this round, so another one may begin.
    moved: bool,
}

/// A running connection.
enum RunningReplay {
    Opening(ConnId, Box<ClientOpening>),
    Open(Box<OpenReplay>),
}

/// An open connection.
struct OpenReplay {
    connection: Connection,
    evidence: OpeningEvidence,
    log: Rc<RefCell<ReplayLog>>,
}

impl<'a> Load<'a> {
    /// `parallel` connections at once; in all, `repeat` times as many.
    pub(super) fn new(
        config: &'a ClientConfig,
        script: Rc<ReplayScript>,
        mut report: ReplayReport,
        (parallel, repeat): (u32, u32),
        until: Option<Instant>,
    ) -> Self {
        let compares = script.comparison().how != Compare::None;
        report.totals.differences = compares.then_some(0);
        // If the setup fails, the first connection reports the error.
        let tls = (report.is_of_many() && config.open.target.secure)
            .then(|| TlsClient::new(&config.open.transport.tls).ok())
            .flatten();
        Self {
            config,
            script,
            report,
            parallel: parallel as usize,
            left: u64::from(parallel) * u64::from(repeat),
            running: Vec::new(),
            memory: Budget::new(config.max_memory),
            tls,
            until,
            began: Instant::now(),
            signal: None,
            leave_by: None,
            failure: None,
            opened: 0,
            uncaptured: None,
            moved: false,
        }
    }

    /// Reports the result of all connections, and returns the status.
    pub(super) fn finish(mut self, runtime: &mut Runtime) -> io::Result<Exit> {
        self.report.totals.time = self.began.elapsed();
        if let Some(name) = &self.uncaptured
            && self.failure.is_none()
        {
            let text = format!(
                "--capture {name}: no received message matched, and the recorded value was sent"
            );
            self.report.failure(ConnId(0), &text, Exit::Unmet, runtime);
            self.failure = Some(Exit::Unmet);
        }
        self.report.finish(runtime)?;
        let failure = self.failure.unwrap_or(Exit::Success);
        Ok(self.signal.map_or(failure, Exit::from))
    }

    fn is_leaving(&self) -> bool {
        self.leave_by.is_some()
    }

    /// Begins the connections that may begin now.
    fn start(&mut self, runtime: &mut Runtime, now: Instant) {
        let opening =
            |slot: &Option<RunningReplay>| matches!(slot, Some(RunningReplay::Opening(..)));
        let mut busy = self.running.iter().flatten().count();
        let mut opening = self.running.iter().filter(|slot| opening(slot)).count();
        let mut from = 0;
        while self.left > 0 && busy < self.parallel && opening < OPENING {
            self.left -= 1;
            let free = self.running[from..].iter().position(Option::is_none);
            let slot = free.map_or(self.running.len(), |at| from + at);
            if slot == self.running.len() {
                self.running.push(None);
            }
            from = slot + 1;
            if self.report.totals.connections > 0 {
                runtime.reporter.next_connection();
            }
            self.report.totals.connections += 1;
            let next = ClientOpening::new(&self.config.open, slot, self.until, runtime, now);
            let next = next.sharing(self.tls.as_ref());
            let next = if self.report.is_of_many() { next.beside() } else { next };
            let conn = runtime.reporter.connection();
            self.running[slot] = Some(RunningReplay::Opening(conn, Box::new(next)));
            (busy, opening) = (busy + 1, opening + 1);
        }
    }

    /// Continues one connection.
    fn step(
        &mut self,
        running: RunningReplay,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<Option<RunningReplay>> {
        match running {
            RunningReplay::Opening(conn, mut opening) => match opening.advance(runtime, now) {
                Ok(None) => Ok(Some(RunningReplay::Opening(conn, opening))),
                Ok(Some(opened)) => {
                    self.opened += 1;
                    let open = RunningReplay::Open(Box::new(self.open(*opened, runtime, now)));
                    self.step(open, runtime, now)
                }
                Err(OpenError::Local(error)) => Err(error),
                Err(error) => {
                    self.not_opened(conn, error, opening.evidence(), runtime)?;
                    Ok(None)
                }
            },
            RunningReplay::Open(mut open) => {
                runtime.give_turn(&mut open.connection, now)?;
                if !open.connection.is_over() {
                    return Ok(Some(RunningReplay::Open(open)));
                }
                self.end(*open, runtime, now)?;
                Ok(None)
            }
        }
    }

    fn open(&self, opened: Opened, runtime: &Runtime, now: Instant) -> OpenReplay {
        let Opened { conn, link, inbound, report, evidence, .. } = opened;
        let config = self.config;
        let setup = ConnectionSetup {
            limits: config.open.limits,
            observed: runtime.reporter.looks_at_frames() || config.reach.write_out.is_some(),
            evidence: true,
            ..ConnectionSetup::new(conn, &report.agreed, Some(&config.endpoint), &self.memory)
        };
        let mut connection = Connection::new(link, inbound, &setup, now);
        let log = Rc::default();
        connection.add(Replay::new(&self.script, &log, now));
        OpenReplay { connection, evidence, log }
    }

    /// Handles a failed opening: the first one is reported in full, all are counted.
    fn not_opened(
        &mut self,
        conn: ConnId,
        error: OpenError,
        evidence: &OpeningEvidence,
        runtime: &mut Runtime,
    ) -> io::Result<()> {
        self.moved = true;
        if let OpenError::Signal(signal) = error {
            self.signal.get_or_insert(signal);
            return Ok(());
        }
        let exit = error.exit();
        let tells = self.report.failed(true);
        if self.failure.is_none() {
            refused(error, evidence, runtime).map_err(io::Error::other)?;
        } else if tells {
            let text = one_line(&error.to_string()).to_owned();
            self.report.failure(conn, &text, exit, runtime);
        }
        self.failure.get_or_insert(exit);
        // The server can't be reached.
        if self.opened == 0 && self.report.totals.failed >= self.parallel as u64 {
            self.left = 0;
        }
        Ok(())
    }

    /// Handles the end of a connection, and takes its result.
    fn end(&mut self, open: OpenReplay, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let OpenReplay { mut connection, evidence, log } = open;
        self.moved = true;
        let log = &mut *log.borrow_mut();
        connection.shut_down();
        let (conn, ending) = (connection.id(), connection.ending(now));
        runtime.report(conn, &Event::End(&ending))?;
        if !self.report.is_of_many() {
            runtime.record.ended(&ending, connection.first_frame());
        }
        if self.is_leaving() {
            self.report.ended(conn, log, false, runtime);
            return Ok(());
        }
        log.end(&self.script, &ending);
        let exit = self.exit(log, &ending);
        if self.uncaptured.is_none() {
            self.uncaptured = log.uncaptured.take();
        }
        let tells = self.report.ended(conn, log, exit != Exit::Success, runtime);
        if exit == Exit::Success {
            return Ok(());
        }
        self.failure.get_or_insert(exit);
        if !tells {
            return Ok(());
        }
        if let Some(text) = &log.unanswered {
            self.report.failure(conn, text, exit, runtime);
        }
        let found = connection.explain(evidence.facts(), &ending, now);
        runtime.reporter.diagnose(&found, EndSeverity::Failed, &mut runtime.stdout)?;
        if Exit::of(&ending) == Exit::Success || self.is_as_recorded(&ending) {
            return Ok(());
        }
        let text = lead(&found, &summarize(&ending), runtime);
        self.report.failure(conn, &text, exit, runtime);
        if !self.report.is_of_many() {
            let advice = runtime.reporter.advice(&found, EndSeverity::Failed, false);
            runtime.notifier.advice(&advice);
        }
        Ok(())
    }

    /// The status of a connection that has ended.
    fn exit(&self, log: &ReplayLog, ending: &Ending) -> Exit {
        let of_ending = match self.is_as_recorded(ending) {
            true => Exit::Success,
            false => Exit::of(ending),
        };
        let all = log.steps == self.script.plan().steps.len();
        match of_ending {
            _ if log.all_differences > 0 => Exit::Unmet,
            _ if log.timed_out => Exit::Timeout,
            Exit::Success if !all => Exit::Unmet,
            exit => exit,
        }
    }

    /// Whether the server closed as in the recording.
    fn is_as_recorded(&self, ending: &Ending) -> bool {
        let close = self.script.plan().close.as_ref();
        let code = close.filter(|_| ending.cause == Cause::Closed).map(|close| close.code);
        code.is_some() && code == ending.received.as_ref().map(|close| close.code)
    }

    /// After a signal or the end of the time: closes open connections, and begins no others.
    fn close_all(&mut self, now: Instant) {
        self.left = 0;
        self.leave_by = Some(now + LEAVING);
        for slot in &mut self.running {
            match slot {
                Some(RunningReplay::Opening(..)) => *slot = None,
                Some(RunningReplay::Open(open)) => {
                    // If it is already closing, no Close is needed.
                    let close = Some(CloseCode::Away.into());
                    let _ = open.connection.sender(now).close(close, "");
                }
                None => {}
            }
        }
    }
}

impl Task for Load<'_> {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.moved = false;
        if let Some(signal) = runtime.take_signal() {
            match self.signal {
                Some(_) => self.running.clear(),
                None => self.signal = Some(signal),
            }
        }
        if self.signal.is_some() && !self.is_leaving() {
            self.close_all(now);
        }
        if self.until.is_some_and(|at| at <= now) && !self.is_leaving() {
            self.failure.get_or_insert(Exit::Timeout);
            let first = self.running.iter().flatten().next().map(|running| match running {
                RunningReplay::Open(open) => open.connection.id(),
                RunningReplay::Opening(conn, _) => *conn,
            });
            let conn = first.unwrap_or(runtime.reporter.connection());
            let text = TimeoutKind::MaxTime.what();
            self.report.failure(conn, text, Exit::Timeout, runtime);
            self.close_all(now);
        }
        if self.leave_by.is_some_and(|at| at <= now) {
            self.running.clear();
        }
        self.start(runtime, now);
        for slot in 0..self.running.len() {
            let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let wants = match &self.running[slot] {
                // The result of a lookup thread names no connection.
                Some(RunningReplay::Opening(..)) => true,
                Some(RunningReplay::Open(open)) => {
                    open.connection.wants_turn(&runtime.stdout, &runtime.reporter)
                        || due(open.connection.deadline())
                }
                None => false,
            };
            if wants && let Some(running) = self.running[slot].take() {
                self.running[slot] = self.step(running, runtime, now)?;
            }
        }
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let running = || self.running.iter().flatten();
        if self.left == 0 && running().next().is_none() {
            return NextRound::Done;
        }
        let wants = |running: &RunningReplay| match running {
            RunningReplay::Opening(_, opening) => opening.wants_turn(),
            RunningReplay::Open(open) => {
                open.connection.wants_turn(&runtime.stdout, &runtime.reporter)
            }
        };
        if self.moved || self.signal.is_some() && !self.is_leaving() || running().any(wants) {
            return NextRound::Now;
        }
        let due = |running: &RunningReplay| match running {
            RunningReplay::Opening(_, opening) => opening.deadline(),
            RunningReplay::Open(open) => open.connection.deadline(),
        };
        let due = running().filter_map(due);
        NextRound::Wait(
            due.chain(self.until.filter(|_| !self.is_leaving())).chain(self.leave_by).min(),
        )
    }

    fn ready(&mut self, ready: Ready<'_>) {
        let Ready::Socket(slot, event) = ready else { return };
        match self.running.get_mut(slot).and_then(Option::as_mut) {
            Some(RunningReplay::Opening(_, opening)) => opening.ready(event),
            Some(RunningReplay::Open(open)) => open.connection.ready(event),
            None => {}
        }
    }
}
