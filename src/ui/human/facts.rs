//! The lines about everything that is not a frame: addresses, TLS, heads, the handshake's result.

use std::time::Duration;

use super::ink;
use super::page::Page;
use crate::event::{CertificateFacts, ConnId, Direction, Event, Phases, TlsFacts};
use crate::ui::style::Ink;
use crate::ui::view::View;
use crate::ui::{checklist, clock, sanitize};
use crate::wire::handshake::Agreed;
use crate::wire::handshake::rules::{Outcome, Report, Side};
use crate::wire::head::Head;

/// Prints an event that needs no memory of others.
pub(super) fn print(conn: ConnId, event: &Event<'_>, page: &mut Page, out: &mut Vec<u8>) {
    match event {
        Event::Resolved { host, addresses } => {
            let addresses: Vec<String> = addresses.iter().map(|a| a.to_string()).collect();
            let text = match addresses.as_slice() {
                [] => format!("{host} resolved to no address"),
                some => format!("{host} resolved to {}", some.join(", ")),
            };
            page.info(conn, &text, out);
        }
        Event::AddressFailed { address, error } => {
            page.info(conn, &format!("{address} failed: {error}"), out);
        }
        Event::Connected { local, peer } => {
            page.info(conn, &format!("connected to {peer} from {local}"), out);
        }
        Event::Listening { url } => page.info(conn, &format!("listening on {url}"), out),
        Event::Accepted { local, peer } => {
            page.info(conn, &format!("connection from {peer} to {local}"), out);
        }
        Event::Tls(facts) => tls(conn, facts, page, out),
        Event::Head(direction, head) => {
            self::head(conn, ink(*direction, page.sent), head, page, out);
        }
        Event::Timing(phases) => page.info(conn, &timing(phases), out),
        Event::Judged(report) => judged(conn, report, page, out),
        Event::Open(agreed) => page.info(conn, &open(agreed), out),
        Event::Body(_)
        | Event::Frame(..)
        | Event::RoundTrip(_)
        | Event::Note(_)
        | Event::Failed(_)
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

/// A ping was answered, and no pong's line is there to carry the time.
pub(super) fn round_trip(conn: ConnId, time: Duration, page: &mut Page, out: &mut Vec<u8>) {
    page.info(conn, &format!("round trip {}", clock::millis(time)), out);
}

fn tls(conn: ConnId, facts: &TlsFacts, page: &mut Page, out: &mut Vec<u8>) {
    let mut text = facts.version.clone().unwrap_or_else(|| "TLS".to_owned());
    if let Some(cipher) = &facts.cipher {
        text += &format!(", {cipher}");
    }
    if let Some(alpn) = &facts.alpn {
        text += &format!(", ALPN {alpn}");
    }
    // A server asks for no certificate, so there is none to be verified.
    if page.sent == Direction::ToServer {
        text += match facts.verified {
            true => ", certificate verified",
            false => ", certificate not verified",
        };
        if let Some(problem) = &facts.problem {
            text += &format!(" ({problem})");
        }
    }
    page.info(conn, &text, out);
    let Some(certificate) = &facts.certificate else { return };
    let CertificateFacts { subject, issuer, names, not_before, not_after, serial } = certificate;
    page.info(conn, &format!("certificate of {subject}, issued by {issuer}"), out);
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let text = format!("valid {not_before} to {not_after} for {names}; serial {serial}");
    page.info(conn, &text, out);
    for CertificateFacts { subject, issuer, not_after, .. } in &facts.chain {
        let text = format!("sent along: {subject}, issued by {issuer}, valid to {not_after}");
        page.info(conn, &text, out);
    }
}

/// A head line by line, as it crossed the wire, then what is wrong with it as HTTP.
fn head(conn: ConnId, ink: Ink, head: &Head, page: &mut Page, out: &mut Vec<u8>) {
    for line in sanitize::lines(head.raw()) {
        page.line(ink, conn, line, out);
    }
    for defect in head.defects() {
        page.line(Ink::Violation, conn, format!("HTTP: {defect}").as_bytes(), out);
    }
}

/// The rules of the handshake that were broken; in hex mode the warnings too. A server tells its
/// client's duties one by one.
fn judged(conn: ConnId, report: &Report, page: &mut Page, out: &mut Vec<u8>) {
    if page.sent == Direction::ToClient {
        let duties = report.verdicts.iter().filter(|verdict| verdict.rule.side == Side::Client);
        for verdict in duties.filter(|verdict| verdict.outcome != Outcome::NotApplicable) {
            let mut line = Vec::new();
            checklist::verdict(verdict, checklist::rule_width(report), page.palette, &mut line);
            page.painted_line(conn, &line, out);
        }
        return;
    }
    for verdict in &report.verdicts {
        let ink = match verdict.outcome {
            Outcome::Fail => Ink::Violation,
            Outcome::Warn if page.manner.view == View::Hex => Ink::Info,
            _ => continue,
        };
        let rule = verdict.rule;
        let mut text = rule.code.map_or_else(String::new, |code| format!("{code} "));
        text += &format!("{}: {} (the rule: {})", rule.id, verdict.text, rule.title);
        page.line(ink, conn, text.as_bytes(), out);
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
