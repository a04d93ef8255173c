//! `wscope check`: runs cases against a server, or against clients, each on its own connection.
//!
//! The cases, their verdicts and the reports are in [`check`](crate::check); `battery` opens the
//! connections to a server, `clients` accepts those of clients. This file reads the options, asks
//! whether the server may be tested, and writes reports.

mod battery;
mod clients;
mod commands;
mod open;
mod transcripts;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::check::baseline::{self, Baseline};
use crate::check::case::{Case, Risk};
use crate::check::catalogue;
use crate::check::facts::CaseOpening;
use crate::check::plan::{CheckRun, FEW, PlanOptions, StopReason};
use crate::check::report::{self, Catalogue, Results, ResultsFormat, show};
use crate::check::select::{self, Allowed, select};
use crate::cli::{CheckArgs, CheckFormat, OutputFormat, TlsServerOptions, YesNo};
use crate::client::prepare;
use crate::config::reach::ReachConfig;
use crate::config::{Display, OpenConfig, UsageError, listen_address, server_tls};
use crate::engine::exit::Exit;
use crate::engine::runtime::{LISTENERS, Runtime};
use crate::modes::check::battery::{Battery, CheckPace};
use crate::modes::check::clients::{Clients, Driver, Patience};
use crate::modes::check::transcripts::Transcripts;
use crate::modes::serving::set_up_tls;
use crate::net::files;
use crate::net::listener::{ListenAddress, Listeners};
use crate::net::plain_io::plain_io;
use crate::net::target::Target;
use crate::net::tls::TlsServer;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::ui::sanitize::escaped;
use crate::ui::style::Palette;
use crate::ui::terminal::Terminal;
use crate::wire::Role;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::host::is_private;

/// The time limit for a run against a server.
const SERVER_TIME: Duration = Duration::from_secs(60);

/// The time limit with cases that wait.
const STRESS_TIME: Duration = Duration::from_secs(240);

/// If a server crashes after an answer, it has crashed after this time.
const SLOW: Duration = Duration::from_millis(50);

/// How long a client has to connect.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// The time limit for a run with commands.
const CLIENT_TIME: Duration = Duration::from_secs(600);

/// A report in addition to stdout.
struct ReportFile {
    format: ResultsFormat,
    path: PathBuf,
}

/// Runs the cases and reports the results.
///
/// # Errors
///
/// The arguments can't be used, or stdout, a file or the system failed.
pub fn run(args: CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if let Some(id) = &args.show {
        return explain(id, &args, terminal);
    }
    refuse_what_is_ignored(&args)?;
    let cases = selected(&args)?;
    if args.list {
        let catalogue = Catalogue(&cases);
        let text = match args.output {
            CheckFormat::Json => catalogue.json(),
            _ => catalogue.text(),
        };
        return print(&text, &args, terminal);
    }
    let demands = Demands::of(&args)?;
    match args.listen.clone() {
        Some(address) => test_clients(&address, args, cases, &demands, terminal),
        None => test_server(args, cases, &demands, terminal),
    }
}

/// Makes connections to a server.
fn test_server(
    args: CheckArgs,
    cases: Vec<&'static Case>,
    demands: &Demands,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let echoes = echoes(&args);
    let reach = ReachConfig::of_account(args.account)?;
    let mut display = Display::resolve(&args.display, terminal);
    let mut config = OpenConfig {
        deflate: None,
        ..OpenConfig::resolve(args.url.as_deref().unwrap_or_default(), args.handshake)?
    };
    if !config.headers.iter().any(|edit| edit.name().eq_ignore_ascii_case("user-agent")) {
        let name = concat!("wscope-check/", env!("CARGO_PKG_VERSION"));
        config.headers.push(HeaderEdit::send("User-Agent", name)?);
    }
    let url = config.target.to_string();
    let near = config.target.is_loopback();
    if !args.i_own_this && !near && !is_private(&config.target.host) {
        confirm(&config.target, cases.len(), terminal)?;
    }
    // A single case is shown in full; of several cases, only what the user requested.
    let loud = cases.len() == 1 && args.output == CheckFormat::Text && !display.quiet;
    let loud_display = Display { verbose: 2, ..display };
    let shown = loud.then(|| Reporter::new(OutputFormat::None, &loud_display));
    let seen = if loud { loud_display } else { display };
    display.quiet |= display.verbose == 0;
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    let summary = match prepare(&mut config, &reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    runtime.listen_to_signals()?;
    let transcripts = demands.transcripts(Role::Client, seen)?;
    let shown = shown.filter(|_| transcripts.is_none());
    // If cases run one by one, the report can name the case that crashed the server.
    let usual = if near && cases.len() > FEW { 4 } else { 1 };
    let plan = CheckRun::new(
        cases,
        PlanOptions {
            tested: Role::Server,
            awaits: false,
            jobs: args.jobs.unwrap_or(usual).into(),
            repeat: args.repeat.into(),
            fail_fast: args.fail_fast,
            strict: args.strict,
            echoes,
            subprotocol: !config.subprotocols.is_empty(),
            secure: config.target.secure,
            slow: args.delay.is_some_and(|delay| delay >= SLOW),
        },
    );
    let usual = if args.stress || args.intrusive { STRESS_TIME } else { SERVER_TIME };
    let max_time = args.max_time.unwrap_or(usual);
    let pace = CheckPace::new(args.delay, near, Instant::now() + max_time);
    let mut battery = Battery::new(plan, config, pace, shown, transcripts);
    battery.run(&mut runtime)?;
    let tested = TestedEnd { subject: &url, url: &url, again: &format!("wscope check {url}") };
    let palette = display.palette(terminal.stdout);
    let failed = demands.publish(&battery.plan, &tested, palette, &mut runtime)?;
    if let (Some(StopReason::Unusable(..)), CheckFormat::Text) =
        (battery.plan.stopped(), args.output)
    {
        let shown = runtime.reporter.redactor().bytes(url.as_bytes());
        stderr::note(&format!("wscope doctor {} looks for the cause", escaped(&shown)));
    }
    let exit = match battery.plan.stopped() {
        Some(StopReason::Signal) => battery.signal.map_or(Exit::Interrupted, Into::into),
        Some(StopReason::Nothing) => Exit::Unmet,
        Some(StopReason::Unusable(..)) => battery.failure.unwrap_or(Exit::Unmet),
        Some(StopReason::Died(_)) => Exit::Connect,
        Some(StopReason::Refuses(_)) => battery.failure.unwrap_or(Exit::Refused),
        Some(StopReason::MaxTime) => Exit::Timeout,
        Some(StopReason::FailFast) | None if failed => Exit::Unmet,
        Some(StopReason::FailFast) | None => Exit::Success,
    };
    summary.finish(exit, &mut runtime)
}

/// Accepts connections of clients.
fn test_clients(
    address: &str,
    args: CheckArgs,
    cases: Vec<&'static Case>,
    demands: &Demands,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let address = listen_address(address)?;
    let mut display = Display::resolve(&args.display, terminal);
    let loud = cases.len() == 1 && args.output == CheckFormat::Text && !display.quiet;
    let seen = Display { verbose: if loud { 2 } else { display.verbose }, ..display };
    let verbose = display.verbose;
    display.quiet |= verbose == 0;
    let reporter =
        Reporter::of(Role::Server, OutputFormat::None, if loud { &seen } else { &display });
    let mut runtime = Runtime::new(reporter)?;
    runtime.listen_to_signals()?;
    let tls = tls_of(&args, &address)?;
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let listeners = Listeners::bind(&address, runtime.registry(), LISTENERS)?;
    let bound = listeners.addresses();
    let base = bound.first().map_or_else(String::new, |address| format!("{scheme}://{address}"));
    let (driver, subject) = match (&args.exec, &args.feed) {
        (Some(command), _) => (Driver::Exec(command.clone()), command.clone()),
        (None, Some(command)) => (Driver::Feed(command.clone()), command.clone()),
        (None, None) => (Driver::Attach, format!("the clients of {base}")),
    };
    if !display.quiet || driver == Driver::Attach {
        for address in &bound {
            stderr::line(&format!("listening on {scheme}://{address}/"));
        }
    }
    if driver == Driver::Attach && !args.display.quiet {
        let page = base.replacen("ws", "http", 1);
        stderr::note(&format!(
            "{page}/ runs the cases in a browser; a client runs one at {base}/ID"
        ));
    }
    let transcripts = demands.transcripts(Role::Server, seen)?;
    let jobs = match driver {
        Driver::Exec(_) => args.jobs.unwrap_or(4),
        Driver::Attach | Driver::Feed(_) => 1,
    };
    let options = PlanOptions {
        tested: Role::Client,
        awaits: driver == Driver::Attach,
        jobs: if loud { 1 } else { jobs }.into(),
        repeat: args.repeat.into(),
        fail_fast: args.fail_fast,
        strict: args.strict,
        echoes: echoes(&args),
        subprotocol: true,
        secure: tls.is_some(),
        slow: false,
    };
    let max_time = match driver {
        Driver::Attach => args.max_time,
        Driver::Exec(_) | Driver::Feed(_) => Some(args.max_time.unwrap_or(CLIENT_TIME)),
    };
    let patience = Patience {
        delay: args.delay.unwrap_or_default(),
        connect: args.connect_wait.unwrap_or(CONNECT_WAIT),
        until: max_time.map(|time| Instant::now() + time),
        all_numbered: args.url.is_some(),
    };
    let again = command_line(&args);
    let plan = CheckRun::new(cases, options);
    let mut clients =
        Clients::new(plan, driver, (listeners, tls), base.clone(), patience, transcripts);
    clients.run(&mut runtime)?;
    let tested = TestedEnd { subject: &subject, url: &format!("{base}/"), again: &again };
    let palette = display.palette(terminal.stdout);
    let failed = demands.publish(&clients.plan, &tested, palette, &mut runtime)?;
    Ok(match clients.plan.stopped() {
        Some(StopReason::Signal) => clients.signal.map_or(Exit::Interrupted, Into::into),
        Some(
            StopReason::Unusable(_, CaseOpening::Unreachable(_))
            | StopReason::Refuses(_)
            | StopReason::Died(_),
        ) => Exit::Connect,
        Some(StopReason::Unusable(..) | StopReason::Nothing) => Exit::Unmet,
        Some(StopReason::MaxTime) => Exit::Timeout,
        Some(StopReason::FailFast) | None if failed => Exit::Unmet,
        Some(StopReason::FailFast) | None => Exit::Success,
    })
}

/// Refuses options that would have no effect.
fn refuse_what_is_ignored(args: &CheckArgs) -> Result<(), UsageError> {
    let deflate = &args.handshake.deflate;
    let compression = deflate.no_compress
        || deflate.server_no_context_takeover
        || deflate.client_no_context_takeover
        || deflate.server_max_window_bits.or(deflate.client_max_window_bits).is_some();
    if compression {
        return Err(UsageError::new(
            "check has no compression options, because each case sets its own; '!z/' leaves the \
             compression cases out"
                .to_owned(),
        ));
    }
    let (exec, feed) = (args.exec.is_some(), args.feed.is_some());
    let clients = args.listen.is_some();
    let idle = [
        ("--jobs", args.jobs.is_some() && !exec, "--exec"),
        ("--connect-wait", args.connect_wait.is_some() && !exec && !feed, "--exec or --feed"),
        ("--delay", args.delay.is_some() && !exec && !feed, "--exec or --feed"),
        ("--repeat", args.repeat > 1 && !exec && !feed, "--exec or --feed"),
    ];
    match idle.into_iter().find(|(_, given, _)| clients && *given) {
        Some((option, _, needed)) => {
            Err(UsageError::new(format!("with --listen, {option} needs {needed}")))
        }
        None => Ok(()),
    }
}

/// The TLS settings for clients, if requested, and the certificate, if it was created here.
fn tls_of(args: &CheckArgs, address: &ListenAddress) -> anyhow::Result<Option<TlsServer>> {
    let identity = &args.handshake.transport.identity;
    let options = TlsServerOptions {
        cert: identity.cert.clone(),
        key: identity.key.clone(),
        pass_file: identity.pass_file.clone(),
        self_signed: args.self_signed,
        self_signed_out: args.self_signed_out.clone(),
    };
    let config = server_tls(options, address)?;
    let tls = set_up_tls(config.as_ref())?;
    if let (Some(config), Some(tls)) = (&config, &tls)
        && let (Some(out), Some(pem)) = (&config.certificate_out, &tls.certificate().pem)
    {
        write(out, pem.as_bytes())?;
    }
    Ok(tls)
}

/// The command line that tests the same clients again, without patterns.
fn command_line(args: &CheckArgs) -> String {
    let mut line = format!("wscope check --listen {}", args.listen.as_deref().unwrap_or_default());
    for (option, command) in [("exec", &args.exec), ("feed", &args.feed)] {
        if let Some(command) = command {
            line += &format!(" --{option} '{}'", command.replace('\'', r"'\''"));
        }
    }
    line
}

/// Whether the peer echoes, if the user has said it.
fn echoes(args: &CheckArgs) -> Option<bool> {
    match (args.echo, args.no_data) {
        (Some(echo), _) => Some(echo == YesNo::Yes),
        (None, true) => Some(false),
        (None, false) => None,
    }
}

/// The tested end, in words.
struct TestedEnd<'a> {
    subject: &'a str,
    url: &'a str,
    again: &'a str,
}

/// The user's requirements for the results.
struct Demands {
    reports: Vec<ReportFile>,
    known: Option<Baseline>,
    write_baseline: Option<PathBuf>,
    transcripts: Option<PathBuf>,
    output: ResultsFormat,
    strict: bool,
}

impl Demands {
    fn of(args: &CheckArgs) -> Result<Self, UsageError> {
        Ok(Self {
            reports: args
                .report
                .iter()
                .map(|text| report_file(text))
                .collect::<Result<Vec<_>, _>>()?,
            known: args.baseline.as_ref().map(read_baseline).transpose()?,
            write_baseline: args
                .write_baseline
                .as_ref()
                .map(|path| writable("--write-baseline", path))
                .transpose()?,
            transcripts: args.transcripts.clone(),
            output: format_of(args.output),
            strict: args.strict,
        })
    }

    fn transcripts(&self, role: Role, display: Display) -> Result<Option<Transcripts>, UsageError> {
        let made = |folder: &PathBuf| Transcripts::new(folder.clone(), role, display, self.strict);
        self.transcripts.as_ref().map(made).transpose().map_err(UsageError::new)
    }

    /// Writes all reports; returns whether a case failed.
    fn publish(
        &self,
        plan: &CheckRun,
        tested: &TestedEnd<'_>,
        palette: Palette,
        runtime: &mut Runtime,
    ) -> anyhow::Result<bool> {
        let outcomes = plan.outcomes();
        let results = Results {
            subject: tested.subject,
            url: tested.url,
            again: tested.again,
            outcomes: &outcomes,
            stopped: plan.stopped().map(StopReason::describe),
            baseline: self.known.as_ref(),
            strict: self.strict,
            echoes: plan.echoes(),
        };
        let redactor = runtime.reporter.redactor();
        for ReportFile { format, path } in &self.reports {
            let text = report::write(&results, *format, Palette::default());
            write(path, &redactor.bytes(&text))?;
        }
        if let Some(path) = &self.write_baseline {
            write(path, &redactor.bytes(baseline::write(&outcomes).as_bytes()))?;
        }
        let text = report::write(&results, self.output, palette);
        let mut text = redactor.bytes(&text).into_owned();
        if matches!(self.output, ResultsFormat::Text) {
            Terminal::look().fold(&mut text);
        }
        runtime.stdout.buffer().extend_from_slice(&text);
        runtime.drain_stdout(None)?;
        Ok(results.failures() > 0)
    }
}

fn selected(args: &CheckArgs) -> Result<Vec<&'static Case>, UsageError> {
    let usage = |error: &dyn std::fmt::Display| UsageError::new(error.to_string());
    let tested = if args.listen.is_some() { Role::Client } else { Role::Server };
    // If no server is named, a pattern may stand in the place of the URL.
    let bare = args.list || args.listen.is_some();
    let url = args.url.iter().filter(|url| bare && !url.contains("://"));
    let patterns: Vec<String> = url.chain(&args.patterns).cloned().collect();
    if let (false, [], Some(id)) = (bare, &args.patterns[..], &args.url)
        && catalogue::find(id, Role::Server).is_some()
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
    let allowed = Allowed { tested, risk, data: !args.no_data };
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

fn report_file(text: &str) -> Result<ReportFile, UsageError> {
    let parts = text.split_once('=').filter(|(_, path)| !path.is_empty());
    let found = parts.and_then(|(name, path)| Some((ResultsFormat::named(name)?, path)));
    let (format, path) = found.ok_or_else(|| {
        let text = format!(
            "--report {text}: write FORMAT=FILE, with text, json, junit, tap or github as FORMAT"
        );
        UsageError::new(text)
    })?;
    Ok(ReportFile { format, path: writable("--report", path)? })
}

/// A path at which a file can be created, as far as wscope can check this before the run.
fn writable(option: &str, path: impl Into<PathBuf>) -> Result<PathBuf, UsageError> {
    let path = path.into();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let shown = |path: &Path| escaped(path.as_os_str().as_encoded_bytes()).to_string();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let text =
            format!("{option} {}: the folder {} does not exist", shown(&path), shown(folder));
        return Err(UsageError::new(text));
    }
    match path.is_dir() {
        true => {
            Err(UsageError::new(format!("{option} {}: it is a folder, not a file", shown(&path))))
        }
        false => Ok(path),
    }
}

fn format_of(format: CheckFormat) -> ResultsFormat {
    match format {
        CheckFormat::Text => ResultsFormat::Text,
        CheckFormat::Json => ResultsFormat::Json,
        CheckFormat::Junit => ResultsFormat::Junit,
        CheckFormat::Tap => ResultsFormat::Tap,
        CheckFormat::Github => ResultsFormat::Github,
    }
}

fn write(path: &PathBuf, text: &[u8]) -> anyhow::Result<()> {
    let written = fs::write(path, text);
    written.map_err(|error| anyhow::anyhow!("{}: {}", path.display(), plain_io(&error)))
}

/// Prints output that needs no connection.
fn print(text: &str, args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    let mut text = text.as_bytes().to_vec();
    terminal.fold(&mut text);
    runtime.stdout.buffer().extend_from_slice(&text);
    runtime.drain_stdout(None)?;
    Ok(Exit::Success)
}

fn explain(id: &str, args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let (first, second) = match &args.listen {
        Some(_) => (Role::Client, Role::Server),
        None => (Role::Server, Role::Client),
    };
    let found = catalogue::find(id, first).or_else(|| catalogue::find(id, second));
    let Some(case) = found else {
        let text = format!("no case {id:?}; {}wscope check --list lists them", select::near(id));
        return Err(UsageError::new(text).into());
    };
    print(&show(case, args.url.as_deref()), args, terminal)
}

/// Asks for the host's name, if there is a terminal.
fn confirm(target: &Target, cases: usize, terminal: Terminal) -> Result<(), UsageError> {
    let refusal = || {
        UsageError::new(format!(
            "{} is neither local nor on a private network: {cases} connections with broken \
             requests and frames look like an attack there. To test it anyway, add --i-own-this",
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
