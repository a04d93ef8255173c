//! The program as its users meet it: the real binary, real sockets on loopback, every byte of
//! stdout and stderr, and the exit status.

mod harness;

mod captures;
mod commands;
mod convert;
mod decode;
mod decode_with;
mod deflate;
mod endings;
#[cfg(target_os = "linux")]
mod endless;
mod explain;
mod handshake;
mod hostile;
mod input;
mod lens;
mod mistyped;
mod nothing_lost;
mod output;
mod ping;
mod pty;
mod reach;
mod recording;
mod replay;
mod request;
mod script;
mod secrets;
mod shown;
mod stalls;
mod staying;
#[cfg(target_os = "linux")]
mod tls;
mod transcript;
mod unread;
mod violations;
mod well_behaved;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/lines.rs"]
mod lines;
#[path = "../common/peer.rs"]
mod peer;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/waiting.rs"]
mod waiting;
