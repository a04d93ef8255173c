//! The order of classification: the first layer that explains the failure decides.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, Dial, DialOutcome, EndKind, LookupFault, StreamEnd, TlsAttempt, TlsFault,
    Unanswered,
};
use wscope::diagnostics::{Facts, Severity, classify};
use wscope::wire::Role;
use wscope::wire::close::CloseBody;

use crate::support::{Pair, Seen, end, stream_of};

fn codes(facts: &Facts<'_>) -> Vec<&'static str> {
    classify(facts).iter().map(|found| found.entry.code).collect()
}

#[test]
fn each_layer_hides_those_behind_it() {
    let pair = Pair::new("", "HTTP/1.1 502 Bad Gateway\r\n\r\n");
    let refused = [Dial {
        address: "127.0.0.1:1".parse().expect("an address"),
        outcome: DialOutcome::Refused,
        elapsed: Duration::ZERO,
    }];
    let mut facts = Facts {
        url: Some("ws://h/#x"),
        lookup: Some(LookupFault::NotFound),
        dials: &refused,
        tls: TlsAttempt { fault: Some(TlsFault::Closed), ..TlsAttempt::default() },
        first_bytes: b"SSH-2.0-x\r\n",
        ..pair.facts()
    };
    assert_eq!(codes(&facts), ["W002"]);
    facts.url = Some("ws://h/");
    assert_eq!(codes(&facts), ["W101"]);
    facts.lookup = None;
    assert_eq!(codes(&facts), ["W103"]);
    facts.dials = &[];
    assert_eq!(codes(&facts), ["W202"]);
    facts.tls = TlsAttempt::default();
    assert_eq!(codes(&facts), ["W110"]);
    facts.first_bytes = b"";
    assert_eq!(codes(&facts), ["W343"]);
}

#[test]
fn behind_the_handshake_too() {
    let bad = Pair::new(
        "",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                             Connection: Upgrade\r\n\r\n",
    );
    let good = Pair::open("", "");
    let seen = Seen::from_server(b"\x83\x00");
    let body = CloseBody { code: Some(1011), reason: Vec::new() };
    let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
    let text = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    let mut facts = Facts { close, end: Some(end(EndKind::Fin, 60.0)), ..seen.facts(&bad) };
    facts.stream.first = text;
    assert_eq!(codes(&facts), ["W401"]);
    (facts.response, facts.report) = (Some(&good.response), Some(&good.report));
    assert_eq!(codes(&facts), ["W461"]);
    facts.stream.first = b"";
    assert_eq!(codes(&facts), ["W606"]);
    (facts.violations, facts.frame) = (&[], None);
    assert_eq!(codes(&facts), ["W711"]);
    facts.close = CloseFacts::default();
    assert_eq!(codes(&facts), ["W804"]);
}

#[test]
fn warnings_and_notes_stand_behind_the_error_that_came_later() {
    let facts = Facts {
        url: Some("https://h:80/"),
        lookup: Some(LookupFault::Unanswered),
        ..Facts::new(Role::Client)
    };
    let found = classify(&facts);
    let severities: Vec<_> = found.iter().map(|found| found.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Note]);
    assert_eq!(codes(&facts), ["W102", "W004", "W001"]);
}

#[test]
fn the_protocol_inside_is_reported_beside_an_error() {
    let pair = Pair::open("", "");
    let stream = stream_of(b"0{\"sid\":\"abc\"}");
    let facts = Facts { stream, end: Some(end(EndKind::Fin, 60.0)), ..pair.facts() };
    assert_eq!(codes(&facts), ["W804", "W501"]);
}

#[test]
fn nothing_is_reported_where_nothing_went_wrong() {
    assert_eq!(codes(&Facts::new(Role::Client)), [""; 0]);
    assert_eq!(codes(&Facts::new(Role::Server)), [""; 0]);
    assert_eq!(codes(&Pair::open("", "").facts()), [""; 0]);
}

#[test]
fn the_second_that_engine_io_waits_has_a_window() {
    for (millis, code) in [(949, "W107"), (950, "W108"), (1150, "W108"), (1151, "W107")] {
        let after = Duration::from_millis(millis);
        let unanswered = Some(Unanswered { how: StreamEnd::Fin, after, received: 0 });
        let facts = Facts { unanswered, ..Facts::new(Role::Client) };
        assert_eq!(codes(&facts), [code], "{millis} ms");
    }
}

#[test]
fn no_answer_can_make_it_panic() {
    let bodies =
        ["", "<", "{", "0{\"sid\"", "\u{202e}", "plain http request was sent to https port"];
    for status in (100..=999).step_by(7).chain([101, 200, 301, 400, 401, 403, 404, 426, 500]) {
        for body in bodies {
            let response = format!("HTTP/1.1 {status} \r\nLocation: :\r\nServer: \r\n\r\n{body}");
            let pair = Pair::new("", &response);
            let found = codes(&pair.facts());
            assert!(!found.is_empty(), "{status}");
        }
    }
}

#[test]
fn secrets_of_the_request_and_the_url_are_not_shown() {
    let request = "Authorization: Bearer hunter2\r\nCookie: session=hunter2\r\n";
    let url = Some("wss://me:hunter2@api.example/chat?token=hunter2#hunter2");
    for response in
        ["HTTP/1.1 401 No\r\nSet-Cookie: session=hunter2\r\n\r\n", "HTTP/1.1 403 \r\n\r\n"]
    {
        let pair = Pair::new(request, response);
        for url in [url, Some("wss://me:hunter2@api.example:80/chat?token=hunter2")] {
            let found = classify(&Facts { url, ..pair.facts() });
            assert!(!format!("{found:?}").contains("hunter2"));
        }
    }
}
