//! A whole connection against a scripted peer: every input is a script, and whatever it does must
//! keep what a connection promises.
//!
//! Nothing received is lost or handed on out of order; of what is sent, the messages of each
//! producer arrive whole and in order; every byte that leaves was observed; what waits in memory is
//! bounded; no turn is wanted in which nothing happens; and all of it ends. The transport, the
//! peer and the time are the script's. Frames are read and written here by hand, so that nothing is
//! judged by the code under test. Shared with the fuzz targets, so it knows nothing of the tests.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use wscope::behaviour::broadcast::{Broadcast, Posts};
use wscope::behaviour::echo::Echo;
use wscope::behaviour::faults::FaultInjector;
use wscope::behaviour::payload::PayloadWriter;
use wscope::behaviour::reply::Reply;
use wscope::behaviour::steps::{Step, Steps};
use wscope::cli::OutputFormat;
use wscope::config::Display;
use wscope::engine::behaviour::{Behaviour, Context};
use wscope::engine::connection::{Connection, ConnectionSetup, Outputs};
use wscope::engine::lingering::Lingering;
use wscope::engine::memory::Budget;
use wscope::engine::outbox::{Producer, SharedMessage};
use wscope::event::{Cause, ConnId, Direction, FrameEvent, Observed};
use wscope::net::link::{Buffers, HIGH_WATER, Link};
use wscope::net::stdio::Stdout;
use wscope::net::transport::{Received, Transport, TransportError};
use wscope::output::notifier::Notifier;
use wscope::output::payload::PayloadSink;
use wscope::output::reporter::Reporter;
use wscope::session::endpoint::State;
use wscope::session::{EndpointConfig, Limits, Observer};
use wscope::ui::pretty::Pretty;
use wscope::ui::terminal::{ColorChoice, Terminal};
use wscope::wire::decoder::Input;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::fault::{CATALOGUE, Fault, When};
use wscope::wire::handshake::Agreed;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, OpCode, Role};

/// What a server has put in the send buffer before its first frame.
const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// What [`Reply`] answers.
const REPLY: &str = "r, the answer to everything";

/// What [`Steps`] sends.
const STEPS: [&str; 2] = ["s, the first of two", "s, the second"];

/// Letters without a short period.
const NOISE: [u8; 5000] = {
    let (mut letters, mut noise, mut at) = ([0; 5000], 1_u32, 0);
    while at < letters.len() {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        letters[at] = b'a' + (noise >> 24) as u8 % 26;
        at += 1;
    }
    letters
};

/// Turns in which nothing happens before that counts as a loop that keeps a core busy.
const IDLE_TURNS: u32 = 8;

/// Drives a connection with the script that `input` is, and to its end.
pub fn drive(input: &[u8]) {
    Driver::after(input).finish();
}

/// How many bytes of the peer have arrived and are not received at the end of a script.
#[allow(dead_code)] // not by the fuzz target
pub fn unread(input: &[u8]) -> usize {
    Driver::after(input).wire.borrow().arrived
}

/// Bytes that mean something.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next byte, or zero where the script has ended.
    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// A length: mostly small, sometimes as large as a buffer.
    fn len(&mut self) -> usize {
        match usize::from(self.byte()) {
            small @ ..200 => small,
            medium @ 200..240 => (medium - 200) * 500,
            large => (large - 239) * 20_000,
        }
    }
}

/// The wire between both sides.
#[derive(Default)]
struct Wire {
    /// What the peer has written, and how much of it can be received now.
    to_us: VecDeque<u8>,
    arrived: usize,
    end: Option<End>,
    /// What left, and how many bytes more may.
    from_us: Vec<u8>,
    credit: usize,
    /// What was taken and has not left: under TLS.
    sealed: VecDeque<u8>,
    seals: bool,
    readable: bool,
    refused: bool,
    /// Whatever is sent fails.
    broken: bool,
    our_end: bool,
    was_reset: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fin,
    Truncated,
    Reset,
}

impl Wire {
    fn is_at_end(&self) -> bool {
        self.end.is_some() && self.arrived == self.to_us.len()
    }

    fn leave(&mut self) {
        let n = self.sealed.len().min(self.credit);
        self.from_us.extend_from_slice(&self.sealed.make_contiguous()[..n]);
        self.sealed.drain(..n);
        self.credit -= n;
        self.refused |= !self.sealed.is_empty();
    }
}

/// Our end of the wire.
struct Pipe(Rc<RefCell<Wire>>);

impl Transport for Pipe {
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, TransportError> {
        let mut wire = self.0.borrow_mut();
        if !wire.readable || wire.was_reset {
            return Ok(Received::Blocked);
        }
        if wire.end == Some(End::Reset) {
            return Err(io::Error::from(io::ErrorKind::ConnectionReset).into());
        }
        let n = wire.arrived.min(buffer.len());
        if n == 0 && wire.is_at_end() {
            return Ok(Received::End { truncated: wire.end == Some(End::Truncated) });
        }
        if n == 0 {
            wire.readable = false;
            return Ok(Received::Blocked);
        }
        wire.to_us.read_exact(&mut buffer[..n])?;
        wire.arrived -= n;
        wire.readable = n == buffer.len() || wire.end.is_some();
        Ok(Received::Data(n))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, TransportError> {
        let mut wire = self.0.borrow_mut();
        if wire.was_reset || bytes.is_empty() && wire.sealed.is_empty() {
            return Ok(0);
        }
        if wire.broken || wire.end == Some(End::Reset) {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        wire.leave();
        if wire.our_end {
            return Ok(0);
        }
        let room = match wire.seals {
            true => (1000 + wire.credit).saturating_sub(wire.sealed.len()),
            false => wire.credit,
        };
        let n = bytes.len().min(room);
        wire.sealed.extend(&bytes[..n]);
        wire.leave();
        wire.refused |= n < bytes.len();
        Ok(n)
    }

    fn waiting(&self) -> usize {
        self.0.borrow().sealed.len()
    }

    fn may_receive(&self) -> bool {
        self.0.borrow().readable
    }

    fn may_send(&self) -> bool {
        self.0.borrow().credit > 0
    }

    fn is_read_closed(&self) -> bool {
        self.0.borrow().end.is_some()
    }

    fn failure(&self) -> Option<io::Error> {
        let reset = self.0.borrow().end == Some(End::Reset);
        reset.then(|| io::ErrorKind::ConnectionReset.into())
    }

    fn half_close(&mut self) -> Result<(), TransportError> {
        self.0.borrow_mut().our_end = true;
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.0.borrow().our_end
    }

    fn shutdown(&mut self) {
        self.0.borrow_mut().our_end = true;
    }

    fn reset(&mut self) {
        let mut wire = self.0.borrow_mut();
        (wire.our_end, wire.was_reset) = (true, true);
        wire.sealed.clear();
    }
}

/// Keeps whole messages.
struct Recorder(Rc<RefCell<Vec<Vec<u8>>>>);

impl Behaviour for Recorder {
    fn on_message(&mut self, _: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        self.0.borrow_mut().push(content.to_vec());
        Ok(())
    }
}

/// What the script has done so far that excuses something.
#[derive(Default)]
struct Excuses {
    /// The peer has sent what is no message of its list, or its Close.
    peer_strayed: bool,
    /// Something was sent by hand.
    by_hand: bool,
    /// The transport was broken or ended on purpose, so something is lost.
    cut: bool,
    /// Something goes wrong on purpose.
    faulty: bool,
}

struct Driver {
    connection: Connection,
    wire: Rc<RefCell<Wire>>,
    buffers: Buffers,
    stdout: Stdout,
    reporter: Reporter,
    now: Instant,
    role: Role,
    deflate: Option<DeflateParams>,
    memory: Rc<Budget>,
    backlog: Rc<Budget>,
    posts: Rc<RefCell<Posts>>,
    posted: Vec<Vec<u8>>,
    recorded: Rc<RefCell<Vec<Vec<u8>>>>,
    printed: Vec<u8>,
    behaves: u8,
    excuses: Excuses,
    /// Messages of the peer, and payloads of its pings.
    peer_sent: Vec<Vec<u8>>,
    pinged: Vec<Vec<u8>>,
    peer_closed: bool,
    /// Messages of each producer of ours, by the first byte of their content.
    accepted: BTreeMap<u8, Vec<Vec<u8>>>,
    unfinished: BTreeMap<u8, Vec<u8>>,
    numbered: u32,
    /// Bytes that were sent without asking for room.
    forced: usize,
    largest: usize,
    compress: Option<Compress>,
    ending_with: u8,
}

impl Driver {
    fn after(input: &[u8]) -> Self {
        let mut script = Script(input);
        let mut driver = Self::new(&mut script);
        while let Some(op) = script.next() {
            driver.carry_out(op, &mut script);
            if driver.connection.is_over() {
                break;
            }
        }
        driver
    }

    fn new(script: &mut Script<'_>) -> Self {
        let (flags, behaves, timers) = (script.byte(), script.byte(), script.byte());
        let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
        let deflate = (flags >> 1 & 3 != 0).then(|| DeflateParams {
            server_no_context_takeover: flags >> 1 & 3 == 2,
            client_no_context_takeover: flags >> 1 & 3 == 3,
            ..DeflateParams::default()
        });
        let (display, reporter) = (display(), reporter_of(role));
        let reporter =
            if flags & 8 == 0 { reporter } else { reporter.with_history(&display, 64 << 20) };
        let wire = Rc::new(RefCell::new(Wire {
            seals: flags & 16 != 0,
            readable: true,
            credit: usize::from(timers >> 4) * 100,
            ..Wire::default()
        }));
        let mut link: Link = Link::new(Box::new(Pipe(Rc::clone(&wire))));
        if role == Role::Server {
            link.tx.extend_from_slice(HEAD);
        }
        let endpoint = EndpointConfig {
            close_timeout: Duration::from_millis(700),
            ping_interval: (timers & 1 != 0).then(|| Duration::from_millis(300)),
            pong_timeout: Duration::from_millis(500),
            idle_timeout: (timers & 2 != 0).then(|| Duration::from_millis(1000)),
            ..EndpointConfig::new(role)
        };
        let limit = [300_000, 1_000_000, 64 << 20][usize::from(flags >> 5 & 3).min(2)];
        let (memory, backlog) = (Budget::new(limit), Budget::new(limit));
        let received = match role {
            Role::Client => Direction::ToClient,
            Role::Server => Direction::ToServer,
        };
        let inbound = Observer::of_frames(received, deflate.as_ref(), Limits::default());
        let now = Instant::now();
        let setup = ConnectionSetup {
            id: ConnId(1),
            agreed: &Agreed { deflate, ..Agreed::default() },
            endpoint: Some(&endpoint.into()),
            limits: Limits::default(),
            observed: true,
            evidence: flags & 128 != 0,
            memory: &memory,
            backlog: &backlog,
        };
        let mut connection = Connection::new(link, inbound, &setup, now);
        let posts = Posts::new(Rc::clone(&backlog));
        let recorded = Rc::default();
        if behaves & 1 != 0 {
            connection.add(Recorder(Rc::clone(&recorded)));
        }
        if behaves & 2 != 0 {
            let sink = PayloadSink::new(OutputFormat::Null, false);
            let payload = PayloadWriter::new(sink, role, &Rc::new(Cell::new(false)));
            connection.add(payload.expect("a format that delivers"));
        }
        if behaves & 4 != 0 {
            connection.add(Echo::default());
        }
        if behaves & 8 != 0 {
            connection.add(Reply { opcode: Data::Text, content: REPLY.as_bytes().into() });
        }
        if behaves & 16 != 0 {
            connection.add(Broadcast::new(&posts));
        }
        let mut accepted = BTreeMap::new();
        if behaves & 32 != 0 {
            let messages = STEPS.map(|text| Step::Message(Data::Text, text.as_bytes(), 7));
            connection.add(Steps::new(messages.into_iter().chain([Step::Ping(b"step")])));
            accepted.insert(b's', STEPS.map(|text| text.as_bytes().to_vec()).to_vec());
        }
        let ending_with = timers >> 2 & 3 | (behaves >> 6) << 2;
        let mut excuses = Excuses::default();
        let mut forced = 0;
        if ending_with >= 14 {
            let info = &CATALOGUE[usize::from(script.byte()) % CATALOGUE.len()];
            let when = match script.byte() {
                0 => When::Open,
                n => When::Message(u64::from(n & 3)),
            };
            if let Some(mut faults) = FaultInjector::of(vec![Fault { when, ..Fault::plain(info) }])
            {
                let head = if role == Role::Server { HEAD.len() } else { 0 };
                faults.begin(&Agreed { deflate, ..Agreed::default() }, head, now);
                let (mut stdout, mut reporter) = (Stdout::held(), reporter_of(role));
                let notifier = Notifier::Stderr { quiet: true };
                let (stdout, reporter) = (&mut stdout, &mut reporter);
                let mut outputs = Outputs { stdout, reporter, notifier: &notifier };
                connection.interfere(faults, &mut outputs, now).expect("sound outputs");
            }
            excuses = Excuses { peer_strayed: true, by_hand: true, cut: true, faulty: true };
            // Some send very much.
            forced = 1 << 40;
        }
        Self {
            connection,
            wire,
            buffers: Buffers::default(),
            stdout: Stdout::held(),
            reporter,
            now,
            role,
            deflate,
            memory,
            backlog,
            posts,
            posted: Vec::new(),
            recorded,
            printed: Vec::new(),
            behaves,
            excuses,
            peer_sent: Vec::new(),
            pinged: Vec::new(),
            peer_closed: false,
            accepted,
            unfinished: BTreeMap::new(),
            numbered: 0,
            forced,
            largest: 0,
            compress: deflate.is_some().then(|| Compress::new(Compression::fast(), false)),
            ending_with,
        }
    }

    fn carry_out(&mut self, op: u8, script: &mut Script<'_>) {
        let arg = op >> 4;
        match op & 15 {
            0 => {
                let (shape, len) = (script.byte(), script.len());
                self.peer_message(shape, len);
                self.arrive(usize::from(arg) * 64);
            }
            1 => {
                for _ in 0..script.byte() {
                    self.peer_message(0, usize::from(arg));
                }
                self.arrive(script.len());
            }
            2 => self.peer_control(arg, script),
            3 => {
                let raw: Vec<u8> = (0..=arg).map(|_| script.byte()).collect();
                self.excuses.peer_strayed = true;
                self.peer_bytes(&raw);
                self.arrive(usize::MAX);
            }
            4 => self.arrive(script.len()),
            5 => self.take(script.len()),
            6 => {
                self.take(usize::MAX / 2);
                self.arrive(usize::MAX);
            }
            7 if arg == 15 => self.peer_end(script.byte()),
            7 => self.advance(Duration::from_millis(u64::from(arg) * u64::from(arg) * 8)),
            8 | 9 => self.send_message(op & 15 == 9, arg, script.len()),
            10 | 11 => self.send_piece(op & 15 == 10, arg, script.len()),
            12 => {
                let _ = self.connection.sender(self.now).ping(&vec![b'o'; usize::from(arg)]);
            }
            13 => self.take_stdout(),
            14 => self.take_posts(),
            _ => self.rare(arg, script),
        }
        self.settle();
    }

    fn rare(&mut self, arg: u8, script: &mut Script<'_>) {
        let now = self.now;
        match arg {
            0..4 => {
                let code = [None, Some(1000), Some(1001), Some(1005)][usize::from(arg)];
                let _ = self.connection.sender(now).close(code, "bye");
            }
            4 => {
                let opcode = OpCode::from(script.byte() & 15);
                let payload = vec![b'h'; usize::from(script.byte())];
                let frame = RawFrame { opcode, payload, ..RawFrame::default() };
                self.connection.sender(now).raw(&frame);
                self.excuses.by_hand = true;
            }
            5 => {
                let bytes: Vec<u8> = (0..script.byte() & 15).map(|_| script.byte()).collect();
                self.connection.sender(now).bytes(&bytes);
                self.excuses.by_hand = true;
            }
            6 => {
                self.connection.sender(now).half_close();
                self.excuses.cut = true;
            }
            7 => {
                self.connection.sender(now).abort();
                self.excuses.cut = true;
            }
            8 => {
                self.wire.borrow_mut().broken = true;
                self.excuses.cut = true;
            }
            9 => {
                self.connection.sender(now).close_now(Some(1001), "slow");
                self.excuses.cut = true;
            }
            10 => {
                self.connection.fail("a fault of ours", now);
            }
            11 => self.connection.endpoint_mut().expect("one").set_compress(script.byte() & 1 == 0),
            _ => {}
        }
    }

    // What the peer does.

    fn peer_bytes(&mut self, bytes: &[u8]) {
        let mut wire = self.wire.borrow_mut();
        if wire.end.is_none() {
            wire.to_us.extend(bytes);
        }
    }

    fn peer_frame(&mut self, first: u8, payload: &[u8]) {
        self.peer_bytes(&encoded(first, self.role == Role::Server, payload));
    }

    /// `shape`: two bits for the number of frames, one for text or binary, one for compression, one
    /// for pings between.
    fn peer_message(&mut self, shape: u8, len: usize) {
        let content = self.content(b'p', len);
        let open = self.wire.borrow().end.is_none();
        if open && !self.peer_closed && !self.excuses.peer_strayed {
            self.peer_sent.push(content.clone());
        }
        self.largest = self.largest.max(content.len());
        let compress = self.compress.as_mut().filter(|_| shape & 8 != 0);
        let compressed = compress.is_some();
        let encoded = compress.map(|compress| deflated(compress, &content)).unwrap_or(content);
        let frames = usize::from(shape & 3) + 1;
        let piece = encoded.len().div_ceil(frames).max(1);
        let mut pieces: Vec<&[u8]> = encoded.chunks(piece).collect();
        if shape & 32 != 0 {
            pieces.push(b"");
        }
        for (at, payload) in pieces.iter().enumerate() {
            let opcode = match at {
                0 => {
                    if shape & 4 == 0 {
                        1
                    } else {
                        2
                    }
                }
                _ => 0,
            };
            let fin = if at + 1 == pieces.len() { 0x80 } else { 0 };
            let rsv1 = if compressed && at == 0 { 0x40 } else { 0 };
            self.peer_frame(fin | rsv1 | opcode, payload);
            if shape & 16 != 0 && fin == 0 {
                self.peer_ping(3);
            }
        }
    }

    fn peer_ping(&mut self, len: usize) {
        self.numbered += 1;
        let mut payload = self.numbered.to_string().into_bytes();
        payload.resize(payload.len().max(len), b'.');
        let open = self.wire.borrow().end.is_none();
        if open && !self.peer_closed && !self.excuses.peer_strayed {
            self.pinged.push(payload.clone());
        }
        self.peer_frame(0x89, &payload);
    }

    fn peer_control(&mut self, arg: u8, script: &mut Script<'_>) {
        match arg {
            0..10 => (0..arg).for_each(|_| self.peer_ping(usize::from(arg) * 9)),
            10 => (0..script.byte()).for_each(|_| self.peer_ping(20)),
            11 => self.peer_frame(0x8a, b"wscope 1"),
            12 => self.peer_frame(0x8a, b"step"),
            _ => self.peer_close(),
        }
        self.arrive(script.len());
    }

    fn peer_close(&mut self) {
        self.peer_frame(0x88, b"\x03\xe8bye");
        self.peer_closed = true;
    }

    fn peer_end(&mut self, how: u8) {
        let end = [End::Fin, End::Fin, End::Truncated, End::Reset][usize::from(how & 3)];
        self.excuses.cut = true;
        self.end_wire(end);
    }

    fn end_wire(&mut self, end: End) {
        {
            let mut wire = self.wire.borrow_mut();
            // A reset may follow an end of the stream.
            if wire.end.is_none() || end == End::Reset {
                wire.end = Some(end);
                wire.readable = true;
                if end == End::Reset {
                    wire.to_us.clear();
                    wire.arrived = 0;
                }
            }
        }
        self.turn();
    }

    /// More of what the peer has written can be received.
    fn arrive(&mut self, n: usize) {
        let more = {
            let mut wire = self.wire.borrow_mut();
            let n = n.min(wire.to_us.len() - wire.arrived);
            wire.arrived += n;
            wire.readable |= n > 0;
            n > 0
        };
        if more {
            self.turn();
        }
    }

    /// The peer takes more of what we send.
    fn take(&mut self, n: usize) {
        let more = {
            let mut wire = self.wire.borrow_mut();
            wire.credit = wire.credit.saturating_add(n).min(1 << 40);
            n > 0 && std::mem::take(&mut wire.refused)
        };
        if more {
            self.turn();
        }
    }

    // What we do.

    /// Content of at least a few bytes that names who made it, and when.
    fn content(&mut self, tag: u8, len: usize) -> Vec<u8> {
        self.numbered += 1;
        let mut content = format!("{}{}:", char::from(tag), self.numbered).into_bytes();
        while content.len() < len {
            let from = self.numbered as usize % 1000;
            let n = (len - content.len()).min(NOISE.len() - from);
            content.extend_from_slice(&NOISE[from..][..n]);
        }
        content
    }

    fn send_message(&mut self, shared: bool, arg: u8, len: usize) {
        let forced = arg == 0;
        if !forced && !self.connection.has_room(Producer::Message) {
            return;
        }
        let content = self.content(b'm', len);
        self.forced += if forced { content.len() } else { 0 };
        let opcode = if arg & 1 == 0 { Data::Text } else { Data::Binary };
        let message = shared.then(|| SharedMessage::new(opcode, &content, &self.backlog));
        let mut sender = self.connection.sender(self.now);
        let sent = match message {
            Some(message) => sender.shared(&message),
            None => sender.message(opcode, &content),
        };
        if sent.is_ok() {
            self.accepted.entry(b'm').or_default().push(content);
        }
    }

    fn send_piece(&mut self, file: bool, arg: u8, len: usize) {
        let (tag, producer) = if file { (b'f', Producer::File) } else { (b'i', Producer::Input) };
        let forced = arg & 6 == 0;
        if !forced && !self.connection.has_room(producer) {
            return;
        }
        let last = arg & 1 == 0;
        let piece = match self.unfinished.contains_key(&tag) {
            true => vec![tag; len],
            false => self.content(tag, len),
        };
        self.forced += if forced { piece.len() } else { 0 };
        let opcode = if file { Data::Binary } else { Data::Text };
        match self.connection.sender(self.now).fragment(producer, opcode, &piece, last) {
            Ok(()) => {
                self.unfinished.entry(tag).or_default().extend_from_slice(&piece);
                if last && let Some(content) = self.unfinished.remove(&tag) {
                    self.accepted.entry(tag).or_default().push(content);
                }
            }
            Err(_) => drop(self.unfinished.remove(&tag)),
        }
    }

    fn take_stdout(&mut self) {
        let stalled = self.connection.waits_for_outputs(&self.stdout, &self.reporter);
        self.printed.append(self.stdout.buffer());
        if stalled {
            self.turn();
        }
    }

    fn take_posts(&mut self) {
        let stalled = self.connection.waits_for_outputs(&self.stdout, &self.reporter);
        let posts = self.posts.borrow_mut().take();
        self.posted.extend(posts.iter().map(|post| post.content.to_vec()));
        if stalled {
            self.turn();
        }
    }

    // How it runs.

    fn turn(&mut self) {
        if self.connection.is_over() {
            return;
        }
        let Self { stdout, reporter, .. } = self;
        let notifier = Notifier::Stderr { quiet: true };
        let mut outputs = Outputs { stdout, reporter, notifier: &notifier };
        self.connection.turn(&mut self.buffers, &mut outputs, self.now).expect("sound outputs");
        self.check_bounds();
    }

    fn check_bounds(&self) {
        let backlog = self.connection.backlog();
        let bound = 4 * HIGH_WATER + 3 * self.largest + self.forced + 400_000;
        assert!(backlog <= bound, "{backlog} bytes wait, {bound} may");
        let given_way = !self.connection.is_open() || self.connection.is_broken();
        assert!(!self.memory.is_exceeded() || given_way, "too much in memory");
    }

    /// Gives turns as the loop does: where one is wanted, or something is due.
    fn settle(&mut self) {
        let (mut idle, mut turns) = (0, 0);
        while !self.connection.is_over() {
            let due = self.connection.deadline().is_some_and(|at| at <= self.now);
            if !due && !self.connection.wants_turn(&self.stdout, &self.reporter) {
                break;
            }
            let before = self.fingerprint();
            self.turn();
            idle = if self.fingerprint() == before { idle + 1 } else { 0 };
            assert!(idle < IDLE_TURNS, "it keeps a core busy (due: {due}): {before:?}");
            turns += 1;
            assert!(turns < 1_000_000, "it never rests");
        }
    }

    /// What changes if anything does.
    fn fingerprint(&mut self) -> impl PartialEq + std::fmt::Debug + use<> {
        let ending = self.connection.ending(self.now);
        let wire = self.wire.borrow();
        (
            (wire.to_us.len(), wire.readable, wire.from_us.len(), wire.sealed.len()),
            (ending.out, ending.r#in, self.stdout.pending(), self.connection.backlog()),
            (self.connection.deadline(), self.connection.state()),
            (self.connection.has_input(), self.recorded.borrow().len()),
            (self.connection.talk().heard, self.connection.active()),
        )
    }

    fn advance(&mut self, time: Duration) {
        self.now += time;
        self.settle();
    }

    /// Everybody does what can be done, until nothing more can.
    fn drain(&mut self) {
        // A reader of stdout that takes 100 bytes at once needs 14,000 rounds for the longest script.
        for _ in 0..100_000 {
            let before = self.fingerprint();
            let others = (self.printed.len(), self.posted.len());
            self.arrive(usize::MAX);
            self.settle();
            self.take(usize::MAX / 4);
            self.settle();
            self.take_stdout();
            self.settle();
            self.take_posts();
            self.settle();
            if self.fingerprint() == before && others == (self.printed.len(), self.posted.len()) {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    // How it ends.

    fn finish(mut self) {
        let idle = self.connection.is_over();
        if !idle {
            self.end_messages();
            self.drain();
            let healthy = self.is_healthy();
            if healthy {
                let wire = self.wire.borrow();
                assert_eq!(wire.to_us.len(), 0, "the peer is read");
                assert_eq!(self.connection.backlog(), 0, "all is sent");
                drop(wire);
                self.check_sent(true);
            }
            self.check_received(healthy);
            self.end(healthy);
        }
        self.check_received(false);
        self.check_sent(false);
        self.check_observed();
        self.leave();
    }

    /// Whether nothing has happened by which something could be lost.
    fn is_healthy(&self) -> bool {
        let Excuses { peer_strayed, by_hand, cut, .. } = self.excuses;
        !(peer_strayed || by_hand || cut || self.peer_closed) && self.connection.is_open()
    }

    fn end_messages(&mut self) {
        for (tag, content) in std::mem::take(&mut self.unfinished) {
            let producer = if tag == b'f' { Producer::File } else { Producer::Input };
            let mut sender = self.connection.sender(self.now);
            if sender.fragment(producer, Data::Binary, b"", true).is_ok() {
                self.accepted.entry(tag).or_default().push(content);
            }
        }
    }

    fn end(&mut self, healthy: bool) {
        let way = self.ending_with;
        match way {
            0..4 => drop(self.connection.sender(self.now).close(Some(1000), "")),
            4 | 5 => self.peer_close(),
            6 => self.end_wire(End::Fin),
            7 => self.end_wire(End::Reset),
            8 => self.connection.sender(self.now).half_close(),
            9 => self.connection.sender(self.now).abort(),
            _ => drop(self.connection.sender(self.now).close(None, "")),
        }
        self.drain();
        if (1..4).contains(&way) || way == 8 {
            self.peer_close();
            self.drain();
        }
        if (2..6).contains(&way) || way == 8 {
            self.end_wire(End::Fin);
        }
        for _ in 0..100 {
            self.drain();
            if self.connection.is_over() {
                break;
            }
            let deadline = self.connection.deadline();
            // Nobody has begun to close where only the peer could.
            let Some(at) = deadline else {
                let closing = self.connection.state() != State::Open;
                let waits = !closing && !(6..8).contains(&way);
                assert!(waits || self.excuses.faulty, "it waits for nothing");
                self.end_wire(End::Fin);
                continue;
            };
            assert!(at > self.now, "what is due is done");
            self.now = at;
            self.settle();
        }
        if self.excuses.faulty && !self.connection.is_over() {
            // It may send a byte a minute.
            self.end_wire(End::Reset);
            self.drain();
            // What drips notices it with the next byte, once it is due.
            if let Some(at) = self.connection.deadline().filter(|_| !self.connection.is_over()) {
                self.now = at;
                self.settle();
            }
        }
        assert!(self.connection.is_over(), "it ends");
        if healthy && (2..6).contains(&way) {
            let cause = self.connection.ending(self.now).cause;
            assert_eq!(cause, Cause::Closed);
            assert_eq!(self.connection.unsent(), 0);
        }
    }

    /// What behaviours got is what the peer sent; all of it, if it should be.
    fn check_received(&mut self, all: bool) {
        let expected = std::mem::take(&mut self.peer_sent);
        let strayed = self.excuses.peer_strayed;
        if self.behaves & 1 != 0 {
            is_beginning(&self.recorded.borrow(), &expected, strayed, all, "recorded");
        }
        if self.behaves & 16 != 0 {
            is_beginning(&self.posted, &expected, strayed, all, "posted");
        }
        if self.behaves & 2 != 0 {
            self.printed.append(self.stdout.buffer());
            let mut whole: Vec<u8> = Vec::new();
            for message in &expected {
                whole.extend_from_slice(message);
                whole.push(0);
            }
            is_beginning(&self.printed, &whole, strayed, all, "printed");
        }
        self.peer_sent = expected;
    }

    /// What the peer got is what was accepted.
    fn check_sent(&self, all: bool) {
        if self.excuses.by_hand {
            return;
        }
        let wire = self.wire.borrow();
        let sent = &wire.from_us[..];
        let sent = match self.role {
            Role::Client => sent,
            Role::Server => sent.strip_prefix(HEAD).unwrap_or_default(),
        };
        let got = Got::read(sent, self.role, self.deflate.as_ref());
        let none = Vec::new();
        let echoes = self.behaves & 4 != 0;
        for (tag, messages) in &got.messages {
            let strayed = self.excuses.peer_strayed;
            match tag {
                // What strayed may have been a message that begins like one of ours; an echo has it.
                b'p' => is_beginning(messages, &self.peer_sent, strayed, false, "echoed"),
                b'r' if strayed && echoes => {}
                _ if strayed && !b"rmfis".contains(tag) => {}
                tag if strayed && echoes => {
                    let accepted = self.accepted.get(tag).unwrap_or(&none);
                    let ours: Vec<_> = messages.iter().filter(|m| accepted.contains(m)).collect();
                    let accepted: Vec<_> = accepted.iter().collect();
                    is_beginning(&ours, &accepted, false, false, "sent");
                }
                b'r' => messages.iter().for_each(|one| assert_eq!(one, REPLY.as_bytes())),
                _ => {
                    let accepted = self.accepted.get(tag).unwrap_or(&none);
                    is_beginning(messages, accepted, false, false, "sent");
                }
            }
        }
        if !self.excuses.peer_strayed {
            is_beginning(&got.pongs, &self.pinged, false, all, "ponged");
        }
        if all {
            for tag in *b"mfi" {
                let accepted = self.accepted.get(&tag).unwrap_or(&none);
                assert_eq!(got.messages.get(&tag).map_or(0, Vec::len), accepted.len(), "all sent");
            }
            let count = |tag| got.messages.get(&tag).map_or(0, Vec::len);
            if self.behaves & 4 != 0 {
                assert_eq!(count(b'p'), self.peer_sent.len(), "all echoed");
            }
            if self.behaves & 8 != 0 {
                assert_eq!(count(b'r'), self.peer_sent.len(), "all replied to");
            }
            assert!(!got.inside_message, "the last message is whole");
        }
    }

    /// Every byte that left was observed.
    fn check_observed(&self) {
        if self.excuses.by_hand {
            return;
        }
        let wire = self.wire.borrow();
        let head = if self.role == Role::Server { HEAD.len() } else { 0 };
        let left = wire.from_us.len().saturating_sub(head) as u64;
        let observed = self.connection.ending(self.now).out.wire_bytes;
        assert!(left <= observed, "{left} bytes left, {observed} were observed");
        if !self.excuses.cut && self.connection.backlog() == 0 && !self.connection.is_broken() {
            let lost = wire.broken || wire.end == Some(End::Reset) || wire.was_reset;
            assert!(lost || left == observed, "{left} bytes left, {observed} were observed");
        }
    }

    /// The transport is given back, and with it all memory.
    fn leave(self) {
        let Self { mut connection, memory, backlog, posts, mut buffers, wire, now, .. } = self;
        assert!(connection.end_behaviours(now).is_empty());
        let (link, in_order) = connection.into_link();
        drop(posts);
        assert_eq!((memory.used(), backlog.used()), (0, 0), "all memory is given back");
        let Some(mut lingering) = in_order.then(|| Lingering::begin(link, now)).flatten() else {
            return;
        };
        for _ in 0..1000 {
            if lingering.turn(&mut buffers, now) {
                return;
            }
            if !lingering.wants_turn() {
                break;
            }
        }
        assert!(!lingering.wants_turn() || !wire.borrow().to_us.is_empty(), "it lingers busily");
        assert!(lingering.turn(&mut buffers, lingering.deadline()), "it lingers for ever");
    }
}

fn display() -> Display {
    let terminal =
        Terminal { stdin: false, stdout: false, stderr: false, background: false, width: 80 };
    Display {
        quiet: true,
        verbose: 0,
        width: None,
        terminal,
        color: ColorChoice::Never,
        view: Default::default(),
        timestamps: Default::default(),
        pretty: Pretty::Never,
    }
}

/// A reporter without sinks.
fn reporter_of(role: Role) -> Reporter {
    Reporter::of(role, OutputFormat::None, &display())
}

/// Whether `got` is how `expected` begins; where the script strayed, as far as both go.
fn is_beginning<T: PartialEq>(got: &[T], expected: &[T], strayed: bool, all: bool, what: &str) {
    let common = got.len().min(expected.len());
    assert!(
        strayed || got.len() <= expected.len(),
        "more was {what}: {} {}",
        got.len(),
        expected.len()
    );
    if got[..common] != expected[..common] {
        let differs = got.iter().zip(expected).position(|(a, b)| a != b);
        panic!("another was {what}: {differs:?} of {common}");
    }
    assert!(
        !all || got.len() == expected.len(),
        "less was {what}: {} {}",
        got.len(),
        expected.len()
    );
}

/// What the peer got, read by hand.
#[derive(Default)]
struct Got {
    messages: BTreeMap<u8, Vec<Vec<u8>>>,
    pongs: Vec<Vec<u8>>,
    inside_message: bool,
}

impl Got {
    fn read(mut rest: &[u8], sender: Role, deflate: Option<&DeflateParams>) -> Self {
        let mut got = Self::default();
        let mut inflate = Decompress::new(false);
        let fresh = deflate.is_some_and(|params| params.no_context_takeover(sender));
        let mut message: Option<(bool, u8, Vec<u8>)> = None;
        let mut closed = false;
        while let Some((first, payload, after)) = frame(rest, sender) {
            rest = after;
            let (fin, rsv1, opcode) = (first & 0x80 != 0, first & 0x40 != 0, first & 15);
            assert_eq!(first & 0x30, 0, "no reserved bits");
            if opcode >= 8 {
                assert!(fin && !rsv1 && payload.len() <= 125, "a sound control frame");
                match opcode {
                    8 => assert!(!std::mem::replace(&mut closed, true), "one Close"),
                    9 => assert!(!closed, "no ping behind a Close"),
                    10 => got.pongs.push(payload),
                    _ => panic!("opcode {opcode}"),
                }
                continue;
            }
            assert!(!closed, "nothing behind a Close");
            match (&mut message, opcode) {
                (None, 1 | 2) => message = Some((rsv1, opcode, payload)),
                (Some((.., content)), 0) => {
                    assert!(!rsv1);
                    content.extend_from_slice(&payload);
                }
                _ => panic!(
                    "opcode {opcode} {} a message",
                    if message.is_some() { "inside" } else { "outside" }
                ),
            }
            if fin && let Some((compressed, opcode, mut content)) = message.take() {
                if compressed {
                    assert!(deflate.is_some(), "compression was agreed");
                    content.extend_from_slice(&[0, 0, 0xff, 0xff]);
                    content = inflated(&mut inflate, &content);
                    if fresh {
                        inflate.reset(false);
                    }
                }
                assert!(opcode == 2 || std::str::from_utf8(&content).is_ok());
                let tag = content.first().copied().unwrap_or(0);
                got.messages.entry(tag).or_default().push(content);
            }
        }
        got.inside_message = message.is_some() && !closed;
        got
    }
}

/// The first byte of a frame, its payload, and what follows it.
fn frame(bytes: &[u8], sender: Role) -> Option<(u8, Vec<u8>, &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (len, rest) = match second & 0x7f {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*len) as usize, rest)
        }
        len => (usize::from(len), rest),
    };
    let masked = second & 0x80 != 0;
    assert_eq!(masked, sender == Role::Client, "a client masks, a server does not (RFC 6455 §5.1)");
    let (key, rest) = match masked {
        true => rest.split_first_chunk::<4>().map(|(key, rest)| (*key, rest))?,
        false => ([0; 4], rest),
    };
    let (payload, rest) = rest.split_at_checked(len)?;
    let mut payload = payload.to_vec();
    unmask(key, &mut payload);
    Some((first, payload, rest))
}

/// A frame as it travels.
fn encoded(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let bit = if masked { 0x80 } else { 0 };
    match payload.len() {
        n @ ..126 => frame.push(bit | n as u8),
        n @ ..65_536 => {
            frame.push(bit | 126);
            frame.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            frame.push(bit | 127);
            frame.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    if masked {
        // Long payloads only cost time.
        let key = if payload.len() < 5000 { [0x12, 0x34, 0x56, 0x78] } else { [0; 4] };
        frame.extend_from_slice(&key);
        let start = frame.len();
        frame.extend_from_slice(payload);
        unmask(key, &mut frame[start..]);
    } else {
        frame.extend_from_slice(payload);
    }
    frame
}

fn unmask(key: [u8; 4], payload: &mut [u8]) {
    if key != [0; 4] {
        for chunk in payload.chunks_mut(4) {
            chunk.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        }
    }
}

fn deflated(compress: &mut Compress, content: &[u8]) -> Vec<u8> {
    compress.reset();
    let mut out = Vec::with_capacity(content.len() + content.len() / 8 + 100);
    compress.compress_vec(content, &mut out, FlushCompress::Sync).expect("room for it");
    out.truncate(out.len() - 4);
    out
}

fn inflated(inflate: &mut Decompress, mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 4 + 1000);
    loop {
        let before = (inflate.total_in(), out.len());
        inflate.decompress_vec(bytes, &mut out, FlushDecompress::Sync).expect("sound compression");
        bytes = &bytes[(inflate.total_in() - before.0) as usize..];
        if out.len() < out.capacity() && bytes.is_empty()
            || (inflate.total_in(), out.len()) == before
        {
            assert!(bytes.is_empty(), "all is inflated");
            return out;
        }
        out.reserve(out.capacity());
    }
}

/// Drives both legs of a relay with the script that `input` is: the bytes of each peer reach the
/// other as they are, both observers see what passed, and each side ends as the other did.
#[allow(dead_code)] // not by the fuzz target
pub fn relay(input: &[u8]) {
    let mut script = Script(input);
    let mut relay = Relay::new(&mut script);
    while let Some(op) = script.next() {
        relay.carry_out(op, &mut script);
    }
    relay.finish();
}

/// One leg, and its peer.
struct RelayLeg {
    connection: Connection,
    wire: Rc<RefCell<Wire>>,
    seen: Rc<RefCell<Seen>>,
    /// All that the peer has written.
    written: Vec<u8>,
    faces: Role,
}

/// What an observer has seen, told apart by kind and content.
#[derive(Default)]
struct Seen {
    all: Vec<(String, Vec<u8>)>,
    content: Vec<u8>,
}

impl Seen {
    fn event(&mut self, event: &FrameEvent<'_>) {
        match event {
            FrameEvent::Data(bytes) => self.content.extend_from_slice(bytes),
            FrameEvent::Message(info) => {
                let content = std::mem::take(&mut self.content);
                self.all.push((format!("{:?}", info.opcode), content));
            }
            FrameEvent::Control { opcode, payload } => {
                self.all.push((format!("{opcode:?}"), payload.to_vec()));
            }
            FrameEvent::Violation(violation) => {
                self.content.clear();
                self.all.push((violation.to_string(), Vec::new()));
            }
            FrameEvent::Start { .. }
            | FrameEvent::Payload(_)
            | FrameEvent::End { .. }
            | FrameEvent::Undecodable(_) => {}
        }
    }
}

struct Looker(Rc<RefCell<Seen>>);

impl Behaviour for Looker {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, opcode: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        let message = (format!("{:?}", OpCode::Data(opcode)), content.to_vec());
        self.0.borrow_mut().all.push(message);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, _: &mut Context<'_>) -> io::Result<()> {
        self.0.borrow_mut().event(event);
        Ok(())
    }
}

struct Relay {
    legs: [RelayLeg; 2],
    buffers: Buffers,
    stdout: Stdout,
    reporter: Reporter,
    now: Instant,
    memory: Rc<Budget>,
    /// A peer has reset its connection, or takes nothing any more.
    was_cut: bool,
}

impl Relay {
    fn new(script: &mut Script<'_>) -> Self {
        let flags = script.byte();
        let reporter = reporter_of(Role::Client);
        let (memory, now) = (Budget::new(64 << 20), Instant::now());
        let legs = [Role::Client, Role::Server].map(|faces| {
            let bit = if faces == Role::Client { 1 } else { 2 };
            let seals = flags & bit != 0;
            let wire = Rc::new(RefCell::new(Wire { seals, readable: true, ..Wire::default() }));
            let received = Direction::sent_by(faces);
            let setup = ConnectionSetup {
                id: ConnId(1),
                agreed: &Agreed::default(),
                endpoint: None,
                limits: Limits::default(),
                observed: true,
                evidence: flags & 4 != 0,
                memory: &memory,
                backlog: &memory,
            };
            let inbound = Observer::of_frames(received, None, Limits::default());
            let link: Link = Link::new(Box::new(Pipe(Rc::clone(&wire))));
            let mut connection = Connection::new(link, inbound, &setup, now);
            let seen: Rc<RefCell<Seen>> = Rc::default();
            connection.add(Looker(Rc::clone(&seen)));
            RelayLeg { connection, wire, seen, written: Vec::new(), faces }
        });
        let (buffers, stdout) = (Buffers::default(), Stdout::held());
        Self { legs, buffers, stdout, reporter, now, memory, was_cut: false }
    }

    fn carry_out(&mut self, op: u8, script: &mut Script<'_>) {
        let leg = &mut self.legs[usize::from(op >> 7)];
        let n = script.len();
        match op & 15 {
            0..6 => {
                // A frame: in order, or broken in its first byte or its mask.
                let (first, wrong) = (script.byte(), op & 0x70 == 0x70);
                let masked = (leg.faces == Role::Client) != wrong;
                let first =
                    if op & 0x40 == 0 { [0x81, 0x82, 0x89][usize::from(first % 3)] } else { first };
                let n = if first & 8 == 0 { n } else { n.min(125) };
                leg.write(&encoded(first, masked, &NOISE.repeat(n / NOISE.len() + 1)[..n]));
            }
            6 => leg.write(&NOISE[..n.min(NOISE.len())]),
            7..10 => leg.arrive(n),
            10..13 => leg.take(n * 10),
            13 => leg.end(End::Fin),
            14 if op & 0x70 == 0x70 => {
                leg.end(End::Reset);
                self.was_cut = true;
            }
            15 if op & 0x70 == 0x70 => {
                leg.wire.borrow_mut().broken = true;
                self.was_cut = true;
            }
            _ => {}
        }
        self.settle();
    }

    /// Gives turns as the loop does, and hands on what each leg has received.
    fn settle(&mut self) {
        let mut idle = 0;
        loop {
            let before = self.fingerprint();
            let mut wanted = false;
            for at in 0..2 {
                let Self { legs, buffers, stdout, reporter, now, .. } = self;
                let [one, other] = legs;
                let (leg, other) = if at == 0 { (one, other) } else { (other, one) };
                if leg.connection.wants_turn(stdout, reporter) && !leg.connection.is_over() {
                    wanted = true;
                    let notifier = Notifier::Stderr { quiet: true };
                    let mut outputs = Outputs { stdout, reporter, notifier: &notifier };
                    leg.connection.turn(buffers, &mut outputs, *now).expect("sound outputs");
                }
                leg.connection.relay_to(&mut other.connection, *now);
                assert!(leg.connection.backlog() < 4 * HIGH_WATER, "what waits is bounded");
            }
            if !wanted {
                return;
            }
            idle = if self.fingerprint() == before { idle + 1 } else { 0 };
            assert!(idle < IDLE_TURNS, "it keeps a core busy: {before:?}");
        }
    }

    fn fingerprint(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        self.legs.each_ref().map(|leg| {
            let wire = leg.wire.borrow();
            let ending = leg.connection.ending(self.now);
            let bytes = (wire.to_us.len(), wire.from_us.len(), wire.sealed.len());
            let ends = (wire.our_end, wire.readable, leg.connection.is_over());
            (bytes, ends, leg.connection.backlog(), ending.r#in)
        })
    }

    fn finish(mut self) {
        self.run_dry();
        if !self.was_cut {
            for (from, to) in [(0, 1), (1, 0)] {
                let (ended, sent_on) = (self.legs[from].has_ended(), self.legs[to].our_end());
                assert_eq!(ended, sent_on, "the end is passed on, and only that");
            }
        }
        self.legs.iter_mut().for_each(|leg| leg.end(End::Fin));
        self.run_dry();
        let [client, server] = &self.legs;
        assert!(client.connection.is_over() && server.connection.is_over(), "both legs end");
        for (from, to) in [(client, server), (server, client)] {
            let got = &to.wire.borrow().from_us;
            let cut = self.was_cut;
            is_beginning(got, &from.written, false, !cut, "relayed");
            let (sent, received) =
                (to.connection.ending(self.now), from.connection.ending(self.now));
            if !cut {
                assert_eq!(sent.out, received.r#in, "both observers count the same");
                assert_eq!(from.seen.borrow().all, expected(&from.written, from.faces));
                assert!(!to.wire.borrow().was_reset, "an end in order is none by reset");
            } else {
                let gone = |leg: &RelayLeg| {
                    let wire = leg.wire.borrow();
                    wire.was_reset || wire.broken || wire.end.is_some() && wire.our_end
                };
                assert!(gone(from) || from.wire.borrow().end == Some(End::Reset));
            }
        }
        let Self { legs, memory, .. } = self;
        for leg in legs {
            drop(leg.connection.into_link());
        }
        assert_eq!(memory.used(), 0, "all memory is given back");
    }

    fn run_dry(&mut self) {
        for _ in 0..1000 {
            let before = self.legs.each_ref().map(|leg| leg.wire.borrow().from_us.len());
            for leg in &mut self.legs {
                leg.arrive(usize::MAX);
                leg.take(1 << 20);
            }
            self.settle();
            if self.legs.each_ref().map(|leg| leg.wire.borrow().from_us.len()) == before {
                return;
            }
        }
    }
}

impl RelayLeg {
    fn write(&mut self, bytes: &[u8]) {
        let mut wire = self.wire.borrow_mut();
        if wire.end.is_none() {
            wire.to_us.extend(bytes);
            self.written.extend_from_slice(bytes);
        }
    }

    fn arrive(&mut self, n: usize) {
        let mut wire = self.wire.borrow_mut();
        wire.arrived = wire.arrived.saturating_add(n).min(wire.to_us.len());
        wire.readable = true;
    }

    fn take(&mut self, n: usize) {
        let mut wire = self.wire.borrow_mut();
        wire.credit += n;
        wire.refused = false;
        drop(wire);
        // As an event of the poll would.
        self.connection.sender(Instant::now());
    }

    fn end(&mut self, how: End) {
        let mut wire = self.wire.borrow_mut();
        if how == End::Reset || wire.end.is_none() {
            wire.end = Some(how);
            wire.readable = true;
        }
        drop(wire);
        self.connection.sender(Instant::now());
    }

    fn has_ended(&self) -> bool {
        self.wire.borrow().end.is_some()
    }

    fn our_end(&self) -> bool {
        self.wire.borrow().our_end
    }
}

/// What an observer sees that gets all bytes at once.
fn expected(written: &[u8], sender: Role) -> Vec<(String, Vec<u8>)> {
    let mut seen = Seen::default();
    let mut bytes = written.to_vec();
    let mut observer = Observer::of_frames(Direction::sent_by(sender), None, Limits::default());
    let mut input = Input::new(&mut bytes);
    while let Some(observed) = observer.next(&mut input) {
        if let Observed::Frame(event) = observed {
            seen.event(&event);
        }
    }
    seen.all
}
