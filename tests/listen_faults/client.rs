//! `wscope --fault`: every fault of a client against the server of the same program and an
//! independent one.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::thread;

use rustix::process::Pid;
use tungstenite::Message;
use tungstenite::error::{Error, ProtocolError};
use wscope::wire::Role;
use wscope::wire::fault::FaultInfo;

use crate::harness::{listen, wscope};
use crate::waiting::{DEADLINE, Watchdog};

/// What a server makes of a fault.
struct Case {
    fault: &'static str,
    /// Options of the client, and its status.
    client: &'static [&'static str],
    status: i32,
    /// What the server prints, `-v`.
    says: &'static [&'static str],
}

/// A client that only listens.
const LISTENS: &[&str] = &["--input", "none"];
/// One that sends a line and wants it back.
const SENDS: &[&str] = &["-x", "hello", "--exit-after", "1"];
/// One that closes after a message, and will not wait long.
const CLOSES: &[&str] = &["-x", "hello", "-w", "0.1", "--close-timeout", "0.2"];

const fn case(
    fault: &'static str,
    client: &'static [&'static str],
    status: i32,
    says: &'static [&'static str],
) -> Case {
    Case { fault, client, status, says }
}

#[rustfmt::skip] // a table
const CASES: &[Case] = &[
    case("unmasked", LISTENS, 11, &["W628", "closed with 1002"]),
    case("rsv1", LISTENS, 11, &["W602", "closed with 1002"]),
    case("rsv2", LISTENS, 11, &["W603", "closed with 1002"]),
    case("rsv3", LISTENS, 11, &["W603", "closed with 1002"]),
    case("rsv1-control", LISTENS, 11, &["W605", "closed with 1002"]),
    case("rsv1-continuation", LISTENS, 11, &["W604", "closed with 1002"]),
    case("reserved-data", LISTENS, 11, &["W606", "opcode 3", "closed with 1002"]),
    case("reserved-control", LISTENS, 11, &["W607", "opcode 11", "closed with 1002"]),
    case("fragmented-control", LISTENS, 11, &["W608", "closed with 1002"]),
    case("oversized-ping", LISTENS, 11, &["W609", "126 bytes", "closed with 1002"]),
    case("utf8-invalid", LISTENS, 11, &["W615", "closed with 1007"]),
    case("utf8-fragments", LISTENS, 11, &["W615", "frame #2", "closed with 1007"]),
    case("utf8-truncated", LISTENS, 11, &["W616", "closed with 1007"]),
    case("length-too-long", LISTENS, 11, &["W615", "closed with 1007"]),
    case("length-too-short", LISTENS, 11, &["W605", "frame #2", "closed with 1002"]),
    case("length-not-minimal", LISTENS, 11, &["W610", "5 written in 16 bits", "closed with 1002"]),
    case("length-top-bit", LISTENS, 11, &["W611", "closed with 1002"]),
    case("length-absurd", LISTENS, 11, &["W626", "closed with 1009"]),
    case("orphan-continuation", LISTENS, 11, &["W613", "closed with 1002"]),
    case("interleaved", LISTENS, 11, &["W614", "closed with 1002"]),
    case("deflate-corrupt", &["--input", "none"], 11, &["W624", "closed with 1007"]),
    case("deflate-bomb:4M", &["-x", "hello", "--exit-after", "2", "--output", "none"], 0, &["4141→4194304"]),
    case("ping-flood:2000", SENDS, 0, &["hello"]),
    case("http-text", LISTENS, 11, &["W605", "closed with 1002"]),
    case("tls-alert", LISTENS, 11, &["W603", "closed with 1002"]),
    case("close", LISTENS, 0, &["closed with 1011 internal error"]),
    case("close:4001:go away", LISTENS, 0, &["closed with 4001", "\"go away\""]),
    case("close-illegal", LISTENS, 11, &["W620", "1005", "closed with 1002"]),
    case("close-one-byte", LISTENS, 11, &["W619", "closed with 1002"]),
    case("close-reason-utf8", LISTENS, 11, &["W621", "closed with 1007"]),
    case("data-after-close", LISTENS, 0, &["W618"]),
    case("cut-in-frame", LISTENS, 1, &["W627", "50 of 100 payload bytes came"]),

    case("rst", LISTENS, 1, &["connection reset by peer"]),
    case("rst:bytes=8", SENDS, 1, &["connection reset by peer"]),
    case("rst:messages=1", &["-x", "hello"], 1, &["hello", "connection reset by peer"]),
    case("fin", LISTENS, 1, &["end of stream"]),
    case("fin:bytes=8", SENDS, 1, &["2 of 7 payload bytes came"]),
    case("fin:messages=1", &["-x", "hello", "-w", "30"], 1, &["hello", "end of stream"]),
    case("idle-end:0.1", LISTENS, 1, &["end of stream"]),
    case("drip:0", SENDS, 0, &["hello"]),
    case("slow-reader:1000", SENDS, 0, &["hello"]),
    case("never-read", CLOSES, 0, &["hello"]),
    case("no-pong", SENDS, 0, &["hello"]),
    case("no-close-answer", CLOSES, 0, &["CLOSE"]),
    case("silence", CLOSES, 12, &[]),
];

#[test]
fn no_fault_of_a_client_is_left_out() {
    for info in FaultInfo::of(Role::Client) {
        let named = |case: &Case| case.fault.split(':').next() == Some(info.name);
        assert!(CASES.iter().any(named), "{} is not tried", info.name);
    }
}

#[test]
fn faults_of_a_client_are_named_by_the_server() {
    CASES.iter().for_each(|case| {
        let server = listen(["--echo", "-v"]);
        let client = run(case.client, case.fault, server.url());
        let said = String::from_utf8_lossy(&client.stderr);
        assert_eq!(client.status.code(), Some(case.status), "{}: {said}", case.fault);
        let name = case.fault.split(':').next().unwrap_or_default();
        assert!(said.contains(&format!("fault {name}: ")), "{}: {said}", case.fault);
        server.stderr.wait_for("on the wire); received");
        let said = server.interrupt().stderr;
        for text in case.says {
            assert!(said.contains(text), "{}: {text:?} is missing: {said}", case.fault);
        }
    });
}

/// The server closes, and is not answered.
#[test]
fn a_client_can_leave_a_close_unanswered() {
    let server = listen(["-v", "--exit-after", "1", "--close-timeout", "0.2"]);
    let client = run(&["-x", "hello", "-w", "-1"], "no-close-answer", server.url());
    let said = String::from_utf8_lossy(&client.stderr);
    assert_eq!(client.status.code(), Some(10), "{said}");
    let output = server.ends(0).stderr;
    assert!(output.contains("did not answer our Close frame"), "{output}");
}

/// The transcript shows what was really sent; the moment is the one that was asked for.
#[test]
fn a_fault_of_a_client_waits_for_its_message() {
    let server = listen(["--echo"]);
    let client = run(&["-v", "-x", "one", "-w", "30"], "unmasked@message:1", server.url());
    let said = String::from_utf8_lossy(&client.stdout);
    let said = format!("{said}\n{}", String::from_utf8_lossy(&client.stderr));
    let (one, fault) = (said.find("one").expect("sent"), said.find("fault unmasked").expect("it"));
    assert!(one < fault && said.contains("W628"), "{said}");
    server.interrupt();
}

#[test]
fn an_independent_server_sees_them_too() {
    let sees = |fault: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = thread::spawn(move || {
            let tcp = listener.accept().expect("a client").0;
            tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
            let mut socket = tungstenite::accept(tcp).expect("a handshake");
            socket.read()
        });
        run(LISTENS, fault, &format!("ws://127.0.0.1:{port}"));
        server.join().expect("no panic")
    };
    let protocol = |fault| match sees(fault) {
        Err(Error::Protocol(error)) => error,
        other => panic!("{fault}: {other:?}"),
    };
    assert_eq!(protocol("unmasked"), ProtocolError::UnmaskedFrameFromClient);
    assert_eq!(protocol("rsv2"), ProtocolError::NonZeroReservedBits);
    assert_eq!(protocol("fragmented-control"), ProtocolError::FragmentedControlFrame);
    assert_eq!(protocol("oversized-ping"), ProtocolError::ControlFrameTooBig);
    assert_eq!(protocol("orphan-continuation"), ProtocolError::UnexpectedContinueFrame);
    assert!(
        matches!(sees("rst"), Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionReset)
    );
    assert!(matches!(sees("utf8-invalid"), Err(Error::Utf8(_))));
    match sees("close:4000:bye") {
        Ok(Message::Close(Some(close))) => assert_eq!(u16::from(close.code), 4000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_of_servers_is_refused() {
    for (fault, why) in [
        ("accept-wrong", "it is in a server's answer to the opening handshake"),
        ("masked", "a client masks all its frames (RFC 6455 §5.1); unmasked is the fault"),
    ] {
        let refused = wscope().args(["--fault", fault, "ws://127.0.0.1:9"]).output();
        let refused = refused.expect("the binary starts");
        assert_eq!(refused.status.code(), Some(2));
        assert_eq!(
            String::from_utf8_lossy(&refused.stderr),
            format!("wscope: --fault: {fault} is not a fault of a client: {why}\n")
        );
    }
}

#[test]
fn the_list_of_a_client_needs_no_url() {
    let listed = wscope().args(["connect", "--list-faults"]).output().expect("the binary starts");
    let text = String::from_utf8(listed.stdout).expect("text");
    assert!(listed.status.success());
    assert!(!text.contains("\n  accept-wrong") && text.contains("\n  unmasked\n"));
    assert!(text.contains("    server: "));
}

/// A client with a fault, to its end.
fn run(options: &[&str], fault: &str, url: &str) -> Output {
    let mut client = wscope()
        .args(options)
        .args(["--color", "never", "--fault", fault, url])
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
    assert!(!watchdog.dismiss(), "{fault}: the client did not end");
    output
}
