//! One finding: an entry of the catalogue with its evidence, ready to be printed.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use super::clue::plain_told;
use super::{CatalogueEntry, Confidence, Facts, Family, Severity, entry};
use crate::wire::head::{Head, HeadKind};
use crate::wire::secret::is_secret;

/// The text that is shown instead of a secret.
const HIDDEN: &[u8] = b"(hidden)";

/// The most bytes of a body or a stream that are shown.
const SHOWN: usize = 64;

/// A cause that the words of a TLS library can name, too.
pub(super) const SELF_SIGNED: &str = "the certificate is self-signed";

/// A cause; the server's words in the answer to a plain GET replace this text.
pub(super) const PLAIN_TELLS: &str = "the server gives its reason in the answer to a plain GET";

/// The most causes that are named. More causes would explain nothing.
pub const CAUSES: usize = 3;

/// A cause that the facts do not rule out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supported {
    /// How sure it is.
    pub confidence: Confidence,
    /// The cause: lower case, no full stop.
    pub text: Cow<'static, str>,
    /// The fact that supports it; `None` if only the symptom does. Text from outside is raw:
    /// printers escape it.
    pub because: Option<String>,
}

/// An entry of the catalogue, adapted to this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The entry.
    pub entry: &'static CatalogueEntry,
    /// How serious it is in this run.
    pub severity: Severity,
    /// What happened: one line, lower case, no full stop. It is the entry's title, or one with the
    /// numbers of this run.
    pub title: Cow<'static, str>,
    /// The bytes that show it.
    pub span: Option<Span>,
    /// Observations, one sentence each, lower case, no full stop. Text from outside is raw:
    /// printers escape it.
    pub notes: Vec<String>,
    /// The causes that the facts leave possible, the surest first, at most three.
    pub causes: Vec<Supported>,
    /// What to do.
    pub help: Cow<'static, str>,
}

impl Diagnostic {
    /// The unchanged entry; `None` if there is no such code.
    pub fn of(code: &str) -> Option<Self> {
        let entry = entry(code)?;
        let (title, help) = (Cow::Borrowed(entry.title), Cow::Borrowed(entry.help));
        let severity = entry.severity;
        Some(Self { entry, severity, title, span: None, notes: vec![], causes: vec![], help })
    }

    /// The entry with those of its causes that the facts support or leave possible. The help is
    /// that of the surest cause, if it has its own.
    pub fn weighed(code: &str, facts: &Facts<'_>) -> Option<Self> {
        let mut diagnostic = Self::of(code)?;
        let mut found: Vec<(Supported, Option<&'static str>)> = Vec::new();
        for cause in diagnostic.entry.causes {
            let because = cause.clue.map(|clue| clue.seen(facts));
            let unsupported = because == Some(None);
            if unsupported || cause.unless.iter().any(|clue| clue.seen(facts).is_some()) {
                continue;
            }
            // No fact supports a guess. Its clue only decides whether it is named.
            let guess = cause.confidence == Confidence::Low;
            let because = because.flatten().filter(|_| !guess);
            let text = match plain_told(facts).filter(|_| cause.text == PLAIN_TELLS) {
                Some(told) => format!("to a plain GET, the server says \"{told}\"").into(),
                None => Cow::Borrowed(cause.text),
            };
            match found.iter_mut().find(|(other, _)| other.text == text) {
                // The same cause has a second clue.
                Some((other, help)) if other.confidence > cause.confidence => {
                    (other.confidence, other.because) = (cause.confidence, because);
                    *help = cause.help.or(*help);
                }
                Some(_) => {}
                None => {
                    let confidence = cause.confidence;
                    found.push((Supported { confidence, text, because }, cause.help));
                }
            }
        }
        // The sort is stable: among equal causes, the order of the catalogue stays.
        found.sort_by_key(|(cause, _)| cause.confidence);
        // If a cause is proved, guesses add nothing.
        let shown = found.first().is_some_and(|(cause, _)| cause.confidence == Confidence::High);
        if shown {
            found.retain(|(cause, _)| cause.confidence != Confidence::Low);
        }
        found.truncate(CAUSES);
        if let Some(help) = found.first().and_then(|(_, help)| *help) {
            diagnostic.help = Cow::Borrowed(help);
        }
        diagnostic.causes = found.into_iter().map(|(cause, _)| cause).collect();
        Some(diagnostic)
    }

    /// An error in one line: the title, the first cause if a fact supports it, then the symptom
    /// `seen`. Text from outside is raw.
    pub fn lead(&self, seen: &str) -> String {
        let cause = self.causes.first().filter(|cause| cause.confidence != Confidence::Low);
        // The symptom says the same in other words.
        let code = self.entry.code;
        let same = matches!(code, "W313" | "W801" | "W802" | "W816")
            || ("W101"..="W106").contains(&code)
            || ("W112"..="W116").contains(&code);
        let unread = self.entry.family == Family::CloseCode && self.title == self.entry.title;
        let again = code == "W310" && seen.contains("redirects");
        let repeats = same || unread || seen.contains(self.title.trim_start_matches("the "));
        match cause {
            // These are about a message, not about an end.
            _ if self.severity == Severity::Note
                || matches!(code, "W516" | "W518")
                || again
                || self.is_said_by(seen) =>
            {
                seen.to_owned()
            }
            None if repeats => seen.to_owned(),
            None => format!("{}; {seen}", self.title),
            Some(_) if repeats => format!("{}; {seen}", self.suspects()),
            Some(_) => format!("{}: {}; {seen}", self.title, self.suspects()),
        }
    }

    /// The surest cause. If it is not proved and the next one is as sure, both causes.
    pub fn suspects(&self) -> String {
        let first = self.causes.first().map(|cause| cause.confidence);
        let equal = |cause: &&Supported| Some(cause.confidence) == first;
        let most = if first == Some(Confidence::High) { 1 } else { 2 };
        let texts = self.causes.iter().filter(equal).take(most);
        texts.map(|cause| &*cause.text).collect::<Vec<_>>().join(", or ")
    }

    /// Whether a fact of this run proves the first cause.
    pub fn is_proved(&self) -> bool {
        self.causes.first().is_some_and(|cause| cause.confidence == Confidence::High)
    }

    /// Whether a fact of this run supports the first cause.
    pub fn is_supported(&self) -> bool {
        self.causes.first().is_some_and(|cause| cause.confidence != Confidence::Low)
    }

    /// Whether a text already names the surest cause.
    fn is_said_by(&self, seen: &str) -> bool {
        let own = |cause: &Supported| cause.text == SELF_SIGNED;
        seen.contains("self-signed certificate") && self.causes.first().is_some_and(own)
    }

    /// Removes the surest cause if the line above already names it.
    pub fn below(mut self, line: &str) -> Self {
        if self.is_said_by(line) {
            self.causes.remove(0);
        }
        self
    }

    /// Sets a title, for example with the numbers of this run.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// Adds a cause in front. The fact proves it.
    pub fn because(mut self, text: impl Into<Cow<'static, str>>, fact: impl Into<String>) -> Self {
        let (text, because) = (text.into(), Some(fact.into()));
        self.causes.retain(|cause| cause.confidence != Confidence::Low);
        self.causes.insert(0, Supported { confidence: Confidence::High, text, because });
        self.causes.truncate(CAUSES);
        self
    }

    /// Adds a cause in front of those that are not surer. The fact supports it.
    pub fn suggests(mut self, text: impl Into<Cow<'static, str>>, fact: impl Into<String>) -> Self {
        self.place(0, text, Some(fact.into()));
        self
    }

    /// Adds a cause that `because` supports at this position, or right after those that are surer.
    /// Returns the position. The help of the cause applies only if it is the first one.
    pub fn place(
        &mut self,
        at: usize,
        text: impl Into<Cow<'static, str>>,
        because: Option<String>,
    ) -> usize {
        let confidence = Confidence::Medium;
        let at = at.max(self.causes.partition_point(|cause| cause.confidence < confidence));
        self.causes.insert(at, Supported { confidence, text: text.into(), because });
        self.causes.truncate(CAUSES);
        at
    }

    /// Adds a cause with this confidence. A guess has no fact.
    pub fn judged(
        self,
        confidence: Confidence,
        text: impl Into<Cow<'static, str>>,
        fact: impl Into<String>,
    ) -> Self {
        match confidence {
            Confidence::High => self.because(text, fact),
            Confidence::Medium => self.suggests(text, fact),
            Confidence::Low => self.possible(text),
        }
    }

    /// Sets another severity.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the place of the evidence.
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into();
        self
    }

    /// Adds an observation.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds an observation, if there is one.
    pub fn note_if(self, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.note(text),
            None => self,
        }
    }

    /// Adds a cause to which only the symptom points.
    pub fn possible(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        if self.causes.len() < CAUSES {
            let (confidence, because) = (Confidence::Low, None);
            self.causes.push(Supported { confidence, text: text.into(), because });
        }
        self
    }

    /// Removes all causes, because the facts explain everything.
    pub fn certain(mut self) -> Self {
        self.causes.clear();
        self
    }

    /// Sets help that fits better than the entry's.
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }
}

/// An excerpt that shows the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where the bytes are.
    pub place: Place,
    /// The position of the first of `bytes` in that place, in bytes.
    pub offset: u64,
    /// The excerpt, without secrets.
    pub bytes: Vec<u8>,
    /// The marked bytes of the excerpt.
    pub marked: Range<usize>,
    /// What the marked bytes show; may be empty.
    pub label: String,
    /// How to show the bytes.
    pub form: Form,
}

/// Where an excerpt comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The URL as typed.
    Url,
    /// A line of the request's head, counted from 1.
    Request {
        /// The line.
        line: usize,
    },
    /// A line of the response's head, counted from 1.
    Response {
        /// The line.
        line: usize,
    },
    /// The response's body.
    Body,
    /// The first bytes of a connection, in place of a response or a ServerHello.
    FirstBytes,
    /// The peer's stream after the handshake.
    Stream,
    /// The first received message.
    Message,
    /// A frame of the peer's stream.
    Frame {
        /// Its number in its direction, from 1.
        number: u64,
        /// The time from the 101 to its arrival.
        after: Option<Duration>,
    },
}

/// How to show bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As text, escaped.
    Text,
    /// As hexadecimal digits.
    Hex,
    /// As hexadecimal digits, with their text.
    HexAndText,
}

impl Span {
    /// The status line or the request line.
    pub fn start_line(head: &Head, label: impl Into<String>) -> Self {
        let raw = head.raw();
        let end = raw.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(raw.len());
        // The target of a request may contain a token.
        let bytes = match head.request_line() {
            Some(line) => {
                let path = line.target.split(|byte| *byte == b'?').next().unwrap_or_default();
                [line.method, b" ", path].concat()
            }
            None => raw[..end].to_vec(),
        };
        let marked = 0..bytes.len();
        let place = place(head, 1);
        Self { place, offset: 0, bytes, marked, label: label.into(), form: Form::Text }
    }

    /// The first field with this name; its value is marked.
    pub fn header(head: &Head, name: &str, label: impl Into<String>) -> Option<Self> {
        let field = head.headers().find(|f| f.name.eq_ignore_ascii_case(name.as_bytes()))?;
        let (start, raw) = (field.line.start, head.raw());
        let number = raw[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        let (bytes, marked) = match is_secret(name) {
            true => {
                let before = raw[start..field.value_at.start].to_vec();
                let marked = before.len()..before.len() + HIDDEN.len();
                ([&before, HIDDEN].concat(), marked)
            }
            false => {
                let value = field.value_at;
                (raw[field.line.clone()].to_vec(), value.start - start..value.end - start)
            }
        };
        Some(Self {
            place: place(head, number),
            offset: start as u64,
            bytes,
            marked,
            label: label.into(),
            form: Form::Text,
        })
    }

    /// The field with this name, or the first line if there is none.
    pub fn header_or_start(head: &Head, name: &str, label: impl Into<String>) -> Self {
        let label = label.into();
        Self::header(head, name, label.clone()).unwrap_or_else(|| Self::start_line(head, label))
    }

    /// The first line of a body that is not blank.
    pub fn body(body: &[u8]) -> Option<Self> {
        let start = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &body[start..];
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let bytes = rest[..end.unwrap_or(rest.len()).min(2 * SHOWN)].to_vec();
        let marked = 0..bytes.len();
        Some(Self {
            place: Place::Body,
            offset: start as u64,
            bytes,
            marked,
            label: String::new(),
            form: Form::Text,
        })
    }

    /// The first bytes of a place, as hexadecimal digits and text.
    pub fn first(place: Place, bytes: &[u8], label: impl Into<String>) -> Self {
        let bytes = bytes[..bytes.len().min(SHOWN)].to_vec();
        let marked = 0..bytes.len();
        Self { place, offset: 0, bytes, marked, label: label.into(), form: Form::HexAndText }
    }

    /// Marks these bytes of the excerpt.
    pub fn marking(mut self, marked: Range<usize>) -> Self {
        let end = marked.end.min(self.bytes.len());
        self.marked = marked.start.min(end)..end;
        self
    }
}

fn place(head: &Head, line: usize) -> Place {
    match head.kind() {
        HeadKind::Request => Place::Request { line },
        HeadKind::Response => Place::Response { line },
    }
}
