//! What a lens remembers of a conversation, bounded whatever a peer sends.

use std::collections::VecDeque;

use super::message::{LARGEST, Message};

/// Entries that are remembered.
const ENTRIES: usize = 1024;

/// Bytes of a text that is remembered whole.
const TEXT: usize = 256;

/// A map that forgets its oldest entry when it is full. Looked up from the newest on, as what is
/// asked for is mostly new.
#[derive(Clone, Debug)]
pub(super) struct Kept<K, V> {
    entries: VecDeque<(K, V)>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { entries: VecDeque::new() }
    }
}

impl<K: PartialEq, V> Kept<K, V> {
    /// Adds an entry or replaces that of its key; returns one that had to go.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some((_, old)) = self.entries.iter_mut().rev().find(|(other, _)| *other == key) {
            *old = value;
            return None;
        }
        let gone = if self.entries.len() == ENTRIES { self.entries.pop_front() } else { None };
        self.entries.push_back((key, value));
        gone
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.iter().rev().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.entries.iter().rposition(|(other, _)| other == key)?;
        self.entries.remove(at).map(|(_, value)| value)
    }

    /// The entries, the oldest first.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(K, V)> {
        self.entries.iter()
    }
}

/// A text to remember: the beginning of a long one.
pub(super) fn remembered(text: &str) -> String {
    super::text::clipped(text, TEXT)
}

/// Bytes of a buffer that is kept between messages.
const IDLE: usize = 4 * 1024;

/// The bytes of both directions of a protocol whose packets span messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams([Vec<u8>; 2]);

impl Streams {
    /// Adds a message to its direction and takes all packets off that are complete. `next` returns
    /// a packet of the bytes that it gets and its length, or nothing if there are too few. `None`
    /// if it finds no packet, or one that is larger than a lens reads.
    pub(super) fn packets<T>(
        &mut self,
        message: &Message<'_>,
        mut next: impl FnMut(&[u8]) -> Next<T>,
    ) -> Option<Vec<T>> {
        let stream = &mut self.0[usize::from(message.from_client())];
        stream.extend_from_slice(message.content);
        let (mut packets, mut at) = (Vec::new(), 0);
        loop {
            match next(&stream[at..]) {
                Next::Packet(packet, len) => {
                    packets.push(packet);
                    at += len;
                }
                Next::Incomplete if stream.len() - at <= LARGEST => {
                    stream.drain(..at);
                    stream.shrink_to(IDLE);
                    return Some(packets);
                }
                Next::Incomplete | Next::Wrong => {
                    stream.clear();
                    return None;
                }
            }
        }
    }
}

/// What the next bytes of a stream are.
pub(super) enum Next<T> {
    /// A packet of so many bytes, at least one.
    Packet(T, usize),
    /// The beginning of one.
    Incomplete,
    /// Nothing of the protocol.
    Wrong,
}

/// Numbers for requests of our own, none that was seen in the conversation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fresh(u64);

impl Fresh {
    /// Notes a number that is in use.
    pub(super) fn seen(&mut self, number: impl TryInto<u64>) {
        self.0 = self.0.max(number.try_into().unwrap_or(0).min(u64::from(u32::MAX)));
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_is_forgotten() {
        let mut kept = Kept::default();
        for key in 0..ENTRIES + 1 {
            kept.insert(key, ());
        }
        assert_eq!((kept.get(&0), kept.get(&1)), (None, Some(&())));
        assert_eq!(kept.iter().len(), ENTRIES);
    }
}
