//! The processes that start clients: one for each case (`--exec`), or one that reads URLs
//! (`--feed`).
//!
//! The exit status of a process does not affect a verdict; it only explains why no client
//! connected.

use std::io;
use std::time::{Duration, Instant};

use crate::engine::behaviour::Pipe;
use crate::engine::slots::{SlotPart, token};
use crate::event::CommandEnd;
use crate::net::child::{Child, ChildRead, Dying};
use crate::ui::sanitize::escaped;

/// How many bytes of a process's output are kept.
const TAIL: usize = 4096;

/// After the end of a process's stdout, how often to check whether the process has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A running process.
pub(super) struct Process {
    child: Child,
    /// The last bytes of its output.
    tail: Vec<u8>,
    /// Its output has ended; the process may have ended, too.
    silent: bool,
}

impl Process {
    /// Starts `sh -c command`; its stderr is mixed with its stdout.
    pub(super) fn spawn(
        command: &str,
        url: &str,
        slot: usize,
        registry: &mio::Registry,
    ) -> io::Result<Self> {
        let tokens = [Pipe::Stdin, Pipe::Stdout].map(|pipe| token(slot, SlotPart::Pipe(pipe)));
        let command = format!("exec 2>&1\n{command}");
        let child = Child::spawn(&command, &[("WSCOPE_URL", url)], registry, tokens)?;
        Ok(Self { child, tail: Vec::new(), silent: false })
    }

    /// Notes a report of the poll.
    pub(super) fn ready(&mut self, pipe: Pipe) {
        match pipe {
            Pipe::Stdin => self.child.set_writable(),
            Pipe::Stdout => self.child.set_readable(),
        }
    }

    /// Writes a line to its stdin.
    pub(super) fn tell(&mut self, line: &str) {
        self.child.stdin().extend_from_slice(line.as_bytes());
        self.child.stdin().push(b'\n');
        self.child.flush();
    }

    /// Takes its output. After its end, returns how it ended, and the last line of its output.
    pub(super) fn look(&mut self) -> Option<(CommandEnd, String)> {
        let mut buffer = [0; TAIL];
        self.child.flush();
        while !self.silent && self.child.may_read() {
            match self.child.read(&mut buffer) {
                Ok(ChildRead::Data(len)) => {
                    self.tail.extend_from_slice(&buffer[..len]);
                    let excess = self.tail.len().saturating_sub(TAIL);
                    self.tail.drain(..excess);
                }
                Ok(ChildRead::Blocked) => break,
                Ok(ChildRead::End) | Err(_) => self.silent = true,
            }
        }
        let end = self.child.look_for_end().filter(|_| self.silent)?;
        let text = String::from_utf8_lossy(&self.tail);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        let last = last.map(|line| format!(" ({})", escaped(line.trim().as_bytes())));
        Some((end, last.unwrap_or_default()))
    }

    /// When to check again without an event.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.silent.then_some(now + LOOK)
    }

    /// Whether there is output to read now.
    pub(super) fn wants_turn(&self) -> bool {
        !self.silent && self.child.may_read()
    }

    /// Begins to end it.
    pub(super) fn end(self, now: Instant) -> Dying {
        self.child.end(now)
    }
}

/// The command for a case: replaces `{url}` by the URL. Without `{url}`, the URL becomes the last
/// word.
pub(super) fn with_url(command: &str, url: &str) -> String {
    match command.contains("{url}") {
        true => command.replace("{url}", url),
        false => format!("{command} {url}"),
    }
}
