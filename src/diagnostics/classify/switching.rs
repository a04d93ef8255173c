//! A 101: the verdicts of the handshake's rules, as diagnostics.

use super::findings::Findings;
use crate::diagnostics::{Diagnostic, Facts, Family, Severity, Span, entry};
use crate::wire::deflate::params;
use crate::wire::handshake::grammar::parse_extensions;
use crate::wire::handshake::headers::{EXTENSIONS, PROTOCOL};
use crate::wire::handshake::rules::{Outcome, Report, RuleVerdict};
use crate::wire::head::Head;

/// A subprotocol that no server supports. A server that accepts it would accept any subprotocol
/// (W412).
pub const PROBE_SUBPROTOCOL: &str = "x-wscope-probe";

/// The cause if two programs answer the same upgrade.
const ANSWERED_TWICE: &str = "the upgrade was answered twice: two WebSocket servers on one HTTP server both answer it, or the web server wrote this 101 by itself, because it does not know the application's WebSocket library";

/// How the bytes behind the blank line of a 101 show that they are the head of another one.
pub(super) fn answered_twice(behind: &[u8]) -> Option<String> {
    let head = behind.trim_ascii_start();
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next()?).into_owned();
    let switches = line.starts_with("HTTP/1.") && line.split(' ').nth(1) == Some("101");
    switches.then(|| format!("behind the blank line stands another head: {line}"))
}

/// Adds the cause if another head, or a header of this one, stands behind the blank line of the 101.
pub(super) fn not_one_head(d: Diagnostic, behind: &[u8]) -> Diagnostic {
    match answered_twice(behind) {
        Some(fact) => d
            .because(ANSWERED_TWICE, fact)
            .help("let one of them alone handle upgrades; else install what joins the WebSocket library with this web server (an adapter, an integration, a worker class), or run the application under a server that the library supports"),
        None => ended_early(d, behind),
    }
}

/// Adds the cause if a header stands behind the blank line of the 101.
fn ended_early(d: Diagnostic, behind: &[u8]) -> Diagnostic {
    match late_header(behind) {
        Some(name) => d
            .because(
                "the head of the 101 ended early: a blank line comes before its last header",
                format!("behind the blank line stands the header {name}"),
            )
            .help(ONE_BLANK_LINE),
        None => d,
    }
}

/// The help for a head that ended early.
const ONE_BLANK_LINE: &str = "write one blank line only, after the last header: a value that ends with a line break, as some base64 functions add, makes another";

/// The name of the header behind the blank line of a 101, if one stands there in place of a frame.
/// Its value may be a secret.
fn late_header(behind: &[u8]) -> Option<String> {
    let behind = behind.trim_ascii_start();
    let text = String::from_utf8_lossy(&behind[..behind.len().min(512)]).into_owned();
    let (line, _) = text.split_once("\r\n").or_else(|| text.split_once('\n'))?;
    let (name, value) = line.split_once(':')?;
    let known = ["sec-websocket-", "upgrade", "connection", "date", "server", "content-", "x-"];
    let lower = name.to_ascii_lowercase();
    let plain = lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let header = plain && known.iter().any(|start| lower.starts_with(start));
    let printable = value.chars().all(|c| !c.is_control());
    (header && printable && name.len() <= 40).then(|| name.to_owned())
}

pub(super) fn switching(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let Some(head) = facts.response else { return };
    if head.status_line().is_none_or(|line| line.code != 101) {
        return;
    }
    if let Some(report) = facts.report {
        for verdict in &report.verdicts {
            if matches!(verdict.outcome, Outcome::Fail | Outcome::Warn) {
                judge(verdict, facts, head, found);
            }
        }
        agreed(report, facts, head, found);
        unanswered(facts, found);
    }
    if facts.stream.early > 0 {
        let count = facts.stream.early;
        found.add("W440", |d| d.note(format!("{count} bytes arrived with it")));
    }
}

fn judge(verdict: &RuleVerdict, facts: &Facts<'_>, head: &Head, found: &mut Findings<'_>) {
    let Some(code) = code_of(verdict, facts, head) else { return };
    let severity = |d: Diagnostic| match (verdict.rule.fatal, verdict.outcome) {
        (true, Outcome::Fail) => d.severity(Severity::Error),
        // A rule that does not make clients fail is a warning at most. But browsers fail on W411.
        _ if code == "W411" && facts.as_browser => d.severity(Severity::Error),
        _ => {
            let most = d.severity.max(Severity::Warning);
            d.severity(most)
        }
    };
    found.add(code, |d| {
        let span = match header_of(verdict.rule.id) {
            Some(name) => Span::header_or_start(head, name, ""),
            None => Span::start_line(head, ""),
        };
        let span = if code == "W421" { at_fault(span, head) } else { span };
        // This part of the text names the calculation that results in the wrong value.
        let known = verdict.text.split_once("; ").filter(|_| code == "W402");
        let d = match known {
            Some((value, bug)) => d.because(bug.to_owned(), value),
            None => d,
        };
        let d = not_one_head(d, facts.stream.first);
        severity(d).at(span).note(format!("{} ({})", verdict.text, verdict.rule.id))
    });
}

/// The entry for a broken rule: the rule's own one, unless the catalogue has a more exact one.
fn code_of(verdict: &RuleVerdict, facts: &Facts<'_>, head: &Head) -> Option<&'static str> {
    let code = verdict.rule.code?;
    // Another layer checks the rules for other statuses.
    if entry(code)?.family != Family::Agreement {
        return None;
    }
    if code == "W410" {
        let chosen = head.get(PROTOCOL).unwrap_or_default();
        // The value is not a name at all, so another entry fits better.
        if chosen.is_empty() || chosen.contains(&b',') {
            return Some("W413");
        }
        let mut offered = facts.request.into_iter().flat_map(|request| request.tokens(PROTOCOL));
        if offered.any(|name| name.eq_ignore_ascii_case(chosen)) {
            return Some("W414");
        }
    }
    Some(code)
}

/// If the server accepted no subprotocol and sent nothing, the first fact may explain the second.
fn unanswered(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let left = facts.close.sent.is_some() && !facts.close.by_peer;
    let waits = facts.stream.messages == 0 && facts.stream.sent.is_some() && left;
    let ignored = found.found.iter_mut().find(|found| found.entry.code == "W411");
    if let Some(diagnostic) = ignored.filter(|_| waits) {
        *diagnostic = diagnostic
            .clone()
            .title(
                "our message was not answered, and the server accepted none of the subprotocols \
                 offered",
            )
            .suggests(
                "the server answers only clients that speak one of its \
                 subprotocols",
                "nothing was received before our Close",
            )
            .help("offer one that the server knows, `-s NAME`, or none; names are case-sensitive");
    }
}

/// Marks the place in the first line of extensions at which it breaks the grammar.
fn at_fault(span: Span, head: &Head) -> Span {
    match parse_extensions(head.get_all(EXTENSIONS)) {
        Err(error) if error.line == 1 => {
            let start = span.marked.start + error.offset;
            let end = span.bytes.len().max(start + 1);
            span.marking(start..end)
        }
        _ => span,
    }
}

/// The header that a rule is about, recognised by a word in the rule's id.
fn header_of(rule: &str) -> Option<&'static str> {
    let words = [
        ("upgrade", "Upgrade"),
        ("connection", "Connection"),
        ("accept", "Sec-WebSocket-Accept"),
        ("proto", PROTOCOL),
        ("nobody", "Content-Length"),
        ("ext", EXTENSIONS),
        ("7692", EXTENSIONS),
    ];
    words.into_iter().find(|(word, _)| rule.contains(word)).map(|(_, header)| header)
}

/// Adds observations about an agreement that is legal.
fn agreed(report: &Report, facts: &Facts<'_>, head: &Head, found: &mut Findings<'_>) {
    if report.agreed.subprotocol.as_deref() == Some(PROBE_SUBPROTOCOL) {
        found.add("W412", |d| d.at(Span::header(head, PROTOCOL, "a made-up name")));
    }
    let Some(request) = facts.request else { return };
    let offered = request
        .get_all(EXTENSIONS)
        .any(|value| crate::diagnostics::sniff::contains(value, params::NAME.as_bytes()));
    match report.agreed.deflate {
        None if offered && head.get(EXTENSIONS).is_none() => {
            found.add("W429", |d| d.at(Span::header(request, EXTENSIONS, "not answered")));
        }
        Some(deflate)
            if deflate.server_max_window_bits == 8 || deflate.client_max_window_bits == 8 =>
        {
            found.add("W430", |d| d.at(Span::header(head, EXTENSIONS, "8 bits")));
        }
        _ => {}
    }
}
