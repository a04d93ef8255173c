//! A diagnostic as text, like an error of rustc: code and title, the evidence with a caret line,
//! the reason, the likely causes, the cure.
//!
//! It appends lines to a buffer, and escapes all bytes from outside. Text between backquotes is
//! never wrapped, so that a command can be copied.

use unicode_width::UnicodeWidthStr as _;

use super::sanitize;
use super::style::{Ink, Palette};
use super::terminal::{FALLBACK_WIDTH, FULL_WIDTH};
use super::wrap::wrap;
use crate::diagnostics::{CatalogueEntry, Diagnostic, Form, Place, Severity, Span};

/// The beginning of an excerpt's line.
const BAR: &str = "   |";

/// The least width of text in columns, even on a narrow terminal.
const LEAST: usize = 40;

/// Appends the diagnostics of a connection: the verdict in full, the others if they add
/// information.
pub fn write_all(found: &[Diagnostic], width: usize, palette: Palette, out: &mut Vec<u8>) {
    for (at, diagnostic) in found.iter().enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        write(diagnostic, width, palette, out);
    }
}

/// Appends one diagnostic.
pub fn write(diagnostic: &Diagnostic, width: usize, palette: Palette, out: &mut Vec<u8>) {
    let mut page = DiagnosticWriter { width: width.max(LEAST), palette, out };
    let Diagnostic { entry, severity, title, span, notes, causes, help } = diagnostic;
    page.title(*severity, entry, title);
    if let Some(span) = span {
        page.span(span, *severity);
    }
    page.point(&format!("{} ({})", entry.explanation, entry.source));
    for note in notes {
        page.point(&format!("seen: {note}"));
    }
    for cause in causes {
        page.point(&match &cause.because {
            Some(fact) => {
                format!("likely ({}): {}; {fact}", cause.confidence.name(), cause.text)
            }
            None => format!("possible: {}", cause.text),
        });
    }
    page.wrapped(Ink::Good, "help: ", help);
}

/// The colour of a severity.
pub(super) fn ink(severity: Severity) -> Ink {
    match severity {
        Severity::Error => Ink::Violation,
        Severity::Warning => Ink::Received,
        Severity::Note => Ink::Info,
    }
}

/// The output and its width.
struct DiagnosticWriter<'o> {
    width: usize,
    palette: Palette,
    out: &'o mut Vec<u8>,
}

impl DiagnosticWriter<'_> {
    /// `error[W602]: RSV1 is set …`.
    fn title(&mut self, severity: Severity, entry: &CatalogueEntry, title: &str) {
        let name = format!("{}[{}]", severity.name(), entry.code);
        self.painted(ink(severity), &name);
        let title = sanitize::escaped(title.as_bytes());
        // The rest of a long title stands below its beginning, after the code.
        let lead = name.len() + ": ".len();
        self.out.extend_from_slice(b": ");
        self.indented(&title, lead);
    }

    fn span(&mut self, span: &Span, severity: Severity) {
        self.painted(Ink::Info, "  -->");
        self.out.extend_from_slice(format!(" {}\n", place(span)).as_bytes());
        let width = if self.width == FULL_WIDTH { FALLBACK_WIDTH } else { self.width };
        let row = ExcerptRow::of(span, width - BAR.len() - 2);
        self.painted(Ink::Info, BAR);
        self.out.extend_from_slice(b"  ");
        self.out.extend_from_slice(row.text.as_bytes());
        self.out.push(b'\n');
        if span.marked.is_empty() && span.label.is_empty() {
            return;
        }
        self.painted(Ink::Info, BAR);
        super::number::spaces(2 + row.caret_at, self.out);
        let mut carets = "^".repeat(row.carets);
        if !span.label.is_empty() {
            let room = width.saturating_sub(BAR.len() + 3 + row.caret_at + row.carets);
            carets.push(' ');
            carets.push_str(&shortened(&span.label, room.max(LEAST / 2)));
        }
        self.painted(ink(severity), &carets);
        self.out.push(b'\n');
    }

    /// A line that begins with `=`.
    fn point(&mut self, text: &str) {
        self.wrapped(Ink::Info, "   = ", text);
    }

    /// `lead`, then the text, wrapped to the page; all lines after the first are indented.
    fn wrapped(&mut self, ink: Ink, lead: &str, text: &str) {
        self.painted(ink, lead);
        let clean = sanitize::escaped(text.as_bytes());
        self.indented(&clean, lead.len());
    }

    /// An escaped text, wrapped to the page; all lines after the first are indented.
    fn indented(&mut self, clean: &str, indent: usize) {
        for (at, line) in wrap(clean, self.width - indent).into_iter().enumerate() {
            if at > 0 {
                super::number::spaces(indent, self.out);
            }
            self.out.extend_from_slice(line.as_bytes());
            self.out.push(b'\n');
        }
    }

    fn painted(&mut self, ink: Ink, text: &str) {
        self.palette.paint(ink, text, self.out);
    }
}

/// The place of the excerpt, in words.
fn place(span: &Span) -> String {
    let at = span.offset + span.marked.start as u64;
    match &span.place {
        Place::Url => "the URL".to_owned(),
        Place::Request { line } => format!("request, line {line}, byte {at}"),
        Place::Response { line } => format!("response, line {line}, byte {at}"),
        Place::Body => format!("response's body, byte {at}"),
        Place::FirstBytes => "the first bytes received".to_owned(),
        Place::Stream => format!("stream after the 101, byte {at}"),
        Place::Message => format!("the first message received, byte {at}"),
        Place::Frame { number, after } => {
            let after = after.map(|time| format!(", +{:.3} s", time.as_secs_f64()));
            format!("frame #{number}, stream byte {at}{}", after.unwrap_or_default())
        }
    }
}

/// An excerpt, and the columns of its carets.
struct ExcerptRow {
    text: String,
    caret_at: usize,
    carets: usize,
}

impl ExcerptRow {
    fn of(span: &Span, room: usize) -> Self {
        match span.form {
            Form::Text => Self::text(span, room),
            Form::Hex => Self::hex(span, room, false),
            Form::HexAndText => Self::hex(span, room, true),
        }
    }

    /// Text with a visible mark: if the text is too long, its start is cut first, then its end.
    fn text(span: &Span, room: usize) -> Self {
        let part = |range: std::ops::Range<usize>| {
            sanitize::escaped(span.bytes.get(range).unwrap_or_default())
        };
        let (before, marked, after) = (
            part(0..span.marked.start),
            part(span.marked.clone()),
            part(span.marked.end..span.bytes.len()),
        );
        let marked = shortened(&marked, room);
        let before = match before.width() + marked.width() > room {
            true => shortened_front(&before, room - marked.width().min(room)),
            false => before,
        };
        let used = before.width() + marked.width();
        let after = shortened(&after, room.saturating_sub(used));
        let (caret_at, carets) = (before.width(), marked.width().max(1));
        Self { text: before + &marked + &after, caret_at, carets }
    }

    /// As many bytes as fit; the mark may be at the front.
    fn hex(span: &Span, room: usize, with_text: bool) -> Self {
        // Each byte takes three columns in hexadecimal, and one in the text, which follows after
        // two spaces.
        let most =
            if with_text { (room.saturating_sub(6)) / 4 } else { room.saturating_sub(2) / 3 };
        let shown = &span.bytes[..span.bytes.len().min(most.clamp(4, 16))];
        let mut text: Vec<u8> = Vec::new();
        super::number::hex_spaced(shown, &mut text);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if shown.len() < span.bytes.len() {
            text.push_str(" …");
        }
        if with_text {
            let mut quoted = Vec::new();
            let columns = room.saturating_sub(text.width() + 2);
            sanitize::fit_quoted(&span.bytes, false, columns, &mut quoted);
            text.push_str("  ");
            text.push_str(&String::from_utf8_lossy(&quoted));
        }
        let end = span.marked.end.min(shown.len());
        let start = span.marked.start.min(end);
        let carets = ((end - start) * 3).saturating_sub(1).max(2);
        Self { text, caret_at: start * 3, carets }
    }
}

/// At most `columns` of an escaped text; `…` shows the cut.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if short.width() + 2 > columns {
            break;
        }
        short.push(c);
    }
    if columns > 0 {
        short.push('…');
    }
    short
}

/// The end of an escaped text, after `…`.
fn shortened_front(text: &str, columns: usize) -> String {
    let backwards: String = text.chars().rev().collect();
    shortened(&backwards, columns).chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_keep_their_mark() {
        let span = Span {
            place: Place::Url,
            offset: 0,
            bytes: b"0123456789abcdefghij#rest of it".to_vec(),
            marked: 20..21,
            label: String::new(),
            form: Form::Text,
        };
        let row = ExcerptRow::of(&span, 10);
        assert_eq!((row.text.as_str(), row.caret_at, row.carets), ("…cdefghij#", 9, 1));
    }

    #[test]
    fn any_width_and_any_mark_can_be_drawn() {
        let entry = crate::diagnostics::entry("W348").expect("in the catalogue");
        for form in [Form::Text, Form::Hex, Form::HexAndText] {
            for bytes in
                [&b""[..], b"x", b"\x1b[2J\xff\xe2\x80\xae long enough to be cut somewhere"]
            {
                for marked in [0..0, 0..1, 3..9, 30..90] {
                    let span = Span {
                        place: Place::FirstBytes,
                        offset: u64::MAX / 2,
                        bytes: bytes.to_vec(),
                        marked: marked.clone(),
                        label: "é\u{202e}".repeat(30),
                        form,
                    };
                    let diagnostic = Diagnostic {
                        entry,
                        severity: Severity::Error,
                        title: "title".into(),
                        span: Some(span),
                        notes: vec!["\x1b[31m".to_owned()],
                        causes: Vec::new(),
                        help: "help".into(),
                    };
                    for width in [0, 40, 80, 1000] {
                        let mut out = Vec::new();
                        write(&diagnostic, width, Palette::default(), &mut out);
                        assert!(!out.contains(&0x1b), "escape sequences never get through");
                    }
                }
            }
        }
    }
}
