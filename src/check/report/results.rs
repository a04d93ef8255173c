//! All results of a run, and their totals.

use crate::check::baseline::{Baseline, Change};
use crate::check::plan::CaseResult;
use crate::check::verdict::Verdict;

/// All results of a run.
pub struct Results<'a> {
    /// The subject of the run: the URL of a server, or the command or address of clients.
    pub subject: &'a str,
    /// The URL, without credentials.
    pub url: &'a str,
    /// The command line that runs cases again, without case ids.
    pub again: &'a str,
    /// The outcome of each case, in the order of the table.
    pub outcomes: &'a [CaseResult],
    /// Why the run stopped before its end.
    pub stopped: Option<String>,
    /// The baseline, if one was given.
    pub baseline: Option<&'a Baseline>,
    /// WARN and PASS* count as failed, and a baseline must be exact.
    pub strict: bool,
    /// Whether the peer echoes.
    pub echoes: bool,
}

impl Results<'_> {
    /// Whether a result counts as failed: by itself, or compared with the baseline.
    pub fn is_failure(&self, outcome: &CaseResult) -> bool {
        let failed = outcome.judgement.verdict.is_failure(self.strict);
        match self.change(outcome) {
            Some(Change::Worse) => true,
            Some(Change::Known) => false,
            Some(Change::Better) => self.strict,
            Some(Change::New) | None => failed,
        }
    }

    /// How a result compares with the baseline.
    pub fn change(&self, outcome: &CaseResult) -> Option<Change> {
        self.baseline.map(|baseline| baseline.compare(outcome))
    }

    /// How many results count as failed.
    pub fn failures(&self) -> usize {
        self.outcomes.iter().filter(|outcome| self.is_failure(outcome)).count()
    }

    /// How many results have each verdict; verdicts without results are left out.
    pub fn counts(&self) -> Vec<(Verdict, usize)> {
        let count = |verdict: Verdict| {
            self.outcomes.iter().filter(|outcome| outcome.judgement.verdict == verdict).count()
        };
        Verdict::ALL
            .iter()
            .map(|verdict| (*verdict, count(*verdict)))
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}
