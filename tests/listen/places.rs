//! Where it listens: ports, addresses, Unix sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

use tempfile::TempDir;

use crate::harness::{Server, listen, wscope};
use crate::raw::UPGRADE;

#[test]
fn loopback_alone_unless_asked_otherwise() {
    let server = listen(["--echo"]);
    assert!(server.url().starts_with("ws://127.0.0.1:"), "{}", server.url());
    server.still_echoes();
    // And IPv6, where this machine has it.
    if TcpListener::bind("[::1]:0").is_ok() {
        server.stderr.wait_for(&format!("listening on ws://[::1]:{}/", server.port()));
        TcpStream::connect(("::1", server.port())).expect("IPv6");
    }
    server.interrupt();
}

#[test]
fn all_addresses_with_a_warning() {
    let server = Server::start(wscope().args(["listen", "--echo", ":0"]));
    server.still_echoes();
    let output = server.interrupt();
    assert!(output.stderr.contains("other machines can connect"), "{}", output.stderr);
    assert!(output.stderr.contains("web pages of any site can connect"), "{}", output.stderr);
    for admission in [["--origin", "*"], ["--origin", "https://a.example"], ["-u", "a:b"]] {
        let server = Server::start(wscope().args(["listen", "--echo", ":0"]).args(admission));
        let output = server.interrupt();
        assert!(!output.stderr.contains("every site"), "{admission:?}: {}", output.stderr);
    }
}

#[test]
fn a_process_is_not_for_every_page() {
    for address in [":0", "0.0.0.0:0", "[::]:0"] {
        let output = wscope().args(["listen", "--exec", "cat", address]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{address}: {said}");
        assert!(said.starts_with("wscope: with --exec, every web page"), "{said}");
    }
    let folder = TempDir::new().expect("a folder");
    let socket = folder.path().join("s");
    let socket = socket.to_str().expect("text");
    for args in [
        &["127.0.0.2:0"][..],
        &["--unix-socket", socket],
        &["--origin", "*", ":0"],
        &["--origin", "https://a.example", ":0"],
        &["-u", "a:b", ":0"],
        &["--bearer", "t", ":0"],
    ] {
        let server = Server::start(wscope().args(["listen", "--exec", "cat"]).args(args));
        server.interrupt();
    }
}

#[test]
fn a_short_flag_is_the_same() {
    let server = Server::start(wscope().args(["-l", "127.0.0.1:0", "--echo"]));
    server.still_echoes();
    server.interrupt();
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = wscope().args(["listen", "--echo", &port]).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("can't listen on 127.0.0.1:{port}: ")), "{said}");
}

#[test]
fn no_place_is_wrong_usage() {
    for args in
        [&["listen"][..], &["listen", "nowhere"], &["listen", "::1:9"], &["listen", "70000"]]
    {
        let output = wscope().args(args).output().expect("the binary");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn json_reports_where_on_stdout() {
    let server = listen(["--echo", "--output", "json"]);
    let said = server.stdout.wait_for("\"event\":\"listening\"");
    assert!(said.contains(&format!("\"url\":\"{}\"", server.url())), "{said}");
    server.interrupt();
}

#[test]
fn a_unix_socket_lives_as_long_as_its_server() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("socket");
    // The rest of a server that ended without removing it.
    drop(UnixListener::bind(&path).expect("a socket"));
    let start = || {
        let mut command = wscope();
        command.args(["listen", "--echo", "--unix-mode", "640", "--unix-socket"]).arg(&path);
        Server::start(&mut command)
    };
    let server = start();
    assert_eq!(server.url(), format!("ws+unix:{}", path.display()));
    let file = std::fs::metadata(&path).expect("a file");
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o640);
    let mut client = UnixStream::connect(&path).expect("it listens");
    write!(client, "GET / HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n").expect("it reads");
    client.write_all(b"\x81\x82\x01\x01\x01\x01\x69\x68").expect("it reads");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\x81\x02hi") {
        assert_eq!(client.read(&mut byte).expect("an answer"), 1);
        answer.push(byte[0]);
    }
    server.stderr.wait_for("[1] joined: a local client /");

    // A second one does not take it over.
    let output = wscope().args(["listen", "--unix-socket"]).arg(&path).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another program listens there"));
    server.interrupt();
    assert!(!path.exists(), "it is removed at the end");
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("notes");
    std::fs::write(&path, "keep").expect("a disk");
    let output = wscope().args(["listen", "--unix-socket"]).arg(&path).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "keep");
}
