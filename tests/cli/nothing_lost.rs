//! Every message arrives, in order and whole, whoever is slow and whoever stops first.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use crate::frames::{self, CLOSE, TEXT};
use crate::harness::Test;
use crate::peer::Peer;
use crate::waiting::gate;

const MANY: usize = 100_000;

/// Many numbered lines.
fn numbered() -> String {
    let mut lines = String::new();
    for n in 0..MANY {
        let _ = writeln!(lines, "line number {n}");
    }
    lines
}

/// The lines as text frames, and a Close after the last in the same segment.
fn framed_and_closed(lines: &str) -> Vec<u8> {
    let mut bytes = frames::bytes(lines.lines().map(|line| frames::frame(TEXT, line)));
    bytes.extend(frames::bytes([frames::frame(CLOSE, frames::close_payload(1000, ""))]));
    bytes
}

#[test]
fn a_hundred_thousand_lines_arrive_in_order() {
    let lines = numbered();
    let expected = lines.clone();
    Test::new()
        .args(["-w", "0"])
        .stdin(lines)
        .peer(move |p| {
            p.open();
            for line in expected.lines() {
                p.receive_text(line);
            }
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_hundred_thousand_messages_and_a_close_right_behind_them() {
    let lines = numbered();
    let bytes = framed_and_closed(&lines);
    Test::new()
        .args(["--input", "none"])
        .peer(move |p| {
            p.open();
            p.send(bytes);
            p.receive_close(1000);
            p.hang_up();
        })
        .stdout(lines)
        .status(0);
}

#[test]
fn the_end_of_stdin_does_not_cut_off_a_server_that_still_sends() {
    let lines = numbered();
    let bytes = framed_and_closed(&lines);
    Test::new()
        .stdin("go\n")
        .peer(move |p| {
            p.open();
            p.receive_text("go");
            p.send(bytes);
            p.receive_close(1000);
            p.hang_up();
        })
        .stdout(lines)
        .status(0);
}

#[test]
fn messages_on_their_way_when_we_close_still_arrive() {
    Test::new()
        .args(["-w", "0"])
        .stdin("ask\n")
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.receive_close(1000);
            p.text("late answer");
            p.close(1000, "");
            p.hang_up();
        })
        .stdout("late answer\n")
        .status(0);
}

/// More than all buffers between two programs hold.
const MUCH: usize = 24 << 20;

#[test]
fn a_slow_reader_of_stdout_gets_everything() {
    let (key, stalled) = gate();
    let line = "x".repeat(999);
    let count = MUCH / 1000;
    let expected = (line.clone() + "\n").repeat(count);
    Test::new()
        .args(["--input", "none"])
        .read_stdout_after(stalled)
        .peer(move |p| {
            p.open();
            p.tcp().set_write_timeout(Some(Duration::from_millis(100))).expect("a time");
            let bytes = frames::bytes([frames::frame(TEXT, &line)]).repeat(count);
            let mut at = 0;
            while at < bytes.len() {
                match p.write(&bytes[at..]) {
                    Ok(n) => at += n,
                    // Nobody takes anything any more: now the reader may begin.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => key.open(),
                    Err(error) => panic!("the client went away: {error}"),
                }
            }
            key.open();
            p.close_first(1000, "done");
        })
        .stdout(expected)
        .status(0);
}

#[test]
fn a_slow_server_gets_everything() {
    let (key, flowing) = gate();
    let line = "y".repeat(999);
    let count = MUCH / 1000;
    let input = (line.clone() + "\n").repeat(count);
    Test::new()
        .args(["-w", "0"])
        .stdin_reporting(input.into_bytes(), 128 * 1024, key)
        .peer(move |p| {
            p.open();
            flowing.wait();
            for _ in 0..count {
                p.receive_text(&line);
            }
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn an_answer_is_written_before_the_next_question_comes() {
    // A filter in a pipeline waits for each answer: nothing may stay in a buffer.
    let (key, asked) = gate();
    Test::new()
        .args(["--exit-after", "2"])
        .stdin_after(asked, "second\n")
        .peer(move |p| {
            p.open();
            p.text("first");
            key.open();
            p.receive_text("second");
            p.text("third");
            p.answer_close(1000);
        })
        .stdout("first\nthird\n")
        .status(0);
}

/// As much as stdout's pipe and our buffer of it do not hold, so that a client whose stdout is not read
/// stops.
fn fill_stdout(p: &mut Peer) {
    for _ in 0..12 {
        p.binary(vec![b'x'; 64 * 1024]);
    }
}

#[test]
fn pings_are_answered_while_stdout_is_not_read() {
    let (read, gate) = gate();
    let output = Test::new()
        .args(["--input", "none"])
        .read_stdout_after(gate)
        .peer(move |p| {
            p.open();
            fill_stdout(p);
            for text in ["one", "two", "three"] {
                p.ping(text);
                p.receive_pong(text);
                p.text(text);
            }
            read.open();
            p.ping("four");
            p.receive_pong("four");
            p.close_first(1000, "done");
        })
        .stdout_any()
        .status(0);
    // Each message is there once, in its order, and no ping was answered twice.
    assert!(output.stdout().ends_with("x\none\ntwo\nthree\n"));
    assert_eq!(output.stdout().len(), 12 * (64 * 1024 + 1) + 14);
}

/// The same where frames are shown: the line of a pong may then stand before that of its ping.
#[test]
fn pings_are_answered_while_a_transcript_is_not_read() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let log = log.path().display().to_string();
    for args in [&["--output", "json"][..], &["--output", "frames"], &["-v"], &["--log", &log]] {
        let (read, gate) = gate();
        let output = Test::new()
            .args(["--input", "none"])
            .args(args.iter().copied())
            .read_stdout_after(gate)
            .peer(move |p| {
                p.open();
                fill_stdout(p);
                for text in ["one", "two", "three"] {
                    p.ping(text);
                    p.receive_pong(text);
                    p.text(text);
                }
                read.open();
                p.close_first(1000, "done");
            })
            .stdout_any()
            .stderr_any()
            .status(0);
        let shown = match args[0] {
            "-v" => output.stderr(),
            "--log" => &std::fs::read_to_string(&log).expect("the log"),
            _ => output.stdout(),
        };
        let (ping, pong) = match args[0] == "-v" || args[1] == "frames" {
            true => (" PING ", " PONG "),
            false => ("\"opcode\":\"ping\"", "\"opcode\":\"pong\""),
        };
        assert_eq!(shown.matches(ping).count(), 3, "{args:?}");
        assert_eq!(shown.matches(pong).count(), 3, "{args:?}");
    }
}

#[test]
fn a_loss_while_stdout_is_blocked_is_explained_by_that() {
    for args in [&[][..], &["--output", "json"], &["--output", "frames"]] {
        a_loss_is_explained(args);
    }
}

fn a_loss_is_explained(args: &[&str]) {
    let (read, gate) = gate();
    let output = Test::new()
        .args(["--input", "none"])
        .args(args.iter().copied())
        .read_stdout_after(gate)
        .peer(move |p| {
            p.open();
            // More than is read ahead and the sockets hold; then for longer than a moment nothing.
            p.tcp().set_write_timeout(Some(Duration::from_millis(1500))).expect("a socket");
            let frame = [&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &[b'x'; 1 << 16]].concat();
            while p.try_send(&frame).is_ok() {}
            p.reset();
            read.open();
        })
        .stdout_any()
        .stderr_any()
        .status(10);
    let shown = [output.stderr(), output.stdout()].concat();
    assert!(shown.contains("stdout was blocked for"), "{args:?}: {}", output.stderr());
}
