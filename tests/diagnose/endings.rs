//! The ends of an open connection: close codes, and ends without a Close.

use crate::golden::Golden;
use crate::server::{End, Says};

#[test]
fn close_codes_have_a_meaning() {
    let mut golden = Golden::default();
    for (code, close) in [
        ("W702", &b"\x88\x02\x03\xea"[..]),
        ("W703", b"\x88\x02\x03\xeb"),
        ("W707", b"\x88\x02\x03\xef"),
        ("W708", b"\x88\x08\x03\xf0policy"),
        ("W709", b"\x88\x02\x03\xf1"),
        ("W711", b"\x88\x02\x03\xf3"),
        ("W712", b"\x88\x02\x03\xf4"),
        ("W713", b"\x88\x02\x03\xf5"),
        ("W717", b"\x88\x02\x0b\xb8"),
        ("W723", b"\x88\x0f\x0f\xa1token expired"),
        ("W504", b"\x88\x11\x0b\xb8Broken framing."),
    ] {
        golden.server(code, &[], Says::Open("", close), End::Wait);
    }
    let graphql = ["ws://127.0.0.1:{port}/graphql", "-s", "graphql-transport-ws"];
    let chosen = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
    golden.server("W505", &graphql, Says::Open(chosen, b"\x88\x02\x11\x38"), End::Wait);
    golden.server("W506", &graphql, Says::Open(chosen, b"\x88\x02\x11\x36"), End::Wait);
    golden.compare("closing");
}

#[test]
fn ends_without_a_close_are_reported_with_their_clocks() {
    let mut golden = Golden::default();
    golden.server("W463", &[], Says::Open("", b""), End::Hang);
    golden.server("W801", &[], Says::Open("", b"\x81\x05hello"), End::Hang);
    golden.server("W803", &[], Says::Open("", b"\x81\x05he"), End::Hang);
    let saying = ["-x", "hi", "-w", "-1"];
    golden.server("W802", &saying, Says::OpenThen("", b"\x81\x02yo\x89\x00"), End::Reset);
    let pinging = ["--ping-interval", "50ms", "--pong-timeout", "100ms"];
    golden.server("W818", &pinging, Says::Open("", b""), End::Stay);
    golden.compare("endings");
}

#[test]
fn protocols_inside_are_recognised() {
    let mut golden = Golden::default();
    golden.server("W801", &[], Says::Open("", b"\x81\x0e0{\"sid\":\"abc\"}"), End::Hang);
    golden.server("W801", &[], Says::Open("", b"\x81\x01o"), End::Hang);
    let cable = b"\x81\x12{\"type\":\"welcome\"}\x81\x1c{\"type\":\"ping\",\"message\":17}";
    golden.server("W801", &[], Says::Open("", cable), End::Hang);
    let stomp = ["-s", "v12.stomp"];
    let chosen = "Sec-WebSocket-Protocol: v12.stomp\r\n";
    golden.server("W801", &stomp, Says::Open(chosen, b"\x89\x00"), End::Hang);
    golden.compare("inside");
}
