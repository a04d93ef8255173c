//! SignalR's hub protocol in JSON and MessagePack:
//! <https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md>.

use std::fmt::Write;
use std::time::Duration;

use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::payload::cursor::Cursor;
use crate::lens::payload::{json, msgpack};
use crate::lens::text::{brief, query};
use crate::lens::{
    AwaitedMessage, Beat, Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "signalr",
    word: "signalr",
    title: "SignalR",
    subprotocols: &[],
    url: |url| url.to_ascii_lowercase().contains("hub") && query(url, "id").is_some(),
    beginning: |message| {
        let text = std::str::from_utf8(message.content).ok();
        let Some(record) = text.and_then(|text| text.split_once(END)) else {
            return false;
        };
        match (message.from_client(), json::read(record.0)) {
            (true, Some(value)) => {
                value.get("protocol").is_some() && value.get("version").is_some()
            }
            (false, Some(value)) => value == Value::Map(Vec::new()) || value.get("error").is_some(),
            _ => false,
        }
    },
    begins_like_others: false,
    lens: |_| Box::new(SignalR::default()),
    commands: &[
        SpeechCommand {
            name: "handshake",
            arguments: "[PROTOCOL]",
            help: "Asks for a protocol, json by default or messagepack, version 1.",
            example: "json",
        },
        SpeechCommand {
            name: "invoke",
            arguments: "METHOD [ARGS…]",
            help: "Calls a hub method with JSON values or words and waits for its completion.",
            example: "Send 42 x",
        },
        SpeechCommand {
            name: "send",
            arguments: "METHOD [ARGS…]",
            help: "Calls a hub method that does not answer.",
            example: "Send 42 x",
        },
        SpeechCommand {
            name: "stream",
            arguments: "METHOD [ARGS…]",
            help: "Calls a hub method that answers with a stream.",
            example: "Counter 10",
        },
        SpeechCommand {
            name: "cancel",
            arguments: "ID",
            help: "Ends a stream by its number.",
            example: "1",
        },
        SpeechCommand {
            name: "complete",
            arguments: "ID [RESULT…]",
            help: "Answers an invocation of the server, with a JSON value or a word.",
            example: "s1 5",
        },
        SpeechCommand {
            name: "ping",
            arguments: "",
            help: "Keeps the session alive.",
            example: "",
        },
        SpeechCommand { name: "close", arguments: "", help: "Ends the session.", example: "" },
    ],
};

const NAME: &str = "signalr";

/// The byte that ends a record.
const END: char = '\x1e';

const KINDS: [&str; 9] = [
    "Invocation",
    "StreamItem",
    "Completion",
    "StreamInvocation",
    "CancelInvocation",
    "Ping",
    "Close",
    "Ack",
    "Sequence",
];

/// The elements of a record's list in MessagePack, after the kind.
fn parts(kind: u64) -> &'static [&'static str] {
    match kind {
        1 | 4 => &["headers", "invocationId", "target", "arguments", "streamIds"],
        2 => &["headers", "invocationId", "item"],
        3 => &["headers", "invocationId", "kind", "outcome"],
        5 => &["headers", "invocationId"],
        7 => &["error", "allowReconnect"],
        8 | 9 => &["sequenceId"],
        _ => &[],
    }
}

/// Converts a MessagePack record to the JSON form.
fn unpacked(list: &[Value]) -> Option<Value> {
    let (kind, rest) = list.split_first()?;
    let names = parts(kind.as_u64()?).iter().copied();
    let mut entries = vec![("type", kind.clone())];
    let mut outcome = "result";
    for (name, value) in names.zip(rest) {
        match name {
            // The three outcomes: an error, nothing, a result.
            "kind" if value.as_u64() == Some(1) => outcome = "error",
            "kind" => {}
            "outcome" => entries.push((outcome, value.clone())),
            // Unlike in JSON, they are always present.
            name if *value != Value::Null => entries.push((name, value.clone())),
            _ => {}
        }
    }
    Some(Value::from_iter(entries))
}

/// Converts a JSON record to MessagePack, after its length.
fn packed(record: &Value) -> Outgoing {
    let kind = record.get("type").and_then(Value::as_u64).unwrap_or_default();
    let outcome = record.get("error").or(record.get("result"));
    let part = |name: &&str| match *name {
        "headers" => Some(Value::Map(Vec::new())),
        "kind" => Some(match (record.get("error"), outcome) {
            (Some(_), _) => 1u8.into(),
            (None, None) => 2u8.into(),
            (None, Some(_)) => 3u8.into(),
        }),
        "outcome" => outcome.cloned(),
        "streamIds" => Some(Value::List(Vec::new())),
        name => Some(record.get(name).cloned().unwrap_or(Value::Null)),
    };
    let list = [kind.into()].into_iter().chain(parts(kind).iter().filter_map(part)).collect();
    let (mut body, mut content) = (Vec::new(), Vec::new());
    msgpack::write(&Value::List(list), &mut body);
    let mut len = body.len();
    while len >= 0x80 {
        content.push(len as u8 | 0x80);
        len >>= 7;
    }
    content.push(len as u8);
    content.extend(body);
    Outgoing::binary(content)
}

/// The MessagePack records of a message, each after its length.
fn split(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let mut from = Cursor::new(bytes);
        let len = from.varint(5)?;
        let record = from.take(usize::try_from(len).ok()?)?;
        values.push(unpacked(msgpack::read(record)?.as_list()?)?);
        bytes = from.rest;
    }
    Some(values)
}

#[derive(Default)]
struct SignalR {
    /// Whether the records after the handshake are MessagePack.
    is_packed: bool,
    asked: bool,
    agreed: bool,
    /// Whether the server, and the client, have sent Close.
    closed: [bool; 2],
    /// Invocations of the server and of the client that are not complete.
    running: [Kept<String, ()>; 2],
    /// Streams that the server and the client send together with an invocation.
    streams: [Kept<String, ()>; 2],
    ids: Fresh,
}

impl SignalR {
    fn look(&mut self, value: &Value, from_client: bool) -> Option<Decoded> {
        let Some(kind) = value.get("type").and_then(Value::as_u64) else {
            return self.handshake(value, from_client);
        };
        let Some(name) = usize::try_from(kind).ok()?.checked_sub(1).and_then(|at| KINDS.get(at))
        else {
            // Clients ignore types that later versions may add.
            let unknown = Decoded::new(NAME, "unknown", format!("record of type {kind}"));
            return (self.asked || self.agreed).then(|| unknown.field("type", kind));
        };
        let name = *name;
        let text =
            |name: &str| value.get(name).filter(|value| **value != Value::Null).map(Value::plain);
        let (target, id, error) = (text("target"), text("invocationId"), text("error"));
        let mut summary = match kind {
            1 | 4 => {
                let args = value.get("arguments").and_then(Value::as_list).unwrap_or_default();
                let args: Vec<_> = args.iter().take(10).map(Value::short).collect();
                let stream = if kind == 4 { "stream " } else { "" };
                let target = brief(target.as_deref().unwrap_or_default());
                format!("{stream}{target}({})", args.join(","))
            }
            _ => name.to_owned(),
        };
        if let Some(id) = &id {
            let _ = write!(summary, " #{}", brief(id));
        }
        for shown in ["item", "result", "sequenceId"] {
            if let Some(value) = value.get(shown) {
                let _ = write!(summary, " {}", value.short());
            }
        }
        if let Some(error) = &error {
            let _ = write!(summary, " error {}", brief(error));
        }
        if value.get("allowReconnect") == Some(&Value::Bool(true)) {
            summary.push_str(" allowReconnect");
        }
        let decoded = match kind {
            6 => Decoded::heartbeat(NAME, name),
            _ => Decoded::new(NAME, name, summary),
        };
        let mut decoded = decoded.field("type", name).field_if("target", target.as_deref());
        for field in ["invocationId", "arguments", "item", "result", "error"] {
            decoded = decoded.field_if(field, value.get(field));
        }
        if from_client {
            self.ids.seen(id.as_deref().and_then(|id| id.parse().ok()).unwrap_or(0u64));
        }
        if kind == 9 && !self.asked {
            // A connection that resumes another one continues after its handshake.
            self.agreed = true;
        }
        let early = from_client && !self.asked && !self.agreed;
        let (own, other) = (usize::from(from_client), usize::from(!from_client));
        let closed = self.closed[own];
        self.closed[own] |= kind == 7;
        let key = remembered(id.as_deref().unwrap_or_default());
        let (runs, waits) =
            (self.running[own].get(&key).is_some(), !self.running[other].lacks(&key));
        let streams = !self.streams[own].lacks(&key);
        // A record that is certainly not an answer is an item of a stream from its side, if there
        // is one.
        let is_stream = [2, 3].contains(&kind)
            && self.streams[own].get(&key).is_some()
            && self.running[other].get(&key).is_none();
        let ids = value.get("streamIds").and_then(Value::as_list).unwrap_or_default();
        for id in ids.iter().filter(|_| [1, 4].contains(&kind)) {
            self.streams[own].insert(remembered(&id.plain()), ());
        }
        match kind {
            1 | 4 if id.is_some() => drop(self.running[own].insert(key, ())),
            3 if is_stream => drop(self.streams[own].remove(&key)),
            3 => drop(self.running[other].remove(&key)),
            _ => {}
        }
        let decoded = decoded
            .breaks_if(
                !from_client && self.asked && !self.agreed,
                "HubProtocol, Handshake",
                "a record before the handshake response",
            )
            .breaks_if(closed, "HubProtocol, Close", "a record after the Close of the same side")
            .breaks_if(
                [1, 4].contains(&kind) && id.is_some() && runs,
                "HubProtocol, Invocations",
                "another running invocation has this invocationId",
            )
            .breaks_if(
                [2, 3].contains(&kind) && id.is_some() && self.asked && !waits && !streams,
                "HubProtocol, Invocations",
                "no running invocation has this invocationId",
            )
            .breaks_if(
                [1, 4].contains(&kind) && value.text_of("target").is_none(),
                "HubProtocol, Invocations",
                "an invocation has a target, which is a text",
            )
            .breaks_if(early, "HubProtocol, Handshake", "the first record is the handshake request")
            .breaks_if(
                kind == 3 && value.get("result").is_some() && error.is_some(),
                "HubProtocol, Completions",
                "a completion has a result or an error, not both",
            );
        Some(match (kind, id) {
            (1 | 4, Some(id)) => decoded.asks(id, target.unwrap_or_default()),
            (2 | 3, Some(_)) if is_stream => decoded,
            (2, Some(id)) => decoded.answers_in_part(id),
            (3, Some(id)) => decoded.answers(id).fails_if(error.is_some()),
            (5, Some(id)) => decoded.withdraws(id),
            (7, _) => decoded.leaves_if(true).refuses_if(error.is_some()),
            (2..=5, None) => decoded.breaks("HubProtocol", "the record has no invocationId"),
            _ => decoded,
        })
    }

    fn handshake(&mut self, value: &Value, from_client: bool) -> Option<Decoded> {
        if from_client {
            let (protocol, version) = (value.text_of("protocol")?, value.get("version")?);
            let again = std::mem::replace(&mut self.asked, true);
            self.is_packed = ["messagepack", "blazorpack"].contains(&protocol);
            let summary = format!("handshake {} {}", brief(protocol), version.short());
            let decoded = Decoded::new(NAME, "handshake", summary);
            return Some(
                decoded
                    .field("protocol", protocol)
                    .field("version", version)
                    .asks("handshake", "")
                    .breaks_if(again, "HubProtocol, Handshake", "a second handshake request"),
            );
        }
        if self.agreed || !value.is_map() {
            return None;
        }
        let error = value.text_of("error");
        self.agreed = error.is_none();
        let summary = match error {
            Some(error) => format!("handshake refused: {}", brief(error)),
            None => "handshake accepted".to_owned(),
        };
        let decoded = Decoded::new(NAME, "handshake", summary).refuses_if(error.is_some());
        Some(decoded.field_if("error", error).answers("handshake"))
    }
}

fn record(value: Value) -> Outgoing {
    Outgoing::text(format!("{}{END}", value.json()))
}

impl SignalR {
    fn pack(&self, value: Value) -> Outgoing {
        if self.is_packed && self.agreed { packed(&value) } else { record(value) }
    }
}

impl Lens for SignalR {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let is_known = if message.from_client() { self.asked } else { self.agreed };
        let is_packed = self.is_packed && is_known && !message.text;
        let look = |value: &Value| self.look(value, message.from_client());
        if is_packed {
            return decoded::packets(split(message.content)?.iter().map(look));
        }
        // The handshake is always JSON; before MessagePack it may be binary.
        let text = match is_known {
            true => message.as_text()?,
            false => std::str::from_utf8(message.content).ok()?,
        };
        let records = text.strip_suffix(END);
        let values = records.unwrap_or(text).split(END).map(json::read);
        let values = values.collect::<Option<Vec<_>>>()?;
        let mut all = decoded::packets(values.iter().map(look))?;
        if records.is_none()
            && let Some(last) = all.pop()
        {
            all.push(last.breaks("HubProtocol, JSON Encoding", "no 0x1E ends the record"));
        }
        Some(all)
    }

    /// The message may have begun or ended anything.
    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.agreed |= self.asked != beginning.from_client();
        self.running.iter_mut().chain(&mut self.streams).for_each(Kept::doubt);
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.asked, self.agreed) {
            (_, true) => None,
            (false, _) => Some(AwaitedMessage::of_client(
                "the handshake request {\"protocol\":\"json\",\"version\":1}0x1E",
                "the server closes the connection after 15 s by default",
            )),
            (true, _) => Some(AwaitedMessage::of_server(
                "the handshake response {}0x1E",
                "nothing may come before it",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        vec![("handshake", if self.agreed { "accepted" } else { "not yet" }.to_owned())]
    }

    /// The server closes the connection after 30 s without a record; clients ping every 15 s.
    fn beat(&self) -> Option<Beat> {
        let ping = || self.pack(Value::from_iter([("type", 6u8.into())]));
        self.agreed.then(|| Beat::every(Duration::from_secs(15), ping()))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let mut call = |kind: u8, answered: bool| {
            let id = answered.then(|| ("invocationId", self.ids.next().to_string().into()));
            let target = ("target", arguments.get(0).into());
            let args = ("arguments", Value::List(arguments.values(1)));
            let entries = [("type", kind.into())].into_iter().chain(id);
            entries.chain([target, args]).collect::<Value>()
        };
        let kind = |kind: u8| ("type", Value::from(kind));
        let id = || ("invocationId", Value::from(arguments.get(0)));
        let record = match command {
            "handshake" => {
                let protocol = arguments.given(0).unwrap_or("json");
                let entries = [("protocol", protocol.into()), ("version", 1u8.into())];
                return Ok(vec![record(Value::from_iter(entries))]);
            }
            "invoke" => call(1, true),
            "send" => call(1, false),
            "stream" => call(4, true),
            "complete" => {
                let result = arguments.json(1).map(|result| ("result", result));
                [kind(3), id()].into_iter().chain(result).collect()
            }
            "ping" => Value::from_iter([kind(6)]),
            "close" => Value::from_iter([kind(7)]),
            _ => Value::from_iter([kind(5), id()]),
        };
        Ok(vec![self.pack(record)])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_of_the_hub_protocol() {
        let mut script = Script::auto("", "/chathub?id=a-token");
        script.client("{\"protocol\":\"json\",\"version\":1}\x1e");
        assert_eq!(script.last(), "handshake json 1");
        script.server("{}\x1e");
        assert_eq!(script.last(), "handshake accepted (35 ms)");
        script.client("{\"type\":1,\"invocationId\":\"123\",\"target\":\"Send\",\"arguments\":[42,\"x\"]}\x1e");
        assert_eq!(script.last(), "Send(42,\"x\") #123");
        let lines = script.server(
            "{\"type\":6}\x1e{\"type\":3,\"invocationId\":\"123\",\"error\":\"It didn't work!\"}\x1e",
        );
        assert_eq!(lines, ["Ping", "Completion #123 error It didn't work! (Send, 35 ms)"]);
        script.server("{\"type\":7,\"error\":\"bye\",\"allowReconnect\":true}\x1e");
        assert_eq!(script.last(), "Close error bye allowReconnect");
        let sent = script.conversation.speak("signalr", "stream Counter 10").expect("a command");
        let expected =
            "{\"type\":4,\"invocationId\":\"124\",\"target\":\"Counter\",\"arguments\":[10]}\x1e";
        assert_eq!(sent[0].content, expected.as_bytes());
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("signalr", "", "/");
        script.server("{\"type\":3,\"invocationId\":\"1\",\"result\":1,\"error\":\"x\"}\x1e");
        assert_eq!(complaints(script.decoded()).len(), 1);
        script.client("{\"type\":1,\"target\":\"Send\",\"arguments\":[]}");
        assert_eq!(complaints(script.decoded()).len(), 2, "no handshake, no end");
        let mut script = Script::auto("", "/chathub?id=a-token");
        let handshake = "{\"protocol\":\"json\",\"version\":1}\x1e";
        script.client(handshake);
        script.server("{\"type\":1,\"target\":\"x\",\"arguments\":[]}\x1e");
        assert_eq!(complaints(script.decoded()), ["a record before the handshake response"]);
        script.server("{}\x1e");
        script.client(handshake);
        assert_eq!(complaints(script.decoded()), ["a second handshake request"]);
        let call = "{\"type\":1,\"invocationId\":\"1\",\"target\":\"x\",\"arguments\":[]}\x1e";
        let done = "{\"type\":3,\"invocationId\":\"1\",\"result\":1}\x1e";
        script.client(call);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client(call);
        assert!(complaints(script.decoded())[0].contains("another running invocation"));
        script.server(done);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(done);
        assert_eq!(complaints(script.decoded()), ["no running invocation has this invocationId"]);
        script.client("{\"type\":7}\x1e");
        script.client("{\"type\":6}\x1e");
        assert_eq!(complaints(script.decoded()), ["a record after the Close of the same side"]);
    }

    fn agreed() -> Script {
        let mut script = Script::auto("", "/chathub?id=a-token");
        script.client("{\"protocol\":\"json\",\"version\":1}\x1e");
        script.server("{}\x1e");
        script
    }

    #[test]
    fn a_record_of_a_later_version_is_named() {
        let mut script = Script::auto("", "/chat");
        script.client("{\"protocol\":\"json\",\"version\":2}\x1e");
        script.server("{}\x1e");
        assert_eq!(script.server("{\"type\":99}\x1e"), ["record of type 99"]);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        assert_eq!(script.server("{\"type\":6}\x1e"), ["Ping"]);
    }

    #[test]
    fn records_may_be_messagepack() {
        let mut script = Script::auto("", "/chathub?id=1");
        script.client_bytes(b"{\"protocol\":\"messagepack\",\"version\":1}\x1e");
        assert_eq!(script.last(), "handshake messagepack 1");
        script.server_bytes(b"{}\x1e");
        assert_eq!(script.last(), "handshake accepted (35 ms)");
        // The examples of the specification, MessagePack (MsgPack) encoding.
        let invocation = b"\x96\x01\x80\xa3xyz\xa6method\x91\x2a\x90";
        script.client_bytes(&[&[invocation.len() as u8], &invocation[..]].concat());
        assert_eq!(script.last(), "method(42) #xyz");
        let completion = b"\x95\x03\x80\xa3xyz\x01\xa5Error";
        script
            .server_bytes(&[&[completion.len() as u8], &completion[..], b"\x02\x91\x06"].concat());
        let lines: Vec<_> = script.packets().iter().map(|packet| packet.line()).collect();
        assert_eq!(lines, ["Completion #xyz error Error (method, 35 ms)", "Ping"]);
        script.server_bytes(b"\x04\x93\x07\xc0\xc3");
        assert_eq!(script.last(), "Close allowReconnect");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let beat = script.conversation.beat().expect("every 15 s").message;
        assert_eq!(beat.content, b"\x02\x91\x06");
        for line in ["invoke add 2 3", "stream count", "cancel 1", "complete 1 5", "complete 2"] {
            let spoken = script.conversation.speak("signalr", line).expect("a record").remove(0);
            let lines = script.send(&spoken);
            assert!(!spoken.text && lines.len() == 1, "{line}: {lines:?}");
        }
    }

    #[test]
    fn a_client_may_send_streams() {
        let mut script = agreed();
        for record in [
            "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Up\",\"arguments\":[],\"streamIds\":[\"2\",\"3\"]}\x1e",
            "{\"type\":2,\"invocationId\":\"2\",\"item\":1}\x1e",
            "{\"type\":2,\"invocationId\":\"3\",\"item\":1}\x1e",
            "{\"type\":3,\"invocationId\":\"3\"}\x1e",
            "{\"type\":3,\"invocationId\":\"2\"}\x1e",
        ] {
            script.client(record);
            assert_eq!(complaints(script.decoded()), [""; 0], "{record}");
        }
        script.client("{\"type\":2,\"invocationId\":\"2\",\"item\":1}\x1e");
        assert_eq!(complaints(script.decoded()), ["no running invocation has this invocationId"]);
    }

    #[test]
    fn what_was_forgotten_or_passed_over_is_not_missed() {
        let mut script = agreed();
        for id in 0..1100 {
            script.client(&format!(
                "{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"x\",\"arguments\":[]}}\x1e"
            ));
        }
        script.server("{\"type\":3,\"invocationId\":\"0\",\"result\":1}\x1e");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let mut script = agreed();
        script.client_large(b"{\"type\":1,", 2 << 20);
        script.server("{\"type\":3,\"invocationId\":\"0\",\"result\":1}\x1e");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn a_connection_that_is_resumed_has_no_handshake() {
        let mut script = Script::of("signalr", "", "/chathub?id=a-token");
        script.client("{\"type\":9,\"sequenceId\":3}\x1e");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("{\"type\":6}\x1e");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
