//! A connection's transport with a bounded buffer in each direction.
//!
//! It knows nothing about WebSocket. The data of [`Link::split`] is plaintext.

use std::io;

use mio::event::Event;
use mio::{Registry, Token};

use super::stream::Stream;
use super::tls::TlsPipe;
use super::transport::{Received, Socket, Transport, TransportError};
use crate::wire::decoder::Input;

/// How many bytes are read at once: large enough to read a gigabyte with thousands of system calls,
/// not millions; small enough to stay in the second-level cache.
const READ_SIZE: usize = 256 * 1024;

/// If more bytes than this wait to be sent, the owner should produce no more.
pub const HIGH_WATER: usize = 256 * 1024;

/// The result of [`Link::fill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Data has arrived: see [`Link::split`]. With TLS, it may contain no plaintext, but it shows
    /// that the peer is alive.
    Data,
    /// No data now.
    Blocked,
    /// The peer's stream ended; `truncated` if TLS says that bytes may be missing.
    End {
        /// No close_notify before the end (RFC 8446 §6.1).
        truncated: bool,
    },
}

/// Buffers that links share: see [`Link::lend`].
pub struct Buffers {
    rx: Box<[u8]>,
    /// Empty buffers with capacity.
    spare: Vec<Vec<u8>>,
}

/// How many spare buffers are kept: one for the received data of a relay's leg, and one for the
/// data that the other leg sends.
const SPARE: usize = 2;

/// A larger spare buffer is freed.
const SPARE_ROOM: usize = 2 * HIGH_WATER;

impl Default for Buffers {
    fn default() -> Self {
        Self { rx: read_buffer(), spare: Vec::new() }
    }
}

impl Buffers {
    /// Lends a spare buffer to an owner without one.
    pub fn lend(&mut self, buffer: &mut Vec<u8>) {
        if buffer.capacity() == 0 {
            *buffer = self.spare.pop().unwrap_or_default();
        }
    }

    /// Takes back an empty buffer.
    pub fn take_back(&mut self, buffer: &mut Vec<u8>) {
        if buffer.is_empty() && buffer.capacity() > 0 {
            let buffer = std::mem::take(buffer);
            if buffer.capacity() <= SPARE_ROOM && self.spare.len() < SPARE {
                self.spare.push(buffer);
            }
        }
    }
}

fn read_buffer() -> Box<[u8]> {
    vec![0; READ_SIZE].into_boxed_slice()
}

/// Data that was received before there was room for it.
#[derive(Debug, Default)]
struct Ahead {
    bytes: Vec<u8>,
    /// The peer's stream ended after it; true if TLS says that bytes may be missing.
    ended: Option<bool>,
}

/// A transport with its buffers.
pub struct Link<T: Transport + ?Sized = dyn Transport> {
    rx: Box<[u8]>,
    rx_at: usize,
    rx_end: usize,
    /// Data received ahead, which follows `rx`: see [`Link::read_ahead`].
    ahead: Option<Box<Ahead>>,
    /// Plaintext to send; append to it.
    pub tx: Vec<u8>,
    tx_at: usize,
    /// Our side ends after the pending data.
    ends: bool,
    /// How many bytes of plaintext may still be sent; the greatest number is no limit.
    send_limit: usize,
    /// How many bytes may be received at once.
    fill_limit: usize,
    transport: Box<T>,
}

/// The link of an opening, which needs access to the socket and its TLS.
pub type SocketLink = Link<Socket>;

impl SocketLink {
    /// Takes over a non-blocking socket, with or without TLS.
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

    /// Like [`Link::over`], for a link that gets a buffer for each of its turns: see
    /// [`Link::lend`].
    ///
    /// # Errors
    ///
    /// The socket can't be registered.
    pub fn without_buffer(
        stream: Stream,
        tls: Option<TlsPipe>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        Ok(Self::new(Box::new(Socket::new(stream, tls, registry, token)?)))
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.transport
    }

    /// TLS, if it is used.
    pub fn tls(&self) -> Option<&TlsPipe> {
        self.transport.tls()
    }

    /// Uses TLS from now on, inside an existing TLS connection (to a proxy), if there is one.
    /// Received bytes that were not consumed belong to the new TLS. Continue with
    /// [`Link::handshake`].
    pub fn start_tls(&mut self, pipe: TlsPipe) {
        debug_assert!(self.tx.is_empty());
        self.set_back();
        let received = self.ahead.take().map(|ahead| ahead.bytes).unwrap_or_default();
        self.transport.start_tls(pipe, &received);
    }

    /// Continues the TLS handshake as far as possible; `Ok(true)` if plaintext can be sent and
    /// received.
    ///
    /// # Errors
    ///
    /// The handshake failed, or the socket did.
    pub fn handshake(&mut self) -> Result<bool, TransportError> {
        self.transport.handshake()
    }

    /// Continues without TLS, to send a last answer to a peer that does not use TLS.
    pub fn give_up_tls(&mut self) {
        self.transport.give_up_tls();
        self.drop_unsent();
    }

    /// The link of an open connection, which treats all transports alike.
    pub fn opened(self) -> Link {
        let Self { rx, rx_at, rx_end, ahead, tx, tx_at, ends, .. } = self;
        let Self { send_limit, fill_limit, transport, .. } = self;
        Link { rx, rx_at, rx_end, ahead, tx, tx_at, ends, send_limit, fill_limit, transport }
    }
}

impl<T: Transport + ?Sized> Link<T> {
    /// Takes over a transport, for a link that gets a buffer for each of its turns: see
    /// [`Link::lend`].
    pub fn new(transport: Box<T>) -> Self {
        Self {
            rx: Box::default(),
            rx_at: 0,
            rx_end: 0,
            ahead: None,
            tx: Vec::new(),
            tx_at: 0,
            ends: false,
            send_limit: usize::MAX,
            fill_limit: usize::MAX,
            transport,
        }
    }

    /// Lends buffers for a turn, so that thousands of links that take turns share a pair. A link
    /// with unread input or unsent output keeps its own buffers; lend again once the input is
    /// consumed.
    pub fn lend(&mut self, buffers: &mut Buffers) {
        if !self.has_input() && self.rx.len() < buffers.rx.len() {
            self.rx = std::mem::take(&mut buffers.rx);
        }
        buffers.lend(&mut self.tx);
    }

    /// Takes the buffers back. `unfinished` means that the observer stopped early, and needs the
    /// same bytes to continue (see [`Input::resume`]). The link then keeps them, like data that
    /// could not be sent.
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
        buffers.take_back(&mut self.tx);
    }

    /// Limits the bytes that can be sent until the next call, and the bytes (at least one) that can
    /// be received at once: for deliberately slow peers.
    pub fn limit(&mut self, send: Option<usize>, fill: usize) {
        (self.send_limit, self.fill_limit) = (send.unwrap_or(usize::MAX), fill.max(1));
    }

    /// Whether the peer's stream is known to end after the available data.
    pub fn is_read_closed(&self) -> bool {
        self.transport.is_read_closed()
    }

    /// Why the connection has ended, if it has; does not consume data that waits to be read.
    pub fn failure(&self) -> Option<io::Error> {
        self.transport.failure()
    }

    /// Notes a report of the poll about the transport.
    pub fn ready(&mut self, event: &Event) {
        self.transport.ready(event);
    }

    /// Receives more bytes. Call it only if all input of [`Link::split`] has been consumed.
    ///
    /// # Errors
    ///
    /// The transport failed. Data received before that has been returned.
    pub fn fill(&mut self) -> Result<Fill, TransportError> {
        debug_assert!(self.rx_at == self.rx_end);
        (self.rx_at, self.rx_end) = (0, 0);
        let most = self.rx.len().min(self.fill_limit);
        if let Some(Ahead { bytes, ended }) = self.ahead.as_deref_mut() {
            if !bytes.is_empty() {
                self.rx_end = most.min(bytes.len());
                self.rx[..self.rx_end].copy_from_slice(&bytes[..self.rx_end]);
                bytes.drain(..self.rx_end);
                return Ok(Fill::Data);
            }
            if let Some(truncated) = *ended {
                return Ok(Fill::End { truncated });
            }
            self.ahead = None;
        }
        Ok(match self.transport.receive(&mut self.rx[..most])? {
            Received::Data(n) => {
                self.rx_end = n;
                Fill::Data
            }
            Received::Blocked => Fill::Blocked,
            Received::End { truncated } => Fill::End { truncated },
        })
    }

    /// Receives data behind the unconsumed bytes, at most `most` bytes in all, and returns the new
    /// data. [`Link::fill`] returns it again later.
    ///
    /// # Errors
    ///
    /// The transport failed.
    pub fn read_ahead(&mut self, most: usize) -> Result<&[u8], TransportError> {
        let unconsumed = self.rx_end - self.rx_at;
        let Ahead { bytes, ended } = &mut **self.ahead.get_or_insert_default();
        let before = bytes.len();
        let room = most.saturating_sub(unconsumed + before).min(READ_SIZE);
        bytes.resize(before + room, 0);
        let received = self.transport.receive(&mut bytes[before..]);
        let came = if let Ok(Received::Data(n)) = received { n } else { 0 };
        bytes.truncate(before + came);
        if let Received::End { truncated } = received? {
            *ended = Some(truncated);
        }
        Ok(&bytes[before..])
    }

    /// Puts all unconsumed bytes back, so that [`Link::fill`] returns them again, and returns them.
    /// [`Link::read_ahead`] receives data behind them.
    pub fn set_back(&mut self) -> &[u8] {
        let rest = self.rx_at..self.rx_end;
        let ahead = &mut self.ahead.get_or_insert_default().bytes;
        ahead.splice(..0, self.rx[rest].iter().copied());
        (self.rx_at, self.rx_end) = (0, 0);
        ahead
    }

    /// Drops this many of the bytes that [`Link::set_back`] returned.
    pub fn skip(&mut self, n: usize) {
        if let Some(Ahead { bytes, .. }) = self.ahead.as_deref_mut() {
            bytes.drain(..n.min(bytes.len()));
        }
    }

    /// Whether the peer's stream has ended after the data of [`Link::read_ahead`].
    pub fn has_ended_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.ended.is_some())
    }

    /// Whether [`Link::read_ahead`] could return something without waiting.
    pub fn may_read_ahead(&self, most: usize) -> bool {
        let room = most.saturating_sub(self.rx_end - self.rx_at);
        let open = |ahead: &Ahead| ahead.bytes.len() < room && ahead.ended.is_none();
        room > 0 && self.ahead.as_deref().is_none_or(open) && self.transport.may_receive()
    }

    /// Whether data was received ahead.
    pub fn has_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| !ahead.bytes.is_empty())
    }

    /// The received bytes that have not been consumed, and the buffer for the answer.
    pub fn split(&mut self) -> (Input<'_>, &mut Vec<u8>) {
        (Input::resume(&mut self.rx[..self.rx_end], self.rx_at), &mut self.tx)
    }

    /// Notes how much of the input was consumed: [`Input::consumed`].
    pub fn consumed(&mut self, at: usize) {
        self.rx_at = at.min(self.rx_end);
    }

    /// Whether received bytes wait to be consumed.
    pub fn has_input(&self) -> bool {
        self.rx_at < self.rx_end
    }

    /// Whether [`Link::fill`] could return something without waiting.
    pub fn may_fill(&self) -> bool {
        self.has_ahead() || self.has_ended_ahead() || self.transport.may_receive()
    }

    /// The number of bytes that wait to be sent.
    pub fn pending(&self) -> usize {
        self.tx.len() - self.tx_at + self.transport.waiting()
    }

    /// Whether [`Link::flush`] could send waiting bytes now.
    pub fn may_flush(&self) -> bool {
        self.pending() > 0 && self.send_limit > 0 && self.transport.may_send()
    }

    /// Sends as much as the transport accepts. After [`Link::half_close`], drops data that was
    /// appended later.
    ///
    /// # Errors
    ///
    /// The transport failed.
    pub fn flush(&mut self) -> Result<(), TransportError> {
        if self.has_ended() {
            self.drop_unsent();
        }
        let rest = &self.tx[self.tx_at..];
        let rest = &rest[..rest.len().min(self.send_limit)];
        let taken = self.transport.send(rest)?;
        self.tx_at += taken;
        self.send_limit -= taken.min(self.send_limit);
        if self.tx_at == self.tx.len() {
            self.drop_unsent();
        } else if self.tx_at > HIGH_WATER.max(self.tx.len() / 4) {
            // A long queue is not moved after every small write.
            self.tx.drain(..self.tx_at);
            self.tx_at = 0;
        }
        if self.ends && self.tx.is_empty() && !self.has_ended() {
            self.transport.half_close()?;
        }
        Ok(())
    }

    /// Ends our side of the stream after the pending data, and continues to receive.
    /// [`Link::flush`] sends data that the transport does not accept at once.
    ///
    /// # Errors
    ///
    /// Those of [`Link::flush`].
    pub fn half_close(&mut self) -> Result<(), TransportError> {
        self.ends = true;
        self.flush()
    }

    /// Whether our side has ended: data that is appended now is dropped.
    pub fn has_ended(&self) -> bool {
        self.transport.has_ended()
    }

    /// Ends the connection at once with a reset: the peer's next read fails, and all data on the
    /// way, in both directions, is lost. After that, no data arrives or waits.
    pub fn abort(&mut self) {
        self.drop_unsent();
        (self.rx_at, self.rx_end) = (0, 0);
        self.transport.reset();
    }

    /// Drops waiting data that the transport has not accepted.
    pub fn drop_unsent(&mut self) {
        self.tx.clear();
        self.tx_at = 0;
    }

    /// Ends our side at once; in order if that is possible without waiting.
    pub fn shutdown(&mut self) {
        self.transport.shutdown();
    }
}

#[cfg(all(test, target_os = "linux"))] // its TLS needs a key that only OpenSSL takes
mod tests;
