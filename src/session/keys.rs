//! Mask keys drawn in bulk, RFC 6455 §5.3.
//!
//! "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
//! source of entropy." The source is an argument; a million small frames call it a thousand times.

use crate::wire::mask::MaskKey;

/// Fills a buffer with random bytes from a strong source.
pub type RandomSource = Box<dyn FnMut(&mut [u8]) + Send>;

/// Bytes drawn at once: a thousand keys.
const POOL: usize = 4096;

/// Bytes drawn at first: a short session needs a few keys only.
const FIRST: usize = 64;

/// A supply of mask keys, each used once.
pub struct MaskKeys {
    source: RandomSource,
    /// Made when the first key is requested: a server needs none.
    pool: Option<Box<KeyPool>>,
}

/// Keys that were drawn; those before `at` have been used.
struct KeyPool {
    bytes: [u8; POOL],
    at: usize,
}

impl MaskKeys {
    /// Draws from `source` when the first key is requested.
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
