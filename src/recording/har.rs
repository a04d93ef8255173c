//! HTTP archives as Chrome, mitmproxy and Proxyman write them.
//!
//! The messages of a WebSocket are in `_webSocketMessages` of its entry. They are whole messages,
//! not frames. Each becomes one uncompressed frame; a client's frame has a mask key of zeros.

use std::io::{BufRead, Read as _};
use std::vec;

use serde_json::Value;

use super::{Fact, Record, RecordingError};
use crate::event::{ConnId, Direction, Stamp};
use crate::ui::{base64, clock};
use crate::wire::handshake::accept::AcceptSteps;
use crate::wire::writer::write_frame;
use crate::wire::{Data, OpCode, Role};

/// The largest archive in bytes; it is one JSON value, which is read as a whole.
const MAX_LEN: u64 = 512 << 20;

/// The key of RFC 6455 §1.3, for a handshake that the archive leaves out.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Reads an archive.
#[derive(Debug)]
pub(super) struct HarReader {
    records: vec::IntoIter<Record>,
}

impl HarReader {
    /// Reads the whole archive.
    pub(super) fn read(input: impl BufRead) -> Result<Self, RecordingError> {
        let mut bytes = Vec::new();
        input.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_LEN {
            let text = format!("the archive is larger than {} MiB", MAX_LEN >> 20);
            return Err(RecordingError::new(text));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let archive: Value = serde_json::from_slice(bytes)
            .map_err(|error| RecordingError::new(format!("not an HTTP archive: {error}")))?;
        let Some(entries) = archive.pointer("/log/entries").and_then(Value::as_array) else {
            return Err(RecordingError::new("not an HTTP archive: it has no log.entries"));
        };
        let at = Stamp { micros: 0, conn: ConnId(0) };
        let fact = Fact::Start { role: Some(Role::Client), secrets: true, complete: false };
        let mut records = vec![Record { at, fact }];
        for (conn, entry) in (1..).map(ConnId).zip(entries.iter().filter(|one| is_websocket(one))) {
            read_entry(entry, conn, &mut records);
        }
        // Sorts by time, so that connections overlap as they did; the order within a connection
        // stays.
        records[1..].sort_by_key(|record| record.at.micros);
        Ok(Self { records: records.into_iter() })
    }

    pub(super) fn next_record(&mut self) -> Option<Record> {
        self.records.next()
    }
}

fn is_websocket(entry: &Value) -> bool {
    let url = text(entry.pointer("/request/url"));
    entry.get("_webSocketMessages").is_some()
        || text(entry.get("_resourceType")) == "websocket"
        || url.starts_with("ws://")
        || url.starts_with("wss://")
}

fn read_entry(entry: &Value, conn: ConnId, records: &mut Vec<Record>) {
    let started = text(entry.get("startedDateTime"));
    let mut micros = clock::micros(started).unwrap_or_default();
    let mut push = |micros: i64, fact: Fact| {
        records.push(Record { at: Stamp { micros, conn }, fact });
    };
    let url = text(entry.pointer("/request/url"));
    let address = text(entry.get("serverIPAddress")).trim_matches(['[', ']']);
    let host = host_of(url);
    let peer = if address.is_empty() { host } else { address };
    push(micros, Fact::Connected { local: "unknown".to_owned(), peer: peer.to_owned() });
    push(micros, Fact::Head(Direction::ToServer, request(entry, url)));
    let waited = entry.get("time").and_then(Value::as_f64).unwrap_or_default();
    if waited.is_finite() && (0.0..1e9).contains(&waited) && entry.get("timings").is_some() {
        // The time of a WebSocket's entry includes the whole connection; only the phases before
        // belong to the opening.
        let wait = entry.pointer("/timings/wait").and_then(Value::as_f64).unwrap_or_default();
        if wait > 0.0 && wait < waited {
            micros += (wait * 1000.0) as i64;
        }
    }
    let messages = entry.get("_webSocketMessages").and_then(Value::as_array);
    let messages = messages.map(Vec::as_slice).unwrap_or_default();
    if let Some(first) = messages.first().and_then(time_of) {
        micros = micros.min(first);
    }
    push(micros, Fact::Head(Direction::ToClient, response(entry, !messages.is_empty())));
    for message in messages {
        micros = time_of(message).unwrap_or(micros).max(micros);
        let direction = match text(message.get("type")) {
            "send" | "request" | "outgoing" => Direction::ToServer,
            "error" => {
                push(micros, Fact::Note(text(message.get("data")).to_owned()));
                continue;
            }
            _ => Direction::ToClient,
        };
        let data = text(message.get("data"));
        let opcode = message.get("opcode").and_then(Value::as_u64).unwrap_or(1);
        let opcode = OpCode::from((opcode & 0x0f) as u8);
        let content = match opcode {
            OpCode::Data(Data::Text) => data.as_bytes().to_vec(),
            _ => base64::decode(data).unwrap_or_else(|_| data.as_bytes().to_vec()),
        };
        let key = (direction == Direction::ToServer).then_some([0; 4]);
        let mut bytes = Vec::new();
        write_frame(opcode, true, false, key, &content, &mut bytes);
        push(micros, Fact::Bytes(direction, bytes));
    }
}

/// The time, usually in seconds since the epoch; some programs write milliseconds or a date.
fn time_of(message: &Value) -> Option<i64> {
    let time = message.get("time")?;
    if let Some(date) = time.as_str() {
        return clock::micros(date);
    }
    let time = time.as_f64().filter(|time| time.is_finite() && *time > 0.0)?;
    let seconds = if time > 1e11 { time / 1000.0 } else { time };
    Some((seconds * 1e6).round() as i64)
}

fn request(entry: &Value, url: &str) -> Vec<u8> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    let target = target.split('#').next().unwrap_or_default();
    let slash = if target.starts_with('/') { "" } else { "/" };
    let mut head = format!("GET {slash}{} HTTP/1.1\r\n", line(target)).into_bytes();
    // Chrome may leave out all headers.
    let usual = [
        ("Host", host_of(url)),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ];
    write_headers(&usual, &headers(entry.pointer("/request/headers")), &mut head);
    head
}

fn response(entry: &Value, opened: bool) -> Vec<u8> {
    let status = entry.pointer("/response/status").and_then(Value::as_u64).unwrap_or(0);
    let (status, reason) = match (status, text(entry.pointer("/response/statusText"))) {
        (101..=999, reason) if !reason.is_empty() || status != 101 => (status, reason),
        (101, _) => (101, "Switching Protocols"),
        _ if opened => (101, "Switching Protocols"),
        _ => (502, "not recorded"),
    };
    let mut head = format!("HTTP/1.1 {status} {}\r\n", line(reason)).into_bytes();
    let headers = headers(entry.pointer("/response/headers"));
    if status == 101 {
        let sent = self::headers(entry.pointer("/request/headers"));
        let key = sent.iter().find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"));
        let accept = AcceptSteps::for_key(key.map_or(KEY, |(_, key)| key).as_bytes()).accept;
        let usual = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Accept", &accept),
        ];
        write_headers(&usual, &headers, &mut head);
    } else {
        write_headers(&[], &headers, &mut head);
    }
    head
}

/// The header fields, without those that only HTTP/2 has.
fn headers(array: Option<&Value>) -> Vec<(&str, &str)> {
    let fields = array.and_then(Value::as_array).into_iter().flatten();
    let fields = fields.map(|field| (text(field.get("name")), text(field.get("value"))));
    fields.filter(|(name, _)| !name.is_empty() && !name.starts_with(':')).collect()
}

/// Writes the header fields, after the usual ones that are missing.
fn write_headers(usual: &[(&str, &str)], headers: &[(&str, &str)], head: &mut Vec<u8>) {
    let has = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let left_out = usual.iter().filter(|(name, _)| !has(name));
    for (name, value) in left_out.chain(headers) {
        head.extend_from_slice(format!("{}: {}\r\n", line(name), line(value)).as_bytes());
    }
    head.extend_from_slice(b"\r\n");
}

/// A text without line ends, because they would end a header.
fn line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}
