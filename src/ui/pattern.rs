//! The regular expressions of `/expect`, `/filter` and `--until`.
//!
//! A search runs inside the event loop, so it must be fast: a plain text is searched as text, and
//! the size of other expressions is limited.

use std::fmt;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{HirKind, Literal};

use crate::ui::sanitize::escaped;

/// The memory limit of a compiled expression. The limit of the crate is ten times as high; with it,
/// a search through a message of 500 KB can take minutes.
const MAX_COMPILED: usize = 1024 * 1024;

/// The memory for the states of a search. The crate's 2 MiB are not enough for an expression of
/// some thousand characters; it would then be a hundred times slower.
const STATES: usize = 16 * 1024 * 1024;

/// A regular expression over bytes.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    search: Search,
}

#[derive(Clone, Debug)]
enum Search {
    /// A plain text of any length: the search takes one pass and no memory.
    Literal(Box<Finder<'static>>),
    Regex(Regex),
}

/// Why a text can't be used as a regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A syntax error, with its description.
    Syntax(String),
    /// It is too large once compiled.
    TooLarge,
}

impl fmt::Display for PatternError {
    /// The reason, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(reason) => f.write_str(reason),
            Self::TooLarge => f.write_str(
                "it is larger than 1 MiB when compiled; use fewer repetitions, or begin it with \
                 (?-u), which limits \\w, \\d and \\s to ASCII",
            ),
        }
    }
}

/// The expression between slashes, safe for a terminal.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", escaped(self.text.as_bytes()))
    }
}

impl Pattern {
    /// Compiles `text`.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
        let parsed = parser.parse(text).map_err(|error| {
            // The error has a drawing with a caret before the reason.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            PatternError::Syntax(escaped(reason.trim_start_matches("error: ").as_bytes()))
        })?;
        let search = match parsed.kind() {
            HirKind::Literal(Literal(bytes)) => {
                Search::Literal(Box::new(Finder::new(bytes).into_owned()))
            }
            _ => Search::Regex(compile(text)?),
        };
        Ok(Self { text: text.to_owned(), search })
    }

    /// Replaces each match in `content` with `with`, in which `$1` and `${name}` are groups and
    /// `$$` is a dollar. Returns `None` if nothing matches, or if the result would exceed `most`
    /// bytes.
    pub fn replace(&self, content: &[u8], with: &[u8], most: usize) -> Option<Vec<u8>> {
        let compiled;
        let regex = match &self.search {
            Search::Regex(regex) => regex,
            // Its text has already been parsed.
            Search::Literal(_) => {
                compiled = compile(&self.text).ok()?;
                &compiled
            }
        };
        let (mut replaced, mut at) = (Vec::new(), 0);
        for groups in regex.captures_iter(content) {
            let found = groups.get(0)?;
            replaced.extend_from_slice(&content[at..found.start()]);
            groups.expand(with, &mut replaced);
            at = found.end();
            if replaced.len() > most {
                return None;
            }
        }
        let changed = at > 0 || !replaced.is_empty() || regex.is_match(content);
        replaced.extend_from_slice(&content[at..]);
        (changed && replaced.len() <= most).then_some(replaced)
    }

    /// The first `$1` or `${name}` in `with` that is not a group, because [`Pattern::replace`]
    /// would insert nothing there. Names in `known` have another meaning.
    pub fn unknown_group<'w>(
        &self,
        with: &'w str,
        known: impl Fn(&str) -> bool,
    ) -> Option<&'w str> {
        let regex = compile(&self.text).ok()?;
        let mut rest = with;
        while let Some((_, after)) = rest.split_once('$') {
            let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, left) = match after.strip_prefix('{') {
                Some(braced) => braced.split_once('}').unwrap_or(("", after)),
                None => after.split_at(after.find(|c| !of_name(c)).unwrap_or(after.len())),
            };
            let group = match name.parse() {
                Ok(number) => regex.captures_len() > number,
                Err(_) => regex.capture_names().flatten().any(|group| group == name),
            };
            if !name.is_empty() && !group && !known(name) {
                return Some(name);
            }
            // Skips both characters of `$$`.
            rest = left.strip_prefix('$').filter(|_| name.is_empty()).unwrap_or(left);
        }
        None
    }

    /// The first match.
    pub fn find(&self, content: &[u8]) -> Option<std::ops::Range<usize>> {
        match &self.search {
            Search::Literal(finder) => {
                let len = finder.needle().len();
                finder.find(content).map(|at| at..at + len)
            }
            Search::Regex(regex) => regex.find(content).map(|found| found.range()),
        }
    }

    /// The text of the first group, at the first match in `content`; the whole match if the
    /// expression has no group.
    pub fn first_group<'c>(&self, content: &'c [u8]) -> Option<&'c [u8]> {
        match &self.search {
            Search::Literal(_) => self.find(content).map(|at| &content[at]),
            Search::Regex(regex) => {
                let found = regex.captures(content)?;
                let number = usize::from(regex.captures_len() > 1);
                Some(found.get(number).map_or(&b""[..], |group| group.as_bytes()))
            }
        }
    }

    /// The names of its groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let regex = match &self.search {
            Search::Literal(_) => None,
            Search::Regex(regex) => Some(regex),
        };
        regex.into_iter().flat_map(|regex| regex.capture_names().flatten())
    }

    /// The named groups of the first match in `content`, each with its text; the text is empty if
    /// the group took no part. `None` if there is no match.
    pub fn captures<'c>(&self, content: &'c [u8]) -> Option<Vec<(&str, &'c [u8])>> {
        match &self.search {
            Search::Regex(regex) if regex.capture_names().flatten().next().is_some() => {
                let found = regex.captures(content)?;
                let value =
                    |name| (name, found.name(name).map_or(&b""[..], |group| group.as_bytes()));
                Some(regex.capture_names().flatten().map(value).collect())
            }
            _ => self.is_match(content).then(Vec::new),
        }
    }

    /// Whether it matches anywhere in `content`.
    pub fn is_match(&self, content: &[u8]) -> bool {
        match &self.search {
            Search::Literal(finder) => finder.find(content).is_some(),
            Search::Regex(regex) => regex.is_match(content),
        }
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(text);
    let built = builder.size_limit(MAX_COMPILED).dfa_size_limit(STATES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        error => PatternError::Syntax(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_not_there_is_named() {
        let pattern = Pattern::new("(a)(?<rest>b)").expect("a regex");
        for (with, unknown) in [
            ("$0 $1 ${2} $rest ${rest} $$9 $ cost", None),
            ("$3", Some("3")),
            ("$1a", Some("1a")),
            ("x${zz}", Some("zz")),
            ("$$$4", Some("4")),
        ] {
            assert_eq!(pattern.unknown_group(with, |_| false), unknown, "{with}");
        }
        assert_eq!(
            Pattern::new("price").expect("a text").unknown_group("$9", |_| false),
            Some("9")
        );
    }

    #[test]
    fn replaces_with_groups_up_to_a_bound() {
        let replaced = |text: &str, with: &str, most| {
            let pattern = Pattern::new(text).expect(text);
            pattern.replace(b"price 10, price 20", with.as_bytes(), most)
        };
        let of = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(replaced("price", "cost", 99), of("cost 10, cost 20"));
        assert_eq!(replaced(r"(\d)0", "${1}5", 99), of("price 15, price 25"));
        assert_eq!(replaced("price ", "", 99), of("10, 20"));
        assert_eq!(replaced("$", "!", 99), of("price 10, price 20!"));
        assert_eq!(replaced("none", "x", 99), None);
        assert_eq!(replaced("price", "a longer text", 20), None);
    }

    #[test]
    fn the_first_group_is_what_is_captured() {
        let group = |text: &str| {
            let pattern = Pattern::new(text).expect(text);
            let found = pattern.first_group(br#"{"id":"a1"}"#);
            found.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        assert_eq!(group(r#""id":"([^"]*)""#).as_deref(), Some("a1"));
        assert_eq!(group("a.").as_deref(), Some("a1"));
        assert_eq!(group("id").as_deref(), Some("id"));
        assert_eq!(group("(x)?id").as_deref(), Some(""));
        assert_eq!(group("none"), None);
    }

    #[test]
    fn a_plain_text_of_any_length_is_no_automaton() {
        let text = format!("{}b", "a".repeat(100_000));
        let pattern = Pattern::new(&text).expect("a pattern");
        assert!(matches!(pattern.search, Search::Literal(_)));
        let mut content = vec![b'a'; 1024 * 1024];
        assert!(!pattern.is_match(&content));
        content.push(b'b');
        assert!(pattern.is_match(&content));
    }

    #[test]
    fn what_is_more_than_a_text_is_a_regular_expression() {
        for (text, content, matches) in [
            (r"a\.b", &b"xa.bx"[..], true),
            (r"a\.b", b"axb", false),
            ("a.b", b"axb", true),
            ("(?i)hello", b"HELLO", true),
            ("", b"", true),
            (r"(?-u:\xff)", b"a\xffb", true),
            ("^b", b"ab", false),
        ] {
            let pattern = Pattern::new(text).expect(text);
            assert_eq!(pattern.is_match(content), matches, "{text}");
        }
    }

    #[test]
    fn what_would_be_searched_for_too_slowly_is_refused() {
        assert_eq!(Pattern::new("[ab]a{100000}").err(), Some(PatternError::TooLarge));
        assert_eq!(Pattern::new(r"\w{40}").err(), Some(PatternError::TooLarge));
        assert!(Pattern::new(r"(?-u)\w{40}").is_ok());
        let error = Pattern::new("a(").expect_err("an open group").to_string();
        assert_eq!(error, "unclosed group");
    }
}
