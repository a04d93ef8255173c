//! Openings: step machines that lead to an open connection, and neither wait nor own the poll.
//!
//! Whoever runs one calls `advance` whenever something is ready or due. Hundreds can be in flight
//! at once.

pub mod client;
pub mod deadline;
pub mod foreign;
mod response;
pub mod server;

pub use client::{ClientOpening, Opened, Opening, open, request};
