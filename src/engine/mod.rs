//! Runs connections: the event loop, openings, open connections, and the evidence that they leave.

pub mod acceptor;
pub mod behaviour;
pub mod connection;
pub mod exit;
pub mod lingering;
pub mod memory;
pub mod open_error;
pub mod opening;
pub mod opening_evidence;
pub mod outbox;
mod party;
pub mod read_ahead;
pub mod relay;
pub mod run_facts;
pub mod runtime;
pub mod session_evidence;
pub mod slots;
pub mod talk;
