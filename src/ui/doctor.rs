//! The report of `wscope doctor`: a verdict, then each step with its result and time.

use std::time::Duration;

use super::style::{Ink, Palette};
use super::{clock, diagnostic, number, sanitize, wrap};
use crate::diagnostics::Diagnostic;

/// The width of a step's name, in columns.
const NAME: usize = 14;

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It succeeded.
    Ok,
    /// It was unusual, but nothing has failed.
    Odd,
    /// It failed.
    Failed,
    /// The server refused it with an HTTP status.
    Refused,
    /// It was not possible.
    Skipped,
}

impl StepOutcome {
    /// The name in the report.
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
    /// The outcome.
    pub outcome: StepOutcome,
    /// The result as raw text: printers escape it.
    pub text: String,
    /// The duration, if it is meaningful.
    pub elapsed: Option<Duration>,
}

/// The whole examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether a WebSocket opened.
    pub opened: bool,
    /// Whether it stayed open and answered correctly.
    pub healthy: bool,
    /// The verdict in a sentence, as raw text.
    pub verdict: String,
    /// The diagnostics: those that explain the verdict, and others.
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
        palette.paint(ink, word, out);
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
        palette.paint(self.outcome.ink(), word, out);
        number::spaces(9 - word.len(), out);
        out.extend_from_slice(self.name.as_bytes());
        number::spaces(NAME.saturating_sub(self.name.len()).max(1), out);
        out.extend_from_slice(sanitize::escaped(self.text.as_bytes()).as_bytes());
        if let Some(elapsed) = self.elapsed {
            out.extend_from_slice(format!(" ({})", clock::brief(elapsed)).as_bytes());
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
