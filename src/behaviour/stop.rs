//! `--exit-after` and `--until`: what ends a session early, with success.

use std::time::Instant;

use crate::event::FrameEvent;
use crate::session::Endpoint;
use crate::ui::pattern::Pattern;
use crate::wire::CloseCode;

/// How much of a message `--until` looks at.
const LOOKED_AT: usize = 1024 * 1024;

/// What ends the session early with success.
#[derive(Debug)]
pub struct StopCondition {
    messages_left: Option<u64>,
    until: Option<Pattern>,
    content: Vec<u8>,
    met: bool,
}

impl StopCondition {
    /// A goal, or none.
    pub fn new(messages: Option<u64>, until: Option<Pattern>) -> Self {
        Self { messages_left: messages, until, content: Vec::new(), met: false }
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
        match event {
            FrameEvent::Data(bytes) if self.until.is_some() => {
                let room = LOOKED_AT - self.content.len();
                self.content.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            FrameEvent::Message(_) => {
                self.met |= self.until.as_ref().is_some_and(|until| until.is_match(&self.content));
                self.content.clear();
                if let Some(left) = &mut self.messages_left {
                    *left = left.saturating_sub(1);
                    self.met |= *left == 0;
                }
            }
            _ => {}
        }
    }
}
