//! One limit for all queued data in memory: unfinished messages, messages that wait to be sent,
//! input that a process has not read.
//!
//! Each holder reports its size with a [`Share`]; the sum of all shares is compared with the limit.
//! The code that notices an exceeded limit decides what to drop.

use std::cell::Cell;
use std::rc::Rc;

/// `--max-memory`: how many bytes may wait, over all connections.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: Cell<usize>,
    /// How many of these bytes are in budgets that are a part of this one.
    in_parts: Cell<usize>,
    /// The budget that also counts the bytes of this one.
    part_of: Option<Rc<Budget>>,
}

impl Budget {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: usize) -> Rc<Self> {
        Self::with(limit, None)
    }

    /// Creates a budget of `limit` bytes that are part of another one.
    pub fn part_of(whole: &Rc<Self>, limit: usize) -> Rc<Self> {
        Self::with(limit, Some(Rc::clone(whole)))
    }

    fn with(limit: usize, part_of: Option<Rc<Self>>) -> Rc<Self> {
        Rc::new(Self { limit, used: Cell::new(0), in_parts: Cell::new(0), part_of })
    }

    /// Whether the holders have more than the limit allows.
    pub fn is_exceeded(&self) -> bool {
        self.used.get() > self.limit || self.part_of.as_ref().is_some_and(|p| p.is_exceeded())
    }

    /// Whether this budget must free memory: it exceeds its own limit, or it has most of the bytes
    /// that exceed the limit of the whole.
    pub fn gives_way(&self) -> bool {
        let part = |whole: &Rc<Self>| whole.is_exceeded() && self.used() > whole.used() / 2;
        self.used() > self.limit || self.part_of.as_ref().is_some_and(part)
    }

    /// The number of held bytes.
    pub fn used(&self) -> usize {
        self.used.get()
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn replace(&self, before: usize, after: usize) {
        self.used.set(self.used.get() - before + after);
        if let Some(whole) = &self.part_of {
            whole.replace(before, after);
            whole.in_parts.set(whole.in_parts.get() - before + after);
        }
    }
}

/// The part of a [`Budget`] that one holder has. Dropping it returns all bytes.
#[derive(Debug)]
pub struct Share {
    budget: Rc<Budget>,
    held: usize,
}

impl Share {
    /// A share without bytes.
    pub fn of(budget: &Rc<Budget>) -> Self {
        Self { budget: Rc::clone(budget), held: 0 }
    }

    /// Reports how many bytes are held now.
    pub fn set(&mut self, held: usize) {
        if held != self.held {
            self.budget.replace(self.held, held);
            self.held = held;
        }
    }

    /// Whether this holder must free memory: all holders together exceed the limit, and no part has
    /// most of the bytes. If a part has most of them, the part frees memory first, as long as that
    /// helps.
    pub fn gives_way(&self) -> bool {
        let budget = &self.budget;
        let used = budget.used();
        let part_does = budget.in_parts.get() > used / 2 && used < budget.limit + budget.limit / 4;
        self.held > 0 && budget.is_exceeded() && !part_does
    }

    /// The number of bytes that this holder has reported.
    pub fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.replace(self.held, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_are_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (Share::of(&budget), Share::of(&budget));
        one.set(60);
        other.set(40);
        assert!(!one.gives_way() && !budget.is_exceeded());
        other.set(41);
        assert!(one.gives_way() && other.gives_way());
        drop(one);
        assert!(!other.gives_way() && other.held() == 41);
        other.set(0);
        assert_eq!(budget.used.get(), 0);
    }

    #[test]
    fn the_part_that_holds_most_gives_way_first() {
        let whole = Budget::new(100);
        let part = Budget::part_of(&whole, 100);
        let (mut queued, mut unfinished) = (Share::of(&part), Share::of(&whole));
        queued.set(90);
        unfinished.set(20);
        assert!(part.gives_way() && !unfinished.gives_way());
        // The bytes of the part did not decrease.
        unfinished.set(40);
        assert!(unfinished.gives_way());
        queued.set(10);
        unfinished.set(95);
        assert!(!part.gives_way() && unfinished.gives_way());
    }
}
