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

/// What receiving gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes; none where something arrived that carries no content, but shows life.
    Data(usize),
    /// None for now.
    Blocked,
    /// The peer's stream ended; `truncated` if bytes may be missing.
    End {
        /// TLS without close_notify before the end (RFC 8446 §6.1).
        truncated: bool,
    },
}

/// Why a transport broke.
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
    /// The transport broke; what was received before has been passed on.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, TransportError>;

    /// Sends what was accepted before, then accepts as many of these bytes as possible; returns how
    /// many.
    ///
    /// # Errors
    ///
    /// The transport broke.
    fn send(&mut self, bytes: &[u8]) -> Result<usize, TransportError>;

    /// Bytes that were accepted and are not sent yet.
    fn waiting(&self) -> usize;

    /// Whether [`Transport::receive`] might bring something without waiting.
    fn may_receive(&self) -> bool;

    /// Whether [`Transport::send`] would bring what waits further.
    fn may_send(&self) -> bool;

    /// Whether it is known that the peer's stream ends after what is there to be received.
    fn is_read_closed(&self) -> bool;

    /// Why it is gone, if it is: found out without receiving what waits.
    fn failure(&self) -> Option<io::Error>;

    /// Ends our side after the accepted bytes, and continues receiving. Bytes that can't be sent at
    /// once are sent by [`Transport::send`].
    ///
    /// # Errors
    ///
    /// The transport broke.
    fn half_close(&mut self) -> Result<(), TransportError>;

    /// Whether our side ends, at the latest after the accepted bytes: nothing more is accepted.
    fn has_ended(&self) -> bool;

    /// Ends our side at once, in order if that can be done without waiting.
    fn shutdown(&mut self);

    /// Ends both sides at once: the peer's next read fails, and all data on the way, in both
    /// directions, is lost. After that, nothing is received, accepted or queued.
    fn reset(&mut self);

    /// Notes what the poll reports of it; nothing for one that no poll knows.
    fn ready(&mut self, _event: &Event) {}
}
