//! `wscope handshake`: only the opening handshake, judged rule by rule.

use std::time::Duration;

use super::client::desk::Desk;
use super::client::failure::OpenError;
use super::client::open::open;
use super::client::pump::{Pump, Step};
use super::client::refused;
use super::exit::Exit;
use super::report::{Reporter, Shown};
use crate::cli::{HandshakeArgs, OutputFormat, ReportFormat};
use crate::config::{ClientConfig, Display, OpenConfig};
use crate::session::Limits;
use crate::ui::checklist::Checklist;
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
pub fn run(args: HandshakeArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let config = OpenConfig::resolve(&args.url, args.handshake, Limits::default())?;
    let json = args.output == ReportFormat::Json;
    let reporter = match json {
        true => Reporter::new(OutputFormat::Json, &display),
        false => Reporter::showing(Shown::Facts, &display),
    };
    let mut desk = Desk::new(reporter)?;
    let palette = display.palette(terminal.stdout);
    let show = |request: &Head, response: &Head, report: &Report, desk: &mut Desk| {
        if !json {
            let checklist = Checklist { request, response: Some(response), report };
            checklist.write(palette, desk.stdout.buffer());
        }
    };
    match open(&config, &mut desk, None) {
        Ok(opened) => {
            show(&opened.request, &opened.response, &opened.report, &mut desk);
            desk.stdout.flush()?;
            let exit = verdict(&opened.report, args.strict);
            let mut quiet = ClientConfig::silent(config, display);
            quiet.endpoint.close_timeout = PATIENCE;
            // How the server closes is not part of the verdict.
            Pump::new(&quiet, &mut desk, opened, None)?
                .with_script([Step::Close(1000, "")])
                .run()?;
            Ok(exit)
        }
        Err(error) => {
            if let OpenError::Refused { pair, .. } | OpenError::BadHandshake { pair, .. } = &error {
                show(&pair.request, &pair.response, &pair.report, &mut desk);
            }
            refused(error, &mut desk)
        }
    }
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
