//! XMPP over WebSocket, RFC 7395: each message is one element of XML.

use crate::lens::text::brief;
use crate::lens::{
    AwaitedMessage, Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "xmpp",
    word: "xmpp",
    title: "XMPP",
    subprotocols: &["xmpp"],
    url: |url| crate::lens::text::path_ends(url, "/xmpp-websocket"),
    beginning: |message| {
        message.as_text().is_some_and(|text| text.trim_start().starts_with("<open"))
    },
    begins_like_others: false,
    lens: |facts| Box::new(Xmpp::new(facts)),
    commands: &[
        SpeechCommand {
            name: "open",
            arguments: "[DOMAIN]",
            help: "Opens the stream to a domain, by default that of the URL.",
            example: "example.com",
        },
        SpeechCommand { name: "close", arguments: "", help: "Closes the stream.", example: "" },
    ],
};

const NAME: &str = "xmpp";

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

struct Xmpp {
    host: String,
    /// Whether the server and the client have opened the stream, and closed it.
    opened: [bool; 2],
    closed: [bool; 2],
}

/// The beginning of an element.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// The largest number of attributes of an element.
const ATTRIBUTES: usize = 50;

impl<'a> Tag<'a> {
    /// The element at the beginning of a text, and the text after its tag.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.trim_start().strip_prefix('<')?;
        let end = rest.find(|c: char| c.is_whitespace() || "/>".contains(c))?;
        let (name, mut rest) = rest.split_at(end);
        if name.is_empty() || !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>").or(rest.strip_prefix('>')) {
                return Some((Self { name, attributes }, after));
            }
            let (key, value) = rest.split_once('=')?;
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
            let (value, after) = value[1..].split_once(quote)?;
            if attributes.len() < ATTRIBUTES {
                attributes.push((key.trim(), value));
            }
            rest = after;
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

impl Xmpp {
    fn new(facts: &LensFacts) -> Self {
        let host = facts.host.split(':').next().unwrap_or_default().to_owned();
        Self { host, opened: [false; 2], closed: [false; 2] }
    }
}

impl Lens for Xmpp {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let text = std::str::from_utf8(message.content).ok()?;
        const FIRST: (&str, &str) = ("RFC 7395 §3.3.3", "the first character of a message is <");
        if !text.is_empty() && text.trim().is_empty() {
            // White space, which keeps a stream over TCP alive.
            return Some(vec![Decoded::heartbeat(NAME, "whitespace").breaks(FIRST.0, FIRST.1)]);
        }
        let (tag, rest) = Tag::read(text)?;
        let side = usize::from(message.from_client());
        let name = tag.name.rsplit(':').next().unwrap_or_default();
        // The content may be a password.
        let login = ["auth", "response", "challenge", "success"].contains(&name);
        let child = Tag::read(rest).map(|(child, _)| child.name).filter(|_| !login);
        let body = rest.split_once("<body>").and_then(|(_, body)| body.split_once("</body>"));
        let body = body.map(|(body, _)| body).filter(|_| name == "message");
        let mut summary = brief(tag.name);
        let shown =
            [("type", ""), ("mechanism", ""), ("id", "id="), ("from", "from="), ("to", "to=")];
        for (key, mark) in shown {
            let value = tag.get(key).map(|value| format!(" {mark}{}", brief(value)));
            summary.push_str(&value.unwrap_or_default());
        }
        match (body, child) {
            (Some(body), _) => summary.push_str(&format!(" {}", Value::from(body).short())),
            (None, Some(child)) => summary.push_str(&format!(" <{}>", brief(child))),
            _ => {}
        }
        let attributes: Value =
            tag.attributes.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
        // "at any point" a server may close the stream to move a client elsewhere (§3.6.1).
        let early = !self.opened[side] && !["open", "close"].contains(&name);
        let after = self.closed[side];
        // One complaint is enough.
        self.opened[side] = true;
        self.closed[side] |= name == "close";
        let decoded = Decoded::new(NAME, tag.name, summary)
            .field("name", tag.name)
            .field("attributes", attributes)
            .field_if("child", child)
            .field_if("body", body)
            .leaves_if(name == "close")
            .refuses_if(tag.name == "stream:error" || name == "failure")
            .breaks_if(!message.text, "RFC 7395 §3.2", "a stanza must be in a text message")
            .breaks_if(early, "RFC 7395 §3.4", "the first element of a side is open")
            .breaks_if(after, "RFC 7395 §3.6", "an element after close of the same side")
            .breaks_if(!text.starts_with('<'), FIRST.0, FIRST.1)
            .breaks_if(
                ["open", "close"].contains(&tag.name) && tag.get("xmlns") != Some(FRAMING),
                "RFC 7395 §3.3.2",
                "open and close must have the namespace urn:ietf:params:xml:ns:xmpp-framing",
            );
        let id = tag.get("id").unwrap_or_default();
        Some(vec![match (name, tag.get("type")) {
            ("open", _) if message.from_client() => decoded.asks("open", ""),
            ("open", _) => decoded.answers("open"),
            ("iq", Some("get" | "set")) => decoded.asks(id, child.unwrap_or_default()),
            ("iq", Some("result" | "error")) => decoded.answers(id),
            ("auth", _) => decoded.asks("auth", tag.get("mechanism").unwrap_or_default()),
            ("success" | "failure", _) => decoded.answers("auth"),
            _ => decoded,
        }])
    }

    fn pass_over(&mut self, beginning: &LensMessage<'_>, _len: u64) -> Option<Vec<Decoded>> {
        self.opened[usize::from(beginning.from_client())] = true;
        None
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match self.opened {
            [_, false] => {
                Some(AwaitedMessage::of_client("<open/>", "the server sends nothing before it"))
            }
            [false, _] => {
                Some(AwaitedMessage::of_server("<open/>", "the session can't begin without it"))
            }
            _ => None,
        }
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let to = arguments.given(0).unwrap_or(&self.host);
        if to.contains(['<', '>', '"', '&']) {
            return Err(SpeechError::Wrong(format!("DOMAIN is not a domain: {to}")));
        }
        Ok(vec![Outgoing::text(match command {
            "open" => format!("<open xmlns=\"{FRAMING}\" to=\"{to}\" version=\"1.0\"/>"),
            _ => format!("<close xmlns=\"{FRAMING}\"/>"),
        })])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn whitespace_does_not_end_the_lens() {
        let mut script = Script::auto("xmpp", "/");
        script.client("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>");
        script.client(" ");
        assert_eq!(complaints(script.decoded()), ["the first character of a message is <"]);
        assert_eq!(script.client("<presence/>"), ["presence"]);
    }

    #[test]
    fn a_session_of_stanzas() {
        let mut script = Script::auto("xmpp", "/xmpp-websocket");
        let sent = script.conversation.speak("xmpp", "open").expect("a command");
        script.send(&sent[0]);
        assert_eq!(script.last(), "open to=example.com");
        script.server("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='x' id='a' />");
        assert_eq!(script.last(), "open id=a from=x (35 ms)");
        script.client("<auth xmlns='sasl' mechanism='PLAIN'>c2VjcmV0</auth>");
        assert_eq!(script.last(), "auth PLAIN");
        assert!(!format!("{:?}", script.decoded()).contains("c2VjcmV0"));
        script.client("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>");
        assert_eq!(script.last(), "iq get id=1 <query>");
        script.server("<iq type='result' id='1'/>");
        assert_eq!(script.last(), "iq result id=1 (query, 35 ms)");
        script.server("<message type='chat' from='b@x'><body>hi</body></message>");
        assert_eq!(script.last(), "message chat from=b@x \"hi\"");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        script.client("<presence/>");
        assert_eq!(complaints(script.decoded()), ["an element after close of the same side"]);
    }

    #[test]
    fn what_is_no_element_is_refused() {
        for text in ["", "<", "<>", "< a>", "<a", "<a b>", "<a b='c>", "<a b=c/>", "</a>", "text"] {
            assert!(super::Tag::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_server_may_close_before_it_opens() {
        let mut script = Script::auto("xmpp", "/xmpp-websocket");
        script.client("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>");
        script.server(
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://y/ws'/>",
        );
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
