//! A pool of DEFLATE states, shared by all connections.
//!
//! A state for compression takes about 270 KiB, one for decompression 40 KiB; the window that they
//! refer to has at most 32 KiB. So a connection keeps only the window, and borrows a state for each
//! message. If the state that it used last is still in the pool, it is used again unchanged; any
//! other state is reset and gets the connection's window.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many idle states of a kind the pool keeps for each thread.
const KEPT: usize = 32;

/// Identifies an owner of states; the default value owns nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner(u64);

impl Owner {
    /// A new owner.
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self(COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Idle states, in the order in which they were given back.
#[derive(Debug)]
pub(super) struct Pool<S>(Vec<(Owner, S)>);

impl<S> Pool<S> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes the state that `owner` gave back, or another one that must be reset. `fits` checks
    /// that the state has the right kind. Returns true if the state is the owner's own; `None` if a
    /// new state is needed.
    pub(super) fn take(&mut self, owner: Owner, fits: impl Fn(&S) -> bool) -> Option<(S, bool)> {
        if let Some(at) = self.0.iter().rposition(|(other, _)| *other == owner) {
            return Some((self.0.remove(at).1, true));
        }
        let free = |(other, state): &(Owner, S)| *other == Owner::default() && fits(state);
        let at = self.0.iter().position(free).or_else(|| {
            let full = self.0.len() >= KEPT;
            full.then(|| self.0.iter().position(|(_, state)| fits(state))).flatten()
        })?;
        Some((self.0.remove(at).1, false))
    }

    /// Takes a state back. A state of the default owner is available to everyone.
    pub(super) fn give_back(&mut self, owner: Owner, state: S) {
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push((owner, state));
    }

    /// Frees the state of an owner that no longer exists.
    pub(super) fn forget(&mut self, owner: Owner) {
        self.0.retain(|(other, _)| *other != owner);
    }
}

/// The last bytes of a text, to which a DEFLATE stream may refer.
#[derive(Debug)]
pub(super) struct Window {
    bytes: Vec<u8>,
    window: usize,
}

impl Window {
    /// Keeps this many bytes.
    pub(super) fn new(window: usize) -> Self {
        Self { bytes: Vec::new(), window }
    }

    /// Appends text.
    pub(super) fn push(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(self.window)..];
        // Keeps slightly more than needed, so that a short text seldom moves the whole window.
        let room = self.window + self.window / 8;
        if self.bytes.len() + text.len() > room {
            let kept = self.window - text.len();
            self.bytes.drain(..self.bytes.len().saturating_sub(kept));
        }
        let len = self.bytes.len() + text.len();
        if len > self.bytes.capacity() {
            self.bytes.reserve_exact((2 * len).min(room) - self.bytes.len());
        }
        self.bytes.extend_from_slice(text);
    }

    /// The bytes in the window.
    pub(super) fn window(&self) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(self.window)..]
    }

    /// The memory that it takes, in bytes.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Drops the text, and frees the memory.
    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_gets_its_own_state_back_and_anybody_a_free_one() {
        let (a, b) = (Owner::new(), Owner::new());
        let mut pool = Pool::new();
        pool.give_back(a, "a");
        pool.give_back(Owner::default(), "free");
        assert_eq!(pool.take(b, |_| true), Some(("free", false)));
        assert_eq!(
            pool.take(b, |_| true),
            None,
            "that of another is left to it while there is room"
        );
        assert_eq!(pool.take(a, |_| true), Some(("a", true)));
    }

    #[test]
    fn the_oldest_goes_first_and_those_of_the_gone_at_once() {
        let owners: Vec<Owner> = (0..=KEPT).map(|_| Owner::new()).collect();
        let mut pool = Pool::new();
        owners.iter().enumerate().for_each(|(at, owner)| pool.give_back(*owner, at));
        assert_eq!(pool.0.len(), KEPT);
        assert_eq!(pool.take(owners[0], |_| true), Some((1, false)), "its own was thrown out");
        pool.forget(owners[2]);
        assert_eq!(pool.take(owners[2], |_| true), None);
        assert_eq!(pool.0.len(), KEPT - 2);
    }

    #[test]
    fn history_is_the_end_of_the_text() {
        let mut history = Window::new(512);
        let mut text = Vec::new();
        for len in [0, 1, 200, 511, 512, 513, 3, 40, 100, 2000, 7, 300, 300] {
            let piece: Vec<u8> = (0..len).map(|at| (at + text.len()) as u8).collect();
            history.push(&piece);
            text.extend_from_slice(&piece);
            assert!(text.ends_with(history.window()));
            assert_eq!(history.window().len(), text.len().min(512));
            assert!(history.bytes.capacity() <= 576);
        }
    }
}
