//! Sessions that the peer ended. Causes come from its last message, an unanswered heartbeat, or
//! other sessions that differ in one thing (`--diagnose` and doctor).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::causes::{Told, answer};
use crate::server::{receive, serve_all, switching};

/// A server's text frame.
fn text(content: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(content.len()) {
        Ok(len @ ..126) => frame.push(len),
        _ => {
            frame.push(126);
            let len = u16::try_from(content.len()).expect("a short text");
            frame.extend(len.to_be_bytes());
        }
    }
    frame.extend(content.as_bytes());
    frame
}

const CLOSE: &[u8] = b"\x88\x00";

/// A server whose script gets the request.
fn serve(script: impl Fn(&str, &mut TcpStream) -> Option<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        let request = String::from_utf8_lossy(&request).into_owned();
        if !request.contains("Upgrade: websocket") {
            stream.write_all(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n").ok()?;
            return None;
        }
        script(&request, stream)
    })
}

fn open(request: &str, stream: &mut TcpStream) -> Option<()> {
    let wanted = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
    let chosen =
        wanted.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    stream.write_all(switching(request.as_bytes(), &chosen).as_bytes()).ok()
}

/// Waits until the client ends.
fn stay(stream: &mut TcpStream) -> Option<()> {
    let mut buffer = [0; 512];
    while stream.read(&mut buffer).ok()? > 0 {
        if buffer[0] == 0x88 {
            stream.write_all(b"\x88\x02\x03\xe8").ok()?;
            break;
        }
    }
    None
}

#[test]
fn the_last_message_before_a_close_is_the_reason_whatever_was_sent() {
    for message in [
        r#"{"type":"ERROR","payload":{"msg":"No id, token, or key supplied"}}"#,
        r#"{"id":null,"error":{"message":"invalid session","code":-32001}}"#,
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&[text(message), CLOSE.to_vec()].concat()).ok()
        });
        for args in [&["-x", "hi", "-w", "2"][..], &["-w", "2"], &["doctor"]] {
            let told = Told::of(args, port, "/");
            told.is("W705", &format!("its last message is {message}"));
            told.lacks("no action");
        }
    }
}

#[test]
fn a_goodbye_may_stand_between_the_reason_and_the_close() {
    for (last, cause) in [
        (
            "server::close",
            "likely (medium): the message before its last is {\"error\":\"no room\"}",
        ),
        ("{}", "likely (medium): the message before its last is {\"error\":\"no room\"}"),
        ("hello", ""),
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            let frames = [text(r#"{"error":"no room"}"#), text(last), CLOSE.to_vec()];
            stream.write_all(&frames.concat()).ok()
        });
        let told = Told::of(&["-w", "2"], port, "/");
        assert!(told.cause().contains(cause), "{last}: {}", told.text);
        if cause.is_empty() {
            assert_eq!(told.code(), "none", "{last}: {}", told.text);
        }
    }
}

#[test]
fn a_message_that_is_no_error_is_no_reason() {
    let long = "x".repeat(400);
    let messages = [
        r#"{"status":"no errors"}"#.to_owned(),
        r#"{"event":"error_count","value":0}"#.to_owned(),
        r#"{"error":"none"}"#.to_owned(),
        r#"{"errors":0.0,"ok":1}"#.to_owned(),
        r#"{"error":{"code":0,"message":"success"}}"#.to_owned(),
        r#"<report errors="0"/>"#.to_owned(),
        r#"<svg><g id="error-bars"/></svg>"#.to_owned(),
        "<html><p>no errors</p></html>".to_owned(),
        "0 errors, 0 failed".to_owned(),
        "all required checks done".to_owned(),
        r#"{"ok":true,"missing":0}"#.to_owned(),
        r#"{"reason":"done"}"#.to_owned(),
        "the last job failed".to_owned(),
        format!(r#"{{"error":"","data":"{long}"}}"#),
        format!(r#"{{"error": {{}}, "data":"{long}"}}"#),
        format!(r#"{{"id":1,"schema":{{"error":{{"type":"{long}"}}}}}}"#),
    ];
    for message in messages {
        for end in [&b"\x88\x02\x03\xe8"[..], b"\x88\x02\x03\xe9", CLOSE, b"\x88\x02\x03\xf3", b""]
        {
            let frames = [text(&message), end.to_vec()].concat();
            let port = serve(move |request, stream| {
                open(request, stream)?;
                stream.write_all(&frames).ok()?;
                stream.shutdown(Shutdown::Write).ok()
            });
            let told = Told::of(&["-w", "2"], port, "/");
            told.lacks("(high)");
            assert!(!told.cause().contains("message is"), "{message} {end:?}: {}", told.text);
            let first = told.text.lines().next().unwrap_or_default();
            assert!(!first.contains("message is"), "{message} {end:?}: {}", told.text);
            // The Close is in order, or has no reason.
            if end.len() == 2 || matches!(end.get(3), Some(0xe8 | 0xe9)) {
                assert_eq!(told.code(), "none", "{message} {end:?}: {}", told.text);
            }
        }
    }
}

#[test]
fn a_text_about_hearts_and_balls_is_no_heartbeat() {
    for message in [
        "Liverpool beat Everton",
        r#"{"user":"ping","text":"hi"}"#,
        "does anyone want to play ping pong?",
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&text(message)).ok()?;
            stream.set_read_timeout(Some(Duration::from_millis(400))).ok()?;
            while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
            stream.write_all(b"\x88\x02\x03\xe8").ok()
        });
        let told = Told::of(&["-w", "5"], port, "/");
        told.lacks("heartbeat message");
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
    }
}

#[test]
fn the_last_message_before_a_cut_is_the_reason_too() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text("INFO {}")).ok()?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(&text("-ERR 'Unknown Protocol Operation'")).ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::of(&["-x", "hi", "-w", "2"], port, "/");
    told.is("W801", "its last message is -ERR 'Unknown Protocol Operation'");
}

#[test]
fn a_session_whose_last_message_is_an_answer_has_no_diagnosis() {
    for (message, close) in [
        (r#"{"result":3,"error":null}"#, &b"\x88\x02\x03\xe8"[..]),
        (r#"{"data":{},"errors":[]}"#, CLOSE),
        ("bye", b"\x88\x02\x03\xe8"),
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            let _ = stream.read(&mut [0; 512]).ok()?;
            stream.write_all(&[text(message), close.to_vec()].concat()).ok()
        });
        for args in [&["-x", "hi", "-w", "2"][..], &["--diagnose", "-x", "hi", "-w", "2"]] {
            let told = Told::of(args, port, "/");
            assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
        }
    }
}

#[test]
fn a_heartbeat_that_was_not_answered_is_the_cause() {
    for (beat, end) in [("PING", None), (r#"{"type":"ping"}"#, Some(CLOSE)), ("", Some(CLOSE))] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&text(beat)).ok()?;
            // The server's timer, which is shorter than every known idle timeout.
            stream.set_read_timeout(Some(Duration::from_millis(400))).ok()?;
            while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
            match end {
                Some(close) => stream.write_all(close).ok(),
                None => stream.shutdown(Shutdown::Write).ok(),
            }
        });
        let told = Told::of(&["-w", "5"], port, "/");
        assert!(
            told.cause().contains("the answer to its heartbeat message"),
            "{beat}: {}",
            told.text
        );
        told.has("/on REGEX /text ANSWER");
    }
}

#[test]
fn a_session_that_stays_open_with_one_thing_different_shows_the_cause() {
    // The server ends sessions without its subprotocol, as a library for GraphQL does.
    let port = serve(|request, stream| {
        open(request, stream)?;
        match request.contains("Protocol: graphql-ws\r\n") {
            true => stay(stream),
            false => stream.write_all(b"\x88\x02\x03\xea").ok(),
        }
    });
    let told = Told::of(&["-w", "2"], port, "/graphql");
    told.is("W702", "the application requires a subprotocol");
    told.lacks("a proxy changed the frames");
    told.lacks("1012");
    for args in [&["--diagnose", "-x", "hi", "-w", "2"][..], &["doctor"]] {
        let told = Told::of(args, port, "/graphql");
        told.is("W702", "likely (high): the application requires a subprotocol");
        told.has("`-s graphql-ws`");
    }
    // The server opens for any Origin, and ends the sessions with a foreign one.
    let port = serve(|request, stream| {
        open(request, stream)?;
        match request.contains("Origin: http://127.0.0.1:") {
            true => stay(stream),
            false => stream.shutdown(Shutdown::Write).ok(),
        }
    });
    let told = Told::of(&["--diagnose", "-o", "https://other.example", "-w", "2"], port, "/");
    assert!(told.cause().contains("likely (high): the server refuses our Origin"), "{}", told.text);
}

#[test]
fn a_session_that_stays_open_without_a_message_shows_that_the_message_was_wrong() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok().filter(|n| *n > 0)?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::of(&["--diagnose", "-x", "hi", "-w", "2"], port, "/");
    told.is("W801", "likely (medium): the application ended it because of our message");
    // A server that ends every session has another cause.
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::of(&["--diagnose", "-x", "hi", "-w", "2"], port, "/");
    told.lacks("our message");
}

#[test]
fn a_server_that_ends_some_connections_gives_no_cause() {
    // The server ends some connections by their number: every second one, two of three, or only the
    // first.
    for ends in [|n: usize| n.is_multiple_of(2), |n| n % 3 < 2, |n| n == 0] {
        for args in
            [&["--diagnose", "-x", "hi", "-w", "2"][..], &["--diagnose", "-w", "2"], &["doctor"]]
        {
            let count = AtomicUsize::new(0);
            let port = serve(move |request, stream| {
                open(request, stream)?;
                match ends(count.fetch_add(1, Ordering::SeqCst)) {
                    true => stream.write_all(b"\x88\x02\x03\xf3").ok(),
                    false => stay(stream),
                }
            });
            let told = Told::of(args, port, "/x");
            told.lacks("(high)");
            told.lacks("Origin, and");
        }
    }
}

/// The same for refusals. A handshake that was accepted by chance must not prove anything.
#[test]
fn a_server_that_refuses_some_requests_gives_no_cause() {
    // The server refuses some requests by their number: the first three, every second one, or all
    // except the fourth.
    for refuses in [|n: usize| n < 3, |n: usize| n.is_multiple_of(2), |n: usize| n != 3] {
        for args in [&["--diagnose", "-o", "https://a.example"][..], &["--diagnose"], &["doctor"]] {
            let count = AtomicUsize::new(0);
            let port =
                serve(move |request, stream| match refuses(count.fetch_add(1, Ordering::SeqCst)) {
                    true => stream.write_all(&answer("403 Forbidden", "", "")).ok(),
                    false => {
                        open(request, stream)?;
                        stay(stream)
                    }
                });
            let told = Told::of(args, port, "/x");
            if told.text.contains("(high)") {
                told.has("(high): the server's answers change from one request to the next");
            }
            told.lacks("(high): the Origin");
            told.lacks("(high): the server requires an Origin");
        }
    }
}

#[test]
fn a_session_that_ends_without_an_origin_shows_it() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        if request.contains("Origin: ") {
            return stay(stream);
        }
        // The server closes some time after the opening, and ends TCP much later.
        stream.set_read_timeout(Some(Duration::from_millis(300))).ok()?;
        while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
        stream.write_all(b"\x88\x02\x03\xf0").ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(1500))).ok()?;
        while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
        None
    });
    for args in [&["--diagnose", "-w", "5"][..], &["doctor"]] {
        let told = Told::of(args, port, "/");
        told.is("W708", "likely (high): the server requires an Origin");
    }
    // The time limit is long enough for the session, but not for trials.
    let told = Told::of(&["--diagnose", "-w", "5", "--max-time", "1"], port, "/");
    told.is("W708", "");
    told.lacks("requires an Origin");
}

#[test]
fn a_plain_get_that_hangs_costs_no_trial_and_no_more_time_than_was_given() {
    let asked = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&asked);
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, move |stream| {
        let request = receive(stream);
        let text = String::from_utf8_lossy(&request).into_owned();
        seen.lock().ok()?.push_str(&text);
        if text.contains("Upgrade: websocket") {
            stream.write_all(switching(&request, "").as_bytes()).ok()?;
            stream.write_all(b"\x88\x02\x03\xf3").ok()?;
        }
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let began = Instant::now();
    let told = Told::of(&["--diagnose", "-w", "5", "--max-time", "2"], port, "/ws");
    assert!(began.elapsed() < Duration::from_millis(2900), "{:?}", began.elapsed());
    told.has("at the path /zz-no-such-path");
    let asked = asked.lock().expect("no test failed");
    assert!(asked.contains("Origin: http://127.0.0.1:"), "{asked}");
    assert!(asked.contains("GET /zz-no-such-path "), "{asked}");
    assert!(asked.lines().filter(|line| line.starts_with("GET ")).count() >= 5, "{asked}");
}

#[test]
fn trials_send_the_cookies_of_the_first_request_and_keep_none() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let port = serve(move |request, stream| {
        let number = {
            let mut asked = seen.lock().ok()?;
            asked.push(request.contains("Cookie: "));
            asked.len()
        };
        let cookie = format!("Set-Cookie: visit={number}; Path=/; Max-Age=100\r\n");
        stream.write_all(switching(request.as_bytes(), &cookie).as_bytes()).ok()?;
        stream.write_all(b"\x88\x02\x03\xf3").ok()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let jar = folder.path().join("jar");
    let path = jar.to_str().expect("UTF-8");
    Told::of(&["--diagnose", "-w", "2", "--cookie-jar", path], port, "/").is("W711", "");
    let jar = std::fs::read_to_string(&jar).expect("a jar");
    assert!(jar.contains("visit\t1"), "{jar}");
    let asked = asked.lock().expect("no panic");
    assert!(asked.len() > 2 && !asked.contains(&true), "{asked:?}");
}

#[test]
fn a_server_that_is_gone_after_the_request_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().ok()?;
        let _ = receive(&mut stream);
        drop(listener);
        stream.shutdown(Shutdown::Both).ok()
    });
    Told::of(&[], port, "/").is("W107", "likely (high): the server stopped listening");
}

#[test]
fn the_peer_is_not_told_that_a_frame_was_wrong_where_none_was() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x88\x10\x03\xeaIOException no").ok()
    });
    let told = Told::of(&["-x", "hi", "-w", "2"], port, "/");
    told.has("for a reason of the peer's own");
    told.has("no frame that this side sent breaks a rule");
}

#[test]
fn graphql_without_an_ack_was_refused() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x88\x02\x03\xe8").ok()
    });
    let init = r#"{"type":"connection_init"}"#;
    let told = Told::of(&["-s", "graphql-transport-ws", "-x", init, "-w", "2"], port, "/");
    told.is("W700", "the server refuses connection_init");
}

/// A Close frame with a code and a reason.
fn close(code: u16, reason: &str) -> Vec<u8> {
    let len = u8::try_from(reason.len() + 2).expect("a short reason");
    [&[0x88, len][..], &code.to_be_bytes(), reason.as_bytes()].concat()
}

/// Waits for this time, or until the client has ended.
fn pause(stream: &mut TcpStream, millis: u64) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_millis(millis))).ok()?;
    while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()
}

const ENGINE_IO: &str = r#"0{"sid":"a","upgrades":[],"pingInterval":300,"pingTimeout":900}"#;

#[test]
fn a_refused_namespace_of_socket_io_is_reported_whoever_ends() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text(ENGINE_IO), text(r#"44{"message":"no seat"}"#)].concat()).ok()?;
        stay(stream)
    });
    let told = Told::of(&["-x", "40", "-w", "0.3"], port, "/socket.io/?EIO=4");
    told.is("W516", "CONNECT_ERROR no seat");
}

#[test]
fn a_packet_that_engine_io_cannot_read_ends_it_at_once() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(ENGINE_IO)).ok()?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x88\x00").ok()?;
        stay(stream)
    });
    let told = Told::of(&["-x", "hi", "-w", "2"], port, "/socket.io/?EIO=4");
    told.is("W502", "the last message sent: the message is not one of this protocol");
    told.lacks("in time");
}

#[test]
fn a_packet_that_is_too_large_for_engine_io_is_no_missing_namespace() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(ENGINE_IO)).ok()?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x88\x02\x03\xf1").ok()
    });
    let told = Told::of(&["-x", "42[\"x\"]", "-w", "2"], port, "/socket.io/?EIO=4");
    told.is("W709", "the limit that the peer's configuration");
    told.lacks("no namespace");
}

#[test]
fn a_server_of_socket_io_2_is_told_by_what_it_does() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text(ENGINE_IO), text("40")].concat()).ok()?;
        stay(stream)
    });
    let told =
        Told::of(&["-v", "-x", "40", "-w", "0.3"], port, "/socket.io/?EIO=4&transport=websocket");
    told.is("W514", "");
    assert!(told.text.contains("use EIO=3"), "{}", told.text);
}

#[test]
fn what_a_server_says_when_it_leaves_is_printed() {
    for (code, reason, says) in [
        (1001, "Server shutting down", "closed with 1001 going away \"Server shutting down\""),
        (1000, "Kicked: logged in elsewhere", "\"Kicked: logged in elsewhere\""),
        (1001, "", "closed with 1001 going away"),
        (1000, "done", ""),
        (1000, "Goodbye!", ""),
        (1000, "Connection closed", ""),
        (1000, "CLOSE_NORMAL", ""),
        (1000, "stream complete", ""),
        (1000, "account over quota", "\"account over quota\""),
        (1000, "", ""),
        (1000, "Normal Closure", ""),
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&[text("hello"), close(code, reason)].concat()).ok()
        });
        let told = Told::of(&["-w", "5"], port, "/");
        assert_eq!((told.code(), told.status), ("none", Some(0)), "{}", told.text);
        assert_eq!(told.text.is_empty(), says.is_empty(), "{}", told.text);
        assert!(told.text.contains(says), "{}", told.text);
        let told = Told::of(&["-q", "-w", "5"], port, "/");
        assert!(told.text.is_empty(), "{}", told.text);
    }
}

#[test]
fn a_1001_after_a_silence_may_be_a_restart() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        pause(stream, 1500);
        stream.write_all(b"\x88\x02\x03\xe9").ok()
    });
    Told::of(&["-w", "5"], port, "/").is("W701", "an idle timeout, or a shutdown or restart");
}

#[test]
fn a_1011_after_a_ping_that_was_left_unanswered_is_about_that_ping() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(b"\x89\x00").ok()?;
        pause(stream, 1500);
        stream.write_all(b"\x88\x02\x03\xf3").ok()
    });
    let told = Told::of(&["--no-pong", "-w", "5"], port, "/");
    told.is("W711", "this side did not answer the peer's pings");
}

#[test]
fn a_server_of_socket_io_that_disconnects_says_so() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(ENGINE_IO)).ok()?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        let all = [text(r#"40{"sid":"b"}"#), text("41"), b"\x88\x00".to_vec()].concat();
        stream.write_all(&all).ok()
    });
    let told = Told::of(&["-x", "40", "-w", "2"], port, "/socket.io/?EIO=4");
    told.is("W705", "likely (medium): the server refuses the session");
    assert!(told.text.contains("it sent: message › DISCONNECT"), "{}", told.text);
    // An event of the application may ask for the end.
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text(ENGINE_IO), text(r#"40{"sid":"b"}"#)].concat()).ok()?;
        while !stream.read(&mut [0; 512]).is_ok_and(|n| n > 12) {}
        stream.write_all(&[text("41"), b"\x88\x00".to_vec()].concat()).ok()
    });
    let told = Told::of(&["-x", "40", "-x", "42[\"leave\"]", "-w", "2"], port, "/socket.io/?EIO=4");
    told.lacks("ended the session inside");
}

#[test]
fn a_heartbeat_that_does_not_note_pongs_is_a_cause_after_an_answered_ping() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(b"\x89\x00").ok()?;
        pause(stream, 1500)
    });
    let told = Told::of(&["-w", "9"], port, "/");
    told.is("W804", "possible: the peer's heartbeat does not note pongs, or counts messages only");
    // The server counts pongs; otherwise, it would not send the next ping.
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(b"\x89\x00").ok()?;
        pause(stream, 300);
        stream.write_all(b"\x89\x00").ok()?;
        pause(stream, 1500)
    });
    Told::of(&["-w", "9"], port, "/").lacks("pongs");
    // Without a ping, an idle timeout and a limit on the lifetime look the same.
    let port = serve(|request, stream| {
        open(request, stream)?;
        pause(stream, 1500)
    });
    let told = Told::of(&["-w", "9"], port, "/");
    assert!(told.text.contains("possible: a timer of the peer, or of a proxy"), "{}", told.text);
    assert!(told.text.contains("possible: a limit on the age"), "{}", told.text);
}

#[test]
fn a_timer_that_had_not_run_out_is_no_cause() {
    // A heartbeat arrived 0.3 s before the end. Its answer has 0.9 s of time.
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(ENGINE_IO)).ok()?;
        pause(stream, 300)?;
        stream.write_all(&text("2")).ok()?;
        pause(stream, 350)?;
        stream.write_all(CLOSE).ok()
    });
    let told = Told::of(&["-w", "5"], port, "/socket.io/?EIO=4");
    told.is("W705", "likely (medium): the server ends connections that connect to no namespace");
    told.lacks("heartbeat");
}

/// The repeated session answers the pings, and stays open for that.
#[test]
fn a_session_that_stays_open_with_pongs_rules_no_missing_pong_out() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(b"\x89\0").ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        let mut buffer = [0; 512];
        let count = stream.read(&mut buffer).ok()?;
        (count > 0 && buffer[0] == 0x8a).then(|| stay(stream)).flatten()
    });
    let told = Told::of(&["--diagnose", "--no-pong", "--input", "none", "-w", "3"], port, "/");
    told.has("this side did not answer the peer's pings");
    told.lacks("ends some connections and not others");
}

#[test]
fn a_code_of_refusal_behind_our_message_is_no_answer() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let mut buffer = [0; 512];
        let _ = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        if buffer[0] == 0x81 {
            let jeton = r#"{"type":"erreur","message":"Jeton manquant"}"#;
            stream.write_all(&[text(jeton), close(1008, "")].concat()).ok()?;
        }
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["--diagnose", "-x", "hi", "-w", "2"], port, "/");
    told.is("W708", "likely (medium): the application refuses our message: a login");
}

#[test]
fn a_long_message_right_before_the_end_may_be_too_long() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.read_exact(&mut [0; 20_000]).ok()
    });
    let long = "x".repeat(60_000);
    Told::of(&["-x", &long, "-w", "2"], port, "/")
        .has("likely (medium): a limit on the size of a message, in the server or a proxy");
    Told::of(&["-x", &long[..20_000], "-w", "2"], port, "/").lacks("a limit on the size");
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.read_exact(&mut [0; 40_008]).ok()?;
        stream.write_all(&text("stored")).ok()?;
        pause(stream, 200)
    });
    let told = Told::of(&["-x", &long[..40_000], "-w", "2"], port, "/");
    told.lacks("a limit on the size");
}

#[test]
fn what_a_server_repeats_is_not_its_heartbeat() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(&text("ping")).ok()?;
        pause(stream, 400)?;
        stream.write_all(&close(1000, "")).ok()
    });
    Told::of(&["-x", "ping", "-w", "5"], port, "/").lacks("heartbeat message");
}

#[test]
fn a_heartbeat_that_the_server_speaks_of_is_no_ping() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(r#"{"hello":{"heartbeat_every":300}}"#)).ok()?;
        pause(stream, 1500)?;
        stream.write_all(&close(4009, "Session timed out")).ok()
    });
    let told = Told::of(&["-w", "5"], port, "/");
    told.is(
        "W723",
        "likely (medium): the application did not receive what its first message speaks of",
    );
    told.lacks("--ping-interval");
}

#[test]
fn sockjs_closes_with_a_message() {
    for (message, code) in [(r#"c[3100,"no seat"]"#, "W700"), (r#"c[3000,"Go away!"]"#, "W503")] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream
                .write_all(&[text("o"), text(message), close(1000, "Normal closure")].concat())
                .ok()
        });
        let told = Told::of(&["-w", "2", "-vv"], port, "/");
        assert_eq!(
            told.code() == "W700" && told.text.contains("warning[W700]"),
            code == "W700",
            "{}",
            told.text
        );
    }
}

#[test]
fn a_plain_get_shows_what_a_path_is_whose_sessions_end() {
    for (plain, cause) in [
        (
            answer("401 Unauthorized", "", "who are you?"),
            "likely (medium): to a plain GET, the server says \"who are you?\"",
        ),
        (
            answer("403 Forbidden", "", ""),
            "likely (medium): the application refuses: a plain GET is refused, too",
        ),
        (answer("200 OK", "", "hello"), "likely (medium): the path serves plain HTTP"),
        // These answers say nothing about a WebSocket.
        (answer("404 Not Found", "", "nothing here"), "possible"),
        (answer("400 Bad Request", "", "Can \"Upgrade\" only to \"WebSocket\"."), "possible"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = serve_all(listener, move |stream| {
            let request = receive(stream);
            let request = String::from_utf8_lossy(&request).into_owned();
            match request.contains("Upgrade: websocket") {
                false => stream.write_all(&plain).ok(),
                true if request.contains("no-such-path") => {
                    stream.write_all(&answer("404 Not Found", "", "")).ok()
                }
                true => {
                    open(&request, stream)?;
                    stream.write_all(CLOSE).ok()
                }
            }
        });
        for args in [&["--diagnose", "-x", "hi", "-w", "2"][..], &["doctor"]] {
            Told::of(args, port, "/info").is("W705", cause);
        }
    }
}

#[test]
fn a_close_in_order_before_anything_was_done_is_no_success() {
    for end in [close(1001, ""), close(1000, "logged in elsewhere")] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&end).ok()
        });
        for args in [&["-w", "2"][..], &["--diagnose", "-x", "hi", "-w", "2"], &["doctor"]] {
            let told = Told::of(args, port, "/");
            told.has("warning[W70");
            told.has("the peer closed before it sent any message");
            told.lacks("idle timeout");
        }
    }
    // The server may have wanted only the sent message.
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(&close(1000, "stored")).ok()
    });
    assert_eq!(Told::of(&["-x", "hi", "-w", "2"], port, "/").code(), "none");
}

#[test]
fn a_code_about_a_message_needs_one() {
    for code in [1003, 1007, 1009] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&close(code, "")).ok()
        });
        for args in [&["doctor"][..], &["--diagnose", "-x", "hi", "-w", "2"]] {
            let told = Told::of(args, port, "/");
            told.has("though no message had been sent");
            told.lacks("-b");
            told.lacks("smaller messages");
        }
    }
}

#[test]
fn the_reason_of_a_close_is_more_than_what_another_path_shows() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        match request.contains("no-such-path") {
            true => stay(stream),
            false => stream.write_all(&close(4123, "editor version mismatch")).ok(),
        }
    });
    let told = Told::of(&["--diagnose", "-w", "2"], port, "/");
    told.lacks("knows this path");
    told.has("its reason says why");
    // A Close whose reason only repeats a stock phrase does not explain itself.
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok().filter(|n| *n > 0)?;
        stream.write_all(&close(4500, "Internal Server Error")).ok()
    });
    let told = Told::of(&["--diagnose", "-x", "hi", "-w", "2"], port, "/");
    told.is("W723", "likely (medium): the application ended it because of our message");
    told.lacks("documentation");
}

#[test]
fn a_server_that_warms_up_wants_no_subprotocol() {
    let count = AtomicUsize::new(0);
    let port = serve(move |request, stream| {
        open(request, stream)?;
        match count.fetch_add(1, Ordering::SeqCst) < 3 {
            true => stream.write_all(&close(1008, "")).ok(),
            false => stay(stream),
        }
    });
    let told = Told::of(&["--diagnose", "-w", "2"], port, "/graphql");
    told.is("W708", "likely (medium): the server ends some connections and not others");
    told.lacks("requires a subprotocol");
}

#[test]
fn a_reason_in_a_regular_close_may_be_an_error() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text("hello"), b"\x89\x00".to_vec()].concat()).ok()?;
        pause(stream, 400)?;
        stream.write_all(&close(1001, "No response from ping frame.")).ok()
    });
    let told = Told::of(&["--no-pong", "-w", "5"], port, "/");
    told.is("W701", "likely (high): this side did not answer the peer's pings");
}

#[test]
fn graphql_that_refuses_the_login_was_asked() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(&close(4403, "Forbidden")).ok()
    });
    let init = r#"{"type":"connection_init"}"#;
    let told = Told::of(&["-s", "graphql-transport-ws", "-x", init, "-w", "2"], port, "/");
    told.is("W719", "the server refuses connection_init");
    told.lacks("send `connection_init` first");
}

#[test]
fn the_protocols_inside_say_why_they_end() {
    for (message, code) in [
        (r#"{"type":"auth_invalid","message":"no such token"}"#, 1000),
        (r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#, 1000),
        (r#"[3,{"message":"no realm"},"wamp.error.no_such_realm"]"#, 1000),
        ("{\"error\":\"no such protocol\"}\u{1e}", 1000),
        (r#"{"type":"error","error":{"message":"the key is wrong"}}"#, 3000),
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            let _ = stream.read(&mut [0; 512]).ok()?;
            stream.write_all(&[text(message), close(code, "key.wrong")].concat()).ok()
        });
        let told = Told::of(&["-x", "hi", "-w", "2"], port, "/");
        assert!(told.cause().contains("its last message is"), "{message}: {}", told.text);
    }
}

#[test]
fn a_broker_of_mqtt_says_why_it_refuses() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x82\x04\x20\x02\x00\x05").ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::of(&["-s", "mqtt", "-b", "-x", "hi", "-w", "2"], port, "/");
    told.is("W801", "the peer refuses, in MQTT 3.1.1 and 5: CONNACK 5 not authorized");
}

#[test]
fn stomp_that_was_asked_is_not_waited_for() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        let error = "ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'g'\0";
        stream.write_all(&[text(error), close(1000, "")].concat()).ok()
    });
    let told = Told::of(&["-s", "v12.stomp", "-x", "CONNECT\n\n", "-w", "2"], port, "/");
    told.is("W700", "ERROR Bad CONNECT: Access refused for user 'g'");
    told.lacks("W507");
}

#[test]
fn a_greeting_that_asks_for_a_login_is_no_idle_timer() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text(r#"{"type":"auth_required"}"#)).ok()?;
        pause(stream, 1500)?;
        stream.write_all(&close(1000, "")).ok()
    });
    let told = Told::of(&["-w", "5"], port, "/");
    told.is("W700", "did not receive what its first message speaks of");
    told.lacks("--ping-interval");
}

#[test]
fn text_in_place_of_a_later_frame_is_text() {
    for (raw, mark) in [
        (
            "HTTP/1.1 500 Internal Server Error\r\n\r\n",
            "an HTTP response was written after the 101",
        ),
        ("{\"n\": 1}\n", "text was written into the stream"),
    ] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&[text("hello"), raw.as_bytes().to_vec()].concat()).ok()?;
            stay(stream)
        });
        let told = Told::of(&["-w", "2"], port, "/");
        assert_eq!(told.code(), "W461", "{}", told.text);
        told.has(mark);
        told.has("--> frame #2, stream byte ");
    }
}

/// The rest of a ping with a wrong length is text, too. The message before it does not prove
/// anything.
#[test]
fn the_rest_of_a_frame_whose_length_is_wrong_was_not_written_in_place_of_a_frame() {
    let port = serve(move |request, stream| {
        open(request, stream)?;
        let ping = b"\x89\x04pingpayload-0123456789".to_vec();
        stream.write_all(&[text("{\"a\":1}"), ping].concat()).ok()?;
        stay(stream)
    });
    let told = Told::of(&["-w", "2"], port, "/");
    assert_ne!(told.code(), "W461", "{}", told.text);
    let port = serve(move |request, stream| {
        open(request, stream)?;
        let line = b"PHP Warning: x on line 1\n".to_vec();
        stream.write_all(&[text("{\"a\":1}"), line].concat()).ok()?;
        stay(stream)
    });
    let told = Told::of(&["-w", "2"], port, "/");
    assert_eq!(told.code(), "W461", "{}", told.text);
}

/// A server may close when it has sent everything, for example the answer to a single question. It
/// is healthy only if the reason is empty or names an end in order.
#[test]
fn a_stream_that_ends_in_order_is_healthy_for_doctor() {
    for (code, reason, healthy) in [
        (1000, "", true),
        (1005, "", true),
        (1000, "all sent", true),
        (1000, "game over", true),
        (1000, "event finished", true),
        (1000, "build failed", true),
        (1000, "unit tests failed", true),
        (1000, "database failed", false),
        (1000, "license check failed", false),
        (1000, "node failed", false),
        (1000, "login not completed", false),
        (1000, "end of stream", true),
        (1000, "no more data", true),
        (1000, "no data", false),
        (1000, "wrong password", false),
        (1000, "server full", false),
        (1000, "slow consumer", false),
        (1000, "server stop", false),
        (1000, "authentication was not successful", false),
        (1000, "client too old", false),
        (1000, "Kicked: logged in elsewhere", false),
        (1001, "restarting", false),
        (1011, "", false),
    ] {
        let end = if code == 1005 { b"\x88\0".to_vec() } else { close(code, reason) };
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&[text("1"), text("2"), end.clone()].concat()).ok()?;
            stream.read_to_end(&mut Vec::new()).ok().map(drop)
        });
        let told = Told::of(&["doctor", "--idle", "0.1"], port, "/");
        let shown = if code == 1005 { "no code" } else { "1000" };
        assert_eq!(
            told.text.starts_with(&format!(
                "healthy: the server sent 2 messages, then closed with {shown}"
            )),
            healthy,
            "{}",
            told.text
        );
        assert_eq!(told.status == Some(0), healthy, "{}", told.text);
        if healthy {
            told.lacks("failed ");
            told.lacks("[W");
        }
    }
}

/// doctor stays silent to find such a server.
#[test]
fn a_server_that_closes_after_a_silence_is_not_healthy() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&text("hello")).ok()?;
        answer_pings(stream, 1, 1200)?;
        stream.write_all(&close(1000, "closed")).ok()
    });
    let told = Told::of(&["doctor", "--idle", "5"], port, "/");
    assert!(!told.text.starts_with("healthy"), "{}", told.text);
    assert_ne!(told.status, Some(0));
}

/// A session without a ping stays open, which proves the cause.
#[test]
fn a_server_that_closes_because_of_a_ping_is_not_healthy() {
    for answered in [0, 1] {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&text("hello")).ok()?;
            answer_pings(stream, answered, 0)?;
            let mut ping = [0; 19];
            stream.read_exact(&mut ping).ok()?;
            stream.write_all(&close(1000, "")).ok()
        });
        let told = Told::of(&["doctor", "--idle", "0.1"], port, "/");
        assert!(!told.text.starts_with("healthy"), "{answered}: {}", told.text);
        told.has("likely (medium): the server closes because of a ping, which it has to answer");
        assert_ne!(told.status, Some(0), "{answered}");
    }
}

/// Node's inspector and other small servers end TCP when they get a Ping frame.
#[test]
fn a_server_that_ends_at_a_ping_handles_none() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let mut buffer = [0; 512];
        while stream.read(&mut buffer).ok()? > 0 {
            match buffer[0] {
                0x89 => return None,
                0x88 => return stream.write_all(b"\x88\x02\x03\xe8").ok(),
                _ => {}
            }
        }
        None
    });
    let cause = "the server closes because of a ping";
    let help = "leave `--ping-interval` out";
    for args in
        [&["--ping-interval", "1", "-w", "4"][..], &["--ping-interval", "1", "-x", "hi", "-w", "4"]]
    {
        let told = Told::of(args, port, "/");
        told.is("W801", cause);
        told.has("likely (medium): the server closes");
        told.has(help);
        told.lacks("without traffic");
    }
    for args in [&["doctor"][..], &["--diagnose", "--ping-interval", "1.5", "-w", "4"]] {
        let told = Told::of(args, port, "/");
        told.is("W801", "likely (high): the server closes because of a ping");
        told.has("once more, with a ping: ");
        told.has(help);
        told.lacks("some connections and not others");
    }
    // Without a ping, it is healthy.
    assert_eq!(Told::of(&["-x", "hi", "-w", "0.3"], port, "/").status, Some(0));
}

/// A timer that runs out beside our pings is not about them.
#[test]
fn a_server_that_answers_pings_does_not_end_because_of_one() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        for _ in 0..2 {
            // The frame of a masked, empty ping.
            stream.read_exact(&mut [0; 6]).ok()?;
            stream.write_all(b"\x8a\x00").ok()?;
        }
        stream.read_exact(&mut [0; 6]).ok()
    });
    let told = Told::of(&["--ping-interval", "0.3", "-w", "4"], port, "/");
    told.lacks("because of a ping");
    // The same end, but no ping was on the way.
    let port = serve(|request, stream| {
        open(request, stream)?;
        pause(stream, 1500)
    });
    let told = Told::of(&["--ping-interval", "5", "-w", "4"], port, "/");
    told.is("W804", "a timer of the peer");
    told.lacks("because of a ping");
}

/// An unknown path that stays open does not show a refusal if the session had begun.
#[test]
fn a_session_that_was_welcomed_was_not_refused_at_its_path() {
    for (hello, code) in
        [(r#"{"type":"welcome"}"#, 4005), (r#"{"type":"welcome","token_expires_in":1}"#, 4401)]
    {
        let port = serve(move |request, stream| {
            open(request, stream)?;
            if request.contains("/zz-no-such-path") {
                return stay(stream);
            }
            stream.write_all(&text(hello)).ok()?;
            pause(stream, 1000)?;
            stream.write_all(&close(code, "")).ok()
        });
        let told = Told::of(&["--diagnose", "-w", "forever"], port, "/replaced");
        assert_eq!(told.code(), "W723", "{}", told.text);
        told.lacks("the application knows this path");
        if hello.contains("expires") {
            told.has("likely (medium): the time that the server's first message names is up");
        }
    }
}

/// Answers this number of doctor's pings, and then waits.
fn answer_pings(stream: &mut TcpStream, count: usize, wait: u64) -> Option<()> {
    for _ in 0..count {
        // The frame of a masked ping with "wscope doctor".
        let mut ping = [0; 19];
        stream.read_exact(&mut ping).ok()?;
        stream.write_all(b"\x8a\x0dwscope doctor").ok()?;
    }
    if wait > 0 { pause(stream, wait) } else { Some(()) }
}

/// A server of graphql-ws waits three seconds for a first message, which doctor does not send.
#[test]
fn a_server_that_waits_for_a_first_message_is_healthy_for_doctor() {
    for (wait, healthy) in [(300, true), (0, false)] {
        let offer = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
        let port = serve(move |request, stream| {
            stream.write_all(switching(request.as_bytes(), offer).as_bytes()).ok()?;
            if wait > 0 {
                pause(stream, wait)?;
            }
            stream.write_all(&close(4408, "Connection initialisation timeout")).ok()?;
            stream.read_to_end(&mut Vec::new()).ok().map(drop)
        });
        let told = Told::of(&["doctor", "-s", "graphql-transport-ws"], port, "/graphql");
        let lead = "healthy: the server waited for connection_init, which doctor does not send, then closed with 4408";
        assert_eq!(told.text.starts_with(lead), healthy, "{}", told.text);
        assert_eq!(told.status == Some(0), healthy, "{}", told.text);
        if healthy {
            told.lacks("failed ");
        }
    }
}

#[test]
fn who_answers_our_close_is_not_away() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        let mut buffer = [0; 512];
        while stream.read(&mut buffer).ok()? > 0 {
            if buffer[0] == 0x88 {
                stream.write_all(&close(1000, "")).ok()?;
                break;
            }
        }
        None
    });
    let told =
        Told::of(&["--ping-interval", "0.2", "--pong-timeout", "0.3", "-w", "forever"], port, "/");
    told.lacks("the network path failed silently");
    told.has("W818");
    let told = Told::of(&["doctor"], port, "/");
    assert!(
        told.text.starts_with("opens, but not healthy: the server does not answer pings"),
        "{}",
        told.text
    );
}

#[test]
fn a_server_that_is_gone_was_no_timer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().ok()?;
        let request = receive(&mut stream);
        stream.write_all(switching(&request, "").as_bytes()).ok()?;
        pause(&mut stream, 1300)?;
        drop(listener);
        stream.shutdown(Shutdown::Both).ok()
    });
    let told = Told::of(&["--diagnose", "-w", "forever"], port, "/");
    told.is("W804", "likely (high): the server stopped listening");
}

#[test]
fn a_timer_of_pings_needs_time_or_a_ping() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&close(1011, "keepalive to the exchange was lost")).ok()
    });
    let told = Told::of(&["-w", "2"], port, "/");
    told.lacks("heartbeat from this side");
    told.lacks("(high)");
    // If this side does not answer pings, they are the cause of a Close without a reason.
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text("hello"), b"\x89\x00".to_vec()].concat()).ok()?;
        pause(stream, 400)?;
        stream.write_all(CLOSE).ok()
    });
    let told = Told::of(&["--no-pong", "-w", "5"], port, "/");
    told.is("W705", "likely (medium): this side did not answer the peer's pings");
}

#[test]
fn one_fresh_ping_is_no_proof() {
    let port = serve(|request, stream| {
        open(request, stream)?;
        stream.write_all(&[text("hello"), b"\x89\x00".to_vec()].concat()).ok()?;
        stream.shutdown(Shutdown::Write).ok()
    });
    let told = Told::of(&["--no-pong", "-w", "2"], port, "/");
    told.is("W801", "likely (medium): this side did not answer the peer's pings");
}

#[test]
fn a_dropped_upgrade_is_compared_with_a_control() {
    let count = Arc::new(AtomicUsize::new(0));
    for doctor in [false, true] {
        let count = Arc::clone(&count);
        count.store(0, Ordering::SeqCst);
        // The server drops only the first upgrade.
        let port = serve(move |request, stream| match count.fetch_add(1, Ordering::SeqCst) {
            0 => stream.shutdown(Shutdown::Both).ok(),
            _ => {
                open(request, stream)?;
                stay(stream)
            }
        });
        let args: &[&str] = if doctor { &["doctor"] } else { &["--diagnose"] };
        let told = Told::of(args, port, "/zz-no-such-path");
        told.is("W107", "likely (high): the server's answers change from one request to the next");
        told.lacks("drops");
    }
}

#[test]
fn an_announcement_before_the_end_is_cited() {
    for announced in
        [r#"{"type":"shutdown","in":1}"#, r#"{"type":"notice","text":"server restarting in 1 s"}"#]
    {
        for end in [&b"\x88\x02\x03\xe9"[..], b"\x88\x02\x03\xf4", b""] {
            let frames = [text("hello"), text(announced), end.to_vec()].concat();
            let port = serve(move |request, stream| {
                open(request, stream)?;
                stream.write_all(&frames).ok()?;
                stream.shutdown(Shutdown::Write).ok()
            });
            let told = Told::of(&["doctor"], port, "/");
            assert!(told.cause().contains("as it announced"), "{end:?}: {}", told.text);
            told.has(announced);
        }
    }
}

#[test]
fn an_end_inside_a_message_names_the_message_and_its_bytes() {
    for (rest, mark) in [
        (&b""[..], "1 frame of it with 4 bytes arrived"),
        (b"\x00\x03abc", "2 frames of it with 7 bytes arrived"),
        (b"\x00\x09abc", "frame #3 is cut"),
    ] {
        let frames = [&text("whole"), &b"\x01\x04part"[..], rest].concat();
        let port = serve(move |request, stream| {
            open(request, stream)?;
            stream.write_all(&frames).ok()?;
            stream.shutdown(Shutdown::Write).ok()
        });
        let told = Told::of(&["-w", "2"], port, "/");
        assert_eq!(told.code(), "W803", "{}", told.text);
        told.has("message #2 is incomplete");
        told.has(mark);
    }
}

#[test]
fn a_close_without_an_answer_is_told_although_the_run_has_what_it_wanted() {
    // It answers messages, and ignores control frames.
    let port = serve(|request, stream| {
        open(request, stream)?;
        let mut buffer = [0; 512];
        while stream.read(&mut buffer).ok()? > 0 {
            if buffer[0] == 0x81 {
                stream.write_all(&text("ACK")).ok()?;
            }
        }
        None
    });
    let told = Told::of(&["-x", "hi", "--exit-after", "1", "--close-timeout", "0.3"], port, "/");
    assert_eq!((told.code(), told.status), ("W816", Some(0)), "{}", told.text);
    assert!(told.text.contains("handles messages, but not the Close"), "{}", told.text);
    let port = serve(|request, stream| {
        open(request, stream)?;
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(&text("ACK")).ok()?;
        stay(stream)
    });
    let told = Told::of(&["-x", "hi", "--exit-after", "1"], port, "/");
    assert_eq!((told.text.as_str(), told.status), ("", Some(0)));
}

/// A server that takes only upgrades may drop a plain request, so only an upgrade shows that the
/// proxy no longer reaches it.
#[test]
fn a_proxy_that_lost_the_server_behind_it_is_told() {
    for (later, is_lost) in [(false, true), (true, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let opened = AtomicUsize::new(0);
        let port = serve_all(listener, move |stream| {
            let request = receive(stream);
            let upgrade = String::from_utf8_lossy(&request).contains("Upgrade: websocket");
            if !upgrade || (opened.fetch_add(1, Ordering::Relaxed) > 0 && !later) {
                let bad = b"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n";
                return stream.write_all(bad).ok();
            }
            stream.write_all(switching(&request, "Server: nginx\r\n").as_bytes()).ok()?;
            stream.write_all(&text("one")).ok()?;
            pause(stream, 1300)?;
            stream.write_all(&text("two")).ok()?;
            stream.shutdown(Shutdown::Both).ok()
        });
        let told = Told::of(&["--diagnose", "--input", "none", "-w", "forever"], port, "/");
        let cause = "likely (medium): the server behind the proxy can't be reached any more";
        told.is("W801", if is_lost { cause } else { "restarted, or reloaded" });
    }
}
