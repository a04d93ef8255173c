//! Bytes and RFC rules.
pub mod deflate;
pub mod handshake;
pub mod head;
