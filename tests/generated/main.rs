//! The files made from the command line's definition and the table of commands are the committed
//! ones.
//!
//! `UPDATE=1 cargo test --test generated` writes them anew.

mod check;
mod commands;
mod man;
mod write_out;

use std::fs;
use std::path::Path;

use clap_complete::{Generator as _, Shell};

#[test]
fn the_completions_without_a_test_are_those_of_the_command_line() {
    // Those of bash, zsh and fish ask the program: tests/shells.rs.
    for shell in [Shell::PowerShell, Shell::Elvish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut wscope::cli::command(), "wscope", &mut script);
        let script = String::from_utf8(script).expect("help is text");
        check(&format!("completions/{}", shell.file_name("wscope")), &script);
    }
}

#[test]
fn the_manual_page_is_that_of_the_command_line() {
    check("man/wscope.1", &man::page());
}

#[test]
fn the_page_of_commands_is_that_of_their_table() {
    check("docs/commands.md", &commands::page());
}

#[test]
fn the_page_of_cases_is_that_of_their_table() {
    check("docs/check-cases.md", &check::page());
}

#[test]
fn the_manual_page_lists_every_command() {
    let page = man::page().replace("\\-", "-");
    for entry in wscope::script::command::table::ENTRIES {
        assert!(page.contains(&format!("\n\\fB/{}\\fR", entry.name)), "/{}", entry.name);
    }
}

#[test]
fn the_manual_page_lists_every_option_and_every_status() {
    let page = man::page().replace("\\-", "-");
    let command = wscope::cli::command();
    for command in [&command].into_iter().chain(command.get_subcommands()) {
        for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
            assert!(page.contains(&format!("--{option}")), "--{option} of {}", command.get_name());
        }
    }
    for (exit, _) in wscope::engine::exit::Exit::TABLE {
        assert!(page.contains(&format!(".TP\n\\fB{}\\fR\n", exit.code())), "{exit:?}");
    }
}

/// Variables that the sources name, in quotes or as `$NAME` of a command, are in the manual page.
#[test]
fn the_manual_page_tells_every_variable() {
    let page = man::page().replace("\\-", "-").to_lowercase();
    let pattern = r#""((?:WSCOPE|SSL|XDG|NO)_?[A-Z_]+|HOME|NETRC|TERM|(?:wss?|https?|all|no)_proxy)"|\$\{?([A-Z]+)\b"#;
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("the sources").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            if path.ends_with("tests.rs") {
                continue;
            }
            for name in pattern.captures_iter(code) {
                let name = name.get(1).or(name.get(2)).expect("one of them").as_str();
                found += 1;
                assert!(page.contains(&name.to_lowercase()), "{name} of {}", path.display());
            }
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn the_names_of_write_out_are_documented() {
    check("docs/write-out.md", &write_out::page());
}

/// Compares a committed file with what it should be, or makes it so.
fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(found == wanted, "{name} is old: run UPDATE=1 cargo test --test generated");
}
