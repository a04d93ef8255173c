//! A paste is one message, whatever it holds and however long it is.

use crate::session::{PROMPT, Setup};

#[test]
fn a_pasted_megabyte_is_one_message_byte_for_byte() {
    let lines = (0..).map(|n| format!("line {n}: 'ä€😀' \"quoted\" \\ \ttab /slash\n"));
    let text: String = lines.take(30_000).collect();
    assert!(text.len() > 1 << 20);
    let expected = text.clone();
    let mut s = Setup::new().ready(move |p, _| {
        p.open();
        p.receive_text(&expected);
        p.text("got it");
        p.answer_close(1000);
    });
    s.paste(&text);
    s.wait_for_line(&format!("{PROMPT}[pasted 1,398,890 bytes, 30,000 lines]"));
    s.keys("\r");
    s.wait_for_row(" 6 got it");
    s.leave();
}

#[test]
fn many_pasted_lines_are_one_message() {
    let text = "/first looks like a command\nsecond\\\n\n  fourth\n";
    let mut s = Setup::new().args(["--no-commands"]).ready(move |p, _| {
        p.open();
        p.receive_text(text);
        p.receive_text("and another");
        p.answer_close(1000);
    });
    s.paste(text);
    s.wait_for_screen(|screen| screen.rows[screen.cursor.0 - 1] == "  fourth");
    s.keys("\r");
    s.wait_for_line(PROMPT);
    s.enter("and another");
    s.wait_for_row(" 11 and another");
    s.leave();
}

#[test]
fn frames_arrive_during_a_paste() {
    let text = "x".repeat(3000);
    let expected = text.clone();
    let mut s = Setup::new().ready(move |p, told| {
        p.open();
        told.wait();
        (0..100).for_each(|n| p.text(format!("frame {n}.")));
        told.wait();
        p.receive_text(&expected);
        p.text("got it");
        p.answer_close(1000);
    });
    s.keys(format!("\x1b[200~{}", &text[..1500]));
    s.release_peer();
    s.wait_for_row("frame 99.");
    s.keys(format!("{}\x1b[201~", &text[1500..]));
    s.wait_for_line(&format!("{PROMPT}[pasted 3,000 bytes, 1 line]"));
    s.release_peer();
    s.keys("\r");
    s.wait_for_row(" 6 got it");
    s.leave();
}
