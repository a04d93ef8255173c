//! The beginnings of the first sent messages and of the last one.

use crate::wire::Data;

/// How many bytes of a sent message are kept.
const KEPT: usize = 320;

/// How many messages are kept: the first ones, and the last one in the last place.
pub(super) const MOST: usize = 8;

/// The beginnings of the first sent messages and of the last one.
#[derive(Debug, Default)]
pub(super) struct Sent {
    begun: Vec<SentMessage>,
}

#[derive(Debug)]
struct SentMessage {
    opcode: Data,
    content: Vec<u8>,
    /// Its whole length so far.
    len: u64,
}

impl Sent {
    /// The kept messages, in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = (Data, &[u8])> {
        self.begun.iter().map(|begun| (begun.opcode, begun.content.as_slice()))
    }

    /// The length of the last message so far.
    pub(super) fn last_len(&self) -> u64 {
        self.begun.last().map_or(0, |begun| begun.len)
    }

    /// Takes a piece of a message; `first` if it begins the message.
    pub(super) fn take(&mut self, opcode: Data, piece: &[u8], first: bool) {
        if first {
            match self.begun.get_mut(MOST - 1) {
                Some(last) => {
                    (last.opcode, last.len) = (opcode, 0);
                    last.content.clear();
                }
                None => self.begun.push(SentMessage { opcode, content: Vec::new(), len: 0 }),
            }
        }
        if let Some(last) = self.begun.last_mut() {
            last.len += piece.len() as u64;
            let room = KEPT.saturating_sub(last.content.len());
            last.content.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }
}
