//! What each command does that does not just send.

use std::time::{Duration, Instant};

use super::carry::{self, Line};
use super::file::FileSending;
use super::lines::{Place, Source};
use super::{Ask, Conductor, Every, Failure, Hold, MAX_NESTING, has_room, tell};
use crate::modes::client::desk::Desk;
use crate::ui::command::{Command, FilterChange, LogChange, Payload, help};
use crate::ui::prompt::Next;
use crate::wire::handshake::headers::HeaderEdit;

const NOT_CONNECTED: &str = "there is no connection; /reconnect opens it again, /open URL another";

impl Conductor {
    /// Carries out one command.
    pub(super) fn carry_out(
        &mut self,
        command: Command,
        place: &Place,
        desk: &mut Desk,
        line: Option<&mut Line<'_>>,
        now: Instant,
    ) {
        let result = match command {
            Command::Nothing => Ok(None),
            Command::Wait(time) => {
                self.hold = Some(Hold::Wait(now + time));
                Ok(None)
            }
            Command::Expect { regex, timeout } => {
                let (given, until) = (timeout, now + timeout);
                self.backlog.look_again();
                self.hold = Some(Hold::Expect { regex, given, until, place: place.clone() });
                Ok(None)
            }
            Command::Repeat { count, command } => {
                let (command, place) = (*command, place.clone());
                self.hold = (count > 0).then_some(Hold::Repeat { command, left: count, place });
                Ok(None)
            }
            Command::Every { interval, command, line } => {
                Ok(self.add_every(interval, *command, line, now))
            }
            Command::Stop(id) => self.stop(id),
            Command::Source(path) => self.source(&path),
            Command::File { path, text } => match line {
                Some(line) => FileSending::begin(&path, text, line, now).map(|file| {
                    self.hold = Some(Hold::File(Box::new(file), place.clone()));
                    None
                }),
                None => Err(NOT_CONNECTED.to_owned()),
            },
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
            Command::AutoPong(choice) => {
                self.settings.auto_pong = choice.or(self.settings.auto_pong);
                let now = match (line, self.settings.auto_pong) {
                    (Some(line), choice) => {
                        choice.iter().for_each(|choice| line.endpoint.set_auto_pong(*choice));
                        line.endpoint.auto_pong()
                    }
                    (None, choice) => choice.unwrap_or_default(),
                };
                Ok(self.confirm(choice.is_some(), tell::auto_pong(now)))
            }
            Command::AutoClose(choice) => {
                self.settings.auto_close = choice.unwrap_or(self.settings.auto_close);
                if let Some(line) = line {
                    line.endpoint.set_auto_close(self.settings.auto_close);
                }
                Ok(self.confirm(choice.is_some(), tell::auto_close(self.settings.auto_close)))
            }
            Command::Compress(choice) => {
                self.settings.compress = choice.unwrap_or(self.settings.compress);
                let agreed = line.map(|line| {
                    line.endpoint.set_compress(self.settings.compress);
                    line.endpoint.compresses().is_some()
                });
                Ok(self.confirm(choice.is_some(), tell::compress(self.settings.compress, agreed)))
            }
            Command::Edit(beginning) => self.edit(beginning),
            Command::Last => self.last(desk),
            Command::Show(show) => {
                let endpoint = line.as_ref().map(|line| &*line.endpoint);
                tell::show(show, desk, endpoint, &self.every_lines(), now)
                    .map(|text| self.page(text))
            }
            Command::Status => {
                let endpoint = line.as_ref().map(|line| &*line.endpoint);
                Ok(Some(tell::status(&self.open, desk, endpoint, now)))
            }
            Command::View(view) => {
                tell::view(view, desk).map(|text| self.confirm(view.is_some(), text))
            }
            Command::Filter(change) => {
                let changed = !matches!(change, FilterChange::Ask);
                tell::filter(change, desk).map(|text| self.confirm(changed, text))
            }
            Command::Timestamps(choice) => {
                tell::timestamps(choice, desk).map(|text| self.confirm(choice.is_some(), text))
            }
            Command::Log(change) => {
                let changed = change != LogChange::Ask;
                log(change, desk).map(|text| self.confirm(changed, text))
            }
            Command::Clear => self.clear(),
            Command::Help(topic) => {
                let text = topic.and_then(help::of).unwrap_or_else(help::overview);
                Ok(self.page(text.into_bytes()))
            }
            sending => match line {
                // A rule of the catalogue is told with the frame, where frames are told.
                Some(line) => carry::send(&sending, line, now).map(|said| {
                    said.filter(|said| !said.starts_with('W') || !desk.reporter.tells_violations())
                }),
                None => Err(NOT_CONNECTED.to_owned()),
            },
        };
        match result {
            Ok(None) => {}
            Ok(Some(text)) => self.voice.note(&text),
            Err(text) => self.fail(place, &text, false),
        }
    }

    /// A line that can't be carried out: a script ends there, somebody who types is told.
    pub(super) fn fail(&mut self, place: &Place, text: &str, unmet: bool) {
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
            self.voice.error(&text);
        }
    }

    /// What was changed is confirmed to somebody who types; a script knows.
    fn confirm(&self, changed: bool, text: String) -> Option<String> {
        (!changed || !self.scripted).then_some(text)
    }

    fn add_every(
        &mut self,
        interval: Duration,
        command: Command,
        line: String,
        now: Instant,
    ) -> Option<String> {
        self.last_every += 1;
        let id = self.last_every;
        let said =
            format!("job {id}: {line} every {} s; /stop {id} ends it", interval.as_secs_f64());
        self.every.push(Every { id, interval, next: now, command, line });
        (!self.scripted).then_some(said)
    }

    fn stop(&mut self, id: Option<u64>) -> Result<Option<String>, String> {
        let before = self.every.len();
        self.every.retain(|every| id.is_some_and(|id| every.id != id));
        match (before - self.every.len(), id) {
            (0, Some(id)) => Err(format!("/stop: there is no job {id}")),
            (0, None) => Ok(Some("nothing to stop".to_owned())),
            (n, _) => Ok(Some(format!("{} stopped", tell::jobs(n)))),
        }
    }

    /// Does what is due of what is done every so often.
    pub(super) fn do_every(
        &mut self,
        desk: &mut Desk,
        mut line: Option<&mut Line<'_>>,
        now: Instant,
    ) {
        for at in 0..self.every.len() {
            let Some(every) = self.every.get_mut(at) else { return };
            if every.next > now {
                continue;
            }
            // A time that was missed is not made up for: that would be a burst.
            every.next = (every.next + every.interval).max(now);
            let command = every.command.clone();
            let room = line.as_ref().is_some_and(|line| has_room(line) && line.endpoint.is_open());
            if room {
                self.carry_out(command, &Place::Typed, desk, line.as_deref_mut(), now);
            }
        }
    }

    pub(super) fn every_lines(&self) -> Vec<String> {
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
        self.open = self.open.with_url(url).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn headers(&mut self, edit: Option<&str>) -> Result<Option<String>, String> {
        if let Some(text) = edit {
            let edit: HeaderEdit = text.parse().map_err(|error| format!("/headers: {error}"))?;
            self.open.headers.retain(|old| !old.name().eq_ignore_ascii_case(edit.name()));
            self.open.headers.push(edit);
        }
        Ok(Some(tell::headers(&self.open, edit.is_some())))
    }

    fn edit(&mut self, beginning: Payload) -> Result<Option<String>, String> {
        if self.prompt.is_none() || !self.to_answer {
            return Err("/edit: needs the prompt".to_owned());
        }
        let bytes = carry::payload(&beginning)?;
        self.answer = Next::Edit(String::from_utf8_lossy(&bytes).into_owned());
        Ok(None)
    }

    fn last(&mut self, desk: &mut Desk) -> Result<Option<String>, String> {
        let text = tell::last(desk)?;
        Ok(self.page(text))
    }

    /// A long text goes through a pager where somebody waits for it.
    fn page(&mut self, text: Vec<u8>) -> Option<String> {
        match self.prompt.is_some() && self.to_answer {
            true => self.answer = Next::Page(text),
            false => self.voice.text(&text),
        }
        None
    }

    fn clear(&mut self) -> Result<Option<String>, String> {
        if self.prompt.is_none() || !self.to_answer {
            return Err("/clear: needs the prompt".to_owned());
        }
        self.answer = Next::Clear;
        Ok(None)
    }
}

fn log(change: LogChange, desk: &mut Desk) -> Result<String, String> {
    match change {
        LogChange::Ask => {}
        LogChange::Off => desk.reporter.end_log()?,
        LogChange::File(path) => desk.reporter.log_to(&path)?,
    }
    Ok(match desk.reporter.log_path() {
        Some(path) => format!("every event goes to {}", path.display()),
        None => "no log is written".to_owned(),
    })
}
