//! How long a run stays: until so many messages, until the right one, or for a while after the
//! end of stdin. Exit 13 if what was waited for did not come.

use std::io::{Seek, Write};
use std::time::Duration;

use crate::harness::Test;
use crate::peer::Peer;
use crate::waiting::gate;

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
                p.close_first(1000, "done");
            })
            .stdout("one\n")
            .stderr("wscope: closed before the expected message arrived: the server closed with 1000 [..]\n")
            .status(13);
    }
}

// The time between the end of stdin and the end of the run: the table of `behaviour/stay.rs`.

/// More than any default stays for.
const LONG: Duration = Duration::from_secs(6);

/// The end of what is printed where a default ended the run.
const OPTIONS: &str = "; -w SECS waits longer, -w forever until the peer closes, --exit-after N until N messages have arrived\n";

/// Whether nothing comes from the client for so long.
fn is_silent(p: &Peer, time: Duration) -> bool {
    p.tcp().set_read_timeout(Some(time)).expect("a socket");
    let silent = p.tcp().peek(&mut [0]).is_err();
    p.tcp().set_read_timeout(None).expect("a socket");
    silent
}

/// Sends a message again and again until the client sends something.
fn chatter(p: &mut Peer) {
    while is_silent(p, Duration::from_millis(50)) {
        p.text("tick");
    }
}

fn asking(args: &[&str]) -> Test {
    Test::new().args(["-x", "ask"]).args(args.iter().copied())
}

#[test]
fn an_expectation_keeps_the_session_open() {
    for expectation in [["--exit-after", "1"], ["--until", "answer"]] {
        asking(&expectation)
            .peer(|p| {
                p.open();
                p.receive_text("ask");
                assert!(is_silent(p, LONG), "it left");
                p.text("answer");
                p.answer_close(1000);
            })
            .stdout("answer\n")
            .status(0);
    }
}

#[test]
fn what_ends_an_open_expectation_is_named() {
    for (option, said) in [
        (["-w", "0.2"], "-w ended the run 0.2 s after the end of the input"),
        (["--idle-exit", "0.2"], "--idle-exit ended the run after 0.2 s without a message"),
        (["--linger", "0.2"], "--idle-exit ended the run after 0.2 s without a message"),
        (["--for", "0.2"], "--for ended the run after 0.2 s"),
    ] {
        asking(&["--exit-after", "1"])
            .args(option)
            .peer(|p| {
                p.open();
                p.receive_text("ask");
                p.answer_close(1000);
            })
            .stderr(format!("wscope: closed before the expected message arrived: {said}\n"))
            .status(13);
    }
}

#[test]
fn wait_counts_from_the_end_of_the_input_whatever_the_peer_sends() {
    for option in [["-w", "1"], ["--wait", "300ms"], ["--for", "1"]] {
        asking(&option)
            .peer(|p| {
                p.open();
                p.receive_text("ask");
                chatter(p);
                p.answer_close(1000);
            })
            .stdout_any()
            .status(0);
    }
}

#[test]
fn wait_0_leaves_at_once_and_still_prints_what_comes_before_the_peers_close() {
    asking(&["-w", "0"])
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.receive_close(1000);
            p.text("answer");
            p.close(1000, "");
        })
        .stdout("answer\n")
        .status(0);
}

#[test]
fn wait_forever_waits_for_the_peers_close() {
    for forever in ["forever", "-1"] {
        asking(&["--wait", forever])
            .peer(|p| {
                p.open();
                p.receive_text("ask");
                assert!(is_silent(p, LONG), "it left");
                p.text("answer");
                p.close_first(1000, "done");
            })
            .stdout("answer\n")
            .status(0);
    }
}

#[test]
fn idle_exit_counts_from_the_last_message() {
    Test::new()
        .args(["--idle-exit", "1"])
        .stdin("ask\n")
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            for _ in 0..30 {
                assert!(is_silent(p, Duration::from_millis(50)), "it left");
                p.text("tick");
            }
            // Pings are no messages.
            while is_silent(p, Duration::from_millis(50)) {
                p.send(b"\x8a\x00");
            }
            p.answer_close(1000);
        })
        .stdout("tick\n".repeat(30))
        .status(0);
}

#[test]
fn for_ends_with_success_though_no_close_is_answered() {
    Test::new()
        .args(["--for", "0.3", "--close-timeout", "0.2"])
        .peer(|p| {
            p.open();
            p.text("one");
            p.receive_close(1000);
            p.receive_end();
        })
        .stdout("one\n")
        .stderr("warning[W816]: the peer did not answer our Close frame\n...\n")
        .status(0);
}

#[test]
fn an_end_that_was_reached_stays_a_success_though_max_time_ends_the_wait_for_the_close() {
    for end in [["--for", "0.3"], ["--exit-after", "1"], ["--until", "one"]] {
        Test::new()
            .args(end)
            .args(["--max-time", "0.8"])
            .peer(|p| {
                p.open();
                p.text("one");
                p.receive_close(1000);
                p.receive_end();
            })
            .stdout("one\n")
            .status(0);
    }
}

#[test]
fn without_options_a_late_answer_is_waited_for() {
    asking(&[])
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            assert!(is_silent(p, Duration::from_secs(3)), "it left");
            p.text("answer");
            assert!(is_silent(p, Duration::from_secs(1)), "it left");
            p.answer_close(1000);
        })
        .stdout("answer\n")
        .stderr(format!("wscope: note: closed after 2 s without a message{OPTIONS}"))
        .status(0);
}

#[test]
fn without_options_no_run_is_cut_in_silence() {
    asking(&[])
        .peer(|p| {
            p.open();
            p.receive_text("ask");
            p.answer_close(1000);
        })
        .stderr(format!(
            "wscope: note: closed without an answer 5 s after the end of the input{OPTIONS}"
        ))
        .status(0);
    Test::new()
        .stdin("")
        .peer(|p| {
            p.open();
            p.answer_close(1000);
        })
        .stderr(format!(
            "wscope: note: stdin was empty; closed after 5 s without a message{OPTIONS}"
        ))
        .status(0);
    // One answer to two questions, and to one; a feed that pauses; a feed after an empty stdin.
    for (questions, answers, said) in [
        ("ask\nask\n", 1, "closed after 2 s without a message"),
        ("ask\n", 1, "closed after 2 s without a message"),
        ("ask\n", 3, "closed after 2 s without a message"),
        ("", 1, "stdin was empty; closed after 2 s without a message"),
    ] {
        Test::new()
            .stdin(questions)
            .peer(move |p| {
                p.open();
                (0..questions.lines().count()).for_each(|_| p.receive_text("ask"));
                (0..answers).for_each(|_| p.text("answer"));
                p.answer_close(1000);
            })
            .stdout("answer\n".repeat(answers))
            .stderr(format!("wscope: note: {said}{OPTIONS}"))
            .status(0);
    }
}

#[test]
fn a_greeting_is_no_answer() {
    let (greeted, gate) = gate();
    Test::new()
        .stdin_after(gate, "ask\n")
        .peer(move |p| {
            p.open();
            p.text("welcome");
            p.ping("");
            p.receive_pong("");
            greeted.open();
            p.receive_text("ask");
            assert!(is_silent(p, Duration::from_secs(3)), "it left");
            p.text("answer");
            p.answer_close(1000);
        })
        .stdout("welcome\nanswer\n")
        .stderr(format!("wscope: note: closed after 2 s without a message{OPTIONS}"))
        .status(0);
}

#[test]
fn what_stdin_still_had_is_reported() {
    Test::new()
        .stdin_left_open("one\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.close_first(1000, "done");
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
            p.close_first(1000, "done");
        })
        .status(0);
}
