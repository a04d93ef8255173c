//! The WebSocket connections of a packet capture.
//!
//! TCP streams are numbered in the order in which they begin. A stream is decoded if its client has
//! requested a WebSocket; of all others, only their kind is known.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io::BufRead;
use std::net::SocketAddr;

use super::packet::{self, Segment};
use super::tcp::TcpDirection;
use super::{Fact, PacketFile, Record, RecordingError};
use crate::event::{ConnId, Direction, Stamp};
use crate::wire::Role;

/// How many bytes of a stream wait until its kind is clear.
const MAX_BEGINNING: usize = 64 * 1024;

/// The largest number of streams in a capture.
const MAX_STREAMS: usize = 1 << 20;

/// The kind of a TCP stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Unknown so far, or without data.
    Empty,
    /// It has a request for a WebSocket.
    WebSocket,
    /// TLS, which can't be decoded.
    Tls,
    /// Ordinary HTTP, with its first line.
    Http(String),
    /// Something else.
    Other,
}

/// The facts about a stream.
#[derive(Clone, Debug)]
pub struct CapturedStream {
    /// Its number, from 1.
    pub number: u64,
    /// The end that began it, if that was seen; otherwise the likely one.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// Its kind.
    pub kind: StreamKind,
}

/// Reads a capture.
#[derive(Debug)]
pub struct Capture<R> {
    file: PacketFile<R>,
    /// Open streams, by the addresses of both ends in order.
    open: HashMap<(SocketAddr, SocketAddr), StreamState>,
    found: CaptureResults,
    /// The link type of a packet that can't be read.
    foreign: Option<u16>,
    last: i64,
    started: bool,
    ended: bool,
}

/// The results so far.
#[derive(Debug, Default)]
struct CaptureResults {
    facts: Vec<CapturedStream>,
    ready: VecDeque<Record>,
    /// The only stream that the user wants.
    only: Option<u64>,
}

#[derive(Debug, Default)]
struct StreamState {
    /// Its index in the facts.
    index: usize,
    to_server: TcpDirection,
    to_client: TcpDirection,
    /// Bytes that wait until the kind of the stream is clear.
    beginning: Vec<(i64, Direction, Vec<u8>)>,
    gone: [bool; 2],
    first_end: Option<Role>,
    seen_syn: bool,
}

impl<R: BufRead> Capture<R> {
    /// Reads the packets of a file.
    pub fn new(file: PacketFile<R>) -> Self {
        Self {
            file,
            open: HashMap::new(),
            found: CaptureResults::default(),
            foreign: None,
            last: 0,
            started: false,
            ended: false,
        }
    }

    /// Decodes only this stream, even if its handshake was not captured.
    pub fn only(&mut self, stream: u64) {
        self.found.only = Some(stream);
    }

    /// The streams so far.
    pub fn streams(&self) -> &[CapturedStream] {
        &self.found.facts
    }

    /// What is incomplete in the capture, in a sentence.
    pub fn remark(&self) -> Option<String> {
        if self.file.is_cut() {
            return Some("the capture ends inside a packet".to_owned());
        }
        let link = self.foreign?;
        Some(format!("packets of link type {link} can't be read"))
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// The rest of the file can't be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, RecordingError> {
        if !self.started {
            self.started = true;
            let at = Stamp { micros: 0, conn: ConnId(0) };
            let fact = Fact::Start { role: None, secrets: true, complete: false };
            return Ok(Some(Record { at, fact }));
        }
        loop {
            if let Some(record) = self.found.ready.pop_front() {
                return Ok(Some(record));
            }
            if self.ended {
                return Ok(None);
            }
            let Self { file, open, found, foreign, last, .. } = self;
            let Some(packet) = file.next_packet()? else {
                self.ended = true;
                self.end();
                continue;
            };
            *last = packet.micros;
            if !packet::is_known(packet.link) {
                foreign.get_or_insert(packet.link);
                continue;
            }
            let Some(segment) = packet::segment(packet.link, packet.bytes) else { continue };
            let key = match segment.from < segment.to {
                true => (segment.from, segment.to),
                false => (segment.to, segment.from),
            };
            let begins = segment.syn() && !segment.ack();
            // A new connection uses the same port.
            if begins
                && open.get(&key).is_some_and(|stream| stream.is_used(&segment, found))
                && let Some(mut stream) = open.remove(&key)
            {
                stream.close(packet.micros, false, found);
            }
            let stream = match open.entry(key) {
                Entry::Occupied(stream) => stream.into_mut(),
                Entry::Vacant(_) if segment.payload.is_empty() && !segment.syn() => continue,
                Entry::Vacant(_) if found.facts.len() == MAX_STREAMS => {
                    return Err(RecordingError::new("the capture has too many streams"));
                }
                Entry::Vacant(place) => {
                    let index = found.facts.len();
                    found.facts.push(CapturedStream::of(&segment, index as u64 + 1));
                    place.insert(StreamState {
                        index,
                        seen_syn: segment.syn(),
                        ..StreamState::default()
                    })
                }
            };
            if stream.take(&segment, packet.micros, found) {
                open.remove(&key);
            }
        }
    }

    /// Handles the end of the capture.
    fn end(&mut self) {
        let Self { open, found, last, .. } = self;
        let mut rest: Vec<StreamState> = open.drain().map(|(_, stream)| stream).collect();
        rest.sort_by_key(|stream| stream.index);
        for mut stream in rest {
            stream.look_for_gaps(*last, true, found);
            stream.decide(true, found);
        }
    }
}

impl CapturedStream {
    fn of(segment: &Segment<'_>, number: u64) -> Self {
        let from_server = match (segment.syn(), segment.ack()) {
            (true, answers) => answers,
            // Servers have the lower ports; the first bytes may show the opposite.
            _ => segment.from.port() < segment.to.port(),
        };
        let (client, server) = match from_server {
            true => (segment.to, segment.from),
            false => (segment.from, segment.to),
        };
        Self { number, client, server, kind: StreamKind::Empty }
    }
}

impl StreamState {
    /// Whether a segment that begins a stream begins another stream than this one.
    fn is_used(&self, segment: &Segment<'_>, found: &CaptureResults) -> bool {
        let half = match segment.from == found.facts[self.index].client {
            true => &self.to_server,
            false => &self.to_client,
        };
        half.has_begun() && half.delivered() > 0 || self.first_end.is_some()
    }

    fn half(&mut self, direction: Direction) -> &mut TcpDirection {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Takes a segment; returns whether the stream has ended.
    fn take(&mut self, segment: &Segment<'_>, micros: i64, found: &mut CaptureResults) -> bool {
        let direction = match segment.from == found.facts[self.index].client {
            true => Direction::ToServer,
            false => Direction::ToClient,
        };
        let half = self.half(direction);
        if segment.syn() {
            half.syn(segment.sequence);
        }
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn()));
        let mut bytes = Vec::new();
        let fin = segment.fin() && segment.missing == 0;
        half.take(sequence, segment.payload, fin, |piece| bytes.extend_from_slice(piece));
        if !bytes.is_empty() {
            self.bytes(micros, direction, bytes, found);
        }
        self.look_for_gaps(micros, false, found);
        if self.half(direction).has_ended() {
            self.first_end.get_or_insert(direction.sender());
        }
        let over = self.to_server.has_ended() && self.to_client.has_ended();
        if over || segment.rst() {
            self.first_end.get_or_insert(direction.sender());
            self.close(micros, segment.rst(), found);
            return true;
        }
        false
    }

    fn bytes(
        &mut self,
        micros: i64,
        direction: Direction,
        bytes: Vec<u8>,
        found: &mut CaptureResults,
    ) {
        match found.facts[self.index].kind {
            StreamKind::Empty => {
                self.beginning.push((micros, direction, bytes));
                self.decide(false, found);
            }
            StreamKind::WebSocket => {
                self.record(micros, Fact::Bytes(direction, bytes), found);
            }
            _ => {}
        }
    }

    fn record(&self, micros: i64, fact: Fact, found: &mut CaptureResults) {
        let number = found.facts[self.index].number;
        if found.only.is_none_or(|only| only == number) {
            found.ready.push_back(Record { at: Stamp { micros, conn: ConnId(number) }, fact });
        }
    }

    /// Decides the kind of the stream when its first bytes show it, or at its end.
    fn decide(&mut self, at_end: bool, found: &mut CaptureResults) {
        if found.facts[self.index].kind != StreamKind::Empty || self.beginning.is_empty() {
            return;
        }
        let of = |direction: Direction| -> Vec<u8> {
            let pieces = self.beginning.iter().filter(|(_, way, _)| *way == direction);
            pieces.flat_map(|(.., bytes)| bytes.iter().copied()).collect()
        };
        let (mut client, mut server) = (of(Direction::ToServer), of(Direction::ToClient));
        // The sender of the SYN is the client, whatever it sends. Without a SYN, the ports only
        // give a guess.
        let swapped =
            !self.seen_syn && (server.starts_with(b"GET ") || client.starts_with(b"HTTP/"));
        if swapped {
            std::mem::swap(&mut client, &mut server);
        }
        let forced = found.only == Some(found.facts[self.index].number);
        let enough = at_end || client.len() + server.len() > MAX_BEGINNING;
        let kind = match kind_of(&client, &server, enough) {
            None if !enough => return,
            Some(StreamKind::Tls) => StreamKind::Tls,
            _ if forced => StreamKind::WebSocket,
            None => StreamKind::Other,
            Some(kind) => kind,
        };
        let fact = &mut found.facts[self.index];
        if swapped {
            std::mem::swap(&mut fact.client, &mut fact.server);
            std::mem::swap(&mut self.to_server, &mut self.to_client);
            self.first_end =
                self.first_end.map(|role| Direction::sent_by(role).opposite().sender());
        }
        fact.kind = kind;
        let beginning = std::mem::take(&mut self.beginning);
        if fact.kind != StreamKind::WebSocket {
            return;
        }
        let (local, peer) = (fact.server.to_string(), fact.client.to_string());
        let first = beginning.first().map_or(0, |(micros, ..)| *micros);
        self.record(first, Fact::Connected { local, peer }, found);
        if !self.seen_syn {
            let text = "the capture begins inside this connection";
            self.record(first, Fact::Note(text.to_owned()), found);
        }
        for (micros, direction, bytes) in beginning {
            let direction = if swapped { direction.opposite() } else { direction };
            self.record(micros, Fact::Bytes(direction, bytes), found);
        }
    }

    /// Reports missing bytes once they are no longer expected.
    fn look_for_gaps(&mut self, micros: i64, at_end: bool, found: &mut CaptureResults) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let shown = found.facts[self.index].kind == StreamKind::WebSocket;
            let index = direction as usize;
            let half = self.half(direction);
            let Some(missing) = half.gap().filter(|_| at_end || half.is_full()) else { continue };
            let delivered = half.delivered();
            half.give_up();
            if self.gone[index] || !shown {
                continue;
            }
            self.gone[index] = true;
            let name = match direction {
                Direction::ToServer => "client",
                Direction::ToClient => "server",
            };
            let text = format!(
                "{missing} bytes of the {name} are missing in the capture after byte {delivered}: \
                 what follows them can't be decoded"
            );
            self.record(micros, Fact::Missing(direction, text), found);
        }
    }

    fn close(&mut self, micros: i64, reset: bool, found: &mut CaptureResults) {
        self.decide(true, found);
        self.look_for_gaps(micros, true, found);
        if found.facts[self.index].kind == StreamKind::WebSocket {
            let fact = Fact::Closed { by: self.first_end, reset };
            self.record(micros, fact, found);
        }
    }
}

/// The kind of a stream with these first bytes; `None` as long as more bytes may change it.
fn kind_of(client: &[u8], server: &[u8], enough: bool) -> Option<StreamKind> {
    /// A record of a handshake of TLS 1.0 and above (RFC 8446 §5.1).
    const TLS: &[u8] = &[0x16, 0x03];
    if client.starts_with(TLS) || server.starts_with(TLS) {
        return Some(StreamKind::Tls);
    }
    let line = client.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    if client.starts_with(b"GET ") {
        let end = memchr::memmem::find(client, b"\r\n\r\n");
        if end.is_none() && !enough {
            return None;
        }
        let head = client[..end.unwrap_or(client.len())].to_ascii_lowercase();
        if memchr::memmem::find(&head, b"\nupgrade:").is_some()
            && memchr::memmem::find(&head, b"websocket").is_some()
        {
            return Some(StreamKind::WebSocket);
        }
    } else if client.len() < 4 && b"GET ".starts_with(client) {
        return None;
    }
    let is_http = memchr::memmem::find(line, b" HTTP/1").is_some() || server.starts_with(b"HTTP/1");
    Some(match is_http {
        true => StreamKind::Http(String::from_utf8_lossy(line).into_owned()),
        false => StreamKind::Other,
    })
}
