//! The lines with the meaning of a message.

use super::line_writer::{LineWriter, ink};
use crate::event::{ConnId, Direction};
use crate::lens::Decoded;
use crate::ui::meaning::Meaning;
use crate::ui::style::Ink;
use crate::ui::{number, sanitize};

/// How many packets of a message get a line.
const SHOWN: usize = 20;

/// A line about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MeaningLine {
    /// A line of its meaning.
    Says(String),
    /// A rule of the inner protocol that it breaks.
    Breaks(String),
}

impl MeaningLine {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Says(text) | Self::Breaks(text) => text,
        }
    }
}

/// The lines of a message.
pub(super) fn lines(meaning: &Meaning) -> Vec<MeaningLine> {
    let mut lines = Vec::new();
    let shown = meaning.packets.iter().filter(|packet| !packet.heartbeat || is_odd(packet));
    for packet in shown.clone().take(SHOWN) {
        if packet.beats_before > 0 {
            let beats = number::counted(packet.beats_before, "heartbeat");
            lines.push(MeaningLine::Says(format!("({beats})")));
        }
        lines.push(MeaningLine::Says(text(packet)));
        complaints(packet, &mut lines);
    }
    let left = shown.skip(SHOWN).count();
    if left > 0 {
        let left = number::counted(left as u64, "packet");
        lines.push(MeaningLine::Says(format!("… +{left}")));
    }
    lines
}

fn text(packet: &Decoded) -> String {
    match packet.inflated {
        Some(how) => format!("{} ({how})", packet.line()),
        None => packet.line(),
    }
}

fn is_odd(packet: &Decoded) -> bool {
    !packet.complaints.is_empty() || packet.inner.iter().any(is_odd)
}

fn complaints(packet: &Decoded, lines: &mut Vec<MeaningLine>) {
    for complaint in &packet.complaints {
        lines.push(MeaningLine::Breaks(format!("{}: {}", complaint.rule, complaint.text)));
    }
    packet.inner.iter().for_each(|inner| complaints(inner, lines));
}

/// Appends lines about a message. `marked`: with the mark of its sender, if the line above does not
/// show it.
pub(super) fn print(
    lines: &[MeaningLine],
    conn: ConnId,
    direction: Direction,
    marked: bool,
    writer: &mut LineWriter,
    out: &mut Vec<u8>,
) {
    for line in lines {
        let text = match line {
            MeaningLine::Says(text) => text,
            MeaningLine::Breaks(text) => {
                writer.line(Ink::Violation, conn, text.as_bytes(), out);
                continue;
            }
        };
        let (palette, ink, start) = (writer.palette, ink(direction, writer.sent), out.len());
        palette.begin(ink, out);
        writer.mark_with(b'=', conn, out);
        if marked {
            out.extend_from_slice(if direction == writer.sent { b" >" } else { b" <" });
        }
        palette.end(out);
        out.push(b' ');
        sanitize::escape_into(text.as_bytes(), out);
        out.push(b'\n');
        writer.fold(start, out);
    }
}
