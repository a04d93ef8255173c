//! Turns events into text for people and JSON for programs.
//!
//! Printers are pure: they append bytes to a buffer that another layer writes, and keep only the
//! state that the lines need. They use events and `wire`, but no sockets, files or clock (events
//! carry their time). Only [`terminal`] asks the system, and changes nothing.
//!
//! All data from outside passes through [`sanitize`].

pub mod base64;
pub mod checklist;
pub mod clock;
pub mod connections;
pub mod diagnostic;
pub mod diagram;
pub mod doctor;
pub mod ending;
pub mod explain;
pub mod filter;
pub mod glob;
pub mod hex;
pub mod hexdump;
pub mod human;
pub mod idle_limit;
pub mod json;
pub mod latency;
pub mod meaning;
mod messages;
pub mod notation;
pub mod number;
pub mod pattern;
pub mod ping;
pub mod pretty;
pub mod progress;
pub mod prompt;
pub mod redact;
pub mod replay;
pub mod sanitize;
pub mod stats;
pub mod style;
pub mod suggest;
pub mod terminal;
pub mod view;
pub mod waterfall;
pub mod wrap;
pub mod write_out;

pub use human::{HumanOptions, HumanPrinter};
pub use json::JsonPrinter;
