//! The terminal: its modes during the prompt, output outside of the line editor, and restoring its
//! settings.
//!
//! Between two lines, the terminal keeps typed keys for the next line, as while a line is read:
//! nothing is echoed, and no key ends a line or the input. Only Ctrl-C is a signal then, because no
//! thread reads it as a key, and the loop may be busy.
//!
//! It does not know lines or the queue.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::panic;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{getpgid, getppid, getsid};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCONT, SIGPROF, SIGQUIT, SIGSYS, SIGTRAP, SIGTSTP, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU,
};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::ui::terminal::FALLBACK_WIDTH;

/// The number of rows if the system does not report it.
const FALLBACK_HEIGHT: usize = 24;

/// Ends bracketed paste and a synchronised update, in case the line editor did not.
const MODES_OFF: &[u8] = b"\x1b[?2026l\x1b[?2004l";

/// Moves to a new line, and clears everything below it.
pub const FRESH_LINE: &[u8] = b"\r\n\x1b[J";

/// A terminal, and its settings from before the prompt.
#[derive(Debug)]
pub struct Tty {
    file: File,
    found: Termios,
    /// It may be in raw mode: after a panic, it must be restored.
    in_use: AtomicBool,
    /// A panic has restored it.
    panicked: AtomicBool,
}

impl Tty {
    /// Opens stdout, or the controlling terminal if stdout has another use.
    ///
    /// # Errors
    ///
    /// It is not a terminal, or there is none.
    pub fn open(keep_stdout_free: bool) -> io::Result<Self> {
        let file = if keep_stdout_free {
            File::options().read(true).write(true).open("/dev/tty")?
        } else {
            File::from(io::stdout().as_fd().try_clone_to_owned()?)
        };
        let found = tcgetattr(&file)?;
        Ok(Self { file, found, in_use: AtomicBool::new(true), panicked: AtomicBool::new(false) })
    }

    /// Writes all bytes. Blocks as long as the terminal does.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Whether a write is possible without waiting for a stopped terminal.
    fn is_writable(&self) -> bool {
        let now = Some(&Timespec { tv_sec: 0, tv_nsec: 0 });
        poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], now).is_ok_and(|ready| ready > 0)
    }

    /// The current columns and rows.
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

    /// Sets the modes between two lines.
    pub fn take(&self) {
        let mut modes = self.found.clone();
        modes.input_modes -= Self::cooked_input();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN;
        // Ctrl-C does not discard typed text.
        modes.local_modes |= LocalModes::NOFLSH;
        self.set(&modes);
    }

    /// Sets the modes of the line editor again, after another program has changed them.
    pub fn take_for_reading(&self) {
        let mut modes = self.found.clone();
        modes.input_modes -= Self::cooked_input();
        modes.local_modes -=
            LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        self.set(&modes);
    }

    /// The input conversions of a terminal that would hide keys from the line editor.
    fn cooked_input() -> InputModes {
        InputModes::BRKINT
            | InputModes::ICRNL
            | InputModes::INPCK
            | InputModes::ISTRIP
            | InputModes::IXON
    }

    fn set(&self, modes: &Termios) {
        // If the terminal has gone, the reading of lines ends.
        let _ = tcsetattr(&self.file, OptionalActions::Now, modes);
    }

    /// Restores the original modes. Those of the driver are set at once, because the terminal may
    /// be stopped, and a wait for its output would never end.
    pub fn restore(&self) {
        self.set(&self.found);
    }

    /// [`Tty::restore`] for the last time: from now on, a panic does not change the terminal.
    pub fn leave(&self) {
        self.in_use.store(false, Ordering::SeqCst);
        self.restore();
    }

    /// Ends modes that the line editor may have switched on.
    pub fn modes_off(&self) {
        // See above.
        let _ = self.write(MODES_OFF);
    }

    /// Whether a panic has restored the terminal, which now shows the report of the panic.
    pub fn has_panicked(&self) -> bool {
        self.panicked.load(Ordering::SeqCst)
    }

    /// Makes every panic, in any thread, restore the terminal before the panic is reported. In raw
    /// mode, its text would be unreadable, and the shell would be unusable afterwards.
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

    /// Restores the terminal before an unhandled signal ends or stops the program. Calls `resumed`
    /// when the program continues after a stop, because the shell has changed the modes.
    pub fn attend_signals(self: &Arc<Self>, resumed: impl Fn() + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([
            SIGCONT, SIGTSTP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGABRT, SIGPROF, SIGSYS,
            SIGTRAP, SIGVTALRM, SIGXCPU,
        ])?;
        let tty = Arc::clone(self);
        std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if signal == SIGCONT {
                    resumed();
                    continue;
                }
                if signal == SIGTSTP {
                    if has_shell() {
                        tty.restore();
                        if tty.is_writable() {
                            tty.modes_off();
                        }
                        let _ = emulate_default_handler(signal);
                    }
                    continue;
                }
                if tty.in_use.swap(false, Ordering::SeqCst) {
                    tty.restore();
                    if tty.is_writable() {
                        tty.modes_off();
                        let _ = tty.write(FRESH_LINE);
                    }
                }
                let _ = emulate_default_handler(signal);
            }
        })?;
        Ok(())
    }
}

/// Whether another process could continue this process if it stopped. The system does not stop a
/// process of an orphaned process group for SIGTSTP: "A process that is a member of an orphaned
/// process group shall not be allowed to stop in response to the SIGTSTP, SIGTTIN, or SIGTTOU
/// signals" (POSIX, 2.4.3).
fn has_shell() -> bool {
    let Some(parent) = getppid() else { return false };
    let (Ok(session), Ok(group)) = (getsid(None), getpgid(None)) else { return false };
    let is_near = getsid(Some(parent)).is_ok_and(|its| its == session);
    let other_group = getpgid(Some(parent)).is_ok_and(|its| its != group);
    is_near && (other_group || parent != session)
}
