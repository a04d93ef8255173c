//! For people: the verdict first, then what did not pass, then the counts.

use std::fmt::Write as _;

use super::results::Results;
use crate::check::baseline::Change;
use crate::check::plan::CaseResult;
use crate::check::verdict::Verdict;
use crate::ui::number::counted;
use crate::ui::sanitize::escaped;
use crate::ui::style::{Ink, Palette};

pub(super) fn write(results: &Results<'_>, palette: Palette) -> Vec<u8> {
    let mut out = Vec::new();
    let (failures, all) = (results.failures(), results.outcomes.len());
    let (ink, word) = match (failures, &results.stopped) {
        (0, None) => (Ink::Good, "passed"),
        (0, Some(_)) => (Ink::Violation, "not finished"),
        _ => (Ink::Violation, "failed"),
    };
    palette.paint(ink, word, &mut out);
    let what = match failures {
        0 => counted(all as u64, "case"),
        n => format!("{n} of {}", counted(all as u64, "case")),
    };
    line(&format!(": {}, {what}", escaped(results.subject.as_bytes())), &mut out);
    if let Some(why) = &results.stopped {
        line(&format!("stopped: {}", escaped(why.as_bytes())), &mut out);
    }
    for outcome in results.outcomes {
        let shown = match outcome.judgement.verdict {
            Verdict::Fail | Verdict::Flaky | Verdict::Warn => true,
            Verdict::PassBare => results.strict,
            _ => results.is_failure(outcome) || results.outcomes.len() == 1,
        };
        if shown {
            out.push(b'\n');
            whole(results, outcome, palette, &mut out);
        }
    }
    let infos = match results.outcomes {
        [_] => Vec::new(),
        _ => short(results, Verdict::Info),
    };
    if !infos.is_empty() {
        line("", &mut out);
        for CaseResult { case, judgement } in infos {
            let measured = judgement.measured.as_ref().map(|text| format!(" ({text})"));
            let (got, measured) = (escaped(judgement.got.as_bytes()), measured.unwrap_or_default());
            let text = format!("  {:<18} {}: {got}{measured}", case.id, case.title);
            palette.paint(Ink::Info, "INFO", &mut out);
            line(&text, &mut out);
        }
    }
    if !results.strict {
        grouped(
            results,
            Verdict::PassBare,
            "the connection ended without a Close or an answer",
            &mut out,
        );
    }
    for verdict in [Verdict::Skip, Verdict::Inconclusive] {
        let mut reasons: Vec<&str> = Vec::new();
        for outcome in short(results, verdict) {
            if !reasons.contains(&outcome.judgement.got.as_str()) {
                reasons.push(&outcome.judgement.got);
            }
        }
        for reason in reasons {
            let cases = short(results, verdict);
            let count = cases.iter().filter(|outcome| outcome.judgement.got == reason).count();
            let (word, cases) = (verdict.name(), counted(count as u64, "case"));
            line(&format!("\n{word}  {cases}: {}", escaped(reason.as_bytes())), &mut out);
        }
    }
    if let Some(text) = changes(results) {
        line(&format!("\n{text}"), &mut out);
    }
    let counts: Vec<String> =
        results.counts().iter().map(|(verdict, n)| format!("{n} {}", verdict.name())).collect();
    line(&format!("\n{}", counts.join(", ")), &mut out);
    out
}

/// Describes one result in full.
fn whole(results: &Results<'_>, outcome: &CaseResult, palette: Palette, out: &mut Vec<u8>) {
    let CaseResult { case, judgement } = outcome;
    let known = match results.change(outcome) {
        Some(Change::Known) => " (known)",
        Some(Change::Worse) => " (worse than known)",
        _ => "",
    };
    let ink = match judgement.verdict {
        Verdict::Fail | Verdict::Flaky => Ink::Violation,
        Verdict::Pass => Ink::Good,
        _ => Ink::Received,
    };
    palette.paint(ink, judgement.verdict.name(), out);
    line(&format!("  {}  {}{known}", case.id, case.title), out);
    for sent in case.send.iter().take(6) {
        field("sent", sent, out);
    }
    field("expected", &case.expected(), out);
    field("got", &escaped(judgement.got.as_bytes()), out);
    if let Some(measured) = &judgement.measured {
        field("measured", measured, out);
    }
    field("why", outcome.why(), out);
    // If the received data names its own rule, that rule is the reason.
    if judgement.why.is_none() {
        field("rule", &format!("{}: \"{}\"", case.rule.section, case.rule.says), out);
    }
    field("again", &format!("{} {}", escaped(results.again.as_bytes()), case.id), out);
}

fn short<'a>(results: &'a Results<'_>, verdict: Verdict) -> Vec<&'a CaseResult> {
    results.outcomes.iter().filter(|outcome| outcome.judgement.verdict == verdict).collect()
}

fn grouped(results: &Results<'_>, verdict: Verdict, what: &str, out: &mut Vec<u8>) {
    let ids: Vec<&str> = short(results, verdict).iter().map(|outcome| outcome.case.id).collect();
    if !ids.is_empty() {
        line(&format!("\n{}  {what}: {}", verdict.name(), ids.join(" ")), out);
    }
}

fn changes(results: &Results<'_>) -> Option<String> {
    let of = |change| {
        let same = |outcome: &&CaseResult| results.change(outcome) == Some(change);
        results.outcomes.iter().filter(same).map(|outcome| outcome.case.id).collect::<Vec<_>>()
    };
    results.baseline?;
    let mut text = String::new();
    for (change, words) in [
        (Change::Worse, "worse than the baseline"),
        (Change::Better, "better than the baseline; --write-baseline updates it"),
    ] {
        let ids = of(change);
        if !ids.is_empty() {
            let _ = writeln!(text, "{words}: {}", ids.join(" "));
        }
    }
    (!text.is_empty()).then(|| text.trim_end().to_owned())
}

fn field(name: &str, text: &str, out: &mut Vec<u8>) {
    line(&format!("      {name:<9} {text}"), out);
}

fn line(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_verdict_comes_first_then_what_did_not_pass_then_the_counts() {
        let outcomes = sample::outcomes();
        let text = write(&sample::results(&outcomes), Palette::default());
        assert_eq!(
            String::from_utf8(text).expect("text"),
            "failed: ws://127.0.0.1:1/, 1 of 4 cases

FAIL  f/rsv2  a text frame <with> RSV2
      sent      /frame text rsv2=on x
      expected  Close 1002, or the end of the connection
      got       a ping is answered\\e
      why       because
      rule      RFC 1 §2: \"must\"
      again     wscope check ws://127.0.0.1:1/ f/rsv2

WARN  k/odd  odd
      expected  the connection stays open and answers a ping
      got       Close 1011, 100%
      why       why
      rule      RFC 1 §3: \"should\"
      again     wscope check ws://127.0.0.1:1/ k/odd

SKIP  1 case: no permessage-deflate

1 PASS, 1 SKIP, 1 WARN, 1 FAIL
"
        );
    }
}
