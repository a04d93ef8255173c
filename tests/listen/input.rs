//! stdin to the clients, clients to stdout; with numbers in JSON.

use tungstenite::Message;

use crate::frames::{self, TEXT};
use crate::harness::{close, listen, receive, receive_close};

#[test]
fn lines_go_to_all_and_messages_to_stdout() {
    let mut server = listen::<&str>([]);
    // What comes before the first client waits for it.
    server.write("first\n");
    let mut one = server.client();
    assert_eq!(receive(&mut one), "first");
    let mut two = server.client();
    server.stderr.wait_for("[2] joined");
    server.write("second\nthird\n");
    for client in [&mut one, &mut two] {
        assert_eq!(receive(client), "second");
        assert_eq!(receive(client), "third");
    }
    one.send(Message::text("to stdout")).expect("open");
    server.stdout.wait_for("to stdout\n");
    two.send(Message::text("this too")).expect("open");
    server.stdout.wait_for("this too\n");
    close(one);
    close(two);
    assert_eq!(server.interrupt().stdout, "to stdout\nthis too\n");
}

#[test]
fn messages_in_pieces_do_not_mix_on_stdout() {
    let server = listen(["--input", "none"]);
    let (mut one, mut two) = (server.open(), server.open());
    one.frame(frames::fragment(TEXT, "one "));
    two.frame(frames::fragment(TEXT, "two "));
    two.frame(frames::fragment(frames::CONTINUATION, "two "));
    one.frame(frames::frame(frames::CONTINUATION, "one"));
    server.stdout.wait_for("one one\n");
    two.frame(frames::frame(frames::CONTINUATION, "two"));
    server.stdout.wait_for("two two two\n");
    assert_eq!(server.interrupt().stdout, "one one\ntwo two two\n");
}

#[test]
fn a_json_command_is_for_one_or_for_all() {
    let mut server = listen(["--input", "json", "--output", "json"]);
    let mut clients: Vec<_> = (0..3).map(|_| server.client()).collect();
    server.stdout.wait_until("three open", |said| said.matches("\"event\":\"open\"").count() == 3);
    server.write("{\"type\":\"text\",\"text\":\"only two\",\"conn\":2}\n");
    server.write("{\"type\":\"text\",\"text\":\"all\"}\n");
    assert_eq!(receive(&mut clients[1]), "only two");
    for client in &mut clients {
        assert_eq!(receive(client), "all");
    }
    server.write("{\"type\":\"text\",\"text\":\"nobody\",\"conn\":99}\n");
    server.stderr.wait_for("no connection 99");
    server.write("{\"type\":\"close\",\"conn\":3,\"code\":4000,\"reason\":\"enough\"}\n");
    assert_eq!(receive_close(&mut clients[2]), (4000, "enough".to_owned()));
    clients[1].send(Message::text("from two")).expect("open");
    let said = server.stdout.wait_for("\"from two\"");
    let line = said.lines().find(|line| line.contains("from two")).expect("a line");
    let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((object["conn"].as_u64(), object["dir"].as_str()), (Some(2), Some("to-server")));
    server.interrupt();
}

#[test]
fn a_wrong_command_ends_the_run_with_its_line() {
    let mut server = listen(["--input", "json"]);
    let mut client = server.client();
    server.write("{\"type\":\"ping\"}\n{\"type\":\"nonsense\"}\n");
    while client.read().is_ok() {}
    let output = server.ends(1);
    assert!(output.stderr.contains("stdin: line 2: "), "{}", output.stderr);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut command = std::process::Command::new("sh");
    command.env("PROGRAM", crate::harness::wscope().get_program());
    command.args(["-c", "printf 'good\\n\\377\\n' | \"$PROGRAM\" listen --once 0"]);
    let server = crate::harness::Server::start(&mut command);
    let mut client = server.client();
    assert_eq!(receive(&mut client), "good");
    assert_eq!(receive_close(&mut client).0, 1001);
    while client.read().is_ok() {}
    let output = server.ends(1);
    assert!(output.stderr.contains("message 2, byte 5 of the input"), "{}", output.stderr);
}

#[test]
fn a_command_that_cannot_be_used_ends_the_run_whoever_does_not_answer() {
    for (format, line) in [("json", "{\"nope\":1}\n"), ("commands", "/nope\n")] {
        let mut server = listen(["--input", format, "--close-timeout", "3600"]);
        let mut silent = server.open();
        server.write(line);
        silent.receive_close(1001);
        server.ends(1);
    }
}
