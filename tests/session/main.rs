//! Sessions at the prompt: the real binary on a real terminal, against scripted peers.
//!
//! A test types, looks at the screen, and releases the peer when it may go on; the peer looks at every
//! byte. `tests/prompt` tests the prompt alone, `tests/cli` the binary where there is none.

mod session;

mod arriving;
mod assistance;
mod banner;
mod elsewhere;
mod history;
mod hostile;
mod leaving;
mod lens;
mod narrow;
mod outside;
mod pasting;
mod peer_closes;
mod reading;
mod signals;
mod turns;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/peer.rs"]
#[allow(dead_code)]
mod peer;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
