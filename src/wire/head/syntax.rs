//! The parts of HTTP/1.1 syntax that a head and its reader share.

use std::fmt;

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
    /// `HTTP/1.1`, the lowest version that a WebSocket handshake may use (RFC 6455 §4.1).
    pub const HTTP_11: Self = Self { major: 1, minor: 1 };
}

impl fmt::Display for HttpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}.{}", self.major, self.minor)
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
