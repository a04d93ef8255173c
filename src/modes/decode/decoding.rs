//! Decodes bytes and prints the result.

use std::borrow::Cow;
use std::io;

use crate::cli::{DecodeFormat, SenderRole};
use crate::config::{Display, LensConfig, UsageError};
use crate::event::{ConnId, Direction, Event, FrameEvent, Observed, Stamp};
use crate::modes::decode::listing::Listing;
use crate::net::clock::wall_micros;
use crate::net::plain_io::plain_io;
use crate::net::stdio::write_stdout;
use crate::output::decode_with::{Answers, DecodeWith};
use crate::output::lenses::{Lenses, Reading};
use crate::output::pager::Pager;
use crate::output::{secrets, stderr};
use crate::recording::{Fact, Player, Reader, agreed};
use crate::session::{Limits, Observer};
use crate::ui::filter::Filter;
use crate::ui::meaning::Meaning;
use crate::ui::view::Timestamps;
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter, diagram, sanitize};
use crate::wire::Role;
use crate::wire::decoder::Input;
use crate::wire::deflate::params::DeflateParams;

/// How many bytes are read and written at once.
pub(super) const READ: usize = 256 * 1024;

/// The printer, and the observer once the sender of the bytes is known.
pub(super) struct Decoding {
    what: DecodeOptions,
    limits: Limits,
    options: HumanOptions,
    /// The filters, by the role of the recording program.
    filters: [Option<Filter>; 2],
    only: Option<ConnId>,
    /// Whether the connection was found.
    found: bool,
    listing: Option<Listing>,
    lenses: Lenses,
    decode_with: Option<DecodeWith>,
    human: HumanPrinter,
    json: JsonPrinter,
    diagrams: bool,
    to_terminal: bool,
    /// The beginning of the frame's payload, for its diagram.
    payload: Vec<u8>,
    observer: Option<(Direction, Observer)>,
    /// The first bytes, until they show the sender.
    first: Vec<u8>,
    out: Vec<u8>,
    pager: Option<Pager>,
    pub(super) violations: u64,
    /// It is a recording, with its own times and directions.
    is_recording: bool,
    /// A capture of bytes has no times, so JSON has the time of decoding.
    stamp: Stamp,
}

/// What to decode, and what to print.
pub(super) struct DecodeOptions {
    pub(super) role: Option<SenderRole>,
    pub(super) deflate: bool,
    pub(super) output: DecodeFormat,
}

impl Decoding {
    pub(super) fn new(
        what: DecodeOptions,
        limits: Limits,
        lenses: LensConfig,
        display: &Display,
    ) -> Result<Self, UsageError> {
        let command = lenses.command.as_deref();
        let decode_with = command.map(|command| DecodeWith::new(command, || ())).transpose();
        let options = display.human(Some(Role::Client), display.terminal.stdout);
        let diagrams = display.verbose > 1 && what.output == DecodeFormat::Frames;
        Ok(Self {
            what,
            limits,
            options,
            decode_with: decode_with
                .map_err(|error| UsageError::new(format!("--decode-with: {}", plain_io(&error))))?,
            filters: [None, None],
            only: None,
            found: false,
            listing: None,
            lenses: Lenses::new(lenses),
            // The bytes have no times.
            human: HumanPrinter::new(HumanOptions { timestamps: Timestamps::Off, ..options }),
            is_recording: false,
            json: JsonPrinter::new(None),
            diagrams,
            to_terminal: display.terminal.stdout,
            pager: None,
            payload: Vec::new(),
            observer: None,
            first: Vec::new(),
            out: Vec::new(),
            violations: 0,
            stamp: Stamp { micros: wall_micros(), conn: ConnId(1) },
        })
    }

    /// Sets the filters: the first for a client's recording, the second for a server's.
    pub(super) fn set_filters(&mut self, filters: [Option<Filter>; 2]) {
        self.filters = filters;
    }

    /// Decodes only this connection.
    pub(super) fn only(&mut self, conn: u64) {
        self.only = Some(ConnId(conn));
    }

    /// Whether the requested connection exists, even as a TCP stream that can't be decoded.
    pub(super) fn has_found(&self, conn: u64, reader: &mut Reader<'_>) -> bool {
        let mut streams = reader.capture().into_iter().flat_map(|capture| capture.streams());
        self.found || streams.any(|stream| stream.number == conn)
    }

    /// Lists the connections instead of their traffic.
    pub(super) fn list(&mut self) {
        self.listing = Some(Listing::default());
    }

    /// Whether connections are listed.
    pub(super) fn is_listing(&self) -> bool {
        self.listing.is_some()
    }

    /// Prints through a pager.
    pub(super) fn show_in(&mut self, pager: Option<Pager>) {
        self.pager = pager;
    }

    /// Decodes a recording, or one stream of a capture.
    pub(super) fn recording(&mut self, reader: &mut Reader<'_>) -> anyhow::Result<()> {
        self.is_recording = true;
        // A log may begin in the middle of a session.
        self.begin(Some(Role::Client), false);
        let mut player = Player::new(self.limits, self.what.deflate.then(DeflateParams::default));
        loop {
            let record = reader.next_record();
            let Some(record) = record? else { break };
            self.stamp = record.at;
            if let Fact::Start { role, secrets, .. } = record.fact {
                self.begin(role, secrets);
            }
            player.play(record, &mut |at, event| self.event(at, event))?;
        }
        let micros = self.stamp.micros;
        player.end(micros, &mut |at, event| self.event(at, event))?;
        if let Some(listing) = &self.listing {
            let streams = reader.capture().map(|capture| capture.streams().to_vec());
            listing.print(&streams.unwrap_or_default(), &mut self.out);
        }
        Ok(())
    }

    /// A program with this role recorded the following lines.
    fn begin(&mut self, role: Option<Role>, secrets: bool) {
        self.lenses.forget();
        self.json = JsonPrinter::new(role).with_secrets(secrets);
        self.human = HumanPrinter::new(HumanOptions {
            sent: Direction::sent_by(role.unwrap_or(Role::Client)),
            show_connection: role != Some(Role::Client),
            ..self.options
        });
        let [client, server] = &self.filters;
        let filter = if role == Some(Role::Server) { server } else { client };
        self.human.set_filter(filter.clone());
    }

    fn event(&mut self, at: &Stamp, event: &Event<'_>) -> io::Result<()> {
        self.stamp = *at;
        if self.only.is_some_and(|only| only != at.conn && at.conn != ConnId(0)) {
            return Ok(());
        }
        self.found |= self.only == Some(at.conn);
        if let Some(listing) = &mut self.listing {
            listing.take(at, event);
            return Ok(());
        }
        match event {
            Event::Frame(direction, _) | Event::Head(direction, _)
                if self.leaves_out(*direction) =>
            {
                Ok(())
            }
            Event::Frame(direction, event) => self.frame(at, *direction, event.clone()),
            event => {
                self.print(at, event);
                self.flush(false)
            }
        }
    }

    /// Whether `--role` excludes this direction of a recording.
    fn leaves_out(&self, direction: Direction) -> bool {
        match self.what.role {
            Some(SenderRole::Client) => direction != Direction::ToServer,
            Some(SenderRole::Server) => direction != Direction::ToClient,
            None => false,
        }
    }

    /// An observer for a direction without its handshake.
    fn of_frames(&self, direction: Direction) -> Observer {
        let deflate = self.what.deflate.then(DeflateParams::default);
        Observer::of_frames(direction, deflate.as_ref(), self.limits)
    }

    pub(super) fn feed(&mut self, bytes: &mut [u8]) -> anyhow::Result<()> {
        if self.observer.is_some() {
            return self.observe(bytes);
        }
        self.first.extend_from_slice(bytes);
        self.begin_bytes(false)
    }

    /// Begins when the first bytes show what they are, or when the input has ended.
    fn begin_bytes(&mut self, at_end: bool) -> anyhow::Result<()> {
        let Some(beginning) = InputKind::of(&self.first, at_end) else { return Ok(()) };
        let by_content = match beginning {
            InputKind::Request => Direction::ToServer,
            InputKind::Response => Direction::ToClient,
            InputKind::Frames { masked: true } => Direction::ToServer,
            InputKind::Frames { masked: false } => Direction::ToClient,
        };
        let direction = match self.what.role {
            Some(SenderRole::Client) => Direction::ToServer,
            Some(SenderRole::Server) => Direction::ToClient,
            None => by_content,
        };
        let observer = match beginning {
            InputKind::Frames { .. } => self.of_frames(direction),
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
                // Only `next_or_whole` returns these.
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
                _ => {
                    let given = self.what.deflate.then(DeflateParams::default);
                    observer.expect_frames(agreed(&head, given).as_ref());
                }
            }
            if head.status_line().is_some_and(|line| line.code == 101) {
                let agreed = head.get("sec-websocket-protocol").map(String::from_utf8_lossy);
                let reading = self.lenses.open(stamp.conn, agreed.map(Cow::into_owned));
                self.print_reading(reading);
            }
        }
        self.observer = Some((direction, observer));
        Ok(self.flush(false)?)
    }

    fn frame(
        &mut self,
        stamp: &Stamp,
        direction: Direction,
        event: FrameEvent<'_>,
    ) -> io::Result<()> {
        self.violations += u64::from(matches!(event, FrameEvent::Violation(_)));
        match (self.what.output, &event) {
            (DecodeFormat::Lines, FrameEvent::Data(bytes)) if self.to_terminal => {
                sanitize::escape_into(bytes, &mut self.out);
            }
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
        match self.what.output {
            DecodeFormat::Frames => self.human.print(stamp, event, &mut self.out),
            DecodeFormat::Json => self.json.print(stamp, event, &mut self.out),
            DecodeFormat::Raw | DecodeFormat::Lines => {}
        }
        let reading = self.lenses.take(stamp, event);
        self.print_reading(reading);
        self.ask_command(stamp, event);
    }

    /// Prints the answer of `--decode-with` below the message.
    fn ask_command(&mut self, stamp: &Stamp, event: &Event<'_>) {
        let Some(command) = &mut self.decode_with else { return };
        let too_large = command.take(stamp, event);
        let Answers { meanings, given_up } = command.answers(true);
        // decode waits for the answer.
        let answered =
            meanings.into_iter().map(|(_, meaning)| Meaning { is_late: false, ..meaning });
        let meanings = answered.chain(too_large).collect();
        let notes = given_up.into_iter().inspect(|text| {
            self.decode_with = None;
            stderr::error(text);
        });
        let notes = notes.collect();
        self.print_reading(Some(Reading { notes, meanings }));
    }

    fn print_reading(&mut self, reading: Option<Reading>) {
        let Some(Reading { notes, meanings }) = reading else { return };
        let (stamp, redactor) = (self.stamp, secrets::redactor());
        for note in &notes {
            self.print(&stamp, &Event::Note(&redactor.text(note)));
        }
        for mut meaning in meanings {
            meaning.packets.iter_mut().for_each(|packet| redactor.decoded(packet));
            match self.what.output {
                DecodeFormat::Json => self.json.meaning(&stamp, &meaning, &mut self.out),
                _ => self.human.print_meaning(&stamp, &meaning, &mut self.out),
            }
        }
    }

    /// Writes the output if it is large, or if it must be visible now.
    pub(super) fn flush(&mut self, now: bool) -> io::Result<()> {
        if self.out.len() >= READ || now {
            match &mut self.pager {
                Some(pager) => pager.write(&self.out)?,
                None => write_stdout(&self.out)?,
            }
            self.out.clear();
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        if self.observer.is_none() && !self.is_recording {
            self.begin_bytes(true)?;
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
        match self.what.output {
            DecodeFormat::Frames => self.human.flush_partial(&mut self.out),
            DecodeFormat::Json => self.json.flush_partial(&mut self.out),
            DecodeFormat::Raw | DecodeFormat::Lines => {}
        }
        Ok(self.flush(true)?)
    }
}

/// The kind of the first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InputKind {
    Request,
    Response,
    Frames { masked: bool },
}

impl InputKind {
    /// Returns `None` as long as more bytes may change the decision.
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
