//! `wscope doctor`: what stands between here and a WebSocket, step by step, the verdict first.
//!
//! [`probe`] makes connections that differ in one thing, `talk` uses the one that opened; this
//! puts them in order and prints the results.

mod talk;

use std::time::{Duration, Instant};

use crate::cli::{DisplayOptions, DoctorArgs, OutputFormat, ReportFormat};
use crate::client::one_line;
use crate::client::probe;
use crate::client::probe::ProbeResult;
use crate::config::{Display, OpenConfig};
use crate::diagnostics::facts::OriginProbe;
use crate::diagnostics::{Diagnostic, Severity, classify};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opening as _, open};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, CertificateFacts, ConnId, Stamp};
use crate::modes::doctor::talk::Talk;
use crate::net::clock::wall_micros;
use crate::net::route::Hop;
use crate::output::reporter::Reporter;
use crate::session::Limits;
use crate::ui::JsonPrinter;
use crate::ui::doctor::{DoctorStep, Examination, StepOutcome};
use crate::ui::pretty::Pretty;
use crate::ui::sanitize::escaped;
use crate::ui::terminal::Terminal;
use crate::ui::{clock, ending};
use crate::wire::Role;

/// Addresses that are tried one by one.
const ADDRESSES: usize = 8;

/// How long a pong is waited for.
const PONG_TIMEOUT: Duration = Duration::from_secs(5);

/// Examines a server and prints the report.
///
/// # Errors
///
/// The arguments can't be used, or stdout or the system failed.
pub fn run(args: DoctorArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let options = DisplayOptions {
        width: None,
        verbose: 0,
        quiet: true,
        pretty: Pretty::default(),
        color: args.color,
        show_secrets: false,
        redact: Vec::new(),
    };
    let display = Display::resolve(&options, terminal);
    let config = OpenConfig::resolve(&args.url, args.handshake, Limits::default())?;
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    let mut exam = Exam { config: &config, steps: Vec::new(), found: Vec::new() };
    let (verdict, exit) = match exam.examine(args.idle, &mut runtime) {
        Ok(examined) => examined,
        Err(OpenError::Local(error)) => return Err(error.into()),
        Err(error) => return Ok(error.exit()),
    };
    let opened = exit == Exit::Success;
    let report = Examination { opened, verdict, found: exam.found, steps: exam.steps };
    let out = &mut Vec::new();
    match args.output {
        ReportFormat::Text => report.write(terminal.width, display.palette(terminal.stdout), out),
        ReportFormat::Json => {
            let stamp = Stamp { micros: wall_micros(), conn: ConnId(1) };
            JsonPrinter::new(Some(Role::Client)).report(&stamp, &report, out);
        }
    }
    let text = runtime.reporter.redactor().bytes(out);
    runtime.stdout.buffer().extend_from_slice(&text);
    runtime.drain_stdout(None)?;
    Ok(exit)
}

/// An examination under way.
struct Exam<'a> {
    config: &'a OpenConfig,
    steps: Vec<DoctorStep>,
    found: Vec<Diagnostic>,
}

impl Exam<'_> {
    /// Does all steps; gives the verdict and what it amounts to.
    fn examine(
        &mut self,
        idle: Duration,
        runtime: &mut Runtime,
    ) -> Result<(String, Exit), OpenError> {
        self.reach();
        let asked = Instant::now();
        let mut opening = ClientOpening::new(self.config, probe::SLOT, None, runtime, asked);
        let opened = open(&mut opening, runtime);
        let elapsed = asked.elapsed();
        let mut trace = match &opened {
            Ok(opened) => opened.evidence.clone(),
            Err(_) => std::mem::take(opening.evidence()),
        };
        self.tls(&trace, opened.as_ref().err());
        let asks_http = trace.response().is_some();
        match opened {
            Ok(opened) => {
                let place = self.steps.len();
                self.judged(&trace);
                self.talk(Talk::new(*opened), idle, runtime)?;
                // What was looked at beside belongs before what came of the connection.
                let after = self.steps.split_off(place);
                self.http(runtime)?;
                let time = trace.phases().upgrade;
                self.add("upgrade", StepOutcome::Ok, "101 Switching Protocols", Some(time));
                self.origin(runtime)?;
                self.steps.extend(after);
                Ok((format!("a WebSocket opens in {}", clock::millis(elapsed)), Exit::Success))
            }
            Err(error @ (OpenError::Signal(_) | OpenError::Local(_))) => Err(error),
            Err(error) => {
                let text = error.to_string();
                if asks_http {
                    self.http(runtime)?;
                } else {
                    self.elsewhere(&error, &mut trace, runtime)?;
                }
                match trace.was_asked() {
                    true => self.add("upgrade", StepOutcome::Failed, one_line(&text), None),
                    false => self.add("upgrade", StepOutcome::Skipped, "no way to ask", None),
                }
                if asks_http {
                    trace.origin_probe = self.origin(runtime)?;
                }
                self.found = trace.explain(&error);
                for name in ["subprotocol", "compression", "ping", "idle", "close"] {
                    self.add(name, StepOutcome::Skipped, "no WebSocket", None);
                }
                Ok((one_line(&text).to_owned(), error.exit()))
            }
        }
    }

    /// The name, and each address.
    fn reach(&mut self) {
        let way = &self.config.transport;
        let host = match way.route(&self.config.target).map(|route| route.hop) {
            Ok(Hop::Tcp(host)) => host,
            // What is wrong with it is found out when it is used.
            Ok(Hop::Unix(_)) | Err(_) => return,
        };
        let deadline = || Instant::now() + self.config.connect_timeout;
        let asked = Instant::now();
        let found = way.addresses(&host, deadline());
        let elapsed = Some(asked.elapsed());
        let addresses = match found {
            Ok(addresses) => addresses,
            Err(error) => {
                return self.add("name", StepOutcome::Failed, &error.to_string(), elapsed);
            }
        };
        let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
        self.add(
            "name",
            StepOutcome::Ok,
            &format!("{} is {}", host.host, list.join(", ")),
            elapsed,
        );
        for address in addresses.iter().take(ADDRESSES) {
            let name = if address.is_ipv4() { "tcp (IPv4)" } else { "tcp (IPv6)" };
            let asked = Instant::now();
            match way.dial(&[*address], deadline()) {
                Ok(_) => {
                    let text = format!("{address} answers");
                    self.add(name, StepOutcome::Ok, &text, Some(asked.elapsed()));
                }
                Err(error) => {
                    let text = error.attempts.first().map(ToString::to_string);
                    let text = text.unwrap_or_else(|| error.to_string());
                    // Another address may do.
                    self.add(name, StepOutcome::Failed, &text, Some(asked.elapsed()));
                }
            }
        }
    }

    /// What TLS agreed on, or why it did not.
    fn tls(&mut self, trace: &OpeningEvidence, error: Option<&OpenError>) {
        if !self.config.target.secure {
            return;
        }
        let Some(facts) = trace.tls() else {
            let Some(error) = error.filter(|_| trace.is_connected()) else { return };
            return self.add("tls", StepOutcome::Failed, one_line(&error.to_string()), None);
        };
        let version = facts.version.as_deref().unwrap_or("TLS");
        let alpn = facts.alpn.as_deref().unwrap_or("none");
        let text = format!("{version}, ALPN {alpn}");
        self.add("tls", StepOutcome::Ok, &text, trace.phases().tls);
        if let Some(certificate) = &facts.certificate {
            let outcome = if facts.verified { StepOutcome::Ok } else { StepOutcome::Odd };
            self.add("certificate", outcome, &summary(certificate), None);
        }
    }

    /// The same request without an upgrade.
    fn http(&mut self, runtime: &mut Runtime) -> Result<(), OpenError> {
        let (answer, elapsed) =
            timed(|| probe::probe(&probe::without_upgrade(self.config), runtime))?;
        let outcome = match answer {
            // A plain request must not be switched.
            ProbeResult::Opened | ProbeResult::Status { code: 101, .. } => StepOutcome::Odd,
            ProbeResult::Status { .. } => StepOutcome::Ok,
            ProbeResult::Nothing(_) => StepOutcome::Odd,
        };
        let text = format!("without an upgrade: {}", one_line(answer.text()));
        self.add("http", outcome, &text, Some(elapsed));
        Ok(())
    }

    /// Without an answer: what the port speaks otherwise, or what is wrong with its certificate.
    fn elsewhere(
        &mut self,
        error: &OpenError,
        trace: &mut OpeningEvidence,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        if !trace.is_connected() {
            return Ok(());
        }
        if probe::is_about_certificate(error) {
            trace.certificate = probe::certificate(self.config, runtime)?;
            if let Some(certificate) = &trace.certificate {
                self.add("certificate", StepOutcome::Failed, &summary(certificate), None);
            }
            return Ok(());
        }
        let (learned, elapsed) = timed(|| probe::other_scheme_sentence(self.config, runtime))?;
        if let Some(learned) = learned {
            self.add("other scheme", StepOutcome::Odd, &learned, Some(elapsed));
            trace.learned.push(learned);
        }
        Ok(())
    }

    /// The same request with and without an Origin.
    fn origin(&mut self, runtime: &mut Runtime) -> Result<Option<OriginProbe>, OpenError> {
        if probe::has_origin(self.config) {
            let bare = probe::without_origin(self.config);
            let (answer, elapsed) = timed(|| probe::probe(&bare, runtime))?;
            let text = format!("without an Origin: {}", one_line(answer.text()));
            self.add("origin", StepOutcome::Ok, &text, Some(elapsed));
        }
        let ((probed, answer), elapsed) = timed(|| probe::origin(self.config, runtime))?;
        let text = format!("with the server's own Origin: {}", one_line(answer.text()));
        self.add("origin", StepOutcome::Ok, &text, Some(elapsed));
        Ok(Some(probed))
    }

    /// What was agreed.
    fn judged(&mut self, trace: &OpeningEvidence) {
        let Some(report) = trace.report() else { return };
        let offered = self.config.subprotocols.join(", ");
        let (outcome, text) = match (&report.agreed.subprotocol, offered.as_str()) {
            (Some(name), _) => (StepOutcome::Ok, escaped(name.as_bytes())),
            (None, "") => (StepOutcome::Ok, "none was offered".to_owned()),
            (None, names) => (StepOutcome::Odd, format!("none of {names} was taken")),
        };
        self.add("subprotocol", outcome, &text, None);
        let text = match (&report.agreed.deflate, &self.config.deflate) {
            (Some(_), _) => "permessage-deflate",
            (None, Some(_)) => "permessage-deflate was offered and not taken",
            (None, None) => "none was offered",
        };
        self.add("compression", StepOutcome::Ok, text, None);
    }

    /// Pings, is silent, closes.
    fn talk(
        &mut self,
        mut talk: Talk,
        idle: Duration,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        self.ping("ping", &mut talk, runtime)?;
        if talk.is_open() && !idle.is_zero() {
            let name = format!("{} s of silence", idle.as_secs_f64());
            if talk.idle(idle, runtime)? {
                self.add("idle", StepOutcome::Ok, &format!("still open after {name}"), None);
                self.ping("ping again", &mut talk, runtime)?;
            } else {
                let text = format!("the connection did not outlive {name}");
                self.add("idle", StepOutcome::Failed, &text, Some(talk.ending().duration));
            }
        }
        let was_open = talk.is_open();
        let ((), elapsed) = timed(|| talk.close(runtime))?;
        let ended = talk.ending();
        let in_order = ended.cause == Cause::Closed;
        let outcome = match (in_order, was_open) {
            (true, true) => StepOutcome::Ok,
            (true, false) => StepOutcome::Odd,
            (false, _) => StepOutcome::Failed,
        };
        self.add("close", outcome, &ending::describe(&ended), Some(elapsed));
        self.found = match in_order {
            true => classify(&talk.evidence().facts()),
            false => talk.explain(&ended),
        };
        self.found.retain(|found| found.severity != Severity::Note);
        Ok(())
    }

    fn ping(
        &mut self,
        name: &'static str,
        talk: &mut Talk,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        match talk.ping(PONG_TIMEOUT, runtime)? {
            Some(time) => self.add(name, StepOutcome::Ok, "answered", Some(time)),
            None if talk.is_open() => self.add(name, StepOutcome::Failed, "not answered", None),
            None => self.add(name, StepOutcome::Failed, "the connection ended before a pong", None),
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: &'static str,
        outcome: StepOutcome,
        text: &str,
        elapsed: Option<Duration>,
    ) {
        self.steps.push(DoctorStep { name, outcome, text: text.to_owned(), elapsed });
    }
}

/// As in `for example.com, issued by CN=Authority, until 2027-01-01T00:00:00Z`.
fn summary(certificate: &CertificateFacts) -> String {
    let CertificateFacts { subject, issuer, names, not_after, .. } = certificate;
    let names = if names.is_empty() { subject } else { &names.join(", ") };
    format!("for {names}, issued by {issuer}, until {not_after}")
}

fn timed<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let asked = Instant::now();
    let result = call()?;
    Ok((result, asked.elapsed()))
}
