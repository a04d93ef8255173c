//! Mask keys, taken in bulk from a random source, RFC 6455 §5.3.
//!
//! "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
//! source of entropy." The source is an argument. A million small frames call it only a thousand
//! times.

use crate::wire::mask::MaskKey;

/// Fills a buffer with random bytes from a strong source.
pub type RandomSource = Box<dyn FnMut(&mut [u8]) + Send>;

/// How many bytes are taken at once: a thousand keys.
const POOL: usize = 4096;

/// How many bytes are taken first, because a short session needs few keys.
const FIRST: usize = 64;

/// A supply of mask keys, each used once.
pub struct MaskKeys {
    source: RandomSource,
    /// Created with the first key, because a server needs none.
    pool: Option<Box<KeyPool>>,
}

/// The available keys; those before `at` have been used.
struct KeyPool {
    bytes: [u8; POOL],
    at: usize,
}

impl MaskKeys {
    /// Takes bytes from `source` when the first key is needed.
    pub fn new(source: RandomSource) -> Self {
        Self { source, pool: None }
    }

    /// The next key.
    pub fn next_key(&mut self) -> MaskKey {
        let pool = match &mut self.pool {
            Some(pool) => {
                if pool.at == POOL {
                    pool.at = 0;
                    (self.source)(&mut pool.bytes);
                }
                pool
            }
            none => {
                let pool = none.insert(Box::new(KeyPool { bytes: [0; POOL], at: POOL - FIRST }));
                (self.source)(&mut pool.bytes[POOL - FIRST..]);
                pool
            }
        };
        let key = pool.bytes[pool.at..].first_chunk::<4>().copied().unwrap_or_default();
        pool.at += 4;
        key
    }
}

impl std::fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_out_every_byte_once_and_refills() {
        let mut round = 0u8;
        let mut keys = MaskKeys::new(Box::new(move |pool| {
            round += 1;
            pool.fill(round);
        }));
        let count = (FIRST + POOL) / 4 + 1;
        let drawn: Vec<MaskKey> = (0..count).map(|_| keys.next_key()).collect();
        assert_eq!((drawn[0], drawn[FIRST / 4 - 1]), ([1; 4], [1; 4]));
        assert_eq!((drawn[FIRST / 4], drawn[count - 2]), ([2; 4], [2; 4]));
        assert_eq!(drawn[count - 1], [3; 4]);
    }
}
