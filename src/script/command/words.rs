//! The words of a line, each with its position, and paths as they are typed.
//!
//! Knows white space, quotes and backslashes, but not the meaning of the words.

use crate::script::command::error::{ParseError, ParseFault, shown};

/// A piece of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Its byte offset in the line.
    pub at: usize,
    /// As typed.
    pub text: &'a str,
}

impl<'a> Word<'a> {
    /// What follows the first `len` bytes.
    pub fn skip(self, len: usize) -> Self {
        Self { at: self.at + len, text: &self.text[len..] }
    }

    /// The text after `prefix`, if it begins with `prefix`.
    pub fn strip(self, prefix: &str) -> Option<Self> {
        self.text.strip_prefix(prefix).map(|_| self.skip(prefix.len()))
    }

    /// Its words, each with its place.
    pub fn words(self) -> impl Iterator<Item = Self> {
        let mut rest = self;
        std::iter::from_fn(move || {
            rest = rest.skip(rest.text.len() - rest.text.trim_start().len());
            let end = rest.text.find(char::is_whitespace).unwrap_or(rest.text.len());
            let word = Self { text: &rest.text[..end], ..rest };
            rest = rest.skip(end);
            (end > 0).then_some(word)
        })
    }

    /// The error that this word is not valid here.
    pub fn not(self, not: &'static str, accepted: impl Into<String>) -> ParseError {
        ParseFault::Not { word: shown(self.text), not, accepted: accepted.into() }.at(self.at)
    }
}

/// A path as typed, without its quotes and backslashes, and how many bytes it took.
///
/// In double quotes and outside of quotes a backslash makes the next character a part of the path;
/// single quotes leave everything as it is. A path without quotes ends at white space, unless it
/// may continue `to_end`; then only white space at the end is not part of it.
///
/// # Errors
///
/// [`ParseFault::Open`]: a quote without its partner.
pub(crate) fn unquote(piece: Word<'_>, to_end: bool) -> Result<(String, usize), ParseError> {
    let path = TypedPath::read(piece.text, to_end);
    match path.open {
        Some(quote) => Err(ParseFault::Open(quote).at(piece.at)),
        None => Ok((path.text, path.len)),
    }
}

/// A path, finished or not; see [`unquote`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TypedPath {
    /// The path without quotes and backslashes.
    pub text: String,
    /// The bytes it took in the line.
    pub len: usize,
    /// The quote that is still open.
    pub open: Option<char>,
}

impl TypedPath {
    /// Reads the path at the beginning of `typed`.
    pub fn read(typed: &str, to_end: bool) -> Self {
        let quote = typed.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (mut text, mut escaped) = (String::new(), false);
        // White space before this point belongs to the path, because it was escaped.
        let mut kept = 0;
        for (at, c) in typed.char_indices().skip(usize::from(quote.is_some())) {
            match c {
                _ if escaped => {
                    text.push(c);
                    (escaped, kept) = (false, text.len());
                }
                '\\' if quote != Some('\'') => escaped = true,
                _ if Some(c) == quote => return Self { text, len: at + 1, open: None },
                _ if c.is_whitespace() && quote.is_none() && !to_end => {
                    return Self { text, len: at, open: None };
                }
                _ => text.push(c),
            }
        }
        if quote.is_none() {
            if escaped {
                text.push('\\');
            }
            text.truncate(text.trim_end().len().max(kept));
        }
        Self { text, len: typed.len(), open: quote }
    }

    /// Writes `path` so that it can be read back, with the quote that the user began, if any.
    pub fn written(path: &str, quote: Option<char>, to_end: bool) -> String {
        let mut out = String::from_iter(quote);
        for (at, c) in path.char_indices() {
            let escape = match quote {
                Some('\'') => false,
                Some(quote) => c == quote || c == '\\',
                None => {
                    let last = at + c.len_utf8() == path.len();
                    let space = c.is_whitespace() && (!to_end || last);
                    c == '\\' || space || (at == 0 && matches!(c, '"' | '\''))
                }
            };
            if escape {
                out.push('\\');
            }
            out.push(c);
        }
        // After a folder, the quote stays open, because the path continues inside the folder.
        out.extend(quote.filter(|_| !path.ends_with('/')));
        out
    }
}
