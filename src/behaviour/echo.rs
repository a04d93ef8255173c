//! `--echo`: every message goes back as it came, the simplest conforming endpoint.

use std::io;

use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::outbox::Producer;
use crate::event::FrameEvent;
use crate::session::Observer;
use crate::session::observer::Run;
use crate::wire::decoder::Input;
use crate::wire::{Data, OpCode, Role};

/// A message that comes in pieces is held so far, then goes back in fragments, so that memory
/// stays constant.
const PIECE: usize = 1024 * 1024;

/// Sends every message back.
#[derive(Debug)]
pub struct Echo {
    opcode: Data,
    /// What has come of a message in pieces and has not gone back.
    content: Vec<u8>,
}

impl Default for Echo {
    fn default() -> Self {
        Self { opcode: Data::Text, content: Vec::new() }
    }
}

impl Echo {
    fn send(&mut self, last: bool, cx: &mut Context<'_>) {
        // Once the connection is closing nobody waits for the rest.
        let _ = cx.sender.fragment(Producer::Echo, self.opcode, &self.content, last);
        self.content.clear();
    }
}

impl Behaviour for Echo {
    fn streams(&self) -> bool {
        true
    }

    fn takes_runs(&self) -> bool {
        true
    }

    #[inline]
    fn take_run(
        &mut self,
        inbound: &mut Observer,
        input: &mut Input<'_>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Run {
        // A client's answers are masked: they cost more than the events that a run saves.
        if cx.sender.endpoint.role() == Role::Client {
            return Run::default();
        }
        inbound.take_masked_run(input, most, |opcode, content| {
            let _ = cx.sender.message(opcode, content);
        })
    }

    #[inline]
    fn on_message(&mut self, opcode: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let _ = cx.sender.message(opcode, content);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        match event {
            FrameEvent::Start { header, .. } => {
                if let OpCode::Data(opcode @ (Data::Text | Data::Binary)) = header.opcode {
                    self.opcode = opcode;
                }
            }
            FrameEvent::Data(bytes) => {
                self.content.extend_from_slice(bytes);
                if self.content.len() >= PIECE {
                    self.send(false, cx);
                }
            }
            FrameEvent::Message(_) => {
                self.send(true, cx);
                // Between messages nothing is held.
                self.content = Vec::new();
            }
            _ => {}
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.content.len()
    }
}
