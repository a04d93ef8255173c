//! Which clients a server accepts: by path, origin, credentials and subprotocol.
//!
//! Judges requests that are valid opening handshakes (see `rules`). It uses only the head, and no
//! sockets.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::grammar::parse_subprotocols;
use super::quoted;
use super::rules::request_http::host_of_origin;
use crate::wire::head::{AbsoluteForm, Head, absolute_form};
use crate::wire::host::{address, is_loopback, split_port};

/// A server's requirements for a request, in addition to the rules of the RFC. The default accepts
/// everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// The paths served, without query; empty serves all.
    pub paths: Vec<String>,
    /// The pages that may connect.
    pub origins: Origins,
    /// The required credentials.
    pub authorization: Option<Authorization>,
    /// Refuse a client that offers none of the supported subprotocols.
    pub require_subprotocol: bool,
    /// Refuses everyone, in this way.
    pub reject: Option<Reject>,
}

/// The pages that may connect. Programs other than browsers send no `Origin`, and are accepted: the
/// header protects users of browsers, not servers from programs (RFC 6455 §10.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Any page.
    #[default]
    Any,
    /// Pages of this machine, and pages from the address to which they connect. A server on
    /// loopback should not answer any page that the user happens to visit. A page from the same
    /// name to which it connects is not trusted, because the owner of the name can make it point
    /// here after the page is loaded (DNS rebinding).
    Local,
    /// Only these origins, as in `https://example.com`, `app://` or `null`, compared without regard
    /// to case and to a slash at the end.
    Listed(Vec<String>),
}

/// Credentials, RFC 9110 §11.6.2.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// `user:password` (RFC 7617).
    Basic(String),
    /// A token (RFC 6750 §2.1).
    Bearer(String),
}

/// A refusal that the user has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The status, 200 to 599.
    pub status: u16,
    /// The body; without one, a sentence about the status.
    pub body: Option<String>,
}

/// Why a request is refused, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status.
    pub status: u16,
    /// Headers that the status requires.
    pub headers: Vec<(&'static str, String)>,
    /// The reason in a sentence; bytes of the peer are escaped in it.
    pub reason: String,
    /// The body, if it differs from the reason.
    pub body: Option<String>,
}

impl Admission {
    /// Accepts or refuses a request; `spoken` are the server's subprotocols.
    ///
    /// # Errors
    ///
    /// The first reason to refuse it.
    pub fn judge(&self, request: &Head, spoken: &[String]) -> Result<(), Denial> {
        judge_repeated(request)?;
        self.judge_path(request)?;
        self.judge_authorization(request)?;
        self.judge_origin(request)?;
        self.judge_subprotocol(request, spoken)
    }

    /// "If the requested service is not available, the server MUST send an appropriate HTTP error
    /// code (such as 404 Not Found) and abort the WebSocket handshake" (RFC 6455 §4.2.2).
    fn judge_path(&self, request: &Head) -> Result<(), Denial> {
        let path = path(request);
        if self.paths.is_empty() || self.paths.iter().any(|served| served.as_bytes() == path) {
            return Ok(());
        }
        let reason = format!("path {} is not served here", quoted(path));
        Err(Denial::new(404, reason))
    }

    fn judge_authorization(&self, request: &Head) -> Result<(), Denial> {
        let Some(wanted) = &self.authorization else { return Ok(()) };
        let given = request.get("Authorization");
        if given.is_some_and(|given| wanted.is_met_by(given)) {
            return Ok(());
        }
        let reason = match given {
            None => "the request has no Authorization",
            Some(_) => "the credentials in Authorization are not the right ones",
        };
        // "A server generating a 401 (Unauthorized) response MUST send a WWW-Authenticate header
        // field" (RFC 9110 §11.6.1).
        let headers = vec![("WWW-Authenticate", wanted.challenge().to_owned())];
        Err(Denial { headers, ..Denial::new(401, reason.to_owned()) })
    }

    /// "If the origin indicated is unacceptable to the server, then it SHOULD respond to the
    /// WebSocket handshake with a reply containing HTTP 403 Forbidden status code" (§10.2).
    fn judge_origin(&self, request: &Head) -> Result<(), Denial> {
        let Some(origin) = request.get("Origin") else { return Ok(()) };
        let help = match &self.origins {
            Origins::Any => return Ok(()),
            Origins::Listed(listed) => {
                // For a page from a file, browsers send one of these two.
                let of_file = |listed: &String| {
                    let null = bare(listed.as_bytes()).eq_ignore_ascii_case(b"null");
                    null && origin.eq_ignore_ascii_case(b"file://")
                };
                let same = |listed: &String| {
                    bare(listed.as_bytes()).eq_ignore_ascii_case(bare(origin)) || of_file(listed)
                };
                if listed.iter().any(same) {
                    return Ok(());
                }
                "is not one of those allowed"
            }
            Origins::Local => {
                // `null` has no host, and neither has a text that is not an origin, such as
                // `http://127.0.0.1:80.evil.example`.
                let host = std::str::from_utf8(origin).ok().and_then(host_of_origin);
                let ours = request.get("Host").and_then(host_of);
                let same = |host: &str| ours == Some(host) && address(host).is_some();
                if host.is_some_and(|host| is_loopback(host) || same(host)) {
                    return Ok(());
                }
                "is another site than this server, which listens for this machine alone; \
                 allow it with --origin"
            }
        };
        Err(Denial::new(403, format!("origin {} {help}", quoted(origin))))
    }

    fn judge_subprotocol(&self, request: &Head, spoken: &[String]) -> Result<(), Denial> {
        let offered = parse_subprotocols(request.get_all("Sec-WebSocket-Protocol")).names;
        if !self.require_subprotocol || spoken.iter().any(|name| offered.contains(name)) {
            return Ok(());
        }
        let spoken = spoken.join(", ");
        let reason = match offered.is_empty() {
            true => format!("no subprotocol is offered; this server speaks {spoken}"),
            false => {
                let offered = offered.join(", ");
                format!("none of the subprotocols {offered} is spoken here, only {spoken}")
            }
        };
        Err(Denial::new(400, reason))
    }
}

/// If a request has two Origins or two Authorizations, it is unknown which one counts: "the user
/// agent MUST NOT include more than one Origin header field in any HTTP request" (RFC 6454 §7.3),
/// and "a sender MUST NOT generate multiple field lines with the same name in a message […] unless
/// that field's definition allows multiple field line values to be recombined as a comma-separated
/// list" (RFC 9110 §5.3). Host, Sec-WebSocket-Key and Sec-WebSocket-Version have rules of their
/// own.
fn judge_repeated(request: &Head) -> Result<(), Denial> {
    for name in ["Origin", "Authorization"] {
        let count = request.get_all(name).count();
        if count > 1 {
            return Err(Denial::new(400, format!("{name} appears {count} times")));
        }
    }
    Ok(())
}

impl Denial {
    fn new(status: u16, reason: String) -> Self {
        Self { status, headers: Vec::new(), reason, body: None }
    }
}

impl Reject {
    /// The refusal as an answer.
    pub(super) fn denial(&self) -> Denial {
        let reason = format!("this server refuses every handshake with {}", self.status);
        Denial { body: self.body.clone(), ..Denial::new(self.status, reason) }
    }
}

impl Authorization {
    /// Whether the value of Authorization or Proxy-Authorization has the required credentials.
    pub fn is_met_by(&self, given: &[u8]) -> bool {
        let (scheme, wanted) = match self {
            Self::Basic(pair) => ("basic", BASE64_STANDARD.encode(pair)),
            Self::Bearer(token) => ("bearer", token.clone()),
        };
        let at = given.iter().position(|byte| *byte == b' ').unwrap_or(given.len());
        let (given_scheme, rest) = given.split_at(at);
        given_scheme.eq_ignore_ascii_case(scheme.as_bytes())
            && is_same_secret(rest.trim_ascii(), wanted.as_bytes())
    }

    /// The challenge that requests these credentials, as in WWW-Authenticate and
    /// Proxy-Authenticate.
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Basic(_) => "Basic realm=\"wscope\", charset=\"UTF-8\"",
            Self::Bearer(_) => "Bearer realm=\"wscope\"",
        }
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.challenge())
    }
}

/// The path of the request's target, without query.
pub fn path(request: &Head) -> &[u8] {
    let target = request.request_line().map_or(&b"/"[..], |line| line.target);
    // RFC 9112 §3.2.2: a server must accept the absolute form, too.
    let resource = match absolute_form(target) {
        None => target,
        Some(AbsoluteForm { resource, .. }) if resource.starts_with(b"/") => resource,
        Some(_) => b"/",
    };
    resource.split(|byte| *byte == b'?').next().unwrap_or(resource)
}

/// Compares in a time that depends only on the length, so the time does not show how far a guess is
/// right.
fn is_same_secret(given: &[u8], wanted: &[u8]) -> bool {
    let differing = given.iter().zip(wanted).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == wanted.len() && std::hint::black_box(differing) == 0
}

/// Removes the slashes at the end: an origin has no path (RFC 6454 §6.2), but people copy URLs.
fn bare(origin: &[u8]) -> &[u8] {
    let end = origin.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    &origin[..end]
}

/// The host of a value of Host.
fn host_of(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().map(|authority| split_port(authority).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    fn request(target: &str, headers: &str) -> Head {
        request_to("Example.com:9001", target, headers)
    }

    fn request_to(host: &str, target: &str, headers: &str) -> Head {
        let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        Head::parse(HeadKind::Request, raw.as_bytes())
    }

    fn status(admission: &Admission, request: &Head) -> Option<u16> {
        admission.judge(request, &["chat".to_owned()]).err().map(|denial| denial.status)
    }

    #[test]
    fn a_path_is_compared_without_its_query() {
        let admission = Admission { paths: vec!["/chat".to_owned()], ..Admission::default() };
        for target in ["/chat", "/chat?a=/", "http://example.com/chat?x", "ws://e:1/chat"] {
            assert_eq!(status(&admission, &request(target, "")), None, "{target}");
        }
        for target in [
            "/",
            "/chat/",
            "/Chat",
            "/x?/chat",
            "http://example.com",
            "http://e?/chat",
            "http://e#/chat",
        ] {
            assert_eq!(status(&admission, &request(target, "")), Some(404), "{target}");
        }
    }

    #[test]
    fn an_absolute_target_without_a_path_means_the_root() {
        let admission = Admission { paths: vec!["/".to_owned()], ..Admission::default() };
        for target in ["/", "/?a", "http://example.com", "http://example.com?/chat"] {
            assert_eq!(status(&admission, &request(target, "")), None, "{target}");
        }
        for target in ["?a", "*", "//example.com", "http://example.com/chat"] {
            assert_eq!(status(&admission, &request(target, "")), Some(404), "{target}");
        }
    }

    #[test]
    fn pages_of_other_sites_do_not_reach_a_local_server() {
        let admission = Admission { origins: Origins::Local, ..Admission::default() };
        let with = |origin: &str| request("/", &format!("Origin: {origin}\r\n"));
        assert_eq!(status(&admission, &request("/", "")), None);
        for origin in [
            "http://localhost:3000",
            "https://app.localhost",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(status(&admission, &with(origin)), None, "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1:80.evil.example",
            "http://127.0.0.1:80/evil.example",
            "http://[::1]evil.example",
            "http://localhost:evil.example",
            "http://localhost.",
            "http://[[::1]]",
            "http://[::1]:1]:2",
            "http://[::1]:80]",
            "https://notexample.com",
            "http://[::2]",
            // The host to which it connects: the owner of the name may have made it point here.
            "https://example.com",
            "http://Example.com:9001",
        ] {
            assert_eq!(status(&admission, &with(origin)), Some(403), "{origin}");
        }
    }

    #[test]
    fn pages_from_the_address_they_connect_to_reach_a_local_server() {
        let admission = Admission { origins: Origins::Local, ..Admission::default() };
        for (host, origin, wanted) in [
            // For example, through a forwarded port.
            ("192.0.2.7:9001", "http://192.0.2.7:3000", None),
            ("[2001:db8::7]:9001", "http://[2001:db8::7]", None),
            ("192.0.2.7:9001", "http://192.0.2.8:3000", Some(403)),
            ("evil.example:9001", "http://evil.example:9001", Some(403)),
        ] {
            let request = request_to(host, "/", &format!("Origin: {origin}\r\n"));
            assert_eq!(status(&admission, &request), wanted, "{origin} to {host}");
        }
    }

    #[test]
    fn a_list_of_origins_is_all_there_is() {
        let origins = Origins::Listed(vec!["https://a.example".to_owned(), "null".to_owned()]);
        let admission = Admission { origins, ..Admission::default() };
        let with = |origin: &str| request("/", &format!("Origin: {origin}\r\n"));
        assert_eq!(status(&admission, &request("/", "")), None);
        assert_eq!(status(&admission, &with("HTTPS://a.example")), None);
        assert_eq!(status(&admission, &with("null")), None);
        assert_eq!(status(&admission, &with("https://a.example:8443")), Some(403));
        assert_eq!(status(&admission, &with("file://")), None, "a page from a file, as with null");
        assert_eq!(status(&admission, &with("http://localhost")), Some(403));
        for null in ["null", "null/", "NULL"] {
            let origins = Origins::Listed(vec![null.to_owned()]);
            let admission = Admission { origins, ..Admission::default() };
            assert_eq!(status(&admission, &with("file://")), None, "{null}");
        }
    }

    #[test]
    fn what_may_stand_once_is_not_judged_by_its_first_value() {
        let twice = request("/", "Origin: http://localhost\r\norigin: https://evil.example\r\n");
        for origins in [Origins::Any, Origins::Local, Origins::Listed(vec!["null".to_owned()])] {
            let admission = Admission { origins, ..Admission::default() };
            assert_eq!(status(&admission, &twice), Some(400));
        }
        let twice = request("/", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n");
        let authorization = Some(Authorization::Bearer("a".to_owned()));
        let admission = Admission { authorization, ..Admission::default() };
        assert_eq!(status(&admission, &twice), Some(400));
    }

    #[test]
    fn credentials_are_all_or_nothing() {
        let basic = Some(Authorization::Basic("Aladdin:open sesame".to_owned()));
        let admission = Admission { authorization: basic, ..Admission::default() };
        let with = |value: &str| request("/", &format!("Authorization: {value}\r\n"));
        // RFC 7617 §2.
        assert_eq!(status(&admission, &with("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==")), None);
        for wrong in
            ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ""]
        {
            assert_eq!(status(&admission, &with(wrong)), Some(401), "{wrong}");
        }
        let denial = admission.judge(&request("/", ""), &[]).expect_err("nothing given");
        assert_eq!(denial.headers[0].0, "WWW-Authenticate");

        let bearer = Some(Authorization::Bearer("t0k-en".to_owned()));
        let admission = Admission { authorization: bearer, ..Admission::default() };
        assert_eq!(status(&admission, &with("Bearer t0k-en")), None);
        assert_eq!(status(&admission, &with("Bearer t0k-eN")), Some(401));
        assert!(!format!("{admission:?}").contains("t0k"), "secrets are not told");
    }

    #[test]
    fn a_subprotocol_can_be_required() {
        let admission = Admission { require_subprotocol: true, ..Admission::default() };
        let with = |value: &str| request("/", &format!("Sec-WebSocket-Protocol: {value}\r\n"));
        assert_eq!(status(&admission, &with("x, chat")), None);
        assert_eq!(status(&admission, &with("Chat")), Some(400));
        assert_eq!(status(&admission, &request("/", "")), Some(400));
    }
}
