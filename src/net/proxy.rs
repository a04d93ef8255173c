//! Proxies on the route to the server: the choice of a proxy, and the dialogue with it until the
//! tunnel is open.
//!
//! [`choice`] decides, a [`Dialogue`] speaks (bytes in, bytes out), [`tunnel`] drives it over a
//! link. The data in the tunnel is not read here. Passwords appear in no message, error or debug
//! output.

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

/// Whom a proxy, or the system, is to connect to.
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

/// What became of the bytes given to [`Dialogue::feed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialogueProgress {
    /// How many of them were for us; those after belong to the tunnel.
    pub consumed: usize,
    /// Whether the way to the destination is open.
    pub open: bool,
}

/// The talk with a proxy. The one rule: after [`Dialogue::begin`] and each [`Dialogue::feed`],
/// send what [`Dialogue::take_output`] gives.
pub struct Dialogue {
    protocol: Protocol,
}

enum Protocol {
    Connect(Box<Connect>),
    Socks4(Socks4),
    Socks5(Socks5),
}

impl Dialogue {
    /// Begins to ask `proxy` for a way to `destination`, which is an address where the proxy's
    /// scheme looks names up here: see [`Scheme::looks_up_here`].
    ///
    /// # Errors
    ///
    /// [`ProxyError::Unspeakable`]: the protocol can't express it.
    pub fn begin(proxy: &Proxy, destination: &Destination) -> Result<Self, ProxyError> {
        let credentials = proxy.credentials.as_ref();
        let protocol = match proxy.scheme {
            Scheme::Http | Scheme::Https => {
                Protocol::Connect(Box::new(Connect::new(destination, credentials)?))
            }
            Scheme::Socks4 | Scheme::Socks4a => {
                Protocol::Socks4(Socks4::new(destination, credentials)?)
            }
            Scheme::Socks5 | Scheme::Socks5h => {
                Protocol::Socks5(Socks5::new(destination, credentials)?)
            }
        };
        Ok(Self { protocol })
    }

    /// What must be sent now; nothing most of the time.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.protocol {
            Protocol::Connect(connect) => &mut connect.output,
            Protocol::Socks4(socks) => &mut socks.output,
            Protocol::Socks5(socks) => &mut socks.output,
        })
    }

    /// Takes what the proxy has sent, up to the end of its last message and no byte more. Once the
    /// tunnel is open, or has failed, nothing more is taken.
    ///
    /// # Errors
    ///
    /// The proxy refuses, or does not speak its protocol.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<DialogueProgress, ProxyError> {
        match &mut self.protocol {
            Protocol::Connect(connect) => connect.feed(bytes),
            Protocol::Socks4(socks) => socks.feed(bytes),
            Protocol::Socks5(socks) => socks.feed(bytes),
        }
    }

    /// The proxy's stream has ended: why that is an error.
    pub fn ended(&self) -> ProxyError {
        let (received, asked) = match &self.protocol {
            Protocol::Connect(connect) => (connect.received(), Asked::Connect),
            Protocol::Socks4(socks) => (socks.received, Asked::Socks4),
            Protocol::Socks5(socks) => socks.asked(),
        };
        ProxyError::Closed { received, asked }
    }

    fn speaks(&self) -> &'static str {
        match self.protocol {
            Protocol::Connect(_) => "HTTP",
            Protocol::Socks4(_) => "SOCKS4",
            Protocol::Socks5(_) => "SOCKS5",
        }
    }

    /// The request as it is sent, if the proxy uses HTTP. It contains the password: see
    /// `Proxy-Authorization`.
    pub fn request(&self) -> Option<&Head> {
        match &self.protocol {
            Protocol::Connect(connect) => Some(&connect.request),
            Protocol::Socks4(_) | Protocol::Socks5(_) => None,
        }
    }

    /// The last response as received, if the proxy uses HTTP.
    pub fn response(&self) -> Option<&Head> {
        match &self.protocol {
            Protocol::Connect(connect) => connect.response.as_ref(),
            Protocol::Socks4(_) | Protocol::Socks5(_) => None,
        }
    }
}

/// What is to be sent may hold a password.
impl std::fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialogue").field("speaks", &self.speaks()).finish_non_exhaustive()
    }
}
