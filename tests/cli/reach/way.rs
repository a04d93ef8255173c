//! Other addresses, other destinations, Unix sockets, the head exactly as it is wanted.

use std::os::unix::net::UnixListener;
use std::thread;

use super::{client, hello, values};
use crate::harness::Test;
use crate::peer::Peer;

#[test]
fn a_name_is_given_an_address() {
    let resolve = "server.invalid:{port}:127.0.0.1";
    client(["--resolve", resolve, "ws://server.invalid:{port}/"])
        .peer(hello)
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn another_place_is_asked_for_the_same_host() {
    client(["--connect-to", "server.invalid:80:127.0.0.1:{port}", "ws://server.invalid/"])
        .peer(|p| {
            let request = p.open();
            assert_eq!(values(&request, "Host"), ["server.invalid"]);
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn connections_leave_from_an_address() {
    client(["--interface", "127.0.0.9"])
        .peer(|p| {
            assert_eq!(p.tcp().peer_addr().expect("a peer").ip().to_string(), "127.0.0.9");
            p.open();
            p.close_first(1000, "done");
        })
        .status(0);
}

#[test]
fn a_unix_socket_is_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        // The script's hands want a TCP socket beside what they read and write.
        let beside = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let tcp = std::net::TcpStream::connect(beside.local_addr().expect("bound"));
        let mut p = Peer::over(Box::new(stream), tcp.expect("loopback"));
        let request = p.open();
        assert_eq!(values(&request, "Host"), ["server.invalid"]);
        p.text("Hello");
        p.close(1000, "");
        p.receive_close(1000);
    });
    let path = path.to_str().expect("a path");
    let output = client(["-v", "--unix-socket", path, "ws://server.invalid/"])
        .stdout("Hello\n")
        .stderr_any()
        .status(0);
    server.join().expect("a server that was asked");
    assert!(output.stderr().contains(&format!("connected to {path} from a Unix socket")));
    client(["--unix-socket", "/nonexistent/socket", "ws://server.invalid/"])
        .stderr("wscope: cannot connect to the Unix socket /nonexistent/socket: no such file or directory (W106)\n\nhelp: [..]\n")
        .status(4);
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a disk");
    client(["--unix-socket", file.to_str().expect("a path"), "ws://server.invalid/"])
        .stderr(
            "wscope: [..]: connection refused (W103)\n\nhelp: this is a file, not a socket: [..]\n",
        )
        .status(4);
}

#[test]
fn host_path_and_order_are_as_they_are_given() {
    let head = |args: &[&str]| {
        let output = Test::new()
            .args(["--dry-run", "-q", "--http-header-order", "User-Agent,host", "--path-as-is"])
            .args(args.iter().copied())
            .args(["--host", "other.example", "ws://a.example/b/../c?%7e{}"])
            .stdout_any()
            .status(0);
        output.stdout().to_owned()
    };
    let text = head(&[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "GET /b/../c?%7e{} HTTP/1.1");
    assert!(lines[1].starts_with("User-Agent: wscope/"), "{text}");
    assert_eq!((lines[2], lines[3]), ("Host: other.example", "Upgrade: websocket"));
    let text = head(&["-H", "X: 1", "-H", "Host: a", "--http-header-order", "given"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[1], lines[2], lines[3]), ("X: 1", "Host: a", "Host: other.example"));
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_that_is_not_there_is_named_and_no_riddle_of_the_network() {
    client(["--interface", "none-such", "ws://127.0.0.1:9/"])
        .stderr("wscope: cannot connect to 127.0.0.1:9: the network interface none-such: no such device\nerror[W106]: [..]\n...\n")
        .status(4);
    client(["--interface", "192.0.2.9", "ws://127.0.0.1:9/"])
        .stderr("wscope: cannot connect to 127.0.0.1:9: 192.0.2.9, given as --interface, is not an address of this machine\nerror[W106]: [..]\n...\n")
        .status(4);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = taken.local_addr().expect("bound").port().to_string();
    client(["--interface", "127.0.0.1", "--local-port", &port, "ws://127.0.0.1:9/"])
        .stderr("wscope: cannot connect to 127.0.0.1:9: each port of --local-port is in use on this machine\nerror[W106]: [..]\n...\n")
        .status(4);
}
