//! One specification for each kind of violation, named for it: what breaks the rule, where the
//! blame falls, and that what follows is still decoded.

use super::common::frames::*;
use super::common::seen::{Seen, Stream};
use super::{breaks, contents};
use wscope::event::Direction::{ToClient, ToServer};
use wscope::session::Limits;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::violation::CATALOGUE;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, LengthForm, OpCode, ViolationKind as K};

/// A legal message of two characters, `ok`, in four bytes.
fn ok() -> RawFrame {
    frame(TEXT, "ok")
}

fn from_server(frames: impl IntoIterator<Item = RawFrame>) -> Stream {
    Stream::new(ToClient, bytes(frames))
}

fn from_client(frames: impl IntoIterator<Item = RawFrame>) -> Stream {
    Stream::new(ToServer, bytes(frames.into_iter().map(|frame| towards(ToServer, frame))))
}

fn with_deflate(frames: impl IntoIterator<Item = RawFrame>) -> Stream {
    from_server(frames).deflate(DeflateParams::default())
}

#[test]
fn every_kind_has_its_test() {
    let this = include_str!("violations.rs");
    for rule in CATALOGUE {
        let test = format!("#[test]\nfn {}() {{", rule.name.replace('-', "_"));
        assert!(this.contains(&test), "no test is named for {}", rule.name);
    }
}

#[test]
fn masked_frame_from_server() {
    let masked = RawFrame { mask: Some(KEY), ..frame(TEXT, "Hello") };
    let seen = breaks(&from_server([ok(), masked]), &[(K::MaskedFrameFromServer, 2, 4)]);
    assert_eq!(contents(&seen), [b"ok".to_vec(), b"Hello".to_vec()], "unmasked all the same");
}

#[test]
fn beyond_window() {
    let half = noise(600);
    let payload = deflated(&mut deflater(true), half.repeat(2));
    for direction in [ToClient, ToServer] {
        let small = DeflateParams {
            server_max_window_bits: if direction == ToClient { 9 } else { 15 },
            client_max_window_bits: if direction == ToServer { 9 } else { 15 },
            ..DeflateParams::default()
        };
        let frames = [towards(direction, compressed(BINARY, &payload))];
        let stream = Stream::new(direction, bytes(frames)).deflate(small);
        let seen = breaks(&stream, &[(K::BeyondWindow, 1, 0)]);
        let [content] = &contents(&seen)[..] else { panic!("{seen:#?}") };
        assert!(content.starts_with(&half) && content.len() < 603, "all before the reference");
        assert!(
            seen.iter().any(|event| matches!(event, Seen::Violation(v)
                if v.detail.starts_with("600 bytes back, 512 agreed, at compressed byte "))),
            "{seen:#?}"
        );
    }
}

#[test]
fn unmasked_frame_from_client() {
    let stream = Stream::new(ToServer, bytes([frame(TEXT, "Hello")]));
    let seen = breaks(&stream, &[(K::UnmaskedFrameFromClient, 1, 0)]);
    assert_eq!(contents(&seen), [b"Hello"]);
}

#[test]
fn rsv1_without_extension() {
    for frame in [frame(TEXT, "Hello"), frame(PING, ""), fragment(BINARY, "")] {
        let rsv1 = RawFrame { rsv1: true, ..frame };
        breaks(&from_server([ok(), rsv1]), &[(K::Rsv1WithoutExtension, 2, 4)]);
    }
}

#[test]
fn rsv2_or_rsv3() {
    for (rsv2, rsv3) in [(true, false), (false, true), (true, true)] {
        let reserved = RawFrame { rsv2, rsv3, ..frame(TEXT, "Hello") };
        breaks(&from_server([reserved.clone()]), &[(K::Rsv2OrRsv3, 1, 0)]);
        breaks(&with_deflate([reserved]), &[(K::Rsv2OrRsv3, 1, 0)]);
    }
}

#[test]
fn rsv1_on_continuation() {
    let last = RawFrame { rsv1: true, ..frame(CONTINUATION, "lo") };
    let stream = with_deflate([fragment(TEXT, "Hel"), last]);
    let seen = breaks(&stream, &[(K::Rsv1OnContinuation, 2, 5)]);
    assert_eq!(contents(&seen), [b"Hello"], "the first frame says that it is not compressed");
}

#[test]
fn rsv1_on_control() {
    for opcode in [PING, PONG, CLOSE] {
        let control = RawFrame { rsv1: true, ..frame(opcode, "") };
        breaks(&with_deflate([control]), &[(K::Rsv1OnControl, 1, 0)]);
    }
}

#[test]
fn reserved_data_opcode() {
    for bits in 3..=7 {
        let reserved = frame(OpCode::Data(Data::Reserved(bits)), "Hello");
        let stream = from_server([fragment(TEXT, "o"), reserved, frame(CONTINUATION, "k")]);
        let seen = breaks(&stream, &[(K::ReservedDataOpcode, 2, 3)]);
        assert_eq!(contents(&seen), [b"ok"], "no part of the message around it");
    }
}

#[test]
fn reserved_control_opcode() {
    for bits in 11..=15 {
        let opcode = OpCode::Control(Control::Reserved(bits));
        let seen =
            breaks(&from_server([frame(opcode, "Hello")]), &[(K::ReservedControlOpcode, 1, 0)]);
        assert!(seen.contains(&Seen::Control(opcode, b"Hello".to_vec())));
    }
}

#[test]
fn fragmented_control() {
    for opcode in [PING, PONG] {
        let stream = from_server([fragment(opcode, "Hello"), ok()]);
        let seen = breaks(&stream, &[(K::FragmentedControl, 1, 0)]);
        assert!(seen.contains(&Seen::Control(opcode, b"Hello".to_vec())));
        assert_eq!(contents(&seen), [b"ok"]);
    }
}

#[test]
fn control_too_long() {
    for opcode in [PING, PONG, CLOSE] {
        let long = frame(opcode, [b'x'; 126]);
        let seen = breaks(&from_server([long]), &[(K::ControlTooLong, 1, 0)]);
        assert!(seen.contains(&Seen::Payload(vec![b'x'; 126])));
        assert!(!seen.iter().any(|event| matches!(event, Seen::Control(..))));
    }
    breaks(&from_server([frame(PING, [b'x'; 125])]), &[]);
}

#[test]
fn non_minimal_length() {
    use LengthForm::{Bits16, Bits64};
    for (form, len) in [(Bits16, 0), (Bits16, 125), (Bits64, 0), (Bits64, 126), (Bits64, 65535)] {
        let wasteful = RawFrame { form: Some(form), ..frame(BINARY, vec![7; len]) };
        let seen = breaks(&from_server([wasteful]), &[(K::NonMinimalLength, 1, 0)]);
        assert_eq!(contents(&seen), [vec![7; len]]);
    }
    breaks(&from_server([frame(BINARY, vec![7; 126]), frame(BINARY, vec![7; 65536])]), &[]);
}

#[test]
fn length_top_bit() {
    let endless = RawFrame { announced: Some(1 << 63 | 5), ..frame(TEXT, "Hello") };
    let seen = breaks(&from_server([ok(), endless]), &[(K::LengthTopBit, 2, 4)]);
    assert!(matches!(seen.last(), Some(Seen::Undecodable(rest)) if rest == b"Hello"));
}

#[test]
fn unexpected_continuation() {
    let stream = from_client([ok(), frame(CONTINUATION, "Hello"), ok()]);
    let seen = breaks(&stream, &[(K::UnexpectedContinuation, 2, 8)]);
    assert_eq!(contents(&seen), [b"ok", b"ok"]);
}

#[test]
fn expected_continuation() {
    let stream = from_server([fragment(TEXT, "lost"), ok(), frame(CONTINUATION, "lost")]);
    let seen =
        breaks(&stream, &[(K::ExpectedContinuation, 2, 6), (K::UnexpectedContinuation, 3, 10)]);
    let messages = seen.iter().filter(|event| matches!(event, Seen::Message(_)));
    assert_eq!(messages.count(), 1, "the first message never ended");
}

#[test]
fn invalid_utf8() {
    // The first byte that no text can hold, in the frame and in the stream.
    for (text, at) in [(&b"ok\xff!"[..], 2), (b"\xed\xa0\x80", 1), (b"\xf4\x90", 1), (b"\x80", 0)] {
        breaks(&from_server([ok(), frame(TEXT, text)]), &[(K::InvalidUtf8, 2, 4 + 2 + at)]);
        breaks(&from_client([frame(TEXT, text)]), &[(K::InvalidUtf8, 1, 6 + at)]);
    }
    breaks(&from_server([frame(BINARY, b"\xff")]), &[]);
}

#[test]
fn truncated_utf8() {
    for cut in [&b"ok\xe2\x82"[..], b"\xf0\x9f\x98", b"\xc3"] {
        let end = 2 + cut.len() as u64;
        let seen = breaks(&from_server([frame(TEXT, cut), ok()]), &[(K::TruncatedUtf8, 1, end)]);
        assert_eq!(contents(&seen), [cut, b"ok"], "the next text begins anew");
    }
}

#[test]
fn frame_after_close() {
    let close = frame(CLOSE, close_payload(1000, "bye"));
    for late in [ok(), close.clone(), fragment(TEXT, "")] {
        let stream = from_server([ok(), close.clone(), late]);
        breaks(&stream, &[(K::FrameAfterClose, 3, 11)]);
    }
    for legal in [frame(PING, ""), frame(PONG, "")] {
        breaks(&from_server([ok(), close.clone(), legal]), &[]);
    }
}

#[test]
fn what_is_no_frame_after_a_close_is_not_decoded() {
    let page = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for late in [&page[..], b"{\"error\":\"x\"}", b"HT"] {
        let mut bytes = bytes([ok(), frame(CLOSE, close_payload(1000, "bye"))]);
        bytes.extend(late);
        let seen = breaks(&Stream::new(ToClient, bytes), &[(K::FrameAfterClose, 3, 11)]);
        assert_eq!(seen.last(), Some(&Seen::Undecodable(late.to_vec())), "{seen:?}");
        assert_eq!(contents(&seen), [b"ok"]);
    }
}

#[test]
fn close_body_of_one_byte() {
    let seen = breaks(&from_server([frame(CLOSE, "x")]), &[(K::CloseBodyOfOneByte, 1, 0)]);
    assert!(seen.contains(&Seen::Control(CLOSE, b"x".to_vec())));
    breaks(&from_server([frame(CLOSE, "")]), &[]);
}

#[test]
fn illegal_close_code() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let close = frame(CLOSE, close_payload(code, "why"));
        breaks(&from_server([ok(), close]), &[(K::IllegalCloseCode, 2, 4)]);
    }
    for code in [1000, 1003, 1007, 1014, 3000, 4999] {
        breaks(&from_server([frame(CLOSE, close_payload(code, "why"))]), &[]);
    }
}

#[test]
fn close_reason_not_utf8() {
    for reason in [&b"\xff"[..], b"cut \xe2\x82"] {
        let close = frame(CLOSE, close_payload(1000, reason));
        breaks(&from_server([close]), &[(K::CloseReasonNotUtf8, 1, 0)]);
    }
}

#[test]
fn inflate_failed() {
    let garbage = compressed(BINARY, b"\xff\xff");
    let seen = breaks(&with_deflate([ok(), garbage, ok()]), &[(K::InflateFailed, 2, 4)]);
    assert_eq!(contents(&seen), [&b"ok"[..], b"", b"ok"]);
}

#[test]
fn inflated_too_big() {
    let payload = deflated(&mut deflater(false), [b'x'; 1000]);
    let limits = Limits { inflated: 999, ..Limits::default() };
    let stream = with_deflate([compressed(TEXT, payload)]);
    let seen = breaks(&stream.clone().limits(limits), &[(K::InflatedTooBig, 1, 0)]);
    assert_eq!(contents(&seen), [[b'x'; 999]], "content up to the limit");
    breaks(&stream.limits(Limits { inflated: 1000, ..limits }), &[]);
}

#[test]
fn message_too_big() {
    let limits = Limits { message: 9, ..Limits::default() };
    let ten = from_server([fragment(TEXT, "Hello"), frame(CONTINUATION, "World")]);
    let seen = breaks(&ten.clone().limits(limits), &[(K::MessageTooBig, 2, 7)]);
    assert_eq!(contents(&seen), [b"HelloWorld"]);
    breaks(&ten.limits(Limits { message: 10, ..limits }), &[]);
}

#[test]
fn cut_inside_frame() {
    let whole = bytes([ok(), towards(ToServer, frame(TEXT, "Hello"))]);
    for end in 5..whole.len() {
        let seen = Stream::new(ToServer, &whole[4..end]).byte_by_byte();
        let at = end as u64 - 4;
        let Some(Seen::Violation(last)) = seen.last() else { panic!("{seen:#?}") };
        assert_eq!((last.kind, last.frame, last.offset), (K::CutInsideFrame, 1, at));
    }
    let cut = Stream::new(ToClient, b"\x81\x02ok\x81\x05He".as_slice());
    breaks(&cut, &[(K::CutInsideFrame, 2, 8)]);
    breaks(&Stream::new(ToClient, b"\x81\x02ok\x81".as_slice()), &[(K::CutInsideFrame, 2, 5)]);
    breaks(&from_server([fragment(TEXT, "ok")]), &[]);
}
