//! What is shown: events turned into lines for people and for machines.
//!
//! Printers are pure: they append bytes to a buffer that somebody else writes, and keep just the
//! state that the lines need. They know the event vocabulary and the wire; no sockets, no files,
//! no clock (events carry their time). Only [`terminal`] asks the system, and only for facts.
//!
//! Everything that came from outside passes through [`sanitize`] on its way.

pub mod base64;
pub mod checklist;
pub mod clock;
pub mod connections;
pub mod diagnostic;
pub mod diagram;
pub mod doctor;
pub mod ending;
pub mod excerpt;
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
