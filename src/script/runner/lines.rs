//! Where lines come from, and where they were found: files read whole, and the bytes of stdin.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use memchr::memchr;

use crate::net::plain_io::plain_io;
use crate::script::command::parse_for;
use crate::ui::sanitize::escaped;
use crate::wire::Role;

/// Longest line of stdin.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// Where a line was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Typed at the prompt: who typed it knows.
    Typed,
    /// Done every so often.
    Job,
    /// A line of a file or of stdin, from 1.
    Line(Arc<str>, u64),
}

impl Place {
    /// In words, where words are needed.
    pub fn tell(&self) -> Option<String> {
        match self {
            Self::Typed | Self::Job => None,
            Self::Line(name, line) => Some(format!("{name}: line {line}")),
        }
    }
}

/// The lines of a file.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    lines: VecDeque<String>,
    line: u64,
}

impl Default for Source {
    /// No line at all.
    fn default() -> Self {
        Self::of_lines::<String>("", [])
    }
}

impl Source {
    /// The same, if each of its lines is a command or a message on this side.
    ///
    /// # Errors
    ///
    /// The first line that is none; in words.
    pub fn checked(self, role: Role) -> Result<Self, String> {
        let mut lines = self.clone();
        while let Some((place, line)) = lines.next() {
            if let Err(error) = parse_for(&line, role) {
                return Err(format!("{}: {error}", place.tell().unwrap_or_default()));
            }
        }
        Ok(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It can't be read, or is not UTF-8; in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = escaped(path.as_os_str().as_encoded_bytes());
        let bytes = std::fs::read(crate::config::expand_home(path))
            .map_err(|error| format!("{name}: {}", plain_io(&error)))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("{name}: byte {at} is not UTF-8; write other bytes as \\xHH in a command")
        })?;
        Ok(Self::of_text(&name, &text))
    }

    /// The lines of a text that was read already.
    pub fn of_text(name: &str, text: &str) -> Self {
        let mut source = Self::of_lines(name, text.lines());
        // The line of an interpreter: a script can be a program.
        if let Some(first) = source.lines.front_mut()
            && first.starts_with("#!")
        {
            first.clear();
        }
        source
    }

    /// Lines that were given one by one.
    pub fn of_lines<L: Into<String>>(name: &str, lines: impl IntoIterator<Item = L>) -> Self {
        Self { name: name.into(), lines: lines.into_iter().map(Into::into).collect(), line: 0 }
    }

    /// The next line and its place.
    #[allow(clippy::should_implement_trait)] // a source is more than its lines
    pub fn next(&mut self) -> Option<(Place, String)> {
        let mut text = self.lines.pop_front()?;
        self.line += 1;
        let place = Place::Line(Arc::clone(&self.name), self.line);
        while continues(&text) {
            text.pop();
            let Some(more) = self.lines.pop_front() else { break };
            self.line += 1;
            text.push('\n');
            text.push_str(&more);
        }
        Some((place, text))
    }

    /// Lines that are left.
    pub fn left(&self) -> usize {
        self.lines.len()
    }
}

/// An odd number of backslashes at the end: the line goes on in the next one.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Why the bytes of stdin are no lines.
#[derive(Debug, PartialEq, Eq)]
pub enum LineError {
    /// Not UTF-8, at this byte of stdin.
    NotText(u64),
    /// No newline in sight.
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
    /// A line that goes on in the next one.
    unfinished: Option<(Place, String)>,
}

impl LineBuffer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line without its end; at the end of stdin also the last one without a newline. A
    /// backslash at its end goes on in the next one.
    ///
    /// # Errors
    ///
    /// What came is no line. The place is the line's.
    #[allow(clippy::should_implement_trait)] // it needs to know whether more comes
    pub fn next(&mut self, at_end: bool) -> Option<(Place, Result<String, LineError>)> {
        loop {
            let Some((place, line)) = self.next_plain(at_end) else {
                let rest = self.unfinished.take_if(|_| at_end);
                return rest.map(|(place, line)| (place, Ok(line)));
            };
            let line = match line {
                Ok(line) => line,
                Err(error) => return Some((place, Err(error))),
            };
            let (place, mut whole) = match self.unfinished.take() {
                Some((place, begun)) => (place, format!("{begun}\n{line}")),
                None => (place, line),
            };
            if !continues(&whole) {
                return Some((place, Ok(whole)));
            }
            whole.pop();
            self.unfinished = Some((place, whole));
        }
    }

    fn next_plain(&mut self, at_end: bool) -> Option<(Place, Result<String, LineError>)> {
        let end = match memchr(b'\n', &self.bytes[self.searched..]) {
            Some(found) => self.searched + found,
            None if at_end && self.start < self.bytes.len() => self.bytes.len(),
            None => {
                self.searched = self.bytes.len();
                let too_long = self.bytes.len() - self.start > MAX_LINE;
                return too_long.then(|| (self.place(1), Err(LineError::TooLong)));
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
        Some((self.place(0), result))
    }

    fn place(&self, ahead: u64) -> Place {
        Place::Line("stdin".into(), self.line + ahead)
    }
}

/// A text of the user's between slashes, harmless for a terminal.
pub fn quoted(regex: &str) -> String {
    format!("/{}/", escaped(regex.as_bytes()))
}
