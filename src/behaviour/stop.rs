//! `--exit-after` and `--until`: what ends a session early, with success.

use std::time::Instant;

use regex::bytes::Regex;

use crate::event::{FrameEvent, WholeMessage};
use crate::session::{Assembler, Endpoint, Message};
use crate::wire::CloseCode;

/// How much of a message `--until` looks at.
const LOOKED_AT: usize = 1024 * 1024;

/// What ends the session early with success.
#[derive(Debug)]
pub struct StopCondition {
    messages_left: Option<u64>,
    until: Option<Regex>,
    coming: Assembler,
    met: bool,
}

impl StopCondition {
    /// A goal, or none.
    pub fn new(messages: Option<u64>, until: Option<Regex>) -> Self {
        Self { messages_left: messages, until, coming: Assembler::new(LOOKED_AT), met: false }
    }

    /// Whether what was waited for has come.
    pub fn is_met(&self) -> bool {
        self.met
    }

    /// Whether there is a goal at all.
    pub fn is_set(&self) -> bool {
        self.messages_left.is_some() || self.until.is_some()
    }

    /// Closes the connection once the goal is met.
    pub fn close_if_met(&self, endpoint: &mut Endpoint, now: Instant, tx: &mut Vec<u8>) {
        if self.met {
            // It may be closing already, which is as good.
            let _ = endpoint.close(Some(CloseCode::Normal.into()), "", now, tx);
        }
    }

    /// Takes one event of the peer's direction.
    pub fn take(&mut self, event: &FrameEvent<'_>) {
        let until = self.until.as_ref();
        if until.is_none() && !matches!(event, FrameEvent::Message(_)) {
            return;
        }
        if let Some(matches) = self.coming.take(event, |message| matches(until, &message)) {
            self.count(matches);
        }
    }

    /// Takes a message of the peer that came whole.
    pub fn take_whole(&mut self, whole: &WholeMessage<'_>) {
        let matches = matches(self.until.as_ref(), &self.coming.take_whole(whole));
        self.count(matches);
    }

    fn count(&mut self, matches: bool) {
        self.met |= matches;
        if let Some(left) = &mut self.messages_left {
            *left = left.saturating_sub(1);
            self.met |= *left == 0;
        }
    }
}

fn matches(until: Option<&Regex>, message: &Message<'_>) -> bool {
    until.is_some_and(|until| until.is_match(message.content()))
}
