//! The first bytes after a 101: frames, or other bytes.

use std::time::Duration;

use super::findings::Findings;
use super::switching::{answered_twice, not_one_head};
use crate::diagnostics::facts::{EndKind, SILENCE};
use crate::diagnostics::sniff::contains;
use crate::diagnostics::url::Url;
use crate::diagnostics::{Clue, Diagnostic, Facts, Place, Span, sniff};

/// A connection that ends within this time was never wanted.
const AT_ONCE: Duration = Duration::from_millis(100);

pub(super) fn first_bytes(facts: &Facts<'_>, found: &mut Findings<'_>) {
    if !facts.is_open() {
        return;
    }
    let bytes = facts.stream.first;
    if let Some(kind) = sniff::text(bytes) {
        let printable =
            bytes.iter().take_while(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
        let text = String::from_utf8_lossy(&bytes[..printable.count()]).into_owned();
        found.add("W461", |d| {
            let d = d.at(Span::first(Place::Stream, bytes, kind)).note(format!("the text: {text}"));
            let query = facts.url.map(|url| Url::of(url).query).unwrap_or_default();
            match sniff::engine_io_code(bytes).is_some() {
                true if query.contains("EIO=4") => d.help(
                    "this Socket.IO server refuses the query: try `EIO=3` instead of `EIO=4`",
                ),
                true => d.help(
                    "this is a Socket.IO server (Engine.IO 4): the query must have \
                     `EIO=4&transport=websocket`",
                ),
                false if bytes.starts_with(b"HTTP/1.") && answered_twice(bytes).is_none() => {
                    let soon = facts.end.is_none_or(|end| end.last < AT_ONCE);
                    aborted(late(d, bytes, soon && facts.stream.sent.is_none()), facts)
                }
                false => not_one_head(d, bytes),
            }
        });
    } else if sniff::is_tls_record(bytes) {
        let span = Span::first(Place::Stream, bytes, "a TLS record").marking(0..5);
        found.add("W462", |d| d.at(span));
    } else if let Some(end) = facts.end
        && bytes.is_empty()
        && facts.stream.frames == 0
        && facts.stream.sent.is_none()
        && facts.stream.illegal_sent.is_none()
        && !facts.stream.bytes_sent
        && facts.close.sent.is_none()
        && Clue::EndedOnPing.seen(facts).is_none()
        && end.lifetime < AT_ONCE
        && matches!(end.how, EndKind::Fin | EndKind::Reset)
    {
        found.add("W463", |d| d.note(format!("{} ms after the 101", end.lifetime.as_millis())));
    }
}

/// Adds text in place of a frame, in the middle of the stream. `span` begins with that text.
pub(super) fn text_inside(bytes: &[u8], span: Span, found: &mut Findings<'_>) {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    found.add("W461", |d| {
        let d = d
            .title("text was written into the stream in place of a frame")
            .at(span)
            .note(format!("the text: {line}"));
        if bytes.starts_with(b"HTTP/1.") { late(d, bytes, false) } else { d }
    });
}

/// The page of gunicorn for a worker that failed, or that it aborted.
const GUNICORN: &[u8] = b"<h1><p>Internal Server Error</p></h1>";

/// Adds the cause of gunicorn's error page after a silence: it aborts workers that do not return in
/// time, and a session keeps a worker of the kind sync.
fn aborted(d: Diagnostic, facts: &Facts<'_>) -> Diagnostic {
    let after = facts.end.map(|end| end.last).filter(|after| *after >= SILENCE);
    let (Some(after), None) = (after, facts.stream.sent) else { return d };
    match contains(facts.stream.first, GUNICORN) {
        true => d
            .certain()
            .suggests(
                "the server aborted the worker of this session, as gunicorn does after its `--timeout`",
                format!("gunicorn's page for an error came {:.1} s after the 101, and nothing was sent", after.as_secs_f64()),
            )
            .help("serve WebSockets with a worker for long connections, `--worker-class gthread` or gevent, or raise gunicorn's `--timeout`"),
        false => d,
    }
}

/// Adds the causes of an HTTP response inside the stream, which begins with these bytes. A second
/// server of WebSockets refuses with a 4xx right after the 101 (`early`); a 5xx reports a failure.
fn late(d: Diagnostic, bytes: &[u8], early: bool) -> Diagnostic {
    let class = bytes.iter().position(|byte| *byte == b' ').and_then(|at| bytes.get(at + 1));
    let (text, help) = match class {
        Some(b'5') => (
            "an HTTP response was written after the 101: the framework's answer when the handler ended with an exception, or a late refusal, or a second handler that answers the upgrade, too",
            "read the server's log: a handler seems to have ended with an exception; otherwise look whether a second WebSocket server is on the same HTTP server",
        ),
        Some(b'4') if early => (
            "an HTTP response was written after the 101: a second handler answered the upgrade, too, or it is a late refusal, or the framework's answer when the handler ended",
            "read the response's status and body, then the server's log: of two WebSocket servers on one HTTP server, each answers every upgrade; or a handler ended with an exception, or returned a response",
        ),
        _ => (
            "an HTTP response was written after the 101: the framework's answer when the handler ended, or a late refusal, or a second handler that answers the upgrade, too",
            "read the response's status and body, then the server's log: a handler may have ended with an exception, or returned a response; or a second WebSocket server is on the same HTTP server",
        ),
    };
    d.because(text, "the text is an HTTP response").help(help)
}
