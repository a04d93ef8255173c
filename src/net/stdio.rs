//! stdin and stdout without waiting, and without touching what was inherited.
//!
//! "Never set O_NONBLOCK on inherited stdio": the flag belongs to the open file, which a shell or
//! another program shares. On Linux a pipe or a terminal is opened a second time through `/proc`,
//! which gives an open file of our own; a socket is read and written with `MSG_DONTWAIT`; a plain
//! file never blocks. So the loop can wait for stdin, stdout and the network in one place, and a
//! line's way through the program needs no second thread. Where that can't be had (another Unix),
//! a thread reads stdin and stdout is written with blocking calls.

mod input;
mod output;

pub use input::{Stdin, StdinRead};
pub use output::Stdout;

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
    /// An open file of our own on the same pipe or terminal, non-blocking.
    Own(File),
    /// A socket, used with `MSG_DONTWAIT`.
    Socket,
    /// Never blocks: a plain file, `/dev/null`.
    Instant,
    /// Anything else.
    Blocking,
}

/// What the loop waits for on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Access {
    /// Finds the best way to use `fd` and registers it with the poll where that makes sense.
    fn open(fd: BorrowedFd<'_>, way: Way, registry: &Registry, token: Token) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
        let interest = match way {
            Way::In => Interest::READABLE,
            Way::Out => Interest::WRITABLE,
        };
        let register = |fd: i32| registry.register(&mut SourceFd(&fd), token, interest);
        Ok(match kind {
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory => Self::Instant,
            FileType::Socket => {
                register(fd.as_raw_fd())?;
                Self::Socket
            }
            FileType::Fifo | FileType::CharacterDevice => match reopen(fd, way) {
                Ok(file) => match register(file.as_raw_fd()) {
                    Ok(()) => Self::Own(file),
                    // epoll refuses what is always ready, such as `/dev/null`.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Self::Instant,
                    Err(_) => Self::Blocking,
                },
                Err(_) => Self::Blocking,
            },
            _ => Self::Blocking,
        })
    }

    /// Whether the poll tells when it is ready.
    fn is_polled(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Socket)
    }
}

fn reopen(fd: BorrowedFd<'_>, way: Way) -> io::Result<File> {
    if !cfg!(target_os = "linux") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = File::options()
        .read(way == Way::In)
        .write(way == Way::Out)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
        .open(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    // Opening the master of a pseudo-terminal makes another one instead of reaching the same.
    let opened = rustix::fs::fstat(&file)?;
    let is_terminal_master = |rdev| (rustix::fs::major(rdev), rustix::fs::minor(rdev)) == (5, 2);
    if is_terminal_master(opened.st_rdev) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // A larger pipe (64 KiB by default) means fewer switches between the two
    // programs; if the system says no, the pipe stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(file.as_fd(), 256 * 1024);
    Ok(file)
}

/// Waits until stderr takes something again: it is written with plain calls, which do not wait
/// where it was inherited non-blocking.
///
/// # Errors
///
/// The system does not say.
pub fn wait_for_stderr() -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    let stderr = io::stderr();
    poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None)?;
    Ok(())
}
