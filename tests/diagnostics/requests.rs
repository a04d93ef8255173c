//! Faults of our own request that explain a refusal, and what an answer says about the endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wscope::diagnostics::facts::{
    CloseFacts, EndKind, StreamFacts, TlsAttempt, Trial, TrialOutcome, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, Supported, classify};
use wscope::wire::close::CloseBody;

use crate::support::{Pair, SWITCH, end};

const NOW: &str = "2026-11-30T10:00:00.000000Z";
/// 2026-11-30T09:00:00Z.
const PAST: i64 = 1_796_029_200;
/// 2026-11-30T11:00:00Z.
const FUTURE: i64 = 1_796_036_400;

/// A run that began at this time.
fn at(now: &str) -> TlsAttempt<'_> {
    TlsAttempt { now: Some(now), ..TlsAttempt::default() }
}

/// A JSON Web Token with these claims.
fn jwt(claims: &str) -> String {
    let piece = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", piece("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), piece(claims))
}

fn refused(url: &str, headers: &str, answer: &str, trials: &[Trial]) -> Diagnostic {
    let pair = Pair::new(headers, &format!("HTTP/1.1 {answer}"));
    let facts = Facts { url: Some(url), tls: at(NOW), trials, ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

fn closed(url: &str, headers: &str, code: Option<u16>, reason: &str) -> Diagnostic {
    let pair = Pair::open(headers, "");
    let body = CloseBody { code, reason: reason.as_bytes().to_vec() };
    let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
    let end = Some(end(EndKind::Closed, 0.1));
    let facts = Facts { url: Some(url), tls: at(NOW), close, end, ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

fn cause<'d>(d: &'d Diagnostic, text: &str) -> Option<&'d Supported> {
    d.causes.iter().find(|cause| cause.text.contains(text))
}

#[track_caller]
fn is(d: &Diagnostic, text: &str, confidence: Confidence) {
    let found = cause(d, text).unwrap_or_else(|| panic!("{text}: {d:?}"));
    assert_eq!(found.confidence, confidence, "{d:?}");
}

#[track_caller]
fn lacks(d: &Diagnostic, text: &str) {
    assert!(cause(d, text).is_none(), "{text}: {d:?}");
}

const URL: &str = "ws://api.example/chat";
const UNAUTHORIZED: &str = "401 Unauthorized\r\n\r\n";
const FORBIDDEN: &str = "403 Forbidden\r\n\r\n";

#[test]
fn a_token_outside_its_time_is_a_cause_wherever_it_was_sent() {
    let old = jwt(&format!("{{\"sub\":\"me\",\"exp\":{PAST}}}"));
    for (url, headers) in [
        (URL.to_owned(), format!("Authorization: Bearer {old}\r\n")),
        (format!("{URL}?access_token={old}"), String::new()),
        (URL.to_owned(), format!("Cookie: a=b; session={old}\r\n")),
        (URL.to_owned(), format!("Sec-WebSocket-Protocol: chat, {old}\r\n")),
        (URL.to_owned(), format!("X-Token: {old}\r\n")),
    ] {
        // Such a 400 says nothing about a login.
        let d = refused(&url, &headers, "400 Bad Request\r\n\r\n", &[]);
        lacks(&d, "the token that was sent");
        let worded = "400 Bad Request\r\n\r\n{\"error\":\"invalid token\"}";
        for answer in [UNAUTHORIZED, FORBIDDEN, worded] {
            let d = refused(&url, &headers, answer, &[]);
            is(&d, "the token that was sent has expired", Confidence::Medium);
            let because = cause(&d, "has expired").and_then(|cause| cause.because.as_deref());
            let because = because.expect("a fact");
            assert!(because.contains("2026-11-30T09:00:00Z"), "{because}");
            assert!(because.contains("2026-11-30T10:00:00Z"), "{because}");
            assert!(!format!("{d:?}").contains(&old), "the token is shown");
        }
        let d = closed(&url, &headers, Some(4401), "");
        is(&d, "the token that was sent has expired", Confidence::Medium);
    }
    let early = jwt(&format!("{{\"nbf\":{FUTURE}}}"));
    let headers = format!("Authorization: Bearer {early}\r\n");
    is(&refused(URL, &headers, FORBIDDEN, &[]), "is not valid yet", Confidence::Medium);
}

#[test]
fn the_servers_words_about_the_token_prove_that_it_is_the_cause() {
    let old = format!("Authorization: Bearer {}\r\n", jwt(&format!("{{\"exp\":{PAST}}}")));
    for answer in [
        "401 Unauthorized\r\n\r\njwt expired",
        "401 Unauthorized\r\n\r\n{\"error\":\"Token has expired\"}",
        "401 Unauthorized\r\n\r\n{\"detail\":\"Signature has expired\"}",
        "401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"The access token expired\"\r\n\r\n",
    ] {
        let d = refused(URL, &old, answer, &[]);
        assert!(d.causes[0].text.contains("has expired"), "{d:?}");
        is(&d, "has expired", Confidence::High);
        assert!(d.help.contains("new token"), "{d:?}");
    }
    let d = closed(URL, &old, Some(1008), "token expired");
    is(&d, "the token that was sent has expired", Confidence::High);
    // These words only fit.
    for answer in [
        "401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n\r\n",
        "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\", scope=\"openid\"\r\n\r\n",
        "401 Unauthorized\r\n\r\n{\"error\":\"invalid or expired token\"}",
        "403 Forbidden\r\n\r\n{\"error\":\"Invalid token\"}",
    ] {
        is(&refused(URL, &old, answer, &[]), "has expired", Confidence::Medium);
    }
    // It may also have been missing, but a token that has expired was sent.
    let url = format!("{URL}?token={}", jwt(&format!("{{\"exp\":{PAST}}}")));
    let d = refused(&url, "", "401 Unauthorized\r\n\r\nToken missing or expired", &[]);
    is(&d, "has expired", Confidence::Medium);
    // The server missed another token than this one.
    let d = refused(URL, &old, "401 Unauthorized\r\n\r\n{\"error\":\"token missing\"}", &[]);
    lacks(&d, "the token that was sent");
}

#[test]
fn another_stated_reason_excludes_the_time_of_the_token() {
    let old = jwt(&format!("{{\"exp\":{PAST}}}"));
    let url = format!("{URL}?token={old}");
    for words in [
        "Your subscription has expired",
        "license expired on 2026-01-01",
        "invite link expired",
        "token revoked",
        "jwt audience invalid",
        "invalid signature of jwt",
        "session expired, token ignored",
        "Your IP address 1.2.3.4 has been blocked.",
        "Your account is suspended.",
    ] {
        for status in ["401 Unauthorized", "403 Forbidden"] {
            let answer = format!("{status}\r\n\r\n{{\"error\":\"{words}\"}}");
            lacks(&refused(&url, "", &answer, &[]), "the token that was sent");
            let page = format!("{status}\r\nContent-Type: text/html\r\n\r\n<p>{words}</p>");
            lacks(&refused(&url, "", &page, &[]), "the token that was sent");
        }
        lacks(&closed(&url, "", Some(1008), words), "the token that was sent");
    }
    let headers = format!("Authorization: Bearer {old}\r\n");
    let scope = "401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"admin\"\r\n\r\n";
    lacks(&refused(URL, &headers, scope, &[]), "the token that was sent");
    // 0 is no time.
    let never = format!("Authorization: Bearer {}\r\n", jwt("{\"exp\":0}"));
    lacks(&refused(URL, &never, UNAUTHORIZED, &[]), "the token that was sent");
}

#[test]
fn a_token_is_blamed_only_if_the_server_judged_it() {
    let old = jwt(&format!("{{\"exp\":{PAST}}}"));
    let new = jwt(&format!("{{\"exp\":{FUTURE}}}"));
    let text = "the token that was sent";
    for (url, headers) in [
        (URL.to_owned(), format!("Cookie: ab={old}\r\nAuthorization: Basic YTpi\r\n")),
        (format!("{URL}?api_key=abc"), format!("Cookie: ab={old}\r\n")),
        (URL.to_owned(), format!("Cookie: ab={old}; sid=abc\r\n")),
        (URL.to_owned(), format!("Cookie: ga={old}\r\nOrigin: http://evil.example\r\n")),
        (format!("{URL}?id_token={old}&token={new}"), String::new()),
    ] {
        for answer in [UNAUTHORIZED, FORBIDDEN, "401 Unauthorized\r\n\r\njwt expired"] {
            lacks(&refused(&url, &headers, answer, &[]), text);
        }
    }
    // A cookie beside the token is not the login.
    let headers = format!("Cookie: sid=abc\r\nAuthorization: Bearer {old}\r\n");
    is(&refused(URL, &headers, UNAUTHORIZED, &[]), text, Confidence::Medium);
    // The words name the part.
    let url = format!("{URL}?id_token={old}&token={new}");
    let answer = "401 Unauthorized\r\n\r\nid_token: token expired";
    is(&refused(&url, "", answer, &[]), text, Confidence::High);
}

#[test]
fn only_a_trial_with_the_same_token_shows_that_it_is_accepted() {
    let old = format!("Authorization: Bearer {}\r\n", jwt(&format!("{{\"exp\":{PAST}}}")));
    let of = |variation, outcome| {
        let trials = [Trial { variation, what: "h".to_owned(), outcome }];
        refused(URL, &old, FORBIDDEN, &trials)
    };
    let ok = || TrialOutcome::Status { code: 200, text: "200 OK".to_owned(), body: Vec::new() };
    let text = "the token that was sent";
    lacks(&of(Variation::NoUpgrade, ok()), text);
    lacks(&of(Variation::OwnOrigin, TrialOutcome::Opened), text);
    for variation in [Variation::OtherFamily, Variation::OtherPath] {
        is(&of(variation, ok()), text, Confidence::Medium);
    }
    // The answers change by themselves.
    lacks(&of(Variation::Unchanged, TrialOutcome::Opened), text);
}

/// A session with messages that the peer ended after this time.
fn ended(url: &str, code: u16, reason: &str, seconds: f64) -> Vec<Diagnostic> {
    let pair = Pair::open("", "");
    let body = CloseBody { code: Some(code), reason: reason.as_bytes().to_vec() };
    let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
    let stream = StreamFacts { messages: 10, ..StreamFacts::default() };
    let end = Some(end(EndKind::Closed, seconds));
    classify(&Facts { url: Some(url), tls: at(NOW), close, end, stream, ..pair.facts() })
}

#[test]
fn a_session_that_worked_accepted_the_request() {
    let old = jwt(&format!("{{\"exp\":{PAST}}}"));
    for url in [format!("{URL}?token={old}"), format!("{URL}?token=null&room=undefined")] {
        for (code, reason) in [
            (1008, "rate limit exceeded"),
            (1008, "messages too frequent"),
            (1008, ""),
            (4003, "no permission to publish in room 7"),
            (4401, ""),
            (1000, "password changed"),
            (1000, ""),
        ] {
            for d in ended(&url, code, reason, 3.0) {
                lacks(&d, "the token that was sent");
                lacks(&d, "had no value");
            }
        }
    }
}

#[test]
fn a_token_that_expires_during_the_session_is_a_cause_of_its_end() {
    let url = format!("{URL}?token={}", jwt(&format!("{{\"exp\":{}}}", PAST + 3602)));
    let text = "expired during the session";
    is(&ended(&url, 4401, "", 3.0)[0], text, Confidence::Medium);
    is(&ended(&url, 1008, "token expired", 3.0)[0], text, Confidence::High);
    for (code, reason, seconds) in
        [(4401, "", 0.2), (1008, "rate limit exceeded", 3.0), (1001, "", 3.0)]
    {
        for d in ended(&url, code, reason, seconds) {
            lacks(&d, text);
        }
    }
}

#[test]
fn a_token_that_is_valid_or_unreadable_explains_nothing() {
    for claims in [
        format!("{{\"exp\":{FUTURE}}}"),
        format!("{{\"exp\":{FUTURE},\"nbf\":{PAST},\"iat\":{PAST}}}"),
        format!("{{\"exp\":{}000}}", PAST),
        "{\"sub\":\"me\"}".to_owned(),
        "{\"exp\":\"soon\"}".to_owned(),
    ] {
        let headers = format!("Authorization: Bearer {}\r\n", jwt(&claims));
        let d = refused(URL, &headers, UNAUTHORIZED, &[]);
        for text in ["has expired", "is not valid yet"] {
            lacks(&d, text);
        }
    }
    let old = format!("Authorization: Bearer {}\r\n", jwt(&format!("{{\"exp\":{PAST}}}")));
    // Another reason is known, or the token does not matter for this status.
    for answer in [
        "403 Forbidden\r\n\r\nthe room is full",
        "404 Not Found\r\n\r\n",
        "502 Bad Gateway\r\n\r\n",
        "429 Too Many Requests\r\n\r\n",
    ] {
        lacks(&refused(URL, &old, answer, &[]), "the token that was sent");
    }
    // Another request with the same token was accepted.
    let trials = [Trial {
        variation: Variation::NoSubprotocol,
        what: String::new(),
        outcome: TrialOutcome::Opened,
    }];
    lacks(&refused(URL, &old, FORBIDDEN, &trials), "the token that was sent");
    // Without the time, nothing is known.
    let pair = Pair::new(&old, "HTTP/1.1 403 Forbidden\r\n\r\n");
    let facts = Facts { url: Some(URL), ..pair.facts() };
    lacks(&classify(&facts)[0], "the token that was sent");
    // An ordinary end refuses nothing.
    let d = closed(URL, &old, Some(1001), "");
    lacks(&d, "the token that was sent");
}

#[test]
fn a_value_that_was_never_filled_in_is_a_cause_of_a_refusal() {
    for (url, headers, text) in [
        ("ws://h/ws?token=", "", "the parameter token is empty"),
        ("ws://h/ws?token=undefined", "", "the parameter token is `undefined`"),
        ("ws://h/ws?token=null", "", "the parameter token is `null`"),
        ("ws://h/ws?api_key=YOUR_API_KEY", "", "the parameter api_key still has a placeholder"),
        ("ws://h/ws?token=%3Ctoken%3E", "", "the parameter token still has a placeholder"),
        ("ws://h/ws?token=%7Btoken%7D", "", "the parameter token still has a placeholder"),
        ("ws://h/ws?token=${TOKEN}", "", "the parameter token still has a placeholder"),
        ("ws://h/rooms/{roomId}", "", "the path still has the placeholder `{roomId}`"),
        ("ws://h/rooms/undefined", "", "the path is `undefined`"),
        ("ws://h/ws?user=[object%20Object]", "", "the parameter user is `[object Object]`"),
        ("ws://h/ws", "Authorization: Bearer undefined\r\n", "Authorization header is `undefined`"),
        ("ws://h/ws", "Authorization: Bearer\r\n", "the Authorization header is empty"),
        ("ws://h/ws", "Authorization: Bearer $TOKEN\r\n", "Authorization header still has a"),
        ("ws://h/ws", "X-Api-Key: <key>\r\n", "the header X-Api-Key still has a placeholder"),
    ] {
        for answer in [FORBIDDEN, "400 Bad Request\r\n\r\n"] {
            let d = refused(url, headers, answer, &[]);
            is(&d, text, Confidence::Medium);
        }
        is(&closed(url, headers, Some(1008), ""), text, Confidence::Medium);
    }
    let d = refused("ws://h/rooms/undefined", "", "404 Not Found\r\n\r\n", &[]);
    is(&d, "the path is `undefined`", Confidence::Medium);
    // The page only repeats the path.
    let page =
        "404 Not Found\r\nContent-Type: text/html\r\n\r\n<pre>Cannot GET /rooms/undefined</pre>";
    let d = refused("ws://h/rooms/undefined", "", page, &[]);
    is(&d, "the path is `undefined`", Confidence::Medium);
    // The server speaks of the value.
    let told = "400 Bad Request\r\n\r\n{\"error\":\"'undefined' is not a valid room\"}";
    is(&refused("ws://h/ws?room=undefined", "", told, &[]), "is `undefined`", Confidence::High);
    let told = "401 Unauthorized\r\n\r\nInvalid token";
    is(&refused("ws://h/ws?token=null", "", told, &[]), "is `null`", Confidence::Medium);
    let told = "401 Unauthorized\r\n\r\ntoken 'null' is not valid";
    is(&refused("ws://h/ws?token=null", "", told, &[]), "is `null`", Confidence::High);
    // A word of the text is no quotation.
    let told = "400 Bad Request\r\n\r\nCannot read properties of undefined (reading 'x')";
    let d = refused("ws://h/ws?room=undefined", "", told, &[]);
    is(&d, "is `undefined`", Confidence::Medium);
    assert!(d.causes[0].text.contains("Cannot read"), "{d:?}");
    // An unknown path is refused alike.
    let outcome = TrialOutcome::Status { code: 403, text: "403".to_owned(), body: Vec::new() };
    let trials = [Trial { variation: Variation::OtherPath, what: "/zz".to_owned(), outcome }];
    lacks(&refused("ws://h/rooms/:id", "", FORBIDDEN, &trials), "placeholder");
}

#[test]
fn an_ordinary_value_is_no_placeholder() {
    for (url, headers) in [
        ("ws://h/ws?token=abc", "Origin: null\r\n"),
        ("ws://h/ws?room=&cursor=null", ""),
        ("ws://h/ws?query={hello}", ""),
        ("ws://h/ws?filter={%22a%22:1}", ""),
        ("ws://h/your-account/ws", "Cookie: theme=dark\r\n"),
        ("ws://h/$aws/things", "Authorization: Bearer abc.def\r\n"),
        ("ws://h/rooms/null-island", "Authorization: Basic YTpi\r\n"),
        ("ws://h/ws?token=abc", "Cookie: theme=null; sid=abc\r\n"),
        ("ws://h/search?keyword=&page=1&passengers=None&sort_key=[name]", ""),
        ("ws://h/ws?parentId=null&symbol=$TSLA&password=$SECRET1", ""),
        ("ws://h/ws?dsn=postgres://bob:hunter2@db/${x}", "X-Config: pwd=hunter2;db=${DB}\r\n"),
    ] {
        let named = "401 Unauthorized\r\n\r\ninvalid token";
        for answer in [FORBIDDEN, UNAUTHORIZED, named, "404 Not Found\r\n\r\n"] {
            let d = refused(url, headers, answer, &[]);
            for text in ["placeholder", "is empty", "had no value"] {
                lacks(&d, text);
            }
        }
    }
    // A server that cannot be reached has not read the request.
    lacks(&refused("ws://h/ws?token=", "", "502 Bad Gateway\r\n\r\n", &[]), "is empty");
    lacks(&refused("ws://h/ws?token=", "", "426 Upgrade Required\r\n\r\n", &[]), "is empty");
}

#[test]
fn a_part_that_was_sent_and_that_the_server_misses_was_lost() {
    let lost = "was sent, and the server misses it";
    for (url, headers, words, name) in [
        (
            URL,
            "api_key: abc\r\n",
            "{\"error\":\"api_key header is missing\"}",
            "the header api_key",
        ),
        (URL, "X-Api-Key: abc\r\n", "missing header X-Api-Key", "the header X-Api-Key"),
        (
            URL,
            "Authorization: Bearer abc\r\n",
            "No authorization header",
            "the Authorization header",
        ),
        ("ws://h/ws?room=5", "", "{\"message\":\"room field is missing\"}", "the parameter room"),
        ("ws://h/ws?token=abc", "", "Missing query parameter: token", "the parameter token"),
        ("ws://h/ws?room=5", "", "Required parameter 'room' is missing.", "the parameter room"),
        (URL, "Cookie: sessionid=abc\r\n", "cookie sessionid not found", "the cookie sessionid"),
    ] {
        for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden"] {
            let d = refused(url, headers, &format!("{status}\r\n\r\n{words}"), &[]);
            is(&d, &format!("{name} {lost}"), Confidence::High);
            assert!(!format!("{d:?}").contains("=abc"), "{d:?}");
            let underscore = d.help.contains("underscores_in_headers");
            assert_eq!(underscore, headers.starts_with("api_key"), "{d:?}");
        }
    }
    for (url, headers, words) in [
        // Another part, a part without a value, a value that is wrong, and words about a thing.
        (URL, "X-Api-Key: abc\r\n", "api_key header is missing"),
        ("ws://h/ws?token=", "", "token is required"),
        ("ws://h/ws?token=abc", "", "a valid token is required"),
        ("ws://h/ws?token=abc", "", "token is invalid"),
        ("ws://h/ws?token=abc", "", "token expired. Login required"),
        ("ws://h/ws?user=bob", "", "user not found"),
        ("ws://h/ws?room=5", "", "no room for another client"),
        ("ws://h/ws?token=abc", "", "token not found"),
        ("ws://h/ws?token=abc", "", "an admin token is required"),
        ("ws://h/ws?account=7", "", "a premium account is required"),
        ("ws://h/chat", "X-Chat: 1\r\n", "chat is closed"),
        (URL, "", "secure connection required"),
        // Words for a value that is wrong, or for one of several faults.
        (URL, "Authorization: Basic Ym9iOndyb25n\r\n", "Authorization Required"),
        (URL, "Authorization: Bearer abc\r\n", "Authorization header required"),
        (URL, "Authorization: Bearer abc\r\n", "Authorization header missing or malformed"),
        (URL, "Authorization: Bearer abc\r\n", "missing/invalid Authorization header"),
        ("ws://h/ws?token=abc", "", "Missing token"),
        ("ws://h/ws?token=abc", "", "Token missing or invalid"),
        ("ws://h/ws?token=abc", "", "invalid or missing token parameter"),
        (URL, "Cookie: session=abc\r\n", "session required"),
        (URL, "Cookie: session=abc\r\n", "Session cookie missing or expired"),
        (URL, "X-Api-Key: abc\r\n", "X-Api-Key is required"),
        // Words about the value, or about a thing with that name.
        ("ws://h/ws?version=1", "", "This endpoint requires version 2"),
        ("ws://h/ws?version=1", "", "requires parameter version 2"),
        ("ws://h/ws?role=user", "", "This channel requires role admin"),
        ("ws://h/ws?user=bob", "", "User missing: bob"),
        ("ws://h/ws?room=5", "", "Missing room 5"),
        ("ws://h/ws?session=abc", "", "No session with this id"),
        ("ws://h/ws?token=abc", "", "no token with this value was issued"),
        ("ws://h/ws?device=x", "", "Missing device registration for user bob"),
        ("ws://h/ws?game=chess", "", "Game required: at least 2 players"),
        (URL, "Origin: http://a\r\n", "requires Origin https://b.example"),
        (URL, "User-Agent: MyApp/1\r\n", "requires User-Agent MyApp/2"),
    ] {
        for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"] {
            lacks(&refused(url, headers, &format!("{status}\r\n\r\n{words}"), &[]), lost);
        }
    }
}

#[test]
fn a_websocket_that_asks_for_polling_is_told_so() {
    let url = "ws://h/socket.io/?EIO=4&transport=polling";
    let open =
        "200 OK\r\nContent-Type: text/plain\r\n\r\n0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"]}";
    let d = refused(url, "", open, &[]);
    is(&d, "the URL asks for long polling", Confidence::High);
    assert!(d.help.contains("transport=websocket"), "{d:?}");
    is(&closed(url, "", None, ""), "the URL asks for long polling", Confidence::Medium);
    for url in ["ws://h/socket.io/?EIO=4&transport=websocket", "ws://h/bus?transport=polling"] {
        lacks(&refused(url, "", open, &[]), "long polling");
        lacks(&closed(url, "", None, ""), "long polling");
    }
}

#[test]
fn a_header_behind_the_blank_line_shows_that_the_head_ended_early() {
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let pair = Pair::new("", &format!("{}\r\n", SWITCH.replace(accept, "")));
    let of = |first| {
        let stream = StreamFacts { first, ..StreamFacts::default() };
        classify(&Facts { stream, ..pair.facts() }).into_iter().next().expect("a verdict")
    };
    let behind = format!("{accept}\r\n");
    let d = of(behind.as_bytes());
    assert_eq!(d.entry.code, "W401");
    is(&d, "the head of the 101 ended early", Confidence::High);
    let d = of(b"X-Ticket: hunter2\r\n\r\n");
    is(&d, "the head of the 101 ended early", Confidence::High);
    assert!(!format!("{:?}", d.causes).contains("hunter2"), "{d:?}");
    for first in [&b""[..], b"\x81\x02hi", b"hello: world\r\n", b"<html>\r\n"] {
        lacks(&of(first), "ended early");
    }
    let pair = Pair::open("", "");
    let first = b"Sec-WebSocket-Protocol: chat\r\n\r\n";
    let stream = StreamFacts { first, ..StreamFacts::default() };
    let d = classify(&Facts { stream, ..pair.facts() }).into_iter().next().expect("a verdict");
    assert_eq!(d.entry.code, "W461");
    is(&d, "the head of the 101 ended early", Confidence::High);
}

#[test]
fn a_computed_accept_value_is_proved() {
    for (got, text) in [
        ("Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=", "an empty key"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "the server sent the key back"),
    ] {
        let answer = SWITCH.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", got);
        let pair = Pair::new("", &format!("{answer}\r\n"));
        let d = classify(&pair.facts()).into_iter().next().expect("a verdict");
        assert_eq!(d.entry.code, "W402");
        is(&d, text, Confidence::High);
    }
}

#[test]
fn an_error_that_names_a_thing_of_the_path_is_the_reason() {
    let of = |path: &str, body: &str| {
        let head = "404 Not Found\r\nContent-Type: application/json\r\n\r\n";
        refused(&format!("ws://h{path}"), "", &format!("{head}{body}"), &[])
    };
    let room = "{\"error\":\"room not found\"}";
    is(&of("/room/77", room), "its reason is \"room not found\"", Confidence::High);
    // These only name the path, or say nothing.
    for (path, body) in [
        ("/room", room),
        ("/api/room", room),
        ("/room/77", "{\"error\":\"not found\"}"),
        ("/room/77", "{\"error\":\"/room/77 not found\"}"),
        ("/room/77", "{\"error\":\"page not found\"}"),
    ] {
        lacks(&of(path, body), "its reason is");
    }
}

/// The change goes one way only, so the answers do not change by themselves.
#[test]
fn a_server_that_ended_at_our_request_is_not_erratic() {
    let answer = |variation, code: u16| {
        let outcome = TrialOutcome::Status { code, text: code.to_string(), body: Vec::new() };
        Trial { variation, what: String::new(), outcome }
    };
    let erratic = "answers change from one request to the next";
    let first = "500 Internal Server Error\r\n\r\n";
    let of = |first, plain, again| {
        let trials = [answer(Variation::NoUpgrade, plain), answer(Variation::Unchanged, again)];
        refused(URL, "", first, &trials)
    };
    let d = of(first, 502, 502);
    is(&d, "seems to have ended at this request", Confidence::Medium);
    lacks(&d, erratic);
    assert!(d.causes.len() > 1 && d.help.contains("start it again"), "{d:?}");
    for d in [of(first, 200, 502), of(first, 502, 404), of("502 Bad Gateway\r\n\r\n", 500, 500)] {
        is(&d, erratic, Confidence::High);
    }
}

/// Handlers of upgrades write such heads by hand.
#[test]
fn a_400_without_any_header_is_no_parsers() {
    let d = refused(URL, "", "400 Bad Request\r\n\r\n", &[]);
    lacks(&d, "PROXY protocol");
    assert!(d.causes.iter().take(2).any(|cause| cause.text.contains("path")), "{d:?}");
    let d = refused(URL, "", "400 Bad Request\r\nConnection: close\r\n\r\n", &[]);
    is(&d, "PROXY protocol", Confidence::Medium);
}

#[test]
fn a_path_that_opens_over_tls_is_told_so() {
    let of = |outcome| {
        let what = "wss:// on port 443".to_owned();
        let trials = [Trial { variation: Variation::OtherScheme, what, outcome }];
        refused(URL, "", "404 Not Found\r\n\r\n", &trials)
    };
    let d = of(TrialOutcome::Opened);
    is(&d, "is served over TLS only", Confidence::High);
    lacks(&d, "wrong path");
    assert!(d.help.contains("wss://api.example/chat"), "{d:?}");
    let what = "wss:// on port 443".to_owned();
    let other = |variation, what| Trial { variation, what, outcome: TrialOutcome::Opened };
    let opens = other(Variation::OtherScheme, what);
    let url = "ws://h/chat?room=7&token=abc";
    let d = refused(url, "", "404 Not Found\r\n\r\n", std::slice::from_ref(&opens));
    assert!(d.help.contains("wss://h/chat?room=7&token=…"), "{d:?}");
    for (url, there) in
        [("ws://h:25002/ws", "`wss://h:25002/ws`"), ("ws://h:80/ws", "`wss://h/ws`")]
    {
        let d = refused(url, "", "404 Not Found\r\n\r\n", std::slice::from_ref(&opens));
        assert!(d.help.contains(there), "{d:?}");
    }
    // The answers change by themselves.
    let trials = [opens, other(Variation::Unchanged, String::new())];
    lacks(&refused(url, "", "404 Not Found\r\n\r\n", &trials), "over TLS");
    let same = TrialOutcome::Status { code: 404, text: "404".to_owned(), body: Vec::new() };
    lacks(&of(same), "over TLS");
    lacks(&of(TrialOutcome::Unreached("connection refused".to_owned())), "over TLS");
}

#[test]
fn an_api_and_graphql_over_http_are_known_by_their_words() {
    let d = refused(URL, "", "405 Method Not Allowed\r\nAllow: POST, OPTIONS\r\n\r\n", &[]);
    is(&d, "the path is that of an HTTP API", Confidence::Medium);
    for answer in [
        "405 Method Not Allowed\r\nAllow: GET, HEAD\r\n\r\n",
        "405 Method Not Allowed\r\nAllow: HEAD, OPTIONS\r\n\r\n",
        "405 Method Not Allowed\r\nAllow: CONNECT\r\n\r\n",
        "405 Method Not Allowed\r\n\r\n",
        "405 Method Not Allowed\r\nAllow:\r\n\r\n",
    ] {
        lacks(&refused(URL, "", answer, &[]), "the path is that of an HTTP API");
    }
    for answer in [
        "400 Bad Request\r\n\r\nGET query missing.",
        "400 Bad Request\r\n\r\nPOST body missing. Did you forget use body-parser middleware?",
        "500 Internal Server Error\r\n\r\nPOST body missing, invalid Content-Type, or JSON object has no keys.",
        "400 Bad Request\r\nContent-Type: application/json\r\n\r\n{\"errors\":[{\"message\":\"Must provide query string.\"}]}",
    ] {
        let d = refused("ws://h/api", "", answer, &[]);
        assert_eq!(d.entry.code, "W304", "{d:?}");
        is(&d, "serves GraphQL over HTTP", Confidence::Medium);
    }
    for answer in [
        "400 Bad Request\r\n\r\nquery parameter missing",
        "400 Bad Request\r\n\r\nbad json: get query missing bracket",
        "404 Not Found\r\n\r\nGET query missing.",
    ] {
        assert_ne!(refused("ws://h/api", "", answer, &[]).entry.code, "W304", "{answer}");
    }
}

#[test]
fn the_version_of_an_api_is_not_that_of_the_handshake() {
    for text in ["invalid version", "{\"error\":\"unsupported version: v3\"}"] {
        let answer = format!("400 Bad Request\r\n\r\n{text}");
        for url in ["ws://h/v3/ws", "ws://h/3/ws", "ws://h/ws?api-version=7"] {
            let d = refused(url, "", &answer, &[]);
            assert!(d.entry.code != "W321", "{url} {text}: {d:?}");
        }
        assert_eq!(refused("ws://h/ws", "", &answer, &[]).entry.code, "W321", "{text}");
    }
    for text in
        ["Version 9 of this endpoint does not exist", "API version v9 not found at this path"]
    {
        let d = refused(
            "ws://h/v9/ws",
            "",
            &format!("404 Not Found\r\n\r\n{{\"message\":\"{text}\"}}"),
            &[],
        );
        is(&d, &format!("its reason is \"{text}\""), Confidence::High);
    }
    // One element of the path is a value of the request.
    let answer = "400 Bad Request\r\n\r\nunknown path parameter 7, not a room";
    assert_eq!(refused("ws://h/7/ws", "", answer, &[]).entry.code, "W323");
    let answer = "400 Bad Request\r\n\r\nunknown path: this route does not exist";
    assert_eq!(refused("ws://h/7/ws", "", answer, &[]).entry.code, "W334");
    let answer = "400 Bad Request\r\n\r\nunsupported websocket version";
    assert_eq!(refused("ws://h/v3/ws", "", answer, &[]).entry.code, "W321");
}

#[test]
fn a_page_gives_a_reason_only_if_it_says_what_failed_or_is_required() {
    let of = |status: &str, page: &str| {
        refused(URL, "", &format!("{status}\r\nContent-Type: text/html\r\n\r\n{page}"), &[])
    };
    for status in ["403 Forbidden", "400 Bad Request", "500 Failed", "503 Down", "410 Gone"] {
        for page in [
            "<h1>Acme Realtime</h1><p>Deploy faster, sleep better</p>",
            "<h1>Oops!</h1><p>Please check back soon.</p>",
            "<title>x</title><p>Welcome to the Acme status page</p>",
            "<p>The page you were looking for has moved elsewhere</p>",
            "<p>Contact support at help@acme.example</p>",
        ] {
            lacks(&of(status, page), "its reason");
        }
        let d = of(
            status,
            "<h1>Acme</h1><p>Sleep better.</p><p>Your trial has expired. Please contact support.</p>",
        );
        is(&d, "its reason is \"Your trial has expired.\"", Confidence::Medium);
    }
}

#[test]
fn an_error_in_xml_is_read_by_its_code_and_message() {
    let xml = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>chat</Key><RequestId>7Q2X</RequestId></Error>";
    let d = refused(
        URL,
        "",
        &format!("404 Not Found\r\nServer: AmazonS3\r\nContent-Type: application/xml\r\n\r\n{xml}"),
        &[],
    );
    is(&d, "its reason is \"NoSuchKey: The specified key does not exist.\"", Confidence::High);
    assert!(!format!("{d:?}").contains("7Q2X"), "{d:?}");
}

#[test]
fn a_front_is_known_by_its_page() {
    let openshift = "<html><head><title>Application is not available</title></head><body><h1>Application is not available</h1><p>The application is currently not serving requests at this endpoint. It may not have been started or is still starting.</p></body></html>";
    let d = refused(
        URL,
        "",
        &format!("503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n{openshift}"),
        &[],
    );
    assert_eq!(d.entry.code, "W344");
    is(&d, "OpenShift's router", Confidence::Medium);
    let ngrok = "<html><head><noscript>The endpoint a.ngrok-free.app is offline. (ERR_NGROK_3200)</noscript></head><body><div id=\"root\"></div></body></html>";
    let d = refused(
        URL,
        "",
        &format!(
            "404 Not Found\r\nContent-Type: text/html\r\nNgrok-Error-Code: ERR_NGROK_3200\r\n\r\n{ngrok}"
        ),
        &[],
    );
    assert_eq!(d.entry.code, "W343");
    is(&d, "the tunnel is offline", Confidence::High);
    // Another error of it has its own words.
    let other = ngrok
        .replace("is offline. (ERR_NGROK_3200)", "is not allowed for this IP. (ERR_NGROK_3205)");
    let d = refused(
        URL,
        "",
        &format!(
            "403 Forbidden\r\nContent-Type: text/html\r\nNgrok-Error-Code: ERR_NGROK_3205\r\n\r\n{other}"
        ),
        &[],
    );
    is(&d, "is not allowed for this IP", Confidence::Medium);
}

#[test]
fn a_token_without_a_signature_that_has_expired_is_a_cause_of_an_end_at_once() {
    let token = |claims: &str| {
        let piece = URL_SAFE_NO_PAD.encode(claims);
        format!("Sec-WebSocket-Protocol: bokeh, {piece}\r\n")
    };
    let old = token(&format!("{{\"session_id\": \"x\", \"session_expiry\": {PAST}}}"));
    let text = "the token that was sent has expired";
    for code in [None, Some(1000)] {
        let d = closed(URL, &old, code, "");
        assert_eq!((&*d.causes[0].text, d.causes[0].confidence), (text, Confidence::Medium));
    }
    let url = format!("{URL}?t={}", URL_SAFE_NO_PAD.encode(format!("{{\"expires\":{PAST}000}}")));
    assert_eq!(closed(&url, "", None, "").causes[0].text, text);
    // A token in its time, an object without a time, and a reason about something else.
    let new = token(&format!("{{\"session_id\": \"x\", \"session_expiry\": {FUTURE}}}"));
    lacks(&closed(URL, &new, None, ""), text);
    lacks(&closed(URL, &token("{\"session_id\": \"x\", \"expires_in\": 5}"), None, ""), text);
    lacks(&closed(URL, &old, Some(1000), "the room is full"), text);
}
