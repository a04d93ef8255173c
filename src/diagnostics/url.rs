//! A URL as typed. It is split only as far as needed to check it, and to show it without its
//! secrets.
//!
//! `net::target` decides whether a URL is legal; this module splits any text.

use crate::wire::host::split_port;
use crate::wire::secret::is_secret;

/// The parts of a text that should be a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// The text before `://`; empty if there is no `://`.
    pub scheme: &'a str,
    /// The text before `@`.
    pub userinfo: Option<&'a str>,
    /// The host, with its brackets.
    pub host: &'a str,
    /// The typed port.
    pub port: Option<u16>,
    /// The text from the slash to the query.
    pub path: &'a str,
    /// The text after `?`.
    pub query: &'a str,
    /// The text after `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Splits a text.
    pub fn of(text: &'a str) -> Self {
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (text, None),
        };
        let (scheme, rest) = rest.split_once("://").unwrap_or(("", rest));
        let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place);
        let port = port.and_then(|port| port.parse().ok());
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        Self { scheme, userinfo, host, port, path, query, fragment }
    }

    /// Whether the scheme requires TLS.
    pub fn is_secure(&self) -> bool {
        ["wss", "https"].iter().any(|secure| self.scheme.eq_ignore_ascii_case(secure))
    }

    /// The port; without a typed one, the scheme's default.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.is_secure() { 443 } else { 80 })
    }

    /// The scheme, host and port.
    pub fn origin(&self) -> String {
        let scheme = if self.scheme.is_empty() { "ws" } else { self.scheme };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}", self.host)
    }

    /// Whether a Location leads to this URL, without regard to http or ws and to the fragment.
    pub fn is_met_by(&self, location: &str) -> bool {
        let to = Url::of(location);
        let here = location.starts_with('/') && !location.starts_with("//");
        let same = to.is_secure() == self.is_secure()
            && to.port() == self.port()
            && to.host.eq_ignore_ascii_case(self.host);
        let bare = |path: &str| path.strip_prefix('/').unwrap_or(path).to_owned();
        (here || same) && bare(to.path) == bare(self.path) && to.query == self.query
    }

    /// The same URL at another host and port.
    pub fn with_authority(&self, authority: &str) -> String {
        let scheme = if self.scheme.is_empty() { "ws" } else { self.scheme };
        format!("{scheme}://{authority}{}", self.path)
    }

    /// The origin of a page on the same server.
    pub fn http_origin(&self) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        let default = if self.is_secure() { 443 } else { 80 };
        match self.port.filter(|port| *port != default) {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    /// The URL to show to users: without user, password, query and fragment, which may hold
    /// secrets.
    pub fn shown(&self) -> String {
        self.origin() + self.path
    }

    /// The query with its `?`, to show to users: the values of secret names are hidden.
    pub fn shown_query(&self) -> String {
        let hidden = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match is_secret(name) || value.starts_with("eyJ") {
                true => format!("{name}=…"),
                false => pair.to_owned(),
            }
        };
        match self.query {
            "" => String::new(),
            query => format!("?{}", query.split('&').map(hidden).collect::<Vec<_>>().join("&")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_parts() {
        let url = Url::of("wss://me:secret@[::1]:9443/chat?token=abc#x");
        assert_eq!((url.scheme, url.userinfo), ("wss", Some("me:secret")));
        assert_eq!((url.host, url.port(), url.path), ("[::1]", 9443, "/chat"));
        assert_eq!((url.query, url.fragment), ("token=abc", Some("x")));
        assert_eq!(url.shown(), "wss://[::1]:9443/chat");
        assert_eq!(url.shown_query(), "?token=…");
        assert_eq!(Url::of("ws://h/?room=7&api_key=x").shown_query(), "?room=7&api_key=…");
        assert_eq!(Url::of("[::1]").port(), 80);
        assert_eq!(Url::of("wss://h").port(), 443);
        for odd in ["", "://", "@", ":", "a@b@c:d", "x://#", "]:"] {
            let _ = Url::of(odd).shown();
        }
    }
}
