//! How a run ends: one test for each row of the table of exit codes, and each way into it.

use std::io::{Seek, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

use rustix::process::Signal;
use wscope::wire::handshake::accept::AcceptSteps;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, LengthForm, OpCode};

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, TEXT};
use crate::harness::{Test, gate};
use crate::peer::{Peer, switching_protocols};

/// A client that sends nothing by itself.
fn listening() -> Test {
    Test::new().args(["--input", "none"])
}

// 0: ended cleanly.

#[test]
fn exit_0_when_our_close_is_answered() {
    Test::new()
        .args(["-w", "0"])
        .stdin("")
        .peer(|p| {
            p.open();
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn exit_0_when_the_peer_closes_with_1000_or_1001() {
    for code in [1000, 1001] {
        listening()
            .peer(move |p| {
                p.open();
                p.close_first(code, "done");
                p.hear_end();
            })
            .status(0);
    }
}

#[test]
fn exit_0_when_the_peer_closes_without_a_code() {
    listening()
        .peer(|p| {
            p.open();
            p.frame(frames::frame(CLOSE, ""));
            let answer = p.hear_frame();
            assert_eq!((answer.opcode(), answer.payload.len()), (CLOSE, 0));
        })
        .status(0);
}

// 1: any other error.

#[test]
fn exit_1_when_stdin_holds_what_cannot_be_sent() {
    Test::new()
        .stdin(b"\xff\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(
            "wscope: stdin: message 1, byte 0 of the input: [..]; send binary messages with -b\n",
        )
        .status(1);
}

// 2: wrong usage.

#[test]
fn exit_2_without_arguments() {
    Test::new().stderr("...\nUsage: wscope [..]\n...\n").status(2);
}

#[test]
fn exit_2_for_an_unknown_option() {
    Test::new()
        .args(["--bogus", "ws://localhost"])
        .stderr("error: unexpected argument '--bogus' found\n...\n")
        .status(2);
}

#[test]
fn exit_2_for_a_value_that_is_none() {
    for args in [
        ["--max-time", "soon"],
        ["--until", "("],
        ["--exit-after", "0"],
        ["--color", "pink"],
        ["--max-message", "much"],
        ["--client-max-window-bits", "16"],
        ["-s", "a b"],
        ["--ping-interval", "0"],
    ] {
        let output = Test::new().args(args).args(["ws://localhost"]).stderr_any().status(2);
        assert!(output.stderr().contains(args[0]), "{}", output.stderr());
    }
}

// 3: name not resolved.

#[test]
fn exit_3_for_a_name_that_does_not_exist() {
    Test::new()
        .args(["ws://nonexistent.invalid/"])
        .stderr("wscope: host nonexistent.invalid [..]\n")
        .status(3);
}

// 4: no TCP connection.

#[test]
fn exit_4_when_the_port_refuses() {
    // Bound, but not listening: nobody else can get the port meanwhile.
    let port = refusing_port();
    Test::new()
        .args([format!("ws://127.0.0.1:{port}/")])
        .stderr(format!("wscope: cannot connect to 127.0.0.1:{port}: connection refused[..]\n"))
        .status(4);
}

/// A port of loopback on which nothing listens.
fn refusing_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("a bound socket").port()
}

// 7: another status than 101.

#[test]
fn exit_7_with_status_line_headers_and_body_on_stderr() {
    Test::new()
        .peer(|p| {
            p.request();
            p.send(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nX-Why: origin\r\n\
                 Content-Length: 18\r\n\r\nnot you\nnor yours\n",
            );
            p.hear_end();
        })
        .stderr(
            "wscope: the server answered 403 Forbidden instead of 101 switching protocols\n\
             < HTTP/1.1 403 Forbidden\n\
             < Content-Type: text/plain\n\
             < X-Why: origin\n\
             < Content-Length: 18\n\
             <\n\
             < not you\n\
             < nor yours\n",
        )
        .status(7);
}

#[test]
fn exit_7_for_a_redirect_and_a_plain_200() {
    for status in ["302 Found\r\nLocation: /elsewhere", "200 OK"] {
        let output = Test::new()
            .peer(move |p| {
                p.request();
                p.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
                p.hear_end();
            })
            .stderr_any()
            .status(7);
        assert!(output.stderr().contains(&status[..3]), "{}", output.stderr());
    }
}

// 8: a 101 that breaks the RFC, or no HTTP.

#[test]
fn exit_8_for_a_wrong_accept_value_with_expected_and_got() {
    let (key, sent) = channel();
    let output = Test::new()
        .peer(move |p| {
            let request = p.request();
            key.send(request.get("Sec-WebSocket-Key").expect("a key").to_vec())
                .expect("a listener");
            p.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            );
            p.hear_end();
        })
        .stderr_any()
        .status(8);
    let expected = AcceptSteps::for_key(&sent.recv().expect("a request")).accept;
    for value in [&expected, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        assert!(output.stderr().contains(value), "{value}: {}", output.stderr());
    }
}

#[test]
fn exit_8_for_headers_that_are_missing() {
    for missing in ["Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Sec-WebSocket-Accept: "] {
        let output = Test::new()
            .peer(move |p| {
                let request = p.request();
                let head = switching_protocols(&request, "");
                let at = head.find(missing).expect("a header");
                let end = at + head[at..].find("\r\n").expect("a line") + 2;
                p.send([&head[..at], &head[end..]].concat());
                p.hear_end();
            })
            .stderr_any()
            .status(8);
        let name = missing.split(':').next().expect("a name");
        assert!(output.stderr().contains(name), "{}", output.stderr());
    }
}

#[test]
fn exit_8_for_a_subprotocol_or_an_extension_that_was_not_offered() {
    for (args, header) in [
        (&[][..], "Sec-WebSocket-Protocol: chat\r\n"),
        (&["-s", "mqtt"], "Sec-WebSocket-Protocol: chat\r\n"),
        (&["--no-compress"], "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        (&[], "Sec-WebSocket-Extensions: x-unheard-of\r\n"),
    ] {
        let output = Test::new()
            .peer(move |p| {
                p.open_with(header);
                p.hear_end();
            })
            .args(args.iter().copied())
            .stderr_any()
            .status(8);
        let value = header.split(": ").nth(1).expect("a value").trim_end();
        assert!(output.stderr().contains(value), "{}", output.stderr());
    }
}

#[test]
fn exit_8_for_an_answer_that_is_not_http() {
    Test::new().peer(|p| {
        p.request();
        p.send("SSH-2.0-OpenSSH_9.9\r\n");
        p.hear_end();
    })
    .stderr("wscope: the server's answer is not HTTP: SSH-2.0-OpenSSH_9.9[..] (W348); is this the right port?\n")
    .status(8);
}

// 9: the peer broke the protocol.

/// The peer sends this; the client fails the connection with a code, and says why.
#[track_caller]
fn fails(bytes: Vec<u8>, close: u16, diagnostic: &str, delivered: &[u8]) {
    let output = listening()
        .peer(move |p| {
            p.open();
            p.send(bytes);
            p.hear_close(close);
            p.hang_up();
        })
        .stdout(delivered)
        .stderr_any()
        .status(9);
    let said = output.stderr();
    assert!(said.contains(diagnostic), "{diagnostic} is missing: {said}");
    assert!(said.contains(&format!("sent {close} ")), "the code is missing: {said}");
}

fn raw(frame: RawFrame) -> Vec<u8> {
    frames::bytes([frame])
}

#[test]
fn exit_9_for_each_broken_rule_with_the_code_sent() {
    let text = || frames::frame(TEXT, "x");
    for (bytes, close, diagnostic, delivered) in [
        (raw(RawFrame { mask: Some(frames::KEY), ..text() }), 1002, "W601", &b""[..]),
        (raw(RawFrame { rsv1: true, ..text() }), 1002, "W602", b""),
        (raw(RawFrame { rsv2: true, ..text() }), 1002, "W603", b""),
        (raw(frames::frame(OpCode::Data(Data::Reserved(3)), "x")), 1002, "W606", b""),
        (raw(frames::frame(OpCode::Control(Control::Reserved(11)), "x")), 1002, "W607", b""),
        (raw(frames::fragment(PING, "x")), 1002, "W608", b""),
        (raw(frames::frame(PING, [0; 126])), 1002, "W609", b""),
        (raw(RawFrame { form: Some(LengthForm::Bits16), ..text() }), 1002, "W610", b""),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0".to_vec(), 1002, "W611", b""),
        (raw(frames::frame(CONTINUATION, "x")), 1002, "W613", b""),
        (frames::bytes([frames::fragment(TEXT, "x"), text()]), 1002, "W614", b"x"),
        (raw(frames::frame(TEXT, b"\xff")), 1007, "W615", b""),
        (raw(frames::frame(TEXT, b"\xe2\x82")), 1007, "W616", b"\xe2\x82"),
        (raw(frames::frame(CLOSE, b"\x03")), 1002, "W619", b""),
        (raw(frames::frame(CLOSE, b"\x03\xed")), 1002, "W620", b""),
        (raw(frames::frame(CLOSE, b"\x03\xe8\xff")), 1007, "W621", b""),
    ] {
        fails(bytes, close, diagnostic, delivered);
    }
}

#[test]
fn exit_9_for_a_message_beyond_the_limit() {
    listening()
        .args(["--max-message", "1000"])
        .peer(|p| {
            p.open();
            p.frame(frames::fragment(BINARY, [0; 600]));
            p.frame(frames::frame(CONTINUATION, [0; 600]));
            p.hear_close(1009);
            p.hang_up();
        })
        .stdout_any()
        .stderr("wscope: sent 1009 [..]; failed by us after [..] because the peer broke the protocol: [..] (W626, RFC 6455 §10.4)\n")
        .status(9);
}

// 10: lost.

#[test]
fn exit_10_when_the_stream_ends_without_a_close() {
    listening()
        .peer(|p| {
            p.open();
            p.text("last words");
            p.hang_up();
        })
        .stdout("last words\n")
        .stderr("wscope: connection lost without a close frame after [..] s (1006): [..]\n")
        .status(10);
}

#[test]
fn exit_10_when_the_stream_ends_inside_a_frame() {
    listening()
        .peer(|p| {
            p.open();
            p.send(b"\x81\x05He");
            p.hang_up();
        })
        .stdout("He")
        .stderr("wscope: connection lost without a close frame after [..] s (1006): [..] frame #1[..]\n")
        .status(10);
}

#[test]
fn exit_10_when_the_connection_is_reset() {
    Test::new()
        .args(["-x", "hi", "-w", "-1"])
        .peer(|p| {
            p.open();
            p.hear_text("hi");
            p.reset();
        })
        .stderr("wscope: connection lost without a close frame after [..] s (1006): connection reset by peer\n")
        .status(10);
}

// 11: closed with an error code.

#[test]
fn exit_11_with_code_and_reason_when_the_peer_closes_with_an_error() {
    listening()
        .peer(|p| {
            p.open();
            p.close_first(4001, "token expired");
        })
        .stderr(
            "wscope: received 4001 [..] \"token expired\"; then sent 4001[..]; \
             closed cleanly by the peer after [..] s\n",
        )
        .status(11);
}

// 12: a timeout of ours.

#[test]
fn exit_12_when_the_handshake_is_not_answered() {
    Test::new()
        .args(["--handshake-timeout", "100ms"])
        .peer(|p| {
            p.request();
            p.hear_end();
        })
        .stderr("wscope: timed out after 0.1 s: the server did not answer the handshake\n")
        .status(12);
}

#[test]
fn exit_12_when_our_close_is_not_answered() {
    Test::new()
        .args(["-w", "0", "--close-timeout", "100ms"])
        .stdin("")
        .peer(|p| {
            p.open();
            p.hear_close(1000);
            p.hear_end();
        })
        .stderr("wscope: sent 1000 normal closure; ended by us after [..]: the peer did not answer our close frame within the close timeout\n")
        .status(12);
}

#[test]
fn exit_12_when_the_whole_run_takes_too_long() {
    listening()
        .args(["--max-time", "200ms"])
        .peer(|p| {
            p.open();
            p.hear_close(1001);
            p.hang_up();
        })
        .stderr("wscope: sent 1001 [..]; ended by us after [..]\n")
        .status(12);
    listening()
        .args(["--max-time", "100ms"])
        .peer(|p| {
            p.request();
            p.hear_end();
        })
        .stderr("wscope: timed out after [..]\n")
        .status(12);
}

#[test]
fn exit_12_when_pings_stay_without_answer() {
    listening()
        .args(["--ping-interval", "50ms", "--pong-timeout", "100ms"])
        .peer(|p| {
            p.open();
            assert_eq!(p.hear_frame().opcode(), PING);
            while p.hear_frame().opcode() == PING {}
            p.hang_up();
        })
        .stderr("wscope: [..] ended by us after [..]\n")
        .status(12);
}

// 13: an expectation was not met.

#[test]
fn exit_after_closes_after_so_many_messages() {
    listening()
        .args(["--exit-after", "2"])
        .peer(|p| {
            p.open();
            p.text("one");
            p.text("two");
            p.text("three");
            p.answer_close(1000);
        })
        .stdout("one\ntwo\n")
        .status(0);
}

#[test]
fn until_closes_after_a_message_that_matches() {
    listening()
        .args(["--until", "d.ne"])
        .peer(|p| {
            p.open();
            p.text("dne");
            p.binary(b"\xff done");
            p.answer_close(1000);
        })
        .stdout(b"dne\n\xff done\n")
        .status(0);
}

#[test]
fn exit_13_when_what_was_expected_did_not_come() {
    for expectation in [["--exit-after", "2"], ["--until", "done"]] {
        listening()
            .args(expectation)
            .peer(|p| {
                p.open();
                p.text("one");
                p.close_first(1000, "");
            })
            .stdout("one\n")
            .stderr("wscope: the connection ended before what was expected had come: received 1000 [..]\n")
            .status(13);
    }
}

// 130, 143: signals.

#[test]
fn exit_130_after_sigint_with_close_1001_on_the_wire() {
    signalled(Signal::INT, 130);
}

#[test]
fn exit_143_after_sigterm_with_close_1001_on_the_wire() {
    signalled(Signal::TERM, 143);
}

#[track_caller]
fn signalled(signal: Signal, status: i32) {
    let (key, gate) = gate();
    Test::new()
        .args(["-x", "ready", "-w", "-1"])
        .signal_after(gate, signal)
        .peer(move |p| {
            p.open();
            p.hear_text("ready");
            key.open();
            p.answer_close(1001);
        })
        .status(status);
}

#[test]
fn exit_130_when_the_signal_comes_during_the_handshake() {
    let (key, gate) = gate();
    Test::new()
        .signal_after(gate, Signal::INT)
        .peer(move |p| {
            p.request();
            key.open();
            p.hear_end();
        })
        .status(130);
}

#[test]
fn a_signal_does_not_wait_for_a_peer_that_does_not_answer() {
    let (key, gate) = gate();
    Test::new()
        .args(["-x", "ready", "-w", "-1", "--close-timeout", "60"])
        .signal_after(gate, Signal::INT)
        .peer(move |p| {
            p.open();
            p.hear_text("ready");
            key.open();
            p.hear_close(1001);
            p.hear_end();
        })
        .status(130);
}

// The time between the end of stdin and the end of the run.

#[test]
fn linger_waits_for_answers_after_the_end_of_stdin() {
    Test::new()
        .args(["--linger", "300ms"])
        .stdin("ask\n")
        .peer(|p| {
            p.open();
            p.hear_text("ask");
            p.text("answer");
            p.answer_close(1000);
        })
        .stdout("answer\n")
        .status(0);
}

#[test]
fn linger_minus_one_waits_for_the_peers_close() {
    Test::new()
        .args(["-x", "ask", "--wait", "-1"])
        .peer(|p| {
            p.open();
            p.hear_text("ask");
            p.text("answer");
            p.close_first(1000, "");
        })
        .stdout("answer\n")
        .status(0);
}

#[test]
fn what_stdin_still_had_is_told() {
    Test::new()
        .stdin_left_open("one\n")
        .peer(|p| {
            p.open();
            p.hear_text("one");
            p.close_first(1000, "");
        })
        .stderr(
            "wscope: note: the connection ended before the end of stdin; the rest was not sent\n",
        )
        .status(0);
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(b"one\n").expect("a disk");
    file.rewind().expect("a file");
    Test::new()
        .args(["-w", "-1"])
        .stdin_file(file)
        .peer(|p| {
            p.open();
            p.hear_text("one");
            p.close_first(1000, "");
        })
        .status(0);
}
