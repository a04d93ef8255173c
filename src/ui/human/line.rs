//! The line of a frame or of a message: mark, time, number, opcode, bits, length, then the payload.
//! `docs/transcript.md` is its legend.
//!
//! The whole line is written without `core::fmt`, because a million frames per second pass through
//! this code.

use super::line_writer::{LineWriter, ink};
use super::preview::PayloadPreview;
use crate::event::{ConnId, Direction};
use crate::ui::number;
use crate::ui::style::Ink;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode};

/// Columns of most opcodes and the space after them.
const OPCODE: usize = 5;

/// A screen of this width has room for the mask keys.
const WIDE: usize = 160;

/// The part of a line before the payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineColumns<'f> {
    pub(super) conn: ConnId,
    pub(super) direction: Direction,
    /// Microseconds since the epoch.
    pub(super) at: i64,
    pub(super) opcode: OpCode,
    /// The number and the header of a frame; a message has neither.
    pub(super) frame: Option<(u64, &'f FrameHeader)>,
    /// The length on the wire.
    pub(super) len: u64,
    /// The length after decompression.
    pub(super) inflated: Option<u64>,
    /// Whether the line is less important than others.
    pub(super) dim: bool,
    /// The numbers of the first and the last frame, if the user searched for them: then they are
    /// never left out.
    pub(super) found: Option<(u64, u64)>,
}

/// Which columns the line has.
#[derive(Clone, Copy, Debug)]
struct LineForm {
    key: bool,
    number: bool,
    inflated: bool,
}

/// The columns that are left out to make room for the payload, in this order.
const FORMS: [LineForm; 4] = [
    LineForm { key: true, ..ALL },
    ALL,
    LineForm { inflated: false, ..ALL },
    LineForm { inflated: false, number: false, ..ALL },
];

/// All columns of an ordinary screen.
const ALL: LineForm = LineForm { key: false, number: true, inflated: true };

/// The columns for a payload that does not fit as a whole.
pub(super) fn payload_columns(width: usize) -> usize {
    if width < 100 { width / 3 + 10 } else { width / 5 * 3 }
}

impl LineColumns<'_> {
    /// Appends the line: as much of the payload as fits, then a remark. Returns whether all of the
    /// payload is shown.
    pub(super) fn write(
        &self,
        preview: &PayloadPreview<'_>,
        remark: &str,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        let remark_columns = if remark.is_empty() { 0 } else { remark.len() + 1 };
        let wanted = |width| payload_columns(width) + preview.mark_columns();
        // If nothing is cut, the line is for reading and searching, so only `-vv` shows the key.
        let wide = writer.width >= WIDE && !writer.mode.whole;
        let forms = if wide { &FORMS } else { &FORMS[1..] };
        let mut forms = forms.iter();
        loop {
            let form = forms.next().unwrap_or(&FORMS[FORMS.len() - 1]);
            let mut line = self.begin(*form, writer, out);
            let room = writer.width.saturating_sub(line.column(out) + 1 + remark_columns);
            out.push(b' ');
            let payload_at = out.len();
            let complete = preview.write(room, out);
            if !complete && room < wanted(writer.width) && forms.len() > 0 {
                out.truncate(start);
                continue;
            }
            if out.len() == payload_at {
                out.pop();
            }
            if !remark.is_empty() {
                out.push(b' ');
                out.extend_from_slice(remark.as_bytes());
            }
            line.end(writer, out);
            return complete;
        }
    }

    /// Appends the line without a payload, and with the mask key.
    pub(super) fn write_header(&self, writer: &mut LineWriter, out: &mut Vec<u8>) {
        self.begin(FORMS[0], writer, out).end(writer, out);
    }

    fn begin(&self, form: LineForm, writer: &mut LineWriter, out: &mut Vec<u8>) -> LineBuilder {
        let ink = if self.dim { Ink::Dim } else { ink(self.direction, writer.sent) };
        writer.palette.begin(ink, out);
        let mut line = LineBuilder { zero: out.len(), painted: true };
        writer.mark_with(if self.direction == writer.sent { b'>' } else { b'<' }, self.conn, out);
        // Control frames between messages are dim.
        writer.time(self.at, self.frame.is_none() && !self.dim, out);
        let number = self.frame.map(|(number, _)| (number, number)).filter(|_| form.number);
        if let Some((first, last)) = number.or(self.found) {
            out.extend_from_slice(b" #");
            let number_at = out.len();
            number::decimal(first, out);
            let digits = out.len() - number_at;
            writer.number_width = writer.number_width.max(digits);
            if last > first {
                out.push(b'-');
                number::decimal(last, out);
            }
            number::spaces(writer.number_width - digits, out);
        }
        out.push(b' ');
        let opcode_at = out.len();
        opcode(self.opcode, out);
        let used = out.len() - opcode_at;
        if !self.dim {
            line.end_paint(writer, out);
        }
        number::spaces(OPCODE.saturating_sub(used).max(1), out);
        if let Some((_, header)) = self.frame {
            bits(header, out);
            if let (Some(key), true) = (header.mask, form.key) {
                out.push(b' ');
                number::hex(&key, out);
            }
            out.push(b' ');
        }
        number::decimal(self.len, out);
        if let (Some(inflated), true) = (self.inflated, form.inflated) {
            const ARROW: &str = "→";
            out.extend_from_slice(ARROW.as_bytes());
            line.zero += ARROW.len() - 1;
            number::decimal(inflated, out);
        }
        if let Some((_, header)) = self.frame
            && header.form != LengthForm::minimal(header.len)
        {
            out.extend_from_slice(b" (");
            number::decimal(header.form.bits().into(), out);
            out.extend_from_slice(b"-bit)");
        }
        line
    }
}

/// A line that is being written. It counts columns, although some bytes take none.
#[derive(Debug)]
struct LineBuilder {
    /// The length of the output at column 0, plus the bytes since then that take no column.
    zero: usize,
    /// Whether its colour is still on.
    painted: bool,
}

impl LineBuilder {
    fn column(&self, out: &[u8]) -> usize {
        out.len() - self.zero
    }

    fn end_paint(&mut self, writer: &LineWriter, out: &mut Vec<u8>) {
        let before = out.len();
        writer.palette.end(out);
        self.zero += out.len() - before;
        self.painted = false;
    }

    fn end(&mut self, writer: &LineWriter, out: &mut Vec<u8>) {
        if self.painted {
            self.end_paint(writer, out);
        }
        out.push(b'\n');
    }
}

/// For example `F1M`: FIN, the RSV bits that are set, whether it is masked.
fn bits(header: &FrameHeader, out: &mut Vec<u8>) {
    out.push(if header.fin { b'F' } else { b'-' });
    let before = out.len();
    for (set, digit) in [(header.rsv1, b'1'), (header.rsv2, b'2'), (header.rsv3, b'3')] {
        if set {
            out.push(digit);
        }
    }
    if out.len() == before {
        out.push(b'-');
    }
    out.push(if header.mask.is_some() { b'M' } else { b'-' });
}

fn opcode(opcode: OpCode, out: &mut Vec<u8>) {
    let name: &[u8] = match opcode {
        OpCode::Data(Data::Continue) => b"CONT",
        OpCode::Data(Data::Text) => b"TEXT",
        OpCode::Data(Data::Binary) => b"BIN",
        OpCode::Control(Control::Close) => b"CLOSE",
        OpCode::Control(Control::Ping) => b"PING",
        OpCode::Control(Control::Pong) => b"PONG",
        OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
            out.extend_from_slice(b"op ");
            return number::decimal(u8::from(opcode).into(), out);
        }
    };
    out.extend_from_slice(name);
}
