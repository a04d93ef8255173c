//! Times as texts, and a ping interval for an idle time.

use std::time::Duration;

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
