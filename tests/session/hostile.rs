//! A hostile peer: no byte of its making moves the cursor, changes the colours or the title.

use crate::session::{PROMPT, Session, Setup};

/// Sets a title, moves, asks the terminal to answer, reverses the direction, hides.
const EVIL: &str = "EVIL\x1b]0;title\x07\x1b[2J\x1b[31m\x1b[6n\x1bP+q\x1b\\\u{9b}7m\u{9d}0;t\u{9c}\u{202e}\u{2066}\u{200b}\r\x08\x7f\u{feff}";

/// What must not reach a terminal. Of CSI sequences these are ones that the program does not use.
const FORBIDDEN: [&[u8]; 13] = [
    b"\x1b]",
    b"\x07",
    b"\x1b[6n",
    b"\x1b[2J",
    b"\x1bP",
    b"\x1b\\",
    b"\xc2\x9b",
    b"\xc2\x9d",
    b"\xc2\x9c",
    b"\xe2\x80\xae",
    b"\xe2\x81\xa6",
    b"\x08",
    b"\x7f",
];

#[track_caller]
fn assert_harmless(session: &Session) {
    let shown = session.bytes();
    let mut lone = shown.iter().filter(|byte| (0x80..0xa0).contains(*byte));
    let text = String::from_utf8(shown.clone());
    assert!(text.is_ok() || lone.next().is_none(), "no C1 control of eight bits");
    for bytes in FORBIDDEN {
        if let Some(at) = memchr::memmem::find(&shown, bytes) {
            let around = &shown[at.saturating_sub(80)..(at + 40).min(shown.len())];
            panic!("{} was written: {}", bytes.escape_ascii(), around.escape_ascii());
        }
    }
}

#[test]
fn nothing_of_the_peers_is_shown_raw_in_any_view() {
    for view in ["frames", "messages", "json", "hex"] {
        let mut s = Setup::new().size(250, 60).args(["--view", view]).env("PAGER", "cat").ready(
            |p, told| {
                p.open_and("X-Evil: a\x1b]0;title\x07\u{9b}7m\u{202e}\r\n", b"");
                p.text(EVIL);
                p.text(format!("{{\"key {EVIL}\":\"{EVIL}\"}}").replace(['\r', '\x08'], ""));
                p.binary([EVIL.as_bytes(), b"\x9b31m\xff"].concat());
                p.ping(&EVIL[..20]);
                p.receive_pong(&EVIL[..20]);
                p.text("{\"harmless\":1}");
                told.wait();
                p.close_first(4000, EVIL);
            },
        );
        s.keys("half");
        s.wait_for_screen(|screen| {
            screen.rows.iter().any(|row| row.contains("harmless") || row.contains("68 61 72 6d"))
                && screen.ends_with_line(&format!("{PROMPT}half"))
        });
        assert_harmless(&s);
        s.keys("\x03");
        s.wait_for_line(PROMPT);
        for asked in ["/last", "/show handshake", "/show frames 20", "/status"] {
            s.enter(asked);
            s.wait_for_line(PROMPT);
        }
        s.release_peer();
        s.wait_for_line("closed 4000 > ");
        s.wait_for_row("4000");
        assert_harmless(&s);
        s.keys("\x04");
        s.end(11);
    }
}
