//! Masking, RFC 6455 §5.3: the payload XORed with a four-byte key, at memory speed.
//!
//! Works only on bytes. A payload may arrive in pieces; `phase` is the number of bytes before the
//! piece, so that masking continues at the right position.

/// A masking key as it is in the header.
pub type MaskKey = [u8; 4];

/// XORs `bytes` with `key`, starting `phase` bytes into the payload. A second call restores the
/// bytes.
///
/// "Octet i of the transformed data is the XOR of octet i of the original data with octet at
/// index i modulo 4 of the masking key" (§5.3).
#[inline]
pub fn apply(key: MaskKey, phase: u64, bytes: &mut [u8]) {
    let (word, key) = widened(key, phase);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends `bytes` to `out`, masked with `key` from the start of the payload.
pub fn append(key: MaskKey, bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(bytes);
    apply(key, 0, &mut out[start..]);
}

/// The key rotated to `phase`: as four bytes, and doubled to one word in the machine's byte order.
fn widened(mut key: MaskKey, phase: u64) -> (u64, MaskKey) {
    key.rotate_left((phase % 4) as usize);
    let [a, b, c, d] = key;
    (u64::from_ne_bytes([a, b, c, d, a, b, c, d]), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_by_one(key: MaskKey, phase: u64, bytes: &[u8]) -> Vec<u8> {
        let octet = |i: usize| key[((phase + i as u64) % 4) as usize];
        bytes.iter().enumerate().map(|(i, b)| b ^ octet(i)).collect()
    }

    #[test]
    fn masks_the_hello_of_section_5_7() {
        let mut hello = *b"Hello";
        apply([0x37, 0xfa, 0x21, 0x3d], 0, &mut hello);
        assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn equals_the_definition_at_every_length_and_phase() {
        let key = [0x11, 0x22, 0x44, 0x88];
        let text: Vec<u8> = (0..=70).collect();
        for len in 0..text.len() {
            for phase in 0..9 {
                let mut masked = text[..len].to_vec();
                apply(key, phase, &mut masked);
                assert_eq!(masked, one_by_one(key, phase, &text[..len]), "len {len} phase {phase}");
            }
        }
    }

    #[test]
    fn resumes_after_any_split() {
        let key = [1, 2, 3, 4];
        let text: Vec<u8> = (0..40).collect();
        let whole = one_by_one(key, 0, &text);
        for cut in 0..=text.len() {
            let mut pieces = text.clone();
            let (head, tail) = pieces.split_at_mut(cut);
            apply(key, 0, head);
            apply(key, cut as u64, tail);
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn appends_masked_and_leaves_what_was_there() {
        let mut out = b"before".to_vec();
        append([0x37, 0xfa, 0x21, 0x3d], b"Hello", &mut out);
        assert_eq!(out, b"before\x7f\x9f\x4d\x51\x58");
    }
}
