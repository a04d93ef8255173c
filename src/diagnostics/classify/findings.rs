//! The diagnostics that the layers have found so far.

use crate::diagnostics::{Diagnostic, Facts, Severity};

/// The diagnostics so far, and the facts that support or rule out their causes.
pub(super) struct Findings<'f> {
    pub(super) found: Vec<Diagnostic>,
    pub(super) facts: &'f Facts<'f>,
}

impl Findings<'_> {
    /// Adds the entry with this code, unless it is already there.
    pub(super) fn add(&mut self, code: &str, shape: impl FnOnce(Diagnostic) -> Diagnostic) {
        if !self.has(code) {
            self.found.extend(Diagnostic::weighed(code, self.facts).map(shape));
        }
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.found.iter().any(|found| found.entry.code == code)
    }

    pub(super) fn has_error(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }
}
