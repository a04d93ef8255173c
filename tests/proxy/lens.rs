//! Lenses between two ends: both directions are read, and paired, by the path that clients ask for.

use std::io::Write;

use tungstenite::Message;
use wscope::event::Direction;

use crate::frames::{self, CLOSE, TEXT};
use crate::harness::{close, listen, receive};
use crate::upstream::{Upstream, proxy};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"add"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":3}"#;

#[test]
fn the_path_of_the_client_chooses_a_lens_for_both_directions() {
    let server = listen(["--reply", RESULT]);
    // The server sees /base/rpc.
    let to = format!("{}base", server.url());
    let proxy = proxy(&to, &["--lens=none", "--lens-map=/rpc=json-rpc"]);
    for path in ["/rpc", "/other"] {
        let mut client = proxy.client_of(format!("ws://127.0.0.1:{}{path}", proxy.port()));
        client.send(Message::text(CALL)).expect("open");
        assert_eq!(receive(&mut client), RESULT);
        close(client);
    }
    proxy.stdout.wait_for("[2] the client sent");
    let said = proxy.interrupt().stdout;
    server.interrupt();
    let meant: Vec<&str> = said.lines().filter(|line| line.starts_with('=')).collect();
    assert_eq!(meant.len(), 2, "{said}");
    assert_eq!(meant[0], "= [1] add#1");
    assert!(meant[1].starts_with("= [1] #1 result 3 ("), "{}", meant[1]);
}

#[test]
fn evidence_of_both_ends_chooses_a_lens() {
    let server = listen(["--reply", RESULT]);
    let proxy = proxy(server.url(), &["--output=json"]);
    let mut client = proxy.client_of(format!("ws://127.0.0.1:{}/", proxy.port()));
    client.send(Message::text(CALL)).expect("open");
    receive(&mut client);
    close(client);
    proxy.stdout.wait_for("\"event\":\"end\"");
    let said = proxy.interrupt().stdout;
    server.interrupt();
    let lines = said.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let decoded: Vec<serde_json::Value> =
        lines.filter(|line: &serde_json::Value| line["event"] == "decoded").collect();
    let meant: Vec<_> = decoded
        .iter()
        .map(|line| (line["dir"].as_str(), line["packets"][0]["kind"].as_str()))
        .collect();
    assert_eq!(
        meant,
        [(Some("to-server"), Some("request")), (Some("to-client"), Some("result"))],
        "{said}"
    );
}

#[test]
fn what_the_end_that_left_was_waiting_for_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--lens=stomp"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let close = frames::frame(CLOSE, frames::close_payload(1002, "no CONNECT"));
    server.write_all(&frames::bytes([close.clone()])).expect("it reads");
    proxy.stdout.wait_for("CLOSE");
    client.send(frames::bytes([frames::towards(Direction::ToServer, close)]));
    drop((client, server));
    let said = proxy.stdout.wait_for("on the wire)");
    assert!(said.contains("the server waits for CONNECT"), "{said}");
    proxy.interrupt();
}

#[test]
fn a_message_of_either_end_that_breaks_the_protocol_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--lens=stomp"]);
    let (mut client, server) = upstream.open(&proxy);
    let send = frames::towards(Direction::ToServer, frames::frame(TEXT, "SEND\n\n\0"));
    client.send(frames::bytes([send]));
    let said = proxy.stdout.wait_for("SEND has no destination");
    assert!(said.contains("= [1] SEND\n! [1] STOMP 1.2, "), "{said}");
    drop((client, server));
    proxy.interrupt();
}
