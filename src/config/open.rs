//! How a connection is opened: the URL, the request, the route, the credentials.
//!
//! It decides which header goes to which server: credentials for one origin do not go to another
//! origin.

use std::time::Duration;

use super::credentials::{User, cookie_header};
use super::netrc::Netrc;
use super::reach::ReachConfig;
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
    /// The URL.
    pub target: Target,
    /// Send the path and query of URLs as typed.
    pub path_as_is: bool,
    /// Headers of the user, in order.
    pub headers: Vec<HeaderEdit>,
    /// Headers that come first, in order.
    pub header_order: Vec<String>,
    /// The credentials.
    pub login: Login,
    /// The offered subprotocols, in order of preference.
    pub subprotocols: Vec<String>,
    /// The Origin header.
    pub origin: Option<String>,
    /// The offered compression.
    pub deflate: Option<DeflateOffer>,
    /// The route to the server.
    pub transport: RouteOptions,
    /// Which redirects are followed; `None`: no redirects.
    pub redirects: Option<RedirectOptions>,
    /// Whether cookies of responses are stored and sent.
    pub keeps_cookies: bool,
    /// The time limit for the name lookup and TCP.
    pub connect_timeout: Duration,
    /// The time limit for proxy, TLS and the response.
    pub handshake_timeout: Duration,
    /// The limits for data from the peer.
    pub limits: Limits,
}

/// The credentials, after everything has been read and asked.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The URL for whose origin the user gave all credentials except `netrc`.
    pub meant_for: Option<Target>,
    /// The Authorization header of `-u` or `--bearer`.
    pub authorization: Option<Secret>,
    /// Cookies as typed.
    pub cookies: Vec<Secret>,
    /// Users and passwords by host.
    pub netrc: Option<Netrc>,
}

impl OpenConfig {
    /// The configuration for a URL, with defaults for everything else.
    pub fn of_url(url: &str) -> Result<Self, UsageError> {
        Target::parse(url).map(Self::to).map_err(usage)
    }

    fn to(target: Target) -> Self {
        Self {
            target,
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
        }
    }

    /// Checks the typed options.
    ///
    /// # Errors
    ///
    /// The URL, a header, a subprotocol, the origin or something about the way can't be used.
    pub fn resolve(url: &str, options: HandshakeOptions) -> Result<Self, UsageError> {
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
        let family = AddressFamily::only(options.ipv4, options.ipv6);
        let basics = Basics { family, insecure: options.insecure, cacert: options.cacert };
        Ok(Self {
            login: Login { meant_for: Some(target.clone()), ..Login::default() },
            path_as_is: options.path_as_is,
            headers,
            header_order,
            subprotocols: options.subprotocols,
            origin: options.origin,
            deflate: offer(&options.deflate),
            transport: transport(options.transport, basics)?,
            connect_timeout: options.connect_timeout,
            handshake_timeout: options.handshake_timeout,
            ..Self::to(target)
        })
    }

    /// Adds the requested redirects and cookies.
    pub fn reaching(self, reach: &ReachConfig) -> Self {
        Self { redirects: reach.redirects, keeps_cookies: reach.keeps_cookies(), ..self }
    }

    /// Notes on options that have another meaning in other programs: there, `-o` names a file, and
    /// `-sSL` are three options of curl.
    pub fn oddities(&self) -> impl Iterator<Item = String> {
        let origin = self.origin.iter().filter(|o| *o != "null" && !o.contains("://"));
        let origin = origin.map(|origin| {
            format!(
                "-o sends {origin:?} as Origin, which is usually a scheme and a host, as in \
                 https://example.com; to write messages to a file: > FILE"
            )
        });
        let of_curl = |name: &&String| name.bytes().all(|letter| b"SLfkgv".contains(&letter));
        let names = self.subprotocols.iter().filter(of_curl);
        origin.chain(
            names.map(|name| format!("-s offers {name:?} as subprotocol; curl's -s is -q here")),
        )
    }

    /// The configuration for another URL, without credentials for another origin.
    pub fn with_url(&self, url: &str) -> Result<Self, UsageError> {
        let target = parse(url, self.path_as_is).map_err(usage)?;
        Ok(Self { target, ..self.clone() })
    }

    /// The headers for `target` (this URL, or the target of a redirect), in addition to the
    /// defaults. `from_jar` has the stored cookies for it.
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
        // Host, too, is only for one server.
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

    /// `-u` and `--bearer` override the URL, and the URL overrides netrc.
    fn authorization(&self, target: &Target, meant: bool) -> Option<Secret> {
        let typed = self.login.authorization.clone().filter(|_| meant);
        typed.or_else(|| target.basic_auth.clone().map(Secret::new)).or_else(|| {
            let entry = self.login.netrc.as_ref()?.find(&target.host, None)?;
            // An entry without a login does not name the user.
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

/// The offer of browsers, changed by the options.
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
        // A user who types another URL means another server, but keeps the headers.
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
