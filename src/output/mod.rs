//! Readers of the one event stream: transcript, JSON, log, history, payload.

pub mod connection_history;
pub mod history;
pub mod log;
pub mod notifier;
pub mod payload;
pub mod reporter;
pub mod stderr;
