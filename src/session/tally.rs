//! Counts what an observer sees, for the totals told at the end.

use crate::event::{FrameEvent, Totals};

/// Totals of one direction, kept up with its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    totals: Totals,
}

impl Tally {
    /// Takes one event into account.
    #[inline]
    pub fn count(&mut self, event: &FrameEvent<'_>) {
        let totals = &mut self.totals;
        match event {
            FrameEvent::Start { header, .. } => {
                totals.frames += 1;
                totals.wire_bytes += header.bytes().len() as u64;
            }
            FrameEvent::Payload(bytes) | FrameEvent::Undecodable(bytes) => {
                totals.wire_bytes += bytes.len() as u64;
            }
            FrameEvent::Data(bytes) => totals.bytes += bytes.len() as u64,
            FrameEvent::Message(_) => totals.messages += 1,
            _ => {}
        }
    }

    /// The totals so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }
}
