//! `wscope connect`: a client, as a pipe or as a transcript.

pub mod account;
mod again;
mod alone;
pub mod book;
pub mod carried;
pub mod command;
pub mod deliver;
pub mod desk;
pub mod echo;
pub mod failure;
pub mod feed;
mod goal;
pub mod open;
pub mod pump;
pub mod record;
mod session;
pub mod telling;
pub mod trace;
pub mod watch;
pub mod witness;

use std::time::Instant;

use anyhow::Context as _;

use self::account::AccountError;
use self::again::open_patiently;
use self::carried::Carried;
use self::desk::Desk;
use self::failure::OpenError;
use self::pump::{Outcome, Pump};
use self::telling::Telling;
use crate::cli::InputFormat;
use crate::config::plan::Secrets;
use crate::config::reach::ReachConfig;
use crate::config::{ClientConfig, OpenConfig};
use crate::event::Side;
use crate::modes::conductor::{self, Source, Voice};
use crate::modes::doctor::probe;
use crate::modes::exit::Exit;
use crate::modes::report::{Mood, Reporter};
use crate::modes::say;
use crate::net::retry::Schedule;
use crate::ui::ending;
use crate::wire::Role;

/// What is said at a terminal in place of a question, which would hold up whoever drives one.
const ONE_MORE: &str = "--diagnose makes one more connection to tell the causes apart; wscope doctor examines every step";

/// Runs a client session.
///
/// # Errors
///
/// This side failed: stdin, stdout, stderr or the system; or something that was named can't be
/// used.
pub fn run(mut config: ClientConfig) -> anyhow::Result<Exit> {
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
    let telling = match prepare(&mut config.open, &config.reach, &mut desk) {
        Ok(telling) => telling,
        Err(AccountError::Ended(exit)) => return Ok(exit),
        Err(AccountError::Usage(error)) => return Err(error.into()),
    };
    if let Some(what) = config.reach.instead {
        let secrets = Secrets::of(config.display.show_secrets);
        return telling::instead(what, &config.open, &config.reach, secrets, &mut desk);
    }
    if desk.reporter.may_warn() {
        for note in &config.open.target.notes {
            if !desk.reporter.looks_at_frames() {
                say::note(note);
            }
        }
    }
    let exit = connect(&config, script, &mut desk, max_time)?;
    telling.finish(exit, &mut desk)
}

/// Everything that is read or asked before something is dialled.
///
/// # Errors
///
/// It can't be had.
pub fn prepare(
    open: &mut OpenConfig,
    reach: &ReachConfig,
    desk: &mut Desk,
) -> Result<Telling, AccountError> {
    let telling = Telling::begin(reach)?;
    account::prepare(open, reach, desk)?;
    Ok(telling)
}

/// One connection, or with `--reconnect` one after the other.
fn connect(
    config: &ClientConfig,
    script: Source,
    desk: &mut Desk,
    max_time: Option<Instant>,
) -> anyhow::Result<Exit> {
    let mut schedule = Schedule::new(config.reach.retry);
    let mut opened = match open_patiently(&config.open, &mut schedule, desk, max_time) {
        Ok(opened) => opened,
        Err(error) => {
            let error = match config.diagnose {
                true => probe::tell_apart(&config.open, &error, desk).err().unwrap_or(error),
                false => error,
            };
            let may_ask = !config.diagnose && probe::can_tell_apart(&error);
            let exit = refused(error, desk)?;
            if may_ask && desk.reporter.may_warn() && config.display.terminal.is_interactive() {
                say::note(ONE_MORE);
            }
            return Ok(exit);
        }
    };
    if let Some(lines) = &config.lines {
        return session::run(config, lines, script, desk, opened, max_time);
    }
    let voice = Voice::Stderr { quiet: config.display.quiet };
    let mut schedule = config.reach.reconnect.map(Schedule::new);
    let mut carried = Carried::begin(config, desk).context("can't read stdin")?;
    loop {
        let began = Instant::now();
        let mut outcome = Pump::resume(config, desk, opened, max_time, carried)
            .run()
            .context("the session ended early")?;
        desk.record.ended(&outcome.ending, outcome.first_frame);
        let again = match &mut schedule {
            None => Ok(None),
            Some(schedule) => {
                match again::after(&outcome, began.elapsed(), schedule, desk, max_time) {
                    Ok(true) => open_patiently(&config.open, schedule, desk, max_time).map(Some),
                    Ok(false) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        };
        match again {
            Ok(Some(next)) => {
                opened = next;
                carried = outcome.carried;
            }
            Ok(None) => {
                outcome.tell(&voice, false);
                outcome.record(desk);
                desk.reporter.end_log().map_err(anyhow::Error::msg)?;
                return Ok(outcome.exit);
            }
            Err(error) => return refused(error, desk),
        }
    }
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
            desk.record.facts.errormsg = Some(error.to_string());
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
    fn tell(&mut self, voice: &Voice, shown: bool) {
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
        if self.ending.by != Side::Us && self.carried.has_input_left() {
            voice.note("the connection ended before the end of stdin; the rest was not sent");
        }
        voice.advice(&self.advice);
    }

    /// Notes the error, if it is one, for `--write-out`.
    fn record(&self, desk: &mut Desk) {
        let text = || self.fault.clone().unwrap_or_else(|| ending::describe(&self.ending));
        desk.record.facts.errormsg = (self.exit != Exit::Success).then(text);
    }
}
