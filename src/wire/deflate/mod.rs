//! permessage-deflate, RFC 7692: the negotiation and the compression.

pub mod codec;
mod distances;
pub mod params;
mod pool;
