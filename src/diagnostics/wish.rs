//! What a client of `listen` wanted and did not get, judged by its request.

use super::sniff::contains_word;
use crate::wire::head::Head;

/// What a client wanted that this server did not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The subprotocols it offered, none of which was agreed.
    pub offered: Vec<String>,
    /// The protocol that its request is of, and what to do about it.
    pub speaks: Option<(&'static str, &'static str)>,
}

impl Wish {
    /// For a client that was accepted with this subprotocol; `None` if it got what it wanted,
    /// judged by its request.
    pub fn of(request: &Head, agreed: Option<&str>) -> Option<Self> {
        let offered = match agreed {
            Some(_) => Vec::new(),
            None => request
                .tokens("Sec-WebSocket-Protocol")
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect(),
        };
        let speaks = kind(request);
        (!offered.is_empty() || speaks.is_some()).then_some(Self { offered, speaks })
    }
}

/// The protocol that a request is of, by its path and its subprotocols.
pub(super) fn kind(request: &Head) -> Option<(&'static str, &'static str)> {
    let target = request.request_line().map(|line| line.target.to_ascii_lowercase())?;
    let target = String::from_utf8_lossy(&target).into_owned();
    let path = target.split('?').next().unwrap_or_default();
    let offers = |word: &str| {
        request
            .tokens("Sec-WebSocket-Protocol")
            .any(|name| name.to_ascii_lowercase().starts_with(word.as_bytes()))
    };
    if path.contains("/socket.io") || path.contains("/engine.io") {
        Some((
            "this is a Socket.IO client, which waits for Engine.IO's open packet",
            "use a plain WebSocket client, or send the open packet first: `-x '0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}'`",
        ))
    } else if path.ends_with("/negotiate") {
        Some((
            "this is a SignalR client, which first negotiates with a POST",
            "skip the negotiation in the client (`skipNegotiation: true` with the transport WebSockets), or use a plain WebSocket client",
        ))
    } else if request.get("User-Agent").is_some_and(|agent| contains_word(agent, "signalr")) {
        Some((
            "this is a SignalR client, which waits for the answer to its handshake",
            "use a SignalR server, or let `--exec` answer `{}` and the separator 0x1e",
        ))
    } else if path.contains("/sockjs") {
        Some((
            "this is a SockJS client, which requests /info and waits for the frame o",
            "use a plain WebSocket client",
        ))
    } else if path.starts_with("/app/") && target.contains("protocol=") {
        Some((
            "this is a Pusher client, which waits for pusher:connection_established",
            "send it first: `-x '{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":\\\"1.1\\\",\\\"activity_timeout\\\":120}\"}'`",
        ))
    } else if path.ends_with("/connection/websocket") {
        Some((
            "this is a Centrifugo client, which waits for the answer to its connect command",
            "use a Centrifugo server, or let `--exec` answer in that protocol",
        ))
    } else if path.ends_with("/websocket") && target.contains("vsn=") {
        Some((
            "this is a Phoenix client, which waits for the answer to phx_join",
            "use a Phoenix server, or let `--exec` answer in that protocol",
        ))
    } else if offers("mqtt") {
        Some((
            "the client speaks MQTT, and waits for the answer to its CONNECT",
            "use a broker: `listen` does not answer MQTT packets",
        ))
    } else if offers("graphql") {
        Some((
            "the client speaks GraphQL, and waits for connection_ack",
            "answer it: `--reply '{\"type\":\"connection_ack\"}'`",
        ))
    } else {
        None
    }
}
