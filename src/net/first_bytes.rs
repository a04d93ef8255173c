//! Recognises the first bytes of a client in a tunnel: TLS, HTTP, or something else.

use super::client_hello::{self, ClientHello};
use crate::wire::head::is_token_byte;

/// The number of bytes that are examined.
pub const MOST: usize = client_hello::MOST + 1024;

/// A longer line is not a request line.
const LINE: usize = 8 * 1024;

/// The kind of the first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstBytes {
    /// More bytes are needed.
    Unknown,
    /// A whole ClientHello.
    Tls {
        /// The requested host.
        name: Option<String>,
    },
    /// The first line of an HTTP/1 request.
    Http,
    /// Something else.
    Other,
}

impl FirstBytes {
    /// Examines the received bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::Unknown,
            [22, ..] => match client_hello::read(bytes) {
                ClientHello::More if bytes.len() < MOST => Self::Unknown,
                ClientHello::Whole { name } => Self::Tls { name },
                ClientHello::More | ClientHello::Unreadable => Self::Other,
            },
            _ => request_line(bytes),
        }
    }
}

/// A method in capitals (all methods in use have capitals), a target, and a version of HTTP/1.
fn request_line(bytes: &[u8]) -> FirstBytes {
    let method = bytes.iter().take_while(|byte| is_token_byte(**byte)).count();
    let is_method = bytes[..method].iter().all(|byte| !byte.is_ascii_lowercase()) && method <= 32;
    match bytes.get(method) {
        _ if !is_method || method == 0 => return FirstBytes::Other,
        None => return FirstBytes::Unknown,
        Some(b' ') => {}
        Some(_) => return FirstBytes::Other,
    }
    match bytes.iter().take(LINE).position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = bytes[..end].trim_ascii_end();
            let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
            match version.starts_with(b"HTTP/1.") {
                true => FirstBytes::Http,
                false => FirstBytes::Other,
            }
        }
        None if bytes.len() < LINE => FirstBytes::Unknown,
        None => FirstBytes::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_recognised_as_soon_as_it_can_be() {
        for (bytes, expected) in [
            (&b""[..], FirstBytes::Unknown),
            (b"G", FirstBytes::Unknown),
            (b"GET / HTTP/1.1", FirstBytes::Unknown),
            (b"GET / HTTP/1.1\r\n", FirstBytes::Http),
            (b"M-SEARCH * HTTP/1.0\n", FirstBytes::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FirstBytes::Other),
            (b"EHLO example.com\r\n", FirstBytes::Other),
            (b"hello", FirstBytes::Other),
            (b" GET", FirstBytes::Other),
            (b"\0", FirstBytes::Other),
            (b"\x16\x03\x01", FirstBytes::Unknown),
            (b"\x16\x16", FirstBytes::Other),
        ] {
            assert_eq!(FirstBytes::of(bytes), expected, "{bytes:?}");
        }
        assert_eq!(
            FirstBytes::of(&[b"GET /".as_slice(), &[b'a'; LINE]].concat()),
            FirstBytes::Other
        );
        assert_eq!(FirstBytes::of(&[b'A'; 33]), FirstBytes::Other);
    }
}
