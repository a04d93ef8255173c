//! The program as its users meet it: the real binary, real sockets on loopback, every byte of
//! stdout and stderr, and the exit status.

#![cfg(unix)]

mod harness;
mod lines;
mod peer;

mod commands;
mod decode;
mod deflate;
mod endings;
mod handshake;
mod hostile;
mod nothing_lost;
mod pipe;
mod pty;
mod request;
#[cfg(target_os = "linux")]
mod tls;
mod transcript;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
