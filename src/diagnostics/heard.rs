//! What the message was that came last: a complaint of the application, which is the reason of an end
//! right behind it, or a heartbeat that waits for an answer.

use super::said::says;
use serde_json::Value;

/// Characters of a message that are shown.
const SHOWN: usize = 160;

/// How sure it is that a message complains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grievance {
    /// A word in it may mean that.
    Word,
    /// It begins like one, as lines of a log do, too.
    Shouted,
    /// It is marked as an error.
    Marked,
}

/// Words of complaints, as [`says`] takes them.
const WORDS: [&str; 31] = [
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
    "not found",
    "missing",
    "required",
    "refused",
    "reject*",
    "expired",
    "unknown",
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
    let text = std::str::from_utf8(content).map_or_else(
        |error| String::from_utf8_lossy(&content[..error.valid_up_to()]).into_owned(),
        str::to_owned,
    );
    let start = text.trim_start();
    let shouts = ["ERROR", "-ERR", "ERR ", "Error:", "error:"];
    if is_marked(start) {
        return Some(Grievance::Marked);
    }
    if shouts.iter().any(|word| start.starts_with(word)) {
        return Some(Grievance::Shouted);
    }
    let text = without_none(&text);
    let reason = text.contains("\"reason\":\"");
    let speaks = reason || WORDS.iter().any(|word| says(&text, word));
    speaks.then_some(Grievance::Word)
}

/// Whether JSON or XML says that it is an error.
fn is_marked(text: &str) -> bool {
    if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) {
        let named = |name: &String| matches!(name.as_str(), "error" | "errors");
        let given = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(true) => true,
            Value::Number(number) => number.as_i64() != Some(0),
        };
        let is_error = |name: &String, value: &Value| {
            let kind =
                matches!(name.as_str(), "type" | "event" | "status" | "op" | "kind" | "action");
            named(name) && given(value)
                || kind && value.as_str().is_some_and(|kind| says(kind, "error"))
        };
        return members.iter().any(|(name, value)| is_error(name, value));
    }
    // One that was cut, and the streams of XMPP.
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = squeezed.to_ascii_lowercase();
    lower.contains("\"type\":\"error\"")
        || lower.starts_with("{\"error\":{")
        || lower.starts_with("{\"error\":\"")
        || lower.contains("\"error\":{\"")
        || (lower.starts_with('<') && lower.contains("error"))
}

/// Without the members of JSON that say there is none.
fn without_none(text: &str) -> String {
    let none = [
        "\"error\":null",
        "\"errors\":null",
        "\"error\":false",
        "\"errors\":[]",
        "\"error\":\"\"",
        "\"error\":0",
    ];
    let text = text.replace(": ", ":");
    none.iter().fold(text, |text, member| text.replace(member, ""))
}

/// Words of heartbeats.
const BEATS: [&str; 8] =
    ["ping", "heartbeat", "heart-beat", "heart beat", "hb", "keepalive", "keep-alive", "beat"];

/// Characters of a heartbeat; what is longer speaks of something else.
const BEAT: usize = 120;

/// Whether a message is a heartbeat that waits for an answer; `engine_io` where that is the protocol
/// inside.
pub(super) fn is_heartbeat(content: &[u8], engine_io: bool) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let text = text.trim();
    // SignalR ends each message with a separator.
    let known = matches!(text.trim_end_matches('\u{1e}'), "" | "{\"type\":6}")
        || (text == "2" && engine_io);
    let beats = || BEATS.iter().any(|word| says(text, word));
    known || (text.len() <= BEAT && beats() && complains(content).is_none())
}

/// The beginning of a message in one line.
pub(super) fn shown(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let mut shown: String = text.trim_end().chars().take(SHOWN).collect();
    if shown.len() < text.trim_end().len() {
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
            ("ERROR\nmessage:no\n\n", Some(Grievance::Shouted)),
            (r#"{"level":"error","msg":"disk full"}"#, Some(Grievance::Word)),
            (r#"{"id":null,"error":{"message":"invalid session","sta"#, Some(Grievance::Marked)),
            ("<stream:error><host-unknown/></stream:error>", Some(Grievance::Marked)),
            (r#"{"auth":"fail"}"#, Some(Grievance::Word)),
            (r#"{"reason":"room full"}"#, Some(Grievance::Word)),
            ("token expired", Some(Grievance::Word)),
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
    fn a_heartbeat_is_short_and_says_so() {
        for text in [
            "",
            "PING",
            r#"{"type":"ping"}"#,
            "\"primus::ping::1796021128048\"",
            "{\"type\":6}\u{1e}",
            r#"{"event":"phoenix","op":"heartbeat"}"#,
            "keep-alive",
        ] {
            assert!(is_heartbeat(text.as_bytes(), false), "{text}");
        }
        for text in ["pong", "2", "shipping", r#"{"type":"tick"}"#, "ping failed", "keep it alive"]
        {
            assert!(!is_heartbeat(text.as_bytes(), false), "{text}");
        }
        assert!(is_heartbeat(b"2", true));
        assert!(!is_heartbeat(&[0xff, 0x00], false));
    }
}
