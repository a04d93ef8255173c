//! The body of a refused handshake: the beginning, line by line.

use super::line_writer::LineWriter;
use crate::event::{ConnId, Direction};
use crate::ui::sanitize;

/// Bytes that are shown. Error pages of proxies say what matters long before.
const SHOWN: u64 = 4096;

/// What is known of a body.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The beginning of a line whose end is still to come.
    line: Vec<u8>,
    seen: u64,
}

impl Body {
    /// Takes the next piece.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        conn: ConnId,
        writer: &mut LineWriter,
        out: &mut Vec<u8>,
    ) {
        let room = SHOWN.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        self.seen += bytes.len() as u64;
        for line in bytes[..room].split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(line);
            if line.ends_with(b"\n") {
                self.end_line(conn, writer, out);
            }
        }
    }

    /// Tells the last line and how much was left out.
    pub(super) fn finish(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        if !self.line.is_empty() {
            self.end_line(conn, writer, out);
        }
        let seen = std::mem::take(&mut self.seen);
        if seen > SHOWN {
            let text = format!("the body has {seen} bytes, the first {SHOWN} are shown");
            writer.info(conn, &text, out);
        }
    }

    fn end_line(&mut self, conn: ConnId, writer: &mut LineWriter, out: &mut Vec<u8>) {
        let ink = super::ink(Direction::ToClient, writer.sent);
        for line in sanitize::lines(&self.line) {
            writer.line(ink, conn, line, out);
        }
        self.line.clear();
    }
}
