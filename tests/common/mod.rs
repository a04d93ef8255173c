//! What the tests of the session share: streams to feed, events to compare, peers to talk to.

#![allow(dead_code)] // each test file is a crate of its own and uses a part of this

pub mod engine;
pub mod frames;
pub mod party;
pub mod seen;
pub mod streams;
