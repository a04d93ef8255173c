//! Bounds: connections, memory, and an end that takes nothing.

use std::io::{Read, Write};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::frames;
use crate::harness::listen;
use crate::raw::UPGRADE;
use crate::upstream::{Upstream, proxy};

/// Bytes of memory that a process has.
fn memory(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}

#[test]
fn an_end_that_takes_nothing_holds_the_other_back() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--output", "none"]);
    let (client, mut server) = upstream.open(&proxy);
    let before = memory(proxy.pid());
    server.set_write_timeout(Some(Duration::from_millis(500))).expect("a time");
    let piece = frames::bytes([frames::frame(frames::BINARY, vec![0; 1 << 20])]);
    let mut sent = 0;
    while sent < 200 && server.write_all(&piece).is_ok() {
        sent += 1;
    }
    assert!(sent < 100, "the server was not held back");
    let grown = memory(proxy.pid()).saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes more");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn an_end_that_paused_gets_the_rest() {
    for output in ["none", "frames"] {
        let upstream = Upstream::new();
        let proxy = upstream.proxy(&["--output", output]);
        let (client, mut server) = upstream.open(&proxy);
        server.set_write_timeout(Some(Duration::from_millis(500))).expect("a time");
        let piece = frames::bytes([frames::frame(frames::BINARY, vec![0; 1 << 20])]);
        let mut sent = 0;
        while let Ok(n) = server.write(&piece[sent % piece.len()..]) {
            sent += n;
        }
        // The server sends nothing more: only the client's reading brings the rest.
        let mut rest = vec![0; sent];
        client.tcp().read_exact(&mut rest).expect("all that was sent");
        assert!(rest.chunks(piece.len()).all(|got| piece.starts_with(got)), "in order");
        drop((client, server));
        proxy.interrupt();
    }
}

#[test]
fn too_much_memory_resets_the_slowest() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--output", "none", "--max-memory", "1M"]);
    let mut ends = Vec::new();
    for _ in 0..8 {
        let (client, server) = upstream.open(&proxy);
        server.set_write_timeout(Some(Duration::from_millis(200))).expect("a time");
        ends.push((client, server));
        let piece = frames::bytes([frames::frame(frames::BINARY, vec![0; 1 << 20])]);
        let server = &mut ends.last_mut().expect("one").1;
        while server.write_all(&piece).is_ok() {}
    }
    proxy.stderr.wait_for("reset: too slow, more than 1 MiB are queued");
    drop(ends);
    proxy.interrupt();
}

#[test]
fn beyond_max_clients_there_is_503() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--max-clients", "1"]);
    let one = upstream.open(&proxy);
    let response = proxy.raw().ask("/", UPGRADE);
    assert_eq!(response.status(), 503);
    let body = &response.body;
    assert!(body.starts_with("this proxy already has 1 client, its maximum"), "{body}");
    drop(one);
    proxy.interrupt();
}

#[test]
fn a_thousand_idle_connections_take_little() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).expect("as many as may be");
    if limit.maximum.is_some_and(|most| most < 5000) {
        return;
    }
    let server = listen(["--echo", "-q"]);
    let proxy = proxy(server.url(), &["--output", "none", "-q"]);
    let before = memory(proxy.pid());
    let mut clients: Vec<_> = (0..1000).map(|_| proxy.client()).collect();
    for client in &mut clients {
        crate::harness::echoes(client, "here");
    }
    let grown = memory(proxy.pid()).saturating_sub(before);
    assert!(grown < 20 << 20, "{grown} bytes for 1,000 connections");
    drop(clients);
    proxy.interrupt();
    server.interrupt();
}
