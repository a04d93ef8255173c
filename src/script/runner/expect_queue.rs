//! Received data that no line has used yet: messages for `/expect`, ends of connections for
//! `/expect-close`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::engine::behaviour::{Behaviour, Context};
use crate::event::{ConnId, Direction, FrameEvent};
use crate::script::runner::answers::AnswerRules;
use crate::session::Assembler;
use crate::ui::filter::ClientSet;
use crate::ui::pattern::Pattern;
use crate::ui::{number, sanitize};
use crate::wire::Data;

/// Columns of a message in an error.
const PREVIEW: usize = 60;

/// The searched part of a message.
const LOOKED_AT: usize = 1024 * 1024;

/// The largest number of kept bytes; beyond it, the oldest messages are dropped.
const KEPT: usize = 16 * 1024 * 1024;

/// The largest number of kept messages, because empty messages need memory, too.
const KEPT_MESSAGES: usize = 65_536;

/// The largest number of kept ends.
const KEPT_ENDS: usize = 1024;

/// The messages received that no `/expect` has used up: the answer to a message may arrive before
/// the line that waits for it.
#[derive(Debug, Default)]
pub struct ExpectQueue {
    messages: VecDeque<(ConnId, Vec<u8>)>,
    bytes: usize,
    /// The number of messages at the front that the current expectation has examined.
    seen: usize,
    /// The ends of connections.
    ends: VecDeque<(ConnId, u16)>,
}

impl ExpectQueue {
    /// Takes a whole message of a connection.
    pub fn push(&mut self, id: ConnId, content: &[u8]) {
        self.keep(id, content[..content.len().min(LOOKED_AT)].to_vec());
    }

    /// [`Self::push`] for a message whose beginning has already been collected.
    pub fn push_owned(&mut self, id: ConnId, content: Vec<u8>) {
        self.keep(id, content);
    }

    /// Moves all messages of another queue to the end of this one.
    pub fn append(&mut self, other: &mut Self) {
        let Self { messages, ends, .. } = std::mem::take(other);
        ends.into_iter().for_each(|(id, code)| self.push_end(id, code));
        messages.into_iter().for_each(|(id, message)| self.keep(id, message));
    }

    fn keep(&mut self, id: ConnId, message: Vec<u8>) {
        self.bytes += message.len();
        self.messages.push_back((id, message));
        while self.bytes > KEPT || self.messages.len() > KEPT_MESSAGES {
            let Some((_, oldest)) = self.messages.pop_front() else { break };
            self.bytes -= oldest.len();
            self.seen = self.seen.saturating_sub(1);
        }
    }

    /// Searches for a message of `target` that matches, until `turn_ends`; if unexamined messages
    /// remain, the next turn continues. Removes the message that it finds, but not the messages
    /// before it, because peers may answer in any order.
    pub(crate) fn find(
        &mut self,
        pattern: &Pattern,
        target: &ClientSet,
        turn_ends: Instant,
    ) -> Option<Vec<u8>> {
        while let Some((id, message)) = self.messages.get(self.seen) {
            if target.includes(*id) && pattern.is_match(message) {
                self.bytes -= message.len();
                let (_, found) = self.messages.remove(self.seen)?;
                self.seen = 0;
                return Some(found);
            }
            self.seen += 1;
            if Instant::now() >= turn_ends {
                break;
            }
        }
        None
    }

    /// Notes that a connection has ended, with the code that an application sees.
    pub fn push_end(&mut self, id: ConnId, code: u16) {
        self.ends.push_back((id, code));
        if self.ends.len() > KEPT_ENDS {
            self.ends.pop_front();
        }
    }

    /// Takes the codes with which connections of `target` have ended.
    pub(crate) fn take_ends(&mut self, target: &ClientSet) -> Vec<u16> {
        let (meant, others) =
            std::mem::take(&mut self.ends).into_iter().partition(|(id, _)| target.includes(*id));
        self.ends = others;
        let meant: VecDeque<(ConnId, u16)> = meant;
        meant.into_iter().map(|(_, code)| code).collect()
    }

    /// Whether a connection of `target` has ended.
    pub(crate) fn has_ends(&self, target: &ClientSet) -> bool {
        self.ends.iter().any(|(id, _)| target.includes(*id))
    }

    /// The remaining messages of `target`, in words.
    pub(crate) fn summary(&self, target: &ClientSet) -> String {
        let mut meant = self.messages.iter().filter(|(id, _)| target.includes(*id));
        let Some((_, last)) = meant.next_back() else { return "no message came".to_owned() };
        let count = number::counted(meant.count() as u64 + 1, "message");
        format!("{count} came, the last: {}", preview(last))
    }

    /// Begins another expectation, which examines all remaining messages.
    pub(crate) fn look_again(&mut self) {
        self.seen = 0;
    }

    /// Whether there are messages that the current expectation has not examined.
    pub(crate) fn has_unseen(&self) -> bool {
        self.seen < self.messages.len()
    }

    /// Drops all messages, for another connection.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A message as an error shows it.
pub(crate) fn preview(message: &[u8]) -> String {
    let mut preview = Vec::new();
    sanitize::fit_quoted(message, false, PREVIEW, &mut preview);
    String::from_utf8_lossy(&preview).into_owned()
}

/// The data that connections and the runner share.
#[derive(Debug, Default)]
pub struct Inbox {
    /// What has arrived since the last run.
    pub queue: RefCell<ExpectQueue>,
    /// The rules of automatic answers.
    pub answers: RefCell<AnswerRules>,
}

/// Puts the messages of one connection into the queue that `/expect` searches, and answers them by
/// the rules of `/on`.
pub struct Expect {
    received: Rc<Inbox>,
    /// The beginning of a message in pieces.
    beginning: Assembler,
    /// The direction of a relayed connection.
    towards: Option<Direction>,
}

impl Expect {
    /// Fills the queue of `received`.
    pub fn new(received: &Rc<Inbox>) -> Self {
        Self { received: Rc::clone(received), beginning: Assembler::new(LOOKED_AT), towards: None }
    }

    /// Fills the queue with one direction of a relayed connection; sends no automatic answers.
    pub fn towards(self, direction: Direction) -> Self {
        Self { towards: Some(direction), ..self }
    }
}

impl Behaviour for Expect {
    fn streams(&self) -> bool {
        true
    }

    fn on_message(&mut self, _: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let content = &content[..content.len().min(LOOKED_AT)];
        let id = self.towards.map_or(cx.conn, |direction| cx.conn.towards(direction));
        self.received.queue.borrow_mut().push(id, content);
        self.received.answers.borrow_mut().answer(cx.conn, content, &mut cx.sender);
        Ok(())
    }

    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        let received = &self.received;
        let id = self.towards.map_or(cx.conn, |direction| cx.conn.towards(direction));
        self.beginning.take(event, |message| {
            let content = message.into_content();
            received.answers.borrow_mut().answer(cx.conn, &content, &mut cx.sender);
            received.queue.borrow_mut().push_owned(id, content);
        });
        Ok(())
    }

    fn held(&self) -> usize {
        self.beginning.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn receive(queue: &mut ExpectQueue, message: &[u8]) {
        queue.push(ConnId(1), message);
    }

    /// A turn that ends when everything was examined.
    fn find(queue: &mut ExpectQueue, text: &str, target: &ClientSet) -> bool {
        queue.find(&pattern(text), target, Instant::now() + Duration::from_secs(60)).is_some()
    }

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).expect("a regular expression")
    }

    #[test]
    fn a_message_is_found_once_and_those_before_it_can_still_be_found() {
        let mut queue = ExpectQueue::default();
        for message in ["one", "two", "three", "two"] {
            receive(&mut queue, message.as_bytes());
        }
        let mut finds = |text| find(&mut queue, text, &ClientSet::All);
        assert!(finds("^two$") && finds("^three$") && finds("^one$") && finds("^two$"));
        assert!(!finds(""));
        assert_eq!(queue.summary(&ClientSet::All), "no message came");
    }

    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let mut queue = ExpectQueue::default();
        receive(&mut queue, b"one");
        assert!(!find(&mut queue, "two", &ClientSet::All) && !queue.has_unseen());
        receive(&mut queue, b"two\x1b");
        assert_eq!(queue.summary(&ClientSet::All), "2 messages came, the last: \"two\\e\"");
        assert!(queue.has_unseen() && find(&mut queue, "two", &ClientSet::All));
        assert!(find(&mut queue, "one", &ClientSet::All));
    }

    #[test]
    fn a_search_ends_with_its_turn_and_goes_on_in_the_next() {
        let mut queue = ExpectQueue::default();
        for message in ["one", "two", "three"] {
            receive(&mut queue, message.as_bytes());
        }
        let over = Instant::now();
        let mut turn = || queue.find(&pattern("three"), &ClientSet::All, over).is_some();
        assert_eq!([turn(), turn(), turn()], [false, false, true]);
        assert!(queue.has_unseen());
    }

    #[test]
    fn messages_of_other_clients_stay() {
        let mut queue = ExpectQueue::default();
        for (id, text) in [(1, "a"), (2, "b"), (1, "b"), (2, "a")] {
            queue.push(ConnId(id), text.as_bytes());
        }
        let only = |id| ClientSet::Only(vec![ConnId(id)]);
        assert!(find(&mut queue, "b", &only(1)));
        assert!(find(&mut queue, "a", &only(1)));
        assert!(!find(&mut queue, "a|b", &only(1)));
        queue.look_again();
        assert!(find(&mut queue, "b", &only(2)));
        assert!(find(&mut queue, "a", &only(2)));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut queue = ExpectQueue::default();
        receive(&mut queue, b"first");
        for _ in 0..20 {
            receive(&mut queue, &vec![b'x'; 2 * LOOKED_AT]);
        }
        assert!(queue.bytes <= KEPT);
        assert!(!find(&mut queue, "first", &ClientSet::All));
    }
}
