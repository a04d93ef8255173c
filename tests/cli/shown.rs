//! Options that change the transcript: they work, or are an error.

use crate::harness::Test;

#[test]
fn a_filter_of_the_command_line_decides_what_is_shown() {
    let output = Test::new()
        .args(["-v", "--input", "none", "--no-compress", "--timestamps", "off"])
        .args(["--filter", "in text !/noise/"])
        .peer(|p| {
            p.open();
            p.text("noise");
            p.text("a price");
            p.binary("price");
            p.close_first(1000, "done");
        })
        .stdout("noise\na price\nprice\n")
        .stderr_any()
        .status(0);
    let frames: Vec<&str> = output.stderr().lines().filter(|line| line.contains(" #")).collect();
    assert_eq!(frames, ["< #2 TEXT F-- 7 a price"]);
}

#[test]
fn a_filter_that_is_none_is_an_error_before_anything_is_dialled() {
    for (filter, error) in [("colour", "\"colour\" is not a filter; "), ("/a(/", "unclosed group")]
    {
        let output = Test::new()
            .args(["-v", "--filter", filter, "ws://127.0.0.1:1/"])
            .stderr_any()
            .status(2);
        assert!(output.stderr().contains("--filter "), "{}", output.stderr());
        assert!(output.stderr().contains(error), "{}", output.stderr());
    }
}

#[test]
fn what_changes_a_transcript_is_an_error_where_none_is_shown() {
    let options = [
        ("--timestamps", "relative"),
        ("--view", "messages"),
        ("--filter", "in"),
        ("--pretty", "never"),
    ];
    for mode in ["connect", "listen"] {
        for (option, value) in options {
            let place = if mode == "connect" { "ws://127.0.0.1:1/" } else { "0" };
            Test::new()
                .args([mode, "--input", "none", option, value, place])
                .stderr(format!(
                    "wscope: {option} changes the transcript, but no transcript is shown; add -v \
                     or --output frames\n"
                ))
                .status(2);
        }
    }
}

#[test]
fn a_default_for_transcripts_does_no_harm_where_none_is_shown() {
    Test::new()
        .args(["--input", "none"])
        .env("WSCOPE_TIMESTAMPS", "relative")
        .env("WSCOPE_FILTER", "in")
        .peer(|p| {
            p.open();
            p.text("payload");
            p.close_first(1000, "done");
        })
        .stdout("payload\n")
        .stderr_any()
        .status(0);
}
