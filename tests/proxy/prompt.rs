//! The prompt on a terminal: what is typed goes to the end it names, a held message is edited.

use std::net::TcpStream;

use wscope::event::Direction;

use crate::frames::{self, CLOSE, TEXT};
use crate::harness::wscope;
use crate::raw::{Raw, UPGRADE};
use crate::rules::{Peer, masked, text};
use crate::terminal::Terminal;
use crate::upstream::{SWITCHED, Upstream, head};

/// A proxy with a prompt before a server.
fn start(upstream: &Upstream, args: &[&str]) -> (Terminal, u16) {
    let mut command = wscope();
    let to = format!("ws://127.0.0.1:{}", upstream.port());
    command.args(["proxy", "--to", &to, "--no-history"]).args(args).arg("0");
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    command.env("EDITOR", "sed -i s/order/changed/");
    let terminal = Terminal::start(&command, 100, 250);
    let prompted = terminal.wait_for_screen(|screen| screen.ends_with_line("listening   > "));
    let row = prompted.rows.iter().find_map(|row| row.strip_prefix("listening on ws://127.0.0.1:"));
    let port = row.and_then(|row| row.trim_end_matches('/').parse().ok());
    (terminal, port.expect("a port"))
}

fn open(upstream: &Upstream, port: u16) -> (Raw, TcpStream) {
    let mut client = Raw::connect(port);
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    std::io::Write::write_all(&mut server, SWITCHED.as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    (client, server)
}

fn has(terminal: &Terminal, parts: &[&str]) {
    let has = |row: &String| parts.iter().all(|part| row.contains(part));
    terminal.wait_for_screen(|screen| screen.rows.iter().any(has));
}

#[test]
fn a_close_behind_a_held_message_is_said_to_wait() {
    let upstream = Upstream::new();
    let (mut terminal, port) = start(&upstream, &["--rule", "> /order/ -> hold"]);
    let (mut client, server) = open(&upstream, port);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    client.send(text("order 7"));
    has(&terminal, &["text #1 to the server: held"]);
    client.send(frames::bytes([masked(frames::frame(CLOSE, frames::close_payload(1000, "")))]));
    has(&terminal, &["close #2 to the server waits for a message that is held"]);
    terminal.keys("/next\r");
    at_server.expect(TEXT, "order 7");
    assert_eq!(at_server.next(), (CLOSE, frames::close_payload(1000, "")));
    terminal.keys("/quit\r");
    assert!(terminal.end().success());
}

#[test]
fn what_became_of_each_message_stands_in_its_line() {
    let upstream = Upstream::new();
    let rules = ["--rule", "> /order/ -> hold", "--rule", "> /gone/ -> drop"];
    let (mut terminal, port) = start(&upstream, &rules);
    let (mut client, server) = open(&upstream, port);
    terminal.wait_for_screen(|screen| screen.ends_with_line("1 client    > "));
    client.send([text("gone 1"), text("gone 2"), text("order 3"), text("order 4")].concat());
    for line in ["gone 1 (dropped)", "gone 2 (dropped)", "order 3 (held)", "order 4 (held)"] {
        has(&terminal, &["> [1]", line]);
    }
    terminal.keys("/quit\r");
    terminal.end();
    drop(server);
}

#[test]
fn diagnostics_are_wrapped_between_words_beside_the_number() {
    let upstream = Upstream::new();
    let mut command = wscope();
    let to = format!("ws://127.0.0.1:{}", upstream.port());
    command.args(["proxy", "--to", &to, "--no-history", "0"]);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command, 60, 250);
    let shown = terminal.wait_for_screen(|screen| screen.ends_with_line("listening   > "));
    let row = shown.rows.iter().find_map(|row| row.strip_prefix("listening on ws://127.0.0.1:"));
    let port = row.and_then(|row| row.trim_end_matches('/').parse().ok()).expect("a port");
    let mut client = Raw::connect(port);
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    std::io::Write::write_all(&mut server, refusal).expect("it reads");
    drop(server);
    client.rest();
    drop(client);
    let screen = terminal.wait_for_screen(|screen| {
        let has = |part: &str| screen.rows.iter().any(|row| row.contains(part));
        has("[1] help: ") && screen.ends_with_line("listening   > ")
    });
    let first = screen.rows.iter().position(|row| row.starts_with("[1] ")).expect("a diagnostic");
    let rows = screen.rows[first..].iter().take_while(|row| !row.starts_with("listening"));
    let rows: Vec<&String> = rows.collect();
    assert!(rows.len() > 2, "{rows:?}");
    assert!(rows.iter().all(|row| row.starts_with("[1] ")), "{rows:#?}");
    terminal.keys("/quit\r");
    terminal.end();
}

#[test]
fn a_held_message_is_edited_in_the_editor() {
    let upstream = Upstream::new();
    let (mut terminal, port) = start(&upstream, &["--rule", "> /order/ -> hold"]);
    let (mut client, server) = open(&upstream, port);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    terminal.wait_for_screen(|screen| screen.ends_with_line("1 client    > "));
    terminal.keys("@< typed\r");
    assert_eq!(client.receive_frame(), (TEXT, b"typed".to_vec()));
    has(&terminal, &["< [1]", "5 typed (injected)"]);
    client.send(text("order 7"));
    has(&terminal, &["text #1 to the server: held; /next passes it on, /drop drops it (rule 1)"]);
    terminal.keys("/edit\r");
    at_server.expect(TEXT, "changed 7");
    has(&terminal, &["> [1]", "changed 7 (edited)"]);
    terminal.keys("hello\r");
    has(&terminal, &["name the direction: @3> hello"]);
    terminal.keys("@1>\r");
    terminal.wait_for_screen(|screen| screen.ends_with_line("to 1>       > "));
    terminal.keys("hello\r");
    at_server.expect(TEXT, "hello");
    terminal.keys("/quit\r");
    assert!(terminal.end().success());
}
