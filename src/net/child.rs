//! A child process whose stdin and stdout are part of the event loop: its output, its exit status,
//! and its orderly end.
//!
//! Bytes only; must not know messages. The child leads its own process group, so that the processes
//! it starts end with it.

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

/// Above so many bytes for its stdin, the owner should make no more before some are written.
const HIGH_WATER: usize = 256 * 1024;

/// After the end of its stdin a child has so long to end by itself, until SIGTERM.
const BEFORE_TERM: Duration = Duration::from_millis(250);

/// And so long after that, until SIGKILL.
const BEFORE_KILL: Duration = Duration::from_secs(1);

/// A running child.
pub struct Child {
    process: Process,
    stdin: Option<Sender>,
    stdout: Receiver,
    readable: bool,
    writable: bool,
    /// Waits for the child to read it.
    out: Vec<u8>,
    out_at: usize,
    /// How it ended by itself, once that was requested.
    end: Option<CommandEnd>,
}

/// What reading a child's stdout gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildRead {
    /// So many bytes.
    Data(usize),
    /// None for now.
    Blocked,
    /// None ever again.
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

    /// Notes that the poll reported its stdin as writable, or gone.
    pub fn set_writable(&mut self) {
        self.writable = true;
    }

    /// Notes that the poll reported its stdout as readable, or at its end.
    pub fn set_readable(&mut self) {
        self.readable = true;
    }

    /// Whether [`Child::read`] might give something.
    pub fn may_read(&self) -> bool {
        self.readable
    }

    /// The buffer of what it is to read; append to it, then [`Child::flush`].
    pub fn stdin(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the owner should wait before making more.
    pub fn is_full(&self) -> bool {
        self.stdin.is_some() && self.out.len() - self.out_at >= HIGH_WATER
    }

    /// Bytes for its stdin that wait.
    pub fn waiting(&self) -> usize {
        self.out.len() - self.out_at
    }

    /// Writes what the child takes. What a child that closed its stdin does not read is dropped.
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
            // A long message is not moved for every little that is read of it.
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

    /// How it ended, if it has. It is not reaped, so its number stays its own.
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

    /// Begins to end it: its stdin ends after what still waits.
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

/// Between two looks at a dying child, at first; doubled each time, up to a tenth of a second.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// A child whose stdin has ended and whose own end is awaited.
pub struct Dying {
    /// Its stdout is open, so that its last words do not kill it before it has tidied up.
    child: Child,
    next: Instant,
    pause: Duration,
    term_at: Option<Instant>,
    kill_at: Instant,
}

impl Dying {
    /// When to look at it next.
    pub fn deadline(&self) -> Instant {
        self.next
    }

    /// Looks whether it has ended, and urges it on; true when it is gone.
    pub fn look(&mut self, now: Instant) -> bool {
        if self.next > now {
            return false;
        }
        if self.has_ended() {
            // Who it left behind in its group. It is not reaped yet, so its number is still its own.
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

    /// How it ended before it was made to, where that was requested.
    pub fn ended(&self) -> Option<CommandEnd> {
        self.child.end
    }

    /// Bytes for its stdin that it did not read: none if it has closed that.
    pub fn unread(&self) -> usize {
        self.child.waiting()
    }

    /// Kills it now.
    pub fn kill(&mut self, now: Instant) {
        (self.next, self.kill_at) = (now, now);
        self.look(now);
    }

    /// Writes what still waits for its stdin, and then ends that. As long as it reads, it has time.
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
        // After an error somebody else has waited for it.
        self.child.wait_status().map_or(true, |status| status.is_some())
    }

    fn signal(&self, signal: Signal) {
        // It may just have ended.
        let _ = kill_process_group(Pid::from_child(&self.child.process), signal);
    }
}
