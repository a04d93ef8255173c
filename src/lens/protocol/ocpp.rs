//! OCPP-J of charging stations: <https://openchargealliance.org/protocols/>.

use std::time::Duration;

use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::text::brief;
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensMessage, Outgoing, Protocol, SpeechArguments, SpeechCommand,
    SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ocpp",
    word: "ocpp",
    title: "OCPP",
    subprotocols: &["ocpp1.2", "ocpp1.5", "ocpp1.6", "ocpp2.0", "ocpp2.0.1", "ocpp2.1"],
    url: |url| url.to_ascii_lowercase().contains("/ocpp"),
    beginning: |message| {
        use Value::{Integer, Map, Text};
        message.as_json().is_some_and(|value| {
            matches!(
                value.as_list(),
                Some([Integer(2), Text(_), Text(_), Map(_)] | [Integer(3), Text(_), Map(_)])
            )
        })
    },
    begins_like_others: false,
    lens: |_| Box::new(Ocpp::default()),
    commands: &[SpeechCommand {
        name: "",
        arguments: "ACTION [PAYLOAD…]",
        help: "Calls an action with a JSON payload under a new id.",
        example: "Heartbeat {}",
    }],
};

const NAME: &str = "ocpp";

/// The number at the beginning of a message, its name, and the elements after it.
const KINDS: [(u64, &str, &[&str]); 5] = [
    (2, "CALL", &["id", "action", "payload"]),
    (3, "CALLRESULT", &["id", "payload"]),
    (4, "CALLERROR", &["id", "code", "description", "details"]),
    (5, "CALLRESULTERROR", &["id", "code", "description", "details"]),
    (6, "SEND", &["id", "action", "payload"]),
];

/// How long a CALL keeps the next one waiting: "unless all responses … have been received or have timed
/// out" (§4.1.1). Implementations choose the time; many take 30 s.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Ocpp {
    begun: bool,
    /// The unanswered calls of server and client, and when they were sent.
    waiting: [Kept<String, i64>; 2],
    /// The ids used by each side.
    used: [Kept<String, ()>; 2],
    ids: Fresh,
}

impl Lens for Ocpp {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let [code, rest @ ..] = value.as_list()? else { return None };
        let code = code.as_u64()?;
        let (_, kind, fields) = KINDS.iter().find(|row| row.0 == code)?;
        let part = |at: usize| rest.get(at).map_or_else(String::new, |part| brief(&part.plain()));
        let (id, second, third) = (part(0), part(1), part(2));
        let summary = match code {
            2 | 6 => format!("{second}#{id} {third}"),
            3 => format!("#{id} {second}"),
            _ => {
                let details = rest.get(3).filter(|details| details.says_something());
                let details = details.map(|details| format!(" {}", details.short()));
                format!("#{id} error {second} {third}{}", details.unwrap_or_default())
            }
        };
        let mut decoded = Decoded::new(NAME, kind, summary).field("type", *kind);
        for (name, value) in fields.iter().zip(rest) {
            decoded = decoded.field(name, value);
        }
        let beat = second == "Heartbeat" && code == 2;
        let decoded = Decoded { heartbeat: beat, ..decoded };
        let decoded = decoded
            .breaks_if(
                rest.len() != fields.len(),
                "OCPP-J §4.2",
                "the list has a wrong number of elements",
            )
            .breaks_if(
                id.chars().count() > 36,
                "OCPP-J §4.1.4",
                "the id is longer than 36 characters",
            );
        self.begun |= message.from_client();
        if message.from_client() && code == 2 {
            self.ids.seen(id.parse().unwrap_or(0u64));
        }
        let (own, other) =
            (usize::from(message.from_client()), usize::from(!message.from_client()));
        let key = remembered(&rest.first().map(Value::plain).unwrap_or_default());
        let since = message.micros.saturating_sub(TIMEOUT.as_micros() as i64);
        let waiting = self.waiting[own].iter().filter(|(_, micros)| *micros > since);
        let waits = waiting.last().map(|(id, _)| brief(id));
        Some(vec![match code {
            2 => {
                // Without an answer, it may be the same call again.
                let used =
                    self.used[own].get(&key).is_some() && self.waiting[own].remove(&key).is_none();
                self.used[own].insert(key.clone(), ());
                self.waiting[own].insert(key, message.micros);
                let decoded =
                    decoded.breaks_if(used, "OCPP-J §4.1.4", "the id was used for another call");
                let decoded = match waits {
                    Some(waits) => decoded.breaks(
                        "OCPP-J §4.1.1",
                        format!("a CALL while #{waits} of the same side is unanswered"),
                    ),
                    None => decoded,
                };
                decoded.asks(id, second)
            }
            3 | 4 => {
                let unknown = self.waiting[other].lacks(&key) && self.begun;
                self.waiting[other].remove(&key);
                // Only the answer to BootNotification has an interval.
                let boot = rest.get(1).filter(|payload| payload.get("interval").is_some());
                let rejected = boot.and_then(|boot| boot.text_of("status")) == Some("Rejected");
                decoded
                    .breaks_if(unknown, "OCPP-J §4.2.2", "no CALL waits for this answer")
                    .answers(id)
                    .fails_if(code == 4 || rejected)
            }
            _ => decoded,
        }])
    }

    /// The message may have been a call or an answer.
    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.begun |= beginning.from_client();
        self.waiting = Default::default();
        self.waiting.iter_mut().for_each(Kept::doubt);
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        if !self.begun {
            let otherwise =
                "the central system answers other actions only after it has accepted it";
            return Some(AwaitedMessage::of_client("BootNotification", otherwise));
        }
        (self.waiting[1].iter().len() > 0).then(|| {
            let otherwise = "the charge point sends no other CALL before it";
            AwaitedMessage::of_server("the CALLRESULT", otherwise)
        })
    }

    fn speak(
        &mut self,
        _command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let id = self.ids.next().to_string().into();
        let payload = arguments.json(1).unwrap_or(Value::Map(Vec::new()));
        let call = [2u8.into(), id, arguments.get(0).into(), payload];
        Ok(vec![Outgoing::json(call.into_iter().collect::<Value>())])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Secrets;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn calls_and_their_results() {
        let mut script = Script::auto("ocpp1.6", "/ocpp/CP1");
        let boot =
            r#"[2,"19223201","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;
        script.client(boot);
        let expected =
            r#"BootNotification#19223201 {"chargePointVendor":"V","chargePointModel":"M"}"#;
        assert_eq!(script.last(), expected);
        script.server(r#"[3,"19223201",{"status":"Accepted"}]"#);
        let expected = r##"#19223201 {"status":"Accepted"} (BootNotification, 35 ms)"##;
        assert_eq!(script.last(), expected);
        script.server(r#"[2,"1","Reset",{}]"#);
        script.client(r#"[4,"1","NotSupported","no",{}]"#);
        assert_eq!(script.last(), "#1 error NotSupported no (Reset, 35 ms)");
    }

    /// The output for a message if `token` and `tenant` name secrets.
    fn shown(text: &str) -> (String, String) {
        let mut script = Script::of("ocpp", "", "/");
        script.client(text);
        let mut decoded = script.decoded().clone();
        decoded.mask(&Secrets {
            is_secret: &|name| crate::wire::secret::is_secret(name) || name == "tenant",
            clean: &|text| text.into(),
            mask: "-",
        });
        let payload = decoded.find("payload").or_else(|| decoded.find("details"));
        (decoded.summary.clone(), payload.map(|payload| payload.json()).unwrap_or_default())
    }

    #[test]
    fn a_value_of_the_configuration_is_masked_if_its_key_names_a_secret() {
        let long = "s3cr3t".repeat(20);
        let set = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":"{value}"}}"#);
        for (key, value, masked) in [
            ("HeartbeatInterval", "60", "60"),
            ("AuthorizationKey", "s3cr3t", "-"),
            ("AuthorizationKey", r#"s3\"c\u007fr3t"#, "-"),
            ("AuthorizationKey", r#"s3cr3t\""#, "-"),
            ("tenant", "s3cr3t", "-"),
            ("AuthorizationKey", &long, "-"),
        ] {
            let text = format!(r#"[2,"1","ChangeConfiguration",{}]"#, set(key, value));
            let mut script = Script::of("ocpp", "", "/");
            script.client(&text);
            let open = script.last().to_owned();
            assert!(!open.contains("\"key\":\"…") && open.contains(&value[..2]), "{open}");
            let (summary, payload) = shown(&text);
            assert_eq!(payload, set(key, masked));
            assert!(!summary.contains("s3"), "{summary}");
            let begin = format!(r#"ChangeConfiguration#1 {{"key":"{key}","value":"{masked}"#);
            assert!(summary.starts_with(&begin), "{summary}");
        }
        let mixed = [set("HeartbeatInterval", "60"), set("tenant", "s3cr3t")].join(",");
        let (summary, _) = shown(&format!(r#"[3,"1",{{"list":[{mixed}]}}]"#));
        assert!(summary.contains(r#""value":"60""#) && !summary.contains("s3"), "{summary}");
        let variable = r#"{"attributeValue":"s3cr3t","variable":{"name":"BasicAuthPassword"}}"#;
        let (summary, payload) = shown(&format!(r#"[2,"1","SetVariables",{{"d":[{variable}]}}]"#));
        assert!(!(summary + &payload).contains("s3"));
        // A key without a value next to it may be a secret.
        let (summary, payload) = shown(r#"[2,"1","DataTransfer",{"key":"s3cr3t"}]"#);
        assert!(!(summary + &payload).contains("s3"));
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("ocpp", "", "/");
        script.client(r#"[4,"1","NotSupported"]"#);
        assert_eq!(complaints(script.decoded()).len(), 2, "too short, and of no call");
        script.client(r#"[2,"1","Heartbeat",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client(r#"[2,"2","StatusNotification",{}]"#);
        assert_eq!(
            complaints(script.decoded()),
            ["a CALL while #1 of the same side is unanswered"]
        );
        script.server(r#"[2,"1","Reset",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "the other side counts for itself");
        script.server(r#"[3,"2",{}]"#);
        script.server(r#"[3,"1",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client(r#"[2,"2","Heartbeat",{}]"#);
        assert_eq!(complaints(script.decoded()), ["the id was used for another call"]);
        script.server(r#"[3,"7",{}]"#);
        assert_eq!(complaints(script.decoded()), ["no CALL waits for this answer"]);
    }

    #[test]
    fn a_lost_answer_does_not_hold_up_the_next_call() {
        let mut script = Script::of("ocpp", "", "/");
        script.client(r#"[2,"1","Heartbeat",{}]"#);
        script.wait(31);
        for id in 2..5 {
            script.client(&format!(r#"[2,"{id}","Heartbeat",{{}}]"#));
            assert_eq!(complaints(script.decoded()), [""; 0]);
            script.server(&format!(r#"[3,"{id}",{{}}]"#));
        }
        script.server(r#"[3,"1",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "late, but of a CALL");
    }

    #[test]
    fn what_was_passed_over_is_not_missed() {
        let mut script = Script::of("ocpp", "", "/");
        script.client(r#"[2,"0","Heartbeat",{}]"#);
        script.server_large(b"[3,\"0\",", 2 << 20);
        script.client(r#"[2,"1","Heartbeat",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(r#"[3,"1",{}]"#);
        script.client_large(b"[2,\"2\",", 2 << 20);
        script.server(r#"[3,"2",{}]"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn an_id_has_characters_and_a_call_may_be_sent_again() {
        let mut script = Script::of("ocpp", "", "/");
        let id = "ä".repeat(36);
        script.client(&format!(r#"[2,"{id}","Heartbeat",{{}}]"#));
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.wait(31);
        script.client(&format!(r#"[2,"{id}","Heartbeat",{{}}]"#));
        assert_eq!(complaints(script.decoded()), [""; 0], "nobody answered it");
    }
}
