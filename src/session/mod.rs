//! The logic of one connection, without I/O: bytes and events in, events and bytes out.
//!
//! Knows the wire and the event vocabulary; no sockets, printers, clocks or environment. Time and
//! randomness are arguments; the output is bytes to send and the next deadline.

pub mod counters;
pub mod endpoint;
pub mod framing;
pub mod keys;
pub mod message;
pub mod observer;
pub mod stats;

pub use endpoint::{Endpoint, EndpointConfig};
pub use message::{Assembler, Message};
pub use observer::{Limits, Observer};
