//! `--each`: a script for each client; `/on` and `/expect-close` of a server.

use std::io::Write as _;

use rustix::process::Signal;

use crate::harness::{close, listen, receive, receive_close, wscope};
use tungstenite::Message;

fn script(text: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a disk");
    let path = file.path().display().to_string();
    (file, path)
}

#[test]
fn each_client_gets_the_script_from_its_beginning() {
    let (_file, path) =
        script("welcome\n/expect (?<name>.+)\nhello ${name}\n/expect bye\n/close 4000 done\n");
    let server = listen(["--script", &path, "--each", "-w", "-1"]);
    let mut one = server.client();
    assert_eq!(receive(&mut one), "welcome");
    let mut two = server.client();
    assert_eq!(receive(&mut two), "welcome");
    two.send(Message::text("bob")).expect("open");
    assert_eq!(receive(&mut two), "hello bob");
    one.send(Message::text("alice")).expect("open");
    assert_eq!(receive(&mut one), "hello alice");
    for client in [&mut one, &mut two] {
        client.send(Message::text("bye")).expect("open");
        assert_eq!(receive_close(client), (4000, "done".to_owned()));
    }
    server.signal(Signal::INT);
    server.ends(130);
}

#[test]
fn a_script_that_ends_closes_its_client_and_one_that_fails_is_reported() {
    let (_file, path) = script("ask\n/expect good 5\n");
    let server =
        listen(["--script", &path, "--each", "-w", "0", "--max-time", "60", "--exit-after", "2"]);
    let mut one = server.client();
    assert_eq!(receive(&mut one), "ask");
    one.send(Message::text("good")).expect("open");
    assert_eq!(receive_close(&mut one).0, 1000);
    let mut two = server.client();
    assert_eq!(receive(&mut two), "ask");
    close(two);
    let mut three = server.client();
    assert_eq!(receive(&mut three), "ask");
    three.send(Message::text("good")).expect("open");
    receive_close(&mut three);
    drop((one, three));
    let output = server.ends(13);
    assert!(
        output
            .stderr
            .contains(&format!("wscope: [2] {path}: line 2: /expect /good/: the connection ended")),
        "{}",
        output.stderr
    );
}

#[test]
fn each_wants_a_file_of_lines() {
    for (args, stderr) in [
        (&["--each", "0"][..], "needs --script FILE"),
        (&["--each", "--script", "-", "0"], "--each can't repeat a script from stdin"),
    ] {
        let output = wscope().arg("listen").args(args).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(stderr) && output.status.code() == Some(2), "{text}");
    }
}

#[test]
fn a_server_answers_those_it_names_and_sees_them_leave() {
    let mut server = listen(["--input", "commands", "-w", "0"]);
    let (mut one, mut two) = (server.client(), server.client());
    server.write(
        "/await 2\n@2 /on ^q /text a\n/on all /pong\n@1 ready\n/expect-close 4002\n@1 seen\n",
    );
    assert_eq!(receive(&mut one), "ready");
    one.send(Message::text("q")).expect("open");
    two.send(Message::text("q")).expect("open");
    assert_eq!(receive(&mut two), "a");
    let frame = tungstenite::protocol::CloseFrame { code: 4002.into(), reason: "".into() };
    two.close(Some(frame)).expect("open");
    assert_eq!(receive(&mut one), "seen");
    server.end_stdin();
    assert_eq!(receive_close(&mut one).0, 1000);
    drop((one, two));
    server.ends(0);
}
