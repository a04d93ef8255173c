//! What the protocol inside says of an end: its lens reads the messages that were kept.

use std::time::Duration;

use super::Facts;
use super::facts::HEARD_MOST;
use super::heard::is_goodbye;
use super::url::Url;
use crate::event::Direction;
use crate::lens::{
    AwaitedMessage, Carried, Conversation, Decoded, Ends, Evidence, LensFacts, LensMessage,
    PROTOCOLS, find,
};
use crate::wire::Role;

/// What a lens read of the messages that were kept.
#[derive(Debug)]
pub(super) struct InnerProtocol {
    /// Its name for people.
    pub title: &'static str,
    /// Whether the subprotocol or the URL names it; otherwise the form of the messages suggests it.
    pub is_named: bool,
    /// The packet by which the peer refused or gave up; and whether it was in its last message, after
    /// which only a goodbye may have come.
    pub refusal: Option<(String, bool)>,
    /// The packet that says that something failed, if it is the peer's newest one but for heartbeats, and
    /// for the end of what failed.
    pub failure: Option<String>,
    /// The packet in the peer's last message by which it ended the session in order.
    pub goodbye: Option<String>,
    /// The packet by which this side asked for the end, if it was its last one.
    pub farewell: Option<String>,
    /// The rule that the last message of this side broke.
    pub breach: Option<String>,
    /// The heartbeat of the peer that wants an answer, if it was its last message, and that answer.
    pub beat: Option<(String, String)>,
    /// What has to come for the conversation to continue.
    pub awaited: Option<AwaitedMessage>,
    /// How often a client has to send something.
    pub every: Option<Duration>,
}

/// Reads the messages that were kept, if the protocol inside is clear.
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
    // What the peer sends shows the protocol; a message of this side may be a mistake.
    let misfit =
        |packet: &Decoded| packet.broken().is_some_and(|broken| broken.rule == protocol.title);
    let mut theirs = kept.iter().zip(&read).filter(|(message, _)| !message.ours);
    if agreed.is_none() && theirs.any(|(_, packets)| packets.iter().any(misfit)) {
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
    // The rest of a longer message is not known.
    let ours = kept.iter().rfind(|message| message.ours);
    let is_whole = ours.is_some_and(|message| message.content.len() < HEARD_MOST);
    let breach = |packet: &Decoded| packet.broken().map(|broken| broken.text.clone());
    let beat = |packet: &Decoded| {
        let reply = packet.reply.as_ref()?;
        let text = String::from_utf8_lossy(reply.content.trim_ascii()).into_owned();
        packet.heartbeat.then(|| (packet.line(), text))
    };
    let mut theirs = said(false).rev();
    let (newest, before) = (theirs.next(), theirs.next());
    let refused = |packets: Option<&Vec<Decoded>>, is_last| {
        packets.and_then(|packets| Some((of(packets, Ends::Refusing)?, is_last)))
    };
    // A refusal shortly before the end counts if only a goodbye followed.
    let heard = facts.stream.heard.as_ref().filter(|heard| !heard.before.is_empty());
    let goodbye = heard.is_some_and(|heard| is_goodbye(heard.content))
        || newest.is_some_and(|packets| of(packets, Ends::Leaving).is_some());
    let before = before.filter(|_| heard.is_some() && goodbye);
    Some(InnerProtocol {
        title: protocol.title,
        is_named,
        failure: failure(said(false)),
        refusal: refused(newest, true).or_else(|| refused(before, false)),
        goodbye: newest.and_then(|packets| of(packets, Ends::Leaving)),
        farewell: last.and_then(|packets| of(packets, Ends::Leaving)),
        breach: last
            .filter(|_| facts.stream.kept_all && is_whole)
            .and_then(|packets| packets.iter().find_map(breach)),
        beat: newest.and_then(|packets| packets.last()).and_then(beat),
        awaited: talk.expects(),
        every: talk.beat().map(|beat| beat.every),
    })
}

/// What only closes the exchange that another packet has answered.
const CLOSING: [&str; 2] = ["phx_close", "complete"];

/// The newest packet that says that something failed.
fn failure<'a>(theirs: impl DoubleEndedIterator<Item = &'a Vec<Decoded>>) -> Option<String> {
    let says = |one: &Decoded| !one.heartbeat && !CLOSING.contains(&&*one.kind);
    let newest = theirs.rev().find(|packets| packets.iter().any(says))?;
    newest.iter().find(|one| one.fails()).map(Decoded::line)
}

/// When a message was kept is not known, and so is how long an answer took.
fn untimed(packet: &mut Decoded) {
    packet.answered = None;
    packet.inner.iter_mut().for_each(untimed);
}
