//! `wscope connect`: a client, as a pipe or as a transcript.

pub mod account;
mod again;
pub mod alone;
pub mod carried;
mod session;
pub mod telling;

use std::time::Instant;

use anyhow::Context as _;

use crate::cli::InputFormat;
use crate::config::reach::ReachConfig;
use crate::config::{ClientConfig, OpenConfig};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::pump::{Outcome, Pump};
use crate::engine::runtime::Runtime;
use crate::event::Side;
use crate::modes::connect::account::AccountError;
use crate::modes::connect::again::open_patiently;
use crate::modes::connect::carried::Carried;
use crate::modes::connect::telling::RunSummary;
use crate::modes::doctor::probe;
use crate::net::retry::Schedule;
use crate::output::reporter::{EndKind, Reporter};
use crate::output::stderr;
use crate::script::runner::{self, Notifier, Source};
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
    let script = runner::script(config.lines.as_ref(), Role::Client)?;
    let mut reporter = Reporter::new(config.output, &config.display);
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    if config.lines.is_some() {
        reporter = reporter.with_history(&config.display);
    }
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    let telling = match prepare(&mut config.open, &config.reach, &mut runtime) {
        Ok(telling) => telling,
        Err(AccountError::Ended(exit)) => return Ok(exit),
        Err(AccountError::Usage(error)) => return Err(error.into()),
    };
    if let Some(what) = config.reach.instead {
        return telling::instead(what, &config.open, &config.reach, &mut runtime);
    }
    if runtime.reporter.prints_warnings() {
        for note in &config.open.target.notes {
            if !runtime.reporter.looks_at_frames() {
                stderr::note(note);
            }
        }
    }
    let exit = connect(&config, script, &mut runtime, max_time)?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    telling.finish(exit, &mut runtime)
}

/// Everything that is read or asked before something is dialled.
///
/// # Errors
///
/// It can't be had.
pub fn prepare(
    open: &mut OpenConfig,
    reach: &ReachConfig,
    runtime: &mut Runtime,
) -> Result<RunSummary, AccountError> {
    let telling = RunSummary::begin(reach)?;
    account::prepare(open, reach, runtime)?;
    Ok(telling)
}

/// One connection, or with `--reconnect` one after the other.
fn connect(
    config: &ClientConfig,
    script: Source,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> anyhow::Result<Exit> {
    let mut schedule = Schedule::new(config.reach.retry);
    let mut opened = match open_patiently(&config.open, &mut schedule, runtime, max_time) {
        Ok(opened) => opened,
        Err(error) => {
            let error = match config.diagnose {
                true => probe::tell_apart(&config.open, &error, runtime).err().unwrap_or(error),
                false => error,
            };
            let may_ask = !config.diagnose && probe::can_tell_apart(&error);
            let exit = refused(error, runtime)?;
            if may_ask
                && runtime.reporter.prints_warnings()
                && config.display.terminal.is_interactive()
            {
                stderr::note(ONE_MORE);
            }
            return Ok(exit);
        }
    };
    if let Some(lines) = &config.lines {
        return session::run(config, lines, script, runtime, opened, max_time);
    }
    let notifier = Notifier::Stderr { quiet: config.display.quiet };
    let mut schedule = config.reach.reconnect.map(Schedule::new);
    let mut carried = Carried::begin(config, runtime).context("can't read stdin")?;
    loop {
        let began = Instant::now();
        let mut outcome = Pump::resume(config, runtime, opened, max_time, carried)
            .run()
            .context("the session ended early")?;
        runtime.record.ended(&outcome.ending, outcome.first_frame);
        let again = match &mut schedule {
            None => Ok(None),
            Some(schedule) => {
                match again::after(&outcome, began.elapsed(), schedule, runtime, max_time) {
                    Ok(true) => open_patiently(&config.open, schedule, runtime, max_time).map(Some),
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
                outcome.tell(&notifier, false);
                outcome.record(runtime);
                return Ok(outcome.exit);
            }
            Err(error) => return refused(error, runtime),
        }
    }
}

/// Says why there is no connection.
pub fn refused(error: OpenError, runtime: &mut Runtime) -> anyhow::Result<Exit> {
    if let Some(signal) = runtime.drain_stdout(None)? {
        return Ok(OpenError::Signal(signal).exit());
    }
    match error {
        OpenError::Local(error) => Err(error.into()),
        error => {
            if !matches!(error, OpenError::Signal(_)) {
                failed(
                    &error,
                    &Notifier::Stderr { quiet: !runtime.reporter.prints_warnings() },
                    runtime,
                )?;
                runtime.drain_stdout(None)?;
            }
            runtime.record.facts.errormsg = Some(error.to_string());
            Ok(error.exit())
        }
    }
}

/// Says why there is no connection, and explains it.
///
/// # Errors
///
/// The log failed.
fn failed(error: &OpenError, notifier: &Notifier, runtime: &mut Runtime) -> std::io::Result<()> {
    let text = error.to_string();
    let line = if runtime.reporter.prints_warnings() { text.as_str() } else { one_line(&text) };
    notifier.error(line);
    let found = runtime.trace.explain(error);
    runtime.reporter.diagnose(&found, EndKind::Failed, &mut runtime.stdout)?;
    notifier.advice(&runtime.reporter.advice(&found, EndKind::Failed, false));
    runtime.stdout.flush()
}

/// The first line of a text.
pub fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl Outcome {
    /// Says how the connection ended, if there is something to say that was not `shown`.
    fn tell(&mut self, notifier: &Notifier, shown: bool) {
        if let Some(fault) = &self.fault {
            notifier.error(fault);
        }
        match self.exit {
            _ if shown => {}
            Exit::Success | Exit::Failure | Exit::HungUp | Exit::Interrupted | Exit::Terminated => {
            }
            Exit::Unmet if self.fault.is_some() => {}
            Exit::Unmet => notifier.error(&format!(
                "the connection ended before what was expected had come: {}",
                ending::describe(&self.ending)
            )),
            _ => notifier.error(&ending::describe(&self.ending)),
        }
        if self.unsent > 0 {
            let unsent = self.unsent;
            notifier.error(&format!("the connection ended before {unsent} bytes could be sent"));
        }
        if self.cut_short {
            notifier.error("the connection ended inside a message: its last frames never came");
        }
        if self.unwritten > 0 {
            notifier.error(&format!("{} bytes of output were not written", self.unwritten));
        }
        if self.ending.by != Side::Us && self.carried.has_input_left() {
            notifier.note("the connection ended before the end of stdin; the rest was not sent");
        }
        notifier.advice(&self.advice);
    }

    /// Notes the error, if it is one, for `--write-out`.
    fn record(&self, runtime: &mut Runtime) {
        let text = || self.fault.clone().unwrap_or_else(|| ending::describe(&self.ending));
        runtime.record.facts.errormsg = (self.exit != Exit::Success).then(text);
    }
}
