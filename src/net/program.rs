//! A program that runs with wscope's stdin, stdout and stderr, and whose exit status becomes
//! wscope's.
//!
//! Unlike a [`Child`](super::child::Child), it stays in wscope's process group, so it can read the
//! terminal and receives Ctrl-C.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child as Process, Command};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// The status of a shell if a program does not exist.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// A running program.
pub struct Program {
    process: Process,
    ended: bool,
}

impl Program {
    /// Starts it: the name and the arguments, with some variables set and others removed.
    ///
    /// # Errors
    ///
    /// The system's error, and the status that a shell would have.
    pub fn start(
        words: &[OsString],
        set: &[(&'static str, OsString)],
        unset: &[&str],
    ) -> Result<Self, (io::Error, u8)> {
        let (name, arguments) =
            words.split_first().ok_or((io::ErrorKind::NotFound.into(), NOT_FOUND))?;
        let mut command = Command::new(name);
        for name in unset {
            command.env_remove(name);
        }
        let started =
            command.args(arguments).envs(set.iter().map(|(name, value)| (name, value))).spawn();
        match started {
            Ok(process) => Ok(Self { process, ended: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err((error, NOT_FOUND)),
            Err(error) => Err((error, NOT_RUN)),
        }
    }

    /// Waits for its end, in a thread. It does not reap the program, so the process number is not
    /// reused.
    pub fn waiter(&self) -> impl FnOnce() + Send + 'static {
        let pid = Pid::from_child(&self.process);
        move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
        }
    }

    /// The status that a shell would report: the program's own, or 128 plus the number of a signal.
    pub fn status(&mut self) -> io::Result<u8> {
        let status = self.process.wait()?;
        self.ended = true;
        let signal = status.signal().map(|signal| 128 + signal);
        Ok(status.code().or(signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }

    /// Passes a signal to the program.
    pub fn signal(&self, signal: Signal) {
        if !self.ended {
            // It may just have ended.
            let _ = kill_process(Pid::from_child(&self.process), signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}
