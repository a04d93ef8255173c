//! A lens for each connection: it reads the connection's messages, next to the sinks.
//!
//! Messages are collected only while a lens reads them, with at most 1 MiB for each direction.

use std::collections::VecDeque;

use crate::cli::lens::LensChoice;
use crate::config::LensConfig;
use crate::event::{ConnId, Direction, Event, FrameEvent, MessageInfo, Stamp};
use crate::lens::{
    AwaitedMessage, Beat, Carried, Conversation, Decoded, Evidence, LARGEST, LensFacts,
    LensMessage, Outgoing, PROTOCOLS, SpeechError, carrier_of,
};
use crate::session::Assembler;
use crate::ui::connections::PerConnection;
use crate::ui::filter::ClientSet;
use crate::ui::meaning::Meaning;
use crate::wire::{Data, Role};

/// How many received messages, and how many of their bytes, are kept with their meaning for
/// `/expect`.
const KEPT: (usize, usize) = (4096, 16 << 20);

/// The lenses of all connections.
#[derive(Default)]
pub struct Lenses {
    config: LensConfig,
    /// The side of the user. If there is one, the answers that a protocol requires and the received
    /// messages are kept.
    speaker: Option<Role>,
    owed: Vec<(ConnId, Outgoing)>,
    received: VecDeque<ReceivedMessage>,
    received_bytes: usize,
    readers: PerConnection<ConnectionLens>,
}

/// The results of an event.
#[derive(Default)]
pub struct Reading {
    /// Notes on the chosen lens and its evidence.
    pub notes: Vec<String>,
    /// The meanings of messages.
    pub meanings: Vec<Meaning>,
}

/// A received message.
struct ReceivedMessage {
    conn: ConnId,
    len: usize,
    packets: Vec<Decoded>,
}

/// The state of one connection.
#[derive(Default)]
struct ConnectionLens {
    facts: LensFacts,
    /// The lens has been chosen.
    begun: bool,
    /// Present while messages are read.
    reading: Option<Box<Conversing>>,
    /// The conversation up to a message that did not fit.
    ended: Option<Box<Conversing>>,
}

/// A conversation, and its messages that are arriving.
struct Conversing {
    conversation: Conversation,
    /// To the server and to the client.
    coming: [Assembler; 2],
    /// The messages before the protocol was known, by direction and number.
    begun: Vec<(Direction, u64)>,
    /// How many of the protocols have been reported.
    named: usize,
    /// When the last message went to the server, in microseconds since the epoch.
    sent: i64,
}

impl Lenses {
    /// Lenses with this configuration.
    pub fn new(config: LensConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Keeps the data that a user on this side needs.
    pub fn serve(&mut self, speaker: Option<Role>) {
        self.speaker = speaker;
    }

    /// Whether messages are read even if no sink needs their meaning.
    pub fn are_named(&self) -> bool {
        self.config.is_named()
    }

    /// Takes one event.
    #[inline]
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) -> Option<Reading> {
        match event {
            Event::Frame(direction, event) => self.frame(at, *direction, event),
            other => self.take_other(at, other),
        }
    }

    /// Takes an event that is not a frame's.
    #[cold]
    fn take_other(&mut self, at: &Stamp, event: &Event<'_>) -> Option<Reading> {
        match event {
            Event::Head(Direction::ToServer, head) => {
                let facts = &mut self.readers.of(at.conn).facts;
                // A relay shows a changed request a second time.
                if facts.url.is_empty() {
                    facts.url =
                        head.request_line().map(|line| text(line.target)).unwrap_or_default();
                    facts.host = head.get("host").map(text).unwrap_or_default();
                }
                None
            }
            Event::Open(agreed) => self.open(at.conn, agreed.subprotocol.clone()),
            // After a response without frames, another request may follow.
            Event::Head(Direction::ToClient, head)
                if head.status_line().is_none_or(|line| line.code >= 200) =>
            {
                self.readers.forget(at.conn);
                None
            }
            Event::End(_) | Event::Failed(_) | Event::Passed(_) => {
                self.readers.forget(at.conn);
                None
            }
            _ => None,
        }
    }

    /// Drops all connections.
    pub fn forget(&mut self) {
        self.readers = PerConnection::default();
    }

    /// Begins with the messages of a connection, with the agreed subprotocol.
    pub fn open(&mut self, conn: ConnId, subprotocol: Option<String>) -> Option<Reading> {
        if self.speaker == Some(Role::Client) {
            self.forget_received(&ClientSet::All);
            self.owed.clear();
        }
        let reader = self.readers.of(conn);
        reader.facts.subprotocol = subprotocol;
        reader.facts.is_midway = false;
        reader.begin(&self.config);
        reader.reading.as_mut().and_then(|reading| reading.reading(None))
    }

    #[inline]
    fn frame(
        &mut self,
        at: &Stamp,
        direction: Direction,
        event: &FrameEvent<'_>,
    ) -> Option<Reading> {
        let reader = self.readers.of(at.conn);
        // In case the user chooses another lens later.
        reader.facts.is_midway |= !reader.begun || matches!(event, FrameEvent::Message(_));
        // Most connections have no lens.
        if reader.begun && reader.reading.is_none() {
            return None;
        }
        self.read_frame(at, direction, event)
    }

    #[inline(never)]
    fn read_frame(
        &mut self,
        at: &Stamp,
        direction: Direction,
        event: &FrameEvent<'_>,
    ) -> Option<Reading> {
        let reader = self.readers.of(at.conn);
        if !reader.begun {
            // A capture without its handshake.
            reader.begin(&self.config);
        }
        let reading = reader.reading.as_mut()?;
        let FrameEvent::Message(info) = event else {
            reading.coming[direction as usize].take(event, |_| ());
            return None;
        };
        let mut found = reading.message(at, direction, info);
        if reading.conversation.is_off() {
            reader.ended = reader.reading.take();
        }
        if let Some(found) = &mut found {
            self.keep(at.conn, direction, info.len, found);
        }
        found
    }

    /// Keeps the required answer and the meaning of the last received message.
    fn keep(&mut self, conn: ConnId, direction: Direction, len: u64, found: &mut Reading) {
        let Some(last) = found.meanings.last_mut().filter(|meaning| !meaning.is_late) else {
            return;
        };
        if self.speaker.is_none_or(|role| direction == Direction::sent_by(role)) {
            return;
        }
        let room = KEPT.0 - self.owed.len().min(KEPT.0);
        let owed = last.packets.iter_mut().filter_map(|packet| packet.reply.take()).take(room);
        self.owed.extend(owed.map(|message| (conn, message)));
        let len = (len as usize).min(LARGEST);
        self.received.push_back(ReceivedMessage { conn, len, packets: last.packets.clone() });
        self.received_bytes += len;
        while self.received.len() > KEPT.0 || self.received_bytes > KEPT.1 {
            self.received_bytes -= self.received.pop_front().map_or(0, |oldest| oldest.len);
        }
    }

    /// Takes the first received message of these clients with a matching packet.
    pub fn find(&mut self, of: &ClientSet, test: &dyn Fn(&Decoded) -> bool) -> Option<Decoded> {
        let of_them = |(_, received): &(_, &ReceivedMessage)| of.includes(received.conn);
        let (at, packet) =
            self.received.iter().enumerate().filter(of_them).find_map(|(at, received)| {
                let found = received.packets.iter().find_map(|packet| within(packet, test));
                found.map(|packet| (at, packet.clone()))
            })?;
        self.received_bytes -= self.received.remove(at).map_or(0, |found| found.len);
        Some(packet)
    }

    /// Whether a received message of these clients has a matching packet.
    pub fn look_for(&self, of: &ClientSet, test: &dyn Fn(&Decoded) -> bool) -> bool {
        let of_them = self.received.iter().filter(|received| of.includes(received.conn));
        of_them.flat_map(|received| &received.packets).any(|packet| within(packet, test).is_some())
    }

    /// Drops the received messages of these clients.
    pub fn forget_received(&mut self, of: &ClientSet) {
        self.received.retain(|received| !of.includes(received.conn));
        self.received_bytes = self.received.iter().map(|received| received.len).sum();
    }

    /// The messages that must be sent now to keep sessions alive, and when the next one is due, in
    /// microseconds since the epoch; heartbeats only with `beats`.
    pub fn due(&mut self, now: i64, beats: bool) -> (Vec<(ConnId, Outgoing)>, Option<i64>) {
        let (mut due, mut next) = (std::mem::take(&mut self.owed), None);
        if beats && self.speaker == Some(Role::Client) {
            for conn in self.readers.ids() {
                let Some(reading) = &mut self.readers.of(conn).reading else { continue };
                let Some(Beat { every, message }) = reading.conversation.beat() else { continue };
                if reading.sent == i64::MAX {
                    reading.sent = now;
                }
                let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
                let mut at = reading.sent.saturating_add(every);
                if at <= now {
                    due.push((conn, message));
                    reading.sent = now;
                    at = now.saturating_add(every);
                }
                next = next.into_iter().chain([at]).min();
            }
        }
        (due, next)
    }

    /// The messages that carry out a line in a protocol. If the connection has no lens yet, this
    /// line chooses it.
    ///
    /// # Errors
    ///
    /// The connection uses another protocol, or the line can't be carried out now.
    pub fn speak(
        &mut self,
        conn: ConnId,
        word: &str,
        line: &str,
    ) -> Result<Vec<Outgoing>, SpeechError> {
        let reader = self.readers.of(conn);
        if reader.reading.is_none()
            && let Some(mut ended) = reader.ended.take()
            && ended.conversation.resume(word)
        {
            ended.coming = [0; 2].map(|_| Assembler::new(LARGEST));
            reader.reading = Some(ended);
        }
        if reader.reading.is_none() {
            let schema = self.config.schema.clone();
            reader.begin(&LensConfig { schema, ..LensConfig::default() });
        }
        match &mut reader.reading {
            Some(reading) => reading.conversation.speak(word, line),
            None => Err(SpeechError::OtherProtocol(word.to_owned())),
        }
    }

    /// Reads future messages with another choice, on all connections.
    pub fn choose(&mut self, choice: LensChoice) {
        self.config.choice = choice;
        self.config.paths.clear();
        for conn in self.readers.ids() {
            self.readers.of(conn).begin(&self.config);
        }
    }

    /// The choice for future connections.
    pub fn choice(&self) -> LensChoice {
        self.config.choice
    }

    /// The state of a conversation, a line for each fact.
    pub fn state(&mut self, conn: ConnId, now: i64) -> String {
        match &mut self.readers.of(conn).reading {
            Some(reading) => reading.conversation.state(now),
            None => "lens: none\n".to_owned(),
        }
    }

    /// The message that this end of a connection waits for, in words, if it waits for the other
    /// end.
    pub fn awaited_by(&mut self, conn: ConnId, waiting: Role) -> Option<String> {
        let conversation = &mut self.readers.of(conn).reading.as_mut()?.conversation;
        let of_other =
            |expectation: &AwaitedMessage| expectation.direction != Direction::sent_by(waiting);
        if let Some((protocol, expectation)) = conversation.likely() {
            let text = || format!("if this is {}, {expectation}", protocol.title);
            return of_other(&expectation).then(text);
        }
        conversation.expects().filter(of_other).map(|expectation| expectation.to_string())
    }
}

/// The packet, or a packet that it carries, that passes a test.
fn within<'p>(packet: &'p Decoded, test: &dyn Fn(&Decoded) -> bool) -> Option<&'p Decoded> {
    if test(packet) {
        return Some(packet);
    }
    packet.inner.iter().find_map(|inner| within(inner, test))
}

impl ConnectionLens {
    fn begin(&mut self, config: &LensConfig) {
        self.begun = true;
        self.facts.schema.clone_from(&config.schema);
        let facts = self.facts.clone();
        let conversation = match config.choice_of(&facts.url) {
            LensChoice::Off => {
                self.reading = None;
                return;
            }
            LensChoice::Auto => Conversation::auto(&PROTOCOLS, facts),
            LensChoice::Named(protocol) => Conversation::of(carrier_of(protocol), facts),
        };
        let coming = [0; 2].map(|_| Assembler::new(LARGEST));
        let (begun, named, sent) = (Vec::new(), 0, i64::MAX);
        self.reading = Some(Box::new(Conversing { conversation, coming, begun, named, sent }));
    }
}

impl Conversing {
    fn message(&mut self, at: &Stamp, direction: Direction, info: &MessageInfo) -> Option<Reading> {
        let conversation = &mut self.conversation;
        let end = FrameEvent::Message(info);
        let packets = self.coming[direction as usize].take(&end, |message| {
            let (text, content) = (message.opcode == Data::Text, message.content());
            let whole = LensMessage { direction, text, content, micros: at.micros };
            if message.len > content.len() as u64 {
                return conversation.pass_over(&whole, message.len);
            }
            conversation.read(&whole)
        });
        if direction == Direction::ToServer {
            self.sent = at.micros;
        }
        let number = info.number;
        if self.conversation.protocol().is_none() {
            self.begun.push((direction, number));
        }
        let packets = packets.unwrap_or_default();
        self.reading(Some(Meaning { direction, number, is_late: false, packets }))
    }

    /// The results since the last message.
    fn reading(&mut self, last: Option<Meaning>) -> Option<Reading> {
        let mut reading = Reading { notes: self.name(), meanings: Vec::new() };
        for packets in self.conversation.take_earlier() {
            let Some((direction, number)) = self.begun.drain(..1).next() else { break };
            reading.meanings.push(Meaning { direction, number, is_late: true, packets });
        }
        reading.meanings.extend(last);
        reading.meanings.retain(|meaning| !meaning.packets.is_empty());
        (!reading.notes.is_empty() || !reading.meanings.is_empty()).then_some(reading)
    }

    /// Reports the protocols that have become known since the last call.
    fn name(&mut self) -> Vec<String> {
        let spoken = self.conversation.spoken();
        let evidence = self.conversation.protocol().map_or(&[][..], |(_, evidence)| evidence);
        let notes = (self.named..spoken.len()).filter_map(|at| match at.checked_sub(1) {
            Some(outer) => Some(format!("lens: {} in {}", spoken[at].title, spoken[outer].title)),
            None if evidence == [Evidence::Asked] => None,
            None => {
                let evidence: Vec<_> = evidence.iter().map(ToString::to_string).collect();
                Some(format!("lens: {}, for {}", spoken[at].title, evidence.join(", ")))
            }
        });
        let notes = notes.collect();
        self.named = spoken.len();
        notes
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
