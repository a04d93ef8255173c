//! SIP over WebSocket, RFC 7118: each WebSocket message is a message of RFC 3261.

use crate::lens::body::{body, content};
use crate::lens::text::brief;
use crate::lens::{Decoded, Lens, LensMessage, Protocol, Value};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sip",
    word: "sip",
    title: "SIP",
    subprotocols: &["sip"],
    url: crate::lens::text::no_url,
    beginning: |message| SipMessage::read(message.content).is_some(),
    begins_like_others: false,
    lens: |_| Box::new(Sip),
    commands: &[],
};

const NAME: &str = "sip";

/// The largest number of headers in a message.
const HEADERS: usize = 200;

/// Headers that have a short name, RFC 3261 §7.3.3.
const SHORT: [(&str, &str); 9] = [
    ("c", "Content-Type"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("t", "To"),
    ("v", "Via"),
];

/// The headers that each message must have; a request also needs Max-Forwards.
const NEEDED: [&str; 5] = ["To", "From", "Call-ID", "CSeq", "Via"];

struct Sip;

struct SipMessage<'a> {
    start: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

impl<'a> SipMessage<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = match memchr::memmem::find(bytes, b"\r\n\r\n") {
            Some(end) => (&bytes[..end], &bytes[end + 4..]),
            None => (bytes, &[][..]),
        };
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let start = lines.next()?;
        if !start.starts_with("SIP/2.0 ") && !start.ends_with(" SIP/2.0") {
            return None;
        }
        let header = |line: &'a str| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim();
            let long = SHORT.iter().find(|(short, _)| name.eq_ignore_ascii_case(short));
            Some((long.map_or(name, |(_, long)| long), value.trim()))
        };
        let headers = lines.filter_map(header).take(HEADERS).collect();
        Some(Self { start, headers, body })
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        let own = |(own, _): &&(&str, _)| own.eq_ignore_ascii_case(name);
        self.headers.iter().find(own).map(|(_, value)| *value)
    }
}

/// Answers that are not a fault of the request: credentials are required (§22), the callee does not
/// answer, is absent or busy, or the request was cancelled.
const USUAL: [&str; 7] = ["401", "407", "408", "480", "486", "487", "491"];

impl Lens for Sip {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        // Keep-alives of RFC 5626 §3.5.1.
        match message.content {
            b"\r\n\r\n" => return Some(vec![Decoded::heartbeat(NAME, "ping").asks("ping", "")]),
            b"\r\n" => return Some(vec![Decoded::heartbeat(NAME, "pong").answers("ping")]),
            _ => {}
        }
        let packet = SipMessage::read(message.content)?;
        let sequence = packet.header("CSeq").unwrap_or_default();
        // "LWS" between number and method may be of any length (§25.1).
        let sequence = &sequence.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = format!("{} {sequence}", packet.header("Call-ID").unwrap_or_default());
        let response = packet.start.strip_prefix("SIP/2.0 ");
        let request = packet.start.split(' ').next().unwrap_or_default();
        let shown = match packet.body {
            [] => String::new(),
            bytes => format!(" {}", body(bytes)),
        };
        let (kind, summary) = match response {
            Some(status) => {
                let code = status.split(' ').next().unwrap_or_default();
                (code, format!("{} ({}){shown}", brief(status), brief(sequence)))
            }
            None => {
                let target = packet.start[request.len()..].trim_end_matches("SIP/2.0").trim();
                (
                    request,
                    format!("{} {} ({}){shown}", brief(request), brief(target), brief(sequence)),
                )
            }
        };
        let headers: Value =
            packet.headers.iter().map(|(name, value)| (*name, Value::from(*value))).collect();
        let mut decoded = Decoded::new(NAME, kind, summary)
            .field("start", packet.start)
            .field("headers", headers)
            .field_if("body", (!packet.body.is_empty()).then(|| content(packet.body)));
        let hops = response.is_none().then_some("Max-Forwards");
        let rule = if response.is_some() { "RFC 3261 §8.2.6.2" } else { "RFC 3261 §8.1.1" };
        for name in NEEDED.into_iter().chain(hops) {
            if packet.header(name).is_none() && packet.headers.len() < HEADERS {
                decoded = decoded.breaks(rule, format!("{name} is missing"));
            }
        }
        let length = packet.header("Content-Length").and_then(|length| length.parse().ok());
        let decoded = decoded.breaks_if(
            length.is_some_and(|length: usize| length != packet.body.len()),
            "RFC 3261 §18.3",
            "Content-Length is not the length of the body",
        );
        Some(vec![match (response, request) {
            // "The ACK request … no response" (§17.1.1.3).
            (None, "ACK") => decoded,
            (None, method) => decoded.asks(key, method),
            (Some(_), _) if kind.starts_with('1') => decoded.answers_in_part(key),
            (Some(_), _) => decoded
                .answers(key)
                .fails_if(kind.starts_with(['4', '5', '6']) && !USUAL.contains(&kind)),
        }])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::{Script, complaints};

    const HEADERS: &str = "Via: SIP/2.0/WS a.invalid;branch=z9\r\nFrom: <sip:a@x>;tag=1\r\n\
        To: <sip:b@x>\r\ni: c1\r\nCSeq: 1 INVITE\r\n";

    #[test]
    fn white_space_in_a_sequence_counts_once() {
        let mut script = Script::auto("sip", "/");
        let headers = HEADERS.replace("1 INVITE", " 1 \t INVITE");
        script.client(&format!("INVITE sip:b@x SIP/2.0\r\n{headers}Max-Forwards: 70\r\n\r\n"));
        script.server(&format!("SIP/2.0 200 OK\r\n{HEADERS}\r\n"));
        assert_eq!(script.last(), "200 OK (1 INVITE) (INVITE, 35 ms)");
    }

    #[test]
    fn a_call_is_answered() {
        let mut script = Script::auto("sip", "/");
        script.client(&format!(
            "INVITE sip:b@x SIP/2.0\r\n{HEADERS}Max-Forwards: 70\r\nl: 4\r\n\r\nv=0\n"
        ));
        assert_eq!(script.last(), "INVITE sip:b@x (1 INVITE) 4 B");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server(&format!("SIP/2.0 180 Ringing\r\n{HEADERS}\r\n"));
        assert_eq!(script.last(), "180 Ringing (1 INVITE) (INVITE, 35 ms)");
        script.server(&format!("SIP/2.0 200 OK\r\n{HEADERS}\r\n"));
        assert_eq!(script.last(), "200 OK (1 INVITE) (INVITE, 70 ms)");
        assert_eq!(script.conversation.unanswered().len(), 0);
        script.client("\r\n\r\n");
        script.server("\r\n");
        assert!(script.decoded().heartbeat);
        script.client("BYE sip:b@x SIP/2.0\r\nContent-Length: 4\r\n\r\n");
        assert_eq!(complaints(script.decoded()).len(), 7);
    }

    #[test]
    fn what_a_response_needs_is_another_section() {
        let mut script = Script::of("sip", "sip", "/");
        script.server("SIP/2.0 200 OK\r\nVia: x\r\nFrom: x\r\nTo: x\r\nCSeq: 1 INVITE\r\n\r\n");
        assert_eq!(complaints(script.decoded()), ["Call-ID is missing"]);
        assert_eq!(script.decoded().complaints[0].rule, "RFC 3261 §8.2.6.2");
        script.client(&format!("INVITE sip:b@x SIP/2.0\r\n{HEADERS}\r\n"));
        assert_eq!(script.decoded().complaints[0].rule, "RFC 3261 §8.1.1");
        let many = "X: y\r\n".repeat(200);
        script.server(&format!("SIP/2.0 200 OK\r\n{many}{HEADERS}\r\n"));
        assert_eq!(complaints(script.decoded()), [""; 0], "what comes after so many was not read");
    }
}
