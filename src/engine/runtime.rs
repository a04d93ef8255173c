//! The one event loop: poll, timers, signals, standard streams, sockets, processes, listeners.
//!
//! [`run`] gives a [`Task`] rounds until it is done. A round does what is possible now, and never
//! waits. Between rounds, the loop waits for events and passes them to the task.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::{Events, Registry, Token};

use super::connection::{Connection, Outputs};
use super::run_facts::RunRecord;
use super::slots::{self, Slot, SlotPart};
use crate::event::{ConnId, Event};
use crate::net::link::Buffers;
use crate::net::reactor::{Reactor, SIGNAL, STDERR, STDIN, STDOUT, WAKER};
use crate::net::signals::{Signal, Signals};
use crate::net::stdio::{Stdin, Stdout};
use crate::output::notifier::Notifier;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::ui::prompt::Screen;

/// The tokens of listening sockets.
pub const LISTENERS: [Token; 2] = [Token(5), Token(6)];

/// The number of events read from the poll at once.
const EVENTS: usize = 256;

/// A busy loop polls only once in this many rounds, which saves a system call for each buffer.
const ROUNDS_UNPOLLED: u32 = 8;

/// But a busy loop polls at least this often, because signals and timers must not wait longer.
const TIME_UNPOLLED: Duration = Duration::from_millis(10);

/// The objects that every task uses.
pub struct Runtime {
    reactor: Reactor,
    events: Events,
    /// The number of rounds since the last poll.
    unpolled: u32,
    /// stdin had data while a task ran that does not read it; whether its writers have closed it.
    missed_input: Option<bool>,
    /// When the run must end (`--max-time`). After that, wscope does not wait for readers of its
    /// output.
    pub ends_at: Option<Instant>,
    /// The writer of stdout.
    pub stdout: Stdout,
    /// SIGINT, SIGTERM and SIGHUP, if the program handles them.
    pub signals: Signals,
    /// The sinks of events.
    pub reporter: Reporter,
    /// Prints notes and errors for the user.
    pub notifier: Notifier,
    /// The prompt, if there is one. Its Ctrl-C does not arrive as a signal.
    pub screen: Option<Screen>,
    /// The facts of the run.
    pub record: RunRecord,
    /// Lent to the connection that has its turn.
    pub buffers: Buffers,
}

/// The source of an event.
pub enum Ready<'e> {
    /// A client may wait to be accepted.
    Listener,
    /// A socket.
    Socket(Slot, &'e Readiness),
    /// A pipe to a process.
    Pipe(Slot, super::behaviour::Pipe),
    /// stdin has data, or its writers have closed it; or another thread has a result.
    Input {
        /// The writers have closed it.
        closed: bool,
    },
}

/// What to do after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRound {
    /// Begin another round at once.
    Now,
    /// Wait for an event, at most until this time.
    Wait(Option<Instant>),
    /// The task is done.
    Done,
}

/// A task that the loop runs.
pub trait Task {
    /// Does what is possible now, up to a limit.
    ///
    /// # Errors
    ///
    /// An output or the system failed.
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()>;

    /// What to do after the round.
    fn next(&mut self, runtime: &Runtime, now: Instant) -> NextRound;

    /// Notes that something is ready.
    fn ready(&mut self, ready: Ready<'_>);
}

/// Runs a task until it is done.
///
/// # Errors
///
/// An output, the poll or the system failed.
pub fn run(task: &mut dyn Task, runtime: &mut Runtime) -> io::Result<()> {
    let mut polled = Instant::now();
    loop {
        let now = Instant::now();
        if let Some(closed) = runtime.missed_input.take() {
            task.ready(Ready::Input { closed });
        }
        task.round(runtime, now)?;
        runtime.flush()?;
        match task.next(runtime, now) {
            NextRound::Done => return Ok(()),
            NextRound::Now => {
                runtime.unpolled += 1;
                let unpolled = now.saturating_duration_since(polled);
                if runtime.unpolled >= ROUNDS_UNPOLLED || unpolled >= TIME_UNPOLLED {
                    polled = now;
                    runtime.wait(task, Some(now))?;
                }
            }
            NextRound::Wait(deadline) => {
                // Then, output that waits for the reader of a transcript continues.
                let resumes = runtime.reporter.resumes_at().filter(|at| *at > now);
                runtime.wait(task, deadline.into_iter().chain(resumes).min())?;
            }
        }
    }
}

impl Runtime {
    /// Sets everything up.
    ///
    /// # Errors
    ///
    /// The system refuses a descriptor, or stdout is closed.
    pub fn new(mut reporter: Reporter) -> io::Result<Self> {
        let reactor = Reactor::new()?;
        reporter.start_command(reactor.waker())?;
        let stdout = Stdout::open(reactor.registry(), STDOUT)?;
        stderr::register(reactor.registry(), STDERR)?;
        Ok(Self {
            reactor,
            events: Events::with_capacity(EVENTS),
            unpolled: 0,
            missed_input: None,
            ends_at: None,
            stdout,
            signals: Signals::default(),
            notifier: Notifier::Stderr { quiet: !reporter.prints_warnings() },
            reporter,
            screen: None,
            record: RunRecord::default(),
            buffers: Buffers::default(),
        })
    }

    /// The registry of event sources.
    pub fn registry(&self) -> &Registry {
        self.reactor.registry()
    }

    /// The waker with which other threads wake the loop.
    pub fn waker(&self) -> &Arc<mio::Waker> {
        self.reactor.waker()
    }

    /// Opens stdin in the loop.
    ///
    /// # Errors
    ///
    /// It is closed, or can't be registered.
    pub fn open_stdin(&self) -> io::Result<Stdin> {
        Stdin::open(self.registry(), STDIN, self.waker())
    }

    /// Handles signals from now on; before, they end the program.
    ///
    /// # Errors
    ///
    /// The system has no descriptors left.
    pub fn listen_to_signals(&mut self) -> io::Result<()> {
        self.signals.listen(self.reactor.registry())
    }

    /// The outputs of events and payload, and the buffers for the connection that has its turn.
    pub fn outputs_and_buffers(&mut self) -> (Outputs<'_>, &mut Buffers) {
        let Self { stdout, reporter, notifier, buffers, .. } = self;
        (Outputs { stdout, reporter, notifier }, buffers)
    }

    /// Prints a line about a connection, if no transcript shows it.
    pub fn remark(&self, conn: ConnId, text: &str) {
        self.notifier.remark(&self.reporter, conn, text);
    }

    /// Gives a connection its turn.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn give_turn(&mut self, connection: &mut Connection, now: Instant) -> io::Result<()> {
        let Self { stdout, reporter, notifier, buffers, .. } = self;
        connection.turn(buffers, &mut Outputs { stdout, reporter, notifier }, now)
    }

    /// Reports an event of a connection, with the current time.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn report(&mut self, conn: ConnId, event: &Event<'_>) -> io::Result<()> {
        self.reporter.emit_for(conn, event, &mut self.stdout)
    }

    /// Reports a note about an opening: as an event, or on stderr if no sink shows it.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        if self.reporter.prints_warnings() && !self.reporter.prints_notes() {
            stderr::note(text);
        }
        let conn = self.reporter.connection();
        self.report(conn, &Event::Note(text))
    }

    /// A signal since the last call. At a prompt, Ctrl-C counts only until the prompt reads it.
    pub fn take_signal(&mut self) -> Option<Signal> {
        let interrupted = self.screen.as_ref().is_some_and(Screen::is_interrupted);
        self.signals.take().or(interrupted.then_some(Signal::Interrupt))
    }

    /// Writes as much as the outputs accept.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.reporter.take_answers(false, &mut self.stdout)?;
        self.stdout.flush()?;
        self.reporter.flush()
    }

    /// Whether a reader on our side is slow: that of stdout, or that of a transcript on stderr.
    pub fn is_output_full(&self) -> bool {
        self.stdout.is_full() || self.reporter.is_full()
    }

    /// Writes all waiting data of stdout, at most until this time. A signal ends the wait, and is
    /// returned.
    ///
    /// # Errors
    ///
    /// stdout failed.
    pub fn drain_stdout(&mut self, until: Option<Instant>) -> io::Result<Option<Signal>> {
        self.drain(until, |runtime| runtime.stdout.pending() > 0)
    }

    /// Writes all waiting data of stdout and stderr. Drops data that stderr has not accepted until
    /// then.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn drain_output(&mut self, until: Option<Instant>) -> io::Result<Option<Signal>> {
        if let Some(signal) = self.drain_stdout(until)? {
            stderr::give_up();
            return Ok(Some(signal));
        }
        // If time is short, a reader that has taken nothing for a while gets no more time.
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
        waits: fn(&Self) -> bool,
    ) -> io::Result<Option<Signal>> {
        let until = until.or(self.ends_at);
        let missed_input = self.missed_input.take();
        let mut drain = Drain { until, waits, signal: None, missed_input };
        self.flush()?;
        if waits(self) {
            run(&mut drain, self)?;
        }
        self.missed_input = drain.missed_input;
        Ok(drain.signal)
    }

    /// Runs a blocking call in a separate thread. The result wakes the loop.
    ///
    /// # Errors
    ///
    /// The system can't create a thread.
    pub fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<mpsc::Receiver<T>> {
        let (sender, result) = mpsc::sync_channel(1);
        let waker = Arc::clone(self.waker());
        thread::Builder::new().spawn(move || {
            // If the opening was given up, no one waits for the result.
            if sender.send(call()).is_ok() {
                let _ = waker.wake();
            }
        })?;
        Ok(result)
    }

    /// Waits for events until `deadline`, and passes them to the task.
    fn wait(&mut self, task: &mut dyn Task, deadline: Option<Instant>) -> io::Result<()> {
        self.unpolled = 0;
        self.reactor.wait(&mut self.events, deadline)?;
        for event in self.events.iter() {
            match event.token() {
                STDOUT => self.stdout.set_ready(event.is_write_closed()),
                // A connection that waits for stderr has its turn in the next round.
                STDERR => self.reporter.flush()?,
                SIGNAL => self.signals.set_ready(),
                STDIN | WAKER => {
                    let closed = event.is_read_closed() || event.is_error();
                    task.ready(Ready::Input { closed });
                }
                token if LISTENERS.contains(&token) => task.ready(Ready::Listener),
                token => match slots::slot_of(token) {
                    Some((slot, SlotPart::Socket)) => task.ready(Ready::Socket(slot, event)),
                    Some((slot, SlotPart::Pipe(pipe))) => task.ready(Ready::Pipe(slot, pipe)),
                    None => {}
                },
            }
        }
        Ok(())
    }
}

/// Waits until the outputs have been written.
struct Drain {
    until: Option<Instant>,
    waits: fn(&Runtime) -> bool,
    signal: Option<Signal>,
    missed_input: Option<bool>,
}

impl Task for Drain {
    fn round(&mut self, runtime: &mut Runtime, _: Instant) -> io::Result<()> {
        self.signal = self.signal.or(runtime.signals.take());
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, now: Instant) -> NextRound {
        let over = self.until.is_some_and(|at| at <= now);
        match !(self.waits)(runtime) || self.signal.is_some() || over {
            true => NextRound::Done,
            false => NextRound::Wait(self.until),
        }
    }

    fn ready(&mut self, ready: Ready<'_>) {
        if let Ready::Input { closed } = ready {
            self.missed_input = Some(closed || self.missed_input == Some(true));
        }
    }
}
