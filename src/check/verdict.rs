//! The verdicts of a case.

/// What an outcome is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As the rule has it.
    Pass,
    /// The right end, but without the Close or the HTTP answer that says why.
    PassBare,
    /// Nothing is prescribed; what happened is reported.
    Info,
    /// The case means nothing here.
    Skip,
    /// A SHOULD is broken, or the code of a Close is another one.
    Warn,
    /// It was not found out.
    Inconclusive,
    /// Two runs differed.
    Flaky,
    /// A MUST is broken.
    Fail,
}

impl Verdict {
    /// All of them, the best first.
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

    /// The word for it.
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

    /// The verdict of this name.
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
    /// What was seen, without times and random bytes: it is compared with a baseline.
    pub got: String,
    /// What breaks in the field, where that is not what the case is about.
    pub why: Option<&'static str>,
    /// What was measured, in words.
    pub measured: Option<String>,
}

impl Judgement {
    /// A verdict on what was seen.
    pub fn new(verdict: Verdict, got: impl Into<String>) -> Self {
        Self { verdict, got: got.into(), why: None, measured: None }
    }

    /// The peer broke a rule in what it sent, whatever the case is about.
    pub fn of_own_breach(got: impl Into<String>) -> Self {
        let why = "peers that follow the rules refuse what this peer sends";
        Self { why: Some(why), ..Self::new(Verdict::Fail, got) }
    }

    /// The server died of the case.
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
