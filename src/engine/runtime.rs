//! What every mode of the client has open: the poll, stdout, signals, printers.

use std::io;
use std::time::Instant;

use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::run_facts::Record;
use crate::event::Event;
use crate::net::reactor::{Reactor, SIGNAL, STDERR, STDOUT};
use crate::net::signals::{Signal, Signals};
use crate::net::stdio::Stdout;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::ui::prompt::Screen;

/// What every mode of the client has open: the poll, stdout, signals, printers.
pub struct Runtime {
    /// The poll.
    pub reactor: Reactor,
    /// The writer of stdout.
    pub stdout: Stdout,
    /// SIGINT and SIGTERM, once they are listened to.
    pub signals: Signals,
    /// The printers.
    pub reporter: Reporter,
    /// What opening the connection left behind.
    pub trace: OpeningEvidence,
    /// The prompt, if there is one: its Ctrl-C is no signal.
    pub screen: Option<Screen>,
    /// What the run leaves behind.
    pub record: Record,
}

impl Runtime {
    /// Sets up all of it.
    ///
    /// # Errors
    ///
    /// The system refuses a descriptor, or stdout is closed.
    pub fn new(reporter: Reporter) -> io::Result<Self> {
        let reactor = Reactor::new()?;
        let stdout = Stdout::open(reactor.registry(), STDOUT)?;
        stderr::register(reactor.registry(), STDERR)?;
        let signals = Signals::default();
        let (trace, record) = (OpeningEvidence::default(), Record::default());
        Ok(Self { reactor, stdout, signals, reporter, trace, screen: None, record })
    }

    /// Tells the printers.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn tell(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.trace.take(event);
        self.reporter.emit(event, &mut self.stdout)
    }

    /// Tells something about the way: as an event, or on stderr where no printer would.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        if self.reporter.prints_warnings() && !self.reporter.prints_notes() {
            stderr::note(text);
        }
        self.tell(&Event::Note(text))
    }

    /// A signal that came since the last call; Ctrl-C at a prompt counts until it is taken there.
    pub fn take_signal(&mut self) -> Option<Signal> {
        let interrupted = self.screen.as_ref().is_some_and(Screen::is_interrupted);
        self.signals.take().or(interrupted.then_some(Signal::Interrupt))
    }

    /// Tells what the printers hold back: nothing more will come.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn tell_rest(&mut self) -> io::Result<()> {
        self.reporter.finish(&mut self.stdout)
    }

    /// Whether our own reader is slow: that of stdout, or that of a transcript on stderr.
    pub fn is_output_full(&self) -> bool {
        self.stdout.is_full() || self.reporter.is_full()
    }

    /// Writes all of stdout that waits, until a moment if there is one; a signal gives up, and is
    /// given back.
    ///
    /// # Errors
    ///
    /// stdout failed.
    pub fn drain_stdout(&mut self, until: Option<Instant>) -> io::Result<Option<Signal>> {
        self.drain(until, |runtime| runtime.stdout.pending() > 0)
    }

    /// The same for stdout and stderr. What stderr has not taken by then is given up.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn drain_output(&mut self, until: Option<Instant>) -> io::Result<Option<Signal>> {
        if let Some(signal) = self.drain_stdout(until)? {
            stderr::give_up();
            return Ok(Some(signal));
        }
        // Where time is short, a reader that has taken nothing for a while gets no more of it.
        let until = until.map(|at| stderr::stuck_at().map_or(at, |stuck| at.min(stuck)));
        let signal = self.drain(until, |_| stderr::pending() > 0)?;
        if stderr::pending() > 0 {
            stderr::give_up();
        }
        Ok(signal)
    }

    fn drain(
        &mut self,
        until: Option<Instant>,
        waits: impl Fn(&Self) -> bool,
    ) -> io::Result<Option<Signal>> {
        self.stdout.flush()?;
        self.reporter.flush()?;
        while waits(self) {
            for event in self.reactor.wait(until)? {
                match event.token() {
                    STDOUT => self.stdout.set_ready(event.is_write_closed()),
                    SIGNAL => self.signals.set_ready(),
                    _ => {}
                }
            }
            if let Some(signal) = self.signals.take() {
                return Ok(Some(signal));
            }
            if until.is_some_and(|at| at <= Instant::now()) {
                break;
            }
            self.stdout.flush()?;
            self.reporter.flush()?;
        }
        Ok(None)
    }
}
