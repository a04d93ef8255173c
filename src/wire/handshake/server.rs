//! The server's half of the opening handshake (RFC 6455 §4.2): a request in, the bytes
//! of the answer out.

use super::Agreed;
use super::accept::AcceptSteps;
use super::admission::{Admission, Denial};
use super::grammar::{parse_extensions, parse_subprotocols};
use super::headers::{HeaderEdit, write_head};
use super::rules::{HandshakeContext, RefusalStatus, Rule, check_request, refusal};
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::head::Head;

/// The values on which a server can agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerConfig {
    /// The supported subprotocols, in order of preference.
    pub subprotocols: Vec<String>,
    /// The compression settings; `None` declines permessage-deflate.
    pub deflate: Option<ServerDeflateConfig>,
    /// Headers to add to, replace in or leave out of the 101.
    pub headers: Vec<HeaderEdit>,
    /// Which clients the server accepts.
    pub admission: Admission,
}

/// A 101 to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The response head.
    pub response: Vec<u8>,
    /// What both sides agreed on.
    pub agreed: Agreed,
}

/// An error response to send, after which the connection is closed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The response, head and body.
    pub response: Vec<u8>,
    /// The rule that the request broke; `None` if the server refuses for another reason.
    pub rule: Option<&'static Rule>,
    /// How the request broke the rule, in a few words.
    pub reason: String,
}

impl Refusal {
    /// An answer for a connection on which no request could be read or judged.
    ///
    /// `headers` are those that the status requires. `headers` and `reason` must not contain raw
    /// bytes of the peer.
    pub fn new(status: u16, headers: &[(&str, &str)], reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let response = write_response(status, headers, &format!("{reason}\n"));
        Self { status, response, rule: None, reason }
    }
}

/// Answers an opening request.
///
/// # Errors
///
/// [`Refusal`], with the response to send instead of a 101, if the request breaks a rule that a
/// server must enforce, or if the server's [`Admission`] refuses it.
pub fn respond(request: &Head, config: &ServerConfig) -> Result<Accepted, Refusal> {
    if let Some(reject) = &config.admission.reject {
        return Err(deny(reject.denial()));
    }
    let verdicts = check_request(&HandshakeContext::new(request, None));
    if let Some(status) = refusal(request, &verdicts) {
        return Err(refuse(&status, request));
    }
    config.admission.judge(request, &config.subprotocols).map_err(deny)?;
    let key = request.get("Sec-WebSocket-Key").unwrap_or_default();
    let mut agreed = Agreed::default();
    let mut defaults = vec![
        ("Upgrade", "websocket".to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Accept", AcceptSteps::for_key(key).accept),
    ];
    let offered = parse_subprotocols(request.get_all("Sec-WebSocket-Protocol")).names;
    if let Some(chosen) = config.subprotocols.iter().find(|name| offered.contains(name)) {
        defaults.push(("Sec-WebSocket-Protocol", chosen.clone()));
        agreed.subprotocol = Some(chosen.clone());
    }
    // A list that cannot be parsed was refused above.
    let offered = parse_extensions(request.get_all("Sec-WebSocket-Extensions")).unwrap_or_default();
    if let Some(deflate) = config.deflate.and_then(|config| config.negotiate(&offered)) {
        defaults.push(("Sec-WebSocket-Extensions", deflate.response.to_string()));
        agreed.deflate = Some(deflate.params);
        agreed.extensions = vec![deflate.response];
    }
    Ok(Accepted {
        response: write_head("HTTP/1.1 101 Switching Protocols", &defaults, &config.headers, &[]),
        agreed,
    })
}

/// The answer to a request that breaks a rule.
fn refuse(status: &RefusalStatus, request: &Head) -> Refusal {
    let reason = format!("{} ({})\n", status.text, status.rule.id);
    let body = match status.rule.id {
        "4.1-req-upgrade" => format!("{}\n{reason}", how_to_connect(request)),
        _ => reason,
    };
    let response = write_response(status.code, status.headers, &body);
    Refusal { status: status.code, response, rule: Some(status.rule), reason: status.text.clone() }
}

fn deny(denial: Denial) -> Refusal {
    let Denial { status, headers, reason, body } = denial;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = body.unwrap_or_else(|| format!("{reason}\n"));
    Refusal { status, response: write_response(status, &headers, &body), rule: None, reason }
}

/// For people who open the address in a browser, or with an HTTP client.
fn how_to_connect(request: &Head) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(byte);
    let host = request.get("Host").filter(|host| !host.is_empty() && host.iter().all(is_plain));
    let host = host.map_or("127.0.0.1".into(), String::from_utf8_lossy);
    format!(
        "This is a WebSocket server; it has no pages. Connect to it with\n\n    \
         wscope ws://{host}/\n\nor in the console of a browser\n\n    \
         new WebSocket('ws://{host}/')\n\n(wss if this page came over https). Why the request \
         is not a WebSocket handshake:\n"
    )
}

/// A whole response that ends the connection.
fn write_response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut headers: Vec<(&str, String)> =
        headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    // The body may quote the request. A browser must not interpret it as a page.
    headers.push(("Content-Type", "text/plain; charset=utf-8".to_owned()));
    headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
    headers.push(("Content-Length", body.len().to_string()));
    // RFC 9110 §7.6.1: the connection ends after this response. A 426 also lists
    // Upgrade, so `close` joins the list there.
    match headers.iter_mut().find(|(name, _)| *name == "Connection") {
        Some((_, value)) => value.push_str(", close"),
        None => headers.push(("Connection", "close".to_owned())),
    }
    let mut response =
        write_head(&format!("HTTP/1.1 {status} {}", phrase(status)), &headers, &[], &[]);
    response.extend_from_slice(body.as_bytes());
    response
}

/// The reason phrases of RFC 9110 §15 and RFC 6585 that a handshake server needs.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "Refused",
    }
}
