//! What is printed before the first line is typed.

use crate::session::{PROMPT, Setup};
use crate::terminal::Screen;

const GREETING: &str = "* Connected (press Ctrl-D or type /quit to leave, /help for commands)";

/// Opens it, with a subprotocol and a header of the server's own.
fn start(args: &[&str]) -> Screen {
    let args = args.iter().copied().chain(["--subprotocol", "chat"]);
    let mut s = Setup::new().args(args).ready(|p, _| {
        p.open_with("Sec-WebSocket-Protocol: chat\r\nX-Odd:  spaces\r\n");
        p.answer_close(1000);
    });
    let screen = s.wait_for_line(PROMPT);
    s.keys("\x04");
    s.end(0);
    screen
}

/// The rows that begin so, in this order.
#[track_caller]
fn assert_order(screen: &Screen, starts: &[&str]) {
    let mut rows = screen.rows.iter();
    for start in starts {
        assert!(rows.any(|row| row.starts_with(start)), "{start:?} is not there: {screen:#?}");
    }
}

#[test]
fn the_heads_are_shown_raw_then_what_was_agreed_then_the_greeting() {
    let screen = start(&[]);
    assert_order(
        &screen,
        &[
            "* connected to 127.0.0.1:",
            "> GET / HTTP/1.1",
            "> Host: 127.0.0.1:",
            "> Sec-WebSocket-Protocol: chat",
            "< HTTP/1.1 101 Switching Protocols",
            "< X-Odd:  spaces",
            "* open: subprotocol chat",
            GREETING,
            "connected   >",
        ],
    );
}

#[test]
fn quiet_folds_the_handshake_to_a_line() {
    let screen = start(&["-q"]);
    let rows = screen.text();
    assert!(rows[0].starts_with("* connected to 127.0.0.1:"), "{screen:#?}");
    let rest = [
        "* GET / HTTP/1.1 → HTTP/1.1 101 Switching Protocols",
        "* open: subprotocol chat, no extensions",
        GREETING,
        "connected   >",
    ];
    assert_eq!(rows[1..], rest);
}
