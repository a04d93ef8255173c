//! What both ends of a connection did, frame by frame, so that it can be replayed.
//!
//! Automatic frames of an endpoint are left out, because the replay has an endpoint, too: pongs
//! that answer a ping, and the Close that answers a Close. If a recording does not mark these
//! frames, they are recognised by what they answer.

use std::collections::VecDeque;
use std::mem;

use crate::event::{Direction, FrameEvent};
use crate::wire::mask::MaskKey;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode, Role};

/// Pings of one direction whose pong is expected, at most.
const MAX_PINGS: usize = 64;

/// The memory of an act in addition to its content.
const ENTRY: usize = 160;

/// What one end did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, in microseconds since the epoch.
    pub micros: i64,
    /// Where it went.
    pub direction: Direction,
    /// What it was.
    pub what: ActKind,
}

/// What an end can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// It sent a frame of a message, by the rules.
    Piece(Piece),
    /// It sent a control frame, or a frame that breaks a rule. A mask key in it says that there was one.
    Frame(RawFrame),
    /// It sent bytes that are no frames.
    Bytes(Vec<u8>),
}

/// A frame of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Text or binary.
    pub opcode: Data,
    /// What it holds, inflated.
    pub content: Vec<u8>,
    /// Whether the message begins with it.
    pub first: bool,
    /// Whether the message ends with it.
    pub last: bool,
    /// Whether the message was compressed.
    pub compressed: bool,
}

/// Collects what the ends of a connection did.
#[derive(Debug, Default)]
pub struct Acts {
    acts: Vec<Act>,
    ways: [Way; 2],
    /// Bytes that are held.
    held: usize,
    /// Frames that were not whole at the end.
    pub cut: u64,
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    frame: Option<Frame>,
    /// The endpoint made the next frame.
    automatic: bool,
    /// Of the message under way.
    message: Option<(Data, bool)>,
    /// Payloads of pings that were not answered yet.
    pings: VecDeque<Vec<u8>>,
    closed: bool,
}

/// A frame under way.
#[derive(Debug)]
struct Frame {
    header: FrameHeader,
    payload: Vec<u8>,
    /// What a compressed one holds.
    inflated: Vec<u8>,
    broken: bool,
    automatic: bool,
}

impl Acts {
    /// An endpoint itself made the next data in this direction.
    pub fn automatic(&mut self, direction: Direction) {
        self.ways[direction as usize].automatic = true;
    }

    /// Takes what crossed in a direction. `own` is the role of the program that recorded, if it states
    /// which of its frames it made by itself.
    pub fn take(
        &mut self,
        own: Option<Role>,
        micros: i64,
        direction: Direction,
        event: &FrameEvent<'_>,
    ) {
        let way = &mut self.ways[direction as usize];
        match event {
            FrameEvent::Start { header, .. } => {
                self.cut += u64::from(way.frame.is_some());
                way.frame = Some(Frame {
                    header: **header,
                    payload: Vec::new(),
                    inflated: Vec::new(),
                    broken: false,
                    automatic: mem::take(&mut way.automatic),
                });
            }
            FrameEvent::Payload(bytes) => {
                if let Some(frame) = &mut way.frame {
                    frame.payload.extend_from_slice(bytes);
                    self.held += bytes.len();
                }
            }
            FrameEvent::Data(bytes) => {
                let inflates = way.message.map_or_else(
                    || way.frame.as_ref().is_some_and(|frame| frame.header.rsv1),
                    |(_, compressed)| compressed,
                );
                if let Some(frame) = way.frame.as_mut().filter(|_| inflates) {
                    frame.inflated.extend_from_slice(bytes);
                    self.held += bytes.len();
                }
            }
            FrameEvent::Violation(_) => {
                way.frame.iter_mut().for_each(|frame| frame.broken = true);
            }
            FrameEvent::End { .. } => {
                if let Some(frame) = way.frame.take() {
                    self.end(own, micros, direction, frame);
                }
            }
            FrameEvent::Undecodable(bytes) => {
                self.held += bytes.len() + ENTRY;
                let what = ActKind::Bytes(bytes.to_vec());
                self.acts.push(Act { micros, direction, what });
            }
            FrameEvent::Control { .. } | FrameEvent::Message(_) => {}
        }
    }

    fn end(&mut self, own: Option<Role>, micros: i64, direction: Direction, frame: Frame) {
        let Frame { header, payload, inflated, broken, automatic } = frame;
        let [way, other] = {
            let [to_server, to_client] = &mut self.ways;
            match direction {
                Direction::ToServer => [to_server, to_client],
                Direction::ToClient => [to_client, to_server],
            }
        };
        let said = own.map(Direction::sent_by) == Some(direction);
        let what = match header.opcode {
            OpCode::Control(control) if !broken => {
                let answers = match control {
                    Control::Ping => {
                        if way.pings.len() == MAX_PINGS {
                            way.pings.pop_front();
                        }
                        way.pings.push_back(payload.clone());
                        false
                    }
                    Control::Pong if !said => {
                        let at = other.pings.iter().position(|ping| *ping == payload);
                        // "it MAY elect to send a Pong frame for only the most recently processed Ping
                        // frame" (RFC 6455 §5.5.3).
                        at.is_some_and(|at| other.pings.drain(..=at).count() > 0)
                    }
                    Control::Close => {
                        way.closed = true;
                        other.closed
                    }
                    _ => false,
                };
                if answers || automatic {
                    return;
                }
                ActKind::Frame(raw(&header, payload))
            }
            OpCode::Data(data) if !broken && !matches!(data, Data::Reserved(_)) => {
                let first = way.message.is_none();
                let (opcode, compressed) = *way.message.get_or_insert((data, header.rsv1));
                if header.fin {
                    way.message = None;
                }
                let content = if compressed { inflated } else { payload };
                ActKind::Piece(Piece { opcode, content, first, last: header.fin, compressed })
            }
            _ => {
                // What follows is judged by itself.
                if header.fin && matches!(header.opcode, OpCode::Data(_)) {
                    way.message = None;
                }
                ActKind::Frame(raw(&header, payload))
            }
        };
        self.held += ENTRY;
        self.acts.push(Act { micros, direction, what });
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// All that was done, in its order.
    pub fn finish(mut self) -> (Vec<Act>, u64) {
        let cut = self.ways.iter().filter(|way| way.frame.is_some()).count();
        self.cut += cut as u64;
        (self.acts, self.cut)
    }
}

/// A frame with the bits that it had.
fn raw(header: &FrameHeader, payload: Vec<u8>) -> RawFrame {
    let FrameHeader { fin, rsv1, rsv2, rsv3, opcode, mask, len, form, .. } = *header;
    let mask: Option<MaskKey> = mask;
    RawFrame {
        fin,
        rsv1,
        rsv2,
        rsv3,
        opcode,
        mask,
        form: (form != LengthForm::minimal(len)).then_some(form),
        announced: (len != payload.len() as u64).then_some(len),
        payload,
    }
}
