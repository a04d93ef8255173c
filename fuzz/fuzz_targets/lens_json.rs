//! Lenses of protocols in JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope_fuzz::lens::converse;

fuzz_target!(|input: &[u8]| {
    const NAMES: [&str; 11] = [
        "graphql-transport-ws",
        "graphql-ws",
        "json-rpc",
        "wamp",
        "signalr",
        "phoenix",
        "action-cable",
        "pusher",
        "ocpp",
        "discord",
        "vite",
    ];
    converse(&NAMES, input);
});
