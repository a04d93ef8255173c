//! The client's opening request (RFC 6455 §4.1) as bytes.
//!
//! The defaults are what a correct client sends. The user may replace or remove any of them, so a
//! request may be wrong on purpose. `rules` judges the bytes, not this specification.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::headers::{HeaderEdit, HeaderError, check_value, write_head};
use crate::wire::deflate::params::DeflateOffer;

/// The content of an opening request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSpec {
    /// The `Host` value: host, and `:port` unless it is the scheme's default.
    pub host: String,
    /// The request target: path and query, beginning with `/`.
    pub target: String,
    /// The nonce. RFC 6455 §4.1: "The value of this header field MUST be a nonce
    /// consisting of a randomly selected 16-byte value that has been base64-encoded".
    pub key: [u8; 16],
    /// The subprotocols in order of preference.
    pub subprotocols: Vec<String>,
    /// The `Origin` value; only browsers must send one.
    pub origin: Option<String>,
    /// The permessage-deflate offer; `None` offers no extension.
    pub deflate: Option<DeflateOffer>,
    /// The `User-Agent` value; `None` sends none.
    pub user_agent: Option<String>,
    /// Headers given by the user.
    pub headers: Vec<HeaderEdit>,
    /// The names of headers that come first, in this order; the others follow in their usual order.
    pub order: Vec<String>,
}

impl RequestSpec {
    /// A plain request without subprotocols, extensions or headers of the user.
    pub fn new(host: impl Into<String>, target: impl Into<String>, key: [u8; 16]) -> Self {
        Self {
            host: host.into(),
            target: target.into(),
            key,
            subprotocols: Vec::new(),
            origin: None,
            deflate: None,
            user_agent: None,
            headers: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Writes the request head.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if target or a value holds a line break or NUL.
    pub fn encode(&self) -> Result<Vec<u8>, HeaderError> {
        // RFC 6455 §4.1: "The method of the request MUST be GET, and the HTTP version
        // MUST be at least 1.1."
        let start_line = format!("GET {} HTTP/1.1", self.target);
        let mut defaults = vec![
            ("Host", self.host.clone()),
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Key", BASE64_STANDARD.encode(self.key)),
            ("Sec-WebSocket-Version", "13".to_owned()),
        ];
        if let Some(origin) = &self.origin {
            defaults.push(("Origin", origin.clone()));
        }
        if !self.subprotocols.is_empty() {
            defaults.push(("Sec-WebSocket-Protocol", self.subprotocols.join(", ")));
        }
        if let Some(deflate) = &self.deflate {
            defaults.push(("Sec-WebSocket-Extensions", deflate.to_string()));
        }
        if let Some(user_agent) = &self.user_agent {
            defaults.push(("User-Agent", user_agent.clone()));
        }
        check_value("request line", &start_line)?;
        for (name, value) in &defaults {
            check_value(name, value)?;
        }
        Ok(write_head(&start_line, &defaults, &self.headers, &self.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> RequestSpec {
        RequestSpec::new("server.example.com", "/chat", *b"the sample nonce")
    }

    fn with_headers(headers: &[&str]) -> String {
        let mut spec = spec();
        spec.headers = headers.iter().map(|text| text.parse().unwrap()).collect();
        String::from_utf8(spec.encode().unwrap()).unwrap()
    }

    #[test]
    fn the_least_request() {
        assert_eq!(
            with_headers(&[]),
            "GET /chat HTTP/1.1\r\n\
             Host: server.example.com\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\
             \r\n"
        );
    }

    #[test]
    fn everything_in_its_order() {
        let mut spec = spec();
        spec.origin = Some("http://example.com".to_owned());
        spec.subprotocols = vec!["chat".to_owned(), "superchat".to_owned()];
        spec.deflate = Some(DeflateOffer::default());
        spec.user_agent = Some("wscope/0.1.0".to_owned());
        spec.headers = vec!["X-B: 1".parse().unwrap(), "x-b: 2".parse().unwrap()];
        let text = String::from_utf8(spec.encode().unwrap()).unwrap();
        assert!(
            text.ends_with(
                "Sec-WebSocket-Version: 13\r\n\
                 Origin: http://example.com\r\n\
                 Sec-WebSocket-Protocol: chat, superchat\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
                 User-Agent: wscope/0.1.0\r\n\
                 X-B: 1\r\n\
                 x-b: 2\r\n\
                 \r\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn custom_values_take_the_place_of_the_default() {
        let text = with_headers(&["X-First: 1", "upgrade: h2c", "Upgrade: websocket"]);
        assert!(
            text.contains(
                "Host: server.example.com\r\nupgrade: h2c\r\nUpgrade: websocket\r\nConnection"
            ),
            "{text}"
        );
        assert!(text.ends_with("13\r\nX-First: 1\r\n\r\n"), "{text}");
    }

    #[test]
    fn a_default_can_be_removed_or_emptied() {
        let text = with_headers(&["Host:", "sec-websocket-version;", "X-Absent:"]);
        assert!(!text.contains("Host"), "{text}");
        assert!(text.ends_with("\r\nsec-websocket-version:\r\n\r\n"), "{text}");
    }

    #[test]
    fn no_line_break_goes_out() {
        let mut broken = spec();
        broken.subprotocols = vec!["a\r\nX-Evil: 1".to_owned()];
        assert!(broken.encode().is_err());
        let mut broken = spec();
        broken.target = "/ HTTP/1.1\r\nX-Evil: 1".to_owned();
        assert!(broken.encode().is_err());
    }
}
