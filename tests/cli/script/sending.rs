//! Commands that send messages and control frames.

use std::io::Write as _;

use super::{puts_on_the_wire, script_of};
use crate::frames::{CLOSE, PING, PONG};
use crate::harness::Test;

#[test]
fn lines_are_text_messages_and_slashes_begin_commands() {
    script_of("hello\n\n  two  words \n//etc/hosts\n/# a comment\n/text\n@alice hi\\n\nlast")
        .peer(|p| {
            p.open();
            p.receive_text("hello");
            p.receive_text("  two  words ");
            p.receive_text("/etc/hosts");
            p.receive_text("");
            // A plain line is sent as it is: no escapes, no files.
            p.receive_text("@alice hi\\n");
            p.receive_text("last");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn without_commands_a_slash_is_a_slash() {
    Test::new()
        .args(["--input", "commands", "--no-commands", "-w", "0"])
        .stdin("/ping\n//x\n")
        .peer(|p| {
            p.open();
            p.receive_text("/ping");
            p.receive_text("//x");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_backslash_goes_on_in_the_next_line() {
    script_of("one\\\ntwo\\\n\\\\\n/text a\\\nb\n")
        .peer(|p| {
            p.open();
            p.receive_text("one\ntwo\n\\\\");
            p.receive_text("a\nb");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn text_has_escapes_and_a_nul_can_be_typed() {
    script_of("/text CONNECT\\naccept-version:1.2\\n\\n\\0\n/text \\x41\\u{1F600}\\\\\n")
        .peer(|p| {
            p.open();
            p.receive_text("CONNECT\naccept-version:1.2\n\n\0");
            p.receive_text("A😀\\");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn binary_messages_in_every_notation() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"\x00from a file\xff").expect("a disk");
    let path = file.path().display();
    script_of(&format!(
        "/binary 00 ff 7F\n/binary base64:AP8=\n/binary @{path}\n/binary \\x00\\n\\u{{1F600}}\n\
         /binary \"deadbeef\"\n/binary\n"
    ))
    .peer(|p| {
        p.open();
        p.receive_binary(b"\x00\xff\x7f");
        p.receive_binary(b"\x00\xff");
        p.receive_binary(b"\x00from a file\xff");
        p.receive_binary("\0\n😀".as_bytes());
        p.receive_binary(b"deadbeef");
        p.receive_binary(b"");
        p.answer_close(1000);
    })
    .status(0);
}

#[test]
fn a_ping_with_its_round_trip() {
    let output = script_of("/ping there?\n/expect done\n")
        .args(["-v"])
        .peer(|p| {
            p.open();
            let ping = p.receive_frame();
            assert_eq!((ping.opcode(), &ping.payload[..]), (PING, &b"there?"[..]));
            p.send(crate::frames::bytes([crate::frames::frame(PONG, "there?")]));
            p.text("done");
            p.answer_close(1000);
        })
        .stdout("done\n")
        .stderr_any()
        .status(0);
    assert!(output.stderr().contains(" 6 there? (rtt "), "{}", output.stderr());
}

#[test]
fn a_pong_nobody_asked_for() {
    script_of("/pong \\x00beat\n")
        .peer(|p| {
            p.open();
            p.receive_pong(b"\0beat");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_close_by_name_with_a_reason() {
    for (line, code, reason) in [
        ("/close", None, ""),
        ("/close 1000", Some(1000u16), ""),
        ("/close going-away", Some(1001), ""),
        ("/close 4001 see you \\u{2764}", Some(4001), "see you ❤"),
    ] {
        script_of(line)
            .peer(move |p| {
                p.open();
                let close = p.receive_frame();
                let code = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
                assert_eq!(close.opcode(), CLOSE);
                assert_eq!(close.payload, [&code, reason.as_bytes()].concat());
                p.send(crate::frames::bytes([crate::frames::frame(CLOSE, &close.payload)]));
            })
            .status(0);
    }
}

#[test]
fn a_file_is_one_message_however_long() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let content: Vec<u8> = (0..5_000_000u32).map(|n| (n >> 3) as u8).collect();
    file.write_all(&content).expect("a disk");
    let path = file.path().display().to_string();
    script_of(&format!("/file {path}\nafter\n"))
        .peer(move |p| {
            p.open();
            p.receive_binary(&content);
            p.receive_text("after");
            p.answer_close(1000);
        })
        .stderr(format!("wscope: note: {path}: 5,000,000 bytes sent in [..]\n"))
        .status(0);
}

#[test]
fn a_file_that_is_no_text_is_not_begun() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"text\xff").expect("a disk");
    let path = file.path().display().to_string();
    script_of(&format!("/file {path} text\nnever\n"))
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(format!(
            "wscope: stdin: line 1: {path}: byte 0xff at offset 4 is not UTF-8 ([..]); send it with /file {path} binary\n"
        ))
        .status(1);
}

#[test]
fn bytes_go_out_as_they_are() {
    puts_on_the_wire("/bytes 81 85 00000000 48656c6c6f\n", b"\x81\x85\0\0\0\0Hello", "");
    puts_on_the_wire("/bytes \"\\x89\\x80\\0\\0\\0\\0\"\n", b"\x89\x80\0\0\0\0", "");
}

#[test]
fn fragments_of_any_size_with_pings_between_them() {
    script_of("/fragment 2 Hello\n/fragment 1,0,2 ping Hello\n/fragment 2 binary \\x00\\x01\n")
        .peer(|p| {
            p.open();
            let mut heard = Vec::new();
            for _ in 0..2 + 4 + 3 + 2 {
                let frame = p.receive_frame();
                heard.push((u8::from(frame.opcode()), frame.header.fin, frame.payload));
            }
            let expected: [(u8, bool, &[u8]); 11] = [
                (1, false, b"He"),
                (0, true, b"llo"),
                (1, false, b"H"),
                (9, true, b"between fragments 1 and 2"),
                (0, false, b""),
                (9, true, b"between fragments 2 and 3"),
                (0, false, b"el"),
                (9, true, b"between fragments 3 and 4"),
                (0, true, b"lo"),
                (2, false, b"\0"),
                (0, true, b"\x01"),
            ];
            assert_eq!(heard, expected.map(|(opcode, fin, bytes)| (opcode, fin, bytes.to_vec())));
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn an_abort_is_a_reset() {
    script_of("bye\n/abort\n")
        .peer(|p| {
            p.open();
            p.receive_text("bye");
            let error = p.receive_failure();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        })
        .stderr_any()
        .status(1);
}

#[test]
fn a_half_close_ends_our_side_and_goes_on_listening() {
    script_of("bye\n/half-close\n/expect \"still here\"\n")
        .peer(|p| {
            p.open();
            p.receive_text("bye");
            p.receive_end();
            p.text("still here");
        })
        .stdout("still here\n")
        // The peer's end in answer to ours is in order.
        .stderr("wscope: note: sent the end of our stream; still receiving\n")
        .status(0);
}

#[test]
fn an_abort_says_what_it_was() {
    super::script_of("hi\n/abort\n")
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.receive_failure();
        })
        // Nothing failed that a note such as W429 could explain.
        .stderr("wscope: ended without a closing handshake after [..]\n")
        .status(1);
}

#[test]
fn what_is_no_base64_names_the_character() {
    for (line, why) in [
        ("/binary base64:AA!A", "\"AA!A\" is not base64: '!' at character 3 is not base64"),
        (
            "/text base64:AA\u{e9}=",
            "\"AA\u{e9}=\" is not base64: '\u{e9}' at character 3 is not base64",
        ),
        (
            "/ping base64:AAA",
            "\"AAA\" is not base64: the last group has 3 of 4 characters; pad it with =",
        ),
    ] {
        super::script_of(&format!("{line}\n"))
            .peer(|p| {
                p.open();
                p.answer_close(1001);
            })
            .stderr(format!("wscope: stdin: line 1: {why}\n"))
            .status(1);
    }
    Test::new()
        .args(["--input", "json", "-w", "0"])
        .stdin("{\"base64\":\"AA!A\"}\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 1: [..]\n")
        .status(1);
}
