//! Every entry of the catalogue appears: in the program's output, or in a list that says why it
//! can't.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;
use rustix::net::sockopt::set_socket_linger;
use wscope::diagnostics::entries;

use crate::golden::wscope;
use crate::server::{End, Says, receive, serve, switching};

/// What a server sends so that an entry appears.
enum Answer {
    /// The rest of a status line.
    Status(&'static str),
    /// A 101 with additional headers, and the bytes after it.
    Open(&'static str, &'static [u8]),
    /// The same, but the bytes follow after the client has sent something.
    Then(&'static str, &'static [u8]),
    /// These bytes, for any request.
    Bytes(&'static [u8]),
}
use Answer::{Bytes, Open, Status, Then};

const EMPTY: &str = "\r\nContent-Length: 0\r\n\r\n";
const GRAPHQL: &str = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";

/// Runs in addition to those with committed output: the code, the arguments, the server's answer.
const RUNS: &[(&str, &[&str], Answer)] = &[
    ("W004", &["ws://h.invalid:443/", "--connect-to", "h.invalid:443:127.0.0.1:{port}"], Status("404 Not Found")),
    ("W112", &["--proxy", "http://127.0.0.1:{port}", "ws://h.invalid/"], Status("403 Forbidden")),
    ("W113", &["--proxy", "http://127.0.0.1:{port}", "ws://h.invalid/"], Status("407 Who are you")),
    ("W300", &[], Status("200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")),
    ("W302", &[], Status("200 OK\r\nContent-Length: 18\r\n\r\nWelcome to SockJS!")),
    ("W303", &[], Status("200 OK\r\nContent-Length: 12\r\n\r\n0{\"sid\":\"a\"}")),
    ("W304", &["ws://127.0.0.1:{port}/graphql"], Status("200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"errors\":[]}")),
    ("W311", &[], Status("301 Moved\r\nLocation: https://127.0.0.1/chat")),
    ("W313", &["-L", "--max-redirs", "7"], Status("302 Found\r\nLocation: /chat")),
    ("W322", &[], Status("400 Bad Request\r\nContent-Length: 37\r\n\r\nMissing or invalid Sec-WebSocket-Key.")),
    ("W325", &[], Status("431 Too Large")),
    ("W327", &["-o", "http://other"], Status("403 Forbidden\r\nContent-Length: 38\r\n\r\nCross origin websockets not allowed...")),
    ("W331", &[], Status("403 Forbidden\r\nx-amzn-RequestId: 1\r\nContent-Length: 23\r\n\r\n{\"message\":\"Forbidden\"}")),
    ("W337", &[], Status("406 Not Acceptable")),
    ("W338", &[], Status("408 Request Timeout")),
    ("W346", &[], Status("505 HTTP Version Not Supported")),
    ("W211", &[], Status("421 Misdirected Request")),
    ("W212", &[], Status("495 SSL Certificate Error")),
    ("W215", &[], Status("403 Forbidden\r\nContent-Length: 24\r\n\r\nMissing ALPN Protocol, h")),
    ("W411", &["-s", "chat"], Open("", b"\x81\x05hello")),
    ("W412", &["-s", "x-wscope-probe"], Open("Sec-WebSocket-Protocol: x-wscope-probe\r\n", b"\x81\x05hello")),
    ("W413", &["-s", "a"], Open("Sec-WebSocket-Protocol: a, b\r\n", b"")),
    ("W403", &[], Open("Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n", b"")),
    ("W406", &[], Open("Content-Length: 5\r\n", b"\x81\x05hello")),
    ("W423", &[], Open("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_no_context_takeover\r\n", b"")),
    ("W425", &["--client-max-window-bits", "15", "-H", "Sec-WebSocket-Extensions: permessage-deflate"], Open("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n", b"")),
    ("W426", &["--server-no-context-takeover"], Open("Sec-WebSocket-Extensions: permessage-deflate\r\n", b"")),
    ("W427", &["--server-max-window-bits", "10"], Open("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n", b"")),
    ("W428", &["-H", "Sec-WebSocket-Extensions: permessage-deflate, permessage-bzip2"], Open("Sec-WebSocket-Extensions: permessage-deflate, permessage-bzip2\r\n", b"")),
    ("W430", &["--server-max-window-bits", "8"], Open("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n", b"\x81\x05hello")),
    ("W502", &["-x", "hi", "-w", "-1"], Then("", b"\x81\x0e0{\"sid\":\"abc\"}\x88\x00")),
    ("W509", &[], Open("", b"\x81\x28{\"event\":\"pusher:connection_established\"")),
    ("W510", &[], Open("", b"\x81\x03{}\x1e")),
    ("W511", &["-s", "mqtt", "-x", "hi", "-w", "-1"], Then("Sec-WebSocket-Protocol: mqtt\r\n", b"")),
    ("W512", &["-s", "wamp.2.json"], Open("Sec-WebSocket-Protocol: wamp.2.json\r\n", b"\x89\x00")),
    ("W513", &[], Open("", b"\x81\x26{\"op\":10,\"d\":{\"heartbeat_interval\":1}}")),
    ("W519", &["-x", "hi", "--max-time", "2.3"], Open("", b"")),
    ("W610", &[], Open("", b"\x81\x7e\x00\x05hello")),
    ("W612", &["--max-message", "4"], Open("", b"\x82\x7eGET / HTTP/1.1")),
    ("W618", &[], Open("", b"\x88\x02\x03\xe8\x81\x05hello")),
    ("W622", &[], Open("", b"\x8a\x01x\x81\x05hello")),
    ("W625", &["--max-inflated", "4"], Open("Sec-WebSocket-Extensions: permessage-deflate\r\n", b"\xc1\x07\xf2H\xcd\xc9\xc9\x07\x00")),
    ("W710", &[], Open("", b"\x88\x02\x03\xf2")),
    ("W714", &[], Open("", b"\x88\x02\x03\xf6")),
    ("W718", &[], Open("", b"\x88\x02\x0b\xb9")),
    ("W719", &["ws://127.0.0.1:{port}/graphql", "-s", "graphql-transport-ws"], Open(GRAPHQL, b"\x88\x02\x11\x31")),
    ("W720", &[], Open("", b"\x81\x27{\"op\":10,\"d\":{\"heartbeat_interval\":41}}\x88\x02\x0f\xa4")),
    ("W721", &["ws://voice.discord.invalid/", "--connect-to", "voice.discord.invalid:80:127.0.0.1:{port}"], Open("", b"\x88\x02\x0f\xa4")),
    ("W722", &[], Open("", b"\x81\x28{\"event\":\"pusher:connection_established\"\x88\x02\x0f\xa1")),
    ("W816", &["-x", "hi", "-w", "0", "--close-timeout", "50ms"], Open("", b"")),
    ("W349", &[], Bytes(b"HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")),
    ("W404", &[], Bytes(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")),
    ("W405", &[], Bytes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")),
];

/// Runs without a server. Their output names the code.
const NAMED: &[(&str, &[&str])] = &[
    ("W001", &["http://127.0.0.1:1/"]),
    ("W002", &["ws://127.0.0.1:1/#part"]),
    ("W003", &["ws://me:secret@127.0.0.1:1/"]),
    ("W627", &["decode", "--output", "json", "--hex", "81 05 68"]),
    // `wscope explain` shows the codes of ends in order, and codes that are never sent.
    ("W700", &["explain", "1000"]),
    ("W701", &["explain", "1001"]),
    ("W704", &["explain", "1004"]),
    ("W705", &["explain", "1005"]),
    ("W706", &["explain", "1006"]),
    ("W715", &["explain", "1015"]),
    ("W716", &["explain", "1016"]),
    ("W724", &["explain", "5000"]),
];

/// Codes that another test shows in the program's output, with the file that names them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("W104", "tests/diagnose/causes.rs"),
    ("W115", "tests/diagnose/causes.rs"),
    ("W116", "tests/diagnose/causes.rs"),
    ("W117", "tests/diagnose/gateways.rs"),
    ("W350", "tests/diagnose/causes.rs"),
    ("W351", "tests/diagnose/causes.rs"),
    ("W352", "tests/diagnose/causes.rs"),
    ("W514", "tests/diagnose/causes.rs"),
    ("W515", "tests/diagnose/inner.rs"),
    ("W516", "tests/diagnose/inner.rs"),
    ("W517", "tests/diagnose/inner.rs"),
    ("W518", "tests/diagnose/inner.rs"),
    ("W360", "tests/listen/explain.rs"),
    ("W361", "tests/listen/explain.rs"),
    ("W362", "tests/listen/explain.rs"),
    ("W363", "tests/listen/explain.rs"),
    ("W364", "tests/listen/explain.rs"),
    ("W365", "tests/listen/explain.rs"),
    ("W366", "tests/listen/explain.rs"),
    ("W367", "tests/listen/explain.rs"),
    ("W368", "tests/proxy/intercept.rs"),
    ("W206", "tests/cli/tls.rs"),
    ("W207", "tests/cli/tls.rs"),
    ("W208", "tests/cli/tls.rs"),
    ("W218", "tests/cli/tls.rs"),
    ("W628", "tests/listen/explain.rs"),
    ("W629", "tests/listen/explain.rs"),
    ("W631", "tests/cli/deflate.rs"),
];

/// Codes that only `tests/diagnostics` shows, from facts, with the reason.
const FROM_FACTS: &[(&str, &str)] = &[
    ("W102", "needs a name server that does not answer"),
    ("W105", "needs an address that does not answer"),
    ("W106", "needs a network without a route"),
    ("W209", "needs a TLS library without common parameters"),
    ("W210", "needs a TLS library that still speaks old versions"),
    ("W213", "needs a TLS server with another ALPN alone"),
    ("W214", "needs a TLS server that insists on HTTP/2"),
    ("W216", "needs a TLS server that drops its socket"),
    ("W217", "needs the certificate of a security product"),
    ("W353", "needs a proxy in front of a TLS server"),
    ("W804", "takes 30 s"),
    ("W812", "takes 2 h"),
    ("W814", "needs connections of an age that scheduling does not blur"),
    ("W815", "takes 30 s"),
];

/// The codes in JSON output.
fn codes(text: &str) -> BTreeSet<String> {
    let code = Regex::new(r#""event":"diagnostic".*?"code":"(W\d{3})""#).expect("a pattern");
    text.lines().filter_map(|line| Some(code.captures(line)?[1].to_owned())).collect()
}

fn run(args: &[&str], answer: &Answer) -> String {
    let (says, end) = match *answer {
        Status(status) => {
            let rest = if status.contains("\r\n\r\n") { "" } else { EMPTY };
            let text: &'static str = Box::leak(format!("HTTP/1.1 {status}{rest}").into_boxed_str());
            (Says::Bytes(text.as_bytes()), End::Hang)
        }
        Open(headers, b"") => (Says::Open(headers, b""), End::Stay),
        Open(headers, bytes) => (Says::Open(headers, bytes), End::Hang),
        Then(headers, bytes) => (Says::OpenThen(headers, bytes), End::Hang),
        Bytes(bytes) => (Says::Bytes(bytes), End::Hang),
    };
    let port = serve(says, end).to_string();
    let mut args: Vec<String> = args.iter().map(|arg| arg.replace("{port}", &port)).collect();
    if !args.iter().any(|arg| arg.starts_with("ws://") || arg.starts_with("http://127"))
        || args[0] == "--proxy" && args.len() < 3
    {
        args.push(format!("ws://127.0.0.1:{port}/chat"));
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = wscope(&[&["--input", "none", "--output", "json"], &args[..]].concat());
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A server for cases outside a table: it calls `script` for each client.
fn by_hand(script: impl Fn(&mut TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("a bound socket").port();
    thread::spawn(move || {
        listener.incoming().map_while(Result::ok).for_each(|mut s| script(&mut s))
    });
    port
}

/// Waits until the client sends something, for at most this time.
fn wait(stream: &mut TcpStream, millis: u64) {
    stream.set_read_timeout(Some(Duration::from_millis(millis))).expect("a time");
    let _ = stream.read(&mut [0; 4096]);
}

fn printed(args: &[&str], port: u16) -> String {
    let url = format!("ws://127.0.0.1:{port}/");
    let all = [&["--input", "none", "--output", "json"], args, &[url.as_str()]].concat();
    String::from_utf8_lossy(&wscope(&all).stdout).into_owned()
}

#[test]
fn an_end_after_one_second_is_that_of_engine_io() {
    let port = by_hand(|stream| {
        receive(stream);
        wait(stream, 1000);
    });
    let printed = printed(&[], port);
    assert!(codes(&printed).contains("W108"), "{printed}");
}

#[test]
fn a_server_that_wants_an_origin_is_found_by_comparison() {
    let port = by_hand(|stream| {
        let request = receive(stream);
        let wanted = String::from_utf8_lossy(&request).contains("\r\nOrigin: ");
        let status = if wanted { "400 Bad Request" } else { "403 Forbidden" };
        let _ = stream.write_all(format!("HTTP/1.1 {status}{EMPTY}").as_bytes());
    });
    let printed = printed(&["--diagnose"], port);
    assert!(codes(&printed).contains("W328"), "{printed}");
}

#[test]
fn a_ping_that_is_not_answered_while_data_flows_is_named() {
    let port = by_hand(|stream| {
        let request = receive(stream);
        let _ = stream.write_all(switching(&request, "").as_bytes());
        wait(stream, 20_000);
        let _ = stream.write_all(b"\x81\x05hello");
        let until = Instant::now() + Duration::from_millis(1200);
        while Instant::now() < until {
            wait(stream, 100);
        }
    });
    let printed = printed(&["--ping-interval", "0.05", "--pong-timeout", "20"], port);
    assert!(codes(&printed).contains("W623"), "{printed}");
}

#[test]
fn a_proxy_of_the_environment_is_named() {
    let port =
        serve(Says::Bytes(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), End::Hang);
    let output = Command::new(env!("CARGO_BIN_EXE_wscope"))
        .env_clear()
        .env("http_proxy", format!("http://127.0.0.1:{port}"))
        .args(["--input", "none", "--output", "json", "ws://h.invalid/"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("(W114)"), "{printed}");
}

/// The server gives up because this side did not read for some time.
#[test]
fn a_reader_of_stdout_that_is_too_slow_is_the_cause() {
    let (gave_up, resume) = channel();
    let port = by_hand(move |stream| {
        let request = receive(stream);
        let _ = stream.write_all(switching(&request, "").as_bytes());
        stream.set_write_timeout(Some(Duration::from_millis(2500))).expect("a time");
        let mut frame = b"\x82\x7e\xff\xff".to_vec();
        frame.resize(4 + 0xffff, b'x');
        while stream.write_all(&frame).is_ok() {}
        set_socket_linger(&*stream, Some(Duration::ZERO)).expect("a TCP socket");
        let _ = gave_up.send(());
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_wscope"))
        .env_clear()
        .args(["--input", "none", &format!("ws://127.0.0.1:{port}/")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    resume.recv_timeout(Duration::from_secs(20)).expect("the server gives up");
    std::io::copy(child.stdout.as_mut().expect("piped"), &mut std::io::sink()).expect("a pipe");
    let output = child.wait_with_output().expect("our child");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("[W819]"), "{said}");
}

/// Codes that the tests in this file show without the tables.
const BY_HAND: [&str; 5] = ["W108", "W114", "W328", "W623", "W819"];

#[test]
fn every_entry_fires() {
    let mut failed = String::new();
    for (code, args, answer) in RUNS {
        let printed = run(args, answer);
        if !codes(&printed).contains(*code) {
            failed += &format!("{code} {args:?}: {printed}\n");
        }
    }
    for (code, args) in NAMED {
        let output = wscope(args);
        let printed =
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if !printed.contains(*code) {
            failed += &format!("{code} {args:?}: {printed}\n");
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn no_entry_is_without_a_run_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for file in fs::read_dir(root.join("tests/diagnose/golden")).expect("a folder") {
        shown.extend(codes(&fs::read_to_string(file.expect("a file").path()).expect("text")));
    }
    shown.extend(RUNS.iter().map(|(code, ..)| (*code).to_owned()));
    shown.extend(NAMED.iter().map(|(code, _)| (*code).to_owned()));
    shown.extend(BY_HAND.map(str::to_owned));
    for (code, file) in ELSEWHERE {
        let text = fs::read_to_string(root.join(file)).expect(file);
        assert!(text.contains(code), "{code} is not in {file}");
        shown.insert((*code).to_owned());
    }
    for (code, reason) in FROM_FACTS {
        assert!(!shown.contains(*code), "{code} is shown, although: {reason}");
        shown.insert((*code).to_owned());
    }
    let all: BTreeSet<String> = entries().map(|entry| entry.code.to_owned()).collect();
    let missing: Vec<_> = all.symmetric_difference(&shown).collect();
    assert!(missing.is_empty(), "without a run, or without an entry: {missing:?}");
}
