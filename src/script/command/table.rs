//! The one table of the prompt's commands: names, arguments, help, and what reads them.
//!
//! The parser dispatches through it; completion, hints, `/help`, `docs/commands.md` and the man
//! page are made from it. The rows are in `table/entries.rs`.

mod entries;

use clap::ValueEnum;

use crate::ui::suggest;
use crate::wire::Role;

pub use crate::script::command::entry::{
    Arg, ArgKind, Availability, Choices, CommandEntry, Group, Nesting,
};
pub use entries::ENTRIES;

/// The topics of `/show`.
pub const SHOWN: Choices = &[
    ("handshake", "both heads and every rule's verdict"),
    ("tls", "version, cipher, certificate"),
    ("stats", "counts, sizes, ratios, round trips"),
    ("state", "the settings and the state of the connection"),
    ("lens", "what the lens knows about the protocol inside"),
    ("frames", "the last frames, both ways"),
    ("message", "one message in full, by the number of its frame"),
];

/// The commands of a group, in the order of the table.
pub fn entries_of(group: Group) -> impl Iterator<Item = &'static CommandEntry> {
    ENTRIES.iter().filter(move |entry| entry.group == group)
}

/// The row with this name or alias.
pub fn find(name: &str) -> Option<&'static CommandEntry> {
    ENTRIES.iter().find(|entry| entry.name == name || entry.aliases.contains(&name))
}

/// The names that the user may have meant: those that begin with `typed`, otherwise those that
/// differ by a typo.
pub fn suggest(typed: &str, role: Role) -> Vec<&'static str> {
    let typed = typed.to_lowercase();
    let usable = ENTRIES.iter().filter(|entry| entry.side.refuses(role).is_none());
    let names = usable.map(|entry| entry.name);
    let begun: Vec<_> = names.clone().filter(|name| name.starts_with(&typed)).collect();
    if let Some((meant, _)) = HABITS.iter().find(|(_, habits)| habits.contains(&&*typed)) {
        return vec![meant];
    }
    match begun.is_empty() {
        true => suggest::near(&typed, names),
        // Every name begins with an empty text.
        false if typed.is_empty() => Vec::new(),
        false => begun.into_iter().take(MAX_SUGGESTED).collect(),
    }
}

/// Names of other programs for commands of this prompt, for both sides.
const HABITS: &[(&str, &[&str])] = &[
    ("text", &["send", "say", "msg", "message", "json"]),
    ("binary", &["hex", "base64"]),
    ("bytes", &["raw", "inject"]),
    ("wait", &["sleep", "delay", "pause"]),
    ("close", &["disconnect", "bye"]),
    ("status", &["info", "state"]),
    ("show stats", &["stats", "statistics", "count"]),
    ("show frames", &["frames", "history"]),
    ("show handshake", &["handshake", "request", "response"]),
    ("show tls", &["tls", "certificate", "cert"]),
    ("log", &["save", "record", "write"]),
    ("source", &["run", "load", "script", "include", "play"]),
    ("every", &["timer", "interval", "loop"]),
    ("find", &["grep", "search"]),
    ("set", &["var", "let", "export"]),
];

/// The most names that are suggested.
const MAX_SUGGESTED: usize = 3;

/// The values of an enum of the command line, each with what it means.
pub(crate) fn values<T: ValueEnum + 'static>() -> impl Iterator<Item = (String, String)> {
    T::value_variants().iter().filter_map(T::to_possible_value).map(|value| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::command::frame::FRAME_KEYS;
    use crate::script::command::parse_for;

    /// A side that can use the command.
    fn user(entry: &CommandEntry) -> Role {
        match entry.side {
            Availability::Server(_) | Availability::Proxy(_) => Role::Server,
            Availability::Both | Availability::Client(_) => Role::Client,
        }
    }

    #[test]
    fn every_entry_has_examples_that_parse_as_it() {
        for entry in ENTRIES {
            assert!(!entry.examples.is_empty(), "{}", entry.name);
            for (line, meaning) in entry.examples {
                let command =
                    parse_for(line, user(entry)).unwrap_or_else(|error| panic!("{line}: {error}"));
                assert!(!meaning.is_empty() && !format!("{command:?}").is_empty());
                // `@3` is short for /to.
                let line = if line.starts_with('@') { "/to" } else { line };
                let name = line.split_whitespace().next().unwrap_or_default();
                let found = name.strip_prefix('/').and_then(find);
                assert_eq!(found.map(|found| found.name), Some(entry.name), "{line}");
            }
        }
    }

    #[test]
    fn names_are_unique_and_texts_are_in_the_style_of_the_house() {
        let mut names: Vec<_> =
            ENTRIES.iter().flat_map(|entry| [&[entry.name][..], entry.aliases].concat()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for CommandEntry { name, summary, help, args, .. } in ENTRIES {
            assert!(summary.chars().count() <= 47, "{name}: {summary}");
            assert!(!summary.ends_with('.') && !summary.starts_with(char::is_uppercase), "{name}");
            assert!(help.is_empty() || help.ends_with('.'), "{name}");
            let last = args.len().saturating_sub(1);
            assert!(args.iter().take(last).all(|arg| !arg.is_rest()), "{name}");
        }
    }

    #[test]
    fn the_groups_have_all_commands() {
        let grouped: usize = Group::ALL.iter().map(|group| entries_of(*group).count()).sum();
        assert_eq!(grouped, ENTRIES.len());
    }

    #[test]
    fn the_help_of_frame_names_every_option() {
        let help = find("frame").expect("there").help;
        for key in FRAME_KEYS {
            assert!(help.contains(&format!("{}=", key.name)), "{}", key.name);
        }
    }

    #[test]
    fn what_is_proposed_is_accepted() {
        for entry in ENTRIES {
            for arg in entry.args {
                let ArgKind::Choice(choices) = arg.kind else { continue };
                for (choice, _) in choices {
                    let line = match (entry.name, *choice) {
                        ("autopong", "delay") => "/autopong delay 1s".to_owned(),
                        ("file", choice) => format!("/file path {choice}"),
                        ("fragment", choice) => format!("/fragment 2 {choice} text"),
                        (name, choice) => format!("/{name} {choice}"),
                    };
                    assert!(parse_for(&line, user(entry)).is_ok(), "{line}");
                }
            }
        }
    }

    #[test]
    fn what_the_other_side_has_is_not_suggested() {
        assert_eq!(suggest("clients", Role::Client), [""; 0]);
        assert_eq!(suggest("clietns", Role::Server), ["clients"]);
        assert_eq!(suggest("recconect", Role::Server), [""; 0]);
    }

    #[test]
    fn suggests_what_was_begun_or_nearly_written() {
        for (typed, wanted) in [
            ("pnig", &["ping"][..]),
            ("rec", &["reconnect"]),
            ("PING", &["ping"]),
            ("p", &["ping", "pong", "pretty"]),
            ("pang", &["ping", "pong"]),
            ("conect", &[]),
            ("recconect", &["reconnect"]),
            ("etc/passwd", &[]),
            ("", &[]),
        ] {
            assert_eq!(suggest(typed, Role::Client), wanted, "{typed}");
        }
    }
}
