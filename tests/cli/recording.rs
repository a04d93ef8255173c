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
        .stdin("/pong by hand\n/expect /done/\n")
        .peer(|p| {
            p.open();
            p.receive_pong("by hand");
            p.ping("p");
            p.receive_pong("p");
            p.text("done");
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
        stderr.starts_with("wscope: the log /dev/full lacks what comes from now on: "),
        "{stderr}"
    );
}
