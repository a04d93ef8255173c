//! Close codes: first the ones of the protocol inside, then the registered ones.

use super::application::Inside;
use super::findings::Findings;
use super::why_closed::{explained, refused_init, says_nothing, sent_init};
use crate::diagnostics::facts::{EndKind, HEARD_MOST, SIZEABLE};
use crate::diagnostics::said;
use crate::diagnostics::sniff::{contains, contains_word};
use crate::diagnostics::{Confidence, Diagnostic, Facts, Severity};
use crate::wire::Role;
use crate::wire::close::{self, CloseBody};

/// The close codes of graphql-ws and similar protocols.
const GRAPHQL: [u16; 11] = [4004, 4005, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500, 4504];

/// The meanings of the close codes of Discord's gateway, from 4000 on.
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
    // An echo of our own Close proves nothing.
    let echoed = facts_of_close.sent.is_some_and(|sent| sent.code == received.code);
    if !facts_of_close.by_peer && echoed {
        return;
    }
    let inside = Inside::of(facts);
    let code = own(received, facts, &inside).unwrap_or_else(|| match registered(received.code) {
        // Before these codes were registered, libraries used them for other reasons.
        "W717" if !speaks_of_access(received) => "W718",
        code => code,
    });
    found.add(code, |d| explained(lawful(explain(d, received), facts, received), facts, received));
}

/// The entry for the meaning of the close code in the protocol inside.
fn own(body: &CloseBody, facts: &Facts<'_>, inside: &Inside) -> Option<&'static str> {
    let Some(code) = body.code else {
        let digit = |(_, content): (_, &[u8])| content.first().is_some_and(u8::is_ascii_digit);
        let wrong = facts.stream.sent.is_some_and(|sent| !digit(sent));
        return (inside.engine_io && wrong).then_some("W502");
    };
    let broken_framing = contains(&body.reason, b"Broken framing");
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

/// The code of the entry for a close code, if nothing else is known.
pub fn of_close_code(code: u16) -> &'static str {
    registered(Some(code))
}

/// Whether this side sent messages to a GraphQL server, and none of them is connection_init.
fn is_uninitialised(facts: &Facts<'_>) -> bool {
    let mut ours = facts.stream.kept.iter().filter(|message| message.ours).peekable();
    let kept = facts.stream.kept_all && ours.peek().is_some();
    // A longer message was cut, so its type may be missing.
    kept && ours.all(|message| {
        message.content.len() < HEARD_MOST && !contains(message.content, b"connection_init")
    })
}

/// Adapts the diagnosis of a private code that ends the session, and of a 1002 although this side
/// broke no rule.
fn lawful(d: Diagnostic, facts: &Facts<'_>, body: &CloseBody) -> Diagnostic {
    let by_server = facts.role == Role::Client && facts.close.by_peer;
    match d.entry.code {
        // A warning, because the exit status reports a failure.
        "W723" | "W718" if by_server => d.severity(Severity::Warning),
        "W719" if matches!(body.code, Some(4401 | 4403)) && sent_init(facts) => refused_init(d),
        // "connection_init" comes first (graphql-ws protocol).
        "W719" if body.code == Some(4401) && is_uninitialised(facts) => d.suggests(
            "connection_init was not sent before the first request",
            "the first message sent was another one",
        ),
        "W719" => match body.code {
            Some(4400) if speaks_of_access(body) && !says_nothing(body) => {
                d.help("correct the credentials in the payload of connection_init, as its reason says")
            }
            Some(4400) => d.help("correct the message that its reason names: `start` and `stop` are of the old subprotocol graphql-ws, `subscribe` and `complete` of graphql-transport-ws"),
            Some(4409) => d.help("give each subscription of a connection an `id` of its own"),
            Some(4429) => d.help("send `connection_init` once for each connection"),
            Some(4500 | 4004 | 4005 | 4504) => d.help("read the server's log at that moment"),
            _ => d,
        },
        // The code says that the type of a message is not accepted (RFC 6455 §7.4.1).
        "W703" if by_server && says_nothing(body) => {
            // An answered one was taken.
            let kept = facts.stream.kept;
            let first = kept.iter().position(|one| one.ours && !one.text);
            let unanswered = first.is_some_and(|at| kept[at..].iter().all(|one| one.ours));
            match unanswered && kept.last().is_some_and(|one| !one.text) {
                true => d.suggests(
                    "the application takes no binary messages",
                    "our last message was binary",
                ).help("send text: `-x` and `/text`, without `-b`"),
                false => d,
            }
        }
        // The code says that a message was too long; usually, it was the one right before. A short
        // one hardly was, nor one that was answered. Of several, nobody knows which one it was.
        "W709"
            if facts.close.by_peer
                && facts.stream.last_sent_len >= SIZEABLE
                && (facts.stream.kept.is_empty() || unanswered(facts) == 1)
                && !["reply", "response", "answer", "output"]
                    .iter()
                    .any(|word| contains_word(&body.reason, word)) =>
        {
            let len = facts.stream.last_sent_len;
            let why = "it was the last one sent before the Close";
            d.suggests(format!("our message of {len} bytes is longer than the peer allows"), why)
        }
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
                    .any(|word| contains_word(&body.reason, word));
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

/// How many messages of ours came after the peer's last one.
fn unanswered(facts: &Facts<'_>) -> usize {
    facts.stream.kept.iter().rev().take_while(|one| one.ours).count()
}

fn explain(d: Diagnostic, body: &CloseBody) -> Diagnostic {
    let login = matches!(body.code, Some(4001 | 4003 | 4401 | 4403)) && d.entry.code == "W723";
    let d = if login && says_nothing(body) { d.possible(REFUSED_LOGIN) } else { d };
    let d = match body.code {
        None => d,
        Some(code) => {
            let info = close::lookup(code);
            let d = match d.entry.code {
                // SockJS uses 3000 with its own meaning, not the registered one.
                "W504" => d.note(format!("the peer sent {code}")),
                _ => d.note(format!("the peer sent {code} {}", info.name)),
            };
            let at = usize::from(code.saturating_sub(4000));
            match (d.entry.code, DISCORD.get(at)) {
                ("W720", Some(meaning)) => {
                    let d = d.note(format!("its meaning for Discord: {meaning}"));
                    match code {
                        4000 => d.help("reconnect"),
                        4001 | 4002 => {
                            d.help("send what the gateway defines, as JSON: {\"op\":…,\"d\":…}")
                        }
                        4003 => d.help("send IDENTIFY (op 2) before anything else"),
                        4005 => d.help("send IDENTIFY (op 2) only once in a connection"),
                        4007 | 4009 => d.help(
                            "reconnect, and send IDENTIFY (op 2): the session can't be resumed",
                        ),
                        _ => d,
                    }
                }
                ("W723", _) if (4400..4500).contains(&code) => {
                    let status = code - 4000;
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
            // The peer's own words replace all guesses.
            let mut d = d;
            let name = body.code.map(|code| close::lookup(code).name).unwrap_or_default();
            let vague = said::is_vague(&String::from_utf8_lossy(reason)) && !speaks_of_access(body);
            if !reason.eq_ignore_ascii_case(name.as_bytes()) && !vague {
                d.causes.retain(|cause| cause.confidence != Confidence::Low);
            }
            let d = d.note(format!("its reason: {}", String::from_utf8_lossy(reason)));
            let failed = contains_word(reason, "error");
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

/// The usual meaning of 4001, 4003, 4401 and 4403.
const REFUSED_LOGIN: &str =
    "the application refuses the login: a token is missing, wrong or expired";

/// Whether the reason is about a login, a permission or a time limit. A missing reason counts, too.
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
    says_nothing(body) || words.iter().any(|word| contains_word(&body.reason, word))
}

/// Whether the connection ended with a closing handshake.
pub(super) fn was_closed(facts: &Facts<'_>) -> bool {
    let closed = facts.end.is_none_or(|end| end.how == EndKind::Closed);
    closed && (facts.close.received.is_some() || facts.close.sent.is_some())
}
