//! `wscope handshake`: performs only the opening handshake, and checks each rule.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::behaviour::steps::Step;
use crate::cli::{HandshakeArgs, OutputFormat, ReportFormat};
use crate::client::probe::SLOT;
use crate::client::session::ClientSession;
use crate::client::{prepare, refused};
use crate::config::ClientConfig;
use crate::config::reach::ReachConfig;
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opening as _, open};
use crate::engine::runtime::{Runtime, run as run_task};
use crate::modes::command_line::Given;
use crate::output::reporter::{EventFilter, Reporter};
use crate::ui::checklist::Checklist;
use crate::ui::terminal::Terminal;
use crate::ui::wrap;
use crate::wire::handshake::rules::{Outcome, Report};
use crate::wire::head::Head;

/// After the verdict, how long to wait for the server's Close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Performs the handshake, prints the report, closes.
///
/// # Errors
///
/// The arguments can't be used, or stdout, stderr or the system failed.
pub fn run(args: HandshakeArgs, terminal: Terminal, given: Given) -> anyhow::Result<Exit> {
    let HandshakeArgs { url, handshake, reach, display, .. } = args;
    let mut config = ClientConfig::dial(&url, handshake, reach, &display, terminal)?;
    config.reach.given = given;
    Arc::make_mut(&mut config.endpoint).close_timeout = CLOSE_TIMEOUT;
    let display = config.traffic.display;
    let json = args.output == ReportFormat::Json;
    let reporter = match json {
        true => Reporter::new(OutputFormat::Json, &display),
        false => Reporter::holding(EventFilter::Opening, &display),
    };
    let mut runtime = Runtime::new(reporter)?;
    let summary = match prepare(&mut config.open, &config.reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    let palette = display.palette(terminal.stdout);
    let width = display.text_columns(terminal.stdout);
    let all = display.verbose > 0;
    let show = |request: &Head, response: &Head, report: &Report, runtime: &mut Runtime| {
        if !json {
            let facts = runtime.reporter.take_held();
            let redactor = runtime.reporter.redactor();
            let (request, response) = (&*redactor.head(request), &*redactor.head(response));
            let checklist = Checklist { request, response: Some(response), report, all };
            let mut text = Vec::new();
            checklist.write(&facts, palette, &mut text);
            wrap::fold_from(0, width, &mut text);
            let text = redactor.bytes(&text).into_owned();
            runtime.stdout.buffer().extend_from_slice(&text);
        }
    };
    let now = Instant::now();
    let mut opening = ClientOpening::new(&config.open, SLOT, None, &runtime, now);
    let exit = match open(&mut opening, &mut runtime) {
        Ok(opened) => {
            show(&opened.request, &opened.response, &opened.report, &mut runtime);
            runtime.stdout.flush()?;
            let exit = verdict(&opened.report, args.strict);
            // The server's Close is not part of the verdict, and not of the values printed at the
            // end.
            let quiet = ClientConfig { reach: ReachConfig::default(), ..config };
            let mut session = ClientSession::new(&quiet, *opened, None, &mut runtime)?
                .with_steps([Step::Close(1000, "")]);
            run_task(&mut session, &mut runtime)?;
            exit
        }
        Err(error) => {
            if let OpenError::Refused { pair, .. }
            | OpenError::Redirect { pair, .. }
            | OpenError::BadHandshake { pair, .. } = &error
            {
                show(&pair.request, &pair.response, &pair.report, &mut runtime);
            }
            let facts = runtime.reporter.take_held();
            runtime.stdout.buffer().extend_from_slice(&facts);
            refused(error, opening.evidence(), &mut runtime)?
        }
    };
    summary.finish(exit, &mut runtime)
}

/// Whether an important rule was broken.
fn verdict(report: &Report, strict: bool) -> Exit {
    let broken = report.verdicts.iter().any(|verdict| match verdict.outcome {
        Outcome::Fail => true,
        Outcome::Warn => strict,
        Outcome::Pass | Outcome::NotApplicable => false,
    });
    if broken { Exit::BadHandshake } else { Exit::Success }
}
