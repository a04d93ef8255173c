//! Messages by their content: what the view of messages shows, and JSON below a frame's line.
//!
//! Of a message too long to be shown only the beginning is kept.

use super::dump::INDENT;
use super::line_writer::{DisplayMode, LineWriter};
use crate::event::{ConnId, Direction};
use crate::ui::hexdump::{self, ROW};
use crate::ui::pretty::{self, Pretty};
use crate::ui::view::View;
use crate::ui::{number, sanitize};

/// Bytes that are shown of a text, unless it is JSON on several lines.
const TEXT_SHOWN: usize = 4096;

/// Columns before the content: the mark, the time, spaces.
const COLUMN: usize = 16;

/// Bytes that are shown of a binary message.
const BINARY_SHOWN: usize = 16 * ROW;

/// A buffer that grew beyond this is given back after use.
const KEPT: usize = 64 * 1024;

/// The content of a message that is coming in.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Begins its first line; `None` between two messages.
    heading: Option<Heading>,
    mode: DisplayMode,
    text: bool,
    kept: Vec<u8>,
    total: u64,
}

/// What the first line of a message begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub(super) conn: ConnId,
    pub(super) direction: Direction,
    /// Microseconds since the epoch.
    pub(super) at: i64,
}

impl Content {
    /// Begins with a message that will be shown in this mode.
    pub(super) fn begin(&mut self, heading: Heading, text: bool, mode: DisplayMode) {
        self.clear();
        self.heading = Some(heading);
        (self.text, self.mode) = (text, mode);
    }

    /// Takes the next piece.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], at: i64) {
        if let Some(heading) = &mut self.heading {
            heading.at = at;
        }
        self.total += bytes.len() as u64;
        let room = self.room().saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Shows the message in lines of its own. One whose end will not come is marked.
    pub(super) fn print(&mut self, complete: bool, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let Some(heading) = self.heading else { return };
        writer.stamp(
            super::line_writer::ink(heading.direction, writer.sent),
            heading.conn,
            heading.at,
            out,
        );
        out.push(b' ');
        let room = match self.mode.pretty {
            Pretty::Always => 0,
            Pretty::Auto | Pretty::Never => writer.width.saturating_sub(COLUMN),
        };
        if !(complete && self.write_pretty(writer, room, out)) {
            let shown = if self.text { self.write_text(out) } else { self.write_binary(out) };
            let total = number::grouped(self.total);
            let mut rest = String::new();
            if self.total > shown as u64 {
                rest += &format!(" … {total} bytes in all");
            }
            if !complete {
                rest += &format!(" (incomplete: {total} bytes came)");
            }
            if !rest.is_empty() && out.ends_with(b"\n") {
                number::spaces(INDENT - 1, out);
            }
            out.extend_from_slice(rest.as_bytes());
        }
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
    }

    /// Shows the message below the line of its last frame, if it is JSON and that is wanted.
    pub(super) fn print_below(&mut self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let start = out.len();
        number::spaces(INDENT, out);
        match self.write_pretty(writer, 0, out) {
            true => out.push(b'\n'),
            false => out.truncate(start),
        }
    }

    /// How many bytes can be of use.
    fn room(&self) -> usize {
        match self.mode {
            _ if self.may_be_pretty() => pretty::MAX_LEN,
            DisplayMode { view: View::Messages, .. } if self.text => TEXT_SHOWN,
            DisplayMode { view: View::Messages, .. } => BINARY_SHOWN,
            _ => 0,
        }
    }

    fn may_be_pretty(&self) -> bool {
        let wanted = match self.mode {
            DisplayMode { view: View::Messages, pretty } => pretty != Pretty::Never,
            DisplayMode { view: View::Frames | View::Json, pretty } => pretty == Pretty::Always,
            DisplayMode { view: View::Hex, .. } => false,
        };
        wanted && self.text && self.total <= pretty::MAX_LEN as u64
    }

    /// Writes JSON, in one line if that fits into `columns`.
    fn write_pretty(&self, writer: &LineWriter, columns: usize, out: &mut Vec<u8>) -> bool {
        let mut append =
            || pretty::append_fitting(&self.kept, columns, INDENT, writer.palette, out);
        self.may_be_pretty() && append().is_some()
    }

    /// Writes the beginning of a text; returns how many bytes of it. Line ends are line ends
    /// here, but for the last one: it would not be seen.
    fn write_text(&self, out: &mut Vec<u8>) -> usize {
        if self.kept.is_empty() {
            out.extend_from_slice(b"(empty)");
        }
        let mut shown = &self.kept[..self.kept.len().min(TEXT_SHOWN)];
        if self.total > shown.len() as u64 {
            shown = sanitize::whole_characters(shown);
        }
        let body = shown.strip_suffix(b"\n").unwrap_or(shown);
        for (at, line) in body.split(|&byte| byte == b'\n').enumerate() {
            if at > 0 {
                out.push(b'\n');
                number::spaces(if line.is_empty() { 0 } else { INDENT }, out);
            }
            sanitize::escape_into(line, out);
        }
        sanitize::escape_into(&shown[body.len()..], out);
        shown.len()
    }

    /// Writes the beginning of a binary message as rows; returns how many bytes of it.
    fn write_binary(&self, out: &mut Vec<u8>) -> usize {
        let plural = if self.total == 1 { "" } else { "s" };
        let text = format!("binary, {} byte{plural}\n", number::grouped(self.total));
        out.extend_from_slice(text.as_bytes());
        let shown = &self.kept[..self.kept.len().min(BINARY_SHOWN)];
        hexdump::dump(shown, 0, INDENT, out);
        shown.len()
    }

    /// Whether a message has begun and is not printed.
    pub(super) fn is_open(&self) -> bool {
        self.heading.is_some()
    }

    /// Forgets the message.
    pub(super) fn clear(&mut self) {
        self.heading = None;
        self.total = 0;
        self.kept.clear();
        if self.kept.capacity() > KEPT {
            self.kept = Vec::new();
        }
    }
}
