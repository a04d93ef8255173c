//! permessage-deflate as an observer sees it: RFC 7692 §7.2.

use super::common::frames::*;
use super::common::seen::{Seen, Stream, feed};
use super::{breaks, contents};
use wscope::event::Direction::{self, ToClient, ToServer};
use wscope::event::FrameEvent;
use wscope::session::{Limits, Observer};
use wscope::wire::ViolationKind as K;
use wscope::wire::decoder::Input;
use wscope::wire::deflate::codec::Deflater;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::writer::RawFrame;

const NO_CONTEXT: DeflateParams = DeflateParams {
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

fn from_server(params: DeflateParams, frames: impl IntoIterator<Item = RawFrame>) -> Stream {
    Stream::new(ToClient, bytes(frames)).deflate(params)
}

/// A compressed text cut into frames at `cuts`, with a ping after each but the last.
fn in_fragments(payload: &[u8], cuts: &[usize]) -> Vec<RawFrame> {
    let pieces = super::common::seen::pieces(payload, cuts);
    let last = pieces.len() - 1;
    let mut frames = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        let opcode = if at == 0 { TEXT } else { CONTINUATION };
        frames.push(RawFrame { rsv1: at == 0, fin: at == last, ..frame(opcode, piece) });
        if at < last {
            frames.push(frame(PING, "between"));
        }
    }
    frames
}

#[test]
fn a_message_is_inflated_and_its_payload_reported_as_it_travelled() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let seen = breaks(&from_server(DeflateParams::default(), [compressed(TEXT, hello)]), &[]);
    let [_, payload, data, _, Seen::Message(info)] = &seen[..] else { panic!("{seen:#?}") };
    assert_eq!(*payload, Seen::Payload(hello.to_vec()));
    assert_eq!(*data, Seen::Data(b"Hello".to_vec()));
    assert_eq!((info.compressed, info.wire_len, info.len), (true, 7, 5));
}

#[test]
fn fragments_may_cut_the_compressed_bytes_anywhere() {
    let text = "κόσμε, κόσμε 😀".repeat(3);
    let payload = deflated(&mut deflater(false), &text);
    for cut in 0..=payload.len() {
        let frames = in_fragments(&payload, &[cut, cut, payload.len() / 2]);
        let seen = breaks(&from_server(DeflateParams::default(), frames), &[]);
        assert_eq!(contents(&seen), [text.as_bytes()]);
        let pings = seen.iter().filter(|event| matches!(event, Seen::Control(PING, _)));
        assert_eq!(pings.count(), 3);
    }
}

#[test]
fn compressed_and_plain_messages_alternate() {
    let mut deflater = deflater(false);
    let frames = [
        compressed(TEXT, deflated(&mut deflater, "one one one")),
        frame(TEXT, "two"),
        compressed(BINARY, deflated(&mut deflater, "")),
        compressed(TEXT, deflated(&mut deflater, "one one one")),
    ];
    let seen = breaks(&from_server(DeflateParams::default(), frames), &[]);
    assert_eq!(contents(&seen), [&b"one one one"[..], b"two", b"", b"one one one"]);
}

#[test]
fn context_is_taken_over_unless_agreed_otherwise() {
    let mut keeping = deflater(false);
    let frames: Vec<_> =
        (0..3).map(|_| compressed(TEXT, deflated(&mut keeping, "the same text again"))).collect();
    assert!(frames[1].payload.len() < frames[0].payload.len(), "the second refers to the first");
    let ends: Vec<u64> = frames.iter().map(|frame| 2 + frame.payload.len() as u64).collect();
    breaks(&from_server(DeflateParams::default(), frames.clone()), &[]);
    // A reader that forgets fails where the second message refers back.
    let forgotten = [(K::InflateFailed, 2, ends[0]), (K::InflateFailed, 3, ends[0] + ends[1])];
    breaks(&from_server(NO_CONTEXT, frames), &forgotten);
}

/// Every window either side can ask for, with and without context takeover, in both directions.
#[test]
fn every_window_and_context_is_read() {
    let text: String = (0..3000).map(|n| format!("{} ", n % 700)).collect();
    for (bits, takeover) in (8..=15).flat_map(|bits| [(bits, true), (bits, false)]) {
        let params = DeflateParams {
            server_no_context_takeover: !takeover,
            client_no_context_takeover: !takeover,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        };
        // Nobody writes with 8 bits; whoever agreed to it uses less of a window of 9.
        let mut deflater = Deflater::new(bits.max(9), !takeover).expect("9 to 15 bits");
        let payloads: Vec<_> = (0..2).map(|_| deflated(&mut deflater, &text)).collect();
        for direction in [ToClient, ToServer] {
            let frames = payloads.iter().map(|p| towards(direction, compressed(TEXT, p)));
            let stream = Stream::new(direction, bytes(frames)).deflate(params);
            assert_eq!(contents(&stream.whole()), [text.as_bytes(), text.as_bytes()], "{bits}");
        }
    }
}

#[test]
fn a_reference_into_an_earlier_message_counts_as_far_as_it_goes() {
    let mut keeping = deflater(false);
    let frames = [600, 300].map(noise).map(|text| compressed(BINARY, deflated(&mut keeping, text)));
    let second = 4 + frames[0].payload.len() as u64;
    for (bits, broken) in [(9, &[(K::BeyondWindow, 2, second)][..]), (10, &[])] {
        let params = DeflateParams { server_max_window_bits: bits, ..DeflateParams::default() };
        breaks(&from_server(params, frames.clone()), broken);
    }
}

#[test]
fn the_window_outlasts_a_final_block() {
    // RFC 7692 §7.2.3.4, then §7.2.3.2: "Hello" in a final block, and a reference to it, in the
    // next message or after it in the same one.
    let (last, again) = (b"\xf3\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00");
    let two = [compressed(TEXT, [&last[..], b"\0"].concat()), compressed(TEXT, again)];
    let seen = breaks(&from_server(DeflateParams::default(), two), &[]);
    assert_eq!(contents(&seen), [b"Hello", b"Hello"]);
    for params in [DeflateParams::default(), NO_CONTEXT] {
        let one = [compressed(TEXT, [&last[..], again].concat())];
        let seen = breaks(&from_server(params, one), &[]);
        assert_eq!(contents(&seen), [b"HelloHello"]);
    }
}

#[test]
fn each_direction_has_its_own_parameters() {
    let mut keeping = deflater(false);
    let payloads = ["again and again", "again and again"].map(|t| deflated(&mut keeping, t));
    let only_client =
        DeflateParams { client_no_context_takeover: true, ..DeflateParams::default() };
    let stream = |direction: Direction| {
        let frames = payloads.iter().map(|p| towards(direction, compressed(TEXT, p)));
        Stream::new(direction, bytes(frames)).deflate(only_client)
    };
    breaks(&stream(ToClient), &[]);
    let second = 6 + payloads[0].len() as u64;
    breaks(&stream(ToServer), &[(K::InflateFailed, 2, second)]);
}

#[test]
fn a_message_that_failed_takes_the_context_with_it() {
    let mut keeping = deflater(false);
    let good = compressed(TEXT, deflated(&mut keeping, "good"));
    let frames = [compressed(TEXT, b"\xff"), good.clone(), frame(TEXT, "plain"), good];
    let (second, fourth) = (3, 3 + 2 + frames[1].payload.len() as u64 + 7);
    let stream = from_server(DeflateParams::default(), frames.clone());
    let failed =
        [(K::InflateFailed, 1, 0), (K::InflateFailed, 2, second), (K::InflateFailed, 4, fourth)];
    let seen = breaks(&stream, &failed);
    assert!(
        seen.iter().any(|event| matches!(event, Seen::Violation(v)
            if v.frame == 2 && v.detail == "its context was lost with message #1")),
        "{seen:#?}"
    );
    assert_eq!(contents(&seen), [&b""[..], b"", b"plain", b""]);
    let seen = breaks(&from_server(NO_CONTEXT, frames), &[(K::InflateFailed, 1, 0)]);
    assert_eq!(contents(&seen), [&b""[..], b"good", b"plain", b"good"]);
}

#[test]
fn content_before_the_failure_is_reported() {
    let mut payload = deflated(&mut deflater(false), "good so far");
    payload.extend(b"\x00\x00\xff\xff\xff"); // the rest of the empty block, then block type 3
    let seen = breaks(
        &from_server(DeflateParams::default(), [compressed(TEXT, payload)]),
        &[(K::InflateFailed, 1, 0)],
    );
    let data = seen.iter().position(|e| *e == Seen::Data(b"good so far".to_vec()));
    let violation = seen.iter().position(|e| matches!(e, Seen::Violation(_)));
    assert!(data.is_some() && data < violation, "{seen:#?}");
}

#[test]
fn a_failed_message_that_is_abandoned_leaves_nothing_behind() {
    let good = compressed(TEXT, deflated(&mut deflater(true), "good"));
    let failed = RawFrame { fin: false, ..compressed(TEXT, b"\xff") };
    let seen = breaks(
        &from_server(NO_CONTEXT, [failed, good]),
        &[(K::InflateFailed, 1, 0), (K::ExpectedContinuation, 2, 3)],
    );
    assert_eq!(contents(&seen), [b"good"]);
}

#[test]
fn a_character_cut_by_a_failure_leaves_the_next_text_whole() {
    let mut payload = deflated(&mut deflater(true), b"cut \xe2\x82");
    payload.extend(b"\x00\x00\xff\xff\xff");
    let frames = [compressed(TEXT, payload), frame(TEXT, "fine")];
    let seen = breaks(&from_server(NO_CONTEXT, frames), &[(K::InflateFailed, 1, 0)]);
    assert_eq!(contents(&seen), [&b"cut \xe2\x82"[..], b"fine"]);
}

#[test]
fn inflated_text_is_checked_across_fragments() {
    let payload = deflated(&mut deflater(false), b"ok\xed\xa0\x80 and more");
    for cut in 1..payload.len() {
        let stream = from_server(DeflateParams::default(), in_fragments(&payload, &[cut]));
        let seen = stream.seen();
        let at = seen.iter().position(|event| matches!(event, Seen::Violation(_)));
        let Some(Seen::Violation(v)) = at.map(|at| &seen[at]) else { panic!("{seen:#?}") };
        assert_eq!(v.kind, K::InvalidUtf8);
        assert!(v.detail.starts_with("byte 0xa0 at offset 3 "), "{}", v.detail);
        assert_eq!(contents(&seen), [b"ok\xed\xa0\x80 and more"]);
    }
    let cut = deflated(&mut deflater(false), b"ok\xe2\x82");
    let end = 2 + cut.len() as u64;
    breaks(
        &from_server(DeflateParams::default(), [compressed(TEXT, cut)]),
        &[(K::TruncatedUtf8, 1, end)],
    );
}

/// The first fragment of a message: 1 MiB that inflates to a thousand times as much.
fn bomb() -> Vec<u8> {
    let (mut deflater, mut payload, mut more) = (deflater(true), Vec::new(), Vec::new());
    let zeros = vec![0; 1 << 20];
    deflater.deflate(&zeros, false, &mut payload);
    deflater.deflate(&zeros, false, &mut more);
    // Zeros that refer to zeros look the same every time.
    while payload.len() < 1 << 20 {
        payload.extend_from_slice(&more);
    }
    bytes([RawFrame { fin: false, ..compressed(BINARY, payload) }])
}

#[test]
fn a_deflate_bomb_is_stopped_at_the_limit_in_small_pieces() {
    let limits = Limits { inflated: 10 << 20, ..Limits::default() };
    let mut observer = Observer::of_frames(ToClient, Some(&DeflateParams::default()), limits);
    let mut bytes = bomb();
    let mut input = Input::new(&mut bytes);
    let (mut told, mut largest, mut kinds) = (0, 0, Vec::new());
    while let Some(event) = observer.next(&mut input) {
        match event {
            wscope::event::Observed::Frame(FrameEvent::Data(piece)) => {
                assert!(kinds.is_empty(), "nothing after the limit");
                told += piece.len();
                largest = largest.max(piece.len());
            }
            wscope::event::Observed::Frame(FrameEvent::Violation(v)) => kinds.push(v.kind),
            _ => {}
        }
    }
    assert_eq!((told, kinds), (10 << 20, vec![K::InflatedTooBig]));
    assert!(largest <= 32 * 1024, "pieces of {largest} bytes");
    // What follows the bomb is decoded, though its context is gone.
    let next = super::common::frames::bytes([frame(CONTINUATION, ""), frame(TEXT, "ok")]);
    let seen = feed(&mut observer, [&next[..]]);
    assert!(seen.contains(&Seen::Data(b"ok".to_vec())), "{seen:#?}");
}
