//! `wscope decode`: captured bytes into frames, without a network.

pub mod hex;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use anyhow::Context as _;

use crate::cli::{DecodeArgs, DecodeFormat, SenderRole};
use crate::config::{Display, limits};
use crate::engine::exit::Exit;
use crate::event::{ConnId, Direction, Event, FrameEvent, Observed, Stamp};
use crate::modes::decode::hex::HexReader;
use crate::net::clock::wall_micros;
use crate::net::plain_io::plain_io;
use crate::output::stderr;
use crate::session::{Limits, Observer};
use crate::ui::terminal::Terminal;
use crate::ui::view::{Timestamps, View};
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter, diagram, sanitize};
use crate::wire::decoder::Input;
use crate::wire::deflate::params::{DeflateOffer, DeflateParams};
use crate::wire::handshake::grammar::parse_extensions;
use crate::wire::head::Head;

/// Bytes read at once.
const READ: usize = 256 * 1024;

/// The most bytes of a line of hex, its end included.
const LINE: u64 = 64 << 20;

/// Decodes what the arguments name.
pub fn run(args: &DecodeArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let mut decoding = Decoding::new(args, &display);
    let result = read(args, &mut |bytes| decoding.feed(bytes));
    let result = result.and_then(|()| decoding.finish());
    // What came before an error has been decoded, and is printed.
    let flushed = decoding.flush(true);
    match result.and(flushed.map_err(anyhow::Error::from)) {
        Ok(()) => {}
        // A closed reader of stdout is success.
        Err(error) if is_closed_pipe(&error) => return Ok(Exit::Success),
        Err(error) => return Err(error),
    }
    Ok(if decoding.violations > 0 { Exit::Violation } else { Exit::Success })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Hands the input to `feed`, a piece at a time.
fn read(
    args: &DecodeArgs,
    feed: &mut dyn FnMut(&mut [u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if let Some(hex) = &args.hex {
        return read_hex(&mut hex.as_bytes(), "--hex", feed);
    }
    let (name, mut input): (String, Box<dyn Read>) = match &args.file {
        Some(path) if path.as_os_str() != "-" => {
            let file = File::open(path).map_err(|error| {
                anyhow::anyhow!("can't open {}: {}", path.display(), plain_io(&error))
            })?;
            (path.display().to_string(), Box::new(file))
        }
        _ => ("stdin".to_owned(), Box::new(io::stdin())),
    };
    if !args.raw {
        return read_hex(&mut BufReader::new(input), &name, feed);
    }
    let mut buffer = vec![0; READ];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => feed(&mut buffer[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context(format!("can't read {name}")),
        }
    }
}

fn read_hex(
    input: &mut dyn BufRead,
    name: &str,
    feed: &mut dyn FnMut(&mut [u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = HexReader::default();
    let mut line = Vec::new();
    let mut bytes = Vec::new();
    loop {
        line.clear();
        let n = (&mut *input)
            .take(LINE)
            .read_until(b'\n', &mut line)
            .with_context(|| format!("can't read {name}"))?;
        let too_long = n as u64 == LINE && !line.ends_with(b"\n");
        let text = String::from_utf8_lossy(&line);
        // What came before a bad line is decoded all the same.
        let result = match too_long {
            true => Err(reader.too_long(LINE)),
            false => reader.line(&text, &mut bytes),
        };
        let result = result.with_context(|| name.to_owned());
        if !bytes.is_empty() && (n == 0 || bytes.len() >= READ || result.is_err()) {
            feed(&mut bytes)?;
            bytes.clear();
        }
        result?;
        if n == 0 {
            return Ok(());
        }
    }
}

/// The printer and the observer, once it is known who sent the bytes.
struct Decoding<'a> {
    args: &'a DecodeArgs,
    limits: Limits,
    human: HumanPrinter,
    json: JsonPrinter,
    diagrams: bool,
    /// The beginning of the frame's payload, for its diagram.
    payload: Vec<u8>,
    observer: Option<(Direction, Observer)>,
    /// The first bytes, until they show who sent them.
    first: Vec<u8>,
    out: Vec<u8>,
    violations: u64,
    /// A capture has no times: JSON carries that of the decoding.
    stamp: Stamp,
}

impl<'a> Decoding<'a> {
    fn new(args: &'a DecodeArgs, display: &Display) -> Self {
        let options = HumanOptions {
            width: display.terminal.width,
            palette: display.palette(display.terminal.stdout),
            view: if display.verbose > 1 { View::Hex } else { View::Frames },
            // The bytes carry no times.
            timestamps: Timestamps::Off,
            ..HumanOptions::new(Direction::ToServer)
        };
        Self {
            args,
            limits: limits(&args.limits),
            human: HumanPrinter::new(options),
            json: JsonPrinter::new(None),
            diagrams: display.verbose > 1 && args.output == DecodeFormat::Frames,
            payload: Vec::new(),
            observer: None,
            first: Vec::new(),
            out: Vec::new(),
            violations: 0,
            stamp: Stamp { micros: wall_micros(), conn: ConnId(1) },
        }
    }

    fn feed(&mut self, bytes: &mut [u8]) -> anyhow::Result<()> {
        if self.observer.is_some() {
            return self.observe(bytes);
        }
        self.first.extend_from_slice(bytes);
        self.begin(false)
    }

    /// Starts once the first bytes show what they are, or are all there is.
    fn begin(&mut self, at_end: bool) -> anyhow::Result<()> {
        let Some(beginning) = Beginning::of(&self.first, at_end) else { return Ok(()) };
        let by_content = match beginning {
            Beginning::Request => Direction::ToServer,
            Beginning::Response => Direction::ToClient,
            Beginning::Frames { masked: true } => Direction::ToServer,
            Beginning::Frames { masked: false } => Direction::ToClient,
        };
        let direction = match self.args.role {
            Some(SenderRole::Client) => Direction::ToServer,
            Some(SenderRole::Server) => Direction::ToClient,
            None => by_content,
        };
        let observer = match beginning {
            Beginning::Frames { .. } => {
                let deflate = self.args.deflate.then(DeflateParams::default);
                Observer::of_frames(direction, deflate.as_ref(), self.limits)
            }
            _ => Observer::before_handshake(direction, self.limits),
        };
        self.observer = Some((direction, observer));
        let mut first = std::mem::take(&mut self.first);
        self.observe(&mut first)
    }

    fn observe(&mut self, bytes: &mut [u8]) -> anyhow::Result<()> {
        let mut input = Input::new(bytes);
        let stamp = self.stamp;
        let Some((direction, mut observer)) = self.observer.take() else { return Ok(()) };
        loop {
            let head = match observer.next(&mut input) {
                Some(Observed::Head(head)) => head.clone(),
                Some(Observed::HeadError(error)) => anyhow::bail!("the handshake: {error}"),
                Some(Observed::Body(bytes)) => {
                    self.print(&stamp, &Event::Body(bytes));
                    continue;
                }
                Some(Observed::Frame(event)) => {
                    self.frame(&stamp, direction, event)?;
                    continue;
                }
                // Only `next_or_whole` gives these.
                Some(Observed::Whole(_)) => continue,
                None => break,
            };
            self.print(&stamp, &Event::Head(direction, &head));
            match head.status_line() {
                // An interim response: another head follows (RFC 9110 §15.2).
                Some(line) if line.code != 101 && line.code / 100 == 1 => {
                    observer = Observer::before_handshake(direction, self.limits);
                }
                Some(line) if line.code != 101 => observer.expect_body(),
                _ => observer.expect_frames(self.agreed(&head).as_ref()),
            }
        }
        self.observer = Some((direction, observer));
        Ok(self.flush(false)?)
    }

    /// The compression that a response agrees to, or that `--deflate` takes as agreed.
    fn agreed(&self, head: &Head) -> Option<DeflateParams> {
        let given = self.args.deflate.then(DeflateParams::default);
        if head.status_line().is_none() {
            return given;
        }
        let elements = parse_extensions(head.get_all("sec-websocket-extensions")).ok()?;
        let element = elements.iter().find(|e| e.name.eq_ignore_ascii_case("permessage-deflate"));
        // What the client offered is not known: anything that can be read is taken as agreed.
        element.and_then(|element| DeflateOffer::default().check_response(element).ok()).or(given)
    }

    fn frame(
        &mut self,
        stamp: &Stamp,
        direction: Direction,
        event: FrameEvent<'_>,
    ) -> io::Result<()> {
        self.violations += u64::from(matches!(event, FrameEvent::Violation(_)));
        match (self.args.output, &event) {
            (DecodeFormat::Raw | DecodeFormat::Lines, FrameEvent::Data(bytes)) => {
                self.out.extend_from_slice(bytes);
            }
            (DecodeFormat::Lines, FrameEvent::Message(_)) => self.out.push(b'\n'),
            (DecodeFormat::Raw | DecodeFormat::Lines, FrameEvent::Violation(violation)) => {
                self.flush(true)?;
                stderr::error(&sanitize::escaped(violation.to_string().as_bytes()));
            }
            (DecodeFormat::Frames, _) if self.diagrams => {
                let begun = matches!(event, FrameEvent::Start { .. });
                let ended = match &event {
                    FrameEvent::End { header, .. } => Some(**header),
                    _ => None,
                };
                if begun {
                    self.payload.clear();
                }
                if let FrameEvent::Payload(bytes) = &event {
                    let room = diagram::PAYLOAD - self.payload.len();
                    self.payload.extend_from_slice(&bytes[..bytes.len().min(room)]);
                }
                self.print(stamp, &Event::Frame(direction, event));
                if let Some(header) = ended {
                    diagram::draw(&header, &self.payload, &mut self.out);
                }
            }
            (DecodeFormat::Frames | DecodeFormat::Json, _) => {
                self.print(stamp, &Event::Frame(direction, event));
            }
            _ => {}
        }
        self.flush(false)
    }

    fn print(&mut self, stamp: &Stamp, event: &Event<'_>) {
        match self.args.output {
            DecodeFormat::Frames => self.human.print(stamp, event, &mut self.out),
            DecodeFormat::Json => self.json.print(stamp, event, &mut self.out),
            DecodeFormat::Raw | DecodeFormat::Lines => {}
        }
    }

    /// Writes what has been made, if it is much or must be seen now.
    fn flush(&mut self, now: bool) -> io::Result<()> {
        if self.out.len() >= READ || now {
            io::stdout().lock().write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if self.observer.is_none() {
            self.begin(true)?;
        }
        let stamp = self.stamp;
        if let Some((direction, mut observer)) = self.observer.take() {
            if let Some(violation) = observer.finish() {
                self.frame(&stamp, direction, FrameEvent::Violation(&violation))?;
            }
            if let Some(parser) = observer.partial_head() {
                anyhow::bail!("the handshake is cut short after {} bytes", parser.raw().len());
            }
        }
        match self.args.output {
            DecodeFormat::Frames => self.human.flush_partial(&mut self.out),
            DecodeFormat::Json => self.json.flush_partial(&mut self.out),
            DecodeFormat::Raw | DecodeFormat::Lines => {}
        }
        self.flush(true)?;
        io::stdout().flush()?;
        Ok(())
    }
}

/// What the first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    Request,
    Response,
    Frames { masked: bool },
}

impl Beginning {
    /// `None` as long as more bytes may decide otherwise.
    fn of(bytes: &[u8], at_end: bool) -> Option<Self> {
        for (start, beginning) in [(&b"HTTP/"[..], Self::Response), (b"GET ", Self::Request)] {
            if bytes.starts_with(start) {
                return Some(beginning);
            }
            if start.starts_with(bytes) && !at_end {
                return None;
            }
        }
        let masked = bytes.get(1).is_some_and(|byte| byte & 0x80 != 0);
        (at_end || bytes.len() > 1).then_some(Self::Frames { masked })
    }
}
