//! A WebSocket debugger as a library of layers; see `ARCHITECTURE.md`.
//!
//! [`wire`], [`event`], [`session`] and [`lens`] are the public part: bytes in, events out, no I/O. The
//! layers above make the `wscope` program.

#[doc(hidden)]
pub mod behaviour;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod diagnostics;
#[doc(hidden)]
pub mod engine;
pub mod event;
pub mod lens;
#[doc(hidden)]
pub mod modes;
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod recording;
#[doc(hidden)]
pub mod script;
pub mod session;
#[doc(hidden)]
pub mod ui;
pub mod wire;
