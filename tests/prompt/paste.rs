//! Pastes: one entry, whatever they hold and however long they are.

use crate::driver::{Driven, checksum};

#[test]
fn a_short_paste_stands_in_the_line() {
    let mut t = Driven::ready();
    t.keys("before ");
    t.paste("one\n\ttwo \\\nthree");
    t.terminal.wait_for_screen(|screen| screen.ends_with_line("three"));
    t.keys(" after\r");
    assert_eq!(t.report(), r#"Line("before one\n\ttwo \\\nthree after")"#);
    t.leave();
}

#[test]
fn a_megabyte_is_pasted_as_one_line() {
    let mut t = Driven::ready();
    let text = format!("{}\n", "x".repeat(99)).repeat(10_486);
    assert!(text.len() > 1 << 20);
    t.keys("/text ");
    t.paste(&text);
    t.wait_for_line("connected   > /text [pasted 1,048,600 bytes, 10,486 lines]");
    t.command("say above");
    t.terminal.wait_for_screen(|screen| screen.has("above"));
    t.keys("!\r");
    let line = format!("/text {text}!");
    let expected = format!("line of 1048607 bytes, 10487 lines, {:016x}", checksum(&line));
    assert_eq!(t.report(), expected);
    t.keys("\x1b[A");
    t.keys("x\r");
    assert_eq!(t.report(), r#"Line("x")"#, "no history keeps so much");
    t.leave();
}

#[test]
fn a_paste_can_be_deleted_as_a_whole_and_recalled() {
    let mut t = Driven::ready();
    let text = "y".repeat(5000);
    t.keys("a ");
    t.paste(&text);
    t.wait_for_line("connected   > a [pasted 5,000 bytes, 1 line]");
    t.keys("\x7f");
    t.wait_for_line("connected   > a ");
    t.paste(&text);
    t.keys("\r");
    assert_eq!(t.report(), format!("Line({:?})", format!("a {text}")));
    t.wait_for_line("connected   > ");
    t.keys("\x1b[A");
    t.wait_for_line("connected   > [recalled 5,002 bytes, 1 line]");
    t.keys("\r");
    assert_eq!(t.report(), format!("Line({:?})", format!("a {text}")));
    t.leave();
}

#[test]
fn pasted_control_characters_do_not_reach_the_screen() {
    let mut t = Driven::ready();
    t.paste("\x01\x07beep");
    t.wait_for_line("connected   > [pasted 6 bytes, 1 line]");
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("\u{1}\u{7}beep")"#);
    t.leave();
}

#[test]
fn ctrl_c_is_the_way_out_of_a_paste_without_end() {
    let mut t = Driven::ready();
    t.keys("\x1b[200~lost \r line\x03");
    t.wait_for_line("connected   > ");
    t.keys("x\r");
    assert_eq!(t.report(), "Interrupted");
    assert_eq!(t.report(), r#"Line("x")"#);
    t.leave();
}

/// Prints how long a paste takes; run it with a release build to compare.
#[test]
#[ignore = "a measurement: cargo test --release --test prompt -- --ignored --nocapture paste"]
fn how_long_pastes_take() {
    for megabytes in [1, 10] {
        let mut t = Driven::ready();
        let text = format!("{}\n", "x".repeat(99)).repeat(megabytes * 10_486);
        let begin = std::time::Instant::now();
        t.paste(&text);
        t.terminal.wait_for_screen(|screen| screen.line().ends_with("lines]"));
        let pasted = begin.elapsed();
        t.keys("\r");
        t.report();
        eprintln!("{megabytes} MiB: {pasted:?} until it is there, {:?} in all", begin.elapsed());
        t.leave();
    }
}
