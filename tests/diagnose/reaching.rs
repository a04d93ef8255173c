//! The way to the server: name, TCP, TLS, and servers that do not speak HTTP.

use std::net::TcpListener;

use crate::golden::Golden;
use crate::server::{End, Says};

#[test]
fn what_keeps_a_request_from_an_answer_is_explained() {
    let mut golden = Golden::default();
    golden.run("W101", &["ws://nonexistent.invalid/"], "none");
    let closed = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = closed.local_addr().expect("bound").port().to_string();
    drop(closed);
    golden.run("W103", &["ws://127.0.0.1:{port}/"], &port);
    let impatient = ["--handshake-timeout", "100ms"];
    golden.server("W109", &impatient, Says::Bytes(b""), End::Wait);
    for (code, bytes) in [
        ("W107", &b""[..]),
        ("W110", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("W110", b"220 mail.example ESMTP Postfix\r\n"),
        ("W111", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"),
        ("W205", b"\x15\x03\x01\0\x02\x02\x46"),
        ("W348", b"what do you want?\r\n"),
    ] {
        golden.server(code, &[], Says::Bytes(bytes), End::Hang);
    }
    let secure = ["wss://127.0.0.1:{port}/chat"];
    golden.server("W201", &secure, Says::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"), End::Hang);
    golden.server("W202", &secure, Says::Bytes(b""), End::Hang);
    let hurried = [secure[0], "--handshake-timeout", "300ms"];
    golden.server("W203", &hurried, Says::Bytes(b""), End::Wait);
    golden.server("W110", &secure, Says::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n"), End::Hang);
    golden.compare("reaching");
}

#[test]
fn one_more_connection_separates_the_causes() {
    let mut golden = Golden::default();
    let diagnose = |scheme: &'static str| ["--diagnose", scheme];
    let plain = Says::Bytes(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    golden.server("W201", &diagnose("wss://127.0.0.1:{port}/chat"), plain, End::Hang);
    golden.server("W334", &diagnose("ws://127.0.0.1:{port}/chat"), plain, End::Hang);
    golden.compare("diagnose");
}
