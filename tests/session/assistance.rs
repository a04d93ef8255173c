//! Tab, the grey hints, and what is printed about an unknown command.

use crate::session::{PROMPT, Setup, quiet};

/// What is typed, and what Tab makes of it.
const COMPLETED: [(&str, &str); 4] = [
    ("/recon\t", "/reconnect "),
    ("/view me\t", "/view messages "),
    ("/file pay\t", "/file payload.bin "),
    ("/file dir/in\t", "/file dir/inner.txt "),
];

#[test]
fn tab_completes_commands_arguments_and_paths() {
    let setup = Setup::new();
    std::fs::write(setup.home().join("payload.bin"), "x").expect("a file");
    std::fs::create_dir(setup.home().join("dir")).expect("a folder");
    std::fs::write(setup.home().join("dir/inner.txt"), "x").expect("a file");
    let mut s = setup.ready(quiet);
    for (typed, completed) in COMPLETED {
        s.keys(typed);
        s.wait_for_screen(|screen| {
            screen.line().starts_with(format!("{PROMPT}{completed}").trim_end())
                && screen.cursor.1 >= (PROMPT.len() + completed.trim_end().len())
        });
        s.keys("\x03");
        s.wait_for_line(PROMPT);
    }
    s.leave();
}

#[test]
fn tab_lists_what_is_possible_above_the_line() {
    let mut s = Setup::new().ready(quiet);
    s.keys("/re\t");
    s.wait_for_screen(|screen| {
        let lists = |name: &str| screen.rows.iter().any(|row| row.starts_with(name));
        lists("/reconnect  opens") && screen.line().starts_with("connected   > /re")
    });
    s.keys("\x03");
    s.wait_for_line(PROMPT);
    s.leave();
}

#[test]
fn a_grey_hint_shows_what_may_follow() {
    let mut s = Setup::new().ready(quiet);
    s.keys("/ping");
    s.wait_for_screen(|screen| {
        screen.line() == format!("{PROMPT}/ping [PAYLOAD]") && screen.cursor.1 == PROMPT.len() + 5
    });
    s.wait_for_bytes("\x1b[90m [PAYLOAD]\x1b[0m");
    // It is not part of the line.
    s.keys("\x03");
    s.wait_for_screen(|screen| {
        screen.has(&format!("{PROMPT}/ping^C")) && screen.ends_with_line(PROMPT)
    });
    s.leave();
}

#[test]
fn without_colour_there_are_no_hints() {
    let mut s = Setup::new().env("NO_COLOR", "1").ready(quiet);
    s.keys("/ping");
    s.wait_for_line(&format!("{PROMPT}/ping"));
    s.keys("\x03");
    s.wait_for_line(PROMPT);
    s.leave();
}

#[test]
fn an_unknown_command_is_not_sent_and_the_nearest_is_named() {
    let mut s = Setup::new().ready(quiet);
    s.enter("/pnig x");
    let screen = s.wait_for_row("error: ");
    let row = screen.rows.iter().find(|row| row.contains("error: ")).expect("it is there");
    assert!(row.contains("/pnig") && row.contains("/ping"), "{row}");
    s.wait_for_line(PROMPT);
    s.leave();
}
