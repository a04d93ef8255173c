//! Signals from outside and a panic: the terminal is left as `stty -a` found it.
//!
//! [`Session::end`] compares the modes, and that pastes are no longer announced.

use std::time::Instant;

use rustix::process::Signal;

use crate::server::serve_next;
use crate::session::{PROMPT, Setup};
use crate::waiting::DEADLINE;

const SIGNALS: [(Signal, i32); 3] = [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)];

#[test]
fn signals_close_with_1001_and_leave_the_terminal_as_it_was() {
    for (signal, status) in SIGNALS {
        let mut s = Setup::new().ready(|p, _| {
            p.open();
            p.answer_close(1001);
        });
        assert!(!s.modes().is_cooked() && s.screen().bracketed_paste);
        s.keys("half typed");
        s.wait_for_line(&format!("{PROMPT}half typed"));
        s.signal(signal);
        let screen = s.end(status);
        assert_eq!((screen.line(), screen.cursor.1), ("", 0), "a fresh line: {screen:#?}");
    }
}

#[test]
fn signals_end_a_search_and_a_session_without_a_connection() {
    for (signal, status) in SIGNALS {
        let mut s = Setup::new().ready(|p, _| {
            p.open();
            p.receive_text("needle");
            p.close_first(1000, "done");
        });
        s.enter("needle");
        s.wait_for_line("closed 1000 > ");
        s.keys("\x12need");
        s.wait_for_screen(|screen| screen.line() == "(reverse-i-search)`need': needle");
        s.signal(signal);
        s.end(status);
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_peer() {
    let mut s = Setup::new().ready(|p, told| {
        p.open();
        p.receive_close(1001);
        told.wait();
    });
    s.signal(Signal::TERM);
    s.wait_for_row("CLOSE");
    s.signal(Signal::TERM);
    assert_eq!(s.terminal.end().code(), Some(143));
    s.release_peer();
}

#[test]
fn signals_end_an_attempt_to_reconnect_and_the_session() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut s = Setup::new().serve(|listener, told| {
            serve_next(&listener, |p| {
                p.open();
                p.close_first(1012, "");
            });
            // No answer.
            let _connection = listener.accept();
            told.wait();
        });
        s.wait_for_line("closed 1012 > ");
        s.keys("/reconnect\r");
        s.wait_for_line("connecting  > ");
        s.signal(signal);
        assert_eq!(s.terminal.end().code(), Some(status));
        s.release_peer();
    }
}

#[test]
fn a_stop_from_outside_is_survived_by_the_line() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        p.receive_text("half typed, then whole");
        p.answer_close(1000);
    });
    s.keys("half typed");
    s.wait_for_line(&format!("{PROMPT}half typed"));
    s.signal(Signal::STOP);
    s.cook();
    s.signal(Signal::CONT);
    let end = Instant::now() + DEADLINE;
    while s.modes().is_cooked() {
        assert!(Instant::now() < end, "the terminal is the shell's still");
        std::thread::yield_now();
    }
    s.keys(", then whole\r");
    s.wait_for_row(" 22 half typed, then whole");
    s.leave();
}

#[test]
fn signals_that_nobody_handles_leave_the_terminal_as_it_was() {
    for signal in [Signal::QUIT, Signal::XCPU, Signal::VTALARM] {
        let mut s = Setup::new().ready(|p, _| {
            p.open();
            p.receive_end();
        });
        s.keys("half typed");
        s.wait_for_line(&format!("{PROMPT}half typed"));
        s.signal(signal);
        let ended = s.terminal.end();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(signal.as_raw()));
        let screen = s.screen();
        assert!(!screen.bracketed_paste && screen.line().is_empty(), "{screen:#?}");
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_leaves_the_terminal_as_it_was() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        p.receive_end();
    });
    s.enter("/panic");
    let screen = s.end(101);
    assert!(screen.rows.iter().any(|row| row.contains("a panic was asked for")), "{screen:#?}");
    assert_eq!(screen.cursor.1, 0, "{screen:#?}");
}
