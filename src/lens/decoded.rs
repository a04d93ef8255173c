//! What a lens reports about a packet.

use std::time::Duration;

use super::secrets::{Named, Secrets};
use super::speech::Outgoing;
use super::text::{brief, clipped, count, distinct};
use super::value::Value;

/// The largest number of characters in a summary.
const SUMMARY: usize = 240;

/// The largest number of characters in the key of a pair; a longer key is cut and gets a digest.
const KEY: usize = 256;

/// The largest number of packets that a message returns.
const PACKETS: usize = 1000;

/// The largest number of complaints about one packet.
const COMPLAINTS: usize = 8;

/// The meaning of a packet of the inner protocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// The name of the protocol, as in `stomp`.
    pub protocol: &'static str,
    /// The kind of packet, in the protocol's words.
    pub kind: String,
    /// A line about it, at most 240 characters. It may contain any text of a peer except control
    /// characters; printers escape it.
    pub summary: String,
    /// The content of the packet, in order.
    pub fields: Vec<(&'static str, Value)>,
    /// Its part in a pair of request and answer.
    pub pairing: Option<Pairing>,
    /// The request that it answers, if the request was seen; set by the conversation.
    pub answered: Option<Answered>,
    /// Rules of the inner protocol that it breaks.
    pub complaints: Vec<LensViolation>,
    /// Whether it only keeps the session alive.
    pub heartbeat: bool,
    /// The number of heartbeats of both sides since the last other packet; set by the conversation.
    pub beats_before: u64,
    /// How the message was compressed inside its frames, as in `gzip`; set by the conversation.
    pub inflated: Option<&'static str>,
    /// The answer that its receiver must send at once.
    pub reply: Option<Outgoing>,
    /// How it ends the session, if it does.
    pub ends: Option<Ends>,
    /// Whether it reports an error, such as a failed request; the session may go on.
    pub is_error: bool,
    /// The packets of another protocol that it carries.
    pub inner: Vec<Decoded>,
}

/// The first packets of a message, and the number of the others. All packets are read, so that the
/// lens knows their content, but a message of a million tiny packets must not produce a million
/// meanings. `None` if one of them is not a packet.
pub(super) fn packets(all: impl Iterator<Item = Option<Decoded>>) -> Option<Vec<Decoded>> {
    let (mut first, mut more) = (Vec::new(), 0);
    for packet in all {
        let packet = packet?;
        if first.len() < PACKETS {
            first.push(packet);
        } else {
            more += 1;
        }
    }
    if let Some(last) = first.last().filter(|_| more > 0) {
        first.push(Decoded::new(
            last.protocol,
            "more",
            format!("and {} more", count(more, "packet")),
        ));
    }
    Some(first)
}

/// How a packet ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Its sender refuses the session, or gives it up for the named reason.
    Refusing,
    /// Its sender has finished: the other side may end the connection.
    Leaving,
}

/// A packet's part in a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// A request: its key (unique in its direction), and its subject.
    Asks(String, String),
    /// A partial answer, by the key of the request.
    AnswersInPart(String),
    /// The last answer, by the key of the request.
    Answers(String),
    /// The sender of the request wants no answer any more, by the key of the request.
    Withdraws(String),
}

/// The request that a packet answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The subject of the request, as in `com.x.add`.
    pub about: String,
    /// The time from the request to this answer.
    pub after: Duration,
}

/// A violation of the inner protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LensViolation {
    /// The source of the rule, as in `STOMP 1.2, Value Encoding`.
    pub rule: &'static str,
    /// The fault, lower case, no full stop.
    pub text: String,
}

impl Decoded {
    /// A packet of this kind, with a summary.
    pub fn new(protocol: &'static str, kind: impl AsRef<str>, summary: impl AsRef<str>) -> Self {
        Self {
            protocol,
            kind: clipped(kind.as_ref(), 64),
            summary: clipped(summary.as_ref(), SUMMARY),
            ..Self::default()
        }
    }

    /// A packet that only keeps the session alive.
    pub(super) fn heartbeat(protocol: &'static str, kind: &str) -> Self {
        Self { heartbeat: true, ..Self::new(protocol, kind, kind) }
    }

    /// Adds a field.
    pub fn field(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a field, if there is a value for it.
    pub(super) fn field_if<V: Into<Value>>(self, name: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Marks it as a request.
    pub(super) fn asks(self, key: impl ToString, about: impl AsRef<str>) -> Self {
        self.paired(Pairing::Asks(key.to_string(), brief(about.as_ref())))
    }

    /// Marks it as the last answer to a request.
    pub(super) fn answers(self, key: impl ToString) -> Self {
        self.paired(Pairing::Answers(key.to_string()))
    }

    /// Marks it as a partial answer.
    pub(super) fn answers_in_part(self, key: impl ToString) -> Self {
        self.paired(Pairing::AnswersInPart(key.to_string()))
    }

    /// Marks it as the end of a request of the same side.
    pub(super) fn withdraws(self, key: impl ToString) -> Self {
        self.paired(Pairing::Withdraws(key.to_string()))
    }

    fn paired(mut self, mut pairing: Pairing) -> Self {
        let (Pairing::Asks(key, _)
        | Pairing::AnswersInPart(key)
        | Pairing::Answers(key)
        | Pairing::Withdraws(key)) = &mut pairing;
        if key.len() > KEY {
            *key = distinct(key, KEY);
        }
        self.pairing = Some(pairing);
        self
    }

    /// Adds a violation of a rule.
    pub(super) fn breaks(mut self, rule: &'static str, text: impl AsRef<str>) -> Self {
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(LensViolation { rule, text: clipped(text.as_ref(), SUMMARY) });
        }
        self
    }

    /// Adds a violation of a rule, if `wrong`.
    pub(super) fn breaks_if(self, wrong: bool, rule: &'static str, text: &str) -> Self {
        if wrong { self.breaks(rule, text) } else { self }
    }

    /// Adds a violation if its side was quiet for too long before it.
    pub(super) fn after_quiet(self, quiet: Option<Duration>, rule: &'static str) -> Self {
        match quiet {
            Some(quiet) => {
                // For a long time, fractions of a second do not matter.
                let is_long = quiet >= Duration::from_secs(2);
                let quiet = if is_long { Duration::from_secs(quiet.as_secs()) } else { quiet };
                let quiet = super::text::span(quiet);
                self.breaks(
                    rule,
                    format!(
                        "nothing was sent for {quiet} before it: the other side may close the \
                         connection"
                    ),
                )
            }
            None => self,
        }
    }

    /// Adds the answer that its receiver must send.
    pub(super) fn replied_by(mut self, reply: Outgoing) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Marks a packet that refuses the session.
    pub(super) fn refuses_if(self, refuses: bool) -> Self {
        if refuses { Self { ends: Some(Ends::Refusing), ..self } } else { self }
    }

    /// Marks a packet that reports an error.
    pub(super) fn fails_if(self, is_error: bool) -> Self {
        Self { is_error: self.is_error || is_error, ..self }
    }

    /// Marks a packet after which its sender leaves.
    pub(super) fn leaves_if(self, leaves: bool) -> Self {
        if leaves { Self { ends: Some(Ends::Leaving), ..self } } else { self }
    }

    /// How it, or a packet that it carries, ends the session.
    pub fn ending(&self) -> Option<Ends> {
        self.ends.or_else(|| self.inner.iter().find_map(Self::ending))
    }

    /// Whether it, or a packet that it carries, reports an error.
    pub fn fails(&self) -> bool {
        self.is_error || self.ends == Some(Ends::Refusing) || self.inner.iter().any(Self::fails)
    }

    /// The rule that it, or a packet that it carries, breaks.
    pub fn broken(&self) -> Option<&LensViolation> {
        self.complaints.first().or_else(|| self.inner.iter().find_map(Self::broken))
    }

    /// Limits the length of the summary after additions.
    pub(super) fn clip(mut self) -> Self {
        self.summary = clipped(&self.summary, SUMMARY);
        self
    }

    /// Adds the packets that it carries.
    pub(super) fn carrying(mut self, inner: Vec<Self>) -> Self {
        self.inner = inner;
        self
    }

    /// The line of a transcript: the summary, the answered request, the packets inside.
    pub fn line(&self) -> String {
        let mut line = self.summary.clone();
        if let Some(Answered { about, after }) = &self.answered {
            line.push_str(" (");
            if !about.is_empty() {
                line.push_str(about);
                line.push_str(", ");
            }
            line.push_str(&super::text::span(*after));
            line.push(')');
        }
        for (at, inner) in self.inner.iter().enumerate() {
            line.push_str(if at == 0 { " › " } else { " · " });
            line.push_str(&inner.line());
        }
        clipped(&line, 2 * SUMMARY)
    }

    /// Masks secrets: fields and values of keys with a secret name, also in JSON that a text
    /// quotes; and everything that `clean` removes from texts.
    pub fn mask(&mut self, secrets: &Secrets<'_>) {
        let Secrets { is_secret, mask, .. } = *secrets;
        let mut named = Named::default();
        self.fields.iter().for_each(|(_, value)| value.note_named(secrets, &mut named));
        for (name, value) in &mut self.fields {
            match value {
                // A flag is not a secret, whatever its name.
                Value::Bool(_) => {}
                value if is_secret(name) => *value = mask.into(),
                value => value.mask(secrets),
            }
        }
        let texts = self.complaints.iter_mut().map(|complaint| &mut complaint.text);
        let texts = texts.chain(self.answered.iter_mut().map(|answered| &mut answered.about));
        texts.chain([&mut self.summary]).for_each(|text| secrets.take_out_of(text, &named));
        // A mask may be longer than the secret.
        self.summary = clipped(&self.summary, SUMMARY);
        self.inner.iter_mut().for_each(|inner| inner.mask(secrets));
    }

    /// The value of a field of this packet or of the packets inside, by its name, as in `command`.
    /// A dot leads into a value, as in `headers.destination`.
    pub fn find(&self, name: &str) -> Option<&Value> {
        let (head, rest) = name.split_once('.').map_or((name, None), |(h, r)| (h, Some(r)));
        let own = self.fields.iter().find(|(field, _)| *field == head).map(|(_, value)| value);
        let found = match rest {
            None => own,
            Some(rest) => own.and_then(|value| value.path(rest)),
        };
        found.or_else(|| self.inner.iter().find_map(|inner| inner.find(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_by_name() {
        let headers = Value::from_iter([("login", "a".into()), ("passcode", "b".into())]);
        let mut decoded = Decoded::new("x", "y", "z").field("headers", headers);
        let inner = Decoded::new("x", "y", "z").field("password", "c").field("user", "d");
        let inner = inner.field("passed", true);
        decoded.inner.push(inner);
        decoded.summary =
            r#"EVENT {"password":"p\"q","n":1} {\"passcode\":\"x\"} "pass" f00d"#.into();
        decoded.mask(&Secrets {
            is_secret: &|name| name.starts_with("pass"),
            clean: &|text| text.replace("f00d", "-").into(),
            mask: "[redacted]",
        });
        let shown =
            r#"EVENT {"password":"[redacted]","n":1} {\"passcode\":\"[redacted]\"} "pass" -"#;
        assert_eq!(decoded.summary, shown);
        let value = |name| decoded.find(name).and_then(Value::as_str);
        assert_eq!(value("headers.login"), Some("a"));
        assert_eq!(value("headers.passcode"), Some("[redacted]"));
        assert_eq!(value("password"), Some("[redacted]"));
        assert_eq!(value("user"), Some("d"));
        assert_eq!(decoded.find("passed"), Some(&Value::Bool(true)));
    }

    #[test]
    fn a_silence_is_named_as_long_as_it_was() {
        for (millis, text) in [(450, "450 ms"), (1900, "1.9 s"), (61_900, "61 s")] {
            let quiet = Some(Duration::from_millis(millis));
            let decoded = Decoded::new("x", "y", "z").after_quiet(quiet, "rule");
            let complaint = &decoded.complaints[0].text;
            assert!(
                complaint.starts_with(&format!("nothing was sent for {text} before")),
                "{complaint}"
            );
        }
    }

    #[test]
    fn a_flood_of_packets_is_counted() {
        let flood = || std::iter::repeat_with(|| Some(Decoded::new("x", "y", "z")));
        let packets = packets(flood().take(5000)).expect("all are packets");
        assert_eq!(packets.len(), PACKETS + 1);
        assert_eq!(packets[PACKETS].summary, "and 4000 packets more");
        assert_eq!(super::packets(flood().take(3).chain([None])), None);
    }
}
