//! Heads: what is changed in a request, ordinary HTTP, and servers that can't be asked.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::raw::UPGRADE;
use crate::upstream::{Upstream, head, proxy, read};

#[test]
fn host_is_the_servers_and_all_else_stays() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    let fields = format!("oRIGIN:  http://page \r\nCookie: a=b; c\r\n{UPGRADE}X-Last:\t1\r\n\r\n");
    client.send(format!("GET /chat?token=1 HTTP/1.1\r\nHost: localhost:1\r\n{fields}"));
    let got = head(&mut upstream.accept());
    let host = format!("127.0.0.1:{}", upstream.port());
    assert_eq!(got, format!("GET /chat?token=1 HTTP/1.1\r\nHost: {host}\r\n{fields}"));
    let said = proxy.stdout.wait_for("X-Last");
    assert!(said.contains("> [1] Host: localhost:1\n"), "{said}");
    let said = proxy.stdout.wait_for(&format!("> [1] Host: {host}\n"));
    assert!(said.contains("* [1] the request is passed on as:\n"), "{said}");
    proxy.interrupt();
}

#[test]
fn keep_host_keeps_every_byte() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--keep-host"]);
    let mut client = proxy.raw();
    let request = format!("GET / HTTP/1.1\r\nHost: localhost:1\r\n{UPGRADE}\r\n");
    client.send(&request);
    assert_eq!(head(&mut upstream.accept()), request);
    let output = proxy.interrupt();
    assert!(!output.stdout.contains("passed on as"), "{}", output.stdout);
}

#[test]
fn a_base_stands_before_the_path() {
    let upstream = Upstream::new();
    let proxy = proxy(&format!("http://127.0.0.1:{}/base/", upstream.port()), &["--keep-host"]);
    let mut client = proxy.raw();
    client.send(format!("GET /x?y HTTP/1.1\r\nHost: h\r\n{UPGRADE}\r\n"));
    assert!(head(&mut upstream.accept()).starts_with("GET /base/x?y HTTP/1.1\r\nHost: h\r\n"));
    proxy.interrupt();
}

#[test]
fn ordinary_http_passes_one_request_to_a_connection() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    let body = crate::frames::noise(300_000);
    let request = "POST /poll HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\
                   Content-Length: 300000\r\n\r\n";
    client.send(request);
    let mut server = upstream.accept();
    let got = head(&mut server);
    assert!(got.contains("\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n"), "{got}");
    let sending = client.tcp().try_clone().expect("a descriptor");
    let sent = body.clone();
    let sending = std::thread::spawn(move || (&sending).write_all(&sent).expect("it is read"));
    assert!(read(&mut server, body.len()) == body, "the body is as it was");
    crate::waiting::join(sending);
    let response = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                    5\r\nhello\r\n0\r\n\r\n";
    server.write_all(response.as_bytes()).expect("it reads");
    drop(server);
    assert_eq!(client.rest(), response.as_bytes());
    drop(client);
    proxy.stdout.wait_for("* [1] the server answered 200 OK; 81 bytes in all");
    proxy.interrupt();
}

#[test]
fn of_requests_sent_at_once_the_first_is_answered() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let chunks = "Transfer-Encoding: chunked\r\n";
    for (fields, body) in
        [("", ""), ("Content-Length: 2\r\n", "ab"), (chunks, "2\r\nab\r\n0\r\n\r\n")]
    {
        let mut client = proxy.raw();
        let next = "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
        client.send(format!("POST /1 HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}{next}"));
        let mut server = upstream.accept();
        assert!(head(&mut server).starts_with("POST /1 "));
        assert_eq!(read(&mut server, body.len()), body.as_bytes());
        proxy.stdout.wait_for("what the client sent after its first request is not forwarded");
        let response = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        server.write_all(response.as_bytes()).expect("it reads");
        server.shutdown(std::net::Shutdown::Write).expect("a socket");
        assert_eq!(client.rest(), response.as_bytes());
        drop(client);
        let mut after = Vec::new();
        server.read_to_end(&mut after).expect("it ends");
        assert_eq!(String::from_utf8_lossy(&after), "", "{fields}");
    }
    proxy.interrupt();
}

#[test]
fn interim_responses_and_a_refusal_pass() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    let response = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                    HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    server.write_all(response.as_bytes()).expect("it reads");
    drop(server);
    assert_eq!(client.rest(), response.as_bytes());
    drop(client);
    let said = proxy.stdout.wait_for("help:");
    assert!(said.contains("< [1] no\n"), "{said}");
    assert!(said.contains("* [1] the server answered 403 Forbidden"), "{said}");
    proxy.interrupt();
}

#[test]
fn what_is_wrong_with_a_refused_request_is_shown() {
    let upstream = Upstream::new();
    for (hosts, passed, wrong) in
        [("Host: a\r\nHost: b\r\n", 2, "Host appears 2 times"), ("", 0, "Host is missing")]
    {
        let proxy = upstream.proxy(&[]);
        let mut client = proxy.raw();
        client.send(format!("GET / HTTP/1.1\r\n{hosts}{UPGRADE}\r\n"));
        let mut server = upstream.accept();
        let got = head(&mut server);
        let own = format!("Host: 127.0.0.1:{}\r\n", upstream.port());
        assert_eq!(
            (got.matches("Host: ").count(), got.matches(&own).count()),
            (passed, passed),
            "{got}"
        );
        server
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .expect("it reads");
        drop(server);
        client.rest();
        drop(client);
        proxy.stdout.wait_for(&format!("! [1] 4.1-req-host: {wrong}"));
        proxy.interrupt();
    }
}

#[test]
fn what_is_no_http_passes_too() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    server.write_all(b"SSH-2.0-x\r\n\0\xff").expect("it reads");
    drop(server);
    assert_eq!(client.rest(), b"SSH-2.0-x\r\n\0\xff");
    drop(client);
    proxy.stdout.wait_for("forwarded, but not decoded: it is not HTTP");
    proxy.interrupt();
}

#[test]
fn a_server_that_is_not_there_is_a_502() {
    // A port that was free a moment ago, and that nobody else is given while the test runs.
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = taken.local_addr().expect("bound").port();
    drop(taken);
    let proxy = proxy(&format!("ws://127.0.0.1:{port}"), &[]);
    let mut client = proxy.raw();
    let response = client.ask("/", UPGRADE);
    assert_eq!(response.status(), 502);
    assert!(response.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")));
    let refused = format!("wscope proxy: cannot connect to 127.0.0.1:{port}: connection refused\n");
    assert_eq!(response.body, refused);
    assert!(client.rest().is_empty());
    proxy.stdout.wait_for("[1] error[W103]: connection refused");
    proxy.interrupt();
}

#[test]
fn a_server_that_answers_nothing_is_a_502() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut server = upstream.accept();
    head(&mut server);
    drop(server);
    let response = client.response();
    assert_eq!(response.status(), 502);
    assert!(response.body.contains("closed the connection without a response"), "{response:?}");
    proxy.interrupt();
}

#[test]
fn what_is_no_request_reaches_no_server() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    client.send(b"\x16\x03\x01\x02\x00\x01\x00");
    assert_eq!(client.response().status(), 400);
    proxy.stdout.wait_for("speaks TLS on a plain port");
    proxy.interrupt();
}

#[test]
fn a_proxy_to_itself_does_not_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = taken.local_addr().expect("bound").port().to_string();
    drop(taken);
    let to = format!("ws://localhost:{port}");
    let run = crate::harness::wscope().args(["proxy", &port, "--to", &to]).output().expect("a run");
    assert_eq!(run.status.code(), Some(2));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("connections would loop"), "{said}");
}

#[test]
fn a_client_that_goes_first_ends_the_way() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let mut client = proxy.raw();
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut server = upstream.accept();
    head(&mut server);
    drop(client);
    assert_eq!(server.read(&mut [0; 9]).expect("an end in order"), 0);
    drop(server);
    let said = proxy.stdout.wait_for("the client ended its stream before a response arrived");
    assert!(!said.contains("the server closed"), "{said}");
    proxy.interrupt();
}
