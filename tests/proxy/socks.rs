//! SOCKS5 on the port of a forward proxy.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener};

use crate::forward::{Forward, forward};
use crate::raw::{Raw, UPGRADE};
use crate::upstream::{SWITCHED, Upstream, head, read};

/// The next bytes of the proxy.
#[track_caller]
fn receive<const N: usize>(client: &mut Raw) -> [u8; N] {
    let mut bytes = [0; N];
    client.tcp().read_exact(&mut bytes).expect("an answer");
    bytes
}

/// A request for a host as it is written in it.
fn request(kind: u8, host: &[u8], port: u16) -> Vec<u8> {
    [&[5, 1, 0, kind][..], host, &port.to_be_bytes()].concat()
}

/// A client that has chosen no login.
fn greeted(proxy: &Forward) -> Raw {
    let mut client = proxy.raw();
    client.send([5, 1, 0]);
    assert_eq!(receive(&mut client), [5, 0]);
    client
}

#[test]
fn a_server_is_named_by_address_or_name() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let port = upstream.port();
    for (kind, host) in [(1, &[127, 0, 0, 1][..]), (3, b"\x09127.0.0.1"), (3, b"\x09localhost")] {
        let mut client = greeted(&proxy);
        client.send(request(kind, host, port));
        let mut server = upstream.accept();
        let [5, 0, 0, 1, 127, 0, 0, 1, high, low] = receive(&mut client) else {
            panic!("no reply")
        };
        let bound = u16::from_be_bytes([high, low]);
        assert_eq!(bound, server.peer_addr().expect("connected").port());
        client.send("SSH-2.0\r\n");
        assert_eq!(read(&mut server, 9), b"SSH-2.0\r\n");
    }
    proxy.interrupt();
}

#[test]
fn a_recording_keeps_who_connected_to_whom() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.jsonl").display().to_string();
    let (upstream, proxy) = (Upstream::new(), forward(&["--record", &path]));
    let mut client = greeted(&proxy);
    client.send(request(1, &[127, 0, 0, 1], upstream.port()));
    let mut server = upstream.accept();
    receive::<10>(&mut client);
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"));
    head(&mut server);
    server.write_all(SWITCHED.as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    let from = client.tcp().local_addr().expect("connected");
    drop((client, server));
    proxy.interrupt();
    let shown = crate::harness::wscope().args(["show", "--timestamps", "off", &path]).output();
    let shown = String::from_utf8(shown.expect("it runs").stdout).expect("text");
    assert!(shown.contains(&format!("connection from {from} ")), "{shown}");
    assert!(shown.contains(&format!("connected to 127.0.0.1:{} ", upstream.port())), "{shown}");
}

#[test]
fn ipv6_is_reached() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = listener.local_addr().expect("bound").port();
    let proxy = forward(&[]);
    let mut client = greeted(&proxy);
    client.send(request(4, &Ipv6Addr::LOCALHOST.octets(), port));
    let reply: [u8; 22] = receive(&mut client);
    assert_eq!(reply[..4], [5, 0, 0, 4]);
    drop(listener.accept().expect("connected"));
    proxy.interrupt();
}

#[test]
fn bytes_may_come_one_by_one_and_all_at_once() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let asked = request(1, &[127, 0, 0, 1], upstream.port());
    let http = format!("GET / HTTP/1.1\r\nHost: h\r\n{UPGRADE}\r\n");
    let all = [&[5, 2, 2, 0][..], &asked, http.as_bytes()].concat();
    for size in [1, all.len()] {
        let mut client = proxy.raw();
        all.chunks(size).for_each(|part| client.send(part));
        assert_eq!(receive(&mut client), [5, 0]);
        let mut server = upstream.accept();
        assert_eq!(receive::<10>(&mut client)[..2], [5, 0]);
        assert_eq!(head(&mut server), http);
        server.write_all(SWITCHED.as_bytes()).expect("it reads");
        assert_eq!(client.response().status(), 101);
    }
    proxy.interrupt();
}

#[test]
fn a_failure_has_its_code() {
    let proxy = forward(&[]);
    let closed = Upstream::new().port();
    let own = proxy.port();
    for (asked, code) in [
        (request(1, &[127, 0, 0, 1], closed), 5),
        (request(1, &[127, 0, 0, 1], own), 2),
        (request(3, b"\x00", 80), 1),
        (request(3, b"\x03a/b", 80), 1),
        (request(1, &[127, 0, 0, 1], 0), 1),
        (vec![5, 2, 0, 1, 127, 0, 0, 1, 0, 80], 7),
        (vec![5, 3, 0, 1, 127, 0, 0, 1, 0, 80], 7),
        (vec![5, 1, 0, 9], 8),
    ] {
        let mut client = greeted(&proxy);
        client.send(&asked);
        let reply: [u8; 10] = receive(&mut client);
        assert_eq!(reply[..3], [5, code, 0], "{asked:?}");
        assert_eq!(client.rest(), b"");
    }
    proxy.stdout.wait_for("answered 5 by SOCKS5: cannot connect");
    proxy.stdout.wait_for("UDP ASSOCIATE");
    proxy.interrupt();
}

#[test]
fn a_login_is_asked_for_where_there_is_a_user() {
    let (upstream, proxy) = (Upstream::new(), forward(&["-u", "me:s3cret", "--show-secrets"]));
    let mut without = proxy.raw();
    without.send([5, 1, 0]);
    assert_eq!(receive(&mut without), [5, 0xff]);
    for (login, accepted) in
        [(&b"\x01\x02me\x06s3cret"[..], true), (b"\x01\x02me\x06s3creT", false)]
    {
        let mut client = proxy.raw();
        client.send([5, 2, 0, 2]);
        assert_eq!(receive(&mut client), [5, 2]);
        client.send(login);
        assert_eq!(receive(&mut client), [1, u8::from(!accepted)]);
        if accepted {
            client.send(request(1, &[127, 0, 0, 1], upstream.port()));
            assert_eq!(receive::<10>(&mut client)[1], 0);
        } else {
            assert_eq!(client.rest(), b"");
        }
    }
    let said = proxy.interrupt();
    assert!(!said.contains("s3cre") && said.contains("user or the password is wrong"), "{said}");
}

#[test]
fn a_user_that_nobody_asked_for_is_let_in() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let mut client = proxy.raw();
    client.send([&[5, 1, 2][..], b"\x01\x01u\x00"].concat());
    assert_eq!(receive(&mut client), [5, 2, 1, 0]);
    client.send(request(1, &[127, 0, 0, 1], upstream.port()));
    assert_eq!(receive::<10>(&mut client)[1], 0);
    drop(client);
    proxy.interrupt();
}

#[test]
fn a_request_without_end_is_not_waited_for() {
    let proxy = forward(&["--handshake-timeout", "0.3"]);
    let mut client = proxy.raw();
    client.send([5]);
    assert_eq!(client.rest(), b"");
    proxy.stdout.wait_for("no complete SOCKS5 request within the handshake timeout");
    let mut client = greeted(&proxy);
    client.send([6]);
    assert_eq!(client.rest(), b"");
    proxy.stdout.wait_for("the version of SOCKS is 6, not 5");
    proxy.interrupt();
}
