//! Which cases run: the patterns, and the cases that options exclude.

use super::case::{Case, Obligation, Risk};
use super::catalogue;
use crate::ui::glob::glob;
use crate::ui::suggest;
use crate::wire::Role;

/// Which cases may run.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// The tested end.
    pub tested: Role,
    /// The greatest allowed cost.
    pub risk: Risk,
    /// Whether cases may send messages, which reach the application.
    pub data: bool,
}

/// Why patterns select nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The pattern matches no case.
    #[error("no case matches {pattern:?}; {near}wscope check --list lists them", pattern = .0, near = near(.0))]
    Unknown(String),
    /// The patterns together exclude every case.
    #[error("no case is left: the patterns and options exclude all of them")]
    Nothing,
    /// The named cases need an option.
    #[error("{0} needs {1}")]
    NotAllowed(&'static str, &'static str),
}

/// The cases that patterns name, in the order of the table; without patterns all. It is an error to
/// name a single case that is not allowed; a group leaves out such cases.
///
/// # Errors
///
/// A pattern matches nothing, or nothing is left.
pub fn select(patterns: &[String], allowed: Allowed) -> Result<Vec<&'static Case>, SelectError> {
    let all = catalogue::about(allowed.tested);
    for pattern in patterns {
        let bare = pattern.strip_prefix('!').unwrap_or(pattern);
        if bare.is_empty() || !all.iter().any(|case| matches(bare, case)) {
            return Err(SelectError::Unknown(pattern.clone()));
        }
        if let Some(case) = catalogue::find(pattern, allowed.tested)
            && let Some(option) = lacks(case, allowed)
        {
            return Err(SelectError::NotAllowed(case.id, option));
        }
    }
    let (out, mut named): (Vec<&String>, Vec<&String>) =
        patterns.iter().partition(|pattern| pattern.starts_with('!'));
    let everything = String::new();
    if named.is_empty() {
        named.push(&everything);
    }
    let wanted = |case: &&'static Case| {
        named.iter().any(|pattern| matches(pattern, case))
            && !out.iter().any(|pattern| matches(&pattern[1..], case))
            && lacks(case, allowed).is_none()
    };
    let cases: Vec<_> = all.iter().filter(wanted).collect();
    if cases.is_empty() { Err(SelectError::Nothing) } else { Ok(cases) }
}

/// The option that the case needs and that was not given.
fn lacks(case: &Case, allowed: Allowed) -> Option<&'static str> {
    match case.risk {
        Risk::Intrusive if allowed.risk < Risk::Intrusive => Some("--intrusive"),
        Risk::Stress if allowed.risk < Risk::Stress => Some("--stress"),
        _ if !allowed.data && case.sends_data() => Some("to be run without --no-data"),
        _ => None,
    }
}

/// `f/rsv1`, `f/`, `f`, `c/bad-*`, `@rfc7692`, `@should`; nothing matches all.
fn matches(pattern: &str, case: &Case) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    match pattern.strip_prefix('@') {
        Some("must") => case.level == Obligation::Must,
        Some("should") => case.level == Obligation::Should,
        Some("info") => case.level == Obligation::Info,
        Some(document) if document.starts_with("rfc") => {
            let of = case.rule.section.split(" §").next().unwrap_or_default();
            digits(of) == digits(document)
        }
        Some(_) => false,
        None if pattern.is_empty() => true,
        None if pattern == case.area() => true,
        None if pattern.ends_with('/') => case.id.starts_with(pattern),
        None => glob(pattern, case.id),
    }
}

/// The cases that a mistyped pattern may mean, as the beginning of a hint.
pub fn near(pattern: &str) -> String {
    let ids = [Role::Server, Role::Client].into_iter().flat_map(catalogue::about);
    let mut ids: Vec<&str> = ids.map(|case| case.id).collect();
    ids.sort_unstable();
    ids.dedup();
    match suggest::near(pattern, ids).join(" or ") {
        near if near.is_empty() => near,
        near => format!("did you mean {near}? "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Allowed = Allowed { tested: Role::Server, risk: Risk::Intrusive, data: true };
    const USUAL: Allowed = Allowed { tested: Role::Server, risk: Risk::Default, data: true };

    fn ids(patterns: &[&str], allowed: Allowed) -> Result<Vec<&'static str>, SelectError> {
        let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        Ok(select(&patterns, allowed)?.iter().map(|case| case.id).collect())
    }

    #[test]
    fn patterns_name_cases_and_leave_others_out() {
        assert_eq!(ids(&["f/rsv1"], ALL), Ok(vec!["f/rsv1"]));
        let frames = ids(&["f/"], ALL).expect("cases");
        assert!(frames.contains(&"f/rsv1") && frames.iter().all(|id| id.starts_with("f/")));
        assert_eq!(ids(&["f"], ALL), Ok(frames.clone()));
        assert_eq!(ids(&["f/", "!f/*"], ALL), Err(SelectError::Nothing));
        let but_one = ids(&["f/", "!f/rsv1"], ALL).expect("cases");
        assert_eq!(but_one.len() + 1, frames.len());
        assert!(ids(&["f/rsv*"], ALL).expect("cases").contains(&"f/rsv2"));
        assert!(ids(&["@rfc6455"], ALL).expect("cases").contains(&"f/rsv1"));
        assert!(!ids(&["!@must"], ALL).expect("cases").contains(&"f/rsv1"));
        assert_eq!(ids(&["f/nothing"], ALL), Err(SelectError::Unknown("f/nothing".into())));
    }

    #[test]
    fn what_is_not_allowed_is_left_out_or_an_error() {
        let quiet = Allowed { data: false, ..USUAL };
        assert!(!ids(&[], quiet).expect("cases").contains(&"f/rsv1"));
        let error = ids(&["f/rsv1"], quiet).expect_err("it sends data").to_string();
        assert_eq!(error, "f/rsv1 needs to be run without --no-data");
        assert!(ids(&[], ALL).expect("cases").len() > ids(&[], USUAL).expect("cases").len());
    }

    #[test]
    fn a_client_has_cases_of_its_own() {
        let of_clients = Allowed { tested: Role::Client, ..ALL };
        let clients = ids(&[], of_clients).expect("cases");
        assert!(clients.contains(&"cl/accept-wrong") && clients.contains(&"f/rsv1"));
        assert!(!clients.contains(&"h/key-missing") && !clients.contains(&"m/unmasked-text"));
        assert!(!ids(&[], ALL).expect("cases").contains(&"m/masked-text"));
        assert_eq!(ids(&["h/key-15"], of_clients), Err(SelectError::Unknown("h/key-15".into())));
    }
}
