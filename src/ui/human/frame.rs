//! A frame that is being printed.

use std::time::Duration;

use super::line_writer::DisplayMode;
use crate::event::{ConnId, Direction};
use crate::ui::messages::MessageKind;
use crate::ui::view::View;
use crate::wire::FrameHeader;

/// How the payload of a frame is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreviewKind {
    /// As text, in quotes, even if it is empty.
    Text,
    /// In hexadecimal.
    Bytes,
    /// As a close code by name, and a reason.
    Close,
    /// As text if there is any.
    Note,
}

/// A frame of which the end is still to come.
#[derive(Debug)]
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
    /// Payload bytes so far.
    pub(super) wire: u64,
    /// Content bytes so far, inflated.
    pub(super) content: u64,
    pub(super) round_trip: Option<Duration>,
    pub(super) printed: bool,
}

impl HumanFrame {
    /// Whether it belongs to a compressed message.
    pub(super) fn is_compressed(&self) -> bool {
        self.message.is_some_and(|message| message.compressed)
    }

    /// Whether every byte of it is shown.
    pub(super) fn is_hex(&self) -> bool {
        self.mode.view == View::Hex
    }

    /// Whether its message is shown as a whole, and it has no line of its own.
    pub(super) fn is_in_message(&self) -> bool {
        self.message.is_some() && self.mode.view == View::Messages
    }
}
