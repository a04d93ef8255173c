//! STOMP 1.0 to 1.2: <https://stomp.github.io/stomp-specification-1.2.html>.

use std::fmt::Write;
use std::time::Duration;

use crate::lens::body::{body, content};
use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::text::{brief, millis, path_ends};
use crate::lens::{
    Arguments, Beat, Command, Decoded, Expectation, Facts, Lens, Message, Outgoing, Protocol,
    SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "stomp",
    word: "stomp",
    title: "STOMP 1.0–1.2",
    subprotocols: &["v12.stomp", "v11.stomp", "v10.stomp", "stomp"],
    url: |url| path_ends(url, "/stomp") || path_ends(url, "/stomp/websocket"),
    beginning: |message| {
        let commands: &[&[u8]] = match message.from_client() {
            true => &[b"CONNECT\n", b"CONNECT\r\n", b"STOMP\n", b"STOMP\r\n"],
            false => &[b"CONNECTED\n", b"CONNECTED\r\n"],
        };
        commands.iter().any(|command| message.content.starts_with(command))
    },
    lens: |facts| Box::new(Stomp::new(facts)),
    commands: &[
        Command {
            name: "connect",
            arguments: "[LOGIN] [PASSCODE] [HOST]",
            help: "Opens the session, with heartbeats every 10 s; in RabbitMQ HOST is mostly /.",
            example: "guest guest /",
        },
        Command {
            name: "subscribe",
            arguments: "DESTINATION",
            help: "Subscribes to a destination under a new id.",
            example: "/topic/a",
        },
        Command {
            name: "unsubscribe",
            arguments: "ID",
            help: "Ends the subscription of an id.",
            example: "0",
        },
        Command {
            name: "send",
            arguments: "DESTINATION [BODY…]",
            help: "Sends a message to a destination.",
            example: "/topic/a a body",
        },
        Command {
            name: "ack",
            arguments: "ID",
            help: "Acknowledges a message by the value of its ack header.",
            example: "T_1",
        },
        Command {
            name: "disconnect",
            arguments: "",
            help: "Ends the session and asks for a receipt.",
            example: "",
        },
    ],
};

const NAME: &str = "stomp";

/// The headers that a frame must have, "Standard Headers" and the sections of the commands, and
/// whether it may have a body.
const COMMANDS: [(&str, &[&str], bool); 16] = [
    ("CONNECT", &["accept-version", "host"], false),
    ("STOMP", &["accept-version", "host"], false),
    ("CONNECTED", &["version"], false),
    ("SEND", &["destination"], true),
    ("SUBSCRIBE", &["destination", "id"], false),
    ("UNSUBSCRIBE", &["id"], false),
    ("ACK", &["id"], false),
    ("NACK", &["id"], false),
    ("BEGIN", &["transaction"], false),
    ("COMMIT", &["transaction"], false),
    ("ABORT", &["transaction"], false),
    ("DISCONNECT", &[], false),
    ("MESSAGE", &["destination", "message-id", "subscription"], true),
    ("RECEIPT", &["receipt-id"], false),
    ("ERROR", &[], true),
    ("NACKED", &[], false),
];

/// Headers of a frame.
const HEADERS: usize = 200;

/// A frame taken apart.
struct Frame<'a> {
    command: &'a str,
    headers: Vec<(String, String)>,
    body: &'a [u8],
    faults: Vec<(&'static str, String)>,
}

struct Stomp {
    host: String,
    /// Commands of 1.0 need fewer headers.
    version: Option<String>,
    /// What the client offers: the milliseconds between what it sends, and what it wants.
    offered: [u64; 2],
    /// What was agreed, the same way.
    agreed: [u64; 2],
    asked: bool,
    connected: bool,
    session: Option<String>,
    subscriptions: Kept<String, String>,
    ids: Fresh,
}

impl Stomp {
    fn new(facts: &Facts) -> Self {
        Self {
            host: facts.host.clone(),
            version: match facts.subprotocol.as_deref() {
                Some("v10.stomp") => Some("1.0".to_owned()),
                Some("v11.stomp") => Some("1.1".to_owned()),
                _ => None,
            },
            offered: [0; 2],
            agreed: [0; 2],
            asked: false,
            connected: false,
            session: None,
            subscriptions: Kept::default(),
            ids: Fresh::default(),
        }
    }

    fn look(&mut self, frame: Frame<'_>, from_client: bool) -> Decoded {
        let Frame { command, ref headers, body: content_bytes, ref faults } = frame;
        let header = |name: &str| frame.header(name);
        let mut summary = command.to_owned();
        if let Some(destination) = header("destination") {
            let _ = write!(summary, " {destination}");
        }
        for name in ["id", "subscription", "ack", "version", "receipt-id", "message", "transaction"]
        {
            if let Some(value) = header(name) {
                let _ = match name {
                    "message" => write!(summary, " {value}"),
                    _ => write!(summary, " {name}={value}"),
                };
            }
        }
        if let Some(id) = header("message-id") {
            let _ = write!(summary, " #{id}");
        }
        match std::str::from_utf8(content_bytes) {
            _ if content_bytes.is_empty() => {}
            // It says what the header "message" only names.
            Ok(reason) if command == "ERROR" => {
                let _ = write!(summary, ": {}", brief(reason.trim()));
            }
            _ => {
                let _ = write!(summary, " {}", body(content_bytes));
            }
        }
        let map: Value = headers.iter().map(|(k, v)| (k.as_str(), v.as_str().into())).collect();
        let mut decoded = Decoded::new(NAME, command, summary)
            .field("command", command)
            .field("headers", map)
            .field_if("body", (!content_bytes.is_empty()).then(|| content(content_bytes)));
        for (rule, fault) in faults {
            decoded = decoded.breaks(rule, fault);
        }
        if let Some((_, needed, may_have_body)) = COMMANDS.iter().find(|row| row.0 == command) {
            let needed = match (self.version.as_deref(), command) {
                (Some("1.0"), _) => &[],
                // STOMP 1.1, ACK: "It MUST contain a message-id header … and a subscription header".
                (Some("1.1"), "ACK" | "NACK") => &["message-id", "subscription"][..],
                _ => needed,
            };
            for name in needed.iter().filter(|name| header(name).is_none()) {
                decoded = decoded
                    .breaks("STOMP 1.2, Standard Headers", format!("{command} has no {name}"));
            }
            decoded = decoded.breaks_if(
                !may_have_body && !content_bytes.is_empty(),
                "STOMP 1.2, Body",
                "only SEND, MESSAGE and ERROR may have a body",
            );
        }
        if let Some(receipt) = header("receipt") {
            decoded = decoded.asks(format!("receipt {receipt}"), command);
        }
        self.note(command, &frame, from_client, decoded)
    }

    /// What a frame changes, and its part in a pair.
    fn note(
        &mut self,
        command: &str,
        frame: &Frame<'_>,
        from_client: bool,
        decoded: Decoded,
    ) -> Decoded {
        let text = |name: &str| frame.header(name).map(remembered);
        let id = || text("id").unwrap_or_default();
        let early = from_client && !self.asked && !["CONNECT", "STOMP"].contains(&command);
        let decoded = decoded.breaks_if(
            early,
            "STOMP 1.2, Connecting",
            "the first frame of a client is CONNECT or STOMP",
        );
        match command {
            "CONNECT" | "STOMP" => {
                self.asked = true;
                if text("accept-version").is_none() {
                    self.version = Some("1.0".to_owned());
                }
                self.offered = heart_beat(frame);
                decoded.asks("connect", "")
            }
            "CONNECTED" => {
                self.connected = true;
                self.version = Some(text("version").unwrap_or_else(|| "1.0".to_owned()));
                self.session = text("session").or_else(|| text("server"));
                let [sends, wants] = heart_beat(frame);
                // "if <cx> is 0 … or <sy> is 0 … then there will be none; otherwise, there will be
                // heart-beats every MAX(<cx>,<sy>) milliseconds" (Heart-beating).
                let every = |a: u64, b: u64| if a == 0 || b == 0 { 0 } else { a.max(b) };
                self.agreed = [every(self.offered[0], wants), every(sends, self.offered[1])];
                decoded.answers("connect")
            }
            "SUBSCRIBE" => {
                self.ids.seen(id().parse().unwrap_or(0u64));
                self.subscriptions.insert(id(), text("destination").unwrap_or_default());
                decoded
            }
            "UNSUBSCRIBE" => {
                self.subscriptions.remove(&id());
                decoded
            }
            "MESSAGE" => match text("ack") {
                Some(ack) => decoded.asks(format!("ack {ack}"), "MESSAGE"),
                None => decoded,
            },
            "ACK" | "NACK" if decoded.pairing.is_none() => decoded.answers(format!("ack {}", id())),
            "RECEIPT" | "ERROR" => match text("receipt-id") {
                Some(receipt) => decoded.answers(format!("receipt {receipt}")),
                None if !self.connected => decoded.answers("connect"),
                None => decoded,
            },
            _ => decoded,
        }
    }
}

impl Lens for Stomp {
    fn read(&mut self, message: &Message<'_>) -> Option<Vec<Decoded>> {
        let eols = |bytes: &[u8]| bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let mut rest = message.content;
        if !rest.is_empty() && eols(rest) == rest.len() {
            return Some(vec![Decoded::heartbeat(NAME, "heartbeat")]);
        }
        let mut frames = Vec::new();
        loop {
            rest = &rest[eols(rest)..];
            if rest.is_empty() {
                break;
            }
            let (frame, after) = parse(rest, self.version.as_deref())?;
            frames.push(frame);
            rest = after;
        }
        let look = |frame| Some(self.look(frame, message.from_client()));
        (!frames.is_empty()).then(|| decoded::packets(frames.into_iter().map(look)))?
    }

    fn expects(&self) -> Option<Expectation> {
        match (self.asked, self.connected) {
            (_, true) => None,
            (false, _) => Some(Expectation::of_client(
                "CONNECT",
                "servers send nothing before it, and many close the connection after some seconds",
            )),
            (true, _) => Some(Expectation::of_server(
                "CONNECTED",
                "it sends ERROR and closes the connection if it refuses",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let mut state = Vec::new();
        state.extend(self.version.clone().map(|version| ("version", version)));
        state.extend(self.session.clone().map(|session| ("session", session)));
        if self.connected {
            let every = |millis: u64| match millis {
                0 => "never".to_owned(),
                ms => format!("every {}", self::millis(ms)),
            };
            let [client, server] = self.agreed.map(every);
            state.push(("heartbeats agreed", format!("client {client}, server {server}")));
        }
        let mut list = Vec::new();
        list.extend(self.subscriptions.iter().take(20).map(|(id, to)| format!("{id} {to}")));
        if !list.is_empty() {
            state.push(("subscriptions", list.join(", ")));
        }
        state
    }

    fn beat(&self) -> Option<Beat> {
        let every = Duration::from_millis(self.agreed[0]);
        (!every.is_zero()).then(|| Beat { every, message: Outgoing::text("\n") })
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let first = arguments.get(0).to_owned();
        let message = match command {
            "connect" => {
                let own = self.host.split(':').next().unwrap_or_default();
                let host = arguments.given(2).unwrap_or(own);
                let mut headers = vec![
                    ("accept-version", "1.2,1.1,1.0".to_owned()),
                    ("host", host.to_owned()),
                    ("heart-beat", "10000,10000".to_owned()),
                ];
                headers.extend(arguments.given(0).map(|login| ("login", login.to_owned())));
                headers.extend(arguments.given(1).map(|code| ("passcode", code.to_owned())));
                frame("CONNECT", &headers, "")
            }
            "subscribe" => {
                let id = self.ids.next().to_string();
                frame(
                    "SUBSCRIBE",
                    &[("id", id), ("destination", first), ("ack", "auto".into())],
                    "",
                )
            }
            "unsubscribe" => frame("UNSUBSCRIBE", &[("id", first)], ""),
            "ack" => frame("ACK", &[("id", first)], ""),
            "send" => {
                let body = arguments.get(1);
                let length = body.len().to_string();
                frame("SEND", &[("destination", first), ("content-length", length)], body)
            }
            _ => frame("DISCONNECT", &[("receipt", format!("bye-{}", self.ids.next()))], ""),
        };
        Ok(vec![message])
    }
}

impl Frame<'_> {
    /// "If a client or a server receives repeated frame header entries, only the first header entry
    /// SHOULD be used" (Repeated Header Entries).
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Takes the first frame off.
fn parse<'a>(bytes: &'a [u8], version: Option<&str>) -> Option<(Frame<'a>, &'a [u8])> {
    let (command, mut rest) = line(bytes)?;
    let command = std::str::from_utf8(command).ok()?;
    if !COMMANDS.iter().any(|row| row.0 == command) {
        return None;
    }
    let escapes = !command.starts_with("CONNECT") && version != Some("1.0");
    let (mut headers, mut faults) = (Vec::new(), Vec::new());
    loop {
        let (header, after) = line(rest)?;
        rest = after;
        if header.is_empty() {
            break;
        }
        let header = std::str::from_utf8(header).ok()?;
        let Some((name, value)) = header.split_once(':') else {
            faults.push(("STOMP 1.2, Augmented BNF", "a header has no colon".to_owned()));
            continue;
        };
        let mut text = |text: &str| match escapes {
            true => unescaped(text, &mut faults),
            false => text.to_owned(),
        };
        if headers.len() < HEADERS {
            headers.push((text(name), text(value)));
        }
    }
    let mut frame = Frame { command, headers, body: &[], faults };
    let length = frame.header("content-length").map(|length| length.trim().parse::<usize>());
    let end = match length {
        Some(Ok(length)) if rest.get(length) == Some(&0) => length,
        Some(_) => {
            let fault = "content-length does not lead to the NUL that ends the frame";
            frame.faults.push(("STOMP 1.2, Header content-length", fault.to_owned()));
            memchr::memchr(0, rest).unwrap_or(rest.len())
        }
        None => memchr::memchr(0, rest).unwrap_or(rest.len()),
    };
    if end == rest.len() {
        frame.faults.push(("STOMP 1.2, STOMP Frames", "no NUL ends the frame".to_owned()));
    }
    frame.body = &rest[..end];
    Some((frame, rest.get(end + 1..).unwrap_or_default()))
}

/// Takes a line off, with or without a carriage return.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    Some((line, &bytes[end + 1..]))
}

fn unescaped(text: &str, faults: &mut Vec<(&'static str, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some('c') => out.push(':'),
                Some('\\') => out.push('\\'),
                other => {
                    out.push('\\');
                    out.extend(other);
                    // "Undefined escape sequences such as \t MUST be treated as a fatal protocol
                    // error" (Value Encoding).
                    if faults.len() < 8 {
                        let what = other.map(String::from).unwrap_or_default();
                        let fault = format!("undefined escape sequence \\{what}");
                        faults.push(("STOMP 1.2, Value Encoding", fault));
                    }
                }
            },
            c => out.push(c),
        }
    }
    out
}

fn heart_beat(frame: &Frame<'_>) -> [u64; 2] {
    let pair = frame.header("heart-beat").and_then(|value| value.split_once(','));
    let number = |text: &str| text.trim().parse().unwrap_or(0);
    pair.map_or([0; 2], |(sends, wants)| [number(sends), number(wants)])
}

fn frame(command: &str, headers: &[(&str, String)], body: &str) -> Outgoing {
    let mut text = format!("{command}\n");
    for (name, value) in headers {
        let value = match command {
            "CONNECT" => value.clone(),
            _ => value
                .replace('\\', "\\\\")
                .replace('\r', "\\r")
                .replace('\n', "\\n")
                .replace(':', "\\c"),
        };
        let _ = writeln!(text, "{name}:{value}");
    }
    Outgoing::text(format!("{text}\n{body}\0"))
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};

    fn script() -> Script {
        Script::auto("v12.stomp", "/ws")
    }

    #[test]
    fn a_session_with_rabbitmq() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:10000,5000\nlogin:guest\npasscode:guest\n\n\0");
        assert_eq!(script.last(), "CONNECT");
        script.server("CONNECTED\nserver:RabbitMQ/3.10.8\nsession:session-abc\nheart-beat:5000,20000\nversion:1.2\n\n\0");
        assert_eq!(script.last(), "CONNECTED version=1.2 (35 ms)");
        script.client("SUBSCRIBE\nid:0\ndestination:/topic/a\nack:auto\n\n\0");
        assert_eq!(script.last(), "SUBSCRIBE /topic/a id=0 ack=auto");
        script.server("MESSAGE\nsubscription:0\ndestination:/topic/a\nmessage-id:T_0@@1\ncontent-length:8\n\n{\"a\":1}\n\0");
        assert_eq!(script.last(), "MESSAGE /topic/a subscription=0 #T_0@@1 json 8 B");
        script.server("\n");
        assert!(script.decoded().heartbeat);
        script.client("DISCONNECT\nreceipt:77\n\n\0");
        script.server("RECEIPT\nreceipt-id:77\n\n\0");
        assert_eq!(script.last(), "RECEIPT receipt-id=77 (DISCONNECT, 35 ms)");
        assert_eq!(script.decoded().beats_before, 0);
        let state = script.state();
        assert!(state.contains("client every 20 s, server every 5 s"), "{state}");
        assert!(state.contains("subscriptions: 0 /topic/a"), "{state}");
    }

    #[test]
    fn older_versions_have_other_headers() {
        let mut script = Script::auto("v11.stomp", "/ws");
        script.client("CONNECT\naccept-version:1.1\nhost:/\n\n\0");
        script.server("CONNECTED\nversion:1.1\n\n\0");
        script.client("ACK\nsubscription:0\nmessage-id:7\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("ACK\nid:7\n\n\0");
        assert_eq!(complaints(script.decoded()).len(), 2, "it has neither");
        let mut script = Script::of("stomp", "v10.stomp", "/ws");
        script.client("CONNECT\nlogin:me\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn an_error_says_why() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:a.example\n\n\0");
        script.server("ERROR\nmessage:Bad CONNECT\ncontent-length:35\n\nVirtual host 'a.example' access den\0");
        assert_eq!(script.last(), "ERROR Bad CONNECT: Virtual host 'a.example' access den (35 ms)");
    }

    #[test]
    fn breaches_are_named() {
        let cases = [
            ("SEND\ndestination:/a\n\nno end", "no NUL ends the frame"),
            ("SEND\n\nx\0", "SEND has no destination"),
            ("SEND\ndestination:/a\\t\n\nx\0", "undefined escape sequence \\t"),
            (
                "SUBSCRIBE\nid:1\ndestination:/a\n\nbody\0",
                "only SEND, MESSAGE and ERROR may have a body",
            ),
            (
                "SEND\ndestination:/a\ncontent-length:9\n\nx\0",
                "content-length does not lead to the NUL that ends the frame",
            ),
            ("SEND\ndestination\n\nx\0", "a header has no colon"),
        ];
        for (frame, complaint) in cases {
            let mut script = script();
            script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
            script.client(frame);
            assert!(complaints(script.decoded()).contains(&complaint), "{:?}", script.decoded());
        }
        let mut script = Script::of("stomp", "", "/");
        script.client("SEND\ndestination:/a\n\n\0");
        assert_eq!(
            complaints(script.decoded()),
            ["the first frame of a client is CONNECT or STOMP"]
        );
    }

    #[test]
    fn a_body_may_hold_nul_and_a_message_two_frames() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        let lines = script.client(
            "SEND\ndestination:/a\ncontent-length:3\n\na\0b\0\nBEGIN\ntransaction:t\n\n\0\n",
        );
        assert_eq!(lines, ["SEND /a 3 B", "BEGIN transaction=t"]);
    }

    #[test]
    fn another_protocol_ends_it_silently() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        assert!(script.client("{}").is_empty());
        assert!(script.conversation.is_off());
    }
}
