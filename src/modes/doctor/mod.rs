//! `wscope doctor`: checks every step to a WebSocket, and prints the verdict first.
//!
//! [`probe`] makes connections that differ in one thing, and `talk` uses the open one. This file
//! orders and prints the results.

use std::time::{Duration, Instant};

use crate::cli::{DoctorArgs, OutputFormat, ReportFormat};
use crate::client::probe;
use crate::client::talk::TrialTalk;
use crate::client::{one_line, prepare};
use crate::config::reach::ReachConfig;
use crate::config::{Display, OpenConfig};
use crate::diagnostics::facts::{SILENCE, Trial, TrialOutcome, Variation};
use crate::diagnostics::{
    Clue, Diagnostic, Family, Severity, is_ordinary, limits_pings, tells_outcome,
};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opening as _, open};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, CertificateFacts, ConnId, Ending, Side, Stamp};
use crate::net::clock::wall_micros;
use crate::net::route::Hop;
use crate::output::reporter::Reporter;
use crate::session::EndpointConfig;
use crate::session::endpoint::PongMismatch;
use crate::ui::JsonPrinter;
use crate::ui::doctor::{DoctorStep, Examination, StepOutcome};
use crate::ui::sanitize::escaped;
use crate::ui::terminal::Terminal;
use crate::ui::{clock, ending};
use crate::wire::Role;
use crate::wire::head::Head;

/// How many addresses are tried one by one.
const ADDRESSES: usize = 8;

/// How long to wait for a pong.
const PONG_TIMEOUT: Duration = Duration::from_secs(5);

/// Examines a server and prints the report.
///
/// # Errors
///
/// The arguments can't be used, or stdout or the system failed.
pub fn run(args: DoctorArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let reach = ReachConfig::of_account(args.account)?;
    let display = Display { quiet: true, ..Display::plain(args.color, terminal) };
    let mut config = OpenConfig::resolve(&args.url, args.handshake)?.reaching(&reach);
    let mut runtime = Runtime::new(Reporter::new(OutputFormat::None, &display))?;
    let summary = match prepare(&mut config, &reach, &mut runtime)? {
        Ok(summary) => summary,
        Err(exit) => return Ok(exit),
    };
    let (steps, found) = (Vec::new(), Vec::new());
    let mut exam = Exam { config: &config, steps, found, limited: false };
    let (opened, verdict, exit) = match exam.examine(args.idle, &mut runtime) {
        Ok(examined) => examined,
        Err(OpenError::Local(error)) => return Err(error.into()),
        Err(error) => return Ok(error.exit()),
    };
    let healthy = exit == Exit::Success;
    let redactor = runtime.reporter.redactor();
    let verdict = redactor.quoting(&verdict);
    let mut steps = exam.steps;
    steps.iter_mut().for_each(|step| step.text = redactor.quoting(&step.text));
    let found = runtime.reporter.without_secrets(&exam.found);
    let report = Examination { opened, healthy, verdict, found, steps };
    let out = &mut Vec::new();
    match args.output {
        ReportFormat::Text => {
            let width = display.text_columns(terminal.stdout);
            report.write(width, display.palette(terminal.stdout), out);
        }
        ReportFormat::Json => {
            let stamp = Stamp { micros: wall_micros(), conn: ConnId(1) };
            JsonPrinter::new(Some(Role::Client)).report(&stamp, &report, out);
        }
    }
    runtime.stdout.buffer().extend_from_slice(out);
    runtime.drain_stdout(None)?;
    summary.finish(exit, &mut runtime)
}

/// A running examination.
struct Exam<'a> {
    config: &'a OpenConfig,
    steps: Vec<DoctorStep>,
    found: Vec<Diagnostic>,
    /// A trial met a limit of the server, which the connections before it reached.
    limited: bool,
}

impl Exam<'_> {
    /// Does all steps. Returns whether a WebSocket opened, the verdict, and the exit status.
    fn examine(
        &mut self,
        idle: Duration,
        runtime: &mut Runtime,
    ) -> Result<(bool, String, Exit), OpenError> {
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
        match opened {
            Ok(opened) => {
                let place = self.steps.len();
                self.judged(&trace);
                let unhealthy = self.talk(TrialTalk::new(*opened), idle, runtime)?;
                // The results of additional connections come before those of the open connection.
                let after = self.steps.split_off(place);
                let until = probe::limit(None);
                self.attempt(Variation::NoUpgrade, &mut trace, until, runtime)?;
                let time = trace.phases().upgrade;
                self.add("upgrade", StepOutcome::Ok, "101 Switching Protocols", Some(time));
                self.attempt(Variation::NoOrigin, &mut trace, until, runtime)?;
                self.attempt(Variation::OwnOrigin, &mut trace, until, runtime)?;
                self.steps.extend(after);
                let (mut verdict, exit) = unhealthy.unwrap_or_else(|| {
                    (format!("a WebSocket opens in {}", clock::brief(elapsed)), Exit::Success)
                });
                if self.limited {
                    verdict.push_str("; later connections of this examination met a limit");
                }
                Ok((true, verdict, exit))
            }
            Err(error @ (OpenError::Signal(_) | OpenError::Local(_))) => Err(error),
            Err(error) => {
                let text = error.to_string();
                let until = probe::limit(None);
                if probe::is_about_certificate(&error) {
                    self.certificate(&mut trace, until, runtime)?;
                }
                match trace.was_asked() {
                    true => self.add("upgrade", StepOutcome::Failed, one_line(&text), None),
                    false => self.add("upgrade", StepOutcome::Skipped, "no way to ask", None),
                }
                for variation in probe::variations(&error, &trace) {
                    self.attempt(*variation, &mut trace, until, runtime)?;
                }
                if let Some(trial) = probe::control(self.config, &mut trace, until, runtime)? {
                    self.add("again", StepOutcome::Odd, &trial.to_string(), None);
                }
                self.found = trace.explain(&error);
                for name in ["subprotocol", "compression", "ping", "idle", "close"] {
                    self.add(name, StepOutcome::Skipped, "no WebSocket", None);
                }
                let seen = one_line(&text);
                let verdict = self.found.first().map_or(seen.to_owned(), |found| found.lead(seen));
                Ok((false, verdict, error.exit()))
            }
        }
    }

    /// Checks the name, and each address.
    fn reach(&mut self) {
        let way = &self.config.transport;
        let host = match way.route(&self.config.target).map(|route| route.hop) {
            Ok(Hop::Tcp(host)) => host,
            // The later use reports the error.
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
                    // Another address may work.
                    self.add(name, StepOutcome::Failed, &text, Some(asked.elapsed()));
                }
            }
        }
    }

    /// What TLS agreed on, or why it failed.
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

    /// Repeats the request with one difference.
    fn attempt(
        &mut self,
        variation: Variation,
        trace: &mut OpeningEvidence,
        until: Instant,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        let asked = Instant::now();
        let Some(trial) = probe::attempt(variation, self.config, trace, until, runtime)? else {
            return Ok(());
        };
        let status = trace.response().and_then(Head::status_line).map(|line| line.code);
        let opened = status == Some(101);
        let outcome = match (&trial.outcome, variation) {
            // A plain request must not be upgraded.
            (TrialOutcome::Opened, Variation::NoUpgrade) => StepOutcome::Odd,
            (
                TrialOutcome::Unreached(_)
                | TrialOutcome::Tls(_)
                | TrialOutcome::Nothing(_)
                | TrialOutcome::Silence(_)
                | TrialOutcome::Ended(_),
                _,
            ) => StepOutcome::Odd,
            (_, Variation::OtherScheme | Variation::OtherFamily) => StepOutcome::Odd,
            // A server that only serves WebSockets refuses a plain request, which is correct.
            (TrialOutcome::Status { code: 400.., .. }, variation)
                if variation != Variation::NoUpgrade || !opened =>
            {
                StepOutcome::Refused
            }
            _ => StepOutcome::Ok,
        };
        let name = match variation {
            Variation::NoUpgrade => "http",
            Variation::OwnOrigin | Variation::NoOrigin => "origin",
            Variation::NoSubprotocol | Variation::Subprotocol => "subprotocol",
            Variation::Again | Variation::Pinged | Variation::Unchanged => "again",
            Variation::OwnHost | Variation::NearHost => "host",
            Variation::OtherPath => "other path",
            Variation::NoQuery => "no query",
            Variation::Redirected => "redirect",
            Variation::OtherScheme => "other scheme",
            Variation::OtherFamily => "other family",
            Variation::OnlyHttp2 | Variation::Preface => "http/2",
            Variation::NoName => "no name",
        };
        let limited = is_limited(&trial, status);
        let outcome = if limited { StepOutcome::Odd } else { outcome };
        let note = if limited { LIMITED } else { "" };
        self.add(name, outcome, &format!("{trial}{note}"), Some(asked.elapsed()));
        if !limited {
            trace.trials.push(trial);
        }
        self.limited |= limited;
        Ok(())
    }

    /// The certificate that was refused.
    fn certificate(
        &mut self,
        trace: &mut OpeningEvidence,
        until: Instant,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        probe::refused_tls(self.config, trace, until, runtime)?;
        if let Some(text) = trace.certificates.first().map(summary) {
            self.add("certificate", StepOutcome::Failed, &text, None);
        }
        Ok(())
    }

    /// The result of the handshake.
    fn judged(&mut self, trace: &OpeningEvidence) {
        let Some(report) = trace.report() else { return };
        let offered = self.config.subprotocols.join(", ");
        let (outcome, text) = match (&report.agreed.subprotocol, offered.as_str()) {
            (Some(name), _) => (StepOutcome::Ok, escaped(name.as_bytes())),
            (None, "") => match Clue::PathWantsSubprotocol.seen(&trace.facts()) {
                Some(wanted) => (StepOutcome::Odd, wanted),
                None => (StepOutcome::Ok, "none was offered".to_owned()),
            },
            (None, names) => (StepOutcome::Odd, format!("the server accepted none of {names}")),
        };
        self.add("subprotocol", outcome, &text, None);
        let text = match (&report.agreed.deflate, &self.config.deflate) {
            (Some(_), _) => "permessage-deflate",
            (None, Some(_)) => "permessage-deflate was offered, but not accepted",
            (None, None) => "none was offered",
        };
        self.add("compression", StepOutcome::Ok, text, None);
    }

    /// Pings, waits in silence, and closes. Returns the verdict and the status, unless the
    /// connection stayed open and healthy.
    fn talk(
        &mut self,
        mut talk: TrialTalk,
        idle: Duration,
        runtime: &mut Runtime,
    ) -> Result<Option<(String, Exit)>, OpenError> {
        let begun = self.steps.len();
        let mut answers = self.ping("ping", &mut talk, runtime)?;
        if talk.is_open() && !idle.is_zero() {
            let name = format!("{} s of silence", idle.as_secs_f64());
            if talk.idle(idle, runtime)? {
                self.add("idle", StepOutcome::Ok, &format!("still open after {name}"), None);
                answers &= self.ping("ping again", &mut talk, runtime)?;
            } else {
                let text = format!("the connection was closed during {name}");
                self.add("idle", StepOutcome::Failed, &text, Some(talk.ending().duration));
            }
        }
        let was_open = talk.is_open();
        let asked = Instant::now();
        talk.close(EndpointConfig::new(Role::Client).close_timeout, runtime)?;
        let ended = talk.ending();
        let outcome = match (Exit::of(&ended), was_open) {
            (Exit::Success, true) if ended.cause == Cause::Closed => StepOutcome::Ok,
            (Exit::Success, _) => StepOutcome::Odd,
            _ => StepOutcome::Failed,
        };
        self.add("close", outcome, &ending::describe(&ended), Some(asked.elapsed()));
        let over = Instant::now();
        let lasted = talk.lasted();
        let after_ping = probe::watchable(talk.after_ping(&ended, over));
        let compares = probe::ended_early(&ended, lasted) || after_ping.is_some();
        if compares {
            let evidence = &mut talk.evidence;
            probe::compare_session(self.config, lasted, after_ping, None, evidence, runtime)?;
            // The plain GET has its own step.
            let sessions =
                talk.evidence.trials.iter().filter(|trial| trial.variation != Variation::NoUpgrade);
            let trials = sessions.map(ToString::to_string);
            let lines: Vec<String> = trials.collect();
            for text in lines {
                self.add("again", StepOutcome::Odd, &text, None);
            }
            // Such a trial says nothing about the first session.
            let all = talk.evidence.trials.len();
            talk.evidence.trials.retain(|trial| !is_limited(trial, Some(101)));
            self.limited |= talk.evidence.trials.len() < all;
        }
        if matches!(ended.cause, Cause::Lost(_)) && !compares {
            probe::look_again(self.config, None, &mut talk.evidence, runtime)?;
        }
        self.found = talk.explain(&ended, over);
        let good = in_order(&talk, &ended, &self.found).filter(|_| answers);
        let exit = match Exit::of(&ended) {
            _ if good.is_some() => {
                self.found.clear();
                let failed = |step: &&mut DoctorStep| step.outcome == StepOutcome::Failed;
                let steps = self.steps[begun..].iter_mut();
                steps.filter(failed).for_each(|step| step.outcome = StepOutcome::Odd);
                Exit::Success
            }
            // The connection should have stayed open.
            Exit::Success if !was_open => Exit::Unmet,
            // The protocol inside did not continue.
            Exit::Success if self.found.first().is_some_and(is_stuck) => Exit::Unmet,
            Exit::Success => {
                self.found.retain(|found| found.severity != Severity::Note);
                if answers {
                    return Ok(None);
                }
                Exit::Timeout
            }
            exit => exit,
        };
        // If the server ended the session, the first diagnostic may be a note.
        let mut first = !was_open;
        self.found.retain(|found| std::mem::take(&mut first) || found.severity != Severity::Note);
        let verdict = match (&ended.received, self.found.first()) {
            (Some(body), _) if ended.by == Side::Peer => {
                let after = clock::brief(ended.duration);
                let closed = format!("closed with {} after {after}", ending::close_body(body));
                let seen = match &good {
                    Some(good) => format!("the server {good}, then {closed}"),
                    None => format!("the server {closed}"),
                };
                match self.found.first() {
                    Some(found) if found.is_supported() => found.lead(&seen),
                    _ => seen,
                }
            }
            _ if was_open && !answers => "the server does not answer pings".to_owned(),
            (_, Some(found)) if was_open || ended.cause != Cause::Closed => {
                let title = found.title.to_string();
                match found.is_supported() {
                    true => format!("{title}: {}", found.suspects()),
                    false => title,
                }
            }
            _ => "the server does not answer pings".to_owned(),
        };
        Ok(Some((verdict, exit)))
    }

    /// Whether the ping was answered, or the connection ended first.
    fn ping(
        &mut self,
        name: &'static str,
        talk: &mut TrialTalk,
        runtime: &mut Runtime,
    ) -> Result<bool, OpenError> {
        let answer = talk.ping(PONG_TIMEOUT, runtime)?;
        match (answer, talk.mismatch()) {
            (Some(time), _) => self.add(name, StepOutcome::Ok, "answered", Some(time)),
            (None, Some(PongMismatch { pong, is_start, .. })) => {
                let text = match is_start {
                    true => format!("answered with a payload cut to {pong} bytes (§5.5.3)"),
                    false => format!("answered with another payload of {pong} bytes (§5.5.3)"),
                };
                self.add(name, StepOutcome::Odd, &text, None);
                return Ok(true);
            }
            (None, None) if talk.is_open() => {
                self.add(name, StepOutcome::Failed, "not answered", None);
            }
            (None, None) => {
                self.add(name, StepOutcome::Failed, "the connection ended before a pong", None);
                return Ok(true);
            }
        }
        Ok(answer.is_some())
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

/// What a trial that met a limit proves.
const LIMITED: &str =
    ": a limit, which the connections before it reached; the verdict rests on the first one";

/// Whether a trial met a limit on the number of connections that the first one, with this status,
/// did not meet.
fn is_limited(trial: &Trial, first: Option<u16>) -> bool {
    trial.status() == Some(429) && first.is_some() && first != Some(429)
}

/// A server that closes this long after its last message may have an idle timeout.
const PAUSE: Duration = SILENCE.saturating_sub(Duration::from_millis(250));

/// A server that closes within this time did not wait for anything.
const WAITED: Duration = Duration::from_millis(100);

/// Whether the peer sent messages and then closed in order, without a cause such as a silence or a
/// ping.
fn is_end_of_messages(talk: &TrialTalk, ended: &Ending) -> bool {
    let body = ended.received.as_ref();
    let body = body.filter(|_| ended.by == Side::Peer && ended.cause == Cause::Closed);
    let tells = |reason: &[u8]| is_ordinary(reason) || tells_outcome(reason);
    let Some(body) =
        body.filter(|body| matches!(body.code, None | Some(1000)) && tells(&body.reason))
    else {
        return false;
    };
    let flowed = talk.silence_before_close().is_some_and(|silence| silence < PAUSE);
    // Another session without a ping ended in the same way.
    let closed = ending::close_body(body);
    let again = |outcome: &TrialOutcome| matches!(outcome, TrialOutcome::Ended(how) if how.contains(&closed));
    let trials = &talk.evidence.trials;
    let unasked =
        trials.iter().any(|trial| trial.variation == Variation::Again && again(&trial.outcome));
    let by_itself = match probe::ended_early(ended, talk.lasted()) {
        true => unasked,
        false => !talk.waits_for_pong(),
    };
    flowed && by_itself && ended.r#in.messages > 0
}

/// The reason why a healthy server closed the connection, as a phrase after "the server".
fn in_order(talk: &TrialTalk, ended: &Ending, found: &[Diagnostic]) -> Option<String> {
    let explains = |found: &Diagnostic| found.severity != Severity::Note || found.is_supported();
    match found.first() {
        _ if is_end_of_messages(talk, ended) && !found.iter().any(explains) => {
            let count = ended.r#in.messages;
            Some(format!("sent {count} message{}", if count == 1 { "" } else { "s" }))
        }
        Some(_) if is_ping_limit(ended) => {
            Some("limits pings, and doctor had sent some".to_owned())
        }
        Some(first) if first.entry.code == "W505" && talk.lasted() >= WAITED => {
            Some("waited for connection_init, which doctor does not send".to_owned())
        }
        _ => None,
    }
}

/// Whether the server closed because of the pings of doctor.
fn is_ping_limit(ended: &Ending) -> bool {
    let body = ended.received.as_ref().filter(|_| ended.by == Side::Peer);
    body.is_some_and(|body| limits_pings(&body.reason))
}

/// Whether the protocol inside did not continue.
fn is_stuck(found: &Diagnostic) -> bool {
    found.entry.family == Family::Application && found.severity == Severity::Warning
}

/// As in `for example.com, issued by CN=Authority, until 2027-01-01T00:00:00Z`.
fn summary(certificate: &CertificateFacts) -> String {
    let CertificateFacts { subject, issuer, names, not_after, .. } = certificate;
    let names = if names.is_empty() { subject } else { &names.join(", ") };
    format!("for {names}, issued by {issuer}, until {not_after}")
}
