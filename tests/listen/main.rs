//! The server as its users meet it: the real binary, independent clients, raw sockets.

#![cfg(unix)]

mod harness;
mod raw;

mod answers;
mod ending;
mod exec;
mod explain;
mod handshake;
mod hostile;
mod input;
mod limits;
mod places;
#[cfg(target_os = "linux")]
mod tls;
mod transcript;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/lines.rs"]
#[allow(dead_code)]
mod lines;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
