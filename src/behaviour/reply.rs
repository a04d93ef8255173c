//! `--reply`: answers every message with the same text.

use std::io;
use std::rc::Rc;

use crate::engine::behaviour::{Behaviour, Context};
use crate::event::FrameEvent;
use crate::wire::Data;

/// Answers each message.
pub struct Reply {
    /// The opcode of the answer.
    pub opcode: Data,
    /// Its content.
    pub content: Rc<[u8]>,
}

impl Behaviour for Reply {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, _: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        // If the connection is closing, an answer is not needed.
        let _ = cx.sender.message(self.opcode, &self.content);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        match event {
            FrameEvent::Message(_) => self.on_message(self.opcode, b"", cx),
            _ => Ok(()),
        }
    }
}
