//! A connected socket: TCP, or a Unix socket of the same machine.
//!
//! It handles only bytes; `link` handles readiness.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
#[cfg(target_os = "linux")]
use rustix::net::sockopt;

/// A non-blocking stream socket.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Our address and the peer's.
    ///
    /// # Errors
    ///
    /// The connection has ended, or has no such addresses.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        match self {
            Self::Tcp(tcp) => Ok((tcp.local_addr()?, tcp.peer_addr()?)),
            Self::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The address to which the peer connected before a firewall redirected it here; without a
    /// redirection, our own address.
    ///
    /// # Errors
    ///
    /// The system does not report it.
    pub fn original_destination(&self) -> io::Result<SocketAddr> {
        #[cfg(target_os = "linux")]
        if let Self::Tcp(tcp) = self {
            // An IPv6 socket also accepts IPv4 connections.
            return Ok(match tcp.local_addr()?.ip().to_canonical().is_ipv4() {
                true => sockopt::ip_original_dst(tcp)?.into(),
                false => sockopt::ipv6_original_dst(tcp)?.into(),
            });
        }
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Finishes connecting. From then on small frames leave at once.
    ///
    /// # Errors
    ///
    /// `NotConnected` while the connection is being opened; otherwise the reason of the failure.
    pub fn connected(&self) -> io::Result<()> {
        let Self::Tcp(tcp) = self else { return Ok(()) };
        if let Some(error) = tcp.take_error()? {
            return Err(error);
        }
        tcp.peer_addr()?;
        // If this fails, the connection is already dead, and its first use reports a better error.
        let _ = tcp.set_nodelay(true);
        Ok(())
    }

    /// Ends one direction, or both.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.shutdown(how),
            Self::Unix(unix) => unix.shutdown(how),
        }
    }
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buffer),
            Self::Unix(unix) => unix.read(buffer),
        }
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes),
            Self::Unix(unix) => unix.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(tcp) => tcp.as_fd(),
            Self::Unix(unix) => unix.as_fd(),
        }
    }
}

impl Source for Stream {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.register(registry, token, interests),
            Self::Unix(unix) => unix.register(registry, token, interests),
        }
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.reregister(registry, token, interests),
            Self::Unix(unix) => unix.reregister(registry, token, interests),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.deregister(registry),
            Self::Unix(unix) => unix.deregister(registry),
        }
    }
}
