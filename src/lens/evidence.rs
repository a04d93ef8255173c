//! Recognises the protocol of a conversation by evidence.
//!
//! One sign may be a coincidence, such as a path `/ws` or a message that begins with a digit. Two
//! signs of different kinds are enough.

use std::fmt;

use super::facts::LensFacts;
use super::interface::Protocol;
use super::message::LensMessage;
use super::payload::inflate::inflate_within;
use super::text::brief;

/// Evidence for a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The user named it.
    Asked,
    /// The agreed subprotocol.
    Subprotocol(String),
    /// The path or query of the request.
    Url(String),
    /// A message of the client.
    ClientMessage,
    /// A message of the server.
    ServerMessage,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("as asked for"),
            Self::Subprotocol(name) => write!(f, "subprotocol {}", brief(name)),
            Self::Url(url) => write!(f, "URL {}", brief(url)),
            Self::ClientMessage => f.write_str("the client's first messages"),
            Self::ServerMessage => f.write_str("the server's first messages"),
        }
    }
}

/// How many messages may pass before the protocol is recognised.
const MESSAGES: usize = 6;

/// How many messages may pass if they are short together: a protocol whose packets span messages
/// may send a byte in each.
const SHORT: usize = 64;

/// How many bytes of them are read at most.
const BYTES: usize = 64 * 1024;

/// Collects evidence until there is enough for a protocol.
#[derive(Debug)]
pub(super) struct Watch {
    candidates: Vec<(&'static Protocol, Vec<Evidence>)>,
    enough: usize,
    /// The messages so far, for the lens that is chosen.
    begun: Vec<EarlyMessage>,
}

/// A message from before a lens was chosen.
#[derive(Debug)]
pub(super) struct EarlyMessage {
    content: Vec<u8>,
    message: LensMessage<'static>,
}

impl EarlyMessage {
    pub(super) fn message(&self) -> LensMessage<'_> {
        LensMessage { content: &self.content, ..self.message }
    }
}

/// The result of watching.
pub(super) enum WatchResult {
    /// Nothing yet.
    Unclear,
    /// A protocol, its evidence, and the earlier messages.
    Clear(&'static Protocol, Vec<Evidence>, Vec<EarlyMessage>),
    /// No protocol was recognised.
    Hopeless,
}

impl Watch {
    /// Watches for one of `protocols`.
    pub(super) fn new(facts: &LensFacts, protocols: &[&'static Protocol], enough: usize) -> Self {
        let known = |protocol: &'static Protocol| {
            let named = facts
                .subprotocol
                .as_ref()
                .filter(|name| protocol.subprotocols.contains(&name.to_ascii_lowercase().as_str()));
            let named = named.map(|name| Evidence::Subprotocol(name.clone()));
            let url = (protocol.url)(&facts.url).then(|| Evidence::Url(facts.url.clone()));
            (protocol, named.into_iter().chain(url).collect())
        };
        let mut candidates: Vec<(_, Vec<_>)> = protocols.iter().copied().map(known).collect();
        // If both ends have agreed on a protocol, no other one is possible.
        let agreed = |(_, evidence): &(_, Vec<Evidence>)| {
            evidence.iter().any(|sign| matches!(sign, Evidence::Subprotocol(_)))
        };
        if candidates.iter().any(agreed) {
            candidates.retain(agreed);
        }
        Self { candidates, enough, begun: Vec::new() }
    }

    /// Whether there is already enough evidence.
    pub(super) fn judge(&mut self) -> WatchResult {
        match self.candidates.iter().find(|(_, evidence)| evidence.len() >= self.enough) {
            None => WatchResult::Unclear,
            Some((protocol, evidence)) => {
                WatchResult::Clear(protocol, evidence.clone(), std::mem::take(&mut self.begun))
            }
        }
    }

    /// The protocol with the most evidence in subprotocol and URL, before a message is certain.
    pub(super) fn likely(&self) -> Option<(&'static Protocol, &[Evidence])> {
        let known = |(_, evidence): &&(_, Vec<Evidence>)| {
            let sign =
                |sign: &Evidence| matches!(sign, Evidence::Subprotocol(_) | Evidence::Url(_));
            evidence.iter().any(sign)
        };
        // If several are equally likely, the first one.
        let all = self.candidates.iter().rev().filter(known);
        let (protocol, evidence) = all.max_by_key(|(_, evidence)| evidence.len())?;
        Some((protocol, evidence))
    }

    /// Whether this protocol is still possible, by its name or word.
    pub(super) fn includes(&self, word: &str) -> bool {
        self.candidates.iter().any(|(protocol, _)| [protocol.name, protocol.word].contains(&word))
    }

    /// The protocol for a command that names one, and the earlier messages: the protocol that
    /// carries it if there is evidence for that, otherwise the named protocol.
    pub(super) fn speaks(
        &mut self,
        word: &str,
        facts: &LensFacts,
    ) -> Option<(&'static Protocol, Vec<EarlyMessage>)> {
        let is_it = |protocol: &Protocol| [protocol.name, protocol.word].contains(&word);
        let all = self.candidates.iter();
        let named = all.clone().filter(|(protocol, _)| is_it(protocol));
        // If several are equally likely, the first one.
        let best = named.rev().max_by_key(|(_, evidence)| evidence.len())?;
        let carrier = all.clone().find(|(protocol, evidence)| {
            !evidence.is_empty()
                && !is_it(protocol)
                && (protocol.lens)(facts).inner().is_some_and(|inner| inner.may_speak(word))
        });
        let chosen = carrier.unwrap_or(best).0;
        Some((chosen, std::mem::take(&mut self.begun)))
    }

    /// Examines a message.
    pub(super) fn take(&mut self, message: &LensMessage<'_>) -> WatchResult {
        if message.content.len() > BYTES {
            return WatchResult::Hopeless;
        }
        let new = match message.from_client() {
            true => Evidence::ClientMessage,
            false => Evidence::ServerMessage,
        };
        let joined = self.joined(message);
        // Every candidate reads it, so it has the size limit of an uncompressed message.
        let inflated = inflate_within(message.content, BYTES as u64).map(|(_, content)| {
            let text = std::str::from_utf8(&content).is_ok();
            EarlyMessage { content, message: LensMessage { content: &[], text, ..*message } }
        });
        let others = || [&joined, &inflated].into_iter().flatten();
        for (protocol, evidence) in &mut self.candidates {
            let counts = !protocol.begins_like_others || !evidence.is_empty();
            let begins = |message: &LensMessage<'_>| (protocol.beginning)(message);
            if counts
                && !evidence.contains(&new)
                && (begins(message) || others().any(|other| begins(&other.message())))
            {
                evidence.push(new.clone());
            }
        }
        let clear = self.judge();
        if !matches!(clear, WatchResult::Unclear) {
            return clear;
        }
        let content = message.content.to_vec();
        self.begun
            .push(EarlyMessage { content, message: LensMessage { content: &[], ..*message } });
        let bytes: usize = self.begun.iter().map(|begun| begun.content.len()).sum();
        let messages = if bytes < SHORT { SHORT } else { MESSAGES };
        match self.begun.len() < messages && bytes <= BYTES {
            true => WatchResult::Unclear,
            false => WatchResult::Hopeless,
        }
    }

    /// All messages of a direction joined, unless this is the first.
    fn joined(&self, last: &LensMessage<'_>) -> Option<EarlyMessage> {
        let of_same = |begun: &&EarlyMessage| begun.message.direction == last.direction;
        let mut before = self.begun.iter().filter(of_same).peekable();
        before.peek()?;
        let mut content: Vec<u8> = before.flat_map(|begun| begun.content.iter().copied()).collect();
        content.extend_from_slice(last.content);
        Some(EarlyMessage { content, message: LensMessage { content: &[], ..*last } })
    }
}
