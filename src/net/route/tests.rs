//! Routes over the loopback: to a server behind scripted proxies, a Unix socket, another address.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::Events;

use super::*;
use crate::net::link::{Fill, SocketLink};
use crate::net::proxy::tunnel::{self, TunnelError};
use crate::net::reactor::{Reactor, SOCKET};
use crate::net::tls::tests::Authority;
use crate::net::tls::{Handshake, PlainRead, TlsClient, TlsPipe};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Opens a route in the same way as an opening, but without the WebSocket.
struct Way {
    link: SocketLink,
    reactor: Reactor,
}

impl Way {
    fn open(transport: &RouteOptions, url: &str) -> Result<Self, TunnelError> {
        let target = Target::parse(url).unwrap();
        let route = transport.route(&target).unwrap();
        let reactor = Reactor::new().unwrap();
        let stream = match &route.hop {
            Hop::Unix(path) => connect_unix(path).unwrap(),
            Hop::Tcp(host) => {
                let addresses = transport.addresses(host, soon()).unwrap();
                let stream = transport.dial(&addresses, soon()).unwrap().stream;
                stream.set_nonblocking(true).unwrap();
                Stream::Tcp(mio::net::TcpStream::from_std(stream))
            }
        };
        let to_proxy = route.secure_proxy().map(|proxy| {
            TlsClient::new(&transport.proxy_tls()).unwrap().start(&proxy.host).unwrap()
        });
        let link = SocketLink::over(stream, to_proxy, reactor.registry(), SOCKET).unwrap();
        let mut way = Self { link, reactor };
        way.shake_hands();
        if let Some(mut dialogue) = transport.dialogue(&route, soon()).unwrap() {
            while !tunnel::advance(&mut way.link, &mut dialogue)? {
                way.wait();
            }
        }
        if target.secure {
            let client = TlsClient::new(&transport.tls).unwrap();
            way.link.start_tls(client.start(&target.host).unwrap());
            way.shake_hands();
        }
        Ok(way)
    }

    fn wait(&mut self) {
        let mut events = Events::with_capacity(8);
        self.reactor.wait(&mut events, Some(soon())).unwrap();
        events.iter().for_each(|event| self.link.ready(event));
    }

    fn shake_hands(&mut self) {
        while !self.link.handshake().unwrap() {
            self.wait();
        }
    }

    /// Sends a word, and returns the answer.
    fn echo(&mut self, word: &[u8]) -> Vec<u8> {
        self.link.tx.extend_from_slice(word);
        let mut got = Vec::new();
        loop {
            self.link.flush().unwrap();
            let (input, _) = self.link.split();
            got.extend_from_slice(input.rest());
            let at = input.consumed() + input.rest().len();
            self.link.consumed(at);
            if got.len() >= word.len() {
                return got;
            }
            match self.link.fill().unwrap() {
                Fill::Data => {}
                Fill::Blocked => self.wait(),
                Fill::End { .. } => return got,
            }
        }
    }
}

/// A peer on its own port, which runs a script for its only client.
fn peer<T: Send + 'static>(
    script: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, thread::spawn(move || script(listener.accept().unwrap().0)))
}

/// Reads this many bytes, then sends the answer.
fn exchange(socket: &mut (impl Read + Write), length: usize, answer: &[u8]) -> Vec<u8> {
    let mut got = vec![0; length];
    socket.read_exact(&mut got).unwrap();
    socket.write_all(answer).unwrap();
    got
}

fn head(socket: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Echoes everything until the end.
fn echo(mut socket: impl Read + Write) {
    let mut buffer = [0; 1000];
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        socket.write_all(&buffer[..count]).unwrap();
    }
}

/// The server's side of TLS over a blocking stream.
struct Secured<S>(TlsPipe, S);

impl<S: Read + Write> Secured<S> {
    fn new(authority: &Authority, name: &str, socket: S) -> Self {
        let mut this = Self(TlsPipe::server(&authority.acceptor(&[name])).unwrap(), socket);
        while this.0.handshake().unwrap() == Handshake::InProgress {
            this.flush().unwrap();
            this.0.read_tls(&mut this.1).unwrap();
        }
        this.flush().unwrap();
        this
    }
}

impl<S: Read + Write> Read for Secured<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read_plain(buffer).map_err(io::Error::other)? {
                PlainRead::Data(count) => return Ok(count),
                PlainRead::Closed(_) => return Ok(0),
                PlainRead::Empty => self.0.read_tls(&mut self.1)?,
            };
        }
    }
}

impl<S: Read + Write> Write for Secured<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.0.write_plain(bytes).map_err(io::Error::other)?;
        self.flush().map(|()| taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.0.pending_ciphertext() > 0 {
            self.0.write_tls(&mut self.1)?;
        }
        Ok(())
    }
}

fn through(proxy: String) -> RouteOptions {
    let proxy = ProxyOptions { proxy: Some(proxy), ..ProxyOptions::default() };
    RouteOptions { proxy, ..RouteOptions::default() }
}

#[test]
fn an_http_proxy() {
    let (port, proxy) = peer(|mut socket| {
        let head = head(&mut socket);
        // The server's first byte may arrive with the proxy's last byte.
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n!").unwrap();
        echo(socket);
        head
    });
    let mut way = Way::open(&through(format!("127.0.0.1:{port}")), "ws://example.com").unwrap();
    assert!(way.echo(b"hello").starts_with(b"!hell"));
    way.link.abort();
    assert!(proxy.join().unwrap().starts_with("CONNECT example.com:80 HTTP/1.1\r\n"));
}

#[test]
fn tls_through_an_http_proxy() {
    let authority = Authority::new();
    let (tls, _file) = authority.trusted();
    let (port, proxy) = peer(move |mut socket| {
        let head = head(&mut socket);
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        echo(Secured::new(&authority, "example.com", socket));
        head
    });
    let transport = RouteOptions { tls, ..through(format!("http://127.0.0.1:{port}")) };
    let mut way = Way::open(&transport, "wss://example.com").unwrap();
    assert_eq!(way.echo(b"hello"), b"hello");
    way.link.abort();
    assert!(proxy.join().unwrap().starts_with("CONNECT example.com:443 HTTP/1.1\r\n"));
}

#[test]
fn tls_inside_the_tls_of_a_proxy() {
    let authority = Authority::new();
    let (tls, _file) = authority.trusted();
    let (port, proxy) = peer(move |socket| {
        let mut outer = Secured::new(&authority, "localhost", socket);
        let head = head(&mut outer);
        outer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        echo(Secured::new(&authority, "example.com", outer));
        head
    });
    let transport = RouteOptions { tls, ..through(format!("https://localhost:{port}")) };
    let mut way = Way::open(&transport, "wss://example.com").unwrap();
    let word = vec![7; 300_000];
    assert!(way.echo(&word) == word);
    way.link.abort();
    assert!(proxy.join().unwrap().starts_with("CONNECT example.com:443 HTTP/1.1\r\n"));
}

#[test]
fn a_socks5_proxy_with_user_and_password() {
    let (port, proxy) = peer(|mut socket| {
        exchange(&mut socket, 4, &[5, 2]);
        let login = exchange(&mut socket, 5, &[1, 0]);
        let request = exchange(&mut socket, 18, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        echo(socket);
        (login, request)
    });
    let transport = through(format!("socks5h://u:p@127.0.0.1:{port}"));
    let mut way = Way::open(&transport, "ws://example.com").unwrap();
    assert_eq!(way.echo(b"hello"), b"hello");
    way.link.abort();
    let (login, request) = proxy.join().unwrap();
    assert_eq!(login, [1, 1, b'u', 1, b'p']);
    assert_eq!(request, b"\x05\x01\x00\x03\x0bexample.com\x00\x50");
}

#[test]
fn a_name_is_looked_up_here_for_socks4_and_socks5() {
    let resolve = vec!["example.com:80:::1,127.0.0.3".parse().unwrap()];
    for (scheme, greeting, request, reply) in [
        ("socks5", 3, &[5, 1, 0, 4, 0][..], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0][..]),
        ("socks4", 0, &[4, 1, 0, 80, 127, 0, 0, 3, 0], &[0, 90, 0, 0, 0, 0, 0, 0]),
    ] {
        let length = if greeting > 0 { 22 } else { request.len() };
        let reply = reply.to_vec();
        let (port, proxy) = peer(move |mut socket| {
            if greeting > 0 {
                exchange(&mut socket, greeting, &[5, 0]);
            }
            let request = exchange(&mut socket, length, &reply);
            echo(socket);
            request
        });
        let mut transport = through(format!("{scheme}://127.0.0.1:{port}"));
        transport.overrides.resolve.clone_from(&resolve);
        let mut way = Way::open(&transport, "ws://example.com").unwrap();
        assert_eq!(way.echo(b"hello"), b"hello");
        way.link.abort();
        assert_eq!(proxy.join().unwrap()[..request.len()], *request, "{scheme}");
    }
}

#[test]
fn a_proxy_that_refuses_or_hangs_up() {
    for answer in [
        &b"HTTP/1.1 403 No\r\n\r\n"[..],
        b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 2",
        b"",
    ] {
        let (port, proxy) = peer(move |mut socket| {
            head(&mut socket);
            socket.write_all(answer).unwrap();
        });
        let error = Way::open(&through(format!("127.0.0.1:{port}")), "ws://example.com").err();
        assert!(matches!(error, Some(TunnelError::Proxy(_))), "{error:?}");
        proxy.join().unwrap();
    }
}

#[test]
fn a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let authority = Authority::new();
    let (tls, _file) = authority.trusted();
    let server = thread::spawn(move || {
        let socket = listener.accept().unwrap().0;
        echo(Secured::new(&authority, "example.com", socket));
    });
    let unix_socket = Some(path.clone());
    // A Unix socket needs no proxy.
    let transport = RouteOptions { tls, unix_socket, ..through("http://192.0.2.1".to_owned()) };
    let mut way = Way::open(&transport, "wss://example.com").unwrap();
    assert_eq!(way.echo(b"hello"), b"hello");
    way.link.abort();
    server.join().unwrap();
    connect_unix(&path).unwrap_err();
    let error = connect_unix(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().ends_with("none: no such file or directory"), "{error}");
}

#[test]
fn another_address_and_another_near_end() {
    let (port, server) = peer(|socket| {
        let peer = socket.peer_addr().unwrap();
        echo(socket);
        peer
    });
    let mut transport = RouteOptions::default();
    transport.overrides.connect_to.push(format!("a.example::b.example:{port}").parse().unwrap());
    transport.overrides.resolve.push(format!("b.example:{port}:127.0.0.1").parse().unwrap());
    transport.source.interface = Some("127.0.0.8".parse().unwrap());
    let mut way = Way::open(&transport, "ws://a.example").unwrap();
    assert_eq!(way.echo(b"hello"), b"hello");
    way.link.abort();
    assert_eq!(server.join().unwrap().ip().to_string(), "127.0.0.8");
}

#[test]
fn the_notes_name_what_is_unusual() {
    let target = Target::parse("ws://example.com").unwrap();
    let notes = |transport: &RouteOptions| transport.route(&target).unwrap().notes();
    let mut transport = RouteOptions::default();
    assert_eq!(notes(&transport), [""; 0]);
    transport.proxy.environment.insert("http_proxy".to_owned(), "u:secret@p:1".to_owned());
    assert_eq!(
        notes(&transport),
        ["the connection goes through the proxy http://p:1, because of the environment \
          variable http_proxy (W114)"]
    );
    transport.proxy.noproxy = Some("example.com".to_owned());
    transport.overrides.connect_to.push("::h:9".parse().unwrap());
    assert_eq!(
        notes(&transport),
        [
            "the connection goes through no proxy, because --noproxy has \"example.com\", \
             whatever http_proxy says",
            "the connection goes to h:9 because of --connect-to"
        ]
    );
    transport.unix_socket = Some("/run/x".into());
    assert_eq!(notes(&transport), ["the connection goes to the Unix socket /run/x"]);
}

#[test]
fn a_proxy_gets_nothing_that_is_for_the_server() {
    let tls =
        TlsOptions { insecure: true, pins: vec![PIN.parse().unwrap()], ..TlsOptions::default() };
    let for_proxy = RouteOptions { tls, ..RouteOptions::default() }.proxy_tls();
    assert!(!for_proxy.insecure && for_proxy.pins.is_empty());
}

const PIN: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
