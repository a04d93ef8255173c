//! Which cause is named first, and how surely, from what a run has seen: responses and Close frames in
//! their bytes, and what came of trials.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, End, EndKind, LastHeard, ProxyFacts, StreamEnd, StreamFacts, TlsAttempt, TlsFault,
    Trial, TrialOutcome, Unanswered, Variation,
};
use wscope::diagnostics::{Confidence, Facts, classify};
use wscope::event::CertificateFacts;
use wscope::session::endpoint::PingFacts;
use wscope::wire::Data;
use wscope::wire::Role;
use wscope::wire::close::CloseBody;
use wscope::wire::head::{Head, HeadKind};

use crate::support::{Pair, end, message, stream_of};

const PAGE: &[u8] = b"";

fn trial(variation: Variation, code: u16) -> Trial {
    let text = code.to_string();
    let outcome = match code {
        101 => TrialOutcome::Opened,
        0 => TrialOutcome::Silence("timed out".to_owned()),
        1 => TrialOutcome::Nothing("closed".to_owned()),
        code => TrialOutcome::Status { code, text, body: PAGE.to_vec() },
    };
    Trial { variation, what: "/x".to_owned(), outcome }
}

/// The verdict's code, its first cause and how sure that is.
fn first(facts: &Facts<'_>) -> (&'static str, String, Option<Confidence>) {
    let verdict = classify(facts).into_iter().next().expect("a verdict");
    let cause = verdict.causes.first();
    let text = cause.map(|cause| cause.text.to_string()).unwrap_or_default();
    (verdict.entry.code, text, cause.map(|cause| cause.confidence))
}

#[track_caller]
fn is(facts: &Facts<'_>, code: &str, cause: &str, confidence: Confidence) {
    let found = first(facts);
    assert_eq!((found.0, found.2), (code, Some(confidence)), "{found:?}");
    assert!(found.1.contains(cause), "{found:?}");
}

#[test]
fn a_status_alone_proves_nothing() {
    let bare = Pair::new("", "HTTP/1.1 403 Forbidden\r\n\r\n");
    is(&bare.facts(), "W332", "the credentials sent", Confidence::Low);
    let serves = [trial(Variation::NoUpgrade, 200), trial(Variation::OtherPath, 403)];
    let facts = Facts { trials: &serves, ..bare.facts() };
    is(&facts, "W332", "serves plain HTTP", Confidence::Medium);
    let known = [trial(Variation::OtherPath, 404)];
    let facts = Facts { trials: &known, ..bare.facts() };
    is(&facts, "W332", "the credentials sent", Confidence::Low);
}

#[test]
fn what_all_requests_get_rules_the_path_out() {
    let bad = Pair::new("", "HTTP/1.1 400 Bad Request\r\n\r\n");
    let all = [trial(Variation::NoUpgrade, 400), trial(Variation::OtherPath, 400)];
    is(&Facts { trials: &all, ..bad.facts() }, "W323", "every request", Confidence::Medium);
    let upgrades = [trial(Variation::NoUpgrade, 426), trial(Variation::OtherPath, 400)];
    is(
        &Facts { trials: &upgrades, ..bad.facts() },
        "W323",
        "every upgrade is refused",
        Confidence::Medium,
    );
    let failed = Pair::new("", "HTTP/1.1 500 Internal Server Error\r\n\r\n");
    let all = [trial(Variation::OtherPath, 500)];
    is(&Facts { trials: &all, ..failed.facts() }, "W341", "at any path", Confidence::Medium);
}

#[test]
fn the_way_a_request_stays_unanswered_tells_who_left_it() {
    let pair = Pair::new("", "");
    let base = |how, seconds| Facts {
        response: None,
        report: None,
        unanswered: Some(Unanswered { how, after: Duration::from_secs_f64(seconds), received: 0 }),
        ..pair.facts()
    };
    let answered = trial(Variation::NoUpgrade, 404);
    for (other, cause) in
        [(404, "hangs or is slow"), (1, "hangs or is slow"), (0, "nothing handles upgrades")]
    {
        let trials = [answered.clone(), trial(Variation::OtherPath, other)];
        let facts = Facts { trials: &trials, ..base(StreamEnd::Timeout, 10.0) };
        is(&facts, "W109", cause, Confidence::Medium);
    }
    let trials = [answered];
    let facts = Facts { trials: &trials, ..base(StreamEnd::Reset, 2.0) };
    is(&facts, "W107", "did not answer the upgrade in time", Confidence::Medium);
    let facts = Facts { trials: &trials, ..base(StreamEnd::Reset, 0.01) };
    is(&facts, "W107", "drops the upgrade", Confidence::High);
    let trials = [trial(Variation::NoUpgrade, 1), trial(Variation::OtherPath, 200)];
    let facts = Facts { trials: &trials, ..base(StreamEnd::Fin, 0.01) };
    is(&facts, "W107", "drops each request for this path", Confidence::Medium);
}

#[test]
fn http_1_0_has_no_upgrade_unless_a_proxy_wrote_it() {
    let old = Pair::new("", "HTTP/1.0 400 Bad Request\r\n\r\nExpected WebSocket request");
    is(&old.facts(), "W320", "without WebSocket support", Confidence::Medium);
    let proxy =
        Pair::new("", "HTTP/1.0 400 Bad Request\r\nVia: 1.0 x\r\n\r\nExpected WebSocket request");
    is(&proxy.facts(), "W320", "a reverse proxy", Confidence::Medium);
}

#[test]
fn a_get_that_is_not_allowed_behind_a_proxy_lost_its_upgrade() {
    let pair = Pair::new("", "HTTP/1.1 405 Method Not Allowed\r\nServer: nginx\r\n\r\n");
    let same = [trial(Variation::NoUpgrade, 405)];
    is(
        &Facts { trials: &same, ..pair.facts() },
        "W336",
        "forwards without Upgrade",
        Confidence::Medium,
    );
    let alone = Pair::new("", "HTTP/1.1 405 Method Not Allowed\r\n\r\n");
    is(&alone.facts(), "W336", "accepts POST only", Confidence::Low);
}

#[test]
fn credentials_that_were_sent_as_asked_for_are_wrong() {
    let challenge =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n\r\n";
    let digest = Pair::new("Authorization: Digest username=\"u\"\r\n", challenge);
    is(&digest.facts(), "W326", "wrong, expired", Confidence::High);
    let basic = Pair::new("Authorization: Basic dTpw\r\n", challenge);
    is(&basic.facts(), "W326", "another authentication scheme", Confidence::High);
}

#[test]
fn an_own_origin_that_is_refused_needs_a_sign_of_a_proxy() {
    let words = "invalid Origin header";
    let origin = "Origin: http://api.example\r\n";
    let direct = Pair::new(origin, &format!("HTTP/1.1 403 Forbidden\r\n\r\n{words}"));
    is(&direct.facts(), "W327", "not on the server's list", Confidence::Medium);
    let proxied =
        Pair::new(origin, &format!("HTTP/1.1 403 Forbidden\r\nServer: nginx\r\n\r\n{words}"));
    is(&proxied.facts(), "W327", "a proxy changes Host", Confidence::Medium);
}

#[test]
fn a_trial_that_met_a_busy_server_proves_nothing() {
    let bare = Pair::new("", "HTTP/1.1 403 Forbidden\r\n\r\n");
    for busy in [429, 503] {
        let trials = [trial(Variation::OwnOrigin, busy), trial(Variation::OtherPath, busy)];
        let facts = Facts { trials: &trials, ..bare.facts() };
        is(&facts, "W332", "the credentials sent", Confidence::Low);
    }
    let trials = [trial(Variation::OwnOrigin, 101)];
    is(&Facts { trials: &trials, ..bare.facts() }, "W328", "requires an Origin", Confidence::High);
}

#[test]
fn a_lone_certificate_is_a_broken_chain_where_its_issuer_is_known_elsewhere() {
    let certificate = CertificateFacts {
        subject: "CN=a".to_owned(),
        issuer: "CN=b".to_owned(),
        ..CertificateFacts::default()
    };
    let public = CertificateFacts { names_issuer: true, ..certificate.clone() };
    for (certificate, own_roots, cause, confidence) in [
        (&certificate, false, "a private authority", Confidence::Low),
        (&certificate, true, "another authority than those", Confidence::Medium),
        (&public, false, "without the intermediate", Confidence::Medium),
    ] {
        let tls = TlsAttempt {
            fault: Some(TlsFault::Issuer { is_own: false }),
            certificate: Some(certificate),
            chain: Some(1),
            own_roots,
            ..TlsAttempt::default()
        };
        let facts = Facts { url: Some("wss://api.example/"), tls, ..Facts::new(Role::Client) };
        is(&facts, "W208", cause, confidence);
    }
    let tls = TlsAttempt { fault: Some(TlsFault::Dates { early: true }), ..TlsAttempt::default() };
    let facts = Facts { url: Some("wss://api.example/"), tls, ..Facts::new(Role::Client) };
    is(&facts, "W206", "has not begun", Confidence::High);
}

#[test]
fn a_proxy_that_failed_has_not_forbidden() {
    let of = |answer: &str| Head::parse(HeadKind::Response, answer.as_bytes());
    for (answer, cause, confidence) in [
        ("HTTP/1.1 503 Connect failed\r\n\r\n", "can't reach the server", Confidence::Medium),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "port 443 only", Confidence::Low),
    ] {
        let answer = of(answer);
        let proxy = ProxyFacts {
            address: "http://127.0.0.1:1",
            variable: None,
            answer: Some(&answer),
            fault: None,
        };
        let facts = Facts { proxy: Some(proxy), ..Facts::new(Role::Client) };
        is(&facts, "W112", cause, confidence);
    }
}

/// A Close of the peer after so many seconds, with so much silence before it.
fn closed<'a>(pair: &'a Pair, body: &'a CloseBody, seconds: f64, quiet: f64) -> Facts<'a> {
    let last = Duration::from_secs_f64(seconds);
    let at = End {
        last,
        quiet: Duration::from_secs_f64(quiet),
        idle: Duration::ZERO,
        idle_data: Duration::ZERO,
        ..end(EndKind::Closed, seconds)
    };
    let close = CloseFacts { received: Some(body), by_peer: true, ..CloseFacts::default() };
    Facts { close, end: Some(at), ..pair.facts() }
}

#[test]
fn the_reason_of_a_close_names_the_timer() {
    let pair = Pair::open("", "");
    let sent = Some(message(Data::Text, b"hi"));
    for (reason, ignored, cause) in [
        ("idle timeout", 0, "an idle timeout of the server"),
        ("keepalive ping timeout", 2, "this side did not answer the peer's pings"),
        ("keepalive ping timeout", 0, "did not receive a ping, a pong or a heartbeat"),
    ] {
        let body = CloseBody { code: Some(1008), reason: reason.as_bytes().to_vec() };
        let facts = closed(&pair, &body, 5.0, 2.0);
        let pings = PingFacts { ignored, ..PingFacts::default() };
        let stream = StreamFacts { sent, ..StreamFacts::default() };
        is(&Facts { pings, stream, ..facts }, "W708", cause, Confidence::High);
    }
    // A first message that was sent was received as another one.
    let body = CloseBody { code: Some(1008), reason: b"login timeout".to_vec() };
    let facts = closed(&pair, &body, 5.0, 2.0);
    is(&facts, "W708", "did not receive the first message", Confidence::High);
    let facts = Facts { stream: StreamFacts { sent, ..StreamFacts::default() }, ..facts };
    is(&facts, "W708", "did not take our message", Confidence::Medium);
}

#[test]
fn a_ping_in_another_word_is_no_ping() {
    let pair = Pair::open("", "");
    for reason in ["server is stopping", "mapping failed", "too many pings", "middleware failed"] {
        let body = CloseBody { code: Some(1008), reason: reason.as_bytes().to_vec() };
        let found = first(&closed(&pair, &body, 5.0, 0.1));
        assert_eq!(found.2, None, "{reason}: {found:?}");
    }
    for (reason, sure) in [
        ("PING_TIMEOUT", Confidence::High),
        // Of whom, these do not say.
        ("missed heartbeat", Confidence::Medium),
        ("no pong", Confidence::Medium),
        ("keep-alive failed", Confidence::Medium),
    ] {
        let body = CloseBody { code: Some(1008), reason: reason.as_bytes().to_vec() };
        let cause = "did not receive a ping, a pong or a heartbeat";
        is(&closed(&pair, &body, 5.0, 0.1), "W708", cause, sure);
    }
}

#[test]
fn a_time_that_was_up_need_not_be_one_on_silence() {
    let pair = Pair::open("", "");
    for code in [1008, 4000] {
        let body = CloseBody { code: Some(code), reason: b"database timeout".to_vec() };
        let found = first(&closed(&pair, &body, 5.0, 2.0));
        assert!(found.1.contains("a timeout of the server, which its reason names"), "{found:?}");
        assert_eq!(found.2, Some(Confidence::Medium), "{found:?}");
    }
    for (reason, sure) in [
        ("account inactive, contact sales", false),
        ("trial period timed out", false),
        ("inactive", true),
        ("client inactive for too long", true),
        ("closed due to inactivity", true),
    ] {
        let body = CloseBody { code: Some(1008), reason: reason.as_bytes().to_vec() };
        let facts = closed(&pair, &body, 5.0, 2.0);
        let d = classify(&facts).into_iter().next().expect("a verdict");
        assert!(d.is_proved() == sure && d.help.contains("--ping-interval") == sure, "{d:?}");
    }
}

#[test]
fn who_was_never_spoken_to_may_have_waited_for_that() {
    let pair = Pair::open("", "");
    let body = CloseBody { code: None, reason: Vec::new() };
    is(&closed(&pair, &body, 5.0, 2.0), "W705", "did not receive a message", Confidence::Low);
    // Its own messages are no silence, and yet none of this side's crossed.
    let facts = closed(&pair, &body, 5.0, 0.5);
    let mut stream = stream_of(b"{\"type\":\"ping\"}");
    stream.messages = 2;
    is(&Facts { stream, ..facts }, "W705", "did not receive a message", Confidence::Low);
    // At once, after a message of either side.
    let facts = closed(&pair, &body, 0.01, 0.0);
    let mut stream = stream_of(b"{\"error\":\"Invalid Host\"}");
    stream.messages = 1;
    stream.heard = Some(LastHeard {
        content: b"{\"error\":\"Invalid Host\"}",
        before: b"",
        quiet: Duration::ZERO,
        answered: false,
    });
    let cause = "its last message is {\"error\"";
    is(&Facts { stream, ..facts.clone() }, "W705", cause, Confidence::High);
    let stream = StreamFacts { sent: Some(message(Data::Text, b"hi")), ..StreamFacts::default() };
    is(&Facts { stream, ..facts }, "W705", "because of our message", Confidence::Low);
}

#[test]
fn a_cut_after_unanswered_pings_is_no_idle_timer() {
    let pair = Pair::open("", "");
    let pings = PingFacts { ignored: 1, ..PingFacts::default() };
    let facts = Facts { pings, end: Some(end(EndKind::Fin, 2.0)), ..pair.facts() };
    is(&facts, "W804", "did not answer the peer's pings", Confidence::High);
    let help = classify(&facts).remove(0).help.to_string();
    assert!(help.contains("--no-pong") && !help.contains("--ping-interval"), "{help}");
}

#[test]
fn http_behind_the_101_is_an_answer_of_the_framework() {
    let pair = Pair::open("", "");
    let stream =
        StreamFacts { first: b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\n", ..StreamFacts::default() };
    is(
        &Facts { stream, ..pair.facts() },
        "W461",
        "an HTTP response was written after the 101",
        Confidence::High,
    );
    let stream = StreamFacts { first: b"hello from a log\n", ..StreamFacts::default() };
    is(&Facts { stream, ..pair.facts() }, "W461", "writes text to the raw socket", Confidence::Low);
}

#[test]
fn a_regular_close_after_a_silence_is_possibly_a_timers() {
    let pair = Pair::open("", "");
    let body = CloseBody { code: Some(1000), reason: Vec::new() };
    let mut facts = closed(&pair, &body, 9.0, 3.0);
    let spoke = classify(&facts).remove(0);
    assert!(spoke.causes.is_empty(), "{spoke:?}");
    if let Some(end) = &mut facts.end {
        end.idle_data = Duration::from_secs(3);
    }
    is(&facts, "W700", "possibly an idle timeout", Confidence::Medium);
    let found = classify(&facts).remove(0);
    assert!(found.title.contains("after 3.0 s") && found.help.contains("--ping-interval 1.5"));
    // Where each message comes after such a silence, the last one is none.
    if let Some(end) = &mut facts.end {
        end.longest_quiet = Duration::from_millis(2900);
    }
    assert!(classify(&facts).remove(0).causes.is_empty());
}

#[test]
fn the_library_ws_has_a_form_of_its_own() {
    let ws = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: text/html\r\n\
              Content-Length: 12\r\n\r\nUnauthorized";
    is(
        &Pair::new("", ws).facts(),
        "W326",
        "the verifyClient of the library ws",
        Confidence::Medium,
    );
    let dated = ws.replace("Content-Length", "Date: today\r\nContent-Length");
    let found = first(&Pair::new("", &dated).facts());
    assert!(!found.1.contains("verifyClient of the library"), "{found:?}");
}

#[test]
fn who_left_after_a_close_that_was_not_answered_was_not_cut_off() {
    let pair = Pair::open("", "");
    let normal = CloseBody { code: Some(1000), reason: Vec::new() };
    for how in [EndKind::Fin, EndKind::Reset] {
        let close = CloseFacts { received: Some(&normal), by_peer: true, ..CloseFacts::default() };
        let facts = Facts { close, end: Some(end(how, 30.0)), ..pair.facts() };
        let codes: Vec<_> = classify(&facts).iter().map(|d| d.entry.code).collect();
        assert!(codes.iter().all(|code| !code.starts_with("W8")), "{codes:?}");
        let facts = Facts { close: CloseFacts::default(), ..facts };
        assert_eq!(classify(&facts).first().map(|d| d.entry.code), Some("W804"));
    }
}

/// What TLS showed, in a run with these own options.
fn secured<'a>(fault: TlsFault<'a>, certificate: Option<&'a CertificateFacts>) -> TlsAttempt<'a> {
    let now = Some("2026-11-30T10:00:00Z");
    TlsAttempt { fault: Some(fault), certificate, now, ..TlsAttempt::default() }
}

#[test]
fn what_a_certificate_shows_of_its_refusal() {
    let certificate = |subject: &str, names: &[&str]| CertificateFacts {
        subject: subject.to_owned(),
        issuer: subject.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        not_before: "2026-01-01T00:00:00Z".to_owned(),
        not_after: "2027-01-01T00:00:00Z".to_owned(),
        ..CertificateFacts::default()
    };
    let own = TlsFault::Issuer { is_own: true };
    let early = TlsFault::Dates { early: false };
    let default = certificate("CN=TRAEFIK DEFAULT CERT", &[]);
    let star = certificate("CN=a", &["*.example"]);
    for (tls, code, cause) in [
        (secured(own, Some(&default)), "W208", "no certificate for this name"),
        (secured(TlsFault::Name, Some(&star)), "W207", "its wildcard stands for one label"),
        // It is valid itself: so another one is not.
        (secured(early, Some(&star)), "W206", "an intermediate certificate is out of date"),
        (
            TlsAttempt { own_versions: true, ..secured(TlsFault::Alert(70), None) },
            "W210",
            "limited by an option",
        ),
    ] {
        let facts = Facts { url: Some("wss://eu.api.example/"), tls, ..Facts::new(Role::Client) };
        let found = first(&facts);
        assert!(found.0 == code && found.1.contains(cause), "{cause}: {found:?}");
    }
    // A certificate that is out of date is out of date.
    let old = CertificateFacts { not_after: "2026-02-01T00:00:00Z".to_owned(), ..star.clone() };
    let tls = secured(early, Some(&old));
    let facts = Facts { url: Some("wss://api.example/"), tls, ..Facts::new(Role::Client) };
    assert!(first(&facts).1.contains("not renewed"));
}

#[test]
fn a_web_server_is_no_proxy() {
    let answer = "HTTP/1.1 405 Not Allowed\r\nServer: nginx/1.22\r\n\r\n";
    let answer = Head::parse(HeadKind::Response, answer.as_bytes());
    let proxy =
        ProxyFacts { address: "http://p:80", variable: None, answer: Some(&answer), fault: None };
    let facts = Facts { url: Some("ws://h/"), proxy: Some(proxy), ..Facts::new(Role::Client) };
    is(&facts, "W112", "a web server listens there", Confidence::Medium);
}
