//! Messages that the application compressed itself (gzip, zlib).

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

/// The largest inflated message in bytes; a larger one is not inflated.
pub const INFLATED: u64 = 1 << 20;

/// The content of a message that is gzip (RFC 1952) or zlib (RFC 1950) as a whole, and the name of
/// the format.
pub fn inflate(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    inflate_within(bytes, INFLATED)
}

/// Like [`inflate`], with this limit.
pub(in crate::lens) fn inflate_within(bytes: &[u8], most: u64) -> Option<(&'static str, Vec<u8>)> {
    match bytes {
        [0x1f, 0x8b, 8, ..] => read(GzDecoder::new(bytes), most).map(|content| ("gzip", content)),
        // "CMF and FLG, when viewed as a 16-bit unsigned integer stored in MSB order, is a multiple
        // of 31" (RFC 1950 §2.2); 7 is the window size that everybody uses.
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 => {
            read(ZlibDecoder::new(bytes), most).map(|content| ("zlib", content))
        }
        _ => None,
    }
}

/// Whether a message is gzip with more content than a lens reads.
pub fn is_inflated_beyond(bytes: &[u8]) -> bool {
    let mut content = GzDecoder::new(bytes).take(INFLATED + 1);
    bytes.starts_with(&[0x1f, 0x8b, 8])
        && std::io::copy(&mut content, &mut std::io::sink()).is_ok_and(|n| n > INFLATED)
}

fn read(decoder: impl Read, most: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    decoder.take(most + 1).read_to_end(&mut content).ok()?;
    (content.len() as u64 <= most).then_some(content)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn gzip_and_zlib_are_inflated_within_the_bound() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"content").expect("a Vec takes all");
        let gzip = gzip.finish().expect("a Vec takes all");
        assert_eq!(inflate(&gzip), Some(("gzip", b"content".to_vec())));
        assert_eq!(inflate(&gzip[..gzip.len() - 9]), None, "cut");

        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"content").expect("a Vec takes all");
        let zlib = zlib.finish().expect("a Vec takes all");
        assert_eq!(inflate(&zlib), Some(("zlib", b"content".to_vec())));

        let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
        bomb.write_all(&vec![0; INFLATED as usize + 1]).expect("a Vec takes all");
        assert_eq!(inflate(&bomb.finish().expect("a Vec takes all")), None);
    }
}
