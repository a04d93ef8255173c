//! Endings without a closing handshake: what the clocks show.

use std::time::Duration;

use super::closing::was_closed;
use super::findings::Findings;
use crate::diagnostics::Facts;
use crate::diagnostics::facts::{End, EndKind};
use crate::wire::ViolationKind;

/// Timers of well-known proxies: seconds of silence, and the entry.
const IDLE_TIMERS: [(u64, &str); 8] = [
    (30, "W804"),
    (55, "W805"),
    (60, "W806"),
    (100, "W807"),
    (240, "W808"),
    (300, "W809"),
    (350, "W810"),
    (600, "W811"),
];

/// AWS API Gateway's longest connection, in seconds.
const GATEWAY_LIFETIME: u64 = 7200;

/// Google Cloud's backend timeout counts from the start, in seconds.
const GOOGLE_LIFETIME: u64 = 30;

/// No limit on a size is smaller, in bytes.
const LEAST_LIMIT: u64 = 256;

pub(super) fn ending(facts: &Facts<'_>, found: &mut Findings) {
    if let Some(time) = facts.stalled {
        found.add("W819", |d| d.note(format!("stdout was blocked for {}", seconds(time))));
    }
    let Some(end) = facts.end else { return };
    match end.how {
        EndKind::CloseTimeout => found.add("W816", |d| d),
        EndKind::Dead => found.add("W818", |d| d.note(clocks(&end))),
        EndKind::Fin | EndKind::Reset if !was_closed(facts) => lost(facts, &end, found),
        _ => {}
    }
}

fn lost(facts: &Facts<'_>, end: &End, found: &mut Findings) {
    let cut = facts.violations.iter().find(|v| v.kind == ViolationKind::CutInsideFrame);
    if end.partial > 0 || cut.is_some() {
        let round = end.partial >= LEAST_LIMIT && end.partial.is_power_of_two();
        let partial = end.partial;
        found.add("W803", |d| {
            d.note_if(cut.map(|violation| violation.detail.clone()))
                .note_if((partial > 0).then(|| format!("{partial} bytes of the frame came")))
                .note_if(round.then_some("that is a power of two, as limits are"))
                .note(clocks(end))
        });
    }
    // A peer that waited for us has a reason of its own to leave.
    let timed = timer(facts, end).filter(|_| facts.stalled.is_none());
    if let Some(code) = timed {
        found.add(code, |d| {
            let d = match (code, end.how) {
                (_, EndKind::Fin) => d.note("it ended with FIN and without a Close frame"),
                _ => d.note("it ended with a reset"),
            };
            let d = d.note(clocks(end));
            match code == "W804" && !is_near(end.idle, GOOGLE_LIFETIME) {
                true => {
                    d.without_causes(1).help("raise `timeoutSec` of Google Cloud's backend service")
                }
                false => d,
            }
        });
    }
    let code = if end.how == EndKind::Reset { "W802" } else { "W801" };
    // Beside a better explanation this would add nothing.
    if !found.has_error() {
        found.add(code, |d| d.note(clocks(end)));
    }
}

/// The entry whose clock fits.
fn timer(facts: &Facts<'_>, end: &End) -> Option<&'static str> {
    let of = |time: Duration| IDLE_TIMERS.iter().find(|(s, _)| is_near(time, *s)).map(|(_, c)| *c);
    if let Some(code) = of(end.idle) {
        return Some(code);
    }
    // Pings kept the path busy, but not the application's clock.
    if facts.pings.answered > 0 && end.idle * 2 < end.idle_data && of(end.idle_data).is_some() {
        return Some("W815");
    }
    if is_near(end.lifetime, GATEWAY_LIFETIME) {
        return Some("W812");
    }
    let alike = |other: &Duration| is_within(end.lifetime, *other);
    if !facts.others.lifetimes.is_empty() && facts.others.lifetimes.iter().all(alike) {
        return Some("W814");
    }
    is_near(end.lifetime, GOOGLE_LIFETIME).then_some("W804")
}

fn is_near(time: Duration, seconds: u64) -> bool {
    is_within(time, Duration::from_secs(seconds))
}

/// Give or take 2 %.
fn is_within(time: Duration, other: Duration) -> bool {
    time.abs_diff(other) <= other / 50
}

fn clocks(end: &End) -> String {
    format!(
        "{} after the 101, {} after the last byte, {} after the last message",
        seconds(end.lifetime),
        seconds(end.idle),
        seconds(end.idle_data)
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_met_within_two_percent_and_no_two_overlap() {
        let near = |millis| {
            let time = Duration::from_millis(millis);
            IDLE_TIMERS
                .iter()
                .filter(|(s, _)| is_near(time, *s))
                .map(|(_, c)| *c)
                .collect::<Vec<_>>()
        };
        assert_eq!(near(58_800), ["W806"]);
        assert_eq!(near(61_200), ["W806"]);
        assert_eq!(near(61_201), [""; 0]);
        assert_eq!(near(58_799), [""; 0]);
        for (seconds, code) in IDLE_TIMERS {
            assert_eq!(near(seconds * 980), [code]);
            assert_eq!(near(seconds * 1020), [code]);
        }
    }
}
