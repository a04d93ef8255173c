//! The terminal itself: written to outside of the line editor, and put back as it was.
//!
//! Knows no lines and no queue.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::panic;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::ui::terminal::FALLBACK_WIDTH;

/// Rows where nobody can say how many there are.
const FALLBACK_HEIGHT: usize = 24;

/// Ends bracketed paste and a synchronised update, in case the line editor could not.
const MODES_OFF: &[u8] = b"\x1b[?2026l\x1b[?2004l";

/// To a fresh line, with nothing below it.
pub const FRESH_LINE: &[u8] = b"\r\n\x1b[J";

/// A terminal and how it was found.
#[derive(Debug)]
pub struct Tty {
    file: File,
    found: Termios,
    /// It may be in raw mode: a panic must restore it.
    in_use: AtomicBool,
    /// A panic did.
    panicked: AtomicBool,
}

impl Tty {
    /// Opens stdout, or the controlling terminal if stdout is not for the prompt.
    ///
    /// # Errors
    ///
    /// It is no terminal; there is none.
    pub fn open(keep_stdout_free: bool) -> io::Result<Self> {
        let file = if keep_stdout_free {
            File::options().read(true).write(true).open("/dev/tty")?
        } else {
            File::from(io::stdout().as_fd().try_clone_to_owned()?)
        };
        let found = tcgetattr(&file)?;
        Ok(Self { file, found, in_use: AtomicBool::new(true), panicked: AtomicBool::new(false) })
    }

    /// Writes all of it. Blocks as long as the terminal does.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Columns and rows of this moment.
    pub fn size(&self) -> (usize, usize) {
        let or = |n: u16, fallback| if n == 0 { fallback } else { usize::from(n) };
        match tcgetwinsize(&self.file) {
            Ok(size) => (or(size.ws_col, FALLBACK_WIDTH), or(size.ws_row, FALLBACK_HEIGHT)),
            Err(_) => (FALLBACK_WIDTH, FALLBACK_HEIGHT),
        }
    }

    /// The terminal as a stream of a child.
    ///
    /// # Errors
    ///
    /// No descriptors are left.
    pub fn stdio(&self) -> io::Result<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    /// Puts the modes back as they were found: those of the driver at once, since it may be stopped
    /// and waiting for its output would be for ever.
    pub fn restore(&self) {
        // There is nobody left to tell, and nothing else to try.
        let _ = tcsetattr(&self.file, OptionalActions::Now, &self.found);
    }

    /// [`Tty::restore`] for good: a panic leaves the terminal alone from now on.
    pub fn leave(&self) {
        self.in_use.store(false, Ordering::SeqCst);
        self.restore();
    }

    /// Ends what the line editor may have switched on.
    pub fn modes_off(&self) {
        // As above.
        let _ = self.write(MODES_OFF);
    }

    /// Whether a panic has put the terminal back; what it said stands there now.
    pub fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::SeqCst)
    }

    /// Lets every panic, in whatever thread, restore the terminal before it is reported: its text
    /// would be torn by raw mode, and the shell behind it unusable.
    pub fn restore_on_panic(self: &Arc<Self>) {
        let tty = Arc::downgrade(self);
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(tty) = tty.upgrade()
                && tty.in_use.swap(false, Ordering::SeqCst)
            {
                tty.panicked.store(true, Ordering::SeqCst);
                tty.restore();
                tty.modes_off();
                let _ = tty.write(FRESH_LINE);
            }
            report(info);
        }));
    }
}
