//! `/file`: a file as one message, sent as it is read, in constant memory, to one peer or to
//! several.

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use mio::Interest;
use mio::unix::SourceFd;

use crate::engine::outbox::Producer;
use crate::event::ConnId;
use crate::net::plain_io::plain_io;
use crate::net::reactor::WAKER;
use crate::script::runner::connections::Connections;
use crate::script::runner::file::{open, read_into};
use crate::session::message::FRAGMENT_SIZE;
use crate::ui::filter::ClientSet;
use crate::ui::number;
use crate::ui::progress::ProgressBar;
use crate::ui::sanitize::escaped;
use crate::wire::Data;
use crate::wire::utf8::Utf8Validator;

/// How often a line shows how much has been sent.
const BAR_EVERY: Duration = Duration::from_secs(1);

/// A file that is being sent.
pub(crate) struct FileSending {
    /// The clients that get it; a client that can't get more is removed.
    to: Vec<ConnId>,
    name: String,
    file: File,
    opcode: Data,
    /// The UTF-8 state of the text so far.
    utf8: Utf8Validator,
    /// A text that can be read twice is checked before it is sent, because a message can't be
    /// cancelled once it has begun.
    checking: bool,
    /// The size, if it is known and not exceeded.
    size: Option<u64>,
    sent: u64,
    begun: Instant,
    next_bar: Instant,
    buffer: Vec<u8>,
    /// There may be data to read.
    ready: bool,
}

impl FileSending {
    /// Opens a file. A pipe is registered with the poll: its events have the token of the waker.
    pub(crate) fn begin(
        path: &Path,
        text: bool,
        to: Vec<ConnId>,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<Self, String> {
        let name = escaped(path.as_os_str().as_encoded_bytes());
        let plain = |error: io::Error| format!("{name}: {}", plain_io(&error));
        let file = open(path).map_err(plain)?;
        let facts = file.metadata().map_err(plain)?;
        // Files in /proc are regular and have the size 0, but contain data.
        let size = Some(facts.len()).filter(|len| facts.is_file() && *len > 0);
        if !facts.is_file() {
            let registry = connections.runtime().registry();
            // A file that the poll refuses, such as /dev/zero, never blocks.
            let _ = registry.register(&mut SourceFd(&file.as_raw_fd()), WAKER, Interest::READABLE);
        }
        Ok(Self {
            to,
            file,
            opcode: if text { Data::Text } else { Data::Binary },
            utf8: Utf8Validator::default(),
            checking: text && size.is_some(),
            size,
            sent: 0,
            begun: now,
            next_bar: now + BAR_EVERY,
            buffer: Vec::new(),
            ready: true,
            name,
        })
    }

    /// Reads and sends the next piece. After the last piece, returns a summary.
    ///
    /// # Errors
    ///
    /// In words: the file can't be read, is not UTF-8 although it is sent as text, or no client is
    /// left.
    pub(crate) fn go_on(
        &mut self,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<Option<String>, String> {
        // One byte beyond the piece shows whether the piece is the last one.
        let at_end = read_into(&self.file, FRAGMENT_SIZE + 1, &mut self.buffer)
            .map_err(|error| format!("{}: byte {}: {}", self.name, self.sent, plain_io(&error)))?;
        self.ready = at_end || self.buffer.len() > FRAGMENT_SIZE;
        let len = self.buffer.len().min(FRAGMENT_SIZE);
        if len == 0 && !at_end {
            return Ok(None);
        }
        self.check(len, at_end)?;
        if self.checking {
            self.buffer.drain(..len);
            if at_end {
                self.file.rewind().map_err(|error| format!("{}: {error}", self.name))?;
                (self.checking, self.utf8) = (false, Utf8Validator::default());
            }
            return Ok(None);
        }
        self.send(len, at_end, connections, now)?;
        self.buffer.drain(..len);
        self.sent += len as u64;
        self.size = self.size.filter(|size| self.sent <= *size);
        Ok(at_end.then(|| {
            let time = now.saturating_duration_since(self.begun);
            let bytes = number::grouped(self.sent);
            format!("{}: {bytes} bytes sent in {:.3} s", self.name, time.as_secs_f64())
        }))
    }

    /// Checks that the next piece of a text is UTF-8.
    fn check(&mut self, len: usize, last: bool) -> Result<(), String> {
        if self.opcode != Data::Text {
            return Ok(());
        }
        let piece = self.utf8.push(&self.buffer[..len]);
        piece.and_then(|()| if last { self.utf8.finish() } else { Ok(()) }).map_err(|error| {
            let Self { name, .. } = self;
            format!("{name}: {error}; send it with /file {name} binary")
        })
    }

    fn send(
        &mut self,
        len: usize,
        last: bool,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<(), String> {
        let Self { to, name, buffer, sent, opcode, .. } = self;
        let mut fault = "the connection ended before everything was sent".to_owned();
        to.retain(|id| {
            let Some(mut sender) = connections.sender(*id, now) else { return false };
            let result = sender.fragment(Producer::File, *opcode, &buffer[..len], last);
            result.map_err(|error| fault = error.to_string()).is_ok()
        });
        match to.is_empty() {
            true => Err(format!("{name}: byte {sent}: {fault}")),
            false => Ok(()),
        }
    }

    /// The clients that get it.
    pub(crate) fn target(&self) -> ClientSet {
        ClientSet::Only(self.to.clone())
    }

    /// Whether a piece can be read now.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Notes that a pipe may have more data.
    pub(crate) fn set_ready(&mut self) {
        self.ready = true;
    }

    /// How much has been sent, in at most 11 columns.
    pub(crate) fn state(&self) -> String {
        match self.size {
            Some(size) => format!("{} % sent", u128::from(self.sent) * 100 / u128::from(size)),
            None => "sending".to_owned(),
        }
    }

    /// A line that shows the progress, once a second.
    pub(crate) fn bar(&mut self, columns: usize, now: Instant) -> Option<String> {
        if now < self.next_bar || self.checking {
            return None;
        }
        self.next_bar = now + BAR_EVERY;
        let Some(total) = self.size else {
            return Some(format!("{} {} sent\n", self.name, number::size(self.sent)));
        };
        let elapsed = now.saturating_duration_since(self.begun);
        let progress = ProgressBar { done: self.sent, total, elapsed };
        let width = columns.saturating_sub(self.name.len() + 1);
        Some(format!("{} {}\n", self.name, progress.render(width)))
    }
}
