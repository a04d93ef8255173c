//! A case: a row of the table, with what wscope sends and what must follow.

use super::facts::CaseFacts;
use super::request::Edit;
use super::verdict::Judgement;
use crate::script::command::{Command, Payload, parse};
use crate::wire::{Data, OpCode, Role};

/// The rule that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CitedRule {
    /// Document and section, as in `RFC 6455 §5.2`.
    pub section: &'static str,
    /// Its sentence, quoted.
    pub says: &'static str,
}

/// Writes a rule.
pub const fn rule(section: &'static str, says: &'static str) -> CitedRule {
    CitedRule { section, says }
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation {
    /// A MUST: breaking it is a FAIL.
    Must,
    /// A SHOULD: breaking it is a WARN.
    Should,
    /// No rule decides: the outcome is reported.
    Info,
}

impl Obligation {
    /// The name in lists and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Info => "info",
        }
    }
}

/// What a case may cost the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// No more than an ordinary client.
    Default,
    /// Time, or a burst of load: with `--stress`.
    Stress,
    /// Much memory: with `--intrusive`.
    Intrusive,
}

impl Risk {
    /// The name in lists and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Stress => "stress",
            Self::Intrusive => "intrusive",
        }
    }
}

/// Which end of a connection a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// Servers alone.
    Server,
    /// Clients alone.
    Client,
    /// Both, with the same frames and the same expectation.
    Both,
}

impl Tested {
    /// Whether a case for this role applies to a peer of that role.
    pub fn includes(self, role: Role) -> bool {
        match self {
            Self::Server => role == Role::Server,
            Self::Client => role == Role::Client,
            Self::Both => true,
        }
    }

    /// The name in lists and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
        }
    }
}

/// What both sides must have agreed on; otherwise the case is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// permessage-deflate, which the case offers.
    Deflate,
    /// permessage-deflate, without `client_no_context_takeover` in the answer.
    Takeover,
    /// A subprotocol: one that the server knows (`--subprotocol`), or that the client offers.
    Subprotocol,
    /// A client that offers permessage-deflate without `client_max_window_bits`.
    NoClientBits,
    /// permessage-deflate, agreed such that our compressed messages must not refer to earlier
    /// messages.
    NoTakeover,
    /// TLS.
    Tls,
}

/// What must follow.
#[derive(Clone, Copy)]
pub enum Expectation {
    /// An HTTP status: one of these, or any from 400 to 499 if the list is empty.
    Refused(&'static [u16]),
    /// No WebSocket opens, because the request does not ask for one: any status except an error of
    /// the server.
    Ignored,
    /// A 101 that follows every rule.
    Accepted,
    /// A 101 that follows these rules of the response, in addition to the rules that every client
    /// checks.
    Keeps(&'static [&'static str]),
    /// A 101 without permessage-deflate.
    Declined,
    /// The peer fails the connection: it sends a Close with one of these codes, or ends TCP.
    Dies(&'static [u16]),
    /// The peer fails the connection. A Close with the second code shows that the peer considers
    /// the frame legal.
    DiesUnlike(&'static [u16], u16),
    /// The connection stays open: it answers a ping after the case.
    Lives,
    /// The connection stays open. If the server echoes, it sends this message.
    Echoes(OpCode, &'static str),
    /// A pong with this payload.
    Pongs(&'static str),
    /// A pong that arrives before the end of the message around the ping.
    PongsWithin(&'static str),
    /// The answer to our Close: a Close with one of these codes or without a code, then the end of
    /// the connection.
    Closes(&'static [u16]),
    /// The answer to a Close that breaks a rule: a Close with one of these codes, or the end of the
    /// connection.
    Condemns(&'static [u16]),
    /// The connection ends; the peer answers nothing that follows our Close.
    Silence,
    /// wscope reports the behaviour; a ping shows the state of the connection.
    Learns,
    /// The peer may refuse to wait: if it ends the connection, the case passes; any other behaviour
    /// is reported.
    Protects,
    /// The client ends the connection without a frame: the response must not open it.
    Fails,
    /// The mask keys of the received frames differ.
    Keys,
    /// The request has a new Sec-WebSocket-Key.
    FreshKey,
    /// A function judges the handshake. The text describes the expected result.
    Judged(fn(&CaseFacts) -> Judgement, &'static str),
    /// A function judges the facts up to the answer to the ping after the case.
    Observed(fn(&CaseFacts) -> Judgement),
    /// The peer ends TCP; wscope reports what happens.
    Ends,
    /// The client connects again after each end of its connection; wscope reports whether and when.
    Returns,
}

impl Expectation {
    /// The expectation in words, for reports.
    pub fn describe(&self) -> String {
        match self {
            Self::Refused([]) => "an HTTP status from 400 to 499".to_owned(),
            Self::Refused(codes) => format!("HTTP status {}", list(codes)),
            Self::Ignored => "no WebSocket: an HTTP status from 200 to 499, 501 or 505".to_owned(),
            Self::Accepted => "101".to_owned(),
            Self::Keeps(_) => "a 101 that follows the rule".to_owned(),
            Self::Declined => "101 without permessage-deflate".to_owned(),
            Self::Dies(codes) | Self::DiesUnlike(codes, _) => {
                format!("Close {}, or the end of the connection", list(codes))
            }
            Self::Lives => "the connection stays open and answers a ping".to_owned(),
            Self::Echoes(..) => {
                "the connection stays open and answers a ping; an echo is exact".to_owned()
            }
            Self::Pongs(_) => "a pong with the payload of the ping".to_owned(),
            Self::PongsWithin(_) => "a pong before the message is complete".to_owned(),
            Self::Closes(codes) => format!("Close {}, then the end of TCP", list(codes)),
            Self::Condemns(codes) => format!("Close {}, or the end of the connection", list(codes)),
            Self::Silence => "the end of the connection, and no frame after the Close".to_owned(),
            Self::Learns | Self::Observed(_) | Self::Ends | Self::Returns => {
                "no rule applies".to_owned()
            }
            Self::Protects => "the connection ends; waiting is allowed".to_owned(),
            Self::Fails => "the end of the connection, and no frame before it".to_owned(),
            Self::Keys => "a different mask key for each frame, none of them 0".to_owned(),
            Self::FreshKey => "a different Sec-WebSocket-Key for each connection".to_owned(),
            Self::Judged(_, text) => (*text).to_owned(),
        }
    }

    /// Whether the verdict needs more than one connection of a client.
    pub fn is_of_return(&self) -> bool {
        matches!(self, Self::Returns)
    }

    /// Whether the verdict depends only on the handshake.
    pub fn is_of_handshake(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::Ignored
                | Self::Accepted
                | Self::Keeps(_)
                | Self::Declined
                | Self::FreshKey
                | Self::Judged(..)
        )
    }
}

fn list(codes: &[u16]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Case {
    /// Area and words, frozen: `f/rsv1`.
    pub id: &'static str,
    /// What wscope sends, in a few words.
    pub title: &'static str,
    /// The rule that the case tests.
    pub rule: CitedRule,
    /// What fails in practice if the rule is broken.
    pub why: &'static str,
    /// How binding the rule is.
    pub level: Obligation,
    /// What the case may cost the server.
    pub risk: Risk,
    /// The end that the case tests.
    pub tested: Tested,
    /// What both sides must have agreed on.
    pub needs: Needs,
    /// The cases of Autobahn that test the same, by their numbers.
    pub autobahn: &'static str,
    /// How our half of the handshake differs from the usual one: the request to a server, the
    /// response to a client.
    pub open: &'static [Edit],
    /// What wscope sends after the handshake: commands of the prompt.
    pub send: &'static [&'static str],
    /// What wscope sends to a client instead, if that differs.
    pub mirror: &'static [&'static str],
    /// What must follow.
    pub expect: Expectation,
    /// How many connections run the case at the same time.
    pub connections: u8,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Case {
    /// [`Case::new`] for a case that only servers can be tested with.
    pub const fn of_server(
        id: &'static str,
        title: &'static str,
        rule: CitedRule,
        why: &'static str,
    ) -> Self {
        Self::new(id, title, rule, why).of(Tested::Server)
    }

    /// A row with the usual values, which the functions below change. Without changes, the case
    /// opens a connection, which must stay open.
    pub const fn new(
        id: &'static str,
        title: &'static str,
        rule: CitedRule,
        why: &'static str,
    ) -> Self {
        Self {
            id,
            title,
            rule,
            why,
            level: Obligation::Must,
            risk: Risk::Default,
            tested: Tested::Both,
            needs: Needs::Nothing,
            autobahn: "",
            open: &[],
            send: &[],
            mirror: &[],
            expect: Expectation::Lives,
            connections: 1,
        }
    }

    /// Marks the rule as a SHOULD.
    pub const fn should(self) -> Self {
        Self { level: Obligation::Should, ..self }
    }

    /// Marks the case as one without a rule.
    pub const fn info(self) -> Self {
        Self { level: Obligation::Info, ..self }
    }

    /// The case costs the server time or load.
    pub const fn stress(self) -> Self {
        Self { risk: Risk::Stress, ..self }
    }

    /// The case costs the server much memory.
    pub const fn intrusive(self) -> Self {
        Self { risk: Risk::Intrusive, ..self }
    }

    /// The case tests only this end.
    pub const fn of(self, tested: Tested) -> Self {
        Self { tested, ..self }
    }

    /// The case is skipped if this was not agreed.
    pub const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The numbers of Autobahn's cases.
    pub const fn autobahn(self, autobahn: &'static str) -> Self {
        Self { autobahn, ..self }
    }

    /// Changes of our half of the handshake.
    pub const fn open(self, open: &'static [Edit]) -> Self {
        Self { open, ..self }
    }

    /// Sets what wscope sends after the handshake.
    pub const fn send(self, send: &'static [&'static str]) -> Self {
        Self { send, ..self }
    }

    /// Sets what wscope sends to a client instead.
    pub const fn mirror(self, mirror: &'static [&'static str]) -> Self {
        Self { mirror, ..self }
    }

    /// Sets what must follow.
    pub const fn expect(self, expect: Expectation) -> Self {
        Self { expect, ..self }
    }

    /// This many connections run the case at the same time.
    pub const fn connections(self, connections: u8) -> Self {
        Self { connections, ..self }
    }

    /// The row for a peer of this role only.
    pub fn for_role(self, role: Role) -> Self {
        let tested = match role {
            Role::Server => Tested::Server,
            Role::Client => Tested::Client,
        };
        let mirrored = role == Role::Client && !self.mirror.is_empty();
        let send = if mirrored { self.mirror } else { self.send };
        Self { tested, send, mirror: &[], ..self }
    }

    /// The tested end, as a word: server or client.
    pub fn peer(&self) -> &'static str {
        match self.tested {
            Tested::Client => "client",
            Tested::Server | Tested::Both => "server",
        }
    }

    /// What must follow, in words.
    pub fn expected(&self) -> String {
        match (self.expect, self.tested) {
            // If a client is tested, this side ends TCP.
            (Expectation::Closes(codes), Tested::Client) => {
                format!("Close {}, or one without a code", list(codes))
            }
            (expect, _) => expect.describe(),
        }
    }

    /// The area: the letter before the slash.
    pub fn area(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What wscope sends, parsed as by the prompt.
    ///
    /// Skips lines that can't be parsed; a test parses all of them.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        self.send.iter().filter_map(|line| parse(line).ok())
    }

    /// Whether the case sends something that may reach the application.
    pub fn sends_data(&self) -> bool {
        self.commands().any(|command| sends_data(&command))
    }

    /// Whether a legal, whole message precedes the broken rule.
    pub fn begins_with_message(&self) -> bool {
        let mut commands = self.commands();
        let is_whole = match commands.next() {
            Some(Command::Text(_) | Command::Binary(_)) => true,
            Some(Command::Frame(spec)) => {
                spec.fin && matches!(spec.opcode, OpCode::Data(Data::Text | Data::Binary))
            }
            _ => false,
        };
        is_whole && commands.next().is_some()
    }

    /// Why the case can't be judged on this connection.
    pub fn lacks(&self, facts: &CaseFacts) -> Option<&'static str> {
        let is_client = self.tested == Tested::Client;
        let missing = |name| facts.header(name).is_none_or(str::is_empty);
        match self.needs {
            Needs::Deflate | Needs::Takeover | Needs::NoTakeover if !facts.deflate => {
                Some(match is_client {
                    true => "the client does not offer permessage-deflate",
                    false => "the server does not agree to permessage-deflate",
                })
            }
            Needs::Takeover if !facts.takeover => Some(match is_client {
                true => "the client asks for server_no_context_takeover",
                false => "the server asks for client_no_context_takeover",
            }),
            Needs::NoTakeover if facts.takeover => Some(match is_client {
                true => "the client does not ask for server_no_context_takeover",
                false => "the server does not agree to client_no_context_takeover",
            }),
            Needs::Subprotocol if is_client && missing("sec-websocket-protocol") => {
                Some("the client offers no subprotocol")
            }
            Needs::NoClientBits => {
                let offer = facts.header("sec-websocket-extensions").unwrap_or_default();
                match offer {
                    "" => Some("the client does not offer permessage-deflate"),
                    _ if offer.contains("client_max_window_bits") => {
                        Some("the client offers client_max_window_bits")
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// About how many bytes the case sends.
    pub fn bytes(&self) -> usize {
        const HEAD: usize = 250;
        HEAD + self.commands().map(|command| bytes(&command)).sum::<usize>()
    }
}

fn sends_data(command: &Command) -> bool {
    match command {
        Command::Text(_)
        | Command::Binary(_)
        | Command::Fragment(_)
        | Command::Unfinished { .. }
        | Command::Bytes(_) => true,
        Command::Frame(spec) => matches!(spec.opcode, OpCode::Data(_)),
        Command::Repeat { command, .. } => sends_data(command),
        _ => false,
    }
}

fn bytes(command: &Command) -> usize {
    const HEADER: usize = 6;
    match command {
        Command::Repeat { count, command } => *count as usize * bytes(command),
        command => match command.payload() {
            Some(Payload::Bytes(bytes)) => bytes.len() + HEADER,
            _ => HEADER,
        },
    }
}
