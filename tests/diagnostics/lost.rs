//! Where an upgrade was lost: on the way to the application, in a gateway, or in the application
//! itself.

use std::time::Duration;

use wscope::diagnostics::facts::{
    StreamEnd, StreamFacts, Trial, TrialOutcome, Unanswered, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::{Pair, SWITCH};

/// The verdict on an answer to `/nest/ws`, with these trials.
fn tried(status: &str, headers: &str, body: &str, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    let facts = Facts { trials, url: Some("ws://api.example/nest/ws"), ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

fn of(status: &str, headers: &str, body: &str) -> Diagnostic {
    tried(status, headers, body, &[])
}

fn answered(variation: Variation, code: u16, headers: &str, body: &str) -> Trial {
    let (text, body) = (format!("{code} of the trial{headers}"), body.as_bytes().to_vec());
    Trial { variation, what: String::new(), outcome: TrialOutcome::Status { code, text, body } }
}

fn plain(code: u16, body: &str) -> Trial {
    answered(Variation::NoUpgrade, code, "", body)
}

#[track_caller]
fn first(d: &Diagnostic, words: &str) -> Confidence {
    let cause = d.causes.first().unwrap_or_else(|| panic!("{words}: {d:?}"));
    assert!(cause.text.contains(words), "{words}: {d:?}");
    cause.confidence
}

#[track_caller]
fn second(d: &Diagnostic, words: &str) {
    assert!(d.causes.get(1).is_some_and(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn lacks(d: &Diagnostic, words: &str) {
    assert!(!d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn helps(d: &Diagnostic, words: &[&str]) {
    for words in words {
        assert!(d.help.contains(words), "{words}: {d:?}");
    }
}

const LOST: &str = "forwards without Upgrade and Connection";
const NGINX: &str = "Server: nginx/1.22.1\r\nX-Powered-By: Express\r\n";

#[test]
fn a_page_for_plain_requests_shows_a_lost_upgrade_before_a_changed_path() {
    let nest = "{\"message\":\"Cannot GET /ws\",\"error\":\"Not Found\",\"statusCode\":404}";
    let express = "<pre>Cannot GET /ws</pre>";
    let apache = "Server: Apache/2.4.57 (Debian)\r\nX-Powered-By: Express\r\n";
    // The changed path shows a proxy, even if no header names one.
    for headers in [NGINX, apache, "X-Powered-By: Express\r\n"] {
        for body in [nest, express] {
            for trials in [vec![], vec![plain(404, body)]] {
                let d = tried("404 Not Found", headers, body, &trials);
                assert_eq!(first(&d, LOST), Confidence::Medium, "{d:?}");
                second(&d, "rewrites the path");
                helps(&d, &["proxy_set_header Upgrade", "compare the paths"]);
            }
        }
    }
    // Proxies remove a prefix on purpose. Another change is suspect itself.
    for path in ["/other", "/nest/nest/ws"] {
        let d = of("404 Not Found", NGINX, &format!("<pre>Cannot GET {path}</pre>"));
        first(&d, "rewrites the path");
        second(&d, LOST);
        helps(&d, &["proxy_set_header Upgrade", "compare the paths"]);
    }
    // The upgrade got another answer than a plain GET, so it arrived.
    let d = tried("404 Not Found", NGINX, nest, &[plain(200, "hello")]);
    first(&d, "rewrites the path");
    lacks(&d, LOST);
    // Another path opens a WebSocket.
    let opened = Trial {
        variation: Variation::OtherPath,
        what: String::new(),
        outcome: TrialOutcome::Opened,
    };
    lacks(&tried("404 Not Found", NGINX, nest, &[plain(404, nest), opened]), LOST);
    // Upgrades get the same page of these routers.
    let fastify =
        "{\"message\":\"Route GET:/ws not found\",\"error\":\"Not Found\",\"statusCode\":404}";
    first(&of("404 Not Found", NGINX, fastify), "rewrites the path");
}

#[test]
fn a_failed_upgrade_without_a_reason_suggests_that_it_was_lost() {
    let nginx = "Server: nginx/1.22.1\r\nContent-Type: text/plain;charset=utf-8\r\n";
    for status in ["500 Internal Server Error", "400 Bad Request", "426 Upgrade Required"] {
        for body in [
            "Upgrade failed",
            "WebSocket upgrade error",
            "Could not upgrade the connection.",
            "{\"error\":\"Failed to upgrade to WebSocket\"}",
        ] {
            for trials in [vec![], vec![plain(status[..3].parse().expect("a number"), body)]] {
                let d = tried(status, nginx, body, &trials);
                assert_eq!(first(&d, LOST), Confidence::Medium, "{d:?}");
                helps(&d, &["proxy_set_header Upgrade"]);
                let own =
                    d.causes.iter().any(|c| c.text.contains("could not complete the upgrade"));
                assert!(own && !d.is_proved(), "{d:?}");
            }
        }
    }
    // Without a sign of a proxy, both are possible.
    let d = of("500 Internal Server Error", "", "Upgrade failed");
    assert!(d.entry.code == "W320" && !d.is_supported(), "{d:?}");
    // A plain GET gets another answer, so the application read the upgrade.
    let d = tried("500 Internal Server Error", nginx, "Upgrade failed", &[plain(200, "hello")]);
    first(&d, "could not complete it");
    lacks(&d, LOST);
    // These texts have a reason, or are about another upgrade.
    for body in ["Upgrade failed: room 7 is full", "schema upgrade failed", "plan upgrade required"]
    {
        let d = of("500 Internal Server Error", nginx, body);
        first(&d, "its reason is");
    }
}

#[test]
fn a_status_with_a_meaning_comes_before_words_about_an_upgrade() {
    for (status, headers, body, code) in [
        ("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", "WebSocket upgrade error", "W326"),
        ("401 Unauthorized", "", "{\"error\":\"upgrade failed\"}", "W326"),
        ("407 Proxy Authentication Required", "", "upgrade failed", "W117"),
        ("403 Forbidden", "", "Upgrade failed", "W332"),
        ("404 Not Found", "", "WebSocket upgrade error", "W334"),
        ("429 Too Many Requests", "Retry-After: 5\r\n", "Upgrade failed", "W340"),
        ("503 Service Unavailable", "Retry-After: 3\r\n", "websocket upgrade failed", "W344"),
        ("502 Bad Gateway", "Server: nginx\r\n", "upgrade failed", "W343"),
    ] {
        let d = of(status, headers, body);
        assert_eq!(d.entry.code, code, "{status}: {d:?}");
        lacks(&d, LOST);
        assert_ne!(d.title, "the server could not upgrade the request");
    }
    // A delay or a challenge comes first with any status.
    let d = of("500 Internal Server Error", "Retry-After: 3\r\n", "Upgrade failed");
    assert_ne!(d.entry.code, "W320", "{d:?}");
    for status in ["400 Bad Request", "426 Upgrade Required", "500 Oops", "501 Not Implemented"] {
        assert_eq!(of(status, "", "Upgrade failed").entry.code, "W320", "{status}");
    }
}

/// The trials at a server that answers a plain GET alike, and opens another path.
fn opens_elsewhere(status: u16, body: &str) -> [Trial; 2] {
    let (variation, what) = (Variation::OtherPath, "/zz".to_owned());
    [plain(status, body), Trial { variation, what, outcome: TrialOutcome::Opened }]
}

#[test]
fn another_path_that_opens_does_not_prove_that_this_one_is_wrong() {
    let wrong = "the path is wrong, or a proxy or the application";
    let html = "Content-Type: text/html\r\n";
    let page = "<!doctype html><html><body><div id=root></div></body></html>";
    for (status, headers, body) in [
        ("200 OK", html, page),
        ("200 OK", "Server: nginx\r\nContent-Type: text/html\r\n", page),
        ("200 OK", "Content-Type: application/json\r\n", "{\"status\":\"ok\"}"),
        ("204 No Content", "", ""),
    ] {
        let code = status[..3].parse().expect("a number");
        let d = tried(status, headers, body, &opens_elsewhere(code, body));
        assert_eq!(first(&d, wrong), Confidence::Medium, "{d:?}");
        assert!(!d.is_proved(), "{d:?}");
        lacks(&d, LOST);
        helps(&d, &["another path", "must forward Upgrade"]);
        // Without the other path, nothing shows it.
        let d = tried(status, headers, body, &opens_elsewhere(code, body)[..1]);
        lacks(&d, wrong);
        assert!(!d.is_proved(), "{d:?}");
    }
    // The server's words come first.
    for (status, body) in
        [("200 OK", "{\"message\":\"room full\"}"), ("202 Accepted", "please wait, waiting room")]
    {
        let code = status[..3].parse().expect("a number");
        let d = tried(status, "", body, &opens_elsewhere(code, body));
        assert_eq!(first(&d, "its answer may be the reason"), Confidence::Medium, "{d:?}");
        second(&d, wrong);
    }
    // No other path opens: the same words are only shown.
    lacks(&of("200 OK", "", "please wait, waiting room"), "its answer may be");
    // The same request opens now.
    let outcome = TrialOutcome::Opened;
    let now = Trial { variation: Variation::Unchanged, what: String::new(), outcome };
    let d = tried("200 OK", html, page, &[now]);
    first(&d, "as while it starts");
    lacks(&d, "the path is wrong");
}

#[test]
fn another_path_without_an_answer_shows_no_difference() {
    for (status, wrong) in [
        ("404 Not Found", "saw no upgrade"),
        ("404 Not Found", "the path exists"),
        ("400 Bad Request", "that this path needs"),
        ("403 Forbidden", "the server knows this path"),
        ("401 Unauthorized", "the server knows this path"),
    ] {
        let code = status[..3].parse().expect("a number");
        let of_other = |outcome| {
            let trial = Trial { variation: Variation::OtherPath, what: "/zz".to_owned(), outcome };
            tried(status, "", "no", &[plain(code, "no"), trial])
        };
        lacks(&of_other(TrialOutcome::Nothing("connection reset".to_owned())), wrong);
        lacks(&of_other(TrialOutcome::Silence("no answer in 1 s".to_owned())), wrong);
    }
    // An answer does.
    let other = answered(Variation::OtherPath, 404, "", "other");
    let d = tried("403 Forbidden", "", "no", &[plain(403, "no"), other]);
    first(&d, "the server knows this path");
}

#[test]
fn a_gateway_may_itself_fail_to_carry_an_upgrade() {
    let gateway = "can't carry an upgrade";
    let headers = "X-Gateway: api-gw\r\nContent-Length: 0\r\n";
    for status in ["502 Bad Gateway"] {
        let d = of(status, headers, "");
        assert!(d.causes.iter().any(|cause| cause.text.contains(gateway)), "{d:?}");
        assert!(!d.is_supported(), "{d:?}");
        // These answers to a plain GET are those of a handler of WebSockets.
        for trial in [
            answered(Variation::NoUpgrade, 400, ", Sec-WebSocket-Version: 13", "Bad Request\n"),
            answered(Variation::NoUpgrade, 426, "", ""),
            answered(Variation::NoUpgrade, 400, "", "Can \"Upgrade\" only to \"WebSocket\"."),
        ] {
            let d = tried(status, headers, "", &[trial]);
            assert_eq!(first(&d, gateway), Confidence::Medium, "{d:?}");
            helps(&d, &["gateway's log"]);
        }
        // Another answer leaves both open.
        for (code, body) in [(200, "hello"), (404, "not found"), (400, "no token")] {
            let d = tried(status, headers, "", &[plain(code, body)]);
            first(&d, "dropped the upgrade, or the gateway itself");
            helps(&d, &["gateway's log", "the path"]);
        }
        // nginx carries upgrades.
        let d = tried(status, "Server: nginx/1.24.0\r\n", "", &[plain(426, "")]);
        first(&d, "dropped the upgrade, or the gateway itself");
        lacks(&tried(status, headers, "", &[plain(502, "")]), "the gateway itself");
    }
}

#[test]
fn a_second_head_behind_a_101_shows_two_programs() {
    let twice = "wrote this 101 by itself";
    let pair = Pair::new("", "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive\r\n\r\n");
    let of = |first| {
        let stream = StreamFacts { first, ..StreamFacts::default() };
        classify(&Facts { stream, ..pair.facts() })
    };
    let inner = format!("{SWITCH}\r\n");
    for behind in [inner.as_bytes(), b"HTTP/1.1 101 Switching Protocols\r\n"] {
        for d in of(behind) {
            assert_eq!(first(&d, twice), Confidence::High, "{d:?}");
            lacks(&d, "proxy");
            helps(&d, &["an adapter"]);
        }
    }
    let behind =
        [&b""[..], b"\x81\x02hi", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"Upgrade: x\r\n\r\n"];
    for behind in behind {
        of(behind).iter().for_each(|d| lacks(d, twice));
    }
}

#[test]
fn engine_io_may_belong_to_a_server_in_front() {
    let unanswered =
        Unanswered { how: StreamEnd::Fin, after: Duration::from_millis(1003), received: 0 };
    let of = |trials: &[Trial]| {
        let pair = Pair::new("", "HTTP/1.1 200 OK\r\n\r\n");
        let facts = Facts {
            response: None,
            report: None,
            unanswered: Some(unanswered),
            trials,
            ..pair.facts()
        };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        assert_eq!(d.entry.code, "W108", "{d:?}");
        d
    };
    let front = "does not forward upgrades";
    // Node.js answers a plain GET. A listener that drops this, too, is another one.
    let dropped = TrialOutcome::Nothing("the connection was closed".to_owned());
    let silent = TrialOutcome::Silence("timed out after 3 s".to_owned());
    for outcome in [dropped, silent] {
        let (variation, what) = (Variation::NoUpgrade, String::new());
        let trials = [Trial { variation, what, outcome }];
        let pair = Pair::new("", "HTTP/1.1 200 OK\r\n\r\n");
        let (response, report, unanswered) = (None, None, Some(unanswered));
        let d = classify(&Facts { response, report, unanswered, trials: &trials, ..pair.facts() });
        let d = d.into_iter().next().expect("a verdict");
        assert_eq!(d.entry.code, "W107", "{d:?}");
        lacks(&d, "Engine.IO");
        assert!(d.causes.iter().any(|c| c.text.contains("HTTP/2")), "{d:?}");
    }
    let d = of(&[]);
    assert!(!d.is_supported() && d.causes.iter().any(|c| c.text.contains(front)), "{d:?}");
    helps(&d, &["/socket.io/", "ws: true"]);
    // The path exists over HTTP, so it is not that of Socket.IO.
    let d = of(&[plain(200, "<h1>home</h1>")]);
    assert_eq!(first(&d, front), Confidence::Medium, "{d:?}");
    helps(&d, &["ws: true"]);
    let d = of(&[plain(404, "")]);
    first(&d, "the path is wrong");
    helps(&d, &["/socket.io/"]);
}

#[test]
fn an_upgrade_with_a_subprotocol_may_be_dropped_for_it() {
    let unanswered = Unanswered { how: StreamEnd::Fin, after: Duration::ZERO, received: 0 };
    let of = |more: &str, trials: &[Trial]| {
        let pair = Pair::new(more, "HTTP/1.1 200 OK\r\n\r\n");
        let facts = Facts {
            response: None,
            report: None,
            unanswered: Some(unanswered),
            trials,
            ..pair.facts()
        };
        classify(&facts).into_iter().next().expect("a verdict")
    };
    let of_subprotocol = "refuses the subprotocol offered";
    let failed = |variation| Trial {
        variation,
        what: String::new(),
        outcome: TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
    };
    let speaks = failed(Variation::OtherScheme);
    let offer = "Sec-WebSocket-Protocol: graphql-ws\r\n";
    let d = of(offer, std::slice::from_ref(&speaks));
    assert_eq!(first(&d, of_subprotocol), Confidence::Medium, "{d:?}");
    helps(&d, &["without `-s`", "the path"]);
    // None was offered, or its absence made no difference.
    lacks(&of("", std::slice::from_ref(&speaks)), of_subprotocol);
    lacks(&of(offer, &[speaks, failed(Variation::NoSubprotocol)]), of_subprotocol);
}

#[test]
fn a_server_that_refuses_connections_since_our_request_has_ended() {
    let refused = Trial {
        variation: Variation::NoUpgrade,
        what: String::new(),
        outcome: TrialOutcome::Unreached("cannot connect: connection refused".to_owned()),
    };
    let d = tried("500 Internal Server Error", "Connection: close\r\n", "", &[refused]);
    assert_eq!(first(&d, "seems to have ended at this request"), Confidence::Medium, "{d:?}");
    lacks(&d, "a proxy in front");
    helps(&d, &["-s NAME"]);
    let d = of("500 Internal Server Error", "Connection: close\r\n", "");
    lacks(&d, "seems to have ended");
}

#[test]
fn a_403_is_that_of_an_asgi_server_only_if_nothing_names_another() {
    let asgi = "ASGI";
    for headers in ["", "Server: uvicorn\r\n", "Server: daphne\r\n", "Server: nginx\r\n"] {
        let d = of("403 Forbidden", headers, "");
        assert!(d.causes.iter().any(|cause| cause.text.contains(asgi)), "{d:?}");
    }
    for (headers, body) in [
        ("Server: Kestrel\r\n", ""),
        ("X-Powered-By: Express\r\n", ""),
        ("Server: Jetty(9.4)\r\n", ""),
    ] {
        lacks(&of("403 Forbidden", headers, body), asgi);
    }
    // The unknown path gets no answer, so this one is known.
    let silent = Trial {
        variation: Variation::OtherPath,
        what: String::new(),
        outcome: TrialOutcome::Silence("timed out".to_owned()),
    };
    lacks(&tried("403 Forbidden", "", "", &[silent]), asgi);
}

#[test]
fn a_path_and_a_lost_upgrade_are_both_in_the_help_if_both_are_suspected() {
    let nginx = "Server: nginx/1.24.0\r\n";
    // Any router may write this.
    let d = of("404 Not Found", nginx, "Not Found");
    first(&d, "a wrong path");
    second(&d, LOST);
    helps(&d, &["check the path", "proxy_set_header Upgrade"]);
    let d = of("400 Bad Request", nginx, "");
    first(&d, LOST);
    helps(&d, &["the path", "proxy_set_header Upgrade"]);
    let told = "{\"path\":\"$\",\"error\":\"resource does not exist\",\"code\":\"not-found\"}";
    let d = of("404 Not Found", nginx, told);
    first(&d, "has no route for this path");
    helps(&d, &["check the path", "proxy_set_header Upgrade"]);
    let d = of("405 Method Not Allowed", "Server: WebSockify Python/3.11\r\n", "");
    assert!(d.causes.iter().any(|c| c.text.contains("lost on the way")), "{d:?}");
    // The upgrade arrived.
    let d = tried("404 Not Found", nginx, "Not Found", &[plain(200, "hello")]);
    lacks(&d, LOST);
    assert!(!d.help.contains("Upgrade"), "{d:?}");
}

#[test]
fn the_stock_page_of_a_web_server_gives_no_reason() {
    let html = "Server: Microsoft-IIS/10.0\r\nContent-Type: text/html\r\n";
    for (status, sentence) in [
        (
            "500 Internal Server Error",
            "There is a problem with the resource you are looking for, and it cannot be displayed.",
        ),
        (
            "404 Not Found",
            "The resource you are looking for has been removed, had its name changed, or is temporarily unavailable.",
        ),
    ] {
        let page =
            format!("<html><title>{status}</title><h2>{status}</h2><h3>{sentence}</h3></html>");
        lacks(&of(status, html, &page), "its reason is");
    }
}

#[test]
fn a_head_that_ends_with_a_line_lacks_its_empty_line_first() {
    let unanswered =
        Unanswered { how: StreamEnd::Timeout, after: Duration::from_secs(8), received: 127 };
    for (ends_line, words) in [(true, "without the empty line"), (false, "fails or hangs")] {
        let facts = Facts {
            unanswered: Some(unanswered),
            ends_line,
            ..Facts::new(wscope::wire::Role::Client)
        };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        assert!(d.entry.code == "W109" && d.causes.len() == 2, "{d:?}");
        first(&d, words);
        helps(&d, &["empty line"]);
    }
}

#[test]
fn a_port_that_is_silent_to_tls_too_is_not_suspected_for_its_path() {
    let pair = Pair::new("", "HTTP/1.1 200 OK\r\n\r\n");
    let of = |trials: &[Trial]| {
        let after = Duration::from_secs(10);
        let unanswered = Some(Unanswered { how: StreamEnd::Timeout, after, received: 0 });
        let facts = Facts { response: None, report: None, unanswered, trials, ..pair.facts() };
        classify(&facts).into_iter().next().expect("a verdict")
    };
    let scheme =
        |outcome| Trial { variation: Variation::OtherScheme, what: "wss://".to_owned(), outcome };
    let silent = scheme(TrialOutcome::Silence("timed out".to_owned()));
    let neither = "neither a request nor TLS";
    let d = of(std::slice::from_ref(&silent));
    assert_eq!(first(&d, neither), Confidence::Medium, "{d:?}");
    assert!(!d.help.contains("path"), "{d:?}");
    // A plain GET is answered, or an HTTP server answers TLS.
    lacks(&of(&[silent.clone(), plain(200, "hello")]), neither);
    let spoken = scheme(TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()));
    lacks(&of(&[spoken]), neither);
    lacks(&of(&[]), neither);
    // TLS was answered, and its port waits for TLS.
    let after = Duration::from_secs(10);
    let facts = Facts {
        url: Some("wss://api.example/chat"),
        response: None,
        report: None,
        unanswered: Some(Unanswered { how: StreamEnd::Timeout, after, received: 0 }),
        trials: &[silent],
        ..pair.facts()
    };
    lacks(&classify(&facts).into_iter().next().expect("a verdict"), neither);
}

#[test]
fn a_page_for_any_path_suggests_the_path_before_a_lost_upgrade() {
    let page = "<html><title>Not Found</title><div>404</div><div>Not Found</div></html>";
    let nginx = "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n";
    let known = answered(Variation::NoUpgrade, 404, ", Server: nginx/1.22.1", page);
    let other = |code| answered(Variation::OtherPath, code, ", Server: nginx/1.22.1", page);
    for trials in [&[][..], &[known.clone(), other(404)]] {
        let d = tried("404 Not Found", nginx, page, trials);
        assert_eq!(first(&d, "a wrong path"), Confidence::Medium, "{d:?}");
        assert!(d.causes[0].text.contains("a rule of the proxy"), "{d:?}");
        second(&d, LOST);
        helps(&d, &["proxy_set_header Upgrade"]);
    }
    // Only the plain GET was compared, or another path is answered otherwise.
    first(&tried("404 Not Found", nginx, page, std::slice::from_ref(&known)), LOST);
    let d = tried("404 Not Found", nginx, page, &[known, other(403)]);
    first(&d, LOST);
}
