//! Messages become stdout: every format of `--output`, no byte altered, and a reader that leaves.

use crate::frames::{self, BINARY, CONTINUATION, TEXT};
use crate::harness::Test;
use crate::waiting::gate;

/// Nothing to send; the peer closes.
fn receiving(output: &str) -> Test {
    Test::new().args(["--input", "none", "--output", output])
}

#[test]
fn output_lines_ends_each_message_with_a_newline() {
    receiving("lines")
        .peer(|p| {
            p.open();
            p.text("a\nb");
            p.text("");
            p.binary(b"\x00\xff\x1b[2J");
            p.close_first(1000, "done");
        })
        .stdout(b"a\nb\n\n\x00\xff\x1b[2J\n")
        .status(0);
}

#[test]
fn output_null_ends_each_message_with_a_null() {
    receiving("null")
        .peer(|p| {
            p.open();
            p.text("a\nb");
            p.text("");
            p.close_first(1000, "done");
        })
        .stdout(b"a\nb\0\0")
        .status(0);
}

#[test]
fn output_raw_adds_nothing() {
    receiving("raw")
        .peer(|p| {
            p.open();
            p.text("a\r\n");
            p.binary(b"\x00\xff");
            p.close_first(1000, "done");
        })
        .stdout(b"a\r\n\x00\xff")
        .status(0);
}

#[test]
fn output_hex_is_a_line_of_digits_for_each_message() {
    receiving("hex")
        .peer(|p| {
            p.open();
            p.binary(b"\x00\xff\x1b");
            p.text("");
            p.text("Hi");
            p.close_first(1000, "done");
        })
        .stdout("00ff1b\n\n4869\n")
        .status(0);
}

#[test]
fn output_none_prints_nothing() {
    receiving("none")
        .peer(|p| {
            p.open();
            p.text("a");
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn fragments_are_joined_with_control_frames_between_them() {
    receiving("lines")
        .peer(|p| {
            p.open();
            p.frame(frames::fragment(TEXT, "one "));
            p.ping("still there?");
            p.frame(frames::fragment(CONTINUATION, ""));
            p.frame(frames::frame(CONTINUATION, "message"));
            p.receive_pong("still there?");
            p.close_first(1000, "done");
        })
        .stdout("one message\n")
        .status(0);
}

#[test]
fn frames_in_the_segment_of_the_101_are_not_lost() {
    receiving("lines")
        .peer(|p| {
            let first = frames::bytes([
                frames::frame(TEXT, "early"),
                frames::frame(BINARY, b"\xff"),
                frames::frame(frames::CLOSE, frames::close_payload(1000, "")),
            ]);
            p.open_and("", first);
            p.receive_close(1000);
        })
        .stdout(b"early\n\xff\n")
        .status(0);
}

#[test]
fn no_pong_leaves_pings_without_answer() {
    receiving("lines")
        .args(["--no-pong"])
        .peer(|p| {
            p.open();
            p.ping("x");
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn a_closed_reader_of_stdout_is_success() {
    let (key, closed) = gate();
    receiving("lines")
        .close_stdout_after(6, key)
        .peer(move |p| {
            p.open();
            p.text("first");
            closed.wait();
            p.text("second");
            p.answer_close(1000);
        })
        .stdout("first\n")
        .status(0);
}

#[test]
fn a_closed_reader_is_noticed_before_the_next_message() {
    let (key, closed) = gate();
    receiving("lines")
        .close_stdout_after(6, key)
        .peer(move |p| {
            p.open();
            p.text("first");
            closed.wait();
            p.answer_close(1000);
        })
        .stdout("first\n")
        .status(0);
}

/// Nothing is explained to somebody who had enough.
#[test]
fn a_reader_that_leaves_is_no_failure_to_explain() {
    let (key, closed) = gate();
    receiving("lines")
        .close_stdout_after(6, key)
        .peer(move |p| {
            p.open_and("", frames::bytes([frames::frame(TEXT, b"first")]));
            closed.wait();
            p.receive_close(1000);
            p.receive_end();
        })
        .stdout("first\n")
        .status(0);
}

#[test]
fn who_reads_nothing_of_nothing_is_no_end() {
    let (key, closed) = gate();
    receiving("none")
        .close_stdout_after(0, key)
        .peer(move |p| {
            p.open();
            closed.wait();
            p.ping("still there?");
            p.receive_pong("still there?");
            p.close_first(1000, "done");
        })
        .status(0);
}

/// stdout that takes nothing is named, whoever writes to it.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_named() {
    use crate::harness::wscope;
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("the device");
    for args in [
        &["decode", "--hex", "8100"][..],
        &["man"],
        &["help"],
        &["help", "/text"],
        &["version"],
        &["--help"],
        &["explain", "1006"],
        &["completions", "bash"],
        &["listen", "--list-faults"],
        &["demo"],
        &["--dry-run", "-q", "ws://127.0.0.1:1"],
        &["--curl", "-q", "ws://127.0.0.1:1"],
    ] {
        let output = wscope().args(args).stdout(full()).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(stderr, "wscope: stdout (/dev/full): no space left on device\n", "{args:?}");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}
