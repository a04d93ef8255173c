//! `wscope ping`: a line for each pong, the summary, the status; the limit on silence.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rustix::process::Signal;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, WebSocket};
use wscope::wire::writer::RawFrame;

use crate::frames::{CLOSE, PING, PONG, frame};
use crate::harness::{Output, Test};
use crate::peer::Peer;
use crate::pty::Session;
use crate::waiting::gate;

#[path = "../ui_json/schema.rs"]
#[allow(dead_code)]
mod schema;

/// Receives pings and answers them until the Close.
fn answer_pings(peer: &mut Peer) {
    peer.open();
    loop {
        let received = peer.receive_frame();
        match received.opcode() {
            PING => peer.frame(pong(&received.payload)),
            CLOSE => return close(peer),
            other => panic!("{other:?}"),
        }
    }
}

fn pong(payload: impl AsRef<[u8]>) -> RawFrame {
    frame(PONG, payload)
}

fn close(peer: &mut Peer) {
    peer.close(1000, "");
    peer.hang_up();
}

#[test]
fn each_pong_has_a_line_and_the_summary_follows() {
    Test::new()
        .args(["ping", "-c", "2", "-i", "0.01", "-s", "5"])
        .peer(|peer| {
            peer.open();
            for payload in ["00001", "00002"] {
                let ping = peer.receive_frame();
                assert_eq!((ping.opcode(), &ping.payload[..]), (PING, payload.as_bytes()));
                peer.frame(pong(payload));
            }
            peer.answer_close(1000);
        })
        .stdout_like(
            "PING ws://127.0.0.1:{port}/: pings of 5 bytes every 0.01 s\n\
             5 bytes from 127.0.0.1:{port}: seq=1 time=[..] ms\n\
             5 bytes from 127.0.0.1:{port}: seq=2 time=[..] ms\n\
             \n\
             --- ws://127.0.0.1:{port}/ ping statistics ---\n\
             2 sent, 2 answered, 0.0 % lost, in [..] s\n\
             round trip min/avg/max/mdev = [..]/[..]/[..]/[..] ms\n",
        )
        .status(0);
}

#[test]
fn a_peer_that_answers_nothing_is_status_12() {
    Test::new()
        .args(["ping", "-c", "1", "-W", "0.05", "-s", "0"])
        .peer(|peer| {
            peer.open();
            assert_eq!(peer.receive_frame().opcode(), PING);
            peer.answer_close(1000);
        })
        .stdout_like(
            "PING [..]\nno pong for seq=1 within 0.05 s\n\n--- [..]\n\
             1 sent, 0 answered, 100.0 % lost, in [..] s\n",
        )
        .status(12);
}

#[test]
fn a_late_pong_and_one_that_answers_no_ping_are_named() {
    Test::new()
        .args(["ping", "-c", "2", "-i", "0.3", "-W", "0.05"])
        .peer(|peer| {
            peer.open();
            let first = peer.receive_frame();
            peer.frame(pong("cut short"));
            // It has been given up by the time the second is sent.
            let second = peer.receive_frame();
            peer.frame(pong(&first.payload));
            peer.frame(pong(&second.payload));
            peer.answer_close(1000);
        })
        .stdout_like(
            "PING [..]\n\
             9 bytes from [..]: a pong whose payload matches no ping\n\
             no pong for seq=1 within 0.05 s\n\
             16 bytes from [..]: seq=1 time=[..] ms, too late\n\
             16 bytes from [..]: seq=2 time=[..] ms\n\n--- [..]\n\
             2 sent, 1 answered, 50.0 % lost, in [..] s\n...\n",
        )
        .stderr("warning[W622]: a pong has a different payload than its ping\n...\n")
        .status(0);
}

#[test]
fn ctrl_c_prints_the_summary() {
    let (key, answered) = gate();
    Test::new()
        .args(["ping", "-i", "1000"])
        .peer(move |peer| {
            peer.open();
            let ping = peer.receive_frame();
            // The answer to a ping of ours proves that the pong before it was received.
            peer.frame(pong(&ping.payload));
            peer.ping("seen?");
            peer.receive_pong("seen?");
            key.open();
            peer.answer_close(1001);
        })
        .signal_after(answered, Signal::INT)
        .stdout_like(
            "PING [..]\n[..]seq=1[..]\n\n--- [..]\n1 sent, 1 answered, 0.0 % lost[..]\n...\n",
        )
        .status(0);
}

#[test]
fn what_ends_the_connection_is_an_error_of_its_own() {
    let lost = Test::new()
        .args(["ping"])
        .peer(|peer| {
            peer.open();
            peer.receive_frame();
            peer.hang_up();
        })
        .stdout_like("PING [..]\n\n--- [..]\n1 sent, 0 answered, 1 not yet answered[..]\n")
        .stderr_any()
        .status(10);
    assert!(lost.stderr().contains("connection lost without a Close frame"), "{lost:?}");
    let refused = Test::new()
        .args(["ping"])
        .peer(|peer| {
            peer.request();
            peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        })
        .stdout_like("PING [..]\n")
        .stderr_any()
        .status(7);
    assert!(refused.stderr().contains("error[W334]"), "{refused:?}");
}

#[test]
fn json_has_an_object_for_each_ping_and_one_for_all() {
    let output = Test::new()
        .args(["ping", "-c", "2", "-i", "0.01", "--output", "json"])
        .peer(answer_pings)
        .stdout_any()
        .status(0);
    let objects = objects(&output);
    let events: Vec<_> = objects.iter().map(|object| object["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["start", "ping", "ping", "ping-summary"]);
    assert_eq!(objects[2]["seq"], 2);
    assert_eq!(objects[2]["outcome"], "answered");
    assert!(objects[2]["rtt_us"].is_u64(), "{objects:?}");
    assert_eq!(objects[3]["answered"], 2);
    assert!(objects[3]["rtt_mdev_us"].is_u64() && objects[3]["end"].is_null(), "{objects:?}");
}

/// The objects, which are those of the schema.
fn objects(output: &Output) -> Vec<serde_json::Value> {
    for line in output.stdout().lines() {
        serde_json::from_str::<schema::Line>(line).expect(line);
    }
    output.stdout().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_terminal_gets_a_histogram_and_a_line_of_time() {
    let mut session = Session::start(&["ping", "-c", "3", "-i", "0.01"], &[], answer_pings);
    session.expect("one after the other");
    let shown = String::from_utf8(session.end(0)).expect("text");
    assert!(shown.contains("up to") && shown.contains('█'), "{shown}");
}

#[test]
fn the_options_of_a_connection_are_those_of_connect() {
    Test::new()
        .args(["ping", "-c", "1", "--subprotocol", "chat", "-u", "me:secret", "-H", "X-A: 1"])
        .peer(|peer| {
            let request = peer.open_with("Sec-WebSocket-Protocol: chat\r\n");
            assert_eq!(request.get("authorization"), Some(&b"Basic bWU6c2VjcmV0"[..]));
            assert_eq!(request.get("x-a"), Some(&b"1"[..]));
            let ping = peer.receive_frame();
            peer.frame(pong(&ping.payload));
            peer.answer_close(1000);
        })
        .stdout_any()
        .status(0);
}

#[test]
fn wrong_numbers_are_wrong_usage() {
    for args in [["-s", "126"], ["-i", "0"], ["-c", "0"], ["-W", "0"]] {
        let output = Test::new()
            .args([&["ping"][..], &args, &["ws://127.0.0.1:1"]].concat())
            .stderr_any()
            .status(2);
        assert!(!output.stderr.is_empty());
    }
}

/// A message that is no echo, then the echoes of an independent server.
#[test]
fn an_echo_is_timed_where_pings_are_not_answered() {
    Test::new()
        .args(["ping", "--echo", "-c", "2", "-i", "0.01", "-s", "20"])
        .server(|listener| {
            let mut server = accept(&listener).expect("a client");
            server.send(Message::text("welcome")).expect("open");
            while let Ok(message) = server.read() {
                if message.is_text() {
                    assert_eq!(message.len(), 20);
                    server.send(message).expect("open");
                }
            }
        })
        .stdout_like(
            "PING [..]: text messages of 20 bytes every 0.01 s\n\
             20 bytes from [..]: seq=1 time=[..] ms\n20 bytes from [..]: seq=2 time=[..] ms\n\n\
             --- [..]\n2 sent, 2 answered, 0.0 % lost, in [..] s\n...\n",
        )
        .status(0);
}

fn accept(listener: &TcpListener) -> Option<WebSocket<TcpStream>> {
    let (tcp, _) = listener.accept().expect("a connection");
    // The last one ends at once.
    tungstenite::accept(tcp).ok()
}

/// The connections of a search that is cut once: a ping at once, three silences, of which the last is
/// cut, and the pings that should cure that.
const CUT: usize = 4;
const CURE: usize = 5;

/// Serves clients one after the other: answers their pings, but for those that are to be ended at
/// once. What is tried is decided by order, so that no clock of this side counts.
fn cuts(
    cut: &'static [usize],
    end: impl Fn(&mut WebSocket<TcpStream>),
) -> impl FnOnce(TcpListener) {
    move |listener| {
        let mut number = 0;
        while let Some(mut server) = accept(&listener) {
            number += 1;
            if cut.contains(&number) {
                end(&mut server);
                continue;
            }
            let why = loop {
                if let Err(error) = server.read() {
                    break error;
                }
            };
            assert!(matches!(why, Error::ConnectionClosed), "{why}");
        }
    }
}

fn search(serve: impl FnOnce(TcpListener) + Send + 'static, lines: &str) {
    Test::new()
        .args(["ping", "--idle-limit", "-i", "0.5", "-W", "20"])
        .server(serve)
        .stdout_like(format!(
            "idle for 0.5 s: open, answered in [..] ms\n\
             idle for 1 s: open, answered in [..] ms\n{lines}"
        ))
        .status(0);
}

#[test]
fn the_idle_limit_of_a_server_that_closes() {
    let close = |server: &mut WebSocket<TcpStream>| {
        let code = 4000.into();
        server.close(Some(CloseFrame { code, reason: "idle".into() })).expect("it is open");
        while server.read().is_ok() {}
    };
    search(
        cuts(&[CUT], close),
        "idle for 2 s: ended after [..] s: the peer sent 4000 \"idle\"\n\
         the connection is closed after [..] s idle: the peer sent 4000 \"idle\"\n\
         the timer belongs to the WebSocket server, or to a WebSocket gateway\n\
         a ping every [..] s prevents it, as tested (--ping-interval [..])\n",
    );
}

#[test]
fn the_idle_limit_of_a_proxy_that_ends_tcp() {
    search(
        cuts(&[CUT], |_| ()),
        "idle for 2 s: ended after [..] s: FIN without a Close frame\n\
         the connection is closed after [..] s idle: FIN without a Close frame\n\
         the timer belongs to a proxy, [..]\na ping every [..] s prevents it, [..]\n",
    );
}

#[test]
fn the_idle_limit_of_a_load_balancer_that_resets() {
    let reset = |server: &mut WebSocket<TcpStream>| {
        rustix::net::sockopt::set_socket_linger(server.get_ref(), Some(Duration::ZERO))
            .expect("a TCP socket");
    };
    search(
        cuts(&[CUT], reset),
        "idle for 2 s: ended after [..] s: a reset\n\
         the connection is closed after [..] s idle: a reset\n\
         the timer belongs to a load balancer [..]\na ping every [..] s prevents it, [..]\n",
    );
}

/// Serves clients by a script, until one ends before it asks.
fn each(script: impl Fn(&mut Peer)) -> impl FnOnce(TcpListener) {
    move |listener| {
        loop {
            let (tcp, _) = listener.accept().expect("a connection");
            if matches!(tcp.peek(&mut [0]), Ok(0) | Err(_)) {
                return;
            }
            script(&mut Peer::new(tcp));
        }
    }
}

/// A path that forgets a connection: what comes after a silence of 0.6 s or more is swallowed.
#[test]
fn a_path_that_dies_without_a_sign_is_found_by_bisection() {
    // At once, 0.2, 0.4, 0.8, 0.6, 0.5 and 0.55 s, and what should cure it.
    let numbers = std::cell::Cell::new(0);
    let forgetful = move |peer: &mut Peer| {
        peer.open();
        numbers.set(numbers.get() + 1);
        let forgotten = [4, 5].contains(&numbers.get());
        loop {
            let received = peer.receive_frame();
            match received.opcode() {
                PING if forgotten => {}
                PING => peer.frame(pong(&received.payload)),
                _ => return close(peer),
            }
        }
    };
    let output = Test::new()
        .args(["ping", "--idle-limit", "-i", "0.2", "-W", "2", "--output", "json"])
        .server(each(forgetful))
        .stdout_any()
        .status(0);
    let objects = objects(&output);
    let found = objects.last().expect("an object");
    assert_eq!((&found["event"], &found["sign"]), (&"idle-limit".into(), &"unanswered".into()));
    let micros = |name: &str| found[name].as_u64().expect("a number");
    assert_eq!((micros("allowed_us"), micros("cut_us")), (550_000, 600_000), "{found}");
    assert_eq!(found["cures"], true, "{found}");
    let kinds: Vec<_> = objects.iter().filter_map(|object| object["outcome"].as_str()).collect();
    assert_eq!(kinds, ["open", "open", "dead", "dead", "open", "open"]);
}

/// A timer of the application: pings do not count.
#[test]
fn a_ping_that_cures_nothing_is_said_to_cure_nothing() {
    search(
        cuts(&[CUT, CURE], |_| ()),
        "idle for 2 s: ended after [..] s: FIN without a Close frame\n\
         the connection is closed after [..] s idle: FIN without a Close frame\n[..]\n\
         a ping every [..] s does not prevent it, as tested: the timer counts only messages, \
         or the connection's age\n",
    );
}

#[test]
fn a_silence_that_is_not_cut_is_bounded_by_the_time() {
    Test::new()
        .args(["ping", "--idle-limit", "-i", "0.1", "-W", "2", "--max-time", "4"])
        .server(cuts(&[], |_| ()))
        .stdout_like(
            "idle for 0.1 s: open, answered in [..] ms\n...\n\
             idle for [..] s is allowed; longer times were not tried (--max-time)\n",
        )
        .status(0);
}

#[test]
fn a_peer_that_answers_no_ping_has_no_limit_to_find() {
    Test::new()
        .args(["ping", "--idle-limit", "-W", "0.05"])
        .peer(|peer| {
            peer.open();
            assert_eq!(peer.receive_frame().opcode(), PING);
            peer.answer_close(1000);
        })
        .stderr("wscope: the peer answered no ping: try --echo\n")
        .status(12);
}

#[test]
fn a_search_that_has_no_time_for_a_silence_is_an_error() {
    Test::new()
        .args(["ping", "--idle-limit", "-i", "1", "-W", "2", "--max-time", "2"])
        .server(cuts(&[], |_| ()))
        .stdout("")
        .stderr(
            "wscope: no idle time was tested: the first test takes 3 s, including the wait for its answer; \
             raise --max-time, or lower --interval or --pong-timeout\n",
        )
        .status(12);
}

#[test]
fn max_time_is_the_end_although_the_close_is_not_answered() {
    let began = std::time::Instant::now();
    Test::new()
        .args(["ping", "-i", "0.1", "--max-time", "1"])
        .peer(|peer| {
            peer.open();
            // Nothing is answered, neither pings nor the Close.
            while peer.tcp().read(&mut [0; 1000]).is_ok_and(|n| n > 0) {}
        })
        .stdout_any()
        .stderr_any()
        .status(12);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
