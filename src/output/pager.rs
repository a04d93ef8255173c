//! The pager that shows a long transcript on a terminal.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

/// A running pager.
pub struct Pager {
    child: Child,
}

impl Pager {
    /// Starts a shell command that shows its stdin in pages; `None` if it can't be started.
    ///
    /// `less` gets options to show colours, and to exit at once if the text fits on the screen.
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
    /// The user has left the pager, or it failed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(bytes))
    }
}

impl Drop for Pager {
    /// Waits until the user leaves it.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
