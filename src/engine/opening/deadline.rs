//! Waiting while a connection is opened: for the socket, for a call that blocks, for another try.
//!
//! Every wait has an end, and a signal ends all of them.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::open_error::OpenError;
use crate::engine::runtime::Runtime;
use crate::event::TimeoutKind;
use crate::net::link::Link;
use crate::net::reactor::{SIGNAL, SOCKET, STDOUT};

/// Does what blocks and has an end by itself. Before the first connection a signal ends the
/// program by itself; later signals are listened to, so the call has a thread of its own and is
/// left behind at a signal.
///
/// # Errors
///
/// A signal came, or the system gives no thread.
pub fn apart<T: Send + 'static>(
    runtime: &mut Runtime,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    if !runtime.signals.are_taken() {
        return Ok(call());
    }
    in_a_thread(runtime, None, call)
}

/// The same for a call that may never end: it is left behind at the deadline too.
///
/// # Errors
///
/// Those of [`apart`]; the time is up.
pub fn apart_until<T: Send + 'static>(
    runtime: &mut Runtime,
    deadline: &Deadline,
    what: &'static str,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    in_a_thread(runtime, Some((deadline, what)), call)
}

fn in_a_thread<T: Send + 'static>(
    runtime: &mut Runtime,
    deadline: Option<(&Deadline, &'static str)>,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    let (sender, result) = mpsc::sync_channel(1);
    let waker = Arc::clone(runtime.reactor.waker());
    thread::spawn(move || {
        // Nobody waits any more after a signal or the deadline.
        if sender.send(call()).is_ok() {
            let _ = waker.wake();
        }
    });
    loop {
        match result.try_recv() {
            Ok(value) => return Ok(value),
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => {
                return Err(OpenError::Local(std::io::Error::other(
                    "the connecting thread failed",
                )));
            }
        }
        if let Some((deadline, what)) = deadline
            && Instant::now() >= deadline.at
        {
            return Err(deadline.passed(what));
        }
        look_up(runtime, deadline.map(|(deadline, _)| deadline.at))?;
    }
}

/// Waits until a moment, for nothing.
///
/// # Errors
///
/// A signal came.
pub fn pause(runtime: &mut Runtime, until: Instant) -> Result<(), OpenError> {
    runtime.stdout.flush()?;
    runtime.reporter.flush()?;
    while Instant::now() < until {
        look_up(runtime, Some(until))?;
    }
    Ok(())
}

/// Looks for events while there is no socket.
fn look_up(runtime: &mut Runtime, until: Option<Instant>) -> Result<(), OpenError> {
    for event in runtime.reactor.wait(until)? {
        match event.token() {
            STDOUT => runtime.stdout.set_ready(event.is_write_closed()),
            SIGNAL => runtime.signals.set_ready(),
            _ => {}
        }
    }
    match runtime.take_signal() {
        Some(signal) => Err(OpenError::Signal(signal)),
        None => Ok(()),
    }
}

/// A moment, and the time that was given up to it.
#[derive(Clone, Copy)]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    given: Duration,
    /// It is that of `--max-time`.
    is_last: bool,
}

impl Deadline {
    /// From now on, or the end of the whole run if that comes first.
    pub fn within(given: Duration, max_time: Option<Instant>) -> Self {
        let now = Instant::now();
        match max_time {
            Some(at) if at < now + given => {
                Self { at, given: at.saturating_duration_since(now), is_last: true }
            }
            _ => Self { at: now + given, given, is_last: false },
        }
    }

    /// Waits until the socket has something, the time is up or a signal comes.
    ///
    /// # Errors
    ///
    /// The time is up, or a signal came.
    pub fn wait(
        &self,
        runtime: &mut Runtime,
        link: &mut Link,
        what: &'static str,
    ) -> Result<(), OpenError> {
        runtime.stdout.flush()?;
        while !self.look(self.at, what, runtime, link)? {}
        Ok(())
    }

    /// Looks for events until a moment; gives whether the socket has one.
    ///
    /// # Errors
    ///
    /// The time is up, or a signal came.
    pub fn look(
        &self,
        until: Instant,
        what: &'static str,
        runtime: &mut Runtime,
        link: &mut Link,
    ) -> Result<bool, OpenError> {
        let mut ready = false;
        for event in runtime.reactor.wait(Some(until))? {
            match event.token() {
                SOCKET => {
                    link.ready(event);
                    ready = true;
                }
                STDOUT => runtime.stdout.set_ready(event.is_write_closed()),
                SIGNAL => runtime.signals.set_ready(),
                _ => {}
            }
        }
        if let Some(signal) = runtime.take_signal() {
            return Err(OpenError::Signal(signal));
        }
        if Instant::now() < self.at {
            return Ok(ready);
        }
        Err(self.passed(what))
    }

    /// The same, or this moment if it comes first.
    pub fn sooner(&self, at: Instant) -> Self {
        Self { at: self.at.min(at), ..*self }
    }

    /// Whether it is the end of the whole run.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// What to say when it has passed.
    pub fn passed(&self, what: &'static str) -> OpenError {
        let what = if self.is_last { TimeoutKind::MaxTime.what() } else { what };
        OpenError::TimedOut { seconds: self.given.as_secs_f64(), what }
    }
}
