//! Carries out the lines of the prompt and of scripts, one after the other.
//!
//! Lines come from a prompt, from stdin, from `-x`, from files; each is a message or a command.
//! Some must end before the next line: `/wait`, `/expect`, `/repeat`, `/file`. Nothing here waits:
//! a call of [`ScriptRunner::run`] does what can be done now, for a bounded time, and
//! [`ScriptRunner::deadline`] says when to call again. The runner outlives connections, so that
//! settings and jobs continue after `/reconnect`. It uses the connections through [`Connections`]:
//! one of a client, or those of a server.

mod answers;
mod client_directory;
mod connections;
mod execute;
mod expect_queue;
mod file;
mod file_sending;
mod fragments;
mod input;
mod keepalive;
mod lines;
mod replies;
pub(crate) mod send;
mod setup;
mod targets;

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use crate::output::notifier::Notifier;
pub use crate::script::runner::client_directory::ClientDirectory;
pub use crate::script::runner::connections::{ClientFacts, Connections, Settings};
pub use crate::script::runner::expect_queue::{Expect, ExpectQueue, Inbox};
pub use crate::script::runner::lines::{LineBuffer, LineError, Source, SourceLocation};
pub use crate::script::runner::setup::{ScriptSetup, reporter, script};

use crate::config::OpenConfig;
use crate::diagnostics::facts::HEARD_MOST;
use crate::engine::exit::Exit;
use crate::engine::outbox::Producer;
use crate::engine::relay::Release;
use crate::event::ConnId;
use crate::net::stdio::Stdin;
use crate::script::command::variables::Variables;
use crate::script::command::{Command, Expected};
use crate::script::runner::file_sending::FileSending;
use crate::script::runner::fragments::Fragments;
use crate::script::runner::keepalive::KeepAlive;
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::filter::ClientSet;
use crate::ui::pattern::Pattern;
use crate::ui::prompt::{Prompt, PromptAction};
use crate::ui::style::Ink;
use crate::wire::Role;
use crate::wire::close::CloseBody;

/// How many expected messages are kept.
const EXPECTED: usize = 16;

/// Files that `/source` may open inside each other.
const MAX_NESTING: usize = 16;

/// The largest number of waiting lines of stdin, except for the lines of one read.
const QUEUE: usize = 1024;

/// The largest number of bytes in waiting lines, except for one line.
const QUEUE_BYTES: usize = 1024 * 1024;

/// A longer line is always a message.
const SHORT_LINE: usize = 4096;

/// How long lines, repetitions and searches continue before the network, timers and signals get
/// their turn.
const TURN: Duration = Duration::from_millis(10);

/// A request to the session, which goes beyond one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRequest {
    /// End the session with Close 1000.
    Quit,
    /// End the session with Close 1001, after Ctrl-C.
    Leave,
    /// Open another connection with the current options.
    Open,
}

/// Why a script stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFailure {
    /// What happened, and in which line.
    pub text: String,
    /// An `/expect` was not met.
    pub unmet: bool,
}

impl ScriptFailure {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        if self.unmet { Exit::Unmet } else { Exit::Failure }
    }
}

/// The target and the position of a line.
#[derive(Clone, Debug)]
pub(crate) struct LineOrigin {
    target: ClientSet,
    location: SourceLocation,
}

/// A waiting line.
pub(crate) struct QueuedLine {
    location: SourceLocation,
    /// The line, or the reason why it can't be read.
    line: Result<String, LineError>,
    /// It is a message, even if it begins with a slash.
    verbatim: bool,
}

/// A command that must end before the next line.
enum Pending {
    /// `/wait`
    Wait(Instant),
    /// `/expect-close`
    ExpectClose { code: u16, given: Duration, until: Instant, origin: LineOrigin },
    /// `/expect`, or with `not` `/expect-not`
    Expect { not: bool, expected: Expected, given: Duration, until: Instant, origin: LineOrigin },
    /// `/await`
    Await { count: usize, given: Duration, until: Instant, location: SourceLocation },
    /// `/repeat`
    Repeat { command: Command, left: u64, origin: LineOrigin },
    /// `/file`
    File(Box<FileSending>, SourceLocation),
    /// `/fragment`
    Fragments(Box<Fragments>, SourceLocation),
    /// A line about a lens, in the turn that began at `since`: the lens first reads what earlier
    /// lines sent in that turn.
    Turn { command: Command, origin: LineOrigin, since: Instant },
}

impl Pending {
    fn is_of_a_job(&self) -> bool {
        let (Self::Repeat { origin: LineOrigin { location, .. }, .. }
        | Self::File(_, location)
        | Self::Fragments(_, location)) = self
        else {
            return false;
        };
        *location == SourceLocation::Job
    }
}

/// A command of `/every`.
struct Job {
    id: u64,
    interval: Duration,
    next: Instant,
    command: Command,
    target: ClientSet,
    line: String,
}

impl Job {
    fn describe(&self) -> String {
        format!("{}: {} every {} s", self.id, self.line, self.interval.as_secs_f64())
    }
}

/// Carries out lines. See the [module](self).
pub struct ScriptRunner {
    prompt: Option<Prompt>,
    /// A SIGINT arrived before a line that had been entered earlier.
    interrupted_early: bool,
    /// Lines come from stdin as bytes.
    stdin: Option<(Stdin, LineBuffer)>,
    notifier: Notifier,
    /// The state that the prompt shows.
    shown: String,
    /// A filter hides a part of the traffic.
    filtered: bool,
    /// The editor waits for permission to read the next line.
    to_answer: bool,
    answer: PromptAction,
    /// The first error ends the run, because no user can continue after it.
    scripted: bool,
    no_commands: bool,
    /// Plain lines are binary messages.
    binary: bool,
    queue: VecDeque<QueuedLine>,
    sources: Vec<Source>,
    /// The last entry must end first: a job may put its own line on top of the script's line.
    pending: Vec<Pending>,
    jobs: Vec<Job>,
    last_job: u64,
    expect_queue: ExpectQueue,
    /// Received messages since the last run.
    received: Rc<Inbox>,
    /// The values of `${NAME}`.
    variables: Variables,
    /// The last messages for which an `/expect` waited; see [`Runner::expected`].
    expected: VecDeque<Vec<u8>>,
    /// The connection ended with the code that the script expects.
    end_expected: bool,
    settings: Settings,
    keep_alive: KeepAlive,
    /// After the last line of a script, the run ends if no message arrives.
    ends_by_silence: bool,
    role: Role,
    /// The clients for lines that name none.
    target: ClientSet,
    /// The clients that completion knows.
    clients: ClientDirectory,
    /// How a client opens its next connection.
    open: Option<OpenConfig>,
    request: Option<SessionRequest>,
    failure: Option<ScriptFailure>,
    /// How the last connection ended.
    ended: String,
    /// A connection is being opened.
    opening: bool,
    /// The current line has had its turn: see [`Pending::Turn`].
    has_turned: bool,
    /// The last line was an `/expect` that was met.
    met_last: bool,
    /// The pending command waits for room.
    starved: bool,
    /// When to check again whether the terminal takes more.
    look_again: Option<Instant>,
    /// A message may have been begun and will not be completed.
    given_up: bool,
    /// The connection of the held message that is in the editor.
    editing: Option<ConnId>,
    edited: Option<(ConnId, String)>,
}

impl ScriptRunner {
    /// A runner for a script, which ends with its first error, or for a user who types.
    fn new(scripted: bool, notifier: Notifier, setup: &ScriptSetup<'_>) -> Self {
        Self {
            prompt: None,
            interrupted_early: false,
            stdin: None,
            notifier,
            shown: String::new(),
            filtered: false,
            to_answer: false,
            answer: PromptAction::Read,
            scripted,
            no_commands: setup.lines.no_commands,
            binary: setup.traffic.binary,
            queue: VecDeque::new(),
            sources: Vec::new(),
            pending: Vec::new(),
            jobs: Vec::new(),
            last_job: 0,
            expect_queue: ExpectQueue::default(),
            received: Rc::default(),
            variables: Variables::of(&setup.lines.variables),
            expected: VecDeque::new(),
            end_expected: false,
            settings: Settings::default(),
            keep_alive: KeepAlive::default(),
            ends_by_silence: false,
            role: if setup.open.is_some() { Role::Client } else { Role::Server },
            target: ClientSet::All,
            clients: ClientDirectory::default(),
            open: setup.open.cloned(),
            request: None,
            failure: None,
            ended: String::new(),
            opening: false,
            has_turned: false,
            met_last: false,
            starved: false,
            look_again: None,
            given_up: false,
            editing: None,
            edited: None,
        }
    }

    /// Reads lines from stdin.
    fn read_from(&mut self, stdin: Stdin) {
        self.stdin = Some((stdin, LineBuffer::default()));
    }

    /// Notes that stdin, or a pipe of `/file`, may have more data, after an event of the poll or of
    /// its waker.
    pub fn set_ready(&mut self, closed: bool) {
        self.stdin.iter_mut().for_each(|(stdin, _)| stdin.set_ready(closed));
        if let Some(Pending::File(file, _)) = self.pending.last_mut() {
            file.set_ready();
        }
    }

    /// Whether the lines are those of a script.
    pub fn is_scripted(&self) -> bool {
        self.scripted
    }

    /// Whether a script has ended, or an `/expect` in its last line has been met.
    pub fn is_exhausted(&self) -> bool {
        self.scripted && self.stdin.is_none() && !self.is_busy()
    }

    /// Whether a script on stdin has not ended.
    pub fn reads_script(&self) -> bool {
        self.scripted && self.stdin.is_some()
    }

    /// Sets whether the run ends after the last line of a script if no message arrives. Then wscope
    /// sends no heartbeats, because the peer would answer them.
    pub fn set_end_by_silence(&mut self, ends: bool) {
        self.ends_by_silence = ends;
    }

    /// Whether an editor or a pager uses the terminal: then Ctrl-C is for that program.
    pub fn is_away(&self) -> bool {
        self.prompt.as_ref().is_some_and(Prompt::is_away)
    }

    /// Notes whether a connection is being opened.
    pub fn set_opening(&mut self, opening: bool) {
        self.opening = opening;
        if opening {
            self.show("connecting", Ink::Info);
        }
    }

    /// Shows the state of the connection in the prompt.
    pub fn show_state(&mut self, state: State, received: Option<&CloseBody>) {
        let (text, ink) = match (state, received) {
            (State::Open, None) => ("connected", Ink::Good),
            _ => ("closing", Ink::Info),
        };
        match self.pending.last() {
            Some(Pending::File(file, _)) => self.show(&file.state(), ink),
            Some(Pending::Expect { .. } | Pending::ExpectClose { .. } | Pending::Wait(_))
                if text == "connected" =>
            {
                self.show("waiting", Ink::Info);
            }
            _ if text == "connected" && self.filtered => self.show("filter on", ink),
            _ => self.show(text, ink),
        }
    }

    /// Shows a state in the prompt: at most 11 columns.
    pub fn show(&mut self, text: &str, ink: Ink) {
        if self.shown != text
            && let Some(prompt) = &self.prompt
        {
            prompt.set_state(text, ink);
            text.clone_into(&mut self.shown);
        }
    }

    /// Sets the clients of a server: their numbers and descriptions.
    pub fn set_clients(&mut self, clients: Vec<(u64, String)>) {
        self.clients.set(clients);
    }

    /// Shows how many clients a server has, or which of them lines are for.
    pub fn show_clients(&mut self) {
        let count = self.clients.count();
        let gone = |id: &ConnId| !self.clients.has(*id);
        let (text, ink) = match (self.pending.last(), &self.target) {
            (Some(Pending::File(file, _)), _) => (file.state(), Ink::Good),
            (_, ClientSet::Every(_) | ClientSet::Last(_)) => {
                (format!("to {}", self.target), Ink::Good)
            }
            (_, ClientSet::Only(ids)) => {
                let ink = if ids.iter().all(gone) { Ink::Violation } else { Ink::Good };
                (format!("to {}", self.target), ink)
            }
            (_, ClientSet::All) if self.filtered => (format!("{count} filtered"), Ink::Good),
            (_, ClientSet::All) if count == 0 => ("listening".to_owned(), Ink::Info),
            (_, ClientSet::All) if count == 1 => ("1 client".to_owned(), Ink::Good),
            (_, ClientSet::All) => (format!("{count} clients"), Ink::Good),
        };
        self.show(&text, ink);
    }

    /// Adds a line after the waiting lines.
    pub fn push(&mut self, location: SourceLocation, line: String) {
        self.queue.push_back(QueuedLine { location, line: Ok(line), verbatim: false });
    }

    /// Adds the lines of a file before the waiting lines.
    pub fn push_source(&mut self, source: Source) {
        self.sources.push(source);
    }

    /// How the next connection is opened.
    pub fn open_config(&self) -> Option<&OpenConfig> {
        self.open.as_ref()
    }

    /// The editor, if there is one.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// Prints notes and errors at the source of the lines.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Takes the requests to the session.
    pub fn take_request(&mut self) -> Option<SessionRequest> {
        self.request.take()
    }

    /// The pending request to the session, for when this connection has ended.
    pub fn request(&self) -> Option<&SessionRequest> {
        self.request.as_ref()
    }

    /// Takes the reason why the script stopped.
    pub fn take_failure(&mut self) -> Option<ScriptFailure> {
        self.failure.take()
    }

    /// Whether lines wait or something is pending. Jobs do not count.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.has_lines()
    }

    /// The number of waiting lines.
    pub fn lines_left(&self) -> usize {
        self.queue.len() + self.sources.iter().map(Source::left).sum::<usize>()
    }

    fn has_lines(&self) -> bool {
        !self.queue.is_empty() || self.sources.iter().any(|source| !source.is_empty())
    }

    /// Applies the settings of earlier commands to the endpoint of a new connection.
    pub fn set_up(&mut self, endpoint: &mut Endpoint) {
        self.settings.apply(endpoint);
        self.expect_queue.clear();
        self.expected.clear();
        self.received.queue.borrow_mut().clear();
        self.end_expected = false;
    }

    /// Where connections put messages for `/expect` and `/on`.
    pub fn received(&self) -> &Rc<Inbox> {
        &self.received
    }

    /// Whether only typed lines would run: no script waits for a connection.
    pub fn reads_only_typed(&self) -> bool {
        !self.scripted && self.stdin.is_none() && self.sources.is_empty()
    }

    /// The next time at which there is something to do without an event from outside.
    pub fn deadline(&self) -> Option<Instant> {
        let pending = match self.pending.last() {
            Some(Pending::Wait(at)) => Some(*at),
            Some(
                Pending::Expect { until, .. }
                | Pending::ExpectClose { until, .. }
                | Pending::Await { until, .. },
            ) => Some(*until),
            Some(
                Pending::Repeat { .. }
                | Pending::File(..)
                | Pending::Fragments(..)
                | Pending::Turn { .. },
            )
            | None => None,
        };
        self.jobs
            .iter()
            .map(|job| job.next)
            .chain(pending)
            .chain(self.look_again)
            .chain(self.keep_alive.next())
            .min()
    }

    /// Whether something can be done at once.
    pub fn is_ready(&self) -> bool {
        !self.starved
            && match self.pending.last() {
                Some(Pending::Repeat { .. } | Pending::Fragments(..) | Pending::Turn { .. }) => {
                    true
                }
                Some(Pending::File(file, _)) => file.is_ready(),
                Some(Pending::Expect { expected, .. }) => self.has_unseen(expected),
                Some(Pending::ExpectClose { origin, .. }) => {
                    self.expect_queue.has_ends(&origin.target)
                }
                Some(Pending::Wait(_) | Pending::Await { .. }) => false,
                None => {
                    let reads = self.stdin.as_ref().is_some_and(|(stdin, _)| stdin.is_ready());
                    (self.has_lines() || reads) && self.request.is_none()
                }
            }
    }

    /// Whether the pending command has room to continue.
    fn has_room(&self, connections: &dyn Connections) -> bool {
        match self.pending.last() {
            // Waiting for time to pass needs no room.
            Some(
                Pending::Wait(_)
                | Pending::Expect { .. }
                | Pending::ExpectClose { .. }
                | Pending::Await { .. }
                | Pending::Turn { .. },
            ) => true,
            _ if !self.notifier.has_room() => false,
            Some(Pending::File(file, _)) => connections.has_room(&file.target(), Producer::File),
            Some(Pending::Fragments(message, _)) => {
                connections.has_room(&message.target(), Producer::Fragments)
            }
            Some(Pending::Repeat { command: Command::To { target, .. }, .. })
            | Some(Pending::Repeat { origin: LineOrigin { target, .. }, .. }) => {
                connections.has_room(target, Producer::Message)
            }
            None => connections.has_room(&ClientSet::All, Producer::Message),
        }
    }

    /// Does all that is possible now, for a bounded time; [`ScriptRunner::is_ready`] returns
    /// whether more is left. If there is no connection, commands that need one fail.
    pub fn run(&mut self, connections: &mut dyn Connections, now: Instant) {
        self.take_typed();
        if let Some((id, text)) = self.edited.take()
            && !connections.release(id, Release::Edit(text.into_bytes()))
        {
            self.notifier.error("the edited message is no longer held");
        }
        self.read_stdin();
        self.expect_queue.append(&mut self.received.queue.borrow_mut());
        let errors = self.received.answers.borrow_mut().take_errors();
        errors.iter().for_each(|error| self.fail(&SourceLocation::Job, error, false));
        // Heartbeats and answers go before the lines.
        let beats = !(self.ends_by_silence && self.is_exhausted());
        self.keep_alive.run(connections, &self.notifier, (!self.scripted, beats), now);
        let turn_ends = Instant::now() + TURN;
        self.give_way_to_abort(connections);
        while self.request.is_none()
            && self.failure.is_none()
            && (self.has_room(connections) || self.is_next_at_once())
        {
            let went_on = match self.pending.pop() {
                Some(pending) => self.go_on(pending, connections, now, turn_ends),
                None => self.next_line(connections, now),
            };
            if !went_on || Instant::now() >= turn_ends {
                break;
            }
        }
        self.starved = !self.has_room(connections);
        // No event reports that the terminal has taken its queued output.
        self.look_again = (!self.notifier.has_room()).then(|| Instant::now() + TURN);
        if std::mem::take(&mut self.given_up) {
            self.end_messages(connections, now);
        }
        // After the lines, so that a job that a `/stop` has just ended does not run again.
        self.run_jobs(connections, now);
        if self.is_exhausted() {
            self.stop_jobs();
        }
        self.answer_prompt();
    }

    /// Whether the next line runs although there is no room for data. Lines of a script keep their
    /// order; a user who sees that a peer does not read can act at once.
    fn is_next_at_once(&self) -> bool {
        self.typed_next().is_some_and(|command| command.waits_for_no_room())
            && self.pending.last().is_none_or(|pending| {
                matches!(
                    pending,
                    Pending::File(..) | Pending::Fragments(..) | Pending::Repeat { .. }
                )
            })
    }

    /// The next line, if it is a typed command.
    fn typed_next(&self) -> Option<Command> {
        if self.scripted || self.no_commands || !self.sources.is_empty() {
            return None;
        }
        let next = self.queue.front().filter(|next| !next.verbatim)?;
        let line = next.line.as_ref().ok().filter(|line| line.len() < SHORT_LINE)?;
        line.contains('/').then(|| self.read(line.clone()).ok())?
    }

    /// Gives up what is being sent if the next line resets all connections that get it.
    fn give_way_to_abort(&mut self, connections: &dyn Connections) {
        let sent_to = match self.pending.last() {
            Some(Pending::File(file, _)) => file.target(),
            Some(Pending::Fragments(message, _)) => message.target(),
            Some(Pending::Repeat { command: Command::To { target, .. }, .. })
            | Some(Pending::Repeat { origin: LineOrigin { target, .. }, .. }) => target.clone(),
            _ => return,
        };
        let aborted = match self.typed_next() {
            Some(Command::Abort) => self.target.clone(),
            Some(Command::To { target, command: Some(command) })
                if matches!(*command, Command::Abort) =>
            {
                target
            }
            _ => return,
        };
        let aborted = connections.present(&aborted);
        if connections.present(&sent_to).iter().all(|id| aborted.contains(id)) {
            self.pending.clear();
        }
    }

    /// Ends messages that will not be completed, so that others can follow.
    fn end_messages(&self, connections: &mut dyn Connections, now: Instant) {
        for id in connections.present(&ClientSet::All) {
            if let Some(mut sender) = connections.sender(id, now) {
                sender.end_message(Producer::File);
                sender.end_message(Producer::Fragments);
            }
        }
    }

    /// Tells the prompt to read the next line, if it waits for that.
    pub(crate) fn answer_prompt(&mut self) {
        if std::mem::take(&mut self.to_answer)
            && let Some(prompt) = &self.prompt
            && !matches!(self.request, Some(SessionRequest::Quit | SessionRequest::Leave))
        {
            prompt.next(std::mem::replace(&mut self.answer, PromptAction::Read));
        }
    }

    /// Notes that the connection has ended, and how. Commands that need it fail.
    pub fn disconnected(&mut self, how: &str) {
        how.clone_into(&mut self.ended);
        let lost = self.pending.iter().rev().find_map(|pending| match pending {
            Pending::Expect { not: false, expected, origin, .. } => {
                Some((origin.location.clone(), self.lost_expectation(expected), true))
            }
            Pending::Repeat { origin: LineOrigin { location, .. }, .. }
            | Pending::File(_, location)
            | Pending::Fragments(_, location) => {
                let text = "the connection ended before everything was sent";
                Some((location.clone(), text.to_owned(), false))
            }
            Pending::Wait(_)
            | Pending::Expect { .. }
            | Pending::ExpectClose { .. }
            | Pending::Await { .. }
            | Pending::Turn { .. } => None,
        });
        if let Some((location, text, unmet)) = lost {
            self.pending.clear();
            self.fail(&location, &text, unmet);
        }
        self.stop_jobs();
    }

    /// Ends repeated commands, with their pending lines.
    fn stop_jobs(&mut self) {
        if !self.jobs.is_empty() {
            self.notifier.note(&format!("{} stopped", replies::jobs(self.jobs.len())));
            self.jobs.clear();
        }
    }

    /// Continues the pending command; it is done unless it is put back. Returns whether something
    /// changed.
    fn go_on(
        &mut self,
        pending: Pending,
        connections: &mut dyn Connections,
        now: Instant,
        turn_ends: Instant,
    ) -> bool {
        match pending {
            Pending::Wait(at) => {
                if at > now {
                    self.pending.push(pending);
                }
                at <= now
            }
            Pending::Turn { since, .. } if now <= since => {
                self.pending.push(pending);
                false
            }
            Pending::Turn { command, origin, .. } => {
                self.has_turned = true;
                let done = self.execute(command, &origin, connections, now);
                self.has_turned = false;
                // The first error also ends the command that repeats this one.
                self.pending.pop_if(|pending| !done && matches!(pending, Pending::Repeat { .. }));
                true
            }
            Pending::ExpectClose {
                code,
                given,
                until,
                origin: LineOrigin { ref target, ref location },
            } => {
                let ends = self.expect_queue.take_ends(target);
                if ends.contains(&code) {
                    self.met_last = true;
                    self.end_expected = true;
                    return true;
                }
                let may_come = connections.may_connect(target);
                if may_come && until > now {
                    self.pending.push(pending);
                    return false;
                }
                let text = match ends.last() {
                    Some(other) => format!("the connection ended with {other}"),
                    None if !may_come => "not connected".to_owned(),
                    None => format!("the connection did not end within {} s", given.as_secs_f64()),
                };
                self.fail(location, &format!("/expect-close {code}: {text}"), true);
                true
            }
            Pending::Expect {
                not: true,
                ref expected,
                until,
                origin: LineOrigin { ref target, ref location },
                ..
            } => {
                if let Some(found) = self.find(expected, target, connections, turn_ends) {
                    let found = expect_queue::preview(&found);
                    self.fail(
                        location,
                        &format!("/expect-not {expected}: a message matched: {found}"),
                        true,
                    );
                    return true;
                }
                let unseen = self.has_unseen(expected);
                if unseen || until > now && connections.may_connect(target) {
                    self.pending.push(pending);
                    return false;
                }
                self.met_last = true;
                true
            }
            Pending::Expect {
                ref expected,
                given,
                until,
                origin: LineOrigin { ref target, ref location },
                ..
            } => {
                if let Some(mut found) = self.find(expected, target, connections, turn_ends) {
                    if let Expected::Content(pattern) = expected
                        && let Err(error) = self.take_groups(pattern, &found)
                    {
                        self.fail(location, &error, false);
                        return true;
                    }
                    found.truncate(HEARD_MOST);
                    self.expected.push_back(found);
                    if self.expected.len() > EXPECTED {
                        self.expected.pop_front();
                    }
                    self.met_last = true;
                    if !self.scripted {
                        self.notifier.note(&format!("/expect {expected} is met"));
                    }
                    return true;
                }
                let unseen = self.has_unseen(expected);
                let may_come = connections.may_connect(target);
                if unseen || (may_come && until > now) {
                    self.pending.push(pending);
                    return false;
                }
                let text = match may_come {
                    false => self.lost_expectation(expected),
                    true => format!(
                        "{}: no match within {} s; {}",
                        expected.name(),
                        given.as_secs_f64(),
                        self.expect_queue.summary(target)
                    ),
                };
                self.fail(location, &text, true);
                true
            }
            Pending::Await { count, given, until, ref location } => {
                let there = connections.present(&ClientSet::All).len();
                if there < count && until > now {
                    self.pending.push(pending);
                    return false;
                }
                if there < count {
                    let given = given.as_secs_f64();
                    let text =
                        format!("/await: {there} of {count} clients connected within {given} s");
                    self.fail(location, &text, true);
                }
                true
            }
            Pending::Repeat { command, left, origin } => {
                let depth = self.pending.len();
                let (again, of) = (command.clone(), origin.clone());
                if left > 1 {
                    self.pending.push(Pending::Repeat { command, left: left - 1, origin });
                }
                // The first error ends the repetition, because the others would fail in the same
                // way.
                if !self.execute(again, &of, connections, now) {
                    self.pending.truncate(depth);
                }
                true
            }
            Pending::Fragments(mut message, location) => {
                match message.go_on(connections, now) {
                    Ok(true) => {}
                    Ok(false) => self.pending.push(Pending::Fragments(message, location)),
                    Err(error) => {
                        self.given_up = true;
                        self.fail(&location, &error, false);
                    }
                }
                true
            }
            Pending::File(mut file, location) => match file.go_on(connections, now) {
                Ok(None) => {
                    if let Some(bar) = file.bar(connections.reporter().columns(), now) {
                        self.notifier.text(bar.as_bytes());
                    }
                    let ready = file.is_ready();
                    self.pending.push(Pending::File(file, location));
                    ready
                }
                Ok(Some(summary)) => {
                    self.notifier.note(&summary);
                    true
                }
                Err(error) => {
                    self.given_up = true;
                    self.fail(&location, &error, false);
                    true
                }
            },
        }
    }

    /// The messages for which an `/expect` waited: the beginning of each, or the text of the lens
    /// for it. A command that waits for its own answer accepts any, so its text is empty.
    pub fn expected(&self) -> Vec<Vec<u8>> {
        self.expected.iter().cloned().collect()
    }

    /// Takes an expected message out of the received messages.
    fn find(
        &mut self,
        expected: &Expected,
        target: &ClientSet,
        connections: &mut dyn Connections,
        turn_ends: Instant,
    ) -> Option<Vec<u8>> {
        match expected {
            Expected::Content(pattern) => self.expect_queue.find(pattern, target, turn_ends),
            Expected::Field(test) => {
                let lenses = connections.runtime().reporter.lenses();
                let found = lenses.find(target, &|packet| test.passes(packet));
                found.map(|packet| packet.line().into_bytes())
            }
            Expected::Answer(test) => {
                let lenses = connections.runtime().reporter.lenses();
                let there = lenses
                    .look_for(target, &|packet| packet.answered.is_some() && test.passes(packet));
                there.then(Vec::new)
            }
        }
    }

    /// Whether there are received messages that the expectation has not examined. An expectation of
    /// a field examines all messages in one turn.
    fn has_unseen(&self, expected: &Expected) -> bool {
        matches!(expected, Expected::Content(_)) && self.expect_queue.has_unseen()
    }

    /// Sets variables from the named groups of an expression.
    fn take_groups(&mut self, pattern: &Pattern, message: &[u8]) -> Result<(), String> {
        for (name, value) in pattern.captures(message).unwrap_or_default() {
            let value = std::str::from_utf8(value);
            let value =
                value.map_err(|_| format!("/expect {pattern}: the group {name} is not UTF-8"))?;
            self.variables.set(name, value);
        }
        self.received.answers.borrow_mut().set_variables(&self.variables);
        Ok(())
    }

    /// Notes how the connection has ended. Returns whether the waiting line, or the next one,
    /// expects exactly this end.
    pub fn note_end(&mut self, code: u16) -> bool {
        self.received.queue.borrow_mut().push_end(ConnId(1), code);
        let expected = match self.pending.last() {
            Some(Pending::ExpectClose { code, .. }) => Some(*code),
            Some(_) => None,
            None => self.next_expected_end(),
        };
        expected == Some(code)
    }

    /// The code of `/expect-close`, if the next line is an `/expect-close`.
    fn next_expected_end(&self) -> Option<u16> {
        let mut sources = self.sources.clone();
        let of_sources = std::iter::from_fn(|| {
            while let Some(source) = sources.last_mut() {
                match source.next() {
                    Some((_, line)) => return Some(line),
                    None => sources.pop(),
                };
            }
            None
        });
        let of_queue = self.queue.iter().filter_map(|queued| queued.line.as_ref().ok().cloned());
        let mut commands = of_sources.chain(of_queue).map(|line| self.read(line));
        match commands.find(|command| !matches!(command, Ok(Command::Nothing))) {
            Some(Ok(Command::ExpectClose { code, .. })) => Some(code),
            _ => None,
        }
    }

    /// Whether a connection has ended as an `/expect-close` required.
    pub fn end_was_expected(&self) -> bool {
        self.end_expected
    }

    /// The error of an expectation whose connection has ended.
    fn lost_expectation(&self, expected: &Expected) -> String {
        let how = if self.ended.is_empty() { String::new() } else { format!(": {}", self.ended) };
        format!("{}: the connection ended before a match{how}", expected.name())
    }

    /// Whether the last line of a script was an expectation that was met: then the run need not
    /// wait longer.
    pub fn has_seen_all(&self) -> bool {
        self.met_last
    }
}
