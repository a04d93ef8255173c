//! Carries the bytes of a connection: a pipe of plaintext in each direction, which never waits.
//!
//! A transport holds only bytes that it has accepted and can't return, such as those that TLS has
//! encrypted. Other bytes stay with the owner ([`Link`](super::link::Link)) and are counted there,
//! so a transport with its own window only reports how much it accepts.

mod socket;

use std::io;

use mio::event::Event;

use super::plain_io::plain_io;
use super::tls::TlsError;

pub use socket::Socket;

/// The result of receiving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes; 0 if data without content arrived, which shows that the peer is alive.
    Data(usize),
    /// No data now.
    Blocked,
    /// The peer's stream ended; `truncated` if bytes may be missing.
    End {
        /// TLS without close_notify before the end (RFC 8446 §6.1).
        truncated: bool,
    },
}

/// Why a transport failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The socket failed.
    #[error("{}", plain_io(.0))]
    Io(#[from] io::Error),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A pipe of bytes to the peer and from it.
///
/// Edge-triggered: after [`Transport::receive`] has reported that it is blocked, or
/// [`Transport::send`] has accepted less than all, nothing changes before an event.
pub trait Transport {
    /// Receives once, into a buffer of at least one byte.
    ///
    /// # Errors
    ///
    /// The transport failed. Data received before that has been returned.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, TransportError>;

    /// Sends the bytes that it has accepted, then accepts as many of these bytes as possible;
    /// returns their number.
    ///
    /// # Errors
    ///
    /// The transport failed.
    fn send(&mut self, bytes: &[u8]) -> Result<usize, TransportError>;

    /// The number of accepted bytes that have not been sent.
    fn waiting(&self) -> usize;

    /// Whether [`Transport::receive`] could return something without waiting.
    fn may_receive(&self) -> bool;

    /// Whether [`Transport::send`] could send waiting bytes now.
    fn may_send(&self) -> bool;

    /// Whether the peer's stream is known to end after the available data.
    fn is_read_closed(&self) -> bool;

    /// Why it has ended, if it has; does not consume data that waits to be received.
    fn failure(&self) -> Option<io::Error>;

    /// Ends our side after the accepted bytes, and continues to receive. [`Transport::send`] sends
    /// the bytes that can't be sent at once.
    ///
    /// # Errors
    ///
    /// The transport failed.
    fn half_close(&mut self) -> Result<(), TransportError>;

    /// Whether our side has ended, or ends after the accepted bytes: it accepts nothing more.
    fn has_ended(&self) -> bool;

    /// Ends our side at once; in order if that is possible without waiting.
    fn shutdown(&mut self);

    /// Ends both sides at once: the peer's next read fails, and all data on the way, in both
    /// directions, is lost. After that, nothing is received, accepted or queued.
    fn reset(&mut self);

    /// Notes a report of the poll; does nothing for a transport without a poll.
    fn ready(&mut self, _event: &Event) {}
}
