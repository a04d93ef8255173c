//! The address of a proxy: `[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]`, as in curl.
//!
//! It does not know the environment or the chosen proxy. Errors never quote a possible password.

use std::fmt;
use std::net::Ipv6Addr;

use thiserror::Error;

use super::Destination;

/// "If the port number is not specified in the proxy string, it is assumed to be 1080" (curl's
/// manual, `--proxy`).
const DEFAULT_PORT: u16 = 1080;

/// curl's default port for a proxy with TLS.
const DEFAULT_TLS_PORT: u16 = 443;

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP CONNECT (RFC 9110 §9.3.6).
    Http,
    /// HTTP CONNECT over TLS.
    Https,
    /// SOCKS4: IPv4 addresses only.
    Socks4,
    /// SOCKS4a: the proxy looks up the name.
    Socks4a,
    /// SOCKS5 (RFC 1928) with an address that this side looked up.
    Socks5,
    /// SOCKS5, where the proxy looks up the name.
    Socks5h,
}

/// A proxy, and the credentials for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The protocol of the proxy.
    pub scheme: Scheme,
    /// A name, or an address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// User and password, if any.
    pub credentials: Option<Credentials>,
}

/// A user and a password, as bytes. Its `Debug` hides both.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: Vec<u8>,
    /// The password, often empty.
    pub password: Vec<u8>,
}

/// Why a text is not a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// A scheme that is not supported.
    #[error(
        "the proxy scheme {scheme}:// is not supported; use http, https, socks5, socks5h, socks4 \
         or socks4a"
    )]
    UnsupportedScheme {
        /// The scheme, in lower case.
        scheme: String,
    },
    /// No host before the port.
    #[error("the proxy has no host; write HOST:PORT, or SCHEME://HOST:PORT")]
    MissingHost,
    /// An invalid host.
    #[error("the proxy's host has an invalid character at byte {offset}")]
    BadHost {
        /// The position, in bytes from the beginning of the host.
        offset: usize,
    },
    /// A port that is not a number from 1 to 65535.
    #[error("the proxy's port is not a number from 1 to 65535")]
    BadPort,
    /// The text in brackets is not an IPv6 address.
    #[error("the proxy's address in brackets is not an IPv6 address")]
    BadIpv6,
}

impl Scheme {
    fn from_name(name: &str) -> Option<Self> {
        let table =
            [Self::Http, Self::Https, Self::Socks4, Self::Socks4a, Self::Socks5, Self::Socks5h];
        table.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }

    /// The text before `://`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks4a => "socks4a",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    /// Whether this side looks up the server's name, and the proxy gets an address.
    pub fn looks_up_here(self) -> bool {
        matches!(self, Self::Socks4 | Self::Socks5)
    }
}

impl Proxy {
    /// Parses a proxy; without a scheme, it is HTTP.
    ///
    /// # Errors
    ///
    /// The first fault, as an [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((name, rest)) => {
                let known = Scheme::from_name(name);
                let unknown =
                    || AddressError::UnsupportedScheme { scheme: name.to_ascii_lowercase() };
                (known.ok_or_else(unknown)?, rest)
            }
            None => (Scheme::Http, text),
        };
        // A proxy ignores a path; proxy settings of browsers often end with a slash. A password may
        // contain a slash, too, so the path is searched after the last `@`.
        let (userinfo, place) = match rest.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, rest),
        };
        let place = place.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = split_port(place)?;
        let default = if scheme == Scheme::Https { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or(default),
            credentials: userinfo.filter(|text| !text.is_empty()).map(Credentials::from_userinfo),
        })
    }

    /// The host and port on which it listens.
    pub fn destination(&self) -> Destination {
        Destination::new(self.host.clone(), self.port)
    }
}

/// Does not show user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.destination())
    }
}

impl Credentials {
    /// Parses `USER[:PASSWORD]`, as typed for `--proxy-user`.
    pub fn parse(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self { user: user.into(), password: password.into() }
    }

    /// Parses user and password of a URL, in which `%XX` is a byte.
    fn from_userinfo(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decode = crate::wire::percent::percent_decoded;
        Self { user: decode(user), password: decode(password) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// A host in lower case without brackets, and the port after it.
pub(in crate::net) fn split_port(place: &str) -> Result<(String, Option<u16>), AddressError> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(AddressError::BadIpv6)?;
        let address: Ipv6Addr = address.parse().map_err(|_| AddressError::BadIpv6)?;
        (address.to_string(), port)
    } else {
        let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
        let bad = |c: char| !(c.is_ascii_alphanumeric() || "-._~%".contains(c));
        if let Some(offset) = host.find(bad) {
            return Err(AddressError::BadHost { offset });
        }
        (host.to_ascii_lowercase(), port)
    };
    if host.is_empty() {
        return Err(AddressError::MissingHost);
    }
    let port = match port {
        "" => None,
        text => Some(read_port(text.strip_prefix(':').ok_or(AddressError::BadPort)?)?),
    };
    Ok((host, port))
}

/// Accepts digits only, because `u16::from_str` would accept a plus sign.
pub(in crate::net) fn read_port(text: &str) -> Result<u16, AddressError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or(AddressError::BadPort)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Scheme, String, u16) {
        let proxy = Proxy::parse(text).unwrap();
        (proxy.scheme, proxy.host, proxy.port)
    }

    #[test]
    fn a_scheme_a_host_and_a_port() {
        for (text, scheme, host, port) in [
            ("proxy.example:3128", Scheme::Http, "proxy.example", 3128),
            ("http://Proxy.example:3128/", Scheme::Http, "proxy.example", 3128),
            ("HTTPS://proxy.example", Scheme::Https, "proxy.example", 443),
            ("socks5://127.0.0.1", Scheme::Socks5, "127.0.0.1", 1080),
            ("socks5h://[::1]:9050", Scheme::Socks5h, "::1", 9050),
            ("socks4://h", Scheme::Socks4, "h", 1080),
            ("socks4a://h:1", Scheme::Socks4a, "h", 1),
        ] {
            assert_eq!(parsed(text), (scheme, host.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_never_shown() {
        let proxy = Proxy::parse("http://a%40b:p%3A/w@h:1").unwrap();
        let credentials = proxy.credentials.clone().unwrap();
        assert_eq!((&credentials.user[..], &credentials.password[..]), (&b"a@b"[..], &b"p:/w"[..]));
        assert_eq!(proxy.to_string(), "http://h:1");
        assert!(!format!("{proxy:?}").contains("p:/w"));
        let alone = Proxy::parse("http://user@h").unwrap().credentials.unwrap();
        assert_eq!((&alone.user[..], &alone.password[..]), (&b"user"[..], &b""[..]));
        assert_eq!(Proxy::parse("http://@h").unwrap().credentials, None);
        assert_eq!(Credentials::parse("u:p:q").password, b"p:q");
    }

    #[test]
    fn an_ipv6_proxy_is_written_in_brackets() {
        assert_eq!(Proxy::parse("socks5://[::1]").unwrap().to_string(), "socks5://[::1]:1080");
    }

    #[test]
    fn what_is_no_proxy() {
        for (text, error) in [
            ("ftp://h", AddressError::UnsupportedScheme { scheme: "ftp".to_owned() }),
            ("", AddressError::MissingHost),
            ("http://", AddressError::MissingHost),
            (":80", AddressError::MissingHost),
            ("h:0", AddressError::BadPort),
            ("h:65536", AddressError::BadPort),
            ("h:+1", AddressError::BadPort),
            ("h:", AddressError::BadPort),
            ("[::1]x", AddressError::BadPort),
            ("[::1", AddressError::BadIpv6),
            ("[h]", AddressError::BadIpv6),
            ("a b", AddressError::BadHost { offset: 1 }),
            ("h\r\n", AddressError::BadHost { offset: 1 }),
        ] {
            assert_eq!(Proxy::parse(text), Err(error), "{text}");
        }
    }
}
