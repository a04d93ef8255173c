//! Errors of proxies, each with its cure.
//!
//! The texts of a proxy are not trusted: the head has them unchanged, messages escape them.

use thiserror::Error;

use crate::wire::head::{Head, HeadError};

/// Why a proxy opens no tunnel to the server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// Another status than 2xx to CONNECT (W112).
    #[error("the proxy refused the tunnel with {}", status(head))]
    Refused {
        /// The response as received.
        head: Box<Head>,
    },
    /// 407 to CONNECT, or 401, with which tinyproxy answers a wrong password (W113).
    #[error(
        "the proxy {} ({}), and offers {}",
        if *sent { "did not accept the user and password" } else { "requires a user and password" },
        status(head),
        if offered.is_empty() { "no scheme".to_owned() } else { offered.join(", ") }
    )]
    Unauthorized {
        /// The response as received.
        head: Box<Head>,
        /// The authentication schemes of `Proxy-Authenticate` (RFC 9110 §11.7.1), escaped.
        offered: Vec<String>,
        /// Whether credentials were sent.
        sent: bool,
    },
    /// SOCKS5: the proxy accepts none of our methods, or user and password are wrong (W113).
    #[error(
        "the SOCKS5 proxy {}",
        if *sent { "did not accept the user and password" } else { "requires a user and password" }
    )]
    SocksUnauthorized {
        /// Whether credentials were sent or offered.
        sent: bool,
    },
    /// SOCKS: the proxy refused the request (W112).
    #[error("the SOCKS{version} proxy refused the tunnel with code {code} ({})", reply(*version, *code))]
    SocksRefused {
        /// 4 or 5.
        version: u8,
        /// The code of the reply: RFC 1928 §6, or 91 to 93 of SOCKS4.
        code: u8,
    },
    /// The first bytes are not a status line (W112).
    #[error("the proxy does not speak HTTP; it sent \"{}\"", first_bytes.escape_ascii())]
    NotHttp {
        /// The beginning of the received bytes, at most 64.
        first_bytes: Vec<u8>,
    },
    /// The response has no end (W112).
    #[error("the proxy's response: {0}")]
    Head(#[from] HeadError),
    /// Only interim responses (W112).
    #[error("the proxy sent {0} interim (1xx) responses and no final one")]
    OnlyInterim(usize),
    /// A byte that SOCKS does not allow in this place (W112).
    #[error("the proxy does not speak SOCKS{version}: {what} is {found}, not {expected}")]
    NotSocks {
        /// 4 or 5.
        version: u8,
        /// Which byte of the dialogue.
        what: &'static str,
        /// The byte that arrived.
        found: u8,
        /// The allowed values.
        expected: &'static str,
    },
    /// The proxy closed the connection before its answer was complete (W112).
    #[error("the proxy closed the connection {} its answer to {asked}", when(*received))]
    Closed {
        /// The number of received bytes of the answer.
        received: usize,
        /// The request that it had to answer.
        asked: Asked,
    },
    /// The protocol can't express the request.
    #[error("{protocol} cannot carry {what}")]
    Unspeakable {
        /// The protocol.
        protocol: &'static str,
        /// What is too long, or of another kind.
        what: &'static str,
    },
}

/// A request that a proxy has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// CONNECT.
    Connect,
    /// The only request of SOCKS4.
    Socks4,
    /// The greeting of SOCKS5.
    Greeting {
        /// Whether it offers user and password.
        credentials: bool,
    },
    /// User and password.
    Login,
    /// The request of SOCKS5.
    Socks5,
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "CONNECT",
            Self::Socks4 => "the request of SOCKS4",
            Self::Greeting { .. } => "the greeting of SOCKS5",
            Self::Login => "the user and password",
            Self::Socks5 => "the request of SOCKS5",
        })
    }
}

impl ProxyError {
    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Refused { head } => match head.status_line().map(|line| line.code) {
                Some(300..=399) => {
                    "open any http:// page in a browser, and log in if the network or the proxy \
                     asks for it; otherwise check the proxy's address"
                }
                Some(403) => {
                    "allow the host, its port and this client in the proxy's rules; many allow \
                     CONNECT to 443 only; or bypass the proxy with --noproxy HOST"
                }
                // tinyproxy answers 500.
                Some(500 | 502..=504) => {
                    "the proxy could not reach the server: check the URL's host and port, as \
                     the proxy sees them"
                }
                Some(400 | 404 | 405 | 501) => {
                    "this may be a web server instead of a proxy, or a proxy without CONNECT: \
                     check --proxy and the environment"
                }
                _ => "check the proxy's rules, or bypass it with --noproxy HOST",
            },
            Self::Unauthorized { sent: false, .. } | Self::SocksUnauthorized { sent: false } => {
                "send them with --proxy-user USER:PASSWORD"
            }
            Self::Unauthorized { offered, .. }
                if !offered.is_empty()
                    && !offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) =>
            {
                "wscope supports only Basic, which the proxy does not offer"
            }
            Self::Unauthorized { .. }
            | Self::SocksUnauthorized { .. }
            | Self::Closed { asked: Asked::Login, .. } => {
                "check the user and password of --proxy-user or of the proxy's URL"
            }
            Self::SocksRefused { code: 2, version: 5 } => {
                "the proxy's rules forbid this host or port"
            }
            Self::SocksRefused { version: 5, code: 4 } => {
                "the proxy does not find or reach the host: check the name, or look it up here \
                 with socks5:// instead of socks5h:// (or the other way round)"
            }
            Self::SocksRefused { version: 5, code: 8 } => {
                "try socks5h:// instead of socks5://, or -4"
            }
            Self::SocksRefused { .. } | Self::Closed { asked: Asked::Socks5, .. } => {
                "check the URL's host and port, as the proxy sees them"
            }
            Self::NotSocks { found: b'H', .. } => "it seems to speak HTTP: use http://",
            Self::NotSocks { version: 4, found: 5, .. } => {
                "it seems to speak SOCKS5: use socks5h://"
            }
            Self::NotHttp { first_bytes } if matches!(first_bytes.first(), Some(0x15 | 0x16)) => {
                "it seems to speak TLS: use https:// for the proxy"
            }
            Self::NotHttp { first_bytes } if first_bytes.first() == Some(&5) => {
                "it seems to speak SOCKS5: use socks5h://"
            }
            Self::Closed { asked: Asked::Greeting { credentials: false }, .. } => {
                "send a user and password with --proxy-user USER:PASSWORD, if the proxy requires \
                 them; otherwise check its scheme and port"
            }
            Self::NotHttp { .. } | Self::NotSocks { .. } | Self::Closed { .. } => {
                "check the proxy's scheme and port"
            }
            Self::Head(_) | Self::OnlyInterim(_) => "check that this is a proxy",
            Self::Unspeakable { .. } => "use another kind of proxy, such as socks5h:// or http://",
        }
    }

    /// The response with the error, if the proxy uses HTTP.
    pub fn head(&self) -> Option<&Head> {
        match self {
            Self::Refused { head } | Self::Unauthorized { head, .. } => Some(head),
            _ => None,
        }
    }
}

fn status(head: &Head) -> String {
    head.status_line().map_or_else(String::new, |line| {
        format!("{} {}", line.code, line.reason.escape_ascii()).trim_end().to_owned()
    })
}

fn when(received: usize) -> &'static str {
    if received == 0 { "before" } else { "in the middle of" }
}

/// RFC 1928 §6; for SOCKS4 the protocol's memo.
fn reply(version: u8, code: u8) -> &'static str {
    match (version, code) {
        (5, 1) => "general SOCKS server failure",
        (5, 2) => "connection not allowed by ruleset",
        (5, 3) => "network unreachable",
        (5, 4) => "host unreachable",
        (5, 5) => "connection refused",
        (5, 6) => "TTL expired",
        (5, 7) => "command not supported",
        (5, 8) => "address type not supported",
        (4, 91) => "request rejected or failed",
        (4, 92) => "the proxy cannot reach identd here",
        (4, 93) => "identd here names another user",
        _ => "unassigned",
    }
}
