//! Peers that stop reading, or never stop writing: the run still ends, and reports what was lost.

use crate::frames::{self, BINARY, TEXT};
use crate::harness::Test;
use crate::waiting::gate;

/// More than the socket's buffers hold.
const MUCH: usize = 40 << 20;

/// Lines of a kilobyte.
fn lines(bytes: usize) -> Vec<u8> {
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    line.repeat(bytes / line.len())
}

#[test]
fn a_reset_is_seen_while_the_peer_does_not_read() {
    let (stuck, is_stuck) = gate();
    let output = Test::new()
        .stdin_reporting(lines(MUCH), 1 << 20, stuck)
        .peer(move |p| {
            p.open();
            is_stuck.wait();
            p.reset();
        })
        .stderr_any()
        .status(10);
    // What the system had taken by then is not known to be lost; what stdin still held is.
    assert!(output.stderr().contains("the rest was not sent"), "{}", output.stderr());
}

#[test]
fn a_close_is_seen_while_the_peer_does_not_read() {
    let (stuck, is_stuck) = gate();
    let output = Test::new()
        .stdin_reporting(lines(MUCH), 1 << 20, stuck)
        .peer(move |p| {
            p.open();
            is_stuck.wait();
            p.close(4000, "enough");
            // The stream stays open, unread, until the other end gives up.
            while p.try_send(b"\x8a\x00").is_ok() {}
        })
        .stderr_any()
        .status(11);
    assert!(output.stderr().contains("4000 \"enough\""), "{}", output.stderr());
}

#[test]
fn a_server_that_answers_with_more_than_it_gets_is_read() {
    const LINES: usize = 4000;
    let output = Test::new()
        .args(["-w", "0"])
        .stdin(lines(LINES * 1024))
        .peer(|p| {
            p.open();
            let answer = [b'y'; 10 * 1024];
            for _ in 0..LINES {
                p.receive_message();
                p.text(answer);
            }
            p.answer_close(1000);
        })
        .stdout_any()
        .status(0);
    assert_eq!(output.stdout().len(), LINES * (10 * 1024 + 1));
}

#[test]
fn a_long_binary_line_is_one_message_and_nothing_follows() {
    let line = vec![b'x'; 3 << 20];
    let expected = line.clone();
    Test::new()
        .args(["-b", "-w", "0"])
        .stdin([&line[..], b"\n"].concat())
        .peer(move |p| {
            p.open();
            let (opcode, content) = p.receive_message();
            assert!(opcode == BINARY && content == expected, "one message, whole");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn half_a_message_is_no_success_after_for_either() {
    Test::new()
        .args(["--input", "none", "--output", "raw", "--for", "0.3", "--close-timeout", "50ms"])
        .peer(|p| {
            p.open();
            p.text("one");
            p.send(b"\x01\x04half");
            p.receive_close(1000);
            p.receive_end();
        })
        .stdout("onehalf")
        .stderr("wscope: the connection ended inside a message: its last frames are missing\n...\n")
        .status(1);
}

#[test]
fn half_a_message_is_no_success() {
    Test::new()
        .args(["--input", "none", "--output", "raw"])
        .peer(|p| {
            p.open();
            p.send(b"\x01\x04half");
            p.close_first(1000, "done");
        })
        .stdout("half")
        .stderr("wscope: the connection ended inside a message: its last frames are missing\n")
        .status(1);
}

#[test]
fn interim_responses_without_end_are_given_up() {
    Test::new()
        .peer(|p| {
            p.request();
            while p.try_send(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {}
        })
        .stderr("wscope: the server sent 17 interim (1xx) responses and no final one\n")
        .status(8);
}

#[test]
fn what_a_command_holds_reaches_stderr_escaped() {
    let output = Test::new()
        .args(["--input", "json"])
        .stdin("{\"type\":\"\\u001b]0;title\\u0007\"}\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr_any()
        .status(1);
    assert!(output.stderr().contains("stdin: line 1: unknown variant"), "{}", output.stderr());
    assert!(!output.stderr().contains(['\x1b', '\x07']));
}

#[test]
fn decode_prints_what_came_before_a_bad_line() {
    Test::new()
        .args(["decode"])
        .stdin("81 05 48 65 6c 6c 6f\nzz\n")
        .stdout("< #1 TEXT F-- 5 Hello\n")
        .stderr("wscope: stdin: line 2, column 1: 'z' is not a hex digit; to read raw bytes, use --raw\n")
        .status(1);
}

#[test]
fn a_peer_that_never_stops_sending_is_not_waited_for_longer() {
    Test::new()
        .args(["-w", "100ms", "--close-timeout", "200ms"])
        .stdin("")
        .peer(|p| {
            p.open();
            let line = [b'x'; 1000];
            let frames = frames::bytes([frames::frame(TEXT, line)]).repeat(100);
            while p.try_send(&frames).is_ok() {}
        })
        .stdout_any()
        .stderr("wscope: the peer did not answer our Close frame within the close timeout; [..]\nwarning[W816]: [..]\n...\n")
        .status(12);
}
