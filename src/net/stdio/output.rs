//! stdout and stderr: one writer for each, with a bounded buffer.

use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use mio::{Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stderr, stdout};

use super::{Access, IoDirection};
use crate::net::plain_io::plain_io;

/// Above so many bytes, the owner should make no more before some are written.
const HIGH_WATER: usize = 256 * 1024;

/// Pieces from this size on are written from where they lie instead of being copied first.
const LARGE: usize = 16 * 1024;

/// Which of the two is written.
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

    /// The error with the name of the stream.
    fn named(self, error: &io::Error) -> io::Error {
        let name = match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        };
        io::Error::new(error.kind(), format!("{name}: {}", plain_io(error)))
    }
}

/// Writes to stdout without a loop, and waits. An error names stdout and keeps its kind.
///
/// # Errors
///
/// stdout takes no more, or its reader is gone.
pub fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| OutputStream::Stdout.named(&error))
}

/// The writer of stdout.
pub type Stdout = StdioWriter;

/// stdout or stderr as the loop writes it: without waiting, whole records one after the other.
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

    /// Prepares stderr, which may be written before there is a poll.
    pub fn stderr() -> io::Result<Self> {
        Self::of(OutputStream::Stderr)
    }

    /// A writer that writes nothing: all stays in its buffer, for an owner that takes it from
    /// there.
    pub fn held() -> Self {
        let (stream, access) = (OutputStream::Stdout, Access::Instant);
        Self { stream, access, writable: false, buffer: Vec::new(), at: 0, closed: false }
    }

    fn of(stream: OutputStream) -> io::Result<Self> {
        let access = Access::open(stream.fd(), IoDirection::Out)?;
        Ok(Self { stream, access, writable: true, buffer: Vec::new(), at: 0, closed: false })
    }

    /// Lets the poll report when there is room again.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.access.register(self.stream.fd(), IoDirection::Out, registry, token)
    }

    /// Notes that the poll reports it ready, and whether its reader is gone: that is known before
    /// the next write fails, which may be long to come.
    pub fn set_ready(&mut self, closed: bool) {
        self.writable = true;
        self.closed |= closed;
    }

    /// The buffer to append whole records to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends bytes; large pieces go out at once if nothing waits before them.
    ///
    /// # Errors
    ///
    /// It failed for another reason than a reader that went away.
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
    /// It failed for another reason than a reader that went away.
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

    /// Bytes that wait to be written.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// How many more bytes may be made before that.
    pub fn room(&self) -> usize {
        HIGH_WATER.saturating_sub(self.pending())
    }

    /// Whether the owner should wait before making more.
    ///
    /// While what waits is refused, more would only be copied after it.
    pub fn is_full(&self) -> bool {
        self.pending() >= HIGH_WATER || (self.pending() > 0 && !self.writable && !self.closed)
    }

    /// Whether the reader has gone away. "A closed reader is success": what is pushed afterwards
    /// is dropped.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Waits until something may be written, for so long at most; returns whether it may.
    ///
    /// # Errors
    ///
    /// A signal arrived, or the system refuses.
    pub fn wait(&mut self, timeout: Option<&Timespec>) -> io::Result<bool> {
        self.writable = is_writable(self.stream.fd(), timeout)?;
        Ok(self.writable)
    }

    /// Writes once; 0 when it would block or the reader is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fd = self.stream.fd();
        let result = match &mut self.access {
            Access::Own(file) => (&*file).write(bytes),
            Access::Socket => {
                let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
                rustix::net::send(fd, bytes, flags).map_err(io::Error::from)
            }
            Access::Instant => rustix::io::write(fd, bytes).map_err(io::Error::from),
            // "POLLOUT: Writing is now possible": of a pipe, as much as is written in one piece.
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

/// Whether a write would not wait.
fn is_writable(fd: BorrowedFd<'_>, timeout: Option<&Timespec>) -> io::Result<bool> {
    Ok(poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], timeout)? > 0)
}
