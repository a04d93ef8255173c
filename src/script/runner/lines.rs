//! Where lines come from: files, which are read whole, and the bytes of stdin.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use memchr::memchr;

use crate::script::command::variables::Variables;
use crate::script::command::{Command, Expected, parse_for, parse_with};
use crate::script::runner::file::read_whole;
use crate::ui::pattern::Pattern;
use crate::ui::sanitize::escaped;
use crate::wire::Role;

/// The longest line of stdin in bytes, together with the lines that continue it after a backslash.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// The position of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceLocation {
    /// Typed at the prompt, where the user sees it.
    Typed,
    /// Repeated by `/every`.
    Job,
    /// A line of a file or of stdin, from 1.
    Line(Arc<str>, u64),
}

impl SourceLocation {
    /// An error about this line, with its position in front if the user has to look for the line.
    pub fn error(&self, text: &str) -> String {
        match self {
            Self::Typed | Self::Job => text.to_owned(),
            Self::Line(name, line) => format!("{name}: line {line}: {text}"),
        }
    }
}

/// Lines that are known before the first one runs.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    lines: Lines,
    /// The number of the last line.
    line: u64,
}

#[derive(Clone, Debug)]
enum Lines {
    /// The lines of a text from this byte on. Lines are split only when they are read.
    OfText(Arc<str>, usize),
    /// Single lines; a newline in one of them belongs to it.
    Given(VecDeque<String>),
}

impl Default for Source {
    /// A source without lines.
    fn default() -> Self {
        Self::of_lines::<String>("", [])
    }
}

impl Source {
    /// Checks that each line is a command or a message on this side. `variables` are set before the
    /// first line; `None` means that any variable may be set, so variables are not checked.
    ///
    /// # Errors
    ///
    /// The first invalid line.
    pub fn checked(self, role: Role, variables: Option<Variables>) -> Result<Self, String> {
        let mut lines = self.clone();
        let mut variables = variables;
        while let Some((location, line)) = lines.next() {
            let varies = line.contains("${");
            let Some(known) = &mut variables else {
                if !varies {
                    parse_for(&line, role).map_err(|error| location.error(&error.to_string()))?;
                }
                continue;
            };
            match parse_with(&line, role, known) {
                Ok(Command::Set { name: Some(name), value: Some(value) }) => {
                    known.set(&name, value)
                }
                Ok(Command::Expect { expected: Expected::Content(pattern), .. }) => {
                    set_groups(&pattern, known);
                }
                Ok(Command::To { command: Some(command), .. }) => {
                    if let Command::Expect { expected: Expected::Content(pattern), .. } = *command {
                        set_groups(&pattern, known);
                    }
                }
                // The lines of that file may set other variables.
                Ok(Command::Source(_)) => variables = None,
                Ok(_) => {}
                // The value is not known yet.
                Err(error) if varies && !error.is_about_variables() => {}
                Err(error) => return Err(location.error(&error.to_string())),
            }
        }
        Ok(self)
    }

    /// Reads a file of at most 64 MiB. `timeout` limits the wait for the end of a pipe; `None` is
    /// no limit.
    ///
    /// # Errors
    ///
    /// It can't be read, is too large, or is not UTF-8; in words.
    pub fn read(path: &Path, timeout: Option<Duration>) -> Result<Self, String> {
        let name = escaped(path.as_os_str().as_encoded_bytes());
        let bytes = read_whole(path, timeout, "use --input commands for longer input")?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("{name}: byte {at} is not UTF-8; write other bytes as \\xHH in a command")
        })?;
        Ok(Self::of_text(&name, text))
    }

    /// The lines of a text.
    fn of_text(name: &str, text: String) -> Self {
        // A script can be executable: its first line then names the interpreter, and counts as
        // empty.
        let interpreter = text.starts_with("#!");
        let start = if interpreter { text.find('\n').unwrap_or(text.len()) } else { 0 };
        Self { name: name.into(), lines: Lines::OfText(text.into(), start), line: 0 }
    }

    /// Lines that were given one by one.
    pub fn of_lines<L: Into<String>>(name: &str, lines: impl IntoIterator<Item = L>) -> Self {
        let lines = Lines::Given(lines.into_iter().map(Into::into).collect());
        Self { name: name.into(), lines, line: 0 }
    }

    /// The next line and its position.
    #[allow(clippy::should_implement_trait)] // a source is more than its lines
    pub fn next(&mut self) -> Option<(SourceLocation, String)> {
        let mut text = self.next_plain()?;
        let location = SourceLocation::Line(Arc::clone(&self.name), self.line);
        while continues(&text) {
            text.pop();
            let Some(more) = self.next_plain() else { break };
            text.push('\n');
            text.push_str(&more);
        }
        Some((location, text))
    }

    fn next_plain(&mut self) -> Option<String> {
        let line = match &mut self.lines {
            Lines::Given(lines) => lines.pop_front()?,
            Lines::OfText(text, at) => {
                let rest = &text[*at..];
                let line = rest.lines().next()?;
                *at += memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
                line.to_owned()
            }
        };
        self.line += 1;
        Some(line)
    }

    /// Lines that are left.
    pub fn left(&self) -> usize {
        match &self.lines {
            Lines::Given(lines) => lines.len(),
            Lines::OfText(text, at) => text[*at..].lines().count(),
        }
    }

    /// Whether no line is left.
    pub fn is_empty(&self) -> bool {
        match &self.lines {
            Lines::Given(lines) => lines.is_empty(),
            Lines::OfText(text, at) => *at == text.len(),
        }
    }
}

/// Adds the groups of an expectation to the known variables; they get values when it is met.
fn set_groups(pattern: &Pattern, known: &mut Variables) {
    pattern.names().for_each(|name| known.set(name, "0"));
}

/// Whether a line ends with an odd number of backslashes, so that it continues in the next line.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Why the bytes of stdin are not lines.
#[derive(Debug, PartialEq, Eq)]
pub enum LineError {
    /// Not UTF-8, at this byte of stdin.
    NotText(u64),
    /// Longer than 64 MiB. No line follows.
    TooLong,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText(at) => write!(
                f,
                "byte {at} of the input is not UTF-8; write it as \\xHH in /text or /binary"
            ),
            Self::TooLong => write!(f, "a line has at most 64 MiB; /file sends more"),
        }
    }
}

/// Cuts the bytes of stdin into lines.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    start: usize,
    searched: usize,
    /// Bytes of stdin before `start`.
    offset: u64,
    line: u64,
    /// A line that continues in the next one.
    unfinished: Option<(SourceLocation, String)>,
}

impl LineBuffer {
    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line without its end; at the end of stdin also the last one without a newline. A
    /// backslash at its end continues in the next one.
    ///
    /// # Errors
    ///
    /// What arrived is not a line. The location is the line's. After [`LineError::TooLong`] stdin
    /// must not be read any more.
    #[allow(clippy::should_implement_trait)] // it needs to know whether more comes
    pub fn next(&mut self, at_end: bool) -> Option<(SourceLocation, Result<String, LineError>)> {
        loop {
            let Some((location, line)) = self.next_plain(at_end) else {
                let rest = self.unfinished.take_if(|_| at_end);
                return rest.map(|(location, line)| (location, Ok(line)));
            };
            let line = match line {
                Ok(line) => line,
                Err(error) => return Some((location, Err(error))),
            };
            let (location, mut whole) = match self.unfinished.take() {
                Some((location, mut begun)) => {
                    begun.push('\n');
                    begun.push_str(&line);
                    (location, begun)
                }
                None => (location, line),
            };
            if whole.len() > MAX_LINE {
                return Some((location, Err(LineError::TooLong)));
            }
            if !continues(&whole) {
                return Some((location, Ok(whole)));
            }
            whole.pop();
            self.unfinished = Some((location, whole));
        }
    }

    fn next_plain(&mut self, at_end: bool) -> Option<(SourceLocation, Result<String, LineError>)> {
        let end = match memchr(b'\n', &self.bytes[self.searched..]) {
            Some(found) => self.searched + found,
            None if at_end && self.start < self.bytes.len() => self.bytes.len(),
            None => {
                self.searched = self.bytes.len();
                let too_long = self.bytes.len() - self.start > MAX_LINE;
                return too_long.then(|| (self.location(1), Err(LineError::TooLong)));
            }
        };
        let line = &self.bytes[self.start..end];
        let result = match std::str::from_utf8(line) {
            Ok(text) => Ok(text.strip_suffix('\r').unwrap_or(text).to_owned()),
            Err(error) => Err(LineError::NotText(self.offset + error.valid_up_to() as u64)),
        };
        let next = (end + 1).min(self.bytes.len());
        self.offset += (next - self.start) as u64;
        (self.start, self.searched) = (next, next);
        self.line += 1;
        Some((self.location(0), result))
    }

    fn location(&self, ahead: u64) -> SourceLocation {
        SourceLocation::Line("stdin".into(), self.line + ahead)
    }
}
