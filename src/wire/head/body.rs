//! Where the body of a message ends, and what its chunks contain (RFC 9112 §6, §7.1).

use super::Head;

/// Follows the body of a message to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyFraming(BodyPlace);

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum BodyPlace {
    /// This many bytes, then the end of the body.
    Bytes(u64),
    /// The size of a chunk: the digits so far, if any, and whether its extensions have begun.
    Size(Option<u64>, bool),
    /// This many bytes of a chunk.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Fields after the last chunk, and whether the current line is empty so far.
    Trailer(bool),
    /// The end of the body is unknown.
    Endless,
}

impl BodyFraming {
    /// A body in chunks.
    pub fn in_chunks() -> Self {
        Self(BodyPlace::Size(None, false))
    }

    /// The body that the head of a request announces. "If this is a request message and none of the above are true,
    /// then the message body length is zero" (§6.3).
    pub fn of(request: &Head) -> Self {
        let mut lengths = request.get_all("Content-Length").map(length);
        let mut codings = request.tokens("Transfer-Encoding");
        match (codings.next(), codings.next()) {
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Self::in_chunks(),
            (None, _) => match lengths.next() {
                None => Self(BodyPlace::Bytes(0)),
                Some(Some(first)) if lengths.all(|other| other == Some(first)) => {
                    Self(BodyPlace::Bytes(first))
                }
                Some(_) => Self(BodyPlace::Endless),
            },
            _ => Self(BodyPlace::Endless),
        }
    }

    /// Whether the body is complete.
    pub fn is_complete(&self) -> bool {
        self.0 == BodyPlace::Bytes(0)
    }

    /// How many of the next bytes belong to the body. `content` receives its content, as far as the
    /// end of the body is known.
    pub fn take(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.0 {
                BodyPlace::Bytes(0) => break,
                BodyPlace::Bytes(left) | BodyPlace::Chunk(left @ 1..) => {
                    let rest = bytes.len() - at;
                    let n = usize::try_from(*left).map_or(rest, |left| left.min(rest));
                    *left -= n as u64;
                    content(&bytes[at..at + n]);
                    at += n;
                }
                BodyPlace::Endless => return bytes.len(),
                _ => {
                    self.byte(bytes[at]);
                    at += 1;
                }
            }
        }
        at
    }

    /// Takes a byte of the framing around chunks.
    fn byte(&mut self, byte: u8) {
        let place = &mut self.0;
        *place = match (&*place, byte) {
            (BodyPlace::Size(Some(0), _), b'\n') => BodyPlace::Trailer(true),
            (BodyPlace::Size(Some(size), _), b'\n') => BodyPlace::Chunk(*size),
            (BodyPlace::Size(size @ Some(_), true), _) => BodyPlace::Size(*size, true),
            (BodyPlace::Size(size @ Some(_), false), b';' | b' ' | b'\t' | b'\r') => {
                BodyPlace::Size(*size, true)
            }
            (BodyPlace::Size(size, false), digit) => {
                let digit = char::from(digit).to_digit(16).map(u64::from);
                let size = digit
                    .and_then(|digit| size.unwrap_or(0).checked_mul(16).map(|size| size + digit));
                size.map_or(BodyPlace::Endless, |size| BodyPlace::Size(Some(size), false))
            }
            (BodyPlace::Chunk(_) | BodyPlace::ChunkEnd, b'\r') => BodyPlace::ChunkEnd,
            (BodyPlace::Chunk(_) | BodyPlace::ChunkEnd, b'\n') => BodyPlace::Size(None, false),
            (BodyPlace::Trailer(true), b'\n') => BodyPlace::Bytes(0),
            (BodyPlace::Trailer(_), b'\n') => BodyPlace::Trailer(true),
            (BodyPlace::Trailer(empty), b'\r') => BodyPlace::Trailer(*empty),
            (BodyPlace::Trailer(_), _) => BodyPlace::Trailer(false),
            _ => BodyPlace::Endless,
        };
    }
}

/// "1*DIGIT" (RFC 9110 §8.6).
fn length(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    const NEXT: &[u8] = b"GET /2 HTTP/1.1\r\n\r\n";

    #[test]
    fn a_body_ends_where_its_head_says_however_it_comes() {
        let chunked = "Transfer-Encoding: Chunked\r\n";
        for (fields, body) in [
            ("", &b""[..]),
            ("Content-Length: 0\r\n", b""),
            ("Content-Length: 3\r\n", b"abc"),
            ("Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"),
            (chunked, b"0\r\n\r\n"),
            (chunked, b"a;x=\"0\"\r\n0\r\n\r\n01234\r\n0\r\n\r\n"),
            (chunked, b"2\r\nab\r\n00\r\nX: y\r\nZ: 0\r\n\r\n"),
            (chunked, b"2\nab\n0\n\n"),
        ] {
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            let head = Head::parse(HeadKind::Request, head.as_bytes());
            let all = [body, NEXT].concat();
            for cut in 0..=all.len() {
                let mut end = BodyFraming::of(&head);
                let (first, second) = all.split_at(cut);
                let n = end.take(first, |_| ()) + end.take(second, |_| ());
                assert_eq!(n, body.len(), "{fields:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn chunks_are_joined_and_nonsense_ends_them() {
        let joined = |bytes: &[u8]| {
            let (mut body, mut content) = (BodyFraming::in_chunks(), Vec::new());
            body.take(bytes, |piece| content.extend_from_slice(piece));
            (body.is_complete(), content)
        };
        let whole = b"5\r\nPage \r\n9;x=1\r\nnot found\r\n5\r\n0\r\n\r\n\r\n0\r\nX: y\r\n\r\n";
        assert_eq!(joined(whole), (true, b"Page not found0\r\n\r\n".to_vec()));
        for end in 0..whole.len() {
            let (is_complete, content) = joined(&whole[..end]);
            assert!(!is_complete && joined(whole).1.starts_with(&content), "{end}");
        }
        for odd in [&b"zz\r\nx"[..], b"ffffffffffffffff\r\nx", b"\r\n", b"-1\r\nx"] {
            let (is_complete, content) = joined(odd);
            assert!(!is_complete && content.len() <= 1);
        }
    }

    #[test]
    fn where_its_end_is_not_known_everything_belongs_to_it() {
        let chunked = "Transfer-Encoding: chunked\r\n";
        for (fields, body) in [
            ("Content-Length: 3\r\nContent-Length: 4\r\n", &b"abc"[..]),
            ("Content-Length: x\r\n", b""),
            ("Content-Length:\r\n", b""),
            ("Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
            (chunked, b"\r\n"),
            (chunked, b"x\r\n"),
            (chunked, b"11111111111111111111\r\n"),
            (chunked, b"1\r\nab\r\n"),
        ] {
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            let mut end = BodyFraming::of(&Head::parse(HeadKind::Request, head.as_bytes()));
            let all = [body, NEXT].concat();
            assert_eq!(end.take(&all, |_| ()), all.len(), "{fields:?} {body:?}");
        }
    }
}
