//! Narrow terminals: what is not a frame is broken at words, frames keep their one line, and the time
//! is in all lines of frames or in none.

use std::process::Command;

use crate::session::{Setup, quiet};
use crate::terminal::{Screen, Terminal};

/// Columns of the terminals.
const COLUMNS: u16 = 60;

/// Checks that the terminal has broken no line by itself.
#[track_caller]
fn is_broken_at_words(screen: &Screen) {
    for (at, row) in screen.rows.iter().enumerate() {
        // A word may be longer than a line.
        let is_word = !row.trim_start().contains(' ');
        assert!(!screen.broken[at] || is_word, "{row:?} goes on in {:?}", screen.rows.get(at + 1));
    }
}

#[test]
fn answers_and_errors_of_the_prompt_are_broken_at_words() {
    let mut s = Setup::new().size(COLUMNS, 200).env("PAGER", "cat").ready(quiet);
    for (line, shown) in [
        ("/help", "/quit"),
        ("/help expect", "Examples"),
        ("/show nope", "error:"),
        ("/show stats", "violations"),
        ("/show state", "timestamps"),
        ("/show handshake", "Agreed"),
        ("/status", "connected to"),
        ("/autopong nonsense", "autopong"),
    ] {
        s.enter(line);
        let screen = s.wait_for_screen(|screen| {
            screen.rows.iter().any(|row| row.contains(shown))
                && screen.ends_with_line("connected   > ")
        });
        is_broken_at_words(&screen);
        s.keys("/clear\r");
        s.wait_for_screen(|screen| screen.text().len() <= 1);
    }
    s.leave();
}

#[test]
fn a_line_is_broken_at_the_width_of_the_moment() {
    let mut s = Setup::new().size(COLUMNS, 40).ready(quiet);
    s.enter("/show nope");
    s.wait_for_row("error: \"nope\" is not a topic of /show; write handshake, tls,");
    s.terminal.resize(100, 40);
    s.enter("/show nope");
    s.wait_for_row(
        "is not a topic of /show; write handshake, tls, stats, state, lens, frames, message",
    );
    s.leave();
}

/// What a run prints on a narrow terminal.
fn run(args: &[&str]) -> Screen {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscope"));
    command.args(args).env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let folder = tempfile::tempdir().expect("a folder");
    command.env("HOME", folder.path()).env_remove("COLUMNS");
    let mut terminal = Terminal::start(&command, COLUMNS, 200);
    terminal.end();
    terminal.screen()
}

#[test]
fn reports_errors_and_help_are_broken_at_words() {
    for args in [
        &["ws://127.0.0.1:1"][..],
        &["doctor", "ws://127.0.0.1:1"],
        &["handshake", "ws://127.0.0.1:1"],
        &["explain", "1006"],
        &["explain", "ECONNRESET"],
        &["explain", "--list"],
        &["help", "/frame"],
        &["help", "listen"],
        &["--list-faults"],
        &["listen", "nowhere:x"],
        &["-q", "-v", "ws://h"],
        &["ws://h", "--no-such-option-at-all-in-this-program-whatever-it-is"],
        &["demo"],
        &["check", "--list"],
        &["version"],
    ] {
        let screen = run(args);
        assert!(!screen.text().is_empty(), "{args:?}");
        is_broken_at_words(&screen);
    }
}

#[test]
fn the_time_is_in_all_lines_of_a_screen_or_in_none() {
    for (columns, timed) in [(60, false), (79, false), (80, true), (100, true)] {
        let mut s = Setup::new().size(columns, 60).ready(|p, _| {
            p.open();
            for _ in 0..3 {
                p.receive_frame();
            }
            p.answer_close(1000);
        });
        s.enter("short");
        s.keys(format!("{}\r", "a long line ".repeat(20)));
        s.wait_for_screen(|screen| screen.rows.iter().any(|row| row.contains("#2 TEXT")));
        s.enter("/ping");
        let screen = s.wait_for_screen(|screen| {
            screen.rows.iter().any(|row| row.starts_with('>') && row.contains(" PING "))
        });
        let frames = screen.rows.iter().filter(|row| {
            row.starts_with("> ") && (row.contains(" TEXT ") || row.contains(" PING "))
        });
        let times = frames.map(|row| row.chars().nth(4) == Some(':'));
        let times: Vec<bool> = times.collect();
        assert_eq!(times, [timed; 3], "{columns}: {screen:#?}");
        s.leave();
    }
}

#[test]
fn a_page_of_a_refusal_is_shown_as_text() {
    let page = "<!DOCTYPE html><html><head><title>No entry</title><style>b{}</style></head>\n\
                <body><p>You may not come in &amp; look around this house.</p></body></html>";
    let s = Setup::new().size(COLUMNS, 80).args(["--exit-on-close"]).start(move |p, _| {
        p.request();
        let len = page.len();
        p.send(format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {len}\r\n\r\n{page}"));
    });
    let mut s = s;
    let screen = s.end(7);
    let shown = screen.rows.join("\n");
    let text = "< (HTML) No entry You may not come in & look around this\n  house.\n";
    assert!(shown.contains(text), "{shown}");
    assert!(!shown.contains("<p>"), "{shown}");
}

#[test]
fn a_close_keeps_its_line_and_its_reason() {
    let setup = Setup::new().size(30, 60).args(["--exit-on-close"]);
    let mut s = setup.ready(quiet);
    s.enter("/close 1000 bye");
    let screen = s.end(0);
    assert!(screen.has("> #1 CLOSE F-M 5 1000 \"bye\""), "{screen:#?}");
}

#[test]
fn a_message_has_room_where_its_time_would_leave_none() {
    let mut s = Setup::new().size(30, 60).args(["--view", "messages"]).ready(|p, _| {
        p.open();
        p.receive_text("hello");
        p.answer_close(1000);
    });
    s.enter("hello");
    s.wait_for_row("> TEXT 5 hello");
    s.leave();
}

#[test]
fn laid_out_json_keeps_to_its_lines() {
    let s = Setup::new().size(COLUMNS, 60).args(["--view", "messages"]).ready(|p, _| {
        p.open();
        p.text(format!(r#"{{"id":1,"text":"{}"}}"#, "lorem ".repeat(2000)));
        p.answer_close(1000);
    });
    let screen = s.wait_for_screen(|screen| screen.has("    }"));
    assert!(
        screen
            .rows
            .iter()
            .any(|row| row.starts_with("      \"text\": \"lorem") && row.ends_with(" B"))
    );
    is_broken_at_words(&screen);
    s.leave();
}
