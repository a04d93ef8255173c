//! Bounds that can be set: clients, time, size, and what may wait for a slow one.

use tungstenite::Message;
use wscope::event::Direction;

use crate::frames::{self, BINARY, PING, PONG, TEXT};
use crate::harness::{Server, close, echoes, listen, shell};
use crate::raw::UPGRADE;

#[test]
fn beyond_max_clients_there_is_503() {
    let server = listen(["--echo", "--max-clients", "2"]);
    let (mut one, mut two) = (server.client(), server.client());
    echoes(&mut one, "in");
    echoes(&mut two, "in");
    let mut third = server.raw();
    let response = third.ask("/", UPGRADE);
    assert_eq!((response.status(), response.header("Retry-After")), (503, Some("1")));
    third.hang_up();
    third.end();
    close(two);
    server.stderr.wait_for("[2] left");
    // The place is free once the last bytes are sent.
    let mut again = server.raw();
    while again.ask("/", UPGRADE).status() == 503 {
        again.hang_up();
        again.end();
        again = server.raw();
    }
    echoes(&mut one, "still in");
    server.interrupt();
}

#[test]
fn few_descriptors_are_used_for_clients() {
    let server = Server::start(&mut shell("ulimit -n 64; exec \"$PROGRAM\" listen --echo 0"));
    let mut clients: Vec<_> = (0..32).map(|_| server.client()).collect();
    clients.iter_mut().for_each(|client| echoes(client, "in"));
    server.interrupt();
}

#[test]
fn a_silent_client_is_closed() {
    let server = listen(["--echo", "--idle-timeout", "0.3"]);
    let mut silent = server.open();
    silent.receive_close(1001);
    server.stderr.wait_for("nothing received within the idle timeout");
    silent.end();
    server.interrupt();
}

#[test]
fn a_message_beyond_the_limit_is_failed_with_1009() {
    let server = listen(["--echo", "--max-message", "1000"]);
    let mut client = server.client();
    echoes(&mut client, &"x".repeat(1000));
    let mut raw = server.open();
    raw.frame(frames::frame(TEXT, "x".repeat(1001)));
    raw.receive_close(1009);
    server.interrupt();
}

#[test]
fn who_does_not_read_gives_way_before_who_sends() {
    let server = listen([
        "--broadcast",
        "--close-timeout",
        "1",
        "--max-memory",
        "24M",
        "--max-backlog",
        "24M",
    ]);
    let slow = server.open();
    let mut sender = server.open();
    server.stderr.wait_for("[2] joined");
    let frame = frames::frame(BINARY, vec![b'x'; 7 << 20]);
    let bytes = frames::bytes([frames::towards(Direction::ToServer, frame)]);
    for _ in 0..8 {
        sender.send(&bytes);
    }
    sender.frame(frames::frame(PING, "here"));
    assert_eq!(sender.receive_frame(), (PONG, b"here".to_vec()));
    server.stderr.wait_for("[1] left");
    drop(slow);
    server.interrupt();
}

#[test]
fn who_cannot_keep_up_with_a_broadcast_is_closed_and_reported() {
    let server = listen(["--broadcast", "--close-timeout", "1", "--max-backlog", "64M"]);
    let slow = server.open();
    let mut quick = server.client();
    let mut sender = server.open();
    server.stderr.wait_for("[3] joined");
    let reading = std::thread::spawn(move || {
        let mut count = 0_u64;
        loop {
            match quick.read().expect("a message") {
                Message::Binary(bytes) => count += bytes.len() as u64,
                Message::Text(_) => return count,
                other => panic!("{other:?}"),
            }
        }
    });
    let frame = frames::frame(BINARY, vec![b'x'; 1 << 20]);
    let bytes = frames::bytes([frames::towards(Direction::ToServer, frame)]);
    for _ in 0..72 {
        sender.send(&bytes);
    }
    sender.frame(frames::frame(TEXT, "the end"));
    assert_eq!(crate::waiting::join(reading), 72 << 20, "who keeps up gets everything");
    server.stderr.wait_for("closed with 1013 try again later \"too slow");
    drop(slow);
    server.interrupt();
}
