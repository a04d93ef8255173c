//! Reads the JSON lines of wscope (`--record`, `--log`, `--output json`) as records.

use std::collections::HashMap;
use std::io::{BufRead, Read as _};
use std::time::Duration;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Result;
use super::{Fact, Record, RecordingError};
use crate::event::{
    Cause, CommandEnd, ConnId, Direction, Ending, Intervened, Intervention, Lost, Made, Phases,
    Side, Stamp, TimeoutKind, TlsFacts,
};
use crate::ui::hex::unhex;
use crate::ui::{base64, clock, notation};
use crate::wire::close::CloseBody;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::accept::AcceptSteps;
use crate::wire::handshake::grammar::parse_extensions;
use crate::wire::handshake::rules::{Outcome, RULES, Report, RuleVerdict};
use crate::wire::mask::{self, MaskKey};
use crate::wire::violation::CATALOGUE;
use crate::wire::writer::RawFrame;
use crate::wire::{OpCode, Role, Violation, role_name};

/// The longest line in bytes, including its end.
pub const LINE: u64 = 64 << 20;

/// Reads JSON lines.
#[derive(Debug)]
pub struct LogReader<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    /// For each connection, the state of its two directions.
    ways: HashMap<ConnId, [LoggedDirection; 2]>,
    /// A second record of the line.
    waiting: Option<Record>,
    /// The role of the recording program, from its first object.
    role: Option<Role>,
    /// The number of the first cut line, and how many lines are cut.
    cut: Option<(u64, u64)>,
    /// A line that can't be parsed, with the error. It may be the last line of a program that was
    /// killed.
    broken: Option<Broken>,
    /// The highest connection number so far, and the highest one before this run. A file may
    /// contain several runs, and each counts its connections from 1.
    last: u64,
    before: u64,
}

/// The state of a direction that earlier lines leave for later lines.
#[derive(Debug, Default)]
struct LoggedDirection {
    /// The mask of a frame whose payload follows in pieces.
    mask: Option<MaskKey>,
    /// If a compressed message follows, the mask of its last frame.
    compressed: Option<Option<MaskKey>>,
    /// A compressed frame was left out because of a secret in it. Later frames can't be inflated,
    /// so their messages come from `message` objects.
    left_out: bool,
    /// Like `mask`, for a frame that a relay made: such frames come between forwarded frames.
    made: Option<MaskKey>,
}

/// A line that can't be parsed.
#[derive(Debug)]
struct Broken {
    number: u64,
    /// It is incomplete.
    cut: bool,
    error: RecordingError,
}

fn wrong<T>(text: impl Into<String>) -> Result<T> {
    Err(RecordingError::new(text))
}

impl<R: BufRead> LogReader<R> {
    /// A reader at the first line.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
            ways: HashMap::new(),
            waiting: None,
            role: None,
            cut: None,
            broken: None,
            last: 0,
            before: 0,
        }
    }

    /// A sentence about cut lines, if there are any.
    pub fn remark(&self) -> Option<String> {
        self.cut.map(|(first, count)| match count {
            1 => format!("line {first} is cut: the program that wrote it was stopped"),
            _ => format!(
                "line {first} and {} more are cut: the programs that wrote them were stopped",
                count - 1
            ),
        })
    }

    /// Counts the broken line as cut.
    fn skip(&mut self, number: u64) {
        self.cut.get_or_insert((number, 0)).1 += 1;
    }

    /// The next record.
    ///
    /// # Errors
    ///
    /// The file can't be read, or a line does not belong to a log.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.waiting.take() {
                return Ok(Some(record));
            }
            self.line.clear();
            let n = (&mut self.input).take(LINE).read_until(b'\n', &mut self.line)?;
            if n == 0 {
                // A program that was killed may have left an incomplete last line.
                return match self.broken.take() {
                    Some(broken) if broken.cut => {
                        self.skip(broken.number);
                        Ok(None)
                    }
                    Some(broken) => Err(broken.error),
                    None => Ok(None),
                };
            }
            self.number += 1;
            let whole = self.line.ends_with(b"\n");
            let place = format!("line {}", self.number);
            if !whole && n as u64 == LINE {
                return wrong(format!("{place}: it has more than {} MiB", LINE >> 20));
            }
            let line = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(line.trim_ascii());
            if text.is_empty() {
                continue;
            }
            let parsed = serde_json::from_str::<Value>(&text);
            if let Some(broken) = self.broken.take() {
                // The next run of a program begins with a start object.
                match parsed.as_ref().is_ok_and(is_start) {
                    true => self.skip(broken.number),
                    false => return Err(broken.error),
                }
            }
            let object = match parsed {
                Ok(object) => object,
                Err(error) => match start_in(&text) {
                    Some(start) => {
                        self.skip(self.number);
                        start
                    }
                    None => {
                        let text = format!("{place}: not a line of a log: {error}");
                        let (number, cut) = (self.number, error.is_eof() && !whole);
                        let error = RecordingError::new(text);
                        self.broken = Some(Broken { number, cut, error });
                        continue;
                    }
                },
            };
            let record = self
                .object(&object)
                .map_err(|error| RecordingError::new(format!("{place}: {error}")))?;
            self.line = line;
            if record.is_some() {
                return Ok(record);
            }
        }
    }

    fn object(&mut self, object: &Value) -> Result<Option<Record>> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let owned = |name: &str| text(name).unwrap_or_default().to_owned();
        let Some(event) = text("event") else {
            return wrong("not an event of a log: it has no event");
        };
        if event == "start" {
            self.before = self.last;
        }
        let conn = match object.get("conn").and_then(Value::as_u64) {
            Some(0) => ConnId(0),
            number => ConnId(number.unwrap_or(1).saturating_add(self.before)),
        };
        if event != "start" {
            self.last = self.last.max(conn.0);
        }
        let micros = text("time").and_then(clock::micros);
        let direction = match text("dir") {
            Some("to-server") => Some(Direction::ToServer),
            Some("to-client") => Some(Direction::ToClient),
            _ => None,
        };
        if event == "start" {
            self.ways.clear();
        } else if micros.is_none() {
            return wrong("its time can't be read");
        }
        let at = Stamp { micros: micros.unwrap_or_default(), conn };
        let made = |fact| Ok(Some(Record { at, fact }));
        let Some(direction) = direction else {
            return made(match event {
                "start" => {
                    let role = role(object, "role");
                    self.role = role;
                    Fact::Start { role, secrets: text("secrets") == Some("shown"), complete: true }
                }
                "resolved" => Fact::Resolved {
                    host: owned("host"),
                    addresses: strings(object.get("addresses"))
                        .filter_map(|address| address.parse().ok())
                        .collect(),
                },
                "address-failed" => match text("address").and_then(|text| text.parse().ok()) {
                    Some(address) => Fact::AddressFailed { address, error: owned("error") },
                    None => return Ok(None),
                },
                "listening" => Fact::Listening(owned("url")),
                "connected" => Fact::Connected { local: owned("local"), peer: owned("peer") },
                "tls" => {
                    let peer = role(object, "peer");
                    Fact::Tls(Box::new(TlsFacts { peer, ..read(Some(object)) }))
                }
                "timing" => Fact::Timing(phases(object)),
                "handshake" => Fact::Judged(Box::new(report(object))),
                "open" => Fact::Open(open(object)),
                "round-trip" => Fact::RoundTrip(duration(object, "rtt_us").unwrap_or_default()),
                "command" => Fact::CommandEnded(match number(object, "signal") {
                    Some(signal) => CommandEnd::Signal(i32::try_from(signal).unwrap_or(i32::MAX)),
                    None => CommandEnd::Status(
                        i32::try_from(number(object, "status").unwrap_or(0)).unwrap_or(i32::MAX),
                    ),
                }),
                // The lens finds this again when it reads the bytes.
                "note" if owned("text").starts_with("lens: ") => return Ok(None),
                "note" => Fact::Note(owned("text")),
                "failed" => Fact::Failed(owned("text")),
                "passed" => Fact::Passed(owned("text")),
                "diagnostic" => Fact::Diagnostic(Box::new(object.clone())),
                "end" => {
                    self.ways.remove(&conn);
                    Fact::End(Box::new(ending(object, self.role)))
                }
                _ => return Ok(None),
            });
        };
        let way = &mut self.ways.entry(conn).or_default()[direction as usize];
        let payload = || payload(object);
        if let Some(name) = text("made") {
            // A later version may have other reasons.
            let why = Made::of_name(name).unwrap_or(Made::Injected);
            let bytes = match event {
                "frame" => {
                    let (mut bytes, mask) = header(object)?;
                    way.made = mask;
                    if text("payload").is_none() {
                        bytes.extend(masked(mask, 0, payload()?));
                    }
                    bytes
                }
                "payload" => {
                    let offset = number(object, "offset").unwrap_or_default();
                    masked(way.made, offset, payload()?)
                }
                _ => return Ok(None),
            };
            return made(Fact::Made(why, direction, bytes));
        }
        match event {
            "head" => made(Fact::Head(
                direction,
                match (text("raw_base64"), text("raw")) {
                    (Some(digits), _) => base64::decode(digits)
                        .map_err(|error| RecordingError::new(format!("raw_base64: {error}")))?,
                    (None, raw) => raw.unwrap_or_default().as_bytes().to_vec(),
                },
            )),
            "body" | "undecodable" => made(Fact::Bytes(direction, payload()?)),
            "frame" => {
                let (mut bytes, mask) = header(object)?;
                let opcode = text("opcode").unwrap_or_default();
                let is_data = matches!(opcode, "text" | "binary" | "continuation");
                if is_data && opcode != "continuation" {
                    let is_compressed = object.get("rsv1").and_then(Value::as_bool) == Some(true);
                    way.compressed = is_compressed.then_some(mask);
                }
                if let Some(key) = way.compressed.as_mut().filter(|_| is_data) {
                    *key = mask;
                    way.left_out = way.left_out || is_hidden(&payload()?);
                    if way.left_out {
                        return Ok(None);
                    }
                }
                match text("payload") {
                    Some(_) => way.mask = mask,
                    None => bytes.extend(masked(mask, 0, payload()?)),
                }
                let fact = Fact::Bytes(direction, bytes);
                if object.get("auto").and_then(Value::as_bool) == Some(true) {
                    self.waiting = Some(Record { at, fact });
                    return made(Fact::Automatic(direction));
                }
                made(fact)
            }
            "message" if way.left_out => {
                let Some(mask) = way.compressed.take() else { return Ok(None) };
                let content = payload()?;
                if content.len() as u64 != number(object, "length").unwrap_or_default() {
                    let text = "a message is not in the recording, because it contains a secret"
                        .to_owned();
                    return made(Fact::Missing(direction, text));
                }
                let opcode = text("opcode").and_then(notation::opcode);
                let Some(opcode) = opcode else {
                    return wrong("opcode: not the opcode of a message");
                };
                let mut bytes = Vec::new();
                RawFrame { opcode, mask, payload: content, ..RawFrame::default() }
                    .write(&mut bytes);
                made(Fact::Bytes(direction, bytes))
            }
            "payload" if way.left_out => Ok(None),
            "payload" => {
                let bytes = payload()?;
                if way.compressed.is_some() && is_hidden(&bytes) {
                    way.left_out = true;
                    let text = "a message is not in the recording, because it may contain a secret";
                    return made(Fact::Missing(direction, text.to_owned()));
                }
                let offset = number(object, "offset").unwrap_or_default();
                made(Fact::Bytes(direction, masked(way.mask, offset, bytes)))
            }
            "intervened" => Ok(intervened(direction, object)
                .map(|done| Record { at, fact: Fact::Intervened(done) })),
            _ => Ok(None),
        }
    }
}

fn is_start(object: &Value) -> bool {
    object.get("event").and_then(Value::as_str) == Some("start")
}

/// The start object of a run that was appended to a cut line. Inside a string, its quotes would be
/// escaped.
fn start_in(line: &str) -> Option<Value> {
    let at = line.rfind(r#"{"event":"start""#)?;
    serde_json::from_str(&line[at..]).ok()
}

/// The header of a frame, and its mask key.
fn header(object: &Value) -> Result<(Vec<u8>, Option<MaskKey>)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let Some(header) = text("header_hex") else { return wrong("it has no header_hex") };
    let bytes =
        unhex(header).map_err(|error| RecordingError::new(format!("header_hex: {error}")))?;
    let mask = match text("mask") {
        None => None,
        Some(hex) => {
            let key = unhex(hex).ok().and_then(|key| MaskKey::try_from(&key[..]).ok());
            match key {
                Some(key) => Some(key),
                None => return wrong("mask: not 8 hex digits"),
            }
        }
    };
    Ok((bytes, mask))
}

/// The content of a line.
fn payload(object: &Value) -> Result<Vec<u8>> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    match (text("text"), text("base64")) {
        (Some(text), _) => Ok(text.as_bytes().to_vec()),
        (None, Some(digits)) => {
            base64::decode(digits).map_err(|error| RecordingError::new(format!("base64: {error}")))
        }
        (None, None) => Ok(Vec::new()),
    }
}

/// Whether the bytes of a compressed frame were left out.
fn is_hidden(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == b'*')
}

fn intervened(direction: Direction, object: &Value) -> Option<Intervened> {
    let opcode = match object.get("opcode")? {
        Value::String(word) => notation::opcode(word)?,
        bits => OpCode::from(u8::try_from(bits.as_u64()?).ok()?),
    };
    let what = match object.get("what")?.as_str()? {
        "dropped" => Intervention::Dropped,
        "delayed" => Intervention::Delayed(duration(object, "time_us")?),
        "held" => Intervention::Held,
        "released" => Intervention::Released,
        "edited" => Intervention::Edited,
        "copied" => Intervention::Copied,
        "closed" => Intervention::Closed(code(object)?),
        _ => return None,
    };
    let (frame, rule) = (number(object, "frame")?, number(object, "rule"));
    Some(Intervened { direction, opcode, frame, rule, what })
}

fn masked(key: Option<MaskKey>, offset: u64, mut payload: Vec<u8>) -> Vec<u8> {
    if let Some(key) = key {
        mask::apply(key, offset, &mut payload);
    }
    payload
}

fn number(object: &Value, name: &str) -> Option<u64> {
    object.get(name).and_then(Value::as_u64)
}

fn code(object: &Value) -> Option<u16> {
    number(object, "code").and_then(|code| u16::try_from(code).ok())
}

fn string(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn duration(object: &Value, name: &str) -> Option<Duration> {
    number(object, name).map(Duration::from_micros)
}

/// A part that is written as it is read; its default if it is missing or malformed.
fn read<T: DeserializeOwned + Default>(part: Option<&Value>) -> T {
    part.and_then(|part| T::deserialize(part).ok()).unwrap_or_default()
}

fn strings(array: Option<&Value>) -> impl Iterator<Item = &str> {
    array.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn phases(object: &Value) -> Phases {
    Phases {
        resolve: duration(object, "resolve_us").unwrap_or_default(),
        connect: duration(object, "connect_us").unwrap_or_default(),
        proxy: duration(object, "proxy_us"),
        tls: duration(object, "tls_us"),
        upgrade: duration(object, "upgrade_us").unwrap_or_default(),
    }
}

fn role(object: &Value, name: &str) -> Option<Role> {
    let own = object.get(name)?.as_str()?;
    [Role::Client, Role::Server].into_iter().find(|role| role_name(*role) == own)
}

fn report(object: &Value) -> Report {
    let verdicts = object.get("verdicts").and_then(Value::as_array);
    let verdict = |object: &Value| {
        let id = object.get("rule")?.as_str()?;
        let outcome =
            Outcome::deserialize(object.get("outcome")?).unwrap_or(Outcome::NotApplicable);
        let rule = RULES.iter().find(|rule| rule.id == id)?;
        Some(RuleVerdict { rule, outcome, text: string(object, "text").unwrap_or_default() })
    };
    let key = object.get("accept").and_then(|accept| string(accept, "key"));
    Report {
        verdicts: verdicts.into_iter().flatten().filter_map(verdict).collect(),
        // The next object has the agreement.
        agreed: Agreed::default(),
        accept: key.map(|key| AcceptSteps::for_key(key.as_bytes())),
    }
}

fn open(object: &Value) -> Agreed {
    let extensions = strings(object.get("extensions")).map(str::as_bytes);
    let mut deflate: Option<DeflateParams> =
        object.get("deflate").filter(|one| one.is_object()).map(|one| read(Some(one)));
    if let Some(params) = &mut deflate {
        for bits in [&mut params.server_max_window_bits, &mut params.client_max_window_bits] {
            *bits = (*bits).clamp(8, 15);
        }
    }
    Agreed {
        subprotocol: string(object, "subprotocol"),
        extensions: parse_extensions(extensions).unwrap_or_default(),
        deflate,
    }
}

fn ending(object: &Value, role: Option<Role>) -> Ending {
    let close = |name: &str| {
        let body = object.get(name).filter(|body| body.is_object())?;
        let reason = string(body, "reason").unwrap_or_default().into_bytes();
        Some(CloseBody { code: code(body), reason })
    };
    let detail = string(object, "detail").unwrap_or_default();
    let cause = match object.get("cause").and_then(Value::as_str) {
        Some("violation") => match object.get("violation").and_then(violation) {
            Some(violation) => Cause::Violation(violation),
            None => Cause::Dropped,
        },
        Some("timeout") => {
            let kind = object.get("detail").map(TimeoutKind::deserialize);
            Cause::Timeout(kind.and_then(std::result::Result::ok).unwrap_or(TimeoutKind::MaxTime))
        }
        Some("lost") => {
            let known = [
                Lost::EndOfStream,
                Lost::TruncatedTls,
                Lost::Reset,
                Lost::BrokenPipe,
                Lost::TimedOut,
            ];
            let known = known.into_iter().find(|lost| lost.to_string() == detail);
            Cause::Lost(known.unwrap_or(Lost::Other(detail)))
        }
        Some("dropped") => Cause::Dropped,
        _ => match close("relay") {
            Some(close) => Cause::Relay { rule: number(object, "rule"), close },
            None => Cause::Closed,
        },
    };
    Ending {
        role,
        by: match object.get("by").and_then(Value::as_str) {
            Some("us") => Side::Us,
            Some("peer") => Side::Peer,
            Some("client") => Side::End(Role::Client),
            Some("server") => Side::End(Role::Server),
            _ => Side::Network,
        },
        cause,
        sent: close("sent"),
        received: close("received"),
        duration: duration(object, "duration_us").unwrap_or_default(),
        out: read(object.get("out")),
        r#in: read(object.get("in")),
    }
}

fn violation(object: &Value) -> Option<Violation> {
    let code = object.get("code")?.as_str()?;
    let rule = CATALOGUE.iter().find(|rule| rule.code == code)?;
    Some(Violation {
        kind: rule.kind,
        frame: number(object, "frame")?,
        offset: number(object, "offset")?,
        detail: string(object, "detail").unwrap_or_default(),
    })
}
