//! Counts what an observer sees, for the totals at the end.

use super::observer::Run;
use crate::event::{FrameEvent, Totals, WholeMessage};

/// Totals of one direction, kept up with its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    totals: Totals,
}

impl Counters {
    /// Takes one event into account.
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

    /// Takes a whole message into account.
    #[inline]
    pub fn count_whole(&mut self, message: &WholeMessage<'_>) {
        let totals = &mut self.totals;
        totals.frames += 1;
        totals.messages += 1;
        totals.bytes += message.header.len;
        totals.wire_bytes += message.header.wire_len() as u64 + message.header.len;
    }

    /// Takes a run of small messages into account.
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
