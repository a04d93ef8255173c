//! Terminals that can do little, and stdout that is none.

use std::io::{Read as _, Seek as _};

use crate::session::{PROMPT, Setup};
use crate::waiting::gate;

#[test]
fn a_dumb_terminal_has_plain_lines_and_commands() {
    let mut s = Setup::new().env("TERM", "dumb").start(|p, _| {
        p.open();
        p.receive_text("hello");
        p.text("hello to you");
        assert_eq!(p.receive_frame().payload, b"beat");
        p.text("beating");
        p.answer_close(1000);
    });
    s.wait_for_row("Connected (press Ctrl-D or type /quit to leave, /help for commands)");
    assert!(s.modes().is_cooked());
    s.keys("hello\r");
    s.wait_for_row(" 12 hello to you");
    s.keys("/ping beat\r");
    s.wait_for_row(" 7 beating");
    s.keys("/view nonsense\r");
    s.wait_for_row("wscope: \"nonsense\" is not a view");
    s.keys("\x04");
    s.end(0);
    let shown = s.bytes();
    assert!(memchr::memmem::find(&shown, b"\x1b[?").is_none(), "{}", shown.escape_ascii());
}

#[test]
fn ctrl_c_on_a_dumb_terminal_leaves_with_1001() {
    let mut s = Setup::new().env("TERM", "dumb").start(|p, _| {
        p.open();
        p.answer_close(1001);
    });
    s.wait_for_row("Connected (");
    s.keys("\x03");
    s.end(130);
}

#[test]
fn with_stdout_in_a_file_the_prompt_is_on_the_terminal_and_payload_alone_in_the_file() {
    let mut file = tempfile::tempfile().expect("a file");
    let stdout = file.try_clone().expect("a descriptor");
    let (done, heard) = gate();
    let mut s = Setup::new().args(["--input", "prompt"]).stdout(stdout).ready(move |p, told| {
        p.open();
        p.receive_text("question");
        told.wait();
        p.text("answer \x1b[31m raw");
        p.ping("");
        p.text("second");
        p.receive_pong("");
        done.open();
        p.answer_close(1000);
    });
    s.enter("question");
    s.wait_for_line(PROMPT);
    s.keys("half");
    s.wait_for_line(&format!("{PROMPT}half"));
    s.release_peer();
    heard.wait();
    s.wait_for_line(&format!("{PROMPT}half"));
    s.keys("\x03");
    s.wait_for_line(PROMPT);
    s.leave();
    let mut payload = String::new();
    file.rewind().expect("a file");
    file.read_to_string(&mut payload).expect("UTF-8");
    assert_eq!(payload, "answer \x1b[31m raw\nsecond\n");
}

#[test]
fn in_a_pipe_the_prompt_is_on_the_terminal() {
    let mut s =
        Setup::new().args(["--input", "prompt"]).shell("{} | cat > out; exit 7").ready(|p, _| {
            p.open();
            p.receive_text("question");
            p.text("answer");
            p.answer_close(1000);
        });
    s.enter("question");
    s.wait_for_line(PROMPT);
    s.keys("\x04");
    s.end(7);
    assert_eq!(std::fs::read_to_string(s.path("out")).expect("a file"), "answer\n");
}

#[test]
fn what_a_pipe_writes_to_the_same_terminal_is_there() {
    let mut s = Setup::new().args(["--input", "prompt"]).shell("{} | cat").ready(|p, told| {
        p.open();
        p.receive_text("question");
        told.wait();
        p.text("answer");
        p.answer_close(1000);
    });
    s.enter("question");
    s.wait_for_line(PROMPT);
    s.release_peer();
    s.wait_for_row("answer");
    s.keys("\x04");
    s.end(0);
}

#[test]
fn without_asking_there_is_no_prompt_in_a_pipe() {
    let mut s = Setup::new().args(["-w", "0"]).shell("{} | cat; exit 7").start(|p, _| {
        p.open();
        p.receive_text("question");
        p.text("answer");
        p.answer_close(1000);
    });
    assert!(s.modes().is_cooked());
    s.keys("question\r");
    s.wait_for_row("answer");
    assert!(s.modes().is_cooked());
    s.keys("\x04");
    let screen = s.end(7);
    assert_eq!(screen.text(), ["question", "answer"]);
}

#[test]
fn when_the_reader_has_left_the_session_ends_whether_or_not_the_peer_answers() {
    for prompt in [&["--input", "prompt"][..], &[]] {
        let mut s =
            Setup::new().args(prompt.iter().copied()).shell("{} | head -1").start(|p, told| {
                p.open();
                p.text("first");
                // A peer that goes on sending and answers no Close.
                while p.try_send(b"\x81\x04more").is_ok() {}
                told.wait();
            });
        s.wait_for_row("first");
        s.release_peer();
        s.end(0);
    }
}

/// A shell stops what reads from the terminal in the background: a server there reads nothing.
#[test]
fn a_server_in_the_background_has_no_prompt() {
    for mode in ["listen --for 1 0", "proxy --to ws://127.0.0.1:9 --max-time 1 0"] {
        let line = format!("set -m; {} {mode} & wait $!; exit 7", env!("CARGO_BIN_EXE_wscope"));
        let mut s = Setup::new().shell(&line).serve(|_, _| {});
        let screen = s.end(7);
        assert!(!screen.text().iter().any(|row| row.contains("Stopped")), "{:?}", screen.text());
        assert!(screen.text().iter().any(|row| row.contains("listening on")));
    }
}
