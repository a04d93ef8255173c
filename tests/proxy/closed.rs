//! A rule that closes: what it keeps back is named, and the end is told as the rule's doing.

use std::io::Write;

use wscope::event::Direction;

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, TEXT};
use crate::harness::wscope;
use crate::rules::{Peer, masked, text};
use crate::upstream::Upstream;

fn close(code: u16) -> Vec<u8> {
    frames::bytes([frames::frame(CLOSE, code.to_be_bytes())])
}

fn masked_close(code: u16) -> Vec<u8> {
    frames::bytes([masked(frames::frame(CLOSE, code.to_be_bytes()))])
}

/// What a converted recording has of the lines that begin so.
fn converted(log: &std::path::Path, beginning: &str) -> Vec<String> {
    let run = wscope().arg("convert").arg(log).args(["-", "--to", "txt"]).output().expect("a run");
    assert!(run.status.success(), "{run:?}");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    text.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect()
}

#[test]
fn each_message_that_is_not_delivered_is_named_in_transcript_log_and_recording() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let upstream = Upstream::new();
    let args = ["--rule", "> /bad/ -> close 1011", "--log", log.to_str().expect("text")];
    let proxy = upstream.proxy(&args);
    let (mut client, mut server) = upstream.open(&proxy);
    let fragments =
        [masked(frames::fragment(TEXT, "la")), masked(frames::frame(CONTINUATION, "te"))];
    client.send(
        [text("bad"), text("after"), frames::bytes([masked(frames::frame(PING, "p"))])].concat(),
    );
    client.send(frames::bytes(fragments));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    assert_eq!(at_server.next(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    assert_eq!(client.receive_frame(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    server.write_all(&close(1011)).expect("it reads");
    client.send(masked_close(1011));
    drop((server, at_server, client));
    let said = proxy.stdout.wait_for("on the wire)");
    for line in [
        "text #1 to the server: both ends are closed with 1011 instead (rule 1)",
        "text #2 to the server: dropped (rule 1)",
        "ping #3 to the server: dropped (rule 1)",
        "text #4 to the server: dropped (rule 1)",
        "continuation #5 to the server: dropped (rule 1)",
        "* [1] rule 1 closed both sides with 1011 internal error after ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // The answers are no messages that an end misses.
    assert!(!said.contains("close #"), "{said}");
    proxy.interrupt();
    let logged = std::fs::read_to_string(&log).expect("a log");
    let lines = logged.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<serde_json::Value> = lines.collect();
    let dropped: Vec<_> = lines.iter().filter(|line| line["what"] == "dropped").collect();
    let numbers: Vec<_> = dropped.iter().map(|line| (&line["frame"], &line["rule"])).collect();
    let rule = &serde_json::json!(1);
    let frames = [2, 3, 4, 5].map(|n| serde_json::json!(n));
    assert_eq!(numbers, frames.iter().map(|n| (n, rule)).collect::<Vec<_>>());
    let end = lines.iter().find(|line| line["event"] == "end").expect("an end");
    assert_eq!((&end["by"], &end["cause"]), (&"us".into(), &"closed".into()));
    assert_eq!((&end["rule"], &end["relay"]["code"]), (&1.into(), &1011.into()));
    let notes = converted(&log, "* [1] ");
    for line in ["text #2 to the server: dropped (rule 1)", "* [1] rule 1 closed both sides with"] {
        assert!(notes.iter().any(|note| note.contains(line)), "{line}: {notes:#?}");
    }
}

#[test]
fn an_end_that_answers_otherwise_or_not_at_all_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "< /bad/ -> close 4000"]);
    let (mut client, mut server) = upstream.open(&proxy);
    server.write_all(&frames::bytes([frames::frame(TEXT, "bad")])).expect("it reads");
    assert_eq!(client.receive_frame(), (CLOSE, 4000u16.to_be_bytes().to_vec()));
    client.send(masked_close(1001));
    drop((server, client));
    let said = proxy.stdout.wait_for("on the wire)");
    let end = said.lines().find(|line| line.contains("rule 1 closed both sides with 4000 after "));
    let end = end.unwrap_or_else(|| panic!("{said}"));
    assert!(
        end.ends_with("; the client answered with 1001 going away; the server did not answer"),
        "{end}"
    );
    proxy.interrupt();
}

#[test]
fn what_waits_when_the_other_direction_closes_is_named_too() {
    let upstream = Upstream::new();
    let rules = ["--rule", "> /slow/ -> delay 60s", "--rule", "< /bad/ -> close 1011"];
    let proxy = upstream.proxy(&rules);
    let (mut client, mut server) = upstream.open(&proxy);
    let binary = frames::bytes([masked(frames::frame(BINARY, "behind"))]);
    client.send([text("slow"), binary].concat());
    proxy.stdout.wait_for("text #1 to the server: delayed by 60 s");
    proxy.stdout.wait_for("#2 BIN");
    server.write_all(&frames::bytes([frames::frame(TEXT, "bad")])).expect("it reads");
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    assert_eq!(at_server.next(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    drop((server, at_server, client));
    let said = proxy.stdout.wait_for("on the wire)");
    for line in ["text #1 to the server: dropped", "binary #2 to the server: dropped"] {
        assert!(said.contains(&format!("{line} (rule 2)")), "{line}: {said}");
    }
    proxy.interrupt();
}

#[test]
fn a_message_under_way_is_not_continued_behind_the_close() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "< /bad/ -> close 1011"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let first = frames::bytes([masked(frames::fragment(TEXT, "one "))]);
    client.send(&first[..8]);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    let mut passed = 0;
    while passed < 8 {
        passed += at_server.read();
    }
    server.write_all(&frames::bytes([frames::frame(TEXT, "bad")])).expect("it reads");
    assert_eq!(client.receive_frame(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    client.send(&first[8..]);
    client.send(frames::bytes([masked(frames::frame(CONTINUATION, "message"))]));
    assert_eq!(at_server.next(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    let said = proxy.stdout.wait_for("continuation #2 to the server: dropped (rule 1)");
    assert!(!said.contains("text #1 to the server: dropped"), "{said}");
    drop((server, at_server, client));
    proxy.interrupt();
}

#[test]
fn what_a_fault_keeps_back_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--fault", "no-pong"]);
    let (client, mut server) = upstream.open(&proxy);
    server.write_all(&frames::bytes([frames::frame(frames::PONG, "p")])).expect("it reads");
    proxy.stdout.wait_for("pong #1 to the client: dropped\n");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn a_recording_of_a_proxy_has_both_legs_as_they_were() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--log", log.to_str().expect("text")]);
    let legs = |lines: &[String]| -> Vec<String> {
        let legs = lines.iter().filter(|line| line.contains("connect"));
        legs.filter(|line| line.contains(" from ")).cloned().collect()
    };
    for _ in 0..2 {
        drop(upstream.open(&proxy));
    }
    for number in 1..=2 {
        proxy.stdout.wait_for(&format!("[{number}] the client sent"));
    }
    let said: Vec<String> = proxy.interrupt().stdout.lines().map(str::to_owned).collect();
    let (live, of_log) = (legs(&said), legs(&converted(&log, "* [")));
    assert_eq!(live.len(), 4, "{said:#?}");
    assert!(live[1].contains(&format!("connected to 127.0.0.1:{} from ", upstream.port())));
    assert_eq!(of_log, live);
}
