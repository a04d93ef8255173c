//! Carries out commands; `targets.rs` has those that send.

use std::time::{Duration, Instant};

use crate::config::header_lines;
use crate::engine::outbox::Producer;
use crate::engine::relay::Release;
use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::output::secrets;
use crate::script::command::{
    Command, Expected, FilterChange, FragmentSpec, LogChange, Payload, ReleaseWhat, RuleChange,
    Show, help,
};
use crate::script::runner::file::{PIPE_TIMEOUT, read_whole};
use crate::script::runner::file_sending::FileSending;
use crate::script::runner::fragments::Fragments;
use crate::script::runner::lines::{Source, SourceLocation};
use crate::script::runner::send::{self, bad_text};
use crate::script::runner::targets::{ONE_DIRECTION, lens_id};
use crate::script::runner::{
    Connections, Job, LineOrigin, MAX_NESTING, Pending, ScriptFailure, ScriptRunner,
    SessionRequest, replies,
};
use crate::session::Endpoint;
use crate::ui::filter::ClientSet;
use crate::ui::notation::MAX_DURATION;
use crate::ui::number;
use crate::ui::prompt::PromptAction;
use crate::ui::sanitize::escaped;
use crate::wire::close::CloseBody;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::{Data, Role};

/// How long an expectation without a TIMEOUT waits, at a prompt and on a server.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a line waits for the answer to its request.
const ANSWER: Duration = Duration::from_secs(10);

const NO_PROXY: &str = "it is for wscope proxy";

/// A server does not have these commands.
const NO_CLIENT: &str = "a server does not open connections";

impl ScriptRunner {
    /// Carries out one command, on `target` if the command needs connections. Returns whether it
    /// succeeded; it has already reported an error.
    pub(crate) fn execute(
        &mut self,
        command: Command,
        of: &LineOrigin,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> bool {
        let LineOrigin { target, location } = of;
        let about_lens = matches!(
            command,
            Command::Lens(Some(_)) | Command::Speak { .. } | Command::Show(Show::Lens)
        );
        if about_lens && !self.has_turned {
            self.pending.push(Pending::Turn { command, origin: of.clone(), since: now });
            return true;
        }
        self.met_last &= matches!(command, Command::Nothing);
        let result = match command {
            Command::Nothing => Ok(None),
            Command::AutoPong(_)
            | Command::AutoClose(_)
            | Command::Compress(_)
            | Command::On(_)
                if connections.relays() =>
            {
                Err("a proxy does not answer messages; /rule changes those that it forwards"
                    .to_owned())
            }
            Command::Wait(time) => {
                self.pending.push(Pending::Wait(now + time));
                Ok(None)
            }
            Command::Expect { expected, timeout } => {
                let given = timeout.unwrap_or(self.patience());
                self.expect(false, expected, given, of, now);
                Ok(None)
            }
            Command::ExpectNot { expected, timeout } => {
                self.expect(true, expected, timeout, of, now);
                Ok(None)
            }
            Command::ExpectClose { code, timeout } => {
                let given = timeout.unwrap_or(self.patience());
                let (until, origin) = (now + given, of.clone());
                self.pending.push(Pending::ExpectClose { code, given, until, origin });
                Ok(None)
            }
            Command::Set { name, value } => self.set_variable(name, value),
            Command::On(Some(rule)) => {
                let added = self.received.answers.borrow_mut().add(rule, target.clone());
                added.map(|text| self.confirm(true, text))
            }
            Command::On(None) => {
                let lines = self.received.answers.borrow().lines();
                let none = || "no /on rules".to_owned();
                Ok(Some(if lines.is_empty() { none() } else { lines.join("\n") }))
            }
            Command::OffRule(id) => self.end_rules(id),
            Command::Await { count, timeout } => {
                let (given, until) = (timeout, now + timeout);
                let location = location.clone();
                self.pending.push(Pending::Await { count, given, until, location });
                Ok(None)
            }
            Command::To { target, .. } if target.direction().is_some() && !connections.relays() => {
                Err(ONE_DIRECTION.to_owned())
            }
            Command::To { target, command: Some(command) } => {
                let of = LineOrigin { target, location: location.clone() };
                if connections.relays()
                    && of.target.direction().is_none()
                    && let Command::Close { code, reason } = *command
                {
                    let body = CloseBody { code, reason };
                    return self.close_both(&body, &of, connections, now);
                }
                return self.execute(*command, &of, connections, now);
            }
            Command::To { target, command: None } => {
                let whose = replies::clients(&target, connections.relays());
                let text = format!("the following lines are for {whose}");
                self.target = target;
                Ok(self.confirm(true, text))
            }
            Command::Clients => {
                let text = replies::client_list(connections, now);
                Ok(self.page(text))
            }
            Command::Repeat { count, command } => {
                let (command, origin) = (*command, of.clone());
                self.pending.push(Pending::Repeat { command, left: count, origin });
                Ok(None)
            }
            Command::Every { interval, command, line } => {
                Ok(self.add_job(interval, *command, target.clone(), line, now))
            }
            Command::Stop(id) => self.stop(id),
            Command::Source(path) => self.source(&path),
            Command::File { path, text } => {
                let Some(ids) = self.open_clients(of, connections) else {
                    return false;
                };
                FileSending::begin(&path, text, ids, connections, now).map(|file| {
                    self.pending.push(Pending::File(Box::new(file), location.clone()));
                    None
                })
            }
            Command::Fragment(spec) => {
                self.expect_answers(location);
                let Some(ids) = self.open_clients(of, connections) else {
                    return false;
                };
                self.fragment(&spec, ids, location, connections.reporter())
            }
            Command::Quit => {
                self.request = Some(SessionRequest::Quit);
                Ok(None)
            }
            Command::Reconnect => {
                self.request = Some(SessionRequest::Open);
                Ok(None)
            }
            Command::Open(url) => self.turn_to(&url).map(|()| {
                self.request = Some(SessionRequest::Open);
                None
            }),
            Command::Headers(edit) => self.headers(edit.as_deref()),
            Command::AutoPong(_) | Command::AutoClose(_) | Command::Compress(_) => {
                Ok(self.set(&command, of, connections))
            }
            Command::Edit(beginning) => match connections.held(target) {
                Some((id, content)) => self.edit_held(id, content),
                None => self.edit(beginning),
            },
            Command::Rule(change) => self.rule(change, connections),
            Command::Release(what) => self.release(what, target, connections),
            Command::Last => self.single(target, connections).and_then(|id| {
                let text = replies::last(id, connections)?;
                Ok(self.page_as_is(text))
            }),
            Command::Show(Show::Message(number, direction)) => {
                replies::message(number, direction, target, connections.reporter())
                    .map(|text| self.page_as_is(text))
            }
            Command::Show(Show::Lens) => self.single(target, connections).map(|id| {
                let id = lens_id(id, connections);
                let reporter = &mut connections.runtime().reporter;
                let now = reporter.stamp().micros;
                let text = reporter.lenses().state(id, now);
                let text = reporter.redactor().meant(&text);
                let lines: Vec<_> = text.lines().map(|line| escaped(line.as_bytes())).collect();
                self.page((lines.join("\n") + "\n").into_bytes())
            }),
            Command::Show(show) => self.single(target, connections).and_then(|id| {
                let text = replies::show(show, id, connections, &self.by_itself(), now)?;
                Ok(self.page(text))
            }),
            Command::Status => self.status(target, connections, now).map(Some),
            Command::View(view) => {
                let answer = replies::view(view, &mut connections.runtime().reporter);
                self.shown(answer, view.is_some())
            }
            Command::Filter(change) => {
                let changed = !matches!(change, FilterChange::Ask);
                let reporter = &mut connections.runtime().reporter;
                let answer = replies::filter(change, reporter);
                self.filtered = reporter.filter().is_some();
                self.shown(answer, changed)
            }
            Command::Pretty(choice) => {
                let text = replies::pretty(choice, &mut connections.runtime().reporter);
                Ok(self.confirm(choice.is_some(), text))
            }
            Command::Find { pattern, most } => {
                let text = connections.reporter().find(&pattern, most, target);
                Ok(self.page(text))
            }
            Command::Timestamps(choice) => {
                let answer = replies::timestamps(choice, &mut connections.runtime().reporter);
                self.shown(answer, choice.is_some())
            }
            Command::Log(change) => {
                let changed = change != LogChange::Ask;
                log(change, &mut connections.runtime().reporter)
                    .map(|text| self.confirm(changed, text))
            }
            Command::Lens(choice) => {
                let lenses = connections.runtime().reporter.lenses();
                choice.into_iter().for_each(|choice| lenses.choose(choice));
                let shown = lenses.choice();
                Ok(self.confirm(choice.is_some(), format!("lens: {}", shown.name())))
            }
            Command::KeepAlive(on) => {
                self.keep_alive.on = on.unwrap_or(self.keep_alive.on);
                let text = if self.keep_alive.on { "on" } else { "off" };
                Ok(self.confirm(on.is_some(), format!("keepalive {text}")))
            }
            Command::Speak { word, line } => {
                let Some(answer) = self.speak(word, &line, of, connections, now) else {
                    return false;
                };
                // At a prompt, the user sees the answer when it arrives.
                if let Some(test) = answer.filter(|_| *location != SourceLocation::Typed) {
                    self.expect(false, Expected::Answer(test), ANSWER, of, now);
                }
                return true;
            }
            Command::Clear => self.clear(),
            Command::Help(topic) => {
                let text = topic.and_then(help::of).unwrap_or_else(|| {
                    help::overview(Some(self.role).filter(|_| !connections.relays()))
                });
                Ok(self.page(text.into_bytes()))
            }
            sending => return self.send(&sending, of, connections, now),
        };
        match result {
            Ok(note) => {
                note.iter().for_each(|note| self.notifier.note(note));
                true
            }
            Err(text) => {
                self.fail(location, &text, false);
                false
            }
        }
    }

    fn expect(
        &mut self,
        not: bool,
        expected: Expected,
        given: Duration,
        of: &LineOrigin,
        now: Instant,
    ) {
        self.expect_queue.look_again();
        let (until, origin) = (now + given, of.clone());
        self.pending.push(Pending::Expect { not, expected, given, until, origin });
    }

    /// How long an expectation without a TIMEOUT waits. A client's script waits until the
    /// connection ends; `--max-time` limits it. At a prompt, the user wants to type the next line,
    /// and a server's clients may never disconnect; there it waits for a fixed time.
    fn patience(&self) -> Duration {
        match self.role {
            Role::Client if self.scripted => MAX_DURATION,
            _ => PATIENCE,
        }
    }

    fn set_variable(
        &mut self,
        name: Option<String>,
        value: Option<String>,
    ) -> Result<Option<String>, String> {
        let shown = |(name, value): (&str, &str)| {
            format!("{name}={}", secrets::redact(&escaped(value.as_bytes())))
        };
        match (name, value) {
            (Some(name), Some(value)) => {
                self.variables.set(&name, value);
                self.received.answers.borrow_mut().set_variables(&self.variables);
                let set = self.variables.get(&name).unwrap_or_default();
                Ok(self.confirm(true, shown((&name, set))))
            }
            (Some(name), None) => match self.variables.get(&name) {
                Some(value) => Ok(Some(shown((&name, value)))),
                None => Err(format!("/set: variable {name} is not set; give it a value")),
            },
            (None, _) => {
                let all: Vec<_> = self.variables.iter().map(shown).collect();
                let none = || "no variables are set".to_owned();
                Ok(Some(if all.is_empty() { none() } else { all.join("\n") }))
            }
        }
    }

    fn end_rules(&mut self, id: Option<u64>) -> Result<Option<String>, String> {
        match (self.received.answers.borrow_mut().remove(id), id) {
            (0, Some(id)) => Err(format!("/off: no rule {id}")),
            (0, None) => Ok(self.confirm(true, "nothing to remove".to_owned())),
            (n, _) => {
                Ok(self.confirm(true, format!("{} removed", number::counted(n as u64, "rule"))))
            }
        }
    }

    fn fragment(
        &mut self,
        spec: &FragmentSpec,
        to: Vec<ConnId>,
        location: &SourceLocation,
        reporter: &Reporter,
    ) -> Result<Option<String>, String> {
        let content = send::read(&spec.message)?.into_owned();
        let opcode = if spec.binary { Data::Binary } else { Data::Text };
        let broken = bad_text(opcode, &content).filter(|_| !reporter.prints_violations());
        let message = Fragments::begin(spec, content, to)?;
        self.pending.push(Pending::Fragments(Box::new(message), location.clone()));
        Ok(broken)
    }

    /// Reports a line that can't be carried out, and ends a script.
    pub(crate) fn fail(&mut self, location: &SourceLocation, text: &str, unmet: bool) {
        let text = location.error(text);
        self.sources.clear();
        if self.scripted {
            self.queue.clear();
            self.pending.clear();
            self.failure.get_or_insert(ScriptFailure { text, unmet });
        } else {
            self.notifier.error(&text);
        }
    }

    /// The confirmation of a change; a script does not need it.
    pub(crate) fn confirm(&self, changed: bool, text: String) -> Option<String> {
        (!changed || !self.scripted).then_some(text)
    }

    /// The reply to a command about the transcript. A script may change the transcript even if no
    /// transcript is shown.
    fn shown(
        &self,
        answer: Result<String, String>,
        changed: bool,
    ) -> Result<Option<String>, String> {
        match answer {
            Ok(text) => Ok(self.confirm(changed, text)),
            Err(_) if changed && self.scripted => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn add_job(
        &mut self,
        interval: Duration,
        command: Command,
        target: ClientSet,
        line: String,
        now: Instant,
    ) -> Option<String> {
        self.last_job += 1;
        let id = self.last_job;
        let job = Job { id, interval, next: now, command, target, line };
        let note = format!("job {}; /stop {id} ends it", job.describe());
        self.jobs.push(job);
        self.confirm(true, note)
    }

    fn stop(&mut self, id: Option<u64>) -> Result<Option<String>, String> {
        let before = self.jobs.len();
        self.jobs.retain(|job| id.is_some_and(|id| job.id != id));
        match (before - self.jobs.len(), id) {
            (0, Some(id)) => Err(format!("/stop: no job {id}")),
            (0, None) => Ok(Some("nothing to stop".to_owned())),
            (n, _) => Ok(Some(format!("{} stopped", replies::jobs(n)))),
        }
    }

    /// Runs the jobs that are due.
    pub(crate) fn run_jobs(&mut self, connections: &mut dyn Connections, now: Instant) {
        let mut left = Vec::new();
        for at in 0..self.jobs.len() {
            let Some(job) = self.jobs.get_mut(at) else { return };
            if job.next > now {
                continue;
            }
            // A missed run is not repeated, because that would cause a burst.
            job.next = (job.next + job.interval).max(now);
            let target = match &job.command {
                Command::To { target, .. } => target.clone(),
                _ => job.target.clone(),
            };
            let open = |id: &ConnId| connections.endpoint(*id).is_some_and(Endpoint::is_open);
            if connections.has_room(&target, Producer::Message)
                && connections.present(&target).iter().any(open)
            {
                // A command that takes several turns must end before the next one begins.
                if !self.pending.iter().any(Pending::is_of_a_job) {
                    let command = job.command.clone();
                    let of = LineOrigin { target, location: SourceLocation::Job };
                    self.execute(command, &of, connections, now);
                }
            } else if self.role == Role::Server && !connections.may_connect(&target) {
                left.push(job.id);
                let id = job.id;
                let whose = replies::clients(&target, connections.relays());
                self.notifier.note(&format!("job {id} stopped: {whose} left"));
            }
        }
        self.jobs.retain(|job| !left.contains(&job.id));
    }

    /// Descriptions of jobs and of automatic answers.
    pub(crate) fn by_itself(&self) -> Vec<(&'static str, String)> {
        let jobs = self.jobs.iter().map(|job| ("job", job.describe()));
        let answers = self.received.answers.borrow().lines();
        jobs.chain(answers.into_iter().map(|line| ("answer", line))).collect()
    }

    fn source(&mut self, path: &std::path::Path) -> Result<Option<String>, String> {
        if self.sources.len() >= MAX_NESTING {
            return Err(format!("/source: more than {MAX_NESTING} nested files"));
        }
        self.sources.push(Source::read(path, Some(PIPE_TIMEOUT))?);
        Ok(None)
    }

    fn turn_to(&mut self, url: &str) -> Result<(), String> {
        let open = self.open.as_mut().ok_or(NO_CLIENT)?;
        *open = open.with_url(url).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn headers(&mut self, edit: Option<&str>) -> Result<Option<String>, String> {
        let open = self.open.as_mut().ok_or(NO_CLIENT)?;
        if let Some(text) = edit {
            let edits = match text.strip_prefix('@') {
                None => vec![text.parse().map_err(|error| format!("/headers: {error}"))?],
                Some(name) => header_file(name).map_err(|error| format!("/headers: {error}"))?,
            };
            let new = |name: &str| edits.iter().any(|edit| edit.name().eq_ignore_ascii_case(name));
            open.headers.retain(|old| !new(old.name()));
            open.headers.extend(edits);
        }
        Ok(Some(replies::headers(open, edit.is_some())))
    }

    /// Opens a held message in the editor.
    fn edit_held(&mut self, id: ConnId, content: Vec<u8>) -> Result<Option<String>, String> {
        let text = String::from_utf8(content).map_err(|_| {
            "/edit: the held message is not text; /next passes it on, /drop does not".to_owned()
        })?;
        let result = self.edit(Payload::Bytes(text.into_bytes()))?;
        self.editing = Some(id);
        Ok(result)
    }

    /// `/rule`, `/hold`.
    fn rule(
        &self,
        change: RuleChange,
        connections: &dyn Connections,
    ) -> Result<Option<String>, String> {
        let rules = connections.rules().ok_or(NO_PROXY)?;
        let mut rules = rules.borrow_mut();
        Ok(match change {
            RuleChange::Ask => {
                let lines: Vec<_> = rules
                    .iter()
                    .map(|(id, rule)| escaped(format!("{id}: {rule}").as_bytes()))
                    .collect();
                let none = || "nothing is changed".to_owned();
                Some(if lines.is_empty() { none() } else { lines.join("\n") })
            }
            RuleChange::Add(rule) => {
                let text = escaped(rule.to_string().as_bytes());
                let id = rules.add(*rule);
                self.confirm(true, format!("rule {id}: {text}; /rule off {id} ends it"))
            }
            RuleChange::Remove(id) => match (rules.remove(id), id) {
                (0, Some(id)) => return Err(format!("/rule: there is no rule {id}")),
                (n, _) => {
                    self.confirm(true, format!("{} ended", number::counted(n as u64, "rule")))
                }
            },
            RuleChange::EndHolding => {
                rules.end_holding();
                self.confirm(true, "holding is off".to_owned())
            }
        })
    }

    /// `/next`, `/drop`, `/pass`.
    fn release(
        &self,
        what: ReleaseWhat,
        target: &ClientSet,
        connections: &mut dyn Connections,
    ) -> Result<Option<String>, String> {
        let rules = connections.rules().ok_or(NO_PROXY)?;
        let how = match what {
            ReleaseWhat::Next | ReleaseWhat::All => Release::Pass,
            ReleaseWhat::Drop => Release::Drop,
        };
        if what == ReleaseWhat::All {
            rules.borrow_mut().end_holding();
        }
        let mut count = 0;
        while let Some((id, _)) = connections.held(target)
            && connections.release(id, how.clone())
        {
            count += 1;
            if what != ReleaseWhat::All {
                return Ok(None);
            }
        }
        match what {
            ReleaseWhat::All => {
                let text = format!("{} passed", number::counted(count, "held message"));
                Ok(self.confirm(true, text))
            }
            _ => Err("no message is held".to_owned()),
        }
    }

    fn edit(&mut self, beginning: Payload) -> Result<Option<String>, String> {
        if self.prompt.is_none() || !self.to_answer {
            let text =
                "/edit needs the prompt; in a script, write /drop, then @1> TEXT or @1< TEXT";
            return Err(text.to_owned());
        }
        let bytes = send::read(&beginning)?;
        self.answer = PromptAction::Edit(String::from_utf8_lossy(&bytes).into_owned());
        Ok(None)
    }

    fn status(
        &self,
        target: &ClientSet,
        connections: &dyn Connections,
        now: Instant,
    ) -> Result<String, String> {
        match (&self.open, target) {
            (Some(open), _) => Ok(replies::status(open, connections, now)),
            (None, ClientSet::All) => Ok(replies::status_of_server(connections)),
            (None, _) => {
                let id = self.single(target, connections)?;
                replies::status_of_client(id, connections, now)
            }
        }
    }

    /// Prints a long text; at the prompt, in a pager.
    fn page(&mut self, text: Vec<u8>) -> Option<String> {
        let text = self.notifier.folded(text);
        self.page_as_is(text)
    }

    /// Prints a payload without changing its lines.
    fn page_as_is(&mut self, text: Vec<u8>) -> Option<String> {
        match self.prompt.is_some() && self.to_answer {
            true => self.answer = PromptAction::Page(text),
            false => self.notifier.ready(&text),
        }
        None
    }

    fn clear(&mut self) -> Result<Option<String>, String> {
        if self.scripted {
            return Ok(None);
        }
        if self.prompt.is_none() || !self.to_answer {
            return Err("/clear needs the prompt".to_owned());
        }
        self.answer = PromptAction::Clear;
        Ok(None)
    }
}

/// The headers of a file, as `-H @FILE` reads them.
fn header_file(name: &str) -> Result<Vec<HeaderEdit>, String> {
    let instead = "headers are shorter";
    let bytes = read_whole(std::path::Path::new(name), Some(PIPE_TIMEOUT), instead)?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8"))?;
    header_lines(name, &text)
}

fn log(change: LogChange, reporter: &mut Reporter) -> Result<String, String> {
    match change {
        LogChange::Ask => {}
        LogChange::Off => {
            if let Some(path) = reporter.log_path().map(std::path::Path::to_owned) {
                reporter.end_log()?;
                return Ok(format!("stopped the log {}", path.display()));
            }
        }
        LogChange::File(path) => reporter.log_to(&path)?,
    }
    Ok(match reporter.log_path() {
        Some(path) => format!("logging every event to {}", path.display()),
        None => "no log".to_owned(),
    })
}
