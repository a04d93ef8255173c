//! What a client of `listen` wanted and did not get. Its request shows that.

use std::borrow::Cow;

use super::Confidence;
use super::sniff::contains;
use crate::event::Direction;
use crate::lens::{AwaitedMessage, LensFacts, PROTOCOLS};
use crate::wire::head::Head;
use crate::wire::secret::is_secret;

/// The requests of a client that this server did not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The offered subprotocols, if none was agreed.
    pub offered: Vec<String>,
    /// The protocol that the request belongs to.
    pub speaks: Option<ClientProtocol>,
}

/// A protocol in which the server must answer, or must send first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientProtocol {
    /// The name of a protocol that the client begins.
    pub begins: Option<&'static str>,
    /// The kind of client, and the message that it waits for.
    pub what: Cow<'static, str>,
    /// The name of the lens that reads it, if there is one.
    pub lens: Option<&'static str>,
    /// What a user can do about it.
    pub help: &'static str,
    /// How surely the request shows the protocol.
    pub confidence: Confidence,
}

impl Wish {
    /// The wish of a client that was accepted with this subprotocol, read from its request; `None`
    /// if it got everything.
    pub fn of(request: &Head, agreed: Option<&str>) -> Option<Self> {
        let offered = match agreed {
            Some(_) => Vec::new(),
            None => names(request),
        };
        let speaks = client_protocol(request);
        (!offered.is_empty() || speaks.is_some()).then_some(Self { offered, speaks })
    }
}

/// The most characters in the name of a subprotocol. A longer name is taken for a token.
const NAME: usize = 40;

/// The offered subprotocols, without credentials. Browsers send a token as a subprotocol, usually
/// after the name of its kind, as in `bearer, TOKEN`.
fn names(request: &Head) -> Vec<String> {
    let mut behind_secret = false;
    let offered = request.tokens("Sec-WebSocket-Protocol");
    let offered = offered.map(|name| String::from_utf8_lossy(name).into_owned());
    let is_name = |name: &String| {
        let secret = is_secret(name);
        let shown = !behind_secret && name.len() <= NAME && !(secret && name.contains('.'));
        behind_secret = secret;
        shown
    };
    offered.filter(is_name).collect()
}

/// The protocol of a request, recognised by its path and its subprotocols.
pub(super) fn client_protocol(request: &Head) -> Option<ClientProtocol> {
    let target = request.request_line().map(|line| String::from_utf8_lossy(line.target))?;
    let lower = target.to_ascii_lowercase();
    let path = lower.split('?').next().unwrap_or_default();
    let client_protocol = |what: &'static str, help| {
        let (begins, confidence) = (None, Confidence::High);
        Some(ClientProtocol { begins, what: what.into(), lens: None, help, confidence })
    };
    if path.contains("/socket.io") || path.contains("/engine.io") {
        if lower.contains("transport=polling") && !request.has_token("Upgrade", "websocket") {
            return client_protocol(
                "this is a Socket.IO client, which begins with HTTP polling",
                "let it begin with a WebSocket: `transports: [\"websocket\"]`; it then waits for Engine.IO's open packet",
            );
        }
        return client_protocol(
            "this is a Socket.IO client, which waits for Engine.IO's open packet",
            "use a plain WebSocket client, or send the open packet first: `-x '0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}'`",
        );
    }
    if path.ends_with("/negotiate") {
        return client_protocol(
            "this is a SignalR client, which first negotiates with a POST",
            "skip the negotiation in the client (`skipNegotiation: true` with the transport WebSockets), or use a plain WebSocket client",
        );
    }
    let sockjs = client_protocol(
        "this is a SockJS client, which requests /info and waits for the frame o",
        "a SockJS client needs a server of SockJS: use one, or a plain WebSocket client, whose path there would end with /websocket in place of /info",
    );
    if path.contains("/sockjs") {
        return sockjs;
    }
    // The first request of such a client. In a browser, it has a number against caches; in Node, it
    // has none.
    let page = request.get("Accept").is_some_and(|accept| contains(accept, b"text/html"));
    let by_hand = request.get("User-Agent").is_some_and(|agent| agent.starts_with(b"curl/"));
    if path.ends_with("/info") && !request.has_token("Upgrade", "websocket") && !page && !by_hand {
        let query = lower.split('?').nth(1).unwrap_or_default();
        let number = query.strip_prefix("t=").unwrap_or_default();
        let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // Other programs use such a path, too.
        let confidence = if numbered { Confidence::Medium } else { Confidence::Low };
        return sockjs.map(|sockjs| ClientProtocol { confidence, ..sockjs });
    }
    if path.ends_with("/connection/websocket") {
        let client = client_protocol(
            "the client speaks Centrifugo, and waits for the answer to connect",
            ANSWER,
        );
        return client.map(|one| ClientProtocol { begins: Some("Centrifugo"), ..one });
    }
    let offers = |names: &[&str]| {
        let mut offered = request.tokens("Sec-WebSocket-Protocol");
        offered.any(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))
    };
    let protocol = PROTOCOLS
        .into_iter()
        .find(|protocol| offers(protocol.subprotocols) || (protocol.url)(&target))?;
    let awaited = (protocol.lens)(&LensFacts::default()).expects()?;
    let what = waiting(protocol.title, &awaited);
    let help = match protocol.name {
        "graphql" => "answer it: `--reply '{\"type\":\"connection_ack\"}'`",
        _ => ANSWER,
    };
    let confidence = Confidence::High;
    let begins = (awaited.direction == Direction::ToServer).then_some(protocol.title);
    Some(ClientProtocol { begins, what: what.into(), lens: Some(protocol.name), help, confidence })
}

/// Describes a client of a protocol, and the message that it waits for: one of ours, or the answer
/// to its own.
pub(super) fn waiting(title: &str, awaited: &AwaitedMessage) -> String {
    let answer = match awaited.direction {
        Direction::ToClient => "",
        Direction::ToServer => "the answer to its ",
    };
    format!("the client speaks {title}, and waits for {answer}{}", awaited.message)
}

/// The help for most protocols.
pub(super) const ANSWER: &str =
    "use a server of that protocol, or let a program answer: `--exec COMMAND`";
