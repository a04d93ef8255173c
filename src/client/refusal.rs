//! Reports why there is no connection.

use std::io;

use crate::diagnostics::BODY;
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::output::notifier::Notifier;
use crate::output::reporter::EndSeverity;

/// Reports why there is no connection.
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

/// Reports why there is no connection, and explains it.
pub fn failed(
    error: &OpenError,
    notifier: &Notifier,
    evidence: &OpeningEvidence,
    runtime: &mut Runtime,
) -> io::Result<()> {
    let text = error.to_string();
    let line = if runtime.reporter.prints_warnings() { text.as_str() } else { one_line(&text) };
    notifier.error(line);
    let mut found = evidence.explain(error);
    runtime.reporter.diagnose(&found, EndSeverity::Failed, &mut runtime.stdout)?;
    if matches!(error, OpenError::Refused { body, .. } if !body.is_empty()) {
        // The answer has just been shown whole; a transcript shows its head alone.
        found.iter_mut().for_each(|found| found.notes.retain(|note| !note.starts_with(BODY)));
    }
    notifier.advice(&runtime.reporter.advice(&found, EndSeverity::Failed, false));
    runtime.stdout.flush()
}

/// The first line of a text.
pub fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
