//! A server as a task of the event loop: gives turns to clients, reads stdin or lines for them, and
//! ends the run.

use std::io;
use std::time::{Duration, Instant};

use super::client::Client;
use super::connections::AllClients;
use super::each;
use super::hub::{Everybody, Hub};
use crate::behaviour::input::StdinInput;
use crate::behaviour::stay::{Leave, SessionProgress};
use crate::cli::{InputFormat, OutputFormat};
use crate::engine::crowd::Member as _;
use crate::engine::exit::Exit;
use crate::engine::outbox::Producer;
use crate::engine::runtime::{NextRound, Ready, Runtime, Task};
use crate::modes::serving::Serves;
use crate::script::runner::{ScriptRunner, SessionRequest};
use crate::wire::CloseCode;

/// How long to wait for the clients' answers after a signal.
const CLOSE_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for the clients' answers after the reader of stdout has closed it.
const READER_GONE: Duration = Duration::from_millis(500);

/// A server.
pub struct ListenServer {
    hub: Hub,
    input: StdinInput,
    /// Runs the lines of a prompt or a script.
    runner: Option<ScriptRunner>,
    /// The membership epoch that the runner knows.
    membership_epoch: u64,
    /// The server is ending: its status, and the deadline.
    end: Option<(Exit, Instant)>,
    fault: Option<String>,
    /// The script of a client has failed.
    failed: Option<Exit>,
    max_time: Option<Instant>,
    began: Instant,
    done: bool,
}

impl ListenServer {
    /// Creates the server.
    pub fn new(hub: Hub, input: StdinInput, runner: Option<ScriptRunner>) -> Self {
        let began = Instant::now();
        let max_time = hub.shared.config.max_time.map(|time| began + time);
        Self {
            hub,
            input,
            runner,
            membership_epoch: 0,
            end: None,
            fault: None,
            failed: None,
            max_time,
            began,
            done: false,
        }
    }

    /// Reads stdin once, if there is a client.
    fn take_input(&mut self, now: Instant) {
        if !self.wants_input() {
            return;
        }
        if let Err(fault) = self.input.take(&mut Everybody { hub: &mut self.hub, now }, now) {
            self.fault = Some(fault);
            self.fail(Exit::Failure, now);
        }
    }

    /// Data before the first client waits for it.
    fn wants_input(&self) -> bool {
        let producer = match self.hub.shared.config.traffic.input {
            InputFormat::Json => Producer::Message,
            _ => Producer::Input,
        };
        self.input.is_ready() && self.hub.has_audience(producer)
    }

    /// Runs lines, and carries out their requests to the server.
    fn run_lines(&mut self, runtime: &mut Runtime, now: Instant) {
        if self.end.is_none() {
            self.failed = self.failed.or(each::run(&mut self.hub, runtime, now));
        }
        let Self { hub, input, runner: Some(runner), membership_epoch, .. } = self else { return };
        if self.end.is_some() {
            return;
        }
        if *membership_epoch != hub.shared.membership_epoch {
            *membership_epoch = hub.shared.membership_epoch;
            let open = hub.clients().filter(|client| client.is_open());
            runner.set_clients(open.map(|c| (c.id().0, c.about())).collect());
        }
        runner.run(&mut AllClients { hub, runtime }, now);
        runner.show_clients();
        match runner.is_exhausted() {
            true => drop(input.ended.get_or_insert(now)),
            false => input.ended = None,
        }
        let asked = runner.request().cloned();
        if let Some(failure) = runner.take_failure() {
            let exit = failure.exit();
            self.fault = Some(failure.text);
            self.fail(exit, now);
            return;
        }
        match asked {
            Some(SessionRequest::Quit) => self.finish(Exit::Success, CloseCode::Away, now),
            Some(SessionRequest::Leave) => {
                self.finish(Exit::Interrupted, CloseCode::Away, now);
                self.end = Some((Exit::Interrupted, now + CLOSE_ANSWER_TIMEOUT));
            }
            Some(SessionRequest::Open) | None => {}
        }
    }

    /// Handles signals, deadlines, and other ends of the run.
    fn do_what_is_due(&mut self, runtime: &mut Runtime, now: Instant) {
        let signal = runtime
            .signals
            .take()
            .filter(|signal| !self.runner.as_mut().is_some_and(|runner| runner.absorbs(*signal)));
        if let Some(signal) = signal {
            let exit = Exit::from(signal);
            match self.end {
                // After a second signal, the server waits for nothing.
                Some((Exit::Interrupted | Exit::Terminated | Exit::HungUp, _)) => {
                    self.hub.drop_all(now);
                }
                _ => {
                    self.end = None;
                    self.finish(exit, CloseCode::Away, now);
                    self.end = Some((exit, now + CLOSE_ANSWER_TIMEOUT));
                }
            }
        }
        if self.max_time.is_some_and(|at| at <= now) {
            self.max_time = None;
            self.finish(Exit::Timeout, CloseCode::Away, now);
            // At the end, as much of the Close is sent as the clients' sockets accept now.
            self.end = self.end.map(|(exit, _)| (exit, now));
        }
        if let Some((_, deadline)) = self.end {
            if deadline <= now {
                self.hub.drop_all(now);
            }
            return;
        }
        let shared = &self.hub.shared;
        let config = &shared.config;
        if shared.stop.as_ref().is_some_and(|stop| stop.borrow().is_met()) {
            return self.finish(Exit::Success, CloseCode::Normal, now);
        }
        if config.traffic.output != OutputFormat::None && runtime.stdout.is_closed() {
            self.finish(Exit::Success, CloseCode::Away, now);
            self.end = self.end.map(|(exit, _)| (exit, now + READER_GONE));
            return;
        }
        if config.once && self.hub.opened() > 0 {
            let over = shared.ended.as_ref().map(Exit::of);
            self.hub.stop_accepting();
            match over {
                Some(exit) => self.end_with(exit, now),
                None => self.leave_in_time(runtime, now),
            }
        } else {
            self.leave_in_time(runtime, now);
        }
    }

    fn leave_in_time(&mut self, runtime: &Runtime, now: Instant) {
        if let Some((_, leave)) = self.leaves().filter(|(at, _)| *at <= now) {
            self.leave(leave, runtime, now);
        }
    }

    /// When and why the run ends because of time. The end of the input counts only with a script or
    /// `--once`. After the end of a script without clients, the server ends at once.
    fn leaves(&self) -> Option<(Instant, Leave)> {
        let config = &self.hub.shared.config;
        let scripted = self.runner.as_ref().is_some_and(ScriptRunner::is_scripted);
        let ended = self.input.ended.filter(|_| config.once || scripted);
        let by_clock = Leave::by_clock(&config.stay, Some(self.began), ended);
        let by_silence = ended.and_then(|ended| {
            let mut progress = SessionProgress {
                input_ended: Some(ended),
                heard: ended,
                answered: true,
                settled: Some(ended),
                expects: config.exit_after.is_some(),
                satisfied: false,
            };
            let clients = self.hub.clients().filter_map(Client::connection);
            let mut open = clients.filter(|connection| connection.is_open()).peekable();
            if open.peek().is_none() {
                let done = scripted && !config.once && !progress.expects;
                return done.then_some((ended, Leave::Satisfied));
            }
            for connection in open {
                let talk = connection.talk();
                progress.heard = progress.heard.max(talk.heard);
                progress.answered &= talk.answered;
                progress.settled = progress.settled.max(Some(talk.left));
                if connection.backlog() > 0 {
                    return None;
                }
            }
            Leave::by_silence(&config.stay, &progress)
        });
        by_clock.into_iter().chain(by_silence).min_by_key(|(at, _)| *at)
    }

    /// Ends the run because of time.
    fn leave(&mut self, leave: Leave, runtime: &Runtime, now: Instant) {
        let unmet = self.hub.shared.stop.as_ref().is_some_and(|stop| !stop.borrow().is_met());
        if unmet {
            self.fault = Some(format!("--exit-after: fewer messages arrived: {leave}"));
            return self.finish(Exit::Unmet, CloseCode::Normal, now);
        }
        let clients = self.hub.clients().filter_map(Client::connection);
        let sent = clients.map(|connection| connection.messages_sent()).sum();
        if let Some(text) = leave.remark(sent) {
            self.runner.as_ref().map_or(&runtime.notifier, ScriptRunner::notifier).note(&text);
        }
        match leave {
            // The status is that of the session.
            Leave::IdleExit(_) | Leave::Silence | Leave::NoAnswer
                if self.hub.shared.config.once =>
            {
                self.hub.close_all(CloseCode::Normal, now);
            }
            _ => self.finish(Exit::Success, CloseCode::Normal, now),
        }
    }

    /// Ends the run after all clients have been closed in order.
    fn finish(&mut self, exit: Exit, code: CloseCode, now: Instant) {
        if self.end.is_none() {
            self.hub.close_all(code, now);
            self.end_with(exit, now);
        }
    }

    /// Ends the run because of its input: at once, even if clients do not answer our Close.
    fn fail(&mut self, exit: Exit, now: Instant) {
        self.finish(exit, CloseCode::Away, now);
        self.end = self.end.map(|(exit, at)| (exit, at.min(now + CLOSE_ANSWER_TIMEOUT)));
    }

    fn end_with(&mut self, exit: Exit, now: Instant) {
        let timeout = self.hub.shared.config.endpoint.close_timeout + CLOSE_ANSWER_TIMEOUT;
        self.end = Some((exit, now + timeout));
    }
}

impl Serves for ListenServer {
    fn result(&mut self) -> (Exit, Option<String>) {
        let mut exit = self.end.map_or(Exit::Failure, |(exit, _)| exit);
        if let Some(runner) = &mut self.runner {
            runner.disconnected("");
            if let (Some(failure), Exit::Success) = (runner.take_failure(), exit) {
                exit = failure.exit();
                self.fault.get_or_insert(failure.text);
            }
        }
        if let (Some(failed), Exit::Success) = (self.failed, exit) {
            exit = failed;
        }
        (exit, self.fault.take())
    }

    fn take_runner(&mut self) -> Option<ScriptRunner> {
        self.runner.take()
    }
}

impl Task for ListenServer {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.hub.round(runtime, now)?;
        self.take_input(now);
        self.input.take_note().iter().for_each(|text| runtime.notifier.note(text));
        self.run_lines(runtime, now);
        self.do_what_is_due(runtime, now);
        self.done = self.end.is_some() && self.hub.is_empty();
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        if self.done {
            return NextRound::Done;
        }
        let runner = self.runner.as_ref().filter(|_| self.end.is_none());
        let lines = runner.is_some_and(ScriptRunner::is_ready);
        let unread = self.hub.shared.config.traffic.output != OutputFormat::None
            && runtime.stdout.is_closed()
            && self.end.is_none();
        let scripts = self.end.is_none() && each::is_ready(&self.hub);
        if lines || scripts || unread || self.hub.is_busy(runtime) || self.wants_input() {
            return NextRound::Now;
        }
        let deadline = self.end.map(|(_, at)| at);
        let due = runner.and_then(ScriptRunner::deadline);
        let hub = self.hub.deadline();
        let leaves = self.leaves().map(|(at, _)| at).filter(|_| self.end.is_none());
        let scripts = each::deadline(&self.hub).filter(|_| self.end.is_none());
        let all = [hub, deadline, self.max_time, leaves, due, scripts];
        NextRound::Wait(all.into_iter().flatten().min())
    }

    fn ready(&mut self, ready: Ready<'_>) {
        if let Ready::Input { closed } = ready {
            self.input.set_ready(closed);
            self.runner.iter_mut().for_each(|runner| runner.set_ready(closed));
        }
        self.hub.ready(&ready);
    }
}
