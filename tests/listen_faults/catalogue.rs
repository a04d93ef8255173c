//! Every fault against the client of the same program: its status, and the rule it names.

use std::process::Stdio;

use rustix::process::Pid;
use wscope::wire::Role;
use wscope::wire::fault::{CATALOGUE, FaultInfo, FaultKind};

use crate::harness::{listen, wscope};
use crate::waiting::Watchdog;

/// What a client makes of a fault.
struct Case {
    fault: &'static str,
    /// Options of the client, and its mode.
    client: &'static [&'static str],
    status: i32,
    /// All of these are printed, on whichever stream.
    says: &'static [&'static str],
}

const fn case(
    fault: &'static str,
    client: &'static [&'static str],
    status: i32,
    says: &'static [&'static str],
) -> Case {
    Case { fault, client, status, says }
}

/// A client that only listens.
const LISTENS: &[&str] = &["--input", "none"];
/// One that sends a line and wants it back.
const SENDS: &[&str] = &["-x", "hello", "--exit-after", "1"];
/// One that judges the handshake.
const JUDGES: &[&str] = &["handshake"];
/// One that prints frames.
const WATCHES: &[&str] = &["-v", "--input", "none"];
/// One that will not wait long.
const HASTY: &[&str] = &["--input", "none", "--handshake-timeout", "0.2", "--close-timeout", "0.2"];
/// One that closes after a message, and will not wait long.
const CLOSES: &[&str] = &["-x", "hello", "-w", "0.1", "--close-timeout", "0.2"];
/// One that watches over the connection.
const PINGS: &[&str] = &["--input", "none", "--ping-interval", "0.05", "--pong-timeout", "0.2"];

#[rustfmt::skip] // a table
const CASES: &[Case] = &[
    case("accept-wrong", LISTENS, 8, &["W402", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
    case("accept-empty", LISTENS, 8, &["W402", "got \"\""]),
    case("accept-lower-case", LISTENS, 8, &["W402", "the letter case of the value was changed"]),
    case("accept-hex", LISTENS, 8, &["W402", "in hex instead of base64"]),
    case("accept-other-key", LISTENS, 8, &["W402", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]),
    case("accept-twice", JUDGES, 8, &["✗ FAIL  11.3.3-res-accept-once"]),
    case("accept-twice", SENDS, 0, &["hello"]),
    case("accept-missing", LISTENS, 8, &["W401"]),
    case("upgrade-missing", LISTENS, 8, &["W404"]),
    case("connection-missing", LISTENS, 8, &["W405"]),
    case("subprotocol-unoffered", LISTENS, 8, &["W410", "unoffered.example"]),
    case("subprotocol-unoffered:other", &["-s", "chat", "--input", "none"], 8, &["W410", "other"]),
    case("subprotocol-twice", &["-s", "chat", "--input", "none"], 8, &["W413"]),
    case("extension-unoffered", LISTENS, 8, &["W420", "x-unoffered"]),
    case("extension-unoffered:permessage-deflate", &["--no-compress", "--input", "none"], 8, &["W420", "permessage-deflate"]),
    case("deflate-parameter", LISTENS, 8, &["W424", "server_max_window_bits=99"]),
    case("deflate-parameter:x=y", LISTENS, 8, &["W422"]),
    case("http-1-0", JUDGES, 8, &["✗ FAIL  4.2.2-res-httpver"]),
    case("http-1-0", SENDS, 0, &["hello"]),
    case("body", JUDGES, 0, &["9110-res-101-nobody"]),
    case("body", LISTENS, 9, &["W603"]),
    case("lf-only", &["-v", "-x", "hello", "--exit-after", "1"], 0, &["line ends with LF instead of CRLF"]),

    case("status", LISTENS, 7, &["503 Service Unavailable"]),
    case("status:404", LISTENS, 7, &["404 Not Found"]),
    case("garbage", LISTENS, 8, &["W348", "is not HTTP"]),
    case("endless-head", LISTENS, 8, &["more than 128 headers"]),
    case("no-answer", HASTY, 12, &["did not answer the handshake"]),
    case("half-answer", HASTY, 12, &["did not complete its response"]),

    case("delay:0.1", SENDS, 0, &["hello"]),
    case("delay:1h", HASTY, 12, &["did not answer the handshake"]),
    case("pause:0.1", SENDS, 0, &["hello"]),
    case("pause:1h", HASTY, 12, &["did not complete its response"]),
    case("bytewise:0", SENDS, 0, &["hello"]),
    case("bytewise", SENDS, 0, &["hello"]),

    case("masked", LISTENS, 9, &["W601", "closed with 1002"]),
    case("rsv1", LISTENS, 9, &["W602", "closed with 1002"]),
    case("rsv2", LISTENS, 9, &["W603", "closed with 1002"]),
    case("rsv3", LISTENS, 9, &["W603", "closed with 1002"]),
    case("rsv1-control", LISTENS, 9, &["W605", "closed with 1002"]),
    case("rsv1-control", &["--no-compress", "--input", "none"], 9, &["W602", "closed with 1002"]),
    case("rsv1-continuation", LISTENS, 9, &["W604", "closed with 1002"]),
    case("rsv1-continuation", &["--no-compress", "--input", "none"], 9, &["W602", "closed with 1002"]),
    case("reserved-data", LISTENS, 9, &["W606", "opcode 3", "closed with 1002"]),
    case("reserved-data:7", LISTENS, 9, &["W606", "opcode 7"]),
    case("reserved-control", LISTENS, 9, &["W607", "opcode 11", "closed with 1002"]),
    case("reserved-control:15", LISTENS, 9, &["W607", "opcode 15"]),
    case("fragmented-control", LISTENS, 9, &["W608", "closed with 1002"]),
    case("oversized-ping", LISTENS, 9, &["W609", "126 bytes", "closed with 1002"]),
    case("oversized-ping:65535", LISTENS, 9, &["W609", "65535 bytes"]),
    case("utf8-invalid", LISTENS, 9, &["W615", "closed with 1007"]),
    case("utf8-fragments", LISTENS, 9, &["W615", "frame #2", "closed with 1007"]),
    case("utf8-truncated", LISTENS, 9, &["W616", "closed with 1007"]),
    case("length-too-long", LISTENS, 9, &["W615", "closed with 1007"]),
    case("length-too-short", LISTENS, 9, &["W605", "frame #2", "closed with 1002"]),
    case("length-not-minimal", LISTENS, 9, &["W610", "5 written in 16 bits", "closed with 1002"]),
    case("length-top-bit", LISTENS, 9, &["W611", "closed with 1002"]),
    case("length-absurd", LISTENS, 9, &["W626", "4611686018427387904 bytes announced", "closed with 1009"]),
    case("orphan-continuation", LISTENS, 9, &["W613", "closed with 1002"]),
    case("interleaved", LISTENS, 9, &["W614", "closed with 1002"]),
    case("deflate-corrupt", LISTENS, 9, &["W624", "closed with 1007"]),
    case("deflate-bomb:4M", &["--max-inflated", "1M", "--input", "none", "--output", "none"], 9, &["W625", "closed with 1009"]),
    case("ping-flood", SENDS, 0, &["hello"]),
    case("http-text", LISTENS, 9, &["W605", "W461", "closed with 1002"]),
    case("tls-alert", LISTENS, 9, &["W603", "W462", "closed with 1002"]),
    case("close", LISTENS, 11, &["closed with 1011 internal error"]),
    case("close:1000:bye", LISTENS, 0, &[]),
    case("close:4001:go away", LISTENS, 11, &["closed with 4001", "\"go away\""]),
    case("close-illegal", LISTENS, 9, &["W620", "1005", "closed with 1002"]),
    case("close-illegal:999", LISTENS, 9, &["W620", "999"]),
    case("close-one-byte", LISTENS, 9, &["W619", "closed with 1002"]),
    case("close-reason-utf8", LISTENS, 9, &["W621", "closed with 1007"]),
    case("data-after-close", WATCHES, 0, &["W618"]),
    case("cut-in-frame", WATCHES, 10, &["W627", "50 of 100 payload bytes came"]),

    case("rst", LISTENS, 10, &["connection reset by peer"]),
    case("rst:bytes=50", LISTENS, 10, &["connection reset by peer"]),
    case("rst:messages=1", &["-x", "hello"], 10, &["hello", "connection reset by peer"]),
    case("fin", LISTENS, 10, &["end of stream"]),
    case("fin:bytes=50", LISTENS, 10, &["before its response was complete, after 50 bytes"]),
    case("fin:messages=1", &["-x", "hello", "-w", "30"], 10, &["hello", "end of stream"]),
    case("idle-end:0.1", LISTENS, 10, &["end of stream"]),
    case("drip:0", SENDS, 0, &["hello"]),
    case("drip", SENDS, 0, &["hello"]),
    case("slow-reader:1000", SENDS, 0, &["hello"]),
    case("never-read", CLOSES, 12, &["did not answer our Close frame"]),
    case("no-pong", PINGS, 12, &["nothing received after a ping"]),
    case("no-close-answer", CLOSES, 12, &["hello", "did not answer our Close frame"]),
    case("keep-tcp", WATCHES, 0, &["closed with 1000 normal closure"]),
    case("silence", CLOSES, 12, &["did not answer our Close frame"]),
    case("silence", PINGS, 12, &["nothing received after a ping"]),
];

#[test]
fn no_fault_is_left_out() {
    for info in FaultInfo::of(Role::Server) {
        let named = |case: &Case| case.fault.split(':').next() == Some(info.name);
        assert!(CASES.iter().any(named), "{} is not tried", info.name);
    }
}

#[test]
fn the_page_of_faults_lists_each_with_its_rule() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");
    let page = std::fs::read_to_string(page).expect("the page");
    for info in FaultInfo::of(Role::Server) {
        let usage = format!("{}{}", info.name, info.argument.usage()).replace('|', "\\|");
        let row = format!("| `{usage}` | {} | {}", info.does, info.rule);
        assert!(page.contains(&row), "run tests/interop/faults: no {row:?}");
    }
}

#[test]
fn faults_of_the_handshake_are_named() {
    try_all(|kind| matches!(kind, FaultKind::Head(_) | FaultKind::Answer(_) | FaultKind::Pace(_)));
}

#[test]
fn faults_of_frames_are_named() {
    try_all(|kind| matches!(kind, FaultKind::Frames(_)));
}

#[test]
fn faults_of_behaviour_are_named() {
    try_all(|kind| matches!(kind, FaultKind::Behaviour(_)));
}

fn try_all(is_meant: fn(FaultKind) -> bool) {
    let kind = |case: &Case| {
        let info = CATALOGUE.iter().find(|info| case.fault.split(':').next() == Some(info.name));
        info.unwrap_or_else(|| panic!("there is no fault {}", case.fault)).kind
    };
    CASES.iter().filter(|case| is_meant(kind(case))).for_each(try_one);
}

fn try_one(case: &Case) {
    let server = listen(["--echo", "-s", "chat", "--fault", case.fault]);
    let (options, url) = (case.client, server.url());
    let mut client = wscope()
        .args(options)
        .args(["--color", "never", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let watchdog = Watchdog::watch(Pid::from_child(&client));
    // Held open, so that nothing ends with it.
    let stdin = client.stdin.take().expect("piped");
    let output = client.wait_with_output().expect("our child");
    drop(stdin);
    assert!(!watchdog.dismiss(), "{}: the client did not end", case.fault);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(case.status), "{} {options:?}: {said}", case.fault);
    for text in case.says {
        assert!(said.contains(text), "{} {options:?}: {text:?} is missing: {said}", case.fault);
    }
    let name = case.fault.split(':').next().unwrap_or_default();
    let told = server.stderr.wait_for(&format!("fault {name}: "));
    assert!(told.contains("[1] ") && told.contains("(RFC "), "{told}");
    server.interrupt();
}
