//! stdin and stdout without waiting, and without changing the inherited descriptors.
//!
//! "Never set O_NONBLOCK on inherited stdio": the flag belongs to the open file, which a shell or
//! another program shares. On Linux a pipe or a terminal is opened a second time through `/proc`,
//! which gives wscope its own open file; a socket is read and written with `MSG_DONTWAIT`; a plain
//! file never blocks. So one loop can wait for stdin, stdout and the network, and a line needs no
//! second thread. If that is not possible (another Unix, a pipe of another user), a thread reads
//! stdin, and a write first checks for room.

mod input;
mod output;

pub use input::{Stdin, StdinRead};
pub use output::{StdioWriter, Stdout, stdout_failed, write_stdout};

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fs::{FileType, OFlags};

/// How one of the standard streams is read or written.
#[derive(Debug)]
enum Access {
    /// Our own open file for the same pipe or terminal, non-blocking.
    Own(File),
    /// A socket, used with `MSG_DONTWAIT`.
    Socket,
    /// A plain file or `/dev/null`, which never blocks.
    Instant,
    /// Any other file.
    Blocking,
}

/// What the loop waits for on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IoDirection {
    In,
    Out,
}

impl Access {
    /// Finds the best way to use `fd`.
    fn open(fd: BorrowedFd<'_>, way: IoDirection) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
        Ok(match kind {
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory => Self::Instant,
            FileType::Socket => Self::Socket,
            FileType::Fifo | FileType::CharacterDevice => match reopen(fd, way) {
                Ok(file) => Self::Own(file),
                Err(_) => Self::Blocking,
            },
            _ => Self::Blocking,
        })
    }

    /// Registers it with the poll, if that is useful.
    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        way: IoDirection,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        let (fd, interest) = match (&*self, way) {
            (Self::Instant, _) | (Self::Blocking, IoDirection::In) => return Ok(()),
            (Self::Own(file), IoDirection::In) => (file.as_raw_fd(), Interest::READABLE),
            (Self::Own(file), IoDirection::Out) => (file.as_raw_fd(), Interest::WRITABLE),
            (Self::Socket, IoDirection::In) => (fd.as_raw_fd(), Interest::READABLE),
            (Self::Socket | Self::Blocking, IoDirection::Out) => {
                (fd.as_raw_fd(), Interest::WRITABLE)
            }
        };
        match registry.register(&mut SourceFd(&fd), token, interest) {
            // epoll refuses files that are always ready, such as `/dev/null`.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => *self = Self::Instant,
            Err(error) if matches!(self, Self::Socket) => return Err(error),
            Err(_) if way == IoDirection::In => *self = Self::Blocking,
            Err(_) => *self = Self::Instant,
            Ok(()) => {}
        }
        Ok(())
    }

    /// Whether an event follows after a call that has transferred only a part.
    fn is_polled(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Socket)
    }
}

fn reopen(fd: BorrowedFd<'_>, way: IoDirection) -> io::Result<File> {
    if !cfg!(target_os = "linux") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = File::options()
        .read(way == IoDirection::In)
        .write(way == IoDirection::Out)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
        .open(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    // Opening the master of a pseudo-terminal creates a new one, instead of opening the same one.
    let opened = rustix::fs::fstat(&file)?;
    let is_terminal_master = |rdev| (rustix::fs::major(rdev), rustix::fs::minor(rdev)) == (5, 2);
    if is_terminal_master(opened.st_rdev) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // A larger pipe (64 KiB by default) means fewer switches between the two
    // programs; if the system refuses, the pipe stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(file.as_fd(), 256 * 1024);
    Ok(file)
}
