//! Sessions with an end that the protocol inside explains: a message that refuses, one that asks
//! for the end, a broken rule, or a missing message.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::causes::Told;
use crate::server::{receive, serve_all, switching};

/// A server that opens each session with the offered subprotocol, and then runs the script.
fn serve(script: impl Fn(&mut TcpStream) -> Option<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        let text = String::from_utf8_lossy(&request).into_owned();
        let name = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
        let name = name.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        let head = switching(&request, &name.unwrap_or_default());
        stream.write_all(head.as_bytes()).ok()?;
        script(stream)
    })
}

fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len() as u16;
    let mut frame = vec![first, 126];
    frame.extend(len.to_be_bytes());
    if len < 126 {
        frame = vec![first, len as u8];
    }
    frame.extend(content);
    frame
}

fn text(content: &str) -> Vec<u8> {
    frame(0x81, content.as_bytes())
}

/// Waits until the client has sent something.
fn heard(stream: &mut TcpStream) -> Option<()> {
    (stream.read(&mut [0; 512]).ok()? > 0).then_some(())
}

/// Waits until the client ends, for at most this time.
fn wait(stream: &mut TcpStream, millis: u64) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(millis)));
    while stream.read(&mut [0; 512]).is_ok_and(|count| count > 0) {}
}

const CLOSE: &[u8] = b"\x88\x02\x03\xe8";
const ENDS: [&[u8]; 4] = [CLOSE, b"\x88\x02\x03\xe9", b"\x88\x00", b""];

#[test]
fn a_refusal_of_the_protocol_inside_is_the_cause_whatever_the_close_says() {
    for (name, ours, theirs, cause) in [
        (
            "wamp.2.json",
            r#"[1,"shop",{"roles":{"caller":{}}}]"#,
            text(r#"[3,{"message":"no such realm"},"wamp.error.no_such_realm"]"#),
            "in WAMP 2: ABORT wamp.error.no_such_realm",
        ),
        (
            "v12.stomp",
            "CONNECT\naccept-version:1.2\nhost:/\n\n\0",
            text("ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'g'\n\0"),
            "ERROR Bad CONNECT: Access refused for user 'g'",
        ),
        (
            "actioncable-v1-json",
            "",
            text(r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#),
            "in Action Cable: disconnect unauthorized",
        ),
        (
            "v4.channel.k8s.io",
            "",
            frame(0x82, b"\x03{\"status\":\"Failure\",\"message\":\"container web is not valid\"}"),
            "Failure container web is not valid",
        ),
        ("mqtt", "", frame(0x82, b"\x20\x02\x00\x05"), "CONNACK 5 not authorized"),
        (
            "",
            "{\"protocol\":\"messagepack\",\"version\":1}\u{1e}",
            text("{\"error\":\"Requested protocol 'messagepack' is not available.\"}\u{1e}"),
            "Requested protocol 'messagepack' is not available.",
        ),
    ] {
        for end in ENDS {
            let sends = !ours.is_empty();
            let frames = [theirs.clone(), end.to_vec()].concat();
            let port = serve(move |stream| {
                if sends {
                    heard(stream)?;
                }
                stream.write_all(&frames).ok()?;
                stream.shutdown(Shutdown::Write).ok()
            });
            let offer: &[&str] = if name.is_empty() { &[] } else { &["-s", name] };
            let args = [&["-w", "2"], offer].concat();
            let told = match sends {
                false => Told::of(&args, port, "/hub"),
                true => Told::piped(&args, port, ours),
            };
            assert!(told.cause().contains(cause), "{name} {end:?}: {}", told.text);
            told.lacks("waits for CONNECT");
            if !sends {
                let told = Told::of(&[&["doctor"], offer].concat(), port, "/hub");
                assert!(told.cause().contains(cause), "{name} {end:?}: {}", told.text);
                told.lacks("a deployment of the server");
            }
        }
    }
}

#[test]
fn an_answer_that_is_an_error_is_reported_while_the_session_stays() {
    for (name, ours, theirs, shown) in [
        (
            "",
            r#"["1","1","room:x","phx_join",{}]"#,
            r#"["1","1","room:x","phx_reply",{"status":"error","response":{"reason":"no"}}]"#,
            r#"error {"reason":"no"}"#,
        ),
        (
            "actioncable-v1-json",
            r#"{"command":"subscribe","identifier":"{\"channel\":\"C\"}"}"#,
            r#"{"identifier":"{\"channel\":\"C\"}","type":"reject_subscription"}"#,
            "rejected C",
        ),
        (
            "",
            r#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no method"}}"#,
            "error -32601 no method",
        ),
        (
            "wamp.2.json",
            r#"[48,1,{},"com.x"]"#,
            r#"[8,48,1,{},"wamp.error.no_such_procedure"]"#,
            "wamp.error.no_such_procedure",
        ),
        (
            "ocpp1.6",
            r#"[2,"1","Nope",{}]"#,
            r#"[4,"1","NotImplemented","no such action",{}]"#,
            "error NotImplemented no such action",
        ),
        (
            "graphql-transport-ws",
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"error","id":"1","payload":[{"message":"no field a"}]}"#,
            "no field a",
        ),
        (
            "graphql-transport-ws",
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"next","id":"1","payload":{"errors":[{"message":"no a"}],"data":null}}"#,
            "no a",
        ),
        (
            "",
            r#"["1","1","room:x","phx_join",{}]"#,
            r#"["1","1","room:x","phx_reply",{"status":"error","response":{"reason":"not you"}}]"#,
            "not you",
        ),
        (
            "graphql-transport-ws",
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"next","id":"1","payload":{"errors":[{"message":"no a"}],"data":{"a":null}}}"#,
            "no a",
        ),
        (
            "ocpp1.6",
            r#"[2,"1","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]"#,
            r#"[3,"1",{"currentTime":"2026-11-30T10:00:00Z","interval":300,"status":"Rejected","statusInfo":{"reasonCode":"Unknown"}}]"#,
            "\"interval\":300",
        ),
        ("", r#"{"type":"register"}"#, r#"{"type":"err","body":"access_denied"}"#, "access_denied"),
        // These messages do not show a known protocol.
        ("", "{}", r#"{"message":"Forbidden","connectionId":"c","requestId":"r"}"#, "Forbidden"),
        ("", "{}", r#"{"status":"FAIL","error":{"message":"not a member"}}"#, r#""status":"FAIL""#),
        ("", "{}", r#"{"errorMessage":"no such pair","status":"error"}"#, "no such pair"),
        ("", "{}", r#"[{"ev":"status","status":"auth_failed","message":"no"}]"#, "auth_failed"),
        ("", "{}", r#"{"msg":"failed","version":"1"}"#, r#""msg":"failed""#),
        (
            "",
            "{}",
            r#"{"message":"Endpoint request timed out","connectionId":"c","requestId":"r"}"#,
            "timed",
        ),
        ("", "{}", r#"{"code":401,"msg":"token expired"}"#, "token expired"),
        ("", "{}", "5.error,21.Invalid token or room,3.769;", "Invalid token"),
        (
            "",
            "{}",
            r#"{"t":"d","d":{"r":2,"b":{"s":"permission_denied","d":"Permission denied"}}}"#,
            "permission_denied",
        ),
        (
            "",
            "{}",
            r#"{"response":[{"service":"ADMIN","command":"LOGIN","requestid":"1","content":{"code":3,"msg":"LOGIN_DENIED"}}]}"#,
            "LOGIN_DENIED",
        ),
        (
            "",
            "authorize\n1\n\nx",
            r#"a[{"s":401,"i":1,"d":"Access is denied: no token"}]"#,
            "denied",
        ),
        (
            "",
            r#"~m~5~m~{"m":1}"#,
            r#"~m~52~m~{"m":"protocol_error","p":["invalid parameters"]}"#,
            "invalid parameters",
        ),
        ("", "{}", r#"{"type":"reject","reason":"no seat left"}"#, "no seat left"),
        (
            "",
            r#"["1","1","room:x","phx_join",{}]"#,
            r#"["1","1","room:x","phx_error",{}]"#,
            "phx_error",
        ),
        (
            "",
            r#"["1","1","room:x","phx_join",{}]"#,
            r#"["1","1","room:x","phx_close",{}]"#,
            "phx_close",
        ),
        ("", "{}", r#"{"event":"exception","data":{"message":"no"}}"#, "exception"),
        ("", "HI", "ERR unknown command 'HI'", "unknown command"),
        ("", "{}", r#"[{"T":"error","code":402,"msg":"auth failed"}]"#, "auth failed"),
        ("", "{}", r#"{"success":false,"ret_msg":"no handler","op":"x"}"#, "no handler"),
    ] {
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&text(theirs)).ok()?;
            // Waits for the client's Close.
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let args: &[&str] =
            if name.is_empty() { &["-w", "0.3"] } else { &["-w", "0.3", "-s", name] };
        for diagnose in [&[][..], &["--diagnose"]] {
            let args = [args, diagnose].concat();
            let told = Told::piped(&args, port, ours);
            assert_eq!((told.code(), told.status), ("W516", Some(0)), "{theirs}: {}", told.text);
            assert!(told.cause().contains(shown), "{ours}: {}", told.text);
        }
        // A user who waits for the message already knows it.
        let told = Told::piped(&["--until", "o", "--max-time", "5"], port, ours);
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{ours}: {}", told.text);
    }
}

/// Answers that are the result of the request, the state of a thing, or an event.
#[test]
fn a_result_a_state_and_an_event_are_no_refusals() {
    let join = r#"["1","1","job:7","phx_join",{}]"#;
    let ended = [
        r#"["1","1","job:7","phx_reply",{"status":"ok","response":{}}]"#,
        r#"["1",null,"job:7","done",{"url":"/x"}]"#,
        r#"["1","1","job:7","phx_close",{}]"#,
    ];
    for (ours, theirs) in [
        (r#"{"op":"spell","text":"forbiden"}"#, &[r#"{"result":"forbidden"}"#][..]),
        (r#"{"op":"order","id":7}"#, &[r#"{"op":"order","id":7,"status":"payment_denied"}"#]),
        (r#"{"type":"fw.watch"}"#, &[r#"{"action":"deny","reason":"rule 7"}"#]),
        (
            r#"{"type":"subscribe"}"#,
            &[r#"{"topic":"door/7","payload":{"state":"closed","status":"access_denied"}}"#],
        ),
        (r#"{"get":"levels"}"#, &[r#"42["error","warn","info"]"#]),
        ("explain 403", &["403 Forbidden"]),
        (join, &ended),
    ] {
        let frames: Vec<u8> = theirs.iter().flat_map(|one| text(one)).collect();
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&frames).ok()?;
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let told = Told::piped(&["-w", "0.3"], port, ours);
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{theirs:?}: {}", told.text);
    }
}

#[test]
fn an_error_in_a_stream_of_events_is_no_answer() {
    for (events, says) in [
        (&[r#"{"ok":true}"#, r#"{"type":"error","message":"disk full"}"#][..], false),
        (&[r#"{"type":"welcome"}"#, r#"{"type":"error","message":"no such room"}"#], true),
        (&["{}", "{}", r#"{"type":"error","message":"disk full"}"#], false),
    ] {
        let frames: Vec<u8> = events.iter().flat_map(|event| text(event)).collect();
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&frames).ok()?;
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let told = Told::piped(&["-w", "0.3"], port, "{}");
        assert_eq!(told.code(), if says { "W516" } else { "none" }, "{}", told.text);
    }
}

#[test]
fn a_refusal_is_found_behind_a_flood_of_events() {
    let refusal = r#"{"type":"error","req_id":1,"message":"no such room"}"#;
    for (refused, code) in [(refusal, "W516"), (r#"{"type":"joined","req_id":1}"#, "none")] {
        let port = serve(move |stream| {
            heard(stream)?;
            let events = (0..500).flat_map(|n| text(&format!(r#"{{"type":"tick","n":{n}}}"#)));
            let frames: Vec<u8> = text(refused).into_iter().chain(events).collect();
            stream.write_all(&frames).ok()?;
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let told = Told::piped(&["-w", "0.3"], port, r#"{"type":"join","req_id":1}"#);
        assert_eq!(told.code(), code, "{}", told.text);
    }
}

#[test]
fn a_message_that_is_quoted_shows_no_values_of_secret_names() {
    for (name, ours, theirs) in [
        (
            "jsonrpc",
            r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad","data":{"token":"hunter2"}}}"#,
        ),
        (
            "ocpp1.6",
            r#"[2,"1","Authorize",{"idTag":"x"}]"#,
            r#"[4,"1","FormationViolation","bad",{"token":"hunter2","authorizationKey":"hunter2"}]"#,
        ),
        ("", "{}", r#"{"type":"error","message":"bad","token":"hunter2"}"#),
        (
            "",
            "<get/>",
            "<x token='hunter2'><type>error</type><message>bad</message><password>hunter2</password></x>",
        ),
    ] {
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&text(theirs)).ok()?;
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let args: &[&str] =
            if name.is_empty() { &["-w", "0.3"] } else { &["-w", "0.3", "-s", name] };
        let told = Told::piped(args, port, ours);
        let shown = told.text.lines().filter(|line| line.contains("our request failed"));
        let shown: Vec<&str> = shown.collect();
        assert!(!shown.is_empty() && !shown.concat().contains("hunter2"), "{}", told.text);
    }
}

#[test]
fn the_rest_of_a_secret_that_was_cut_is_no_secret_given_away() {
    let secret = "SECRETSECRETSECRET99";
    let answer = format!(r#"{{"error":"{}{secret}"}}"#, "p".repeat(136));
    let port = serve(move |stream| {
        heard(stream)?;
        stream.write_all(&text(&answer)).ok()?;
        heard(stream)?;
        stream.write_all(CLOSE).ok()
    });
    let told = Told::piped(&["-w", "0.3", "-H", &format!("X-Api-Key: {secret}")], port, "{}");
    assert_eq!(told.code(), "W516", "{}", told.text);
    told.lacks("SECR");
}

#[test]
fn an_echo_and_a_last_record_are_no_reason_of_an_end() {
    let error = r#"{"type":"error","message":"Authentication failed","code":401}"#;
    let record = r#"{"event":"exit","status":"failed","code":1}"#;
    for (ours, theirs, reason) in [
        (error, error, "done"),
        ("{}", record, "build finished"),
        ("{}", record, "stream complete"),
    ] {
        let close = frame(0x88, &[b"\x03\xe8", reason.as_bytes()].concat());
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&[text(theirs), close.clone()].concat()).ok()
        });
        let told = Told::of(&["-w", "2", "-x", ours], port, "/");
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
    }
}

#[test]
fn a_long_message_of_which_only_the_beginning_is_kept_breaks_no_rule() {
    let query = format!("{{ {} }}", "a ".repeat(400));
    let ours = format!(r#"{{"type":"subscribe","id":"1","payload":{{"query":"{query}"}}}}"#);
    let port = serve(move |stream| {
        heard(stream)?;
        stream.write_all(b"\x88\x00").ok()
    });
    let told = Told::piped(&["-s", "graphql-transport-ws", "-w", "2"], port, &ours);
    told.lacks("is not one of this protocol");
}

#[test]
fn what_only_speaks_of_errors_is_no_answer_that_is_one() {
    for (ours, theirs) in [
        // An echo of our error, and values about errors.
        (r#"{"error":"no"}"#, r#"{"error":"no"}"#),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
        ),
        ("{}", r#"{"type":"log","level":"error","text":"disk full"}"#),
        ("{}", r#"{"message":"Forbidden Planet is on at eight"}"#),
        ("{}", r#"{"jsonrpc":"2.0","id":1,"result":{"error":"none"}}"#),
        ("{}", r#"[{"status":"ok"},{"error":null}]"#),
        ("{}", r#"{"errorMessage":"","errorCode":0}"#),
        ("{}", r#"{"msg":"the upload failed, then worked"}"#),
        // Errors that are values, kinds of records, or empty.
        ("{}", r#"{"step":1,"error":0.25,"loss":0.1}"#),
        ("{}", r#"[{"x":1,"error":0.3},{"x":2,"error":0.1}]"#),
        ("{}", r#"[{"test":"login","result":"fail","error":"expected 200"}]"#),
        ("{}", r#"{"job":12,"status":"failed"}"#),
        ("{}", r#"{"valid":false,"errors":["name is required"]}"#),
        ("{}", r#"{"code":200,"msg":"fine"}"#),
        ("{}", r#"{"event":"exit","status":"failed","code":1}"#),
        ("{}", r#"{"type":"error","count":3}"#),
        ("{}", r#"[{"type":"error","line":3,"message":"semicolon"}]"#),
        ("{}", r#"{"problem":"2+2","answer":4}"#),
        ("{}", r#"{"error":"No errors found"}"#),
        ("{}", r#"["EVENT","error: my diary"]"#),
        ("{}", r#"{"msg":"failed","lang":"en"}"#),
        ("{}", r#"{"message":"Forbidden","roomId":3}"#),
        // The state of a job, a judgement, and reports.
        (r#"{"op":"job.get","id":"build-77"}"#, r#"{"id":"build-77","status":"failed","exit":1}"#),
        (
            r#"{"op":"job.get","id":"build-77"}"#,
            r#"{"id":"build-77","status":"failed","error":"exit code 1"}"#,
        ),
        (r#"{"op":"validate","text":"teh"}"#, r#"{"ok":false,"message":"no such word"}"#),
        ("{}", r#"{"result":"the login was not successful"}"#),
        ("{}", r#"{"user":"bob","text":"Error: permission denied, what now?"}"#),
        ("{}", r#"{"errors":3,"requests":100,"rate":0.03}"#),
        (
            r#"{"op":"search","q":"error 403"}"#,
            r#"{"hits":[{"title":"Error 403: forbidden"}],"total":1}"#,
        ),
        ("{}", "4.sync,8.31415926;"),
        ("{}", r#"a[{"s":200,"i":1,"d":{"error":null}}]"#),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":5,"error":null}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32800,"message":"cancelled"}}"#,
        ),
    ] {
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&text(theirs)).ok()?;
            // Waits for the client's Close.
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let told = Told::piped(&["-w", "0.3", "--diagnose"], port, ours);
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{theirs}: {}", told.text);
    }
}

#[test]
fn a_message_that_refuses_by_its_kind_is_the_cause_in_any_protocol() {
    for message in [
        r#"{"type":"auth_invalid","message":"Invalid access token"}"#,
        r#"{"type":"disconnect","reason":"too_many_websockets"}"#,
    ] {
        let port = serve(move |stream| {
            stream.write_all(&[&text(r#"{"type":"hello"}"#), &text(message), CLOSE].concat()).ok()
        });
        Told::of(&["-w", "2"], port, "/").is("W700", &format!("its last message is {message}"));
    }
    // The Close has its own code and a short reason; the message says more.
    let error = r#"{"type":"error","error":{"message":"Incorrect API key"}}"#;
    let port = serve(move |stream| {
        let close = frame(0x88, b"\x0b\xb8invalid_api_key");
        stream.write_all(&[text(error), close].concat()).ok()
    });
    Told::of(&["-w", "2"], port, "/").is("W718", "likely (high): its last message is");
}

#[test]
fn who_asked_for_the_end_is_told_of_no_fault() {
    for (name, ours, theirs, end) in [
        ("v12.stomp", "DISCONNECT\n\n\0", "", &b""[..]),
        ("wamp.2.json", r#"[6,{},"wamp.close.close_realm"]"#, "", b""),
        (
            "wamp.2.json",
            "[6,{},\"wamp.close.close_realm\"]",
            "[6,{},\"wamp.close.goodbye_and_out\"]",
            CLOSE,
        ),
        ("", "bye", "", CLOSE),
        ("", r#"{"type":"logout"}"#, r#"{"type":"disconnect","reason":"logged out"}"#, b"\x88\x00"),
    ] {
        let port = serve(move |stream| {
            heard(stream)?;
            let theirs = if theirs.is_empty() { Vec::new() } else { text(theirs) };
            stream.write_all(&[&theirs, end].concat()).ok()?;
            stream.shutdown(Shutdown::Write).ok()
        });
        let args: &[&str] = if name.is_empty() { &["-w", "2"] } else { &["-w", "2", "-s", name] };
        for diagnose in [&[][..], &["--diagnose"]] {
            let args = [args, diagnose].concat();
            let told = Told::piped(&args, port, ours);
            assert_eq!((told.code(), told.status), ("none", Some(0)), "{ours}: {}", told.text);
        }
    }
}

#[test]
fn a_word_of_a_message_asks_for_no_end_without_a_close() {
    for ours in [
        "stop",
        "done",
        "/quit",
        "rooms::close",
        r#"{"action":"stop","job":"x"}"#,
        r#"{"method":"close"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"end"}"#,
    ] {
        for theirs in ["", "row 1", r#"{"error":"no such job"}"#] {
            let port = serve(move |stream| {
                heard(stream)?;
                let theirs = if theirs.is_empty() { Vec::new() } else { text(theirs) };
                stream.write_all(&theirs).ok()?;
                stream.shutdown(Shutdown::Write).ok()
            });
            let told = Told::piped(&["-w", "2"], port, ours);
            assert_eq!((told.code(), told.status), ("W801", Some(10)), "{ours}: {}", told.text);
        }
    }
    // The client leaves one of several namespaces, and the connection continues for the others.
    let port = serve(|stream| {
        let open =
            r#"0{"sid":"K0u3","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        stream.write_all(&text(open)).ok()?;
        heard(stream)?;
        stream.write_all(&text(r#"40{"sid":"a"}"#)).ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let path = "/socket.io/?EIO=4&transport=websocket";
    let told = Told::of(&["-w", "2", "-x", "41/admin,"], port, path);
    assert_eq!(told.status, Some(10), "{}", told.text);
}

#[test]
fn a_goodbye_is_no_reason_where_the_peer_complains() {
    let port = serve(|stream| {
        heard(stream)?;
        stream.write_all(&text("ERROR\nmessage:no such receipt\n\n\0")).ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::piped(&["-w", "2", "-s", "v12.stomp"], port, "DISCONNECT\n\n\0");
    assert_eq!((told.code(), told.status), ("W801", Some(10)), "{}", told.text);
    told.has("ERROR no such receipt");
}

#[test]
fn an_end_at_once_with_a_regular_code_is_said() {
    for (end, title) in [
        (CLOSE, "the peer closed before it sent any message"),
        (b"\x88\x02\x03\xe9", "the peer closed before it sent any message"),
        (b"\x88\x00", "closed at once, "),
    ] {
        let port = serve(move |stream| stream.write_all(end).ok());
        Told::of(&["-w", "2"], port, "/").has(title);
        let told = Told::of(&["-w", "2", "--diagnose", "-x", "hi"], port, "/");
        told.has("once more, without a message: the server closed");
        told.lacks("because of our message");
        let told = Told::of(&["doctor"], port, "/");
        told.has(title);
        told.lacks("a deployment of the server");
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(end).ok()
        });
        // A Close with 1000 instead of an answer may come from a handler that failed.
        Told::of(&["-w", "2", "-x", "hi"], port, "/").has(title);
        let told = Told::of(&["-w", "2", "--diagnose", "-x", "hi"], port, "/");
        told.has("likely (medium): the application ended it because of our message");
    }
}

#[test]
fn a_reason_beside_a_regular_code_is_read() {
    for (reason, says) in [
        ("invalid token", true),
        ("session expired", true),
        ("bye", false),
        ("done", false),
        ("no error", false),
    ] {
        let close = frame(0x88, &[b"\x03\xe8", reason.as_bytes()].concat());
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&[text("hello"), close.clone()].concat()).ok()
        });
        let told = Told::of(&["-w", "2", "-x", "hi"], port, "/");
        match says {
            true => told.is("W700", &format!("its reason is \"{reason}\"")),
            false => assert_eq!(told.code(), "none", "{}", told.text),
        }
    }
}

#[test]
fn the_reason_of_a_close_before_any_message_is_reported_whatever_its_code() {
    for (end, code, cause, cure) in [
        (
            &b"\x03\xe8Websocket authentication failed."[..],
            "W700",
            "authentication failed",
            "reason",
        ),
        (b"\x11\x31", "W723", "the application refuses the login", ""),
        (b"\x0f\xa3", "W723", "the application refuses the login", ""),
        (b"\x03\xebinvalid character 'h' in a literal", "W703", "", "its reason says why"),
        (b"\x11\x31Unauthorized", "W723", "", "its reason says why"),
    ] {
        let close = frame(0x88, end);
        let port = serve(move |stream| stream.write_all(&close).ok());
        let told = Told::of(&["-w", "2"], port, "/");
        told.is(code, cause);
        assert!(told.text.contains(cure), "{}", told.text);
    }
}

#[test]
fn a_text_about_a_fault_is_no_complaint() {
    for (message, end) in [
        ("Forbidden fruit is the sweetest.", &b"\x03\xe9"[..]),
        ("Too many cooks spoil the broth", b"\x03\xe9"),
        ("Unauthorized biography of the Queen", b"\x03\xe9"),
        (r#"{"type":"light","ok":false}"#, b"\x03\xe9"),
        (r#"{"action":"error","level":"info","n":3}"#, b"\x03\xe9"),
        (r#"{"type":"disconnect","reason":"user left"}"#, b"\x03\xe8"),
        ("hello", b"\x03\xe8Error-free run"),
        ("hello", b"\x03\xe8too many cooks"),
        ("hello", b"\x03\xe9Forbidden Planet cluster node-3 drains"),
    ] {
        let frames = [text(message), frame(0x88, end)].concat();
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&frames).ok()
        });
        let told = Told::of(&["-w", "2", "-x", "hi"], port, "/");
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{message}: {}", told.text);
    }
    // A complaint before an end in order proves nothing.
    let frames = [text("Too many requests"), frame(0x88, b"\x03\xe9")].concat();
    let port = serve(move |stream| {
        heard(stream)?;
        stream.write_all(&frames).ok()
    });
    let told = Told::of(&["-w", "2", "-x", "hi"], port, "/");
    told.is("W701", "likely (medium): its last message is Too many requests");
}

#[test]
fn what_refuses_a_request_refuses_no_session() {
    let phoenix = r#"[null,"7","room:1","phx_reply",{"status":"error","response":{"reason":"x"}}]"#;
    let later = r#"[null,null,"room:1","tick",{}]"#;
    let engine = r#"0{"sid":"K0u3","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let established =
        r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#;
    for (path, ours, theirs) in [
        ("/socket/websocket?vsn=2.0.0", r#"["1","7","room:1","push",{}]"#, &[phoenix, later][..]),
        (
            "/socket.io/?EIO=4&transport=websocket",
            "40/admin,",
            &[engine, r#"44/admin,{"message":"no"}"#],
        ),
        (
            "/app/key?protocol=7",
            "{}",
            &[established, r#"{"event":"pusher:error","data":{"code":4301,"message":"no"}}"#],
        ),
        (
            "/",
            "CONNECT {}\r\nSUB a 1\r\n",
            &[
                "INFO {\"server_id\":\"a\"}\r\n",
                "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n",
            ],
        ),
    ] {
        let frames: Vec<u8> = theirs.iter().flat_map(|message| text(message)).collect();
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&[&frames, CLOSE].concat()).ok()
        });
        let told = Told::piped(&["-w", "2"], port, ours);
        let told = match path {
            "/" => told,
            _ => Told::of(&["-w", "2", "-x", ours], port, path),
        };
        told.lacks("the peer refuses, in");
        told.lacks("likely (high): its last message");
        told.lacks("likely (high): the message before");
    }
    // A session without its join is useless, but Phoenix keeps its socket open, so the refusal only
    // suggests why the server closed.
    let port = serve(move |stream| {
        heard(stream)?;
        let reply = r#"["1","1","room:1","phx_reply",{"status":"error","response":{"reason":"unauthorized"}}]"#;
        stream.write_all(&[&text(reply), CLOSE].concat()).ok()
    });
    let join = r#"["1","1","room:1","phx_join",{}]"#;
    let told = Told::of(&["-w", "2", "-x", join], port, "/socket/websocket?vsn=2.0.0");
    told.is("W700", "likely (medium): our request failed: reply error");
}

#[test]
fn a_heartbeat_that_was_answered_is_not_the_cause() {
    let port = serve(|stream| {
        stream
            .write_all(&[text("INFO {\"server_id\":\"a\"}\r\n"), text("PING\r\n")].concat())
            .ok()?;
        // Reads three frames, each with 6 bytes in addition to its content.
        stream.read_exact(&mut [0; 18 + 12 + 15]).ok()?;
        stream.write_all(&text("-ERR 'Authorization Violation'\r\n")).ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let (connect, pong, subscribe) = ("CONNECT {}\r\n", "PONG\r\n", "SUB a 1\r\n");
    let told = Told::of(&["-w", "2", "-x", connect, "-x", pong, "-x", subscribe], port, "/");
    told.lacks("none was sent");
    told.has("Authorization Violation");
}

#[test]
fn a_message_before_its_time_breaks_a_rule() {
    let open = r#"0{"sid":"K0u3","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let port = serve(move |stream| {
        stream.write_all(&text(open)).ok()?;
        heard(stream)?;
        stream.write_all(b"\x88\x00").ok()
    });
    let path = "/socket.io/?EIO=4&transport=websocket";
    let told = Told::of(&["-w", "2", "-x", r#"42["chat","x"]"#], port, path);
    told.is("W705", "closed because of our last message");
    told.has("before a CONNECT to its namespace");
    let told = Told::of(&["-w", "2", "-x", "40", "-x", r#"42["chat","x"]"#], port, path);
    told.has("it was sent before the answer to CONNECT");
}

#[test]
fn a_heartbeat_of_the_protocol_inside_is_missed() {
    // CONNECT has a keep-alive of one second, and no ping of MQTT follows.
    let port = serve(|stream| {
        heard(stream)?;
        stream.write_all(&frame(0x82, b"\x20\x02\x00\x00")).ok()?;
        wait(stream, 1600);
        stream.shutdown(Shutdown::Write).ok()
    });
    let connect = "\u{10}\r\0\u{4}MQTT\u{4}\u{2}\0\u{1}\0\u{1}a";
    let told = Told::piped(&["-s", "mqtt", "-b", "-w", "5"], port, connect);
    told.is("W804", "the protocol's own heartbeat was not sent in time");
    told.has("pings of WebSocket do not count");
}

#[test]
fn an_agreed_protocol_that_does_not_go_on_is_named() {
    let port = serve(|stream| {
        heard(stream)?;
        stream.write_all(CLOSE).ok()
    });
    let told = Told::of(&["-s", "actioncable-v1-json", "-w", "2.2"], port, "/cable");
    told.is("W515", "Action Cable goes on with welcome of the server");
    assert_eq!(Told::of(&["-s", "chat", "-w", "2.2"], port, "/").code(), "none");
}

#[test]
fn a_broker_that_says_nothing_may_wait_for_its_subprotocol() {
    let port = serve(|stream| {
        let mut buffer = [0; 512];
        while stream.read(&mut buffer).ok()? > 0 && buffer[0] != 0x88 {}
        stream.write_all(CLOSE).ok()
    });
    for args in
        [&["-x", "hi", "-w", "2.2"][..], &["-x", "hi", "--exit-after", "1", "--max-time", "2.2"]]
    {
        let told = Told::of(args, port, "/mqtt");
        told.is("W517", "the server answers only clients that speak a subprotocol of it");
        told.has("`-s mqtt`");
        // Only the Close of the peer shows that it reads, and `--max-time` does not wait for it.
        let code = if args.contains(&"--max-time") { "W519" } else { "none" };
        assert_eq!(Told::of(args, port, "/chat").code(), code);
    }
    // Nothing was asked.
    assert_eq!(Told::of(&["-w", "2.2"], port, "/mqtt").code(), "none");
}

#[test]
fn a_server_that_is_gone_after_a_silence_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().ok()?;
        let head = switching(&receive(&mut stream), "");
        stream.write_all(head.as_bytes()).ok()?;
        wait(&mut stream, 1400);
        drop(listener);
        stream.shutdown(Shutdown::Both).ok()
    });
    let told = Told::of(&["--diagnose", "-w", "5"], port, "/");
    told.is("W804", "likely (high): the server stopped listening");
}

#[test]
fn the_rest_of_a_frame_is_no_text_of_another_writer() {
    let port = serve(|stream| {
        let shifted = b"\x81\x02hi world\x81\x05hello";
        stream.write_all(shifted).ok()?;
        wait(stream, 2000);
        None
    });
    Told::of(&["-w", "2"], port, "/").lacks("W461");
}

#[test]
fn a_wrong_length_and_a_wrong_bit_are_told_from_bad_text() {
    let json = format!("{{\"text\":\"{}\"}}", "x".repeat(279));
    let swapped = [b"\x81\x7e\x22\x01", json.as_bytes(), CLOSE].concat();
    let port = serve(move |stream| {
        stream.write_all(&swapped).ok()?;
        wait(stream, 2000);
        None
    });
    let told = Told::of(&["-w", "2", "--no-compress"], port, "/");
    told.is("W615", "likely (high): the bytes of the length are in the wrong order");
    told.lacks("binary data is sent as text");
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, move |stream| {
        let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let head = switching(&receive(stream), deflate);
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&frame(0xc1, br#"{"plain":"text","number":1}"#)).ok()?;
        wait(stream, 2000);
        None
    });
    let told = Told::of(&["-w", "2"], port, "/");
    told.is("W624", "likely (high): the sender set RSV1 on a message that it did not compress");
}

#[test]
fn codes_of_graphql_have_each_its_own_cure() {
    for (code, help) in [
        (4429u16, "send `connection_init` once"),
        (4409, "give each subscription of a connection an `id` of its own"),
        (4401, "wait for `connection_ack`"),
    ] {
        let port = serve(move |stream| {
            stream.write_all(&text(r#"{"type":"connection_ack"}"#)).ok()?;
            stream.write_all(&frame(0x88, &code.to_be_bytes())).ok()
        });
        let told = Told::of(&["-w", "2", "-s", "graphql-transport-ws"], port, "/graphql");
        told.has(help);
    }
}

#[test]
fn an_error_that_no_expectation_waits_for_is_reported_from_scripts_too() {
    const STOMP: &str = "ERROR\nmessage:Bad CONNECT\n\nAccess refused\n\0";
    const PLAIN: &str = r#"{"type":"error","message":"unknown message type"}"#;
    for (name, theirs, args, lines, code) in [
        ("", PLAIN, &[][..], "{}\n/wait 0.3\n", "W516"),
        ("v12.stomp", STOMP, &[], "/stomp connect me no\n/wait 0.3\n", "W516"),
        ("", PLAIN, &["--exit-after", "1"], "{}\n/wait 2\n", "W516"),
        ("", PLAIN, &[], "{}\n/expect unknown 2\n", "none"),
        ("", PLAIN, &["--until", "unknown"], "{}\n/wait 2\n", "none"),
        ("", r#"{"type":"done"}"#, &["--exit-after", "1"], "{}\n/wait 2\n", "none"),
        ("", r#"{"type":"done"}"#, &[], "{}\n/wait 0.3\n", "none"),
    ] {
        let port = serve(move |stream| {
            heard(stream)?;
            stream.write_all(&text(theirs)).ok()?;
            heard(stream)?;
            stream.write_all(CLOSE).ok()
        });
        let offered = ["-s", name];
        let offered = if name.is_empty() { &[][..] } else { &offered };
        let told = Told::commanded(&[offered, args].concat(), port, lines);
        assert_eq!(told.code(), code, "{theirs} {lines}: {}", told.text);
        // The status of a session with such an answer stays the same.
        if name.is_empty() {
            assert_eq!(told.status, Some(0), "{lines}: {}", told.text);
        }
    }
}

#[test]
fn a_message_of_another_protocol_that_gets_no_answer_is_named() {
    let port = serve(|stream| {
        heard(stream)?;
        heard(stream)?;
        stream.write_all(CLOSE).ok()
    });
    let told = Told::piped(&["-w", "1.2", "-s", "v12.stomp"], port, r#"{"hello":1}"#);
    assert_eq!((told.code(), told.status), ("W518", Some(0)), "{}", told.text);
    // Without an agreed protocol, any message may be right.
    let told = Told::piped(&["-w", "1.2"], port, r#"{"hello":1}"#);
    assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
}
