//! The prompt on a real terminal: what is on its screen, what comes out of it, how it is left.

mod driver;
mod ending;
mod history;
mod keys;
mod output;
mod outside;
mod paste;

#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
