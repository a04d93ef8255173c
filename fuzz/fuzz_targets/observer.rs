//! The observer without compression, in both directions, with low and with usual limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope_fuzz::{Case, check, seen::Stream};

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    check(&Stream::new(case.direction(), case.bytes).limits(case.limits()), &case.cuts);
});
