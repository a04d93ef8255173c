//! Turns the typed URL into the address to connect to and the request to send.
//!
//! It applies RFC 6455 §3 and the host rules of the URL Standard. It must not know DNS, sockets or
//! other options. Messages, errors and debug output of this file never contain a user name or
//! password.

mod mistyped;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use url::{Host, ParseError, Position, Url};

use crate::wire::host::is_loopback;
use crate::wire::percent::percent_decoded;

/// A parsed WebSocket URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS is used: `wss` and `https`.
    pub secure: bool,
    /// The host for DNS, TCP and TLS: lower case ASCII (IDNA names in punycode), an IPv6 address
    /// without brackets.
    pub host: String,
    /// The host as users write it, if that differs from `host`.
    pub unicode_host: Option<String>,
    /// The interface of a link-local IPv6 address: `eth0` of `[fe80::1%25eth0]` (RFC 6874 §2). It
    /// has a meaning only on this machine, and is not sent.
    pub zone: Option<String>,
    /// The Unix socket of `ws+unix:PATH:/RESOURCE`, used instead of the host.
    pub unix_socket: Option<PathBuf>,
    /// The TCP port, 1 to 65535; 80 or 443 when the URL names none.
    pub port: u16,
    /// The `Host` header's value: IPv6 in brackets, the port only when it is
    /// not the scheme's default (RFC 6455 §4.1, request requirement 4).
    pub host_header: String,
    /// The resource name of RFC 6455 §3: path and query, at least `/`.
    pub resource_name: String,
    /// The `Authorization` header's value made from `user:password@`.
    pub basic_auth: Option<String>,
    /// Notes on changes to the URL that the user may not expect, one sentence each.
    pub notes: Vec<String>,
}

/// Why a text is not a WebSocket URL; each error names what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Nothing was given.
    #[error("the URL is empty; write one like ws://localhost:9000/chat")]
    Empty,
    /// White space or a control character, which URL parsers drop without an error.
    #[error(
        "the URL contains the character U+{:04X} at byte {offset}; percent-encode it or remove it",
        u32::from(*character)
    )]
    ForbiddenCharacter {
        /// The character found.
        character: char,
        /// Where it starts, in bytes.
        offset: usize,
    },
    /// A `#` (W002).
    #[error(
        "the URL has a fragment (`#` at byte {offset}), which RFC 6455 §3 forbids; \
         write %23 if it is data (W002)"
    )]
    Fragment {
        /// The position of the `#`, in bytes.
        offset: usize,
    },
    /// A scheme that belongs neither to WebSocket nor to HTTP.
    #[error(
        "the scheme {scheme}:// is not supported; use ws:// or wss:// \
         (http:// and https:// mean the same)"
    )]
    UnsupportedScheme {
        /// The scheme, in lower case.
        scheme: String,
    },
    /// A mistyped URL, such as `ws:host`, which would be read as a host named `ws`.
    #[error("{fault}; write {write}")]
    Mistyped {
        /// What is wrong.
        fault: String,
        /// What the user probably meant.
        write: String,
    },
    /// `-`, which means stdin in other programs.
    #[error("- is not a URL; wscope reads stdin without it")]
    Dash,
    /// `@name`, which is not a URL.
    #[error("a profile is not a URL; write it first, as in wscope {0}")]
    Profile(String),
    /// `ws+unix:` without a path.
    #[error("the path of the Unix socket is missing; write ws+unix:/PATH/TO/SOCKET:/RESOURCE")]
    NoSocket,
    /// A zone on an address that can't have one, or a zone that is not an interface.
    #[error("the zone {0:?} of the address is not the name of an interface; write [fe80::1%eth0]")]
    BadZone(String),
    /// No host before the port or the path.
    #[error("the URL has no host; write one, as in ws://localhost:9000/chat")]
    MissingHost,
    /// A port that is not a number from 1 to 65535.
    #[error("the port{} is not a number from 1 to 65535", shown(port))]
    BadPort {
        /// The port as typed; `None` when it may be part of a password.
        port: Option<String>,
    },
    /// A host that is neither a valid name nor an address.
    #[error("the host{} is not valid: {reason}", shown(host))]
    BadHost {
        /// The host as typed; `None` when it may be part of a password.
        host: Option<String>,
        /// The URL parser's reason.
        reason: ParseError,
    },
    /// RFC 7617 §2: "a user-id containing a colon character is invalid".
    #[error("the user name in the URL contains a colon (%3A), which Basic cannot carry")]
    ColonInUser,
}

impl Target {
    /// Parses `ws://`, `wss://`, `http://`, `https://`, `ws+unix:`, or a bare `host[:port][/path]`,
    /// which means `ws://`. A port alone means `localhost`.
    ///
    /// # Errors
    ///
    /// Everything that RFC 6455 §3 forbids, and everything that the `url` crate would silently
    /// repair: white space, missing hosts, extra slashes.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        Self::read(text, false)
    }

    /// Like [`Self::parse`], but path and query are sent as typed: `/../` stays, and no character
    /// is percent-encoded.
    pub fn parse_as_is(text: &str) -> Result<Self, TargetError> {
        Self::read(text, true)
    }

    fn read(text: &str, as_is: bool) -> Result<Self, TargetError> {
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        match text {
            "-" => return Err(TargetError::Dash),
            _ if text.starts_with('@') => {
                let name = if text[1..].contains(['@', ':', '/']) { "@NAME" } else { text };
                return Err(TargetError::Profile(name.to_owned()));
            }
            _ => {}
        }
        refuse_forbidden_characters(text)?;
        if let Some((secure, socket, resource)) = split_unix_socket(text)? {
            let scheme = if secure { "wss" } else { "ws" };
            let target = Self::read(&format!("{scheme}://localhost{resource}"), as_is)?;
            return Ok(Self { unix_socket: Some(socket), ..target });
        }
        if let Some(slip) = mistyped::slip(text) {
            return Err(slip);
        }

        let mut notes = Vec::new();
        let (secure, rest) = split_scheme(text, &mut notes)?;
        let (authority, typed_resource) =
            rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (userinfo, place),
            None => ("", authority),
        };
        let basic_auth = basic_auth(userinfo)?;
        if basic_auth.is_some() {
            notes.push(
                "the user name and password of the URL are sent as an Authorization header, \
                 because RFC 6455 §3 gives them no place (W003)"
                    .to_owned(),
            );
        }

        // A password with a `/` ends up in the place of a port or path.
        let may_hold_password = typed_resource.contains('@');
        let place = with_host(place, rest.len() == text.len(), &mut notes);
        let (place, zone) = without_zone(&place)?;
        let url = parse_place(secure, &place, typed_resource)
            .map_err(|error| if may_hold_password { error.without_text() } else { error })?;
        let resource_name = if as_is {
            // A request target must still begin with a slash (RFC 9112 §3.2.1).
            let slash = if typed_resource.starts_with('/') { "" } else { "/" };
            format!("{slash}{typed_resource}")
        } else {
            let resource_name = url[Position::BeforePath..Position::AfterQuery].to_owned();
            note_rewritten_resource(typed_resource, &resource_name, &mut notes);
            resource_name
        };

        let (host, unicode_host) = match url.host() {
            Some(Host::Domain(name)) => (name.to_owned(), unicode_form(name)),
            Some(Host::Ipv4(address)) => (address.to_string(), None),
            Some(Host::Ipv6(address)) => (address.to_string(), None),
            None => return Err(TargetError::MissingHost),
        };
        // RFC 6455 §3: "The port component is OPTIONAL; the default for "ws" is
        // port 80, while the default for "wss" is port 443."
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        note_other_schemes_port(secure, port, &mut notes);

        Ok(Self {
            secure,
            host,
            unicode_host,
            zone,
            unix_socket: None,
            port,
            // The parser has already dropped a port that is the default.
            host_header: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            resource_name,
            basic_auth,
            notes,
        })
    }

    /// The scheme: `ws` or `wss`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }

    /// The host for the system's resolver: an IPv6 address with its zone.
    pub fn dialled_host(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{}%{zone}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether the host names this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host.strip_suffix('.').unwrap_or(&self.host))
    }
}

/// The URL without user name and password.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.host_header, self.resource_name)
    }
}

/// Hides the password, which a derived `Debug` would print.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.to_string())
            .field("host", &self.host)
            .field("unicode_host", &self.unicode_host)
            .field("port", &self.port)
            .field("basic_auth", &self.basic_auth.as_ref().map(|_| "(hidden)"))
            .field("notes", &self.notes)
            .finish()
    }
}

impl TargetError {
    /// The error without the text that it quotes.
    fn without_text(self) -> Self {
        match self {
            Self::BadPort { .. } => Self::BadPort { port: None },
            Self::BadHost { reason, .. } => Self::BadHost { host: None, reason },
            other => other,
        }
    }
}

fn shown(text: &Option<String>) -> String {
    text.as_ref().map_or_else(String::new, |text| format!(" `{text}`"))
}

fn refuse_forbidden_characters(text: &str) -> Result<(), TargetError> {
    for (offset, character) in text.char_indices() {
        if character.is_control() || character.is_whitespace() {
            return Err(TargetError::ForbiddenCharacter { character, offset });
        }
        // RFC 6455 §3: "Fragment identifiers are meaningless in the context of
        // WebSocket URIs and MUST NOT be used on these URIs."
        if character == '#' {
            return Err(TargetError::Fragment { offset });
        }
    }
    Ok(())
}

/// Whether the scheme uses TLS, and the text after `://`.
fn split_scheme<'a>(
    text: &'a str,
    notes: &mut Vec<String>,
) -> Result<(bool, &'a str), TargetError> {
    if let Some((scheme, rest)) = text.split_once("://")
        && is_scheme(scheme)
    {
        let scheme = scheme.to_ascii_lowercase();
        let secure = match scheme.as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(TargetError::UnsupportedScheme { scheme }),
        };
        if scheme.starts_with("http") {
            let meant = if secure { "wss" } else { "ws" };
            notes.push(format!("{scheme}:// is used as {meant}:// (W001)"));
        }
        return Ok((secure, rest));
    }
    Ok((false, text))
}

/// `ws+unix:PATH:/RESOURCE`, as the `ws` package writes it; two slashes before the path are
/// allowed, and the resource may be missing. `unix:` and `http+unix:` mean the same, the latter
/// with a percent-encoded path. Returns whether the scheme uses TLS, the path and the resource.
fn split_unix_socket(text: &str) -> Result<Option<(bool, PathBuf, &str)>, TargetError> {
    let Some((scheme, rest)) = text.split_once(':') else { return Ok(None) };
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "ws+unix" | "unix" | "http+unix" => false,
        "wss+unix" | "https+unix" => true,
        _ => return Ok(None),
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let encoded = rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
    let (path, resource) = match encoded {
        true => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
        false => match rest.rfind(":/").or_else(|| rest.rfind(":?")) {
            Some(colon) => (&rest[..colon], &rest[colon + 1..]),
            None => (rest.strip_suffix(':').unwrap_or(rest), ""),
        },
    };
    let path = if encoded { percent_decoded(path) } else { path.as_bytes().to_vec() };
    match path.is_empty() {
        true => Err(TargetError::NoSocket),
        false => Ok(Some((secure, OsString::from_vec(path).into(), resource))),
    }
}

/// A port alone means `localhost`, as for `wscope listen`. A number means an IPv4 address only if
/// it can't be a port.
fn with_host<'p>(place: &'p str, bare: bool, notes: &mut Vec<String>) -> Cow<'p, str> {
    let port = place.strip_prefix(':').unwrap_or(place);
    let number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    match number && (is_port || bare || port.len() < place.len()) {
        false => Cow::Borrowed(place),
        true => {
            if !bare && port.len() == place.len() {
                notes.push(format!("{port} is used as localhost:{port}"));
            }
            Cow::Owned(format!("localhost:{port}"))
        }
    }
}

/// `[fe80::1%25eth0]` without its zone, which URLs do not allow; `%` alone means the same.
fn without_zone(place: &str) -> Result<(Cow<'_, str>, Option<String>), TargetError> {
    let inside = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((host, port)) = inside else { return Ok((Cow::Borrowed(place), None)) };
    let Some((address, zone)) = host.split_once('%') else {
        return Ok((Cow::Borrowed(place), None));
    };
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.@:".contains(c);
    if zone.is_empty() || !zone.chars().all(legal) {
        return Err(TargetError::BadZone(zone.to_owned()));
    }
    Ok((Cow::Owned(format!("[{address}]{port}")), Some(zone.to_owned())))
}

/// RFC 3986 §3.1: `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Parses `host[:port]` and the resource after it.
fn parse_place(secure: bool, place: &str, resource: &str) -> Result<Url, TargetError> {
    if let Some(slip) = mistyped::bare_ipv6(place) {
        return Err(slip);
    }
    let host_end = place.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match place[host_end..].find(':') {
        Some(colon) => (&place[..host_end + colon], &place[host_end + colon + 1..]),
        None => (place, ""),
    };
    // The parser would skip slashes until it finds a text for the host.
    if host.is_empty() {
        return Err(TargetError::MissingHost);
    }
    let scheme = if secure { "wss" } else { "ws" };
    let bad_port = || TargetError::BadPort { port: Some(port.to_owned()) };
    let url =
        Url::parse(&format!("{scheme}://{place}{resource}")).map_err(|error| match error {
            ParseError::EmptyHost => TargetError::MissingHost,
            ParseError::InvalidPort => bad_port(),
            reason => TargetError::BadHost { host: Some(host.to_owned()), reason },
        })?;
    if url.port() == Some(0) { Err(bad_port()) } else { Ok(url) }
}

/// RFC 7617 §2: the credentials are `user-id ":" password`, encoded in base64.
fn basic_auth(userinfo: &str) -> Result<Option<String>, TargetError> {
    if userinfo.is_empty() {
        return Ok(None);
    }
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let mut credentials = percent_decoded(user);
    if credentials.contains(&b':') {
        return Err(TargetError::ColonInUser);
    }
    credentials.push(b':');
    credentials.extend(percent_decoded(password));
    Ok(Some(format!("Basic {}", STANDARD.encode(credentials))))
}

/// The readable form of an IDNA name, if it has one.
fn unicode_form(name: &str) -> Option<String> {
    let unicode = url::quirks::domain_to_unicode(name);
    (!unicode.is_empty() && unicode != name).then_some(unicode)
}

/// Adds a note if the request line differs from the typed text: the URL Standard resolves `..`,
/// turns `\` into `/`, and percent-encodes.
fn note_rewritten_resource(typed: &str, resource_name: &str, notes: &mut Vec<String>) {
    let unchanged = match typed {
        "" => true,
        _ if typed.starts_with('?') => resource_name.strip_prefix('/') == Some(typed),
        _ => resource_name == typed,
    };
    if !unchanged {
        notes.push(format!("the path is normalised to {resource_name}; --path-as-is keeps it"));
    }
}

fn note_other_schemes_port(secure: bool, port: u16, notes: &mut Vec<String>) {
    match (secure, port) {
        (false, 443) => {
            notes.push("port 443 usually uses TLS; did you mean wss:// ? (W004)".to_owned())
        }
        (true, 80) => {
            notes.push("port 80 usually does not use TLS; did you mean ws:// ? (W004)".to_owned())
        }
        _ => {}
    }
}
