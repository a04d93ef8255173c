//! The history: what is kept, where, and for whom.

use std::os::unix::fs::PermissionsExt as _;

use crate::session::{PROMPT, Session, Setup, quiet};

/// A peer that accepts everything.
fn listening(setup: Setup) -> Session {
    setup.ready(|p, _| {
        p.open();
        while p.receive_frame().payload != [0x03, 0xe8] {}
        p.close(1000, "");
        p.hang_up();
    })
}

#[track_caller]
fn enter(session: &mut Session, lines: &[&str]) {
    for line in lines {
        session.enter(line);
        session.wait_for_line(PROMPT);
    }
}

#[test]
fn lines_come_back_in_the_next_session() {
    let mut first = listening(Setup::new());
    enter(&mut first, &["one needle", "/ping two", "three"]);
    assert_eq!(first.history(), ["one needle", "/ping two", "three"]);
    let mode = |name| {
        let found = std::fs::metadata(first.path(name)).expect("it is there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("state/wscope/history"), 0o600);
    assert_eq!(mode("state/wscope"), 0o700);
    let again = Setup::new().home_of(&first);
    first.leave();

    let mut second = listening(again);
    second.keys("\x1b[A");
    second.wait_for_line(&format!("{PROMPT}three"));
    second.keys("\x03");
    second.wait_for_line(PROMPT);
    second.keys("\x12need");
    second.wait_for_screen(|screen| screen.line() == "(reverse-i-search)`need': one needle");
    second.keys("\r");
    second.wait_for_row(" 10 one needle");
    second.wait_for_line(PROMPT);
    second.leave();
}

#[test]
fn what_is_secret_or_begins_with_a_space_is_not_kept() {
    let mut s = listening(Setup::new());
    enter(
        &mut s,
        &[
            "kept",
            " not this one",
            "/headers Authorization: Bearer abc",
            "Authorization: Basic abc",
            "{\"user\":\"me\",\"password\":\"hunter2\"}",
        ],
    );
    enter(&mut s, &["kept too"]);
    assert_eq!(s.history(), ["kept", "kept too"]);
    s.leave();
}

#[test]
fn no_history_keeps_nothing_beyond_the_session() {
    let mut s = listening(Setup::new().args(["--no-history"]));
    enter(&mut s, &["not kept"]);
    s.keys("\x1b[A");
    s.wait_for_line(&format!("{PROMPT}not kept"));
    s.keys("\x03");
    s.wait_for_line(PROMPT);
    assert!(!s.path("state").exists());
    s.leave();
}

#[test]
fn a_history_that_cannot_be_kept_is_reported_and_nothing_more() {
    let setup = Setup::new();
    std::fs::write(setup.home().join("state"), "in the way").expect("a file");
    let mut s = setup.ready(quiet);
    s.wait_for_row("can't read the history, lines are not kept: ");
    s.keys("\x04");
    s.end(0);
}
