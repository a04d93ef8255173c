//! Commands: their grammar, their table, and the runner of the prompt and of scripts.

pub mod command;
pub mod json;
pub mod runner;
