//! `--exit-after` and `--until`: conditions that end a session early, with success.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::engine::behaviour::{Behaviour, Context};
use crate::event::FrameEvent;
use crate::session::Assembler;
use crate::ui::pattern::Pattern;
use crate::wire::{CloseCode, Data};

/// How much of a message `--until` searches.
const LOOKED_AT: usize = 1024 * 1024;

/// The condition that ends the run early with success. It outlives connections.
#[derive(Debug)]
pub struct StopCondition {
    messages_left: Option<u64>,
    until: Option<Pattern>,
    beginning: Assembler,
    met: bool,
    matched: bool,
}

impl StopCondition {
    /// A condition; `None` if there is none.
    pub fn new(messages: Option<u64>, until: Option<Pattern>) -> Option<Rc<RefCell<Self>>> {
        let is_set = messages.is_some() || until.is_some();
        let (beginning, met) = (Assembler::new(LOOKED_AT), messages == Some(0));
        let condition = Self { messages_left: messages, until, beginning, met, matched: false };
        is_set.then(|| Rc::new(RefCell::new(condition)))
    }

    /// Whether the condition is met.
    pub fn is_met(&self) -> bool {
        self.met
    }

    /// Whether a message matched `--until`. A number of messages expects no certain one.
    pub fn is_matched(&self) -> bool {
        self.matched
    }

    /// Takes an event of the peer's direction.
    fn take(&mut self, event: &FrameEvent<'_>) {
        let until = self.until.as_ref();
        if until.is_none() && !matches!(event, FrameEvent::Message(_)) {
            return;
        }
        if let Some(found) = self.beginning.take(event, |m| matches(until, m.content())) {
            self.count(found);
        }
    }

    fn take_message(&mut self, content: &[u8]) {
        let content = &content[..content.len().min(LOOKED_AT)];
        self.count(matches(self.until.as_ref(), content));
    }

    fn count(&mut self, found: bool) {
        self.matched |= found;
        self.met |= found;
        if let Some(left) = &mut self.messages_left {
            *left = left.saturating_sub(1);
            self.met |= *left == 0;
        }
    }
}

fn matches(until: Option<&Pattern>, content: &[u8]) -> bool {
    until.is_some_and(|until| until.is_match(content))
}

/// Watches a connection for the condition, and closes the connection when it is met.
pub struct Stop(Rc<RefCell<StopCondition>>);

impl Stop {
    /// For a new connection: an incomplete message of the previous connection does not count.
    pub fn new(condition: &Rc<RefCell<StopCondition>>) -> Self {
        condition.borrow_mut().beginning.clear();
        Self(Rc::clone(condition))
    }

    fn close_if_met(&self, cx: &mut Context<'_>) {
        if self.0.borrow().is_met() {
            *cx.ignore_rest = true;
            // If it is already closing, no Close is needed.
            let _ = cx.sender.close(Some(CloseCode::Normal.into()), "");
        }
    }
}

impl Behaviour for Stop {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        self.0.borrow_mut().take_message(content);
        self.close_if_met(cx);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        self.0.borrow_mut().take(event);
        self.close_if_met(cx);
        Ok(())
    }
}
