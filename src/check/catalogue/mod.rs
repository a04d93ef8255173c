//! All cases, by area. Ids never change: reports, baselines and users' scripts refer to them.

mod closing;
mod compression;
mod framing;
mod handshake;
mod limits;
mod messages;
mod negotiation;
mod response;
mod transport;

pub use handshake::RES_GRAMMAR;

use std::sync::LazyLock;

use super::case::Case;
use super::plan::CONTROL;
use crate::wire::Role;

/// The areas in the order in which a connection proceeds, each with its subject.
pub const AREAS: &[(&str, &str)] = &[
    ("h", "the opening handshake"),
    ("o", "Origin"),
    ("p", "subprotocols"),
    ("x", "extensions"),
    ("f", "frames"),
    ("m", "masks"),
    ("k", "control frames"),
    ("g", "fragments"),
    ("u", "UTF-8"),
    ("c", "the closing handshake"),
    ("z", "compressed messages"),
    ("l", "limits and liveness"),
    ("t", "TLS"),
    ("cl", "how a client handles the response, and its keys"),
];

/// Every case, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Case> {
    std::iter::once(&CONTROL)
        .chain(handshake::CASES)
        .chain(negotiation::CASES)
        .chain(framing::CASES)
        .chain(messages::CASES)
        .chain(closing::CASES)
        .chain(compression::CASES)
        .chain(limits::CASES)
        .chain(transport::CASES)
        .chain(response::CASES)
}

/// The cases that test an end of this role, adapted to the role.
pub fn about(role: Role) -> &'static [Case] {
    static SERVERS: LazyLock<Vec<Case>> = LazyLock::new(|| rows(Role::Server));
    static CLIENTS: LazyLock<Vec<Case>> = LazyLock::new(|| rows(Role::Client));
    match role {
        Role::Server => &SERVERS,
        Role::Client => &CLIENTS,
    }
}

fn rows(role: Role) -> Vec<Case> {
    let theirs = all().filter(|case| case.tested.includes(role));
    theirs.map(|case| case.for_role(role)).collect()
}

/// The case with this id that tests an end of this role.
pub fn find(id: &str, role: Role) -> Option<&'static Case> {
    about(role).iter().find(|case| case.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::case::Expectation;
    use crate::script::command::{Command, parse};
    use crate::wire::handshake::rules::RULES;

    #[test]
    fn every_line_is_one_of_the_prompt_that_sends_or_waits() {
        for case in all() {
            for line in case.send.iter().chain(case.mirror) {
                let command = parse(line).unwrap_or_else(|error| panic!("{}: {error}", case.id));
                let inner = match &command {
                    Command::Repeat { command, .. } => command,
                    command => command,
                };
                let sends = inner.payload().is_some()
                    || matches!(
                        inner,
                        Command::Wait(_)
                            | Command::Close { .. }
                            | Command::HalfClose
                            | Command::Abort
                            | Command::AutoClose(Some(_))
                    );
                assert!(sends, "{}: {line}", case.id);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_of_an_area_in_its_place() {
        let ids: BTreeSet<&str> = all().map(|case| case.id).collect();
        assert_eq!(ids.len(), all().count());
        let places: Vec<usize> = all()
            .map(|case| {
                let of = |(area, _): &(&str, &str)| *area == case.area();
                AREAS.iter().position(of).unwrap_or_else(|| panic!("{}", case.id))
            })
            .collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn every_case_says_what_it_is_about() {
        for case in all() {
            let Case { id, title, rule, why, .. } = case;
            assert!(!title.is_empty() && rule.section.starts_with("RFC "), "{id}");
            assert!(rule.says.len() > 10 && why.len() > 10, "{id}");
            assert!(!rule.says.contains("\" \"") && !why.ends_with('.'), "{id}");
            if let Expectation::Keeps(rules) = case.expect {
                for rule in rules {
                    let is_known = RULES.iter().any(|known| known.id == *rule);
                    assert!(is_known || *rule == RES_GRAMMAR, "{id}: {rule}");
                }
            }
        }
    }
}
