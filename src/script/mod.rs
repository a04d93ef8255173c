//! Commands: their grammar, their table, and the runner of prompt and scripts.

pub mod command;
pub mod json;
pub mod runner;
