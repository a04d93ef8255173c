//! Where a server listens: TCP on one or two addresses, or a Unix socket.
//!
//! It binds, accepts, and removes the Unix socket's file at the end. It must not know what the
//! server does.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::plain_io::plain_io;
use super::stream::Stream;

/// Where to listen, as requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// Only this machine, IPv4 and IPv6. With port 0, the system chooses a port.
    Loopback(u16),
    /// One address.
    Address(SocketAddr),
    /// Every address of this machine, IPv4 and IPv6.
    Everywhere(u16),
    /// A Unix socket with the permissions of its file.
    Unix {
        /// The file.
        path: PathBuf,
        /// Who may connect: the mode as for `chmod`.
        mode: u32,
    },
}

impl ListenAddress {
    /// Whether the system chooses the port.
    pub fn has_any_port(&self) -> bool {
        match self {
            Self::Loopback(port) | Self::Everywhere(port) => *port == 0,
            Self::Address(address) => address.port() == 0,
            Self::Unix { .. } => false,
        }
    }

    /// Whether clients can reach it through the loopback interface.
    pub fn reaches_loopback(&self) -> bool {
        match self {
            Self::Loopback(_) | Self::Everywhere(_) => true,
            Self::Address(address) => {
                let ip = address.ip().to_canonical();
                ip.is_loopback() || ip.is_unspecified()
            }
            Self::Unix { .. } => false,
        }
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Loopback(_) | Self::Unix { .. } => true,
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            Self::Everywhere(_) => false,
        }
    }
}

/// Why listening failed.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: {reason}")]
pub struct ListenError {
    /// The address or file.
    pub address: String,
    /// The error of the system, and what to do.
    pub reason: String,
}

/// The listening sockets of a server. Dropping them removes the Unix socket's file.
pub struct Listeners {
    sockets: Vec<ListeningSocket>,
    file: Option<SocketFile>,
}

enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listeners {
    /// Binds, listens, and registers each socket (at most two) with one of `tokens`.
    ///
    /// # Errors
    ///
    /// The address is in use, does not belong to this machine, or is not allowed.
    pub fn bind(
        address: &ListenAddress,
        registry: &Registry,
        tokens: [Token; 2],
    ) -> Result<Self, ListenError> {
        let (mut sockets, file) = match address {
            ListenAddress::Loopback(port) => (loopback(*port)?, None),
            // A socket on `::` also accepts IPv4, by default on every Unix except OpenBSD.
            ListenAddress::Everywhere(port) => {
                match listen((Ipv6Addr::UNSPECIFIED, *port).into()) {
                    Ok(both) => (vec![ListeningSocket::Tcp(both)], None),
                    Err(_) => (vec![tcp((Ipv4Addr::UNSPECIFIED, *port).into())?], None),
                }
            }
            ListenAddress::Address(address) => (vec![tcp(*address)?], None),
            ListenAddress::Unix { path, mode } => {
                let (socket, file) = unix(path, *mode)?;
                (vec![socket], Some(file))
            }
        };
        for (socket, token) in sockets.iter_mut().zip(tokens) {
            let interest = Interest::READABLE;
            match socket {
                ListeningSocket::Tcp(tcp) => registry.register(tcp, token, interest),
                ListeningSocket::Unix(unix) => registry.register(unix, token, interest),
            }
            .map_err(|error| failed("a socket", &error))?;
        }
        Ok(Self { sockets, file })
    }

    /// The bound addresses, with the port that the system chose; empty for a Unix socket.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let address = |socket: &ListeningSocket| match socket {
            ListeningSocket::Tcp(tcp) => tcp.local_addr().ok(),
            ListeningSocket::Unix(_) => None,
        };
        self.sockets.iter().filter_map(address).collect()
    }

    /// The Unix socket's file.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// The next waiting client, and its address if it has one; `None` if there is none.
    pub fn accept(&mut self) -> io::Result<Option<(Stream, Option<SocketAddr>)>> {
        for socket in &mut self.sockets {
            loop {
                let accepted = match socket {
                    ListeningSocket::Tcp(tcp) => tcp.accept().map(|(tcp, peer)| {
                        // wscope writes whole frames, so delaying small packets is useless. The
                        // call fails only if the connection has already ended.
                        let _ = tcp.set_nodelay(true);
                        (Stream::Tcp(tcp), Some(peer))
                    }),
                    ListeningSocket::Unix(unix) => {
                        unix.accept().map(|(unix, _)| (Stream::Unix(unix), None))
                    }
                };
                match accepted {
                    Ok(client) => return Ok(Some(client)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // The client left while it waited; there may be another one.
                    Err(error) if is_of_the_client(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(None)
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied)
}

/// IPv4, and IPv6 on the same port if possible.
fn loopback(port: u16) -> Result<Vec<ListeningSocket>, ListenError> {
    /// Another program may use the chosen port with the other address family; that is rare.
    const ATTEMPTS: usize = 8;
    let mut first = listen_on((Ipv4Addr::LOCALHOST, port).into())?;
    for _ in 0..ATTEMPTS {
        let chosen = first.local_addr().map_err(|error| failed("127.0.0.1", &error))?.port();
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, chosen));
        match listen(v6) {
            Ok(second) => {
                return Ok(vec![ListeningSocket::Tcp(first), ListeningSocket::Tcp(second)]);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if port != 0 {
                    // Half of the clients of `localhost` would reach the other program.
                    return Err(failed(&v6, &error));
                }
                first = listen_on((Ipv4Addr::LOCALHOST, port).into())?;
            }
            // This machine has no IPv6.
            Err(_) => break,
        }
    }
    Ok(vec![ListeningSocket::Tcp(first)])
}

fn listen_on(address: SocketAddr) -> Result<TcpListener, ListenError> {
    listen(address).map_err(|error| failed(&address, &error))
}

fn tcp(address: SocketAddr) -> Result<ListeningSocket, ListenError> {
    listen_on(address).map(ListeningSocket::Tcp)
}

/// With `SO_REUSEADDR`, so that a restart need not wait for old connections.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

fn failed(address: &(impl ToString + ?Sized), error: &io::Error) -> ListenError {
    let help = match error.kind() {
        io::ErrorKind::AddrInUse => "; another program listens there; choose another port, or 0",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need root",
        io::ErrorKind::AddrNotAvailable => "; the address does not belong to this machine",
        _ => "",
    };
    ListenError { address: address.to_string(), reason: format!("{}{help}", plain_io(error)) }
}

/// The file of a Unix socket; removed at the end if it still belongs to this program.
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if ours {
            // At the end of the program, the error does not matter.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unix(path: &Path, mode: u32) -> Result<(ListeningSocket, SocketFile), ListenError> {
    let fail = |reason: String| ListenError { address: path.display().to_string(), reason };
    if let Ok(file) = fs::symlink_metadata(path) {
        if !file.file_type().is_socket() {
            return Err(fail("a file of this name exists and is not a socket".to_owned()));
        }
        match std::os::unix::net::UnixStream::connect(path) {
            // The file of a server that ended without removing it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(|error| fail(plain_io(&error)))?;
            }
            Ok(_) => return Err(fail("another program listens there".to_owned())),
            Err(error) => return Err(fail(plain_io(&error))),
        }
    }
    // No client can connect before the requested mode is set.
    let before = rustix::process::umask(Mode::from_raw_mode(0o777));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    let socket = bound.map_err(|error| fail(plain_io(&error)))?;
    let set = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let inode = set.and_then(|()| fs::symlink_metadata(path)).map(|file| file.ino());
    match inode {
        Ok(inode) => {
            Ok((ListeningSocket::Unix(socket), SocketFile { path: path.to_owned(), inode }))
        }
        Err(error) => {
            let _ = fs::remove_file(path);
            Err(fail(plain_io(&error)))
        }
    }
}

/// How many descriptors are reserved for other purposes than connections: a client that is refused,
/// the file of a command, the pipes of a process while it starts.
const SPARE: u64 = 8;
/// Raises the soft limit of descriptors to the hard limit. Returns how many are left for clients,
/// without the open ones and a small reserve; about `u64::MAX` if there is no limit.
///
/// The soft limit (1024 on most systems) protects programs that use `select`; wscope does not use
/// it.
pub fn descriptors_left() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // macOS refuses limits above OPEN_MAX; then the limit does not change.
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // The count includes the open folder itself. If the folder can't be read, assumes the number
    // that a server without clients uses.
    let open = fs::read_dir("/dev/fd").map_or(24, |entries| entries.count() as u64 - 1);
    allowed.unwrap_or(u64::MAX).saturating_sub(open + SPARE)
}
