//! What runs connections: one event loop, openings, open connections, what they leave behind.

pub mod exit;
pub mod open_error;
pub mod opening;
pub mod opening_evidence;
pub mod outbound;
pub mod pump;
pub mod run_facts;
pub mod runtime;
pub mod session_evidence;
