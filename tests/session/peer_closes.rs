//! The peer ends the connection while somebody types: the session stays.

use crate::server::serve_next;
use crate::session::{PROMPT, Setup};

#[test]
fn the_line_stays_the_ending_is_printed_once_and_a_reconnect_goes_on() {
    let mut s = Setup::new().size(100, 50).serve(|listener, told| {
        serve_next(&listener, |p| {
            p.open();
            told.wait();
            p.close_first(4001, "enough");
        });
        serve_next(&listener, |p| {
            p.open();
            p.receive_text("half a line");
            p.answer_close(1000);
        });
    });
    s.wait_for_line(PROMPT);
    s.keys("half");
    s.wait_for_line(&format!("{PROMPT}half"));
    s.release_peer();
    let screen = s.wait_for_line("closed 4001 > half");
    let ending = "the server closed with 4001";
    let told = |screen: &crate::terminal::Screen| {
        screen.rows.iter().filter(|row| row.contains(ending)).count()
    };
    assert_eq!(told(&screen), 1, "{screen:#?}");
    assert!(screen.rows.iter().any(|row| row.contains("4001") && row.contains("\"enough\"")));
    assert!(screen.rows.iter().any(|row| row.starts_with("warning[W723]")), "{screen:#?}");
    // Without a connection there is nobody to send it to, and nothing is lost: it comes back.
    s.keys(" a line\r");
    s.wait_for_row("error: not connected; /reconnect connects again, /open URL connects elsewhere");
    s.wait_for_line("closed 4001 > ");
    s.keys("/reconnect\r");
    s.wait_for_line(PROMPT);
    s.keys("\x1b[A");
    s.wait_for_line(&format!("{PROMPT}/reconnect"));
    s.keys("\x1b[A");
    s.wait_for_line(&format!("{PROMPT}half a line"));
    s.keys("\r");
    let screen = s.wait_for_row(" 11 half a line");
    assert_eq!(told(&screen), 1, "{screen:#?}");
    s.leave();
}

#[test]
fn a_connection_that_is_cut_is_reported_as_such() {
    let mut s = Setup::new().ready(|p, told| {
        p.open();
        told.wait();
        p.reset();
    });
    s.release_peer();
    let screen = s.wait_for_line("closed 1006 > ");
    let told = screen.rows.iter().filter(|row| row.contains("(1006)")).count();
    assert_eq!(told, 1, "{screen:#?}");
    // The end of the connection was no success, so that of the program is none.
    s.keys("\x04");
    s.end(10);
}

#[test]
fn exit_on_close_ends_with_the_connection() {
    for (code, keys) in [(1000, ""), (1001, "half typed")] {
        let mut s = Setup::new().args(["--exit-on-close"]).ready(move |p, told| {
            p.open();
            told.wait();
            p.close_first(code, "bye");
        });
        s.keys(keys);
        s.wait_for_line(&format!("{PROMPT}{keys}"));
        s.release_peer();
        let screen = s.end(0);
        assert!(screen.rows.iter().any(|row| row.contains("the server closed with")));
        assert_eq!(screen.cursor.1, 0, "on a fresh line: {screen:#?}");
    }
}

#[test]
fn a_server_that_does_not_answer_a_reconnect_can_be_given_up() {
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
    s.wait_for_row("connecting");
    s.keys("\x03");
    s.wait_for_row("* stopped");
    s.release_peer();
    s.wait_for_screen(|screen| screen.line() == "no answer   >");
    s.keys("/quit\r");
    s.end(130);
}

/// Who types while a connection is opened need not ask for another one.
#[test]
fn a_line_typed_while_a_connection_is_opened_is_told_so() {
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
    s.wait_for_row("connecting");
    s.keys("hello\r");
    s.wait_for_row("error: the connection is still being opened");
    s.keys("\x03");
    s.wait_for_row("* stopped");
    s.release_peer();
    s.keys("/quit\r");
    s.end(130);
}
