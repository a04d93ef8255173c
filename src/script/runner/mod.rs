//! Carries out the lines of the prompt and of scripts, one after the other.
//!
//! Lines come from a prompt, from stdin, from `-x`, from files; each is a message or a command.
//! Some hold up what follows: `/wait`, `/expect`, `/repeat`, `/file`. Nothing here waits: a call
//! of [`ScriptRunner::run`] does what can be done now and [`ScriptRunner::deadline`] says when to call
//! again. It outlives connections, so that settings and jobs hold after `/reconnect`. The
//! connections are behind [`Connections`]: one of a client, or those of a server.

mod completion;
mod connections;
mod endpoint_options;
mod execute;
mod expect_queue;
mod file;
mod input;
mod lines;
mod notifier;
mod replies;
pub(crate) mod send;
mod setup;
mod targets;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

pub use crate::script::runner::completion::ClientDirectory;
pub use crate::script::runner::connections::{ClientFacts, Connections, Settings};
pub use crate::script::runner::expect_queue::ExpectQueue;
pub use crate::script::runner::lines::{LineBuffer, LineError, Place, Source};
pub use crate::script::runner::notifier::Notifier;
pub use crate::script::runner::send::Sender;
pub use crate::script::runner::setup::{Setup, script};

use crate::config::OpenConfig;
use crate::event::{ConnId, FrameEvent};
use crate::net::stdio::Stdin;
use crate::script::command::Command;
use crate::script::runner::file::FileSending;
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::filter::ClientSet;
use crate::ui::prompt::{Next, Prompt};
use crate::ui::style::Ink;
use crate::wire::Role;
use crate::wire::close::CloseBody;

/// Files that `/source` may open inside each other.
const MAX_NESTING: usize = 16;

/// Lines of stdin that wait at most, but for those of one read.
const QUEUE: usize = 1024;

/// What a session does next, beyond what this connection can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The end, with a Close 1000.
    Quit,
    /// The end, with a Close 1001: Ctrl-C.
    Leave,
    /// Another connection, with the options as they are now.
    Open,
}

/// Why a script stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, and in which line.
    pub text: String,
    /// An `/expect` was not met.
    pub unmet: bool,
}

/// A line on its way.
pub(crate) struct Item {
    place: Place,
    /// The line, or why there is none.
    line: Result<String, LineError>,
    /// It is a message, whatever it begins with.
    verbatim: bool,
}

/// What holds up the lines that follow.
enum Hold {
    Wait(Instant),
    Expect { regex: Regex, given: Duration, until: Instant, target: ClientSet, place: Place },
    Await { count: usize, given: Duration, until: Instant, place: Place },
    Repeat { command: Command, left: u64, target: ClientSet, place: Place },
    File(Box<FileSending>, Place),
}

/// A command done again and again.
struct Every {
    id: u64,
    interval: Duration,
    next: Instant,
    command: Command,
    target: ClientSet,
    line: String,
}

/// Carries out lines. See the [module](self).
pub struct ScriptRunner {
    prompt: Option<Prompt>,
    /// Lines come from stdin as bytes.
    stdin: Option<(Stdin, LineBuffer)>,
    notifier: Notifier,
    /// The state that the prompt shows.
    shown: String,
    /// The editor waits for leave to read on.
    to_answer: bool,
    answer: Next,
    /// Errors end the run: nobody is there to see them and go on.
    scripted: bool,
    no_commands: bool,
    /// Plain lines are binary messages.
    binary: bool,
    queue: VecDeque<Item>,
    sources: Vec<Source>,
    hold: Option<Hold>,
    every: Vec<Every>,
    last_every: u64,
    backlog: ExpectQueue,
    settings: Settings,
    role: Role,
    /// Whom lines are for that do not say.
    target: ClientSet,
    /// The clients that completion knows.
    roll: ClientDirectory,
    /// How a client opens the next connection.
    open: Option<OpenConfig>,
    ask: Option<Ask>,
    failure: Option<Failure>,
    /// How the last connection ended.
    ended: String,
    /// The last line was an `/expect` that was met.
    met_last: bool,
}

impl ScriptRunner {
    /// For a script, whose first error ends it, or for somebody who types.
    fn new(scripted: bool, notifier: Notifier, setup: &Setup<'_>) -> Self {
        Self {
            prompt: None,
            stdin: None,
            notifier,
            shown: String::new(),
            to_answer: false,
            answer: Next::Read,
            scripted,
            no_commands: setup.lines.no_commands,
            binary: setup.binary,
            queue: VecDeque::new(),
            sources: Vec::new(),
            hold: None,
            every: Vec::new(),
            last_every: 0,
            backlog: ExpectQueue::default(),
            settings: Settings::default(),
            role: if setup.open.is_some() { Role::Client } else { Role::Server },
            target: ClientSet::All,
            roll: ClientDirectory::default(),
            open: setup.open.cloned(),
            ask: None,
            failure: None,
            ended: String::new(),
            met_last: false,
        }
    }

    /// Lines come from stdin.
    fn read_from(&mut self, stdin: Stdin) {
        self.stdin = Some((stdin, LineBuffer::default()));
    }

    /// Notes that the poll or a waker says that lines may have come.
    pub fn set_ready(&mut self, closed: bool) {
        self.stdin.iter_mut().for_each(|(stdin, _)| stdin.set_ready(closed));
    }

    /// Whether lines are those of a script.
    pub fn is_scripted(&self) -> bool {
        self.scripted
    }

    /// Whether a script has come to its end.
    pub fn is_exhausted(&self) -> bool {
        self.scripted && self.stdin.is_none() && !self.is_busy()
    }

    /// Whether an editor or a pager has the terminal: Ctrl-C is meant for that, then.
    pub fn is_away(&self) -> bool {
        self.prompt.as_ref().is_some_and(Prompt::is_away)
    }

    /// Whether stdin may have more lines.
    pub fn reads_stdin(&self) -> bool {
        self.stdin.is_some()
    }

    /// Shows the state of the connection in the prompt.
    pub fn show_state(&mut self, state: State, received: Option<&CloseBody>) {
        let (text, ink) = match (state, received) {
            (State::Open, None) => ("connected", Ink::Good),
            _ => ("closing", Ink::Info),
        };
        match self.hold {
            Some(Hold::File(ref file, _)) => self.show(&format!("{} % sent", file.percent()), ink),
            Some(Hold::Expect { .. } | Hold::Wait(_)) if text == "connected" => {
                self.show("waiting", Ink::Info);
            }
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

    /// Notes who a server's clients are: their numbers, and who each is.
    pub fn set_clients(&mut self, clients: Vec<(u64, String)>) {
        self.roll.set(clients);
    }

    /// Shows how many clients a server has, or whom lines are for.
    pub fn show_clients(&mut self) {
        let count = self.roll.count();
        let gone = |id: &ConnId| !self.roll.has(*id);
        let (text, ink) = match (&self.hold, &self.target) {
            (Some(Hold::File(file, _)), _) => (format!("{} % sent", file.percent()), Ink::Good),
            (_, ClientSet::Only(ids)) => {
                let ink = if ids.iter().all(gone) { Ink::Violation } else { Ink::Good };
                (format!("to {}", self.target), ink)
            }
            (_, ClientSet::All) if count == 0 => ("listening".to_owned(), Ink::Info),
            (_, ClientSet::All) if count == 1 => ("1 client".to_owned(), Ink::Good),
            (_, ClientSet::All) => (format!("{count} clients"), Ink::Good),
        };
        self.show(&text, ink);
    }

    /// Adds a line to those that wait.
    pub fn push(&mut self, place: Place, line: String) {
        self.queue.push_back(Item { place, line: Ok(line), verbatim: false });
    }

    /// Adds the lines of a file before those that wait.
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

    /// The editor, to end it.
    pub fn take_prompt(&mut self) -> Option<Prompt> {
        self.prompt.take()
    }

    /// Talks to whoever gave the lines.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// What the session is asked to do, once.
    pub fn take_ask(&mut self) -> Option<Ask> {
        self.ask.take()
    }

    /// Whether the session is asked to do something, which waits for this connection's end.
    pub fn ask(&self) -> Option<&Ask> {
        self.ask.as_ref()
    }

    /// Why the script stopped, once.
    pub fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Whether lines wait, or something holds them up. What is done every so often does not count.
    pub fn is_busy(&self) -> bool {
        self.hold.is_some() || self.has_lines()
    }

    /// Whether an `/expect` waits for a message.
    pub fn expects(&self) -> bool {
        matches!(self.hold, Some(Hold::Expect { .. }))
    }

    /// Lines that wait.
    pub fn lines_left(&self) -> usize {
        self.queue.len() + self.sources.iter().map(Source::left).sum::<usize>()
    }

    fn has_lines(&self) -> bool {
        !self.queue.is_empty() || self.sources.iter().any(|source| source.left() > 0)
    }

    /// Brings a new connection's endpoint to what was set.
    pub fn set_up(&mut self, endpoint: &mut Endpoint) {
        self.settings.apply(endpoint);
        self.backlog.clear();
    }

    /// Takes an event of the peer's direction: `/expect` looks at messages.
    pub fn hear(&mut self, event: &FrameEvent<'_>) {
        self.backlog.take(event);
    }

    /// When there is something to do without an event from outside.
    pub fn deadline(&self) -> Option<Instant> {
        let hold = match &self.hold {
            Some(Hold::Wait(at)) => Some(*at),
            Some(Hold::Expect { until, .. } | Hold::Await { until, .. }) => Some(*until),
            Some(Hold::Repeat { .. } | Hold::File(..)) | None => None,
        };
        self.every.iter().map(|every| every.next).chain(hold).min()
    }

    /// Whether something can be done at once, given room.
    pub fn is_ready(&self) -> bool {
        match &self.hold {
            Some(Hold::Repeat { .. } | Hold::File(..)) => true,
            Some(Hold::Expect { .. }) => self.backlog.has_news(),
            Some(Hold::Wait(_) | Hold::Await { .. }) => false,
            None => {
                let reads = self.stdin.as_ref().is_some_and(|(stdin, _)| stdin.is_ready());
                (self.has_lines() || reads) && self.ask.is_none()
            }
        }
    }

    /// Whether [`ScriptRunner::run`] would do something at once.
    pub fn can_go_on(&self, connections: &dyn Connections) -> bool {
        self.is_ready() && connections.has_room(&self.needs_room())
    }

    /// Whose room what goes on needs.
    fn needs_room(&self) -> ClientSet {
        match &self.hold {
            Some(Hold::File(file, _)) => file.target(),
            Some(Hold::Repeat { command: Command::To { target, .. }, .. })
            | Some(Hold::Repeat { target, .. }) => target.clone(),
            _ => ClientSet::All,
        }
    }

    /// Does what can be done now. Where nobody is connected, commands that need somebody fail.
    pub fn run(&mut self, connections: &mut dyn Connections, now: Instant) {
        self.take_typed();
        self.read_stdin();
        connections.hand_over(&mut self.backlog);
        while self.ask.is_none()
            && self.failure.is_none()
            && connections.has_room(&self.needs_room())
        {
            let go_on = match self.hold.take() {
                Some(hold) => self.go_on_holding(hold, connections, now),
                None => self.next_line(connections, now),
            };
            if !go_on {
                break;
            }
        }
        // After the lines: what a /stop among them ends is not done once more.
        self.do_every(connections, now);
        if std::mem::take(&mut self.to_answer)
            && let Some(prompt) = &self.prompt
            && !matches!(self.ask, Some(Ask::Quit | Ask::Leave))
        {
            prompt.next(std::mem::replace(&mut self.answer, Next::Read));
        }
    }

    /// The connection has ended, `how` says in which way: what needs it stops, and says so.
    pub fn disconnected(&mut self, how: &str) {
        how.clone_into(&mut self.ended);
        match self.hold.take() {
            Some(Hold::Expect { regex, place, .. }) => {
                self.fail(&place, &self.lost_expectation(&regex), true);
            }
            Some(Hold::Repeat { place, .. } | Hold::File(_, place)) => {
                self.fail(&place, "the connection ended before all was sent", false);
            }
            hold => self.hold = hold,
        }
        if !self.every.is_empty() {
            self.notifier.note(&format!("{} stopped", replies::jobs(self.every.len())));
            self.every.clear();
        }
    }

    /// Goes on with what holds up the rest; says whether something changed.
    fn go_on_holding(
        &mut self,
        hold: Hold,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> bool {
        match hold {
            Hold::Wait(at) if at <= now => true,
            Hold::Expect { ref regex, given, until, ref target, ref place } => {
                if self.backlog.find(regex, target) {
                    self.met_last = true;
                    if !self.scripted {
                        self.notifier
                            .note(&format!("/expect {} is met", lines::quoted(regex.as_str())));
                    }
                    return true;
                }
                if !connections.may_come(target) {
                    let (place, text) = (place.clone(), self.lost_expectation(regex));
                    self.fail(&place, &text, true);
                    return true;
                }
                if until > now {
                    self.hold = Some(hold);
                    return false;
                }
                let text = format!(
                    "/expect {}: no such message came within {} s; {}",
                    lines::quoted(regex.as_str()),
                    given.as_secs_f64(),
                    self.backlog.summary(target)
                );
                let place = place.clone();
                self.fail(&place, &text, true);
                true
            }
            Hold::Await { count, given, until, place } => {
                let there = connections.present(&ClientSet::All).len();
                if there >= count {
                    return true;
                }
                if until > now {
                    self.hold = Some(Hold::Await { count, given, until, place });
                    return false;
                }
                let given = given.as_secs_f64();
                let text = format!("/await: {there} of {count} clients came within {given} s");
                self.fail(&place, &text, true);
                true
            }
            Hold::Repeat { command, left, target, place } => {
                self.carry_out(command.clone(), &target, &place, connections, now);
                if left > 1 && self.failure.is_none() {
                    // What was repeated may hold itself: then it is lost, so it is not allowed.
                    self.hold = Some(Hold::Repeat { command, left: left - 1, target, place });
                }
                true
            }
            Hold::File(mut file, place) => {
                match file.go_on(connections, now) {
                    Ok(None) => {
                        if let Some(bar) = file.bar(connections.reporter().columns(), now) {
                            self.notifier.text(bar.as_bytes());
                        }
                        self.hold = Some(Hold::File(file, place));
                    }
                    Ok(Some(summary)) => self.notifier.note(&summary),
                    Err(error) => self.fail(&place, &error, false),
                }
                true
            }
            hold @ Hold::Wait(_) => {
                self.hold = Some(hold);
                false
            }
        }
    }

    /// What to say of an expectation that died with its connection.
    fn lost_expectation(&self, regex: &Regex) -> String {
        let regex = lines::quoted(regex.as_str());
        let how = if self.ended.is_empty() { String::new() } else { format!(": {}", self.ended) };
        format!("/expect {regex}: the connection ended before such a message came{how}")
    }

    /// Whether the last thing a script did was to see what it expected: then nothing is left to
    /// stay for.
    pub fn has_seen_all(&self) -> bool {
        self.met_last
    }
}
