//! What comes when: waiting, expecting, repeating, files of lines.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::script_of;
use wscope::wire::{Control, OpCode};

use crate::frames::{self, TEXT};
use crate::harness::Test;
use crate::waiting::gate;

fn script(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a disk");
    file
}

#[test]
fn expect_waits_for_a_message_and_finds_one_that_came_before() {
    script_of("one\n/expect ^reply\ntwo\n/expect second$\n/expect third\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.text("noise");
            p.text("reply to one");
            p.receive_text("two");
            p.text("the second");
            p.text("the third");
            p.answer_close(1000);
        })
        .stdout("noise\nreply to one\nthe second\nthe third\n")
        .status(0);
}

#[test]
fn an_expectation_that_is_not_met_ends_with_13_and_reports_where() {
    let file = script("/# a comment\nhello\n/expect \"good bye\" 0.01\nnever sent\n");
    let path = file.path().display().to_string();
    Test::new()
        .args(["--script", &path])
        .peer(|p| {
            p.open();
            p.receive_text("hello");
            p.text("hello yourself");
            p.answer_close(1001);
        })
        .stdout("hello yourself\n")
        .stderr(format!(
            "wscope: {path}: line 3: /expect /good bye/: no match within 0.01 s; 1 message came, the last: \"hello yourself\"\n"
        ))
        .status(13);
}

#[test]
fn an_expectation_without_a_time_ends_with_the_connection_or_max_time() {
    // More than a prompt would wait.
    let output = script_of("/expect never\n")
        .args(["--max-time", "10.5"])
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr_any()
        .status(12);
    assert!(output.stderr().contains("--max-time has passed"), "{}", output.stderr());
}

#[test]
fn an_expectation_dies_with_its_connection() {
    script_of("/expect x\n")
        .peer(|p| {
            p.open();
            p.close_first(1000, "done");
        })
        .stderr(
            "wscope: stdin: line 1: /expect /x/: the connection ended before a match: the server closed with 1000 normal closure[..]\n",
        )
        .status(13);
}

#[test]
fn an_expectation_that_arrives_after_the_end_fails_too() {
    let (key, gate) = gate();
    Test::new()
        .args(["--input", "commands"])
        .stdin_after(gate, "/expect x\n")
        .peer(move |p| {
            p.open();
            p.close_first(1000, "done");
            key.open();
        })
        .stderr(
            "wscope: stdin: line 1: /expect /x/: the connection ended before a match: the server closed with 1000 normal closure[..]\n",
        )
        .status(13);
}

#[test]
fn answers_may_come_in_any_order() {
    script_of("ask\n/expect receipt\n/expect message\n/expect message 0.01\n")
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.text("a message");
            p.text("a receipt");
            p.text("noise");
            p.answer_close(1001);
        })
        .stdout("a message\na receipt\nnoise\n")
        .stderr("wscope: stdin: line 4: /expect /message/: no match within 0.01 s; 1 message came, the last: \"noise\"\n")
        .status(13);
}

#[test]
fn a_script_that_saw_what_it_expected_does_not_linger() {
    // The peer never falls silent.
    Test::new()
        .args(["--input", "commands", "--output", "none"])
        .stdin("/expect tick\n")
        .peer(|p| {
            p.open();
            let mut tcp = p.tcp().try_clone().expect("a descriptor");
            let closed = Arc::new(AtomicBool::new(false));
            let over = Arc::clone(&closed);
            let ticking = std::thread::spawn(move || {
                let tick = frames::bytes([frames::frame(TEXT, "tick")]);
                while !over.load(Ordering::Relaxed) && tcp.write_all(&tick).is_ok() {}
            });
            p.receive_close(1000);
            closed.store(true, Ordering::Relaxed);
            ticking.join().expect("no panic");
            p.reset();
        })
        .stderr_any()
        .status(10);
}

#[test]
fn how_traffic_is_shown_is_of_no_consequence_where_none_is() {
    script_of("/view messages\n/filter !/x/\n/timestamps off\n/clear\nhello\n")
        .peer(|p| {
            p.open();
            p.receive_text("hello");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_line_that_is_no_command_stops_a_script() {
    script_of("fine\n/pnig\nnever\n")
        .peer(|p| {
            p.open();
            p.receive_text("fine");
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 2: unknown command /pnig; did you mean /ping?[..]\n")
        .status(1);
}

#[test]
fn repeat_and_wait() {
    script_of("/repeat 3 /text again\n/wait 0.01\n/repeat 2 plain\n")
        .peer(|p| {
            p.open();
            (0..3).for_each(|_| p.receive_text("again"));
            (0..2).for_each(|_| p.receive_text("plain"));
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_hundred_thousand_messages_by_one_line() {
    script_of("/repeat 100000 /text x\n")
        .peer(|p| {
            p.open();
            (0..100_000).for_each(|_| p.receive_text("x"));
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn every_goes_on_until_it_is_stopped() {
    script_of("/every 0.001 /ping beat\n/expect three\n/stop\n/text done\n")
        .peer(|p| {
            p.open();
            for _ in 0..3 {
                let ping = p.receive_frame();
                assert_eq!(ping.payload, b"beat");
            }
            p.text("three");
            loop {
                let frame = p.receive_frame();
                if frame.payload == b"done" {
                    break;
                }
                assert_eq!(frame.payload, b"beat");
            }
            p.answer_close(1000);
        })
        .stdout("three\n")
        .stderr("wscope: note: 1 job stopped\n")
        .status(0);
}

#[test]
fn files_of_lines_nest_but_not_for_ever() {
    let inner = script("inner\n");
    let outer = script(&format!("before\n/source {}\nafter\n", inner.path().display()));
    script_of(&format!("/source {}\nlast\n", outer.path().display()))
        .peer(|p| {
            p.open();
            for text in ["before", "inner", "after", "last"] {
                p.receive_text(text);
            }
            p.answer_close(1000);
        })
        .status(0);

    let endless = tempfile::NamedTempFile::new().expect("a file");
    let path = endless.path().display().to_string();
    std::fs::write(endless.path(), format!("/source {path}\nnever\n")).expect("a disk");
    script_of(&format!("/source {path}\n"))
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(format!("wscope: {path}: line 1: /source: more than 16 nested files\n"))
        .status(1);
}

#[test]
fn a_script_that_is_not_there_is_wrong_usage() {
    Test::new()
        .args(["--script", "/nonexistent/x", "ws://127.0.0.1:9"])
        .stderr("wscope: --script /nonexistent/x: no such file or directory\n")
        .status(2);
}

#[test]
fn a_script_is_checked_before_anything_is_opened() {
    let file = script("fine\n\n/ping\n/frame fin=perhaps x\n");
    let path = file.path().display().to_string();
    let error = format!("wscope: --script {path}: line 4: \"perhaps\" is [..]\n");
    Test::new().args(["--script", &path, "ws://127.0.0.1:9"]).stderr(error).status(2);
}

#[test]
fn executed_messages_are_commands_only_if_asked() {
    Test::new()
        .args(["-w", "0", "--commands", "-x", "/text a\\tb", "-x", "/close 4000"])
        .peer(|p| {
            p.open();
            p.receive_text("a\tb");
            p.answer_close(4000);
        })
        .status(0);
    Test::new()
        .args(["-w", "0", "-x", "/ping"])
        .peer(|p| {
            p.open();
            p.receive_text("/ping");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn quit_closes_at_once() {
    Test::new()
        .args(["--input", "commands", "-w", "60"])
        .stdin_left_open("hello\n/quit\n")
        .peer(|p| {
            p.open();
            p.receive_text("hello");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn what_is_not_utf8_is_refused_with_its_offset() {
    Test::new()
        .args(["--input", "commands"])
        .stdin(b"good\nbad \xff\n")
        .peer(|p| {
            p.open();
            p.receive_text("good");
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 2: byte 9 of the input is not UTF-8; write it as \\xHH in /text or /binary\n")
        .status(1);
}

/// What a script does again and again ends with it: otherwise the answers would prolong the stay.
#[test]
fn every_ends_with_its_script() {
    let file = script("/every 50ms /ping again\n");
    let path = file.path().display().to_string();
    Test::new()
        .args(["--script", &path, "-w", "0.3"])
        .peer(|p| {
            p.open();
            assert_eq!(p.receive_frame().opcode(), OpCode::Control(Control::Ping));
            p.send(b"\x8a\x05again");
            p.answer_close(1000);
        })
        .stderr("wscope: note: 1 job stopped\n")
        .status(0);
}
