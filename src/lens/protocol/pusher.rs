//! Pusher Channels 7:
//! <https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/>.

use std::time::Duration;

use crate::lens::kept::{Kept, remembered};
use crate::lens::payload::json;
use crate::lens::text::{brief, query};
use crate::lens::{
    AwaitedMessage, Beat, Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pusher",
    word: "pusher",
    title: "Pusher 7",
    subprotocols: &[],
    url: |url| url.starts_with("/app/") && query(url, "protocol").is_some(),
    beginning: |message| {
        message.as_json().is_some_and(|value| {
            value.text_of("event").is_some_and(|event| event.starts_with("pusher:"))
        })
    },
    begins_like_others: false,
    lens: |_| Box::new(Pusher::default()),
    commands: &[
        SpeechCommand {
            name: "subscribe",
            arguments: "CHANNEL [AUTH] [CHANNEL_DATA…]",
            help: "Subscribes to a channel; a private channel needs AUTH, a presence channel both.",
            example: "presence-x key:signature {\"user_id\":\"1\"}",
        },
        SpeechCommand {
            name: "unsubscribe",
            arguments: "CHANNEL",
            help: "Ends a subscription.",
            example: "x",
        },
        SpeechCommand {
            name: "trigger",
            arguments: "CHANNEL EVENT [DATA…]",
            help: "Sends an event of the client to a private or presence channel.",
            example: "private-x client-typing {\"a\":1}",
        },
        SpeechCommand {
            name: "signin",
            arguments: "AUTH USER_DATA…",
            help: "Signs in a user, with a signature of your own server.",
            example: "key:signature {\"id\":\"1\"}",
        },
        SpeechCommand { name: "ping", arguments: "", help: "Asks for a pong.", example: "" },
    ],
};

const NAME: &str = "pusher";

const RULE: &str = "Pusher 7, Channel Events";

#[derive(Default)]
struct Pusher {
    socket_id: Option<String>,
    /// In seconds.
    activity_timeout: u64,
    channels: Kept<String, bool>,
    /// Whether messages were not read.
    is_partial: bool,
}

fn event(name: &str, entries: impl IntoIterator<Item = (&'static str, Value)>) -> Outgoing {
    Outgoing::json([("event", name.into())].into_iter().chain(entries).collect::<Value>())
}

impl Lens for Pusher {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let name = value.text_of("event")?;
        // "data" is JSON in a string.
        let data = value
            .get("data")
            .map(|data| data.as_str().and_then(json::read).unwrap_or_else(|| data.clone()));
        let of = |key: &str| data.as_ref().and_then(|data| data.get(key));
        let channel = value.text_of("channel").or_else(|| of("channel")?.as_str());
        let channel = remembered(channel.unwrap_or_default());
        let (subscribed, missing) =
            (self.channels.get(&channel).is_some(), self.channels.lacks(&channel));
        let (is_private, is_presence) =
            (channel.starts_with("private-"), channel.starts_with("presence-"));
        let established = self.socket_id.is_some();
        let shown = data.as_ref().map(Value::short).unwrap_or_default();
        let plain = |key: &str| of(key).map(|value| brief(&value.plain())).unwrap_or_default();
        let summary = match name {
            "pusher:connection_established" => {
                self.socket_id = Some(remembered(&plain("socket_id")));
                self.activity_timeout =
                    of("activity_timeout").and_then(Value::as_u64).unwrap_or(120);
                format!("established {} idle {} s", plain("socket_id"), self.activity_timeout)
            }
            "pusher:subscribe" => {
                self.channels.insert(channel.clone(), false);
                format!("subscribe {}", brief(&channel))
            }
            "pusher:unsubscribe" => {
                self.channels.remove(&channel);
                format!("unsubscribe {}", brief(&channel))
            }
            "pusher_internal:subscription_succeeded" => {
                self.channels.insert(channel.clone(), true);
                format!("subscribed {}", brief(&channel))
            }
            // It contains a signature and the user.
            "pusher:signin" => "signin".to_owned(),
            "pusher:signin_success" => "signed in".to_owned(),
            "pusher:error" | "pusher:subscription_error" => {
                // The error does not name the refused channels.
                let refused: Vec<_> = match name {
                    "pusher:error" => {
                        self.channels.doubt();
                        let open = self.channels.iter().filter(|(_, confirmed)| !confirmed);
                        open.map(|(name, _)| name.clone()).collect()
                    }
                    _ => vec![channel.clone()],
                };
                for name in &refused {
                    self.channels.remove(name);
                }
                let code = of("code").and_then(Value::as_u64);
                let what = code.map_or("", what_to_do);
                // A refused subscription has the status of HTTP and the error of its endpoint.
                let either = |one: &str, other: &str| {
                    if of(one).is_some() { plain(one) } else { plain(other) }
                };
                let (code, why) = (either("code", "status"), either("message", "error"));
                format!("error {code} {why}{what}").trim_end().to_owned()
            }
            _ => {
                let to = if channel.is_empty() { String::new() } else { brief(&channel) + ":" };
                format!("{to}{} {shown}", brief(name))
            }
        };
        let decoded = match name {
            "pusher:ping" | "pusher:pong" => Decoded::heartbeat(NAME, name),
            _ => Decoded::new(NAME, name, summary),
        };
        let decoded = decoded
            .field("event", name)
            .field_if("channel", (!channel.is_empty()).then_some(channel.as_str()))
            .field_if("data", data.as_ref());
        Some(vec![match name {
            "pusher:ping" => {
                let pong = event("pusher:pong", [("data", Value::Map(Vec::new()))]);
                decoded.asks("ping", "").replied_by(pong)
            }
            "pusher:pong" => decoded.answers("ping"),
            // Other codes, and errors without a code, are about a message.
            "pusher:error" => {
                let code = of("code").and_then(Value::as_u64);
                decoded
                    .fails_if(true)
                    .refuses_if(code.is_some_and(|code| (4000..4300).contains(&code)))
            }
            "pusher:signin" => decoded.asks("signin", ""),
            "pusher:signin_success" => decoded.answers("signin"),
            "pusher:subscribe" => decoded
                .breaks_if(
                    !established && !self.is_partial,
                    RULE,
                    "a subscription before connection_established",
                )
                .breaks_if(subscribed, RULE, "the channel is subscribed to already")
                .breaks_if(
                    (is_private || is_presence) && of("auth").is_none(),
                    "Pusher 7, Private channels",
                    "the channel needs auth",
                )
                .breaks_if(
                    is_presence && of("channel_data").is_none(),
                    "Pusher 7, Presence channels",
                    "the channel needs channel_data",
                )
                .asks(format!("subscribe {channel}"), channel),
            "pusher_internal:subscription_succeeded" | "pusher:subscription_error" => decoded
                .answers(format!("subscribe {channel}"))
                .fails_if(name == "pusher:subscription_error"),
            name if message.from_client() => {
                let own = name.starts_with("client-");
                let rule = "Pusher 7, Channel Events (Client)";
                decoded
                    .breaks_if(
                        !own && !name.starts_with("pusher:"),
                        rule,
                        "an event of a client begins with client-",
                    )
                    .breaks_if(
                        own && !is_private && !is_presence,
                        rule,
                        "clients may send events on private and presence channels only",
                    )
                    .breaks_if(
                        own && established && missing,
                        rule,
                        "the channel was not subscribed to before",
                    )
            }
            _ => decoded,
        }])
    }

    /// The message may have been a subscription.
    fn pass_over(&mut self, _beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.channels.doubt();
        self.is_partial = true;
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        self.socket_id.is_none().then(|| {
            let otherwise =
                "pusher:error and a close code of 4000 to 4299 say why it does not come";
            AwaitedMessage::of_server("pusher:connection_established", otherwise)
        })
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let mut state = Vec::new();
        state.extend(self.socket_id.clone().map(|id| ("socket id", id)));
        let channels: Vec<_> =
            self.channels.iter().take(20).map(|(name, _)| name.clone()).collect();
        state.push(("channels", channels.join(", ")));
        state
    }

    fn beat(&self) -> Option<Beat> {
        self.socket_id.as_ref()?;
        let every = Duration::from_secs(self.activity_timeout.min(86_400));
        Some(Beat::every(every, event("pusher:ping", [("data", Value::Map(Vec::new()))])))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let channel = ("channel", Value::from(arguments.get(0)));
        Ok(vec![match command {
            "subscribe" => {
                let auth = arguments.given(1).map(|auth| ("auth", auth.into()));
                // The signature covers exactly this text.
                let user = arguments.given(2).map(|user| ("channel_data", user.into()));
                let data = [channel].into_iter().chain(auth).chain(user).collect();
                event("pusher:subscribe", [("data", data)])
            }
            "signin" => {
                let data = [
                    ("auth", Value::from(arguments.get(0))),
                    ("user_data", arguments.get(1).into()),
                ];
                event("pusher:signin", [("data", Value::from_iter(data))])
            }
            "unsubscribe" => event("pusher:unsubscribe", [("data", Value::from_iter([channel]))]),
            "trigger" => {
                let data = arguments.json(2).unwrap_or(Value::Map(Vec::new()));
                event(arguments.get(1), [channel, ("data", data)])
            }
            _ => event("pusher:ping", [("data", Value::Map(Vec::new()))]),
        }])
    }
}

/// What a client should do after an error with a code in this range.
fn what_to_do(code: u64) -> &'static str {
    match code {
        4000..=4099 => " (do not reconnect)",
        4100..=4199 => " (reconnect after 1 s)",
        4200..=4299 => " (reconnect at once)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use crate::lens::protocol::tests::{Script, complaints};
    use crate::lens::{Carried, Secrets};

    #[test]
    fn secrets_of_a_subscription_are_masked() {
        let mut script = Script::of("pusher", "", "/");
        let line = r#"subscribe presence-x key:s1gnature {"user_id":"1","token":"t0p"}"#;
        let sent = script.conversation.speak("pusher", line).expect("a command");
        let text = String::from_utf8(sent[0].content.clone()).expect("JSON");
        // Also if an event that quotes it is shown as a whole.
        for text in [text.clone(), text.replace("pusher:subscribe", "client-x")] {
            script.client(&text);
            let mut decoded = script.decoded().clone();
            let is_secret = &crate::wire::secret::is_secret;
            decoded.mask(&Secrets { is_secret, clean: &|text| Cow::Borrowed(text), mask: "-" });
            let all = format!("{decoded:?}");
            assert!(!all.contains("s1gnature") && !all.contains("t0p"), "{all}");
            let user = decoded.find("data.channel_data").and_then(|value| value.as_str());
            assert_eq!(user, Some(r#"{"user_id":"1","token":"-"}"#));
        }
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("pusher", "", "/");
        let subscribe = r#"{"event":"pusher:subscribe","data":{"channel":"presence-x"}}"#;
        script.client(subscribe);
        let expected = [
            "a subscription before connection_established",
            "the channel needs auth",
            "the channel needs channel_data",
        ];
        assert_eq!(complaints(script.decoded()), expected);
        script.server(
            r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#,
        );
        script.client(r#"{"event":"pusher:subscribe","data":{"channel":"x"}}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client(r#"{"event":"pusher:subscribe","data":{"channel":"x"}}"#);
        assert_eq!(complaints(script.decoded()).len(), 1, "again");
        script.client(r#"{"event":"client-a","channel":"x","data":{}}"#);
        assert_eq!(complaints(script.decoded()).len(), 1, "a public channel");
        script.client(r#"{"event":"client-a","channel":"private-y","data":{}}"#);
        assert_eq!(complaints(script.decoded()), ["the channel was not subscribed to before"]);
    }

    #[test]
    fn a_session_of_channels() {
        let mut script = Script::auto("", "/app/key?protocol=7&client=js&version=8");
        script.server(r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"123.456\",\"activity_timeout\":120}"}"#);
        assert_eq!(script.last(), "established 123.456 idle 120 s");
        script
            .client(r#"{"event":"pusher:subscribe","data":{"channel":"private-x","auth":"k:s"}}"#);
        assert_eq!(script.last(), "subscribe private-x");
        script.server(r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-x","data":"{}"}"#);
        assert_eq!(script.last(), "subscribed private-x (private-x, 35 ms)");
        script.server(r#"{"event":"new","channel":"x","data":"{\"a\":1}"}"#);
        assert_eq!(script.last(), r#"x:new {"a":1}"#);
        script.server(r#"{"event":"pusher:error","data":{"code":4009,"message":"Connection is unauthorized"}}"#);
        assert_eq!(script.last(), "error 4009 Connection is unauthorized (do not reconnect)");
        script.server(r#"{"event":"pusher:ping","data":"{}"}"#);
        assert!(script.decoded().heartbeat && script.decoded().reply.is_some());
        script.client(r#"{"event":"typing","channel":"x","data":{}}"#);
        assert_eq!(complaints(script.decoded()), ["an event of a client begins with client-"]);
    }

    #[test]
    fn a_channel_that_was_refused_may_be_asked_for_again() {
        let subscribe = r#"{"event":"pusher:subscribe","data":{"channel":"x"}}"#;
        for error in [
            r#"{"event":"pusher:subscription_error","channel":"x","data":{"status":403}}"#,
            r#"{"event":"pusher:error","data":{"code":4301,"message":"rate"}}"#,
        ] {
            let mut script = Script::of("pusher", "", "/");
            script.server(
                r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#,
            );
            script.client(subscribe);
            script.server(error);
            script.client(subscribe);
            assert_eq!(complaints(script.decoded()), [""; 0], "{error}");
        }
    }

    #[test]
    fn a_channel_that_was_forgotten_is_not_missed() {
        let mut script = Script::of("pusher", "", "/");
        script.server(
            r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#,
        );
        for at in 0..1100 {
            script.client(&format!(
                r#"{{"event":"pusher:subscribe","data":{{"channel":"private-{at}","auth":"k:s"}}}}"#
            ));
        }
        script.client(r#"{"event":"client-a","channel":"private-0","data":{}}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
