//! What the observer reports of a stream of bytes.

#[path = "../common/mod.rs"]
mod common;

mod compression;
mod handshake;
mod messages;
mod splits;
mod violations;

use common::seen::{Seen, Stream};
use wscope::wire::ViolationKind;

/// The violations among what was seen: kind, frame, offset.
fn violations(seen: &[Seen]) -> Vec<(ViolationKind, u64, u64)> {
    seen.iter()
        .filter_map(|event| match event {
            Seen::Violation(v) => Some((v.kind, v.frame, v.offset)),
            _ => None,
        })
        .collect()
}

/// Checks a stream whole, byte by byte and with trailing bytes: this is all that is wrong with it.
#[track_caller]
fn breaks(stream: &Stream, expected: &[(ViolationKind, u64, u64)]) -> Vec<Seen> {
    let seen = stream.seen();
    assert_eq!(violations(&seen), expected, "{seen:#?}");
    seen
}

/// The content of the complete messages; those without content count as empty.
fn contents(seen: &[Seen]) -> Vec<Vec<u8>> {
    let mut contents = Vec::new();
    let mut content = Vec::new();
    for event in seen {
        match event {
            Seen::Data(bytes) => content.extend_from_slice(bytes),
            Seen::Message(info) => {
                assert_eq!(info.len, content.len() as u64, "the length told");
                contents.push(std::mem::take(&mut content));
            }
            _ => {}
        }
    }
    contents
}
