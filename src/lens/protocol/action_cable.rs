//! Action Cable of Ruby on Rails, `actioncable-v1-json`:
//! <https://docs.anycable.io/misc/action_cable_protocol>.

use crate::lens::kept::{Kept, remembered};
use crate::lens::payload::json;
use crate::lens::text::{brief, path_ends};
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments, SpeechCommand,
    SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "action-cable",
    word: "cable",
    title: "Action Cable",
    subprotocols: &["actioncable-v1-json"],
    url: |url| path_ends(url, "/cable"),
    beginning: |message| {
        message.as_json().is_some_and(|value| match message.from_client() {
            true => value.get("command").is_some() && value.text_of("identifier").is_some(),
            false => {
                matches!(value.text_of("type"), Some("welcome" | "disconnect"))
                    || value.text_of("type") == Some("ping")
                        && value.get("message").is_some_and(|time| time.as_u64().is_some())
            }
        })
    },
    begins_like_others: false,
    lens: |_| Box::new(Cable::default()),
    commands: &[
        SpeechCommand {
            name: "subscribe",
            arguments: "CHANNEL [PARAMS…]",
            help: "Subscribes to a channel with parameters as a JSON object.",
            example: "ChatChannel {\"room\":1}",
        },
        SpeechCommand {
            name: "unsubscribe",
            arguments: "CHANNEL [PARAMS…]",
            help: "Ends a subscription.",
            example: "ChatChannel {\"room\":1}",
        },
        SpeechCommand {
            name: "perform",
            arguments: "CHANNEL ACTION [DATA…]",
            help: "Calls an action of a channel, with the parameters of the last subscription to it.",
            example: "ChatChannel speak {\"text\":\"hi\"}",
        },
    ],
};

const NAME: &str = "action-cable";

#[derive(Default)]
struct Cable {
    welcomed: bool,
    /// Identifiers, and whether the server has confirmed them.
    subscriptions: Kept<String, bool>,
    /// Rejected subscriptions; messages for them may have been on their way.
    rejected: Kept<String, ()>,
}

impl Cable {
    /// The identifier of a channel: the given text if it is one, otherwise that of the last
    /// subscription to a channel with this name, otherwise one without parameters.
    fn identifier(&self, given: &str) -> String {
        if given.starts_with('{') {
            return given.to_owned();
        }
        let is_it = |identifier: &&String| {
            let name = channel(identifier);
            name.strip_prefix(given).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        let known = self.subscriptions.iter().map(|(identifier, _)| identifier);
        let last = known.filter(is_it).last().cloned();
        last.unwrap_or_else(|| Value::from_iter([("channel", given.into())]).json())
    }
}

/// An identifier is JSON in a string: `ChatChannel{"room":1}`.
fn channel(identifier: &str) -> String {
    let Some(Value::Map(entries)) = json::read(identifier) else { return brief(identifier) };
    let is_channel = |entry: &&(Value, Value)| entry.0.as_str() == Some("channel");
    let name = entries.iter().find(is_channel).map(|(_, name)| name.plain()).unwrap_or_default();
    let rest: Vec<_> = entries.iter().filter(|entry| !is_channel(entry)).cloned().collect();
    let params = if rest.is_empty() { String::new() } else { Value::Map(rest).short() };
    brief(&(name + &params))
}

/// The JSON in a string, or the value itself.
fn unpacked(value: &Value) -> Value {
    value.as_str().and_then(json::read).unwrap_or_else(|| value.clone())
}

impl Lens for Cable {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let identifier = value.text_of("identifier");
        let key = remembered(identifier.unwrap_or_default());
        let channel = identifier.map(channel);
        let name = channel.clone().unwrap_or_default();
        if message.from_client() {
            let command = value.text_of("command")?;
            let data = value.get("data").map(unpacked);
            let shown = data.as_ref().map(|data| format!(" {}", data.short()));
            let summary = format!("{} {name}{}", brief(command), shown.unwrap_or_default());
            let decoded = Decoded::new(NAME, command, summary)
                .field("command", command)
                .field_if("identifier", value.get("identifier").map(unpacked))
                .field_if("data", data)
                .breaks_if(
                    !identifier.and_then(json::read).is_some_and(|value| value.is_map()),
                    "Action Cable, Commands",
                    "a command names its subscription by an identifier, a JSON object in a string",
                );
            return Some(vec![match command {
                "subscribe" => {
                    self.subscriptions.insert(key.clone(), false);
                    decoded.asks(key, name)
                }
                "unsubscribe" => {
                    self.subscriptions.remove(&key);
                    decoded
                }
                "message" => decoded.breaks_if(
                    self.subscriptions.lacks(&key) && self.rejected.lacks(&key),
                    "Action Cable, Commands",
                    "the channel was not subscribed to before: the server ignores the message",
                ),
                _ => decoded.breaks("Action Cable, Commands", "unknown command"),
            }]);
        }
        let kind = value.text_of("type");
        let decoded = match (kind, identifier) {
            (Some("ping"), _) => Decoded::heartbeat(NAME, "ping"),
            (Some("welcome"), _) => {
                self.welcomed = true;
                Decoded::new(NAME, "welcome", "welcome")
            }
            (Some("confirm_subscription"), Some(_)) => {
                self.subscriptions.insert(key.clone(), true);
                Decoded::new(NAME, "confirm_subscription", format!("confirmed {name}")).answers(key)
            }
            (Some("reject_subscription"), Some(_)) => {
                self.subscriptions.remove(&key);
                self.rejected.insert(key.clone(), ());
                Decoded::new(NAME, "reject_subscription", format!("rejected {name}"))
                    .answers(key)
                    .fails_if(true)
            }
            (Some("disconnect"), _) => {
                let reason = value.get("reason").map(|reason| brief(&reason.plain()));
                let again = match value.get("reconnect") {
                    Some(Value::Bool(false)) => " (no reconnect)",
                    _ => " (reconnect)",
                };
                let summary = format!("disconnect {}{again}", reason.unwrap_or_default());
                Decoded::new(NAME, "disconnect", summary)
                    .field_if("reason", value.get("reason"))
                    .field_if("reconnect", value.get("reconnect"))
                    // A server that restarts wants the client back.
                    .refuses_if(value.get("reconnect") != Some(&Value::Bool(true)))
                    .leaves_if(value.get("reconnect") == Some(&Value::Bool(true)))
            }
            (None, Some(_)) => {
                let summary = format!("{name} {}", value.get("message")?.short());
                Decoded::new(NAME, "message", summary)
            }
            _ => return None,
        };
        let decoded = decoded.field_if("type", kind);
        let decoded = decoded.field_if("identifier", value.get("identifier").map(unpacked));
        Some(vec![decoded.field_if("message", value.get("message"))])
    }

    /// The message may have been a subscription.
    fn pass_over(&mut self, _beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.subscriptions.doubt();
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        (!self.welcomed).then(|| {
            let otherwise =
                "commands before it are ignored; an Origin that is not allowed gets 404";
            AwaitedMessage::of_server("welcome", otherwise)
        })
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let one = |(identifier, confirmed): &(String, bool)| {
            let state = if *confirmed { "" } else { " (not confirmed)" };
            channel(identifier) + state
        };
        let all: Vec<_> = self.subscriptions.iter().take(20).map(one).collect();
        vec![("subscriptions", all.join(", "))]
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        // The entries of an argument that is an object, after the required ones.
        let object = |first: (&str, Value), at: usize| {
            let mut entries = vec![(Value::from(first.0), first.1)];
            match arguments.json(at) {
                None => {}
                Some(Value::Map(more)) => entries.extend(more),
                Some(_) => {
                    let text = format!("not a JSON object: {}", arguments.get(at));
                    return Err(SpeechError::Wrong(text));
                }
            }
            Ok(Value::from(Value::Map(entries).json()))
        };
        let name = ("channel", arguments.get(0).into());
        let entries = match command {
            "perform" => vec![
                ("command", "message".into()),
                ("identifier", self.identifier(arguments.get(0)).into()),
                ("data", object(("action", arguments.get(1).into()), 2)?),
            ],
            "unsubscribe" if arguments.given(1).is_none() => vec![
                ("command", command.into()),
                ("identifier", self.identifier(arguments.get(0)).into()),
            ],
            command => vec![("command", command.into()), ("identifier", object(name, 1)?)],
        };
        Ok(vec![Outgoing::json(entries.into_iter().collect::<Value>())])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_with_rails() {
        let mut script = Script::auto("actioncable-v1-json", "/cable");
        script.server(r#"{"type":"welcome"}"#);
        assert_eq!(script.last(), "welcome");
        script.server(r#"{"type":"ping","message":1700000000}"#);
        assert!(script.decoded().heartbeat);
        script.client(
            r#"{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\",\"room\":1}"}"#,
        );
        assert_eq!(script.last(), r#"subscribe ChatChannel{"room":1}"#);
        script.server(r#"{"identifier":"{\"channel\":\"ChatChannel\",\"room\":1}","type":"confirm_subscription"}"#);
        assert_eq!(
            script.last(),
            r#"confirmed ChatChannel{"room":1} (ChatChannel{"room":1}, 35 ms)"#
        );
        script.server(
            r#"{"identifier":"{\"channel\":\"ChatChannel\",\"room\":1}","message":{"text":"hi"}}"#,
        );
        assert_eq!(script.last(), r#"ChatChannel{"room":1} {"text":"hi"}"#);
        script.server(r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#);
        assert_eq!(script.last(), "disconnect unauthorized (no reconnect)");
        let sent = script.conversation.speak("cable", "perform ChatChannel speak {\"a\":1}");
        script.send(&sent.expect("a command")[0]);
        assert_eq!(script.last(), r#"message ChatChannel{"room":1} {"action":"speak","a":1}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let line = r#"perform {"channel":"ChatChannel","room":2} speak"#;
        let sent = script.conversation.speak("cable", line);
        script.send(&sent.expect("a command")[0]);
        assert_eq!(script.last(), r#"message ChatChannel{"room":2} {"action":"speak"}"#);
        assert_eq!(complaints(script.decoded()).len(), 1, "of no subscription");
        let sent = script.conversation.speak("cable", "unsubscribe ChatChannel");
        script.send(&sent.expect("a command")[0]);
        assert_eq!(script.last(), r#"unsubscribe ChatChannel{"room":1}"#);
    }

    #[test]
    fn a_message_may_be_on_its_way_when_its_channel_is_refused() {
        let mut script = Script::auto("actioncable-v1-json", "/cable");
        script.server(r#"{"type":"welcome"}"#);
        script.client(r#"{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#);
        script.server(r#"{"identifier":"{\"channel\":\"A\"}","type":"reject_subscription"}"#);
        script.client(r#"{"command":"message","identifier":"{\"channel\":\"A\"}","data":"{}"}"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
