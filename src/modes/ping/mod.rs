//! `wscope ping`: measures round trips of pings on one connection, or the idle timeout.

mod idle_limit;
mod trial;

use std::time::{Duration, Instant};

use crate::behaviour::ping::{PingLog, PingPrinter};
use crate::cli::{OutputFormat, PingArgs};
use crate::client::prepare;
use crate::config::{PingConfig, PingPlan};
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::event::Side;
use crate::modes::command_line::Given;
use crate::modes::ping::trial::{connection, print, stamp};
use crate::output::reporter::Reporter;
use crate::ui::JsonPrinter;
use crate::ui::ending::describe;
use crate::ui::sanitize::escaped;
use crate::ui::terminal::Terminal;
use crate::wire::Role;

/// Pings, and prints its result.
///
/// # Errors
///
/// The arguments can't be used, or stdout, stderr or the system failed.
pub fn run(args: PingArgs, terminal: Terminal, given: Given) -> anyhow::Result<Exit> {
    let mut config = PingConfig::resolve(args, terminal)?;
    config.client.reach.given = given;
    let mut runtime =
        Runtime::new(Reporter::new(OutputFormat::None, &config.client.traffic.display))?;
    let client = &mut config.client;
    let summary = match prepare(&mut client.open, &client.reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    let exit = match config.idle_limit {
        Some(time) => idle_limit::search(&config, Instant::now() + time, &mut runtime)?,
        None => ping(&config, &mut runtime)?,
    };
    summary.finish(exit, &mut runtime)
}

/// Measures round trips until all are done, and prints the summary.
fn ping(config: &PingConfig, runtime: &mut Runtime) -> anyhow::Result<Exit> {
    let until = config.max_time.map(|time| Instant::now() + time);
    runtime.ends_at = until;
    let target = &config.client.open.target;
    let url = escaped(runtime.reporter.redactor().text(&target.to_string()).as_bytes());
    let log = PingLog::new(Some(match config.json {
        true => PingPrinter::Json(
            JsonPrinter::new(Some(Role::Client))
                .with_secrets(crate::output::secrets::redactor().shows_all()),
        ),
        false => PingPrinter::Text {
            host: escaped(target.host_header.as_bytes()),
            echo: config.plan.echo,
        },
    }));
    let PingPlan { size, interval, echo, .. } = config.plan;
    let what = if echo { "text messages" } else { "pings" };
    if !config.json {
        let every = interval.as_secs_f64();
        print(&[format!("PING {url}: {what} of {size} bytes every {every} s")], runtime)?;
    }
    let pinged = match connection(config, config.plan, &log, until, runtime)? {
        Ok(pinged) => pinged,
        Err(exit) => return Ok(exit),
    };
    let log = &mut *log.borrow_mut();
    let time = pinged.ending.as_ref().map_or(Duration::ZERO, |ending| ending.duration);
    match &mut log.printer {
        Some(PingPrinter::Json(printer)) => {
            let end = pinged.ending.as_ref().filter(|ending| ending.by != Side::Us);
            let end = end.map(describe);
            let out = runtime.stdout.buffer();
            printer.ping_summary(&stamp(1), &log.trips, time, end.as_deref(), out);
        }
        _ => {
            let terminal = config.client.traffic.display.terminal;
            let mut text = log.trips.summary(&url, time).into_bytes();
            terminal.fold(&mut text);
            if terminal.stdout {
                text.extend_from_slice(log.trips.drawing(terminal.width).as_bytes());
            }
            runtime.stdout.buffer().extend_from_slice(&text);
        }
    }
    runtime.drain_stdout(None)?;
    let unwritten = runtime.stdout.pending();
    if unwritten > 0 {
        runtime.notifier.error(&format!("{unwritten} bytes of output were not written"));
    }
    Ok(match (pinged.exit, log.trips.answered) {
        (exit @ (Exit::Terminated | Exit::HungUp), _) => exit,
        (_, 1..) => Exit::Success,
        // If the reader of stdout has closed it, it wanted no more output.
        (Exit::Success, 0) if !runtime.stdout.is_closed() => Exit::Timeout,
        (exit, 0) => exit,
    })
}
