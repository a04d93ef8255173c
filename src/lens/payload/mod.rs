//! Payload formats: bytes to values, and values to bytes where a lens speaks.
//!
//! All readers are total. What is nested deeper than [`DEPTH`] or holds more than [`VALUES`] values
//! is not read.

pub mod cbor;
pub(super) mod cursor;
pub mod inflate;
pub mod json;
pub mod msgpack;
pub mod protobuf;
pub mod schema;

/// Levels of lists, maps and messages.
pub const DEPTH: usize = 64;

/// Values in one message.
pub const VALUES: usize = 1 << 16;
