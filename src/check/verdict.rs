//! The verdicts of a case.

/// The verdict on a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The peer follows the rule.
    Pass,
    /// The connection ended as required, but without the Close or the HTTP answer that gives the
    /// reason.
    PassBare,
    /// No rule applies; the behaviour is reported.
    Info,
    /// The case does not apply.
    Skip,
    /// A SHOULD is broken, or a Close has another code than the rule names.
    Warn,
    /// The run did not find out.
    Inconclusive,
    /// Repeated runs differ.
    Flaky,
    /// A MUST is broken.
    Fail,
}

impl Verdict {
    /// All verdicts, best first.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::PassBare,
        Self::Info,
        Self::Skip,
        Self::Warn,
        Self::Inconclusive,
        Self::Flaky,
        Self::Fail,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::PassBare => "PASS*",
            Self::Info => "INFO",
            Self::Skip => "SKIP",
            Self::Warn => "WARN",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Flaky => "FLAKY",
            Self::Fail => "FAIL",
        }
    }

    /// The verdict with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Whether it counts against the server.
    pub fn is_failure(self, strict: bool) -> bool {
        match self {
            Self::Fail | Self::Flaky => true,
            Self::Warn | Self::PassBare => strict,
            Self::Pass | Self::Info | Self::Skip | Self::Inconclusive => false,
        }
    }
}

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What wscope saw, without times and random bytes, because a baseline compares it.
    pub got: String,
    /// What fails in practice, if this differs from the subject of the case.
    pub why: Option<&'static str>,
    /// The measured values, in words.
    pub measured: Option<String>,
}

impl Judgement {
    /// A verdict with the observed behaviour.
    pub fn new(verdict: Verdict, got: impl Into<String>) -> Self {
        Self { verdict, got: got.into(), why: None, measured: None }
    }

    /// The peer itself broke a rule, whatever the case tests.
    pub fn of_own_breach(got: impl Into<String>) -> Self {
        let why = "peers that follow the rules refuse what this peer sends";
        Self { why: Some(why), ..Self::new(Verdict::Fail, got) }
    }

    /// The case crashed the server.
    pub fn of_death(got: impl Into<String>) -> Self {
        let why = "anyone who can connect can crash the server";
        Self { why: Some(why), ..Self::new(Verdict::Fail, got) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_found_by_its_name() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::named(verdict.name()), Some(verdict));
        }
    }
}
