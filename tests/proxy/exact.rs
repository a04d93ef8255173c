//! What one end sends is what the other receives: every byte, in order, and the end.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use wscope::event::Direction;
use wscope::wire::Role;
use wscope::wire::fault::FaultInfo;
use wscope::wire::writer::RawFrame;

use crate::frames::{self, BINARY, CLOSE, TEXT};
use crate::harness::{Server, listen, wscope};
use crate::raw::UPGRADE;
use crate::upstream::{SWITCHED, Tap, Upstream, head, proxy, read};
use crate::waiting::join;

/// Sends both ways at once, ends both streams, and gives what arrived.
pub fn exchange(to_server: &[u8], to_client: &[u8], args: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(args);
    let (client, server) = upstream.open(&proxy);
    let client = client.tcp().try_clone().expect("a descriptor");
    let both = |tcp: TcpStream, bytes: &[u8]| {
        let (mut writer, bytes) = (tcp.try_clone().expect("a descriptor"), bytes.to_vec());
        let writing = thread::spawn(move || {
            for piece in bytes.chunks(1 + bytes.len() / 7) {
                writer.write_all(piece).expect("it is read");
            }
            writer.shutdown(Shutdown::Write).expect("open");
        });
        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            (&tcp).read_to_end(&mut all).expect("an end in order");
            all
        });
        (writing, reading)
    };
    let (client_writes, client_reads) = both(client, to_server);
    let (server_writes, server_reads) = both(server, to_client);
    join(client_writes);
    join(server_writes);
    let arrived = (join(server_reads), join(client_reads));
    proxy.interrupt();
    arrived
}

#[track_caller]
pub fn same(what: &str, one: &[u8], other: &[u8]) {
    let differs = one.iter().zip(other).position(|(a, b)| a != b);
    assert!(one == other, "{what}: {} and {} bytes, {differs:?}", one.len(), other.len());
}

#[test]
fn random_bytes_pass_both_ways_whoever_looks() {
    let (up, down) = (frames::noise(3_000_000), frames::noise(2_500_001));
    for args in [&["--output", "none"][..], &["--output", "json"], &["-vv"]] {
        let (at_server, at_client) = exchange(&up, &down, args);
        same("to the server", &at_server, &up);
        same("to the client", &at_client, &down);
    }
}

#[test]
fn legal_and_illegal_frames_pass_as_they_are() {
    let masked = |frame| frames::towards(Direction::ToServer, frame);
    let mut up = Vec::new();
    for frame in [
        masked(frames::fragment(TEXT, "frag")),
        masked(frames::frame(frames::PING, "p")),
        masked(frames::frame(frames::CONTINUATION, "ment")),
        // Unmasked, reserved, with RSV bits, with a length that is not minimal.
        frames::frame(TEXT, "bare"),
        RawFrame { rsv1: true, rsv3: true, ..masked(frames::frame(BINARY, [0xff; 200])) },
        masked(frames::frame(BINARY, frames::noise(70_000))),
        masked(frames::frame(CLOSE, [3])),
        masked(frames::frame(TEXT, "after the close")),
    ] {
        frame.write(&mut up);
    }
    up.extend([0x82, 0xfe, 0, 1, 1, 2, 3, 4, 5]);
    up.extend([0x81, 0xff, 0x80]);
    let down = [frames::bytes([frames::frame(TEXT, "x")]), frames::noise(100)].concat();
    let (at_server, at_client) = exchange(&up, &down, &["-v"]);
    same("to the server", &at_server, &up);
    same("to the client", &at_client, &down);
}

#[test]
fn early_frames_of_the_client_and_of_the_server_pass() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let early = frames::bytes([frames::towards(Direction::ToServer, frames::frame(TEXT, "early"))]);
    let mut client = proxy.raw();
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n");
    client.send([request.as_bytes(), &early].concat());
    let mut server = upstream.accept();
    head(&mut server);
    same("before the 101", &read(&mut server, early.len()), &early);
    let hello = frames::bytes([frames::frame(TEXT, "hello")]);
    server.write_all(&[SWITCHED.as_bytes(), &hello].concat()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    assert_eq!(client.receive_frame(), (TEXT, b"hello".to_vec()));
    proxy.stdout.wait_for("early");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn a_transcript_in_a_file_does_not_stop_a_long_stream() {
    const MUCH: usize = 100_000;
    let upstream = Upstream::new();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("UTF-8");
    let url = format!("ws://127.0.0.1:{}", upstream.port());
    let line = "exec \"$0\" proxy 0 --to \"$1\" > \"$2\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line, env!("CARGO_BIN_EXE_wscope"), &url, path]);
    let proxy = Server::start(&mut shell);
    let (mut client, mut server) = upstream.open(&proxy);
    let stream = frames::bytes([frames::frame(TEXT, "a line of some length")]).repeat(MUCH);
    let expected = stream.len();
    let sender = thread::spawn(move || server.write_all(&stream).map(|()| server));
    for _ in 0..MUCH {
        assert_eq!(client.receive_frame().1.len(), 21);
    }
    drop((client, join(sender).expect("all is read")));
    assert!(file.path().metadata().expect("it is there").len() > expected as u64);
    proxy.interrupt();
}

#[test]
fn the_server_may_stand_behind_the_port() {
    let upstream = Upstream::new();
    let url = format!("ws://127.0.0.1:{}", upstream.port());
    let proxy = Server::start(wscope().args(["proxy", "-q", "0", &url]));
    let (mut client, mut server) = upstream.open(&proxy);
    client.send(frames::bytes([frames::towards(Direction::ToServer, frames::frame(TEXT, "hi"))]));
    assert_eq!(read(&mut server, 8).len(), 8);
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn an_answer_is_reported_behind_what_it_answers() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--timestamps", "off"]);
    let hello = frames::bytes([frames::frame(TEXT, "hello")]);
    let reply = frames::bytes([frames::towards(Direction::ToServer, frames::frame(TEXT, "reply"))]);
    for _ in 0..200 {
        let mut client = proxy.raw();
        client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
        let mut server = upstream.accept();
        head(&mut server);
        server.write_all(&[SWITCHED.as_bytes(), &hello].concat()).expect("it reads");
        assert_eq!(client.response().status(), 101);
        assert_eq!(client.receive_frame(), (TEXT, b"hello".to_vec()));
        client.send(&reply);
        assert_eq!(read(&mut server, reply.len()), reply);
    }
    let said = proxy.stdout.wait_for("> [200] #1 TEXT F-M 5 reply");
    for conn in 1..=200 {
        let at = |what: &str| said.find(&format!("[{conn}] #1 TEXT {what}")).expect("a frame");
        assert!(at("F-- 5 hello") < at("F-M 5 reply"), "{said}");
    }
    proxy.interrupt();
}

#[test]
fn each_end_ends_for_itself() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let (mut client, mut server) = upstream.open(&proxy);
    client.hang_up();
    let mut nothing = Vec::new();
    server.read_to_end(&mut nothing).expect("the client's end");
    assert!(nothing.is_empty());
    server.write_all(&frames::bytes([frames::frame(TEXT, "still")])).expect("our side is open");
    assert_eq!(client.receive_frame(), (TEXT, b"still".to_vec()));
    drop(server);
    assert!(client.rest().is_empty());
    let said = proxy.stdout.wait_for("the client sent 0 frames");
    assert!(
        said.contains("the client broke the connection: it ended its stream without a Close"),
        "{said}"
    );
    proxy.interrupt();
}

#[test]
fn a_reset_is_passed_on() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&[]);
    let (client, server) = upstream.open(&proxy);
    rustix::net::sockopt::set_socket_linger(&server, Some(Duration::ZERO)).expect("a socket");
    drop(server);
    let error = client.tcp().try_clone().expect("a descriptor").read(&mut [0; 10]);
    assert_eq!(error.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
    let said = proxy.stdout.wait_for("broke the connection");
    assert!(said.contains("the server, or a device between it and this proxy"), "{said}");
    proxy.interrupt();
}

/// Whoever does something wrong on purpose, what passes before the proxy passes behind it.
fn fault_passes(role: Role, name: &str) {
    // What takes seconds to inflate shows nothing more.
    let name = if name == "deflate-bomb" { "deflate-bomb:1000000" } else { name };
    let fault = |faulty: Role| if role == faulty { vec!["--fault", name] } else { Vec::new() };
    let server = listen([&["--echo", "-q"][..], &fault(Role::Server)].concat());
    let behind = Tap::before(server.port());
    let to = format!("ws://127.0.0.1:{}", behind.port);
    // A client waits for the server's side of it; nobody waits for ever.
    let proxy = proxy(&to, &["--keep-host"]);
    let before = Tap::before(proxy.port());
    let url = format!("ws://127.0.0.1:{}", before.port);
    let mut client = wscope();
    client.args([url.as_str(), "-x", "hello", "-w", "0.2", "-q", "--close-timeout", "0.3"]);
    client.args(["--max-time", "1.5"]).args(fault(Role::Client));
    let hurried = client.output().expect("a run").status.code() == Some(12);
    server.signal(Signal::KILL);
    let output = proxy.interrupt();
    let pairs = before.kept().into_iter().zip(behind.kept());
    for ((before, behind), what) in pairs.zip(["to the server", "to the client"]) {
        // An end that is no end in order, or ours, may cut what was on its way.
        let (sent, arrived) = match what {
            "to the server" => (before, behind),
            _ => (behind, before),
        };
        if sent.is_empty() && arrived.starts_with(b"HTTP/1.1 502 ") {
            continue;
        }
        assert!(sent.starts_with(&arrived), "{name}: other bytes {what}");
        // Who has failed the connection, has ended its stream or has no more time takes no more (the server is killed
        // too), and an end without order may cut what was on its way.
        let cut = sent.len() - arrived.len();
        let may_cut =
            hurried || what == "to the server" || sent.len() > 100_000 || name.starts_with("rst");
        assert!(cut == 0 || may_cut, "{name} of the {role:?}: {cut} bytes less {what}");
    }
    assert!(!output.stderr.contains("panic"), "{}", output.stderr);
}

#[test]
fn every_fault_of_the_table_passes_as_it_is() {
    let mut all = Vec::new();
    for role in [Role::Client, Role::Server] {
        all.extend(FaultInfo::of(role).map(|info| (role, info.name)));
    }
    assert!(all.len() > 50, "{all:?}");
    let parts = all.chunks(all.len().div_ceil(4)).map(|part| {
        let part = part.to_vec();
        thread::spawn(move || part.into_iter().for_each(|(role, name)| fault_passes(role, name)))
    });
    parts.collect::<Vec<_>>().into_iter().for_each(join);
}

#[test]
fn compressed_messages_pass_and_are_shown_inflated() {
    let server = listen(["--echo"]);
    let proxy: Server = proxy(server.url(), &[]);
    let mut command = crate::harness::wscope();
    let text = "compress me ".repeat(50);
    let client = command.args([proxy.url(), "-x", &text, "-w", "0.2"]).output().expect("a run");
    assert_eq!(String::from_utf8_lossy(&client.stdout), format!("{text}\n"));
    let said = proxy.stdout.wait_for("the client closed with");
    assert_eq!(said.matches("→600").count(), 2, "{said}");
    proxy.interrupt();
    server.interrupt();
}
