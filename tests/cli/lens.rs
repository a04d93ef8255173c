//! Lenses: what messages mean, in the transcript, in JSON, in logs and captures.

use serde_json::Value;

use super::script::script_of;
use crate::harness::{Output, Test};
use crate::peer::Peer;
use wscope::wire::{Control, OpCode};

/// The lines of a transcript that lenses made.
fn meant(output: &Output) -> Vec<&str> {
    let of_lens = |line: &&str| {
        line.starts_with("= ") || line.starts_with("* lens") || line.starts_with("! STOMP")
    };
    output.stdout().lines().filter(of_lens).collect()
}

fn without_times(lines: Vec<&str>) -> String {
    let time = regex::Regex::new(r"[0-9.]+ (µs|ms|s)\)").expect("a regular expression");
    lines.iter().map(|line| format!("{}\n", time.replace(line, "T)"))).collect()
}

const STOMP: &str = "Sec-WebSocket-Protocol: v12.stomp\r\n";

/// A broker that answers a CONNECT, a SUBSCRIBE, and sends a message.
fn broker(p: &mut Peer) {
    p.open_with(STOMP);
    p.receive_message();
    p.text("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0");
    p.receive_message();
    p.text("\n");
    p.text("MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/topic/a\n\nhello\0");
    p.text("MESSAGE\nsubscription:0\ndestination:/topic/a\n\nbye\0");
    p.close_first(1000, "done");
}

const TALK: &str = "/text CONNECT\\naccept-version:1.2\\nhost:x\\nlogin:me\\npasscode:hunter2\\n\\n\\0\n\
    /expect CONNECTED\n/text SUBSCRIBE\\nid:0\\ndestination:/topic/a\\n\\n\\0\n/expect bye\n";

fn stomp(args: &[&str]) -> Test {
    script_of(TALK).args(["-s", "v12.stomp", "--no-compress", "-w", "-1"]).args(args).peer(broker)
}

#[test]
fn a_transcript_has_what_messages_mean() {
    let output = stomp(&["--output", "frames"]).stdout_any().status(0);
    assert_eq!(
        without_times(meant(&output)),
        "* lens: STOMP 1.0–1.2, for subprotocol v12.stomp, the client's first messages\n\
         = CONNECT\n\
         = CONNECTED version=1.2 (T)\n\
         = SUBSCRIBE /topic/a id=0\n\
         = (1 heartbeat)\n\
         = MESSAGE /topic/a subscription=0 #1 5 B\n\
         = MESSAGE /topic/a subscription=0 3 B\n\
         ! STOMP 1.2, Standard Headers: MESSAGE has no message-id\n"
    );
    // Below the frame that ends the message.
    assert!(output.stdout().contains("> ") && output.stdout().contains("\n= CONNECT\n< "));
}

#[test]
fn json_has_an_object_of_what_a_message_means() {
    let output = stomp(&["--output", "json"]).stdout_any().status(0);
    let all: Vec<Value> =
        output.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let decoded: Vec<&Value> = all.iter().filter(|object| object["event"] == "decoded").collect();
    assert_eq!(decoded.len(), 6);
    let connect = decoded[0];
    assert_eq!((&connect["dir"], &connect["message"]), (&"to-server".into(), &1.into()));
    let packet = &connect["packets"][0];
    assert_eq!((&packet["protocol"], &packet["kind"]), (&"stomp".into(), &"CONNECT".into()));
    assert_eq!(packet["fields"]["headers"]["login"], "me");
    assert_eq!(packet["fields"]["headers"]["passcode"], "[redacted]");
    assert!(decoded[1]["packets"][0]["answers"]["after_us"].is_u64());
    assert_eq!(decoded[3]["packets"][0]["heartbeat"], true);
    let complaint = &decoded[5]["packets"][0]["complaints"][0];
    assert_eq!(complaint["rule"], "STOMP 1.2, Standard Headers");
    // The object follows that of its message.
    let before = all.iter().position(|object| object == connect).expect("there") - 1;
    assert!(all[..before].iter().any(|object| object["event"] == "message"));
    // What is no secret to the reader.
    let output = stomp(&["--output", "json", "--show-secrets"]).stdout_any().status(0);
    assert!(output.stdout().contains("\"passcode\":\"hunter2\""));
}

#[test]
fn a_log_has_the_same_and_decode_reads_it() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().display().to_string();
    stomp(&["--output", "none", "--log", &path]).status(0);
    let logged = std::fs::read_to_string(&path).expect("the log");
    assert_eq!(logged.matches("\"event\":\"decoded\"").count(), 6);
    let output = Test::new().args(["decode", &path]).stdout_any().status(0);
    let lines = without_times(meant(&output));
    assert!(lines.contains("= SUBSCRIBE /topic/a id=0\n"), "{lines}");
    assert!(
        lines.contains("! STOMP 1.2, Standard Headers: MESSAGE has no message-id\n"),
        "{lines}"
    );
    let output = Test::new().args(["decode", "--lens", "none", &path]).stdout_any().status(0);
    assert_eq!(without_times(meant(&output)), "");
    let output = Test::new().args(["decode", "--output", "json", &path]).stdout_any().status(0);
    assert_eq!(output.stdout().matches("\"event\":\"decoded\"").count(), 6);
}

#[test]
fn messages_before_the_choice_have_their_lines_once_it_is_made() {
    // Each message alone says little.
    let output = script_of(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"add\",\"params\":[1,2]}\n/expect 3\n",
    )
    .args(["--output", "frames"])
    .peer(|p| {
        p.open();
        p.receive_message();
        p.text("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}");
        p.answer_close(1000);
    })
    .stdout_any()
    .status(0);
    assert_eq!(
        without_times(meant(&output)),
        "* lens: JSON-RPC 2.0, for the client's first messages, the server's first messages\n\
         = > add#1 [1,2]\n\
         = #1 result 3 (add, T)\n"
    );
}

#[test]
fn layers_are_shown_inside_each_other() {
    let output = script_of(
        "/expect sid\n40\n/expect chat\n421[\"chat\",{\"token\":\"s3cr3t\"}]\n/expect bye\n",
    )
    .peer(|p| {
        p.open();
        p.text("0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}");
        p.receive_message();
        p.text("40{\"sid\":\"b\"}");
        p.text("42[\"chat\",1]");
        p.receive_message();
        p.text("431[\"bye\"]");
        p.answer_close(1000);
    })
    .args(["--output", "frames", "ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"])
    .stdout_any()
    .status(0);
    let lines = without_times(meant(&output));
    assert_eq!(
        lines,
        "* lens: Engine.IO 3 and 4, for URL /socket.io/?EIO=4&transport=websocket, the server's first messages\n\
         * lens: Socket.IO 4 and 5 in Engine.IO 3 and 4\n\
         = open sid=a ping 25 s/20 s\n\
         = message › CONNECT\n\
         = message › CONNECT sid=b (T)\n\
         = message › EVENT \"chat\" (1 arg)\n\
         = message › EVENT \"chat\" (1 arg) ack#1\n\
         = message › ACK #1 [\"bye\"] (\"chat\", T)\n"
    );
}

#[test]
fn a_lens_that_does_not_fit_gives_up_or_complains() {
    let session = |p: &mut Peer| {
        p.open_with(STOMP);
        p.receive_message();
        p.text("no frame at all");
        p.answer_close(1000);
    };
    let run = |lens: &str| {
        script_of("nothing of STOMP\n/expect no\n")
            .args(["-s", "v12.stomp", "--output", "frames", "--lens", lens])
            .peer(session)
            .stdout_any()
            .status(0)
    };
    assert_eq!(without_times(meant(&run("auto"))), "");
    assert_eq!(without_times(meant(&run("none"))), "");
    let complaints = "= 16 B\n! STOMP 1.0–1.2: the message is not one of this protocol\n= 15 B\n\
        ! STOMP 1.0–1.2: the message is not one of this protocol\n";
    assert_eq!(without_times(meant(&run("stomp"))), complaints);
}

#[test]
fn an_unknown_lens_is_an_error() {
    Test::new().args(["--lens", "stompp", "ws://127.0.0.1:9"]).stderr_any().status(2);
}

#[test]
fn what_a_filter_hides_has_no_meaning() {
    let output = stomp(&["--output", "frames", "--filter", "out"]).stdout_any().status(0);
    let lines = without_times(meant(&output));
    assert!(lines.contains("= CONNECT\n= SUBSCRIBE"), "{lines}");
}

/// The frames and what they mean, by their last words.
fn shown(args: &[&str]) -> Vec<String> {
    let output = stomp(args).stdout_any().status(0);
    let lines = output.stdout().lines().filter(|line| line.starts_with(['<', '>', '=']));
    let lines = lines.filter(|line| line.starts_with("= ") || line.contains("TEXT"));
    let lines = lines.filter(|line| !line.contains("heartbeat"));
    lines.map(|line| line.split(" TEXT").last().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_filter_looks_at_what_messages_mean_too() {
    // None of these words stands in the messages, but in what they mean.
    for view in ["frames", "messages"] {
        let args = ["--output", "frames", "--view", view];
        let lines = shown(&[&args[..], &["--filter", "/subscription=0/"]].concat());
        assert_eq!(lines.len(), 4, "{lines:#?}");
        for at in [0, 2] {
            assert!(lines[at].contains("MESSAGE\\nsubscription:0"), "{view}: {lines:#?}");
            assert!(lines[at + 1].starts_with("= MESSAGE /topic/a subscription=0"), "{lines:#?}");
        }
        // What matches the content has what it means below it, once.
        let lines = shown(&[&args[..], &["--filter", "/CONNECTED/"]].concat());
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[1].starts_with("= CONNECTED version=1.2"), "{lines:#?}");
        // The direction and the kind are decided before; what must not match is never shown for it.
        for filter in [&["out", "/subscription=0/"][..], &["binary", "/subscription=0/"]] {
            assert_eq!(shown(&[&args[..], &["--filter", &filter.join(" ")]].concat()).len(), 0);
        }
    }
    let args = ["--output", "frames", "--filter", "/subscription=0/ !/#1/"];
    let lines = shown(&args);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[1].contains("subscription=0 3 B"), "{lines:#?}");
}

#[test]
fn protobuf_is_read_by_a_schema() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("chat.proto");
    std::fs::write(
        &path,
        "syntax = \"proto3\"; package chat; message Line { string who = 1; int32 n = 2; }",
    )
    .expect("a disk");
    let path = path.display().to_string();
    let output = script_of("/binary 0a 02 6d 65 10 07\n")
        .args(["--output", "frames", "--proto", &path, "--message", "chat.Line"])
        .peer(|p| {
            p.open();
            p.receive_message();
            p.answer_close(1000);
        })
        .stdout_any()
        .status(0);
    assert_eq!(without_times(meant(&output)), "= {\"who\":\"me\",\"n\":7}\n");
    let error = Test::new()
        .args(["--proto", &path, "--message", "chat.Nothing", "ws://127.0.0.1:9"])
        .stderr_any()
        .status(2);
    assert!(error.stderr().contains("chat.Line"), "{}", error.stderr());
}

#[test]
fn lines_speak_the_protocol_of_the_lens() {
    let lines = "/stomp connect me hunter2\n/expect stomp.command=CONNECTED 5\n/show lens\n\
        /stomp subscribe /topic/a\n/expect stomp.kind=MESSAGE 5\n/expect-not stomp.kind=MESSAGE 0\n\
        /stomp disconnect\n";
    let output = script_of(lines)
        .args(["-s", "v12.stomp", "--output", "none"])
        .peer(|p| {
            p.open_with(STOMP);
            let (_, connect) = p.receive_message();
            let connect = String::from_utf8(connect).expect("text");
            assert!(connect.starts_with("CONNECT\n") && connect.contains("passcode:hunter2\n"));
            p.text("CONNECTED\nversion:1.2\nheart-beat:0,0\nsession:s-1\n\n\0");
            let (_, subscribe) = p.receive_message();
            let subscribe = String::from_utf8(subscribe).expect("text");
            assert!(subscribe.starts_with("SUBSCRIBE\n"), "{subscribe}");
            assert!(subscribe.contains("destination:/topic/a\n"), "{subscribe}");
            p.text("MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/topic/a\n\nhello\0");
            let (_, disconnect) = p.receive_message();
            assert!(disconnect.starts_with(b"DISCONNECT\n"));
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    assert!(output.stderr().contains("lens: STOMP 1.0–1.2"), "{}", output.stderr());
    assert!(output.stderr().contains("s-1"), "{}", output.stderr());
}

/// In quotes a value has spaces.
#[test]
fn expect_takes_a_field_whose_value_has_spaces() {
    for test in
        [r#"rpc.error.message="Method not found""#, r#""rpc.error.message=Method not found""#]
    {
        script_of(&format!("/lens json-rpc\n/text {{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}}\n/expect {test} 5\n"))
            .args(["--output", "none"])
            .peer(|p| {
                p.open();
                p.receive_message();
                p.text(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#);
                p.answer_close(1000);
            })
            .stderr_any()
            .status(0);
    }
}

/// A line knows what the lines before it have sent, although nobody waited in between.
#[test]
fn lines_that_follow_each_other_build_on_each_other() {
    let run = |lines: &str, subprotocol: &'static str, expected: Vec<Vec<u8>>| {
        let output = script_of(lines)
            .args(["-s", subprotocol, "--output", "none"])
            .peer(move |p| {
                p.open_with(&format!("Sec-WebSocket-Protocol: {subprotocol}\r\n"));
                let received: Vec<_> = expected.iter().map(|_| p.receive_message().1).collect();
                assert_eq!(received, expected);
                p.answer_close(1000);
            })
            .stderr_any()
            .status(0);
        output.stderr().to_owned()
    };
    // MQTT 5 has properties in each packet.
    let packets = [
        &b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\0\0\x02me"[..],
        b"\x82\x09\0\x01\0\0\x03a/#\x01",
        b"\x30\x07\0\x03a/b\0x",
    ];
    let lines = "/mqtt connect5 me\n/mqtt sub a/# 1\n/mqtt pub a/b x\n/show lens\n";
    let stderr = run(lines, "mqtt", packets.map(<[u8]>::to_vec).to_vec());
    assert!(stderr.contains("version: 5\n"), "{stderr}");
    let identifier = r#"{\"channel\":\"C\",\"room\":1}"#;
    let command = |text: &str| format!(r#"{{"command":"{text}","identifier":"{identifier}""#);
    let messages =
        [command("subscribe") + "}", command("message") + r#","data":"{\"action\":\"speak\"}"}"#];
    let lines = "/cable subscribe C {\"room\":1}\n/cable perform C speak\n";
    run(lines, "actioncable-v1-json", messages.map(String::into_bytes).to_vec());
}

#[test]
fn a_stray_message_loses_nothing_that_the_lens_knows() {
    let lines = "/text CONNECT\\naccept-version:1.2\\nhost:x\\n\\n\\0\n/expect CONNECTED 5\n/text q\n\
        /expect seen 5\n/stomp disconnect\n/show lens\n";
    let output = script_of(lines)
        .args(["-s", "v12.stomp", "--output", "frames", "--no-compress"])
        .peer(|p| {
            p.open_with(STOMP);
            p.receive_message();
            p.text("CONNECTED\nversion:1.2\nheart-beat:0,0\nsession:s-1\n\n\0");
            assert_eq!(p.receive_message().1, b"q");
            p.text("seen");
            assert!(p.receive_message().1.starts_with(b"DISCONNECT\n"));
            p.answer_close(1000);
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let shown = output.stdout();
    assert!(shown.contains("= DISCONNECT\n") && !shown.contains("\n! STOMP"), "{shown}");
    let state = format!("{shown}{}", output.stderr());
    assert!(state.contains("session: s-1"), "{state}");
}

#[test]
fn heartbeats_are_answered_unless_keepalive_is_off() {
    let open = "0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}";
    let run = |line: &str, answered: bool| {
        script_of(line)
            .args([
                "--output",
                "none",
                "ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket",
            ])
            .peer(move |p| {
                p.open();
                p.text(open);
                p.receive_text("40");
                p.text("40{\"sid\":\"b\"}");
                p.text("2");
                if answered {
                    p.receive_text("3");
                }
                p.text("42[\"done\",\"x\"]");
                p.receive_text("42[\"chat\",1,{\"a\":2}]");
                p.answer_close(1000);
            })
            .status(0);
    };
    let lines = "/sio connect\n/expect sio.kind=EVENT\n/sio emit chat 1 {\"a\":2}\n";
    run(lines, true);
    run(&format!("/keepalive off\n{lines}"), false);
}

#[test]
fn a_line_of_another_protocol_is_an_error() {
    let output = script_of("/sio emit chat\n")
        .args(["--lens", "stomp"])
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr_any()
        .status(1);
    assert!(
        output.stderr().contains("the lens of this connection is not sio; /lens sio chooses it"),
        "{}",
        output.stderr()
    );
    let output = script_of("/stomp subscribe\n").peer(|p| {
        p.open();
        p.answer_close(1001);
    });
    let output = output.stderr_any().status(1);
    let error = "line 1: /stomp: DESTINATION is missing; /help stomp lists its commands";
    assert!(output.stderr().contains(error), "{}", output.stderr());
}

#[test]
fn a_field_that_does_not_come_is_an_unmet_expectation() {
    let output = script_of("/rpc add [1,2]\n/expect rpc.id=1 5\n/expect rpc.id=7 0.05\n")
        .peer(|p| {
            p.open();
            p.receive_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"add\",\"params\":[1,2]}");
            p.text("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}");
            p.answer_close(1001);
        })
        .args(["--output", "none"])
        .stderr_any()
        .status(13);
    assert!(output.stderr().contains("/expect rpc.id=7: no match within"), "{}", output.stderr());
}

#[test]
fn the_end_of_a_connection_names_what_was_waited_for() {
    let output = Test::new()
        .args(["--input", "none", "--output", "frames", "-s", "graphql-transport-ws"])
        .args(["ws://127.0.0.1:{port}/graphql"])
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: graphql-transport-ws\r\n");
            p.close_first(4408, "Connection initialisation timeout");
        })
        .stderr_any()
        .stdout_any()
        .status(11);
    let waits = "* the server waits for connection_init";
    assert!(output.stdout().contains(waits), "{}", output.stdout());
}

#[test]
fn the_end_of_a_connection_names_what_a_likely_protocol_waited_for() {
    let output = Test::new()
        .args(["--input", "none", "--output", "frames", "-s", "v12.stomp"])
        .args(["ws://127.0.0.1:{port}/ws"])
        .peer(|p| {
            p.open_with(STOMP);
            p.close_first(1002, "");
        })
        .stderr_any()
        .stdout_any()
        .status(11);
    let waits = "* if this is STOMP 1.0–1.2, the server waits for CONNECT; ";
    assert!(output.stdout().contains(waits), "{}", output.stdout());
}

#[test]
fn lens_changes_what_messages_are_read_as() {
    let output = script_of("/lens json\n{\"a\":1}\n/expect got\n/lens\n/lens none\n{\"a\":2}\n")
        .args(["--output", "frames"])
        .peer(|p| {
            p.open();
            p.receive_message();
            p.text("\"got\"");
            p.receive_message();
            p.answer_close(1000);
        })
        .stderr("wscope: note: lens: json\n")
        .stdout_any()
        .status(0);
    assert_eq!(without_times(meant(&output)), "= {\"a\":1}\n= \"got\"\n");
}

#[test]
fn a_message_has_the_lens_of_its_moment() {
    let output = script_of("1\n/lens json\n2\n/lens none\n3\n/lens rpc\n/text x\n")
        .args(["--output", "frames", "-w", "-1"])
        .peer(|p| {
            p.open();
            (0..4).for_each(|_| drop(p.receive_message()));
            p.close_first(1000, "done");
        })
        .stdout_any()
        .status(0);
    let text = output.stdout();
    let below = |payload: &str| {
        let mut lines =
            text.lines().skip_while(|line| !line.ends_with(&format!("F-M 1 {payload}")));
        lines.nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!([below("2"), below("x")], ["= 2", "= 1 B"], "{text}");
    assert_eq!(meant(&output).len(), 2, "{text}");
}

#[test]
fn heartbeats_are_sent_in_time() {
    let connect = "/text CONNECT\\naccept-version:1.2\\nhost:x\\nheart-beat:50,0\\n\\n\\0\n";
    script_of(&format!("{connect}/expect stomp.command=MESSAGE\n"))
        .args(["-s", "v12.stomp", "--output", "none"])
        .peer(|p| {
            p.open_with(STOMP);
            p.receive_message();
            p.text("CONNECTED\nversion:1.2\nheart-beat:0,50\n\n\0");
            p.receive_text("\n");
            p.receive_text("\n");
            p.text("MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/topic/a\n\nhello\0");
            loop {
                // More may have left meanwhile.
                if p.receive_frame().opcode() == OpCode::Control(Control::Close) {
                    break p.close(1000, "");
                }
            }
        })
        .status(0);
}

#[test]
fn a_carrier_is_chosen_with_what_it_carries() {
    script_of("/sio connect\n/expect sio.kind=CONNECT\n")
        .args(["--output", "none", "ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"])
        .peer(|p| {
            p.open();
            // Before the server has said anything.
            p.receive_text("40");
            p.text("0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}");
            p.text("40{\"sid\":\"b\"}");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn heartbeats_do_not_keep_a_script_that_has_ended() {
    // Each is answered, so that the server would never be silent.
    let session = |p: &mut Peer| {
        p.open();
        p.text("0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":100,\"pingTimeout\":20000}");
        p.text("40");
        loop {
            let frame = p.receive_frame();
            match frame.opcode() {
                OpCode::Control(Control::Close) => break p.close(1000, ""),
                _ if frame.payload == b"2" => p.text("3"),
                _ => {}
            }
        }
    };
    let url = "ws://127.0.0.1:{port}/socket.io/?EIO=3&transport=websocket";
    let run = |stay: &[&str]| {
        let test = script_of("/expect sio.kind=CONNECT\n/sio emit chat\n").args(stay);
        let test = test.args(["--output", "frames", "--no-compress", url]).peer(session);
        test.stdout_any().stderr_any().status(0)
    };
    run(&["--idle-exit", "0.5"]);
    let stays = run(&["-w", "0.5"]);
    assert!(stays.stdout().matches(" TEXT F-M 1 2\n").count() > 2, "{}", stays.stdout());
}

#[test]
fn a_call_waits_for_its_answer() {
    let output = script_of("/rpc add [1,2]\n/expect rpc.id=1 0\n/rpc notify log {}\n/rpc slow\n")
        .args(["--lens", "json-rpc", "--output", "none"])
        .peer(|p| {
            p.open();
            p.receive_message();
            // A call of the server's own has the same id.
            p.text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ask\"}");
            p.text("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}");
            p.receive_text("{\"jsonrpc\":\"2.0\",\"method\":\"log\",\"params\":{}}");
            p.receive_text("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"slow\"}");
            p.close_first(1001, "");
        })
        .stderr_any()
        .status(13);
    let error = "line 4: the answer rpc.id=2: the connection ended before a match";
    assert!(output.stderr().contains(error), "{}", output.stderr());
}
