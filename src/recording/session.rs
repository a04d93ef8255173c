//! A recording as the messages of its connections, for formats without frames.

use std::collections::BTreeMap;

use super::acts::Acts;
use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::session::message::Assembler;
use crate::ui::ending;
use crate::ui::number::counted;
use crate::wire::close::CloseBody;
use crate::wire::head::Head;
use crate::wire::{Control, Data, OpCode, Role};

/// The largest kept part of a message, in bytes.
const MAX_MESSAGE: usize = 64 << 20;

/// The connections of a recording.
#[derive(Debug, Default)]
pub struct Sessions {
    connections: BTreeMap<ConnId, (RecordedSession, [Assembler; 2])>,
    /// The role of the recording program.
    role: Option<Role>,
    /// Whether the recording marks the frames that the program made by itself.
    complete: bool,
    /// Whether acts are collected instead of messages.
    of_acts: bool,
    /// Only this connection.
    only: Option<u64>,
    /// The number of bytes in the acts.
    held: usize,
    /// The data that messages can't express.
    pub left_out: LeftOut,
}

/// Counts of data that messages can't express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Pings.
    pub pings: u64,
    /// Pongs.
    pub pongs: u64,
    /// Frames of received messages that have several.
    pub fragments: u64,
    /// Frames that break a rule.
    pub illegal: u64,
    /// Close frames.
    pub closes: u64,
    /// Messages that are too long.
    pub long: u64,
    /// Connections that never opened.
    pub unopened: u64,
}

/// One connection.
#[derive(Debug, Default)]
pub struct RecordedSession {
    /// Its number.
    pub conn: u64,
    /// The client's address.
    pub client: String,
    /// The server's address.
    pub server: String,
    /// Whether it uses TLS.
    pub secure: bool,
    /// When it began, in microseconds since the epoch.
    pub began: i64,
    /// When it opened.
    pub opened: Option<i64>,
    /// The time of its last event.
    pub ended: i64,
    /// The request.
    pub request: Option<Head>,
    /// The response.
    pub response: Option<Head>,
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// The messages of both directions, in order.
    pub messages: Vec<SessionMessage>,
    /// The Close of the client.
    pub close: Option<CloseBody>,
    /// A sentence that describes its end; empty if that is not recorded.
    pub ending: String,
    /// The acts of both ends, if they are collected instead of messages.
    pub acts: Acts,
}

/// A message.
#[derive(Clone, Debug)]
pub struct SessionMessage {
    /// When its last frame arrived.
    pub micros: i64,
    /// Its direction.
    pub direction: Direction,
    /// Whether it is text.
    pub text: bool,
    /// The content.
    pub content: Vec<u8>,
}

impl SessionMessage {
    /// The content, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok().filter(|_| self.text)
    }
}

impl RecordedSession {
    /// The requested URL, as far as it is known.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        let request = self.request.as_ref();
        let host = request.and_then(|head| head.get("host")).map(String::from_utf8_lossy);
        let host = host.filter(|host| !host.is_empty()).unwrap_or((&*self.server).into());
        let target = request.and_then(Head::request_line).map(|line| line.target);
        let target = String::from_utf8_lossy(target.unwrap_or(b"/"));
        match target.split_once("://") {
            // The absolute form, which proxies get.
            Some(_) => target.into_owned(),
            None => format!("{scheme}://{host}{target}"),
        }
    }

    /// The messages of one direction.
    pub fn of(&self, direction: Direction) -> impl Iterator<Item = &SessionMessage> {
        self.messages.iter().filter(move |message| message.direction == direction)
    }
}

impl Sessions {
    /// Collects acts instead of messages; only of one connection if `only` is given.
    pub fn of_acts(only: Option<u64>) -> Self {
        Self { of_acts: true, only, ..Self::default() }
    }

    /// Notes that a program begins to record.
    pub fn begin(&mut self, role: Option<Role>, complete: bool) {
        (self.role, self.complete) = (role, complete);
    }

    /// The number of bytes in the acts.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes an event of a recording.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) {
        if at.conn == ConnId(0) {
            return;
        }
        let Self { connections, left_out, role, complete, of_acts, only, held } = self;
        let (role, number) = (*role, at.conn);
        let wanted = only.is_none_or(|only| only == number.0);
        let (session, assemblers) = connections.entry(number).or_insert_with(|| {
            let (conn, began) = (number.0, at.micros);
            let assembler = || Assembler::new(MAX_MESSAGE);
            (
                RecordedSession { conn, began, ..RecordedSession::default() },
                [assembler(), assembler()],
            )
        });
        session.ended = at.micros;
        match event {
            Event::Connected { local, peer } | Event::Accepted { local, peer }
                if session.client.is_empty() =>
            {
                let from_us = role == Some(Role::Client);
                let (client, server) = if from_us { (local, peer) } else { (peer, local) };
                (session.client, session.server) = ((*client).into(), (*server).into());
            }
            Event::Tls(_) => session.secure = true,
            Event::Head(Direction::ToServer, head) => session.request = Some((*head).clone()),
            Event::Head(Direction::ToClient, head) => session.response = Some((*head).clone()),
            Event::Open(agreed) => {
                session.opened = Some(at.micros);
                session.subprotocol.clone_from(&agreed.subprotocol);
            }
            Event::Automatic(direction) => session.acts.automatic(*direction),
            Event::Frame(direction, event) if *of_acts && wanted => {
                let own = role.filter(|_| *complete);
                *held -= session.acts.held();
                session.acts.take(own, at.micros, *direction, event);
                *held += session.acts.held();
            }
            Event::Frame(..) if *of_acts => {}
            Event::Frame(direction, event) => {
                match event {
                    FrameEvent::Control { opcode: OpCode::Control(control), payload } => {
                        match control {
                            Control::Ping => left_out.pings += 1,
                            Control::Pong => left_out.pongs += 1,
                            Control::Close => {
                                left_out.closes += 1;
                                if *direction == Direction::ToServer && session.close.is_none() {
                                    session.close = Some(CloseBody::parse(payload));
                                }
                            }
                            Control::Reserved(_) => {}
                        }
                    }
                    FrameEvent::Start { header, .. }
                        if !header.is_control()
                            && (!header.fin || header.opcode == OpCode::Data(Data::Continue)) =>
                    {
                        left_out.fragments += 1;
                    }
                    FrameEvent::Violation(_) => left_out.illegal += 1,
                    _ => {}
                }
                let (messages, micros, direction) = (&mut session.messages, at.micros, *direction);
                assemblers[direction as usize].take(event, |message| {
                    let text = message.opcode == Data::Text;
                    left_out.long += u64::from(message.len > MAX_MESSAGE as u64);
                    let content = message.into_content();
                    messages.push(SessionMessage { micros, direction, text, content });
                });
            }
            Event::End(end) => session.ending = ending::describe(end),
            Event::Failed(text) | Event::Passed(text) => session.ending = (*text).to_owned(),
            _ => {}
        }
    }

    /// The connections that opened; all, or only the wanted one.
    pub fn finish(self) -> (Vec<RecordedSession>, LeftOut) {
        let Self { connections, mut left_out, only, .. } = self;
        let all = connections.len();
        let sessions = connections.into_values().map(|(session, _)| session);
        // If the recording began in the middle, a connection has messages, but no handshake.
        let open: Vec<RecordedSession> = sessions
            .filter(|session| {
                let empty = session.messages.is_empty() && session.acts.held() == 0;
                session.opened.is_some() || !empty
            })
            .filter(|session| only.is_none_or(|only| only == session.conn))
            .collect();
        left_out.unopened = (all - open.len()) as u64;
        (open, left_out)
    }
}

impl LeftOut {
    /// What is left out, in words; `None` if nothing is.
    pub fn describe(&self) -> Option<String> {
        let Self { pings, pongs, fragments, illegal, closes, long, unopened } = *self;
        let parts = [
            (pings, "ping"),
            (pongs, "pong"),
            (closes, "Close frame"),
            (fragments, "boundary of a fragment"),
            (illegal, "broken rule"),
            (long, "end of a long message"),
            (unopened, "connection without a WebSocket"),
        ];
        let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| match (*n, *what) {
            (1, _) | (_, "ping" | "pong" | "Close frame" | "broken rule") => counted(*n, what),
            (n, "boundary of a fragment") => format!("{n} boundaries of fragments"),
            (n, "end of a long message") => format!("{n} ends of long messages"),
            (n, _) => format!("{n} connections without a WebSocket"),
        });
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
