//! Messages by their content: the line of a message in the view of messages, and JSON on several
//! lines.
//!
//! Of a message that is too long, it keeps only the beginning.

use super::dump::INDENT;
use super::line::LineColumns;
use super::line_writer::{DisplayMode, LineWriter};
use super::preview::{PayloadPreview, PreviewKind};
use crate::event::{ConnId, Direction};
use crate::ui::excerpt::Excerpt;
use crate::ui::number;
use crate::ui::pretty::{self, Pretty};
use crate::ui::style::Ink;
use crate::ui::view::View;
use crate::wire::OpCode;

/// How many lines of JSON are shown for one message.
const LINES_SHOWN: usize = 20;

/// The content of a message that is arriving.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The beginning of its line; `None` between two messages.
    heading: Option<Heading>,
    mode: DisplayMode,
    text: bool,
    kept: Excerpt,
    total: u64,
}

/// The beginning of a message's line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub(super) conn: ConnId,
    pub(super) direction: Direction,
    /// Text or binary.
    pub(super) opcode: OpCode,
    /// Microseconds since the epoch.
    pub(super) at: i64,
}

impl Content {
    /// Begins a message that will be shown in this mode.
    pub(super) fn begin(&mut self, heading: Heading, text: bool, mode: DisplayMode) {
        self.clear();
        self.heading = Some(heading);
        (self.text, self.mode) = (text, mode);
    }

    /// Takes the next piece.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], at: i64, writer: &LineWriter) {
        let Some(heading) = &mut self.heading else { return };
        heading.at = at;
        self.total += bytes.len() as u64;
        let most = self.room(writer);
        self.kept.push(bytes, most, &writer.excerpts);
    }

    /// Prints the message in one line that ends with a remark, or in several lines if it is JSON
    /// that does not fit. An incomplete message has one line.
    pub(super) fn print(
        &mut self,
        complete: bool,
        remark: &str,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        let Some(Heading { conn, direction, opcode, at }) = self.heading else { return };
        let (frame, inflated, dim, found) = (None, None, false, None);
        let columns = LineColumns {
            conn,
            direction,
            at,
            opcode,
            frame,
            len: self.total,
            inflated,
            dim,
            found,
        };
        let kind = if self.text { PreviewKind::Text } else { PreviewKind::Bytes };
        let preview = PayloadPreview {
            kind,
            start: &self.kept,
            total: self.total,
            shown: 0..0,
            round_trip: None,
        };
        if !complete {
            columns.write(&preview, remark, writer, out);
            return;
        }
        let start = out.len();
        let fits = columns.write(&preview, remark, writer, out);
        if self.may_be_pretty() && (!fits || self.mode.pretty == Pretty::Always) {
            let end = out.len();
            columns.write_header(writer, out);
            out.pop();
            out.push(b' ');
            match self.write_pretty(writer, out) {
                true => drop(out.drain(start..end)),
                false => out.truncate(end),
            }
        }
    }

    /// Prints the message below the line of its last frame, if it is JSON and the user wants that.
    pub(super) fn print_below(&mut self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if !self.may_be_pretty() {
            return;
        }
        let start = out.len();
        number::spaces(INDENT, out);
        if !self.write_pretty(writer, out) {
            out.truncate(start);
        }
    }

    /// How many bytes can be useful.
    fn room(&self, writer: &LineWriter) -> usize {
        match self.mode {
            _ if self.may_be_pretty() => pretty::MAX_LEN.max(writer.preview_len()),
            DisplayMode { view: View::Messages, .. } => writer.preview_len(),
            _ => 0,
        }
    }

    fn may_be_pretty(&self) -> bool {
        let wanted = match self.mode {
            DisplayMode { view: View::Messages, pretty, .. } => pretty != Pretty::Never,
            DisplayMode { view: View::Frames | View::Json, pretty, .. } => pretty == Pretty::Always,
            DisplayMode { view: View::Hex, .. } => false,
        };
        wanted && self.text && self.total <= pretty::MAX_LEN as u64
    }

    /// Writes JSON in lines: the first lines, and the number of the other lines. Writes nothing if
    /// it is not JSON.
    fn write_pretty(&self, writer: &LineWriter, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        // A value without brackets has only one line.
        let brackets = self.kept.trim_ascii_start().starts_with(b"[")
            || self.kept.trim_ascii_start().starts_with(b"{");
        let width = if self.mode.whole { usize::MAX } else { writer.width };
        if !brackets || pretty::append(&self.kept, INDENT, width, writer.palette, out).is_none() {
            return false;
        }
        out.push(b'\n');
        let mut ends = memchr::memchr_iter(b'\n', &out[start..]);
        if !self.mode.whole
            && let Some(end) = ends.nth(LINES_SHOWN - 1)
        {
            let left = ends.count() as u64;
            // One more line takes no more room than the line with the number.
            if left > 1 {
                out.truncate(start + end + 1);
                number::spaces(INDENT, out);
                writer.palette.begin(Ink::Dim, out);
                out.extend_from_slice("… +".as_bytes());
                out.extend_from_slice(number::counted(left, "line").as_bytes());
                writer.palette.end(out);
                out.push(b'\n');
            }
        }
        true
    }

    /// Whether a message has begun and has not been printed.
    pub(super) fn is_open(&self) -> bool {
        self.heading.is_some()
    }

    /// Drops the message.
    pub(super) fn clear(&mut self) {
        self.heading = None;
        self.total = 0;
        self.kept.clear();
    }
}
