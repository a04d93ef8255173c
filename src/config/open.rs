//! How a connection is opened: the URL, the request, the route, the credentials.
//!
//! Decides which header goes to which server: credentials for one origin go to no other.

use std::time::Duration;

use super::credentials::{User, cookie_header};
use super::netrc::Netrc;
use super::transport::{Basics, transport};
use super::usage::{UsageError, check_subprotocols, header_edits};
use crate::cli::{DeflateOptions, HandshakeOptions};
use crate::net::redirect::{RedirectOptions, is_credential, same_origin};
use crate::net::resolve::AddressFamily;
use crate::net::route::RouteOptions;
use crate::net::secret::Secret;
use crate::net::target::{Target, TargetError};
use crate::session::Limits;
use crate::wire::deflate::params::{ClientMaxWindowBits, DeflateOffer};
use crate::wire::handshake::headers::{HeaderEdit, HeaderError};
use crate::wire::head::is_token;

/// How to open a connection.
#[derive(Clone, Debug)]
pub struct OpenConfig {
    /// Where to.
    pub target: Target,
    /// Path and query of URLs are sent as they are typed.
    pub path_as_is: bool,
    /// Headers of the user, in order.
    pub headers: Vec<HeaderEdit>,
    /// Names of headers that come first, in their order.
    pub header_order: Vec<String>,
    /// The credentials.
    pub login: Login,
    /// Subprotocols to offer, best first.
    pub subprotocols: Vec<String>,
    /// The Origin header.
    pub origin: Option<String>,
    /// The compression to offer.
    pub deflate: Option<DeflateOffer>,
    /// The way to the server.
    pub transport: RouteOptions,
    /// Which redirects are followed, if any.
    pub redirects: Option<RedirectOptions>,
    /// Whether cookies of responses are kept, and sent where they belong.
    pub keeps_cookies: bool,
    /// For the name and TCP.
    pub connect_timeout: Duration,
    /// For proxy, TLS and the response.
    pub handshake_timeout: Duration,
    /// How much data is accepted from the peer.
    pub limits: Limits,
}

/// The credentials, once everything has been read and asked.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The URL whose origin the user meant with all but `netrc`.
    pub meant_for: Option<Target>,
    /// The Authorization header of `-u` or `--bearer`.
    pub authorization: Option<Secret>,
    /// Cookies as they were typed.
    pub cookies: Vec<Secret>,
    /// Users and passwords by host.
    pub netrc: Option<Netrc>,
}

impl OpenConfig {
    /// For a URL alone, everything else by default.
    pub fn of_url(url: &str) -> Result<Self, UsageError> {
        Ok(Self {
            target: Target::parse(url).map_err(usage)?,
            path_as_is: false,
            headers: Vec::new(),
            header_order: Vec::new(),
            login: Login::default(),
            subprotocols: Vec::new(),
            origin: None,
            deflate: Some(DeflateOffer::default()),
            transport: RouteOptions::default(),
            redirects: None,
            keeps_cookies: false,
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            limits: Limits::default(),
        })
    }

    /// Checks what was typed.
    ///
    /// # Errors
    ///
    /// The URL, a header, a subprotocol, the origin or something about the way can't be used.
    pub fn resolve(
        url: &str,
        options: HandshakeOptions,
        limits: Limits,
    ) -> Result<Self, UsageError> {
        let target = parse(url, options.path_as_is).map_err(usage)?;
        let mut headers = header_edits(&options.headers)?;
        let header_order = match options.http_header_order.as_deref() {
            None => Vec::new(),
            Some("given") => headers.iter().map(|edit| edit.name().to_owned()).collect(),
            Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        };
        if let Some(name) = header_order.iter().find(|name| !is_token(name.as_bytes())) {
            let text = format!("--http-header-order: {name:?} can't be the name of a header");
            return Err(UsageError(text));
        }
        if let Some(host) = &options.host {
            let edit = HeaderEdit::send("Host", host);
            headers.push(edit.map_err(|error| UsageError(format!("--host: {error}")))?);
        }
        check_subprotocols(&options.subprotocols)?;
        let family = match (options.ipv4, options.ipv6) {
            (true, _) => AddressFamily::V4,
            (_, true) => AddressFamily::V6,
            _ => AddressFamily::Any,
        };
        let basics = Basics { family, insecure: options.insecure, cacert: options.cacert };
        Ok(Self {
            login: Login { meant_for: Some(target.clone()), ..Login::default() },
            target,
            path_as_is: options.path_as_is,
            headers,
            header_order,
            subprotocols: options.subprotocols,
            origin: options.origin,
            deflate: offer(&options.deflate),
            transport: transport(options.transport, basics)?,
            redirects: None,
            keeps_cookies: false,
            connect_timeout: options.connect_timeout,
            handshake_timeout: options.handshake_timeout,
            limits,
        })
    }

    /// What is odd about the Origin: `-o` names a file in other programs.
    pub fn odd_origin(&self) -> Option<String> {
        let origin = self.origin.as_deref().filter(|o| *o != "null" && !o.contains("://"))?;
        Some(format!(
            "-o sends {origin:?} as Origin, which is usually a scheme and a host, as in \
             https://example.com; to write messages to a file: > FILE"
        ))
    }

    /// The same options for another URL, without credentials that are not for its origin.
    pub fn with_url(&self, url: &str) -> Result<Self, UsageError> {
        let target = parse(url, self.path_as_is).map_err(usage)?;
        Ok(Self { target, ..self.clone() })
    }

    /// The headers for `target` in addition to the defaults: for this URL, or the target of a
    /// redirect. `from_jar` are the stored cookies for it.
    ///
    /// # Errors
    ///
    /// Typed text, or the content of a file, can't be sent in a header.
    pub fn edits(
        &self,
        target: &Target,
        from_jar: Option<&str>,
    ) -> Result<Vec<HeaderEdit>, HeaderError> {
        let trusted = self.redirects.is_some_and(|options| options.trusted);
        let own = trusted || same_origin(target, &self.target);
        // Host, too, was meant for one server.
        let stays = |edit: &HeaderEdit| is_credential(edit.name()) || is_host(edit);
        let mut edits: Vec<HeaderEdit> =
            self.headers.iter().filter(|edit| own || !stays(edit)).cloned().collect();
        let given = |edits: &[HeaderEdit], name: &str| {
            edits.iter().any(|edit| edit.name().eq_ignore_ascii_case(name))
        };
        let meant = self.login.meant_for.as_ref();
        let meant = own && meant.is_some_and(|meant| trusted || same_origin(meant, &self.target));
        if !given(&edits, "authorization")
            && let Some(value) = self.authorization(target, meant)
        {
            edits.insert(0, HeaderEdit::send("Authorization", value.reveal())?);
        }
        let typed = self.login.cookies.iter().filter(|_| meant);
        if !given(&edits, "cookie")
            && let Some(cookies) = cookie_header(typed, from_jar)
        {
            edits.push(HeaderEdit::send("Cookie", cookies.reveal())?);
        }
        Ok(edits)
    }

    /// `-u` and `--bearer` before the URL, that before netrc.
    fn authorization(&self, target: &Target, meant: bool) -> Option<Secret> {
        let typed = self.login.authorization.clone().filter(|_| meant);
        typed.or_else(|| target.basic_auth.clone().map(Secret::new)).or_else(|| {
            let entry = self.login.netrc.as_ref()?.find(&target.host, None)?;
            // An entry without a login does not say who the user is.
            let user = User { name: entry.login.clone()?, password: None };
            user.basic(&entry.password.clone().unwrap_or_default()).ok()
        })
    }
}

fn is_host(edit: &HeaderEdit) -> bool {
    edit.name().eq_ignore_ascii_case("host")
}

fn parse(url: &str, as_is: bool) -> Result<Target, TargetError> {
    if as_is { Target::parse_as_is(url) } else { Target::parse(url) }
}

fn usage(error: TargetError) -> UsageError {
    UsageError(error.to_string())
}

/// What browsers offer, changed by the options.
fn offer(options: &DeflateOptions) -> Option<DeflateOffer> {
    if options.no_compress {
        return None;
    }
    let client_max_window_bits = match options.client_max_window_bits {
        Some(bits) => ClientMaxWindowBits::Bits(bits),
        None => ClientMaxWindowBits::Bare,
    };
    Some(DeflateOffer {
        server_no_context_takeover: options.server_no_context_takeover,
        client_no_context_takeover: options.client_no_context_takeover,
        server_max_window_bits: options.server_max_window_bits,
        client_max_window_bits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> OpenConfig {
        let mut config = OpenConfig::of_url(url).expect("a URL");
        config.login = Login {
            meant_for: Some(config.target.clone()),
            cookies: vec![Secret::new("typed=1")],
            ..Login::default()
        };
        config
    }

    fn sent(config: &OpenConfig, url: &str, from_jar: Option<&str>) -> Vec<(String, String)> {
        let target = Target::parse(url).expect("a URL");
        let edits = config.edits(&target, from_jar).expect("headers");
        let pair = |edit: &HeaderEdit| {
            (edit.name().to_owned(), edit.value().unwrap_or_default().to_owned())
        };
        edits.iter().map(pair).collect()
    }

    fn authorization(config: &OpenConfig, url: &str) -> Option<String> {
        let name = |(name, _): &(String, String)| name == "Authorization";
        sent(config, url, None).into_iter().find(name).map(|(_, value)| value)
    }

    #[test]
    fn the_most_specific_credentials_are_sent() {
        let mut config = config("ws://url:x@a.example/");
        let url = "ws://url:x@a.example/";
        config.login.netrc = Some(Netrc::parse("machine a.example login net password x"));
        assert_eq!(authorization(&config, "ws://a.example/").as_deref(), Some("Basic bmV0Ong="));
        assert_eq!(authorization(&config, url).as_deref(), Some("Basic dXJsOng="));
        config.login.netrc = Some(Netrc::parse("machine a.example password x"));
        assert_eq!(authorization(&config, "ws://a.example/"), None);
        config.login.authorization = Some(Secret::new("Bearer t"));
        assert_eq!(authorization(&config, url).as_deref(), Some("Bearer t"));
        config.headers.push("authorization: mine".parse().expect("a header"));
        assert_eq!(authorization(&config, url), None);
    }

    #[test]
    fn another_origin_gets_only_what_is_its_own() {
        let mut config = config("ws://a.example/");
        config.login.authorization = Some(Secret::new("Bearer t"));
        config.headers =
            ["Cookie: c=1", "Host: other", "X: 1"].map(|text| text.parse().unwrap()).into();
        let away = sent(&config, "ws://b.example/", Some("kept=1"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(away, [pair("X", "1"), pair("Cookie", "kept=1")]);
        config.redirects = Some(RedirectOptions { trusted: true, ..Default::default() });
        assert_eq!(sent(&config, "ws://b.example/", None).len(), 4);
        // Somebody who types another URL means another server, but keeps the headers.
        config.redirects = None;
        let other = config.with_url("ws://c.example/").expect("a URL");
        let names: Vec<_> =
            sent(&other, "ws://c.example/", None).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["Cookie", "Host", "X"]);
    }

    #[test]
    fn there_is_one_cookie_header() {
        let config = config("ws://a.example/");
        let expected = [("Cookie".to_owned(), "typed=1; kept=2".to_owned())];
        assert_eq!(sent(&config, "ws://a.example/", Some("kept=2")), expected);
    }
}
