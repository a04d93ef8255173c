//! W401 to W463: the 101.

use std::time::Duration;

use wscope::diagnostics::facts::{EndKind, StreamFacts};
use wscope::diagnostics::{Facts, PROBE_SUBPROTOCOL};

use crate::golden::Golden;
use crate::support::{Pair, SWITCH, end};

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const STRICT: &str = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                      server_max_window_bits=10\r\n";
const CHAT: &str = "Sec-WebSocket-Protocol: chat, superchat\r\n";

pub fn cases(golden: &mut Golden) {
    proof(golden);
    subprotocols(golden);
    extensions(golden);
    behind_it(golden);
}

fn proof(golden: &mut Golden) {
    let changed =
        |from: &str, to: &str| Pair::new("", &format!("{}\r\n", SWITCH.replace(from, to)));
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    golden.verdict("W401", "written by hand", &changed(accept, "").facts());
    let echoed = "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    golden.verdict("W402", "the key sent back", &changed(accept, echoed).facts());
    let hex = "Sec-WebSocket-Accept: b37a4f2cc0624f1690f64606cf385945b2bec4ea\r\n";
    golden.verdict("W402", "hex instead of base64", &changed(accept, hex).facts());
    golden.verdict("W403", "twice", &Pair::open("", accept).facts());
    golden.verdict("W404", "h2c", &changed("Upgrade: websocket", "Upgrade: h2c").facts());
    let kept = changed("Connection: Upgrade", "Connection: keep-alive");
    golden.verdict("W405", "a proxy's keep-alive", &kept.facts());
    golden.verdict("W406", "an empty body", &Pair::open("", "Content-Length: 0\r\n").facts());
}

fn subprotocols(golden: &mut Golden) {
    for (code, what, asked, answered) in [
        ("W410", "none was offered", "", "Sec-WebSocket-Protocol: chat\r\n"),
        ("W410", "another was offered", CHAT, "Sec-WebSocket-Protocol: mqtt\r\n"),
        ("W411", "silence", CHAT, ""),
        ("W413", "the list sent back", CHAT, "Sec-WebSocket-Protocol: chat, superchat\r\n"),
        ("W414", "another letter case", CHAT, "Sec-WebSocket-Protocol: Chat\r\n"),
    ] {
        let pair = Pair::open(asked, answered);
        let found = wscope::diagnostics::classify(&pair.facts());
        assert!(found.iter().any(|found| found.entry.code == code), "{what}");
        match found[0].entry.code == code {
            true => golden.verdict(code, what, &pair.facts()),
            false => golden.beside(code, what, &pair.facts()),
        }
    }
    let silent = Pair::open(CHAT, "");
    let facts = Facts { as_browser: true, ..silent.facts() };
    golden.verdict("W411", "silence, judged as a browser", &facts);
    let name = format!("Sec-WebSocket-Protocol: {PROBE_SUBPROTOCOL}\r\n");
    golden.verdict("W412", "a rubber stamp", &Pair::open(&name, &name).facts());
}

fn extensions(golden: &mut Golden) {
    let header = |value: &str| format!("Sec-WebSocket-Extensions: {value}\r\n");
    for (code, what, asked, answered) in [
        ("W420", "nothing was offered", "", "permessage-deflate"),
        ("W421", "no list", DEFLATE, "permessage-deflate; =1"),
        ("W422", "unknown parameter", DEFLATE, "permessage-deflate; level=9"),
        (
            "W423",
            "a parameter twice",
            DEFLATE,
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ),
        ("W424", "libsoup's bare bits", DEFLATE, "permessage-deflate; client_max_window_bits"),
        ("W424", "16 bits", DEFLATE, "permessage-deflate; client_max_window_bits=16"),
        (
            "W425",
            "not offered",
            STRICT,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=10",
        ),
        ("W426", "tornado", STRICT, "permessage-deflate; server_max_window_bits=10"),
        (
            "W427",
            "a larger window",
            STRICT,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12",
        ),
        ("W430", "8 bits", DEFLATE, "permessage-deflate; client_max_window_bits=8"),
    ] {
        golden.verdict(code, what, &Pair::open(asked, &header(answered)).facts());
    }
    golden.verdict("W429", "declined", &Pair::open(DEFLATE, "").facts());
    let two = header("permessage-deflate, x-webkit-deflate-frame");
    golden.verdict("W428", "two compressions", &Pair::open(&two, &two).facts());
}

/// Bytes after the blank line.
fn behind_it(golden: &mut Golden) {
    let pair = Pair::open("", "");
    let with = |first| StreamFacts { first, ..StreamFacts::default() };
    let early = StreamFacts { early: 4, frames: 1, first: b"\x81\x02hi", ..StreamFacts::default() };
    golden.verdict("W440", "hi", &Facts { stream: early, ..pair.facts() });
    for (code, what, first) in [
        (
            "W461",
            "Socket.IO without EIO=4",
            &b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n\
              {\"code\":5,\"message\":\"Unsupported protocol version\"}"[..],
        ),
        ("W461", "an error page", b"<!doctype html><title>Sorry</title>"),
        ("W461", "JSON", b"{\"error\":\"unauthorized\"}"),
        ("W462", "TLS twice", b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03"),
    ] {
        golden.verdict(code, what, &Facts { stream: with(first), ..pair.facts() });
    }
    let mut at_once = end(EndKind::Fin, 0.012);
    at_once.lifetime = Duration::from_millis(12);
    golden.verdict("W463", "backend refused", &Facts { end: Some(at_once), ..pair.facts() });
}
