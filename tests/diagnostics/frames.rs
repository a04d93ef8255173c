//! W6xx: the observer reads the bytes.

use std::time::Duration;

use wscope::diagnostics::facts::{CloseFacts, CrossedMessage, EndKind, LastHeard, StreamFacts};
use wscope::diagnostics::{Facts, Severity, classify};
use wscope::event::Direction;
use wscope::session::Limits;
use wscope::session::endpoint::PingFacts;
use wscope::wire::close::CloseBody;
use wscope::wire::deflate::params::DeflateParams;

use crate::golden::Golden;
use crate::support::{Pair, Seen, end};

pub fn cases(golden: &mut Golden) {
    let pair = Pair::open("", "");
    for (code, what, bytes) in BYTES {
        let seen = Seen::from_server(bytes);
        golden.verdict(code, what, &seen.facts(&pair));
    }
    compressed(golden, &pair);
    limits(golden, &pair);
    let seen = Seen::new(Direction::ToServer, None, Limits::default(), b"\x81\x02hi");
    golden.verdict("W628", "a client made by hand", &seen.facts(&pair));
    let json = [b"\x81\xdd", &br#"{"items":["item","item","item"]"#[..]].concat();
    golden.verdict(
        "W601",
        "a length above 127 in one byte",
        &Seen::from_server(&json).facts(&pair),
    );
    let text = Seen::from_server(b"Hello from server\n");
    golden.verdict("W461", "text in place of the first frame", &text.facts(&pair));
    let strict = Seen::from_server(b"\x81\x7e\0\x02hi");
    let facts = Facts { end: Some(end(EndKind::Failed, 1.0)), ..strict.facts(&pair) };
    golden.verdict("W610", "failed for it", &facts);
    // The first frame announces 4 bytes and has 6, so the observer reads the second header from the
    // payload.
    let shifted = Seen::from_server(b"\x81\x04abcd3f\x81\x05hello");
    golden.beside("W630", "a length that is too small by two", &shifted.facts(&pair));
    legal_but_odd(golden, &pair);
}

const BYTES: [(&str, &str, &[u8]); 22] = [
    ("W601", "an echo of our own bytes", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
    ("W602", "RSV1", b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"),
    ("W603", "RSV2", b"\xa1\x00"),
    ("W603", "RSV3", b"\x91\x00"),
    ("W606", "opcode 3", b"\x83\x00"),
    ("W607", "opcode 11", b"\x8b\x00"),
    ("W608", "a ping without FIN", b"\x09\x00"),
    ("W609", "a ping of 126 bytes", &{
        let mut bytes = [b'x'; 130];
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (0x89, 0x7e, 0x00, 0x7e);
        bytes
    }),
    ("W610", "16 bits for 5 bytes", b"\x81\x7e\0\x05hello"),
    ("W611", "the top bit", b"\x82\x7f\x80\0\0\0\0\0\0\x05"),
    ("W612", "text as a length", b"\x81\x7fHTTP/1.1 400 Bad Request"),
    ("W613", "a continuation first", b"\x80\x02hi"),
    ("W614", "two writers", b"\x01\x02ab\x81\x02cd"),
    ("W615", "Latin-1", b"\x81\x05gr\xfc\xdf!"),
    ("W616", "cut inside a character", b"\x81\x02h\xc3"),
    ("W617", "a surrogate half", b"\x81\x03\xed\xa0\x80"),
    ("W617", "an overlong form", b"\x81\x02\xc0\xaf"),
    ("W618", "data after Close", b"\x88\x02\x03\xe8\x81\x02hi"),
    ("W619", "one byte", b"\x88\x01\x03"),
    ("W620", "1005 on the wire", b"\x88\x02\x03\xed"),
    ("W621", "a reason cut inside a character", b"\x88\x04\x03\xe8h\xc3"),
    ("W627", "cut", b"\x81\x05he"),
];

fn compressed(golden: &mut Golden, pair: &Pair) {
    let deflate = DeflateParams { server_max_window_bits: 8, ..DeflateParams::default() };
    for (code, what, bytes) in [
        ("W604", "RSV1 on a continuation", &b"\x41\x02\xf2\x48\xc0\x05\xcd\xc9\xc9\x07\x00"[..]),
        ("W605", "RSV1 on a ping", b"\xc9\x00"),
        ("W624", "no DEFLATE", b"\xc1\x03\xff\xff\xff"),
        ("W631", "300 back, 256 agreed", &too_far()),
    ] {
        let seen = Seen::new(Direction::ToClient, Some(&deflate), Limits::default(), bytes);
        golden.verdict(code, what, &seen.facts(pair));
    }
}

/// A stored block of 300 bytes, and a block that refers to the first three of them.
fn too_far() -> Vec<u8> {
    let stored = b"\xc2\x7e\x01\x35\x00\x2c\x01\xd3\xfe";
    [&stored[..], &[b'a'; 300], b"\x02\x86\x15\x00"].concat()
}

fn limits(golden: &mut Golden, pair: &Pair) {
    let deflate = DeflateParams::default();
    let limits = Limits { inflated: 3, message: 100, ..Limits::default() };
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let seen = Seen::new(Direction::ToClient, Some(&deflate), limits, hello);
    golden.verdict("W625", "a small limit", &seen.facts(pair));
    let seen = Seen::new(Direction::ToClient, None, limits, b"\x82\x7e\x10\x00");
    golden.verdict("W626", "a small limit", &seen.facts(pair));
}

fn legal_but_odd(golden: &mut Golden, pair: &Pair) {
    let pings = PingFacts { unsolicited: 3, ..PingFacts::default() };
    golden.verdict("W622", "a heartbeat of pongs", &Facts { pings, ..pair.facts() });
    let waiting = Some(Duration::from_secs(20));
    let pings = PingFacts { waiting, data_since: true, ..PingFacts::default() };
    golden.verdict("W623", "data but no pong", &Facts { pings, ..pair.facts() });
    let stream = StreamFacts { equal_masks: Some((8, [0; 4])), ..StreamFacts::default() };
    golden.verdict("W629", "a test client", &Facts { stream, ..pair.facts() });
}

/// Bytes inside a text may look like a header. They count only if their frame ends at the start of
/// another one.
#[test]
fn a_letter_of_another_encoding_is_no_frame() {
    let pair = Pair::open("", "");
    let french = b"Le caf\x82 est ferm\x82 aujourd'hui, revenez demain matin \x85 huit heures.";
    let huge = b"hello\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffabc";
    for payload in [&french[..], huge] {
        let bytes = [&[0x81, payload.len() as u8], payload].concat();
        let found = classify(&Seen::from_server(&bytes).facts(&pair));
        let first = found.first().expect("it is not UTF-8");
        assert_eq!(first.entry.code, "W615");
        assert!(!first.title.contains("length"), "{first:?}");
    }
}

#[test]
fn letters_of_latin_1_are_told_from_binary_data() {
    let pair = Pair::open("", "");
    for (content, latin) in [
        (&b"{\"name\":\"M\xfcller\"}"[..], true),
        (b"caf\xe9 au lait", true),
        (b"\x00\x01\xfca\x10\x02", false),
        (b"\xff\xfe\xfa\xe9\xc8a\xf0", false),
        (b"GIF89a\x80\xfc", false),
    ] {
        let mut bytes = vec![0x81, content.len() as u8];
        bytes.extend(content);
        let seen = Seen::from_server(&bytes);
        let found = classify(&seen.facts(&pair));
        let first = &found[0].causes[0].text;
        assert_eq!(first.contains("Latin-1"), latin, "{found:?}");
    }
}

/// RFC 7692 §7.2.1 takes DEFLATE as it is in RFC 1951, which has no header.
#[test]
fn compressed_data_with_a_header_names_its_format() {
    let pair = Pair::open("", "");
    let deflate = DeflateParams::default();
    let told = |payload: &[u8]| {
        let len = u8::try_from(payload.len()).expect("a short payload");
        let bytes = [&[0xc1, len], payload].concat();
        let seen = Seen::new(Direction::ToClient, Some(&deflate), Limits::default(), &bytes);
        let found = classify(&seen.facts(&pair)).remove(0);
        assert_eq!(found.entry.code, "W624");
        found.causes[0].text.to_string()
    };
    // "hello" in raw DEFLATE, with a header, and its checksum.
    let raw = b"\xcb\x48\xcd\xc9\xc9\x07\x00";
    let zlib = [&b"\x78\x9c"[..], raw, b"\x06\x2c\x02\x15"].concat();
    assert_eq!(told(&zlib), "the sender compresses as zlib, where raw DEFLATE is required");
    let gzip = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], raw, b"\x86\xa6\x10\x36"].concat();
    assert_eq!(told(&gzip), "the sender compresses as gzip, where raw DEFLATE is required");
    // The same header before other bytes, or another one.
    assert!(!told(b"\x78\x9c\xff\xff\xff\xff").contains("zlib"));
    assert!(!told(&[&b"\x78\x9d"[..], raw].concat()).contains("zlib"));
    assert!(!told(b"x\x9c").contains("zlib"));
}

#[test]
fn a_file_that_is_sent_as_text_is_known_by_its_first_bytes() {
    let pair = Pair::open("", "");
    for (payload, format) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "a PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"\x89abc", ""),
        (b"PNG\x89", ""),
    ] {
        let len = u8::try_from(payload.len()).expect("a short payload");
        let seen = Seen::from_server(&[&[0x81, len], payload].concat());
        let found = classify(&seen.facts(&pair));
        assert_eq!(found[0].causes[0].text, "binary data is sent as text", "{found:?}");
        let because = found[0].causes[0].because.clone().unwrap_or_default();
        assert_eq!(because.contains(format) && !because.is_empty(), !format.is_empty());
    }
}

/// The verdict on a stream whose whole messages before the violation include this last one.
fn verdict_after(bytes: &[u8], last: &[u8]) -> wscope::diagnostics::Diagnostic {
    let pair = Pair::open("", "");
    let seen = Seen::from_server(bytes);
    let heard = LastHeard { content: last, before: b"", quiet: Duration::ZERO, answered: false };
    let stream = StreamFacts { heard: Some(heard), ..StreamFacts::default() };
    let facts = Facts { stream, ..seen.facts(&pair) };
    classify(&facts).into_iter().next().expect("a verdict")
}

/// A text frame of the server with this length in place of its own.
fn text_of(content: &str, len: usize) -> Vec<u8> {
    [&[0x81, u8::try_from(len).expect("a short text")], content.as_bytes()].concat()
}

#[test]
fn bytes_that_complete_the_text_before_show_a_length_that_is_too_small() {
    let json = r#"{"name":"Bot","message":"Re: Grüße aus Köln"}"#;
    let chars = json.chars().count();
    let characters = "the sender wrote the number of characters as the length";
    // Alone, and with another frame behind it.
    for more in [&b""[..], b"\x81\x02hi"] {
        let bytes = [&text_of(json, chars), more].concat();
        let d = verdict_after(&bytes, &json.as_bytes()[..chars]);
        assert_eq!((&*d.causes[0].text, d.causes.len()), (characters, 1), "{d:?}");
        assert!(d.is_proved() && d.title.contains("frame before is too small"), "{d:?}");
    }
    let plain = "Grüße aus Köln";
    let d = verdict_after(&text_of(plain, 14), &plain.as_bytes()[..14]);
    assert_eq!((&*d.causes[0].text, d.is_proved()), (characters, false), "{d:?}");
    // The length ends inside a character.
    let late = r#"{"a":"häü"}"#;
    let d = verdict_after(&text_of(late, 10), b"");
    assert!(d.is_proved() && d.title.contains("this frame is too small"), "{d:?}");
    // JSON of ASCII alone: some other number.
    let ascii = r#"{"a":[1,2,3]}"#;
    let d = verdict_after(&text_of(ascii, 11), &ascii.as_bytes()[..11]);
    assert_eq!(&*d.causes[0].text, "the sender wrote a length that is too small", "{d:?}");
    // A text that is whole, one that really ends inside a character, other bytes behind it.
    for (bytes, last) in [
        (&b"\x81\x07{\"a\":1}n\"}"[..], &b"{\"a\":1}"[..]),
        (b"\x81\x02h\xc3", b""),
        (b"\x81\x02h\xc3\x89\x00", b""),
        (b"\x81\x02h\xc3\x80\x00", b""),
        (b"\x81\x05hello\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", b"hello"),
    ] {
        let d = verdict_after(bytes, last);
        assert!(!d.title.contains("too small"), "{bytes:x?}: {d:?}");
    }
}

#[test]
fn a_text_with_our_compressed_bytes_comes_from_a_server_without_compression() {
    let header = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let ours = b"hello hello hello hello hello hello";
    let compressed = b"\xca\x48\xcd\xc9\xc9\x57\xc8\xc0\x47\x02\x00";
    let of = |agreed: &str, payload: &[u8]| {
        let pair = Pair::open(header, agreed);
        let bytes = [&[0x81, payload.len() as u8], payload].concat();
        let deflate = (!agreed.is_empty()).then(DeflateParams::default);
        let seen = Seen::new(Direction::ToClient, deflate.as_ref(), Limits::default(), &bytes);
        let kept = [CrossedMessage {
            ours: true,
            text: true,
            content: ours,
            quiet: std::time::Duration::ZERO,
        }];
        let stream = StreamFacts { kept: &kept, kept_all: true, ..StreamFacts::default() };
        let d = classify(&Facts { stream, ..seen.facts(&pair) }).into_iter().next();
        d.expect("a verdict").causes.into_iter().map(|cause| cause.text.into_owned()).collect()
    };
    let causes: Vec<String> = of(header, &[b"Echo: ", &compressed[..]].concat());
    assert_eq!(causes, ["the server accepted permessage-deflate, and does not implement it"]);
    let causes: Vec<String> = of(header, compressed);
    assert!(causes[0].contains("does not implement it"), "{causes:?}");
    // Another text, compressed without RSV1.
    let causes: Vec<String> =
        of(header, b"\x4a\xaf\xca\x2c\x50\xc8\x48\xcd\xc9\xc9\x57\x28\xcf\x2f\xca\x49\x01\x00");
    assert!(!causes[0].contains("does not implement it"), "{causes:?}");
    // Text in Latin-1, binary data, and no agreement.
    for (agreed, payload) in
        [(header, &b"caf\xe9 au lait"[..]), (header, b"\x00\xff\xfe\x01"), ("", compressed)]
    {
        let causes: Vec<String> = of(agreed, payload);
        assert!(
            !causes.iter().any(|cause| cause.contains("compress") || cause.contains("deflate")),
            "{causes:?}"
        );
    }
}

#[test]
fn a_text_that_ends_inside_a_character_is_shown_at_its_last_byte() {
    for bytes in [&b"\x81\x02h\xc3\x81\x02hi"[..], b"\x01\x02h\xc3\x80\x00\x01\x10"] {
        let pair = Pair::open("", "");
        let seen = Seen::from_server(bytes);
        let found = classify(&seen.facts(&pair));
        let span = found[0].span.as_ref().expect("an excerpt");
        assert_eq!(span.bytes[span.marked.clone()], [0xc3], "{span:?}");
        assert!(span.label.starts_with("byte 0xc3 is the last one of the text"), "{}", span.label);
    }
}

#[test]
fn the_reason_behind_an_illegal_code_is_the_cause() {
    let of = |reason: &str| {
        let mut bytes = vec![0x88, 2 + reason.len() as u8, 0x03, 0xee];
        bytes.extend(reason.as_bytes());
        let pair = Pair::open("", "");
        let seen = Seen::from_server(&bytes);
        let found = classify(&seen.facts(&pair)).into_iter().next().expect("a verdict");
        found.causes[0].text.to_string()
    };
    assert_eq!(of("unknown command"), "the peer closed because of \"unknown command\"");
    for ordinary in ["", "bye", "done", "connection closed"] {
        assert!(of(ordinary).contains("local label"), "{ordinary}");
    }
}

#[test]
fn what_comes_after_a_close_does_not_hide_its_explanation() {
    let pair = Pair::open("", "");
    let http = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    // A second Close, and an HTTP response, are notes beside the first Close.
    for late in [&b"\x88\x02\x03\xe9"[..], b"\x88\x00", http] {
        for (code, wanted) in [(1000, "W700"), (1011, "W711"), (4001, "W723")] {
            let body = CloseBody { code: Some(code), reason: Vec::new() };
            let bytes = [&b"\x88\x02"[..], &code.to_be_bytes(), late].concat();
            let seen = Seen::from_server(&bytes);
            let close =
                CloseFacts { received: Some(&body), by_peer: true, ..CloseFacts::default() };
            let facts = Facts { close, end: Some(end(EndKind::Closed, 0.0)), ..seen.facts(&pair) };
            let found = classify(&facts);
            assert_eq!(found[0].entry.code, wanted, "{late:?}: {found:?}");
            let note = found.iter().find(|one| one.entry.code == "W618").expect("a note");
            assert_eq!(note.severity, Severity::Note, "{found:?}");
        }
    }
    // A message after the Close is lost.
    let lost = Seen::from_server(b"\x88\x02\x03\xe8\x81\x02hi");
    let found = classify(&lost.facts(&pair));
    assert_eq!((found[0].entry.code, found[0].severity), ("W618", Severity::Warning), "{found:?}");
}
