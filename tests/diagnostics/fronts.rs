//! What answers by itself: programs without WebSocket, and what stands in front of an application.

use wscope::diagnostics::facts::{Trial, TrialOutcome, Variation};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::Pair;

/// The verdict on an answer to a request with more headers, and to others.
fn asked(more: &str, status: &str, headers: &str, body: &str, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new(more, &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    let facts = Facts { trials, url: Some("ws://api.example/chat"), ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

fn of(status: &str, headers: &str, body: &str) -> Diagnostic {
    asked("", status, headers, body, &[])
}

fn trial(variation: Variation, code: u16, body: &str) -> Trial {
    let (text, body) = (format!("{code} of the trial"), body.as_bytes().to_vec());
    Trial { variation, what: String::new(), outcome: TrialOutcome::Status { code, text, body } }
}

/// Every request gets the same.
fn same(code: u16, body: &str) -> [Trial; 2] {
    [trial(Variation::NoUpgrade, code, body), trial(Variation::OtherPath, code, body)]
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

const UNABLE: &str = "has no WebSocket support";

#[test]
fn a_program_without_websocket_is_a_cause_of_any_status() {
    for server in ["WSGIServer/0.2 CPython/3.11.2", "waitress", "SimpleHTTP/0.6 Python/3.11"] {
        for (status, more, body) in [
            ("200 OK", "Content-Type: text/html\r\n", "<p>home</p>"),
            ("200 OK", "Content-Type: application/json\r\n", "{}"),
            ("301 Moved Permanently", "Location: /chat/\r\n", ""),
            ("302 Found", "Location: /login/\r\n", ""),
            ("400 Bad Request", "", "no seat left"),
            ("401 Unauthorized", "", ""),
            ("403 Forbidden", "", "{\"detail\":\"CSRF cookie not set.\"}"),
            ("404 Not Found", "", ""),
            ("405 Method Not Allowed", "", ""),
            ("426 Upgrade Required", "", ""),
            ("500 Internal Server Error", "", "KeyError"),
        ] {
            let d = of(status, &format!("Server: {server}\r\n{more}"), body);
            assert_ne!(has(&d, "no WebSocket support"), Confidence::High, "{d:?}");
        }
    }
    // Where TLS is forced, what answers without it is not what is asked.
    let tls = "Server: WSGIServer/0.2\r\nLocation: https://api.example/chat\r\n";
    lacks(&of("301 Moved Permanently", tls, ""), UNABLE);
    // The page of a framework that shows the whole request.
    let page = "<title>Page not found</title><tr><th>Request Method:</th><td>GET</td></tr>\
        <p>Using the URLconf, Django tried these patterns. Method GET is not allowed here.</p>";
    let django = "Server: WSGIServer/0.2\r\nContent-Type: text/html\r\n";
    assert_eq!(of("404 Not Found", django, page).entry.code, "W335");
    // What PHP runs in ends a request before it could serve a WebSocket.
    let d = of("404 Not Found", "Host: api.example\r\nX-Powered-By: PHP/8.2.5\r\n", "");
    first(&d, UNABLE);
    first(&of("200 OK", "X-Powered-By: PHP/8.2.5\r\nContent-Type: text/json\r\n", "{}"), UNABLE);
    // The server in it writes the Host of the request into its answer.
    first(&of("404 Not Found", "Host: api.example\r\nConnection: close\r\n", ""), UNABLE);
    // A server of WebSockets that is written in PHP names itself.
    lacks(&of("404 Not Found", "X-Powered-By: Ratchet/0.4.4\r\n", ""), UNABLE);
}

#[test]
fn a_404_without_another_sign_may_come_from_a_program_without_websocket() {
    for (headers, body) in [
        ("X-Powered-By: Express\r\n", "<pre>Cannot GET /chat</pre>"),
        ("Content-Type: text/plain\r\n", "Not Found"),
        ("", "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}"),
        ("accept-ranges: bytes\r\n", ""),
    ] {
        for trials in [&[][..], &same(404, body)] {
            let d = asked("", "404 Not Found", headers, body, trials);
            let text = d.suspects();
            let known =
                text.contains("or none at all") || text.contains("a program without WebSocket");
            assert!(known, "{d:?}");
        }
    }
}

#[test]
fn platforms_and_proxies_that_answer_themselves_are_known() {
    let afd = "<h2>Page not found</h2><p>Oops! We weren't able to find your Azure Front Door Service configuration.</p>";
    for (status, headers, body) in [
        ("404 Not Found", "X-Azure-Ref: 2026\r\nContent-Type: text/html\r\n", afd),
        ("404 File Not Found", "Server: h2o/2.2.5\r\nContent-Type: text/plain\r\n", "not found"),
        (
            "404 Not Found",
            "",
            "<html><body><h1>404 Not Found</h1>\nThe resource could not be found.\n</body></html>\n",
        ),
    ] {
        for trials in [&[][..], &same(404, body)] {
            let d = asked("", status, headers, body, trials);
            first(&d, "the server in front answered itself");
            lacks(&d, "forwards without Upgrade");
        }
    }
    let tarpit = "<html><body><h1>500 Internal Server Error</h1>\nAn internal server error occurred.\n</body></html>\n";
    for trials in [&[][..], &same(500, tarpit)] {
        let d = asked("", "500 Internal Server Error", "", tarpit, trials);
        first(&d, "a rule");
    }
    let page = "<title>Application Error</title><iframe src=\"//www.herokucdn.com/error-pages/application-error.html\"></iframe>";
    let heroku = "Server: Heroku\r\nVia: 1.1 heroku-router\r\nContent-Type: text/html\r\n";
    let d = of("503 Service Unavailable", heroku, page);
    first(&d, "the application behind the router crashed");
    let vercel = "Server: Vercel\r\nX-Vercel-Error: INVALID_REQUEST_METHOD\r\n";
    let d = of("405 Method Not Allowed", vercel, "The request was made with an invalid method.");
    first(&d, "the platform or server in front refuses");
}

#[test]
fn what_a_proxy_may_have_removed_is_a_cause() {
    // The version that was sent is 13.
    let d = of("400 Bad Request", "Server: nginx\r\n", "Unsupported version: ");
    assert_eq!((d.entry.code, has(&d, "on the path")), ("W321", Confidence::Medium), "{d:?}");
    assert!(!d.help.contains("send version 13"), "{d:?}");
    let d = of("426 Upgrade Required", "Sec-WebSocket-Version: 8\r\n", "");
    assert!(!d.help.contains("-H 'Sec-WebSocket-Version: 13'"), "{d:?}");
    let asks = "Sec-WebSocket-Protocol: feed.v9\r\n";
    let trials = [trial(Variation::NoSubprotocol, 500, ""), trial(Variation::OtherPath, 404, "")];
    for trials in [&[][..], &trials] {
        let d = asked(asks, "500 Internal Server Error", "", "", trials);
        has(&d, "a proxy removed");
    }
    // The Origin is the server's own, and something in front changes its name.
    let own = "Origin: http://api.example\r\n";
    let body = "<body>Received invalid WebSocket request</body>";
    let html = "Server: nginx\r\nContent-Type: text/html\r\n";
    let trials = [trial(Variation::NoUpgrade, 400, ""), trial(Variation::NoOrigin, 403, body)];
    for trials in [&[][..], &trials] {
        let d = asked(own, "403 Forbidden", html, body, trials);
        assert_eq!(d.entry.code, "W332", "{d:?}");
        has(&d, "a proxy changes Host");
    }
}

#[test]
fn credentials_that_were_sent_may_have_been_removed_on_the_way() {
    for challenge in ["", "WWW-Authenticate: Bearer\r\n"] {
        let d = asked("Authorization: Bearer x\r\n", "401 Unauthorized", challenge, "", &[]);
        first(&d, "a proxy on the way removed them");
    }
    let login = "Location: /login\r\n";
    first(&asked("Cookie: a=b\r\n", "302 Found", login, "", &[]), "a proxy on the way removed");
    let names = "Sec-WebSocket-Protocol: a\r\n";
    let d = asked(names, "400 Bad Request", "", "subprotocol required", &[]);
    first(&d, "or a proxy removed them");
    let body = "{\"code\":0,\"message\":\"Transport unknown\"}";
    first(&of("400 Bad Request", "", body), "a proxy drops the query");
    // A sentence that only begins as the status does.
    let d = of("403 Access Denied", "", "Access denied due to the end of shop 7.");
    first(&d, "\"Access denied due to the end of shop 7.\"");
}

#[test]
fn a_502_has_more_causes_than_an_upstream_that_is_down() {
    let d = of("502 Bad Gateway", "Server: nginx\r\n", "<center>nginx</center>");
    has(&d, "certificate");
    has(&d, "larger than the proxy's buffer");
}

#[test]
fn a_refused_host_is_found_by_its_page_and_by_what_was_sent() {
    let page =
        "<!doctype html>\n<title>Bad Request (400)</title>\n<h1>Bad Request (400)</h1><p></p>";
    for more in ["Server: WSGIServer/0.2 CPython/3.11\r\n", "Via: 1.1 Caddy\r\n", ""] {
        for trials in [&[][..], &same(400, page)] {
            let d = asked(
                "",
                "400 Bad Request",
                &format!("{more}Content-Type: text/html\r\n"),
                page,
                trials,
            );
            first(&d, "Django");
            assert!(d.help.contains("ALLOWED_HOSTS"), "{d:?}");
            lacks(&d, "PROXY protocol");
            lacks(&d, "forwards without Upgrade");
        }
    }
    // The Host that was sent is not that of the URL.
    let request = "GET /chat HTTP/1.1\r\nHost: tunnel.example\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "500 No"] {
        let pair = Pair::of(request, &format!("HTTP/1.1 {status}\r\n\r\n"));
        let url = Some("ws://127.0.0.1:8080/chat");
        let d = classify(&Facts { url, ..pair.facts() }).into_iter().next().expect("a verdict");
        assert_eq!(has(&d, "the Host that was sent"), Confidence::Medium, "{d:?}");
        let trials =
            [trial(Variation::OwnHost, pair.response.status_line().expect("one").code, "")];
        let facts = Facts { url, trials: &trials, ..pair.facts() };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        lacks(&d, "the Host that was sent");
    }
}

#[test]
fn the_cure_of_a_401_is_what_its_challenge_names() {
    for (challenge, cure) in [
        ("apikey realm=\"apikey\"", "-H 'apikey: VALUE'"),
        ("Key realm=\"kong\"", "-H 'apikey: VALUE'"),
        (
            "AzureApiManagementKey realm=\"x\",name=\"Ocp-Apim-Subscription-Key\",type=\"header\"",
            "-H 'Ocp-Apim-Subscription-Key: VALUE'",
        ),
        ("DPoP error=\"use_dpop_nonce\"", "DPoP"),
        ("Basic realm=\"x\"", "-u USER:PASSWORD"),
        ("Bearer", "--bearer TOKEN"),
    ] {
        let d = of("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), "");
        assert!(d.help.contains(cure), "{challenge}: {d:?}");
    }
}

#[test]
fn a_gateway_of_amazon_is_quoted_where_it_gives_a_reason() {
    let amazon = "x-amzn-ErrorType: InvalidSignatureException\r\n";
    let body = "{\"message\":\"Signature not yet current: 1000 is still later than 0955\"}";
    first(&of("403 Forbidden", amazon, body), "Signature not yet current");
    let d = of("403 Forbidden", amazon, "{\"message\":\"Forbidden\"}");
    lacks(&d, "its reason");
}
