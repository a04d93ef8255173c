//! HTTP/1.x message heads, kept as the bytes that crossed the wire.
//!
//! A [`Head`] is the raw bytes plus a view into them: start line, header fields in
//! order with case and duplicates preserved, and a list of [`HeadDefect`]s. It knows
//! nothing of WebSocket, and it never refuses: any bytes give a head, and what is
//! wrong with them is in its defects. Judging is the business of the
//! `handshake` module.

mod parser;
mod scan;

use std::fmt;
use std::ops::Range;

pub use parser::{Fed, HeadError, HeadLimits, HeadParser};

/// Which kind of start line a head is expected to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// A request line, sent by a client.
    Request,
    /// A status line, sent by a server.
    Response,
}

/// The version in a start line, `HTTP/major.minor` (RFC 9112 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpVersion {
    /// One digit, 0–9.
    pub major: u8,
    /// One digit, 0–9.
    pub minor: u8,
}

impl HttpVersion {
    /// `HTTP/1.1`, the least version a WebSocket handshake may use (RFC 6455 §4.1).
    pub const HTTP_11: Self = Self { major: 1, minor: 1 };
}

impl fmt::Display for HttpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}.{}", self.major, self.minor)
    }
}

/// The first line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `method SP request-target SP HTTP-version`
    Request(RequestLine<'a>),
    /// `HTTP-version SP status-code SP reason-phrase`
    Status(StatusLine<'a>),
    /// Neither; the line as it came, without its line end.
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
    /// The value without surrounding white space. When the field was folded over
    /// several lines the line ends are still in it.
    pub value: &'a [u8],
    /// Where the field's line or lines stand in [`Head::raw`], without the last line end.
    pub line: Range<usize>,
    /// Where the value stands in [`Head::raw`].
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
    /// Parses a head that is already whole; bytes after its blank line are dropped.
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

    /// The request line, if this is a request whose first line could be read.
    pub fn request_line(&self) -> Option<RequestLine<'_>> {
        match self.start_line() {
            StartLine::Request(line) => Some(line),
            _ => None,
        }
    }

    /// The status line, if this is a response whose first line could be read.
    pub fn status_line(&self) -> Option<StatusLine<'_>> {
        match self.start_line() {
            StartLine::Status(line) => Some(line),
            _ => None,
        }
    }

    /// The header fields in the order they came.
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

    /// The first value of this name.
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

    /// What is wrong with the head as HTTP, in the order of its bytes.
    pub fn defects(&self) -> &[HeadDefect] {
        &self.defects
    }

    /// Whether the blank line was reached.
    pub fn is_complete(&self) -> bool {
        !self.defects.iter().any(|defect| defect.kind == HeadDefectKind::Truncated)
    }

    /// The same head with other bytes, such as a copy without secrets; its defects stay those of the
    /// bytes that crossed the wire.
    pub fn rewritten(&self, raw: &[u8]) -> Self {
        Self { defects: self.defects.clone(), ..Self::parse(self.kind, raw) }
    }

    fn from_raw(kind: HeadKind, mut raw: Vec<u8>) -> Self {
        let scanned = scan::scan(kind, &raw);
        raw.truncate(scanned.len);
        Self { kind, raw, start: scanned.start, fields: scanned.fields, defects: scanned.defects }
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges come from scanning these very bytes; an empty slice is the
        // harmless answer should that ever not hold.
        self.raw.get(range.clone()).unwrap_or_default()
    }
}

/// Whether a byte may stand in a token: field names, methods, extension names and
/// subprotocols (`tchar`, RFC 9110 §5.6.2; the same set as `token` of RFC 2616 §2.2,
/// which RFC 6455 refers to).
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether the bytes are a token: at least one byte, and all of them token bytes.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// Cuts spaces, tabs and (from folded values) line ends off both sides.
pub(crate) fn trim_white_space(bytes: &[u8]) -> &[u8] {
    &bytes[inner_range(bytes)]
}

/// Where the bytes stand that [`trim_white_space`] leaves; empty at 0 if it leaves none.
fn inner_range(bytes: &[u8]) -> Range<usize> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let first = bytes.iter().position(|byte| !is_space(byte));
    let last = bytes.iter().rposition(|byte| !is_space(byte));
    match (first, last) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// Where the parts of the start line stand.
#[derive(Clone, Debug, PartialEq, Eq)]
enum StartSpan {
    Request { method: Range<usize>, target: Range<usize>, version: HttpVersion },
    Status { version: HttpVersion, code: u16, reason: Range<usize> },
    Unparsable(Range<usize>),
}

/// Where the parts of one field stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldSpan {
    name: Range<usize>,
    value: Range<usize>,
    line: Range<usize>,
}

/// One departure from the HTTP/1.1 message syntax (RFC 9112), and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadDefect {
    /// What is wrong.
    pub kind: HeadDefectKind,
    /// The line, counted from 1 at the first byte of the head.
    pub line: usize,
    /// The byte offset in the raw head, counted from 0.
    pub offset: usize,
}

/// The kinds of defects a head can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadDefectKind {
    /// An empty line before the request line (RFC 9112 §2.2 lets a server ignore it).
    LeadingEmptyLine,
    /// The first line is not a request line (§3) or a status line (§4).
    MalformedStartLine,
    /// A line ends with LF alone (§2.2 lets a recipient accept it).
    BareLineFeed,
    /// A field line has no colon (§5).
    MissingColon,
    /// Nothing stands before the colon (§5).
    EmptyName,
    /// White space between the field name and the colon (§5.1).
    SpaceBeforeColon,
    /// A byte that no field name may hold (§5, RFC 9110 §5.1).
    IllegalNameByte(u8),
    /// A control character in a field value, such as NUL or a lone CR (RFC 9110 §5.5).
    IllegalValueByte(u8),
    /// A line that continues the one before it (`obs-fold`, §5.2).
    ObsoleteFolding,
    /// White space before the first field line, which continues nothing (§2.2).
    FoldingWithoutField,
    /// The bytes ended before the blank line.
    Truncated,
}

impl HeadDefect {
    /// Whether RFC 9112 lets a recipient go on in spite of it.
    pub fn is_tolerable(&self) -> bool {
        matches!(self.kind, HeadDefectKind::LeadingEmptyLine | HeadDefectKind::BareLineFeed)
    }
}

impl fmt::Display for HeadDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}: {}", self.line, self.offset, self.kind)
    }
}

impl fmt::Display for HeadDefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeadingEmptyLine => f.write_str("empty line before the request line"),
            Self::MalformedStartLine => f.write_str("malformed start line"),
            Self::BareLineFeed => f.write_str("line ends with LF instead of CRLF"),
            Self::MissingColon => f.write_str("header line without a colon"),
            Self::EmptyName => f.write_str("header line without a name"),
            Self::SpaceBeforeColon => f.write_str("white space before the colon"),
            Self::IllegalNameByte(byte) => write!(f, "byte 0x{byte:02x} in a header name"),
            Self::IllegalValueByte(byte) => write!(f, "byte 0x{byte:02x} in a header value"),
            Self::ObsoleteFolding => f.write_str("folded header line"),
            Self::FoldingWithoutField => f.write_str("white space before the first header"),
            Self::Truncated => f.write_str("the head ends before its blank line"),
        }
    }
}
