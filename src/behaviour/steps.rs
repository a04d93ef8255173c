//! Sends a fixed sequence of messages, each after the peer has answered the previous one.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::outbox::{Outbox, Producer};
use crate::event::FrameEvent;
use crate::wire::Data;

/// A step of the sequence.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A message, in fragments of at most this many bytes.
    Message(Data, &'static [u8], usize),
    /// A ping.
    Ping(&'static [u8]),
    /// The closing handshake.
    Close(u16, &'static str),
}

/// Sends a sequence. Each message or pong of the peer is an answer.
pub struct Steps {
    steps: VecDeque<Step>,
    answered: bool,
}

impl Steps {
    /// Sends the first step in the connection's first turn.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), answered: true }
    }
}

impl Behaviour for Steps {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, _: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        self.answered = true;
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, _: &mut Context<'_>) -> io::Result<()> {
        self.answered |= matches!(event, FrameEvent::Message(_));
        Ok(())
    }

    fn on_round_trip(&mut self, _: Duration, _: &mut Context<'_>) {
        self.answered = true;
    }

    fn on_turn(&mut self, _: usize, cx: &mut Context<'_>) -> Result<(), String> {
        if !std::mem::take(&mut self.answered) {
            return Ok(());
        }
        let Some(step) = self.steps.pop_front() else { return Ok(()) };
        // After the peer has closed, there is nothing left to show.
        let _ = match step {
            Step::Message(opcode, content, piece) => {
                let count = content.len().div_ceil(piece);
                content.chunks(piece).enumerate().try_for_each(|(at, piece)| {
                    cx.sender.fragment(Producer::Hand, opcode, piece, at + 1 == count)
                })
            }
            Step::Ping(payload) => cx.sender.ping(payload),
            Step::Close(code, reason) => cx.sender.close(Some(code), reason),
        };
        Ok(())
    }

    fn is_ready(&self, _: &Outbox, _: usize) -> bool {
        self.answered && !self.steps.is_empty()
    }
}
