//! The entries of the loop, by slot: their tokens, turns and timers.
//!
//! Idle entries cost nothing in a round: it visits only entries in the queue or with an expired
//! timer.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use mio::Token;

use super::behaviour::Pipe;

/// Tokens below this one belong to the program; each slot has three from here on.
const FIRST_TOKEN: usize = 16;
const TOKENS: usize = 3;

/// The index of an entry. After the entry is removed, another one may get the index.
pub type Slot = usize;

/// The part of a slot that an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotPart {
    /// The socket.
    Socket,
    /// A pipe to the process of the connection.
    Pipe(Pipe),
}

/// The token of a part of a slot.
pub fn token(slot: Slot, part: SlotPart) -> Token {
    let part = match part {
        SlotPart::Socket => 0,
        SlotPart::Pipe(Pipe::Stdin) => 1,
        SlotPart::Pipe(Pipe::Stdout) => 2,
    };
    Token(FIRST_TOKEN + slot * TOKENS + part)
}

/// The slot and part of a token.
pub fn slot_of(token: Token) -> Option<(Slot, SlotPart)> {
    let at = token.0.checked_sub(FIRST_TOKEN)?;
    let part = match at % TOKENS {
        0 => SlotPart::Socket,
        1 => SlotPart::Pipe(Pipe::Stdin),
        _ => SlotPart::Pipe(Pipe::Stdout),
    };
    Some((at / TOKENS, part))
}

struct Occupant<T> {
    value: T,
    /// It is already in the queue.
    queued: bool,
    /// The earliest timer set for it.
    armed: Option<Instant>,
}

/// Entries by slot.
pub struct Slots<T> {
    entries: Vec<Option<Box<Occupant<T>>>>,
    free: Vec<Slot>,
    /// The entries that wait for a turn, in order.
    queue: VecDeque<Slot>,
    timers: BinaryHeap<Reverse<(Instant, Slot)>>,
    /// Where the last search ended: the next requested entry is often its neighbour.
    found: Slot,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        let (queue, timers) = (VecDeque::new(), BinaryHeap::new());
        Self { entries: Vec::new(), free: Vec::new(), queue, timers, found: 0 }
    }
}

impl<T> Slots<T> {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot that the next entry will get.
    pub fn next_slot(&self) -> Slot {
        self.free.last().copied().unwrap_or(self.entries.len())
    }

    /// Adds an entry at [`Slots::next_slot`].
    pub fn insert(&mut self, value: T) -> Slot {
        let slot = self.next_slot();
        let entry = Some(Box::new(Occupant { value, queued: false, armed: None }));
        match self.free.pop() {
            Some(slot) => self.entries[slot] = entry,
            None => self.entries.push(entry),
        }
        slot
    }

    /// Drops an entry.
    pub fn remove(&mut self, slot: Slot) {
        if self.entries[slot].take().is_some() {
            self.free.push(slot);
        }
    }

    /// The entry of a slot, if there is one.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.entry(slot).map(|entry| &mut entry.value)
    }

    fn entry(&mut self, slot: Slot) -> Option<&mut Occupant<T>> {
        self.entries.get_mut(slot)?.as_deref_mut()
    }

    /// All entries, by slot.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten().map(|entry| &entry.value)
    }

    /// Calls `act` for each entry, and gives a turn to those for which it returns true. Returns
    /// their number.
    pub fn each(&mut self, mut act: impl FnMut(&mut T) -> bool) -> usize {
        let mut count = 0;
        for slot in 0..self.entries.len() {
            if self.get_mut(slot).is_some_and(&mut act) {
                self.enqueue(slot);
                count += 1;
            }
        }
        count
    }

    /// The slot of the entry for which `is` returns true.
    pub fn find(&mut self, is: impl Fn(&T) -> bool) -> Option<Slot> {
        let is = |slot: &Slot| self.entries[*slot].as_ref().is_some_and(|e| is(&e.value));
        let first = self.found.min(self.entries.len());
        self.found = (first..self.entries.len()).chain(0..first).find(is)?;
        Some(self.found)
    }

    /// Gives an entry a turn in this round, or in the next.
    pub fn enqueue(&mut self, slot: Slot) {
        if let Some(entry) = self.entry(slot).filter(|entry| !entry.queued) {
            entry.queued = true;
            self.queue.push_back(slot);
        }
    }

    /// The number of entries that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The next entry in the queue.
    pub fn dequeue(&mut self) -> Option<Slot> {
        let slot = self.queue.pop_front()?;
        if let Some(entry) = self.entry(slot) {
            entry.queued = false;
        }
        Some(slot)
    }

    /// Makes sure that an entry has a turn at `deadline`. An earlier timer stays: in its turn, the
    /// entry finds nothing due, and sets the next timer. Without a deadline, the timer is void.
    pub fn arm(&mut self, slot: Slot, deadline: Option<Instant>) {
        let Some(entry) = self.entry(slot) else { return };
        let Some(at) = deadline else {
            entry.armed = None;
            return;
        };
        if entry.armed.is_none_or(|armed| at < armed) {
            entry.armed = Some(at);
            self.timers.push(Reverse((at, slot)));
        }
    }

    /// Gives a turn to each entry whose timer has expired.
    pub fn expire(&mut self, now: Instant) {
        while self.deadline().is_some_and(|at| at <= now) {
            let Some(Reverse((_, slot))) = self.timers.pop() else { break };
            if let Some(entry) = self.entry(slot) {
                entry.armed = None;
                self.enqueue(slot);
            }
        }
    }

    /// When the next timer expires. Drops void timers before it: of removed entries, or of entries
    /// without a deadline. A wait with a deadline costs the system more than one without.
    pub fn deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, slot))) = self.timers.peek().copied() {
            if self.entry(slot).is_some_and(|entry| entry.armed == Some(at)) {
                return Some(at);
            }
            self.timers.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_tokens_of_its_own() {
        let parts = [SlotPart::Socket, SlotPart::Pipe(Pipe::Stdin), SlotPart::Pipe(Pipe::Stdout)];
        for slot in [0, 1, 77, 100_000] {
            for part in parts {
                assert_eq!(slot_of(token(slot, part)), Some((slot, part)));
            }
        }
        assert_eq!(slot_of(Token(FIRST_TOKEN - 1)), None);
    }
}
