//! The topics of `wscope explain`: a code of the catalogue, a close code or its name, an HTTP
//! status, the name of a violation, the id of a handshake rule.

use super::system::{self, SYSTEM_ERRORS};
use super::{CatalogueEntry, browser, entries, entry, of_close_code, of_status};
use crate::wire::close;
use crate::wire::handshake::rules::RULES;
use crate::wire::violation;

/// The entry for a question, and how the question leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The entry; `None` if the title of a handshake rule explains everything.
    pub entry: Option<&'static CatalogueEntry>,
    /// One sentence that says what the topic is, unless the topic is the entry itself.
    pub asked: Option<String>,
}

/// The topic is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown topic {asked:?}{}; see `wscope explain --list`",
    .nearest.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
)]
pub struct UnknownTopic {
    /// The topic.
    pub asked: String,
    /// The most similar known topic.
    pub nearest: Option<String>,
}

/// Finds the entry for a word or a number.
///
/// # Errors
///
/// The topic is unknown; the error holds the most similar known one.
pub fn topic(asked: &str) -> Result<Topic, UnknownTopic> {
    let asked = asked.trim();
    let found = entry(asked).map(|entry| Topic { entry: Some(entry), asked: None });
    let found = found.or_else(|| number(asked)).or_else(|| name(asked)).or_else(|| rule(asked));
    let found = found.or_else(|| system_error(asked)).or_else(|| message(asked));
    found.ok_or_else(|| UnknownTopic { asked: asked.to_owned(), nearest: nearest(asked) })
}

/// Topics that have a name, with a few words about each.
pub fn topics() -> impl Iterator<Item = (String, &'static str)> {
    let codes = entries().map(|entry| (entry.code.to_owned(), entry.title));
    let one_code = close::REGISTRY.iter().filter(|info| info.first == info.last);
    let numbers = one_code.map(|info| (info.first.to_string(), info.name));
    let closes = close::REGISTRY.iter().map(|info| (dashed(info.name), info.meaning));
    let violations =
        violation::CATALOGUE.iter().map(|rule| (rule.name.to_owned(), rule.explanation));
    let rules = RULES.iter().map(|rule| (rule.id.to_owned(), rule.title));
    let system = SYSTEM_ERRORS.iter().map(|error| (error.name.to_owned(), error.meaning));
    codes.chain(numbers).chain(closes).chain(violations).chain(rules).chain(system)
}

fn number(asked: &str) -> Option<Topic> {
    let number: u16 = asked.parse().ok()?;
    // Close codes below 1000 are never used. HTTP statuses have three digits.
    if (200..=599).contains(&number) {
        let asked = format!("HTTP status {number} instead of 101.");
        return Some(Topic { entry: entry(of_status(number)), asked: Some(asked) });
    }
    Some(of_close(number))
}

fn of_close(code: u16) -> Topic {
    let info = close::lookup(code);
    let asked = format!("Close code {code}, {}: {}", info.name, lower_first(info.meaning));
    Topic { entry: entry(of_close_code(code)), asked: Some(asked) }
}

/// Finds the entry for a name such as `going-away` or `rsv1-without-extension`.
fn name(asked: &str) -> Option<Topic> {
    let asked = asked.to_ascii_lowercase().replace([' ', '_'], "-");
    if let Some(info) = close::REGISTRY.iter().find(|info| dashed(info.name) == asked) {
        return Some(of_close(info.first));
    }
    let rule = violation::CATALOGUE.iter().find(|rule| rule.name == asked)?;
    Some(Topic { entry: entry(rule.code), asked: None })
}

fn rule(asked: &str) -> Option<Topic> {
    let rule = RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(asked))?;
    let asked = format!("Rule {} of the handshake: {}.", rule.id, rule.title);
    Some(Topic { entry: rule.code.and_then(entry), asked: Some(asked) })
}

/// Finds the entry for an error of the system: its name, such as `ECONNRESET`, or its words.
fn system_error(asked: &str) -> Option<Topic> {
    let error = system::find(asked)?;
    let words = error.words.first().copied().unwrap_or_default();
    let asked = format!("{} (\"{words}\"): {}", error.name, error.meaning);
    Some(Topic { entry: error.code.and_then(entry), asked: Some(asked) })
}

/// Finds the entry for a message of a browser or of Node.js.
fn message(asked: &str) -> Option<Topic> {
    let meaning = browser::explain(asked)?;
    let code = meaning.codes.first()?;
    let asked = format!("{} reports this for {code}.", meaning.speaker);
    Some(Topic { entry: entry(code), asked: Some(asked) })
}

fn dashed(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let second_is_capital = sentence.chars().nth(1).is_some_and(|c| c.is_ascii_uppercase());
    match chars.next() {
        Some(first) if !second_is_capital => {
            format!("{}{}", first.to_ascii_lowercase(), chars.as_str())
        }
        _ => sentence.to_owned(),
    }
}

/// The name that needs the fewest changes, if they are few for its length.
fn nearest(asked: &str) -> Option<String> {
    let asked = dashed(asked);
    let measured =
        topics().map(|(name, _)| (strsim::levenshtein(&asked, &name.to_ascii_lowercase()), name));
    let (changes, name) = measured.min_by_key(|(changes, _)| *changes)?;
    (changes <= 1 + name.len() / 4).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(asked: &str) -> Option<&'static str> {
        topic(asked).expect(asked).entry.map(|entry| entry.code)
    }

    #[test]
    fn many_names_lead_to_an_entry() {
        for (asked, wanted) in [
            ("W461", "W461"),
            ("w461", "W461"),
            ("1006", "W706"),
            ("1001", "W701"),
            ("going-away", "W701"),
            ("Going Away", "W701"),
            ("4000", "W723"),
            ("404", "W334"),
            ("rsv1-without-extension", "W602"),
            ("4.1-res-accept-value", "W402"),
        ] {
            assert_eq!(code(asked), Some(wanted), "{asked}");
        }
        assert_eq!(code("4.1-req-method"), None);
    }

    #[test]
    fn every_close_code_and_every_rule_is_a_topic() {
        for number in 600..=u16::MAX {
            assert!(code(&number.to_string()).is_some(), "{number}");
        }
        for rule in RULES {
            assert!(topic(rule.id).is_ok(), "{}", rule.id);
        }
    }

    #[test]
    fn unknown_topic() {
        let error = topic("W999").expect_err("not in the catalogue");
        assert_eq!(error.nearest.as_deref().map(|name| &name[..1]), Some("W"));
        let error = topic("going-awy").expect_err("a typo");
        assert_eq!(
            error.to_string(),
            "unknown topic \"going-awy\" (did you mean going-away?); \
             see `wscope explain --list`"
        );
        assert_eq!(topic("something else entirely").expect_err("nonsense").nearest, None);
    }
}
