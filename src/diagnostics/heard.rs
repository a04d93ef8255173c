//! What the message was that came last: a complaint of the application, which is the reason of an end
//! right behind it, or a heartbeat that waits for an answer.

use super::Facts;
use super::facts::HEARD_MOST;
use super::said::says;
use serde_json::{Map, Value};

/// Characters of a message that are shown.
const SHOWN: usize = 160;

/// How sure it is that a message complains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grievance {
    /// A word in it may mean that, as in any text.
    Word,
    /// It begins like one, as lines of a log do, too.
    Shouted,
    /// It is marked as an error.
    Marked,
    /// The protocol inside says so.
    Refusal,
}

/// Words of complaints, as [`says`] takes them.
const WORDS: [&str; 27] = [
    "error*",
    "err",
    "fail",
    "failed",
    "failure",
    "invalid",
    "denied",
    "unauthor*",
    "unauthenticated",
    "forbidden",
    "not allowed",
    "not permitted",
    "not authorized",
    "not authenticated",
    "refused",
    "reject*",
    "expired",
    "unsupported",
    "not supported",
    "malformed",
    "violation",
    "limit reached",
    "limit exceeded",
    "too many",
    "too large",
    "kicked",
    "banned",
];

/// Whether a message complains of something, and how surely.
pub(super) fn complains(content: &[u8]) -> Option<Grievance> {
    // SignalR ends each message with a separator.
    let mut text = text(content).trim_end_matches('\u{1e}').to_owned();
    let start = text.trim_start();
    if is_abort(start) || is_notice(start) || is_list_with_error(start) || is_irc_error(start) {
        return Some(Grievance::Marked);
    }
    if start.starts_with('{') {
        if let Some(mut members) = object(start) {
            if is_marked(&members) {
                return Some(Grievance::Marked);
            }
            members.retain(|name, _| !matches!(name.as_str(), "error" | "errors" | "problem"));
            text = Value::Object(members).to_string();
        }
    } else if start.starts_with('<') {
        if is_error_element(start) {
            return Some(Grievance::Marked);
        }
    } else if names_error_first(start) || refuses_plainly(start) {
        return Some(Grievance::Marked);
    } else if shouts(start) {
        return Some(Grievance::Shouted);
    }
    let denied = ["no error", "without error", "0 error", "0 fail"];
    let lower = text.to_ascii_lowercase();
    let denies = denied.iter().any(|words| lower.contains(words));
    (!denies && WORDS.iter().any(|word| says(&text, word))).then_some(Grievance::Word)
}

/// Whether a message is a list of objects, each of which says that it is an error.
fn is_list_with_error(text: &str) -> bool {
    let objects = serde_json::from_str::<Vec<Map<String, Value>>>(text).unwrap_or_default();
    // The type of a record in a list is one of many.
    let marked = |mut members: Map<String, Value>| {
        members.remove("type");
        is_marked(&members)
    };
    !objects.is_empty() && objects.into_iter().all(marked)
}

/// Whether a message is ABORT of WAMP, with the name of an error: `[3,{},"wamp.error.no_such_realm"]`.
/// The lens needs the subprotocol to know it.
fn is_abort(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("[3,") else { return false };
    rest.trim_end().rsplit('"').nth(1).is_some_and(|name| name.contains(".error."))
}

/// Whether a message is a list of texts, the last of which begins as an error: `["END","error: no"]`.
fn is_notice(text: &str) -> bool {
    let texts = serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    let kinds = ["notice", "closed", "error", "end"];
    let known = |kind: &str| kinds.iter().any(|one| one.eq_ignore_ascii_case(kind));
    matches!(&texts[..], [kind, text] if known(kind) && shouts(text))
}

/// Whether the first line is an error of an IRC server: a numeric from 400 to 599 (RFC 2812 §5.2), or a
/// notice to a client that is not registered yet.
fn is_irc_error(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.strip_prefix(':').unwrap_or_default().splitn(4, ' ');
    let (Some(server), Some(command), Some(target), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let numeric = command.len() == 3 && command.starts_with(['4', '5']);
    let refuses = command == "NOTICE" && target == "*" && WORDS.iter().any(|word| says(rest, word));
    !server.contains('!') && (numeric && command.parse::<u16>().is_ok() || refuses)
}

/// Whether the message that came last is one of ours, sent back.
pub(super) fn is_echo(facts: &Facts<'_>) -> bool {
    let Some(heard) = &facts.stream.heard else { return false };
    let kept = |content: &'_ [u8]| content.len().min(HEARD_MOST);
    let same = |ours: &[u8]| ours[..kept(ours)] == heard.content[..kept(heard.content)];
    facts.stream.kept.iter().any(|message| message.ours && same(message.content))
}

/// Whether the reason of a Close complains: as a message does, or of what its first word names.
pub(super) fn refuses(reason: &[u8]) -> bool {
    let text = text(reason);
    let about = ["websocket", "connection", "client", "session", "user"];
    let behind =
        text.split_once(' ').filter(|(word, _)| about.contains(&&*word.to_ascii_lowercase()));
    complains(reason) >= Some(Grievance::Shouted)
        || behind.is_some_and(|(_, rest)| refuses_plainly(rest))
}

/// Whether the reason of an end in order says nothing else: a goodbye, or that all was done.
pub fn is_ordinary(reason: &[u8]) -> bool {
    let said = text(reason).to_ascii_lowercase();
    let known = [
        "ok",
        "connection",
        "closed",
        "close",
        "normal",
        "closure",
        "goodbye",
        "bye",
        "all",
        "by",
        "client",
        "server",
        "stream",
        "sent",
    ];
    let mut words = said.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| known.contains(&word) || is_end(word)) || says_done(reason)
}

/// Whether a message is a greeting.
pub(super) fn greets(content: &[u8]) -> bool {
    let words = ["welcome", "hello", "connected", "ready"];
    words.iter().any(|word| says(&text(content), word))
}

/// Whether a reason says that something was completed.
pub(super) fn says_done(reason: &[u8]) -> bool {
    let words = ["done", "finished", "complete", "completed", "success", "successful"];
    words.iter().any(|word| says(&text(reason), word))
}

/// The text of a message; a character that was cut in two is left out.
fn text(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&content[..error.valid_up_to()]).into_owned()
        }
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}

/// The members of a JSON object; of one that was cut, those that came whole, and the beginning of the
/// last.
fn object(text: &str) -> Option<Map<String, Value>> {
    let read = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    read(text).or_else(|| {
        let (mut open, mut string, mut escaped) = (Vec::new(), false, false);
        // Where the text may be cut, and what closes it there.
        let mut comma = None;
        for (at, c) in text.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if string => escaped = true,
                '"' => string = !string,
                _ if string => {}
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' => drop(open.pop()),
                ',' => comma = Some((at, open.clone())),
                _ => {}
            }
        }
        let closed =
            |text: &str, open: &[char]| text.chars().chain(open.iter().rev().copied()).collect();
        let ended = if string { format!("{text}\"") } else { text.to_owned() };
        let whole: String = closed(&ended, &open);
        read(&whole).or_else(|| {
            let (at, open) = comma?;
            let rest: String = closed(&text[..at], &open);
            read(&rest)
        })
    })
}

/// Whether an object of JSON says that it is an error, itself: what a member holds is about something
/// else.
fn is_marked(members: &Map<String, Value>) -> bool {
    // The message that ends a session, with the fault that it names.
    let reason = members.get("reason").and_then(Value::as_str).unwrap_or_default();
    let faults = |text: &str| {
        let text = text.replace(['_', '-'], " ");
        WORDS.iter().any(|word| says(&text, word))
    };
    let faulty = faults(reason);
    let leaves = members.get("type").is_some_and(|kind| kind == "disconnect");
    // `false` alone may be a state, such as a light that is off.
    let words = ["message", "msg", "reason", "description", "detail", "details", "code", "body"];
    let explains = |name: &str| words.contains(&name) || name.ends_with("_msg");
    let mut about = members.iter().filter(|(name, value)| explains(name) && !is_none(value));
    let told = about.clone().any(|(_, value)| value.is_string());
    let complaint = about.clone().any(|(_, value)| value.as_str().is_some_and(faults));
    // A text of some words beside it, whatever its name and language.
    let sentence = |value: &Value| value.as_str().is_some_and(|text| text.trim().contains(' '));
    let bare = members.len() == 2 && members.values().any(sentence);
    let has_code = members.get("code").is_some_and(|code| !is_none(code));
    let explained = about.next().is_some();
    // API Gateway's own answer to a message.
    let ids = ["message", "connectionId", "requestId"];
    if members.len() == ids.len() && ids.iter().all(|name| members.contains_key(*name)) {
        return true;
    }
    faulty && leaves
        || members.iter().any(|(name, value)| match name.as_str() {
            // A number measures it.
            "error" | "errorMessage" | "error_message" => !is_none(value) && !value.is_number(),
            "problem" => value.is_string() && members.contains_key("command"),
            // The record of a check has a kind, too, and says what was found; a refusal complains.
            "success" | "ok" => {
                let refused = !members.contains_key("type") || complaint || has_code;
                *value == Value::Bool(false) && (bare || explained && refused)
            }
            // A number counts the errors.
            "errors" => !is_none(value) && !value.is_number() && !members.contains_key("valid"),
            // The numbers of HTTP.
            "code" | "statusCode" => {
                told && value.as_u64().is_some_and(|code| (400..600).contains(&code))
            }
            // An action called error asks for one to be logged.
            "auth" | "login" => {
                value.as_str().is_some_and(|value| fails(value) || names_error(value))
            }
            // What became of a request, in an envelope.
            "response" | "result" => value.as_object().is_some_and(has_failed),
            // DDP, which names the versions that it has.
            "msg" => value == "failed" && members.contains_key("version"),
            "type" | "event" | "status" | "op" | "kind" | "T" => {
                value.as_str().is_some_and(|value| {
                    // Where nothing but numbers is beside it, something is counted or measured.
                    let mut others = members.iter().filter(|(other, _)| *other != name);
                    let counted = members.len() > 1 && others.all(|(_, other)| other.is_number());
                    fails(value) && told || names_error(value) && !counted
                })
            }
            // A gateway's own refusal names nothing else than what it concerns.
            "message" => {
                members.keys().all(|name| ids.contains(&name.as_str()))
                    && value.as_str().is_some_and(refuses_plainly)
            }
            _ => false,
        })
}

/// Whether an object has a state of failure, and an error that says why, in itself or one level deeper.
fn has_failed(members: &Map<String, Value>) -> bool {
    let error = |members: &Map<String, Value>| {
        members
            .get("error")
            .and_then(Value::as_object)
            .is_some_and(|error| error.get("message").is_some_and(Value::is_string))
    };
    members.get("status").and_then(Value::as_str).is_some_and(fails)
        && (error(members) || members.values().filter_map(Value::as_object).any(error))
}

/// Whether a list of JSON begins with the name of an error, as `["error",{…}]`.
fn names_error_first(text: &str) -> bool {
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return false };
    list.first().and_then(Value::as_str).is_some_and(names_error)
}

/// Words that follow a refusal and say what it is about.
const REFUSED: [&str; 44] = [
    "access",
    "account",
    "and",
    "api",
    "attempts",
    "channel",
    "client",
    "clients",
    "command",
    "connection",
    "connections",
    "credentials",
    "expired",
    "format",
    "handshake",
    "host",
    "id",
    "json",
    "key",
    "login",
    "message",
    "messages",
    "method",
    "missing",
    "or",
    "origin",
    "parameter",
    "password",
    "path",
    "payload",
    "request",
    "requests",
    "room",
    "session",
    "sessions",
    "signature",
    "subprotocol",
    "subscription",
    "subscriptions",
    "token",
    "user",
    "username",
    "users",
    "version",
];

/// Whether a text is a refusal and nothing else: a short line that ends after its first words, goes on
/// behind a mark, or names what it is about. A sentence may be about anything.
fn refuses_plainly(text: &str) -> bool {
    let line = text.trim();
    let lower = line.to_ascii_lowercase();
    let starts = [
        "invalid",
        "unauthorized",
        "unauthenticated",
        "not authorized",
        "not allowed",
        "forbidden",
        "access denied",
        "permission denied",
        "authentication failed",
        "authentication required",
        "login failed",
        "login required",
        "session expired",
        "token expired",
        "too many",
    ];
    let after = |start: &&str| {
        let (rest, whole) = (lower.strip_prefix(*start)?, !["invalid", "too many"].contains(start));
        let about = rest.strip_prefix(' ').map(|rest| rest.trim_end_matches(['.', '!']));
        let names = |words: &str| {
            let mut words = words.split(' ');
            // Ordinary sentences begin with these words, too.
            let any = !["too many", "forbidden"].contains(start) && words.clone().count() == 1;
            any || words.all(|word| REFUSED.contains(&word))
        };
        let marked =
            [":", ",", ".", "!", ";", " (", " - "].iter().any(|mark| rest.starts_with(mark));
        Some(about.is_some_and(names) || whole && (rest.is_empty() || marked))
    };
    line.len() <= 80 && !line.contains('\n') && starts.iter().find_map(after).unwrap_or(false)
}

/// Whether a value says that there is none.
fn is_none(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => says_none(text),
        Value::Array(list) => list.iter().all(is_none),
        Value::Object(members) => {
            let code = ["code", "status"].iter().find_map(|name| members.get(*name));
            members.values().all(is_none)
                || code.is_some_and(|code| !code.is_null() && is_none(code))
        }
    }
}

/// The same for a text.
fn says_none(text: &str) -> bool {
    let none = [
        "",
        "none",
        "no",
        "ok",
        "0",
        "null",
        "nil",
        "success",
        "false",
        "no error",
        "no errors",
        "noerror",
        "no_error",
        "n/a",
        "undefined",
    ];
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    none.contains(&&*lower) || lower.starts_with("no error") || lower.starts_with("without error")
}

/// Whether a word says that something failed.
fn fails(word: &str) -> bool {
    ["err", "fail", "failed", "failure"].iter().any(|fail| word.eq_ignore_ascii_case(fail))
}

/// Whether the name of a kind of messages is that of errors: `error`, `auth_invalid`.
fn names_error(kind: &str) -> bool {
    let lower = kind.to_ascii_lowercase();
    // As `auth_invalid`: one word more than a result.
    let ends = ["_invalid", "_failed", "_denied", "_rejected", "_refused"];
    if ends.iter().any(|end| lower.starts_with("auth") && lower.ends_with(end)) {
        return true;
    }
    if lower == "exception" {
        return true;
    }
    let Some(before) = lower.strip_suffix("error") else { return false };
    let separated = before.is_empty() || before.ends_with(['_', '-', '.', ':', '/']);
    let hump = kind.ends_with("Error") && before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let last = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let last = last.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    (separated || hump) && !["no", "non", "not", "without", "clear"].contains(&last)
}

/// Whether the first element of XML is an error, as `<stream:error>`, and not an empty one.
fn is_error_element(text: &str) -> bool {
    let mut rest = text;
    while let Some(prolog) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        let Some((_, after)) = prolog.split_once('>') else { return false };
        rest = after.trim_start();
    }
    let Some(rest) = rest.strip_prefix('<') else { return false };
    let (tag, content) = rest.split_once('>').unwrap_or((rest, "…"));
    let tag = tag.trim_end_matches('/');
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let local = name.rsplit(':').next().unwrap_or_default();
    let zero = ["code=\"0\"", "code='0'"].iter().any(|zero| attributes.contains(zero));
    let says = content.split('<').next().unwrap_or_default();
    let more =
        !attributes.trim().is_empty() || content.starts_with('<') && !content.starts_with("</");
    local.eq_ignore_ascii_case("error") && !zero && (more || !says_none(says))
}

/// Whether a line begins as one of an error: `ERROR`, `-ERR`, `Error: no such room`.
fn shouts(text: &str) -> bool {
    let words = ["ERROR", "-ERR", "ERR ", "Error:", "error:"];
    let Some(rest) = words.iter().find_map(|word| text.strip_prefix(word)) else { return false };
    let rest = match rest.chars().next() {
        Some(c) if c.is_alphanumeric() && !text.starts_with("ERR ") => return false,
        _ => rest.trim_start_matches(|c: char| c == ':' || c == '=' || c.is_whitespace()),
    };
    let first = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let none = says_none(rest) && !rest.is_empty();
    !none && !["0", "none"].contains(&first.to_ascii_lowercase().as_str())
}

/// Names of heartbeats.
const BEATS: [&str; 6] =
    ["ping", "heartbeat", "heart-beat", "keepalive", "keep-alive", "keep_alive"];

/// Whether a message is a heartbeat that waits for an answer; `engine_io` where that is the protocol
/// inside. A word in a text is none.
pub(super) fn is_heartbeat(content: &[u8], engine_io: bool) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    // SignalR ends each message with a separator.
    let text = text.trim().trim_end_matches('\u{1e}');
    if matches!(text, "" | "{\"type\":6}") || (text == "2" && engine_io) {
        return true;
    }
    let beat = |word: &str| BEATS.iter().any(|beat| word.eq_ignore_ascii_case(beat));
    // As in `primus::ping::1796021128048`, and `PING :host` of IRC.
    let one = !text.contains(char::is_whitespace) && text.contains("::ping::");
    let irc = text.strip_prefix("PING :").is_some_and(|host| !host.contains(char::is_whitespace));
    beat(text)
        || one
        || irc
        || kind(text)
            .is_some_and(|kind| beat(kind.rsplit([':', '.', '/']).next().unwrap_or_default()))
}

/// Whether a message calls itself one that asks for a login.
pub(super) fn asks_login(content: &[u8]) -> bool {
    let kind = kind(text(content).trim()).unwrap_or_default().to_ascii_lowercase();
    let asks =
        ["auth_required", "auth_request", "authenticate", "login", "login_required", "identify"];
    asks.contains(&kind.as_str())
}

/// What a message of JSON calls itself.
fn kind(text: &str) -> Option<String> {
    let members = serde_json::from_str::<Map<String, Value>>(text).ok()?;
    let named = |name: &&str| members.get(*name).and_then(Value::as_str);
    let kinds = ["op", "type", "event", "action", "method"];
    // Where there are two, the first is the more exact one.
    kinds.iter().find_map(named).map(str::to_owned)
}

/// Whether a word, or the last part of one, is a goodbye.
fn is_end(word: &str) -> bool {
    let ends = [
        "bye",
        "goodbye",
        "close",
        "closed",
        "closing",
        "disconnect",
        "end",
        "quit",
        "exit",
        "logout",
        "stop",
        "terminate",
        "done",
    ];
    let word = word.rsplit("::").next().unwrap_or_default().trim_start_matches('/');
    ends.iter().any(|end| word.eq_ignore_ascii_case(end))
}

/// Whether a message says nothing but that this is the end, or nothing at all.
pub(super) fn is_goodbye(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let text = text.trim();
    matches!(text, "" | "{}" | "[]") || is_end(text) || kind(text).is_some_and(|kind| is_end(&kind))
}

/// The beginning of a message in one line.
pub(super) fn shown(content: &[u8]) -> String {
    let text = text(content);
    let text = text.trim_end();
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() || content.len() > HEARD_MOST {
        shown.push('…');
    }
    if shown.is_empty() { "an empty message".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_told_from_an_answer() {
        for (text, wanted) in [
            (r#"{"type":"error","data":"Invalid Host/Origin header"}"#, Some(Grievance::Marked)),
            (r#"{"type":"connection_error","payload":{"message":"no"}}"#, Some(Grievance::Marked)),
            ("-ERR 'Unknown Protocol Operation'\r\n", Some(Grievance::Shouted)),
            (r#"{"level":"error","msg":"disk full"}"#, Some(Grievance::Word)),
            (r#"{"id":null,"error":{"message":"invalid session","sta"#, Some(Grievance::Marked)),
            ("<stream:error><host-unknown/></stream:error>", Some(Grievance::Marked)),
            (r#"{"auth":"fail"}"#, Some(Grievance::Marked)),
            (r#"{"reason":"room full"}"#, None),
            (r#"{"type":"ConnectionError"}"#, Some(Grievance::Marked)),
            (r#"{"error":true}"#, Some(Grievance::Marked)),
            ("{\"error\":\"no such protocol\"}\u{1e}", Some(Grievance::Marked)),
            (r#"{"type":"auth_invalid","message":"no"}"#, Some(Grievance::Marked)),
            (r#"{"type":"disconnect","reason":"unauthorized"}"#, Some(Grievance::Marked)),
            (r#"{"type":"disconnect"}"#, None),
            (r#"[3,{"message":"no"},"wamp.error.no_such_realm"]"#, Some(Grievance::Marked)),
            (r#"[3,{},"wamp.close.normal"]"#, None),
            (r#"["NOTICE","ERROR: bad message"]"#, Some(Grievance::Marked)),
            (r#"["NOTICE","the error: none"]"#, Some(Grievance::Word)),
            (r#"{"command":"init","problem":"no-session"}"#, Some(Grievance::Marked)),
            ("ERROR\nmessage:no\n\n\0", Some(Grievance::Shouted)),
            (r#"{"error":{"code":5}}"#, Some(Grievance::Marked)),
            ("<?xml version='1.0'?><error code=\"5\"/>", Some(Grievance::Marked)),
            ("Error: no such room", Some(Grievance::Shouted)),
            ("token expired", Some(Grievance::Marked)),
            ("Your token expired", Some(Grievance::Word)),
            ("Unauthorized", Some(Grievance::Marked)),
            ("Access denied: wrong password for ann", Some(Grievance::Marked)),
            ("Invalid or expired API key.", Some(Grievance::Marked)),
            ("Too many requests", Some(Grievance::Marked)),
            ("Too many cooks", Some(Grievance::Word)),
            ("Too many cooks spoil the broth", Some(Grievance::Word)),
            ("Forbidden fruit is the sweetest.", Some(Grievance::Word)),
            ("Forbidden Planet", Some(Grievance::Word)),
            ("Unauthorized biography of the Queen", Some(Grievance::Word)),
            (r#"{"type":"light","ok":false}"#, None),
            (r#"{"ok":false,"retry":true}"#, None),
            (r#"{"type":"validation","ok":false,"message":"must be an address"}"#, None),
            (r#"{"type":"res","ok":false,"message":"Not allowed here"}"#, Some(Grievance::Marked)),
            (r#"{"ok":false,"mensaje":"falta la sala"}"#, Some(Grievance::Marked)),
            (r#"{"ok":false,"room":"kitchen"}"#, None),
            (
                r#"{"type":"response.done","response":{"status":"failed","details":{"error":{"code":"quota","message":"used up"}}}}"#,
                Some(Grievance::Marked),
            ),
            (r#"{"type":"response.done","response":{"status":"cancelled","details":{}}}"#, None),
            (r#"{"type":"job","result":{"status":"failed","error":null}}"#, Some(Grievance::Word)),
            (":irc.example NOTICE * :Login authentication failed\r\n", Some(Grievance::Marked)),
            (":irc.example 433 * bob :Nickname is already in use\r\n", Some(Grievance::Marked)),
            (":irc.example NOTICE * :*** Looking up your hostname\r\n", None),
            (":irc.example 375 bob :- Message of the day\r\n", None),
            (":bob!b@h NOTICE * :it failed\r\n", Some(Grievance::Word)),
            (r#"{"type":"res","ok":false,"code":"E7","message":"x"}"#, Some(Grievance::Marked)),
            (r#"{"action":"error","level":"info","n":3}"#, Some(Grievance::Word)),
            (r#"{"type":"disconnect","reason":"user left"}"#, None),
            (r#"{"type":"disconnect","reason":"too_many_websockets"}"#, Some(Grievance::Marked)),
            ("Invalid token", Some(Grievance::Marked)),
            (r#"["error",{"reason":"no such channel"}]"#, Some(Grievance::Marked)),
            (r#"{"success":false,"message":"wrong pin"}"#, Some(Grievance::Marked)),
            (r#"{"type":"auth_invalid"}"#, Some(Grievance::Marked)),
            (r#"{"success":true}"#, None),
            (r#"["info",{"reason":"done"}]"#, None),
            (r#"{"result":3,"error":null}"#, None),
            (r#"{"data":{"user":1},"errors":[]}"#, None),
            ("hello", None),
            ("", None),
            ("terror and mirrors", None),
        ] {
            assert_eq!(complains(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!(complains(&[0xff, 0xfe, b'e']), None);
    }

    #[test]
    fn what_says_that_there_is_no_error_is_no_complaint() {
        for text in [
            r#"{"status":"no errors"}"#,
            r#"{"status":"no_error"}"#,
            r#"{"event":"error_count","value":0}"#,
            r#"{"error":"none"}"#,
            r#"{"error":"0"}"#,
            r#"{"error":{}, "x":1}"#,
            r#"{"errors":0.0,"ok":1}"#,
            r#"{"error":{"code":0,"message":"success"}}"#,
            r#"{"errors":{"name":[],"mail":null}}"#,
            r#"{"requests":100,"errors":3}"#,
            r#"{"type":"terror"}"#,
            r#"<report errors="0"/>"#,
            r#"<svg><g id="error-bars"/></svg>"#,
            "<html><p>no errors</p></html>",
            "<error/>",
            "<error>0</error>",
            "<error code='0'>done</error>",
            "ERRORS: 0",
            "Error: none",
            "error: 0 warnings",
        ] {
            let found = complains(text.as_bytes());
            assert!(!matches!(found, Some(Grievance::Marked | Grievance::Shouted)), "{text}");
        }
        for text in [
            "0 errors, 0 failed",
            "all required checks done",
            r#"{"ok":true,"missing":0}"#,
            "not found: 0 unknown: 0",
        ] {
            assert_eq!(complains(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_message_that_was_cut_is_judged_by_the_members_of_its_object() {
        let long = "x".repeat(400);
        for (text, wanted) in [
            (format!(r#"{{"error":"","data":"{long}"}}"#), false),
            (format!(r#"{{"error": {{}}, "data":["{long}"]}}"#), false),
            (format!(r#"{{"error":{{"code":0,"message":"{long}"}}}}"#), false),
            (format!(r#"{{"id":1,"schema":{{"error":{{"type":"string","x":"{long}"}}}}}}"#), false),
            (format!(r#"{{"id":1,"schema":[{{"type":"error","x":"{long}"}}]}}"#), false),
            (format!(r#"{{"data":"{long}","#), false),
            (format!(r#"{{"type":"error","data":"{long}"}}"#), true),
            (format!(r#"{{"error":"{long}"}}"#), true),
            (format!(r#"{{"id":1,"error":{{"message":"{long}"}}}}"#), true),
        ] {
            let found = complains(&text.as_bytes()[..HEARD_MOST]) == Some(Grievance::Marked);
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_cut_at_a_character_and_marked_so() {
        let long = "ü".repeat(HEARD_MOST);
        let cut = shown(&long.as_bytes()[..=HEARD_MOST]);
        assert_eq!(cut, format!("{}…", "ü".repeat(160)));
        let four = "\u{1f600}".repeat(HEARD_MOST);
        let cut = shown(&four.as_bytes()[..=HEARD_MOST]);
        assert_eq!(cut, format!("{}…", "\u{1f600}".repeat(80)));
        assert_eq!(shown("a".repeat(160).as_bytes()), "a".repeat(160));
    }

    #[test]
    fn a_goodbye_is_bare() {
        for text in ["", " ", "{}", "bye", "server::close", r#"{"type":"disconnect"}"#] {
            assert!(is_goodbye(text.as_bytes()), "{text}");
        }
        for text in ["hello", r#"{"a":1}"#, "bye for now, said Ann"] {
            assert!(!is_goodbye(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_heartbeat_is_short_and_says_so() {
        for text in [
            "",
            "PING",
            r#"{"type":"ping"}"#,
            "\"primus::ping::1796021128048\"",
            "{\"type\":6}\u{1e}",
            r#"{"event":"phoenix","op":"heartbeat"}"#,
            "keep-alive",
            "PING :tmi.twitch.tv",
            r#"{"event":"pusher:ping","data":{}}"#,
        ] {
            assert!(is_heartbeat(text.as_bytes(), false), "{text}");
        }
        for text in [
            "pong",
            "2",
            "shipping",
            r#"{"type":"tick"}"#,
            "ping failed",
            "keep it alive",
            "Liverpool beat Everton",
            r#"{"user":"ping","text":"hi"}"#,
            "does anyone want to play ping pong?",
            "hb",
        ] {
            assert!(!is_heartbeat(text.as_bytes(), false), "{text}");
        }
        assert!(is_heartbeat(b"2", true));
        assert!(!is_heartbeat(&[0xff, 0x00], false));
    }
}
