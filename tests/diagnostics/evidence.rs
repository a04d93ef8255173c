//! The first cause and its confidence for the facts of a run: the bytes of responses and Close
//! frames, and the results of trials.

use std::net::SocketAddr;
use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, Dial, DialOutcome, End, EndKind, LastHeard, ProxyFacts, ProxyFault, StreamEnd,
    StreamFacts, TlsAttempt, TlsFault, Trial, TrialOutcome, Unanswered, Variation,
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

/// The code of the verdict, its first cause, and the confidence of that cause.
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
    is(&bare.facts(), "W332", "credentials are missing, or those sent", Confidence::Low);
    let serves = [trial(Variation::NoUpgrade, 200), trial(Variation::OtherPath, 403)];
    let facts = Facts { trials: &serves, ..bare.facts() };
    is(&facts, "W332", "serves plain HTTP", Confidence::Medium);
    let known = [trial(Variation::OtherPath, 404)];
    let facts = Facts { trials: &known, ..bare.facts() };
    is(&facts, "W332", "credentials are missing, or those sent", Confidence::Low);
}

#[test]
fn what_all_requests_get_rules_the_path_out() {
    let bad = Pair::new("", "HTTP/1.1 400 Bad Request\r\nServer: own\r\n\r\n");
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
    is(&Facts { trials: &all, ..failed.facts() }, "W341", "an exception", Confidence::Medium);
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
    is(&facts, "W107", "nothing handles upgrades at this path", Confidence::Medium);
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
        is(&facts, "W332", "credentials are missing, or those sent", Confidence::Low);
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
            chain: &[],
            own_roots,
            ..TlsAttempt::default()
        };
        let facts = Facts { url: Some("wss://api.example/"), tls, ..Facts::new(Role::Client) };
        is(&facts, "W208", cause, confidence);
    }
    let tls = TlsAttempt { fault: Some(TlsFault::Dates { early: true }), ..TlsAttempt::default() };
    is(&secure(tls, &[]), "W206", "has not begun", Confidence::High);
}

/// The facts of a run with wss.
fn secure<'a>(tls: TlsAttempt<'a>, trials: &'a [Trial]) -> Facts<'a> {
    Facts { url: Some("wss://api.example/"), tls, trials, ..Facts::new(Role::Client) }
}

#[test]
fn what_is_wrong_with_a_chain_is_found_in_its_certificates() {
    let of = |subject: &str, issuer: &str, until: &str| CertificateFacts {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        not_before: "2025-01-01T00:00:00Z".to_owned(),
        not_after: until.to_owned(),
        ..CertificateFacts::default()
    };
    let (leaf, past) = (of("CN=a", "CN=b", "2028-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
    let old = [of("CN=b", "CN=c", past)];
    let now = Some("2026-11-30T10:00:00.123456Z");
    let fault = Some(TlsFault::Dates { early: false });
    let expired = TlsAttempt { fault, now, certificate: Some(&leaf), ..TlsAttempt::default() };
    for chain in [&old[..], &[]] {
        let tls = TlsAttempt { chain, ..expired };
        is(&secure(tls, &[]), "W206", "an intermediate certificate", Confidence::High);
    }
    let own = of("CN=a", "CN=b", past);
    let tls = TlsAttempt { certificate: Some(&own), chain: &old, ..expired };
    is(&secure(tls, &[]), "W206", "was not renewed", Confidence::Low);

    let root = [of("CN=c", "CN=c", past)];
    let fault = Some(TlsFault::Issuer { is_own: false });
    let tls = TlsAttempt { fault, chain: &root, own_roots: true, ..expired };
    is(&secure(tls, &[]), "W208", "a private authority", Confidence::Medium);

    let fault = Some(TlsFault::Issuer { is_own: true });
    for (subject, cause) in [
        ("O=Acme Co,CN=Some Fake Certificate", "shows its default one"),
        ("CN=api.example", "is self-signed"),
    ] {
        let own = of(subject, subject, past);
        let tls = TlsAttempt { fault, certificate: Some(&own), ..expired };
        is(&secure(tls, &[]), "W208", cause, Confidence::High);
    }
}

#[test]
fn a_wildcard_stands_for_one_label() {
    for (listed, wrong) in [
        ("*.shop.test", true),
        ("*.b.shop.test", false),
        ("*.op.test", false),
        ("other.test", false),
    ] {
        let names = vec![listed.to_owned()];
        let certificate = CertificateFacts { names, ..CertificateFacts::default() };
        for name in ["a.b.Shop.test", "shop.test"] {
            let tls = TlsAttempt {
                fault: Some(TlsFault::Name),
                certificate: Some(&certificate),
                name: Some(name),
                ..TlsAttempt::default()
            };
            let found = first(&secure(tls, &[]));
            assert_eq!(found.1.contains("exactly one label"), wrong, "{name} {found:?}");
        }
    }
}

#[test]
fn an_option_of_the_run_is_a_cause() {
    let fault = Some(TlsFault::Alert(70));
    let tls = TlsAttempt { fault, own_versions: Some("--tls-max …"), ..TlsAttempt::default() };
    is(&secure(tls, &[]), "W210", "limited by an option", Confidence::Medium);
    let sent = TlsAttempt { own_certificate: true, ..TlsAttempt::default() };
    let answer = "HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The SSL certificate error</title>";
    let refused = Pair::new("", answer);
    let verdict = |facts: &Facts<'_>| classify(facts).remove(0);
    let facts = Facts { tls: sent, ..refused.facts() };
    is(&facts, "W212", "the certificate sent is not accepted", Confidence::Medium);
    assert!(verdict(&refused.facts()).help.starts_with("send one"));
    let alpn = TlsAttempt {
        fault: Some(TlsFault::Alert(120)),
        own_alpn: Some("--alpn …"),
        ..TlsAttempt::default()
    };
    is(&secure(alpn, &[]), "W213", "http/1.1 was not offered", Confidence::Medium);
    for (alert, code) in [(112, "W211"), (40, "W209")] {
        let fault = Some(TlsFault::Alert(alert));
        let tls = TlsAttempt { fault, own_name: Some("--sni …"), ..TlsAttempt::default() };
        is(&secure(tls, &[]), code, "sends a name", Confidence::Medium);
    }
    let dial = |outcome| Dial {
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        outcome,
        elapsed: Duration::ZERO,
    };
    for (outcome, code) in [(DialOutcome::Refused, "W103"), (DialOutcome::Silent, "W105")] {
        let dials = [dial(outcome)];
        let facts = Facts { dials: &dials, redirected: true, ..Facts::new(Role::Client) };
        is(&facts, code, "an option of this run", Confidence::Medium);
    }
}

#[test]
fn an_expired_client_certificate_is_judged_by_its_own_dates() {
    let until = |not_after: &str| CertificateFacts {
        not_before: "2025-01-01T00:00:00Z".to_owned(),
        not_after: not_after.to_owned(),
        ..CertificateFacts::default()
    };
    let (old, valid) = (until("2026-01-01T00:00:00Z"), until("2028-01-01T00:00:00Z"));
    for (shown, cause, confidence, help) in [
        (Some(&old), "the client certificate has expired", Confidence::High, "look at the dates"),
        (Some(&valid), "an authority above", Confidence::Medium, "look at the dates"),
        (None, "or one that the server checks", Confidence::Medium, "look at"),
    ] {
        let tls = TlsAttempt {
            fault: Some(TlsFault::Alert(45)),
            own_certificate: true,
            now: Some("2026-11-30T10:00:00Z"),
            shown,
            ..TlsAttempt::default()
        };
        let facts = secure(tls, &[]);
        is(&facts, "W212", cause, confidence);
        assert!(classify(&facts)[0].help.starts_with(help), "{cause}");
    }
}

#[test]
fn a_certificate_that_was_requested_is_a_cause_of_an_end() {
    let end = Unanswered { how: StreamEnd::Fin, after: Duration::ZERO, received: 0 };
    let asked = TlsAttempt { asked: true, ..TlsAttempt::default() };
    let facts = |tls, trials| Facts { unanswered: Some(end), ..secure(tls, trials) };
    is(&facts(asked, &[]), "W107", "requires a client certificate", Confidence::Medium);
    let dropped = [trial(Variation::NoUpgrade, 1), trial(Variation::OtherPath, 1)];
    is(&facts(asked, &dropped), "W107", "requires a client certificate", Confidence::Medium);
    let answered = [trial(Variation::NoUpgrade, 200)];
    is(&facts(asked, &answered), "W107", "drops the upgrade", Confidence::High);
    let sent = TlsAttempt { own_certificate: true, ..asked };
    is(&facts(sent, &[]), "W107", "certificate that was sent", Confidence::Medium);
}

#[test]
fn a_port_that_is_silent_under_tls_is_what_a_plain_request_shows() {
    let tls = TlsAttempt { fault: Some(TlsFault::Silent), ..TlsAttempt::default() };
    is(&secure(tls, &[]), "W203", "speaks plain text", Confidence::Low);
    for (code, cause) in [(0, "hangs"), (1, "neither TLS nor HTTP")] {
        let trials = [trial(Variation::OtherScheme, code)];
        let facts = secure(tls, &trials);
        is(&facts, "W203", cause, Confidence::Medium);
        let causes = classify(&facts).remove(0).causes;
        assert!(!causes.iter().any(|cause| cause.text.contains("MTU")), "{causes:?}");
    }
    let spoken = [trial(Variation::OtherScheme, 200)];
    is(&secure(tls, &spoken), "W203", "speaks plain text", Confidence::High);
}

#[test]
fn a_proxy_that_was_not_told_where_to_has_not_failed_to_reach_it() {
    let of = |fault| {
        let (address, variable, answer) = ("socks5://127.0.0.1:1", None, None);
        let proxy = ProxyFacts { address, variable, answer, fault: Some(fault) };
        Facts { proxy: Some(proxy), ..Facts::new(Role::Client) }
    };
    let causes = |fault| {
        let found = classify(&of(fault)).remove(0);
        let texts: Vec<_> = found.causes.iter().map(|cause| cause.text.to_string()).collect();
        (found.entry.code, texts.join("; "))
    };
    let waits = "can't reach the server";
    let (code, texts) = causes(ProxyFault::Greeting { credentials: false });
    assert!(code == "W116" && texts.contains("user and password"), "{texts}");
    assert!(!texts.contains(waits), "{texts}");
    let (code, texts) = causes(ProxyFault::Greeting { credentials: true });
    assert!(code == "W116" && !texts.contains("user and password"), "{texts}");
    is(&of(ProxyFault::Tls), "W116", "speaks no TLS", Confidence::Medium);
    assert!(!causes(ProxyFault::Tls).1.contains(waits));
    assert!(causes(ProxyFault::Silent).1.contains(waits));
    assert!(causes(ProxyFault::Refused).1.contains("can't reach"));
    // It speaks SOCKS, so its port and scheme are right, and its target is not.
    let dropped = Facts { url: Some("ws://127.0.0.1:26499/"), ..of(ProxyFault::Dropped) };
    is(&dropped, "W112", "can't reach the target", Confidence::Medium);
    let found = classify(&dropped).remove(0);
    assert!(found.help.contains("listens on 127.0.0.1:26499"), "{found:?}");
    assert!(!found.help.contains("scheme") && found.causes.len() == 1, "{found:?}");
}

#[test]
fn the_words_of_a_parser_are_no_reason() {
    let answer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n\
                  Invalid HTTP request received.";
    let refused = Pair::new("", answer);
    is(&refused.facts(), "W323", "puts bytes before the request", Confidence::Medium);
    let dated = Pair::new("", &answer.replace("Content", "Server: x\r\nContent"));
    is(&dated.facts(), "W323", "does not serve this path", Confidence::Low);
}

#[test]
fn a_proxy_that_failed_has_not_forbidden() {
    let of = |answer: &str| Head::parse(HeadKind::Response, answer.as_bytes());
    for (answer, cause, confidence) in [
        ("HTTP/1.1 503 Connect failed\r\n\r\n", "can't reach the server", Confidence::Medium),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "or this client", Confidence::Medium),
        ("HTTP/1.1 405 No\r\nServer: nginx\r\n\r\n", "a web server", Confidence::Medium),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "a login page", Confidence::Medium),
        ("HTTP/1.1 418 No\r\n\r\n", "rules forbid", Confidence::Low),
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

/// A Close of the peer after this time, with a silence of `quiet` seconds before it.
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
    // After the first facts, this side also sends a message, but the peer does not take it for the
    // first one.
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
        // These reasons do not say which side failed.
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
    for (code, reason) in [
        (1008, "trial period timed out"),
        (1011, "upstream timeout: orders-db"),
        (4000, "database timeout"),
    ] {
        let body = CloseBody { code: Some(code), reason: reason.as_bytes().to_vec() };
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
    // The peer sent messages, but this side sent none.
    let facts = closed(&pair, &body, 5.0, 0.5);
    let mut stream = stream_of(b"{\"type\":\"ping\"}");
    stream.messages = 2;
    is(&Facts { stream, ..facts }, "W705", "did not receive a message", Confidence::Low);
    // The Close came at once, after a message of either side.
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
    // A second WebSocket server refuses at once, and not because of our message.
    let sent = Some(message(Data::Text, b"zero"));
    let refused = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nBad Request";
    let failed = b"HTTP/1.1 500 INTERNAL SERVER ERROR\r\nServer: Werkzeug/3.1.9\r\n\r\n";
    for (first, sent, starts) in [
        (&refused[..], None, "a second handler"),
        (refused, sent, "the framework's answer"),
        (failed, None, "the framework's answer when the handler ended with an exception"),
        (failed, sent, "the framework's answer when the handler ended with an exception"),
        (b"HTTP/1.1 200 OK\r\n\r\n", None, "the framework's answer"),
    ] {
        let stream = StreamFacts { first, sent, ..StreamFacts::default() };
        let found = classify(&Facts { stream, ..pair.facts() }).remove(0);
        let text = &found.causes[0].text;
        assert!(text.contains(&format!("the 101: {starts}")), "{found:?}");
    }
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
    // If such a silence came before every message, the last silence means nothing.
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

/// The evidence of TLS in a run with its own options.
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
        (secured(TlsFault::Name, Some(&star)), "W207", "its wildcard stands for exactly one label"),
        // This certificate is valid, so another one in the chain is not.
        (secured(early, Some(&star)), "W206", "an intermediate certificate"),
        (
            TlsAttempt {
                own_versions: Some("--tls-max …"), ..secured(TlsFault::Alert(70), None)
            },
            "W210",
            "limited by an option",
        ),
    ] {
        let facts = Facts { url: Some("wss://eu.api.example/"), tls, ..Facts::new(Role::Client) };
        let found = first(&facts);
        assert!(found.0 == code && found.1.contains(cause), "{cause}: {found:?}");
    }
    // This certificate itself has expired.
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

#[test]
fn a_reply_of_socks_tells_a_rule_from_a_failure() {
    for (fault, cause, other) in [
        (ProxyFault::Unreached, "can't reach the server", "rules forbid"),
        (ProxyFault::Forbidden, "rules forbid", "can't reach"),
    ] {
        let (address, variable, answer) = ("socks5h://127.0.0.1:1", None, None);
        let proxy = ProxyFacts { address, variable, answer, fault: Some(fault) };
        let facts = Facts { proxy: Some(proxy), ..Facts::new(Role::Client) };
        is(&facts, "W112", cause, Confidence::Medium);
        let causes = classify(&facts).remove(0).causes;
        assert!(!causes.iter().any(|cause| cause.text.contains(other)), "{causes:?}");
    }
}
