//! Proxies that follow a script, from options and from the environment.

use super::{client, hello};
use crate::peer::Peer;

/// Lets the client through, and is the server itself.
fn let_through(p: &mut Peer) -> String {
    let request = p.request();
    p.send("HTTP/1.1 200 Connection established\r\n\r\n");
    String::from_utf8_lossy(request.raw()).into_owned()
}

#[test]
fn an_http_proxy_is_asked_for_a_tunnel() {
    client(["--proxy", "http://127.0.0.1:{port}", "ws://far.invalid/chat"])
        .peer(|p| {
            let request = let_through(p);
            assert!(
                request.starts_with("CONNECT far.invalid:80 HTTP/1.1\r\nHost: far.invalid:80\r\n")
            );
            assert!(!request.contains("Authorization"));
            hello(p);
        })
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn user_and_password_are_sent_and_not_shown() {
    let args =
        ["-v", "--proxy", "127.0.0.1:{port}", "--proxy-user", "me:hunter2", "ws://far.invalid/"];
    let output = client(args)
        .peer(|p| {
            let request = let_through(p);
            assert!(request.contains("\r\nProxy-Authorization: Basic bWU6aHVudGVyMg==\r\n"));
            hello(p);
        })
        .stdout("Hello\n")
        .stderr_any()
        .status(0);
    let told = output.stderr();
    assert!(told.contains("goes through the proxy http://127.0.0.1:"), "{told}");
    assert!(told.contains("Proxy-Authorization: [redacted]"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("bWU6"), "{told}");
    assert!(told.contains(", proxy "), "the time it took: {told}");
}

#[test]
fn exit_5_for_a_proxy_that_wants_a_password() {
    let output = client(["-v", "--proxy", "127.0.0.1:{port}", "ws://far.invalid/"])
        .peer(|p| {
            p.request();
            p.send("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n\r\n");
            p.hang_up();
        })
        .stderr_any()
        .status(5);
    let told = output.stderr();
    assert!(told.contains("< HTTP/1.1 407 Who"), "{told}");
    assert!(told.contains("requires a user and password (407 Who), and offers Basic\n"), "{told}");
    assert!(told.contains("error[W113]: ") && told.contains("--proxy-user"), "{told}");
}

#[test]
fn exit_5_for_a_proxy_that_refuses_and_for_none_at_all() {
    client(["--proxy", "127.0.0.1:{port}", "ws://far.invalid/"])
        .peer(|p| {
            p.request();
            p.send("HTTP/1.1 403 No\r\n\r\n");
            p.hang_up();
        })
        .stderr(
            "wscope: the proxy's rules forbid [..]; the proxy refused the tunnel with 403 No\n\
             error[W112]: the proxy refused the tunnel\n...\n\
             [..]the proxy is http://127.0.0.1:{port}\n...\nhelp: [..]\n...\n",
        )
        .status(5);
    client(["--proxy", "socks5h://127.0.0.1:{port}", "ws://far.invalid/"])
        .peer(|p| {
            p.receive_raw(3);
            p.send("HTTP/1.1 400 What\r\n\r\n");
            p.hang_up();
        })
        .stderr(
            "wscope: the proxy does not speak SOCKS5: [..]\n\
             error[W112]: the proxy does not speak the protocol of its scheme\n...\n\
             help: it seems to speak HTTP: use http://\n",
        )
        .status(5);
}

#[test]
fn the_page_of_a_proxy_that_refuses_is_read() {
    for (length, body, reason) in [
        ("", "<title>No</title><p>not served from your host</p>", "not served from your host"),
        ("Content-Length: 20\r\n", "closed on public day", "closed on public day"),
        ("", "<title>403 No</title><h1>Access denied</h1>", ""),
    ] {
        let output = client(["--proxy", "127.0.0.1:{port}", "ws://far.invalid/"])
            .peer(move |p| {
                p.request();
                p.send(format!("HTTP/1.1 403 No\r\n{length}\r\n"));
                p.send(body);
                p.hang_up();
            })
            .stderr_any()
            .status(5);
        let told = output.stderr();
        let quoted = format!("likely (medium): the proxy's reason is \"{reason}\"");
        assert_eq!(told.contains(&quoted), !reason.is_empty(), "{told}");
    }
}

#[test]
fn exit_5_where_a_proxy_hangs_up_and_the_message_has_the_stage() {
    for (proxy, method, line, code) in [
        ("socks5h://127.0.0.1:{port}", None, "the greeting of SOCKS5", "W116"),
        ("socks5h://me:pw@127.0.0.1:{port}", Some(2), "the user and password", "W113"),
        ("socks5h://127.0.0.1:{port}", Some(0), "the request of SOCKS5", "W112"),
    ] {
        let output = client(["--proxy", proxy, "ws://far.invalid/"])
            .peer(move |p| {
                p.receive_raw(if proxy.contains('@') { 4 } else { 3 });
                if let Some(method) = method {
                    p.send([5, method]);
                    p.receive_raw(7);
                }
                p.hang_up();
            })
            .stderr_any()
            .status(5);
        let told = output.stderr();
        let line = format!("closed the connection before its answer to {line}\n");
        assert!(told.contains(&line) && told.contains(&format!("error[{code}]")), "{told}");
        assert!(code == "W112" || !told.contains("reach the server"), "{told}");
    }
}

#[test]
fn a_proxy_without_tls_is_one_of_http() {
    for (answer, code) in [(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "W112"), (b"", "W116")] {
        let output = client(["--proxy", "https://127.0.0.1:{port}", "ws://far.invalid/"])
            .peer(move |p| {
                p.receive_raw(100);
                p.send(answer);
                p.hang_up();
            })
            .stderr_any()
            .status(5);
        let told = output.stderr();
        assert!(told.contains(&format!("error[{code}]")), "{told}");
        assert!(
            told.contains("help: write `http://` instead of `https://` for the proxy"),
            "{told}"
        );
    }
}

#[test]
fn exit_5_for_a_proxy_that_is_not_there() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let proxy = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let output = client(["--proxy", &proxy, "ws://far.invalid/"]).stderr_any().status(5);
    let told = output.stderr();
    let line = format!(
        "wscope: the proxy http://{proxy}: cannot connect to {proxy}: connection refused\n"
    );
    assert!(told.starts_with(&line) && told.contains("error[W115]"), "{told}");
}

#[test]
fn a_socks5_proxy_is_given_the_name_and_a_password() {
    client(["--proxy", "socks5h://me:pw@127.0.0.1:{port}", "ws://far.invalid/"])
        .peer(|p| {
            p.receive_raw(4);
            p.send([5, 2]);
            assert_eq!(p.receive_raw(7), b"\x01\x02me\x02pw");
            p.send([1, 0]);
            assert_eq!(p.receive_raw(18), b"\x05\x01\x00\x03\x0bfar.invalid\x00\x50");
            p.send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            hello(p);
        })
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn the_environment_decides_and_verbose_prints_which_variable() {
    let port = |test: crate::harness::Test| test;
    // The listener must be there before its port can be written into a variable.
    let server = crate::server::serve_on(
        "127.0.0.1:0",
        crate::server::scripted(|p| {
            let_through(p);
            hello(p);
        }),
    );
    let proxy = format!("127.0.0.1:{}", server.port);
    let output = port(client(["-v", "ws://far.invalid/"]))
        .env("http_proxy", &proxy)
        .stdout("Hello\n")
        .stderr_any()
        .status(0);
    server.end().expect("a proxy that was asked");
    let told = output.stderr();
    assert!(told.contains("because of the environment variable http_proxy (W114)"), "{told}");
}

#[test]
fn exceptions_are_reached_without_a_proxy() {
    for (name, value) in [("no_proxy", "127.0.0.1"), ("NO_PROXY", "*")] {
        let output = client(["-v"])
            .env("all_proxy", "127.0.0.1:1")
            .env(name, value)
            .peer(hello)
            .stdout("Hello\n")
            .stderr_any()
            .status(0);
        let because = format!("no proxy, because {name} has \"{value}\", whatever all_proxy says");
        assert!(output.stderr().contains(&because), "{}", output.stderr());
    }
    client(["--noproxy", "127.0.0.0/8"])
        .env("all_proxy", "127.0.0.1:1")
        .peer(hello)
        .stdout("Hello\n")
        .status(0);
    client(["--proxy", ""]).env("all_proxy", "127.0.0.1:1").peer(hello).stdout("Hello\n").status(0);
}

#[test]
fn exit_2_for_a_proxy_that_cannot_be_read() {
    client(["--proxy", "ftp://127.0.0.1", "ws://far.invalid/"])
        .stderr("wscope: --proxy: [..]ftp[..]\n")
        .status(2);
}
