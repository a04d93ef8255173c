//! A file of JUnit: a suite for each area, a test case for each case.

use std::fmt::Write as _;

use super::results::Results;
use crate::check::plan::CaseResult;
use crate::check::verdict::Verdict;

pub(super) fn write(results: &Results<'_>) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wscope check\">\n",
    );
    let mut rest = results.outcomes;
    while let Some(first) = rest.first() {
        let area = first.case.area();
        let len = rest.iter().take_while(|outcome| outcome.case.area() == area).count();
        let (suite, others) = rest.split_at(len);
        rest = others;
        let count = |is: &dyn Fn(&CaseResult) -> bool| suite.iter().filter(|one| is(one)).count();
        let of = |verdict| move |one: &CaseResult| one.judgement.verdict == verdict;
        let _ = writeln!(
            text,
            "<testsuite name=\"{area}\" tests=\"{len}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            count(&|one| results.is_failure(one)),
            count(&of(Verdict::Inconclusive)),
            count(&of(Verdict::Skip)),
        );
        let _ = writeln!(
            text,
            "<properties><property name=\"url\" value=\"{}\"/><property name=\"wscope\" value=\"{}\"/></properties>",
            escaped(results.url),
            env!("CARGO_PKG_VERSION"),
        );
        suite.iter().for_each(|outcome| case(results, outcome, &mut text));
        text += "</testsuite>\n";
    }
    text += "</testsuites>\n";
    text
}

fn case(results: &Results<'_>, outcome: &CaseResult, text: &mut String) {
    let CaseResult { case, judgement } = outcome;
    let (name, title) = (escaped(case.id), escaped(case.title));
    let _ = write!(
        text,
        "<testcase classname=\"wscope.check.{}\" name=\"{name} {title}\"",
        case.area()
    );
    let got = escaped(&judgement.got);
    let verdict = judgement.verdict;
    if results.is_failure(outcome) {
        let detail = format!(
            "sent: {}\nexpected: {}\ngot: {}\nrule: {}\n",
            case.send.join("; "),
            case.expected(),
            judgement.got,
            outcome.reason()
        );
        let detail = escaped(&detail);
        let _ = writeln!(
            text,
            "><failure type=\"{}\" message=\"{got}\">{detail}</failure></testcase>",
            verdict.name()
        );
    } else if verdict == Verdict::Skip {
        let _ = writeln!(text, "><skipped message=\"{got}\"/></testcase>");
    } else if verdict == Verdict::Inconclusive {
        let _ = writeln!(text, "><error type=\"INCONCLUSIVE\" message=\"{got}\"/></testcase>");
    } else {
        let _ = writeln!(text, "><system-out>{}: {got}</system-out></testcase>", verdict.name());
    }
}

/// Escapes text for an element or an attribute. Characters that XML can't write become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn suites_count_and_text_is_escaped() {
        let outcomes = sample::outcomes();
        let text = write(&sample::results(&outcomes));
        assert!(text.contains(
            "<testsuite name=\"f\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"
        ));
        assert!(
            text.contains("name=\"f/rsv2 a text frame &lt;with&gt; RSV2\"><failure type=\"FAIL\"")
        );
        assert!(text.contains("message=\"a ping is answered\u{fffd}\""));
        assert!(text.contains("><skipped message=\"no permessage-deflate\"/></testcase>"));
        assert_eq!(text.matches("<testsuite ").count(), text.matches("</testsuite>").count());
    }
}
