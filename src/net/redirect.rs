//! `-L`: where a response redirects the client, and whether the client follows.
//!
//! It uses only texts and numbers: a status, a Location, the current URL and the number of
//! redirects. It opens no connection. The server chooses the target of a redirect, so credentials
//! for one origin are not sent to another.

use std::path::Path;

use thiserror::Error;
use url::Url;

use super::target::{Target, TargetError};

/// What the user allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedirectOptions {
    /// The largest number of redirects.
    pub limit: usize,
    /// Send credentials to other origins, too: `--location-trusted`.
    pub trusted: bool,
    /// Follow a redirect from `wss` to `ws`.
    pub downgrade: bool,
}

impl Default for RedirectOptions {
    /// Ten, twice as many as any sensible site needs; browsers stop at twenty.
    fn default() -> Self {
        Self { limit: 10, trusted: false, downgrade: false }
    }
}

/// A redirect that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The new URL. User name and password come from its text, if it has any.
    pub target: Target,
    /// Whether it has another origin: scheme, host or port differ (RFC 6454 §4).
    pub crosses_origin: bool,
    /// Whether Authorization, Cookie and the like must not go there: see [`is_credential`].
    pub drop_credentials: bool,
    /// Notes on changes to the Location, one sentence each.
    pub notes: Vec<String>,
}

/// Why a redirect is not followed. The errors never contain a user name or password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectError {
    /// Too many redirects.
    #[error(
        "the server redirects to {to} after {limit} redirects; raise --max-redirs to follow it"
    )]
    TooMany {
        /// The limit.
        limit: usize,
        /// The target of the redirect.
        to: String,
    },
    /// A loop.
    #[error("redirect loop: {to} was already requested")]
    Loop {
        /// The URL that was requested before.
        to: String,
    },
    /// A redirect without a Location, or with several.
    #[error("the server answered {status} with {count} Location headers instead of one")]
    NoLocation {
        /// The status code.
        status: u16,
        /// How many Locations there were (not one).
        count: usize,
    },
    /// A Location that is not a URL, or has another scheme than HTTP or WebSocket.
    #[error("the server redirects to {location:?}, which can't be followed: {reason}")]
    BadLocation {
        /// The Location, without user name and password.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// From TLS to plain text.
    #[error("the server redirects from wss to {to}, without TLS; --location-downgrade follows it")]
    Downgrade {
        /// The target of the redirect.
        to: String,
    },
}

/// Whether a status redirects the client.
///
/// 300 (the user is to choose), 304 (not modified) and 305 (use a proxy, deprecated by RFC 9110
/// §15.4.6) do not.
pub fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether a header of this name identifies the user, so that another origin must not see it.
pub fn is_credential(name: &str) -> bool {
    ["authorization", "cookie", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The requested URLs so far, and the decision about the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The first URL.
    first: Target,
    /// The URLs of the redirects.
    hops: Vec<Target>,
    /// How many of the URLs were requested before a response set a cookie.
    outdated: usize,
}

impl Trail {
    /// Begins with the URL of the user.
    pub fn new(first: Target) -> Self {
        Self { first, hops: Vec::new(), outdated: 0 }
    }

    /// The URL of the current request.
    pub fn current(&self) -> &Target {
        self.hops.last().unwrap_or(&self.first)
    }

    /// The number of followed redirects: `%{num_redirects}`.
    pub fn hops(&self) -> usize {
        self.hops.len()
    }

    /// Notes that the current response set a cookie that will be sent: now an earlier URL may
    /// answer differently, for example after a login.
    pub fn cookies_changed(&mut self) {
        self.outdated = self.hops.len() + 1;
    }

    /// Decides about the next URL after a response for which [`is_redirect`] is true, and makes it
    /// the current one. `locations` are the values of the response's Location headers.
    ///
    /// # Errors
    ///
    /// The reason not to follow, as a sentence for the user.
    pub fn follow(
        &mut self,
        status: u16,
        locations: &[&str],
        options: RedirectOptions,
    ) -> Result<Redirect, RedirectError> {
        let [location] = locations else {
            return Err(RedirectError::NoLocation { status, count: locations.len() });
        };
        let mut notes = Vec::new();
        let current = self.current();
        let target = resolve(location, current, &mut notes)?;
        let to = target.to_string();
        let mut asked = std::iter::once(&self.first).chain(&self.hops).skip(self.outdated);
        if asked.any(|known| known.to_string() == to) {
            return Err(RedirectError::Loop { to });
        }
        if self.hops.len() >= options.limit {
            return Err(RedirectError::TooMany { limit: options.limit, to });
        }
        if current.secure && !target.secure && !options.downgrade {
            return Err(RedirectError::Downgrade { to });
        }
        let crosses_origin = !same_origin(current, &target);
        let drop_credentials = crosses_origin && !options.trusted;
        if drop_credentials {
            notes.push(format!(
                "Authorization and Cookie are not sent to {}: it is another origin",
                target.host_header
            ));
        }
        self.hops.push(target.clone());
        Ok(Redirect { target, crosses_origin, drop_credentials, notes })
    }
}

/// Whether two URLs have the same origin: scheme, host and port (RFC 6454 §4).
pub fn same_origin(one: &Target, other: &Target) -> bool {
    origin(one) == origin(other)
}

type Origin<'a> = (bool, &'a str, u16, Option<&'a Path>);

fn origin(target: &Target) -> Origin<'_> {
    (target.secure, &target.host, target.port, target.unix_socket.as_deref())
}

/// RFC 9110 §10.2.2: "If a relative reference is given, the final value is computed by resolving
/// it relative to the target URI."
fn resolve(
    location: &str,
    current: &Target,
    notes: &mut Vec<String>,
) -> Result<Target, RedirectError> {
    let bad = |reason: String| {
        let location = without_user(location);
        RedirectError::BadLocation { location, reason }
    };
    let location = location.trim_matches([' ', '\t']);
    // HTTP knows no `ws` scheme; servers that build URLs from the request say http.
    let base = format!("{}{}", if current.secure { "https" } else { "http" }, {
        let text = current.to_string();
        text.strip_prefix(current.scheme()).unwrap_or_default().to_owned()
    });
    let url = Url::parse(&base)
        .and_then(|base| base.join(location))
        .map_err(|error| bad(error.to_string()))?;
    let mut url = url;
    // "Fragment identifiers are meaningless in the context of WebSocket URIs" (RFC 6455 §3).
    if url.fragment().is_some() {
        url.set_fragment(None);
        notes.push("the fragment of the Location is ignored".to_owned());
    }
    let secure = match url.scheme() {
        "ws" | "http" => false,
        "wss" | "https" => true,
        other => return Err(bad(format!("its scheme is {other}"))),
    };
    // One note here, instead of the note of `Target` about a typed http.
    let scheme = if secure { "wss" } else { "ws" };
    let rest = url.as_str().split_once(':').map_or("", |(_, rest)| rest);
    let mut target = Target::parse(&format!("{scheme}:{rest}")).map_err(|error| match error {
        TargetError::BadHost { .. } | TargetError::BadPort { .. } => {
            bad("its host is not valid".to_owned())
        }
        other => bad(other.to_string()),
    })?;
    // The facts about the current host also apply to the same host in the new URL.
    if target.host == current.host && target.port == current.port {
        target.zone.clone_from(&current.zone);
        target.unix_socket.clone_from(&current.unix_socket);
    }
    Ok(target)
}

/// The Location without user name and password.
fn without_user(location: &str) -> String {
    let start = location.find("//").map_or(0, |at| at + 2);
    let end = location[start..].find(['/', '?', '#']).map_or(location.len(), |at| start + at);
    match location[start..end].rfind('@') {
        Some(at) => format!("{}{}", &location[..start], &location[start + at + 1..]),
        None => location.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).expect("a URL")
    }

    fn follow(
        url: &str,
        locations: &[&str],
        options: RedirectOptions,
    ) -> Result<Redirect, RedirectError> {
        Trail::new(target(url)).follow(302, locations, options)
    }

    fn from(url: &str, location: &str) -> Result<Redirect, RedirectError> {
        follow(url, &[location], RedirectOptions::default())
    }

    fn to(url: &str, location: &str) -> String {
        match from(url, location) {
            Ok(hop) => hop.target.to_string(),
            Err(error) => panic!("{location}: {error}"),
        }
    }

    #[test]
    fn five_statuses_are_redirects() {
        let followed: Vec<u16> = (100..600).filter(|status| is_redirect(*status)).collect();
        assert_eq!(followed, [301, 302, 303, 307, 308]);
    }

    #[test]
    fn a_location_may_be_relative() {
        for (location, expected) in [
            ("/x?y", "wss://h:81/x?y"),
            ("x", "wss://h:81/a/x"),
            ("../x", "wss://h:81/x"),
            ("?q=1", "wss://h:81/a/b?q=1"),
            ("//other/x", "wss://other/x"),
            (" /spaces ", "wss://h:81/spaces"),
        ] {
            assert_eq!(to("wss://h:81/a/b?c", location), expected, "{location}");
        }
    }

    #[test]
    fn http_stands_for_ws_and_https_for_wss() {
        assert_eq!(to("ws://h/", "http://o/x"), "ws://o/x");
        assert_eq!(to("ws://h/", "https://o/x"), "wss://o/x");
        assert_eq!(to("ws://h/", "wss://o:443/x"), "wss://o/x");
        assert_eq!(to("ws://h/", "HTTPS://O"), "wss://o/");
    }

    #[test]
    fn fragments_are_left_out() {
        let hop = from("ws://h/a", "/x#y").expect("followed");
        assert_eq!(hop.target.to_string(), "ws://h/x");
        assert_eq!(hop.notes, ["the fragment of the Location is ignored"]);
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for (location, crosses) in [
            ("/x", false),
            ("http://h:80/x", false),
            ("http://h:81/", true),
            ("https://h/", true),
            ("http://sub.h/", true),
        ] {
            let hop = from("ws://h/", location).expect("followed");
            assert_eq!(
                (hop.crosses_origin, hop.drop_credentials),
                (crosses, crosses),
                "{location}"
            );
            assert_eq!(hop.notes.len(), usize::from(crosses));
        }
        let trusted = RedirectOptions { trusted: true, ..RedirectOptions::default() };
        let hop = follow("ws://h/", &["http://o/"], trusted).expect("followed");
        assert!(hop.crosses_origin && !hop.drop_credentials && hop.notes.is_empty());
        assert!(
            is_credential("COOKIE") && is_credential("authorization") && !is_credential("Origin")
        );
    }

    #[test]
    fn tls_is_not_given_up() {
        let error = from("wss://h/", "http://h/x").expect_err("refused");
        assert_eq!(error, RedirectError::Downgrade { to: "ws://h/x".to_owned() });
        let options = RedirectOptions { downgrade: true, ..RedirectOptions::default() };
        assert!(follow("wss://h/", &["ws://h/"], options).is_ok());
    }

    #[test]
    fn circles_are_recognised_unless_cookies_changed() {
        let options = RedirectOptions::default();
        let mut trail = Trail::new(target("ws://h/a"));
        trail.follow(302, &["/b"], options).expect("followed");
        for location in ["/a", "/b", "http://H:80/a#x"] {
            let error = trail.clone().follow(302, &[location], options);
            assert!(matches!(error, Err(RedirectError::Loop { .. })), "{location}");
        }
        // A login: /a redirects to /b, which sets a cookie and redirects back.
        trail.cookies_changed();
        assert!(trail.follow(302, &["/a"], options).is_ok());
        assert!(trail.follow(302, &["/a"], options).is_err());
        assert_eq!((trail.hops(), trail.current().to_string()), (2, "ws://h/a".to_owned()));
    }

    #[test]
    fn there_is_a_limit() {
        let options = RedirectOptions::default();
        let mut trail = Trail::new(target("ws://h/"));
        for hop in 1..=10 {
            assert!(trail.follow(302, &[&format!("/{hop}")], options).is_ok(), "{hop}");
        }
        let error = trail.follow(302, &["/x"], options).expect_err("the eleventh");
        assert_eq!(error, RedirectError::TooMany { limit: 10, to: "ws://h/x".to_owned() });
        assert_eq!(trail.hops(), 10);
        let none = RedirectOptions { limit: 0, ..options };
        assert!(follow("ws://h/", &["/x"], none).is_err());
    }

    #[test]
    fn one_location_is_needed() {
        for locations in [&[][..], &["/a", "/b"]] {
            let error = follow("ws://h", locations, RedirectOptions::default());
            let count = locations.len();
            assert_eq!(error, Err(RedirectError::NoLocation { status: 302, count }));
        }
    }

    #[test]
    fn what_is_no_url_of_ours_is_refused_without_its_password() {
        for location in [
            "ftp://me:hunter2@h/",
            "mailto:a@b",
            "http://me:hunter2@:80/",
            "http://me:hunter2@h:0/",
        ] {
            let error = from("ws://h/", location).expect_err(location);
            assert!(matches!(error, RedirectError::BadLocation { .. }), "{location}: {error:?}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let hop = from("ws://h/", "http://me:hunter2@h/x").expect("followed");
        assert!(hop.target.basic_auth.is_some() && !format!("{hop:?}").contains("hunter2"));
    }
}
