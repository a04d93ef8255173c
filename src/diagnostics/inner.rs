//! The explanation of an end by the protocol inside. The lens of that protocol reads the kept
//! messages.

use std::time::Duration;

use super::Facts;
use super::facts::{CrossedMessage, HEARD_MOST};
use super::heard::is_goodbye;
use super::url::Url;
use crate::event::Direction;
use crate::lens::{
    AwaitedMessage, Carried, Conversation, Decoded, Ends, Evidence, LensFacts, LensMessage,
    PROTOCOLS, Protocol, find,
};
use crate::wire::Role;

/// The result of reading the kept messages with a lens.
#[derive(Debug)]
pub(super) struct InnerProtocol {
    /// The name of the protocol, for users.
    pub title: &'static str,
    /// Whether the subprotocol or the URL names the protocol. Otherwise, the form of the messages
    /// suggests it.
    pub is_named: bool,
    /// The packet by which the peer refused or gave up, and whether it is in the peer's last
    /// message. If it is not, only a goodbye followed.
    pub refusal: Option<(String, bool)>,
    /// What the lens read in each kept message, in their order.
    pub read: Vec<ReadMessage>,
    /// The packet by which the peer ended the session in order, if it is in the peer's last
    /// message.
    pub goodbye: Option<String>,
    /// The packet by which this side asked for the end, if it is in our last message.
    pub farewell: Option<String>,
    /// The rule that our last message broke.
    pub breach: Option<String>,
    /// Whether our last message is none of this protocol.
    pub is_foreign: bool,
    /// Whether a message of the peer is none of this protocol.
    pub is_peer_foreign: bool,
    /// The message that must follow for the conversation to continue.
    pub awaited: Option<AwaitedMessage>,
    /// The oldest request of the client without an answer.
    pub asked: Option<String>,
    /// The interval in which a client must send something.
    pub every: Option<Duration>,
}

/// What a lens read in a message.
#[derive(Debug)]
pub(super) struct ReadMessage {
    /// It only keeps the session alive, or only ends an exchange that another packet has answered.
    pub is_idle: bool,
    /// The packet that says that something failed.
    pub failure: Option<String>,
    /// The packet that wants an answer at once as a heartbeat, and that answer.
    pub beat: Option<(String, String)>,
}

impl InnerProtocol {
    /// The packet of the peer's newest message that says that something failed.
    pub fn failure(&self, kept: &[CrossedMessage<'_>]) -> Option<&str> {
        let mut theirs = kept.iter().zip(&self.read).rev().filter(|(one, _)| !one.ours);
        theirs.find(|(_, read)| !read.is_idle)?.1.failure.as_deref()
    }

    /// The peer's heartbeat that wants an answer, with the time since then, and that answer, if this
    /// side sent nothing after it. If messages are missing, one of ours may have been among them, so
    /// then only heartbeats and errors may come after it.
    pub fn beat(&self, facts: &Facts<'_>) -> Option<(Duration, &(String, String))> {
        let (kept, whole) = (facts.stream.kept, facts.stream.kept_all);
        let newest = kept.iter().zip(&self.read).rev().take_while(|(one, read)| {
            let idle = read.beat.is_some() || read.is_idle || read.failure.is_some();
            !one.ours && (whole || idle)
        });
        newest.into_iter().find_map(|(one, read)| Some((one.quiet, read.beat.as_ref()?)))
    }
}

/// Reads the kept messages, if the protocol inside is clear.
pub(super) fn inner(facts: &Facts<'_>) -> Option<InnerProtocol> {
    let header = |name| {
        let value = facts.response?.get(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let url = facts.url.map(Url::of);
    let lens_facts = LensFacts {
        subprotocol: header("Sec-WebSocket-Protocol"),
        host: url.map(|url| url.host.to_owned()).unwrap_or_default(),
        url: url.map(|url| format!("{}?{}", url.path, url.query)).unwrap_or_default(),
        ..LensFacts::default()
    };
    let kept = facts.stream.kept;
    let read = |talk: &mut Conversation| -> Vec<Vec<Decoded>> {
        let packets = kept.iter().map(|message| {
            let to_server = message.ours == (facts.role == Role::Client);
            let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
            let (text, content) = (message.text, message.content);
            let mut packets = talk.read(&LensMessage { direction, text, content, micros: 0 });
            packets.iter_mut().for_each(untimed);
            packets
        });
        packets.collect()
    };
    let name = lens_facts.subprotocol.as_deref().unwrap_or_default().to_ascii_lowercase();
    let agreed = PROTOCOLS.iter().copied().find(|one| one.subprotocols.contains(&&*name));
    let requested = || find(facts.wish?.speaks.as_ref()?.lens?);
    let named = agreed.or_else(requested);
    let mut auto = Conversation::auto(&PROTOCOLS, lens_facts.clone());
    let protocol = named.or_else(|| {
        read(&mut auto);
        auto.latest()
    })?;
    let names = |one: &Evidence| matches!(one, Evidence::Subprotocol(_) | Evidence::Url(_));
    let by_url = auto.protocol().is_some_and(|(_, evidence)| evidence.iter().any(names));
    let is_named = named.is_some() || by_url;
    let mut talk = Conversation::of(protocol, lens_facts);
    let read = read(&mut talk);
    // The peer's messages show the protocol; a message of this side may be a mistake.
    let misfit =
        |packet: &Decoded| packet.broken().is_some_and(|broken| broken.rule == protocol.title);
    let mut theirs = kept.iter().zip(&read).filter(|(message, _)| !message.ours);
    let is_peer_foreign = theirs.any(|(_, packets)| packets.iter().any(misfit));
    if agreed.is_none() && is_peer_foreign {
        return None;
    }
    let said = |ours: bool| {
        let own = kept.iter().zip(&read).filter(move |(message, _)| message.ours == ours);
        own.map(|(_, packets)| packets)
    };
    let of = |packets: &Vec<Decoded>, ends| {
        packets.iter().find(|packet| packet.ending() == Some(ends)).map(Decoded::line)
    };
    let last = said(true).next_back();
    // Of a longer message, only the beginning was kept.
    let ours = kept.iter().rfind(|message| message.ours);
    let is_whole = ours.is_some_and(|message| message.content.len() < HEARD_MOST);
    let breach = |packet: &Decoded| packet.broken().map(|broken| broken.text.clone());
    let beat = |packet: &Decoded| {
        let reply = packet.reply.as_ref()?;
        let text = String::from_utf8_lossy(reply.content.trim_ascii()).into_owned();
        packet.heartbeat.then(|| (packet.line(), text))
    };
    // Heartbeats after the packet change nothing.
    let beats = |packets: &&Vec<Decoded>| {
        !packets.is_empty() && packets.iter().all(|packet| packet.heartbeat)
    };
    let mut theirs = said(false).rev().skip_while(beats);
    let (newest, before) = (theirs.next(), theirs.next());
    let refused = |packets: Option<&Vec<Decoded>>, is_last| {
        packets.and_then(|packets| Some((of(packets, Ends::Refusing)?, is_last)))
    };
    // A refusal shortly before the end counts if only a goodbye followed.
    let heard = facts.stream.heard.as_ref().filter(|heard| !heard.before.is_empty());
    let goodbye = heard.is_some_and(|heard| is_goodbye(heard.content))
        || newest.is_some_and(|packets| of(packets, Ends::Leaving).is_some());
    let before = before.filter(|_| heard.is_some() && goodbye);
    let asked =
        talk.unanswered().find(|call| call.direction == Direction::ToServer).map(|call| call.about);
    Some(InnerProtocol {
        title: protocol.title,
        is_named,
        refusal: refused(newest, true).or_else(|| refused(before, false)),
        goodbye: newest.and_then(|packets| of(packets, Ends::Leaving)),
        farewell: last.and_then(|packets| of(packets, Ends::Leaving)),
        breach: last
            .filter(|_| facts.stream.kept_all && is_whole)
            .and_then(|packets| packets.iter().find_map(breach)),
        is_peer_foreign,
        is_foreign: last.is_some_and(|packets| packets.iter().any(misfit)),
        asked,
        awaited: talk.expects(),
        every: talk.beat().map(|beat| beat.every),
        read: read
            .iter()
            .map(|packets| ReadMessage {
                is_idle: packets
                    .iter()
                    .all(|one| one.heartbeat || !one.fails() && CLOSING.contains(&&*one.kind)),
                failure: packets.iter().find(|one| one.fails()).map(Decoded::line),
                beat: packets.last().and_then(beat),
            })
            .collect(),
    })
}

/// The protocol of the peer's first message, and the message of ours with which it goes on, if we
/// sent another one, or as a server none. A first message alone is little evidence, but enough for
/// that.
pub(super) fn unbegun(facts: &Facts<'_>) -> Option<(&'static str, AwaitedMessage)> {
    let kept = facts.stream.kept;
    let is_client = facts.role == Role::Client;
    let sent = is_client == kept.iter().any(|message| message.ours);
    let to = |of_client: bool| match of_client {
        true => Direction::ToServer,
        false => Direction::ToClient,
    };
    let read = |message: &CrossedMessage<'_>| LensMessage {
        direction: to(message.ours == is_client),
        text: message.text,
        content: &[],
        micros: 0,
    };
    let first = kept.iter().find(|message| !message.ours).filter(|_| sent)?;
    let greeting = LensMessage { content: first.content, ..read(first) };
    let fits = |one: &&Protocol| !one.begins_like_others && (one.beginning)(&greeting);
    let mut fitting = PROTOCOLS.iter().copied().filter(fits);
    let protocol = fitting.next().filter(|_| fitting.next().is_none())?;
    let mut talk = Conversation::of(protocol, LensFacts::default());
    for message in kept {
        talk.read(&LensMessage { content: message.content, ..read(message) });
    }
    let waits = talk.expects().filter(|waits| waits.direction == to(is_client))?;
    Some((protocol.title, waits))
}

/// The bytes that end a message in some protocols, in words.
const ENDS: [(&[u8], &str); 3] =
    [(b"\x1e", "the byte 0x1e"), (b"\0", "a NUL"), (b"\r\n", "CR and LF")];

/// The protocol in which a message of ours lacks its end, and that end. With the end, the server has
/// to go on; without it, this side has to.
pub(super) fn lacking_end(
    message: Option<&CrossedMessage<'_>>,
    inside: Option<&InnerProtocol>,
) -> Option<(&'static str, &'static str)> {
    let ours = message.filter(|one| one.ours && one.content.len() < HEARD_MOST)?;
    let known = inside.and_then(|inner| PROTOCOLS.iter().find(|one| one.title == inner.title));
    let protocols = known.into_iter().chain(PROTOCOLS.iter().filter(|_| known.is_none()));
    for protocol in protocols.filter(|one| !one.begins_like_others) {
        // Whether the message begins the protocol, and whether the server has to go on.
        let goes_on = |end: &[u8]| {
            let content = [ours.content, end].concat();
            let direction = Direction::ToServer;
            let message = LensMessage { direction, text: ours.text, content: &content, micros: 0 };
            let mut talk = Conversation::of(protocol, LensFacts::default());
            let packets = talk.read(&message);
            let sound = !packets.is_empty() && packets.iter().all(|one| one.broken().is_none());
            let waits = talk.expects().is_some_and(|one| one.direction == Direction::ToClient);
            (protocol.beginning)(&message) && sound && waits
        };
        if !goes_on(b"")
            && let Some((_, end)) = ENDS.iter().find(|(end, _)| goes_on(end))
        {
            return Some((protocol.title, end));
        }
    }
    None
}

/// Whether this client speaks the protocol of a lens: the lens finds no fault with its last message,
/// and no heartbeat waits for an answer.
pub(super) fn is_spoken(facts: &Facts<'_>, lens: &str) -> bool {
    let url = facts.url.map(Url::of).map(|url| format!("{}?{}", url.path, url.query));
    let lens_facts = LensFacts { url: url.unwrap_or_default(), ..LensFacts::default() };
    let Some(protocol) = find(lens) else { return false };
    let mut talk = Conversation::of(protocol, lens_facts);
    let mut spoken = false;
    for CrossedMessage { ours, text, content, .. } in facts.stream.kept.iter().copied() {
        let direction = if ours { Direction::ToServer } else { Direction::ToClient };
        let packets = talk.read(&LensMessage { direction, text, content, micros: 0 });
        spoken = match ours {
            true => !packets.is_empty() && packets.iter().all(|packet| packet.broken().is_none()),
            false => {
                let waits = |packet: &Decoded| packet.heartbeat && packet.reply.is_some();
                spoken && !packets.iter().any(waits)
            }
        };
    }
    spoken
}

/// Packets that only close an exchange, after another packet has answered it.
const CLOSING: [&str; 2] = ["phx_close", "complete"];

/// Whether an `/expect` waited for a message of the peer: for its content, or for the text of the
/// lens.
pub(super) fn is_expected(facts: &Facts<'_>, line: &str, content: &[u8]) -> bool {
    let content = &content[..content.len().min(HEARD_MOST)];
    let read = |one: &[u8]| !line.is_empty() && one.starts_with(line.as_bytes());
    facts.stream.expected.iter().any(|one| one == content || read(one))
}

/// Removes the times of answers, because the times of kept messages are unknown.
fn untimed(packet: &mut Decoded) {
    packet.answered = None;
    packet.inner.iter_mut().for_each(untimed);
}
