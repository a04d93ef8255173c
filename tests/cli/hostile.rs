//! A peer that tries to reach the terminal: nothing it sends acts there, wherever it puts it.

use crate::frames::{self, CLOSE, PING};
use crate::harness::{Output, Test};
use crate::peer::{Peer, switching_protocols};
use crate::pty;

/// Retitles the window, clears the screen, colours by C1, goes back to the line's start, reorders
/// text, hides.
const EVIL: &str =
    "\x1b]0;owned\x07\x1b[2J\u{9b}31m\r\u{202e}live\u{2066}\u{200f}\u{85}\u{2028}\u{feff}";

/// As much of it as a header's value can hold.
const EVIL_VALUE: &str =
    "\x1b]0;owned\x07\x1b[2J\u{9b}31m\u{202e}live\u{2066}\u{200f}\u{85}\u{feff}";

/// Nothing but text and line ends.
#[track_caller]
pub fn assert_harmless(output: &[u8]) {
    let text = std::str::from_utf8(output).expect("what is shown is UTF-8");
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| acts(*c)) {
        panic!("{:?} at byte {at} reached the terminal:\n{}", c, text.escape_debug());
    }
}

/// Evil in a header, a text, a binary, a ping and the reason of a Close.
fn session(p: &mut Peer) {
    let request = p.request();
    let head = switching_protocols(&request, &format!("X-Evil: {EVIL_VALUE}\r\n"));
    p.send(head.replace("Switching Protocols", EVIL_VALUE));
    p.text(EVIL);
    p.binary(b"\x1b[2J\x9b\xff\r");
    p.frame(frames::frame(PING, EVIL));
    p.receive_pong(EVIL);
    p.frame(frames::frame(CLOSE, frames::close_payload(4001, EVIL)));
    p.receive_close(4001);
    p.hang_up();
}

fn refusal(p: &mut Peer) {
    p.request();
    p.send(format!(
        "HTTP/1.1 403 {EVIL_VALUE}\r\nX-Evil: {EVIL_VALUE}\r\nContent-Length: {}\r\n\r\n{EVIL}",
        EVIL.len()
    ));
    p.receive_end();
}

fn not_http(p: &mut Peer) {
    p.request();
    p.send(format!("{EVIL_VALUE}\r\n"));
    p.receive_end();
}

fn bad_handshake(p: &mut Peer) {
    p.request();
    p.send(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {EVIL_VALUE}\r\nConnection: {EVIL_VALUE}\r\n\
         Sec-WebSocket-Accept: {EVIL_VALUE}\r\nSec-WebSocket-Protocol: {EVIL_VALUE}\r\n\
         Sec-WebSocket-Extensions: {EVIL_VALUE}\r\n\r\n"
    ));
    p.receive_end();
}

type Evil = fn(&mut Peer);

/// Each way to be evil, and the status it ends with.
const EVILS: [(Evil, i32); 4] = [(session, 11), (refusal, 7), (not_http, 8), (bad_handshake, 8)];

#[test]
fn nothing_reaches_a_terminal() {
    let kinds = [
        &[][..],
        &["-v"],
        &["-vv"],
        &["--output", "lines"],
        &["--output", "null"],
        &["--view", "messages"],
        &["--view", "hex"],
        &["--view", "json"],
        &["--pretty", "always"],
    ];
    for kind in kinds {
        for (evil, status) in EVILS {
            // The line editor writes escape sequences of its own.
            let args = [&["--color", "never", "--input", "none"][..], kind].concat();
            let shown = pty::run(&args, evil, status);
            assert!(!shown.is_empty());
            assert_harmless(&shown);
        }
    }
}

#[test]
fn nothing_reaches_a_terminal_through_the_handshake_report() {
    for (evil, status) in [(refusal as Evil, 7), (not_http, 8), (bad_handshake, 8)] {
        let args = ["handshake", "--color", "never", "ws://127.0.0.1:{port}"];
        assert_harmless(&pty::run(&args, evil, status));
    }
}

fn piped(args: &[&str], evil: Evil, status: i32) -> Output {
    let args = args.iter().copied();
    Test::new()
        .args(["--input", "none"])
        .args(args)
        .peer(evil)
        .stdout_any()
        .stderr_any()
        .status(status)
}

#[test]
fn nothing_reaches_stderr() {
    for verbosity in [&[][..], &["-v"], &["-vv"]] {
        for (evil, status) in EVILS {
            assert_harmless(&piped(verbosity, evil, status).stderr);
        }
    }
}

#[test]
fn nothing_acts_in_json() {
    for (evil, status) in EVILS {
        assert_harmless(&piped(&["--output", "json"], evil, status).stdout);
    }
}

#[test]
fn a_pipe_gets_the_very_bytes() {
    let payload = [EVIL.as_bytes(), b"\n\x1b[2J\x9b\xff\r\n"].concat();
    let output = piped(&[], session, 11);
    assert_eq!(output.stdout.escape_ascii().to_string(), payload.escape_ascii().to_string());
}
