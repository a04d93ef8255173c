//! Discord's gateway in JSON: <https://discord.com/developers/docs/events/gateway>.

use std::time::Duration;

use crate::lens::text::{brief, query};
use crate::lens::{AwaitedMessage, Beat, Decoded, Lens, LensMessage, Outgoing, Protocol, Value};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "discord",
    word: "discord",
    title: "Discord gateway",
    subprotocols: &[],
    url: |url| query(url, "encoding") == Some("json") && query(url, "v").is_some(),
    beginning: |message| {
        message.as_json().is_some_and(|value| {
            let op = value.get("op").and_then(Value::as_u64);
            let hello = value.path("d.heartbeat_interval").is_some();
            matches!((message.from_client(), op), (true, Some(2 | 6))) || op == Some(10) && hello
        })
    },
    begins_like_others: false,
    lens: |_| Box::new(Discord::default()),
    commands: &[],
};

const NAME: &str = "discord";

const OPS: [&str; 12] = [
    "Dispatch",
    "Heartbeat",
    "Identify",
    "Presence Update",
    "Voice State Update",
    "",
    "Resume",
    "Reconnect",
    "Request Guild Members",
    "Invalid Session",
    "Hello",
    "Heartbeat ACK",
];

#[derive(Default)]
struct Discord {
    /// In milliseconds.
    interval: Option<u64>,
    identified: bool,
    /// Whether the client has ever logged in: its data may be on its way when the server ends the
    /// session.
    begun: bool,
    /// Whether the server wants the client to log in again.
    again: bool,
    /// The number of the last event, which a heartbeat repeats.
    sequence: Option<u64>,
}

impl Lens for Discord {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let op = value.get("op")?.as_u64()?;
        let known = usize::try_from(op).ok().and_then(|op| OPS.get(op));
        let known = known.filter(|name| !name.is_empty());
        let name = known.map_or_else(|| format!("op {op}"), |name| (*name).to_owned());
        let from_client = message.from_client();
        let logs_in = matches!(op, 2 | 6);
        let early = from_client && !self.begun && [3, 4, 8].contains(&op);
        let again = from_client && self.identified && logs_in && !self.again;
        let other = match from_client {
            true => [0, 7, 9, 10, 11].contains(&op),
            false => [2, 3, 4, 6, 8].contains(&op),
        };
        let event = value.text_of("t");
        let data = value.get("d");
        self.sequence = value.get("s").and_then(Value::as_u64).or(self.sequence);
        match (from_client, op) {
            (true, 2 | 6) => (self.identified, self.begun, self.again) = (true, true, false),
            (false, 7) => self.again = true,
            // Invalid Session: "expects the client to reconnect, or to identify again".
            (false, 9) => self.identified = false,
            _ => {}
        }
        if op == 10 {
            self.interval = value.path("d.heartbeat_interval").and_then(Value::as_u64);
        }
        let shown = match op {
            // These contain a token.
            2 | 6 => String::new(),
            _ => data.map(Value::short).unwrap_or_default(),
        };
        let kind = event.map_or_else(|| name.clone(), brief);
        let decoded = match op {
            1 if message.from_client() => Decoded::heartbeat(NAME, &name).asks("heartbeat", ""),
            11 => Decoded::heartbeat(NAME, &name).answers("heartbeat"),
            _ => Decoded::new(NAME, &kind, format!("{kind} {shown}").trim_end()),
        };
        const RULE: &str = "Discord, Gateway Opcodes";
        Some(vec![
            decoded
                .refuses_if(op == 9)
                .leaves_if(op == 7)
                .breaks_if(early, RULE, "before Identify or Resume: the server closes with 4003")
                .breaks_if(again, RULE, "a second Identify: the server closes with 4005")
                .breaks_if(
                    other,
                    RULE,
                    if from_client { "only the server sends it" } else { "only a client sends it" },
                )
                .field("op", op)
                .field_if("event", event)
                .field_if("sequence", value.get("s"))
                .field_if("data", data),
        ])
    }

    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.begun |= beginning.from_client();
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.interval, self.identified) {
            (None, _) => Some(AwaitedMessage::of_server(
                "Hello (op 10)",
                "the session can't begin without it",
            )),
            (_, false) => Some(AwaitedMessage::of_client(
                "Identify (op 2) or Resume (op 6)",
                "an event before it closes the connection with 4003 Not authenticated",
            )),
            _ => None,
        }
    }

    fn beat(&self) -> Option<Beat> {
        let every = Duration::from_millis(self.interval?.min(3_600_000));
        let sequence = self.sequence.map_or(Value::Null, Value::from);
        let message = Outgoing::json(Value::from_iter([("op", 1u8.into()), ("d", sequence)]));
        Some(Beat::every(every, message))
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_of_the_gateway() {
        let mut script = Script::auto("", "/?v=10&encoding=json");
        script.server(r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#);
        assert_eq!(script.last(), r#"Hello {"heartbeat_interval":41250}"#);
        script.client(r#"{"op":3,"d":{}}"#);
        assert!(complaints(script.decoded())[0].contains("4003"));
        script.client(r#"{"op":2,"d":{"token":"secret"}}"#);
        assert!(complaints(script.decoded()).is_empty());
        assert_eq!(script.last(), "Identify");
        script.server(r#"{"t":"READY","s":1,"op":0,"d":{}}"#);
        assert_eq!(script.last(), "READY {}");
        let beat = script.conversation.beat().expect("heartbeats are due");
        assert_eq!(beat.message.content, br#"{"op":1,"d":1}"#);
        script.send(&beat.message);
        script.client(r#"{"op":2,"d":{"token":"secret"}}"#);
        assert!(complaints(script.decoded())[0].contains("4005"));
        script.server(r#"{"op":11}"#);
        assert_eq!(script.last(), "Heartbeat ACK (70 ms)");
    }

    #[test]
    fn a_session_that_is_invalid_begins_again() {
        let identify = r#"{"op":2,"d":{"token":"secret"}}"#;
        for ended in [r#"{"op":9,"d":false}"#, r#"{"op":7,"d":null}"#] {
            let mut script = Script::of("discord", "", "/?v=10&encoding=json");
            script.server(r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#);
            script.client(r#"{"op":6,"d":{"token":"secret"}}"#);
            script.server(ended);
            script.client(r#"{"op":3,"d":{}}"#);
            assert_eq!(complaints(script.decoded()), [""; 0], "it was on its way");
            script.client(identify);
            assert_eq!(complaints(script.decoded()), [""; 0], "{ended}");
            script.client(identify);
            assert_eq!(complaints(script.decoded()).len(), 1);
        }
        let mut script = Script::of("discord", "", "/?v=10&encoding=json");
        script.server(r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#);
        script.client(r#"{"op":6,"d":{"token":"secret"}}"#);
        script.server(r#"{"op":9,"d":false}"#);
        assert!(script.state().contains("the server waits for Identify"), "{}", script.state());
    }

    #[test]
    fn an_opcode_that_is_new_is_named_by_its_number() {
        let mut script = Script::of("discord", "", "/?v=10&encoding=json");
        script.client(r#"{"op":2,"d":{"token":"secret"}}"#);
        script.client(r#"{"op":31,"d":{"guild_ids":["1"]}}"#);
        assert_eq!(script.last(), r#"op 31 {"guild_ids":["1"]}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
