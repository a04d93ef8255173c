//! The catalogue as a table: it is complete, has one style, and other files use only its codes.

use regex::Regex;
use wscope::diagnostics::{SECTIONS, entries, entry};
use wscope::wire::handshake::rules::RULES;
use wscope::wire::violation::CATALOGUE;

#[test]
fn codes_are_unique_and_in_order() {
    let codes: Vec<_> = entries().map(|entry| entry.code).collect();
    assert!(codes.is_sorted(), "{codes:?}");
    let form = Regex::new("^W[0-8][0-9]{2}$").expect("a pattern");
    for code in &codes {
        assert_eq!(codes.iter().filter(|other| *other == code).count(), 1, "{code}");
        assert!(form.is_match(code), "{code}");
    }
    assert!(SECTIONS.iter().all(|section| !section.entries.is_empty()));
    assert_eq!(entry("w461").map(|entry| entry.code), Some("W461"));
}

#[test]
fn every_entry_is_whole_and_in_style() {
    for entry in entries() {
        let code = entry.code;
        assert!(entry.title.chars().count() <= 80, "{code}: the title is too long");
        for text in [entry.title, entry.explanation, entry.help, entry.source, entry.recognised] {
            assert!(!text.is_empty(), "{code}: something is missing");
            assert_eq!(text, text.trim(), "{code}: white space around {text}");
            assert!(!text.contains("  "), "{code}: two spaces in {text}");
        }
        for text in [entry.title, entry.explanation, entry.help, entry.recognised] {
            let end = text.chars().next_back().expect("not empty");
            assert!(!".!?".contains(end), "{code}: a full stop at the end of {text}");
            assert!(text.matches('`').count() % 2 == 0, "{code}: backquotes in {text}");
        }
        for mark in ["[M]", "[K]", "[S"] {
            assert!(!entry.source.contains(mark), "{code}: {}", entry.source);
        }
        assert!(entry.background.is_empty() || entry.background.ends_with('.'), "{code}");
        for cause in entry.causes {
            assert!(!cause.text.ends_with('.') && !cause.text.is_empty(), "{code}: {}", cause.text);
        }
    }
}

#[test]
fn codes_that_others_name_are_in_the_catalogue() {
    for rule in RULES {
        assert!(rule.code.is_none_or(|code| entry(code).is_some()), "{}", rule.id);
    }
    for rule in CATALOGUE {
        let entry = entry(rule.code).expect(rule.code);
        assert_eq!((entry.explanation, entry.source), (rule.explanation, rule.section));
    }
}

/// The options in the advice exist, so a user can copy the commands.
#[test]
fn options_in_the_advice_exist() {
    let command = wscope::cli::command();
    let all = || std::iter::once(&command).chain(command.get_subcommands());
    let long = |name: &str| {
        all().flat_map(|c| c.get_arguments()).any(|argument| argument.get_long() == Some(name))
    };
    let pattern = Regex::new("--([a-z0-9-]+)").expect("a pattern");
    for entry in entries() {
        for text in [entry.help, entry.explanation, entry.background] {
            for found in pattern.captures_iter(text) {
                assert!(long(&found[1]), "{}: {} is not an option", entry.code, &found[0]);
            }
        }
    }
}
