//! Reads the requested server name from a TLS ClientHello, before it is answered.
//!
//! Bytes in, the name out (RFC 8446 §4.1.2, RFC 6066 §3); it must not know sockets or certificates.
//! Any bytes give an answer.

/// The most bytes of a ClientHello that are awaited; no client needs more.
pub const MOST: usize = 16 * 1024;

/// The result of reading a client's first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientHello {
    /// More bytes are needed.
    More,
    /// The ClientHello is complete.
    Whole {
        /// The requested host, in lower case, if there is one.
        name: Option<String>,
    },
    /// The bytes can't be parsed.
    Unreadable,
}

/// Record type, version and length (RFC 8446 §5.1).
const RECORD_HEADER: usize = 5;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// Reads the received part of a ClientHello, including the record headers.
pub fn read(bytes: &[u8]) -> ClientHello {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        if let [kind, a, b, c, body @ ..] = message.as_slice() {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            if *kind != CLIENT_HELLO || length > MOST {
                return ClientHello::Unreadable;
            }
            if let Some(body) = body.get(..length) {
                return ClientHello::Whole { name: server_name(body) };
            }
        }
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return ClientHello::Unreadable;
        }
        match rest {
            [HANDSHAKE, 3, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let body = &rest[RECORD_HEADER..];
                // "Implementations MUST NOT send zero-length fragments of Handshake types" (§5.1).
                if length == 0 {
                    return ClientHello::Unreadable;
                }
                let came = length.min(body.len());
                message.extend_from_slice(&body[..came]);
                rest = &body[came..];
            }
            [HANDSHAKE, 3, ..] | [HANDSHAKE] | [] => return ClientHello::More,
            _ => return ClientHello::Unreadable,
        }
    }
}

/// The host name of the extension server_name, if it is a valid host.
fn server_name(hello: &[u8]) -> Option<String> {
    // legacy_version, random.
    let mut hello = Fields(hello.get(34..)?);
    hello.vector8()?; // legacy_session_id
    hello.vector16()?; // cipher_suites
    hello.vector8()?; // legacy_compression_methods
    let mut extensions = Fields(hello.vector16()?);
    while let Some(kind) = extensions.number16() {
        let data = extensions.vector16()?;
        if kind != SERVER_NAME {
            continue;
        }
        let mut names = Fields(Fields(data).vector16()?);
        while let Some(kind) = names.number8() {
            let name = names.vector16()?;
            if kind == HOST_NAME {
                return is_name(name).then(|| String::from_utf8_lossy(name).to_ascii_lowercase());
            }
        }
    }
    None
}

/// Letters, digits, hyphens, dots, and underscores, which are not valid but in use.
fn is_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    (1..=253).contains(&name.len()) && name.iter().all(is_plain)
}

/// Takes fields from the front of bytes; `None` after the end.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(field)
    }

    fn number8(&mut self) -> Option<u8> {
        self.take(1).map(|field| field[0])
    }

    fn number16(&mut self) -> Option<u16> {
        self.take(2).map(|field| u16::from_be_bytes([field[0], field[1]]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.number8()?;
        self.take(length.into())
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.number16()?;
        self.take(length.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector16(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
    }

    fn message(name: Option<&str>) -> Vec<u8> {
        let extension = |name: &str| {
            let entry = [&[0][..], &vector16(name.as_bytes())].concat();
            [&[0, 0][..], &vector16(&vector16(&entry))].concat()
        };
        let other = [&[0, 23][..], &vector16(b"")].concat();
        let extensions = [other, name.map(extension).unwrap_or_default()].concat();
        let body =
            [&[3, 3][..], &[7; 32], &[0], &vector16(&[0x13, 1]), &[1, 0], &vector16(&extensions)];
        let body = body.concat();
        [&[1, 0][..], &vector16(&body)].concat()
    }

    fn records(message: &[u8], most: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1][..], &vector16(part)].concat();
        message.chunks(most).flat_map(record).collect()
    }

    #[test]
    fn the_name_is_found_however_the_records_are_cut() {
        let hello = message(Some("Example.COM"));
        for most in [1, 3, 40, 4096] {
            let bytes = records(&hello, most);
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), ClientHello::More, "{end} of {most}");
            }
            let name = Some("example.com".to_owned());
            assert_eq!(read(&[&bytes[..], b"more"].concat()), ClientHello::Whole { name });
        }
    }

    #[test]
    fn without_a_usable_name_there_is_none() {
        for name in [None, Some(""), Some("a b"), Some("a\0b"), Some("x\u{e9}")] {
            let bytes = records(&message(name), 4096);
            assert_eq!(read(&bytes), ClientHello::Whole { name: None }, "{name:?}");
        }
    }

    #[test]
    fn other_bytes_are_unreadable() {
        for bytes in
            [&b"GET / "[..], b"\x16\x02", b"\x15\x03\x01\0\x02\x02\x28", b"\x16\x03\x01\0\0"]
        {
            assert_eq!(read(bytes), ClientHello::Unreadable, "{bytes:?}");
        }
        assert_eq!(read(b"\x16\x03\x01\0\x04\x02\0\0\0"), ClientHello::Unreadable);
        assert_eq!(read(b"\x16\x03\x01\0\x04\x01\xff\0\0"), ClientHello::Unreadable);
    }
}
