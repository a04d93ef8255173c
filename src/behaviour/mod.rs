//! What a connection does with what it sees, and when.

pub mod echo;
pub mod faults;
pub mod greeting;
pub mod input;
pub mod reply;
pub mod stop;
