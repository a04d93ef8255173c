//! The meaning of an answer's words, and their author.

use wscope::diagnostics::facts::{Trial, TrialOutcome, Variation};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};

use crate::support::Pair;

/// The verdict on an answer, with the answers to a plain GET and to an unknown path.
fn of(status: &str, headers: &str, body: &str, trials: &[(Variation, u16, &str)]) -> Diagnostic {
    let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    let trials: Vec<Trial> = trials
        .iter()
        .map(|(variation, code, body)| {
            let (text, body) = (format!("{code} of the trial"), body.as_bytes().to_vec());
            let outcome = TrialOutcome::Status { code: *code, text, body };
            Trial { variation: *variation, what: String::new(), outcome }
        })
        .collect();
    let facts = Facts { trials: &trials, ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

#[track_caller]
fn is(d: &Diagnostic, code: &str, cause: &str) {
    let first = d.causes.first().map(|cause| &*cause.text).unwrap_or_default();
    assert!(d.entry.code == code && first.contains(cause), "{cause}: {d:?}");
}

#[test]
fn the_name_of_a_member_that_has_its_value_demands_nothing() {
    for (body, code, cause) in [
        ("{\"error\":\"no seat left\",\"connectionId\":\"AbC=\"}", "W323", "no seat left"),
        ("{\"error\":\"no seat left\",\"sessionId\":\"5f0e\"}", "W323", "no seat left"),
        // Here, the text is about the name.
        ("{\"errors\":{\"origin\":[\"must be one of ours\"]}}", "W328", ""),
        ("{\"token\":\"missing\"}", "W326", ""),
        ("{\"connectionId\":null}", "W352", ""),
    ] {
        is(&of("400 Bad Request", "", body, &[]), code, cause);
    }
}

#[test]
fn a_word_inside_of_a_name_is_none() {
    let body = "{\"error\":\"upgradePlan failed for user 7\"}";
    is(&of("500 No", "", body, &[]), "W341", "its reason is \"upgradePlan failed for user 7\"");
    is(&of("400 No", "", "upgrade expected", &[]), "W320", "");
    is(&of("400 No", "", "{\"title\":\"Bad signature\"}", &[]), "W323", "Bad signature");
}

#[test]
fn json_is_quoted_by_its_sentence_or_its_word() {
    for (body, reason) in [
        ("{\"errorMessage\":\"seat is taken\"}", "seat is taken"),
        ("{\"error_msg\":\"seat is taken\",\"code\":\"E7\"}", "seat is taken"),
        ("{\"status\":\"starting\",\"progress\":42}", "starting"),
        ("{\"error\":\"shard_moved\",\"id\":\"a1\"}", "shard_moved"),
        ("{\"title\":\"Shard moved\",\"detail\":\"ask shard 8\"}", "Shard moved: ask shard 8"),
    ] {
        let d = of("503 No", "", body, &[]);
        is(&d, "W344", &format!("its reason is \"{reason}\""));
    }
    // These bodies contain no sentence.
    for body in ["{\"ok\":false,\"n\":1}", "{\"success\":false,\"code\":1234}", "{}"] {
        let d = of("503 No", "", body, &[]);
        assert!(!d.causes.iter().any(|cause| cause.text.contains("its reason")), "{d:?}");
    }
}

#[test]
fn a_heading_is_read_wherever_it_stands_and_a_status_is_left_out() {
    let page = "<html><body><header><h1>Blocked hosts: a.example</h1></header><p>Ask.</p></body>";
    is(&of("403 Forbidden", "Content-Type: text/html\r\n", page, &[]), "W351", "");
    let page = "<html><header><a>Sign in</a></header><p>the room is closed today</p>";
    let d = of("403 Forbidden", "Content-Type: text/html\r\n", page, &[]);
    is(&d, "W332", "its reason is \"the room is closed today\"");
    let text = "⚠️ 409 — Conflict\n==============\nthe seat is taken\n";
    is(&of("409 Conflict", "", text, &[]), "W323", "its reason is \"the seat is taken\"");
    // Stock sentences are not a reason.
    let page = "<html><h1>Error: Server Error</h1><h2>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.</h2></html>";
    let d = of("502 Bad Gateway", "Content-Type: text/html\r\n", page, &[]);
    assert!(!d.causes.iter().any(|cause| cause.text.contains("its reason")), "{d:?}");
}

#[test]
fn an_error_in_a_challenge_is_about_what_was_sent() {
    let wrong =
        "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"it is old\"\r\n";
    let d = of("401 Unauthorized", wrong, "", &[]);
    is(&d, "W326", "its reason is \"it is old\"");
    let d = of("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", "", &[]);
    is(&d, "W326", "no credentials were sent");
}

#[test]
fn headers_name_the_program_and_what_it_wants() {
    let tls = "Upgrade: TLS/1.2, HTTP/1.1\r\n";
    is(&of("426 Upgrade Required", tls, "encrypt", &[]), "W204", "");
    is(&of("426 Upgrade Required", "Upgrade: websocket\r\n", "", &[]), "W320", "");
    is(&of("426 Upgrade Required", "Upgrade: h2c\r\n", "", &[]), "W346", "");
    let kind = "x-amzn-ErrorType: MissingAuthenticationTokenException\r\n";
    let body = "{\"message\":\"Missing Authentication Token\"}";
    is(&of("403 Forbidden", kind, body, &[]), "W331", "no stage or route");
    let ids = "\"connectionId\":\"A1=\",\"requestId\":\"b2\"";
    let body = format!("{{\"message\":\"Forbidden\",{ids}}}");
    is(&of("403 Forbidden", "", &body, &[]), "W331", "the authorizer of `$connect`");
    let body = format!("{{\"message\":\"Internal server error\",{ids}}}");
    is(&of("502 Bad Gateway", "", &body, &[]), "W331", "the integration of `$connect`");
    let router = "X-Cf-RouterError: unknown_route\r\n";
    let d = of("404 Not Found", router, "404: Requested route ('x') does not exist.", &[]);
    is(&d, "W334", "the server in front answered itself");
    let d = of("404 Not Found", "Server: AmazonS3\r\n", "", &[]);
    is(&d, "W334", "has no WebSocket support");
    assert!(!d.causes.iter().any(|cause| cause.text.contains("Upgrade")), "{d:?}");
}

#[test]
fn what_comparison_leaves_open_is_named_together() {
    use Variation as V;
    let (plain, other) = (V::NoUpgrade, V::OtherPath);
    let json = "{\"code\":7}";
    for (status, body, trials, code, cause) in [
        // The application serves the path, and refuses this request or has no WebSocket.
        (
            "403 No",
            "",
            &[(plain, 200, "ok"), (other, 403, "")][..],
            "W332",
            "its application refused",
        ),
        ("400 No", "", &[(plain, 200, "ok")], "W323", "its application refused"),
        ("403 No", "", &[(plain, 403, ""), (other, 403, "")], "W332", "by the application"),
        (
            "403 No",
            json,
            &[(plain, 403, json), (other, 403, json)],
            "W332",
            "refuses every request",
        ),
        ("403 No", "", &[(plain, 403, ""), (other, 404, "")], "W332", "knows this path"),
        ("200 OK", json, &[(plain, 200, json), (other, 200, json)], "W305", "missing or off"),
        ("204 No", "", &[(plain, 204, ""), (other, 204, "")], "W305", "no site for this Host"),
        ("500 No", "", &[(plain, 404, ""), (other, 500, "")], "W341", "its handler lacks"),
    ] {
        let d = of(status, "", body, trials);
        is(&d, code, cause);
        assert!(!d.is_proved(), "{d:?}");
    }
    let d = of("200 OK", "", json, &[(plain, 200, json), (other, 200, json)]);
    assert!(!d.help.contains("--host"), "{d:?}");
}

#[test]
fn what_was_sent_is_no_cure() {
    let d = of("400 Version 13 not supported", "Sec-WebSocket-Version: 8\r\n", "", &[]);
    assert!(d.entry.code == "W321" && !d.help.contains("-H"), "{d:?}");
    // The address in a URL does not prove what a 421 is about.
    let pair = Pair::new("", "HTTP/1.1 421 Misdirected Request\r\n\r\n");
    let facts = Facts { url: Some("ws://127.0.0.1:1/"), ..pair.facts() };
    let d = classify(&facts).into_iter().next().expect("a verdict");
    assert!(d.entry.code == "W211" && d.is_supported() && !d.is_proved(), "{d:?}");
}

#[test]
fn what_a_framework_writes_for_plain_requests_was_no_upgrade() {
    let page = "<!DOCTYPE html><body><pre>Cannot GET /chat</pre></body>";
    let d = of("404 Not Found", "Content-Type: text/html\r\n", page, &[]);
    is(&d, "W334", "took the upgrade for a plain request");
    // Behind a proxy, the proxy is the first suspect.
    let d = of("404 Not Found", "Server: nginx\r\n", page, &[]);
    is(&d, "W334", "a proxy forwards without Upgrade");
}

#[test]
fn a_program_without_websocket_is_named_whatever_its_status_is() {
    let server = "Server: WSGIServer/0.2 CPython/3.11\r\n";
    for (status, more, code) in [
        ("301 Moved", "Location: /chat/\r\n", "W310"),
        ("200 OK", "", "W305"),
        ("500 Failed", "", "W341"),
    ] {
        is(&of(status, &format!("{server}{more}"), "", &[]), code, "has no WebSocket support");
    }
}

#[test]
fn an_error_in_the_form_of_graphql_is_that_of_graphql_over_http() {
    let body = "{\"errors\":[{\"message\":\"no type\",\"extensions\":{\"code\":\"BAD_REQUEST\"}}]}";
    let d = of("400 Bad Request", "Content-Type: application/json\r\n", body, &[]);
    is(&d, "W304", "");
}

#[test]
fn a_program_named_in_a_header_gives_no_other_reason_than_its_own() {
    let server = "Server: mitmproxy 11.0\r\n";
    let d = of("403 Forbidden", server, "use the address, not a name", &[]);
    is(&d, "W117", "its reason is \"use the address, not a name\"");
    assert_eq!(of("403 Forbidden", server, "", &[]).entry.code, "W117");
}

#[test]
fn a_header_that_opens_the_way_is_the_ground_whatever_the_status_was() {
    for (headers, variation, code) in [
        ("Host: other.example\r\n", Variation::OwnHost, "W351"),
        ("Sec-WebSocket-Protocol: a\r\n", Variation::NoSubprotocol, "W350"),
    ] {
        for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "500 No"] {
            let pair = Pair::new(headers, &format!("HTTP/1.1 {status}\r\nServer: squid\r\n\r\n"));
            let trial = Trial { variation, what: String::new(), outcome: TrialOutcome::Opened };
            let trials = [trial];
            let facts = Facts { trials: &trials, ..pair.facts() };
            let d = classify(&facts).into_iter().next().expect("a verdict");
            assert!(d.entry.code == code && d.is_proved(), "{status}: {d:?}");
        }
    }
}

#[test]
fn a_handler_that_saw_the_upgrade_and_left_it_is_no_lost_upgrade() {
    use Variation as V;
    let trials = [(V::NoUpgrade, 404, "no"), (V::OtherPath, 404, "no")];
    let d = of("200 OK", "Server: Jetty\r\n", "", &trials);
    is(&d, "W305", "saw the upgrade and did not take it");
    for wrong in ["no site for this Host", "forwards without", "an HTTP handler"] {
        assert!(!d.causes.iter().any(|cause| cause.text.contains(wrong)), "{wrong}: {d:?}");
    }
}

#[test]
fn a_word_with_another_meaning_chooses_no_cause() {
    for (status, text) in [
        ("403 No", "Origin airport LHR has no feed today"),
        ("503 No", "origin database is being migrated"),
        ("400 No", "the host is not in the meeting yet"),
        ("500 No", "upgrade of schema 12 is running"),
        ("503 No", "upgrade in progress until noon"),
        ("404 No", "path planner p-4 is asleep; wake it first"),
        ("404 No", "link expired: this connection URL was already used"),
        ("400 No", "client certificate CN is not on the list"),
    ] {
        let d = of(status, "", text, &[]);
        let first = d.causes.first().map(|cause| &*cause.text).unwrap_or_default();
        assert!(first.starts_with("its reason is \""), "{text}: {d:?}");
        assert!(!matches!(d.entry.code, "W327" | "W328" | "W351" | "W320" | "W212"), "{d:?}");
    }
    for (text, code) in [
        ("Origin not allowed", "W328"),
        ("origin https://a.example is not on the allowlist", "W328"),
        ("the origin must be one of ours", "W328"),
        ("Host is not in the list", "W351"),
        ("upgrade required", "W320"),
        ("token bucket empty", "W340"),
    ] {
        assert_eq!(of("403 No", "", text, &[]).entry.code, code, "{text}");
    }
    // An unknown path is not a reason by itself.
    let d = of("404 No", "", "The requested URL /chat was not found here", &[]);
    assert!(!d.causes.iter().any(|cause| cause.text.contains("its reason")), "{d:?}");
}

#[test]
fn a_plain_get_that_is_refused_otherwise_shows_that_the_upgrade_arrived() {
    let text = "Received invalid WebSocket request";
    let d = of("403 No", "Server: nginx\r\n", text, &[(Variation::NoUpgrade, 400, "no")]);
    is(&d, "W332", "");
    assert!(!d.causes.iter().any(|cause| cause.text.contains("without Upgrade")), "{d:?}");
}

#[test]
fn the_words_of_a_401_stand_beside_its_challenge() {
    let key = "WWW-Authenticate: apikey realm=\"x\"\r\n";
    let d = of("401 Unauthorized", key, "{\"message\":\"Missing API key in request\"}", &[]);
    is(&d, "W326", "its reason is \"Missing API key in request\"");
    assert!(d.causes.iter().any(|cause| cause.text == "no credentials were sent"), "{d:?}");
    // A text that repeats the status is not a reason.
    for text in [
        "{\"message\":\"Unauthorized\"}",
        "Authentication required",
        "{\"error\":\"Login required\"}",
    ] {
        is(&of("401 Unauthorized", key, text, &[]), "W326", "no credentials were sent");
    }
}

#[test]
fn json_is_read_where_its_message_is_a_list_and_a_header_where_there_is_no_body() {
    let body =
        "{\"error\":{\"message\":\"this API is switched off\",\"status\":\"PERMISSION_DENIED\"}}";
    is(&of("403 Forbidden", "", body, &[]), "W332", "its reason is \"this API is switched off\"");
    let body = "{\"status\":\"fail\",\"data\":{\"symbol\":\"trading is halted\"}}";
    is(&of("400 Bad Request", "", body, &[]), "W323", "its reason is \"symbol trading is halted");
    let body = "{\"errors\":{\"room\":[\"is too short\"]}}";
    is(&of("400 Bad Request", "", body, &[]), "W323", "its reason is \"room is too short\"");
    let body = "{\"statusCode\":400,\"message\":[\"room is too short\"],\"error\":\"Bad Request\"}";
    is(&of("400 Bad Request", "", body, &[]), "W323", "its reason is \"room is too short\"");
    let body = "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403}";
    let d = of("403 Forbidden", "", body, &[]);
    assert!(!d.causes.iter().any(|cause| cause.text.contains("its reason")), "{d:?}");
    let d = of("403 Forbidden", "X-Error-Message: workspace is archived\r\n", "", &[]);
    is(&d, "W332", "its reason is \"workspace is archived\"");
    let page = "<br />\n<b>Fatal error</b>:  Uncaught Error: Class \"A\" not found in /srv/a.php:3";
    let d = of("200 OK", "Content-Type: text/html\r\n", page, &[]);
    is(&d, "W341", r#"its reason is "Error: Class "A" not found""#);
}

#[test]
fn the_words_of_an_answer_say_more_than_its_code() {
    let of = |status, headers: &str, body: &str| {
        let d = of(status, headers, body, &[]);
        d.causes.first().map(|cause| cause.text.to_string()).unwrap_or_default()
    };
    let code = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    assert!(
        of("401 Unauthorized", code, "Jwt issuer is not configured")
            .contains("issuer is not configured")
    );
    assert!(of("401 Unauthorized", code, "").contains("invalid_token"));
    let described = "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"it has expired\"\r\n";
    assert!(
        of("401 Unauthorized", described, "Unauthorized access to x").contains("it has expired")
    );
    assert!(
        of("403 Forbidden", "X-T-Error: 31201 Authentication failed\r\n", "")
            .contains("Authentication failed")
    );
    let page = "<html><head><title>Error 503 Service Unavailable</title></head><body><h2>HTTP ERROR 503</h2>\
        <p>Problem accessing /ws. Reason:<pre>    Service Unavailable</pre></p></body></html>";
    assert!(
        !of("503 Service Unavailable", "Content-Type: text/html\r\n", page).contains("its reason")
    );
    let json = "Content-Type: application/json\r\n";
    let errors = "{\"errors\":[{\"message\":\"this endpoint has no subscriptions\"}],\"data\":null,\"extensions\":{}}";
    assert!(of("400 Bad Request", json, errors).contains("has no subscriptions"));
}

#[test]
fn a_page_that_leaves_a_missing_thing_and_a_permission_open_is_first_about_the_path() {
    let page = "<html><head><title>404</title></head><body><h3>The page could not be found or you \
        don't have permission to view it.</h3></body></html>";
    for (body, code) in [
        (page, "W334"),
        (r#"{"message":"project does not exist, or you must log in"}"#, "W334"),
        (r#"{"message":"you must log in"}"#, "W326"),
    ] {
        let d = of("404 Not Found", "", body, &[]);
        assert_eq!(d.entry.code, code, "{body}: {d:?}");
    }
}

#[test]
fn a_header_about_errors_is_a_reason_only_if_it_has_one_in_words() {
    for header in [
        "X-Error-Time: Mon, 30 Nov 2026 10:00:00 GMT",
        "X-Error-Docs: see https://docs.example/errors",
        "X-Error-Message: https://docs.example/errors and more",
        "X-Error-Count: 0 since start",
        "X-Last-Error: 3 minutes ago",
        "X-Last-Error: 2026 Nov 30, early morning",
        "X-Error: Monday 30 November",
        "Content-Error-Handling: report only",
        "X-Reason-Code: none given here",
        "X-Error-Detail: none given here",
        "X-Error: no error here",
    ] {
        let d = of("403 Forbidden", &format!("{header}\r\n"), "", &[]);
        let told = d.causes.iter().any(|cause| cause.text.contains("its reason is"));
        assert!(!told && !d.is_proved(), "{header}: {d:?}");
    }
    for header in ["X-Reject-Reason", "x-amzn-ErrorMessage", "dg-error", "X-Error-Details"] {
        let d = of("403 Forbidden", &format!("{header}: no such workspace here\r\n"), "", &[]);
        is(&d, "W332", "its reason is \"no such workspace here\"");
    }
}

#[test]
fn a_program_is_known_by_its_own_headers() {
    for (status, headers, body, code, cause) in [
        ("404 No", "x-render-routing: no-server\r\n", "", "W334", "answered itself"),
        (
            "404 No",
            "Via: 1.1 heroku-router\r\n",
            "<title>No such app</title>",
            "W334",
            "no running application for this host name",
        ),
        ("404 No", "Server: Netlify\r\n", "", "W334", "has no WebSocket support"),
        ("200 OK", "Content-Type: application/grpc\r\n", "", "W305", "a gRPC server"),
    ] {
        is(&of(status, headers, body, &[]), code, cause);
    }
}

#[test]
fn an_own_origin_that_is_refused_rules_no_list_out() {
    let open = |variation, outcome| Trial { variation, what: "http://h".to_owned(), outcome };
    let refused = || TrialOutcome::Status { code: 400, text: "400".to_owned(), body: Vec::new() };
    let origin = "Origin: https://evil.example\r\n";
    // Without an Origin, the server opens; with its own Origin, it does not. It may have a list, or
    // require something else from browsers.
    let trials =
        [open(Variation::OwnOrigin, refused()), open(Variation::NoOrigin, TrialOutcome::Opened)];
    for (body, proved) in [("", false), ("bad Origin header", true)] {
        let pair = Pair::new(origin, &format!("HTTP/1.1 400 Bad Request\r\n\r\n{body}"));
        let facts = Facts { trials: &trials, ..pair.facts() };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        assert!(d.entry.code == "W327" && d.is_proved() == proved, "{d:?}");
    }
    let pair = Pair::new(
        origin,
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\nPage not found",
    );
    let same = TrialOutcome::Status {
        code: 404,
        text: "404".to_owned(),
        body: b"Page not found".to_vec(),
    };
    let trials = [open(Variation::OwnOrigin, same)];
    let facts = Facts { trials: &trials, ..pair.facts() };
    let d = classify(&facts).into_iter().next().expect("a verdict");
    is(&d, "W333", "is not among allowed_request_origins");
}

#[test]
fn an_application_may_speak_of_websockets_upgrades_and_versions() {
    for (status, text) in [
        ("403 No", "Websocket connections are only accepted from the official app"),
        ("403 No", "WebSocket connections are not included in your current licence"),
        ("403 No", "{\"detail\":\"Token has no permission to upgrade firmware\"}"),
        ("401 No", "{\"error\":\"Upgrade token invalid, request a new one at /v1/tokens\"}"),
        ("400 No", "Unsupported protocol version: client speaks 2, server speaks 5."),
        ("400 No", "{\"code\":4012,\"message\":\"the room is full\"}"),
        ("400 No", "{\"code\":3,\"message\":\"the room is full\"}"),
        ("405 No", "{\"message\":\"Use POST /v1/sessions to create a session first\"}"),
    ] {
        let d = of(status, "Content-Type: application/json\r\n", text, &[]);
        let first = d.causes.first().map(|cause| &*cause.text).unwrap_or_default();
        assert!(first.starts_with("its reason is \""), "{text}: {d:?}");
        assert!(!matches!(d.entry.code, "W320" | "W324"), "{d:?}");
    }
    for (status, text) in [
        ("403 No", "Upgrade header missing"),
        ("401 No", "a WebSocket handshake is required"),
        ("403 No", "not a WebSocket request"),
    ] {
        assert_eq!(of(status, "", text, &[]).entry.code, "W320", "{text}");
    }
    let refused = "HTTP method GET is not supported by this URL";
    assert!(!of("405 No", "", refused, &[]).causes[0].text.contains("its reason"));
    let python =
        "\"The client is using an unsupported version of the Socket.IO or Engine.IO protocols\"";
    for text in [python, "Unsupported protocol version"] {
        is(&of("400 No", "", text, &[]), "W324", "EIO is not a version");
    }
}

#[test]
fn a_short_page_gives_its_sentence_and_a_long_page_one_about_the_request() {
    let html = "Content-Type: text/html\r\n";
    let head = "<!DOCTYPE html><html><head><title>Acme</title></head><body>";
    for text in [
        "Room 7 is full.",
        "Der Raum ist voll.",
        "Please use the VPN.",
        "Go through the VPN, direct access is not permitted.",
        "Only employees may use this service.",
        "Wrong region.",
        "Your plan allows 3 seats only.",
    ] {
        let page = format!("{head}<h1>Sorry</h1><p>{text}</p></body></html>");
        let d = of("403 Forbidden", html, &page, &[]);
        is(&d, "W332", &format!("its reason is \"{text}\""));
        assert_eq!(d.causes[0].confidence, Confidence::Medium, "{d:?}");
    }
    let more = "<p>Acme ships faster.</p><p>Loved by teams.</p><p>Since 1999.</p><p>Made here.</p>";
    for (text, quoted) in [
        ("We do not sell your data.", false),
        ("Fields marked * are required.", false),
        ("Our office is closed on Sundays.", false),
        ("Don't panic.", false),
        ("Your trial has expired.", true),
    ] {
        let page = format!("{head}{more}<p>{text}</p></body></html>");
        let d = of("403 Forbidden", html, &page, &[]);
        let said = d.causes.iter().any(|cause| cause.text.contains("its reason is"));
        assert_eq!(said, quoted, "{text}: {d:?}");
    }
}
