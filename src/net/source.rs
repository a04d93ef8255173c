//! The local end of a connection: its address, port or network interface.
//!
//! It handles one socket at a time, and must not know names or races.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use super::plain_io::plain_io;
use crate::wire::host;

/// The local end of connections; by default, the system chooses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAddress {
    /// `--interface`.
    pub interface: Option<Interface>,
    /// `--local-port`: the first free port of this range.
    pub ports: Option<PortRange>,
}

/// An address of this machine, or one of its network interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// An address.
    Address(IpAddr),
    /// A name, as in `eth0` (Linux).
    Device(String),
}

/// `PORT` or `PORT-PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange(RangeInclusive<u16>);

/// A text that is not an interface, or not a range of ports.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Not an address and not a name.
    #[error("{0:?} is neither an IP address nor the name of a network interface")]
    Interface(String),
    /// Not a port, or an empty range.
    #[error("{0:?} is not a port or a range of ports; write one like 40000 or 40000-40010")]
    Ports(String),
}

impl LocalAddress {
    /// Whether the system may choose.
    pub fn is_any(&self) -> bool {
        self.interface.is_none() && self.ports.is_none()
    }

    /// Connects a blocking socket from here.
    ///
    /// # Errors
    ///
    /// Those of the connection; `AddrNotAvailable` if the local address has another family than
    /// `address` or does not belong to this machine; `AddrInUse` if every port is in use.
    pub fn connect(&self, address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        if self.is_any() {
            return TcpStream::connect_timeout(&address, timeout);
        }
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        let unspecified = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let near = match &self.interface {
            Some(Interface::Address(near)) if near.is_ipv4() != address.is_ipv4() => {
                let text = format!("{near} is of another address family");
                return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
            }
            Some(Interface::Address(near)) => *near,
            Some(Interface::Device(name)) => {
                bind_device(&socket, name)?;
                unspecified
            }
            None => unspecified,
        };
        self.bind(&socket, near)?;
        socket.connect_timeout(&address.into(), timeout)?;
        Ok(socket.into())
    }

    fn bind(&self, socket: &Socket, near: IpAddr) -> io::Result<()> {
        let Some(PortRange(ports)) = &self.ports else {
            return match near.is_unspecified() {
                true => Ok(()),
                false => socket
                    .bind(&SocketAddr::new(near, 0).into())
                    .map_err(|error| unusable(near, error)),
            };
        };
        let mut result = Ok(());
        for port in ports.clone() {
            result = socket.bind(&SocketAddr::new(near, port).into());
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        result.map_err(|error| unusable(near, error))
    }
}

/// An error that names the option whose address or port can't be used.
fn unusable(near: IpAddr, error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::AddrNotAvailable => io::Error::new(
            kind,
            format!("{near}, given as --interface, is not an address of this machine"),
        ),
        kind @ io::ErrorKind::AddrInUse => {
            io::Error::new(kind, "each port of --local-port is in use on this machine")
        }
        _ => error,
    }
}

#[cfg(target_os = "linux")]
fn bind_device(socket: &Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes())).map_err(|error| {
        if error.kind() == io::ErrorKind::PermissionDenied {
            return error;
        }
        let text = format!("the network interface {name}: {}", plain_io(&error));
        io::Error::new(io::ErrorKind::AddrNotAvailable, text)
    })
}

#[cfg(not(target_os = "linux"))]
fn bind_device(_: &Socket, name: &str) -> io::Result<()> {
    let text = format!("give the address of interface {name} instead of its name on this system");
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

impl FromStr for Interface {
    type Err = SourceError;

    /// An address, with or without brackets; a name; or, as in curl, `if!NAME` and `host!ADDRESS`.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = || SourceError::Interface(text.to_owned());
        let address = |text: &str| host::address(text).map(Self::Address);
        if let Some(text) = text.strip_prefix("host!") {
            return address(text).ok_or_else(wrong);
        }
        let name = text.strip_prefix("if!").unwrap_or(text);
        if let Some(address) = address(name) {
            return Ok(address);
        }
        // Linux: at most 15 bytes, no slash, no white space, no colon (dev_valid_name).
        let fits = (1..=15).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:".contains(&byte));
        if fits { Ok(Self::Device(name.to_owned())) } else { Err(wrong()) }
    }
}

impl FromStr for PortRange {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = || SourceError::Ports(text.to_owned());
        let port = |text: &str| super::proxy::read_port(text).map_err(|_| wrong());
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first <= last { Ok(Self(first..=last)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Device(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    fn from(interface: Option<&str>, ports: Option<&str>) -> LocalAddress {
        LocalAddress {
            interface: interface.map(|text| text.parse().unwrap()),
            ports: ports.map(|text| text.parse().unwrap()),
        }
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[test]
    #[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is this machine
    fn the_near_address_is_the_one_asked_for() {
        let (listener, address) = listener();
        let stream = from(Some("127.0.0.9"), None).connect(address, CONNECT_TIMEOUT).unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), "127.0.0.9".parse::<IpAddr>().unwrap());
        assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
    }

    #[test]
    fn the_near_port_is_the_first_free_one() {
        let (_listener, address) = listener();
        let (_taken, taken) = listener_below_the_last_port();
        let range = format!("{}-{}", taken.port(), taken.port() + 1);
        match from(Some("127.0.0.1"), Some(&range)).connect(address, CONNECT_TIMEOUT) {
            Ok(stream) => assert_eq!(stream.local_addr().unwrap().port(), taken.port() + 1),
            // Another program uses the second port.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::AddrInUse),
        }
        let alone = from(Some("127.0.0.1"), Some(&taken.port().to_string()));
        let error = alone.connect(address, CONNECT_TIMEOUT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    fn listener_below_the_last_port() -> (TcpListener, SocketAddr) {
        loop {
            let (listener, address) = listener();
            if address.port() < u16::MAX {
                return (listener, address);
            }
        }
    }

    #[test]
    fn an_address_of_the_other_family_is_reported() {
        let (_listener, address) = listener();
        let error = from(Some("::1"), None).connect(address, CONNECT_TIMEOUT).unwrap_err();
        assert_eq!(error.to_string(), "::1 is of another address family");
    }

    #[test]
    fn an_address_of_another_machine_is_reported() {
        let (_listener, address) = listener();
        let error = from(Some("192.0.2.1"), None).connect(address, CONNECT_TIMEOUT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_interface_by_its_name() {
        let (_listener, address) = listener();
        let error = from(Some("none-such"), None).connect(address, CONNECT_TIMEOUT).unwrap_err();
        // Old kernels allow only root to choose an interface.
        if error.kind() != io::ErrorKind::PermissionDenied {
            assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
            assert_eq!(error.to_string(), "the network interface none-such: no such device");
        }
        if let Err(error) = from(Some("lo"), None).connect(address, CONNECT_TIMEOUT) {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }

    #[test]
    fn addresses_names_and_curls_prefixes() {
        let device = |name: &str| Ok(Interface::Device(name.to_owned()));
        let address = |text: &str| Ok(Interface::Address(text.parse().unwrap()));
        assert_eq!("eth0".parse(), device("eth0"));
        assert_eq!("if!eth0".parse(), device("eth0"));
        assert_eq!("127.0.0.1".parse(), address("127.0.0.1"));
        assert_eq!("[::1]".parse(), address("::1"));
        assert_eq!("host!::1".parse(), address("::1"));
        for wrong in ["", "if!", "host!eth0", "a b", "a/b", "a-name-of-16-let"] {
            assert!(wrong.parse::<Interface>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_and_ranges() {
        assert_eq!("5-7".parse(), Ok(PortRange(5..=7)));
        assert_eq!("5".parse(), Ok(PortRange(5..=5)));
        for wrong in ["", "0", "7-5", "5-", "-5", "1-2-3", "x", "70000"] {
            assert!(wrong.parse::<PortRange>().is_err(), "{wrong}");
        }
    }
}
