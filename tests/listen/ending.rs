//! How a run ends, and with which status.

use rustix::process::Signal;
use tungstenite::Message;

use crate::frames::{self, TEXT};
use crate::harness::{close, echoes, listen, receive, receive_close};

#[test]
fn once_serves_one_session_and_ends_with_its_status() {
    let server = listen(["--once", "--echo"]);
    // Who is not let in is no session.
    assert_eq!(server.raw().ask("/", "").status(), 426);
    let mut client = server.client();
    echoes(&mut client, "hello");
    close(client);
    server.ends(0);
}

#[test]
fn once_reports_a_violation_by_its_status() {
    let server = listen(["--once", "--echo"]);
    let mut raw = server.open();
    raw.send(b"\x81\x02hi");
    raw.receive_close(1002);
    raw.end();
    let output = server.ends(9);
    assert!(output.stderr.contains("W628"), "{}", output.stderr);
}

#[test]
fn once_reports_a_lost_connection_by_its_status() {
    let server = listen(["--once", "--echo"]);
    drop(server.open());
    server.ends(10);
}

#[test]
fn once_closes_after_the_end_of_stdin_and_silence() {
    let mut server = listen(["--once", "--linger", "0.1"]);
    let mut client = server.client();
    server.write("one\ntwo");
    server.end_stdin();
    assert_eq!((receive(&mut client), receive(&mut client)), ("one".to_owned(), "two".to_owned()));
    assert_eq!(receive_close(&mut client).0, 1000);
    while client.read().is_ok() {}
    server.ends(0);
}

#[test]
fn without_once_the_end_of_stdin_ends_nothing() {
    let mut server = listen::<&str>([]);
    server.end_stdin();
    let mut client = server.client();
    client.send(Message::text("heard")).expect("open");
    server.stdout.wait_for("heard\n");
    server.interrupt();
}

#[test]
fn a_signal_closes_all_with_1001() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = listen(["--echo"]);
        let mut clients: Vec<_> = (0..3).map(|_| server.client()).collect();
        clients.iter_mut().for_each(|client| echoes(client, "there"));
        let mut asking = server.raw();
        asking.send("GET / HTTP/1.1\r\n");
        server.signal(signal);
        for client in &mut clients {
            assert_eq!(receive_close(client).0, 1001);
            while client.read().is_ok() {}
        }
        asking.end();
        server.ends(status);
    }
}

#[test]
fn a_client_that_does_not_answer_the_close_is_not_waited_for() {
    let server = listen(["--echo"]);
    let mut raw = server.open();
    server.signal(Signal::INT);
    raw.receive_close(1001);
    // It sends nothing, and the run ends all the same.
    server.ends(130);
}

#[test]
fn a_second_signal_has_no_patience() {
    let server = listen(["--echo", "--close-timeout", "60"]);
    let mut raw = server.open();
    server.signal(Signal::INT);
    raw.receive_close(1001);
    server.signal(Signal::INT);
    server.ends(130);
}

#[test]
fn exit_after_counts_messages_of_all() {
    let server = listen(["--exit-after", "3", "--input", "none"]);
    let (mut one, mut two) = (server.open(), server.open());
    one.frame(frames::frame(TEXT, "1"));
    server.stdout.wait_for("1\n");
    two.frame(frames::frame(TEXT, "2"));
    server.stdout.wait_for("2\n");
    one.frame(frames::frame(TEXT, "3"));
    for raw in [&mut one, &mut two] {
        raw.receive_close(1000);
        raw.frame(frames::frame(frames::CLOSE, frames::close_payload(1000, "")));
        raw.end();
    }
    assert_eq!(server.ends(0).stdout, "1\n2\n3\n");
}

#[test]
fn max_time_ends_everything_with_12() {
    let server = listen(["--echo", "--max-time", "0.2"]);
    let mut client = server.client();
    assert_eq!(receive_close(&mut client).0, 1001);
    while client.read().is_ok() {}
    server.ends(12);
}

#[test]
fn a_ping_interval_keeps_an_eye_on_clients() {
    let server = listen(["--echo", "--ping-interval", "0.05", "--pong-timeout", "0.2"]);
    let mut raw = server.open();
    let (opcode, payload) = raw.receive_frame();
    assert_eq!((opcode, payload), (frames::PING, b"wscope 1".to_vec()));
    // It never pongs.
    while raw.receive_frame().0 == frames::PING {}
    server.stderr.wait_for("nothing received after a ping within the pong timeout");
    server.interrupt();
}

/// Nobody else knows the port that the system chose.
#[test]
fn a_port_of_the_systems_choice_is_printed_even_quietly() {
    let server = crate::harness::listen(["-q", "--echo"]);
    server.still_echoes();
    server.interrupt();
}
