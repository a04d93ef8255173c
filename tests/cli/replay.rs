//! `wscope replay`: the client's side of a recording against a server that is not the recorded one.

use std::fs;

use serde_json::Value;

use crate::frames::{self, BINARY, TEXT};
use crate::harness::{Output, Test};
use crate::peer::Peer;
use crate::server::serve_next;
use wscope::wire::Data;
use wscope::wire::handshake::server::ServerConfig;

/// A recording in a folder of its own.
struct Recording {
    folder: tempfile::TempDir,
    path: String,
}

impl Recording {
    /// Of a client that carries out these lines.
    fn of(args: &[&str], lines: &str, peer: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.jsonl").display().to_string();
        Test::new()
            .args(["--record", &path, "--output", "none", "--input", "commands"])
            .args(args)
            .stdin(lines)
            .peer(peer)
            .stderr_any()
            .status(0);
        Self { folder, path }
    }

    /// A text that is kept beside it.
    fn beside(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a disk");
        path.display().to_string()
    }
}

fn replay(path: &str, args: &[&str]) -> Test {
    Test::new().args(["replay", path]).args(args).stdout_any()
}

/// The one of JSON that this names.
fn object(output: &Output, event: &str) -> Value {
    let lines = output.stdout().lines().map(serde_json::from_str::<Value>);
    let mut objects = lines.map(|line| line.expect("JSON"));
    objects.find(|object| object["event"] == event).unwrap_or_else(|| panic!("no {event}"))
}

/// A dialogue with fragments, pings of both sides, and a Close with a reason.
const DIALOGUE: &str = "hello\n/expect welcome\n/frame text fin=off -- ab\n/ping x\n\
    /frame continuation -- cd\n/binary 00 ff\n/expect done\n/close 4001 bye\n";

fn dialogue(p: &mut Peer, answer: &str) {
    p.open_with("Sec-WebSocket-Protocol: chat\r\n");
    p.receive_text("hello");
    p.ping("are you there");
    p.receive_pong("are you there");
    p.text("welcome");
    let first = p.receive_frame();
    assert_eq!((first.opcode(), first.header.fin, &first.payload[..]), (TEXT, false, &b"ab"[..]));
    let ping = p.receive_frame();
    assert_eq!((ping.opcode(), &ping.payload[..]), (frames::PING, &b"x"[..]));
    p.frame(frames::frame(frames::PONG, "x"));
    p.receive_text("abcd");
    p.receive_binary(b"\0\xff");
    p.text(answer);
    let close = p.receive_frame();
    assert_eq!(close.payload, frames::close_payload(4001, "bye"));
    p.close(4001, "");
    p.hang_up();
}

fn recorded_dialogue() -> Recording {
    Recording::of(&["-s", "chat", "-s", "v2"], DIALOGUE, |p| dialogue(p, "done"))
}

#[test]
fn the_same_server_makes_no_difference() {
    let recording = recorded_dialogue();
    let output =
        replay(&recording.path, &["--compare", "text"]).peer(|p| dialogue(p, "done")).status(0);
    let said = output.stdout();
    assert!(said.contains(": 3 messages sent, 2 received, no difference\n"), "{said}");
    assert!(said.contains("answer time p50/p90/p99/max = "), "{said}");
}

#[test]
fn a_pace_without_waiting_sends_before_the_answers() {
    let lines = "one\n/expect .\ntwo\n/expect .\n/close 1000\n";
    let recording = Recording::of(&[], lines, |p| {
        p.open();
        p.receive_text("one");
        p.text("1");
        p.receive_text("two");
        p.text("2");
        p.answer_close(1000);
    });
    for pace in ["fast", "original", "2.5x", "0.9x"] {
        replay(&recording.path, &["--compare", "text", "--pace", pace])
            .peer(|p| {
                p.open();
                // Neither message waits, and the Close waits for both answers.
                p.receive_text("one");
                p.receive_text("two");
                p.text("1");
                p.text("2");
                p.answer_close(1000);
            })
            .status(0);
    }
    // Slowed down a million times, but for the longest pause.
    replay(&recording.path, &["--pace", "0.000001x", "--max-gap", "0.01"])
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("two");
            p.text("1");
            p.text("2");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn an_answer_that_changed_is_shown_and_ends_with_13() {
    let recording = recorded_dialogue();
    replay(&recording.path, &["--compare", "text"])
        .peer(|p| dialogue(p, "done\x1b[2J!"))
        .stderr("wscope: message 2 differs at byte 4\n  expected  done\n  received  done\\e[2J!\n")
        .status(13);
    for how in ["none", "count", "kind"] {
        replay(&recording.path, &["--compare", how]).peer(|p| dialogue(p, "other")).status(0);
    }
}

#[test]
fn the_formats_of_others_are_replayed_too() {
    let recording = recorded_dialogue();
    let folder = recording.folder.path();
    for name in ["session.pcapng", "session.har"] {
        let path = folder.join(name).display().to_string();
        Test::new().args(["convert", &recording.path, &path]).stderr_any().status(0);
        let whole = name.ends_with("pcapng");
        replay(&path, &["--compare", "text"])
            .peer(move |p| match whole {
                true => dialogue(p, "done"),
                // An archive has whole messages alone.
                false => {
                    p.open_with("Sec-WebSocket-Protocol: chat\r\n");
                    p.receive_text("hello");
                    p.text("welcome");
                    p.receive_text("abcd");
                    p.receive_binary(b"\0\xff");
                    p.text("done");
                    p.answer_close(1000);
                }
            })
            .status(0);
    }
}

#[test]
fn the_request_is_that_of_the_recording_but_for_secrets_and_what_is_given() {
    let args = ["-H", "X-Id: 7", "-H", "User-Agent: mine", "-H", "Cookie: a=secret-cookie"];
    let args = [&args[..], &["-s", "chat", "-H", "Authorization: Bearer hunter2hunter2"]].concat();
    let recording = Recording::of(&args, "/close 1000\n", |p| {
        p.open_with("Sec-WebSocket-Protocol: chat\r\n");
        p.receive_frame();
        p.hang_up();
    });
    replay(&recording.path, &["-H", "x-id: 8"])
        .peer(|p| {
            let request = p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            let value = |name: &'static str| request.get(name).map(String::from_utf8_lossy);
            assert_eq!(value("x-id").as_deref(), Some("8"));
            assert_eq!(value("user-agent").as_deref(), Some("mine"));
            assert_eq!(value("sec-websocket-protocol").as_deref(), Some("chat"));
            assert_eq!((value("cookie"), value("authorization")), (None, None));
            assert_eq!(request.get_all("x-id").count(), 1);
            p.receive_frame();
            p.hang_up();
        })
        .stderr(
            "wscope: note: the recording does not contain the value of Cookie, because it is a secret; give it with --cookie NAME=VALUE\n\
             wscope: note: the recording does not contain the value of Authorization, because it \
             is a secret; give it with \
             -u USER:PASSWORD, --bearer TOKEN or -H 'Authorization: …'\n",
        )
        .status(0);
    // What is given is not asked for.
    replay(&recording.path, &["--cookie", "a=b", "--bearer", "token-of-today"])
        .peer(|p| {
            let request = p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            let value = |name: &'static str| request.get(name).map(String::from_utf8_lossy);
            assert_eq!(value("cookie").as_deref(), Some("a=b"));
            assert_eq!(value("authorization").as_deref(), Some("Bearer token-of-today"));
            p.receive_frame();
            p.hang_up();
        })
        .status(0);
}

#[test]
fn path_and_query_are_those_of_the_recording_unless_given() {
    let recording = Recording::of(&["ws://127.0.0.1:{port}/chat?room=1"], "/close 1000\n", |p| {
        p.open();
        p.answer_close(1000);
    });
    for (url, target) in [
        ("ws://127.0.0.1:{port}", "/chat?room=1"),
        ("ws://127.0.0.1:{port}/", "/"),
        ("127.0.0.1:{port}/x?y", "/x?y"),
    ] {
        replay(&recording.path, &[url])
            .peer(move |p| {
                let request = p.open();
                let line = request.request_line().expect("a request");
                assert_eq!(String::from_utf8_lossy(line.target), target);
                p.answer_close(1000);
            })
            .status(0);
    }
}

#[test]
fn a_url_that_lost_its_secret_is_not_dialled() {
    let recording =
        Recording::of(&["ws://127.0.0.1:{port}/?token=hunter2"], "/close 1000\n", |p| {
            p.open();
            p.answer_close(1000);
        });
    Test::new()
        .args(["replay", &recording.path])
        .stderr(format!(
            "wscope: {}: a secret was removed from the recorded URL; give the whole URL after \
             the file\n",
            recording.path
        ))
        .status(2);
}

#[test]
fn a_captured_value_takes_the_place_of_the_recorded_one() {
    fn login(p: &mut Peer, token: &str) {
        p.open();
        p.receive_text("login");
        p.text(format!(r#"{{"token":"{token}"}}"#));
        // In two fragments, of which the first ends inside the token of the recording.
        p.receive_text(&format!("use {token} now"));
        p.text(format!("hello {token}"));
        p.answer_close(1000);
    }
    let lines = "login\n/expect token\n/frame text fin=off -- use abc\n\
        /frame continuation -- 123 now\n/expect hello\n/close 1000\n";
    let recording = Recording::of(&[], lines, |p| {
        p.open();
        p.receive_text("login");
        p.text(r#"{"token":"abc123"}"#);
        p.receive_message();
        p.text("hello abc123");
        p.receive_frame();
        p.hang_up();
    });
    let capture = r#"t=/"token":"([^"]*)"/"#;
    let said = fs::read_to_string(&recording.path).expect("a recording");
    assert!(said.contains("use abc") && said.contains("123 now"), "{said}");
    replay(&recording.path, &["--capture", capture, "--compare", "text"])
        .peer(|p| login(p, "a-longer-one"))
        .status(0);
    // A token that never comes is no reason to go on silently.
    replay(&recording.path, &["--capture", capture])
        .peer(|p| {
            p.open();
            p.receive_text("login");
            p.text("denied");
            p.receive_text("use abc123 now");
            p.text("no");
            p.answer_close(1000);
        })
        .stderr(
            "wscope: --capture t: no received message matched, and the recorded value was sent\n",
        )
        .status(13);
    replay(&recording.path, &["--capture", "t=/nowhere/", "ws://127.0.0.1:1"])
        .stderr("wscope: --capture t: no message of the recorded server matches /nowhere/\n")
        .status(2);
}

#[test]
fn texts_are_replaced_and_variables_put_in() {
    let recording = Recording::of(&[], "I am ann\n/expect .\n/close 1000\n", |p| {
        p.open();
        p.receive_text("I am ann");
        p.text("hi");
        p.answer_close(1000);
    });
    replay(&recording.path, &["--set", "who=bob", "--replace", "/am (a)nn/am ${who}, not $1/"])
        .peer(|p| {
            p.open();
            p.receive_text("I am bob, not a");
            p.text("hi");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn what_is_awaited_too_long_ends_loudly() {
    let recording = recorded_dialogue();
    let silent = |p: &mut Peer| {
        p.open_with("Sec-WebSocket-Protocol: chat\r\n");
        p.receive_text("hello");
        p.answer_close(1001);
    };
    let text = "wscope: message 1 of the server did not arrive within 0.05 s (--step-timeout); \
        frame 2 of 6 waits for it\n";
    replay(&recording.path, &["--step-timeout", "0.05"]).peer(silent).stderr(text).status(12);
    let missing = "wscope: messages 1 to 2 were not received\n  expected  welcome\n";
    replay(&recording.path, &["--step-timeout", "0.05", "--compare", "count"])
        .peer(silent)
        .stderr(format!("{missing}{text}"))
        .status(13);
}

#[test]
fn a_server_that_ends_early_is_not_taken_for_success() {
    let recording = recorded_dialogue();
    replay(&recording.path, &[])
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            p.receive_text("hello");
            p.close_first(1000, "done");
        })
        .stderr("wscope: the connection ended before everything was sent: 5 of 6 frames are left\n")
        .status(13);
    let output = replay(&recording.path, &[])
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            p.receive_text("hello");
            p.close_first(1011, "no");
        })
        .stderr_any()
        .status(11);
    assert!(output.stderr().contains("1011"), "{}", output.stderr());
}

#[test]
fn the_server_s_close_is_compared_with_that_of_the_recording() {
    let closes = |code: u16| {
        move |p: &mut Peer| {
            p.open();
            p.receive_text("bye");
            p.close_first(code, "");
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("closed.jsonl").display().to_string();
    Test::new().args(["--record", &path, "-x", "bye"]).peer(closes(4000)).stderr_any().status(11);
    replay(&path, &["--compare", "text"]).peer(closes(4000)).status(0);
    replay(&path, &[]).peer(closes(4000)).status(0);
    let output = replay(&path, &["--compare", "kind"]).peer(closes(4002)).stderr_any().status(13);
    let text = "wscope: the Close has another code\n  expected  4000\n  received  4002\n";
    assert!(output.stderr().starts_with(text), "{}", output.stderr());
}

#[test]
fn json_is_compared_by_its_values_without_what_is_ignored() {
    let recording = Recording::of(&[], "ask\n/expect .\n/expect .\n/close 1000\n", |p| {
        p.open();
        p.receive_text("ask");
        p.text(r#"{"price":1,"at":17,"id":"r-1"}"#);
        p.text(r#"[{"n":1,"at":2}]"#);
        p.answer_close(1000);
    });
    let ignore = ["--compare", "json", "--ignore-json", "/at", "--ignore-json", "/*/at"];
    let args = [&ignore[..], &["--ignore", "/r-[0-9]+/"]].concat();
    let price = |price: u8| {
        move |p: &mut Peer| {
            p.open();
            p.receive_text("ask");
            p.text(format!(r#"{{ "id":"r-22", "at": 18, "price":{price} }}"#));
            p.text(r#"[{"at":3,"n":1}]"#);
            p.answer_close(1000);
        }
    };
    replay(&recording.path, &args).peer(price(1)).status(0);
    replay(&recording.path, &args)
        .peer(price(2))
        .stderr(
            "wscope: message 1 differs at /price\n  \
             expected  {\"price\":1,\"at\":17,\"id\":\"r-1\"}\n  \
             received  { \"id\":\"r-22\", \"at\": 18, \"price\":2 }\n  \
             /price: expected 1, received 2\n",
        )
        .status(13);
}

#[test]
fn machines_get_objects() {
    let recording = recorded_dialogue();
    let output = replay(&recording.path, &["--compare", "text", "--output", "json"])
        .peer(|p| dialogue(p, "dome"))
        .status(13);
    let found = object(&output, "difference");
    assert_eq!((&found["message"], &found["what"]), (&2.into(), &"content".into()));
    assert_eq!((&found["expected"], &found["received"]), (&"done".into(), &"dome".into()));
    let summary = object(&output, "replay-summary");
    for (field, value) in
        [("connections", 1), ("failed", 1), ("sent", 3), ("received", 2), ("differences", 1)]
    {
        assert_eq!(summary[field], value, "{field}");
    }
    assert!(summary["answer_p50_us"].as_u64() <= summary["answer_max_us"].as_u64());
    let output = replay(&recording.path, &["--output", "json", "--step-timeout", "0.05"])
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            p.receive_text("hello");
            p.answer_close(1001);
        })
        .status(12);
    assert_eq!(object(&output, "replay-failure")["status"], 12);
    assert_eq!(object(&output, "replay-summary")["differences"], Value::Null);
}

#[test]
fn several_connections_are_told_apart() {
    let recording = Recording::of(&[], "a\n/expect .\n/close 1000\n", |p| {
        p.open();
        p.receive_text("a");
        p.text("b");
        p.answer_close(1000);
    });
    let output = replay(&recording.path, &["--compare", "text", "--repeat", "3"])
        .server(|listener| {
            for answer in ["b", "x", "b"] {
                serve_next(&listener, |p| {
                    p.open();
                    p.receive_text("a");
                    p.text(answer);
                    p.answer_close(1000);
                });
            }
        })
        .stderr("wscope: [2] message 1 differs at byte 0\n  expected  b\n  received  x\n")
        .status(13);
    let said = output.stdout();
    assert!(said.starts_with("replayed on 3 connections (1 failed) in "), "{said}");
    assert!(said.contains(": 3 messages sent, 3 received, 1 difference\n"), "{said}");
    assert!(said.ends_with(" ms (3 answers)\n"), "{said}");
}

#[test]
fn compressed_messages_are_compressed_anew() {
    let text = "the same again and again, the same again and again";
    let config = || ServerConfig { deflate: Some(Default::default()), ..ServerConfig::default() };
    let recording = Recording::of(&[], &format!("{text}\n/expect .\n/close 1000\n"), move |p| {
        p.negotiate(&config());
        p.receive_text(text);
        p.message(Data::Text, "ok");
        p.answer_close(1000);
    });
    replay(&recording.path, &["--compare", "text"])
        .peer(move |p| {
            p.negotiate(&config());
            let (frame, content) = p.receive_data();
            assert!(frame.header.rsv1 && frame.payload.len() < text.len(), "{frame:?}");
            assert_eq!(content, text.as_bytes());
            p.message(Data::Text, "ok");
            p.answer_close(1000);
        })
        .status(0);
    // Without the extension they go as they are.
    replay(&recording.path, &["--compare", "text", "--no-compress"])
        .peer(move |p| {
            let request = p.open();
            assert!(request.get("sec-websocket-extensions").is_none());
            let (frame, content) = p.receive_data();
            assert!(!frame.header.rsv1);
            assert_eq!(content, text.as_bytes());
            p.text("ok");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn frames_that_break_a_rule_are_sent_as_they_were() {
    fn fails(p: &mut Peer) {
        p.open();
        let frame = p.receive_frame();
        assert!(frame.header.rsv2 && frame.opcode() == BINARY, "{frame:?}");
        assert_eq!(frame.payload, b"hey");
        p.close(1002, "no");
        p.receive_close(1002);
        p.hang_up();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("illegal.jsonl").display().to_string();
    Test::new()
        .args(["--record", &path, "--input", "commands", "--output", "none"])
        .stdin_left_open("/frame binary rsv2=on hey\n")
        .peer(fails)
        .stderr_any()
        .status(11);
    replay(&path, &["--compare", "text"]).peer(fails).status(0);
}

#[test]
fn what_is_no_recording_is_refused() {
    let recording = recorded_dialogue();
    let text = fs::read_to_string(&recording.path).expect("a recording");
    let begun: String = text.lines().take(3).map(|line| format!("{line}\n")).collect();
    let list = "`wscope decode --list` lists them";
    for (name, content, why) in [
        ("empty", String::new(), "not a recording: neither JSON lines".to_owned()),
        ("text", "hello\n".to_owned(), "not a recording: neither JSON lines".to_owned()),
        ("begun", begun.clone(), format!("none of its connections was open; {list}")),
        ("broken", format!("{begun}{{\"x\":1}}\n"), "line 4: not an event of a log".to_owned()),
        ("two", format!("{text}{text}"), "it has connections 1, 2; choose one, as in".to_owned()),
    ] {
        let path = recording.beside(name, &content);
        let output = Test::new().args(["replay", &path]).stderr_any().status(1);
        let said = output.stderr();
        assert!(said.starts_with(&format!("wscope: {path}: {why}")), "{name}: {said}");
    }
    let missing = format!("{}#9", recording.path);
    let output = Test::new().args(["replay", &missing]).stderr_any().status(1);
    assert!(
        output.stderr().contains("it has no connection 9 that was open"),
        "{}",
        output.stderr()
    );
    // The second run of a file that two were written to.
    let two = recording.beside("two", &format!("{text}{text}"));
    replay(&format!("{two}#2"), &["--compare", "text"]).peer(|p| dialogue(p, "done")).status(0);
    // Of one whose end was cut off, what is whole is played.
    let cut = recording.beside("cut", &text[..text.len() - 40]);
    let output = replay(&cut, &[]).peer(|p| dialogue(p, "done")).stderr_any().status(0);
    assert!(output.stderr().contains("is cut: the program that wrote it was stopped"));
}

#[test]
fn wrong_usage_is_refused_before_anything_is_dialled() {
    for (args, why) in [
        (&["--pace", "slow"][..], "--pace: \"slow\" is not a pace"),
        (&["--pace", "0x"], "--pace: \"0x\" is not a pace"),
        (&["--max-gap", "1"], "--max-gap: only with --pace original or a factor"),
        (&["--ignore", "/x/"], "--ignore: only with --compare text or json"),
        (&["--ignore-json", "/x", "--compare", "text"], "--ignore-json: only with --compare json"),
        (&["--ignore-json", "x", "--compare", "json"], "\"x\" is not a JSON pointer"),
        (&["--ignore-json", "/a~2", "--compare", "json"], "\"/a~2\" is not a JSON pointer"),
        (&["--ignore-json", "/a~", "--compare", "json"], "\"/a~\" is not a JSON pointer"),
        (&["--capture", "x"], "write NAME=/RE/"),
        (&["--replace", "x"], "write /RE/TEXT/"),
        (&["--replace", "/x/${y}/"], "/x/ has no group \"y\""),
        (&["--set", "x"], "is not NAME=VALUE"),
    ] {
        let output =
            Test::new().args(["replay", "/nowhere"]).args(args.to_vec()).stderr_any().status(2);
        assert!(output.stderr().contains(why), "{args:?}: {}", output.stderr());
    }
}

#[test]
fn nobody_listens() {
    let recording = recorded_dialogue();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let output = replay(&recording.path, &[&url]).stderr_any().status(4);
    assert!(output.stderr().contains("connection refused"), "{}", output.stderr());
    // Nothing was compared.
    let output = replay(&recording.path, &[&url, "--compare", "json"]).stderr_any().status(4);
    assert!(output.stdout().ends_with("0 messages sent, 0 received\n"), "{}", output.stdout());
    let args = [&url, "--parallel", "2", "--repeat", "1000"];
    let output = replay(&recording.path, &args).stderr_any().status(4);
    // It is not tried two thousand times.
    assert!(output.stdout().starts_with("replayed on 2 connections (2 failed)"));
}
