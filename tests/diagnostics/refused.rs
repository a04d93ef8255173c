//! A refusal of the protocol inside, and then an end of any kind: the refusal is the cause.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, CrossedMessage, End, EndKind, LastHeard, StreamFacts,
};
use wscope::diagnostics::{Diagnostic, Facts, Severity, classify};
use wscope::wire::Data;
use wscope::wire::close::CloseBody;

use crate::support::{Pair, end, message};

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server closed with this code, or without one.
    Closed(Option<u16>),
    /// This side closed after its input.
    Ours,
    /// TCP ended without a Close.
    Lost(EndKind),
}

/// A session: the subprotocol or the path, and its messages; those of this side begin with `>`.
pub struct Session<'a> {
    pub name: &'a str,
    pub lines: &'a [&'a [u8]],
}

/// The diagnostics of a session that ended this number of seconds after its last message.
pub fn ended(session: &Session<'_>, ending: Ending, quiet: f64) -> Vec<Diagnostic> {
    ended_for(session, ending, "", quiet)
}

/// The same with the reason of the Close.
pub fn ended_for(
    session: &Session<'_>,
    ending: Ending,
    reason: &str,
    quiet: f64,
) -> Vec<Diagnostic> {
    let quiet = Duration::from_secs_f64(quiet);
    let (url, name) = match session.name.strip_prefix('/') {
        Some(path) => (format!("ws://api.example/{path}"), ""),
        None => ("ws://api.example/chat".to_owned(), session.name),
    };
    let header = format!("Sec-WebSocket-Protocol: {name}\r\n");
    let pair = if name.is_empty() { Pair::open("", "") } else { Pair::open(&header, &header) };
    let of = |line: &&'_ [u8]| {
        let content: &[u8] = line.strip_prefix(b">").unwrap_or(line);
        let text = std::str::from_utf8(content).is_ok_and(|text| !text.contains('\u{10}'))
            && name != "mqtt";
        let ours = line.starts_with(b">");
        let quiet = if ours { Duration::ZERO } else { quiet };
        (ours, text, content.to_vec(), quiet)
    };
    let lines: Vec<_> = session.lines.iter().map(of).collect();
    let kept: Vec<CrossedMessage<'_>> = lines
        .iter()
        .map(|(ours, text, content, quiet)| CrossedMessage {
            ours: *ours,
            text: *text,
            content,
            quiet: *quiet,
        })
        .collect();
    let all = |ours: bool| kept.iter().filter(move |message| message.ours == ours);
    let kind = |one: &CrossedMessage<'_>| if one.text { Data::Text } else { Data::Binary };
    let first = |ours| all(ours).next().map(|one| message(kind(one), one.content));
    let mut last = all(false).rev();
    let heard = last.next().map(|one| LastHeard {
        content: one.content,
        before: last.next().map_or(&[], |one| one.content),
        quiet,
        answered: kept.last().is_some_and(|one| one.ours),
    });
    let count = all(false).count() as u64;
    let stream = StreamFacts {
        frames: count,
        messages: count,
        message: first(false),
        second: all(false).nth(1).map(|one| one.content),
        sent: first(true),
        heard,
        last_sent_len: kept.iter().rfind(|one| one.ours).map_or(0, |one| one.content.len() as u64),
        kept: &kept,
        kept_all: true,
        kept_next: true,
        ours_quiet: quiet + Duration::from_millis(10),
        ..StreamFacts::default()
    };
    let code = match ending {
        Ending::Closed(code) => Some(code),
        Ending::Ours => Some(Some(1000)),
        Ending::Lost(_) => None,
    };
    let body = code.map(|code| CloseBody { code, reason: reason.as_bytes().to_vec() });
    let by_peer = matches!(ending, Ending::Closed(_));
    let sent = body.as_ref().filter(|_| ending == Ending::Ours);
    let close = CloseFacts { received: body.as_ref(), sent, by_peer, label: None };
    let how = match ending {
        Ending::Lost(how) => how,
        _ => EndKind::Closed,
    };
    let waited = if ending == Ending::Ours { 2.0 } else { quiet.as_secs_f64() };
    let last = Duration::from_millis(300);
    let idle = match ending {
        Ending::Closed(_) => Duration::ZERO,
        _ => Duration::from_secs_f64(waited),
    };
    let end = End { last, quiet, idle, ..end(how, waited) };
    classify(&Facts { stream, close, end: Some(end), url: Some(&url), ..pair.facts() })
}

/// The first cause of the verdict.
pub fn cause(found: &[Diagnostic]) -> String {
    let first = found.iter().find(|one| one.severity != Severity::Note);
    let Some(first) = first else { return String::new() };
    let text = first.causes.first().map(|cause| cause.text.to_string()).unwrap_or_default();
    format!("{}: {text}", first.entry.code)
}

const ENDINGS: [Ending; 8] = [
    Ending::Closed(Some(1000)),
    Ending::Closed(Some(1001)),
    Ending::Closed(None),
    Ending::Closed(Some(1008)),
    Ending::Closed(Some(4003)),
    Ending::Ours,
    Ending::Lost(EndKind::Fin),
    Ending::Lost(EndKind::Reset),
];

type Row<'a> = (&'a str, &'a [&'a [u8]], &'a str);

const REFUSALS: [Row<'_>; 29] = [
    (
        "/socket/websocket?vsn=2.0.0",
        &[
            br#">["1","1","room:x","phx_join",{}]"#,
            br#"["1","1","room:x","phx_reply",{"status":"error","response":{"reason":"unauthorized"}}]"#,
        ],
        "unauthorized",
    ),
    (
        "/socket/websocket?vsn=2.0.0",
        &[
            br#">["1","1","room:x","phx_join",{}]"#,
            br#"["1","1","room:x","phx_reply",{"status":"ok","response":{}}]"#,
            br#">["1","2","room:x","shout",{"a":1}]"#,
            br#"["1","2","room:x","phx_reply",{"status":"error","response":{"reason":"too long"}}]"#,
        ],
        "too long",
    ),
    (
        "/socket/websocket?vsn=2.0.0",
        &[
            br#">["1","1","room:x","phx_join",{}]"#,
            br#"["1","1","room:x","phx_reply",{"status":"ok","response":{}}]"#,
            br#"["1","1","room:x","phx_error",{}]"#,
        ],
        "phx_error",
    ),
    (
        "/socket.io/?EIO=4&transport=websocket",
        &[
            br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            b">40",
            br#"44{"message":"not authorized"}"#,
        ],
        "not authorized",
    ),
    (
        "/socket.io/?EIO=4&transport=websocket",
        &[
            br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            b">40",
            br#"40{"sid":"b"}"#,
            br#">420["join","x"]"#,
            br#"430[{"status":"error","message":"no such place"}]"#,
        ],
        "no such place",
    ),
    (
        "/hub",
        &[
            b">{\"protocol\":\"json\",\"version\":1}\x1e",
            b"{}\x1e",
            b">{\"type\":1,\"invocationId\":\"1\",\"target\":\"Nope\",\"arguments\":[]}\x1e",
            b"{\"type\":3,\"invocationId\":\"1\",\"error\":\"Unknown hub method 'Nope'\"}\x1e",
        ],
        "Unknown hub method",
    ),
    (
        "/hub",
        &[
            b">{\"protocol\":\"json\",\"version\":1}\x1e",
            b"{}\x1e",
            b"{\"type\":7,\"error\":\"Connection closed with an error.\"}\x1e",
        ],
        "closed with an error",
    ),
    (
        "/hub",
        &[
            b">{\"protocol\":\"xml\",\"version\":1}\x1e",
            b"{\"error\":\"The protocol 'xml' is not supported.\"}\x1e",
        ],
        "not supported",
    ),
    (
        "v12.stomp",
        &[
            b">CONNECT\naccept-version:1.2\nhost:/\n\n\0",
            b"ERROR\nmessage:Bad CONNECT\ncontent-type:text/plain\n\nAccess refused for user 'x'\n\0",
        ],
        "Bad CONNECT",
    ),
    (
        "v12.stomp",
        &[
            b">CONNECT\naccept-version:1.2\nhost:/\n\n\0",
            b"CONNECTED\nversion:1.2\n\n\0",
            b">SUBSCRIBE\nid:0\ndestination:/nope/x\n\n\0",
            b"ERROR\nmessage:Unknown destination\n\n\0",
        ],
        "Unknown destination",
    ),
    (
        "mqtt",
        &[b">\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", b"\x20\x02\x00\x05"],
        "not authorized",
    ),
    (
        "mqtt",
        &[
            b">\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
            b"\x20\x02\x00\x00",
            b">\x82\x06\x00\x01\x00\x01a\x00",
            b"\x90\x03\x00\x01\x80",
        ],
        "SUBACK",
    ),
    (
        "",
        &[
            br#">{"jsonrpc":"2.0","id":1,"method":"nope"}"#,
            br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#,
        ],
        "Method not found",
    ),
    (
        "graphql-transport-ws",
        &[
            br#">{"type":"connection_init"}"#,
            br#"{"type":"connection_ack"}"#,
            br#">{"type":"subscribe","id":"1","payload":{"query":"{x}"}}"#,
            br#"{"type":"error","id":"1","payload":[{"message":"Cannot query field x"}]}"#,
        ],
        "Cannot query field",
    ),
    (
        "graphql-transport-ws",
        &[
            br#">{"type":"connection_init"}"#,
            br#"{"type":"connection_ack"}"#,
            br#">{"type":"subscribe","id":"1","payload":{"query":"{x}"}}"#,
            br#"{"type":"next","id":"1","payload":{"data":null,"errors":[{"message":"boom"}]}}"#,
            br#"{"type":"complete","id":"1"}"#,
        ],
        "boom",
    ),
    (
        "graphql-ws",
        &[
            br#">{"type":"connection_init"}"#,
            br#"{"type":"connection_error","payload":{"message":"bad token"}}"#,
        ],
        "bad token",
    ),
    (
        "ocpp1.6",
        &[
            br#">[2,"1","BootNotification",{}]"#,
            br#"[4,"1","FormationViolation","chargePointModel is required",{}]"#,
        ],
        "chargePointModel is required",
    ),
    (
        "ocpp1.6",
        &[
            br#">[2,"1","BootNotification",{"chargePointModel":"a","chargePointVendor":"b"}]"#,
            br#"[3,"1",{"status":"Rejected","currentTime":"2026-01-01T00:00:00Z","interval":60}]"#,
        ],
        "Rejected",
    ),
    (
        "actioncable-v1-json",
        &[
            br#"{"type":"welcome"}"#,
            br#">{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}"#,
            br#"{"identifier":"{\"channel\":\"ChatChannel\"}","type":"reject_subscription"}"#,
        ],
        "reject",
    ),
    (
        "actioncable-v1-json",
        &[br#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#],
        "unauthorized",
    ),
    (
        "/app/key?protocol=7",
        &[
            br#"{"event":"pusher:error","data":{"code":4001,"message":"App key key not in this cluster"}}"#,
        ],
        "not in this cluster",
    ),
    (
        "/app/key?protocol=7",
        &[
            br#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#,
            br#">{"event":"pusher:subscribe","data":{"channel":"private-x"}}"#,
            br#"{"event":"pusher:subscription_error","channel":"private-x","data":{"type":"AuthError","error":"Invalid signature","status":401}}"#,
        ],
        "Invalid signature",
    ),
    (
        "/connection/websocket",
        &[
            br#">{"id":1,"connect":{"token":"x"}}"#,
            br#"{"id":1,"error":{"code":109,"message":"token expired"}}"#,
        ],
        "token expired",
    ),
    (
        "/connection/websocket",
        &[
            br#">{"id":1,"connect":{}}"#,
            br#"{"id":1,"connect":{"client":"a","version":"5","ping":25,"pong":true}}"#,
            br#">{"id":2,"subscribe":{"channel":"x"}}"#,
            br#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#,
        ],
        "permission denied",
    ),
    (
        "wamp.2.json",
        &[
            br#">[1,"nope",{"roles":{"subscriber":{}}}]"#,
            br#"[3,{"message":"no realm"},"wamp.error.no_such_realm"]"#,
        ],
        "no_such_realm",
    ),
    (
        "wamp.2.json",
        &[
            br#">[1,"r",{"roles":{"subscriber":{}}}]"#,
            br#"[2,123,{"roles":{"broker":{}}}]"#,
            br#">[32,1,{},"a.b"]"#,
            br#"[8,32,1,{},"wamp.error.not_authorized"]"#,
        ],
        "not_authorized",
    ),
    (
        "xmpp",
        &[
            br#"><open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="x" version="1.0"/>"#,
            br#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="x" id="1" version="1.0"/>"#,
            br#"<stream:error xmlns:stream="http://etherx.jabber.org/streams"><host-unknown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>"#,
        ],
        "host-unknown",
    ),
    (
        "",
        &[
            b"INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"auth_required\":true}\r\n",
            b">CONNECT {\"user\":\"u\"}\r\n",
            b"-ERR 'Authorization Violation'\r\n",
        ],
        "Authorization Violation",
    ),
    (
        "",
        &[br#">{"action":"join","room":"x"}"#, br#"{"type":"error","message":"no such room"}"#],
        "no such room",
    ),
];

/// Whether a silence before this end may have another cause than the refusal.
fn may_be_a_timer(ending: Ending) -> bool {
    matches!(ending, Ending::Lost(_))
}

#[test]
fn a_refusal_is_the_cause_of_any_end_after_it() {
    for (name, lines, wanted) in REFUSALS {
        for ending in ENDINGS {
            for quiet in [0.01, 0.5, 3.0] {
                if quiet < 1.0 || !may_be_a_timer(ending) {
                    let found = ended(&Session { name, lines }, ending, quiet);
                    let first = cause(&found);
                    assert!(first.contains(wanted), "{wanted} {ending:?} {quiet}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn after_a_refusal_of_the_session_no_timer_ends_it() {
    let sessions: [(&str, &[&[u8]]); 3] = [
        ("mqtt", &[b">\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", b"\x20\x02\x00\x05"]),
        ("wamp.2.json", &[br#">[1,"r",{}]"#, br#"[3,{},"wamp.error.no_such_realm"]"#]),
        ("v12.stomp", &[b">CONNECT\naccept-version:1.2\nhost:/\n\n\0", b"ERROR\nmessage:no\n\n\0"]),
    ];
    for (name, lines) in sessions {
        let found = ended(&Session { name, lines }, Ending::Lost(EndKind::Fin), 8.0);
        assert!(found[0].entry.code == "W801", "{name}: {found:?}");
        assert!(cause(&found).contains("the peer refuses"), "{name}: {found:?}");
        let why = found[0].causes[0].because.clone();
        assert_eq!(why.as_deref(), Some("the end came 8.0 s after it"), "{name}");
    }
}

/// Sessions in which heartbeats come after the refusal, with words of it.
const BEFORE_BEATS: [Row<'_>; 5] = [
    (
        "/app/key?protocol=7",
        &[
            br#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#,
            br#"{"event":"pusher:error","data":{"code":4009,"message":"Connection is unauthorized"}}"#,
            br#"{"event":"pusher:ping","data":{}}"#,
        ],
        "Connection is unauthorized",
    ),
    (
        "actioncable-v1-json",
        &[
            br#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
            br#"{"type":"ping","message":1700000000}"#,
            br#"{"type":"ping","message":1700000003}"#,
        ],
        "unauthorized",
    ),
    (
        "",
        &[
            br#">{"action":"login","token":"x"}"#,
            br#"{"type":"ok"}"#,
            br#"{"type":"error","message":"token expired","user":"ann"}"#,
            br#"{"type":"heartbeat"}"#,
            br#"{"type":"heartbeat"}"#,
        ],
        "token expired",
    ),
    (
        "",
        &[br#"{"error":"too many sessions"}"#, br#"{"op":"ping"}"#, br#"{"op":"ping"}"#],
        "too many sessions",
    ),
    (
        "",
        &[
            br#"{"type":"disconnect","reason":"You were idle for too long"}"#,
            br#"{"type":"ping"}"#,
        ],
        "idle for too long",
    ),
];

#[test]
fn heartbeats_hide_no_words_of_the_server() {
    for (name, lines, wanted) in BEFORE_BEATS {
        for ending in [Ending::Closed(Some(1000)), Ending::Closed(None)] {
            let found = ended(&Session { name, lines }, ending, 0.05);
            assert!(cause(&found).contains(wanted), "{wanted} {ending:?}: {found:?}");
        }
    }
    // An old error, and one that is none.
    let old = &[br#"{"error":"no"}"#.as_slice(), br#"{"op":"ping"}"#];
    let none = &[br#"{"error":null,"price":3}"#.as_slice(), br#"{"op":"ping"}"#];
    let talk = &[b"hello".as_slice(), br#"{"op":"ping"}"#];
    for (lines, quiet) in [(&old[..], 5.0), (&none[..], 0.1), (&talk[..], 0.1)] {
        let found = ended(&Session { name: "", lines }, Ending::Closed(Some(1000)), quiet);
        assert!(!cause(&found).contains("its last message"), "{found:?}");
    }
}

#[test]
fn an_answer_in_order_explains_no_end() {
    let sessions: [(&str, &[&[u8]]); 7] = [
        (
            "/socket/websocket?vsn=2.0.0",
            &[
                br#">["1","1","room:x","phx_join",{}]"#,
                br#"["1","1","room:x","phx_reply",{"status":"ok","response":{}}]"#,
            ],
        ),
        (
            "/socket.io/?EIO=4&transport=websocket",
            &[
                br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
                b">40",
                br#"40{"sid":"b"}"#,
                br#">420["join","x"]"#,
                br#"430[{"status":"ok","error":null}]"#,
            ],
        ),
        (
            "",
            &[
                br#">{"jsonrpc":"2.0","id":1,"method":"errors"}"#,
                br#"{"jsonrpc":"2.0","id":1,"result":{"errors":["disk full"]}}"#,
            ],
        ),
        (
            "graphql-transport-ws",
            &[
                br#">{"type":"connection_init"}"#,
                br#"{"type":"connection_ack"}"#,
                br#">{"type":"subscribe","id":"1","payload":{"query":"{x}"}}"#,
                br#"{"type":"next","id":"1","payload":{"data":{"x":"denied"}}}"#,
                br#"{"type":"complete","id":"1"}"#,
            ],
        ),
        ("ocpp1.6", &[br#">[2,"1","Heartbeat",{}]"#, br#"[3,"1",{"currentTime":"x"}]"#]),
        (
            "wamp.2.json",
            &[br#">[1,"r",{}]"#, br#"[2,123,{"roles":{"broker":{}}}]"#, br#"[6,{},"wamp.close.normal"]"#],
        ),
        ("", &[b">hi", b"hi"]),
    ];
    for (name, lines) in sessions {
        for ending in ENDINGS {
            for quiet in [0.01, 3.0] {
                let found = ended(&Session { name, lines }, ending, quiet);
                let said = |text: &str| {
                    found.iter().any(|one| cause(std::slice::from_ref(one)).contains(text))
                };
                let refused =
                    said("refuses, in") || said("request failed") || said("refuses the session:");
                assert!(!refused, "{name} {ending:?} {quiet}: {found:?}");
            }
        }
    }
}

#[test]
fn an_unanswered_heartbeat_is_the_cause_whatever_came_after_it() {
    const OPEN: &[u8] = br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":2000,"maxPayload":1000000}"#;
    let name = "/socket.io/?EIO=4&transport=websocket";
    let event: &[u8] = br#"42["tick",1]"#;
    let cause_of =
        |lines: &[&[u8]]| cause(&ended(&Session { name, lines }, Ending::Closed(None), 2.5));
    let joined: &[u8] = br#"40{"sid":"b"}"#;
    let unanswered = cause_of(&[OPEN, b">40", joined, b"2", event, event]);
    assert!(unanswered.contains("the answer to its heartbeat"), "{unanswered}");
    // It was answered, or this side sent another message after it, or none came.
    for lines in [
        &[OPEN, b">40", joined, b"2", b">3", event, event][..],
        &[OPEN, b">40", joined, b"2", br#">42["x"]"#, event, event],
        &[OPEN, b">40", joined, event, event],
    ] {
        let healthy = cause_of(lines);
        assert!(!healthy.contains("the answer to its heartbeat"), "{healthy}");
    }
}

/// A code, the subprotocol or path, the server's first message, and a right and a wrong message of
/// ours.
type Introduced<'a> = (&'a str, &'a str, &'a [u8], &'a [u8], &'a [u8]);

#[test]
fn a_side_that_speaks_the_protocol_needs_no_introduction() {
    const OLD: &[u8] = br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#;
    let sessions: [Introduced<'_>; 6] = [
        ("W503", "/echo/websocket", b"o", br#">["hello"]"#, b">hello"),
        (
            "W508",
            "actioncable-v1-json",
            br#"{"type":"welcome"}"#,
            br#">{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#,
            b">hello",
        ),
        (
            "W509",
            "/app/key?protocol=7",
            br#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#,
            br#">{"event":"pusher:subscribe","data":{"channel":"a"}}"#,
            b">hello",
        ),
        (
            "W510",
            "/hub",
            b"{\"type\":6}\x1e",
            b">{\"protocol\":\"json\",\"version\":1}\x1e",
            br#">{"protocol":"json","version":1}"#,
        ),
        (
            "W513",
            "/?v=10&encoding=json",
            br#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#,
            br#">{"op":2,"d":{"token":"x","intents":1,"properties":{}}}"#,
            b">hello",
        ),
        ("W514", "/socket.io/?EIO=3&transport=websocket", OLD, br#">42["a"]"#, b">hello"),
    ];
    for (code, name, first, right, wrong) in sessions {
        for (ours, wanted) in [(right, false), (wrong, true)] {
            let found = ended(&Session { name, lines: &[first, ours] }, Ending::Ours, 2.0);
            let told = found.iter().any(|one| one.entry.code == code);
            assert_eq!(told, wanted, "{code} {ours:?}: {found:?}");
        }
        let found = ended(&Session { name, lines: &[first] }, Ending::Ours, 2.0);
        assert!(found.iter().any(|one| one.entry.code == code), "{code}: {found:?}");
    }
}
