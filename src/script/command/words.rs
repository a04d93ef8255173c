//! A line cut into words, each with its place.
//!
//! Knows white space, quotes and backslashes; not what the words mean.

use crate::script::command::error::{Fault, ParseError, shown};
use crate::script::command::table::Entry;
use crate::wire::Role;

/// A piece of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Its byte offset in the line.
    pub at: usize,
    /// As typed.
    pub text: &'a str,
}

impl<'a> Piece<'a> {
    /// What follows the first `len` bytes.
    pub fn skip(self, len: usize) -> Self {
        Self { at: self.at + len, text: &self.text[len..] }
    }

    /// What follows `prefix`, if it begins so.
    pub fn strip(self, prefix: &str) -> Option<Self> {
        self.text.strip_prefix(prefix).map(|_| self.skip(prefix.len()))
    }

    /// The error that it is not what should stand here.
    pub fn not(self, not: &'static str, accepted: impl Into<String>) -> ParseError {
        Fault::Not { word: shown(self.text), not, accepted: accepted.into() }.at(self.at)
    }
}

/// The arguments of a command: what has not been read yet.
#[derive(Clone, Debug)]
pub(crate) struct Args<'a> {
    /// The row of the command, for messages.
    pub entry: &'static Entry,
    /// Whose side the line is carried out on.
    pub role: Role,
    rest: Piece<'a>,
}

impl<'a> Args<'a> {
    /// The arguments of `entry`; `rest` is all that follows its name.
    pub fn new(entry: &'static Entry, role: Role, rest: Piece<'a>) -> Self {
        Self { entry, role, rest }
    }

    /// The next word without taking it: up to white space.
    pub fn peek(&self) -> Option<Piece<'a>> {
        let rest = self.trimmed();
        let end = rest.text.find(char::is_whitespace).unwrap_or(rest.text.len());
        (end > 0).then(|| Piece { text: &rest.text[..end], ..rest })
    }

    /// Takes the next word.
    pub fn word(&mut self) -> Option<Piece<'a>> {
        let word = self.peek()?;
        self.take_to(word.at + word.text.len());
        Some(word)
    }

    /// Takes the next word, which must be there.
    ///
    /// # Errors
    ///
    /// [`Fault::Missing`] names `argument`.
    pub fn need(&mut self, argument: &'static str) -> Result<Piece<'a>, ParseError> {
        self.word().ok_or_else(|| self.missing(argument))
    }

    /// Takes the next word if it is `wanted`.
    pub fn take_if(&mut self, wanted: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.text == wanted);
        if found {
            self.word();
        }
        found
    }

    /// Everything that is left: one white space separates, the rest is verbatim.
    pub fn rest(&self) -> Piece<'a> {
        let separator = self.rest.text.chars().next().filter(|c| c.is_whitespace());
        self.rest.skip(separator.map_or(0, char::len_utf8))
    }

    /// Everything that is left, without white space before it.
    pub fn trimmed(&self) -> Piece<'a> {
        self.rest.skip(self.rest.text.len() - self.rest.text.trim_start().len())
    }

    /// Takes a path: up to white space, in quotes, or with backslashes before spaces.
    ///
    /// # Errors
    ///
    /// None is there, or a quote is open.
    pub fn path(&mut self, argument: &'static str) -> Result<String, ParseError> {
        let rest = self.trimmed();
        let (path, len) = unquote(rest, false)?;
        if path.is_empty() {
            return Err(self.missing(argument));
        }
        self.take_to(rest.at + len);
        Ok(path)
    }

    /// Takes what stands between the delimiter that comes next and its partner. A backslash before
    /// the delimiter makes it a part of the text; all other backslashes stay.
    ///
    /// # Errors
    ///
    /// The partner is missing, or no white space follows it.
    pub fn delimited(&mut self, delimiter: char) -> Result<(usize, String), ParseError> {
        let start = self.trimmed();
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in start.text.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    if c != delimiter {
                        text.push('\\');
                    }
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if c == delimiter => {
                    self.take_to(start.at + at + c.len_utf8());
                    if self.rest.text.starts_with(|c: char| !c.is_whitespace()) {
                        self.end()?;
                    }
                    return Ok((start.at, text));
                }
                _ => text.push(c),
            }
        }
        Err(Fault::Open(delimiter).at(start.at))
    }

    /// Whether what comes next stands between double quotes, or is to: a piece of JSON goes on
    /// behind its second one.
    pub fn is_quoted(&mut self) -> bool {
        let before = self.rest;
        let goes_on =
            self.delimited('"').is_err_and(|error| !matches!(error.fault, Fault::Open(_)));
        self.rest = before;
        !goes_on
    }

    /// Takes a character off what comes next, if it is there and what follows it will do.
    pub fn take_prefix(&mut self, prefix: char, follows: impl Fn(&str) -> bool) -> bool {
        let next = self.trimmed();
        let Some(rest) = next.text.strip_prefix(prefix).filter(|rest| follows(rest)) else {
            return false;
        };
        self.take_to(next.at + next.text.len() - rest.len());
        true
    }

    /// Nothing may be left.
    ///
    /// # Errors
    ///
    /// [`Fault::Surplus`]
    pub fn end(&self) -> Result<(), ParseError> {
        match self.peek() {
            Some(word) => Err(self.surplus(shown(word.text), word.at)),
            None => Ok(()),
        }
    }

    /// The error that an argument is missing here.
    pub fn missing(&self, argument: &'static str) -> ParseError {
        let command = self.entry.name;
        let at = self.rest.at + self.rest.text.len();
        Fault::Missing { command, argument, usage: self.entry.usage() }.at(at)
    }

    fn surplus(&self, word: String, at: usize) -> ParseError {
        Fault::Surplus { word, usage: self.entry.usage() }.at(at)
    }

    /// Goes on at a byte of the line.
    fn take_to(&mut self, at: usize) {
        self.rest = self.rest.skip(at - self.rest.at);
    }
}

/// A path as typed, without its quotes and backslashes, and how many bytes it took.
///
/// In double quotes and outside of quotes a backslash makes the next character a part of the path;
/// single quotes leave everything as it is. A path without quotes ends at white space, unless it
/// may go on `to_end`; then only white space at the end is no part of it.
///
/// # Errors
///
/// [`Fault::Open`]: a quote without its partner.
pub(crate) fn unquote(piece: Piece<'_>, to_end: bool) -> Result<(String, usize), ParseError> {
    let path = TypedPath::read(piece.text, to_end);
    match path.open {
        Some(quote) => Err(Fault::Open(quote).at(piece.at)),
        None => Ok((path.text, path.len)),
    }
}

/// A path, finished or not, as [`unquote`] explains it.
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
        // Up to here white space at the end is a part of the path: it was escaped.
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

    /// `path` written so that it is read back, with the quote it was begun with, if any.
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
        // What goes on inside a folder keeps its quote open.
        out.extend(quote.filter(|_| !path.ends_with('/')));
        out
    }
}
