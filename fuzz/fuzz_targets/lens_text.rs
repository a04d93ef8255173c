//! Lenses of text protocols, and those that carry them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope_fuzz::lens::converse;

fuzz_target!(|input: &[u8]| {
    converse(&["stomp", "engine.io", "socket.io", "sockjs", "nats", "sip", "xmpp"], input);
});
