//! The fixed columns of a frame's line: mark, time, number, opcode, bits, length, mask.
//!
//! Written by hand from end to end: this is what a million frames a second go through.

use super::frame::HumanFrame;
use super::line_writer::{LineWriter, ink};
use super::preview::MIN_ROOM;
use crate::ui::number;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode};

/// Columns from the opcode to the FIN bit.
const FIN: usize = 6;
/// Columns from the opcode to the length.
const LEN: usize = 15;
/// Columns from the opcode to the mask.
const MASK: usize = 26;
/// Columns from the opcode to the preview.
const PREVIEW: usize = 41;

/// A line being written: knows its column although some bytes take none.
#[derive(Debug)]
pub(super) struct LineBuilder {
    /// Length of the output at column 0, plus the bytes since then that take no column.
    zero: usize,
    /// The column of the opcode.
    base: usize,
}

impl LineBuilder {
    /// Appends all columns up to the preview. `inflated` is the length after decompression.
    pub(super) fn begin(
        frame: &HumanFrame,
        inflated: Option<u64>,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) -> Self {
        let ink = ink(frame.direction, writer.sent);
        let header = &frame.header;
        let mut line = Self { zero: out.len() + writer.palette.invisible(ink), base: 0 };

        writer.palette.begin(ink, out);
        writer.mark(ink, frame.conn, out);
        writer.clock.write(frame.at, writer.opened, out);
        out.extend_from_slice(b" #");
        let digits = number::decimal_len(frame.number);
        writer.number_width = writer.number_width.max(digits);
        number::decimal(frame.number, out);
        number::spaces(writer.number_width - digits + 1, out);
        let opcode_at = out.len();
        opcode(header, out);
        let name_len = out.len() - opcode_at;
        writer.palette.end(out);
        line.base = line.column(out) - name_len;

        line.pad_to(FIN, out);
        out.extend_from_slice(if header.fin { b"fin" } else { b"   " });
        for (set, name) in
            [(header.rsv1, b" rsv1"), (header.rsv2, b" rsv2"), (header.rsv3, b" rsv3")]
        {
            if set {
                out.extend_from_slice(name);
            }
        }
        line.pad_to(LEN, out);
        line.length(header, inflated, out);
        line.pad_to(MASK, out);
        match header.mask {
            Some(key) => {
                out.extend_from_slice(b"mask ");
                number::hex(&key, out);
            }
            None => out.extend_from_slice(b"unmasked"),
        }
        line.pad_to(PREVIEW, out);
        line
    }

    /// Columns left for the preview, which gets a few even if the line then is too wide.
    pub(super) fn room(&self, width: usize, out: &[u8]) -> usize {
        width.saturating_sub(self.column(out)).max(MIN_ROOM)
    }

    /// Ends the line with further remarks, and without blanks at its end.
    pub(super) fn finish(self, rest: &[u8], out: &mut Vec<u8>) {
        if !rest.is_empty() {
            if out.last() != Some(&b' ') {
                out.push(b' ');
            }
            out.extend_from_slice(rest);
        }
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
    }

    fn column(&self, out: &[u8]) -> usize {
        out.len() - self.zero
    }

    /// Goes to a column counted from the opcode, one space further at least.
    #[inline]
    fn pad_to(&self, column: usize, out: &mut Vec<u8>) {
        let n = (self.base + column).saturating_sub(self.column(out));
        number::spaces(n.max(1), out);
    }

    fn length(&mut self, header: &FrameHeader, inflated: Option<u64>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"len ");
        number::decimal(header.len, out);
        if let Some(inflated) = inflated {
            const ARROW: &str = "→";
            out.extend_from_slice(ARROW.as_bytes());
            self.zero += ARROW.len() - 1;
            number::decimal(inflated, out);
        }
        if header.form != LengthForm::minimal(header.len) {
            out.extend_from_slice(b" (");
            number::decimal(header.form.bits().into(), out);
            out.extend_from_slice(b"-bit)");
        }
    }
}

fn opcode(header: &FrameHeader, out: &mut Vec<u8>) {
    let name: &[u8] = match header.opcode {
        OpCode::Data(Data::Continue) => b"CONT",
        OpCode::Data(Data::Text) => b"TEXT",
        OpCode::Data(Data::Binary) => b"BINARY",
        OpCode::Control(Control::Close) => b"CLOSE",
        OpCode::Control(Control::Ping) => b"PING",
        OpCode::Control(Control::Pong) => b"PONG",
        OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
            out.extend_from_slice(b"op ");
            return number::decimal(header.opcode_bits().into(), out);
        }
    };
    out.extend_from_slice(name);
}
