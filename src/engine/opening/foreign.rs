//! What a client speaks that does not begin with an HTTP/1.1 request, and what to answer.
//!
//! Looks at first bytes only.

use crate::ui::sanitize::escaped;
use crate::wire::handshake::server::Refusal;
use crate::wire::head::{Head, HeadError};

/// Bytes of a foreign greeting that are quoted.
const QUOTED: usize = 32;

/// An answer for a connection that can't become a WebSocket.
pub struct ForeignAnswer {
    /// Bytes to send before the end.
    pub bytes: Vec<u8>,
    /// What came, in a sentence.
    pub why: String,
}

/// Names what came instead of a request's head.
pub fn not_http(first: &[u8]) -> ForeignAnswer {
    let quote = escaped(&first[..first.len().min(QUOTED)]);
    // A record of type handshake in any version of SSL 3 or TLS (RFC 8446 §5.1).
    if first.starts_with(&[22, 3]) {
        return plain("the client speaks TLS on a plain port; use ws:// instead of wss://", 400);
    }
    // An SSL 2 ClientHello of old clients: a length with its top bit, then the type.
    if matches!(first, [0x80..=0xff, _, 1, ..]) {
        return plain("the client speaks SSL 2 on a plain port", 400);
    }
    plain(&format!("what came is not HTTP: \"{quote}\""), 400)
}

/// Recognises the preface of HTTP/2, which looks like a head (RFC 9113 §3.4).
pub fn http2(head: &Head) -> Option<ForeignAnswer> {
    /// HTTP_1_1_REQUIRED: "The endpoint requires that HTTP/1.1 be used instead of HTTP/2" (§7).
    const HTTP_1_1_REQUIRED: u8 = 0xd;
    if !head.raw().starts_with(b"PRI * HTTP/2.0\r\n") {
        return None;
    }
    let why = "the client speaks HTTP/2; a WebSocket handshake here needs HTTP/1.1";
    // "The server connection preface consists of a potentially empty SETTINGS frame" (§3.4), then
    // GOAWAY for stream 0 (§6.8): no stream was processed, the error, the reason as debug data.
    let mut bytes = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(&[0, 0, 8 + why.len() as u8, 7, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, HTTP_1_1_REQUIRED]);
    bytes.extend_from_slice(why.as_bytes());
    Some(ForeignAnswer { bytes, why: why.to_owned() })
}

/// For a head beyond the limits.
pub fn too_large(error: &HeadError) -> ForeignAnswer {
    plain(&error.to_string(), 431)
}

/// For a head that never ended.
pub fn too_slow() -> ForeignAnswer {
    plain("no complete request within the handshake timeout", 408)
}

/// For a client beyond `--max-clients`.
pub fn turned_away(most: usize) -> ForeignAnswer {
    let why = format!("this server already has {most} clients, which is all it takes");
    let refusal = Refusal::new(503, &[("Retry-After", "1")], why);
    ForeignAnswer { bytes: refusal.response, why: refusal.reason }
}

/// For plain HTTP on a port of TLS.
pub fn http_instead_of_tls() -> ForeignAnswer {
    plain("the client speaks plain HTTP on a TLS port; use wss:// instead of ws://", 400)
}

fn plain(why: &str, status: u16) -> ForeignAnswer {
    let refusal = Refusal::new(status, &[], why);
    ForeignAnswer { bytes: refusal.response, why: refusal.reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    #[test]
    fn foreign_greetings_have_names() {
        for (first, name) in [
            (&b"\x16\x03\x01\x02\x00\x01"[..], "speaks TLS"),
            (b"\x80\x2e\x01\x03\x01", "speaks SSL 2"),
            (b"\x00\x01\xff", "not HTTP: \"\\0"),
            (b"{\"hello\":1}", "not HTTP"),
        ] {
            let answer = not_http(first);
            assert!(answer.why.contains(name), "{}", answer.why);
            assert!(answer.bytes.starts_with(b"HTTP/1.1 400 "));
        }
    }

    #[test]
    fn the_preface_of_http2_is_answered_in_http2() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let answer = http2(&Head::parse(HeadKind::Request, preface)).expect("recognised");
        let (settings, goaway) = answer.bytes.split_at(9);
        assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        assert_eq!(goaway.len(), 9 + usize::from(goaway[2]));
        assert_eq!((goaway[3], goaway[16]), (7, 0xd));
        let other = Head::parse(HeadKind::Request, b"PRI * HTTP/1.1\r\n\r\n");
        assert!(http2(&other).is_none());
    }
}
