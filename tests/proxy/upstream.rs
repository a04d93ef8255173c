//! What stands behind the proxy: a socket in the hands of the test, or a tap before a program.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::harness::{Server, wscope};
use crate::raw::Raw;
use crate::waiting::DEADLINE;

/// A 101 for the key of the raw client.
pub const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
     Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A server whose connections the test takes itself.
pub struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    pub fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("loopback") }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("bound").port()
    }

    /// A proxy before it.
    pub fn proxy(&self, args: &[&str]) -> Server {
        proxy(&format!("ws://127.0.0.1:{}", self.port()), args)
    }

    /// The next connection.
    pub fn accept(&self) -> TcpStream {
        let (tcp, _) = self.listener.accept().expect("the proxy connects");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_nodelay(true).expect("a TCP socket");
        tcp
    }

    /// Both ends of a connection that is open for frames.
    pub fn open(&self, proxy: &Server) -> (Raw, TcpStream) {
        let mut client = proxy.raw();
        client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", crate::raw::UPGRADE));
        let mut server = self.accept();
        head(&mut server);
        server.write_all(SWITCHED.as_bytes()).expect("it reads");
        assert_eq!(client.response().status(), 101);
        (client, server)
    }
}

/// A proxy on a port of the system's choice.
pub fn proxy(to: &str, args: &[&str]) -> Server {
    Server::start(wscope().args(["proxy", "--to", to]).args(args).arg("0"))
}

/// Reads a head, and nothing after it.
#[track_caller]
pub fn head(tcp: &mut TcpStream) -> String {
    let (mut raw, mut byte) = (Vec::new(), [0]);
    while !raw.ends_with(b"\r\n\r\n") {
        assert_eq!(tcp.read(&mut byte).expect("a head"), 1, "{}", String::from_utf8_lossy(&raw));
        raw.push(byte[0]);
    }
    String::from_utf8(raw).expect("text")
}

/// Reads exactly so many bytes.
#[track_caller]
pub fn read(tcp: &mut TcpStream, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    tcp.read_exact(&mut bytes).expect("so many bytes");
    bytes
}

/// Passes one connection on to a port and keeps what passes.
pub struct Tap {
    pub port: u16,
    kept: [Kept; 2],
    thread: JoinHandle<()>,
}

type Kept = Arc<Mutex<Vec<u8>>>;

/// Passes one direction on, and its end.
fn pass(mut from: TcpStream, mut to: TcpStream, kept: &Kept) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        // What can't be passed on has not passed.
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
        kept.lock().expect("no panic").extend_from_slice(&buffer[..n]);
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Tap {
    pub fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let own = listener.local_addr().expect("bound").port();
        let kept: [Kept; 2] = Default::default();
        let [up, down] = kept.clone();
        let thread = thread::spawn(move || {
            let (near, _) = listener.accept().expect("somebody connects");
            let far = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
            let other = [&near, &far].map(|tcp| tcp.try_clone().expect("a descriptor"));
            let asking = thread::spawn(move || {
                let [near, far] = other;
                pass(near, far, &up);
            });
            pass(far, near, &down);
            let _ = asking.join();
        });
        Self { port: own, kept, thread }
    }

    /// What the client sent and what the server sent, once the connection has ended.
    pub fn kept(self) -> [Vec<u8>; 2] {
        self.thread.join().expect("no panic");
        self.kept.map(|kept| std::mem::take(&mut *kept.lock().expect("no panic")))
    }
}
