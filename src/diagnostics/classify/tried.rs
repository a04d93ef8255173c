//! A session that the peer ended at once, and others that differed in one thing: those that stayed
//! open show why.

use crate::diagnostics::facts::{Trial, TrialOutcome, Variation};
use crate::diagnostics::{Diagnostic, Facts, Severity};

/// What the trials show of an end at once: a cause in front, or what they rule out.
pub(super) fn tried(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    let Some(first) = facts.trials.iter().find(|trial| is_of_session(trial)) else { return d };
    let stayed = facts.trials.iter().find(|trial| trial.outcome == TrialOutcome::Stayed);
    if let Some(trial) = stayed {
        let sent = facts.request.is_some_and(|head| head.get("Origin").is_some());
        let (text, help) = match trial.variation {
            Variation::Again => (
                "the application ended it because of our message",
                "check what the application expects: its log at that moment has more".to_owned(),
            ),
            Variation::OwnOrigin if sent => (
                "the server refuses our Origin once the connection is open",
                format!("send the server's own: `-o {}`, or add yours to its list", trial.what),
            ),
            Variation::OwnOrigin => (
                "the server requires an Origin, and ends connections without one",
                format!("send the server's own: `-o {}`", trial.what),
            ),
            Variation::NoOrigin => (
                "the server refuses our Origin once the connection is open",
                "leave the Origin out, or send one of the server's list: `-o ORIGIN`".to_owned(),
            ),
            Variation::NoSubprotocol => (
                "the application does not support the subprotocol offered",
                "offer one that it knows, `-s NAME`, or none".to_owned(),
            ),
            Variation::Subprotocol => (
                "the application requires a subprotocol, and ends connections without it",
                format!("offer it: `-s {}`", trial.what),
            ),
            Variation::OtherPath => (
                "the application knows this path, and refuses: a parameter, a login, or a limit",
                "compare query, headers and cookies with those of a client that works".to_owned(),
            ),
            _ => return d,
        };
        // The end came again without that, so it is no accident.
        let again = trial.variation != Variation::Again && first.variation == Variation::Again;
        let fact = match again {
            true => format!("{trial}; {first}"),
            false => trial.to_string(),
        };
        let d = if d.severity == Severity::Note { d.severity(Severity::Warning) } else { d };
        let d = match trial.variation {
            Variation::OtherPath => d.suggests(text, fact),
            _ => d.because(text, fact),
        };
        return d.help(help);
    }
    let mut d = d;
    if matches!(first.outcome, TrialOutcome::Ended(_)) {
        d.causes.retain(|cause| !cause.text.contains("our message"));
    }
    if let Some(gone) = gone(facts) {
        return d
            .because("the server stopped listening: its process ended, or restarts", gone)
            .help("read the server's log: what was received last may have ended its process");
    }
    facts
        .trials
        .iter()
        .filter(|trial| is_of_session(trial))
        .fold(d, |d, trial| d.note(trial.to_string()))
}

/// Whether a trial was watched after it had opened.
fn is_of_session(trial: &Trial) -> bool {
    trial.variation == Variation::Again
        || matches!(trial.outcome, TrialOutcome::Stayed | TrialOutcome::Ended(_))
}

/// The trial whose connection was refused.
fn gone(facts: &Facts<'_>) -> Option<String> {
    let refused = |trial: &&Trial| match &trial.outcome {
        TrialOutcome::Unreached(text) => text.contains("connection refused"),
        _ => false,
    };
    facts.trials.iter().find(refused).map(ToString::to_string)
}
