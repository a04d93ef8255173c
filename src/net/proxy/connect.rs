//! HTTP CONNECT (RFC 9110 §9.3.6), with Basic authorization.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Credentials, Destination, DialogueProgress, ProxyError};
use crate::wire::handshake::digest::challenges;
use crate::wire::head::{self, Head, HeadKind, HeadLimits, HeadParser};

/// Interim responses before the final one; an endless series of them is an attack.
const MAX_INTERIM: usize = 16;

/// How many bytes of a proxy are quoted if they are not HTTP.
const QUOTED: usize = 64;

/// The request, and the received part of the response.
pub(super) struct Connect {
    pub(super) output: Vec<u8>,
    pub(super) request: Head,
    pub(super) response: Option<Head>,
    parser: HeadParser,
    interim: usize,
    /// Credentials were sent.
    authorized: bool,
    end: Option<Result<(), ProxyError>>,
}

impl Connect {
    pub(super) fn new(
        destination: &Destination,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProxyError> {
        let unspeakable = |what| ProxyError::Unspeakable { protocol: "HTTP CONNECT", what };
        let is_visible = |byte: u8| byte.is_ascii_graphic();
        if destination.host.is_empty() || !destination.host.bytes().all(is_visible) {
            return Err(unspeakable("this host name"));
        }
        // "CONNECT uses a special form of request target, unique to this method, consisting of
        // only the host and port number of the tunnel destination" (RFC 9110 §9.3.6).
        let mut text = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n");
        if let Some(Credentials { user, password }) = credentials {
            // "a user-id containing a colon character is invalid" (RFC 7617 §2).
            if user.contains(&b':') {
                return Err(unspeakable("a user name with a colon"));
            }
            let pair = STANDARD.encode([user, &b":"[..], password].concat());
            text += &format!("Proxy-Authorization: Basic {pair}\r\n");
        }
        text += concat!("User-Agent: wscope/", env!("CARGO_PKG_VERSION"), "\r\n\r\n");
        Ok(Self {
            request: Head::parse(HeadKind::Request, text.as_bytes()),
            output: text.into_bytes(),
            response: None,
            parser: parser(),
            interim: 0,
            authorized: credentials.is_some(),
            end: None,
        })
    }

    /// The number of received bytes of an incomplete response.
    pub(super) fn received(&self) -> usize {
        self.parser.raw().len()
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<DialogueProgress, ProxyError> {
        let mut at = 0;
        while at < bytes.len() && self.end.is_none() {
            match self.parser.push(&bytes[at..]) {
                Ok(head::Fed::Incomplete) => {
                    at = bytes.len();
                    self.sniff();
                }
                Ok(head::Fed::Complete { consumed, head }) => {
                    at += consumed;
                    self.end = self.judge(&head);
                    self.response = Some(head);
                }
                Err(error) => {
                    self.end = Some(Err(error.into()));
                    // Recognises another protocol, no matter how many of its bytes arrive at once.
                    self.sniff();
                }
            }
        }
        match &self.end {
            Some(Err(error)) => Err(error.clone()),
            end => Ok(DialogueProgress { consumed: at, open: end.is_some() }),
        }
    }

    /// Data of another protocol may never contain the line end of a status line.
    fn sniff(&mut self) {
        if self.parser.not_http() {
            let raw = self.parser.raw();
            let first_bytes = raw[..raw.len().min(QUOTED)].to_vec();
            self.end = Some(Err(ProxyError::NotHttp { first_bytes }));
        }
    }

    fn judge(&mut self, head: &Head) -> Option<Result<(), ProxyError>> {
        let Some(line) = head.status_line() else {
            let raw = head.raw();
            let first_bytes = raw[..raw.len().min(QUOTED)].to_vec();
            return Some(Err(ProxyError::NotHttp { first_bytes }));
        };
        let boxed = || Box::new(head.clone());
        match line.code {
            // "Any 2xx (Successful) response indicates that the sender … will switch to tunnel
            // mode immediately after the response header section" (RFC 9110 §9.3.6); "A client
            // MUST ignore any Content-Length or Transfer-Encoding header fields received in a
            // successful response to CONNECT".
            200..=299 => Some(Ok(())),
            100..=199 if self.interim < MAX_INTERIM => {
                self.interim += 1;
                None
            }
            100..=199 => Some(Err(ProxyError::OnlyInterim(self.interim + 1))),
            401 | 407 => Some(Err(ProxyError::Unauthorized {
                offered: offered(head),
                sent: self.authorized,
                head: boxed(),
            })),
            _ => Some(Err(ProxyError::Refused { head: boxed() })),
        }
    }
}

fn parser() -> HeadParser {
    HeadParser::new(HeadKind::Response, HeadLimits::default())
}

/// The schemes of all challenges of Proxy-Authenticate, and of WWW-Authenticate in a 401.
fn offered(head: &Head) -> Vec<String> {
    let values = head.get_all("proxy-authenticate").chain(head.get_all("www-authenticate"));
    values.flat_map(challenges).map(|(scheme, _)| scheme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_all_challenges() {
        let offers = |lines: &str| {
            let text = format!("HTTP/1.1 407 No\r\n{lines}\r\n");
            offered(&Head::parse(HeadKind::Response, text.as_bytes()))
        };
        assert_eq!(offers("Proxy-Authenticate: Basic realm=\"a, b\"\r\n"), ["Basic"]);
        assert_eq!(
            offers("Proxy-Authenticate: Digest realm=\"x\", nonce = \"Q\", qop=\"auth\", NTLM\r\n"),
            ["Digest", "NTLM"]
        );
        assert_eq!(
            offers("Proxy-Authenticate: Negotiate\r\nproxy-authenticate: Basic realm=\"\\\"\"\r\n"),
            ["Negotiate", "Basic"]
        );
        assert_eq!(offers(""), [""; 0]);
    }
}
