//! The content coding of a body (RFC 9110 §8.4): the body of a refusal may be compressed.

use std::io::Read as _;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Removes the content coding that Content-Encoding names. Returns at most `most` bytes of the
/// beginning of the body; returns nothing if the coding can't be removed.
pub fn decoded(encoding: &[u8], body: &[u8], most: usize) -> Vec<u8> {
    let encoding = encoding.trim_ascii().to_ascii_lowercase();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    // A truncated body gives the content up to its end.
    let _ = match encoding.as_slice() {
        b"" | b"identity" => return body.to_vec(),
        b"gzip" | b"x-gzip" => MultiGzDecoder::new(body).take(most).read_to_end(&mut text),
        // Some servers send raw DEFLATE data, without the zlib header.
        b"deflate" if body.first().is_some_and(|byte| byte & 0xf == 8) => {
            ZlibDecoder::new(body).take(most).read_to_end(&mut text)
        }
        b"deflate" => DeflateDecoder::new(body).take(most).read_to_end(&mut text),
        _ => return Vec::new(),
    };
    text
}

/// Converts a body to UTF-8 if Content-Type names a charset of single bytes.
pub fn as_utf8(content_type: &[u8], body: Vec<u8>) -> Vec<u8> {
    let kind = String::from_utf8_lossy(content_type).to_ascii_lowercase();
    let known = ["iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "us-ascii"];
    let single = kind.contains("charset=") && known.iter().any(|name| kind.contains(name));
    if !single || body.is_ascii() || std::str::from_utf8(&body).is_ok() {
        return body;
    }
    body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_body_of_single_bytes_becomes_text() {
        let read = |kind: &[u8], body: &[u8]| as_utf8(kind, body.to_vec());
        assert_eq!(read(b"text/plain; charset=ISO-8859-1", b"f\xfcr"), "für".as_bytes());
        assert_eq!(read(b"text/plain", b"f\xfcr"), b"f\xfcr");
        assert_eq!(read(b"text/plain; charset=utf-8", "für".as_bytes()), "für".as_bytes());
    }

    #[test]
    fn a_compressed_body_is_read() {
        let text = b"{\"error\":\"maintenance until 18:00\"}";
        let level = flate2::Compression::default();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        gzip.write_all(text).unwrap();
        zlib.write_all(text).unwrap();
        let (gzip, zlib) = (gzip.finish().unwrap(), zlib.finish().unwrap());
        assert_eq!(decoded(b"gzip", &gzip, 1000), text);
        assert_eq!(decoded(b" GZIP", &gzip, 8), text[..8]);
        assert_eq!(decoded(b"deflate", &zlib, 1000), text);
        assert_eq!(decoded(b"identity", text, 1000), text);
        assert_eq!(decoded(b"br", &gzip, 1000), b"");
        assert!(text.starts_with(&decoded(b"gzip", &gzip[..gzip.len() - 12], 1000)));
        assert_eq!(decoded(b"gzip", b"not gzip", 1000), b"");
    }
}
