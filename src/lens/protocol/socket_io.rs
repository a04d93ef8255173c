//! Socket.IO 5, and 4, inside Engine.IO: <https://socket.io/docs/v4/socket-io-protocol/>.

use std::fmt::Write;

use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::message::TOO_LARGE;
use crate::lens::payload::{json, msgpack};
use crate::lens::text::{brief, count, query};
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "socket.io",
    word: "sio",
    title: "Socket.IO 4 and 5",
    subprotocols: &[],
    url: |url| url.contains("/socket.io/?"),
    beginning: |message| {
        // Also an event that should not come first.
        message.as_text().is_some_and(|text| {
            let begins =
                ["0{", "0/", "2[\"", "2/"].into_iter().any(|begin| text.starts_with(begin));
            // Engine.IO's first packet begins in the same way.
            let opens = text.contains("\"pingInterval\"");
            text == "0" || begins && !opens && SocketIoPacket::parse(text).is_some()
        })
    },
    begins_like_others: false,
    lens: |facts| Box::new(SocketIo::new(facts)),
    commands: &[
        SpeechCommand {
            name: "connect",
            arguments: "[NAMESPACE] [AUTH…]",
            help: "Joins a namespace, / by default, with JSON to authenticate.",
            example: "/admin {\"token\":\"x\"}",
        },
        SpeechCommand {
            name: "emit",
            arguments: "EVENT [ARGS…]",
            help: "Emits an event with JSON values or words; /admin,chat emits it in a namespace.",
            example: "/admin,chat 1 {\"a\":2} word",
        },
        SpeechCommand {
            name: "call",
            arguments: "EVENT [ARGS…]",
            help: "Emits an event and asks for an acknowledgement.",
            example: "chat 1",
        },
        SpeechCommand {
            name: "binary",
            arguments: "EVENT HEX…",
            help: "Emits an event whose argument is bytes, as pairs of hexadecimal digits.",
            example: "upload 00 ff",
        },
        SpeechCommand {
            name: "ack",
            arguments: "ID [ARGS…]",
            help: "Acknowledges an event by its number; /admin,12 in a namespace.",
            example: "12 \"done\"",
        },
        SpeechCommand {
            name: "disconnect",
            arguments: "[NAMESPACE]",
            help: "Leaves a namespace.",
            example: "/admin",
        },
    ],
};

const NAME: &str = "socket.io";

const KINDS: [&str; 7] =
    ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"];

#[derive(Default)]
struct SocketIo {
    /// Namespaces with their session ids.
    namespaces: Kept<String, String>,
    asked: bool,
    /// Namespaces that the client has requested, and those that the server has accepted; also one
    /// whose missing CONNECT was reported.
    joined: [Kept<String, ()>; 2],
    /// The missing attachments of the server and of the client.
    attachments: [Attachments; 2],
    /// Whether a skipped packet may have announced attachments.
    unclear: [bool; 2],
    ids: Fresh,
}

/// Binary messages that belong to a packet.
#[derive(Clone, Debug, Default)]
struct Attachments {
    event: String,
    all: u64,
    come: u64,
}

/// `<type>[<attachments>-][/namespace,][ack id][JSON]`.
struct SocketIoPacket<'a> {
    kind: usize,
    attachments: Option<u64>,
    namespace: &'a str,
    id: Option<u64>,
    data: Option<Value>,
}

impl<'a> SocketIoPacket<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (packet, rest) = Self::head(text)?;
        let data = if rest.is_empty() { None } else { Some(json::read(rest)?) };
        Some(Self { data, ..packet })
    }

    /// The text before the JSON, and the JSON.
    fn head(text: &'a str) -> Option<(Self, &'a str)> {
        let kind = text.bytes().next()?.checked_sub(b'0').map(usize::from)?;
        KINDS.get(kind)?;
        let (attachments, rest) = match number(&text[1..]) {
            Some((number, rest)) if kind >= 5 && rest.starts_with('-') => {
                (Some(number), &rest[1..])
            }
            _ => (None, &text[1..]),
        };
        let (namespace, rest) = match rest.starts_with('/') {
            true => rest.split_once(',').unwrap_or((rest, "")),
            false => ("/", rest),
        };
        let (id, rest) = match number(rest) {
            Some((id, rest)) => (Some(id), rest),
            None => (None, rest),
        };
        Some((Self { kind, attachments, namespace, id, data: None }, rest))
    }

    fn write(kind: u8, namespace: &str, id: Option<u64>, data: Option<Value>) -> Outgoing {
        let mut text = kind.to_string();
        if namespace != "/" {
            let _ = write!(text, "{namespace},");
        }
        text.extend(id.map(|id| id.to_string()));
        text.extend(data.map(|data| data.json()));
        Outgoing::text(text)
    }
}

/// Takes the digits at the beginning.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Parses pairs of hexadecimal digits, with or without spaces between them.
fn bytes(text: &str) -> Result<Vec<u8>, SpeechError> {
    let digits: Option<Vec<_>> =
        text.chars().filter(|c| *c != ' ').map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let wrong = || SpeechError::Wrong(format!("HEX is not pairs of hexadecimal digits: {text}"));
    let digits = digits.ok_or_else(wrong)?;
    Ok(digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

/// A namespace before a comma, and the rest of the text.
fn in_namespace(text: &str) -> (&str, &str) {
    text.split_once(',').filter(|_| text.starts_with('/')).unwrap_or(("/", text))
}

impl SocketIo {
    fn new(facts: &LensFacts) -> Self {
        let mut new = Self::default();
        if query(&facts.url, "sid").is_some() {
            // The session began over HTTP, so its joins were not seen.
            new.begun_elsewhere();
        }
        // In version 3 of Engine.IO, all clients are in the main namespace from the beginning.
        if query(&facts.url, "EIO") == Some("3") {
            new.joined.iter_mut().for_each(|joined| drop(joined.insert("/".to_owned(), ())));
        }
        new
    }

    /// Notes that namespaces may have been joined in messages that were not read.
    fn begun_elsewhere(&mut self) {
        self.asked = true;
        self.joined.iter_mut().for_each(Kept::doubt);
    }

    /// Adds a complaint about a packet of a namespace that was not joined, or from the wrong side.
    fn in_order(
        &mut self,
        kind: usize,
        namespace: &str,
        from_client: bool,
        decoded: Decoded,
    ) -> Decoded {
        let own = &mut self.joined[usize::from(!from_client)];
        // In version 3, CONNECT may have a query.
        let namespace = remembered(namespace.split('?').next().unwrap_or_default());
        let early = kind != 4 && kind != 0 && own.lacks(&namespace);
        match kind {
            0 => drop(own.insert(namespace, ())),
            // Packets of one side may be on their way when the other side leaves.
            1 => drop(own.remove(&namespace)),
            _ if early => drop(own.insert(namespace, ())),
            _ => {}
        }
        decoded
            .breaks_if(
                early && from_client,
                "Socket.IO, Connection to a namespace",
                "before a CONNECT to its namespace: the server closes the connection",
            )
            .breaks_if(
                early && !from_client,
                "Socket.IO, Connection to a namespace",
                "before the server's CONNECT to its namespace",
            )
            .breaks_if(
                kind == 4 && from_client,
                "Socket.IO, Packet types",
                "only the server sends CONNECT_ERROR",
            )
    }

    /// A binary message of this length; the content may be only its beginning.
    fn attachment(&mut self, message: &LensMessage<'_>, len: u64) -> Decoded {
        let expected = &mut self.attachments[usize::from(message.from_client())];
        let is_whole = len <= message.content.len() as u64;
        let mut size = format!("{len} B");
        if !is_whole {
            let _ = write!(size, ", {TOO_LARGE}");
        }
        let bytes = Decoded::new(NAME, "attachment", format!("attachment {size}"));
        if expected.come == expected.all {
            // The official MessagePack parser sends packets as binary messages.
            let packed = msgpack::read(message.content).filter(|_| is_whole);
            let kind = packed.as_ref().and_then(|packet| packet.get("type")?.as_u64());
            let name = kind.and_then(|kind| KINDS.get(usize::try_from(kind).ok()?));
            if let (Some(name), Some(packet)) = (name, &packed)
                && let Some(namespace) = packet.text_of("nsp")
            {
                let data = packet.get("data").map(|data| data.short()).unwrap_or_default();
                let summary = format!("{name} {} {data}", brief(namespace));
                return Decoded::new(NAME, *name, summary.trim_end())
                    .field_if("data", packet.get("data").cloned());
            }
            return bytes.breaks_if(
                !self.unclear[usize::from(message.from_client())],
                "Socket.IO, Sending and receiving data",
                "no packet announced this attachment",
            );
        }
        expected.come += 1;
        let Attachments { event, all, come } = expected;
        let summary = format!("attachment {come} of {all} to {event}, {size}");
        Decoded::new(NAME, "attachment", summary)
            .field("number", *come)
            .field("of", *all)
            .field_if("bytes", is_whole.then_some(message.content))
    }

    /// A packet; if it is too large for a lens, its JSON and its length.
    fn packet(
        &mut self,
        packet: SocketIoPacket<'_>,
        message: &LensMessage<'_>,
        large: Option<(&str, u64)>,
    ) -> Decoded {
        let SocketIoPacket { kind, attachments, namespace, id, data } = packet;
        let name = KINDS[kind];
        let list = data.as_ref().and_then(Value::as_list).unwrap_or_default();
        let begun = large.and_then(|(json, _)| json::read_first(json.strip_prefix('[')?));
        let first = begun.as_ref().map(|(value, _)| value).or(list.first());
        let event = match kind {
            3 | 6 => format!("{name} #{}", id.unwrap_or_default()),
            _ => first.map(Value::short).unwrap_or_default(),
        };
        let mut summary = name.to_owned();
        if namespace != "/" {
            let _ = write!(summary, " {namespace}");
        }
        let key = format!("{namespace}#{}", id.unwrap_or_default());
        // In version 4, CONNECT may have a query, which the answer does not repeat.
        let joining = format!("connect {}", namespace.split('?').next().unwrap_or_default());
        let with_fields = |summary: String| {
            Decoded::new(NAME, name, summary)
                .field("type", name)
                .field("namespace", namespace)
                .field_if("id", id)
                .field_if("data", data.as_ref())
        };
        let decoded = match kind {
            0 => {
                let sid = data.as_ref().and_then(|data| data.text_of("sid"));
                if let Some(sid) = sid {
                    let _ = write!(summary, " sid={}", brief(sid));
                }
                if message.from_client() {
                    self.asked = true;
                    with_fields(summary).asks(joining, "")
                } else {
                    let sid = remembered(sid.unwrap_or_default());
                    self.namespaces.insert(remembered(namespace), sid);
                    with_fields(summary).answers(joining)
                }
            }
            1 => {
                self.namespaces.remove(&remembered(namespace));
                // A client that leaves a namespace other than the main one stays in the others.
                with_fields(summary).leaves_if(namespace == "/")
            }
            2 | 5 => {
                let _ = write!(summary, " {event}");
                if large.is_none() {
                    let args = count(list.len().saturating_sub(1), "arg");
                    let _ = write!(summary, " ({args})");
                }
                if let Some(id) = id {
                    let _ = write!(summary, " ack#{id}");
                    if message.from_client() {
                        self.ids.seen(id);
                    }
                }
                let named = matches!(first, Some(Value::Text(_) | Value::Integer(_)));
                let wrong = large.is_none() && !named;
                let decoded = with_fields(summary).breaks_if(
                    wrong,
                    "Socket.IO, Packet encoding",
                    "the payload of an event is a list that begins with its name",
                );
                if id.is_some() { decoded.asks(key, &event) } else { decoded }
            }
            3 | 6 => {
                let _ = write!(summary, " #{}", id.unwrap_or_default());
                if let Some(data) = &data {
                    let _ = write!(summary, " {}", data.short());
                }
                // What many handlers answer with.
                let flag =
                    |name| first.and_then(|first| first.get(name)) == Some(&Value::Bool(false));
                let why = ["error", "message", "code"]
                    .map(|name| first.and_then(|one| one.text_of(name)));
                let [error, ..] = why;
                let error = error.is_some_and(|text| !NO_ERROR.contains(&&*text.to_lowercase()));
                let state = first.and_then(|one| one.text_of("status"));
                let fails = matches!(state, Some("error" | "fail" | "failed"));
                let told = why.iter().any(Option::is_some);
                // With other members, it is the record of something that failed earlier.
                let bare = matches!(first, Some(Value::Map(members)) if members
                    .iter()
                    .all(|(name, _)| matches!(name, Value::Text(name) if REPORT.contains(&&**name))));
                let failed =
                    (flag("ok") || flag("success")) && told || bare && (error || fails && told);
                with_fields(summary).answers(key).fails_if(failed).breaks_if(
                    id.is_none(),
                    "Socket.IO, Acknowledgement",
                    "an acknowledgement has the number of its event",
                )
            }
            _ => {
                let why = data
                    .as_ref()
                    .map(|data| data.text_of("message").map_or_else(|| data.plain(), brief));
                let _ = write!(summary, " {}", why.unwrap_or_default());
                with_fields(summary).answers(joining).fails_if(true).refuses_if(namespace == "/")
            }
        };
        let decoded = self.in_order(kind, namespace, message.from_client(), decoded);
        self.unclear[usize::from(message.from_client())] = false;
        let expected = &mut self.attachments[usize::from(message.from_client())];
        let missing = expected.come < expected.all;
        *expected = Attachments { event: brief(&event), all: attachments.unwrap_or(0), come: 0 };
        let mut decoded = decoded.field_if("attachments", attachments).breaks_if(
            missing,
            "Socket.IO, Sending and receiving data",
            "attachments of the previous packet are missing",
        );
        if let Some((_, len)) = large {
            let _ = write!(decoded.summary, " {len} B, {TOO_LARGE}");
        }
        decoded.clip()
    }
}

/// Texts of an error that say that there is none.
const NO_ERROR: [&str; 8] = ["", "0", "none", "no", "no error", "ok", "success", "false"];

/// The members of an answer that only says that something failed.
const REPORT: [&str; 9] =
    ["ok", "success", "status", "error", "message", "code", "reason", "details", "data"];

impl Lens for SocketIo {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let Some(text) = message.as_text() else {
            return Some(vec![self.attachment(message, message.content.len() as u64)]);
        };
        let packet = SocketIoPacket::parse(text)?;
        Some(vec![self.packet(packet, message, None)])
    }

    fn pass_over(&mut self, beginning: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        if !beginning.text && !beginning.content.is_empty() {
            return Some(vec![self.attachment(beginning, len)]);
        }
        if let Some((packet, json)) = SocketIoPacket::head(beginning.beginning()) {
            return Some(vec![self.packet(packet, beginning, Some((json, len)))]);
        }
        let side = usize::from(beginning.from_client());
        self.attachments[side] = Attachments::default();
        self.unclear[side] = true;
        self.begun_elsewhere();
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.namespaces.iter().len(), self.asked) {
            (0, false) => Some(AwaitedMessage::of_client(
                "CONNECT (40)",
                "the server closes the connection after 45 s",
            )),
            // A client may have joined another namespace first.
            (0, true) if self.joined[0].lacks(&String::new()) => Some(AwaitedMessage::of_server(
                "the answer to CONNECT, 40{\"sid\":…}",
                "the server may close the connection if an event comes before it",
            )),
            _ => None,
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let namespaces: Vec<_> =
            self.namespaces.iter().take(20).map(|(name, sid)| format!("{name} {sid}")).collect();
        vec![("namespaces", namespaces.join(", "))]
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let (namespace, name) = in_namespace(arguments.get(0));
        let event = || std::iter::once(name.into()).chain(arguments.values(1)).collect();
        // A namespace begins with a slash; otherwise, the argument begins with the JSON.
        let all = format!("{} {}", arguments.get(0), arguments.get(1));
        let (whole, auth) = match all.trim_start().starts_with('{') {
            true => ("/".to_owned(), json::read(all.trim())),
            false => (format!("/{}", arguments.get(0).trim_start_matches('/')), arguments.json(1)),
        };
        if command == "binary" {
            let bytes = bytes(arguments.get(1))?;
            let place = [("_placeholder", true.into()), ("num", 0u8.into())];
            let data = Value::from_iter([name.into(), Value::from_iter(place)]).json();
            let to = if namespace == "/" { String::new() } else { format!("{namespace},") };
            return Ok(vec![Outgoing::text(format!("51-{to}{data}")), Outgoing::binary(bytes)]);
        }
        Ok(vec![match command {
            "connect" => SocketIoPacket::write(0, &whole, None, auth),
            "disconnect" => SocketIoPacket::write(1, &whole, None, None),
            "emit" => SocketIoPacket::write(2, namespace, None, Some(event())),
            "call" => SocketIoPacket::write(2, namespace, Some(self.ids.next()), Some(event())),
            _ => {
                let wrong = || SpeechError::Wrong(format!("ID is not a number: {name}"));
                let id = name.parse().map_err(|_| wrong())?;
                let values = arguments.values(1).into_iter().collect();
                SocketIoPacket::write(3, namespace, Some(id), Some(values))
            }
        }])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    fn script() -> Script {
        let mut script = Script::auto("", "/socket.io/?EIO=4&transport=websocket");
        script.server(r#"0{"sid":"K0u3"}"#);
        script
    }

    /// socket.io-msgpack-parser packs whole packets.
    #[test]
    fn packets_in_messagepack_are_no_stray_attachments() {
        let mut script = script();
        // {"type":2,"data":["a"],"nsp":"/"}
        let packet = b"\x83\xa4type\x02\xa4data\x91\xa1a\xa3nsp\xa1/";
        let lines = script.client_bytes(packet);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("EVENT / [\"a\"]"), "{lines:?}");
        assert!(!lines[0].contains('!'), "{lines:?}");
    }

    #[test]
    fn a_lens_that_is_named_reads_what_carries_it() {
        let mut script = Script::of("socket.io", "", "/x");
        script.server(r#"0{"sid":"K0u3"}"#);
        let mut speak = |line: &str| {
            let sent = script.conversation.speak("sio", line).expect("a command");
            script.send(&sent[0]);
            assert!(script.last().starts_with("message › CONNECT"), "{}", script.last());
            String::from_utf8(sent[0].content.clone()).expect("text")
        };
        assert_eq!(speak("connect"), "40");
        assert_eq!(speak(r#"connect {"a": 1}"#), r#"40{"a":1}"#);
        assert_eq!(speak(r#"connect adm {"a": 1}"#), r#"40/adm,{"a":1}"#);
    }

    #[test]
    fn an_acknowledgement_may_say_that_the_event_failed() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        for (answer, fails) in [
            (r#"[{"ok":false,"error":"no such room"}]"#, true),
            (r#"[{"success":false,"message":"too late"}]"#, true),
            (r#"[{"status":"error","message":"no such room"}]"#, true),
            (r#"[{"error":"no such room"}]"#, true),
            (r#"[{"error":null,"id":4}]"#, false),
            (r#"[{"error":"OK"}]"#, false),
            (r#"[{"error":"no error","code":"0"}]"#, false),
            (r#"[{"id":4,"state":"failed","error":"exit 3"}]"#, false),
            (r#"[{"status":"failed","message":"build 17 failed","id":17}]"#, false),
            (r#"[{"error":"no such room","code":404}]"#, true),
            (r#"[{"status":"ok","message":"welcome"}]"#, false),
            (r#"[{"status":"failed"}]"#, false),
            (r#"[{"ok":true}]"#, false),
            (r#"[{"ok":false}]"#, false),
            (r#"["error"]"#, false),
            ("[]", false),
        ] {
            script.client(r#"421["join"]"#);
            script.server(&format!("431{answer}"));
            assert_eq!(script.decoded().fails(), fails, "{answer}");
        }
    }

    #[test]
    fn a_namespace_is_joined_first() {
        let mut script = script();
        let blamed = |script: &Script| complaints(&script.decoded().inner[0]).len();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.client(r#"42["a"]"#);
        assert_eq!(blamed(&script), 0);
        script.client(r#"42/admin,["a"]"#);
        assert_eq!(blamed(&script), 1);
        script.client(r#"42/admin,["a"]"#);
        assert_eq!(blamed(&script), 0, "once is enough");
        script.server(r#"42/admin,["a"]"#);
        assert_eq!(blamed(&script), 1);
        script.client("41");
        script.server(r#"42["on its way"]"#);
        assert_eq!(blamed(&script), 0);
        script.client(r#"42["a"]"#);
        assert_eq!(blamed(&script), 1, "it left");
        let mut script = Script::of("socket.io", "", "/x");
        script.client(r#"42/admin,["a"]"#);
        assert_eq!(blamed(&script), 1, "nothing came before");
        let mut script = Script::auto("", "/socket.io/?EIO=3&transport=websocket");
        script.server(r#"0{"sid":"K0u3"}"#);
        script.server("40");
        script.client(r#"42["a"]"#);
        assert_eq!(blamed(&script), 0, "all are in the main namespace");
    }

    #[test]
    fn attachments_belong_to_their_event() {
        let mut script = script();
        script.server(r#"40{"sid":"a"}"#);
        script.server(r#"452-["pic",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
        assert_eq!(script.last(), r#"message › BINARY_EVENT "pic" (2 args)"#);
        script.server_bytes(b"\x01\x02");
        assert_eq!(script.last(), r#"message › attachment 1 of 2 to "pic", 2 B"#);
        script.server(r#"42["next"]"#);
        assert_eq!(
            complaints(&script.decoded().inner[0]),
            ["attachments of the previous packet are missing"]
        );
        script.server_bytes(b"\x01");
        assert_eq!(complaints(&script.decoded().inner[0]), ["no packet announced this attachment"]);
    }

    #[test]
    fn a_stray_packet_is_named_and_the_next_is_read() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.server("49nonsense");
        assert_eq!(
            complaints(&script.decoded().inner[0]),
            ["the message is not one of this protocol"]
        );
        script.server(r#"42["next"]"#);
        assert_eq!(script.last(), r#"message › EVENT "next" (0 args)"#);
    }

    #[test]
    fn fields_can_be_found() {
        let mut script = script();
        script.server(r#"40{"sid":"a"}"#);
        script.server(r#"42["chat",{"text":"hi"}]"#);
        let found = script.decoded().find("data.1.text").and_then(|value| value.as_str());
        assert_eq!(found, Some("hi"));
    }

    #[test]
    fn the_client_is_asked_for_connect() {
        let mut script = script();
        assert!(script.state().contains("the server waits for CONNECT (40)"), "{}", script.state());
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        assert!(!script.state().contains("waits for"), "{}", script.state());
    }

    #[test]
    fn a_namespace_is_named_without_its_query() {
        let mut script = Script::auto("", "/socket.io/?EIO=3&transport=websocket");
        script.server(r#"0{"sid":"K0u3"}"#);
        script.client("40/admin?token=x,");
        script.server("40/admin");
        script.client(r#"42/admin,["a"]"#);
        assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
    }

    #[test]
    fn an_event_may_be_on_its_way_when_the_server_leaves() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.server("41");
        script.client(r#"42["a"]"#);
        assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
    }

    #[test]
    fn an_attachment_that_is_too_large_counts() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.server(r#"451-["pic",{"_placeholder":true,"num":0}]"#);
        script.server_large(b"xx", 2 << 20);
        let expected = r#"message › attachment 1 of 1 to "pic", 2097152 B, too large for a lens"#;
        assert_eq!(script.last(), expected);
        script.server(r#"42["next"]"#);
        assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
        script.server_large(br#"451-["pic","#, 2 << 20);
        let expected = r#"message › BINARY_EVENT "pic" 2097152 B, too large for a lens"#;
        assert_eq!(script.last(), expected);
        script.server_bytes(b"xx");
        assert_eq!(script.last(), r#"message › attachment 1 of 1 to "pic", 2 B"#);
        assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
        script.server_bytes(b"xx");
        assert_eq!(complaints(&script.decoded().inner[0]), ["no packet announced this attachment"]);
    }

    #[test]
    fn an_answer_that_is_too_large_is_paired() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.client(r#"421["x"]"#);
        script.server_large("431[\"ä".as_bytes(), 2 << 20);
        assert_eq!(
            script.last(),
            "message › ACK #1 2097152 B, too large for a lens (\"x\", 35 ms)"
        );
        assert_eq!(script.conversation.unanswered().len(), 0);
    }

    #[test]
    fn attachments_of_an_acknowledgement_are_named_by_its_number() {
        let mut script = script();
        script.client("40");
        script.server(r#"40{"sid":"a"}"#);
        script.server(r#"461-3[{"_placeholder":true,"num":0}]"#);
        script.server_bytes(b"xx");
        assert_eq!(script.last(), "message › attachment 1 of 1 to BINARY_ACK #3, 2 B");
    }

    #[test]
    fn a_session_that_began_over_http_has_joined_namespaces_there() {
        for version in ["3", "4"] {
            let url = format!("/socket.io/?EIO={version}&transport=websocket&sid=x");
            let mut script = Script::auto("", &url);
            let waits = "the server waits for 2probe, then 5";
            assert!(script.state().contains(waits) || script.conversation.protocol().is_none());
            script.client("2probe");
            assert!(!script.state().contains(waits), "{}", script.state());
            script.server("3probe");
            assert!(script.state().contains("the server waits for 5;"), "{}", script.state());
            script.client("5");
            assert!(!script.state().contains("waits for"), "{}", script.state());
            for text in [r#"42["a"]"#, r#"42/admin,["a"]"#] {
                script.client(text);
                assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
                script.server(text);
                assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
            }
        }
    }
}
