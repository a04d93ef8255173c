//! The most common ways in which sessions go wrong: the first line says the cause.

use wscope::diagnostics::Severity;
use wscope::diagnostics::facts::EndKind;

use crate::refused::{Ending, Session, ended_for};

/// What happened, the subprotocol or path, the messages, the end with its reason, the seconds of
/// silence before it, and a part of the first line or of its cause.
type Row<'a> = (&'a str, &'a str, &'a [&'a [u8]], Ending, &'a str, f64, &'a str);

const NO_CODE: Ending = Ending::Closed(None);
const FIN: Ending = Ending::Lost(EndKind::Fin);

const fn close(code: u16) -> Ending {
    Ending::Closed(Some(code))
}

const HANDSHAKE: &[u8] = br#">{"protocol":"json","version":1}"#;

const OPEN: &[u8] =
    br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":2000,"maxPayload":1000000}"#;

const SOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

const CREATED: &[u8] = br#"{"type":"session.created","event_id":"e1","session":{"id":"s1"}}"#;

const INVALID: &[u8] = br#"{"type":"error","error":{"type":"invalid_request_error","message":"Invalid value: 'respnse.create'."}}"#;

#[rustfmt::skip]
const ROWS: [Row<'_>; 49] = [
    ("idle", "", &[b">hi", b"hi"], FIN, "", 60.0, "cut after 60.0 s without traffic"),
    ("idle, reset", "", &[b">hi", b"hi"], Ending::Lost(EndKind::Reset), "", 60.0, "cut after 60.0 s without traffic"),
    ("an idle Close", "", &[b">hi", b"hi"], close(1001), "Idle timeout", 30.0, "an idle timeout of the server"),
    ("a silent Close", "", &[b">hi", b"hi"], close(1000), "", 600.0, "the peer closed after 600.0 s without traffic"),
    ("a login demanded", "", &[br#"{"type":"auth_required"}"#], close(1008), "", 10.0, "a login, or a heartbeat"),
    ("a login demanded, 1000", "", &[br#"{"type":"auth_required"}"#], close(1000), "", 10.0, "a login, or a heartbeat"),
    ("a first message demanded", "graphql-transport-ws", &[], close(4408), "Connection initialisation timeout", 3.0, "waited for connection_init"),
    ("binary to text", "", &[b">\xff\x01\x02"], close(1003), "", 0.01, "takes no binary messages"),
    ("1008 and a reason", "", &[], close(1008), "Invalid token", 0.01, "Invalid token"),
    ("1011 and an exception", "", &[b">{}"], close(1011), "KeyError: 'type'", 0.01, "KeyError"),
    ("1013 and a reason", "", &[], close(1013), "Too many connections", 0.01, "Too many connections"),
    ("4xxx and a reason", "", &[b">hi", b"hi"], close(4029), "rate limit exceeded", 0.01, "rate limit exceeded"),
    ("1007 and a reason", "", &[b">hi"], close(1007), "Could not decode JSON", 0.01, "Could not decode JSON"),
    ("1009 and a reason", "", &[b">hi"], close(1009), "Max frame length of 65536 has been exceeded.", 0.01, "Max frame length"),
    ("1002 and a reason", "", &[b">hi"], close(1002), "MASK must be set", 0.01, "MASK must be set"),
    ("a timer of the server", "", &[b">{\"type\":\"KeepAlive\"}"], close(1011), "did not receive audio data within the timeout window", 10.0, "which its reason names"),
    ("1000 and a fault", "", &[b">{\"token\":\"x\"}"], close(1000), "unauthorized", 0.01, "a regular code, and a reason that names a fault"),
    ("an unknown type", "", &[b">{\"type\":\"sub\"}", br#"{"type":"error","message":"unknown type sub"}"#], Ending::Ours, "", 2.0, "unknown type sub"),
    ("an unknown action", "", &[b">{\"act\":\"x\"}", br#"{"message":"Forbidden","connectionId":"a=","requestId":"b"}"#], Ending::Ours, "", 2.0, "Forbidden"),
    ("an unknown event", "", &[br#"{"type":"session.created","session":{}}"#, b">{\"type\":\"x\"}", br#"{"type":"error","error":{"type":"invalid_request_error","message":"Invalid value"}}"#], Ending::Ours, "", 2.0, "Invalid value"),
    ("an error after a late greeting", "", &[b">{\"type\":\"respnse.create\"}", CREATED, INVALID], Ending::Ours, "", 2.0, "Invalid value"),
    ("an error after a late greeting, same noun", "", &[b">{\"type\":\"session.update\"}", CREATED, INVALID], Ending::Ours, "", 2.0, "Invalid value"),
    ("a text error", "", &[b">hello", b"Invalid JSON"], Ending::Ours, "", 2.0, "Invalid JSON"),
    ("a text error, 1000", "", &[b">hello", b"Error: invalid JSON"], close(1000), "", 0.01, "invalid JSON"),
    ("an error, 1011", "", &[b">{}", br#"{"error":"missing field 'type'"}"#], close(1011), "", 0.01, "missing field"),
    ("an error, late 1000", "", &[b">{}", br#"{"error":"missing field 'type'"}"#], close(1000), "", 9.0, "missing field"),
    ("an error, late 4xxx", "", &[b">{}", br#"{"error":"no such room"}"#], close(4004), "", 9.0, "no such room"),
    ("kicked", "", &[b">hi", b"hi", br#"{"type":"kicked","reason":"duplicate login"}"#], close(1000), "", 0.01, "ended this session"),
    ("a heartbeat", "/socket.io/?EIO=4&transport=websocket", &[OPEN, b">40", br#"40{"sid":"b"}"#, b"2"], NO_CODE, "", 2.0, "the answer to its heartbeat"),
    ("no NUL", "v12.stomp", &[b">CONNECT\naccept-version:1.2\nhost:/\n\n"], Ending::Ours, "", 2.0, "a NUL ends it"),
    ("no NUL, closed", "v12.stomp", &[b">CONNECT\naccept-version:1.2\nhost:/\n\n"], NO_CODE, "", 9.0, "a NUL ends it"),
    ("no 0x1e", "/hub", &[HANDSHAKE], Ending::Ours, "", 2.0, "the byte 0x1e ends it"),
    ("no 0x1e, closed", "/hub", &[HANDSHAKE], NO_CODE, "", 15.0, "the byte 0x1e ends it"),
    ("no 0x1e, lost", "/hub", &[HANDSHAKE], FIN, "", 15.0, "the byte 0x1e ends it"),
    ("no NUL, reset", "v12.stomp", &[b">CONNECT\naccept-version:1.2\nhost:/\n\n"], Ending::Lost(EndKind::Reset), "", 9.0, "a NUL ends it"),
    ("no 0x1e, given up", "/hub", &[HANDSHAKE, b"{\"error\":\"Handshake was canceled.\"}\x1e"], close(1000), "", 0.01, "the byte 0x1e ends it"),
    ("VNC refuses", "binary", &[b"RFB 003.003\n\0\0\0\0\0\0\0\x1aToo many security failures"], close(1000), "Target closed", 0.01, "Too many security failures"),
    ("no such command", "v4.channel.k8s.io", &[b"\x03{\"metadata\":{},\"status\":\"Failure\",\"message\":\"exec: bash: not fou"], close(1000), "", 0.01, "Failure"),
    ("closed at once", "", &[], close(1000), "", 0.01, "closed before it sent any message"),
    ("closed at our message", "", &[b">hello"], NO_CODE, "", 0.01, "closed at once, after our message"),
    ("a restart", "", &[b"tick", br#"{"type":"shutdown"}"#], close(1001), "", 0.1, "as it announced"),
    ("a duplicate", "", &[b">hi", b"hi"], close(4000), "connected from another location", 0.5, "another location"),
    ("a late rule", "", &[b">{\"method\":\"X\"}"], close(1008), "Invalid request", 0.05, "Invalid request"),
    ("maintenance", "", &[b">{}", br#"{"type":"notice","text":"Server going down for maintenance in 0 minutes"}"#], close(1001), "", 0.01, "as it announced"),
    ("maintenance now", "", &[b">hi", b"hi", b"Server is going down for maintenance"], close(1001), "", 0.01, "as it announced"),
    ("maintenance, lost", "", &[b">hi", b"hi", b"Server is going down for maintenance"], FIN, "", 0.01, "as it announced"),
    ("a kick", SOCKET, &[OPEN, b">40", br#"40{"sid":"b"}"#, br#">42["kick"]"#, b"41"], NO_CODE, "", 0.01, "ended the session on purpose"),
    ("a kick, lost", SOCKET, &[OPEN, b">40", br#"40{"sid":"b"}"#, br#">42["kick"]"#, b"41"], FIN, "", 0.01, "ended the session on purpose"),
    ("a close packet", SOCKET, &[OPEN, b">40", br#"40{"sid":"b"}"#, b"1"], close(1000), "", 0.01, "close"),
];

/// The first line, with the causes of the verdict.
fn told(name: &str, lines: &[&[u8]], ending: Ending, reason: &str, quiet: f64) -> String {
    let found = ended_for(&Session { name, lines }, ending, reason, quiet);
    let Some(d) = found.iter().find(|one| one.severity != Severity::Note) else {
        return String::new();
    };
    let first = d.causes.first().map(|cause| cause.text.to_string()).unwrap_or_default();
    format!("{}; {first}", d.lead(reason))
}

#[test]
fn a_common_end_is_told_with_its_cause() {
    for (what, name, lines, ending, reason, quiet, wanted) in ROWS {
        let told = told(name, lines, ending, reason, quiet);
        assert!(told.contains(wanted), "{what}: {told}");
    }
}

#[test]
fn a_message_with_its_end_or_without_need_of_one_is_not_said_to_lack_it() {
    let connect: &[u8] = b">CONNECT\naccept-version:1.2\nhost:/\n\n\0";
    let sessions: [(&str, &[&[u8]]); 8] = [
        ("v12.stomp", &[connect]),
        ("/hub", &[b">{\"protocol\":\"json\",\"version\":1}\x1e"]),
        ("/hub", &[HANDSHAKE, b"welcome"]),
        ("", &[br#">{"protocol":"json"}"#]),
        ("", &[b">hello"]),
        ("", &[b">NICK ann"]),
        ("", &[br#">{"jsonrpc":"2.0","id":1,"method":"x"}"#]),
        ("mqtt", &[b">\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"]),
    ];
    for (name, lines) in sessions {
        for ending in [Ending::Ours, NO_CODE, FIN] {
            let told = told(name, lines, ending, "", 2.0);
            assert!(!told.contains("has no end"), "{lines:?}: {told}");
        }
    }
}

#[test]
fn an_end_that_was_asked_for_or_foretold_otherwise_is_no_kick() {
    let said = br#">42["leave"]"#;
    let work = br#">42["work"]"#;
    for (lines, ending) in [
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, said, b"41"][..], NO_CODE),
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, work, b"42[\"done\"]", b"41"], close(1000)),
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, said, b"41"], FIN),
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, said, b"41"], Ending::Ours),
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, br#">42["logout"]"#, b"41", b"41"], FIN),
        (&[OPEN, b">40", br#"40{"sid":"b"}"#, b">41", b"41"], NO_CODE),
        (
            &[OPEN, b">40", br#"40{"sid":"b"}"#, br#">42["x"]"#, b"41/admin,", b"42[\"x\"]"],
            Ending::Ours,
        ),
    ] {
        let told = told(SOCKET, lines, ending, "", 0.01);
        assert!(!told.contains("on purpose"), "{lines:?} {ending:?}: {told}");
    }
    // The answer to a request may speak of an end.
    let asked = br#">{"get":"status"}"#;
    let answer: &[u8] = br#"{"type":"notice","text":"Server is going down for maintenance"}"#;
    for ending in [close(1000), FIN] {
        let told = told("", &[asked, answer], ending, "", 0.01);
        assert!(!told.contains("as it announced"), "{ending:?}: {told}");
    }
}

#[test]
fn a_size_is_that_of_the_one_message_without_an_answer() {
    let (long, short) = ([b">", &[b'x'; 7000][..]].concat(), [b">", &[b'y'; 3000][..]].concat());
    let of = |lines: &[&[u8]], reason| told("", lines, close(1009), reason, 0.5);
    assert!(of(&[&short], "").contains("our message of 3000 bytes is longer"));
    for (lines, reason) in
        [(&[&short[..], b"ok"][..], ""), (&[&long, &short], ""), (&[&short], "reply too big")]
    {
        let told = of(lines, reason);
        assert!(!told.contains("bytes is longer"), "{told}");
    }
}

#[test]
fn a_silence_after_events_counts_though_a_request_was_refused_before() {
    let refused: &[u8] = br#"{"error":"no such room"}"#;
    let lines = [b">{\"join\":\"a\"}", refused, br#"{"tick":1}"#, br#"{"tick":2}"#];
    let told = told("", &lines, close(1000), "", 60.0);
    assert!(told.contains("after 60.0 s without traffic"), "{told}");
}

#[test]
fn a_refused_topic_beside_a_joined_one_is_not_the_reason_of_a_later_end() {
    let lines: [&[u8]; 4] = [
        br#">["1","1","room:b","phx_join",{}]"#,
        br#"["1","1","room:b","phx_reply",{"status":"ok","response":{}}]"#,
        br#">["2","2","room:a","phx_join",{}]"#,
        br#"["2","2","room:a","phx_reply",{"status":"error","response":{"reason":"unauthorized"}}]"#,
    ];
    for ending in [close(1001), FIN] {
        let told = told("/socket/websocket?vsn=2.0.0", &lines, ending, "", 3.0);
        assert!(!told.contains("the peer refuses"), "{ending:?}: {told}");
    }
}

#[test]
fn only_a_binary_message_and_no_reason_blame_the_type() {
    for (lines, reason) in [
        (&[&b">hello"[..]][..], ""),
        (&[], ""),
        (&[b">\xff\x01"], "unknown version of the format"),
        (&[b">\xff\x01", b"ok", b">hello"], ""),
        (&[b">\xff\x01", b"ok", b">\xff\x02"], ""),
        (&[b">\xff\x01", b"ok"], ""),
    ] {
        let told = told("", lines, close(1003), reason, 0.01);
        assert!(!told.contains("takes no binary messages"), "{lines:?}: {told}");
    }
}

#[test]
fn an_opened_session_that_was_asked_for_is_an_answer() {
    for asked in [
        &b">{\"type\":\"session.create\"}"[..],
        b">{\"op\":\"create\"}",
        b">{\"type\":\"login\",\"token\":\"x\"}",
        b">{\"token\":\"x\"}",
    ] {
        let told = told("", &[asked, CREATED, INVALID], Ending::Ours, "", 2.0);
        assert_eq!(told, "", "{}", String::from_utf8_lossy(asked));
    }
    // A greeting without an error after it, and one before an answer.
    for after in [&[][..], &[&br#"{"type":"response.created","response":{"id":"r"}}"#[..]]] {
        let lines = [&[&b">{\"type\":\"response.create\"}"[..], CREATED][..], after].concat();
        assert_eq!(told("", &lines, Ending::Ours, "", 2.0), "");
    }
}
