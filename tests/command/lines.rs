//! What each command means, with every way to write its arguments.

use std::path::PathBuf;
use std::time::Duration;

use crate::{bytes, debugged, parsed};
use wscope::event::Direction;
use wscope::script::command::{AutoPong, Command, FilterChange, LogChange, Payload, Show};
use wscope::ui::pattern::Pattern;
use wscope::ui::view::View;
use wscope::wire::{Control, Data, OpCode};

fn text(line: &str) -> Payload {
    match parsed(line) {
        Command::Text(payload) => payload,
        other => panic!("{line}: {other:?}"),
    }
}

fn binary(line: &str) -> Payload {
    match parsed(line) {
        Command::Binary(payload) => payload,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_line_without_a_slash_is_a_text_verbatim() {
    for line in ["hello", "  two spaces ", r"C:\dir\n", "@home", "hex:00", "two\nlines", " /ping"] {
        assert_eq!(text(line), bytes(line), "{line}");
    }
    assert_eq!(text("//etc/passwd"), bytes("/etc/passwd"));
    assert_eq!(text("///"), bytes("//"));
}

#[test]
fn an_empty_line_and_a_comment_are_nothing() {
    for line in ["", "/#", "/# what follows", "/#!/bin/wscope"] {
        assert!(matches!(parsed(line), Command::Nothing), "{line}");
    }
}

#[test]
fn one_space_divides_a_command_from_its_payload() {
    assert_eq!(text("/text"), bytes(""));
    assert_eq!(text("/text "), bytes(""));
    assert_eq!(text("/text  a "), bytes(" a "));
    assert_eq!(text("/text\n\na"), bytes("\na"));
    assert_eq!(text("/text\u{a0}a"), bytes("a"));
}

#[test]
fn a_payload_has_four_notations() {
    assert_eq!(text(r"/text a\tb\x00\u{e9}\\"), bytes("a\tb\0é\\"));
    assert_eq!(text("/text hex:0xde ad:be,ef"), bytes(b"\xde\xad\xbe\xef"));
    assert_eq!(text("/text base64:AAH+/w=="), bytes(b"\x00\x01\xfe\xff"));
    assert_eq!(text("/text text:hex:00"), bytes("hex:00"));
    assert_eq!(text(r"/text \@home"), bytes("@home"));
    assert_eq!(text(r"/text text:@a\n"), bytes("@a\n"));
    for (line, path) in [
        ("/text @a.json", "a.json"),
        ("/text @two words.json ", "two words.json"),
        (r"/text @two\ words\ ", "two words "),
        ("/text @\"two words\"", "two words"),
        (r"/text @'it\s'", r"it\s"),
        ("/text @~/a", "~/a"),
    ] {
        assert_eq!(text(line), Payload::File(PathBuf::from(path)), "{line}");
    }
}

#[test]
fn a_binary_payload_is_hex_unless_it_is_quoted_or_escaped() {
    for line in ["/binary 00 ff", "/binary 00ff", "/binary 0x00,0xff", r"/binary \x00\xff"] {
        assert_eq!(binary(line), bytes(b"\x00\xff"), "{line}");
    }
    assert_eq!(binary("/binary"), bytes(""));
    assert_eq!(binary("/binary 00\nff"), bytes(b"\x00\xff"));
    assert_eq!(binary("/binary \"hello\\n\""), bytes("hello\n"));
    assert_eq!(binary("/binary \"say \"hi\"\" "), bytes("say \"hi\""));
    assert_eq!(binary("/binary text:hello"), bytes("hello"));
    assert_eq!(binary("/binary base64:/w=="), bytes(b"\xff"));
    assert_eq!(binary("/binary @a.bin"), Payload::File("a.bin".into()));
    assert!(matches!(parsed("/bytes 81 80"), Command::Bytes(p) if p == bytes(b"\x81\x80")));
}

#[test]
fn control_frames_take_a_payload() {
    assert!(matches!(parsed("/ping a b"), Command::Ping(p) if p == bytes("a b")));
    assert!(matches!(parsed("/pong"), Command::Pong(p) if p == bytes("")));
    assert!(matches!(parsed("/edit {}"), Command::Edit(p) if p == bytes("{}")));
}

#[test]
fn close_takes_any_code_or_a_name() {
    for (line, wanted, why) in [
        ("/close", None, ""),
        ("/close 1000", Some(1000), ""),
        ("/close 0", Some(0), ""),
        ("/close 65535 far", Some(65535), "far"),
        ("/close going-away  bye", Some(1001), " bye"),
        (r"/close 1000 a\nb", Some(1000), "a\nb"),
    ] {
        let Command::Close { code, reason } = parsed(line) else { panic!("{line}") };
        assert_eq!((code, reason), (wanted, why.into()), "{line}");
    }
    assert!(
        matches!(parsed(r"/close 1000 \xff"), Command::Close { reason, .. } if reason == [0xff])
    );
}

#[test]
fn file_takes_a_path_and_a_type() {
    for (line, wanted, as_text) in [
        ("/file a.bin", "a.bin", false),
        ("/file a.json text", "a.json", true),
        ("/file a.json binary", "a.json", false),
        (r"/file my\ file text", "my file", true),
        ("/file \"my \\\"file\\\"\" text", "my \"file\"", true),
        ("/file 'my file'", "my file", false),
        ("/file ~/x", "~/x", false),
    ] {
        let Command::File { path, text } = parsed(line) else { panic!("{line}") };
        assert_eq!((path, text), (PathBuf::from(wanted), as_text), "{line}");
    }
}

#[test]
fn every_and_repeat_hold_a_command_or_a_text() {
    let Command::Every { interval, command, line } = parsed("/every 500ms  /ping a") else {
        panic!("every")
    };
    assert_eq!((interval, line.as_str()), (Duration::from_millis(500), "/ping a"));
    assert!(matches!(*command, Command::Ping(p) if p == bytes("a")));
    let Command::Every { command, .. } = parsed("/every 1m /repeat 3 a b ") else {
        panic!("every")
    };
    let Command::Repeat { count: 3, command } = *command else { panic!("repeat") };
    assert!(matches!(*command, Command::Text(p) if p == bytes("a b ")));
    let Command::Repeat { count: 2, command } = parsed("/repeat 2 //x") else { panic!("repeat") };
    assert!(matches!(*command, Command::Text(p) if p == bytes("/x")));
    for inner in ["/close", "/show stats", "/status", "/last", "/clear", "/bytes 00", "/frame"] {
        parsed(&format!("/every 1 {inner}"));
        parsed(&format!("/repeat 1 {inner}"));
    }
}

#[test]
fn waiting() {
    assert!(matches!(parsed("/wait 1.5"), Command::Wait(t) if t == Duration::from_millis(1500)));
    for (line, wanted, seconds) in [
        ("/expect pong", "pong", None),
        ("/expect pong 2s", "pong", Some(2)),
        ("/expect /two words/", "two words", None),
        (r"/expect /a\/b\d/ 1m", r"a/b\d", Some(60)),
        (r#"/expect "say \"hi\"" 3"#, r#"say "hi""#, Some(3)),
        ("/expect 5", "5", None),
        ("/expect //", "", None),
    ] {
        let Command::Expect { expected, timeout } = parsed(line) else { panic!("{line}") };
        assert_eq!(expected.to_string(), format!("/{wanted}/"), "{line}");
        assert_eq!(timeout.map(|time| time.as_secs()), seconds, "{line}");
    }
    assert!(matches!(parsed("/stop"), Command::Stop(None)));
    assert!(matches!(parsed("/stop 3"), Command::Stop(Some(3))));
    assert!(matches!(parsed("/source a\\ b"), Command::Source(path) if path == *"a b"));
}

#[test]
fn switches() {
    for (word, wanted) in [("on", true), ("1", true), ("off", false), ("no", false)] {
        assert!(
            matches!(parsed(&format!("/autoclose {word}")), Command::AutoClose(Some(on)) if on == wanted)
        );
        assert!(
            matches!(parsed(&format!("/compress {word}")), Command::Compress(Some(on)) if on == wanted)
        );
    }
    assert!(matches!(parsed("/compress"), Command::Compress(None)));
    for (line, wanted) in [
        ("/autopong", None),
        ("/autopong on", Some(AutoPong::On)),
        ("/autopong off", Some(AutoPong::Off)),
        ("/autopong delay 2s", Some(AutoPong::Delay(Duration::from_secs(2)))),
    ] {
        assert!(matches!(parsed(line), Command::AutoPong(choice) if choice == wanted), "{line}");
    }
}

#[test]
fn what_is_shown() {
    for (line, wanted) in [
        ("/show handshake", Show::Handshake),
        ("/show tls", Show::Tls),
        ("/show stats", Show::Stats),
        ("/show state", Show::State),
        ("/show frames", Show::Frames(20)),
        ("/show frames 5", Show::Frames(5)),
        ("/show message 3", Show::Message(3, None)),
        ("/show message #3 in", Show::Message(3, Some(Direction::ToClient))),
        ("/show message 3 out", Show::Message(3, Some(Direction::ToServer))),
    ] {
        assert!(matches!(parsed(line), Command::Show(show) if show == wanted), "{line}");
    }
    assert!(matches!(parsed("/view hex"), Command::View(Some(View::Hex))));
    assert!(matches!(parsed("/view"), Command::View(None)));
    assert!(debugged("/timestamps relative").contains("Relative"));
    assert!(matches!(parsed("/timestamps"), Command::Timestamps(None)));
    for (line, wanted) in [
        ("/log", LogChange::Ask),
        ("/log off", LogChange::Off),
        ("/log ./off", LogChange::File("./off".into())),
        ("/log \"my log\"", LogChange::File("my log".into())),
    ] {
        assert!(matches!(parsed(line), Command::Log(change) if change == wanted), "{line}");
    }
}

#[test]
fn filters() {
    assert!(matches!(parsed("/filter"), Command::Filter(FilterChange::Ask)));
    assert!(matches!(parsed("/filter off"), Command::Filter(FilterChange::Off)));
    let (message, ping) = ([Data::Text, Data::Binary].map(OpCode::Data), Control::Ping);
    for (line, direction, opcodes, regex) in [
        ("/filter in", Some(Direction::ToClient), &[][..], None),
        ("/filter out text,binary", Some(Direction::ToServer), &message, None),
        ("/filter both", None, &[], None),
        ("/filter ping", None, &[OpCode::Control(ping)], None),
        ("/filter 0x9", None, &[OpCode::Control(ping)], None),
        ("/filter /a b/ in", Some(Direction::ToClient), &[], Some("a b")),
        (r#"/filter in 1,2 "err\d""#, Some(Direction::ToClient), &message, Some(r"err\d")),
    ] {
        let Command::Filter(FilterChange::Only(filter)) = parsed(line) else { panic!("{line}") };
        let found =
            (filter.direction, &filter.opcodes[..], filter.regex.as_ref().map(Pattern::to_string));
        let regex = regex.map(|regex: &str| format!("/{regex}/"));
        assert_eq!(found, (direction, opcodes, regex), "{line}");
    }
}

#[test]
fn the_connection() {
    assert!(matches!(parsed("/headers"), Command::Headers(None)));
    for header in ["A: b c", "Origin:", "X-Empty;"] {
        let line = format!("/headers  {header} ");
        assert!(matches!(parsed(&line), Command::Headers(Some(text)) if text == header), "{line}");
    }
    assert!(matches!(parsed("/open ws://a/b "), Command::Open(url) if url == "ws://a/b"));
}

#[test]
fn words_alone() {
    for (line, wanted) in [
        ("/abort", "Abort"),
        ("/half-close ", "HalfClose"),
        ("/last", "Last"),
        ("/reconnect", "Reconnect"),
        ("/status", "Status"),
        ("/clear", "Clear"),
        ("/quit", "Quit"),
        ("/q", "Quit"),
        ("/exit", "Quit"),
        ("/help", "Help(None)"),
        ("/?", "Help(None)"),
        ("/h", "Help(None)"),
        ("/help ping", "Help(Some(\"ping\"))"),
        ("/help /ping", "Help(Some(\"ping\"))"),
        ("/help exit", "Help(Some(\"quit\"))"),
    ] {
        assert_eq!(debugged(line), wanted, "{line}");
    }
}
