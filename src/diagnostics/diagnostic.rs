//! One finding: an entry of the catalogue with what was seen, ready to be printed.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use super::{CatalogueEntry, LikelyCause, Severity, entry};
use crate::wire::head::{Head, HeadKind};
use crate::wire::secret::is_secret;

/// What is shown instead of a secret.
const HIDDEN: &[u8] = b"(hidden)";

/// Bytes of a body or a stream that are shown.
const SHOWN: usize = 64;

/// An entry of the catalogue as it applies here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The entry.
    pub entry: &'static CatalogueEntry,
    /// How bad it is here.
    pub severity: Severity,
    /// Where it can be seen.
    pub span: Option<Span>,
    /// What was seen, one sentence each, lower case, no full stop. Foreign text in them is raw:
    /// printers escape it.
    pub notes: Vec<String>,
    /// The likely causes that the facts leave, the most likely first.
    pub causes: &'static [LikelyCause],
    /// What to do.
    pub help: Cow<'static, str>,
}

impl Diagnostic {
    /// The entry as it stands; `None` if there is no such code.
    pub fn of(code: &str) -> Option<Self> {
        let entry = entry(code)?;
        let help = Cow::Borrowed(entry.help);
        let (severity, causes) = (entry.severity, entry.causes);
        Some(Self { entry, severity, span: None, notes: Vec::new(), causes, help })
    }

    /// With another severity.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With the place where it can be seen.
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into();
        self
    }

    /// With something that was seen.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// With something that was seen, if it was.
    pub fn note_if(self, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.note(text),
            None => self,
        }
    }

    /// Without the causes that the facts rule out.
    pub fn without_causes(mut self, excluded: usize) -> Self {
        self.causes = self.causes.get(excluded..).unwrap_or_default();
        self
    }

    /// With advice that fits better than the entry's.
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }
}

/// Bytes that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What the bytes are part of.
    pub place: Place,
    /// From the start of that to the first of `bytes`, in bytes.
    pub offset: u64,
    /// The excerpt, secrets taken out.
    pub bytes: Vec<u8>,
    /// Which bytes of the excerpt are meant.
    pub marked: Range<usize>,
    /// What is to be seen there; may be empty.
    pub label: String,
    /// How to show the bytes.
    pub form: Form,
}

/// What an excerpt is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The URL as typed.
    Url,
    /// A line of the request's head, counted from 1.
    Request {
        /// The line.
        line: usize,
    },
    /// A line of the response's head, counted from 1.
    Response {
        /// The line.
        line: usize,
    },
    /// The response's body.
    Body,
    /// The first bytes of a connection, in place of a response or a ServerHello.
    FirstBytes,
    /// The peer's stream after the handshake.
    Stream,
    /// The first message received.
    Message,
    /// A frame of that stream.
    Frame {
        /// Its number in its direction, from 1.
        number: u64,
        /// From the 101 to its arrival.
        after: Option<Duration>,
    },
}

/// How to show bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As text, escaped.
    Text,
    /// As hexadecimal digits.
    Hex,
    /// As hexadecimal digits, with the text beside them.
    HexAndText,
}

impl Span {
    /// The status line or request line.
    pub fn start_line(head: &Head, label: impl Into<String>) -> Self {
        let raw = head.raw();
        let end = raw.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(raw.len());
        // A request's target may hold a token.
        let bytes = match head.request_line() {
            Some(line) => {
                let path = line.target.split(|byte| *byte == b'?').next().unwrap_or_default();
                [line.method, b" ", path].concat()
            }
            None => raw[..end].to_vec(),
        };
        let marked = 0..bytes.len();
        let place = place(head, 1);
        Self { place, offset: 0, bytes, marked, label: label.into(), form: Form::Text }
    }

    /// The first field with this name, its value marked.
    pub fn header(head: &Head, name: &str, label: impl Into<String>) -> Option<Self> {
        let field = head.headers().find(|f| f.name.eq_ignore_ascii_case(name.as_bytes()))?;
        let (start, raw) = (field.line.start, head.raw());
        let number = raw[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        let (bytes, marked) = match is_secret(name) {
            true => {
                let before = raw[start..field.value_at.start].to_vec();
                let marked = before.len()..before.len() + HIDDEN.len();
                ([&before, HIDDEN].concat(), marked)
            }
            false => {
                let value = field.value_at;
                (raw[field.line.clone()].to_vec(), value.start - start..value.end - start)
            }
        };
        Some(Self {
            place: place(head, number),
            offset: start as u64,
            bytes,
            marked,
            label: label.into(),
            form: Form::Text,
        })
    }

    /// The field with this name, or the first line if there is none.
    pub fn header_or_start(head: &Head, name: &str, label: impl Into<String>) -> Self {
        let label = label.into();
        Self::header(head, name, label.clone()).unwrap_or_else(|| Self::start_line(head, label))
    }

    /// The first line of a body that is not blank.
    pub fn body(body: &[u8]) -> Option<Self> {
        let start = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &body[start..];
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let bytes = rest[..end.unwrap_or(rest.len()).min(2 * SHOWN)].to_vec();
        let marked = 0..bytes.len();
        Some(Self {
            place: Place::Body,
            offset: start as u64,
            bytes,
            marked,
            label: String::new(),
            form: Form::Text,
        })
    }

    /// The first bytes of something, as hexadecimal digits and text.
    pub fn first(place: Place, bytes: &[u8], label: impl Into<String>) -> Self {
        let bytes = bytes[..bytes.len().min(SHOWN)].to_vec();
        let marked = 0..bytes.len();
        Self { place, offset: 0, bytes, marked, label: label.into(), form: Form::HexAndText }
    }

    /// How many of the first bytes are meant.
    pub fn marking(mut self, marked: Range<usize>) -> Self {
        let end = marked.end.min(self.bytes.len());
        self.marked = marked.start.min(end)..end;
        self
    }
}

fn place(head: &Head, line: usize) -> Place {
    match head.kind() {
        HeadKind::Request => Place::Request { line },
        HeadKind::Response => Place::Response { line },
    }
}
