//! The lines of the prompt from a script: whom they go to, what they ask, what ends them.

use std::io::Write as _;

use tungstenite::Message;

use crate::harness::{Server, close, listen, receive, receive_close, wscope};

/// A server whose stdin are lines of the prompt.
fn commanded() -> Server {
    listen(["--input", "commands", "-w", "0"])
}

fn script(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a disk");
    file
}

#[test]
fn a_line_goes_to_all_or_to_those_it_names() {
    let mut server = commanded();
    let mut clients: Vec<_> = (0..3).map(|_| server.client()).collect();
    server.write("/await 3 10\nall\n@2 two\n@1,3 odd\n/to 3 three\n/to 2\nstill two\n@all again\n");
    server.write("/to all\n/text \\@last\n");
    for (client, wanted) in clients.iter_mut().zip([
        &["all", "odd", "again", "@last"][..],
        &["all", "two", "still two", "again", "@last"],
        &["all", "odd", "three", "again", "@last"],
    ]) {
        for text in wanted {
            assert_eq!(receive(client), *text);
        }
    }
    server.end_stdin();
    for client in &mut clients {
        assert_eq!(receive_close(client).0, 1000);
    }
    drop(clients);
    server.ends(0);
}

#[test]
fn every_kind_of_command_has_a_target() {
    let mut server = commanded();
    let (mut one, mut two) = (server.client(), server.client());
    server
        .write("/await 2\n@2 /ping p\n@2 /repeat 2 twice\n@2 /fragment 2 whole\n@2 /binary 00ff\n");
    server.write("@1 end\n");
    assert_eq!(two.read().expect("a ping"), Message::Ping("p".into()));
    for text in ["twice", "twice", "whole"] {
        assert_eq!(receive(&mut two), text);
    }
    assert_eq!(two.read().expect("a message"), Message::binary(vec![0, 255]));
    assert_eq!(receive(&mut one), "end");
    server.write("/kick 1 4001 enough\n/expect bye\n@2 /close 1000 done\n");
    assert_eq!(receive_close(&mut one), (4001, "enough".to_owned()));
    two.send(Message::text("bye")).expect("open");
    assert_eq!(receive_close(&mut two), (1000, "done".to_owned()));
    server.end_stdin();
    drop((one, two));
    server.ends(0);
}

#[test]
fn an_expectation_is_of_those_it_names() {
    let mut server = commanded();
    let (mut one, mut two) = (server.client(), server.client());
    two.send(Message::text("from two")).expect("open");
    server.stdout.wait_for("from two\n");
    one.send(Message::text("from one")).expect("open");
    server.stdout.wait_for("from one\n");
    server.write("@1 /expect ^from\n@1 heard one\n@2 /expect ^from\n@2 heard two\n");
    assert_eq!(receive(&mut one), "heard one");
    assert_eq!(receive(&mut two), "heard two");
    server.write("@1 /expect more\n");
    close(one);
    assert_eq!(receive_close(&mut two).0, 1001);
    drop(two);
    let output = server.ends(13);
    let said = "wscope: stdin: line 5: /expect /more/: the connection ended before a match";
    assert!(output.stderr.contains(said), "{}", output.stderr);
}

#[test]
fn a_file_goes_to_several_as_one_message() {
    let mut server = commanded();
    let mut clients: Vec<_> = (0..3).map(|_| server.client()).collect();
    let content = "x".repeat(3 * 1024 * 1024);
    let file = script(&content);
    server.write(&format!("/await 3\n@1,3 /file {} text\nafter\n", file.path().display()));
    for at in [0, 2] {
        assert_eq!(receive(&mut clients[at]), content);
    }
    for client in &mut clients {
        assert_eq!(receive(client), "after");
    }
    server.interrupt();
}

#[test]
fn nobody_to_send_to_ends_a_script() {
    for (lines, said, status) in [
        ("hello\n", "line 1: no client is connected; /await waits for a client", 1),
        ("@7 hello\n", "line 1: client 7 is not connected", 1),
        ("/await 1 10ms\n", "line 1: /await: 0 of 1 clients connected within 0.01 s", 13),
        ("/reconnect\n", "line 1: /reconnect is not available here: a server does not open", 1),
        ("/show stats\n", "line 1: no client has connected yet", 1),
    ] {
        let mut server = commanded();
        server.write(lines);
        let output = server.ends(status);
        assert!(output.stderr.contains(said), "{lines}: {}", output.stderr);
    }
}

#[test]
fn a_script_is_checked_before_anything_listens_and_ends_the_server() {
    let wrong = script("/await\n/nonsense\n");
    let output = wscope().arg("listen").arg("--script").arg(wrong.path()).arg("0").output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("line 2: unknown command /nonsense"), "{said}");

    let right = script("/await\nhello\n/expect ^hi$\nbye\n");
    let path = right.path().display().to_string();
    let server = listen(["--script", path.as_str(), "-w", "0"]);
    let mut client = server.client();
    assert_eq!(receive(&mut client), "hello");
    client.send(Message::text("hi")).expect("open");
    assert_eq!(receive(&mut client), "bye");
    assert_eq!(receive_close(&mut client).0, 1000);
    drop(client);
    assert_eq!(server.ends(0).stdout, "hi\n");
}

#[test]
fn who_is_there_and_what_is_known_of_them() {
    let mut server = commanded();
    let (mut one, mut two) = (server.client(), server.client());
    one.send(Message::text("{\"n\":1}")).expect("open");
    server.stdout.wait_for("{\"n\":1}\n");
    server.write("/await 2\n@2 hello\n");
    assert_eq!(receive(&mut two), "hello");
    server.write("/clients\n/last\n@2 /show frames\n@1 /show handshake\n");
    server.write("/status\n@2 /status\n/show stats\n@all end\n");
    assert_eq!((receive(&mut one), receive(&mut two)), ("end".to_owned(), "end".to_owned()));
    let said = server.interrupt().stderr;
    for part in [
        "\n[1] 127.0.0.1:",
        "\n[2] 127.0.0.1:",
        "sent 0 frames, 0 messages, 0 bytes; received 1 frame, 1 message, 7 bytes\n",
        "sent 1 frame, 1 message, 5 bytes; received 0 frames",
        "client 1\n{\n  \"n\": 1\n}\n",
        "client 2\n> [2]",
        " 5 hello\n",
        "client 1\n✓ the handshake is in order\n",
        "listening on ws://127.0.0.1:",
        "; 2 clients\n",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn settings_hold_for_those_who_come() {
    let mut server = commanded();
    server.write("/autopong off\n/await 2\nready\n");
    let (mut one, mut two) = (server.client(), server.client());
    assert_eq!((receive(&mut one), receive(&mut two)), ("ready".to_owned(), "ready".to_owned()));
    server.write("@2 /autopong on\n@2 now\n");
    assert_eq!(receive(&mut two), "now");
    for client in [&mut one, &mut two] {
        client.send(Message::Ping("there?".into())).expect("open");
        client.send(Message::text("asked")).expect("open");
    }
    server.stdout.wait_until("both", |said| said.matches("asked\n").count() == 2);
    server.write("end\n");
    assert_eq!(receive(&mut one), "end");
    assert_eq!(two.read().expect("a pong"), Message::Pong("there?".into()));
    assert_eq!(receive(&mut two), "end");
    server.interrupt();
}

#[test]
fn without_commands_nothing_is_special() {
    let file = script("/await\n@1 hello\n");
    let path = file.path().display().to_string();
    let output = wscope()
        .args(["listen", "--no-commands", "--script", &path, "0"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("line 1: no client is connected"), "{said}");
}
