//! `wscope doctor`: the verdict first, then each step; 0 only if a WebSocket opened.

use crate::golden::{settled, wscope};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::server::{End, Says, receive, serve, serve_all, serve_open, switching};

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

/// A server that answers no ping, and ends the session a while after one: with these bytes.
fn ends_after_a_ping(wait: u64, last: &'static [u8]) -> u16 {
    serve_open(move |stream| {
        let mut buffer = [0; 512];
        while buffer[0] != 0x89 {
            stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
            if buffer[0] == 0x88 {
                stream.write_all(b"\x88\x02\x03\xe8").ok()?;
            }
        }
        // Nothing more comes until the client gives up.
        stream.set_read_timeout(Some(std::time::Duration::from_millis(wait))).ok()?;
        let _ = stream.read(&mut buffer);
        stream.write_all(last).ok()
    })
}

#[test]
fn a_ping_that_ends_the_session_is_found_however_long_that_takes() {
    for (wait, last) in [(150, &b""[..]), (1000, b""), (100, b"\x88\x02\x03\xea")] {
        let (said, _) = examine(&[], ends_after_a_ping(wait, last));
        let first = said.lines().next().unwrap_or_default();
        assert!(first.contains("the server closes because of a ping"), "{wait}: {said}");
        assert!(said.contains("likely (high): the server closes because of a ping"), "{said}");
        assert!(said.contains("\nhelp: send it no pings"), "{said}");
        assert!(!said.contains("some connections and not others"), "{said}");
    }
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

/// A server that opens the first sessions, and answers the later requests with 429.
fn limited(opened: usize, frames: &'static [u8]) -> u16 {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        if request.is_empty() {
            return None;
        }
        let before = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if before >= opened {
            let limit = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\nslow down";
            stream.write_all(limit).ok()?;
            return None;
        }
        stream.write_all(switching(&request, "").as_bytes()).ok()?;
        stream.write_all(frames).ok()?;
        answer_doctor(stream)
    })
}

/// Answers the pings and the Close of doctor.
fn answer_doctor(stream: &mut TcpStream) -> Option<()> {
    let mut buffer = [0; 512];
    while stream.read(&mut buffer).ok()? > 0 {
        let answer = match buffer[0] {
            0x89 => &b"\x8a\x0dwscope doctor"[..],
            _ => b"\x88\x02\x03\xe8",
        };
        stream.write_all(answer).ok()?;
    }
    None
}

#[test]
fn a_limit_that_the_trials_reach_is_not_the_verdict() {
    let (said, status) = examine(&[], limited(1, b""));
    assert_eq!(status, Some(0), "{said}");
    let first = said.lines().next().unwrap_or_default();
    assert!(first.starts_with("healthy: ") && first.contains("met a limit"), "{said}");
    assert!(said.contains("429 Too Many Requests: a limit"), "{said}");
    // The first session ended for its own reason.
    let close = b"\x81\x02hi\x88\x0b\x0f\xa1bad token";
    let (said, status) = examine(&[], limited(1, close));
    assert_ne!(status, Some(0), "{said}");
    let first = said.lines().next().unwrap_or_default();
    assert!(first.contains("bad token") && !first.contains("slow down"), "{said}");
}

#[test]
fn a_stream_that_tells_how_its_work_ended_is_healthy() {
    for (reason, healthy) in
        [("build failed", true), ("exit code 1", true), ("login failed", false)]
    {
        let port = serve_open(move |stream| {
            stream.write_all(b"\x81\x05line1\x81\x05line2").ok()?;
            let len = 2 + reason.len() as u8;
            let close = [&[0x88, len, 0x03, 0xe8], reason.as_bytes()].concat();
            stream.write_all(&close).ok()?;
            // What is not read before the socket closes would reset the connection.
            stream.shutdown(Shutdown::Write).ok()?;
            io::copy(stream, &mut io::sink()).ok().map(drop)
        });
        let (said, status) = examine(&[], port);
        assert_eq!(status == Some(0), healthy, "{said}");
        let first = said.lines().next().unwrap_or_default();
        assert!(first.contains(reason), "{said}");
    }
}

/// The server closes the older session of an address when a newer one opens.
#[test]
fn a_session_that_a_later_one_replaces_is_not_the_verdict() {
    let older = std::sync::Mutex::new(None::<TcpStream>);
    let port = serve_open(move |stream| {
        let before = older.lock().expect("no panic").replace(stream.try_clone().ok()?);
        if let Some(mut before) = before {
            let _ = before.write_all(b"\x88\x0b\x0f\xa9duplicate");
        }
        answer_doctor(stream)
    });
    let (said, status) = examine(&[], port);
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("duplicate"), "{said}");
}
