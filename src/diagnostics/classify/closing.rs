//! Close codes: first those of the application's protocol, then the registered ones.

use super::application::Inside;
use super::clocks::{ping_interval, seconds};
use super::findings::Findings;
use crate::diagnostics::facts::{EndKind, SILENCE};
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
    let code = own(received, facts, &inside).unwrap_or_else(|| registered(received.code));
    found.add(code, |d| timed(explain(d, received), facts, received));
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

fn explain(d: Diagnostic, body: &CloseBody) -> Diagnostic {
    let d = match body.code {
        None => d,
        Some(code) => {
            let info = close::lookup(code);
            let d = d.note(format!("the peer sent {code} {}", info.name));
            let at = usize::from(code.saturating_sub(4000));
            match (d.entry.code, DISCORD.get(at)) {
                ("W720", Some(meaning)) => d.note(format!("its meaning for Discord: {meaning}")),
                ("W723", _) if (4400..4500).contains(&code) => {
                    d.note(format!("{code} may have the meaning of HTTP status {}", code - 4000))
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
            if !reason.eq_ignore_ascii_case(name.as_bytes()) {
                d.causes.retain(|cause| cause.confidence != Confidence::Low);
            }
            d.note(format!("its reason: {}", String::from_utf8_lossy(reason)))
        }
    }
}

/// What the clocks add: a Close at once, and one after a silence.
fn timed(d: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    // What a client does is its own affair.
    let by_server = facts.role == Role::Client && facts.close.by_peer;
    let Some(end) = facts.end.filter(|_| by_server) else { return d };
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
    if facts.stream.messages == 0 && unasked && end.last < SILENCE && d.entry.code != "W502" {
        let d = d
            .note(format!("{} ms after the 101, before it sent any message", end.last.as_millis()));
        // 1000 and 1001 are what a server says that has done what it was asked.
        if body.code.is_some() {
            return d;
        }
        let d = d.severity(Severity::Warning);
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
                .possible("the application does not know the path, which a proxy may have rewritten, or its handler ended because of our message"),
            false => d
                .title("closed at once, before any message")
                .help("check the path, and which message the application expects first: some frameworks accept every path, then close")
                .possible("the application does not know the path, which a proxy may have rewritten"),
        };
        return d.possible("the application requires a login");
    }
    // A message, and the Close after it: it is the reason.
    let last = facts.stream.message.filter(|_| facts.stream.messages == 1 && !asked);
    let unsaid = body.reason.is_empty() && !matches!(body.code, Some(1000 | 1001));
    if let Some((_, content)) = last.filter(|_| end.last < SILENCE && unsaid) {
        let text = String::from_utf8_lossy(content);
        let words = [
            "error",
            "invalid",
            "denied",
            "unauthor",
            "forbidden",
            "not allowed",
            "missing",
            "required",
            "refused",
            "reject",
        ];
        let lower = text.to_ascii_lowercase();
        if words.iter().any(|word| lower.contains(word)) {
            let shown: String = text.chars().take(SHOWN).collect();
            return d
                .title("closed at once, after a message that gives the reason")
                .severity(Severity::Warning)
                .because(format!("its message is {shown}"), "the Close came right after it")
                .help("follow the message");
        }
    }
    if let Some(reason) = Clue::PingReason.seen(facts) {
        let d = match Clue::PingsIgnored.seen(facts) {
            Some(ignored) => d
                .because(
                    "this side did not answer the peer's pings",
                    format!("{ignored}; {reason}"),
                )
                .help("answer its pings: leave out `--no-pong` and faults that withhold pongs"),
            None => d
                .because(
                    "the peer did not receive a ping, a pong or a heartbeat from this \
                     side",
                    reason,
                )
                .help(
                    "send the heartbeat that the application expects; find out what delayed the \
                     pongs",
                ),
        };
        return d;
    }
    let first = "the application did not receive a message that its protocol requires: a first one, or a \
         heartbeat";
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
    if d.entry.family == Family::Application || d.entry.code == "W719" {
        return d;
    }
    if let Some(reason) = Clue::FirstMessageReason.seen(facts) {
        return d
            .because("the peer did not receive the first message of its protocol", reason)
            .help("send that message at once, with -x");
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
                return if asked { d } else { d.possible(first) };
            }
            let d = match unsaid && !(ordinary && steady) {
                true if asked => d.possible(timer),
                true => d.possible(first).possible(timer),
                false => d,
            };
            if regular && !steady { titled(d).help(help) } else { d }
        }
    }
}

/// Whether a Close has its own reason, which a missing subprotocol does not explain.
fn unexplained_by_subprotocol(body: &CloseBody) -> bool {
    let neutral = matches!(body.code, None | Some(1000..=1003 | 1008 | 1010 | 1011 | 4000..=4999));
    let speaks = crate::diagnostics::sniff::contains_word(&body.reason, "protocol");
    !neutral || !(body.reason.is_empty() || speaks)
}

/// What a page shows that names another path.
const REWRITTEN: &str =
    "a proxy or the server rewrites the path, and the application has no WebSocket at the new one";

/// Characters of a message that are shown.
const SHOWN: usize = 160;

/// Whether the end is that of a closing handshake.
pub(super) fn was_closed(facts: &Facts<'_>) -> bool {
    let closed = facts.end.is_none_or(|end| end.how == EndKind::Closed);
    closed && (facts.close.received.is_some() || facts.close.sent.is_some())
}
