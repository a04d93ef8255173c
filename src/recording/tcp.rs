//! One direction of a TCP connection, assembled from its segments.
//!
//! Segments may come out of order, twice, overlapping, or not at all; the sequence number may wrap.
//! The first copy of a byte counts. The data that waits for a missing segment is limited.

use std::collections::BTreeMap;

/// How many bytes may wait for earlier bytes, and in how many segments.
const MAX_WAITING: usize = 8 << 20;
const MAX_SEGMENTS: usize = 8192;

/// One direction.
#[derive(Debug, Default)]
pub struct TcpDirection {
    /// The sequence number of the next byte, once known.
    next: Option<u32>,
    /// The number of bytes delivered so far.
    delivered: u64,
    /// Waiting segments, by the position of their first byte.
    waiting: BTreeMap<u64, Vec<u8>>,
    held: usize,
    /// The position after the last byte, if the sender has ended its stream.
    end: Option<u64>,
}

impl TcpDirection {
    /// Takes the segment that begins the stream.
    pub fn syn(&mut self, sequence: u32) {
        self.next.get_or_insert(sequence.wrapping_add(1));
    }

    /// Whether any data of it was seen.
    pub fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// The number of delivered bytes.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Takes a segment, and passes on the bytes that come next.
    pub fn take(
        &mut self,
        sequence: u32,
        payload: &[u8],
        fin: bool,
        mut hand_on: impl FnMut(&[u8]),
    ) {
        let next = *self.next.get_or_insert(sequence);
        let ahead = i64::from(sequence.wrapping_sub(next) as i32);
        let Ok(at) = u64::try_from(self.delivered as i64 + ahead) else { return };
        if fin {
            self.end.get_or_insert(at + payload.len() as u64);
        }
        if at > self.delivered {
            if !payload.is_empty() {
                let known = self.waiting.get(&at).map_or(0, Vec::len);
                if payload.len() > known {
                    self.held += payload.len() - known;
                    self.waiting.insert(at, payload.to_vec());
                }
            }
            return;
        }
        self.deliver(at, payload, &mut hand_on);
        while let Some(first) = self.waiting.first_entry()
            && *first.key() <= self.delivered
        {
            let (at, payload) = first.remove_entry();
            self.held -= payload.len();
            self.deliver(at, &payload, &mut hand_on);
        }
    }

    fn deliver(&mut self, at: u64, payload: &[u8], hand_on: &mut impl FnMut(&[u8])) {
        let known = usize::try_from(self.delivered - at).unwrap_or(usize::MAX);
        let Some(fresh @ [_, ..]) = payload.get(known..) else { return };
        self.delivered += fresh.len() as u64;
        self.next = self.next.map(|next| next.wrapping_add(fresh.len() as u32));
        hand_on(fresh);
    }

    /// Whether all bytes up to the end of the stream have been delivered.
    pub fn has_ended(&self) -> bool {
        self.end.is_some_and(|end| end <= self.delivered)
    }

    /// The number of missing bytes before the first waiting segment, or before the end.
    pub fn gap(&self) -> Option<u64> {
        let first = self.waiting.keys().next().copied().or(self.end)?;
        first.checked_sub(self.delivered).filter(|missing| *missing > 0)
    }

    /// Whether so much data waits that the missing bytes are no longer expected.
    pub fn is_full(&self) -> bool {
        self.held > MAX_WAITING || self.waiting.len() > MAX_SEGMENTS
    }

    /// Drops waiting data.
    pub fn give_up(&mut self) {
        self.waiting.clear();
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn together(segments: &[(u32, &[u8])]) -> Vec<u8> {
        let (mut half, mut out) = (TcpDirection::default(), Vec::new());
        half.syn(segments[0].0.wrapping_sub(1));
        for (sequence, payload) in segments {
            half.take(*sequence, payload, false, |bytes| out.extend_from_slice(bytes));
        }
        out
    }

    #[test]
    fn repeated_and_overlapping_bytes_come_once_and_the_first_copy_counts() {
        let segments: &[(u32, &[u8])] = &[(10, b"abc"), (10, b"xyz"), (12, b"cde"), (11, b"zzzzf")];
        assert_eq!(together(segments), b"abcdef"[..6].to_vec());
    }

    #[test]
    fn a_gap_is_counted() {
        let mut half = TcpDirection::default();
        half.take(1, b"ab", false, |_| {});
        half.take(10, b"cd", true, |_| panic!("it waits"));
        assert_eq!((half.gap(), half.has_ended()), (Some(7), false));
        half.take(3, b"1234567", false, |_| {});
        assert_eq!((half.gap(), half.has_ended(), half.delivered()), (None, true, 11));
    }

    proptest! {
        #[test]
        fn any_order_gives_the_stream(
            stream in proptest::collection::vec(any::<u8>(), 1..200),
            start in any::<u32>(),
            order in proptest::collection::vec((any::<prop::sample::Index>(), 1usize..40), 0..60),
        ) {
            let (mut half, mut out) = (TcpDirection::default(), Vec::new());
            half.syn(start.wrapping_sub(1));
            let cuts = order.iter().map(|(at, len)| (at.index(stream.len()), *len));
            for (at, len) in cuts.chain([(0, stream.len())]) {
                let piece = &stream[at..stream.len().min(at + len)];
                let sequence = start.wrapping_add(at as u32);
                half.take(sequence, piece, false, |bytes| out.extend_from_slice(bytes));
            }
            prop_assert_eq!(out, stream);
            prop_assert_eq!(half.gap(), None);
        }
    }
}
