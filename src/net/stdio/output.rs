//! stdout: the one writer of it, with a buffer that says when it is full.

use std::io::{self, Write};
use std::os::fd::AsFd;

use mio::{Registry, Token};

use super::{Access, Way};

/// Above so many bytes, the owner should make no more before some are written.
const HIGH_WATER: usize = 256 * 1024;

/// Pieces from this size on are written from where they lie instead of being copied first.
const LARGE: usize = 16 * 1024;

/// stdout as the loop writes it.
pub struct Stdout {
    access: Access,
    writable: bool,
    buffer: Vec<u8>,
    at: usize,
    closed: bool,
}

impl Stdout {
    /// Prepares stdout.
    ///
    /// # Errors
    ///
    /// stdout is closed or can't be registered.
    pub fn open(registry: &Registry, token: Token) -> io::Result<Self> {
        let access = Access::open(io::stdout().as_fd(), Way::Out, registry, token)?;
        Ok(Self { access, writable: true, buffer: Vec::new(), at: 0, closed: false })
    }

    /// Notes that the poll says it is ready, and whether its reader is gone: that is known before
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
    /// stdout failed for another reason than a reader that went away.
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

    /// Writes what stdout takes.
    ///
    /// # Errors
    ///
    /// stdout failed for another reason than a reader that went away.
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
    /// While stdout refuses what waits, more would only be copied behind it.
    pub fn is_full(&self) -> bool {
        self.pending() >= HIGH_WATER || (self.pending() > 0 && !self.writable && !self.closed)
    }

    /// Whether the reader has gone away. "A closed reader is success": what is pushed afterwards
    /// is dropped.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes once; 0 when it would block or the reader is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = match &mut self.access {
            Access::Own(file) => (&*file).write(bytes),
            Access::Socket => {
                let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
                rustix::net::send(io::stdout().as_fd(), bytes, flags).map_err(io::Error::from)
            }
            Access::Instant | Access::Blocking => {
                rustix::io::write(io::stdout().as_fd(), bytes).map_err(io::Error::from)
            }
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
                _ => Err(error),
            },
        }
    }
}
