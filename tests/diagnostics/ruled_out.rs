//! Causes that the facts of the run rule out, and those that only the answer can tell.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, Dial, DialOutcome, EndKind, StreamFacts, TlsAttempt, TlsFault, Trial, TrialOutcome,
    Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, Severity, classify};
use wscope::session::endpoint::{PingFacts, PongMismatch};
use wscope::wire::close::CloseBody;
use wscope::wire::{Data, Role};

use crate::support::{Pair, Seen, end, message};
use crate::waits::{ours, theirs};

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

/// The causes, surest first.
fn causes(found: &Diagnostic) -> String {
    let texts = found.causes.iter().map(|cause| format!("{:?} {}", cause.confidence, cause.text));
    texts.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_cookie_is_no_answer_to_a_challenge_for_authorization() {
    let refused = "the credentials sent are wrong";
    let missing = "High no Authorization was sent";
    let cookie = "Cookie: theme=dark\r\n";
    let basic = "Authorization: Basic YTpi\r\n";
    for (sent, challenge, says, not) in [
        (cookie, "Basic realm=\"a\"", missing, "High the credentials"),
        (cookie, "Bearer", missing, "High the credentials"),
        (cookie, "Digest realm=\"a\", nonce=\"b\"", missing, "authentication scheme than the one"),
        (cookie, "Negotiate", missing, "High the credentials"),
        (&[basic, cookie].concat(), "Basic realm=\"a\"", "High the credentials sent", missing),
        ("", "Basic realm=\"a\"", "High no credentials were sent", missing),
        // The cookie itself is what the server asks for.
        (cookie, "Cookie realm=\"a\"", "the credentials sent", missing),
        (cookie, "Session", "the credentials sent", missing),
        (cookie, "Key type=\"header\" name=\"apikey\"", "the credentials sent", missing),
    ] {
        let response =
            format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n\r\n");
        let pair = Pair::new(sent, &response);
        let found = verdict(&pair.facts());
        assert_eq!(found.entry.code, "W326", "{found:?}");
        assert!(causes(&found).contains(says), "{sent}{challenge}: {}", causes(&found));
        assert!(!causes(&found).contains(not), "{sent}{challenge}: {}", causes(&found));
    }
    // Without a challenge, the cookie may be the login.
    let pair = Pair::new(cookie, "HTTP/1.1 401 Unauthorized\r\n\r\n");
    let found = verdict(&pair.facts());
    assert!(causes(&found).contains(refused) && !causes(&found).contains(missing), "{found:?}");
}

#[test]
fn a_host_header_that_was_not_given_is_no_cause() {
    let url = Some("wss://localhost:12607/");
    let tls = TlsAttempt { fault: Some(TlsFault::Alert(112)), ..TlsAttempt::default() };
    let found = verdict(&Facts { url, tls, ..Facts::new(Role::Client) });
    assert_eq!(found.entry.code, "W211");
    assert!(!causes(&found).contains("Host"), "{found:?}");
    assert_eq!(found.help, "connect by a name the server knows");
    let url = Some("wss://127.0.0.1:12607/");
    let found = verdict(&Facts { url, tls, ..Facts::new(Role::Client) });
    assert!(found.help.contains("not by address"), "{found:?}");
}

#[test]
fn a_library_with_tls_1_3_does_not_lack_it() {
    for (may_lack_13, says) in [(false, false), (true, true)] {
        let tls =
            TlsAttempt { fault: Some(TlsFault::Alert(70)), may_lack_13, ..TlsAttempt::default() };
        let found = verdict(&Facts { url: Some("wss://h/"), tls, ..Facts::new(Role::Client) });
        assert_eq!(found.entry.code, "W210");
        assert_eq!(causes(&found).contains("library lacks"), says, "{found:?}");
        assert!(causes(&found).contains("only TLS 1.0 or 1.1"), "{found:?}");
    }
}

#[test]
fn a_client_that_dialled_this_machine_is_not_on_another() {
    for (address, says) in [
        ("127.0.0.1:1", false),
        ("[::1]:1", false),
        ("[::ffff:127.0.0.1]:1", false),
        ("10.0.0.7:1", true),
        ("[2001:db8::1]:1", true),
    ] {
        let dials = [Dial {
            address: address.parse().expect("an address"),
            outcome: DialOutcome::Refused,
            elapsed: Duration::ZERO,
        }];
        let found = verdict(&Facts { dials: &dials, ..Facts::new(Role::Client) });
        assert_eq!(found.entry.code, "W103");
        assert_eq!(causes(&found).contains("on another machine"), says, "{address} {found:?}");
    }
}

#[test]
fn a_version_that_the_server_quotes_was_not_lost() {
    for (body, quoted) in [
        ("Unsupported version: 13", true),
        ("unsupported WebSocket version \"13\"", true),
        ("WebSocket version 13 is not supported", true),
        ("Invalid Sec-WebSocket-Version: 13", true),
        ("Unsupported version, 13 is required", false),
        ("Sec-WebSocket-Version must be 13", false),
        ("invalid Sec-WebSocket-Version: expected 13", false),
        ("Unsupported version: 8", false),
        ("Unsupported version: 130", false),
        ("Unsupported version: ", false),
    ] {
        let pair = Pair::new("", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n");
        let found = verdict(&Facts { body: body.as_bytes(), ..pair.facts() });
        let lost = causes(&found).contains("removed on the path");
        assert_eq!((found.entry.code, lost), ("W321", !quoted), "{body}: {found:?}");
        let asks_hop = found.help.contains("hop");
        assert_eq!(asks_hop, !quoted, "{body}: {}", found.help);
    }
}

/// The page of nginx for a plain request to a TLS port.
fn page(name: &str) -> String {
    format!(
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\
         <body><center><h1>400 Bad Request</h1></center><center>The plain HTTP request was sent \
         to HTTPS port</center><hr><center>{name}</center></body></html>"
    )
}

#[test]
fn plain_http_to_tls_is_this_port_or_one_behind_a_proxy() {
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let tls_here = [Trial {
        variation: Variation::OtherScheme,
        what: "wss://".to_owned(),
        outcome: TrialOutcome::Opened,
    }];
    let cases: [(&str, String, &[Trial], &str); 7] = [
        ("Server: nginx/1.22.1\r\n", page("nginx/1.22.1"), &[], "W204"),
        ("Server: openresty\r\n", page("openresty"), &[], "W204"),
        ("", page("nginx"), &[], "W204"),
        ("", go.to_owned(), &[], "W204"),
        ("Server: envoy\r\n", page("nginx/1.22.1"), &[], "W353"),
        ("Server: nginx\r\n", go.to_owned(), &[], "W353"),
        ("Server: envoy\r\n", page("nginx/1.22.1"), &tls_here, "W204"),
    ];
    for (header, body, trials, code) in cases {
        let response = format!("HTTP/1.1 400 Bad Request\r\n{header}Connection: close\r\n\r\n");
        let pair = Pair::new("", &response);
        let facts = Facts { body: body.as_bytes(), trials, ..pair.facts() };
        let found = verdict(&facts);
        assert_eq!(found.entry.code, code, "{header}{body}: {found:?}");
        let sure = found.causes.first().map(|cause| cause.confidence);
        if code == "W204" && trials.is_empty() {
            assert!(causes(&found).contains("this port speaks TLS; Low a proxy"), "{found:?}");
            assert!(found.help.contains("if that fails"), "{found:?}");
        } else if code == "W204" {
            assert_eq!(sure, Some(Confidence::High));
            assert!(!causes(&found).contains("a proxy"), "{found:?}");
        }
    }
}

#[test]
fn a_changed_payload_is_told_with_the_rule_about_payloads() {
    let mismatched = Some(PongMismatch { ping: 4, pong: 2, is_start: true });
    let pings = PingFacts { mismatched, ..PingFacts::default() };
    let pair = Pair::open("", "");
    let found = verdict(&Facts { pings, ..pair.facts() });
    assert_eq!(found.entry.code, "W622");
    assert!(found.entry.explanation.contains("must have identical Application data"));
}

#[test]
fn a_session_of_socket_io_that_did_as_the_help_says_gets_no_help() {
    let open = br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let pair = Pair::open("", "");
    for (kept, says) in [
        (vec![theirs(open), ours(b"40"), theirs(b"40{\"sid\":\"b\"}")], false),
        (vec![theirs(open), ours(b"40"), theirs(b"2"), ours(b"3")], false),
        (vec![theirs(open), ours(b"40"), theirs(b"2")], true),
        (vec![theirs(open), ours(b"hello")], true),
        (vec![theirs(open)], true),
    ] {
        let stream = StreamFacts {
            message: Some(message(Data::Text, open)),
            messages: 1,
            frames: 1,
            kept: &kept,
            kept_all: true,
            ..StreamFacts::default()
        };
        let facts = Facts { stream, end: Some(end(EndKind::Closed, 0.1)), ..pair.facts() };
        let told = classify(&facts).iter().any(|found| found.entry.code == "W501");
        assert_eq!(told, says, "{kept:?}");
    }
}

#[test]
fn a_second_head_after_a_valid_101_is_a_second_answer() {
    let pair = Pair::open("", "");
    // Two servers on one HTTP server write the same bytes.
    let twice = "the upgrade was answered twice: two WebSocket servers on one HTTP server";
    for (first, says) in [
        (&b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"[..], true),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", false),
        (b"HTTP/1.1 1010 x\r\n\r\n", false),
        (b"<!doctype html><p>101", false),
    ] {
        let stream = StreamFacts { first, ..StreamFacts::default() };
        let found = verdict(&Facts { stream, ..pair.facts() });
        assert_eq!(found.entry.code, "W461");
        assert_eq!(causes(&found).starts_with(&format!("High {twice}")), says, "{found:?}");
        assert_eq!(found.help.starts_with("let one of them"), says, "{found:?}");
    }
}

#[test]
fn first_bytes_are_a_greeting_an_error_or_a_message() {
    for (bytes, title, label) in [
        (&b"Content-Length: 138\r\n\r\n{\"seq\": 1, \"type\": \"event\"}"[..], "debug adapter", ""),
        (b"Content-Length: 52\r\n\r\n{\"jsonrpc\":\"2.0\"}", "language server", ""),
        (b"E\0\0\0\x8cSFATAL\0VFATAL\0", "PostgreSQL", "an error of PostgreSQL"),
        (b"-ERR unknown command\r\n", "Redis", "an error of Redis"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH", "the greeting of SSH"),
        (b"220 mx.example ESMTP\r\n", "SMTP", "the greeting of SMTP"),
    ] {
        let found = verdict(&Facts { first_bytes: bytes, ..Facts::new(Role::Client) });
        assert_eq!(found.entry.code, "W110", "{found:?}");
        assert!(found.title.contains(title), "{found:?}");
        let span = found.span.expect("the bytes");
        assert!(span.label.starts_with(label), "{span:?}");
    }
}

#[test]
fn http_after_a_close_is_a_note_and_other_bytes_are_a_warning() {
    let pair = Pair::open("", "");
    let response = b"\x88\x02\x03\xe8HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let frame = b"\x88\x02\x03\xe8\x81\x02hi";
    for (bytes, severity) in [(&response[..], Severity::Note), (frame, Severity::Warning)] {
        let seen = Seen::from_server(bytes);
        let body = CloseBody { code: Some(1000), reason: Vec::new() };
        let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
        let found = classify(&Facts { close, ..seen.facts(&pair) });
        let found: Vec<_> = found.iter().filter(|found| found.entry.code == "W618").collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, severity, "{found:?}");
    }
}
