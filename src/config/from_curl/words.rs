//! A command line as pasted, split into words as a shell would: POSIX shells with bash's `$'…'`,
//! and Windows' `cmd` with its carets.
//!
//! It expands nothing: no variables, no globs, no substitution. It knows no option of curl.

use std::iter::Peekable;
use std::str::CharIndices;

use thiserror::Error;

/// The words of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The words without their quotes.
    pub words: Vec<String>,
    /// Text that a shell would have expanded, as written: `$TOKEN`.
    pub unexpanded: Vec<String>,
}

/// Why a text is not one command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WordsError {
    /// A quote without its end.
    #[error("the quote {quote} at byte {offset} is never closed; is the command complete?")]
    OpenQuote {
        /// The opening quote: `'`, `"` or `$'`.
        quote: &'static str,
        /// The position, in bytes.
        offset: usize,
    },
    /// A character that ends a command in a shell.
    #[error(
        "{found:?} at byte {offset} ends the command in a shell; give one command, and quote URLs that have a {found}"
    )]
    Operator {
        /// The character.
        found: char,
        /// The position, in bytes.
        offset: usize,
    },
    /// Bytes written as `\xHH` that are not text.
    #[error("the word {shown:?} has bytes that are not UTF-8; headers and URLs must be text here")]
    NotText {
        /// The word with replacement characters.
        shown: String,
    },
}

/// Splits a command like the shell for which it was copied.
///
/// # Errors
///
/// The text is not one whole command.
pub fn split(text: &str) -> Result<Words, WordsError> {
    if is_for_cmd(text) { split_cmd(text) } else { ShellReader::new(text).split() }
}

/// Whether the text was copied "as cURL (cmd)": quotes after carets, or lines that continue after
/// one. Neither occurs in text copied for other shells, except for a caret inside the quotes around
/// everything.
fn is_for_cmd(text: &str) -> bool {
    let first_quote = text.find(['"', '\'']);
    let quoted = first_quote.is_some_and(|at| text[..at].ends_with('^'));
    let continued = text.lines().next().is_some_and(|line| line.trim_end().ends_with('^'));
    quoted || (continued && text.lines().nth(1).is_some())
}

/// First the carets, as in `cmd`, then the quotes, as in every C program on Windows.
fn split_cmd(text: &str) -> Result<Words, WordsError> {
    let plain = without_carets(text);
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    let mut chars = plain.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        match c {
            // `\"` is a quote inside a word; inside quotes, `""` is one, too.
            '\\' if chars.next_if(|(_, next)| *next == '"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' if open.is_some() && chars.next_if(|(_, next)| *next == '"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' => {
                open = if open.is_some() { None } else { Some(offset) };
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && open.is_none() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if let Some(offset) = open {
        return Err(WordsError::OpenQuote { quote: "\"", offset });
    }
    words.extend(word);
    Ok(Words { words, unexpanded: Vec::new() })
}

/// `^x` is x. A caret at the end of a line joins the next line, whose first character is then
/// literal, even if it is a line end. Inside quotes without a caret, carets are characters.
fn without_carets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '^' if !quoted => {
                chars.next_if_eq(&'\r');
                match chars.next() {
                    Some('\n') => {
                        chars.next_if_eq(&'\r');
                        plain.extend(chars.next());
                    }
                    next => plain.extend(next),
                }
            }
            '"' => {
                quoted = !quoted;
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}

struct ShellReader<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    /// The word that has begun; `''` is one, too.
    word: Option<Vec<u8>>,
    found: Words,
}

impl<'t> ShellReader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, chars: text.char_indices().peekable(), word: None, found: Words::default() }
    }

    fn split(mut self) -> Result<Words, WordsError> {
        while let Some((offset, c)) = self.chars.next() {
            match c {
                '\'' => self.single(offset)?,
                '"' => self.double(offset)?,
                '$' if self.chars.next_if(|(_, c)| *c == '\'').is_some() => self.ansi_c(offset)?,
                '\\' => self.backslash(),
                // The end of the command: `… ;` and `… &` come from "Copy all as cURL".
                ';' | '&' | '|' | '<' | '>' | '(' | ')' => {
                    return Err(WordsError::Operator { found: c, offset });
                }
                c if c.is_whitespace() => self.end_word()?,
                c => {
                    self.expansion(offset, c);
                    self.push(c);
                }
            }
        }
        self.end_word()?;
        Ok(self.found)
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        self.word.get_or_insert_default()
    }

    fn push(&mut self, c: char) {
        self.bytes().extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn end_word(&mut self) -> Result<(), WordsError> {
        if let Some(bytes) = self.word.take() {
            let word = String::from_utf8(bytes).map_err(|error| WordsError::NotText {
                shown: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            })?;
            self.found.words.push(word);
        }
        Ok(())
    }

    /// Notes `$NAME`, `${NAME}`, `$(command)` and backquotes.
    fn expansion(&mut self, offset: usize, c: char) {
        let rest = &self.text[offset + c.len_utf8()..];
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let expands = match c {
            '$' => rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)),
            '`' => true,
            _ => false,
        };
        if expands {
            let end = rest.find(|c| !name(c) && c != '{').unwrap_or(rest.len());
            let name = rest[..end].trim_start_matches('{');
            self.found.unexpanded.push(format!("{c}{name}"));
        }
    }

    fn single(&mut self, offset: usize) -> Result<(), WordsError> {
        self.bytes();
        loop {
            match self.chars.next() {
                Some((_, '\'')) => return Ok(()),
                Some((_, c)) => self.push(c),
                None => return Err(WordsError::OpenQuote { quote: "'", offset }),
            }
        }
    }

    /// "The <backslash> shall retain its special meaning as an escape character only when
    /// followed by one of $ ` " \ <newline>" (POSIX, Shell Command Language 2.2.3).
    fn double(&mut self, offset: usize) -> Result<(), WordsError> {
        self.bytes();
        loop {
            match self.chars.next() {
                Some((_, '"')) => return Ok(()),
                Some((_, '\\')) => match self.chars.peek().map(|(_, c)| *c) {
                    Some('$' | '`' | '"' | '\\' | '\n') => self.backslash(),
                    _ => self.push('\\'),
                },
                Some((at, c)) => {
                    self.expansion(at, c);
                    self.push(c);
                }
                None => return Err(WordsError::OpenQuote { quote: "\"", offset }),
            }
        }
    }

    /// The next character is literal; a line end is removed.
    fn backslash(&mut self) {
        match self.chars.next() {
            Some((_, '\n')) => {}
            Some((_, '\r')) if self.chars.next_if(|(_, c)| *c == '\n').is_some() => {}
            Some((_, c)) => self.push(c),
            None => self.push('\\'),
        }
    }

    /// bash's `$'…'`, in which Chrome and Firefox write all but plain characters.
    fn ansi_c(&mut self, offset: usize) -> Result<(), WordsError> {
        self.bytes();
        loop {
            match self.chars.next() {
                Some((_, '\'')) => return Ok(()),
                Some((_, '\\')) => self.ansi_c_escape(),
                Some((_, c)) => self.push(c),
                None => return Err(WordsError::OpenQuote { quote: "$'", offset }),
            }
        }
    }

    fn ansi_c_escape(&mut self) {
        let Some((_, c)) = self.chars.next() else { return };
        match c {
            'n' => self.push('\n'),
            't' => self.push('\t'),
            'r' => self.push('\r'),
            'a' => self.push('\x07'),
            'b' => self.push('\x08'),
            'e' | 'E' => self.push('\x1b'),
            'f' => self.push('\x0c'),
            'v' => self.push('\x0b'),
            '\\' | '\'' | '"' | '?' => self.push(c),
            'x' => match self.digits(16, 2) {
                // `\xHH` is a byte, not a character.
                Some(value) => self.bytes().push(value as u8),
                None => self.bytes().extend_from_slice(b"\\x"),
            },
            'u' | 'U' => match self.digits(16, if c == 'u' { 4 } else { 8 }) {
                Some(value) => self.push(char::from_u32(value).unwrap_or('\u{fffd}')),
                None => {
                    self.push('\\');
                    self.push(c);
                }
            },
            '0'..='7' => {
                let first = c.to_digit(8).unwrap_or_default();
                let rest = (0..2).fold(first, |value, _| match self.digits(8, 1) {
                    Some(digit) => value * 8 + digit,
                    None => value,
                });
                self.bytes().push((rest & 0xff) as u8);
            }
            other => {
                self.push('\\');
                self.push(other);
            }
        }
    }

    /// Up to `most` digits, eight at most.
    fn digits(&mut self, radix: u32, most: usize) -> Option<u32> {
        let mut value = None;
        for _ in 0..most {
            let Some((_, c)) = self.chars.next_if(|(_, c)| c.is_digit(radix)) else { break };
            let digit = c.to_digit(radix).unwrap_or_default();
            value = Some(value.unwrap_or(0u32).wrapping_mul(radix).wrapping_add(digit));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap_or_else(|error| panic!("{text}: {error}")).words
    }

    #[test]
    fn quotes_are_those_of_a_posix_shell() {
        assert_eq!(words("a 'b c'  \"d 'e'\" f\\ g"), ["a", "b c", "d 'e'", "f g"]);
        assert_eq!(words(r#"'a'"b"c '' "" "#), ["abc", "", ""]);
        assert_eq!(words(r#""\$ \" \\ \n""#), [r#"$ " \ \n"#]);
        assert_eq!(words(r"'it'\''s'"), ["it's"]);
        assert_eq!(words("é 'ü'"), ["é", "ü"]);
        assert!(words(" \n\t").is_empty());
    }

    #[test]
    fn a_line_goes_on_behind_a_backslash() {
        assert_eq!(words("curl a \\\n  -H b \\\r\n -k"), ["curl", "a", "-H", "b", "-k"]);
        assert_eq!(words("\"a\\\nb\""), ["ab"]);
    }

    #[test]
    fn ansi_c_quotes() {
        assert_eq!(words(r"$'it\'s\n\x41\u00e9\101\e'"), ["it's\nAéA\x1b"]);
        assert_eq!(words(r"$'\xc3\xa9'"), ["é"]);
        assert_eq!(words(r"$'\u0021\z\x'"), [r"!\z\x"]);
        assert!(matches!(split(r"$'\xff'"), Err(WordsError::NotText { .. })));
    }

    #[test]
    fn carets_of_cmd_in_the_old_and_the_new_way() {
        let old = "curl \"wss://h/?a=1&b=2\" ^\r\n  -H \"X: a^b\" ^\r\n  --compressed";
        assert_eq!(words(old), ["curl", "wss://h/?a=1&b=2", "-H", "X: a^b", "--compressed"]);
        let new =
            "curl ^\"wss://h/?a=1^&b=^%^2^\" ^\n  -H ^\"sec-ch-ua: ^\\^\"Chromium^\\^\";v=1^\"";
        assert_eq!(words(new), ["curl", "wss://h/?a=1&b=%2", "-H", "sec-ch-ua: \"Chromium\";v=1"]);
        assert_eq!(words("curl ^\"a^\n\nb^\""), ["curl", "a\nb"]);
    }

    #[test]
    fn a_caret_inside_of_posix_quotes_is_a_caret() {
        assert_eq!(words("curl 'a^b' -H 'c^'"), ["curl", "a^b", "-H", "c^"]);
    }

    #[test]
    fn open_quotes_are_reported_with_their_place() {
        for (text, quote, offset) in [("a 'b", "'", 2), ("\"a", "\"", 0), ("x $'a", "$'", 2)] {
            assert_eq!(split(text), Err(WordsError::OpenQuote { quote, offset }), "{text}");
        }
    }

    #[test]
    fn a_second_command_is_refused() {
        for (text, found, offset) in [("curl a; rm b", ';', 6), ("curl ws://h/?a&b", '&', 14)] {
            assert_eq!(split(text), Err(WordsError::Operator { found, offset }), "{text}");
        }
        assert_eq!(words("curl 'a;b&c'"), ["curl", "a;b&c"]);
    }

    #[test]
    fn what_a_shell_would_expand_is_reported_and_kept() {
        let found = split(r#"curl "Bearer $TOKEN" '$no' a${b} $5"#).expect("one command");
        assert_eq!(found.words, ["curl", "Bearer $TOKEN", "$no", "a${b}", "$5"]);
        assert_eq!(found.unexpanded, ["$TOKEN", "$b"]);
    }
}
