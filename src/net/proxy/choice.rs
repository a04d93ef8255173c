//! Which proxy a connection goes through: options first, then the environment, by curl's rules.
//!
//! The environment is an argument. The result contains the source of the decision, because an
//! unexpected proxy is hard to find (W114).

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use super::{AddressError, Credentials, Destination, Proxy};
use crate::net::proxy::address::{read_port, split_port};

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// Every variable that [`choose`] reads, so that the caller passes no others.
pub const VARIABLES: [&str; 11] = [
    "ws_proxy",
    "WS_PROXY",
    "wss_proxy",
    "WSS_PROXY",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// The proxy options of the user.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// `--proxy`: a proxy, or empty for none.
    pub proxy: Option<String>,
    /// `--proxy-user`: overrides the credentials in the proxy's URL.
    pub user: Option<Credentials>,
    /// `--noproxy`: replaces the environment's list; an empty list has no exceptions.
    pub noproxy: Option<String>,
    /// The environment: see [`VARIABLES`].
    pub environment: Environment,
}

/// A proxy or none, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The proxy; `None` connects directly to the server.
    pub proxy: Option<Proxy>,
    /// The source of the decision.
    pub reason: ProxyReason,
}

/// The source of the decision. Its text continues "the proxy …" or "no proxy …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyReason {
    /// No option or variable set one.
    Unasked,
    /// `--proxy`.
    Option,
    /// An environment variable, by its name (W114).
    Variable(&'static str),
    /// The host is in a list of exceptions.
    Bypassed {
        /// `--noproxy` or the variable's name.
        list: &'static str,
        /// The entry that names the host.
        entry: String,
        /// The option or variable that names the proxy.
        instead_of: &'static str,
    },
}

/// A proxy that can't be parsed, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{source_name}: {error}")]
pub struct ChoiceError {
    /// `--proxy` or the variable's name.
    pub source_name: &'static str,
    /// What is wrong with it.
    pub error: AddressError,
}

/// Chooses the proxy for a `ws` or, if `secure`, `wss` connection to `server`.
///
/// # Errors
///
/// The proxy's address can't be parsed.
pub fn choose(
    options: &ProxyOptions,
    secure: bool,
    server: &Destination,
) -> Result<Choice, ChoiceError> {
    let environment = &options.environment;
    // As in curl, an empty variable counts as unset.
    let variable = |name: &&'static str| {
        let value = environment.get(*name).filter(|value| !value.is_empty());
        value.map(|value| (*name, value.as_str()))
    };
    let found = match options.proxy.as_deref() {
        Some("") => None,
        Some(text) => Some(("--proxy", text)),
        None => variables(secure).iter().find_map(variable),
    };
    let Some((source_name, text)) = found else {
        let reason =
            if options.proxy.is_some() { ProxyReason::Option } else { ProxyReason::Unasked };
        return Ok(Choice { proxy: None, reason });
    };
    let exceptions = match options.noproxy.as_deref() {
        Some(list) => Some(("--noproxy", list)),
        None => ["no_proxy", "NO_PROXY"].iter().find_map(variable),
    };
    if let Some((list, text)) = exceptions
        && let Some(entry) = matching(text, &server.host, server.port)
    {
        let entry = entry.to_owned();
        let reason = ProxyReason::Bypassed { list, entry, instead_of: source_name };
        return Ok(Choice { proxy: None, reason });
    }
    let mut proxy = Proxy::parse(text).map_err(|error| ChoiceError { source_name, error })?;
    if let Some(user) = &options.user {
        proxy.credentials = Some(user.clone());
    }
    let reason = match options.proxy {
        Some(_) => ProxyReason::Option,
        None => ProxyReason::Variable(source_name),
    };
    Ok(Choice { proxy: Some(proxy), reason })
}

/// The variables in curl's order: that of the scheme, HTTP's for WebSocket, that for all schemes.
/// `HTTP_PROXY` is not read, because a CGI server sets it from a client's `Proxy` header.
fn variables(secure: bool) -> &'static [&'static str] {
    match secure {
        true => &["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        false => &["ws_proxy", "WS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"],
    }
}

impl fmt::Debug for ProxyOptions {
    /// The option and a variable may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyOptions")
            .field("proxy", &self.proxy.as_ref().map(|_| "(hidden)"))
            .field("user", &self.user)
            .field("noproxy", &self.noproxy)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ProxyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unasked => f.write_str("because none is set"),
            Self::Option => f.write_str("as --proxy says"),
            Self::Variable(name) => write!(f, "because of the environment variable {name}"),
            Self::Bypassed { list, entry, instead_of } => {
                write!(f, "because {list} has {entry:?}, whatever {instead_of} says")
            }
        }
    }
}

/// The first entry of `list` that names `host` (a name, or an address without brackets).
pub(super) fn matching<'a>(list: &'a str, host: &str, port: u16) -> Option<&'a str> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    let mut entries = entries.filter(|entry| !entry.is_empty());
    if list.trim() == "*" {
        return entries.next();
    }
    match host.parse::<IpAddr>() {
        Ok(address) => entries.find(|entry| names_address(entry, address, port)),
        Err(_) => entries.find(|entry| names_host(entry, host, port)),
    }
}

/// `example.com` and `.example.com` both mean that host and all names below it, but not
/// `nonexample.com`.
fn names_host(entry: &str, host: &str, port: u16) -> bool {
    let entry = match entry.rsplit_once(':') {
        Some((name, digits)) => match read_port(digits) {
            Ok(wanted) if wanted == port => name,
            _ => return false,
        },
        None => entry,
    };
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(split) = host.len().checked_sub(entry.len()) else { return false };
    let (above, tail) = match (host.get(..split), host.get(split..)) {
        (Some(above), Some(tail)) => (above, tail),
        _ => return false,
    };
    !entry.is_empty()
        && tail.eq_ignore_ascii_case(entry)
        && (above.is_empty() || above.ends_with('.'))
}

/// An address, an address with a port, or a block in CIDR notation.
fn names_address(entry: &str, address: IpAddr, port: u16) -> bool {
    if let Some((block, bits)) = entry.split_once('/') {
        let block = block.trim_start_matches('[').trim_end_matches(']');
        let (Ok(block), Ok(bits)) = (block.parse(), bits.parse()) else { return false };
        return is_in_block(address, block, bits);
    }
    if let Ok(named) = entry.parse::<IpAddr>() {
        return named == address;
    }
    match split_port(entry) {
        Ok((host, wanted)) => {
            host.parse() == Ok(address) && wanted.is_none_or(|wanted| wanted == port)
        }
        Err(_) => false,
    }
}

fn is_in_block(address: IpAddr, block: IpAddr, bits: u32) -> bool {
    match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) if bits <= 32 => {
            let differ = address.to_bits() ^ block.to_bits();
            differ.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(block)) if bits <= 128 => {
            let differ = address.to_bits() ^ block.to_bits();
            differ.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(proxy: Option<&str>, environment: &[(&str, &str)]) -> ProxyOptions {
        ProxyOptions {
            proxy: proxy.map(str::to_owned),
            environment: environment
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            ..ProxyOptions::default()
        }
    }

    /// The proxy's host, and the source of the decision.
    fn chosen(options: &ProxyOptions, secure: bool) -> (Option<String>, ProxyReason) {
        let server = Destination::new("server.example", if secure { 443 } else { 80 });
        let Choice { proxy, reason } = choose(options, secure, &server).unwrap();
        (proxy.map(|proxy| proxy.host), reason)
    }

    #[test]
    fn without_anything_there_is_none() {
        assert_eq!(chosen(&options(None, &[]), false), (None, ProxyReason::Unasked));
    }

    #[test]
    fn the_schemes_own_variable_comes_first_and_that_for_all_last() {
        let all = [
            ("all_proxy", "f"),
            ("ALL_PROXY", "g"),
            ("http_proxy", "c"),
            ("ws_proxy", "a"),
            ("WS_PROXY", "b"),
        ];
        let order = [
            ("a", "ws_proxy"),
            ("b", "WS_PROXY"),
            ("c", "http_proxy"),
            ("f", "all_proxy"),
            ("g", "ALL_PROXY"),
        ];
        let mut left = all.to_vec();
        for (host, name) in order {
            let found = chosen(&options(None, &left), false);
            assert_eq!(found, (Some(host.to_owned()), ProxyReason::Variable(name)));
            left.retain(|(variable, _)| *variable != name);
        }
        let secure = [("https_proxy", "x"), ("HTTPS_PROXY", "y"), ("wss_proxy", "w")];
        let found = chosen(&options(None, &secure), true);
        assert_eq!(found, (Some("w".to_owned()), ProxyReason::Variable("wss_proxy")));
        let found = chosen(&options(None, &secure[1..2]), true);
        assert_eq!(found, (Some("y".to_owned()), ProxyReason::Variable("HTTPS_PROXY")));
        assert_eq!(chosen(&options(None, &secure), false), (None, ProxyReason::Unasked));
    }

    #[test]
    fn http_proxy_counts_in_lower_case_only() {
        let found = chosen(&options(None, &[("HTTP_PROXY", "h")]), false);
        assert_eq!(found, (None, ProxyReason::Unasked));
    }

    #[test]
    fn an_empty_variable_is_none() {
        let found = chosen(&options(None, &[("http_proxy", ""), ("all_proxy", "h")]), false);
        assert_eq!(found, (Some("h".to_owned()), ProxyReason::Variable("all_proxy")));
    }

    #[test]
    fn the_option_comes_before_the_environment_even_empty() {
        let environment = [("http_proxy", "env")];
        let found = chosen(&options(Some("opt"), &environment), false);
        assert_eq!(found, (Some("opt".to_owned()), ProxyReason::Option));
        assert_eq!(chosen(&options(Some(""), &environment), false), (None, ProxyReason::Option));
    }

    #[test]
    fn exceptions_hold_for_the_option_too() {
        let mut options = options(Some("opt"), &[("no_proxy", "a, example")]);
        let (proxy, reason) = chosen(&options, false);
        assert_eq!(proxy, None);
        assert_eq!(reason.to_string(), "because no_proxy has \"example\", whatever --proxy says");
        options.noproxy = Some(String::new());
        assert_eq!(chosen(&options, false).0.as_deref(), Some("opt"), "instead of the variable");
        options.noproxy = Some("*".to_owned());
        assert_eq!(chosen(&options, false).0, None);
    }

    #[test]
    fn the_lower_case_list_of_exceptions_comes_first() {
        let environment = [("http_proxy", "p"), ("no_proxy", "x"), ("NO_PROXY", "*")];
        assert_eq!(chosen(&options(None, &environment), false).0.as_deref(), Some("p"));
        let environment = [("http_proxy", "p"), ("NO_PROXY", "*")];
        assert_eq!(chosen(&options(None, &environment), false).0, None);
    }

    #[test]
    fn the_option_for_the_user_comes_before_the_urls() {
        let mut options = options(Some("http://a:b@h"), &[]);
        options.user = Some(Credentials::parse("c:d"));
        let server = Destination::new("s", 80);
        let proxy = choose(&options, false, &server).unwrap().proxy.unwrap();
        assert_eq!(proxy.credentials, Some(Credentials::parse("c:d")));
        let shown = format!("{options:?}");
        assert!(!shown.contains("a:b") && !shown.contains("c:d"), "{shown}");
    }

    #[test]
    fn an_unreadable_proxy_is_named_by_its_source() {
        let server = Destination::new("s", 80);
        let error = choose(&options(None, &[("http_proxy", "ftp://h")]), false, &server);
        assert!(error.unwrap_err().to_string().starts_with("http_proxy: the proxy scheme ftp://"));
    }

    #[test]
    fn every_variable_that_counts_is_listed() {
        for secure in [false, true] {
            assert!(variables(secure).iter().all(|name| VARIABLES.contains(name)));
        }
    }
}

#[cfg(test)]
mod bypass_tests {
    use super::*;

    fn hits(list: &str, host: &str) -> bool {
        matching(list, host, 80).is_some()
    }

    #[test]
    fn a_name_means_itself_and_all_below_it() {
        for (list, host, hit) in [
            ("example.com", "example.com", true),
            ("example.com", "www.example.com", true),
            ("example.com", "nonexample.com", false),
            ("example.com", "com", false),
            (".example.com", "example.com", true),
            (".example.com", "www.example.com", true),
            ("EXAMPLE.com.", "www.example.COM.", true),
            ("www.example.com", "example.com", false),
            ("a,b , example.com", "example.com", true),
            ("a b example.com", "example.com", true),
            (",,example.com,", "example.com", true),
            ("", "example.com", false),
            (".", "example.com", false),
            ("*.example.com", "www.example.com", false),
            ("127.0.0.1", "127.0.0.1.example", false),
            ("ü", "xn--tda", false),
            ("é", "aé", false),
        ] {
            assert_eq!(hits(list, host), hit, "{list} / {host}");
        }
    }

    #[test]
    fn a_star_alone_means_all() {
        assert!(hits("*", "h") && hits(" * ", "::1"));
        assert!(!hits("*,a", "h"), "as in curl, only alone");
    }

    #[test]
    fn addresses_and_blocks() {
        for (list, host, hit) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.11", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("::1", "::1", true),
            ("[::1]", "::1", true),
            ("0:0::1", "::1", true),
            ("fe80::/10", "febf::1", true),
            ("[fe80::]/10", "fec0::1", false),
            ("::/0", "::1", true),
            ("::/129", "::1", false),
            ("::/0", "127.0.0.1", false),
            ("1.com", "127.0.0.1", false),
        ] {
            assert_eq!(hits(list, host), hit, "{list} / {host}");
        }
    }

    #[test]
    fn an_entry_with_a_port_means_that_port() {
        for (list, host, port, hit) in [
            ("localhost:9000", "localhost", 9000, true),
            ("localhost:9000", "localhost", 80, false),
            ("127.0.0.1:80", "127.0.0.1", 80, true),
            ("127.0.0.1:80", "127.0.0.1", 81, false),
            ("[::1]:80", "::1", 80, true),
            ("[::1]:80", "::1", 81, false),
            ("h:x", "h", 80, false),
        ] {
            assert_eq!(matching(list, host, port).is_some(), hit, "{list} / {host}:{port}");
        }
        assert_eq!(matching("a, b", "www.b", 1), Some("b"), "the entry is told");
    }
}
