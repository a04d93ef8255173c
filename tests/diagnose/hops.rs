//! The hop that answered, and the author of the words.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::causes::{Told, answer, asks};
use crate::server::{receive, serve_all, serve_by, switching};

/// The three ways to run it: without trials, with trials, and doctor.
const WAYS: [&[&str]; 3] = [&[], &["--diagnose"], &["doctor"]];

#[test]
fn a_compressed_body_is_read_and_one_that_can_not_be_is_not_quoted() {
    let body = b"{\"error\":\"maintenance until 18:00\"}";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body).expect("memory");
    let gzip = gzip.finish().expect("memory");
    for (coding, reason) in [("gzip", true), ("br", false)] {
        let gzip = gzip.clone();
        let port = serve_by(move |_| {
            let head = format!(
                "HTTP/1.1 503 Service Unavailable\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
                gzip.len()
            );
            [head.as_bytes(), &gzip].concat()
        });
        for way in WAYS {
            let told = Told::of(way, port, "/");
            assert_eq!(told.code(), "W344", "{}", told.text);
            match reason {
                true => told.has("its reason is \"maintenance until 18:00\""),
                false => told.lacks("its reason is"),
            }
        }
    }
}

#[test]
fn the_name_of_a_server_and_the_text_of_a_status_are_no_reason() {
    for (status, headers, body, code) in [
        (
            "502 Bad Gateway",
            "Server: nghttpx\r\n",
            "<title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><footer>nghttpx</footer>",
            "W343",
        ),
        (
            "403 ",
            "",
            "<!doctype html><title>HTTP Status 403 – Forbidden</title><h1>HTTP Status 403 – Forbidden</h1><p><b>Type</b> Status Report</p><p><b>Description</b> The server understood the request but refuses to authorize it.</p><h3>Apache Tomcat/10.1 (Debian)</h3>",
            "W332",
        ),
        (
            "501 Not Implemented",
            "",
            "<!DOCTYPE html><title>501 Not Implemented</title><h1>501 Not Implemented</h1><p>That&apos;s all I know.</p>",
            "W341",
        ),
        ("404 N/A", "", "Not found", "W334"),
        (
            "403 Forbidden",
            "",
            "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>",
            "W332",
        ),
    ] {
        let port = serve_by(move |_| answer(status, headers, body));
        for way in WAYS {
            let told = Told::of(way, port, "/");
            assert_eq!(told.code(), code, "{}", told.text);
            told.lacks("its reason is");
        }
    }
}

#[test]
fn a_plain_get_that_is_told_more_is_read() {
    let port = serve_by(|request| match asks(request) {
        true => answer("403 Forbidden", "", ""),
        false => answer("400 Bad Request", "", "Bearer token required"),
    });
    for way in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(way, port, "/");
        told.is("W332", "to a plain GET, the server says \"Bearer token required\"");
    }
}

#[test]
fn who_answers_every_request_alike_is_not_the_application() {
    for (status, code, cause) in [
        ("500 Internal Server Error", "W341", "every request fails alike"),
        ("403 Forbidden", "W332", "by the application, for credentials"),
        ("404 Not Found", "W334", "a program without WebSocket"),
        ("200 OK", "W305", "every request gets this answer"),
    ] {
        let port = serve_by(move |_| answer(status, "", ""));
        for way in [&["--diagnose"][..], &["doctor"]] {
            Told::of(way, port, "/ws").is(code, cause);
        }
    }
    // A 404 without other facts may mean an unknown path or a lost upgrade.
    let port = serve_by(|_| answer("404 Not Found", "", ""));
    Told::of(&[], port, "/ws").is("W334", "or Upgrade and Connection were lost on the way");
}

#[test]
fn a_proxy_that_marks_what_it_passes_on_answered_itself_where_the_mark_is_missing() {
    for (headers, own) in [
        ("Server: Caddy\r\n", true),
        ("Via: 1.1 Caddy\r\n", false),
        ("server: envoy\r\n", true),
        ("server: envoy\r\nx-envoy-upstream-service-time: 2\r\n", false),
    ] {
        let port = serve_by(move |_| answer("404 Not Found", headers, ""));
        for way in WAYS {
            let told = Told::of(way, port, "/ws");
            let said = told.cause().contains("the server in front answered itself");
            assert_eq!((told.code(), said), ("W334", own), "{headers} {}", told.text);
        }
    }
}

#[test]
fn a_parser_that_refuses_has_no_date() {
    let port = serve_by(|_| b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec());
    Told::of(&[], port, "/ws").is("W323", "such as the PROXY protocol");
}

#[test]
fn a_head_that_is_cut_is_said() {
    let port = serve_by(|_| b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: web".to_vec());
    let told = Told::of(&[], port, "/ws");
    told.is("W107", "fails or hangs while it writes its response");
    told.has("46 bytes of the head came");
}

#[test]
fn other_protocols_with_the_form_of_http_are_named() {
    for (bytes, name) in [
        (&b"RTSP/1.0 400 Bad Request\r\n\r\n"[..], "RTSP"),
        (
            b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
            "XMPP",
        ),
    ] {
        let port = serve_by(move |_| bytes.to_vec());
        let told = Told::of(&[], port, "/");
        assert_eq!(told.code(), "W110", "{}", told.text);
        told.has(&format!("the port speaks {name}, not HTTP"));
    }
}

#[test]
fn an_http_server_that_drops_is_one_of_http() {
    // The server answers a ClientHello in HTTP, and drops every request.
    let port = serve_by(|request| match request.starts_with("GET ") {
        true => Vec::new(),
        false => answer("400 Bad Request", "", ""),
    });
    for way in WAYS {
        let told = Told::of(way, port, "/ws");
        told.is("W107", "drops");
        told.lacks("not plain HTTP");
    }
}

#[test]
fn a_server_that_starts_is_not_one_that_drops_the_upgrade() {
    // The server drops its first two connections: the request, and the trial with TLS.
    let count = AtomicUsize::new(0);
    let listen = || TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listen(), move |stream| {
        let request = receive(stream);
        if count.fetch_add(1, Ordering::Relaxed) < 2 {
            return None;
        }
        let answer = match request.windows(11).any(|text| text == b"Upgrade: we") {
            true => switching(&request, ""),
            false => "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).ok()
    });
    let told = Told::of(&["--diagnose"], port, "/");
    told.is("W107", "likely (high): the server's answers change from one request to the next");
    told.lacks("drops the upgrade");
    // A server that drops every upgrade has this cause.
    let port = serve_all(listen(), move |stream| {
        let request = receive(stream);
        let plain = !request.windows(11).any(|text| text == b"Upgrade: we");
        let answer = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n";
        if plain && request.starts_with(b"GET") { stream.write_all(answer).ok() } else { None }
    });
    Told::of(&["--diagnose"], port, "/").is("W107", "drops the upgrade");
}
