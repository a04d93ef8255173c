//! The transcript, line by line: what the user is promised in the command line contract.

mod ui_support;

use std::time::Duration;

use proptest::prelude::*;
use ui_support::*;
use wscope::event::{CertificateFacts, ConnId, Event, Stamp, TlsFacts};
use wscope::ui::clock::Zone;
use wscope::ui::style::Palette;
use wscope::ui::view::View;
use wscope::ui::{HumanOptions, HumanPrinter};
use wscope::wire::LengthForm;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::Agreed;
use wscope::wire::handshake::grammar::parse_extensions;
use wscope::wire::handshake::rules::{HandshakeContext, check};
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::writer::RawFrame;

impl Print for HumanPrinter {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        HumanPrinter::print(self, at, event, out);
    }
}

fn options() -> HumanOptions {
    HumanOptions { zone: Zone::Utc, ..HumanOptions::new(ToServer) }
}

fn plain() -> Watched<HumanPrinter> {
    Watched::new(HumanPrinter::new(options()))
}

fn deflating() -> Watched<HumanPrinter> {
    Watched::with_deflate(HumanPrinter::new(options()), Some(DeflateParams::default()))
}

fn hex() -> Watched<HumanPrinter> {
    let options = HumanOptions { view: View::Hex, ..options() };
    Watched::with_deflate(HumanPrinter::new(options), Some(DeflateParams::default()))
}

#[test]
fn the_sample_of_the_contract() {
    let mut session = deflating();
    session.travel(ToServer, MASKED_HELLO);
    session.at.micros += 1000;
    session.travel(ToClient, &bytes(&frame(TEXT, b"Hello")));
    session.at.micros += 881_000;
    let json = format!("{{\"price\": 1.25, \"sizes\": [{}]}}", "1, ".repeat(90));
    session.travel(ToClient, &bytes(&compressed(&json)));
    session.at.micros += 998_000;
    session.travel(ToClient, &bytes(&frame(CLOSE, b"\x03\xe9restart")));
    let printed = session.take();
    let wire = compressed(&json).payload.len();
    let expected = format!(
        "\
> 12:03:04.120 #1 TEXT F-M 5 Hello
< 12:03:04.121 #1 TEXT F-- 5 Hello
< 12:03:05.002 #2 TEXT F1- {wire}→{} {{\"price\": 1.25, \"sizes\": [1, 1, 1, 1, … +260 B
< 12:03:06.000 #3 CLOSE F-- 9 1001 going away \"restart\"
",
        json.len()
    );
    assert_eq!(printed, expected);
    assert!(printed.lines().take(3).all(|line| line.chars().count() <= 80));
}

#[test]
fn every_opcode_keeps_its_columns() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&RawFrame { fin: false, ..frame(BINARY, &[0xde, 0xad]) }));
    session.travel(ToClient, &bytes(&frame(CONT, &[0xbe, 0xef])));
    session.travel(ToClient, &bytes(&frame(BINARY, &[0x55; 20])));
    session.travel(ToClient, &bytes(&frame(PING, b"are you there")));
    session.travel(ToClient, &bytes(&frame(PONG, b"")));
    session.travel(ToClient, &bytes(&frame(CLOSE, b"")));
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 BIN  --- 2 de ad
< 12:03:04.120 #2 CONT F-- 2 be ef
< 12:03:04.120 #3 BIN  F-- 20 55 55 55 55 55 55 55 55 55 55 55 55 55 55 … +6 B
< 12:03:04.120 #4 PING F-- 13 are you there
< 12:03:04.120 #5 PONG F-- 0
< 12:03:04.120 #6 CLOSE F-- 0 no code
"
    );
}

#[test]
fn a_frame_in_pieces_has_the_same_line() {
    let mut whole = plain();
    let sent =
        bytes(&frame(TEXT, "grün wie Gras, and much more than ever fits into a line".as_bytes()));
    let expected = whole.travel(ToClient, &sent).take();
    assert!(
        expected.ends_with(" 56 grün wie Gras, and much more than ever fits… +12 B\n"),
        "{expected}"
    );
    for size in 1..sent.len() {
        assert_eq!(plain().travel_in_pieces(ToClient, &sent, size).take(), expected);
    }
}

/// What is shown of the payload on the line of a frame that is cut, and the line.
fn payload_shown(width: usize, show_connection: bool, frame: &RawFrame) -> (usize, String) {
    let options = HumanOptions { width, show_connection, ..options() };
    let deflate = Some(DeflateParams::default());
    let mut session = Watched::with_deflate(HumanPrinter::new(options), deflate);
    for _ in 0..150 {
        session.travel(ToClient, &bytes(&self::frame(PONG, b"")));
    }
    session.take();
    let line = session.travel(ToClient, &bytes(frame)).take();
    let line = line.lines().next().expect("a line").to_owned();
    let payload = &line[line.find("{\"id\"").expect("the payload")..];
    let (payload, _) = payload.split_once("… +").expect("it is cut");
    (payload.chars().count(), line)
}

#[test]
fn most_of_a_line_is_payload() {
    let json = format!("{{\"id\":\"1\",\"path\":\"C:\\\\x\",\"list\":[{}]}}", "12345,".repeat(200));
    let masked = RawFrame { mask: Some([1, 2, 3, 4]), ..compressed(&json) };
    for frame in [frame(TEXT, json.as_bytes()), compressed(&json), masked] {
        for show_connection in [false, true] {
            for (width, least) in [(60, 30), (80, 36), (100, 60), (120, 72), (160, 96), (200, 120)]
            {
                let (shown, line) = payload_shown(width, show_connection, &frame);
                // The number of a connection and the time take their room first.
                let least = if show_connection && width == 100 { 57 } else { least };
                assert!(shown >= least, "{shown} of {width}: {line}");
                assert!(line.chars().count() <= width, "{line}");
                assert_eq!(line.contains(" 12:03:04.120 "), width >= 80, "{line}");
                assert!(line.contains(r#"{"id":"1","path":"C:\\x","#), "{line}");
                let bits = format!(
                    "F{}{}",
                    if frame.rsv1 { "1" } else { "-" },
                    if frame.mask.is_some() { "M" } else { "-" }
                );
                assert!(line.contains(&format!(" TEXT {bits} ")), "{line}");
                assert!(line.contains(&frame.payload.len().to_string()), "{line}");
                let missing = json.len() - shown;
                assert!(line.ends_with(&format!("… +{missing} B")), "{line}");
                assert_eq!(
                    line.contains(" 01020304 "),
                    frame.mask.is_some() && width >= 160,
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn what_is_complete_does_not_end_in_dots() {
    let mut session = deflating();
    session.travel(
        ToClient,
        &bytes(&RawFrame { rsv1: true, ..frame(BINARY, &compressed("squeezed").payload) }),
    );
    session.travel(ToClient, &bytes(&compressed("exactly as much as fits into the line, no more")));
    session.travel(ToClient, &bytes(&frame(BINARY, &[0x55; 16])));
    let printed = session.take();
    assert!(!printed.contains('…'), "{printed}");
    assert!(printed.contains("→8 73 71 75 65 65 7a 65 64\n"), "{printed}");
}

#[test]
fn joiners_are_shown_where_text_needs_them() {
    let mut session = plain();
    for shown in [
        "می\u{200c}خواهم",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
        "ශ්\u{200d}රී",
        "क्\u{200d}ष",
    ] {
        let line = session.travel(ToClient, &bytes(&frame(TEXT, shown.as_bytes()))).take();
        assert!(line.ends_with(&format!(" {shown}\n")), "{line}");
    }
    for (hidden, escaped) in [
        ("pass\u{200d}word", r"pass\u{200d}word"),
        ("\u{200c}x", r"\u{200c}x"),
        ("\u{1f468}\u{200d}x", "\u{1f468}\\u{200d}x"),
        ("\u{1f468}\u{200c}\u{1f468}", "\u{1f468}\\u{200c}\u{1f468}"),
        ("می\u{200c}\u{200c}", "می\u{200c}\\u{200c}"),
        ("م\u{202e}abc", "م\\u{202e}abc"),
    ] {
        let line = session.travel(ToClient, &bytes(&frame(TEXT, hidden.as_bytes()))).take();
        assert!(line.ends_with(&format!(" {escaped}\n")), "{line}");
    }
}

#[test]
fn directions_interleave_inside_frames() {
    let mut session = plain();
    let theirs = bytes(&frame(TEXT, b"slow"));
    session.travel(ToClient, &theirs[..3]).travel(ToServer, MASKED_HELLO);
    session.travel(ToClient, &theirs[3..]);
    assert_eq!(
        session.take(),
        "\
> 12:03:04.120 #1 TEXT F-M 5 Hello
< 12:03:04.120 #1 TEXT F-- 4 slow
"
    );
}

#[test]
fn a_continued_text_is_text() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&RawFrame { fin: false, ..frame(TEXT, b"caf\xc3") }));
    session.travel(ToClient, &bytes(&frame(CONT, b"\xa9!")));
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT --- 4 caf\\xc3
< 12:03:04.120 #2 CONT F-- 2 \\xa9!
"
    );
}

#[test]
fn a_violation_follows_its_frame() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&RawFrame { rsv1: true, ..frame(TEXT, b"Hello") }));
    session.travel(ToClient, &bytes(&frame(wscope::wire::OpCode::from(11), b"x")));
    session.travel(
        ToClient,
        &bytes(&RawFrame { form: Some(LengthForm::Bits16), ..frame(TEXT, b"Hello") }),
    );
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT F1- 5 Hello
! W602 RFC 6455 §5.2: RSV1 is set but no extension was agreed that gives it a meaning \
(frame #1, byte 0)
< 12:03:04.120 #2 op 11 F-- 1 78
! W607 RFC 6455 §5.2: opcodes 11 to 15 are reserved for control frames that are not yet \
defined: opcode 11 (frame #2, byte 7)
< 12:03:04.120 #3 TEXT F-- 5 (16-bit) Hello
! W610 RFC 6455 §5.2: the payload length must be written in the shortest form: \
5 written in 16 bits (frame #3, byte 10)
"
    );
}

#[test]
fn a_frame_that_is_cut_is_printed_with_what_came() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&frame(TEXT, b"Hello"))[..5]).cut(ToClient);
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT F-- 5 Hel (cut after 3 B)
! W627 RFC 6455 §7.1.5: the stream ended inside a frame: 3 of 5 payload bytes came \
(frame #1, byte 5)
"
    );
    session = plain();
    session.travel(ToClient, &[0x81]).cut(ToClient);
    assert_eq!(
        session.take(),
        "! W627 RFC 6455 §7.1.5: the stream ended inside a frame: only 1 byte of a header came \
         (frame #1, byte 1)\n"
    );
    session = plain();
    session.travel(ToClient, &bytes(&frame(TEXT, b"Hello"))[..5]);
    let mut out = Vec::new();
    session.printer.flush_partial(&mut out);
    assert!(String::from_utf8_lossy(&out).ends_with(" Hel (cut after 3 B)\n"));
}

#[test]
fn what_a_close_answers_is_printed_before_it() {
    let mut session = plain();
    let bad = bytes(&RawFrame { rsv2: true, ..frame(TEXT, b"Hello") });
    session.travel(ToClient, &bad[..4]);
    session.travel(
        ToServer,
        &bytes(&RawFrame { mask: Some([1, 2, 3, 4]), ..frame(CLOSE, b"\x03\xea") }),
    );
    session.travel(ToClient, &bad[4..]);
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT F2- 5 He (2 B so far)
! W603 RFC 6455 §5.2: RSV2 or RSV3 is set but no extension was agreed that gives it a \
meaning: RSV2 (frame #1, byte 0)
> 12:03:04.120 #1 CLOSE F-M 2 1002 protocol error
"
    );
}

#[test]
fn bytes_without_frames_are_bounded() {
    let mut session = plain();
    let mut lost = vec![0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 1];
    lost.extend([0xaa; 300]);
    session.travel_in_pieces(ToClient, &lost, 100).print(&Event::End(&ending()));
    let printed = session.take();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "< 12:03:04.120 #1 BIN  F-- 9223372036854775809 (no end)",
            "! W611 RFC 6455 §5.2: the most significant bit of a 64-bit length must be 0; where \
             the frame ends can't be known: 0x8000000000000001 (frame #1, byte 0)",
            "< 12:03:04.120 undecodable aa aa aa aa aa aa aa aa aa aa aa aa aa aa aa aa aa …",
        ]
    );
    assert_eq!(lines[3], "* 300 bytes in total could not be decoded");
    assert_eq!(lines.len(), 6, "{printed}");
}

#[test]
fn a_pong_prints_its_round_trip() {
    let mut session = plain();
    let pong = bytes(&frame(PONG, b"wscope 1"));
    // The endpoint sees the pong when its payload is complete, before the frame's end is reported.
    session.travel(ToClient, &pong[..9]);
    session.print(&Event::RoundTrip(Duration::from_micros(123)));
    session.travel(ToClient, &pong[9..]);
    session.print(&Event::RoundTrip(Duration::from_micros(4567)));
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 PONG F-- 8 wscope 1 (rtt 0.123 ms)
* round trip 4.567 ms
"
    );
}

#[test]
fn a_hostile_payload_is_harmless() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&frame(TEXT, "\x1b[2J\u{202e}\n".as_bytes())));
    session.travel(ToClient, &bytes(&frame(CLOSE, b"\x0f\xa0\x07\x9b")));
    let printed = session.take();
    assert!(printed.contains(r#" \e[2J\u{202e}\n"#), "{printed}");
    assert!(printed.contains(r#"4000 private use "\u{7}\x9b""#), "{printed}");
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn heads_are_shown_as_they_crossed_the_wire() {
    let request = Head::parse(
        HeadKind::Request,
        b"GET /chat HTTP/1.1\r\nhost: a\r\nX-Evil: \x1b]0;x\x07\r\nX-LF: 1\n\r\n",
    );
    let response = Head::parse(HeadKind::Response, b"HTTP/1.1 403 No\r\n\r\n");
    let mut session = plain();
    session.print(&Event::Head(ToServer, &request)).print(&Event::Head(ToClient, &response));
    session.print(&Event::Body(b"go a")).print(&Event::Body(b"way\r\nnow"));
    session.print(&Event::End(&ending()));
    assert_eq!(
        session.take(),
        "\
> GET /chat HTTP/1.1
> host: a
> X-Evil: \\e]0;x\\u{7}
> X-LF: 1
>
! HTTP: line 3, byte 37: byte 0x1b in a header value
! HTTP: line 4, byte 52: line ends with LF instead of CRLF
< HTTP/1.1 403 No
<
< go away
< now
* closed with 1000 normal closure after 3.204 s
* sent 2 frames, 1 message, 5 bytes (19 on the wire); \
received 2 frames, 1 message, 5 bytes (11 on the wire)
"
    );
}

#[test]
fn a_long_body_is_bounded() {
    let mut session = plain();
    for _ in 0..100 {
        session.print(&Event::Body(&[b'x'; 1000]));
    }
    session.print(&Event::End(&ending()));
    let printed = session.take();
    assert!(printed.len() < 5000);
    assert!(printed.contains("* the body has 100000 bytes; the first 4096 are shown\n"));
}

#[test]
fn facts_about_the_connection() {
    let addresses = ["127.0.0.1:80".parse().expect("valid"), "[::1]:80".parse().expect("valid")];
    let mut session = plain();
    session.print(&Event::Resolved { host: "example.org", addresses: &addresses });
    session.print(&Event::AddressFailed { address: addresses[1], error: "connection refused" });
    session.print(&Event::Connected { local: "127.0.0.1:9", peer: "127.0.0.1:80" });
    session.print(&Event::Tls(&TlsFacts {
        version: Some("TLS 1.3".into()),
        cipher: Some("TLS_AES_128_GCM_SHA256".into()),
        verified: true,
        ..TlsFacts::default()
    }));
    session.print(&Event::Tls(&TlsFacts {
        certificate: Some(CertificateFacts { subject: "CN=a".into(), ..Default::default() }),
        chain: vec![CertificateFacts {
            subject: "CN=b".into(),
            issuer: "CN=c".into(),
            not_after: "2030-01-01T00:00:00Z".into(),
            ..Default::default()
        }],
        problem: Some("hostname mismatch".into()),
        ..TlsFacts::default()
    }));
    let extensions =
        parse_extensions([&b"permessage-deflate; server_max_window_bits=12"[..]]).expect("valid");
    session.print(&Event::Open(&Agreed {
        subprotocol: Some("chat".into()),
        deflate: None,
        extensions,
    }));
    session.print(&Event::Open(&Agreed::default()));
    session.print(&Event::Note("two\nlines"));
    assert_eq!(
        session.take(),
        "\
* example.org resolved to 127.0.0.1:80, [::1]:80
* [::1]:80 failed: connection refused
* connected to 127.0.0.1:80 from 127.0.0.1:9
* TLS 1.3, TLS_AES_128_GCM_SHA256, certificate verified
* TLS, certificate not verified (hostname mismatch)
* certificate of CN=a, issued by 
* valid  to  for no name; serial 
* sent along: CN=b, issued by CN=c, valid to 2030-01-01T00:00:00Z
* open: subprotocol chat, permessage-deflate; server_max_window_bits=12
* open: no subprotocol, no extensions
* two\\nlines
"
    );
}

#[test]
fn what_a_server_prints() {
    let options = HumanOptions { show_connection: true, ..HumanOptions::new(ToClient) };
    let mut verbose = Watched::new(HumanPrinter::new(HumanOptions { all_rules: true, ..options }));
    let mut session = Watched::new(HumanPrinter::new(HumanOptions { zone: Zone::Utc, ..options }));
    session.print(&Event::Accepted { local: "127.0.0.1:9001", peer: "127.0.0.1:5" });
    let request = Head::parse(HeadKind::Request, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    session.print(&Event::Judged(&check(&HandshakeContext::new(&request, None))));
    let all = verbose.print(&Event::Judged(&check(&HandshakeContext::new(&request, None)))).take();
    assert!(all.contains("* [1]  ✓ pass  4.1-req-syntax  "), "{all}");
    session.print(&Event::Body(b"an answer"));
    session.print(&Event::Failed("answered 426"));
    let printed = session.take();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "* [1] connection from 127.0.0.1:5 to 127.0.0.1:9001");
    assert_eq!(lines[1], "* [1] 33 rules: 8 passed, 4 FAILED, 0 warned, 21 not applicable");
    assert!(!printed.contains("pass  "), "{printed}");
    assert!(printed.contains("* [1]  ✗ FAIL  4.1-req-upgrade  "), "{printed}");
    assert!(!printed.contains("4.1-res-"), "duties of its own are no news: {printed}");
    assert_eq!(lines[lines.len() - 2..], ["> [1] an answer", "* [1] answered 426"]);
}

#[test]
fn broken_rules_of_the_handshake_are_printed() {
    let request = Head::parse(HeadKind::Request, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let report = check(&HandshakeContext::new(&request, None));
    let mut session = plain();
    let printed = session.print(&Event::Judged(&report)).take();
    assert!(printed.lines().all(|line| line.starts_with("! ")), "{printed}");
    assert!(printed.contains("! 4.1-req-upgrade: "), "{printed}");
    assert!(printed.contains("(the rule: Upgrade offers websocket)"), "{printed}");
}

#[test]
fn in_hex_every_byte_is_shown() {
    let mut session = hex();
    session.travel_in_pieces(ToServer, MASKED_HELLO, 3);
    let wire = compressed("aaaaaaaaaaaaaaaaaaaaaaaa").payload;
    assert_eq!(wire, [0x4a, 0x4c, 0xc4, 0x0e, 0x00, 0x00]);
    session.travel(ToClient, &bytes(&compressed("aaaaaaaaaaaaaaaaaaaaaaaa")));
    session.travel(ToClient, &bytes(&RawFrame { rsv3: true, ..frame(CLOSE, b"\x03\xe8bye") }));
    assert_eq!(
        session.take(),
        "\
> 12:03:04.120 #1 TEXT F-M 37fa213d 5
    header at byte 0: 81 85 37 fa 21 3d
    00000000  48 65 6c 6c 6f                                    |Hello|
< 12:03:04.120 #1 TEXT F1- 6
    header at byte 0: c1 06
    00000000  4a 4c c4 0e 00 00                                 |JL....|
    inflated to 24 bytes aaaaaaaaaaaaaaaaaaaaaaaa
< 12:03:04.120 #2 CLOSE F3- 5
    header at byte 8: 98 05
    00000000  03 e8 62 79 65                                    |..bye|
    1000 normal closure \"bye\"
! W603 RFC 6455 §5.2: RSV2 or RSV3 is set but no extension was agreed that gives it a \
meaning: RSV3 (frame #2, byte 8)
"
    );
}

#[test]
fn in_hex_a_dump_that_was_interrupted_names_whose_rows_follow() {
    let mut session = hex();
    let theirs = bytes(&frame(TEXT, b"0123456789abcdefg"));
    session.travel(ToClient, &theirs[..10]).travel(ToServer, MASKED_HELLO);
    session.travel(ToClient, &theirs[10..]);
    let printed = session.take();
    let tail: Vec<&str> = printed.lines().skip(5).collect();
    assert_eq!(
        tail,
        [
            "< #1 continues",
            "    00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|",
            "    00000010  67                                                |g|",
        ],
        "{printed}"
    );
}

#[test]
fn connections_are_kept_apart_and_can_be_shown() {
    let options = HumanOptions { show_connection: true, ..options() };
    let mut one = Watched::new(HumanPrinter::new(options));
    let hello = bytes(&frame(TEXT, b"Hello"));
    one.travel(ToClient, &hello[..3]);
    one.at.conn = ConnId(2);
    one.print(&Event::Note("another"));
    one.at.conn = ConnId(1);
    one.travel(ToClient, &hello[3..]);
    assert_eq!(
        one.take(),
        "\
* [2] another
< [1] 12:03:04.120 #1 TEXT F-- 5 Hello
"
    );
}

#[test]
fn colours_change_no_column() {
    let palette = Palette { on: true };
    let mut colour = Watched::new(HumanPrinter::new(HumanOptions { palette, ..options() }));
    let mut plain = plain();
    let long = bytes(&frame(TEXT, &[b'x'; 200]));
    let bare = bytes(&frame(CONT, b"x"));
    let plain = plain.travel(ToClient, &long).travel(ToClient, &bare).take();
    let colour = colour.travel(ToClient, &long).travel(ToClient, &bare).take();
    assert!(colour.starts_with("\x1b[36m< 12:03:04.120 #1 TEXT\x1b[0m F-- 200 x"));
    assert!(colour.contains("\x1b[31m! W613"));
    let stripped = colour.replace("\x1b[36m", "").replace("\x1b[31m", "").replace("\x1b[0m", "");
    assert_eq!(stripped, plain);
}

#[test]
fn columns_stay_aligned_when_numbers_grow() {
    let mut session = plain();
    for _ in 0..10 {
        session.travel(ToClient, &bytes(&frame(TEXT, b"x")));
    }
    session.travel(ToServer, MASKED_HELLO);
    let printed = session.take();
    let columns: Vec<_> = printed.lines().skip(9).map(|line| line.find("TEXT")).collect();
    assert_eq!(columns, [Some(19), Some(19)]);
}

proptest! {
    #[test]
    fn any_bytes_give_harmless_lines_however_they_are_cut(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        size in 1usize..50,
        view in prop_oneof![Just(View::Frames), Just(View::Messages), Just(View::Hex)],
    ) {
        let print = |size| {
            let mut session =
                Watched::new(HumanPrinter::new(HumanOptions { view, ..options() }));
            session.travel_in_pieces(ToClient, &bytes, size).print(&Event::End(&ending()));
            session.take()
        };
        let whole = print(usize::MAX);
        prop_assert!(whole.chars().all(|c| c == '\n' || !c.is_control()), "{whole}");
        prop_assert!(whole.is_empty() || whole.ends_with('\n'));
        // The line about undecodable bytes shows what came first.
        if !whole.contains(" undecodable ") {
            prop_assert_eq!(print(size), whole);
        }
    }
}
