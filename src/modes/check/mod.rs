//! `wscope check`: a battery of cases against a server, each on a connection of its own.
//!
//! The cases, their verdicts and the reports are in [`check`](crate::check); `battery` makes the
//! connections. This reads the options, asks whether the server may be tested, and writes reports.

mod battery;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use crate::check::baseline::{self, Baseline};
use crate::check::case::{Case, Risk};
use crate::check::catalogue;
use crate::check::plan::{Plan, PlanOptions, Stop};
use crate::check::report::{self, Catalogue, Format, Results, show};
use crate::check::select::{Allowed, select};
use crate::cli::{CheckArgs, CheckFormat, OutputFormat, YesNo};
use crate::client::account::AccountError;
use crate::client::prepare;
use crate::config::reach::ReachConfig;
use crate::config::{Display, OpenConfig, UsageError};
use crate::engine::exit::Exit;
use crate::engine::runtime::Runtime;
use crate::modes::check::battery::{Battery, Pace};
use crate::net::files;
use crate::net::plain_io::plain_io;
use crate::net::target::Target;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::session::Limits;
use crate::ui::sanitize::escaped;
use crate::ui::style::Palette;
use crate::ui::terminal::Terminal;
use crate::wire::handshake::headers::HeaderEdit;

/// A report besides that on stdout.
struct Report {
    format: Format,
    path: PathBuf,
}

/// Runs the cases and reports the results.
///
/// # Errors
///
/// The arguments can't be used, or stdout, a file or the system failed.
pub fn run(args: CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if let Some(id) = &args.show {
        return explain(id, args.url.as_deref(), &args, terminal);
    }
    let cases = selected(&args)?;
    if args.list {
        let catalogue = Catalogue(&cases);
        let text = match args.output {
            CheckFormat::Json => catalogue.json(),
            _ => catalogue.text(),
        };
        return print(&text, &args, terminal);
    }
    let reports =
        args.report.iter().map(|text| report_file(text)).collect::<Result<Vec<_>, _>>()?;
    let known = args.baseline.as_ref().map(read_baseline).transpose()?;
    let reach = ReachConfig::of_account(args.account)?;
    let mut display = Display::resolve(&args.display, terminal);
    let mut config = OpenConfig {
        keeps_cookies: false,
        deflate: None,
        ..OpenConfig::resolve(
            args.url.as_deref().unwrap_or_default(),
            args.handshake,
            Limits::default(),
        )?
    };
    if !config.headers.iter().any(|edit| edit.name().eq_ignore_ascii_case("user-agent")) {
        let name = concat!("wscope-check/", env!("CARGO_PKG_VERSION"));
        config.headers.push(HeaderEdit::send("User-Agent", name)?);
    }
    let url = config.target.to_string();
    if !args.i_own_this && !is_near(&config.target) {
        confirm(&config.target, cases.len(), terminal)?;
    }
    // One case is shown whole; of more than that only what was asked for.
    let loud = cases.len() == 1 && args.output == CheckFormat::Text && !display.quiet;
    let shown = loud.then(|| Reporter::new(OutputFormat::None, &Display { verbose: 2, ..display }));
    display.quiet |= display.verbose == 0;
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    let summary = match prepare(&mut config, &reach, &mut runtime) {
        Ok(summary) => summary,
        Err(AccountError::Ended(exit)) => return Ok(exit),
        Err(AccountError::Usage(error)) => return Err(error.into()),
    };
    runtime.listen_to_signals()?;
    let near = config.target.is_loopback();
    let plan = Plan::new(
        cases,
        PlanOptions {
            jobs: args.jobs.unwrap_or(if near { 4 } else { 1 }).into(),
            repeat: args.repeat.into(),
            fail_fast: args.fail_fast,
            strict: args.strict,
            echoes: match (args.echo, args.no_data) {
                (Some(echo), _) => Some(echo == YesNo::Yes),
                (None, true) => Some(false),
                (None, false) => None,
            },
            subprotocol: !config.subprotocols.is_empty(),
        },
    );
    let pace = Pace::new(args.delay, near, Instant::now() + args.max_time);
    let mut battery = Battery::new(plan, config, pace, shown);
    battery.run(&mut runtime)?;
    let outcomes = battery.plan.outcomes();
    let results = Results {
        url: &url,
        outcomes: &outcomes,
        stopped: battery.plan.stopped().map(Stop::describe),
        baseline: known.as_ref(),
        strict: args.strict,
        echoes: battery.plan.echoes(),
    };
    let redactor = runtime.reporter.redactor();
    for Report { format, path } in &reports {
        let text = report::write(&results, *format, Palette::default());
        write(path, &redactor.bytes(&text))?;
    }
    if let Some(path) = &args.write_baseline {
        write(path, &redactor.bytes(baseline::write(&outcomes).as_bytes()))?;
    }
    let palette = display.palette(terminal.stdout);
    let text = report::write(&results, format_of(args.output), palette);
    runtime.stdout.buffer().extend_from_slice(&redactor.bytes(&text));
    runtime.drain_stdout(None)?;
    if let (Some(Stop::Unusable(..)), CheckFormat::Text) = (battery.plan.stopped(), args.output) {
        let shown = runtime.reporter.redactor().bytes(url.as_bytes());
        stderr::note(&format!("wscope doctor {} looks for the cause", escaped(&shown)));
    }
    let failed = results.failures() > 0;
    let exit = match battery.plan.stopped() {
        Some(Stop::Signal) => battery.signal.map_or(Exit::Interrupted, Into::into),
        Some(Stop::Unusable(..)) => battery.failure.unwrap_or(Exit::Unmet),
        Some(Stop::Died(_)) => battery.failure.unwrap_or(Exit::Connect),
        Some(Stop::Refuses(_)) => battery.failure.unwrap_or(Exit::Refused),
        Some(Stop::MaxTime) => Exit::Timeout,
        Some(Stop::FailFast) | None if failed => Exit::Unmet,
        Some(Stop::FailFast) | None => Exit::Success,
    };
    summary.finish(exit, &mut runtime)
}

fn selected(args: &CheckArgs) -> Result<Vec<&'static Case>, UsageError> {
    let usage = |error: &dyn std::fmt::Display| UsageError::new(error.to_string());
    // With --list nothing is run, and a pattern may stand in the place of the URL.
    let url = args.url.iter().filter(|url| args.list && !url.contains("://"));
    let patterns: Vec<String> = url.chain(&args.patterns).cloned().collect();
    if let (false, [], Some(id)) = (args.list, &args.patterns[..], &args.url)
        && catalogue::find(id).is_some()
    {
        let text = format!("{id} is a case; name the server before it: wscope check URL {id}");
        return Err(UsageError::new(text));
    }
    let risk = match (args.intrusive, args.stress || args.list) {
        (true, _) => Risk::Intrusive,
        (_, true) => Risk::Stress,
        _ => Risk::Default,
    };
    let risk = if args.list { Risk::Intrusive } else { risk };
    let allowed = Allowed { risk, data: !args.no_data };
    if let Some(path) = &args.rerun {
        let open = read_baseline(path)?.not_passed();
        if open.is_empty() {
            return Err(usage(&format!("--rerun: every case passed in {}", path.display())));
        }
        let chosen = select(&patterns, allowed).map_err(|error| usage(&error))?;
        let again: Vec<_> =
            chosen.into_iter().filter(|case| open.iter().any(|id| id == case.id)).collect();
        return match again.is_empty() {
            true => Err(usage(&format!(
                "--rerun: the patterns and options exclude every case that did not pass in {}",
                path.display()
            ))),
            false => Ok(again),
        };
    }
    select(&patterns, allowed).map_err(|error| usage(&error))
}

fn read_baseline(path: &PathBuf) -> Result<Baseline, UsageError> {
    let text = files::read_text(path).map_err(|error| UsageError::new(error.to_string()))?;
    let parsed = Baseline::parse(&text);
    parsed.map_err(|error| UsageError::new(format!("{}: {error}", path.display())))
}

fn report_file(text: &str) -> Result<Report, UsageError> {
    let parts = text.split_once('=').filter(|(_, path)| !path.is_empty());
    let found = parts.and_then(|(name, path)| Some((Format::named(name)?, path)));
    let (format, path) = found.ok_or_else(|| {
        let text = format!(
            "--report {text}: write FORMAT=FILE, with text, json, junit, tap or github as FORMAT"
        );
        UsageError::new(text)
    })?;
    Ok(Report { format, path: path.into() })
}

fn format_of(format: CheckFormat) -> Format {
    match format {
        CheckFormat::Text => Format::Text,
        CheckFormat::Json => Format::Json,
        CheckFormat::Junit => Format::Junit,
        CheckFormat::Tap => Format::Tap,
        CheckFormat::Github => Format::Github,
    }
}

fn write(path: &PathBuf, text: &[u8]) -> anyhow::Result<()> {
    let written = fs::write(path, text);
    written.map_err(|error| anyhow::anyhow!("{}: {}", path.display(), plain_io(&error)))
}

/// Prints what needs no connection.
fn print(text: &str, args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    runtime.stdout.buffer().extend_from_slice(text.as_bytes());
    runtime.drain_stdout(None)?;
    Ok(Exit::Success)
}

fn explain(
    id: &str,
    url: Option<&str>,
    args: &CheckArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let Some(case) = catalogue::find(id) else {
        let text = format!("no case {id:?}; wscope check --list lists them");
        return Err(UsageError::new(text).into());
    };
    print(&show(case, url), args, terminal)
}

/// Whether a server is local or on a private network, as far as its address says so.
fn is_near(target: &Target) -> bool {
    let host = target.host.trim_matches(['[', ']']);
    let private = match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
        Err(_) => false,
    };
    private || target.is_loopback()
}

/// Asks for the host's name, where there is somebody to ask.
fn confirm(target: &Target, cases: usize, terminal: Terminal) -> Result<(), UsageError> {
    let refusal = || {
        UsageError::new(format!(
            "{} is neither local nor on a private network: {cases} connections with broken \
             requests and frames look like an attack there. With --i-own-this it is tested",
            escaped(target.host.as_bytes())
        ))
    };
    if !terminal.is_interactive() {
        return Err(refusal());
    }
    stderr::note(&format!(
        "{cases} connections with broken requests and frames look like an attack. To test {0}, type its name: {0}",
        escaped(target.host.as_bytes())
    ));
    let mut typed = String::new();
    let read = io::stdin().read_line(&mut typed);
    match read.is_ok() && typed.trim() == target.host {
        true => Ok(()),
        false => Err(refusal()),
    }
}
