//! Phoenix channels, serializers V1 and V2:
//! <https://hexdocs.pm/phoenix/writing_a_channels_client.html>.

use std::time::Duration;

use crate::lens::body::{body, content};
use crate::lens::kept::{Fresh, Kept, SideClock, remembered};
use crate::lens::payload::cursor::Cursor;
use crate::lens::text::{brief, query};
use crate::lens::{
    AwaitedMessage, Beat, Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol,
    SpeechArguments, SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "phoenix",
    word: "phx",
    title: "Phoenix channels",
    subprotocols: &[],
    url: |url| query(url, "vsn").is_some_and(|vsn| vsn.starts_with(['1', '2'])),
    beginning: |message| {
        let packet = PhoenixMessage::read(message);
        packet.is_some_and(|packet| match packet.event.as_str() {
            "phx_join" | "heartbeat" => message.from_client(),
            "phx_reply" | "phx_error" | "phx_close" => !message.from_client(),
            _ => false,
        })
    },
    begins_like_others: false,
    lens: |facts| Box::new(Phoenix::new(facts)),
    commands: &[
        SpeechCommand {
            name: "join",
            arguments: "TOPIC [PAYLOAD…]",
            help: "Joins a topic with a JSON payload, {} by default.",
            example: "room:1 {\"token\":\"x\"}",
        },
        SpeechCommand {
            name: "push",
            arguments: "TOPIC EVENT [PAYLOAD…]",
            help: "Pushes an event with a JSON payload to a topic that was joined.",
            example: "room:1 new_msg {\"body\":\"hi\"}",
        },
        SpeechCommand {
            name: "leave",
            arguments: "TOPIC",
            help: "Leaves a topic.",
            example: "room:1",
        },
        SpeechCommand {
            name: "heartbeat",
            arguments: "",
            help: "Keeps the session alive; /keepalive does so by itself.",
            example: "",
        },
    ],
};

const NAME: &str = "phoenix";

/// How long the server waits for a client, by default.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A message of either serializer.
struct PhoenixMessage {
    join_ref: Option<String>,
    reference: Option<String>,
    topic: String,
    event: String,
    payload: PhoenixPayload,
}

enum PhoenixPayload {
    Json(Value),
    Binary(Vec<u8>),
}

impl PhoenixMessage {
    fn read(message: &LensMessage<'_>) -> Option<Self> {
        if !message.text {
            return Self::binary(message);
        }
        let value = message.as_json()?;
        let reference = |value: Option<&Value>| {
            value.filter(|value| **value != Value::Null).map(|value| remembered(&value.plain()))
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        match value.as_list() {
            Some([join_ref, own, topic, event, payload]) => Some(Self {
                join_ref: reference(Some(join_ref)),
                reference: reference(Some(own)),
                topic: text(Some(topic))?,
                event: text(Some(event))?,
                payload: PhoenixPayload::Json(payload.clone()),
            }),
            Some(_) => None,
            None => Some(Self {
                join_ref: reference(value.get("join_ref")),
                reference: reference(value.get("ref")),
                topic: text(value.get("topic"))?,
                event: text(value.get("event"))?,
                payload: PhoenixPayload::Json(value.get("payload")?.clone()),
            }),
        }
    }

    /// The binary form: a kind, the sizes of the texts, the texts, the payload.
    fn binary(message: &LensMessage<'_>) -> Option<Self> {
        let mut from = Cursor::new(message.content);
        let kind = from.u8()?;
        let texts = match (kind, message.from_client()) {
            (0, true) | (1, false) => 4,
            (0, false) => 3,
            (2, false) => 2,
            _ => return None,
        };
        let sizes = from.take(texts)?;
        let text = |size: &u8| {
            from.take(usize::from(*size)).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        };
        let texts = sizes.iter().map(text).collect::<Option<Vec<_>>>()?;
        let payload = PhoenixPayload::Binary(from.rest.to_vec());
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let packet = |join_ref, reference, topic: &String, event: &String| Self {
            join_ref,
            reference,
            topic: topic.clone(),
            event: event.clone(),
            payload,
        };
        Some(match (kind, &texts[..]) {
            (0, [join, own, topic, event]) => packet(some(join), some(own), topic, event),
            (0, [join, topic, event]) => packet(some(join), None, topic, event),
            // The last text of a reply is its status.
            (1, [join, own, topic, status]) => {
                let reply = packet(some(join), some(own), topic, status);
                Self { event: format!("phx_reply {status}"), ..reply }
            }
            (_, [topic, event]) => packet(None, None, topic, event),
            _ => return None,
        })
    }
}

struct Phoenix {
    /// Whether messages are objects (not lists).
    first_version: bool,
    spoken: bool,
    /// The server has sent a reply.
    answered: bool,
    /// The reference of the last join.
    joining: Option<String>,
    /// The references of the joins, by topic.
    topics: Kept<String, String>,
    /// The references of the joins that the server accepted, by topic.
    accepted: Kept<String, String>,
    /// Topics that the server closed; messages for them may have been on their way.
    closed: Kept<String, ()>,
    heard: SideClock,
    refs: Fresh,
}

impl Phoenix {
    fn new(facts: &LensFacts) -> Self {
        let first_version = query(&facts.url, "vsn").is_some_and(|vsn| vsn.starts_with('1'));
        let (topics, accepted, closed) = (Kept::default(), Kept::default(), Kept::default());
        let (heard, refs) = (SideClock::default(), Fresh::default());
        let (spoken, answered) = (false, false);
        let joining = None;
        Self { first_version, spoken, answered, joining, topics, accepted, closed, heard, refs }
    }

    fn pack(&self, topic: &str, event: &str, payload: Value, own: String) -> Outgoing {
        let join = match event {
            "phx_join" => Value::from(own.as_str()),
            _ => {
                self.topics.get(&remembered(topic)).map_or(Value::Null, |join| join.as_str().into())
            }
        };
        let value = match self.first_version {
            false => [join, own.into(), topic.into(), event.into(), payload].into_iter().collect(),
            true => Value::from_iter([
                ("topic", topic.into()),
                ("event", event.into()),
                ("payload", payload),
                ("ref", own.into()),
                ("join_ref", join),
            ]),
        };
        Outgoing::json(value)
    }
}

impl Lens for Phoenix {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let PhoenixMessage { join_ref, reference, topic, event, payload } =
            PhoenixMessage::read(message)?;
        let shown = match &payload {
            PhoenixPayload::Json(value) => value.short(),
            PhoenixPayload::Binary(bytes) => body(bytes),
        };
        self.answered |= !message.from_client() && event.starts_with("phx_reply");
        let number = reference.as_ref().map(|own| format!(" (ref {})", brief(own)));
        let number = number.unwrap_or_default();
        let (kind, status) = event.split_once(' ').unwrap_or((&event, ""));
        let summary = match kind {
            "phx_join" => format!("join {}{number}", brief(&topic)),
            "phx_leave" => format!("leave {}{number}", brief(&topic)),
            "phx_reply" => {
                // For a join. A refused topic does not end the session.
                let join = reference.is_some() && [&join_ref, &self.joining].contains(&&reference);
                let said = match &payload {
                    PhoenixPayload::Json(value) => value.text_of("status"),
                    PhoenixPayload::Binary(_) => Some(status),
                };
                if join && said == Some("ok") {
                    self.accepted.insert(remembered(&topic), reference.clone().unwrap_or_default());
                }
                let PhoenixPayload::Json(value) = &payload else {
                    let reply = self.reply(&topic, status, &shown, reference, payload);
                    return Some(vec![reply.fails_if(status == "error")]);
                };
                let status = value.get("status").map(Value::plain).unwrap_or_default();
                let answer = value.get("response").map(Value::short).unwrap_or_default();
                let reply = self.reply(&topic, &status, &answer, reference, payload);
                return Some(vec![reply.fails_if(&*status == "error")]);
            }
            _ => format!("{} {} {shown}{number}", brief(&topic), brief(&event)),
        };
        let beat = topic == "phoenix" && event == "heartbeat";
        let decoded = match beat {
            true => Decoded::heartbeat(NAME, "heartbeat"),
            false => Decoded::new(NAME, kind, summary),
        };
        // Supabase reports a subscription that failed after the reply to the join.
        let system = matches!(&payload, PhoenixPayload::Json(value) if value.text_of("status") == Some("error"));
        let failed = event == "phx_error" || event == "system" && system;
        let decoded = with_fields(decoded, &topic, &event, reference.as_deref(), payload);
        if !message.from_client() {
            let topic = remembered(&topic);
            // The end of an earlier join does not affect a later one.
            let own = self.topics.get(&topic);
            let ends = matches!(&*event, "phx_close" | "phx_error")
                && own.is_some_and(|own| join_ref.is_none_or(|join| join == *own));
            let in_order =
                event == "phx_close" && own.is_some() && own == self.accepted.get(&topic);
            if ends {
                self.topics.remove(&topic);
                self.closed.insert(topic, ());
            }
            // A channel whose join was accepted ends in order; an error has its own event.
            let unasked = ends && !in_order;
            return Some(vec![decoded.fails_if(failed || unasked)]);
        }
        self.spoken = true;
        let quiet = self.heard.again(message.micros, TIMEOUT);
        let decoded = decoded.after_quiet(quiet, "Phoenix, heartbeat (60 s by default)");
        let own = reference.unwrap_or_default();
        let own_topic = remembered(&topic);
        self.refs.seen(own.parse().unwrap_or(0u64));
        let unknown = !beat
            && event != "phx_join"
            && [self.topics.lacks(&own_topic), self.closed.lacks(&own_topic)] == [true; 2];
        match event.as_str() {
            "phx_join" => {
                self.joining = (!own.is_empty()).then(|| own.clone());
                drop(self.topics.insert(remembered(&topic), join_ref.unwrap_or_default()))
            }
            "phx_leave" => drop(self.topics.remove(&remembered(&topic))),
            _ => {}
        }
        let about = if beat { String::new() } else { format!("{topic} {event}") };
        let decoded = if own.is_empty() { decoded } else { decoded.asks(own, about) };
        Some(vec![decoded.breaks_if(
            unknown,
            "Phoenix, Joining Topics",
            "the topic was not joined before: the server answers \"unmatched topic\"",
        )])
    }

    /// The message shows that the side is alive, and may have been a join.
    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.answered |= !beginning.from_client();
        if beginning.from_client() {
            self.spoken = true;
            self.heard.again(beginning.micros, TIMEOUT);
            self.topics.doubt();
        }
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.spoken, self.answered) {
            (_, true) => None,
            (false, _) => Some(AwaitedMessage::of_client(
                "phx_join",
                "without a heartbeat every 60 s the server closes the connection",
            )),
            (true, _) => Some(AwaitedMessage::of_server(
                "phx_reply",
                "without an answer within 10 s, the client joins again",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let topics: Vec<_> = self.topics.iter().take(20).map(|(topic, _)| topic.clone()).collect();
        let version = if self.first_version { "V1" } else { "V2" };
        vec![("serializer", version.to_owned()), ("topics", topics.join(", "))]
    }

    /// The server's default timeout is 60 s; clients send a heartbeat every 30 s.
    fn beat(&self) -> Option<Beat> {
        let own = "heartbeat".to_owned();
        let message = self.pack("phoenix", "heartbeat", Value::Map(Vec::new()), own);
        Some(Beat::every(Duration::from_secs(30), message))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        if command == "heartbeat" {
            let own = self.refs.next().to_string();
            return Ok(vec![self.pack("phoenix", "heartbeat", Value::Map(Vec::new()), own)]);
        }
        let (event, at) = match command {
            "join" => ("phx_join", 1),
            "leave" => ("phx_leave", 1),
            _ => (arguments.get(1), 2),
        };
        let own = self.refs.next().to_string();
        let payload = arguments.json(at).unwrap_or(Value::Map(Vec::new()));
        Ok(vec![self.pack(arguments.get(0), event, payload, own)])
    }
}

impl Phoenix {
    fn reply(
        &self,
        topic: &str,
        status: &str,
        answer: &str,
        reference: Option<String>,
        payload: PhoenixPayload,
    ) -> Decoded {
        let decoded = match topic {
            "phoenix" => Decoded::heartbeat(NAME, "heartbeat reply"),
            _ => Decoded::new(NAME, "phx_reply", format!("reply {} {answer}", brief(status))),
        };
        let decoded = with_fields(decoded, topic, "phx_reply", reference.as_deref(), payload);
        decoded.field("status", status).answers(reference.unwrap_or_default())
    }
}

fn with_fields(
    decoded: Decoded,
    topic: &str,
    event: &str,
    reference: Option<&str>,
    payload: PhoenixPayload,
) -> Decoded {
    let payload = match payload {
        PhoenixPayload::Json(value) => value,
        PhoenixPayload::Binary(bytes) => content(&bytes),
    };
    decoded
        .field("topic", topic)
        .field("event", event)
        .field_if("ref", reference)
        .field("payload", payload)
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_of_v2() {
        let mut script = Script::auto("", "/socket/websocket?vsn=2.0.0");
        script.client(r#"["3","3","room:1","phx_join",{}]"#);
        assert_eq!(script.last(), "join room:1 (ref 3)");
        script.server(r#"["3","3","room:1","phx_reply",{"status":"ok","response":{}}]"#);
        assert_eq!(script.last(), "reply ok {} (room:1 phx_join, 35 ms)");
        script.server(r#"[null,null,"room:1","new_msg",{"body":"hi"}]"#);
        assert_eq!(script.last(), r#"room:1 new_msg {"body":"hi"}"#);
        script.client(r#"[null,"4","phoenix","heartbeat",{}]"#);
        assert!(script.decoded().heartbeat);
        script.server(r#"[null,"4","phoenix","phx_reply",{"status":"ok","response":{}}]"#);
        assert!(script.decoded().heartbeat);
        script.client(r#"["3","5","room:2","new_msg",{}]"#);
        assert_eq!(complaints(script.decoded()).len(), 1);
        script.wait(61);
        script.client(r#"[null,"6","phoenix","heartbeat",{}]"#);
        assert!(complaints(script.decoded())[0].starts_with("nothing was sent for 61 s"));
        let sent = script.conversation.speak("phx", "push room:1 new_msg {\"a\":1}").expect("one");
        assert_eq!(sent[0].content, br#"["3","7","room:1","new_msg",{"a":1}]"#);
    }

    /// The vectors of `v2_json_serializer_test.exs`.
    #[test]
    fn binary_messages_of_v2() {
        let mut script = Script::of("phoenix", "", "/?vsn=2.0.0");
        script.client_bytes(b"\x00\x02\x03\x05\x0512123topiceventfirst\x01");
        assert_eq!(script.last(), "topic event 6 B (ref 123)");
        script.server_bytes(b"\x00\x02\x05\x0512topicevent\x65\x66\x67");
        assert_eq!(script.last(), "topic event 3 B");
        script.server_bytes(b"\x01\x02\x03\x05\x0212123topicok\x65\x66\x67");
        assert_eq!(script.last(), "reply ok 3 B (topic event, 70 ms)");
        script.server_bytes(b"\x02\x05\x05topicevent\x65\x66\x67");
        assert_eq!(script.last(), "topic event 3 B");
    }

    #[test]
    fn v1_has_objects() {
        let mut script = Script::auto("", "/socket/websocket?vsn=1.0.0");
        script.client(r#"{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}"#);
        assert_eq!(script.last(), "join room:1 (ref 1)");
        let beat = script.conversation.beat().expect("heartbeats are due");
        let text = String::from_utf8(beat.message.content).expect("JSON");
        assert!(text.starts_with(r#"{"topic":"phoenix","event":"heartbeat""#), "{text}");
    }

    #[test]
    fn the_close_of_an_accepted_channel_is_no_failure() {
        let ok = r#"["1","1","job:7","phx_reply",{"status":"ok","response":{}}]"#;
        let no = r#"["1","1","job:7","phx_reply",{"status":"error","response":{}}]"#;
        let done = r#"["1",null,"job:7","done",{"url":"/x"}]"#;
        let (close, error) =
            (r#"["1","1","job:7","phx_close",{}]"#, r#"["1","1","job:7","phx_error",{}]"#);
        for (theirs, fails) in [
            (&[ok, done, close][..], false),
            (&[ok, close], false),
            (&[ok, done, error], true),
            (&[close], true),
            (&[no, close], true),
        ] {
            let mut script = Script::auto("", "/socket/websocket?vsn=2.0.0");
            script.client(r#"["1","1","job:7","phx_join",{}]"#);
            for one in theirs {
                script.server(one);
            }
            assert_eq!(script.decoded().fails(), fails, "{theirs:?}");
        }
    }

    #[test]
    fn a_topic_may_be_joined_before_its_end_comes() {
        let mut script = Script::auto("", "/socket/websocket?vsn=2.0.0");
        script.client(r#"["1","1","room:1","phx_join",{}]"#);
        script.client(r#"["1","2","room:1","phx_leave",{}]"#);
        script.client(r#"["3","3","room:1","phx_join",{}]"#);
        script.server(r#"["1","1","room:1","phx_close",{}]"#);
        script.client(r#"["3","4","room:1","new_msg",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(r#"["3","3","room:1","phx_close",{}]"#);
        script.client(r#"["3","5","room:1","new_msg",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "it was on its way");
        script.wait(40);
        script.client_large(b"[\"3\",", 2 << 20);
        script.wait(40);
        script.client(r#"[null,"6","room:2","new_msg",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "it may have been a join");
    }
}
