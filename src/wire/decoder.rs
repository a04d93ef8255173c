//! The incremental frame decoder: any bytes in, frame headers and unmasked payload out.
//!
//! It accepts any bytes and copies no payload: it unmasks payload in place and returns slices,
//! collects a split header in fourteen bytes, and never allocates memory for an announced length.
//! It does not check rules; the observer does.

use super::frame::{FrameHeader, MAX_HEADER_LEN};
use super::mask;

/// Bytes of one direction on their way through a decoder or observer, with the current position.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// Starts at the first of `bytes`. Masked payload is unmasked in place.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Continues with the same `bytes` after `at` of them were consumed: see [`Input::consumed`].
    pub fn resume(bytes: &'a mut [u8], at: usize) -> Self {
        let at = at.min(bytes.len());
        Self { bytes, at }
    }

    /// How many bytes were consumed.
    pub fn consumed(&self) -> usize {
        self.at
    }

    /// The bytes that are not yet consumed.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// All bytes, including the consumed ones. Consumed masked payload is already unmasked.
    pub fn whole(&self) -> &[u8] {
        self.bytes
    }

    /// The bytes that are not yet consumed, to be unmasked in place.
    pub(crate) fn rest_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.at..]
    }

    /// Whether all bytes were consumed.
    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Takes `n` bytes, at most those that are left.
    pub fn take(&mut self, n: usize) -> &mut [u8] {
        let start = self.at;
        self.at += n.min(self.bytes.len() - start);
        &mut self.bytes[start..self.at]
    }

    /// The `n` bytes consumed last.
    pub(crate) fn taken(&self, n: usize) -> &[u8] {
        &self.bytes[self.at.saturating_sub(n)..self.at]
    }
}

/// One step of decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecoderStep {
    /// A whole header has been read: see [`Decoder::header`].
    Header,
    /// The given number of payload bytes, the last ones consumed from the input, are now unmasked.
    Payload(usize),
    /// The frame's last payload byte has been reported.
    End,
    /// The given number of bytes, the last ones consumed from the input, follow a length with its
    /// top bit set, or are no frames at all. The start of the next frame is unknown.
    Undecodable(usize),
}

#[derive(Clone, Debug)]
enum DecoderState {
    /// Collecting a header, of which `have` bytes are in `partial`.
    Header { partial: [u8; MAX_HEADER_LEN], have: u8 },
    /// Inside a payload, of which `left` bytes are missing.
    Payload { left: u64 },
    /// The frame boundary is lost permanently.
    Lost,
}

/// Decodes the frames of one direction.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: DecoderState,
    header: Option<FrameHeader>,
    /// Bytes consumed before a header that arrives in pieces.
    offset: u64,
}

impl Decoder {
    /// Begins at a frame boundary, `offset` bytes into the direction's stream.
    pub fn new(offset: u64) -> Self {
        Self { state: DecoderState::between_frames(), header: None, offset }
    }

    /// Takes bytes from `input` until there is something to report; `None` when `input` is used up.
    ///
    /// However the stream is cut into inputs, the same headers, payload bytes and ends come out;
    /// only the size of the [`DecoderStep::Payload`] pieces differs.
    pub fn step(&mut self, input: &mut Input<'_>) -> Option<DecoderStep> {
        match &mut self.state {
            DecoderState::Header { partial, have } => {
                let header = if *have == 0
                    && let Ok(header) = FrameHeader::parse(input.rest(), self.offset)
                {
                    input.take(header.wire_len());
                    header
                } else {
                    gather(partial, have, self.offset, input)?
                };
                self.offset += header.wire_len() as u64;
                self.state = if header.has_end() {
                    DecoderState::Payload { left: header.len }
                } else {
                    DecoderState::Lost
                };
                self.header = Some(header);
                Some(DecoderStep::Header)
            }
            DecoderState::Payload { left: 0 } => {
                self.state = DecoderState::between_frames();
                Some(DecoderStep::End)
            }
            DecoderState::Payload { left } => {
                let header = self.header.as_ref()?;
                let phase = header.len - *left;
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let piece = input.take(most);
                if piece.is_empty() {
                    return None;
                }
                if let Some(key) = header.mask {
                    mask::apply(key, phase, piece);
                }
                *left -= piece.len() as u64;
                self.offset += piece.len() as u64;
                Some(DecoderStep::Payload(piece.len()))
            }
            DecoderState::Lost => {
                let rest = input.take(usize::MAX).len();
                self.offset += rest as u64;
                (rest > 0).then_some(DecoderStep::Undecodable(rest))
            }
        }
    }

    /// Takes a whole frame at once if it is complete in `input` and `accept` wants it, given its
    /// header and unmasked payload; otherwise takes nothing. The payload is then the last bytes
    /// consumed.
    #[inline]
    pub fn take_whole(
        &mut self,
        input: &mut Input<'_>,
        accept: impl FnOnce(&FrameHeader, &[u8]) -> bool,
    ) -> bool {
        if !self.at_boundary() {
            return false;
        }
        let Ok(header) = FrameHeader::parse(input.rest(), self.offset) else { return false };
        let start = header.wire_len();
        let end = usize::try_from(header.len).ok().and_then(|len| len.checked_add(start));
        let Some(payload) = end.and_then(|end| input.rest_mut().get_mut(start..end)) else {
            return false;
        };
        if let Some(key) = header.mask {
            mask::apply(key, 0, payload);
        }
        if !accept(&header, payload) {
            if let Some(key) = header.mask {
                mask::apply(key, 0, payload);
            }
            return false;
        }
        let len = start + payload.len();
        input.take(len);
        self.offset += len as u64;
        self.header = Some(header);
        true
    }

    /// Gives up the frame boundary: what has just been read as a header was none, and no frame
    /// follows.
    pub(crate) fn lose_boundary(&mut self) {
        self.state = DecoderState::Lost;
    }

    /// Whether the next byte begins a frame.
    #[inline]
    pub fn at_boundary(&self) -> bool {
        matches!(self.state, DecoderState::Header { have: 0, .. })
    }

    /// Takes `len` bytes that are known to be whole frames; `last` is the header of the last one,
    /// and its offset begins at these bytes.
    #[inline]
    pub(crate) fn skip_whole(&mut self, input: &mut Input<'_>, len: usize, last: FrameHeader) {
        self.header = Some(FrameHeader { offset: self.offset + last.offset, ..last });
        self.offset += input.take(len).len() as u64;
    }

    /// The header of the frame being decoded, or of the last one.
    pub fn header(&self) -> Option<&FrameHeader> {
        self.header.as_ref()
    }

    /// The header of the frame that has begun and not ended.
    pub fn open_frame(&self) -> Option<&FrameHeader> {
        self.header().filter(|_| matches!(self.state, DecoderState::Payload { .. }))
    }

    /// Bytes consumed so far, counted from the start of the direction's stream.
    pub fn offset(&self) -> u64 {
        match self.state {
            DecoderState::Header { have, .. } => self.offset + u64::from(have),
            _ => self.offset,
        }
    }

    /// The missing part of the current frame: at a boundary, nothing; otherwise how many bytes of
    /// the header or payload have arrived, and how many were announced, as far as known.
    pub fn unfinished(&self) -> Option<Unfinished> {
        match &self.state {
            DecoderState::Header { have: 0, .. } | DecoderState::Lost => None,
            DecoderState::Header { have, .. } => {
                Some(Unfinished::Header { have: usize::from(*have) })
            }
            DecoderState::Payload { left } => {
                let len = self.header.as_ref().map_or(0, |header| header.len);
                Some(Unfinished::Payload { have: len - left, len })
            }
        }
    }
}

/// A frame inside which the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// Some bytes of a header arrived.
    Header {
        /// How many.
        have: usize,
    },
    /// The header arrived, and part of the payload.
    Payload {
        /// Received payload bytes.
        have: u64,
        /// Announced payload bytes.
        len: u64,
    },
}

impl DecoderState {
    fn between_frames() -> Self {
        DecoderState::Header { partial: [0; MAX_HEADER_LEN], have: 0 }
    }
}

/// Adds bytes to a header that arrives in pieces until it is whole.
fn gather(
    partial: &mut [u8; MAX_HEADER_LEN],
    have: &mut u8,
    offset: u64,
    input: &mut Input<'_>,
) -> Option<FrameHeader> {
    loop {
        let begun = usize::from(*have);
        match FrameHeader::parse(&partial[..begun], offset) {
            Ok(header) => return Some(header),
            Err(need) => {
                let piece = input.take(need - begun);
                if piece.is_empty() {
                    return None;
                }
                partial[begun..begun + piece.len()].copy_from_slice(piece);
                *have += piece.len() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream decodes to, however it was cut: payload pieces joined per frame.
    #[derive(Debug, PartialEq)]
    enum Seen {
        Header(FrameHeader),
        Payload(Vec<u8>),
        End,
        Undecodable(Vec<u8>),
    }

    fn decode(pieces: &mut dyn Iterator<Item = &[u8]>) -> Vec<Seen> {
        let mut decoder = Decoder::new(0);
        let mut seen = Vec::new();
        for piece in pieces {
            let mut bytes = piece.to_vec();
            let mut input = Input::new(&mut bytes);
            while let Some(step) = decoder.step(&mut input) {
                match step {
                    DecoderStep::Header => {
                        seen.push(Seen::Header(*decoder.header().expect("a header")))
                    }
                    DecoderStep::Payload(n) => match seen.last_mut() {
                        Some(Seen::Payload(so_far)) => so_far.extend_from_slice(input.taken(n)),
                        _ => seen.push(Seen::Payload(input.taken(n).to_vec())),
                    },
                    DecoderStep::End => seen.push(Seen::End),
                    DecoderStep::Undecodable(n) => match seen.last_mut() {
                        Some(Seen::Undecodable(so_far)) => so_far.extend_from_slice(input.taken(n)),
                        _ => seen.push(Seen::Undecodable(input.taken(n).to_vec())),
                    },
                }
            }
            assert!(input.is_empty(), "a decoder takes all it is given");
        }
        seen
    }

    /// Checks a test vector in one piece, byte by byte, and with trailing bytes; returns the
    /// decoded steps.
    fn three_ways(bytes: &[u8]) -> Vec<Seen> {
        let whole = decode(&mut std::iter::once(bytes));
        assert_eq!(decode(&mut bytes.chunks(1)), whole, "byte by byte");
        let mut trailing = bytes.to_vec();
        trailing.extend_from_slice(&[0x89, 0x00]);
        let longer = decode(&mut std::iter::once(&trailing[..]));
        // Trailing bytes continue an unfinished frame; otherwise they change nothing.
        let endless = matches!(whole.last(), Some(Seen::Undecodable(_) | Seen::Payload(_)));
        assert!(endless || longer.starts_with(&whole), "{longer:?}");
        whole
    }

    #[test]
    fn decodes_the_examples_of_section_5_7() {
        let seen = three_ways(b"\x81\x05Hello");
        assert!(
            matches!(&seen[..], [Seen::Header(_), Seen::Payload(p), Seen::End] if p == b"Hello")
        );
        let seen = three_ways(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert!(
            matches!(&seen[..], [Seen::Header(_), Seen::Payload(p), Seen::End] if p == b"Hello")
        );
        let seen = three_ways(b"\x01\x03Hel\x80\x02lo");
        assert_eq!(seen.len(), 6);
        let seen = three_ways(b"\x89\x05Hello\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn decodes_medium_and_long_lengths() {
        let mut medium = b"\x82\x7e\x01\x00".to_vec();
        medium.extend([7; 256]);
        assert!(matches!(&three_ways(&medium)[1], Seen::Payload(p) if p.len() == 256));
        let mut long = b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00".to_vec();
        long.extend([7; 65536]);
        assert!(matches!(&three_ways(&long)[1], Seen::Payload(p) if p.len() == 65536));
    }

    #[test]
    fn a_frame_without_payload_ends_at_once() {
        assert!(matches!(
            &three_ways(b"\x89\x80\x01\x02\x03\x04")[..],
            [Seen::Header(_), Seen::End]
        ));
    }

    #[test]
    fn a_length_with_its_top_bit_set_loses_the_boundary() {
        let seen = three_ways(b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x01abc");
        assert!(matches!(&seen[..], [Seen::Header(_), Seen::Undecodable(rest)] if rest == b"abc"));
    }

    #[test]
    fn an_absurd_length_reserves_nothing() {
        let seen = three_ways(b"\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00abc");
        assert!(
            matches!(&seen[..], [Seen::Header(h), Seen::Payload(p)] if h.len == 1 << 62 && p == b"abc")
        );
    }

    #[test]
    fn knows_what_is_unfinished() {
        let mut decoder = Decoder::new(0);
        let mut feed = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let mut input = Input::new(&mut bytes);
            while decoder.step(&mut input).is_some() {}
            (decoder.offset(), decoder.unfinished())
        };
        assert_eq!(feed(b""), (0, None));
        assert_eq!(feed(b"\x81"), (1, Some(Unfinished::Header { have: 1 })));
        assert_eq!(feed(b"\x05He"), (4, Some(Unfinished::Payload { have: 2, len: 5 })));
        assert_eq!(feed(b"llo"), (7, None));
    }

    #[test]
    fn offsets_count_from_where_it_began() {
        let mut decoder = Decoder::new(100);
        let mut bytes = *b"\x81\x01a\x81\x01b";
        let mut input = Input::new(&mut bytes);
        let mut offsets = Vec::new();
        while let Some(step) = decoder.step(&mut input) {
            if step == DecoderStep::Header {
                offsets.push(decoder.header().map(|h| h.offset));
            }
        }
        assert_eq!(offsets, [Some(100), Some(103)]);
        assert_eq!(decoder.offset(), 106);
    }
}
