//! permessage-deflate (RFC 7692) from the command line: offered, agreed, used, limited.

use wscope::wire::Data;
use wscope::wire::deflate::params::{DeflateParams, ServerDeflateConfig};
use wscope::wire::handshake::server::ServerConfig;

use crate::frames::{self, BINARY, CONTINUATION, TEXT};
use crate::harness::Test;

/// Long and dull, so that it is worth compressing.
const VERSE: &str = "row, row, row your boat, gently down the stream, row, row, row your boat";

fn compressing() -> ServerConfig {
    ServerConfig { deflate: Some(ServerDeflateConfig::default()), ..ServerConfig::default() }
}

/// The offer these options make.
#[track_caller]
fn offer(args: &[&'static str], expected: &[&'static str]) {
    let expected = expected.to_vec();
    Test::new()
        .args(["--input", "none"])
        .args(args.iter().copied())
        .peer(move |p| {
            let head = p.open();
            let offers: Vec<String> = head
                .get_all("Sec-WebSocket-Extensions")
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect();
            assert_eq!(offers, expected);
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn the_offer_is_the_one_of_browsers() {
    offer(&[], &["permessage-deflate; client_max_window_bits"]);
}

#[test]
fn no_compress_offers_nothing() {
    offer(&["--no-compress"], &[]);
}

#[test]
fn options_appear_in_the_offer() {
    for (args, parameter) in [
        (&["--server-no-context-takeover"][..], "server_no_context_takeover"),
        (&["--client-no-context-takeover"], "client_no_context_takeover"),
        (&["--server-max-window-bits", "9"], "server_max_window_bits=9"),
        (&["--client-max-window-bits", "10"], "client_max_window_bits=10"),
    ] {
        let name = parameter.split('=').next().expect("a name");
        Test::new()
            .args(["--input", "none"])
            .args(args.iter().copied())
            .peer(move |p| {
                let head = p.open();
                let offer = head.get("Sec-WebSocket-Extensions").expect("an offer");
                let offer = String::from_utf8_lossy(offer).into_owned();
                let said: Vec<&str> = offer.split("; ").filter(|p| p.starts_with(name)).collect();
                assert_eq!(said, [parameter], "{offer}");
                p.close_first(1000, "done");
            })
            .status(0);
    }
}

/// Messages there and back over what was agreed for these options.
#[track_caller]
fn agreed(args: &[&'static str], check: impl FnOnce(DeflateParams) + Send + 'static) {
    let output = VERSE.to_owned() + "\n" + VERSE + "\n\n";
    Test::new()
        .args(["-w", "-1"])
        .args(args.iter().copied())
        .stdin([VERSE, VERSE, ""].map(|line| line.to_owned() + "\n").concat())
        .peer(move |p| {
            let agreed = p.negotiate(&compressing()).agreed;
            check(agreed.deflate.expect("it is offered"));
            for text in [VERSE, VERSE, ""] {
                let frame = p.receive_frame();
                assert!(frame.header.rsv1 || text.is_empty(), "not compressed: {frame:?}");
                assert!(frame.payload.len() <= text.len().max(8), "{frame:?}");
                p.receive_text(text);
                p.message(Data::Text, text);
            }
            p.close_first(1000, "done");
        })
        .stdout(output)
        // The Close may come before the end of stdin does, which a note says.
        .stderr_any()
        .status(0);
}

#[test]
fn messages_are_compressed_with_context() {
    agreed(&[], |params| assert!(!params.client_no_context_takeover));
}

#[test]
fn messages_are_compressed_without_context() {
    agreed(&["--client-no-context-takeover", "--server-no-context-takeover"], |params| {
        assert!(params.client_no_context_takeover && params.server_no_context_takeover);
    });
}

#[test]
fn messages_are_compressed_with_small_windows() {
    agreed(&["--server-max-window-bits", "9", "--client-max-window-bits", "9"], |params| {
        assert_eq!(params.server_max_window_bits, 9);
    });
}

#[test]
fn an_echo_keeps_type_and_bytes_through_compression() {
    Test::new()
        .args(["--echo"])
        .peer(|p| {
            p.negotiate(&compressing());
            p.message(Data::Text, VERSE);
            p.receive_text(VERSE);
            p.message(Data::Binary, VERSE);
            p.receive_binary(VERSE.as_bytes());
            p.close_first(1000, "done");
        })
        .stdout(format!("{VERSE}\n{VERSE}\n"))
        .status(0);
}

#[test]
fn a_bomb_is_refused_before_it_fills_memory() {
    Test::new()
        .args(["--input", "none", "--output", "none", "--max-inflated", "1M"])
        .peer(|p| {
            p.negotiate(&compressing());
            p.message(Data::Binary, vec![0; 64 << 20]);
            p.receive_close(1009);
            p.hang_up();
        })
        .stderr("wscope: a limit of this side was crossed (W625); closed with 1009 after [..]\nerror[W625]: [..]\n...\n")
        .status(9);
}

#[test]
fn what_cannot_be_inflated_is_refused() {
    Test::new()
        .args(["--input", "none"])
        .peer(|p| {
            p.negotiate(&compressing());
            p.frame(frames::compressed(TEXT, b"\xff\xff\xff\xff"));
            p.receive_close(1007);
            p.hang_up();
        })
        .stderr("wscope: the peer broke the protocol (W624); closed with 1007 after [..]\nerror[W624]: [..]\n...\n")
        .status(9);
}

#[test]
fn a_window_larger_than_agreed_is_refused() {
    Test::new()
        .args(["--input", "none", "--server-max-window-bits", "9"])
        .peer(|p| {
            let agreed = p.negotiate(&compressing()).agreed.deflate.expect("compression");
            assert_eq!(agreed.server_max_window_bits, 9);
            let far = frames::deflated(&mut frames::deflater(true), frames::noise(600).repeat(2));
            p.frame(frames::compressed(BINARY, far));
            p.receive_close(1007);
            p.hang_up();
        })
        .stdout_any()
        .stderr("wscope: the peer broke the protocol (W631); closed with 1007 after [..]\nerror[W631]: [..]\n...\n")
        .status(9);
}

// Limits without compression.

#[test]
fn an_enormous_length_is_refused_at_the_header() {
    Test::new()
        .args(["--input", "none", "--max-message", "1G"])
        .peer(|p| {
            p.open();
            p.send(b"\x82\x7f\x40\0\0\0\0\0\0\0abc");
            p.receive_close(1009);
            p.hang_up();
        })
        .stdout_any()
        .stderr("wscope: a limit of this side was crossed (W626); closed with 1009 after [..]\nerror[W626]: [..]\n...\n")
        .status(9);
}

#[test]
fn an_enormous_length_is_refused_without_options_too() {
    Test::new()
        .args(["--input", "none"])
        .peer(|p| {
            p.open();
            p.send(b"\x82\x7f\x40\0\0\0\0\0\0\0");
            p.receive_close(1009);
            p.hang_up();
        })
        .stderr("wscope: a limit of this side was crossed (W626); closed with 1009 after [..]\nerror[W626]: [..]\n...\n")
        .status(9);
}

#[test]
fn endless_fragments_meet_the_limit() {
    Test::new()
        .args(["--input", "none", "--output", "none", "--max-message", "64K"])
        .peer(|p| {
            p.open();
            p.frame(frames::fragment(BINARY, [0; 1000]));
            let piece = frames::bytes([frames::fragment(CONTINUATION, [0; 1000])]);
            for _ in 0..65 {
                p.send(&piece);
            }
            p.receive_close(1009);
            p.hang_up();
        })
        .stderr("wscope: a limit of this side was crossed (W626); closed with 1009 after [..]\nerror[W626]: [..]\n...\n")
        .status(9);
}

#[test]
fn an_endless_head_is_refused_with_a_clear_message() {
    let output = Test::new()
        .args(["--input", "none"])
        .peer(|p| {
            p.request();
            let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
            let mut answer = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
            answer += &line.repeat(1000);
            // The client leaves in the middle.
            let _ = p.try_send(answer);
        })
        .stderr_any()
        .status(8);
    assert!(output.stderr().starts_with("wscope: the server's response: "), "{}", output.stderr());
}
