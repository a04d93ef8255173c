//! The route to a server: all options for it, and the resulting hops.
//!
//! [`RouteOptions`] are the options. A [`Route`] is their result for one URL: the first hop, the
//! request to a proxy, the name that TLS verifies. The caller opens the route.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use thiserror::Error;

use super::dial::{self, DialError, Dialed};
use super::overrides::Overrides;
use super::plain_io::plain_io;
use super::proxy::choice::{self, ChoiceError, ProxyOptions, ProxyReason};
use super::proxy::{Destination, Dialogue, Proxy, ProxyError, Scheme};
use super::resolve::{self, AddressFamily, ResolveError};
use super::source::LocalAddress;
use super::stream::Stream;
use super::target::Target;
use super::tls::TlsOptions;

#[cfg(all(test, target_os = "linux"))] // its TLS needs a key that only OpenSSL takes
mod tests;

/// All options for the route to any server.
#[derive(Clone, Debug, Default)]
pub struct RouteOptions {
    /// Which proxy, if any.
    pub proxy: ProxyOptions,
    /// Other addresses and destinations than the URL's.
    pub overrides: Overrides,
    /// The local end of connections.
    pub source: LocalAddress,
    /// A Unix socket instead of any host; without a proxy.
    pub unix_socket: Option<PathBuf>,
    /// Which addresses may be used.
    pub family: AddressFamily,
    /// The TLS options for the server.
    pub tls: TlsOptions,
}

/// The route to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The first hop.
    pub hop: Hop,
    /// The proxy, if the first hop is one.
    pub proxy: Option<Proxy>,
    /// Why there is a proxy, or none.
    pub reason: ProxyReason,
    /// The server's host and port, as a proxy gets them.
    pub destination: Destination,
    /// The destination differs from that of the URL.
    pub redirected: bool,
}

/// The first hop of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// A host: the server or the proxy.
    Tcp(Destination),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A Unix socket to which no connection is possible (W103 or W106).
#[derive(Debug, Error)]
#[error("cannot connect to the Unix socket {}: {}", path.display(), plain_io(source))]
pub struct UnixSocketError {
    /// Its file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// Why wscope can't send a request to the proxy.
#[derive(Debug, Error)]
pub enum ProxyRequestError {
    /// The proxy needs an address, and the server's name has none.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The proxy's protocol can't express the request.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

impl RouteOptions {
    /// The route to a server.
    ///
    /// # Errors
    ///
    /// The proxy's address can't be parsed.
    pub fn route(&self, target: &Target) -> Result<Route, ChoiceError> {
        let server = Destination::new(target.dialled_host(), target.port);
        let destination = self.overrides.redirected(&server);
        let redirected = destination != server;
        if let Some(path) = target.unix_socket.as_ref().or(self.unix_socket.as_ref()) {
            let (hop, reason) = (Hop::Unix(path.clone()), ProxyReason::Unasked);
            return Ok(Route { hop, proxy: None, reason, destination, redirected });
        }
        let choice = choice::choose(&self.proxy, target.secure, &server)?;
        let hop = match &choice.proxy {
            Some(proxy) => Hop::Tcp(proxy.destination()),
            None => Hop::Tcp(destination.clone()),
        };
        Ok(Route { hop, proxy: choice.proxy, reason: choice.reason, destination, redirected })
    }

    /// The addresses of a host, in the order to try them.
    pub fn addresses(
        &self,
        host: &Destination,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        match self.overrides.addresses(host) {
            Some(addresses) => resolve::given(&host.host, addresses, self.family),
            None => resolve::resolve(&host.host, host.port, self.family, deadline),
        }
    }

    /// Connects to one of the addresses.
    pub fn dial(&self, addresses: &[SocketAddr], deadline: Instant) -> Result<Dialed, DialError> {
        dial::dial(&self.source, addresses, deadline)
    }

    /// Begins the dialogue with the route's proxy; `None` if there is none.
    pub fn dialogue(
        &self,
        route: &Route,
        deadline: Instant,
    ) -> Result<Option<Dialogue>, ProxyRequestError> {
        let Some(proxy) = &route.proxy else { return Ok(None) };
        let mut destination = route.destination.clone();
        if proxy.scheme.looks_up_here() {
            let addresses = self.addresses(&destination, deadline)?;
            // SOCKS4 supports only IPv4. A SOCKS5 proxy reports the addresses that it can't reach.
            let fits = |address: &&SocketAddr| proxy.scheme != Scheme::Socks4 || address.is_ipv4();
            let address = addresses.iter().find(fits).or(addresses.first());
            if let Some(address) = address {
                destination.host = address.ip().to_string();
            }
        }
        Ok(Some(Dialogue::begin(proxy, &destination)?))
    }

    /// The TLS options for a proxy: the same trust and versions as for the server, always verified,
    /// without the options for the server (certificate, name, pins, `-k`).
    pub fn proxy_tls(&self) -> TlsOptions {
        TlsOptions {
            cacert: self.tls.cacert.clone(),
            capath: self.tls.capath.clone(),
            min: self.tls.min,
            max: self.tls.max,
            key_log: self.tls.key_log.clone(),
            system_trust: self.tls.system_trust.clone(),
            ..TlsOptions::default()
        }
    }
}

impl Route {
    /// The proxy, if it uses TLS; its host is for [`super::tls::TlsClient`].
    pub fn secure_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.scheme == Scheme::Https)
    }

    /// Notes on an unusual route, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Self { proxy, reason, destination, .. } = self;
        match (proxy, reason) {
            (Some(proxy), ProxyReason::Variable(_)) => {
                notes.push(format!(
                    "the connection goes through the proxy {proxy}, {reason} (W114)"
                ));
            }
            (Some(proxy), _) => {
                notes.push(format!("the connection goes through the proxy {proxy}, {reason}"));
            }
            (None, ProxyReason::Bypassed { .. }) => {
                notes.push(format!("the connection goes through no proxy, {reason}"));
            }
            (None, _) => {}
        }
        if let Hop::Unix(path) = &self.hop {
            notes.push(format!("the connection goes to the Unix socket {}", path.display()));
        } else if self.redirected {
            notes.push(format!("the connection goes to {destination} because of --connect-to"));
        }
        notes
    }
}

/// Connects to a Unix socket.
pub fn connect_unix(path: &Path) -> Result<Stream, UnixSocketError> {
    let connected = std::os::unix::net::UnixStream::connect(path).and_then(|stream| {
        stream.set_nonblocking(true)?;
        Ok(Stream::Unix(mio::net::UnixStream::from_std(stream)))
    });
    connected.map_err(|source| UnixSocketError { path: path.to_owned(), source })
}

impl UnixSocketError {
    /// The code of the diagnostic.
    pub fn code(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::ConnectionRefused => "W103",
            _ => "W106",
        }
    }

    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::ConnectionRefused if self.path.is_file() => {
                "this is a file, not a socket: check the path"
            }
            io::ErrorKind::ConnectionRefused => {
                "no program listens on this socket: start the server"
            }
            io::ErrorKind::NotFound => "check the path, and that the server runs",
            io::ErrorKind::PermissionDenied => "the socket's permissions do not allow it",
            _ => "check that this is the socket of a server",
        }
    }
}
