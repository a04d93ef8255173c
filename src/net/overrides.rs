//! Other destinations than the URL's: `--resolve` sets the addresses of a name, `--connect-to`
//! another host and port; as in curl.
//!
//! The request still has the URL's host, and TLS verifies the URL's name. This file must not know
//! sockets.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

use super::proxy::Destination;
use crate::wire::host::address;

/// All overrides, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--resolve`.
    pub resolve: Vec<Resolve>,
    /// `--connect-to`.
    pub connect_to: Vec<ConnectTo>,
}

/// `HOST:PORT:ADDRESS[,ADDRESS]…`: the addresses of a name, instead of the resolver's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The name in lower case; `None` for `*`, which is every name.
    host: Option<String>,
    port: u16,
    addresses: Vec<IpAddr>,
}

/// `HOST1:PORT1:HOST2:PORT2`: connects to the second instead of the first. In the first, an empty
/// part means any host or port; in the second, it means the same as in the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    from_host: Option<String>,
    from_port: Option<u16>,
    to_host: Option<String>,
    to_port: Option<u16>,
}

/// A text that is not an override. Each error says what to write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OverrideError {
    /// Too few or too many parts for `--resolve`.
    #[error("write HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1; HOST may be *")]
    ResolveForm,
    /// Too few or too many parts for `--connect-to`.
    #[error(
        "write HOST1:PORT1:HOST2:PORT2, as in example.com:443:localhost:8443; parts may be empty"
    )]
    ConnectToForm,
    /// Not a number from 1 to 65535.
    #[error("the port {0:?} is not a number from 1 to 65535")]
    Port(String),
    /// Neither IPv4 nor IPv6.
    #[error("{0:?} is not an IP address")]
    Address(String),
}

impl Overrides {
    /// The destination to use instead of `wanted`: the first matching `--connect-to` decides.
    pub fn redirected(&self, wanted: &Destination) -> Destination {
        let fits = |rule: &&ConnectTo| {
            let host = rule.from_host.as_ref();
            host.is_none_or(|host| host.eq_ignore_ascii_case(&wanted.host))
                && rule.from_port.is_none_or(|port| port == wanted.port)
        };
        match self.connect_to.iter().find(fits) {
            Some(rule) => Destination {
                host: rule.to_host.clone().unwrap_or_else(|| wanted.host.clone()),
                port: rule.to_port.unwrap_or(wanted.port),
            },
            None => wanted.clone(),
        }
    }

    /// The addresses given for a host and port. A rule with its name precedes one with `*`, and a
    /// later rule precedes an earlier one.
    pub fn addresses(&self, wanted: &Destination) -> Option<Vec<SocketAddr>> {
        let rules = || self.resolve.iter().rev().filter(|rule| rule.port == wanted.port);
        let named = rules().find(|rule| {
            rule.host.as_ref().is_some_and(|host| host.eq_ignore_ascii_case(&wanted.host))
        });
        let rule = named.or_else(|| rules().find(|rule| rule.host.is_none()))?;
        Some(rule.addresses.iter().map(|ip| SocketAddr::new(*ip, wanted.port)).collect())
    }
}

impl Resolve {
    /// The address of a host, at its port.
    pub fn of(host: &Destination, address: IpAddr) -> Self {
        let name = Some(host.host.to_ascii_lowercase());
        Self { host: name, port: host.port, addresses: vec![address] }
    }
}

impl FromStr for Resolve {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        // curl's `+` lets the entry expire from a cache; wscope has no such cache.
        let text = text.strip_prefix('+').unwrap_or(text);
        let (host, rest) = split_host(text).ok_or(OverrideError::ResolveForm)?;
        let (port, addresses) = rest.split_once(':').ok_or(OverrideError::ResolveForm)?;
        if host.is_empty() || addresses.is_empty() {
            return Err(OverrideError::ResolveForm);
        }
        Ok(Self {
            host: (host != "*").then(|| host.to_ascii_lowercase()),
            port: read_port(port)?,
            addresses: addresses.split(',').map(read_address).collect::<Result<_, _>>()?,
        })
    }
}

impl FromStr for ConnectTo {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let form = OverrideError::ConnectToForm;
        let (from_host, rest) = split_host(text).ok_or(form.clone())?;
        let (from_port, rest) = rest.split_once(':').ok_or(form.clone())?;
        let (to_host, to_port) = split_host(rest).ok_or(form)?;
        let host = |text: &str| (!text.is_empty()).then(|| text.to_ascii_lowercase());
        let port = |text: &str| match text {
            "" => Ok(None),
            text => read_port(text).map(Some),
        };
        Ok(Self {
            from_host: host(from_host),
            from_port: port(from_port)?,
            to_host: host(to_host),
            to_port: port(to_port)?,
        })
    }
}

/// A host up to its colon; the brackets of an IPv6 address are removed.
fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.split_once(':'),
    }
}

fn read_port(text: &str) -> Result<u16, OverrideError> {
    super::proxy::read_port(text).map_err(|_| OverrideError::Port(text.to_owned()))
}

/// An address with or without brackets, as in curl.
fn read_address(text: &str) -> Result<IpAddr, OverrideError> {
    address(text).ok_or_else(|| OverrideError::Address(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(resolve: &[&str], connect_to: &[&str]) -> Overrides {
        Overrides {
            resolve: resolve.iter().map(|text| text.parse().unwrap()).collect(),
            connect_to: connect_to.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_name_gets_its_addresses() {
        let given = overrides(
            &["a.example:443:127.0.0.1,[::1],::2", "*:80:10.0.0.1", "[::1]:80:10.0.0.2"],
            &[],
        );
        let look = |host, port| given.addresses(&Destination::new(host, port));
        let addresses = |texts: &[&str]| Some(texts.iter().map(|t| t.parse().unwrap()).collect());
        assert_eq!(look("A.example", 443), addresses(&["127.0.0.1:443", "[::1]:443", "[::2]:443"]));
        assert_eq!(look("a.example", 80), addresses(&["10.0.0.1:80"]));
        assert_eq!(look("::1", 80), addresses(&["10.0.0.2:80"]));
        assert_eq!(look("b.example", 443), None);
    }

    #[test]
    fn the_name_comes_before_the_star_and_the_later_before_the_earlier() {
        let given = overrides(&["h:1:10.0.0.1", "+h:1:10.0.0.2", "*:1:10.0.0.3"], &[]);
        let found = given.addresses(&Destination::new("h", 1)).unwrap();
        assert_eq!(found, ["10.0.0.2:1".parse().unwrap()]);
    }

    #[test]
    fn a_known_address_precedes_the_others_of_its_name() {
        let mut given = overrides(&["h:1:10.0.0.1,10.0.0.2", "*:2:10.0.0.3"], &[]);
        let (host, other) = (Destination::new("H", 1), Destination::new("h", 2));
        given.resolve.push(Resolve::of(&host, "10.0.0.2".parse().unwrap()));
        assert_eq!(given.addresses(&host).unwrap(), ["10.0.0.2:1".parse().unwrap()]);
        assert_eq!(given.addresses(&other).unwrap(), ["10.0.0.3:2".parse().unwrap()]);
    }

    #[test]
    fn another_host_and_port_to_go_to() {
        let given = overrides(&[], &["a:1:b:2", "a::c:", "[::1]:80:[::2]:81", "::d:", ":9::10"]);
        let go = |host, port| given.redirected(&Destination::new(host, port)).to_string();
        assert_eq!(go("A", 1), "b:2");
        assert_eq!(go("a", 5), "c:5");
        assert_eq!(go("::1", 80), "[::2]:81");
        assert_eq!(go("x", 9), "d:9", "the first that fits");
        let given = overrides(&[], &[":9::10"]);
        assert_eq!(given.redirected(&Destination::new("x", 9)).to_string(), "x:10");
        assert_eq!(given.redirected(&Destination::new("x", 8)).to_string(), "x:8");
    }

    #[test]
    fn what_is_no_override() {
        for text in ["", "h", "h:1", ":1:::1", "h:1:", "[::1:1:::1"] {
            assert_eq!(text.parse::<Resolve>(), Err(OverrideError::ResolveForm), "{text}");
        }
        assert_eq!("h:0:::1".parse::<Resolve>(), Err(OverrideError::Port("0".to_owned())));
        assert_eq!("h:1:x".parse::<Resolve>(), Err(OverrideError::Address("x".to_owned())));
        for text in ["", "a:1", "a:1:b", "[a:1:b:2"] {
            assert_eq!(text.parse::<ConnectTo>(), Err(OverrideError::ConnectToForm), "{text}");
        }
        assert_eq!("a:1:b:2:3".parse::<ConnectTo>(), Err(OverrideError::Port("2:3".to_owned())));
    }
}
