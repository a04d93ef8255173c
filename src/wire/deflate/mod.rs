//! permessage-deflate (RFC 7692): what is negotiated, and how messages are compressed.
pub mod params;
