//! The server as its users meet it: the real binary, independent clients, raw sockets.

mod harness;
mod raw;

mod answers;
mod commands;
mod each;
mod ending;
mod exec;
mod explain;
mod handshake;
mod hostile;
mod input;
mod lens;
mod limits;
mod places;
mod prompt;
mod replay;
#[cfg(target_os = "linux")]
mod tls;
mod transcript;
#[cfg(target_os = "linux")] // it reads /proc
mod turns;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/lines.rs"]
#[allow(dead_code)]
mod lines;
#[path = "../common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
