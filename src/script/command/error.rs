//! Why a line is not a command: what is wrong, where, and what is accepted instead.

use crate::net::target::TargetError;
use crate::ui::base64::Base64Fault;
use crate::ui::hex::HexFault;
use crate::ui::sanitize;
use crate::ui::suggest;
use crate::wire::handshake::headers::HeaderError;

/// All escapes, as the message about an unknown one and the help list them.
pub const KNOWN: &str = r#"\n \r \t \0 \e \a \b \\ \" \@ \xHH \u{1F600}"#;

/// Why an escape can't be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscapeFault {
    /// A backslash before something else.
    #[error("\\{} is not an escape; a backslash is written \\\\ (known: {KNOWN})", .found.escape_default())]
    Unknown {
        /// What follows the backslash.
        found: char,
    },
    /// A backslash at the end.
    #[error("a backslash at the end; a literal backslash is written \\\\ (known: {KNOWN})")]
    Nothing,
    /// `\x` without two digits.
    #[error("\\x needs two hex digits, as in \\x7f")]
    Byte,
    /// `\u` without a character's number.
    #[error("\\u needs a code point in braces, as in \\u{{1F600}}")]
    Character,
}

/// A line that can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    /// The byte offset of the fault in the line, on a character boundary; the length of the line if
    /// something is missing at its end.
    pub at: usize,
    /// What is wrong.
    pub fault: ParseFault,
}

/// What is wrong with a line, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFault {
    /// No row of the table has this name.
    #[error("unknown command /{}; {}", sanitize::escaped(name.as_bytes()), advice(near))]
    UnknownCommand {
        /// The word as typed, without its slash; cut if it is long.
        name: String,
        /// Commands that the user may have meant, best first; may be empty.
        near: Vec<&'static str>,
    },
    /// The command is for the other side.
    #[error("/{name} is not available here: {reason}")]
    OtherSide {
        /// The command's name.
        name: &'static str,
        /// Why this side can't use it.
        reason: &'static str,
    },
    /// The command does not act on single clients, so it takes no target.
    #[error("this command does not take a client; write it without @N or /to N")]
    NoTarget,
    /// The line ends too early.
    #[error("/{command} needs {argument}; usage: {usage}")]
    Missing {
        /// The command's name.
        command: &'static str,
        /// The first argument that is missing.
        argument: &'static str,
        /// The command with all its arguments.
        usage: String,
    },
    /// The protocol of the lens does not have this command.
    #[error("/{word}: {why}; /help {word} lists its commands")]
    NotSpoken {
        /// The protocol's word.
        word: &'static str,
        /// What is wrong.
        why: String,
    },
    /// More words than the command takes.
    #[error("unexpected argument {word}; usage: {usage}")]
    Surplus {
        /// The first surplus word, quoted.
        word: String,
        /// The command with all its arguments.
        usage: String,
    },
    /// A word that is not valid in its place.
    #[error("{word} is {not}; write {accepted}{}", meant(word, accepted))]
    Not {
        /// The word, quoted.
        word: String,
        /// What the word is not, as in `no close code`.
        not: &'static str,
        /// What is accepted.
        accepted: String,
    },
    /// An option is given twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// A command that can't be repeated.
    #[error("/{inner} can't be used in /{outer}: {reason}")]
    Nested {
        /// The command that repeats.
        outer: &'static str,
        /// The inner command.
        inner: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A quote or a slash without its partner.
    #[error("the {0} here is not closed")]
    Open(char),
    /// `@` without a path.
    #[error("no path after @; a text that begins with @ is written \\@")]
    NoPath,
    /// `code=` together with a payload from a file.
    #[error("with code=, the reason must be text, not @FILE")]
    ReasonFromFile,
    /// An escape that can't be resolved.
    #[error(transparent)]
    Escape(EscapeFault),
    /// The text after `hex:` is not hex.
    #[error("{word} is not hex: {fault}")]
    Hex {
        /// The payload, quoted and cut.
        word: String,
        /// What is wrong with it.
        fault: HexFault,
    },
    /// A payload that is hex by default is not hex.
    #[error("{word} is not hex: {fault}; for text write it in quotes")]
    HexOrQuotes {
        /// The payload, quoted and cut.
        word: String,
        /// What is wrong with it.
        fault: HexFault,
    },
    /// Not base64.
    #[error("{word} is not base64: {fault}")]
    Base64 {
        /// The payload, quoted and cut.
        word: String,
        /// What is wrong with it.
        fault: Base64Fault,
    },
    /// Not a regular expression.
    #[error("{word} is not a regular expression: {why}")]
    Regex {
        /// The expression, quoted and cut.
        word: String,
        /// What is wrong with it.
        why: String,
    },
    /// `${NAME}` of a variable that is not set.
    #[error("variable {0} is not set; set it with /set, or write $${{ for a literal ${{")]
    NoVariable(String),
    /// `${` without its brace.
    #[error("${{ without a closing }}; a literal ${{ is written $${{")]
    OpenVariable,
    /// This command can't be the answer to a message.
    #[error("/{0} can't be used in /on, which takes only commands that send something at once")]
    NoAnswer(&'static str),
    /// The text is not a rule.
    #[error("{}", sanitize::escaped(.0.as_bytes()))]
    Rule(String),
    /// The text is not a URL.
    #[error("{}", sanitize::escaped(.0.to_string().as_bytes()))]
    Url(TargetError),
    /// The text is not a header.
    #[error("{}", sanitize::escaped(.0.to_string().as_bytes()))]
    Header(HeaderError),
}

impl ParseError {
    /// Whether the error is about a variable: not set, or a wrong notation.
    pub fn is_about_variables(&self) -> bool {
        matches!(self.fault, ParseFault::NoVariable(_) | ParseFault::OpenVariable)
    }
}

impl ParseFault {
    /// The error of this fault at a byte of the line.
    pub(crate) fn at(self, at: usize) -> ParseError {
        ParseError { at, fault: self }
    }
}

/// A word for messages: quoted, escaped for a terminal, and cut.
pub(crate) fn shown(word: &str) -> String {
    let mut out = Vec::new();
    sanitize::fit_quoted(word.as_bytes(), false, 42, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The accepted word (from a comma-separated list) that the user probably meant.
fn meant(word: &str, accepted: &str) -> String {
    let choices = || accepted.split(", ");
    let word = word.trim_matches('"');
    match choices().count() > 1 && choices().all(|choice| !choice.contains(' ')) {
        true => suggest::did_you_mean("", word, choices()),
        false => String::new(),
    }
}

fn advice(near: &[&str]) -> String {
    match near {
        [] => "/help lists all commands; to send a text that begins with /, write //".to_owned(),
        _ => {
            let names: Vec<_> = near.iter().map(|name| format!("/{name}")).collect();
            format!("did you mean {}?", names.join(" or "))
        }
    }
}
