//! However it ends, the terminal is as it was, the cursor on a fresh line, and nothing is lost.

use rustix::process::Signal;

use crate::driver::Driven;
use crate::terminal::Screen;

#[track_caller]
fn assert_left_in_order(screen: &Screen) {
    assert!(!screen.bracketed_paste, "pastes are not announced any more");
    assert_eq!(screen.cursor.1, 0, "the cursor is on a fresh line: {screen:#?}");
    assert_eq!(screen.line(), "", "{screen:#?}");
}

#[test]
fn close_shows_all_that_waits_and_leaves_a_fresh_line() {
    let mut t = Driven::ready();
    t.keys("half typed");
    t.wait_for_line("connected   > half typed");
    t.command("traffic one");
    t.command("say the end");
    t.command("close");
    assert_eq!(t.terminal.end().code(), Some(0));
    let screen = t.wait_for_screen(|screen| screen.has("the end") && screen.line().is_empty());
    assert_left_in_order(&screen);
    assert!(screen.has("one") && screen.has("connected   > half typed"), "{screen:#?}");
}

#[test]
fn close_ends_a_search_too() {
    let mut t = Driven::ready();
    t.keys("earlier\r");
    t.report();
    // Between two lines the terminal would take the key for its own.
    t.wait_for_line("connected   > ");
    t.keys("\x12");
    t.terminal.wait_for_screen(|screen| screen.line().starts_with("(reverse-i-search)"));
    t.command("say the end");
    t.command("close");
    assert_eq!(t.terminal.end().code(), Some(0));
    let screen = t.wait_for_screen(|screen| screen.has("the end") && screen.line().is_empty());
    assert_left_in_order(&screen);
}

#[test]
fn close_ends_the_wait_for_the_loop() {
    let mut t = Driven::ready();
    t.order("hold");
    t.keys("line\r");
    assert_eq!(t.report(), r#"Line("line")"#);
    t.command("say the end");
    t.command("close");
    assert_eq!(t.terminal.end().code(), Some(0));
    let screen = t.wait_for_screen(|screen| screen.has("the end"));
    assert_left_in_order(&screen);
}

#[test]
fn a_flood_before_the_end_is_shown_or_counted() {
    let mut t = Driven::ready();
    t.command("flood 50000");
    t.command("say the end");
    t.command("close");
    assert_eq!(t.terminal.end().code(), Some(0));
    let screen = t.wait_for_screen(|screen| screen.has("the end"));
    assert_left_in_order(&screen);
    assert!(screen.has("frame 49999") && screen.has("* flooded"), "{screen:#?}");
    let shown = t.bytes();
    let shown = String::from_utf8_lossy(&shown);
    let frames = shown.matches("\nframe ").count() + usize::from(shown.contains("mframe 0"));
    let missing: usize = shown
        .lines()
        .filter_map(|line| line.trim_end().strip_suffix(" not shown")?.split_once("* "))
        .filter_map(|(_, count)| count.split(' ').next()?.replace(',', "").parse::<usize>().ok())
        .sum();
    assert!((49_000..=50_000).contains(&(frames + missing)), "{frames} and {missing}");
}

#[test]
fn sigterm_leaves_the_terminal_in_order() {
    for keys in ["", "half", "half\x12"] {
        let mut t = Driven::ready();
        t.keys("earlier\r");
        t.report();
        t.wait_for_line("connected   > ");
        t.keys(keys);
        t.terminal.wait_for_screen(|screen| {
            screen.line().ends_with(keys.trim_end_matches('\x12'))
                && screen.line().starts_with('(') == keys.ends_with('\x12')
        });
        t.signal(Signal::TERM);
        assert_eq!(t.terminal.end().code(), Some(143));
        let screen = t.wait_for_screen(|screen| screen.has("* terminated"));
        assert_left_in_order(&screen);
    }
}

#[test]
fn a_panic_in_any_thread_leaves_the_terminal_in_order() {
    for (command, message) in
        [("panic", "a panic of the loop"), ("panic-elsewhere", "a panic elsewhere")]
    {
        let mut t = Driven::ready();
        t.keys("half");
        t.wait_for_line("connected   > half");
        t.command(command);
        assert_eq!(t.terminal.end().code(), Some(101));
        let screen = t.wait_for_screen(|screen| screen.has(message));
        let at = screen.rows.iter().position(|row| row == message).expect("it is there");
        assert!(screen.rows[at - 1].contains("panicked at"), "{screen:#?}");
        assert_eq!(screen.rows[at - 2], "", "the report is not torn: {screen:#?}");
        assert_eq!(screen.cursor.1, 0);
        assert!(!screen.bracketed_paste);
    }
}

#[test]
fn ctrl_d_and_a_close_while_the_loop_holds_leave_it_in_order() {
    let mut t = Driven::ready();
    t.order("hold");
    t.keys("\x04");
    assert_eq!(t.report(), "End");
    t.leave();
}
