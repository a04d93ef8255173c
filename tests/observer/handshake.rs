//! The observer before the frames: heads, and the bodies of responses that refuse.

use super::common::frames::*;
use super::common::seen::{Seen, note};
use wscope::event::Direction::{self, ToClient, ToServer};
use wscope::event::Observed;
use wscope::session::{Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::head::HeadLimits;

const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";

/// What the owner of an observer decides once it has seen a head.
#[derive(Clone, Copy)]
enum Then {
    Frames,
    Body,
}

/// Feeds a connection's bytes in pieces of `size`, deciding at the head what follows.
fn observe(direction: Direction, bytes: &[u8], size: usize, then: Then) -> (Observer, Vec<Seen>) {
    let mut observer = Observer::before_handshake(direction, Limits::default());
    let mut seen = Vec::new();
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            let is_head = match observer.next(&mut input) {
                None => break,
                Some(event) => {
                    note(&mut seen, &event);
                    matches!(event, Observed::Head(_))
                }
            };
            match then {
                Then::Frames if is_head => observer.expect_frames(None),
                Then::Body if is_head => observer.expect_body(),
                _ => {}
            }
        }
        assert!(input.is_empty(), "all is taken");
    }
    (observer, seen)
}

#[test]
fn a_head_and_frames_may_come_in_the_same_input() {
    let frames = bytes([frame(TEXT, "first"), frame(TEXT, "second")]);
    let stream = [RESPONSE, &frames].concat();
    let (_, seen) = observe(ToClient, &stream, stream.len(), Then::Frames);
    assert_eq!(seen[0], Seen::Head(RESPONSE.to_vec()));
    assert_eq!(super::contents(&seen), [&b"first"[..], b"second"]);
    for size in [1, 2, 7, RESPONSE.len(), RESPONSE.len() + 1] {
        assert_eq!(observe(ToClient, &stream, size, Then::Frames).1, seen, "pieces of {size}");
    }
}

#[test]
fn offsets_count_from_the_head_on() {
    let stream = [REQUEST, &bytes([frame(TEXT, "unmasked")])].concat();
    for size in [1, stream.len()] {
        let (_, seen) = observe(ToServer, &stream, size, Then::Frames);
        let at = REQUEST.len() as u64;
        assert!(matches!(&seen[1], Seen::Start(1, header) if header.offset == at), "{seen:#?}");
        assert!(matches!(&seen[2], Seen::Violation(v) if v.offset == at), "{seen:#?}");
    }
}

#[test]
fn nothing_is_taken_beyond_a_head_until_its_owner_decides() {
    let mut observer = Observer::before_handshake(ToClient, Limits::default());
    let mut bytes = [RESPONSE, b"\x81\x02ok"].concat();
    let mut input = Input::new(&mut bytes);
    assert!(matches!(observer.next(&mut input), Some(Observed::Head(_))));
    assert!(observer.next(&mut input).is_none());
    assert_eq!(input.rest(), b"\x81\x02ok");
    observer.expect_frames(None);
    assert!(matches!(observer.next(&mut input), Some(Observed::Frame(_))));
}

#[test]
fn a_refusal_has_a_body_of_any_bytes() {
    let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n";
    let stream = [&refusal[..], b"\x81\x02no"].concat();
    for size in [1, 3, stream.len()] {
        let (mut observer, seen) = observe(ToClient, &stream, size, Then::Body);
        assert_eq!(seen, [Seen::Head(refusal.to_vec()), Seen::Body(b"\x81\x02no".to_vec())]);
        assert_eq!(observer.finish(), None);
    }
}

#[test]
fn a_head_that_is_too_large_is_an_error_and_the_end() {
    let head = HeadLimits { max_bytes: 20, ..HeadLimits::default() };
    for size in [1, REQUEST.len()] {
        let limits = Limits { head, ..Limits::default() };
        let mut observer = Observer::before_handshake(ToServer, limits);
        let seen = super::common::seen::feed(&mut observer, REQUEST.chunks(size));
        assert!(matches!(&seen[..], [Seen::HeadError(_)]), "{seen:#?}");
        assert_eq!(observer.finish(), None);
    }
}

#[test]
fn an_unfinished_head_can_be_looked_at() {
    let mut observer = Observer::before_handshake(ToClient, Limits::default());
    let mut bytes = RESPONSE[..20].to_vec();
    assert!(observer.next(&mut Input::new(&mut bytes)).is_none());
    assert_eq!(observer.partial_head().map(|parser| parser.raw()), Some(&RESPONSE[..20]));
    assert_eq!(observer.finish(), None, "no frame was cut");
}
