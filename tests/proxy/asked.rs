//! What lines ask of a proxy: who is there, what has passed, who has to go.

use std::io::Write;

use wscope::event::Direction;

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::harness::Server;
use crate::rules::{Peer, masked, text};
use crate::upstream::Upstream;

const COMMANDS: [&str; 2] = ["--input", "commands"];

/// The error of a line, while one connection is open.
#[track_caller]
fn error_of(line: &str) -> String {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&COMMANDS);
    let (client, server) = upstream.open(&proxy);
    proxy.write(&format!("{line}\n"));
    let said = proxy.ends(1).stderr;
    drop((client, server));
    let error = said.lines().find_map(|said| said.split_once("stdin: line 1: "));
    error.unwrap_or_else(|| panic!("{said}")).1.to_owned()
}

#[test]
fn a_connection_that_is_not_there_is_named_with_those_that_are() {
    for line in ["@9> x", "@9< /ping", "/kick 9", "@9 /last", "@9 /status", "@9 /show handshake"] {
        assert_eq!(error_of(line), "connection 9 is not open; open: 1", "{line}");
    }
    let server = crate::harness::listen(COMMANDS);
    let mut server: Server = server;
    server.write("@7 x\n");
    let said = server.ends(1).stderr;
    assert!(said.contains("client 7 is not connected; no client is connected"), "{said}");
}

#[test]
fn a_kick_closes_both_ends() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&COMMANDS);
    let (mut client, mut server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    proxy.write("/kick 1 4001 enough\n");
    let body = frames::close_payload(4001, "enough");
    assert_eq!(at_server.next(), (CLOSE, body.clone()));
    assert_eq!(client.receive_frame(), (CLOSE, body.clone()));
    // Neither end sees the other's answer, nor what came meanwhile.
    client.send(text("late"));
    client.send(frames::bytes([masked(frames::frame(CLOSE, &body))]));
    server.write_all(&frames::bytes([frames::frame(CLOSE, &body)])).expect("it reads");
    proxy.stdout.wait_for("text #1 to the server: dropped\n");
    drop((server, at_server));
    assert!(client.rest().is_empty());
    drop(client);
    let said = proxy.stdout.wait_for("on the wire)");
    assert!(said.contains("the proxy closed both sides with 4001 \"enough\" after"), "{said}");
    proxy.write("/kick 1\n");
    let said = proxy.ends(1).stderr;
    assert!(said.contains("connection 1 is not open; no connection is open"), "{said}");
}

#[test]
fn bytes_of_control_frames_are_no_bytes_of_messages() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&COMMANDS);
    let (mut client, mut server) = upstream.open(&proxy);
    client.send([text("five5"), frames::bytes([masked(frames::frame(PING, "12345678"))])].concat());
    let pong = frames::frame(PONG, "12345678");
    server.write_all(&frames::bytes([pong, frames::frame(TEXT, "abc")])).expect("it reads");
    proxy.stdout.wait_until("frames", |said| said.contains("five5") && said.contains("abc"));
    proxy.stdout.wait_for("#2 PING");
    proxy.write("/clients\n@1 /status\n");
    let amounts = "open; the client sent 2 frames, 1 message, 5 bytes; \
                   the server 2 frames, 1 message, 3 bytes";
    proxy.stderr.wait_until("both answers", |said| said.matches(amounts).count() == 2);
    drop((client, server));
    proxy.write("/quit\n");
    proxy.ends(0);
}

#[test]
fn what_was_put_in_is_found_again() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&[&COMMANDS[..], &["--rule", "> binary -> dup"]].concat());
    let (mut client, server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    // A message of the client's in pieces, and between them one that was put in in pieces, too.
    client.send(frames::bytes([masked(frames::frame(BINARY, "needle b"))]));
    at_server.expect(BINARY, "needle b");
    at_server.expect(BINARY, "needle b");
    proxy.write("@> /frame text fin=off nee\n@> /frame continuation dle x\n@< a needle\n");
    at_server.expect(TEXT, "needle x");
    assert_eq!(client.receive_frame(), (TEXT, b"a needle".to_vec()));
    client.send(frames::bytes([
        masked(frames::fragment(TEXT, "nee")),
        masked(frames::frame(CONTINUATION, "dle y")),
    ]));
    at_server.expect(TEXT, "needle y");
    proxy.write("/find needle\n");
    let said = proxy.stderr.wait_for("/needle/ is in 5 of 5 messages in memory");
    for (part, mark) in [
        ("6e 65 65 64 6c 65 20 62", ""),
        ("6e 65 65 64 6c 65 20 62", " (copied)"),
        ("needle x", " (injected)"),
        ("a needle", " (injected)"),
        ("needle y", ""),
    ] {
        let line = format!("{part}{mark}");
        assert!(said.lines().any(|said| said.ends_with(&line)), "{line}: {said}");
    }
    proxy.write("/show frames 3\n");
    proxy.stderr.wait_for("connection 1\n< ");
    drop((client, server, at_server));
    proxy.write("/quit\n");
    proxy.ends(0);
}
