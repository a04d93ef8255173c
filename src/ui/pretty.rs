//! JSON on several lines, with colours: the same text, only with other white space.
//!
//! It works on tokens, without parsing values, so the order of keys, duplicate keys, and the
//! spelling of numbers and strings do not change. Characters that could harm a terminal are written
//! as JSON escapes: the result is still the same JSON.

use unicode_width::UnicodeWidthChar as _;

use super::number;
use super::sanitize::{self, is_hidden};
use super::style::{Ink, Palette};

/// The deepest nesting of arrays and objects; deeper texts are not shown as JSON. A deeper indent
/// does not help the reader, and the indents would make a text of a million brackets grow
/// quadratically.
pub const MAX_DEPTH: usize = 128;

/// The longest text that is shown as JSON on several lines, in bytes.
pub const MAX_LEN: usize = 1 << 20;

/// The columns of each level.
const STEP: usize = 2;

/// Whether JSON is shown on several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Pretty {
    /// With --view messages, if the JSON does not fit into one line
    #[default]
    Auto,
    /// Always on several lines, in the view of frames below a message's last frame
    Always,
    /// As received
    Never,
}

/// Appends `text` on several lines, without a line end after the last; the lines after the first
/// begin with `indent` spaces. Appends nothing and returns `None` if `text` is not JSON (RFC 8259),
/// longer than [`MAX_LEN`], or deeper than [`MAX_DEPTH`]. A key or a value that does not fit into
/// `width` columns is cut, with the number of missing bytes.
pub fn append(
    text: &[u8],
    indent: usize,
    width: usize,
    palette: Palette,
    out: &mut Vec<u8>,
) -> Option<()> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_LEN)?;
    let start = out.len();
    let (open, column) = (Vec::new(), indent);
    let done = Printer { rest: text, open, indent, width, column, palette, out }.print();
    if done.is_none() {
        out.truncate(start);
    }
    done
}

struct Printer<'a> {
    rest: &'a str,
    /// The open brackets.
    open: Vec<Bracket>,
    /// Spaces before the lines after the first.
    indent: usize,
    /// The columns of a line, and how many of them are used.
    width: usize,
    column: usize,
    palette: Palette,
    out: &'a mut Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Array,
    Object,
}

impl Bracket {
    fn close(self) -> char {
        match self {
            Self::Array => ']',
            Self::Object => '}',
        }
    }
}

impl Printer<'_> {
    fn print(mut self) -> Option<()> {
        loop {
            if !self.value()? {
                continue;
            }
            // After a value: closing brackets, then a comma or the end.
            loop {
                let Some(open) = self.open.last().copied() else {
                    self.white();
                    return self.rest.is_empty().then_some(());
                };
                if self.take(',') {
                    self.out.push(b',');
                    self.begin_item(open)?;
                    break;
                }
                if !self.take(open.close()) {
                    return None;
                }
                self.open.pop();
                self.new_line();
                self.out.push(open.close() as u8);
            }
        }
    }

    /// Writes a whole value, or enters it; then it returns `false`.
    fn value(&mut self) -> Option<bool> {
        self.white();
        let bracket = match self.rest.as_bytes().first()? {
            b'[' => Bracket::Array,
            b'{' => Bracket::Object,
            b'"' => return self.string(Ink::String).map(|()| true),
            b'-' | b'0'..=b'9' => return self.number().map(|()| true),
            _ => return self.literal().map(|()| true),
        };
        self.out.push(self.rest.as_bytes()[0]);
        self.rest = &self.rest[1..];
        if self.take(bracket.close()) {
            self.out.push(bracket.close() as u8);
            return Some(true);
        }
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        self.open.push(bracket);
        self.begin_item(bracket)?;
        Some(false)
    }

    /// Begins the line of an item; in an object, with its key.
    fn begin_item(&mut self, open: Bracket) -> Option<()> {
        self.new_line();
        if open == Bracket::Object {
            self.white();
            self.string(Ink::Key)?;
            if !self.take(':') {
                return None;
            }
            self.out.extend_from_slice(b": ");
            self.column += ": ".len();
        }
        Some(())
    }

    fn new_line(&mut self) {
        self.out.push(b'\n');
        self.column = self.indent + STEP * self.open.len();
        number::spaces(self.column, self.out);
    }

    fn white(&mut self) {
        self.rest = self.rest.trim_start_matches(is_white);
    }

    /// Takes `c` if it is the next token.
    fn take(&mut self, c: char) -> bool {
        self.white();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// RFC 8259 §7.
    fn string(&mut self, ink: Ink) -> Option<()> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut at = 1;
        loop {
            at += sanitize::plain_len(&bytes[at..]);
            at += match bytes.get(at)? {
                b'"' => break,
                // "the characters that MUST be escaped: … the control characters (U+0000 through
                // U+001F)".
                0..=0x1f => return None,
                b'\\' => match bytes.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                    b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                    _ => return None,
                },
                _ => 1,
            };
        }
        self.token(at + 1, ink);
        Some(())
    }

    /// "number = [ minus ] int [ frac ] [ exp ]" (RFC 8259 §6).
    fn number(&mut self) -> Option<()> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let some = |count: usize| (count > 0).then_some(count);
        let mut at = usize::from(bytes.first() == Some(&b'-'));
        at += match bytes.get(at)? {
            b'0' => 1,
            _ => some(digits(at))?,
        };
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            at += some(digits(at))?;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at += some(digits(at))?;
        }
        self.token(at, Ink::Number);
        Some(())
    }

    fn literal(&mut self) -> Option<()> {
        let word =
            ["true", "false", "null"].into_iter().find(|word| self.rest.starts_with(word))?;
        self.token(word.len(), Ink::Literal);
        Some(())
    }

    /// Writes the next `len` bytes in a colour.
    fn token(&mut self, len: usize, ink: Ink) {
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.palette.begin(ink, self.out);
        let (fitting, columns) = self.fitting(token);
        let (token, missing) = token.split_at(fitting);
        self.column += columns;
        let mut shown = 0;
        // Only strings contain such characters.
        for (at, c) in token.char_indices().filter(|(_, c)| is_hidden(*c)) {
            let before = token[..at].chars().next_back();
            if sanitize::is_needed_joiner(before, c, &token[at + c.len_utf8()..]) {
                continue;
            }
            self.out.extend_from_slice(&token.as_bytes()[shown..at]);
            escape(c, self.out);
            shown = at + c.len_utf8();
        }
        self.out.extend_from_slice(&token.as_bytes()[shown..]);
        if !missing.is_empty() {
            sanitize::cut_mark(missing.len() as u64, usize::MAX, self.out);
        }
        self.palette.end(self.out);
    }

    /// How many bytes of a token fit into the line before a comma, and their columns.
    fn fitting(&self, token: &str) -> (usize, usize) {
        let room = self.width.saturating_sub(self.column + ",".len());
        let columns = |c: char| match is_hidden(c) {
            true => 6 * c.len_utf16(),
            false => c.width().unwrap_or_default(),
        };
        let all = token.chars().map(columns).sum();
        if all <= room {
            return (token.len(), all);
        }
        let room = room.saturating_sub(sanitize::cut_mark_columns(token.len() as u64));
        let mut used = 0;
        let end = token.char_indices().find(|(_, c)| {
            used += columns(*c);
            used > room
        });
        (end.map_or(token.len(), |(at, _)| at), self.width)
    }
}

/// Appends a character as JSON escapes it: `\u` and four digits, two of these beyond U+FFFF.
pub(super) fn escape(c: char, out: &mut Vec<u8>) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let [high, low] = unit.to_be_bytes();
        out.extend_from_slice(b"\\u");
        out.extend_from_slice(&number::hex_pair(high));
        out.extend_from_slice(&number::hex_pair(low));
    }
}

/// "Insignificant whitespace" (RFC 8259 §2).
fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
