//! Endings without a closing handshake. Their times show the cause.

use std::time::Duration;

use super::application::{LEFT_INSIDE, LOOK_FOR_LIMITS, SEND_END, endless, is_unheard};
use super::clocks::{aged, ping_interval, seconds};
use super::closing::was_closed;
use super::findings::Findings;
use super::why_closed::{ANNOUNCED, ENDED_BY_PEER, unended};
use crate::diagnostics::clue::{Complaint, announced, complained, is_near};
use crate::diagnostics::conversation::Dialogue;
use crate::diagnostics::facts::{End, EndKind, SILENCE};
use crate::diagnostics::heard::Grievance;
use crate::diagnostics::inner::inner;
use crate::diagnostics::{Clue, Facts, Severity};
use crate::event::MessageInfo;
use crate::wire::{Role, ViolationKind};

/// The idle timeouts of well-known proxies and services, in seconds.
/// The title for a client that ended TCP in order, but without a Close.
pub const WITHOUT_CLOSE: &str = "the client ended the connection without a Close frame";

const IDLE_TIMERS: [u64; 8] = [30, 55, 60, 100, 240, 300, 350, 600];

/// The longest lifetime of a connection at AWS API Gateway, in seconds.
const GATEWAY_LIFETIME: u64 = 7200;

/// An end within this time after a message is a reaction to it, or did not wait for more.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Every limit on a size is at least this number of bytes.
const LEAST_LIMIT: u64 = 256;

pub(super) fn ending(facts: &Facts<'_>, found: &mut Findings<'_>) {
    if let Some(time) = facts.stalled {
        found.add("W819", |d| d.note(format!("stdout was blocked for {}", seconds(time))));
    }
    let Some(end) = facts.end else { return };
    // This side gave up while its data waited, and none of it left for some time.
    let stuck = facts.stream.unsent > 0 && end.is_silent() && facts.close.received.is_none();
    match end.how {
        EndKind::Closed | EndKind::CloseTimeout if stuck => found.add("W818", |d| {
            d.certain().title("the peer stopped reading")
                .note(clocks(&end))
                .suggests(
                    "the peer's program hangs, is busy, or has paused the connection",
                    format!("{} bytes waited to be sent, and none left for {}", facts.stream.unsent, seconds(end.idle)),
                )
                .help("look at the peer's program at that moment: it must read, or close the connection")
        }),
        EndKind::Closed if facts.close.by_peer && facts.stream.unfinished.is_some() => {
            found.add("W803", |d| {
                d.certain()
                    .title("the peer closed inside a message, whose last frame never came")
                    .severity(Severity::Warning)
                    .note_if(facts.stream.unfinished.as_ref().map(message_until_now))
                    .suggests("the peer's program sent a fragment without FIN as if it were a whole message", "it closed in order after it")
                    .help("let it mark the last fragment, as with `last = true` in Java's sendText")
            });
        }
        // That nothing came at all explains more.
        EndKind::CloseTimeout | EndKind::NoPong if is_unheard(facts) => {}
        EndKind::CloseTimeout => found.add("W816", |d| d),
        EndKind::NoPong => found.add("W818", |d| d.note(clocks(&end))),
        EndKind::Dead => found.add("W818", |d| {
            d.title("the network path failed silently")
                .note(clocks(&end))
                .because("the network or the peer's machine is down", "what we sent is not acknowledged")
                .help(match facts.pings.answered == 0 && facts.pings.unanswered == 0 {
                    true => "detect this early with pings: `--ping-interval 20`; TCP keepalive waits two hours",
                    false => "see whether the peer's machine runs and its network is up; then connect again",
                })
        }),
        // Nothing is lost: some servers answer a Close by ending TCP.
        EndKind::Fin | EndKind::Reset
            if facts.close.sent.is_some() && facts.close.received.is_none() =>
        {
            found.add("W816", |d| {
                let d = d.note(clocks(&end));
                match end.how {
                    EndKind::Reset => {
                        d.title("the peer reset the connection instead of answering our Close")
                    }
                    _ => d
                        .title("the peer ended the connection instead of answering our Close")
                        .severity(Severity::Note),
                }
            });
        }
        // The peer sent a Close and got no answer, so it may leave.
        EndKind::Fin | EndKind::Reset if facts.close.received.is_some() => {}
        EndKind::Fin | EndKind::Reset if !was_closed(facts) => lost(facts, &end, found),
        _ => {}
    }
}

fn lost(facts: &Facts<'_>, end: &End, found: &mut Findings<'_>) {
    let unfinished = facts.stream.unfinished;
    let whole =
        end.how == EndKind::Fin && end.partial == 0 && unfinished.is_none() && !end.is_silent();
    if let Some(fact) = Clue::Farewell.seen(facts).filter(|_| whole) {
        return found.add("W801", |d| {
            d.title("the connection ended without a Close frame, as asked for inside")
                .certain()
                .severity(Severity::Note)
                .note(fact)
                .help("no action needed")
        });
    }
    let cut = facts.violations.iter().find(|v| v.kind == ViolationKind::CutInsideFrame);
    let inside = end.partial > 0 || cut.is_some() || unfinished.is_some();
    let complaint = complained(facts);
    let leads = complaint.as_ref().is_some_and(Complaint::leads);
    // The protocol inside says that the session is over, so no timer ended it.
    let refused = complaint.is_some_and(|one| one.grievance == Grievance::Refusal);
    if let Some(fact) = announced(facts).filter(|_| !inside && !leads) {
        return found.add(lost_code(end), |d| d.note(clocks(end)).suggests(ANNOUNCED, fact));
    }
    if let Some(fact) = Clue::SessionEnded.seen(facts).filter(|_| !inside && !leads) {
        return found.add(lost_code(end), |d| {
            d.note(clocks(end)).suggests(ENDED_BY_PEER, fact).help("follow the message")
        });
    }
    if let Some(fact) = Clue::SessionLeft.seen(facts).filter(|_| !inside && !leads) {
        return found.add(lost_code(end), |d| {
            d.note(clocks(end)).because(LEFT_INSIDE, fact).help(LOOK_FOR_LIMITS)
        });
    }
    if let Some((protocol, mark)) = unended(facts, &Dialogue::of(facts, inner(facts).as_ref()))
        .filter(|_| !inside && !leads && end.is_silent())
    {
        return found.add(lost_code(end), |d| {
            d.title("the connection ended while the server waited for the end of our message")
                .note(clocks(end))
                .suggests(endless(protocol, mark), "no answer came to it")
                .help(SEND_END)
        });
    }
    // A peer that ends right on our message has read it.
    let reads = facts.stream.ended_on_ours && end.idle_data < AT_ONCE;
    if let Some(fact) = Clue::PingsUnanswered.seen(facts).filter(|_| !inside && !leads && !reads) {
        return found.add("W818", |d| {
            let d = d.note(clocks(end)).severity(Severity::Error);
            match facts.role {
                Role::Server => d
                    .title("the client answered none of the pings, then the connection ended")
                    .suggests("the client's program does not read from the connection", fact)
                    .help("make the client read: its library answers pings while the program receives, as in a loop of recv()"),
                Role::Client => d
                    .title("the server answered none of the pings, then the connection ended")
                    .note(fact),
            }
        });
    }
    if inside {
        let round = end.partial >= LEAST_LIMIT && end.partial.is_power_of_two();
        let partial = end.partial;
        found.add("W803", |d| {
            // The last frame of the message is missing as a whole.
            let between = partial == 0 && cut.is_none();
            let d = if between { d.title("cut in the middle of a message") } else { d };
            d.note_if(cut.map(|violation| violation.detail.clone()))
                .note_if((partial > 0).then(|| format!("{partial} bytes of the frame arrived")))
                .note_if(round.then_some("that is a power of two, which suggests a limit"))
                .note_if(cut.map(|violation| format!("frame #{} is cut", violation.frame)))
                .note_if(unfinished.as_ref().map(message_until_now))
                .note(clocks(end))
        });
    }
    // If the peer had to wait for this side, a timer explains nothing.
    if let Some(code) = timer(facts, end).filter(|_| facts.stalled.is_none() && !refused) {
        found.add(code, |d| {
            let d = d.note(match end.how {
                EndKind::Fin => "the stream ended (FIN) without a Close frame",
                _ => "the stream ended with a reset",
            });
            let d = d.note(clocks(end));
            match code {
                "W804" => {
                    let often = ping_interval(end.idle);
                    let quiet = seconds(end.idle);
                    // A page may only listen, but it leaves in order.
                    if facts.role == Role::Server && Clue::NothingCrossed.seen(facts).is_some() {
                        return d
                            .title(format!("the client left after {quiet} without a message in either direction"))
                            .possible("it waited for a message of this server first, and gave up")
                            .help("see what the client waits for: if this server must speak first, `--send FILE` sends a greeting");
                    }
                    let d = d.title(format!("cut after {quiet} without traffic"));
                    // The first cause may have its own help, with the interval open.
                    let own = d.help != d.entry.help || facts.role == Role::Server;
                    let refuted = Clue::TimerRefuted.seen(facts);
                    let help = d.help.replace("SECS", &often.to_string());
                    match own {
                        true if help.contains("--ping-interval") || d.is_proved() => d.help(help),
                        true if refuted.is_some()
                            || facts.role == Role::Server
                            || Clue::InnerAwaited.seen(facts).is_some() =>
                        {
                            d
                        }
                        true => d.help(format!(
                            "{help}; against an idle timeout: `--ping-interval {often}`"
                        )),
                        // Pings would not have helped.
                        false if let Some(fact) = refuted => {
                            d.note(fact).help("read the peer's log at that moment")
                        }
                        false => d.help(format!(
                            "send pings with `--ping-interval {often}`, or raise the timeout"
                        )),
                    }
                }
                _ => d,
            }
        });
    }
    // If there is already an error, this entry would add nothing.
    if !found.has_error() {
        found.add(lost_code(end), |d| {
            // The times count no ping as traffic.
            let d = match Clue::EndedOnPing.seen(facts) {
                Some(_) => d.note(format!("{} after the 101", seconds(end.lifetime))),
                None => d.note(clocks(end)),
            };
            let waiting = facts.stream.unsent;
            if waiting > 0 && end.is_silent() {
                return d
                    .suggests("the peer does not read", format!("{waiting} bytes waited to be sent to it"))
                    .help("look at the peer's program: it must read, or close the connection");
            }
            if facts.role == Role::Server && facts.stream.frames == 0 && end.lifetime < AT_ONCE {
                return d
                    .title("the client left right after the opening, without a frame")
                    .suggests(
                        "the client did not accept the answer, or had nothing to send: its input ended, or it only checks the port",
                        format!("it left {} ms after the 101", end.lifetime.as_millis()),
                    )
                    .help("read the client's own error; a pipe into nc must stay open");
            }
            if facts.role == Role::Server && end.how == EndKind::Fin {
                let after = end.idle.as_millis();
                return d
                    .title(WITHOUT_CLOSE)
                    .suggests(
                        "its program ended or was killed, or it does not close its WebSockets",
                        format!("it sent FIN in order, {after} ms after the last bytes"),
                    )
                    .help("let the client close its WebSocket, and wait for the answer, before it ends");
            }
            match complained(facts) {
                Some(complaint) if complaint.leads() => {
                    let shown = complaint.shown();
                    let why = match complaint.quiet < SILENCE {
                        true => "it came right before the end".to_owned(),
                        false => complaint.when("the end"),
                    };
                    let d = match complaint.grievance {
                        Grievance::Refusal => d.because(shown, why),
                        _ => d.suggests(shown, why),
                    };
                    d.help("follow the message")
                }
                Some(complaint) => d.note(complaint.shown()),
                None => aged(d, facts, end.lifetime, end.idle),
            }
        });
    }
}

/// The entry for an end without a Close, if nothing else is known.
fn lost_code(end: &End) -> &'static str {
    if end.how == EndKind::Reset { "W802" } else { "W801" }
}

/// The entry whose timer fits the times of the end.
fn timer(facts: &Facts<'_>, end: &End) -> Option<&'static str> {
    let known = |time: Duration| IDLE_TIMERS.iter().any(|seconds| is_near(time, *seconds));
    // Pings count as traffic on the path, but not for the timer of an application.
    if facts.pings.answered > 0 && end.idle * 2 < end.idle_data && known(end.idle_data) {
        return Some("W815");
    }
    if is_near(end.lifetime, GATEWAY_LIFETIME) {
        return Some("W812");
    }
    // Idle timeouts of a second do not exist where messages come more often: those before did not
    // stop by chance just then.
    let steady = facts.stream.messages >= 5 && end.longest_quiet * 2 < end.idle;
    if steady && end.idle < 2 * SILENCE {
        return None;
    }
    let alike = |other: &Duration| is_within(end.lifetime, *other);
    let others = facts.others.lifetimes;
    if !others.is_empty() && others.iter().all(alike) && !end.is_silent() {
        return Some("W814");
    }
    // Our ping ended the silence. If the peer does not read, it causes the silence itself.
    let pinged = Clue::EndedOnPing.seen(facts).is_some();
    (end.is_silent() && !pinged && facts.stream.unsent == 0).then_some("W804")
}

/// Whether two times differ by at most 2 %.
fn is_within(time: Duration, other: Duration) -> bool {
    time.abs_diff(other) <= other / 50
}

/// How much of an incomplete message arrived.
fn message_until_now(message: &MessageInfo) -> String {
    let MessageInfo { number, frames, wire_len, .. } = message;
    let frames = format!("{frames} frame{}", if *frames == 1 { "" } else { "s" });
    format!(
        "message #{number} is incomplete: {frames} of it with {wire_len} bytes arrived, and its end did not"
    )
}

fn clocks(end: &End) -> String {
    format!(
        "{} after the 101, {} after the last byte, {} after the last message",
        seconds(end.lifetime),
        seconds(end.idle),
        seconds(end.idle_data)
    )
}
