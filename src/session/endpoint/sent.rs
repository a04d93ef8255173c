//! The beginnings of the first and the last sent message.

use crate::wire::Data;

/// How many bytes of a sent message are kept.
const KEPT: usize = 320;

/// The beginnings of the first and the last sent message.
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
    /// The first message, or the last one if there are several.
    pub(super) fn part(&self, at: usize) -> Option<(Data, &[u8])> {
        self.begun.get(at).map(|begun| (begun.opcode, begun.content.as_slice()))
    }

    /// The length of the last message so far.
    pub(super) fn last_len(&self) -> u64 {
        self.begun.last().map_or(0, |begun| begun.len)
    }

    /// Takes a piece of a message; `first` if it begins the message.
    pub(super) fn take(&mut self, opcode: Data, piece: &[u8], first: bool) {
        if first {
            match self.begun.get_mut(1) {
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
