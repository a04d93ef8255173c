//! A peer that somebody else wrote: tungstenite's server, which does all by itself.

use std::net::TcpListener;

use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message};
use wscope::wire::CloseCode;

use crate::frames::{self, PONG};
use crate::harness::Test;

/// Echoes until the client closes.
fn echo(listener: TcpListener) {
    let (stream, _) = listener.accept().expect("a connection");
    let mut socket = tungstenite::accept(stream).expect("a good request");
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                socket.send(message).expect("the client listens");
            }
            Ok(_) => {}
            Err(Error::ConnectionClosed) => return,
            Err(error) => panic!("the client misbehaved: {error}"),
        }
    }
}

#[test]
fn lines_there_and_back() {
    let lines: String = (0..1000).map(|n| format!("ä line {n}\n")).collect();
    Test::new().args(["-w", "200ms"]).stdin(&lines).server(echo).stdout(lines).status(0);
}

#[test]
fn bytes_there_and_back() {
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 253) as u8).collect();
    Test::new()
        .args(["--input", "chunks", "--output", "raw", "-w", "200ms"])
        .stdin(&bytes)
        .server(echo)
        .stdout(bytes)
        .status(0);
}

#[test]
fn one_question_one_answer() {
    Test::new().args(["-x", "ping", "--exit-after", "1"]).server(echo).stdout("ping\n").status(0);
}

#[test]
fn its_close_is_answered() {
    Test::new()
        .args(["--input", "none"])
        .server(|listener| {
            let (stream, _) = listener.accept().expect("a connection");
            let mut socket = tungstenite::accept(stream).expect("a good request");
            let frame = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
            socket.close(Some(frame)).expect("the client listens");
            let end = loop {
                match socket.read() {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert!(matches!(end, Error::ConnectionClosed), "{end}");
        })
        .status(0);
}

#[test]
fn pings_of_ours_are_timed() {
    let output = Test::new()
        .args(["--input", "none", "-v", "--ping-interval", "20ms"])
        .peer(|p| {
            p.open();
            let ping = p.receive_frame();
            p.frame(frames::frame(PONG, ping.payload));
            // The next ping comes after the pong has been seen.
            let mut next = p.receive_frame();
            while next.opcode() == frames::PING {
                p.frame(frames::frame(PONG, next.payload));
                p.close(1000, "");
                next = p.receive_frame();
            }
            assert_eq!(next.opcode(), frames::CLOSE);
            p.hang_up();
        })
        .stderr_any()
        .status(0);
    let rtt = output.stderr().lines().any(|line| line.contains(" PONG ") && line.contains("(rtt "));
    assert!(rtt, "{}", output.stderr());
}

#[test]
fn lenient_goes_on_after_a_violation() {
    let output = Test::new()
        .args(["--input", "none", "--lenient", "-v"])
        .peer(|p| {
            p.open();
            p.send(b"\x83\x01x");
            p.text("still here");
            p.close_first(1000, "done");
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    assert!(output.stdout().contains("still here\n"), "{}", output.stdout());
    assert!(output.stderr().contains("\n! W606 "), "{}", output.stderr());
}
