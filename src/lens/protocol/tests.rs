//! Shared code of the protocols' tests, and tests of all protocols.

use proptest::prelude::*;

use crate::event::Direction;
use crate::lens::{
    Carried, Conversation, Decoded, LensFacts, LensMessage, Outgoing, PROTOCOLS, Secrets,
    carrier_of, find,
};

/// Microseconds between two messages.
const STEP: i64 = 35_000;

/// A conversation written by hand; 35 ms pass between messages.
pub(super) struct Script {
    pub(super) conversation: Conversation,
    micros: i64,
    last: Vec<Decoded>,
}

impl Script {
    /// With the lens of this name.
    pub(super) fn of(name: &str, subprotocol: &str, url: &str) -> Self {
        let protocol = find(name).expect("a lens of this name");
        Self::in_conversation(Conversation::of(carrier_of(protocol), facts(subprotocol, url)))
    }

    /// With the lens that the evidence selects.
    pub(super) fn auto(subprotocol: &str, url: &str) -> Self {
        Self::in_conversation(Conversation::auto(&PROTOCOLS, facts(subprotocol, url)))
    }

    /// With the lens of this name, from the middle of a conversation.
    pub(super) fn midway(name: &str) -> Self {
        let protocol = find(name).expect("a lens of this name");
        let facts = LensFacts { is_midway: true, ..facts("", "/") };
        Self::in_conversation(Conversation::of(carrier_of(protocol), facts))
    }

    fn in_conversation(conversation: Conversation) -> Self {
        Self { conversation, micros: 0, last: Vec::new() }
    }

    pub(super) fn client(&mut self, text: &str) -> Vec<String> {
        self.message(Direction::ToServer, true, text.as_bytes())
    }

    pub(super) fn server(&mut self, text: &str) -> Vec<String> {
        self.message(Direction::ToClient, true, text.as_bytes())
    }

    pub(super) fn client_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        self.message(Direction::ToServer, false, bytes)
    }

    pub(super) fn server_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        self.message(Direction::ToClient, false, bytes)
    }

    pub(super) fn send(&mut self, message: &Outgoing) -> Vec<String> {
        self.message(Direction::ToServer, message.text, &message.content)
    }

    /// A message of this length, too large for a lens; the content is only its beginning.
    pub(super) fn client_large(&mut self, beginning: &[u8], len: u64) -> Vec<String> {
        self.large(Direction::ToServer, beginning, len)
    }

    pub(super) fn server_large(&mut self, beginning: &[u8], len: u64) -> Vec<String> {
        self.large(Direction::ToClient, beginning, len)
    }

    fn large(&mut self, direction: Direction, content: &[u8], len: u64) -> Vec<String> {
        self.micros += STEP;
        // The beginning of JSON, as in most protocols, is text.
        let text = content.len() > 2;
        let message = LensMessage { direction, text, content, micros: self.micros };
        self.last = self.conversation.pass_over(&message, len);
        self.last.iter().map(Decoded::line).collect()
    }

    fn message(&mut self, direction: Direction, text: bool, content: &[u8]) -> Vec<String> {
        self.micros += STEP;
        let message = LensMessage { direction, text, content, micros: self.micros };
        self.last = self.conversation.read(&message);
        self.last.iter().map(Decoded::line).collect()
    }

    /// The only packet of the last message.
    pub(super) fn decoded(&self) -> &Decoded {
        let [decoded] = &self.last[..] else { panic!("not one packet: {:?}", self.last) };
        decoded
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: i64) {
        self.micros += seconds * 1_000_000;
    }

    /// All packets of the last message.
    pub(super) fn packets(&self) -> &[Decoded] {
        &self.last
    }

    pub(super) fn last(&self) -> String {
        self.decoded().line()
    }

    pub(super) fn state(&mut self) -> String {
        self.conversation.state(self.micros)
    }
}

fn facts(subprotocol: &str, url: &str) -> LensFacts {
    LensFacts {
        subprotocol: (!subprotocol.is_empty()).then(|| subprotocol.to_owned()),
        host: "example.com:80".to_owned(),
        url: url.to_owned(),
        is_midway: false,
        schema: None,
    }
}

/// The complaints about a packet.
pub(super) fn complaints(decoded: &Decoded) -> Vec<&str> {
    decoded.complaints.iter().map(|complaint| complaint.text.as_str()).collect()
}

#[test]
fn names_and_commands_are_unique_and_have_help() {
    for (at, protocol) in PROTOCOLS.iter().enumerate() {
        let others = &PROTOCOLS[..at];
        assert!(others.iter().all(|other| other.name != protocol.name), "{}", protocol.name);
        let lower = |name: &&str| **name == name.to_ascii_lowercase();
        assert!(protocol.subprotocols.iter().all(lower), "{}", protocol.name);
        for (at, command) in protocol.commands.iter().enumerate() {
            assert!(command.help.ends_with('.') && command.help.len() < 90, "{command:?}");
            assert!(protocol.commands[..at].iter().all(|other| other.name != command.name));
        }
    }
}

/// The messages of every command's example are read by the lens that made them. The only complaint
/// is that they come too early.
#[test]
fn what_a_lens_says_it_can_read() {
    for protocol in PROTOCOLS {
        for command in protocol.commands {
            let mut script = Script::of(protocol.name, "", "/");
            let line = format!("{} {}", command.name, command.example);
            let spoken = script.conversation.speak(protocol.word, &line);
            if let ("graphql-ws", "ping") | ("graphql-transport-ws", "terminate") =
                (protocol.name, command.name)
            {
                assert!(spoken.is_err());
                continue;
            }
            let spoken = spoken.unwrap_or_else(|error| panic!("{} {line}: {error}", protocol.name));
            assert!(!spoken.is_empty(), "{line}");
            for message in spoken {
                let lines = script.send(&message);
                assert!(!lines.is_empty(), "{} {line}", protocol.name);
                for decoded in &script.last {
                    let early = |text: &&str| text.contains("first") || text.contains("before");
                    let complaints = complaints(decoded);
                    assert!(complaints.iter().all(early), "{} {line}: {decoded:?}", protocol.name);
                }
            }
        }
    }
}

/// A user who chooses a lens in the middle of a conversation has not seen its beginning.
#[test]
fn what_came_before_is_not_missed() {
    let packets: [(&str, bool, &str); 17] = [
        ("stomp", true, "SEND\ndestination:/a\ntransaction:t\n\nx\0"),
        ("stomp", false, "MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:0\n\n\0"),
        ("engine.io", false, "42[\"a\"]"),
        ("engine.io", true, "42[\"a\"]"),
        ("sockjs", true, "[\"a\"]"),
        ("graphql-transport-ws", true, r#"{"id":"1","type":"subscribe","payload":{"query":"x"}}"#),
        ("graphql-transport-ws", false, r#"{"id":"1","type":"next","payload":{}}"#),
        ("wamp", true, r#"[32,1,{},"com.x.topic"]"#),
        ("signalr", true, "{\"type\":1,\"target\":\"x\",\"arguments\":[]}\x1e"),
        ("signalr", false, "{\"type\":3,\"invocationId\":\"1\"}\x1e"),
        ("phoenix", true, r#"["3","5","room:2","new_msg",{}]"#),
        ("action-cable", true, r#"{"command":"message","identifier":"{}","data":"{}"}"#),
        ("pusher", true, r#"{"event":"client-a","channel":"private-x","data":{}}"#),
        ("ocpp", false, r#"[3,"7",{}]"#),
        ("nats", true, "UNSUB 1\r\n"),
        ("discord", true, r#"{"op":3,"d":{}}"#),
        ("xmpp", true, "<presence/>"),
    ];
    for (name, from_client, text) in packets {
        let mut script = Script::midway(name);
        match from_client {
            true => script.client(text),
            false => script.server(text),
        };
        assert!(!script.last.is_empty(), "{name} {text}");
        for decoded in
            script.last.iter().flat_map(|decoded| [decoded].into_iter().chain(&decoded.inner))
        {
            assert_eq!(complaints(decoded), [""; 0], "{name} {text}");
        }
    }
    let mut script = Script::midway("mqtt");
    script.client_bytes(b"\xc0\0");
    assert_eq!(complaints(script.decoded()), [""; 0]);
    script.server_bytes(b"\x30\x04\0\x01ax");
    assert_eq!(complaints(script.decoded()), [""; 0]);
}

/// If a packet carries a password or a token, the output shows the rest of the packet without it.
#[test]
fn secrets_are_in_nothing_that_is_shown() {
    const GQL: &str = "graphql-transport-ws";
    let login =
        |kind: &str, payload: &str| format!(r#"{{"id":"1","type":"{kind}","payload":{payload}}}"#);
    let in_string = |text: &str| crate::lens::Value::from(text).json();
    let texts = [
        (GQL, "", login("connection_init", r#"{"shown":1,"headers":{"Authorization":"Bearer s3cr3t"}}"#)),
        (GQL, "", login("connection_init", r#"{"shown":1,"connectionParams":{"authToken":"s3cr3t"}}"#)),
        (GQL, "", login("subscribe", r#"{"query":"{shown(password:\"s3cr3t\"){id}}"}"#)),
        (GQL, "", login("subscribe", r#"{"query":"{shown(in:{passwords:[\"s3cr3t\"]}){id}}"}"#)),
        (GQL, "", login("subscribe", r#"{"query":"query($password:String=\"s3cr3t\"){shown}"}"#)),
        (GQL, "", login("subscribe", r#"{"query":"{shown}","variables":{"in":[{"password":"s3cr3t"}]}}"#)),
        (GQL, "", login("next", r#"{"data":{"shown":1,"login":{"accessToken":"s3cr3t"}}}"#)),
        ("stomp", "", "CONNECT\naccept-version:1.2\nhost:shown\npasscode:s3cr3t\n\n\0".into()),
        ("stomp", "", "CONNECT\naccept-version:1.2\nhost:shown\nAuthorization:Bearer s3cr3t\n\n\0".into()),
        ("stomp", "", "SEND\ndestination:shown\n\n{\"password\":\"s3cr3t\"}\0".into()),
        ("stomp", "", "SEND\ndestination:shown\nX-Auth-Token:s3cr3t\n\n\0".into()),
        (
            "sockjs",
            "/a/000/b/websocket",
            format!("[{}]", in_string("CONNECT\naccept-version:1.2\nhost:shown\npasscode:s3cr3t\n\n\0")),
        ),
        ("sockjs", "/a/000/b/websocket", format!("[{}]", in_string(r#"{"shown":1,"token":"s3cr3t"}"#))),
        ("wamp", "", r#"[1,"shown",{"authextra":{"ticket_token":"s3cr3t"}}]"#.into()),
        ("wamp", "", r#"[5,"s3cr3t",{"shown":1}]"#.into()),
        ("wamp", "", r#"[48,1,{},"shown",[{"password":"s3cr3t"}],{"token":"s3cr3t"}]"#.into()),
        (
            "signalr",
            "",
            "{\"type\":1,\"target\":\"shown\",\"arguments\":[{\"accessToken\":\"s3cr3t\"}]}\x1e".into(),
        ),
        (
            "pusher",
            "",
            r#"{"event":"pusher:subscribe","data":{"channel":"private-shown","auth":"key:s3cr3t"}}"#.into(),
        ),
        (
            "pusher",
            "",
            r#"{"event":"pusher:signin","data":{"auth":"key:s3cr3t","user_data":"{\"shown\":1}"}}"#.into(),
        ),
        (
            "pusher",
            "",
            r#"{"event":"shown","channel":"x","data":"{\"shared_secret\":\"s3cr3t\"}"}"#.into(),
        ),
        ("phoenix", "", r#"["1","1","shown","phx_join",{"token":"s3cr3t","params":{"jwt":"s3cr3t"}}]"#.into()),
        ("phoenix", "", r#"["1","2","shown","login",{"user":{"password":"s3cr3t"}}]"#.into()),
        ("socket.io", "", r#"40{"shown":1,"token":"s3cr3t"}"#.into()),
        ("socket.io", "/socket.io/?EIO=3&transport=websocket", "40/shown?token=s3cr3t".into()),
        ("socket.io", "", r#"42["shown",{"auth":{"key":"s3cr3t"}}]"#.into()),
        (
            "action-cable",
            "",
            format!(
                r#"{{"command":"subscribe","identifier":{}}}"#,
                in_string(r#"{"channel":"shown","token":"s3cr3t"}"#)
            ),
        ),
        (
            "action-cable",
            "",
            format!(
                r#"{{"command":"message","identifier":{},"data":{}}}"#,
                in_string(r#"{"channel":"shown"}"#),
                in_string(r#"{"action":"login","password":"s3cr3t"}"#)
            ),
        ),
        ("json-rpc", "", r#"{"jsonrpc":"2.0","id":1,"method":"shown","params":{"pwd":"s3cr3t"}}"#.into()),
        ("json-rpc", "", r#"{"jsonrpc":"2.0","id":1,"result":{"shown":1,"apiKey":"s3cr3t"}}"#.into()),
        ("ocpp", "", r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cr3t"}]"#.into()),
        (
            "ocpp",
            "",
            r#"[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"s3cr3t","component":{"name":"shown"},"variable":{"name":"BasicAuthPassword"}}]}]"#.into(),
        ),
        ("nats", "", "CONNECT {\"shown\":1,\"user\":\"u\",\"pass\":\"s3cr3t\",\"sig\":\"s3cr3t\"}\r\n".into()),
        ("nats", "", "HPUB shown 38 38\r\nNATS/1.0\r\nAuthorization: s3cr3t 12\r\n\r\n\r\n".into()),
        ("discord", "", r#"{"op":2,"d":{"token":"s3cr3t","shown":1}}"#.into()),
        ("xmpp", "", "<auth mechanism='shown' xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>s3cr3t</auth>".into()),
        (
            "sip",
            "",
            "REGISTER sip:shown SIP/2.0\r\nAuthorization: Digest response=\"s3cr3t\"\r\n\r\na=ice-pwd:s3cr3t\r\n".into(),
        ),
        ("json", "", r#"{"shown":[{"client_secret":"s3cr3t"}]}"#.into()),
    ];
    let texts = texts.map(|(name, url, text)| (name, url, true, text.into_bytes()));
    let binary: [(&str, &str, bool, Vec<u8>); 5] = [
        (
            "mqtt",
            "",
            false,
            b"\x10\x1c\0\x04MQTT\x04\xc2\0\x3c\0\x01c\0\x05shown\0\x06s3cr3t".into(),
        ),
        (
            "mqtt",
            "",
            false,
            b"\x10\x22\0\x04MQTT\x05\x02\0\x3c\x10\x26\0\x05token\0\x06s3cr3t\0\x05shown".into(),
        ),
        ("mqtt", "", false, b"\x30\x1c\0\x05shown{\"password\":\"s3cr3t\"}".into()),
        ("msgpack", "", false, b"\x82\xa5token\xa6s3cr3t\xa5shown\x01".into()),
        ("cbor", "", false, b"\xa2\x65token\x66s3cr3t\x65shown\x01".into()),
    ];
    for (name, url, text, content) in texts.into_iter().chain(binary) {
        let as_text = String::from_utf8_lossy(&content).into_owned();
        let mut script = Script::of(name, "", url);
        let direction = if as_text.contains("\"result\"") || as_text.contains("next") {
            Direction::ToClient
        } else {
            Direction::ToServer
        };
        script.message(direction, text, &content);
        assert!(!script.last.is_empty(), "{name}: {as_text}");
        let secrets = Secrets {
            is_secret: &crate::wire::secret::is_secret,
            // Secrets of URLs.
            clean: &|text| text.replace("?token=s3cr3t", "?token=-").into(),
            mask: "[redacted]",
        };
        let mut shown = String::new();
        for mut decoded in std::mem::take(&mut script.last) {
            assert_ne!(decoded.kind, "unknown", "{name}: {as_text}");
            decoded.mask(&secrets);
            shown += &all_of(&decoded);
        }
        shown += &secrets.masked(&script.state());
        assert!(!shown.contains("s3cr3t"), "{name}: {as_text}\n{shown}");
        assert!(shown.contains("shown") || name == "ocpp", "{name}: {as_text}\n{shown}");
    }
}

/// The whole output of a packet and the packets inside it.
fn all_of(decoded: &Decoded) -> String {
    let mut all = decoded.line() + "\n";
    for (name, value) in &decoded.fields {
        all += &format!("{name} {} {}\n", value.json(), value);
    }
    all += &complaints(decoded).join("\n");
    decoded.inner.iter().fold(all, |all, inner| all + &all_of(inner))
}

/// Pieces of all protocols, so that random messages get beyond the first byte.
const PIECES: [&str; 49] = [
    "INVITE sip:b@x SIP/2.0\r\n",
    "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n",
    "<iq type='get' id='1'><query/></iq>",
    "{\"type\":\"update\",\"updates\":[{\"path\":\"/a\"}]}",
    "RFB 003.008\n",
    "CONNECT\n",
    "CONNECTED\n",
    "SEND\n",
    "destination:/a\n",
    "content-length:3\n",
    "\n",
    "\0",
    "0{\"sid\":\"a\"}",
    "2probe",
    "42",
    "451-",
    "[\"",
    "\"]",
    "{\"_placeholder\":true,\"num\":0}",
    "a[",
    "c[3000,\"x\"]",
    "{\"type\":\"subscribe\",\"id\":\"1\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}",
    "[1,\"r\",{}]",
    "[48,1,{},\"p\",[]]",
    "\x1e",
    "{\"type\":1,\"target\":\"t\",\"arguments\":[]}",
    "[null,\"1\",\"room\",\"phx_join\",{}]",
    "{\"event\":\"pusher:ping\"}",
    "{\"type\":\"ping\"}",
    "{\"command\":\"subscribe\",\"identifier\":\"{}\"}",
    "[2,\"1\",\"BootNotification\",{}]",
    "{\"op\":10,\"d\":{\"heartbeat_interval\":1}}",
    "PUB a 1\r\nx\r\n",
    "INFO {}\r\n",
    "\u{10}\u{c}\0\u{4}MQTT\u{4}\u{2}\0<\0\0",
    "0\u{5}\0\u{1}a",
    "\u{1}",
    "\u{0}",
    "\u{2}",
    "o",
    "h",
    "2",
    "3",
    "4",
    "1",
    "[",
    "{",
    "x",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..6);
    prop_oneof![
        pieces.prop_map(|pieces| pieces.concat().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #[test]
    fn any_messages_are_read_within_bounds(
        messages in proptest::collection::vec((any::<bool>(), any::<bool>(), bytes()), 0..8),
        eio in any::<bool>(),
    ) {
        for protocol in PROTOCOLS {
            let url = if eio { "/socket.io/?EIO=3&transport=websocket" } else { "/000/0/websocket" };
            for subprotocol in [None].into_iter().chain(protocol.subprotocols.iter().map(Some)) {
                let facts = LensFacts {
                    subprotocol: subprotocol.map(|name| (*name).to_owned()),
                    url: url.to_owned(),
                    ..LensFacts::default()
                };
                for mut conversation in
                    [Conversation::of(protocol, facts.clone()), Conversation::auto(&PROTOCOLS, facts)]
                {
                    read_all(&mut conversation, &messages);
                }
            }
        }
    }
}

fn read_all(conversation: &mut Conversation, messages: &[(bool, bool, Vec<u8>)]) {
    for (at, (text, from_client, content)) in messages.iter().enumerate() {
        let direction = if *from_client { Direction::ToServer } else { Direction::ToClient };
        let text = *text && std::str::from_utf8(content).is_ok();
        let micros = at as i64 * STEP;
        for mut decoded in conversation.read(&LensMessage { direction, text, content, micros }) {
            decoded.mask(&Secrets {
                is_secret: &|name| name.len() % 2 == 0,
                clean: &|text| text.into(),
                mask: "[redacted]",
            });
            assert!(decoded.summary.chars().count() <= 240, "{decoded:?}");
            assert!(!decoded.line().contains(char::is_control), "{decoded:?}");
            for (_, value) in &decoded.fields {
                serde_json::from_str::<serde_json::Value>(&value.json()).expect("valid JSON");
            }
        }
        conversation.state(micros);
        conversation.beat();
        conversation.expects();
    }
}
