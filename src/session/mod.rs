//! The logic of one connection, without I/O: it takes bytes and events, and returns events and
//! bytes.
//!
//! It uses `wire` and the events, but no sockets, printers, clocks or environment. Time and
//! randomness are arguments; the result is bytes to send and the next deadline.

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
