//! How long a run stays: until so many messages, until the right one, or for a while after the
//! end of stdin. Exit 13 if what was waited for did not come.

use std::io::{Seek, Write};

use crate::harness::Test;

/// A client that sends nothing by itself.
fn listening() -> Test {
    Test::new().args(["--input", "none"])
}

#[test]
fn exit_after_closes_after_so_many_messages() {
    listening()
        .args(["--exit-after", "2"])
        .peer(|p| {
            p.open();
            p.text("one");
            p.text("two");
            p.text("three");
            p.answer_close(1000);
        })
        .stdout("one\ntwo\n")
        .status(0);
}

#[test]
fn until_closes_after_a_message_that_matches() {
    listening()
        .args(["--until", "d.ne"])
        .peer(|p| {
            p.open();
            p.text("dne");
            p.binary(b"\xff done");
            p.answer_close(1000);
        })
        .stdout(b"dne\n\xff done\n")
        .status(0);
}

#[test]
fn exit_13_when_what_was_expected_did_not_come() {
    for expectation in [["--exit-after", "2"], ["--until", "done"]] {
        listening()
            .args(expectation)
            .peer(|p| {
                p.open();
                p.text("one");
                p.close_first(1000, "");
            })
            .stdout("one\n")
            .stderr("wscope: the connection ended before what was expected had come: received 1000 [..]\n")
            .status(13);
    }
}

// The time between the end of stdin and the end of the run.

#[test]
fn linger_waits_for_answers_after_the_end_of_stdin() {
    Test::new()
        .args(["--linger", "300ms"])
        .stdin("ask\n")
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.text("answer");
            p.answer_close(1000);
        })
        .stdout("answer\n")
        .status(0);
}

#[test]
fn linger_minus_one_waits_for_the_peers_close() {
    Test::new()
        .args(["-x", "ask", "--wait", "-1"])
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.text("answer");
            p.close_first(1000, "");
        })
        .stdout("answer\n")
        .status(0);
}

#[test]
fn what_stdin_still_had_is_reported() {
    Test::new()
        .stdin_left_open("one\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.close_first(1000, "");
        })
        .stderr(
            "wscope: note: the connection ended before the end of stdin; the rest was not sent\n",
        )
        .status(0);
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(b"one\n").expect("a disk");
    file.rewind().expect("a file");
    Test::new()
        .args(["-w", "-1"])
        .stdin_file(file)
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.close_first(1000, "");
        })
        .status(0);
}
