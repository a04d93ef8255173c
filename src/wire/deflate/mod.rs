//! permessage-deflate, RFC 7692: what the two sides agree on, and the compression itself.

pub mod codec;
mod distances;
pub mod params;
mod pool;
