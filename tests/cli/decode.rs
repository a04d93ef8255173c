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
            "{\"event\":\"start\",\"v\":1,[..],\"role\":null,\"secrets\":\"left-out\"}\n\
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
        .stderr("wscope: --hex: line 1, column 5: 'g' is not a hex digit; to read raw bytes, use --raw\n")
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

/// The lines of a log about bytes, as they are again when the log is decoded; offsets apart, which a
/// session counts from its first frame where it sends.
fn about_bytes(lines: &str) -> Vec<String> {
    let kinds = ["head", "body", "frame", "payload", "frame-end", "message", "violation"];
    let is = |line: &&str| kinds.iter().any(|k| line.starts_with(&format!("{{\"event\":\"{k}\"")));
    let offset = regex::Regex::new("\"offset\":[0-9]+").expect("an expression");
    lines.lines().filter(is).map(|line| offset.replace(line, "").into_owned()).collect()
}

#[test]
fn a_log_of_our_own_is_decoded_to_the_same_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.jsonl").display().to_string();
    let large = "x".repeat(2 << 20);
    let sent = large.clone();
    Test::new()
        .args([
            "--log",
            &path,
            "--lenient",
            "-x",
            "hi",
            "-x",
            "",
            "-x",
            &large[..3000],
            "--exit-after",
            "4",
        ])
        .peer(move |p| {
            p.open();
            p.receive_text("hi");
            p.receive_text("");
            p.text("one");
            p.ping("p");
            p.send(b"\x01\x02He\x80\x03llo");
            p.send(b"\xc1\x01x");
            p.text(&sent);
            p.receive_text(&sent[..3000]);
            p.receive_pong("p");
            p.answer_close(1000);
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let log = std::fs::read_to_string(&path).expect("a log");
    let decoded = decoding().args([&path, "--output", "json"]).stdout_any().status(9);
    let (was, is) = (about_bytes(&log), about_bytes(decoded.stdout()));
    assert!(was.len() > 20, "{log}");
    for (was, is) in was.iter().zip(&is) {
        assert_eq!(is, was);
    }
    assert_eq!(is.len(), was.len());
    let shown = decoding().stdin(&log).stdout_any().status(9);
    let lines: Vec<_> = shown.stdout().lines().collect();
    assert!(
        lines.iter().any(|line| line.starts_with("> ")
            && line.contains("#1 TEXT")
            && line.ends_with(" hi")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("< ")
            && line.contains("#1 TEXT")
            && line.ends_with(" one"))
    );
    // One side of it.
    let raw = decoding().args([&path, "--role", "client", "--output", "lines"]);
    raw.stdout(format!("hi\n\n{}\n", &large[..3000])).status(0);
}

#[test]
fn a_log_that_begins_amid_a_connection_and_one_of_a_server() {
    let frame = |rest: &str| {
        format!(
            "{{\"event\":\"frame\",\"time\":\"2026-11-21T07:00:00.123456Z\",\"conn\":3,{rest}}}\n"
        )
    };
    let log = [
        "{\"event\":\"start\",\"v\":1,\"role\":\"server\"}\n".to_owned(),
        frame(
            "\"dir\":\"to-server\",\"header_hex\":\"818537fa213d\",\"mask\":\"37fa213d\",\"text\":\"Hello\"",
        ),
        frame(
            "\"dir\":\"to-client\",\"header_hex\":\"8105\",\"mask\":null,\"base64\":\"SGVsbG8=\"",
        ),
    ];
    decoding()
        .stdin(log.concat())
        .stdout_like(
            "< [3] 07:00:00.123 #1 TEXT F-M 5 Hello\n\
             > [3] 07:00:00.123 #1 TEXT F-- 5 Hello\n",
        )
        .status(0);
    for (line, why) in [
        ("{nonsense", "line 1: not a line of a log: [..]"),
        ("{\"a\":1}", "line 1: not an event of a log: it has no event"),
        (
            "{\"event\":\"frame\",\"dir\":\"to-client\",\"time\":\"2026-11-21T07:00:00Z\",\"header_hex\":\"8z\"}",
            "line 1: header_hex: 'z' is not a hex digit",
        ),
        (
            "{\"event\":\"body\",\"dir\":\"to-client\",\"time\":\"2026-11-21T07:00:00Z\",\"base64\":\"A!\"}",
            "line 1: base64: '!' at character 2 is not base64",
        ),
        (
            "{\"event\":\"frame\",\"dir\":\"to-client\",\"time\":\"x\"}",
            "line 1: its time can't be read",
        ),
    ] {
        decoding().stdin(line).stderr(format!("wscope: stdin: {why}\n")).status(1);
    }
}

/// What `--show-secrets` and `--redact` say holds for what a lens reads, too.
#[test]
fn a_lens_hides_what_the_options_say() {
    let content = br#"{"token":"s3cr3t-long","HeartbeatInterval":60}"#;
    let mut frame = vec![0x81, u8::try_from(content.len()).expect("small")];
    frame.extend_from_slice(content);
    let meant = |args: &[&'static str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("frames");
        std::fs::write(&path, &frame).expect("room");
        let name = path.to_str().expect("a path");
        let output = Test::new()
            .args(["decode", "--raw", "--lens", "json"])
            .args(args.iter().copied())
            .args([name])
            .stdout_any()
            .status(0);
        let line = output.stdout().lines().find(|line| line.starts_with("= "));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(meant(&[]), r#"= {"token":"[redacted]","HeartbeatInterval":60}"#);
    let all = r#"= {"token":"s3cr3t-long","HeartbeatInterval":60}"#;
    assert_eq!(meant(&["--show-secrets"]), all);
    let hidden = meant(&["--redact", "HeartbeatInterval"]);
    assert!(!hidden.contains("60"), "{hidden}");
}
