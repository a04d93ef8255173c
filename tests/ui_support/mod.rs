//! Real bytes through real observers, for the tests of the printers.

#![allow(dead_code)] // each test crate uses its part

use std::time::Duration;

use wscope::event::{Cause, ConnId, Direction, Ending, Event, Observed, Side, Stamp, Totals};
use wscope::session::{Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::deflate::codec::Deflater;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::writer::RawFrame;
use wscope::wire::{Control, Data, OpCode};

pub use wscope::event::Direction::{ToClient, ToServer};

/// 2026-11-21T12:03:04.120000Z.
pub const NOON: i64 = 1_795_262_584_120_000;

/// The masked "Hello" of RFC 6455 §5.7.
pub const MASKED_HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

pub const TEXT: OpCode = OpCode::Data(Data::Text);
pub const BINARY: OpCode = OpCode::Data(Data::Binary);
pub const CONT: OpCode = OpCode::Data(Data::Continue);
pub const CLOSE: OpCode = OpCode::Control(Control::Close);
pub const PING: OpCode = OpCode::Control(Control::Ping);
pub const PONG: OpCode = OpCode::Control(Control::Pong);

/// An unmasked frame of one piece.
pub fn frame(opcode: OpCode, payload: &[u8]) -> RawFrame {
    RawFrame { opcode, payload: payload.to_vec(), ..RawFrame::default() }
}

/// Its bytes.
pub fn bytes(frame: &RawFrame) -> Vec<u8> {
    let mut out = Vec::new();
    frame.write(&mut out);
    out
}

/// A text message compressed into one frame.
pub fn compressed(text: &str) -> RawFrame {
    let mut payload = Vec::new();
    Deflater::new(15, false).expect("15 bits can be had").deflate(
        text.as_bytes(),
        true,
        &mut payload,
    );
    RawFrame { rsv1: true, ..frame(TEXT, &payload) }
}

/// What prints events: one of the printers.
pub trait Print {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>);
}

/// Connection 1, with a printer that watches it and a clock that stands still.
pub struct Watched<P> {
    pub printer: P,
    pub out: Vec<u8>,
    pub at: Stamp,
    to_server: Observer,
    to_client: Observer,
}

impl<P: Print> Watched<P> {
    /// At a frame boundary, without compression.
    pub fn new(printer: P) -> Self {
        Self::with_deflate(printer, None)
    }

    /// At a frame boundary.
    pub fn with_deflate(printer: P, deflate: Option<DeflateParams>) -> Self {
        let observer =
            |direction| Observer::of_frames(direction, deflate.as_ref(), Limits::default());
        Self {
            printer,
            out: Vec::new(),
            at: Stamp { micros: NOON, conn: ConnId(1) },
            to_server: observer(ToServer),
            to_client: observer(ToClient),
        }
    }

    /// Prints an event.
    pub fn print(&mut self, event: &Event<'_>) -> &mut Self {
        self.printer.print(&self.at, event, &mut self.out);
        self
    }

    /// Lets bytes travel, whole.
    pub fn travel(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.travel_in_pieces(direction, bytes, usize::MAX)
    }

    /// Lets bytes travel in pieces of a size.
    pub fn travel_in_pieces(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        size: usize,
    ) -> &mut Self {
        let observer = match direction {
            ToServer => &mut self.to_server,
            ToClient => &mut self.to_client,
        };
        for piece in bytes.chunks(size.min(bytes.len().max(1))) {
            let mut piece = piece.to_vec();
            let mut input = Input::new(&mut piece);
            while let Some(observed) = observer.next(&mut input) {
                let Observed::Frame(event) = observed else { panic!("not a frame") };
                let event = Event::Frame(direction, event);
                self.printer.print(&self.at, &event, &mut self.out);
            }
        }
        self
    }

    /// Ends the stream of a direction; a frame that is cut by it is printed as a violation.
    pub fn cut(&mut self, direction: Direction) -> &mut Self {
        let observer = match direction {
            ToServer => &mut self.to_server,
            ToClient => &mut self.to_client,
        };
        let violation = observer.finish().expect("a frame has begun");
        self.print(&Event::Frame(direction, wscope::event::FrameEvent::Violation(&violation)))
    }

    /// What has been printed since the last call.
    pub fn take(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.out)).expect("UTF-8")
    }
}

/// A clean end.
pub fn ending() -> Ending {
    let close = Some(wscope::wire::close::CloseBody { code: Some(1000), reason: Vec::new() });
    Ending {
        role: Some(wscope::wire::Role::Client),
        by: Side::Us,
        cause: Cause::Closed,
        sent: close.clone(),
        received: close,
        duration: Duration::from_millis(3204),
        out: Totals { frames: 2, messages: 1, bytes: 5, wire_bytes: 19 },
        r#in: Totals { frames: 2, messages: 1, bytes: 5, wire_bytes: 11 },
    }
}
