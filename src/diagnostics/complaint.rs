//! Words of complaints, and texts that say that there is no error.

use super::said::says;

/// Words of complaints, in the form that [`says`] uses.
const WORDS: [&str; 28] = [
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
    "disabled",
];

/// Whether a text contains a word of a complaint.
pub(super) fn faults(text: &str) -> bool {
    WORDS.iter().any(|word| says(text, word))
}

/// Words that may follow a refusal and say what it is about.
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

/// Whether a text is only a refusal: a short line that ends after its first words, continues after
/// a punctuation mark, or names its subject. A whole sentence may be about anything.
pub(super) fn refuses_plainly(text: &str) -> bool {
    let line = text.trim();
    // A status of HTTP may come first, as in `401 Unauthorized`.
    let status = line.split_once(' ').filter(|(code, _)| code.len() == 3);
    let status =
        status.filter(|(code, _)| code.parse::<u16>().is_ok_and(|code| (400..600).contains(&code)));
    let line = status.map_or(line, |(_, rest)| rest);
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
        "bad request",
        "bad command",
        "unknown command",
        "unknown method",
        "unknown action",
        "unknown event",
        "not logged in",
        "you have been kicked",
        "you have been banned",
        "you are banned",
        "room is full",
        "server is full",
        "queue is full",
    ];
    let after = |start: &&str| {
        let (rest, whole) = (lower.strip_prefix(*start)?, !["invalid", "too many"].contains(start));
        let about = rest.strip_prefix(' ').map(|rest| rest.trim_end_matches(['.', '!']));
        let names = |words: &str| {
            let mut words = words.split(' ');
            // Ordinary sentences may begin with these words, too.
            let any = !["too many", "forbidden"].contains(start) && words.clone().count() == 1;
            any || words.all(|word| REFUSED.contains(&word))
        };
        let marked =
            [":", ",", ".", "!", ";", " (", " - "].iter().any(|mark| rest.starts_with(mark));
        Some(about.is_some_and(names) || whole && (rest.is_empty() || marked))
    };
    line.len() <= 80 && !line.contains('\n') && starts.iter().find_map(after).unwrap_or(false)
}

/// What is denied to a client. Other words before `denied` name a thing: `payment_denied`.
const DENIED: [&str; 14] = [
    "access",
    "permission",
    "login",
    "auth",
    "authentication",
    "authorization",
    "authorisation",
    "request",
    "connection",
    "subscription",
    "session",
    "is",
    "was",
    "client",
];

/// Whether a name or a short text refuses access: `permission_denied`, `LOGIN_DENIED: bad token`,
/// `Access is denied`. A lone `denied` may be the state of a thing.
pub(super) fn denies(text: &str) -> bool {
    let spaced = text.replace(['_', '-'], " ").to_ascii_lowercase();
    let first = spaced.split([':', '.', ',', ';', '(']).next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    let Some((last, before)) = words.split_last() else { return false };
    let refused = ["unauthorized", "unauthorised", "unauthenticated", "forbidden"].contains(last);
    before.iter().all(|word| DENIED.contains(word))
        && (refused || *last == "denied" && !before.is_empty())
}

/// Words about a login.
const LOGIN: [&str; 9] = [
    "token*",
    "key",
    "login",
    "auth*",
    "unauth*",
    "password*",
    "credential*",
    "session",
    "access denied",
];

/// Whether a text refuses a login: `Invalid token`, `session expired`.
pub(super) fn refuses_login(text: &str) -> bool {
    (refuses_plainly(text) || denies(text)) && LOGIN.iter().any(|word| says(text, word))
}

/// Whether a text says that there is no error.
pub(super) fn says_none(text: &str) -> bool {
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

/// Whether a word means that something failed.
pub(super) fn fails(word: &str) -> bool {
    ["err", "fail", "failed", "failure"].iter().any(|fail| word.eq_ignore_ascii_case(fail))
}

/// Whether a kind of messages has the name of an error: `error`, `auth_invalid`.
pub(super) fn names_error(kind: &str) -> bool {
    let lower = kind.to_ascii_lowercase();
    // Endings of names that begin with `auth`, as in `auth_invalid`.
    let ends = ["_invalid", "_failed", "_denied", "_rejected", "_refused"];
    if ends.iter().any(|end| lower.starts_with("auth") && lower.ends_with(end)) {
        return true;
    }
    // No room is left, as in `queue_full`.
    let rooms = ["queue", "room", "server", "lobby", "game", "session", "channel", "pool"];
    let full = lower.strip_suffix("_full").is_some_and(|room| rooms.contains(&room));
    if full || lower == "exception" {
        return true;
    }
    let Some(before) = lower.strip_suffix("error") else { return false };
    let separated = before.is_empty() || before.ends_with(['_', '-', '.', ':', '/', ' ']);
    let hump = kind.ends_with("Error") && before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let last = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let last = last.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    (separated || hump) && !["no", "non", "not", "without", "clear"].contains(&last)
}

/// Whether a line begins as an error does: `ERROR`, `-ERR`, `Error: no such room`.
pub(super) fn shouts(text: &str) -> bool {
    // RESP of Redis: a minus and a code in capital letters.
    let code = text.strip_prefix('-').and_then(|rest| rest.split_once(' '));
    let codes = ["noauth", "wrongpass", "noperm", "wrongtype", "loading", "busy", "moved", "ask"];
    let known = |code: &str| {
        code.bytes().all(|byte| byte.is_ascii_uppercase())
            && codes.contains(&&*code.to_ascii_lowercase())
    };
    if code.is_some_and(|(code, _)| known(code)) {
        return true;
    }
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

/// Whether the first line is an error of an IRC server: a numeric from 400 to 599 (RFC 2812 §5.2),
/// or a notice to a client that has not registered yet.
pub(super) fn is_irc_error(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.strip_prefix(':').unwrap_or_default().splitn(4, ' ');
    let (Some(server), Some(command), Some(target), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    // A missing message of the day is not an error.
    let numeric = command.len() == 3 && command.starts_with(['4', '5']) && command != "422";
    let refuses = command.eq_ignore_ascii_case("notice") && target == "*" && faults(rest);
    !server.contains('!') && (numeric && command.parse::<u16>().is_ok() || refuses)
}
