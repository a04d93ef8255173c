//! `--fault`: what goes wrong on purpose towards either end.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use wscope::event::Direction;
use wscope::wire::Role;
use wscope::wire::fault::{FaultInfo, FaultKind};

use crate::frames::{self, CLOSE, PING, PONG, TEXT};
use crate::harness::wscope;
use crate::raw::UPGRADE;
use crate::rules::{Peer, masked, text};
use crate::upstream::{SWITCHED, Upstream, head, read};
use crate::waiting::join;

#[test]
fn a_fault_comes_towards_the_end_that_is_named() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--fault", "masked", "--fault", "> unmasked@message:1"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let mut first = [0; 2];
    client.tcp().try_clone().expect("a descriptor").read_exact(&mut first).expect("a frame");
    assert_eq!((first[0], first[1] & 0x80), (0x81, 0x80), "text, masked");
    let one = text("before");
    client.send(&one);
    assert_eq!(read(&mut server, one.len()), one);
    server.write_all(&frames::bytes([frames::frame(TEXT, "one")])).expect("it reads");
    let bare = read(&mut server, 2);
    assert_eq!((bare[0], bare[1] & 0x80), (0x81, 0), "text, not masked");
    drop((client, server));
    let said = proxy.stdout.wait_for("on the wire)");
    for name in ["fault masked: ", "fault unmasked: ", "(injected)"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    proxy.interrupt();
}

#[test]
fn the_101_is_changed() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--fault", "accept-missing"]);
    let mut client = proxy.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    let hello = frames::bytes([frames::frame(TEXT, "hello")]);
    server.write_all(&[SWITCHED.as_bytes(), &hello].concat()).expect("it reads");
    let response = client.response();
    assert_eq!((response.status(), response.header("Sec-WebSocket-Accept")), (101, None));
    assert_eq!(client.receive_frame(), (TEXT, b"hello".to_vec()));
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn streams_end_where_it_was_asked_for() {
    for (fault, ends) in
        [("fin:bytes=12", Ok(0)), ("rst:bytes=12", Err(ErrorKind::ConnectionReset))]
    {
        let upstream = Upstream::new();
        let proxy = upstream.proxy(&["--fault", fault]);
        let (client, mut server) = upstream.open(&proxy);
        server
            .write_all(&frames::bytes([frames::frame(TEXT, "a text of 20 letters")]))
            .expect("it reads");
        let mut tcp = client.tcp().try_clone().expect("a descriptor");
        let mut all = Vec::new();
        let end = loop {
            let mut buffer = [0; 100];
            match tcp.read(&mut buffer) {
                Ok(0) => break Ok(0),
                Ok(n) => all.extend_from_slice(&buffer[..n]),
                Err(error) => break Err(error.kind()),
            }
        };
        assert_eq!(end, ends, "{fault}");
        assert!(all.len() <= 12 && (end.is_err() || all.len() == 12), "{fault}: {all:?}");
        drop((client, tcp, server));
        proxy.interrupt();
    }
}

#[test]
fn pongs_and_closes_do_not_pass() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--fault", "no-pong", "--fault", "no-close-answer"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let sent = [
        frames::frame(PONG, "p"),
        frames::frame(PING, "q"),
        frames::frame(CLOSE, frames::close_payload(1000, "")),
    ];
    server.write_all(&frames::bytes(sent)).expect("it reads");
    assert_eq!(client.receive_frame(), (PING, b"q".to_vec()));
    drop(server);
    assert!(client.rest().is_empty());
    proxy.interrupt();
}

#[test]
fn silence_and_slowness() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--fault", "silence@message:1", "--fault", "> drip:20ms"]);
    let (mut client, mut server) = upstream.open(&proxy);
    server.write_all(&frames::bytes([frames::frame(TEXT, "before")])).expect("it reads");
    assert_eq!(client.receive_frame(), (TEXT, b"before".to_vec()));
    let began = Instant::now();
    client.send(text("drip"));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(TEXT, "drip");
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    proxy.stdout.wait_for("fault silence");
    server.write_all(&frames::bytes([frames::frame(TEXT, "never")])).expect("it reads");
    client.send(frames::bytes([masked(frames::frame(TEXT, "two"))]));
    at_server.expect(TEXT, "two");
    drop((server, at_server));
    // Nor does the end, until the client ends.
    client.hang_up();
    assert!(client.rest().is_empty());
    proxy.interrupt();
}

/// Whatever goes wrong, it is reported, and the proxy goes on.
fn comes(role: Role, info: &FaultInfo) {
    let upstream = Upstream::new();
    let direction = if role == Role::Client { "> " } else { "" };
    let name = if info.name == "deflate-bomb" { "deflate-bomb:1000000" } else { info.name };
    let proxy = upstream.proxy(&["--fault", &format!("{direction}{name}"), "--output", "json"]);
    let mut client = proxy.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    let mut server = upstream.accept();
    head(&mut server);
    server.write_all(SWITCHED.as_bytes()).expect("it reads");
    proxy.stdout.wait_for(&format!("fault {}: ", info.name));
    client.try_send(text("on"));
    drop((client, server));
    proxy.stdout.wait_for("\"event\":\"end\"");
    let output = proxy.interrupt();
    assert!(!output.stderr.contains("panic"), "{}: {}", info.name, output.stderr);
}

#[test]
fn every_fault_of_the_table_but_those_instead_of_the_101_comes() {
    let mut all = Vec::new();
    for role in [Role::Client, Role::Server] {
        let fit =
            |info: &&FaultInfo| !matches!(info.kind, FaultKind::Answer(_) | FaultKind::Pace(_));
        all.extend(FaultInfo::of(role).filter(fit).map(|info| (role, info)));
    }
    assert!(all.len() > 60, "{}", all.len());
    let parts = all.chunks(all.len().div_ceil(4)).map(|part| {
        let part = part.to_vec();
        thread::spawn(move || part.into_iter().for_each(|(role, info)| comes(role, info)))
    });
    parts.collect::<Vec<_>>().into_iter().for_each(join);
}

#[test]
fn what_is_no_fault_of_a_proxy_is_wrong_usage() {
    for (fault, why) in [
        ("status:503", "--rule '> -> reject 503' answers a request"),
        ("delay", "the proxy forwards the 101 when it arrives"),
        ("random", "name the fault"),
        ("> masked", "a client masks all its frames"),
        ("nonsense", "unknown fault"),
    ] {
        let args = ["proxy", "0", "--to", "ws://127.0.0.1:9", "--fault", fault];
        let run = wscope().args(args).output().expect("a run");
        assert_eq!(run.status.code(), Some(2), "{fault}");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.contains(why), "{fault}: {said}");
    }
}
