//! `--broadcast`: sends every message of a client to all other clients.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::engine::behaviour::{Behaviour, Context};
use crate::engine::memory::Budget;
use crate::engine::outbox::SharedMessage;
use crate::net::link::HIGH_WATER;
use crate::net::stdio::Stdout;
use crate::wire::Data;

/// How many messages are distributed at once, because small messages to a thousand clients take
/// time.
const MOST: usize = 1024;

/// Messages of the current client, on their way to the others.
pub struct Posts {
    messages: Vec<Rc<SharedMessage>>,
    bytes: usize,
    budget: Rc<Budget>,
}

impl Posts {
    /// Creates an empty list. Its messages count in `budget` until the last client has sent them.
    pub fn new(budget: Rc<Budget>) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { messages: Vec::new(), bytes: 0, budget }))
    }

    /// Takes the messages, in order.
    pub fn take(&mut self) -> Vec<Rc<SharedMessage>> {
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// Posts the messages of one client.
pub struct Broadcast(Rc<RefCell<Posts>>);

impl Broadcast {
    /// Posts to a list that is distributed after the client's turn.
    pub fn new(posts: &Rc<RefCell<Posts>>) -> Self {
        Self(Rc::clone(posts))
    }
}

impl Behaviour for Broadcast {
    fn on_message(&mut self, opcode: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        let mut posts = self.0.borrow_mut();
        let message = SharedMessage::new(opcode, content, &posts.budget);
        posts.bytes += content.len();
        posts.messages.push(message);
        Ok(())
    }

    fn is_full(&self, _: &Stdout) -> bool {
        let posts = self.0.borrow();
        posts.bytes >= HIGH_WATER || posts.messages.len() >= MOST
    }
}
