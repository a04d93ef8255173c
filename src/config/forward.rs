//! Which clients a forward proxy accepts, and which hosts it decrypts.

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::environment::authority_folder;
use super::listen::basic;
use super::usage::UsageError;
use crate::net::listener::ListenAddress;
use crate::net::proxy::Destination;
use crate::ui::glob::glob;
use crate::wire::handshake::admission::Authorization;

/// The typed options of a forward proxy.
pub(super) struct ForwardOptions {
    pub user: Option<String>,
    pub intercept: Vec<String>,
    pub tunnel: Vec<String>,
    pub ca_dir: Option<PathBuf>,
    pub keep_host: bool,
    pub transparent: bool,
}

/// A forward proxy: its clients name the servers.
#[derive(Clone, Debug)]
pub struct ForwardConfig {
    /// Which clients are accepted.
    pub authorization: Option<Authorization>,
    /// Hosts whose TLS is decrypted; empty for all.
    intercept: Vec<String>,
    /// Hosts whose TLS is forwarded without decryption.
    tunnel: Vec<String>,
    /// The folder of the certificate authority.
    pub authority: PathBuf,
    /// Keep Host, even if it differs from the request's target.
    pub keep_host: bool,
    /// The system redirects connections to this proxy, and knows the original server of each.
    pub transparent: bool,
}

impl ForwardConfig {
    pub(super) fn resolve(
        options: ForwardOptions,
        address: &ListenAddress,
    ) -> Result<Self, UsageError> {
        // If connections are redirected, clients can't choose a server.
        if options.user.is_none() && !address.is_local() && !options.transparent {
            let text = "anyone who reaches this address could use this proxy; add -u USER:PASS, or \
                 write only PORT to listen on this machine alone";
            return Err(UsageError(text.to_owned()));
        }
        let authority = options.ca_dir.or_else(authority_folder);
        let none = || {
            UsageError(
                "the certificate authority needs a folder, and HOME is not set; give --ca-dir DIR"
                    .to_owned(),
            )
        };
        let lower =
            |globs: Vec<String>| globs.iter().map(|glob| glob.to_ascii_lowercase()).collect();
        Ok(Self {
            authorization: options.user.map(basic).transpose()?,
            intercept: lower(options.intercept),
            tunnel: lower(options.tunnel),
            authority: authority.ok_or_else(none)?,
            keep_host: options.keep_host,
            transparent: options.transparent,
        })
    }

    /// Whether connections to a server are forwarded without decryption.
    pub fn is_tunnelled(&self, server: &Destination) -> bool {
        matches(&self.tunnel, server)
    }

    /// Whether TLS with a server is decrypted; tunnelled servers are checked separately.
    pub fn intercepts(&self, server: &Destination) -> bool {
        self.intercept.is_empty() || matches(&self.intercept, server)
    }

    /// Whether any TLS can be decrypted.
    pub fn may_intercept(&self) -> bool {
        !self.tunnel.iter().any(|glob| glob == "*")
    }

    /// Whether a SOCKS5 user is accepted.
    pub fn lets_in(&self, user: &[u8], password: &[u8]) -> bool {
        let pair = BASE64_STANDARD.encode([user, b":", password].concat());
        let given = format!("Basic {pair}");
        self.authorization.as_ref().is_none_or(|asked| asked.is_met_by(given.as_bytes()))
    }

    /// User and password in the form of a URL, with an `@`; empty without a user.
    pub fn userinfo(&self) -> String {
        let Some(Authorization::Basic(pair)) = &self.authorization else { return String::new() };
        let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
        let encoded = |text: &str| -> String {
            let byte = |byte: u8| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            };
            text.bytes().map(byte).collect()
        };
        format!("{}:{}@", encoded(user), encoded(password))
    }
}

/// A pattern matches the host, or host and port.
fn matches(globs: &[String], server: &Destination) -> bool {
    let host = server.host.to_ascii_lowercase();
    let whole = Destination::new(host.as_str(), server.port).to_string();
    globs.iter().any(|pattern| glob(pattern, &host) || glob(pattern, &whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(intercept: &[&str], tunnel: &[&str], user: Option<&str>) -> ForwardConfig {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let options = ForwardOptions {
            user: user.map(str::to_owned),
            intercept: own(intercept),
            tunnel: own(tunnel),
            ca_dir: Some("/ca".into()),
            keep_host: false,
            transparent: false,
        };
        ForwardConfig::resolve(options, &ListenAddress::Loopback(0)).expect("usable")
    }

    #[test]
    fn patterns_choose_hosts_and_ports() {
        let server = |host: &str| Destination::new(host, 443);
        let all = config(&[], &[], None);
        assert!(all.intercepts(&server("x")) && !all.is_tunnelled(&server("x")));
        let some = config(&["*.Example.com", "10.0.0.1:443", "[::1]:*"], &["bank.*"], None);
        for (host, intercepted) in [
            ("a.example.COM", true),
            ("example.com", false),
            ("10.0.0.1", true),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(some.intercepts(&server(host)), intercepted, "{host}");
        }
        assert!(some.is_tunnelled(&server("bank.example")) && some.may_intercept());
        assert!(!config(&[], &["*"], None).may_intercept());
    }

    #[test]
    fn a_user_is_known_by_name_and_password() {
        let proxy = config(&[], &[], Some("me:p@ss:w"));
        assert!(proxy.lets_in(b"me", b"p@ss:w") && !proxy.lets_in(b"me", b"p@ss"));
        assert_eq!(proxy.userinfo(), "me:p%40ss%3Aw@");
        assert!(config(&[], &[], None).lets_in(b"anybody", b""));
    }
}
