//! Counts the events of an observer, for the totals at the end.

use super::observer::Run;
use crate::event::{FrameEvent, Totals, WholeMessage};

/// The totals of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    totals: Totals,
}

impl Counters {
    /// Counts an event.
    #[inline]
    pub fn count(&mut self, event: &FrameEvent<'_>) {
        let totals = &mut self.totals;
        match event {
            FrameEvent::Start { header, .. } => {
                totals.frames += 1;
                totals.wire_bytes += header.wire_len() as u64;
            }
            FrameEvent::Payload(bytes) | FrameEvent::Undecodable(bytes) => {
                totals.wire_bytes += bytes.len() as u64;
            }
            FrameEvent::Data(bytes) => totals.bytes += bytes.len() as u64,
            FrameEvent::Message(_) => totals.messages += 1,
            _ => {}
        }
    }

    /// Counts a whole message.
    #[inline]
    pub fn count_whole(&mut self, message: &WholeMessage<'_>) {
        let totals = &mut self.totals;
        totals.frames += 1;
        totals.messages += 1;
        totals.bytes += message.header.len;
        totals.wire_bytes += message.header.wire_len() as u64 + message.header.len;
    }

    /// Counts a run of small messages.
    pub fn count_run(&mut self, run: Run) {
        let totals = &mut self.totals;
        totals.frames += run.messages;
        totals.messages += run.messages;
        totals.bytes += run.bytes;
        totals.wire_bytes += run.wire_bytes;
    }

    /// The totals so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }
}
