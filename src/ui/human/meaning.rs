//! The lines of what a message means.

use super::line_writer::{LineWriter, ink};
use crate::event::ConnId;
use crate::lens::Decoded;
use crate::ui::meaning::Meaning;
use crate::ui::style::Ink;
use crate::ui::{number, sanitize};

/// Packets of one message that have lines.
const SHOWN: usize = 20;

/// Appends them.
pub(super) fn print(conn: ConnId, meaning: &Meaning, writer: &mut LineWriter, out: &mut Vec<u8>) {
    let shown = meaning.packets.iter().filter(|packet| !packet.heartbeat || is_odd(packet));
    for packet in shown.clone().take(SHOWN) {
        if packet.beats_before > 0 {
            let beats = number::counted(packet.beats_before, "heartbeat");
            line(conn, meaning, &format!("({beats})"), writer, out);
        }
        line(conn, meaning, &text(packet), writer, out);
        complaints(conn, packet, writer, out);
    }
    let left = shown.skip(SHOWN).count();
    if left > 0 {
        let left = number::counted(left as u64, "packet");
        line(conn, meaning, &format!("… +{left}"), writer, out);
    }
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

fn line(conn: ConnId, meaning: &Meaning, text: &str, writer: &mut LineWriter, out: &mut Vec<u8>) {
    let (palette, ink) = (writer.palette, ink(meaning.direction, writer.sent));
    palette.begin(ink, out);
    writer.mark_with(b'=', conn, out);
    if meaning.is_late {
        let sent = meaning.direction == writer.sent;
        out.extend_from_slice(if sent { b" >" } else { b" <" });
    }
    palette.end(out);
    out.push(b' ');
    sanitize::escape_into(text.as_bytes(), out);
    out.push(b'\n');
}

fn complaints(conn: ConnId, packet: &Decoded, writer: &mut LineWriter, out: &mut Vec<u8>) {
    for complaint in &packet.complaints {
        let text = format!("{}: {}", complaint.rule, complaint.text);
        writer.line(Ink::Violation, conn, text.as_bytes(), out);
    }
    packet.inner.iter().for_each(|inner| complaints(conn, inner, writer, out));
}
