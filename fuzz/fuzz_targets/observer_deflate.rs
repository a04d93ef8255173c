//! The observer with compression, with and without context takeover.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::wire::deflate::params::DeflateParams;
use wscope_fuzz::{Case, check, seen::Stream};

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let params = DeflateParams {
        server_no_context_takeover: case.flag(2),
        client_no_context_takeover: case.flag(2),
        ..DeflateParams::default()
    };
    let stream = Stream::new(case.direction(), case.bytes).limits(case.limits()).deflate(params);
    check(&stream, &case.cuts);
});
