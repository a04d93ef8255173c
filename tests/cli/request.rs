//! The request as it leaves: headers added, replaced and removed, and what a URL becomes.

use std::net::TcpListener;

use wscope::wire::head::Head;

use crate::harness::Test;
use crate::peer::Peer;

/// Looks at the request and ends the session.
fn requested(look: impl FnOnce(Head) + Send + 'static) -> Test {
    Test::new().args(["--input", "none"]).peer(accepting(look))
}

fn accepting(look: impl FnOnce(Head) + Send + 'static) -> impl FnOnce(&mut Peer) + Send + 'static {
    |p| {
        look(p.open());
        p.close_first(1000, "done");
    }
}

/// The values of a header, in order.
fn values(head: &Head, name: &str) -> Vec<String> {
    head.get_all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn a_header_is_added_and_duplicates_are_kept() {
    requested(|head| {
        assert_eq!(values(&head, "X-Token"), ["a b", "c"]);
    })
    .args(["-H", "X-Token: a b", "--header", "X-Token: c"])
    .status(0);
}

#[test]
fn a_header_takes_the_place_of_a_default() {
    requested(|head| {
        assert_eq!(values(&head, "User-Agent"), ["me"]);
        assert_eq!(values(&head, "Host"), ["elsewhere.example"]);
    })
    .args(["-H", "user-agent: me", "-H", "Host: elsewhere.example"])
    .status(0);
}

#[test]
fn a_default_header_can_be_removed_or_empty() {
    requested(|head| {
        assert_eq!(values(&head, "User-Agent"), [""; 0]);
        assert_eq!(values(&head, "X-Empty"), [""]);
    })
    .args(["-H", "User-Agent:", "-H", "X-Empty;"])
    .status(0);
}

#[test]
fn a_header_with_a_line_break_is_wrong_usage() {
    for header in ["A: b\r\nC: d", "A: b\nC: d", "A\r: b", "no colon", ": b", "A b: c"] {
        let output = Test::new().args(["-H", header, "ws://localhost"]).stderr_any().status(2);
        assert!(output.stderr().starts_with("wscope: -H: "), "{}", output.stderr());
        assert_eq!(output.stderr().lines().count(), 1, "{}", output.stderr());
    }
}

#[test]
fn origin_and_subprotocols_are_offered_in_order() {
    Test::new()
        .args([
            "-v",
            "--input",
            "none",
            "-o",
            "https://site.example",
            "-s",
            "v2.chat",
            "-s",
            "chat",
        ])
        .peer(|p| {
            let head = p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            assert_eq!(values(&head, "Origin"), ["https://site.example"]);
            assert_eq!(values(&head, "Sec-WebSocket-Protocol").join(", "), "v2.chat, chat");
            p.close_first(1000, "done");
        })
        .stderr("...\n* open: subprotocol chat, no extensions\n...\n")
        .status(0);
}

#[test]
fn path_and_query_are_asked_for_as_written() {
    requested(|head| {
        assert!(head.raw().starts_with(b"GET /a%20b/c?d=e&f=%C3%A4 HTTP/1.1\r\n"), "{head:?}");
    })
    .args(["ws://127.0.0.1:{port}/a%20b/c?d=e&f=%C3%A4"])
    .status(0);
}

#[test]
fn userinfo_becomes_authorization() {
    requested(|head| {
        assert_eq!(values(&head, "Authorization"), ["Basic dXNlcjpzM2NyM3Q="]);
        assert!(!values(&head, "Host")[0].contains('@'));
    })
    .args(["ws://user:s3cr3t@127.0.0.1:{port}"])
    .stderr("wscope: note: the user name and password of the URL are sent [..]\n")
    .status(0);
}

#[test]
fn an_authorization_header_outranks_userinfo() {
    requested(|head| assert_eq!(values(&head, "Authorization"), ["Bearer x"]))
        .args(["-H", "Authorization: Bearer x", "ws://user:s3cr3t@127.0.0.1:{port}"])
        .stderr_any()
        .status(0);
}

#[test]
fn a_password_is_never_in_an_error() {
    for (url, status) in [
        ("ws://user:s3cr3t@nonexistent.invalid/", 3),
        ("ws://user:s3cr3t@localhost/#fragment", 2),
        ("ftp://user:s3cr3t@localhost/", 2),
        ("ws://user:s3cr3t@local host/", 2),
        ("ws://user:s3cr3t@localhost:99999/", 2),
    ] {
        // A URL with a space has to come after its mode.
        let output = Test::new().args(["connect", url]).stderr_any().status(status);
        assert!(!output.stderr().contains("s3cr3t"), "{}", output.stderr());
        assert!(!output.stderr().contains("dXNlcjpzM2NyM3Q"), "{}", output.stderr());
    }
}

#[test]
fn a_url_that_cannot_be_used_is_wrong_usage() {
    for (url, why) in [
        ("ws://localhost/#fragment", "fragment"),
        ("ws://localhost/a#", "fragment"),
        ("ftp://localhost/", "ftp://"),
        ("ws://local host/", "wscope: "),
        ("ws://localhost:99999/", "port"),
        ("ws://", "wscope: "),
        ("", "wscope: "),
    ] {
        let output = Test::new().args(["connect", url]).stderr_any().status(2);
        assert!(output.stderr().contains(why), "{url}: {}", output.stderr());
    }
}

#[test]
fn http_is_taken_as_ws_with_a_note() {
    requested(|_| {})
        .args(["http://127.0.0.1:{port}/"])
        .stderr("wscope: note: http:// is used as ws:// (W001)\n")
        .status(0);
}

#[test]
fn a_bare_host_and_port_is_ws() {
    requested(|head| assert!(head.raw().starts_with(b"GET /path HTTP/1.1\r\n")))
        .args(["127.0.0.1:{port}/path"])
        .status(0);
}

#[test]
fn the_url_may_come_as_connect_or_with_c() {
    requested(|_| {}).args(["-c", "ws://127.0.0.1:{port}"]).status(0);
    Test::new()
        .args(["connect", "--input", "none", "ws://127.0.0.1:{port}"])
        .peer(accepting(|_| {}))
        .status(0);
}

#[test]
fn an_ipv6_literal() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // This machine has no IPv6.
    }
    Test::new()
        .args(["--input", "none", "ws://[::1]:{port}/"])
        .peer_on("[::1]:0", |p| {
            let head = p.open();
            let port = p.tcp().local_addr().expect("a socket").port();
            assert_eq!(values(&head, "Host"), [format!("[::1]:{port}")]);
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn localhost_is_found() {
    requested(|head| assert!(values(&head, "Host")[0].starts_with("localhost:")))
        .args(["-4", "ws://localhost:{port}"])
        .status(0);
}

#[test]
fn headers_are_read_from_a_file_and_from_stdin() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "X-A: 1\r\n\nX-B;\nUser-Agent:\nAuthorization: Bearer s3cret\n")
        .expect("written");
    let at = format!("@{}", file.path().display());
    for (arg, stdin) in
        [(at.as_str(), ""), ("@-", "X-A: 1\nX-B;\nUser-Agent:\nAuthorization: Bearer s3cret")]
    {
        Test::new()
            .args(["-H", arg, "-H", "X-C: 2", "-x", "hi", "-w", "0"])
            .stdin(stdin)
            .peer(|p| {
                let request = p.open();
                assert_eq!(request.get("X-A"), Some(&b"1"[..]));
                assert_eq!(request.get("X-B"), Some(&b""[..]));
                assert_eq!(request.get("X-C"), Some(&b"2"[..]));
                assert_eq!(request.get("Authorization"), Some(&b"Bearer s3cret"[..]));
                assert_eq!(request.get("User-Agent"), None);
                p.receive_text("hi");
                p.answer_close(1000);
            })
            .status(0);
    }
}

#[test]
fn a_file_without_headers_is_named_and_not_shown() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "X-A: 1\ns3cret\n").expect("written");
    let path = file.path().display().to_string();
    for (arg, stderr) in [
        (format!("@{path}"), format!("-H @{path}: line 2: no colon; write NAME: VALUE")),
        ("@/nonexistent".to_owned(), "-H @/nonexistent: [..]".to_owned()),
    ] {
        for mode in ["connect", "handshake", "doctor"] {
            Test::new()
                .args([mode, "-H", &arg, "ws://127.0.0.1:1"])
                .stderr(format!("wscope: {stderr}\n"))
                .status(2);
        }
        Test::new()
            .args(["listen", "-H", &arg, "0"])
            .stderr(format!("wscope: {stderr}\n"))
            .status(2);
    }
    Test::new()
        .args(["-x", &format!("/headers @{path}"), "--commands"])
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(format!(
            "wscope: -x: line 1: /headers: {path}: line 2: no colon; write NAME: VALUE\n"
        ))
        .status(1);
}

#[test]
fn a_server_that_takes_none_of_the_subprotocols_is_noted() {
    let note = "the server agreed to none of the offered subprotocols (nope, never); a browser would \
                close the connection";
    for (args, stderr) in [
        (&[][..], format!("wscope: note: {note}\n")),
        (&["-q"], String::new()),
        (&["-v"], format!("...\n* {note}\n...\n")),
    ] {
        Test::new()
            .args(["-s", "nope", "-s", "never", "-w", "0"])
            .args(args.iter().copied())
            .stdin("")
            .peer(|p| {
                p.open();
                p.answer_close(1000);
            })
            .stderr(stderr)
            .status(0);
    }
}
