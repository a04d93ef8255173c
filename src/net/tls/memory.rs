//! The two ciphertext buffers of a TLS pipe, and the stream that the TLS library reads and writes
//! instead of a socket.
//!
//! It handles only bytes, and must not know sockets or the TLS library. Both buffers move the
//! remaining bytes to the front only if at least as many bytes were consumed, so moving never costs
//! more than reading.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use crate::net::server_hello::ServerHelloTap;

/// Room for encrypted data: fifteen whole records (RFC 8446 §5.2: at most 16,640 bytes and a
/// header). The system allocates the pages only when they are used.
const INCOMING_CAPACITY: usize = 256 * 1024;
/// Room on a server, which may have thousands of connections: three whole records.
const SERVER_INCOMING_CAPACITY: usize = 64 * 1024;
/// For less room than this, a system call is not worth it.
const MIN_ROOM: usize = 4 * 1024;

/// Ciphertext from the peer, in a buffer of fixed size.
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
    /// Whether the TLS library has reached the end.
    eof_met: bool,
    /// Whether any byte has arrived.
    begun: bool,
}

/// Ciphertext for the peer. The writer of the plaintext limits its growth.
#[derive(Default)]
pub(super) struct OutgoingCiphertext {
    bytes: Vec<u8>,
    start: usize,
    /// Whether any byte has been sent.
    begun: bool,
}

/// The direction of the ServerHello.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TapOn {
    /// A client receives it.
    Incoming,
    /// A server sends it.
    Outgoing,
}

/// Everything between the TLS library and the socket.
pub(super) struct Wire {
    pub(super) incoming: Incoming,
    pub(super) outgoing: OutgoingCiphertext,
    pub(super) tap: ServerHelloTap,
    tap_on: TapOn,
}

/// The wire as a stream for the TLS library. It is shared, because the library drops its stream
/// when a handshake fails, and the alert in it must still be sent.
pub(super) struct MemoryStream(pub(super) Rc<RefCell<Wire>>);

impl Incoming {
    fn new(capacity: usize) -> Self {
        let bytes = vec![0; capacity];
        Self { bytes, start: 0, end: 0, eof: false, eof_met: false, begun: false }
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the rest is small enough to be moved to the front.
    fn is_movable(&self) -> bool {
        self.start >= self.len()
    }

    /// Whether reading more is allowed and useful.
    pub(super) fn has_room(&self) -> bool {
        let used = if self.is_movable() { self.len() } else { self.end };
        !self.eof && self.bytes.len() - used >= MIN_ROOM
    }

    fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && self.is_movable() && self.bytes.len() - self.end < self.bytes.len() / 4
        {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn set_eof(&mut self) {
        self.eof = true;
    }

    pub(super) fn eof_met(&self) -> bool {
        self.eof_met
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Returns `WouldBlock` if it is empty, and `UnexpectedEof` after the peer's end. A plain 0
    /// would make a cut stream look like a closed one.
    fn take(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.len() == 0 && !buf.is_empty() {
            self.eof_met |= self.eof;
            let kind =
                if self.eof { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::WouldBlock };
            return Err(kind.into());
        }
        let taken = buf.len().min(self.len());
        buf[..taken].copy_from_slice(&self.bytes[self.start..self.start + taken]);
        self.start += taken;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        Ok(taken)
    }
}

impl OutgoingCiphertext {
    /// Whether anything has been sent.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count.min(self.pending().len());
        self.begun |= count > 0;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start >= self.pending().len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }
}

impl Wire {
    pub(super) fn shared(tap_on: TapOn) -> Rc<RefCell<Self>> {
        let capacity = match tap_on {
            TapOn::Incoming => INCOMING_CAPACITY,
            TapOn::Outgoing => SERVER_INCOMING_CAPACITY,
        };
        let (incoming, outgoing) = (Incoming::new(capacity), OutgoingCiphertext::default());
        Rc::new(RefCell::new(Self { incoming, outgoing, tap: ServerHelloTap::new(), tap_on }))
    }

    /// Reads from `source` into the incoming buffer; 0 is the end of `source`.
    pub(super) fn receive(&mut self, source: &mut impl Read) -> io::Result<usize> {
        if !self.incoming.has_room() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let room = self.incoming.room();
        let got = source.read(room)?.min(room.len());
        if self.tap_on == TapOn::Incoming {
            self.tap.feed(&room[..got]);
        }
        self.incoming.end += got;
        self.incoming.begun |= got > 0;
        self.incoming.eof |= got == 0;
        Ok(got)
    }
}

impl Read for MemoryStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().incoming.take(buf)
    }
}

impl Write for MemoryStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut wire = self.0.borrow_mut();
        if wire.tap_on == TapOn::Outgoing {
            wire.tap.feed(bytes);
        }
        wire.outgoing.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes 0, 1, 2 … 250, 0, 1 …, which show their position.
    fn pattern(from: usize, len: usize) -> Vec<u8> {
        (from..from + len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn bytes_come_out_in_order_whatever_the_steps() {
        let wire = Wire::shared(TapOn::Incoming);
        let mut wire = wire.borrow_mut();
        let (mut fed, mut taken) = (0, 0);
        let mut buf = vec![0; 40_000];
        for step in 0..2_000_usize {
            let chunk = pattern(fed, 1 + step * 7919 % 60_000);
            if wire.incoming.has_room() {
                fed += wire.receive(&mut chunk.as_slice()).unwrap();
            }
            let want = 1 + step * 104_729 % 40_000;
            if let Ok(got) = wire.incoming.take(&mut buf[..want]) {
                assert_eq!(buf[..got], pattern(taken, got));
                taken += got;
            }
            assert!(wire.incoming.bytes.len() == INCOMING_CAPACITY && fed >= taken);
        }
        assert!(taken > 10 * INCOMING_CAPACITY);
    }

    #[test]
    fn a_full_buffer_wants_nothing_until_it_is_read() {
        let wire = Wire::shared(TapOn::Incoming);
        let mut wire = wire.borrow_mut();
        while wire.incoming.has_room() {
            wire.receive(&mut [22; 10_000].as_slice()).unwrap();
        }
        let full = wire.receive(&mut [22; 1].as_slice()).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        wire.incoming.take(&mut vec![0; INCOMING_CAPACITY / 2]).unwrap();
        assert!(wire.incoming.has_room());
    }

    #[test]
    fn the_end_comes_after_the_last_byte() {
        let wire = Wire::shared(TapOn::Incoming);
        let mut wire = wire.borrow_mut();
        let mut buf = [0; 8];
        let kind = |result: io::Result<usize>| result.unwrap_err().kind();
        assert_eq!(kind(wire.incoming.take(&mut buf)), io::ErrorKind::WouldBlock);
        wire.receive(&mut b"ab".as_slice()).unwrap();
        wire.incoming.set_eof();
        assert!(!wire.incoming.has_room());
        assert_eq!(wire.incoming.take(&mut buf).unwrap(), 2);
        assert!(!wire.incoming.eof_met());
        assert_eq!(kind(wire.incoming.take(&mut buf)), io::ErrorKind::UnexpectedEof);
        assert!(wire.incoming.eof_met());
    }

    #[test]
    fn outgoing_bytes_leave_in_order() {
        let mut outgoing = OutgoingCiphertext::default();
        let (mut pushed, mut sent) = (0, 0);
        for step in 0..500_usize {
            outgoing.push(&pattern(pushed, step % 97));
            pushed += step % 97;
            let count = outgoing.pending().len().min(step % 89);
            assert_eq!(outgoing.pending()[..count], pattern(sent, count));
            outgoing.consume(count);
            sent += count;
        }
        outgoing.consume(usize::MAX);
        assert!(outgoing.pending().is_empty() && outgoing.bytes.is_empty());
    }
}
