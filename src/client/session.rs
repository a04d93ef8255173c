//! The session of a client, over one or more connections in sequence.
//!
//! It is one task of the event loop. While a connection is open, stdin or the lines of a runner go
//! to the peer and the peer's messages to stdout; when the connection has ended, another one may
//! follow.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::behaviour::echo::Echo;
use crate::behaviour::faults::FaultInjector;
use crate::behaviour::input::StdinInput;
use crate::behaviour::payload::PayloadWriter;
use crate::behaviour::splitter::To;
use crate::behaviour::stay::{Leave, SessionProgress};
use crate::behaviour::steps::{Step, Steps};
use crate::behaviour::stop::{Stop, StopCondition};
use crate::cli::{InputFormat, OutputFormat};
use crate::client::probe;
use crate::client::retry::{self, SLOT, Tries};
use crate::client::single::SingleConnection;
use crate::client::{failed, lead};
use crate::config::ClientConfig;
use crate::diagnostics::{Family, Severity, is_ordinary};
use crate::engine::behaviour::Behaviour;
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{Opened, Opening};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::outbox::Producer;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::event::{Cause, Ending, Event, Lost, Side, TimeoutKind};
use crate::net::random;
use crate::net::retry::{RetryDecision, Schedule};
use crate::net::signals::Signal;
use crate::output::notifier::Notifier;
use crate::output::payload::PayloadSink;
use crate::output::reporter::EndSeverity;
use crate::script::json;
use crate::script::runner::Expect;
use crate::script::runner::{ScriptRunner, SessionRequest, Source};
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::ending::{describe, seen_code, summarize};
use crate::ui::style::Ink;
use crate::wire::close;
use crate::wire::{CloseCode, Data, Role};

/// How long a session that has ended waits for the end of a script on stdin. Until then, it is
/// unknown whether the script expects something.
const REST_OF_SCRIPT: Duration = Duration::from_secs(2);

/// How long to wait for the peer's Close after a signal or an error of this side.
const PEER_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for the peer's Close after the reader of stdout has closed it.
const READER_GONE: Duration = Duration::from_millis(500);

/// A client's session.
pub struct ClientSession<'a> {
    config: &'a ClientConfig,
    max_time: Option<Instant>,
    /// Runs the lines of a prompt or a script.
    runner: Option<ScriptRunner>,
    input: StdinInput,
    stop: Option<Rc<RefCell<StopCondition>>>,
    memory: Rc<Budget>,
    reconnect: Option<Schedule>,
    /// Whether it prints how a connection ended; not if a mode sends a fixed sequence.
    reports: bool,
    /// stdout contains an incomplete message.
    half_written: Rc<Cell<bool>>,
    /// The rest of a message from stdin was skipped, because the connection ended inside it.
    skipped: bool,
    /// The durations of lost connections.
    lifetimes: Vec<Duration>,
    /// When the first connection opened, and when the input ended, for `--for` and `-w`.
    began: Option<Instant>,
    input_ended: Option<Instant>,
    /// Until when an ended session waits for the end of a script on stdin.
    script_by: Option<Instant>,
    phase: SessionPhase,
    /// The current status.
    exit: Exit,
    /// The connection that ended last.
    pub ending: Option<Ending>,
}

/// The state of a session.
enum SessionPhase {
    /// A connection is being opened.
    Opening(Box<Tries>),
    /// A connection is open.
    Open(Box<Current>),
    /// There is no connection; a runner may request one.
    Offline,
    Done,
}

/// The open connection.
struct Current {
    connection: Connection,
    /// The evidence of its opening.
    evidence: OpeningEvidence,
    began: Instant,
    /// When the input ended, or the connection opened, whichever was later.
    input_ended: Option<Instant>,
    /// The error of this side, if there is one.
    fault: Option<String>,
    unmet: bool,
    /// `--max-time` has passed.
    overtime: bool,
    /// Why wscope closed it, if because of time.
    left: Option<Leave>,
    signal: Option<Signal>,
    /// The connection is dropped at this time if the peer has not answered.
    leave_by: Option<Instant>,
}

/// The result of a connection's end.
struct SessionOutcome {
    ending: Ending,
    exit: Exit,
    fault: Option<String>,
    /// Why wscope closed it, if because of time.
    left: Option<Leave>,
    /// The number of bytes that were never sent.
    unsent: usize,
    /// The number of output bytes that stdout did not accept in time.
    unwritten: usize,
    /// The last received message is incomplete.
    cut_short: bool,
    /// The text of the peer's Close, if nothing else prints it.
    last_words: Option<String>,
    /// The explanation and the cure, for users; may be empty.
    advice: Vec<u8>,
    /// The end in one line, beginning with the cause.
    led: String,
}

impl<'a> ClientSession<'a> {
    /// Takes over an open connection.
    ///
    /// # Errors
    ///
    /// stdin can't be used.
    pub fn new(
        config: &'a ClientConfig,
        opened: Opened,
        max_time: Option<Instant>,
        runtime: &mut Runtime,
    ) -> io::Result<Self> {
        let mut session = Self {
            config,
            max_time,
            runner: None,
            input: StdinInput::open(config.traffic.input, config.traffic.binary_input, runtime)?,
            stop: StopCondition::new(config.exit_after, config.until.clone()),
            memory: Budget::new(config.max_memory),
            reconnect: config.reach.reconnect.map(Schedule::new),
            reports: true,
            half_written: Rc::default(),
            skipped: false,
            lifetimes: Vec::new(),
            began: None,
            input_ended: None,
            script_by: None,
            phase: SessionPhase::Offline,
            exit: Exit::Success,
            ending: None,
        };
        session.begin(opened, runtime, Instant::now())?;
        Ok(session)
    }

    /// Sends a fixed sequence instead of stdin; the caller reports the result.
    pub fn with_steps(self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.quietly().with(Steps::new(steps))
    }

    /// Adds a behaviour to the open connection.
    pub fn with(mut self, behaviour: impl Behaviour + 'static) -> Self {
        if let SessionPhase::Open(current) = &mut self.phase {
            current.connection.add(behaviour);
        }
        self
    }

    /// Does not print how a connection ended, because the caller does.
    pub fn quietly(mut self) -> Self {
        self.reports = false;
        self
    }

    /// Runs the lines of a prompt or a script.
    pub fn with_runner(mut self, mut runner: ScriptRunner) -> Self {
        runner.set_end_by_silence(self.config.stay.end_by_silence());
        self.runner = Some(runner);
        if let SessionPhase::Open(current) = &mut self.phase {
            attach(&mut self.runner, current);
        }
        self
    }

    /// Returns the runner, at the end.
    pub fn take_runner(&mut self) -> Option<ScriptRunner> {
        self.runner.take()
    }

    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self.exit {
            Exit::Success if self.skipped => Exit::Failure,
            exit => exit,
        }
    }

    /// Begins with a connection that has just opened.
    fn begin(&mut self, opened: Opened, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let config = self.config;
        let Opened { conn, link, inbound, report, evidence, .. } = opened;
        let looks = runtime.reporter.looks_at_frames();
        let setup = ConnectionSetup {
            limits: config.open.limits,
            // --write-out prints the number of sent frames.
            observed: looks || config.reach.write_out.is_some(),
            evidence: true,
            ..ConnectionSetup::new(conn, &report.agreed, Some(&config.endpoint), &self.memory)
        };
        let mut connection = Connection::new(link, inbound, &setup, now);
        if let Some(mut injector) = FaultInjector::of(config.faults.of(conn.0, Role::Client)) {
            injector.begin(&report.agreed, 0, now);
            connection.interfere(injector, &mut runtime.outputs_and_buffers().0, now)?;
        }
        let sink = PayloadSink::new(config.traffic.output, config.traffic.display.terminal.stdout);
        if self.half_written.take() {
            sink.end_message(&mut runtime.stdout);
        }
        if let Some(payload) = PayloadWriter::new(sink, Role::Client, &self.half_written) {
            connection.add(payload);
        }
        if config.echo {
            connection.add(Echo::default());
        }
        if let Some(stop) = &self.stop {
            connection.add(Stop::new(stop));
        }
        let opcode = if config.traffic.binary { Data::Binary } else { Data::Text };
        for message in &config.execute {
            // The connection has just opened, so it accepts them.
            let _ = connection.sender(now).message(opcode, message.as_bytes());
        }
        // Events of stdin and of its end may have come during the opening.
        self.input.set_ready(false);
        let ended = config.traffic.input == InputFormat::None
            && (!config.execute.is_empty() || config.stay.follows_input());
        self.began.get_or_insert(now);
        let mut current = Box::new(Current {
            connection,
            evidence,
            began: now,
            input_ended: (ended || self.input.ended.is_some()).then_some(now),
            fault: None,
            unmet: false,
            overtime: false,
            left: None,
            signal: None,
            leave_by: None,
        });
        attach(&mut self.runner, &mut current);
        self.phase = SessionPhase::Open(current);
        Ok(())
    }

    /// Starts opening another connection.
    fn open(&mut self, schedule: Schedule, runtime: &mut Runtime, now: Instant) {
        let config = match &self.runner {
            Some(runner) => runner.open_config().unwrap_or(&self.config.open),
            None => &self.config.open,
        };
        let lifetimes = self.lifetimes.clone();
        let tries = Tries::new(config, schedule, lifetimes, self.max_time, runtime, now);
        if let Some(runner) = &mut self.runner {
            runner.set_opening(true);
        }
        self.phase = SessionPhase::Opening(Box::new(tries));
    }

    fn opening_round(
        &mut self,
        mut tries: Box<Tries>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        if self.is_over_meanwhile(runtime, now) {
            return Ok(());
        }
        let opened = match runtime.take_signal() {
            Some(signal) => Err(OpenError::Signal(signal)),
            None => tries.advance(runtime, now),
        };
        match opened {
            Ok(Some(opened)) => {
                if self.reconnect.is_some() {
                    self.reconnect = Some(tries.schedule);
                }
                self.begin(*opened, runtime, now)?;
                // The event of new lines, or of their end, may have been taken for another one.
                if let Some(runner) = &mut self.runner {
                    runner.set_ready(false);
                }
                Ok(())
            }
            Ok(None) => {
                self.phase = SessionPhase::Opening(tries);
                self.run_typed_lines(runtime, now)
            }
            Err(error) => self.give_up_opening(error, tries, runtime, now),
        }
    }

    fn give_up_opening(
        &mut self,
        error: OpenError,
        mut tries: Box<Tries>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        self.not_opened(error, tries.evidence(), runtime)?;
        if matches!(self.phase, SessionPhase::Offline) {
            self.offline_round(runtime, now);
        }
        Ok(())
    }

    /// Keeps the prompt alive while a connection is opened; lines of scripts wait for the
    /// connection.
    fn run_typed_lines(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Some(runner) = &mut self.runner else { return Ok(()) };
        if !runner.reads_only_typed() {
            return Ok(());
        }
        runner.run(&mut SingleConnection { runtime, connection: None }, now);
        match runner.take_request() {
            Some(SessionRequest::Quit) => self.phase = SessionPhase::Done,
            Some(SessionRequest::Leave) => {
                // Ctrl-C ends the opening, even if it came after the check for signals.
                runner.stay();
                if let SessionPhase::Opening(tries) =
                    std::mem::replace(&mut self.phase, SessionPhase::Offline)
                {
                    let error = OpenError::Signal(Signal::Interrupt);
                    return self.give_up_opening(error, tries, runtime, now);
                }
            }
            Some(SessionRequest::Open) => {
                runtime.reporter.next_connection();
                self.open(Schedule::new(self.config.reach.retry), runtime, now);
            }
            None => {}
        }
        Ok(())
    }

    /// Reports why a connection could not be opened.
    fn not_opened(
        &mut self,
        error: OpenError,
        evidence: &OpeningEvidence,
        runtime: &mut Runtime,
    ) -> io::Result<()> {
        let exit = error.exit();
        let Some(runner) = &mut self.runner else {
            if let OpenError::Local(error) = error {
                return Err(error);
            }
            if !matches!(error, OpenError::Signal(_)) {
                let notifier = runtime.notifier.clone();
                failed(&error, &notifier, evidence, runtime)?;
                runtime.record.facts.errormsg = Some(error.to_string());
            }
            self.leave(exit);
            return Ok(());
        };
        runtime.reporter.flush()?;
        runner.set_opening(false);
        runner.show("no answer", Ink::Violation);
        match error {
            OpenError::Local(error) => return Err(error),
            // At a prompt, Ctrl-C ends the current action, not the session.
            OpenError::Signal(Signal::Interrupt) if runner.prompt().is_some() => {
                runner.take_interrupt();
                runner.notifier().note("stopped");
            }
            OpenError::Signal(_) => {
                self.leave(exit);
                return Ok(());
            }
            ref error => failed(error, &runner.notifier().clone(), evidence, runtime)?,
        }
        runner.set_ready(true);
        self.exit = exit;
        self.phase = SessionPhase::Offline;
        if self.exits_on_close() {
            self.phase = SessionPhase::Done;
        }
        Ok(())
    }

    /// `--exit-on-close`, unless the runner has a request.
    fn exits_on_close(&self) -> bool {
        let by_option = self.config.traffic.lines.as_ref().is_some_and(|lines| lines.exit_on_close);
        by_option && self.runner.as_ref().is_none_or(|runner| runner.request().is_none())
    }

    fn leave(&mut self, exit: Exit) {
        self.exit = exit;
        self.phase = SessionPhase::Done;
    }

    fn open_round(
        &mut self,
        mut current: Box<Current>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        runtime.give_turn(&mut current.connection, now)?;
        self.take_input(&mut current, now);
        self.input.take_note().iter().for_each(|text| runtime.notifier.note(text));
        self.run_lines(&mut current, runtime, now);
        self.input_ended = self.input_ended.or(current.input_ended);
        self.do_what_is_due(&mut current, runtime, now);
        if current.connection.is_over() {
            return self.end(*current, runtime, now);
        }
        if current.overtime {
            // Sends the Close as far as the peer accepts it; then the time is over.
            runtime.give_turn(&mut current.connection, now)?;
            return self.end(*current, runtime, now);
        }
        self.phase = SessionPhase::Open(current);
        Ok(())
    }

    /// Reads stdin once, if it has data and the socket has room.
    fn take_input(&mut self, current: &mut Current, now: Instant) {
        if !self.wants_input(current) {
            return;
        }
        let producer = self.input_producer();
        let mut sender = current.connection.sender(now);
        let taken =
            self.input.take(&mut To { sender: &mut sender, producer, commands: json::run }, now);
        if self.input.ended.is_some() {
            current.input_ended.get_or_insert(now);
        }
        if let Err(fault) = taken {
            self.give_up(current, fault, now);
        }
    }

    /// JSON commands send single fragments.
    fn input_producer(&self) -> Producer {
        match self.config.traffic.input {
            InputFormat::Json => Producer::Hand,
            _ => Producer::Input,
        }
    }

    fn wants_input(&self, current: &Current) -> bool {
        let connection = &current.connection;
        self.input.is_ready() && connection.is_open() && connection.has_room(self.input_producer())
    }

    /// Runs lines, and carries out their requests to the session.
    fn run_lines(&mut self, current: &mut Current, runtime: &mut Runtime, now: Instant) {
        let Some(runner) = &mut self.runner else { return };
        let connection = Some(&mut current.connection).filter(|c| !c.is_broken());
        runner.run(&mut SingleConnection { runtime, connection }, now);
        let received_close = current.connection.endpoint().and_then(Endpoint::received_close);
        runner.show_state(current.connection.state(), received_close);
        if let Some(failure) = runner.take_failure() {
            current.unmet |= failure.unmet;
            self.give_up(current, failure.text, now);
            return;
        }
        match runner.request() {
            Some(SessionRequest::Quit | SessionRequest::Open) => {
                close(current, CloseCode::Normal, now)
            }
            Some(SessionRequest::Leave) if current.signal.is_none() => {
                current.signal = Some(Signal::Interrupt);
                current.leave_by = Some(now + PEER_CLOSE_TIMEOUT);
                close(current, CloseCode::Away, now);
            }
            Some(SessionRequest::Leave) => {}
            None if runner.is_exhausted() => {
                current.input_ended.get_or_insert(now);
            }
            None => current.input_ended = None,
        }
    }

    /// Ends the session because of a fault on this side.
    fn give_up(&mut self, current: &mut Current, fault: String, now: Instant) {
        self.input.close();
        current.fault.get_or_insert(fault);
        current.leave_by.get_or_insert(now + PEER_CLOSE_TIMEOUT);
        close(current, CloseCode::Away, now);
    }

    /// Handles signals, deadlines, and a closed reader of stdout.
    fn do_what_is_due(&mut self, current: &mut Current, runtime: &mut Runtime, now: Instant) {
        let unread = self.is_unread(runtime);
        if unread {
            current.leave_by.get_or_insert(now + READER_GONE);
            close(current, CloseCode::Normal, now);
        }
        let signal = runtime
            .signals
            .take()
            .filter(|signal| !self.runner.as_mut().is_some_and(|runner| runner.absorbs(*signal)));
        if let Some(signal) = signal {
            match current.signal {
                Some(_) => current.connection.drop_connection(),
                None => {
                    current.signal = Some(signal);
                    current.leave_by = Some(now + PEER_CLOSE_TIMEOUT);
                    close(current, CloseCode::Away, now);
                }
            }
        }
        // As long as bytes are leaving, the peer gets more time.
        let deadline = match current.signal {
            None if !unread => current.connection.active() + PEER_CLOSE_TIMEOUT,
            _ => now,
        };
        if current.leave_by.is_some_and(|at| at.max(deadline) <= now) {
            current.connection.drop_connection();
        }
        if self.max_time.is_some_and(|at| at <= now) && !current.overtime {
            current.overtime = true;
            current.connection.time_out(TimeoutKind::MaxTime, now);
        }
        if current.connection.state() == State::Open
            && let Some((_, leave)) = self.leaves(current).filter(|(at, _)| *at <= now)
        {
            current.left = Some(leave);
            self.remark(leave, current, runtime);
            close(current, CloseCode::Normal, now);
        }
    }

    /// When and why the run ends because of time.
    fn leaves(&self, current: &Current) -> Option<(Instant, Leave)> {
        let connection = &current.connection;
        let settled = connection.has_sent_its_own() && !connection.has_input();
        let unmet = self.stop.as_ref().is_some_and(|stop| !stop.borrow().is_met());
        let progress = SessionProgress {
            input_ended: current.input_ended,
            heard: connection.talk().heard,
            answered: connection.talk().answered,
            settled: settled.then(|| connection.talk().left),
            expects: unmet,
            satisfied: self.runner.as_ref().is_some_and(ScriptRunner::has_seen_all),
        };
        let by_silence = Leave::by_silence(&self.config.stay, &progress);
        self.leaves_by_clock().into_iter().chain(by_silence).min_by_key(|(at, _)| *at)
    }

    fn leaves_by_clock(&self) -> Option<(Instant, Leave)> {
        Leave::by_clock(&self.config.stay, self.began, self.input_ended)
    }

    /// Ends the run while no connection is open, because of `--for` or `-w`, or because the reader
    /// of stdout has closed it.
    fn is_over_meanwhile(&mut self, runtime: &Runtime, now: Instant) -> bool {
        if self.is_unread(runtime) {
            self.leave(Exit::Success);
            return true;
        }
        let Some((_, leave)) = self.leaves_by_clock().filter(|(at, _)| *at <= now) else {
            return false;
        };
        let unmet = self.stop.as_ref().is_some_and(|stop| !stop.borrow().is_met());
        let exit = match leave {
            _ if unmet => {
                runtime.notifier.error(&unmet_by(Some(&leave.to_string())));
                Exit::Unmet
            }
            Leave::For(_) => Exit::Success,
            _ => self.exit,
        };
        self.leave(exit);
        true
    }

    /// Prints why the run ends, if no option decided it.
    fn remark(&self, leave: Leave, current: &Current, runtime: &Runtime) {
        if let Some(text) = leave.remark(current.connection.messages_sent()) {
            self.runner.as_ref().map_or(&runtime.notifier, ScriptRunner::notifier).note(&text);
        }
    }

    /// Whether the reader of stdout has closed it; irrelevant without output.
    fn is_unread(&self, runtime: &Runtime) -> bool {
        self.config.traffic.output != OutputFormat::None && runtime.stdout.is_closed()
    }

    /// Reports the end of a connection, and decides what happens next.
    fn end(&mut self, mut current: Current, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let mut outcome = self.outcome(&mut current, runtime, now)?;
        runtime.record.ended(&outcome.ending, current.connection.first_frame());
        if self.input.abandon_message() {
            self.skipped = true;
            runtime.note(
                "the connection ended inside a message of stdin; the rest of the message is \
                 skipped",
            )?;
        }
        self.exit = outcome.exit;
        if self.runner.is_some() {
            self.report(&mut outcome, runtime);
        }
        let signalled = current.signal.is_some()
            || current.left.is_some()
            || self.is_unread(runtime)
            || matches!(outcome.exit, Exit::Interrupted | Exit::Terminated | Exit::HungUp);
        let asked = self.runner.as_ref().and_then(ScriptRunner::request).cloned();
        let leaving = matches!(asked, Some(SessionRequest::Quit | SessionRequest::Leave));
        self.phase = SessionPhase::Done;
        if !(self.runner.is_some() && (outcome.fault.is_some() || signalled || leaving))
            && asked.is_none()
        {
            self.reconnect(&outcome, &current, runtime, now)?;
        }
        if matches!(self.phase, SessionPhase::Done) {
            if self.runner.is_none() && self.reports {
                self.report(&mut outcome, runtime);
            } else if self.runner.is_some()
                && !(outcome.fault.is_some() || signalled || leaving)
                && !self.exits_on_close()
            {
                // Lines that arrived before the end of the connection are run, even if no event has
                // reported them yet.
                self.runner.iter_mut().for_each(|runner| runner.set_ready(false));
                // The program that writes the script may be slower than the peer.
                self.script_by = now.checked_add(REST_OF_SCRIPT);
                self.phase = SessionPhase::Offline;
                self.offline_round(runtime, now);
            }
        }
        self.ending = Some(outcome.ending);
        Ok(())
    }

    /// `--reconnect`: opens another connection after one that was lost.
    fn reconnect(
        &mut self,
        outcome: &SessionOutcome,
        current: &Current,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let Some(mut schedule) = self.reconnect else { return Ok(()) };
        let met = self.stop.as_ref().is_some_and(|stop| stop.borrow().is_met());
        let ours =
            current.signal.is_some() || current.left.is_some() || outcome.fault.is_some() || met;
        let ended = retry::ended(&outcome.ending, ours);
        let stood = now.saturating_duration_since(current.began);
        let RetryDecision::Again { after, number } = schedule.ended(ended, stood, random::number())
        else {
            return Ok(());
        };
        self.open(schedule, runtime, now);
        if let SessionPhase::Opening(tries) = &mut self.phase {
            tries.pause(&describe(&outcome.ending), after, number, runtime, now)?;
        }
        if let (Some(runner), Some(lines)) = (&mut self.runner, &self.config.traffic.lines)
            && !lines.execute.is_empty()
        {
            runner.push_source(Source::of_lines("-x", &lines.execute));
        }
        Ok(())
    }

    /// Reports the end to all sinks, empties stdout, and returns the result.
    fn outcome(
        &mut self,
        current: &mut Current,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<SessionOutcome> {
        let connection = &mut current.connection;
        let unsent = connection.unsent();
        connection.shut_down();
        let ending = connection.ending(now);
        runtime.report(connection.id(), &Event::End(&ending))?;
        let met = self.stop.as_ref().map(|stop| stop.borrow().is_met());
        let runner = self.runner.as_mut();
        let expected = runner.is_some_and(|runner| runner.note_end(seen_code(&ending)));
        let fine = met == Some(true) || expected;
        let ours = fine || current.signal.is_some() || current.fault.is_some();
        // A server that has sent everything closes like this; but a server that sent no message may
        // have failed.
        let code = ending.received.as_ref().and_then(|body| body.code);
        let ours = ours || matches!(code, Some(1000 | 1001)) && ending.r#in.messages > 0;
        let lasted = current.connection.lasted(&ending);
        let early = probe::ended_early(&ending, lasted);
        let mut interrupted = None;
        let lost = matches!(ending.cause, Cause::Lost(_));
        let after_ping = probe::watchable(current.connection.after_ping(&ending, now));
        if self.config.diagnose && self.reconnect.is_none() && !ours && (early || lost) {
            runtime.record.stop_clock();
            let (open, until) = (&self.config.open, self.max_time);
            let evidence = &mut current.evidence;
            let compared = match early || after_ping.is_some() {
                true => probe::compare_session(open, lasted, after_ping, until, evidence, runtime),
                false => probe::look_again(open, until, evidence, runtime),
            };
            // A failed trial shows nothing, but a signal ends the run.
            if let Err(OpenError::Signal(signal)) = compared {
                interrupted = Some(signal);
            }
        }
        let (advice, led, as_asked) = self.explain(current, &ending, fine, runtime, now)?;
        // After a signal or `--max-time`, wscope does not wait for a slow reader.
        let deadline = match (current.signal.or(interrupted), self.max_time) {
            (Some(_), _) => Some(Instant::now() + PEER_CLOSE_TIMEOUT),
            (None, max_time) => max_time,
        };
        let signal = runtime.drain_output(deadline)?.or(current.signal).or(interrupted);
        let unwritten = runtime.stdout.pending();
        if let Some(runner) = &mut self.runner {
            let how = current.left.map_or_else(|| describe(&ending), |leave| leave.to_string());
            runner.disconnected(&how);
            // A script that `--max-time` interrupts has not failed.
            if let Some(failure) = runner.take_failure().filter(|_| !current.overtime) {
                current.unmet |= failure.unmet;
                current.fault.get_or_insert(failure.text);
            }
        }
        let is_over = matches!(current.left, Some(Leave::For(_)));
        let is_fulfilled = met == Some(true) || is_over;
        // stdout may already contain a part of a message. Another end that is no success has its own
        // error.
        let clean = is_over || Exit::of(&ending) == Exit::Success;
        let cut_short = clean && current.connection.cut_inside_message();
        let of_ending = match (current.left, &ending.cause) {
            // The data is complete, whether or not the peer ends in order.
            (_, cause) if is_fulfilled && ends_closing(cause) => Exit::Success,
            _ if as_asked => Exit::Success,
            _ => Exit::of(&ending),
        };
        let exit = match (signal, &current.fault, of_ending) {
            (Some(signal), ..) => signal.into(),
            (_, Some(_), _) if current.unmet => Exit::Unmet,
            (_, Some(_), _) => Exit::Failure,
            _ if expected => Exit::Success,
            _ if unwritten > 0 => Exit::Timeout,
            (.., Exit::Success) if unsent > 0 || cut_short => Exit::Failure,
            _ if self.is_unread(runtime) => Exit::Success,
            (.., Exit::Success) if met == Some(false) => Exit::Unmet,
            (.., exit) => exit,
        };
        runtime.reporter.flush()?;
        let (fault, left) = (current.fault.take(), current.left);
        // The reason belongs to the received data, but stdout contains only messages.
        let heard = exit == Exit::Success && !fine && left.is_none() && advice.is_empty();
        let heard = heard && !runtime.reporter.prints_notes() && says_why(&ending);
        let last_words = heard.then(|| describe(&ending));
        Ok(SessionOutcome {
            ending,
            exit,
            fault,
            left,
            unsent,
            unwritten,
            cut_short,
            last_words,
            advice,
            led,
        })
    }

    /// Explains the end in JSON and logs. Returns the text for users, and whether a lost connection
    /// ended as requested.
    fn explain(
        &mut self,
        current: &Current,
        ending: &Ending,
        met: bool,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<(Vec<u8>, String, bool)> {
        let runner = self.runner.as_ref();
        let expected = runner.map(|runner| runner.expected()).unwrap_or_default();
        let mut facts = current.evidence.facts();
        facts.stream.expected = &expected;
        let mut found = current.connection.explain(facts, ending, now);
        let at_prompt = runner.is_some_and(|runner| runner.prompt().is_some());
        // The user waited for this message, even if it is an error.
        if self.stop.as_ref().is_some_and(|stop| stop.borrow().is_matched()) {
            found.retain(|found| found.entry.code != "W516");
        }
        if matches!(ending.cause, Cause::Lost(_)) {
            self.lifetimes.push(ending.duration);
        }
        let captured = matches!(current.left, Some(Leave::For(_)));
        let stopped = current.fault.is_some() || current.signal.is_some() || captured;
        let stopped = stopped || self.is_unread(runtime);
        let ours = stopped || met;
        let asked =
            current.connection.is_half_closed() && ending.cause == Cause::Lost(Lost::EndOfStream);
        let over = ending.cause == Cause::Timeout(TimeoutKind::MaxTime);
        // A message of the protocol inside requested the end.
        let as_asked = matches!(ending.cause, Cause::Lost(_))
            && found.first().is_some_and(|first| {
                first.entry.code == "W801" && first.severity == Severity::Note
            });
        let asked = asked || as_asked;
        let fine = ours || asked || over || Exit::of(ending) == Exit::Success;
        // A Close right after the opening is legal, but unwanted. The same applies to a server that
        // accepted no subprotocol and answered nothing.
        let wanted = current.fault.is_none() && current.signal.is_none() && !met;
        let odd = found.first().is_some_and(|first| {
            let ended = matches!(first.entry.family, Family::CloseCode | Family::Application);
            let ignored = wanted && first.entry.code == "W411" && first.is_supported();
            // A number of messages may have come, but the answer is still an error, or the rest of
            // ours was not read.
            let failed = !stopped && matches!(first.entry.code, "W516" | "W818");
            // The wait for the answer to our Close took time, whatever the run had achieved.
            let unclosed = (met || captured)
                && current.signal.is_none()
                && ending.cause == Cause::Timeout(TimeoutKind::Close);
            ((ended && !ours) || ignored || failed || unclosed) && first.severity != Severity::Note
        });
        let mood = if fine && !odd { EndSeverity::Fine } else { EndSeverity::Failed };
        let Runtime { reporter, stdout, .. } = runtime;
        reporter.diagnose(&found, mood, stdout)?;
        let advice = reporter.advice(&found, mood, at_prompt);
        let led = match &ending.cause {
            // The error names the broken rule itself; in full if no explanation follows.
            Cause::Violation(_) if advice.is_empty() => describe(ending),
            Cause::Violation(violation) => match found.first() {
                // The violation was only a symptom.
                Some(first) if first.entry.code != violation.kind.rule().code => {
                    lead(&found, &summarize(ending), runtime)
                }
                _ => summarize(ending),
            },
            _ if mood == EndSeverity::Fine => describe(ending),
            // The explanation follows.
            _ => lead(&found, &summarize(ending), runtime),
        };
        Ok((advice, led, as_asked))
    }

    /// Prints how the connection ended, unless that was already shown.
    fn report(&mut self, outcome: &mut SessionOutcome, runtime: &mut Runtime) {
        let text = outcome.fault.clone().unwrap_or_else(|| describe(&outcome.ending));
        runtime.record.facts.errormsg = (outcome.exit != Exit::Success).then_some(text);
        if let Some(runner) = &mut self.runner {
            runner.show(&format!("closed {}", seen_code(&outcome.ending)), Ink::Violation);
        }
        let notifier = match &self.runner {
            Some(runner) => runner.notifier(),
            None => &runtime.notifier,
        };
        let shown = self.config.traffic.input == InputFormat::Prompt
            || runtime.reporter.shows_end_on_stderr();
        outcome.print(notifier, shown);
        if outcome.ending.by != Side::Us && self.input.has_more() {
            notifier.note("the connection ended before the end of stdin; the rest was not sent");
        }
        notifier.advice(&outcome.advice);
    }

    /// A round without a connection: until there is one again, or the session ends.
    fn offline_round(&mut self, runtime: &mut Runtime, now: Instant) {
        let Some(runner) = &mut self.runner else { return self.phase = SessionPhase::Done };
        runner.run(&mut SingleConnection { runtime, connection: None }, now);
        if let Some(failure) = runner.take_failure() {
            runner.notifier().error(&failure.text);
            let exit = match (failure.unmet, self.exit) {
                // The same as while a connection is open.
                (true, _) => Exit::Unmet,
                (false, Exit::Success) => Exit::Failure,
                (false, exit) => exit,
            };
            return self.leave(exit);
        }
        if runner.end_was_expected() {
            self.exit = Exit::Success;
        }
        match runner.take_request() {
            Some(SessionRequest::Quit) => return self.phase = SessionPhase::Done,
            Some(SessionRequest::Leave) => return self.leave(Exit::Interrupted),
            Some(SessionRequest::Open) => {
                runtime.reporter.next_connection();
                return self.open(Schedule::new(self.config.reach.retry), runtime, now);
            }
            None => {}
        }
        let idle = self.config.traffic.input != InputFormat::Prompt && !runner.is_busy();
        let met = self.stop.as_ref().is_some_and(|stop| stop.borrow().is_met());
        let unread = runner.reads_script() && !met;
        let waits = unread && self.script_by.is_some_and(|at| now < at);
        if idle && !waits {
            if unread {
                runner.notifier().note(
                    "the connection ended before the end of stdin; lines that come later are not run",
                );
            }
            return self.phase = SessionPhase::Done;
        }
        if let Some(signal) = runtime.signals.take()
            && (signal != Signal::Interrupt || !runner.interrupt())
        {
            return self.leave(signal.into());
        }
        if self.max_time.is_some_and(|at| at <= now) {
            runner.notifier().error("--max-time has passed");
            return self.leave(Exit::Timeout);
        }
        self.is_over_meanwhile(runtime, now);
    }
}

impl Task for ClientSession<'_> {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        match std::mem::replace(&mut self.phase, SessionPhase::Offline) {
            SessionPhase::Opening(tries) => self.opening_round(tries, runtime, now),
            SessionPhase::Open(current) => self.open_round(current, runtime, now),
            SessionPhase::Offline => {
                self.offline_round(runtime, now);
                Ok(())
            }
            SessionPhase::Done => {
                self.phase = SessionPhase::Done;
                Ok(())
            }
        }
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let lines = self.runner.as_ref().and_then(ScriptRunner::deadline);
        let ready = self.runner.as_ref().is_some_and(ScriptRunner::is_ready);
        let clock = self.leaves_by_clock().map(|(at, _)| at);
        let (busy, deadlines) = match &self.phase {
            SessionPhase::Done => return NextRound::Done,
            SessionPhase::Opening(tries) => {
                let typing = self.runner.as_ref().is_some_and(ScriptRunner::reads_only_typed);
                let typed = ready && typing;
                let lines = lines.filter(|_| typing);
                (tries.wants_turn() || typed, [tries.deadline(), lines, clock, self.max_time])
            }
            SessionPhase::Offline => {
                let unread = self.runner.as_ref().is_some_and(ScriptRunner::reads_script);
                (ready, [lines, clock, self.script_by.filter(|_| unread), self.max_time])
            }
            SessionPhase::Open(current) => {
                let connection = &current.connection;
                let busy = connection.wants_turn(&runtime.stdout, &runtime.reporter)
                    || self.wants_input(current)
                    || ready
                    // The last write may have found that the reader has closed stdout, which ends
                    // the session.
                    || self.is_unread(runtime) && connection.state() == State::Open;
                let leave_by = current.leave_by.map(|at| match current.signal {
                    None if !self.is_unread(runtime) => {
                        at.max(connection.active() + PEER_CLOSE_TIMEOUT)
                    }
                    _ => at,
                });
                let first = connection.deadline().into_iter().chain(lines).min();
                let open = connection.state() == State::Open;
                let leaves = self.leaves(current).map(|(at, _)| at).filter(|_| open);
                (busy, [first, leaves, leave_by, self.max_time])
            }
        };
        match busy {
            true => NextRound::Now,
            false => NextRound::Wait(deadlines.into_iter().flatten().min()),
        }
    }

    fn ready(&mut self, ready: Ready<'_>) {
        match (ready, &mut self.phase) {
            (Ready::Input { closed }, _) => {
                self.input.set_ready(closed);
                self.runner.iter_mut().for_each(|runner| runner.set_ready(closed));
            }
            (Ready::Socket(SLOT, event), SessionPhase::Open(current)) => {
                current.connection.ready(event)
            }
            (Ready::Socket(SLOT, event), SessionPhase::Opening(tries)) => tries.ready(event),
            _ => {}
        }
    }
}

/// Connects a runner to a connection.
fn attach(runner: &mut Option<ScriptRunner>, current: &mut Current) {
    let Some(runner) = runner else { return };
    runner.set_opening(false);
    if let Some(endpoint) = current.connection.endpoint_mut() {
        runner.set_up(endpoint);
    }
    current.connection.add(Expect::new(runner.received()));
    current.input_ended = None;
}

fn close(current: &mut Current, code: CloseCode, now: Instant) {
    if current.connection.is_open() {
        // Data that can't be sent any more is not needed.
        let _ = current.connection.sender(now).close(Some(code.into()), "");
    }
}

impl SessionOutcome {
    /// Prints how the connection ended, unless it was `shown`.
    fn print(&self, notifier: &Notifier, shown: bool) {
        if let Some(fault) = &self.fault {
            notifier.error(fault);
        }
        match self.exit {
            // Nothing else reports an /abort.
            Exit::Failure
                if !shown && self.fault.is_none() && self.ending.cause == Cause::Dropped =>
            {
                notifier.error(&describe(&self.ending));
            }
            Exit::Success | Exit::Failure | Exit::HungUp | Exit::Interrupted | Exit::Terminated => {
            }
            Exit::Unmet if self.fault.is_some() => {}
            Exit::Unmet => {
                let left = self.left.map(|leave| leave.to_string());
                let how = left.or_else(|| (!shown).then(|| describe(&self.ending)));
                notifier.error(&unmet_by(how.as_deref()));
            }
            _ if shown => {}
            _ => notifier.error(&self.led),
        }
        if let Some(words) = self.last_words.as_ref().filter(|_| !shown) {
            notifier.note(words);
        }
        if self.unsent > 0 {
            let unsent = self.unsent;
            notifier.error(&format!("the connection ended before {unsent} bytes could be sent"));
        }
        if self.cut_short {
            notifier.error("the connection ended inside a message: its last frames are missing");
        }
        if self.unwritten > 0 {
            notifier.error(&format!("{} bytes of output were not written", self.unwritten));
        }
    }
}

/// Whether a closing handshake may end so, besides the answer to our Close.
fn ends_closing(cause: &Cause) -> bool {
    let timeout = |kind: &TimeoutKind| matches!(kind, TimeoutKind::Close | TimeoutKind::MaxTime);
    matches!(cause, Cause::Timeout(kind) if timeout(kind)) || matches!(cause, Cause::Lost(_))
}

/// Whether the peer closed with a reason, or because it goes away.
fn says_why(ending: &Ending) -> bool {
    let Some(body) = ending.received.as_ref().filter(|_| ending.by == Side::Peer) else {
        return false;
    };
    let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
    let named = body.reason.is_empty() || body.reason.eq_ignore_ascii_case(name.as_bytes());
    body.code == Some(1001) && named || !named && !is_ordinary(&body.reason)
}

/// The error of an unmet expectation, with the end of the connection if that is not known
/// otherwise.
fn unmet_by(how: Option<&str>) -> String {
    let link = if how.is_some() { ": " } else { "" };
    let how = how.unwrap_or_default();
    format!("closed before the expected message arrived{link}{how}")
}
