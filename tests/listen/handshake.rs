//! Who is let in, and how everybody else is answered.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::harness::{close, listen, wscope};
use crate::raw::{KEY, UPGRADE};

#[test]
fn a_good_request_gets_a_101() {
    let server =
        listen(["--echo", "-s", "chat", "-s", "soap", "-H", "X-Test: 1", "-H", "Server: mine"]);
    let request = format!("{UPGRADE}Sec-WebSocket-Protocol: x, soap, chat\r\n");
    let response = server.raw().ask("/any?query", &request);
    assert_eq!(response.status(), 101);
    assert_eq!(response.header("Sec-WebSocket-Protocol"), Some("chat"), "the server's preference");
    assert_eq!(response.header("X-Test"), Some("1"));
    assert_eq!(response.header("Server"), Some("mine"));
    assert_eq!(response.header("Sec-WebSocket-Extensions"), None);
    server.interrupt();
}

#[test]
fn compression_is_agreed_with_the_parameters_asked_for() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    for (args, answer) in [
        (&[][..], Some("permessage-deflate")),
        (&["--no-compress"], None),
        (
            &["--server-no-context-takeover", "--client-max-window-bits", "10"],
            Some("permessage-deflate; server_no_context_takeover; client_max_window_bits=10"),
        ),
        (
            &["--server-max-window-bits", "9", "--client-no-context-takeover"],
            Some("permessage-deflate; client_no_context_takeover; server_max_window_bits=9"),
        ),
    ] {
        let server = listen(args.iter().copied().chain(["--echo"]));
        let response = server.raw().ask("/", &format!("{UPGRADE}{offer}"));
        assert_eq!(response.header("Sec-WebSocket-Extensions"), answer, "{args:?}");
        server.interrupt();
    }
}

#[test]
fn every_broken_rule_has_its_status_and_a_reason() {
    let server = listen(["--echo"]);
    let without = |name: &str| -> String {
        UPGRADE.split_inclusive('\n').filter(|line| !line.starts_with(name)).collect()
    };
    for (headers, status, reason) in [
        (without("Upgrade"), 426, "Upgrade is missing (4.1-req-upgrade)"),
        (without("Connection"), 400, "4.1-req-connection"),
        (without("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key is missing"),
        (without("Sec-WebSocket-Version"), 426, "4.1-req-version-present"),
        (UPGRADE.replace("13", "8"), 426, "4.1-req-version-13"),
        (UPGRADE.replace(KEY, "AAAA"), 400, "4.1-req-key-16"),
        (UPGRADE.replace(KEY, "not base64!"), 400, "4.1-req-key-b64"),
        (format!("{UPGRADE}Host: again\r\n"), 400, "4.1-req-host"),
        (format!("{UPGRADE}Sec-WebSocket-Key: {KEY}\r\n"), 400, "11.3.1-req-key-once"),
        (format!("{UPGRADE}Sec-WebSocket-Version: 13\r\n"), 400, "11.3.5-req-version-once"),
        (
            format!("{UPGRADE}Origin: http://localhost\r\nOrigin: https://evil.example\r\n"),
            400,
            "Origin appears 2 times",
        ),
        (
            format!("{UPGRADE}Authorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n"),
            400,
            "Authorization appears 2 times",
        ),
        (format!("{UPGRADE}Sec-WebSocket-Protocol: a,,b\r\n"), 400, "4.1-req-proto-nonempty"),
        (format!("{UPGRADE} folded\r\nno colon\r\n"), 400, "4.1-req-syntax"),
    ] {
        let mut raw = server.raw();
        let response = raw.ask("/", &headers);
        assert_eq!(response.status(), status, "{headers}");
        assert!(response.body.contains(reason), "{}", response.body);
        assert_eq!(raw.rest(), b"", "the connection ends");
        assert_eq!(
            response.header("Sec-WebSocket-Version"),
            (status == 426).then_some("13"),
            "what it speaks (RFC 6455 §4.4)"
        );
        let told = server.stderr.wait_for(reason);
        assert!(told.contains(&format!("was not accepted: answered {status}: ")), "{told}");
    }
    let mut raw = server.raw();
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    let response = raw.response();
    assert_eq!((response.status(), response.header("Allow")), (405, Some("GET")));
    server.interrupt();
}

#[test]
fn a_browser_that_opens_the_address_gets_a_page_that_helps() {
    let server = listen(["--echo"]);
    let response = server.raw().ask("/", "Accept: text/html\r\nUser-Agent: Mozilla/5.0\r\n");
    assert_eq!(response.status(), 426);
    assert_eq!(response.header("Upgrade"), Some("websocket"));
    assert!(response.body.contains("wscope ws://127.0.0.1/"), "{}", response.body);
    assert!(response.body.contains("new WebSocket("), "{}", response.body);
    server.interrupt();
}

#[test]
fn other_paths_are_not_found() {
    let server = listen(["--echo", "--path", "/chat", "--path", "/news"]);
    assert!(server.url().ends_with("/chat"));
    for (path, status) in [("/chat", 101), ("/news?x=1", 101), ("/", 404), ("/chat/", 404)] {
        assert_eq!(server.raw().ask(path, UPGRADE).status(), status, "{path}");
    }
    server.interrupt();
}

#[test]
fn pages_of_other_sites_are_refused_unless_allowed() {
    let from = |origin: &str| format!("{UPGRADE}Origin: {origin}\r\n");
    let server = listen(["--echo"]);
    assert_eq!(server.raw().ask("/", UPGRADE).status(), 101, "no browser");
    assert_eq!(server.raw().ask("/", &from("http://localhost:3000")).status(), 101);
    let refused = server.raw().ask("/", &from("https://evil.example"));
    assert_eq!(refused.status(), 403);
    assert!(refused.body.contains("--origin"), "{}", refused.body);
    server.stderr.wait_for("origin \"https://evil.example\"");
    server.interrupt();

    let server = listen(["--echo", "--origin", "https://app.example/"]);
    assert_eq!(server.raw().ask("/", &from("https://app.example")).status(), 101);
    assert_eq!(server.raw().ask("/", &from("http://localhost:3000")).status(), 403);
    assert_eq!(server.raw().ask("/", UPGRADE).status(), 101);
    server.interrupt();

    let server = listen(["--echo", "--origin", "*"]);
    assert_eq!(server.raw().ask("/", &from("https://any.example")).status(), 101);
    server.interrupt();
}

#[test]
fn credentials_are_asked_for() {
    let with = |value: &str| format!("{UPGRADE}Authorization: {value}\r\n");
    let server = listen(["--echo", "-u", "me:secret"]);
    let refused = server.raw().ask("/", UPGRADE);
    assert_eq!(refused.status(), 401);
    assert!(refused.header("WWW-Authenticate").is_some_and(|value| value.starts_with("Basic ")));
    let right = format!("Basic {}", BASE64_STANDARD.encode("me:secret"));
    assert_eq!(server.raw().ask("/", &with(&right)).status(), 101);
    let wrong = format!("Basic {}", BASE64_STANDARD.encode("me:secreT"));
    assert_eq!(server.raw().ask("/", &with(&wrong)).status(), 401);
    let told = server.interrupt();
    assert!(!told.stderr.contains("secret"), "{}", told.stderr);

    let server = listen(["--echo", "--bearer", "t0ken"]);
    assert_eq!(server.raw().ask("/", &with("Bearer t0ken")).status(), 101);
    assert_eq!(server.raw().ask("/", &with("Bearer t0ke")).status(), 401);
    server.interrupt();
}

#[test]
fn a_subprotocol_can_be_required() {
    let server = listen(["--echo", "-s", "chat", "--require-subprotocol"]);
    let refused = server.raw().ask("/", UPGRADE);
    assert_eq!(refused.status(), 400);
    assert!(refused.body.contains("this server speaks chat"), "{}", refused.body);
    let request = format!("{UPGRADE}Sec-WebSocket-Protocol: chat\r\n");
    assert_eq!(server.raw().ask("/", &request).status(), 101);
    server.interrupt();
}

#[test]
fn every_handshake_can_be_refused() {
    let server = listen(["--reject", "503:come back tomorrow"]);
    let refused = server.raw().ask("/", UPGRADE);
    assert_eq!((refused.status(), refused.body.as_str()), (503, "come back tomorrow"));
    server.interrupt();
}

#[test]
fn a_head_may_come_byte_by_byte_and_frames_behind_it() {
    let server = listen(["--echo"]);
    let mut raw = server.raw();
    for byte in format!("\r\nGET / HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").bytes() {
        raw.send([byte]);
    }
    assert_eq!(raw.response().status(), 101);
    let mut raw = server.raw();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n");
    raw.send([head.as_bytes(), b"\x81\x82\x01\x01\x01\x01\x69\x68"].concat());
    assert_eq!(raw.response().status(), 101);
    assert_eq!(raw.receive_frame().1, b"hi");
    server.interrupt();
}

#[test]
fn a_client_that_joins_is_printed_with_what_was_agreed() {
    let server = listen(["--echo", "-s", "chat"]);
    let request = format!(
        "{UPGRADE}User-Agent: test/1 \u{202e}\r\nSec-WebSocket-Protocol: chat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n"
    );
    assert_eq!(server.raw().ask("/news", &request).status(), 101);
    server.stderr.wait_for(
        " /news, \"test/1 \\u{202e}\", subprotocol chat, permessage-deflate\nwscope: [1] left: connection lost",
    );
    close(server.client());
    server.stderr.wait_for("wscope: [2] left: the client closed with ");
    server.interrupt();
}

#[test]
fn an_option_that_names_no_origin_is_a_usage_error() {
    for (origin, said) in [
        ("", "is as browsers send it: `https://app.example`"),
        ("/", "is as browsers send it: `https://app.example`"),
        ("https://a.example,https://b.example", "repeat the option for each origin"),
    ] {
        let output = wscope().args(["listen", "0", "--origin", origin]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("--origin") && text.contains(said), "{text}");
    }
}

#[test]
fn null_accepts_pages_from_files_however_it_is_written() {
    for origin in ["null", "null/", "NULL"] {
        let server = listen(["--echo", "--origin", origin]);
        for sent in ["null", "file://"] {
            let headers = format!("{UPGRADE}Origin: {sent}\r\n");
            assert_eq!(server.raw().ask("/", &headers).status(), 101, "{sent} for {origin}");
        }
        server.interrupt();
    }
}
