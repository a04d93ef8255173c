//! Reports why there is no connection.

use std::io;

use crate::diagnostics::{BODY, Diagnostic};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::output::notifier::Notifier;
use crate::output::reporter::EndSeverity;
use crate::ui::sanitize::escaped;

/// Reports why a connection could not be opened.
///
/// # Errors
///
/// This side failed.
pub fn refused(
    error: OpenError,
    evidence: &OpeningEvidence,
    runtime: &mut Runtime,
) -> anyhow::Result<Exit> {
    if let Some(signal) = runtime.drain_stdout(None)? {
        return Ok(OpenError::Signal(signal).exit());
    }
    match error {
        OpenError::Local(error) => Err(error.into()),
        error => {
            if !matches!(error, OpenError::Signal(_)) {
                let notifier = Notifier::Stderr { quiet: !runtime.reporter.prints_warnings() };
                failed(&error, &notifier, evidence, runtime)?;
                runtime.drain_stdout(None)?;
            }
            runtime.record.facts.errormsg = Some(error.to_string());
            Ok(error.exit())
        }
    }
}

/// Reports why a connection could not be opened, and explains it.
pub fn failed(
    error: &OpenError,
    notifier: &Notifier,
    evidence: &OpeningEvidence,
    runtime: &mut Runtime,
) -> io::Result<()> {
    let text = error.to_string();
    let text = if runtime.reporter.prints_warnings() { text.as_str() } else { one_line(&text) };
    let mut found = evidence.explain(error);
    runtime.reporter.finish_lines(&mut runtime.stdout);
    runtime.stdout.flush()?;
    notifier.error(&lead(&found, text, runtime));
    runtime.reporter.diagnose(&found, EndSeverity::Failed, &mut runtime.stdout)?;
    let quoted = matches!(error, OpenError::Refused { body, .. } if !body.is_empty());
    if quoted || runtime.reporter.shows_bodies() {
        // The answer has just been shown.
        found.iter_mut().for_each(|found| found.notes.retain(|note| !note.starts_with(BODY)));
    }
    let first = one_line(text);
    let found: Vec<Diagnostic> = found.into_iter().map(|found| found.below(first)).collect();
    notifier.advice(&runtime.reporter.advice(&found, EndSeverity::Failed, false));
    runtime.stdout.flush()
}

/// An error that begins with its cause, if known. Text from outside is escaped, and secrets are
/// removed.
pub fn lead(found: &[Diagnostic], text: &str, runtime: &Runtime) -> String {
    let Some(verdict) = found.first() else { return text.to_owned() };
    let (first, rest) = text.split_at(one_line(text).len());
    // Only the added text may contain raw text from outside.
    let led = verdict.lead(first);
    let front = led.strip_suffix(first).unwrap_or_default();
    let front = escaped(front.as_bytes());
    let front = runtime.reporter.redactor().sentence(&front);
    format!("{front}{first}{rest}")
}

/// The first line of a text.
pub fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
