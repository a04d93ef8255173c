//! Ctrl-C and Ctrl-D.

use crate::frames::{BINARY, CONTINUATION};
use crate::session::{PROMPT, Setup, quiet};
use crate::waiting::gate;

#[test]
fn ctrl_c_clears_the_line_and_on_an_empty_one_leaves_with_1001() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        p.answer_close(1001);
    });
    s.keys("a mistake");
    s.wait_for_line(&format!("{PROMPT}a mistake"));
    s.keys("\x03");
    s.wait_for_screen(|screen| {
        screen.has(&format!("{PROMPT}a mistake^C")) && screen.ends_with_line(PROMPT)
    });
    s.keys("\x03");
    s.end(130);
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let mut s = Setup::new().ready(|p, told| {
        p.open();
        p.receive_close(1001);
        // No answer.
        told.wait();
    });
    s.keys("\x03");
    s.wait_for_row("CLOSE");
    s.keys("\x03");
    let status = s.terminal.end();
    assert_eq!(status.code(), Some(130));
    let screen = s.screen();
    assert!(
        screen.rows.iter().any(|row| row.contains("ended without a closing handshake")),
        "{screen:#?}"
    );
    s.release_peer();
}

#[test]
fn ctrl_d_and_quit_leave_with_1000() {
    for keys in ["\x04", "/quit\r"] {
        let mut s = Setup::new().ready(quiet);
        s.keys(keys);
        let screen = s.end(0);
        assert!(screen.rows.iter().any(|row| row.contains("closed with 1000")), "{screen:#?}");
    }
}

#[test]
fn ctrl_c_ends_a_wait_and_what_stands_behind_it_not_the_session() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        p.receive_text("afterwards");
        p.text("still here");
        p.answer_close(1000);
    });
    s.enter("/wait 600");
    s.wait_for_line("waiting     > ");
    s.keys("never sent\r");
    s.wait_for_line("waiting     > ");
    s.keys("\x03");
    s.wait_for_row("* stopped, 1 line not run");
    s.wait_for_line(PROMPT);
    s.enter("afterwards");
    s.wait_for_row(" 10 still here");
    s.leave();
}

#[test]
fn ctrl_c_ends_the_message_of_a_file_and_others_follow() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("a pipe");
    // Open for both, so that there is a writer all the time.
    let mut writer = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).expect("it");
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        let begin = p.receive_frame();
        assert_eq!((begin.header.fin, begin.opcode()), (false, BINARY));
        let end = p.receive_frame();
        assert_eq!((end.header.fin, end.opcode()), (true, CONTINUATION));
        p.receive_binary(b"a beginning");
        p.receive_text("afterwards");
        p.answer_close(1000);
    });
    std::io::Write::write_all(&mut writer, b"a beginning").expect("room");
    s.enter(&format!("/file {}", pipe.display()));
    s.wait_for_row("61 20 62 65");
    s.keys("\x03");
    s.wait_for_row("* stopped");
    s.wait_for_line(PROMPT);
    s.enter("afterwards");
    s.leave();
}

#[test]
fn a_peer_that_does_not_read_is_reset_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("much");
    // More than the sockets hold.
    std::fs::write(&file, vec![b'x'; 30 << 20]).expect("a file");
    for send in ["/text @", "/file "] {
        let (key, seen) = gate();
        let mut s = Setup::new().ready(move |p, _| {
            p.open();
            seen.wait();
        });
        s.enter(&format!("{send}{}", file.display()));
        s.keys("/abort\r");
        s.wait_for_line("closed 1006 > ");
        key.open();
        s.keys("/quit\r");
        s.end(1);
    }
}
