//! `/edit` and `/last` with programs of the user's, and lines of several lines.

use std::os::unix::fs::PermissionsExt as _;

use crate::session::{PROMPT, Setup};

/// Puts a program of a shell's commands into the home folder.
fn with_program(setup: Setup, variable: &str, commands: &str) -> Setup {
    let path = setup.home().join("a program");
    std::fs::write(&path, format!("#!/bin/sh\n{commands}\n")).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("ours");
    setup.env(variable, &format!("'{}'", path.display()))
}

#[test]
fn edit_sends_what_the_editor_leaves() {
    let setup = with_program(Setup::new(), "EDITOR", r#"printf '\nsecond line\n' >> "$1""#);
    let mut s = setup.ready(|p, _| {
        p.open();
        p.receive_text("/first line\nsecond line");
        p.text("thank you");
        p.answer_close(1000);
    });
    s.enter("/edit /first line");
    s.wait_for_row(" 9 thank you");
    s.wait_for_line(PROMPT);
    s.leave();
}

#[test]
fn frames_wait_while_the_editor_has_the_terminal_and_pings_are_answered() {
    let setup = with_program(Setup::new(), "EDITOR", "echo editing; read go; exit 1");
    let mut s = setup.ready(|p, told| {
        p.open();
        told.wait();
        p.text("meanwhile");
        p.ping("alive?");
        p.receive_pong("alive?");
        told.wait();
        p.answer_close(1000);
    });
    s.enter("/edit");
    s.wait_for_screen(|screen| screen.has("editing"));
    assert!(s.is_as_found(), "the editor finds the terminal as wscope did");
    s.release_peer();
    s.release_peer();
    s.keys("\r");
    s.wait_for_row("error: the editor failed");
    s.wait_for_row(" 9 meanwhile");
    s.wait_for_line(PROMPT);
    s.leave();
}

#[test]
fn last_shows_a_long_message_through_the_pager() {
    let setup = with_program(Setup::new(), "PAGER", "echo \"paging $(wc -l) lines\"");
    let items: Vec<String> = (0..50).map(|n| format!("{{\"n\":{n}}}")).collect();
    let message = format!("[{}]", items.join(","));
    let mut s = setup.ready(move |p, told| {
        p.open();
        p.text(message);
        told.wait();
        p.text("{\"short\":true}");
        p.answer_close(1000);
    });
    s.wait_for_row("{\"n\":0}");
    s.enter("/last");
    s.wait_for_screen(|screen| {
        screen.rows.iter().any(|row| row.starts_with("paging ")) && screen.ends_with_line(PROMPT)
    });
    s.release_peer();
    s.wait_for_row("short");
    s.enter("/last");
    s.wait_for_screen(|screen| screen.has("  \"short\": true") && screen.ends_with_line(PROMPT));
    s.leave();
}

#[test]
fn alt_enter_and_a_backslash_continue_a_line() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        p.receive_text("one\ntwo");
        p.receive_text("three\nfour");
        p.text("got both");
        p.answer_close(1000);
    });
    s.keys("one\x1b\rtwo");
    s.wait_for_screen(|screen| screen.line() == "two");
    s.keys("\r");
    s.wait_for_line(PROMPT);
    s.keys("three\\\r");
    s.wait_for_screen(|screen| screen.line().is_empty());
    s.keys("four\r");
    s.wait_for_row(" 8 got both");
    s.wait_for_line(PROMPT);
    s.leave();
}
