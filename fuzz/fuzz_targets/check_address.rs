//! What a client that is tested asks for: any target of a request has a meaning, and a number of a case
//! is at least 1.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::check::address::{Address, Number, read};

fuzz_target!(|input: &[u8]| {
    if let Address::Run(number) | Address::Info(number) | Address::Status(number) =
        read(&String::from_utf8_lossy(input))
    {
        assert!(!matches!(number, Number::Place(0)));
    }
});
