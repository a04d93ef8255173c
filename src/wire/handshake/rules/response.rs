//! The server's duties in its answer (RFC 6455 §4.1, §4.2.2, §4.4, §11.3; RFC 9110).

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::facts::HandshakeFacts;
use super::finding::Finding::{self, Moot};
use super::request_ws::is_version;
use crate::wire::handshake::accept::{AcceptMistake, AcceptSteps};
use crate::wire::handshake::headers::{ACCEPT, EXTENSIONS, KEY, PROTOCOL, VERSION};
use crate::wire::handshake::quoted;
use crate::wire::head::{HttpVersion, StartLine, is_token};

/// Returns the 101 response, or ends the rule as not applicable.
macro_rules! switched {
    ($facts:expr) => {
        match $facts.switched() {
            Ok(response) => response,
            Err(why) => return Moot(why),
        }
    };
}
pub(super) use switched;

pub(super) fn status(facts: &HandshakeFacts<'_>) -> Finding {
    let Some((head, _)) = facts.response else {
        return Moot("no response");
    };
    match head.start_line() {
        StartLine::Status(line) if line.code == 101 => Finding::kept("101"),
        // "If the status code received from the server is not 101, the client handles the response
        // per HTTP [RFC2616] procedures" (§4.1): a refusal breaks no rule.
        StartLine::Status(_) => Moot("the server refused, as it may"),
        StartLine::Unparsable(line) => Finding::broken(format!("no status line: {}", quoted(line))),
        StartLine::Request(_) => Finding::broken("the head is a request"),
    }
}

/// RFC 6455 §4.2.2: "A Status-Line with a 101 response code as per RFC 2616", with the example
/// "HTTP/1.1 101 Switching Protocols"; RFC 9110 §15.2 forbids 1xx for HTTP/1.0.
pub(super) fn version(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    match response.status_line().map(|line| line.version) {
        Some(HttpVersion::HTTP_11) => Finding::kept("HTTP/1.1"),
        Some(other) => Finding::broken(other.to_string()),
        None => Moot("no status line"),
    }
}

/// RFC 6455 §4.1: "If the response lacks an |Upgrade| header field or the |Upgrade|
/// header field contains a value that is not an ASCII case-insensitive match for the
/// value "websocket", the client MUST _Fail the WebSocket Connection_."
pub(super) fn upgrade(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let mut values = response.get_all("Upgrade");
    let Some(value) = values.next() else {
        return Finding::broken("expected Upgrade: websocket, got no Upgrade");
    };
    if values.next().is_some() {
        return Finding::broken("expected one Upgrade: websocket, got several");
    }
    Finding::decide(value.eq_ignore_ascii_case(b"websocket"), "websocket", || {
        format!("expected Upgrade: websocket, got {}", quoted(value))
    })
}

/// RFC 6455 §4.1: "If the response lacks a |Connection| header field or the |Connection|
/// header field doesn't contain a token that is an ASCII case-insensitive match for the
/// value "Upgrade", the client MUST _Fail the WebSocket Connection_."
pub(super) fn connection(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let Some(value) = response.get("Connection") else {
        return Finding::broken("expected Connection: Upgrade, got no Connection");
    };
    Finding::decide(response.has_token("Connection", "upgrade"), "Upgrade", || {
        format!("expected Connection: Upgrade, got {}", quoted(value))
    })
}

pub(super) fn accept_present(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    Finding::decide(response.get(ACCEPT).is_some(), "present", || match facts.request.get(KEY) {
        None => "Sec-WebSocket-Accept is missing".to_owned(),
        Some(key) => {
            format!("expected Sec-WebSocket-Accept: {}, got none", AcceptSteps::for_key(key).accept)
        }
    })
}

/// RFC 6455 §4.1: "If the response lacks a |Sec-WebSocket-Accept| header field or the
/// |Sec-WebSocket-Accept| contains a value other than the base64-encoded SHA-1 of the
/// concatenation of the |Sec-WebSocket-Key| (as a string, not base64-decoded) with the
/// string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" but ignoring any leading and trailing
/// whitespace, the client MUST _Fail the WebSocket Connection_."
pub(super) fn accept_value(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let Some(key) = facts.request.get(KEY) else {
        return Moot("the request has no key");
    };
    let expected = AcceptSteps::for_key(key).accept;
    let mut values = response.get_all(ACCEPT).peekable();
    if values.peek().is_none() {
        return Moot("no accept value");
    }
    let Some(got) = values.find(|&value| value != expected.as_bytes()) else {
        return Finding::kept(format!("the proof matches: {expected}"));
    };
    let why = explain_accept(facts, key, got);
    Finding::broken(format!("expected {expected}, got {}{why}", quoted(got)))
}

/// The value must decode to the 20 bytes of a SHA-1 hash.
pub(super) fn accept_abnf(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let Some(value) = response.get(ACCEPT) else {
        return Moot("no accept value");
    };
    match BASE64_STANDARD.decode(value) {
        Err(error) => Finding::broken(format!("{} is not base64: {error}", quoted(value))),
        Ok(digest) => Finding::decide(digest.len() == 20, "20 bytes", || {
            format!("{} bytes instead of the 20 of a SHA-1", digest.len())
        }),
    }
}

/// RFC 6455 §11.3.3: "The |Sec-WebSocket-Accept| header MUST NOT appear more than once
/// in an HTTP response."
pub(super) fn accept_once(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::at_most_once(switched!(facts), ACCEPT)
}

/// RFC 6455 §4.1: "If the response includes a |Sec-WebSocket-Extensions| header field
/// and this header field indicates the use of an extension that was not present in the
/// client's handshake […], the client MUST _Fail the WebSocket Connection_."
pub(super) fn extension_offered(facts: &HandshakeFacts<'_>) -> Finding {
    let _ = switched!(facts);
    let accepted = facts.accepted_extensions.as_deref().unwrap_or_default();
    if accepted.is_empty() {
        return Moot("no extension accepted");
    }
    let Ok(offered) = &facts.offered_extensions else {
        return Moot("the offer itself cannot be parsed");
    };
    let was_offered = |name: &str| offered.iter().any(|offer| offer.name == name);
    match accepted.iter().find(|answer| !was_offered(&answer.name)) {
        None => Finding::kept(format!("{} accepted", accepted.len())),
        Some(other) => Finding::broken(format!("{} was not offered", other.name)),
    }
}

/// RFC 6455 §9.1: "If a value is received by either the client or the server during
/// negotiation that does not conform to the ABNF below, the recipient of such malformed
/// data MUST immediately _Fail the WebSocket Connection_."
pub(super) fn extension_abnf(facts: &HandshakeFacts<'_>) -> Finding {
    let _ = switched!(facts);
    match &facts.accepted_extensions {
        Err(error) => Finding::broken(error.to_string()),
        Ok(list) if list.is_empty() => Moot("no extension accepted"),
        Ok(list) => Finding::kept(format!("{} accepted", list.len())),
    }
}

/// RFC 6455 §11.3.2 allows one such header in a response, §4.2.2 several; therefore only a warning.
pub(super) fn extension_once(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::at_most_once(switched!(facts), EXTENSIONS)
}

/// RFC 6455 §4.1: "If the response includes a |Sec-WebSocket-Protocol| header field and
/// this header field indicates the use of a subprotocol that was not present in the
/// client's handshake […], the client MUST _Fail the WebSocket Connection_."
pub(super) fn subprotocol_offered(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    if facts.request.get(PROTOCOL).is_none() {
        return Moot("no subprotocol offered");
    }
    let mut chosen = response.get_all(PROTOCOL).filter(|name| !name.is_empty());
    let Some(first) = chosen.clone().next() else {
        return Moot("no subprotocol chosen");
    };
    let Some(stranger) = chosen.find(|name| !facts.offers_subprotocol(name)) else {
        return Finding::kept(format!("{} was offered", quoted(first)));
    };
    let twin =
        facts.request.tokens(PROTOCOL).find(|offered| offered.eq_ignore_ascii_case(stranger));
    Finding::broken(match twin {
        None => format!("{} was not offered", quoted(stranger)),
        Some(twin) => format!(
            "{} was not offered, {} was; upper and lower case differ",
            quoted(stranger),
            quoted(twin)
        ),
    })
}

pub(super) fn subprotocol_none(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    if facts.request.get(PROTOCOL).is_some() {
        return Moot("subprotocols were offered");
    }
    match response.get(PROTOCOL) {
        None => Finding::kept("absent"),
        Some(name) => Finding::broken(format!("{} was chosen, none was offered", quoted(name))),
    }
}

pub(super) fn subprotocol_token(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let mut values = response.get_all(PROTOCOL).peekable();
    if values.peek().is_none() {
        return Moot("no subprotocol chosen");
    }
    match values.find(|value| !is_token(value)) {
        None => Finding::kept("one token"),
        Some(b"") => Finding::broken("the chosen subprotocol is empty"),
        Some(list) if list.contains(&b',') => {
            Finding::broken(format!("a list instead of one subprotocol: {}", quoted(list)))
        }
        Some(other) => Finding::broken(format!("{} is not a token", quoted(other))),
    }
}

/// RFC 6455 §11.3.4: "the |Sec-WebSocket-Protocol| header field MUST NOT appear more
/// than once in an HTTP response."
pub(super) fn subprotocol_once(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::at_most_once(switched!(facts), PROTOCOL)
}

/// RFC 6455 allows a server to choose no subprotocol; browsers then fail the connection (WHATWG
/// WebSockets, "establish a WebSocket connection").
pub(super) fn subprotocol_acked(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    if facts.request.get(PROTOCOL).is_none() {
        return Moot("no subprotocol offered");
    }
    Finding::decide(response.get(PROTOCOL).is_some(), "answered", || {
        "no subprotocol was chosen; browsers fail the connection then".to_owned()
    })
}

/// RFC 9110 §8.6 and RFC 9112 §6.1: no Content-Length and no Transfer-Encoding in a 1xx.
pub(super) fn no_body(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    let body = ["Content-Length", "Transfer-Encoding"]
        .into_iter()
        .find(|name| response.get(name).is_some());
    match body {
        None => Finding::kept("none"),
        Some(name) => Finding::broken(format!("{name} on a 101")),
    }
}

pub(super) fn version_absent(facts: &HandshakeFacts<'_>) -> Finding {
    let response = switched!(facts);
    match response.get(VERSION) {
        None => Finding::kept("absent"),
        Some(value) => Finding::broken(format!("a 101 with version {}", quoted(value))),
    }
}

/// RFC 6455 §4.4: "If the server doesn't support the requested version, it MUST respond
/// with a |Sec-WebSocket-Version| header field […] containing all versions it is willing
/// to use."
pub(super) fn version_list(facts: &HandshakeFacts<'_>) -> Finding {
    let (response, status) = match facts.refused() {
        Ok(refused) => refused,
        Err(why) => return Moot(why),
    };
    match response.get(VERSION) {
        Some(list) => Finding::decide(status >= 400, format!("lists {}", quoted(list)), || {
            format!("versions listed with status {status}, which is not an error")
        }),
        None if facts.request.get(VERSION).is_some_and(|sent| sent != b"13") => {
            Finding::broken(format!("the version was not 13; {status} lists none"))
        }
        None => Moot("no version mismatch"),
    }
}

pub(super) fn version_abnf(facts: &HandshakeFacts<'_>) -> Finding {
    let (response, _) = match facts.refused() {
        Ok(refused) => refused,
        Err(why) => return Moot(why),
    };
    if response.get(VERSION).is_none() {
        return Moot("no versions listed");
    }
    let mut versions = response.tokens(VERSION).peekable();
    if versions.peek().is_none() {
        return Finding::broken("the list of versions is empty");
    }
    match versions.find(|version| !is_version(version)) {
        None => Finding::kept("valid"),
        Some(bad) => Finding::broken(format!("{} is not a version number", quoted(bad))),
    }
}

/// RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response".
pub(super) fn status_426(facts: &HandshakeFacts<'_>) -> Finding {
    status_needs(facts, 426, "Upgrade")
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405
/// response".
pub(super) fn status_405(facts: &HandshakeFacts<'_>) -> Finding {
    status_needs(facts, 405, "Allow")
}

/// RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate
/// header field".
pub(super) fn status_401(facts: &HandshakeFacts<'_>) -> Finding {
    status_needs(facts, 401, "WWW-Authenticate")
}

/// RFC 6455 §4.1 allows a client to follow redirects; browsers do not (WHATWG WebSockets).
pub(super) fn redirect(facts: &HandshakeFacts<'_>) -> Finding {
    match facts.response {
        None => Moot("no response"),
        Some((head, Some(code @ 300..=399))) => Finding::broken(match head.get("Location") {
            None => format!("status {code}; browsers stop here"),
            Some(to) => format!("status {code} to {}; browsers stop here", quoted(to)),
        }),
        Some(_) => Finding::kept("no redirect"),
    }
}

fn status_needs(facts: &HandshakeFacts<'_>, status: u16, name: &'static str) -> Finding {
    match facts.response {
        Some((head, Some(code))) if code == status => {
            Finding::decide(head.get(name).is_some(), "present", || {
                format!("{status} without {name}")
            })
        }
        _ => Moot("another status"),
    }
}

/// Names the bug that causes a wrong accept value, if it is a known one.
fn explain_accept(facts: &HandshakeFacts<'_>, key: &[u8], got: &[u8]) -> String {
    if let Some(mistake) = AcceptMistake::identify(key, got) {
        return format!("; {mistake}");
    }
    let proves = |key: &[u8]| AcceptSteps::for_key(key).accept.as_bytes() == got;
    if facts.request.get_all(KEY).skip(1).any(proves) {
        return "; it proves another of the keys in the request".to_owned();
    }
    match facts.context.earlier_keys.iter().position(|key| proves(key)) {
        Some(index) => {
            format!("; it proves the key of connection #{}, as a cache would", index + 1)
        }
        None => String::new(),
    }
}
