//! `wscope connect`: a client, as a pipe or as a transcript.

pub mod command;
pub mod deliver;
pub mod desk;
pub mod echo;
pub mod failure;
pub mod feed;
mod goal;
pub mod open;
pub mod pump;
pub mod watch;

use std::time::Instant;

use anyhow::Context as _;

use self::desk::Desk;
use self::failure::OpenError;
use self::open::open;
use self::pump::{Outcome, Pump};
use crate::config::ClientConfig;
use crate::modes::exit::Exit;
use crate::modes::report::Reporter;
use crate::modes::say;
use crate::ui::ending;

/// Runs a client session.
///
/// # Errors
///
/// This side failed: stdin, stdout, stderr or the system.
pub fn run(config: &ClientConfig) -> anyhow::Result<Exit> {
    let max_time = config.max_time.map(|time| Instant::now() + time);
    let reporter = Reporter::new(config.output, &config.display);
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
        Err(error) => return refused(error, &mut desk),
    };
    let outcome = Pump::new(config, &mut desk, opened, max_time)
        .context("can't read stdin")?
        .run()
        .context("the session ended early")?;
    tell(&outcome, config.display.quiet);
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
                say::error(&error);
            }
            Ok(error.exit())
        }
    }
}

/// Says how the session ended, if there is something to say.
fn tell(outcome: &Outcome, quiet: bool) {
    if let Some(fault) = &outcome.fault {
        say::error(fault);
    }
    match outcome.exit {
        Exit::Success | Exit::Failure | Exit::Interrupted | Exit::Terminated => {}
        Exit::Unmet => say::error(&format!(
            "the connection ended before what was expected had come: {}",
            ending::describe(&outcome.ending)
        )),
        _ => say::error(&ending::describe(&outcome.ending)),
    }
    if outcome.unsent > 0 {
        say::error(&format!("the connection ended before {} bytes could be sent", outcome.unsent));
    }
    if outcome.cut_short {
        say::error(&"the connection ended inside a message: its last frames never came");
    }
    if outcome.unwritten > 0 {
        say::error(&format!("{} bytes of output were not written", outcome.unwritten));
    }
    if outcome.input_left && !quiet {
        say::note("the connection ended before the end of stdin; the rest was not sent");
    }
}
