//! Annotations of a GitHub workflow: an error for each FAIL, a warning for each WARN.

use std::fmt::Write as _;

use super::results::Results;
use crate::check::verdict::Verdict;

/// GitHub shows ten annotations of a kind for each step.
const MOST: usize = 10;

pub(super) fn write(results: &Results<'_>) -> String {
    let mut text = String::new();
    let (mut errors, mut warnings) = (0, 0);
    for outcome in results.outcomes {
        let (word, count) = match outcome.judgement.verdict {
            _ if results.is_failure(outcome) => ("error", &mut errors),
            Verdict::Warn | Verdict::Inconclusive => ("warning", &mut warnings),
            _ => continue,
        };
        *count += 1;
        if *count <= MOST {
            let (case, got) = (outcome.case, &outcome.judgement.got);
            let title = format!("{} {}", outcome.judgement.verdict.name(), case.id);
            let text_of = format!("{}: {got}; {}", case.title, outcome.reason());
            let _ = writeln!(text, "::{word} title={}::{}", property(&title), data(&text_of));
        }
    }
    let counts: Vec<String> =
        results.counts().iter().map(|(verdict, n)| format!("{n} {}", verdict.name())).collect();
    let _ = writeln!(
        text,
        "::notice title=wscope check::{}",
        data(&format!("{}: {}", results.subject, counts.join(", ")))
    );
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_failed_is_an_error_and_what_is_odd_a_warning() {
        let outcomes = sample::outcomes();
        let text = write(&sample::results(&outcomes));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("::error title=FAIL f/rsv2::a text frame <with> RSV2: "));
        assert!(lines[1].starts_with("::warning title=WARN k/odd::odd: Close 1011, 100%25; "));
        assert!(lines[2].starts_with("::notice title=wscope check::ws://127.0.0.1:1/: 1 PASS"));
    }
}
