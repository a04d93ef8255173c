//! Whom a server's line is for, and what only one side has.

use std::time::Duration;

use wscope::event::ConnId;
use wscope::script::command::completion::hint_for;
use wscope::script::command::completion::{Surroundings, complete_for};
use wscope::script::command::{Command, FilterChange, Payload, parse, parse_for};
use wscope::ui::filter::ClientSet;
use wscope::wire::Role;

fn parsed(line: &str) -> Command {
    parse_for(line, Role::Server).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> String {
    parse_for(line, Role::Server).expect_err(line).to_string()
}

fn only(ids: &[u64]) -> ClientSet {
    ClientSet::Only(ids.iter().copied().map(ConnId).collect())
}

/// Whom a line is for, and what is left of it.
fn addressed(line: &str) -> (ClientSet, Option<Command>) {
    match parsed(line) {
        Command::To { target, command } => (target, command.map(|command| *command)),
        other => panic!("{line}: {other:?}"),
    }
}

fn text(line: &str) -> (ClientSet, String) {
    match addressed(line) {
        (target, Some(Command::Text(Payload::Bytes(bytes)))) => {
            (target, String::from_utf8(bytes).expect("UTF-8"))
        }
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_line_names_its_clients() {
    for (line, ids, rest) in [
        ("@3 hello", &[3][..], "hello"),
        ("@3,5 hello", &[3, 5], "hello"),
        ("@5,3,5 hello", &[5, 3], "hello"),
        ("/to 3 hello", &[3], "hello"),
        ("/to @3 hello", &[3], "hello"),
        ("@3  two spaces ", &[3], " two spaces "),
        ("@3\nhello", &[3], "hello"),
        ("@3 //etc", &[3], "/etc"),
        ("@3 /text \\@home", &[3], "@home"),
    ] {
        assert_eq!(text(line), (only(ids), rest.to_owned()), "{line}");
    }
    assert_eq!(text("@all hello"), (ClientSet::All, "hello".to_owned()));
}

#[test]
fn what_is_no_line_is_for_those_that_follow() {
    for (line, target) in [
        ("/to 3", only(&[3])),
        ("@3,4", only(&[3, 4])),
        ("/to all", ClientSet::All),
        ("@3 ", only(&[3])),
    ] {
        assert!(matches!(addressed(line), (found, None) if found == target), "{line}");
    }
    assert!(matches!(addressed("@3 /# nothing"), (_, Some(Command::Nothing))));
}

#[test]
fn a_command_behind_it_and_inside_others() {
    assert!(matches!(addressed("@3 /ping"), (_, Some(Command::Ping(_)))));
    assert!(matches!(addressed("@3 /every 5s /ping"), (_, Some(Command::Every { .. }))));
    let Command::Repeat { command, .. } = parsed("/repeat 2 @3 hello") else { panic!("/repeat") };
    assert!(matches!(*command, Command::To { .. }));
}

#[test]
fn a_kick_is_a_close_for_somebody() {
    let (target, command) = addressed("/kick 3 4001 enough");
    let Some(Command::Close { code, reason }) = command else { panic!("{command:?}") };
    assert_eq!((target, code, &reason[..]), (only(&[3]), Some(4001), &b"enough"[..]));
    assert!(matches!(addressed("/kick 3"), (_, Some(Command::Close { code: None, .. }))));
}

#[test]
fn waiting_for_clients() {
    let seconds = Duration::from_secs;
    for (line, n, time) in [
        ("/await", 1, seconds(60)),
        ("/await 2", 2, seconds(60)),
        ("/await 2 10", 2, seconds(10)),
        ("/await 500ms", 1, Duration::from_millis(500)),
    ] {
        match parsed(line) {
            Command::Await { count, timeout } => assert_eq!((count, timeout), (n, time), "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
    assert!(refused("/await 0").contains("not a number of clients"));
}

#[test]
fn a_filter_takes_clients() {
    let Command::Filter(FilterChange::Only(filter)) = parsed("/filter @3 in text") else {
        panic!("/filter")
    };
    assert_eq!((filter.clients, filter.opcodes.len()), (only(&[3]), 1));
    assert!(parse("/filter @3").is_err());
}

#[test]
fn errors_name_what_is_wrong() {
    for (line, debugged) in [
        (
            "@home hello",
            "\"@home\" is not a client; write @ and a client's number, several as in 3,5, or all; a text that begins with @ is written /text \\@",
        ),
        ("@0 hello", "\"@0\" is not a client; write"),
        ("@3, hello", "\"@3,\" is not a client; write"),
        ("/to", "/to needs TARGET; usage: /to TARGET [LINE]"),
        ("/kick x", "\"x\" is not a client; write a client's number, several as in 3,5, or all"),
        ("@3 @5 hello", "the target is given twice"),
        ("@3 /quit", "this command does not take a client; write it without @N or /to N"),
        ("/every 5s @3", "/to can't be used in /every: a line must follow the target"),
        ("/every 5s /kick 3", "/kick can't be used in /every: it ends the connection"),
        (
            "/reconnect",
            "/reconnect is not available here: a server does not open connections, clients do",
        ),
    ] {
        assert!(refused(line).starts_with(debugged), "{line}: {}", refused(line));
    }
    let error = parse("/clients").expect_err("a client has none").to_string();
    assert_eq!(
        error,
        "/clients is not available here: a client has one connection only; this command is for wscope listen"
    );
}

#[test]
fn a_client_sends_what_begins_with_the_sign() {
    assert!(
        matches!(parse("@3 hello"), Ok(Command::Text(Payload::Bytes(text))) if text == b"@3 hello")
    );
}

/// What is proposed at the end of a line of a server with clients 3, 5 and 31.
fn proposed(line: &str) -> (usize, Vec<String>) {
    let clients = [3, 5, 31].map(|id| (id, format!("127.0.0.1:5000{id}")));
    let amid = Surroundings { role: Role::Server, files: &|_| Vec::new(), clients: &clients };
    let (start, found) = complete_for(line, line.len(), &amid);
    (start, found.into_iter().map(|candidate| candidate.replacement).collect())
}

#[test]
fn numbers_of_clients_are_completed() {
    for (line, start, wanted) in [
        ("@", 0, &["@3", "@5", "@31", "@all"][..]),
        ("@3", 0, &["@3", "@31"]),
        ("@5,3", 0, &["@5,3", "@5,31"]),
        ("/to 3", 4, &["3", "31"]),
        ("/kick 5", 6, &["5"]),
        ("@3 /pi", 3, &["/ping "]),
        ("/to 3 /pi", 6, &["/ping "]),
        ("/rec", 0, &[]),
        ("/cli", 0, &["/clients"]),
        ("hello @", 0, &[]),
    ] {
        let (at, found) = proposed(line);
        assert_eq!(found, wanted, "{line}");
        assert!(wanted.is_empty() || at == start, "{line}: {at}");
    }
    assert_eq!(hint_for("/kick 3", 7, Role::Server).as_deref(), Some(" [CODE] [REASON]"));
    assert_eq!(hint_for("@3 /clo", 7, Role::Server).as_deref(), Some("se [CODE] [REASON]"));
    assert_eq!(hint_for("/reco", 5, Role::Server), None);
}
