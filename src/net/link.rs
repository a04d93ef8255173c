//! One connection as the loop sees it: a non-blocking socket, TLS or none, and a bounded buffer
//! each way.
//!
//! Edge-triggered: a side is taken for ready until the system says it would block. Knows nothing
//! of WebSocket; what crosses [`Link::split`] is plaintext.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

pub use super::plain_io::plain_io;
use super::stream::Stream;
use super::tls::{Closure, Handshake, PlainRead, TlsError, TlsPipe};
use crate::wire::decoder::Input;

/// Bytes read at once. Large enough that a gigabyte takes thousands of system calls, not
/// millions; small enough to stay in the second-level cache.
const READ_SIZE: usize = 256 * 1024;

/// Above so many bytes to send, the owner should make no more before some are sent.
pub const HIGH_WATER: usize = 256 * 1024;

/// How often [`Link::fill`] takes ciphertext in that holds no plaintext. A peer may send such without
/// end (RFC 8446 §4.6.3 sets no limit to KeyUpdate), and others wait for their turn.
const BARREN_READS: u32 = 2;

/// What [`Link::fill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Bytes are there: see [`Link::split`]. Under TLS there may be none after all, but life.
    Data,
    /// None for now.
    Blocked,
    /// The peer's stream ended; `truncated` if TLS says that bytes may be missing.
    End {
        /// No close_notify before the end (RFC 8446 §6.1).
        truncated: bool,
    },
}

/// Why a link broke.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket failed.
    #[error("{}", plain_io(.0))]
    Io(#[from] io::Error),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A pair of buffers that links share: see [`Link::lend`].
pub struct Buffers {
    rx: Box<[u8]>,
    tx: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { rx: read_buffer(), tx: Vec::new() }
    }
}

fn read_buffer() -> Box<[u8]> {
    vec![0; READ_SIZE].into_boxed_slice()
}

/// A connection with its buffers.
pub struct Link {
    socket: Socket,
    tls: Option<Box<TlsPipe>>,
    rx: Box<[u8]>,
    rx_at: usize,
    rx_end: usize,
    /// Plaintext to send; append to it.
    pub tx: Vec<u8>,
    tx_at: usize,
    outgoing: Outgoing,
    /// How many bytes of plaintext may still be sent, if not all.
    send_limit: Option<usize>,
    /// How many bytes may be taken in at once.
    fill_limit: usize,
}

/// How far our side of the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outgoing {
    /// It goes on.
    Open,
    /// It ends behind what is pending.
    Ending,
    /// The same, and close_notify is among it.
    Notified,
    /// FIN is sent.
    Ended,
}

/// The socket with what is known of its readiness.
struct Socket {
    /// `None` once it has been aborted: then nothing comes and nothing goes.
    stream: Option<Stream>,
    readable: bool,
    writable: bool,
    /// The system has said that the peer is done: read until the end is met.
    read_closed: bool,
}

impl Link {
    /// Takes over a connected socket; plain, or under TLS.
    ///
    /// # Errors
    ///
    /// The socket can't be made non-blocking or registered.
    pub fn new(
        stream: std::net::TcpStream,
        tls: Option<TlsPipe>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::over(Stream::Tcp(TcpStream::from_std(stream)), tls, registry, token)
    }

    /// The same over a non-blocking socket of any kind.
    ///
    /// # Errors
    ///
    /// The socket can't be registered.
    pub fn over(
        stream: Stream,
        tls: Option<TlsPipe>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let link = Self::without_buffer(stream, tls, registry, token)?;
        Ok(Self { rx: read_buffer(), ..link })
    }

    /// Takes over a connected, non-blocking socket that will be lent a buffer for each of its
    /// turns: see [`Link::lend`].
    ///
    /// # Errors
    ///
    /// The socket can't be registered.
    pub fn without_buffer(
        mut stream: Stream,
        tls: Option<TlsPipe>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            socket: Socket {
                stream: Some(stream),
                readable: true,
                writable: true,
                read_closed: false,
            },
            tls: tls.map(Box::new),
            rx: Box::default(),
            rx_at: 0,
            rx_end: 0,
            tx: Vec::new(),
            tx_at: 0,
            outgoing: Outgoing::Open,
            send_limit: None,
            fill_limit: usize::MAX,
        })
    }

    /// Lends buffers for a turn, so that thousands of links that take turns share a pair. Whoever
    /// still has input or output of its own goes on with that.
    pub fn lend(&mut self, buffers: &mut Buffers) {
        if !self.has_input() && self.rx.is_empty() {
            std::mem::swap(&mut self.rx, &mut buffers.rx);
        }
        if self.tx.capacity() == 0 {
            std::mem::swap(&mut self.tx, &mut buffers.tx);
        }
    }

    /// Takes the buffers back. `unfinished` says that the observer stopped on the way, and needs
    /// the same bytes to go on (see [`Input::resume`]); they are kept then, like what could not
    /// be sent.
    pub fn take_back(&mut self, buffers: &mut Buffers, unfinished: bool) {
        if buffers.rx.is_empty() {
            let kept = match unfinished {
                true => self.rx[..self.rx_end].into(),
                false => Box::default(),
            };
            buffers.rx = std::mem::replace(&mut self.rx, kept);
        } else if !unfinished {
            self.rx = Box::default();
        }
        if !unfinished {
            (self.rx_at, self.rx_end) = (0, 0);
        }
        if self.tx.is_empty() && self.tx.capacity() <= HIGH_WATER && buffers.tx.capacity() == 0 {
            std::mem::swap(&mut self.tx, &mut buffers.tx);
        } else if self.tx.is_empty() {
            self.tx = Vec::new();
        }
    }

    /// Speaks TLS from here on, inside the TLS the link may speak already (to a proxy). What was
    /// received and not consumed is its beginning. Then see [`Link::handshake`].
    pub fn start_tls(&mut self, pipe: TlsPipe) {
        debug_assert!(self.tx.is_empty());
        let mut pipe = match self.tls.take() {
            Some(outer) => pipe.inside(*outer),
            None => pipe,
        };
        pipe.begin_with(&self.rx[self.rx_at..self.rx_end]);
        (self.rx_at, self.rx_end) = (0, 0);
        self.tls = Some(Box::new(pipe));
    }

    /// Lets no more than so many bytes be sent until this is said again, and no more than so many,
    /// at least one, be taken in at once: for those who are slow on purpose.
    pub fn limit(&mut self, send: Option<usize>, fill: usize) {
        (self.send_limit, self.fill_limit) = (send, fill.max(1));
    }

    /// Whether the system has said that the peer's stream ends behind what is there to be read.
    pub fn is_read_closed(&self) -> bool {
        self.socket.read_closed
    }

    /// How the connecting of a socket ended; `None` while it goes on.
    pub fn connected(&self) -> Option<io::Result<()>> {
        let stream = self.socket.stream.as_ref()?;
        match stream.connected() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            result => Some(result),
        }
    }

    /// Why the connection is gone, if it is: found out without taking what waits to be read.
    pub fn failure(&self) -> Option<io::Error> {
        use rustix::net::{RecvFlags, recv, sockopt::socket_error};
        let stream = self.socket.stream.as_ref()?;
        // Behind bytes that were not read, a read does not tell of a reset.
        if let Ok(Err(error)) = socket_error(stream) {
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

    /// Goes on in plain bytes, for a last word to a peer that does not speak TLS.
    pub fn give_up_tls(&mut self) {
        self.tls = None;
        self.tx.clear();
        self.tx_at = 0;
    }

    /// Notes what the poll says of the socket.
    pub fn ready(&mut self, event: &Event) {
        self.socket.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.socket.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
        self.socket.read_closed |= event.is_read_closed() || event.is_error();
    }

    /// Takes the TLS handshake as far as it goes; `Ok(true)` when plaintext can flow.
    ///
    /// # Errors
    ///
    /// The handshake failed, or the socket did.
    pub fn handshake(&mut self) -> Result<bool, LinkError> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        loop {
            let step = tls.handshake();
            // An alert of ours is sent even when the handshake has failed.
            let sent = self.socket.send_tls(tls);
            match step? {
                Handshake::Done => return Ok(true),
                Handshake::InProgress => {
                    sent?;
                    if !self.socket.receive_tls(tls)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Brings more bytes. Only call it when all of the input of [`Link::split`] has
    /// been consumed.
    ///
    /// # Errors
    ///
    /// The socket or TLS failed; what was received before has been handed on.
    pub fn fill(&mut self) -> Result<Fill, LinkError> {
        debug_assert!(self.rx_at == self.rx_end);
        (self.rx_at, self.rx_end) = (0, 0);
        let most = self.rx.len().min(self.fill_limit);
        let Some(tls) = &mut self.tls else {
            return Ok(match self.socket.receive(&mut self.rx[..most])? {
                None => Fill::Blocked,
                Some(0) => Fill::End { truncated: false },
                Some(n) => {
                    self.rx_end = n;
                    Fill::Data
                }
            });
        };
        for _ in 0..BARREN_READS {
            match tls.read_plain(&mut self.rx[..most])? {
                PlainRead::Data(n) => {
                    self.rx_end = n;
                    return Ok(Fill::Data);
                }
                PlainRead::Closed(closure) => {
                    return Ok(Fill::End { truncated: closure == Closure::Truncated });
                }
                PlainRead::Empty => {
                    if !self.socket.receive_tls(tls)? {
                        return Ok(Fill::Blocked);
                    }
                }
            }
        }
        Ok(Fill::Data)
    }

    /// The received bytes not yet consumed, and the buffer to answer into.
    pub fn split(&mut self) -> (Input<'_>, &mut Vec<u8>) {
        (Input::resume(&mut self.rx[..self.rx_end], self.rx_at), &mut self.tx)
    }

    /// Says how far the input was consumed: [`Input::consumed`].
    pub fn consumed(&mut self, at: usize) {
        self.rx_at = at.min(self.rx_end);
    }

    /// Whether received bytes wait to be consumed.
    pub fn has_input(&self) -> bool {
        self.rx_at < self.rx_end
    }

    /// Whether [`Link::fill`] might bring something without waiting.
    pub fn may_fill(&self) -> bool {
        self.socket.readable
    }

    /// Bytes that wait to be sent.
    pub fn pending(&self) -> usize {
        let sealed = self.tls.as_ref().map_or(0, |tls| tls.pending_ciphertext());
        self.tx.len() - self.tx_at + sealed
    }

    /// Sends what the socket takes. Behind the end that [`Link::half_close`] makes nothing can be
    /// sent any more: what was appended is dropped.
    ///
    /// # Errors
    ///
    /// The socket or TLS failed.
    pub fn flush(&mut self) -> Result<(), LinkError> {
        if matches!(self.outgoing, Outgoing::Notified | Outgoing::Ended) {
            self.drop_unsent();
            return self.end_outgoing();
        }
        loop {
            let rest = &self.tx[self.tx_at..];
            let rest = &rest[..rest.len().min(self.send_limit.unwrap_or(usize::MAX))];
            let Some(tls) = &mut self.tls else {
                match self.socket.send(rest)? {
                    0 => break,
                    n => self.moved(n),
                }
                continue;
            };
            let waited = tls.pending_ciphertext();
            let taken = tls.write_plain(rest)?;
            self.socket.send_tls(tls)?;
            let waits = tls.pending_ciphertext();
            self.moved(taken);
            // What still waits was refused by the socket, whose event will come. Where nothing
            // waits there is room again, and no event will tell of it: go on.
            let nothing_moved = taken == 0 && waited == 0;
            if waits > 0 || nothing_moved || self.tx_at == self.tx.len() {
                break;
            }
        }
        if self.tx_at == self.tx.len() {
            self.tx.clear();
            self.tx_at = 0;
        } else if self.tx_at > HIGH_WATER.max(self.tx.len() / 4) {
            // A long queue is not moved for every little that leaves it.
            self.tx.drain(..self.tx_at);
            self.tx_at = 0;
        }
        self.end_outgoing()
    }

    /// Notes that so much of `tx` has left.
    fn moved(&mut self, n: usize) {
        self.tx_at += n;
        if let Some(limit) = &mut self.send_limit {
            *limit = limit.saturating_sub(n);
        }
    }

    /// Ends our side of the stream behind what is pending, and goes on receiving: close_notify
    /// under TLS, then FIN. What the socket does not take at once leaves with [`Link::flush`].
    ///
    /// "Each party MUST send a "close_notify" alert before closing its write side of the
    /// connection … This does not have any effect on its read side" (RFC 8446 §6.1).
    ///
    /// # Errors
    ///
    /// Those of [`Link::flush`].
    pub fn half_close(&mut self) -> Result<(), LinkError> {
        if self.outgoing == Outgoing::Open {
            self.outgoing = Outgoing::Ending;
        }
        self.flush()
    }

    /// Whether what is appended to [`Link::tx`] will be sent: not once our side has ended.
    pub fn can_send(&self) -> bool {
        self.outgoing == Outgoing::Open && self.socket.stream.is_some()
    }

    /// Ends the connection at once with a reset: the peer's next read fails, and whatever is on
    /// its way, either way, is lost. From then on nothing comes and nothing is pending.
    ///
    /// SO_LINGER with a time of zero makes closing discard what is unsent and send RST instead of
    /// FIN. Where the option can't be set (Windows) it is a plain close, which is a reset only if
    /// something received was not read.
    pub fn abort(&mut self) {
        self.drop_unsent();
        (self.rx_at, self.rx_end) = (0, 0);
        self.outgoing = Outgoing::Ended;
        self.tls = None;
        let Some(stream) = self.socket.stream.take() else { return };
        // It only fails on a connection that is already gone.
        #[cfg(unix)]
        let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        drop(stream);
    }

    /// Forgets what waits to be sent and is not under TLS yet.
    pub fn drop_unsent(&mut self) {
        self.tx.clear();
        self.tx_at = 0;
    }

    /// Takes the end of our side as far as it goes.
    fn end_outgoing(&mut self) -> Result<(), LinkError> {
        if self.outgoing == Outgoing::Ending && self.tx.is_empty() {
            if let Some(tls) = &mut self.tls {
                tls.close_notify();
            }
            self.outgoing = Outgoing::Notified;
        }
        if self.outgoing == Outgoing::Notified {
            if let Some(tls) = &mut self.tls {
                self.socket.send_tls(tls)?;
            }
            if self.pending() == 0 {
                self.socket.end();
                self.outgoing = Outgoing::Ended;
            }
        }
        Ok(())
    }

    /// Ends our side in order: close_notify, then FIN.
    pub fn shutdown(&mut self) {
        if self.outgoing == Outgoing::Ended {
            return;
        }
        if let Some(tls) = &mut self.tls {
            tls.close_notify();
            let _ = self.socket.send_tls(tls);
        }
        self.socket.end();
        self.outgoing = Outgoing::Ended;
    }

    /// TLS, if the link has it.
    pub fn tls(&self) -> Option<&TlsPipe> {
        self.tls.as_deref()
    }

    /// Our address and the peer's.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        self.socket.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.addresses()
    }
}

impl Socket {
    /// Sends FIN.
    fn end(&mut self) {
        if let Some(stream) = &self.stream {
            // It only fails on a connection that is already gone.
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    /// Reads once; `None` when it would block.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(stream) = self.stream.as_mut().filter(|_| self.readable) else { return Ok(None) };
        loop {
            match stream.read(buffer) {
                Ok(n) => {
                    // A short read has emptied the socket: the next byte makes a new event, so
                    // the call that would only say WouldBlock is saved. On Windows only that call
                    // re-arms the event.
                    self.readable = n == buffer.len() || self.read_closed || cfg!(windows);
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

    /// Writes once; 0 when it would block.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.writable || bytes.is_empty() {
            return Ok(0);
        }
        let Some(stream) = &mut self.stream else { return Ok(0) };
        loop {
            match stream.write(bytes) {
                Ok(n) => {
                    self.writable = n == bytes.len() || cfg!(windows);
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

    /// Moves ciphertext in once; `false` when there is none to be had for now.
    fn receive_tls(&mut self, tls: &mut TlsPipe) -> io::Result<bool> {
        if !self.readable || !tls.wants_ciphertext() {
            return Ok(false);
        }
        let Some(stream) = &mut self.stream else { return Ok(false) };
        match tls.read_tls(stream) {
            // Zero is the end of the stream, which TLS has noted and reports by itself.
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Moves ciphertext out until there is none or the socket would block.
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

#[cfg(all(test, target_os = "linux"))] // its TLS needs a key that only OpenSSL takes
mod tests;
