//! A WebSocket debugger as a library of layers; `ARCHITECTURE.md` tells the whole.
//!
//! [`wire`], [`event`] and [`session`] are the public part: bytes in, events out, no I/O. The
//! layers above make the `wscope` program.

#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod diagnostics;
pub mod event;
#[doc(hidden)]
pub mod modes;
#[doc(hidden)]
pub mod net;
pub mod session;
#[doc(hidden)]
pub mod ui;
pub mod wire;
