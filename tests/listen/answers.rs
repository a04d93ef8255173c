//! What becomes of messages: back, to the others, a fixed answer.

use std::io::Write as _;

use tempfile::NamedTempFile;
use tungstenite::Message;
use wscope::wire::OpCode;

use crate::frames::{self, BINARY, CONTINUATION, PING, PONG, TEXT};
use crate::harness::{close, echoes, listen, receive};

#[test]
fn echo_sends_every_message_back() {
    let server = listen(["--echo"]);
    let mut client = server.client();
    echoes(&mut client, "");
    echoes(&mut client, "grüße");
    let large = "0123456789abcdef".repeat(1 << 16);
    echoes(&mut client, &large);
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
    client.send(Message::binary(bytes.clone())).expect("open");
    assert_eq!(client.read().expect("a message"), Message::binary(bytes));
    close(client);
    assert_eq!(server.interrupt().stdout, "", "nobody asked for messages on stdout");
}

#[test]
fn fragments_come_back_as_a_message_and_pings_between_them_are_answered() {
    let server = listen(["--echo"]);
    let mut raw = server.open();
    raw.frame(frames::fragment(TEXT, "one, "));
    raw.frame(frames::frame(PING, "between"));
    assert_eq!(raw.receive_frame(), (PONG, b"between".to_vec()));
    raw.frame(frames::frame(CONTINUATION, "two"));
    assert_eq!(raw.receive_frame(), (TEXT, b"one, two".to_vec()));
    server.interrupt();
}

#[test]
fn many_small_messages_come_back_in_order() {
    let server = listen(["--echo"]);
    let raw = server.open();
    let messages: Vec<String> = (0..20_000).map(|i| format!("message {i}")).collect();
    let sent: Vec<u8> = messages
        .iter()
        .flat_map(|text| {
            let frame = frames::frame(TEXT, text);
            frames::bytes([frames::towards(wscope::event::Direction::ToServer, frame)])
        })
        .collect();
    let mut writer = raw.tcp().try_clone().expect("a descriptor");
    let writing = std::thread::spawn(move || writer.write_all(&sent).expect("it reads"));
    let expected: Vec<u8> =
        messages.iter().flat_map(|text| frames::bytes([frames::frame(TEXT, text)])).collect();
    let mut came = vec![0; expected.len()];
    std::io::Read::read_exact(&mut raw.tcp(), &mut came).expect("all of it");
    assert!(came == expected);
    crate::waiting::join(writing);
    server.interrupt();
}

#[test]
fn broadcast_reaches_all_others_and_not_the_sender() {
    let server = listen(["--broadcast"]);
    let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    server.stderr.wait_for("[4] joined");
    clients[0].send(Message::text("from the first")).expect("open");
    for client in &mut clients[1..] {
        assert_eq!(receive(client), "from the first");
    }
    clients[3].send(Message::binary(vec![0, 255])).expect("open");
    // The first one receives this next: what it sent itself did not come back.
    for client in &mut clients[..3] {
        assert_eq!(client.read().expect("a message"), Message::binary(vec![0, 255]));
    }
    server.interrupt();
}

#[test]
fn reply_answers_each_message_with_the_same() {
    let server = listen(["--reply", "-ok-"]);
    let mut client = server.client();
    client.send(Message::text("a")).expect("open");
    client.send(Message::binary(vec![1])).expect("open");
    assert_eq!(
        (receive(&mut client), receive(&mut client)),
        ("-ok-".to_owned(), "-ok-".to_owned())
    );
    server.interrupt();
}

#[test]
fn each_client_is_sent_the_file_first() {
    let mut file = NamedTempFile::new().expect("a file");
    let lines: Vec<String> = (0..5000).map(|i| format!("line {i} {}", "x".repeat(100))).collect();
    writeln!(file, "{}", lines.join("\n")).expect("a disk");
    let server = listen(["--echo".as_ref(), "--send".as_ref(), file.path().as_os_str()]);
    for _ in 0..2 {
        let mut client = server.client();
        for line in &lines {
            assert_eq!(receive(&mut client), *line);
        }
        echoes(&mut client, "and then");
        close(client);
    }
    server.interrupt();
}

#[test]
fn stdin_can_be_what_is_sent_first() {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(b"\x00\x01\xff").expect("a disk");
    let path = file.path().to_str().expect("text").to_owned();
    // The shell gives the file as stdin.
    let mut command =
        crate::harness::shell("exec \"$PROGRAM\" listen --send - -b --output none 0 <\"$FILE\"");
    command.env("FILE", path);
    let server = crate::harness::Server::start(&mut command);
    let mut raw = server.open();
    let (opcode, payload): (OpCode, _) = raw.receive_frame();
    assert_eq!((opcode, payload), (BINARY, b"\x00\x01\xff".to_vec()));
    server.interrupt();
}

#[test]
fn compressed_messages_are_echoed_compressed() {
    let server = listen(["--echo", "--output", "json"]);
    let output = crate::harness::wscope()
        .args(["-q", "-x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
        .args(["--exit-after", "1", server.url()])
        .output()
        .expect("the binary");
    assert_eq!(output.stdout.len(), 53);
    server.stdout.wait_until("two compressed messages", |said| {
        let message =
            |line: &&str| line.contains("\"message\"") && line.contains("\"compressed\":true");
        said.lines().filter(message).count() == 2
    });
    server.interrupt();
}
