//! The protocol inside the WebSocket, and the message that it expects first. wscope recognises it
//! by its first message, the subprotocol, the path and the host.

use serde_json::{Map, Value};

use super::clocks::seconds;
use super::findings::Findings;
use crate::diagnostics::clue::required_subprotocol;
use crate::diagnostics::conversation::Dialogue;
use crate::diagnostics::facts::{End, EndKind, SILENCE};
use crate::diagnostics::inner::{InnerProtocol, inner, is_spoken, lacking_end};
use crate::diagnostics::sniff::contains;
use crate::diagnostics::url::Url;
use crate::diagnostics::{Clue, Diagnostic, Facts, Family, Place, Severity, Span};
use crate::event::Direction;
use crate::wire::head::Head;
use crate::wire::{Data, OpCode, Role};

/// The byte at the end of SignalR's messages.
const RECORD_SEPARATOR: u8 = 0x1e;

/// The protocols that may be inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inside {
    pub engine_io: bool,
    pub graphql: bool,
    pub discord: bool,
    pub discord_voice: bool,
    pub pusher: bool,
}

impl Inside {
    pub fn of(facts: &Facts<'_>) -> Self {
        let url = facts.url.map(Url::of);
        let host = url.map(|url| url.host.to_ascii_lowercase()).unwrap_or_default();
        let path = url.map(|url| url.path.to_ascii_lowercase()).unwrap_or_default();
        let protocol = subprotocol(facts).unwrap_or_default();
        let first = first_message(facts);
        let discord = host.contains("discord");
        Self {
            engine_io: is_engine_io(first),
            graphql: protocol.starts_with("graphql") || path.contains("graphql"),
            discord: (discord && !host.contains("voice")) || is_discord(first),
            discord_voice: discord && host.contains("voice"),
            pusher: host.contains("pusher") || contains(first, b"pusher:"),
        }
    }
}

/// A hint about the protocol that the path or the port names, if the request lacks something that
/// it requires.
pub(super) fn path_hint(facts: &Facts<'_>) -> Option<String> {
    let url = Url::of(facts.url?);
    let path = url.path.to_ascii_lowercase();
    let offers = |word: &str| {
        let offered = |head: &Head| {
            head.tokens("Sec-WebSocket-Protocol").any(|name| contains(name, word.as_bytes()))
        };
        facts.request.is_some_and(offered)
    };
    if path.contains("socket.io") && !url.query.contains("transport=websocket") {
        return Some(
            "the path is Socket.IO's, which needs `?EIO=4&transport=websocket`".to_owned(),
        );
    }
    if path.contains("sockjs") && !path.ends_with("/websocket") {
        let text = "the path is SockJS's, whose raw WebSocket ends with `/websocket`";
        return Some(text.to_owned());
    }
    if url.port == Some(15674) && !offers("stomp") {
        let text = "at this port, RabbitMQ serves STOMP: at the path /ws, with `-s v12.stomp`";
        return Some(text.to_owned());
    }
    let (word, name) = required_subprotocol(&path).filter(|(word, _)| !offers(word))?;
    Some(format!("{word} in the path wants a subprotocol: `-s {name}`"))
}

pub(super) fn application(facts: &Facts<'_>, found: &mut Findings<'_>) {
    if !facts.is_open() {
        return;
    }
    let inside = inner(facts);
    let talk = Dialogue::of(facts, inside.as_ref());
    failed(facts, &talk, inside.as_ref(), found);
    foreign(facts, &talk, inside.as_ref(), found);
    let first = first_message(facts);
    let protocol = subprotocol(facts).unwrap_or_default();
    let span = |label: &str| (!first.is_empty()).then(|| Span::first(Place::Message, first, label));
    let code = if is_engine_io(first) {
        if is_engine_io_3(facts, first) { "W514" } else { "W501" }
    } else if first == b"o" {
        "W503"
    } else if is_action_cable(facts, &protocol, first) {
        "W508"
    } else if contains(first, b"pusher:connection_established") {
        "W509"
    } else if first.ends_with(&[RECORD_SEPARATOR]) && first.starts_with(b"{") {
        "W510"
    } else if is_discord(first) {
        "W513"
    } else {
        return silent(facts, &protocol, first, found);
    };
    // The help says what this side has done already.
    let lens = match code {
        "W503" => "sockjs",
        "W508" => "action-cable",
        "W509" => "pusher",
        "W510" => "signalr",
        "W513" => "discord",
        _ => "engine.io",
    };
    let newer = code == "W514" && facts.url.is_some_and(|url| Url::of(url).query.contains("EIO=4"));
    if !newer && is_spoken(facts, lens) {
        return;
    }
    let newer =
        newer.then_some("the URL asks for EIO=4, which this server does not speak: use EIO=3");
    found.add(code, |d| d.at(span("the first message")).note_if(newer));
}

/// Adds the first answer that refuses our request, if the peer has not ended the session.
fn failed(
    facts: &Facts<'_>,
    talk: &Dialogue<'_>,
    inside: Option<&InnerProtocol>,
    found: &mut Findings<'_>,
) {
    let mut refusals = talk.refusals();
    // Without a message of ours, only the protocol inside shows that the session is refused.
    let session = inside.and_then(|inner| inner.refusal.as_ref()).map(|(packet, _)| &**packet);
    let session = session.filter(|_| facts.stream.sent.is_none());
    let Some(first) = session.or_else(|| refusals.next()) else { return };
    // What quotes the answer as the cause of the end says more.
    let says = |text: &str| text.contains(first);
    let quoted = |d: &Diagnostic| {
        d.causes.iter().any(|cause| says(&cause.text)) || d.notes.iter().any(|note| says(note))
    };
    let known = ended_by_peer(facts) && found.found.iter().any(quoted);
    let unasked = facts.stream.sent.is_none() && session.is_none();
    if facts.role == Role::Server || unasked || known {
        return;
    }
    let failed = match session {
        Some(_) => format!("the server refuses the session: {first}"),
        None => format!("our request failed: {first}"),
    };
    let next = refusals.find(|next| *next != first).map(|next| format!("then came: {next}"));
    found.add("W516", |d| {
        match inside {
            Some(inner) if inner.is_named => {
                d.because(failed, format!("it is an error in {}", inner.title))
            }
            Some(inner) => d.suggests(failed, format!("it is an error in {}", inner.title)),
            None => d.suggests(failed, "it is marked as an error"),
        }
        .note_if(next)
    });
}

/// Adds our only message if it is none of the agreed protocol, or lacks its end, and only heartbeats
/// came after it.
fn foreign(
    facts: &Facts<'_>,
    talk: &Dialogue<'_>,
    inside: Option<&InnerProtocol>,
    found: &mut Findings<'_>,
) {
    let waited = facts.end.map_or(SILENCE / 2, |end| end.idle_data).max(facts.stream.ours_quiet);
    if facts.role == Role::Server
        || !(talk.is_ignored() && facts.stream.kept_all)
        || waited < SILENCE
        || ended_by_peer(facts)
    {
        return;
    }
    if let Some((title, end)) = lacking_end(facts.stream.kept.last(), inside) {
        return found.add("W518", |d| {
            d.title("no answer to a message without the end that its protocol requires")
                .suggests(endless(title, end), "no answer came to it")
                .help(SEND_END)
        });
    }
    if subprotocol(facts).is_none() {
        return;
    }
    let foreign = |inner: &&InnerProtocol| inner.is_foreign && !inner.is_peer_foreign;
    let Some(inner) = inside.filter(|inner| inner.is_named).filter(foreign) else { return };
    let fact = inner.breach.clone().unwrap_or_else(|| "it has another form".to_owned());
    let text = format!("our message is not one of {}", inner.title);
    found.add("W518", |d| d.suggests(text, fact));
}

/// The cause if the protocol inside shows that the server ended the session.
pub(super) const LEFT_INSIDE: &str = "the server ended the session on purpose";

/// The help for it.
pub(super) const LOOK_FOR_LIMITS: &str = "connect again; if that does not last, read the server's log: it may disconnect a client after a message, a login elsewhere or a limit";

/// The cause if our only message lacks its end.
pub(super) fn endless(title: &str, end: &str) -> String {
    format!("our message has no end: in {title}, {end} ends it")
}

/// The help for it.
pub(super) const SEND_END: &str = "send that end, too: `printf 'MESSAGE\\000' | wscope --input whole URL` (or `\\036`, `\\r\\n`), or the commands of the lens";

/// Adds a protocol that only the subprotocol names.
fn silent(facts: &Facts<'_>, protocol: &str, first: &[u8], found: &mut Findings<'_>) {
    let sent_text =
        facts.stream.sent.is_some_and(|(message, _)| message.opcode == OpCode::Data(Data::Text));
    if protocol == "mqtt" && sent_text {
        // The first packet is CONNECT, whose first byte is 0x10.
        let packet = facts.stream.sent.is_some_and(|(_, content)| content.starts_with(b"\x10"));
        found.add("W511", |d| match packet {
            true => d.note("the first message sent was text"),
            false => d
                .title("the first message sent is no packet of MQTT")
                .suggests(
                    "the server expects CONNECT, a packet in a binary frame",
                    "the message is text that does not begin as CONNECT does",
                )
                .help("begin with `/mqtt connect` in a script or at the prompt"),
        });
    }
    let sent = facts.stream.sent.map(|(_, content)| content);
    let connect = sent.is_some_and(|c| c.starts_with(b"CONNECT") || c.starts_with(b"STOMP"));
    // After a CONNECT, the ERROR has another cause.
    let bad = first.starts_with(b"ERROR") && contains(first, b"CONNECT") && !connect;
    // The server ended the connection without a message.
    let ended = first.is_empty() && ended_by_peer(facts);
    if protocol.ends_with(".stomp") && (bad || (ended && !connect)) {
        found.add("W507", |d| match bad {
            true => d.at(Span::first(Place::Message, first, "its ERROR frame")),
            // The missing CONNECT may or may not be the reason of the end.
            false => {
                d.severity(Severity::Note).note("no message has arrived, and no CONNECT was sent")
            }
        });
    }
    let lasted = facts.end.is_some_and(|end| end.lifetime >= 2 * SILENCE);
    if facts.stream.messages == 0
        && !protocol.is_empty()
        && lasted
        && facts.role == Role::Client
        && let Some(inner) = inner(facts)
        && let Some(waits) = inner.awaited.filter(|waits| waits.direction == Direction::ToClient)
    {
        let (title, message) = (inner.title, waits.message);
        found.add("W515", |d| {
            d.suggests(
                "the application behind it failed, or speaks another protocol",
                format!("{title} goes on with {message} of the server, and no message came"),
            )
        });
    }
    let unsaid = facts.stream.messages == 0 && !ended_by_peer(facts) && facts.role == Role::Client;
    if let Some(fact) = Clue::PathWantsSubprotocol.seen(facts).filter(|_| unsaid && lasted) {
        // Without a message of ours, the server had nothing to answer.
        let asked = sent.is_some();
        found.add("W517", |d| {
            let d = d.severity(if asked { Severity::Warning } else { Severity::Note });
            d.suggests("the server answers only clients that speak a subprotocol of it", fact)
        });
    }
    if protocol.starts_with("wamp.2") && ended && sent.is_none() {
        found.add("W512", |d| d.note("no message has arrived"));
    }
    unheard(facts, found);
}

/// Whether no frame came, although this side sent a message or a ping, and then waited before it
/// ended the session.
pub(super) fn is_unheard(facts: &Facts<'_>) -> bool {
    let asked = |end: End| facts.stream.sent.is_some() && end.idle_data >= SILENCE;
    let pinged = facts.pings.waiting.is_some_and(|since| since >= SILENCE);
    waited(facts).is_some_and(|end| asked(end) || pinged)
        && facts.stream.frames == 0
        && facts.stream.first.is_empty()
}

/// The end of a client's session that this side ended after some time, without a Close of the peer.
fn waited(facts: &Facts<'_>) -> Option<End> {
    let ours = |how| matches!(how, EndKind::Closed | EndKind::CloseTimeout | EndKind::NoPong);
    let client = facts.role == Role::Client && facts.close.received.is_none();
    facts.end.filter(|end| client && ours(end.how) && end.lifetime >= 2 * SILENCE)
}

/// Adds that nothing came, or nothing but pongs, although this side sent a message.
fn unheard(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let pings = &facts.pings;
    let Some(end) = waited(facts) else { return };
    let named = found
        .found
        .iter()
        .any(|other| other.entry.family == Family::Application && other.severity != Severity::Note);
    let pongs = pings.answered + pings.unsolicited;
    let ponged = facts.stream.sent.is_some()
        && end.idle_data >= SILENCE
        && pings.answered > 0
        && facts.stream.frames <= pongs;
    let time = seconds(end.lifetime);
    if named {
        return;
    }
    if is_unheard(facts) {
        let message = facts.stream.sent.map(|_| "our message".to_owned());
        let count = pings.unanswered;
        let sent = match count {
            0 => None,
            1 => Some("a ping".to_owned()),
            _ => Some(format!("{count} pings")),
        };
        let close = (end.how == EndKind::CloseTimeout).then(|| "our Close".to_owned());
        let unanswered: Vec<_> = [message, sent, close].into_iter().flatten().collect();
        found.add("W519", |d| {
            let d = match count {
                0 => d,
                _ => d.title("nothing was received after the opening, not even a pong"),
            };
            let d = d
                .note(format!("nothing came in {time} after the 101"))
                .note(format!("without an answer: {}", unanswered.join(", ")));
            // Only control frames were sent.
            match facts.stream.sent.is_none() && count > 0 {
                true => d.possible(
                    "the server's own code handles messages alone, and neither pings nor Close",
                ),
                false => d,
            }
        });
    } else if ponged {
        found.add("W519", |mut d| {
            // Those of the entry leave open whether anyone reads.
            d.causes.clear();
            d.title("no message was received after the opening, only pongs")
                .note(format!("no message came in {time} after the 101"))
                .note(format!("the peer answered {} of our pings", pings.answered))
                .possible("the application does not answer this message, or later")
                .possible("the program hangs, or keeps its answer in a buffer: behind a bridge such as websocketd it must flush its output")
                .help("check which message the application expects, whether it flushes its output, and read its log")
        });
    }
}

fn is_engine_io(first: &[u8]) -> bool {
    first.starts_with(b"0{\"sid\"")
}

/// Engine.IO 4 names maxPayload, except for its first releases. Those answer `40` with a session.
/// Socket.IO 2 sends a bare `40` without a request.
fn is_engine_io_3(facts: &Facts<'_>, first: &[u8]) -> bool {
    let query = facts.url.map(|url| Url::of(url).query).unwrap_or_default();
    let bare = facts.stream.second == Some(b"40");
    !contains(first, b"\"maxPayload\"") && (query.contains("EIO=3") || bare)
}

/// Whether the peer ended the connection, with or without a Close.
fn ended_by_peer(facts: &Facts<'_>) -> bool {
    let lost = facts.end.is_some_and(|end| matches!(end.how, EndKind::Fin | EndKind::Reset));
    let ours = facts.close.sent.is_some() && !facts.close.by_peer;
    (lost && !ours)
        || facts.close.by_peer && facts.close.received.is_some()
        || facts.is_closed_illegally()
}

/// The welcome of ActionCable is an object with the type, and with AnyCable the `sid`. With the
/// subprotocol, it may have more members. Many servers send a welcome; without the subprotocol, the
/// path or a ping must confirm ActionCable.
fn is_action_cable(facts: &Facts<'_>, protocol: &str, first: &[u8]) -> bool {
    let object = |content: &[u8]| serde_json::from_slice::<Map<String, Value>>(content).ok();
    let Some(members) = object(first) else { return false };
    let welcome = members.get("type").is_some_and(|kind| kind == "welcome");
    let bare = members.keys().all(|name| matches!(name.as_str(), "type" | "sid"));
    let path = || facts.url.is_some_and(|url| Url::of(url).path.ends_with("cable"));
    let is_ping = |members: Map<String, Value>| {
        members.get("type").is_some_and(|kind| kind == "ping")
            && members.get("message").is_some_and(Value::is_u64)
    };
    let theirs = || facts.stream.kept.iter().filter(|message| !message.ours);
    let pings = || theirs().filter_map(|message| object(message.content)).any(is_ping);
    welcome && (protocol.starts_with("actioncable-v1-") || bare && (path() || pings()))
}

fn is_discord(first: &[u8]) -> bool {
    contains(first, b"\"heartbeat_interval\"") && contains(first, b"\"op\":10")
}

fn first_message<'a>(facts: &Facts<'a>) -> &'a [u8] {
    facts.stream.message.map(|(_, content)| content).unwrap_or_default()
}

fn subprotocol(facts: &Facts<'_>) -> Option<String> {
    let response = facts.response?;
    let name = response.get("Sec-WebSocket-Protocol")?;
    Some(String::from_utf8_lossy(name).to_ascii_lowercase())
}
