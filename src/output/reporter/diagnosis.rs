//! Diagnostics on their way to who wants them: objects for machines, text for people.

use std::io;

use crate::diagnostics::{Diagnostic, Family, Severity};
use crate::event::ConnId;
use crate::net::stdio::Stdout;
use crate::output::reporter::{Place, Reporter};
use crate::ui::diagnostic;

/// How a connection ended, as far as it decides what is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Something failed: everything that explains it is wanted.
    Failed,
    /// All went well: only what is odd is wanted.
    Fine,
}

impl Reporter {
    /// Tells machines: JSON on stdout, and the log.
    ///
    /// # Errors
    ///
    /// The log can't be written.
    pub fn diagnose(
        &mut self,
        found: &[Diagnostic],
        mood: Mood,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        let worthy = worth_telling(found, mood, true);
        if worthy.is_empty() {
            return Ok(());
        }
        let stamp = self.stamp();
        if let Some(json) = &mut self.json {
            json.diagnostics(&stamp, &worthy, stdout.buffer());
        }
        match &mut self.log {
            Some(log) => log.diagnostics(&stamp, &worthy),
            None => Ok(()),
        }
    }

    /// Tells machines, and the transcript where there is one, about one of many connections.
    ///
    /// # Errors
    ///
    /// stdout, stderr or the log failed.
    pub fn diagnose_of(
        &mut self,
        conn: ConnId,
        found: &[Diagnostic],
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let stamp = self.stamp_of(conn);
        if let Some(json) = &mut self.json {
            json.diagnostics(&stamp, found, stdout.buffer());
        }
        if let Some(log) = &mut self.log {
            log.diagnostics(&stamp, found)?;
        }
        let mut text = Vec::new();
        diagnostic::write_all(found, self.width, self.advice, &mut text);
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        let out = match transcript.place {
            Place::Stdout => stdout.buffer(),
            _ => &mut transcript.lines,
        };
        // Each line tells whose it is, as those of the transcript do.
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            out.extend_from_slice(format!("[{}] ", conn.0).as_bytes());
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        self.flush()
    }

    /// The text for people: empty with `-q`, and where all went well and nobody looks closely.
    pub fn advice(&self, found: &[Diagnostic], mood: Mood, at_prompt: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let wanted = mood == Mood::Failed || self.verbose > 0 || at_prompt;
        if wanted && !self.quiet {
            let worthy = worth_telling(found, mood, self.verbose > 0);
            diagnostic::write_all(&worthy, self.width, self.advice, &mut out);
        }
        out
    }
}

/// The verdict on a failure, what is wrong beside it, what is odd about frames, and which protocol is
/// spoken inside; other notes only if `all` are wanted, and something failed.
fn worth_telling(found: &[Diagnostic], mood: Mood, all: bool) -> Vec<Diagnostic> {
    let failed = mood == Mood::Failed;
    let mut at = 0;
    let mut worthy = found.to_vec();
    worthy.retain(|diagnostic| {
        let first = at == 0;
        at += 1;
        let inside = diagnostic.entry.family == Family::Application;
        let frames = diagnostic.entry.family == Family::Frames;
        diagnostic.severity != Severity::Note || inside || (failed && (first || frames || all))
    });
    worthy
}
