//! The lines about everything that is not a frame: addresses, TLS, heads, the handshake's result.

use std::time::Duration;

use super::line_writer::{LineWriter, ink};
use crate::event::{
    CertificateFacts, ConnId, Direction, Event, Intervened, Intervention, Phases, TlsFacts,
};
use crate::ui::style::Ink;
use crate::ui::view::View;
use crate::ui::{checklist, clock, notation, sanitize};
use crate::wire::Role;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::{Outcome, Report, RuleVerdict};
use crate::wire::head::Head;

/// Prints an event that does not depend on other events.
pub(super) fn print(conn: ConnId, event: &Event<'_>, writer: &mut LineWriter, out: &mut Vec<u8>) {
    match event {
        Event::Resolved { host, addresses } => {
            let addresses: Vec<String> = addresses.iter().map(|a| a.to_string()).collect();
            let text = match addresses.as_slice() {
                [] => format!("{host} resolved to no address"),
                some => format!("{host} resolved to {}", some.join(", ")),
            };
            writer.info(conn, &text, out);
        }
        Event::AddressFailed { address, error } => {
            writer.info(conn, &format!("{address} failed: {error}"), out);
        }
        Event::Connected { local, peer } => {
            writer.info(conn, &format!("connected to {peer} from {local}"), out);
        }
        Event::Listening { url } => writer.info(conn, &format!("listening on {url}"), out),
        Event::Accepted { local, peer } => {
            writer.info(conn, &format!("connection from {peer} to {local}"), out);
        }
        Event::Tls(facts) => tls(conn, facts, writer, out),
        Event::Head(direction, head) => {
            self::head(conn, ink(*direction, writer.sent), head, writer, out);
        }
        Event::Timing(phases) => writer.info(conn, &timing(phases), out),
        Event::Judged(report) => judged(conn, report, writer, out),
        Event::Open(agreed) => writer.info(conn, &open(agreed), out),
        Event::CommandEnded(end) => writer.info(conn, &end.to_string(), out),
        Event::Body(_)
        | Event::Frame(..)
        | Event::Made(..)
        | Event::RoundTrip(_)
        | Event::Automatic(_)
        | Event::Intervened(_)
        | Event::Note(_)
        | Event::Failed(_)
        | Event::Passed(_)
        | Event::End(_) => {}
    }
}

fn timing(phases: &Phases) -> String {
    let part = |name: &str, time: Option<Duration>| {
        time.map(|time| format!(", {name} {}", clock::millis(time))).unwrap_or_default()
    };
    format!(
        "name {}, tcp {}{}{}, upgrade {}",
        clock::millis(phases.resolve),
        clock::millis(phases.connect),
        part("proxy", phases.proxy),
        part("tls", phases.tls),
        clock::millis(phases.upgrade)
    )
}

/// What a relay did to a message.
pub(super) fn intervened(
    conn: ConnId,
    done: &Intervened,
    writer: &mut LineWriter,
    out: &mut Vec<u8>,
) {
    let Intervened { direction, opcode, frame, rule, what } = done;
    let to = match direction {
        Direction::ToServer => "to the server",
        Direction::ToClient => "to the client",
    };
    let what = match what {
        Intervention::Dropped => "dropped".to_owned(),
        Intervention::Delayed(time) => format!("delayed by {} s", time.as_secs_f64()),
        Intervention::Held => "held; /next passes it on, /drop drops it".to_owned(),
        Intervention::Released => "passed on".to_owned(),
        Intervention::Edited => "edited".to_owned(),
        Intervention::Copied => "copied".to_owned(),
        Intervention::Closed(code) => format!("both ends are closed with {code} instead"),
    };
    let rule = rule.map(|rule| format!(" (rule {rule})")).unwrap_or_default();
    let text = format!("{} #{frame} {to}: {what}{rule}", notation::opcode_word(*opcode));
    writer.info(conn, &text, out);
}

/// The time of an answered ping, if no pong's line shows it.
pub(super) fn round_trip(conn: ConnId, time: Duration, writer: &mut LineWriter, out: &mut Vec<u8>) {
    writer.info(conn, &format!("round trip {}", clock::millis(time)), out);
}

fn tls(conn: ConnId, facts: &TlsFacts, writer: &mut LineWriter, out: &mut Vec<u8>) {
    let mut text = facts.version.clone().unwrap_or_else(|| "TLS".to_owned());
    // A relay uses TLS with both ends, so the line names the end.
    let relays = writer.relays();
    match facts.peer.filter(|_| relays) {
        Some(Role::Client) => text.insert_str(0, "TLS with the client: "),
        Some(Role::Server) => text.insert_str(0, "TLS with the server: "),
        None => {}
    }
    if let Some(cipher) = &facts.cipher {
        text += &format!(", {cipher}");
    }
    if let Some(alpn) = &facts.alpn {
        text += &format!(", ALPN {alpn}");
    }
    // A server requests no certificate, so there is none to verify.
    if writer.sent == Direction::ToServer && !(relays && facts.peer == Some(Role::Client)) {
        text += match facts.verified {
            true => ", certificate verified",
            false => ", certificate not verified",
        };
        if let Some(problem) = &facts.problem {
            text += &format!(" ({problem})");
        }
    }
    writer.info(conn, &text, out);
    let Some(certificate) = &facts.certificate else { return };
    let CertificateFacts { subject, issuer, names, not_before, not_after, serial, .. } =
        certificate;
    writer.info(conn, &format!("certificate of {subject}, issued by {issuer}"), out);
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let text = format!("valid {not_before} to {not_after} for {names}; serial {serial}");
    writer.info(conn, &text, out);
    for CertificateFacts { subject, issuer, not_after, .. } in &facts.chain {
        let text = format!("sent along: {subject}, issued by {issuer}, valid to {not_after}");
        writer.info(conn, &text, out);
    }
}

/// A head line by line, unchanged, then its violations of HTTP.
fn head(conn: ConnId, ink: Ink, head: &Head, writer: &mut LineWriter, out: &mut Vec<u8>) {
    for line in sanitize::lines(head.raw()) {
        writer.line(ink, conn, line, out);
    }
    for defect in head.defects() {
        writer.line(Ink::Violation, conn, format!("HTTP: {defect}").as_bytes(), out);
    }
}

/// The broken rules of the handshake; in hex mode, the warnings, too. A server prints how many
/// rules for its client were followed, and the other rules, or all rules.
fn judged(conn: ConnId, report: &Report, writer: &mut LineWriter, out: &mut Vec<u8>) {
    if writer.sent == Direction::ToClient {
        let duties = report.verdicts.iter().filter(|verdict| verdict.rule.side == Role::Client);
        writer.info(conn, &checklist::count(duties.clone()), out);
        let all = writer.all_rules;
        let applies = |verdict: &&RuleVerdict| verdict.outcome != Outcome::NotApplicable;
        for verdict in duties.filter(|v| checklist::is_against(v) || all && applies(v)) {
            let mut line = Vec::new();
            checklist::verdict(verdict, checklist::rule_width(report), writer.palette, &mut line);
            writer.painted_line(conn, &line, out);
        }
        return;
    }
    for verdict in &report.verdicts {
        let ink = match verdict.outcome {
            Outcome::Fail => Ink::Violation,
            Outcome::Warn if writer.mode.view == View::Hex => Ink::Info,
            _ => continue,
        };
        let rule = verdict.rule;
        let mut text = rule.code.map_or_else(String::new, |code| format!("{code} "));
        text += &format!("{}: {} (the rule: {})", rule.id, verdict.text, rule.title);
        writer.line(ink, conn, text.as_bytes(), out);
    }
}

/// As in `open: subprotocol chat, permessage-deflate; server_max_window_bits=12`.
fn open(agreed: &Agreed) -> String {
    let mut parts = Vec::new();
    parts.push(match &agreed.subprotocol {
        Some(name) => format!("subprotocol {name}"),
        None => "no subprotocol".to_owned(),
    });
    match agreed.extensions.as_slice() {
        [] => parts.push("no extensions".to_owned()),
        some => parts.extend(some.iter().map(|extension| extension.to_string())),
    }
    format!("open: {}", parts.join(", "))
}
