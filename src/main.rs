//! The `wscope` program.

fn main() {}
