//! `--record`: everything that crossed, in a file of which every byte can be rebuilt.

use serde_json::Value;

use crate::harness::Test;

/// The objects of a recording.
fn objects(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a recording");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn in_folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.jsonl").display().to_string();
    (folder, path)
}

#[test]
fn what_the_endpoint_sends_by_itself_is_marked() {
    let (_folder, path) = in_folder();
    Test::new()
        .args(["--record", &path, "--input", "commands", "--output", "none"])
        .stdin("/pong by hand\n/expect-close 1001\n")
        .peer(|p| {
            p.open();
            p.receive_pong("by hand");
            p.ping("p");
            p.receive_pong("p");
            p.close(1001, "");
            p.receive_close(1001);
        })
        .stderr_any()
        .status(0);
    let lines = objects(&path);
    assert_eq!(lines[0]["secrets"], "left-out");
    let sent: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "frame" && line["dir"] == "to-server")
        .map(|line| (line["opcode"].as_str().expect("a name"), line["auto"] == true))
        .collect();
    assert_eq!(sent, [("pong", false), ("pong", true), ("close", true)]);
}

#[test]
fn a_recording_states_that_secrets_are_shown() {
    let (_folder, path) = in_folder();
    Test::new()
        .args(["--record", &path, "--show-secrets", "-u", "me:hunter2", "--input", "none"])
        .peer(|p| {
            p.open();
            p.close(1000, "");
            p.receive_close(1000);
        })
        .stderr_any()
        .status(0);
    let lines = objects(&path);
    assert_eq!(lines[0]["secrets"], "shown");
    let request = lines.iter().find(|line| line["kind"] == "request").expect("a request");
    assert!(
        request["raw"].as_str().expect("text").contains("Authorization: Basic bWU6aHVudGVyMg==")
    );
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let output = Test::new()
        .args(["--record", "/dev/full", "-x", "hi", "--exit-after", "1", "--output", "none"])
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.text("ho");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(1);
    let stderr = output.stderr();
    assert!(
        stderr.starts_with("wscope: the log /dev/full is incomplete from here on: "),
        "{stderr}"
    );
}

#[test]
fn a_recording_is_decoded_to_the_same_events() {
    let (_folder, path) = in_folder();
    let lines = Test::new()
        .args(["--record", &path, "--lenient", "--lens", "none", "-x", "hi", "-x", "ho"])
        .args(["--output", "json", "--exit-after", "3"])
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.receive_text("ho");
            p.ping("p");
            p.send(b"\x01\x02He\x80\x7e\x00\x03llo");
            p.receive_pong("p");
            p.text("x");
            p.binary(b"\0\xff");
            p.answer_close(1000);
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let recorded = std::fs::read_to_string(&path).expect("a recording");
    assert_eq!(recorded.lines().count(), lines.stdout().lines().count());
    let decoded = Test::new().args(["decode", "--output", "json", &path]).stdout_any().status(9);
    let explained = |line: &&str| !line.starts_with("{\"event\":\"diagnostic\"");
    let was: Vec<&str> = recorded.lines().filter(explained).collect();
    let is: Vec<&str> = decoded.stdout().lines().collect();
    assert_eq!(is, was);
}

#[test]
fn a_recording_of_a_killed_program_is_read_up_to_its_last_whole_line() {
    let (_folder, path) = in_folder();
    let frame = "{\"event\":\"frame\",\"time\":\"2026-11-21T07:00:00.123456Z\",\"conn\":1,\
        \"dir\":\"to-client\",\"header_hex\":\"8105\",\"mask\":null,\"text\":\"Hello\"}\n";
    std::fs::write(&path, format!("{frame}{}", &frame[..60])).expect("a disk");
    Test::new()
        .args(["show", &path])
        .stdout_like("< 07:00:00.123 #1 TEXT F-- 5 Hello\n")
        .stderr(format!(
            "wscope: note: {path}: line 2 is cut: the program that wrote it was stopped\n"
        ))
        .status(0);
}

#[test]
fn a_run_goes_on_behind_the_recording_of_a_killed_one() {
    let (_folder, path) = in_folder();
    let record = || {
        Test::new()
            .args(["--record", &path, "-x", "hello"])
            .peer(|p| {
                p.open();
                p.receive_text("hello");
                p.answer_close(1000);
            })
            .stdout_any()
            .stderr_any()
            .status(0);
    };
    record();
    let whole = std::fs::read_to_string(&path).expect("a recording");
    let cut = &whole[..whole.len() - 40];
    std::fs::write(&path, cut).expect("a disk");
    record();
    let both = std::fs::read_to_string(&path).expect("a recording");
    assert!(both.starts_with(&format!("{cut}\n{{\"event\":\"start\"")), "{both}");
    let number = whole.lines().count();
    // As older versions appended to it, too.
    for text in [both.clone(), both.replacen(&format!("{cut}\n"), cut, 1)] {
        std::fs::write(&path, text).expect("a disk");
        let shown = Test::new()
            .args(["show", "--timestamps", "off", &path])
            .stdout_any()
            .stderr(format!(
                "wscope: note: {path}: line {number} is cut: the program that wrote it was stopped\n"
            ))
            .status(0);
        assert_eq!(shown.stdout().matches("TEXT F-M 5 hello").count(), 2, "{}", shown.stdout());
    }
    // A bad line inside of a run is an error.
    std::fs::write(&path, whole.replacen("\n", "\n{\"event\n", 1)).expect("a disk");
    let said = Test::new().args(["show", &path]).stdout_any().stderr_any().status(1);
    assert!(said.stderr().contains("line 2: not a line of a log"), "{}", said.stderr());
}

#[test]
fn show_takes_a_view_a_filter_and_a_lens() {
    let (_folder, path) = in_folder();
    Test::new()
        .args([
            "--record",
            &path,
            "-x",
            "one",
            "-x",
            "two",
            "--exit-after",
            "1",
            "--output",
            "none",
        ])
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("two");
            p.text("{\"a\":1}");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    let shown = |args: &[&str]| {
        let test = Test::new().args(["show", "--timestamps", "off", &path]).args(args.to_vec());
        test.stdout_any().status(0).stdout().to_owned()
    };
    let whole = shown(&[]);
    assert!(
        whole.contains("> #1 TEXT F-M 3 one\n> #2 TEXT F-M 3 two\n< #1 TEXT F-- 7 {\"a\":1}\n"),
        "{whole}"
    );
    assert!(whole.contains("closed with 1000 normal closure"), "{whole}");
    let filtered = shown(&["--filter", "out /tw/"]);
    assert!(!filtered.contains(" one") && filtered.contains("> #2 TEXT F-M 3 two\n"), "{filtered}");
    assert!(shown(&["--view", "hex"]).contains("74 77 6f"));
    assert!(shown(&["--view", "json"]).starts_with("{\"event\":\"start\""));
    Test::new()
        .args(["show", "/dev/null"])
        .stderr(
            "wscope: /dev/null: not a recording: neither JSON lines of --record, nor an HTTP \
             archive, nor a packet capture; `wscope decode` reads bytes and hex\n",
        )
        .status(1);
}

#[test]
fn runs_in_one_file_have_their_own_numbers() {
    let (_folder, path) = in_folder();
    for text in ["one", "two"] {
        Test::new()
            .args(["--record", &path, "--input", "none", "--output", "none"])
            .peer(move |p| {
                p.open();
                p.text(text);
                p.close(1000, "");
                p.receive_close(1000);
            })
            .stderr_any()
            .status(0);
    }
    let run = |args: &[&str]| {
        let mut command = crate::harness::wscope();
        let output = command.args(args).arg(&path).output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let listed = run(&["decode", "--list"]);
    let rows: Vec<_> = listed.lines().map(|line| line.split_whitespace().next()).collect();
    assert_eq!(rows, [Some("1"), Some("2")], "{listed}");
    assert!(listed.lines().all(|row| row.contains("< 2 frames in 3 B")), "{listed}");
    let second = run(&["decode", "--stream", "2"]);
    assert!(second.contains(" two\n") && !second.contains(" one\n"), "{second}");
}
