//! STOMP 1.0 to 1.2: <https://stomp.github.io/stomp-specification-1.2.html>.

use std::fmt::Write;
use std::time::Duration;

use crate::lens::body::content;
use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, Next, PacketEnd, SideClock, Streams, Want, remembered};
use crate::lens::message::TOO_LARGE;
use crate::lens::text::{brief, millis, path_ends};
use crate::lens::{
    AwaitedMessage, Beat, Decoded, LARGEST, Lens, LensFacts, LensMessage, Outgoing, Protocol,
    SpeechArguments, SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "stomp",
    word: "stomp",
    title: "STOMP 1.0–1.2",
    subprotocols: &["v12.stomp", "v11.stomp", "v10.stomp", "stomp"],
    url: |url| path_ends(url, "/stomp") || path_ends(url, "/stomp/websocket"),
    beginning: |message| {
        let commands: &[&[u8]] = match message.from_client() {
            true => &[b"CONNECT\n", b"CONNECT\r\n", b"STOMP\n", b"STOMP\r\n"],
            false => &[b"CONNECTED\n", b"CONNECTED\r\n"],
        };
        commands.iter().any(|command| message.content.starts_with(command))
    },
    begins_like_others: false,
    lens: |facts| Box::new(Stomp::new(facts)),
    commands: &[
        SpeechCommand {
            name: "connect",
            arguments: "[LOGIN] [PASSCODE] [HOST]",
            help: "Opens the session, with heartbeats every 10 s; in RabbitMQ, HOST is usually /.",
            example: "guest guest /",
        },
        SpeechCommand {
            name: "subscribe",
            arguments: "DESTINATION [ACK]",
            help: "Subscribes under a new id; ACK is auto, client or client-individual.",
            example: "/topic/a client",
        },
        SpeechCommand {
            name: "unsubscribe",
            arguments: "ID",
            help: "Ends the subscription of an id.",
            example: "0",
        },
        SpeechCommand {
            name: "send",
            arguments: "DESTINATION [BODY…]",
            help: "Sends a message to a destination.",
            example: "/topic/a a body",
        },
        SpeechCommand {
            name: "send-in",
            arguments: "TRANSACTION DESTINATION [BODY…]",
            help: "Sends a message in a transaction; it is delivered when the transaction is \
                 committed.",
            example: "tx1 /topic/a a body",
        },
        SpeechCommand {
            name: "ack",
            arguments: "ID",
            help: "Acknowledges a message by its ack header, before STOMP 1.2 by its message-id.",
            example: "T_1",
        },
        SpeechCommand {
            name: "nack",
            arguments: "ID",
            help: "Refuses a message by its ack header, before STOMP 1.2 by its message-id.",
            example: "T_1",
        },
        SpeechCommand {
            name: "begin",
            arguments: "TRANSACTION",
            help: "Begins a transaction.",
            example: "tx1",
        },
        SpeechCommand {
            name: "commit",
            arguments: "TRANSACTION",
            help: "Commits a transaction: its messages are delivered.",
            example: "tx1",
        },
        SpeechCommand {
            name: "abort",
            arguments: "TRANSACTION",
            help: "Aborts a transaction: its messages are dropped.",
            example: "tx1",
        },
        SpeechCommand {
            name: "disconnect",
            arguments: "",
            help: "Ends the session and asks for a receipt.",
            example: "",
        },
    ],
};

const NAME: &str = "stomp";

const HEART_BEATING: &str = "STOMP 1.2, Heart-beating";

/// The headers that each frame must have ("Standard Headers" and the sections of the commands), and
/// whether it may have a body.
const COMMANDS: [(&str, &[&str], bool); 16] = [
    ("CONNECT", &["accept-version", "host"], false),
    ("STOMP", &["accept-version", "host"], false),
    ("SEND", &["destination"], true),
    ("SUBSCRIBE", &["destination", "id"], false),
    ("UNSUBSCRIBE", &["id"], false),
    ("ACK", &["id"], false),
    ("NACK", &["id"], false),
    ("BEGIN", &["transaction"], false),
    ("COMMIT", &["transaction"], false),
    ("ABORT", &["transaction"], false),
    ("DISCONNECT", &[], false),
    ("CONNECTED", &["version"], false),
    ("MESSAGE", &["destination", "message-id", "subscription"], true),
    ("RECEIPT", &["receipt-id"], false),
    ("ERROR", &[], true),
    ("NACKED", &[], false),
];

/// The largest number of headers in a frame.
const HEADERS: usize = 200;

/// How many of the commands belong to the client; those of the server follow.
const OF_CLIENTS: usize = 11;

/// The largest size of a frame's command and headers in bytes.
const HEAD: usize = 64 * 1024;

/// A parsed frame.
struct StompFrame {
    command: &'static str,
    headers: Vec<(String, String)>,
    body: StompBody,
    faults: Vec<(&'static str, String)>,
}

enum StompBody {
    All(Vec<u8>),
    /// A frame that is too large for a lens: its length, if the frame has it.
    Large(Option<usize>),
}

#[derive(Default)]
struct Stomp {
    streams: Streams<StompFrame>,
    host: String,
    /// The version; commands of 1.0 need fewer headers.
    version: Option<String>,
    /// Whether the subprotocol excludes version 1.0.
    is_agreed: bool,
    /// The client's offer: the milliseconds between its heartbeats, and between those that it
    /// wants.
    offered: [u64; 2],
    /// The agreed values, in the same form.
    agreed: [u64; 2],
    /// The times of the last data of server and client.
    heard: [SideClock; 2],
    /// Whether the client has sent a frame.
    begun: bool,
    asked: bool,
    connected: bool,
    session: Option<String>,
    subscriptions: Kept<String, String>,
    /// Ended subscriptions; messages for them may have been on their way.
    ended: Kept<String, ()>,
    transactions: Kept<String, ()>,
    /// Messages that wait for ACK or NACK, by their identifier.
    unacknowledged: Kept<String, String>,
    /// The frame after which the server, or the client, sends nothing more.
    last: [Option<&'static str>; 2],
    ids: Fresh,
}

impl Stomp {
    fn new(facts: &LensFacts) -> Self {
        Self {
            host: facts.host.clone(),
            version: match facts.subprotocol.as_deref() {
                Some("v10.stomp") => Some("1.0".to_owned()),
                Some("v11.stomp") => Some("1.1".to_owned()),
                _ => None,
            },
            is_agreed: ["v11.stomp", "v12.stomp"]
                .contains(&facts.subprotocol.as_deref().unwrap_or_default()),
            ..Self::default()
        }
    }

    fn look(&mut self, frame: StompFrame, from_client: bool) -> Decoded {
        let StompFrame { command, ref headers, ref body, ref faults } = frame;
        let content_bytes = match body {
            StompBody::All(body) => &body[..],
            StompBody::Large(_) => &[],
        };
        let header = |name: &str| frame.header(name);
        let mut size = String::new();
        let mut summary = command.to_owned();
        if let StompBody::Large(len) = body {
            let len = len.map_or_else(|| format!("over {LARGEST} B"), |len| format!("{len} B"));
            size = format!(" {len}, {TOO_LARGE}");
        }
        if let Some(destination) = header("destination") {
            let _ = write!(summary, " {destination}");
        }
        for name in ["id", "subscription", "ack", "version", "receipt-id", "message", "transaction"]
        {
            if let Some(value) = header(name) {
                let _ = match name {
                    "message" => write!(summary, " {value}"),
                    _ => write!(summary, " {name}={value}"),
                };
            }
        }
        if let Some(id) = header("message-id") {
            let _ = write!(summary, " #{id}");
        }
        match std::str::from_utf8(content_bytes) {
            _ if content_bytes.is_empty() => {}
            // The body explains the header "message".
            Ok(reason) if command == "ERROR" => {
                let _ = write!(summary, ": {}", brief(reason.trim()));
            }
            _ => {
                let _ = write!(summary, " {}", crate::lens::body::body(content_bytes));
            }
        }
        summary.push_str(&size);
        let map: Value = headers.iter().map(|(k, v)| (k.as_str(), v.as_str().into())).collect();
        let mut decoded = Decoded::new(NAME, command, summary)
            .field("command", command)
            .field("headers", map)
            .field_if("body", (!content_bytes.is_empty()).then(|| content(content_bytes)));
        for (rule, fault) in faults {
            decoded = decoded.breaks(rule, fault);
        }
        if let Some((_, needed, may_have_body)) = COMMANDS.iter().find(|row| row.0 == command) {
            let is_old = match command {
                // "CONNECT" of 1.0 has no accept-version, and a server of 1.0 answers without one.
                "CONNECT" => !self.is_agreed && header("accept-version").is_none(),
                "CONNECTED" => !self.is_agreed && header("version").is_none(),
                _ => false,
            };
            let needed = match (self.version.as_deref(), command) {
                (Some("1.0"), _) => &[],
                _ if is_old || headers.len() == HEADERS => &[],
                // STOMP 1.1, ACK: "It MUST contain a message-id header … and a subscription header".
                (Some("1.1"), "ACK" | "NACK") => &["message-id", "subscription"][..],
                _ => needed,
            };
            for name in needed.iter().filter(|name| header(name).is_none()) {
                decoded = decoded
                    .breaks("STOMP 1.2, Standard Headers", format!("{command} has no {name}"));
            }
            decoded = decoded.breaks_if(
                !may_have_body
                    && !content_bytes.is_empty()
                    && self.version.as_deref() != Some("1.0"),
                "STOMP 1.2, Body",
                "only SEND, MESSAGE and ERROR may have a body",
            );
        }
        if let Some(receipt) = header("receipt") {
            decoded = decoded.asks(format!("receipt {receipt}"), command);
        }
        if COMMANDS[..OF_CLIENTS].iter().any(|row| row.0 == command) != from_client {
            // A frame from the wrong side changes nothing.
            let text =
                if from_client { "only a server sends it" } else { "only a client sends it" };
            return decoded.breaks("STOMP 1.2, STOMP Frames", text);
        }
        let decoded = self.in_order(&frame, from_client, decoded);
        let decoded = decoded.refuses_if(command == "ERROR").leaves_if(command == "DISCONNECT");
        self.note(command, &frame, from_client, decoded)
    }

    /// Adds a complaint about a frame that may not come now.
    fn in_order(&mut self, frame: &StompFrame, from_client: bool, decoded: Decoded) -> Decoded {
        let command = frame.command;
        let has = |name: &str, is_so: &dyn Fn(&String) -> bool| {
            frame.header(name).is_some_and(|id| is_so(&remembered(id)))
        };
        // If the beginning of the session was not seen, its state is unknown, and frames that may
        // have passed unseen do not count as missing.
        let is_known = self.asked;
        let is_whole = !self.streams.has_gaps();
        let lacks = |of: &Kept<String, ()>, name: &str| is_whole && has(name, &|id| of.lacks(id));
        let acknowledged = |name: &str| is_whole && has(name, &|id| self.unacknowledged.lacks(id));
        let unsubscribed = |name: &str| is_whole && has(name, &|id| self.subscriptions.lacks(id));
        let transaction = frame.header("transaction").filter(|_| command != "BEGIN");
        let last = &mut self.last[usize::from(from_client)];
        let mut decoded = decoded;
        if let Some(last) = last {
            let rule = if from_client { "STOMP 1.2, DISCONNECT" } else { "STOMP 1.2, ERROR" };
            decoded = decoded.breaks(rule, format!("a frame after {last} of the same side"));
        }
        *last = match command {
            "DISCONNECT" if from_client => Some("DISCONNECT"),
            "ERROR" if !from_client => Some("ERROR"),
            _ => *last,
        };
        let (rule, wrong, text) = match command {
            "CONNECT" | "STOMP" => {
                ("STOMP 1.2, Connecting", self.asked, "the connection is already open")
            }
            "CONNECTED" => ("STOMP 1.2, Connecting", self.connected, "a second CONNECTED"),
            "SUBSCRIBE" => (
                "STOMP 1.2, SUBSCRIBE id Header",
                has("id", &|id| self.subscriptions.get(id).is_some()),
                "another subscription has this id",
            ),
            "UNSUBSCRIBE" => {
                ("STOMP 1.2, UNSUBSCRIBE", unsubscribed("id"), "no subscription has this id")
            }
            "ACK" | "NACK" => (
                "STOMP 1.2, ACK",
                acknowledged(self.acknowledged_by()),
                "no message waits for this acknowledgement",
            ),
            "MESSAGE" => (
                "STOMP 1.2, MESSAGE",
                // RabbitMQ itself subscribes a client to its temporary queues.
                unsubscribed("subscription")
                    && lacks(&self.ended, "subscription")
                    && !has("subscription", &|id| id.starts_with("/temp-queue/")),
                "no subscription has this id",
            ),
            "BEGIN" => (
                "STOMP 1.2, BEGIN",
                is_whole && has("transaction", &|id| self.transactions.get(id).is_some()),
                "the transaction has already begun",
            ),
            _ => ("", false, ""),
        };
        let decoded = decoded.breaks_if(is_known && wrong, rule, text);
        decoded.breaks_if(
            is_known
                && transaction.is_some()
                && from_client
                && lacks(&self.transactions, "transaction"),
            "STOMP 1.2, BEGIN",
            "the transaction has not begun",
        )
    }

    /// Notes data of a side; returns the silence before it if that was too long.
    fn quiet(&mut self, message: &LensMessage<'_>) -> Option<Duration> {
        let from_client = message.from_client();
        // "the receiver SHOULD be tolerant and take into account an error margin" (Heart-beating).
        let most = Duration::from_millis(self.agreed[usize::from(!from_client)]) * 2;
        self.heard[usize::from(from_client)].again(message.micros, most)
    }

    /// The header with which ACK and NACK identify a message.
    fn acknowledged_by(&self) -> &'static str {
        match self.version.as_deref() {
            Some("1.0" | "1.1") => "message-id",
            _ => "id",
        }
    }

    /// The meaning of a message whose frame continues in the next message.
    fn part(&self, message: &LensMessage<'_>) -> Option<Decoded> {
        let begun = self.streams.begun(message.from_client());
        // Only for the first message of the frame; later messages have no new information.
        if begun.len() > message.content.len() {
            return None;
        }
        let (frame, rest) = head(begun, self.version.as_deref())??;
        let to = frame.header("destination").map(|to| format!(" {}", brief(to)));
        let missing = match frame.length() {
            Some(len) => format!("{} of {len} B and NUL", rest.len().min(len)),
            None => format!("{} B, no NUL ends it yet", rest.len()),
        };
        let summary = format!("{}{} (part: {missing})", frame.command, to.unwrap_or_default());
        Some(Decoded::new(NAME, "part", summary).field("command", frame.command))
    }

    /// The unfinished frame, if this message begins with another one.
    fn abandoned(&mut self, message: &LensMessage<'_>) -> Option<Decoded> {
        let from_client = message.from_client();
        let begun = self.streams.begun(from_client);
        let next = line(message.content).and_then(|(line, _)| std::str::from_utf8(line).ok());
        if begun.is_empty() || !COMMANDS.iter().any(|row| Some(row.0) == next) {
            return None;
        }
        let (frame, body) = head(begun, self.version.as_deref())??;
        // If the length is known, a body may contain any bytes.
        if frame.length().is_some() && !begun.ends_with(b"\0") {
            return None;
        }
        let fault = match frame.length() {
            Some(_) => ("STOMP 1.2, Header content-length", TOO_LONG),
            None => ("STOMP 1.2, STOMP Frames", "no NUL ends the frame"),
        };
        let body = body.strip_suffix(b"\0").unwrap_or(body).to_vec();
        let mut frame = StompFrame { body: StompBody::All(body), ..frame };
        frame.faults.push((fault.0, fault.1.to_owned()));
        self.streams.take_begun(from_client);
        Some(self.look(frame, from_client))
    }

    /// Updates the state for a frame, and pairs the frame.
    fn note(
        &mut self,
        command: &str,
        frame: &StompFrame,
        from_client: bool,
        decoded: Decoded,
    ) -> Decoded {
        let text = |name: &str| frame.header(name).map(remembered);
        let id = || text("id").unwrap_or_default();
        let opens = ["CONNECT", "STOMP"].contains(&command);
        let early = from_client && !self.begun && !opens;
        self.begun |= from_client;
        let decoded = decoded.breaks_if(
            early,
            "STOMP 1.2, Connecting",
            "the first frame of a client is CONNECT or STOMP",
        );
        match command {
            "CONNECT" | "STOMP" => {
                self.asked = true;
                if text("accept-version").is_none() {
                    self.version = Some("1.0".to_owned());
                }
                self.offered = heart_beat(frame);
                decoded.asks("connect", "")
            }
            "CONNECTED" => {
                self.connected = true;
                self.version = Some(text("version").unwrap_or_else(|| "1.0".to_owned()));
                self.session = text("session").or_else(|| text("server"));
                let [sends, wants] = heart_beat(frame);
                // "if <cx> is 0 … or <sy> is 0 … then there will be none; otherwise, there will be
                // heart-beats every MAX(<cx>,<sy>) milliseconds" (Heart-beating).
                let every = |a: u64, b: u64| if a == 0 || b == 0 { 0 } else { a.max(b) };
                self.agreed = [every(self.offered[0], wants), every(sends, self.offered[1])];
                decoded.answers("connect")
            }
            "SUBSCRIBE" => {
                self.ids.seen(id().parse().unwrap_or(0u64));
                self.subscriptions.insert(id(), text("destination").unwrap_or_default());
                decoded
            }
            "UNSUBSCRIBE" => {
                self.subscriptions.remove(&id());
                self.ended.insert(id(), ());
                decoded
            }
            "BEGIN" => {
                self.transactions.insert(text("transaction").unwrap_or_default(), ());
                decoded
            }
            "COMMIT" | "ABORT" => {
                self.transactions.remove(&text("transaction").unwrap_or_default());
                decoded
            }
            "MESSAGE" => {
                let by = match self.acknowledged_by() {
                    "id" => "ack",
                    by => by,
                };
                if let Some(key) = text(by) {
                    let subscription = text("subscription").unwrap_or_default();
                    self.unacknowledged.insert(key, subscription);
                }
                match text("ack") {
                    Some(ack) => decoded.asks(format!("ack {ack}"), "MESSAGE"),
                    None => decoded,
                }
            }
            "ACK" | "NACK" if decoded.pairing.is_none() => decoded.answers(format!("ack {}", id())),
            "RECEIPT" | "ERROR" => match text("receipt-id") {
                Some(receipt) => decoded.answers(format!("receipt {receipt}")),
                None if !self.connected => decoded.answers("connect"),
                None => decoded,
            },
            _ => decoded,
        }
    }
}

impl Lens for Stomp {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let from_client = message.from_client();
        let is_eol = |bytes: &[u8]| bytes.iter().all(|byte| b"\r\n".contains(byte));
        if is_eol(self.streams.begun(from_client)) {
            // Bytes after the last frame belong to no frame.
            self.streams.take_begun(from_client);
            if is_eol(message.content) && !message.content.is_empty() {
                let quiet = self.quiet(message);
                let beat = Decoded::heartbeat(NAME, "heartbeat");
                return Some(vec![beat.after_quiet(quiet, HEART_BEATING)]);
            }
        }
        self.pass_over(message, message.content.len() as u64)
    }

    fn pass_over(&mut self, message: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        let quiet = self.quiet(message);
        let was_connected = self.connected;
        self.begun |= message.from_client() && len > message.content.len() as u64;
        let abandoned = self.abandoned(message);
        let version = self.version.clone();
        let frames = self.streams.packets(message, len, |bytes| next(bytes, version.as_deref()));
        let frames = match (frames, &abandoned) {
            (None, None) => return None,
            (frames, _) => frames.unwrap_or_default(),
        };
        let part = self.part(message);
        let mut look = |frame| self.look(frame, message.from_client());
        let looked = frames.into_iter().map(|taken| taken.looked_at(NAME, &mut look));
        let mut frames =
            decoded::packets(abandoned.into_iter().chain(looked).chain(part).map(Some))?;
        if self.connected && !was_connected {
            // The agreement applies from now on.
            for heard in &mut self.heard {
                heard.again(message.micros, Duration::ZERO);
            }
        }
        if let Some(first) = frames.first_mut().filter(|_| quiet.is_some()) {
            *first = first.clone().after_quiet(quiet, HEART_BEATING);
        }
        Some(frames)
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        for from_client in [true, false] {
            let begun = self.streams.begun(from_client);
            if head(begun, self.version.as_deref()).flatten().is_some() {
                let otherwise = "it does nothing before the frame is complete";
                return Some(match from_client {
                    true => AwaitedMessage::of_client("the NUL that ends the frame", otherwise),
                    false => AwaitedMessage::of_server("the NUL that ends the frame", otherwise),
                });
            }
        }
        match (self.asked, self.connected) {
            (_, true) => None,
            (false, _) => Some(AwaitedMessage::of_client(
                "CONNECT",
                "servers send nothing before it, and many close the connection after some seconds",
            )),
            (true, _) => Some(AwaitedMessage::of_server(
                "CONNECTED",
                "it sends ERROR and closes the connection if it refuses",
            )),
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let mut state = Vec::new();
        state.extend(self.version.clone().map(|version| ("version", version)));
        state.extend(self.session.clone().map(|session| ("session", session)));
        if self.connected {
            let every = |millis: u64| match millis {
                0 => "never".to_owned(),
                ms => format!("every {}", self::millis(ms)),
            };
            let [client, server] = self.agreed.map(every);
            state.push(("heartbeats agreed", format!("client {client}, server {server}")));
        }
        let mut list = Vec::new();
        list.extend(self.subscriptions.iter().take(20).map(|(id, to)| format!("{id} {to}")));
        if !list.is_empty() {
            state.push(("subscriptions", list.join(", ")));
        }
        state
    }

    fn beat(&self) -> Option<Beat> {
        let every = Duration::from_millis(self.agreed[0]);
        (!every.is_zero()).then(|| Beat::every(every, Outgoing::text("\n")))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let first = arguments.get(0).to_owned();
        let message = match command {
            "connect" => {
                let own = self.host.split(':').next().unwrap_or_default();
                let host = arguments.given(2).unwrap_or(own);
                let mut headers = vec![
                    ("accept-version", "1.2,1.1,1.0".to_owned()),
                    ("host", host.to_owned()),
                    ("heart-beat", "10000,10000".to_owned()),
                ];
                headers.extend(arguments.given(0).map(|login| ("login", login.to_owned())));
                headers.extend(arguments.given(1).map(|code| ("passcode", code.to_owned())));
                frame("CONNECT", &headers, "")
            }
            "subscribe" => {
                let ack = arguments.given(1).unwrap_or("auto");
                if !["auto", "client", "client-individual"].contains(&ack) {
                    let text = format!("ACK is auto, client or client-individual: {ack}");
                    return Err(SpeechError::Wrong(text));
                }
                let id = self.ids.next().to_string();
                frame("SUBSCRIBE", &[("id", id), ("destination", first), ("ack", ack.into())], "")
            }
            "unsubscribe" => frame("UNSUBSCRIBE", &[("id", first)], ""),
            "ack" | "nack" => {
                let mut headers = vec![(self.acknowledged_by(), first.clone())];
                if headers[0].0 != "id" {
                    let of = self.unacknowledged.get(&remembered(&first)).cloned();
                    headers.extend(of.map(|subscription| ("subscription", subscription)));
                }
                frame(&command.to_ascii_uppercase(), &headers, "")
            }
            "begin" | "commit" | "abort" => {
                frame(&command.to_ascii_uppercase(), &[("transaction", first)], "")
            }
            "send" | "send-in" => {
                let (to, body, within) = match command {
                    "send" => (first, arguments.get(1), None),
                    _ => (arguments.get(1).to_owned(), arguments.get(2), Some(first)),
                };
                let mut headers =
                    vec![("destination", to), ("content-length", body.len().to_string())];
                headers.extend(within.map(|transaction| ("transaction", transaction)));
                frame("SEND", &headers, body)
            }
            _ => frame("DISCONNECT", &[("receipt", format!("bye-{}", self.ids.next()))], ""),
        };
        Ok(vec![message])
    }
}

impl StompFrame {
    /// "If a client or a server receives repeated frame header entries, only the first header entry
    /// SHOULD be used" (Repeated Header Entries).
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Adds a complaint about an invalid length.
    fn with_checked_length(mut self) -> Self {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if self.header("content-length").is_some_and(|length| !is_number(length.trim())) {
            let fault = "content-length is not a number of bytes".to_owned();
            self.faults.push(("STOMP 1.2, Header content-length", fault));
        }
        self
    }

    /// The length of the body in bytes, if the frame has it.
    fn length(&self) -> Option<usize> {
        self.header("content-length")?.trim().parse().ok()
    }
}

const TOO_LONG: &str = "the NUL that ends the frame is not at the place that content-length gives";

/// Takes the first frame.
fn next(bytes: &[u8], version: Option<&str>) -> Next<StompFrame> {
    let eols = bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    let bytes = &bytes[eols..];
    let (mut frame, rest) = match head(bytes, version) {
        None => return Next::Wrong,
        // Needs the rest of the next line if the command is known.
        Some(None) => {
            let want = if line(bytes).is_some() { Want::Byte(b'\n') } else { Want::Any };
            return Next::Incomplete(want);
        }
        Some(Some(head)) => head,
    };
    let before = eols + bytes.len() - rest.len();
    let length = frame.length();
    if let Some(length) = length.filter(|length| *length > LARGEST) {
        let end = PacketEnd::After((before as u64 + 1).saturating_add(length as u64));
        return Next::Large(StompFrame { body: StompBody::Large(Some(length)), ..frame }, end);
    }
    let end = match length {
        Some(length) if rest.len() <= length => {
            return Next::Incomplete(Want::Bytes(before + length + 1));
        }
        Some(length) if rest[length] == 0 => length,
        // The frame ends at the next NUL anyway.
        Some(_) => {
            frame.faults.push(("STOMP 1.2, Header content-length", TOO_LONG.to_owned()));
            memchr::memchr(0, rest).unwrap_or(rest.len())
        }
        None => match memchr::memchr(0, rest) {
            Some(end) => end,
            None if rest.len() < LARGEST - HEAD => return Next::Incomplete(Want::Byte(0)),
            None => {
                return Next::Large(
                    StompFrame { body: StompBody::Large(None), ..frame },
                    PacketEnd::With(0),
                );
            }
        },
    };
    frame.body = StompBody::All(rest[..end].to_vec());
    Next::Packet(frame, (before + end + 1).min(eols + bytes.len()))
}

/// The command and the headers of a frame, and the bytes after them; `Some(None)` if more data is
/// needed, `None` if it is not a frame.
fn head<'a>(bytes: &'a [u8], version: Option<&str>) -> Option<Option<(StompFrame, &'a [u8])>> {
    let Some((command, mut rest)) = line(bytes) else {
        let begins = |row: &(&str, _, _)| {
            let end = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            row.0.as_bytes().starts_with(end)
        };
        return COMMANDS.iter().any(begins).then_some(None);
    };
    let command = std::str::from_utf8(command).ok()?;
    let (command, ..) = *COMMANDS.iter().find(|row| row.0 == command)?;
    let escapes = !command.starts_with("CONNECT") && version != Some("1.0");
    let (mut headers, mut faults) = (Vec::new(), Vec::new());
    loop {
        let Some((header, after)) = line(rest) else {
            return (bytes.len() <= HEAD).then_some(None);
        };
        rest = after;
        if header.is_empty() {
            break;
        }
        let header = std::str::from_utf8(header).ok()?;
        let Some((name, value)) = header.split_once(':') else {
            if faults.len() < 8 {
                faults.push(("STOMP 1.2, Augmented BNF", "a header has no colon".to_owned()));
            }
            continue;
        };
        // The examples of STOMP 1.0 have spaces there, and servers remove them.
        let trims = version == Some("1.0");
        let (name, value) = if trims { (name.trim(), value.trim()) } else { (name, value) };
        let mut text = |text: &str| match escapes {
            true => unescaped(text, &mut faults),
            false => text.to_owned(),
        };
        if headers.len() < HEADERS {
            headers.push((text(name), text(value)));
        }
    }
    let frame = StompFrame { command, headers, body: StompBody::All(Vec::new()), faults };
    Some(Some((frame.with_checked_length(), rest)))
}

/// Takes a line, with or without a carriage return.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    Some((line, &bytes[end + 1..]))
}

fn unescaped(text: &str, faults: &mut Vec<(&'static str, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some('c') => out.push(':'),
                Some('\\') => out.push('\\'),
                other => {
                    out.push('\\');
                    out.extend(other);
                    // "Undefined escape sequences such as \t MUST be treated as a fatal protocol
                    // error" (Value Encoding).
                    if faults.len() < 8 {
                        let what = other.map(String::from).unwrap_or_default();
                        let fault = format!("undefined escape sequence \\{what}");
                        faults.push(("STOMP 1.2, Value Encoding", fault));
                    }
                }
            },
            c => out.push(c),
        }
    }
    out
}

fn heart_beat(frame: &StompFrame) -> [u64; 2] {
    let pair = frame.header("heart-beat").and_then(|value| value.split_once(','));
    let number = |text: &str| text.trim().parse().unwrap_or(0);
    pair.map_or([0; 2], |(sends, wants)| [number(sends), number(wants)])
}

fn frame(command: &str, headers: &[(&str, String)], body: &str) -> Outgoing {
    let mut text = format!("{command}\n");
    for (name, value) in headers {
        let value = match command {
            "CONNECT" => value.clone(),
            _ => value
                .replace('\\', "\\\\")
                .replace('\r', "\\r")
                .replace('\n', "\\n")
                .replace(':', "\\c"),
        };
        let _ = writeln!(text, "{name}:{value}");
    }
    Outgoing::text(format!("{text}\n{body}\0"))
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    fn script() -> Script {
        Script::auto("v12.stomp", "/ws")
    }

    #[test]
    fn headers_of_version_1_0_may_have_spaces() {
        let mut script = Script::of("stomp", "v10.stomp", "/");
        script.client("CONNECT\nlogin: me\n\n\0");
        script.server("CONNECTED\nsession: 1\n\n\0\n");
        script.client("SUBSCRIBE\ndestination: /queue/foo\nack: client\n\n\0");
        assert_eq!(script.last(), "SUBSCRIBE /queue/foo ack=client");
    }

    #[test]
    fn a_session_by_hand_may_have_transactions_and_acknowledgements() {
        let speak = |script: &mut Script, line: &str| {
            let spoken = script.conversation.speak("stomp", line).expect("a command").remove(0);
            script.send(&spoken);
            assert_eq!(complaints(script.decoded()), [""; 0], "{line}");
            script.last()
        };
        for version in ["1.1", "1.2"] {
            let mut script = Script::of("stomp", "", "/");
            speak(&mut script, "connect");
            script.server(&format!("CONNECTED\nversion:{version}\n\n\0"));
            assert_eq!(speak(&mut script, "subscribe /a client"), "SUBSCRIBE /a id=1 ack=client");
            let ack = if version == "1.2" { "ack:m\n" } else { "" };
            script.server(&format!(
                "MESSAGE\ndestination:/a\nsubscription:1\nmessage-id:m\n{ack}\n\0"
            ));
            assert_eq!(speak(&mut script, "begin t"), "BEGIN transaction=t");
            assert_eq!(speak(&mut script, "send-in t /a x y"), "SEND /a transaction=t 3 B");
            let nack = speak(&mut script, "nack m");
            assert!(
                nack.starts_with(if version == "1.2" {
                    "NACK id=m"
                } else {
                    "NACK subscription=1 #m"
                }),
                "{nack}"
            );
            assert_eq!(speak(&mut script, "commit t"), "COMMIT transaction=t");
            assert!(script.conversation.speak("stomp", "subscribe /a maybe").is_err());
        }
    }

    #[test]
    fn a_session_with_rabbitmq() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:10000,5000\nlogin:guest\npasscode:guest\n\n\0");
        assert_eq!(script.last(), "CONNECT");
        script.server("CONNECTED\nserver:RabbitMQ/3.10.8\nsession:session-abc\nheart-beat:5000,20000\nversion:1.2\n\n\0");
        assert_eq!(script.last(), "CONNECTED version=1.2 (35 ms)");
        script.client("SUBSCRIBE\nid:0\ndestination:/topic/a\nack:auto\n\n\0");
        assert_eq!(script.last(), "SUBSCRIBE /topic/a id=0 ack=auto");
        script.server("MESSAGE\nsubscription:0\ndestination:/topic/a\nmessage-id:T_0@@1\ncontent-length:8\n\n{\"a\":1}\n\0");
        assert_eq!(script.last(), "MESSAGE /topic/a subscription=0 #T_0@@1 json 8 B");
        script.server("\n");
        assert!(script.decoded().heartbeat);
        script.client("DISCONNECT\nreceipt:77\n\n\0");
        script.server("RECEIPT\nreceipt-id:77\n\n\0");
        assert_eq!(script.last(), "RECEIPT receipt-id=77 (DISCONNECT, 35 ms)");
        assert_eq!(script.decoded().beats_before, 0);
        let state = script.state();
        assert!(state.contains("client every 20 s, server every 5 s"), "{state}");
        assert!(state.contains("subscriptions: 0 /topic/a"), "{state}");
        script.wait(11);
        script.server("\n");
        assert!(complaints(script.decoded())[0].starts_with("nothing was sent for 11 s"));
    }

    #[test]
    fn older_versions_have_other_headers() {
        let mut script = Script::auto("v11.stomp", "/ws");
        script.client("CONNECT\naccept-version:1.1\nhost:/\n\n\0");
        script.server("CONNECTED\nversion:1.1\n\n\0");
        script.client("SUBSCRIBE\nid:0\ndestination:/a\nack:client\n\n\0");
        script.server("MESSAGE\nsubscription:0\nmessage-id:7\ndestination:/a\n\n\0");
        script.client("ACK\nsubscription:0\nmessage-id:7\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("ACK\nid:7\n\n\0");
        assert_eq!(complaints(script.decoded()).len(), 2, "it has neither");
        let mut script = Script::of("stomp", "v10.stomp", "/ws");
        script.client("CONNECT\nlogin:me\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn an_error_says_why() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:a.example\n\n\0");
        script.server("ERROR\nmessage:Bad CONNECT\ncontent-length:35\n\nVirtual host 'a.example' access den\0");
        assert_eq!(script.last(), "ERROR Bad CONNECT: Virtual host 'a.example' access den (35 ms)");
    }

    #[test]
    fn breaches_are_named() {
        let cases = [
            ("SEND\n\nx\0", "SEND has no destination"),
            ("SEND\ndestination:/a\\t\n\nx\0", "undefined escape sequence \\t"),
            (
                "SUBSCRIBE\nid:1\ndestination:/a\n\nbody\0",
                "only SEND, MESSAGE and ERROR may have a body",
            ),
            (
                "SEND\ndestination:/a\ncontent-length:1\n\nxyz\0",
                "the NUL that ends the frame is not at the place that content-length gives",
            ),
            ("SUBSCRIBE\nid:0\ndestination:/a\n\n\0", "another subscription has this id"),
            ("UNSUBSCRIBE\nid:7\n\n\0", "no subscription has this id"),
            ("ACK\nid:7\n\n\0", "no message waits for this acknowledgement"),
            ("COMMIT\ntransaction:t\n\n\0", "the transaction has not begun"),
            ("SEND\ndestination:/a\ntransaction:t\n\n\0", "the transaction has not begun"),
            ("CONNECT\naccept-version:1.2\nhost:/\n\n\0", "the connection is already open"),
            (
                "MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:0\n\n\0",
                "only a server sends it",
            ),
            ("SEND\ndestination\n\nx\0", "a header has no colon"),
        ];
        for (frame, complaint) in cases {
            let mut script = script();
            script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
            script.client("SUBSCRIBE\nid:0\ndestination:/a\n\n\0");
            script.client(frame);
            assert!(complaints(script.decoded()).contains(&complaint), "{:?}", script.decoded());
        }
        let mut script = Script::of("stomp", "", "/");
        script.client("SEND\ndestination:/a\n\n\0");
        assert_eq!(
            complaints(script.decoded()),
            ["the first frame of a client is CONNECT or STOMP"]
        );
        let mut script = self::script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        script.server("MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:7\n\n\0");
        assert_eq!(complaints(script.decoded()), ["no subscription has this id"]);
        script.server("ERROR\nmessage:x\n\n\0");
        script.server("RECEIPT\nreceipt-id:1\n\n\0");
        assert_eq!(complaints(script.decoded()), ["a frame after ERROR of the same side"]);
        script.client("DISCONNECT\n\n\0");
        script.client("SEND\ndestination:/a\n\n\0");
        assert_eq!(complaints(script.decoded()), ["a frame after DISCONNECT of the same side"]);
    }

    #[test]
    fn a_message_of_an_ended_subscription_may_be_on_its_way() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        script.client("SUBSCRIBE\nid:0\ndestination:/a\nack:client\n\n\0");
        let message = "MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:0\nack:9\n\n\0";
        script.server(message);
        script.client("BEGIN\ntransaction:t\n\n\0");
        script.client("ACK\nid:9\ntransaction:t\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("COMMIT\ntransaction:t\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("UNSUBSCRIBE\nid:0\n\n\0");
        script.server(message);
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn a_frame_may_span_messages() {
        let send = "SEND\ndestination:/a\ncontent-length:3\n\na\0b\0";
        let plain = "SEND\ndestination:/a\n\nabc\0";
        for (frame, expected) in [(send, "SEND /a 3 B"), (plain, "SEND /a 3 B")] {
            for size in [1, 7, frame.len()] {
                let mut script = script();
                script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
                let parts = frame.as_bytes().chunks(size);
                let lines: Vec<_> = parts.flat_map(|part| script.client_bytes(part)).collect();
                assert_eq!(lines, [expected], "{size}");
                assert_eq!(complaints(script.decoded()), [""; 0]);
                script.client("\n");
                assert!(script.decoded().heartbeat);
            }
        }
    }

    #[test]
    fn the_beginning_of_a_frame_is_shown_and_waited_for() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        script.server("CONNECTED\nversion:1.2\n\n\0");
        script.client("SEND\ndestination:/a\n\nno end");
        assert_eq!(script.last(), "SEND /a (part: 6 B, no NUL ends it yet)");
        let state = script.state();
        assert!(state.contains("the server waits for the NUL that ends the frame"), "{state}");
        let lines = script.client("SEND\ndestination:/b\ncontent-length:9\n\nx\0");
        assert_eq!(lines, ["SEND /a 6 B", "SEND /b (part: 2 of 9 B and NUL)"]);
        assert_eq!(complaints(&script.packets()[0]), ["no NUL ends the frame"]);
        script.client("DISCONNECT\n\n\0");
        let wrong = "the NUL that ends the frame is not at the place that content-length gives";
        assert_eq!(complaints(&script.packets()[0]), [wrong]);
    }

    #[test]
    fn a_frame_that_is_too_large_is_named_where_it_ends() {
        let body = vec![b'x'; 3 << 20];
        let headers = ["", "content-length:3145728\n"];
        let sizes = ["over 1048576 B", "3145728 B"];
        for (header, len) in headers.into_iter().zip(sizes) {
            let head = format!("SEND\ndestination:/a\n{header}\n");
            let frame = [head.as_bytes(), &body, b"\0"].concat();
            for size in [100_000, 1 << 20, (3 << 20) / 2, 4 << 20] {
                let mut script = script();
                script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
                let parts = frame.chunks(size);
                let lines: Vec<_> = parts.flat_map(|part| script.client_bytes(part)).collect();
                let expected = format!("SEND /a {len}, too large for a lens");
                let lines: Vec<_> = lines.iter().filter(|line| !line.contains("(part")).collect();
                assert_eq!(lines, [&expected], "{size}");
                assert_eq!(script.client("BEGIN\ntransaction:t\n\n\0"), ["BEGIN transaction=t"]);
            }
        }
    }

    #[test]
    fn a_body_may_hold_nul_and_a_message_two_frames() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        let lines = script.client(
            "SEND\ndestination:/a\ncontent-length:3\n\na\0b\0\nBEGIN\ntransaction:t\n\n\0\n",
        );
        assert_eq!(lines, ["SEND /a 3 B", "BEGIN transaction=t"]);
        script.client("\n");
        assert!(script.decoded().heartbeat);
    }

    #[test]
    fn another_protocol_ends_it_silently() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        assert!(script.client("{}").is_empty());
        assert!(script.conversation.is_off());
    }

    #[test]
    fn a_length_is_a_number() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:a\n\n\0");
        script.server("CONNECTED\nversion:1.2\n\n\0");
        for (length, wrong) in [("-1", 1), ("x", 1), ("", 1), ("2", 0), (" 2", 0)] {
            script.client(&format!("SEND\ndestination:/a\ncontent-length:{length}\n\nab\0"));
            let said = complaints(script.decoded());
            assert_eq!(said, vec!["content-length is not a number of bytes"; wrong], "{length}");
        }
    }

    #[test]
    fn the_largest_length_is_no_length() {
        let mut script = Script::of("stomp", "v12.stomp", "/");
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        let lines =
            script.client("SEND\ndestination:/a\ncontent-length:18446744073709551615\n\nx\0");
        assert_eq!(lines, [""; 0], "it never ends");
    }

    #[test]
    fn what_was_forgotten_is_not_missed() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        for id in 0..1100 {
            script.client(&format!("SUBSCRIBE\nid:{id}\ndestination:/a\n\n\0"));
        }
        script.server("MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:0\nack:1\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("UNSUBSCRIBE\nid:0\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn long_ids_differ_in_their_ends() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        for end in ["a", "b"] {
            let id = "x".repeat(300) + end;
            script.client(&format!("SUBSCRIBE\nid:{id}\ndestination:/a\n\n\0"));
            assert_eq!(complaints(script.decoded()), [""; 0]);
        }
    }

    #[test]
    fn a_large_frame_is_heard() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,4000\n\n\0");
        script.server("CONNECTED\nversion:1.2\nheart-beat:4000,0\n\n\0");
        script.wait(5);
        let message =
            "MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:0\ncontent-length:2000000\n\n";
        script.server_large(message.as_bytes(), 2_000_000 + message.len() as u64 + 1);
        script.wait(5);
        script.server("\n");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.wait(9);
        script.server_large(message.as_bytes(), 2_000_000 + message.len() as u64 + 1);
        let all = complaints(script.decoded());
        assert!(all.iter().any(|text| text.starts_with("nothing was sent for 9 s")), "{all:?}");
    }

    #[test]
    fn a_server_of_1_0_may_answer() {
        let mut script = Script::of("stomp", "", "/");
        script.client("CONNECT\nlogin:me\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0], "as a client of 1.0 does");
        script.client("SUBSCRIBE\ndestination:/a\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let mut script = Script::of("stomp", "", "/");
        script.client("CONNECT\naccept-version:1.0,1.2\nhost:/\n\n\0");
        script.server("CONNECTED\nsession:1\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn the_server_subscribes_a_client_to_its_temporary_queue() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        script.client("SEND\ndestination:/queue/a\nreply-to:/temp-queue/b\n\nx\0");
        script.server(
            "MESSAGE\ndestination:/reply-queue/c\nmessage-id:1\nsubscription:/temp-queue/b\n\n\0",
        );
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn nothing_is_missed_after_what_was_not_collected() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\n\n\0");
        let send = "SEND\ndestination:/a\ncontent-length:2\n\nxx\0";
        script.client_large(send.as_bytes(), 2 << 20);
        script.server("MESSAGE\ndestination:/a\nmessage-id:1\nsubscription:9\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0], "a SUBSCRIBE may have been there");
    }

    #[test]
    fn heart_beats_are_due_from_connected_on() {
        let mut script = script();
        script.client("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:4000,4000\n\n\0");
        script.wait(20);
        script.server("CONNECTED\nversion:1.2\nheart-beat:4000,4000\n\n\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client("\n");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
