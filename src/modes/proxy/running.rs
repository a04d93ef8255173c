//! A program that uses the proxy: wscope starts it when the proxy listens, and waits until it ends.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rustix::process::Signal as Number;

use crate::engine::runtime::Runtime;
use crate::net::program::Program;
use crate::net::signals::Signal;

/// The time from SIGTERM until SIGKILL.
const BEFORE_KILL: Duration = Duration::from_secs(1);

/// A running program.
pub struct Running {
    program: Program,
    /// Signals its end.
    over: Receiver<()>,
    /// It shares a terminal with wscope; Ctrl-C goes to both.
    on_terminal: bool,
    kill_at: Option<Instant>,
}

impl Running {
    /// Waits for a started program.
    ///
    /// # Errors
    ///
    /// The system can't create a thread.
    pub fn new(program: Program, on_terminal: bool, runtime: &Runtime) -> io::Result<Self> {
        let over = runtime.call(program.waiter())?;
        Ok(Self { program, over, on_terminal, kill_at: None })
    }

    /// Its status, once it has ended.
    ///
    /// # Errors
    ///
    /// The system does not report it.
    pub fn look(&mut self, now: Instant) -> io::Result<Option<u8>> {
        if self.over.try_recv() != Err(TryRecvError::Empty) {
            return self.program.status().map(Some);
        }
        if self.kill_at.take_if(|at| *at <= now).is_some() {
            self.program.signal(Number::KILL);
        }
        Ok(None)
    }

    /// Passes on a signal that wscope has received.
    pub fn signal(&self, signal: Signal) {
        match signal {
            Signal::Interrupt if self.on_terminal => {}
            Signal::Interrupt => self.program.signal(Number::INT),
            Signal::Terminate => self.program.signal(Number::TERM),
            Signal::Hangup => self.program.signal(Number::HUP),
        }
    }

    /// Begins to end it.
    pub fn end(&mut self, now: Instant) {
        self.program.signal(Number::TERM);
        self.kill_at.get_or_insert(now + BEFORE_KILL);
    }

    /// When the next signal is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.kill_at
    }
}
