//! A child process whose stdin and stdout are part of the event loop: its output, its exit status,
//! and its orderly end.
//!
//! It handles only bytes, and must not know messages. The child leads its own process group, so
//! that the processes it starts end with it.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child as Process, Command, Stdio};
use std::time::{Duration, Instant};

use mio::unix::pipe::{Receiver, Sender};
use mio::{Interest, Registry, Token};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};

use crate::event::CommandEnd;

/// If more bytes than this wait for its stdin, the owner should produce no more.
const HIGH_WATER: usize = 256 * 1024;

/// The time from the end of its stdin until SIGTERM.
const BEFORE_TERM: Duration = Duration::from_millis(250);

/// The time from SIGTERM until SIGKILL.
const BEFORE_KILL: Duration = Duration::from_secs(1);

/// A running child.
pub struct Child {
    process: Process,
    stdin: Option<Sender>,
    stdout: Receiver,
    readable: bool,
    writable: bool,
    /// The bytes that wait for its stdin.
    out: Vec<u8>,
    out_at: usize,
    /// How it ended by itself; only if that was requested.
    end: Option<CommandEnd>,
}

/// The result of reading a child's stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildRead {
    /// This many bytes.
    Data(usize),
    /// No data now.
    Blocked,
    /// The end: no more data will come.
    End,
}

impl Child {
    /// Starts `sh -c command`, with these variables added to the environment.
    pub fn spawn(
        command: &str,
        variables: &[(&str, &str)],
        registry: &Registry,
        [stdin_token, stdout_token]: [Token; 2],
    ) -> io::Result<Self> {
        let mut process = Command::new("sh")
            .args(["-c", command])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (mut stdin, mut stdout) = (Sender::from(stdin), Receiver::from(stdout));
        stdin.set_nonblocking(true)?;
        stdout.set_nonblocking(true)?;
        registry.register(&mut stdin, stdin_token, Interest::WRITABLE)?;
        registry.register(&mut stdout, stdout_token, Interest::READABLE)?;
        let (out, out_at) = (Vec::new(), 0);
        let stdin = Some(stdin);
        let (readable, writable, end) = (true, true, None);
        Ok(Self { process, stdin, stdout, readable, writable, out, out_at, end })
    }

    /// Notes that the poll reported its stdin as writable or closed.
    pub fn set_writable(&mut self) {
        self.writable = true;
    }

    /// Notes that the poll reported its stdout as readable, or at its end.
    pub fn set_readable(&mut self) {
        self.readable = true;
    }

    /// Whether [`Child::read`] could return something.
    pub fn may_read(&self) -> bool {
        self.readable
    }

    /// The buffer for its stdin: append to it, then call [`Child::flush`].
    pub fn stdin(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the owner should wait before it produces more.
    pub fn is_full(&self) -> bool {
        self.stdin.is_some() && self.out.len() - self.out_at >= HIGH_WATER
    }

    /// The number of bytes that wait for its stdin.
    pub fn waiting(&self) -> usize {
        self.out.len() - self.out_at
    }

    /// Writes as much as the child accepts. If the child has closed its stdin, drops the rest.
    pub fn flush(&mut self) {
        while let Some(stdin) = self.stdin.as_mut().filter(|_| self.writable)
            && self.out_at < self.out.len()
        {
            match stdin.write(&self.out[self.out_at..]) {
                Ok(n) => self.out_at += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.stdin = None,
            }
        }
        if self.out_at == self.out.len() || self.stdin.is_none() {
            self.out = Vec::new();
            self.out_at = 0;
        } else if self.out_at > HIGH_WATER.max(self.out.len() / 4) {
            // A long message is not moved after every small write.
            self.out.drain(..self.out_at);
            self.out_at = 0;
        }
    }

    /// Reads once from its stdout.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<ChildRead> {
        match self.stdout.read(buffer) {
            Ok(0) => Ok(ChildRead::End),
            Ok(n) => Ok(ChildRead::Data(n)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(ChildRead::Blocked)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(ChildRead::Blocked),
            Err(error) => Err(error),
        }
    }

    /// How it ended, if it has ended. It is not reaped, so its process number is not reused.
    pub fn look_for_end(&mut self) -> Option<CommandEnd> {
        if self.end.is_none() {
            self.end = self.wait_status().ok().flatten().and_then(|status| {
                let exited = status.exit_status().map(CommandEnd::Status);
                exited.or_else(|| status.terminating_signal().map(CommandEnd::Signal))
            });
        }
        self.end
    }

    fn wait_status(&self) -> rustix::io::Result<Option<WaitIdStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.process)), options)
    }

    /// Begins to end it: its stdin ends after the waiting bytes.
    pub fn end(mut self, now: Instant) -> Dying {
        self.writable = true;
        self.flush();
        if self.waiting() == 0 {
            self.stdin = None;
        }
        Dying {
            child: self,
            next: now,
            pause: FIRST_PAUSE,
            term_at: Some(now + BEFORE_TERM),
            kill_at: now + BEFORE_TERM + BEFORE_KILL,
        }
    }
}

/// The pause between the first two checks of a dying child; it doubles each time, up to a tenth of
/// a second.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// A child whose stdin has ended, and whose end is awaited.
pub struct Dying {
    /// Its stdout stays open, so that a last write does not kill it before it has cleaned up.
    child: Child,
    next: Instant,
    pause: Duration,
    term_at: Option<Instant>,
    kill_at: Instant,
}

impl Dying {
    /// When to check it next.
    pub fn deadline(&self) -> Instant {
        self.next
    }

    /// Checks whether it has ended, and sends the next signal if it is due; true if it has ended.
    pub fn look(&mut self, now: Instant) -> bool {
        if self.next > now {
            return false;
        }
        if self.has_ended() {
            // For the processes that it left in its group. It is not reaped yet, so its process
            // number is not reused.
            self.signal(Signal::KILL);
            return !matches!(self.child.process.try_wait(), Ok(None));
        }
        self.write_rest(now);
        if self.kill_at <= now {
            self.signal(Signal::KILL);
        } else if self.term_at.is_some_and(|at| at <= now) {
            self.term_at = None;
            self.signal(Signal::TERM);
        }
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(Duration::from_millis(100));
        false
    }

    /// How it ended, if it ended without a signal and this was requested.
    pub fn ended(&self) -> Option<CommandEnd> {
        self.child.end
    }

    /// The number of bytes for its stdin that it did not read; 0 if it has closed its stdin.
    pub fn unread(&self) -> usize {
        self.child.waiting()
    }

    /// Kills it now.
    pub fn kill(&mut self, now: Instant) {
        (self.next, self.kill_at) = (now, now);
        self.look(now);
    }

    /// Writes the bytes that wait for its stdin, then closes it. As long as the child reads, it
    /// gets more time.
    fn write_rest(&mut self, now: Instant) {
        let before = self.child.waiting();
        if before == 0 || self.child.stdin.is_none() {
            return;
        }
        self.child.writable = true;
        self.child.flush();
        if self.child.waiting() < before {
            self.pause = FIRST_PAUSE;
            self.term_at = self.term_at.map(|_| now + BEFORE_TERM);
            self.kill_at = now + BEFORE_TERM + BEFORE_KILL;
        }
        if self.child.waiting() == 0 {
            self.child.stdin = None;
        }
    }

    fn has_ended(&self) -> bool {
        // After an error, something else has already waited for it.
        self.child.wait_status().map_or(true, |status| status.is_some())
    }

    fn signal(&self, signal: Signal) {
        // It may just have ended.
        let _ = kill_process_group(Pid::from_child(&self.child.process), signal);
    }
}
