//! How a run ends: one test for each row of the table of exit codes, and each way into it.
//! Row 9 is in `violations.rs`, row 13 in `staying.rs`.

use std::net::TcpListener;
use std::sync::mpsc::channel;

use rustix::process::Signal;
use wscope::wire::handshake::accept::AcceptSteps;

use crate::frames::{self, CLOSE, PING};
use crate::harness::Test;
use crate::peer::switching_protocols;
use crate::waiting::gate;

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
                p.receive_end();
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
            let answer = p.receive_frame();
            assert_eq!((answer.opcode(), answer.payload.len()), (CLOSE, 0));
        })
        .stderr("warning[W705]: closed at once, before any message\n...\n")
        .status(0);
}

#[test]
fn exit_0_whatever_follows_a_clean_close() {
    let close = frames::close_payload(1000, "");
    for behind in [
        &b"\x01"[..],
        b"\x01\x05un",
        b"\x01\x02un",
        b"\x81\x02un\x00\x01",
        b"\xf3\xff",
        b"HTTP/1.1",
    ] {
        let bytes = [frames::bytes([frames::frame(CLOSE, &close)]), behind.to_vec()].concat();
        let output = listening()
            .args(["--output", "json"])
            .peer(move |p| {
                p.open();
                p.send(&bytes);
                p.receive_close(1000);
            })
            .stdout_any()
            .stderr_any()
            .status(0);
        let warned = output.stdout().lines().any(|line| line.contains(r#""event":"violation""#));
        assert!(warned, "{behind:?}: {}", output.stdout());
        // Frameworks answer the request once more over HTTP; that harms nobody.
        let said = output.stderr();
        let harmless = behind.starts_with(b"HTTP");
        assert_eq!(said.contains("warning[W6"), !harmless, "{behind:?}: {said}");
    }
}

#[test]
fn exit_1_when_a_close_cuts_a_message_short() {
    listening()
        .peer(|p| {
            p.open();
            p.send(b"\x01\x02un\x88\x02\x03\xe8\x80\x02do");
            p.receive_close(1000);
        })
        .stdout("un")
        .stderr_any()
        .status(1);
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
        .stderr("wscope: unknown option --bogus; wscope --help lists all\n")
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
        .stderr("wscope: host nonexistent.invalid [..]\nerror[W101]: [..]\n...\n")
        .status(3);
}

// 4: no TCP connection.

#[test]
fn exit_4_when_the_port_refuses() {
    // Bound, but not listening: nobody else can get the port meanwhile.
    let port = refusing_port();
    Test::new()
        .args([format!("ws://127.0.0.1:{port}/")])
        .stderr(format!("wscope: cannot connect to 127.0.0.1:{port}: connection refused\nerror[W103]: connection refused\n...\n"))
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
            p.receive_end();
        })
        .stderr(
            "wscope: the application refused the connection: its reason is \"not you nor yours\"; the server answered 403 Forbidden instead of 101 switching protocols\n\
             < HTTP/1.1 403 Forbidden\n\
             < Content-Type: text/plain\n\
             < X-Why: origin\n\
             < Content-Length: 18\n\
             <\n\
             < not you\n\
             < nor yours\n\
             error[W332]: the application refused the connection\n\
             ...\n",
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
                p.receive_end();
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
            p.receive_end();
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
                p.receive_end();
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
                p.receive_end();
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
        p.receive_end();
    })
    .stderr("wscope: the port speaks SSH, not HTTP; the server's answer is not HTTP: SSH-2.0-OpenSSH_9.9[..]\nerror[W110]: the port speaks SSH, not HTTP\n...\n")
    .status(8);
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
        .stderr("wscope: connection lost without a Close frame after [..] s (1006): [..]\nerror[W801]: [..]\n...\n")
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
        .stderr("wscope: cut in the middle of a frame; connection lost without a Close frame after [..] s (1006): [..] frame #1[..]\nerror[W803]: [..]\n...\n")
        .status(10);
}

#[test]
fn exit_10_when_the_connection_is_reset() {
    Test::new()
        .args(["-x", "hi", "-w", "-1"])
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.reset();
        })
        .stderr("wscope: the peer's application ended its handler[..]; connection lost without a Close frame after [..] s (1006): connection reset by peer\nerror[W802]: [..]\n...\n")
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
            "wscope: the server closed with 4001 \"token expired\" after [..] s\n\
             warning[W723]: [..]\n...\n",
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
            p.receive_end();
        })
        .stderr("wscope: connected, but the handshake is not answered; timed out after 0.1 s: the server did not answer the handshake\nerror[W109]: [..]\n...\n")
        .status(12);
}

#[test]
fn exit_12_when_our_close_is_not_answered() {
    Test::new()
        .args(["-w", "0", "--close-timeout", "100ms"])
        .stdin("")
        .peer(|p| {
            p.open();
            p.receive_close(1000);
            p.receive_end();
        })
        .stderr("wscope: the peer did not answer our Close frame within the close timeout; closed with 1000 normal closure after [..] s\nwarning[W816]: [..]\n...\n")
        .status(12);
}

#[test]
fn exit_12_when_the_whole_run_takes_too_long() {
    listening()
        .args(["--max-time", "200ms"])
        .peer(|p| {
            p.open();
            p.receive_close(1001);
            p.hang_up();
        })
        .stderr("wscope: --max-time has passed; closed with 1001 after [..]\n")
        .status(12);
    listening()
        .args(["--max-time", "100ms"])
        .peer(|p| {
            p.request();
            p.receive_end();
        })
        .stderr("wscope: [..]timed out after [..]\nerror[W109]: [..]\n...\n")
        .status(12);
}

#[test]
fn exit_12_when_pings_stay_without_answer() {
    listening()
        .args(["--ping-interval", "50ms", "--pong-timeout", "100ms"])
        .peer(|p| {
            p.open();
            assert_eq!(p.receive_frame().opcode(), PING);
            while p.receive_frame().opcode() == PING {}
            p.hang_up();
        })
        .stderr("wscope: the peer does not answer any more; nothing received after a ping within the pong timeout; closed with 1001 after [..]\nwarning[W818]: [..]\n...\n")
        .status(12);
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
            p.receive_text("ready");
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
            p.receive_end();
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
            p.receive_text("ready");
            key.open();
            p.receive_close(1001);
            p.receive_end();
        })
        .status(130);
}

/// A peer that ends after a message of ours may have been told something it does not like.
#[test]
fn an_end_behind_a_message_is_not_one_behind_the_handshake() {
    let output = Test::new()
        .args(["-x", "hello", "-w", "30"])
        .peer(|p| {
            p.open();
            p.receive_text("hello");
        })
        .stderr_any()
        .status(10);
    assert!(output.stderr().contains("error[W801]"), "{}", output.stderr());
}
