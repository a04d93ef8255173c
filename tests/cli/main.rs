//! The program as its users meet it: the real binary, real sockets on loopback, every byte of
//! stdout and stderr, and the exit status.

#![cfg(unix)]

mod harness;
mod lines;
mod peer;

mod endings;
mod pipe;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
