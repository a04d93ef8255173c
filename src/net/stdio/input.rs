//! stdin, in chunks.

use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use mio::{Registry, Token, Waker};

use super::{Access, IoDirection};

/// How many bytes the reading thread reads at once; it is used if stdin can't be polled.
const THREAD_CHUNK: usize = 64 * 1024;

/// The part of a typed line that Linux keeps on a terminal in canonical mode; it drops the rest.
/// N_TTY_BUF_SIZE without the newline.
const LONGEST_TYPED: usize = 4095;

/// stdin as the loop reads it.
pub struct Stdin {
    access: Access,
    ready: bool,
    /// The writers have closed it: the rest can be read, but no event reports it.
    closed: bool,
    /// A terminal returns one line for each read, even if several lines wait.
    terminal: bool,
    /// A line had the maximum length: see [`Stdin::take_cut_line`].
    cut_line: bool,
    thread: Option<Receiver<io::Result<Vec<u8>>>>,
    /// Data that the thread has read, but the loop has not taken.
    left: Vec<u8>,
    left_at: usize,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub enum StdinRead {
    /// This many bytes.
    Data(usize),
    /// No data now.
    Blocked,
    /// The end: no more data will come.
    End,
}

impl Stdin {
    /// Prepares stdin; a reading thread wakes `waker` when it has data.
    pub fn open(registry: &Registry, token: Token, waker: &Arc<Waker>) -> io::Result<Self> {
        let mut access = Access::open(io::stdin().as_fd(), IoDirection::In)?;
        access.register(io::stdin().as_fd(), IoDirection::In, registry, token)?;
        let thread = matches!(access, Access::Blocking).then(|| read_in_thread(Arc::clone(waker)));
        let terminal = io::stdin().is_terminal();
        let (left, left_at) = (Vec::new(), 0);
        let (closed, cut_line) = (false, false);
        Ok(Self { access, ready: true, closed, terminal, cut_line, thread, left, left_at })
    }

    /// Notes that the poll or the waker reports it ready, and whether its writers have closed it.
    pub fn set_ready(&mut self, closed: bool) {
        self.ready = true;
        self.closed |= closed;
    }

    /// Whether a read could return something without waiting.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// A note that a line of the terminal may have lost its end; returns it once for each line.
    pub fn take_cut_line(&mut self) -> Option<String> {
        std::mem::take(&mut self.cut_line).then(|| {
            format!(
                "a typed line had {LONGEST_TYPED} bytes, the most that the terminal passes on: its end may be \
                 lost; send it from a file, or at the prompt (--input prompt)"
            )
        })
    }

    /// Reads into `buffer`.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<StdinRead> {
        let result = match &mut self.access {
            Access::Own(file) => (&*file).read(buffer),
            // Bypasses the buffer of `io::Stdin`, so every read requests as much as the loop's own
            // buffer holds.
            Access::Instant => {
                rustix::io::read(io::stdin().as_fd(), &mut *buffer).map_err(io::Error::from)
            }
            Access::Socket => {
                let flags = rustix::net::RecvFlags::DONTWAIT;
                rustix::net::recv(io::stdin().as_fd(), &mut *buffer, flags)
                    .map(|(n, _)| n)
                    .map_err(io::Error::from)
            }
            Access::Blocking => self.read_from_thread(buffer),
        };
        match result {
            Ok(0) => Ok(StdinRead::End),
            Ok(n) => {
                // If a pipe returned less than requested, it is empty, and its next byte causes a
                // new event. Its end causes no event if it was reported together with these bytes.
                let more = n == buffer.len() || self.terminal;
                self.ready = more || self.closed || !self.access.is_polled();
                let line = buffer[..n].strip_suffix(b"\n").unwrap_or(&buffer[..n]);
                self.cut_line |= self.terminal && line.len() == LONGEST_TYPED;
                Ok(StdinRead::Data(n))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready = false;
                Ok(StdinRead::Blocked)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(StdinRead::Blocked),
            // A socket whose owner closed it without reading all of our output.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(StdinRead::End),
            Err(error) => Err(error),
        }
    }

    fn read_from_thread(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left_at == self.left.len() {
            let Some(thread) = &self.thread else { return Ok(0) };
            self.left = match thread.try_recv() {
                Ok(chunk) => chunk?,
                Err(TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryRecvError::Disconnected) => return Ok(0),
            };
            self.left_at = 0;
        }
        let n = buffer.len().min(self.left.len() - self.left_at);
        buffer[..n].copy_from_slice(&self.left[self.left_at..self.left_at + n]);
        self.left_at += n;
        Ok(n)
    }
}

/// Reads stdin in a separate thread; the limit of the channel slows it down. At the end, the thread
/// is abandoned, because nothing can end a blocked read.
fn read_in_thread(waker: Arc<Waker>) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; THREAD_CHUNK];
            let result = rustix::io::read(io::stdin().as_fd(), &mut chunk[..]);
            let (result, last) = match result {
                Ok(0) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Ok(n) => {
                    chunk.truncate(n);
                    (Ok(chunk), false)
                }
                Err(error) => (Err(io::Error::from(error)), true),
            };
            if sender.send(result).is_err() || waker.wake().is_err() || last {
                return;
            }
        }
        drop(sender);
        let _ = waker.wake();
    });
    receiver
}
