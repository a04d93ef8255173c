//! NATS, whose lines may span or share messages:
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use crate::lens::body::{body, content};
use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, Next, PacketEnd, Streams, Want, remembered};
use crate::lens::message::TOO_LARGE;
use crate::lens::payload::json;
use crate::lens::text::brief;
use crate::lens::{
    AwaitedMessage, Decoded, LARGEST, Lens, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "nats",
    word: "nats",
    title: "NATS",
    subprotocols: &["nats"],
    url: crate::lens::text::no_url,
    beginning: |message| {
        let begin: &[u8] = if message.from_client() { b"CONNECT {" } else { b"INFO {" };
        message.content.get(..begin.len()).is_some_and(|own| own.eq_ignore_ascii_case(begin))
    },
    begins_like_others: false,
    lens: |_| Box::new(Nats::default()),
    commands: &[
        SpeechCommand {
            name: "connect",
            arguments: "[OPTIONS…]",
            help: "Opens the session, with a JSON object of options.",
            example: "{\"verbose\":false}",
        },
        SpeechCommand {
            name: "sub",
            arguments: "SUBJECT [QUEUE]",
            help: "Subscribes to a subject under a new id.",
            example: "a.>",
        },
        SpeechCommand {
            name: "pub",
            arguments: "SUBJECT [BODY…]",
            help: "Publishes to a subject.",
            example: "a.b a body",
        },
        SpeechCommand {
            name: "request",
            arguments: "SUBJECT REPLY [BODY…]",
            help: "Publishes with a subject for the answers; subscribe to that subject first.",
            example: "a.b inbox.1 a body",
        },
        SpeechCommand {
            name: "unsub",
            arguments: "SID [MOST]",
            help: "Ends a subscription by its id, at once or after MOST messages.",
            example: "1",
        },
        SpeechCommand { name: "ping", arguments: "", help: "Asks for a PONG.", example: "" },
    ],
};

const NAME: &str = "nats";

/// The longest line in bytes.
const LINE: usize = 64 * 1024;

#[derive(Default)]
struct Nats {
    streams: Streams<NatsOperation>,
    asked: bool,
    /// Whether the server requires a login in CONNECT.
    wants_login: bool,
    /// Whether a complaint about a line before CONNECT was reported.
    told: bool,
    /// Whether the server has sent a line.
    begun: bool,
    subscriptions: Kept<String, Subscription>,
    ids: Fresh,
}

struct Subscription {
    subject: String,
    /// The number of received messages, and the number after which the subscription ends.
    come: u64,
    most: Option<u64>,
}

impl Subscription {
    fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.come >= most)
    }
}

/// A line with its payload.
struct NatsOperation {
    line: String,
    headers: usize,
    payload: Option<Vec<u8>>,
    /// The size of a payload that is too large.
    large: Option<usize>,
}

fn next(bytes: &[u8]) -> Next<NatsOperation> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return match bytes.len() > LINE {
            true => Next::Wrong,
            false => Next::Incomplete(Want::Byte(b'\n')),
        };
    };
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    let Ok(line) = std::str::from_utf8(line) else { return Next::Wrong };
    let mut words = line.split_ascii_whitespace();
    let verb = words.next().unwrap_or_default().to_ascii_uppercase();
    let numbers = match verb.as_str() {
        "PUB" | "MSG" => 1,
        "HPUB" | "HMSG" => 2,
        "INFO" | "CONNECT" | "SUB" | "UNSUB" | "PING" | "PONG" | "+OK" | "-ERR" => {
            let (line, large) = (line.to_owned(), None);
            return Next::Packet(NatsOperation { line, headers: 0, payload: None, large }, end + 1);
        }
        _ => return Next::Wrong,
    };
    // The last words are the sizes of the headers and of the whole, in bytes.
    let mut last = words.rev().map(|word| word.parse::<usize>().ok());
    let Some(len) = last.next().flatten() else { return Next::Wrong };
    let headers = if numbers == 2 { last.next().flatten() } else { Some(0) };
    let Some(headers) = headers.filter(|headers| *headers <= len) else { return Next::Wrong };
    if len > LARGEST {
        let all = (end as u64 + 3).saturating_add(len as u64);
        let (line, large) = (line.to_owned(), Some(len - headers));
        return Next::Large(
            NatsOperation { line, headers: 0, payload: None, large },
            PacketEnd::After(all),
        );
    }
    match bytes.get(end + 1..end + 1 + len + 2) {
        None => Next::Incomplete(Want::Bytes(end + 1 + len + 2)),
        Some(data) if data.ends_with(b"\r\n") => {
            let (line, payload) = (line.to_owned(), Some(data[..len].to_vec()));
            Next::Packet(NatsOperation { line, headers, payload, large: None }, end + 1 + len + 2)
        }
        Some(_) => Next::Wrong,
    }
}

impl Nats {
    fn look(&mut self, packet: &NatsOperation, from_client: bool) -> Decoded {
        let (verb, rest) =
            packet.line.split_once(char::is_whitespace).unwrap_or((&packet.line, ""));
        let verb = verb.to_ascii_uppercase();
        let words: Vec<_> = rest.split_ascii_whitespace().take(5).collect();
        let word = |at: usize| brief(words.get(at).copied().unwrap_or_default());
        let data = packet.payload.as_deref().unwrap_or_default();
        let (headers, payload) = data.split_at_checked(packet.headers).unwrap_or((data, &[]));
        let size = match packet.large {
            None => body(payload),
            Some(len) => format!("{len} B, {TOO_LARGE}"),
        };
        let early = from_client && !self.asked && verb != "CONNECT" && !self.told;
        self.told |= early;
        let late_info = !from_client && !self.begun && verb != "INFO";
        self.begun |= !from_client;
        let of_client = ["CONNECT", "SUB", "UNSUB", "PUB", "HPUB"].contains(&verb.as_str());
        let of_server = ["INFO", "MSG", "HMSG", "+OK", "-ERR"].contains(&verb.as_str());
        let other = if from_client { of_server } else { of_client };
        let publishes = ["PUB", "HPUB"].contains(&verb.as_str());
        let subject = words.first().copied().unwrap_or_default();
        let wild = subject.split('.').any(|token| ["*", ">"].contains(&token));
        let (empty, inner) =
            (subject.split('.').any(str::is_empty), subject.split('.').rev().skip(1));
        let is_filter = publishes || verb == "SUB";
        let open_end = verb == "SUB" && inner.clone().any(|token| token == ">");
        let id = remembered(words.first().copied().unwrap_or_default());
        let is_whole = self.asked && !self.streams.has_gaps();
        let unknown = verb == "UNSUB" && is_whole && self.subscriptions.lacks(&id);
        let options = json::read(rest.trim());
        let summary = match verb.as_str() {
            "INFO" => {
                let of = |key| options.as_ref().and_then(|info| info.get(key)).map(Value::plain);
                format!(
                    "INFO {} {}",
                    of("server_name").unwrap_or_default(),
                    of("version").unwrap_or_default()
                )
            }
            "SUB" => {
                let id = words.last().copied().unwrap_or_default();
                self.ids.seen(id.parse().unwrap_or(0u64));
                let new = Subscription { subject: word(0), come: 0, most: None };
                self.subscriptions.insert(remembered(id), new);
                format!("SUB {} sid={}", word(0), brief(id))
            }
            "UNSUB" => {
                // "UNSUB <sid> [max_msgs]": it ends by itself, or by another UNSUB before or after.
                let most = words.get(1).and_then(|most| most.parse().ok()).filter(|most| *most > 0);
                match (most, self.subscriptions.get_mut(&id)) {
                    (Some(_), Some(subscription)) => subscription.most = most,
                    _ => drop(self.subscriptions.remove(&id)),
                }
                format!("UNSUB sid={}", word(0))
            }
            "MSG" | "HMSG" => {
                let sid = remembered(words.get(1).copied().unwrap_or_default());
                if let Some(subscription) = self.subscriptions.get_mut(&sid) {
                    subscription.come = subscription.come.saturating_add(1);
                }
                format!("{verb} {} sid={} {size}", word(0), word(1))
            }
            "PUB" | "HPUB" => format!("{verb} {} {size}", word(0)),
            // The arguments of CONNECT may contain a password.
            "CONNECT" => verb.clone(),
            _ => format!("{verb} {}", brief(rest)),
        };
        self.asked |= from_client && verb == "CONNECT";
        let required = options.as_ref().and_then(|info| info.get("auth_required"));
        self.wants_login |= verb == "INFO" && required == Some(&Value::Bool(true));
        let decoded = match verb.as_str() {
            "PING" => Decoded::heartbeat(NAME, "PING").asks("ping", "").replied_by(line("PONG")),
            "PONG" => Decoded::heartbeat(NAME, "PONG").answers("ping"),
            _ => Decoded::new(NAME, &verb, summary.trim_end()),
        };
        let subject = ["SUB", "MSG", "HMSG", "PUB", "HPUB"].contains(&verb.as_str());
        // After these errors, the server keeps the connection.
        let kept = ["permissions violation", "invalid subject"];
        let lower = rest.to_ascii_lowercase();
        let refuses = verb == "-ERR" && !kept.iter().any(|words| lower.contains(words));
        decoded
            .fails_if(verb == "-ERR")
            .refuses_if(refuses)
            .field("type", verb.as_str())
            .field_if("subject", subject.then(|| word(0)))
            .field_if("options", options)
            .field_if("headers", (!headers.is_empty()).then(|| content(headers)))
            .field_if("payload", packet.payload.as_ref().map(|_| content(payload)))
            .breaks_if(early, "NATS, CONNECT", "the first line of a client is CONNECT")
            .breaks_if(late_info, "NATS, INFO", "the first line of a server is INFO")
            .breaks_if(
                other,
                "NATS, Protocol messages",
                if from_client { "only a server sends it" } else { "only a client sends it" },
            )
            .breaks_if(
                publishes && wild,
                "NATS, Subject names",
                "the subject of a PUB has a wildcard",
            )
            .breaks_if(is_filter && empty, "NATS, Subject names", "the subject has an empty token")
            .breaks_if(open_end, "NATS, Subject names", "> must be the last token")
            .breaks_if(unknown, "NATS, UNSUB", "no subscription has this sid")
    }
}

fn line(text: &str) -> Outgoing {
    Outgoing::binary(format!("{text}\r\n").into_bytes())
}

impl Lens for Nats {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        self.pass_over(message, message.content.len() as u64)
    }

    fn pass_over(&mut self, message: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        if len > message.content.len() as u64 {
            self.asked |= message.from_client();
            self.begun |= !message.from_client();
        }
        let packets = self.streams.packets(message, len, next)?;
        let mut look = |packet| self.look(&packet, message.from_client());
        decoded::packets(packets.into_iter().map(|taken| Some(taken.looked_at(NAME, &mut look))))
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        (!self.asked).then(|| {
            AwaitedMessage::of_client(
                if self.wants_login { "CONNECT with a login" } else { "CONNECT" },
                "the server sends -ERR 'Authentication Timeout' after 2 s",
            )
        })
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let running = self.subscriptions.iter().filter(|(_, subscription)| !subscription.is_over());
        let all = running.take(20).map(|(id, of)| format!("{id} {}", of.subject));
        vec![("subscriptions", all.collect::<Vec<_>>().join(", "))]
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let (first, second) = (arguments.get(0), arguments.get(1));
        let subjects = match command {
            "sub" | "request" => &[first, second][..],
            "pub" | "unsub" => &[first],
            _ => &[],
        };
        // White space would begin another argument of the protocol.
        if let Some(subject) = subjects.iter().find(|subject| subject.contains(char::is_whitespace))
        {
            return Err(SpeechError::Wrong(format!(
                "{subject:?} is not a subject: it has white space"
            )));
        }
        Ok(vec![match command {
            "connect" => {
                let options = arguments.given(0).unwrap_or("{\"verbose\":false,\"headers\":true}");
                line(&format!("CONNECT {options}"))
            }
            "sub" if second.is_empty() => line(&format!("SUB {first} {}", self.ids.next())),
            "sub" => line(&format!("SUB {first} {second} {}", self.ids.next())),
            "pub" => line(&format!("PUB {first} {}\r\n{second}", second.len())),
            "request" => {
                let body = arguments.get(2);
                line(&format!("PUB {first} {second} {}\r\n{body}", body.len()))
            }
            "unsub" => line(format!("UNSUB {first} {second}").trim_end()),
            _ => line("PING"),
        }])
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried as _;
    use crate::lens::protocol::tests::{Script, complaints};

    #[test]
    fn a_subject_has_no_white_space() {
        let mut script = Script::of("nats", "", "/");
        for line in ["pub \"a b\" x", "sub \"a b\"", "sub a \"q 1\"", "request a \"b c\" x"] {
            let error = script.conversation.speak("nats", line).expect_err(line).to_string();
            assert!(error.ends_with("is not a subject: it has white space"), "{error}");
        }
        let sent = script.conversation.speak("nats", "pub a.b two words").expect("sent");
        assert_eq!(sent[0].content, b"PUB a.b 9\r\ntwo words\r\n");
    }

    #[test]
    fn a_payload_that_is_too_large_is_named_where_it_ends() {
        let publish = [b"PUB a.b 2097152\r\n", &vec![b'x'; 2 << 20][..], b"\r\n"].concat();
        for size in [100_000, 1 << 20, (3 << 20) / 2, 4 << 20] {
            let mut script = Script::of("nats", "", "/");
            script.client_bytes(b"CONNECT {}\r\n");
            let parts = publish.chunks(size);
            let lines: Vec<_> = parts.flat_map(|part| script.client_bytes(part)).collect();
            assert_eq!(lines, ["PUB a.b 2097152 B, too large for a lens"], "{size}");
            assert_eq!(script.client_bytes(b"PING\r\n"), ["PING"]);
        }
    }

    #[test]
    fn breaches_are_named() {
        let mut script = Script::of("nats", "", "/");
        script.server_bytes(b"PING\r\n");
        assert_eq!(complaints(script.decoded()), ["the first line of a server is INFO"]);
        script.client_bytes(b"CONNECT {}\r\n");
        for (line, complaint) in [
            ("PUB a.* 0\r\n\r\n", "the subject of a PUB has a wildcard"),
            ("PUB a..b 0\r\n\r\n", "the subject has an empty token"),
            ("SUB a.>.b 1\r\n", "> must be the last token"),
            ("UNSUB 7\r\n", "no subscription has this sid"),
            ("+OK\r\n", "only a server sends it"),
        ] {
            script.client_bytes(line.as_bytes());
            assert_eq!(complaints(script.decoded()), [complaint], "{line}");
        }
    }

    #[test]
    fn lines_span_and_share_messages() {
        let mut script = Script::auto("nats", "/");
        script.server_bytes(b"INFO {\"server_name\":\"n\",\"version\":\"2.10\"} \r\n");
        assert_eq!(script.last(), "INFO n 2.10");
        let lines =
            script.client_bytes(b"CONNECT {\"verbose\":false}\r\nSUB a.> 1\r\nPUB a.b 2\r\nh");
        assert_eq!(lines, ["CONNECT", "SUB a.> sid=1"]);
        assert_eq!(script.client_bytes(b"i\r\nPING\r\n"), ["PUB a.b 2 B", "PING"]);
        let lines = script.server_bytes(b"PONG\r\nHMSG a.b 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        assert_eq!(lines, ["PONG (35 ms)", "HMSG a.b sid=1 2 B"]);
        script.server_bytes(b"MSG a 1 nonsense\r\n");
        assert!(script.conversation.is_off());
    }

    #[test]
    fn a_subscription_may_end_after_some_messages() {
        let mut script = Script::of("nats", "", "/");
        script.client_bytes(b"CONNECT {}\r\n");
        script.client_bytes(b"SUB a 1\r\n");
        script.client_bytes(b"UNSUB 1 2\r\n");
        assert!(script.state().contains("subscriptions: 1 a\n"), "{}", script.state());
        script.server_bytes(b"MSG a 1 1\r\nx\r\nMSG a 1 1\r\nx\r\n");
        assert!(script.state().contains("subscriptions: \n"), "{}", script.state());
        script.client_bytes(b"UNSUB 1\r\n");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client_bytes(b"UNSUB 1\r\n");
        assert_eq!(complaints(script.decoded()), ["no subscription has this sid"]);
    }

    #[test]
    fn what_was_forgotten_is_not_missed() {
        let mut script = Script::of("nats", "", "/");
        script.client_bytes(b"CONNECT {}\r\n");
        for id in 0..1100 {
            script.client_bytes(format!("SUB a {id}\r\n").as_bytes());
        }
        script.client_bytes(b"UNSUB 0\r\n");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
