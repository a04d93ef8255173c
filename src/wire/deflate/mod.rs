//! permessage-deflate, RFC 7692: what the two sides agree on, and the compression itself.

pub mod codec;
pub mod params;
mod pool;
