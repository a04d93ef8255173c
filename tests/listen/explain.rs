//! Why a client was not accepted or did not stay, explained from the server's side.

use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use wscope::wire::{Control, OpCode};

use crate::harness::listen;

#[test]
fn refused_and_broken_clients_are_explained_as_json_and_in_the_transcript() {
    for (options, marks) in [
        (["--output", "json"], ["\"code\":\"W360\"", "\"code\":\"W201\"", "\"code\":\"W628\""]),
        (["--output", "frames"], ["[1] error[W360]: ", "[2] error[W201]: ", "[3] error[W628]: "]),
    ] {
        let server = listen(options);
        let without =
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        let mut raw = server.raw();
        assert_eq!(raw.ask("/", without).status(), 426);
        raw.rest();
        let mut raw = server.raw();
        raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        raw.rest();
        let mut raw = server.open();
        raw.send(b"\x81\x02hi");
        raw.rest();
        let told = server.interrupt().stdout;
        for mark in marks {
            assert!(told.contains(mark), "{mark}: {told}");
        }
    }
}

#[test]
fn a_client_that_leaves_in_order_is_not_explained() {
    let server = listen(["--output", "json"]);
    let client = server.client();
    crate::harness::close(client);
    assert!(!server.interrupt().stdout.contains("\"diagnostic\""));
}

#[test]
fn a_client_whose_mask_never_changes_is_named() {
    let server = listen(["--output", "json", "--echo"]);
    let mut raw = server.open();
    for _ in 0..8 {
        raw.send(b"\x81\x82\0\0\0\0hi");
        raw.receive_frame();
    }
    raw.send(b"\x88\x82\0\0\0\0\x03\xe8");
    raw.rest();
    let told = server.interrupt().stdout;
    assert!(told.contains("\"code\":\"W629\"") && told.contains("the key 00000000"), "{told}");
}

/// What a client did wrong and which option lets it in; never our own answer.
#[test]
fn who_is_not_let_in_is_told_which_option_does() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
               Upgrade: websocket\r\nConnection: Upgrade\r\n";
    for (options, path, headers, marks) in [
        (
            &[][..],
            "/",
            "User-Agent: curl/8.5.0\r\n".to_owned(),
            &["W360", "use a WebSocket client"][..],
        ),
        (&["--path", "/ws"], "/chat", key.to_owned(), &["W361", "--path /chat"]),
        (
            &[],
            "/",
            format!("{key}Origin: https://a.example\r\n"),
            &["W362", "--origin https://a.example"],
        ),
        (&[], "/", format!("{key}Origin: file://\r\n"), &["W362", "--origin null"]),
        (&[], "/", key.replace("dGhl", "x"), &["W363"]),
        (&[], "http://shop.test/feed", String::new(), &["W360", "for a forward proxy"]),
        (&["-u", "me:pw"], "/", key.to_owned(), &["W364"]),
        (
            &["--bearer", "good"],
            "/?room=7&access_token=good",
            key.to_owned(),
            &["W364", "credentials in the query", "the query has access_token"],
        ),
        (
            &["--bearer", "good"],
            "/",
            format!("{key}Sec-WebSocket-Protocol: bearer, good\r\n"),
            &["W364", "among the subprotocols"],
        ),
        (
            &["--bearer", "good"],
            "/",
            format!("{key}Authorization: Token good\r\n"),
            &["W364", "in a scheme that this server does not read", "Authorization: Token"],
        ),
        (
            &["-s", "chat", "--require-subprotocol"],
            "/",
            format!("{key}Sec-WebSocket-Protocol: ocpp1.6\r\n"),
            &["W365", "-s ocpp1.6"],
        ),
    ] {
        let server = listen([&["--output", "frames"], options].concat());
        let mut raw = server.raw();
        raw.ask(path, &headers);
        raw.rest();
        let shown = server.interrupt().stdout;
        for mark in marks {
            assert!(shown.contains(mark), "{mark}: {shown}");
        }
        for wrong in ["a hop removed", "nginx", "error[W32", "error[W33"] {
            assert!(!shown.contains(wrong), "{wrong}: {shown}");
        }
    }
}

#[test]
fn a_client_that_closes_in_order_at_once_wanted_nothing_more() {
    let server = listen(["--output", "frames", "--once"]);
    let mut raw = server.raw();
    let headers = format!("{}Sec-WebSocket-Protocol: chat\r\n", crate::raw::UPGRADE);
    assert_eq!(raw.ask("/", &headers).status(), 101);
    raw.send(b"\x88\x82\0\0\0\0\x03\xe8");
    raw.rest();
    let shown = server.ends(0).stdout;
    assert!(!shown.contains("W366"), "{shown}");
}

#[test]
fn a_client_that_leaves_for_want_of_a_subprotocol_is_explained() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
               Upgrade: websocket\r\nConnection: Upgrade\r\n";
    for (path, more, marks) in [
        (
            "/CP01",
            "Sec-WebSocket-Protocol: ocpp1.6\r\n",
            ["W366", "start wscope with `-s ocpp1.6`"],
        ),
        ("/", "Sec-WebSocket-Protocol: mqtt\r\n", ["W366", "speaks MQTT"]),
        ("/socket.io/?EIO=4&transport=websocket", "", ["W367", "Socket.IO"]),
        ("/app/k9?protocol=7&client=js", "", ["W367", "waits for pusher:connection_established"]),
    ] {
        let server = listen(["--output", "frames", "--once"]);
        let mut raw = server.raw();
        assert_eq!(raw.ask(path, &format!("{key}{more}")).status(), 101);
        // As a library does that fails the connection.
        set_socket_linger(raw.tcp(), Some(Duration::ZERO)).expect("a TCP socket");
        drop(raw);
        let shown = server.ends(10).stdout;
        for mark in marks {
            assert!(shown.contains(mark), "{mark}: {shown}");
        }
        assert!(!shown.contains("timer"), "{shown}");
    }
}

/// An echo is no answer in a protocol, even if a packet comes in parts, as mqtt.js sends it.
#[test]
fn a_client_that_gets_its_own_messages_back_is_named() {
    let masked = |first: u8, content: &[u8]| {
        let len = 0x80 | content.len() as u8;
        [&[first, len, 0, 0, 0, 0], content].concat()
    };
    let connect = b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0";
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;
    for (offer, opcode, parts, marks) in [
        ("mqtt", 0x82, vec![&connect[..]], ["speaks MQTT", "CONNACK"]),
        ("mqtt", 0x82, vec![&connect[..1], &connect[1..2], &connect[2..]], ["MQTT", "CONNACK"]),
        ("mqtt", 0x82, connect.chunks(1).collect(), ["speaks MQTT", "got its own message back"]),
        ("", 0x81, vec![&call[..]], ["speaks JSON-RPC 2.0", "its own request eth_blockNumber"]),
    ] {
        let chosen: &[&str] = if offer.is_empty() { &[] } else { &["-s", offer] };
        let server = listen([&["--output", "frames", "--once", "--echo"], chosen].concat());
        let mut raw = server.raw();
        let header = match offer {
            "" => String::new(),
            name => format!("Sec-WebSocket-Protocol: {name}\r\n"),
        };
        assert_eq!(raw.ask("/", &format!("{}{header}", crate::raw::UPGRADE)).status(), 101);
        for part in parts {
            raw.send(masked(opcode, part));
            raw.receive_frame();
        }
        set_socket_linger(raw.tcp(), Some(Duration::ZERO)).expect("a TCP socket");
        drop(raw);
        let shown = server.ends(10).stdout;
        for mark in marks.iter().chain(&["W367"]) {
            assert!(shown.contains(mark), "{mark}: {shown}");
        }
    }
    // A text that belongs to no protocol may be a test of the echo.
    let server = listen(["--output", "frames", "--once", "--echo"]);
    let mut raw = server.open();
    raw.send(masked(0x81, b"{\"method\":\"hi\"}"));
    raw.receive_frame();
    set_socket_linger(raw.tcp(), Some(Duration::ZERO)).expect("a TCP socket");
    drop(raw);
    let shown = server.ends(10).stdout;
    assert!(!shown.contains("W367"), "{shown}");
}

/// In a pipe no frames are shown; the cure stands there all the same.
#[test]
fn where_no_frames_are_shown_the_cure_is_a_line() {
    let server = listen(["--echo"]);
    let mut raw = server.raw();
    let offer = format!("{}Sec-WebSocket-Protocol: ocpp1.6\r\n", crate::raw::UPGRADE);
    assert_eq!(raw.ask("/CP01", &offer).status(), 101);
    set_socket_linger(raw.tcp(), Some(Duration::ZERO)).expect("a TCP socket");
    drop(raw);
    let cure =
        "[1] the client offered \"ocpp1.6\" and got no subprotocol; start wscope with `-s ocpp1.6`";
    server.stderr.wait_for(cure);
    let mut raw = server.raw();
    raw.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    raw.rest();
    server.stderr.wait_for(
        "a WebSocket: the client takes this server for a forward proxy; `wscope proxy PORT` is a forward proxy",
    );
    // One that leaves in order gets no such line.
    crate::harness::close(server.client());
    let said = server.stderr.wait_for("[3] left: ");
    server.interrupt();
    assert!(!said.contains("[3] the client"), "{said}");
}

#[test]
fn what_a_balancer_puts_before_the_request_is_named() {
    for before in [
        &b"PROXY TCP4 10.0.0.1 10.0.0.2 4444 80\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\xd3\x0e\x1f\x90",
    ] {
        let server = listen(["--output", "frames"]);
        let mut raw = server.raw();
        raw.send(before);
        assert_eq!(raw.ask("/", crate::raw::UPGRADE).status(), 400);
        raw.rest();
        let shown = server.interrupt().stdout;
        for mark in ["begins with the PROXY protocol", "error[W363]", "haproxy: no send-proxy"] {
            assert!(shown.contains(mark), "{mark}: {shown}");
        }
    }
}

#[test]
fn the_first_line_of_another_protocol_is_named_or_quoted() {
    let server = listen(["--echo"]);
    for (line, said) in [
        ("SSH-2.0-OpenSSH_9.2p1", "the client speaks SSH, not HTTP"),
        ("LIST me", "the request is not HTTP: \"LIST me"),
    ] {
        let mut raw = server.raw();
        raw.send(format!("{line}\r\n"));
        raw.hang_up();
        server.stderr.wait_for(said);
    }
    server.interrupt();
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_told_apart_from_one_that_sends_nothing() {
    let server = listen(["--echo", "--self-signed"]);
    let mut mute = server.raw();
    mute.hang_up();
    mute.end();
    server.stderr.wait_for("[1] 127.0.0.1");
    let client =
        crate::harness::wscope().args(["-x", "hi", server.url()]).output().expect("it runs");
    assert!(!client.status.success());
    let said =
        server.stderr.wait_for("[2] the client does not trust the certificate of this server");
    server.interrupt();
    assert!(said.contains("--self-signed-out FILE"), "{said}");
    assert!(!said.contains("[1] the client"), "{said}");
}

#[test]
fn a_client_of_another_protocol_is_named() {
    for (first, name) in [
        (&b"\0\0\0\x08\x04\xd2\x16\x2f"[..], "PostgreSQL"),
        (b"CONNECT\naccept-version:1.2\nhost:/\n\n\0", "STOMP over TCP"),
        (b"\x81\x82\x01\x02\x03\x04ij", "WebSocket frames without the opening handshake"),
        (b"*1\r\n$4\r\nPING\r\n", "Redis"),
    ] {
        let server = listen(["--output", "frames"]);
        let mut raw = server.raw();
        raw.send(first);
        raw.hang_up();
        let shown = server.interrupt().stdout;
        assert!(shown.contains(&format!("the client speaks {name}")), "{name}: {shown}");
        assert!(!shown.contains("error["), "{name}: {shown}");
    }
}

/// What it waits for is an answer to its first message, which this server does not give.
#[test]
fn a_client_that_waits_in_vain_for_an_answer_is_explained() {
    let server = listen(["--output", "frames", "--once"]);
    let mut raw = server.raw();
    let request = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                   Upgrade: websocket\r\nConnection: Upgrade\r\n";
    assert_eq!(raw.ask("/connection/websocket", request).status(), 101);
    raw.send(b"\x81\x82\0\0\0\0{}\x88\x80\0\0\0\0");
    raw.rest();
    let shown = server.ends(0).stdout;
    assert!(shown.contains("W367") && shown.contains("nothing was sent to it"), "{shown}");
}

#[test]
fn a_client_that_answers_no_ping_may_hang_or_send_no_pongs() {
    let server =
        listen(["--output", "frames", "--once", "--ping-interval", "0.1", "--pong-timeout", "0.2"]);
    let mut raw = server.open();
    loop {
        let (opcode, _) = raw.receive_frame();
        if opcode == OpCode::Control(Control::Close) {
            break;
        }
    }
    let shown = server.ends(12).stdout;
    assert!(shown.contains("possible: the peer's library sends no pongs"), "{shown}");
}

#[test]
fn a_client_that_is_gone_after_a_silence_may_have_been_ended() {
    let server = listen(["--output", "frames", "--once", "--echo"]);
    let raw = server.open();
    raw.tcp().set_read_timeout(Some(Duration::from_millis(1200))).expect("a TCP socket");
    let _ = std::io::Read::read(&mut raw.tcp(), &mut [0; 8]);
    drop(raw);
    let shown = server.ends(10).stdout;
    assert!(shown.contains("W804") && shown.contains("the client's program ended"), "{shown}");
    assert!(!shown.contains("likely (medium): a timer"), "{shown}");
}

/// Programs send Origins that are no sites; each is accepted as it was sent, and only that one.
#[test]
fn an_origin_that_is_no_site_is_let_in_as_it_was_sent() {
    for origin in [
        "file://",
        "app://",
        "app://.",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "null",
    ] {
        let server = listen(["--echo", "--origin", origin]);
        let with = |origin: &str| format!("{}Origin: {origin}\r\n", crate::raw::UPGRADE);
        for (sent, status) in [(origin, 101), ("https://a.example", 403), ("ionic://", 403)] {
            assert_eq!(server.raw().ask("/", &with(sent)).status(), status, "{sent} for {origin}");
        }
        server.interrupt();
    }
}

/// Browsers name themselves; the Origin of another program does not name a page.
#[test]
fn an_origin_is_a_page_only_if_a_browser_sends_it() {
    let page = "the page was opened from a file, or is sandboxed";
    for (agent, origin, marks, wrong) in [
        (
            "arduino-WebSocket-Client",
            "file://",
            ["arduino-WebSocket-Client sends this Origin by itself", "--origin file://"],
            page,
        ),
        (
            "okhttp/4.12.0",
            "https://a.example",
            ["okhttp/4.12.0 sends this Origin by itself", "--origin https://a.example"],
            page,
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64)",
            "null",
            [page, "--origin null"],
            "sends this Origin by itself",
        ),
        (
            "Mozilla/5.0 (X11) app/1.0 Electron/30.0",
            "chrome-extension://abc",
            ["W362", "--origin chrome-extension://abc"],
            "sends this Origin by itself",
        ),
    ] {
        let server = listen(["--output", "frames"]);
        let mut raw = server.raw();
        let more = format!("User-Agent: {agent}\r\nOrigin: {origin}\r\n");
        raw.ask("/", &format!("{}{more}", crate::raw::UPGRADE));
        raw.rest();
        let shown = server.interrupt().stdout;
        for mark in marks {
            assert!(shown.contains(mark), "{mark}: {shown}");
        }
        assert!(!shown.contains(wrong), "{wrong}: {shown}");
    }
}

#[test]
fn what_only_asks_whether_the_server_is_up_is_no_client() {
    for (target, agent, mark) in [
        ("/", "ELB-HealthChecker/2.0", "a health check of AWS Elastic Load Balancing"),
        ("/healthz", "kube-probe/1.30", "a health check of Kubernetes"),
        ("/", "GoogleHC/1.0", "a health check of Google Cloud"),
        ("/", "Consul Health Check", "a health check of Consul"),
        ("/metrics", "Prometheus/2.53.0", "a health check of Prometheus"),
        ("/", "Uptime-Kuma/1.23.13", "a health check of Uptime Kuma"),
        ("/", "Acme-HealthCheck/7", "this is a health check or a monitor"),
        ("/readyz", "Go-http-client/1.1", "this is a health check or a monitor"),
    ] {
        let server = listen(["--echo"]);
        let mut raw = server.raw();
        let request = format!("User-Agent: {agent}\r\nConnection: close\r\n");
        assert_eq!(raw.ask(target, &request).status(), 426);
        raw.rest();
        let said = server.stderr.wait_for("let it check the TCP port");
        server.interrupt();
        assert!(said.contains(mark), "{mark}: {said}");
    }
}

#[test]
fn a_scanner_and_the_check_of_a_balancer_are_no_clients() {
    for (request, mark) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 zgrab/0.x\r\n\r\n", "a scanner of"),
        ("GET /.env HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\n\r\n", "a scanner of"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 (Nmap Scripting)\r\n\r\n",
            "a scanner",
        ),
        ("GET /.git/config HTTP/1.1\r\nHost: a\r\n\r\n", "a scanner of"),
        ("GET /.env.local?x HTTP/1.1\r\nHost: a\r\n\r\n", "a scanner of"),
        ("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: OpenMaps/4.2\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Dynmap/3.7\r\n\r\n", ""),
        ("GET /.netlify/functions/ws HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("GET /./ws HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("OPTIONS / HTTP/1.0\r\n\r\n", "a health check of a balancer"),
        ("GET /.well-known/acme HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
    ] {
        let server = listen(["--output", "json"]);
        let mut raw = server.raw();
        raw.send(request);
        raw.rest();
        let shown = server.interrupt().stdout;
        assert!(shown.contains("W360"), "{shown}");
        assert_eq!(shown.contains("\"causes\":[]"), mark.is_empty(), "{shown}");
        assert!(shown.contains(mark), "{shown}");
    }
}

/// Its first request has no Upgrade: in a browser with a number, in Node without.
#[test]
fn a_sockjs_client_is_known_by_its_request_for_info() {
    let server = listen(["--echo"]);
    for (target, headers) in [
        ("/echo/info?t=1732971234567", "User-Agent: Mozilla/5.0\r\nAccept: */*\r\n"),
        ("/echo/info", "User-Agent: Mozilla/5.0\r\nAccept: text/html\r\n"),
        ("/echo/info", ""),
    ] {
        let mut raw = server.raw();
        assert_eq!(raw.ask(target, headers).status(), 426);
        raw.rest();
    }
    let said = server.stderr.wait_for("[3] the client did not ask for a WebSocket");
    server.interrupt();
    assert!(said.contains("[1] the client did not ask for a WebSocket: this is a SockJS client"));
    for other in ["[2]", "[3]"] {
        let lead = format!("{other} the client did not ask for a WebSocket: this is a SockJS");
        assert!(!said.contains(&lead), "{said}");
    }
}

/// What `listen` shows of a request that it refuses.
fn shown(options: &[&str], target: &str, headers: &str) -> String {
    let server = listen([&["--output", "json"], options].concat());
    let mut raw = server.raw();
    raw.ask(target, headers);
    raw.rest();
    server.interrupt().stdout
}

#[test]
fn what_many_programs_have_in_common_proves_none_of_them() {
    for (target, agent, confidence) in [
        ("/", "kube-probe/1.30", Some("high")),
        ("/", "Blackbox Exporter/0.24.0", Some("high")),
        ("/", "Uptime-Dashboard/1", Some("medium")),
        ("/", "monitoring-app", Some("medium")),
        ("/user/info?t=1732971234567", "app/1", Some("medium")),
        ("/user/info", "app/1", Some("low")),
        ("/sockjs/info", "app/1", Some("high")),
        ("/", "blackboxchat/2", None),
    ] {
        let shown = shown(&[], target, &format!("User-Agent: {agent}\r\nConnection: close\r\n"));
        let found = ["high", "medium", "low"]
            .into_iter()
            .find(|name| shown.contains(&format!("\"confidence\":\"{name}\"")));
        assert_eq!(found, confidence, "{target}, {agent}: {shown}");
    }
}

#[test]
fn a_command_in_a_help_runs_nothing_of_the_peer() {
    let long = format!("/{}", "x".repeat(300));
    let origin = |value: &str| format!("{}Origin: {value}\r\n", crate::raw::UPGRADE);
    let offer = |value: &str| format!("{}Sec-WebSocket-Protocol: {value}\r\n", crate::raw::UPGRADE);
    let required = &["-s", "chat", "--require-subprotocol"][..];
    for (options, path, headers, mark) in [
        (
            &[][..],
            "/",
            origin("https://a.example;touch /tmp/x"),
            "`--origin 'https://a.example;touch /tmp/x'`",
        ),
        (&[], "/", origin("https://it's.example"), r"`--origin 'https://it'\\''s.example'`"),
        (&[], "/", origin("https://a.example:8443"), "`--origin https://a.example:8443`"),
        (&[], "/", origin(&format!("https:/{long}")), "allow it: `--origin`"),
        (&[], "/", origin("https://a.example,https://b.example"), "correct the Origin"),
        (&["--path", "/ws"], "/a;id", crate::raw::UPGRADE.to_owned(), "`--path '/a;id'`"),
        (&["--path", "/ws"], &long, crate::raw::UPGRADE.to_owned(), "serve it too: `--path`,"),
        (required, "/", offer("$x"), "`-s '$x'`"),
        (&[], "/", origin("https://a`b.example"), "allow it: `--origin`"),
    ] {
        let shown = shown(options, path, &headers);
        assert!(shown.contains(mark), "{mark}: {shown}");
    }
}

#[test]
fn a_client_that_compresses_unasked_is_told_as_the_client_of_this_server() {
    for options in [&["--no-compress"][..], &[]] {
        let server = listen([&["--output", "frames"], options].concat());
        let mut raw = server.open();
        raw.send(b"\xc1\x82\0\0\0\0hi");
        raw.end();
        let shown = server.interrupt().stdout;
        assert!(shown.contains("W602") && shown.contains("the client sets RSV1"), "{shown}");
        assert!(!shown.contains("retry with"), "{shown}");
        assert!(!shown.contains("still compresses"), "{shown}");
    }
}

/// An echo is no answer in a protocol in which the server owes one.
#[test]
fn a_client_whose_protocol_goes_on_with_another_answer_is_explained() {
    let join = r#"["1","1","room:1","phx_join",{}]"#;
    let joined = r#"["1","1","room:1","phx_reply",{"status":"ok","response":{}}]"#;
    let boot = r#"[2,"7","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;
    let init = r#"{"type":"connection_init"}"#;
    let phoenix = ("/socket/websocket?vsn=2.0.0", "");
    let charge_point = ("/CP01", "Sec-WebSocket-Protocol: ocpp1.6\r\n");
    let graphql = ("/graphql", "Sec-WebSocket-Protocol: graphql-transport-ws\r\n");
    let stomp = ("/", "Sec-WebSocket-Protocol: v12.stomp\r\n");
    for (options, (path, offer), message, mark) in [
        (&["--echo"][..], phoenix, join, "waits for phx_reply"),
        (&[], phoenix, join, "waits for the answer to its phx_join"),
        (&["--reply", joined], phoenix, join, ""),
        // Of a longer one only the beginning is kept.
        (&["--reply", &joined.replace("ok", &"ok".repeat(300))], phoenix, join, ""),
        (&["--echo", "-s", "ocpp1.6"], charge_point, boot, "waits for the CALLRESULT"),
        (&["--reply", r#"[3,"7",{"status":"Accepted"}]"#, "-s", "ocpp1.6"], charge_point, boot, ""),
        (&["--echo", "-s", "graphql-transport-ws"], graphql, init, "waits for connection_ack"),
        (&["--echo", "-s", "v12.stomp"], stomp, "CONNECT\nhost:/\n\n\0", "waits for CONNECTED"),
        (&["--echo"], ("/", ""), "hello", ""),
    ] {
        let server = listen([options, &["--once"]].concat());
        let mut raw = server.raw();
        assert_eq!(raw.ask(path, &format!("{}{offer}", crate::raw::UPGRADE)).status(), 101);
        raw.send(
            [&[0x81, 0x80 | message.len() as u8, 0, 0, 0, 0][..], message.as_bytes()].concat(),
        );
        if !options.is_empty() {
            raw.receive_frame();
        }
        drop(raw);
        let told = server.ends(10).stderr;
        match mark {
            "" => assert!(!told.contains("the client speaks"), "{told}"),
            mark => assert!(told.contains("the client speaks") && told.contains(mark), "{told}"),
        }
    }
}

/// It leaves in order, since its own message is no answer.
#[test]
fn a_client_that_closes_when_its_own_message_comes_back_is_explained() {
    for (path, message, mark) in [
        ("/graphql", r#"{"type":"connection_init"}"#, "waits for connection_ack"),
        ("/", "hello", ""),
    ] {
        let server = listen(["--echo", "--once"]);
        let mut raw = server.raw();
        let offer = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
        let offer = if mark.is_empty() { "" } else { offer };
        assert_eq!(raw.ask(path, &format!("{}{offer}", crate::raw::UPGRADE)).status(), 101);
        raw.send(
            [&[0x81, 0x80 | message.len() as u8, 0, 0, 0, 0][..], message.as_bytes()].concat(),
        );
        raw.receive_frame();
        raw.send(b"\x88\x82\0\0\0\0\x03\xe8");
        raw.receive_close(1000);
        drop(raw);
        let told = server.ends(0).stderr;
        assert_eq!(told.contains("the client speaks"), !mark.is_empty(), "{told}");
        assert!(told.contains(mark), "{told}");
    }
}

/// A protocol is named by as many of its first bytes as it takes, also if they arrive in parts.
#[test]
fn a_client_of_another_protocol_is_named_if_its_bytes_arrive_in_parts() {
    let server = listen(["--echo"]);
    for (first, name) in [
        (&b"\x16\x03\x01\x02\0\x01\0"[..], "speaks TLS on a plain port"),
        (b"\x04\x01\x1f\x90\x7f\0\0\x01\0", "speaks SOCKS4"),
        (b"\x05\x01\0", "speaks SOCKS5"),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", "speaks PostgreSQL"),
        (b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab", "speaks MQTT over TCP"),
        (b"*1\r\n$4\r\nPING\r\n", "speaks Redis"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", "begins with the PROXY protocol"),
        (b"<?xml version='1.0'?><stream:stream to='a'>", "speaks XMPP over TCP"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "speaks SSH"),
        (b"\x81\x82\x01\x02\x03\x04ij", "speaks WebSocket frames"),
    ] {
        let mut raw = server.raw();
        raw.tcp().set_read_timeout(Some(Duration::from_millis(5))).expect("a TCP socket");
        let (start, rest) = first.split_at(2);
        // The second part arrives by itself, unless the first one was answered.
        if raw.try_send(start) && std::io::Read::read(&mut raw.tcp(), &mut [0; 1]).is_err() {
            raw.try_send(rest);
        }
        server.stderr.wait_for(name);
    }
    // What stays unclear is answered soon.
    let mut raw = server.raw();
    raw.send(b"\0\x01");
    assert_eq!(raw.response().status(), 400);
    server.stderr.wait_for("the request is not HTTP: \"\\0\\u{1}\"");
    server.interrupt();
}

/// What a code says of a server says nothing to the server's side.
#[test]
fn a_close_of_a_client_is_explained_to_the_side_of_the_server() {
    for (code, mark) in [
        (1002u16, "W702"),
        (1003, "W703"),
        (1008, "the client's log or code"),
        (1009, "the peer's configuration"),
        (1010, "without `--no-compress`"),
        (1013, "the client's log or code"),
        (1014, "the client's log or code"),
        (3000, "the client's log or code"),
    ] {
        let server = listen(["--output", "frames", "--echo"]);
        let mut raw = server.open();
        raw.send(b"\x81\x82\0\0\0\0hi");
        raw.receive_frame();
        raw.send([&b"\x88\x82\0\0\0\0"[..], &code.to_be_bytes()].concat());
        raw.end();
        drop(raw);
        let shown = server.interrupt().stdout;
        assert!(shown.contains(mark), "{code}: {shown}");
        for wrong in ["the server's", "wscope -vv URL", "log in", "login", "another server", "faye"]
        {
            assert!(!shown.contains(wrong), "{code}, {wrong}: {shown}");
        }
    }
}

/// The second message refers to the first one, although the client agreed not to do that (RFC 7692
/// §7.2.3.2).
#[test]
fn a_client_that_keeps_its_context_against_the_agreement_is_named() {
    let server = listen(["--output", "json"]);
    let mut raw = server.raw();
    let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n";
    assert_eq!(raw.ask("/", headers).status(), 101);
    // The mask key is zero.
    raw.send(b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00");
    raw.send(b"\xc1\x85\0\0\0\0\xf2\x00\x11\x00\x00");
    raw.rest();
    let shown = server.interrupt().stdout;
    let cause = "the sender keeps its context, although client_no_context_takeover was agreed";
    assert!(shown.contains("W624") && shown.contains(cause), "{shown}");
    assert!(shown.contains("let the client reset its compression"), "{shown}");
}

/// Masks with the key 0 and sends a text.
fn text(content: &str) -> Vec<u8> {
    let len = u8::try_from(content.len()).expect("a short text");
    [&[0x81, 0x80 | len, 0, 0, 0, 0], content.as_bytes()].concat()
}

/// Waits longer than a client that only looks.
fn idle(raw: &mut crate::raw::Raw) {
    raw.tcp().set_read_timeout(Some(Duration::from_millis(1200))).expect("a TCP socket");
    let _ = std::io::Read::read(&mut raw.tcp(), &mut [0; 8]);
}

#[test]
fn what_a_client_that_left_waited_for_is_told_without_a_transcript() {
    let server = listen(["--no-compress"]);
    // A handshake without an answer.
    let mut raw = server.open();
    raw.send(text("{\"protocol\":\"json\",\"version\":1}\u{1e}"));
    raw.send(b"\x88\x80\0\0\0\0");
    raw.rest();
    let said = server.stderr.wait_for("[1] the client speaks SignalR");
    assert!(said.contains("and waits for"), "{said}");
    // No message of either side.
    let mut raw = server.open();
    idle(&mut raw);
    drop(raw);
    server.stderr.wait_for("[2] the client left after 1.2 s without a message in either direction");
    // A silence after a message.
    let mut raw = server.open();
    raw.send(text("hello"));
    idle(&mut raw);
    drop(raw);
    server.stderr.wait_for("[3] cut after 1.2 s without traffic");
    // After an end right after a message, the line about the end is enough.
    let mut raw = server.open();
    raw.send(text("hello"));
    drop(raw);
    server.stderr.wait_for("[4] left: connection lost without a Close frame");
    server.stderr.wait_for("end of stream, sent by the client");
    // A page that is closed has listened. It is a note that a plain message got no answer.
    let mut raw = server.open();
    idle(&mut raw);
    raw.send(b"\x88\x82\0\0\0\0\x03\xe9");
    raw.rest();
    let mut raw = server.open();
    raw.send(text("{\"temperature\":21.5}"));
    idle(&mut raw);
    raw.send(b"\x88\x82\0\0\0\0\x03\xe8");
    raw.rest();
    let said = server.stderr.wait_for("[6] left");
    server.interrupt();
    for silent in ["[5] the client", "[6] the client left after", "[6] the client speaks"] {
        assert!(!said.contains(silent), "{said}");
    }
}

#[test]
fn a_client_that_gets_too_long_a_message_is_told_with_its_size() {
    let server = listen(["--no-compress", "--echo"]);
    let mut raw = server.open();
    let len = 2000u16.to_be_bytes();
    raw.send([&[0x81, 0xfe, len[0], len[1], 0, 0, 0, 0], &[b'x'; 2000][..]].concat());
    raw.receive_frame();
    raw.send(b"\x88\x82\0\0\0\0\x03\xf1");
    raw.rest();
    server.stderr.wait_for("our message of 2000 bytes is longer than the peer allows");
    server.interrupt();
}
