//! `--input json`: every frame can be sent, byte for byte, and a line that can't is refused.

use crate::frames::{self, CLOSE, PING, PONG, TEXT};
use crate::harness::Test;

fn commanding(lines: &str) -> Test {
    Test::new().args(["--input", "json", "-w", "0"]).stdin(lines)
}

/// Exactly these bytes arrive before the client's Close.
#[track_caller]
fn puts_on_the_wire(line: &str, bytes: &'static [u8]) {
    commanding(line)
        .peer(move |p| {
            p.open();
            let heard = p.receive_raw(bytes.len());
            assert_eq!(heard.escape_ascii().to_string(), bytes.escape_ascii().to_string());
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn messages_in_three_notations() {
    commanding(
        "{\"type\":\"text\",\"text\":\"a\\u00e4\\n\"}\n\
         {\"type\":\"text\",\"hex\":\"48 69\"}\n\
         \n\
         {\"type\":\"binary\",\"base64\":\"AP8=\"}\n\
         {\"type\":\"binary\"}\n\
         {\"type\":\"text\",\"text\":\"last\"}",
    )
    .peer(|p| {
        p.open();
        p.receive_text("aä\n");
        p.receive_text("Hi");
        p.receive_binary(b"\x00\xff");
        p.receive_binary(b"");
        p.receive_text("last");
        p.answer_close(1000);
    })
    .status(0);
}

#[test]
fn fragments_with_a_ping_between_them() {
    commanding(
        "{\"type\":\"text\",\"text\":\"one \",\"fin\":false}\n\
         {\"type\":\"ping\",\"text\":\"hi\"}\n\
         {\"type\":\"text\",\"text\":\"message\"}\n",
    )
    .peer(|p| {
        p.open();
        let first = p.receive_frame();
        assert_eq!(
            (first.opcode(), first.header.fin, &first.payload[..]),
            (TEXT, false, &b"one "[..])
        );
        let ping = p.receive_frame();
        assert_eq!((ping.opcode(), &ping.payload[..]), (PING, &b"hi"[..]));
        p.send(frames::bytes([frames::frame(PONG, "hi")]));
        p.receive_text("one message");
        p.answer_close(1000);
    })
    .status(0);
}

#[test]
fn an_input_that_ends_inside_a_message_is_an_error() {
    commanding("{\"type\":\"text\",\"text\":\"one \",\"fin\":false}\n")
        .peer(|p| {
            p.open();
            assert!(!p.receive_frame().header.fin);
            p.receive_close(1001);
            p.close(1001, "");
            p.hang_up();
        })
        .stderr(
            "wscope: stdin: line 1, the last one: a message in fragments has no end; its last \
             fragment is the one without \"fin\":false\n",
        )
        .status(1);
}

#[test]
fn a_pong_nobody_asked_for() {
    commanding("{\"type\":\"pong\",\"text\":\"beat\"}\n")
        .peer(|p| {
            p.open();
            p.receive_pong("beat");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_close_with_code_and_reason() {
    commanding("{\"type\":\"close\",\"code\":4000,\"reason\":\"done\"}\n")
        .peer(|p| {
            p.open();
            let close = p.receive_frame();
            assert_eq!((close.opcode(), &close.payload[..]), (CLOSE, &b"\x0f\xa0done"[..]));
            p.close(4000, "");
            p.hang_up();
        })
        .status(0);
}

#[test]
fn frames_are_written_bit_by_bit() {
    for (line, bytes) in [
        (
            r#"{"type":"frame","opcode":"text","mask":"37fa213d","text":"Hello"}"#,
            &b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..],
        ),
        (r#"{"type":"frame","opcode":"text","mask":false,"text":"Hello"}"#, b"\x81\x05Hello"),
        (r#"{"type":"frame","opcode":3,"mask":false}"#, b"\x83\x00"),
        (r#"{"type":"frame","opcode":15,"mask":"00000000","hex":"ff"}"#, b"\x8f\x81\0\0\0\0\xff"),
        (
            r#"{"type":"frame","opcode":"ping","fin":false,"rsv1":true,"rsv2":true,"rsv3":true,"mask":false}"#,
            b"\x79\x00",
        ),
        (
            r#"{"type":"frame","opcode":"continuation","mask":false,"length_form":16,"text":"x"}"#,
            b"\x80\x7e\x00\x01x",
        ),
        (
            r#"{"type":"frame","opcode":"binary","mask":false,"length_form":64,"text":"x"}"#,
            b"\x82\x7f\0\0\0\0\0\0\0\x01x",
        ),
        (
            r#"{"type":"frame","opcode":"pong","mask":false,"length":9223372036854775808}"#,
            b"\x8a\x7f\x80\0\0\0\0\0\0\0",
        ),
        (r#"{"type":"frame","opcode":"text","mask":false,"base64":"/w=="}"#, b"\x81\x01\xff"),
        (r#"{"type":"bytes","hex":"de ad be ef"}"#, b"\xde\xad\xbe\xef"),
    ] {
        puts_on_the_wire(line, bytes);
    }
}

#[test]
fn a_line_that_is_no_command_is_refused_by_its_number() {
    for (line, why) in [
        ("nonsense", "not JSON at column 2; write an object, as in {\"text\": \"hello\"}"),
        ("{\"text\":", "the JSON is not complete: it ends after column 8"),
        (r#"{"type":"shout","text":"x"}"#, "unknown variant `shout`[..]"),
        (r#"{"type":"text","txet":"x"}"#, "unknown field `txet`[..]"),
        (r#"{"type":"text","text":"x","hex":"00"}"#, "give one of text, base64 and hex"),
        (r#"{"type":"text","hex":"0"}"#, "hex: an odd number of digits"),
        (r#"{"type":"text","rsv1":true}"#, "opcode, rsv1 to rsv3, [..] are for frame"),
        (r#"{"type":"frame"}"#, "a frame needs an opcode"),
        (r#"{"type":"frame","opcode":16}"#, "opcode: use 0 to 15, [..]"),
        (r#"{"type":"frame","opcode":1,"mask":"xyz"}"#, "mask: use true, false or 8 hex digits"),
        (r#"{"type":"frame","opcode":1,"length_form":8}"#, "length_form: use 7, 16 or 64, not 8"),
        (r#"{"type":"close","code":1005}"#, "close code 1005 must not be sent [..]"),
    ] {
        commanding(&format!("{{\"type\":\"text\",\"text\":\"good\"}}\n\n{line}\n"))
            .peer(|p| {
                p.open();
                p.receive_text("good");
                p.answer_close(1001);
            })
            .stderr(format!("wscope: stdin: line 3: {why}\n"))
            .status(1);
    }
}
