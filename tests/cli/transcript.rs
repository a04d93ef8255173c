//! What is shown beside the payload: `-v`, `-vv`, `-q`, colours, `--output frames` and `json`.

use serde_json::Value;

use crate::frames::{self, CONTINUATION, TEXT};
use crate::harness::{Output, Test};
use crate::peer::Peer;

/// Two messages, a ping, and a close by the peer.
fn session(p: &mut Peer) {
    p.open();
    p.text("Hello");
    p.binary(b"\x00\xff\x10");
    p.ping("beat");
    p.receive_pong("beat");
    p.close_first(1001, "bye");
}

fn listening() -> Test {
    Test::new().args(["--input", "none", "--no-compress"]).peer(session)
}

const HEADS: &str = "\
* 127.0.0.1 resolved to 127.0.0.1:{port}
* connected to 127.0.0.1:{port} from 127.0.0.1:[..]
> GET / HTTP/1.1
> Host: 127.0.0.1:{port}
> Upgrade: websocket
> Connection: Upgrade
> Sec-WebSocket-Key: [..]==
> Sec-WebSocket-Version: 13
> User-Agent: wscope/[..]
>
< HTTP/1.1 101 Switching Protocols
< Upgrade: websocket
< Connection: Upgrade
< Sec-WebSocket-Accept: [..]=
<
* name [..] ms, tcp [..] ms, upgrade [..] ms
* open: no subprotocol, no extensions
";

const FRAMES: &str = "\
< [..]:[..]:[..].[..] #1 TEXT F-- 5 Hello
< [..]:[..]:[..].[..] #2 BIN  F-- 3 00 ff 10
< [..]:[..]:[..].[..] #3 PING F-- 4 beat
> [..]:[..]:[..].[..] #1 PONG F-M 4 beat
< [..]:[..]:[..].[..] #4 CLOSE F-- 5 1001 going away \"bye\"
> [..]:[..]:[..].[..] #2 CLOSE F-M 2 1001 going away
";

const END: &str = "\
* the server closed with 1001 going away \"bye\" after [..] s
* sent 2 frames, 0 messages, 0 bytes (18 on the wire); received 4 frames, 2 messages, 8 bytes (25 on the wire)
";

const PAYLOAD: &[u8] = b"Hello\n\x00\xff\x10\n";

#[test]
fn verbose_shows_heads_and_frames_on_stderr_and_payload_alone_on_stdout() {
    listening().args(["-v"]).stdout(PAYLOAD).stderr([HEADS, FRAMES, END].concat()).status(0);
}

#[test]
fn twice_verbose_shows_every_byte() {
    let output = listening().args(["-vv"]).stdout(PAYLOAD).stderr_any().status(0);
    let said = output.stderr();
    for shown in [": 81 05\n", "48 65 6c 6c 6f ", "|Hello|", ": 82 03\n", "00 ff 10 "] {
        assert!(said.contains(shown), "{shown} is missing:\n{said}");
    }
}

#[test]
fn output_frames_is_the_transcript_on_stdout() {
    listening().args(["--output", "frames"]).stdout_like([HEADS, FRAMES, END].concat()).status(0);
}

#[test]
fn times_have_hours_to_milliseconds() {
    let output = listening().args(["--output", "frames"]).stdout_any().status(0);
    let time = regex::Regex::new(r"^[<>] \d\d:\d\d:\d\d\.\d{3} #\d+ ").expect("a pattern");
    let frames = output.stdout().lines().filter(|line| line.contains(" #"));
    assert_eq!(frames.filter(|line| time.is_match(line)).count(), 6);
}

#[test]
fn quiet_shows_frames_but_no_heads_and_no_end() {
    listening().args(["--output", "frames", "-q"]).stdout_like(FRAMES).status(0);
}

#[test]
fn quiet_silences_notes_but_not_errors() {
    Test::new()
        .args(["-q", "--input", "none", "http://127.0.0.1:{port}"])
        .peer(|p| {
            p.open();
            p.close_first(4001, "no");
        })
        .stderr("wscope: the server closed with 4001 [..]\n")
        .status(11);
}

#[test]
fn a_violation_follows_its_frame_with_rule_and_section() {
    let output = Test::new()
        .args(["--input", "none", "--output", "frames", "-q"])
        .peer(|p| {
            p.open();
            p.frame(frames::frame(CONTINUATION, "x"));
            p.receive_close(1002);
            p.hang_up();
        })
        .stdout_like(
            "< [..] #1 CONT F-- 1 78\n\
             ! W613 RFC 6455 §5.4: a continuation frame came while no message was open [..]\n\
             > [..] #1 CLOSE F-M [..]\n",
        )
        .stderr_any()
        .status(9);
    assert!(output.stderr().contains("W613"));
}

// Colours.

fn coloured(test: Test) -> Output {
    test.args(["--output", "frames"]).stdout_any().status(0)
}

fn has_colour(output: &Output) -> bool {
    output.stdout.contains(&0x1b)
}

#[test]
fn a_pipe_has_no_colour_unless_always() {
    assert!(!has_colour(&coloured(listening())));
    assert!(has_colour(&coloured(listening().args(["--color", "always"]))));
    assert!(!has_colour(&coloured(listening().args(["--color", "never"]))));
}

#[test]
fn always_outranks_no_color() {
    assert!(has_colour(&coloured(listening().env("NO_COLOR", "1").args(["--color", "always"]))));
}

#[test]
fn payload_is_never_coloured() {
    listening().args(["--color", "always"]).stdout(PAYLOAD).status(0);
}

// JSON.

/// The lines as objects.
#[track_caller]
pub fn objects(output: &Output) -> Vec<Value> {
    output.stdout().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The objects of a kind, in a direction.
fn of<'a>(objects: &'a [Value], event: &'a str, dir: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["event"] == event && object["dir"] == dir)
}

#[test]
fn json_prints_the_session_one_object_a_line() {
    let output = listening().args(["--output", "json"]).stdout_any().status(0);
    let objects = objects(&output);
    assert_eq!((&objects[0]["event"], &objects[0]["v"]), (&"start".into(), &1.into()));
    assert_eq!(objects[0]["role"], "client");
    for object in &objects {
        let time = object["time"].as_str().expect("a time");
        assert!(time.len() == 27 && time.ends_with('Z'), "{time}");
        assert_eq!(object["conn"], 1);
    }
    let told: Vec<&str> = objects.iter().filter_map(|object| object["event"].as_str()).collect();
    for event in ["resolved", "connected", "head", "handshake", "open", "frame", "message", "end"] {
        assert!(told.contains(&event), "{event} is missing: {told:?}");
    }
    let end = objects.last().expect("an end");
    assert_eq!((&end["by"], &end["cause"]), (&"peer".into(), &"closed".into()));
    assert_eq!(end["received"]["code"], 1001);
    assert_eq!(end["received"]["reason"], "bye");
}

#[test]
fn json_frames_and_messages_lose_nothing() {
    let output = Test::new()
        .args(["--input", "none", "--output", "json", "--no-compress"])
        .peer(|p| {
            p.open();
            p.text("ä\u{202e}\"\n");
            p.binary(b"\x00\xff");
            p.frame(frames::fragment(TEXT, "on"));
            p.frame(frames::frame(CONTINUATION, "e"));
            p.close_first(1000, "done");
        })
        .stdout_any()
        .status(0);
    let objects = objects(&output);
    let frames: Vec<&Value> = of(&objects, "frame", "to-client").collect();
    assert_eq!(frames[0]["text"], "ä\u{202e}\"\n");
    assert_eq!(frames[0]["header_hex"], "8107");
    assert_eq!((&frames[0]["fin"], &frames[0]["mask"]), (&true.into(), &Value::Null));
    assert_eq!(frames[1]["base64"], "AP8=");
    assert_eq!((&frames[2]["opcode"], &frames[2]["fin"]), (&"text".into(), &false.into()));
    assert_eq!((&frames[3]["opcode"], &frames[3]["text"]), (&"continuation".into(), &"e".into()));
    let messages: Vec<&Value> = of(&objects, "message", "to-client").collect();
    assert_eq!(messages[0]["text"], "ä\u{202e}\"\n");
    assert_eq!(messages[1]["base64"], "AP8=");
    assert_eq!((&messages[2]["text"], &messages[2]["frames"]), (&"one".into(), &2.into()));
    let sent: Vec<&Value> = of(&objects, "frame", "to-server").collect();
    assert_eq!((&sent[0]["opcode"], &sent[0]["code"]), (&"close".into(), &1000.into()));
    // "All that could act on a terminal is written as \u escapes."
    assert!(!output.stdout().contains('\u{202e}'));
}

/// A transcript of one text message and one binary one, as a peer sends them.
fn of_long_messages(test: Test) -> String {
    let test = test.args(["--input", "none", "--output", "frames", "--timestamps", "off"]);
    let output = test
        .peer(|p| {
            p.open();
            p.text(format!("{}.end", "x".repeat(100_000)));
            p.binary([7; 5000]);
            p.close_first(1000, "done");
        })
        .stdout_any()
        .status(0);
    output.stdout().to_owned()
}

#[test]
fn nothing_is_cut_where_no_screen_is() {
    for test in [Test::new(), Test::new().env("COLUMNS", "100").args(["--width", "full"])] {
        let shown = of_long_messages(test);
        assert!(shown.contains(&format!("{}.end\n", "x".repeat(100_000))));
        assert!(shown.contains(&format!("{}07\n", "07 ".repeat(4999))));
    }
    let shown = of_long_messages(Test::new().args(["--view", "messages"]));
    assert!(shown.contains(&format!("{}.end\n", "x".repeat(100_000))));
    assert!(shown.contains(&format!("{}07\n", "07 ".repeat(4999))));
    for test in [Test::new().env("COLUMNS", "100"), Test::new().args(["--width", "100"])] {
        let shown = of_long_messages(test);
        let line = shown.lines().find(|line| line.contains(" TEXT ")).expect("a frame");
        // The room is that of the greatest count, of which this one has a digit less.
        assert_eq!(line, format!("< #1 TEXT F-- 100004 {}… +99936 B", "x".repeat(68)));
    }
}
