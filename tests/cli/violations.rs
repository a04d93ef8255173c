//! A peer that breaks the protocol: exit 9, the right Close on the wire, the rule on stderr.

use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, LengthForm, OpCode};

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, TEXT};
use crate::harness::Test;

/// A client that sends nothing by itself.
fn listening() -> Test {
    Test::new().args(["--input", "none"])
}

/// The peer sends this; the client fails the connection with a code, and prints why.
#[track_caller]
fn fails(bytes: Vec<u8>, close: u16, diagnostic: &str, delivered: &[u8]) {
    let output = listening()
        .peer(move |p| {
            p.open();
            p.send(bytes);
            p.receive_close(close);
            p.hang_up();
        })
        .stdout(delivered)
        .stderr_any()
        .status(9);
    let said = output.stderr();
    assert!(said.contains(diagnostic), "{diagnostic} is missing: {said}");
    assert!(said.contains(&format!("closed with {close} ")), "the code is missing: {said}");
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
            p.receive_close(1009);
            p.hang_up();
        })
        .stdout_any()
        .stderr("wscope: a limit of this side was crossed (W626); closed with 1009 after [..]\nerror[W626]: [..]\n...\n")
        .status(9);
}
