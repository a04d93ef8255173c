//! Messages: how frames become events, fragments messages, and where limits and texts end.

use super::common::frames::*;
use super::common::seen::{Seen, Stream, feed};
use super::{breaks, contents};
use wscope::event::Direction::{ToClient, ToServer};
use wscope::event::MessageInfo;
use wscope::session::{Limits, Observer};
use wscope::wire::ViolationKind as K;
use wscope::wire::writer::RawFrame;

fn messages(seen: &[Seen]) -> Vec<MessageInfo> {
    let info = |event: &Seen| match event {
        Seen::Message(info) => Some(*info),
        _ => None,
    };
    seen.iter().filter_map(info).collect()
}

#[test]
fn a_frame_is_reported_as_start_payload_data_end_and_message() {
    let seen = Stream::new(ToServer, bytes([towards(ToServer, frame(TEXT, "Hello"))])).seen();
    let [Seen::Start(1, header), payload, data, end, message] = &seen[..] else {
        panic!("{seen:#?}")
    };
    assert_eq!((header.mask, header.len, header.offset), (Some(KEY), 5, 0));
    assert_eq!(*payload, Seen::Payload(b"Hello".to_vec()), "unmasked");
    assert_eq!((data, end), (&Seen::Data(b"Hello".to_vec()), &Seen::End(1)));
    let info = MessageInfo {
        number: 1,
        opcode: TEXT,
        frames: 1,
        first_frame: 1,
        compressed: false,
        wire_len: 5,
        len: 5,
    };
    assert_eq!(*message, Seen::Message(info));
}

#[test]
fn an_empty_message_has_no_pieces() {
    let seen = Stream::new(ToClient, bytes([frame(TEXT, "")])).seen();
    assert!(matches!(&seen[..], [Seen::Start(..), Seen::End(1), Seen::Message(_)]), "{seen:#?}");
}

#[test]
fn a_control_frame_is_reported_whole_before_its_end() {
    let seen = Stream::new(ToClient, bytes([frame(PING, "Hello")])).seen();
    let expected =
        [Seen::Payload(b"Hello".to_vec()), Seen::Control(PING, b"Hello".to_vec()), Seen::End(1)];
    assert_eq!(seen[1..], expected);
    let seen = Stream::new(ToClient, bytes([frame(PONG, "")])).seen();
    assert_eq!(seen[1..], [Seen::Control(PONG, Vec::new()), Seen::End(1)]);
}

#[test]
fn control_frames_may_stand_between_fragments() {
    let stream = [
        fragment(BINARY, "a"),
        frame(PING, "1"),
        fragment(CONTINUATION, ""),
        frame(PONG, "2"),
        frame(CONTINUATION, "b"),
        frame(TEXT, "c"),
    ];
    let seen = breaks(&Stream::new(ToClient, bytes(stream)), &[]);
    assert_eq!(contents(&seen), [&b"ab"[..], b"c"]);
    let [first, second] = messages(&seen)[..] else { panic!("two messages") };
    assert_eq!((first.number, first.frames, first.first_frame, first.len), (1, 3, 1, 2));
    assert_eq!((second.number, second.frames, second.first_frame, second.len), (2, 1, 6, 1));
}

#[test]
fn a_character_may_be_cut_by_frames() {
    let text = "κόσμε 😀";
    for cut in 0..=text.len() {
        let (one, two) = text.as_bytes().split_at(cut);
        let stream = bytes([fragment(TEXT, one), frame(PING, "\u{ff}"), frame(CONTINUATION, two)]);
        let seen = breaks(&Stream::new(ToClient, stream), &[]);
        assert_eq!(contents(&seen), [text.as_bytes()]);
    }
}

#[test]
fn a_text_fails_at_the_first_impossible_byte_wherever_frames_cut_it() {
    // A surrogate half: the second byte can't follow the first.
    let text = b"ok\xed\xa0\x80";
    for cut in 0..=text.len() {
        let (one, two) = text.split_at(cut);
        let stream = bytes([fragment(TEXT, one), frame(PING, "!"), frame(CONTINUATION, two)]);
        // Byte 3 of the text, after one header or after two and the ping.
        let (number, at) = if cut > 3 { (1, 2 + 3) } else { (3, 2 + 3 + 2 + 3) };
        let seen = breaks(&Stream::new(ToClient, stream).clone(), &[(K::InvalidUtf8, number, at)]);
        let guilty = seen.iter().position(|event| matches!(event, Seen::Violation(_)));
        let before = contents_before(&seen, guilty.expect("a violation"));
        assert_eq!(before, b"ok\xed", "a strict reader has the text up to there");
    }
}

fn contents_before(seen: &[Seen], end: usize) -> Vec<u8> {
    let data = |event: &Seen| match event {
        Seen::Data(bytes) => bytes.clone(),
        _ => Vec::new(),
    };
    seen[..end].iter().flat_map(data).collect()
}

#[test]
fn a_text_is_blamed_once_and_the_next_one_begins_anew() {
    let stream = bytes([
        fragment(TEXT, b"\xff\xff"),
        frame(CONTINUATION, b"\xff"),
        frame(TEXT, "fine"),
        frame(TEXT, b"\xfe"),
    ]);
    breaks(&Stream::new(ToClient, stream), &[(K::InvalidUtf8, 1, 2), (K::InvalidUtf8, 4, 15)]);
}

#[test]
fn what_follows_violations_is_still_decoded() {
    let stream = bytes([
        RawFrame { rsv3: true, ..frame(TEXT, "one") },
        frame(CONTINUATION, "lost"),
        RawFrame { mask: Some(KEY), ..frame(TEXT, b"two\xff") },
        frame(CLOSE, "x"),
        frame(TEXT, "three"),
    ]);
    let kinds = [
        (K::Rsv2OrRsv3, 1, 0),
        (K::UnexpectedContinuation, 2, 5),
        (K::MaskedFrameFromServer, 3, 11),
        (K::InvalidUtf8, 3, 20),
        (K::CloseBodyOfOneByte, 4, 21),
        (K::FrameAfterClose, 5, 24),
    ];
    let seen = breaks(&Stream::new(ToClient, stream), &kinds);
    assert_eq!(contents(&seen), [&b"one"[..], b"two\xff", b"three"]);
}

#[test]
fn every_breach_of_one_header_is_reported() {
    let worst = RawFrame {
        fin: false,
        rsv1: true,
        rsv2: true,
        mask: Some(KEY),
        announced: Some(1 << 63),
        ..frame(CLOSE, "")
    };
    let kinds = [
        K::MaskedFrameFromServer,
        K::Rsv1WithoutExtension,
        K::Rsv2OrRsv3,
        K::FragmentedControl,
        K::ControlTooLong,
        K::LengthTopBit,
    ];
    breaks(&Stream::new(ToClient, bytes([worst])), &kinds.map(|kind| (kind, 1, 0)));
}

#[test]
fn an_absurd_length_is_too_big_at_its_header() {
    let absurd = RawFrame { announced: Some(1 << 62), ..frame(BINARY, "abc") };
    let mut observer = Observer::of_frames(ToClient, None, Limits::default());
    let seen = feed(&mut observer, [&bytes([absurd])[..]]);
    assert!(matches!(&seen[1], Seen::Violation(v) if v.kind == K::MessageTooBig), "{seen:#?}");
    assert_eq!(seen[2..], [Seen::Payload(b"abc".to_vec()), Seen::Data(b"abc".to_vec())]);
}

#[test]
fn fragments_without_end_are_too_big_in_the_frame_that_exceeds_the_limit() {
    let limits = Limits { message: 10_000, ..Limits::default() };
    let mut observer = Observer::of_frames(ToClient, None, limits);
    let kib = [7; 1024];
    let mut seen = feed(&mut observer, [&bytes([fragment(BINARY, kib)])[..]]);
    let next = bytes([fragment(CONTINUATION, kib)]);
    while !seen.iter().any(|event| matches!(event, Seen::Violation(_))) {
        seen = feed(&mut observer, [&next[..]]);
    }
    let Seen::Violation(v) = &seen[1] else { panic!("{seen:#?}") };
    assert_eq!((v.kind, v.frame), (K::MessageTooBig, 10));
}

#[test]
fn many_messages_within_the_limit_are_not_too_big() {
    let limits = Limits { message: 5, ..Limits::default() };
    let stream = bytes((0..100).map(|_| frame(TEXT, "Hello")));
    breaks(&Stream::new(ToClient, stream).limits(limits), &[]);
}
