//! What goes on without an end takes turns with the keyboard and the network.

use crate::frames::CLOSE;
use crate::session::Setup;

const ENDLESS: &str = "/repeat 1000000000000 x";

#[test]
fn ctrl_c_ends_a_repetition_without_an_end() {
    let mut s = Setup::new().ready(|p, _| {
        p.open();
        while p.receive_frame().opcode() != CLOSE {}
        p.close(1000, "");
        p.hang_up();
    });
    s.enter("/filter in");
    s.wait_for_line("filter on   > ");
    s.keys(ENDLESS);
    s.wait_for_row(ENDLESS);
    // The signal must not overtake the line.
    s.keys("\r\x03");
    s.wait_for_row("* stopped");
    s.keys("/filter off\r");
    s.leave();
}

#[test]
fn a_repetition_ends_with_one_error_once_the_connection_is_closing() {
    let mut s = Setup::new().args(["--close-timeout", "60"]).ready(|p, told| {
        p.open();
        p.receive_close(1000);
        told.wait();
        p.close(1000, "");
        p.hang_up();
    });
    s.enter("/close 1000");
    s.wait_for_line("closing     > ");
    s.keys(format!("{ENDLESS}\r/stop\r"));
    let screen = s.wait_for_row("nothing to stop");
    let errors = screen.rows.iter().filter(|row| row.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{screen:#?}");
    s.release_peer();
    s.wait_for_line("closed 1000 > ");
    s.keys("\x04");
    s.end(0);
}
