//! `--decode-with`: a command of the user's is handed each message and answers with a line.

use super::script::script_of;
use crate::harness::{Output, Test};
use crate::peer::Peer;

/// Says what it was handed, in capitals; nothing of a message that is empty.
const SHOUT: &str = r#"while read -r line; do
    case $line in *'"length":0'*) echo;; *'"base64"'*) echo bytes;; *)
        printf "%s\n" "$line" | sed 's/.*"dir":"\([^"]*\)".*"number":\([0-9]*\).*"text":\(".*"\).*/\1 \2 \3/' | tr a-z A-Z;;
    esac
done"#;

fn meant(output: &Output) -> Vec<&str> {
    output.stdout().lines().filter(|line| line.starts_with("= ")).collect()
}

/// A message from each side, one with a line break, one of bytes, an empty one.
fn session(args: &[&str]) -> Test {
    let peer = |p: &mut Peer| {
        p.open();
        p.receive_message();
        p.binary(b"\x00\n");
        p.text("");
        p.text("two\nlines");
        p.answer_close(1000);
    };
    script_of("one\n/expect two\n").args(args).peer(peer)
}

#[test]
fn a_message_is_followed_by_the_line_of_the_command() {
    let output = session(&["--output", "frames", "--decode-with", SHOUT]).stdout_any().status(0);
    let wanted = [r#"= > TO-SERVER 1 "ONE""#, "= < bytes", r#"= < TO-CLIENT 3 "TWO\NLINES""#];
    assert_eq!(meant(&output), wanted, "{}", output.stdout());
    let meant_at = output.stdout().find("TWO\\NLINES").expect("there");
    assert!(meant_at < output.stdout().find("closed with 1000").expect("an end"));
}

#[test]
fn a_filter_looks_at_the_line_of_the_command() {
    let args = ["--output", "frames", "--decode-with", SHOUT, "--filter", "/TO-CLIENT 3/"];
    let output = session(&args).stdout_any().status(0);
    assert_eq!(meant(&output), [r#"= < TO-CLIENT 3 "TWO\NLINES""#], "{}", output.stdout());
    let lines: Vec<&str> = output.stdout().lines().collect();
    let at = lines.iter().position(|line| line.starts_with("= ")).expect("its line");
    assert!(lines[at - 1].contains("TEXT"), "its frame is above it: {lines:#?}");
}

#[test]
fn json_and_logs_have_the_line_and_decode_asks_too() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().display().to_string();
    let args = ["--output", "json", "--decode-with", SHOUT, "--log", &path];
    let output = session(&args).stdout_any().status(0);
    let logged = std::fs::read_to_string(&path).expect("the log");
    for text in [output.stdout(), &logged] {
        let lines = text.lines().filter(|line| line.contains(r#""protocol":"command""#));
        assert_eq!(lines.count(), 3, "{text}");
        assert!(text.contains(r#""message":1,"packets":[{"protocol":"command","kind":"line","#));
    }
    let args = ["decode", "--decode-with", SHOUT, &path];
    let output = Test::new().args(args).stdout_any().status(0);
    let lines: Vec<&str> = output.stdout().lines().collect();
    let at = lines.iter().position(|line| *line == r#"= TO-SERVER 1 "ONE""#).expect("its line");
    assert!(lines[at - 1].contains("TEXT"), "right below its frame: {lines:#?}");
    assert_eq!(meant(&output).len(), 3);
}

#[test]
fn a_command_that_ends_is_an_error() {
    let error = "--decode-with: the command has ended, ";
    let args = ["--output", "json", "--decode-with", "read line; echo first"];
    let output = session(&args).stdout_any().status(0);
    assert!(output.stdout().contains(r#""summary":"first""#));
    assert!(output.stdout().contains(error), "{}", output.stdout());
    let args = ["--output", "frames", "-q", "--decode-with", "exit"];
    let output = session(&args).stdout_any().stderr_any().status(0);
    assert!(output.stderr().contains(error), "{}", output.stderr());
}

#[test]
fn a_command_that_stays_is_ended_with_what_it_started() {
    // Who reads stderr waits for all who could write to it.
    let peer = |p: &mut Peer| {
        p.open();
        p.answer_close(1000);
    };
    script_of("/wait 0\n").args(["--decode-with", "sleep 1000 & sleep 1000"]).peer(peer).status(0);
}

#[test]
fn what_a_command_answers_is_shown_escaped() {
    let command = r"while read -r line; do printf 'a\033[31mb\rc\n'; done";
    let output = session(&["--output", "frames", "--decode-with", command]).stdout_any().status(0);
    assert!(!output.stdout().contains('\x1b'));
    assert_eq!(meant(&output).len(), 4, "{}", output.stdout());
}
