//! The program as its users meet it: the real binary, real sockets on loopback, every byte of
//! stdout and stderr, and the exit status.

#![cfg(unix)]

mod harness;
mod lines;
mod peer;
mod server;
mod waiting;

mod commands;
mod decode;
mod deflate;
mod endings;
mod explain;
mod handshake;
mod hostile;
mod input;
mod nothing_lost;
mod output;
mod pty;
mod request;
mod stalls;
mod staying;
#[cfg(target_os = "linux")]
mod tls;
mod transcript;
mod violations;
mod well_behaved;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
