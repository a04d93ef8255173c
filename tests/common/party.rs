//! One end of a connection without a connection: an endpoint, the observer of what it receives,
//! and a clock that is set by hand.

use std::time::{Duration, Instant};

use wscope::event::{Direction, Ending, FrameEvent, Observed, Totals};
use wscope::session::endpoint::{EndpointConfig, State};
use wscope::session::keys::RandomSource;
use wscope::session::{Endpoint, Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, OpCode, Role};

use super::frames;
use super::seen::{Seen, feed};

/// A message as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub opcode: OpCode,
    pub content: Vec<u8>,
}

/// An endpoint with its observer and its clock.
pub struct Party {
    pub role: Role,
    pub endpoint: Endpoint,
    pub now: Instant,
    /// Written and not yet taken.
    pub out: Vec<u8>,
    /// Messages received while they were still to be acted on.
    pub messages: Vec<Received>,
    /// Round trips of pings that were answered.
    pub round_trips: Vec<Duration>,
    observer: Observer,
    content: Vec<u8>,
    /// Sees what was sent.
    mirror: Observer,
}

/// Mask keys for tests: a counter, so that each is new.
pub fn counting() -> RandomSource {
    let mut count = 0u32;
    Box::new(move |bytes| {
        for key in bytes.chunks_exact_mut(4) {
            count += 1;
            key.copy_from_slice(&count.to_be_bytes());
        }
    })
}

/// The direction in which `role` receives.
pub fn towards(role: Role) -> Direction {
    match role {
        Role::Client => Direction::ToClient,
        Role::Server => Direction::ToServer,
    }
}

impl Party {
    pub fn new(config: EndpointConfig) -> Self {
        let (role, deflate) = (config.role, config.deflate);
        let observe =
            |direction| Observer::of_frames(direction, deflate.as_ref(), Limits::default());
        let now = Instant::now();
        Self {
            role,
            endpoint: Endpoint::new(config, counting(), now),
            now,
            out: Vec::new(),
            messages: Vec::new(),
            round_trips: Vec::new(),
            observer: observe(towards(role)),
            content: Vec::new(),
            mirror: observe(towards(role).opposite()),
        }
    }

    pub fn client() -> Self {
        Self::new(EndpointConfig::new(Role::Client))
    }

    pub fn server() -> Self {
        Self::new(EndpointConfig::new(Role::Server))
    }

    /// Both roles with the same change to their defaults.
    pub fn both(change: impl Fn(&mut EndpointConfig)) -> [Self; 2] {
        [Role::Client, Role::Server].map(|role| {
            let mut config = EndpointConfig::new(role);
            change(&mut config);
            Self::new(config)
        })
    }

    /// With limits on what it receives.
    pub fn limited(mut self, limits: Limits) -> Self {
        self.observer = Observer::of_frames(towards(self.role), None, limits);
        self
    }

    /// Receives bytes as they came.
    pub fn receive_bytes(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        if !input.is_empty() {
            self.endpoint.touch();
        }
        while let Some(Observed::Frame(event)) = self.observer.next(&mut input) {
            let receiving = self.endpoint.is_receiving();
            match &event {
                FrameEvent::Data(piece) if receiving => self.content.extend_from_slice(piece),
                FrameEvent::Message(info) if receiving => self.messages.push(Received {
                    opcode: info.opcode,
                    content: std::mem::take(&mut self.content),
                }),
                _ => {}
            }
            let trip = self.endpoint.receive(&event, self.now, &mut self.out);
            self.round_trips.extend(trip);
        }
    }

    /// Receives frames, masked as the peer must mask them.
    pub fn receive(&mut self, frames: impl IntoIterator<Item = RawFrame>) {
        let direction = towards(self.role);
        let frames = frames.into_iter().map(|frame| frames::towards(direction, frame));
        self.receive_bytes(&frames::bytes(frames));
    }

    /// Takes what was written, as events.
    pub fn sent(&mut self) -> Vec<Seen> {
        let out = std::mem::take(&mut self.out);
        feed(&mut self.mirror, [&out[..]])
    }

    /// Takes what was written, as control frames and messages in order.
    pub fn sent_messages(&mut self) -> Vec<(OpCode, Vec<u8>)> {
        let (mut sent_messages, mut content) = (Vec::new(), Vec::new());
        for event in self.sent() {
            match event {
                Seen::Control(opcode, payload) => sent_messages.push((opcode, payload)),
                Seen::Data(mut piece) => content.append(&mut piece),
                Seen::Message(info) => {
                    sent_messages.push((info.opcode, std::mem::take(&mut content)))
                }
                Seen::Violation(violation) => panic!("sent {violation}"),
                _ => {}
            }
        }
        sent_messages
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.now += time;
        self.endpoint.tick(self.now, &mut self.out);
    }

    /// Time until the next deadline.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.endpoint.deadline().map(|at| at.saturating_duration_since(self.now))
    }

    pub fn send(&mut self, opcode: Data, content: impl AsRef<[u8]>) {
        self.endpoint
            .send_message(opcode, content.as_ref(), &mut self.out)
            .expect("the connection is open");
    }

    pub fn ping(&mut self, payload: impl AsRef<[u8]>) {
        self.endpoint
            .send_ping(payload.as_ref(), self.now, &mut self.out)
            .expect("the connection is open");
    }

    pub fn close(&mut self, code: Option<u16>, reason: &str) {
        self.endpoint.close(code, reason, self.now, &mut self.out).expect("the connection is open");
    }

    pub fn state(&self) -> State {
        self.endpoint.state()
    }

    pub fn ending(&self) -> Ending {
        self.endpoint.ending(self.now, Totals::default(), Totals::default())
    }
}
