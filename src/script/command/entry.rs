//! A row of the table of commands, and how its arguments are read from the line.

use crate::script::command::Command;
use crate::script::command::error::{ParseError, ParseFault, shown};
use crate::script::command::variables::Scope;
use crate::script::command::words::{TypedPath, Word, unquote};
use crate::wire::Role;

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct CommandEntry {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its group in lists.
    pub group: Group,
    /// Its arguments in order.
    pub args: &'static [Arg],
    /// What it does, in at most 47 characters, lower case, no full stop.
    pub summary: &'static str,
    /// What must be known beyond the summary: sentences, paragraphs divided by `\n`.
    pub help: &'static str,
    /// Example lines, each with its effect; at least one.
    pub examples: &'static [(&'static str, &'static str)],
    /// Whether `/every` and `/repeat` accept it.
    pub nesting: Nesting,
    /// Where it can be used.
    pub side: Availability,
    /// Reads its arguments.
    pub(crate) parse: fn(&mut Args<'_>) -> Result<Command, ParseError>,
}

/// The groups of commands in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Frames and messages.
    Send,
    /// The connection and how it behaves.
    Connection,
    /// Repetition, waiting, scripts.
    Script,
    /// Messages of the protocols that lenses read.
    Lens,
    /// What is shown, and how.
    Show,
    /// The prompt itself.
    Prompt,
}

impl Group {
    /// All, in the order of lists.
    pub const ALL: [Self; 6] =
        [Self::Send, Self::Connection, Self::Script, Self::Show, Self::Lens, Self::Prompt];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Send => "Sending",
            Self::Connection => "The connection",
            Self::Script => "Repeating, waiting, scripts",
            Self::Show => "Looking",
            Self::Lens => "Speaking the protocol of a lens",
            Self::Prompt => "The prompt",
        }
    }
}

/// On which side a command can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Both sides.
    Both,
    /// Only a client. A server gets this reason.
    Client(&'static str),
    /// Only a server. A client gets this reason.
    Server(&'static str),
    /// Only a proxy. A client gets this reason; a server finds out when it runs the command.
    Proxy(&'static str),
}

impl Availability {
    /// Why this side can't use a command; `None` if it can.
    pub fn refuses(self, role: Role) -> Option<&'static str> {
        match (self, role) {
            (Self::Client(reason), Role::Server)
            | (Self::Server(reason) | Self::Proxy(reason), Role::Client) => Some(reason),
            _ => None,
        }
    }

    /// The word that a list shows next to the command, if it is not for both: `client`, `server`.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Both => None,
            Self::Client(_) => Some("client"),
            Self::Server(_) => Some("server"),
            Self::Proxy(_) => Some("proxy"),
        }
    }
}

/// Whether `/every` and `/repeat` accept a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Both do.
    Yes,
    /// A command does not accept itself, for this reason; the other one of the two does.
    NotInItself(&'static str),
    /// Neither does, for this reason.
    No(&'static str),
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// As the usage shows it: in brackets if it may be left out.
    pub shown: &'static str,
    /// What kind of value it takes.
    pub kind: ArgKind,
}

impl Arg {
    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        self.shown.starts_with('[')
    }

    /// Whether it may be given several times.
    pub fn is_repeated(&self) -> bool {
        self.kind == ArgKind::FrameOption
    }

    /// Whether it takes the rest of the line, spaces included.
    pub fn is_rest(&self) -> bool {
        matches!(
            self.kind,
            ArgKind::Payload | ArgKind::Reason | ArgKind::Command | ArgKind::Header | ArgKind::Text
        )
    }
}

/// The kind of value of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// A payload, in one of its notations.
    Payload,
    /// One of these words, each with what it means.
    Choice(Choices),
    /// A [`View`](crate::script::command::View).
    View,
    /// [`Pretty`](crate::ui::pretty::Pretty).
    Pretty,
    /// [`Timestamps`](crate::script::command::Timestamps).
    Timestamps,
    /// A lens, `auto` or `none`.
    Lens,
    /// A command of the protocol of a lens.
    Spoken,
    /// A file, or one of these words.
    Path(Choices),
    /// A close code, as a number or a name.
    CloseCode,
    /// The reason of a Close.
    Reason,
    /// An opcode.
    Opcode,
    /// Opcodes, comma-separated.
    Opcodes,
    /// `KEY=VALUE` of `/frame`.
    FrameOption,
    /// The numbers of clients.
    Clients,
    /// A number, a time, an address or sizes: there is nothing to propose.
    Value,
    /// A regular expression.
    Regex,
    /// A header as for `-H`.
    Header,
    /// The rest of the line, unchanged.
    Text,
    /// A command or a text.
    Command,
    /// The name of a command.
    Topic,
}

/// Possible words, each with its meaning.
pub type Choices = &'static [(&'static str, &'static str)];

impl CommandEntry {
    /// The command with all its arguments, as in `/stop [N]`.
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for arg in self.args {
            usage.push(' ');
            usage.push_str(arg.shown);
        }
        usage
    }
}

/// The arguments of a command that have not been read yet.
#[derive(Clone, Debug)]
pub(crate) struct Args<'a> {
    /// The row of the command, for error messages.
    pub entry: &'static CommandEntry,
    /// The side that carries out the line.
    pub role: Role,
    /// The variables.
    pub scope: Scope<'a>,
    rest: Word<'a>,
}

impl<'a> Args<'a> {
    /// The arguments of `entry`; `rest` is all that follows its name.
    pub fn new(entry: &'static CommandEntry, role: Role, scope: Scope<'a>, rest: Word<'a>) -> Self {
        Self { entry, role, scope, rest }
    }

    /// The next word, with the values of variables; does not take it.
    pub fn peek(&self) -> Option<Word<'a>> {
        self.peek_raw().map(|word| self.scope.word(word))
    }

    /// The next word as written; does not take it.
    pub fn peek_raw(&self) -> Option<Word<'a>> {
        let rest = self.trimmed();
        let end = rest.text.find(char::is_whitespace).unwrap_or(rest.text.len());
        (end > 0).then(|| Word { text: &rest.text[..end], ..rest })
    }

    /// Takes the next word.
    pub fn word(&mut self) -> Option<Word<'a>> {
        let word = self.peek_raw()?;
        self.take_to(word.at + word.text.len());
        Some(self.scope.word(word))
    }

    /// Takes the next word, which must be there.
    ///
    /// # Errors
    ///
    /// [`ParseFault::Missing`] names `argument`.
    pub fn need(&mut self, argument: &'static str) -> Result<Word<'a>, ParseError> {
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

    /// The rest of the line, verbatim after one white space.
    pub fn rest(&self) -> Word<'a> {
        let separator = self.rest.text.chars().next().filter(|c| c.is_whitespace());
        self.rest.skip(separator.map_or(0, char::len_utf8))
    }

    /// The rest of the line, without white space before it.
    pub fn trimmed(&self) -> Word<'a> {
        self.rest.skip(self.rest.text.len() - self.rest.text.trim_start().len())
    }

    /// Takes a path: up to white space, in quotes, or with backslashes before spaces.
    ///
    /// # Errors
    ///
    /// The path is missing, or a quote is open.
    pub fn path(&mut self, argument: &'static str) -> Result<String, ParseError> {
        let rest = self.trimmed();
        let (path, len) = unquote(rest, false)?;
        if path.is_empty() {
            return Err(self.missing(argument));
        }
        self.take_to(rest.at + len);
        Ok(self.scope.text(Word { text: &path, ..rest })?.into_owned())
    }

    /// The next `NAME=VALUE`, and its length in bytes in the line. Quotes around the value or
    /// around the whole are removed.
    pub fn peek_assignment(&self) -> Option<(String, usize)> {
        let rest = self.trimmed();
        let (name, value) = rest.text.split_once('=')?;
        // A name has no white space. Inside quotes, white space does not end the name.
        let before = match value.starts_with('"') && !name.starts_with('"') {
            true if !name.contains(char::is_whitespace) => name.len() + 1,
            _ => 0,
        };
        let TypedPath { text, len, open } = TypedPath::read(&rest.text[before..], false);
        open.is_none().then(|| (rest.text[..before].to_owned() + &text, before + len))
    }

    /// Skips this many bytes of the line.
    pub fn take(&mut self, len: usize) {
        let rest = self.trimmed();
        self.take_to(rest.at + len);
    }

    /// Takes the text between the next delimiter and its partner. After a backslash, the delimiter
    /// is a part of the text; other backslashes are kept.
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
        Err(ParseFault::Open(delimiter).at(start.at))
    }

    /// Whether the next text is a quoted word. In a piece of JSON, text follows directly after the
    /// second quote, so it is not a quoted word.
    pub fn is_quoted(&mut self) -> bool {
        let before = self.rest;
        let goes_on =
            self.delimited('"').is_err_and(|error| !matches!(error.fault, ParseFault::Open(_)));
        self.rest = before;
        !goes_on
    }

    /// Takes a character if it is next and `follows` accepts the text after it.
    pub fn take_prefix(&mut self, prefix: char, follows: impl Fn(&str) -> bool) -> bool {
        let next = self.trimmed();
        let Some(rest) = next.text.strip_prefix(prefix).filter(|rest| follows(rest)) else {
            return false;
        };
        self.take_to(next.at + next.text.len() - rest.len());
        true
    }

    /// Checks that no argument is left.
    ///
    /// # Errors
    ///
    /// [`ParseFault::Surplus`]
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
        ParseFault::Missing { command, argument, usage: self.entry.usage() }.at(at)
    }

    fn surplus(&self, word: String, at: usize) -> ParseError {
        ParseFault::Surplus { word, usage: self.entry.usage() }.at(at)
    }

    /// Continues at a byte of the line.
    fn take_to(&mut self, at: usize) {
        self.rest = self.rest.skip(at - self.rest.at);
    }
}
