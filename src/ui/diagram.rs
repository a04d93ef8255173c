//! One frame as the bit diagram of RFC 6455 §5.2, with the value of each field under its name.
//!
//! It draws only the fields that the frame has. The diagram is 66 columns wide.

use super::number;
use crate::wire::frame::opcode_name;
use crate::wire::{Data, FrameHeader, OpCode, mask};

/// How many bytes of payload are drawn.
pub const PAYLOAD: usize = 16;
/// Bytes in a row, because the RFC draws 32 bits.
const ROW: usize = 4;

const RULER: &str = "  \
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
";

/// A field, or the part of a field in one row.
struct Cell {
    bits: usize,
    /// The name, from top to bottom.
    names: Vec<String>,
    /// The bits in the order of the wire, separated by blanks.
    digits: String,
    meaning: String,
}

/// The fields after the first two bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    Length,
    Key,
    Payload,
}

/// Draws a frame. `payload` is the beginning of its payload, unmasked.
pub fn draw(header: &FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    let shown = &payload[..payload.len().min(PAYLOAD)];
    let rows = rows(header, shown);
    out.extend_from_slice(RULER.as_bytes());
    let mut above: &[Cell] = &[];
    for row in &rows {
        border(above, row, out);
        let lines = row.iter().map(|cell| cell.names.len()).max().unwrap_or(0);
        for line in 0..lines {
            write_line(row, |cell| cell.names.get(line).map_or("", String::as_str), out);
        }
        write_line(row, |cell| &cell.digits, out);
        write_line(row, |cell| &cell.meaning, out);
        above = row;
    }
    border(above, &[], out);
    let rest = header.len.saturating_sub(shown.len() as u64);
    if rest > 0 {
        out.extend_from_slice(" and ".as_bytes());
        number::decimal(rest, out);
        out.extend_from_slice(" more bytes of payload\n".as_bytes());
    }
}

fn rows(header: &FrameHeader, payload: &[u8]) -> Vec<Vec<Cell>> {
    let mut wire = payload.to_vec();
    if let Some(key) = header.mask {
        mask::apply(key, 0, &mut wire);
    }
    let bytes = [&header.bytes()[..], &wire].concat();
    let length_end = 2 + header.form.extra_bytes();
    let region_of = |at: usize| {
        if at < length_end {
            (Region::Length, 2)
        } else if at < header.wire_len() {
            (Region::Key, length_end)
        } else {
            (Region::Payload, header.wire_len())
        }
    };

    let mut rows = Vec::new();
    for start in (0..bytes.len()).step_by(ROW) {
        let mut row = if start == 0 { first_cells(header) } else { Vec::new() };
        let end = bytes.len().min(start + ROW);
        let mut at = start.max(2);
        while at < end {
            let (region, region_start) = region_of(at);
            let len = (at..end).take_while(|at| region_of(*at).0 == region).count();
            let part = &bytes[at..at + len];
            let clear = match region {
                Region::Payload => &payload[at - region_start..][..len],
                _ => &[],
            };
            row.push(Cell {
                bits: len * 8,
                names: names(region, header, at == region_start, len),
                digits: part.iter().map(|byte| digits(*byte, 8)).collect::<Vec<_>>().join(" "),
                meaning: match region {
                    Region::Length if at + len == length_end => {
                        format!("{} = {}", hex(part), header.len)
                    }
                    Region::Length | Region::Key => hex(part),
                    Region::Payload if header.mask.is_some() => {
                        format!("{} → {}", hex(part), ascii(clear))
                    }
                    Region::Payload => format!("{} = {}", hex(part), ascii(clear)),
                },
            });
            at += len;
        }
        rows.push(row);
    }
    rows
}

/// The fields of the first two bytes.
fn first_cells(header: &FrameHeader) -> Vec<Cell> {
    let tall = |name: &str, set: bool| Cell {
        bits: 1,
        names: name.chars().map(String::from).collect(),
        digits: u8::from(set).to_string(),
        meaning: String::new(),
    };
    let opcode = header.opcode_bits();
    let len = header.bytes()[1] & 0x7f;
    vec![
        tall("FIN", header.fin),
        tall("RSV1", header.rsv1),
        tall("RSV2", header.rsv2),
        tall("RSV3", header.rsv3),
        Cell {
            bits: 4,
            names: vec!["opcode".into(), "(4)".into()],
            digits: digits(opcode, 4),
            meaning: match header.opcode {
                OpCode::Data(Data::Continue) => "cont",
                opcode => opcode_name(opcode).unwrap_or("rsvd"),
            }
            .to_owned(),
        },
        tall("MASK", header.mask.is_some()),
        Cell {
            bits: 7,
            names: vec!["Payload len".into(), "(7)".into()],
            digits: digits(len, 7),
            meaning: len.to_string(),
        },
    ]
}

/// The RFC's name of a field, as far as it fits into the cell; the first row also has its size.
fn names(region: Region, header: &FrameHeader, first: bool, len: usize) -> Vec<String> {
    let (name, continued, bits) = match region {
        Region::Length => {
            ("Extended payload length", "Payload length continued", header.form.bits())
        }
        Region::Key => ("Masking-key", "Masking-key (continued)", 32),
        Region::Payload => ("Payload Data", "Payload Data continued", 0),
    };
    if !first {
        let fits = continued.len() < len * 16;
        return vec![if fits { continued } else { name }.to_owned()];
    }
    let size = (bits > 0).then(|| format!("({bits})"));
    [name.to_owned()].into_iter().chain(size).collect()
}

/// The lowest `count` bits, beginning with the highest of them.
fn digits(byte: u8, count: usize) -> String {
    let bits: Vec<_> =
        (0..count).rev().map(|at| if byte >> at & 1 == 1 { "1" } else { "0" }).collect();
    bits.join(" ")
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    number::hex_spaced(bytes, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Bytes as ASCII in quotes; a dot stands for an unprintable byte.
fn ascii(bytes: &[u8]) -> String {
    let printable = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    format!("\"{}\"", bytes.iter().map(printable).collect::<String>())
}

/// A line between two rows, with a cross at each end of a cell.
fn border(above: &[Cell], below: &[Cell], out: &mut Vec<u8>) {
    let ends = |row: &[Cell]| {
        let mut at = 0;
        row.iter()
            .map(|cell| {
                at += cell.bits;
                at
            })
            .collect::<Vec<_>>()
    };
    let (above, below) = (ends(above), ends(below));
    let width = above.last().copied().unwrap_or(0).max(below.last().copied().unwrap_or(0));
    out.extend_from_slice(b" +");
    for bit in 1..=width {
        out.push(b'-');
        let cross = above.contains(&bit) || below.contains(&bit);
        out.push(if cross { b'+' } else { b'-' });
    }
    out.push(b'\n');
}

/// One line of a row, each cell's text centred.
fn write_line<'c>(row: &'c [Cell], text: impl Fn(&'c Cell) -> &'c str, out: &mut Vec<u8>) {
    out.extend_from_slice(b" |");
    for cell in row {
        let (text, width) = (text(cell), cell.bits * 2 - 1);
        let free = width.saturating_sub(text.chars().count());
        // As in the RFC, the odd space is on the left.
        number::spaces(free - free / 2, out);
        out.extend_from_slice(text.as_bytes());
        number::spaces(free / 2, out);
        out.push(b'|');
    }
    out.push(b'\n');
}
