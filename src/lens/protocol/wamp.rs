//! WAMP 2 in JSON, MessagePack and CBOR, batched or not: <https://wamp-proto.org/spec.html>.

use std::fmt::Write;

use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::payload::{cbor, json, msgpack};
use crate::lens::text::brief;
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "wamp",
    word: "wamp",
    title: "WAMP 2",
    subprotocols: &[
        "wamp.2.json",
        "wamp.2.msgpack",
        "wamp.2.cbor",
        "wamp.2.json.batched",
        "wamp.2.msgpack.batched",
        "wamp.2.cbor.batched",
    ],
    url: crate::lens::text::no_url,
    beginning: |message| {
        let first = [Format::Json, Format::MsgPack, Format::Cbor].iter().find_map(|format| {
            [false, true].into_iter().find_map(|batched| split(message, *format, batched))
        });
        let code = if message.from_client() { 1 } else { 2 };
        let hello = |value: &Value| {
            value.path("0").and_then(Value::as_integer) == Some(code)
                && value.path("2").is_some_and(Value::is_map)
                && value.path("1").is_some_and(|what| match code {
                    1 => what.as_str().is_some(),
                    _ => what.as_u64().is_some(),
                })
        };
        first.is_some_and(|values| values.first().is_some_and(hello))
    },
    begins_like_others: false,
    lens: |facts| Box::new(Wamp::new(facts)),
    commands: &[
        SpeechCommand {
            name: "hello",
            arguments: "REALM [METHOD] [AUTHID]",
            help: "Joins a realm with all roles, anonymously or by a METHOD as ticket.",
            example: "realm1 ticket me",
        },
        SpeechCommand {
            name: "authenticate",
            arguments: "SIGNATURE",
            help: "Answers a CHALLENGE, with the ticket or the signature.",
            example: "secret",
        },
        SpeechCommand {
            name: "subscribe",
            arguments: "TOPIC",
            help: "Subscribes to a topic.",
            example: "com.x.topic",
        },
        SpeechCommand {
            name: "unsubscribe",
            arguments: "TOPIC",
            help: "Ends a subscription, by its topic or its number.",
            example: "7",
        },
        SpeechCommand {
            name: "publish",
            arguments: "TOPIC [ARGS…]",
            help: "Publishes JSON values or words and asks for an acknowledgement.",
            example: "com.x.topic 1 word",
        },
        SpeechCommand {
            name: "call",
            arguments: "PROCEDURE [ARGS…]",
            help: "Calls a procedure with JSON values or words.",
            example: "com.x.add 2 3",
        },
        SpeechCommand {
            name: "cancel",
            arguments: "REQUEST",
            help: "Cancels a call by its number.",
            example: "2",
        },
        SpeechCommand {
            name: "register",
            arguments: "PROCEDURE",
            help: "Registers a procedure: its calls come as INVOCATION.",
            example: "com.x.add",
        },
        SpeechCommand {
            name: "unregister",
            arguments: "PROCEDURE",
            help: "Ends a registration, by its procedure or its number.",
            example: "7",
        },
        SpeechCommand {
            name: "yield",
            arguments: "REQUEST [ARGS…]",
            help: "Answers an INVOCATION by its number, with JSON values or words.",
            example: "1 5",
        },
        SpeechCommand {
            name: "error",
            arguments: "REQUEST ERROR [ARGS…]",
            help: "Refuses an INVOCATION by its number, with the URI of an error.",
            example: "1 com.x.error text",
        },
        SpeechCommand { name: "goodbye", arguments: "", help: "Leaves the realm.", example: "" },
    ],
};

const NAME: &str = "wamp";

/// Each message: its code, its name, and the elements of its list after the code.
const KINDS: [(i128, &str, &[&str]); 25] = [
    (1, "HELLO", &["realm", "details"]),
    (2, "WELCOME", &["session", "details"]),
    (3, "ABORT", &["details", "reason", "args", "kwargs"]),
    (4, "CHALLENGE", &["method", "details"]),
    (5, "AUTHENTICATE", &["signature", "details"]),
    (6, "GOODBYE", &["details", "reason"]),
    (8, "ERROR", &["of", "request", "details", "error", "args", "kwargs"]),
    (16, "PUBLISH", &["request", "options", "topic", "args", "kwargs"]),
    (17, "PUBLISHED", &["request", "publication"]),
    (32, "SUBSCRIBE", &["request", "options", "topic"]),
    (33, "SUBSCRIBED", &["request", "subscription"]),
    (34, "UNSUBSCRIBE", &["request", "subscription"]),
    (35, "UNSUBSCRIBED", &["request"]),
    (36, "EVENT", &["subscription", "publication", "details", "args", "kwargs"]),
    (48, "CALL", &["request", "options", "procedure", "args", "kwargs"]),
    (49, "CANCEL", &["request", "options"]),
    (50, "RESULT", &["request", "details", "args", "kwargs"]),
    (64, "REGISTER", &["request", "options", "procedure"]),
    (65, "REGISTERED", &["request", "registration"]),
    (66, "UNREGISTER", &["request", "registration"]),
    (67, "UNREGISTERED", &["request"]),
    (68, "INVOCATION", &["request", "registration", "details", "args", "kwargs"]),
    (69, "INTERRUPT", &["request", "options"]),
    (70, "YIELD", &["request", "options", "args", "kwargs"]),
    (7, "HEARTBEAT", &["incoming", "outgoing"]),
];

/// Messages that only a client sends, and messages that only a router sends.
const ONE_WAY: [&[i128]; 2] =
    [&[1, 5, 16, 32, 34, 48, 49, 64, 66, 70], &[2, 4, 17, 33, 35, 36, 50, 65, 67, 68, 69]];

/// Elements that may be missing at the end of a message.
const OPTIONAL: [&str; 2] = ["args", "kwargs"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    MsgPack,
    Cbor,
}

/// Whether it is a registration (not a subscription), and its number.
type NamedId = (bool, u64);

#[derive(Default)]
struct Wamp {
    /// The format in the subprotocol; without a subprotocol, each message shows it.
    format: Option<Format>,
    batched: bool,
    asked: bool,
    session: Option<String>,
    /// Whether the router and the client have sent a message.
    begun: [bool; 2],
    /// Whether they have sent GOODBYE or ABORT.
    left: [bool; 2],
    /// Whether an ABORT has ended the session for both.
    aborted: bool,
    realm: String,
    /// The subjects of requests to subscribe and register, and of requests to end one.
    pending: Kept<u64, String>,
    ending: Kept<u64, NamedId>,
    /// The topics and procedures of subscriptions and registrations.
    names: Kept<NamedId, String>,
    ids: Fresh,
}

impl Wamp {
    fn new(facts: &LensFacts) -> Self {
        let name = facts.subprotocol.as_deref().unwrap_or_default().to_ascii_lowercase();
        let format = match name.strip_prefix("wamp.2.").and_then(|rest| rest.split('.').next()) {
            Some("json") => Some(Format::Json),
            Some("msgpack") => Some(Format::MsgPack),
            Some("cbor") => Some(Format::Cbor),
            _ => None,
        };
        Self { format, batched: name.ends_with(".batched"), ..Self::default() }
    }

    fn look(&mut self, value: &Value, from_client: bool) -> Option<Decoded> {
        let [code, rest @ ..] = value.as_list()? else { return None };
        let code = code.as_integer()?;
        let &(_, name, fields) = KINDS.iter().find(|kind| kind.0 == code)?;
        let get = |wanted: &str| {
            fields.iter().position(|field| *field == wanted).and_then(|at| rest.get(at))
        };
        let id = |wanted: &str| get(wanted).and_then(Value::as_u64);
        let text = |wanted: &str| get(wanted).and_then(Value::as_str).map(remembered);
        let request = id("request");
        // The name of a subscription or registration is more useful than its id.
        let subscription = id("subscription").map(|id| (false, id));
        let named = subscription.or(id("registration").map(|id| (true, id)));
        let known = named.and_then(|named| self.names.get(&named));
        // An event of a prefix subscription names its own topic.
        let topic = get("details").and_then(|details| details.text_of("topic")).map(remembered);
        let about = topic
            .filter(|_| name == "EVENT")
            .or(text("topic"))
            .or(text("procedure"))
            .or(known.cloned());
        // If the beginning was not seen, the number is better than nothing. So is the reason of a
        // router that ends a subscription or registration itself.
        let number = named.filter(|_| about.is_none() && ![33, 65].contains(&code));
        let number = number.map(|(_, id)| format!("of {id}"));
        let revoked = rest.get(1).filter(|_| [35, 67].contains(&code));
        let revoked = revoked.and_then(|details| details.text_of("reason")).map(remembered);

        let mut summary = name.to_owned();
        if let Some(of) = id("of") {
            let of = KINDS.iter().find(|kind| kind.0 == of.into());
            let _ = write!(summary, " {}", of.map_or("?", |kind| kind.1));
        }
        for part in [request, id("session")].into_iter().flatten() {
            let _ = write!(summary, " {part}");
        }
        let words = [text("realm"), text("reason"), text("error"), text("method"), about.clone()];
        let words = words.into_iter().chain([number, revoked]);
        for part in words.flatten() {
            let _ = write!(summary, " {}", brief(&part));
        }
        for part in ["args", "kwargs"].iter().filter_map(|part| get(part)) {
            let _ = write!(summary, " {}", part.short());
        }
        let mut decoded = Decoded::new(NAME, name, summary).field("type", name);
        for (field, value) in fields.iter().zip(rest) {
            decoded = decoded.field(field, value);
        }
        let needed = fields.iter().filter(|field| !OPTIONAL.contains(field)).count();
        // A router that ends one itself gives a reason (Subscription Revocation).
        let most = fields.len() + usize::from([35, 67].contains(&code));
        decoded = decoded.breaks_if(
            rest.len() < needed || rest.len() > most,
            "WAMP 2, Message Definitions",
            "the list has a wrong number of elements",
        );
        // "IDs are integers between (inclusive) 1 and 2^53"; 0 is for a revocation.
        let is_id = |value: &Value| value.as_u64().is_some_and(|id| id <= 1 << 53);
        let decoded = decoded.breaks_if(
            get("request").is_some_and(|id| !is_id(id)),
            "WAMP 2, IDs",
            "the id of a request is not an integer from 1 to 2^53",
        );
        if ONE_WAY[usize::from(from_client)].contains(&code) {
            // A message from the wrong side changes nothing.
            let text =
                if from_client { "only a router sends it" } else { "only a client sends it" };
            return Some(decoded.breaks("WAMP 2, Messages", text));
        }
        let decoded = self.in_order(code, from_client, decoded);
        let flag = |options: &str, flag: &str| {
            get(options).and_then(|options| options.get(flag)) == Some(&Value::Bool(true))
        };
        let paired = request.unwrap_or_default();
        Some(match name {
            "HELLO" => {
                self.asked = true;
                self.realm = text("realm").unwrap_or_default();
                decoded.asks("hello", "")
            }
            "WELCOME" => {
                self.session = get("session").map(Value::plain);
                decoded.answers("hello")
            }
            "ABORT" => decoded.answers("hello").refuses_if(true),
            "GOODBYE" => {
                let reason = text("reason").unwrap_or_default();
                let ordinary = ["close_realm", "goodbye", "normal", "logout"];
                let ordinary = ordinary.iter().any(|word| reason.contains(word));
                decoded.leaves_if(true).refuses_if(!from_client && !ordinary)
            }
            "PUBLISH" if !flag("options", "acknowledge") => self.used(paired, from_client, decoded),
            "PUBLISH" | "SUBSCRIBE" | "UNSUBSCRIBE" | "CALL" | "REGISTER" | "UNREGISTER"
            | "INVOCATION" => {
                let about = about.unwrap_or_default();
                match (name, named) {
                    ("SUBSCRIBE" | "REGISTER", _) => {
                        self.pending.insert(paired, about.clone());
                    }
                    ("UNSUBSCRIBE" | "UNREGISTER", Some(named)) => {
                        self.ending.insert(paired, named);
                    }
                    _ => {}
                }
                self.used(paired, from_client, decoded).asks(paired, about)
            }
            "SUBSCRIBED" | "REGISTERED" => {
                if let Some((named, about)) = named.zip(self.pending.remove(&paired)) {
                    self.names.insert(named, about);
                }
                decoded.answers(paired)
            }
            "UNSUBSCRIBED" | "UNREGISTERED" => {
                if let Some(named) = self.ending.remove(&paired) {
                    self.names.remove(&named);
                }
                decoded.answers(paired)
            }
            "RESULT" if flag("details", "progress") => decoded.answers_in_part(paired),
            "YIELD" if flag("options", "progress") => decoded.answers_in_part(paired),
            "RESULT" | "YIELD" | "PUBLISHED" | "ERROR" => {
                // A call that the caller cancelled.
                let cancelled = text("error").as_deref() == Some("wamp.error.canceled");
                decoded.answers(paired).fails_if(name == "ERROR" && !cancelled)
            }
            "HEARTBEAT" => Decoded { heartbeat: true, ..decoded },
            _ => decoded,
        })
    }

    /// Adds a complaint about a message that may not come now.
    fn in_order(&mut self, code: i128, from_client: bool, decoded: Decoded) -> Decoded {
        const ESTABLISHMENT: &str = "WAMP 2, Session Establishment";
        let side = usize::from(from_client);
        let opens = match from_client {
            true => [1, 3, 5].contains(&code),
            false => [2, 3, 4].contains(&code),
        };
        // If the beginning of a session was not seen, its state is unknown. One complaint is
        // enough.
        let is_known = self.asked || !std::mem::replace(&mut self.begun[side], true);
        let left = self.left[side];
        self.left[side] |= [3, 6].contains(&code);
        self.aborted |= code == 3;
        if code == 1 && (self.aborted || self.left == [true; 2]) {
            // After both have left a realm, the client may join another one.
            (self.left, self.aborted, self.asked, self.session) = ([false; 2], false, false, None);
        }
        let welcomed = self.session.is_some();
        decoded
            .breaks_if(
                is_known && !welcomed && !opens && !left,
                ESTABLISHMENT,
                "a message before WELCOME: the other side aborts the session",
            )
            .breaks_if(
                code == 1 && self.asked,
                ESTABLISHMENT,
                "a second HELLO: the router aborts the session",
            )
            .breaks_if(code == 2 && welcomed, ESTABLISHMENT, "a second WELCOME")
            .breaks_if(
                left && code != 1 && !(code == 6 && self.left == [true; 2]),
                "WAMP 2, Session Closing",
                "a message after GOODBYE or ABORT of the same side",
            )
    }

    fn used(&mut self, request: u64, from_client: bool, decoded: Decoded) -> Decoded {
        if from_client {
            self.ids.seen(request);
        }
        decoded
    }

    fn pack(&self, value: Value) -> Outgoing {
        let mut content = Vec::new();
        match self.format.unwrap_or(Format::Json) {
            Format::Json => {
                let end = if self.batched { "\x1e" } else { "" };
                return Outgoing::text(value.json() + end);
            }
            Format::MsgPack => msgpack::write(&value, &mut content),
            Format::Cbor => cbor::write(&value, &mut content),
        }
        if self.batched {
            let len = (content.len() as u32).to_be_bytes();
            content.splice(0..0, len);
        }
        Outgoing::binary(content)
    }
}

/// Splits a message into its values.
fn split(message: &LensMessage<'_>, format: Format, batched: bool) -> Option<Vec<Value>> {
    let read = match format {
        Format::MsgPack => msgpack::read,
        Format::Cbor => cbor::read,
        Format::Json => {
            let text = message.as_text()?;
            return match batched {
                false => json::read(text).map(|value| vec![value]),
                // The specification ends each with 0x1E, a draft of it and Autobahn with 0x18.
                true => {
                    let ends = ['\x1e', '\x18'];
                    text.strip_suffix(ends)?.split(ends).map(json::read).collect()
                }
            };
        }
    };
    let mut rest = message.content;
    if message.text || rest.is_empty() {
        return None;
    }
    if !batched {
        return read(rest).map(|value| vec![value]);
    }
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk()?;
        let (packed, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        values.push(read(packed)?);
        rest = after;
    }
    Some(values)
}

impl Lens for Wamp {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let values = match self.format {
            Some(format) => split(message, format, self.batched)?,
            None => {
                let formats = [Format::Json, Format::MsgPack, Format::Cbor];
                let (format, values) = formats
                    .into_iter()
                    .find_map(|format| Some((format, split(message, format, self.batched)?)))?;
                self.format = Some(format);
                values
            }
        };
        decoded::packets(values.iter().map(|value| self.look(value, message.from_client())))
    }

    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.begun[usize::from(beginning.from_client())] = true;
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.asked, &self.session) {
            (_, Some(_)) => None,
            (false, None) => Some(AwaitedMessage::of_client(
                "HELLO",
                "anything else is a protocol error, and the router closes the connection",
            )),
            (true, None) => Some(AwaitedMessage::of_server(
                "WELCOME, CHALLENGE or ABORT",
                "nothing else may be sent before it",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let mut state = vec![("realm", self.realm.clone())];
        state.extend(self.session.clone().map(|session| ("session", session)));
        let names: Vec<_> =
            self.names.iter().take(20).map(|((_, id), name)| format!("{id} {name}")).collect();
        state.push(("subscriptions and registrations", names.join(", ")));
        state
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let (name, nothing) = (Value::from(arguments.get(0)), Value::Map(Vec::new()));
        let args = Value::List(arguments.values(1));
        let number = |command: &str| -> Result<Value, SpeechError> {
            let is_registration = command == "unregister";
            let is_it = |((kind, _), name): &&(NamedId, String)| {
                *kind == is_registration && *name == remembered(arguments.get(0))
            };
            let known = self
                .names
                .iter()
                .filter(is_it)
                .last()
                .map(|((_, id), _)| *id)
                .or_else(|| arguments.get(0).parse().ok());
            let what = if is_registration { "registration" } else { "subscription" };
            let wrong = || format!("there is no {what} of {}", arguments.get(0));
            known.map(Value::from).ok_or_else(|| SpeechError::Wrong(wrong()))
        };
        let ended = match command {
            "unsubscribe" | "unregister" => number(command)?,
            _ => Value::Null,
        };
        let request = match command {
            "cancel" | "yield" | "error" => {
                arguments.number(0, "REQUEST")?.unwrap_or_default().into()
            }
            _ => Value::Null,
        };
        let mut id = || Value::from(self.ids.next());
        let list = match command {
            "hello" => {
                let roles = ["caller", "callee", "subscriber", "publisher"];
                let roles = roles.into_iter().map(|role| (role, nothing.clone())).collect();
                let mut details = vec![("roles", roles)];
                details.extend(
                    arguments
                        .given(1)
                        .map(|method| ("authmethods", Value::from_iter([Value::from(method)]))),
                );
                details.extend(arguments.given(2).map(|own| ("authid", own.into())));
                vec![1u8.into(), name, Value::from_iter(details)]
            }
            "authenticate" => vec![5u8.into(), name, nothing],
            "unsubscribe" => vec![34u8.into(), id(), ended],
            "register" => vec![64u8.into(), id(), nothing, name],
            "unregister" => vec![66u8.into(), id(), ended],
            "cancel" => vec![49u8.into(), request, nothing],
            "yield" => vec![70u8.into(), request, nothing, args],
            "error" => {
                let args = Value::List(arguments.values(2));
                vec![8u8.into(), 68u8.into(), request, nothing, arguments.get(1).into(), args]
            }
            "subscribe" => vec![32u8.into(), id(), nothing, name],
            "publish" => {
                let options = Value::from_iter([("acknowledge", true.into())]);
                vec![16u8.into(), id(), options, name, args]
            }
            "call" => vec![48u8.into(), id(), nothing, name, args],
            _ => vec![6u8.into(), nothing, "wamp.close.close_realm".into()],
        };
        Ok(vec![self.pack(Value::List(list))])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn the_id_of_a_request_is_an_integer() {
        let mut script = Script::of("wamp", "wamp.2.json", "/");
        script.client(r#"[1,"r",{}]"#);
        script.server(r#"[2,1,{}]"#);
        for (id, faults) in
            [("9007199254740992", 0), ("9007199254740993", 1), ("\"x\"", 1), ("-1", 1)]
        {
            script.client(&format!(r#"[48,{id},{{}},"p"]"#));
            assert_eq!(complaints(script.decoded()).len(), faults, "{id}");
        }
    }

    #[test]
    fn what_is_not_known_by_name_has_its_number() {
        let mut script = Script::midway("wamp");
        assert_eq!(script.server(r#"[36,7,8,{},[1]]"#), ["EVENT of 7 [1]"]);
        assert_eq!(script.client(r#"[34,1,7]"#), ["UNSUBSCRIBE 1 of 7"]);
        let revoked = r#"[67,0,{"registration":1,"reason":"wamp.authentication.lost"}]"#;
        assert_eq!(script.server(revoked), ["UNREGISTERED 0 wamp.authentication.lost"]);
    }

    #[test]
    fn a_subscription_and_a_registration_end_by_their_names() {
        let mut script = Script::of("wamp", "wamp.2.json", "/");
        script.client(r#"[1,"r",{}]"#);
        script.server(r#"[2,1,{}]"#);
        script.client(r#"[32,1,{},"com.x"]"#);
        script.server(r#"[33,1,7]"#);
        script.client(r#"[64,2,{},"com.x"]"#);
        script.server(r#"[65,2,7]"#);
        for (line, message) in [
            ("unsubscribe com.x", "[34,3,7]"),
            ("unregister com.x", "[66,4,7]"),
            ("yield 9 5 word", r#"[70,9,{},[5,"word"]]"#),
            ("error 9 com.x.error", r#"[8,68,9,{},"com.x.error",[]]"#),
            ("cancel 4", "[49,4,{}]"),
        ] {
            let spoken = script.conversation.speak("wamp", line).expect("a command").remove(0);
            assert_eq!(String::from_utf8_lossy(&spoken.content), message);
        }
        script.client("[34,3,7]");
        script.server("[35,3]");
        assert!(script.conversation.speak("wamp", "unsubscribe com.x").is_err());
        assert!(script.state().contains("7 com.x\n"), "{}", script.state());
    }

    #[test]
    fn a_session_without_a_number_is_no_evidence() {
        let mut script = Script::auto("", "/");
        script.client(r#"[1,"realm1",{}]"#);
        script.server(r#"[2,"id",{}]"#);
        assert!(script.conversation.protocol().is_none());
        script.server(r#"[2,7,{}]"#);
        assert!(script.conversation.protocol().is_some());
    }

    #[test]
    fn an_event_of_a_prefix_names_its_topic() {
        let mut script = Script::of("wamp", "", "/");
        script.client(r#"[1,"realm1",{}]"#);
        script.server(r#"[2,7,{}]"#);
        script.client(r#"[32,1,{"match":"prefix"},"com."]"#);
        script.server("[33,1,5]");
        script.server(r#"[36,5,9,{"topic":"com.x.y"},["a"]]"#);
        assert_eq!(script.last(), r#"EVENT com.x.y ["a"]"#);
        script.server(r#"[36,5,9,{},["a"]]"#);
        assert_eq!(script.last(), r#"EVENT com. ["a"]"#);
    }

    #[test]
    fn a_session_in_json() {
        let mut script = Script::auto("wamp.2.json", "/ws");
        script.client(r#"[1,"realm1",{"roles":{}}]"#);
        assert_eq!(script.last(), "HELLO realm1");
        script.server(r#"[2,9129137332,{"roles":{}}]"#);
        assert_eq!(script.last(), "WELCOME 9129137332 (35 ms)");
        script.client(r#"[32,1,{},"com.x.topic"]"#);
        script.server("[33,1,5512315355]");
        assert_eq!(script.last(), "SUBSCRIBED 1 (com.x.topic, 35 ms)");
        script.server(r#"[36,5512315355,4429313566,{},["hi"]]"#);
        assert_eq!(script.last(), r#"EVENT com.x.topic ["hi"]"#);
        script.client(r#"[48,7,{},"com.x.add",[2,3]]"#);
        assert_eq!(script.last(), "CALL 7 com.x.add [2,3]");
        script.server("[50,7,{},[5]]");
        assert_eq!(script.last(), "RESULT 7 [5] (com.x.add, 35 ms)");
        script.client(r#"[48,8,{},"com.x.nope"]"#);
        script.server(r#"[8,48,8,{},"wamp.error.no_such_procedure"]"#);
        let expected = "ERROR CALL 8 wamp.error.no_such_procedure (com.x.nope, 35 ms)";
        assert_eq!(script.last(), expected);
    }

    #[test]
    fn what_may_not_come_now_is_named() {
        let mut script = Script::auto("wamp.2.json", "/ws");
        let last = |script: &Script| complaints(script.decoded()).join("; ");
        script.client(r#"[1,"realm1",{"roles":{}}]"#);
        script.client(r#"[32,1,{},"com.x.topic"]"#);
        assert!(last(&script).contains("before WELCOME"), "{}", last(&script));
        script.client(r#"[1,"realm1",{"roles":{}}]"#);
        assert!(last(&script).contains("second HELLO"), "{}", last(&script));
        script.server("[33,1,5]");
        assert!(last(&script).contains("before WELCOME"), "{}", last(&script));
        script.server(r#"[4,"ticket",{}]"#);
        assert_eq!(last(&script), "");
        script.client(r#"[5,"x",{}]"#);
        assert_eq!(last(&script), "");
        script.server(r#"[2,9,{"roles":{}}]"#);
        assert_eq!(last(&script), "");
        script.client(r#"[36,5,4,{}]"#);
        assert!(last(&script).contains("only a router"), "{}", last(&script));
        script.client(r#"[6,{},"wamp.close.close_realm"]"#);
        assert_eq!(last(&script), "");
        script.client(r#"[32,2,{},"com.x.topic"]"#);
        assert!(last(&script).contains("after GOODBYE"), "{}", last(&script));
        script.server(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        script.client(r#"[1,"realm2",{"roles":{}}]"#);
        assert_eq!(last(&script), "", "another realm");
    }

    #[test]
    fn every_format_is_spoken_and_read() {
        for format in ["json", "msgpack", "cbor"] {
            for batched in ["", ".batched"] {
                let subprotocol = format!("wamp.2.{format}{batched}");
                let mut script = Script::auto(&subprotocol, "/ws");
                script.client(r#"[1,"realm1",{}]"#);
                let mut script = Script::of("wamp", &subprotocol, "/ws");
                let hello = script.conversation.speak("wamp", "hello realm1").expect("a command");
                script.send(&hello[0]);
                assert_eq!(script.last(), "HELLO realm1", "{subprotocol}");
                let call = script.conversation.speak("wamp", "call com.x.add 2 3").expect("one");
                script.send(&call[0]);
                assert_eq!(script.last(), "CALL 1 com.x.add [2,3]", "{subprotocol}");
            }
        }
    }

    #[test]
    fn a_batch_holds_several() {
        let mut script = Script::of("wamp", "wamp.2.json.batched", "/");
        let lines = script.client("[17,1,2]\x1e[35,3]\x1e");
        assert_eq!(lines, ["PUBLISHED 1", "UNSUBSCRIBED 3"]);
        // Autobahn ends them like this.
        assert_eq!(script.client("[17,2,3]\x18"), ["PUBLISHED 2"]);
    }

    #[test]
    fn a_router_may_end_a_subscription_and_a_session() {
        let mut script = Script::auto("wamp.2.json", "/ws");
        script.client(r#"[1,"realm1",{"roles":{}}]"#);
        script.server(r#"[2,9,{"roles":{}}]"#);
        script.server(r#"[35,0,{"subscription":1,"reason":"x"}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let mut script = Script::auto("wamp.2.json", "/ws");
        script.client(r#"[1,"realm1",{"roles":{}}]"#);
        script.server(r#"[3,{},"wamp.error.no_such_realm"]"#);
        script.client(r#"[1,"realm2",{"roles":{}}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(r#"[2,9,{"roles":{}}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
