//! A captured handshake and what is known about it: the input of the rules.

use crate::wire::head::Head;

/// The known parts of the requested URL.
#[derive(Clone, Copy, Debug)]
pub struct UrlFacts<'a> {
    /// True for `wss`.
    pub secure: bool,
    /// The host as it is in a `Host` header: IPv6 addresses in brackets.
    pub host: &'a str,
    /// The port, the scheme's default filled in.
    pub port: u16,
    /// Path and query: the resource name of RFC 6455 §3.
    pub resource: &'a str,
    /// The fragment without `#`, which no ws URL may have.
    pub fragment: Option<&'a str>,
    /// Whether the host is this machine.
    pub loopback: bool,
}

/// The server name in the TLS handshake, if it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sni<'a> {
    /// The TLS handshake was not seen.
    #[default]
    Unseen,
    /// The TLS handshake named no server.
    Missing,
    /// The TLS handshake named this server.
    Sent(&'a str),
}

/// A captured handshake and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeContext<'a> {
    /// The URL; unknown for a server and in a capture without one.
    pub url: Option<UrlFacts<'a>>,
    /// The name in the TLS handshake.
    pub sni: Sni<'a>,
    /// How many bytes the client sent after the request and before it received the response.
    pub early_bytes: u64,
    /// The key headers of earlier connections in this session, in order.
    pub earlier_keys: &'a [Vec<u8>],
    /// The request as it was sent.
    pub request: &'a Head,
    /// The received response; without it, no rule for servers applies.
    pub response: Option<&'a Head>,
}

impl<'a> HandshakeContext<'a> {
    /// A pair of heads without other known facts.
    pub fn new(request: &'a Head, response: Option<&'a Head>) -> Self {
        Self { url: None, sni: Sni::Unseen, early_bytes: 0, earlier_keys: &[], request, response }
    }
}
