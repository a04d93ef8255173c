//! A frame that is being printed.

use std::time::Duration;

use super::line::LineColumns;
use super::line_writer::DisplayMode;
use super::preview::{PayloadPreview, PreviewKind};
use crate::event::{ConnId, Direction, Stamp};
use crate::ui::messages::MessageKind;
use crate::ui::view::View;
use crate::wire::{Control, FrameHeader, OpCode};

/// A frame whose end has not arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct HumanFrame {
    pub(super) conn: ConnId,
    pub(super) direction: Direction,
    pub(super) number: u64,
    pub(super) header: FrameHeader,
    /// Time of its latest event, in microseconds since the epoch.
    pub(super) at: i64,
    pub(super) kind: PreviewKind,
    pub(super) message: Option<MessageKind>,
    pub(super) mode: DisplayMode,
    /// Received payload bytes.
    pub(super) wire: u64,
    /// Received content bytes, inflated.
    pub(super) content: u64,
    pub(super) round_trip: Option<Duration>,
    pub(super) printed: bool,
}

impl HumanFrame {
    /// A new frame.
    pub(super) fn begin(
        at: &Stamp,
        direction: Direction,
        number: u64,
        header: &FrameHeader,
        message: Option<MessageKind>,
        mode: DisplayMode,
    ) -> Self {
        let kind = match (header.opcode, message) {
            (OpCode::Control(Control::Close), _) => PreviewKind::Close,
            (OpCode::Control(Control::Ping | Control::Pong), _) => PreviewKind::Note,
            (_, Some(MessageKind { text: true, .. })) => PreviewKind::Text,
            _ => PreviewKind::Bytes,
        };
        Self {
            conn: at.conn,
            direction,
            number,
            header: *header,
            at: at.micros,
            kind,
            message,
            mode,
            wire: 0,
            content: 0,
            round_trip: None,
            printed: false,
        }
    }

    /// Whether it is part of a message.
    pub(super) fn is_of_message(&self) -> bool {
        self.message.is_some()
    }

    /// Whether its own bytes are shown: it belongs to no message, or its compressed data has
    /// produced no content so far.
    pub(super) fn shows_wire(&self) -> bool {
        self.message.is_none() || self.is_compressed() && self.content == 0
    }

    /// Whether it belongs to a compressed message.
    pub(super) fn is_compressed(&self) -> bool {
        self.message.is_some_and(|message| message.compressed)
    }

    /// Whether every byte of it is shown.
    pub(super) fn is_hex(&self) -> bool {
        self.mode.view == View::Hex
    }

    /// The part of its line before the payload.
    pub(super) fn columns(&self, inflated: Option<u64>) -> LineColumns<'_> {
        let Self { conn, direction, ref header, at, number, .. } = *self;
        // A control frame counts as a message of its own, and is less important than other
        // messages.
        let dim = self.mode.view == View::Messages && matches!(header.opcode, OpCode::Control(_));
        let frame = (!dim).then_some((number, header));
        let (opcode, len) = (header.opcode, header.len);
        let found = None;
        LineColumns { conn, direction, at, opcode, frame, len, inflated, dim, found }
    }

    /// Its content, which begins with `start`.
    pub(super) fn preview<'a>(&self, start: &'a [u8]) -> PayloadPreview<'a> {
        let Self { round_trip, wire, content, .. } = *self;
        let (kind, total) = match self.message {
            // There is no content, so its own bytes are shown.
            Some(MessageKind { compressed: true, .. }) if content == 0 => {
                (PreviewKind::Bytes, wire)
            }
            Some(_) => (self.kind, content),
            None => (self.kind, wire),
        };
        PayloadPreview { kind, start, total, shown: 0..0, round_trip }
    }

    /// Whether its message is shown as a whole, so that the frame has no line.
    pub(super) fn is_in_message(&self) -> bool {
        self.message.is_some() && self.mode.view == View::Messages
    }
}
