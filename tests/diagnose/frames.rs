//! A peer that breaks the rules of frames, or sends something other than frames.

use crate::golden::Golden;
use crate::server::{End, Says};

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

#[test]
fn broken_rules_are_shown_where_they_are_broken() {
    let mut golden = Golden::default();
    for (code, bytes) in [
        ("W601", &b"\x81\x85\x01\x02\x03\x04igoh~"[..]),
        ("W602", b"\xc1\x05hello"),
        ("W603", b"\xa1\x05hello"),
        ("W606", b"\x83\x00"),
        ("W607", b"\x8b\x00"),
        ("W608", b"\x09\x00"),
        ("W609", b"\x89\x7e\x00\x7e"),
        ("W611", b"\x82\x7f\x80\0\0\0\0\0\0\0"),
        ("W613", b"\x80\x01a"),
        ("W614", b"\x01\x02ab\x81\x01c"),
        ("W615", b"\x81\x06caf\xe9 x"),
        ("W616", b"\x81\x04caf\xc3"),
        ("W617", b"\x81\x03\xed\xa0\x80"),
        ("W619", b"\x88\x01\x03"),
        ("W620", b"\x88\x02\x03\xed"),
        ("W621", b"\x88\x03\x03\xe8\xff"),
        // The first frame has one byte too many, and a complete frame follows.
        ("W601", b"\x81\x02hi\x77\x81\x05hello\x81\x05again"),
    ] {
        golden.server(code, &[], Says::Open("", bytes), End::Wait);
    }
    golden.server("W604", &[], Says::Open(DEFLATE, b"\x41\x01\xf2\xc0\x01\x48"), End::Wait);
    golden.server("W605", &[], Says::Open(DEFLATE, b"\xc9\x00"), End::Wait);
    golden.server("W624", &[], Says::Open(DEFLATE, b"\xc1\x04\xff\xff\xff\xff"), End::Wait);
    // The second message is not valid DEFLATE, which proves nothing about the first one.
    let reset = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
    let broken: &[u8] = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x04\xff\xff\xff\xff";
    golden.server("W624", &[], Says::Open(DEFLATE, broken), End::Wait);
    golden.server("W624", &[], Says::Open(reset, broken), End::Wait);
    // The second message refers to the first one, which the agreement forbids (RFC 7692 §7.2.3.2).
    let refers = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    golden.server("W624", &[], Says::Open(reset, refers), End::Wait);
    // The first message is not compressed.
    let plain = b"\x81\x05hello\xc1\x05\xf2\x00\x11\x00\x00";
    golden.server("W624", &[], Says::Open(reset, plain), End::Wait);
    let small = ["--max-message", "4"];
    golden.server("W626", &small, Says::Open("", b"\x81\x05hello"), End::Wait);
    golden.compare("frames");
}

#[test]
fn what_is_no_frame_at_all_is_read() {
    let mut golden = Golden::default();
    for (code, bytes) in [
        (
            "W461",
            &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 28\r\n\r\nUnsupported protocol version"
                [..],
        ),
        ("W461", b"<!doctype html><title>Sorry</title>"),
        ("W461", b"{\"error\":\"not allowed\"}"),
        ("W461", b"\x81\x07{\"a\":1}PHP Warning:  Undefined array key \"room\" on line 88\n"),
        ("W462", b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03"),
    ] {
        golden.server(code, &[], Says::Open("", bytes), End::Wait);
    }
    golden.compare("stream");
}
