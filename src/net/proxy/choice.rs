//! Which proxy a connection goes through: options first, then the environment, by curl's rules.
//!
//! The environment is an argument. What decided is part of the result, because a proxy that
//! nobody thought of is the hardest to find (W114).

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use super::bypass;
use super::{AddressError, Credentials, Destination, Proxy};

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// Every variable that [`choose`] looks at, so that nobody has to hand in more.
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

/// What was asked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// `--proxy`: a proxy, or empty for none.
    pub proxy: Option<String>,
    /// `--proxy-user`: before what the proxy's URL says.
    pub user: Option<Credentials>,
    /// `--noproxy`: instead of the environment's list; empty bypasses nothing.
    pub noproxy: Option<String>,
    /// The environment: see [`VARIABLES`].
    pub environment: Environment,
}

/// A proxy or none, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The proxy; `None` goes straight to the server.
    pub proxy: Option<Proxy>,
    /// What decided.
    pub reason: ProxyReason,
}

/// What decided. As text it continues "the proxy …" or "no proxy …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyReason {
    /// Nobody asked for one.
    Unasked,
    /// `--proxy`.
    Option,
    /// An environment variable, by its name (W114).
    Variable(&'static str),
    /// A list of exceptions named the host.
    Bypassed {
        /// `--noproxy` or the variable's name.
        list: &'static str,
        /// The entry that did.
        entry: String,
        /// The option or variable that names the proxy.
        instead_of: &'static str,
    },
}

/// A proxy that can't be read, and where it is written.
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
/// The proxy that would be used can't be read.
pub fn choose(
    options: &ProxyOptions,
    secure: bool,
    server: &Destination,
) -> Result<Choice, ChoiceError> {
    let environment = &options.environment;
    // As in curl, an empty variable is as good as none.
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
        && let Some(entry) = bypass::matching(text, &server.host, server.port)
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

/// The variables in curl's order: the scheme's own, HTTP's for WebSocket, that for all. The name
/// `HTTP_PROXY` is left out, because a CGI server sets it from a client's `Proxy` header.
fn variables(secure: bool) -> &'static [&'static str] {
    match secure {
        true => &["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        false => &["ws_proxy", "WS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"],
    }
}

impl fmt::Debug for ProxyOptions {
    /// Both the option and a variable may hold a password.
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
            Self::Variable(name) => write!(f, "as the environment variable {name} says"),
            Self::Bypassed { list, entry, instead_of } => {
                write!(f, "because {list} has {entry:?}, whatever {instead_of} says")
            }
        }
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

    /// The proxy's host and what decided.
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
