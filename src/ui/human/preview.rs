//! What a frame holds, in the columns that are left on its line.

use std::time::Duration;

use super::frame::{HumanFrame, PreviewKind};
use crate::ui::{clock, number, sanitize};
use crate::wire::close;

/// Columns a preview gets in any case.
pub(super) const MIN_ROOM: usize = 12;

/// Appends the preview of a frame, of which `start` is the beginning, in `room` columns.
pub(super) fn write(frame: &HumanFrame, start: &[u8], room: usize, out: &mut Vec<u8>) {
    if frame.is_compressed() && frame.content == 0 {
        return bytes(start, frame.wire, room, out);
    }
    let truncated = |total: u64| total > start.len() as u64;
    match frame.kind {
        PreviewKind::Text => sanitize::fit_quoted(start, truncated(frame.content), room, out),
        PreviewKind::Bytes => bytes(start, frame.wire.max(frame.content), room, out),
        PreviewKind::Close => close(start, truncated(frame.wire), out),
        PreviewKind::Note => {
            let time = frame.round_trip.map(round_trip).unwrap_or_default();
            if !start.is_empty() {
                let room = room.saturating_sub(time.len() + 1).max(MIN_ROOM);
                sanitize::fit_quoted(start, truncated(frame.wire), room, out);
                if !time.is_empty() {
                    out.push(b' ');
                }
            }
            out.extend_from_slice(time.as_bytes());
        }
    }
}

/// Appends the first of `total` bytes in hexadecimal, `…` behind them if some are missing.
pub(super) fn bytes(start: &[u8], total: u64, room: usize, out: &mut Vec<u8>) {
    let all = start.len() as u64 == total && start.len() * 3 <= room + 1;
    if all {
        return number::hex_spaced(start, out);
    }
    let fitting = room.saturating_sub(1) / 3;
    number::hex_spaced(&start[..fitting.min(start.len())], out);
    out.extend_from_slice(" …".as_bytes());
}

/// As in `rtt 0.123 ms`.
pub(super) fn round_trip(time: Duration) -> String {
    format!("rtt {}", clock::millis(time))
}

/// As in `1001 going away "restart"`. A reason is never cut to the width: it has 123 bytes at most
/// and is what the reader looks for.
fn close(body: &[u8], truncated: bool, out: &mut Vec<u8>) {
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        if body.is_empty() {
            return out.extend_from_slice(b"no code");
        }
        out.extend_from_slice(b"no code, but ");
        return number::hex_spaced(body, out);
    };
    let code = u16::from_be_bytes(*code);
    let name = close::lookup(code).name;
    number::decimal(code.into(), out);
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    if !reason.is_empty() {
        out.push(b' ');
        sanitize::quote_into(reason, out);
    }
    if truncated {
        out.extend_from_slice(" …".as_bytes());
    }
}
