//! A report in one HTML file without outside requests: how each connection ended and why, its handshake,
//! a timeline, a table of its frames.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::base64;
use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::recording::{Fact, Record};
use crate::ui::ending;
use crate::wire::{Control, Data, FrameHeader, OpCode, frame, hex};

/// The most bytes of a frame that are shown, and of all frames together.
const MAX_FRAME: usize = 64 * 1024;
const MAX_ALL: usize = 32 << 20;

const PAGE: &str = include_str!("report.html");

/// Collects the data of the report.
#[derive(Debug, Default)]
pub struct HtmlReport {
    connections: BTreeMap<ConnId, ReportedConnection>,
    kept: usize,
    cut: u64,
}

#[derive(Debug, Default)]
struct ReportedConnection {
    began: i64,
    opened: Option<i64>,
    facts: Vec<String>,
    request: String,
    response: String,
    ending: String,
    findings: Vec<Value>,
    frames: Vec<Value>,
    coming: [Option<ArrivingFrame>; 2],
    /// The endpoint made the next frame itself.
    automatic: [bool; 2],
    deflate: bool,
}

#[derive(Debug)]
struct ArrivingFrame {
    header: FrameHeader,
    number: u64,
    micros: i64,
    /// The payload from the wire, and the inflated payload.
    payload: Vec<u8>,
    data: Vec<u8>,
    len: u64,
    broken: Vec<String>,
    automatic: bool,
}

impl HtmlReport {
    /// Takes a record that is not an event: diagnostics.
    pub fn record(&mut self, record: &Record) {
        if let Fact::Diagnostic(found) = &record.fact {
            let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
            let finding = json!({
                "code": text("code"),
                "severity": text("severity"),
                "title": text("title"),
                "help": text("help"),
            });
            self.connections.entry(record.at.conn).or_default().findings.push(finding);
        }
    }

    /// Takes an event.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        if at.conn == ConnId(0) {
            return;
        }
        let connection = self.connections.entry(at.conn).or_insert_with(|| {
            let began = at.micros;
            ReportedConnection { began, ..ReportedConnection::default() }
        });
        match event {
            Event::Connected { local, peer } => {
                connection.facts.push(format!("connected to {peer} from {local}"));
            }
            Event::Accepted { local, peer } => {
                connection.facts.push(format!("connection from {peer} to {local}"));
            }
            Event::Tls(tls) => connection.facts.push(format!(
                "{}, {}",
                tls.version.as_deref().unwrap_or("TLS"),
                tls.cipher.as_deref().unwrap_or("cipher unknown")
            )),
            Event::Timing(phases) => connection.facts.push(format!(
                "name {} µs, connection {} µs, TLS {} µs, upgrade {} µs",
                phases.resolve.as_micros(),
                phases.connect.as_micros(),
                phases.tls.unwrap_or_default().as_micros(),
                phases.upgrade.as_micros()
            )),
            Event::Head(direction, head) => {
                let raw = String::from_utf8_lossy(head.raw()).into_owned();
                match direction {
                    Direction::ToServer => connection.request = raw,
                    Direction::ToClient => connection.response = raw,
                }
            }
            Event::Judged(report) => {
                for verdict in report.fatal() {
                    let title = format!("{}: {}", verdict.rule.title, verdict.text);
                    connection.findings.push(json!({
                        "code": verdict.rule.code.unwrap_or(verdict.rule.id),
                        "severity": "error", "title": title, "help": "",
                    }));
                }
            }
            Event::Open(agreed) => {
                connection.opened = Some(at.micros);
                connection.deflate = agreed.deflate.is_some();
                let protocol = agreed.subprotocol.as_deref().unwrap_or("no subprotocol");
                let deflate =
                    if connection.deflate { "permessage-deflate" } else { "no compression" };
                connection.facts.push(format!("open: {protocol}, {deflate}"));
            }
            Event::Note(text) => connection.facts.push((*text).to_owned()),
            Event::Failed(text) | Event::Passed(text) => connection.ending = (*text).to_owned(),
            Event::End(end) => connection.ending = ending::describe(end),
            Event::Automatic(direction) => connection.automatic[*direction as usize] = true,
            Event::Frame(direction, event) => {
                let (kept, cut) = (&mut self.kept, &mut self.cut);
                connection.frame(at.micros, *direction, event, kept, cut);
            }
            _ => {}
        }
    }

    /// The page.
    pub fn page(&mut self) -> String {
        let connections: Vec<Value> = self
            .connections
            .iter_mut()
            .map(|(conn, connection)| {
                for direction in [Direction::ToServer, Direction::ToClient] {
                    connection.end_frame(direction, &mut self.kept, &mut self.cut);
                }
                json!({
                    "conn": conn.0,
                    "began": connection.began,
                    "opened": connection.opened.unwrap_or(connection.began),
                    "facts": connection.facts,
                    "request": connection.request,
                    "response": connection.response,
                    "ending": connection.ending,
                    "findings": connection.findings,
                    "frames": std::mem::take(&mut connection.frames),
                })
            })
            .collect();
        let data = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "cut": self.cut,
            "connections": connections,
        });
        // Inside a script element, the data must not end the element, or a line of older
        // JavaScript.
        let data = data.to_string().replace('<', "\\u003c");
        let data = data.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        let (before, after) = PAGE.split_once("@DATA@").unwrap_or((PAGE, ""));
        [before, &data, after].concat()
    }
}

impl ReportedConnection {
    fn frame(
        &mut self,
        micros: i64,
        direction: Direction,
        event: &FrameEvent<'_>,
        kept: &mut usize,
        cut: &mut u64,
    ) {
        let coming = &mut self.coming[direction as usize];
        match event {
            FrameEvent::Start { number, header } => {
                self.end_frame(direction, kept, cut);
                self.coming[direction as usize] = Some(ArrivingFrame {
                    header: **header,
                    number: *number,
                    micros,
                    payload: Vec::new(),
                    data: Vec::new(),
                    len: 0,
                    broken: Vec::new(),
                    automatic: std::mem::take(&mut self.automatic[direction as usize]),
                });
            }
            FrameEvent::Payload(bytes) => {
                if let Some(coming) = coming {
                    coming.micros = micros;
                    coming.len += bytes.len() as u64;
                    append(&mut coming.payload, bytes);
                }
            }
            FrameEvent::Data(bytes) => {
                if let Some(coming) = coming {
                    append(&mut coming.data, bytes);
                }
            }
            FrameEvent::Violation(found) => match coming {
                Some(coming) => coming.broken.push(found.to_string()),
                None => self.findings.push(json!({
                    "code": found.kind.rule().code, "severity": "error",
                    "title": found.to_string(), "help": "",
                })),
            },
            FrameEvent::Message(_) | FrameEvent::Control { .. } | FrameEvent::Undecodable(_) => {}
            FrameEvent::End { .. } => self.end_frame(direction, kept, cut),
        }
    }

    fn end_frame(&mut self, direction: Direction, kept: &mut usize, cut: &mut u64) {
        let Some(coming) = self.coming[direction as usize].take() else { return };
        let ArrivingFrame { header, number, micros, payload, data, len, broken, automatic } =
            coming;
        let compressed = self.deflate && !data.is_empty() && data != payload;
        let mut content = if compressed { data } else { payload };
        let whole =
            if compressed { content.len() < MAX_FRAME } else { content.len() as u64 == len };
        if *kept + content.len() > MAX_ALL {
            content.clear();
        }
        *kept += content.len();
        *cut += u64::from(!whole || content.is_empty() && len > 0);
        let name = match header.opcode {
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                format!("{:#x}", header.opcode_bits())
            }
            opcode => frame::opcode_name(opcode).unwrap_or_default().to_owned(),
        };
        let mut frame = json!({
            "n": number,
            "t": micros,
            "d": if direction == Direction::ToServer { 0 } else { 1 },
            "op": name,
            "fin": header.fin,
            "rsv": [header.rsv1, header.rsv2, header.rsv3],
            "mask": header.mask.is_some(),
            "wire": len,
            "z": compressed,
            "head": hex(&header.bytes()),
        });
        if header.len != len {
            frame["announced"] = json!(header.len);
        }
        if automatic {
            frame["auto"] = json!(true);
        }
        if !broken.is_empty() {
            frame["bad"] = json!(broken);
        }
        match std::str::from_utf8(&content) {
            Ok(text) if header.opcode != OpCode::Data(Data::Binary) => frame["text"] = json!(text),
            _ => frame["b64"] = json!(base64(&content)),
        }
        self.frames.push(frame);
    }
}

fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let room = MAX_FRAME - buffer.len();
    buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
