//! Facts that look like a proof, but are none. Each answer here has a legal other explanation, so
//! no suggested cause is sure.

use std::time::Duration;

use wscope::diagnostics::facts::{CrossedMessage, StreamFacts, Trial, TrialOutcome, Variation};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::{Pair, stream_of};

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

/// The verdict on an answer to a request without TLS.
fn of(status: &str, headers: &str, body: &str) -> Diagnostic {
    over("ws://api.example/chat", status, headers, body)
}

fn over(url: &str, status: &str, headers: &str, body: &str) -> Diagnostic {
    let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    verdict(&Facts { url: Some(url), ..pair.facts() })
}

/// The confidence of the cause that contains these words.
fn sure(d: &Diagnostic, words: &str) -> Option<Confidence> {
    d.causes.iter().find(|cause| cause.text.contains(words)).map(|cause| cause.confidence)
}

const CLOUDFLARE: &str = "Server: cloudflare\r\n";
const FIREWALL: &str = "a rule of Cloudflare's firewall";

#[test]
fn only_cloudflare_itself_says_with_a_number_that_its_firewall_refused() {
    for number in [1006, 1007, 1008, 1009, 1010, 1011, 1012, 1020] {
        let d = of("403 Forbidden", CLOUDFLARE, &format!("error code: {number}\n"));
        assert_eq!((d.entry.code, sure(&d, FIREWALL)), ("W332", Some(Confidence::High)), "{d:?}");
    }
    for (status, headers, number) in [
        ("403 Forbidden", CLOUDFLARE, "1000"),
        ("403 Forbidden", CLOUDFLARE, "1003"),
        ("403 Forbidden", CLOUDFLARE, "10200"),
        ("403 Forbidden", CLOUDFLARE, "10"),
        ("403 Forbidden", "Server: nginx\r\n", "1020"),
        ("403 Forbidden", "", "1020"),
        ("429 Too Many Requests", CLOUDFLARE, "1015"),
        ("500 Internal Server Error", "", "1020"),
        ("530 ", CLOUDFLARE, "1033"),
        ("530 ", CLOUDFLARE, "1016"),
        ("404 Not Found", CLOUDFLARE, "1020"),
    ] {
        let d = of(status, headers, &format!("error code: {number}"));
        assert_eq!(sure(&d, FIREWALL), None, "{status} {headers} {number}: {d:?}");
    }
    assert_eq!(of("429 Too Many Requests", CLOUDFLARE, "error code: 1015").entry.code, "W340");
}

#[test]
fn a_page_of_cloudflare_marks_its_number() {
    let page = "<!DOCTYPE html><title>Access denied</title><span class=\"cf-error-type\">Error</span>\
                <span class=\"cf-error-code\">1020</span>";
    let d = of("403 Forbidden", CLOUDFLARE, page);
    assert_eq!((d.entry.code, sure(&d, FIREWALL)), ("W332", Some(Confidence::High)), "{d:?}");
    let d = of("403 Forbidden", "Server: nginx\r\n", page);
    assert_eq!(sure(&d, FIREWALL), None, "{d:?}");
}

#[test]
fn wsgiref_and_a_retained_upgrade_are_suspected_only() {
    let d = of("404 Not Found", "Server: WSGIServer/0.2 CPython/3.11\r\n", "");
    assert_eq!((d.entry.code, sure(&d, "wsgiref")), ("W335", Some(Confidence::Medium)), "{d:?}");
    // An application without WebSocket support gives the same answer, even if the proxy is right.
    let pair = Pair::new(
        "",
        "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nExpected WebSocket request.",
    );
    let text = "400 Bad Request, Server: nginx".to_owned();
    let body = b"Expected WebSocket request.".to_vec();
    let outcome = TrialOutcome::Status { code: 400, text, body };
    let trials = [Trial { variation: Variation::NoUpgrade, what: String::new(), outcome }];
    let d = verdict(&Facts { trials: &trials, ..pair.facts() });
    assert_eq!((d.entry.code, d.is_proved()), ("W320", false), "{d:?}");
}

#[test]
fn a_token_elsewhere_does_not_answer_a_challenge() {
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let d = over("ws://api.example/chat?token=abc", "401 Unauthorized", challenge, "");
    assert_eq!(sure(&d, "no credentials were sent"), Some(Confidence::High), "{d:?}");
    let d = over("ws://api.example/chat?token=abc", "401 Unauthorized", "", "");
    assert_eq!(sure(&d, "no credentials were sent"), None, "{d:?}");
    assert_eq!(sure(&d, "the credentials sent are wrong"), Some(Confidence::Medium), "{d:?}");
}

#[test]
fn a_530_is_what_its_page_says() {
    let d = of("530 ", CLOUDFLARE, "error code: 1033");
    assert_eq!(sure(&d, "tunnel"), Some(Confidence::High), "{d:?}");
    let d = of("530 ", CLOUDFLARE, "error code: 1016");
    assert_eq!(sure(&d, "name can't be resolved"), Some(Confidence::High), "{d:?}");
    let d = of("530 ", CLOUDFLARE, "");
    assert_eq!(d.entry.code, "W347");
    assert!(!d.is_proved(), "{d:?}");
    // A server behind Cloudflare may send such a number itself.
    let d = of("521 ", CLOUDFLARE, "{\"error\":\"device is off\"}");
    assert!(!d.is_proved(), "{d:?}");
    assert!(of("521 ", CLOUDFLARE, "error code: 521").is_proved());
}

const INVISIBLE: &str = "transparent";

#[test]
fn nothing_on_the_way_is_accused_of_what_crossed_tls() {
    for (status, headers, body) in [
        ("400 Bad Request", "X-Squid-Error: ERR_INVALID_REQ 0\r\n", ""),
        ("511 Network Authentication Required", "", ""),
        ("403 Forbidden", "", "<html><h1>Web Page Blocked!</h1></html>"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate: Basic\r\n", ""),
        ("404 Not Found", "Via: 1.1 gw (squid/4.10)\r\n", ""),
        ("426 Upgrade Required", "X-Cache: MISS from squid\r\n", "Upgrade Required"),
    ] {
        let d = over("wss://api.example/chat", status, headers, body);
        assert_ne!(d.entry.code, "W117", "{status}");
        let wording = |cause: &&wscope::diagnostics::Supported| cause.confidence != Confidence::Low;
        let named = d.causes.iter().filter(wording).any(|cause| cause.text.contains(INVISIBLE));
        assert!(!named && !d.help.contains("use `wss://`"), "{status}: {d:?}");
    }
}

#[test]
fn a_server_may_have_a_proxy_and_words_of_its_own() {
    // A server may send such headers and words, too. Then its own answer explains more.
    for (status, headers, body, code) in [
        ("404 Not Found", "Proxy-Connection: keep-alive\r\n", "{\"error\":\"nope\"}", "W334"),
        ("401 Unauthorized", "Proxy-Authenticate: Basic\r\n", "", "W326"),
        ("404 Not Found", "", "{\"error\":\"no captive portal of that name\"}", "W334"),
        ("403 Forbidden", "", "{\"error\":\"url filtering is not enabled\"}", "W332"),
        ("403 Forbidden", "", "{\"error\":\"zscaler integration is off\"}", "W332"),
        ("426 Upgrade Required", "Server: squid/5.7\r\n", "Upgrade Required", "W320"),
        ("404 Not Found", "Via: 1.1 gw (squid/4.10)\r\n", "", "W334"),
        ("401 Unauthorized", "Server: squid\r\n", "<p>missing token</p>", "W326"),
    ] {
        let d = of(status, headers, body);
        assert_eq!(d.entry.code, code, "{status} {headers} {body}: {d:?}");
        assert_ne!(sure(&d, INVISIBLE), Some(Confidence::High), "{d:?}");
    }
    // If nothing else explains the answer, they suggest a filter.
    for (status, headers, body) in [
        ("407 Proxy Authentication Required", "", ""),
        ("403 Forbidden", "Server: Zscaler/6.3\r\n", "<html>You are not allowed.</html>"),
        ("403 Forbidden", "", "<html>Blocked by your administrator</html>"),
    ] {
        let d = of(status, headers, body);
        assert_eq!(
            (d.entry.code, sure(&d, INVISIBLE)),
            ("W117", Some(Confidence::Medium)),
            "{d:?}"
        );
        assert!(d.title.contains("may have answered"), "{d:?}");
    }
    // The page of a site may quote any words.
    let site = format!("<html>{}Web page blocked</html>", "<p>words</p>".repeat(500));
    assert_ne!(of("404 Not Found", "", &site).entry.code, "W117");
}

#[test]
fn squid_in_via_may_be_the_servers_own() {
    let via = "Via: 1.1 edge (squid/5.7)\r\nX-Cache: MISS from edge\r\n";
    for (status, body) in
        [("426 Upgrade Required", "Upgrade Required"), ("404 Not Found", ""), ("405 No", "")]
    {
        let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{via}\r\n{body}"));
        let code = pair.response.status_line().expect("a status").code;
        let outcome =
            TrialOutcome::Status { code, text: code.to_string(), body: body.as_bytes().to_vec() };
        let plain = Trial { variation: Variation::NoUpgrade, what: "/x".to_owned(), outcome };
        let trials = [plain];
        let d = verdict(&Facts { trials: &trials, ..pair.facts() });
        assert!(!d.is_proved(), "{d:?}");
        let reverse = d.causes.iter().any(|cause| cause.text.contains("forwards without Upgrade"));
        assert!(sure(&d, INVISIBLE).is_some() && reverse, "{d:?}");
    }
}

#[test]
fn a_page_that_names_another_path_proves_no_rewrite() {
    let rewritten = "a proxy or the server rewrites the path";
    // The server itself may remove a prefix of the path.
    let d = of("404 Not Found", "Server: nginx\r\n", "<pre>Cannot GET /other</pre>");
    assert_eq!(sure(&d, rewritten), Some(Confidence::Medium), "{d:?}");
    let d = of("404 Not Found", "", "{\"status\":404,\"path\":\"/other\"}");
    assert_eq!(sure(&d, rewritten), Some(Confidence::Medium), "{d:?}");
    for body in [
        "{\"status\":404,\"errors\":[{\"path\":\"/id\",\"message\":\"unknown\"}]}",
        "{\"error\":\"not found\",\"path\":\"/items/0\"}",
        "{\"status\":404,\"path\":\"\\/chat\"}",
    ] {
        let d = of("404 Not Found", "", body);
        assert_eq!(sure(&d, rewritten), None, "{d:?}");
    }
    let same = over("ws://h/a&b", "404 Not Found", "", "<pre>Cannot GET /a&amp;b</pre>");
    assert_eq!(sure(&same, rewritten), None, "{same:?}");
}

#[test]
fn an_application_may_use_the_words_of_a_gateway() {
    for (status, headers, body) in [
        // A failure of the server's own database, queue or fleet.
        ("502 Bad Gateway", "", "{\"error\":\"redis: connection refused\"}"),
        ("502 Bad Gateway", "", "{\"error\":\"database connection timeout\"}"),
        ("502 Bad Gateway", "", "{\"error\":\"remote reset\"}"),
        ("502 Bad Gateway", "", "{\"error\":\"error during SSL handshake with remote server\"}"),
        // Apache sends its page for any 503, even because of a rule. Heroku sends its page for a
        // timeout and for maintenance.
        (
            "503 Down",
            "Server: Apache\r\n",
            "<p>due to maintenance downtime or capacity problems.</p>",
        ),
        ("503 Down", "", "<iframe src=\"//www.herokucdn.com/error-pages/application-error.html\">"),
        ("503 Down", "", "<iframe src=\"//www.herokucdn.com/error-pages/maintenance-mode.html\">"),
        ("503 Down", "", "<h1>Error 503 Backend fetch failed</h1>"),
        ("404 Not Found", "", "<p>Read about ERR_NGROK_3200</p>"),
        ("200 OK", "Content-Type: text/html\r\n", "<p>Read about ERR_NGROK_3200</p>"),
        ("404 Not Found", "", "{\"error\":\"see RBAC: access denied\"}"),
    ] {
        let d = of(status, headers, body);
        // A cause that quotes the words themselves is not a guess.
        let guess = |cause: &wscope::diagnostics::Supported| {
            cause.confidence == Confidence::High && !cause.text.starts_with("its reason is")
        };
        assert!(!d.causes.iter().any(guess), "{status} {body}: {d:?}");
    }
    let apache =
        "<p>The server can't serve you due to maintenance downtime or capacity problems.</p>";
    let d = of("503 Down", "Server: Apache\r\nContent-Type: text/html\r\n", apache);
    assert_eq!(sure(&d, "could not connect"), Some(Confidence::Medium), "{d:?}");
    let offline = of("404 Not Found", "Ngrok-Error-Code: ERR_NGROK_3200\r\n", "");
    assert_eq!(sure(&offline, "the tunnel is offline"), Some(Confidence::High), "{offline:?}");
    let d = of("503 No", "", "{\"error\":\"no healthy upstream for search\"}");
    assert_eq!(sure(&d, "no healthy server"), None, "{d:?}");
}

#[test]
fn a_welcome_of_another_protocol_is_not_action_cables() {
    let cable = "Sec-WebSocket-Protocol: actioncable-v1-json\r\n";
    let (welcome, with_id) =
        ("{\"type\":\"welcome\"}", "{ \"sid\": \"a1\", \"type\": \"welcome\" }");
    let ping = "{\"type\":\"ping\",\"message\":1796021128}";
    for (path, second, is) in [
        ("/cable", "", true),
        ("/ws", ping, true),
        ("/ws", "", false),
        ("/ws", "hi", false),
        ("/ws", "{\"type\":\"ping\"}", false),
    ] {
        let url = format!("ws://localhost{path}");
        for first in [welcome, with_id] {
            let pair = Pair::open("", "");
            let kept = [first, second].map(|content| CrossedMessage {
                ours: false,
                text: true,
                content: content.as_bytes(),
                quiet: Duration::ZERO,
            });
            let stream = StreamFacts { kept: &kept, ..stream_of(first.as_bytes()) };
            let facts = Facts { url: Some(&url), stream, ..pair.facts() };
            let found = classify(&facts).iter().any(|d| d.entry.code == "W508");
            assert_eq!(found, is, "{path} {first} {second}");
        }
    }
    for (headers, first, is) in [
        (cable, "{\"type\":\"welcome\",\"version\":2}", true),
        ("", "{\"type\":\"welcome\",\"token\":\"abc\"}", false),
        ("", "{\"type\":\"welcome\",\"user\":\"ann\"}", false),
        ("", "[{\"type\":\"welcome\"}]", false),
        ("", "{\"text\":{\"type\":\"welcome\"}}", false),
        (cable, "{\"type\":\"ping\"}", false),
    ] {
        let pair = Pair::open(headers, headers);
        let facts = Facts { stream: stream_of(first.as_bytes()), ..pair.facts() };
        let found = classify(&facts).iter().any(|d| d.entry.code == "W508");
        assert_eq!(found, is, "{headers} {first}");
    }
}
