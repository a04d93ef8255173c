//! The beginnings of payloads that are still arriving. The memory of all excerpts of a printer is
//! limited: many connections with unfinished messages take no more memory than a few.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of each excerpt that do not count towards the limit, so that a late excerpt still has
/// this much.
const FREE: usize = 4096;

/// A larger buffer is freed after use.
const KEPT: usize = 64 * 1024;

/// The remaining memory of several excerpts. Only one thread at a time uses it.
#[derive(Clone, Debug)]
pub struct ExcerptRoom(Arc<AtomicUsize>);

impl ExcerptRoom {
    /// Room for this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }
}

/// The beginning of a payload.
#[derive(Debug, Default)]
pub struct Excerpt {
    bytes: Vec<u8>,
    /// The room from which the other bytes were taken, and their number.
    taken: Option<(ExcerptRoom, usize)>,
}

impl Excerpt {
    /// Appends as many bytes as fit: at most `most` in all, and no more than there is room for.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], most: usize, room: &ExcerptRoom) {
        let len = bytes.len().min(most.saturating_sub(self.bytes.len()));
        let free = FREE.saturating_sub(self.bytes.len());
        let len = if len <= free { len } else { free + self.take(len - free, room) };
        self.bytes.extend_from_slice(&bytes[..len]);
    }

    #[cold]
    fn take(&mut self, wanted: usize, room: &ExcerptRoom) -> usize {
        let (room, taken) = self.taken.get_or_insert_with(|| (room.clone(), 0));
        let left = room.0.load(Ordering::Relaxed);
        let given = wanted.min(left);
        room.0.store(left - given, Ordering::Relaxed);
        *taken += given;
        given
    }

    /// Allocates memory for content of which this many bytes are expected.
    pub fn expect(&mut self, bytes: usize) {
        self.bytes.reserve_exact(bytes);
    }

    /// Drops the bytes.
    #[inline]
    pub fn clear(&mut self) {
        self.bytes.clear();
        if self.taken.is_some() {
            self.give_back();
        }
    }

    /// Returns the bytes, which no longer count towards the limit.
    pub fn finish(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.bytes);
        self.clear();
        bytes
    }

    #[cold]
    fn give_back(&mut self) {
        if let Some((room, taken)) = self.taken.take() {
            room.0.fetch_add(taken, Ordering::Relaxed);
        }
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }
}

impl Deref for Excerpt {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Excerpt {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_excerpts_together_keep_no_more_than_there_is_room_for() {
        let room = ExcerptRoom::new(10_000);
        let (mut one, mut other) = (Excerpt::default(), Excerpt::default());
        one.push(&[1; 12_000], usize::MAX, &room);
        other.push(&[2; 12_000], usize::MAX, &room);
        assert_eq!((one.len(), other.len()), (12_000, 2 * FREE + 10_000 - 12_000));
        one.clear();
        other.push(&[2; 100_000], 10_000, &room);
        assert_eq!(other.len(), 10_000);
        drop(other);
        assert_eq!(room.0.load(Ordering::Relaxed), 10_000);
    }

    #[test]
    fn pieces_are_kept_up_to_the_most_that_is_of_use() {
        let (room, mut one) = (ExcerptRoom::new(10), Excerpt::default());
        for piece in [&b"abc"[..], b"def", b"ghi"] {
            one.push(piece, 7, &room);
        }
        assert_eq!(one.finish(), b"abcdefg");
        assert!(one.is_empty());
    }
}
