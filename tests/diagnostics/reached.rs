//! What other requests on the same port show about a request without an answer, and what an answer
//! of a program in front shows about it.

use std::time::Duration;

use wscope::diagnostics::facts::{
    AGREED, Dial, DialOutcome, End, EndKind, LookupFault, ProxyFacts, StreamEnd, StreamFacts,
    TlsAttempt, TlsFault, Trial, TrialOutcome, Unanswered, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, Severity, classify};
use wscope::event::CertificateFacts;
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::{Data, Role};

use crate::support::{Pair, URL, message};

const SECURE: &str = "wss://api.example/chat";

const PLAIN: &str = "ws://api.example/chat";

fn nothing(variation: Variation) -> Trial {
    let text = "the server closed the connection before its response was complete, after 0 bytes";
    Trial { variation, what: String::new(), outcome: TrialOutcome::Nothing(text.to_owned()) }
}

fn silence(variation: Variation) -> Trial {
    let outcome = TrialOutcome::Silence("timed out after 3 s".to_owned());
    Trial { variation, what: String::new(), outcome }
}

fn answered(variation: Variation, code: u16, body: &str) -> Trial {
    let (text, body) = (format!("{code} of the trial"), body.as_bytes().to_vec());
    Trial { variation, what: String::new(), outcome: TrialOutcome::Status { code, text, body } }
}

fn agreed(variation: Variation) -> Trial {
    Trial { variation, what: String::new(), outcome: TrialOutcome::Tls(AGREED.to_owned()) }
}

/// A request that got no answer, and how its connection ended.
fn unanswered<'a>(url: &'a str, how: StreamEnd, trials: &'a [Trial]) -> Facts<'a> {
    let unanswered = Some(Unanswered { how, after: Duration::from_millis(7999), received: 0 });
    let after = if how == StreamEnd::Timeout { unanswered } else { at_once(how) };
    Facts { url: Some(url), unanswered: after, trials, ..Facts::new(Role::Client) }
}

fn at_once(how: StreamEnd) -> Option<Unanswered> {
    Some(Unanswered { how, after: Duration::from_millis(2), received: 0 })
}

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

#[track_caller]
fn first(d: &Diagnostic, code: &str, words: &str, confidence: Confidence) {
    assert_eq!(d.entry.code, code, "{d:?}");
    let cause = d.causes.first().unwrap_or_else(|| panic!("{words}: {d:?}"));
    assert!(cause.text.contains(words) && cause.confidence == confidence, "{words}: {d:?}");
}

#[track_caller]
fn lacks(d: &Diagnostic, words: &str) {
    assert!(!d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn names(d: &Diagnostic, words: &str) {
    assert!(d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[test]
fn a_server_that_agrees_on_http2_alone_speaks_nothing_else() {
    let trials = [agreed(Variation::OnlyHttp2), nothing(Variation::NoUpgrade)];
    let facts = unanswered(SECURE, StreamEnd::Fin, &trials);
    first(&verdict(&facts), "W213", "only HTTP/2", Confidence::High);
    let d = verdict(&unanswered(SECURE, StreamEnd::Fin, &trials[..1]));
    first(&d, "W213", "only HTTP/2", Confidence::Medium);
    // A request in HTTP/1.1 is answered.
    let plain = [agreed(Variation::OnlyHttp2), answered(Variation::NoUpgrade, 200, "hello")];
    assert_eq!(verdict(&unanswered(SECURE, StreamEnd::Fin, &plain)).entry.code, "W107");
    // It agreed on HTTP/1.1, so it speaks both.
    let tls = TlsAttempt { alpn: Some("http/1.1"), ..TlsAttempt::default() };
    assert_eq!(verdict(&Facts { tls, ..facts.clone() }).entry.code, "W107");
    assert_eq!(verdict(&unanswered(SECURE, StreamEnd::Fin, &trials[1..])).entry.code, "W107");
}

#[test]
fn http2_without_tls_is_shown_by_its_preface() {
    let preface = || nothing(Variation::Preface);
    // nginx with HTTP/2 answers the preface, too, before it drops what has no site. Without a plain
    // GET, the upgrade was the only request in HTTP/1.1.
    for (trials, sure) in [
        (&[preface()][..], Confidence::Low),
        (&[preface(), nothing(Variation::NoUpgrade)], Confidence::Medium),
    ] {
        let d = verdict(&unanswered(PLAIN, StreamEnd::Fin, trials));
        first(&d, "W111", "only HTTP/2", sure);
        names(&d, "drops what it refuses");
    }
    // A server that speaks both drops the upgrade.
    let both = [preface(), answered(Variation::NoUpgrade, 404, "")];
    assert_eq!(verdict(&unanswered(PLAIN, StreamEnd::Fin, &both)).entry.code, "W107");
}

#[test]
fn an_error_without_a_status_line_is_that_of_an_http_server() {
    let missing = &b"Error 404: Not Found\nNot found"[..];
    let of = |first_bytes: &[u8], trials: &[Trial]| {
        verdict(&Facts { url: Some(PLAIN), first_bytes, trials, ..Facts::new(Role::Client) })
    };
    let plain = answered(Variation::NoUpgrade, 404, "Error 404: Not Found\nNot found");
    for trials in [&[][..], std::slice::from_ref(&plain)] {
        for text in [missing, b"404 Not Found", b"<html><title>404 Not Found</title></html>"] {
            let d = of(text, trials);
            first(&d, "W348", "has no WebSocket at this path", Confidence::Medium);
            assert!(d.help.starts_with("check the path"), "{d:?}");
        }
    }
    let refused = b"HTTP Error 403 - Forbidden\r\n";
    first(&of(refused, &[]), "W348", "refuses the upgrade", Confidence::Medium);
    let served = [answered(Variation::NoUpgrade, 200, "hello")];
    for text in [
        &b"401 Unauthorized"[..],
        b"<html><title>403 Forbidden</title>",
        b"503 Service Unavailable",
    ] {
        first(&of(text, &served), "W348", "refuses the upgrade", Confidence::Medium);
    }
    let page = b"<html><title>Login</title><p>Error 404 not a problem</p>";
    first(&of(page, &[]), "W348", "refuses the upgrade", Confidence::Medium);
    // Any bytes, and a plain GET that HTTP answers.
    first(&of(b"hello there", &[plain]), "W348", "writes no head", Confidence::Medium);
    // Services with lines of their own, and one that answers no plain GET in HTTP, either.
    for text in [
        &b"502 Error 404 lines\r\n"[..],
        b"500 Unknown command\r\n",
        b"200 news.example ready (404 articles not found)\r\n",
        b"room 404: Notes of the day",
        b"what do you want?\r\n",
        b"<stream>404 Not Found",
    ] {
        let d = of(text, &[]);
        assert!(d.causes.is_empty() && d.help.starts_with("check the port"), "{text:?}: {d:?}");
    }
    let d = of(missing, &[nothing(Variation::NoUpgrade)]);
    assert!(d.causes.is_empty() && d.help.starts_with("check the port"), "{d:?}");
}

#[test]
fn an_answer_to_plain_http_shows_an_http_server_behind_tls() {
    let refuses =
        answered(Variation::OtherScheme, 400, "Client sent an HTTP request to an HTTPS server.\n");
    let trials = [refuses, nothing(Variation::NoUpgrade), nothing(Variation::OtherPath)];
    let d = verdict(&unanswered(SECURE, StreamEnd::Fin, &trials));
    first(&d, "W107", "drops each request", Confidence::Medium);
    lacks(&d, "PROXY protocol");
    lacks(&d, "target that is down");
    // Another answer, or none, shows no such server.
    let d = verdict(&unanswered(SECURE, StreamEnd::Fin, &trials[1..]));
    first(&d, "W107", "the PROXY protocol first", Confidence::Medium);
}

#[test]
fn a_drop_without_trials_has_each_possible_cause() {
    let d = verdict(&unanswered(URL, StreamEnd::Fin, &[]));
    for words in ["the PROXY protocol", "this address", "an unknown Host", "target that is down"] {
        names(&d, words);
    }
    assert!(d.causes.len() <= 3 && !d.is_supported(), "{d:?}");
    let speaks = Trial {
        variation: Variation::OtherScheme,
        what: "wss://".to_owned(),
        outcome: TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
    };
    let trials = [speaks];
    let d = verdict(&unanswered(URL, StreamEnd::Fin, &trials));
    first(&d, "W107", "an unknown Host, a wrong path, this address", Confidence::Medium);
    lacks(&d, "PROXY protocol");
}

#[test]
fn silence_at_every_request_is_not_about_the_path() {
    let speaks = Trial {
        variation: Variation::OtherScheme,
        what: "wss://".to_owned(),
        outcome: TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
    };
    let trials = [speaks, silence(Variation::NoUpgrade), silence(Variation::OtherPath)];
    for trials in [&trials[..], &trials[1..]] {
        let d = verdict(&unanswered(URL, StreamEnd::Timeout, trials));
        first(&d, "W109", "a filter drops what this address sends", Confidence::Medium);
        lacks(&d, "nothing handles upgrades");
        // wscope ended the connection.
        assert!(!d.notes.iter().any(|note| note.contains("closed")), "{d:?}");
    }
    names(&verdict(&unanswered(URL, StreamEnd::Timeout, &[])), "a filter drops the request");
    // A plain GET is answered, so no filter drops what this address sends.
    let trials = [answered(Variation::NoUpgrade, 200, "hello")];
    let d = verdict(&unanswered(URL, StreamEnd::Timeout, &trials));
    first(&d, "W109", "nothing handles upgrades at this path", Confidence::Medium);
    lacks(&d, "a filter");
}

#[test]
fn a_reset_before_the_request_is_not_about_the_request() {
    let dial = |outcome| Dial {
        address: "192.0.2.7:80".parse().expect("an address"),
        outcome,
        elapsed: Duration::ZERO,
    };
    let reset = [dial(DialOutcome::Reset)];
    let d = verdict(&Facts { url: Some(URL), dials: &reset, ..Facts::new(Role::Client) });
    first(&d, "W107", "a filter of addresses, a limit", Confidence::Low);
    for words in ["TLS", "the Origin", "the path"] {
        lacks(&d, words);
    }
    let refused = [dial(DialOutcome::Reset), dial(DialOutcome::Refused)];
    let d = verdict(&Facts { url: Some(URL), dials: &refused, ..Facts::new(Role::Client) });
    assert_eq!(d.entry.code, "W103", "{d:?}");
}

#[test]
fn an_unknown_name_comes_before_cipher_suites() {
    let tls = TlsAttempt { fault: Some(TlsFault::Alert(40)), ..TlsAttempt::default() };
    let facts = Facts { url: Some(SECURE), tls, ..Facts::new(Role::Client) };
    let d = verdict(&facts);
    first(&d, "W209", "for the name that was sent", Confidence::Low);
    assert!(d.help.starts_with("check the name of the URL"), "{d:?}");
    let d = verdict(&Facts { redirected: true, ..facts.clone() });
    first(&d, "W209", "leads the name to another address", Confidence::Medium);
    assert!(d.help.contains("`--resolve`"), "{d:?}");
    let url = Some("wss://192.0.2.7/chat");
    let d = verdict(&Facts { url, ..facts.clone() });
    first(&d, "W209", "an address was used", Confidence::Medium);
    assert!(d.help.contains("connect by a name"), "{d:?}");
    let trials = [agreed(Variation::NoName)];
    let d = verdict(&Facts { trials: &trials, ..facts.clone() });
    first(&d, "W209", "without one, TLS agrees", Confidence::High);
    lacks(&d, "cipher suites");
}

#[test]
fn no_network_is_on_the_way_to_an_address_of_this_machine() {
    let squid = "Server: squid/5.7\r\nVia: 1.1 gw (squid/5.7)\r\nX-Cache: MISS from gw\r\n";
    let dial = |address: &str| Dial {
        address: address.parse().expect("an address"),
        outcome: DialOutcome::Connected,
        elapsed: Duration::ZERO,
    };
    for (address, is_here) in [("127.0.0.1:80", true), ("[::1]:80", true), ("192.0.2.7:80", false)]
    {
        let dials = [dial(address)];
        for (status, more) in [
            ("426 Upgrade Required", ""),
            ("404 Not Found", ""),
            ("403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n"),
        ] {
            let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{squid}{more}\r\n"));
            let d = verdict(&Facts { dials: &dials, ..pair.facts() });
            let said = d.causes.iter().any(|cause| cause.text.contains("of this network"));
            assert_eq!(said, !is_here, "{address} {status}: {d:?}");
            assert!(!is_here || !d.help.contains("wss://"), "{address} {status}: {d:?}");
        }
    }
    // What a gateway says of the server behind it is true, whoever runs it.
    let error = "X-Squid-Error: ERR_READ_ERROR 0\r\n";
    let pair = Pair::new("", &format!("HTTP/1.1 502 Bad Gateway\r\n{squid}{error}\r\n"));
    assert_eq!(verdict(&pair.facts()).entry.code, "W343");
}

#[test]
fn roots_of_this_run_may_be_the_wrong_ones() {
    let of = |subject: &str, issuer: &str| CertificateFacts {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        ..CertificateFacts::default()
    };
    let (own, chain) = (of("CN=a", "CN=b"), [of("CN=b", "CN=c")]);
    let fault = Some(TlsFault::Issuer { is_own: false });
    let tls = TlsAttempt { fault, certificate: Some(&own), chain: &chain, ..TlsAttempt::default() };
    let with = |own_roots| Facts {
        url: Some(SECURE),
        tls: TlsAttempt { own_roots, ..tls },
        ..Facts::new(Role::Client)
    };
    let d = verdict(&with(true));
    first(&d, "W208", "another authority than those of the roots given", Confidence::Medium);
    lacks(&d, "a private authority");
    first(&verdict(&with(false)), "W208", "a private authority", Confidence::Low);
    let tls = TlsAttempt { chain: &[], own_roots: true, ..tls };
    let d = verdict(&Facts { url: Some(SECURE), tls, ..Facts::new(Role::Client) });
    assert_eq!(d.causes.iter().filter(|cause| cause.text.contains("intermediate")).count(), 1);
}

#[test]
fn a_proxy_whose_own_upstream_is_down_has_that_cure() {
    let answer = Head::parse(HeadKind::Response, b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
    let proxy = Some(ProxyFacts {
        address: "http://127.0.0.1:8888",
        variable: None,
        answer: Some(&answer),
        fault: None,
    });
    let with = |body| Facts { url: Some(URL), proxy, body, ..Facts::new(Role::Client) };
    let d = verdict(&with(b"Unable to connect to upstream proxy. A network error occurred."));
    names(&d, "can't reach the next proxy");
    lacks(&d, "can't reach the server");
    names(&verdict(&with(b"Unable to connect to the host.")), "can't reach the server");
}

#[test]
fn a_name_that_only_the_proxy_may_know_is_for_the_proxy_to_look_up() {
    let with = |address| Facts {
        url: Some("ws://inner.example/chat"),
        lookup: Some(LookupFault::NotFound),
        proxy: Some(ProxyFacts { address, variable: None, answer: None, fault: None }),
        ..Facts::new(Role::Client)
    };
    let d = verdict(&with("socks5://127.0.0.1:1080"));
    first(&d, "W101", "as `socks5://` asks for", Confidence::Medium);
    assert!(d.help.contains("`socks5h://`"), "{d:?}");
    for address in ["socks5h://127.0.0.1:1080", "http://127.0.0.1:3128"] {
        lacks(&verdict(&with(address)), "socks5");
    }
}

#[test]
fn a_front_that_passes_a_plain_get_alone_lacks_the_rule_for_upgrades() {
    let page = "<HTML>\n<HEAD>\n<TITLE>Not Found on Accelerator</TITLE>\n</HEAD>\n\n<BODY BGCOLOR=\"white\" FGCOLOR=\"black\">\n<H1>Not Found on Accelerator</H1>\n";
    let response =
        format!("HTTP/1.1 404 Not Found on Accelerator\r\nServer: ATS/9.2.9\r\n\r\n{page}");
    let pair = Pair::new("", &response);
    first(
        &verdict(&pair.facts()),
        "W334",
        "the server in front answered itself",
        Confidence::Medium,
    );
    let other = answered(Variation::OtherPath, 404, page);
    let trials = [answered(Variation::NoUpgrade, 400, "Can upgrade only"), other.clone()];
    let d = verdict(&Facts { trials: &trials, ..pair.facts() });
    first(&d, "W334", "has no rule for an upgrade", Confidence::Medium);
    for plain in [(404, page), (302, ""), (502, "down")] {
        let trials = [answered(Variation::NoUpgrade, plain.0, plain.1), other.clone()];
        lacks(&verdict(&Facts { trials: &trials, ..pair.facts() }), "has no rule for an upgrade");
    }
}

#[test]
fn a_broker_that_says_nothing_may_wait_for_its_subprotocol() {
    let pair = Pair::open("", "");
    let end = |millis| {
        let time = Duration::from_millis(millis);
        let none = Duration::ZERO;
        Some(End {
            how: EndKind::Closed,
            lifetime: time,
            idle: time,
            idle_data: time,
            quiet: none,
            longest_quiet: none,
            last: none,
            partial: 0,
        })
    };
    let sent = Some(message(Data::Text, b"hello"));
    let url = Some("ws://api.example/mqtt");
    let facts = |url, millis, stream| Facts { url, end: end(millis), stream, ..pair.facts() };
    let asked = StreamFacts { sent, ..StreamFacts::default() };
    let d = verdict(&facts(url, 8000, asked));
    first(&d, "W517", "speak a subprotocol of it", Confidence::Medium);
    assert_eq!(d.severity, Severity::Warning);
    // Nothing was asked.
    let d = verdict(&facts(url, 8000, StreamFacts::default()));
    assert_eq!((d.entry.code, d.severity), ("W517", Severity::Note));
    let told = |facts: &Facts<'_>| classify(facts).iter().any(|d| d.entry.code == "W517");
    assert!(!told(&facts(url, 300, asked)));
    assert!(!told(&facts(Some(URL), 8000, asked)));
    let heard = StreamFacts { messages: 1, ..asked };
    assert!(!told(&facts(url, 8000, heard)));
    let offered =
        Pair::open("Sec-WebSocket-Protocol: mqtt\r\n", "Sec-WebSocket-Protocol: mqtt\r\n");
    assert!(!told(&Facts { url, end: end(8000), stream: asked, ..offered.facts() }));
}

#[test]
fn a_broker_of_mqtt_drops_other_subprotocols() {
    let speaks = [Trial {
        variation: Variation::OtherScheme,
        what: "wss://".to_owned(),
        outcome: TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
    }];
    let with = |url, offers: &str| {
        let pair = Pair::new(offers, "");
        verdict(&Facts { request: Some(&pair.request), ..unanswered(url, StreamEnd::Fin, &speaks) })
    };
    let chat = "Sec-WebSocket-Protocol: chat\r\n";
    let d = with("ws://api.example/mqtt", chat);
    first(&d, "W107", "requires a subprotocol, as brokers of MQTT do", Confidence::Medium);
    assert!(d.help.contains("`-s mqtt`"), "{d:?}");
    lacks(&with("ws://api.example/chat", chat), "MQTT");
    lacks(&with("ws://api.example/mqtt", "Sec-WebSocket-Protocol: mqttv3.1\r\n"), "MQTT");
}

#[test]
fn a_port_that_drops_everything_is_no_listener_for_websocket() {
    const URL: &str = "ws://api.example/mqtt";
    let reset = |trials| unanswered(URL, StreamEnd::Reset, trials);
    // Without trials, each of both is possible.
    let d = verdict(&reset(&[]));
    let texts: Vec<_> = d.causes.iter().map(|cause| (&*cause.text, cause.confidence)).collect();
    let at = |words: &str| {
        let found = texts.iter().position(|(text, _)| text.contains(words));
        found.unwrap_or_else(|| panic!("{words}: {d:?}"))
    };
    assert!(at("MQTT over TCP") < at("as brokers of MQTT do"), "{d:?}");
    assert!(texts.iter().all(|(_, confidence)| *confidence == Confidence::Low), "{d:?}");
    // The subprotocol was tried, and a plain GET is dropped, too.
    let dropped = [
        Variation::OtherScheme,
        Variation::NoUpgrade,
        Variation::Subprotocol,
        Variation::OtherPath,
    ]
    .map(nothing);
    let d = verdict(&reset(&dropped));
    first(&d, "W107", "forwards to a target that is down", Confidence::Medium);
    assert!(!d.help.contains("broker"), "{d:?}");
    let own = d.causes.iter().find(|cause| cause.text.contains("MQTT over TCP"));
    assert_eq!(own.map(|cause| cause.confidence), Some(Confidence::Low), "{d:?}");
    lacks(&d, "requires a subprotocol");
    lacks(&d, "`-s mqtt`");
    // A server of HTTP, another path, and a path of another protocol.
    let trials = [nothing(Variation::Subprotocol), answered(Variation::NoUpgrade, 404, "")];
    lacks(&verdict(&reset(&trials)), "over TCP");
    lacks(&verdict(&unanswered("ws://api.example/chat", StreamEnd::Reset, &dropped)), "MQTT");
}

#[test]
fn a_doubled_slash_is_noticed() {
    let pair = Pair::new("", "HTTP/1.1 400 Bad Request\r\n\r\nBad Request");
    let at = |url| verdict(&Facts { url: Some(url), ..pair.facts() });
    let d = at("ws://api.example//chat");
    first(&d, "W323", "a doubled slash", Confidence::Medium);
    assert!(d.help.contains("single slashes"), "{d:?}");
    lacks(&at("ws://api.example/chat?next=https://a.example//b"), "a doubled slash");
}

#[test]
fn a_cache_that_fails_a_plain_get_too_needs_no_pipe() {
    let page = "<h1>Error 503 Backend fetch failed</h1>";
    let pair = Pair::new("", &format!("HTTP/1.1 503 Backend fetch failed\r\n\r\n{page}"));
    let trials = [answered(Variation::NoUpgrade, 503, page)];
    let d = verdict(&Facts { trials: &trials, ..pair.facts() });
    first(&d, "W344", "to a plain GET either", Confidence::Medium);
    assert!(!d.help.contains("pipe"), "{d:?}");
    let trials = [answered(Variation::NoUpgrade, 200, "hello")];
    for trials in [&trials[..], &[]] {
        let d = verdict(&Facts { trials, ..pair.facts() });
        first(&d, "W344", "not configured to pipe", Confidence::Medium);
    }
}

#[test]
fn a_cause_is_named_once() {
    let page = "<pre>Cannot GET /chat</pre>";
    let pair = Pair::new("", &format!("HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n{page}"));
    let d = verdict(&pair.facts());
    let lost = |cause: &&wscope::diagnostics::Supported| {
        cause.text.contains("forwards without Upgrade and Connection")
    };
    assert_eq!(d.causes.iter().filter(lost).count(), 1, "{d:?}");
}
