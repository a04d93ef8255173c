//! Payload formats: bytes to values, and values to bytes for commands.
//!
//! All readers accept any bytes. They do not read data that is nested deeper than [`DEPTH`] or has
//! more than [`VALUES`] values.

pub mod cbor;
pub(super) mod cursor;
pub mod inflate;
pub mod json;
pub mod msgpack;
pub mod protobuf;
pub mod schema;

/// The deepest nesting of lists, maps and messages.
pub const DEPTH: usize = 64;

/// The largest number of values in one message.
pub const VALUES: usize = 1 << 16;
