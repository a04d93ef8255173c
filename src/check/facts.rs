//! What one connection of a case showed, in the order of its stream.

use std::time::Duration;

use crate::wire::OpCode;
use crate::wire::close::CloseBody;

/// How the opening handshake went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CaseOpening {
    /// The handshake has not ended yet.
    #[default]
    Pending,
    /// Success: of a server, a 101 that follows the rules; of a client, a request that follows
    /// them.
    Open,
    /// Another status.
    Refused(u16),
    /// A 101 that breaks rules that every client checks, or a request that breaks rules that every
    /// server checks; the text names the rules.
    Bad(String),
    /// An answer that is not HTTP, with the error.
    Garbage(String),
    /// The connection ended without an answer.
    Dropped,
    /// No answer arrived in time.
    Silent,
    /// TLS was not established as the case requires; the text says why.
    Unsecured(String),
    /// This side can't send the request that the case requires; the text says why.
    Unable(String),
    /// No connection for the request; the text says why.
    Unreachable(String),
}

/// The events after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A whole message, cut to [`KEPT`] bytes.
    Message(OpCode, Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// The peer broke this rule.
    Violation(String),
}

/// Bytes of a message that are kept: the longest whose echo is compared.
pub const KEPT: usize = 128 * 1024;

/// Mask keys that are kept.
pub const KEYS: usize = 256;

/// All facts of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFacts {
    /// The opening handshake.
    pub opening: CaseOpening,
    /// Rules of the response that were broken: their names, and what was found.
    pub broken: Vec<(&'static str, String)>,
    /// Headers of the peer's half of the handshake: names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether permessage-deflate was agreed.
    pub deflate: bool,
    /// Whether our compressed messages may refer to earlier messages.
    pub takeover: bool,
    /// The mask keys of the frames that arrived, up to [`KEYS`].
    pub keys: Vec<[u8; 4]>,
    /// Whether a client has used this Sec-WebSocket-Key before, on another connection; `None` if
    /// there was no other connection.
    pub stale_key: Option<bool>,
    /// Whether TLS was established.
    pub secured: bool,
    /// The protocol that TLS agreed on by ALPN.
    pub alpn: Option<String>,
    /// Received pings.
    pub pings: u32,
    /// The time from each ping of the case to its pong.
    pub round_trips: Vec<Duration>,
    /// The received frames, in order.
    pub seen: Vec<Seen>,
    /// The rule that a frame after the peer's Close broke.
    pub late_breach: Option<String>,
    /// Pongs after the peer's Close, up to [`KEYS`].
    pub late_pongs: Vec<Vec<u8>>,
    /// The peer's Close.
    pub close: Option<CloseBody>,
    /// How the connection ended, once it has ended.
    pub ended: Option<CaseEnd>,
    /// Whether an awaited event did not come in time.
    pub timed_out: bool,
}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseEnd {
    /// In order: FIN.
    InOrder,
    /// By a reset, or inside a frame.
    Broken,
    /// This side ended TCP, because the peer had not ended it some time after the closing
    /// handshake.
    ByUs,
}

/// The payloads of the pings that wscope sends after the data of a case. A server that fails the
/// connection can't answer them, because they come later in the same stream.
pub const CANARIES: [&[u8]; 2] = [b"wscope check: first", b"wscope check: second"];

impl CaseFacts {
    /// Whether this pong arrived.
    pub fn has_pong(&self, payload: &[u8]) -> bool {
        self.seen.iter().any(|seen| matches!(seen, Seen::Pong(pong) if pong == payload))
    }

    /// Whether this message arrived.
    pub fn has_message(&self, opcode: OpCode, content: &[u8]) -> bool {
        let is_it =
            |seen: &Seen| matches!(seen, Seen::Message(o, c) if *o == opcode && c == content);
        self.seen.iter().any(is_it)
    }

    /// What arrived instead of the pong to the ping after the case.
    pub fn wrong_answer(&self) -> Option<&'static str> {
        let silent = self.close.is_none() && self.ended.is_none() && self.timed_out;
        if !silent || self.has_pong(CANARIES[0]) {
            return None;
        }
        self.seen.iter().find_map(|seen| match seen {
            Seen::Pong(_) => Some("a pong without the payload of the ping"),
            Seen::Message(_, content) if content == CANARIES[0] => {
                Some("a message with the payload of the ping, and no pong")
            }
            _ => None,
        })
    }

    /// A header of the peer's half of the handshake.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// What happened, in a few words: the latest event decides.
    ///
    /// `peer` is the word for the tested end.
    pub fn describe(&self, peer: &str) -> String {
        match &self.opening {
            CaseOpening::Pending | CaseOpening::Silent => {
                return "no answer to the request".to_owned();
            }
            CaseOpening::Refused(status) => return format!("HTTP status {status}"),
            CaseOpening::Bad(text) if peer == "client" => {
                return format!("a request that breaks a rule: {text}");
            }
            CaseOpening::Bad(text) => return format!("101 that breaks the rules: {text}"),
            CaseOpening::Garbage(text) | CaseOpening::Unsecured(text) => return text.clone(),
            CaseOpening::Dropped => return "the connection ended without an answer".to_owned(),
            CaseOpening::Unable(text) | CaseOpening::Unreachable(text) => return text.clone(),
            CaseOpening::Open => {}
        }
        if let Some(Seen::Violation(text)) =
            self.seen.iter().find(|seen| matches!(seen, Seen::Violation(_)))
        {
            return format!("the {peer} broke a rule itself: {text}");
        }
        let late = if self.has_pong(CANARIES[0]) { ", after answering a ping" } else { "" };
        if let Some(close) = &self.close {
            return match close.code {
                Some(code) => format!("Close {code}{late}"),
                None => format!("Close without a code{late}"),
            };
        }
        match self.ended {
            Some(CaseEnd::Broken) => return format!("a reset without a Close{late}"),
            Some(_) => return format!("the end of TCP without a Close{late}"),
            None => {}
        }
        if self.has_pong(CANARIES[0]) {
            return "the connection stays open: a ping is answered".to_owned();
        }
        if let Some(answer) = self.wrong_answer() {
            return answer.to_owned();
        }
        if self.timed_out {
            return "nothing: no answer to a ping, no Close, and the connection stayed open"
                .to_owned();
        }
        "101".to_owned()
    }
}
