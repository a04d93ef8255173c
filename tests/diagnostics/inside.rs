//! W5xx.

use wscope::diagnostics::Facts;
use wscope::diagnostics::facts::{CloseFacts, StreamFacts};
use wscope::wire::Data;
use wscope::wire::close::CloseBody;

use crate::golden::Golden;
use crate::support::{Pair, message, stream_of};

const OPEN: &[u8] =
    b"0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}";

pub fn cases(golden: &mut Golden) {
    let pair = Pair::open("", "");
    for (code, what, first) in [
        ("W501", "Engine.IO 4", OPEN),
        ("W503", "SockJS", b"o"),
        ("W508", "ActionCable", b"{\"type\":\"welcome\"}"),
        (
            "W509",
            "Pusher",
            b"{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":\\\"1.2\\\"}\"}",
        ),
        ("W510", "SignalR", b"{\"type\":7,\"error\":\"Handshake was canceled.\"}\x1e"),
        ("W513", "Discord", b"{\"t\":null,\"op\":10,\"d\":{\"heartbeat_interval\":41250}}"),
    ] {
        // Some servers write the operation first, others the type.
        golden.verdict(code, what, &Facts { stream: stream_of(first), ..pair.facts() });
    }
    closed(golden, &pair);
    subprotocols(golden);
}

fn closed(golden: &mut Golden, pair: &Pair) {
    let body = |code, reason: &str| CloseBody { code, reason: reason.as_bytes().to_vec() };
    let sent = Some(message(Data::Text, b"hello"));
    let stream = StreamFacts { sent, ..stream_of(OPEN) };
    let bare = body(None, "");
    let facts = Facts { stream, close: close(Some(&bare)), ..pair.facts() };
    golden.verdict("W502", "free text to Engine.IO", &facts);
    let broken = body(Some(3000), "Broken framing.");
    let facts = Facts { close: close(Some(&broken)), ..pair.facts() };
    golden.verdict("W504", "free text to SockJS", &facts);
    let graphql = Pair::open(
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n",
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n",
    );
    for (code, number, reason) in [
        ("W505", 4408, "Connection initialisation timeout"),
        ("W506", 4406, "Subprotocol not acceptable"),
        ("W719", 4401, "Unauthorized"),
    ] {
        let body = body(Some(number), reason);
        golden.verdict(code, reason, &Facts { close: close(Some(&body)), ..graphql.facts() });
    }
}

/// A Close from the peer.
fn close(received: Option<&CloseBody>) -> CloseFacts<'_> {
    CloseFacts { received, by_peer: true, ..CloseFacts::default() }
}

fn subprotocols(golden: &mut Golden) {
    let agreed = |name: &str| {
        let header = format!("Sec-WebSocket-Protocol: {name}\r\n");
        Pair::open(&header, &header)
    };
    let stomp = agreed("v12.stomp");
    golden.verdict("W507", "silence", &stomp.facts());
    let error = stream_of(b"ERROR\nmessage:Bad CONNECT\ncontent-type:text/plain\n\n\0");
    golden.verdict("W507", "RabbitMQ", &Facts { stream: error, ..stomp.facts() });
    let sent = Some(message(Data::Text, b"\x10\x0e\0\x04MQTT"));
    let stream = StreamFacts { sent, ..StreamFacts::default() };
    golden.verdict("W511", "aedes", &Facts { stream, ..agreed("mqtt").facts() });
    golden.verdict("W512", "crossbar", &agreed("wamp.2.json").facts());
}
