//! From facts to diagnostics: the layers are checked in the order in which a connection is opened,
//! and the first one that explains the failure ends the search.
//!
//! The order: URL, name, TCP, proxy, TLS, first bytes, status, 101, bytes after it, frames, close
//! code, ending and timing, the protocol inside. No layer uses the findings of another.

mod application;
mod clocks;
pub(super) mod closing;
mod ending;
mod findings;
mod frames;
mod named_time;
mod reaching;
pub(super) mod response;
mod served;
mod stream;
mod switching;
mod tls;
pub(super) mod tried;
pub(super) mod why_closed;

use super::facts::Variation;
use super::own_request;
use super::{Clue, Diagnostic, Facts, Family, Severity};
pub use ending::WITHOUT_CLOSE;
use findings::Findings;
pub use switching::PROBE_SUBPROTOCOL;

/// Adds the diagnostics of one layer.
type Layer = fn(&Facts<'_>, &mut Findings<'_>);

/// The layers, in the order in which they are checked.
const LAYERS: [Layer; 15] = [
    reaching::url,
    reaching::lookup,
    reaching::tcp,
    reaching::proxy,
    tls::tls,
    reaching::first_bytes,
    served::refused,
    response::refusal,
    switching::switching,
    stream::first_bytes,
    frames::frames,
    served::left,
    closing::closing,
    ending::ending,
    application::application,
];

/// Puts the value that opens, or that the server names, into the help of a proved cause.
fn with_value(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    let opened = |variation| {
        let trial = facts.trial(variation).filter(|trial| trial.status() == Some(101))?;
        Some((trial.to_string(), trial.what.clone()))
    };
    let named = || {
        let name = facts.response?.get("Sec-WebSocket-Protocol")?;
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        Some((Clue::SubprotocolNamed.seen(facts)?, name))
    };
    let known = [
        ("`-s NAME`", opened(Variation::Subprotocol).or_else(named)),
        ("`-o ORIGIN`", opened(Variation::OwnOrigin)),
    ];
    // Such a value may be a part of a command.
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:/_-[]".contains(c);
    let because = d.causes.first().and_then(|cause| cause.because.clone());
    for (option, value) in known {
        let Some((fact, value)) = value.filter(|_| d.is_proved()) else { continue };
        if because.as_deref() == Some(&*fact) && !value.is_empty() && value.chars().all(plain) {
            let start = &option[..3];
            let help = d.help.replace(option, &format!("{start} {value}`"));
            return d.help(help);
        }
    }
    d
}

/// Explains what happened. The first diagnostic is the verdict; the others are additional
/// observations. If the result is empty, nothing needs an explanation.
///
/// After the first layer with an error, only the protocol inside is checked, because it often leads
/// to the cure.
pub fn classify(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut found = Findings { found: Vec::new(), facts };
    for (at, layer) in LAYERS.iter().enumerate() {
        if at + 1 == LAYERS.len() || !found.has_error() {
            layer(facts, &mut found);
        }
    }
    let ended = |d: &Diagnostic| {
        matches!(d.entry.family, Family::CloseCode | Family::Ending)
            || matches!(d.entry.code, "W463" | "W505" | "W506")
    };
    if facts.is_open()
        && let Some(at) = found.found.iter().position(ended)
    {
        let diagnostic = found.found.remove(at);
        let diagnostic = tried::tried(diagnostic, facts);
        found.found.insert(at, named_time::named_time(diagnostic, facts));
    }
    if let Some(trial) = facts.trial(Variation::Unchanged) {
        let error = found.found.iter().position(|found| found.severity == Severity::Error);
        if let Some(at) = error {
            let diagnostic = found.found.remove(at);
            found.found.insert(at, tried::erratic_answers(diagnostic, facts, trial));
        }
    }
    found.found = found.found.into_iter().map(|found| with_value(found, facts)).collect();
    if let Some(at) = found.found.iter().position(own_request::may_explain) {
        let diagnostic = found.found.remove(at);
        found.found.insert(at, own_request::explained(diagnostic, facts));
    }
    // The sort is stable: within a severity, the order of the layers stays. The agreement alone
    // does not explain an end, so it comes last unless it is an error.
    found.found.sort_by_key(|diagnostic| {
        let agreed = diagnostic.entry.family == Family::Agreement;
        // A peer that continues after a Close has given its reason before.
        let late = diagnostic.entry.code == "W618" && diagnostic.severity != Severity::Error;
        let inside = diagnostic.entry.family == Family::Application;
        let is_error = diagnostic.severity == Severity::Error;
        // An error of the protocol inside explains an end without a reason.
        (diagnostic.severity, !is_error && agreed, late || is_error && !inside)
    });
    found.found
}
