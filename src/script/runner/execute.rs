//! What each command does that does not just send.

use std::time::{Duration, Instant};

use crate::event::ConnId;
use crate::output::reporter::Reporter;
use crate::script::command::{Command, FilterChange, LogChange, Payload, help};
use crate::script::runner::file::FileSending;
use crate::script::runner::lines::{Place, Source};
use crate::script::runner::send;
use crate::script::runner::{
    Ask, Connections, Every, Failure, Hold, MAX_NESTING, ScriptRunner, replies,
};
use crate::session::Endpoint;
use crate::ui::filter::ClientSet;
use crate::ui::prompt::Next;
use crate::wire::Role;
use crate::wire::handshake::headers::HeaderEdit;

/// The grammar of a server has no such commands.
const NO_CLIENT: &str = "a server opens no connections";

impl ScriptRunner {
    /// Carries out one command, on those meant.
    pub(crate) fn carry_out(
        &mut self,
        command: Command,
        target: &ClientSet,
        place: &Place,
        connections: &mut dyn Connections,
        now: Instant,
    ) {
        self.met_last &= matches!(command, Command::Nothing);
        let result = match command {
            Command::Nothing => Ok(None),
            Command::Wait(time) => {
                self.hold = Some(Hold::Wait(now + time));
                Ok(None)
            }
            Command::Expect { regex, timeout } => {
                let (given, until) = (timeout, now + timeout);
                self.backlog.look_again();
                let (target, place) = (target.clone(), place.clone());
                self.hold = Some(Hold::Expect { regex, given, until, target, place });
                Ok(None)
            }
            Command::Await { count, timeout } => {
                let (given, until) = (timeout, now + timeout);
                self.hold = Some(Hold::Await { count, given, until, place: place.clone() });
                Ok(None)
            }
            Command::To { target, command: Some(command) } => {
                return self.carry_out(*command, &target, place, connections, now);
            }
            Command::To { target, command: None } => {
                let text = format!("what follows is for {}", replies::clients(&target));
                self.target = target;
                Ok(self.confirm(true, text))
            }
            Command::Clients => {
                let text = replies::roll(connections, now);
                Ok(self.page(text))
            }
            Command::Repeat { count, command } => {
                let (command, target, place) = (*command, target.clone(), place.clone());
                let repeat = Hold::Repeat { command, left: count, target, place };
                self.hold = (count > 0).then_some(repeat);
                Ok(None)
            }
            Command::Every { interval, command, line } => {
                Ok(self.add_every(interval, *command, target.clone(), line, now))
            }
            Command::Stop(id) => self.stop(id),
            Command::Source(path) => self.source(&path),
            Command::File { path, text } => {
                let mut ids = self.those_meant(target, place, connections);
                if ids.is_empty() {
                    return;
                }
                ids.retain(|id| connections.endpoint(*id).is_some_and(Endpoint::is_open));
                match ids.is_empty() {
                    true => Err("the connection is closing, nothing more can be sent".to_owned()),
                    false => FileSending::begin(&path, text, ids, now).map(|file| {
                        self.hold = Some(Hold::File(Box::new(file), place.clone()));
                        None
                    }),
                }
            }
            Command::Quit => {
                self.ask = Some(Ask::Quit);
                Ok(None)
            }
            Command::Reconnect => {
                self.ask = Some(Ask::Open);
                Ok(None)
            }
            Command::Open(url) => self.turn_to(&url).map(|()| {
                self.ask = Some(Ask::Open);
                None
            }),
            Command::Headers(edit) => self.headers(edit.as_deref()),
            Command::AutoPong(_) | Command::AutoClose(_) | Command::Compress(_) => {
                Ok(self.set(&command, target, place, connections))
            }
            Command::Edit(beginning) => self.edit(beginning),
            Command::Last => self.subject(target, connections).and_then(|id| {
                let text = replies::last(id, connections.reporter())?;
                Ok(self.page(text))
            }),
            Command::Show(show) => self.subject(target, connections).and_then(|id| {
                let text = replies::show(show, id, connections, &self.every_lines(), now)?;
                Ok(self.page(text))
            }),
            Command::Status => self.status(target, connections, now).map(Some),
            Command::View(view) => {
                let answer = replies::view(view, &mut connections.runtime().reporter);
                self.shown(answer, view.is_some())
            }
            Command::Filter(change) => {
                let changed = !matches!(change, FilterChange::Ask);
                let answer = replies::filter(change, &mut connections.runtime().reporter);
                self.shown(answer, changed)
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
            Command::Clear => self.clear(),
            Command::Help(topic) => {
                let text = topic.and_then(help::of).unwrap_or_else(|| help::overview(self.role));
                Ok(self.page(text.into_bytes()))
            }
            sending => return self.send(&sending, target, place, connections, now),
        };
        match result {
            Ok(None) => {}
            Ok(Some(text)) => self.notifier.note(&text),
            Err(text) => self.fail(place, &text, false),
        }
    }

    /// A line that can't be carried out: a script ends there, somebody who types is told.
    pub(crate) fn fail(&mut self, place: &Place, text: &str, unmet: bool) {
        let text = match place.tell() {
            Some(place) => format!("{place}: {text}"),
            None => text.to_owned(),
        };
        self.sources.clear();
        if self.scripted {
            self.queue.clear();
            self.hold = None;
            self.failure.get_or_insert(Failure { text, unmet });
        } else {
            self.notifier.error(&text);
        }
    }

    /// What was changed is confirmed to somebody who types; a script knows.
    pub(crate) fn confirm(&self, changed: bool, text: String) -> Option<String> {
        (!changed || !self.scripted).then_some(text)
    }

    /// How traffic is shown is of no consequence where none is: the same script runs everywhere.
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

    fn add_every(
        &mut self,
        interval: Duration,
        command: Command,
        target: ClientSet,
        line: String,
        now: Instant,
    ) -> Option<String> {
        self.last_every += 1;
        let id = self.last_every;
        let said =
            format!("job {id}: {line} every {} s; /stop {id} ends it", interval.as_secs_f64());
        self.every.push(Every { id, interval, next: now, command, target, line });
        (!self.scripted).then_some(said)
    }

    fn stop(&mut self, id: Option<u64>) -> Result<Option<String>, String> {
        let before = self.every.len();
        self.every.retain(|every| id.is_some_and(|id| every.id != id));
        match (before - self.every.len(), id) {
            (0, Some(id)) => Err(format!("/stop: there is no job {id}")),
            (0, None) => Ok(Some("nothing to stop".to_owned())),
            (n, _) => Ok(Some(format!("{} stopped", replies::jobs(n)))),
        }
    }

    /// Does what is due of what is done every so often.
    pub(crate) fn do_every(&mut self, connections: &mut dyn Connections, now: Instant) {
        for at in 0..self.every.len() {
            let Some(every) = self.every.get_mut(at) else { return };
            if every.next > now {
                continue;
            }
            // A time that was missed is not made up for: that would be a burst.
            every.next = (every.next + every.interval).max(now);
            let target = match &every.command {
                Command::To { target, .. } => target.clone(),
                _ => every.target.clone(),
            };
            let open = |id: &ConnId| connections.endpoint(*id).is_some_and(Endpoint::is_open);
            if connections.has_room(&target) && connections.present(&target).iter().any(open) {
                let command = every.command.clone();
                self.carry_out(command, &target, &Place::Job, connections, now);
            } else if self.role == Role::Server && !connections.may_come(&target) {
                let id = every.id;
                every.interval = Duration::ZERO;
                self.notifier.note(&format!("job {id} stopped: client {target} has left"));
            }
        }
        self.every.retain(|every| !every.interval.is_zero());
    }

    pub(crate) fn every_lines(&self) -> Vec<String> {
        let tell = |every: &Every| {
            format!("{}: {} every {} s", every.id, every.line, every.interval.as_secs_f64())
        };
        self.every.iter().map(tell).collect()
    }

    fn source(&mut self, path: &std::path::Path) -> Result<Option<String>, String> {
        if self.sources.len() >= MAX_NESTING {
            return Err(format!("/source: more than {MAX_NESTING} files inside each other"));
        }
        self.sources.push(Source::read(path)?);
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
            let edit: HeaderEdit = text.parse().map_err(|error| format!("/headers: {error}"))?;
            open.headers.retain(|old| !old.name().eq_ignore_ascii_case(edit.name()));
            open.headers.push(edit);
        }
        Ok(Some(replies::headers(open, edit.is_some())))
    }

    fn edit(&mut self, beginning: Payload) -> Result<Option<String>, String> {
        if self.prompt.is_none() || !self.to_answer {
            return Err("/edit: needs the prompt".to_owned());
        }
        let bytes = send::read(&beginning)?;
        self.answer = Next::Edit(String::from_utf8_lossy(&bytes).into_owned());
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
            (None, ClientSet::Only(_)) => {
                let id = self.subject(target, connections)?;
                Ok(replies::status_of_client(id, connections, now))
            }
        }
    }

    /// A long text goes through a pager where somebody waits for it.
    fn page(&mut self, text: Vec<u8>) -> Option<String> {
        match self.prompt.is_some() && self.to_answer {
            true => self.answer = Next::Page(text),
            false => self.notifier.text(&text),
        }
        None
    }

    fn clear(&mut self) -> Result<Option<String>, String> {
        if self.scripted {
            return Ok(None);
        }
        if self.prompt.is_none() || !self.to_answer {
            return Err("/clear: needs the prompt".to_owned());
        }
        self.answer = Next::Clear;
        Ok(None)
    }
}

fn log(change: LogChange, reporter: &mut Reporter) -> Result<String, String> {
    match change {
        LogChange::Ask => {}
        LogChange::Off => {
            if let Some(path) = reporter.log_path().map(std::path::Path::to_owned) {
                reporter.end_log()?;
                return Ok(format!("the log {} has ended", path.display()));
            }
        }
        LogChange::File(path) => reporter.log_to(&path)?,
    }
    Ok(match reporter.log_path() {
        Some(path) => format!("every event goes to {}", path.display()),
        None => "no log is written".to_owned(),
    })
}
