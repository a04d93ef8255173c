//! Close codes: first those of the application's protocol, then the registered ones.

use super::application::{Inside, path_hint};
use super::clocks::{ping_interval, seconds};
use super::findings::Findings;
use crate::diagnostics::clue::{Complaint, complained, is_qualified};
use crate::diagnostics::facts::{EndKind, SILENCE};
use crate::diagnostics::heard::{self, Grievance};
use crate::diagnostics::inner::inner;
use crate::diagnostics::said;
use crate::diagnostics::{Clue, Confidence, Diagnostic, Facts, Family, Severity};
use crate::wire::Role;
use crate::wire::close::{self, CloseBody};

/// The codes graphql-ws and its kin use.
const GRAPHQL: [u16; 11] = [4004, 4005, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500, 4504];

/// What Discord's gateway means by its codes, from 4000 on.
const DISCORD: [&str; 15] = [
    "unknown error, reconnect",
    "unknown opcode",
    "decode error",
    "not authenticated",
    "authentication failed, do not reconnect",
    "already authenticated",
    "a code without meaning",
    "invalid sequence number, reconnect with a new session",
    "rate limited",
    "session timed out, reconnect with a new session",
    "invalid shard, do not reconnect",
    "sharding required, do not reconnect",
    "invalid API version, do not reconnect",
    "invalid intents, do not reconnect",
    "disallowed intents, do not reconnect",
];

pub(super) fn closing(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let facts_of_close = &facts.close;
    if let Some(label) = facts_of_close.label {
        let code = match label {
            1005 => "W705",
            1015 => "W715",
            _ => "W706",
        };
        return found.add(code, |d| d);
    }
    let Some(received) = facts_of_close.received else { return };
    // The echo of our own Close proves nothing.
    let echoed = facts_of_close.sent.is_some_and(|sent| sent.code == received.code);
    if !facts_of_close.by_peer && echoed {
        return;
    }
    let inside = Inside::of(facts);
    let code = own(received, facts, &inside).unwrap_or_else(|| match registered(received.code) {
        // Libraries had used them for anything before they were registered.
        "W717" if !speaks_of_access(received) => "W718",
        code => code,
    });
    found.add(code, |d| timed(lawful(explain(d, received), facts, received), facts, received));
}

/// What the protocol inside means by it.
fn own(body: &CloseBody, facts: &Facts<'_>, inside: &Inside) -> Option<&'static str> {
    let Some(code) = body.code else {
        let digit = |(_, content): (_, &[u8])| content.first().is_some_and(u8::is_ascii_digit);
        let wrong = facts.stream.sent.is_some_and(|sent| !digit(sent));
        return (inside.engine_io && wrong).then_some("W502");
    };
    let broken_framing = crate::diagnostics::sniff::contains(&body.reason, b"Broken framing");
    match code {
        3000 if broken_framing => Some("W504"),
        4408 if inside.graphql => Some("W505"),
        4406 if inside.graphql => Some("W506"),
        code if inside.graphql && GRAPHQL.contains(&code) => Some("W719"),
        4001..=4022 if inside.discord_voice => Some("W721"),
        4000..=4014 if inside.discord => Some("W720"),
        4000..=4299 if inside.pusher => Some("W722"),
        _ => None,
    }
}

fn registered(code: Option<u16>) -> &'static str {
    match code {
        None => "W705",
        Some(1000) => "W700",
        Some(1001) => "W701",
        Some(1002) => "W702",
        Some(1003) => "W703",
        Some(1004) => "W704",
        Some(1005) => "W705",
        Some(1006) => "W706",
        Some(1007) => "W707",
        Some(1008) => "W708",
        Some(1009) => "W709",
        Some(1010) => "W710",
        Some(1011) => "W711",
        Some(1012) => "W712",
        Some(1013) => "W713",
        Some(1014) => "W714",
        Some(1015) => "W715",
        Some(1016..=2999) => "W716",
        Some(3000 | 3003 | 3008) => "W717",
        Some(3001..=3999) => "W718",
        Some(4000..=4999) => "W723",
        Some(..=999 | 5000..) => "W724",
    }
}

/// The code of the entry for a close code, where nothing else is known.
pub fn of_close_code(code: u16) -> &'static str {
    registered(Some(code))
}

/// A peer that complains of a breach where there was none, and a private code that ends the session.
fn lawful(d: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    let by_server = facts.role == Role::Client && facts.close.by_peer;
    match d.entry.code {
        // The exit status says that it failed.
        "W723" | "W718" if by_server => d.severity(Severity::Warning),
        "W719" if matches!(body.code, Some(4401 | 4403)) && sent_init(facts) => refused_init(d),
        "W719" => match body.code {
            Some(4400) => d.help("correct the message that its reason names: `start` and `stop` are of the old subprotocol graphql-ws, `subscribe` and `complete` of graphql-transport-ws"),
            Some(4409) => d.help("give each subscription of a connection an `id` of its own"),
            Some(4429) => d.help("send `connection_init` once for each connection"),
            Some(4500 | 4004 | 4005 | 4504) => d.help("read the server's log at that moment"),
            _ => d,
        },
        "W702" if by_server => {
            let stream = &facts.stream;
            let legal = stream.illegal_sent.is_none()
                && !stream.bytes_sent
                && !stream.ping_inside_compressed;
            if !legal {
                return d;
            }
            let d = d.note("no frame that this side sent breaks a rule");
            let speaks = ["frame", "mask", "opcode", "rsv", "utf", "protocol error", "continuation"];
            let other = !says_nothing(body)
                && !speaks
                    .iter()
                    .any(|word| crate::diagnostics::sniff::contains_word(&body.reason, word));
            match other {
                true => d
                    .title("closed with 1002, a protocol error, for a reason of the peer's own")
                    .help("do as its reason says, and read the peer's log at that moment"),
                false => d,
            }
        }
        _ => d,
    }
}

fn explain(d: Diagnostic, body: &CloseBody) -> Diagnostic {
    let d = match body.code {
        None => d,
        Some(code) => {
            let info = close::lookup(code);
            let d = match d.entry.code {
                // SockJS's own 3000 has no meaning of the registry.
                "W504" => d.note(format!("the peer sent {code}")),
                _ => d.note(format!("the peer sent {code} {}", info.name)),
            };
            let at = usize::from(code.saturating_sub(4000));
            match (d.entry.code, DISCORD.get(at)) {
                ("W720", Some(meaning)) => d.note(format!("its meaning for Discord: {meaning}")),
                ("W723", _) if (4400..4500).contains(&code) => {
                    let status = code - 4000;
                    let login = matches!(status, 401 | 403) && says_nothing(body);
                    let d = if login { d.possible(REFUSED_LOGIN) } else { d };
                    d.note(format!("{code} may have the meaning of HTTP status {status}"))
                }
                ("W722", _) => d.note(match code {
                    ..4100 => "do not reconnect unchanged",
                    4100..4200 => "reconnect after a second or more",
                    _ => "reconnect at once",
                }),
                _ => d,
            }
        }
    };
    match body.reason.as_slice() {
        [] => d,
        reason => {
            // No guess stands beside the peer's own words.
            let mut d = d;
            let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
            let vague = said::is_vague(&String::from_utf8_lossy(reason)) && !speaks_of_access(body);
            if !reason.eq_ignore_ascii_case(name.as_bytes()) && !vague {
                d.causes.retain(|cause| cause.confidence != Confidence::Low);
            }
            let d = d.note(format!("its reason: {}", String::from_utf8_lossy(reason)));
            let failed = crate::diagnostics::sniff::contains_word(reason, "error");
            match d.entry.code {
                "W718" | "W723" if vague && failed => d
                    .possible(
                        "an exception in the peer's application, possibly because of our message",
                    )
                    .help("read the peer's log at that moment"),
                "W700" | "W701" | "W703" | "W707" | "W708" | "W718" | "W723" if !vague => {
                    d.help("its reason says why; the peer's log at that moment may have more")
                }
                _ => d,
            }
        }
    }
}

/// What the clocks add: a Close at once, and one after a silence.
fn timed(d: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    // What a client does is its own affair.
    let by_server = facts.role == Role::Client && facts.close.by_peer;
    let Some(end) = facts.end.filter(|_| by_server) else {
        return match (Clue::PingsIgnored.seen(facts), Clue::PingReason.seen(facts)) {
            (Some(ignored), Some(reason)) if facts.close.by_peer => {
                d.because(UNPONGED, format!("{ignored}; {reason}")).help(PONG)
            }
            _ => d,
        };
    };
    let regular = close::is_regular(body.code);
    // What this side had sent by then may not have been looked at.
    let asked = facts.stream.sent.is_some();
    let unasked = !asked || body.code.is_none();
    if let Some(ignored) = Clue::SubprotocolIgnored.seen(facts)
        && facts.stream.messages == 0
        && end.last < SILENCE
        && !unexplained_by_subprotocol(body)
    {
        return d
            .severity(Severity::Warning)
            .title("closed at once, after the server accepted none of the subprotocols offered")
            .note(format!("{} ms after the 101, before it sent any message", end.last.as_millis()))
            .suggests("the server supports none of the subprotocols offered", ignored)
            .help("offer one that the server knows, `-s NAME`, or none; names are case-sensitive");
    }
    if !asked && says_nothing(body) && matches!(body.code, Some(1003 | 1007 | 1009)) {
        return not_ours(d);
    }
    let refuses = matches!(body.code, None | Some(1000 | 1001 | 1008 | 1011 | 3000..=4999));
    let hinted = Clue::PathWantsSubprotocol.seen(facts).is_some();
    if sent_init(facts)
        && refuses
        && !hinted
        && says_nothing(body)
        && end.last < SILENCE
        && d.entry.code != "W506"
    {
        let d = if d.severity == Severity::Note { d.severity(Severity::Warning) } else { d };
        let help = refused_init(d.clone()).help;
        return subprotocol(refused_init(d), facts).help(help);
    }
    // This side asked for the end.
    if regular && Clue::Farewell.seen(facts).is_some() {
        return d;
    }
    // A complaint explains more than the reason "bye" does. A message that is marked as an error
    // explains more than any reason.
    let bland = regular && heard::complains(&body.reason).is_none();
    let marked = |one: &Complaint<'_>| one.is_last && one.grievance >= Grievance::Marked;
    let complaint = complained(facts).filter(|one| bland || says_nothing(body) || marked(one));
    // What ends in order has said what it had to say.
    let ordinary = matches!(body.code, Some(1000 | 1001));
    // The reason repeats it.
    let repeats = |complaint: &Complaint<'_>| {
        !says_nothing(body) && crate::diagnostics::sniff::contains(complaint.text, &body.reason)
    };
    let weighs = |complaint: &Complaint<'_>| {
        let marked = complaint.grievance >= Grievance::Marked;
        complaint.leads() && (!ordinary || marked || repeats(complaint))
    };
    if let Some(complaint) = complaint.as_ref().filter(|complaint| weighs(complaint)) {
        let why = match complaint.is_last {
            true => "the Close came right after it",
            false => "the Close came right after them",
        };
        // With 1000 and 1001 the peer says that all is well; a complaint before it may be ordinary
        // text, but not the refusal of a protocol.
        let refused = complaint.grievance == Grievance::Refusal;
        let sure = refused || complaint.is_last && !ordinary;
        let shown = complaint.shown();
        let d = match regular || d.severity == Severity::Note {
            true => d
                .title("closed right after a message that may give the reason")
                .severity(Severity::Warning),
            false => d,
        };
        let d = match Clue::BeatUnanswered.seen(facts) {
            Some(fact) => d.suggests(UNANSWERED, fact).help(ANSWER_IT),
            None => d.help("follow the message"),
        };
        return if sure { d.because(shown, why) } else { d.suggests(shown, why) };
    }
    let quiet_before = end.quiet >= SILENCE;
    if let Some((title, goodbye)) =
        inner(facts).and_then(|inner| Some((inner.title, inner.goodbye?))).filter(|_| regular)
    {
        let (text, why) =
            (format!("the server ended the session inside: {goodbye}"), "it was not asked to");
        return d
            .title("closed after the server ended the session inside")
            .severity(Severity::Warning)
            .because(text, why)
            .note(format!("the protocol is {title}"))
            .help("read the server's log at that moment: it does this on purpose, as after a failed login");
    }
    if let Some(fact) =
        Clue::InnerBreach.seen(facts).filter(|_| !quiet_before && says_nothing(body))
    {
        return d
            .severity(Severity::Warning)
            .title("closed right after a message that breaks a rule of the protocol inside")
            .suggests("the server closed because of our last message", fact)
            .help("follow the rule: `wscope -v URL` names it beside the message");
    }
    let named =
        [Clue::TimerReason, Clue::TimeoutReason, Clue::FirstMessageReason, Clue::PingReason];
    let named = named.iter().any(|clue| clue.seen(facts).is_some());
    // A single word of a reason may be about anything, unless nothing else was said.
    let least = if facts.stream.messages == 0 { Grievance::Word } else { Grievance::Shouted };
    let faulty = heard::complains(&body.reason) >= Some(least);
    if regular && !named && faulty {
        let reason = String::from_utf8_lossy(&body.reason).into_owned();
        return d
            .severity(Severity::Warning)
            .title("closed with a regular code, and a reason that names a fault")
            .suggests(format!("its reason is \"{reason}\""), "the peer's own words")
            .help("do as the reason says");
    }
    // A word may be about anything: it is shown beside what is known otherwise.
    let d = d.note_if(complaint.filter(|_| !regular).map(|complaint| complaint.shown()));
    let early = facts.stream.messages == 0 && end.last < SILENCE && d.entry.code != "W502";
    // A peer that says goodbye, sent a part of a message, or confirms with 1000 has spoken.
    let goodbye = !body.reason.is_empty() && heard::is_bare(&body.reason);
    let done = asked && body.code == Some(1000) && !says_nothing(body);
    // A peer that took several messages may have waited for the last of them.
    let taken = facts.stream.kept.iter().filter(|message| message.ours).count() > 1;
    let spoke = ordinary && (goodbye || done || taken || facts.stream.frames > 1);
    if early && !spoke && (unasked || ordinary || says_nothing(body)) {
        let d = d
            .note(format!("{} ms after the 101, before it sent any message", end.last.as_millis()));
        if !ordinary && body.code.is_some() {
            return at_once(d, facts, body);
        }
        // A peer that took a message and closes with 1000 may have finished its work.
        let d = match asked && body.code == Some(1000) {
            true => d.severity(Severity::Note),
            false => d.severity(Severity::Warning),
        };
        if let Some(fact) = Clue::NamesOtherPath.seen(facts) {
            return d
                .title("closed at once, before any message")
                .suggests(REWRITTEN, fact)
                .help("compare the path that the proxy passes on with that of the application");
        }
        let d = match asked {
            true => d
                .title("closed at once, after our message")
                .help("check the path, and which message the application expects first; the peer's log at that moment has more")
                .possible("the application's handler ended because of our message, or with an exception")
                .possible("the application does not know the path, which a proxy may have rewritten"),
            false => d
                .title("closed at once, before any message")
                .help("check the path, and which message the application expects first: some frameworks accept every path, then close")
                .possible("the application does not know the path, which a proxy may have rewritten"),
        };
        let d = if ordinary { d.title(UNSPOKEN) } else { d };
        return subprotocol(d, facts).possible(WANTS_MORE);
    }
    if let Some(fact) = Clue::BeatUnanswered.seen(facts).filter(|_| says_nothing(body)) {
        let d = match regular || d.severity == Severity::Note {
            true => d
                .title("closed after a heartbeat of the application was not answered")
                .severity(Severity::Warning),
            false => d,
        };
        return d.suggests(UNANSWERED, fact).help(ANSWER_IT);
    }
    let waited = says_nothing(body) && (asked || end.last >= SILENCE / 5);
    if let Some(fact) = Clue::NoNamespace.seen(facts).filter(|_| waited) {
        return d
            .severity(Severity::Warning)
            .title("closed before a namespace of Socket.IO was connected to")
            .suggests("the server ends connections that connect to no namespace in time", fact)
            .help("send the packet at once: `-x 40`, with a login as in `40{\"token\":\"…\"}`");
    }
    let ignored = Clue::PingsIgnored.seen(facts);
    match (Clue::PingReason.seen(facts), ignored) {
        (Some(reason), Some(ignored)) => {
            let d = if regular { d.severity(Severity::Warning) } else { d };
            return d.because(UNPONGED, format!("{ignored}; {reason}")).help(PONG);
        }
        // So early, no timer of pings has run out.
        (Some(reason), None) if end.last >= SILENCE => {
            let text = "the peer did not receive a ping, a pong or a heartbeat from this side";
            let timer = Clue::TimeoutReason.seen(facts).is_some();
            let d = if regular { d.severity(Severity::Warning) } else { d };
            let d = if timer { d.because(text, reason) } else { d.suggests(text, reason) };
            return d.help(
                "send the heartbeat that the application expects; find out what delayed the pongs",
            );
        }
        (None, Some(ignored)) if regular && says_nothing(body) && !facts.stream.ended_on_ours => {
            return d.severity(Severity::Warning).suggests(UNPONGED, ignored).help(PONG);
        }
        _ => {}
    }
    let first = "the application did not receive a message that its protocol requires: a first one, or a heartbeat";
    let named = d.entry.family == Family::Application
        || matches!(d.entry.code, "W719" | "W720" | "W721" | "W722");
    if let Some(fact) = Clue::BeatAnnounced.seen(facts).filter(|_| end.quiet >= SILENCE / 5)
        && (says_nothing(body) || Clue::TimeoutReason.seen(facts).is_some())
    {
        let d = if regular { d.severity(Severity::Warning) } else { d };
        return d.suggests(BEATLESS, fact).help(BEAT);
    }
    if let Some(reason) = Clue::FirstMessageReason.seen(facts).filter(|_| !named) {
        return match asked {
            true => d
                .suggests(
                    "the peer did not take our message for the first one of its protocol",
                    reason,
                )
                .help(
                    "check the form of that message: protocols of lines need CR and LF at its end",
                ),
            false => d
                .because("the peer did not receive the first message of its protocol", reason)
                .help("send that message at once, with -x"),
        };
    }
    if end.quiet < SILENCE {
        let waited = !asked && facts.stream.messages > 0 && end.last >= SILENCE;
        let unclear =
            d.causes.is_empty() && body.reason.is_empty() && (regular || body.code >= Some(4000));
        return match waited && unclear {
            true => d.possible(first).help(
                "send the messages that the application expects: its documentation names them",
            ),
            false => d,
        };
    }
    let quiet = seconds(end.quiet);
    let d = d.note(format!("the Close came after {quiet} without traffic"));
    // The protocol inside has a name for it.
    if named {
        return d;
    }
    if !regular && !matches!(body.code, Some(1008 | 1011 | 3000..=4999)) {
        return d;
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
    let timer = "an idle timeout of the server";
    let titled = |d: Diagnostic| d.title(format!("the peer closed after {quiet} without traffic"));
    match Clue::TimerReason.seen(facts) {
        Some(reason) => {
            let d = titled(d).because(timer, reason).help(help);
            if regular { d.severity(Severity::Warning) } else { d }
        }
        None if Clue::TimeoutReason.seen(facts).is_some() => {
            // Of the server's work, or of ours.
            let fact = Clue::TimeoutReason.seen(facts).unwrap_or_default();
            // The reason names what timed out, and pings do not extend that.
            if is_qualified(facts) {
                return d.suggests("a timeout of the server, which its reason names", fact);
            }
            let d = titled(d).suggests("a timeout of the server, such as an idle timeout", fact);
            let d = d.help(help);
            if regular { d.severity(Severity::Warning) } else { d }
        }
        None => {
            // A reason that speaks of neither is another one, and so is the end of regular traffic.
            let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
            let unsaid =
                body.reason.is_empty() || body.reason.eq_ignore_ascii_case(name.as_bytes());
            // A message right in front of the Close was what the peer had to say.
            let spoke = end.idle_data.saturating_sub(end.idle) < SILENCE;
            let steady = spoke || end.quiet * 2 < end.longest_quiet * 3;
            let ordinary = matches!(body.code, Some(1000 | 1001));
            if ordinary && unsaid && !steady {
                let fact = format!("there was no traffic for {quiet} before the Close");
                let d = titled(d.certain()).severity(Severity::Warning).help(help);
                let d = d.suggests("possibly an idle timeout of the server or of a proxy", fact);
                return d.possible(first);
            }
            let d = match unsaid && !(ordinary && steady) {
                true if asked && body.code.is_some() => d.possible(timer),
                true => d.possible(first).possible(timer),
                false => d,
            };
            if !regular || steady || !unsaid {
                return d;
            }
            let d = titled(d).help(help);
            if body.code.is_none() { d.severity(Severity::Warning) } else { d }
        }
    }
}

/// A heartbeat that this side did not answer.
const UNANSWERED: &str = "the application did not receive the answer to its heartbeat message";

/// A heartbeat that the server has announced.
pub(in crate::diagnostics) const BEATLESS: &str =
    "the application did not receive what its first message speaks of: a login, or a heartbeat";

/// What to do then.
pub(in crate::diagnostics) const BEAT: &str = "send what it names, as the application's clients do: the login at once, a heartbeat in its interval; WebSocket pings are none";

/// Pings that this side did not answer.
const UNPONGED: &str = "this side did not answer the peer's pings";

/// What 4401 and 4403 may mean.
const REFUSED_LOGIN: &str =
    "the application refuses the login: a token is missing, wrong or expired";

/// What to do then.
const PONG: &str = "answer its pings: leave out `--no-pong` and faults that withhold pongs";

/// What to do then.
const ANSWER_IT: &str = "answer it as the application's clients do: `/on REGEX /text ANSWER` in a script or at the prompt";

/// What a refusal at once may be about, beside the path.
const WANTS_MORE: &str = "the application requires a login, or a parameter of the URL";

/// The title of a Close in order where nothing had been done.
pub(super) const UNSPOKEN: &str = "the peer closed before it sent any message";

/// Whether connection_init was sent to a server of GraphQL, and not answered.
fn sent_init(facts: &Facts<'_>) -> bool {
    let sent = facts.stream.sent.map(|(_, sent)| sent).unwrap_or_default();
    facts.stream.messages == 0
        && Inside::of(facts).graphql
        && crate::diagnostics::sniff::contains(sent, b"connection_init")
}

/// A Close in place of connection_ack.
fn refused_init(d: Diagnostic) -> Diagnostic {
    d.title("closed after our connection_init, without connection_ack")
        .suggests(
            "the server refuses connection_init: a token or login in its payload is missing or wrong",
            "the first message sent was connection_init, and no message came",
        )
        .help("put into its payload what the server asks for, as in `{\"type\":\"connection_init\",\"payload\":{\"Authorization\":\"…\"}}`")
}

/// A code about a message that can't be one of ours.
pub(super) fn not_ours(d: Diagnostic) -> Diagnostic {
    let title = format!("{}, though no message had been sent", d.entry.title);
    d.certain()
        .title(title)
        .possible("the application chose this code for its own reason")
        .help("check path, query and credentials; the peer's log at that moment has more")
}

/// A Close at once with a code that says little.
fn at_once(d: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    let neutral = matches!(body.code, Some(1002 | 1003 | 1008 | 1010 | 1011 | 3000..=4999));
    if !neutral || !says_nothing(body) || d.is_proved() || d.entry.family == Family::Application {
        return d;
    }
    subprotocol(d, facts)
}

/// That the subprotocol may be the ground of a Close at once.
fn subprotocol(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    if let Some(fact) = Clue::PathWantsSubprotocol.seen(facts) {
        let name = path_hint(facts).unwrap_or("offer it: `-s NAME`");
        return d.suggests("the application requires a subprotocol", fact).help(name);
    }
    match Clue::NoSubprotocol.seen(facts) {
        Some(_) => {
            d.possible("the application requires a subprotocol, `-s NAME`, and none was offered")
        }
        None => d.possible("the application does not support the subprotocol that was agreed"),
    }
}

/// Whether a reason is about a login, a permission or a time that was up; also where there is none.
fn speaks_of_access(body: &CloseBody) -> bool {
    let words = [
        "auth",
        "login",
        "permi",
        "forbid",
        "denied",
        "access",
        "token",
        "time",
        "expired",
        "credential",
    ];
    says_nothing(body)
        || words.iter().any(|word| crate::diagnostics::sniff::contains_word(&body.reason, word))
}

/// Whether a Close has no reason, or one that repeats its code.
fn says_nothing(body: &CloseBody) -> bool {
    let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
    body.reason.is_empty() || body.reason.eq_ignore_ascii_case(name.as_bytes())
}

/// Whether a Close has a ground of its own, which no missing subprotocol explains.
fn unexplained_by_subprotocol(body: &CloseBody) -> bool {
    let neutral = matches!(body.code, None | Some(1000..=1003 | 1008 | 1010 | 1011 | 4000..=4999));
    let speaks = crate::diagnostics::sniff::contains_word(&body.reason, "protocol");
    !neutral || !(body.reason.is_empty() || speaks)
}

/// What a page shows that names another path.
const REWRITTEN: &str =
    "a proxy or the server rewrites the path, and the application has no WebSocket at the new one";

/// Whether the end is that of a closing handshake.
pub(super) fn was_closed(facts: &Facts<'_>) -> bool {
    let closed = facts.end.is_none_or(|end| end.how == EndKind::Closed);
    closed && (facts.close.received.is_some() || facts.close.sent.is_some())
}
