//! Kubernetes channels of `exec`, `attach` and `port-forward`: the first byte is the stream.
//! <https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand>.

use crate::lens::body::content;
use crate::lens::kept::Kept;
use crate::lens::payload::json;
use crate::lens::text::brief;
use crate::lens::{
    Decoded, Lens, LensFacts, LensMessage, Outgoing, Protocol, SpeechArguments, SpeechCommand,
    SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "kubernetes",
    word: "k8s",
    title: "Kubernetes channels",
    subprotocols: &[
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "v3.channel.k8s.io",
        "v2.channel.k8s.io",
        "channel.k8s.io",
        "v4.base64.channel.k8s.io",
        "base64.channel.k8s.io",
    ],
    url: |url| {
        let path = url.split('?').next().unwrap_or_default();
        path.starts_with("/api/v1/")
            && ["/exec", "/attach", "/portforward"].iter().any(|end| path.ends_with(end))
    },
    beginning: |message| !message.text && matches!(message.content, [0..=4 | CLOSE, ..]),
    begins_like_others: true,
    lens: |facts| Box::new(Kubernetes::new(facts)),
    commands: &[
        SpeechCommand {
            name: "stdin",
            arguments: "TEXT…",
            help: "Sends a line to the standard input of the process.",
            example: "ls -l",
        },
        SpeechCommand {
            name: "resize",
            arguments: "COLUMNS ROWS",
            help: "Sets the size of the terminal.",
            example: "80 24",
        },
        SpeechCommand {
            name: "close",
            arguments: "",
            help: "Closes the standard input of the process (v5).",
            example: "",
        },
    ],
};

const NAME: &str = "kubernetes";

/// The channel of version 5 that closes another channel, whose number follows.
const CLOSE: u8 = 255;

/// Two channels for each port.
const CHANNELS_OF_PORTS: usize = 255;

const CHANNELS: [&str; 5] = ["stdin", "stdout", "stderr", "error", "resize"];

struct Kubernetes {
    base64: bool,
    /// Whether a channel can be closed.
    closes: bool,
    /// Whether the client has closed the standard input.
    closed: bool,
    forwards: bool,
    /// The ports in the URL, and for each channel, the port bytes that the server has sent.
    ports: Vec<u16>,
    announced: Kept<u8, Vec<u8>>,
}

impl Kubernetes {
    fn new(facts: &LensFacts) -> Self {
        let subprotocol = facts.subprotocol.as_deref().unwrap_or_default();
        let (path, query) = facts.url.split_once('?').unwrap_or((&facts.url, ""));
        let ports = query.split('&').filter_map(|pair| pair.strip_prefix("ports="));
        let ports = ports.flat_map(|ports| ports.split(',')).filter_map(|port| port.parse().ok());
        Self {
            base64: subprotocol.contains("base64"),
            closes: subprotocol.is_empty() || subprotocol.starts_with("v5"),
            closed: false,
            forwards: path.ends_with("/portforward"),
            ports: ports.take(CHANNELS_OF_PORTS / 2).collect(),
            announced: Kept::default(),
        }
    }

    fn name(&self, channel: u8) -> Option<String> {
        if !self.forwards {
            return CHANNELS.get(usize::from(channel)).map(|name| (*name).to_owned());
        }
        let kind = if channel.is_multiple_of(2) { "data" } else { "error" };
        let announced = self.announced.get(&channel).and_then(|port| port[..].try_into().ok());
        let named = self.ports.get(usize::from(channel / 2)).copied();
        Some(match announced.map(u16::from_le_bytes).or(named) {
            Some(port) => format!("port {port} {kind}"),
            None => format!("channel {channel} {kind}"),
        })
    }

    /// The server begins each channel with the number of its port in two bytes, the lower first.
    /// Returns the data after them, and whether this message has any of the two bytes.
    fn behind_port<'d>(&mut self, channel: u8, data: &'d [u8]) -> (&'d [u8], bool) {
        let mut port = self.announced.remove(&channel).unwrap_or_default();
        let (more, rest) = data.split_at(data.len().min(2 - port.len()));
        port.extend_from_slice(more);
        self.announced.insert(channel, port);
        (rest, !more.is_empty())
    }
}

impl Lens for Kubernetes {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let (&first, rest) = message.content.split_first()?;
        let decoded;
        let (channel, data) = match self.base64 {
            false => (first, rest),
            true => {
                use base64::Engine;
                decoded = base64::engine::general_purpose::STANDARD.decode(rest).ok()?;
                (first.checked_sub(b'0')?, &decoded[..])
            }
        };
        let rule = "Kubernetes, remotecommand";
        if let (CLOSE, [closed]) = (channel, data) {
            let name = self.name(*closed)?;
            self.closed |= *closed == 0 && message.from_client();
            let decoded = Decoded::new(NAME, "close", format!("close {name}"));
            let text = "only v5.channel.k8s.io can close a channel";
            return Some(vec![decoded.field("channel", name).breaks_if(!self.closes, rule, text)]);
        }
        self.name(channel)?;
        let (data, begins) = match self.forwards && !message.from_client() {
            true => self.behind_port(channel, data),
            false => (data, false),
        };
        let name = self.name(channel)?;
        let text = std::str::from_utf8(data).ok();
        let value = text.filter(|_| channel >= 3 && !self.forwards).and_then(json::read);
        let says = text.filter(|text| self.forwards && channel % 2 == 1 && !text.is_empty());
        let summary = match &value {
            None if begins && data.is_empty() => format!("{name} begins"),
            None if says.is_some() => format!("{name} {}", brief(says.unwrap_or_default())),
            // The end of the process is a Status object of the API.
            Some(status) if status.get("status").is_some() => {
                let part = |key| status.text_of(key).map(|text| format!(" {}", brief(text)));
                let parts = [part("status"), part("reason"), part("message")];
                name.clone() + &parts.into_iter().flatten().collect::<String>()
            }
            Some(value) => format!("{name} {}", value.short()),
            None if is_cut_failure(text) => format!("{name} {}", brief(text.unwrap_or_default())),
            None => format!("{name} {} B", data.len()),
        };
        // The status of a failed process is an answer, and does not refuse the session.
        let refuses =
            value.as_ref().is_some_and(|status| {
                status.text_of("status") == Some("Failure")
                    && status.text_of("reason") != Some("NonZeroExitCode")
            }) || value.is_none() && channel >= 3 && !self.forwards && is_cut_failure(text);
        let port = self.announced.get(&channel).and_then(|port| port[..].try_into().ok());
        let decoded = Decoded::new(NAME, &name, summary)
            .refuses_if(refuses)
            .field("channel", name.as_str())
            .field_if("port", port.map(u16::from_le_bytes))
            .field("data", value.unwrap_or_else(|| content(data)))
            .breaks_if(
                self.closed && message.from_client() && channel == 0 && !self.forwards,
                rule,
                "the channel was closed before",
            );
        Some(vec![decoded.breaks_if(
            !self.forwards && message.from_client() == matches!(channel, 1..=3),
            rule,
            "the channel belongs to the other side",
        )])
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let (channel, data) = match command {
            "stdin" => (0, format!("{}\n", arguments.get(0)).into_bytes()),
            "close" if !self.closes => {
                let text = "only v5.channel.k8s.io can close the standard input";
                return Err(SpeechError::Wrong(text.to_owned()));
            }
            "close" => (CLOSE, vec![0]),
            _ => {
                let number = |at, name| arguments.number(at, name).map(Option::unwrap_or_default);
                let size = [
                    ("Width", Value::from(number(0, "COLUMNS")?)),
                    ("Height", Value::from(number(1, "ROWS")?)),
                ];
                (4, Value::from_iter(size).json().into_bytes())
            }
        };
        if self.base64 {
            use base64::Engine;
            let data = base64::engine::general_purpose::STANDARD.encode(data);
            return Ok(vec![Outgoing::text(format!("{channel}{data}"))]);
        }
        Ok(vec![Outgoing::binary([&[channel], &data[..]].concat())])
    }
}

/// Whether a text is the beginning of a Status object of a failure, of which only the beginning was
/// kept.
fn is_cut_failure(text: Option<&str>) -> bool {
    text.is_some_and(|text| {
        text.starts_with('{')
            && text.contains("\"status\":\"Failure\"")
            && !text.contains("NonZeroExitCode")
    })
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_session_of_exec() {
        let url = "/api/v1/namespaces/default/pods/p/exec?command=sh";
        let mut script = Script::auto("v5.channel.k8s.io", url);
        script.client_bytes(b"\x00ls\n");
        assert_eq!(script.last(), "stdin 3 B");
        script.server_bytes(b"\x01file\n");
        assert_eq!(script.last(), "stdout 5 B");
        script.client_bytes(b"\x04{\"Width\":80,\"Height\":24}");
        assert_eq!(script.last(), r#"resize {"Width":80,"Height":24}"#);
        script.client_bytes(b"\xff\x00");
        assert_eq!(script.last(), "close stdin");
        script.server_bytes(b"\x03{\"metadata\":{},\"status\":\"Success\"}");
        assert_eq!(script.last(), "error Success");
        script.server_bytes(b"\x00x");
        assert_eq!(complaints(script.decoded()), ["the channel belongs to the other side"]);
    }

    #[test]
    fn a_forward_begins_with_its_ports() {
        let url = "/api/v1/namespaces/default/pods/p/portforward?ports=8080&ports=53";
        for (url, before) in
            [(url, "port 53 data 1 B"), (&url[..url.len() - 18], "channel 2 data 1 B")]
        {
            let mut script = Script::auto("v4.channel.k8s.io", url);
            script.client_bytes(b"\x02x");
            assert_eq!(script.last(), before);
            script.server_bytes(b"\x00\x90\x1f");
            assert_eq!(script.last(), "port 8080 data begins");
            script.server_bytes(b"\x01\x90");
            script.server_bytes(b"\x01\x1f");
            assert_eq!(script.last(), "port 8080 error begins");
            assert_eq!(script.decoded().find("port").and_then(|port| port.as_u64()), Some(8080));
            script.client_bytes(b"\x00GET");
            assert_eq!(script.last(), "port 8080 data 3 B");
            script.server_bytes(b"\x02\x35\x00more");
            assert_eq!(script.last(), "port 53 data 4 B");
            script.server_bytes(b"\x01connection refused");
            assert_eq!(script.last(), "port 8080 error connection refused");
        }
    }

    #[test]
    fn breaches_are_named() {
        let url = "/api/v1/namespaces/default/pods/p/exec";
        let mut script = Script::auto("v5.channel.k8s.io", url);
        script.client_bytes(b"\xff\x00");
        script.client_bytes(b"\x00x");
        assert_eq!(complaints(script.decoded()), ["the channel was closed before"]);
        let mut script = Script::auto("v4.channel.k8s.io", url);
        script.client_bytes(b"\xff\x00");
        assert_eq!(complaints(script.decoded()), ["only v5.channel.k8s.io can close a channel"]);
    }

    #[test]
    fn a_first_byte_is_no_sign_by_itself() {
        let mut script = Script::auto("", "/x");
        script.client_bytes(b"\0\0\0\x05hello");
        script.server_bytes(b"\0\0\0\x05world");
        assert!(script.conversation.protocol().is_none());
    }

    #[test]
    fn base64_is_decoded() {
        let mut script = Script::of("kubernetes", "base64.channel.k8s.io", "/");
        script.server("1aGk=");
        assert_eq!(script.last(), "stdout 2 B");
    }
}
