//! Explanations, one file per family: as text and as JSON lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wscope::diagnostics::{Diagnostic, Facts, Severity, classify};
use wscope::event::{ConnId, Stamp};
use wscope::ui::JsonPrinter;
use wscope::ui::diagnostic;
use wscope::ui::style::Palette;
use wscope::wire::Role;

use crate::schema::Line;

/// 2026-11-21T12:03:04.120000Z.
const NOON: i64 = 1_795_262_584_120_000;

/// The explanations of a family of fixtures.
#[derive(Default)]
pub struct Golden {
    text: String,
    json: String,
    /// The codes that have a fixture.
    pub codes: BTreeSet<&'static str>,
}

impl Golden {
    /// Adds facts; `code` must be the verdict.
    #[track_caller]
    pub fn verdict(&mut self, code: &'static str, what: &str, facts: &Facts<'_>) {
        let found = classify(facts);
        let first = found.first().map(|found| found.entry.code);
        assert_eq!(first, Some(code), "{what}");
        self.add(code, what, &found);
    }

    /// Adds facts; a diagnostic after the first one must have this code.
    #[track_caller]
    pub fn beside(&mut self, code: &'static str, what: &str, facts: &Facts<'_>) {
        let found = classify(facts);
        let codes: Vec<_> = found.iter().map(|found| found.entry.code).collect();
        assert!(codes[1..].contains(&code), "{what}: {codes:?}");
        self.add(code, what, &found);
    }

    fn add(&mut self, code: &'static str, what: &str, found: &[Diagnostic]) {
        self.codes.insert(code);
        let mut out = Vec::new();
        diagnostic::write_all(found, 100, Palette::default(), &mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        for line in text.lines() {
            let whole = line.contains('`') || line.contains("  -->");
            assert!(whole || line.chars().count() <= 100, "too wide: {line}");
        }
        writeln!(self.text, "== {code}: {what}\n\n{text}").expect("a String takes all");
        self.json.push_str(&json(found));
        assert!(found.is_sorted_by_key(|found| found.severity));
        assert!(found.iter().skip(1).all(|beside| found[0].severity <= beside.severity));
        let errors = found.iter().filter(|found| found.severity == Severity::Error).count();
        assert!(errors <= 3, "{what}: so many errors explain nothing");
    }

    /// Compares the explanations with the committed files, or writes them.
    pub fn compare(&self, name: &str) {
        crate::committed::compare("diagnostics", name, &self.text, &self.json);
    }
}

/// The JSON objects. Each one is checked against the schema.
fn json(found: &[Diagnostic]) -> String {
    let stamp = Stamp { micros: NOON, conn: ConnId(1) };
    let mut out = Vec::new();
    JsonPrinter::new(Some(Role::Client)).diagnostics(&stamp, found, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let (_start, objects) = text.split_once('\n').expect("the first object");
    for (at, line) in objects.lines().enumerate() {
        let line: Line = serde_json::from_str(line).expect("as documented");
        let Line::Diagnostic { verdict, span, .. } = line else { panic!("a diagnostic") };
        assert_eq!(verdict, at == 0);
        if let Some(span) = span {
            assert!(span.mark_start <= span.mark_end);
            assert!(span.text.is_some() != span.base64.is_some());
        }
    }
    objects.to_owned()
}
