//! The pager that shows a long transcript on a terminal.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

/// A pager that runs.
pub struct Pager {
    child: Child,
}

impl Pager {
    /// Starts a shell command that pages its stdin; `None` if it can't be started.
    ///
    /// `less` gets what it needs for colours, and leaves a text that fits on the screen there.
    pub fn start(command: &OsStr) -> Option<Self> {
        let mut line = OsString::from("export LESS=\"${LESS-FRX}\"; ");
        line.push(command);
        let shell = Command::new("sh").arg("-c").arg(line).stdin(Stdio::piped()).spawn();
        shell.ok().map(|child| Self { child })
    }

    /// Writes to it.
    ///
    /// # Errors
    ///
    /// Its user has left it, or it failed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(bytes))
    }
}

impl Drop for Pager {
    /// Waits until its user leaves it.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
