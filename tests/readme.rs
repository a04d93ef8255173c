//! The README keeps its word: its transcript is what the program prints, its exit codes are the
//! program's.

use std::process::Command;

use regex::Regex;
use wscope::modes::exit::Exit;

const README: &str = include_str!("../README.md");

/// What differs from run to run, put out of the way.
fn settled(transcript: &str) -> String {
    let changing = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
        (r"mask [0-9a-f]{8}", "mask KEY"),
        (r"(Sec-WebSocket-(?:Key|Accept)): \S+", "$1: VALUE"),
        (r"\d+\.\d{3} m?s", "DURATION"),
    ];
    changing.iter().fold(transcript.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}

/// The lines with this mark. Both ends write as fast as they can, so the two directions interleave
/// differently from run to run; each by itself does not.
fn marked<'a>(transcript: &'a str, mark: &'a str) -> Vec<&'a str> {
    transcript.lines().filter(|line| line.starts_with(mark)).collect()
}

#[test]
fn the_transcript_is_what_the_demo_prints() {
    let (_, after) =
        README.split_once("<!-- transcript: wscope demo -->\n```text\n").expect("there");
    let (promised, _) = after.split_once("```").expect("ended");
    let output = Command::new(env!("CARGO_BIN_EXE_wscope")).arg("demo").output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    let (promised, printed) = (settled(promised), settled(&printed));
    for mark in [">", "<", "*", "!"] {
        assert_eq!(marked(&printed, mark), marked(&promised, mark));
    }
}

#[test]
fn every_exit_code_but_the_one_of_proxies_is_told() {
    for exit in Exit::ALL.iter().filter(|exit| **exit != Exit::Proxy) {
        let code = exit.code();
        let told = README.lines().any(|line| {
            let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next());
            cell.is_some_and(|cell| cell.split(", ").any(|number| number == code.to_string()))
        });
        assert!(told, "{code}");
    }
}
