//! What faults put on the wire, and what the server reports of it.

use crate::frames::{CLOSE, TEXT};
use crate::harness::listen;
use crate::raw::{KEY, UPGRADE};

#[test]
fn the_transcript_shows_what_was_really_sent() {
    let server = listen(["--echo", "-v", "--fault", "masked"]);
    let mut raw = server.open();
    assert_eq!(raw.receive_frame(), (TEXT, b"fault".to_vec()));
    let said = server.stderr.wait_for("! [1] W601");
    assert!(said.contains("* [1] fault masked: a text message in a masked frame"), "{said}");
    assert!(said.contains(" F-M 5 fault"), "{said}");
    server.interrupt();
}

#[test]
fn the_transcript_shows_the_101_that_was_sent() {
    let server = listen(["--echo", "-v", "--fault", "accept-missing"]);
    let response = server.raw().ask("/", UPGRADE);
    assert_eq!((response.status(), response.header("Sec-WebSocket-Accept")), (101, None));
    let said = server.stderr.wait_for("* [1] open");
    assert!(said.contains("* [1] fault accept-missing: "), "{said}");
    assert!(said.contains("> [1] HTTP/1.1 101 Switching Protocols"), "{said}");
    assert!(!said.contains("> [1] Sec-WebSocket-Accept"), "{said}");
    server.interrupt();
}

#[test]
fn events_report_the_fault() {
    let server = listen(["--echo", "--output", "json", "--fault", "rsv2"]);
    server.open().receive_frame();
    let said = server.stdout.wait_for("\"code\":\"W603\"");
    let note = said.lines().find(|line| line.contains("fault rsv2")).expect("a note");
    assert!(note.contains("\"event\":\"note\"") && note.contains("\"conn\":1"), "{note}");
    server.interrupt();
}

#[test]
fn what_lies_behind_a_cut_is_neither_sent_nor_shown() {
    let server = listen(["--echo", "-v", "--fault", "fin:messages=1"]);
    let mut raw = server.open();
    raw.frame(crate::frames::frame(TEXT, "one"));
    raw.frame(crate::frames::frame(TEXT, "two"));
    assert_eq!(raw.rest(), b"\x81\x03one");
    let said = server.stderr.wait_for("ended without a closing handshake");
    assert!(said.contains("* [1] sent 1 frame, 1 message, 3 bytes"), "{said}");
    server.interrupt();
}

#[test]
fn a_cut_may_be_inside_the_101() {
    let server = listen(["--echo", "--fault", "fin:bytes=20"]);
    let mut raw = server.raw();
    raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n"));
    assert_eq!(raw.rest(), b"HTTP/1.1 101 Switchi");
    server.interrupt();
}

#[test]
fn what_needs_compression_is_not_done_without_it() {
    let server = listen(["--echo", "--fault", "deflate-bomb"]);
    let mut raw = server.open();
    server.stderr.wait_for(
        "fault deflate-bomb: not sent: it needs permessage-deflate, which was not agreed",
    );
    raw.frame(crate::frames::frame(TEXT, "still here"));
    assert_eq!(raw.receive_frame(), (TEXT, b"still here".to_vec()));
    server.interrupt();
}

#[test]
fn a_close_may_have_any_code() {
    let server = listen(["--echo", "--fault", "close-illegal:1006:never"]);
    let mut raw = server.open();
    assert_eq!(raw.receive_frame(), (CLOSE, b"\x03\xeenever".to_vec()));
    server.interrupt();
}

#[test]
fn tcp_is_kept_after_both_closes() {
    let server = listen(["--echo", "--fault", "keep-tcp"]);
    let mut raw = server.open();
    raw.receive_close(1000);
    raw.frame(crate::frames::frame(CLOSE, b"\x03\xe8"));
    // The server ends TCP only once the client does.
    raw.tcp().set_read_timeout(Some(std::time::Duration::from_millis(1500))).expect("a time");
    let mut byte = [0];
    let read = std::io::Read::read(&mut raw.tcp(), &mut byte);
    assert!(read.is_err(), "{read:?}: the server has ended TCP");
    raw.hang_up();
    server.stderr.wait_for("[1] left: ");
    server.interrupt();
}

#[test]
fn everything_over_tls_too() {
    let server =
        listen(["--echo", "--self-signed", "--fault", "bytewise:0", "--fault", "masked@message:1"]);
    let client = crate::harness::wscope()
        .args(["--insecure", "-x", "hello", "--color", "never", server.url()])
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&client.stderr);
    assert_eq!(client.status.code(), Some(9), "{said}");
    assert!(said.contains("W601"), "{said}");
    assert_eq!(client.stdout, b"hello\n");
    server.interrupt();
}

#[test]
fn the_accept_of_another_key_is_that_of_the_rfc() {
    let server = listen(["--echo", "--fault", "accept-other-key"]);
    // Whose key it is gets what it expects.
    let response = server.raw().ask("/", UPGRADE);
    assert!(UPGRADE.contains(KEY));
    assert_eq!(response.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    server.interrupt();
}
