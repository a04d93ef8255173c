//! `/expect` sees the messages of every connection.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::engine::behaviour::{Behaviour, Context};
use crate::event::FrameEvent;
use crate::script::runner::ExpectQueue;
use crate::session::Assembler;
use crate::wire::Data;

/// How much of a message is looked at.
const LOOKED_AT: usize = 1024 * 1024;

/// Puts the messages of one connection into the queue that `/expect` searches.
pub struct Expect {
    queue: Rc<RefCell<ExpectQueue>>,
    /// The beginning of a message that comes in pieces.
    beginning: Assembler,
}

impl Expect {
    /// Feeds a queue.
    pub fn new(queue: &Rc<RefCell<ExpectQueue>>) -> Self {
        Self { queue: Rc::clone(queue), beginning: Assembler::new(LOOKED_AT) }
    }
}

impl Behaviour for Expect {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        self.queue.borrow_mut().push(cx.conn, content);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        let (queue, conn) = (&self.queue, cx.conn);
        self.beginning.take(event, |message| {
            queue.borrow_mut().push_owned(conn, message.into_content());
        });
        Ok(())
    }

    fn held(&self) -> usize {
        self.beginning.held()
    }
}
