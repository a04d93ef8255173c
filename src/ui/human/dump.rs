//! Every byte of a frame, below its line: the header, the payload as rows, then the facts that are
//! known only at its end.

use super::frame::HumanFrame;
use super::line_writer::LineWriter;
use super::preview::{self, PreviewKind};
use crate::ui::hexdump::Rows;
use crate::ui::number;

/// How many spaces precede each line of a dump.
pub(super) const INDENT: usize = 4;

/// Appends the line with the header's own bytes.
pub(super) fn header(frame: &HumanFrame, writer: &mut LineWriter, out: &mut Vec<u8>) {
    number::spaces(INDENT, out);
    out.extend_from_slice(b"header at byte ");
    number::decimal(frame.header.offset, out);
    out.extend_from_slice(b": ");
    number::hex_spaced(&frame.header.bytes(), out);
    out.push(b'\n');
    writer.dumping = Some((frame.conn, frame.direction, frame.number));
}

/// Prints to which frame the next rows belong, if other lines were written since the last rows.
pub(super) fn go_on(frame: &HumanFrame, writer: &mut LineWriter, out: &mut Vec<u8>) {
    let this = Some((frame.conn, frame.direction, frame.number));
    if writer.dumping == this {
        return;
    }
    let ink = super::line_writer::ink(frame.direction, writer.sent);
    let text = format!("#{} continues", frame.number);
    writer.line(ink, frame.conn, text.as_bytes(), out);
    writer.dumping = this;
}

/// Appends the last row, and a line with the new facts: the content of a compressed frame, the
/// meaning of a Close, a round trip, or `rest`.
pub(super) fn end(
    frame: &HumanFrame,
    rows: &mut Rows,
    start: &[u8],
    rest: String,
    writer: &mut LineWriter,
    out: &mut Vec<u8>,
) {
    let close = frame.kind == PreviewKind::Close;
    let news = frame.is_compressed() || close || frame.round_trip.is_some() || !rest.is_empty();
    if frame.wire > 0 || news {
        go_on(frame, writer, out);
    }
    rows.finish(INDENT, out);
    if !news {
        return;
    }
    let line_start = out.len();
    number::spaces(INDENT, out);
    if frame.is_compressed() {
        out.extend_from_slice(b"inflated to ");
        number::decimal(frame.content, out);
        out.extend_from_slice(b" bytes ");
    }
    if frame.is_compressed() && frame.content > 0 || close {
        let used = out.len() - line_start + rest.len() + 1;
        frame.preview(start).write(writer.width.saturating_sub(used), out);
        out.push(b' ');
    }
    if let Some(time) = frame.round_trip {
        out.extend_from_slice(preview::round_trip(time).as_bytes());
        out.push(b' ');
    }
    out.extend_from_slice(rest.as_bytes());
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}
