//! W2xx: TLS.

use wscope::diagnostics::Facts;
use wscope::diagnostics::facts::{TlsAttempt, TlsFault};
use wscope::event::CertificateFacts;
use wscope::wire::Role;

use crate::golden::Golden;
use crate::support::Pair;

const URL: Option<&str> = Some("wss://api.example/chat");

pub fn cases(golden: &mut Golden) {
    let failed = |fault| client(TlsAttempt { fault: Some(fault), ..TlsAttempt::default() });
    for (code, what, fault) in [
        ("W201", "nginx on a plain port", TlsFault::NotTls(b"HTTP/1.1 400 Bad Request\r\n")),
        ("W110", "SSH", TlsFault::NotTls(b"SSH-2.0-OpenSSH_9.2p1\r\n")),
        ("W202", "websockets, tungstenite", TlsFault::Closed),
        ("W203", "tornado, daphne", TlsFault::Silent),
        ("W209", "handshake_failure", TlsFault::Alert(40)),
        ("W210", "protocol_version", TlsFault::Alert(70)),
        ("W211", "unrecognized_name", TlsFault::Alert(112)),
        ("W212", "certificate_required", TlsFault::Alert(116)),
        ("W213", "no_application_protocol", TlsFault::Alert(120)),
        ("W204", "a client's plain request to our TLS port", TlsFault::PlainRequest),
    ] {
        golden.verdict(code, what, &failed(fault));
    }
    certificates(golden);
    let alpn = TlsAttempt { alpn: Some("h2"), ..TlsAttempt::default() };
    golden.verdict("W214", "ALPN chose HTTP/2", &client(alpn));
    let truncated = TlsAttempt { truncated: true, ..TlsAttempt::default() };
    golden.verdict("W216", "cut underneath TLS", &client(truncated));
    in_words(golden);
}

/// The facts of a client with wss.
fn client(tls: TlsAttempt<'_>) -> Facts<'_> {
    Facts { url: URL, tls, ..Facts::new(Role::Client) }
}

fn certificates(golden: &mut Golden) {
    let certificate = CertificateFacts {
        subject: "CN=other.example".to_owned(),
        issuer: "CN=Zscaler Intermediate Root CA".to_owned(),
        names: vec!["other.example".to_owned(), "*.other.example".to_owned()],
        not_before: "2025-01-01T00:00:00Z".to_owned(),
        not_after: "2026-01-01T00:00:00Z".to_owned(),
        serial: "01".to_owned(),
        names_issuer: true,
    };
    let own = CertificateFacts { issuer: "CN=other.example".to_owned(), ..certificate.clone() };
    let now = Some("2026-11-21T12:03:04Z");
    for (code, what, fault) in [
        ("W206", "expired", TlsFault::Dates { early: false }),
        ("W207", "another site's", TlsFault::Name),
        ("W208", "self-signed", TlsFault::Issuer { is_own: true }),
    ] {
        let certificate = Some(&own);
        let tls = TlsAttempt { fault: Some(fault), certificate, now, ..TlsAttempt::default() };
        golden.verdict(code, what, &client(tls));
    }
    let tls = TlsAttempt {
        fault: Some(TlsFault::Certificate("unsuitable certificate purpose")),
        certificate: Some(&own),
        ..TlsAttempt::default()
    };
    golden.verdict("W218", "only for clients", &client(tls));
    let tls = TlsAttempt {
        fault: Some(TlsFault::Certificate("unspecified certificate verification error")),
        ..TlsAttempt::default()
    };
    golden.verdict("W218", "no reason", &client(tls));
    let intercepted = TlsAttempt {
        fault: Some(TlsFault::Issuer { is_own: false }),
        certificate: Some(&certificate),
        ..TlsAttempt::default()
    };
    golden.beside("W217", "a security product's certificate", &client(intercepted));
}

/// Causes that only the body of an answer shows.
fn in_words(golden: &mut Golden) {
    let behind = Pair::new(
        "",
        "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\nThe plain HTTP request was sent to HTTPS port",
    );
    let url = Some("wss://api.example/chat");
    golden.verdict("W353", "nginx in front of nginx with TLS", &Facts { url, ..behind.facts() });
    for (code, what, response) in [
        (
            "W204",
            "nginx",
            "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n\r\n\
             <html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
        ),
        (
            "W204",
            "Go",
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        ),
        (
            "W212",
            "nginx",
            "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n\
             <title>400 No required SSL certificate was sent</title>",
        ),
        ("W211", "421", "HTTP/1.1 421 Misdirected Request\r\nServer: Apache\r\n\r\n"),
        (
            "W215",
            "Node's http2",
            "HTTP/1.0 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n\
             Missing ALPN Protocol, expected `h2` to be available.",
        ),
    ] {
        golden.verdict(code, what, &Pair::new("", response).facts());
    }
}
