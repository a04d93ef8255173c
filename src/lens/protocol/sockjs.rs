//! SockJS 0.3 over WebSocket, which often carries STOMP:
//! <https://sockjs.github.io/sockjs-protocol/sockjs-protocol-0.3.3.html>.

use super::{graphql, json_rpc, stomp, wamp};
use crate::lens::decoded;
use crate::lens::payload::json;
use crate::lens::text::{brief, count};
use crate::lens::{
    AwaitedMessage, Carried, Conversation, Decoded, Lens, LensFacts, LensMessage, Outgoing,
    Protocol, SpeechArguments, SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sockjs",
    word: "sockjs",
    title: "SockJS 0.3",
    subprotocols: &[],
    url: is_session,
    beginning: |message| match message.as_text() {
        Some("o" | "h") => !message.from_client(),
        Some(text) if message.from_client() => text.starts_with("[\""),
        Some(text) => text.starts_with("a[\""),
        None => false,
    },
    begins_like_others: true,
    lens: |facts| Box::new(SockJs::new(facts)),
    commands: &[SpeechCommand {
        name: "send",
        arguments: "TEXT…",
        help: "Sends a text as a message.",
        example: "a text",
    }],
};

const NAME: &str = "sockjs";

const RULE: &str = "SockJS 0.3, WebSocket";

/// `<base>/<server>/<session>/websocket`; `<base>/websocket` carries messages without SockJS.
fn is_session(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    let mut parts = path.rsplit('/');
    let (Some("websocket"), Some(session), Some(server)) =
        (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    !session.is_empty() && server.len() == 3 && server.bytes().all(|byte| byte.is_ascii_digit())
}

struct SockJs {
    open: bool,
    closed: bool,
    inner: Conversation,
}

impl SockJs {
    fn new(facts: &LensFacts) -> Self {
        let carried = [
            &stomp::PROTOCOL,
            &json_rpc::PROTOCOL,
            &wamp::PROTOCOL,
            &graphql::TRANSPORT_WS,
            &graphql::LEGACY,
        ];
        Self { open: false, closed: false, inner: Conversation::carried(&carried, facts) }
    }

    /// The messages of a list.
    fn messages(&mut self, list: &Value, message: &LensMessage<'_>) -> Option<Decoded> {
        let texts = match list {
            Value::List(values) => values.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?,
            // Some clients send a single message as "a JSON string".
            value => vec![value.as_str()?],
        };
        let read =
            |text: &&str| self.inner.read(&LensMessage { content: text.as_bytes(), ..*message });
        let inner = decoded::packets(texts.iter().flat_map(read).map(Some))?;
        let decoded = Decoded::new(NAME, "messages", count(texts.len(), "message"))
            .field("messages", list)
            .carrying(inner);
        Some(decoded.breaks_if(
            message.from_client() && !self.open,
            RULE,
            "the client sends before the open frame of the server",
        ))
    }
}

impl Lens for SockJs {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let text = message.as_text()?;
        if message.from_client() {
            // "Server MUST ignore empty messages."
            if text.is_empty() {
                return Some(vec![Decoded::new(NAME, "empty", "empty message, ignored")]);
            }
            return self.messages(&json::read(text)?, message).map(|decoded| vec![decoded]);
        }
        let (kind, data) = text.split_at_checked(1)?;
        let after = self.closed;
        let decoded = match (kind, data) {
            ("o", "") => {
                let again = std::mem::replace(&mut self.open, true);
                Decoded::new(NAME, "open", "open").breaks_if(again, RULE, "a second open frame")
            }
            ("h", "") => Decoded::heartbeat(NAME, "heartbeat"),
            ("a", data) => self.messages(&json::read(data)?, message)?,
            ("c", data) => {
                let value = json::read(data)?;
                let [code, reason] = value.as_list()? else { return None };
                let summary = format!("close {} {}", code.short(), brief(reason.as_str()?));
                self.closed = true;
                let ordinary = matches!(code.as_u64(), Some(1000 | 3000));
                Decoded::new(NAME, "close", summary)
                    .field("code", code)
                    .field("reason", reason)
                    .leaves_if(true)
                    .refuses_if(!ordinary)
            }
            _ => return None,
        };
        Some(vec![decoded.breaks_if(after, RULE, "a frame after the close frame")])
    }

    /// The carried messages were not read.
    fn pass_over(&mut self, beginning: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        self.open |= !beginning.from_client();
        if self.inner.protocol().is_some() {
            self.inner.pass_over(&LensMessage { content: b"", ..*beginning }, len);
        }
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        (!self.open).then(|| {
            AwaitedMessage::of_server("the open frame o", "the session can't begin without it")
        })
    }

    fn speak(
        &mut self,
        _command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        Ok(vec![self.wrap(Outgoing::text(arguments.get(0)))])
    }

    fn inner(&mut self) -> Option<&mut dyn Carried> {
        Some(&mut self.inner)
    }

    fn wrap(&self, message: Outgoing) -> Outgoing {
        match String::from_utf8(message.content) {
            Ok(text) => Outgoing::json(Value::from_iter([Value::from(text)])),
            Err(bytes) => Outgoing::binary(bytes.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn stomp_travels_inside() {
        let mut script = Script::auto("", "/stomp/123/abcdefgh/websocket");
        script.server("o");
        assert_eq!(script.last(), "open");
        script.client(
            "[\"CONNECT\\naccept-version:1.1,1.0\\nhost:/\\nheart-beat:10000,10000\\n\\n\\u0000\"]",
        );
        assert_eq!(script.last(), "1 message › CONNECT");
        script.server("a[\"CONNECTED\\nversion:1.1\\nheart-beat:0,10000\\n\\n\\u0000\"]");
        assert_eq!(script.last(), "1 message › CONNECTED version=1.1 (35 ms)");
        script.server("h");
        assert!(script.decoded().heartbeat);
        let sent = script.conversation.speak("stomp", "subscribe /topic/a").expect("a command");
        let expected = br#"["SUBSCRIBE\nid:1\ndestination:/topic/a\nack:auto\n\n\u0000"]"#;
        assert_eq!(sent[0].content, expected);
        let beat = script.conversation.beat().expect("STOMP has heartbeats");
        assert_eq!(beat.message.content, br#"["\n"]"#);
        script.server("c[3000,\"Go away!\"]");
        assert_eq!(script.last(), "close 3000 Go away!");
        assert_eq!(script.decoded().beats_before, 1);
    }

    #[test]
    fn arrays_of_text_are_no_sign_without_the_url() {
        let mut script = Script::auto("", "/chat");
        script.client(r#"["a"]"#);
        script.server(r#"a["b"]"#);
        script.server("o");
        script.client(r#"["c"]"#);
        assert!(script.conversation.protocol().is_none());
    }

    #[test]
    fn a_stray_message_inside_is_named_and_the_next_is_read() {
        let mut script = Script::auto("", "/stomp/123/abcdefgh/websocket");
        script.server("o");
        script.client("[\"CONNECT\\naccept-version:1.1,1.0\\nhost:/\\n\\n\\u0000\"]");
        script.server("a[\"hello\"]");
        assert_eq!(script.last(), "1 message › 5 B");
        let complaint = &script.decoded().inner[0].complaints[0];
        assert_eq!(complaint.text, "the message is not one of this protocol");
        script.server("a[\"CONNECTED\\nversion:1.1\\n\\n\\u0000\"]");
        assert_eq!(script.last(), "1 message › CONNECTED version=1.1 (70 ms)");
        for _ in 0..3 {
            script.server("a[\"hello\"]");
            assert_eq!(script.last(), "1 message › 5 B");
        }
        script.server("a[\"hello\"]");
        assert_eq!(script.last(), "1 message", "it is another protocol");
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("sockjs", "", "/");
        script.client(r#"["a"]"#);
        assert_eq!(complaints(script.decoded()).len(), 1, "before the open frame");
        script.server("o");
        script.server("o");
        assert_eq!(complaints(script.decoded()), ["a second open frame"]);
        script.server("c[3000,\"Go away!\"]");
        script.server("h");
        assert_eq!(complaints(script.decoded()), ["a frame after the close frame"]);
    }

    #[test]
    fn raw_websocket_is_no_session() {
        assert!(is_session("/echo/000/x/websocket?a"));
        for url in ["/echo/websocket", "/echo/abc/x/websocket", "/echo/000//websocket"] {
            assert!(!is_session(url), "{url}");
        }
    }

    #[test]
    fn what_was_passed_over_is_not_missed_inside() {
        let mut script = Script::auto("", "/stomp/123/abcdefgh/websocket");
        script.server("o");
        script.client("[\"CONNECT\\naccept-version:1.2\\nhost:/\\n\\n\\u0000\"]");
        script.client_large(b"[\"SUBSCRIBE", 2 << 20);
        script
            .server("a[\"MESSAGE\\ndestination:/a\\nmessage-id:1\\nsubscription:0\\n\\n\\u0000\"]");
        assert_eq!(complaints(&script.decoded().inner[0]), [""; 0]);
    }
}
