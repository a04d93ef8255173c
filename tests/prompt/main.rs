//! The prompt on a real terminal: what is on its screen, what comes out of it, how it is left.

mod driver;
mod ending;
mod history;
mod keys;
mod output;
mod outside;
mod paste;
mod terminal;
