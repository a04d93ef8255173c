//! The connections of a proxy.

use super::pair::{Pair, Shared};
use crate::engine::slots::Slots;
use crate::event::ConnId;

/// The connections of a proxy.
pub struct Pairs {
    /// What all share.
    pub shared: Shared,
    /// All of them.
    pub all: Slots<Pair>,
    /// The number of the one accepted last; 0 before the first.
    pub connections: u64,
    /// Where it listens.
    pub urls: Vec<String>,
}

impl Pairs {
    /// One of them, by its number. It gets a turn, so that what is done to it takes effect.
    pub fn pair_mut(&mut self, id: ConnId) -> Option<&mut Pair> {
        let slot = self.all.find(|pair| pair.id() == id)?;
        self.all.enqueue(slot);
        self.all.get_mut(slot)
    }
}
