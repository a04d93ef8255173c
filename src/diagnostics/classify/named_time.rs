//! A time that the server's first message names, and that is up when the peer ends the session.

use std::time::Duration;

use serde_json::Value;

use crate::diagnostics::facts::EndKind;
use crate::diagnostics::{Diagnostic, Facts};
use crate::wire::Role;

/// Parts of the names of such a time.
const NAMES: [&str; 6] = ["expire", "expiry", "ttl", "lifetime", "max_age", "maxage"];

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
            !time.is_zero() && lasted.abs_diff(time) <= TOLERANCE.min(time / 4) + time / 20
        })
    };
    value.as_object()?.iter().find_map(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        let number = value.as_f64().filter(|number| is_up(*number));
        let known = NAMES.iter().any(|part| lower.contains(part));
        number
            .filter(|_| known)
            .map(|number| (name.clone(), number))
            .or_else(|| named(value, lasted))
    })
}
