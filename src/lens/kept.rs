//! The memory of a lens; its size is limited, whatever a peer sends.

use std::collections::VecDeque;
use std::time::Duration;

use super::decoded::Decoded;
use super::message::{LARGEST, LensMessage};

/// The largest number of remembered entries.
const ENTRIES: usize = 1024;

/// The longest text that is remembered as a whole, in bytes.
const TEXT: usize = 256;

/// A map that drops its oldest entry when it is full. It searches from the newest entry on, because
/// most requested entries are new.
#[derive(Clone, Debug)]
pub(super) struct Kept<K, V> {
    entries: VecDeque<(K, V)>,
    /// Whether entries may be missing.
    is_partial: bool,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), is_partial: false }
    }
}

impl<K: PartialEq, V> Kept<K, V> {
    /// Adds an entry, or replaces the one with the same key; returns a dropped entry.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some((_, old)) = self.entries.iter_mut().rev().find(|(other, _)| *other == key) {
            *old = value;
            return None;
        }
        let gone = if self.entries.len() == ENTRIES { self.entries.pop_front() } else { None };
        self.is_partial |= gone.is_some();
        self.entries.push_back((key, value));
        gone
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.iter().rev().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.iter_mut().rev().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// Whether the key certainly does not exist: an entry may have been dropped.
    pub(super) fn lacks(&self, key: &K) -> bool {
        !self.is_partial && self.get(key).is_none()
    }

    /// Notes that an entry may be missing, because the message that would have added it was not
    /// read.
    pub(super) fn doubt(&mut self) {
        self.is_partial = true;
    }

    /// Removes an entry, and returns it.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.entries.iter().rposition(|(other, _)| other == key)?;
        self.entries.remove(at).map(|(_, value)| value)
    }

    /// The entries, the oldest first.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(K, V)> {
        self.entries.iter()
    }
}

/// A text for the memory: a long text is cut and gets a digest that distinguishes it from others.
pub(super) fn remembered(text: &str) -> String {
    super::text::distinct(text, TEXT)
}

/// The size of a buffer that is kept between messages.
const IDLE: usize = 4 * 1024;

/// The bytes of both directions of a protocol whose packets span messages.
#[derive(Debug)]
pub(super) struct Streams<T> {
    streams: [SideStream<T>; 2],
    has_gaps: bool,
}

impl<T> Default for Streams<T> {
    fn default() -> Self {
        let stream = |_| SideStream {
            bytes: Vec::new(),
            passing: None,
            want: Want::Any,
            is_lost: false,
            is_named: false,
        };
        Self { streams: [0; 2].map(stream), has_gaps: false }
    }
}

#[derive(Debug)]
struct SideStream<T> {
    /// The beginning of a packet, and how much more is needed to parse it again.
    bytes: Vec<u8>,
    want: Want,
    /// A packet that is too large to be collected, and where it ends.
    passing: Option<(T, PacketEnd)>,
    /// Whether the next data may belong to a packet whose beginning or end was not collected.
    is_lost: bool,
    /// Whether that packet has been reported.
    is_named: bool,
}

impl<T> SideStream<T> {
    /// The number of unread bytes after a loss, if the lost packet was not reported. They may be
    /// its rest, or packets whose beginning is unknown.
    fn rest(&self, len: usize) -> Option<Taken<T>> {
        let text = || format!("{len} B not read: the start of the next packet is unknown");
        (len > 0 && !self.is_named).then(|| Taken::Unread(text()))
    }
}

impl<T> Streams<T> {
    /// Adds a message to its direction, and takes all complete packets. `next` parses a packet at
    /// the beginning of the bytes. `len` is the length of the message, whose content may be only
    /// the beginning. Returns `None` if the bytes do not belong to the protocol, or if it finds no
    /// packet in an incomplete message.
    pub(super) fn packets(
        &mut self,
        message: &LensMessage<'_>,
        len: u64,
        mut next: impl FnMut(&[u8]) -> Next<T>,
    ) -> Option<Vec<Taken<T>>> {
        let stream = &mut self.streams[usize::from(message.from_client())];
        let missing = len.saturating_sub(message.content.len() as u64);
        let (mut packets, mut at) = (Vec::new(), 0);
        let mut bytes = std::mem::take(&mut stream.bytes);
        if stream.is_lost && missing == 0 && are_packets(message.content, &mut next) {
            // The earlier bytes were not the beginning of a packet.
            packets.extend(stream.rest(bytes.len()));
            bytes.clear();
            (stream.want, stream.passing) = (Want::Any, None);
        }
        bytes.extend_from_slice(message.content);
        let want = std::mem::replace(&mut stream.want, Want::Any);
        if missing == 0 && bytes.len() <= LARGEST && !want.is_met(&bytes, message.content) {
            (stream.bytes, stream.want) = (bytes, want);
            return Some(packets);
        }
        loop {
            if let Some((packet, end)) = stream.passing.take() {
                match end.within(&bytes[at..], missing) {
                    EndPosition::At(len) => {
                        packets.push(Taken::Packet(packet));
                        at += len;
                        stream.is_lost = false;
                    }
                    EndPosition::Missing(after) => {
                        packets.push(Taken::Packet(packet));
                        (stream.is_lost, stream.is_named) = (after != Some(0), after.is_none());
                        self.has_gaps |= stream.is_lost;
                        packets.extend(after.and_then(Taken::after));
                        return Some(packets);
                    }
                    EndPosition::Later(end) => {
                        stream.passing = Some((packet, end));
                        return Some(packets);
                    }
                }
            }
            match next(&bytes[at..]) {
                // The rest of a packet may look like another one.
                Next::Packet(..) if stream.is_lost && !are_packets(&bytes[at..], &mut next) => {
                    packets.extend(stream.rest(bytes.len() - at + missing as usize));
                    return Some(packets);
                }
                Next::Packet(packet, len) => {
                    packets.push(Taken::Packet(packet));
                    at += len;
                    stream.is_lost = false;
                }
                Next::Large(packet, end) => {
                    stream.passing = Some((packet, end));
                }
                Next::Incomplete(_) if missing > 0 => {
                    (stream.is_lost, stream.is_named) = (true, false);
                    self.has_gaps = true;
                    let after = Taken::after((bytes.len() - at) as u64 + missing);
                    return (!packets.is_empty())
                        .then(|| packets.into_iter().chain(after).collect());
                }
                Next::Incomplete(want) if bytes.len() - at <= LARGEST => {
                    bytes.drain(..at);
                    if bytes.len() <= IDLE {
                        bytes.shrink_to(IDLE);
                    }
                    (stream.bytes, stream.want) = (bytes, want);
                    return Some(packets);
                }
                Next::Incomplete(_) | Next::Wrong if stream.is_lost => {
                    packets.extend(stream.rest(bytes.len() - at + missing as usize));
                    return Some(packets);
                }
                Next::Incomplete(_) | Next::Wrong => return None,
            }
        }
    }

    /// The beginning of an incomplete packet.
    pub(super) fn begun(&self, from_client: bool) -> &[u8] {
        &self.streams[usize::from(from_client)].bytes
    }

    /// Whether packets may have been skipped.
    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// Removes the beginning of a packet, and returns it.
    pub(super) fn take_begun(&mut self, from_client: bool) -> Vec<u8> {
        let stream = &mut self.streams[usize::from(from_client)];
        stream.want = Want::Any;
        std::mem::take(&mut stream.bytes)
    }
}

/// What was removed from a stream.
#[derive(Debug)]
pub(super) enum Taken<T> {
    Packet(T),
    /// The unread bytes, in words.
    Unread(String),
}

impl<T> Taken<T> {
    /// The bytes after the packets of an incomplete message.
    fn after(len: u64) -> Option<Self> {
        let text = || format!("and {len} B after it, which a lens does not read");
        (len > 0).then(|| Self::Unread(text()))
    }

    /// The meaning, if `look` has one for the packet.
    pub(super) fn looked_at(
        self,
        protocol: &'static str,
        look: impl FnOnce(T) -> Decoded,
    ) -> Decoded {
        match self {
            Self::Packet(packet) => look(packet),
            Self::Unread(text) => Decoded::new(protocol, "large", text),
        }
    }
}

/// Whether the bytes consist only of packets.
fn are_packets<T>(mut bytes: &[u8], mut next: impl FnMut(&[u8]) -> Next<T>) -> bool {
    while let Next::Packet(_, len) = next(bytes)
        && let Some(rest) = bytes.get(len..)
    {
        if rest.is_empty() {
            return true;
        }
        bytes = rest;
    }
    false
}

/// The next bytes of a stream.
pub(super) enum Next<T> {
    /// A packet of this many bytes, at least one.
    Packet(T, usize),
    /// A packet that is too large for a lens: the meaning of its beginning, and where it ends.
    Large(T, PacketEnd),
    /// The beginning of a packet, and how many bytes are needed to parse it again.
    Incomplete(Want),
    /// Bytes that do not belong to the protocol.
    Wrong,
}

/// How much more is needed to parse the beginning of a packet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// This many bytes in all.
    Bytes(usize),
    /// This byte.
    Byte(u8),
    /// Any byte.
    Any,
}

impl Want {
    fn is_met(self, all: &[u8], new: &[u8]) -> bool {
        match self {
            Self::Bytes(len) => all.len() >= len,
            Self::Byte(byte) => memchr::memchr(byte, new).is_some(),
            Self::Any => true,
        }
    }
}

/// The end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketEnd {
    /// After this many bytes.
    After(u64),
    /// With this byte.
    With(u8),
}

/// The position of a packet's end in a message.
enum EndPosition {
    /// After this many bytes of its beginning.
    At(usize),
    /// In the part that was not collected, and how many bytes follow it, if that is known.
    Missing(Option<u64>),
    /// In a later message.
    Later(PacketEnd),
}

impl PacketEnd {
    /// Searches for it in these bytes, and in `missing` bytes after them that were not collected.
    fn within(self, bytes: &[u8], missing: u64) -> EndPosition {
        let all = bytes.len() as u64 + missing;
        match self {
            Self::After(len) if len <= bytes.len() as u64 => EndPosition::At(len as usize),
            Self::After(len) if len <= all => EndPosition::Missing(Some(all - len)),
            Self::After(len) => EndPosition::Later(Self::After(len - all)),
            Self::With(byte) => match memchr::memchr(byte, bytes) {
                Some(at) => EndPosition::At(at + 1),
                // Unknown; usually a message ends with its packet.
                None if missing > 0 => EndPosition::Missing(None),
                None => EndPosition::Later(self),
            },
        }
    }
}

/// The time of the last message of a side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SideClock(Option<i64>);

impl SideClock {
    /// Notes a message; returns the silence before it if that was too long.
    pub(super) fn again(&mut self, micros: i64, most: Duration) -> Option<Duration> {
        let before = self.0.replace(micros)?;
        let quiet = Duration::from_micros(micros.saturating_sub(before).try_into().unwrap_or(0));
        (!most.is_zero() && quiet > most).then_some(quiet)
    }
}

/// Unused numbers for requests of this side.
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
        assert!(!kept.lacks(&0), "nobody knows");
        assert_eq!(kept.iter().len(), ENTRIES);
    }
}
