//! `/find` and `/show frames N /REGEX/`: what is in memory, and what has left it.

use super::script_of;
use crate::frames::{self, CONTINUATION, TEXT};
use crate::harness::Output;
use crate::peer::Peer;

/// Runs these lines when the peer has sent its messages, of which the last is `done`.
fn asking(
    lines: &str,
    args: &[&'static str],
    send: impl FnOnce(&mut Peer) + Send + 'static,
) -> Output {
    script_of(&format!("hello needle\n/expect ^done$ 10\n{lines}\n"))
        .args(["--output", "none"])
        .args(args.iter().copied())
        .peer(|p| {
            p.open();
            p.receive_text("hello needle");
            send(p);
            p.text("done");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0)
}

/// The lines of frames and messages, without mark and time.
fn shown(output: &Output) -> Vec<String> {
    let lines = output.stderr().lines().filter(|line| line.starts_with(['<', '>']));
    lines.map(|line| line.splitn(3, ' ').last().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_is_found_is_named_by_its_number_however_narrow_the_screen() {
    for columns in ["30", "60", "100"] {
        let output = asking("/find needle", &["--width", columns], |p| {
            p.text(format!("{} needle {}", "x".repeat(100), "y".repeat(100)).as_str());
            p.frame(frames::fragment(TEXT, "x".repeat(100)));
            p.frame(frames::frame(CONTINUATION, format!("needle {}", "y".repeat(100))));
        });
        let lines: Vec<&str> =
            output.stderr().lines().filter(|line| line.starts_with(['<', '>'])).collect();
        for (line, number) in lines.iter().zip(["#1 ", "#1 ", "#2-3 "]) {
            assert!(line.contains(&format!(" {number}")), "{columns}: {lines:#?}");
        }
        assert_eq!(lines.len(), 3, "{lines:#?}");
        if columns != "30" {
            assert!(lines.iter().all(|line| line.contains("needle")), "{columns}: {lines:#?}");
            let most: usize = columns.parse().expect("a number");
            assert!(lines.iter().all(|line| line.chars().count() <= most), "{lines:#?}");
        }
    }
}

#[test]
fn messages_of_both_directions_are_found_by_their_content() {
    let output = asking("/find needle", &[], |p| {
        p.text("hay");
        p.text("a needle in hay");
        p.frame(frames::fragment(TEXT, "a nee"));
        p.ping("in between");
        p.receive_pong("in between");
        p.frame(frames::frame(CONTINUATION, "dle in two frames"));
        p.binary(b"\x00needle");
        p.ping("needle");
        p.receive_pong("needle");
    });
    assert_eq!(
        shown(&output),
        [
            "#1 TEXT F-M 12 hello needle",
            "#2 TEXT F-- 15 a needle in hay",
            "#3-5 TEXT 22 a needle in two frames",
            "#6 BIN  F-- 7 00 6e 65 65 64 6c 65",
            "#7 PING F-- 6 needle",
            "#3 PONG F-M 6 needle",
        ]
    );
    assert!(output.stderr().ends_with("/needle/ is in 6 of 10 messages in memory\n"), "{output:?}");
}

#[test]
fn of_a_long_message_the_part_that_matches_is_shown() {
    let output = asking("/find ne+dle", &[], |p| {
        p.text(format!("{} before the needle and behind it {}", "x".repeat(5000), "y".repeat(700)));
        p.text(format!("{} ünd needle", "ä".repeat(5000)));
    });
    let lines = shown(&output);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].contains("+4996 B …xxxx before the needle and behi"), "{}", lines[1]);
    assert!(lines[1].ends_with("… +706 B"), "{}", lines[1]);
    assert!(lines[2].ends_with("ää ünd needle"), "{}", lines[2]);
}

/// What is escaped takes more columns than bytes.
#[test]
fn a_part_behind_escaped_characters_is_shown() {
    for before in [
        "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm ",
        "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}",
        "日本語日本語日本語日本語",
    ] {
        for columns in ["60", "80"] {
            let text = format!("{before}needle tail {}", "z".repeat(80));
            let output = asking("/find needle", &["--width", columns], move |p| {
                p.text(text.as_str());
            });
            let lines = shown(&output);
            assert!(lines[1].contains("needle"), "{columns}: {lines:#?}");
            let wide = |line: &&str| unicode_width::UnicodeWidthStr::width(*line);
            let most: usize = columns.parse().expect("a number");
            let lines = output.stderr().lines().filter(|line| line.starts_with('<'));
            lines.for_each(|line| assert!(wide(&line) <= most, "{line}"));
        }
    }
}

#[test]
fn the_last_that_match_are_shown_and_all_are_counted() {
    let output = asking("/show frames 2 /n[0-9]/\n/find \"n[0-9]\"", &[], |p| {
        (0..30).for_each(|n| p.text(format!("n{n}")));
    });
    let lines = shown(&output);
    assert_eq!((lines.len(), lines[1].as_str()), (22, "#30 TEXT F-- 3 n29"));
    assert!(output.stderr().contains("is in 30 of 32 messages in memory; the last 2 are shown\n"));
    assert!(output.stderr().contains("is in 30 of 32 messages in memory; the last 20 are shown\n"));
}

#[test]
fn what_has_left_memory_is_counted() {
    let output = asking("/find needle\n/show frames 1000000", &["--max-kept", "64K"], |p| {
        (0..100).for_each(|n| p.text(format!("{n} {}", "x".repeat(3000))));
    });
    let lines = shown(&output);
    assert!((15..30).contains(&lines.len()), "{} lines", lines.len());
    let left = format!(
        "{} older frames have left memory, which holds 64.0 KiB (--max-kept); --log keeps everything\n",
        102 - lines.len()
    );
    assert_eq!(output.stderr().matches(&left).count(), 2, "{}", output.stderr());
    assert!(output.stderr().contains("/needle/ is in 0 of "), "{}", output.stderr());
    let few = asking("/show frames 2", &["--max-kept", "64K"], |p| {
        (0..100).for_each(|n| p.text(format!("{n} {}", "x".repeat(3000))));
    });
    assert!(!few.stderr().contains("have left"), "as many as were asked for: {}", few.stderr());
}

#[test]
fn of_a_message_beyond_all_memory_the_beginning_is_searched() {
    let output = asking("/find needle", &["--max-kept", "64K"], |p| {
        p.text(format!("needle {}", "x".repeat(100_000)));
        p.text(format!("{} needle", "x".repeat(100_000)));
    });
    let lines = shown(&output);
    assert!(lines[1].starts_with("#1 TEXT F-- 100007 needle xxx"), "{lines:?}");
    let told =
        "/needle/ is in 2 of 4 messages in memory; for some, only the beginning is in memory\n";
    assert!(output.stderr().ends_with(told), "{}", output.stderr());
}

/// What `/show message …` prints.
fn message(
    topic: &str,
    args: &[&'static str],
    send: impl FnOnce(&mut Peer) + Send + 'static,
) -> String {
    asking(&format!("/show message {topic}"), args, send).stderr().to_owned()
}

#[test]
fn a_message_is_shown_whole_by_the_number_of_its_frames() {
    let long = "x".repeat(5000);
    let sent = long.clone();
    let shown = message("1", &[], move |p| p.text(sent.as_str()));
    assert!(shown.lines().any(|line| line == long), "{shown}");
    // The number as its line shows it, any of its frames, JSON in lines.
    let shown = message("#3", &[], |p| {
        p.text("first");
        p.frame(frames::fragment(TEXT, "{\"a\":"));
        p.frame(frames::frame(CONTINUATION, "[1]}"));
    });
    assert!(shown.contains("{\n  \"a\": [\n    1\n  ]\n}\n"), "{shown}");
    let shown = message("1", &[], |p| p.binary(b"\x00needle"));
    assert!(shown.contains("00000000  00 6e 65 65 64 6c 65 "), "{shown}");
}

#[test]
fn a_message_of_either_direction_is_shown() {
    let shown = message("1", &[], |p| p.text("theirs"));
    assert!(shown.lines().any(|line| line == "theirs"), "{shown}");
    let shown = message("1 out", &[], |p| p.text("theirs"));
    assert!(shown.lines().any(|line| line == "hello needle"), "{shown}");
}

#[test]
fn a_message_that_is_not_there_is_an_error_that_says_whether_it_left() {
    let failing = |topic: &str, args: &[&'static str], count: usize, stderr: &str| {
        script_of(&format!("hello\n/expect ^done$ 10\n/show message {topic}\n"))
            .args(["--output", "none"])
            .args(args.iter().copied())
            .peer(move |p| {
                p.open();
                p.receive_text("hello");
                for _ in 0..count {
                    p.text("x".repeat(1000).as_str());
                }
                p.text("done");
                p.answer_close(1001);
            })
            .stderr(format!("wscope: [..]: {stderr}\n"))
            .status(1);
    };
    failing("77", &[], 1, "there is no frame #77; /show frames lists the last ones");
    failing(
        "1",
        &["--max-kept", "16K"],
        40,
        "frame #1 is not in memory: [..] older frames have left memory, which holds 16.0 KiB \
         (--max-kept); --log keeps everything",
    );
}
