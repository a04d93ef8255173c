//! `${NAME}` in lines, and its value.
//!
//! The value is inserted after the line is split into words. So a value from a peer never becomes a
//! command, an option or a notation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::script::command::error::{ParseError, ParseFault, shown};
use crate::script::command::words::Word;

/// Names with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextPart<'t> {
    /// Unchanged.
    Text(Word<'t>),
    /// The value of a variable.
    Value(&'t str),
}

impl Variables {
    /// With these names and values.
    pub fn of(pairs: &[(String, String)]) -> Self {
        Self(pairs.iter().cloned().collect())
    }

    /// Gives a name a value. The name must be [one](crate::ui::notation::is_variable).
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Cuts a text at its variables. `$${` is a literal `${`.
///
/// # Errors
///
/// What is between the braces is not the name of a variable.
fn parts<'t>(variables: &'t Variables, piece: Word<'t>) -> Result<Vec<TextPart<'t>>, ParseError> {
    let (mut parts, mut rest) = (Vec::new(), piece);
    while let Some(at) = rest.text.find("${") {
        if at > 0 && rest.text.as_bytes()[at - 1] == b'$' {
            parts.push(TextPart::Text(Word { text: &rest.text[..at - 1], ..rest }));
            parts.push(TextPart::Text(Word { text: "${", at: rest.at + at }));
            rest = rest.skip(at + 2);
            continue;
        }
        parts.push(TextPart::Text(Word { text: &rest.text[..at], ..rest }));
        let here = rest.skip(at);
        let name = here.text[2..].split_once('}').map(|(name, _)| name);
        let name = name.ok_or_else(|| ParseFault::OpenVariable.at(here.at))?;
        let unknown = || ParseFault::NoVariable(shown(name)).at(here.at);
        parts.push(TextPart::Value(variables.get(name).ok_or_else(unknown)?));
        rest = here.skip(name.len() + 3);
    }
    parts.push(TextPart::Text(rest));
    Ok(parts)
}

/// The variables that are available while a line is parsed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope<'a> {
    /// `None` leaves lines unchanged.
    variables: Option<&'a Variables>,
    /// The words of the line that have variables, by their offset.
    words: &'a [(usize, String)],
}

/// The words of a line with variables, each with its value.
///
/// # Errors
///
/// A name is unknown.
pub(crate) fn words(
    line: Word<'_>,
    variables: &Variables,
) -> Result<Vec<(usize, String)>, ParseError> {
    parts(variables, line)?;
    let scope = Scope { variables: Some(variables), words: &[] };
    let with = line.words().filter(|word| word.text.contains("${"));
    with.map(|word| Ok((word.at, scope.text(word)?.into_owned()))).collect()
}

impl<'a> Scope<'a> {
    /// A scope with these variables, and the [`words`] of the line.
    pub fn new(variables: &'a Variables, words: &'a [(usize, String)]) -> Self {
        Self { variables: Some(variables), words }
    }

    /// The same variables, for a line whose [`words`] are not known yet.
    pub fn variables(&self) -> Option<&'a Variables> {
        self.variables
    }

    /// The text in its parts.
    pub fn parts<'t>(&self, piece: Word<'t>) -> Result<Vec<TextPart<'t>>, ParseError>
    where
        'a: 't,
    {
        match self.variables {
            Some(variables) if piece.text.contains("${") => parts(variables, piece),
            _ => Ok(vec![TextPart::Text(piece)]),
        }
    }

    /// The text with the values of its variables.
    pub fn text<'t>(&self, piece: Word<'t>) -> Result<Cow<'t, str>, ParseError> {
        self.text_with(piece, |value| Cow::Borrowed(value))
    }

    /// The text with the values of its variables; `written` converts each value.
    pub fn text_with<'t>(
        &self,
        piece: Word<'t>,
        written: impl Fn(&str) -> Cow<'_, str>,
    ) -> Result<Cow<'t, str>, ParseError> {
        if self.variables.is_none() || !piece.text.contains("${") {
            return Ok(Cow::Borrowed(piece.text));
        }
        let mut text = String::new();
        for part in self.parts(piece)? {
            match part {
                TextPart::Text(piece) => text.push_str(piece.text),
                TextPart::Value(value) => text.push_str(&written(value)),
            }
        }
        Ok(text.into())
    }

    /// A word of the line with the values of its variables.
    pub fn word(&self, word: Word<'a>) -> Word<'a> {
        match self.words.iter().find(|(at, _)| *at == word.at) {
            Some((_, text)) => Word { text, ..word },
            None => word,
        }
    }
}
