//! A WebSocket debugger as a library of layers; `ARCHITECTURE.md` tells the whole.
//!
//! [`wire`], [`event`] and [`session`] are the public part: bytes in, events out, no I/O. The
//! layers above make the `wscope` program.

pub mod event;
pub mod session;
#[doc(hidden)]
pub mod ui;
pub mod wire;
