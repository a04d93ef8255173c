//! `--fault` as its users meet it: the real server against the real client and raw sockets, and the
//! other way round. Every fault must be named by the other side, and end it with the right status.

#[path = "../listen/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../listen/raw.rs"]
#[allow(dead_code)]
mod raw;

mod bytes;
mod catalogue;
mod client;
mod moments;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
