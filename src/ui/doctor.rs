//! The report of `wscope doctor`: a verdict, then each step with its result and time.

use std::time::Duration;

use super::style::{Ink, Palette};
use super::{clock, diagnostic, number, sanitize, wrap};
use crate::diagnostics::Diagnostic;

/// Columns of the name of a step.
const NAME: usize = 14;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// As it should.
    Ok,
    /// Not as it should, and yet nothing has failed.
    Odd,
    /// It failed.
    Failed,
    /// The server refused it with an HTTP status.
    Refused,
    /// It could not be tried.
    Skipped,
}

impl StepOutcome {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Odd => "odd",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Ok => Ink::Good,
            Self::Odd | Self::Refused => Ink::Received,
            Self::Failed => Ink::Violation,
            Self::Skipped => Ink::Info,
        }
    }
}

/// One step of the examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorStep {
    /// What was checked, one word or two.
    pub name: &'static str,
    /// How it went.
    pub outcome: StepOutcome,
    /// What was found, raw: printers escape it.
    pub text: String,
    /// How long it took, if that means something.
    pub elapsed: Option<Duration>,
}

/// The whole examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether a WebSocket opened.
    pub opened: bool,
    /// Whether it stayed open and answered as it should.
    pub healthy: bool,
    /// The verdict in a sentence, raw.
    pub verdict: String,
    /// What explains it, and what else was found.
    pub found: Vec<Diagnostic>,
    /// The steps, in order.
    pub steps: Vec<DoctorStep>,
}

impl Examination {
    /// Appends the report as text.
    pub fn write(&self, width: usize, palette: Palette, out: &mut Vec<u8>) {
        let (ink, word) = match (self.opened, self.healthy) {
            (true, true) => (Ink::Good, "healthy"),
            (true, false) => (Ink::Violation, "opens, but not healthy"),
            (false, _) => (Ink::Violation, "no WebSocket"),
        };
        let start = out.len();
        palette.begin(ink, out);
        out.extend_from_slice(word.as_bytes());
        palette.end(out);
        out.extend_from_slice(b": ");
        line(&self.verdict, out);
        if !self.found.is_empty() {
            out.push(b'\n');
            diagnostic::write_all(&self.found, width, palette, out);
        }
        out.push(b'\n');
        for step in &self.steps {
            step.write(palette, out);
        }
        wrap::fold_from(start, width, out);
    }
}

impl DoctorStep {
    fn write(&self, palette: Palette, out: &mut Vec<u8>) {
        let word = self.outcome.name();
        palette.begin(self.outcome.ink(), out);
        out.extend_from_slice(word.as_bytes());
        palette.end(out);
        number::spaces(9 - word.len(), out);
        out.extend_from_slice(self.name.as_bytes());
        number::spaces(NAME.saturating_sub(self.name.len()).max(1), out);
        out.extend_from_slice(sanitize::escaped(self.text.as_bytes()).as_bytes());
        if let Some(elapsed) = self.elapsed {
            out.extend_from_slice(format!(" ({})", clock::millis(elapsed)).as_bytes());
        }
        out.push(b'\n');
    }
}

/// The first line of a text, escaped.
fn line(text: &str, out: &mut Vec<u8>) {
    let first = text.lines().next().unwrap_or_default();
    out.extend_from_slice(sanitize::escaped(first.as_bytes()).as_bytes());
    out.push(b'\n');
}
