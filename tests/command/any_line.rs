//! Any line at all: nothing panics, and every payload can be written.

use std::path::PathBuf;

use proptest::prelude::*;
use wscope::script::command::completion::{Surroundings, complete, complete_for};
use wscope::script::command::completion::{hint, hint_for};
use wscope::script::command::table::{ENTRIES, find};
use wscope::script::command::{Command, Payload, parse, parse_for};
use wscope::wire::Role;

/// Lines that look like commands.
fn lines() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(ENTRIES).prop_map(|entry| entry.name);
    let words = r#"((in|on|off|text|ping|1000|5s|3|2,1|hex:|@|"|'|/|\\|--|fin=|code=|é|[ -~])( |\n)?){0,12}"#;
    let commands = (name, words).prop_map(|(name, words)| format!("/{name} {words}"));
    let nested = commands.clone().prop_map(|command| format!("/every 1s {command}"));
    prop_oneof![any::<String>(), "/\\PC{0,40}", commands, nested]
}

/// The escapes of /text, for every byte but those that may stand as they are.
fn escaped(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b' ' | b':' => char::from(*byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x} ")).collect()
}

proptest! {
    #[test]
    fn nothing_panics(line in lines()) {
        match parse(&line) {
            Ok(_) => {}
            Err(error) => {
                prop_assert!(line.starts_with('/'));
                prop_assert!(line.is_char_boundary(error.at), "{} in {:?}", error.at, line);
                prop_assert!(!error.to_string().contains(char::is_control), "{error}");
            }
        }
        for pos in 0..=line.len() + 1 {
            let (start, found) = complete(&line, pos, &|path| vec![format!("{path}x y")]);
            prop_assert!(start <= pos && line.is_char_boundary(start));
            prop_assert!(found.iter().all(|candidate| !candidate.replacement.is_empty()));
            let _ = hint(&line, pos);
        }
    }

    #[test]
    fn nothing_panics_for_a_server(line in lines(), target in "(@[0-9,al]{0,4} ?)?") {
        let line = format!("{target}{line}");
        if let Err(error) = parse_for(&line, Role::Server) {
            prop_assert!(line.starts_with(['/', '@']));
            prop_assert!(line.is_char_boundary(error.at), "{} in {:?}", error.at, line);
            prop_assert!(!error.to_string().contains(char::is_control), "{error}");
        }
        let clients = [(3, "3".to_owned()), (35, "35".to_owned())];
        let amid = Surroundings { role: Role::Server, files: &|_| Vec::new(), clients: &clients };
        for pos in 0..=line.len() + 1 {
            let (start, _) = complete_for(&line, pos, &amid);
            prop_assert!(start <= pos && line.is_char_boundary(start));
            let _ = hint_for(&line, pos, Role::Server);
        }
    }

    #[test]
    fn a_line_that_is_no_command_is_itself(line in any::<String>()) {
        let written = if line.starts_with('/') { format!("/{line}") } else { line.clone() };
        match parse(&written) {
            Ok(Command::Text(Payload::Bytes(found))) => prop_assert_eq!(found, line.into_bytes()),
            Ok(Command::Nothing) => prop_assert_eq!(line, ""),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn every_payload_can_be_written(payload in any::<Vec<u8>>()) {
        let wanted = Payload::Bytes(payload.clone());
        for written in [format!("text:{}", escaped(&payload)), format!("hex:{}", hex(&payload))] {
            for name in ["text", "ping", "pong", "binary", "bytes"] {
                let found = match parse(&format!("/{name} {written}")) {
                    Ok(Command::Text(p) | Command::Ping(p) | Command::Pong(p) | Command::Binary(p) | Command::Bytes(p)) => p,
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(&found, &wanted);
            }
            match parse(&format!("/frame {written}")) {
                Ok(Command::Frame(spec)) => prop_assert_eq!(&spec.payload, &wanted),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let quoted = format!("/binary \"{}\"", escaped(&payload));
        prop_assert!(matches!(parse(&quoted), Ok(Command::Binary(found)) if found == wanted));
    }

    #[test]
    fn what_completion_writes_of_a_path_is_that_path(path in "[ -~é]{1,12}", quote in "|\"|'") {
        prop_assume!(quote != "'" || !path.contains('\''));
        prop_assume!(!path.ends_with('/'));
        for (line, to_end) in [("/source ", false), ("/text @", true)] {
            let typed = format!("{line}{quote}");
            let (start, found) = complete(&typed, typed.len(), &|_| vec![path.clone()]);
            let whole = format!("{}{}", &typed[..start], found[0].replacement);
            match (parse(&whole), to_end) {
                (Ok(Command::Source(found)), false) => prop_assert_eq!(found, PathBuf::from(&path)),
                (Ok(Command::Text(Payload::File(found))), true) => {
                    prop_assert_eq!(found, PathBuf::from(&path));
                }
                other => prop_assert!(false, "{} {:?}", whole, other),
            }
        }
    }
}

#[test]
fn every_command_can_be_completed_from_its_first_letter() {
    for entry in ENTRIES {
        let role =
            if entry.side.refuses(Role::Client).is_some() { Role::Server } else { Role::Client };
        let amid = Surroundings { role, files: &|_| Vec::new(), clients: &[] };
        let (start, found) = complete_for(&format!("/{}", &entry.name[..1]), 2, &amid);
        assert_eq!(start, 0);
        let name = format!("/{}", entry.name);
        assert!(found.iter().any(|candidate| candidate.replacement.trim_end() == name), "{name}");
        assert!(find(entry.name).is_some());
    }
}
