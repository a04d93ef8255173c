//! JSON-RPC 2.0, <https://www.jsonrpc.org/specification>, and the dialects that leave `jsonrpc` out,
//! as Chromium's DevTools do.

use std::fmt::Write;

use crate::lens::decoded;
use crate::lens::kept::Fresh;
use crate::lens::message::TOO_LARGE;
use crate::lens::payload::json;
use crate::lens::text::{brief, clipped, path_ends};
use crate::lens::{
    Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments, SpeechCommand, SpeechError,
    Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "json-rpc",
    word: "rpc",
    title: "JSON-RPC 2.0",
    subprotocols: &["jsonrpc", "json-rpc", "jsonrpc2.0"],
    url: |url| is_devtools(url) || path_ends(url, "/jsonrpc") || path_ends(url, "/rpc"),
    beginning: |message| {
        message.as_json().is_some_and(|value| {
            let batch = value.as_list().unwrap_or(std::slice::from_ref(&value));
            let first = batch.iter().take(10).find(|item| is_version_2(item));
            let Some(first) = first.or(batch.first()) else { return false };
            let devtools = first.text_of("method").is_some_and(|method| method.contains('.'));
            is_version_2(first)
                || (devtools || first.get("result").is_some_and(Value::is_map))
                    && first.get("id").is_some_and(|id| id.as_u64().is_some())
        })
    },
    begins_like_others: false,
    lens: |facts| Box::new(JsonRpc { lax: is_devtools(&facts.url), ..JsonRpc::default() }),
    commands: &[
        SpeechCommand {
            name: "",
            arguments: "METHOD [PARAMS…]",
            help: "Calls a method under a new id; in a script, waits for the answer. PARAMS are JSON.",
            example: "eth_subscribe [\"newHeads\"]",
        },
        SpeechCommand {
            name: "notify",
            arguments: "METHOD [PARAMS…]",
            help: "Calls a method that does not answer.",
            example: "log {\"text\":\"hi\"}",
        },
        SpeechCommand {
            name: "reply",
            arguments: "ID [RESULT…]",
            help: "Answers a request of the server, with JSON or a word; null by default.",
            example: "1 {\"ok\":true}",
        },
        SpeechCommand {
            name: "refuse",
            arguments: "ID CODE MESSAGE…",
            help: "Answers a request of the server with an error.",
            example: "1 -32601 Method not found",
        },
    ],
};

const NAME: &str = "json-rpc";

/// Chromium's `/devtools/…`, and the path of node's inspector, which is a UUID. Both refuse
/// messages with `jsonrpc`.
fn is_devtools(url: &str) -> bool {
    let is_part = |(part, len): (&str, usize)| {
        part.len() == len && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let uuid = url.strip_prefix('/').unwrap_or_default();
    let is_uuid =
        uuid.split('-').count() == 5 && uuid.split('-').zip([8, 4, 4, 4, 12]).all(is_part);
    is_uuid || url.starts_with("/devtools/")
}

fn is_version_2(value: &Value) -> bool {
    value.text_of("jsonrpc") == Some("2.0")
}

/// The key of a pair. Long ids are not cut, because two of them may differ only at the end.
fn key(id: &Value, session: Option<&str>) -> String {
    format!("{}#{}", session.unwrap_or_default(), id.json())
}

/// The DevTools session of a message, in a form that distinguishes sessions.
fn at_session(session: Option<&str>) -> String {
    session.map(|session| format!(" @{}", clipped(session, 9))).unwrap_or_default()
}

fn invalid(summary: impl AsRef<str>) -> Decoded {
    let decoded = Decoded::new(NAME, "invalid", format!("invalid {}", summary.as_ref()));
    decoded.breaks("JSON-RPC 2.0 §4", "it is neither a request nor a response")
}

#[derive(Default)]
struct JsonRpc {
    /// Whether a message had `jsonrpc`, so that its absence is an error.
    strict: bool,
    /// Whether our messages have no `jsonrpc`, because the peer does not know it, or because it was
    /// missing in the first message.
    lax: bool,
    ids: Fresh,
}

impl JsonRpc {
    fn look(&mut self, value: &Value, from_client: bool) -> Option<Decoded> {
        let versioned = is_version_2(value);
        let id = value.get("id");
        // Each session on a connection has its own ids.
        let session = value.text_of("sessionId").filter(|_| !versioned);
        let decoded = match value.text_of("method") {
            Some(method) => self.call(value, method, id, session, from_client),
            None => match self.answer(value, id, session) {
                None if versioned => invalid(value.short()),
                answer => answer?,
            },
        };
        let decoded = decoded.field_if("sessionId", session);
        self.lax |= !versioned && !self.strict;
        self.strict |= versioned;
        let odd = !matches!(
            id,
            None | Some(
                Value::Null
                    | Value::Text(_)
                    | Value::Integer(_)
                    | Value::Float(_)
                    | Value::Number(_)
            )
        );
        let decoded = decoded.breaks_if(
            self.strict && !versioned,
            "JSON-RPC 2.0 §4",
            "jsonrpc must be exactly \"2.0\"",
        );
        Some(decoded.breaks_if(odd, "JSON-RPC 2.0 §4", "an id is a string, a number or null"))
    }

    /// The items of a batch: requests, answers, and invalid ones.
    fn batch(&mut self, batch: &[Value], from_client: bool) -> Option<Vec<Decoded>> {
        let mut any = false;
        let items = batch.iter().enumerate().map(|(at, value)| {
            let item = self.look(value, from_client);
            any |= item.is_some();
            Some(item.unwrap_or_else(|| {
                invalid(format!("item {} of the batch: {}", at + 1, value.short()))
            }))
        });
        let items = decoded::packets(items);
        items.filter(|_| any)
    }

    fn call(
        &mut self,
        value: &Value,
        method: &str,
        id: Option<&Value>,
        session: Option<&str>,
        mine: bool,
    ) -> Decoded {
        let params = value.get("params");
        let mut summary = brief(method);
        if let Some(id) = id {
            let _ = write!(summary, "#{}", id.plain());
            if mine {
                self.ids.seen(id.as_u64().unwrap_or(0));
            }
        }
        summary.push_str(&at_session(session));
        if let Some(params) = params {
            let _ = write!(summary, " {}", params.short());
        }
        let kind = if id.is_some() { "request" } else { "notification" };
        let decoded = Decoded::new(NAME, kind, summary)
            .field("method", method)
            .field_if("id", id)
            .field_if("params", params)
            .breaks_if(
                params.is_some_and(|params| !params.is_map() && params.as_list().is_none()),
                "JSON-RPC 2.0 §4.2",
                "params must be a list or an object",
            );
        match id {
            Some(id) => decoded.asks(key(id, session), method),
            None => decoded,
        }
    }

    fn answer(&self, value: &Value, id: Option<&Value>, session: Option<&str>) -> Option<Decoded> {
        let strict = self.strict || is_version_2(value);
        // In version 1, both are always present, and null if there is no value.
        let part = |name| value.get(name).filter(|part| strict || **part != Value::Null);
        let (mut result, error) = (part("result"), part("error"));
        if error.is_none() {
            result = value.get("result");
        }
        let plain = id.map(Value::plain).unwrap_or_default() + &at_session(session);
        let (kind, summary) = match (result, error) {
            (_, Some(error)) => {
                let part = |name| error.get(name).map(Value::plain).unwrap_or_default();
                // "additional information about the error" (§5.1), often the only reason.
                let data = error.get("data").filter(|data| data.says_something());
                let data = data.map(|data| format!(" {}", data.short())).unwrap_or_default();
                let (code, message) = (part("code"), brief(&part("message")));
                ("error", format!("#{plain} error {code} {message}{data}"))
            }
            (Some(result), None) => ("result", format!("#{plain} result {}", result.short())),
            (None, None) => return None,
        };
        let decoded = Decoded::new(NAME, kind, summary)
            .field_if("id", id)
            .field_if("result", result)
            .field_if("error", error)
            .breaks_if(
                strict && result.is_some() && error.is_some(),
                "JSON-RPC 2.0 §5",
                "a response has a result or an error, not both",
            )
            .breaks_if(id.is_none() && !self.lax, "JSON-RPC 2.0 §5", "a response has an id")
            .breaks_if(
                strict
                    && error.is_some_and(|error| {
                        error.get("code").and_then(Value::as_integer).is_none()
                            || error.text_of("message").is_none()
                    }),
                "JSON-RPC 2.0 §5.1",
                "an error has a code, which is a whole number, and a message",
            );
        // An answer to a request that was cancelled (LSP 3.17, ErrorCodes).
        let cancelled = error.and_then(|error| error.get("code")?.as_integer()) == Some(-32800);
        let decoded = decoded.fails_if(!cancelled && error.is_some_and(Value::says_something));
        Some(match id {
            Some(id) => decoded.answers(key(id, session)),
            None => decoded,
        })
    }
}

impl Lens for JsonRpc {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let from_client = message.from_client();
        match &value {
            // "an Array with at least one value" (§6); other protocols may send an empty list.
            Value::List(batch) if batch.is_empty() && self.strict => {
                Some(vec![invalid("an empty batch")])
            }
            Value::List(batch) => self.batch(batch, from_client),
            value => self.look(value, from_client).map(|decoded| vec![decoded]),
        }
    }

    /// The part before the one that is too large, usually the method or the id.
    fn pass_over(&mut self, beginning: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        let (value, next) = json::begun(beginning.beginning());
        let (id, method) = (value.get("id"), value.text_of("method"));
        let session = value.text_of("sessionId").filter(|_| !is_version_2(&value));
        let number = id.map(|id| format!("#{}", id.plain())).unwrap_or_default();
        let (kind, what) = match (method, id, next.as_deref()) {
            (Some(method), Some(_), _) => ("request", brief(method) + &number),
            (Some(method), None, _) => ("notification", brief(method)),
            (None, Some(_), Some(kind @ ("result" | "error"))) => {
                (kind, format!("{number} {kind}"))
            }
            _ => return None,
        };
        let summary = format!("{what}{} {len} B, {TOO_LARGE}", at_session(session));
        let decoded = Decoded::new(NAME, kind, summary)
            .field_if("method", method)
            .field_if("id", id)
            .field_if("sessionId", session);
        Some(vec![match (id, method) {
            (Some(id), Some(method)) => decoded.asks(key(id, session), method),
            (Some(id), None) => decoded.answers(key(id, session)),
            (None, _) => decoded,
        }])
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        if ["reply", "refuse"].contains(&command) {
            let version = (!self.lax).then(|| ("jsonrpc", "2.0".into()));
            let (id, given) = (arguments.json(0).unwrap_or(Value::Null), arguments.json(1));
            let answer = match command {
                "reply" => ("result", given.unwrap_or(Value::Null)),
                _ => {
                    let wrong = || format!("CODE is not a number: {}", arguments.get(1));
                    let code = given.filter(|code| code.as_integer().is_some());
                    let code = code.ok_or_else(|| SpeechError::Wrong(wrong()))?;
                    let error = [("code", code), ("message", arguments.get(2).into())];
                    ("error", Value::from_iter(error))
                }
            };
            let entries = version.into_iter().chain([("id", id), answer]);
            return Ok(vec![Outgoing::json(entries.collect::<Value>())]);
        }
        let params = arguments.json(1);
        if params.as_ref().is_some_and(|params| !params.is_map() && params.as_list().is_none()) {
            let given = arguments.get(1);
            return Err(SpeechError::Wrong(format!(
                "PARAMS is not a JSON list or object: {given}"
            )));
        }
        let version = (!self.lax).then(|| ("jsonrpc", "2.0".into()));
        let id = command.is_empty().then(|| self.ids.next());
        let answer = id.as_ref().map(|id| format!("rpc.id={id}"));
        let id = id.map(|id| ("id", id.into()));
        let method = ("method", arguments.get(0).into());
        let params = params.map(|params| ("params", params));
        let entries = version.into_iter().chain(id).chain([method]).chain(params);
        let message = Outgoing::json(entries.collect::<Value>());
        Ok(vec![match answer {
            Some(answer) => message.answered_by(answer),
            None => message,
        }])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};
    use crate::lens::{Carried, Value};

    #[test]
    fn a_request_and_its_answer_are_enough_evidence() {
        let mut script = Script::auto("", "/");
        let lines = script
            .client(r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#);
        assert!(lines.is_empty());
        script.server(r#"{"jsonrpc":"2.0","id":1,"result":"0x9ce59a13059e417087c02d3236a0b1cc"}"#);
        let expected = "#1 result \"0x9ce59a13059e417087c02d3236a0b1cc\" (eth_subscribe, 35 ms)";
        assert_eq!(script.last(), expected);
        script.client(r#"{"jsonrpc":"2.0","id":7,"method":"nope"}"#);
        assert_eq!(script.last(), "nope#7");
        let error =
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"Method not found"}}"#;
        script.server(error);
        assert_eq!(script.last(), "#7 error -32601 Method not found (nope, 35 ms)");
        let sent = script.conversation.speak("rpc", "add [1,2]").expect("a command");
        assert_eq!(sent[0].content, br#"{"jsonrpc":"2.0","id":8,"method":"add","params":[1,2]}"#);
    }

    #[test]
    fn messages_that_are_compressed_are_evidence_too() {
        use std::io::Write;
        let zipped = |text: &str| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            gzip.write_all(text.as_bytes()).expect("a Vec takes all");
            gzip.finish().expect("a Vec takes all")
        };
        let mut script = Script::auto("", "/");
        script.client_bytes(&zipped(r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#));
        script.server_bytes(&zipped(r#"{"jsonrpc":"2.0","id":1,"result":1}"#));
        assert_eq!(script.last(), "#1 result 1 (x, 35 ms)");
    }

    #[test]
    fn an_answer_that_is_too_large_is_paired() {
        let mut script = Script::of("json-rpc", "", "/");
        for id in ["1", "\"a\""] {
            let begin = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"xä"#);
            script.client(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"big"}}"#));
            script.server_large(&begin.as_bytes()[..begin.len() - 1], 2 << 20);
            let plain = id.trim_matches('"');
            let line = format!("#{plain} result 2097152 B, too large for a lens (big, 35 ms)");
            assert_eq!(script.last(), line);
            assert_eq!(script.decoded().find("id").map(Value::json).as_deref(), Some(id));
        }
        script.client(r#"{"jsonrpc":"2.0","id":2,"method":"deep"}"#);
        let deep = "[".repeat(500) + &"]".repeat(500);
        script.server(&format!(r#"{{"jsonrpc":"2.0","id":2,"result":{deep}}}"#));
        let line = "#2 result 1034 B, nested too deeply for a lens (deep, 35 ms)";
        assert_eq!(script.last(), line);
        script.client_large(br#"{"jsonrpc":"2.0","id":3,"method":"m","params":["#, 2 << 20);
        assert_eq!(script.last(), "m#3 2097152 B, too large for a lens");
        script.server_large(br#"{"jsonrpc":"2.0","result":["#, 2 << 20);
        assert_eq!(script.last(), "2097152 B, too large for a lens", "nobody knows of what");
        script.server_large(br#"{"jsonrpc":"2.0","id":3"#, 2 << 20);
        assert_eq!(script.last(), "2097152 B, too large for a lens", "it may be 31");
        assert_eq!(script.conversation.unanswered().len(), 1);
    }

    #[test]
    fn a_batch_is_a_list() {
        let mut script = Script::of("json-rpc", "", "/");
        let lines = script.client(
            r#"[{"jsonrpc":"2.0","id":"a","method":"x"},{"jsonrpc":"2.0","method":"y","params":{}}]"#,
        );
        assert_eq!(lines, ["x#a", "y {}"]);
        assert_eq!(script.conversation.unanswered().len(), 1);
    }

    #[test]
    fn an_invalid_item_of_a_batch_is_named() {
        let mut script = Script::of("json-rpc", "", "/");
        let lines = script.client(
            r#"[{"jsonrpc":"2.0","id":1,"method":"x"},1,{"foo":"bar"},{"jsonrpc":"2.0","method":7}]"#,
        );
        let expected = [
            "x#1",
            "invalid item 2 of the batch: 1",
            r#"invalid item 3 of the batch: {"foo":"bar"}"#,
            r#"invalid {"jsonrpc":"2.0","method":7}"#,
        ];
        assert_eq!(lines, expected);
        for (at, packet) in script.packets().iter().enumerate() {
            assert_eq!(complaints(packet).len(), usize::from(at > 0), "{packet:?}");
        }
        assert_eq!(script.client("[]"), ["invalid an empty batch"]);
        script.client("[1,2]");
        assert_eq!(complaints(script.decoded()), ["the message is not one of this protocol"]);
    }

    #[test]
    fn ids_are_exact() {
        let (a, b) = ("x".repeat(80) + "a", "x".repeat(80) + "b");
        let ids = [
            "9007199254740992",
            "9007199254740993",
            "18446744073709551616",
            "18446744073709551617",
            "1.5",
            &format!("\"{a}\""),
            &format!("\"{b}\""),
        ];
        let mut script = Script::of("json-rpc", "", "/");
        for (at, id) in ids.iter().enumerate() {
            script.client(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m{at}"}}"#));
            assert_eq!(script.last(), format!("m{at}#{}", id.trim_matches('"')));
        }
        for (at, id) in ids.iter().enumerate().rev() {
            script
                .server(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":18446744073709551617}}"#));
            assert!(script.last().contains("result 18446744073709551617"), "{}", script.last());
            assert!(script.last().contains(&format!("(m{at}, ")), "{}", script.last());
        }
    }

    #[test]
    fn sessions_of_devtools_count_for_themselves() {
        let mut script = Script::auto("", "/devtools/browser/AB12");
        script.client(r#"{"id":1,"method":"A.b","sessionId":"0123456789"}"#);
        script.client(r#"{"id":1,"method":"C.d","sessionId":"abcdefghij"}"#);
        assert_eq!(script.last(), "C.d#1 @abcdefgh…");
        script.client(r#"{"id":1,"method":"E.f"}"#);
        assert_eq!(script.conversation.unanswered().len(), 3);
        script.server(r#"{"id":1,"result":{},"sessionId":"0123456789"}"#);
        assert_eq!(script.last(), "#1 @01234567… result {} (A.b, 105 ms)");
        script.server(r#"{"id":1,"error":{"code":1,"message":"x"},"sessionId":"abcdefghij"}"#);
        assert_eq!(script.last(), "#1 @abcdefgh… error 1 x (C.d, 105 ms)");
        script.server(r#"{"id":1,"result":{}}"#);
        assert_eq!(script.last(), "#1 result {} (E.f, 105 ms)");
    }

    #[test]
    fn devtools_leave_the_version_out() {
        let mut script = Script::auto("", "/devtools/page/AB12");
        script.client(r#"{"id":1,"method":"Page.enable"}"#);
        assert_eq!(script.last(), "Page.enable#1");
        script.server(r#"{"id":1,"result":{}}"#);
        assert_eq!(script.last(), "#1 result {} (Page.enable, 35 ms)");
        assert!(complaints(script.decoded()).is_empty());
        let sent = script.conversation.speak("rpc", "Page.disable").expect("a command");
        assert_eq!(sent[0].content, br#"{"id":2,"method":"Page.disable"}"#);
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("json-rpc", "", "/");
        script.client(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":3}"#);
        assert_eq!(complaints(script.decoded()), ["params must be a list or an object"]);
        script.server(r#"{"id":1,"result":1,"error":{}}"#);
        assert_eq!(complaints(script.decoded()).len(), 3);
        script.server(r#"{"jsonrpc":"2.0","id":[1],"result":1}"#);
        assert_eq!(complaints(script.decoded()), ["an id is a string, a number or null"]);
    }

    #[test]
    fn devtools_are_spoken_to_without_a_version() {
        for url in ["/devtools/page/1", "/bc8c94f4-89e3-4d41-9c95-542f3e7648d6"] {
            let mut script = Script::of("json-rpc", "", url);
            let sent = script.conversation.speak("rpc", "Page.enable").expect("a command");
            assert_eq!(sent[0].content, br#"{"id":1,"method":"Page.enable"}"#);
            script
                .server(r#"{"error":{"code":-32700,"message":"JSON: unprocessed input remain"}}"#);
            assert!(complaints(script.decoded()).is_empty());
        }
        assert!(!super::is_devtools("/bc8c94f4-89e3-4d41-9c95-542f3e7648d6-1"));
        assert!(!super::is_devtools("/chat"));
    }

    #[test]
    fn long_ids_are_told_apart_by_their_ends() {
        let mut script = Script::of("json-rpc", "", "/");
        let id = |end: &str| "x".repeat(5000) + end;
        for end in ["a", "b"] {
            let id = id(end);
            script.client(&format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{end}"}}"#));
        }
        assert_eq!(script.conversation.unanswered().len(), 2);
        for end in ["a", "b"] {
            let id = id(end);
            script.server(&format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":1}}"#));
            assert!(script.last().contains(&format!("({end}, ")), "{}", script.last());
        }
    }

    #[test]
    fn version_1_has_result_and_error() {
        let mut script = Script::of("json-rpc", "", "/");
        script.client(r#"{"id":1,"method":"x","params":[]}"#);
        script.server(r#"{"id":1,"result":7,"error":null}"#);
        assert_eq!(script.last(), "#1 result 7 (x, 35 ms)");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(r#"{"id":1,"result":null,"error":"why"}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn what_inflates_to_much_is_no_evidence() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        let pad = " ".repeat(100_000);
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x"{pad}}}"#);
        gzip.write_all(text.as_bytes()).expect("a Vec takes all");
        let gzip = gzip.finish().expect("a Vec takes all");
        let mut script = Script::auto("", "/");
        script.client_bytes(&gzip);
        script.server(r#"{"jsonrpc":"2.0","id":1,"result":1}"#);
        assert!(script.conversation.protocol().is_none());
    }
}
