//! Payload formats: any bytes are a value or none, and what is written is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::lens::Value;
use wscope::lens::payload::{cbor, inflate, json, msgpack, protobuf};

fuzz_target!(|input: &[u8]| {
    protobuf::read(input, None);
    inflate::inflate(input);
    let text = std::str::from_utf8(input).ok();
    for value in [msgpack::read(input), cbor::read(input), text.and_then(json::read)] {
        let Some(value) = value else { continue };
        assert!(json::read(&value.json()).is_some(), "strict JSON: {value}");
        let mut bytes = Vec::new();
        cbor::write(&value, &mut bytes);
        let again = cbor::read(&bytes).expect("what was written");
        if plain(&value) {
            assert_eq!(again.to_string(), value.to_string());
        }
    }
});

/// Whether a value has only types that every format has.
fn plain(value: &Value) -> bool {
    match value {
        Value::Marked(..) | Value::Number(_) => false,
        Value::List(values) => values.iter().all(plain),
        Value::Map(entries) => entries.iter().all(|(key, value)| plain(key) && plain(value)),
        _ => true,
    }
}
