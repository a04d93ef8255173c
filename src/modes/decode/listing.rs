//! Lists a recording: a line for each connection.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::recording::{CapturedStream, StreamKind};
use crate::ui::number;
use crate::ui::sanitize::escaped;

/// The connections so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    connections: BTreeMap<ConnId, ListedConnection>,
}

#[derive(Debug, Default)]
struct ListedConnection {
    peers: String,
    request: String,
    status: String,
    frames: [u64; 2],
    bytes: [u64; 2],
    ending: String,
}

impl Listing {
    /// Takes an event.
    pub(super) fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        if at.conn == ConnId(0) {
            return;
        }
        let row = self.connections.entry(at.conn).or_default();
        match event {
            Event::Connected { local, peer } => row.peers = format!("{local} > {peer}"),
            Event::Accepted { local, peer } => row.peers = format!("{peer} > {local}"),
            Event::Head(Direction::ToServer, head) => {
                let target = head.request_line().map_or(&b""[..], |line| line.target);
                // The client of a proxy names the host in the target.
                let host = head.get("host").filter(|_| target.starts_with(b"/"));
                let host = host.unwrap_or_default();
                row.request = escaped(&[host, target].concat());
            }
            Event::Head(Direction::ToClient, head) => {
                row.status = head.status_line().map_or_else(String::new, |s| s.code.to_string());
            }
            Event::Frame(direction, event) => {
                let way = *direction as usize;
                match event {
                    FrameEvent::Start { .. } => row.frames[way] += 1,
                    FrameEvent::Data(bytes) => row.bytes[way] += bytes.len() as u64,
                    _ => {}
                }
            }
            Event::End(ending) => row.ending = crate::ui::ending::summarize(ending),
            Event::Failed(text) | Event::Passed(text) => {
                row.ending = escaped(text.as_bytes());
            }
            _ => {}
        }
    }

    /// Prints a line for each connection; for a stream that is not a WebSocket, what it contains.
    pub(super) fn print(&self, streams: &[CapturedStream], out: &mut Vec<u8>) {
        let mut lines: BTreeMap<u64, String> = BTreeMap::new();
        for (conn, row) in &self.connections {
            let ListedConnection { peers, request, status, frames, bytes, ending } = row;
            let status = if status.is_empty() { "-" } else { status };
            let mut line = format!("{:>4}  {peers}  {status}  {request}  ", conn.0);
            for (way, mark) in [(0, '>'), (1, '<')] {
                let bytes = number::grouped(bytes[way]);
                let _ =
                    write!(line, "{mark} {} in {bytes} B  ", number::counted(frames[way], "frame"));
            }
            line.push_str(if ending.is_empty() { "no end is recorded" } else { ending });
            lines.insert(conn.0, line);
        }
        for CapturedStream { number, client, server, kind } in streams {
            let what = match kind {
                StreamKind::WebSocket => continue,
                StreamKind::Empty => "no data".to_owned(),
                StreamKind::Tls => {
                    "TLS: can't be decoded without its keys; record it with `wscope proxy`, or \
                     decrypt it with tshark"
                        .to_owned()
                }
                StreamKind::Http(line) => format!("HTTP: {}", escaped(line.as_bytes())),
                StreamKind::Other => {
                    "neither HTTP nor TLS; --stream decodes it as frames".to_owned()
                }
            };
            lines.insert(*number, format!("{number:>4}  {client} > {server}  {what}"));
        }
        for line in lines.values() {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
    }
}
