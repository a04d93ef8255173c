//! Proxies on the route to the server: the choice of a proxy, and the dialogue with it until the
//! tunnel is open.
//!
//! [`choice`] chooses the proxy, a [`Dialogue`] has the protocol (bytes in, bytes out), and
//! [`tunnel`] runs it over a link. This module does not read the data in the tunnel. Messages,
//! errors and debug output never contain passwords.

mod address;
pub mod choice;
mod connect;
mod error;
mod socks4;
mod socks5;
pub mod tunnel;

#[cfg(test)]
mod tests;

pub(in crate::net) use self::address::read_port;
pub use self::address::{AddressError, Credentials, Proxy, Scheme};
use self::connect::Connect;
pub use self::error::{Asked, ProxyError};
use self::socks4::Socks4;
use self::socks5::Socks5;
use crate::wire::head::Head;

/// The server to which a proxy, or the system, must connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// A name, or an address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Destination {
    /// A host and its port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

/// `host:port`, with an IPv6 address in brackets.
impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The result of [`Dialogue::feed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialogueProgress {
    /// How many of the bytes belong to the dialogue; the rest belongs to the tunnel.
    pub consumed: usize,
    /// Whether the tunnel to the destination is open.
    pub open: bool,
}

/// The dialogue with a proxy. Its only rule: after [`Dialogue::begin`] and after each
/// [`Dialogue::feed`], send the bytes of [`Dialogue::take_output`].
pub struct Dialogue {
    protocol: ProxyProtocol,
}

enum ProxyProtocol {
    Connect(Box<Connect>),
    Socks4(Socks4),
    Socks5(Socks5),
}

impl Dialogue {
    /// Begins to ask `proxy` for a tunnel to `destination`. The destination must be an address if
    /// the scheme requires this side to look up names: see [`Scheme::looks_up_here`].
    ///
    /// # Errors
    ///
    /// [`ProxyError::Unspeakable`]: the protocol can't express it.
    pub fn begin(proxy: &Proxy, destination: &Destination) -> Result<Self, ProxyError> {
        let credentials = proxy.credentials.as_ref();
        let protocol = match proxy.scheme {
            Scheme::Http | Scheme::Https => {
                ProxyProtocol::Connect(Box::new(Connect::new(destination, credentials)?))
            }
            Scheme::Socks4 | Scheme::Socks4a => {
                ProxyProtocol::Socks4(Socks4::new(destination, credentials)?)
            }
            Scheme::Socks5 | Scheme::Socks5h => {
                ProxyProtocol::Socks5(Socks5::new(destination, credentials)?)
            }
        };
        Ok(Self { protocol })
    }

    /// The bytes to send now; usually none.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.protocol {
            ProxyProtocol::Connect(connect) => &mut connect.output,
            ProxyProtocol::Socks4(socks) => &mut socks.output,
            ProxyProtocol::Socks5(socks) => &mut socks.output,
        })
    }

    /// Takes bytes of the proxy, exactly up to the end of its last message. Takes nothing after the
    /// tunnel is open or has failed.
    ///
    /// # Errors
    ///
    /// The proxy refuses, or breaks its protocol.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<DialogueProgress, ProxyError> {
        match &mut self.protocol {
            ProxyProtocol::Connect(connect) => connect.feed(bytes),
            ProxyProtocol::Socks4(socks) => socks.feed(bytes),
            ProxyProtocol::Socks5(socks) => socks.feed(bytes),
        }
    }

    /// The error for a proxy's stream that has ended.
    pub fn ended(&self) -> ProxyError {
        let (received, asked) = match &self.protocol {
            ProxyProtocol::Connect(connect) => (connect.received(), Asked::Connect),
            ProxyProtocol::Socks4(socks) => (socks.received, Asked::Socks4),
            ProxyProtocol::Socks5(socks) => socks.asked(),
        };
        ProxyError::Closed { received, asked }
    }

    fn speaks(&self) -> &'static str {
        match self.protocol {
            ProxyProtocol::Connect(_) => "HTTP",
            ProxyProtocol::Socks4(_) => "SOCKS4",
            ProxyProtocol::Socks5(_) => "SOCKS5",
        }
    }

    /// The sent request, if the proxy uses HTTP. It contains the password: see
    /// `Proxy-Authorization`.
    pub fn request(&self) -> Option<&Head> {
        match &self.protocol {
            ProxyProtocol::Connect(connect) => Some(&connect.request),
            ProxyProtocol::Socks4(_) | ProxyProtocol::Socks5(_) => None,
        }
    }

    /// The last response as received, if the proxy uses HTTP.
    pub fn response(&self) -> Option<&Head> {
        match &self.protocol {
            ProxyProtocol::Connect(connect) => connect.response.as_ref(),
            ProxyProtocol::Socks4(_) | ProxyProtocol::Socks5(_) => None,
        }
    }
}

/// Hides the bytes to send, because they may contain a password.
impl std::fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialogue").field("speaks", &self.speaks()).finish_non_exhaustive()
    }
}
