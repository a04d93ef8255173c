//! Lines of stdin, of scripts and of the prompt: what is put in, what is held and let go.

use std::io::Write;

use wscope::event::Direction;

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::harness::wscope;
use crate::rules::{Peer, masked, open_compressed, text};
use crate::upstream::Upstream;

const COMMANDS: [&str; 2] = ["--input", "commands"];

#[test]
fn lines_go_to_the_end_they_name() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&COMMANDS);
    let (mut client, server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    proxy.write("@1> to the server\n@1< to the client\n");
    at_server.expect(TEXT, "to the server");
    assert_eq!(client.receive_frame(), (TEXT, b"to the client".to_vec()));
    proxy.write("@> /ping p\n@< /binary 00 ff\n@all< /frame pong x\n");
    at_server.expect(PING, "p");
    assert_eq!(client.receive_frame(), (BINARY, vec![0, 0xff]));
    assert_eq!(client.receive_frame(), (PONG, b"x".to_vec()));
    // What follows goes there.
    proxy.write("@1>\nanother\n/close 4001 enough\n");
    at_server.expect(TEXT, "another");
    assert_eq!(at_server.next(), (CLOSE, frames::close_payload(4001, "enough")));
    let said = proxy.stdout.wait_for("4001");
    for line in ["to the server (injected)", "to the client (injected)", "p (injected)"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    drop((client, server, at_server));
    proxy.write("/quit\n");
    proxy.ends(0);
}

#[test]
fn json_and_the_log_mark_what_was_put_in() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let upstream = Upstream::new();
    let log_name = log.to_str().expect("text");
    let args = ["--output", "json", "--log", log_name, "--rule", "> /edit/ -> replace /e/E/"];
    let mut proxy = upstream.proxy(&[&COMMANDS[..], &args].concat());
    let (mut client, server) = upstream.open(&proxy);
    proxy.write("@< put in\n");
    assert_eq!(client.receive_frame(), (TEXT, b"put in".to_vec()));
    client.send(text("from the client"));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(TEXT, "from the client");
    client.send(text(&"edit ".repeat(30_000)));
    at_server.expect(TEXT, &"Edit ".repeat(30_000));
    client.send(frames::bytes([masked(frames::frame(PING, "p"))]));
    at_server.expect(PING, "p");
    drop((client, server, at_server));
    proxy.stdout.wait_for("\"event\":\"end\"");
    proxy.write("/quit\n");
    let output = proxy.ends(0);
    let logged = std::fs::read_to_string(&log).expect("a log");
    // The recording gives the same events again.
    let decoded = wscope().args(["decode", "--output", "json", log_name]).output().expect("a run");
    let decoded = String::from_utf8_lossy(&decoded.stdout).into_owned();
    let recorded = logged.lines().filter(|line| !line.contains("\"event\":\"diagnostic\""));
    assert_eq!(decoded.lines().collect::<Vec<_>>(), recorded.collect::<Vec<_>>());
    let shown = wscope().args(["show", log_name]).output().expect("a run");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(" put in (injected)\n") && shown.contains("(edited)\n"), "{shown}");
    // A format that holds what the ends sent counts what is not in it.
    for name in ["o.har", "o.pcapng", "o.html", "o.wsc"] {
        let out = folder.path().join(name);
        let ran = wscope().args(["convert", log_name]).arg(out).output().expect("a run");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(said.contains("2 frames that the proxy made"), "{name}: {said}");
    }
    for text in [&output.stdout, &logged] {
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for event in ["frame", "message"] {
            let line = lines.iter().find(|line| line["event"] == event).expect(event);
            assert_eq!((&line["made"], &line["dir"]), (&"injected".into(), &"to-client".into()));
            assert_eq!(line["text"], "put in");
        }
        let end = lines.iter().find(|line| line["event"] == "end").expect("an end");
        assert_eq!(end["in"]["messages"], 0, "it is none of the server's");
    }
}

#[test]
fn what_is_put_in_waits_for_the_end_of_a_frame_and_of_a_message() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&[&COMMANDS[..], &["--output", "json"]].concat());
    let (mut client, server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    let first = frames::bytes([masked(frames::fragment(TEXT, "one "))]);
    client.send(&first[..8]);
    // These come while a frame is under way: what came of it has been passed on.
    let mut passed = 0;
    while passed < 8 {
        passed += at_server.read();
    }
    proxy.write("@> text\n@> /ping p\n/clients\n");
    proxy.stderr.wait_for("[1] 127.0.0.1");
    client.send(&first[8..]);
    at_server.expect(PING, "p");
    client.send(frames::bytes([masked(frames::frame(CONTINUATION, "message"))]));
    at_server.expect(TEXT, "one message");
    at_server.expect(TEXT, "text");
    // The other way round: a message that passes waits for the end of one that was put in.
    proxy.write("@> /frame text fin=off half\n/clients\n");
    at_server.read();
    client.send([text("whole"), frames::bytes([masked(frames::frame(PING, "q"))])].concat());
    at_server.expect(PING, "q");
    proxy.write("@> /frame continuation rest\n");
    at_server.expect(TEXT, "halfrest");
    at_server.expect(TEXT, "whole");
    drop((client, server, at_server));
    proxy.write("/quit\n");
    proxy.ends(0);
}

#[test]
fn what_is_put_between_compressed_messages_leaves_them_readable() {
    for answer in ["permessage-deflate", "permessage-deflate; client_no_context_takeover"] {
        let upstream = Upstream::new();
        let mut proxy = upstream.proxy(&COMMANDS);
        let (mut client, server) = open_compressed(&upstream, &proxy, answer);
        let mut deflater = frames::deflater(answer.contains(';'));
        let params = crate::rules::params(answer.contains(';'), false);
        let mut at_server = Peer::new(&server, Direction::ToServer, Some(&params));
        for n in 0..3 {
            let payload = frames::deflated(&mut deflater, "again and again");
            client.send(frames::bytes([masked(frames::compressed(TEXT, payload))]));
            at_server.expect(TEXT, "again and again");
            proxy.write(&format!("@> put in {n}\n"));
            at_server.expect(TEXT, &format!("put in {n}"));
        }
        assert_eq!(at_server.compressed, [true, false, true, false, true, false]);
        drop((client, server, at_server));
        proxy.write("/quit\n");
        let said = proxy.ends(0).stdout;
        assert!(!said.contains("compressed anew"), "{said}");
    }
}

#[test]
fn messages_are_held_and_let_go_by_lines() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&COMMANDS);
    let (mut client, server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    proxy.write("/hold > /order/\n/rule\n");
    proxy.stderr.wait_for("1: > /order/ -> hold");
    client.send([text("order 1"), text("order 2"), text("x"), text("order 3")].concat());
    client.send(frames::bytes([masked(frames::frame(PING, "p"))]));
    at_server.expect(PING, "p");
    proxy.write("/next\n");
    at_server.expect(TEXT, "order 1");
    proxy.write("@1> /drop\n");
    at_server.expect(TEXT, "x");
    proxy.write("/pass\n");
    at_server.expect(TEXT, "order 3");
    client.send(text("order 4"));
    at_server.expect(TEXT, "order 4");
    let said = proxy.stdout.wait_for("#6 TEXT");
    for line in [
        "text #1 to the server: held",
        "text #1 to the server: passed on",
        "#2 to the server: dropped",
        // What did not pass is marked in the line of its frame.
        "#1 TEXT F-M 7 order 1 (held)\n",
        "#2 TEXT F-M 7 order 2 (held)\n",
        "#3 TEXT F-M 1 x\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // Nothing of what is held is lost with the end of the client's stream.
    proxy.write("/hold\n/rule\n");
    proxy.stderr.wait_for("2: <> -> hold");
    client.send(text("last"));
    client.hang_up();
    proxy.stdout.wait_for("text #7 to the server: held");
    proxy.write("/next\n");
    at_server.expect(TEXT, "last");
    proxy.write("/quit\n");
    proxy.ends(0);
}

#[test]
fn a_script_expects_what_passes_and_says_where_it_fails() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("script");
    let lines = "/await\n@> hello\n@1> /expect /answer/ 5s\n@< bye\n@all< /expect /never/ 0.1s\n";
    std::fs::write(&path, lines).expect("a file");
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--script", path.to_str().expect("text")]);
    let (mut client, server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(TEXT, "hello");
    client.send(text("the answer"));
    assert_eq!(client.receive_frame(), (TEXT, b"bye".to_vec()));
    let said = proxy.ends(13).stderr;
    assert!(said.contains("script: line 5: ") && said.contains("/never/"), "{said}");
}

#[test]
fn a_line_without_direction_is_refused() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&["--input", "commands"]);
    let (client, server) = upstream.open(&proxy);
    proxy.write("hello\n");
    let said = proxy.ends(1).stderr;
    assert!(said.contains("name the direction: @3> hello goes to the server"), "{said}");
    drop((client, server));
    let server = crate::harness::listen(["--input", "commands"]);
    let mut server = server;
    server.write("@1> hello\n");
    let said = server.ends(1).stderr;
    assert!(said.contains("only what passes wscope proxy has two directions"), "{said}");
    let rules = ["--rule", "> -> hold"];
    let run = crate::harness::wscope()
        .args(["proxy", "0", "--to", "ws://127.0.0.1:9"])
        .args(rules)
        .output()
        .expect("a run");
    assert_eq!(run.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&run.stderr)
            .contains("a rule that holds messages needs the prompt")
    );
}

#[test]
fn half_of_what_a_server_sends_may_be_held_while_the_client_is_read() {
    let upstream = Upstream::new();
    let mut proxy = upstream.proxy(&[&COMMANDS[..], &["--rule", "< -> hold"]].concat());
    let (mut client, mut server) = upstream.open(&proxy);
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    server.write_all(&frames::bytes([frames::frame(TEXT, "held")])).expect("it reads");
    proxy.stdout.wait_for("text #1 to the client: held");
    client.send(text("passes"));
    at_server.expect(TEXT, "passes");
    proxy.write("@< injected before\n");
    assert_eq!(client.receive_frame(), (TEXT, b"injected before".to_vec()));
    proxy.write("@1< /next\n");
    assert_eq!(client.receive_frame(), (TEXT, b"held".to_vec()));
    drop((client, server, at_server));
    proxy.write("/quit\n");
    proxy.ends(0);
}

#[test]
fn what_is_held_when_its_sender_is_lost_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[&COMMANDS[..], &["--rule", "> -> hold"]].concat());
    let (mut client, server) = upstream.open(&proxy);
    client.send(text("held"));
    proxy.stdout.wait_for("text #1 to the server: held");
    rustix::net::sockopt::set_socket_linger(client.tcp(), Some(std::time::Duration::ZERO))
        .expect("a socket");
    drop(client);
    proxy.stdout.wait_for("held messages are discarded: the connection has ended");
    drop(server);
    proxy.interrupt();
}

/// The end lines of a proxy name the ends, also if the proxy ends itself.
#[test]
fn a_proxy_that_ends_says_so() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&COMMANDS);
    let (mut client, server) = upstream.open(&proxy);
    client.send(text("hi"));
    proxy.stdout.wait_for("#1 TEXT F-M 2 hi");
    let output = proxy.interrupt();
    assert!(output.stdout.contains("* [1] ended by the proxy after "), "{}", output.stdout);
    assert!(output.stdout.contains("* [1] the client sent 1 frame, "), "{}", output.stdout);
    drop((client, server));
}
