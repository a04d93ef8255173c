//! The report of the opening handshake: the verdict, the broken rules (with `-v` every rule), both
//! heads, the accept value step by step, and what was agreed.

use super::style::{Ink, Palette};
use super::{number, sanitize};
use crate::wire::Role;
use crate::wire::handshake::accept::AcceptMistake;
use crate::wire::handshake::rules::{Outcome, Report, RuleVerdict};
use crate::wire::head::Head;

/// The data of a report.
#[derive(Clone, Copy, Debug)]
pub struct Checklist<'a> {
    /// The request as it was sent.
    pub request: &'a Head,
    /// The response, if one arrived.
    pub response: Option<&'a Head>,
    /// The verdicts on the two.
    pub report: &'a Report,
    /// Whether it also lists rules that were followed or do not apply.
    pub all: bool,
}

/// The width of the names of facts, in columns.
const NAME: usize = 14;

impl Checklist<'_> {
    /// Appends the whole report: first the verdict and the broken rules, then `facts` of its
    /// connection, if there are any, then the details.
    pub fn write(&self, facts: &[u8], palette: Palette, out: &mut Vec<u8>) {
        let mut page = ChecklistWriter { palette, rule_width: rule_width(self.report), out };
        self.verdict(&mut page);
        if !facts.is_empty() {
            page.out.push(b'\n');
            page.out.extend_from_slice(facts);
        }
        page.head("Request", Ink::Sent, b"> ", self.request);
        if let Some(response) = self.response {
            page.head("Response", Ink::Received, b"< ", response);
        }
        if self.all {
            for (title, side) in
                [("Rules for the client", Role::Client), ("Rules for the server", Role::Server)]
            {
                page.title(title);
                for verdict in self.report.verdicts.iter().filter(|v| v.rule.side == side) {
                    page.verdict(verdict);
                }
            }
        }
        self.accept(&mut page);
        self.agreed(&mut page);
    }

    /// The verdict, the number of rules, and the broken rules.
    fn verdict(&self, page: &mut ChecklistWriter<'_>) {
        let failed = self.report.verdicts.iter().any(|v| v.outcome == Outcome::Fail);
        let status = self.response.and_then(Head::status_line).filter(|line| line.code != 101);
        let (ink, text) = match (status, failed) {
            (_, true) => (Ink::Violation, "✗ the handshake breaks rules".to_owned()),
            (Some(line), false) => {
                let text = format!("- refused: {} {}", line.code, sanitize::escaped(line.reason));
                (Ink::Received, format!("{}; no rule is broken", text.trim_end()))
            }
            (None, false) => (Ink::Good, "✓ the handshake is in order".to_owned()),
        };
        page.painted(ink, text.as_bytes());
        page.out.push(b'\n');
        page.out.extend_from_slice(count(&self.report.verdicts).as_bytes());
        page.out.push(b'\n');
        self.report.verdicts.iter().filter(|v| is_against(v)).for_each(|v| page.verdict(v));
    }

    /// The steps of RFC 6455 §4.2.2 from the key to the accept value, and the value that arrived.
    fn accept(&self, page: &mut ChecklistWriter<'_>) {
        let Some(steps) = &self.report.accept else { return };
        page.title("Sec-WebSocket-Accept");
        page.fact("key", &steps.key);
        page.fact("with the GUID", &steps.concatenated);
        page.fact_with("SHA-1", |out| number::hex_spaced(&steps.sha1, out));
        page.fact("base64", steps.accept.as_bytes());
        let Some(response) = self.response else { return };
        let Some(got) = response.get("Sec-WebSocket-Accept") else {
            return page.judged("received", Ink::Violation, b"nothing");
        };
        if got == steps.accept.as_bytes() {
            return page.judged("received", Ink::Good, &[got, b" (the same)"].concat());
        }
        page.judged("received", Ink::Violation, &[got, b" (not the same)"].concat());
        if let Some(mistake) = AcceptMistake::identify(&steps.key, got) {
            page.fact("why", mistake.to_string().as_bytes());
        }
    }

    fn agreed(&self, page: &mut ChecklistWriter<'_>) {
        let agreed = &self.report.agreed;
        page.title("Agreed");
        page.fact("subprotocol", agreed.subprotocol.as_deref().unwrap_or("none").as_bytes());
        if agreed.extensions.is_empty() {
            page.fact("extensions", b"none");
        }
        for extension in &agreed.extensions {
            page.fact("extension", extension.to_string().as_bytes());
        }
    }
}

/// As in `67 rules: 38 passed, 0 FAILED, 0 warned, 29 not applicable`.
pub(super) fn count<'a>(verdicts: impl IntoIterator<Item = &'a RuleVerdict>) -> String {
    let (mut all, mut counts) = (0, [0; 4]);
    for verdict in verdicts {
        all += 1;
        counts[verdict.outcome as usize] += 1;
    }
    let [passed, failed, warned, moot] = counts;
    format!("{all} rules: {passed} passed, {failed} FAILED, {warned} warned, {moot} not applicable")
}

/// Whether a rule was broken, or something is unusual.
pub(super) fn is_against(verdict: &RuleVerdict) -> bool {
    matches!(verdict.outcome, Outcome::Fail | Outcome::Warn)
}

/// The output and the colours of a report.
struct ChecklistWriter<'o> {
    palette: Palette,
    /// The width of the names of rules, in columns.
    rule_width: usize,
    out: &'o mut Vec<u8>,
}

impl ChecklistWriter<'_> {
    /// A title, with an empty line before it.
    fn title(&mut self, title: &str) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(title.as_bytes());
        self.out.push(b'\n');
    }

    fn head(&mut self, title: &str, ink: Ink, mark: &[u8], head: &Head) {
        self.title(title);
        for line in sanitize::lines(head.raw()) {
            let mark = if line.is_empty() { mark.trim_ascii_end() } else { mark };
            self.painted(ink, mark);
            sanitize::escape_into(line, self.out);
            self.out.push(b'\n');
        }
    }

    fn verdict(&mut self, verdict: &RuleVerdict) {
        self::verdict(verdict, self.rule_width, self.palette, self.out);
    }

    fn fact(&mut self, name: &str, value: &[u8]) {
        self.fact_with(name, |out| sanitize::escape_into(value, out));
    }

    fn fact_with(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(b"  ");
        self.padded(name, NAME);
        value(self.out);
        self.out.push(b'\n');
    }

    fn judged(&mut self, name: &str, ink: Ink, value: &[u8]) {
        let palette = self.palette;
        self.fact_with(name, |out| {
            palette.begin(ink, out);
            sanitize::escape_into(value, out);
            palette.end(out);
        });
    }

    fn padded(&mut self, text: &str, width: usize) {
        padded(text, width, self.out);
    }

    fn painted(&mut self, ink: Ink, text: &[u8]) {
        self.palette.paint(ink, text, self.out);
    }
}

/// The width of the names of rules, in columns.
pub(super) fn rule_width(report: &Report) -> usize {
    report.verdicts.iter().map(|verdict| verdict.rule.id.len()).max().unwrap_or(0) + 2
}

/// Appends a line as in `  ✓ pass  4.1-req-method           the method is GET: GET`.
pub(super) fn verdict(
    verdict: &RuleVerdict,
    rule_width: usize,
    palette: Palette,
    out: &mut Vec<u8>,
) {
    let (ink, mark) = match verdict.outcome {
        Outcome::Pass => (Ink::Good, "✓ pass"),
        Outcome::Fail => (Ink::Violation, "✗ FAIL"),
        Outcome::Warn => (Ink::Received, "! warn"),
        Outcome::NotApplicable => (Ink::Info, "- n/a "),
    };
    out.extend_from_slice(b"  ");
    palette.paint(ink, mark, out);
    out.extend_from_slice(b"  ");
    let rule = verdict.rule;
    padded(rule.id, rule_width, out);
    out.extend_from_slice(rule.title.as_bytes());
    if !verdict.text.is_empty() {
        out.extend_from_slice(b": ");
        sanitize::escape_into(verdict.text.as_bytes(), out);
    }
    out.push(b'\n');
}

fn padded(text: &str, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    number::spaces(width.saturating_sub(text.len()).max(1), out);
}
