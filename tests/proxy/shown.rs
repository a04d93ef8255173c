//! The transcript, JSON and the log: one connection, both directions, and who broke it.

use std::io::{Read, Write};

use wscope::event::Direction;

use crate::frames::{self, CLOSE, TEXT};
use crate::harness::listen;
use crate::raw::Raw;
use crate::upstream::{Upstream, proxy};

fn masked(text: &str) -> Vec<u8> {
    frames::bytes([frames::towards(Direction::ToServer, frames::frame(TEXT, text))])
}

#[test]
fn both_directions_are_one_connection_in_json_and_in_the_log() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let server = listen(["--echo"]);
    let args = ["--output", "json", "--log", log.to_str().expect("text")];
    let proxy = proxy(server.url(), &args);
    let mut client = proxy.client();
    crate::harness::echoes(&mut client, "hi");
    crate::harness::close(client);
    proxy.stdout.wait_for("\"event\":\"end\"");
    let output = proxy.interrupt();
    server.interrupt();
    let logged = std::fs::read_to_string(log).expect("a log");
    for text in [&output.stdout, &logged] {
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0]["role"], serde_json::Value::Null);
        let messages: Vec<_> = lines.iter().filter(|line| line["event"] == "message").collect();
        assert_eq!(messages.len(), 2, "{text}");
        let end = lines.iter().find(|line| line["event"] == "end").expect("an end");
        assert_eq!((&end["by"], &end["cause"]), (&"client".into(), &"closed".into()));
        assert_eq!((&end["conn"], &end["out"]["messages"]), (&1.into(), &1.into()));
        assert_eq!(end["in"]["messages"], 1);
    }
    assert!(output.stderr.contains("listening on ws://127.0.0.1:"), "{}", output.stderr);
}

/// What is printed of a connection on which these bytes cross.
fn said_of(to_server: &[u8], to_client: &[u8]) -> String {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let (mut client, mut server): (Raw, _) = upstream.open(&proxy);
    client.send(to_server);
    server.write_all(to_client).expect("it reads");
    // Both have been decoded before either ends.
    let seen = |direction: &str, bytes: &[u8]| {
        if !bytes.is_empty() {
            proxy.stdout.wait_until("a frame", |said| {
                said.lines().any(|line| line.starts_with(direction) && line.contains("#1"))
            });
        }
    };
    seen(">", to_server);
    seen("<", to_client);
    drop((client, server));
    proxy.stdout.wait_for("on the wire)");
    proxy.interrupt().stdout
}

#[test]
fn who_broke_it_is_named() {
    let bare = frames::bytes([frames::frame(TEXT, "bare")]);
    let said = said_of(&bare, &bare);
    let expected = "the client broke the connection: its frames break a rule; the server's do not";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("this is about what the client sent"), "{said}");
    let said = said_of(&masked("x"), &masked("y"));
    let expected = "the server broke the connection: its frames break a rule; the client's do not";
    assert!(said.contains(expected), "{said}");
    let close = frames::close_payload(1000, "");
    let said = said_of(
        &frames::bytes([frames::towards(Direction::ToServer, frames::frame(CLOSE, &close))]),
        &frames::bytes([frames::frame(CLOSE, &close)]),
    );
    assert!(!said.contains("broke the connection"), "{said}");
    assert!(said.contains("the client closed with"), "{said}");
}

#[test]
fn a_quiet_proxy_prints_what_opens_and_ends() {
    let server = listen(["--echo"]);
    let proxy = proxy(server.url(), &["--output", "none"]);
    let mut client = proxy.client();
    crate::harness::echoes(&mut client, "hi");
    crate::harness::close(client);
    let said = proxy.stderr.wait_for("the client closed with");
    assert!(said.contains(" /: open\n"), "{said}");
    let output = proxy.interrupt();
    assert_eq!(output.stdout, "");
    server.interrupt();
}

#[test]
fn q_prints_no_transcript_unless_one_is_asked_for() {
    let server = listen(["--echo"]);
    let text = |args: &[&str]| {
        let proxy = proxy(server.url(), args);
        let mut client = proxy.client();
        crate::harness::echoes(&mut client, "hi");
        crate::harness::close(client);
        let output = proxy.interrupt();
        (output.stdout, output.stderr)
    };
    let (stdout, stderr) = text(&["-q"]);
    assert_eq!(stdout, "");
    assert!(stderr.lines().all(|line| line.starts_with("listening on ")), "{stderr}");
    for args in [&["-q", "--output", "frames"][..], &["-q", "--view", "messages"]] {
        assert!(text(args).0.contains("hi"), "{args:?}");
    }
    server.interrupt();
}

/// What the proxy says of a connection to which these options do something; the server answers the
/// first bytes with these, if any, and the client leaves.
fn said_with(args: &[&str], sent: &[u8], answer: &[u8]) -> String {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(args);
    let (mut client, mut server): (Raw, _) = upstream.open(&proxy);
    client.send(sent);
    if !answer.is_empty() {
        let mut some = [0; 64];
        assert!(server.read(&mut some).expect("a frame") > 0);
        server.write_all(answer).expect("it reads");
        client.receive_frame();
    } else {
        proxy.stdout.wait_for("#1 CLOSE");
    }
    client.hang_up();
    let _ = server.read_to_end(&mut Vec::new());
    drop((client, server));
    proxy.stdout.wait_for("on the wire)");
    let output = proxy.interrupt();
    output.stdout
}

#[test]
fn a_close_that_was_kept_back_here_is_no_fault_of_its_sender() {
    let close = frames::close_payload(1000, "");
    let bye = frames::bytes([frames::towards(Direction::ToServer, frames::frame(CLOSE, &close))]);
    let said = said_with(&["--rule", "> close -> drop"], &bye, b"");
    assert!(said.contains("the Close of the client was kept back here"), "{said}");
    for wrong in ["the client broke", "the server broke", "W804", "W801"] {
        assert!(!said.contains(wrong), "{wrong}: {said}");
    }
}

#[test]
fn what_this_proxy_broke_is_no_fault_of_an_end() {
    let refusal =
        |code: u16| frames::bytes([frames::frame(CLOSE, frames::close_payload(code, ""))]);
    for (fault, code) in [("> unmasked", "W628"), ("> rsv2", "W603")] {
        let said = said_with(&["--fault", fault], &masked("hi"), &refusal(1002));
        let expected = format!(
            "wscope's frame #1 to the server (injected) breaks {code}; the server answered with 1002"
        );
        assert!(said.contains(&expected), "{said}");
        for wrong in ["W702", "broke the connection"] {
            assert!(!said.contains(wrong), "{wrong}: {said}");
        }
    }
    let close = frames::close_payload(1000, "");
    let bye = frames::bytes([frames::towards(Direction::ToServer, frames::frame(CLOSE, &close))]);
    let echo = frames::bytes([frames::frame(CLOSE, b"ab")]);
    let said = said_with(&["--rule", "> close -> replace /.*/ab/"], &bye, &echo);
    let expected = "wscope's frame #1 to the server (edited) breaks W620";
    assert!(said.contains(expected), "{said}");
    assert!(!said.contains("the server broke"), "{said}");
    assert!(!said.contains("error[W620]"), "{said}");
}
