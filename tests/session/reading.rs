//! Reading traffic at the prompt: lines that serve their payload, filters, JSON.

use crate::session::{PROMPT, Setup};

const JSON: &str = r#"{"id":"1","path":"C:\\x","items":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"quote":"\"so\""}"#;

#[test]
fn at_every_width_most_of_a_line_is_payload() {
    for (columns, least) in [(60, 30), (100, 60), (200, 100)] {
        let s = Setup::new().size(columns, 30).ready(|p, told| {
            p.open();
            told.wait();
            p.text(JSON.repeat(3));
            p.answer_close(1000);
        });
        s.release_peer();
        let start = &JSON[..least - 1];
        let screen = s.wait_for_screen(|screen| {
            screen.rows.iter().any(|row| row.contains(start)) && screen.ends_with_line(PROMPT)
        });
        let at = screen.rows.iter().position(|row| row.contains(start)).expect("it is there");
        let row = &screen.rows[at];
        assert!(row.contains(" TEXT F-- ") && row.contains("… +"), "{row}");
        assert!(row.chars().count() <= usize::from(columns), "{row}");
        assert_eq!(at + 1, screen.cursor.0, "one row: {screen:#?}");
        s.leave();
    }
}

#[test]
fn the_prompt_shows_that_a_filter_is_on() {
    let mut s = Setup::new().args(["--filter", "in /price/"]).start(|p, told| {
        p.open();
        told.wait();
        p.text("noise");
        p.text("a price");
        p.receive_text("hidden");
        p.answer_close(1000);
    });
    s.wait_for_line("filter on   > ");
    s.release_peer();
    let screen = s.wait_for_row(" 7 a price");
    assert!(!screen.rows.iter().any(|row| row.contains("noise")), "{screen:#?}");
    s.keys("hidden\r");
    s.keys("/filter off\r");
    s.wait_for_line(PROMPT);
    s.keys("/filter text\r");
    s.wait_for_line("filter on   > ");
    s.keys("/filter off\r");
    s.wait_for_line(PROMPT);
    s.leave();
}

#[test]
fn json_is_laid_out_up_to_a_bound() {
    let mut s = Setup::new().args(["--view", "messages"]).size(80, 60).ready(|p, told| {
        p.open();
        told.wait();
        p.text(JSON);
        told.wait();
        p.text(JSON);
        p.answer_close(1000);
    });
    s.release_peer();
    let screen = s.wait_for_row("… +7 lines");
    let first = screen.rows.iter().position(|row| row.contains(" TEXT 103 {")).expect("a line");
    assert!(screen.rows[first + 20].contains("… +7 lines"), "{screen:#?}");
    s.keys("/pretty never\r");
    s.wait_for_row("JSON: as received");
    s.wait_for_line(PROMPT);
    s.release_peer();
    s.wait_for_row(r#" TEXT 103 {"id":"1","path":"C:\\x","#);
    s.leave();
}
