//! `wscope decode`: bytes from the command line, a file or stdin become frames.

use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::harness::Test;

/// The masked "Hello" of RFC 6455 §5.7.
const HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
const HELLO_HEX: &str = "81 85 37 fa 21 3d 7f 9f 4d 51 58";
const HELLO_LINE: &str = "> #1 TEXT F-M 5 Hello\n";

fn decoding() -> Test {
    Test::new().args(["decode"])
}

#[test]
fn hex_in_the_ways_people_paste_it() {
    for hex in [
        HELLO_HEX,
        "818537FA213D7F9F4D5158",
        "0x81 0x85 0x37 0xfa 0x21 0x3d 0x7f 0x9f 0x4d 0x51 0x58",
    ] {
        decoding().args(["--hex", hex]).stdout(HELLO_LINE).status(0);
    }
}

#[test]
fn dumps_of_xxd_and_hexdump() {
    for dump in [
        "00000000: 8185 37fa 213d 7f9f 4d51 58              ..7.!=..MQX\n",
        "00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58                 |..7.!=..MQX|\n0000000b\n",
    ] {
        decoding().stdin(dump).stdout(HELLO_LINE).status(0);
        decoding().args(["-"]).stdin(dump).stdout(HELLO_LINE).status(0);
    }
}

#[test]
fn a_file_of_hex_or_of_bytes() {
    let mut file = NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path").to_owned();
    file.write_all(HELLO_HEX.as_bytes()).expect("a disk");
    decoding().args([&path]).stdout(HELLO_LINE).status(0);
    let mut file = NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path").to_owned();
    file.write_all(HELLO).expect("a disk");
    decoding().args(["--raw", &path]).stdout(HELLO_LINE).status(0);
    decoding().args(["--raw"]).stdin(HELLO).stdout(HELLO_LINE).status(0);
}

#[test]
fn the_mask_shows_who_sent_it_unless_role_does() {
    decoding().args(["--hex", "81 05 48 65 6c 6c 6f"]).stdout("< #1 TEXT F-- 5 Hello\n").status(0);
    decoding()
        .args(["--role", "client", "--hex", "81 05 48 65 6c 6c 6f"])
        .stdout(
            "> #1 TEXT F-- 5 Hello\n\
             ! W628 RFC 6455 §5.1: a client must mask every frame it sends (frame #1, byte 0)\n",
        )
        .status(9);
}

#[test]
fn a_handshake_at_the_beginning_is_shown_and_heeded() {
    decoding()
        .args(["--raw"])
        .stdin(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\
              \xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
        )
        .stdout(
            "< HTTP/1.1 101 Switching Protocols\n\
             < Upgrade: websocket\n\
             < Connection: Upgrade\n\
             < Sec-WebSocket-Accept: x\n\
             < Sec-WebSocket-Extensions: permessage-deflate\n\
             <\n\
             < #1 TEXT F1- 7\u{2192}5 Hello\n",
        )
        .status(0);
}

#[test]
fn deflate_inflates_a_capture_without_handshake() {
    let hex = "c1 07 f2 48 cd c9 c9 07 00";
    decoding()
        .args(["--deflate", "--hex", hex])
        .stdout("< #1 TEXT F1- 7\u{2192}5 Hello\n")
        .status(0);
    decoding().args(["--deflate", "--output", "lines", "--hex", hex]).stdout("Hello\n").status(0);
}

#[test]
fn payload_alone_goes_to_stdout_and_violations_to_stderr() {
    decoding().args(["--output", "raw", "--hex", HELLO_HEX]).stdout("Hello").status(0);
    decoding()
        .args(["--output", "lines", "--hex", "83 00 81 02 48 69"])
        .stdout("Hi\n")
        .stderr("wscope: frame #1, byte 0: [..] (W606, RFC 6455 §5.2)\n")
        .status(9);
}

#[test]
fn json_lines() {
    decoding()
        .args(["--output", "json", "--hex", HELLO_HEX])
        .stdout_like(
            "{\"event\":\"start\",\"v\":1,[..],\"role\":null}\n\
             {\"event\":\"frame\",[..],\"mask\":\"37fa213d\",[..],\"text\":\"Hello\"}\n\
             {\"event\":\"message\",[..],\"text\":\"Hello\"}\n",
        )
        .status(0);
}

#[test]
fn exit_9_for_a_broken_rule_and_a_frame_that_is_cut() {
    decoding()
        .args(["--hex", "81 85 37"])
        .stdout("! W627 RFC 6455 §7.1.5: the stream ended inside a frame: only 3 bytes of a header came (frame #1, byte 3)\n")
        .status(9);
    decoding()
        .args(["--hex", "c1 00"])
        .stdout(
            "< #1 TEXT F1- 0\n\
             ! W602 RFC 6455 §5.2: RSV1 is set but no extension was agreed that gives it a meaning (frame #1, byte 0)\n",
        )
        .status(9);
}

#[test]
fn exit_1_for_what_is_not_hex_with_line_and_column() {
    decoding()
        .args(["--hex", "81 8g"])
        .stderr("wscope: --hex: line 1, column 5: 'g' is no hex digit; for bytes as they are use --raw\n")
        .status(1);
    decoding()
        .stdin("81 00\n8 0\n")
        .stdout_any()
        .stderr("wscope: stdin: line 2, column 1: an odd number of hex digits\n")
        .status(1);
}

#[test]
fn exit_1_for_a_file_that_is_not_there() {
    decoding()
        .args(["/nonexistent/capture"])
        .stderr("wscope: can't open /nonexistent/capture: no such file or directory\n")
        .status(1);
}

#[test]
fn nothing_at_all_is_no_error() {
    decoding().stdin("").status(0);
}

#[test]
fn every_bit_of_the_masked_hello() {
    decoding().args(["-vv", "--hex", HELLO_HEX]).stdout(include_str!("decode_hello.txt")).status(0);
}
