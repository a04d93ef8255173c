//! `listen --replay`: the server's side of a recorded connection, for each client.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;

use super::perform::Performer;
use crate::cli::{MatchChoice, UnmatchedChoice};
use crate::engine::behaviour::{Behaviour, Context, TURN_CONTENT};
use crate::engine::outbox::{Outbox, Producer, Sender};
use crate::net::link::HIGH_WATER;
use crate::net::stdio::Stdout;
use crate::recording::{ActKind, ReplayPlan, canonical};
use crate::wire::{CloseCode, Data};

/// How many steps may wait for a client to read.
const MOST_DUE: usize = 65_536;

/// Messages between a client of a mock and the server that answers messages that the recording does
/// not have.
#[derive(Debug, Default)]
pub struct MockPassage {
    to_server: VecDeque<(Data, Vec<u8>)>,
    to_client: VecDeque<(Data, Vec<u8>)>,
    /// The number of content bytes in both directions.
    held: usize,
}

impl MockPassage {
    /// Whether a message waits for the server.
    pub fn asks(&self) -> bool {
        !self.to_server.is_empty()
    }

    fn is_full(&self) -> bool {
        self.held >= HIGH_WATER || self.to_server.len().max(self.to_client.len()) >= MOST_DUE
    }
}

/// The next message of one direction, if there is room for it.
fn pass_on(
    way: &mut VecDeque<(Data, Vec<u8>)>,
    held: &mut usize,
    pending: usize,
    sender: &mut Sender<'_>,
) {
    let before = sender.tx.len();
    while sender.is_open() {
        let made = sender.tx.len().saturating_sub(before);
        if !sender.outbox.has_room(Producer::Message, pending + made) {
            break;
        }
        let Some((opcode, content)) = way.pop_front() else { break };
        *held -= content.len();
        // The connection is open.
        let _ = sender.message(opcode, &content);
    }
}

/// The server's end of a passage: a behaviour of the connection to the server.
#[derive(Debug)]
pub struct PassedOn(pub Rc<RefCell<MockPassage>>);

impl Behaviour for PassedOn {
    fn on_message(&mut self, opcode: Data, content: &[u8], _: &mut Context<'_>) -> io::Result<()> {
        let passage = &mut *self.0.borrow_mut();
        passage.held += content.len();
        passage.to_client.push_back((opcode, content.to_vec()));
        Ok(())
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let MockPassage { to_server, held, .. } = &mut *self.0.borrow_mut();
        pass_on(to_server, held, pending, &mut cx.sender);
        Ok(())
    }

    fn is_full(&self, _: &Stdout) -> bool {
        self.0.borrow().is_full()
    }

    fn is_ready(&self, outbox: &Outbox, pending: usize) -> bool {
        self.0.borrow().asks() && outbox.has_room(Producer::Message, pending)
    }
}

/// The script for each client.
#[derive(Debug)]
pub struct MockScript {
    plan: ReplayPlan,
    matching: MatchChoice,
    unmatched: UnmatchedChoice,
    /// The steps after each number of client messages.
    groups: Vec<Vec<usize>>,
    /// The messages of the client, by their content.
    known: HashMap<(bool, Vec<u8>), Vec<usize>>,
}

impl MockScript {
    /// The script of a server's plan.
    pub fn new(plan: ReplayPlan, matching: MatchChoice, unmatched: UnmatchedChoice) -> Self {
        let mut groups = vec![Vec::new(); plan.awaited.len() + 1];
        let mut group = 0;
        for (at, step) in plan.steps.iter().enumerate() {
            // A message stays complete, with the frames between its fragments.
            let goes_on = matches!(&step.what, ActKind::Piece(piece) if !piece.first);
            let inside = at.checked_sub(1).and_then(|before| plan.steps.get(before));
            let inside = inside
                .is_some_and(|step| matches!(&step.what, ActKind::Piece(piece) if !piece.last));
            if !goes_on && !inside {
                group = step.after;
            }
            groups[group].push(at);
        }
        let mut known: HashMap<_, Vec<usize>> = HashMap::new();
        if matching == MatchChoice::Content {
            for (at, message) in plan.awaited.iter().enumerate() {
                let key = key(message.opcode, &message.content);
                known.entry(key).or_default().push(at);
            }
        }
        Self { plan, matching, unmatched, groups, known }
    }

    /// The recorded message that corresponds to a message; `next` is the next one in order.
    fn find(&self, next: usize, opcode: Data, content: &[u8]) -> Option<usize> {
        match self.matching {
            MatchChoice::Order => (next < self.plan.awaited.len()).then_some(next),
            MatchChoice::Content => {
                let same = self.known.get(&key(opcode, content))?;
                same.iter().find(|at| **at >= next).or(same.first()).copied()
            }
        }
    }
}

/// Plays a script for one client.
#[derive(Debug)]
pub struct Mock {
    script: Rc<MockScript>,
    performer: Performer,
    /// Steps that are due now.
    due: VecDeque<usize>,
    next: usize,
    received: u64,
    /// The note that the client does not wait like the recorded one; returned once.
    note: Option<String>,
    noted: bool,
    /// The passage for messages that the recording does not have.
    passage: Option<Rc<RefCell<MockPassage>>>,
}

impl Mock {
    /// For a connection that is open now.
    pub fn new(script: &Rc<MockScript>, passage: Option<&Rc<RefCell<MockPassage>>>) -> Self {
        let due = script.groups.first().into_iter().flatten().copied().collect();
        let (script, performer) = (Rc::clone(script), Performer::default());
        let passage = passage.cloned();
        Self { script, performer, due, next: 0, received: 0, note: None, noted: false, passage }
    }
}

impl Behaviour for Mock {
    fn on_message(&mut self, opcode: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        self.received += 1;
        match self.script.find(self.next, opcode, content) {
            Some(at) => {
                if !self.due.is_empty() && !std::mem::replace(&mut self.noted, true) {
                    self.note = Some(format!(
                        "message {} of the client arrived before the recorded answers to its \
                         previous message were sent; answers keep the order of the recording",
                        self.received
                    ));
                }
                self.next = at + 1;
                self.due.extend(&self.script.groups[self.next]);
            }
            None if self.script.unmatched == UnmatchedChoice::Close => {
                *cx.ignore_rest = true;
                let reason = format!("message {} is not in the recording", self.received);
                // If it is already closing, no Close is needed.
                let _ = cx.sender.close(Some(CloseCode::Policy.into()), &reason);
            }
            None => {
                if let Some(passage) = &self.passage {
                    let passage = &mut *passage.borrow_mut();
                    passage.held += content.len();
                    passage.to_server.push_back((opcode, content.to_vec()));
                }
            }
        }
        Ok(())
    }

    fn on_turn(&mut self, pending: usize, cx: &mut Context<'_>) -> Result<(), String> {
        let before = cx.sender.tx.len();
        if let Some(passage) = &self.passage {
            let MockPassage { to_client, held, .. } = &mut *passage.borrow_mut();
            pass_on(to_client, held, pending, &mut cx.sender);
        }
        while cx.sender.is_open() {
            let made = cx.sender.tx.len().saturating_sub(before);
            if made >= TURN_CONTENT || !cx.sender.outbox.has_room(Producer::Hand, pending + made) {
                break;
            }
            let Some(at) = self.due.pop_front() else { break };
            self.performer.send(&self.script.plan.steps, at, None, &mut cx.sender);
        }
        Ok(())
    }

    /// wscope does not read further from a client that sends faster than it reads.
    fn is_full(&self, _: &Stdout) -> bool {
        self.due.len() > MOST_DUE
            || self.passage.as_ref().is_some_and(|passage| passage.borrow().is_full())
    }

    fn is_ready(&self, outbox: &Outbox, pending: usize) -> bool {
        let answered = |passage: &Rc<RefCell<MockPassage>>| !passage.borrow().to_client.is_empty();
        !self.due.is_empty() && outbox.has_room(Producer::Hand, pending)
            || self.passage.as_ref().is_some_and(answered)
                && outbox.has_room(Producer::Message, pending)
    }

    fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }

    fn held(&self) -> usize {
        self.passage.as_ref().map_or(0, |passage| passage.borrow().held)
    }
}

/// The key of equal messages: whether they are text, and their content.
fn key(opcode: Data, content: &[u8]) -> (bool, Vec<u8>) {
    (opcode == Data::Text, canonical(content))
}
