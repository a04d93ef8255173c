//! The times of a connection's messages: which side sent the last one. Pings and pongs are not
//! messages.

use std::time::Instant;

use crate::event::Totals;

/// The clocks of the messages of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// When a message, or a part of one, last arrived.
    pub heard: Instant,
    /// Something has arrived since the last message was sent.
    pub answered: bool,
    /// When the last sent byte left.
    pub left: Instant,
    // Only compared for a change, so the low bits are enough; every connection has one.
    received: u32,
    sent: u32,
    all_left: u32,
}

impl Talk {
    /// Begins when the connection opens.
    pub fn new(now: Instant) -> Self {
        let (received, sent, all_left) = (0, 0, 0);
        Self { heard: now, answered: false, left: now, received, sent, all_left }
    }

    /// Whether a message was sent and nothing has arrived since.
    pub fn awaits_answer(&self) -> bool {
        self.sent != 0 && !self.answered
    }

    /// Notes how many messages were sent so far.
    pub fn sent(&mut self, messages: u64) {
        let messages = messages as u32;
        if messages != self.sent {
            (self.sent, self.answered) = (messages, false);
        }
    }

    /// Notes that bytes left, the number of messages sent so far, and whether nothing waits any
    /// more.
    pub fn left(&mut self, messages: u64, all: bool, now: Instant) {
        let messages = messages as u32;
        if messages != self.all_left {
            self.left = now;
            self.all_left = if all { messages } else { self.all_left };
        }
    }

    /// Notes the totals of received data.
    pub fn received(&mut self, totals: Totals, now: Instant) {
        let received = (totals.messages + totals.bytes) as u32;
        if received != self.received {
            (self.received, self.heard, self.answered) = (received, now, true);
        }
    }
}
