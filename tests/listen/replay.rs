//! Both sides of a recording against each other: `wscope replay` against a server, and
//! `listen --replay` against the client that was recorded.

use std::fs;
use std::process::Output;

use crate::harness::{Server, listen, receive, receive_close, wscope};
use serde_json::Value;
use tungstenite::Message;

/// What a client of an echo server does: compressed and fragmented messages, pings, JSON.
const SCRIPT: &str = "hello, hello, hello, hello\n/expect hello\n/binary 00 ff\n/expect .\n\
    /fragment 3 text abcdefghi\n/expect abcdefghi\n/ping p\n{\"a\":1,\"b\":[2]}\n/expect \"a\"\n\
    /close 4001 bye\n";

/// A folder with the script, and with what is recorded.
struct Case {
    folder: tempfile::TempDir,
    recording: String,
}

impl Case {
    /// Records the script against a server.
    fn recorded(server: &[&str], script: &str, client: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recording = folder.path().join("session.jsonl").display().to_string();
        fs::write(folder.path().join("script.wsc"), script).expect("a disk");
        let case = Self { folder, recording };
        let server = listen(server);
        let args = [client, &["--record", &case.recording]].concat();
        let ran = case.script(&server, &args);
        assert!(ran.status.success(), "{ran:?}");
        server.interrupt();
        case
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs the script against a server.
    fn script(&self, server: &Server, args: &[&str]) -> Output {
        let script = self.folder.path().join("script.wsc");
        let mut command = wscope();
        command.args(["--script"]).arg(script).args(args).arg(server.url());
        command.output().expect("the binary runs")
    }
}

fn replay(server: &Server, args: &[&str]) -> (i32, String, String) {
    let output = wscope().arg("replay").args(args).arg(server.url()).output();
    let output = output.expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a status"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_session_with_an_echo_server_is_replayed_without_a_difference() {
    let case = Case::recorded(&["--echo"], SCRIPT, &[]);
    let server = listen(["--echo"]);
    for pace in ["wait", "fast", "original"] {
        let args = [&*case.recording, "--compare", "json", "--pace", pace];
        let (status, said, errors) = replay(&server, &args);
        assert_eq!((status, &*errors), (0, ""), "{said}");
        assert!(said.contains(": 4 messages sent, 4 received, no difference\n"), "{said}");
    }
    server.interrupt();
    // With one answer changed.
    let server = listen(["--reply", r#"{"a":1,"b":[3]}"#]);
    let (status, _, errors) = replay(&server, &[&case.recording, "--compare", "json"]);
    assert_eq!(status, 13);
    let last = "wscope: message 4 differs at /b/0\n  expected  {\"a\":1,\"b\":[2]}\n  \
        received  {\"a\":1,\"b\":[3]}\n  /b/0: expected 2, received 3\n";
    assert!(errors.ends_with(last), "{errors}");
    server.interrupt();
}

/// What a client sends to an echo server, as the server's recording shows it, without the mask keys.
fn sent(case: &Case, script: &str) -> Vec<String> {
    let log = case.path("server.jsonl");
    let _ = fs::remove_file(&log);
    let server = listen(["--echo", "--lenient", "--record", &log]);
    fs::write(case.path("script.wsc"), script).expect("a disk");
    let ran = case.script(&server, &["--lenient", "--no-compress"]);
    assert!(ran.status.success(), "{ran:?}");
    server.interrupt();
    let shown = wscope().args(["show", "--timestamps", "off", &log]).output().expect("it runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let is_key = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let plain =
        |line: &str| line.split(' ').filter(|word| !is_key(word)).collect::<Vec<_>>().join(" ");
    shown.lines().filter(|line| line.starts_with("< ") && line.contains(" #")).map(plain).collect()
}

#[test]
fn a_script_made_of_a_recording_sends_every_frame_of_the_client() {
    let strange = "/ping are you there\n/pong hex:00\n/ping\n/fragment 2,1 text abc\n/expect abc\n\
        /frame ping rsv1=on -- x\n/frame 0xb -- fin=on\n/frame binary form=64 -- z\n/expect z\n\
        /frame text mask=off fin=off -- un\n/frame continuation masked\n/expect unmasked\n\
        /text base64:L2JlZw==\n/expect beg\n/frame close hex:03\n";
    for script in [SCRIPT, strange] {
        let case =
            Case::recorded(&["--echo", "--lenient"], script, &["--lenient", "--no-compress"]);
        let made = case.path("made.wsc");
        let ran = wscope().args(["convert", &case.recording, &made]).output().expect("it runs");
        assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
        let made = fs::read_to_string(made).expect("a script");
        let was = sent(&case, script);
        assert!(was.len() > 7, "{was:#?}");
        assert_eq!(sent(&case, &made), was, "{made}");
    }
    // Where the server closes, the script waits for that.
    let server = ["--exec", "echo hello; exit 0"];
    let case = Case::recorded(&server, "/expect hello\n/expect-close 1000\n", &[]);
    let made = case.path("made.wsc");
    wscope().args(["convert", &case.recording, &made]).output().expect("it runs");
    let made = fs::read_to_string(made).expect("a script");
    assert!(made.ends_with("/# < hello\n/expect /(?s).*/ 10s\n/expect-close 1000 10s\n"), "{made}");
}

#[test]
fn many_connections_replay_at_once() {
    let case = Case::recorded(&["--echo"], SCRIPT, &[]);
    let server = listen(["--echo"]);
    let load = ["--parallel", "20", "--repeat", "3", "--output", "json", "--compare", "text"];
    let (status, said, errors) = replay(&server, &[&[&*case.recording][..], &load].concat());
    assert_eq!((status, &*errors), (0, ""), "{said}");
    let last = said.lines().last().expect("a summary");
    let summary: Value = serde_json::from_str(last).expect("JSON");
    for (field, value) in [
        ("connections", 60),
        ("failed", 0),
        ("sent", 240),
        ("received", 240),
        ("differences", 0),
        ("answers", 240),
    ] {
        assert_eq!(summary[field], value, "{field}: {last}");
    }
    let of = |field: &str| summary[field].as_u64().unwrap_or_else(|| panic!("{field}: {last}"));
    assert!(of("answer_p50_us") <= of("answer_p90_us"));
    assert!(of("answer_p90_us") <= of("answer_p99_us"));
    assert!(of("answer_p99_us") <= of("answer_max_us"));
    server.interrupt();
}

#[test]
fn a_load_goes_over_tls_as_well() {
    let case = Case::recorded(&["--echo"], SCRIPT, &[]);
    let certificate = case.folder.path().join("certificate.pem").display().to_string();
    let server = listen(["--echo", "--self-signed-out", &certificate]);
    assert!(server.url().starts_with("wss://"));
    let load = [&*case.recording, "--parallel", "5", "--repeat", "2", "--compare", "text"];
    let (status, said, errors) =
        replay(&server, &[&load[..], &["--cacert", &certificate]].concat());
    assert_eq!((status, &*errors), (0, ""), "{said}");
    assert!(said.contains(": 40 messages sent, 40 received, no difference\n"), "{said}");
    // Whom nobody trusts is told once in full.
    let (status, said, errors) = replay(&server, &load);
    assert_eq!(status, 6, "{said}");
    assert_eq!(errors.matches("error[W208]").count(), 1, "{errors}");
    server.interrupt();
}

#[test]
fn the_mock_fools_the_recorded_client() {
    let case = Case::recorded(&["--echo"], SCRIPT, &["--output", "none"]);
    let server = listen(["--echo"]);
    let original = case.script(&server, &[]);
    server.interrupt();
    assert!(!original.stdout.is_empty());
    for args in [&[][..], &["--match", "content"], &["--match", "order", "--no-compress"]] {
        let server = listen([&["--replay", &case.recording], args].concat());
        // One client after the other, and a replay of the client too.
        for _ in 0..2 {
            let fooled = case.script(&server, &[]);
            assert_eq!(fooled, original, "{args:?}");
        }
        let (status, said, errors) = replay(&server, &[&case.recording, "--compare", "text"]);
        assert_eq!((status, &*errors), (0, ""), "{said}");
        server.interrupt();
    }
}

#[test]
fn what_the_server_does_first_and_its_close_are_played() {
    let script = "/expect welcome\nask\n/expect-close 4000\n";
    let server_script = "welcome\n/expect ask\n/ping still there\n/close 4000 done\n";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.wsc").display().to_string();
    fs::write(&path, server_script).expect("a disk");
    let case = Case::recorded(&["--script", &path, "--each"], script, &[]);
    let server = listen(["--replay", &case.recording]);
    let mut client = server.client();
    assert_eq!(receive(&mut client), "welcome");
    client.send(Message::text("whatever")).expect("open");
    assert_eq!(client.read().expect("a ping"), Message::Ping("still there".into()));
    assert_eq!(receive_close(&mut client), (4000, "done".to_owned()));
    server.interrupt();
}

#[test]
fn messages_are_matched_by_what_they_say() {
    let script = "{\"id\":1,\"get\":\"a\"}\n/expect .\nplain\n/expect .\n{\"id\":1,\"get\":\"a\"}\n/expect .\n/close 1000\n";
    let counts = "i=0; while read -r line; do i=$((i+1)); echo \"answer $i\"; done";
    let case = Case::recorded(&["--exec", counts], script, &[]);
    let server = listen(["--replay", &case.recording, "--match", "content"]);
    let mut client = server.client();
    let mut ask = |text: &str| {
        client.send(Message::text(text)).expect("open");
        receive(&mut client)
    };
    assert_eq!(ask("plain"), "answer 2");
    // Of two that are equal the next one in the recording is meant, then the first again.
    assert_eq!(ask(r#"{ "get": "a", "id": 1 }"#), "answer 3");
    assert_eq!(ask(r#"{"get":"a","id":1}"#), "answer 1");
    assert_eq!(ask("plain"), "answer 2");
    client.send(Message::binary(&b"plain"[..])).expect("open");
    let reason = "message 5 is not in the recording".to_owned();
    assert_eq!(receive_close(&mut client), (1008, reason));
    server.interrupt();
}

#[test]
fn a_message_too_many_closes_or_is_ignored() {
    let case = Case::recorded(&["--echo"], "one\n/expect one\n/close 1000\n", &[]);
    let server = listen(["--replay", &case.recording]);
    let mut client = server.client();
    client.send(Message::text("anything")).expect("open");
    assert_eq!(receive(&mut client), "one");
    client.send(Message::text("more")).expect("open");
    let reason = "message 2 is not in the recording".to_owned();
    assert_eq!(receive_close(&mut client), (1008, reason));
    server.interrupt();
    let matching = ["--match", "content", "--on-unmatched", "ignore"];
    let server = listen([&["--replay", &case.recording][..], &matching].concat());
    let mut client = server.client();
    client.send(Message::text("unknown")).expect("open");
    client.send(Message::text("one")).expect("open");
    assert_eq!(receive(&mut client), "one");
    server.interrupt();
}

#[test]
fn the_server_that_messages_are_passed_to_is_trusted_as_by_a_client() {
    let case = Case::recorded(&["--echo"], "one\n/expect one\n", &[]);
    let certificate = case.path("upstream.pem");
    let upstream = listen(["--echo", "--self-signed-out", &certificate]);
    let to = format!("wss://localhost:{}/", upstream.port());
    for (trust, answer) in [
        (&["--cacert", &certificate][..], Ok("two")),
        (&["-k"], Ok("two")),
        (&["--cacert", &certificate, "--tls-min", "1.3", "--sni", "localhost"], Ok("two")),
        (&[], Err("certificate")),
    ] {
        let pass = ["--replay", &case.recording, "--match", "content", "--on-unmatched", "pass"];
        let server = listen([&pass[..], &["--to", &to], trust].concat());
        let mut client = server.client();
        client.send(Message::text("two")).expect("open");
        match answer {
            Ok(text) => assert_eq!(receive(&mut client), text, "{trust:?}"),
            Err(why) => {
                let (code, reason) = receive_close(&mut client);
                assert_eq!(code, 1011);
                assert!(reason.contains(why), "{reason}");
            }
        }
        server.interrupt();
    }
    upstream.interrupt();
}

#[test]
fn a_message_that_is_not_recorded_is_passed_to_a_server() {
    let case = Case::recorded(
        &["--echo", "-s", "chat"],
        "one\n/expect one\n/close 1000\n",
        &["-s", "chat"],
    );
    let upstream = listen([
        "--exec",
        "while read -r line; do echo \"up: $line\"; done",
        "-s",
        "chat",
        "--require-subprotocol",
    ]);
    // A name is looked up in a thread.
    let to = upstream.url().replace("127.0.0.1", "localhost");
    let pass = ["--match", "content", "--on-unmatched", "pass", "--to", &to];
    let server = listen([&["--replay", &case.recording][..], &pass].concat());
    let url = server.url();
    let mut request =
        tungstenite::client::IntoClientRequest::into_client_request(url).expect("a URL");
    let chat = "chat".parse().expect("a value");
    request.headers_mut().insert("Sec-WebSocket-Protocol", chat);
    let mut client = server.client_of(request);
    let mut ask = |text: &str| {
        client.send(Message::text(text)).expect("open");
        receive(&mut client)
    };
    assert_eq!(ask("one"), "one");
    assert_eq!(ask("two"), "up: two");
    assert_eq!(ask("one"), "one");
    assert_eq!(ask("three"), "up: three");
    // The end of that server is that of the client.
    upstream.interrupt();
    assert_eq!(receive_close(&mut client).0, 1001);
    // And one that is not there.
    let mut client = server.client();
    client.send(Message::text("two")).expect("open");
    let (code, reason) = receive_close(&mut client);
    assert_eq!(code, 1011);
    assert!(reason.contains("connection refused"), "{reason}");
    let output = server.interrupt();
    assert!(output.stderr.contains("--to: cannot connect to "), "{}", output.stderr);
}

#[test]
fn the_recorded_subprotocol_is_accepted() {
    let served = ["--echo", "-s", "chat.v2", "-s", "chat.v1"];
    let case = Case::recorded(&served, "/close 1000\n", &["-s", "chat.v1", "-s", "chat.v2"]);
    let server = listen(["--replay", &case.recording]);
    let handshake = wscope().args(["handshake", "-s", "chat.v2", server.url()]).output();
    let handshake = handshake.expect("the binary runs");
    let said = String::from_utf8_lossy(&handshake.stdout);
    assert!(said.contains("Sec-WebSocket-Protocol: chat.v2"), "{said}");
    server.interrupt();
}

#[test]
fn a_mock_needs_a_recording_with_one_connection() {
    for (args, status, why) in [
        (&["--replay", "/nowhere", "0"][..], 1, "can't open /nowhere: no such file"),
        (&["--replay", "/dev/null", "0"], 1, "/dev/null: not a recording"),
        (&["--replay", "x", "--echo", "0"], 2, "can't be combined with --echo"),
        (&["--match", "content", "0"], 2, "--replay"),
        (&["--on-unmatched", "ignore", "0"], 2, "--replay"),
        (&["--replay", "x", "--on-unmatched", "pass", "0"], 2, "name the server with --to URL"),
        (&["--replay", "x", "--to", "ws://a", "0"], 2, "--to needs --on-unmatched pass"),
    ] {
        let output = wscope().arg("listen").args(args).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
}

#[test]
fn a_client_that_does_not_wait_for_the_recorded_answers_is_noted() {
    let script = "one\n/expect one\ntwo\n/expect two\n/close 1000\n";
    let case = Case::recorded(&["--echo"], script, &["--no-compress"]);
    let said = |messages: &[&[u8]]| {
        let server = listen(["--replay", &case.recording]);
        let mut client = server.client();
        for burst in messages {
            let frames = burst.iter().map(|name| {
                let text = if *name == b'1' { "one" } else { "two" };
                Message::text(text)
            });
            frames.for_each(|frame| client.write(frame).expect("open"));
            client.flush().expect("open");
            burst.iter().for_each(|_| drop(receive(&mut client)));
        }
        drop(client);
        server.interrupt().stderr
    };
    let note = "message 2 of the client arrived before the recorded answers to its previous message \
         were sent";
    let early = said(&[b"12"]);
    assert_eq!(early.matches(note).count(), 1, "{early}");
    let patient = said(&[b"1", b"2"]);
    assert!(!patient.contains(note), "{patient}");
}
