//! `wscope handshake`: only the opening handshake, judged rule by rule.

use std::time::Duration;

use super::client::account::AccountError;
use super::client::desk::Desk;
use super::client::failure::OpenError;
use super::client::open::open;
use super::client::pump::{Pump, Step};
use super::client::telling::instead;
use super::client::{prepare, refused};
use super::command_line::Given;
use super::exit::Exit;
use super::report::{Reporter, Shown};
use crate::cli::reach::AgainOptions;
use crate::cli::{HandshakeArgs, OutputFormat, ReachOptions, ReportFormat};
use crate::config::plan::Secrets;
use crate::config::reach::ReachConfig;
use crate::config::{ClientConfig, Display, OpenConfig};
use crate::session::Limits;
use crate::ui::checklist::Checklist;
use crate::ui::redact;
use crate::ui::terminal::Terminal;
use crate::wire::handshake::rules::{Outcome, Report};
use crate::wire::head::Head;

/// After the verdict, how long to wait for the server's Close.
const PATIENCE: Duration = Duration::from_secs(1);

/// Performs the handshake, prints the report, closes.
///
/// # Errors
///
/// The arguments can't be used, or stdout, stderr or the system failed.
pub fn run(args: HandshakeArgs, terminal: Terminal, given: Given) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let reach = ReachConfig::resolve(ReachOptions {
        account: args.account,
        location: args.location,
        again: AgainOptions::default(),
        tell: args.tell,
        defaults: args.defaults,
    })?;
    let reach = ReachConfig { given, ..reach };
    let mut config = OpenConfig {
        redirects: reach.redirects,
        keeps_cookies: reach.keeps_cookies(),
        ..OpenConfig::resolve(&args.url, args.handshake, Limits::default())?
    };
    let json = args.output == ReportFormat::Json;
    let reporter = match json {
        true => Reporter::new(OutputFormat::Json, &display),
        false => Reporter::showing(Shown::Facts, &display),
    };
    let mut desk = Desk::new(reporter)?;
    let telling = match prepare(&mut config, &reach, &mut desk) {
        Ok(telling) => telling,
        Err(AccountError::Ended(exit)) => return Ok(exit),
        Err(AccountError::Usage(error)) => return Err(error.into()),
    };
    if let Some(what) = reach.instead {
        return instead(what, &config, &reach, Secrets::of(display.show_secrets), &mut desk);
    }
    let palette = display.palette(terminal.stdout);
    let show = |request: &Head, response: &Head, report: &Report, desk: &mut Desk| {
        if !json {
            let redacted = |head: &Head| match display.show_secrets {
                true => head.clone(),
                false => redact::head(head),
            };
            let (request, response) = (&redacted(request), &redacted(response));
            let checklist = Checklist { request, response: Some(response), report };
            checklist.write(palette, desk.stdout.buffer());
        }
    };
    let exit = match open(&config, &mut desk, None) {
        Ok(opened) => {
            show(&opened.request, &opened.response, &opened.report, &mut desk);
            desk.stdout.flush()?;
            let exit = verdict(&opened.report, args.strict);
            let mut quiet = ClientConfig::silent(config, display);
            quiet.endpoint.close_timeout = PATIENCE;
            // How the server closes is not part of the verdict.
            let outcome = Pump::new(&quiet, &mut desk, opened, None)?
                .with_script([Step::Close(1000, "")])
                .run()?;
            desk.record.ended(&outcome.ending, outcome.first_frame);
            exit
        }
        Err(error) => {
            if let OpenError::Refused { pair, .. }
            | OpenError::Redirect { pair, .. }
            | OpenError::BadHandshake { pair, .. } = &error
            {
                show(&pair.request, &pair.response, &pair.report, &mut desk);
            }
            refused(error, &mut desk)?
        }
    };
    telling.finish(exit, &mut desk)
}

/// Whether a rule that matters was broken.
fn verdict(report: &Report, strict: bool) -> Exit {
    let broken = report.verdicts.iter().any(|verdict| match verdict.outcome {
        Outcome::Fail => true,
        Outcome::Warn => strict,
        Outcome::Pass | Outcome::NotApplicable => false,
    });
    if broken { Exit::BadHandshake } else { Exit::Success }
}
