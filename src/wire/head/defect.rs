//! Defects of a head: deviations from HTTP syntax.

use std::fmt;

/// One deviation from the HTTP/1.1 message syntax (RFC 9112), and its position.
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
    /// An empty line before the request line (RFC 9112 §2.2 allows a server to ignore it).
    LeadingEmptyLine,
    /// The first line is not a request line (§3) or a status line (§4).
    MalformedStartLine,
    /// A line ends with LF only (§2.2 allows a recipient to accept it).
    BareLineFeed,
    /// A field line has no colon (§5).
    MissingColon,
    /// No name before the colon (§5).
    EmptyName,
    /// White space between the field name and the colon (§5.1).
    SpaceBeforeColon,
    /// A byte that is not allowed in a field name (§5, RFC 9110 §5.1).
    IllegalNameByte(u8),
    /// A control character in a field value, such as NUL or a lone CR (RFC 9110 §5.5).
    IllegalValueByte(u8),
    /// A line that continues the one before it (`obs-fold`, §5.2).
    ObsoleteFolding,
    /// White space before the first field line, where there is nothing to continue (§2.2).
    FoldingWithoutField,
    /// The bytes ended before the blank line.
    Truncated,
}

impl HeadDefect {
    /// Whether RFC 9112 allows a recipient to ignore the defect.
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
