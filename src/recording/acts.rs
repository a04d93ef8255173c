//! What both ends of a connection did, frame by frame, for a replay.
//!
//! Automatic frames of an endpoint are left out, because the replay has an endpoint, too: pongs
//! that answer a ping, and the Close that answers a Close. If a recording does not mark these
//! frames, wscope recognises them by the frame that they answer.

use std::collections::VecDeque;
use std::mem;

use crate::event::{Direction, FrameEvent};
use crate::wire::mask::MaskKey;
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode, Role};

/// The largest number of pings in one direction whose pong is expected.
const MAX_PINGS: usize = 64;

/// The memory of an act in addition to its content.
const ENTRY: usize = 160;

/// An act of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The time, in microseconds since the epoch.
    pub micros: i64,
    /// The direction.
    pub direction: Direction,
    /// The kind of act.
    pub what: ActKind,
}

/// The acts of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// It sent a frame of a message that follows the rules.
    Piece(Piece),
    /// It sent a control frame, or a frame that breaks a rule. A mask key means that the frame was
    /// masked.
    Frame(RawFrame),
    /// It sent bytes that are not frames.
    Bytes(Vec<u8>),
}

/// A frame of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Text or binary.
    pub opcode: Data,
    /// Its content, inflated.
    pub content: Vec<u8>,
    /// Whether it is the first frame of the message.
    pub first: bool,
    /// Whether it is the last frame of the message.
    pub last: bool,
    /// Whether the message was compressed.
    pub compressed: bool,
}

/// Collects the acts of both ends of a connection.
#[derive(Debug, Default)]
pub struct Acts {
    acts: Vec<Act>,
    ways: [DirectionActs; 2],
    /// The number of bytes held.
    held: usize,
    /// The number of frames that were incomplete at the end.
    pub cut: u64,
}

/// One direction.
#[derive(Debug, Default)]
struct DirectionActs {
    frame: Option<PartialFrame>,
    /// The endpoint itself made the next frame.
    automatic: bool,
    /// The opcode of the current message, and whether it is compressed.
    message: Option<(Data, bool)>,
    /// The payloads of unanswered pings.
    pings: VecDeque<Vec<u8>>,
    closed: bool,
}

/// An incomplete frame.
#[derive(Debug)]
struct PartialFrame {
    header: FrameHeader,
    payload: Vec<u8>,
    /// The content of a compressed frame.
    inflated: Vec<u8>,
    broken: bool,
    automatic: bool,
}

impl Acts {
    /// Notes that an endpoint itself made the next data in this direction.
    pub fn automatic(&mut self, direction: Direction) {
        self.ways[direction as usize].automatic = true;
    }

    /// Takes an event of a direction. `own` is the role of the recording program, if the recording
    /// marks the frames that the program made by itself.
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
                way.frame = Some(PartialFrame {
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

    fn end(&mut self, own: Option<Role>, micros: i64, direction: Direction, frame: PartialFrame) {
        let PartialFrame { header, payload, inflated, broken, automatic } = frame;
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
                // Later frames are judged separately.
                if header.fin && matches!(header.opcode, OpCode::Data(_)) {
                    way.message = None;
                }
                ActKind::Frame(raw(&header, payload))
            }
        };
        self.held += ENTRY;
        self.acts.push(Act { micros, direction, what });
    }

    /// The number of bytes held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// All acts in order, and the number of incomplete frames.
    pub fn finish(mut self) -> (Vec<Act>, u64) {
        let cut = self.ways.iter().filter(|way| way.frame.is_some()).count();
        self.cut += cut as u64;
        (self.acts, self.cut)
    }
}

/// A frame with its original bits.
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
