//! Engine.IO 4 and 3, which carry Socket.IO:
//! <https://socket.io/docs/v4/engine-io-protocol/>.

use std::time::Duration;

use super::socket_io;
use crate::lens::kept::remembered;
use crate::lens::payload::json;
use crate::lens::text::{millis, query};
use crate::lens::{
    AwaitedMessage, Beat, Carried, Conversation, Decoded, Lens, LensFacts, LensMessage, Outgoing,
    Protocol, SpeechArguments, SpeechCommand, SpeechError,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "engine.io",
    word: "eio",
    title: "Engine.IO 3 and 4",
    subprotocols: &[],
    url: |url| query(url, "EIO").is_some() && query(url, "transport") != Some("polling"),
    beginning: |message| match message.as_text() {
        Some("2probe") => message.from_client(),
        Some("3probe") => !message.from_client(),
        Some(text) => !message.from_client() && text.starts_with("0{\"sid\""),
        None => false,
    },
    begins_like_others: false,
    lens: |facts| Box::new(EngineIo::new(facts)),
    commands: &[
        SpeechCommand {
            name: "send",
            arguments: "TEXT…",
            help: "Sends a text as a message (4).",
            example: "2[\"chat\",1]",
        },
        SpeechCommand { name: "ping", arguments: "", help: "Sends a ping (2).", example: "" },
        SpeechCommand { name: "pong", arguments: "", help: "Answers a ping (3).", example: "" },
        SpeechCommand { name: "close", arguments: "", help: "Ends the session (1).", example: "" },
        SpeechCommand {
            name: "upgrade",
            arguments: "",
            help: "Sends the packet that completes an upgrade (5), after probe.",
            example: "",
        },
        SpeechCommand {
            name: "probe",
            arguments: "",
            help: "Begins an upgrade (2probe).",
            example: "",
        },
    ],
};

const NAME: &str = "engine.io";

struct EngineIo {
    version: u8,
    /// Whether the URL has the version.
    is_versioned: bool,
    open: Option<EngineOpen>,
    /// Whether the session began earlier, over HTTP.
    upgraded: bool,
    /// Whether the server has sent a packet.
    begun: bool,
    /// Whether the server, and the client, have sent the close packet.
    closed: [bool; 2],
    pinged: Option<i64>,
    /// The client's progress in an upgrade: nothing, the probe, the upgrade packet.
    upgrade: Upgrade,
    inner: Conversation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upgrade {
    None,
    Probed,
    Done,
}

/// The content of the server's first packet.
struct EngineOpen {
    sid: String,
    interval: u64,
    timeout: u64,
}

impl EngineIo {
    fn new(facts: &LensFacts) -> Self {
        Self {
            version: if query(&facts.url, "EIO") == Some("3") { 3 } else { 4 },
            is_versioned: query(&facts.url, "EIO").is_some(),
            open: None,
            upgraded: query(&facts.url, "sid").is_some(),
            begun: false,
            closed: [false; 2],
            pinged: None,
            upgrade: Upgrade::None,
            inner: Conversation::carried(&[&socket_io::PROTOCOL], facts),
        }
    }

    fn opened(&mut self, data: &str) -> Option<Decoded> {
        let value = json::read(data)?;
        let number = |name| value.get(name)?.as_u64();
        let sid = value.text_of("sid")?;
        let open = EngineOpen {
            sid: remembered(sid),
            interval: number("pingInterval").unwrap_or(25_000),
            timeout: number("pingTimeout").unwrap_or(20_000),
        };
        let (interval, timeout) = (millis(open.interval), millis(open.timeout));
        let mut summary = format!("open sid={} ping {interval}/{timeout}", open.sid);
        if let Some(most) = number("maxPayload") {
            summary.push_str(&format!(" max {most} B"));
        }
        self.open = Some(open);
        Some(Decoded::new(NAME, "open", summary).field("type", "open").field("data", value))
    }

    fn ping(&mut self, data: &str, message: &LensMessage<'_>) -> Decoded {
        self.pinged = Some(message.micros);
        let wrong =
            self.is_versioned && data.is_empty() && message.from_client() != (self.version == 3);
        let ping = match data {
            "" => Decoded::heartbeat(NAME, "ping"),
            data => Decoded::new(NAME, "ping", format!("ping {data}")).field("data", data),
        };
        ping.field("type", "ping")
            .asks("ping", "")
            .replied_by(Outgoing::text(format!("3{data}")))
            .breaks_if(
                wrong,
                "Engine.IO, Heartbeat",
                "in version 4 the server pings, in version 3 the client",
            )
    }

    fn pong(&mut self, data: &str, message: &LensMessage<'_>) -> Decoded {
        let pong = match data {
            "" => Decoded::heartbeat(NAME, "pong"),
            "probe" => Decoded::new(NAME, "pong", "probe ok").field("data", data),
            data => Decoded::new(NAME, "pong", format!("pong {data}")).field("data", data),
        };
        let asked = self.pinged.take();
        let late = asked.zip(self.open.as_ref()).is_some_and(|(at, open)| {
            let after = message.micros.saturating_sub(at);
            after.try_into().unwrap_or(0u64) / 1000 > open.timeout
        });
        pong.field("type", "pong").answers("ping").breaks_if(
            late,
            "Engine.IO, Heartbeat",
            "the pong comes later than pingTimeout allows; the other side may close the connection",
        )
    }

    /// Adds a complaint about a packet that may not come now.
    fn in_order(
        &mut self,
        kind: &str,
        opened: bool,
        from_client: bool,
        decoded: Decoded,
    ) -> Decoded {
        // A client may send before the server does.
        if from_client && self.upgrade != Upgrade::Done {
            self.upgrade = if kind == "2" { Upgrade::Probed } else { Upgrade::Done };
        }
        let early = kind != "0" && !from_client && !opened && !self.begun;
        self.begun |= !from_client;
        let closed = &mut self.closed[usize::from(from_client)];
        let after = *closed;
        *closed |= kind == "1";
        decoded
            .breaks_if(
                early,
                "Engine.IO, Handshake",
                "the first packet of a server is the open packet",
            )
            .breaks_if(
                kind == "0" && (opened || from_client),
                "Engine.IO, Handshake",
                "only the first packet of a server is an open packet",
            )
            .breaks_if(after, "Engine.IO, Close", "a packet after the close packet")
    }

    fn carried(&mut self, message: &LensMessage<'_>) -> Decoded {
        let inner = self.inner.read(message);
        let summary = match inner.is_empty() {
            true => format!("message {} B", message.content.len()),
            false => "message".to_owned(),
        };
        Decoded::new(NAME, "message", summary).field("type", "message").carrying(inner)
    }
}

impl Lens for EngineIo {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let opened = self.open.is_some() || self.upgraded;
        let Some(text) = message.as_text() else {
            // In version 3, a type byte precedes the data.
            let content = match self.version {
                3 => message.content.strip_prefix(b"\x04")?,
                _ => message.content,
            };
            let decoded = self.carried(&LensMessage { content, ..*message });
            return Some(vec![self.in_order("4", opened, message.from_client(), decoded)]);
        };
        let (kind, data) = text.split_at_checked(1)?;
        let decoded = match kind {
            "0" => self.opened(data)?,
            "1" => Decoded::new(NAME, "close", "close").field("type", "close").leaves_if(true),
            "2" => self.ping(data, message),
            "3" => self.pong(data, message),
            "4" => self.carried(&LensMessage { content: data.as_bytes(), ..*message }),
            "5" => Decoded::new(NAME, "upgrade", "upgrade").field("type", "upgrade"),
            "6" => Decoded::new(NAME, "noop", "noop").field("type", "noop"),
            _ => return None,
        };
        Some(vec![self.in_order(kind, opened, message.from_client(), decoded)])
    }

    fn pass_over(&mut self, beginning: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        self.begun |= !beginning.from_client();
        self.upgrade = if beginning.from_client() { Upgrade::Done } else { self.upgrade };
        let head = usize::from(beginning.text || self.version == 3);
        let content = beginning.content.get(head..).unwrap_or_default();
        // Before the inner protocol is known, it has no state that could miss a message.
        if self.inner.protocol().is_some() {
            let inner = self.inner.pass_over(&LensMessage { content, ..*beginning }, len);
            let packet = Decoded::new(NAME, "message", "message").field("type", "message");
            return (!content.is_empty()).then(|| vec![packet.carrying(inner)]);
        }
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (&self.open, self.upgraded) {
            (Some(_), _) => None,
            (None, false) => Some(AwaitedMessage::of_server(
                "the open packet 0{\"sid\":…}",
                "the session can't begin without it",
            )),
            (None, true) => {
                let missing = match self.upgrade {
                    Upgrade::None => "2probe, then 5",
                    Upgrade::Probed => "5",
                    Upgrade::Done => return None,
                };
                let otherwise = "the server drops an upgrade that takes more than 10 s";
                Some(AwaitedMessage::of_client(missing, otherwise))
            }
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let mut state = vec![("version", self.version.to_string())];
        if let Some(EngineOpen { sid, interval, timeout }) = &self.open {
            state.push(("session", sid.clone()));
            let ping = format!("every {}, pong within {}", millis(*interval), millis(*timeout));
            state.push(("ping", ping));
        }
        state
    }

    /// In version 3, the client sends pings; in version 4, it only answers them.
    fn beat(&self) -> Option<Beat> {
        let interval = self.open.as_ref().filter(|_| self.version == 3)?.interval;
        Some(Beat::every(Duration::from_millis(interval), Outgoing::text("2")))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        Ok(vec![Outgoing::text(match command {
            "send" => format!("4{}", arguments.get(0)),
            "ping" => "2".to_owned(),
            "pong" => "3".to_owned(),
            "close" => "1".to_owned(),
            "upgrade" => "5".to_owned(),
            _ => "2probe".to_owned(),
        })])
    }

    fn inner(&mut self) -> Option<&mut dyn Carried> {
        Some(&mut self.inner)
    }

    fn wrap(&self, message: Outgoing) -> Outgoing {
        let Outgoing { text, mut content, answer } = message;
        match (text, self.version) {
            (true, _) => content.insert(0, b'4'),
            (false, 3) => content.insert(0, 4),
            (false, _) => {}
        }
        Outgoing { text, content, answer }
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_of_socket_io_4() {
        let mut script = Script::auto("", "/socket.io/?EIO=4&transport=websocket");
        let open = r#"0{"sid":"K0u3","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        script.server(open);
        assert_eq!(script.last(), "open sid=K0u3 ping 25 s/20 s max 1000000 B");
        script.client("40");
        script.server(r#"40{"sid":"wZX3"}"#);
        assert_eq!(script.last(), "message › CONNECT sid=wZX3 (35 ms)");
        script.client(r#"42/admin,12["chat","a",{"b":1}]"#);
        assert_eq!(script.last(), r#"message › EVENT /admin "chat" (2 args) ack#12"#);
        script.server("43/admin,12[]");
        assert_eq!(script.last(), r#"message › ACK /admin #12 [] ("chat", 35 ms)"#);
        script.server("2");
        assert_eq!(script.decoded().reply.as_ref().map(|r| &r.content[..]), Some(&b"3"[..]));
        script.client("3");
        assert_eq!(script.last(), "pong (35 ms)");
        script.server(r#"44/nope,{"message":"Invalid namespace"}"#);
        assert_eq!(script.last(), "message › CONNECT_ERROR /nope Invalid namespace");
        assert_eq!(script.decoded().beats_before, 2);
    }

    #[test]
    fn who_pings_depends_on_the_version() {
        let open = r#"0{"sid":"a","pingInterval":25000,"pingTimeout":5000}"#;
        let mut script = Script::of("engine.io", "", "/?EIO=4");
        script.server(open);
        script.client("2");
        assert_eq!(complaints(script.decoded()).len(), 1);
        let mut script = Script::of("engine.io", "", "/?EIO=3");
        script.server(open);
        script.client("2");
        assert_eq!(complaints(script.decoded()).len(), 0);
        let beat = script.conversation.beat().expect("the client pings");
        assert_eq!((beat.every.as_secs(), &beat.message.content[..]), (25, &b"2"[..]));
    }

    #[test]
    fn a_server_cannot_make_the_client_flood() {
        for interval in [0, 1, 99] {
            let mut script = Script::of("engine.io", "", "/?EIO=3");
            script.server(&format!(r#"0{{"sid":"a","pingInterval":{interval}}}"#));
            let beat = script.conversation.beat().expect("the client pings");
            assert_eq!(beat.every.as_millis(), 100);
        }
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("engine.io", "", "/?EIO=4");
        script.client("6");
        assert_eq!(complaints(script.decoded()), [""; 0], "it may be earlier");
        script.server("6");
        assert_eq!(
            complaints(script.decoded()),
            ["the first packet of a server is the open packet"]
        );
        script.server(r#"0{"sid":"a"}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(r#"0{"sid":"a"}"#);
        assert_eq!(complaints(script.decoded()).len(), 1, "again");
        script.client("1");
        script.client("6");
        assert_eq!(complaints(script.decoded()), ["a packet after the close packet"]);
    }

    #[test]
    fn an_upgrade_is_probed() {
        let mut script = Script::auto("", "/engine.io/?EIO=4&transport=websocket&sid=x");
        script.client("2probe");
        assert_eq!(script.last(), "ping probe");
        script.server("3probe");
        assert_eq!(script.last(), "probe ok (35 ms)");
        script.client("5");
        assert_eq!(script.last(), "upgrade");
    }

    #[test]
    fn commands_travel_inside() {
        let mut script = Script::auto("", "/socket.io/?EIO=4&transport=websocket");
        script.server(r#"0{"sid":"K0u3"}"#);
        let sent = script.conversation.speak("sio", "emit chat 1 two").expect("a command");
        assert_eq!(sent[0].content, br#"42["chat",1,"two"]"#);
    }

    #[test]
    fn each_side_closes_for_itself() {
        let mut script = Script::of("engine.io", "", "/?EIO=4");
        script.server(r#"0{"sid":"a"}"#);
        script.client("1");
        script.server("2");
        assert_eq!(complaints(script.decoded()), [""; 0], "it was on its way");
        script.server("1");
        script.server("6");
        assert_eq!(complaints(script.decoded()), ["a packet after the close packet"]);
    }

    #[test]
    fn who_pings_is_not_known_without_a_version() {
        let mut script = Script::of("engine.io", "", "/x");
        script.server(r#"0{"sid":"a"}"#);
        script.client("2");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
