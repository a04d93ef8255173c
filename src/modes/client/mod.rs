//! `wscope connect`: a client, as a pipe or as a transcript.

mod alone;
pub mod book;
pub mod command;
pub mod deliver;
pub mod desk;
pub mod echo;
pub mod failure;
pub mod feed;
mod goal;
pub mod open;
pub mod pump;
mod session;
pub mod trace;
pub mod watch;
pub mod witness;

use std::time::Instant;

use anyhow::Context as _;

use self::desk::Desk;
use self::failure::OpenError;
use self::open::open;
use self::pump::{Outcome, Pump};
use crate::cli::InputFormat;
use crate::config::ClientConfig;
use crate::modes::conductor::{self, Voice};
use crate::modes::doctor::probe;
use crate::modes::exit::Exit;
use crate::modes::report::{Mood, Reporter};
use crate::modes::say;
use crate::ui::ending;
use crate::wire::Role;

/// What is said at a terminal in place of a question, which would hold up whoever drives one.
const ONE_MORE: &str = "--diagnose makes one more connection to tell the causes apart; wscope doctor examines every step";

/// Runs a client session.
///
/// # Errors
///
/// This side failed: stdin, stdout, stderr or the system.
pub fn run(config: &ClientConfig) -> anyhow::Result<Exit> {
    let max_time = config.max_time.map(|time| Instant::now() + time);
    let script = conductor::script(config.lines.as_ref(), Role::Client)?;
    let mut reporter = Reporter::new(config.output, &config.display);
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    if config.lines.is_some() {
        reporter = reporter.with_books(&config.display);
    }
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    let mut desk = Desk::new(reporter).context("can't set up stdout and the event loop")?;
    if desk.reporter.may_warn() {
        for note in &config.open.target.notes {
            if !desk.reporter.looks_at_frames() {
                say::note(note);
            }
        }
    }
    let opened = match open(&config.open, &mut desk, max_time) {
        Ok(opened) => opened,
        Err(error) => {
            let error = match config.diagnose {
                true => probe::tell_apart(&config.open, &error, &mut desk).err().unwrap_or(error),
                false => error,
            };
            let may_ask = !config.diagnose && probe::can_tell_apart(&error);
            let exit = refused(error, &mut desk)?;
            if may_ask && desk.reporter.may_warn() && config.display.terminal.is_interactive() {
                say::note(ONE_MORE);
            }
            return Ok(exit);
        }
    };
    if let Some(lines) = &config.lines {
        return session::run(config, lines, script, &mut desk, opened, max_time);
    }
    let outcome = Pump::new(config, &mut desk, opened, max_time)
        .context("can't read stdin")?
        .run()
        .context("the session ended early")?;
    outcome.tell(&Voice::Stderr { quiet: config.display.quiet }, false);
    desk.reporter.end_log().map_err(anyhow::Error::msg)?;
    Ok(outcome.exit)
}

/// Says why there is no connection.
pub fn refused(error: OpenError, desk: &mut Desk) -> anyhow::Result<Exit> {
    if let Some(signal) = desk.drain_stdout(None)? {
        return Ok(OpenError::Signal(signal).exit());
    }
    match error {
        OpenError::Local(error) => Err(error.into()),
        error => {
            if !matches!(error, OpenError::Signal(_)) {
                failed(&error, &Voice::Stderr { quiet: !desk.reporter.may_warn() }, desk)?;
                desk.drain_stdout(None)?;
            }
            Ok(error.exit())
        }
    }
}

/// Says why there is no connection, and explains it.
///
/// # Errors
///
/// The log failed.
fn failed(error: &OpenError, voice: &Voice, desk: &mut Desk) -> std::io::Result<()> {
    let text = error.to_string();
    let line = if desk.reporter.may_warn() { text.as_str() } else { one_line(&text) };
    voice.error(line);
    let found = desk.trace.explain(error);
    desk.reporter.diagnose(&found, Mood::Failed, &mut desk.stdout)?;
    voice.advice(&desk.reporter.advice(&found, Mood::Failed, false));
    desk.stdout.flush()
}

/// The first line of a text.
pub fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl Outcome {
    /// Says how the connection ended, if there is something to say that was not `shown`.
    fn tell(&self, voice: &Voice, shown: bool) {
        if let Some(fault) = &self.fault {
            voice.error(fault);
        }
        match self.exit {
            _ if shown => {}
            Exit::Success | Exit::Failure | Exit::HungUp | Exit::Interrupted | Exit::Terminated => {
            }
            Exit::Unmet if self.fault.is_some() => {}
            Exit::Unmet => voice.error(&format!(
                "the connection ended before what was expected had come: {}",
                ending::describe(&self.ending)
            )),
            _ => voice.error(&ending::describe(&self.ending)),
        }
        if self.unsent > 0 {
            let unsent = self.unsent;
            voice.error(&format!("the connection ended before {unsent} bytes could be sent"));
        }
        if self.cut_short {
            voice.error("the connection ended inside a message: its last frames never came");
        }
        if self.unwritten > 0 {
            voice.error(&format!("{} bytes of output were not written", self.unwritten));
        }
        if self.input_left {
            voice.note("the connection ended before the end of stdin; the rest was not sent");
        }
        voice.advice(&self.advice);
    }
}
