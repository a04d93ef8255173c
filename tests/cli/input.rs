//! stdin becomes messages: every format of `--input`, `-x` and `--echo`, no byte altered.

use crate::frames::{self, BINARY, CONTINUATION, TEXT};
use crate::harness::Test;

/// All there is to send is on stdin: no waiting at its end.
fn sending(input: &str) -> Test {
    Test::new().args(["--input", input, "-w", "0"])
}

#[test]
fn each_line_is_a_text_message_without_its_newline() {
    sending("lines")
        .stdin("one\ntwo words\r\nä€😀\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("two words\r");
            p.receive_text("ä€😀");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn lines_are_the_default() {
    Test::new()
        .args(["-w0"])
        .stdin("one\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.send(frames::bytes([frames::frame(TEXT, "eins")]));
            p.answer_close(1000);
        })
        .stdout("eins\n")
        .status(0);
}

#[test]
fn a_last_line_without_newline_is_sent() {
    sending("lines")
        .stdin("one\ntwo")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("two");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn an_empty_line_is_an_empty_message_and_empty_stdin_is_none() {
    sending("lines")
        .stdin("\n\na\n")
        .peer(|p| {
            p.open();
            p.receive_text("");
            p.receive_text("");
            p.receive_text("a");
            p.answer_close(1000);
        })
        .status(0);
    sending("lines")
        .stdin("")
        .peer(|p| {
            p.open();
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_line_of_five_megabytes_is_one_message() {
    let line = "0123456789abcdeé".repeat(5 << 16);
    let expected = line.clone();
    sending("lines")
        .stdin(line + "\nnext\n")
        .peer(move |p| {
            p.open();
            p.receive_text(&expected);
            p.receive_text("next");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn a_line_that_is_not_utf_8_is_refused_with_its_offset() {
    Test::new()
        .stdin(b"good\nbad \xff byte\n")
        .peer(|p| {
            p.open();
            p.receive_text("good");
            p.answer_close(1001);
        })
        .stderr(
            "wscope: stdin: message 2, byte 9 of the input: [..]; send binary messages with -b\n",
        )
        .status(1);
}

#[test]
fn a_line_that_ends_inside_a_character_is_refused() {
    Test::new()
        .stdin(b"\xe2\x82\nnext\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: message 1, byte [..] of the input: [..]; send binary messages with -b\n")
        .status(1);
}

#[test]
fn binary_lines_may_hold_anything() {
    sending("lines")
        .args(["-b"])
        .stdin(b"\xff\x00\xfe\nx\n")
        .peer(|p| {
            p.open();
            p.receive_binary(b"\xff\x00\xfe");
            p.receive_binary(b"x");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn null_separates_messages_with_newlines_inside() {
    sending("null")
        .stdin("a\nb\0\0last")
        .peer(|p| {
            p.open();
            p.receive_text("a\nb");
            p.receive_text("");
            p.receive_text("last");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn chunks_are_binary_and_lose_nothing() {
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    let expected = bytes.clone();
    sending("chunks")
        .stdin(bytes)
        .peer(move |p| {
            p.open();
            let mut heard = Vec::new();
            while heard.len() < expected.len() {
                let (opcode, mut content) = p.receive_message();
                assert_eq!(opcode, BINARY);
                assert!(content.len() <= 65536, "{} bytes in a message", content.len());
                heard.append(&mut content);
            }
            assert!(heard == expected);
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn whole_is_one_message_newlines_included() {
    sending("whole")
        .stdin("a\nb\n")
        .peer(|p| {
            p.open();
            p.receive_text("a\nb\n");
            p.answer_close(1000);
        })
        .status(0);
    sending("whole")
        .stdin("")
        .peer(|p| {
            p.open();
            p.receive_text("");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn input_none_leaves_stdin_alone() {
    Test::new()
        .args(["--input", "none"])
        .stdin("not read\n")
        .peer(|p| {
            p.open();
            p.text("hi");
            p.close_first(1000, "done");
            p.receive_end();
        })
        .stdout("hi\n")
        .status(0);
}

#[test]
fn execute_sends_its_messages_in_order_and_reads_no_stdin() {
    Test::new()
        .args(["-x", "one", "--execute", "-x", "-x", "", "-w", "0"])
        .stdin("not read\n")
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("-x");
            p.receive_text("");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn execute_comes_before_stdin_if_input_is_given_too() {
    sending("lines")
        .args(["-x", "first"])
        .stdin("second\n")
        .peer(|p| {
            p.open();
            p.receive_text("first");
            p.receive_text("second");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn to_read_no_stdin_may_be_asked_for_twice() {
    for args in [&["--echo", "--input", "none"][..], &["--script", "/dev/null", "--input", "none"]]
    {
        Test::new()
            .args(args.iter().copied())
            .args(["-w", "0"])
            .peer(|p| {
                p.open();
                p.close_first(1000, "done");
            })
            .stderr_any()
            .status(0);
    }
    for (args, sentence) in [
        (&["--echo", "--input", "lines"][..], "--echo does not read stdin; omit --input[..]"),
        (&["--script", "f", "--input", "json"], "--script does not read stdin; omit [..]"),
        (&["--script", "-", "--input", "none"], "--script - reads stdin: leave --input out"),
        (&["listen", "--script", "f", "--input", "json", "0"], "--script does not read stdin[..]"),
    ] {
        let test = Test::new().args(args.iter().copied());
        let url = if args[0] == "listen" { &[][..] } else { &["ws://127.0.0.1:1"] };
        let test = test.args(url.iter().copied());
        test.stderr(format!("wscope: {sentence}\n")).status(2);
    }
}

#[test]
fn echo_sends_each_message_back_with_its_type() {
    Test::new()
        .args(["--echo"])
        .stdin("not read\n")
        .peer(|p| {
            p.open();
            p.text("ä");
            p.receive_text("ä");
            p.binary(b"\x00\xff");
            p.receive_binary(b"\x00\xff");
            p.text("");
            p.receive_text("");
            p.frame(frames::fragment(BINARY, "two "));
            p.frame(frames::frame(CONTINUATION, "parts"));
            p.receive_binary(b"two parts");
            p.close_first(1000, "done");
        })
        .stdout(b"\xc3\xa4\n\x00\xff\n\ntwo parts\n")
        .status(0);
}

#[test]
fn chunks_can_be_text_with_its_newlines() {
    sending("chunks")
        .args(["--text"])
        .stdin("two\nlines\n")
        .peer(|p| {
            p.open();
            p.receive_text("two\nlines\n");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn no_chunk_of_text_ends_inside_a_character() {
    let text = "a".to_owned() + &"\u{20ac}".repeat(100_000);
    let expected = text.clone();
    sending("chunks")
        .args(["--text"])
        .stdin(text)
        .peer(move |p| {
            p.open();
            let mut came = String::new();
            while came.len() < expected.len() {
                let (opcode, content) = p.receive_message();
                assert_eq!(opcode, TEXT);
                came += std::str::from_utf8(&content).expect("whole characters");
            }
            assert_eq!(came, expected);
            p.answer_close(1000);
        })
        .status(0);
    sending("chunks")
        .args(["--text"])
        .stdin(b"\xe2\x82")
        .peer(|p| {
            p.open();
            p.receive_close(1001);
            p.receive_end();
        })
        .stderr_any()
        .status(1);
}
