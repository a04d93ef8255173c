//! How far back DEFLATE blocks refer, RFC 1951 §3.2.
//!
//! An inflater with a large window accepts any distance, so a sender that exceeds a smaller agreed
//! window goes unnoticed until a stricter receiver fails. [`Distances`] reads the block structure
//! and the codes, and compares each distance with the agreed window. It produces no output and
//! checks nothing else: the inflater reports data that is not DEFLATE.

/// §3.2.5: the shortest length that the codes 257 to 285 stand for, and their extra bits.
const LENGTHS: ([u16; 29], [u8; 29]) = (
    [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ],
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);

/// §3.2.5: the shortest distance for each of the codes 0 to 29, and their extra bits.
const DISTANCES: ([u16; 30], [u8; 30]) = (
    [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ],
    [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
    ],
);

/// §3.2.7: the order in which the lengths of the code length codes are written.
const ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The longest code, in bits.
const MAX_BITS: usize = 15;

/// The first reference of a message beyond the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFar {
    /// How far back it refers, in bytes.
    pub distance: u16,
    /// The size of the agreed window, in bytes.
    pub window: u16,
    /// Compressed bytes of this message up to the end of the reference.
    pub consumed: u64,
    /// Bytes of this message before the copied text.
    pub produced: u64,
}

/// Reads the DEFLATE blocks of one direction, in pieces of any size.
#[derive(Debug)]
pub(super) struct Distances {
    window: u16,
    bits: Bits,
    place: BlockPart,
    /// BFINAL of the block that is being read.
    last: bool,
    literals: Code,
    distances: Code,
    /// Code lengths read so far, while a dynamic block's codes are read.
    lengths: Vec<u8>,
    /// Compressed bytes of this message read so far, and their inflated size.
    consumed: u64,
    produced: u64,
    found: Option<TooFar>,
}

/// What the next bits mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockPart {
    BlockHeader,
    StoredLen,
    Stored {
        left: u16,
    },
    CodeCounts,
    CodeLengthCode {
        code_lengths: u8,
        literals: u16,
        all: u16,
    },
    CodeLengths {
        literals: u16,
        all: u16,
    },
    Symbols,
    /// Nothing more is read, because the data is not DEFLATE or a reference was too far.
    Stopped,
}

/// Why a step was not possible.
enum ScanStop {
    /// More input is needed; no bit was consumed.
    Wait,
    /// The bits are not DEFLATE.
    Malformed,
}

impl Distances {
    /// Compares distances with a window of 2^`window_bits` bytes, less than 2^15.
    pub(super) fn new(window_bits: u8) -> Self {
        Self {
            window: 1 << window_bits,
            bits: Bits::default(),
            place: BlockPart::BlockHeader,
            last: false,
            literals: Code::default(),
            distances: Code::default(),
            lengths: Vec::new(),
            consumed: 0,
            produced: 0,
            found: None,
        }
    }

    /// Reads the next bytes of a message; returns its first reference beyond the window, if one has
    /// arrived.
    pub(super) fn push(&mut self, mut input: &[u8]) -> Option<TooFar> {
        while self.place != BlockPart::Stopped {
            if let BlockPart::Stored { left } = &mut self.place
                && self.bits.held == 0
            {
                let n = input.len().min(usize::from(*left));
                *left -= n as u16;
                (self.consumed, self.produced) =
                    (self.consumed + n as u64, self.produced + n as u64);
                input = &input[n..];
            }
            while self.bits.held <= 56
                && !matches!(self.place, BlockPart::Stored { left: 1.. })
                && let [first, rest @ ..] = input
            {
                self.bits.hold |= u64::from(*first) << self.bits.held;
                self.bits.held += 8;
                self.consumed += 1;
                input = rest;
            }
            let before = self.bits;
            match self.step() {
                Ok(place) => self.place = place,
                Err(ScanStop::Wait) => {
                    self.bits = before;
                    break;
                }
                Err(ScanStop::Malformed) => self.place = BlockPart::Stopped,
            }
        }
        self.found
    }

    /// Ends a message; the next one begins with an empty window if there is no context takeover.
    pub(super) fn end_message(&mut self, keeps_context: bool) {
        (self.consumed, self.produced, self.found) = (0, 0, None);
        if !keeps_context {
            (self.bits, self.place) = (Bits::default(), BlockPart::BlockHeader);
        }
    }

    /// Reads one item, of at most 48 bits, and returns the place after it.
    fn step(&mut self) -> Result<BlockPart, ScanStop> {
        let bits = &mut self.bits;
        match self.place {
            BlockPart::BlockHeader => {
                // §3.2.3: "first bit BFINAL, next 2 bits BTYPE"
                let header = bits.take(3)?;
                self.last = header & 1 != 0;
                match header >> 1 {
                    0 => Ok(BlockPart::StoredLen),
                    1 => {
                        // §3.2.6
                        let mut lengths = [8; 288];
                        lengths[144..256].fill(9);
                        lengths[256..280].fill(7);
                        self.literals = Code::new(&lengths);
                        self.distances = Code::new(&[5; 30]);
                        Ok(BlockPart::Symbols)
                    }
                    2 => Ok(BlockPart::CodeCounts),
                    _ => Err(ScanStop::Malformed),
                }
            }
            BlockPart::StoredLen => {
                // §3.2.4: "Any bits of input up to the next byte boundary are ignored", then LEN
                // and its complement.
                bits.align();
                let (len, complement) = (bits.take(16)? as u16, bits.take(16)? as u16);
                if len != !complement {
                    return Err(ScanStop::Malformed);
                }
                Ok(BlockPart::Stored { left: len })
            }
            BlockPart::Stored { left: 0 } => Ok(self.end_block()),
            BlockPart::Stored { left } => {
                bits.take(8)?;
                self.produced += 1;
                Ok(BlockPart::Stored { left: left - 1 })
            }
            BlockPart::CodeCounts => {
                // §3.2.7: HLIT, HDIST and HCLEN
                let literals = bits.take(5)? as u16 + 257;
                let all = literals + bits.take(5)? as u16 + 1;
                let code_lengths = bits.take(4)? as u8 + 4;
                self.lengths.clear();
                Ok(BlockPart::CodeLengthCode { code_lengths, literals, all })
            }
            BlockPart::CodeLengthCode { code_lengths, literals, all } => {
                if self.lengths.len() < usize::from(code_lengths) {
                    self.lengths.push(bits.take(3)? as u8);
                    return Ok(self.place);
                }
                let mut lengths = [0; 19];
                for (symbol, length) in ORDER.iter().zip(self.lengths.drain(..)) {
                    lengths[usize::from(*symbol)] = length;
                }
                self.literals = Code::new(&lengths);
                Ok(BlockPart::CodeLengths { literals, all })
            }
            BlockPart::CodeLengths { literals, all } => {
                let lengths = &mut self.lengths;
                if lengths.len() >= usize::from(all) {
                    let (first, second) = lengths.split_at(usize::from(literals));
                    (self.literals, self.distances) = (Code::new(first), Code::new(second));
                    return Ok(BlockPart::Symbols);
                }
                let (length, times) = match self.literals.decode(bits)? {
                    symbol @ ..=15 => (symbol as u8, 1),
                    16 => (*lengths.last().ok_or(ScanStop::Malformed)?, 3 + bits.take(2)?),
                    17 => (0, 3 + bits.take(3)?),
                    _ => (0, 11 + bits.take(7)?),
                };
                lengths.resize(lengths.len() + times as usize, length);
                let fits = lengths.len() <= usize::from(all);
                if fits { Ok(self.place) } else { Err(ScanStop::Malformed) }
            }
            BlockPart::Symbols => {
                let symbol = self.literals.decode(bits)?;
                match symbol {
                    ..=255 => self.produced += 1,
                    256 => return Ok(self.end_block()),
                    _ => {
                        let length = value(&LENGTHS.0, &LENGTHS.1, symbol - 257, bits)?;
                        let code = self.distances.decode(bits)?;
                        let distance = value(&DISTANCES.0, &DISTANCES.1, code, bits)?;
                        if distance > self.window {
                            let consumed = self.consumed - u64::from(bits.held / 8);
                            let (window, produced) = (self.window, self.produced);
                            self.found = Some(TooFar { distance, window, consumed, produced });
                            return Ok(BlockPart::Stopped);
                        }
                        self.produced += u64::from(length);
                    }
                }
                Ok(BlockPart::Symbols)
            }
            BlockPart::Stopped => Err(ScanStop::Malformed),
        }
    }

    fn end_block(&mut self) -> BlockPart {
        if self.last {
            // RFC 7692 §7.2.3.4: the data after a final block begins with a whole byte.
            self.bits.align();
        }
        BlockPart::BlockHeader
    }
}

/// The value of a length or distance code with its extra bits.
fn value(bases: &[u16], extra: &[u8], code: u16, bits: &mut Bits) -> Result<u16, ScanStop> {
    let base = *bases.get(usize::from(code)).ok_or(ScanStop::Malformed)?;
    Ok(base + bits.take(extra[usize::from(code)])? as u16)
}

/// Bits that have been read but not used; the next bit is the lowest.
#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    hold: u64,
    held: u8,
}

impl Bits {
    fn take(&mut self, count: u8) -> Result<u32, ScanStop> {
        self.held = self.held.checked_sub(count).ok_or(ScanStop::Wait)?;
        let value = self.hold & ((1 << count) - 1);
        self.hold >>= count;
        Ok(value as u32)
    }

    /// Drops the rest of a byte.
    fn align(&mut self) {
        let rest = self.held % 8;
        self.hold >>= rest;
        self.held -= rest;
    }
}

/// A canonical Huffman code, §3.2.2: how many codes there are of each length, and their symbols in
/// order.
#[derive(Debug, Default)]
struct Code {
    counts: [u16; MAX_BITS + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// The code whose symbols have codes of `lengths` bits, 0 to 15; 0 for a symbol without one.
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; MAX_BITS + 1];
        let mut symbols = Vec::with_capacity(lengths.len());
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let before = symbols.len();
            symbols.extend(
                (0..).zip(lengths).filter(|(_, l)| usize::from(**l) == length).map(|(s, _)| s),
            );
            *count = (symbols.len() - before) as u16;
        }
        Self { counts, symbols }
    }

    fn decode(&self, bits: &mut Bits) -> Result<u16, ScanStop> {
        // `code` minus the first code of its length; `index` of the symbol of that first code.
        let (mut code, mut index) = (0, 0);
        for count in &self.counts[1..] {
            code |= bits.take(1)?;
            let count = u32::from(*count);
            if code < count {
                return self
                    .symbols
                    .get((index + code) as usize)
                    .copied()
                    .ok_or(ScanStop::Malformed);
            }
            index += count;
            code = (code - count) << 1;
        }
        Err(ScanStop::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::deflate::codec::{Deflater, TAIL};
    use proptest::prelude::*;

    /// Pushes a payload and its tail in pieces, and ends the message.
    fn check(distances: &mut Distances, payload: &[u8], piece: usize) -> Option<TooFar> {
        let whole = [payload, &TAIL].concat();
        let found = whole.chunks(piece).fold(None, |_, piece| distances.push(piece));
        distances.end_message(true);
        found
    }

    /// Text that refers back as far as its window allows.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let pieces = proptest::collection::vec((0usize..40, 0u8..40, 1usize..400), 1..30);
        pieces.prop_map(|pieces| {
            let mut text = Vec::new();
            for (back, new, length) in pieces {
                let from = (back * 97).min(text.len());
                text.extend(text[text.len() - from..].to_vec());
                text.extend((0..length).map(|at| (at * usize::from(new) % 251) as u8));
            }
            text
        })
    }

    #[test]
    fn a_reference_beyond_the_window_is_found_with_its_place() {
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        };
        let far: Vec<u8> = (0..300).scan(1, |state, _| next(state)).collect();
        let text = far.repeat(2);
        let mut payload = Vec::new();
        Deflater::new(15, true).expect("usable").deflate(&text, true, &mut payload);
        for piece in [1, 7, payload.len() + 4] {
            let found = check(&mut Distances::new(8), &payload, piece).expect("too far");
            assert_eq!(found.window, 256);
            // The compressor may write a literal first.
            assert_eq!(found.distance, 300);
            assert!((300..303).contains(&found.produced), "{found:?}");
            assert!(found.consumed as usize <= payload.len(), "{found:?}");
            assert_eq!(check(&mut Distances::new(9), &payload, piece), None);
        }
    }

    #[test]
    fn a_window_lasts_over_messages_and_final_blocks() {
        let mut distances = Distances::new(9);
        // RFC 7692 §7.2.3: shared window, stored block, final block, two blocks
        for payload in [
            &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
            b"\xf2\x00\x11\x00\x00",
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ] {
            for byte in [payload, &TAIL].concat() {
                assert_eq!(distances.push(&[byte]), None);
            }
            assert_eq!(distances.produced, 5);
            assert_eq!((distances.place, distances.bits.held), (BlockPart::BlockHeader, 0));
            distances.end_message(true);
        }
    }

    proptest! {
        #[test]
        fn follows_every_stream_to_its_end(
            messages in proptest::collection::vec(text(), 1..4), bits in 9u8..=14,
            piece in 1usize..300,
        ) {
            let mut deflater = Deflater::new(bits, false).expect("usable");
            let mut distances = Distances::new(bits);
            for message in messages {
                let mut payload = Vec::new();
                deflater.deflate(&message, true, &mut payload);
                let whole = [&payload[..], &TAIL].concat();
                for piece in whole.chunks(piece) {
                    prop_assert_eq!(distances.push(piece), None);
                }
                prop_assert_eq!(distances.produced, message.len() as u64);
                prop_assert_eq!(distances.place, BlockPart::BlockHeader);
                distances.end_message(true);
            }
        }

        #[test]
        fn any_bytes_are_read_alike_in_any_pieces(payload: Vec<u8>, piece in 1usize..50) {
            let whole = check(&mut Distances::new(8), &payload, payload.len() + 4);
            prop_assert_eq!(check(&mut Distances::new(8), &payload, piece), whole);
        }
    }
}
