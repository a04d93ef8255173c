//! Answers of other programs: programs without WebSocket, and programs in front of an application.

use std::time::Duration;

use wscope::diagnostics::facts::{
    StreamEnd, TlsAttempt, TlsFault, Trial, TrialOutcome, Unanswered, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::Pair;

/// The verdict on an answer, for a request with additional headers and with these trials.
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

/// Two trials with the same answer.
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
    // If the server requires TLS, the program that answers without TLS is another one.
    let tls = "Server: WSGIServer/0.2\r\nLocation: https://api.example/chat\r\n";
    lacks(&of("301 Moved Permanently", tls, ""), UNABLE);
    // The page of a framework that shows the whole request.
    let page = "<title>Page not found</title><tr><th>Request Method:</th><td>GET</td></tr>\
        <p>Using the URLconf, Django tried these patterns. Method GET is not allowed here.</p>";
    let django = "Server: WSGIServer/0.2\r\nContent-Type: text/html\r\n";
    assert_eq!(of("404 Not Found", django, page).entry.code, "W335");
    // The runtime of PHP ends a request before it could serve a WebSocket.
    let d = of("404 Not Found", "Host: api.example\r\nX-Powered-By: PHP/8.2.5\r\n", "");
    first(&d, UNABLE);
    first(&of("200 OK", "X-Powered-By: PHP/8.2.5\r\nContent-Type: text/json\r\n", "{}"), UNABLE);
    // PHP's own server copies the Host of the request into its answer.
    first(&of("404 Not Found", "Host: api.example\r\nConnection: close\r\n", ""), UNABLE);
    // A WebSocket server in PHP names itself.
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
    // The request has version 13.
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
    // The Origin is that of the server, and a proxy changes the server's name.
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
    // A sentence that only begins with the words of the status.
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
    // The sent Host differs from that of the URL.
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

/// The headers of Go's http.Error and http.NotFound.
const GO: &str = "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";

#[test]
fn what_a_router_says_of_the_path_comes_before_a_lost_upgrade() {
    let spring = "{\"timestamp\":\"t\",\"path\":\"/chat\",\"status\":404,\"error\":\"Not Found\"}";
    let nginx = format!("{GO}Server: nginx\r\n");
    for (headers, body) in [
        ("", "no route found for GET /chat (AppWeb.Router)"),
        ("Server: nginx\r\n", "no route found for GET /chat (AppWeb.Router)"),
        ("Content-Type: application/json\r\n", spring),
        (GO, "404 page not found\n"),
        (&nginx, "404 page not found\n"),
    ] {
        for trials in [&[][..], &same(404, body)] {
            let d = asked("", "404 Not Found", headers, body, trials);
            first(&d, "has no route for this path");
            assert!(d.causes.len() < 4 && d.entry.code == "W334", "{d:?}");
            let upgrade = d.causes.iter().any(|cause| cause.text.contains("Upgrade"));
            assert!(!body.contains("page not found") || !upgrade, "{d:?}");
        }
    }
    // Without words, a router, a program and a proxy are equally likely.
    let d = asked("", "404 Not Found", "", "", &same(404, ""));
    first(&d, "a program without WebSocket, or Upgrade and Connection");
    lacks(&d, "every request");
    first(&of("404 Not Found", "X-Powered-By: Next.js\r\n", "<h1>404</h1>"), UNABLE);
}

#[test]
fn who_answers_for_itself_is_read_where_it_stands() {
    let d = asked("", "200 OK", "Server: Caddy\r\nContent-Length: 0\r\n", "", &same(200, ""));
    first(&d, "no handler of it fits this path or Host");
    let page = "<h1>Internal Server Error</h1>\n<p>The server encountered an internal error or\n\
                misconfiguration</p>\n<p>Please contact the server administrator at \n x</p>";
    let d =
        of("500 Internal Server Error", "Server: Apache/2.4\r\nContent-Type: text/html\r\n", page);
    first(&d, "the server in front answered itself");
    assert!(d.causes.len() == 1 && d.help.contains("log"), "{d:?}");
    // If an unknown path fails in the same way, the handler may still be the cause.
    let trials = [trial(Variation::NoUpgrade, 404, ""), trial(Variation::OtherPath, 500, "")];
    first(
        &asked("", "500 Internal server error", "", "", &trials),
        "an exception in the application",
    );
    // A library for Go sends this if it can't take over the connection.
    for trials in [&[][..], &[trial(Variation::NoUpgrade, 400, "")]] {
        let (status, headers) = ("500 Internal Server Error", "Sec-Websocket-Version: 13\r\n");
        let d = asked("", status, headers, &status[4..], trials);
        assert!(d.entry.code == "W341", "{d:?}");
        first(&d, "http.Hijacker");
    }
    // Any handler in Go may answer 501.
    let d = of("501 Not Implemented", GO, "Not Implemented\n");
    assert!(d.entry.code == "W341" && d.causes.len() > 1, "{d:?}");
    assert_eq!(has(&d, "http.Hijacker"), Confidence::Low, "{d:?}");
    let body = "400: Bad Request";
    let d = asked(
        "",
        "400 Bad Request",
        "Server: Python/3.13 aiohttp/3.12\r\n",
        body,
        &same(400, body),
    );
    first(&d, "a proxy in front that the server does not trust");
    has(&of("400 Bad Request", "Server: Python/3.13 aiohttp/3.12\r\n", body), "does not trust");
}

#[test]
fn an_own_origin_that_action_cable_refuses_was_compared_with_another_name() {
    let own = "Origin: http://api.example\r\n";
    for server in ["", "Server: nginx\r\n", "Server: Apache/2.4\r\n"] {
        let headers = format!("{server}Content-Type: text/plain\r\n");
        let d =
            asked(own, "404 Not Found", &headers, "Page not found", &same(404, "Page not found"));
        first(&d, "Upgrade and Connection, or changes Host or sends no X-Forwarded-Proto");
        assert!(d.entry.code == "W333" && d.help.contains("X-Forwarded-Proto"), "{d:?}");
    }
}

#[test]
fn a_plain_get_that_names_the_host_says_what_the_upgrade_was_refused_for() {
    let vite = "Blocked request. This host (\"api.example\") is not allowed.\n\
                To allow this host, add \"api.example\" to `server.allowedHosts`.";
    let plain = [trial(Variation::NoUpgrade, 403, vite)];
    let d = asked("", "400 Bad Request", "", "Bad Request", &plain);
    assert!(d.entry.code == "W351" && d.help.contains("allowedHosts"), "{d:?}");
    first(&d, "to a plain GET, the server says \"Blocked request.");
    let trials = [Trial {
        variation: Variation::NearHost,
        what: "localhost".to_owned(),
        outcome: TrialOutcome::Opened,
    }];
    let d = asked("", "400 Bad Request", "", "Bad Request", &trials);
    assert!(d.entry.code == "W351" && d.is_supported() && !d.is_proved(), "{d:?}");
    // The same is possible without any answer to the upgrade.
    let pair = Pair::new("", "");
    let facts = Facts {
        trials: &plain,
        response: None,
        report: None,
        unanswered: Some(Unanswered {
            how: StreamEnd::Timeout,
            after: Duration::from_secs(3),
            received: 0,
        }),
        ..pair.facts()
    };
    first(&classify(&facts)[0], "to a plain GET, the server says \"Blocked request.");
}

#[test]
fn the_greeting_of_another_service_is_used_wherever_it_came() {
    let greets = |variation| Trial {
        variation,
        what: String::new(),
        outcome: TrialOutcome::Nothing("the server's answer is not HTTP: SSH-2.0-x\\r\\n".into()),
    };
    let (plain, scheme) = ([greets(Variation::NoUpgrade)], [greets(Variation::OtherScheme)]);
    let pair = Pair::new("", "");
    let facts = Facts { response: None, report: None, ..pair.facts() };
    for how in [StreamEnd::Fin, StreamEnd::Reset, StreamEnd::Timeout] {
        let unanswered = Unanswered { how, after: Duration::from_millis(8), received: 0 };
        let facts = Facts { trials: &plain, unanswered: Some(unanswered), ..facts.clone() };
        let d = &classify(&facts)[0];
        assert!(d.entry.code == "W110" && d.title.contains("SSH, not HTTP"), "{d:?}");
    }
    for fault in [TlsFault::Closed, TlsFault::Silent] {
        let tls = TlsAttempt { fault: Some(fault), ..TlsAttempt::default() };
        let facts =
            Facts { trials: &scheme, tls, url: Some("wss://api.example/"), ..facts.clone() };
        let d = &classify(&facts)[0];
        assert!(d.entry.code == "W110" && d.title.contains("SSH, not TLS"), "{d:?}");
    }
}

#[test]
fn titles_and_cures_fit_what_the_answer_says() {
    let expired = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    let d = asked("X-Api-Key: k\r\n", "401 Unauthorized", expired, "", &[]);
    first(&d, "invalid_token");
    lacks(&d, "no credentials were sent");
    let d = of("404 Not Found", "", "{\"message\":\"pods \\\"web-0\\\" not found\",\"code\":404}");
    first(&d, "web-0");
    assert!(!d.title.contains("at this path"), "{d:?}");
    let d =
        of("429 Too Many Requests", "", "{\"message\":\"You exceeded your quota: see billing\"}");
    assert!(d.entry.code == "W340" && !d.help.contains("delays"), "{d:?}");
    for text in [
        "credit refills in 10 seconds",
        "you plan too many requests",
        "quota reached, try again in a minute",
        "your quota is used up: retry later",
    ] {
        let d = of("429 Too Many Requests", "", &format!("{{\"message\":\"{text}\"}}"));
        assert!(d.entry.code == "W340" && !d.help.contains("no delay helps"), "{text}: {d:?}");
    }
    let pair = Pair::new("", "HTTP/1.1 301 Moved Permanently\r\nLocation: /a/ws\r\n\r\n");
    let d = &classify(&Facts { url: Some("ws://api.example//a//ws"), ..pair.facts() })[0];
    first(d, "a slash of the path is missing or superfluous");
}

#[test]
fn an_origin_that_every_other_one_shares_the_refusal_of_is_not_on_the_list() {
    let origin = "Origin: http://localhost:5173\r\n";
    let gorilla = "Sec-Websocket-Version: 13\r\n";
    let refused = |variation| trial(variation, 403, "Forbidden\n");
    let trials = [
        trial(Variation::NoUpgrade, 400, ""),
        refused(Variation::OwnOrigin),
        refused(Variation::NoOrigin),
    ];
    let d = asked(origin, "403 Forbidden", gorilla, "Forbidden\n", &trials);
    first(&d, "the Origin is not on the server's list");
    assert!(d.entry.code == "W327" && !d.title.contains("takes one without"), "{d:?}");
}

#[test]
fn an_empty_400_of_engine_io_is_the_applications() {
    for body in ["", "Forbidden"] {
        let answer = format!("HTTP/1.1 400 Bad Request\r\nContent-type: text/html\r\n\r\n{body}");
        let pair = Pair::new("", &answer);
        let url = "ws://api.example/socket.io/?EIO=4&transport=websocket";
        first(&classify(&Facts { url: Some(url), ..pair.facts() })[0], "`allowRequest`");
    }
}

#[test]
fn the_words_of_hosts_routers_and_filters_are_known() {
    let html = "Content-Type: text/html\r\n";
    for (status, headers, body, code, cause) in [
        ("404 Not Found", "", "Endpoint GET /chat not found", "W334", "has no route for this path"),
        ("404 Not Found", "", "no route", "W334", "has no route for this path"),
        (
            "404 Not Found",
            "",
            "No context-path matches the request URI.",
            "W334",
            "has no route for this path",
        ),
        ("404 Not Found", html, "Cannot find /chat", "W334", "has no route for this path"),
        ("400 Bad Request", "", "Missing request header \"connection\"", "W320", ""),
        (
            "500 Internal Server Error",
            "Server: cloudflare\r\n",
            "error code: 1101",
            "W341",
            "a Worker of Cloudflare",
        ),
        (
            "404 Not Found",
            html,
            "<h1>Error 404 - This Container App is stopped or does not exist.</h1>",
            "W334",
            "no running application for this host name",
        ),
        (
            "400 Bad Request",
            "dg-error: Bad Request: Unsupported model nova-9\r\n",
            "",
            "W323",
            "Unsupported model nova-9",
        ),
        (
            "400 Bad request",
            html,
            "<h1>400 Bad request</h1>\nYour browser sent an invalid request.\n",
            "W323",
            "refused the request itself",
        ),
        ("400 Bad Request", "Server: awselb/2.0\r\n", "", "W323", "refused the request itself"),
        ("403 Forbidden", "Server: awselb/2.0\r\n", "", "W332", "a rule of the load balancer"),
        ("404 Not Found", "Server: awselb/2.0\r\n", "", "W334", "answered itself"),
        ("464 ", "Server: awselb/2.0\r\n", "", "W346", ""),
        ("400 No", "", "{\"message\":\"model 'gpt-9' not found\"}", "W323", "model 'gpt-9' not"),
        (
            "503 Service Unavailable",
            html,
            "<h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>",
            "W344",
            "the application pool of IIS",
        ),
    ] {
        let d = of(status, headers, body);
        assert!(d.entry.code == code, "{code}: {d:?}");
        if !cause.is_empty() {
            first(&d, cause);
        }
    }
    let nest = "{\"message\":\"Cannot GET /chat\",\"error\":\"Not Found\",\"statusCode\":404}";
    first(&of("404 Not Found", "", nest), "took the upgrade for a plain request");
    let failed = "Error occurred while trying to proxy: localhost:3000/chat";
    first(&of("504 Gateway Timeout", "", failed), "could not connect to the server behind it");
    first(&of("504 Gateway Timeout", "", "upstream request timeout"), "the application hangs");
    first(&of("504 Gateway Timeout", "", "no shard for room 7"), "no shard for room 7");
    let d = of("400 Bad Request", "Server: nginx\r\n", "Invalid Upgrade header");
    first(&d, "arrived with another value");
    let d = of("200 OK", "Upgrade: websocket\r\nSec-WebSocket-Accept: x=\r\n", "");
    // Some frameworks compute the header for any upgrade.
    assert!(d.entry.code == "W305" && !d.is_proved(), "{d:?}");
    first(&d, "instead of 101");
    let blocked = "<title>Request Rejected</title>The requested URL was rejected. Please consult with \
                   your administrator.<br>Your support ID is: 123";
    for trials in [&[][..], &same(200, blocked)] {
        first(&asked("", "200 OK", html, blocked, trials), "a web application firewall");
    }
    let d = of(
        "426 Upgrade Required",
        "Upgrade: TLS/1.2, HTTP/1.1\r\n",
        "{\"message\":\"Please use HTTPS protocol\"}",
    );
    assert!(d.entry.code == "W204" && !d.title.contains("TLS port"), "{d:?}");
    let d = of("406 Not Acceptable", "", "This error was generated by Mod_Security.");
    assert!(d.entry.code == "W337" && !d.title.contains("content type"), "{d:?}");
    let missing = "{\"error\":\"Missing token\"}";
    let plain = [trial(Variation::NoUpgrade, 401, missing)];
    let d = asked("", "401 Unauthorized", "", "", &plain);
    first(&d, "to a plain GET, the server says \"Missing token\"");
    let d = asked("", "500 Internal Server Error", "", "", &same(500, ""));
    first(&d, "an exception in the application");
    let page = "<!doctype html><title>App</title>";
    for trials in [&[][..], &[trial(Variation::NoUpgrade, 200, page)], &same(200, page)] {
        let d = asked("", "200 OK", html, page, trials);
        assert!(d.causes.iter().any(|cause| cause.text.contains("port")), "{d:?}");
    }
    // The same answer does not distinguish a missing parameter from a lost upgrade.
    let trials = [trial(Variation::NoUpgrade, 400, ""), trial(Variation::OtherPath, 404, "")];
    let d = asked("", "400 Bad Request", "", "", &trials);
    first(&d, "a query parameter, header or subprotocol");
    first(&d, "or Upgrade and Connection were lost");
}

#[test]
fn a_program_that_a_plain_get_names_is_judged_where_the_upgrade_gets_no_answer() {
    let named = |text: &str, variation| Trial {
        variation,
        what: String::new(),
        outcome: TrialOutcome::Status { code: 200, text: text.to_owned(), body: Vec::new() },
    };
    let pair = Pair::new("", "");
    let facts = Facts { response: None, report: None, ..pair.facts() };
    for text in ["200 OK, X-Powered-By: Next.js", "200 OK, Server: waitress, X-Powered-By: x"] {
        for how in [StreamEnd::Fin, StreamEnd::Timeout] {
            let unanswered = Unanswered { how, after: Duration::from_millis(8), received: 0 };
            let trials = [named(text, Variation::NoUpgrade)];
            let facts = Facts { trials: &trials, unanswered: Some(unanswered), ..facts.clone() };
            first(&classify(&facts)[0], UNABLE);
        }
    }
    // If the server speaks HTTP over the other scheme, it is the same service.
    let trials = [
        Trial {
            variation: Variation::OtherScheme,
            what: "wss://".to_owned(),
            outcome: TrialOutcome::Nothing("the port speaks plain HTTP, not TLS".to_owned()),
        },
        Trial {
            variation: Variation::NoUpgrade,
            what: String::new(),
            outcome: TrialOutcome::Silence("timed out after 3 s".to_owned()),
        },
    ];
    let (how, after) = (StreamEnd::Timeout, Duration::from_secs(5));
    let unanswered = Some(Unanswered { how, after, received: 0 });
    let d = &classify(&Facts { trials: &trials, unanswered, ..facts })[0];
    first(d, "hangs or is slow to start");
    lacks(d, "not HTTP");
    let page = "<p>Error code: 404</p>\n<p>Error code explanation: 404 - Nothing matches.</p>";
    let d = of("404 File not found", "Server: nginx\r\nContent-Type: text/html\r\n", page);
    first(&d, UNABLE);
}

const ENVOY: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";

#[test]
fn a_failed_connection_of_envoy_may_have_failed_in_tls() {
    let body = &format!("{ENVOY}remote connection failure");
    for trials in [&[][..], &[trial(Variation::NoUpgrade, 503, body)]] {
        let d = asked("", "503 Service Unavailable", "Server: envoy\r\n", body, trials);
        first(&d, "only one of proxy and application uses TLS");
        assert!(!d.is_proved(), "{d:?}");
        has(&d, "does not trust the application's certificate");
        lacks(&d, "closed the connection");
    }
    let refused = format!("{body}, transport failure reason: delayed connect error: 111");
    let d = of("503 Service Unavailable", "Server: envoy\r\n", &refused);
    first(&d, "the connection was refused");
    assert!(d.is_proved(), "{d:?}");
}

#[test]
fn a_rule_of_the_server_in_front_may_want_an_origin() {
    const PAGE: &str = "<h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center>";
    let d = asked("", "403 Forbidden", "Content-Type: text/html\r\n", PAGE, &[]);
    first(&d, "an Origin that it requires (none was sent)");
    has(&d, "a web application firewall");
    // Another path is served, so no filter refuses this client everywhere.
    let other = [trial(Variation::OtherPath, 200, "")];
    let d = asked("", "403 Forbidden", "Content-Type: text/html\r\n", PAGE, &other);
    lacks(&d, "a web application firewall");
    let origin = "Origin: https://a.example\r\n";
    let d = asked(origin, "403 Forbidden", "Content-Type: text/html\r\n", PAGE, &[]);
    first(&d, "a list of Origins");
    lacks(&d, "none was sent");
    // The application wrote this.
    lacks(&asked("", "403 Forbidden", "", "", &[]), "an Origin that it requires");
}

/// ASGI servers refuse before they accept if a value can't be converted.
#[test]
fn a_refusal_without_a_reason_may_be_about_a_parameter_beside_a_token() {
    let pair = Pair::new("", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let same = [trial(Variation::NoUpgrade, 404, ""), trial(Variation::OtherPath, 403, "")];
    for trials in [&[][..], &same] {
        let url = Some("ws://api.example/items/abc?token=1");
        let facts = Facts { url, trials, ..pair.facts() };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        first(&d, "a parameter of the path or the query is missing or wrong");
    }
}

#[test]
fn a_forbidden_directory_is_one_without_an_index() {
    const DIRECTORY: &str = "a directory without an index page";
    let forbidden = |url: &str, page: &str, other: &[Trial]| {
        let answer = format!("HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n{page}");
        let pair = Pair::new("", &answer);
        let facts = Facts { trials: other, url: Some(url), ..pair.facts() };
        classify(&facts).into_iter().next().expect("a verdict")
    };
    let nginx = "<h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center>";
    let apache = "<p>You don't have permission to access this resource.</p>";
    for page in [nginx, apache] {
        for url in ["ws://api.example", "ws://api.example/", "ws://api.example/chat/?a=b"] {
            for other in [&[][..], &[trial(Variation::OtherPath, 404, page)]] {
                let d = forbidden(url, page, other);
                first(&d, DIRECTORY);
                has(&d, "a rule of the server that answered");
            }
        }
    }
    let all = [trial(Variation::OtherPath, 403, nginx)];
    first(&forbidden("ws://api.example/", nginx, &all), "a rule of the server that answered");
    lacks(&forbidden("ws://api.example/chat", nginx, &[]), DIRECTORY);
    // The application's own words.
    lacks(&forbidden("ws://api.example/", "Forbidden", &[]), DIRECTORY);
}

#[test]
fn a_redirect_that_takes_the_url_along_leads_to_a_login_or_a_portal() {
    let to = |location: &str| of("302 Found", &format!("Location: {location}\r\n"), "");
    for location in [
        "http://192.168.10.1:8002/index.php?zone=guest&redirurl=http%3A%2F%2Fapi.example%2Fchat",
        "http://10.0.0.1/guest/s/default/?ap=1",
        "https://splash.example/?continue_url=http://api.example/chat",
        "http://[fd00::1]/portal",
    ] {
        let d = to(location);
        assert_eq!(d.entry.code, "W310", "{d:?}");
        first(&d, "a captive portal");
        lacks(&d, "is at another host");
        assert!(d.help.contains("browser") && !d.help.contains(location), "{d:?}");
    }
    // A login at another host may be that of the network.
    for location in
        ["http://10.5.50.1/login?dst=http%3A%2F%2Fapi.example%2F", "http://172.16.0.1/login.html"]
    {
        let d = to(location);
        assert_eq!(d.entry.code, "W312", "{d:?}");
        has(&d, "a captive portal");
        assert!(!d.is_proved() && d.help.contains("browser"), "{d:?}");
    }
    for location in ["http://new.example/chat", "http://new.example/chat?a=b"] {
        first(&to(location), "is at another host");
    }
    assert!(to("/login").is_proved());
    assert!(to("http://sso.example/login").is_proved());
}

#[test]
fn a_site_that_forces_tls_may_name_its_host_too() {
    let to = |location: &str| of("301 Moved", &format!("Location: {location}\r\n"), "");
    let d = to("https://www.api.example/chat");
    assert_eq!(d.entry.code, "W311", "{d:?}");
    first(&d, "at another host");
    assert!(d.help.contains("wss://www.api.example/chat"), "{d:?}");
    let d = to("https://api.example/chat");
    assert_eq!((d.entry.code, d.causes.len()), ("W311", 0), "{d:?}");
    assert_eq!(to("https://www.api.example/new").entry.code, "W310");
}

#[test]
fn the_servers_own_origin_is_not_suspected_first() {
    let own = "Origin: http://api.example\r\n";
    for (status, causes) in [("403 Forbidden", "requires credentials"), ("401 Unauthorized", "no")]
    {
        let d = asked(own, status, "", "", &[]);
        first(&d, causes);
        assert!(!d.causes[0].text.contains("Origin"), "{d:?}");
        assert_eq!(has(&d, "Origin"), Confidence::Low, "{d:?}");
    }
    let d = asked("Origin: http://localhost:5173\r\n", "403 Forbidden", "", "", &[]);
    first(&d, "the Origin is not allowed");
    // A proxy may change the name with which the server compares the Origin.
    first(&asked(own, "403 Forbidden", "Server: nginx\r\n", "", &[]), "a proxy changes Host");
}

#[test]
fn a_name_of_a_secret_proves_no_credentials() {
    let pair = Pair::new("", "HTTP/1.1 403 Forbidden\r\n\r\n");
    let facts = Facts { url: Some("ws://api.example/ws?session_id=abc"), ..pair.facts() };
    let d = &classify(&facts)[0];
    first(d, "credentials are missing, or those sent are refused");
}

#[test]
fn a_proxy_that_is_not_trusted_loses_no_upgrade() {
    let body = "400: Bad Request";
    let untrusted = "a proxy in front that the server does not trust";
    for trials in [&[][..], &same(400, body)] {
        let d = asked("", "400 Bad Request", "Server: nginx\r\n", body, trials);
        first(&d, untrusted);
        lacks(&d, "forwards without Upgrade");
    }
    first(&of("400 Bad Request", "Server: nginx\r\n", ""), "forwards without Upgrade");
}

#[test]
fn what_aws_denies_may_lack_a_signature() {
    let body = "{\"Message\":\"Forbidden\"}";
    let denied = "x-amzn-ErrorType: AccessDeniedException\r\n";
    let d = of("403 Forbidden", denied, body);
    assert!(d.entry.code == "W331" && d.title.contains("AWS"), "{d:?}");
    first(&d, "is not signed");
    lacks(&d, "the stage is missing");
    let d = of("403 Forbidden", "x-amzn-ErrorType: ForbiddenException\r\n", body);
    has(&d, "the stage is missing");
    lacks(&d, "is not signed");
}

#[test]
fn a_header_of_credentials_needs_its_scheme() {
    let challenge = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    let help = |sent: &str| {
        let sent = format!("Authorization: {sent}\r\n");
        asked(&sent, "401 Unauthorized", challenge, "", &[]).help.into_owned()
    };
    assert!(help("abc123").contains("Authorization: Bearer"), "{}", help("abc123"));
    assert!(!help("Bearer abc123").contains("no scheme"), "{}", help("Bearer abc123"));
}

#[test]
fn the_servers_own_words_stay_beside_what_a_comparison_shows() {
    let near = |body: &str| {
        let (variation, what) = (Variation::NearHost, "localhost".to_owned());
        let trials = [Trial { variation, what, outcome: TrialOutcome::Opened }];
        asked("", "400 Bad Request", "", body, &trials)
    };
    let d = near("The character [_] is never valid in a domain name.");
    first(&d, "its reason is \"The character [_] is never valid in a domain name.\"");
    has(&d, "it opens as localhost");
    assert!(d.entry.code == "W351" && d.help.contains("the server's message"), "{d:?}");
    first(&near("Bad Request"), "it opens as localhost");
    // Words that only ask for patience need the words before them.
    let d = of("429 Too Many Requests", "", "Too many requests, please try again later.");
    first(&d, "its reason is \"Too many requests, please");
}

#[test]
fn an_origin_that_is_best_left_out_has_that_cure() {
    let origin = "Origin: http://localhost:5173\r\n";
    let opened = |variation| {
        let (what, outcome) = (String::new(), TrialOutcome::Opened);
        Trial { variation, what, outcome }
    };
    let trials = [trial(Variation::OwnOrigin, 403, ""), opened(Variation::NoOrigin)];
    let d = asked(origin, "403 Forbidden", "", "Rejected, as of the Origin", &trials);
    assert!(d.entry.code == "W327" && d.help.contains("leave the Origin out"), "{d:?}");
}

#[test]
fn what_a_front_says_of_its_site_its_backend_or_its_rule_is_used() {
    let html = "Content-Type: text/html\r\n";
    let page = "<head><title>Site Not Found</title></head><h1>Site Not Found</h1>";
    first(&of("404 Not Found", html, page), "has no site");
    // An ASGI server refuses a WebSocket with 403. Its own 404 is about the Host.
    for trials in [&[][..], &same(404, "")] {
        let d = asked("", "404 ", "Server: hypercorn-h11\r\n", "", trials);
        first(&d, "the server in front answered itself");
        lacks(&d, "forwards without Upgrade");
    }
    let guru = "<h1>Error 403 Forbidden</h1><p>Forbidden</p><h3>Guru Meditation:</h3><p>XID: 3</p>";
    let varnish = format!("Server: Varnish\r\n{html}");
    first(&of("403 Forbidden", &varnish, guru), "a rule of the server that answered");
    let failed = guru.replace("403 Forbidden", "503 Backend fetch failed");
    first(&of("503 Backend fetch failed", &varnish, &failed), "the cache in front");
    let late = of("504 Gateway Timeout", html, "<h1>upstream_connection_timeout</h1>");
    first(&late, "nothing accepts connections");
    // A page that only says that something failed gives no reason.
    let broken = [trial(Variation::NoUpgrade, 500, "Exception inside application.")];
    lacks(&asked("", "403 Forbidden", "", "", &broken), "to a plain GET, the server says");
    first(&of("404 Not Found", "", "{\"message\":\"Application not found\"}"), "its reason is");
}

#[test]
fn a_page_for_people_is_no_new_place_of_the_websocket() {
    for location in [
        "http://api.example/cgi-sys/suspendedpage.cgi",
        "/maintenance.html",
        "/index.php?from=chat",
        "https://portal.example/?rd=https%3A%2F%2Fapi.example%2Fchat",
    ] {
        let pair = Pair::new("", &format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"));
        let facts = Facts { url: Some("wss://api.example/chat"), ..pair.facts() };
        let d = &classify(&facts)[0];
        first(d, "a page for people");
        assert!(d.entry.code == "W310" && !d.help.contains("use `"), "{d:?}");
    }
    let d = of("302 Found", "Location: /en/chat\r\n", "");
    assert!(d.help.contains("use `ws://api.example/en/chat`"), "{d:?}");
}

#[test]
fn a_gateway_that_fails_twice_has_no_answer_of_its_upstream() {
    let nginx = "Server: nginx\r\n";
    for (status, plain) in [("502 Bad Gateway", 504), ("504 Gateway Timeout", 502)] {
        let trials = [trial(Variation::NoUpgrade, plain, "")];
        lacks(&asked("", status, nginx, "", &trials), "the upstream dropped the upgrade");
    }
    let trials = [trial(Variation::NoUpgrade, 404, "")];
    first(&asked("", "502 Bad Gateway", nginx, "", &trials), "the upstream dropped the upgrade");
    // The time may have passed during a lookup, or during an attempt to connect.
    let pair = Pair::new("", "HTTP/1.1 502 Bad Gateway\r\n\r\n");
    let facts = Facts { response_after: Some(Duration::from_secs(2)), ..pair.facts() };
    first(&classify(&facts)[0], "could not be reached");
}

#[test]
fn a_certificate_that_was_sent_may_be_refused_without_a_word() {
    let pair = Pair::new("", "");
    let (what, closed) = (String::new(), TrialOutcome::Nothing("closed".to_owned()));
    let plain = [Trial { variation: Variation::NoUpgrade, what, outcome: closed }];
    for trials in [&[][..], &plain] {
        let facts = Facts {
            url: Some("wss://api.example/chat"),
            response: None,
            report: None,
            trials,
            tls: TlsAttempt { own_certificate: true, asked: true, ..TlsAttempt::default() },
            unanswered: Some(Unanswered {
                how: StreamEnd::Fin,
                after: Duration::from_millis(2),
                received: 0,
            }),
            ..pair.facts()
        };
        let d = &classify(&facts)[0];
        first(d, "refuses the client certificate that was sent");
        lacks(d, "PROXY protocol");
    }
}

#[test]
fn a_header_of_our_own_is_the_first_to_doubt() {
    let verdict = |request: &str, status: &str, headers: &str| {
        let pair = Pair::of(request, &format!("HTTP/1.1 {status}\r\n{headers}\r\n"));
        classify(&pair.facts()).into_iter().next().expect("a verdict")
    };
    let kept = crate::support::REQUEST.replace("Connection: Upgrade", "Connection: keep-alive");
    let d = verdict(&format!("{kept}\r\n"), "426 Upgrade Required", "");
    assert!(d.entry.code == "W320" && d.help.contains("`-H`"), "{d:?}");
    first(&d, "wscope did not send a header");
    let hostless = crate::support::REQUEST.replace("Host: api.example\r\n", "");
    let d = verdict(&format!("{hostless}\r\n"), "400 Bad Request", "Server: nginx\r\n");
    first(&d, "wscope did not send a header");
    lacks(&d, "forwards without Upgrade");
}

#[test]
fn the_page_of_what_stands_in_front_is_no_word_of_the_application() {
    let own = "a rule of the server that answered";
    let gateway = "Server: Microsoft-Azure-Application-Gateway/v2\r\n";
    let page = "<center><h1>403 Forbidden</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2</center>";
    first(&of("403 Forbidden", gateway, page), own);
    let cdn = "<H2>The request could not be satisfied.</H2>blocked in your country";
    let d = of("403 Forbidden", "Server: CloudFront\r\n", cdn);
    first(&d, "the edge of the CDN");
    lacks(&d, "application requires");
    lacks(&d, "ASGI");
    let light = "<h1>404</h1><h2>Not Found</h2><div>Proudly powered by LiteSpeed Web Server";
    let d = asked("", "404 Not Found", "Server: LiteSpeed\r\n", light, &same(404, light));
    first(&d, "the server in front answered itself");
    // If Envoy forwards a refusal, it has a header that Envoy's own refusals never have.
    let passed = "server: envoy\r\ncontent-type: text/plain; charset=utf-8\r\n";
    assert_eq!(of("403 Forbidden", passed, "").entry.code, "W332");
    assert_eq!(of("403 Forbidden", "server: envoy\r\n", "").entry.code, "W329");
}

#[test]
fn a_framework_that_refuses_plain_requests_otherwise_lost_no_upgrade() {
    let tornado = "<html><title>404: Not Found</title><body>404: Not Found</body></html>";
    for body in ["404: Not Found", tornado] {
        let d = asked("", "404 Not Found", "Server: nginx\r\n", body, &same(404, body));
        first(&d, "no route for this path");
        lacks(&d, "without Upgrade");
    }
}

#[test]
fn a_page_of_a_host_that_is_not_set_up_is_known() {
    for page in [
        "<title>Default Web Site Page</title><h1>SORRY!</h1>",
        "<title>example-chat.com is for sale</title>",
    ] {
        let html = "Content-Type: text/html\r\n";
        for trials in [&[][..], &same(200, page)] {
            let d = asked("", "200 OK", html, page, trials);
            first(&d, "it has no site for this Host");
            lacks(&d, "a wrong path or port");
        }
    }
    let d = of("404 Not Found", "", "{\"error\":\"Object Not Found\",\"reason\":\"Not Found\"}");
    assert!(!d.causes[0].text.contains("its reason"), "{d:?}");
}

#[test]
fn a_name_may_say_why_it_is_not_found() {
    for (host, cause) in [
        ("undefined", "a variable of a script"),
        ("null", "a variable of a script"),
        ("raspberrypi.local", "mDNS"),
    ] {
        let url = format!("ws://{host}:8080/ws");
        let lookup = Some(wscope::diagnostics::facts::LookupFault::NotFound);
        let facts = Facts { url: Some(&url), lookup, ..Facts::new(wscope::wire::Role::Client) };
        first(&classify(&facts)[0], cause);
    }
}

#[test]
fn a_windows_login_and_iot_have_their_own_cures() {
    let d = of("401 Unauthorized", "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n", "");
    assert!(d.help.contains("Windows"), "{d:?}");
    let d = of(
        "401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: NTLM\r\n",
        "",
    );
    assert!(!d.help.contains("Windows"), "{d:?}");
    let both = "WWW-Authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    assert!(!of("401 Unauthorized", both, "").help.contains("Windows"));
    let body = "{\"message\":\"Forbidden\",\"traceId\":\"5e\"}";
    first(&of("403 Forbidden", "x-amzn-ErrorType: ForbiddenException\r\n", body), "is not signed");
}

#[test]
fn a_redirect_to_the_url_itself_is_no_cure() {
    let at = |url, location: &str, more: &str| {
        let head = format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\n{more}\r\n");
        let pair = Pair::new("", &head);
        classify(&Facts { url: Some(url), ..pair.facts() }).into_iter().next().expect("a verdict")
    };
    let url = "wss://api.example:8443/chat?a=b";
    for location in
        ["https://api.example:8443/chat?a=b", url, "https://API.example:8443/chat?a=b#x"]
    {
        let d = at(url, location, "");
        assert!(d.entry.code == "W313" && d.title.contains("itself"), "{d:?}");
        first(&d, "TLS ends at a proxy");
        assert!(d.help.contains("X-Forwarded-Proto") && !d.help.contains("use `"), "{d:?}");
    }
    assert_eq!(at("wss://api.example", "https://api.example:443/", "").entry.code, "W313");
    assert_eq!(at("wss://api.example/chat", "/chat", "").entry.code, "W313");
    // The site may expect its cookie.
    lacks(&at(url, url, "Set-Cookie: seen=1\r\n"), "TLS ends at a proxy");
    // Without TLS, the server has another reason.
    lacks(&at("ws://api.example/chat", "/chat", ""), "TLS ends at a proxy");
    // Another port, query or slash is another URL.
    for other in ["https://api.example/chat?a=b", "https://api.example:8443/chat", "/chat/?a=b"] {
        assert_eq!(at(url, other, "").entry.code, "W310");
    }
}

#[test]
fn a_url_with_wss_in_a_text_does_not_ask_for_tls() {
    for (status, text, code) in [
        ("410 Gone", "API v1 was shut down. Use wss://api.example/v2/stream", "W339"),
        ("404 Not Found", "Unknown endpoint. Use wss://stream.example/v2 for data.", "W334"),
        ("404 Not Found", "Unknown endpoint. Use wss://api.example/chat", "W334"),
        ("400 Bad Request", "v1 has ended, please use wss://api.example/v2.", "W323"),
        ("400 Bad Request", "v1 has ended, please use https://docs.example/chat", "W323"),
        // The sentence asks for TLS, or the URL is ours.
        ("400 Bad Request", "Use wss://, not ws://", "W204"),
        ("400 Bad Request", "Please use wss:// instead", "W204"),
        ("400 Bad Request", "Use HTTPS", "W204"),
        ("400 Bad Request", "please use wss://api.example/chat?token=...", "W204"),
        ("403 Forbidden", "Please use wss://api.example/chat.", "W204"),
        ("403 Forbidden", "use wss://api.example", "W204"),
        ("404 Not Found", "HTTPS required", "W204"),
    ] {
        let json = format!("{{\"error\":\"{text}\"}}");
        let d = of(status, "Content-Type: application/json\r\n", &json);
        assert_eq!(d.entry.code, code, "{text}: {d:?}");
    }
}

#[test]
fn a_number_of_cloudflare_is_a_reason() {
    let with = |status: &str, number: &str| {
        let head = "Server: cloudflare\r\nContent-Type: text/plain\r\n";
        asked(
            "",
            status,
            head,
            &format!("error code: {number}\n"),
            &same(403, "error code: 1003\n"),
        )
    };
    for (status, number, cause) in [
        ("403 Forbidden", "1003", "an address instead of a name"),
        ("409 Conflict", "1001", "does not know this host"),
    ] {
        let d = with(status, number);
        assert!(d.entry.code == "W351" && d.is_proved(), "{d:?}");
        first(&d, cause);
    }
    // A number that is not in the catalogue is quoted.
    for status in ["403 Forbidden", "400 Bad Request", "500 Internal Server Error"] {
        let d = with(status, "1299");
        first(&d, "its reason is \"error code: 1299\"");
        assert!(!d.title.contains("without a reason"), "{d:?}");
    }
    first(&with("403 Forbidden", "1020"), "a rule of Cloudflare");
    // These statuses have entries of their own.
    lacks(&with("429 Too Many Requests", "1015"), "its reason is");
    lacks(&with("502 Bad Gateway", "502"), "its reason is");
}

#[test]
fn the_error_type_of_api_gateway_names_the_part_that_failed() {
    let d = of(
        "500 Internal Server Error",
        "x-amzn-ErrorType: AuthorizerConfigurationException\r\n",
        "{\"message\":null}",
    );
    first(&d, "the authorizer of `$connect` failed");
    lacks(&d, "the integration");
    let denied = "{\"message\":\"User is not authorized to access this resource\"}";
    let kind = "x-amzn-ErrorType: AccessDeniedException\r\n";
    let gateway = of("403 Forbidden", &format!("{kind}x-amz-apigw-id: a1\r\n"), denied);
    first(&gateway, "the authorizer of `$connect` refused");
    lacks(&gateway, "Lambda function URL");
    has(&of("403 Forbidden", kind, denied), "Lambda function URL");
}

#[test]
fn the_page_of_a_proxy_without_a_site_for_this_host() {
    let page = "<!DOCTYPE html><h1>Congratulations!</h1>\
        <p>You've successfully started the Nginx Proxy Manager.</p>\
        <p>If you're seeing this site then you're trying to access a host that isn't set up yet.</p>";
    let head = "Server: openresty\r\nContent-Type: text/html\r\n";
    for trials in [&[][..], &same(200, page)] {
        first(&asked("", "200 OK", head, page, trials), "no site for this Host");
    }
}

#[test]
fn a_word_about_sni_without_tls_is_about_the_way_behind() {
    let page = "<p>The client needs a new connection for this request as the requested host name \
        does not match the Server Name Indication (SNI) in use for this connection.</p>";
    let pair = Pair::new("", &format!("HTTP/1.1 421 Misdirected Request\r\n\r\n{page}"));
    let at = |url| classify(&Facts { url: Some(url), ..pair.facts() }).remove(0);
    let d = at("ws://127.0.0.1/chat");
    first(&d, "a proxy in front speaks TLS to this server");
    lacks(&d, "an address instead of a name");
    assert!(d.help.contains("proxy_ssl_name"), "{d:?}");
    first(&at("wss://127.0.0.1/chat"), "an address instead of a name");
}

#[test]
fn credentials_in_another_form_than_their_scheme_asks_for() {
    let sent = |value: &str, challenge: &str| {
        let more = format!("WWW-Authenticate: {challenge}\r\n");
        asked(&format!("Authorization: {value}\r\n"), "401 Unauthorized", &more, "", &[])
    };
    for value in ["Basic bob:s3cret", "basic Ym9i", "Basic"] {
        let d = sent(value, "Basic realm=\"x\"");
        first(&d, if value == "Basic" { "" } else { "not the base64 of user:password" });
        assert!(d.help.contains("`-u USER:PASSWORD`") || value == "Basic", "{d:?}");
        assert!(!format!("{d:?}").contains("s3cret"), "{d:?}");
    }
    let d = sent("Token abc123", "Bearer error=\"invalid_token\"");
    first(&d, "the scheme Token was sent, and the server wants Bearer");
    assert!(d.help.contains("--bearer TOKEN"), "{d:?}");
    for (value, challenge) in [
        ("Basic Ym9iOnMzY3JldA==", "Basic realm=\"x\""),
        ("Basic Ym9iOnMzY3JldA", "Basic realm=\"x\""),
        ("Bearer abc", "Basic realm=\"x\", Bearer error=\"invalid_token\""),
        ("token abc", "Token realm=\"x\""),
    ] {
        let d = sent(value, challenge);
        lacks(&d, "not the base64");
        lacks(&d, "was sent, and");
    }
}

#[test]
fn a_parser_that_refuses_every_request_may_get_other_bytes_first() {
    let d = asked("", "400 Bad Request", "Connection: close\r\n", "", &same(400, ""));
    first(&d, "something in front puts bytes before the request, such as the PROXY protocol");
}

#[test]
fn a_host_with_another_name_than_tls_is_misdirected() {
    let page = "<p>The client needs a new connection for this request as the requested host name \
        does not match the Server Name Indication (SNI) in use for this connection.</p>";
    let at = |url, body: &str| {
        let pair = Pair::new("", &format!("HTTP/1.1 421 Misdirected Request\r\n\r\n{body}"));
        classify(&Facts { url: Some(url), ..pair.facts() }).remove(0)
    };
    // The request has the Host api.example.
    let names = "another name than TLS";
    let d = at("wss://other.example/chat", page);
    assert_eq!(has(&d, names), Confidence::High);
    assert!(d.help.contains("--sni"), "{d:?}");
    assert_eq!(has(&at("wss://other.example/chat", ""), names), Confidence::Medium);
    lacks(&at("wss://api.example/chat", page), names);
    lacks(&at("ws://other.example/chat", page), names);
}

#[test]
fn the_port_of_a_forward_proxy_takes_whole_urls_only() {
    let squid = "Server: squid/5.7\r\nX-Squid-Error: ERR_INVALID_URL 0\r\n";
    first(&of("400 Bad Request", squid, ""), "the port is that of a forward proxy");
    let denied = "Server: squid/5.7\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n";
    lacks(&of("403 Forbidden", denied, ""), "the port is that of a forward proxy");
}

#[test]
fn envoy_that_refuses_plain_requests_too_lacks_no_upgrade_configs() {
    let envoy = "server: envoy\r\n";
    let (filter, upgrade) = ("a filter of Envoy refuses every request", "upgrade_configs");
    let d = asked("", "403 Forbidden", envoy, "", &[trial(Variation::NoUpgrade, 403, "")]);
    first(&d, filter);
    assert!(!d.title.contains("does not forward"), "{d:?}");
    lacks(&d, upgrade);
    let d = asked("", "403 Forbidden", envoy, "", &[trial(Variation::NoUpgrade, 200, "")]);
    first(&d, upgrade);
    lacks(&d, "ext_authz");
}

#[test]
fn a_time_in_the_url_that_has_passed_explains_a_refusal() {
    let now = Some("2026-11-30T10:00:00Z");
    let at = |url: &str, status: &str| {
        let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n\r\n"));
        let tls = TlsAttempt { now, ..TlsAttempt::default() };
        classify(&Facts { url: Some(url), tls, ..pair.facts() }).remove(0)
    };
    let cause = "until a time that has passed";
    first(&at("ws://api.example/chat?md5=x&expires=1795900000", "410 Gone"), cause);
    has(&at("ws://api.example/chat?Expires=1795900000", "403 Forbidden"), cause);
    // Later, another number, or another parameter.
    for query in ["expires=1895900000", "expires=3600", "since=1795900000"] {
        lacks(&at(&format!("ws://api.example/chat?{query}"), "410 Gone"), cause);
    }
}

#[test]
fn a_client_certificate_that_was_asked_for_is_a_cause_of_a_refusal() {
    let at = |asked, more: &str| {
        let pair = Pair::new(more, "HTTP/1.1 401 Unauthorized\r\n\r\n");
        let tls = TlsAttempt { asked, ..TlsAttempt::default() };
        classify(&Facts { url: Some("wss://api.example/chat"), tls, ..pair.facts() }).remove(0)
    };
    let cause = "asked for a client certificate";
    first(&at(true, ""), cause);
    lacks(&at(false, ""), cause);
    lacks(&at(true, "Authorization: Bearer x\r\n"), cause);
}

#[test]
fn cowboy_answers_400_for_a_host_without_routes() {
    first(&of("400 Bad Request", "server: Cowboy\r\n", ""), "no routes for this Host");
    lacks(&of("400 Bad Request", "server: Cowboy\r\n", "bad key"), "no routes for this Host");
    lacks(&of("400 Bad Request", "server: other\r\n", ""), "no routes for this Host");
}

#[test]
fn the_field_of_a_validation_stands_before_its_sentence() {
    let body =
        r#"{"type":"validation","on":"query","property":"/room","message":"Expected string"}"#;
    first(&of("422 Unprocessable Entity", "", body), "room: Expected string");
    let body = r#"{"message":"room is too short","field":"room"}"#;
    first(&of("400 Bad Request", "", body), "its reason is \"room is too short\"");
}

#[test]
fn ports_of_other_services_over_http_are_known() {
    let mongo =
        "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n";
    first(&of("200 OK", "Content-Type: text/plain\r\n", mongo), "that of MongoDB");
    let metrics = "# HELP python_info Python\n# TYPE python_info gauge\npython_info 1.0\n";
    first(&of("200 OK", "Content-Type: text/plain\r\n", metrics), "metrics for Prometheus");
    lacks(&of("200 OK", "Content-Type: text/plain\r\n", "# help yourself"), "Prometheus");
}

#[test]
fn a_status_in_the_body_of_a_200_is_an_error() {
    let json = "Content-Type: application/json\r\n";
    first(&of("200 OK", json, r#"{"msg":"认证失败，无法访问系统资源","code":401}"#), "认证失败");
    lacks(&of("200 OK", json, r#"{"msg":"all systems go","code":200}"#), "all systems go");
}
