//! The content of a frame or a message, in the remaining columns of its line.
//!
//! A cut preview ends in `… +277 B`, the number of bytes that are not shown.

use std::ops::Range;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::ui::sanitize::{cut_mark, cut_mark_columns, escaped, fit_into};
use crate::ui::{clock, number};
use crate::wire::close;

/// How many bytes are shown before a part that the user searches for.
const BEFORE: usize = 16;

/// This many columns of a reason are more useful than the name of the close code.
const MIN_REASON: usize = 16;

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

/// A payload for a line.
#[derive(Clone, Debug)]
pub(super) struct PayloadPreview<'a> {
    pub(super) kind: PreviewKind,
    /// Its beginning.
    pub(super) start: &'a [u8],
    /// The number of all its bytes.
    pub(super) total: u64,
    /// The part of `start` that is shown even if the beginning leaves no room for it.
    pub(super) shown: Range<usize>,
    pub(super) round_trip: Option<Duration>,
}

impl PayloadPreview<'_> {
    /// The width of the marks with the number of missing bytes, before and after.
    pub(super) fn mark_columns(&self) -> usize {
        let marks = if self.shown.is_empty() { 1 } else { 2 };
        marks * cut_mark_columns(self.total)
    }

    /// Appends the part that fits into `room` columns; returns whether this is the whole payload.
    pub(super) fn write(&self, room: usize, out: &mut Vec<u8>) -> bool {
        let Self { kind, start, total, round_trip, .. } = *self;
        let from = self.first_shown(room);
        if from > 0 {
            let before = format!("+{from} B …");
            out.extend_from_slice(before.as_bytes());
            let (start, total) = (&start[from..], total - from as u64);
            let rest = Self { start, total, shown: 0..0, ..*self };
            rest.write(room.saturating_sub(before.chars().count()), out);
            return false;
        }
        match kind {
            PreviewKind::Text => fit_into(start, total, room, out),
            PreviewKind::Bytes => bytes(start, total, room, out),
            PreviewKind::Close => close(start, total, room, out),
            PreviewKind::Note => {
                let time = round_trip.map(self::round_trip).filter(|time| time.len() <= room);
                let time = time.unwrap_or_default();
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

impl PayloadPreview<'_> {
    /// The beginning of an excerpt that contains the part to be shown: 0 if the beginning of the
    /// payload contains it, otherwise slightly before that part, if there is room.
    fn first_shown(&self, room: usize) -> usize {
        if self.kind == PreviewKind::Close || self.shown.is_empty() {
            return 0;
        }
        let Range { start: at, end } = self.shown;
        let mark = cut_mark_columns(self.total);
        let columns = |range: Range<usize>| match self.kind {
            // A byte takes three columns in hexadecimal.
            PreviewKind::Bytes => range.len() * 3,
            // A character has four bytes at most.
            _ if range.len() > room * 4 => room,
            _ => escaped(self.start.get(range).unwrap_or_default()).width(),
        };
        if columns(0..end) + mark <= room || room < 2 * mark {
            return 0;
        }
        let spare = room.saturating_sub(2 * mark + columns(at..end)) * 2 / 3;
        // An excerpt does not begin inside a character.
        let begins = |from: &usize| {
            self.kind == PreviewKind::Bytes
                || self.start.get(*from).is_some_and(|byte| byte & 0xc0 != 0x80)
        };
        let before = (at.saturating_sub(BEFORE)..at).filter(begins);
        before.into_iter().find(|from| columns(*from..at) <= spare).unwrap_or(at)
    }
}

/// Appends the first of `total` bytes in hexadecimal; returns whether these are all bytes.
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

/// Appends the first bytes of a stream whose length is unknown.
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
    if out.len() - start > room {
        out.truncate(start);
        cut_mark(total, room, out);
        return false;
    }
    // If there is room for only one of them, the reason is more useful than the name.
    let name = close::lookup(code).name;
    let reason_columns = match total {
        2 => 0,
        _ => escaped(reason).width().min(MIN_REASON) + " \"\"".len(),
    };
    if out.len() - start + 1 + name.len() + reason_columns <= room {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
    }
    if total == 2 {
        return out.len() - start <= room;
    }
    let room = room.saturating_sub(out.len() - start + " \"\"".len());
    if room == 0 {
        return false;
    }
    out.extend_from_slice(b" \"");
    let complete = fit_into(reason, total - 2, room, out);
    out.push(b'"');
    complete
}
