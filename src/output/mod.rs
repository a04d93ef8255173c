//! Sinks of the one event stream: transcript, JSON, log, history; and payload.

pub mod connection_history;
pub mod decode_with;
pub mod frame_store;
mod history;
pub mod lenses;
pub mod log;
pub mod notifier;
pub mod pager;
pub mod payload;
mod redaction;
pub mod reporter;
pub mod secrets;
mod sink;
pub mod stderr;
mod transcript;
