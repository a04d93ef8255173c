//! The client's duties that concern URL, TLS and plain HTTP headers (RFC 6455 §3, §4.1,
//! §10).

use super::context::{Sni, UrlFacts};
use super::facts::HandshakeFacts;
use super::finding::Finding::{self, Moot};
use crate::wire::handshake::quoted;
use crate::wire::head::{AbsoluteForm, HttpVersion, StartLine, absolute_form};
use crate::wire::host::split_port;
use crate::wire::secret::is_secret;

const UNKNOWN_URL: Finding = Moot("the URL is not known");

/// RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs
/// and MUST NOT be used on these URIs."
pub(super) fn fragment(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(url) = facts.context.url else {
        return UNKNOWN_URL;
    };
    match url.fragment {
        None => Finding::kept("no fragment"),
        Some(fragment) => Finding::broken(format!("the URL carries #{}", fragment.escape_debug())),
    }
}

/// RFC 6455 §4.1: "Clients MUST use the Server Name Indication extension in the TLS handshake". RFC
/// 6066 §3 forbids addresses in it, so the rule does not apply to addresses.
pub(super) fn sni(facts: &HandshakeFacts<'_>) -> Finding {
    let address = |host: &str| host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    match (facts.context.url, facts.context.sni) {
        (Some(url), _) if !url.secure => Moot("not TLS"),
        (_, Sni::Unseen) => Moot("the TLS handshake was not seen"),
        (_, Sni::Sent(name)) => Finding::kept(format!("SNI {}", name.escape_debug())),
        (Some(url), Sni::Missing) if address(url.host) => Moot("the host is an address"),
        (_, Sni::Missing) => Finding::broken("no SNI sent"),
    }
}

pub(super) fn syntax(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.request.defects() {
        [] => Finding::kept("valid HTTP"),
        [only] => Finding::broken(only.to_string()),
        [first, more @ ..] => Finding::broken(format!("{first}, and {} more", more.len())),
    }
}

/// RFC 6455 §4.1: "The method of the request MUST be GET, and the HTTP version MUST be
/// at least 1.1."
pub(super) fn method(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(line) = facts.request.request_line() else {
        return no_request_line(facts);
    };
    Finding::decide(line.method == b"GET", "GET", || format!("method {}", quoted(line.method)))
}

pub(super) fn version(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(line) = facts.request.request_line() else {
        return no_request_line(facts);
    };
    let version = line.version.to_string();
    Finding::decide(line.version >= HttpVersion::HTTP_11, &version, || {
        format!("{version}; a proxy that speaks HTTP/1.0 cannot upgrade")
    })
}

/// RFC 6455 §4.1: "The "Request-URI" part of the request MUST match the /resource name/
/// defined in Section 3 (a relative URI) or be an absolute http/https URI that, when
/// parsed, has a /resource name/, /host/, and /port/ that match the corresponding
/// ws/wss URI."
pub(super) fn target(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(line) = facts.request.request_line() else {
        return no_request_line(facts);
    };
    let shown = quoted(line.target);
    let is_http = |scheme: &[u8]| {
        scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https")
    };
    let absolute = absolute_form(line.target).filter(|absolute| is_http(absolute.scheme));
    let Some(url) = facts.context.url else {
        let fine = line.target.starts_with(b"/") || absolute.is_some();
        return Finding::decide(fine, format!("target {shown}"), || {
            format!("target {shown} is neither a path nor an http URL")
        });
    };
    let fine = match absolute {
        Some(AbsoluteForm { authority, resource, .. }) => {
            names_host(authority, &url) && resource_eq(resource, url.resource)
        }
        None => line.target == url.resource.as_bytes(),
    };
    Finding::decide(fine, format!("target {shown}"), || {
        format!("target {shown}, expected {}", quoted(url.resource.as_bytes()))
    })
}

/// RFC 6455 §4.1: "The request MUST contain a |Host| header field whose value contains
/// /host/ plus optionally ":" followed by /port/ (when not using the default port)."
pub(super) fn host(facts: &HandshakeFacts<'_>) -> Finding {
    let mut values = facts.request.get_all("Host");
    let (Some(value), more) = (values.next(), values.count()) else {
        return Finding::broken("Host is missing");
    };
    if more > 0 {
        return Finding::broken(format!("Host appears {} times", more + 1));
    }
    let shown = quoted(value);
    let Some(url) = facts.context.url else {
        let fine = !value.is_empty() && value.iter().all(|byte| !b" \t/?#@,".contains(byte));
        return Finding::decide(fine, format!("Host {shown}"), || {
            format!("Host {shown} names no host")
        });
    };
    Finding::decide(names_host(value, &url), format!("Host {shown}"), || {
        format!("Host {shown}, expected host {} port {}", url.host, url.port)
    })
}

/// RFC 6455 §4.1: "The request MUST contain an |Upgrade| header field whose value MUST
/// include the "websocket" keyword."
pub(super) fn upgrade(facts: &HandshakeFacts<'_>) -> Finding {
    list_holds(facts, "Upgrade", "websocket")
}

/// RFC 6455 §4.1: "The request MUST contain a |Connection| header field whose value
/// MUST include the "Upgrade" token."
pub(super) fn connection(facts: &HandshakeFacts<'_>) -> Finding {
    list_holds(facts, "Connection", "upgrade")
}

/// RFC 6455 §4.1: "The request MUST include a header field with the name |Origin| if
/// the request is coming from a browser client."
pub(super) fn origin(facts: &HandshakeFacts<'_>) -> Finding {
    // For decades, the User-Agent of every browser has begun with this word.
    let browser =
        facts.request.get("User-Agent").is_some_and(|agent| agent.starts_with(b"Mozilla/"));
    match facts.request.get("Origin") {
        Some(value) => Finding::kept(format!("Origin {}", quoted(value))),
        None if browser => Finding::broken("a browser's request without Origin"),
        None => Moot("the client is not a browser"),
    }
}

/// RFC 6454 §7: `null`, or scheme, host and port, and nothing after them.
pub(super) fn origin_form(facts: &HandshakeFacts<'_>) -> Finding {
    let mut values = facts.request.get_all("Origin");
    let Some(value) = values.next() else {
        return Moot("no Origin");
    };
    let more = values.count();
    if more > 0 {
        return Finding::broken(format!("Origin appears {} times", more + 1));
    }
    let fine = value == b"null"
        || std::str::from_utf8(value).is_ok_and(|text| host_of_origin(text).is_some());
    Finding::decide(fine, format!("Origin {}", quoted(value)), || {
        format!("{} is not scheme://host[:port]", quoted(value))
    })
}

/// RFC 6455 §4.1: "Once the client's opening handshake has been sent, the client MUST
/// wait for a response from the server before sending any further data."
pub(super) fn wait(facts: &HandshakeFacts<'_>) -> Finding {
    let early = facts.context.early_bytes;
    Finding::decide(early == 0, "the client waited", || {
        format!("{early} bytes sent before the response")
    })
}

pub(super) fn no_body(facts: &HandshakeFacts<'_>) -> Finding {
    let length = facts.request.get_all("Content-Length").find(|&v| v != b"0");
    if let Some(length) = length {
        return Finding::broken(format!("the request has Content-Length {}", quoted(length)));
    }
    let coded = facts.request.get("Transfer-Encoding").is_some();
    Finding::decide(!coded, "no body", || "the request has Transfer-Encoding".to_owned())
}

/// RFC 6455 §10.6: "Connection confidentiality and integrity is provided by running the
/// WebSocket Protocol over TLS (wss URIs)."
pub(super) fn tls(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.context.url {
        None => UNKNOWN_URL,
        Some(url) if url.secure => Finding::kept("TLS"),
        Some(url) if url.loopback => Finding::kept("cleartext that stays on this machine"),
        Some(url) => Finding::broken(format!("cleartext to {}", url.host)),
    }
}

/// Every hop may log the credentials in a URL.
pub(super) fn secret_in_url(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(line) = facts.request.request_line() else {
        return Moot("no request line");
    };
    let target = String::from_utf8_lossy(line.target);
    let Some((_, query)) = target.split_once('?') else {
        return Finding::kept("no query");
    };
    let secret = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, value)| !value.is_empty() && (is_secret(name) || value.starts_with("eyJ")));
    match secret {
        None => Finding::kept("no credential in the query"),
        Some((name, _)) => Finding::broken(format!(
            "query value {} looks like a credential and will be logged on the way",
            quoted(name.as_bytes())
        )),
    }
}

fn no_request_line(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.request.start_line() {
        StartLine::Unparsable(line) => {
            Finding::broken(format!("no request line: {}", quoted(line)))
        }
        _ => Finding::broken("the head is not a request"),
    }
}

fn list_holds(facts: &HandshakeFacts<'_>, name: &'static str, token: &str) -> Finding {
    let Some(first) = facts.request.get(name) else {
        return Finding::broken(format!("{name} is missing"));
    };
    Finding::decide(
        facts.request.has_token(name, token),
        format!("{name} {}", quoted(first)),
        || format!("{name} is {}, without {token}", quoted(first)),
    )
}

/// RFC 6455 §3: an empty path means "/".
fn resource_eq(sent: &[u8], resource: &str) -> bool {
    sent == resource.as_bytes()
        || (!sent.starts_with(b"/") && resource.as_bytes() == [b"/", sent].concat())
}

/// Whether `host[:port]` names the host and port of the URL.
fn names_host(authority: &[u8], url: &UrlFacts<'_>) -> bool {
    let default_port = if url.secure { 443 } else { 80 };
    let Some((host, rest)) = authority.split_at_checked(url.host.len()) else {
        return false;
    };
    if !host.eq_ignore_ascii_case(url.host.as_bytes()) {
        return false;
    }
    match rest {
        [] => url.port == default_port,
        [b':', port @ ..] => port == url.port.to_string().as_bytes(),
        _ => false,
    }
}

/// The host of an origin: `scheme://host[:port]` (RFC 6454 §6.2).
pub(in crate::wire::handshake) fn host_of_origin(text: &str) -> Option<&str> {
    let (scheme, authority) = text.split_once("://")?;
    let scheme_fine = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (host, port) = split_port(authority);
    let address = host.starts_with('[') && host.ends_with(']');
    // A name may be empty, as in file:// (RFC 3986 §3.2.2), but not where a host is meant.
    let nameless = host.is_empty() && port.is_none();
    let host_fine = (!host.is_empty()
        || nameless && !scheme.to_ascii_lowercase().starts_with("http"))
        && host.chars().all(|c| {
            c.is_ascii_alphanumeric() || "-._~%".contains(c) || (address && "[]:".contains(c))
        });
    let is_origin = scheme_fine && host_fine && port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_origin.then_some(host)
}
