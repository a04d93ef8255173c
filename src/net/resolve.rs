//! Resolves a host name to addresses, in the order to try them.
//!
//! It calls the system's resolver (`getaddrinfo`), which blocks, in a thread with a deadline. It
//! must not know URLs or connections.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use thiserror::Error;

/// Which addresses may be used: `-4`, `-6` or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressFamily {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl AddressFamily {
    /// The family that the options select; both without an option.
    pub fn only(ipv4: bool, ipv6: bool) -> Self {
        match (ipv4, ipv6) {
            (true, _) => Self::V4,
            (_, true) => Self::V6,
            _ => Self::Any,
        }
    }
}

/// Why a host has no address to connect to.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The resolver answered that there is no such name, or no address for it (W101).
    #[error(
        "host {host} was not found; check the spelling, and whether the name exists only inside a VPN"
    )]
    NotFound {
        /// The requested name.
        host: String,
    },
    /// The resolver could not get an answer now (W102).
    #[error("host {host} could not be resolved: the name server failed temporarily; try again")]
    Temporary {
        /// The requested name.
        host: String,
    },
    /// The resolver did not answer before the deadline (W102).
    #[error("host {host} could not be resolved in time: the name server does not answer")]
    TimedOut {
        /// The requested name.
        host: String,
    },
    /// The name has addresses, but none of the requested family.
    #[error("host {host} has no {family} address, only {found} of the other family; allow both")]
    NoAddressOfFamily {
        /// The requested name.
        host: String,
        /// The requested family.
        family: AddressFamily,
        /// How many addresses of the other family there are.
        found: usize,
    },
    /// The system reported another error.
    #[error("host {host} could not be resolved: {source}")]
    System {
        /// The requested name.
        host: String,
        /// The system's error.
        source: io::Error,
    },
}

/// The addresses of `host`, at least one, without duplicates, families in turn.
///
/// `host` is a name or an address without brackets; an address needs no lookup. After the deadline,
/// the helper thread ends by itself.
///
/// # Errors
///
/// One [`ResolveError`] for each way a lookup fails.
pub fn resolve(
    host: &str,
    port: u16,
    family: AddressFamily,
    deadline: Instant,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => look_up(host, port, deadline)?,
    };
    select(host, found, family)
}

/// Like [`resolve`], for addresses given by `--resolve`: no lookup.
///
/// # Errors
///
/// [`ResolveError::NoAddressOfFamily`].
pub fn given(
    host: &str,
    addresses: Vec<SocketAddr>,
    family: AddressFamily,
) -> Result<Vec<SocketAddr>, ResolveError> {
    select(host, addresses, family)
}

impl AddressFamily {
    /// Whether an address belongs to the family.
    pub fn admits(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

impl std::fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

fn look_up(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, ResolveError> {
    let timeout = deadline.saturating_duration_since(Instant::now());
    if timeout.is_zero() {
        return Err(ResolveError::TimedOut { host: host.to_owned() });
    }
    let (answer, answered) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            // After the deadline, nothing receives the answer.
            let _ = answer.send(found);
        })
        .map_err(|source| ResolveError::System { host: host.to_owned(), source })?;

    match answered.recv_timeout(timeout) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(source)) => Err(classify(host, source)),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(ResolveError::TimedOut { host: host.to_owned() })
        }
    }
}

/// Classifies a failure by its text, because `std` does not keep the EAI code of `getaddrinfo`. The
/// texts are those of glibc, musl and macOS.
fn classify(host: &str, source: io::Error) -> ResolveError {
    let host = host.to_owned();
    let text = source.to_string().to_ascii_lowercase();
    let contains = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let not_found =
        ["not known", "no address associated", "does not resolve", "not supported for hostname"];
    if contains(&not_found) {
        ResolveError::NotFound { host }
    } else if contains(&["temporary failure", "try again"]) {
        ResolveError::Temporary { host }
    } else {
        ResolveError::System { host, source }
    }
}

fn select(
    host: &str,
    mut found: Vec<SocketAddr>,
    family: AddressFamily,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let total = found.len();
    found.retain(|address| family.admits(address));
    if !found.is_empty() {
        return Ok(interleave(found));
    }
    let host = host.to_owned();
    Err(match total {
        0 => ResolveError::NotFound { host },
        found => ResolveError::NoAddressOfFamily { host, family, found },
    })
}

/// RFC 8305 §4: "the client SHOULD modify the ordered list to interleave address
/// families. Whichever address family is first in the list should be followed
/// by an address of the other address family".
fn interleave(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut unique = Vec::with_capacity(found.len());
    for address in found {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    let leader = unique.first().is_some_and(SocketAddr::is_ipv6);
    let total = unique.len();
    let (leading, following): (Vec<_>, Vec<_>) =
        unique.into_iter().partition(|address| address.is_ipv6() == leader);

    let (mut leading, mut following) = (leading.into_iter(), following.into_iter());
    let mut ordered = Vec::with_capacity(total);
    while ordered.len() < total {
        ordered.extend(leading.next());
        ordered.extend(following.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 1)).collect()
    }

    #[test]
    fn addresses_need_no_lookup_and_no_time() {
        let past = Instant::now();
        let found = resolve("127.0.0.1", 80, AddressFamily::Any, past).unwrap();
        assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
        let found = resolve("::1", 443, AddressFamily::V6, past).unwrap();
        assert_eq!(found, ["[::1]:443".parse().unwrap()]);
    }

    #[test]
    fn localhost_is_this_machine() {
        let found = resolve("localhost", 9000, AddressFamily::Any, soon()).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 9000));
    }

    #[test]
    fn families_alternate_from_the_first_one_on() {
        assert_eq!(
            interleave(addresses(&["::1", "::2", "::2", "::3", "1.1.1.1", "2.2.2.2"])),
            addresses(&["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"])
        );
        assert_eq!(
            interleave(addresses(&["1.1.1.1", "2.2.2.2", "3.3.3.3", "::1"])),
            addresses(&["1.1.1.1", "::1", "2.2.2.2", "3.3.3.3"])
        );
        assert!(interleave(Vec::new()).is_empty());
    }

    #[test]
    fn no_address_of_family() {
        let error = resolve("127.0.0.1", 80, AddressFamily::V6, soon()).unwrap_err();
        assert!(matches!(error, ResolveError::NoAddressOfFamily { found: 1, .. }), "{error}");
        assert!(error.to_string().contains("no IPv6 address"), "{error}");
        let error = resolve("::1", 80, AddressFamily::V4, soon()).unwrap_err();
        assert!(error.to_string().contains("no IPv4 address"), "{error}");
    }

    #[test]
    fn an_empty_answer_is_not_found() {
        let error = select("h", Vec::new(), AddressFamily::V4).unwrap_err();
        assert!(matches!(error, ResolveError::NotFound { .. }), "{error}");
    }

    #[test]
    fn timed_out() {
        let error = resolve("localhost", 80, AddressFamily::Any, Instant::now()).unwrap_err();
        assert!(matches!(error, ResolveError::TimedOut { .. }), "{error}");
    }

    #[test]
    fn the_errors_of_the_system_are_classified() {
        let classified = |words: &str| {
            let text = format!("failed to lookup address information: {words}");
            classify("h", io::Error::other(text))
        };
        for words in [
            "Name or service not known",
            "No address associated with hostname",
            "nodename nor servname provided, or not known",
            "Name does not resolve",
        ] {
            assert!(matches!(classified(words), ResolveError::NotFound { .. }), "{words}");
        }
        for words in ["Temporary failure in name resolution", "Try again"] {
            assert!(matches!(classified(words), ResolveError::Temporary { .. }), "{words}");
        }
        assert!(matches!(classified("Memory allocation failure"), ResolveError::System { .. }));
    }
}
