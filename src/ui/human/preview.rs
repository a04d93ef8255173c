//! What a frame or a message holds, in the columns that are left on its line.
//!
//! What is cut ends in `… +277 B`: so many bytes of it are not shown.

use std::time::Duration;

use crate::ui::sanitize::{cut_mark, cut_mark_columns, fit_into};
use crate::ui::{clock, number};
use crate::wire::close;

/// How a payload is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreviewKind {
    /// As text.
    Text,
    /// In hexadecimal.
    Bytes,
    /// As a close code by name, and a reason.
    Close,
    /// As text, with the round trip if there is one.
    Note,
}

/// A payload that is to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayloadPreview<'a> {
    pub(super) kind: PreviewKind,
    /// The beginning of it.
    pub(super) start: &'a [u8],
    /// Bytes of all of it.
    pub(super) total: u64,
    /// Bytes before `start` that are not shown.
    pub(super) skipped: u64,
    pub(super) round_trip: Option<Duration>,
}

impl PayloadPreview<'_> {
    /// Columns of the marks that say how much is missing, before and after.
    pub(super) fn mark_columns(&self) -> usize {
        let before = if self.skipped > 0 { cut_mark_columns(self.skipped) } else { 0 };
        before + cut_mark_columns(self.total)
    }

    /// Appends what fits into `room` columns; returns whether that is all of it.
    pub(super) fn write(&self, room: usize, out: &mut Vec<u8>) -> bool {
        let Self { kind, start, total, skipped, round_trip } = *self;
        if skipped > 0 {
            let rest = Self { total: total - skipped, skipped: 0, ..*self };
            let before = format!("+{skipped} B …");
            out.extend_from_slice(before.as_bytes());
            rest.write(room.saturating_sub(before.chars().count()), out);
            return false;
        }
        match kind {
            PreviewKind::Text => fit_into(start, total, room, out),
            PreviewKind::Bytes => bytes(start, total, room, out),
            PreviewKind::Close => close(start, total, room, out),
            PreviewKind::Note => {
                let time = round_trip.map(self::round_trip).unwrap_or_default();
                let space = if time.is_empty() || start.is_empty() { "" } else { " " };
                let room = room.saturating_sub(time.len() + space.len());
                let complete = fit_into(start, total, room, out);
                out.extend_from_slice(space.as_bytes());
                out.extend_from_slice(time.as_bytes());
                complete
            }
        }
    }
}

/// Appends the first of `total` bytes in hexadecimal; returns whether these are all.
fn bytes(start: &[u8], total: u64, room: usize, out: &mut Vec<u8>) -> bool {
    if start.len() as u64 == total && start.len() * 3 <= room + 1 {
        number::hex_spaced(start, out);
        return true;
    }
    let fitting = (room.saturating_sub(cut_mark_columns(total)) / 3).min(start.len());
    number::hex_spaced(&start[..fitting], out);
    if fitting > 0 {
        out.push(b' ');
    }
    cut_mark(total - fitting as u64, room, out);
    false
}

/// Appends the first bytes of a stream of which the end is not known.
pub(super) fn first_bytes(start: &[u8], room: usize, out: &mut Vec<u8>) {
    if start.len() * 3 <= room + 1 {
        return number::hex_spaced(start, out);
    }
    number::hex_spaced(&start[..room.saturating_sub(1) / 3], out);
    out.extend_from_slice(" …".as_bytes());
}

/// As in `(rtt 0.123 ms)`.
pub(super) fn round_trip(time: Duration) -> String {
    format!("(rtt {})", clock::millis(time))
}

/// As in `1001 going away "restart"`.
fn close(body: &[u8], total: u64, room: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        out.extend_from_slice(b"no code");
        if !body.is_empty() {
            out.extend_from_slice(b", but ");
            return bytes(body, total, room.saturating_sub(out.len() - start), out);
        }
        return out.len() - start <= room;
    };
    let code = u16::from_be_bytes(*code);
    number::decimal(code.into(), out);
    out.push(b' ');
    out.extend_from_slice(close::lookup(code).name.as_bytes());
    if total == 2 {
        return out.len() - start <= room;
    }
    out.extend_from_slice(b" \"");
    let room = room.saturating_sub(out.len() - start + 1);
    let complete = fit_into(reason, total - 2, room, out);
    out.push(b'"');
    complete
}
