//! Splits stdin into messages: the formats of `--input`, in constant memory.
//!
//! If a message reaches 1 MiB before its end is known, it is sent in fragments, so a line or a file
//! may have any length. It uses no sockets: bytes come in through [`MessageSplitter::space`], and
//! messages leave through an [`Outlet`], which is one or more connections.

use memchr::{memchr, memchr_iter};

use crate::cli::InputFormat;
use crate::engine::outbox::{Producer, Sender};
use crate::session::endpoint::SendError;
use crate::session::message::FRAGMENT_SIZE;
use crate::ui::sanitize::whole_characters;
use crate::wire::Data;
use crate::wire::utf8::{Utf8Error, Utf8Validator, is_utf8};

/// How many bytes are read at once.
const READ: usize = 256 * 1024;

/// The largest message of `--input chunks` in bytes; every server accepts this size.
const CHUNK: usize = 64 * 1024;

/// Longest line of `--input json`.
const MAX_COMMAND: usize = 64 * 1024 * 1024;

/// The reason for refusing a longer line.
const TOO_LONG: &str = "a command has at most 64 MiB";

/// Why data of stdin can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A text message that is not UTF-8.
    #[error(
        "stdin: message {message}, byte {offset} of the input: {error}; send binary messages with -b"
    )]
    NotText {
        /// Number of the message, from 1.
        message: u64,
        /// The number of bytes of stdin before the wrong one.
        offset: u64,
        /// What is wrong.
        error: Utf8Error,
    },
    /// A line of `--input json` that is not a command.
    #[error("stdin: line {line}: {error}")]
    Command {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong.
        error: String,
    },
    /// `--input json` ended inside a message.
    #[error(
        "stdin: line {line}, the last one: a message in fragments has no end; its last fragment is \
         the one without \"fin\":false"
    )]
    Unfinished {
        /// Number of the last line, from 1.
        line: u64,
    },
    /// The connection does not accept the message.
    #[error("stdin: message {message}: {error}")]
    Send {
        /// Number of the message, from 1.
        message: u64,
        /// The reason.
        error: SendError,
    },
}

/// The target of messages.
pub trait Outlet {
    /// Sends a message, or the next piece of a message; the first piece decides the `opcode`.
    ///
    /// # Errors
    ///
    /// The connection does not accept it.
    fn send(&mut self, opcode: Data, piece: &[u8], last: bool) -> Result<(), SendError>;

    /// Carries out a line of `--input json`.
    ///
    /// # Errors
    ///
    /// It is not a command, or the connection does not accept it.
    fn command(&mut self, line: &[u8]) -> Result<(), String>;

    /// Whether a message has been begun, and its last fragment can still be sent.
    fn is_mid_message(&self) -> bool;
}

/// One connection, as the outlet of one producer.
pub struct To<'s, 'a> {
    /// Sends on the connection.
    pub sender: &'s mut Sender<'a>,
    /// The producer.
    pub producer: Producer,
    /// Carries out a line of `--input json`.
    pub commands: Commands,
}

/// Carries out a command in a line.
pub type Commands = fn(&[u8], &mut Sender<'_>) -> Result<(), String>;

impl Outlet for To<'_, '_> {
    #[inline]
    fn send(&mut self, opcode: Data, piece: &[u8], last: bool) -> Result<(), SendError> {
        self.sender.fragment(self.producer, opcode, piece, last)
    }

    fn command(&mut self, line: &[u8]) -> Result<(), String> {
        (self.commands)(line, self.sender)
    }

    fn is_mid_message(&self) -> bool {
        let endpoint = self.sender.endpoint.as_ref();
        endpoint.is_some_and(|endpoint| endpoint.is_fragmenting()) && self.sender.is_open()
    }
}

/// Splits stdin into messages and passes them to the endpoint.
pub struct MessageSplitter {
    format: InputFormat,
    opcode: Data,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of bytes of stdin before `start`.
    offset: u64,
    /// The number of messages begun, including one that is being sent in fragments.
    messages: u64,
    /// A message is being sent in fragments.
    fragmenting: bool,
    utf8: Utf8Validator,
    /// Bytes up to the end of the message are dropped.
    skipping: bool,
}

impl MessageSplitter {
    /// A splitter for a format; `binary`: it sends binary messages.
    pub fn new(format: InputFormat, binary: bool) -> Self {
        Self {
            format,
            opcode: if binary { Data::Binary } else { Data::Text },
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            messages: 0,
            fragmenting: false,
            utf8: Utf8Validator::default(),
            skipping: false,
        }
    }

    /// Skips the rest of a message of which a part was sent. Returns whether there was one.
    pub fn abandon_message(&mut self) -> bool {
        let inside = std::mem::take(&mut self.fragmenting);
        self.skipping |= inside;
        self.utf8 = Utf8Validator::default();
        inside
    }

    /// The buffer for data of stdin; report the number of bytes to [`MessageSplitter::filled`].
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            // New pages from the system are already zero; a run with one line uses only one of
            // them.
            self.buffer = vec![0; READ];
        }
        if self.buffer.len() < self.end + READ {
            self.buffer.resize(self.end + READ, 0);
        }
        &mut self.buffer[self.end..self.end + READ]
    }

    /// Sends the messages that `n` more bytes complete.
    ///
    /// # Errors
    ///
    /// A message can't be sent; the messages before it were sent.
    pub fn filled(&mut self, n: usize, outlet: &mut impl Outlet) -> Result<(), FeedError> {
        let mut fresh = self.end;
        self.end += n;
        if self.skipping {
            self.skip();
            fresh = fresh.max(self.start);
        }
        match self.format {
            InputFormat::Lines => self.cut_at(b'\n', fresh, outlet),
            InputFormat::Null => self.cut_at(0, fresh, outlet),
            InputFormat::Chunks => self.cut_chunks(outlet),
            InputFormat::Whole => self.send_pieces(outlet),
            InputFormat::Json => self.run_commands(fresh, false, outlet),
            // A runner reads these formats.
            InputFormat::None | InputFormat::Commands | InputFormat::Prompt => Ok(()),
        }
    }

    /// Sends the rest at the end of stdin: a last line without its newline, the end of a message in
    /// fragments, the whole.
    ///
    /// # Errors
    ///
    /// The rest can't be sent.
    pub fn finish(&mut self, outlet: &mut impl Outlet) -> Result<(), FeedError> {
        let left = self.end - self.start;
        match self.format {
            InputFormat::Json => {
                self.run_commands(self.start, true, outlet)?;
                match outlet.is_mid_message() {
                    true => Err(FeedError::Unfinished { line: self.messages }),
                    false => Ok(()),
                }
            }
            InputFormat::Whole => self.send_message(left, 0, outlet),
            InputFormat::None | InputFormat::Commands | InputFormat::Prompt => Ok(()),
            InputFormat::Lines | InputFormat::Null | InputFormat::Chunks
                if left == 0 && !self.fragmenting =>
            {
                Ok(())
            }
            InputFormat::Lines | InputFormat::Null | InputFormat::Chunks => {
                self.send_message(left, 0, outlet)
            }
        }
    }

    /// Drops the bytes of a skipped message.
    fn skip(&mut self) {
        let separator = match self.format {
            InputFormat::Lines => b'\n',
            InputFormat::Null => 0,
            // The rest of stdin is one message.
            _ => return self.advance(self.end - self.start),
        };
        match memchr(separator, &self.buffer[self.start..self.end]) {
            Some(at) => {
                self.skipping = false;
                self.advance(at + 1);
            }
            None => self.advance(self.end - self.start),
        }
    }

    fn cut_at(
        &mut self,
        separator: u8,
        fresh: usize,
        outlet: &mut impl Outlet,
    ) -> Result<(), FeedError> {
        // A single search in the whole batch saves a search for each line.
        let last = memchr::memrchr(separator, &self.buffer[fresh..self.end]);
        let whole = last.map_or(self.start, |at| fresh + at);
        let all_good = !self.fragmenting
            && (self.opcode == Data::Binary || is_utf8(&self.buffer[self.start..whole]));
        if all_good {
            self.send_lines(separator, fresh, outlet)?;
            return self.send_pieces(outlet);
        }
        let mut search = fresh;
        while let Some(found) = memchr(separator, &self.buffer[search..self.end]) {
            let at = search + found;
            self.send_message(at - self.start, 1, outlet)?;
            search = at + 1;
        }
        self.send_pieces(outlet)
    }

    /// Sends the messages that end after `fresh`; all of them are valid.
    fn send_lines(
        &mut self,
        separator: u8,
        fresh: usize,
        outlet: &mut impl Outlet,
    ) -> Result<(), FeedError> {
        let mut start = self.start;
        for found in memchr_iter(separator, &self.buffer[fresh..self.end]) {
            let end = fresh + found;
            self.messages += 1;
            outlet
                .send(self.opcode, &self.buffer[start..end], true)
                .map_err(|error| FeedError::Send { message: self.messages, error })?;
            start = end + 1;
        }
        self.advance(start - self.start);
        Ok(())
    }

    /// Sends the data of the read. A text message does not end inside an incomplete character.
    fn cut_chunks(&mut self, outlet: &mut impl Outlet) -> Result<(), FeedError> {
        while self.start < self.end {
            let chunk = &self.buffer[self.start..self.end.min(self.start + CHUNK)];
            let len = match self.opcode {
                Data::Text => whole_characters(chunk).len(),
                Data::Binary | Data::Continue | Data::Reserved(_) => chunk.len(),
            };
            if len == 0 {
                break;
            }
            self.send_message(len, 0, outlet)?;
        }
        Ok(())
    }

    /// Sends the next `len` bytes as a message, or as the end of a message in fragments, and skips
    /// the separator after them.
    fn send_message(
        &mut self,
        len: usize,
        separator: usize,
        outlet: &mut impl Outlet,
    ) -> Result<(), FeedError> {
        self.send_piece(len, true, outlet)?;
        self.advance(separator);
        Ok(())
    }

    /// Sends fragments as long as an unfinished message is longer than a fragment.
    fn send_pieces(&mut self, outlet: &mut impl Outlet) -> Result<(), FeedError> {
        while self.end - self.start >= FRAGMENT_SIZE {
            self.send_piece(FRAGMENT_SIZE, false, outlet)?;
        }
        Ok(())
    }

    fn send_piece(
        &mut self,
        len: usize,
        last: bool,
        outlet: &mut impl Outlet,
    ) -> Result<(), FeedError> {
        if !self.fragmenting {
            self.messages += 1;
        }
        let message = self.messages;
        let piece = &self.buffer[self.start..self.start + len];
        if self.opcode == Data::Text {
            let before = self.utf8.offset();
            let checked = self.utf8.push(piece).and_then(|()| match last {
                true => self.utf8.finish(),
                false => Ok(()),
            });
            if let Err(error) = checked {
                let (Utf8Error::Impossible { offset, .. } | Utf8Error::Truncated { offset }) =
                    error;
                let offset = (self.offset + offset).saturating_sub(before);
                return Err(FeedError::NotText { message, offset, error });
            }
        }
        outlet
            .send(self.opcode, piece, last)
            .map_err(|error| FeedError::Send { message, error })?;
        self.fragmenting = !last;
        self.advance(len);
        Ok(())
    }

    fn run_commands(
        &mut self,
        fresh: usize,
        at_end: bool,
        outlet: &mut impl Outlet,
    ) -> Result<(), FeedError> {
        let mut search = fresh;
        loop {
            let found = memchr(b'\n', &self.buffer[search..self.end]);
            let (len, skip) = match found {
                Some(found) => (search + found - self.start, 1),
                None if at_end && self.start < self.end => (self.end - self.start, 0),
                None if self.end - self.start > MAX_COMMAND => {
                    let line = self.messages + 1;
                    return Err(FeedError::Command { line, error: TOO_LONG.to_owned() });
                }
                None => return Ok(()),
            };
            self.messages += 1;
            let line = &self.buffer[self.start..self.start + len];
            if !line.trim_ascii().is_empty() {
                outlet
                    .command(line)
                    .map_err(|error| FeedError::Command { line: self.messages, error })?;
            }
            self.advance(len + skip);
            search = self.start;
        }
    }

    fn advance(&mut self, n: usize) {
        self.start += n;
        self.offset += n as u64;
    }
}
