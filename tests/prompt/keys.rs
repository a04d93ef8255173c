//! What the keys do.

use std::process::Command;

use crate::driver::Driven;
use crate::terminal::Terminal;

#[test]
fn lines_come_as_they_were_typed_also_those_typed_ahead() {
    let mut t = Driven::ready();
    t.keys("one\r two  \rdrei €\r\r");
    for line in ["one", " two  ", "drei €", ""] {
        assert_eq!(t.report(), format!("Line({line:?})"));
    }
    t.leave();
}

#[test]
fn ctrl_c_gives_up_the_line_then_interrupts() {
    let mut t = Driven::ready();
    t.keys("a mistake\x03");
    t.terminal.wait_for_screen(|screen| {
        screen.has("connected   > a mistake^C") && screen.ends_with_line("connected   > ")
    });
    t.keys("\x03");
    assert_eq!(t.report(), "Interrupted");
    t.keys("next\r");
    assert_eq!(t.report(), r#"Line("next")"#);
    t.leave();
}

#[test]
fn ctrl_c_in_a_search_gives_up_the_search() {
    let mut t = Driven::ready();
    t.keys("earlier\r");
    assert_eq!(t.report(), r#"Line("earlier")"#);
    t.wait_for_line("connected   > ");
    t.keys("\x12");
    t.terminal.wait_for_screen(|screen| screen.line().starts_with("(reverse-i-search)"));
    t.keys("\x03");
    t.terminal.wait_for_screen(|screen| {
        screen.has("connected   > ^C") && screen.ends_with_line("connected   > ")
    });
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("")"#);
    t.leave();
}

#[test]
fn while_the_loop_works_ctrl_c_is_a_signal() {
    let mut t = Driven::ready();
    assert!(!t.modes().is_cooked());
    t.order("hold");
    t.keys("\x03");
    assert_eq!(t.report(), "Interrupted");
    t.keys("\x03");
    assert_eq!(t.report(), "SIGINT");
    t.command("release");
    t.terminal.wait_for_screen(|screen| screen.line() == "connected   >");
    t.leave();
}

#[test]
fn what_is_typed_between_two_lines_is_typed_into_the_next() {
    let mut t = Driven::ready();
    for (keys, reports) in [
        ("\x04", &["End"][..]),
        ("next\r", &[r#"Line("next")"#]),
        ("ab\x7fc\x01x\r\x04", &[r#"Line("xac")"#, "End"]),
    ] {
        t.order("hold");
        t.keys("line\r");
        assert_eq!(t.report(), r#"Line("line")"#);
        // The editor is done with the line when it shows what comes.
        t.command("say between");
        t.terminal.wait_for_screen(|screen| screen.rows.iter().any(|row| row == "between"));
        assert!(!t.modes().is_cooked());
        t.keys(keys);
        t.command("release");
        for report in reports {
            assert_eq!(t.report(), *report);
        }
        t.wait_for_line("connected   > ");
    }
    t.leave();
}

#[test]
fn ctrl_d_deletes_in_a_line_and_ends_without_one() {
    let mut t = Driven::ready();
    t.keys("abc\x01\x04");
    t.terminal.wait_for_screen(|screen| screen.line() == "connected   > bc");
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("bc")"#);
    t.wait_for_line("connected   > ");
    t.keys("\x04");
    assert_eq!(t.report(), "End");
    t.leave();
}

#[test]
fn a_line_goes_on_after_a_backslash_or_alt_enter() {
    let mut t = Driven::ready();
    t.keys("one\\\rtwo\x1b\rthree\r");
    assert_eq!(t.report(), r#"Line("one\ntwo\nthree")"#);
    // Two backslashes are two backslashes; in the middle of a line one is one.
    t.keys("a\\\\\r");
    assert_eq!(t.report(), r#"Line("a\\\\")"#);
    t.keys("b\\\x1b[D\r");
    assert_eq!(t.report(), r#"Line("b\\")"#);
    t.leave();
}

#[test]
fn a_line_of_several_rows_survives_what_arrives() {
    let mut t = Driven::ready();
    t.keys("one\\\rtwo");
    t.terminal.wait_for_screen(|screen| screen.ends_with_line("two"));
    t.command("say above");
    t.terminal.wait_for_screen(|screen| {
        let row = screen.cursor.0;
        screen.ends_with_line("two") && screen.rows[row - 2..row] == ["above", "connected   > one"]
    });
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("one\ntwo")"#);
    t.leave();
}

#[test]
fn tab_completes_and_lists() {
    let mut t = Driven::ready();
    t.keys("an app\t");
    t.wait_for_line("connected   > an apple");
    t.keys("\x15a");
    t.wait_for_line("connected   > a");
    t.keys("\t");
    t.terminal.wait_for_screen(|screen| {
        screen.has("apple    apricot") && screen.ends_with_line("connected   > ap")
    });
    t.command("say arrives");
    t.terminal.wait_for_screen(|screen| {
        screen.has("arrives") && screen.ends_with_line("connected   > ap")
    });
    // What can't be drawn is no completion.
    t.keys("\x15bad\t!");
    t.wait_for_line("connected   > bad!");
    t.leave();
}

#[test]
fn hints_are_shown_in_colour_and_never_taken_over() {
    let mut t = Driven::ready_with(&[("PROMPT_COLOR", "1")]);
    t.wait_for_bytes("\x1b[32mconnected  \x1b[0m > ");
    t.keys("/ping");
    t.terminal.wait_for_screen(|screen| {
        screen.line() == "connected   > /ping [PAYLOAD]" && screen.cursor.1 == 19
    });
    t.wait_for_bytes("\x1b[90m [PAYLOAD]\x1b[0m");
    t.keys("\x1b[C\r");
    assert_eq!(t.report(), r#"Line("/ping")"#);
    t.terminal.wait_for_screen(|screen| screen.has("connected   > /ping"));
    t.leave();

    let mut t = Driven::ready();
    t.keys("/ping");
    t.wait_for_line("connected   > /ping");
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("/ping")"#);
    assert!(!String::from_utf8_lossy(&t.bytes()).contains("PAYLOAD"));
    t.leave();
}

#[test]
fn a_lone_escape_holds_nothing_up() {
    let mut t = Driven::ready();
    t.keys("ab\x1b");
    t.command("say goes on");
    t.terminal.wait_for_screen(|screen| {
        screen.has("goes on") && screen.ends_with_line("connected   > ab")
    });
    t.leave();
}

#[test]
fn a_key_that_is_no_utf_8_costs_nothing_but_itself() {
    let mut t = Driven::ready();
    t.keys("ab");
    t.wait_for_line("connected   > ab");
    t.keys(b"\xff");
    t.terminal.wait_for_screen(|screen| {
        screen.cursor.0 > 0
            && screen.rows[screen.cursor.0 - 1] == "connected   > ab"
            && screen.ends_with_line("connected   > ab")
    });
    t.keys("c\r");
    assert_eq!(t.report(), r#"Line("abc")"#);
    t.leave();
}

/// The prompt as a job of a shell that sets no modes of a terminal.
fn job() -> Driven {
    let t = Driven::on(&[("PS1", "shell> "), ("ENV", "")], |command| {
        let mut shell = Command::new("sh");
        shell.arg("-i");
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_str().expect("UTF-8")).collect();
        let mut terminal = Terminal::start(&shell, 120, 24);
        terminal.wait_for_screen(|screen| screen.ends_with_line("shell> "));
        terminal.keys(format!("{}\r", words.join(" ")));
        terminal
    });
    t.wait_for_line("connected   > ");
    t
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back() {
    let mut t = job();
    t.keys("half");
    t.wait_for_line("connected   > half");
    let shell = t.terminal.pid();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
    let child = children.ok().and_then(|pids| pids.split(' ').next()?.parse().ok());
    let child = rustix::process::Pid::from_raw(child.expect("a job")).expect("a process");
    rustix::process::kill_process(child, rustix::process::Signal::TSTP).expect("it is ours");
    t.terminal.wait_for_screen(|screen| screen.ends_with_line("shell> "));
    assert!(t.modes().is_cooked() && !t.screen().bracketed_paste);
    t.keys("fg\r");
    t.wait_for_line("connected   > half");
    t.keys(" a line\r");
    assert_eq!(t.report(), r#"Line("half a line")"#);
    t.command("close");
    t.wait_for_line("shell> ");
    t.keys("exit\r");
    assert_eq!(t.terminal.end().code(), Some(0));
}

#[test]
fn ctrl_z_stops_and_the_line_is_there_again() {
    let mut t = job();
    t.keys("halfline\x1b[D\x1b[D\x1b[D\x1b[D\x1a");
    t.wait_for_line("shell> ");
    assert!(t.screen().has("connected   > halfline^Z") && !t.screen().bracketed_paste);
    assert!(t.modes().is_cooked());
    t.command("say meanwhile");
    t.keys("fg\r");
    t.terminal.wait_for_screen(|screen| {
        screen.has("meanwhile") && screen.line() == "connected   > halfline"
    });
    t.keys(" a \r");
    assert_eq!(t.report(), r#"Line("half a line")"#);
    t.command("close");
    t.wait_for_line("shell> ");
    t.keys("exit\r");
    assert_eq!(t.terminal.end().code(), Some(0));
}

#[test]
fn stdout_stays_free_if_it_is_wanted_elsewhere() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let stdout = file.reopen().expect("the file");
    let mut t = Driven::on(&[("PROMPT_KEEP_STDOUT_FREE", "1")], |command| {
        Terminal::start_with_stdout(&command, stdout, 80, 24)
    });
    t.wait_for_line("connected   > ");
    t.keys("line");
    t.wait_for_line("connected   > line");
    t.command("say above");
    t.terminal.wait_for_screen(|screen| {
        screen.has("above") && screen.ends_with_line("connected   > line")
    });
    t.keys("\r");
    assert_eq!(t.report(), r#"Line("line")"#);
    t.leave();
    let stdout = std::fs::read_to_string(file.path()).expect("the file");
    assert!(!stdout.contains('\x1b') && !stdout.contains("connected"), "{stdout:?}");
}

#[test]
fn without_a_terminal_that_can_there_is_no_prompt() {
    let t = Driven::start_with(&[("TERM", "dumb")]);
    assert!(t.report().starts_with("lines can't be edited on this terminal: "));
    let file = tempfile::NamedTempFile::new().expect("a file");
    let stdout = file.reopen().expect("the file");
    let t = Driven::on(&[], |command| Terminal::start_with_stdout(&command, stdout, 80, 24));
    assert!(t.report().starts_with("lines can't be edited on this terminal: "));
}
