//! A non-blocking socket, with or without TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, recv, sockopt};

use super::{Received, Transport, TransportError};
use crate::net::stream::Stream;
use crate::net::tls::{Closure, Handshake, PlainRead, TlsPipe};

/// How often [`Transport::receive`] reads ciphertext without plaintext. A peer may send such data
/// without end (RFC 8446 §4.6.3 does not limit KeyUpdate), and other connections wait for their
/// turn.
const BARREN_READS: u32 = 2;

/// A socket, connected or connecting, with its readiness and its TLS.
pub struct Socket {
    raw: RawSocket,
    tls: Option<Box<TlsPipe>>,
    outgoing: WriteSide,
}

/// The state of our side of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteSide {
    /// It is open.
    Open,
    /// close_notify is queued, if there is TLS; FIN follows the waiting data.
    Ending,
    /// FIN has been sent.
    Ended,
}

/// The socket below TLS. A direction counts as ready until the system reports that it would block.
struct RawSocket {
    /// `None` after a reset.
    stream: Option<Stream>,
    readable: bool,
    writable: bool,
    /// The system reported the peer's end: read until it comes.
    read_closed: bool,
}

impl Socket {
    /// Takes over a non-blocking socket, with or without TLS.
    ///
    /// # Errors
    ///
    /// The socket can't be registered.
    pub fn new(
        mut stream: Stream,
        tls: Option<TlsPipe>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let stream = Some(stream);
        let raw = RawSocket { stream, readable: true, writable: true, read_closed: false };
        Ok(Self { raw, tls: tls.map(Box::new), outgoing: WriteSide::Open })
    }

    /// The result of connecting; `None` while the socket is connecting.
    pub fn connected(&self) -> Option<io::Result<()>> {
        let stream = self.raw.stream.as_ref()?;
        match stream.connected() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            result => Some(result),
        }
    }

    /// Our address and the peer's.
    ///
    /// # Errors
    ///
    /// The connection has ended, or has no such addresses.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        self.raw.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.addresses()
    }

    /// The address to which the peer connected: see [`Stream::original_destination`].
    ///
    /// # Errors
    ///
    /// The system does not report it, or the connection has ended.
    pub fn original_destination(&self) -> io::Result<SocketAddr> {
        self.raw.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.original_destination()
    }

    /// TLS, if it is used.
    pub fn tls(&self) -> Option<&TlsPipe> {
        self.tls.as_deref()
    }

    /// Uses TLS from now on, inside an existing TLS (to a proxy). `received` is its beginning.
    /// Continue with [`Socket::handshake`].
    pub fn start_tls(&mut self, pipe: TlsPipe, received: &[u8]) {
        let mut pipe = match self.tls.take() {
            Some(outer) => pipe.inside(*outer),
            None => pipe,
        };
        pipe.begin_with(received);
        self.tls = Some(Box::new(pipe));
    }

    /// Continues without TLS, to send a last answer to a peer that does not use TLS.
    pub fn give_up_tls(&mut self) {
        self.tls = None;
    }

    /// Continues the TLS handshake as far as possible; `Ok(true)` if plaintext can be sent and
    /// received.
    ///
    /// # Errors
    ///
    /// The handshake failed, or the socket did.
    pub fn handshake(&mut self) -> Result<bool, TransportError> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        loop {
            let step = tls.handshake();
            // Our alert is sent even if the handshake has failed.
            let sent = self.raw.send_tls(tls);
            match step? {
                Handshake::Done => return Ok(true),
                Handshake::InProgress => {
                    sent?;
                    if !self.raw.receive_tls(tls)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Continues to end our side, as far as possible.
    fn end(&mut self) -> Result<(), TransportError> {
        if let Some(tls) = &mut self.tls {
            self.raw.send_tls(tls)?;
        }
        if self.waiting() == 0 {
            self.raw.end();
            self.outgoing = WriteSide::Ended;
        }
        Ok(())
    }
}

impl Transport for Socket {
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, TransportError> {
        let Some(tls) = &mut self.tls else {
            return Ok(match self.raw.receive(buffer)? {
                None => Received::Blocked,
                Some(0) => Received::End { truncated: false },
                Some(n) => Received::Data(n),
            });
        };
        for _ in 0..BARREN_READS {
            match tls.read_plain(buffer)? {
                PlainRead::Data(n) => return Ok(Received::Data(n)),
                PlainRead::Closed(closure) => {
                    return Ok(Received::End { truncated: closure == Closure::Truncated });
                }
                PlainRead::Empty => {
                    if !self.raw.receive_tls(tls)? {
                        return Ok(Received::Blocked);
                    }
                }
            }
        }
        Ok(Received::Data(0))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, TransportError> {
        match self.outgoing {
            WriteSide::Open => {}
            WriteSide::Ending => return self.end().map(|()| 0),
            WriteSide::Ended => return Ok(0),
        }
        let Some(tls) = &mut self.tls else { return Ok(self.raw.send(bytes)?) };
        let mut taken = 0;
        loop {
            let waited = tls.pending_ciphertext();
            let sealed = tls.write_plain(&bytes[taken..])?;
            self.raw.send_tls(tls)?;
            taken += sealed;
            // If data still waits, the socket refused it, and an event will follow. If no data
            // waits, there is room again, but no event will report it, so continue.
            let nothing_moved = sealed == 0 && waited == 0;
            if tls.pending_ciphertext() > 0 || nothing_moved || taken == bytes.len() {
                return Ok(taken);
            }
        }
    }

    fn waiting(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.pending_ciphertext())
    }

    fn may_receive(&self) -> bool {
        self.raw.readable
    }

    fn may_send(&self) -> bool {
        self.raw.writable && self.tls.as_ref().is_none_or(|tls| tls.pending_ciphertext() > 0)
    }

    fn is_read_closed(&self) -> bool {
        self.raw.read_closed
    }

    fn failure(&self) -> Option<io::Error> {
        let stream = self.raw.stream.as_ref()?;
        // As long as unread bytes wait, a read does not report a reset.
        if let Ok(Err(error)) = sockopt::socket_error(stream) {
            return Some(error.into());
        }
        match recv(stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok(_) => None,
            Err(error) => {
                let error = io::Error::from(error);
                let fine = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                (!fine.contains(&error.kind())).then_some(error)
            }
        }
    }

    /// Sends close_notify with TLS, then FIN.
    ///
    /// "Each party MUST send a "close_notify" alert before closing its write side of the
    /// connection … This does not have any effect on its read side" (RFC 8446 §6.1).
    fn half_close(&mut self) -> Result<(), TransportError> {
        if self.outgoing == WriteSide::Open {
            if let Some(tls) = &mut self.tls {
                tls.close_notify();
            }
            self.outgoing = WriteSide::Ending;
        }
        match self.outgoing {
            WriteSide::Ended => Ok(()),
            _ => self.end(),
        }
    }

    fn has_ended(&self) -> bool {
        self.outgoing != WriteSide::Open
    }

    fn shutdown(&mut self) {
        // FIN is sent in any case.
        let _ = self.half_close();
        if self.outgoing != WriteSide::Ended {
            self.raw.end();
            self.outgoing = WriteSide::Ended;
        }
    }

    /// SO_LINGER with a time of zero: closing the socket discards unsent data, and sends RST
    /// instead of FIN.
    fn reset(&mut self) {
        self.outgoing = WriteSide::Ended;
        self.tls = None;
        let Some(stream) = self.raw.stream.take() else { return };
        // It fails only if the connection has already ended.
        let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        drop(stream);
    }

    fn ready(&mut self, event: &Event) {
        let socket = &mut self.raw;
        socket.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        socket.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
        socket.read_closed |= event.is_read_closed() || event.is_error();
    }
}

impl RawSocket {
    /// Sends FIN.
    fn end(&mut self) {
        if let Some(stream) = &self.stream {
            // It fails only if the connection has already ended.
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    /// Reads once; `None` if it would block.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(stream) = self.stream.as_mut().filter(|_| self.readable) else { return Ok(None) };
        loop {
            match stream.read(buffer) {
                Ok(n) => {
                    // A short read has emptied the socket, and the next byte causes a new event.
                    // This saves a call that would only return WouldBlock.
                    self.readable = n == buffer.len() || self.read_closed;
                    return Ok(Some(n));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(None);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes once; 0 if it would block.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.writable || bytes.is_empty() {
            return Ok(0);
        }
        let Some(stream) = &mut self.stream else { return Ok(0) };
        loop {
            match stream.write(bytes) {
                Ok(n) => {
                    self.writable = n == bytes.len();
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    return Ok(0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Receives ciphertext once; `false` if there is none now.
    fn receive_tls(&mut self, tls: &mut TlsPipe) -> io::Result<bool> {
        if !self.readable || !tls.wants_ciphertext() {
            return Ok(false);
        }
        let Some(stream) = &mut self.stream else { return Ok(false) };
        match tls.read_tls(stream) {
            // Zero is the end of the stream. TLS has noted the end, and reports it by itself.
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sends ciphertext until there is none or the socket would block.
    fn send_tls(&mut self, tls: &mut TlsPipe) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        while self.writable && tls.pending_ciphertext() > 0 {
            match tls.write_tls(stream) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
