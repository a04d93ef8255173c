//! Who answers on a connection: an [`Endpoint`], or nothing if the connection is a [`Leg`] of a
//! relay.

use std::time::Instant;

use crate::event::{Cause, Ending, FrameEvent, Lost, Side, Totals};
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::wire::close::CloseBody;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::{Control, OpCode};

/// Who answers on a connection.
pub(super) enum Party {
    /// An endpoint follows RFC 6455.
    Endpoint(Endpoint),
    /// Nothing answers: the bytes go to another connection.
    Leg(Box<Leg>),
}

/// A leg of a relay. It keeps received data until the other leg takes it, and records how its
/// streams ended. Each direction ends separately, as in TCP.
pub(super) struct Leg {
    opened: Instant,
    /// The received bytes, unchanged.
    pub received: Vec<u8>,
    /// How the peer's stream, or both streams, ended.
    end: Option<(Side, Cause)>,
    lost: bool,
    /// The peer's first Close.
    pub close: Option<CloseBody>,
    /// The compression that was agreed.
    pub deflate: Option<DeflateParams>,
    /// Whether the body after a head is reported.
    pub shows_body: bool,
}

/// A larger buffer is freed after the round.
const KEPT: usize = 4096;

impl Leg {
    pub fn new(received: &[u8], now: Instant) -> Self {
        Self {
            opened: now,
            received: received.to_vec(),
            end: None,
            lost: false,
            close: None,
            deflate: None,
            shows_body: false,
        }
    }

    /// Begins with frames.
    pub fn open(&mut self, deflate: Option<DeflateParams>, now: Instant) {
        (self.opened, self.deflate) = (now, deflate);
    }

    /// Takes an event of the peer's stream.
    #[inline]
    pub fn take(&mut self, event: &FrameEvent<'_>) {
        if let FrameEvent::Control { opcode: OpCode::Control(Control::Close), payload } = event {
            self.close.get_or_insert_with(|| CloseBody::parse(payload));
        }
    }

    /// Removes the data that the other leg has taken.
    pub fn taken(&mut self) {
        match self.received.capacity() > KEPT {
            true => self.received = Vec::new(),
            false => self.received.clear(),
        }
    }

    /// Whether the peer's stream has ended.
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether both streams were lost at the same time.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Notes the end of the peer's stream; ours continues.
    pub fn end(&mut self, how: Lost) {
        self.end.get_or_insert((how.by(), Cause::Lost(how)));
    }

    /// Notes the loss of both streams.
    pub fn lose(&mut self, by: Side, cause: Cause) {
        self.lost = true;
        self.end.get_or_insert((by, cause));
    }
}

impl Party {
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Leg(_) => None,
        }
    }

    pub fn endpoint_mut(&mut self) -> Option<&mut Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Leg(_) => None,
        }
    }

    pub fn leg(&self) -> Option<&Leg> {
        match self {
            Self::Endpoint(_) => None,
            Self::Leg(leg) => Some(leg),
        }
    }

    pub fn leg_mut(&mut self) -> Option<&mut Leg> {
        match self {
            Self::Endpoint(_) => None,
            Self::Leg(leg) => Some(leg),
        }
    }

    pub fn state(&self) -> State {
        match self {
            Self::Endpoint(endpoint) => endpoint.state(),
            Self::Leg(leg) if leg.is_lost() => State::Closed,
            Self::Leg(_) => State::Open,
        }
    }

    pub fn is_open(&self) -> bool {
        self.state() == State::Open
    }

    /// Whether the peer's data is for behaviours.
    pub fn is_receiving(&self) -> bool {
        self.endpoint().is_none_or(Endpoint::is_receiving)
    }

    /// When the connection opened.
    pub fn opened(&self) -> Instant {
        match self {
            Self::Endpoint(endpoint) => endpoint.opened(),
            Self::Leg(leg) => leg.opened,
        }
    }

    /// Messages sent by the endpoint.
    pub fn messages_sent(&self) -> u64 {
        self.endpoint().map_or(0, Endpoint::messages_sent)
    }

    /// Notes that both streams were lost at the same time.
    pub fn lose(&mut self, how: Lost) {
        match self {
            Self::Endpoint(endpoint) => endpoint.end_of_stream(how),
            Self::Leg(leg) => leg.lose(how.by(), Cause::Lost(how)),
        }
    }

    /// Notes the end of the peer's stream; an endpoint then ends its own stream, too.
    pub fn end_of_stream(&mut self, how: Lost) {
        match self {
            Self::Endpoint(endpoint) => endpoint.end_of_stream(how),
            Self::Leg(leg) => leg.end(how),
        }
    }

    /// Ends the connection at once, without a closing handshake.
    pub fn drop_connection(&mut self) {
        match self {
            Self::Endpoint(endpoint) => endpoint.drop_connection(),
            Self::Leg(leg) => leg.lose(Side::Us, Cause::Dropped),
        }
    }

    /// How the connection ended; `out` and `in` are the totals of the observers.
    pub fn ending(&self, now: Instant, out: Totals, r#in: Totals) -> Ending {
        match self {
            Self::Endpoint(endpoint) => endpoint.ending(now, out, r#in),
            Self::Leg(leg) => {
                let (by, cause) = leg.end.clone().unwrap_or((Side::Us, Cause::Dropped));
                let duration = now.saturating_duration_since(leg.opened);
                let received = leg.close.clone();
                // The relay describes the end; the role of a leg does not matter.
                let role = crate::wire::Role::Server;
                Ending { role: Some(role), by, cause, sent: None, received, duration, out, r#in }
            }
        }
    }
}
