//! The transcript: events as lines for people.
//!
//! `>` was sent, `<` was received, `=` is the meaning of a message, `*` informs, `!` marks a broken
//! rule. Heads are shown line by line, exactly as sent; frames as one line each, or with every
//! byte; or messages by their content. Appends to a buffer, and keeps only incomplete data: the
//! line of a frame is printed at its end, and until then a bounded beginning of a message's content
//! is kept.

use std::ops::Range;

mod content;
mod direction_printer;
mod dump;
mod facts;
mod frame;
mod line;
mod line_writer;
mod meaning;
mod preview;
mod record;

use direction_printer::HumanDirectionPrinter;
use line_writer::{DisplayMode, LineWriter};
pub use record::{FrameRecord, FrameRecorder};

use super::clock::{LocalClock, Zone};
use super::connections::PerConnection;
use super::ending;
use super::pretty::Pretty;
use super::style::Palette;
use crate::diagnostics::page_text;
use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::ui::excerpt::ExcerptRoom;
use crate::ui::filter::Filter;
use crate::ui::meaning::Meaning;
use crate::ui::sanitize;
use crate::ui::terminal::FULL_WIDTH;
use crate::ui::view::{Timestamps, View};
use crate::wire::{Control, OpCode};

/// How a transcript looks.
#[derive(Clone, Copy, Debug)]
pub struct HumanOptions {
    /// The direction marked `>`; the other one is marked `<`.
    pub sent: Direction,
    /// The columns of a frame's line, 30 to 1000; other values are set to the nearest of these, but
    /// [`FULL_WIDTH`] cuts nothing up to 16 MiB.
    pub width: usize,
    /// Colours or none.
    pub palette: Palette,
    /// How traffic is shown; [`View::Hex`] shows warnings about the handshake too. The view of
    /// JSON is another printer's: here it is that of frames.
    pub view: View,
    /// Whether JSON is shown on several lines.
    pub pretty: Pretty,
    /// Which time is shown.
    pub timestamps: Timestamps,
    /// Whose time of day.
    pub zone: Zone,
    /// Whether lines carry the number of their connection, as in `< [2] …`.
    pub show_connection: bool,
    /// Whether a server shows the rules of the handshake that were kept too.
    pub all_rules: bool,
    /// Whether lines other than those of frames are broken at words: a terminal shows them.
    pub wraps: bool,
}

impl HumanOptions {
    /// 80 columns, no colours, one line per frame, local time, one connection.
    pub fn new(sent: Direction) -> Self {
        Self {
            sent,
            width: 80,
            palette: Palette::default(),
            view: View::default(),
            pretty: Pretty::default(),
            timestamps: Timestamps::default(),
            zone: Zone::default(),
            show_connection: false,
            all_rules: false,
            wraps: false,
        }
    }
}

/// Prints events for people. See the [module](self).
#[derive(Debug)]
pub struct HumanPrinter {
    writer: LineWriter,
    connections: PerConnection<ConnectionPrinter>,
}

/// What is remembered of one connection.
#[derive(Debug, Default)]
struct ConnectionPrinter {
    /// When it was opened, or else when its first event arrived, in microseconds since the epoch.
    opened: Option<i64>,
    to_server: HumanDirectionPrinter,
    to_client: HumanDirectionPrinter,
    /// Of frames that a relay made, once there are any.
    made: Option<Box<[HumanDirectionPrinter; 2]>>,
    body: Body,
}

impl ConnectionPrinter {
    #[inline]
    fn printer(&mut self, direction: Direction) -> &mut HumanDirectionPrinter {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Prints what is known of frames that will not be completed.
    fn finish(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        for direction in [writer.sent, writer.sent.opposite()] {
            self.printer(direction).finish(conn, writer, out);
        }
        for printer in self.made.iter_mut().flat_map(|made| made.iter_mut()) {
            printer.finish(conn, writer, out);
        }
        self.body.finish(conn, writer, out);
    }
}

impl HumanPrinter {
    /// A printer that has printed nothing yet.
    pub fn new(options: HumanOptions) -> Self {
        let HumanOptions { sent, view, pretty, palette, show_connection, all_rules, wraps, .. } =
            options;
        let writer = LineWriter {
            sent,
            width: in_bounds(options.width),
            palette,
            mode: DisplayMode { view, pretty, whole: options.width == FULL_WIDTH },
            filter: None,
            clock: LocalClock::new(options.zone, options.timestamps),
            opened: 0,
            show_connection,
            all_rules,
            wraps,
            number_width: 1,
            dumping: None,
            excerpts: ExcerptRoom::new(line_writer::UNFINISHED),
        };
        Self { writer, connections: PerConnection::default() }
    }

    /// Changes the columns of the lines to come: see [`HumanOptions::width`].
    pub fn set_width(&mut self, columns: usize) {
        self.writer.width = in_bounds(columns);
    }

    /// Changes whether lines other than those of frames are broken: see [`HumanOptions::wraps`].
    pub fn set_wraps(&mut self, wraps: bool) {
        self.writer.wraps = wraps;
    }

    /// Changes how traffic is shown. A frame or message that has begun is printed to its end as it
    /// began, so nothing is lost and nothing printed twice.
    pub fn set_view(&mut self, view: View) {
        self.writer.mode.view = view;
    }

    /// Changes whether JSON is shown on several lines, from the next message on.
    pub fn set_pretty(&mut self, pretty: Pretty) {
        self.writer.mode.pretty = pretty;
    }

    /// Changes which time the lines to come show.
    pub fn set_timestamps(&mut self, timestamps: Timestamps) {
        self.writer.clock.set_timestamps(timestamps);
    }

    /// Chooses which of the frames to come are shown; `None` shows all.
    ///
    /// A regex is matched against the first [`LOOKED_AT`](super::filter::LOOKED_AT) bytes of one
    /// line's content: of a whole message if messages are shown; otherwise of each frame, so that
    /// fragments of a message are decided one by one. A hidden message is shown if a line of its
    /// meaning matches.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.writer.filter = filter;
    }

    /// How traffic is shown.
    pub fn view(&self) -> View {
        self.writer.mode.view
    }

    /// Which frames are shown, if not all.
    pub fn filter(&self) -> Option<&Filter> {
        self.writer.filter.as_ref()
    }

    /// Takes one event and appends the lines it completes, each with its `\n`.
    ///
    /// Events of one direction must come in order; directions and connections may interleave.
    pub fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        let Self { writer, connections } = self;
        let connection = connections.of(at.conn);
        writer.opened = match event {
            Event::Open(_) => *connection.opened.insert(at.micros),
            _ => *connection.opened.get_or_insert(at.micros),
        };
        match event {
            Event::Frame(direction, event) => {
                frame(connection, at, *direction, event, writer, out);
            }
            Event::Automatic(_) => {}
            Event::Intervened(done) => {
                if let Some(fate) = done.what.fate() {
                    connection.printer(done.direction).mark(done.frame, fate, writer, out);
                }
                facts::intervened(at.conn, done, writer, out);
            }
            Event::Made(made, direction, event) => {
                let printers = connection.made.get_or_insert_default();
                let printer = &mut printers[*direction as usize];
                printer.made = Some(*made);
                printer.take(at, *direction, event, writer, out);
            }
            Event::RoundTrip(time) => {
                let printers = [&mut connection.to_client, &mut connection.to_server];
                if !printers.into_iter().any(|printer| printer.take_round_trip(*time)) {
                    facts::round_trip(at.conn, *time, writer, out);
                }
            }
            Event::Body(bytes) => connection.body.push(bytes, at.conn, writer, out),
            Event::Note(text) => {
                // A note may explain what has just been found; the finding comes first.
                for printer in [&mut connection.to_server, &mut connection.to_client] {
                    printer.flush_if_blamed(writer, out);
                }
                writer.info(at.conn, text, out);
            }
            Event::End(end) => {
                connection.finish(at.conn, writer, out);
                writer.info(at.conn, &ending::summarize(end), out);
                writer.info(at.conn, &ending::totals(end), out);
                connections.forget(at.conn);
            }
            Event::Failed(why) | Event::Passed(why) => {
                connection.finish(at.conn, writer, out);
                writer.info(at.conn, why, out);
                connections.forget(at.conn);
            }
            other => facts::print(at.conn, other, writer, out),
        }
    }

    /// Appends what the message that arrived last in its direction means: a line for each packet
    /// and for each rule that it breaks. Heartbeats are counted in the line of what follows them.
    pub fn print_meaning(&mut self, at: &Stamp, meaning: &Meaning, out: &mut Vec<u8>) {
        let printer = self.connections.of(at.conn).printer(meaning.direction);
        let lines = meaning::lines(meaning);
        let texts = lines.iter().map(meaning::MeaningLine::text);
        if printer.shows_meaning(meaning.number, texts, &self.writer, out) {
            let (direction, is_late) = (meaning.direction, meaning.is_late);
            meaning::print(&lines, at.conn, direction, is_late, &mut self.writer, out);
        }
    }

    /// Notes when a connection was opened, of which nothing is shown.
    pub fn opened(&mut self, at: &Stamp) {
        self.connections.of(at.conn).opened = Some(at.micros);
    }

    /// Appends the line of a frame that was remembered, and those of the rules it broke; of a long
    /// content the part around `shown`.
    pub fn print_record(
        &mut self,
        record: &FrameRecord,
        shown: Option<Range<usize>>,
        out: &mut Vec<u8>,
    ) {
        record.print(shown, &mut self.writer, out);
    }

    /// Appends the line of a message whose frames were remembered.
    pub fn print_message(
        &mut self,
        frames: &[&FrameRecord],
        shown: Option<Range<usize>>,
        out: &mut Vec<u8>,
    ) {
        FrameRecord::print_message(frames, shown, &mut self.writer, out);
    }

    /// Prints what is known of frames that are not complete, when no more events will come.
    pub fn flush_partial(&mut self, out: &mut Vec<u8>) {
        for conn in self.connections.ids() {
            let connection = self.connections.of(conn);
            self.writer.opened = connection.opened.unwrap_or_default();
            connection.finish(conn, &mut self.writer, out);
        }
    }
}

fn frame(
    connection: &mut ConnectionPrinter,
    at: &Stamp,
    direction: Direction,
    event: &FrameEvent<'_>,
    writer: &mut LineWriter,
    out: &mut Vec<u8>,
) {
    if let FrameEvent::Start { header, .. } = event
        && header.opcode == OpCode::Control(Control::Close)
    {
        // The Close may be the answer to what was found in the other direction.
        connection.printer(direction.opposite()).flush_if_blamed(writer, out);
    }
    connection.printer(direction).take(at, direction, event, writer, out);
}

/// Less than 30 columns hold no line; no terminal has more than 1000.
fn in_bounds(columns: usize) -> usize {
    if columns == FULL_WIDTH { columns } else { columns.clamp(30, 1000) }
}

/// Bytes that are shown. Error pages of proxies say what matters long before.
const SHOWN: u64 = 4096;

/// What is known of a body.
#[derive(Debug, Default)]
struct Body {
    /// The beginning of a line whose end is still to come.
    line: Vec<u8>,
    seen: u64,
    /// It is a page whose text is shown when it has arrived: HTML is unreadable on a terminal.
    is_page: bool,
    /// It is compressed: unreadable, too.
    is_gzip: bool,
}

impl Body {
    /// Takes the next piece.
    fn push(&mut self, bytes: &[u8], conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if self.seen == 0 {
            let readable = writer.wraps && writer.mode.view != View::Hex;
            self.is_page = readable && page_text(bytes).is_some();
            self.is_gzip = writer.mode.view != View::Hex && bytes.starts_with(b"\x1f\x8b");
        }
        let room = SHOWN.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        self.seen += bytes.len() as u64;
        if self.is_gzip {
            return;
        }
        if self.is_page {
            return self.line.extend_from_slice(&bytes[..room]);
        }
        for line in bytes[..room].split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(line);
            if line.ends_with(b"\n") {
                self.end_line(conn, writer, out);
            }
        }
    }

    /// Prints the last line and how much was left out.
    fn finish(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_page)
            && let Some(text) = page_text(&self.line)
        {
            let ink = line_writer::ink(Direction::ToClient, writer.sent);
            writer.line(ink, conn, format!("(HTML) {text}").as_bytes(), out);
            self.line.clear();
        }
        if !self.line.is_empty() {
            self.end_line(conn, writer, out);
        }
        let seen = std::mem::take(&mut self.seen);
        if std::mem::take(&mut self.is_gzip) {
            writer.info(conn, &format!("the body has {seen} bytes of gzip"), out);
        } else if seen > SHOWN {
            let text = format!("the body has {seen} bytes; the first {SHOWN} are shown");
            writer.info(conn, &text, out);
        }
    }

    fn end_line(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let ink = line_writer::ink(Direction::ToClient, writer.sent);
        for line in sanitize::lines(&self.line) {
            writer.line(ink, conn, line, out);
        }
        self.line.clear();
    }
}
