//! HTTP/1.x message heads, kept as the bytes that crossed the wire.
//!
//! A [`Head`] is the raw bytes plus a view into them: start line, header fields in order with case
//! and duplicates preserved, and a list of [`HeadDefect`]s. Parsing never fails: any bytes give a
//! head with a list of its defects. This module knows nothing about WebSocket; the `handshake`
//! module judges heads.

mod body;
mod defect;
mod forward;
mod parser;
mod scan;
mod syntax;

use std::ops::Range;

pub use body::BodyFraming;
pub use defect::{HeadDefect, HeadDefectKind};
pub use forward::{AbsoluteForm, Forwarding, absolute_form};
pub use parser::{Fed, HeadError, HeadLimits, HeadParser};
use scan::{FieldSpan, StartSpan, inner_range};
pub use syntax::{HeadKind, HttpVersion, is_token, is_token_byte};

/// The first line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `method SP request-target SP HTTP-version`
    Request(RequestLine<'a>),
    /// `HTTP-version SP status-code SP reason-phrase`
    Status(StatusLine<'a>),
    /// Neither: the line as received, without its line end.
    Unparsable(&'a [u8]),
}

/// A request line (RFC 9112 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method, a token, case preserved.
    pub method: &'a [u8],
    /// The request target as sent.
    pub target: &'a [u8],
    /// The protocol version.
    pub version: HttpVersion,
}

/// A status line (RFC 9112 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// The protocol version.
    pub version: HttpVersion,
    /// Three digits, 0–999.
    pub code: u16,
    /// The reason phrase, often empty.
    pub reason: &'a [u8],
}

/// One header field, as slices of the raw head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// The name, case preserved, without white space before the colon.
    pub name: &'a [u8],
    /// The value without surrounding white space. If the field was folded over several lines, the
    /// value contains the line ends.
    pub value: &'a [u8],
    /// The position of the field's line or lines in [`Head::raw`], without the last line end.
    pub line: Range<usize>,
    /// The position of the value in [`Head::raw`].
    pub value_at: Range<usize>,
}

/// The head of one HTTP/1.x message: raw bytes and a view of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    kind: HeadKind,
    raw: Vec<u8>,
    start: StartSpan,
    fields: Vec<FieldSpan>,
    defects: Vec<HeadDefect>,
}

impl Head {
    /// Parses a whole head; drops the bytes after its blank line.
    ///
    /// Without a blank line all bytes belong to the head, which then carries a
    /// [`HeadDefectKind::Truncated`].
    pub fn parse(kind: HeadKind, bytes: &[u8]) -> Self {
        Self::from_raw(kind, bytes.to_vec())
    }

    /// Every byte of the head, up to and including the blank line.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether it was read as a request or as a response.
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// The first line.
    pub fn start_line(&self) -> StartLine<'_> {
        match &self.start {
            StartSpan::Request { method, target, version } => StartLine::Request(RequestLine {
                method: self.slice(method),
                target: self.slice(target),
                version: *version,
            }),
            StartSpan::Status { version, code, reason } => StartLine::Status(StatusLine {
                version: *version,
                code: *code,
                reason: self.slice(reason),
            }),
            StartSpan::Unparsable(line) => StartLine::Unparsable(self.slice(line)),
        }
    }

    /// The request line, if this is a request and its first line can be parsed.
    pub fn request_line(&self) -> Option<RequestLine<'_>> {
        match self.start_line() {
            StartLine::Request(line) => Some(line),
            _ => None,
        }
    }

    /// The position of the request target in [`Head::raw`].
    pub fn target_at(&self) -> Option<Range<usize>> {
        match &self.start {
            StartSpan::Request { target, .. } => Some(target.clone()),
            _ => None,
        }
    }

    /// The status line, if this is a response and its first line can be parsed.
    pub fn status_line(&self) -> Option<StatusLine<'_>> {
        match self.start_line() {
            StartLine::Status(line) => Some(line),
            _ => None,
        }
    }

    /// The header fields in the order they arrived.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = HeaderField<'_>> + Clone {
        self.fields.iter().map(|span| HeaderField {
            name: self.slice(&span.name),
            value: self.slice(&span.value),
            line: span.line.clone(),
            value_at: span.value.clone(),
        })
    }

    /// The values of every field with this name, compared without regard to ASCII case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone + 'a {
        self.headers()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// The first value with this name.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// The non-empty elements of a comma-separated list, over all fields of this name
    /// (RFC 9110 §5.6.1: "A recipient MUST parse and ignore a reasonable number of
    /// empty list elements").
    pub fn tokens<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone + 'a {
        self.get_all(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(trim_white_space)
            .filter(|element| !element.is_empty())
    }

    /// Whether the list `name` holds `token`, without regard to ASCII case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.tokens(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The violations of HTTP syntax, in the order of their bytes.
    pub fn defects(&self) -> &[HeadDefect] {
        &self.defects
    }

    /// Whether the blank line was reached.
    pub fn is_complete(&self) -> bool {
        !self.defects.iter().any(|defect| defect.kind == HeadDefectKind::Truncated)
    }

    /// The head with other bytes, such as a copy without secrets. Its defects are still those of
    /// the received bytes.
    pub fn rewritten(&self, raw: &[u8]) -> Self {
        Self { defects: self.defects.clone(), ..Self::parse(self.kind, raw) }
    }

    fn from_raw(kind: HeadKind, mut raw: Vec<u8>) -> Self {
        let scanned = scan::scan(kind, &raw);
        raw.truncate(scanned.len);
        Self { kind, raw, start: scanned.start, fields: scanned.fields, defects: scanned.defects }
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges come from a scan of the same bytes. If one were wrong, an empty slice would do
        // no harm.
        self.raw.get(range.clone()).unwrap_or_default()
    }
}

/// Removes spaces, tabs and (in folded values) line ends from both sides.
pub(crate) fn trim_white_space(bytes: &[u8]) -> &[u8] {
    &bytes[inner_range(bytes)]
}
