//! GraphQL over WebSocket: `graphql-transport-ws`, and the older protocol whose name is
//! `graphql-ws`.
//! <https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md>.

use std::fmt::Write;

use crate::lens::kept::{Fresh, Kept, remembered};
use crate::lens::text::{brief, path_ends};
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static TRANSPORT_WS: Protocol = Protocol {
    name: "graphql-transport-ws",
    word: "gql",
    title: "graphql-transport-ws",
    subprotocols: &["graphql-transport-ws"],
    url: is_graphql,
    beginning: |message| {
        begins(message, &["connection_init", "connection_ack", "subscribe", "next"])
    },
    begins_like_others: false,
    lens: |facts| Box::new(GraphQl::new(&MODERN, facts)),
    commands: &COMMANDS,
};

pub(super) static LEGACY: Protocol = Protocol {
    name: "graphql-ws",
    word: "gql",
    title: "graphql-ws (legacy)",
    subprotocols: &["graphql-ws"],
    url: is_graphql,
    // Both begin in the same way: if no subprotocol decides, the modern one comes first.
    beginning: |message| {
        begins(message, &["connection_init", "connection_ack", "start", "data", "ka"])
    },
    begins_like_others: false,
    lens: |facts| Box::new(GraphQl::new(&OLD, facts)),
    commands: &COMMANDS,
};

static COMMANDS: [SpeechCommand; 6] = [
    SpeechCommand {
        name: "init",
        arguments: "[PAYLOAD…]",
        help: "Opens the session, with a JSON payload to authenticate.",
        example: "{\"token\":\"x\"}",
    },
    SpeechCommand {
        name: "subscribe",
        arguments: "QUERY…",
        help: "Runs a query, mutation or subscription under a new id.",
        example: "query { hello }",
    },
    SpeechCommand {
        name: "run",
        arguments: "VARIABLES QUERY…",
        help: "Runs an operation with variables, which are a JSON object in single quotes.",
        example: "'{\"n\": 2}' query ($n: Int) { count(to: $n) }",
    },
    SpeechCommand {
        name: "complete",
        arguments: "ID",
        help: "Ends the operation of an id.",
        example: "1",
    },
    SpeechCommand {
        name: "ping",
        arguments: "",
        help: "Asks the other side for a pong (graphql-transport-ws only).",
        example: "",
    },
    SpeechCommand {
        name: "terminate",
        arguments: "",
        help: "Ends the session (graphql-ws only; in graphql-transport-ws /close does).",
        example: "",
    },
];

fn is_graphql(url: &str) -> bool {
    path_ends(url, "/graphql") || path_ends(url, "/subscriptions")
}

fn begins(message: &LensMessage<'_>, kinds: &[&str]) -> bool {
    let Some(value) = message.as_json() else { return false };
    let Some(kind) = value.text_of("type").filter(|kind| kinds.contains(kind)) else {
        return false;
    };
    // Many protocols have a message with this type.
    match kind {
        "subscribe" | "start" | "next" | "data" => {
            value.get("id").is_some() && value.get("payload").is_some()
        }
        _ => true,
    }
}

/// The different words of the two protocols.
struct Dialect {
    name: &'static str,
    /// The types of a request, of a partial answer, and of the client's end of a request.
    words: [&'static str; 3],
    /// All other types.
    others: &'static [&'static str],
}

impl Dialect {
    fn has(&self, kind: &str) -> bool {
        self.words.contains(&kind) || self.others.contains(&kind)
    }
}

static MODERN: Dialect = Dialect {
    name: "graphql-transport-ws",
    words: ["subscribe", "next", "complete"],
    others: &["connection_init", "connection_ack", "ping", "pong", "error"],
};

static OLD: Dialect = Dialect {
    name: "graphql-ws",
    words: ["start", "data", "stop"],
    others: &[
        "connection_init",
        "connection_ack",
        "connection_error",
        "connection_terminate",
        "ka",
        // AWS AppSync's answer to start.
        "start_ack",
        "complete",
        "error",
    ],
};

const RULE: &str = "GraphQL over WebSocket";

struct GraphQl {
    dialect: &'static Dialect,
    /// Whether a subprotocol decides between the two; otherwise their messages do.
    is_agreed: bool,
    /// Whether messages were not read.
    is_partial: bool,
    asked: bool,
    acknowledged: bool,
    running: Kept<String, String>,
    /// Ended operations, and whether the server ended them.
    over: Kept<String, bool>,
    /// Ids that the client has used again after it ended them: the end of one may belong to the
    /// earlier operation.
    again: Kept<String, ()>,
    ids: Fresh,
}

impl GraphQl {
    fn new(dialect: &'static Dialect, facts: &LensFacts) -> Self {
        let (running, over, ids) = (Kept::default(), Kept::default(), Fresh::default());
        Self {
            dialect,
            is_agreed: facts
                .subprotocol
                .as_ref()
                .is_some_and(|name| [MODERN.name, OLD.name].contains(&name.as_str())),
            is_partial: false,
            again: Kept::default(),
            asked: false,
            acknowledged: false,
            running,
            over,
            ids,
        }
    }

    fn is_modern(&self) -> bool {
        self.dialect.name == MODERN.name
    }

    /// The fault and its consequence; the older protocol has no close codes.
    fn wrong<'t>(&self, text: &'t str) -> &'t str {
        match self.is_modern() {
            true => text,
            false => text.split(": the ").next().unwrap_or(text),
        }
    }

    /// Handles a client's message, and checks its rules.
    fn of_client(&mut self, kind: &str, id: &str, about: &str, decoded: Decoded) -> Decoded {
        let [start, _, stop] = self.dialect.words;
        let early = kind == start && !self.acknowledged;
        let decoded = decoded.breaks_if(
            early && self.is_modern() && !self.is_partial,
            RULE,
            "an operation before connection_ack: the server closes with 4401 Unauthorized",
        );
        if kind == "connection_init" {
            let again = std::mem::replace(&mut self.asked, true);
            decoded.asks("connection", "").breaks_if(
                again && self.is_modern(),
                RULE,
                "a second connection_init: the server closes with 4429",
            )
        } else if kind == start {
            self.ids.seen(id.parse().unwrap_or(0u64));
            let taken = self.running.get(&remembered(id)).is_some();
            self.running.insert(remembered(id), brief(about));
            if self.over.remove(&remembered(id)) == Some(false) {
                self.again.insert(remembered(id), ());
            }
            decoded.asks(format!("#{id}"), about).breaks_if(
                // In the older protocol, the new operation replaces the old one.
                taken && self.is_modern(),
                RULE,
                "an operation with this id is already running: the server closes with 4409",
            )
        } else if kind == stop {
            if self.running.remove(&remembered(id)).is_some() {
                self.over.insert(remembered(id), false);
            }
            decoded.withdraws(format!("#{id}"))
        } else {
            let others = ["ping", "pong", "connection_terminate"];
            decoded.leaves_if(kind == others[2]).breaks_if(
                !others.contains(&kind),
                RULE,
                self.wrong("only a server sends it: the server closes with 4400"),
            )
        }
    }

    /// Handles a server's message, and checks its rules.
    fn of_server(&mut self, kind: &str, id: &str, decoded: Decoded) -> Decoded {
        let [start, next, _] = self.dialect.words;
        let own = remembered(id);
        let decoded = decoded.breaks_if(
            kind == start || ["connection_init", "connection_terminate", "stop"].contains(&kind),
            RULE,
            self.wrong("only a client sends it: the client closes with 4400"),
        );
        // An operation that the client ended may have results on their way.
        let of_none = self.asked
            && (kind == next || ["complete", "error"].contains(&kind))
            && self.running.lacks(&own);
        let over = self.over.get(&own).copied();
        let decoded = decoded
            .breaks_if(
                of_none && over == Some(true),
                RULE,
                "the operation has already ended, with error or complete",
            )
            .breaks_if(of_none && self.over.lacks(&own), RULE, "no operation has this id");
        match kind {
            "connection_ack" => {
                let again = std::mem::replace(&mut self.acknowledged, true) && self.is_modern();
                decoded
                    .breaks_if(again, RULE, "a second connection_ack")
                    .breaks_if(
                        !self.asked && !self.is_partial,
                        RULE,
                        "a connection_ack before connection_init",
                    )
                    .answers("connection")
            }
            "connection_error" => decoded.answers("connection").refuses_if(true),
            // In the older protocol, complete follows an error.
            "error" if self.dialect.name == OLD.name => {
                decoded.answers_in_part(format!("#{id}")).fails_if(true)
            }
            "complete" | "error" => {
                if self.running.remove(&own).is_some() {
                    let is_sure = self.again.lacks(&own);
                    self.over.insert(own, is_sure);
                }
                decoded.answers(format!("#{id}")).fails_if(kind == "error")
            }
            kind if kind == self.dialect.words[1] => decoded.answers_in_part(format!("#{id}")),
            _ => decoded,
        }
    }
}

impl Lens for GraphQl {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let value = message.as_json()?;
        let kind = value.text_of("type")?;
        for other in [&MODERN, &OLD] {
            // Both begin in the same way.
            if !self.is_agreed && other.has(kind) && !self.dialect.has(kind) {
                self.dialect = other;
            }
        }
        let Dialect { name, words, .. } = *self.dialect;
        if !self.dialect.has(kind) {
            let unknown = Decoded::new(name, "unknown", format!("{} ?", brief(kind)));
            // Other protocols begin in the same way, such as the Event API of AWS AppSync.
            return (self.is_agreed && (self.asked || self.acknowledged)).then(|| {
                let text = "unknown message type: the other side closes with 4400";
                vec![unknown.field("type", kind).breaks(RULE, self.wrong(text))]
            });
        }
        let (id, payload) = (value.get("id").map(Value::plain), value.get("payload"));
        let mut summary = kind.to_owned();
        if let Some(id) = &id {
            let _ = write!(summary, " #{}", brief(id));
        }
        let query = payload.and_then(|payload| payload.text_of("query"));
        let about = query.map_or_else(String::new, compact);
        let shown = match (query, payload, kind) {
            // This message may contain a login.
            (_, _, "connection_init") => None,
            (Some(_), ..) => Some(brief(&about)),
            (_, Some(payload), "error") => Some(first_message(payload)),
            (_, Some(payload), _) => Some(payload.short()),
            _ => None,
        };
        if let Some(shown) = shown {
            let _ = write!(summary, " {shown}");
        }
        let decoded = match kind {
            "ka" => Decoded::heartbeat(name, kind),
            "ping" | "pong" if payload.is_none() => Decoded::heartbeat(name, kind),
            _ => Decoded::new(name, kind, summary),
        };
        let decoded =
            decoded.field("type", kind).field_if("id", id.as_deref()).field_if("payload", payload);
        let decoded = match kind {
            "ping" => {
                let pong = Value::from_iter([("type", "pong".into())]);
                decoded.asks("ping", "").replied_by(Outgoing::json(pong))
            }
            "pong" => decoded.answers("ping"),
            _ => decoded,
        };
        // "If the data entry … is not present, the errors entry must be present" (GraphQL §7.1).
        let part = |name| payload.and_then(|payload| payload.get(name));
        let failed = part("errors").and_then(Value::as_list).is_some_and(|all| !all.is_empty())
            && part("data").is_none_or(is_nothing);
        let decoded = decoded.fails_if(failed);
        // In the older protocol, an error may be about the connection.
        let needs_id =
            words.contains(&kind) || kind == "complete" || kind == "error" && self.is_modern();
        let decoded = decoded.breaks_if(
            needs_id && id.is_none(),
            RULE,
            self.wrong("the message has no id: the other side closes with 4400"),
        );
        let modern = self.is_modern();
        let decoded = decoded
            .breaks_if(
                modern
                    && needs_id
                    && value.get("id").is_some_and(|id| id.as_str().is_none_or(str::is_empty)),
                RULE,
                "the id is not a text, or is empty: the other side closes with 4400",
            )
            .breaks_if(
                modern
                    && kind == "subscribe"
                    && query.is_none()
                    && (self.is_agreed || payload.is_some()),
                RULE,
                "the payload has no query: the server closes with 4400",
            )
            .breaks_if(
                modern && kind == "next" && payload.is_none(),
                RULE,
                "a result has no payload: the client closes with 4400",
            )
            .breaks_if(
                modern && kind == "error" && payload.and_then(Value::as_list).is_none(),
                RULE,
                "the payload of an error is a list of errors",
            );
        let id = id.unwrap_or_default();
        Some(vec![match message.from_client() {
            true => self.of_client(kind, &id, &about, decoded),
            false => self.of_server(kind, &id, decoded),
        }])
    }

    /// The message may have begun or ended an operation.
    fn pass_over(&mut self, _beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.running.doubt();
        self.over.doubt();
        self.is_partial = true;
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.asked, self.acknowledged) {
            (_, true) => None,
            (false, _) if self.dialect.name == MODERN.name => Some(AwaitedMessage::of_client(
                "connection_init",
                "the server closes with 4408 Connection initialisation timeout, after 3 s by default",
            )),
            (false, _) => Some(AwaitedMessage::of_client(
                "connection_init",
                "the server answers no operation before it",
            )),
            (true, _) => Some(AwaitedMessage::of_server(
                "connection_ack",
                "an operation before it closes the connection with 4401",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let running: Vec<_> =
            self.running.iter().take(20).map(|(id, about)| format!("#{id} {about}")).collect();
        vec![
            ("acknowledged", if self.acknowledged { "yes" } else { "no" }.to_owned()),
            ("running", running.join(", ")),
        ]
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let kind = |kind: &str| ("type", kind.into());
        let [start, _, stop] = self.dialect.words;
        let entries = match command {
            "init" => {
                let payload = arguments.json(0).map(|payload| ("payload", payload));
                [kind("connection_init")].into_iter().chain(payload).collect()
            }
            "subscribe" => {
                let query = Value::from_iter([("query", arguments.get(0).into())]);
                let id = self.ids.next().to_string();
                vec![("id", id.into()), kind(start), ("payload", query)]
            }
            "run" => {
                let variables = arguments.json(0).filter(Value::is_map).ok_or_else(|| {
                    let given = arguments.get(0);
                    SpeechError::Wrong(format!("VARIABLES is not a JSON object: {given}"))
                })?;
                let query = [("query", arguments.get(1).into()), ("variables", variables)];
                let id = self.ids.next().to_string();
                vec![("id", id.into()), kind(start), ("payload", Value::from_iter(query))]
            }
            "complete" => vec![("id", arguments.get(0).into()), kind(stop)],
            // Each protocol has a command that the other one lacks.
            command if (command == "ping") != self.is_modern() => {
                let name = self.dialect.name;
                return Err(SpeechError::Wrong(format!("{name} has no {command}")));
            }
            "ping" => vec![kind("ping")],
            _ => vec![kind("connection_terminate")],
        };
        Ok(vec![Outgoing::json(entries.into_iter().collect::<Value>())])
    }
}

/// A query on one line, without unnecessary white space.
fn compact(query: &str) -> String {
    let mut out = String::new();
    for word in query.split_whitespace() {
        let tight = |c: char| "{}():,".contains(c);
        if !out.is_empty() && !out.ends_with(tight) && !word.starts_with(tight) {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > 400 {
            break;
        }
    }
    out
}

/// The message of the first error in a list.
fn first_message(payload: &Value) -> String {
    let message = payload.path("0.message").or_else(|| payload.get("message"));
    message.unwrap_or(payload).short()
}

/// Whether the data of a result are null, whole or in each field.
fn is_nothing(data: &Value) -> bool {
    match data {
        Value::Map(fields) => fields.iter().all(|(_, value)| *value == Value::Null),
        data => *data == Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn an_id_is_a_text() {
        let mut script = Script::of("graphql-transport-ws", "graphql-transport-ws", "/");
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        for id in ["1", "\"\""] {
            let text = format!(r#"{{"id":{id},"type":"subscribe","payload":{{"query":"{{a}}"}}}}"#);
            script.client(&text);
            let expected = "the id is not a text, or is empty: the other side closes with 4400";
            assert_eq!(complaints(script.decoded()), [expected]);
        }
    }

    #[test]
    fn others_that_begin_alike_are_not_blamed() {
        let mut script = Script::auto("aws-appsync-event-ws", "/event/realtime");
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#);
        script.client(r#"{"type":"subscribe","id":"1","channel":"/a"}"#);
        assert!(script.packets().iter().all(|packet| complaints(packet).is_empty()));
        assert_eq!(script.server(r#"{"type":"subscribe_success","id":"1"}"#), [""; 0]);
        assert!(script.conversation.is_off());
    }

    #[test]
    fn without_a_subprotocol_the_messages_say_which_it_is() {
        let mut script = Script::auto("", "/graphql");
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        script.client(r#"{"id":"1","type":"start","payload":{"query":"{a}"}}"#);
        assert_eq!(
            (script.last().as_str(), complaints(script.decoded())),
            ("start #1 {a}", vec![])
        );
        script.server(r#"{"id":"1","type":"data","payload":{"data":{"a":1}}}"#);
        assert_eq!(script.last(), r#"data #1 {"data":{"a":1}} ({a}, 35 ms)"#);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let mut script = Script::of("graphql-transport-ws", "graphql-transport-ws", "/graphql");
        script.client(r#"{"type":"connection_init"}"#);
        script.client(r#"{"id":"1","type":"start","payload":{"query":"{a}"}}"#);
        assert_eq!(complaints(script.decoded()).len(), 1);
    }

    #[test]
    fn a_type_that_others_have_too_is_no_evidence() {
        let mut script = Script::auto("", "/graphql");
        script.client(r#"{"type":"subscribe","channel":"a"}"#);
        assert!(script.conversation.protocol().is_none());
        script.client(r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#);
        assert!(script.conversation.protocol().is_some());
    }

    #[test]
    fn what_a_likely_protocol_waits_for_is_known_before_a_message() {
        let mut script = Script::auto("graphql-transport-ws", "/x");
        let state = script.state();
        assert!(state.contains("likely: graphql-transport-ws (subprotocol"), "{state}");
        assert!(state.contains("if so, the server waits for connection_init; "), "{state}");
        let mut script = Script::auto("", "/x");
        assert_eq!(script.state(), "lens: none yet, too little evidence\n");
    }

    #[test]
    fn the_agreed_subprotocol_decides() {
        let mut script = Script::auto("graphql-ws", "/ws");
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        let (chosen, _) = script.conversation.protocol().expect("a lens");
        assert_eq!(chosen.name, "graphql-ws");
    }

    #[test]
    fn a_session_of_graphql_ws() {
        let mut script = Script::auto("graphql-transport-ws", "/graphql");
        assert!(script.state().contains("4408"), "{}", script.state());
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        assert_eq!(script.last(), "connection_ack (35 ms)");
        script.client(
            r#"{"id":"1","type":"subscribe","payload":{"query":"subscription {\n  hello\n}"}}"#,
        );
        assert_eq!(script.last(), "subscribe #1 subscription{hello}");
        script.server(r#"{"id":"1","type":"next","payload":{"data":{"hello":"a"}}}"#);
        assert_eq!(script.last(), r#"next #1 {"data":{"hello":"a"}} (subscription{hello}, 35 ms)"#);
        script.client(r#"{"id":"2","type":"subscribe","payload":{"query":"{x}"}}"#);
        script.server(r#"{"id":"2","type":"error","payload":[{"message":"no such field"}]}"#);
        assert_eq!(script.last(), "error #2 \"no such field\" ({x}, 35 ms)");
        script.server(r#"{"type":"ping"}"#);
        assert!(script.decoded().reply.is_some());
        assert_eq!(script.conversation.unanswered().len(), 2, "subscription and ping");
        script.client(r#"{"id":"1","type":"complete"}"#);
        assert_eq!(script.conversation.unanswered().len(), 1);
    }

    #[test]
    fn the_close_codes_of_breaches_are_foretold() {
        let mut script = Script::auto("graphql-transport-ws", "/graphql");
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        script.client(subscribe);
        assert!(complaints(script.decoded())[0].contains("4401"));
        script.server(r#"{"type":"connection_ack"}"#);
        script.client(subscribe);
        assert!(complaints(script.decoded())[0].contains("4409"));
        script.client(r#"{"type":"connection_init"}"#);
        script.client(r#"{"type":"connection_init"}"#);
        assert!(complaints(script.decoded())[0].contains("4429"));
        script.client(r#"{"type":"subscribe","payload":{"query":"{a}"}}"#);
        assert!(complaints(script.decoded())[0].contains("4400"));
    }

    #[test]
    fn an_operation_that_is_over_has_no_results() {
        let mut script = Script::auto("graphql-transport-ws", "/graphql");
        script.server(r#"{"type":"connection_ack"}"#);
        assert_eq!(complaints(script.decoded()), ["a connection_ack before connection_init"]);
        let mut script = Script::auto("graphql-transport-ws", "/graphql");
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        let next = r#"{"id":"1","type":"next","payload":{"data":1}}"#;
        let (complete, error) = (
            r#"{"id":"1","type":"complete"}"#,
            r#"{"id":"1","type":"error","payload":[{"message":"x"}]}"#,
        );
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        script.server(next);
        assert_eq!(complaints(script.decoded()), ["no operation has this id"]);
        for end in [complete, error] {
            script.client(subscribe);
            assert_eq!(complaints(script.decoded()), [""; 0], "the id is free");
            script.server(next);
            assert_eq!(complaints(script.decoded()), [""; 0]);
            script.server(end);
            script.server(next);
            let over = "the operation has already ended, with error or complete";
            assert_eq!(complaints(script.decoded()), [over]);
        }
        script.client(subscribe);
        script.client(complete);
        script.server(next);
        assert_eq!(complaints(script.decoded()), [""; 0], "it was on its way");
        script.client(next);
        assert_eq!(complaints(script.decoded()).len(), 1, "of the other side");
        script.client(r#"{"type":"subscrib","id":"2"}"#);
        assert!(complaints(script.decoded())[0].contains("4400"));
        script.client(r#"{"type":"subscribe","id":"2","payload":{}}"#);
        assert!(complaints(script.decoded())[0].contains("no query"));
    }

    #[test]
    fn the_older_protocol_has_other_words() {
        let mut script = Script::auto("graphql-ws", "/graphql");
        script.client(r#"{"type":"connection_init","payload":{}}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        script.server(r#"{"type":"ka"}"#);
        assert!(script.decoded().heartbeat);
        script.client(r#"{"id":"1","type":"start","payload":{"query":"{ hello }"}}"#);
        script.server(r#"{"id":"1","type":"data","payload":{"data":1}}"#);
        assert_eq!(script.last(), r#"data #1 {"data":1} ({hello}, 35 ms)"#);
        script.server(r#"{"id":"1","type":"complete"}"#);
        assert_eq!(script.conversation.unanswered().len(), 0);
    }

    #[test]
    fn what_was_forgotten_or_passed_over_is_not_missed() {
        let begun = || {
            let mut script = Script::auto("graphql-transport-ws", "/graphql");
            script.client(r#"{"type":"connection_init"}"#);
            script.server(r#"{"type":"connection_ack"}"#);
            script
        };
        let next = r#"{"id":"0","type":"next","payload":{"data":1}}"#;
        let mut script = begun();
        for id in 0..1100 {
            script.client(&format!(
                r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"{{a}}"}}}}"#
            ));
        }
        script.server(next);
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let mut script = begun();
        script.client_large(br#"{"id":"0","type":"subscribe","#, 2 << 20);
        script.server(next);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn the_older_protocol_allows_more() {
        let mut script = Script::auto("graphql-ws", "/graphql");
        let start = r#"{"id":"1","type":"start","payload":{"query":"{ hello }"}}"#;
        for message in
            [r#"{"type":"connection_init"}"#, r#"{"type":"connection_init"}"#, start, start]
        {
            script.client(message);
            assert_eq!(complaints(script.decoded()), [""; 0], "{message}");
        }
        script.server(r#"{"id":"1","type":"start_ack"}"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "of AppSync");
        script.client(r#"{"type":"nonsense"}"#);
        assert_eq!(complaints(script.decoded()), ["unknown message type"]);
    }

    #[test]
    fn what_ends_an_operation_may_be_of_an_earlier_one() {
        let mut script = Script::auto("graphql-transport-ws", "/graphql");
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        let complete = r#"{"id":"1","type":"complete"}"#;
        script.client(r#"{"type":"connection_init"}"#);
        script.server(r#"{"type":"connection_ack"}"#);
        script.client(subscribe);
        script.client(complete);
        script.client(subscribe);
        script.server(complete);
        script.server(r#"{"id":"1","type":"next","payload":{"data":1}}"#);
        assert_eq!(complaints(script.decoded()), [""; 0], "it was on its way");
    }
}
