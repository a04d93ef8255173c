//! The session of the protocol inside one connection: its lens, its requests and answers, its
//! heartbeats.

use std::fmt::Write;
use std::time::Duration;

use super::decoded::Decoded;
use super::evidence::{EarlyMessage, Evidence, Watch, WatchResult};
use super::facts::LensFacts;
use super::interface::{AwaitedMessage, Carried, Lens, Protocol};
use super::message::{LARGEST, LensMessage, TOO_LARGE};
use super::pairs::{Pairs, UnansweredCall};
use super::payload::inflate::{inflate, is_inflated_beyond};
use super::payload::json;
use super::speech::{Beat, Outgoing, SpeechArguments, SpeechCommand, SpeechError};
use super::text::{count, span};
use crate::event::Direction;

/// How many unanswered requests the state lists.
const LISTED: usize = 20;

/// How many messages in a row an inner protocol may not understand: a single one may be a mistake,
/// but several mean that it is another protocol.
const MISFITS: usize = 3;

/// Reads the messages of one connection through a lens.
pub struct Conversation {
    facts: LensFacts,
    lens: LensState,
    pairs: Pairs,
    /// The numbers of heartbeats to the server and to the client.
    beats: [u64; 2],
    /// The number of heartbeats since the last other packet.
    beats_in_a_row: u64,
    /// Whether another conversation carries this one, and does its pairing and counting.
    is_carried: bool,
    /// How many messages in a row do not belong to the protocol.
    misfits: usize,
    /// The meanings of messages from before the protocol was known.
    earlier: Vec<Vec<Decoded>>,
    /// The lens that a message did not fit, with its state at that time.
    ended: Option<(&'static Protocol, Box<dyn Lens>)>,
}

enum LensState {
    Watching(Watch),
    Chosen { protocol: &'static Protocol, evidence: Vec<Evidence>, lens: Box<dyn Lens> },
    Off,
}

impl Conversation {
    /// Chooses a protocol by two kinds of evidence, and drops it if a message does not fit.
    pub fn auto(protocols: &[&'static Protocol], facts: LensFacts) -> Self {
        let watch = Watch::new(&facts, protocols, 2);
        Self::watching(facts, watch, false)
    }

    /// Reads a protocol that the user named; a message that does not fit is a violation.
    pub fn of(protocol: &'static Protocol, facts: LensFacts) -> Self {
        let mut new = Self::new(facts, LensState::Off, false);
        new.choose(protocol, vec![Evidence::Asked]);
        new
    }

    /// A conversation inside another one, in one of the protocols. The outer protocol is evidence
    /// itself, so only one more is needed.
    pub(super) fn carried(protocols: &[&'static Protocol], facts: &LensFacts) -> Self {
        let facts = LensFacts { subprotocol: None, ..facts.clone() };
        let watch = Watch::new(&facts, protocols, 1);
        Self::watching(facts, watch, true)
    }

    fn watching(facts: LensFacts, mut watch: Watch, is_carried: bool) -> Self {
        let clear = watch.judge();
        let mut new = Self::new(facts, LensState::Watching(watch), is_carried);
        if let WatchResult::Clear(protocol, evidence, _) = clear {
            new.choose(protocol, evidence);
        }
        new
    }

    fn new(facts: LensFacts, lens: LensState, is_carried: bool) -> Self {
        let (pairs, earlier) = (Pairs::default(), Vec::new());
        let (beats, beats_in_a_row, ended) = ([0; 2], 0, None);
        let misfits = 0;
        Self { facts, lens, pairs, beats, beats_in_a_row, is_carried, misfits, earlier, ended }
    }

    fn choose(&mut self, protocol: &'static Protocol, evidence: Vec<Evidence>) {
        let mut lens = (protocol.lens)(&self.facts);
        if self.facts.is_midway {
            // Earlier messages count as messages that were passed over.
            for direction in [Direction::ToServer, Direction::ToClient] {
                let before = LensMessage { direction, text: true, content: b"", micros: i64::MAX };
                lens.pass_over(&before, LARGEST as u64 + 1);
            }
        }
        self.lens = LensState::Chosen { protocol, evidence, lens };
    }

    /// The protocol and its evidence, once known.
    pub fn protocol(&self) -> Option<(&'static Protocol, &[Evidence])> {
        match &self.lens {
            LensState::Chosen { protocol, evidence, .. } => Some((protocol, evidence)),
            _ => None,
        }
    }

    /// The protocol, even if a message did not fit and ended it.
    pub fn latest(&self) -> Option<&'static Protocol> {
        let ended = self.ended.as_ref().map(|(protocol, _)| *protocol);
        self.protocol().map(|(protocol, _)| protocol).or(ended)
    }

    /// The likely protocol before it is certain, and the message that it begins with.
    pub fn likely(&self) -> Option<(&'static Protocol, AwaitedMessage)> {
        let LensState::Watching(watch) = &self.lens else { return None };
        let (protocol, _) = watch.likely()?;
        Some((protocol, (protocol.lens)(&self.facts).expects()?))
    }

    /// If the lens that a message did not fit reads this protocol, continues with its state;
    /// returns whether it does. From now on, it counts as named by the user.
    pub fn resume(&mut self, word: &str) -> bool {
        let own = |(protocol, _): &mut (&'static Protocol, _)| {
            [protocol.name, protocol.word].contains(&word)
        };
        let Some((protocol, lens)) = self.ended.take_if(own) else { return false };
        self.lens = LensState::Chosen { protocol, evidence: vec![Evidence::Asked], lens };
        true
    }

    /// Whether no lens will read messages, so that they need not be collected.
    pub fn is_off(&self) -> bool {
        matches!(self.lens, LensState::Off)
    }

    /// The meanings of messages from before the protocol was known, in order; returns them once,
    /// after the [`Conversation::read`] that decided the protocol.
    pub fn take_earlier(&mut self) -> Vec<Vec<Decoded>> {
        std::mem::take(&mut self.earlier)
    }

    /// The meaning of a message of `len` bytes, longer than [`LARGEST`], of which only the
    /// beginning was collected.
    pub fn pass_over(&mut self, beginning: &LensMessage<'_>, len: u64) -> Vec<Decoded> {
        match &mut self.lens {
            LensState::Off => return Vec::new(),
            LensState::Watching(_) => {
                self.lens = LensState::Off;
                return Vec::new();
            }
            LensState::Chosen { .. } => {}
        }
        self.read_chosen(beginning, len)
    }

    /// The meaning of a message: one for each packet that it completes.
    pub fn read(&mut self, message: &LensMessage<'_>) -> Vec<Decoded> {
        if let LensState::Watching(watch) = &mut self.lens {
            match watch.take(message) {
                WatchResult::Unclear => return Vec::new(),
                WatchResult::Hopeless => self.lens = LensState::Off,
                WatchResult::Clear(protocol, evidence, begun) => {
                    self.choose(protocol, evidence);
                    self.earlier = begun.iter().map(|begun| self.read_begun(begun)).collect();
                }
            }
        }
        self.read_chosen(message, message.content.len() as u64)
    }

    fn read_begun(&mut self, begun: &EarlyMessage) -> Vec<Decoded> {
        let message = begun.message();
        self.read_chosen(&message, message.content.len() as u64)
    }

    /// Reads a message of this length.
    fn read_chosen(&mut self, message: &LensMessage<'_>, len: u64) -> Vec<Decoded> {
        let LensState::Chosen { protocol, evidence, lens } = &mut self.lens else {
            return Vec::new();
        };
        let read = match len > LARGEST as u64 {
            false => read(lens.as_mut(), message),
            true => {
                let content = &message.content[..message.content.len().min(LARGEST)];
                let packets = lens.pass_over(&LensMessage { content, ..*message }, len);
                Some(packets.unwrap_or_else(|| vec![large(protocol, len)]))
            }
        };
        let mut packets = match read {
            Some(packets) => {
                self.misfits = 0;
                packets
            }
            None if let Some(why) = beyond(message) => {
                let begun = if message.text { lens.pass_over(message, len) } else { None };
                let text = format!("{len} B, {TOO_LARGE}");
                let mut packets =
                    begun.unwrap_or_else(|| vec![Decoded::new(protocol.name, "large", text)]);
                for packet in &mut packets {
                    if let Some(what) = packet.summary.strip_suffix(TOO_LARGE) {
                        packet.summary = format!("{what}{why}");
                    }
                }
                packets
            }
            None if evidence[..] == [Evidence::Asked]
                || self.is_carried && self.misfits < MISFITS =>
            {
                self.misfits += 1;
                let rule = protocol.title;
                let text = format!("{} B", message.content.len());
                let odd = Decoded::new(protocol.name, "unknown", text);
                vec![odd.breaks(rule, "the message is not one of this protocol")]
            }
            None => {
                if let LensState::Chosen { protocol, lens, .. } =
                    std::mem::replace(&mut self.lens, LensState::Off)
                {
                    self.ended = Some((protocol, lens));
                }
                return Vec::new();
            }
        };
        for packet in &mut packets {
            // The outer protocol carries the answers that the inner protocol requires.
            let owed = packet.inner.iter_mut().find_map(|inner| inner.reply.take());
            if let Some(owed) = owed {
                packet.reply.get_or_insert(lens.wrap(owed));
            }
        }
        if !self.is_carried {
            packets.iter_mut().for_each(|packet| self.account(message, packet));
        }
        packets
    }

    /// Pairs a packet and the packets inside it, and counts heartbeats.
    fn account(&mut self, message: &LensMessage<'_>, packet: &mut Decoded) {
        self.pairs.pair(message.direction, message.micros, packet);
        for inner in &mut packet.inner {
            self.pairs.pair(message.direction, message.micros, inner);
        }
        packet.heartbeat |=
            !packet.inner.is_empty() && packet.inner.iter().all(|inner| inner.heartbeat);
        if packet.heartbeat {
            self.beats[usize::from(!message.from_client())] += 1;
            self.beats_in_a_row += 1;
        } else {
            packet.beats_before = std::mem::take(&mut self.beats_in_a_row);
        }
    }

    /// Unanswered requests, the oldest first.
    pub fn unanswered(&self) -> impl ExactSizeIterator<Item = UnansweredCall> {
        self.pairs.unanswered()
    }

    /// The state of the conversation, a line for each fact.
    pub fn state(&mut self, now_micros: i64) -> String {
        let listed = |evidence: &[Evidence]| {
            evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let mut text = match &self.lens {
            LensState::Off => return "lens: none\n".to_owned(),
            LensState::Watching(watch) => {
                let mut text = "lens: none yet, too little evidence\n".to_owned();
                if let Some((Protocol { title, .. }, evidence)) = watch.likely() {
                    let _ = writeln!(text, "likely: {title} ({})", listed(evidence));
                }
                if let Some((_, expectation)) = self.likely() {
                    let _ = writeln!(text, "if so, {expectation}");
                }
                return text;
            }
            LensState::Chosen { protocol, evidence, .. } => {
                format!("lens: {} ({})\n", protocol.title, listed(evidence))
            }
        };
        // Writing to a String never fails.
        for (name, value) in self.known() {
            let _ = writeln!(text, "{name}: {}", super::text::clipped(&value, 400));
        }
        if let Some(expectation) = self.expects() {
            let _ = writeln!(text, "{expectation}");
        }
        if let Some(Beat { every, .. }) = self.beat() {
            let _ = writeln!(text, "keep-alive: a message every {}", span(every));
        }
        if self.beats != [0; 2] {
            let [to_server, to_client] = self.beats;
            let _ =
                writeln!(text, "heartbeats: {to_server} to the server, {to_client} to the client");
        }
        let waiting = self.unanswered();
        if waiting.len() > 0 {
            let _ = writeln!(text, "unanswered: {}", count(waiting.len(), "request"));
        }
        for UnansweredCall { direction, key, about, micros, .. } in waiting.take(LISTED) {
            let arrow = if direction == Direction::ToServer { '→' } else { '←' };
            let since = now_micros.saturating_sub(micros).try_into().unwrap_or(0);
            let since = span(Duration::from_micros(since));
            let _ = writeln!(text, "  {arrow} {} {about} for {since}", super::text::brief(&key));
        }
        if self.pairs.forgotten() > 0 {
            let _ =
                writeln!(text, "forgotten: {}", count(self.pairs.forgotten() as usize, "request"));
        }
        text
    }

    fn chosen(&mut self) -> Option<&mut dyn Lens> {
        match &mut self.lens {
            LensState::Chosen { lens, .. } => Some(lens.as_mut()),
            _ => None,
        }
    }
}

/// Also used for a conversation that is not inside another one.
impl Carried for Conversation {
    fn expects(&mut self) -> Option<AwaitedMessage> {
        let lens = self.chosen()?;
        lens.expects().or_else(|| lens.inner()?.expects())
    }

    fn beat(&mut self) -> Option<Beat> {
        let lens = self.chosen()?;
        lens.beat().or_else(|| {
            let Beat { every, message } = lens.inner()?.beat()?;
            Some(Beat { every, message: lens.wrap(message) })
        })
    }

    fn speak(&mut self, protocol: &str, line: &str) -> Result<Vec<Outgoing>, SpeechError> {
        let other = || SpeechError::OtherProtocol(protocol.to_owned());
        if let LensState::Watching(watch) = &mut self.lens {
            let (chosen, begun) = watch.speaks(protocol, &self.facts).ok_or_else(other)?;
            self.choose(chosen, vec![Evidence::Asked]);
            self.earlier = begun.iter().map(|begun| self.read_begun(begun)).collect();
        }
        let LensState::Chosen { protocol: own, lens, .. } = &mut self.lens else {
            return Err(other());
        };
        if [own.name, own.word].contains(&protocol) {
            let (command, rest) = SpeechCommand::find(own.commands, line)?;
            return lens.speak(command.name, &SpeechArguments::parse(command, rest)?);
        }
        let messages = lens.inner().ok_or_else(other)?.speak(protocol, line)?;
        let wrap = |message: Outgoing| {
            let answer = message.answer.clone();
            Outgoing { answer, ..lens.wrap(message) }
        };
        Ok(messages.into_iter().map(wrap).collect())
    }

    fn may_speak(&self, protocol: &str) -> bool {
        match &self.lens {
            LensState::Watching(watch) => watch.includes(protocol),
            LensState::Chosen { protocol: own, .. } => [own.name, own.word].contains(&protocol),
            LensState::Off => false,
        }
    }

    fn spoken(&mut self) -> Vec<&'static Protocol> {
        let LensState::Chosen { protocol, lens, .. } = &mut self.lens else { return Vec::new() };
        let mut spoken = vec![*protocol];
        spoken.extend(lens.inner().map(|inner| inner.spoken()).unwrap_or_default());
        spoken
    }

    fn known(&mut self) -> Vec<(&'static str, String)> {
        let Some(lens) = self.chosen() else { return Vec::new() };
        let mut known = lens.state();
        if let Some(inner) = lens.inner() {
            known.extend(inner.spoken().first().map(|inner| ("carries", inner.title.to_owned())));
            known.extend(inner.known());
        }
        known
    }
}

/// The meaning of a message that is too long.
fn large(protocol: &Protocol, len: u64) -> Decoded {
    Decoded::new(protocol.name, "large", format!("{len} B, {TOO_LARGE}"))
}

/// Why a message may belong to the protocol although no lens reads it.
fn beyond(message: &LensMessage<'_>) -> Option<&'static str> {
    match message.as_text() {
        Some(text) => json::is_too_deep(text).then_some("nested too deeply for a lens"),
        None => is_inflated_beyond(message.content).then_some("too large for a lens when inflated"),
    }
}

/// Reads a message, or its inflated content.
fn read(lens: &mut dyn Lens, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
    if let Some(packets) = lens.read(message) {
        return Some(packets);
    }
    let (how, content) = inflate(message.content)?;
    let text = std::str::from_utf8(&content).is_ok();
    let mut packets = lens.read(&LensMessage { text, content: &content, ..*message })?;
    packets.iter_mut().for_each(|packet| packet.inflated = Some(how));
    Some(packets)
}
