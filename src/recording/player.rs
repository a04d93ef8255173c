//! Plays a recording: it takes records, and returns the events of a session.
//!
//! Bytes go through the same observers as on a live connection, one for each direction of each
//! connection. If a recording states the agreement and how a connection ended, the player uses
//! that. If not (as in a packet capture), it derives them from the bytes.

use std::collections::HashMap;
use std::time::Duration;

use super::{Fact, Record};
use crate::event::{
    Cause, ConnId, Direction, Ending, Event, FrameEvent, Lost, Observed, PASSED_ON, Side, Stamp,
};
use crate::session::counters::Counters;
use crate::session::{Limits, Observer};
use crate::wire::close::CloseBody;
use crate::wire::decoder::Input;
use crate::wire::deflate::params::{DeflateOffer, DeflateParams};
use crate::wire::handshake::grammar::parse_extensions;
use crate::wire::handshake::rules::{HandshakeContext, check};
use crate::wire::head::{Head, HeadKind};
use crate::wire::{Control, OpCode, Role};

/// How many bytes of a client may wait for the response to its request.
const MAX_EARLY: usize = 1 << 20;

/// Plays records.
#[derive(Debug)]
pub struct Player {
    limits: Limits,
    /// The agreed compression if there is no handshake.
    deflate: Option<DeflateParams>,
    role: Option<Role>,
    complete: bool,
    connections: HashMap<ConnId, PlayedConnection>,
}

/// One connection.
#[derive(Debug, Default)]
struct PlayedConnection {
    request: Option<Head>,
    /// A relay has accepted it from its client; the next connection is the server's leg.
    accepted: bool,
    /// When it was opened.
    opened: Option<i64>,
    switched: bool,
    /// Bytes of the client that wait for the response.
    early: Vec<u8>,
    /// The next head of a request is the last one, as it was forwarded.
    passed_on: bool,
    to_server: PlayedDirection,
    to_client: PlayedDirection,
    first_close: Option<Role>,
}

/// The state of one direction.
#[derive(Debug, Default)]
struct PlayedDirection {
    observer: Option<Observer>,
    /// The observer of data that a relay injected.
    made: Option<Observer>,
    counters: Counters,
    close: Option<CloseBody>,
    /// The rest can't be decoded.
    stopped: bool,
}

impl PlayedConnection {
    fn way(&mut self, direction: Direction) -> &mut PlayedDirection {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

/// The compression to which a response agrees, or else `given`.
pub fn agreed(response: &Head, given: Option<DeflateParams>) -> Option<DeflateParams> {
    if response.status_line().is_none() {
        return given;
    }
    let elements = parse_extensions(response.get_all("sec-websocket-extensions")).ok()?;
    let element = elements.iter().find(|e| e.name.eq_ignore_ascii_case("permessage-deflate"));
    // The client's offer is unknown, so any readable answer counts as agreed.
    element.and_then(|element| DeflateOffer::default().check_response(element).ok()).or(given)
}

impl Player {
    /// A player with these limits. `deflate` counts as agreed if there is no handshake.
    pub fn new(limits: Limits, deflate: Option<DeflateParams>) -> Self {
        Self { limits, deflate, role: None, complete: false, connections: HashMap::new() }
    }

    /// Plays a record, and passes its events to `take`.
    ///
    /// # Errors
    ///
    /// The error of `take`.
    pub fn play<E>(
        &mut self,
        record: Record,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Record { at, fact } = record;
        match fact {
            Fact::Start { role, complete, .. } => {
                self.connections.clear();
                (self.role, self.complete) = (role, complete);
                Ok(())
            }
            Fact::Head(direction, bytes) => {
                let observer = Observer::before_handshake(direction, self.limits);
                let connection = self.connections.entry(at.conn).or_default();
                if direction == Direction::ToServer && std::mem::take(&mut connection.passed_on) {
                    let head = Head::parse(HeadKind::Request, &bytes);
                    take(&at, &Event::Head(direction, &head))?;
                    connection.request = Some(head);
                    return Ok(());
                }
                connection.way(direction).observer = Some(observer);
                self.bytes(&at, direction, bytes, take)
            }
            Fact::Bytes(direction, bytes) => self.bytes(&at, direction, bytes, take),
            Fact::Automatic(direction) => take(&at, &Event::Automatic(direction)),
            Fact::Missing(direction, text) => {
                self.finish_way(&at, direction, take)?;
                self.connections.entry(at.conn).or_default().way(direction).stopped = true;
                take(&at, &Event::Note(&text))
            }
            Fact::Closed { by, reset } => self.closed(&at, by, reset, take),
            Fact::Resolved { host, addresses } => {
                take(&at, &Event::Resolved { host: &host, addresses: &addresses })
            }
            Fact::AddressFailed { address, error } => {
                take(&at, &Event::AddressFailed { address, error: &error })
            }
            Fact::Connected { local, peer } => {
                // After a retry, a connection begins again. A relayed connection has two legs,
                // first that of its client.
                let before = self.connections.get(&at.conn);
                if before.is_some_and(|one| one.switched) {
                    self.connections.remove(&at.conn);
                }
                let (local, peer) = (&*local, &*peer);
                if self.role == Some(Role::Client) {
                    return take(&at, &Event::Connected { local, peer });
                }
                let connection = self.connections.entry(at.conn).or_default();
                let before = std::mem::replace(&mut connection.accepted, true);
                match before && self.role.is_none() {
                    true => take(&at, &Event::Connected { local, peer }),
                    false => take(&at, &Event::Accepted { local, peer }),
                }
            }
            Fact::Listening(url) => take(&at, &Event::Listening { url: &url }),
            Fact::Tls(facts) => take(&at, &Event::Tls(&facts)),
            Fact::Timing(phases) => take(&at, &Event::Timing(&phases)),
            Fact::Judged(report) => take(&at, &Event::Judged(&report)),
            Fact::Open(agreed) => take(&at, &Event::Open(&agreed)),
            Fact::RoundTrip(time) => take(&at, &Event::RoundTrip(time)),
            Fact::CommandEnded(end) => take(&at, &Event::CommandEnded(end)),
            Fact::Intervened(done) => take(&at, &Event::Intervened(&done)),
            Fact::Made(why, direction, mut bytes) => {
                let way = self.connections.entry(at.conn).or_default().way(direction);
                // As in the relay: never compressed, and counted separately.
                let new = || Observer::of_frames(direction, None, Limits::default());
                let observer = way.made.get_or_insert_with(new);
                let mut input = Input::new(&mut bytes);
                while let Some(observed) = observer.next(&mut input) {
                    if let Observed::Frame(event) = observed {
                        take(&at, &Event::Made(why, direction, event))?;
                    }
                }
                Ok(())
            }
            Fact::Note(text) => {
                if text == PASSED_ON {
                    self.connections.entry(at.conn).or_default().passed_on = true;
                }
                take(&at, &Event::Note(&text))
            }
            Fact::Failed(text) => {
                self.connections.remove(&at.conn);
                take(&at, &Event::Failed(&text))
            }
            Fact::Passed(text) => {
                self.connections.remove(&at.conn);
                take(&at, &Event::Passed(&text))
            }
            Fact::End(ending) => {
                self.finish(&at, take)?;
                take(&at, &Event::End(&ending))
            }
            Fact::Diagnostic(_) => Ok(()),
        }
    }

    /// Plays the end of a recording: reports the received parts of incomplete frames.
    ///
    /// # Errors
    ///
    /// The error of `take`.
    pub fn end<E>(
        &mut self,
        micros: i64,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open: Vec<ConnId> = self.connections.keys().copied().collect();
        open.sort_unstable();
        open.into_iter().try_for_each(|conn| self.finish(&Stamp { micros, conn }, take))
    }

    fn bytes<E>(
        &mut self,
        at: &Stamp,
        direction: Direction,
        mut bytes: Vec<u8>,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { limits, deflate, role, complete, connections } = self;
        let (limits, deflate, role, complete) = (*limits, *deflate, *role, *complete);
        let connection = connections.entry(at.conn).or_default();
        if connection.way(direction).stopped {
            return Ok(());
        }
        let fresh = || match bytes.starts_with(b"GET ") || bytes.starts_with(b"HTTP/") {
            true => Observer::before_handshake(direction, limits),
            false => Observer::of_frames(direction, deflate.as_ref(), limits),
        };
        let way = connection.way(direction);
        let mut observer = way.observer.take().unwrap_or_else(fresh);
        let mut input = Input::new(&mut bytes);
        let mut early = Vec::new();
        loop {
            if direction == Direction::ToServer
                && observer.is_undecided()
                && !connection.switched
                && connection.request.is_some()
            {
                let rest = input.take(usize::MAX);
                if connection.early.len() + rest.len() <= MAX_EARLY {
                    connection.early.extend_from_slice(rest);
                }
                break;
            }
            let head = match observer.next(&mut input) {
                None => break,
                Some(Observed::Head(head)) => head.clone(),
                Some(Observed::HeadError(error)) => {
                    let text = format!("the head and the data after it can't be read: {error}");
                    connection.way(direction).stopped = true;
                    take(at, &Event::Note(&text))?;
                    break;
                }
                Some(Observed::Body(bytes)) => {
                    if direction == Direction::ToClient {
                        take(at, &Event::Body(bytes))?;
                    }
                    continue;
                }
                Some(Observed::Frame(event)) => {
                    let way = connection.way(direction);
                    way.counters.count(&event);
                    if let FrameEvent::Control { opcode: OpCode::Control(Control::Close), payload } =
                        &event
                        && way.close.is_none()
                    {
                        way.close = Some(CloseBody::parse(payload));
                        connection.first_close.get_or_insert(direction.sender());
                    }
                    take(at, &Event::Frame(direction, event))?;
                    continue;
                }
                // Only `next_or_whole` returns these.
                Some(Observed::Whole(_)) => continue,
            };
            take(at, &Event::Head(direction, &head))?;
            if direction == Direction::ToServer {
                connection.request = Some(head);
                // The response decides what follows.
                continue;
            }
            match head.status_line().map(|line| line.code) {
                // An interim response: another head follows (RFC 9110 §15.2).
                Some(code) if code != 101 && code / 100 == 1 => observer.expect_head(limits),
                Some(101) => {
                    let agreed = agreed(&head, deflate);
                    connection.switched = true;
                    connection.opened = Some(at.micros);
                    if !complete && let Some(request) = &connection.request {
                        let early_bytes = connection.early.len() as u64;
                        let context = HandshakeContext::new(request, Some(&head));
                        let report = check(&HandshakeContext { early_bytes, ..context });
                        take(at, &Event::Judged(&report))?;
                        take(at, &Event::Open(&report.agreed))?;
                    }
                    // An end counts its sent data from its first frame.
                    let sent = role.map(Direction::sent_by);
                    let of_frames =
                        |way: Direction| Observer::of_frames(way, agreed.as_ref(), limits);
                    match &mut connection.to_server.observer {
                        Some(other) if sent != Some(Direction::ToServer) => {
                            other.expect_frames(agreed.as_ref());
                        }
                        other => *other = Some(of_frames(Direction::ToServer)),
                    }
                    match sent == Some(Direction::ToClient) {
                        true => observer = of_frames(Direction::ToClient),
                        false => observer.expect_frames(agreed.as_ref()),
                    }
                    early = std::mem::take(&mut connection.early);
                }
                _ => observer.expect_body(),
            }
        }
        connection.way(direction).observer = Some(observer);
        if early.is_empty() {
            return Ok(());
        }
        self.bytes(at, Direction::ToServer, early, take)
    }

    /// Ends a direction; reports an incomplete frame.
    fn finish_way<E>(
        &mut self,
        at: &Stamp,
        direction: Direction,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(connection) = self.connections.get_mut(&at.conn) else { return Ok(()) };
        let way = connection.way(direction);
        let cut = way.observer.as_mut().filter(|_| !way.stopped).and_then(Observer::finish);
        match cut {
            Some(cut) => take(at, &Event::Frame(direction, FrameEvent::Violation(&cut))),
            None => Ok(()),
        }
    }

    fn finish<E>(
        &mut self,
        at: &Stamp,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.complete {
            self.finish_way(at, Direction::ToServer, take)?;
            self.finish_way(at, Direction::ToClient, take)?;
        }
        self.connections.remove(&at.conn);
        Ok(())
    }

    /// The end of a connection of which only the bytes are recorded.
    fn closed<E>(
        &mut self,
        at: &Stamp,
        by: Option<Role>,
        reset: bool,
        take: &mut dyn FnMut(&Stamp, &Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.finish_way(at, Direction::ToServer, take)?;
        self.finish_way(at, Direction::ToClient, take)?;
        let Some(connection) = self.connections.remove(&at.conn) else { return Ok(()) };
        let PlayedConnection { opened, to_server, to_client, first_close, .. } = connection;
        let Some(opened) = opened else {
            return take(at, &Event::Failed("it ended without a WebSocket"));
        };
        let by = first_close.or(by).map_or(Side::Network, Side::End);
        let cause = match (&to_server.close, &to_client.close) {
            (Some(_), Some(_)) => Cause::Closed,
            _ if reset => Cause::Lost(Lost::Reset),
            _ => Cause::Lost(Lost::EndOfStream),
        };
        let duration =
            Duration::from_micros(u64::try_from(at.micros.saturating_sub(opened)).unwrap_or(0));
        let ending = Ending {
            role: None,
            by,
            cause,
            sent: to_server.close,
            received: to_client.close,
            duration,
            out: to_server.counters.totals(),
            r#in: to_client.counters.totals(),
        };
        take(at, &Event::End(&ending))
    }
}
