//! stdout and stderr: one writer for each, with a bounded buffer.

use std::io::{self, Write};
use std::os::fd::{AsRawFd as _, BorrowedFd};

use mio::{Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stderr, stdout};

use super::{Access, IoDirection};
use crate::net::plain_io::plain_io;

/// If more bytes than this wait, the owner should produce no more.
const HIGH_WATER: usize = 256 * 1024;

/// Larger pieces are written directly, without a copy.
const LARGE: usize = 16 * 1024;

/// The stream that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutputStream {
    Stdout,
    Stderr,
}

impl OutputStream {
    fn fd(self) -> BorrowedFd<'static> {
        match self {
            Self::Stdout => stdout(),
            Self::Stderr => stderr(),
        }
    }

    /// The error with the name of the stream, and with the file to which the stream was redirected.
    fn named(self, error: &io::Error) -> io::Error {
        let name = match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        };
        // The names of a pipe and a socket are not paths.
        let link = format!("/proc/self/fd/{}", self.fd().as_raw_fd());
        let file = std::fs::read_link(link).ok().filter(|file| file.is_absolute());
        let file = file.map(|file| format!(" ({})", file.display())).unwrap_or_default();
        io::Error::new(error.kind(), format!("{name}{file}: {}", plain_io(error)))
    }
}

/// Writes to stdout without a loop, and waits. An error names stdout and keeps its kind.
///
/// # Errors
///
/// stdout accepts no more, or its reader has closed it.
pub fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| OutputStream::Stdout.named(&error))
}

/// Adds the name of stdout to an error of writing to it.
pub fn stdout_failed(error: &io::Error) -> io::Error {
    OutputStream::Stdout.named(error)
}

/// The writer of stdout.
pub type Stdout = StdioWriter;

/// The loop's writer for stdout or stderr: it does not wait, and writes whole records one after the
/// other.
pub struct StdioWriter {
    stream: OutputStream,
    access: Access,
    writable: bool,
    buffer: Vec<u8>,
    at: usize,
    closed: bool,
}

impl StdioWriter {
    /// Prepares stdout.
    pub fn open(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stdout = Self::of(OutputStream::Stdout)?;
        stdout.register(registry, token)?;
        Ok(stdout)
    }

    /// Prepares stderr, which can be written before the poll exists.
    pub fn stderr() -> io::Result<Self> {
        Self::of(OutputStream::Stderr)
    }

    /// A writer that writes nothing: all data stays in its buffer, and the owner takes it from
    /// there.
    pub fn held() -> Self {
        let (stream, access) = (OutputStream::Stdout, Access::Instant);
        Self { stream, access, writable: false, buffer: Vec::new(), at: 0, closed: false }
    }

    fn of(stream: OutputStream) -> io::Result<Self> {
        let access = Access::open(stream.fd(), IoDirection::Out)?;
        Ok(Self { stream, access, writable: true, buffer: Vec::new(), at: 0, closed: false })
    }

    /// Registers it with the poll, which reports when there is room again.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.access.register(self.stream.fd(), IoDirection::Out, registry, token)
    }

    /// Notes that the poll reports it ready, and whether its reader has closed it. The poll may
    /// report this long before a write fails.
    pub fn set_ready(&mut self, closed: bool) {
        self.writable = true;
        self.closed |= closed;
    }

    /// The buffer; append whole records.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends bytes; writes large pieces at once if nothing waits before them.
    ///
    /// # Errors
    ///
    /// A write failed, unless the reason is a closed reader.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        if bytes.len() >= LARGE {
            self.flush()?;
            while self.pending() == 0 && self.writable && !rest.is_empty() && !self.closed {
                rest = &rest[self.write(rest)?..];
            }
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    /// Writes as much as is accepted now.
    ///
    /// # Errors
    ///
    /// A write failed, unless the reason is a closed reader.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.at < self.buffer.len() && self.writable && !self.closed {
            let buffer = std::mem::take(&mut self.buffer);
            let result = self.write(&buffer[self.at..]);
            self.buffer = buffer;
            self.at += result?;
        }
        if self.at == self.buffer.len() || self.closed {
            self.buffer.clear();
            self.at = 0;
        } else if self.at > HIGH_WATER {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        Ok(())
    }

    /// The number of bytes that wait to be written.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// How many more bytes fit before the owner should wait.
    pub fn room(&self) -> usize {
        HIGH_WATER.saturating_sub(self.pending())
    }

    /// Whether the owner should wait before it produces more.
    ///
    /// While waiting data is refused, more data would only be copied behind it.
    pub fn is_full(&self) -> bool {
        self.pending() >= HIGH_WATER || (self.pending() > 0 && !self.writable && !self.closed)
    }

    /// Whether the reader has closed the stream. "A closed reader is success": later data is
    /// dropped.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Waits at most `timeout` until a write is possible; returns whether it is.
    ///
    /// # Errors
    ///
    /// A signal arrived, or the system refuses.
    pub fn wait(&mut self, timeout: Option<&Timespec>) -> io::Result<bool> {
        self.writable = is_writable(self.stream.fd(), timeout)?;
        Ok(self.writable)
    }

    /// Writes once; 0 if it would block or the reader has closed the stream.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fd = self.stream.fd();
        let result = match &mut self.access {
            Access::Own(file) => (&*file).write(bytes),
            Access::Socket => {
                let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
                rustix::net::send(fd, bytes, flags).map_err(io::Error::from)
            }
            Access::Instant => rustix::io::write(fd, bytes).map_err(io::Error::from),
            // "POLLOUT: Writing is now possible": for a pipe, as much as one write can hold.
            Access::Blocking => match is_writable(fd, Some(&Timespec::default())) {
                Ok(true) => {
                    let piece = &bytes[..bytes.len().min(rustix::pipe::PIPE_BUF)];
                    rustix::io::write(fd, piece).map_err(io::Error::from)
                }
                Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(n) => {
                self.writable = n == bytes.len() || !self.access.is_polled();
                Ok(n)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    Ok(0)
                }
                io::ErrorKind::Interrupted => Ok(0),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                    self.closed = true;
                    Ok(0)
                }
                _ => Err(self.stream.named(&error)),
            },
        }
    }
}

/// Whether a write is possible without waiting.
fn is_writable(fd: BorrowedFd<'_>, timeout: Option<&Timespec>) -> io::Result<bool> {
    Ok(poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], timeout)? > 0)
}
