//! Why a server closed. First, the messages shortly before the Close are checked, and then the
//! times.
//!
//! Each rule looks for one cause, and the first rule that finds its cause decides. The peer's words
//! are checked before its silence.

use std::time::Duration;

use super::application::{Inside, LEFT_INSIDE, LOOK_FOR_LIMITS, SEND_END, endless, path_hint};
use super::clocks::{aged, ping_interval, seconds};
use crate::diagnostics::clue::{Complaint, announced, complained, is_qualified, is_round_age};
use crate::diagnostics::conversation::{Dialogue, PeerPart};
use crate::diagnostics::facts::{CrossedMessage, End, SILENCE};
use crate::diagnostics::heard::{self, Grievance};
use crate::diagnostics::inner::{inner, lacking_end, unbegun};
use crate::diagnostics::sniff::{contains, contains_word};
use crate::diagnostics::{Clue, Diagnostic, Facts, Family, Severity};
use crate::wire::Role;
use crate::wire::close::{self, CloseBody};

/// A Close of the server. The rules explain it from its code, its reason and the facts.
struct Closed<'a> {
    /// The diagnosis so far.
    known: Diagnostic,
    facts: &'a Facts<'a>,
    body: &'a CloseBody,
    end: End,
    talk: Dialogue<'a>,
}

/// A rule returns the diagnosis with its cause, if it finds one.
type CauseRule = fn(&Closed<'_>) -> Option<Diagnostic>;

/// Rules about messages: of this side, of the protocol inside, and the peer's last message and
/// reason.
const SAID: [CauseRule; 18] = [
    no_subprotocol,
    no_message_of_ours,
    login_refused,
    asked_for,
    pings_limited,
    complaint,
    announcement,
    session_ended,
    goodbye_with_reason,
    words_in_binary,
    left_inside,
    breach,
    without_end,
    reason_names_fault,
    foreign_message,
    last_message,
    ended_inside,
    unanswered,
];

/// Rules about times: an end at once, a missing heartbeat, a silence.
const CLOCKS: [CauseRule; 14] = [
    going_away,
    stale,
    at_once,
    namespace_refused,
    inner_beat_missing,
    awaited_inside,
    beat_unanswered,
    no_namespace,
    ping_unanswered,
    beat_announced,
    first_message_missing,
    only_pings_before,
    waited_for_us,
    silence,
];

/// Adds the reason why the peer closed.
pub(super) fn explained(known: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    // A server does not explain why a client closes.
    let by_server = facts.role == Role::Client && facts.close.by_peer;
    let Some(end) = facts.end.filter(|_| by_server) else {
        return match (Clue::PingsIgnored.seen(facts), Clue::PingReason.seen(facts)) {
            (Some(ignored), Some(reason)) if facts.close.by_peer => {
                known.because(UNPONGED, format!("{ignored}; {reason}")).help(PONG)
            }
            _ => known,
        };
    };
    let talk = Dialogue::of(facts, inner(facts).as_ref());
    let mut closed = Closed { known, facts, body, end, talk };
    if let Some(diagnostic) = SAID.iter().find_map(|rule| rule(&closed)) {
        return diagnostic;
    }
    // A single word may mean anything, so it is only an additional observation.
    let word = closed.complaint().filter(|_| !closed.is_regular());
    let word = word.map(|complaint| complaint.shown());
    closed.known = closed.known.note_if(word);
    CLOCKS.iter().find_map(|rule| rule(&closed)).unwrap_or(closed.known)
}

impl Closed<'_> {
    /// The diagnosis so far.
    fn known(&self) -> Diagnostic {
        self.known.clone()
    }

    /// The diagnosis so far, as a warning if the code says that everything is in order.
    fn warned(&self) -> Diagnostic {
        let d = self.known();
        if self.is_regular() { d.severity(Severity::Warning) } else { d }
    }

    /// The diagnosis so far. If the code or the severity says that everything is in order, it
    /// becomes a warning with this title.
    fn retitled(&self, title: &'static str) -> Diagnostic {
        let d = self.known();
        match self.is_regular() || d.severity == Severity::Note {
            true => d.title(title).severity(Severity::Warning),
            false => d,
        }
    }

    /// Whether the code is one for an end in order, or is missing.
    fn is_regular(&self) -> bool {
        close::is_regular(self.body.code)
    }

    /// Whether the code says that the work is done.
    fn is_ordinary(&self) -> bool {
        matches!(self.body.code, Some(1000 | 1001))
    }

    /// Whether this side sent a message. The server may not have read it.
    fn is_asked(&self) -> bool {
        self.facts.stream.sent.is_some()
    }

    fn says_nothing(&self) -> bool {
        says_nothing(self.body)
    }

    fn seen(&self, clue: Clue) -> Option<String> {
        clue.seen(self.facts)
    }

    /// The complaint in the peer's last message, if it explains more than the reason. It explains
    /// more than "bye". If it is marked as an error, it explains more than any reason.
    fn complaint(&self) -> Option<Complaint<'_>> {
        let bland = self.is_regular() && heard::complains(&self.body.reason).is_none();
        let marked = |one: &Complaint<'_>| one.is_last && one.grievance >= Grievance::Marked;
        complained(self.facts).filter(|one| bland || self.says_nothing() || marked(one))
    }

    /// Whether an entry about the protocol inside explains this Close.
    fn is_named(&self) -> bool {
        let entry = &self.known.entry;
        entry.family == Family::Application
            || matches!(entry.code, "W719" | "W720" | "W721" | "W722")
    }
}

/// The server accepted none of our subprotocols, and then closed.
fn no_subprotocol(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let ignored = closed.seen(Clue::SubprotocolIgnored)?;
    let neutral = matches!(body.code, None | Some(1000..=1003 | 1008 | 1010 | 1011 | 4000..=4999));
    let silent = body.reason.is_empty() || contains_word(&body.reason, "protocol");
    let unspoken = facts.stream.messages == 0 && end.last < SILENCE;
    (unspoken && neutral && silent).then(|| {
        closed
            .known()
            .severity(Severity::Warning)
            .title("closed at once, after the server accepted none of the subprotocols offered")
            .note(format!("{} ms after the 101, before it sent any message", end.last.as_millis()))
            .suggests("the server supports none of the subprotocols offered", ignored)
            .help("offer one that the server knows, `-s NAME`, or none; names are case-sensitive")
    })
}

/// The code is about a message, but this side sent no message.
fn no_message_of_ours(closed: &Closed<'_>) -> Option<Diagnostic> {
    let about = matches!(closed.body.code, Some(1003 | 1007 | 1009));
    (about && !closed.is_asked() && closed.says_nothing()).then(|| not_ours(closed.known()))
}

/// The server closed instead of sending connection_ack.
fn login_refused(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let refuses = matches!(body.code, None | Some(1000 | 1001 | 1008 | 1011 | 3000..=4999));
    let hinted = closed.seen(Clue::PathWantsSubprotocol).is_some();
    let other = closed.known.entry.code == "W506" || hinted || !closed.says_nothing();
    (sent_init(facts) && refuses && !other && end.last < SILENCE).then(|| {
        let d = closed.known();
        let d = if d.severity == Severity::Note { d.severity(Severity::Warning) } else { d };
        let refused = refused_init(d);
        let help = refused.help.clone();
        subprotocol(refused, facts).help(help)
    })
}

/// A message of this side asked for the end.
fn asked_for(closed: &Closed<'_>) -> Option<Diagnostic> {
    (closed.is_regular() && closed.seen(Clue::Farewell).is_some()).then(|| closed.known())
}

/// Only the peer's greeting shows the protocol inside, and our message does not begin it.
fn foreign_message(closed: &Closed<'_>) -> Option<Diagnostic> {
    let soon = closed.end.quiet < SILENCE && !closed.is_named() && inner(closed.facts).is_none();
    let (title, waits) = unbegun(closed.facts).filter(|_| soon)?;
    Some(
        closed
            .warned()
            .suggests(
                format!("our message does not begin the protocol of the server, {title}"),
                format!("{title} goes on with {} of the client", waits.message),
            )
            .help("begin with that message: the commands of the lens send it"),
    )
}

/// The peer's last message is a complaint.
fn complaint(closed: &Closed<'_>) -> Option<Diagnostic> {
    let complaint = closed.complaint()?;
    // The lens knows why the session ends some time after this answer.
    if let Some(diagnostic) = namespace_refused(closed).filter(|_| !complaint.is_last) {
        return Some(diagnostic);
    }
    // A Close in order follows a complaint only by chance, unless the reason repeats the complaint.
    let repeats = !closed.says_nothing() && contains(complaint.text, &closed.body.reason);
    let marked = complaint.grievance >= Grievance::Marked;
    let refused = complaint.grievance == Grievance::Refusal;
    let done = heard::says_done(&closed.body.reason) && !refused;
    let outcome = complaint.is_last
        && !refused
        && closed.talk.theirs.last().is_some_and(|one| one.is_outcome);
    if !complaint.leads() || closed.is_ordinary() && (done || outcome || !marked && !repeats) {
        return None;
    }
    let why = complaint.when("the Close");
    // A server that waited for the end of our message says that it gave up.
    let kept = closed.facts.stream.kept;
    // A server that refuses its content has read it.
    let waited = closed.facts.stream.kept_all && kept.len() == 2 && !refused;
    let first = kept.first().filter(|_| waited);
    if let Some((title, end)) = lacking_end(first, inner(closed.facts).as_ref()) {
        return Some(
            closed
                .retitled("closed while the server waited for the end of our message")
                .suggests(endless(title, end), "the server gave up waiting")
                .note(complaint.shown())
                .help(SEND_END),
        );
    }
    let d = closed.retitled(match complaint.quiet < SILENCE {
        true => "closed right after a message that may give the reason",
        false => "closed after a message that may give the reason",
    });
    let d = match closed.seen(Clue::BeatUnanswered) {
        Some(fact) => d.suggests(UNANSWERED, fact).help(ANSWER_IT),
        None => d.help("follow the message"),
    };
    // 1000 and 1001 say that everything is in order. Before them, a complaint may be ordinary text,
    // but a refusal of the protocol inside is not.
    let sure = refused || complaint.is_last && !closed.is_ordinary();
    let shown = complaint.shown();
    Some(if sure { d.because(shown, why) } else { d.suggests(shown, why) })
}

/// The peer's last message announces that it ends or restarts. Before a Close that says that the
/// work is done, a message of a session with requests may be about another thing.
fn announcement(closed: &Closed<'_>) -> Option<Diagnostic> {
    let ends = closed.is_regular() || matches!(closed.body.code, Some(1012 | 1013));
    let done = closed.body.code == Some(1000) && closed.is_asked();
    let names_server = |fact: &str| fact.to_ascii_lowercase().contains("\"server");
    let fact = announced(closed.facts).filter(|fact| ends && (!done || names_server(fact)))?;
    Some(closed.warned().suggests(ANNOUNCED, fact))
}

/// The peer's last message says that it ended this session.
fn session_ended(closed: &Closed<'_>) -> Option<Diagnostic> {
    let unsaid = closed.says_nothing() && !closed.is_named();
    let shown = Clue::SessionEnded.seen(closed.facts).filter(|_| unsaid)?;
    Some(
        closed
            .retitled("closed right after a message that may give the reason")
            .suggests(ENDED_BY_PEER, shown)
            .help("follow the message"),
    )
}

/// The peer closed in order right after our message, which got no answer, while those before it
/// had got one each. A message that asks for the end, or that may be the last one, needs none.
fn unanswered(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let bye = closed.says_nothing()
        || heard::is_ordinary(&body.reason) && !heard::says_done(&body.reason);
    let regular = matches!(body.code, None | Some(1000)) && bye && inner(facts).is_none();
    // After a greeting, a Close in place of an answer says as much as one before any message.
    let only = facts.stream.kept.iter().find(|one| one.ours);
    if let Some(only) = only.filter(|_| regular && closed.talk.is_ignored())
        && facts.stream.kept_all
        && closed.says_nothing()
        // "hello" may be the answer to "hi".
        && facts.stream.message.is_some_and(|(_, content)| content.starts_with(b"{"))
        && facts.stream.ours_quiet < SILENCE / 2
        && !heard::may_be_last(only.content)
    {
        return Some(
            closed
                .warned()
                .title("closed right after our message, without an answer to it")
                .possible(
                    "the application's handler ended because of our message, or with an exception",
                )
                .possible("the application takes one message, and ends")
                .help("check what the application expects; the peer's log at that moment has more"),
        );
    }
    let (last, before) = closed.talk.last_unanswered().filter(|_| regular)?;
    let ours_last = facts.stream.kept.last().is_some_and(|one| one.ours);
    let soon = match ours_last {
        true => facts.stream.ours_quiet < SILENCE / 2,
        false => facts.stream.heard.is_some_and(|heard| heard.quiet < SHORTLY),
    };
    // After the command of an upload, its data may need no answer.
    let upload = !last.text && before.content.trim_ascii_start().starts_with(b"{");
    if !soon || upload || end.quiet >= SILENCE || heard::may_be_last(last.content) {
        return None;
    }
    let d = closed.warned();
    Some(match (ours_last, last.text == before.text) {
        (true, false) => {
            let (kind, other) = if last.text { ("text", "binary") } else { ("binary", "text") };
            d.title(format!("closed right after our {kind} message, without an answer to it"))
                .suggests(
                    format!("the application does not take {kind} messages, or its handler failed at this one"),
                    format!("it answered the {other} message before"),
                )
                .help(format!("send it as a {other} message to check; the peer's log at that moment has more"))
        }
        (true, true) => d
            .title("closed right after our message, without an answer to it")
            .possible("the application's handler ended because of this message")
            .possible("the handler takes a certain number of messages, then ends")
            .help("read the peer's log at that moment; send this message alone to check"),
        (false, _) => d
            .title("closed right after an answer, and our last message got none")
            .possible("the handler takes one message, answers it, and ends: it needs a loop")
            .possible("the application's handler ended because of our last message")
            .help("send each message in a connection of its own, or let the handler receive until the end"),
    })
}

/// The reason says that this side sent too many pings.
fn pings_limited(closed: &Closed<'_>) -> Option<Diagnostic> {
    let pings = &closed.facts.pings;
    let sent = pings.answered > 0 || pings.waiting.is_some();
    (sent && heard::limits_pings(&closed.body.reason)).then(|| {
        let reason = String::from_utf8_lossy(&closed.body.reason).into_owned();
        closed
            .warned()
            .because(
                "the server limits pings, and this side sent more",
                format!("its reason is \"{reason}\""),
            )
            .help("send fewer pings: none by hand, and a longer `--ping-interval`")
    })
}

/// The peer's last message is a goodbye with a reason of its own.
fn goodbye_with_reason(closed: &Closed<'_>) -> Option<Diagnostic> {
    let (heard, _) = closed.talk.said_last(closed.facts)?;
    let reason = heard::goodbye_reason(heard.content).filter(|_| heard.quiet < SILENCE)?;
    let reason = reason.as_bytes();
    let usual = heard::is_ordinary(reason) || heard::tells_outcome(reason);
    if usual || !closed.is_regular() || !closed.says_nothing() || heard::is_echo(closed.facts) {
        return None;
    }
    // Later, the reason may be about anything.
    let d = match closed.end.last < SILENCE {
        true => closed.retitled("closed right after a message that may give the reason"),
        false => closed.known(),
    };
    Some(
        d.possible(format!("its last message is {}", heard::shown(heard.content)))
            .help("follow the message"),
    )
}

/// The peer's last message is short and binary, and ends with words; the code refuses.
fn words_in_binary(closed: &Closed<'_>) -> Option<Diagnostic> {
    let facts = closed.facts;
    let refuses = matches!(closed.body.code, Some(1008 | 3000..=4999)) && closed.says_nothing();
    let (last, _) = closed.talk.said_last(facts).filter(|(last, _)| last.quiet < SILENCE)?;
    let is_it = |one: &&CrossedMessage<'_>| !one.ours && one.content == last.content;
    let binary = facts.stream.kept.iter().rfind(is_it).is_some_and(|one| !one.text);
    let unknown = refuses && binary && !heard::is_echo(facts) && inner(facts).is_none();
    let words = heard::last_words(last.content).filter(|_| unknown)?;
    Some(
        closed
            .retitled("closed right after a message that may give the reason")
            .suggests(
                format!("its last message ends with \"{words}\""),
                "the Close came right after it",
            )
            .help("follow the message"),
    )
}

/// The server ended the session of the protocol inside.
fn left_inside(closed: &Closed<'_>) -> Option<Diagnostic> {
    // A second message may ask for the end in the application's words. Later, the server may
    // restart.
    let ours = closed.facts.stream.kept.iter().filter(|message| message.ours).count();
    let early = closed.is_regular() && closed.body.code != Some(1001) && closed.end.last < SILENCE;
    if let Some(inner) = inner(closed.facts).filter(|_| early && ours < 2) {
        let (goodbye, title) = (inner.goodbye?, inner.title);
        return Some(
            closed
                .known()
                .title("closed at once, after the server ended the session inside")
                .severity(Severity::Warning)
                .suggests("the server refuses the session", format!("in {title} it sent: {goodbye}"))
                .help("read the server's log at that moment: servers end a session like this after a failed login, for example"),
        );
    }
    // Nothing else tells why the server ended the session.
    let bare = closed.body.code.is_none();
    let fact = closed.seen(Clue::SessionLeft).filter(|_| bare)?;
    Some(
        closed
            .known()
            .title("closed after the server ended the session inside")
            .severity(Severity::Warning)
            .because(LEFT_INSIDE, fact)
            .help(LOOK_FOR_LIMITS),
    )
}

/// Our last message breaks a rule of the protocol inside.
fn breach(closed: &Closed<'_>) -> Option<Diagnostic> {
    let fact = closed.seen(Clue::InnerBreach)?;
    // These codes have their own meaning, which explains more.
    let open = !matches!(closed.body.code, Some(1009 | 1010 | 1012..=1014));
    // A message of another protocol is refused with any reason.
    let foreign = || inner(closed.facts).is_some_and(|inner| inner.is_foreign);
    (open && closed.end.quiet < SILENCE && (closed.says_nothing() || foreign())).then(|| {
        closed
            .known()
            .severity(Severity::Warning)
            .title("closed right after a message that breaks a rule of the protocol inside")
            .suggests("the server closed because of our last message", fact)
            .help("follow the rule: `wscope -v URL` names it beside the message")
    })
}

/// Our only message lacks the end that its protocol requires, so the server waited for it.
fn without_end(closed: &Closed<'_>) -> Option<Diagnostic> {
    let waited = closed.is_regular() && closed.says_nothing();
    let (title, end) = unended(closed.facts, &closed.talk).filter(|_| waited)?;
    Some(
        closed
            .retitled("closed while the server waited for the end of our message")
            .suggests(endless(title, end), "no answer came to it")
            .help(SEND_END),
    )
}

/// The protocol of our message that lacks its end, and that end, if nothing answered this message.
pub(super) fn unended(
    facts: &Facts<'_>,
    talk: &Dialogue<'_>,
) -> Option<(&'static str, &'static str)> {
    let ignored = talk.is_ignored() && facts.stream.kept_all;
    lacking_end(facts.stream.kept.last(), inner(facts).as_ref()).filter(|_| ignored)
}

/// The reason of a Close in order says something else than goodbye, and it came right after our
/// message, which did not ask for the end in the protocol inside.
fn ended_inside(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, .. } = closed;
    let kept = facts.stream.kept;
    let ours = kept.last().is_some_and(|last| last.ours) && facts.stream.ours_quiet < SILENCE;
    let odd = body.code == Some(1000) && !closed.says_nothing();
    let usual = heard::is_ordinary(&body.reason) || heard::tells_outcome(&body.reason);
    let begun = kept.iter().any(|one| !one.ours) && ours && odd && !usual;
    let inner = inner(facts).filter(|inner| begun && inner.is_named && inner.farewell.is_none())?;
    let reason = String::from_utf8_lossy(&body.reason);
    Some(
        closed
            .known()
            .severity(Severity::Warning)
            .title("closed right after our message, with a reason that is no goodbye")
            .suggests(
                format!(
                    "the server ended the session of {} because of our last message",
                    inner.title
                ),
                format!("its reason is \"{reason}\", and this side had not asked for the end"),
            )
            .help("read the server's log at that moment, and check what the message names"),
    )
}

/// How long before a Close without a reason a message may be that explains it.
const SHORTLY: Duration = Duration::from_millis(100);

/// The code refuses without a reason, and a message of its own kind came right before.
fn last_message(closed: &Closed<'_>) -> Option<Diagnostic> {
    let refuses = matches!(closed.body.code, Some(1008 | 3000..=4999)) && closed.says_nothing();
    let soon = closed.facts.stream.heard.is_some_and(|heard| heard.quiet < SHORTLY);
    let last = closed.talk.theirs.last().filter(|_| refuses && soon && !closed.is_named())?;
    let tells = [PeerPart::Answer, PeerPart::Push, PeerPart::Announcement].contains(&last.part);
    let copy = heard::is_echo(closed.facts);
    let told = tells && !last.is_repeated && !copy && heard::tells(last.content);
    // A session without our message may show more than its answer.
    let answer = last.part == PeerPart::Answer && closed.facts.stream.ours_quiet < SILENCE / 2;
    let text = || format!("its last message is {}", heard::shown(last.content));
    // It may be any record.
    told.then(|| match answer {
        true => closed.known().possible(text()).help("follow the message"),
        false => closed.known().note(text()),
    })
}

/// The code is regular, but the reason names a problem.
fn reason_names_fault(closed: &Closed<'_>) -> Option<Diagnostic> {
    // Rules for these reasons explain more.
    let named =
        [Clue::TimerReason, Clue::TimeoutReason, Clue::FirstMessageReason, Clue::PingReason];
    let named = named.into_iter().any(|clue| closed.seen(clue).is_some());
    let faulty = heard::refuses(&closed.body.reason);
    (closed.is_regular() && !named && faulty).then(|| {
        let reason = String::from_utf8_lossy(&closed.body.reason).into_owned();
        closed
            .known()
            .severity(Severity::Warning)
            .title("closed with a regular code, and a reason that names a fault")
            .suggests(format!("its reason is \"{reason}\""), "the peer's own words")
            .help("do as the reason says")
    })
}

/// The server closed at once, before it sent any message.
fn at_once(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let (asked, ordinary) = (closed.is_asked(), closed.is_ordinary());
    let early =
        facts.stream.messages == 0 && end.last < SILENCE && closed.known.entry.code != "W502";
    // The Close explains itself if it has a goodbye, confirms our message with 1000, or follows a
    // part of a message.
    let goodbye = !body.reason.is_empty() && heard::is_goodbye(&body.reason);
    let done = asked && body.code == Some(1000) && !closed.says_nothing();
    // If the peer accepted several messages, the last one may have been what it waited for.
    let taken = facts.stream.kept.iter().filter(|message| message.ours).count() > 1;
    let spoke = ordinary && (goodbye || done || taken || facts.stream.frames > 1);
    let unexplained = !asked || body.code.is_none() || ordinary || closed.says_nothing();
    if !early || spoke || !unexplained {
        return None;
    }
    let d = closed
        .known()
        .note(format!("{} ms after the 101, before it sent any message", end.last.as_millis()));
    let d = match closed.seen(Clue::SizeableMessageSent) {
        Some(fact) => d.note(fact).possible(TOO_LONG),
        None => d,
    };
    if !ordinary && body.code.is_some() {
        // These codes say little.
        let neutral = matches!(body.code, Some(1002 | 1003 | 1008 | 1010 | 1011 | 3000..=4999));
        let clear = !neutral
            || !closed.says_nothing()
            || d.is_proved()
            || d.entry.family == Family::Application;
        return Some(if clear { d } else { subprotocol(d, facts) });
    }
    let d = d.severity(Severity::Warning);
    if let Some(fact) = closed.seen(Clue::NamesOtherPath) {
        return Some(
            d.title("closed at once, before any message")
                .suggests(REWRITTEN, fact)
                .help("compare the path that the proxy passes on with that of the application"),
        );
    }
    let d = match asked {
        true => d
            .title("closed at once, after our message")
            .help("check the path, and which message the application expects first; the peer's log at that moment has more")
            .possible("the application's handler ended because of our message, or with an exception"),
        false => d
            .title("closed at once, before any message")
            .help("check the path, and which message the application expects first: some frameworks accept every path, then close"),
    };
    let d = d.possible("the application does not know the path, which a proxy may have rewritten");
    let d = if ordinary { d.title(UNSPOKEN) } else { d };
    Some(subprotocol(d, facts).possible(WANTS_MORE))
}

/// A server of Socket.IO refused the namespace, and ends connections without one.
fn namespace_refused(closed: &Closed<'_>) -> Option<Diagnostic> {
    let inner = inner(closed.facts)?;
    let failure = inner.failure(closed.facts.stream.kept)?;
    let refused = failure.starts_with("CONNECT_ERROR") || failure.contains(" CONNECT_ERROR");
    (refused && closed.is_regular() && closed.body.code != Some(1001) && closed.says_nothing())
        .then(|| {
            let fact = "the server ends connections that connect to no other namespace in time";
            closed
                .known()
                .severity(Severity::Warning)
                .title("closed after the server refused a namespace of Socket.IO")
                .suggests(format!("the server refused the namespace: {failure}"), fact)
                .help("do as the message says: connect to a namespace that exists, with the login that it needs")
        })
}

/// The protocol inside requires heartbeats of this side, which were not sent.
fn inner_beat_missing(closed: &Closed<'_>) -> Option<Diagnostic> {
    let fact = closed.seen(Clue::InnerTimer).filter(|_| !closed.is_named())?;
    let goodbye = !closed.says_nothing() && heard::is_ordinary(&closed.body.reason);
    let about_message = matches!(closed.body.code, Some(1001..=1003 | 1007 | 1009..=1014));
    (!goodbye && !about_message).then(|| {
        closed
            .retitled("closed after a heartbeat of the protocol inside was not sent")
            .suggests(INNER_BEAT, fact)
            .help("send that protocol's own heartbeat, or agree on a longer interval: pings of WebSocket do not count")
    })
}

/// The protocol inside goes on with a message of this side, which sent none.
fn awaited_inside(closed: &Closed<'_>) -> Option<Diagnostic> {
    let fact = closed.seen(Clue::InnerAwaited).filter(|_| !closed.is_named())?;
    let open = !matches!(closed.body.code, Some(1001..=1003 | 1007 | 1009..=1014));
    let unsaid = closed.says_nothing() || closed.seen(Clue::TimeoutReason).is_some();
    (open && unsaid && closed.end.last >= SILENCE).then(|| {
        closed
            .retitled("closed while the server waited for the first message of the protocol inside")
            .suggests(AWAITS, fact)
            .help(SEND_AT_ONCE)
    })
}

/// This side did not answer a heartbeat message of the peer.
fn beat_unanswered(closed: &Closed<'_>) -> Option<Diagnostic> {
    let fact = closed.seen(Clue::BeatUnanswered).filter(|_| closed.says_nothing())?;
    let d = closed.retitled("closed after a heartbeat of the application was not answered");
    Some(d.suggests(UNANSWERED, fact).help(ANSWER_IT))
}

/// Socket.IO ends a connection that does not connect to a namespace in time.
fn no_namespace(closed: &Closed<'_>) -> Option<Diagnostic> {
    // These codes are about a message.
    let other = matches!(closed.body.code, Some(1002 | 1003 | 1007 | 1009 | 1010 | 1012..=1014));
    let waited = closed.end.last >= SILENCE / 5 && !other;
    let fact = closed.seen(Clue::NoNamespace).filter(|_| waited && closed.says_nothing())?;
    Some(
        closed
            .known()
            .severity(Severity::Warning)
            .title("closed before a namespace of Socket.IO was connected to")
            .suggests("the server ends connections that connect to no namespace in time", fact)
            .help("send the packet at once: `-x 40`, with a login as in `40{\"token\":\"…\"}`"),
    )
}

/// This side did not answer a ping: it ignored pings on purpose, or the reason says so.
fn ping_unanswered(closed: &Closed<'_>) -> Option<Diagnostic> {
    match (closed.seen(Clue::PingReason), closed.seen(Clue::PingsIgnored)) {
        (Some(reason), Some(ignored)) => {
            Some(closed.warned().because(UNPONGED, format!("{ignored}; {reason}")).help(PONG))
        }
        // Earlier, no timeout of a ping can have passed.
        (Some(reason), None) if closed.end.last >= SILENCE => {
            let text = "the peer did not receive a ping, a pong or a heartbeat from this side";
            let d = match closed.seen(Clue::TimeoutReason) {
                Some(_) => closed.warned().because(text, reason),
                None => closed.warned().suggests(text, reason),
            };
            Some(d.help(
                "send the heartbeat that the application expects; find out what delayed the pongs",
            ))
        }
        (None, Some(ignored))
            if (closed.is_regular()
                || closed.body.code == Some(1011) && closed.end.last >= SILENCE)
                && closed.says_nothing()
                && !closed.facts.stream.ended_on_ours =>
        {
            Some(closed.warned().suggests(UNPONGED, ignored).help(PONG))
        }
        _ => None,
    }
}

/// The peer's first message announces a login or a heartbeat, and this side sent none.
fn beat_announced(closed: &Closed<'_>) -> Option<Diagnostic> {
    let fact = closed.seen(Clue::BeatAnnounced).filter(|_| closed.end.quiet >= SILENCE / 5)?;
    let unsaid = closed.says_nothing() || closed.seen(Clue::TimeoutReason).is_some();
    // These codes say that the work is done.
    let done = closed.is_asked() && closed.is_ordinary();
    let d = closed.warned();
    (unsaid && !done).then(|| match closed.is_asked() {
        true => d.suggests(BEATS_MISSING, fact).help(BEAT_IN_TIME),
        false => d.suggests(BEATLESS, fact).help(BEAT),
    })
}

/// The reason names a first message.
fn first_message_missing(closed: &Closed<'_>) -> Option<Diagnostic> {
    let reason = closed.seen(Clue::FirstMessageReason).filter(|_| !closed.is_named())?;
    let d = closed.known();
    Some(match closed.is_asked() {
        true => d
            .suggests("the peer did not take our message for the first one of its protocol", reason)
            .help("check the form of that message: protocols of lines need CR and LF at its end"),
        false => d
            .because("the peer did not receive the first message of its protocol", reason)
            .help("send that message at once, with -x"),
    })
}

/// Only pings came before the Close. They kept the connection open until then, so no idle timeout
/// ended it.
fn only_pings_before(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, end, .. } = closed;
    let unused = facts.stream.messages == 0 && facts.stream.frames > 1 && !closed.is_asked();
    let steady = end.quiet < SILENCE || end.quiet * 2 < end.longest_quiet * 3;
    (unused && steady && closed.is_ordinary() && closed.says_nothing()).then(|| {
        let (age, quiet) = (seconds(end.last), end.quiet.as_millis());
        closed
            .warned()
            .title(UNSPOKEN)
            .note(format!("{age} after the 101, and {quiet} ms after other traffic"))
            .possible("a limit on the age of connections, which pings do not extend")
            .possible(NOTHING_REQUIRED_CAME)
            .help("send the messages that the application expects, or reconnect after this time")
    })
}

/// There was traffic until the end. At most, the peer waited for a message of ours.
fn waited_for_us(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    if end.quiet >= SILENCE {
        return None;
    }
    let d = closed.known();
    let waited = !closed.is_asked() && facts.stream.messages > 0 && end.last >= SILENCE;
    let unclear = d.causes.is_empty()
        && body.reason.is_empty()
        && (closed.is_regular() || body.code >= Some(4000));
    let d = match waited && unclear {
        true => d
            .possible(NOTHING_REQUIRED_CAME)
            .help("send the messages that the application expects: its documentation names them"),
        false => d,
    };
    // A reason, or another code, is about something else.
    let timed = closed.says_nothing() && matches!(body.code, None | Some(1000 | 1001 | 1008));
    Some(if timed { aged(d, facts, end.last, end.quiet) } else { d })
}

/// The reason calls a connection stale in which this side said nothing.
fn stale(closed: &Closed<'_>) -> Option<Diagnostic> {
    let told = contains_word(&closed.body.reason, "stale") && !closed.is_asked();
    told.then(|| {
        closed
            .known()
            .suggests(
                "the server waited for the first message of its protocol, such as a login",
                "its reason is \"stale\", and no message was sent",
            )
            .help("send that message right after the opening, with `-x`; pings do not replace it")
    })
}

/// The server goes away in the middle of its messages.
fn going_away(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let heard = facts.stream.heard.filter(|heard| heard.quiet < SILENCE)?;
    // A server that has sent all goes away with 1000, and one that answers a request has been asked.
    let feeds = facts.stream.messages >= 2 && closed.talk.theirs.iter().all(|one| !one.is_outcome);
    let alone = !closed.is_asked() || facts.stream.ours_quiet >= SILENCE;
    let unsaid = closed.says_nothing() && !closed.is_named();
    let lived = end.last >= SILENCE && !is_round_age(end.last);
    (body.code == Some(1001) && unsaid && feeds && alone && lived).then(|| {
        closed.warned().certain().title("the server went away in the middle of its messages (1001)").suggests(
            "the server, or a proxy in front, shuts down, restarts or reloads its configuration",
            format!("it closed {} after a message", seconds(heard.quiet)),
        )
    })
}

/// There was a silence before the Close, possibly because of a timer.
fn silence(closed: &Closed<'_>) -> Option<Diagnostic> {
    let Closed { facts, body, end, .. } = closed;
    let (asked, regular, ordinary) = (closed.is_asked(), closed.is_regular(), closed.is_ordinary());
    let quiet = seconds(end.quiet);
    let note = |d: Diagnostic| d.note(format!("the Close came after {quiet} without traffic"));
    let d = note(closed.known());
    // An entry about the protocol inside explains the Close, or the code is about something else.
    let timed = regular || matches!(body.code, Some(1008 | 1011 | 3000..=4999));
    // A request that was refused before the silence says more than the silence (W516), unless the
    // session went on.
    let mut said = closed.talk.theirs.iter().rev();
    let said = said.find(|one| one.part != PeerPart::Heartbeat);
    let refused = regular && said.is_some_and(|one| one.refusal.is_some());
    if closed.is_named() || !timed || refused {
        return Some(d);
    }
    let often = ping_interval(end.quiet);
    let help = match regular {
        true => format!(
            "if this is unexpected, send pings (`--ping-interval {often}`) or a heartbeat message"
        ),
        false => format!(
            "send something more often: `--ping-interval {often}`, or a message of the application"
        ),
    };
    let titled = |d: Diagnostic| d.title(format!("the peer closed after {quiet} without traffic"));
    if let Some(reason) = closed.seen(Clue::TimerReason) {
        return Some(titled(note(closed.warned())).because(IDLE_TIMEOUT, reason).help(help));
    }
    // The timeout may be that of a task of the server, or of a message of ours.
    if let Some(fact) = closed.seen(Clue::TimeoutReason) {
        // The reason names the task that timed out. Pings do not extend that time.
        return Some(match is_qualified(facts) {
            true => d.suggests("a timeout of the server, which its reason names", fact),
            false => titled(note(closed.warned()))
                .suggests("a timeout of the server, such as an idle timeout", fact)
                .help(help),
        });
    }
    // A reason without a timeout means another cause, and so does a silence that was usual before.
    let unsaid = closed.says_nothing();
    // If a message came right before the Close, no timer ran out.
    let spoke = end.idle_data.saturating_sub(end.idle) < SILENCE;
    let steady = spoke || end.quiet * 2 < end.longest_quiet * 3;
    if ordinary && unsaid && !steady {
        let fact = format!("there was no traffic for {quiet} before the Close");
        let d = titled(d.certain()).severity(Severity::Warning).help(help);
        let d = match body.code {
            Some(1001) => {
                d.suggests("an idle timeout, or a shutdown or restart of the server", fact)
            }
            _ => d.suggests("possibly an idle timeout of the server or of a proxy", fact),
        };
        return Some(d.possible(NOTHING_REQUIRED_CAME));
    }
    let d = match unsaid && !(ordinary && steady) {
        true if asked && body.code.is_some() => d.possible(IDLE_TIMEOUT),
        true => d.possible(NOTHING_REQUIRED_CAME).possible(IDLE_TIMEOUT),
        false => d,
    };
    if !regular || steady || !unsaid {
        return Some(d);
    }
    let d = titled(d).help(help);
    Some(if body.code.is_none() { d.severity(Severity::Warning) } else { d })
}

/// The cause if the peer announced the end.
pub(super) const ANNOUNCED: &str = "the server ends or restarts, as it announced";

/// The cause if the peer said that it ended the session.
pub(super) const ENDED_BY_PEER: &str = "the server ended this session, as its last message says";

/// The cause if this side did not answer a heartbeat.
pub(super) const UNANSWERED: &str =
    "the application did not receive the answer to its heartbeat message";

/// The cause if the server announced a login or a heartbeat.
pub(in crate::diagnostics) const BEATLESS: &str =
    "the application did not receive what its first message speaks of: a login, or a heartbeat";

/// The cause if the server announced heartbeats, and this side sent other messages alone.
const BEATS_MISSING: &str =
    "the application did not receive the heartbeats that its first message speaks of";

/// The help for it.
const BEAT_IN_TIME: &str =
    "send a heartbeat in that interval, as the application's clients do; WebSocket pings are none";

/// The help for an announced login or heartbeat.
pub(in crate::diagnostics) const BEAT: &str = "send what it names, as the application's clients do: the login at once, a heartbeat in its interval; WebSocket pings are none";

/// The cause if this side did not answer pings.
const UNPONGED: &str = "this side did not answer the peer's pings";

/// The help for unanswered pings.
const PONG: &str = "answer its pings: leave out `--no-pong` and faults that withhold pongs";

/// The help for an unanswered heartbeat.
pub(super) const ANSWER_IT: &str = "answer it as the application's clients do: `/on REGEX /text ANSWER` in a script or at the prompt";

/// The cause of an end right after a message that is not short.
pub(in crate::diagnostics) const TOO_LONG: &str =
    "our message is longer than the server or a proxy allows";

/// The cause if the peer waited for the first message of the protocol inside.
pub(in crate::diagnostics) const AWAITS: &str =
    "the server waited for the first message of the protocol inside";

/// The help for it.
pub(in crate::diagnostics) const SEND_AT_ONCE: &str =
    "send that message right after the opening, with `-x` or with the commands of its lens";

/// The cause if the peer waited for a heartbeat of the protocol inside.
const INNER_BEAT: &str = "the protocol's own heartbeat was not sent in time";

/// The cause if a timer of the peer ran out.
const IDLE_TIMEOUT: &str = "an idle timeout of the server";

/// The cause if the peer waited for a message.
const NOTHING_REQUIRED_CAME: &str = "the application did not receive a message that its protocol requires: a first one, or a heartbeat";

/// A possible cause of a refusal at once, besides the path.
const WANTS_MORE: &str = "the application requires a login, or a parameter of the URL";

/// The title of a Close in order before any message.
pub(super) const UNSPOKEN: &str = "the peer closed before it sent any message";

/// Whether this side sent connection_init to a GraphQL server and got no answer.
pub(super) fn sent_init(facts: &Facts<'_>) -> bool {
    let sent = facts.stream.sent.map(|(_, sent)| sent).unwrap_or_default();
    facts.stream.messages == 0 && Inside::of(facts).graphql && contains(sent, b"connection_init")
}

/// Explains a Close in place of connection_ack.
pub(super) fn refused_init(d: Diagnostic) -> Diagnostic {
    d.title("closed after our connection_init, without connection_ack")
        .suggests(
            "the server refuses connection_init: a token or login in its payload is missing or wrong",
            "the first message sent was connection_init, and no message came",
        )
        .help("put into its payload what the server asks for, as in `{\"type\":\"connection_init\",\"payload\":{\"Authorization\":\"…\"}}`")
}

/// Explains a code that is about a message, although this side sent none.
pub(super) fn not_ours(d: Diagnostic) -> Diagnostic {
    let title = format!("{}, though no message had been sent", d.entry.title);
    d.certain()
        .title(title)
        .possible("the application chose this code for its own reason")
        .help("check path, query and credentials; the peer's log at that moment has more")
}

/// Adds the subprotocol as a possible cause of a Close at once.
fn subprotocol(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    if let Some(fact) = Clue::PathWantsSubprotocol.seen(facts) {
        let name = path_hint(facts).unwrap_or_else(|| "offer it: `-s NAME`".to_owned());
        return d.suggests("the application requires a subprotocol", fact).help(name);
    }
    match Clue::NoSubprotocol.seen(facts) {
        Some(_) => {
            d.possible("the application requires a subprotocol, `-s NAME`, and none was offered")
        }
        None => d.possible("the application does not support the subprotocol that was agreed"),
    }
}

/// The cause if a page names another path.
const REWRITTEN: &str =
    "a proxy or the server rewrites the path, and the application has no WebSocket at the new one";

/// Whether a Close has no reason, or a reason that only repeats its code.
pub(super) fn says_nothing(body: &CloseBody) -> bool {
    let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
    body.reason.is_empty() || body.reason.eq_ignore_ascii_case(name.as_bytes())
}
