//! Lenses at the prompt: completion, what the server waits for, the state.

use crate::session::Setup;

#[test]
fn a_user_is_shown_what_the_server_waits_for_and_completes_it() {
    let mut s = Setup::new().args(["--lens", "stomp"]).ready(|p, _| {
        p.open();
        let (_, connect) = p.receive_message();
        assert!(connect.starts_with(b"CONNECT\n"), "{}", connect.escape_ascii());
        p.text("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0");
        p.answer_close(1000);
    });
    s.wait_for_row("the server waits for CONNECT");
    s.keys("/stomp conn\t");
    s.wait_for_row("/stomp connect [LOGIN] [PASSCODE]");
    s.keys("me hunter2\r");
    s.wait_for_row("= CONNECTED version=1.2 (");
    s.enter("/show lens");
    s.wait_for_row("version: 1.2");
    s.keys("\x04");
    s.end(0);
    // A line with a password is not kept.
    assert_eq!(s.history(), ["/show lens"]);
}

#[test]
fn find_looks_into_what_messages_mean() {
    let mut s = Setup::new().args(["--lens", "mqtt", "--no-compress"]).ready(|p, _| {
        p.open();
        p.binary(b"\x20\x02\x00\x05");
        p.binary(b"\x30\x06\x00\x03a/bhi");
        p.answer_close(1000);
    });
    s.wait_for_row("= PUBLISH a/b");
    s.enter("/find not authorized");
    let screen = s.wait_for_row("/not authorized/ is in 1 of 2 messages in memory");
    let rows = screen.text();
    let at = rows.iter().rposition(|row| row.contains("#1 BIN")).expect("the frame");
    assert!(rows[at + 1].starts_with("= CONNACK 5 not authorized"), "{rows:#?}");
    assert!(rows[at + 2].starts_with("/not authorized/ is in"), "{rows:#?}");
    s.enter("/show frames 1");
    s.wait_for_screen(|screen| {
        screen.text().iter().filter(|row| row.starts_with("= PUBLISH a/b")).count() == 2
    });
    s.keys("\x04");
    s.end(0);
}
