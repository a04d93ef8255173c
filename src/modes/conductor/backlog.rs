//! The messages that `/expect` has not looked at yet.

use std::collections::VecDeque;

use regex::bytes::Regex;

use crate::event::FrameEvent;

/// How much of a message is looked at.
const LOOKED_AT: usize = 1024 * 1024;

/// Bytes that are kept in all; beyond them the oldest messages are forgotten.
const KEPT: usize = 16 * 1024 * 1024;

/// Messages that are kept: empty ones take room too.
const KEPT_MESSAGES: usize = 65_536;

/// What was received since the last `/expect` that was met: the answer to a message may be here
/// before the line that waits for it.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
    coming: Vec<u8>,
    /// Messages at the front that the expectation at hand has seen.
    seen: usize,
}

impl Backlog {
    /// Takes one event of the peer's direction.
    pub(super) fn take(&mut self, event: &FrameEvent<'_>) {
        match event {
            FrameEvent::Data(bytes) => {
                let room = LOOKED_AT - self.coming.len();
                self.coming.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            FrameEvent::Message(_) => {
                let message = std::mem::take(&mut self.coming);
                self.bytes += message.len();
                self.messages.push_back(message);
                while self.bytes > KEPT || self.messages.len() > KEPT_MESSAGES {
                    let Some(oldest) = self.messages.pop_front() else { break };
                    self.bytes -= oldest.len();
                    self.seen = self.seen.saturating_sub(1);
                }
            }
            _ => {}
        }
    }

    /// Looks for a message that matches; it and all before it are done with.
    pub(super) fn find(&mut self, regex: &Regex) -> bool {
        let fresh = self.messages.iter().skip(self.seen);
        let found = fresh.take_while(|message| !regex.is_match(message)).count() + self.seen;
        if found == self.messages.len() {
            self.seen = found;
            return false;
        }
        self.bytes -= self.messages.drain(..=found).map(|message| message.len()).sum::<usize>();
        self.seen = 0;
        true
    }

    /// Another expectation begins: it looks at all that is left.
    pub(super) fn look_again(&mut self) {
        self.seen = 0;
    }

    /// Whether there are messages that the expectation at hand has not seen.
    pub(super) fn has_news(&self) -> bool {
        self.seen < self.messages.len()
    }

    /// Forgets everything: another connection.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::MessageInfo;
    use crate::wire::{Data, OpCode};

    fn hear(backlog: &mut Backlog, message: &[u8]) {
        let info = MessageInfo {
            number: 1,
            opcode: OpCode::Data(Data::Text),
            frames: 1,
            first_frame: 1,
            compressed: false,
            wire_len: 0,
            len: 0,
        };
        for piece in message.chunks(2) {
            backlog.take(&FrameEvent::Data(piece));
        }
        backlog.take(&FrameEvent::Message(&info));
    }

    fn regex(text: &str) -> Regex {
        Regex::new(text).expect("a regular expression")
    }

    #[test]
    fn a_message_is_found_once_and_those_before_it_are_done_with() {
        let mut backlog = Backlog::default();
        for message in ["one", "two", "three", "two"] {
            hear(&mut backlog, message.as_bytes());
        }
        assert!(backlog.find(&regex("^two$")));
        assert!(!backlog.find(&regex("^one$")));
        assert!(!backlog.has_news());
        backlog.look_again();
        assert!(backlog.find(&regex("^three$")));
        assert!(backlog.find(&regex("^two$")));
        assert!(!backlog.find(&regex("")));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut backlog = Backlog::default();
        hear(&mut backlog, b"first");
        for _ in 0..20 {
            hear(&mut backlog, &vec![b'x'; 2 * LOOKED_AT]);
        }
        assert!(backlog.bytes <= KEPT);
        assert!(!backlog.find(&regex("first")));
    }
}
