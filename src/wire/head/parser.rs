//! Collects the bytes of one head from chunks of any size.
//!
//! It only finds the end of the head and checks its size; `scan` parses the lines. Every byte is
//! examined once, so a head that arrives byte by byte takes linear time.

use memchr::memchr;
use thiserror::Error;

use super::{Head, HeadKind, is_token_byte};

/// The largest allowed head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes, including the blank line.
    pub max_bytes: usize,
    /// Header lines, without continuation lines.
    pub max_headers: usize,
}

impl Default for HeadLimits {
    /// 64 KiB and 128 headers: well above the 8 KiB and 100 headers that common
    /// servers allow, low enough that an endless head costs nothing.
    fn default() -> Self {
        Self { max_bytes: 64 * 1024, max_headers: 128 }
    }
}

/// Why reading a head stopped. [`HeadParser::raw`] has the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The blank line did not come within the limit.
    #[error("no end of the http head within {limit} bytes")]
    TooLong {
        /// [`HeadLimits::max_bytes`], which is also the offset of the first refused byte.
        limit: usize,
    },
    /// More header lines than allowed.
    #[error("more than {limit} headers in the http head, the next one at byte {offset}")]
    TooManyHeaders {
        /// [`HeadLimits::max_headers`].
        limit: usize,
        /// The offset of the first surplus line.
        offset: usize,
    },
}

/// The result of [`HeadParser::push`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// All bytes were consumed, and the blank line has not arrived yet.
    Incomplete,
    /// The head is whole; the bytes from `consumed` on do not belong to it.
    Complete {
        /// How many of the given bytes belong to the head.
        consumed: usize,
        /// The head.
        head: Head,
    },
}

/// Reads heads from a stream of chunks, one after the other.
#[derive(Clone, Debug)]
pub struct HeadParser {
    kind: HeadKind,
    limits: HeadLimits,
    raw: Vec<u8>,
    line_start: usize,
    start_line_seen: bool,
    headers: usize,
    failed: Option<HeadError>,
}

impl HeadParser {
    /// Begins to read a head of the given kind.
    pub fn new(kind: HeadKind, limits: HeadLimits) -> Self {
        Self {
            kind,
            limits,
            raw: Vec::new(),
            line_start: 0,
            start_line_seen: false,
            headers: 0,
            failed: None,
        }
    }

    /// Takes the next bytes, exactly up to the end of the head.
    ///
    /// After [`Fed::Complete`] the parser is ready for the next head (an interim
    /// response may precede the final one).
    ///
    /// # Errors
    ///
    /// [`HeadError`] if a limit is exceeded; further calls return the same error.
    pub fn push(&mut self, input: &[u8]) -> Result<Fed, HeadError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut at = 0;
        while let Some(found) = memchr(b'\n', &input[at..]) {
            let next = at + found + 1;
            self.append(&input[at..next])?;
            at = next;
            if self.line_ended()? {
                return Ok(Fed::Complete { consumed: at, head: self.take() });
            }
        }
        self.append(&input[at..])?;
        Ok(Fed::Incomplete)
    }

    /// The bytes of the unfinished head.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether the first bytes can't be HTTP/1.x, so that it is useless to wait for a blank line.
    /// [`Self::raw`] keeps the bytes.
    pub fn not_http(&self) -> bool {
        match self.kind {
            HeadKind::Response => {
                let name = b"HTTP/";
                let seen = self.raw.len().min(name.len());
                self.raw[..seen] != name[..seen]
            }
            HeadKind::Request => {
                // The longest registered method has 17 letters. A longer token may still be a
                // method, so the check ends there without a decision.
                let mut line = self
                    .raw
                    .iter()
                    .copied()
                    .skip_while(|byte| matches!(byte, b'\r' | b'\n'))
                    .take(18);
                match line.next() {
                    None => false,
                    Some(first) if !is_token_byte(first) => true,
                    Some(_) => {
                        line.find(|&byte| !is_token_byte(byte)).is_some_and(|byte| byte != b' ')
                    }
                }
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), HeadError> {
        let room = self.limits.max_bytes.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            return Err(self.fail(HeadError::TooLong { limit: self.limits.max_bytes }));
        }
        Ok(())
    }

    /// Checks the line that just ended; true if it ended the head.
    fn line_ended(&mut self) -> Result<bool, HeadError> {
        let start = std::mem::replace(&mut self.line_start, self.raw.len());
        match &self.raw[start..] {
            // RFC 9112 §2.2: "a server that is expecting to receive and parse a
            // request-line SHOULD ignore at least one empty line (CRLF) received
            // prior to the request-line."
            b"\n" | b"\r\n" => Ok(self.start_line_seen || self.kind == HeadKind::Response),
            _ if !self.start_line_seen => {
                self.start_line_seen = true;
                Ok(false)
            }
            [b' ' | b'\t', ..] => Ok(false),
            _ => {
                self.headers += 1;
                if self.headers > self.limits.max_headers {
                    let limit = self.limits.max_headers;
                    return Err(self.fail(HeadError::TooManyHeaders { limit, offset: start }));
                }
                Ok(false)
            }
        }
    }

    fn fail(&mut self, error: HeadError) -> HeadError {
        self.failed = Some(error);
        error
    }

    fn take(&mut self) -> Head {
        let fresh = Self::new(self.kind, self.limits);
        Head::from_raw(self.kind, std::mem::replace(self, fresh).raw)
    }
}
