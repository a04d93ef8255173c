//! The Test Anything Protocol, version 14.

use std::fmt::Write as _;

use super::results::Results;
use crate::check::baseline::Change;
use crate::check::verdict::Verdict;
use crate::ui::sanitize::escaped;

pub(super) fn write(results: &Results<'_>) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", results.outcomes.len());
    for (at, outcome) in results.outcomes.iter().enumerate() {
        let (case, judgement) = (outcome.case, &outcome.judgement);
        let known = results.change(outcome) == Some(Change::Known);
        let failed = judgement.verdict.is_failure(results.strict) || results.is_failure(outcome);
        let undecided = judgement.verdict == Verdict::Inconclusive;
        let word = if failed || undecided { "not ok" } else { "ok" };
        let directive = match judgement.verdict {
            Verdict::Skip => " # SKIP",
            _ if failed && known => " # TODO known",
            _ => "",
        };
        let got = escaped(judgement.got.as_bytes());
        let title = format!("{} {}", case.id, case.title).replace('#', "\\#");
        let number = at + 1;
        let _ = writeln!(text, "{word} {number} - {title}{directive}");
        if failed || undecided {
            let verdict = judgement.verdict.name();
            let quoted = |text: &str| serde_json::Value::from(text).to_string();
            let _ = writeln!(
                text,
                "  ---\n  verdict: {verdict}\n  got: {}\n  expected: {}\n  rule: {}\n  ...",
                quoted(&got),
                quoted(&case.expected()),
                quoted(&outcome.reason()),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_case_is_a_test_point() {
        let outcomes = sample::outcomes();
        let text = write(&sample::results(&outcomes));
        assert!(text.starts_with("TAP version 14\n1..4\nok 1 - f/ping a ping\nnot ok 2 - f/rsv2 "));
        assert!(text.contains("\n  got: \"a ping is answered\\\\e\"\n"), "{text}");
        assert!(text.contains("\nok 4 - z/left left # SKIP\n"));
    }
}
