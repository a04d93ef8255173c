//! The one event loop: poll, timers, signals, standard streams, sockets, processes, listeners.
//!
//! [`run`] gives a [`Task`] rounds until it is done. A round does what can be done now and never
//! waits; between rounds the loop waits for events and hands them to the task.

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

/// The tokens of sockets that listen.
pub const LISTENERS: [Token; 2] = [Token(5), Token(6)];

/// Events read from the poll at once.
const EVENTS: usize = 256;

/// While there is work, looking for events every so many rounds is enough: a system call less for
/// each buffer's worth.
const ROUNDS_UNPOLLED: u32 = 8;

/// But signals and timers are not kept waiting longer than that.
const TIME_UNPOLLED: Duration = Duration::from_millis(10);

/// What every task uses.
pub struct Runtime {
    reactor: Reactor,
    events: Events,
    /// Rounds since the last poll.
    unpolled: u32,
    /// stdin had something while a task ran that does not read it; whether its writers are gone.
    missed_input: Option<bool>,
    /// When the run ends in any case (`--max-time`): no reader of the outputs is waited for after that.
    pub ends_at: Option<Instant>,
    /// The writer of stdout.
    pub stdout: Stdout,
    /// SIGINT, SIGTERM and SIGHUP, once they are handled here.
    pub signals: Signals,
    /// The sinks of events.
    pub reporter: Reporter,
    /// Talks to the person at the terminal.
    pub notifier: Notifier,
    /// The prompt, if there is one: its Ctrl-C is not a signal.
    pub screen: Option<Screen>,
    /// The results of the run.
    pub record: RunRecord,
    /// Lent to the connection that has its turn.
    pub buffers: Buffers,
}

/// What an event is about.
pub enum Ready<'e> {
    /// A client may wait to be accepted.
    Listener,
    /// A socket.
    Socket(Slot, &'e Readiness),
    /// A pipe to a process.
    Pipe(Slot, super::behaviour::Pipe),
    /// stdin has something, or its writers are gone; or another thread has something.
    Input {
        /// The writers are gone.
        closed: bool,
    },
}

/// What follows a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRound {
    /// Another round would do something at once.
    Now,
    /// Nothing can be done before an event, or before this moment.
    Wait(Option<Instant>),
    /// The task is done.
    Done,
}

/// Something that the loop runs.
pub trait Task {
    /// Does what can be done now, a bounded amount of it.
    ///
    /// # Errors
    ///
    /// An output or the system failed.
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()>;

    /// What follows.
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
                // What waits for the reader of a transcript goes on then.
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

    /// Where sources are registered.
    pub fn registry(&self) -> &Registry {
        self.reactor.registry()
    }

    /// What other threads wake the loop with.
    pub fn waker(&self) -> &Arc<mio::Waker> {
        self.reactor.waker()
    }

    /// stdin, in the loop.
    ///
    /// # Errors
    ///
    /// It is closed, or can't be registered.
    pub fn open_stdin(&self) -> io::Result<Stdin> {
        Stdin::open(self.registry(), STDIN, self.waker())
    }

    /// Handles signals from now on, instead of ending by them.
    ///
    /// # Errors
    ///
    /// The system has no descriptors left.
    pub fn listen_to_signals(&mut self) -> io::Result<()> {
        self.signals.listen(self.reactor.registry())
    }

    /// The outputs of events and payload, with the buffers that are lent to the connection that has
    /// its turn.
    pub fn outputs_and_buffers(&mut self) -> (Outputs<'_>, &mut Buffers) {
        let Self { stdout, reporter, notifier, buffers, .. } = self;
        (Outputs { stdout, reporter, notifier }, buffers)
    }

    /// Prints a line about a connection, where no transcript shows what happens to it.
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

    /// Reports an event of a connection that happens now.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn report(&mut self, conn: ConnId, event: &Event<'_>) -> io::Result<()> {
        self.reporter.emit_for(conn, event, &mut self.stdout)
    }

    /// Reports something about an opening: as an event, or on stderr where no sink shows it.
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

    /// A signal that arrived since the last call; Ctrl-C at a prompt counts until it is read there.
    pub fn take_signal(&mut self) -> Option<Signal> {
        let interrupted = self.screen.as_ref().is_some_and(Screen::is_interrupted);
        self.signals.take().or(interrupted.then_some(Signal::Interrupt))
    }

    /// Writes what the outputs take.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.reporter.take_answers(false, &mut self.stdout)?;
        self.stdout.flush()?;
        self.reporter.flush()
    }

    /// Whether our own reader is slow: that of stdout, or that of a transcript on stderr.
    pub fn is_output_full(&self) -> bool {
        self.stdout.is_full() || self.reporter.is_full()
    }

    /// Writes all of stdout that waits, until a moment if there is one; a signal gives up, and is
    /// returned.
    ///
    /// # Errors
    ///
    /// stdout failed.
    pub fn drain_stdout(&mut self, until: Option<Instant>) -> io::Result<Option<Signal>> {
        self.drain(until, |runtime| runtime.stdout.pending() > 0)
    }

    /// The same for stdout and stderr. Data that stderr has not accepted by then is dropped.
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
    /// The system gives no thread.
    pub fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<mpsc::Receiver<T>> {
        let (sender, result) = mpsc::sync_channel(1);
        let waker = Arc::clone(self.waker());
        thread::Builder::new().spawn(move || {
            // Nobody waits any more once the opening was given up.
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
                // What waits for it has its turn in the next round.
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
