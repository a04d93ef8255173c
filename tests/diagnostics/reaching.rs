//! W0xx and W1xx: the way to the server.

use std::net::SocketAddr;
use std::time::Duration;

use wscope::diagnostics::facts::{
    Dial, DialOutcome, LookupFault, ProxyFacts, ProxyFault, StreamEnd, Trial, TrialOutcome,
    Unanswered, Variation,
};
use wscope::diagnostics::{Facts, classify};
use wscope::wire::Role;
use wscope::wire::head::{Head, HeadKind};

use crate::golden::Golden;
use crate::support::URL;

pub fn cases(golden: &mut Golden) {
    urls(golden);
    lookup_and_tcp(golden);
    first_bytes(golden);
    proxies(golden);
}

fn client<'a>() -> Facts<'a> {
    Facts { url: Some(URL), ..Facts::new(Role::Client) }
}

fn urls(golden: &mut Golden) {
    for (code, url) in [
        ("W001", "https://api.example/chat"),
        ("W002", "ws://api.example/chat#room 1"),
        ("W003", "wss://me:secret@api.example/chat?token=secret"),
        ("W004", "ws://api.example:443/chat"),
        ("W004", "wss://api.example:80/chat"),
    ] {
        golden.verdict(code, "as typed", &Facts { url: Some(url), ..client() });
    }
}

fn lookup_and_tcp(golden: &mut Golden) {
    for (code, what, fault) in [
        ("W101", "no such name", LookupFault::NotFound),
        ("W101", "-6 where there is only IPv4", LookupFault::OtherFamily),
        ("W102", "SERVFAIL", LookupFault::Unanswered),
    ] {
        golden.verdict(code, what, &Facts { lookup: Some(fault), ..client() });
    }
    let dial = |address: &str, outcome, millis| Dial {
        address: address.parse::<SocketAddr>().expect("an address"),
        outcome,
        elapsed: Duration::from_millis(millis),
    };
    let refused = dial("127.0.0.1:9000", DialOutcome::Refused, 0);
    golden.verdict("W103", "nothing listens", &Facts { dials: &[refused], ..client() });
    let dials = [dial("[::1]:9000", DialOutcome::Refused, 0)];
    let localhost = Some("ws://localhost:9000/chat");
    let trials = [Trial {
        variation: Variation::OtherFamily,
        what: "127.0.0.1:9000".to_owned(),
        outcome: TrialOutcome::Opened,
    }];
    let facts = Facts { url: localhost, dials: &dials, trials: &trials, ..client() };
    golden.verdict("W104", "IPv4 only", &facts);
    // A session that continues over the other address is in order.
    let dials = [dials[0], dial("127.0.0.1:9000", DialOutcome::Connected, 0)];
    assert!(classify(&Facts { url: localhost, dials: &dials, ..client() }).is_empty());
    let dials = [dial("192.0.2.1:80", DialOutcome::Silent, 10_000)];
    golden.verdict("W105", "packets are dropped", &Facts { dials: &dials, ..client() });
    let dials = [dial("[2001:db8::1]:80", DialOutcome::Unreachable, 0)];
    golden.verdict("W106", "no route", &Facts { dials: &dials, ..client() });
}

fn first_bytes(golden: &mut Golden) {
    let end =
        |how, millis| Some(Unanswered { how, after: Duration::from_millis(millis), received: 0 });
    for (code, what, unanswered) in [
        ("W107", "hung up at once", end(StreamEnd::Fin, 3)),
        ("W107", "reset at once", end(StreamEnd::Reset, 3)),
        ("W108", "Engine.IO, a path it does not own", end(StreamEnd::Fin, 1002)),
        ("W109", "silence", end(StreamEnd::Timeout, 10_000)),
    ] {
        golden.verdict(code, what, &Facts { unanswered, ..client() });
    }
    let url = Some("wss://api.example/");
    let unanswered = end(StreamEnd::Fin, 3);
    golden.verdict("W107", "inside TLS", &Facts { url, unanswered, ..client() });
    let url = Some("ws://api.example:8443/");
    golden.verdict("W107", "Node's tls, plain request", &Facts { url, unanswered, ..client() });
    for (code, what, first_bytes) in [
        ("W110", "OpenSSH", &b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"[..]),
        ("W110", "RabbitMQ's own port", b"AMQP\0\0\x09\x01"),
        ("W111", "h2c", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"),
        ("W111", "h2c with RFC 8441", b"\0\0\x06\x04\0\0\0\0\0\0\x08\0\0\0\x01"),
        ("W205", "an alert in plain text", b"\x15\x03\x01\0\x02\x02\x46"),
        ("W348", "bytes of no protocol we know", b"\x1b[2Jwelcome to the machine\r\n"),
    ] {
        golden.verdict(code, what, &Facts { first_bytes, ..client() });
    }
}

fn proxies(golden: &mut Golden) {
    let head = |text: &str| Head::parse(HeadKind::Response, text.as_bytes());
    let refused = head("HTTP/1.1 403 Filtered\r\nServer: tinyproxy/1.11.1\r\n\r\n");
    let wants = head(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n\r\n",
    );
    let fine = head("HTTP/1.1 200 Connection established\r\n\r\n");
    let proxy = |answer, variable| {
        Some(ProxyFacts {
            address: "proxy.example:3128",
            variable,
            answer: Some(answer),
            fault: None,
        })
    };
    let facts = |proxy| Facts { proxy, ..client() };
    for (code, what, fault) in [
        ("W115", "a dead proxy", ProxyFault::Away),
        ("W116", "a silent proxy", ProxyFault::Silent),
        ("W112", "SOCKS spoken to an HTTP proxy", ProxyFault::Foreign),
    ] {
        let proxy = ProxyFacts {
            address: "http://127.0.0.1:3128",
            variable: Some("http_proxy"),
            answer: None,
            fault: Some(fault),
        };
        golden.verdict(code, what, &facts(Some(proxy)));
    }
    golden.verdict("W112", "tinyproxy's filter", &facts(proxy(&refused, None)));
    golden.verdict("W113", "Basic wanted", &facts(proxy(&wants, None)));
    golden.verdict("W114", "from the environment", &facts(proxy(&fine, Some("all_proxy"))));
    golden.verdict("W112", "the variable is named", &facts(proxy(&refused, Some("http_proxy"))));
}

#[test]
fn a_link_local_address_needs_an_interface() {
    let told = |url| {
        let dials = [Dial {
            address: "[fe80::1]:80".parse().expect("an address"),
            outcome: DialOutcome::Unreachable,
            elapsed: Duration::ZERO,
        }];
        let facts = Facts { url: Some(url), dials: &dials, ..Facts::new(Role::Client) };
        classify(&facts).remove(0).causes[0].text.contains("link-local")
    };
    assert!(told("ws://[fe80::1]:80/"));
    assert!(!told("ws://[2001:db8::1]:80/"));
}
