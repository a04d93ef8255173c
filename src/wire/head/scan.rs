//! Splits the bytes of a head into lines, and the lines into parts. It accepts any bytes, and
//! returns their spans and a list of defects.

use std::ops::Range;

use memchr::memchr;

use super::defect::{HeadDefect, HeadDefectKind};
use super::syntax::{HeadKind, HttpVersion, is_token, is_token_byte};

/// The positions of the parts of the start line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StartSpan {
    Request { method: Range<usize>, target: Range<usize>, version: HttpVersion },
    Status { version: HttpVersion, code: u16, reason: Range<usize> },
    Unparsable(Range<usize>),
}

/// The positions of the parts of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldSpan {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) line: Range<usize>,
}

/// The result of scanning a head.
pub(super) struct Scanned {
    /// Length of the head, its blank line included.
    pub len: usize,
    pub start: StartSpan,
    pub fields: Vec<FieldSpan>,
    pub defects: Vec<HeadDefect>,
}

/// Scans one head at the beginning of `raw`.
pub(super) fn scan(kind: HeadKind, raw: &[u8]) -> Scanned {
    let mut scan = Scan { kind, raw, start: None, fields: Vec::new(), defects: Vec::new() };
    let mut at = 0;
    let mut number = 0;
    let mut complete = false;
    while !complete && at < raw.len() {
        number += 1;
        let line = HeadLine::at(raw, at, number);
        at = line.next;
        complete = scan.line(&line);
    }
    if !complete {
        scan.defect(HeadDefectKind::Truncated, number.max(1), raw.len());
    }
    Scanned {
        len: at,
        start: scan.start.unwrap_or(StartSpan::Unparsable(0..0)),
        fields: scan.fields,
        defects: scan.defects,
    }
}

/// One line: its bytes without the line end, and how it ended.
struct HeadLine {
    text: Range<usize>,
    next: usize,
    number: usize,
    bare_line_feed: bool,
}

impl HeadLine {
    fn at(raw: &[u8], start: usize, number: usize) -> Self {
        let Some(length) = memchr(b'\n', &raw[start..]) else {
            return Self { text: start..raw.len(), next: raw.len(), number, bare_line_feed: false };
        };
        let feed = start + length;
        let bare_line_feed = !raw[start..feed].ends_with(b"\r");
        Self {
            text: start..feed - usize::from(!bare_line_feed),
            next: feed + 1,
            number,
            bare_line_feed,
        }
    }

    /// Whether a line end ended the line (and not the end of the bytes).
    fn ended(&self) -> bool {
        self.next > self.text.end
    }
}

struct Scan<'a> {
    kind: HeadKind,
    raw: &'a [u8],
    start: Option<StartSpan>,
    fields: Vec<FieldSpan>,
    defects: Vec<HeadDefect>,
}

impl Scan<'_> {
    /// Scans one line; true if it is the blank line that ends the head.
    fn line(&mut self, line: &HeadLine) -> bool {
        let leading = self.start.is_none();
        let blank = line.text.is_empty() && line.ended();
        if blank && leading && self.kind == HeadKind::Request {
            self.defect(HeadDefectKind::LeadingEmptyLine, line.number, line.text.start);
        } else if leading {
            self.start_line(line);
        } else if !blank {
            self.header_line(line);
        }
        if line.bare_line_feed {
            self.defect(HeadDefectKind::BareLineFeed, line.number, line.text.end);
        }
        blank && (!leading || self.kind == HeadKind::Response)
    }

    fn start_line(&mut self, line: &HeadLine) {
        let text = &self.raw[line.text.clone()];
        let (span, clean) = match self.kind {
            HeadKind::Request => request_line(text, line.text.start),
            HeadKind::Response => status_line(text, line.text.start),
        }
        .unwrap_or((StartSpan::Unparsable(line.text.clone()), false));
        if !clean {
            self.defect(HeadDefectKind::MalformedStartLine, line.number, line.text.start);
        }
        self.start = Some(span);
    }

    fn header_line(&mut self, line: &HeadLine) {
        let text = &self.raw[line.text.clone()];
        let start = line.text.start;
        if matches!(text.first(), Some(b' ' | b'\t')) {
            return self.continuation(line);
        }
        let Some(colon) = memchr(b':', text) else {
            return self.defect(HeadDefectKind::MissingColon, line.number, start);
        };
        let before = &text[..colon];
        let name_len = before
            .iter()
            .rposition(|byte| !matches!(byte, b' ' | b'\t'))
            .map_or(0, |last| last + 1);
        let name = &before[..name_len];
        if name.is_empty() {
            self.defect(HeadDefectKind::EmptyName, line.number, start);
        } else if let Some(bad) = name.iter().position(|&byte| !is_token_byte(byte)) {
            self.defect(HeadDefectKind::IllegalNameByte(name[bad]), line.number, start + bad);
        }
        if name.len() < before.len() && !name.is_empty() {
            // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400
            // (Bad Request), any received request message that contains whitespace
            // between a header field name and colon."
            self.defect(HeadDefectKind::SpaceBeforeColon, line.number, start + name.len());
        }
        self.check_value(line, start + colon + 1);
        let name = start..start + name.len();
        let value = trimmed(self.raw, start + colon + 1..line.text.end);
        self.fields.push(FieldSpan { name, value, line: line.text.clone() });
    }

    /// `obs-fold`: the line belongs to the value of the previous field.
    fn continuation(&mut self, line: &HeadLine) {
        let Some(mut field) = self.fields.pop() else {
            let kind = HeadDefectKind::FoldingWithoutField;
            return self.defect(kind, line.number, line.text.start);
        };
        self.defect(HeadDefectKind::ObsoleteFolding, line.number, line.text.start);
        self.check_value(line, line.text.start);
        field.line.end = line.text.end;
        // Only this line is examined, so that many blank lines take linear time.
        let inner = trimmed(self.raw, line.text.clone());
        if !inner.is_empty() {
            if field.value.is_empty() {
                field.value.start = inner.start;
            }
            field.value.end = inner.end;
        }
        self.fields.push(field);
    }

    /// Reports the first byte that is not allowed in a field value (RFC 9110 §5.5: "Field values
    /// containing CR, LF, or NUL characters are invalid and dangerous").
    fn check_value(&mut self, line: &HeadLine, from: usize) {
        let bad = self.raw[from..line.text.end]
            .iter()
            .position(|&byte| byte.is_ascii_control() && byte != b'\t');
        if let Some(bad) = bad {
            let kind = HeadDefectKind::IllegalValueByte(self.raw[from + bad]);
            self.defect(kind, line.number, from + bad);
        }
    }

    fn defect(&mut self, kind: HeadDefectKind, line: usize, offset: usize) {
        self.defects.push(HeadDefect { kind, line, offset });
    }
}

/// Parses `method SP request-target SP HTTP-version`. The flag is false if parsing needed the
/// leniency of RFC 9112 §3 ("parse on whitespace-delimited word boundaries").
fn request_line(text: &[u8], base: usize) -> Option<(StartSpan, bool)> {
    let first = memchr(b' ', text)?;
    let last = memchr::memrchr(b' ', text)?;
    let method = &text[..first];
    let version = http_version(&text[last + 1..])?;
    if first == last || !is_token(method) {
        return None;
    }
    let target = trimmed(text, first + 1..last);
    let clean = target == (first + 1..last)
        && !target.is_empty()
        && text[target.clone()].iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    let span = StartSpan::Request {
        method: base..base + first,
        target: base + target.start..base + target.end,
        version,
    };
    Some((span, clean))
}

/// Reads `HTTP-version SP status-code [SP reason-phrase]`. The space after the code is required by
/// RFC 9112 §4, but many servers leave it out if the reason is empty, so this does not count as a
/// defect.
fn status_line(text: &[u8], base: usize) -> Option<(StartSpan, bool)> {
    let version = http_version(text.get(..8)?)?;
    let rest = text.get(8..)?.strip_prefix(b" ")?;
    let (code, reason) = match rest {
        [a, b, c] => ([a, b, c], 12..12),
        [a, b, c, b' ', ..] => ([a, b, c], 13..text.len()),
        _ => return None,
    };
    let mut number = 0;
    for digit in code {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u16::from(digit - b'0');
    }
    let clean = !text[reason.clone()].iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    let span =
        StartSpan::Status { version, code: number, reason: base + reason.start..base + reason.end };
    Some((span, clean))
}

/// RFC 9112 §2.3: `HTTP-version = "HTTP" "/" DIGIT "." DIGIT`, case-sensitive.
fn http_version(text: &[u8]) -> Option<HttpVersion> {
    match text.strip_prefix(b"HTTP/")? {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
            Some(HttpVersion { major: major - b'0', minor: minor - b'0' })
        }
        _ => None,
    }
}

/// Shrinks a range until it neither begins nor ends with white space.
fn trimmed(raw: &[u8], range: Range<usize>) -> Range<usize> {
    let inner = inner_range(&raw[range.clone()]);
    range.start + inner.start..range.start + inner.end
}

/// The position of the bytes that [`trim_white_space`] keeps; empty at 0 if it keeps none.
pub(super) fn inner_range(bytes: &[u8]) -> Range<usize> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let first = bytes.iter().position(|byte| !is_space(byte));
    let last = bytes.iter().rposition(|byte| !is_space(byte));
    match (first, last) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}
