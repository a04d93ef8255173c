//! A trial rules out a cause only if its result would be impossible with that cause.

use std::time::Duration;

use wscope::diagnostics::facts::{
    ProxyFacts, ProxyFault, StreamEnd, Trial, TrialOutcome, Unanswered, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};
use wscope::wire::Role;
use wscope::wire::head::{Head, HeadKind};

use crate::support::Pair;

const URL: &str = "ws://api.example/chat";

fn trial(variation: Variation, code: u16, body: &str) -> Trial {
    let (text, body) = (format!("{code} of the trial"), body.as_bytes().to_vec());
    Trial { variation, what: String::new(), outcome: TrialOutcome::Status { code, text, body } }
}

fn plain(code: u16, body: &str) -> Trial {
    trial(Variation::NoUpgrade, code, body)
}

fn other(code: u16, body: &str) -> Trial {
    trial(Variation::OtherPath, code, body)
}

fn with(variation: Variation, outcome: TrialOutcome) -> Trial {
    Trial { variation, what: String::new(), outcome }
}

fn silent(variation: Variation) -> Trial {
    with(variation, TrialOutcome::Silence("timed out after 3 s".to_owned()))
}

fn dropped(variation: Variation) -> Trial {
    with(variation, TrialOutcome::Nothing("the server closed the connection".to_owned()))
}

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

/// The verdict on an answer with these trials.
fn of(status: &str, headers: &str, body: &str, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    verdict(&Facts { trials, url: Some(URL), ..pair.facts() })
}

/// The verdict on a request without an answer that ended so after so many milliseconds.
fn unanswered(how: StreamEnd, after: u64, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new("", "");
    let after = Duration::from_millis(after);
    verdict(&Facts {
        trials,
        url: Some(URL),
        response: None,
        report: None,
        unanswered: Some(Unanswered { how, after, received: 0 }),
        ..pair.facts()
    })
}

#[track_caller]
fn has(d: &Diagnostic, words: &str) -> Confidence {
    let found = d.causes.iter().find(|cause| cause.text.contains(words));
    found.unwrap_or_else(|| panic!("{words}: {d:?}")).confidence
}

#[track_caller]
fn first(d: &Diagnostic, words: &str) {
    assert!(d.causes.first().is_some_and(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn lacks(d: &Diagnostic, words: &str) {
    assert!(!d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[test]
fn the_same_502_to_a_plain_get_leaves_an_application_that_hangs_up() {
    let nginx = "Server: nginx\r\n";
    let d = of("502 Bad Gateway", nginx, "", &[plain(502, "")]);
    first(&d, "the application is down");
    has(&d, "the proxy does not forward Upgrade");
    has(&d, "does not trust the application's certificate");
    // A plain GET that passes shows that the application runs, and that the way to it works.
    let d = of("502 Bad Gateway", nginx, "", &[plain(404, "none")]);
    first(&d, "the upstream dropped the upgrade");
    first(&d, "a handler behind it failed");
    lacks(&d, "the application is down");
    lacks(&d, "does not forward Upgrade");
    lacks(&d, "certificate");
    // A handler of WebSockets behind the gateway may have failed, too.
    let d = of("502 Bad Gateway", "", "Bad Gateway", &[plain(426, "Upgrade Required")]);
    first(&d, "the gateway itself can't carry an upgrade");
    assert_eq!(has(&d, "its handler failed on it"), Confidence::Medium);
    assert!(d.suspects().contains("its handler failed on it"), "{d:?}");
    // The library of the handler wrote the refusal, so the upgrade reached it.
    let ws = "Connection: close\r\nContent-Type: text/html\r\nContent-Length: 11\r\n";
    let d = of("502 Bad Gateway", ws, "Bad Gateway", &[plain(426, "Upgrade Required")]);
    first(&d, "its handler failed on it");
    has(&d, "the gateway itself can't carry an upgrade");
    assert!(!d.is_proved(), "{d:?}");
}

#[test]
fn a_404_at_an_unknown_path_leaves_a_server_without_websocket() {
    // Each page has an id of its own, so that two answers are never equal.
    let page = |id: &str| format!("<!-- {id} --><html><title>Page Not Found</title></html>");
    let trials = [plain(404, &page("b")), other(404, &page("c"))];
    let d = of("404 Not Found", "", &page("a"), &trials);
    first(&d, "a program without WebSocket");
    first(&d, "a wrong path");
    // An upgrade that gets another answer than a plain GET has arrived.
    for trials in [[plain(426, ""), other(404, "")], [plain(200, "x"), other(404, "")]] {
        let d = of("404 Not Found", "", "", &trials);
        first(&d, "a wrong path");
        lacks(&d, "a program without WebSocket");
        lacks(&d, "were lost");
    }
}

#[test]
fn another_server_at_another_path_leaves_a_host_that_is_not_forwarded() {
    let (go, nginx) = ("404 page not found\n", "<hr><center>nginx/1.22.1</center>");
    let headers = "Server: nginx/1.22.1\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";
    let d = of("404 Not Found", headers, go, &[plain(404, go), other(404, nginx)]);
    first(&d, "sends another Host");
    assert!(d.help.contains("proxy_set_header Host"), "{d:?}");
    // A single router without a proxy knows the Host of the URL.
    let d = of("404 Not Found", "", go, &[plain(404, go), other(404, go)]);
    lacks(&d, "sends another Host");
    // A path that alone is unknown may be that of a server behind a proxy.
    let d = of("404 Not Found", "", "", &[plain(404, "x"), other(200, "home")]);
    has(&d, "a proxy passes it to a server that does not know it");
}

#[test]
fn a_500_at_one_path_leaves_a_gateway_that_loses_its_upstream() {
    let text = "Internal Server Error";
    let d = of("500 Internal Server Error", "", text, &[plain(500, text), other(404, "")]);
    has(&d, "can't reach the application, as over TLS");
    // A plain GET that passes reaches the application.
    let d = of("500 Internal Server Error", "", text, &[plain(426, ""), other(404, "")]);
    lacks(&d, "can't reach the application");
    // An application without a handler of plain requests fails alike at every path.
    let nginx = "Server: nginx\r\n";
    let d = of("500 Internal Server Error", nginx, text, &[plain(500, text), other(500, text)]);
    has(&d, "a proxy forwards without Upgrade");
    let d = of("500 Internal Server Error", nginx, text, &[plain(200, ""), other(500, text)]);
    lacks(&d, "a proxy forwards without Upgrade");
}

#[test]
fn an_unknown_path_with_the_same_400_leaves_a_wrong_path() {
    let d = of("400 Bad Request", "Server: x\r\n", "", &[plain(400, ""), other(400, "")]);
    has(&d, "does not serve this path");
    let d = of("400 Bad Request", "Server: x\r\n", "", &[plain(400, ""), other(404, "")]);
    lacks(&d, "does not serve this path");
}

#[test]
fn a_framework_that_can_upgrade_may_have_lost_the_upgrade_behind_a_proxy() {
    let next = "X-Powered-By: Next.js\r\n";
    let page = "<h1>404</h1>";
    let d = of("404 Not Found", &format!("Server: nginx/1.22.1\r\n{next}"), page, &[]);
    assert!(d.suspects().contains("forwards without Upgrade and Connection"), "{d:?}");
    assert!(d.suspects().contains("a wrong path"), "{d:?}");
    // Without a proxy, nothing can lose it; the runtime of PHP ends before it could upgrade.
    first(&of("404 Not Found", next, page, &[]), "has no WebSocket support");
    let php = "Server: nginx/1.22.1\r\nX-Powered-By: PHP/8.2.5\r\n";
    first(&of("404 Not Found", php, page, &[]), "has no WebSocket support");
}

#[test]
fn the_marked_reason_of_a_page_is_its_reason() {
    let page = |reason: &str| {
        format!(
            "<html><head>\n<title>500 Proxy Error</title>\n</head><body>\n<h1>Proxy Error</h1>\n\
             The proxy server could not handle the request<p>Reason: <strong>{reason}</strong></p><p />\n</body></html>"
        )
    };
    let html = "Server: Apache/2.4.71\r\nContent-Type: text/html\r\n";
    let tls = page("Error during SSL Handshake with remote server");
    let d = of("500 Proxy Error", html, &tls, &[]);
    assert_eq!(d.entry.code, "W343");
    first(&d, "the proxy's TLS to its upstream failed");
    assert!(d.help.contains("certificate"), "{d:?}");
    lacks(&of("500 Proxy Error", html, &tls, &[plain(500, &tls)]), "the application is down");
    let d = of("500 Proxy Error", html, &page("The quota file can't be read"), &[]);
    first(&d, "The quota file can't be read");
    lacks(&d, "could not handle the request");
    // Without a mark, and on the page of another program.
    let other = "<title>Error</title><h1>Error</h1><p>Reason: the seat map can't be loaded</p>";
    let d = of("500 Internal Server Error", "Content-Type: text/html\r\n", other, &[]);
    assert_eq!(d.entry.code, "W341");
    first(&d, "the seat map can't be loaded");
    let vague = "<title>Error</title><h1>Error</h1><p>Reason: unknown error</p>";
    lacks(&of("500 Internal Server Error", "Content-Type: text/html\r\n", vague, &[]), "reason is");
}

#[test]
fn an_upgrade_that_nothing_takes_is_a_wrong_path_before_a_slow_handler() {
    let http = with(
        Variation::OtherScheme,
        TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
    );
    let nothing = "nothing handles upgrades at this path";
    let slow = "did not answer the upgrade in time";
    let d = unanswered(StreamEnd::Fin, 5000, std::slice::from_ref(&http));
    assert!(d.suspects().contains(nothing) && d.suspects().contains(slow), "{d:?}");
    let trials = [http, plain(404, ""), silent(Variation::OtherPath)];
    let d = unanswered(StreamEnd::Fin, 5000, &trials);
    first(&d, nothing);
    has(&d, slow);
    // Another path is answered, so this one has a handler of its own.
    let d = unanswered(StreamEnd::Fin, 5000, &[plain(404, ""), other(400, "")]);
    lacks(&d, nothing);
    // The server hung up at once: it refused.
    lacks(&unanswered(StreamEnd::Fin, 2, &[plain(404, "")]), nothing);
    // What forwards the port may have given up, and nothing shows a server of HTTP.
    lacks(&unanswered(StreamEnd::Fin, 5000, &[]), nothing);
}

#[test]
fn a_path_without_its_query_that_opens_shows_the_query() {
    let opened = with(Variation::NoQuery, TrialOutcome::Opened);
    let hangs = silent(Variation::NoUpgrade);
    let d = unanswered(StreamEnd::Timeout, 10_000, &[hangs.clone(), opened.clone()]);
    assert_eq!(d.entry.code, "W109");
    first(&d, "without the query a WebSocket opens");
    lacks(&d, "no request gets an answer");
    lacks(&d, "not HTTP");
    first(
        &unanswered(StreamEnd::Fin, 2, &[dropped(Variation::NoUpgrade), opened]),
        "without the query a WebSocket opens",
    );
    // A path that nothing handles may be silent for every request.
    let d = unanswered(StreamEnd::Timeout, 10_000, &[hangs, silent(Variation::NoQuery)]);
    first(&d, "no request gets an answer");
    has(&d, "nothing handles upgrades at this path");
    lacks(&d, "without the query");
    let all = [silent(Variation::NoUpgrade), silent(Variation::OtherPath)];
    let d = unanswered(StreamEnd::Timeout, 10_000, &all);
    first(&d, "no request gets an answer");
    has(&d, "the path is wrong");
}

/// The verdict on this answer of a proxy of HTTP.
fn of_proxy(answer: &str) -> Diagnostic {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = Head::parse(HeadKind::Response, format!("{head}\r\n\r\n").as_bytes());
    let proxy = ProxyFacts {
        address: "http://127.0.0.1:9050",
        variable: None,
        answer: Some(&head),
        fault: None,
    };
    let (proxy, body) = (Some(proxy), body.as_bytes());
    verdict(&Facts { url: Some(URL), proxy, body, ..Facts::new(Role::Client) })
}

#[test]
fn a_proxy_that_names_socks_wants_its_scheme() {
    for answer in [
        "HTTP/1.0 501 Tor is not an HTTP Proxy\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\nThis is a SOCKS5 proxy port",
    ] {
        let d = of_proxy(answer);
        first(&d, "as of SOCKS");
        assert!(d.help.contains("--proxy socks5h://127.0.0.1:9050"), "{d:?}");
        lacks(&d, "rules forbid");
    }
    for answer in [
        "HTTP/1.1 501 Not Implemented\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\nThis HTTP proxy allows port 443 only",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
    ] {
        lacks(&of_proxy(answer), "SOCKS");
    }
}

#[test]
fn a_tunnel_that_closes_at_once_may_lead_nowhere() {
    let pair = Pair::new("", "");
    let of = |proxy: bool, trials: &[Trial]| {
        let address = "socks5h://127.0.0.1:1080";
        let tunnel = ProxyFacts { address, variable: None, answer: None, fault: None };
        let after = Duration::from_millis(1);
        verdict(&Facts {
            trials,
            url: Some(URL),
            proxy: proxy.then_some(tunnel),
            response: None,
            report: None,
            unanswered: Some(Unanswered { how: StreamEnd::Fin, after, received: 0 }),
            ..pair.facts()
        })
    };
    let all = [dropped(Variation::NoUpgrade), dropped(Variation::OtherPath)];
    for trials in [&[][..], &all] {
        let d = of(true, trials);
        assert_eq!(d.entry.code, "W107");
        first(&d, "the proxy could not reach the server");
        let fact = d.causes[0].because.as_deref().unwrap_or_default();
        assert!(fact.contains("socks5h://127.0.0.1:1080"), "{d:?}");
        lacks(&of(false, trials), "the proxy could not reach");
    }
    // A server that answers another request was reached.
    lacks(&of(true, &[plain(404, "")]), "the proxy could not reach");
}

#[test]
fn a_server_on_this_machine_needs_no_proxy_of_the_environment() {
    let answer = Head::parse(
        HeadKind::Response,
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
    );
    let of = |url, variable, fault: Option<ProxyFault>| {
        let address = "http://10.0.0.9:3128";
        let answer = fault.is_none().then_some(&answer);
        let proxy = Some(ProxyFacts { address, variable, answer, fault });
        verdict(&Facts { url: Some(url), proxy, ..Facts::new(Role::Client) })
    };
    let here = "needs none";
    for url in ["ws://127.0.0.1:8080/ws", "ws://localhost/ws", "ws://[::1]:9/ws"] {
        for fault in [None, Some(ProxyFault::Away), Some(ProxyFault::Silent)] {
            let d = of(url, Some("http_proxy"), fault);
            first(&d, here);
            assert!(d.help.contains("`--noproxy ") && d.help.contains("no_proxy"), "{d:?}");
        }
        // An option asks for the proxy.
        lacks(&of(url, None, None), here);
    }
    for url in ["ws://api.example/ws", "ws://192.168.1.9/ws"] {
        lacks(&of(url, Some("http_proxy"), None), here);
    }
}
