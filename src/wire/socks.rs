//! SOCKS5 on the proxy's side: the messages of a client (RFC 1928, RFC 1929), and the answers.
//!
//! It does no I/O and accepts any bytes: a message is parsed at the beginning of the received bytes
//! with its length, so that later bytes are not consumed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first byte of a client.
pub const VERSION: u8 = 5;

/// The supported methods of RFC 1928 §3.
pub mod method {
    /// No authentication.
    pub const NONE: u8 = 0;
    /// User and password (RFC 1929).
    pub const LOGIN: u8 = 2;
    /// The proxy accepts none of the offered methods.
    pub const REFUSED: u8 = 0xff;
}

/// The replies of RFC 1928 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of the RFC
pub enum SocksReply {
    Succeeded = 0,
    Failure = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,
    HostUnreachable = 4,
    Refused = 5,
    CommandNotSupported = 7,
    AddressNotSupported = 8,
}

/// The state of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// More bytes are needed.
    More,
    /// The message is complete; the number is its length.
    Whole(T, usize),
    /// The message is invalid: a sentence, and the reply that reports it, if there is one.
    Wrong(String, Option<SocksReply>),
}

/// The server that a client wants to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksWanted {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The methods that a client offers: VER, NMETHODS, METHODS (RFC 1928 §3).
pub fn greeting(bytes: &[u8]) -> Read<Vec<u8>> {
    match bytes {
        [VERSION, count, rest @ ..] => match rest.get(..usize::from(*count)) {
            Some(methods) => Read::Whole(methods.to_vec(), 2 + methods.len()),
            None => Read::More,
        },
        [] | [VERSION] => Read::More,
        [version, ..] => wrong_version(*version),
    }
}

/// A user and a password: VER, ULEN, UNAME, PLEN, PASSWD (RFC 1929 §2).
pub fn login(bytes: &[u8]) -> Read<(Vec<u8>, Vec<u8>)> {
    let [1, rest @ ..] = bytes else {
        return match bytes.first() {
            None => Read::More,
            Some(version) => {
                Read::Wrong(format!("the login of SOCKS5 has the version {version}, not 1"), None)
            }
        };
    };
    let field = |bytes: &[u8]| {
        let (length, rest) = bytes.split_first()?;
        let (field, rest) = rest.split_at_checked(usize::from(*length))?;
        Some((field.to_vec(), rest.len()))
    };
    let Some((user, left)) = field(rest) else { return Read::More };
    let Some((password, left)) = field(&rest[rest.len() - left..]) else { return Read::More };
    Read::Whole((user, password), bytes.len() - left)
}

/// A request: VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT (RFC 1928 §4).
pub fn request(bytes: &[u8]) -> Read<SocksWanted> {
    match bytes {
        [] | [VERSION] => return Read::More,
        [VERSION, 1, ..] => {}
        [VERSION, command, ..] => {
            let name = match command {
                2 => "BIND".to_owned(),
                3 => "UDP ASSOCIATE".to_owned(),
                other => format!("the command {other}"),
            };
            let text = format!("the client asks for {name} of SOCKS5, and only CONNECT is served");
            return Read::Wrong(text, Some(SocksReply::CommandNotSupported));
        }
        [version, ..] => return wrong_version(*version),
    }
    let Some((kind, rest)) = bytes.get(3..).and_then(<[u8]>::split_first) else {
        return Read::More;
    };
    let (host, length): (Option<String>, usize) = match (*kind, rest) {
        (1, _) => (address::<4>(rest).map(|octets| Ipv4Addr::from(octets).to_string()), 4),
        (4, _) => (address::<16>(rest).map(|octets| Ipv6Addr::from(octets).to_string()), 16),
        (3, []) => (None, 0),
        (3, [length, name @ ..]) => {
            let length = usize::from(*length);
            let name = name.get(..length).map(|name| String::from_utf8_lossy(name).into_owned());
            (name, 1 + length)
        }
        (other, _) => {
            let text = format!("the address of the SOCKS5 request is of the unknown type {other}");
            return Read::Wrong(text, Some(SocksReply::AddressNotSupported));
        }
    };
    let port = rest.get(length..).and_then(address::<2>).map(u16::from_be_bytes);
    let (Some(host), Some(port)) = (host, port) else { return Read::More };
    Read::Whole(SocksWanted { host, port }, 4 + length + 2)
}

/// The answer to a request: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT (RFC 1928 §6).
pub fn reply(reply: SocksReply, bound: Option<SocketAddr>) -> Vec<u8> {
    let bound = bound.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
    let mut bytes = vec![VERSION, reply as u8, 0];
    match bound.ip() {
        IpAddr::V4(address) => {
            bytes.push(1);
            bytes.extend(address.octets());
        }
        IpAddr::V6(address) => {
            bytes.push(4);
            bytes.extend(address.octets());
        }
    }
    bytes.extend(bound.port().to_be_bytes());
    bytes
}

fn address<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

fn wrong_version<T>(version: u8) -> Read<T> {
    Read::Wrong(format!("the version of SOCKS is {version}, not 5"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every proper prefix needs more bytes, and later bytes are not consumed.
    fn whole<T: PartialEq + std::fmt::Debug>(read: fn(&[u8]) -> Read<T>, bytes: &[u8]) -> T {
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Read::More, "{end} bytes");
        }
        match read(&[bytes, b"rest"].concat()) {
            Read::Whole(value, length) => {
                assert_eq!(length, bytes.len());
                value
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_read_to_their_end() {
        assert_eq!(whole(greeting, &[5, 2, 0, 2]), [0, 2]);
        assert_eq!(whole(greeting, &[5, 0]), [0_u8; 0]);
        assert_eq!(whole(login, b"\x01\x02me\x03pwd"), (b"me".to_vec(), b"pwd".to_vec()));
        assert_eq!(whole(login, b"\x01\x01u\x00"), (b"u".to_vec(), vec![]));
        let wanted = |host: &str, port| SocksWanted { host: host.to_owned(), port };
        let v4 = [5, 1, 0, 1, 127, 0, 0, 1, 0x1f, 0x90];
        assert_eq!(whole(request, &v4), wanted("127.0.0.1", 8080));
        let v6 = [&[5, 1, 0, 4][..], &Ipv6Addr::LOCALHOST.octets(), &[0, 80]].concat();
        assert_eq!(whole(request, &v6), wanted("::1", 80));
        assert_eq!(whole(request, b"\x05\x01\x00\x03\x01h\x01\xbb"), wanted("h", 443));
    }

    #[test]
    fn what_is_wrong_has_its_reply() {
        let code = |bytes: &[u8]| match request(bytes) {
            Read::Wrong(_, reply) => reply,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(&[5, 2]), Some(SocksReply::CommandNotSupported));
        assert_eq!(code(&[5, 3, 0]), Some(SocksReply::CommandNotSupported));
        assert_eq!(code(&[5, 1, 0, 9]), Some(SocksReply::AddressNotSupported));
        assert_eq!(code(&[4, 1]), None);
        assert!(
            matches!(greeting(b"G"), Read::Wrong(..)) && matches!(login(b"\x05"), Read::Wrong(..))
        );
    }

    #[test]
    fn a_reply_names_the_address() {
        let v4 = "127.0.0.1:258".parse().ok();
        assert_eq!(reply(SocksReply::Succeeded, v4), [5, 0, 0, 1, 127, 0, 0, 1, 1, 2]);
        assert_eq!(reply(SocksReply::Refused, None), [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(reply(SocksReply::Failure, "[::1]:1".parse().ok()).len(), 4 + 16 + 2);
    }
}
