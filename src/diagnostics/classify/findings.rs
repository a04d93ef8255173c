//! The diagnostics that the layers have found so far.

use crate::diagnostics::{Diagnostic, Severity};

/// What has been found so far.
pub(super) struct Findings(pub(super) Vec<Diagnostic>);

impl Findings {
    /// Adds the entry with a code, once.
    pub(super) fn add(&mut self, code: &str, shape: impl FnOnce(Diagnostic) -> Diagnostic) {
        if !self.has(code) {
            self.0.extend(Diagnostic::of(code).map(shape));
        }
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|found| found.entry.code == code)
    }

    pub(super) fn has_error(&self) -> bool {
        self.0.iter().any(|found| found.severity == Severity::Error)
    }
}
