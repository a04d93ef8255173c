//! Trials after a session that the peer ended at once. Each trial differs in one thing; the ones
//! that stayed open show the cause.

use std::time::Duration;

use super::why_closed::{TOO_LONG, UNSPOKEN, not_ours};
use crate::diagnostics::clue::{ends_on_pings, plain_told};
use crate::diagnostics::facts::{EndKind, Trial, TrialOutcome, Variation};
use crate::diagnostics::{Clue, Confidence, Diagnostic, Facts, Severity, Supported};

/// The cause if some sessions end and others do not, without a difference in the request.
const ERRATIC: &str = "the server ends some connections and not others, as while it restarts, or where one of several fails";

/// The cause if a session without a ping stays open.
pub(in crate::diagnostics) const PINGED: &str = "the server closes because of a ping, which it has to answer (RFC 6455 §5.5.2): it does not handle Ping frames";

/// The help for it.
const NO_PINGS: &str = "send it no pings: leave `--ping-interval` out, and measure with messages: `wscope ping --echo`";

/// How long a trial is watched, at most.
const WATCHED_MOST: Duration = Duration::from_millis(1500);

/// Explains a refusal by a server that gave another answer to the same request.
pub(super) fn erratic_answers(mut d: Diagnostic, facts: &Facts<'_>, trial: &Trial) -> Diagnostic {
    // A change to the words of a proxy without its server leaves the first answer open.
    let mut later = facts.trials.iter().filter_map(Trial::status);
    if facts.status() == Some(500) && later.all(|status| matches!(status, 502..=504)) {
        let text = "the application failed, and seems to have ended at this request: since then, the proxy in front can't reach it";
        let help = format!("read the application's log, and start it again; {}", d.help);
        return d.suggests(text, trial.to_string()).help(help);
    }
    // The other answer to the same request rules out all causes that are not proved.
    d.causes.retain(|cause| cause.confidence == Confidence::High);
    d.because(
        "the server's answers change from one request to the next, as while it starts, or where one of several fails",
        trial.to_string(),
    )
    .help("repeat it after a while, as with `--retry`; ask each server behind the name by itself: `--resolve HOST:PORT:ADDRESS`")
}

/// Adds the result of the trials after an end at once: a cause in front, or the causes that they
/// rule out.
pub(super) fn tried(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    // This side asked for the end.
    if d.severity == Severity::Note && Clue::Farewell.seen(facts).is_some() {
        return d;
    }
    let d = match pinged(d, facts) {
        (d, true) => return d,
        (d, false) => d,
    };
    let Some(first) = facts.trials.iter().find(|trial| is_of_session(trial)) else { return d };
    if first.outcome == TrialOutcome::Stayed && !is_short(facts) {
        // No trial is watched for so long.
        return d;
    }
    let at = facts.trials.iter().position(|trial| trial.outcome == TrialOutcome::Stayed);
    let stayed = at.and_then(|at| facts.trials.get(at));
    // A repetition of the first session must end again, and a repetition of the difference must
    // stay open.
    let checks = at.and_then(|at| facts.trials.get(at + 1..)).unwrap_or_default();
    let ends = |trial: &Trial| matches!(trial.outcome, TrialOutcome::Ended(_));
    let stays = |trial: &Trial| trial.outcome == TrialOutcome::Stayed;
    let silent = facts.stream.sent.is_none();
    let exact = matches!(d.entry.code, "W703" | "W707" | "W709");
    let said = Clue::ReasonGiven.seen(facts).is_some();
    // The repeated session answers pings, which may be the difference.
    let ponged = Clue::PingsIgnored.seen(facts).is_none();
    // A ping may be the difference, too, unless trials with a ping rule it out.
    let pinged = waits_for_pong(facts) && ends_on_pings(facts) != Some(false);
    let erratic = match (stayed.map(|trial| trial.variation), checks) {
        // If the peer names a cause, that one is surer. An example is the length of our ping.
        (Some(Variation::Again), _) => {
            silent && !exact && !said && ponged && !pinged && !d.is_proved()
        }
        (Some(_), [same, rest @ ..]) => !ends(same) || !rest.iter().all(stays),
        _ => false,
    };
    if erratic {
        let trials = facts.trials.iter().filter(|trial| is_of_session(trial));
        let mut d = trials.fold(d, |d, trial| d.note(trial.to_string()));
        // The result changed without a difference, which rules out all causes that are not proved.
        d.causes.retain(|cause| cause.confidence == Confidence::High);
        let same = facts.trials.iter().rev().find(|trial| is_of_session(trial));
        let fact = same.map(ToString::to_string).unwrap_or_default();
        let help = "repeat it, as with `--retry`, and read the server's log";
        return d.suggests(ERRATIC, fact).help(help);
    }
    let confirmed = matches!(checks, [same, other, ..] if ends(same) && stays(other));
    // The peer's own words prove more than a trial.
    let told = exact || d.is_proved() || Clue::Complained.seen(facts).is_some();
    // A trial without our message does not show what is wrong with the message.
    let known = d.is_supported() && !d.causes.iter().take(1).any(speaks_of_ours);
    let fine = d.severity == Severity::Note && facts.stream.messages > 0;
    let code = facts.close.received.and_then(|body| body.code);
    let told = told
        || match stayed.map(|trial| trial.variation) {
            Some(Variation::Again) => known || fine || said,
            // This code reports an exception, and no refusal.
            // A session with messages was not refused at its path.
            Some(Variation::OtherPath) => {
                said || code == Some(1011) || is_quoted(&d) || facts.stream.messages > 0
            }
            _ => said && !confirmed,
        };
    if let Some(trial) = stayed.filter(|_| !told) {
        let refuses = matches!(code, Some(1008 | 3000 | 3003 | 4001 | 4003 | 4401 | 4403));
        let sent = facts.request.is_some_and(|head| head.get("Origin").is_some());
        let (text, help) = match trial.variation {
            Variation::Again => (
                match facts.stream.messages {
                    0 => "the application ended it because of our message",
                    _ if refuses => {
                        "the application refuses our message: a login, a permission, or its content"
                    }
                    _ => {
                        "the application ended it after our message: it had answered, or it failed"
                    }
                },
                match d.entry.code {
                    // The protocol inside has its own help.
                    "W719" => d.help.clone().into_owned(),
                    _ => "check what the application expects: its log at that moment has more"
                        .to_owned(),
                },
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
            Variation::OtherPath if !matches!(code, Some(1008 | 3000..=4999)) => (
                "the application knows this path, and ends sessions at it",
                "read its log at that moment; compare query, headers and cookies with those of a client that works".to_owned(),
            ),
            Variation::OtherPath => (
                "the application knows this path, and refuses: a parameter, a login, or a limit",
                "compare query, headers and cookies with those of a client that works".to_owned(),
            ),
            _ => return d,
        };
        // A session without the difference ended again, so the first end was not chance.
        let again = trial.variation != Variation::Again && first.variation == Variation::Again;
        let fact = match again {
            true => format!("{trial}; {first}"),
            false => trial.to_string(),
        };
        let mut d = if d.severity == Severity::Note { d.severity(Severity::Warning) } else { d };
        if trial.variation == Variation::Again {
            // The trial decides between the opening and our message, and says it in its own words.
            d.causes
                .retain(|cause| cause.confidence != Confidence::Medium || !speaks_of_ours(cause));
        }
        let is_long = d.causes.iter().any(|cause| cause.text == TOO_LONG);
        if is_long && trial.variation == Variation::Again {
            d.causes.retain(|cause| cause.text != TOO_LONG);
            // A peer that ends before it has all of our message did not act on its content.
            return match facts.stream.unsent > 0 {
                true => d
                    .suggests(TOO_LONG, fact)
                    .help("send it in parts, or raise the limit of the server or the proxy"),
                false => {
                    let (confidence, because) = (Confidence::Low, None);
                    d.causes.insert(0, Supported { confidence, text: TOO_LONG.into(), because });
                    let shorter = "to test its length, send a shorter one of the same kind";
                    d.suggests(text, fact).help(format!("{help}; {shorter}"))
                }
            };
        }
        let d = match trial.variation {
            Variation::Again | Variation::OtherPath => d.suggests(text, fact),
            _ if !confirmed => d.suggests(text, fact),
            _ => d.because(text, fact),
        };
        return d.help(help);
    }
    let mut d = d;
    if matches!(first.outcome, TrialOutcome::Ended(_)) && first.variation == Variation::Again {
        d.causes.retain(|cause| cause.text != TOO_LONG);
        // Its process has accepted one more session.
        let wrong =
            |cause: &&mut Supported| speaks_of_ours(cause) || cause.text.contains("process ended");
        for cause in d.causes.iter_mut().filter(wrong) {
            cause.text = "the peer's application ended its handler right after the opening, as with an exception".into();
            // No fact supports a guess.
            let guess = cause.confidence == Confidence::Low;
            cause.because = (!guess).then(|| first.to_string());
        }
        // Several causes became one.
        let mut told = Vec::new();
        d.causes.retain(|cause| {
            let new = !told.contains(&cause.text);
            told.push(cause.text.clone());
            new
        });
        // Another path gets an error, so the server knows this path.
        let other = facts.trial(Variation::OtherPath).and_then(Trial::status);
        if other.is_some_and(|status| status >= 400) {
            d.causes.retain(|cause| !cause.text.contains("does not know the path"));
        }
        if facts.stream.messages == 0 && d.severity == Severity::Note {
            d = d.severity(Severity::Warning).title(UNSPOKEN);
        }
        let unsaid = Clue::ReasonGiven.seen(facts).is_none();
        if unsaid && matches!(d.entry.code, "W703" | "W707" | "W709") {
            d = not_ours(d);
        }
        // The code itself says that the server failed.
        let open = !d.is_supported() && unsaid && d.entry.code != "W711";
        if let Some((text, fact)) = plain(facts).filter(|_| open && facts.stream.messages == 0) {
            d = d.suggests(text, fact).help("check the path; then compare headers, query and cookies with those of a client that works");
        }
    }
    if let Some(gone) = gone(facts).filter(|_| !d.is_proved()) {
        return d
            .because("the server stopped listening: its process ended, or restarts", gone)
            .help("read the server's log: what was received last may have ended its process");
    }
    // The server had served the session before.
    let lost = matches!(facts.end.map(|end| end.how), Some(EndKind::Fin | EndKind::Reset));
    if let Some(fact) = failing(facts).filter(|_| lost && !d.is_proved()) {
        let mut d = d;
        let status = facts.trial(Variation::Again).and_then(Trial::status);
        // The whole server failed, so its handler alone does not explain it; the proxy answers.
        d.causes.retain(|cause| status.is_none() && !cause.text.contains("handler"));
        let text = match status {
            // A limit on connections answers 503, too.
            Some(503) => {
                "the server takes no connections now: its process ended or restarts, or it is overloaded"
            }
            Some(_) => {
                "the server behind the proxy can't be reached any more: its process ended, or restarts"
            }
            None => "the server's process ended, possibly because of what was received last",
        };
        return d.suggests(text, fact).help("read the server's log: an exception may have ended its process, and a supervisor may start it again");
    }
    facts
        .trials
        .iter()
        .filter(|trial| is_of_session(trial))
        .fold(d, |d, trial| d.note(trial.to_string()))
}

/// Adds our ping as the cause, if it was the last traffic before the end. Sessions with and without a ping prove
/// it, or rule it out. Also returns whether it is the cause.
fn pinged(d: Diagnostic, facts: &Facts<'_>) -> (Diagnostic, bool) {
    let (without, with) = (facts.trial(Variation::Again), facts.trial(Variation::Pinged));
    let fact = match (ends_on_pings(facts), without, with) {
        (Some(true), Some(without), Some(with)) if !d.is_proved() => {
            let fact = format!("{with}; {without}; both twice");
            return (d.because(PINGED, fact).help(NO_PINGS), true);
        }
        // The sessions differ in the ping, so they don't show that the server is erratic.
        (None, Some(without), _)
            if without.outcome == TrialOutcome::Stayed && waits_for_pong(facts) =>
        {
            Some(format!("our ping was not answered; {without}"))
        }
        (None, ..) => Clue::EndedOnPing.seen(facts),
        _ => None,
    };
    match fact.filter(|_| !d.is_supported()) {
        Some(fact) => (d.suggests(PINGED, fact).help(NO_PINGS), true),
        None => (d, false),
    }
}

/// Whether a trial is watched for as long as the session lasted.
fn is_short(facts: &Facts<'_>) -> bool {
    facts.end.is_none_or(|end| end.lifetime < WATCHED_MOST)
}

/// Whether a session differs from the trials without a ping only in a ping that was not answered.
fn waits_for_pong(facts: &Facts<'_>) -> bool {
    facts.pings.waiting.is_some() && facts.stream.sent.is_none() && is_short(facts)
}

/// The result of a plain GET for a path at which WebSockets end at once.
fn plain(facts: &Facts<'_>) -> Option<(String, String)> {
    let trial = facts.trial(Variation::NoUpgrade)?;
    let known = facts.trial(Variation::OtherPath).and_then(Trial::status) >= Some(400);
    let text = match trial.status()? {
        // An error of the server's own, such as an exception, is one of the plain GET alone.
        ..500 if let Some(told) = plain_told(facts) => {
            format!("to a plain GET, the server says \"{told}\"")
        }
        // Some servers answer every path like this, so the answer proves nothing about this path.
        200..=299 | 500 if !known => return None,
        200..=299 | 500 => "the path serves plain HTTP, and no WebSocket, or one that its application ends: a login, a parameter".to_owned(),
        401..=403 => "the application refuses: a plain GET is refused, too".to_owned(),
        _ => return None,
    };
    Some((text, trial.to_string()))
}

/// Whether a cause blames a message of this side.
fn speaks_of_ours(cause: &Supported) -> bool {
    cause.text.contains("our message")
}

/// Whether a message of the peer is the first cause.
fn is_quoted(d: &Diagnostic) -> bool {
    d.is_supported() && d.causes.first().is_some_and(|one| one.text.starts_with("its last message"))
}

/// Whether wscope watched the session of a trial.
fn is_of_session(trial: &Trial) -> bool {
    trial.variation == Variation::Again
        || matches!(trial.outcome, TrialOutcome::Stayed | TrialOutcome::Ended(_))
}

/// The trial with a refused connection.
fn gone(facts: &Facts<'_>) -> Option<String> {
    facts.trials.iter().find(|trial| trial.is_refused()).map(ToString::to_string)
}

/// The trial that repeated the session, and could not connect, or got no response of the server.
fn failing(facts: &Facts<'_>) -> Option<String> {
    let unanswered = |trial: &&Trial| {
        matches!(trial.outcome, TrialOutcome::Unreached(_) | TrialOutcome::Nothing(_))
            || trial.is_gateway_error()
    };
    facts.trial(Variation::Again).filter(unanswered).map(ToString::to_string)
}
