//! Commands that ask, and how the transcript can be changed while it is written.

use super::script_of;

#[test]
fn what_was_received_last_is_shown_in_full() {
    let output = script_of("/expect n\n/last\n")
        .peer(|p| {
            p.open();
            p.text("{\"n\":1.50,\"n\":[]}");
            p.answer_close(1000);
        })
        .stdout("{\"n\":1.50,\"n\":[]}\n")
        .stderr_any()
        .status(0);
    assert_eq!(output.stderr(), "{\n  \"n\": 1.50,\n  \"n\": []\n}\n");
}

#[test]
fn a_binary_message_is_shown_as_a_dump() {
    let output = script_of("/expect x\n/last\n")
        .args(["--output", "none"])
        .peer(|p| {
            p.open();
            p.binary(b"\x00\x01x\x1b[2J");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    let shown = output.stderr();
    assert!(shown.contains("00 01 78 1b 5b 32 4a") && shown.contains("|..x.[2J|"), "{shown}");
}

#[test]
fn counts_state_and_status() {
    let output =
        script_of("hello\n/expect done\n/show stats\n/show state\n/status\n/show frames 1\n")
            .args(["--output", "none"])
            .peer(|p| {
                p.open();
                p.receive_text("hello");
                p.text("done");
                p.answer_close(1000);
            })
            .stderr_any()
            .status(0);
    let shown = output.stderr();
    for part in ["text", "pings are answered at once", "connected to ws://127.0.0.1:", " 4 done\n"]
    {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
}

#[test]
fn help_for_one_command_and_for_all() {
    let output = script_of("/help\n/help frame\n")
        .peer(|p| {
            p.open();
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    let shown = output.stderr();
    for part in ["/reconnect", "/frame [OPCODE]", "mask="] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    // Where nobody's screen is, nothing is broken.
    assert!(shown.lines().any(|line| line.chars().count() > 300), "{shown}");
}

#[test]
fn a_filter_hides_and_a_log_has_everything() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().display().to_string();
    let output = script_of(
        "/filter in text /price|end/\nhello\n/expect noise\n/filter off\nshown\n/expect end\n",
    )
    .args(["-q", "--output", "frames", "--timestamps", "off", "--log", &path])
    .peer(|p| {
        p.open();
        p.receive_text("hello");
        p.text("a price");
        p.text("noise");
        p.receive_text("shown");
        p.text("end");
        p.answer_close(1000);
    })
    .stdout_any()
    .status(0);
    let shown = output.stdout();
    let texts: Vec<&str> = shown.lines().filter(|line| line.contains(" TEXT ")).collect();
    assert_eq!(
        texts.iter().map(|line| line.splitn(6, ' ').last().unwrap_or_default()).collect::<Vec<_>>(),
        ["a price", "shown", "end"],
        "{shown}"
    );
    let logged = std::fs::read_to_string(log.path()).expect("a log");
    let messages = logged.lines().filter(|line| line.contains("\"event\":\"message\"")).count();
    assert_eq!(messages, 5, "{logged}");
}

#[test]
fn a_log_has_no_secrets() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().display().to_string();
    script_of("x\n")
        .args([
            "-q",
            "--log",
            &path,
            "-H",
            "Authorization: Bearer abc.def",
            "-H",
            "Cookie: id=s3cr3t",
        ])
        .peer(|p| {
            let request = p.open();
            assert_eq!(request.get("authorization"), Some(&b"Bearer abc.def"[..]));
            p.receive_text("x");
            p.answer_close(1000);
        })
        .status(0);
    let logged = std::fs::read_to_string(log.path()).expect("a log");
    assert!(logged.contains("[redacted]") && logged.contains("\"event\":\"end\""), "{logged}");
    for secret in ["abc.def", "s3cr3t"] {
        assert!(!logged.contains(secret), "{logged}");
    }
    for line in logged.lines() {
        let _: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    }
}

#[test]
fn views_change_while_the_transcript_goes_on() {
    let lines = "/expect one\n/view messages\ngo\n/expect two\n/view hex\ngo\n/expect three\n";
    let output = script_of(lines)
        .args(["-q", "--output", "frames", "--timestamps", "off"])
        .peer(|p| {
            p.open();
            for text in ["one", "two\nlines", "three"] {
                p.text(text);
                if text != "three" {
                    p.receive_text("go");
                }
            }
            p.answer_close(1000);
        })
        .stdout_any()
        .status(0);
    let shown = output.stdout();
    assert!(shown.contains("< #1 TEXT "), "{shown}");
    assert!(shown.contains("< TEXT 9 two\\nlines\n"), "{shown}");
    assert!(shown.contains("81 05"), "{shown}");
}
