//! Lines arrive while one is typed.

use crate::driver::Driven;

#[test]
fn the_half_typed_line_and_its_cursor_survive_what_arrives() {
    let mut t = Driven::ready();
    t.keys("hello world");
    t.wait_for_line("connected   > hello world");
    t.command("traffic one");
    t.terminal.wait_for_screen(|screen| {
        screen.has("one") && screen.ends_with_line("connected   > hello world")
    });
    // Back to before `world`; the arrow keys do not draw the line.
    t.keys("\x1b[D".repeat(5));
    t.terminal.wait_for_screen(|screen| screen.cursor.1 == 20);
    for n in 0..100 {
        t.command(&format!("traffic number {n}"));
    }
    t.terminal.wait_for_screen(|screen| {
        screen.has("number 99")
            && screen.line() == "connected   > hello world"
            && screen.cursor.1 == 20
    });
    t.keys("new ");
    t.terminal.wait_for_screen(|screen| screen.line() == "connected   > hello new world");
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("hello new world")"#);
    let shown = t.terminal.screen();
    assert!(shown.has("connected   > hello new world"), "{shown:#?}");
    t.leave();
}

#[test]
fn lines_stand_above_the_prompt_in_order_and_without_gaps() {
    let mut t = Driven::ready();
    let top = t.screen().cursor.0;
    for n in 0..10 {
        t.command(&format!("traffic line {n}"));
    }
    t.command("say the end");
    let screen = t
        .wait_for_screen(|screen| screen.has("the end") && screen.ends_with_line("connected   > "));
    let rows: Vec<String> = (0..10).map(|n| format!("line {n}")).collect();
    assert_eq!(screen.rows[top..top + 10], rows[..]);
    assert_eq!(screen.rows[top + 10..top + 12], ["the end", "connected   >"]);
    t.leave();
}

#[test]
fn the_state_changes_while_a_line_is_typed() {
    let mut t = Driven::ready();
    t.keys("half");
    t.wait_for_line("connected   > half");
    t.command("state closing");
    t.wait_for_line("closing     > half");
    t.command("state closed 1006");
    t.wait_for_line("closed 1006 > half");
    t.keys(" a line\r");
    assert_eq!(t.report(), r#"Line("half a line")"#);
    t.wait_for_line("closed 1006 > ");
    t.leave();
}

#[test]
fn a_flood_leaves_the_line_alone_even_with_a_search_open() {
    let mut t = Driven::ready();
    t.keys("earlier\r");
    assert_eq!(t.report(), r#"Line("earlier")"#);
    t.keys("half");
    t.wait_for_line("connected   > half");
    t.keys("\x12");
    t.terminal.wait_for_screen(|screen| screen.line().starts_with("(reverse-i-search)`': half"));
    t.command("flood 100000");
    // The loop is done long before anything can be shown.
    assert_eq!(t.report(), "flooded");
    // Ctrl-G: out of the search.
    t.keys("\x07");
    t.terminal.wait_for_screen(|screen| {
        screen.has("* flooded") && screen.ends_with_line("connected   > half")
    });
    let shown = t.bytes();
    let shown = String::from_utf8_lossy(&shown);
    let gap = shown.find(" lines were not shown").expect("a gap is told");
    assert!(shown[..gap].ends_with(|c: char| c.is_ascii_digit()));
    assert!(shown.contains("\nframe 99999\r\n* flooded\r\n") && !shown.contains("frame 50000\r"));
    t.keys(" a line\r");
    assert_eq!(t.report(), r#"Line("half a line")"#);
    t.leave();
}

#[test]
fn output_goes_on_during_a_search_whenever_it_is_drawn() {
    let mut t = Driven::ready();
    t.keys("needle\r");
    assert_eq!(t.report(), r#"Line("needle")"#);
    t.wait_for_line("connected   > ");
    t.keys("\x12");
    t.terminal.wait_for_screen(|screen| screen.line().starts_with("(reverse-i-search)"));
    t.command("say meanwhile");
    t.command("columns");
    assert_eq!(t.report(), "80");
    t.keys("need");
    t.terminal.wait_for_screen(|screen| {
        screen.has("meanwhile") && screen.line() == "(reverse-i-search)`need': needle"
    });
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("needle")"#);
    t.leave();
}

#[test]
fn a_new_size_is_seen_and_the_line_drawn_for_it() {
    let mut t = Driven::ready();
    t.command("columns");
    assert_eq!(t.report(), "80");
    let line = "0123456789".repeat(5);
    t.keys(&line);
    t.wait_for_line(&format!("connected   > {line}"));
    t.resize(40, 24);
    t.command("columns");
    assert_eq!(t.report(), "40");
    t.command("say after");
    t.terminal.wait_for_screen(|screen| {
        let (row, column) = screen.cursor;
        screen.has("after")
            && column == 24
            && screen.rows[row - 1] == format!("connected   > {}", &line[..26])
            && screen.rows[row] == line[26..]
    });
    t.keys("!\r");
    assert_eq!(t.report(), format!("Line({:?})", format!("{line}!")));
    t.leave();
}

#[test]
fn what_arrives_while_no_line_is_read_is_shown_at_once() {
    let mut t = Driven::ready();
    t.order("hold");
    t.keys("line\r");
    assert_eq!(t.report(), r#"Line("line")"#);
    for n in 0..3 {
        t.command(&format!("traffic held {n}"));
        let row = format!("held {n}");
        t.terminal.wait_for_screen(|screen| screen.has(&row));
    }
    t.command("say answer");
    t.command("release");
    t.terminal
        .wait_for_screen(|screen| screen.has("answer") && screen.ends_with_line("connected   > "));
    t.leave();
}

#[test]
fn a_list_of_completions_stays_on_a_cleared_screen() {
    let mut t = Driven::ready();
    t.command("say before");
    t.terminal.wait_for_screen(|screen| screen.has("before"));
    t.keys("\x0c");
    t.terminal.wait_for_screen(|screen| screen.text() == ["connected   >"]);
    t.keys("a\t\t");
    t.terminal.wait_for_screen(|screen| {
        screen.has("apple    apricot") && screen.ends_with_line("connected   > ap")
    });
    t.leave();
}

#[test]
fn a_cleared_screen_fills_from_the_top() {
    let mut t = Driven::ready();
    t.command("say before");
    t.terminal.wait_for_screen(|screen| screen.has("before"));
    // Ctrl-L, and what the loop may ask for.
    t.keys("half\x0c");
    t.terminal.wait_for_screen(|screen| screen.text() == ["connected   > half"]);
    t.command("say one");
    t.terminal.wait_for_screen(|screen| screen.text() == ["one", "connected   > half"]);
    t.command("say two");
    t.terminal.wait_for_screen(|screen| screen.text() == ["one", "two", "connected   > half"]);
    t.order("reply clear");
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("half")"#);
    t.terminal.wait_for_screen(|screen| screen.text() == ["connected   >"]);
    t.command("say three");
    t.terminal.wait_for_screen(|screen| screen.text() == ["three", "connected   >"]);
    t.leave();
}
