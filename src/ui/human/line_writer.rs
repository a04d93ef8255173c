//! The common parts of all lines of a transcript: marks, colours, width, clock.

use crate::event::{ConnId, Direction};
use crate::ui::clock::LocalClock;
use crate::ui::excerpt::ExcerptRoom;
use crate::ui::filter::Filter;
use crate::ui::pretty::Pretty;
use crate::ui::style::{Ink, Palette};
use crate::ui::view::View;
use crate::ui::{number, sanitize, wrap};

/// The frame of the last written dump.
pub(super) type Dumping = (ConnId, Direction, u64);

/// The ink of a direction.
#[inline]
pub(super) fn ink(direction: Direction, sent: Direction) -> Ink {
    if direction == sent { Ink::Sent } else { Ink::Received }
}

/// How many bytes of a payload are shown if lines are not cut.
pub(super) const WHOLE: usize = 16 * 1024 * 1024;

/// How many bytes of payloads are kept for all incomplete lines together.
pub(super) const UNFINISHED: usize = 4 * WHOLE;

/// A screen of this width has room for the time of each frame. The rest of the line does not
/// matter, so that the columns do not change.
const TIMED: usize = 80;

/// A screen of this width has room for the time of a message.
const MESSAGE_TIMED: usize = 50;

/// How a frame or a message is shown, from its beginning to its end. If the settings change in
/// between, it is neither lost nor printed twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DisplayMode {
    pub(super) view: View,
    pub(super) pretty: Pretty,
    /// Nothing is cut.
    pub(super) whole: bool,
}

/// The appearance of lines, and the output of the transcript.
#[derive(Debug)]
pub(super) struct LineWriter {
    pub(super) sent: Direction,
    pub(super) width: usize,
    pub(super) palette: Palette,
    /// The mode for new frames and messages.
    pub(super) mode: DisplayMode,
    /// Which frames are shown.
    pub(super) filter: Option<Filter>,
    pub(super) clock: LocalClock,
    /// When the connection of the line was opened, in microseconds since the epoch.
    pub(super) opened: i64,
    pub(super) show_connection: bool,
    /// Whether handshake rules that were followed are shown, too.
    pub(super) all_rules: bool,
    /// Whether lines other than those of frames are broken between words.
    pub(super) wraps: bool,
    /// The number of digits of the largest frame number so far, so that columns stay aligned.
    pub(super) number_width: usize,
    /// The frame whose dump was written last, if a dump was the last output.
    pub(super) dumping: Option<Dumping>,
    /// The memory for incomplete lines.
    pub(super) excerpts: ExcerptRoom,
}

impl LineWriter {
    /// How many bytes of a payload can be useful on a line: at most four for each column, the size
    /// of the longest character, but always a whole control frame.
    #[inline]
    pub(super) fn preview_len(&self) -> usize {
        (self.width * 4).clamp(128, WHOLE)
    }

    /// Appends the mark of a line and, if there are several, the connection's number.
    #[inline]
    pub(super) fn mark(&mut self, ink: Ink, conn: ConnId, out: &mut Vec<u8>) {
        let mark = match ink {
            Ink::Sent => b'>',
            Ink::Received => b'<',
            Ink::Violation => b'!',
            _ => b'*',
        };
        self.mark_with(mark, conn, out);
    }

    /// Like [`Self::mark`], with another mark.
    #[inline]
    pub(super) fn mark_with(&mut self, mark: u8, conn: ConnId, out: &mut Vec<u8>) {
        self.dumping = None;
        out.push(mark);
        if self.show_connection {
            out.extend_from_slice(b" [");
            number::decimal(conn.0, out);
            out.push(b']');
        }
    }

    /// Appends the mark and the time of a line.
    pub(super) fn stamp(&mut self, ink: Ink, conn: ConnId, micros: i64, out: &mut Vec<u8>) {
        let palette = self.palette;
        palette.begin(ink, out);
        self.mark(ink, conn, out);
        self.time(micros, false, out);
        palette.end(out);
    }

    /// Appends the time of a line, which may be that of a message.
    #[inline]
    pub(super) fn time(&mut self, micros: i64, is_message: bool, out: &mut Vec<u8>) {
        let room = if is_message { MESSAGE_TIMED } else { TIMED };
        if self.width >= room || !self.clock.gives_way() {
            self.clock.write(micros, self.opened, out);
        }
    }

    /// Whether this is the transcript of a relay, which is neither end.
    pub(super) fn relays(&self) -> bool {
        self.show_connection && self.sent == Direction::ToServer
    }

    /// Appends a `*` line with `text` escaped.
    pub(super) fn info(&mut self, conn: ConnId, text: &str, out: &mut Vec<u8>) {
        self.line(Ink::Info, conn, text.as_bytes(), out);
    }

    /// Appends a `*` line. The text has colours, escapes and a line end.
    pub(super) fn painted_line(&mut self, conn: ConnId, text: &[u8], out: &mut Vec<u8>) {
        let (palette, start) = (self.palette, out.len());
        palette.begin(Ink::Info, out);
        self.mark(Ink::Info, conn, out);
        palette.end(out);
        out.extend_from_slice(text);
        self.fold(start, out);
    }

    /// Breaks the line that begins at `start` if the screen is too narrow for it.
    pub(super) fn fold(&self, start: usize, out: &mut Vec<u8>) {
        if self.wraps {
            wrap::fold_from(start, self.width, out);
        }
    }

    /// Appends a whole line with `text` escaped. A violation is coloured as a whole; in other
    /// lines, only the mark is coloured.
    pub(super) fn line(&mut self, ink: Ink, conn: ConnId, text: &[u8], out: &mut Vec<u8>) {
        let (palette, start) = (self.palette, out.len());
        palette.begin(ink, out);
        self.mark(ink, conn, out);
        let all = ink == Ink::Violation;
        if !all {
            palette.end(out);
        }
        if !text.is_empty() {
            out.push(b' ');
            sanitize::escape_into(text, out);
        }
        if all {
            palette.end(out);
        }
        out.push(b'\n');
        self.fold(start, out);
    }
}
