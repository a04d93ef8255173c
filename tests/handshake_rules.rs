//! The catalogue of handshake rules: each is kept and broken at least once, starting
//! from one flawless pair of heads. Accept values, fatal breaches and what was agreed
//! on have tests of their own below the table.
#![allow(missing_docs)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::accept::AcceptSteps;
use wscope::wire::handshake::rules::Outcome::{self, Fail, NotApplicable, Pass, Warn};
use wscope::wire::handshake::rules::{
    HandshakeContext, Level, RULES, Report, Sni, UrlFacts, check,
};
use wscope::wire::head::{Head, HeadKind};

const KEY: &str = "3yMLSWFdF1MH1YDDPW/aYQ==";

/// A handshake to be spoiled in one place.
#[derive(Clone)]
struct Pair {
    url: Option<UrlFacts<'static>>,
    sni: Sni<'static>,
    early_bytes: u64,
    earlier_keys: Vec<Vec<u8>>,
    request: String,
    response: Option<String>,
}

/// The pair that keeps every rule.
fn flawless() -> Pair {
    let accept = AcceptSteps::for_key(KEY.as_bytes()).accept;
    Pair {
        url: Some(UrlFacts {
            secure: true,
            host: "server.example.com",
            port: 443,
            resource: "/chat",
            fragment: None,
            loopback: false,
        }),
        sni: Sni::Sent("server.example.com"),
        early_bytes: 0,
        earlier_keys: vec![b"x3JJHMbDL1EzLkh9GBhXDw==".to_vec()],
        request: format!(
            "GET /chat HTTP/1.1\r\n\
             Host: server.example.com\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Origin: https://example.com\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             \r\n"
        ),
        response: Some(format!(
            "HTTP/1.1 101 Switching Protocols\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\
             Sec-WebSocket-Protocol: chat\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\
             \r\n"
        )),
    }
}

impl Pair {
    /// Puts `new` in the place of `old` in the request.
    fn req(mut self, old: &str, new: &str) -> Self {
        assert!(self.request.contains(old), "{old}");
        self.request = self.request.replace(old, new);
        self
    }

    /// Puts `new` in the place of `old` in the response.
    fn res(mut self, old: &str, new: &str) -> Self {
        let response = self.response.as_mut().unwrap();
        assert!(response.contains(old), "{old}");
        *response = response.replace(old, new);
        self
    }

    /// Adds a header to the request.
    fn req_add(self, line: &str) -> Self {
        self.req("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
    }

    /// Adds a header to the response.
    fn res_add(self, line: &str) -> Self {
        self.res("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
    }

    /// Offers these deflate parameters, and has these accepted.
    fn deflate(self, offered: &str, accepted: &str) -> Self {
        self.req("; client_max_window_bits", offered)
            .res("permessage-deflate", &format!("permessage-deflate{accepted}"))
    }

    /// Replaces the whole response.
    fn answer(mut self, response: &str) -> Self {
        self.response = Some(format!("{response}\r\n\r\n"));
        self
    }

    fn url(mut self, change: impl FnOnce(&mut UrlFacts<'static>)) -> Self {
        change(self.url.as_mut().unwrap());
        self
    }

    fn check(&self) -> Report {
        let request = Head::parse(HeadKind::Request, self.request.as_bytes());
        let response = self
            .response
            .as_ref()
            .map(|response| Head::parse(HeadKind::Response, response.as_bytes()));
        check(&HandshakeContext {
            url: self.url,
            sni: self.sni,
            early_bytes: self.early_bytes,
            earlier_keys: &self.earlier_keys,
            request: &request,
            response: response.as_ref(),
        })
    }

    fn verdict(&self, id: &str) -> (Outcome, String) {
        let report = self.check();
        let verdict = report.verdict(id).unwrap_or_else(|| panic!("no rule {id}"));
        (verdict.outcome, verdict.text.clone())
    }
}

/// Rule, outcome, part of the text, and how to get there from the flawless pair.
type Case = (&'static str, Outcome, &'static str, fn(Pair) -> Pair);

#[rustfmt::skip] // one case, one line: it is a table
const CASES: &[Case] = &[
    ("3-uri-fragment", Pass, "no fragment", |p| p),
    ("3-uri-fragment", Fail, "#top", |p| p.url(|u| u.fragment = Some("top"))),
    ("3-uri-fragment", NotApplicable, "URL", |p| Pair { url: None, ..p }),
    ("4.1-tls-sni", Pass, "server.example.com", |p| p),
    ("4.1-tls-sni", Fail, "no SNI", |p| Pair { sni: Sni::Missing, ..p }),
    ("4.1-tls-sni", NotApplicable, "not seen", |p| Pair { sni: Sni::Unseen, ..p }),
    ("4.1-tls-sni", NotApplicable, "address", |p| Pair { sni: Sni::Missing, ..p }.url(|u| u.host = "[::1]")),
    ("4.1-tls-sni", NotApplicable, "not TLS", |p| p.url(|u| u.secure = false)),
    ("4.1-req-syntax", Pass, "valid", |p| p),
    ("4.1-req-syntax", Fail, "line 3, byte 53: white space before the colon", |p| p.req("\r\nUpgrade:", "\r\nUpgrade :")),
    ("4.1-req-syntax", Fail, "and 9 more", |p| p.req("\r\n", "\n")),
    ("4.1-req-method", Pass, "GET", |p| p),
    ("4.1-req-method", Fail, "method \"POST\"", |p| p.req("GET", "POST")),
    ("4.1-req-method", Fail, "no request line: \"GET /chat\"", |p| p.req(" HTTP/1.1", "")),
    ("4.1-req-httpver", Pass, "HTTP/1.1", |p| p),
    ("4.1-req-httpver", Fail, "HTTP/1.0", |p| p.req("HTTP/1.1", "HTTP/1.0")),
    ("4.1-req-target", Pass, "/chat", |p| p),
    ("4.1-req-target", Pass, "https://", |p| p.req("/chat", "https://Server.example.com:443/chat")),
    ("4.1-req-target", Pass, "https://", |p| p.req("/chat", "https://server.example.com?x").url(|u| u.resource = "/?x")),
    ("4.1-req-target", Pass, "/else", |p| Pair { url: None, ..p.req("/chat", "/else") }),
    ("4.1-req-target", Fail, "expected \"/chat\"", |p| p.req("/chat", "/Chat")),
    ("4.1-req-target", Fail, "other.example", |p| p.req("/chat", "https://other.example/chat")),
    ("4.1-req-target", Fail, "neither", |p| Pair { url: None, ..p.req("/chat", "chat") }),
    ("4.1-req-host", Pass, "server", |p| p),
    ("4.1-req-host", Pass, "SERVER", |p| p.req("Host: server.example.com", "host: SERVER.example.com:443")),
    ("4.1-req-host", Pass, "[::1]:8080", |p| p.req("Host: server.example.com", "Host: [::1]:8080").url(|u| (u.host, u.port) = ("[::1]", 8080))),
    ("4.1-req-host", Fail, "missing", |p| p.req("Host:", "X-Host:")),
    ("4.1-req-host", Fail, "2 times", |p| p.req_add("Host: server.example.com")),
    ("4.1-req-host", Fail, "expected host server.example.com port 443", |p| p.req("Host: server", "Host: other")),
    ("4.1-req-host", Fail, "port 8443", |p| p.url(|u| u.port = 8443)),
    ("4.1-req-host", Fail, "no host", |p| Pair { url: None, ..p.req("Host: server.example.com", "Host:") }),
    ("4.1-req-upgrade", Pass, "WebSocket", |p| p.req("Upgrade: websocket", "Upgrade: h2c, WebSocket")),
    ("4.1-req-upgrade", Fail, "missing", |p| p.req("Upgrade: websocket\r\n", "")),
    ("4.1-req-upgrade", Fail, "h2c", |p| p.req("Upgrade: websocket", "Upgrade: h2c")),
    ("4.1-req-connection", Pass, "keep-alive", |p| p.req("Connection: Upgrade", "Connection: keep-alive, upgrade")),
    ("4.1-req-connection", Fail, "missing", |p| p.req("Connection: Upgrade\r\n", "")),
    ("4.1-req-connection", Fail, "close", |p| p.req("Connection: Upgrade", "Connection: close")),
    ("4.1-req-key-present", Pass, "", |p| p),
    ("4.1-req-key-present", Fail, "missing", |p| p.req("Sec-WebSocket-Key", "X")),
    ("4.1-req-key-b64", Pass, "", |p| p),
    ("4.1-req-key-b64", Fail, "byte 1 (0x21)", |p| p.req("3yML", "3!ML")),
    ("4.1-req-key-b64", Fail, "not base64", |p| p.req("aYQ==", "aYQ")),
    ("4.1-req-key-b64", NotApplicable, "", |p| p.req("Sec-WebSocket-Key", "X")),
    ("4.1-req-key-16", Pass, "16", |p| p),
    ("4.1-req-key-16", Fail, "19 bytes", |p| p.req("3yML", "3yML3yML")),
    ("4.1-req-key-16", NotApplicable, "", |p| p.req("3yML", "3!ML")),
    ("4.1-req-key-fresh", Pass, "", |p| p),
    ("4.1-req-key-fresh", Fail, "connection #2", |mut p| { p.earlier_keys.push(KEY.into()); p }),
    ("4.1-req-key-random", Pass, "", |p| p),
    ("4.1-req-key-random", Fail, "sample", |p| p.req(KEY, "dGhlIHNhbXBsZSBub25jZQ==")),
    ("4.1-req-key-random", Fail, "repeated", |p| p.req(KEY, "AAAAAAAAAAAAAAAAAAAAAA==")),
    ("11.3.1-req-key-once", Pass, "", |p| p),
    ("11.3.1-req-key-once", Fail, "2 times", |p| p.req_add("sec-websocket-key: x")),
    ("4.1-req-version-present", Pass, "", |p| p),
    ("4.1-req-version-present", Fail, "", |p| p.req("Sec-WebSocket-Version: 13\r\n", "")),
    ("4.1-req-version-13", Pass, "13", |p| p),
    ("4.1-req-version-13", Fail, "\"8\"", |p| p.req("Version: 13", "Version: 8")),
    ("4.3-req-version-abnf", Pass, "", |p| p.req("Version: 13", "Version: 255")),
    ("4.3-req-version-abnf", Fail, "\"013\"", |p| p.req("Version: 13", "Version: 013")),
    ("4.3-req-version-abnf", Fail, "\"256\"", |p| p.req("Version: 13", "Version: 256")),
    ("4.3-req-version-abnf", Fail, "\"+13\"", |p| p.req("Version: 13", "Version: +13")),
    ("4.3-req-version-abnf", Fail, "\"13, 8\"", |p| p.req("Version: 13", "Version: 13, 8")),
    ("11.3.5-req-version-once", Pass, "", |p| p),
    ("11.3.5-req-version-once", Fail, "2 times", |p| p.req_add("Sec-WebSocket-Version: 13")),
    ("4.1-req-origin", Pass, "https", |p| p.req_add("User-Agent: Mozilla/5.0")),
    ("4.1-req-origin", Fail, "browser", |p| p.req("Origin: https://example.com", "User-Agent: Mozilla/5.0")),
    ("4.1-req-origin", NotApplicable, "", |p| p.req("Origin:", "X:")),
    ("4.1-req-origin-form", Pass, "https", |p| p),
    ("4.1-req-origin-form", Pass, "null", |p| p.req("https://example.com", "null")),
    ("4.1-req-origin-form", Pass, "8080", |p| p.req("https://example.com", "http://[::1]:8080")),
    ("4.1-req-origin-form", Pass, "[::1]", |p| p.req("https://example.com", "http://[::1]")),
    ("4.1-req-origin-form", Pass, "file://", |p| p.req("https://example.com", "file://")),
    ("4.1-req-origin-form", Fail, "scheme://", |p| p.req("https://example.com", "https://")),
    ("4.1-req-origin-form", Fail, "scheme://", |p| p.req("https://example.com", "https://example.com/")),
    ("4.1-req-origin-form", Fail, "scheme://", |p| p.req("https://example.com", "example.com")),
    ("4.1-req-origin-form", Fail, "scheme://", |p| p.req("https://example.com", "https://example.com:http")),
    ("4.1-req-origin-form", Fail, "2 times", |p| p.req_add("Origin: null")),
    ("4.1-req-proto-nonempty", Pass, "2 offered", |p| p),
    ("4.1-req-proto-nonempty", Fail, "empty element at byte 5", |p| p.req("chat, superchat", "chat,, x")),
    ("4.1-req-proto-nonempty", NotApplicable, "", |p| p.req("Sec-WebSocket-Protocol", "X")),
    ("4.1-req-proto-token", Pass, "", |p| p),
    ("4.1-req-proto-token", Fail, "byte 0x2f", |p| p.req("superchat", "super/chat")),
    ("4.1-req-proto-unique", Pass, "", |p| p.req("superchat", "Chat")),
    ("4.1-req-proto-unique", Fail, "\"chat\"", |p| p.req("superchat", "chat")),
    ("9.1-req-ext-abnf", Pass, "1 offered", |p| p),
    ("9.1-req-ext-abnf", Fail, "at byte 19", |p| p.req("; client_max_window_bits", "; ")),
    ("9.1-req-ext-abnf", NotApplicable, "", |p| p.req("Sec-WebSocket-Extensions", "X")),
    ("9.1-req-ext-registered", Pass, "", |p| p),
    ("9.1-req-ext-registered", Warn, "x-mine", |p| p.req_add("Sec-WebSocket-Extensions: x-mine")),
    ("4.1-req-wait", Pass, "", |p| p),
    ("4.1-req-wait", Fail, "7 bytes", |p| Pair { early_bytes: 7, ..p }),
    ("9112-req-no-body", Pass, "", |p| p.req_add("Content-Length: 0")),
    ("9112-req-no-body", Warn, "\"5\"", |p| p.req_add("Content-Length: 5")),
    ("9112-req-no-body", Warn, "Transfer", |p| p.req_add("Transfer-Encoding: chunked")),
    ("10.6-tls", Pass, "TLS", |p| p),
    ("10.6-tls", Pass, "this machine", |p| p.url(|u| (u.secure, u.loopback) = (false, true))),
    ("10.6-tls", Warn, "cleartext to server", |p| p.url(|u| u.secure = false)),
    ("10.5-secret-in-url", Pass, "", |p| p.req("/chat", "/chat?room=1&token=")),
    ("10.5-secret-in-url", Warn, "access_token", |p| p.req("/chat", "/chat?room=1&access_token=x")),
    ("10.5-secret-in-url", Warn, "\"t\"", |p| p.req("/chat", "/chat?t=eyJhbGciOi")),
    ("7692-7-offer-param", Pass, "", |p| p),
    ("7692-7-offer-param", Fail, "\"foo\"", |p| p.req("; client_max_window_bits", "; foo")),
    ("7692-7-offer-param", NotApplicable, "", |p| p.req("permessage-deflate", "x")),
    ("7692-7-offer-value", Pass, "", |p| p),
    ("7692-7-offer-value", Fail, "16", |p| p.req("client_max_window_bits", "client_max_window_bits=16")),
    ("7692-7-offer-once", Pass, "", |p| p),
    ("7692-7-offer-once", Fail, "repeated", |p| p.req_add("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; client_max_window_bits")),

    ("4.1-res-status", Pass, "101", |p| p),
    ("4.1-res-status", NotApplicable, "the server refused", |p| p.answer("HTTP/1.1 404 Not Found")),
    ("4.1-res-status", NotApplicable, "the server refused", |p| p.answer("HTTP/1.1 401 Unauthorized")),
    ("4.1-res-status", Fail, "no status line: \"hello\"", |p| p.answer("hello")),
    ("4.1-res-status", NotApplicable, "no response", |p| Pair { response: None, ..p }),
    ("4.2.2-res-httpver", Pass, "", |p| p),
    ("4.2.2-res-httpver", Fail, "HTTP/1.0", |p| p.res("HTTP/1.1", "HTTP/1.0")),
    ("4.1-res-upgrade", Pass, "", |p| p.res("websocket", "WebSocket")),
    ("4.1-res-upgrade", Fail, "got no Upgrade", |p| p.res("Upgrade: websocket\r\n", "")),
    ("4.1-res-upgrade", Fail, "got \"h2c\"", |p| p.res("Upgrade: websocket", "Upgrade: h2c")),
    ("4.1-res-upgrade", Fail, "got \"websocket, h2c\"", |p| p.res("Upgrade: websocket", "Upgrade: websocket, h2c")),
    ("4.1-res-upgrade", Fail, "several", |p| p.res_add("Upgrade: websocket")),
    ("4.1-res-upgrade", NotApplicable, "not 101", |p| p.answer("HTTP/1.1 404 Not Found")),
    ("4.1-res-connection", Pass, "", |p| p.res("Connection: Upgrade", "Connection: keep-alive, upgrade")),
    ("4.1-res-connection", Fail, "got no Connection", |p| p.res("Connection: Upgrade\r\n", "")),
    ("4.1-res-connection", Fail, "got \"close\"", |p| p.res("Connection: Upgrade", "Connection: close")),
    ("4.1-res-accept-present", Pass, "", |p| p),
    ("4.1-res-accept-present", Fail, "expected Sec-WebSocket-Accept: ", |p| p.res("Sec-WebSocket-Accept", "X")),
    ("4.1-res-accept-value", Pass, "proof", |p| p),
    ("4.1-res-accept-value", Fail, "got \"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"", |p| p.req(KEY, "AQIDBAUGBwgJCgsMDQ4PEA==").res("Accept: ", "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX: ")),
    ("4.1-res-accept-value", NotApplicable, "no accept", |p| p.res("Sec-WebSocket-Accept", "X")),
    ("4.1-res-accept-value", NotApplicable, "no key", |p| p.req("Sec-WebSocket-Key", "X")),
    ("4.2.2-res-accept-abnf", Pass, "20 bytes", |p| p),
    ("4.2.2-res-accept-abnf", Fail, "16 bytes", |p| p.res("Accept: ", "Accept: AQIDBAUGBwgJCgsMDQ4PEA==\r\nX: ")),
    ("4.2.2-res-accept-abnf", Fail, "not base64", |p| p.res("Accept: ", "Accept: ???")),
    ("11.3.3-res-accept-once", Pass, "", |p| p),
    ("11.3.3-res-accept-once", Fail, "2 times", |p| p.res_add("Sec-WebSocket-Accept: x")),
    ("4.1-res-ext-offered", Pass, "", |p| p),
    ("4.1-res-ext-offered", Fail, "x-mine was not offered", |p| p.res("permessage-deflate", "x-mine")),
    ("4.1-res-ext-offered", NotApplicable, "", |p| p.res("Sec-WebSocket-Extensions", "X")),
    ("9.1-res-ext-abnf", Pass, "", |p| p),
    ("9.1-res-ext-abnf", Fail, "empty list", |p| p.res("permessage-deflate", "")),
    ("9.1-res-ext-abnf", Fail, "at byte 19", |p| p.res("permessage-deflate", "permessage-deflate;")),
    ("11.3.2-res-ext-once", Pass, "", |p| p),
    ("11.3.2-res-ext-once", Warn, "2 times", |p| p.res_add("Sec-WebSocket-Extensions: x")),
    ("4.1-res-proto-offered", Pass, "\"chat\" was offered", |p| p),
    ("4.1-res-proto-offered", Fail, "\"other\" was not offered", |p| p.res("Protocol: chat", "Protocol: other")),
    ("4.1-res-proto-offered", Fail, "upper and lower case", |p| p.res("Protocol: chat", "Protocol: Chat")),
    ("4.1-res-proto-offered", NotApplicable, "", |p| p.res("Sec-WebSocket-Protocol", "X")),
    ("4.2.2-res-proto-none", Pass, "", |p| p.req("Sec-WebSocket-Protocol", "X").res("Sec-WebSocket-Protocol", "X")),
    ("4.2.2-res-proto-none", Fail, "\"chat\"", |p| p.req("Sec-WebSocket-Protocol", "X")),
    ("4.2.2-res-proto-token", Pass, "", |p| p),
    ("4.2.2-res-proto-token", Fail, "empty", |p| p.res("Protocol: chat", "Protocol:")),
    ("4.2.2-res-proto-token", Fail, "list", |p| p.res("Protocol: chat", "Protocol: chat, superchat")),
    ("4.2.2-res-proto-token", Fail, "not a token", |p| p.res("Protocol: chat", "Protocol: ch at")),
    ("11.3.4-res-proto-once", Pass, "", |p| p),
    ("11.3.4-res-proto-once", Fail, "2 times", |p| p.res_add("Sec-WebSocket-Protocol: chat")),
    ("whatwg-res-proto-acked", Pass, "", |p| p),
    ("whatwg-res-proto-acked", Warn, "browsers", |p| p.res("Sec-WebSocket-Protocol", "X")),
    ("9110-res-101-nobody", Pass, "", |p| p),
    ("9110-res-101-nobody", Warn, "Content-Length", |p| p.res_add("Content-Length: 0")),
    ("9110-res-101-nobody", Warn, "Transfer-Encoding", |p| p.res_add("Transfer-Encoding: chunked")),
    ("4.2.2-res-version-absent", Pass, "", |p| p),
    ("4.2.2-res-version-absent", Warn, "\"13\"", |p| p.res_add("Sec-WebSocket-Version: 13")),
    ("4.4-res-version-list", Pass, "13, 8", |p| p.req("Version: 13", "Version: 99").answer("HTTP/1.1 426 No\r\nSec-WebSocket-Version: 13, 8")),
    ("4.4-res-version-list", Fail, "400 lists none", |p| p.req("Version: 13", "Version: 99").answer("HTTP/1.1 400 No")),
    ("4.4-res-version-list", Fail, "not an error", |p| p.answer("HTTP/1.1 200 OK\r\nSec-WebSocket-Version: 13")),
    ("4.4-res-version-list", NotApplicable, "", |p| p.answer("HTTP/1.1 404 No")),
    ("4.3-res-version-abnf", Pass, "", |p| p.answer("HTTP/1.1 426 No\r\nSec-WebSocket-Version: 13, 8")),
    ("4.3-res-version-abnf", Fail, "\"v13\"", |p| p.answer("HTTP/1.1 426 No\r\nSec-WebSocket-Version: 8, v13")),
    ("4.3-res-version-abnf", Fail, "empty", |p| p.answer("HTTP/1.1 426 No\r\nSec-WebSocket-Version:")),
    ("9110-res-426-upgrade", Pass, "", |p| p.answer("HTTP/1.1 426 No\r\nUpgrade: websocket")),
    ("9110-res-426-upgrade", Warn, "426 without Upgrade", |p| p.answer("HTTP/1.1 426 No")),
    ("9110-res-405-allow", Pass, "", |p| p.answer("HTTP/1.1 405 No\r\nAllow: GET")),
    ("9110-res-405-allow", Warn, "405 without Allow", |p| p.answer("HTTP/1.1 405 No")),
    ("9110-res-401-auth", Pass, "", |p| p.answer("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic")),
    ("9110-res-401-auth", Warn, "401 without", |p| p.answer("HTTP/1.1 401 No")),
    ("whatwg-res-redirect", Pass, "", |p| p),
    ("whatwg-res-redirect", Warn, "\"/login\"", |p| p.answer("HTTP/1.1 302 Found\r\nLocation: /login")),
    ("7692-5-fallback", Pass, "first", |p| p.req("permessage-deflate;", "permessage-deflate; foo, permessage-deflate, permessage-deflate;")),
    ("7692-5-fallback", Warn, "offer 2", |p| p.req("permessage-deflate;", "permessage-deflate; foo, permessage-deflate;").res("Sec-WebSocket-Extensions", "X")),
    ("7692-5-fallback", Warn, "offer 1 was passed over", |p| p.req("permessage-deflate;", "permessage-deflate; server_no_context_takeover, permessage-deflate;")),
    ("7692-5-fallback", NotApplicable, "fewer", |p| p),
    ("7692-7-res-param", Pass, "", |p| p),
    ("7692-7-res-param", Fail, "\"foo\"", |p| p.deflate("", "; foo")),
    ("7692-7-res-value", Pass, "", |p| p.deflate("; client_max_window_bits", "; client_max_window_bits=9")),
    ("7692-7-res-value", Fail, "needs a value", |p| p.deflate("; client_max_window_bits", "; client_max_window_bits")),
    ("7692-7-res-once", Pass, "", |p| p),
    ("7692-7-res-once", Fail, "repeated", |p| p.deflate("", "; server_max_window_bits=9; server_max_window_bits=9")),
    ("7692-7-res-once", Fail, "2 times", |p| p.res_add("Sec-WebSocket-Extensions: permessage-deflate")),
    ("7692-7.1.1.1-ack", Pass, "", |p| p.deflate("; server_no_context_takeover", "; server_no_context_takeover")),
    ("7692-7.1.1.1-ack", Fail, "not confirmed", |p| p.deflate("; server_no_context_takeover", "")),
    ("7692-7.1.1.1-ack", NotApplicable, "not offered", |p| p),
    ("7692-7.1.2.1-le", Pass, "", |p| p.deflate("; server_max_window_bits=10", "; server_max_window_bits=10")),
    ("7692-7.1.2.1-le", Fail, "more than the 10", |p| p.deflate("; server_max_window_bits=10", "; server_max_window_bits=11")),
    ("7692-7.1.2.1-ack", Pass, "", |p| p.deflate("; server_max_window_bits=10", "; server_max_window_bits=9")),
    ("7692-7.1.2.1-ack", Fail, "not confirmed", |p| p.deflate("; server_max_window_bits=10", "")),
    ("7692-7.1.2.2-offered", Pass, "", |p| p.deflate("; client_max_window_bits", "; client_max_window_bits=10")),
    ("7692-7.1.2.2-offered", Fail, "was not offered", |p| p.deflate("", "; client_max_window_bits=10")),
    ("7692-7.1.2.2-le", Pass, "9 for the 10", |p| p.deflate("; client_max_window_bits=10", "; client_max_window_bits=9")),
    ("7692-7.1.2.2-le", Warn, "more than the 10", |p| p.deflate("; client_max_window_bits=10", "; client_max_window_bits=11")),
    ("7692-5-rsv", Pass, "", |p| p),
    ("7692-5-rsv", Fail, "x-webkit-deflate-frame", |p| p.res_add("Sec-WebSocket-Extensions: x-webkit-deflate-frame")),
];

#[test]
fn each_case_comes_out_as_listed() {
    let mut wrong = Vec::new();
    for (id, outcome, part, with_fault) in CASES {
        let (got, text) = with_fault(flawless()).verdict(id);
        if got != *outcome || !text.contains(part) {
            wrong.push(format!("{id}: {outcome:?} with {part:?}, got {got:?}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_rule_is_kept_and_broken() {
    for rule in RULES {
        let outcomes: Vec<_> = CASES.iter().filter(|case| case.0 == rule.id).collect();
        assert!(outcomes.iter().any(|case| case.1 == Pass), "{}", rule.id);
        let breach = match (rule.level, rule.id) {
            (Level::Must, "9.1-req-ext-registered") => Warn, // its comment says why
            (Level::Must, _) => Fail,
            _ => Warn,
        };
        assert!(outcomes.iter().any(|case| case.1 == breach), "{}", rule.id);
    }
}

#[test]
fn the_table_is_sound() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len(), "an id stands twice");
    for rule in RULES {
        assert!(!rule.fatal || rule.level == Level::Must, "{}", rule.id);
        assert!(!rule.fatal || rule.code.is_some(), "{} lacks a code", rule.id);
    }
}

#[test]
fn the_flawless_pair_breaks_nothing_and_agrees() {
    let report = flawless().check();
    assert_eq!(report.verdicts.len(), RULES.len());
    for verdict in &report.verdicts {
        assert!(
            matches!(verdict.outcome, Pass | NotApplicable),
            "{}: {}",
            verdict.rule.id,
            verdict.text
        );
    }
    assert_eq!(report.fatal().count(), 0);
    assert_eq!(report.agreed.subprotocol.as_deref(), Some("chat"));
    assert_eq!(report.agreed.deflate, Some(DeflateParams::default()));
    assert_eq!(report.agreed.extensions[0].name, "permessage-deflate");
}

#[test]
fn every_breach_is_found_and_the_fatal_ones_keep_their_order() {
    let pair = flawless()
        .answer("HTTP/1.0 101 Go\r\nSec-WebSocket-Protocol: other\r\nSec-WebSocket-Extensions: x\r\nUpgrade: h2c");
    let report = pair.check();
    let fatal: Vec<_> = report.fatal().map(|verdict| verdict.rule.id).collect();
    assert_eq!(
        fatal,
        [
            "4.1-res-upgrade",
            "4.1-res-connection",
            "4.1-res-accept-present",
            "4.1-res-ext-offered",
            "4.1-res-proto-offered",
        ]
    );
    assert_eq!(report.agreed.subprotocol, None);
    assert_eq!(report.agreed.deflate, None);
}

#[test]
fn another_status_is_not_called_a_bad_101() {
    let report = flawless().answer("HTTP/1.1 404 Not Found").check();
    assert_eq!(report.fatal().count(), 0);
    assert_eq!(report.agreed.extensions, []);
}

#[test]
fn a_faulty_deflate_answer_is_not_agreed_on() {
    for (offered, accepted) in [("", "; foo"), ("; server_max_window_bits=9", "")] {
        let report = flawless().deflate(offered, accepted).check();
        assert_eq!(report.agreed.deflate, None, "{accepted}");
        assert_eq!(report.agreed.extensions.len(), 1, "the raw list is kept");
    }
    let unasked = flawless().req("Sec-WebSocket-Extensions", "X").check();
    assert_eq!(unasked.agreed.deflate, None);
}

#[test]
fn a_wrong_proof_is_explained() {
    let proof = |key: &str| AcceptSteps::for_key(key.as_bytes()).accept;
    for (accept, why) in [
        (proof(&KEY.to_lowercase()), "lower-cased the key"),
        (KEY.to_owned(), "sent the key back"),
        (proof("x3JJHMbDL1EzLkh9GBhXDw=="), "connection #1"),
        (proof("second"), "another of the keys"),
    ] {
        let (outcome, text) = flawless()
            .req_add("Sec-WebSocket-Key: second")
            .res(&proof(KEY), &accept)
            .verdict("4.1-res-accept-value");
        assert_eq!(outcome, Fail);
        assert!(text.contains(&format!("expected {}, got ", proof(KEY))), "{text}");
        assert!(text.contains(why), "{text}");
    }
}

#[test]
fn the_proof_is_computed_from_the_key_really_sent() {
    let accept = AcceptSteps::for_key(b"not a key at all").accept;
    let pair = flawless()
        .req(KEY, "not a key at all")
        .res(&AcceptSteps::for_key(KEY.as_bytes()).accept, &accept);
    assert_eq!(pair.verdict("4.1-res-accept-value").0, Pass);
}

#[test]
fn hostile_bytes_are_escaped_in_texts() {
    let (_, text) = flawless()
        .res("Protocol: chat", "Protocol: \u{1b}[2J\u{202e}")
        .verdict("4.1-res-proto-offered");
    assert_eq!(text, r#""\x1b[2J\xe2\x80\xae" was not offered"#);
}

/// A head of plausible and broken lines.
fn lines(first: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just("Upgrade"),
        Just("Connection"),
        Just("Host"),
        Just("Origin"),
        Just("Sec-WebSocket-Key"),
        Just("Sec-WebSocket-Version"),
        Just("Sec-WebSocket-Accept"),
        Just("Sec-WebSocket-Protocol"),
        Just("Sec-WebSocket-Extensions"),
    ];
    let value = prop_oneof![
        "[ -~]{0,20}",
        "(permessage-deflate(; ?(client|server)_(max_window_bits|no_context_takeover)(=\"?[0-9]{1,2}\"?)?)*,? ?){1,3}",
        Just("websocket".to_owned()),
        Just("13".to_owned()),
        Just(KEY.to_owned()),
    ];
    let line = prop_oneof![
        (name, value).prop_map(|(name, value)| format!("{name}: {value}\r\n").into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..12),
    ];
    (any::<bool>(), proptest::collection::vec(line, 0..10)).prop_map(move |(start, lines)| {
        let start: &[u8] = if start { first.as_bytes() } else { b"" };
        [start, &lines.concat(), b"\r\n"].concat()
    })
}

proptest! {
    #[test]
    fn any_pair_is_judged_by_every_rule(
        request in lines("GET / HTTP/1.1\r\n"),
        response in lines("HTTP/1.1 101 x\r\n"),
    ) {
        let request = Head::parse(HeadKind::Request, &request);
        let response = Head::parse(HeadKind::Response, &response);
        let report = check(&HandshakeContext {
            url: flawless().url,
            ..HandshakeContext::new(&request, Some(&response))
        });
        prop_assert_eq!(report.verdicts.len(), RULES.len());
        for verdict in &report.verdicts {
            prop_assert!(verdict.text.chars().all(|c| !c.is_control()), "{}", verdict.text);
        }
    }
}
