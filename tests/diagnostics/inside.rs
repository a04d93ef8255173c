//! W5xx: the protocol inside.

use std::time::Duration;

use wscope::diagnostics::facts::{CloseFacts, CrossedMessage, EndKind, StreamFacts};
use wscope::diagnostics::{Facts, classify};
use wscope::session::endpoint::PingFacts;
use wscope::wire::Data;
use wscope::wire::close::CloseBody;

use crate::golden::Golden;
use crate::support::{Pair, end, message, stream_of};

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
        let url = (code == "W508").then_some("ws://chat.example/cable");
        golden.verdict(code, what, &Facts { stream: stream_of(first), url, ..pair.facts() });
    }
    let second = Some(&b"40"[..]);
    let stream = StreamFacts { second, ..stream_of(OPEN) };
    golden.verdict("W514", "Engine.IO 3", &Facts { stream, ..pair.facts() });
    let newer = b"0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}";
    let url = Some("ws://api.example/socket.io/?EIO=3&transport=websocket");
    golden.verdict("W501", "allowEIO3", &Facts { stream: stream_of(newer), url, ..pair.facts() });
    golden.verdict("W514", "as asked for", &Facts { stream: stream_of(OPEN), url, ..pair.facts() });
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

/// A Close of the peer.
fn close(received: Option<&CloseBody>) -> CloseFacts<'_> {
    CloseFacts { received, by_peer: true, ..CloseFacts::default() }
}

fn subprotocols(golden: &mut Golden) {
    let agreed = |name: &str| {
        let header = format!("Sec-WebSocket-Protocol: {name}\r\n");
        Pair::open(&header, &header)
    };
    let stomp = agreed("v12.stomp");
    let gone = Some(end(EndKind::Fin, 30.0));
    golden.beside("W507", "silence, and the end", &Facts { end: gone, ..stomp.facts() });
    // The silence of this side proves nothing.
    assert!(classify(&stomp.facts()).is_empty());
    let error = stream_of(b"ERROR\nmessage:Bad CONNECT\ncontent-type:text/plain\n\n\0");
    golden.verdict("W507", "RabbitMQ", &Facts { stream: error, ..stomp.facts() });
    let sent = Some(message(Data::Text, b"\x10\x0e\0\x04MQTT"));
    let stream = StreamFacts { sent, ..StreamFacts::default() };
    golden.verdict("W511", "aedes", &Facts { stream, ..agreed("mqtt").facts() });
    let cable = agreed("actioncable-v1-json");
    golden.beside("W515", "no welcome", &Facts { end: gone, ..cable.facts() });
    let sent = Some(message(Data::Text, b"hello"));
    let stream = StreamFacts { sent, ..StreamFacts::default() };
    let (url, open) = (Some("ws://api.example/mqtt"), Pair::open("", ""));
    let ours = Some(end(EndKind::Closed, 8.0));
    golden.verdict("W517", "mosquitto", &Facts { url, end: ours, stream, ..open.facts() });
    let silent = Facts { end: ours, stream, ..open.facts() };
    golden.verdict("W519", "no answer", &silent);
    let waiting = Some(Duration::from_secs(7));
    let pings = PingFacts { unanswered: 7, waiting, ..PingFacts::default() };
    golden.verdict("W519", "no pong", &Facts { pings, ..silent.clone() });
    let pings = PingFacts { answered: 7, ..PingFacts::default() };
    let stream = StreamFacts { frames: 7, ..stream };
    golden.verdict("W519", "only pongs", &Facts { pings, stream, ..silent });
    let call = [(true, &br#"{"jsonrpc":"2.0","id":1,"method":"x"}"#[..])];
    let answer: &[u8] = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    let kept = [call[0], (false, answer)].map(|(ours, content)| CrossedMessage {
        ours,
        text: true,
        content,
        quiet: Duration::ZERO,
    });
    let sent = Some(message(Data::Text, call[0].1));
    let stream = StreamFacts { sent, kept: &kept, kept_all: true, ..stream_of(answer) };
    golden.verdict(
        "W516",
        "a method that is unknown",
        &Facts { stream, ..Pair::open("", "").facts() },
    );
    let foreign: &[u8] = br#"{"hello":1}"#;
    let kept = [CrossedMessage { ours: true, text: true, content: foreign, quiet: Duration::ZERO }];
    let sent = Some(message(Data::Text, foreign));
    let stream = StreamFacts { sent, kept: &kept, kept_all: true, ..StreamFacts::default() };
    let ours = Some(end(EndKind::Closed, 3.0));
    golden.verdict("W518", "JSON to STOMP", &Facts { stream, end: ours, ..stomp.facts() });
    let wamp = agreed("wamp.2.json");
    golden.beside("W512", "crossbar", &Facts { end: gone, ..wamp.facts() });
}
