//! `wscope replay`: plays the client's side of a recorded connection against a server, once or as a
//! load test.

mod load;
mod report;

use std::rc::Rc;
use std::time::Instant;

use crate::behaviour::replay::ReplayScript;
use crate::cli::{OutputFormat, ReplayArgs};
use crate::client::prepare;
use crate::config::recorded::{Recorded, RecordedName};
use crate::config::{ReplayConfig, UsageError};
use crate::engine::exit::Exit;
use crate::engine::runtime::{self, Runtime};
use crate::modes::command_line::Given;
use crate::modes::replay::load::Load;
use crate::modes::replay::report::ReplayReport;
use crate::net::listener::descriptors_left;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::recording::{RecordedRequest, ReplayPlan};
use crate::ui::number::counted;
use crate::ui::terminal::Terminal;
use crate::wire::Role;

/// Plays the client's side of a recording.
///
/// # Errors
///
/// The recording or the arguments can't be used, or stdout, stderr or the system failed.
pub fn run(args: ReplayArgs, terminal: Terminal, given: Given) -> anyhow::Result<Exit> {
    let options = ReplayConfig::options(&args)?;
    let name = RecordedName::new(&args.file);
    let Recorded { mut session, mut notes } = name.read()?;
    let request = RecordedRequest::of(&session);
    let plan = ReplayPlan::of(&mut session, Role::Client);
    if let Some((name, pattern)) = options.rules.unmatched(&plan) {
        let text = format!("--capture {name}: no message of the recorded server matches {pattern}");
        return Err(UsageError::new(text).into());
    }
    let mut config = ReplayConfig::resolve(args, options, &name, request, terminal)?;
    notes.append(&mut config.notes);
    if plan.cut > 0 {
        let cut = counted(plan.cut, "frame");
        notes.push(format!("{cut} of the recording is incomplete, and is not sent"));
    }
    if plan.steps.is_empty() {
        notes.push("the client of this connection sent nothing".to_owned());
    }
    if let [first, ..] = plan.masked()[..] {
        notes.push(format!(
            "message {first} of the recording contains asterisks, maybe in place of a secret; \
             --replace /RE/TEXT/ can restore it"
        ));
    }
    config.client.reach.given = given;
    let mut reporter = Reporter::new(OutputFormat::None, &config.client.traffic.display);
    if let Some(path) = &config.client.traffic.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    let mut runtime = Runtime::new(reporter)?;
    if runtime.reporter.prints_warnings() {
        notes.iter().for_each(|note| stderr::note(note));
    }
    let client = &mut config.client;
    let summary = match prepare(&mut client.open, &client.reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    let possible = descriptors_left();
    if u64::from(config.parallel) > possible {
        let text = format!(
            "--parallel: the descriptor limit allows {possible} connections; raise it with \
             ulimit -n"
        );
        return Err(UsageError::new(text).into());
    }
    let ReplayConfig { client, options, parallel, repeat, json, .. } = config;
    let report = ReplayReport::new(json, parallel, repeat);
    let script = Rc::new(ReplayScript::new(plan, options));
    let until = client.max_time.map(|time| Instant::now() + time);
    runtime.ends_at = until;
    let mut load = Load::new(&client, script, report, (parallel, repeat), until);
    runtime::run(&mut load, &mut runtime)?;
    let exit = load.finish(&mut runtime)?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    summary.finish(exit, &mut runtime)
}
