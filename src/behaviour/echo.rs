//! `--echo`: every message goes back as it came, the simplest conforming client.

use crate::event::FrameEvent;
use crate::session::Endpoint;
use crate::session::endpoint::SendError;
use crate::wire::{Data, OpCode};

/// A message is held so far, then goes on in fragments, so that memory stays constant.
const PIECE: usize = 1024 * 1024;

/// The message being sent back.
#[derive(Debug)]
pub struct Echo {
    opcode: Data,
    content: Vec<u8>,
}

impl Default for Echo {
    fn default() -> Self {
        Self { opcode: Data::Text, content: Vec::new() }
    }
}

impl Echo {
    /// Collects a message and sends it back at its end; a long one in fragments.
    pub fn take(&mut self, event: &FrameEvent<'_>, endpoint: &mut Endpoint, tx: &mut Vec<u8>) {
        // Once the connection is closing nobody waits for the rest.
        let _ = match event {
            FrameEvent::Start { header, .. } => {
                if let OpCode::Data(opcode @ (Data::Text | Data::Binary)) = header.opcode {
                    self.opcode = opcode;
                }
                Ok(())
            }
            FrameEvent::Data(bytes) => {
                self.content.extend_from_slice(bytes);
                match self.content.len() >= PIECE {
                    true => self.send(false, endpoint, tx),
                    false => Ok(()),
                }
            }
            FrameEvent::Message(_) => self.send(true, endpoint, tx),
            _ => Ok(()),
        };
    }

    /// Gives memory back: between messages nothing is held.
    pub fn release(&mut self) {
        if self.content.is_empty() {
            self.content = Vec::new();
        }
    }

    fn send(
        &mut self,
        last: bool,
        endpoint: &mut Endpoint,
        tx: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        let result = endpoint.send_fragment(self.opcode, &self.content, last, tx);
        self.content.clear();
        result
    }
}
