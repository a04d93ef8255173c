//! The transcript: events as lines for people.
//!
//! `>` was sent, `<` was received, `=` is the meaning of a message, `*` informs, `!` marks a broken
//! rule. Heads are shown line by line, exactly as sent; frames as one line each, or with every
//! byte; or messages by their content. It appends to a buffer, and keeps only incomplete data: it
//! prints the line of a frame at the frame's end, and until then keeps a limited beginning of the
//! message's content.

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

/// The settings of a transcript.
#[derive(Clone, Copy, Debug)]
pub struct HumanOptions {
    /// The direction marked `>`; the other one is marked `<`.
    pub sent: Direction,
    /// The columns of a frame's line, 30 to 1000; other values become the nearest of these.
    /// [`FULL_WIDTH`] cuts nothing up to 16 MiB.
    pub width: usize,
    /// Colours or none.
    pub palette: Palette,
    /// The view. [`View::Hex`] also shows warnings about the handshake. Another printer has the
    /// view of JSON; here it means the view of frames.
    pub view: View,
    /// Whether JSON is shown on several lines.
    pub pretty: Pretty,
    /// Which time is shown.
    pub timestamps: Timestamps,
    /// The time zone of the times of day.
    pub zone: Zone,
    /// Whether lines have the number of their connection, as in `< [2] …`.
    pub show_connection: bool,
    /// Whether a server also shows the handshake rules that were followed.
    pub all_rules: bool,
    /// Whether lines other than those of frames are broken between words, because a terminal shows
    /// them.
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

/// The state of one connection.
#[derive(Debug, Default)]
struct ConnectionPrinter {
    /// When it was opened, or else when its first event arrived, in microseconds since the epoch.
    opened: Option<i64>,
    to_server: HumanDirectionPrinter,
    to_client: HumanDirectionPrinter,
    /// The printers of frames that a relay made, once there are any.
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

    /// Prints the received parts of frames that will not be completed.
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
    /// A printer without state.
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

    /// Changes the width of future lines: see [`HumanOptions::width`].
    pub fn set_width(&mut self, columns: usize) {
        self.writer.width = in_bounds(columns);
    }

    /// Changes whether lines other than those of frames are broken: see [`HumanOptions::wraps`].
    pub fn set_wraps(&mut self, wraps: bool) {
        self.writer.wraps = wraps;
    }

    /// Changes the view. A frame or message that has begun is printed in the old view, so nothing
    /// is lost and nothing is printed twice.
    pub fn set_view(&mut self, view: View) {
        self.writer.mode.view = view;
    }

    /// Changes whether JSON is shown on several lines, from the next message on.
    pub fn set_pretty(&mut self, pretty: Pretty) {
        self.writer.mode.pretty = pretty;
    }

    /// Changes the timestamps of future lines.
    pub fn set_timestamps(&mut self, timestamps: Timestamps) {
        self.writer.clock.set_timestamps(timestamps);
    }

    /// Sets the filter for future frames; `None` shows all.
    ///
    /// A regex is matched against the first [`LOOKED_AT`](super::filter::LOOKED_AT) bytes of one
    /// line's content: of a whole message if messages are shown; otherwise of each frame, so each
    /// fragment of a message is decided separately. A hidden message is shown if a line of its
    /// meaning matches.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        self.writer.filter = filter;
    }

    /// The current view.
    pub fn view(&self) -> View {
        self.writer.mode.view
    }

    /// The current filter, if there is one.
    pub fn filter(&self) -> Option<&Filter> {
        self.writer.filter.as_ref()
    }

    /// Takes one event, and appends the lines that it completes, each with its `\n`.
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
            other => self.print_other(at, other, out),
        }
    }

    /// Takes an event that is not a frame's.
    #[inline(never)]
    fn print_other(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        let Self { writer, connections } = self;
        let connection = connections.of(at.conn);
        match event {
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
                // A note may explain an earlier violation, so the violation is printed first.
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

    /// Appends the meaning of the last message of its direction: a line for each packet and for
    /// each rule that it breaks. Heartbeats have no line; the next line begins with their number.
    pub fn print_meaning(&mut self, at: &Stamp, meaning: &Meaning, out: &mut Vec<u8>) {
        let printer = self.connections.of(at.conn).printer(meaning.direction);
        let lines = meaning::lines(meaning);
        let texts = lines.iter().map(meaning::MeaningLine::text);
        if printer.shows_meaning(meaning.number, texts, &self.writer, out) {
            let (direction, is_late) = (meaning.direction, meaning.is_late);
            meaning::print(&lines, at.conn, direction, is_late, &mut self.writer, out);
        }
    }

    /// Notes when a connection was opened, if its opening is not shown.
    pub fn opened(&mut self, at: &Stamp) {
        self.connections.of(at.conn).opened = Some(at.micros);
    }

    /// Appends the line of a remembered frame, and lines for the rules that it broke. Of long
    /// content, it shows the part around `shown`.
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

    /// Prints the received parts of incomplete frames, after the last event.
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
        // The Close may answer a violation in the other direction.
        connection.printer(direction.opposite()).flush_if_blamed(writer, out);
    }
    connection.printer(direction).take(at, direction, event, writer, out);
}

/// A line needs at least 30 columns; no terminal has more than 1000.
fn in_bounds(columns: usize) -> usize {
    if columns == FULL_WIDTH { columns } else { columns.clamp(30, 1000) }
}

/// The shown bytes of a body. Error pages of proxies have the important part earlier.
const SHOWN: u64 = 4096;

/// The state of a body.
#[derive(Debug, Default)]
struct Body {
    /// The beginning of an incomplete line.
    line: Vec<u8>,
    seen: u64,
    /// It is a page. Its text is shown when it is complete, because HTML is unreadable on a
    /// terminal.
    is_page: bool,
    /// It is compressed, so it is unreadable, too.
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

    /// Prints the last line, and how much was left out.
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
