//! What the cases find: nothing in a server that keeps the rules, and each breach in one that does
//! not.

use std::io::{Read as _, Write as _, copy, sink};
use std::net::TcpListener;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use crate::{check, listen};

#[test]
fn its_own_server_passes_everything() {
    let server = listen(["--echo"]);
    // What takes long is left to tests/check/run, and what needs TLS is skipped here.
    let quick = [
        "!h/stall-head",
        "!l/idle-10",
        "!l/half-frame",
        "!l/server-ping",
        "!g/open-idle",
        "!c/no-reply",
        "!o/scheme",
        "!t/",
    ];
    let args = [server.url(), "--stress", "--intrusive", "--strict", "--output", "json"];
    let run = check(&[&args[..], &quick].concat());
    let bad: Vec<String> = run
        .objects()
        .iter()
        .filter(|object| object["event"] == "case")
        .filter(|object| !["PASS", "INFO"].contains(&object["verdict"].as_str().expect("text")))
        .filter(|object| object["id"] != "p/case" || object["verdict"] != "SKIP")
        .map(ToString::to_string)
        .collect();
    assert!(bad.is_empty() && run.status == Some(0), "{bad:#?}");
    let summary = run.objects().pop().expect("a summary");
    assert_eq!((&summary["echo"], &summary["failures"]), (&true.into(), &0.into()));
    assert!(run.stderr.is_empty(), "{}", run.stderr);
}

/// Its pings are answered, but not inside of a frame that a case writes in pieces.
#[test]
fn a_server_may_ping_at_any_time() {
    let server = listen(["--echo", "--ping-interval", "0.005"]);
    let run = check(&[server.url(), "--output", "json", "f/bytewise", "f/len-65535", "u/", "k/"]);
    let bad: Vec<_> = run.objects().into_iter().filter(|o| o["verdict"] == "FAIL").collect();
    assert!(bad.is_empty() && run.status == Some(0), "{bad:#?}");
}

#[test]
fn no_echo_is_needed() {
    let server = listen(["--no-compress"]);
    let run = check(&[server.url(), "--output", "json"]);
    assert_eq!(run.status, Some(0), "{}", run.stdout);
    assert_eq!(run.objects().pop().expect("a summary")["echo"], false);
    assert_eq!(run.verdict("z/text").0, "SKIP");
    assert_eq!(run.verdict("f/len-125").0, "PASS");
}

#[test]
fn a_server_that_lets_breaches_pass_fails_by_category() {
    let server = listen(["--echo", "--lenient"]);
    let run = check(&[server.url(), "--output", "json", "f/", "m/", "k/", "g/", "u/", "z/", "c/"]);
    assert_eq!(run.status, Some(13), "{}", run.stdout);
    let lives = "the connection stays open: a ping is answered";
    for (id, verdict, got) in [
        ("f/rsv1", "FAIL", lives),
        ("f/rsv-ping", "FAIL", lives),
        ("f/op3", "FAIL", lives),
        ("f/opF", "FAIL", lives),
        ("f/len16-min", "WARN", lives),
        ("f/rsv-close", "FAIL", "Close 1000"),
        ("m/unmasked-text", "FAIL", lives),
        ("k/ping-126", "FAIL", lives),
        ("g/cont-first", "FAIL", lives),
        ("g/text-in-text", "FAIL", lives),
        ("u/bad", "FAIL", lives),
        ("z/rsv1-ping", "FAIL", lives),
        ("f/ping", "PASS", "the pong"),
        ("c/1000", "PASS", "Close 1000"),
    ] {
        assert_eq!(run.verdict(id), (verdict.to_owned(), got.to_owned()), "{id}");
    }
}

/// What a fault of the server does to a case.
#[track_caller]
fn finds(fault: &str, id: &str, verdict: &str, got: &str) {
    let server = listen(["--echo", "--fault", fault]);
    let run = check(&[server.url(), id, "--output", "json"]);
    assert_eq!(run.verdict(id), (verdict.to_owned(), got.to_owned()), "{fault}");
    let failed = ["FAIL", "FLAKY"].contains(&verdict);
    assert_eq!(run.status, Some(if failed { 13 } else { 0 }), "{fault}");
}

#[test]
fn a_message_that_ends_the_connection_fails_what_must_live() {
    finds("fin@message:1", "f/len-125", "FAIL", "the end of TCP without a Close");
    finds("rst@message:1", "g/two", "FAIL", "a reset without a Close");
    finds("close:1011@message:1", "z/text", "FAIL", "Close 1011");
    finds(
        "close-illegal@message:1",
        "u/max",
        "FAIL",
        "the server broke a rule itself: this close code must not be sent (RFC 6455 §7.4)",
    );
}

#[test]
fn what_the_server_breaks_itself_is_found() {
    for (fault, rule) in [
        ("masked@message:1", "RFC 6455 §5.1"),
        ("rsv2@message:1", "RFC 6455 §5.2"),
        ("reserved-data@message:1", "RFC 6455 §5.2"),
        ("fragmented-control@message:1", "RFC 6455 §5.5"),
        ("utf8-invalid@message:1", "RFC 6455 §8.1"),
        ("orphan-continuation@message:1", "RFC 6455 §5.4"),
    ] {
        let server = listen(["--echo", "--fault", fault]);
        let run = check(&[server.url(), "f/len-126", "--output", "json"]);
        let (verdict, got) = run.verdict("f/len-126");
        let begins = got.starts_with("the server broke a rule itself: ");
        assert!(verdict == "FAIL" && begins && got.contains(rule), "{fault}: {verdict} {got}");
    }
}

#[test]
fn a_close_that_is_not_answered_fails_after_a_second_look() {
    let silent = "nothing: no answer to a ping, no Close, and the connection stayed open";
    finds("no-close-answer", "c/1000", "FAIL", silent);
}

/// A server that can't be tested.
#[track_caller]
fn stops(fault: &str, status: i32, why: &str) {
    let server = listen(["--fault", fault]);
    let run = check(&[server.url(), "--handshake-timeout", "1"]);
    assert_eq!(run.status, Some(status), "{}", run.stdout);
    let line = run.stdout.lines().nth(1).unwrap_or_default();
    assert_eq!(line, format!("stopped: no connection to test on: {why}"), "{fault}");
    assert_eq!(run.stdout.lines().last(), Some("5 SKIP, 200 INCONCLUSIVE"), "{fault}");
}

#[test]
fn without_a_connection_that_works_nothing_is_judged() {
    stops("status:503", 7, "HTTP status 503");
    let accept = "101 that breaks the rules: ";
    let server = listen(["--fault", "accept-wrong"]);
    let run = check(&[server.url()]);
    assert!(run.stdout.contains(accept) && run.status == Some(8), "{}", run.stdout);
    // That much is known.
    assert_eq!(run.stdout.lines().last(), Some("5 SKIP, 199 INCONCLUSIVE, 1 FAIL"));
    assert!(run.stdout.contains("FAIL  h/control"), "{}", run.stdout);
    stops("no-answer", 12, "no answer to the request");
    stops("silence", 12, "nothing: no answer to a ping, no Close, and the connection stayed open");
}

/// The status is that of a client that meets the same.
#[test]
fn a_server_that_breaks_a_rule_in_every_frame_ends_with_9() {
    let server = listen(["--fault", "masked"]);
    let run = check(&[server.url()]);
    assert_eq!(run.status, Some(9), "{}", run.stdout);
    assert!(run.stdout.contains("FAIL  h/control"), "{}", run.stdout);
}

#[test]
fn a_slow_handshake_is_waited_for_as_long_as_the_option_allows() {
    let server = listen(["--fault", "delay:2.2s"]);
    let run = check(&[server.url(), "h/control"]);
    assert_eq!(run.status, Some(0), "{} {}", run.stdout, run.stderr);
}

#[test]
fn a_limit_of_connections_is_named() {
    let url = serve(|number, stream| {
        let Some(payload) = (number < 3).then(|| open(stream)).flatten() else {
            let answer =
                b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.read(&mut [0; 2048]);
            return stream.write_all(answer).is_ok();
        };
        pong(stream, &payload).is_some()
    });
    let run = check(&[&url, "-j", "1", "f/rsv1", "f/rsv2"]);
    assert!(run.stdout.contains("429") && run.stdout.contains("--delay"), "{}", run.stdout);
    assert_eq!(run.status, Some(7), "{}", run.stdout);
}

/// A server by hand: gives each connection to a function, by number, until that ends it.
fn serve(act: impl Fn(usize, &mut std::net::TcpStream) -> bool + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            if !act(number, &mut stream) {
                return;
            }
        }
    });
    url
}

/// Opens, then reads the first frame; what follows is up to the caller.
fn open(stream: &mut std::net::TcpStream) -> Option<Vec<u8>> {
    let head = head(stream)?;
    accept(stream, &head)?;
    frame(stream)
}

fn head(stream: &mut std::net::TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Answers the first key of a request.
fn accept(stream: &mut std::net::TcpStream, head: &str) -> Option<()> {
    accept_in("HTTP/1.1", stream, head)
}

/// The same in another version of HTTP.
fn accept_in(version: &str, stream: &mut std::net::TcpStream, head: &str) -> Option<()> {
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))?;
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let answer = format!(
        "{version} 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).ok()
}

/// The payload of the next frame, which is short.
fn frame(stream: &mut std::net::TcpStream) -> Option<Vec<u8>> {
    let mut header = [0; 6];
    stream.read_exact(&mut header).ok()?;
    let mut payload = vec![0; usize::from(header[1] & 0x7f)];
    stream.read_exact(&mut payload).ok()?;
    payload.iter_mut().zip(header[2..].iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    Some(payload)
}

fn pong(stream: &mut std::net::TcpStream, payload: &[u8]) -> Option<()> {
    let header = [0x8a, u8::try_from(payload.len()).ok()?];
    stream.write_all(&[&header, payload].concat()).ok()
}

#[test]
fn a_server_that_dies_is_one_sentence() {
    // Three controls, then the first breach is the end of the process.
    let url = serve(|number, stream| {
        let payload = open(stream);
        let answered =
            number < 3 && payload.is_some_and(|payload| pong(stream, &payload).is_some());
        answered && frame(stream).is_some()
    });
    let run = check(&[&url, "-j", "1", "f/rsv1", "f/rsv2", "f/rsv3", "f/op3"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], format!("failed: {url}, 1 of 4 cases"));
    let why = "the server stopped accepting connections after f/rsv1 (1 case done)";
    assert_eq!(lines[1], format!("stopped: {why}"));
    assert_eq!(lines.last(), Some(&"3 INCONCLUSIVE, 1 FAIL"));
    assert_eq!(run.status, Some(4), "{}", run.stdout);
}

/// A server that answers as it must, and ends itself after the Close that it sends to a breach.
fn ends_behind_its_close() -> String {
    serve(|_, stream| {
        let Some(first) = open(stream) else { return true };
        if !first.starts_with(b"wscope check: first") {
            let _ = stream.write_all(b"\x88\x02\x03\xea");
            let _ = copy(stream, &mut sink());
            return false;
        }
        pong(stream, &first).is_some() && frame(stream).is_some()
    })
}

#[test]
fn a_server_that_dies_behind_its_answer_is_blamed_on_the_case_that_it_answered() {
    let run = check(&[&ends_behind_its_close(), "-j", "1", "--echo", "no", "f/", "!f/ping"]);
    // Its last connection is refused, or accepted by the system and reset.
    let why = run.stdout.lines().nth(1).unwrap_or_default();
    let died = why.starts_with("stopped: the server stopped ");
    assert!(died && why.ends_with(" after f/rsv1 (1 case done)"), "{}", run.stdout);
    for line in [
        "FAIL  f/rsv1  a text frame with RSV1, nothing negotiated",
        "      got       Close 1002; then the server stopped ",
        "      why       anyone who can connect can crash the server",
    ] {
        assert!(run.stdout.lines().any(|own| own.starts_with(line)), "{line}\n{}", run.stdout);
    }
    assert_eq!(run.status, Some(4), "{}", run.stdout);
}

#[test]
fn the_last_case_can_end_the_server_too() {
    let run = check(&[&ends_behind_its_close(), "f/rsv1", "--output", "json"]);
    let (verdict, got) = run.verdict("f/rsv1");
    assert!(verdict == "FAIL" && got.starts_with("Close 1002; then the server stopped "), "{got}");
    assert_eq!((&run.objects()[0]["level"], run.status), (&"must".into(), Some(4)));
}

#[test]
fn a_breach_of_the_server_itself_is_no_matter_of_the_case() {
    let server = listen(["--echo", "--fault", "masked@message:1"]);
    // The rule of the case is a SHOULD; what the server sent breaks a MUST.
    let run = check(&[server.url(), "l/small-1000", "--stress", "--output", "json"]);
    let case = &run.objects()[0];
    assert_eq!((&case["level"], &case["verdict"]), (&"must".into(), &"FAIL".into()), "{case}");
    assert!(
        case["why"].as_str().is_some_and(|why| why.contains("refuse what this peer sends")),
        "{case}"
    );
}

#[test]
fn over_tls_old_versions_and_alpn_are_tested_too() {
    let server = listen(["--echo", "--self-signed"]);
    let run = check(&[server.url(), "-k", "t/", "o/scheme", "f/ping", "--output", "json"]);
    assert_eq!(run.status, Some(0), "{}", run.stdout);
    for (id, verdict, got) in [
        ("t/tls-old", "PASS", "the TLS handshake failed"),
        ("t/alpn-none", "PASS", "101; nothing agreed by ALPN"),
        ("t/alpn-h2", "PASS", "101; ALPN agreed on http/1.1"),
        ("f/ping", "PASS", "the pong"),
    ] {
        assert_eq!(run.verdict(id), (verdict.to_owned(), got.to_owned()), "{id}");
    }
    let server = listen([""; 0]);
    let run = check(&[server.url(), "t/", "--output", "json"]);
    let why = "the URL does not begin with wss://";
    assert_eq!(run.verdict("t/tls-old"), ("SKIP".to_owned(), why.to_owned()));
}

#[test]
fn an_origin_like_that_of_the_site_is_as_foreign_as_another() {
    // Refuses the one Origin, and takes what only looks like its own.
    let url = serve(|_, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            if head.contains("Origin: https://evil.example\r\n") {
                return stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").ok();
            }
            accept(&mut stream, &head)?;
            while let Some(payload) = frame(&mut stream) {
                pong(&mut stream, &payload)?;
            }
            None
        });
        true
    });
    let run = check(&[&url, "o/", "--output", "json"]);
    let got = "101, though the Origin of another site is refused";
    for id in ["o/suffix", "o/prefix"] {
        assert_eq!(run.verdict(id), ("WARN".to_owned(), got.to_owned()), "{id}");
    }
    assert_eq!(run.verdict("o/evil").0, "INFO");
}

/// Refuses the first request of a connection and takes the second. If it is slow, the first opening and
/// the second request take their time.
fn refuses_once(is_slow: bool) -> String {
    let refuse = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno";
    serve(move |number, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let mut head = head(&mut stream)?;
            if is_slow && number == 0 {
                // A slow opening: cases have four times as long.
                wait(&mut stream, 400)?;
            }
            if !head.contains("Sec-WebSocket-Key") {
                stream.write_all(refuse.as_bytes()).ok()?;
                head = self::head(&mut stream)?;
                if is_slow {
                    wait(&mut stream, 2500)?;
                }
            }
            accept(&mut stream, &head)?;
            while let Some(payload) = frame(&mut stream) {
                pong(&mut stream, &payload)?;
            }
            None
        });
        true
    })
}

/// Lets so much time pass, in which the client has nothing to send.
fn wait(stream: &mut std::net::TcpStream, milliseconds: u64) -> Option<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_millis(milliseconds))).ok()?;
    let _ = stream.peek(&mut [0]);
    stream.set_read_timeout(None).ok()
}

#[test]
fn a_connection_is_asked_again_after_a_refusal_and_has_as_much_time() {
    for is_slow in [false, true] {
        let run = check(&[&refuses_once(is_slow), "h/reuse-after-4xx", "--output", "json"]);
        let got = "the connection stays open: a ping is answered";
        assert_eq!(run.verdict("h/reuse-after-4xx"), ("INFO".to_owned(), got.to_owned()));
    }
}

/// The limit on CPU time ends a program that looks again and again whether a byte is due.
#[test]
fn a_slow_request_waits_for_tls_without_work() {
    let server = listen(["--echo", "--self-signed"]);
    let behind = server.url().trim_start_matches("wss://").trim_end_matches('/').to_owned();
    // Three controls get through, and the case gets no answer to its ClientHello.
    let url = serve(move |number, stream| {
        let (mut near, behind) = (stream.try_clone().expect("a socket"), behind.clone());
        thread::spawn(move || -> Option<()> {
            if number == 3 {
                return copy(&mut near, &mut sink()).ok().map(drop);
            }
            let mut far = std::net::TcpStream::connect(behind).ok()?;
            if number == 0 {
                // A slow opening: the case waits for four times as long.
                wait(&mut far, 700)?;
            }
            let (mut from, mut to) = (far.try_clone().ok()?, near.try_clone().ok()?);
            thread::spawn(move || copy(&mut from, &mut to));
            copy(&mut near, &mut far).ok().map(drop)
        });
        true
    });
    let url = url.replace("ws://", "wss://");
    let script = "ulimit -t 1; exec \"$0\" check \"$@\"";
    let run = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_wscope"), &url, "-k", "--stress"])
        .args(["h/slow-head", "--output", "json"])
        .output()
        .expect("sh");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.code().is_some() && text.contains("h/slow-head"), "{}{text}", run.status);
}

#[test]
fn what_waits_and_what_is_measured_is_reported() {
    let server = listen(["--echo"]);
    let ids = ["h/parallel-5", "h/slow-head", "h/head-20k", "l/rtt", "z/no-takeover-violated"];
    let run = check(&[&[server.url(), "--stress", "--output", "json"], &ids[..]].concat());
    let lives = "the connection stays open: a ping is answered";
    for (id, got) in [
        ("h/parallel-5", &*format!("5 times: {lives}")),
        ("h/slow-head", lives),
        ("h/head-20k", lives),
        ("l/rtt", "20 pongs"),
        ("z/no-takeover-violated", "Close 1007"),
    ] {
        assert_eq!(run.verdict(id), ("INFO".to_owned(), got.to_owned()), "{id}");
    }
    let measured = &run.objects().into_iter().find(|it| it["id"] == "l/rtt").expect("l/rtt");
    let text = measured["measured"].as_str().expect("text");
    assert!(text.starts_with("p50 ") && text.contains(" ms, p95 "), "{text}");
}

#[test]
fn a_breach_that_is_noticed_behind_a_ping_is_no_failure() {
    // Answers the first ping after the breach, then closes: messages are checked in another task.
    let url = serve(|number, stream| {
        thread::spawn({
            let mut stream = stream.try_clone().expect("a socket");
            move || -> Option<()> {
                let first = open(&mut stream)?;
                if number < 3 || first == b"wscope check: first" {
                    pong(&mut stream, &first)?;
                    frame(&mut stream);
                    return None;
                }
                let ping = frame(&mut stream)?;
                pong(&mut stream, &ping)?;
                stream.write_all(b"\x88\x02\x03\xef").ok()?;
                frame(&mut stream);
                None
            }
        });
        true
    });
    let run = check(&[&url, "u/bad", "--output", "json"]);
    let got = "Close 1007, after answering a ping";
    assert_eq!(run.verdict("u/bad"), ("PASS".to_owned(), got.to_owned()));
}

/// A server that answers every request that is no usual handshake in one way, and pings as it must.
fn answers(answer: &'static str) -> String {
    serve(move |_, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            if !usual(&head) {
                return stream.write_all(answer.as_bytes()).ok();
            }
            accept(&mut stream, &head)?;
            while let Some(payload) = frame(&mut stream) {
                pong(&mut stream, &payload)?;
            }
            None
        });
        true
    })
}

/// Whether a client sends such a request.
fn usual(head: &str) -> bool {
    let has = |line: &str| head.lines().any(|own| own == line);
    has("GET / HTTP/1.1") && has("Upgrade: websocket") && has("Connection: Upgrade")
}

#[test]
fn a_request_that_asks_for_no_websocket_may_get_a_page() {
    let page = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let run = check(&[
        &answers(page),
        "h/upgrade-missing",
        "h/conn-missing",
        "h/http10",
        "--output",
        "json",
    ]);
    for id in ["h/upgrade-missing", "h/conn-missing", "h/http10"] {
        assert_eq!(run.verdict(id), ("PASS".to_owned(), "HTTP status 200".to_owned()), "{id}");
    }
    let h2c = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    let run = check(&[&answers(h2c), "h/upgrade-h2c", "--output", "json"]);
    let got = "101 to another protocol";
    assert_eq!(run.verdict("h/upgrade-h2c"), ("PASS".to_owned(), got.to_owned()));
}

#[test]
fn a_case_of_a_subprotocol_needs_its_name() {
    let server = listen(["--echo"]);
    let run = check(&[server.url(), "p/case", "--output", "json"]);
    let why = "no --subprotocol that the server knows";
    assert_eq!(run.verdict("p/case"), ("SKIP".to_owned(), why.to_owned()));
    let server = listen(["--echo", "--subprotocol", "chat"]);
    let run = check(&[server.url(), "p/case", "--subprotocol", "chat", "--output", "json"]);
    assert_eq!(run.verdict("p/case").0, "PASS", "{}", run.stdout);
}

/// What is reported of two runs is the same, whatever the keys were.
#[test]
fn a_finding_names_no_key() {
    let url = serve(|_, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            // The server takes the last of two keys.
            let taken = head.lines().rev().find(|line| line.starts_with("Sec-WebSocket-Key: "));
            accept(&mut stream, taken?)?;
            let payload = frame(&mut stream)?;
            pong(&mut stream, &payload)
        });
        true
    });
    let run = check(&[&url, "h/key-dup", "--output", "json"]);
    let got = "101 that breaks the rules: Sec-WebSocket-Accept does not prove the key; it proves \
               another of the keys in the request (4.1-res-accept-value)";
    assert_eq!(run.verdict("h/key-dup"), ("FAIL".to_owned(), got.to_owned()));
}

#[test]
fn a_server_that_reads_whole_frames_can_judge_a_second_request() {
    let url = serve(|number, stream| {
        let Some(payload) = open(stream) else { return false };
        // Three controls before the case, and one after it.
        if number != 3 {
            return pong(stream, &payload).is_some();
        }
        stream.write_all(b"\x88\x02\x03\xea").is_ok() && copy(stream, &mut sink()).is_ok()
    });
    let run = check(&[&url, "-j", "1", "h/twice", "--output", "json"]);
    assert_eq!(run.verdict("h/twice"), ("PASS".to_owned(), "Close 1002".to_owned()));
}

/// A server that answers pings, and a Close with these bytes; then waits so long before it ends TCP.
fn closes_with(answer: &'static [u8], wait_for: u64) -> String {
    serve(move |_, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            accept(&mut stream, &head)?;
            loop {
                let mut first = [0];
                stream.peek(&mut first).ok().filter(|n| *n > 0)?;
                let payload = frame(&mut stream)?;
                if first[0] & 15 == 9 {
                    pong(&mut stream, &payload)?;
                } else if first[0] & 15 == 8 {
                    break;
                }
            }
            stream.write_all(answer).ok()?;
            // What comes meanwhile is not waited for, but for the time.
            thread::park_timeout(std::time::Duration::from_millis(wait_for));
            stream.shutdown(std::net::Shutdown::Write).ok()?;
            copy(&mut stream, &mut sink()).ok().map(drop)
        });
        true
    })
}

#[test]
fn what_comes_behind_a_close_is_judged() {
    let url = closes_with(b"\x88\x02\x03\xe8\x8a\x0cwscope check", 0);
    let run = check(&[&url, "c/ping-after", "--output", "json"]);
    let got = "a pong to a ping after the Close";
    assert_eq!(run.verdict("c/ping-after"), ("FAIL".to_owned(), got.to_owned()));
    let got = "a frame of the server after its own Close: no data frame and no second Close may \
               follow a Close frame (RFC 6455 §5.5.1)";
    let cases = ["c/1000", "c/two", "c/bad-999", "f/rsv-close", "c/info-5000"];
    let text = b"\x88\x02\x03\xe8\x81\x04late";
    let twice = b"\x88\x02\x03\xe8\x88\x02\x03\xe8";
    for answer in [&text[..], twice] {
        let run = check(&[&[&closes_with(answer, 0), "--output", "json"], &cases[..]].concat());
        for id in cases {
            assert_eq!(run.verdict(id), ("FAIL".to_owned(), got.to_owned()), "{id}");
        }
        assert_eq!(run.status, Some(13));
    }
}

#[test]
fn tcp_may_end_two_seconds_behind_the_closing_handshake() {
    let run = check(&[&closes_with(b"\x88\x02\x03\xe8", 1100), "c/1000", "--output", "json"]);
    assert_eq!(run.verdict("c/1000"), ("PASS".to_owned(), "Close 1000".to_owned()));
    let run = check(&[&closes_with(b"\x88\x02\x03\xe8", 4000), "c/1000", "--output", "json"]);
    let got = "Close 1000, but TCP stays open";
    assert_eq!(run.verdict("c/1000"), ("WARN".to_owned(), got.to_owned()));
}

/// A server that answers each frame by what a function makes of its first byte and its payload.
fn replies(reply: impl Fn(u8, Vec<u8>) -> Vec<u8> + Clone + Send + 'static) -> String {
    serve(move |_, stream| {
        let (mut stream, reply) = (stream.try_clone().expect("a socket"), reply.clone());
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            accept(&mut stream, &head)?;
            loop {
                let mut header = [0; 2];
                stream.read_exact(&mut header).ok()?;
                let mut length = usize::from(header[1] & 127);
                if length > 125 {
                    let mut long = vec![0; if length == 126 { 2 } else { 8 }];
                    stream.read_exact(&mut long).ok()?;
                    // The top bit is lost.
                    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
                    length = (long.iter().fold(0, add) & (u64::MAX >> 1)) as usize;
                }
                let mut rest = vec![0; 4 + length];
                stream.read_exact(&mut rest).ok()?;
                let payload = rest[4..].iter().zip(rest[..4].iter().cycle());
                let payload = payload.map(|(byte, key)| byte ^ key).collect();
                stream.write_all(&reply(header[0], payload)).ok()?;
            }
        });
        true
    })
}

/// A short frame of a server.
fn short(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, u8::try_from(payload.len()).expect("it is short")], payload].concat()
}

#[test]
fn a_server_that_ignores_the_top_bit_of_a_length_is_found() {
    let url = replies(|first, payload| match first {
        0x89 => short(0x8a, &payload),
        _ => Vec::new(),
    });
    let run = check(&[&url, "f/len-msb", "--echo", "no", "--output", "json"]);
    let got = "the connection stays open: a ping is answered";
    assert_eq!(run.verdict("f/len-msb"), ("FAIL".to_owned(), got.to_owned()));
}

#[test]
fn a_wrong_answer_to_a_ping_fails_though_nothing_else_can_be_tested() {
    let none = "a pong without the payload of the ping";
    for (first, length, got) in [
        (0x8a, 0, none),
        (0x8a, 10, none),
        (0x81, 125, "a message with the payload of the ping, and no pong"),
    ] {
        let url = replies(move |_, payload| short(first, &payload[..payload.len().min(length)]));
        let run = check(&[&url, "h/control", "f/ping", "f/rsv1", "--output", "json"]);
        assert_eq!(run.verdict("h/control"), ("FAIL".to_owned(), got.to_owned()));
        assert_eq!(run.verdict("f/rsv1").0, "INCONCLUSIVE");
        assert_eq!(run.status, Some(13), "{}", run.stdout);
        let run = check(&[&url, "f/ping", "--output", "json"]);
        assert_eq!((run.verdict("f/ping").0.as_str(), run.status), ("FAIL", Some(13)));
    }
}

#[test]
fn a_long_echo_that_is_cut_is_found() {
    let url = replies(|first, payload| match first {
        0x89 => short(0x8a, &payload),
        0x88 => short(0x88, &payload),
        _ => match payload.len() {
            length @ ..126 => short(first, &payload[..length]),
            length => {
                let sent = u16::try_from(length.min(65_534)).expect("it is cut");
                let header = [&[first, 126], &sent.to_be_bytes()[..]].concat();
                [&header, &payload[..sent.into()]].concat()
            }
        },
    });
    let run = check(&[&url, "f/len-6553*", "f/len-128", "--output", "json"]);
    for id in ["f/len-65535", "f/len-65536"] {
        let got = "the echo differs from the message";
        assert_eq!(run.verdict(id), ("FAIL".to_owned(), got.to_owned()), "{id}");
    }
    assert_eq!(run.verdict("f/len-128").0, "PASS");
}

#[test]
fn a_fragment_of_a_ping_is_not_to_be_answered() {
    let url = replies(|first, payload| match first {
        0x89 | 0x09 => short(0x8a, &payload),
        0x88 => Vec::new(),
        _ => short(0x88, b"\x03\xea"),
    });
    let run = check(&[&url, "k/ping-frag", "--output", "json"]);
    let got = "the ping is answered, then: Close 1002";
    assert_eq!(run.verdict("k/ping-frag"), ("FAIL".to_owned(), got.to_owned()));
}

#[test]
fn the_end_of_tcp_is_not_the_answer_to_a_close() {
    let run = check(&[&closes_with(b"", 0), "c/1000", "c/valid-1001", "--output", "json"]);
    for id in ["c/1000", "c/valid-1001"] {
        let got = "the end of TCP without a Close";
        assert_eq!(run.verdict(id), ("WARN".to_owned(), got.to_owned()), "{id}");
    }
}

#[test]
fn a_101_in_http_1_0_breaks_a_rule() {
    let url = serve(|_, stream| {
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            accept_in("HTTP/1.0", &mut stream, &head)?;
            while let Some(payload) = frame(&mut stream) {
                pong(&mut stream, &payload)?;
            }
            None
        });
        true
    });
    let run = check(&[&url, "h/res-version", "--output", "json"]);
    let (verdict, got) = run.verdict("h/res-version");
    assert!(verdict == "FAIL" && got.contains("HTTP/1.0"), "{verdict} {got}");
    assert_eq!(run.status, Some(13));
}

#[test]
fn an_answer_whose_lines_end_with_lf_alone_breaks_a_rule() {
    let got = "line 1, byte 32: line ends with LF instead of CRLF (9110-2.2-res-grammar)";
    finds("lf-only", "h/res-grammar", "FAIL", got);
    let server = listen(["--echo"]);
    let run = check(&[server.url(), "h/res-grammar", "--output", "json"]);
    assert_eq!(run.verdict("h/res-grammar"), ("PASS".to_owned(), "101".to_owned()));
}

/// A server that allows two connections has two, though one of them has its answer and is about to end.
#[test]
fn a_connection_that_closes_is_one_of_those_that_may_be_open() {
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let url = serve(|_, stream| {
        MOST.fetch_max(OPEN.fetch_add(1, Relaxed) + 1, Relaxed);
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            accept(&mut stream, &head)?;
            loop {
                let mut first = [0];
                stream.peek(&mut first).ok().filter(|n| *n > 0)?;
                let payload = frame(&mut stream)?;
                if first[0] == 0x88 {
                    break;
                }
                pong(&mut stream, &payload)?;
            }
            stream.write_all(b"\x88\x02\x03\xe8").ok()?;
            thread::park_timeout(std::time::Duration::from_millis(30));
            OPEN.fetch_sub(1, Relaxed);
            stream.shutdown(std::net::Shutdown::Write).ok()
        });
        true
    });
    let run = check(&[&url, "f/ping", "k/ping-0", "k/ping-bin", "f/bytewise", "-j", "2"]);
    assert_eq!((run.status, MOST.load(Relaxed)), (Some(0), 2), "{}", run.stdout);
}

/// A server that pongs and answers a Close, cuts off connections by number, and leaves the end of TCP to
/// the client.
fn leaves_tcp(is_cut: impl Fn(usize) -> bool + Send + 'static) -> String {
    serve(move |number, stream| {
        if is_cut(number + 1) {
            return true;
        }
        let mut stream = stream.try_clone().expect("a socket");
        thread::spawn(move || -> Option<()> {
            let head = head(&mut stream)?;
            accept(&mut stream, &head)?;
            loop {
                let mut first = [0];
                stream.peek(&mut first).ok().filter(|n| *n > 0)?;
                let payload = frame(&mut stream)?;
                match first[0] {
                    0x88 => stream.write_all(b"\x88\x02\x03\xe8").ok()?,
                    _ => pong(&mut stream, &payload)?,
                }
            }
        });
        true
    })
}

/// The first connection shows that the server waits: the next ones are not held up by it.
#[test]
fn a_server_that_leaves_the_end_of_tcp_to_the_client_gets_it_at_once() {
    let url = leaves_tcp(|_| false);
    let began = std::time::Instant::now();
    let run = check(&[&url, "-j", "1", "--repeat", "10", "f/ping", "k/ping-0"]);
    let took = began.elapsed();
    assert_eq!(run.status, Some(0), "{}", run.stdout);
    // Some 24 connections, of which each one held up the next for 0.25 s.
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_connection_that_is_cut_off_now_and_then_is_said_once() {
    let pong = |id| {
        if id == "f/ping" { "the pong" } else { "the connection stays open: a ping is answered" }
    };
    let patterns = ["-j", "1", "f/ping", "h/control", "--output", "json"];
    for (number, id) in [(1, "h/control"), (2, "h/control"), (4, "h/control"), (6, "f/ping")] {
        let url = leaves_tcp(move |own| own == number);
        let run = check(&[&[&*url], &patterns[..]].concat());
        let got = format!("once: the connection ended without an answer; then: {}", pong(id));
        assert_eq!(run.verdict(id), ("FLAKY".into(), got), "{number}: {}", run.stdout);
        assert_eq!(run.status, Some(13), "{number}: {}", run.stdout);
    }
}

/// What is behind the gateway dies of the first breach; the gateway says so.
#[test]
fn a_server_that_dies_behind_a_gateway_is_named_with_the_case() {
    let url = serve({
        let dead = AtomicUsize::new(0);
        move |_, stream| {
            if dead.load(Relaxed) > 0 {
                let _ = head(stream);
                let answer =
                    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                return stream.write_all(answer.as_bytes()).is_ok();
            }
            let Some(first) = open(stream) else { return true };
            if !first.starts_with(b"wscope check: first") {
                dead.store(1, Relaxed);
                return true;
            }
            pong(stream, &first).is_some() && frame(stream).is_some()
        }
    });
    let run = check(&[&url, "-j", "1", "f/rsv2", "f/rsv3"]);
    let line = "stopped: the server answered 502 to a valid handshake after f/rsv2 (1 case done); \
                if several servers share the address, test one of them";
    assert_eq!(run.stdout.lines().nth(1), Some(line), "{}", run.stdout);
}

#[test]
fn what_no_websocket_may_be_answered_with_is_said_in_full() {
    let refusal =
        "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let run = check(&[&answers(refusal), "h/http10", "--output", "json"]);
    assert_eq!(run.verdict("h/http10").0, "PASS");
    let expected = "no WebSocket: an HTTP status from 200 to 499, 501 or 505";
    assert_eq!(run.objects()[0]["expected"], expected);
}
