//! `--echo`: sends every message back unchanged; the simplest conforming endpoint.

use std::io;

use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::outbox::Producer;
use crate::event::FrameEvent;
use crate::session::message::{FRAGMENT_SIZE, MessagePiece};
use crate::session::observer::Run;
use crate::session::{Assembler, Observer};
use crate::wire::decoder::Input;
use crate::wire::{Data, Role};

/// Sends every message back.
#[derive(Debug)]
pub struct Echo {
    pieces: Assembler,
}

impl Default for Echo {
    fn default() -> Self {
        Self { pieces: Assembler::new(FRAGMENT_SIZE) }
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
        // A client must mask its answers, which costs more than a run saves.
        if cx.sender.endpoint.as_ref().is_some_and(|one| one.role() == Role::Client) {
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
        self.pieces.take_pieces(event, |MessagePiece { opcode, content, last }| {
            // If the connection is closing, the rest is not needed.
            let _ = cx.sender.fragment(Producer::Echo, opcode, content, last);
        });
        Ok(())
    }

    fn held(&self) -> usize {
        self.pieces.held()
    }
}
