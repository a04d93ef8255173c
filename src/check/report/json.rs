//! For machines: an object for each case, then one with the counts.

use serde_json::{Map, Value, json};

use super::results::Results;
use crate::check::baseline::Change;
use crate::check::plan::CaseResult;

pub(super) fn write(results: &Results<'_>) -> String {
    let mut text = String::new();
    for outcome in results.outcomes {
        let CaseResult { case, judgement } = outcome;
        let mut object = json!({
            "event": "case",
            "id": case.id,
            "title": case.title,
            "verdict": judgement.verdict.name(),
            "failed": results.is_failure(outcome),
            "level": outcome.level().name(),
            "sent": case.send,
            "expected": case.expected(),
            "got": judgement.got,
            "why": outcome.why(),
            "rule": { "section": case.rule.section, "says": case.rule.says },
        });
        if let Some(measured) = &judgement.measured {
            object["measured"] = Value::from(measured.as_str());
        }
        if let Some(change) = results.change(outcome) {
            object["baseline"] = Value::from(match change {
                Change::Known => "known",
                Change::Worse => "worse",
                Change::Better => "better",
                Change::New => "new",
            });
        }
        text += &object.to_string();
        text.push('\n');
    }
    let counts: Map<String, Value> =
        results.counts().into_iter().map(|(v, n)| (v.name().to_owned(), n.into())).collect();
    let summary = json!({
        "event": "summary",
        "url": results.url,
        "wscope": env!("CARGO_PKG_VERSION"),
        "cases": results.outcomes.len(),
        "failures": results.failures(),
        "counts": counts,
        "echo": results.echoes,
        "stopped": results.stopped,
    });
    text += &summary.to_string();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_line_is_an_object_and_the_last_one_counts() {
        let outcomes = sample::outcomes();
        let text = write(&sample::results(&outcomes));
        let objects: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(objects.len(), 5);
        assert_eq!((&objects[1]["id"], &objects[1]["failed"]), (&"f/rsv2".into(), &true.into()));
        assert_eq!(objects[4]["counts"], json!({"PASS": 1, "SKIP": 1, "WARN": 1, "FAIL": 1}));
    }
}
