//! A baseline: a file of earlier verdicts, one JSON object on each line, sorted by case.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::CaseResult;
use super::verdict::Verdict;

/// A file that is not a baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is not a verdict of wscope check: {1}")]
pub struct BaselineError(usize, &'static str);

/// Verdicts by case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<String, Verdict>);

/// How a verdict compares with the verdict in the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The verdict is the same.
    Known,
    /// The verdict is worse.
    Worse,
    /// The verdict is better: the file can be updated.
    Better,
    /// The file does not know the case.
    New,
}

impl Baseline {
    /// Reads a file that [`write`] wrote, or a report in JSON.
    ///
    /// # Errors
    ///
    /// A line is not an object with a verdict.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let mut verdicts = BTreeMap::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let error = |what| BaselineError(at + 1, what);
            let value: Value = serde_json::from_str(line).map_err(|_| error("it is not JSON"))?;
            let Some(id) = value.get("id").and_then(Value::as_str) else {
                // The first line of a baseline, the last of a report.
                let other = value.get("id").is_none()
                    && ["wscope", "event"].iter().any(|name| value.get(name).is_some());
                if other {
                    continue;
                }
                return Err(error("it is not an object with the id of a case"));
            };
            let verdict = value.get("verdict").and_then(Value::as_str);
            let verdict = Verdict::named(verdict.ok_or(error("the verdict is missing"))?);
            verdicts.insert(id.to_owned(), verdict.ok_or(error("the verdict is unknown"))?);
        }
        Ok(Self(verdicts))
    }

    /// Compares an outcome with the baseline.
    pub fn compare(&self, outcome: &CaseResult) -> Change {
        let verdict = outcome.judgement.verdict;
        match self.0.get(outcome.case.id) {
            None => Change::New,
            // This run did not find out.
            Some(_) if verdict == Verdict::Inconclusive => Change::Known,
            Some(known) if verdict > *known => Change::Worse,
            Some(known) if verdict < *known => Change::Better,
            Some(_) => Change::Known,
        }
    }

    /// The cases that did not pass, for `--rerun`.
    pub fn not_passed(&self) -> Vec<String> {
        let open = |verdict: &Verdict| !matches!(verdict, Verdict::Pass | Verdict::Skip);
        self.0.iter().filter(|(_, verdict)| open(verdict)).map(|(id, _)| id.clone()).collect()
    }
}

/// A file for [`Baseline::parse`]: the program and its version, then the verdicts. The same
/// verdicts give the same file.
pub fn write(outcomes: &[CaseResult]) -> String {
    let mut sorted: Vec<&CaseResult> = outcomes.iter().collect();
    sorted.sort_by_key(|outcome| outcome.case.id);
    let mut text = json!({ "wscope": env!("CARGO_PKG_VERSION") }).to_string();
    text.push('\n');
    for CaseResult { case, judgement } in sorted {
        let (verdict, got) = (judgement.verdict.name(), &judgement.got);
        text += &json!({ "id": case.id, "verdict": verdict, "got": got }).to_string();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, rule};
    use crate::check::verdict::Judgement;

    static A: Case = Case::new("f/a", "a", rule("RFC", "says"), "why");
    static B: Case = Case::new("f/b", "b", rule("RFC", "says"), "why");

    fn outcome(case: &'static Case, verdict: Verdict) -> CaseResult {
        CaseResult { case, judgement: Judgement::new(verdict, "got") }
    }

    #[test]
    fn what_was_written_is_read_and_compared() {
        let text = write(&[outcome(&B, Verdict::Fail), outcome(&A, Verdict::Warn)]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines[0], r#"{"got":"got","id":"f/a","verdict":"WARN"}"#);
        let known = Baseline::parse(&text).expect("a baseline");
        for (case, verdict, change) in [
            (&A, Verdict::Warn, Change::Known),
            (&A, Verdict::Fail, Change::Worse),
            (&A, Verdict::Pass, Change::Better),
            (&B, Verdict::Inconclusive, Change::Known),
        ] {
            assert_eq!(known.compare(&outcome(case, verdict)), change, "{verdict:?}");
        }
        assert_eq!(Baseline::default().compare(&outcome(&A, Verdict::Pass)), Change::New);
        assert_eq!(known.not_passed(), ["f/a", "f/b"]);
    }

    #[test]
    fn other_files_are_refused_by_line() {
        for (text, error) in [
            ("{\"wscope\":\"1\"}\nx", "line 2 is not a verdict of wscope check: it is not JSON"),
            (
                "[]",
                "line 1 is not a verdict of wscope check: it is not an object with the id of a case",
            ),
            (
                "{\"id\":5}",
                "line 1 is not a verdict of wscope check: it is not an object with the id of a case",
            ),
            (
                "{\"id\":\"f/a\",\"verdict\":\"LALA\"}",
                "line 1 is not a verdict of wscope check: the verdict is unknown",
            ),
            ("{\"id\":\"f/a\"}", "line 1 is not a verdict of wscope check: the verdict is missing"),
        ] {
            assert_eq!(Baseline::parse(text).expect_err(text).to_string(), error);
        }
    }
}
