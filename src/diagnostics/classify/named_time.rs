//! A time that the server's first message names, and that is up when the peer ends the session.

use std::time::Duration;

use serde_json::Value;

use crate::diagnostics::facts::EndKind;
use crate::diagnostics::{Diagnostic, Facts};
use crate::wire::Role;

/// Words in the names of such a time.
const NAMES: [&str; 8] =
    ["expire", "expires", "expiry", "expiration", "ttl", "lifetime", "max_age", "maxage"];

/// How much earlier than that time the end may come: clocks tick.
const TICK: Duration = Duration::from_millis(20);

/// How much later than that time the end may come, besides a twentieth of it.
const TOLERANCE: Duration = Duration::from_millis(200);

/// Adds the time as a cause, if no fact supports another one.
pub(super) fn named_time(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    match fact(facts).filter(|_| !d.is_supported()) {
        Some(fact) => d
            .suggests("the time that the server's first message names is up", fact)
            .help("renew what the message names before that time, as the application expects it, or connect again"),
        None => d,
    }
}

fn fact(facts: &Facts<'_>) -> Option<String> {
    let end = facts.end.filter(|_| facts.role == Role::Client)?;
    let lasted = match end.how {
        EndKind::Fin | EndKind::Reset => end.lifetime,
        // The end of TCP may come long after the Close.
        EndKind::Closed if facts.close.by_peer => end.last,
        _ => return None,
    };
    let (_, first) = facts.stream.message?;
    let (name, number) = named(&serde_json::from_slice(first).ok()?, lasted)?;
    Some(format!("\"{name}\" is {number}, and the end came after {:.1} s", lasted.as_secs_f64()))
}

/// The member with such a name whose number of seconds or milliseconds is this time.
fn named(value: &Value, lasted: Duration) -> Option<(String, f64)> {
    let is_up = |number: f64| {
        [number, number / 1000.0].into_iter().any(|seconds| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            let until = time + TOLERANCE.min(time / 4) + time / 20;
            !time.is_zero() && (time..=until).contains(&(lasted + TICK))
        })
    };
    value.as_object()?.iter().find_map(|(name, value)| {
        let number = value.as_f64().filter(|number| is_up(*number));
        number
            .filter(|_| is_named(name))
            .map(|number| (name.clone(), number))
            .or_else(|| named(value, lasted))
    })
}

/// Whether one of the words of a name means such a time: `token_ttl`, `expiresIn`, but not `battle`.
fn is_named(name: &str) -> bool {
    let mut words = String::from("_");
    let mut small = false;
    for c in name.chars() {
        if small && c.is_ascii_uppercase() {
            words.push('_');
        }
        small = c.is_ascii_lowercase();
        words.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    words.push('_');
    NAMES.iter().any(|word| words.contains(&format!("_{word}_")))
}
