//! Times as texts, and a ping interval for an idle time.

use std::time::Duration;

use crate::diagnostics::clue::is_round_age;
use crate::diagnostics::facts::SILENCE;
use crate::diagnostics::{Diagnostic, Facts};

/// A ping interval that prevents a timer of this length from expiring, as the value of an option.
/// It is half of the time; for a long time, it is less.
pub(super) fn ping_interval(silence: Duration) -> String {
    let seconds = silence.as_secs_f64();
    match seconds {
        // Half of the time, rounded down to a tenth, because a clock is never exact.
        ..10.0 => format!("{}", ((seconds * 10.0).round() / 2.0).floor() / 10.0),
        _ => format!("{}", (seconds * 0.4).floor()),
    }
}

/// A time in seconds, for example `2.0 s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Adds a limit on the age as a possible cause, if the connection ended at a round age and was in
/// use until then. `quiet` is the time without traffic before the end.
pub(super) fn aged(d: Diagnostic, facts: &Facts<'_>, age: Duration, quiet: Duration) -> Diagnostic {
    let in_use = facts.stream.messages > 0 && quiet < SILENCE && !facts.stream.ended_on_ours;
    if !in_use || !is_round_age(age) {
        return d;
    }
    let (age, quiet) = (seconds(age), quiet.as_millis());
    let mut d = d.note(format!(
        "it ended {age} after the 101, and {quiet} ms after other traffic: it was not idle"
    ));
    let other = ["idle timeout", "age of connections"];
    d.causes.retain(|cause| !other.iter().any(|words| cause.text.contains(words)));
    d.possible("a limit on the age of a connection, not an idle timeout: of a proxy, of a service (Cloud Run: at most 60 min; AWS API Gateway: 2 h), or of a token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_comes_before_the_timer() {
        for (silence, often) in [
            (1000, "0.5"),
            (2003, "1"),
            (3000, "1.5"),
            (30_000, "12"),
            (60_000, "24"),
            (350_000, "140"),
        ] {
            assert_eq!(ping_interval(Duration::from_millis(silence)), often);
        }
    }
}
