//! What a connection does with received data, and when: one behaviour in each file, for both roles.

pub mod broadcast;
pub mod echo;
pub mod exec;
pub mod faults;
pub mod greeting;
pub mod input;
pub mod mock;
pub mod payload;
mod perform;
pub mod ping;
pub mod replay;
pub mod reply;
pub mod splitter;
pub mod stay;
pub mod steps;
pub mod stop;
