//! Clients that do what they should not: each is named, and the others are served.

use rustix::process::Signal;
use wscope::event::Direction;

use crate::frames::{self, BINARY, PING, PONG, TEXT};
use crate::harness::{echoes, listen};
use crate::raw::UPGRADE;

#[test]
fn garbage_is_named_and_answered() {
    let server = listen(["--echo"]);
    for (garbage, name) in [
        (&b"\x00\x01\x02\x03"[..], "the request is not HTTP: \"\\0\\u{1}\\u{2}\\u{3}\""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "speaks TLS on a plain port"),
        (b"{\"hello\": true}\n", "the request is not HTTP"),
        (b"hello there\r\n\r\n", "the request is not HTTP: \"hello there"),
    ] {
        let mut raw = server.raw();
        raw.send(garbage);
        let response = raw.response();
        assert_eq!(response.status(), 400, "{name}");
        server.stderr.wait_for(name);
        assert_eq!(raw.rest(), b"");
    }
    server.still_echoes();
    server.interrupt();
}

#[test]
fn http2_is_asked_to_use_http_1_1() {
    let server = listen(["--echo"]);
    let mut raw = server.raw();
    raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00");
    let answer = raw.rest();
    assert_eq!(answer[..9], [0, 0, 0, 4, 0, 0, 0, 0, 0], "SETTINGS");
    assert_eq!((answer[12], answer[25]), (7, 0xd), "GOAWAY with HTTP_1_1_REQUIRED");
    server.stderr.wait_for("the client speaks HTTP/2");
    server.still_echoes();
    server.interrupt();
}

#[test]
fn a_head_without_end_is_refused_at_its_limit() {
    let server = listen(["--echo"]);
    let mut raw = server.raw();
    let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
    head.resize(1 << 20, b'x');
    raw.try_send(&head);
    assert_eq!(raw.response().status(), 431);
    let mut raw = server.raw();
    raw.try_send(format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200)));
    assert_eq!(raw.response().status(), 431);
    server.stderr.wait_for("more than 128 headers");
    server.still_echoes();
    server.interrupt();
}

#[test]
fn a_head_that_dribbles_is_given_up() {
    let server = listen(["--echo", "--handshake-timeout", "0.2"]);
    let mut slow = server.raw();
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n");
    let mut mute = server.raw();
    let mut survivor = server.client();
    echoes(&mut survivor, "meanwhile");
    assert_eq!(slow.response().status(), 408);
    assert_eq!(mute.response().status(), 408);
    server.stderr.wait_for("no complete request within the handshake timeout");
    echoes(&mut survivor, "afterwards");
    server.interrupt();
}

#[test]
fn a_flood_of_pings_leaves_the_others_their_turns() {
    let server = listen(["--echo"]);
    let flood = frames::bytes([frames::towards(Direction::ToServer, frames::frame(PING, "x"))]);
    let flood = flood.repeat(100_000);
    let mut flooder = server.open();
    let mut writer = flooder.tcp().try_clone().expect("a descriptor");
    // It never reads a pong: at some point it is not read any more either, until its end.
    let writing = std::thread::spawn(move || {
        for _ in 0..200 {
            if std::io::Write::write_all(&mut writer, &flood).is_err() {
                break;
            }
        }
    });
    assert_eq!(flooder.receive_frame(), (PONG, b"x".to_vec()));
    let mut survivor = server.client();
    for _ in 0..50 {
        echoes(&mut survivor, "my turn");
    }
    let rss = memory(server.pid());
    assert!(rss < 64 << 20, "{rss} bytes of memory");
    flooder.tcp().shutdown(std::net::Shutdown::Both).expect("connected");
    crate::waiting::join(writing);
    server.still_echoes();
    server.interrupt();
}

#[test]
fn a_deflate_bomb_is_stopped_at_its_limit() {
    let server = listen(["--echo", "--max-inflated", "10M"]);
    let mut raw = server.raw();
    let request = format!("{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert_eq!(raw.ask("/", &request).status(), 101);
    let bomb = frames::deflated(&mut frames::deflater(false), vec![b'a'; 64 << 20]);
    assert!(bomb.len() < 100_000);
    raw.frame(frames::compressed(TEXT, bomb));
    let mut code = None;
    while code.is_none() {
        // What was echoed before the limit.
        let (opcode, payload) = raw.receive_frame();
        code = (opcode == frames::CLOSE).then(|| payload[..2].to_vec());
    }
    assert_eq!(code, Some(1009_u16.to_be_bytes().to_vec()));
    server.stderr.wait_for("W625");
    server.still_echoes();
    server.interrupt();
}

#[test]
fn every_violation_fails_its_connection_alone() {
    let server = listen(["--echo"]);
    let mut survivor = server.client();
    for (bytes, code, name) in [
        (&b"\x81\x02hi"[..], 1002, "W628"),
        (b"\xf1\x80\x00\x00\x00\x00", 1002, "W60"),
        (b"\x83\x80\x00\x00\x00\x00", 1002, "W606"),
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007, "W615"),
        (b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", 1009, "W626"),
        (b"\x88\x81\x00\x00\x00\x00x", 1002, "W619"),
    ] {
        let mut raw = server.open();
        raw.send(bytes);
        raw.receive_close(code);
        raw.hang_up();
        assert_eq!(raw.rest(), b"", "{name}");
        server.stderr.wait_for(name);
        echoes(&mut survivor, name);
    }
    server.interrupt();
}

#[test]
fn who_reads_nothing_is_read_no_more() {
    let server = listen(["--echo"]);
    let stuck = server.open();
    stuck.tcp().set_nonblocking(true).expect("a flag");
    let frame = frames::frame(BINARY, vec![b'x'; 1 << 16]);
    let bytes = frames::bytes([frames::towards(Direction::ToServer, frame)]);
    let mut taken = 0;
    while taken < 256 << 20 {
        match std::io::Write::write(&mut stuck.tcp(), &bytes) {
            Ok(n) => taken += n,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    assert!(taken < 64 << 20, "{taken} bytes were taken from a client that reads nothing");
    server.still_echoes();
    let rss = memory(server.pid());
    assert!(rss < 64 << 20, "{rss} bytes of memory");
    server.interrupt();
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let server = listen(["--echo"]);
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("Linux").count();
    server.still_echoes();
    let before = descriptors();
    for round in 0..200 {
        match round % 4 {
            0 => drop(server.raw()),
            1 => drop(server.open()),
            2 => {
                let mut raw = server.raw();
                raw.send(b"GET / HTTP/1.1\r\n");
            }
            _ => server.still_echoes(),
        }
    }
    server.stderr.wait_until("two hundred ends", |said| {
        let ends =
            said.lines().filter(|line| line.contains("left:") || line.contains("was not accepted"));
        ends.count() == 201
    });
    server.still_echoes();
    // One of those may still wait for its client's FIN.
    assert!(descriptors() <= before + 2, "{} descriptors, {before} before", descriptors());
    server.interrupt();
}

#[test]
fn half_open_connections_are_given_up() {
    let args = ["--echo", "--handshake-timeout", "0.3", "--ping-interval", "0.1"];
    let server = listen(args.into_iter().chain(["--pong-timeout", "0.3"]));
    // Nothing shows that these are gone: no FIN, no RST, no byte.
    let before_the_handshake: Vec<_> = (0..20).map(|_| server.raw()).collect();
    let after_it: Vec<_> = (0..20).map(|_| server.open()).collect();
    server.stderr.wait_until("forty ends", |said| {
        let ends = ["no complete request", "within the pong timeout"];
        said.lines().filter(|line| ends.iter().any(|end| line.contains(end))).count() == 40
    });
    drop((before_the_handshake, after_it));
    server.still_echoes();
    server.interrupt();
}

#[test]
fn who_leaves_a_backlog_of_small_questions_is_owed_no_large_answers() {
    let answer = "x".repeat(100_000);
    let server = listen(["--reply", &answer]);
    let leaving = server.open();
    leaving.tcp().set_nonblocking(true).expect("a flag");
    let question = frames::bytes([frames::towards(Direction::ToServer, frames::frame(TEXT, "?"))]);
    let questions = question.repeat(10_000);
    while matches!(std::io::Write::write(&mut leaving.tcp(), &questions), Ok(1..)) {}
    // With an RST; what was received before it can still be read.
    let linger = Some(std::time::Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(leaving.tcp(), linger).expect("an option");
    drop(leaving);
    server.stderr.wait_for("[1] left:");
    let peak = peak_memory(server.pid());
    assert!(peak < 64 << 20, "{peak} bytes of memory");
    server.interrupt();
}

#[test]
fn small_messages_to_all_are_handed_on_in_portions() {
    let server = listen(["--broadcast"]);
    let mut sender = server.open();
    let mut hearer = server.open();
    server.stderr.wait_for("[2] joined");
    // Empty messages: bytes alone would set no bound to how many there are at once.
    let empty = frames::bytes([frames::towards(Direction::ToServer, frames::frame(BINARY, ""))]);
    sender.send(empty.repeat(20_000));
    sender.frame(frames::frame(TEXT, "the end"));
    for _ in 0..20_000 {
        assert_eq!(hearer.receive_frame(), (BINARY, Vec::new()));
    }
    assert_eq!(hearer.receive_frame(), (TEXT, b"the end".to_vec()));
    server.interrupt();
}

#[test]
fn unfinished_frames_of_many_clients_are_shown_from_bounded_memory() {
    let server = listen(["--output", "frames"]);
    let frame = frames::fragment(BINARY, vec![b'x'; 17 << 20]);
    let mut begun = frames::bytes([frames::towards(Direction::ToServer, frame)]);
    begun.pop();
    let mut clients: Vec<_> = (0..16).map(|_| server.open()).collect();
    for client in &mut clients {
        client.send(&begun);
    }
    // The last byte of each, and a ping: all of it has been looked at.
    for client in &mut clients {
        client.send(b"x");
        client.frame(frames::frame(PING, ""));
        assert_eq!(client.receive_frame().0, PONG);
    }
    let peak = peak_memory(server.pid());
    assert!(peak < 192 << 20, "{peak} bytes of memory");
    server.signal(Signal::TERM);
    server.ends(143);
}

#[test]
fn who_floods_pings_and_reads_nothing_is_named() {
    let server = listen(["--echo"]);
    let flood = server.open();
    let mut writer = flood.tcp().try_clone().expect("a descriptor");
    let ping = frames::frame(PING, vec![b'x'; 100]);
    let pings = frames::bytes([frames::towards(Direction::ToServer, ping)]).repeat(1000);
    // Until both directions are full; then it waits for the end.
    let writing =
        std::thread::spawn(move || while std::io::Write::write_all(&mut writer, &pings).is_ok() {});
    server.stderr.wait_for("the peer sends but reads nothing");
    server.still_echoes();
    flood.tcp().shutdown(std::net::Shutdown::Both).expect("a socket");
    writing.join().expect("no panic");
    server.interrupt();
}

/// Resident memory in bytes.
fn memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("Linux");
    let pages: usize = status.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}

/// The most it ever was.
fn peak_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
