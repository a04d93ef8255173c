//! A link over a loopback socket, plain and under TLS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::{Duration, Instant};

use mio::Events;

use super::*;
use crate::net::reactor::{Reactor, SOCKET};
use crate::net::tls::TlsOptions;
use crate::net::tls::tests::test_acceptor;
use crate::net::tls::{Closure, PlainRead};

/// The other end of a link: a non-blocking socket, with TLS if the link uses it.
struct Peer {
    socket: std::net::TcpStream,
    tls: Option<TlsPipe>,
    received: Vec<u8>,
    /// How its stream ended.
    end: Option<io::Result<()>>,
}

impl Peer {
    /// Reads all available data.
    fn read(&mut self) {
        let mut buffer = vec![0; 1 << 20];
        let Some(tls) = &mut self.tls else {
            return loop {
                match self.socket.read(&mut buffer) {
                    Ok(0) => break self.end = Some(Ok(())),
                    Ok(n) => self.received.extend_from_slice(&buffer[..n]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => break self.end = Some(Err(error)),
                }
            };
        };
        loop {
            let read = tls.read_tls(&mut self.socket);
            tls.handshake().expect("a handshake");
            loop {
                match tls.read_plain(&mut buffer).expect("sound TLS") {
                    PlainRead::Data(n) => self.received.extend_from_slice(&buffer[..n]),
                    PlainRead::Empty => break,
                    PlainRead::Closed(closure) => {
                        let truncated = closure == Closure::Truncated;
                        assert!(!truncated || read.is_err(), "the end was announced");
                        self.end = Some(Ok(()));
                        break;
                    }
                }
            }
            while tls.pending_ciphertext() > 0 {
                tls.write_tls(&mut self.socket).expect("room for a handshake");
            }
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => break self.end = Some(Err(error)),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(tls) = &mut self.tls else {
            return self.socket.write_all(bytes).expect("room for a few bytes");
        };
        assert_eq!(tls.write_plain(bytes).expect("sound TLS"), bytes.len());
        while tls.pending_ciphertext() > 0 {
            tls.write_tls(&mut self.socket).expect("room for a few bytes");
        }
    }
}

/// A link with its event loop, and its peer.
struct Pair {
    link: SocketLink,
    reactor: Reactor,
    peer: Peer,
}

impl Pair {
    fn new(tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("an address");
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        let (socket, _) = listener.accept().expect("a client");
        socket.set_nonblocking(true).expect("a flag");
        let insecure = TlsOptions { insecure: true, ..TlsOptions::default() };
        let server = tls.then(|| TlsPipe::server(&test_acceptor()).expect("a server"));
        let client = tls.then(|| TlsPipe::client("localhost", &insecure).expect("a client"));
        let reactor = Reactor::new().expect("a poll");
        stream.set_nonblocking(true).expect("a flag");
        let stream = Stream::Tcp(mio::net::TcpStream::from_std(stream));
        let link = SocketLink::over(stream, client, reactor.registry(), SOCKET).expect("a link");
        Self { link, reactor, peer: Peer { socket, tls: server, received: Vec::new(), end: None } }
    }

    /// A pair after the handshake.
    fn open(tls: bool) -> Self {
        let mut pair = Self::new(tls);
        while !pair.link.handshake().expect("a handshake") {
            pair.peer.read();
            if !pair.link.handshake().expect("a handshake") {
                pair.wait();
            }
        }
        pair.peer.read();
        pair
    }

    /// Waits for an event of the link's socket.
    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut events = Events::with_capacity(8);
        self.reactor.wait(&mut events, Some(deadline)).expect("a poll");
        assert!(!events.is_empty(), "no event after {} bytes", self.peer.received.len());
        events.iter().for_each(|event| self.link.ready(event));
    }

    /// Fills the link until there is data or an end.
    fn fill(&mut self) -> Fill {
        loop {
            match self.link.fill().expect("a sound link") {
                Fill::Blocked => self.wait(),
                other => return other,
            }
        }
    }
}

/// The data that the peer receives if all of `message` is sent and the peer reads only while our
/// side waits. An event must end every wait.
fn received_by_a_slow_reader(message: &[u8], tls: bool) -> Vec<u8> {
    let mut pair = Pair::new(tls);
    pair.link.tx.extend_from_slice(message);
    while pair.peer.received.len() < message.len() {
        if pair.link.handshake().expect("a handshake") {
            pair.link.flush().expect("a flush");
            if pair.link.pending() > 0 {
                // A round of the loop for a reason other than free room.
                pair.link.flush().expect("a flush");
            }
        }
        // The peer reads all available data, so the next event is that of an empty socket.
        pair.peer.read();
        if pair.peer.received.len() < message.len() {
            pair.wait();
        }
    }
    assert_eq!(pair.link.pending(), 0);
    pair.peer.received
}

/// Bytes that do not repeat in a short period.
fn long_message() -> Vec<u8> {
    (0..32u32 << 20).map(|i| (i >> 7) as u8).collect()
}

#[test]
fn a_slow_reader_gets_everything() {
    let message = long_message();
    assert!(received_by_a_slow_reader(&message, false) == message);
    assert!(received_by_a_slow_reader(&message, true) == message);
}

#[test]
fn a_half_closed_link_sends_what_is_pending_and_goes_on_receiving() {
    let message = long_message();
    for tls in [false, true] {
        let mut pair = Pair::open(tls);
        pair.link.tx.extend_from_slice(&message);
        pair.link.half_close().expect("a flush");
        assert!(pair.link.pending() > 0, "more than the sockets take");
        assert!(!pair.link.has_ended(), "not before that is sent");
        while pair.peer.end.is_none() {
            pair.peer.read();
            if pair.link.pending() > 0 {
                pair.wait();
                pair.link.flush().expect("a flush");
            }
        }
        assert!(pair.peer.received == message);
        assert!(matches!(pair.peer.end, Some(Ok(()))), "an orderly end");

        pair.link.tx.extend_from_slice(b"too late");
        pair.link.flush().expect("what can't be sent is dropped");
        assert_eq!(pair.link.pending(), 0);

        pair.peer.write(b"still talking");
        assert_eq!(pair.fill(), Fill::Data);
        assert_eq!(pair.link.rx[..pair.link.rx_end], *b"still talking");
        pair.link.consumed(usize::MAX);
        if let Some(tls) = &mut pair.peer.tls {
            tls.close_notify();
            tls.write_tls(&mut pair.peer.socket).expect("room for an alert");
        }
        pair.peer.socket.shutdown(Shutdown::Write).expect("a connection");
        assert_eq!(pair.fill(), Fill::End { truncated: false });
    }
}

#[test]
fn an_aborted_link_is_a_reset_for_the_peer() {
    for tls in [false, true] {
        let mut pair = Pair::open(tls);
        pair.link.tx.extend_from_slice(&vec![b'x'; 4 << 20]);
        pair.link.flush().expect("a flush");
        pair.link.abort();
        assert_eq!(pair.link.pending(), 0);
        pair.peer.socket.set_nonblocking(false).expect("a flag");
        while pair.peer.end.is_none() {
            pair.peer.read();
        }
        let Some(Err(error)) = pair.peer.end else { panic!("an orderly end") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn nothing_comes_or_goes_after_an_abort() {
    for tls in [false, true] {
        let mut pair = Pair::open(tls);
        pair.link.abort();
        pair.link.abort();
        pair.link.tx.extend_from_slice(b"too late");
        pair.link.half_close().expect("nothing to do");
        pair.link.shutdown();
        assert_eq!((pair.link.pending(), pair.link.has_ended()), (0, true));
        assert_eq!(pair.link.fill().expect("nothing to do"), Fill::Blocked);
        assert!(pair.link.socket().addresses().is_err());
    }
}

#[test]
fn what_is_read_ahead_and_what_is_unconsumed_share_a_limit() {
    let mut pair = Pair::open(false);
    pair.peer.write(b"abcd");
    assert!(matches!(pair.fill(), Fill::Data));
    pair.peer.write(b"efgh");
    let mut ahead = Vec::new();
    while ahead.len() < 2 {
        if !pair.link.may_read_ahead(6) {
            pair.wait();
        }
        ahead.extend_from_slice(pair.link.read_ahead(6).expect("a sound link"));
    }
    assert_eq!(ahead, b"ef");
    assert!(!pair.link.may_read_ahead(6) && pair.link.may_read_ahead(7));
    pair.link.consumed(4);
    assert!(matches!(pair.fill(), Fill::Data));
    assert_eq!(pair.link.split().0.rest(), b"ef");
}
