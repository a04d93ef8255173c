//! Compares the received messages with the recorded ones, and finds the differences.

use serde_json::Value;

use super::plan::RecordedMessage;
pub use crate::ui::json::Difference;
use crate::ui::json::MemberDifference;
use crate::ui::pattern::Pattern;
use crate::ui::sanitize::escaped;
use crate::wire::Data;

/// How many bytes of a message a difference shows, around its position.
const SHOWN: usize = 160;

/// How many of them are before the position.
const BEFORE: usize = 40;

/// How many members of JSON a difference lists.
const LISTED: usize = 8;

/// A floating-point number represents every smaller whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How messages are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compare {
    /// Not at all.
    #[default]
    None,
    /// By their number.
    Count,
    /// By their number, and whether each is text or binary.
    Kind,
    /// Also by their content.
    Text,
    /// By their value as JSON, if both are JSON.
    Json,
}

/// How messages are compared, and what is ignored.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// How messages are compared.
    pub how: Compare,
    /// The matches of these patterns are ignored on both sides.
    pub ignore: Vec<Pattern>,
    /// The members that these JSON pointers name are ignored on both sides; `*` is any member.
    pub ignore_json: Vec<String>,
}

impl Comparison {
    /// The difference between a received and a recorded message, if there is one; `number` counts
    /// from 1.
    pub fn difference(
        &self,
        number: u64,
        (expected_opcode, expected): (Data, &[u8]),
        (opcode, received): (Data, &[u8]),
    ) -> Option<Difference> {
        if self.how < Compare::Kind {
            return None;
        }
        if expected_opcode != opcode {
            return Some(Difference {
                message: number,
                what: "kind",
                text: format!(
                    "message {number} is {}, not {}",
                    kind(opcode),
                    kind(expected_opcode)
                ),
                expected: Some(shown(expected, 0)),
                received: Some(shown(received, 0)),
                ..Difference::default()
            });
        }
        if self.how < Compare::Text || expected == received {
            return None;
        }
        let members = match self.how {
            Compare::Json => self.members(expected, received),
            _ => None,
        };
        let members = match members {
            Some(members) if members.is_empty() => return None,
            Some(members) => members,
            None if self.left(expected) == self.left(received) => return None,
            None => Vec::new(),
        };
        let at = expected.iter().zip(received).take_while(|(a, b)| a == b).count();
        let text = match members.first() {
            Some((pointer, ..)) => format!("message {number} differs at {pointer}"),
            None => format!("message {number} differs at byte {at}"),
        };
        Some(Difference {
            message: number,
            what: "content",
            text,
            expected: Some(shown(expected, at)),
            received: Some(shown(received, at)),
            members,
        })
    }

    /// The difference of a message that the recording does not have.
    pub fn extra(&self, number: u64, recorded: usize, received: &[u8]) -> Option<Difference> {
        (self.how >= Compare::Count).then(|| Difference {
            message: number,
            what: "count",
            text: format!("message {number} was received, but the recording has {recorded}"),
            received: Some(shown(received, 0)),
            ..Difference::default()
        })
    }

    /// The difference of recorded messages that were not received, from this number on.
    pub fn missing(&self, number: u64, expected: &[RecordedMessage]) -> Option<Difference> {
        let first = expected.first().filter(|_| self.how >= Compare::Count)?;
        let text = match expected.len() {
            1 => format!("message {number} was not received"),
            more => format!("messages {number} to {} were not received", number + more as u64 - 1),
        };
        Some(Difference {
            message: number,
            what: "count",
            text,
            expected: Some(shown(&first.content, 0)),
            ..Difference::default()
        })
    }

    /// The difference of the other end's Close: another code, or no Close.
    pub fn close(
        &self,
        number: u64,
        expected: Option<u16>,
        received: Option<Option<u16>>,
    ) -> Option<Difference> {
        if self.how < Compare::Kind || Some(expected) == received {
            return None;
        }
        let text = match received {
            Some(_) => "the Close has another code",
            None => "the Close was not received",
        };
        let code = |code: Option<u16>| code.map_or("no code".to_owned(), |code| code.to_string());
        Some(Difference {
            message: number,
            what: "close",
            text: text.to_owned(),
            expected: Some(code(expected)),
            received: received.map(code),
            ..Difference::default()
        })
    }

    /// The content without ignored parts.
    fn left(&self, content: &[u8]) -> Vec<u8> {
        self.ignore.iter().fold(content.to_vec(), |content, pattern| {
            pattern.replace(&content, b"", content.len()).unwrap_or(content)
        })
    }

    /// The members that differ; `None` if one of the contents is not JSON.
    fn members(&self, expected: &[u8], received: &[u8]) -> Option<Vec<MemberDifference>> {
        let parse = |bytes: &[u8]| {
            let mut value = parsed(bytes)?;
            for pointer in &self.ignore_json {
                remove(&mut value, pointer);
            }
            Some(value)
        };
        let (expected, received) = (parse(expected)?, parse(received)?);
        let mut members = Vec::new();
        self.compare("", Some(&expected), Some(&received), &mut members);
        Some(members)
    }

    fn compare(
        &self,
        pointer: &str,
        expected: Option<&Value>,
        received: Option<&Value>,
        members: &mut Vec<MemberDifference>,
    ) {
        if expected == received || members.len() == LISTED {
            return;
        }
        match (expected, received) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
                for name in names {
                    let name_in_pointer = name.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{pointer}/{name_in_pointer}");
                    self.compare(&pointer, a.get(name), b.get(name), members);
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                for at in 0..a.len().max(b.len()) {
                    self.compare(&format!("{pointer}/{at}"), a.get(at), b.get(at), members);
                }
            }
            _ => {
                let text = |value: Option<&Value>| value.map(Value::to_string);
                let (expected, received) = (text(expected), text(received));
                let left = |text: &Option<String>| text.as_ref().map(|t| self.left(t.as_bytes()));
                if left(&expected) != left(&received) {
                    let short = |text: Option<String>| text.map(|text| shown(text.as_bytes(), 0));
                    let pointer = if pointer.is_empty() { "its whole" } else { pointer };
                    let pointer = shown(pointer.as_bytes(), 0);
                    members.push((pointer, short(expected), short(received)));
                }
            }
        }
    }
}

fn kind(opcode: Data) -> &'static str {
    match opcode {
        Data::Text => "text",
        _ => "binary",
    }
}

/// Removes the member that a JSON pointer (RFC 6901) names; `*` is any member.
fn remove(value: &mut Value, pointer: &str) {
    let Some(rest) = pointer.strip_prefix('/') else { return };
    let (name, rest) = match rest.find('/') {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let name = name.replace("~1", "/").replace("~0", "~");
    match (value, rest) {
        (Value::Object(object), None) if name == "*" => object.clear(),
        (Value::Object(object), None) => drop(object.remove(&name)),
        (Value::Object(object), Some(rest)) => {
            let chosen = object.iter_mut().filter(|(own, _)| name == "*" || **own == name);
            chosen.for_each(|(_, value)| remove(value, rest));
        }
        (Value::Array(array), None) => {
            // The other items keep their positions.
            let chosen = array.iter_mut().enumerate();
            let chosen = chosen.filter(|(at, _)| name == "*" || name == at.to_string());
            chosen.for_each(|(_, value)| *value = Value::Null);
        }
        (Value::Array(array), Some(rest)) => {
            let chosen = array.iter_mut().enumerate();
            let chosen = chosen.filter(|(at, _)| name == "*" || name == at.to_string());
            chosen.for_each(|(_, value)| remove(value, rest));
        }
        _ => {}
    }
}

/// The part of a content around a position, safe for a terminal.
fn shown(content: &[u8], at: usize) -> String {
    let start = if content.len() <= SHOWN { 0 } else { at.saturating_sub(BEFORE) };
    let start = start.min(content.len());
    let end = content.len().min(start + SHOWN);
    let (front, back) =
        (if start > 0 { "…" } else { "" }, if end < content.len() { "…" } else { "" });
    format!("{front}{}{back}", escaped(&content[start..end]))
}

/// A JSON value in which 1.0 and 1e0 are 1, because JSON has only one kind of numbers (RFC 8259
/// §6).
fn parsed(content: &[u8]) -> Option<Value> {
    fn plain(value: &mut Value) {
        match value {
            Value::Number(number) => {
                let whole = number
                    .as_f64()
                    .filter(|value| number.is_f64() && value.fract() == 0.0 && value.abs() < EXACT);
                if let Some(whole) = whole {
                    *value = Value::from(whole as i64);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(plain),
            Value::Object(members) => members.values_mut().for_each(plain),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::from_slice(content).ok()?;
    plain(&mut value);
    Some(value)
}

/// The content in a form that is equal for equal JSON values.
pub fn canonical(content: &[u8]) -> Vec<u8> {
    let text = parsed(content).and_then(|value| serde_json::to_vec(&value).ok());
    text.unwrap_or_else(|| content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(how: Compare, ignore: &[&str], ignore_json: &[&str]) -> Comparison {
        Comparison {
            how,
            ignore: ignore.iter().map(|text| Pattern::new(text).expect(text)).collect(),
            ignore_json: ignore_json.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn differs(comparison: &Comparison, expected: &str, received: &str) -> Option<Difference> {
        let (expected, received) = (expected.as_bytes(), received.as_bytes());
        comparison.difference(3, (Data::Text, expected), (Data::Text, received))
    }

    #[test]
    fn numbers_are_compared_by_their_value() {
        let json = comparison(Compare::Json, &[], &[]);
        assert_eq!(differs(&json, r#"{"a":[1,-0,100]}"#, r#"{"a":[1.0,0,1e2]}"#), None);
        for (one, other) in [
            ("1", "1.5"),
            ("1", "\"1\""),
            ("1", "true"),
            ("9007199254740993", "9007199254740992.0"),
        ] {
            assert!(differs(&json, one, other).is_some(), "{one} {other}");
        }
        assert_eq!(canonical(b"[1.0, 2]"), b"[1,2]");
    }

    #[test]
    fn texts_are_compared_to_the_byte() {
        let text = comparison(Compare::Text, &[], &[]);
        assert_eq!(differs(&text, "abc", "abc"), None);
        let found = differs(&text, "abc", "abd\x1b").expect("a difference");
        assert_eq!(found.text, "message 3 differs at byte 2");
        assert_eq!(found.expected.as_deref(), Some("abc"));
        assert_eq!(found.received.as_deref(), Some("abd\\e"));
        for how in [Compare::None, Compare::Count, Compare::Kind] {
            assert_eq!(differs(&comparison(how, &[], &[]), "abc", "x"), None);
        }
    }

    #[test]
    fn a_long_text_is_shown_where_it_differs() {
        let (a, b) = ("x".repeat(1000), format!("{}y{}", "x".repeat(500), "x".repeat(499)));
        let found = differs(&comparison(Compare::Text, &[], &[]), &a, &b).expect("a difference");
        let received = found.received.expect("what came");
        assert!(received.starts_with("…x") && received.ends_with("x…"), "{received}");
        assert!(received.contains('y') && received.len() < 200, "{received}");
    }

    #[test]
    fn json_is_compared_by_what_it_means() {
        let json = comparison(Compare::Json, &[], &[]);
        assert_eq!(differs(&json, r#"{"a":1,"b":[2]}"#, r#"{ "b": [2], "a": 1 }"#), None);
        let found = differs(&json, r#"{"a":1,"b/c":[2,3]}"#, r#"{"a":1,"b/c":[2,4],"d":0}"#);
        let found = found.expect("a difference");
        let member = |pointer: &str, expected: Option<&str>, received: Option<&str>| {
            (pointer.to_owned(), expected.map(str::to_owned), received.map(str::to_owned))
        };
        let all = [member("/b~1c/1", Some("3"), Some("4")), member("/d", None, Some("0"))];
        assert_eq!(found.members, all);
        assert_eq!(found.text, "message 3 differs at /b~1c/1");
        // Content that is not JSON is compared as text.
        assert!(differs(&json, "a", "b").is_some() && differs(&json, "a", "a").is_none());
    }

    #[test]
    fn what_is_ignored_does_not_count() {
        let text = comparison(Compare::Text, &["[0-9]+"], &[]);
        assert_eq!(differs(&text, "at 17", "at 2345"), None);
        assert!(differs(&text, "at 17", "in 17").is_some());
        let json = comparison(Compare::Json, &["[0-9]{3}"], &["/t", "/items/*/id", "/list/0"]);
        let of = |t: u8, id: &str, first: u8| {
            format!(r#"{{"t":{t},"items":[{{"id":"{id}","n":1}}],"list":[{first},5],"x":"{t}00"}}"#)
        };
        assert_eq!(differs(&json, &of(1, "a", 1), &of(2, "b", 2)), None);
    }

    #[test]
    fn numbers_kinds_and_closes_are_compared() {
        let count = comparison(Compare::Count, &[], &[]);
        let two = vec![RecordedMessage { opcode: Data::Text, content: b"x".to_vec() }; 2];
        let missing = count.missing(2, &two).expect("a difference");
        assert_eq!(missing.text, "messages 2 to 3 were not received");
        let extra = count.extra(4, 3, b"more").expect("a difference");
        assert_eq!(extra.text, "message 4 was received, but the recording has 3");
        assert_eq!(comparison(Compare::None, &[], &[]).extra(4, 3, b""), None);
        assert_eq!(count.close(1, Some(1000), Some(Some(1011))), None);
        let kind = comparison(Compare::Kind, &[], &[]);
        assert!(kind.close(1, Some(1000), Some(Some(1011))).is_some());
        let missed = kind.close(1, Some(1000), None).expect("a difference");
        assert_eq!((&*missed.text, missed.received), ("the Close was not received", None));
        let found =
            kind.difference(1, (Data::Text, b"x"), (Data::Binary, b"x")).expect("a difference");
        assert_eq!(found.text, "message 1 is binary, not text");
    }
}
