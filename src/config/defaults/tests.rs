//! Which value wins, which values are collected, and how errors are reported.

use super::*;
use crate::cli;

const FILE: &str = "\
connect-timeout 3
header A: common
quiet
[dev]
url ws://dev/
connect-timeout 4
header A: dev
echo
";

fn assembled(line: &str, file: &str, environment: &[(&str, &str)]) -> Result<Arguments, String> {
    let program = cli::command();
    let words = ["wscope"].into_iter().chain(line.split_whitespace());
    let invocation = Invocation::read(&program, words.map(OsString::from));
    let file = ConfigFile::parse(file);
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    assemble(&program, &invocation, Some((Path::new("c"), &file)), environment)
        .map_err(|error| error.to_string())
}

fn words(line: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let made = assembled(line, FILE, environment).unwrap_or_else(|error| panic!("{error}"));
    made.arguments[1..].iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

#[test]
fn the_stronger_stands_behind_the_weaker() {
    assert_eq!(
        words("@dev --connect-timeout 6", &[("WSCOPE_CONNECT_TIMEOUT", "5"), ("HOME", "/")]),
        [
            "--header=A: common",
            "--quiet",
            "ws://dev/",
            "--header=A: dev",
            "--echo",
            "--connect-timeout=5",
            "--connect-timeout",
            "6",
        ]
    );
}

#[test]
fn clap_takes_the_last_value_and_gathers_lists() {
    let environment = [("WSCOPE_HEADER", "B: 1\n\nC: 2"), ("WSCOPE_CONNECT_TIMEOUT", "5")];
    let made = assembled("@dev --connect-timeout 6 -H D:3", FILE, &environment).expect("fine");
    let matches = cli::command().try_get_matches_from(made.arguments).expect("clap takes it");
    let headers: Vec<&String> = matches.get_many("headers").expect("some").collect();
    assert_eq!(headers, ["A: common", "A: dev", "B: 1", "C: 2", "D:3"]);
    let timeout: Option<&std::time::Duration> = matches.get_one("connect_timeout");
    assert_eq!(timeout.map(std::time::Duration::as_secs), Some(6));
    assert_eq!(matches.get_one::<String>("url").map(String::as_str), Some("ws://dev/"));
}

#[test]
fn what_was_typed_pushes_aside_what_conflicts_with_it() {
    assert!(!words("ws://h -v", &[]).contains(&"--quiet".to_owned()));
    let line = words("@dev -c ws://h -x hi", &[]);
    assert!(!line.iter().any(|word| word == "ws://dev/" || word == "--echo"), "{line:?}");
    assert!(!words("@dev ws://h", &[]).contains(&"ws://dev/".to_owned()));
    assert!(!words("ws://h", &[("WSCOPE_VERBOSE", "1")]).contains(&"--quiet".to_owned()));
}

#[test]
fn a_mode_takes_what_it_knows() {
    let line = words("handshake @dev", &[]);
    assert_eq!(line[0], "handshake");
    assert!(line.contains(&"ws://dev/".to_owned()) && !line.contains(&"--echo".to_owned()));
    assert_eq!(words("man", &[]), ["man"]);
}

#[test]
fn nothing_typed_stays_nothing_unless_there_is_a_url() {
    assert!(words("", &[]).is_empty());
    assert_eq!(words("connect", &[]), ["connect"]);
    assert!(words("", &[("WSCOPE_URL", "ws://h")]).contains(&"ws://h".to_owned()));
}

#[test]
fn flags_in_variables_are_yes_or_no() {
    let flag =
        |value| words("ws://h", &[("WSCOPE_INSECURE", value)]).contains(&"--insecure".to_owned());
    assert!(flag("1") && flag("Yes") && !flag("0") && !flag("false") && !flag(""));
    let error = assembled("ws://h", "", &[("WSCOPE_INSECURE", "maybe")]).err();
    assert!(error.is_some_and(|error| error.starts_with("variable WSCOPE_INSECURE: --insecure")));
}

#[test]
fn a_no_takes_back_what_something_weaker_set() {
    let file = "insecure\nlenient no\nlenient\n";
    let made = assembled("ws://h", file, &[("WSCOPE_INSECURE", "no")]).expect("fine");
    assert_eq!(made.arguments[1..], ["--lenient", "ws://h"]);
}

#[test]
fn errors_name_file_and_line() {
    let error = |line, file| assembled(line, file, &[]).err().unwrap_or_default();
    assert_eq!(error("", "\nheadr x"), "c:2: unknown option --headr; did you mean --header?");
    assert_eq!(error("", "config x"), "c:1: unknown option --config");
    assert_eq!(error("", "origin"), "c:1: --origin needs a value");
    assert_eq!(error("", "x \"y"), "c:1: a quote is not closed on its line");
    assert_eq!(error("@dve", FILE), "unknown profile @dve in c; did you mean @dev?");
    let program = cli::command();
    let invocation = Invocation::read(&program, ["wscope".into(), "@x".into()]);
    let error = assemble(&program, &invocation, None, []).err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some(
            "unknown profile @x: no configuration file was read; profiles are sections of ~/.config/wscope/config"
        )
    );
}

#[test]
fn a_strange_variable_is_worth_a_note() {
    let made = assembled("ws://h", "", &[("WSCOPE_HEADRE", "x"), ("WSCOPE_CONFIG", "f")]);
    let notes = made.expect("fine").notes;
    assert_eq!(notes, ["variable WSCOPE_HEADRE: unknown option --headre; did you mean --header?"]);
}

#[test]
fn a_value_that_clap_refuses_is_traced_to_its_line() {
    let made = assembled("ws://h", "insecure\nconnect-timeout soon", &[]).expect("read");
    let refused = |made: &Arguments| cli::command().try_get_matches_from(&made.arguments);
    let error = refused(&made).expect_err("a value that is none");
    let error = made.blame(&error).expect("the file's fault").to_string();
    assert!(
        error.starts_with("c:2: --connect-timeout: \"soon\" is not a time; write seconds"),
        "{error}"
    );
    let made = assembled("ws://h --connect-timeout then", FILE, &[]).expect("read");
    assert!(made.blame(&refused(&made).expect_err("typed")).is_none());
}

#[test]
fn the_file_has_a_usual_place() {
    let path = |variables: &[(&str, &str)]| {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        };
        usual_path(find).map(|path| path.to_string_lossy().into_owned())
    };
    assert_eq!(path(&[("HOME", "/h")]).as_deref(), Some("/h/.config/wscope/config"));
    let both = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")];
    assert_eq!(path(&both).as_deref(), Some("/x/wscope/config"));
    assert_eq!(path(&[("XDG_CONFIG_HOME", "x")]), None);
    assert_eq!(path(&[]), None);
}
