//! W36x: clients that wscope refused, or that left.

use wscope::diagnostics::facts::{EndKind, TlsFault};
use wscope::diagnostics::{Facts, Wish, classify};
use wscope::wire::Role;
use wscope::wire::head::{Head, HeadKind};

use crate::golden::Golden;
use crate::support::end;

const KEY: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

fn request(target: &str, headers: &str) -> Head {
    let text = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n{headers}\r\n");
    Head::parse(HeadKind::Request, text.as_bytes())
}

pub fn cases(golden: &mut Golden) {
    for (code, what, target, headers, status, reason) in [
        (
            "W360",
            "curl",
            "/",
            "User-Agent: curl/8.5.0\r\nAccept: */*\r\n".to_owned(),
            426,
            "Upgrade is missing",
        ),
        (
            "W360",
            "behind a proxy",
            "/",
            "Connection: close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
            426,
            "Upgrade is missing",
        ),
        (
            "W360",
            "a key by hand",
            "/",
            "User-Agent: curl/8.5.0\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".to_owned(),
            426,
            "Upgrade is missing",
        ),
        (
            "W360",
            "a key by a library or a proxy",
            "/",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
            426,
            "Upgrade is missing",
        ),
        (
            "W360",
            "a probe of Kubernetes",
            "/healthz",
            "User-Agent: kube-probe/1.30\r\nConnection: close\r\n".to_owned(),
            426,
            "Upgrade is missing",
        ),
        ("W360", "a check at a path for it", "/ready", "Connection: close\r\n".to_owned(), 426, "Upgrade is missing"),
        ("W360", "SockJS", "/echo/info?t=1732971234567", "User-Agent: node\r\n".to_owned(), 426, "Upgrade is missing"),
        ("W360", "SignalR", "/hub/negotiate?negotiateVersion=1", String::new(), 426, "Upgrade is missing"),
        ("W361", "a wrong path", "/chat?token=secret", KEY.to_owned(), 404, "path \"/chat\" is not served here"),
        (
            "W362",
            "a page from a file",
            "/",
            format!("{KEY}Origin: file://\r\n"),
            403,
            "origin \"file://\" is another site than this server",
        ),
        (
            "W362",
            "a page from a file, in a browser",
            "/",
            format!("{KEY}User-Agent: Mozilla/5.0 (X11)\r\nOrigin: file://\r\n"),
            403,
            "origin \"file://\" is another site than this server",
        ),
        (
            "W362",
            "a library",
            "/",
            format!("{KEY}User-Agent: arduino-WebSocket-Client\r\nOrigin: file://\r\n"),
            403,
            "origin \"file://\" is another site than this server",
        ),
        (
            "W362",
            "another site",
            "/",
            format!("{KEY}Origin: https://a.example\r\n"),
            403,
            "origin \"https://a.example\" is not one of those allowed",
        ),
        ("W363", "a bad key", "/", KEY.to_owned(), 400, "Sec-WebSocket-Key is not 16 bytes in base64"),
        ("W364", "no password", "/", KEY.to_owned(), 401, "the request has no Authorization"),
        (
            "W365",
            "another subprotocol",
            "/",
            format!("{KEY}Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0\r\n"),
            400,
            "none of the subprotocols ocpp1.6, ocpp2.0 is spoken here, only chat",
        ),
    ] {
        let request = request(target, &headers);
        let response = Head::parse(HeadKind::Response, format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes());
        let facts = Facts {
            request: Some(&request),
            response: Some(&response),
            body: reason.as_bytes(),
            ..Facts::new(Role::Server)
        };
        golden.verdict(code, what, &facts);
    }
    for (code, what, target, more) in [
        ("W366", "a charge point", "/CP01", "Sec-WebSocket-Protocol: ocpp1.6\r\n"),
        ("W366", "a browser with GraphQL", "/", "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"),
        ("W367", "Socket.IO", "/socket.io/?EIO=4&transport=websocket", ""),
        ("W367", "Pusher", "/app/k9?protocol=7&client=js&version=8.4.0", ""),
        ("W367", "Centrifugo", "/connection/websocket", ""),
    ] {
        let request = request(target, &format!("{KEY}{more}"));
        let wish = Wish::of(&request, None);
        let end = Some(end(EndKind::Fin, 0.1));
        golden.verdict(code, what, &Facts { wish: wish.as_ref(), end, ..Facts::new(Role::Server) });
    }
    for (what, fault) in
        [("an unknown authority", TlsFault::Alert(48)), ("the end during TLS", TlsFault::Closed)]
    {
        let mut facts = Facts::new(Role::Server);
        facts.tls.fault = Some(fault);
        golden.verdict("W368", what, &facts);
        facts.tls.intercepted = true;
        golden.verdict("W368", &format!("{what}, behind a proxy that decrypts"), &facts);
    }
    assert_eq!(Wish::of(&request("/", KEY), None), None);
    // Credentials are not names.
    let long = "x".repeat(41);
    for offered in ["bearer, s3cr3t", "base64url.bearer.authorization.k8s.io.s3cr3t", long.as_str()]
    {
        let headers = format!("{KEY}Sec-WebSocket-Protocol: chat, {offered}\r\n");
        let wish = Wish::of(&request("/", &headers), None).expect("something was offered");
        let names: Vec<&str> = wish.offered.iter().map(String::as_str).collect();
        assert!(names == ["chat"] || names == ["chat", "bearer"], "{names:?}");
    }
}

#[test]
fn a_post_needs_an_http_server_and_a_server_with_a_token_asks_for_it_alone() {
    let refused = |request: &str, response: &str| {
        let request = Head::parse(HeadKind::Request, request.as_bytes());
        let response = Head::parse(HeadKind::Response, response.as_bytes());
        let facts = Facts {
            request: Some(&request),
            response: Some(&response),
            ..Facts::new(Role::Server)
        };
        classify(&facts).remove(0).help.to_string()
    };
    let upgrade = "HTTP/1.1 426 Upgrade Required\r\n\r\n";
    let of = |method: &str| format!("{method} /hook HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(refused(&of("POST"), upgrade).contains("HTTP server"));
    assert!(!refused(&of("GET"), upgrade).contains("HTTP server"));
    let open = format!("GET / HTTP/1.1\r\nHost: a\r\n{KEY}\r\n");
    let asks = |scheme| format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {scheme}\r\n\r\n");
    assert!(!refused(&open, &asks("Bearer")).contains("-u USER"));
    assert!(refused(&open, &asks("Basic realm=\"a\"")).contains("-u USER"));
}

#[test]
fn an_upgrade_in_http_1_0_comes_from_a_proxy() {
    let told = |version: &str, headers: &str| {
        let text = format!("GET / HTTP/{version}\r\nHost: a\r\n{headers}\r\n");
        let request = Head::parse(HeadKind::Request, text.as_bytes());
        let response = Head::parse(HeadKind::Response, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let facts = Facts {
            request: Some(&request),
            response: Some(&response),
            body: b"HTTP/1.0; a proxy that speaks HTTP/1.0 cannot upgrade",
            ..Facts::new(Role::Server)
        };
        classify(&facts).remove(0)
    };
    let found = told("1.0", KEY);
    assert_eq!(found.entry.code, "W363");
    assert!(found.help.contains("proxy_http_version 1.1"), "{found:?}");
    assert!(!told("1.1", KEY).help.contains("proxy_http_version"));
    // Without Upgrade, the help has all directives.
    assert_eq!(told("1.0", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n").entry.code, "W360");
}
