//! The object of a diagnostic: `docs/json.md` describes it.

use super::object::Object;
use crate::diagnostics::{Diagnostic, Place, Span};
use crate::event::Stamp;
use crate::ui::clock::UtcClock;

/// Prints one finding. `verdict` means that it is the one that explains the end, and not a note
/// beside it.
pub(super) fn diagnostic(
    at: &Stamp,
    diagnostic: &Diagnostic,
    verdict: bool,
    clock: &mut UtcClock,
    out: &mut Vec<u8>,
) {
    let Diagnostic { entry, severity, span, notes, causes, help } = diagnostic;
    let mut object = Object::begin("diagnostic", at, None, clock, out);
    object.word("code", entry.code);
    object.word("severity", severity.name());
    object.flag("verdict", verdict);
    object.string("title", entry.title);
    match span {
        Some(found) => object.nested("span", |object| self::span(found, object)),
        None => object.null("span"),
    }
    object.string("explanation", entry.explanation);
    object.string("source", entry.source);
    object.strings("notes", notes);
    object.array("causes", *causes, |cause, out| {
        Object::inline(out, |object| {
            object.word("confidence", cause.confidence.name());
            object.string("text", cause.text);
        });
    });
    object.string("help", help);
    object.end();
}

fn span(span: &Span, object: &mut Object<'_>) {
    let Span { place, offset, bytes, marked, label, form: _ } = span;
    let (name, line, frame, after) = match place {
        Place::Url => ("url", None, None, None),
        Place::Request { line } => ("request", Some(*line as u64), None, None),
        Place::Response { line } => ("response", Some(*line as u64), None, None),
        Place::Body => ("body", None, None, None),
        Place::FirstBytes => ("first-bytes", None, None, None),
        Place::Stream => ("stream", None, None, None),
        Place::Message => ("message", None, None, None),
        Place::Frame { number, after } => ("frame", None, Some(*number), *after),
    };
    let optional = |object: &mut Object<'_>, name: &str, number: Option<u64>| match number {
        Some(number) => object.number(name, number),
        None => object.null(name),
    };
    object.word("place", name);
    optional(object, "line", line);
    optional(object, "frame", frame);
    let micros = after.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    optional(object, "after_us", micros);
    object.number("offset", *offset);
    object.number("mark_start", marked.start as u64);
    object.number("mark_end", marked.end as u64);
    object.string("label", label);
    object.text_or_base64(true, bytes);
}
