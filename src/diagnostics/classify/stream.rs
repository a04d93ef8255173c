//! The first bytes behind a 101: frames, or something that is none.

use std::time::Duration;

use super::findings::Findings;
use super::response::engine_io_error;
use crate::diagnostics::facts::EndKind;
use crate::diagnostics::{Facts, Place, Span, sniff};

/// An end so early that the connection was never wanted.
const AT_ONCE: Duration = Duration::from_millis(100);

pub(super) fn first_bytes(facts: &Facts<'_>, found: &mut Findings) {
    if !facts.is_open() {
        return;
    }
    let bytes = facts.stream.first;
    if let Some(kind) = sniff::text(bytes) {
        let printable =
            bytes.iter().take_while(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
        let text = String::from_utf8_lossy(&bytes[..printable.count()]).into_owned();
        found.add("W461", |d| {
            let d = d.at(Span::first(Place::Stream, bytes, kind)).note(format!("it reads: {text}"));
            match engine_io_error(bytes) {
                true => d.help(
                    "this is a Socket.IO server (Engine.IO 4): add `?EIO=4&transport=websocket` \
                     to the URL",
                ),
                false => d,
            }
        });
    } else if sniff::is_tls_record(bytes) {
        let span = Span::first(Place::Stream, bytes, "a TLS record").marking(0..5);
        found.add("W462", |d| d.at(span));
    } else if let Some(end) = facts.end
        && bytes.is_empty()
        && facts.stream.frames == 0
        // Otherwise it may have been dropped for what we sent.
        && facts.stream.sent.is_none()
        && end.lifetime < AT_ONCE
        && matches!(end.how, EndKind::Fin | EndKind::Reset)
    {
        found.add("W463", |d| d.note(format!("{} ms after the 101", end.lifetime.as_millis())));
    }
}
