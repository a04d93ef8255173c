//! `/on` and `/off`: messages that are answered by themselves; `/expect-not` and `/expect-close`.

use super::script_of;
use crate::harness::Test;

#[test]
fn a_heartbeat_is_answered_while_lines_wait() {
    script_of("/on ^2$ /text 3\n/on /\"ping\":(?<n>[0-9]+)/ {\"pong\":${n}}\n/on bytes /binary 00ff\nhi\n/expect done\n")
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.text("2");
            p.receive_text("3");
            p.text("{\"ping\":7}");
            p.receive_text("{\"pong\":7}");
            p.text("22");
            p.text("bytes");
            p.receive_binary(b"\x00\xff");
            p.text("done");
            p.answer_close(1000);
        })
        .stdout("2\n{\"ping\":7}\n22\nbytes\ndone\n")
        .status(0);
}

#[test]
fn rules_end_and_are_listed() {
    script_of("/on a /text A\n/on b /ping\n/on\n/off 1\n/off 7\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(
            "wscope: note: 1: /a/ /text A\n2: /b/ /ping\nwscope: stdin: line 5: /off: no rule 7\n",
        )
        .status(1);
    script_of("/on a /text A\n/off\nx\n/expect b\n")
        .peer(|p| {
            p.open();
            p.receive_text("x");
            p.text("a");
            p.text("b");
            p.answer_close(1000);
        })
        .stdout("a\nb\n")
        .status(0);
}

#[test]
fn a_peer_that_sends_answers_back_ends_the_rule() {
    script_of("/on . /text x\nx\n/wait 10\n")
        .peer(|p| {
            p.open();
            loop {
                let frame = p.receive_frame();
                if frame.opcode() == crate::frames::CLOSE {
                    break;
                }
                p.text(std::str::from_utf8(&frame.payload).expect("text"));
            }
            p.close(1001, "");
            p.hang_up();
        })
        .stdout_any()
        .stderr("wscope: /on 1: /./ /text x has ended: the peer sends its answers back, 100 within 1 s\n")
        .status(1);
}

#[test]
fn only_what_is_sent_at_once_is_an_answer() {
    for (line, why) in [
        ("/on x /wait 1", "/wait can't be used in /on[..]"),
        ("/on x /repeat 3 y", "/repeat can't be used in /on[..]"),
        ("/on x /quit", "/quit can't be used in /on[..]"),
        ("/on x /on y z", "/on can't be used in /on[..]"),
        ("/on x ping", "\"ping\" is a command without its slash; [..]"),
        ("/on x /pingg", "unknown command /pingg; [..]"),
        ("/on x", "/on needs COMMAND; [..]"),
        ("/on ( x", "\"(\" is not a regular expression: [..]"),
    ] {
        script_of(&format!("{line}\n"))
            .peer(|p| {
                p.open();
                p.answer_close(1001);
            })
            .stderr(format!("wscope: stdin: line 1: {why}\n"))
            .status(1);
    }
}

#[test]
fn expect_not_waits_and_fails_at_a_match() {
    script_of("hi\n/expect-not error 0.01\nbye\n")
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.text("fine");
            p.receive_text("bye");
            p.answer_close(1000);
        })
        .stdout("fine\n")
        .status(0);
    script_of("hi\n/expect-not error 10\nbye\n")
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.text("an error");
            p.answer_close(1001);
        })
        .stdout("an error\n")
        .stderr("wscope: stdin: line 2: /expect-not /error/: a message matched: \"an error\"\n")
        .status(13);
    // Where nothing more can come, nothing comes.
    script_of("/expect-not error 10\n")
        .peer(|p| {
            p.open();
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn expect_close_makes_an_end_a_success() {
    for (code, arg) in [(4401, "4401"), (1001, "going-away"), (1008, "1008 5s")] {
        script_of(&format!("hi\n/expect-close {arg}\n"))
            .peer(move |p| {
                p.open();
                p.receive_text("hi");
                p.close_first(code, "no");
            })
            .status(0);
    }
    script_of("hi\n/expect-close 1006\n")
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.hang_up();
        })
        .status(0);
    // It may come before the line.
    script_of("/expect-close 4401\n")
        .peer(|p| {
            p.open();
            p.close_first(4401, "");
        })
        .status(0);
    // What follows may open another connection.
    Test::new()
        .args(["-x", "/expect-close 4401", "--commands"])
        .peer(|p| {
            p.open();
            p.close_first(4401, "");
        })
        .status(0);
}

#[test]
fn another_end_or_none_is_an_error() {
    script_of("/expect-close 4401\n")
        .peer(|p| {
            p.open();
            p.close_first(1000, "done");
        })
        .stderr("wscope: stdin: line 1: /expect-close 4401: the connection ended with 1000\n")
        .status(13);
    script_of("/expect-close 4401 0.01\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(
            "wscope: stdin: line 1: /expect-close 4401: the connection did not end within 0.01 s\n",
        )
        .status(13);
}
