//! `wscope connect`: a client as a pipe, with a transcript, at a prompt, or with a script.

use std::time::Instant;

use anyhow::Context as _;

use crate::client::retry::Tries;
use crate::client::session::ClientSession;
use crate::client::{prepare, probe, refused};
use crate::config::ClientConfig;
use crate::diagnostics::Diagnostic;
use crate::engine::exit::Exit;
use crate::engine::opening::{Opening, open};
use crate::engine::runtime::{self, Runtime};
use crate::net::retry::Schedule;
use crate::output::stderr;
use crate::script::runner::{self, ScriptSetup, Source};
use crate::wire::Role;

/// The first line of the prompt.
const GREETING: &str = "Connected (press Ctrl-D or type /quit to leave, /help for commands)";

/// Printed on a terminal instead of a question, because a question would block a program that
/// controls the terminal.
const ONE_MORE: &str =
    "--diagnose makes a few more connections to find the cause; wscope doctor checks every step";

/// Printed if the first connection used up the time of the trials.
const NO_TIME: &str = "--max-time left no time for some connections of --diagnose: give it 20 s more, or run wscope doctor";

/// Runs a client session.
///
/// # Errors
///
/// This side failed: stdin, stdout, stderr or the system; or a file or value of the user can't be
/// used.
pub fn run(mut config: ClientConfig) -> anyhow::Result<Exit> {
    let max_time = config.max_time.map(|time| Instant::now() + time);
    let script = runner::script(config.traffic.lines.as_ref(), Role::Client)?;
    let reporter = runner::reporter(Some(Role::Client), &config.traffic)?;
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.ends_at = max_time;
    let summary = match prepare(&mut config.open, &config.reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    if runtime.reporter.prints_warnings() {
        for note in config.open.oddities() {
            stderr::note(&note);
        }
        for note in &config.open.target.notes {
            if !runtime.reporter.looks_at_frames() {
                stderr::note(note);
            }
        }
    }
    if let Some(text) = config.faults.drawn() {
        stderr::line(&text);
    }
    let exit = connect(&config, script, &mut runtime, max_time)?;
    summary.finish(exit, &mut runtime)
}

/// Opens the first connection, then runs the session.
fn connect(
    config: &ClientConfig,
    script: Source,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> anyhow::Result<Exit> {
    let schedule = Schedule::new(config.reach.retry);
    let now = Instant::now();
    let mut tries = Tries::new(&config.open, schedule, Vec::new(), max_time, runtime, now);
    let opened = match open(&mut tries, runtime) {
        Ok(opened) => *opened,
        Err(error) => {
            let evidence = tries.evidence();
            let all = config.diagnose;
            let told = probe::compare(&config.open, &error, all, max_time, evidence, runtime);
            let error = told.err().unwrap_or(error);
            let proved = evidence.explain(&error).first().is_some_and(Diagnostic::is_proved);
            let may_ask = !all && probe::can_compare(&config.open, &error, evidence);
            let is_cut = all && max_time.is_some_and(|at| Instant::now() >= at);
            let is_cut = is_cut && !proved && probe::can_compare(&config.open, &error, evidence);
            let exit = refused(error, evidence, runtime)?;
            if is_cut && runtime.reporter.prints_warnings() {
                stderr::note(NO_TIME);
            }
            if may_ask && runtime.reporter.prints_warnings() && !proved {
                stderr::note(ONE_MORE);
            }
            return Ok(exit);
        }
    };
    let mut session =
        ClientSession::new(config, opened, max_time, runtime).context("can't read stdin")?;
    if let Some(setup) = ScriptSetup::of(&config.traffic, Some(&config.open), GREETING) {
        session = session.with_runner(setup.runner(script, runtime)?);
    }
    let ran = runtime::run(&mut session, runtime).context("the session ended early");
    let left = session.take_runner().map(|runner| runner.leave(&config.traffic.display, runtime));
    left.transpose().context("the transcript failed")?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    ran.map(|()| session.exit())
}
