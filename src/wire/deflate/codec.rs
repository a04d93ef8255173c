//! The two halves of permessage-deflate, RFC 7692 §7.2: messages to and from DEFLATE streams.
//!
//! Works on bytes and the agreed parameters, not on frames. A connection that never compresses uses
//! no memory for it, and an idle one keeps only the window to which later messages may refer, not
//! the states of the algorithm: see `pool`.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::distances::Distances;
pub use super::distances::TooFar;
use super::params::{MAX_WINDOW_BITS, MIN_COMPRESS_BITS};
use super::pool::{Owner, Pool, Window};

/// "append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message" (§7.2.2).
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The size of the window to which a [`Deflater`] without its own stream refers. A sender may use
/// less than the agreed window, and the first kilobytes save the most. Received data may refer to
/// the whole window.
const REFERRED: usize = 8 * 1024;

thread_local! {
    static INFLATING: RefCell<Pool<Box<Decompress>>> = const { RefCell::new(Pool::new()) };
    /// Each state with its window bits.
    static DEFLATING: RefCell<Pool<(u8, Box<Compress>)>> = const { RefCell::new(Pool::new()) };
}

/// How many bytes one call consumed and produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecProgress {
    /// Input bytes consumed.
    pub consumed: usize,
    /// Output bytes produced.
    pub produced: usize,
}

/// The payload is not DEFLATE data, or refers back too far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("inflating failed after {consumed} compressed and {produced} inflated bytes")]
pub struct InflateError {
    /// The reference beyond the agreed window; `None` for data that is not DEFLATE, or refers to
    /// data before the beginning.
    pub too_far: Option<TooFar>,
    /// Compressed bytes of this message consumed before the error.
    pub consumed: u64,
    /// Bytes of this message produced before the error.
    pub produced: u64,
    /// How many of the produced bytes the failing call has written to its output.
    pub given: usize,
}

/// Inflates the messages of one direction.
///
/// It always uses the largest window: zlib-rs has no smaller one, and C zlib finds a distance
/// beyond a smaller one only sometimes, depending on how the input is cut. If a smaller window was
/// agreed, `Distances` finds every such distance.
#[derive(Debug)]
pub struct Inflater {
    owner: Owner,
    /// The text to which later data may refer: of this message, and of earlier ones if the context
    /// is kept.
    history: Window,
    keep_context: bool,
    /// Present if a window smaller than the largest was agreed.
    distances: Option<Box<Distances>>,
    /// Borrowed from the pool during a message.
    stream: Option<Box<Decompress>>,
    consumed: u64,
    produced: u64,
}

impl Inflater {
    /// `window_bits` (8 to 15) and `no_context_takeover` as agreed for the sender.
    pub fn new(window_bits: u8, no_context_takeover: bool) -> Self {
        let small = (8..MAX_WINDOW_BITS).contains(&window_bits);
        Self {
            owner: Owner::new(),
            history: Window::new(1 << MAX_WINDOW_BITS),
            keep_context: !no_context_takeover,
            distances: small.then(|| Box::new(Distances::new(window_bits))),
            stream: None,
            consumed: 0,
            produced: 0,
        }
    }

    /// Inflates from `input` into `output` until one of them is used up. When all input is
    /// consumed and `output` is full there may be more: call again with the rest. However the
    /// input is cut, the same bytes and the same error come out.
    ///
    /// # Errors
    ///
    /// The data is not DEFLATE; the stream must not be used for further messages.
    pub fn inflate(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<CodecProgress, InflateError> {
        let Self { owner, history, stream, .. } = self;
        let stream = stream.get_or_insert_with(|| borrow_inflating(*owner, history));
        let mut progress = CodecProgress { consumed: 0, produced: 0 };
        loop {
            let (before_in, before_out) = (stream.total_in(), stream.total_out());
            let result = stream.decompress(
                &input[progress.consumed..],
                &mut output[progress.produced..],
                FlushDecompress::Sync,
            );
            let (took, gave) = (stream.total_in() - before_in, stream.total_out() - before_out);
            history.push(&output[progress.produced..progress.produced + gave as usize]);
            let read = &input[progress.consumed..progress.consumed + took as usize];
            progress.consumed += took as usize;
            progress.produced += gave as usize;
            self.consumed += took;
            self.produced += gave;
            // If the output is full, more may have been read than written.
            if let Some(far) = self.distances.as_mut().and_then(|distances| distances.push(read))
                && far.produced < self.produced
            {
                let beyond = (self.produced - far.produced) as usize;
                return Err(InflateError {
                    too_far: Some(far),
                    consumed: far.consumed,
                    produced: far.produced,
                    given: progress.produced.saturating_sub(beyond),
                });
            }
            match result {
                // §7.2.3.4: a block with BFINAL set may end inside a message; what follows starts a
                // new DEFLATE stream. The window is kept: later blocks may refer to earlier data.
                Ok(Status::StreamEnd) => {
                    stand_behind(stream, history);
                    if progress.consumed == input.len() {
                        return Ok(progress);
                    }
                }
                Ok(Status::Ok | Status::BufError) => return Ok(progress),
                // The reason that zlib-rs gives depends on how the input was cut, and its fast path
                // gives no useful reason. So the error contains only the position.
                Err(_) => {
                    return Err(InflateError {
                        too_far: None,
                        consumed: self.consumed,
                        produced: self.produced,
                        given: progress.produced,
                    });
                }
            }
        }
    }

    /// The memory that the text of earlier messages takes, in bytes.
    pub fn held(&self) -> usize {
        self.history.held()
    }

    /// Whether later messages may refer back to earlier ones.
    pub fn keeps_context(&self) -> bool {
        self.keep_context
    }

    /// Ends a message, after its payload and [`TAIL`] went through [`Inflater::inflate`].
    pub fn end_message(&mut self) {
        (self.consumed, self.produced) = (0, 0);
        if let Some(distances) = &mut self.distances {
            distances.end_message(self.keep_context);
        }
        if let Some(stream) = self.stream.take() {
            let owner = if self.keep_context { self.owner } else { Owner::default() };
            if !self.keep_context {
                self.history.clear();
            }
            INFLATING.with_borrow_mut(|pool| pool.give_back(owner, stream));
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // A thread that is ending has no pool any more.
        let _ = INFLATING.try_with(|pool| pool.borrow_mut().forget(self.owner));
    }
}

/// A stream positioned after the text of an owner.
fn borrow_inflating(owner: Owner, history: &Window) -> Box<Decompress> {
    match INFLATING.with_borrow_mut(|pool| pool.take(owner, |_| true)) {
        Some((stream, true)) => stream,
        other => {
            let mut stream = other.map_or_else(|| Box::new(Decompress::new(false)), |(s, _)| s);
            stand_behind(&mut stream, history);
            stream
        }
    }
}

/// Resets a stream, and positions it after a text.
fn stand_behind(stream: &mut Decompress, history: &Window) {
    stream.reset(false);
    if let text @ [_, ..] = history.window() {
        // Only a stream that has already begun refuses the dictionary.
        let _ = stream.set_dictionary(text);
    }
}

/// Compresses the messages of one direction.
#[derive(Debug)]
pub struct Deflater {
    owner: Owner,
    window_bits: u8,
    keep_context: bool,
    /// The text to which later data may refer.
    history: Window,
}

impl Deflater {
    /// The memory that the text of earlier messages takes, in bytes.
    pub fn held(&self) -> usize {
        self.history.held()
    }

    /// `window_bits` and `no_context_takeover` as agreed for this side. Returns `None` if zlib
    /// can't compress with this window (8 bits): then messages are sent uncompressed, which is
    /// always legal.
    pub fn new(window_bits: u8, no_context_takeover: bool) -> Option<Self> {
        (MIN_COMPRESS_BITS..=MAX_WINDOW_BITS).contains(&window_bits).then(|| Self {
            owner: Owner::new(),
            window_bits,
            keep_context: !no_context_takeover,
            history: Window::new(REFERRED.min(1 << window_bits)),
        })
    }

    /// Appends the compressed form of the next piece of a message to `out`. The payload of the
    /// last piece (`last`) ends without the [`TAIL`] the receiver puts back (§7.2.1).
    pub fn deflate(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut stream = self.borrow();
        let start = out.len();
        let mut rest = piece;
        loop {
            // zlib's bound for one call; `compress_vec` writes into spare capacity only.
            out.reserve(rest.len() / 2 + 64);
            let before = stream.total_in();
            // An error would mean an inconsistent stream, which this loop can't make.
            let _ = stream.compress_vec(rest, out, FlushCompress::Sync);
            rest = &rest[(stream.total_in() - before) as usize..];
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if last {
            if out[start..].ends_with(&TAIL) {
                out.truncate(out.len() - TAIL.len());
            }
            if out.len() == start {
                // "an empty message … a single 0x00" (§7.2.3.6)
                out.push(0x00);
            }
        }
        self.give_back(stream, piece, last && !self.keep_context);
    }

    /// A stream positioned after the text so far. Flushed data ends with a whole byte, so any
    /// stream with the same text can continue.
    fn borrow(&self) -> Box<Compress> {
        let bits = self.window_bits;
        match DEFLATING.with_borrow_mut(|pool| pool.take(self.owner, |(other, _)| *other == bits)) {
            Some(((_, stream), true)) => stream,
            other => {
                let mut stream = match other {
                    Some(((_, mut stream), _)) => {
                        stream.reset();
                        stream
                    }
                    None => {
                        let level = Compression::default();
                        Box::new(Compress::new_with_window_bits(level, false, bits))
                    }
                };
                if let text @ [_, ..] = self.history.window() {
                    // Only a stream that has already begun refuses the dictionary.
                    let _ = stream.set_dictionary(text);
                }
                stream
            }
        }
    }

    /// Returns the stream to the pool, positioned after `piece`. If it `ends`, later messages refer
    /// to nothing.
    fn give_back(&mut self, stream: Box<Compress>, piece: &[u8], ends: bool) {
        let owner = match ends {
            true => {
                self.history.clear();
                Owner::default()
            }
            false => {
                self.history.push(piece);
                self.owner
            }
        };
        DEFLATING.with_borrow_mut(|pool| pool.give_back(owner, (self.window_bits, stream)));
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // A thread that is ending has no pool any more.
        let _ = DEFLATING.try_with(|pool| pool.borrow_mut().forget(self.owner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn deflated(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        deflater.deflate(message, true, &mut out);
        out
    }

    fn inflated(
        inflater: &mut Inflater,
        payload: &[u8],
        piece: usize,
    ) -> Result<Vec<u8>, InflateError> {
        let mut message = Vec::new();
        for chunk in payload.chunks(piece.max(1)).chain([&TAIL[..]]) {
            let mut rest = chunk;
            loop {
                let mut output = [0; 64];
                let progress = inflater.inflate(rest, &mut output)?;
                message.extend_from_slice(&output[..progress.produced]);
                rest = &rest[progress.consumed..];
                if rest.is_empty() && progress.produced < output.len() {
                    break;
                }
            }
        }
        inflater.end_message();
        Ok(message)
    }

    #[test]
    fn reads_the_examples_of_section_7_2_3() {
        let mut one = Inflater::new(15, false);
        assert_eq!(
            inflated(&mut one, b"\xf2\x48\xcd\xc9\xc9\x07\x00", 99).as_deref(),
            Ok(&b"Hello"[..])
        );
        // 7.2.3.2: the second message refers to the first
        assert_eq!(inflated(&mut one, b"\xf2\x00\x11\x00\x00", 1).as_deref(), Ok(&b"Hello"[..]));
        // 7.2.3.3: a block without compression
        let mut stored = Inflater::new(15, false);
        assert_eq!(
            inflated(&mut stored, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 2).as_deref(),
            Ok(&b"Hello"[..])
        );
        // 7.2.3.4: a block with BFINAL set
        let mut final_block = Inflater::new(15, false);
        assert_eq!(
            inflated(&mut final_block, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 3).as_deref(),
            Ok(&b"Hello"[..])
        );
        // 7.2.3.5: two blocks in one message
        let mut two = Inflater::new(15, false);
        let blocks = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
        assert_eq!(inflated(&mut two, blocks, 1).as_deref(), Ok(&b"Hello"[..]));
    }

    #[test]
    fn writes_an_empty_message_as_one_zero_byte() {
        let mut deflater = Deflater::new(15, false).expect("a usable window");
        let mut inflater = Inflater::new(15, false);
        for message in [&b""[..], b"", b"a", b"", b""] {
            let payload = deflated(&mut deflater, message);
            assert!(!payload.is_empty());
            assert_eq!(inflated(&mut inflater, &payload, 9).as_deref(), Ok(message));
        }
    }

    #[test]
    fn a_window_of_8_bits_is_read_but_never_written() {
        assert!(Deflater::new(8, false).is_none());
        let mut small = Deflater::new(9, true).expect("a usable window");
        let payload = deflated(&mut small, b"hello hello hello");
        assert_eq!(
            inflated(&mut Inflater::new(15, true), &payload, 3).as_deref(),
            Ok(&b"hello hello hello"[..])
        );
    }

    #[test]
    fn garbage_is_an_error_with_its_place() {
        let error = inflated(&mut Inflater::new(15, false), b"\xff\xff\xff\xff", 1)
            .expect_err("not DEFLATE");
        assert!(error.to_string().contains("compressed and 0 inflated bytes"), "{error}");
    }

    /// Bytes that don't compress.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut noisy = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        };
        (0..len).map(|_| noisy()).collect()
    }

    #[test]
    fn a_distance_beyond_the_agreed_window_is_followed() {
        let far: Vec<u8> = noise(2000).into_iter().cycle().take(4000).collect();
        let payload = deflated(&mut Deflater::new(15, false).expect("usable"), &far);
        assert!(payload.len() < 3000, "the second half refers to the first");
        for piece in [1, 99, payload.len()] {
            assert_eq!(inflated(&mut Inflater::new(15, false), &payload, piece), Ok(far.clone()));
        }
    }

    #[test]
    fn a_distance_before_the_beginning_is_an_error() {
        let mut deflater = Deflater::new(15, false).expect("usable");
        let first = deflated(&mut deflater, &noise(300));
        let second = deflated(&mut deflater, &noise(300));
        for piece in [1, 99, second.len()] {
            assert!(inflated(&mut Inflater::new(15, false), &second, piece).is_err());
            let mut both = Inflater::new(15, false);
            assert_eq!(inflated(&mut both, &first, piece), Ok(noise(300)));
            assert_eq!(inflated(&mut both, &second, piece), Ok(noise(300)));
        }
    }

    #[test]
    fn a_small_window_is_never_left() {
        let far: Vec<u8> = noise(600).into_iter().cycle().take(1200).collect();
        let mut small = Deflater::new(9, true).expect("usable");
        for message in 1..=3 {
            let len = deflated(&mut small, &far).len();
            assert!(len > 1200, "message {message} refers back 600 bytes: {len}");
        }
    }

    #[test]
    fn an_error_reports_what_came_before_it() {
        let mut payload = deflated(&mut Deflater::new(15, false).expect("usable"), b"fine so far");
        payload.extend([0, 0, 0xff, 0xff, 0xff]); // the tail, then a block of type 3
        let mut output = [0; 64];
        let error =
            Inflater::new(15, false).inflate(&payload, &mut output).expect_err("not DEFLATE");
        assert_eq!(&output[..error.given], b"fine so far");
    }

    /// Drops the idle streams, as many other owners would.
    fn throw_out() {
        INFLATING.set(Pool::new());
        DEFLATING.set(Pool::new());
    }

    #[test]
    fn a_message_refers_back_to_one_whose_stream_is_gone() {
        let mut deflater = Deflater::new(15, false).expect("usable");
        let mut inflater = Inflater::new(15, false);
        let text = noise(6000);
        for message in 1..=3 {
            let payload = deflated(&mut deflater, &text);
            assert!(message == 1 || payload.len() < 200, "message {message}: {}", payload.len());
            throw_out();
            assert_eq!(inflated(&mut inflater, &payload, 999).as_deref(), Ok(&text[..]));
            throw_out();
        }
    }

    #[test]
    fn streams_are_shared_and_those_of_the_gone_are_freed() {
        throw_out();
        let count = || DEFLATING.with_borrow(|pool| format!("{pool:?}").matches("Owner").count());
        let mut alone =
            (0..9).map(|_| Deflater::new(15, true).expect("usable")).collect::<Vec<_>>();
        alone.iter_mut().for_each(|deflater| drop(deflated(deflater, b"hello")));
        assert_eq!(count(), 1, "without a context to take over one is enough");
        let mut takers: Vec<_> =
            (0..9).map(|_| Deflater::new(15, false).expect("usable")).collect();
        takers.iter_mut().for_each(|deflater| drop(deflated(deflater, b"hello")));
        assert_eq!(count(), 9);
        drop(takers);
        assert_eq!(count(), 0);
    }

    proptest! {
        #[test]
        fn round_trips_in_pieces_with_every_parameter(
            messages in proptest::collection::vec(
                (proptest::collection::vec(0u8..8, 0..3000), any::<bool>()), 1..5),
            bits in 9u8..=15, no_takeover: bool, cut in 0usize..3000, piece in 1usize..700,
        ) {
            let mut deflater = Deflater::new(bits, no_takeover).expect("usable");
            let mut inflater = Inflater::new(bits, no_takeover);
            for (message, thrown_out) in &messages {
                let cut = cut.min(message.len());
                let mut payload = Vec::new();
                deflater.deflate(&message[..cut], false, &mut payload);
                if *thrown_out {
                    throw_out();
                }
                deflater.deflate(&message[cut..], true, &mut payload);
                prop_assert_eq!(inflated(&mut inflater, &payload, piece), Ok(message.clone()));
                if *thrown_out {
                    throw_out();
                }
            }
        }

        #[test]
        fn never_panics_on_garbage(payload: Vec<u8>, piece in 1usize..50) {
            let _ = inflated(&mut Inflater::new(15, false), &payload, piece);
        }
    }
}
