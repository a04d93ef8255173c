//! The files that commands name: read whole up to a limit, or sent by `/file` as they are read, in
//! constant memory, to one peer or to several.
//!
//! A file may be a pipe, a device, or one of `/proc`, whose size the system does not know. It is
//! opened non-blocking, so that a pipe to which nobody writes holds up nothing else.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use mio::Interest;
use mio::unix::SourceFd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};

use crate::event::ConnId;
use crate::net::link::plain_io;
use crate::net::reactor::WAKER;
use crate::script::runner::connections::Connections;
use crate::script::runner::send::Sender;
use crate::ui::filter::ClientSet;
use crate::ui::number;
use crate::ui::progress::Progress;
use crate::ui::sanitize::escaped;
use crate::wire::Data;
use crate::wire::utf8::Utf8Validator;

/// A file of more bytes goes out in fragments of so many.
const PIECE: usize = 1024 * 1024;

/// How often a line shows how much has been sent.
const BAR_EVERY: Duration = Duration::from_secs(1);

/// The most bytes of a file that is read whole.
const MAX_WHOLE: usize = 64 * 1024 * 1024;

/// How long a pipe is waited for that is read whole: the loop stands still meanwhile.
pub(crate) const PIPE_PATIENCE: Duration = Duration::from_secs(1);

/// Reads a file of at most 64 MiB. If it is a pipe, `patience` limits how long it is waited for.
///
/// # Errors
///
/// In words: it can't be read, has more than 64 MiB (`instead` is the advice then), or nobody writes
/// to it in time.
pub(crate) fn read_whole(
    path: &Path,
    patience: Option<Duration>,
    instead: &str,
) -> Result<Vec<u8>, String> {
    let name = escaped(path.as_os_str().as_encoded_bytes());
    let plain = |error: io::Error| format!("{name}: {}", plain_io(&error));
    let file = open(path).map_err(plain)?;
    let deadline = patience.map(|patience| Instant::now() + patience);
    let mut bytes = Vec::new();
    loop {
        let at_end = read_into(&file, MAX_WHOLE + 1, &mut bytes).map_err(plain)?;
        if bytes.len() > MAX_WHOLE {
            return Err(format!("{name}: a file that is read whole has at most 64 MiB; {instead}"));
        }
        if at_end {
            return Ok(bytes);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(format!("{name}: its writer did not end it within a second"));
        }
        events(&file, left).map_err(plain)?;
    }
}

/// Opens a file without waiting for whoever writes to it.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    File::options().read(true).custom_flags(flags).open(crate::config::expand_home(path))
}

/// Reads until `buffer` has `most` bytes, the file ends, or nothing more is there for now. Returns
/// whether it has ended.
fn read_into(file: &File, most: usize, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let room = most.saturating_sub(buffer.len()) as u64;
    match file.take(room).read_to_end(buffer) {
        Ok(_) if buffer.len() == most => Ok(false),
        // A pipe that nobody has opened for writing gives nothing either, but has not ended.
        Ok(_) => {
            Ok(!is_pipe(file)? || events(file, Some(Duration::ZERO))?.contains(PollFlags::HUP))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_pipe(file: &File) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) == FileType::Fifo)
}

/// Waits until the file can be read or its writers are gone, and returns which.
fn events(file: &File, time: Option<Duration>) -> io::Result<PollFlags> {
    let time = time.map(|time| Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: time.subsec_nanos().into(),
    });
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    poll(&mut fds, time.as_ref())?;
    Ok(fds[0].revents())
}

/// A file on its way.
pub(crate) struct FileSending {
    /// The clients that get it; one that can't be sent to any more is left out.
    to: Vec<ConnId>,
    name: String,
    file: File,
    opcode: Data,
    /// What a text has had so far.
    utf8: Utf8Validator,
    /// A text that can be read twice is checked before it is sent: a message that has begun can't
    /// be taken back.
    checking: bool,
    /// The size, as long as it is known and was not exceeded.
    size: Option<u64>,
    sent: u64,
    begun: Instant,
    next_bar: Instant,
    buffer: Vec<u8>,
    /// Something may be there to read.
    ready: bool,
}

impl FileSending {
    /// Opens a file. A pipe is registered with the poll: its events have the token of the waker.
    ///
    /// # Errors
    ///
    /// It can't be opened; in words.
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
        // Files of /proc are regular and empty, until they are read.
        let size = Some(facts.len()).filter(|len| facts.is_file() && *len > 0);
        if !facts.is_file() {
            let registry = connections.runtime().reactor.registry();
            // What the poll does not take, as /dev/zero, never blocks.
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

    /// Reads and sends the next piece. Returns a summary once all has been sent.
    ///
    /// # Errors
    ///
    /// In words: the file can't be read, is not the text it should be, or no client is left.
    pub(crate) fn go_on(
        &mut self,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<Option<String>, String> {
        // A byte more than fits shows whether a piece is the last one.
        let at_end = read_into(&self.file, PIECE + 1, &mut self.buffer)
            .map_err(|error| format!("{}: byte {}: {}", self.name, self.sent, plain_io(&error)))?;
        self.ready = at_end || self.buffer.len() > PIECE;
        let len = self.buffer.len().min(PIECE);
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
        self.send(len, at_end, connections)?;
        self.buffer.drain(..len);
        self.sent += len as u64;
        self.size = self.size.filter(|size| self.sent <= *size);
        Ok(at_end.then(|| {
            let time = now.saturating_duration_since(self.begun);
            let bytes = number::grouped(self.sent);
            format!("{}: {bytes} bytes sent in {:.3} s", self.name, time.as_secs_f64())
        }))
    }

    /// Whether the next piece of a text is UTF-8.
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
    ) -> Result<(), String> {
        let Self { to, name, buffer, sent, opcode, .. } = self;
        let mut fault = "the connection ended before all was sent".to_owned();
        to.retain(|id| {
            let Some(Sender { endpoint, link }) = connections.sender(*id) else { return false };
            let result = endpoint.send_fragment(*opcode, &buffer[..len], last, &mut link.tx);
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

    /// Notes that a pipe may have more.
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

    /// A line that shows how much has been sent, once a second.
    pub(crate) fn bar(&mut self, columns: usize, now: Instant) -> Option<String> {
        if now < self.next_bar || self.checking {
            return None;
        }
        self.next_bar = now + BAR_EVERY;
        let Some(total) = self.size else {
            return Some(format!("{} {} sent\n", self.name, number::size(self.sent)));
        };
        let elapsed = now.saturating_duration_since(self.begun);
        let progress = Progress { done: self.sent, total, elapsed };
        let width = columns.saturating_sub(self.name.len() + 1);
        Some(format!("{} {}\n", self.name, progress.render(width)))
    }
}
