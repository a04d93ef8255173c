//! `wscope doctor`: the verdict first, then each step; 0 only if a WebSocket opened.

use crate::golden::{settled, wscope};
use std::io::{Read as _, Write as _};

use crate::server::{End, Says, serve, serve_open};

fn doctor(args: &[&str], says: Says, end: End) -> (String, Option<i32>) {
    examine(args, serve(says, end))
}

fn examine(args: &[&str], port: u16) -> (String, Option<i32>) {
    let port = port.to_string();
    let url = format!("ws://127.0.0.1:{port}/chat");
    let told = wscope(&[&["doctor", "--idle", "0", url.as_str()], args].concat());
    assert!(told.stderr.is_empty(), "{told:?}");
    (settled(&String::from_utf8_lossy(&told.stdout), &port), told.status.code())
}

#[test]
fn a_healthy_server_has_every_step_in_order() {
    let port = serve_open(|stream| {
        let mut buffer = [0; 512];
        loop {
            let _ = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
            let answer = match buffer[0] {
                0x89 => &b"\x8a\x0dwscope doctor"[..],
                _ => b"\x88\x02\x03\xe8",
            };
            stream.write_all(answer).ok()?;
        }
    });
    let (said, status) = examine(&[], port);
    assert_eq!(status, Some(0), "{said}");
    let names: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split("  ").filter(|part| !part.trim().is_empty()).nth(1))
        .map(str::trim)
        .collect();
    let all = ["name", "tcp (IPv4)", "http", "upgrade", "origin", "subprotocol", "compression"];
    assert!(names.starts_with(&all), "{names:?} {said}");
    let answered = said.lines().any(|line| line == "ok       ping          answered (0 ms)");
    assert!(answered && said.starts_with("healthy: "), "{said}");
    assert!(said.lines().next().is_some_and(|line| line.contains("a WebSocket opens in 0 ms")));
}

/// No compression was agreed, but that explains nothing.
#[test]
fn pings_without_an_answer_are_the_verdict() {
    let port = serve_open(|stream| {
        let mut buffer = [0; 512];
        loop {
            let _ = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
            if buffer[0] == 0x88 {
                stream.write_all(b"\x88\x02\x03\xe8").ok()?;
            }
        }
    });
    let (said, status) = examine(&[], port);
    assert_eq!(status, Some(12), "{said}");
    assert!(
        said.lines().next().is_some_and(|line| line.contains("the server does not answer pings")),
        "{said}"
    );
}

#[test]
fn a_refusal_is_the_verdict_and_what_can_not_be_tried_is_skipped() {
    let says = Says::Bytes(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let (said, status) = doctor(&[], says, End::Hang);
    assert_eq!(status, Some(7), "{said}");
    assert!(said.starts_with(
        "no WebSocket: there is no WebSocket at this path: a wrong path, in the URL or rewritten by a proxy, a program without WebSocket, or Upgrade and Connection were lost on the way; the server answered 404 Not Found instead of 101 switching protocols\n\n\
         error[W334]: there is no WebSocket at this path\n"
    ));
    for line in [
        "refused  http          a plain GET without Upgrade: 404 Not Found (0 ms)",
        "failed   upgrade       the server answered 404 Not Found instead of 101 switching protocols",
        "refused  origin        with Origin: http://127.0.0.1:PORT0: 404 Not Found (0 ms)",
        "skipped  ping          no WebSocket",
    ] {
        assert!(said.lines().any(|other| other == line), "{line}: {said}");
    }
}

#[test]
fn json_has_a_verdict_what_was_found_and_the_steps() {
    let (said, status) =
        doctor(&["--output", "json"], Says::Bytes(b"SSH-2.0-OpenSSH\r\n"), End::Hang);
    assert_eq!(status, Some(8), "{said}");
    let objects: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let kinds: Vec<&str> = objects.iter().filter_map(|object| object["event"].as_str()).collect();
    assert_eq!(kinds[..4], ["start", "verdict", "diagnostic", "step"]);
    assert_eq!(objects[1]["opened"], false);
    assert_eq!(objects[2]["code"], "W110");
    let step = objects.iter().find(|object| object["name"] == "upgrade").expect("a step");
    assert_eq!(step["outcome"], "failed");
}
