//! The server's half of the opening handshake (RFC 6455 §4.2): a request in, the bytes
//! of the answer out. Which paths and origins are welcome is the caller's business.

use super::Agreed;
use super::accept::AcceptSteps;
use super::grammar::{parse_extensions, parse_subprotocols};
use super::headers::{HeaderEdit, write_head};
use super::rules::{Context, RefusalStatus, Rule, check_request, refusal};
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::head::Head;

/// What a server is willing to agree on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerConfig {
    /// The subprotocols it speaks, the preferred one first.
    pub subprotocols: Vec<String>,
    /// How it compresses; `None` declines permessage-deflate.
    pub deflate: Option<ServerDeflateConfig>,
    /// Headers to add to, replace in or leave out of the 101.
    pub headers: Vec<HeaderEdit>,
}

/// A 101 to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The response head.
    pub response: Vec<u8>,
    /// What holds on the connection from then on.
    pub agreed: Agreed,
}

/// An error response to send, after which the connection is closed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The response, head and body.
    pub response: Vec<u8>,
    /// The rule the request broke.
    pub rule: &'static Rule,
    /// How it broke it, in a few words.
    pub reason: String,
}

/// Answers an opening request.
///
/// # Errors
///
/// [`Refusal`] if the request breaks a rule that a server has to insist on; it holds the
/// response to send instead of a 101.
pub fn respond(request: &Head, config: &ServerConfig) -> Result<Accepted, Refusal> {
    let verdicts = check_request(&Context::new(request, None));
    if let Some(status) = refusal(request, &verdicts) {
        return Err(refuse(&status));
    }
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
        response: write_head("HTTP/1.1 101 Switching Protocols", &defaults, &config.headers),
        agreed,
    })
}

fn refuse(status: &RefusalStatus) -> Refusal {
    let body = format!("{} ({})\n", status.text, status.rule.id);
    let mut headers: Vec<(&str, String)> =
        status.headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    headers.push(("Content-Type", "text/plain; charset=utf-8".to_owned()));
    headers.push(("Content-Length", body.len().to_string()));
    // RFC 9110 §7.6.1: the connection ends after this response. A 426 also lists
    // Upgrade, so `close` joins the list there.
    match headers.iter_mut().find(|(name, _)| *name == "Connection") {
        Some((_, value)) => value.push_str(", close"),
        None => headers.push(("Connection", "close".to_owned())),
    }
    let start_line = format!("HTTP/1.1 {} {}", status.code, status.phrase);
    let mut response = write_head(&start_line, &headers, &[]);
    response.extend_from_slice(body.as_bytes());
    Refusal { status: status.code, response, rule: status.rule, reason: status.text.clone() }
}
