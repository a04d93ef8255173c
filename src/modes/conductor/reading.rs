//! Where the next line comes from: the prompt, stdin, files.

use super::{Ask, Conductor, Failure, Item, Line, Place, QUEUE, tell};
use crate::modes::client::desk::Desk;
use crate::net::link::plain_io;
use crate::net::stdio::StdinRead;
use crate::ui::command::{Command, Payload, parse};
use crate::ui::prompt::{Prompt, Typed};
use std::time::Instant;

impl Conductor {
    /// Reads lines from stdin while there is room for them.
    pub(super) fn read_stdin(&mut self) {
        while self.queue.len() < QUEUE && self.failure.is_none() {
            let Some((stdin, lines)) = &mut self.stdin else { return };
            let mut chunk = [0; 16 * 1024];
            let read = match stdin.is_ready() {
                true => stdin.read(&mut chunk),
                false => return,
            };
            let at_end = match read {
                Ok(StdinRead::Blocked) => return,
                Ok(StdinRead::Data(n)) => {
                    lines.push(&chunk[..n]);
                    false
                }
                Ok(StdinRead::End) => true,
                Err(error) => {
                    let text = format!("stdin: {}", plain_io(&error));
                    self.failure = Some(Failure { text, unmet: false });
                    true
                }
            };
            while let Some((place, line)) = lines.next(at_end) {
                self.queue.push_back(Item { place, line });
            }
            if at_end {
                self.stdin = None;
                if !self.scripted {
                    self.ask.get_or_insert(Ask::Quit);
                }
            }
        }
    }

    /// Takes what was typed.
    pub(super) fn take_typed(&mut self) {
        while let Some(typed) = self.prompt.as_mut().and_then(Prompt::take) {
            self.to_answer = true;
            match typed {
                Typed::Line(line) => self.push(Place::Typed, line),
                Typed::Edited(Ok(text)) => self.push_message(text),
                Typed::Edited(Err(error)) => self.voice.error(&error),
                Typed::Interrupted if self.is_busy() => self.cancel(),
                Typed::Interrupted => self.ask = Some(Ask::Leave),
                Typed::End => self.ask = Some(Ask::Quit),
                Typed::Failed(error) => {
                    let text = format!("the prompt failed: {error}");
                    self.failure.get_or_insert(Failure { text, unmet: false });
                    self.ask = Some(Ask::Quit);
                }
            }
        }
    }

    /// A message from the editor: it is no command, whatever it begins with.
    pub(super) fn push_message(&mut self, text: String) {
        let slash = if text.starts_with('/') && !self.no_commands { "/" } else { "" };
        if !text.is_empty() {
            self.push(Place::Typed, format!("{slash}{text}"));
        }
    }

    /// Ctrl-C while something goes on: it ends that, and what waits behind it.
    pub(super) fn cancel(&mut self) {
        let left = self.lines_left();
        self.sources.clear();
        self.queue.clear();
        self.hold = None;
        let rest =
            if left > 0 { format!(", {} not run", tell::lines(left)) } else { String::new() };
        self.voice.note(&format!("stopped{rest}"));
    }

    pub(super) fn next_line(
        &mut self,
        desk: &mut Desk,
        line: Option<&mut Line<'_>>,
        now: Instant,
    ) -> bool {
        let Some(item) = self.next_item() else { return false };
        let command = match item.line {
            Ok(text) => self.read(text),
            Err(error) => Err(error.to_string()),
        };
        let place = match self.scripted {
            true => item.place,
            // Who types on a plain terminal knows what was typed.
            false if self.stdin.is_some() => Place::Typed,
            false => item.place,
        };
        match command {
            Ok(command) => self.carry_out(command, &place, desk, line, now),
            Err(error) => self.fail(&place, &error, false),
        }
        true
    }

    /// What a line asks for.
    pub(super) fn read(&self, line: String) -> Result<Command, String> {
        let is_command = !self.no_commands && line.starts_with('/') && !line.starts_with("//");
        let command = match self.no_commands {
            true if line.is_empty() => Command::Nothing,
            true => Command::Text(Payload::Bytes(line.into_bytes())),
            false => parse(&line).map_err(|error| error.to_string())?,
        };
        Ok(match command {
            Command::Text(payload) if self.binary && !is_command => Command::Binary(payload),
            command => command,
        })
    }

    pub(super) fn next_item(&mut self) -> Option<Item> {
        while let Some(source) = self.sources.last_mut() {
            if let Some((place, line)) = source.next() {
                return Some(Item { place, line: Ok(line) });
            }
            self.sources.pop();
        }
        self.queue.pop_front()
    }
}
