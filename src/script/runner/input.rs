//! Where the next line comes from: the prompt, stdin, files.

use crate::net::plain_io::plain_io;
use crate::net::signals::Signal;
use crate::net::stdio::StdinRead;
use crate::script::command::{Command, Payload, parse_with};
use crate::script::runner::{
    Connections, LineError, LineOrigin, QUEUE, QUEUE_BYTES, QueuedLine, ScriptFailure,
    ScriptRunner, SessionRequest, SourceLocation, replies,
};
use crate::ui::prompt::{Prompt, PromptInput};
use crate::wire::Role;
use std::time::Instant;

impl ScriptRunner {
    /// Reads lines from stdin while there is room for them.
    pub(crate) fn read_stdin(&mut self) {
        while self.has_room_for_lines() && self.failure.is_none() {
            let Some((stdin, lines)) = &mut self.stdin else { return };
            let mut chunk = [0; 16 * 1024];
            let read = match stdin.is_ready() {
                true => stdin.read(&mut chunk),
                false => return,
            };
            if let Some(note) = stdin.take_cut_line() {
                self.notifier.note(&note);
            }
            let mut at_end = match read {
                Ok(StdinRead::Blocked) => return,
                Ok(StdinRead::Data(n)) => {
                    lines.push(&chunk[..n]);
                    false
                }
                Ok(StdinRead::End) => true,
                Err(error) => {
                    let text = format!("stdin: {}", plain_io(&error));
                    self.failure = Some(ScriptFailure { text, unmet: false });
                    true
                }
            };
            while let Some((location, line)) = lines.next(at_end) {
                let too_long = matches!(line, Err(LineError::TooLong));
                self.queue.push_back(QueuedLine { location, line, verbatim: false });
                if too_long {
                    at_end = true;
                    break;
                }
            }
            if at_end {
                self.stdin = None;
                if !self.scripted {
                    self.request.get_or_insert(SessionRequest::Quit);
                }
            }
        }
    }

    /// Whether the queue has room for more lines of stdin.
    fn has_room_for_lines(&self) -> bool {
        let bytes = self.queue.iter().map(|queued| queued.line.as_ref().map_or(0, String::len));
        self.queue.len() < QUEUE && bytes.sum::<usize>() < QUEUE_BYTES
    }

    /// Takes the typed lines.
    pub(crate) fn take_typed(&mut self) {
        while let Some(typed) = self.prompt.as_mut().and_then(Prompt::take) {
            self.to_answer = true;
            match typed {
                PromptInput::Line(line) => {
                    self.push(SourceLocation::Typed, line);
                    if std::mem::take(&mut self.interrupted_early) {
                        self.cancel();
                    }
                }
                PromptInput::Edited(Ok(text)) => match self.editing.take() {
                    Some(_) if text.is_empty() => {
                        self.notifier.note("the file is empty; the message is still held");
                    }
                    Some(id) => self.edited = Some((id, text)),
                    None => self.push_message(text),
                },
                PromptInput::Edited(Err(error)) => {
                    self.editing = None;
                    self.notifier.error(&error);
                }
                PromptInput::Interrupted if self.is_busy() => self.cancel(),
                PromptInput::Interrupted => self.request = Some(SessionRequest::Leave),
                PromptInput::End => self.request = Some(SessionRequest::Quit),
                PromptInput::Failed(error) => {
                    let text = format!("the prompt failed: {error}");
                    self.failure.get_or_insert(ScriptFailure { text, unmet: false });
                    self.request = Some(SessionRequest::Quit);
                }
            }
        }
    }

    /// Drops a Ctrl-C that has already been handled.
    pub fn take_interrupt(&mut self) {
        let Some(prompt) = &mut self.prompt else { return };
        // The prompt waits for an answer to each input, so this is the only one.
        if prompt.screen().is_interrupted() && prompt.take().is_some() {
            self.to_answer = true;
        }
    }

    /// Continues to read typed lines after a Ctrl-C that did not end the session.
    pub fn stay(&mut self) {
        self.to_answer = true;
    }

    /// Adds a message from the editor. It is not a command, even if it begins with a slash.
    pub(crate) fn push_message(&mut self, text: String) {
        if !text.is_empty() {
            let location = SourceLocation::Typed;
            self.queue.push_back(QueuedLine { location, line: Ok(text), verbatim: true });
        }
    }

    /// Whether a signal is for the typed line or for the running lines, and not for the session.
    pub fn absorbs(&mut self, signal: Signal) -> bool {
        signal == Signal::Interrupt && (self.is_away() || self.interrupt())
    }

    /// Handles a SIGINT: the user pressed Ctrl-C between two lines, or another process sent it.
    /// Returns whether there was something to stop.
    pub fn interrupt(&mut self) -> bool {
        if self.prompt.is_none() {
            return false;
        }
        self.take_typed();
        // The signal has overtaken a line that was entered before it. It also ends that line, once
        // the line arrives.
        self.interrupted_early = self.prompt.as_ref().is_some_and(Prompt::is_handing_over);
        let busy = self.is_busy();
        if busy && !self.interrupted_early {
            self.cancel();
            self.answer_prompt();
        }
        busy || self.interrupted_early
    }

    /// Ends the pending command and drops the lines that wait after it: Ctrl-C while the runner is
    /// busy.
    pub(crate) fn cancel(&mut self) {
        let left = self.lines_left();
        self.sources.clear();
        self.queue.clear();
        self.pending.clear();
        self.given_up = true;
        let rest =
            if left > 0 { format!(", {} not run", replies::lines(left)) } else { String::new() };
        self.notifier.note(&format!("stopped{rest}"));
    }

    pub(crate) fn next_line(&mut self, connections: &mut dyn Connections, now: Instant) -> bool {
        let Some(item) = self.next_item() else { return false };
        let command = match item.line {
            Ok(text) if item.verbatim => Ok(self.message(text)),
            Ok(text) => self.read(text),
            Err(error) => Err(error.to_string()),
        };
        let location = match self.scripted {
            true => item.location,
            // On a plain terminal, the user sees the typed line.
            false if self.stdin.is_some() => SourceLocation::Typed,
            false => item.location,
        };
        match command {
            Ok(command) => {
                let of = LineOrigin { target: self.target.clone(), location };
                self.execute(command, &of, connections, now);
            }
            Err(error) => self.fail(&location, &error, false),
        }
        true
    }

    /// Parses a line.
    pub(crate) fn read(&self, line: String) -> Result<Command, String> {
        // For a test of the terminal's state after a panic; a release build does not have it.
        #[cfg(debug_assertions)]
        assert!(self.prompt.is_none() || line != "/panic", "a panic was asked for");
        if self.no_commands {
            return Ok(if line.is_empty() { Command::Nothing } else { self.message(line) });
        }
        let command = parse_with(&line, self.role, &self.variables);
        let command = command.map_err(|error| error.to_string())?;
        Ok(match self.binary && self.is_plain(&line) {
            true => as_binary(command),
            false => command,
        })
    }

    /// A message, unchanged.
    fn message(&self, text: String) -> Command {
        let payload = Payload::Bytes(text.into_bytes());
        if self.binary { Command::Binary(payload) } else { Command::Text(payload) }
    }

    /// Whether a line is a message, not a command, after the clients that it names.
    fn is_plain(&self, line: &str) -> bool {
        let addressed = line.strip_prefix('@').filter(|_| self.role == Role::Server);
        let behind = addressed.or_else(|| line.strip_prefix("/to ").map(str::trim_start));
        let line = behind.map_or(line, |rest| rest.split_once(' ').unwrap_or_default().1);
        !line.starts_with('/') || line.starts_with("//")
    }

    pub(crate) fn next_item(&mut self) -> Option<QueuedLine> {
        while let Some(source) = self.sources.last_mut() {
            if let Some((location, line)) = source.next() {
                return Some(QueuedLine { location, line: Ok(line), verbatim: false });
            }
            self.sources.pop();
        }
        self.queue.pop_front()
    }
}

/// Makes a binary message of a text message.
fn as_binary(command: Command) -> Command {
    match command {
        Command::Text(payload) => Command::Binary(payload),
        Command::To { target, command } => {
            Command::To { target, command: command.map(|command| Box::new(as_binary(*command))) }
        }
        command => command,
    }
}
