//! MQTT 3.1.1 and 5. Packets may span messages, and messages may contain several packets, MQTT 5
//! §6.

use std::fmt::Write;
use std::time::Duration;

use crate::lens::body::content;
use crate::lens::decoded;
use crate::lens::kept::{Fresh, Kept, Next, PacketEnd, SideClock, Streams, Want, remembered};
use crate::lens::message::TOO_LARGE;
use crate::lens::payload::cursor::Cursor;
use crate::lens::text::{brief, listed, path_ends};
use crate::lens::{
    AwaitedMessage, Beat, Decoded, LARGEST, Lens, LensMessage, Outgoing, Protocol, SpeechArguments,
    SpeechCommand, SpeechError, Value,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    word: "mqtt",
    title: "MQTT 3.1.1 and 5",
    subprotocols: &["mqtt", "mqttv3.1"],
    url: |url| path_ends(url, "/mqtt"),
    beginning: |message| match message.content {
        [0x10, rest @ ..] if message.from_client() && !message.text => {
            let body = rest.iter().position(|byte| byte & 0x80 == 0).map(|end| &rest[end + 1..]);
            body.is_some_and(|body| {
                body.starts_with(b"\0\x04MQTT") || body.starts_with(b"\0\x06MQIsdp")
            })
        }
        [0x20, 2, ..] => !message.from_client() && !message.text,
        _ => false,
    },
    begins_like_others: false,
    lens: |_| Box::new(Mqtt::default()),
    commands: &[
        SpeechCommand {
            name: "connect",
            arguments: "[CLIENT_ID] [USER] [PASSWORD]",
            help: "Opens a clean session of MQTT 3.1.1, kept alive every 60 s.",
            example: "me user secret",
        },
        SpeechCommand {
            name: "connect5",
            arguments: "[CLIENT_ID] [USER] [PASSWORD]",
            help: "Opens a clean session of MQTT 5, kept alive every 60 s.",
            example: "me user secret",
        },
        SpeechCommand {
            name: "sub",
            arguments: "FILTER [QOS]",
            help: "Subscribes to a filter, with QoS 0 by default.",
            example: "a/# 1",
        },
        SpeechCommand {
            name: "unsub",
            arguments: "FILTER",
            help: "Ends the subscription to a filter.",
            example: "a/#",
        },
        SpeechCommand {
            name: "pub",
            arguments: "TOPIC [BODY…]",
            help: "Publishes with QoS 0.",
            example: "a/b a body",
        },
        SpeechCommand {
            name: "pub1",
            arguments: "TOPIC [BODY…]",
            help: "Publishes with QoS 1: the server acknowledges it.",
            example: "a/b a body",
        },
        SpeechCommand {
            name: "pub2",
            arguments: "TOPIC [BODY…]",
            help: "Publishes with QoS 2: PUBREL follows when the server has answered PUBREC.",
            example: "a/b a body",
        },
        SpeechCommand {
            name: "retain",
            arguments: "TOPIC [BODY…]",
            help: "Publishes a retained message; without BODY, removes the retained message.",
            example: "a/b a body",
        },
        SpeechCommand { name: "ping", arguments: "", help: "Sends PINGREQ.", example: "" },
        SpeechCommand { name: "disconnect", arguments: "", help: "Ends the session.", example: "" },
    ],
};

const NAME: &str = "mqtt";

/// Packet types, MQTT 5 §2.1.2.
const KINDS: [&str; 16] = [
    "",
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

/// Packets that only the client sends, and packets that only the server sends: "Direction of flow",
/// MQTT 5 §2.1.2.
const ONE_WAY: [&[u8]; 2] = [&[1, 8, 10, 12], &[2, 9, 11, 13]];

/// How many subscriptions of a packet are shown.
const FILTERS: usize = 100;

/// How many subscriptions of a request are kept by name for its answer.
const NAMES: usize = 20;

/// How many bytes of a packet that is too large are read: more than topic and id need.
const BEGINNING: usize = 1 << 17;

#[derive(Default)]
struct Mqtt {
    streams: Streams<MqttPacket>,
    /// The protocol level: 3, 4 or 5.
    level: Option<u8>,
    client_id: String,
    /// The longest time between two packets of the client, in seconds.
    keep_alive: u16,
    heard: SideClock,
    connected: bool,
    /// Whether the server and the client have sent a packet, and their opening packet.
    begun: [bool; 2],
    opened: [bool; 2],
    /// Whether they have sent DISCONNECT.
    gone: [bool; 2],
    /// Topics by their aliases, of the server and of the client.
    aliases: [Kept<u64, String>; 2],
    filters: Kept<String, u8>,
    /// The filters of unanswered requests, by packet identifier: their number, and the first of
    /// them.
    requests: Kept<u64, (usize, Vec<String>)>,
    ids: Fresh,
}

/// A packet as read from the stream.
struct MqttPacket {
    kind: u8,
    flags: u8,
    /// The length of the body in bytes; `body` contains less if the packet is too large.
    len: usize,
    body: Vec<u8>,
}

impl MqttPacket {
    /// How many bytes of the body are missing.
    fn missing(&self) -> usize {
        self.len - self.body.len()
    }
}

fn next(bytes: &[u8]) -> Next<MqttPacket> {
    let Some((&head, rest)) = bytes.split_first() else { return Next::Incomplete(Want::Any) };
    let mut cursor = Cursor::new(rest);
    let (kind, flags) = (head >> 4, head & 15);
    if kind == 0 {
        return Next::Wrong;
    }
    // The Remaining Length is "a Variable Byte Integer" of at most four bytes, §2.1.4.
    let Some(len) = cursor.varint(4) else {
        return if rest.len() < 4 { Next::Incomplete(Want::Any) } else { Next::Wrong };
    };
    let len = len as usize;
    let header = bytes.len() - cursor.rest.len();
    let beginning = if len > LARGEST { BEGINNING } else { len };
    let Some(body) = cursor.take(beginning) else {
        return Next::Incomplete(Want::Bytes(header + beginning));
    };
    let packet = MqttPacket { kind, flags, len, body: body.to_vec() };
    match len > LARGEST {
        true => Next::Large(packet, PacketEnd::After((header + len) as u64)),
        false => Next::Packet(packet, header + len),
    }
}

impl Mqtt {
    fn look(&mut self, packet: &MqttPacket, from_client: bool) -> Decoded {
        let name = KINDS[usize::from(packet.kind)];
        if ONE_WAY[usize::from(from_client)].contains(&packet.kind) {
            // A packet from the wrong side changes nothing.
            let other = if from_client { "server" } else { "client" };
            let decoded = Decoded::new(NAME, name, format!("{name} {} B", packet.len));
            return decoded.breaks("MQTT 5 §2.1.2", format!("only the {other} sends it"));
        }
        let read = self.body(packet, from_client);
        let decoded = read.unwrap_or_else(|| match packet.missing() {
            // Without the version, its content is unknown.
            0 => Decoded::new(NAME, name, format!("{name} {} B", packet.len)).breaks_if(
                self.level.is_some() || packet.kind == 1 || !self.streams.has_gaps(),
                "MQTT 5 §4.13",
                "the packet is malformed: the receiver closes the connection",
            ),
            _ => Decoded::new(NAME, name, format!("{name} {} B, {TOO_LARGE}", packet.len)),
        });
        let decoded = self.in_order(packet.kind, from_client, decoded);
        // "the bits are reserved and MUST be set to the values listed" (§2.1.3).
        let flags = if [6, 8, 10].contains(&packet.kind) { 2 } else { 0 };
        // In version 3.1, some of them are sent again with dup.
        decoded.breaks_if(
            packet.kind != 3 && packet.flags != flags && self.level != Some(3),
            "MQTT 5 §2.1.3",
            "the flags of the fixed header do not fit the packet type",
        )
    }

    /// Adds a complaint about a packet that may not come now.
    fn in_order(&mut self, kind: u8, from_client: bool, decoded: Decoded) -> Decoded {
        let side = usize::from(from_client);
        let first = !std::mem::replace(&mut self.begun[side], true);
        let again = self.opened[side];
        self.opened[side] |= [1, 2].contains(&kind);
        let decoded = decoded
            .breaks_if(
                first && from_client && kind != 1,
                "MQTT 5 §3.1",
                "the first packet of a client is CONNECT: the server closes the connection",
            )
            .breaks_if(
                again && kind == 1,
                "MQTT 5 §3.1",
                "a second CONNECT: the server closes the connection",
            )
            .breaks_if(
                first && !from_client && ![2, 15].contains(&kind),
                "MQTT 5 §3.2",
                "the first packet of a server is CONNACK",
            )
            .breaks_if(again && kind == 2, "MQTT 5 §3.2", "a second CONNACK")
            .breaks_if(
                self.gone[side],
                "MQTT 5 §3.14.4",
                "a packet after the DISCONNECT of the same side",
            )
            .breaks_if(
                self.level.is_some_and(|level| level < 5)
                    && (kind == 15 || kind == 14 && !from_client),
                "MQTT 3.1.1 §2.2.1",
                "only MQTT 5 has this packet",
            );
        self.gone[side] |= kind == 14;
        decoded
    }

    fn body(&mut self, packet: &MqttPacket, from_client: bool) -> Option<Decoded> {
        let name = KINDS[usize::from(packet.kind)];
        let mut from = Cursor::new(&packet.body);
        let mut decoded = match packet.kind {
            1 => return self.connect(&mut from),
            2 => return self.connack(&mut from),
            3 => return self.publish(packet, &mut from, from_client),
            12 => {
                let pong = Outgoing::binary(vec![0xd0, 0]);
                return Some(Decoded::heartbeat(NAME, name).asks("ping", "").replied_by(pong));
            }
            13 => return Some(Decoded::heartbeat(NAME, name).answers("ping")),
            4..=11 => {
                let id = from.u16()?;
                Decoded::new(NAME, name, format!("{name} #{id}"))
                    .field("type", name)
                    .field("id", id)
            }
            _ => Decoded::new(NAME, name, name).field("type", name),
        };
        let id = decoded.fields.get(1).and_then(|(_, id)| id.as_u64()).unwrap_or_default();
        if packet.kind >= 8 && packet.kind < 12 {
            return self.subscriptions(packet.kind, id, &mut from, decoded);
        }
        // In MQTT 5, a reason (if it is not success) and properties follow.
        let mut is_refused = false;
        if let Some(reason) = from.u8() {
            is_refused = reason >= 0x80;
            if reason != 0 {
                let _ = write!(decoded.summary, " {}", reason_text(reason));
            }
            decoded = decoded.field("reason", reason);
            if !from.rest.is_empty() {
                decoded = decoded.field("properties", properties(&mut from)?);
            }
        }
        let reply = |head: u8| Outgoing::binary(vec![head, 2, (id >> 8) as u8, id as u8]);
        Some(match packet.kind {
            4 => decoded.answers(id).fails_if(is_refused),
            // "The sender MUST NOT send a PUBREL" after a reason of 0x80 or more (§4.3.3).
            5 if is_refused => decoded.answers(id).fails_if(true),
            5 => decoded.answers(id).replied_by(reply(0x62)),
            6 => decoded.asks(format!("release {id}"), "").replied_by(reply(0x70)),
            7 => decoded.answers(format!("release {id}")),
            14 => decoded.leaves_if(true).refuses_if(is_refused && !from_client),
            _ => decoded,
        })
    }

    fn connect(&mut self, from: &mut Cursor<'_>) -> Option<Decoded> {
        let protocol = text(from)?;
        let (level, flags, keep_alive) = (from.u8()?, from.u8()?, from.u16()?);
        let properties = if level == 5 { Some(properties(from)?) } else { None };
        let client_id = text(from)?;
        let (has_will, has_user, has_password) =
            (flags & 4 != 0, flags & 0x80 != 0, flags & 0x40 != 0);
        let mut will = None;
        if has_will {
            if level == 5 {
                self::properties(from)?;
            }
            will = Some((text(from)?, binary(from)?));
        }
        let user = if has_user { Some(text(from)?) } else { None };
        let password = if has_password { Some(binary(from)?) } else { None };
        let nameless = level < 5 && client_id.is_empty() && flags & 2 == 0;
        self.level = Some(level);
        self.client_id = remembered(&client_id);
        self.keep_alive = keep_alive;
        let mut summary =
            format!("CONNECT v{level} id={} keepalive {keep_alive}", brief(&client_id));
        if let Some((topic, _)) = &will {
            let _ = write!(summary, " will {}", brief(topic));
        }
        if let Some(user) = &user {
            let _ = write!(summary, " user {}", brief(user));
        }
        let decoded = Decoded::new(NAME, "CONNECT", summary)
            .field("type", "CONNECT")
            .field("level", level)
            .field("client_id", client_id)
            .field("clean", flags & 2 != 0)
            .field("keep_alive", keep_alive)
            .field_if("will_topic", will.map(|(topic, _)| topic))
            .field_if("user", user)
            .field_if("password", password.map(content))
            .field_if("properties", properties);
        let wrong = !matches!((protocol.as_str(), level), ("MQTT", 4 | 5) | ("MQIsdp", 3));
        let decoded = decoded.asks("connect", "").breaks_if(
            wrong,
            "MQTT 5 §3.1.2",
            "no version has this protocol name and level",
        );
        Some(
            decoded
                .breaks_if(flags & 1 != 0, "MQTT 5 §3.1.2.3", "the reserved flag is not 0")
                .breaks_if(
                    !has_will && flags & 0x38 != 0 || flags & 0x18 == 0x18,
                    "MQTT 5 §3.1.2.6",
                    "the will QoS is 3, or will flags are set without a will",
                )
                .breaks_if(
                    level < 5 && has_password && !has_user,
                    "MQTT 3.1.1 §3.1.2.9",
                    "a password without a user name",
                )
                .breaks_if(
                    nameless,
                    "MQTT 3.1.1 §3.1.3.1",
                    "an empty client id needs a clean session: the server refuses it with code 2",
                )
                .breaks_if(!from.rest.is_empty(), "MQTT 5 §3.1.3", "bytes after the last field"),
        )
    }

    fn connack(&mut self, from: &mut Cursor<'_>) -> Option<Decoded> {
        let (flags, code) = (from.u8()?, from.u8()?);
        let properties = match from.rest {
            [] => None,
            _ => Some(properties(from)?),
        };
        let why = match (code, self.level) {
            (0, _) => "accepted",
            (1, _) => "unacceptable protocol version",
            (2, _) => "identifier rejected",
            (3, _) => "server unavailable",
            (4, _) => "bad user name or password",
            (5, _) => "not authorized",
            _ => "",
        };
        let why = if why.is_empty() { reason_text(code) } else { why.to_owned() };
        let mut summary = format!("CONNACK {code} {why}");
        if flags & 1 == 1 {
            summary.push_str(", session present");
        }
        self.connected = code == 0;
        let property = |name| properties.as_ref().and_then(|all: &Value| all.get(name));
        // "If the Server sends a Server Keep Alive on the CONNACK packet, the Client MUST use this
        // value instead" (§3.2.2.3.14).
        if let Some(seconds) = property("server_keep_alive").and_then(Value::as_u64) {
            self.keep_alive = seconds as u16;
        }
        if let Some(id) = property("assigned_client_identifier").and_then(Value::as_str) {
            self.client_id = remembered(id);
        }
        let decoded = Decoded::new(NAME, "CONNACK", summary)
            .field("type", "CONNACK")
            .field("session_present", flags & 1 == 1)
            .field("code", code)
            .field_if("properties", properties);
        Some(
            decoded
                .answers("connect")
                .refuses_if(code != 0)
                .breaks_if(
                    code != 0 && flags & 1 == 1,
                    "MQTT 5 §3.2.2.1.1",
                    "a session is present although the connection is refused",
                )
                .breaks_if(
                    flags > 1 && self.level != Some(3),
                    "MQTT 5 §3.2.2.1",
                    "the reserved bits of the acknowledge flags are not 0",
                ),
        )
    }

    fn publish(
        &mut self,
        packet: &MqttPacket,
        from: &mut Cursor<'_>,
        from_client: bool,
    ) -> Option<Decoded> {
        let qos = packet.flags >> 1 & 3;
        let mut topic = text(from)?;
        let id = if qos > 0 { Some(from.u16()?) } else { None };
        let properties = if self.level == Some(5) { Some(properties(from)?) } else { None };
        let alias =
            properties.as_ref().and_then(|all| all.get("topic_alias")).and_then(Value::as_u64);
        let is_named = !topic.is_empty();
        if let Some(alias) = alias {
            let aliases = &mut self.aliases[usize::from(from_client)];
            match topic.as_str() {
                "" => topic = aliases.get(&alias).cloned().unwrap_or_default(),
                topic => drop(aliases.insert(alias, remembered(topic))),
            }
        }
        let is_gone = |alias| !self.aliases[usize::from(from_client)].lacks(&alias);
        let unknown = !is_named
            && topic.is_empty()
            && !(self.streams.has_gaps() || alias.is_some_and(is_gone));
        let mut summary = format!("PUBLISH {}", brief(&topic));
        if let Some(id) = id {
            let _ = write!(summary, " qos{qos} #{id}");
            if from_client {
                self.ids.seen(id);
            }
        }
        let _ = match packet.missing() {
            0 => write!(summary, " {}", crate::lens::body::body(from.rest)),
            missing => write!(summary, " {} B, {TOO_LARGE}", from.rest.len() + missing),
        };
        for (flag, word) in [(1, " retain"), (8, " dup")] {
            if packet.flags & flag != 0 {
                summary.push_str(word);
            }
        }
        let (wild, nul) = (topic.contains(['+', '#']), topic.contains('\0'));
        let decoded = Decoded::new(NAME, "PUBLISH", summary)
            .field("type", "PUBLISH")
            .field("topic", topic.as_str())
            .field("qos", qos)
            .field_if("id", id)
            .field("retain", packet.flags & 1 != 0)
            .field("dup", packet.flags & 8 != 0)
            .field_if("properties", properties)
            .field_if("payload", (packet.missing() == 0).then(|| content(from.rest)))
            .breaks_if(qos == 3, "MQTT 5 §3.3.1.2", "both bits of the QoS are set")
            .breaks_if(
                qos == 0 && packet.flags & 8 != 0,
                "MQTT 5 §3.3.1.1",
                "dup is set although a PUBLISH of QoS 0 is never sent again",
            )
            .breaks_if(
                nul,
                "MQTT 5 §1.5.4",
                "the topic has a NUL: the receiver closes the connection",
            )
            .breaks_if(wild, "MQTT 5 §3.3.2.1", "the topic of a PUBLISH has a wildcard")
            .breaks_if(alias == Some(0), "MQTT 5 §3.3.2.3.4", "the topic alias is 0")
            .breaks_if(
                unknown,
                "MQTT 5 §3.3.2.1",
                "the topic is empty, and no topic alias replaces it",
            );
        let Some(id) = id else { return Some(decoded) };
        let [high, low] = id.to_be_bytes();
        let head = if qos == 1 { 0x40 } else { 0x50 };
        let decoded =
            decoded.asks(id, topic).replied_by(Outgoing::binary(vec![head, 2, high, low]));
        Some(decoded.breaks_if(id == 0, "MQTT 5 §2.2.1", "the packet identifier is 0"))
    }

    /// The filters of SUBSCRIBE and UNSUBSCRIBE, or the codes of their answers.
    fn subscriptions(
        &mut self,
        kind: u8,
        id: u64,
        from: &mut Cursor<'_>,
        mut decoded: Decoded,
    ) -> Option<Decoded> {
        if self.level == Some(5) {
            decoded = decoded.field("properties", properties(from)?);
        }
        if kind == 9 || kind == 11 {
            return Some(self.granted(kind, id, from.rest, decoded));
        }
        self.ids.seen(id);
        let (mut filters, mut all, mut faults) = (Vec::new(), 0, Vec::new());
        while !from.rest.is_empty() {
            let filter = text(from)?;
            let options = if kind == 8 { Some(from.u8()?) } else { None };
            all += 1;
            // Only MQTT 5 has shared subscriptions; before, any filter may begin like this.
            let is_plain = self.level != Some(5) && filter.starts_with("$share/");
            if let Some(fault) = filter_fault(&filter).filter(|_| !is_plain) {
                faults.push(("MQTT 5 §4.7.1", format!("{}: {fault}", brief(&filter))));
            }
            let reserved = if self.level == Some(5) { 0xc0 } else { 0xfc };
            if options.is_some_and(|options| options & 3 == 3 || options & reserved != 0) {
                let fault = format!("{}: the options have bits that must be 0", brief(&filter));
                faults.push(("MQTT 5 §3.8.3.1", fault));
            }
            if options.is_some_and(|options| options & 4 != 0)
                && self.level == Some(5)
                && filter.starts_with("$share/")
            {
                let fault =
                    format!("{}: a shared subscription must not set No Local", brief(&filter));
                faults.push(("MQTT 5 §3.8.3.1", fault));
            }
            faults.truncate(8);
            if filters.len() == FILTERS {
                continue;
            }
            match options {
                Some(options) => drop(self.filters.insert(remembered(&filter), options & 3)),
                None => drop(self.filters.remove(&remembered(&filter))),
            }
            filters.push((filter, options));
        }
        let one = |(filter, options): &(String, Option<u8>)| match options {
            Some(options) => format!("{} qos{}", brief(filter), options & 3),
            None => brief(filter),
        };
        let _ = write!(decoded.summary, " {}", listed(filters.iter().map(one), all, 200));
        let names: Vec<_> = filters.iter().take(NAMES).map(|(filter, _)| brief(filter)).collect();
        let about = listed(names.iter().cloned(), all, 44);
        self.requests.insert(id, (all, names));
        let list = filters.into_iter().map(|(filter, _)| Value::from(filter)).collect::<Value>();
        let mut decoded = decoded.field("filters", list).asks(id, about).clip();
        let is_clear = self.level.is_some() || !self.streams.has_gaps();
        for (rule, fault) in faults.into_iter().filter(|_| is_clear) {
            decoded = decoded.breaks(rule, fault);
        }
        Some(
            decoded
                .breaks_if(all == 0, "MQTT 5 §3.8.3", "the packet has no topic filter")
                .breaks_if(id == 0, "MQTT 5 §2.2.1", "the packet identifier is 0"),
        )
    }

    /// The codes of an answer, one for each filter of the request.
    fn granted(&mut self, kind: u8, id: u64, codes: &[u8], mut decoded: Decoded) -> Decoded {
        let request = self.requests.remove(&id);
        let names = request.as_ref().map(|(_, names)| &names[..]).unwrap_or_default();
        let refused = codes.iter().enumerate().filter(|(_, code)| **code >= 0x80);
        let is_odd = |code: u8| code >= 0x80 || kind == 11 && code != 0;
        let one = |(at, code): (usize, &u8)| {
            let name = names.get(at).cloned().unwrap_or_else(|| format!("filter {}", at + 1));
            let refused = if *code >= 0x80 { " refused" } else { "" };
            format!("{name}{refused}: {}", reason_text(*code))
        };
        let odd = codes.iter().enumerate().filter(|(_, code)| is_odd(**code));
        let all = odd.clone().count();
        if all > 0 {
            let _ = write!(decoded.summary, " {}", listed(odd.map(one), all, 200));
        }
        for name in refused.filter_map(|(at, _)| names.get(at)).filter(|_| kind == 9) {
            self.filters.remove(name);
        }
        // UNSUBACK of 3.1.1 has no codes.
        let none = kind == 11 && self.level != Some(5);
        let wrong = request.as_ref().is_some_and(|(all, _)| *all != codes.len() && !none);
        let any_refused = codes.iter().any(|code| *code >= 0x80);
        let codes = codes.iter().take(FILTERS).copied().map(Value::from).collect::<Value>();
        let names = names.iter().map(|name| Value::from(name.as_str())).collect::<Value>();
        decoded
            .field("codes", codes)
            .field_if("filters", request.is_some().then_some(names))
            .answers(id)
            .clip()
            .fails_if(any_refused)
            .breaks_if(
                wrong,
                "MQTT 5 §3.9.3",
                "the number of codes differs from the number of filters",
            )
    }
}

/// The section of MQTT 3.1.1 that corresponds to this one of MQTT 5.
fn older(rule: &'static str) -> &'static str {
    match rule {
        "MQTT 5 §1.5.4" => "MQTT 3.1.1 §1.5.3",
        "MQTT 5 §2.1.2" => "MQTT 3.1.1 §2.2.1",
        "MQTT 5 §2.1.3" => "MQTT 3.1.1 §2.2.2",
        "MQTT 5 §2.2.1" => "MQTT 3.1.1 §2.3.1",
        "MQTT 5 §3.1" => "MQTT 3.1.1 §3.1",
        "MQTT 5 §3.1.2" => "MQTT 3.1.1 §3.1.2",
        "MQTT 5 §3.1.2.3" => "MQTT 3.1.1 §3.1.2.3",
        "MQTT 5 §3.1.2.6" => "MQTT 3.1.1 §3.1.2.6",
        "MQTT 5 §3.1.2.10" => "MQTT 3.1.1 §3.1.2.10",
        "MQTT 5 §3.1.3" => "MQTT 3.1.1 §3.1.3",
        "MQTT 5 §3.2" => "MQTT 3.1.1 §3.2",
        "MQTT 5 §3.2.2.1" => "MQTT 3.1.1 §3.2.2.1",
        "MQTT 5 §3.2.2.1.1" => "MQTT 3.1.1 §3.2.2.2",
        "MQTT 5 §3.3.1.1" => "MQTT 3.1.1 §3.3.1.1",
        "MQTT 5 §3.3.1.2" => "MQTT 3.1.1 §3.3.1.2",
        "MQTT 5 §3.3.2.1" => "MQTT 3.1.1 §3.3.2.1",
        "MQTT 5 §3.8.3" | "MQTT 5 §3.8.3.1" => "MQTT 3.1.1 §3.8.3",
        "MQTT 5 §3.9.3" => "MQTT 3.1.1 §3.9.3",
        "MQTT 5 §3.14.4" => "MQTT 3.1.1 §3.14.4",
        "MQTT 5 §4.7.1" => "MQTT 3.1.1 §4.7.1",
        "MQTT 5 §4.13" => "MQTT 3.1.1 §4.8",
        "MQTT 5 §6.0" => "MQTT 3.1.1 §6.0",
        rule => rule,
    }
}

/// The fault of a topic filter, §4.7.
fn filter_fault(filter: &str) -> Option<&'static str> {
    let filter = match filter.strip_prefix("$share/") {
        None => filter,
        Some(shared) => match shared.split_once('/') {
            Some((name, filter)) if !name.is_empty() && !name.contains(['+', '#']) => filter,
            _ => return Some("a shared subscription has a name and a filter"),
        },
    };
    if filter.is_empty() {
        return Some("a filter has at least one character");
    }
    if filter.contains('\0') {
        return Some("a filter has no NUL");
    }
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    if levels.clone().any(|level| level.contains('#')) || last.contains('#') && last != "#" {
        return Some("# must be the whole last level");
    }
    let partly = |level: &str| level.contains('+') && level != "+";
    (partly(last) || levels.any(partly)).then_some("+ must be a whole level")
}

impl Lens for Mqtt {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        self.pass_over(message, message.content.len() as u64)
    }

    fn pass_over(&mut self, message: &LensMessage<'_>, len: u64) -> Option<Vec<Decoded>> {
        self.begun[usize::from(message.from_client())] |= len > message.content.len() as u64;
        let packets = self.streams.packets(message, len, next)?;
        // "one and a half times the Keep Alive time period" (§3.1.2.10).
        let most = Duration::from_secs(self.keep_alive.into()) * 3 / 2;
        let quiet = message.from_client().then(|| self.heard.again(message.micros, most)).flatten();
        let mut look = |packet| self.look(&packet, message.from_client());
        let looked = packets.into_iter().map(|taken| Some(taken.looked_at(NAME, &mut look)));
        let mut decoded = decoded::packets(looked)?;
        if let Some(first) = decoded.first_mut().filter(|_| quiet.is_some()) {
            *first = first.clone().after_quiet(quiet, "MQTT 5 §3.1.2.10");
        }
        if message.text {
            let first =
                decoded.pop().unwrap_or_else(|| Decoded::new(NAME, "part", "part of a packet"));
            decoded.push(first.breaks(
                "MQTT 5 §6.0",
                "packets must be sent in binary frames: the receiver closes the connection",
            ));
        }
        if self.level.is_some_and(|level| level < 5) {
            let all = decoded.iter_mut().flat_map(|packet| &mut packet.complaints);
            all.for_each(|complaint| complaint.rule = older(complaint.rule));
        }
        Some(decoded)
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match (self.level, self.connected) {
            (_, true) => None,
            (None, _) => Some(AwaitedMessage::of_client(
                "CONNECT",
                "the server closes the connection, most after 5 to 30 s",
            )),
            (Some(_), _) => {
                Some(AwaitedMessage::of_server("CONNACK", "nothing else may come before it"))
            }
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        let version = match self.level {
            Some(3) => "3.1",
            Some(4) => "3.1.1",
            Some(5) => "5",
            _ => "unknown",
        };
        let filters: Vec<_> = self
            .filters
            .iter()
            .take(20)
            .map(|(filter, qos)| format!("{filter} qos{qos}"))
            .collect();
        vec![
            ("version", version.to_owned()),
            ("client id", self.client_id.clone()),
            ("subscriptions", filters.join(", ")),
        ]
    }

    fn beat(&self) -> Option<Beat> {
        let every = Duration::from_secs(self.keep_alive.into());
        (self.connected && !every.is_zero())
            .then(|| Beat::every(every, Outgoing::binary(vec![0xc0, 0])))
    }

    fn speak(
        &mut self,
        command: &str,
        arguments: &SpeechArguments<'_>,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let five = command == "connect5" || self.level == Some(5);
        let mut body = Vec::new();
        let head = match command {
            "connect" | "connect5" => {
                put(&mut body, "MQTT")?;
                let given = |at| arguments.given(at).is_some();
                let flags = 2 | u8::from(given(1)) << 7 | u8::from(given(2)) << 6;
                body.extend([if five { 5 } else { 4 }, flags, 0, 60]);
                if five {
                    body.push(0);
                }
                put(&mut body, arguments.get(0))?;
                for at in [1, 2] {
                    arguments.given(at).map_or(Ok(()), |text| put(&mut body, text))?;
                }
                0x10
            }
            "sub" | "unsub" => {
                body.extend(self.id());
                if five {
                    body.push(0);
                }
                put(&mut body, arguments.get(0))?;
                if command == "sub" {
                    match arguments.number(1, "QOS")?.unwrap_or(0) {
                        qos @ 0..3 => body.push(qos as u8),
                        qos => return Err(SpeechError::Wrong(format!("QOS is 0, 1 or 2: {qos}"))),
                    }
                }
                if command == "sub" { 0x82 } else { 0xa2 }
            }
            "pub" | "pub1" | "pub2" | "retain" => {
                put(&mut body, arguments.get(0))?;
                if ["pub1", "pub2"].contains(&command) {
                    body.extend(self.id());
                }
                if five {
                    body.push(0);
                }
                body.extend_from_slice(arguments.get(1).as_bytes());
                match command {
                    "pub1" => 0x32,
                    "pub2" => 0x34,
                    "retain" => 0x31,
                    _ => 0x30,
                }
            }
            "ping" => 0xc0,
            _ => 0xe0,
        };
        let mut content = vec![head];
        let mut len = body.len();
        loop {
            let more = len >= 0x80;
            content.push(len as u8 & 0x7f | u8::from(more) << 7);
            len >>= 7;
            if !more {
                break;
            }
        }
        content.extend(body);
        Ok(vec![Outgoing::binary(content)])
    }
}

impl Mqtt {
    /// An unused packet identifier.
    fn id(&mut self) -> [u8; 2] {
        (self.ids.next() as u16).max(1).to_be_bytes()
    }
}

fn put(body: &mut Vec<u8>, text: &str) -> Result<(), SpeechError> {
    let len = u16::try_from(text.len());
    let len =
        len.map_err(|_| SpeechError::Wrong("a text is longer than 65535 bytes".to_owned()))?;
    body.extend(len.to_be_bytes());
    body.extend_from_slice(text.as_bytes());
    Ok(())
}

fn binary<'a>(from: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = from.u16()?;
    from.take(len.into())
}

fn text(from: &mut Cursor<'_>) -> Option<String> {
    std::str::from_utf8(binary(from)?).ok().map(str::to_owned)
}

/// The types of properties, §1.5.
#[derive(Clone, Copy)]
enum PropertyType {
    Byte,
    Two,
    Four,
    Varint,
    Text,
    Binary,
    Pair,
}

/// Properties, §2.2.2.2.
const PROPERTIES: [(u8, &str, PropertyType); 27] = [
    (0x01, "payload_format", PropertyType::Byte),
    (0x02, "message_expiry", PropertyType::Four),
    (0x03, "content_type", PropertyType::Text),
    (0x08, "response_topic", PropertyType::Text),
    (0x09, "correlation_data", PropertyType::Binary),
    (0x0b, "subscription_identifier", PropertyType::Varint),
    (0x11, "session_expiry", PropertyType::Four),
    (0x12, "assigned_client_identifier", PropertyType::Text),
    (0x13, "server_keep_alive", PropertyType::Two),
    (0x15, "authentication_method", PropertyType::Text),
    (0x16, "authentication_data", PropertyType::Binary),
    (0x17, "request_problem_information", PropertyType::Byte),
    (0x18, "will_delay", PropertyType::Four),
    (0x19, "request_response_information", PropertyType::Byte),
    (0x1a, "response_information", PropertyType::Text),
    (0x1c, "server_reference", PropertyType::Text),
    (0x1f, "reason_string", PropertyType::Text),
    (0x21, "receive_maximum", PropertyType::Two),
    (0x22, "topic_alias_maximum", PropertyType::Two),
    (0x23, "topic_alias", PropertyType::Two),
    (0x24, "maximum_qos", PropertyType::Byte),
    (0x25, "retain_available", PropertyType::Byte),
    (0x26, "user_property", PropertyType::Pair),
    (0x27, "maximum_packet_size", PropertyType::Four),
    (0x28, "wildcard_available", PropertyType::Byte),
    (0x29, "subscription_identifiers_available", PropertyType::Byte),
    (0x2a, "shared_subscription_available", PropertyType::Byte),
];

fn properties(from: &mut Cursor<'_>) -> Option<Value> {
    let len = from.varint(4)?;
    let mut from = Cursor::new(from.take(len as usize)?);
    let mut all = Vec::new();
    while !from.rest.is_empty() {
        from.count()?;
        let id = from.u8()?;
        let &(_, name, kind) = PROPERTIES.iter().find(|row| row.0 == id)?;
        let value = match kind {
            PropertyType::Byte => from.u8()?.into(),
            PropertyType::Two => from.u16()?.into(),
            PropertyType::Four => from.u32()?.into(),
            PropertyType::Varint => from.varint(4)?.into(),
            PropertyType::Text => text(&mut from)?.into(),
            PropertyType::Binary => binary(&mut from)?.into(),
            PropertyType::Pair => Value::from_iter([(text(&mut from)?, text(&mut from)?.into())]),
        };
        all.push((name.into(), value));
    }
    Some(Value::Map(all))
}

/// The text of a reason code, §2.4.
fn reason_text(code: u8) -> String {
    let text = match code {
        0x00 => "success",
        0x04 => "disconnect with will",
        0x10 => "no matching subscribers",
        0x11 => "no subscription existed",
        0x18 => "continue authentication",
        0x19 => "re-authenticate",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8b => "server shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep alive timeout",
        0x8e => "session taken over",
        0x8f => "topic filter invalid",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x92 => "packet identifier not found",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias invalid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9e => "shared subscriptions not supported",
        0x9f => "connection rate exceeded",
        0xa0 => "maximum connect time",
        0xa1 => "subscription identifiers not supported",
        0xa2 => "wildcard subscriptions not supported",
        _ => return format!("reason 0x{code:02x}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use crate::lens::Carried;
    use crate::lens::protocol::tests::{Script, complaints};

    /// CONNECT of mqtt.js: MQTT 3.1.1, clean, keep alive 60, client id `wscp`.
    const CONNECT: &[u8] = b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04wscp";

    fn connected() -> Script {
        let mut script = Script::auto("mqtt", "/mqtt");
        script.client_bytes(CONNECT);
        assert_eq!(script.last(), "CONNECT v4 id=wscp keepalive 60");
        // aedes writes its CONNACK in four messages of one byte each.
        for byte in b"\x20\x02\0" {
            assert!(script.server_bytes(&[*byte]).is_empty());
        }
        script.server_bytes(b"\0");
        assert_eq!(script.last(), "CONNACK 0 accepted (140 ms)");
        script
    }

    #[test]
    fn a_session_of_3_1_1() {
        let mut script = connected();
        script.client_bytes(b"\x82\x08\0\x01\0\x03a/#\x01");
        assert_eq!(script.last(), "SUBSCRIBE #1 a/# qos1");
        script.server_bytes(b"\x90\x03\0\x01\x01");
        assert_eq!(script.last(), "SUBACK #1 (a/#, 35 ms)");
        script.server_bytes(b"\x32\x09\0\x03a/b\0\x0ahi");
        assert_eq!(script.last(), "PUBLISH a/b qos1 #10 2 B");
        let reply = script.decoded().reply.clone().expect("PUBACK is due");
        assert_eq!(reply.content, b"\x40\x02\0\x0a");
        script.send(&reply);
        assert_eq!(script.last(), "PUBACK #10 (a/b, 35 ms)");
        script.client_bytes(b"\xc0\0");
        let lines = script.server_bytes(b"\xd0\0\x30\x05\0\x01ahi");
        assert_eq!(lines, ["PINGRESP (35 ms)", "PUBLISH a 2 B"]);
        assert!(script.state().contains("subscriptions: a/# qos1"), "{}", script.state());
        assert_eq!(script.conversation.beat().map(|beat| beat.every.as_secs()), Some(60));
    }

    #[test]
    fn properties_of_5_are_named() {
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\x05\x11\0\0\0\x0a\0\0");
        assert_eq!(complaints(script.decoded()).len(), 1, "its length cuts it");
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x12\0\x04MQTT\x05\x02\0\x3c\x05\x11\0\0\0\x0a\0\0");
        assert_eq!(script.last(), "CONNECT v5 id= keepalive 60");
        script.server_bytes(b"\x20\x0c\0\0\x09\x12\0\x03abc\x13\0\x1e");
        assert_eq!(script.last(), "CONNACK 0 accepted (35 ms)");
        let found = script.decoded().find("properties.assigned_client_identifier");
        assert_eq!(found.and_then(|value| value.as_str()), Some("abc"));
        assert_eq!(script.conversation.beat().map(|beat| beat.every.as_secs()), Some(30));
        script.server_bytes(b"\x30\x08\0\x01t\x03\x23\0\x01x");
        assert_eq!(script.last(), "PUBLISH t 1 B");
        script.server_bytes(b"\x30\x07\0\0\x03\x23\0\x01x");
        assert_eq!(script.last(), "PUBLISH t 1 B", "by its alias");
        script.server_bytes(b"\xe0\x02\x8d\0");
        assert_eq!(script.last(), "DISCONNECT keep alive timeout");
    }

    /// A packet with this first byte, the length and the body.
    fn packet(head: u8, body: &[u8]) -> Vec<u8> {
        let mut len = body.len();
        let mut packet = vec![head];
        while len >= 0x80 {
            packet.push(len as u8 | 0x80);
            len >>= 7;
        }
        packet.push(len as u8);
        [packet.as_slice(), body].concat()
    }

    #[test]
    fn a_packet_that_is_too_large_is_named_where_it_ends() {
        let publish = packet(0x32, &[b"\0\x03a/b\0\x07", &vec![b'x'; 3 << 20][..]].concat());
        let after = b"\x30\x04\0\x01ax";
        let expected = "PUBLISH a/b qos1 #7 3145728 B, too large for a lens";
        for size in [100_000, 1 << 20, (3 << 20) / 2, 4 << 20] {
            let mut script = connected();
            let mut lines = Vec::new();
            for part in publish.chunks(size) {
                lines.extend(script.server_bytes(part));
            }
            assert_eq!(lines, [expected], "in messages of {size} B");
            assert!(script.decoded().reply.is_some(), "PUBACK is due");
            assert_eq!(script.server_bytes(after), ["PUBLISH a 1 B"], "after {size} B");
        }
        let mut script = connected();
        let lines = script.server_bytes(&[&publish[..], after].concat());
        let after_it = "and 6 B after it, which a lens does not read";
        assert_eq!(
            lines,
            [expected, after_it],
            "what follows in the same message was not collected"
        );
        assert_eq!(script.server_bytes(after), ["PUBLISH a 1 B"]);
    }

    #[test]
    fn what_begins_after_a_packet_that_is_too_large_is_not_mistaken() {
        let publish =
            |topic: u8, len: usize| packet(0x30, &[&[0, 1, topic], &vec![b'x'; len][..]].concat());
        let (large, small) = (publish(b'e', 2 << 20), publish(b'f', 5));
        for cut in [(1 << 20) - 5, (1 << 20) - 500, (1 << 20) + 500] {
            for begun in 1..small.len() {
                let mut script = connected();
                assert_eq!(script.server_bytes(&large[..cut]), [""; 0]);
                let second = [&large[cut..], &small[..begun]].concat();
                let lines = script.server_bytes(&second);
                let expected = "PUBLISH e 2097152 B, too large for a lens";
                let after_it = format!("and {begun} B after it, which a lens does not read");
                // If all of it was collected, nothing is missing.
                let was_collected = second.len() <= 1 << 20;
                assert_eq!(lines[0], expected, "{cut} {begun}");
                assert_eq!(lines.get(1), (!was_collected).then_some(&after_it), "{cut} {begun}");
                script.server_bytes(&small[begun..]);
                let lines = script.server_bytes(&publish(b'g', 1));
                assert_eq!(
                    lines.last().map(String::as_str),
                    Some("PUBLISH g 1 B"),
                    "{cut} {begun}"
                );
            }
        }
    }

    #[test]
    fn bytes_that_nobody_reads_have_a_line() {
        // As many packets as a lens reads, and one that begins after them and ends in the next
        // message.
        let small = packet(0x30, &[b"\0\x01a", &vec![b'x'; 60_000][..]].concat());
        let last = packet(0x30, &[b"\0\x01b", &vec![b'0'; 500_000][..]].concat());
        let mut script = connected();
        let first = [small.repeat(17), last[..400_000].to_vec()].concat();
        let lines = script.server_bytes(&first);
        let after_it = format!("and {} B after it, which a lens does not read", 400_000);
        assert_eq!((lines.len(), &lines[17]), (18, &after_it));
        // The rest looks like SUBACKs, but is none.
        let second = [&last[400_000..], b"\x30\x04\0\x01cx"].concat();
        let lines = script.server_bytes(&second);
        assert_eq!(lines, ["100013 B not read: the start of the next packet is unknown"]);
        assert_eq!(script.server_bytes(b"\x30\x04\0\x01dx"), ["PUBLISH d 1 B"]);
        script.server_bytes(b"\x30\x05\0");
        assert_eq!(script.server_bytes(b"\x01exx"), ["PUBLISH e 2 B"]);
    }

    #[test]
    fn packets_in_parts_after_a_loss_are_not_called_a_part_of_the_lost_one() {
        let small = b"\x30\x0c\0\x01axxxxxxxxx".repeat(100);
        let lost = packet(0x30, &[b"\0\x01b", &vec![b'x'; 500][..]].concat());
        let stream = [small.repeat(800), lost, small].concat();
        let (first, rest) = stream.split_at(800 * 1400 + 100);
        let mut script = connected();
        script.server_bytes(first);
        for part in rest.chunks(100) {
            for line in script.server_bytes(part) {
                let is_true =
                    line.ends_with(" B not read: the start of the next packet is unknown");
                assert!(is_true || line.starts_with("PUBLISH a "), "{line}");
            }
        }
    }

    #[test]
    fn a_refused_publish_is_not_released() {
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x0d\0\x04MQTT\x05\x02\0\x3c\0\0\0");
        script.server_bytes(b"\x20\x03\0\0\0");
        let spoken = script.conversation.speak("mqtt", "pub2 a x").expect("a command").remove(0);
        assert_eq!(script.send(&spoken), ["PUBLISH a qos2 #1 1 B"]);
        script.server_bytes(b"\x50\x03\0\x01\x97");
        assert_eq!(script.last(), "PUBREC #1 quota exceeded (a, 35 ms)");
        assert!(script.decoded().reply.is_none());
        script.server_bytes(b"\x50\x02\0\x01");
        assert!(script.decoded().reply.is_some());
        let spoken = script.conversation.speak("mqtt", "retain a x").expect("a command").remove(0);
        assert_eq!(script.send(&spoken), ["PUBLISH a 1 B retain"]);
        script.client_bytes(b"\x82\x0f\0\x02\0\0\x09$share/g/a\x05");
        script.client_bytes(b"\xa2\x06\0\x03\0\0\x01b");
        script.server_bytes(b"\xb0\x04\0\x03\0\x11");
        assert_eq!(script.last(), "UNSUBACK #3 b: no subscription existed (b, 35 ms)");
    }

    #[test]
    fn a_breach_is_cited_in_the_version_that_is_spoken() {
        let publish = packet(0x30, b"\0\x02a\0");
        let text = "the topic has a NUL: the receiver closes the connection";
        let mut script = connected();
        script.server_bytes(&publish);
        assert_eq!(complaints(script.decoded()), [text]);
        assert_eq!(script.decoded().complaints[0].rule, "MQTT 3.1.1 §1.5.3");
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x0d\0\x04MQTT\x05\x02\0\x3c\0\0\0");
        script.server_bytes(b"\x20\x03\x02\0\0");
        assert_eq!(
            complaints(script.decoded()),
            ["the reserved bits of the acknowledge flags are not 0"]
        );
        assert_eq!(script.decoded().complaints[0].rule, "MQTT 5 §3.2.2.1");
    }

    #[test]
    fn a_connect_in_parts_is_evidence() {
        for size in [1, 5, 9, 18] {
            let mut script = Script::auto("", "/x");
            for part in CONNECT.chunks(size) {
                script.client_bytes(part);
            }
            let lines = script.server_bytes(b"\x20\x02\0\0");
            assert!(lines[0].starts_with("CONNACK 0 accepted ("), "{size}: {lines:?}");
        }
        let mut script = Script::auto("", "/x");
        script.client_bytes(b"\x10\x02ab");
        script.server_bytes(b"\x20\x02\0\0");
        assert!(script.conversation.protocol().is_none(), "any bytes may begin so");
    }

    #[test]
    fn an_answer_names_all_filters() {
        let mut script = connected();
        script.client_bytes(&packet(0x82, b"\0\x01\0\x03a/#\x01\0\x01b\0"));
        assert_eq!(script.last(), "SUBSCRIBE #1 a/# qos1, b qos0");
        script.server_bytes(b"\x90\x04\0\x01\x01\x80");
        assert_eq!(script.last(), "SUBACK #1 b refused: unspecified error (a/#, b, 35 ms)");
        assert!(script.state().contains("subscriptions: a/# qos1\n"), "{}", script.state());
        let many: Vec<u8> = (10..90).flat_map(|n| format!("\0\x04t/{n}").into_bytes()).collect();
        script.client_bytes(&packet(0xa2, &[b"\0\x02", &many[..]].concat()));
        assert!(script.last().ends_with(" +47 more"), "{}", script.last());
        script.server_bytes(b"\xb0\x02\0\x02");
        assert_eq!(
            script.last(),
            "UNSUBACK #2 (t/10, t/11, t/12, t/13, t/14, t/15, t/16 +73 more, 35 ms)"
        );
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn filters_have_a_grammar() {
        for filter in ["#", "+", "a/#", "+/b/#", "/", "a//+", "$share/g/a/#", "$SYS/#"] {
            assert_eq!(super::filter_fault(filter), None, "{filter}");
        }
        for filter in ["", "a/#/b", "a#", "a+", "+a/b", "a/b#", "$share/g", "$share//a", "a\0"] {
            assert!(super::filter_fault(filter).is_some(), "{filter}");
        }
    }

    #[test]
    fn what_may_not_come_now_is_named() {
        let blamed = |script: &Script, text: &str| {
            let all = complaints(script.decoded());
            assert!(all.iter().any(|complaint| complaint.contains(text)), "{text}: {all:?}");
        };
        let mut script = Script::of("mqtt", "", "/");
        script.client_bytes(b"\x30\x04\0\x01ax");
        blamed(&script, "first packet of a client");
        script.server_bytes(b"\x30\x04\0\x01ax");
        blamed(&script, "first packet of a server");
        let mut script = connected();
        script.client_bytes(CONNECT);
        blamed(&script, "second CONNECT");
        script.server_bytes(b"\x20\x02\0\0");
        blamed(&script, "second CONNACK");
        script.client_bytes(b"\xd0\0");
        blamed(&script, "only the server");
        script.client_bytes(&packet(0x82, b"\0\x01\0\x05a/#/b\0\0\x02a+\0"));
        blamed(&script, "a/#/b: # must be the whole last level");
        blamed(&script, "a+: + must be a whole level");
        script.server_bytes(b"\x90\x03\0\x01\0");
        blamed(&script, "the number of codes differs");
        script.client_bytes(b"\x38\x04\0\x01ax");
        blamed(&script, "dup");
        script.client_bytes(b"\x30\x03\0\0x");
        blamed(&script, "the topic is empty");
        script.wait(91);
        script.client_bytes(b"\xc0\0");
        blamed(&script, "nothing was sent for 91 s before it");
        script.client_bytes(b"\xe0\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.client_bytes(b"\x30\x04\0\x01ax");
        blamed(&script, "after the DISCONNECT");
        let mut script = Script::of("mqtt", "", "/");
        script.client_bytes(b"\x10\x0c\0\x04MQTT\x04\x00\0\x3c\0\0");
        blamed(&script, "clean session");
    }

    #[test]
    fn breaches_are_named() {
        let mut script = connected();
        script.client("0\u{5}\0\u{1}ahi");
        assert!(complaints(script.decoded())[0].contains("binary frames"));
        script.client_bytes(b"\x80\x08\0\x01\0\x03a/#\x01");
        assert!(complaints(script.decoded())[0].contains("flags"));
        script.client_bytes(b"\x30\x05\0\x03a/#");
        assert!(complaints(script.decoded())[0].contains("wildcard"));
        script.client_bytes(b"\x30\x01\0");
        assert!(complaints(script.decoded())[0].contains("malformed"));
        script.server_bytes(b"\x00");
        assert!(script.conversation.is_off());
    }

    #[test]
    fn authentication_may_come_before_connack() {
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x13\0\x04MQTT\x05\x02\0\x3c\x06\x15\0\x03abc\0\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        let auth = b"\xf0\x08\x18\x06\x15\0\x03abc";
        script.server_bytes(auth);
        script.client_bytes(auth);
        script.server_bytes(b"\x20\x03\0\0\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
        script.server_bytes(b"\x20\x03\0\0\0");
        assert_eq!(complaints(script.decoded()), ["a second CONNACK"]);
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\xc0\0");
        script.client_bytes(CONNECT);
        assert_eq!(complaints(script.decoded()), [""; 0], "it is the first");
    }

    #[test]
    fn an_alias_that_was_forgotten_is_not_missed() {
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x0d\0\x04MQTT\x05\x02\0\0\0\0\0");
        script.server_bytes(b"\x20\x03\0\0\0");
        for alias in 1..1100u16 {
            let [high, low] = alias.to_be_bytes();
            script.server_bytes(&[0x30, 8, 0, 1, b't', 3, 0x23, high, low, b'x']);
        }
        script.server_bytes(b"\x30\x07\0\0\x03\x23\0\x01x");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }

    #[test]
    fn version_3_1_may_send_a_request_again() {
        let mut script = Script::of("mqtt", "mqtt", "/");
        script.client_bytes(b"\x10\x10\0\x06MQIsdp\x03\x02\0\x3c\0\x02ab");
        script.client_bytes(b"\x8a\x06\0\x01\0\x01a\0");
        assert_eq!(complaints(script.decoded()), [""; 0]);
    }
}
