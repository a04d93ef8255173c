//! Openings that real servers and proxies refused, and the answers next to them.

use wscope::diagnostics::facts::{StreamEnd, Trial, TrialOutcome, Unanswered, Variation};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::Pair;

/// The verdict on an answer at this URL, for a request with additional headers.
fn at(url: &str, more: &str, answer: &str, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new(more, answer);
    let facts = Facts { trials, url: Some(url), ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

fn of(answer: &str, trials: &[Trial]) -> Diagnostic {
    at("ws://api.example/chat", "", answer, trials)
}

fn trial(variation: Variation, code: u16, body: &str) -> Trial {
    let (text, body) = (format!("{code} of the trial"), body.as_bytes().to_vec());
    Trial { variation, what: String::new(), outcome: TrialOutcome::Status { code, text, body } }
}

fn plain(code: u16, body: &str) -> Trial {
    trial(Variation::NoUpgrade, code, body)
}

fn opened(variation: Variation, what: &str) -> Trial {
    Trial { variation, what: what.to_owned(), outcome: TrialOutcome::Opened }
}

#[track_caller]
fn first(d: &Diagnostic, words: &str) {
    assert!(d.causes.first().is_some_and(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn has(d: &Diagnostic, words: &str) {
    assert!(d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[track_caller]
fn lacks(d: &Diagnostic, words: &str) {
    assert!(!d.causes.iter().any(|cause| cause.text.contains(words)), "{words}: {d:?}");
}

#[test]
fn a_header_of_the_handshake_in_a_success_proves_nothing() {
    // Mojolicious computes it for every request with Upgrade.
    let answer = "HTTP/1.1 200 OK\r\nServer: Mojolicious (Perl)\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nContent-Type: text/plain\r\n\r\nhello";
    let d = of(answer, &[]);
    assert!(!d.is_proved(), "{d:?}");
    let d = of(answer, &[plain(200, "hello")]);
    assert!(!d.is_proved(), "{d:?}");
    first(&d, "an HTTP handler serves this path, and no WebSocket");
    lacks(&d, "agreed to the handshake");
    has(&of(answer, &[plain(404, "")]), "agreed to the handshake");
}

#[test]
fn a_key_is_that_of_an_api_unless_the_header_is_named() {
    for body in ["missing key", "invalid key", "bad key", "{\"error\":\"invalid key\"}"] {
        for status in ["401 Unauthorized", "403 Forbidden", "400 Bad Request"] {
            let d = of(&format!("HTTP/1.1 {status}\r\n\r\n{body}"), &[plain(403, body)]);
            assert_ne!(d.entry.code, "W322", "{d:?}");
            first(&d, "key\"");
        }
    }
    for body in ["missing Sec-WebSocket-Key", "Invalid Sec-WebSocket-Key header"] {
        assert_eq!(of(&format!("HTTP/1.1 400 Bad Request\r\n\r\n{body}"), &[]).entry.code, "W322");
        let d = of(&format!("HTTP/1.1 403 Forbidden\r\n\r\n{body}"), &[]);
        assert_ne!(d.entry.code, "W322", "{d:?}");
    }
}

#[test]
fn a_refusal_names_the_subprotocol_that_it_wants() {
    let answer = "HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Protocol: sip\r\n\
        Sec-WebSocket-Version: 13\r\nServer: kamailio\r\nContent-Length: 0\r\n\r\n";
    for more in ["", "Sec-WebSocket-Protocol: xmpp\r\n"] {
        let d = at("ws://api.example/", more, answer, &[]);
        assert!(d.entry.code == "W350" && d.is_proved() && d.causes.len() == 1, "{d:?}");
        assert!(d.help.contains("`-s sip`"), "{d:?}");
    }
    // The same subprotocol was offered, another reason is given, or the status is about something
    // else.
    let offered = at("ws://api.example/", "Sec-WebSocket-Protocol: sip\r\n", answer, &[]);
    assert_ne!(offered.entry.code, "W350", "{offered:?}");
    let d = of(
        "HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Protocol: sip\r\n\r\norigin not allowed",
        &[],
    );
    assert_eq!(d.entry.code, "W328", "{d:?}");
    let d = of("HTTP/1.1 403 Forbidden\r\nSec-WebSocket-Protocol: sip\r\n\r\n", &[]);
    assert_eq!(d.entry.code, "W332", "{d:?}");
}

#[test]
fn the_bare_400_of_ws_is_about_the_path() {
    let of_ws = |front: &str| {
        format!(
            "HTTP/1.1 400 Bad Request\r\n{front}Content-Type: text/html\r\nContent-Length: 11\r\n\r\nBad Request"
        )
    };
    let path = "the path that reaches the server is not that of its WebSocket";
    for front in ["Connection: close\r\n", "Server: nginx/1.22.1\r\n", "Via: 1.1 Caddy\r\n"] {
        let d = of(&of_ws(front), &[]);
        first(&d, path);
        lacks(&d, "forwards without Upgrade");
        let d = of(&of_ws(front), &[plain(200, "hello"), trial(Variation::OtherPath, 404, "")]);
        first(&d, path);
        lacks(&d, "no WebSocket");
        // The words about a POST are those of the HTTP handler.
        let d = of(&of_ws(front), &[plain(400, "POST body missing")]);
        first(&d, path);
        lacks(&d, "POST");
    }
    // A plain GET with the same answer never reached that library, and a page is another's.
    lacks(&of(&of_ws("Server: nginx/1.22.1\r\n"), &[plain(400, "Bad Request")]), path);
    for body in ["<h1>Bad Request</h1>", "Bad Request\n", ""] {
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n{body}"
        );
        lacks(&of(&answer, &[]), path);
    }
}

#[test]
fn the_page_of_werkzeug_is_that_of_a_route_without_websocket() {
    let page = "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n\
        <p>The browser (or proxy) sent a request that this server could not understand.</p>\n";
    for server in ["gunicorn", "Werkzeug/3.0.1 Python/3.11.2"] {
        let answer = |status: &str| {
            format!(
                "HTTP/1.1 {status}\r\nServer: {server}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}"
            )
        };
        let d = of(&answer("400 BAD REQUEST"), &[]);
        first(&d, "the upgrade arrived at a route of HTTP");
        lacks(&d, "forwards without Upgrade");
        // The application answers a plain GET in the same way, or another server writes the text.
        lacks(&of(&answer("400 BAD REQUEST"), &[plain(400, page)]), "arrived at a route");
        lacks(&of(&answer("400 Bad Request"), &[]), "arrived at a route");
    }
    // A plain GET gets the same page at a route of WebSocket. So behind a proxy, the upgrade may have
    // been lost, unless a plain GET gets another answer.
    let answer = format!("HTTP/1.1 400 BAD REQUEST\r\nServer: nginx/1.22.1\r\n\r\n{page}");
    let d = of(&answer, &[]);
    first(&d, "forwards without Upgrade");
    lacks(&d, "arrived at a route");
    first(&of(&answer, &[plain(200, "hello")]), "the upgrade arrived at a route of HTTP");
    // Behind a proxy, the application may have no WebSocket support.
    let d = of(
        "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\n\r\nNot Found",
        &[],
    );
    has(&d, "the application has no WebSocket support");
}

#[test]
fn a_success_may_say_that_the_service_is_unavailable() {
    let page = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Sorry!</h1>\
        <p>The service is temporarily unavailable. Please try again in a few minutes.</p></body></html>";
    for (kind, body, reason) in [
        ("text/html", page, "The service is temporarily unavailable."),
        ("text/plain", "Down for maintenance, back at 18:00", "back at 18:00"),
        (
            "application/json",
            r#"{"status":"error","message":"Scheduled maintenance until 22:00 UTC"}"#,
            "until 22:00 UTC",
        ),
        ("application/json", r#"{"success":false,"message":"no worker is free"}"#, "no worker"),
    ] {
        let same = [plain(200, body), trial(Variation::OtherPath, 200, body)];
        for trials in [&[][..], &same] {
            let d = of(&format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n{body}"), trials);
            first(&d, "its reason is");
            first(&d, reason);
        }
    }
    for (kind, body) in [
        ("text/html", "<title>Status</title><p>There is no scheduled maintenance.</p>"),
        ("text/plain", "pong"),
        ("application/json", r#"{"status":"ok","message":"all systems are up"}"#),
        ("application/json", r#"{"status":"success","error":null,"message":"hello you there"}"#),
    ] {
        let d = of(&format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n{body}"), &[]);
        lacks(&d, "its reason is");
        assert_ne!(d.entry.code, "W344", "{d:?}");
    }
}

#[test]
fn an_apology_may_have_the_reason() {
    let of_page = |page: &str| {
        of(
            &format!("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n{page}"),
            &[],
        )
    };
    let page = "<title>Site Maintenance</title><h1>We&rsquo;ll be back soon!</h1>\
        <p>Sorry for the inconvenience but we&rsquo;re performing some maintenance at the moment.</p>";
    first(&of_page(page), "performing some maintenance at the moment");
    first(
        &of_page("<title>Filtered</title><p>The request you made has been filtered</p>"),
        "been filtered",
    );
    for page in ["<p>Sorry for the inconvenience.</p>", "<p>Please contact the support.</p>"] {
        lacks(&of_page(page), "its reason is");
    }
}

#[test]
fn the_status_about_the_url_is_not_about_cookies() {
    let d = of("HTTP/1.1 414 Request-URI Too Large\r\n\r\n", &[]);
    first(&d, "the URL is longer");
    assert!(d.is_proved() && d.title.contains("URL"), "{d:?}");
    lacks(&d, "cookies");
    lacks(&of("HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n", &[]), "cookies");
    let cookie = "Cookie: a=b\r\n";
    let url = "ws://api.example/chat";
    has(&at(url, cookie, "HTTP/1.1 431 Too Large\r\n\r\n", &[]), "cookies");
}

#[test]
fn an_unknown_virtual_host_is_the_host() {
    let page = "<title>404 Unknown virtual host</title><h1>Error 404 Unknown virtual host</h1>\
        <p>Unknown virtual host</p><h3>Guru Meditation:</h3><p>XID: 6</p>";
    for answer in [
        format!("HTTP/1.1 404 Unknown virtual host\r\nContent-Type: text/html\r\n\r\n{page}"),
        "HTTP/1.1 404 Not Found\r\n\r\nno such site".to_owned(),
        "HTTP/1.1 404 Unknown virtual host\r\n\r\n".to_owned(),
    ] {
        assert_eq!(of(&answer, &[]).entry.code, "W351", "{answer}");
        assert!(of(&answer, &[]).help.contains("--host NAME"), "{answer}");
        lacks(&of(&answer, &[]), "a proxy changes Host");
    }
    // A gateway speaks of its upstream.
    let d = of("HTTP/1.1 502 Bad Gateway\r\n\r\nlookup app: unknown host", &[]);
    assert_ne!(d.entry.code, "W351", "{d:?}");
}

#[test]
fn an_answer_without_a_header_is_that_of_a_handler_of_upgrades() {
    let origin = "Origin: http://localhost:3000\r\n";
    let refused = [plain(200, "hello"), trial(Variation::NoOrigin, 403, "")];
    let d = at("ws://api.example/chat", origin, "HTTP/1.1 403 Forbidden\r\n\r\n", &refused);
    first(&d, "the server has a handler of upgrades: its application refused");
    lacks(&d, "no WebSocket");
    let with = "HTTP/1.1 403 Forbidden\r\nServer: uvicorn\r\nContent-Length: 0\r\n\r\n";
    first(&of(with, &[plain(200, "hello")]), "serves plain HTTP, and no WebSocket");
}

#[test]
fn the_origin_of_the_server_is_no_suspect() {
    let answer = "HTTP/1.1 403 Access denied\r\nServer: daphne\r\nContent-Length: 0\r\n\r\n";
    let url = "ws://api.example:11111/ws/private/";
    let d = at(url, "Origin: http://api.example\r\n", answer, &[]);
    assert!(!d.is_supported(), "{d:?}");
    first(&d, "credentials");
    // Another port of the same host is another application.
    for origin in ["https://app.example.com", "http://api.example:3000"] {
        let d = at(url, &format!("Origin: {origin}\r\n"), answer, &[]);
        first(&d, "the Origin is not allowed, or credentials");
    }
}

#[test]
fn the_query_of_engine_io_is_read() {
    let answer = "HTTP/1.1 403 Forbidden\r\nserver: uvicorn\r\ncontent-length: 0\r\n\r\n";
    let python =
        "\"The client is using an unsupported version of the Socket.IO or Engine.IO protocols\"";
    let bare = "ws://api.example/socket.io/";
    first(&at(bare, "", answer, &[]), "the query lacks `EIO=4&transport=websocket`");
    let old = "ws://api.example/socket.io/?EIO=3&transport=websocket";
    first(&at(old, "", answer, &[]), "does not support EIO=3");
    for url in [bare, old] {
        let d = at(url, "", answer, &[plain(400, python)]);
        assert!(d.entry.code == "W324" && d.is_proved(), "{d:?}");
        first(&d, "EIO is missing, or not a version");
        assert!(d.help.contains("EIO=4"), "{d:?}");
    }
    // The query is right, the path is another one, or a plain GET is refused as such.
    let right = "ws://api.example/socket.io/?EIO=4&transport=websocket";
    for (url, told) in [
        (right, "{\"code\":3,\"message\":\"Bad request\"}"),
        (right, ""),
        ("ws://api.example/ws", ""),
    ] {
        let d = at(url, "", answer, &[plain(400, told)]);
        lacks(&d, "EIO");
        assert_eq!(d.entry.code, "W332", "{d:?}");
    }
}

#[test]
fn the_inspector_of_node_wants_the_id_of_a_target() {
    let answer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/html; charset=UTF-8\r\n\r\nWebSockets request was expected\r\n";
    let d = of(answer, &[plain(400, "WebSockets request was expected\r\n")]);
    first(&d, "not that of a target of Node's inspector");
    assert!(d.is_proved() && d.help.contains("/json/list"), "{d:?}");
    let d = of("HTTP/1.1 400 Bad Request\r\n\r\nA WebSocket request was expected here", &[]);
    lacks(&d, "inspector");
}

#[test]
fn words_of_http_are_no_reason_for_an_upgrade() {
    let answer = "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n";
    for words in ["POST body missing", "Must provide query string.", "use POST to send a query"] {
        lacks(&of(answer, &[plain(400, words)]), "to a plain GET, the server says");
    }
    first(&of(answer, &[plain(400, "room is required")]), "to a plain GET, the server says");
}

#[test]
fn a_redirect_to_the_network_behind_is_a_rule_that_does_not_forward() {
    let to = |location: &str| {
        of(&format!("HTTP/1.1 302 Found\r\nServer: Apache\r\nLocation: {location}\r\n\r\n"), &[])
    };
    for inside in ["ws://127.0.0.1:21101/ws", "ws://10.0.0.7:8080/chat", "ws://localhost:3000/"] {
        let d = to(inside);
        first(&d, "redirects to the server behind it instead of forwarding");
        assert!(d.help.contains("[P]"), "{d:?}");
    }
    for outside in ["ws://ws.example.com/chat", "https://10.0.0.7/portal", "/chat/"] {
        lacks(&to(outside), "instead of forwarding");
    }
}

#[test]
fn a_slash_that_leads_to_a_page_is_no_cure() {
    let answer = "HTTP/1.1 301 Moved Permanently\r\nLocation: /chat/\r\n\r\n";
    assert!(of(answer, &[]).is_proved());
    assert!(of(answer, &[opened(Variation::Redirected, "/chat/")]).is_proved());
    let d = of(answer, &[trial(Variation::Redirected, 200, "<p>home</p>")]);
    assert!(!d.is_proved() && !d.help.contains("ws://api.example/chat/"), "{d:?}");
    first(&d, "no WebSocket at that path");
}

#[test]
fn the_cure_is_one_that_opened() {
    let origin = "Origin: https://evil.example\r\n";
    let url = "ws://api.example/chat";
    let answer = "HTTP/1.1 403 Forbidden\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
    let refused = trial(Variation::OwnOrigin, 403, "");
    let trials = [refused.clone(), trial(Variation::NoOrigin, 400, "")];
    let body = answer.replace("\r\n\r\n", "\r\n\r\norigin not allowed");
    let d = at(url, origin, &body, &trials);
    assert!(d.entry.code == "W327" && !d.help.contains("eave the Origin out"), "{d:?}");
    let d = at(url, origin, answer, &[refused, opened(Variation::NoOrigin, "")]);
    assert!(d.entry.code == "W327" && d.help.contains("leave the Origin out"), "{d:?}");
}

#[test]
fn the_same_answer_to_a_plain_get_behind_a_proxy_is_first_a_lost_upgrade() {
    let answer = "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n";
    let front = "<center>nginx/1.22.1</center>";
    let d = of(answer, &[plain(404, ""), trial(Variation::OtherPath, 404, front)]);
    first(&d, "a proxy forwards without Upgrade and Connection");
    has(&d, "forwards this path to another server");
    let d = of(answer, &[plain(200, ""), trial(Variation::OtherPath, 404, front)]);
    first(&d, "forwards this path to another server");
}

#[test]
fn possibilities_of_a_rule_and_of_a_proxy_without_a_server() {
    let page = "<html><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>";
    let d = of(&format!("HTTP/1.1 403 Forbidden\r\nServer: nginx\r\n\r\n{page}"), &[]);
    first(&d, "User-Agent");
    let page = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>";
    let d = of(
        &format!("HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n{page}"),
        &[],
    );
    first(&d, "No server is available");
    has(&d, "selects a server for this Host or path");
    let d = of("HTTP/1.1 503 Service Unavailable\r\n\r\nBackend not available", &[]);
    has(&d, "selects a server for this Host or path");
    let d = of("HTTP/1.1 503 Service Unavailable\r\n\r\nthe database is down", &[]);
    lacks(&d, "selects a server");
}

#[test]
fn a_bare_400_may_come_from_a_server_whose_websocket_is_off() {
    let d = of("HTTP/1.1 400 Bad Request\r\nServer: Webdis\r\nContent-Length: 0\r\n\r\n", &[]);
    has(&d, "or has it switched off");
}

#[test]
fn a_trial_that_opens_shows_what_was_missing() {
    let answer = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";
    let d = of(answer, &[plain(200, "hi"), opened(Variation::Subprotocol, "xmpp")]);
    assert!(d.entry.code == "W350" && d.is_proved(), "{d:?}");
    assert!(d.help.contains("`-s xmpp`"), "{d:?}");
    // A subprotocol of the peer's that could not be typed is not written into a command.
    let d = of(answer, &[opened(Variation::Subprotocol, "a`b c")]);
    assert!(!d.help.contains("a`b"), "{d:?}");
    for how in [StreamEnd::Fin, StreamEnd::Timeout] {
        let after = std::time::Duration::from_millis(10);
        let unanswered = Some(Unanswered { how, after, received: 0 });
        for (trial, words) in [
            (opened(Variation::Subprotocol, "janus-protocol"), "requires a subprotocol"),
            (opened(Variation::OwnOrigin, "http://api.example"), "requires its own Origin"),
        ] {
            let pair = Pair::new("", "");
            let trials = [plain(200, "hi"), trial];
            let facts =
                Facts { trials: &trials, response: None, report: None, unanswered, ..pair.facts() };
            let d = classify(&facts).into_iter().next().expect("a verdict");
            first(&d, words);
            assert_eq!(d.causes[0].confidence, Confidence::High, "{d:?}");
            let value = &facts.trials[1].what;
            assert!(d.help.contains(&format!(" {value}`")), "{d:?}");
        }
    }
}
