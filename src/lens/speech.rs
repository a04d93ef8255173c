//! Makes correct messages of the commands of a protocol.

use std::time::Duration;

use super::payload::json;
use super::value::Value;

/// A command of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechCommand {
    /// Its name, as in `subscribe`; empty for the command without a name.
    pub name: &'static str,
    /// Its arguments: `NAME` is required, `[NAME]` is optional; one that ends with `…` takes the
    /// rest of the line.
    pub arguments: &'static str,
    /// Its effect, in a sentence.
    pub help: &'static str,
    /// Example arguments.
    pub example: &'static str,
}

impl SpeechCommand {
    /// The command at the beginning of a line, and the rest of the line. The command without a name
    /// takes all other lines.
    pub fn find<'a, 'b>(
        commands: &'a [Self],
        line: &'b str,
    ) -> Result<(&'a Self, &'b str), SpeechError> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let named = |name: &str| commands.iter().find(|command| command.name == name);
        match (named(word), named("")) {
            (Some(command), _) => Ok((command, rest)),
            (None, Some(command)) => Ok((command, line)),
            (None, None) if commands.is_empty() => Err(SpeechError::Mute),
            (None, None) => Err(SpeechError::Unknown(word.to_owned())),
        }
    }
}

/// Whether a line of a protocol has a value for an argument with a secret name, as in `connect
/// LOGIN PASSCODE`.
pub fn gives_secret(
    commands: &[SpeechCommand],
    line: &str,
    is_secret: &dyn Fn(&str) -> bool,
) -> bool {
    let Ok((command, rest)) = SpeechCommand::find(commands, line) else { return false };
    let slots = command.arguments.split_whitespace();
    slots.zip(rest.split_whitespace()).any(|(slot, _)| is_secret(&slot.to_ascii_lowercase()))
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Whether it is text (not binary).
    pub text: bool,
    /// The content.
    pub content: Vec<u8>,
    /// A field of the answer that a line waits for, as in `rpc.id=3`.
    pub answer: Option<String>,
}

impl Outgoing {
    pub(super) fn text(content: impl Into<String>) -> Self {
        Self { text: true, content: content.into().into_bytes(), answer: None }
    }

    /// Waits for an answer with this field.
    pub(super) fn answered_by(self, field: String) -> Self {
        Self { answer: Some(field), ..self }
    }

    pub(super) fn json(value: impl Into<Value>) -> Self {
        Self::text(value.into().json())
    }

    pub(super) fn binary(content: Vec<u8>) -> Self {
        Self { text: false, content, answer: None }
    }
}

/// A message that keeps the session alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The longest time until the next one.
    pub every: Duration,
    /// The message.
    pub message: Outgoing,
}

impl Beat {
    /// A heartbeat as often as the other side or the protocol requires, but with a minimum
    /// interval, so that a peer can't make a client flood.
    pub(super) fn every(time: Duration, message: Outgoing) -> Self {
        Self { every: time.max(Duration::from_millis(100)), message }
    }
}

/// A command that can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// The protocol has no commands.
    #[error("this protocol has no commands")]
    Mute,
    /// The connection uses another protocol, or none.
    #[error("the lens of this connection is not {0}; /lens {0} chooses it")]
    OtherProtocol(String),
    /// The protocol does not have the command.
    #[error("no such command of the protocol: {0}")]
    Unknown(String),
    /// An argument is missing.
    #[error("{0} is missing")]
    Missing(String),
    /// There are too many arguments.
    #[error("more arguments than the command takes: {0}")]
    TooMany(String),
    /// An argument is invalid.
    #[error("{0}")]
    Wrong(String),
}

/// A word in quotes, as in `"two words"`, and the text after it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let (word, tail) = text[1..].split_once(quote)?;
    (tail.is_empty() || tail.starts_with(char::is_whitespace)).then_some((word, tail))
}

/// The arguments of a command, by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechArguments<'a>(Vec<&'a str>);

impl<'a> SpeechArguments<'a> {
    /// Splits a line into the arguments of a command.
    pub fn parse(command: &SpeechCommand, line: &'a str) -> Result<Self, SpeechError> {
        let mut rest = line.trim();
        let mut words = Vec::new();
        for slot in command.arguments.split_whitespace() {
            if rest.is_empty() {
                if slot.starts_with('[') {
                    break;
                }
                return Err(SpeechError::Missing(slot.trim_end_matches('…').to_owned()));
            }
            let whole = slot.contains('…');
            let (word, tail) = match rest.split_once(char::is_whitespace) {
                _ if whole => (rest, ""),
                pair => quoted(rest).or(pair).unwrap_or((rest, "")),
            };
            words.push(word);
            rest = tail.trim_start();
        }
        match rest {
            "" => Ok(Self(words)),
            rest => Err(SpeechError::TooMany(rest.to_owned())),
        }
    }

    /// An argument, empty if it was not given.
    pub(super) fn get(&self, at: usize) -> &'a str {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// An argument, if it was given.
    pub(super) fn given(&self, at: usize) -> Option<&'a str> {
        self.0.get(at).copied()
    }

    /// An argument as JSON; as a string if it is not JSON. `None` if it was not given.
    pub(super) fn json(&self, at: usize) -> Option<Value> {
        self.given(at).map(|text| json::read(text).unwrap_or_else(|| text.into()))
    }

    /// An argument as any number of values: JSON values or words, separated by spaces.
    pub(super) fn values(&self, at: usize) -> Vec<Value> {
        let mut rest = self.get(at);
        let mut values = Vec::new();
        while !rest.is_empty() {
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            // A value ends with its own bracket or at a space; `12x` is a word.
            let (value, end) = json::read_first(rest)
                .filter(|(_, end)| rest[*end..].chars().next().is_none_or(char::is_whitespace))
                .unwrap_or_else(|| (rest[..word].into(), word));
            values.push(value);
            rest = rest[end..].trim_start();
        }
        values
    }

    /// An argument as a number.
    pub(super) fn number(&self, at: usize, name: &str) -> Result<Option<u64>, SpeechError> {
        let wrong = |text| SpeechError::Wrong(format!("{name} is not a number: {text}"));
        self.given(at).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(arguments: &'static str) -> SpeechCommand {
        SpeechCommand { name: "x", arguments, help: "", example: "" }
    }

    #[test]
    fn arguments_are_taken_by_their_places() {
        let send = command("DEST [BODY…]");
        let parsed = SpeechArguments::parse(&send, " /topic/a  two words ").expect("both given");
        assert_eq!((parsed.get(0), parsed.get(1)), ("/topic/a", "two words"));
        assert_eq!(SpeechArguments::parse(&send, ""), Err(SpeechError::Missing("DEST".into())));
        let parsed = SpeechArguments::parse(&send, r#""two words"  "b" c"#).expect("both given");
        assert_eq!((parsed.get(0), parsed.get(1)), ("two words", r#""b" c"#));
        let parsed = SpeechArguments::parse(&send, "it's 'b'").expect("both given");
        assert_eq!((parsed.get(0), parsed.get(1)), ("it's", "'b'"));
        let none = command("");
        assert_eq!(SpeechArguments::parse(&none, "x y"), Err(SpeechError::TooMany("x y".into())));
    }

    #[test]
    fn secrets_are_known_by_the_names_of_their_arguments() {
        let connect = [SpeechCommand { name: "connect", ..command("[LOGIN] [PASSCODE]") }];
        let gives = |line| gives_secret(&connect, line, &|name| name.contains("pass"));
        assert!(gives("connect me pw") && !gives("connect me") && !gives("send a b"));
    }

    #[test]
    fn values_are_json_or_words() {
        let emit = command("ARGS…");
        let parsed =
            SpeechArguments::parse(&emit, r#"1 {"a": [2]} "b c" word 12x"#).expect("given");
        let values: Value = parsed.values(0).into_iter().collect();
        assert_eq!(values.json(), r#"[1,{"a":[2]},"b c","word","12x"]"#);
    }
}
