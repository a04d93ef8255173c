//! A WebSocket debugger as a library of layers; `ARCHITECTURE.md` tells the whole.
#[doc(hidden)]
pub mod net;
pub mod wire;
