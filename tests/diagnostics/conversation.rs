//! Sessions that go on or end after messages of the server: an answer that refuses, and what only
//! looks like one.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, CrossedMessage, End, EndKind, LastHeard, StreamFacts,
};
use wscope::diagnostics::{Diagnostic, Facts, Family, Severity, classify};
use wscope::wire::Data;
use wscope::wire::close::CloseBody;

use crate::support::{Pair, end, message};

/// Messages in their order: those of this side begin with `>`.
fn kept<'a>(lines: &[&'a str]) -> Vec<CrossedMessage<'a>> {
    let quiet = Duration::ZERO;
    let of = |line: &&'a str| match line.strip_prefix('>') {
        Some(ours) => CrossedMessage { ours: true, text: true, content: ours.as_bytes(), quiet },
        None => CrossedMessage { ours: false, text: true, content: line.as_bytes(), quiet },
    };
    lines.iter().map(of).collect()
}

/// The diagnostics of a session with these messages. The peer closed right after them, or this side
/// did after two seconds.
fn session(name: &str, lines: &[&str], close: Option<(Option<u16>, &str)>) -> Vec<Diagnostic> {
    session_after(0.0, name, lines, close)
}

/// The same with this time between the last message and a Close.
fn session_after(
    quiet: f64,
    name: &str,
    lines: &[&str],
    close: Option<(Option<u16>, &str)>,
) -> Vec<Diagnostic> {
    session_aged(0.0, quiet, name, lines, close)
}

/// The same with this time between the last message and those before it.
fn session_aged(
    age: f64,
    quiet: f64,
    name: &str,
    lines: &[&str],
    close: Option<(Option<u16>, &str)>,
) -> Vec<Diagnostic> {
    let age = Duration::from_secs_f64(age);
    let quiet = Duration::from_secs_f64(if close.is_some() { quiet } else { 2.0 });
    let header = format!("Sec-WebSocket-Protocol: {name}\r\n");
    let pair = if name.is_empty() { Pair::open("", "") } else { Pair::open(&header, &header) };
    let mut kept = kept(lines);
    let count = kept.len();
    for (at, one) in kept.iter_mut().enumerate().filter(|(_, one)| !one.ours) {
        one.quiet = if at + 1 < count { quiet + age } else { quiet };
    }
    let of = |ours: bool| kept.iter().filter(move |message| message.ours == ours);
    let first = |ours| of(ours).next().map(|one| message(Data::Text, one.content));
    let mut last = of(false).rev();
    let heard = last.next().map(|one| LastHeard {
        content: one.content,
        before: last.next().filter(|_| age.as_secs() < 1).map_or(&[], |one| one.content),
        quiet,
        answered: kept.last().is_some_and(|one| one.ours),
    });
    let at_once = close.is_some() && kept.last().is_some_and(|one| one.ours);
    let count = of(false).count() as u64;
    let stream = StreamFacts {
        frames: count,
        messages: count,
        message: first(false),
        sent: first(true),
        heard,
        kept: &kept,
        kept_all: true,
        // If our message is the last one, the end came right after it.
        ours_quiet: Duration::from_secs(if at_once { 0 } else { 4 }),
        ended_on_ours: at_once,
        ..StreamFacts::default()
    };
    let body = close.map(|(code, reason)| CloseBody { code, reason: reason.as_bytes().to_vec() });
    let close =
        CloseFacts { received: body.as_ref(), by_peer: body.is_some(), ..CloseFacts::default() };
    let last = Duration::from_secs(4);
    let end = End { last, quiet, ..end(EndKind::Closed, if body.is_some() { 0.0 } else { 2.0 }) };
    let engine_io = lines[0].starts_with("0{");
    let url = Some(match engine_io {
        true => "ws://api.example/socket.io/?EIO=4&transport=websocket",
        false => "ws://api.example/chat",
    });
    classify(&Facts { stream, close, end: Some(end), url, ..pair.facts() })
}

/// The text of a diagnostic with this code: its causes and notes.
fn said(found: &[Diagnostic], code: &str) -> Option<String> {
    let one = found.iter().find(|one| one.entry.code == code)?;
    let causes = one
        .causes
        .iter()
        .map(|cause| format!("{} ({})", cause.text, cause.because.as_deref().unwrap_or_default()));
    Some(causes.chain(one.notes.iter().cloned()).collect::<Vec<_>>().join("; "))
}

const INFO: &str = "INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"auth_required\":true}\r\n";

#[test]
fn the_first_answer_that_refuses_is_reported_whatever_comes_after_it() {
    let beat = r#"{"channel":"heartbeat"}"#;
    for (lines, shown) in [
        (
            &[
                INFO,
                ">CONNECT {\"user\":\"u\"}\r\n",
                ">SUB secret.x 1\r\n",
                "-ERR 'Permissions Violation for Subscription to \"secret.x\"'\r\n",
                "PING\r\n",
            ][..],
            "Permissions Violation",
        ),
        (
            &[
                r#">{"method":"subscribe","params":{"channel":"ticker","symbol":["XBT/FOO"]},"req_id":1}"#,
                r#"{"channel":"status","type":"update","data":[{"system":"online"}]}"#,
                r#"{"error":"Currency pair not supported XBT/FOO","method":"subscribe","req_id":1,"success":false,"time_in":"2026-11-30T22:00:00.1Z"}"#,
                beat,
                beat,
                beat,
            ],
            "not supported XBT/FOO",
        ),
        // The same without an id.
        (
            &[
                r#">{"method":"subscribe","params":{"channel":"ticker"}}"#,
                r#"{"channel":"status","type":"update","data":[{"system":"online"}]}"#,
                r#"{"error":"no such channel","method":"subscribe","success":false}"#,
                beat,
            ],
            "no such channel",
        ),
        (
            &[
                r#">{"action":"auth","key":"AK1"}"#,
                r#">{"action":"subscribe","bars":["A","B","C","D"]}"#,
                r#"{"T":"success","msg":"authenticated"}"#,
                r#"[{"T":"b","S":"A","c":101.2}]"#,
                r#"[{"T":"b","S":"B","c":101.2}]"#,
                r#"[{"T":"b","S":"C","c":101.2}]"#,
                r#"[{"T":"b","S":"D","c":101.2}]"#,
                r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#,
            ],
            "symbol limit exceeded",
        ),
        (
            &[
                r#">[{"channel":"/meta/subscribe","clientId":"x","subscription":"/news","id":"1"}]"#,
                r#"[{"id":"1","clientId":"x","channel":"/meta/subscribe","subscription":"/news","successful":false,"error":"401:x:Unknown client","advice":{"reconnect":"handshake"}}]"#,
            ],
            "Unknown client",
        ),
        (
            &[
                r#">{"id":7,"op":"query"}"#,
                r#"{"id":7,"type":"result","rows":[1,2]}"#,
                r#"{"id":7,"type":"end","error":{"code":"QUOTA_EXCEEDED","message":"daily quota of 1000 reads is used up"}}"#,
            ],
            "QUOTA_EXCEEDED",
        ),
        (
            &[
                r#">{"id":1,"path":"/stream/x"}"#,
                r#"{"status":404,"body":{"message":"no such stream"},"id":1}"#,
            ],
            "no such stream",
        ),
        (
            &[
                ">{\"id\":1,\"method\":\"PUT\",\"path\":\"/a\"}",
                r#"{"id":1,"statusCode":409,"data":{"error":"revision is stale","code":7}}"#,
                r#"{"type":"tick","n":1}"#,
            ],
            "revision is stale",
        ),
        (
            &[
                "><get/>",
                "<?xml version=\"1.0\"?><response status=\"error\"><code>403</code><message>Session expired</message></response>",
            ],
            "Session expired",
        ),
        (
            &["><get/>", "<rsp stat=\"fail\"><err code=\"98\" msg=\"Invalid auth token\"/></rsp>"],
            "Invalid auth token",
        ),
        (
            &[
                r#">{"seq":1,"to":"nobody","text":"hi"}"#,
                r#"{"seq":1,"ack":true}"#,
                r#"{"seq":1,"status":"undeliverable","reason":"no such user: nobody"}"#,
            ],
            "no such user",
        ),
        // Chat: an event of the room, then the answer to our message.
        (
            &[
                r#">{"ref":3,"type":"join","room":"x"}"#,
                r#"{"type":"presence","users":3}"#,
                r#"{"ref":3,"type":"error","reason":"room is full"}"#,
                r#"{"type":"presence","users":4}"#,
            ],
            "room is full",
        ),
        (
            &["{\"type\":\"hello\"}", ">LOGIN a b", "ERR unknown command", "PING", "PING", "PING"],
            "unknown command",
        ),
    ] {
        let found = session("", lines, None);
        let told = said(&found, "W516").unwrap_or_default();
        assert!(
            told.starts_with("our request failed: ") && told.contains(shown),
            "{lines:?}: {found:?}"
        );
    }
}

#[test]
fn the_first_of_two_errors_is_the_cause_and_the_second_is_mentioned() {
    let found = session(
        "",
        &[
            r#">{"action":"auth","key":"WRONG"}"#,
            r#">{"action":"subscribe","bars":["AAPL"]}"#,
            r#"[{"T":"error","code":402,"msg":"auth failed"}]"#,
            r#"[{"T":"error","code":401,"msg":"not authenticated"}]"#,
        ],
        None,
    );
    let told = said(&found, "W516").expect("a refusal");
    assert!(told.starts_with("our request failed: [{\"T\":\"error\",\"code\":402"), "{told}");
    assert!(told.contains("then came: [{\"T\":\"error\",\"code\":401"), "{told}");
}

#[test]
fn a_session_that_went_on_after_an_error_and_ordinary_content_are_silent() {
    for lines in [
        // This side tried again, with success.
        &[
            r#">{"action":"auth","key":"WRONG"}"#,
            r#"{"type":"error","code":402,"msg":"auth failed"}"#,
            r#">{"action":"auth","key":"RIGHT"}"#,
            r#"{"type":"success"}"#,
        ][..],
        &[
            r#">{"id":7,"op":"build"}"#,
            r#"{"id":7,"status":"queued"}"#,
            r#"{"id":7,"status":"running"}"#,
            r#"{"id":7,"status":"failed","error":"out of disk"}"#,
        ],
        &[
            r#">{"type":"say","text":"hi"}"#,
            r#"{"type":"message","from":"bob","text":"error: I failed my exam"}"#,
        ],
        &[
            ">{}",
            "2026-11-30 INFO start",
            "2026-11-30 ERROR refused",
            "2026-11-30 WARN token expired",
        ],
        &[
            r#">{"op":"subscribe","symbol":"A"}"#,
            r#"{"op":"subscribed","symbol":"A"}"#,
            r#"{"symbol":"A","price":1.5,"status":"halted"}"#,
            r#"{"symbol":"A","price":1.5,"status":"halted","reason":"limit up"}"#,
        ],
        &[
            r#">{"id":1,"op":"search"}"#,
            r#"{"id":1,"hits":[],"error":null,"message":"no results"}"#,
        ],
        &[
            r#">{"id":1,"op":"validate"}"#,
            r#"{"id":1,"valid":false,"errors":["line 3: unexpected token"]}"#,
        ],
        &[
            r#">{"id":1,"query":"{a b}"}"#,
            r#"{"id":1,"data":{"a":1,"b":null},"errors":[{"message":"b failed","path":["b"]}]}"#,
        ],
        &[r#">{"op":"sub"}"#, r#"{"op":"sub","ok":true}"#, r#"{"type":"heartbeat","error":null}"#],
        &[
            r#">{"id":1,"url":"http://a.example/x"}"#,
            r#"{"id":1,"status":404,"body":{"message":"Not Found"}}"#,
        ],
        &[
            r#">{"id":1,"op":"get_order"}"#,
            r#"{"id":1,"status":"rejected","reason":"insufficient margin"}"#,
        ],
        &[
            r#">{"id":1,"op":"flags"}"#,
            r#"{"id":1,"result":{"denied":true,"reason":"not in cohort"}}"#,
        ],
        &["><jobs/>", "<jobs><job status=\"error\"><id>7</id><log>disk full</log></job></jobs>"],
        &["><get/>", "<svg width=\"4\"><g id=\"error-bars\"><text>error</text></g></svg>"],
        // Another request's answer, and an event about another user.
        &[r#">{"id":1,"op":"a"}"#, r#"{"id":1,"result":2}"#, r#"{"id":9,"error":"no such room"}"#],
        &[
            r#">{"id":1,"op":"a"}"#,
            r#"{"id":1,"result":2}"#,
            r#"{"type":"error","message":"disk full"}"#,
        ],
    ] {
        let found = session("", lines, None);
        assert!(found.is_empty(), "{lines:?}: {found:?}");
    }
}

#[test]
fn heartbeats_do_not_answer_a_message_of_another_protocol() {
    let foreign = r#">{"type":"subscribe","channel":"RoomChannel"}"#;
    let ping = r#"{"type":"ping","message":1796078244}"#;
    let cable = "actioncable-v1-json";
    for lines in [
        &[foreign, r#"{"type":"welcome"}"#, ping, ping][..],
        &[r#"{"type":"welcome"}"#, foreign, ping],
        &[r#"{"type":"welcome"}"#, foreign],
    ] {
        let found = session(cable, lines, None);
        let told = said(&found, "W518").unwrap_or_default();
        assert!(told.starts_with("our message is not one of Action Cable"), "{lines:?}: {found:?}");
    }
    let subscribe = r#">{"command":"subscribe","identifier":"{\"channel\":\"RoomChannel\"}"}"#;
    let confirmed =
        r#"{"identifier":"{\"channel\":\"RoomChannel\"}","type":"confirm_subscription"}"#;
    for lines in [
        &[r#"{"type":"welcome"}"#, subscribe, confirmed, ping][..],
        &[r#"{"type":"welcome"}"#, subscribe, ping],
    ] {
        assert_eq!(said(&session(cable, lines, None), "W518"), None, "{lines:?}");
    }
}

#[test]
fn the_result_of_a_job_before_a_close_in_order_is_no_reason_of_the_end() {
    for lines in [
        &[
            r#">{"id":7}"#,
            r#"{"job":7,"status":"queued"}"#,
            r#"{"job":7,"status":"running"}"#,
            r#"{"job":7,"status":"failed","error":"ffmpeg: permission denied","retries":3}"#,
        ][..],
        &[
            r#">{"id":7}"#,
            r#"{"id":7,"status":"queued"}"#,
            r#"{"id":7,"status":"failed","error":"out of disk"}"#,
        ],
        &[
            r#">{"op":"check","host":"db1"}"#,
            r#"{"stream":"stdout","data":"a"}"#,
            r#"{"stream":"stdout","data":"b"}"#,
            r#"{"exit_code":1,"error":"exit status 1"}"#,
        ],
        &[
            r#">{"op":"check","host":"db1"}"#,
            r#"{"host":"db1","ok":false,"error":"connection refused","checked_at":"2026-11-30"}"#,
        ],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        assert_eq!(
            said(&found, "W700").filter(|told| told.contains("last message")),
            None,
            "{lines:?}: {found:?}"
        );
    }
    for lines in [
        &[r#">{"token":"x"}"#, r#"{"error":"invalid token"}"#][..],
        &[
            r#">{"op":"join"}"#,
            r#"{"type":"welcome"}"#,
            r#"{"type":"error","message":"no such room"}"#,
        ],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        let told = said(&found, "W700").unwrap_or_default();
        assert!(told.contains("its last message is"), "{lines:?}: {found:?}");
    }
}

#[test]
fn a_message_of_its_own_kind_right_before_a_refusing_close_is_quoted() {
    let welcome = r#"{"type":"welcome"}"#;
    let replaced = r#"{"type":"session_replaced","by":"another tab"}"#;
    for lines in [&[welcome, replaced][..], &[">{}", welcome, replaced]] {
        let found = session("", lines, Some((Some(4005), "")));
        let told = said(&found, "W723").unwrap_or_default();
        assert!(told.contains("its last message is {\"type\":\"session_replaced\""), "{found:?}");
    }
    let tick = r#"{"type":"tick","n":1}"#;
    for lines in
        [&[welcome][..], &[">{}", welcome, tick, tick], &[">{}", r#"{"op":"a","ok":true}"#]]
    {
        let found = session("", lines, Some((Some(4005), "")));
        let told = said(&found, "W723").unwrap_or_default();
        assert!(!told.contains("last message"), "{lines:?}: {found:?}");
    }
}

#[test]
fn the_details_of_an_error_are_quoted() {
    let call = r#">{"jsonrpc":"2.0","id":1,"method":"crash"}"#;
    for (name, request, answer, shown) in [
        (
            "",
            call,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Error","data":"database is locked"}}"#,
            "database is locked",
        ),
        (
            "",
            call,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params","data":{"reason":"wrong format","param":"instrument_name"}}}"#,
            "instrument_name",
        ),
        (
            "ocpp1.6",
            r#">[2,"1","BootNotification",{"chargePointVendor":"V"}]"#,
            r#"[4,"1","ProtocolError","Payload for Action is incomplete",{"cause":"'chargePointModel' is a required property"}]"#,
            "is a required property",
        ),
    ] {
        let found = session(name, &[request, answer], None);
        let told = said(&found, "W516").unwrap_or_default();
        assert!(told.contains(shown), "{answer}: {found:?}");
    }
}

#[test]
fn a_login_that_the_greeting_requires_is_named() {
    let refused = "-ERR 'Authorization Violation'\r\n";
    let close = Some((Some(1008), "Authentication Failure"));
    let found = session("", &[INFO, ">SUB a 1\r\n", refused], close);
    let told = said(&found, "W708").unwrap_or_default();
    assert!(told.contains("NATS goes on with CONNECT with a login of the client"), "{found:?}");
    let open = "INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"auth_required\":false}\r\n";
    let found = session("", &[open, ">{}", "-ERR 'Unknown Protocol Operation'\r\n"], close);
    assert!(!said(&found, "W708").unwrap_or_default().contains("with a login"), "{found:?}");
}

#[test]
fn a_text_that_is_no_packet_of_mqtt_is_told_from_a_packet_in_a_text_frame() {
    for (sent, packet) in
        [(r#">{"topic":"home/a","payload":"1"}"#, false), (">\u{10}\u{0e}\0\u{4}MQTT", true)]
    {
        let found = session("mqtt", &[sent], Some((None, "")));
        let help = &found.iter().find(|one| one.entry.code == "W511").expect("W511").help;
        assert_eq!(
            (help.contains("`-b`"), help.contains("/mqtt connect")),
            (packet, !packet),
            "{help}"
        );
    }
}

#[test]
fn an_interval_of_heartbeats_in_the_greeting_asks_for_them() {
    let hello = r#"{"op":"hello","heartbeat_interval":1000}"#;
    let (identify, ready) = (r#">{"op":"identify","token":"t"}"#, r#"{"op":"ready","guilds":[]}"#);
    let close = Some((Some(4009), "session timed out"));
    for (lines, missing) in [
        (&[hello, identify, ready][..], true),
        (&[r#"{"type":"welcome","data":{"heartbeatInterval":2}}"#, identify, ready], true),
        (&[hello, identify, ready, r#">{"op":"heartbeat"}"#, r#"{"op":"pong"}"#], false),
        (&[r#"{"op":"hello","heartbeat_interval":41250}"#, identify, ready], false),
        (&[r#"{"op":"hello"}"#, identify, ready], false),
    ] {
        let found = session_after(2.5, "", lines, close);
        let told = said(&found, "W723").unwrap_or_default();
        let names = told.contains("the heartbeats that its first message speaks of");
        assert_eq!(names, missing, "{lines:?}: {found:?}");
    }
}

#[test]
fn an_end_by_the_server_inside_is_named_and_one_that_was_asked_for_is_not() {
    let open =
        r#"0{"sid":"a","upgrades":[],"pingInterval":2000,"pingTimeout":1500,"maxPayload":2000}"#;
    let joined = [open, ">40", r#"40{"sid":"b"}"#, r#">42["kick"]"#];
    let kicked = [&joined[..], &[r#"42["news"]"#, "41"]].concat();
    let found = session("", &kicked, Some((None, "")));
    let told = said(&found, "W705").unwrap_or_default();
    assert!(
        told.contains("the server ended the session on purpose (in Engine.IO 3 and 4 it sent: "),
        "{found:?}"
    );
    let found = session("", &[&joined[..], &[">41"]].concat(), Some((None, "")));
    assert!(!said(&found, "W705").unwrap_or_default().contains("on purpose"), "{found:?}");

    let (connect, connected) =
        (">CONNECT\naccept-version:1.2\n\n\0", "CONNECTED\nversion:1.2\n\n\0");
    let send = ">SEND\ndestination:/exchange/nope/x\n\nhi\0";
    for (last, reason, odd) in [
        (send, "STOMP died", true),
        (send, "bye", false),
        (send, "", false),
        (">DISCONNECT\nreceipt:1\n\n\0", "STOMP died", false),
    ] {
        let found = session("v12.stomp", &[connect, connected, last], Some((Some(1000), reason)));
        let told = said(&found, "W700").unwrap_or_default();
        assert_eq!(told.contains("because of our last message"), odd, "{last} {reason}: {found:?}");
    }
}

#[test]
fn an_announced_shutdown_is_a_warning() {
    let notice = r#"{"type":"notice","text":"Server going down for maintenance in 0 minutes"}"#;
    let found = session("", &[r#"{"type":"welcome"}"#, notice], Some((Some(1001), "")));
    assert_eq!(found[0].severity, Severity::Warning, "{found:?}");
    assert!(
        said(&found, "W701").expect("W701").starts_with("the server ends or restarts"),
        "{found:?}"
    );
}

#[test]
fn a_close_in_place_of_an_answer_is_told_after_a_greeting_too() {
    let told = |lines: &[&str], code, reason| {
        let found = session("", lines, Some((Some(code), reason)));
        found[0].title.contains("without an answer to it")
    };
    let (hello, ours) = (r#"{"type":"welcome"}"#, r#">{"user":"ann","message":"hi all"}"#);
    assert!(told(&[hello, ours], 1000, ""));
    // It answered, was asked to leave, or says why.
    assert!(!told(&[r#">{"op":"create"}"#, r#"{"orderId":5}"#], 1000, ""));
    assert!(!told(&[hello, ours, r#"{"ok":true}"#], 1000, ""));
    assert!(!told(&[hello, r#">{"type":"bye"}"#], 1000, ""));
    assert!(!told(&[hello, ours], 1000, "done"));
}

/// The greeting may arrive after our message was sent.
#[test]
fn a_refusal_after_a_late_greeting_is_the_answer() {
    for (ours, greeting, refusal) in [
        (
            r#">["REQ","dm",{"kinds":[4]}]"#,
            r#"["AUTH","3cf1"]"#,
            r#"["CLOSED","dm","auth-required: we can't serve DMs"]"#,
        ),
        (
            r#">{"msg":"method","method":"tasks.insert","params":["milk"],"id":"1"}"#,
            r#"{"server_id":"0"}"#,
            r#"{"msg":"error","reason":"Must connect first","offendingMessage":{"msg":"method","method":"tasks.insert","params":["milk"],"id":"1"}}"#,
        ),
    ] {
        let found = session("", &[ours, greeting, refusal], None);
        assert!(said(&found, "W516").is_some(), "{refusal}: {found:?}");
    }
}

#[test]
fn a_stale_connection_waited_for_its_first_message() {
    let told = |lines: &[&str]| {
        let found = session("", lines, Some((Some(3007), r#"{"reason":"stale"}"#)));
        found[0].causes.first().is_some_and(|one| one.text.contains("waited for the first message"))
    };
    assert!(told(&[r#"{"type":"welcome"}"#]));
    assert!(!told(&[r#"{"type":"welcome"}"#, ">hi"]));
}

#[test]
fn a_subscription_before_connection_init_is_the_cause_of_4401() {
    let subscribe = r#">{"id":"1","type":"subscribe","payload":{"query":"subscription { n }"}}"#;
    let init = r#">{"type":"connection_init"}"#;
    let told = |lines: &[&str]| {
        let close = Some((Some(4401), "Unauthorized"));
        let found = session("graphql-transport-ws", lines, close);
        said(&found, "W719").expect("W719")
    };
    assert!(told(&[subscribe]).starts_with("connection_init was not sent"));
    assert!(!told(&[init, subscribe]).contains("connection_init was not sent"));
    // The type of a long message may be in the part that was not kept.
    let long = format!(">{{\"payload\":\"{}\"", "x".repeat(2000));
    assert!(!told(&[&long]).contains("connection_init was not sent"));
}

#[test]
fn a_server_that_goes_away_in_the_middle_of_its_messages_is_told() {
    let feed = [r#"{"seq":1,"bid":1.08}"#, r#"{"seq":2,"bid":1.07}"#];
    let told = |quiet, lines: &[&str], code, reason| {
        let found = session_after(quiet, "", lines, Some((Some(code), reason)));
        let first = found.iter().find(|one| one.entry.family == Family::CloseCode);
        let first = first.expect("the Close");
        let away = first.title.contains("in the middle of its messages");
        assert_eq!(away, first.severity == Severity::Warning, "{first:?}");
        assert!(!away || first.causes.len() == 1, "{first:?}");
        away
    };
    assert!(told(0.4, &feed, 1001, ""));
    assert!(told(0.4, &feed, 1001, "Going Away"));
    // It has sent all, gives another reason, sent only a greeting, or answered.
    assert!(!told(0.4, &feed, 1000, ""));
    assert!(!told(0.4, &feed, 1001, "done"));
    assert!(!told(0.4, &feed[..1], 1001, ""));
    assert!(!told(0.4, &[">get", feed[0], r#"{"status":"done"}"#], 1001, ""));
}

#[test]
fn records_of_a_healthy_session_are_no_refusals_of_our_request() {
    for lines in [
        &[">tail app.log", "ERROR: disk full on db1", "INFO retry", "INFO ok"][..],
        &[
            r#">{"type":"config"}"#,
            r#"{"type":"session.started"}"#,
            r#"{"type":"error","message":"no speech detected"}"#,
            r#"{"type":"transcript","text":"a"}"#,
        ],
        &[">follow", "401 Unauthorized", "200 OK", "200 OK"],
        &[">follow", "Invalid login", "Accepted key for bob", "session opened"],
        &[
            r#">{"subscribe":"errors","project":"web"}"#,
            r#"{"type":"error","project":"web","message":"TypeError: x"}"#,
            r#"{"type":"info","project":"web","message":"deployed"}"#,
        ],
        &[">go", r#"{"event":"deploy","error":"exit 1"}"#, r#"{"event":"tick"}"#],
        &[
            r#">{"type":"watch"}"#,
            r#"{"type":"auth_failed","user":"bob","ip":"1.2.3.4"}"#,
            r#"{"type":"auth_ok","user":"eve"}"#,
        ],
        &["><list/>", "<item><error>disk</error></item>", "<item><ok/></item>"],
        // A verb of the request in records.
        &[
            r#">{"action":"monitor","host":"db1"}"#,
            r#"{"event":"monitor","status":"ok"}"#,
            r#"{"event":"monitor","status":"failed","message":"db1 unreachable"}"#,
            r#"{"event":"monitor","status":"ok"}"#,
        ],
        &[
            r#">{"type":"health"}"#,
            r#"{"type":"health","service":"db","status":"failed","message":"refused"}"#,
            r#"{"type":"health","service":"web","status":"ok"}"#,
        ],
        &[
            r#">{"action":"arm"}"#,
            r#"{"action":"alarm","message":"intruder denied","code":403}"#,
            r#"{"action":"state","v":1}"#,
        ],
        // Jobs and tests.
        &[
            r#">{"type":"run","id":"job7"}"#,
            r#"{"type":"started","id":"job7"}"#,
            r#"{"type":"output","id":"job7","line":"cc"}"#,
            r#"{"type":"finished","id":"job7","status":"failed","message":"exit code 2"}"#,
        ],
        &[
            r#">{"run":"make test"}"#,
            r#"{"stream":"stdout","line":"ok 1"}"#,
            r#"{"stream":"stderr","error":"test 2 failed"}"#,
            r#"{"exit":0}"#,
        ],
        &[
            r#">{"type":"run"}"#,
            r#"{"type":"progress","n":1}"#,
            r#"{"type":"error","message":"GET /x: 500"}"#,
            r#"{"type":"progress","n":2}"#,
        ],
        // A number that the server counts.
        &[
            r#">{"seq":1,"action":"hello"}"#,
            r#"{"seq":1,"event":"service","status":"failed","message":"billing is down"}"#,
            r#"{"seq":2,"event":"service","status":"ok"}"#,
        ],
        &[
            r#">{"id":1,"cmd":"list"}"#,
            r#"{"id":1,"error":"sensor offline"}"#,
            r#"{"id":2,"value":4}"#,
        ],
        // One value of a subscription.
        &[
            r#">{"id":"1","type":"subscribe","payload":{"query":"subscription{a}"}}"#,
            r#"{"id":"1","type":"next","payload":{"data":{"a":1}}}"#,
            r#"{"id":"1","type":"next","payload":{"data":{"a":null},"errors":[{"message":"x"}]}}"#,
            r#"{"id":"1","type":"next","payload":{"data":{"a":3}}}"#,
        ],
    ] {
        for name in ["", "graphql-transport-ws"] {
            if name.is_empty() || lines[0].contains("payload") {
                let found = session(name, lines, None);
                assert_eq!(said(&found, "W516"), None, "{lines:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_refusal_is_seen_before_and_behind_events() {
    let ticks = [r#"{"tick":0}"#, r#"{"tick":1}"#, r#"{"tick":2}"#];
    let no = r#"{"error":"no such room"}"#;
    let after = [&[r#">{"join":"room9"}"#, no][..], &ticks].concat();
    let before = [&ticks[..], &[r#">{"join":"room9"}"#, no]].concat();
    for lines in [after, before] {
        assert!(said(&session("", &lines, None), "W516").is_some(), "{lines:?}");
    }
}

#[test]
fn a_server_that_answers_in_another_form_has_answered() {
    for (name, lines) in [
        ("jsonrpc", &[">status", r#"{"type":"status","up":5}"#][..]),
        ("jsonrpc", &[">status", "hello, ready"]),
        ("v12.stomp", &[">start", "connected"]),
        ("graphql-transport-ws", &[">start", r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]),
        ("ocpp1.6", &[">start", "t=1", "t=2", "t=3"]),
    ] {
        assert_eq!(said(&session(name, lines, None), "W518"), None, "{lines:?}");
    }
}

#[test]
fn what_restarts_by_our_command_or_in_a_record_is_not_the_server() {
    for lines in [
        &[r#">{"op":"restart","id":"vm-7"}"#, r#"{"op":"restart","id":"vm-7","status":"ok"}"#][..],
        &[r#">{"action":"reboot","id":7}"#, r#"{"action":"reboot","status":"accepted"}"#],
        &[r#">{"vm":7,"do":"reboot"}"#, r#"{"event":"rebooting"}"#],
        &[">restart web", "Restarting"],
        &[">logs -f web", "starting", "listening", "Shutting down"],
        &[">logs -f web", "starting", "listening", "server is stopping"],
        &[r#">{"type":"join"}"#, r#"{"event":"restart","in":5}"#],
        &[r#">{"type":"join"}"#, "ok", r#"{"type":"restart","reason":"round over"}"#],
        &[">watch", "ok", r#"{"type":"draining","id":"node-3"}"#],
        &[">hi", "hi", "Server is going down for me, is it for you too?"],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        let told = said(&found, "W700").unwrap_or_default();
        assert!(!told.contains("announced"), "{lines:?}: {found:?}");
    }
}

#[test]
fn heartbeats_that_the_first_message_does_not_ask_for_are_not_missed() {
    let (ours, answer) = (r#">{"job":"x"}"#, r#"{"result":1}"#);
    let beat = r#"{"type":"heartbeat"}"#;
    for (lines, code) in [
        (&[r#"{"type":"welcome","heartbeat_interval":1}"#, ours, beat, answer][..], 4009),
        (&[r#"{"type":"welcome","heartbeat_interval":1}"#, ours, answer], 1000),
        (&[r#"{"type":"welcome","heartbeat":1}"#, ours, answer], 4009),
        (&[r#"{"type":"stats","heartbeats_sent":1}"#, ours, answer], 4009),
        (&[r#"{"type":"node","missed_heartbeats":1}"#, ours, answer], 1008),
    ] {
        let found = session_after(2.5, "", lines, Some((Some(code), "")));
        let beats = |cause: &str| cause.contains("heartbeats that its first message");
        let told = found.iter().flat_map(|one| &one.causes).any(|cause| beats(&cause.text));
        assert!(!told, "{lines:?}: {found:?}");
    }
}

#[test]
fn a_refused_login_is_the_reason_of_a_close_in_order() {
    for lines in [
        &[
            r#">{"token":"abc","user":"bob"}"#,
            r#"{"ok":false,"error":"Invalid token","user":"bob"}"#,
        ][..],
        &[r#">{"auth":"tok"}"#, r#"{"error":"session expired","region":"eu"}"#],
        &[
            r#">{"auth":"tok"}"#,
            r#"{"status":"connecting","id":1}"#,
            r#"{"status":"failed","id":1,"error":"invalid token"}"#,
        ],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        let told = said(&found, "W700").unwrap_or_default();
        assert!(told.contains("its last message is"), "{lines:?}: {found:?}");
    }
}

#[test]
fn the_last_record_before_a_refusing_close_is_an_observation() {
    let lines = [">go", r#"{"type":"welcome"}"#, r#"{"type":"trade","price":2}"#];
    let found = session("", &lines, Some((Some(4000), "")));
    assert!(found[0].causes.iter().all(|cause| !cause.text.contains("trade")), "{found:?}");
}

#[test]
fn an_error_before_a_heartbeat_or_a_tick_is_still_the_reason_of_the_end() {
    let full = r#"{"type":"error","message":"room is full"}"#;
    let beat = r#"{"type":"ping","ts":1}"#;
    let tick = r#"{"type":"tick","n":1}"#;
    let welcome = r#"{"type":"welcome"}"#;
    for lines in [
        &[welcome, ">join 1", full, beat][..],
        &[welcome, full, beat],
        &[welcome, full, tick],
        &[welcome, r#">{"type":"join","room":1}"#, full, tick],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        assert_eq!(found[0].severity, Severity::Warning, "{lines:?}: {found:?}");
        let told = found[0].causes.first().is_some_and(|cause| cause.text.contains("room is full"));
        assert!(told, "{lines:?}: {found:?}");
    }
    // Without a Close, the refused request is the cause, too.
    let call = r#">{"jsonrpc":"2.0","id":1,"method":"foo"}"#;
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
    let event = r#"{"jsonrpc":"2.0","method":"tick","params":[1]}"#;
    let found = session("", &[call, error, event], Some((None, "")));
    let first = found[0].causes.first().map(|cause| cause.text.to_string()).unwrap_or_default();
    assert!(first.contains("Method not found"), "{found:?}");
    // The tenth request.
    let asked: Vec<String> = (0..10).map(|n| format!(">{{\"id\":{n},\"op\":\"get\"}}")).collect();
    let answers: Vec<String> = (0..9).map(|n| format!("{{\"id\":{n},\"value\":{n}}}")).collect();
    let mut lines: Vec<&str> = Vec::new();
    for (ours, theirs) in asked.iter().zip(&answers) {
        lines.extend([ours.as_str(), theirs]);
    }
    lines.extend([&*asked[9], r#"{"id":9,"error":"no permission"}"#, tick]);
    let found = session("", &lines, Some((Some(1000), "")));
    let told = found.iter().any(|one| one.causes.iter().any(|c| c.text.contains("no permission")));
    assert!(told && found[0].severity == Severity::Warning, "{found:?}");
}

#[test]
fn a_refusal_of_long_ago_is_not_the_reason_of_the_end() {
    let call = r#">{"jsonrpc":"2.0","id":1,"method":"x.y"}"#;
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
    let full = r#"{"type":"error","message":"room is full"}"#;
    let (beat, price) = (r#"{"type":"heartbeat","t":1}"#, r#"{"type":"price","value":1}"#);
    let blamed = |age: f64, lines: &[&str], close: Option<u16>| {
        let found = session_aged(age, 0.0, "", lines, Some((close, "")));
        let told =
            |cause: &str| ["not found", "room is full"].iter().any(|one| cause.contains(one));
        let end = found.iter().filter(|one| one.entry.code != "W516");
        end.flat_map(|one| &one.causes).any(|cause| told(&cause.text))
    };
    let asked: &[&str] = &[call, error, price];
    let beats: &[&str] = &[call, error, beat, beat, beat];
    for code in [None, Some(1000), Some(1001), Some(1011), Some(1012)] {
        assert!(!blamed(4.5, asked, code), "{code:?}");
        assert!(!blamed(4.5, &[call, error, price, price], code), "{code:?}");
        assert!(!blamed(6.0, beats, code), "{code:?}");
        assert!(!blamed(6.0, &["{\"type\":\"welcome\"}", full, beat], code), "{code:?}");
    }
    // The Close refuses, but the session had gone on.
    assert!(!blamed(6.0, beats, Some(1008)));
    // It came just before the end, or the Close refuses with few messages in between.
    for code in [None, Some(1000), Some(1011)] {
        assert!(blamed(0.5, asked, code), "{code:?}");
        assert!(blamed(0.5, &[call, error, beat], code), "{code:?}");
    }
    assert!(blamed(3.0, asked, Some(1008)));
    assert!(blamed(3.0, asked, Some(4003)));
}

#[test]
fn records_about_errors_before_a_close_in_order_are_no_reason() {
    let record = r#"{"type":"error","project":"web","message":"TypeError: x"}"#;
    let other = r#"{"type":"info","project":"web","message":"deployed"}"#;
    for lines in [
        &[record, other][..],
        &[r#">{"subscribe":"errors"}"#, record, other],
        &["hello", "there was an error in my code", "lol"],
        &[other, r#"{"level":"error","msg":"disk full","host":"db1"}"#, r#"{"type":"ping"}"#],
    ] {
        let found = session("", lines, Some((Some(1000), "")));
        let quiet = |one: &Diagnostic| one.severity == Severity::Note || one.entry.code == "W701";
        assert!(found.iter().all(quiet), "{lines:?}: {found:?}");
    }
}

/// The title and the causes of the first warning, if there is one.
fn warned(found: &[Diagnostic]) -> Option<String> {
    let one = found.first().filter(|one| one.severity != Severity::Note)?;
    let causes = one.causes.iter().map(|cause| cause.text.as_ref());
    Some([&*one.title].into_iter().chain(causes).collect::<Vec<_>>().join("; "))
}

#[test]
fn a_close_right_after_a_message_without_an_answer_is_no_success() {
    for (lines, reason, cause) in [
        (&[">hi", ">how are you?", "you said: hi"][..], "", "takes one message"),
        (&[">hi", ">how are you?", "you said: hi"], "bye", "takes one message"),
        (&[">hello", "length 5", ">how are you?"], "Bye", "because of this message"),
        (
            &[r#">{"cmd":"add","a":1}"#, r#"{"sum":1}"#, r#">{"cmd":"add","a":"x"}"#],
            "",
            "because of this message",
        ),
    ] {
        let told = warned(&session("", lines, Some((Some(1000), reason)))).unwrap_or_default();
        assert!(told.contains(cause), "{lines:?}: {told}");
    }
    for (lines, reason) in [
        // Everything was answered, or a goodbye needs no answer.
        (&[">hi", "you said: hi", ">how are you?", "you said: how are you?"][..], ""),
        (&[">hi", ">how are you?", "you said: hi", "you said: how are you?"], ""),
        (&[">hi", "you said: hi", ">bye"], ""),
        (&[r#">{"type":"listen"}"#, r#"{"type":"text"}"#, r#">{"type":"CloseStream"}"#], ""),
        (&[r#">{"op":"sub"}"#, r#"{"op":"sub","ok":true}"#, r#">{"op":"unsubscribe"}"#], ""),
        (&[r#">{"text":"hi"}"#, r#"{"audio":"x"}"#, ">"], ""),
        // One answer to two messages, such as a login and a request.
        (&[">login ann", ">run 7", "exit 0"], ""),
        (&[r#">{"auth":"x"}"#, r#">{"run":"ls"}"#, r#"{"out":"a b"}"#], ""),
        // Nothing is ever answered here, or the reason tells.
        (&["hello", ">1", ">2", ">3"], ""),
        (&[">hello", "length 5", ">how are you?"], "transfer complete"),
        (&[">hello"], ""),
    ] {
        let found = session("", lines, Some((Some(1000), reason)));
        let told = warned(&found).unwrap_or_default();
        assert!(!told.contains("without an answer") && !told.contains("got none"), "{found:?}");
    }
    // Long after the message, and with another code.
    for (quiet, code) in [(3.0, Some(1000)), (0.0, Some(1001)), (0.0, Some(1008))] {
        let lines = [">hi", ">how are you?", "you said: hi"];
        let told = warned(&session_after(quiet, "", &lines, Some((code, ""))));
        assert!(!told.unwrap_or_default().contains("got none"), "{code:?}");
    }
}

#[test]
fn a_binary_message_without_an_answer_after_a_text_with_one_was_not_taken() {
    let pair = Pair::open("", "");
    let told = |first: &str, last: &[u8]| {
        let mut kept = kept(&["length 5"]);
        kept.insert(
            0,
            CrossedMessage {
                ours: true,
                text: true,
                content: first.as_bytes(),
                quiet: std::time::Duration::ZERO,
            },
        );
        kept.push(CrossedMessage {
            ours: true,
            text: false,
            content: last,
            quiet: std::time::Duration::ZERO,
        });
        let stream = StreamFacts {
            frames: 1,
            messages: 1,
            message: Some(message(Data::Text, b"length 5")),
            sent: Some(message(Data::Text, first.as_bytes())),
            kept: &kept,
            kept_all: true,
            ended_on_ours: true,
            ..StreamFacts::default()
        };
        let body = CloseBody { code: Some(1000), reason: b"Bye".to_vec() };
        let close = CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
        let end = Some(end(EndKind::Closed, 0.0));
        warned(&classify(&Facts { stream, close, end, ..pair.facts() }))
    };
    let found = told("hello", &[1, 2, 3, 4]).unwrap_or_default();
    assert!(found.contains("right after our binary message"), "{found}");
    assert!(found.contains("does not take binary messages"), "{found}");
    // An upload whose data needs no answer, and an end of data.
    assert_eq!(told(r#"{"upload":"a.bin","size":4}"#, &[1, 2, 3, 4]), None);
    assert_eq!(told("hello", &[]), None);
}

#[test]
fn a_last_message_that_says_that_the_session_was_ended_is_the_reason() {
    let detached = r#"{"method":"Inspector.detached","params":{"reason":"target_closed"}}"#;
    let asked = r#">{"id":1,"method":"Page.enable"}"#;
    let done = r#"{"id":1,"result":{}}"#;
    for last in [
        detached,
        r#"{"type":"detached"}"#,
        r#"{"event":"session_terminated","reason":"admin"}"#,
        r#"{"event":"client.evicted"}"#,
        r#"{"type":"loggedOut","message":"You signed in elsewhere"}"#,
    ] {
        for close in [Some((Some(1000), "")), Some((None, ""))] {
            let found = session("", &[asked, done, last], close);
            let told = warned(&found).unwrap_or_default();
            // A message that is marked as a refusal is quoted.
            let quoted = told.contains(&format!("its last message is {last}"));
            assert!(quoted || told.contains("ended this session, as its last message"), "{told}");
        }
        let heard = LastHeard {
            content: last.as_bytes(),
            before: b"",
            quiet: Duration::ZERO,
            answered: false,
        };
        let pair = Pair::open("", "");
        let stream =
            StreamFacts { frames: 9, messages: 9, heard: Some(heard), ..StreamFacts::default() };
        let end = Some(end(EndKind::Fin, 0.0));
        let told = warned(&classify(&Facts { stream, end, ..pair.facts() })).unwrap_or_default();
        assert!(told.contains("ended this session, as its last message says"), "{told}");
    }
    for last in [
        r#"{"event":"order.closed","id":7}"#,
        r#"{"type":"position_closed","symbol":"A"}"#,
        r#"{"event":"session_closed","room":"x","users":3}"#,
        r#"{"type":"door","state":"closed"}"#,
        r#"{"method":"Network.webSocketClosed","params":{"requestId":"9"}}"#,
        "connection closed, said Ann",
    ] {
        let found = session("", &[asked, done, last], Some((Some(1000), "")));
        assert_eq!(warned(&found), None, "{last}");
    }
}
