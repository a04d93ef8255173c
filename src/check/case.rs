//! A case: a row of the table, with what is sent and what must follow.

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

/// How binding the rule is.
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
    /// The word for it.
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
    /// Nothing that a client does not cost.
    Default,
    /// Time, or a burst of load: with `--stress`.
    Stress,
    /// Much memory: with `--intrusive`.
    Intrusive,
}

impl Risk {
    /// The word for it.
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

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
        }
    }
}

/// What must have been agreed for a case to mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// permessage-deflate, which the case offers.
    Deflate,
    /// The same, without `client_no_context_takeover` in the answer.
    Takeover,
    /// A subprotocol: one that the server knows (`--subprotocol`), or that the client offers.
    Subprotocol,
    /// A client that offers permessage-deflate without `client_max_window_bits`.
    NoClientBits,
    /// permessage-deflate, if our compressed messages must not refer to earlier messages.
    NoTakeover,
    /// TLS.
    Tls,
}

/// What has to follow.
#[derive(Clone, Copy)]
pub enum Expectation {
    /// An HTTP status: one of these, or any of 400 to 499 if there are none.
    Refused(&'static [u16]),
    /// No WebSocket opens, because the request does not ask for one: any status except an error of
    /// the server.
    Ignored,
    /// A 101 that keeps every rule.
    Accepted,
    /// A 101 that follows these rules of the response, in addition to those that every client
    /// checks.
    Keeps(&'static [&'static str]),
    /// A 101 without permessage-deflate.
    Declined,
    /// The peer fails the connection: a Close with one of these codes, or its end.
    Dies(&'static [u16]),
    /// The same; a Close with this code shows that the peer considers the frame legal.
    DiesUnlike(&'static [u16], u16),
    /// The connection stays open: it answers a ping after the case.
    Lives,
    /// The same; if the server echoes, this message is received.
    Echoes(OpCode, &'static str),
    /// A pong with this payload.
    Pongs(&'static str),
    /// A pong, before the end of the message inside which the ping was sent.
    PongsWithin(&'static str),
    /// The answer to our Close: one of these codes or none, then the end of the connection.
    Closes(&'static [u16]),
    /// The answer to a Close that breaks a rule: one of these codes, or the end.
    Condemns(&'static [u16]),
    /// The connection ends, and nothing is answered after our Close.
    Silence,
    /// The behaviour is reported; a ping finds out the state of the connection.
    Learns,
    /// The peer may refuse to wait: an end passes, any other behaviour is reported.
    Protects,
    /// The client ends the connection without a frame: the response must not open it.
    Fails,
    /// The frames that come are masked with keys that differ.
    Keys,
    /// The key of the request is a new one.
    FreshKey,
    /// A function judges the handshake; and the expected result, in words.
    Judged(fn(&CaseFacts) -> Judgement, &'static str),
    /// A function judges the facts up to the answer to the ping after the case.
    Observed(fn(&CaseFacts) -> Judgement),
    /// The end of TCP; what happens is reported.
    Ends,
    /// The client connects again each time its connection ends; whether and when is reported.
    Returns,
}

impl Expectation {
    /// In words, for reports.
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

    /// Whether more than one connection of a client decides.
    pub fn is_of_return(&self) -> bool {
        matches!(self, Self::Returns)
    }

    /// Whether the handshake alone decides.
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
    /// What is sent, in a few words.
    pub title: &'static str,
    /// What it is about.
    pub rule: CitedRule,
    /// What fails in practice if the rule is broken.
    pub why: &'static str,
    /// How binding it is.
    pub level: Obligation,
    /// What it may cost.
    pub risk: Risk,
    /// Which end it is about.
    pub tested: Tested,
    /// What must have been agreed.
    pub needs: Needs,
    /// The cases of Autobahn that test the same, by their numbers.
    pub autobahn: &'static str,
    /// How our half of the handshake differs from the usual one: the request to a server, the
    /// response to a client.
    pub open: &'static [Edit],
    /// What is sent after the handshake: commands of the prompt.
    pub send: &'static [&'static str],
    /// The same for a client, if it is different.
    pub mirror: &'static [&'static str],
    /// What has to follow.
    pub expect: Expectation,
    /// How many connections do the same at the same time.
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

    /// A row, which the following functions fill in; without them, the case opens a connection,
    /// which must stay open.
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

    /// The rule is a SHOULD.
    pub const fn should(self) -> Self {
        Self { level: Obligation::Should, ..self }
    }

    /// No rule decides.
    pub const fn info(self) -> Self {
        Self { level: Obligation::Info, ..self }
    }

    /// It costs the server something.
    pub const fn stress(self) -> Self {
        Self { risk: Risk::Stress, ..self }
    }

    /// It costs the server much.
    pub const fn intrusive(self) -> Self {
        Self { risk: Risk::Intrusive, ..self }
    }

    /// It is about this end alone.
    pub const fn of(self, tested: Tested) -> Self {
        Self { tested, ..self }
    }

    /// It means nothing without this.
    pub const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// Numbers of Autobahn's.
    pub const fn autobahn(self, autobahn: &'static str) -> Self {
        Self { autobahn, ..self }
    }

    /// Changes of our half of the handshake.
    pub const fn open(self, open: &'static [Edit]) -> Self {
        Self { open, ..self }
    }

    /// What is sent after the handshake.
    pub const fn send(self, send: &'static [&'static str]) -> Self {
        Self { send, ..self }
    }

    /// What is sent to a client instead.
    pub const fn mirror(self, mirror: &'static [&'static str]) -> Self {
        Self { mirror, ..self }
    }

    /// What has to follow.
    pub const fn expect(self, expect: Expectation) -> Self {
        Self { expect, ..self }
    }

    /// So many connections do the same at the same time.
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

    /// Who is tested, in a word.
    pub fn peer(&self) -> &'static str {
        match self.tested {
            Tested::Client => "client",
            Tested::Server | Tested::Both => "server",
        }
    }

    /// What has to follow, in words.
    pub fn expected(&self) -> String {
        match (self.expect, self.tested) {
            // It is we who end TCP then.
            (Expectation::Closes(codes), Tested::Client) => {
                format!("Close {}, or one without a code", list(codes))
            }
            (expect, _) => expect.describe(),
        }
    }

    /// The letter before the slash.
    pub fn area(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What is sent, read as the prompt reads it.
    ///
    /// A line that can't be read is left out; a test reads all of them.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        self.send.iter().filter_map(|line| parse(line).ok())
    }

    /// Whether something is sent that may reach the application.
    pub fn sends_data(&self) -> bool {
        self.commands().any(|command| sends_data(&command))
    }

    /// Whether the broken rule follows a whole message that breaks none.
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

    /// Why the case means nothing on this connection.
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

    /// Bytes of what is sent, about.
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
