//! The results of comparisons, and of actions of this side. Each server here sends the bytes of a
//! real server. The first cause must be the true one; if nothing can be known, there must be none.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::against::OPEN;
use crate::causes::{Told, answer, asks};
use crate::server::{receive, serve_all, serve_by, serve_open, switching};

use std::net::TcpListener;

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("loopback")
}

/// Whether a request is for a path.
fn is_for(request: &str, path: &str) -> bool {
    request.split(' ').nth(1) == Some(path)
}

#[test]
fn a_refusal_without_a_reason_is_no_proof_that_a_login_is_missing() {
    for status in ["403 Forbidden", "403 Access denied"] {
        let port = serve_by(move |_| answer(status, "", ""));
        let told = Told::of(&["--diagnose"], port, "/ws");
        told.is(
            "W332",
            "likely (medium): every request is refused, whatever its path: by the application",
        );
        told.has("without a reason");
        told.has("or by a filter in front");
        // Such a server answers a plain GET to an unknown path with 404.
        told.lacks("matches no route");
        told.lacks("(high)");
    }
    // The application has another answer at another path, so it knows this path.
    let port = serve_by(|request| match is_for(request, "/ws") {
        true => answer("403 Forbidden", "", ""),
        false => answer("404 Not Found", "", ""),
    });
    Told::of(&["--diagnose"], port, "/ws").lacks("no route");
    // The server answers plain HTTP at this path.
    for status in ["403 Forbidden", "400 Bad Request"] {
        let port = serve_by(move |request| match asks(request) {
            true => answer(status, "", ""),
            false => answer("200 OK", "", "ok"),
        });
        for args in [&["--diagnose"][..], &["doctor"]] {
            let told = Told::of(args, port, "/health");
            assert!(told.cause().contains("serves plain HTTP, and no WebSocket"), "{}", told.text);
        }
    }
}

#[test]
fn a_busy_server_has_not_compared() {
    // The server accepts one connection at a time, and tells that to the next client.
    let port = serve_by(|request| match request.contains("Origin: ") {
        true => answer("503 Service Unavailable", "", "maximum number of connections reached"),
        false => answer("403 Forbidden", "", ""),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/ws");
        assert_eq!(told.code(), "W332", "{}", told.text);
        told.lacks("(high)");
    }
}

#[test]
fn a_page_of_the_server_in_front_is_a_rule_of_it() {
    for page in [
        "<html><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>",
        "<p>You don't have permission to access this resource.</p>",
    ] {
        let port = serve_by(move |_| answer("403 Forbidden", "", page));
        Told::of(&[], port, "/ws").is("W332", "a rule of the server that answered forbids it");
    }
}

#[test]
fn the_words_of_an_answer_are_its_reason_whatever_its_status_is() {
    for (status, body, code, reason) in [
        (
            "401 Unauthorized",
            "{\"error\":\"Missing X-API-Key header\"}",
            "W326",
            "Missing X-API-Key header",
        ),
        (
            "400 Bad Request",
            "Missing request header \"x-token\"",
            "W326",
            "Missing request header \"x-token\"",
        ),
        (
            "503 Service Unavailable",
            "server is full, try later",
            "W344",
            "server is full, try later",
        ),
        (
            "503 Service Unavailable",
            "<html><h1>Planned maintenance</h1></html>",
            "W344",
            "Planned maintenance",
        ),
        ("426 Upgrade Required", "{\"error\":\"client too old\"}", "W323", "client too old"),
        (
            "402 Payment Required",
            "{\"error\":\"quota exceeded this month\"}",
            "W323",
            "quota exceeded this month",
        ),
        ("403 no entry for you", "", "W332", "no entry for you"),
        (
            "400 Bad Request",
            "{\"statusCode\":400,\"error\":\"Bad Request\",\"message\":\"querystring must have room\"}",
            "W323",
            "querystring must have room",
        ),
    ] {
        let port = serve_by(move |_| answer(status, "", body));
        Told::of(&[], port, "/ws").is(code, &format!("its reason is \"{reason}\""));
    }
    for (status, body, code, reason) in [
        ("403 Room is full", "", "W332", "Room is full"),
        (
            "404 Not Found",
            "{\"message\":\"Tenant acme does not exist\"}",
            "W334",
            "Tenant acme does not exist",
        ),
        (
            "410 Gone",
            "{\"error\":\"v1 was shut down, use /v2\"}",
            "W339",
            "v1 was shut down, use /v2",
        ),
    ] {
        let port = serve_by(move |_| answer(status, "", body));
        Told::of(&[], port, "/ws").is(code, &format!("its reason is \"{reason}\""));
    }
    // A text that says no more than the status is not a reason.
    for (status, body) in [
        ("404 Not Found", "Cannot GET /ws"),
        ("404 Not Found", "{\"message\":\"Route GET:/ws not found\"}"),
        ("418 I am a teapot", ""),
        ("403 Access denied", ""),
    ] {
        let port = serve_by(move |_| answer(status, "", body));
        Told::of(&[], port, "/ws").lacks("its reason is");
    }
    // A 426 with an Upgrade header asks for an upgrade.
    let port = serve_by(|_| answer("426 Upgrade Required", "Upgrade: websocket\r\n", "no upgrade"));
    assert_eq!(Told::of(&[], port, "/").code(), "W320");
}

#[test]
fn who_hangs_is_told_by_other_paths() {
    let args = ["--diagnose", "--handshake-timeout", "1"];
    // The upgrade at this path hangs; another one is refused.
    let port = serve_all(listen(), |stream| {
        let request = String::from_utf8_lossy(&receive(stream)).into_owned();
        if is_for(&request, "/slow") && asks(&request) {
            stream.read_to_end(&mut Vec::new()).ok()?;
        }
        stream.write_all(&answer("404 Not Found", "", "")).ok()
    });
    Told::of(&args, port, "/slow")
        .is("W109", "(medium): a plain GET is answered and the upgrade is not");
    // Every upgrade hangs, at any path.
    let port = serve_all(listen(), |stream| {
        let request = String::from_utf8_lossy(&receive(stream)).into_owned();
        if asks(&request) {
            stream.read_to_end(&mut Vec::new()).ok()?;
        }
        stream.write_all(&answer("404 Not Found", "", "")).ok()
    });
    let told = Told::of(&args, port, "/ws");
    told.is("W109", "(medium): nothing handles upgrades at this path");
    told.lacks("(high)");
}

#[test]
fn a_path_that_opens_without_its_query_shows_the_query() {
    // Netty's WebSocketServerProtocolHandler compares the path together with the query.
    let port = serve_all(listen(), |stream| {
        let request = String::from_utf8_lossy(&receive(stream)).into_owned();
        if !is_for(&request, "/ws") || !asks(&request) {
            stream.read_to_end(&mut Vec::new()).ok()?;
        }
        stream.write_all(switching(request.as_bytes(), "").as_bytes()).ok()
    });
    let args = ["--diagnose", "--handshake-timeout", "0.3"];
    let told = Told::of(&args, port, "/ws?token=abc");
    told.is("W109", "(medium): without the query a WebSocket opens");
    told.lacks("no request gets an answer");
    // Without a query, nothing shows it; another path is tried.
    let told = Told::of(&args, port, "/chat");
    told.is("W109", "no request gets an answer");
    told.has("possible: the path is wrong");
    told.lacks("without the query");
}

#[test]
fn silence_is_no_other_answer_and_trials_end_with_the_time_that_was_given() {
    let refuses_once = || {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let port = serve_all(listen(), move |stream| {
            receive(stream);
            if count.fetch_add(1, Ordering::SeqCst) > 0 {
                stream.read_to_end(&mut Vec::new()).ok()?;
            }
            stream.write_all(&answer("403 Forbidden", "", "")).ok()
        });
        (port, asked)
    };
    let (port, asked) = refuses_once();
    Told::of(&["--diagnose", "--handshake-timeout", "0.2"], port, "/ws").is("W332", "");
    // Four trials: without Upgrade, with the server's own Origin, with the usual subprotocols, at an
    // unknown path. No trial changed the answer, so none is repeated.
    assert_eq!(asked.load(Ordering::SeqCst), 5);
    let (port, _) = refuses_once();
    let began = Instant::now();
    Told::of(&["--diagnose", "--max-time", "1"], port, "/ws").is("W332", "");
    assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
}

#[test]
fn who_drops_a_path_is_an_http_server() {
    let port = serve_by(|request| match is_for(request, "/ws") {
        true => Vec::new(),
        false => answer("200 OK", "", ""),
    });
    Told::of(&["--diagnose"], port, "/ws").is("W107", "drops each request for this path");
}

#[test]
fn what_every_request_gets_is_not_about_the_path() {
    let port = serve_by(|_| answer("400 Bad Request", "", ""));
    Told::of(&["--diagnose"], port, "/ws")
        .is("W323", "every request is refused, whatever its path");
    let port = serve_by(|_| answer("500 Internal Server Error", "", ""));
    Told::of(&["--diagnose"], port, "/ws").is("W341", "every request fails alike");
}

#[test]
fn a_server_without_websocket_support_is_no_proxy() {
    let port = serve_by(|_| {
        b"HTTP/1.0 400 Bad Request\r\nServer: WSGIServer/0.2\r\n\r\nExpected WebSocket request."
            .to_vec()
    });
    Told::of(&["--diagnose"], port, "/ws").is("W320", "without WebSocket support");
    // The answer is HTTP/1.1 and shows no proxy, so neither cause is likelier.
    let port = serve_by(|_| answer("400 Bad Request", "", "Expected WebSocket request"));
    let told = Told::of(&["--diagnose"], port, "/ws");
    told.lacks("likely");
    told.has("possible: the server runs the application without WebSocket support");
}

#[test]
fn a_refused_own_origin_needs_a_sign_of_a_proxy() {
    let port = serve_by(|request| match request.contains("Origin: ") {
        true => answer("403 Forbidden", "", "invalid Origin header"),
        false => {
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                .to_vec()
        }
    });
    let own = format!("http://127.0.0.1:{port}");
    for origin in ["https://evil.example", own.as_str()] {
        let told = Told::of(&["-o", origin, "--diagnose"], port, "/");
        told.is("W327", "(high): the Origin is not on the server's list");
    }
}

#[test]
fn unanswered_pings_are_the_cause_of_their_consequence() {
    let ping = b"\x89\x00";
    // The server gives up without a Close, as ws does with terminate(), or with one.
    for (last, code) in [(&b""[..], "W804"), (b"\x88\x18\x03\xf3keepalive ping timeout", "W711")] {
        let port = serve_open(move |stream| {
            stream.write_all(ping).ok()?;
            stream.set_read_timeout(Some(Duration::from_millis(1200))).ok()?;
            let _ = stream.read(&mut [0; 64]);
            stream.write_all(last).ok()
        });
        let told = Told::of(&["--no-pong", "-w", "forever"], port, "/");
        told.is(code, "(high): this side did not answer the peer's pings");
        told.has("leave out `--no-pong`");
        told.lacks("--ping-interval");
    }
}

#[test]
fn a_protocol_that_has_a_name_for_it_is_no_idle_timer() {
    let text = b"Connection initialisation timeout";
    let close = [b"\x88\x23\x11\x38", &text[..]].concat();
    let port = serve_all(listen(), move |stream| {
        let request = receive(stream);
        let more = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
        stream.write_all(switching(&request, more).as_bytes()).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(1200))).ok()?;
        let _ = stream.read(&mut [0; 64]);
        stream.write_all(&close).ok()
    });
    let told = Told::of(&["-s", "graphql-transport-ws", "-w", "forever"], port, "/graphql");
    assert_eq!(told.code(), "W505", "{}", told.text);
    told.lacks("idle timeout");
    told.lacks("--ping-interval");
    told.has("connection_init");
}

#[test]
fn the_message_before_a_close_is_its_reason() {
    let port = serve_open(|stream| {
        stream.write_all(b"\x81\x18{\"error\":\"Invalid Host\"}\x88\x00").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["doctor"], port, "/");
    told.is("W705", "its last message is {\"error\":\"Invalid Host\"}");
    told.lacks("no action needed");
}

#[test]
fn a_message_before_a_normal_close_is_an_answer() {
    let port = serve_open(|stream| {
        stream.write_all(b"\x81\x0d{\"errors\":[]}\x88\x02\x03\xe8").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["-w", "forever"], port, "/");
    assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
}

#[test]
fn a_close_behind_our_message_is_about_it() {
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.write_all(b"\x88\x00").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["-x", "hi", "--exit-after", "1"], port, "/");
    told.is("W705", "handler ended because of our message");
}

#[test]
fn http_in_place_of_the_answer_to_our_close_is_no_close() {
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.write_all(b"\x81\x02hi").ok()?;
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.write_all(&answer("200 OK", "Server: Werkzeug/3.1\r\n", "")).ok()
    });
    let told = Told::of(&["-x", "hi", "--exit-after", "1"], port, "/");
    assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
}

#[test]
fn a_compressed_body_is_shown_as_text() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"{\"message\":\"maintenance until 18:00\"}").expect("memory");
    let body = gzip.finish().expect("memory");
    let len = body.len();
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len}\r\n\r\n"
    );
    let answer = [head.as_bytes(), &body].concat();
    let port = serve_by(move |_| answer.clone());
    let told = Told::of(&[], port, "/");
    told.has("< {\"message\":\"maintenance until 18:00\"}");
    told.lacks("\\x8b");
    let told = Told::run(&["-v", &format!("ws://127.0.0.1:{port}/")]);
    told.has(&format!("the body has {len} bytes of gzip"));
    told.lacks("\\x8b");
}

/// The output of `--diagnose` for a server whose name leads to this machine.
fn named(port: u16, args: &[&str]) -> Told {
    let url = format!("ws://app.example:{port}/");
    let resolve = format!("app.example:{port}:127.0.0.1");
    Told::run(&[&["--diagnose", "--resolve", &resolve], args, &[&url]].concat())
}

#[test]
fn a_name_that_a_server_of_this_machine_refuses_is_tried_as_its_own() {
    let port = serve_by(|request| match request.contains("Host: localhost:") {
        true => OPEN.to_vec(),
        false => answer("400 Bad Request", "", "Bad Request"),
    });
    let told = named(port, &[]);
    told.is("W351", "likely (medium): it opens as localhost: the server may not know this Host");
    told.has("with Host: localhost:");
    told.has("`allowedHosts`");
    told.lacks("(high)");
    told.lacks("the answer reports");
    // A server that has no site for localhost, either, proves nothing.
    let port = serve_by(|request| match request.contains("Host: localhost:") {
        true => answer("404 Not Found", "", ""),
        false => answer("403 Forbidden", "", ""),
    });
    let told = named(port, &[]);
    assert_eq!(told.code(), "W332", "{}", told.text);
    told.lacks("localhost");
    // A URL with an address has no other name to try.
    let port = serve_by(|_| answer("400 Bad Request", "", "Bad Request"));
    Told::of(&["--diagnose"], port, "/").lacks("localhost");
}

#[test]
fn another_site_of_this_machine_gets_no_secret_of_the_one_that_was_meant() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let port = serve_by(move |request| {
        log.lock().expect("whole").push(request.to_owned());
        match request.contains("Host: localhost:") {
            true => OPEN.to_vec(),
            false => answer("403 Forbidden", "", ""),
        }
    });
    let url = format!("ws://app.example:{port}/a?access_token=t0p&x=1");
    let resolve = format!("app.example:{port}:127.0.0.1");
    let secrets = ["--bearer", "t0p", "--cookie", "session=t0p", "-H", "X-Api-Key: t0p"];
    let offers = ["-s", "bearer", "-s", "t0p", "-H", "X-Plain: yes"];
    let common = ["--diagnose", "--resolve", &resolve];
    let told = Told::run(&[&common[..], &secrets, &offers, &[&url]].concat());
    told.has("with Host: localhost:");
    let heard = heard.lock().expect("whole");
    let (near, first): (Vec<_>, Vec<_>) =
        heard.iter().partition(|request| request.contains("Host: localhost:"));
    assert!(!near.is_empty() && near.iter().all(|request| !request.contains("t0p")), "{near:?}");
    assert!(near.iter().all(|request| request.contains("X-Plain: yes")), "{near:?}");
    assert!(first.iter().any(|request| request.contains("X-Api-Key: t0p")), "{first:?}");
}

#[test]
fn a_server_that_asks_for_a_login_or_is_behind_a_proxy_is_not_tried_as_localhost() {
    let open = |request: &str, refusal: &[u8]| match request.contains("Host: localhost:") {
        true => OPEN.to_vec(),
        false => refusal.to_vec(),
    };
    let port = serve_by(move |request| open(request, &answer("401 Unauthorized", "", "")));
    let told = named(port, &[]);
    assert_eq!(told.code(), "W326", "{}", told.text);
    told.lacks("localhost");
    let port = serve_by(move |request| match request.starts_with("CONNECT") {
        true => answer("200 OK", "", ""),
        false => open(request, &answer("403 Forbidden", "", "")),
    });
    let proxy = format!("http://127.0.0.1:{port}");
    Told::run(&["--diagnose", "--proxy", &proxy, "ws://app.example/"]).lacks("localhost");
}

#[test]
fn trials_connect_to_the_address_that_was_reached() {
    let port = serve_by(|_| answer("404 Not Found", "", ""));
    let resolve = format!("a.example:{port}:127.0.0.9,127.0.0.1");
    let leads = format!("::a.example:{port}");
    let args = ["--diagnose", "-v", "--resolve", &resolve, "--connect-to", &leads];
    let told = Told::of(&args, port, "/ws");
    let found = |line: &&str| line.contains("a.example resolved to");
    let lookups: Vec<&str> = told.text.lines().filter(found).collect();
    let [first, trials @ ..] = &lookups[..] else { panic!("{}", told.text) };
    assert!(first.contains("127.0.0.9:") && !trials.is_empty(), "{}", told.text);
    assert!(!trials.iter().any(|line| line.contains("127.0.0.9:")), "{}", told.text);
}

#[test]
fn an_error_without_a_head_is_compared_with_a_plain_get() {
    // CivetWeb without a handler of WebSockets.
    let body = "Error 404: Not Found\nNot found";
    let port = serve_by(move |request| match request.starts_with("GET ") && !asks(request) {
        true => answer("404 Not Found", "", body),
        false => body.as_bytes().to_vec(),
    });
    for args in [&[][..], &["--diagnose"], &["doctor"]] {
        let told = Told::of(args, port, "/ws");
        told.is("W348", "has no WebSocket at this path");
        told.lacks("another service");
    }
    Told::of(&["doctor"], port, "/ws").has("a plain GET without Upgrade: 404 Not Found");
}

#[test]
fn a_listener_for_http2_alone_is_told_from_engine_io() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    // Envoy closes what is not HTTP/2 after its delayed_close_timeout.
    let port = serve_all(listener, |stream| {
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).ok()?;
        if buffer[..n].starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
            stream.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64").ok()?;
        }
        stream.set_read_timeout(Some(Duration::from_millis(1000))).ok()?;
        let _ = stream.read(&mut buffer);
        None
    });
    // Only a plain GET shows that other requests in HTTP/1.1 get no answer, either.
    for (args, sure) in [
        (&[][..], "possible"),
        (&["--diagnose"], "likely (medium)"),
        (&["doctor"], "likely (medium)"),
    ] {
        let told = Told::of(args, port, "/ws");
        told.is("W111", &format!("{sure}: the port accepts only HTTP/2"));
        told.lacks("Engine.IO");
    }
}

#[test]
fn trials_that_found_no_time_are_told() {
    let silent = serve_all(listen(), |stream| {
        stream.set_read_timeout(Some(Duration::from_secs(4))).ok()?;
        let _ = receive(stream);
        let _ = stream.read(&mut [0; 16]);
        None
    });
    let words = "--max-time left no time for some connections of --diagnose";
    Told::of(&["--diagnose", "--max-time", "1"], silent, "/ws").has(words);
    Told::of(&["--max-time", "1"], silent, "/ws").lacks(words);
    // All trials were made.
    let port = serve_by(|_| answer("404 Not Found", "", ""));
    Told::of(&["--diagnose", "--max-time", "9"], port, "/ws").lacks(words);
}
