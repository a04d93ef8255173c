//! Evaluates a server's answer to the opening handshake.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::config::OpenConfig;
use crate::net::target::Target;
use crate::net::tls::options::ServerName;
use crate::ui::sanitize;
use crate::wire::handshake::rules::{self, HandshakeContext, Report, Sni, UrlFacts};
use crate::wire::head::{BodyFraming, Head};

/// How much of a refusal's body is read and shown.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Checks all rules on the request and the response.
pub(crate) fn judge(
    config: &OpenConfig,
    target: &Target,
    request: &Head,
    response: &Head,
) -> Report {
    let host = target.host_header.strip_suffix(&format!(":{}", target.port));
    let is_address = target.host.parse::<std::net::IpAddr>().is_ok();
    let context = HandshakeContext {
        url: Some(UrlFacts {
            secure: target.secure,
            host: host.unwrap_or(&target.host_header),
            port: target.port,
            resource: &target.resource_name,
            fragment: None,
            loopback: target.is_loopback(),
        }),
        // "Literal IPv4 and IPv6 addresses are not permitted" in SNI (RFC 6066 §3).
        sni: match (&config.transport.tls.server_name, target.secure) {
            (ServerName::Other(name), true) => Sni::Sent(name),
            (ServerName::Unsent, true) => Sni::Missing,
            (ServerName::Host, true) if !is_address => Sni::Sent(&target.host),
            _ => Sni::Unseen,
        },
        ..HandshakeContext::new(request, Some(response))
    };
    rules::check(&context)
}

/// The list of the fatal broken rules of a 101; empty if there are none.
pub(crate) fn fatal(report: &Report) -> String {
    let broken = report.fatal().map(|verdict| {
        let text = sanitize::escaped(verdict.text.as_bytes());
        format!("{text} ({})", verdict.rule.id)
    });
    broken.collect::<Vec<_>>().join("; ")
}

/// The body of a refusal while it arrives. It ends after its length, at the end of the stream, or
/// after a time limit.
pub(crate) struct RefusalBody {
    content: Vec<u8>,
    enough: usize,
    /// The last chunk ends the body (RFC 9112 §7.1); a peer that keeps the connection open sends
    /// nothing more.
    chunks: Option<BodyFraming>,
}

impl RefusalBody {
    /// The body that a response announces.
    pub(crate) fn of(response: &Head) -> Self {
        let announced = response
            .get("content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
        Self {
            content: Vec::new(),
            enough: announced.unwrap_or(MAX_BODY).min(MAX_BODY),
            chunks: response.has_token("Transfer-Encoding", "chunked").then(BodyFraming::in_chunks),
        }
    }

    /// Adds bytes of the body.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = self.enough - self.content.len();
        let bytes = &bytes[..bytes.len().min(room)];
        self.content.extend_from_slice(bytes);
        if let Some(chunks) = &mut self.chunks {
            chunks.take(bytes, |_| ());
        }
    }

    /// Whether the body is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.content.len() >= self.enough
            || self.chunks.as_ref().is_some_and(BodyFraming::is_complete)
    }

    /// Its content, without the chunk framing.
    pub(crate) fn content(&self) -> Cow<'_, [u8]> {
        let mut content = Vec::new();
        if self.chunks.is_some() {
            BodyFraming::in_chunks().take(&self.content, |piece| content.extend_from_slice(piece));
        }
        // A body that does not begin with a chunk is shown unchanged.
        if content.is_empty() { (&self.content).into() } else { content.into() }
    }
}

/// Head and body of a refusal, escaped and indented for stderr.
pub(crate) fn quote(response: &Head, body: &[u8]) -> String {
    let mut text = String::new();
    quote_lines(response.raw(), &mut text);
    if !body.is_empty() {
        text.push_str("\n<");
        quote_lines(body, &mut text);
    }
    text
}

fn quote_lines(bytes: &[u8], text: &mut String) {
    for line in bytes.trim_ascii_end().split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let _ = write!(text, "\n< {}", sanitize::escaped(line));
    }
}

/// The beginning of an answer that is not HTTP, for a quotation.
pub(crate) fn first_bytes(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(64)].to_vec()
}
