//! Lenses of binary protocols.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope_fuzz::lens::converse;

fuzz_target!(|input: &[u8]| {
    converse(&["mqtt", "wamp", "phoenix", "kubernetes", "engine.io", "rfb", "signalr"], input);
});
