//! A whole connection against a scripted peer, in both roles, with whatever behaviours.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/driver.rs"]
mod driver;

fuzz_target!(|input: &[u8]| driver::drive(input));
