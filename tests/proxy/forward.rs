//! A forward proxy: its clients name the servers, in absolute form or by CONNECT.

use std::io::{Read, Write};
use std::ops::Deref;

use tempfile::TempDir;

use crate::frames;
use crate::harness::{Server, wscope};
use crate::raw::{Raw, UPGRADE};
use crate::upstream::{SWITCHED, Upstream, head, read};

/// A forward proxy with a certificate authority of its own.
pub struct Forward {
    server: Server,
    folder: TempDir,
}

impl Deref for Forward {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Starts one on a port of the system's choice.
#[track_caller]
pub fn forward(args: &[&str]) -> Forward {
    let folder = TempDir::new().expect("a folder");
    let mut command = wscope();
    command.args(["proxy", "0", "--ca-dir"]).arg(folder.path().join("ca")).args(args);
    Forward { server: Server::start(&mut command), folder }
}

impl Forward {
    pub fn interrupt(self) -> String {
        let output = self.server.interrupt();
        output.stdout + &output.stderr
    }

    /// The certificate of its authority.
    pub fn authority(&self) -> String {
        let path = self.folder.path().join("ca/wscope-ca.pem");
        path.to_str().expect("text").to_owned()
    }

    /// Where it listens, as `--proxy` takes it.
    pub fn address(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// A tunnel to a port of this machine.
    #[track_caller]
    pub fn tunnel(&self, port: u16) -> Raw {
        let mut raw = self.raw();
        raw.send(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
        assert_eq!(raw.response().status(), 200);
        raw
    }
}

#[test]
fn of_an_absolute_request_only_what_must_change_changes() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let port = upstream.port();
    let mut client = proxy.raw();
    let fields = format!(
        "X-One:  1 \r\nhOST: 127.0.0.1:{port}\r\n{UPGRADE}Origin: http://a\r\nX-One: 2\r\n"
    );
    client.send(format!(
        "GET ws://127.0.0.1:{port}/a?b=%20 HTTP/1.1\r\nProxy-Connection: Keep-Alive\r\n{fields}\
         Proxy-Authorization: Basic dTpw\r\n\r\n"
    ));
    let mut server = upstream.accept();
    assert_eq!(head(&mut server), format!("GET /a?b=%20 HTTP/1.1\r\n{fields}\r\n"));
    server.write_all(SWITCHED.as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    client.frame(frames::frame(frames::TEXT, "over"));
    assert_eq!(read(&mut server, 10)[6..].len(), 4);
    let said = proxy.stdout.wait_for("TEXT");
    assert!(
        said.contains(&format!("> [1] GET ws://127.0.0.1:{port}/a?b=%20 HTTP/1.1\n")),
        "{said}"
    );
    assert!(said.contains("passed on as:\n> [1] GET /a?b=%20 HTTP/1.1\n> [1] X-One:  1"), "{said}");
    assert!(said.contains("Proxy-Authorization: [redacted]") && !said.contains("dTpw"), "{said}");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn a_page_is_asked_for_once_on_a_connection() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let port = upstream.port();
    for (target, path) in [("", "/"), ("?q", "/?q"), ("/x#y", "/x")] {
        let mut client = proxy.raw();
        client.send(format!("GET http://127.0.0.1:{port}{target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n\r\n"));
        let mut server = upstream.accept();
        let expected =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        assert_eq!(head(&mut server), expected);
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").expect("it reads");
        drop(server);
        assert_eq!(client.response().body, "hi");
    }
    proxy.interrupt();
}

/// "the proxy MUST ignore the received Host header field (if any) and instead replace it with the host
/// information of the request-target" (RFC 9112 §3.2.2).
#[test]
fn the_target_outranks_host() {
    let upstream = Upstream::new();
    let port = upstream.port();
    for (args, host) in [(&[][..], format!("127.0.0.1:{port}")), (&["--keep-host"], "other".into())]
    {
        let proxy = forward(args);
        let mut client = proxy.raw();
        client
            .send(format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: other\r\n{UPGRADE}\r\n"));
        let mut server = upstream.accept();
        assert!(head(&mut server).contains(&format!("\r\nHost: {host}\r\n")));
        drop((client, server));
        proxy.interrupt();
    }
}

#[test]
fn a_websocket_in_a_tunnel_is_seen_as_behind_to() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let port = upstream.port();
    // All in one segment, before the tunnel is there.
    let mut client = proxy.raw();
    let request = format!("GET /chat HTTP/1.1\r\nHost: whoever\r\n{UPGRADE}\r\n");
    client.send(format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost\r\n\r\n{request}"));
    assert_eq!(client.response().status(), 200);
    let mut server = upstream.accept();
    assert_eq!(head(&mut server), request);
    server.write_all(SWITCHED.as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    let bytes = frames::bytes([frames::frame(frames::TEXT, "down")]);
    server.write_all(&bytes).expect("it reads");
    assert_eq!(client.receive_frame(), (frames::TEXT, b"down".to_vec()));
    let said = proxy.stdout.wait_for(" 4 down");
    assert!(!said.contains("[2]"), "{said}");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn the_prompts_lines_reach_into_a_tunnel() {
    let upstream = Upstream::new();
    let mut proxy = forward(&["--input", "commands"]);
    let mut client = proxy.tunnel(upstream.port());
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    server.write_all(SWITCHED.as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    proxy.stdout.wait_for("open:");
    proxy.server.write("@1< put in\n");
    assert_eq!(client.receive_frame(), (frames::TEXT, b"put in".to_vec()));
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn other_bytes_pass_without_a_look() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let mut client = proxy.tunnel(upstream.port());
    let mut server = upstream.accept();
    client.send(b"\0\x01hello");
    assert_eq!(read(&mut server, 7), b"\0\x01hello");
    server.write_all(&frames::noise(100_000)).expect("it reads");
    let mut came = vec![0; 100_000];
    client.tcp().read_exact(&mut came).expect("all of it");
    assert_eq!(came, frames::noise(100_000));
    client.hang_up();
    server.write_all(b"last words").expect("it reads");
    drop(server);
    assert_eq!(client.rest(), b"last words");
    let said = proxy.stdout.wait_for("back");
    let port = upstream.port();
    let expected = format!(
        "neither TLS nor HTTP, forwarded unchanged: 7 bytes to 127.0.0.1:{port}, 100010 bytes back"
    );
    assert!(said.contains(&expected), "{said}");
    proxy.interrupt();
}

#[test]
fn a_server_may_speak_first() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let mut client = proxy.tunnel(upstream.port());
    let mut server = upstream.accept();
    server.write_all(b"220 ready\r\n").expect("it reads");
    let mut came = [0; 11];
    client.tcp().read_exact(&mut came).expect("a greeting");
    assert_eq!(&came, b"220 ready\r\n");
    client.send("EHLO x\r\n");
    assert_eq!(read(&mut server, 8), b"EHLO x\r\n");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn a_line_that_only_begins_like_http_passes() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    for line in ["NICK somebody\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "SSH-2.0-x\r\n", "G\n"] {
        let mut client = proxy.tunnel(upstream.port());
        let mut server = upstream.accept();
        client.send(line);
        assert_eq!(read(&mut server, line.len()), line.as_bytes());
    }
    proxy.interrupt();
}

#[test]
fn what_cannot_be_reached_is_a_502_with_the_reason() {
    let proxy = forward(&[]);
    let closed = Upstream::new().port();
    for request in [
        format!("GET http://127.0.0.1:{closed}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("CONNECT 127.0.0.1:{closed} HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        let mut client = proxy.raw();
        client.send(request);
        let response = client.response();
        assert_eq!(response.status(), 502);
        assert!(response.body.contains("connection refused"), "{}", response.body);
    }
    let said = proxy.stdout.wait_for("[2] answered 502: cannot connect");
    assert!(said.contains("error[W103]"), "{said}");
    proxy.interrupt();
}

#[test]
fn a_way_that_takes_too_long_is_a_504() {
    // It accepts and never answers: the tunnel of the second proxy does not come about.
    let silent = Upstream::new();
    let before = format!("http://127.0.0.1:{}", silent.port());
    let proxy = forward(&["--proxy", &before, "--handshake-timeout", "0.3"]);
    let mut client = proxy.raw();
    client.send("CONNECT server.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    let response = client.response();
    assert_eq!(response.status(), 504);
    assert!(response.body.contains("timed out"), "{}", response.body);
    proxy.interrupt();
}

#[test]
fn no_connection_leads_back_to_the_proxy() {
    let proxy = forward(&[]);
    let port = proxy.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"] {
        for request in [format!("CONNECT {host}:{port}"), format!("GET http://{host}:{port}/")] {
            let mut client = proxy.raw();
            client.send(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n"));
            let response = client.response();
            assert_eq!(response.status(), 508, "{request}: {response:?}");
            assert!(response.body.contains("this proxy's own address"), "{}", response.body);
        }
    }
    let said = proxy.stdout.wait_for("[8] answered 508");
    assert!(!said.contains("[9]"), "{said}");
    proxy.interrupt();
}

#[test]
fn variables_that_name_the_proxy_itself_are_for_others() {
    let upstream = Upstream::new();
    let port = Upstream::new().port();
    let mut command = wscope();
    command.args(["proxy", &port.to_string(), "--tunnel", "*", "--ca-dir", "/nonexistent"]);
    let proxy = Server::start(command.env("http_proxy", format!("http://127.0.0.1:{port}")));
    let mut client = proxy.raw();
    client.send(format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n\r\n", upstream.port()));
    assert_eq!(client.response().status(), 200);
    drop((client, upstream.accept()));
    proxy.interrupt();
}

#[test]
fn whoever_takes_it_for_a_server_learns_what_it_is() {
    let proxy = forward(&[]);
    for headers in ["", UPGRADE] {
        let response = proxy.raw().ask("/", headers);
        assert_eq!(response.status(), 400);
        assert_eq!(response.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert!(response.body.contains("curl --proxy http://127.0.0.1 "), "{}", response.body);
    }
    proxy.interrupt();
}

#[test]
fn a_user_is_asked_for_and_shown_to_nobody() {
    let folder = TempDir::new().expect("a folder");
    let log = folder.path().join("log.jsonl");
    let log = log.to_str().expect("text");
    let (upstream, proxy) =
        (Upstream::new(), forward(&["-u", "me:hidden word", "--show-secrets", "--log", log]));
    let port = upstream.port();
    let ask = |fields: &str| {
        let mut client = proxy.raw();
        client.send(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
        (client.response(), client)
    };
    for wrong in [
        "",
        "Proxy-Authorization: Basic bWU6eA==\r\n",
        "Authorization: Basic bWU6aGlkZGVuIHdvcmQ=\r\n",
    ] {
        let (response, _) = ask(wrong);
        assert_eq!(response.status(), 407);
        assert!(
            response.header("Proxy-Authenticate").is_some_and(|asked| asked.starts_with("Basic "))
        );
    }
    let right = "Proxy-Authorization: Basic bWU6aGlkZGVuIHdvcmQ=\r\n";
    assert_eq!(ask(right).0.status(), 200);
    upstream.accept();
    let mut client = proxy.raw();
    client.send(format!(
        "GET http://127.0.0.1:{port}/ HTTP/1.1\r\n{right}Host: 127.0.0.1:{port}\r\n{UPGRADE}\r\n"
    ));
    let passed = head(&mut upstream.accept());
    assert!(!passed.contains("Proxy"), "{passed}");
    drop(client);
    let said = proxy.interrupt();
    let logged = std::fs::read_to_string(log).expect("a log");
    for text in [&said, &logged] {
        assert!(text.contains("Proxy-Authorization: [redacted]"), "{text}");
        // It is nobody's where it is sent to a server.
        assert!(text.matches("bWU6aGlkZGVuIHdvcmQ=").count() <= 2, "{text}");
    }
}

#[test]
fn a_public_address_needs_a_user() {
    let run = wscope().args(["proxy", ":0", "--ca-dir", "/nonexistent"]).output().expect("a run");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("add -u USER:PASS"), "{run:?}");
}

#[test]
fn hostile_requests_are_answered_and_harm_nobody() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    for target in [
        "CONNECT /",
        "CONNECT",
        "CONNECT x",
        "CONNECT :443",
        "CONNECT x:0",
        "CONNECT x:65536",
        "CONNECT x:-1",
        "CONNECT [::1:443",
        "CONNECT a@b:443",
        "CONNECT a/b:443",
        "CONNECT a?b:443",
        "CONNECT \u{1}:1",
        "CONNECT [::1]]:1",
        "GET http://",
        "GET http:///x",
        "GET ftp://x/",
        "GET http://x:99999/",
        "GET http://[::1/",
        "GET ://x/",
        "OPTIONS *",
        "GET x",
        "GET http://a b/",
    ] {
        let mut client = proxy.raw();
        client.send(format!("{target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(client.response().status(), 400, "{target}");
    }
    let mut client = proxy.raw();
    client.try_send(format!("CONNECT x:1 HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(300_000)));
    assert_eq!(client.response().status(), 431);
    let mut client = proxy.raw();
    client.send(b"\x04\x01\0\x50\x7f\0\0\x01\0");
    assert_eq!(client.rest(), [0, 91, 0, 0, 0, 0, 0, 0], "a request of SOCKS4 is rejected");
    let said = proxy.stdout.wait_for("the client speaks SOCKS4");
    let said = said.lines().last().expect("a line");
    let advice = "SOCKS4; use SOCKS5 or HTTP (curl: --socks5-hostname or --proxy)";
    assert!(said.ends_with(advice), "{said}");
    drop(proxy.tunnel(upstream.port()));
    upstream.accept();
    proxy.interrupt();
}

#[test]
fn who_sends_nothing_is_not_waited_for() {
    let (upstream, proxy) = (Upstream::new(), forward(&["--handshake-timeout", "0.3"]));
    let mut silent = proxy.raw();
    assert!(silent.rest().starts_with(b"HTTP/1.1 408 "));
    let mut inside = proxy.tunnel(upstream.port());
    let mut server = upstream.accept();
    assert_eq!(inside.rest(), b"");
    assert_eq!(server.read(&mut [0]).ok(), Some(0));
    // What has begun is passed on: it may be anything.
    let mut begun = proxy.tunnel(upstream.port());
    let mut server = upstream.accept();
    begun.send("ABC");
    assert_eq!(read(&mut server, 3), b"ABC");
    drop((begun, server));
    proxy.interrupt();
}

#[test]
fn rules_reject_tunnels_too() {
    let proxy = forward(&["--rule", "> /CONNECT bad/ -> reject 403"]);
    let mut client = proxy.raw();
    client.send("CONNECT bad.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().status(), 403);
    proxy.interrupt();
}

#[test]
fn beyond_max_clients_there_is_503() {
    let (upstream, proxy) = (Upstream::new(), forward(&["--max-clients", "1"]));
    let one = proxy.tunnel(upstream.port());
    let mut client = proxy.raw();
    client.send("CONNECT x:1 HTTP/1.1\r\n\r\n");
    assert_eq!(client.response().status(), 503);
    drop(one);
    proxy.interrupt();
}

#[test]
fn a_transparent_proxy_turns_away_who_was_not_redirected() {
    let proxy = forward(&["--transparent"]);
    let mut client = proxy.raw();
    client.send("GET http://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n");
    client.end();
    let said = proxy.interrupt();
    assert!(said.contains("the firewall did not redirect it here"), "{said}");
}
