//! Programs between client and server: transparent proxies, rewritten paths, and gateways that
//! report a failed upstream. Also the evidence of the peer's clocks and subprotocols. Each server
//! here sends the bytes of a real server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crate::causes::{Told, answer, asks};
use crate::server::{receive, serve_all, serve_by, serve_open, switching};

const APACHE: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n<hr>\n<address>Apache/2.4.57 (Debian) Server at localhost Port 80</address>\n</body></html>\n";

fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn an_answer_of_a_filter_is_not_the_servers() {
    for (status, headers, body) in [
        (
            "400 Bad Request",
            "Server: squid/5.7\r\nX-Squid-Error: ERR_INVALID_REQ 0\r\n",
            "<html><title>ERROR: The requested URL could not be retrieved</title></html>",
        ),
        ("403 Forbidden", "Server: Zscaler/6.3\r\n", "<html>Sorry, you are not allowed.</html>"),
        (
            "403 Forbidden",
            "",
            "<html><h1>Web Page Blocked!</h1>FortiGuard Intrusion Prevention</html>",
        ),
        ("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"corp\"\r\n", ""),
    ] {
        let port = serve_by(move |_| answer(status, headers, body));
        for args in [&[][..], &["--diagnose"], &["doctor"]] {
            let told = Told::of(args, port, "/ws");
            // No network is on the way to this machine.
            told.is("W117", "a proxy or filter in front of the server, on this machine");
            told.lacks("transparent proxy or filter");
        }
    }
    // The server's words come first; they do not say which program sent them.
    let port = serve_by(|_| answer("403 Forbidden", "Server: mitmproxy 11\r\n", "use the address"));
    let told = Told::of(&[], port, "/ws");
    told.is("W117", "its reason is \"use the address\"");
    told.has("a proxy or filter in front of the server, on this machine");
    let port = serve_by(|_| answer("511 Network Authentication Required", "", "<p>log in"));
    Told::of(&[], port, "/").is("W117", "a captive portal");
    // A server that mentions a proxy is not a proxy.
    let port = serve_by(|_| answer("403 Forbidden", "", "ask the squid in the pond"));
    assert_ne!(Told::of(&[], port, "/").code(), "W117");
}

#[test]
fn a_proxy_that_leaves_its_name_in_via_removed_the_upgrade() {
    let via = "Via: 1.1 gw.lan (squid/4.10)\r\nX-Cache: MISS from gw.lan\r\n";
    let port = serve_by(move |_| answer("426 Upgrade Required", via, "Upgrade Required"));
    for args in [&[][..], &["--diagnose"]] {
        let told = Told::of(args, port, "/ws");
        // No network is on the way to this machine, so Squid is in front of the server.
        told.is("W320", "a reverse proxy forwards without Upgrade and Connection");
        told.lacks("transparent proxy");
    }
    let port = serve_by(move |_| {
        answer("404 Not Found", &format!("{via}Server: uvicorn\r\n"), "{\"detail\":\"Not Found\"}")
    });
    Told::of(&[], port, "/ws").is("W335", "a proxy forwards without Upgrade and Connection");
}

#[test]
fn a_page_that_names_another_path_shows_a_rewrite() {
    for (asked, body) in [
        ("/ws", "<pre>Cannot GET /wrong</pre>"),
        (
            "/api/ws",
            "{\"message\":\"Route GET:/ws not found\",\"error\":\"Not Found\",\"statusCode\":404}",
        ),
        ("/cable", "<h2>No route matches [GET] &quot;/cable/cable&quot;</h2>"),
        ("/api/ws", "{\"status\":404,\"error\":\"Not Found\",\"path\":\"/ws\"}"),
        ("/ws", "<tr><th>URI:</th><td>/back/ws</td></tr>"),
    ] {
        let port = serve_by(move |_| answer("404 Not Found", "", body));
        Told::of(&[], port, asked).is("W334", "a proxy or the server rewrites the path");
    }
    for (asked, body) in [
        ("/ws", "<pre>Cannot GET /ws</pre>"),
        ("/ws/", "{\"status\":404,\"path\":\"/ws\"}"),
        ("/a%20b", "<pre>Cannot GET /a b</pre>"),
        ("/ws?x=1", "<pre>Cannot GET /ws?x=1</pre>"),
    ] {
        let port = serve_by(move |_| answer("404 Not Found", "", body));
        Told::of(&[], port, asked).lacks("likely (high)");
    }
}

#[test]
fn a_gateway_that_carries_no_upgrade_is_known_by_a_plain_get() {
    // A middleware of the gateway hides the connection; the application is gorilla/websocket.
    let port = serve_by(|request| match request.contains("Upgrade: websocket") {
        true => answer("502 Bad Gateway", "X-Gateway: api-gw\r\n", ""),
        false => answer("400 Bad Request", "Sec-Websocket-Version: 13\r\n", "Bad Request\n"),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/ws");
        told.is("W343", "the gateway itself can't carry an upgrade");
        told.has("Sec-WebSocket-Version: 13");
    }
    Told::of(&[], port, "/ws").has("the proxy can't carry an upgrade");
}

#[test]
fn a_second_head_behind_the_101_is_that_of_the_application() {
    let port = serve_by(|request| {
        let outer =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive\r\nServer: thin\r\n\r\n";
        [outer.as_bytes(), switching(request.as_bytes(), "").as_bytes()].concat()
    });
    let told = Told::of(&[], port, "/");
    told.has("the web server wrote this 101 by itself");
    told.lacks("proxy");
}

#[test]
fn another_server_at_an_unknown_path_shows_that_this_one_is_forwarded() {
    // ProxyPass "/ws" "ws://backend/wrong": the header Server and the body come from the backend.
    let port = serve_by(|request| match path_of(request) {
        "/ws" => answer("404 Not Found", "Server: Python/3.11 websockets/12.0\r\n", "not here\n"),
        _ => answer("404 Not Found", "Server: Apache/2.4.57 (Debian)\r\n", APACHE),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/ws");
        told.is("W334", "a proxy forwards this path to another server, which does not know it");
        told.has("ProxyPass");
    }
    Told::of(&[], port, "/ws").is("W334", "a wrong path, in the URL or rewritten by a proxy");
}

#[test]
fn gateways_say_in_their_pages_how_the_upstream_failed() {
    let envoy = "server: envoy\r\n";
    for (status, headers, body, code, cause) in [
        (
            "503 Service Unavailable",
            envoy,
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused",
            "W343",
            "nothing listens at the proxy's upstream",
        ),
        (
            "503 Service Unavailable",
            envoy,
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
            "W343",
            "the upstream closed the connection",
        ),
        (
            "503 Service Unavailable",
            envoy,
            "upstream connect error or disconnect/reset before headers. reset reason: overflow",
            "W343",
            "circuit breaker",
        ),
        (
            "503 Service Unavailable",
            envoy,
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER",
            "W343",
            "TLS to its upstream failed",
        ),
        ("503 Service Unavailable", envoy, "no healthy upstream", "W344", "no healthy server"),
        (
            "502 Bad Gateway",
            "",
            "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n",
            "W343",
            "the upstream was reached",
        ),
        (
            "502 Proxy Error",
            "Server: Apache/2.4.57\r\nContent-Type: text/html\r\n",
            "<h1>Proxy Error</h1>Reason: <strong>Error reading from remote server</strong>",
            "W343",
            "the upstream closed the connection",
        ),
        (
            "503 Service Unavailable",
            "Server: Apache/2.4.57\r\nContent-Type: text/html\r\n",
            "<p>The server is temporarily unable to service your request due to maintenance downtime or capacity problems.</p>",
            "W344",
            "could not connect to the server behind it",
        ),
        (
            "503 Service Temporarily Unavailable",
            "Server: awselb/2.0\r\n",
            "",
            "W344",
            "no healthy or registered target",
        ),
        (
            "502 Bad Gateway",
            "Server: Caddy\r\n",
            "",
            "W343",
            "the application is down or on another port",
        ),
        (
            "521 ",
            "Server: cloudflare\r\n",
            "error code: 521",
            "W347",
            "the origin refuses connections",
        ),
        ("522 ", "Server: cloudflare\r\n", "error code: 522", "W347", "timed out"),
        ("526 ", "Server: cloudflare\r\n", "error code: 526", "W347", "certificate"),
        (
            "403 Forbidden",
            "Server: cloudflare\r\n",
            "error code: 1020",
            "W332",
            "a rule of Cloudflare's firewall",
        ),
        ("403 Forbidden", envoy, "RBAC: access denied", "W332", "an authorization policy (RBAC)"),
        (
            "404 Not Found",
            "",
            "<html>The endpoint is offline. ERR_NGROK_3200</html>",
            "W343",
            "the tunnel is offline",
        ),
        (
            "200 OK",
            "Content-Type: text/html\r\n",
            "Invalid Host header",
            "W351",
            "the host of the URL",
        ),
    ] {
        let port = serve_by(move |_| answer(status, headers, body));
        Told::of(&[], port, "/ws").is(code, cause);
    }
}

#[test]
fn an_upstream_that_drops_the_upgrade_is_told_from_one_that_is_down() {
    let page =
        "<html><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></html>";
    let bad = move || answer("502 Bad Gateway", "Server: nginx/1.22.1\r\n", page);
    let port = serve_by(move |request| match asks(request) {
        true => bad(),
        false => answer("200 OK", "Server: nginx/1.22.1\r\n", "home"),
    });
    Told::of(&["--diagnose"], port, "/ws").is("W343", "the upstream dropped the upgrade");
    Told::of(&[], port, "/ws").lacks("likely");
    let port = serve_by(move |_| bad());
    Told::of(&["--diagnose"], port, "/ws").is("W343", "the application is down or on another port");
}

#[test]
fn a_plain_request_that_was_cut_off_is_tried_once_with_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, |stream| {
        let heard = receive(stream);
        // A ClientHello gets an alert; after any other bytes, the connection ends.
        let alert: &[u8] =
            if heard.starts_with(&[0x16, 3]) { b"\x15\x03\x03\x00\x02\x02\x28" } else { b"" };
        stream.write_all(alert).ok()
    });
    let told = Told::of(&[], port, "/");
    told.is("W107", "likely (high): the port speaks TLS");
    told.has("wss://");
    let neither = serve_by(|_| Vec::new());
    let told = Told::of(&[], neither, "/");
    told.is("W107", "possible: the port speaks another protocol than HTTP");
    told.lacks("the port speaks TLS only");
    told.has("--diagnose makes a few more connections");
}

/// A server that opens, waits, and sends this Close. With `hello`, it sends a message first.
fn closes(after: Duration, close: &'static [u8], hello: bool) -> u16 {
    serve_open(move |stream| {
        if hello {
            stream.write_all(b"\x81\x02hi").ok()?;
        }
        // The server ignores received data and waits for its own time.
        stream.set_read_timeout(Some(after)).ok()?;
        let _ = stream.read(&mut [0; 64]);
        stream.write_all(close).ok()?;
        stream.set_read_timeout(None).ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    })
}

#[test]
fn a_regular_close_after_a_silence_may_be_a_timers() {
    let after = Duration::from_millis(1300);
    for (close, hello) in [
        (&b"\x88\x02\x03\xe8"[..], false),
        (b"\x88\x02\x03\xe9", true),
        (b"\x88\x0c\x03\xe9Going away", true),
    ] {
        let told = Told::of(&[], closes(after, close, hello), "/");
        told.has("the peer closed after 1.");
        told.has(match close[3] {
            0xe8 => "likely (medium): possibly an idle timeout of the server or of a proxy",
            _ => "likely (medium): an idle timeout, or a shutdown or restart of the server",
        });
        told.has("--ping-interval 0.6");
        assert_eq!(told.status, Some(0), "{}", told.text);
    }
    let told = Told::of(&[], closes(after, b"\x88\x0e\x03\xe9Idle timeout", true), "/");
    told.has("likely (high): an idle timeout of the server");
}

#[test]
fn a_regular_close_behind_an_answer_is_none() {
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(1200))).ok()?;
        let _ = stream.read(&mut [0; 64]);
        stream.write_all(b"\x81\x04done\x88\x02\x03\xe8").ok()?;
        stream.set_read_timeout(None).ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["-x", "job", "-w", "-1"], port, "/");
    assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
}

#[test]
fn a_subprotocol_that_was_not_taken_is_named_where_nothing_follows() {
    // The server closes at once.
    for close in [&b"\x88\x00"[..], b"\x88\x02\x03\xe8", b"\x88\x02\x03\xea"] {
        let port = serve_open(move |stream| {
            stream.write_all(close).ok()?;
            stream.read_to_end(&mut Vec::new()).ok().map(drop)
        });
        let told = Told::of(&["-s", "v1"], port, "/");
        assert!(
            told.cause().contains("none of the subprotocols offered; v1 was offered"),
            "{}",
            told.text
        );
        // Without an offered subprotocol, it is not the cause.
        Told::of(&[], port, "/").lacks("subprotocols offered");
    }
    // The server ends the stream.
    let port = serve_open(|_| None);
    let told = Told::of(&["-s", "v1"], port, "/");
    assert!(told.cause().contains("none of the subprotocols offered"), "{}", told.text);
    // The server does not answer.
    let silent = || {
        serve_open(|stream| {
            loop {
                let mut buffer = [0; 64];
                match stream.read(&mut buffer).ok()? {
                    0 => return None,
                    _ if buffer[0] == 0x88 => {
                        return stream.write_all(b"\x88\x02\x03\xe8").ok();
                    }
                    _ => {}
                }
            }
        })
    };
    let told = Told::of(&["-s", "v1", "-x", "hi", "-w", "0.3"], silent(), "/");
    assert_eq!((told.code(), told.status), ("W411", Some(0)), "{}", told.text);
    told.has("our message was not answered");
    let told = Told::of(&["-x", "hi", "-w", "0.3"], silent(), "/");
    assert_eq!(told.code(), "none", "{}", told.text);
    // An answer proves that the subprotocol is not required.
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.write_all(b"\x81\x02yo").ok()?;
        let _ = stream.read(&mut [0; 64]).ok()?;
        stream.write_all(b"\x88\x02\x03\xe8").ok()
    });
    let told = Told::of(&["-s", "v1", "-x", "hi", "-w", "0.3"], port, "/");
    assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
}

#[test]
fn a_known_path_that_sees_no_upgrade_lost_it_on_the_way() {
    // simple-websocket behind an invisible proxy: 400 to requests without an upgrade, 404 at other
    // paths.
    let port = serve_by(|request| match path_of(request) {
        "/ws" => answer("400 BAD REQUEST", "", "<title>400 Bad Request</title>"),
        _ => answer("404 NOT FOUND", "", "<title>404 Not Found</title>"),
    });
    Told::of(&["--diagnose"], port, "/ws")
        .is("W323", "or Upgrade and Connection were lost on the way");
    // fastify's own 404 is empty at a route for WebSocket.
    let port = serve_by(|request| match path_of(request) {
        "/ws" => answer("404 Not Found", "", ""),
        _ => answer("404 Not Found", "", "{\"error\":\"Not Found\",\"statusCode\":404}"),
    });
    Told::of(&["--diagnose"], port, "/ws")
        .is("W334", "the server knows the path and saw no upgrade");
}

#[test]
fn what_another_server_answers_says_nothing_of_this_one() {
    // daphne behind nginx, which forwards only this prefix.
    let port = serve_by(|request| match (path_of(request), asks(request)) {
        ("/app/ws", true) => answer("500 Internal server error", "Server: nginx/1.22.1\r\n", ""),
        _ => {
            answer("404 Not Found", "Server: nginx/1.22.1\r\n", "<hr><center>nginx/1.22.1</center>")
        }
    });
    Told::of(&["--diagnose"], port, "/app/ws").has("or it has no route for this path");
    // An answer without the name of the server comes from the same server.
    let port = serve_by(|request| match path_of(request) {
        "/ws" => answer("403 Forbidden", "", ""),
        _ => answer("404 Not Found", "Server: uvicorn\r\n", ""),
    });
    Told::of(&["--diagnose"], port, "/ws").lacks("another server answers");
}
