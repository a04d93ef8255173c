//! One limit for all queued data in memory: unfinished messages, messages that wait to be sent,
//! input that a process has not read.
//!
//! Each holder reports its size with a [`Share`]; the sum of all shares is compared with the limit.
//! The code that finds the limit exceeded decides what is dropped.

use std::cell::Cell;
use std::rc::Rc;

/// `--max-memory`: the bytes that may wait, over all connections.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: Cell<usize>,
    /// What is held here counts there too.
    part_of: Option<Rc<Budget>>,
}

impl Budget {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self { limit, used: Cell::new(0), part_of: None })
    }

    /// Creates a budget of `limit` bytes that are part of another one.
    pub fn part_of(whole: &Rc<Self>, limit: usize) -> Rc<Self> {
        Rc::new(Self { limit, used: Cell::new(0), part_of: Some(Rc::clone(whole)) })
    }

    /// Whether more is held than the limit allows.
    pub fn is_exceeded(&self) -> bool {
        self.used.get() > self.limit || self.part_of.as_ref().is_some_and(|p| p.is_exceeded())
    }

    /// Whether this budget has to give way: it exceeds its limit, or is most of what exceeds the
    /// whole's.
    pub fn gives_way(&self) -> bool {
        let part = |whole: &Rc<Self>| whole.is_exceeded() && self.used() > whole.used() / 2;
        self.used() > self.limit || self.part_of.as_ref().is_some_and(part)
    }

    /// Bytes that are held.
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
        }
    }
}

/// What one holder has of a [`Budget`]. Dropping it gives everything back.
#[derive(Debug)]
pub struct Share {
    budget: Rc<Budget>,
    held: usize,
}

impl Share {
    /// Begins with nothing held.
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

    /// Whether all holders together exceed the limit, and this one holds something.
    pub fn is_exceeded(&self) -> bool {
        self.held > 0 && self.budget.is_exceeded()
    }

    /// Bytes this holder has reported.
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
        assert!(!one.is_exceeded() && !budget.is_exceeded());
        other.set(41);
        assert!(one.is_exceeded() && other.is_exceeded());
        drop(one);
        assert!(!other.is_exceeded() && other.held() == 41);
        other.set(0);
        assert_eq!(budget.used.get(), 0);
    }
}
