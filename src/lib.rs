//! A WebSocket debugger as a library of layers; `ARCHITECTURE.md` tells the whole.
pub mod wire;
